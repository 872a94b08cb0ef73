/* cli/fingerprint_diff.c - how two ClientHellos differ, in words, and what that changes in JA4.
 *
 * Every list is compared as a set and then, for what both have, in its order. GREASE is left out,
 * as its values are drawn anew each time; whether there is any is a difference.
 */
#include <stdio.h>
#include <string.h>

#include "capture/hellos.h"
#include "cli/cli.h"
#include "cli/fingerprint.h"
#include "tls/fingerprint.h"
#include "tls/names.h"
#include "tls/wire.h"

/* 32,768: a list of 16-bit numbers has no more */
#define MAX_ITEMS 32768

#define EXIT_TROUBLE 2

struct side {
    const char *path;
    struct cl_buf message;
    struct cl_hello_print print;
    struct fingerprints forms;
};

/* One list of both sides. */
struct compared {
    const char *what;
    const char *key;
    const char *part; /* of JA4 that depends on it */
    json_t *items[2]; /* names, in order */
    json_t *removed;
    json_t *added;
    bool reordered;
};

static bool keep(void *ctx, const struct cl_hello *hello)
{
    struct side *s = ctx;
    (void)!cl_buf_append(&s->message, hello->message.p, hello->message.len, CL_FINGERPRINT_MAX);
    return false;
}

static bool read_side(struct side *s)
{
    struct cl_hello_counts counts = {0};
    struct cleat_error err = {0};
    cl_result r = cl_hellos_read(s->path, keep, s, &counts, &err);
    if (r == CL_OK && s->message.len == 0) {
        r = cl_error_set(&err, (struct cl_why){.code = CLEAT_ERR_DECODE},
                         "there is no ClientHello");
    }
    if (r == CL_OK) {
        r = cl_hello_print_parse(cl_buf_view(&s->message), &s->print, &err);
    }
    if (r != CL_OK) {
        cl_error_set(&err, (struct cl_why){.code = r}, "%s", cleat_error_sentence(r));
        fprintf(stderr, "cleat fingerprint: %s: %s\n", s->path, err.text);
        return false;
    }
    fingerprints_of(cl_buf_view(&s->message), &s->forms);
    return s->forms.error.code == CLEAT_OK;
}

/* ---- lists of names ---- */

static void add_number(json_t *list, uint16_t id, const char *name)
{
    char text[80];
    (void)snprintf(text, sizeof(text), name != NULL ? "%s (0x%04x)" : "%s0x%04x",
                   name != NULL ? name : "", id);
    (void)json_array_append_new(list, json_string(text));
}

static json_t *numbers(struct cl_rd list, bool (*next)(struct cl_rd *list, uint16_t *value),
                       const char *(*name_of)(uint16_t id))
{
    json_t *out = json_array();
    uint16_t value;
    while (json_array_size(out) < MAX_ITEMS && next(&list, &value)) {
        add_number(out, value, name_of(value));
    }
    return out;
}

static bool next_format(struct cl_rd *list, uint16_t *value)
{
    uint8_t v = 0;
    const bool ok = cl_rd_u8(list, &v);
    *value = v;
    return ok;
}

static const char *name_of_format(uint16_t format)
{
    return format == 0 ? "uncompressed" : NULL;
}

/* The protocols, as text where they are that. */
static json_t *protocols(const struct cl_hello_print *p)
{
    json_t *out = json_array();
    struct cl_rd block = p->extensions;
    struct cl_rd body;
    struct cl_rd list;
    struct cl_rd name;
    uint16_t type;
    while (cl_rd_u16(&block, &type) && cl_rd_vec16(&block, &body)) {
        if (type != CL_ET_ALPN || !cl_rd_vec16(&body, &list)) {
            continue;
        }
        while (cl_rd_vec8(&list, &name)) {
            char text[4 * 255 + 1];
            size_t len = 0;
            for (size_t i = 0; i < name.len; i++) {
                const uint8_t c = name.p[i];
                len += (size_t)snprintf(text + len, sizeof(text) - len,
                                        c > 0x20 && c < 0x7f ? "%c" : "\\x%02x", c);
            }
            text[len] = '\0';
            (void)json_array_append_new(out, json_string(text));
        }
    }
    return out;
}

static json_t *legacy_version(const struct cl_hello_print *p)
{
    json_t *out = json_array();
    add_number(out, p->version, cl_name_of_version(p->version));
    return out;
}

static json_t *grease(const struct cl_hello_print *p)
{
    const struct cl_rd lists[] = {p->suites, p->groups, p->versions, p->schemes};
    json_t *out = json_array();
    bool found = false;
    struct cl_rd block = p->extensions;
    struct cl_rd body;
    uint16_t v;
    while (cl_rd_u16(&block, &v) && cl_rd_vec16(&block, &body)) {
        found = found || cl_is_grease(v);
    }
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct cl_rd list = lists[i];
        while (cl_rd_u16(&list, &v)) {
            found = found || cl_is_grease(v);
        }
    }
    (void)json_array_append_new(out, json_string(found ? "reserved values" : "none"));
    return out;
}

/* ---- comparing ---- */

static bool has(const json_t *list, const json_t *item)
{
    size_t i;
    json_t *other;
    json_array_foreach(list, i, other)
    {
        if (json_equal(item, other)) {
            return true;
        }
    }
    return false;
}

/* What of a is not in b; the others in order. */
static json_t *without(const json_t *a, const json_t *b, json_t *common)
{
    json_t *out = json_array();
    size_t i;
    json_t *item;
    json_array_foreach(a, i, item)
    {
        (void)json_array_append(has(b, item) ? common : out, item);
    }
    return out;
}

static void compare(struct compared *c)
{
    json_t *common[2] = {json_array(), json_array()};
    c->removed = without(c->items[0], c->items[1], common[0]);
    c->added = without(c->items[1], c->items[0], common[1]);
    c->reordered = !json_equal(common[0], common[1]);
    json_decref(common[0]);
    json_decref(common[1]);
}

static bool differs(const struct compared *c)
{
    return json_array_size(c->removed) > 0 || json_array_size(c->added) > 0 || c->reordered;
}

#define NUM_LISTS 9

static void compare_all(const struct side sides[2], struct compared out[NUM_LISTS])
{
    static const char a[] = "the first part";
    static const char ab[] = "the first and the second part";
    static const char c[] = "the third part";
    static const char ac[] = "the first and the third part";
    static const char none[] = "nothing";
    const struct compared rows[NUM_LISTS] = {
        {.what = "legacy version", .key = "legacy_version", .part = none},
        {.what = "versions", .key = "supported_versions", .part = a},
        {.what = "cipher suites", .key = "cipher_suites", .part = ab},
        {.what = "extensions", .key = "extensions", .part = ac},
        {.what = "groups", .key = "groups", .part = none},
        {.what = "point formats", .key = "point_formats", .part = none},
        {.what = "signature algorithms", .key = "signature_algorithms", .part = c},
        {.what = "ALPN", .key = "alpn", .part = a},
        {.what = "GREASE", .key = "grease", .part = none},
    };
    memcpy(out, rows, sizeof(rows));
    for (size_t i = 0; i < 2; i++) {
        const struct cl_hello_print *p = &sides[i].print;
        out[0].items[i] = legacy_version(p);
        out[1].items[i] = numbers(p->versions, cl_list16_next, cl_name_of_version);
        out[2].items[i] = numbers(p->suites, cl_list16_next, cl_name_of_suite);
        out[3].items[i] = numbers(p->extensions, cl_hello_print_type, cl_name_of_extension);
        out[4].items[i] = numbers(p->groups, cl_list16_next, cl_name_of_group);
        out[5].items[i] = numbers(p->formats, next_format, name_of_format);
        out[6].items[i] = numbers(p->schemes, cl_list16_next, cl_name_of_scheme);
        out[7].items[i] = protocols(p);
        out[8].items[i] = grease(p);
    }
    for (size_t i = 0; i < NUM_LISTS; i++) {
        compare(&out[i]);
    }
}

/* ---- telling ---- */

static void print_items(const char *what, const json_t *items)
{
    size_t i;
    json_t *item;
    json_array_foreach(items, i, item)
    {
        printf("  %s %s\n", what, json_string_value(item));
    }
}

/* The parts of JA4 lie at fixed places. */
static const struct {
    const char *what;
    size_t at;
    size_t len;
} parts[] = {
    {"carrier", 0, 1},
    {"version", 1, 2},
    {"whether there is a server name", 3, 1},
    {"number of cipher suites", 4, 2},
    {"number of extensions", 6, 2},
    {"ALPN", 8, 2},
    {"hash of the cipher suites", 11, 12},
    {"hash of extensions and signature algorithms", 24, 12},
};

static void print_ja4(const struct side s[2])
{
    const char *a = s[0].forms.text[CLEAT_JA4];
    const char *b = s[1].forms.text[CLEAT_JA4];
    if (strcmp(a, b) == 0) {
        printf("JA4: the same, %s\n", a);
        return;
    }
    printf("JA4: %s, then %s\n", a, b);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (memcmp(a + parts[i].at, b + parts[i].at, parts[i].len) != 0) {
            printf("  %s: %.*s, then %.*s\n", parts[i].what, (int)parts[i].len, a + parts[i].at,
                   (int)parts[i].len, b + parts[i].at);
        }
    }
}

/* Of the extensions only server_name and ALPN leave the third part alone, and order leaves both. */
static const char *consequence(const struct compared *c)
{
    const bool moved_only = json_array_size(c->removed) == 0 && json_array_size(c->added) == 0;
    const bool order_counts =
        strcmp(c->key, "signature_algorithms") == 0 || strcmp(c->key, "alpn") == 0;
    return moved_only && !order_counts ? "nothing" : c->part;
}

static void print_differences(const struct side s[2], const struct compared lists[NUM_LISTS])
{
    bool any = false;
    print_ja4(s);
    for (size_t i = 0; i < NUM_LISTS; i++) {
        const struct compared *c = &lists[i];
        if (!differs(c)) {
            continue;
        }
        any = true;
        printf("%s (of JA4 they can change %s):\n", c->what, consequence(c));
        print_items("-", c->removed);
        print_items("+", c->added);
        if (c->reordered) {
            printf("  what both have is in another order\n");
        }
    }
    if (!any) {
        printf("no difference in versions, cipher suites, extensions, groups, point formats, "
               "signature algorithms, ALPN and GREASE\n");
    }
}

static json_t *side_json(const struct side *s)
{
    json_t *o = json_pack("{s:s}", "file", s->path);
    fingerprints_json(&s->forms, o);
    return o;
}

static void print_json(const struct side s[2], const struct compared lists[NUM_LISTS])
{
    json_t *differences = json_array();
    for (size_t i = 0; i < NUM_LISTS; i++) {
        const struct compared *c = &lists[i];
        if (differs(c)) {
            (void)json_array_append_new(
                differences, json_pack("{s:s, s:O, s:O, s:b}", "what", c->key, "removed",
                                       c->removed, "added", c->added, "reordered", c->reordered));
        }
    }
    json_t *o = json_pack("{s:i, s:o, s:o, s:o}", "schema", FINGERPRINT_SCHEMA, "first",
                          side_json(&s[0]), "second", side_json(&s[1]), "differences", differences);
    (void)json_dumpf(o, stdout, JSON_INDENT(2));
    (void)putchar('\n');
    json_decref(o);
}

static int tell(const struct side s[2], bool json)
{
    struct compared lists[NUM_LISTS];
    int code = CL_EXIT_OK;
    compare_all(s, lists);
    if (json) {
        print_json(s, lists);
    } else {
        print_differences(s, lists);
    }
    for (size_t i = 0; i < NUM_LISTS; i++) {
        code = differs(&lists[i]) ? CL_EXIT_FAILURE : code;
        json_decref(lists[i].items[0]);
        json_decref(lists[i].items[1]);
        json_decref(lists[i].removed);
        json_decref(lists[i].added);
    }
    return code;
}

int fingerprint_diff(const char *const paths[2], bool json)
{
    struct side sides[2] = {{.path = paths[0]}, {.path = paths[1]}};
    int code = EXIT_TROUBLE;
    if (read_side(&sides[0]) && read_side(&sides[1])) {
        code = tell(sides, json);
    }
    for (size_t i = 0; i < 2; i++) {
        fingerprints_free(&sides[i].forms);
        cl_buf_deinit(&sides[i].message);
    }
    return code;
}
