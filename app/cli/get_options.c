/* cli/get_options.c - the table of options, and what each does to struct get_options.
 *
 * Most options only set a field: a row of `setters` says which, and how. The others have a
 * function.
 */
#include "cli/get_options.h"

#include <math.h>
#include <stdlib.h>
#include <strings.h>

#include "base/mem.h"
#include "cleat/tls.h"
#include "cli/cli.h"
#include "cli/get_body.h"
#include "cli/get_options_table.h"

enum setter_kind {
    SET_TRUE,
    SET_TEXT,
    SET_WORD, /* append to a list */
    SET_SECONDS,
    SET_VERSION,
    SET_NOTHING, /* accepted because curl has it; it is so anyway */
    SET_BY_FUNCTION,
};

struct setter {
    int id;
    enum setter_kind kind;
    size_t offset;
    int (*function)(struct get_options *o, const struct cl_options *from);
};

static int set_output(struct get_options *o, const struct cl_options *from);
static int set_remote_name(struct get_options *o, const struct cl_options *from);
static int set_family4(struct get_options *o, const struct cl_options *from);
static int set_family6(struct get_options *o, const struct cl_options *from);
static int set_tls12(struct get_options *o, const struct cl_options *from);
static int set_tls13(struct get_options *o, const struct cl_options *from);
static int set_max_redirects(struct get_options *o, const struct cl_options *from);
static int set_head(struct get_options *o, const struct cl_options *from);

#define AT(field) offsetof(struct get_options, field)
static const struct setter setters[] = {
    {GET_VERBOSE, SET_TRUE, AT(verbose), NULL},
    {GET_SILENT, SET_TRUE, AT(silent), NULL},
    {GET_SHOW_ERROR, SET_TRUE, AT(show_error), NULL},
    {GET_INCLUDE, SET_TRUE, AT(include), NULL},
    {GET_HEAD, SET_BY_FUNCTION, 0, set_head},
    {GET_LOCATION, SET_TRUE, AT(location), NULL},
    {GET_INSECURE, SET_TRUE, AT(insecure), NULL},
    {GET_FAIL, SET_TRUE, AT(fail), NULL},
    {GET_FAIL_WITH_BODY, SET_TRUE, AT(fail_with_body), NULL},
    {GET_NO_PROGRESS, SET_TRUE, AT(no_progress), NULL},
    {GET_NO_ALPN, SET_TRUE, AT(no_alpn), NULL},
    {GET_EARLY_DATA, SET_TRUE, AT(early_data), NULL},
    {GET_HELP, SET_TRUE, AT(help), NULL},
    {GET_METHOD, SET_TEXT, AT(method), NULL},
    {GET_USER_AGENT, SET_TEXT, AT(user_agent), NULL},
    {GET_REFERER, SET_TEXT, AT(referer), NULL},
    {GET_USER, SET_TEXT, AT(user), NULL},
    {GET_RANGE, SET_TEXT, AT(range), NULL},
    {GET_WRITE_OUT, SET_TEXT, AT(write_out), NULL},
    {GET_DUMP_HEADER, SET_TEXT, AT(dump_header), NULL},
    {GET_TRACE_JSON, SET_TEXT, AT(trace_json), NULL},
    {GET_CACERT, SET_TEXT, AT(cacert), NULL},
    {GET_CAPATH, SET_TEXT, AT(capath), NULL},
    {GET_CERT, SET_TEXT, AT(cert), NULL},
    {GET_KEY, SET_TEXT, AT(key), NULL},
    {GET_PROFILE, SET_TEXT, AT(profile), NULL},
    {GET_SSL_SESSIONS, SET_TEXT, AT(ssl_sessions), NULL},
    {GET_CIPHERS, SET_TEXT, AT(ciphers), NULL},
    {GET_TLS13_CIPHERS, SET_TEXT, AT(tls13_ciphers), NULL},
    {GET_CURVES, SET_TEXT, AT(curves), NULL},
    {GET_SIGALGS, SET_TEXT, AT(sigalgs), NULL},
    {GET_PSK, SET_TEXT, AT(psk), NULL},
    {GET_ALPN, SET_TEXT, AT(alpn), NULL},
    {GET_HEADER, SET_WORD, AT(headers), NULL},
    {GET_RESOLVE, SET_WORD, AT(resolves), NULL},
    {GET_CONNECT_TO, SET_WORD, AT(connect_tos), NULL},
    {GET_URL, SET_WORD, AT(urls), NULL},
    {GET_CONNECT_TIMEOUT, SET_SECONDS, AT(connect_timeout_ms), NULL},
    {GET_MAX_TIME, SET_SECONDS, AT(max_time_ms), NULL},
    {GET_TLS_MAX, SET_VERSION, AT(tls_max), NULL},
    {GET_TLS_MIN, SET_VERSION, AT(tls_min), NULL},
    {GET_GLOBOFF, SET_NOTHING, 0, NULL},
    {GET_HTTP11, SET_NOTHING, 0, NULL},
    {GET_PROGRESS_BAR, SET_NOTHING, 0, NULL},
    {GET_OUTPUT, SET_BY_FUNCTION, 0, set_output},
    {GET_REMOTE_NAME, SET_BY_FUNCTION, 0, set_remote_name},
    {GET_IPV4, SET_BY_FUNCTION, 0, set_family4},
    {GET_IPV6, SET_BY_FUNCTION, 0, set_family6},
    {GET_TLS12, SET_BY_FUNCTION, 0, set_tls12},
    {GET_TLS13, SET_BY_FUNCTION, 0, set_tls13},
    {GET_MAX_REDIRS, SET_BY_FUNCTION, 0, set_max_redirects},
    {GET_DATA, SET_BY_FUNCTION, 0, get_body_data},
    {GET_DATA_RAW, SET_BY_FUNCTION, 0, get_body_raw},
    {GET_DATA_BINARY, SET_BY_FUNCTION, 0, get_body_binary},
    {GET_JSON, SET_BY_FUNCTION, 0, get_body_json},
};

/* ---- lists ---- */

static int add_word(struct get_words *w, const char *word)
{
    const char **grown = cl_realloc(w->items, (w->num + 1) * sizeof(*grown));
    if (grown == NULL) {
        return cl_options_complain(&get_usage, "out of memory");
    }
    grown[w->num++] = word;
    w->items = grown;
    return 0;
}

static int set_output(struct get_options *o, const struct cl_options *from)
{
    return add_word(&o->outputs, from->value);
}

static int set_remote_name(struct get_options *o, const struct cl_options *from)
{
    return add_word(&o->outputs, NULL);
}

/* ---- single values ---- */

static int set_family4(struct get_options *o, const struct cl_options *from)
{
    o->family = AF_INET;
    return 0;
}

static int set_family6(struct get_options *o, const struct cl_options *from)
{
    o->family = AF_INET6;
    return 0;
}

static int set_tls12(struct get_options *o, const struct cl_options *from)
{
    o->tls_min = CLEAT_TLS_1_2;
    return 0;
}

static int set_tls13(struct get_options *o, const struct cl_options *from)
{
    o->tls_min = CLEAT_TLS_1_3;
    return 0;
}

static int set_head(struct get_options *o, const struct cl_options *from)
{
    o->head = true;
    return 0;
}

static int set_max_redirects(struct get_options *o, const struct cl_options *from)
{
    return cl_options_number(from, -1, 1000000, &o->max_redirects) ? 0 : CL_EXIT_USAGE;
}

static int set_seconds(uint64_t *out_ms, const struct cl_options *from)
{
    char *end;
    double seconds = strtod(from->value, &end);
    /* A year: beyond it somebody has mistaken the unit. */
    if (end == from->value || *end != '\0' || !isfinite(seconds) || seconds < 0 ||
        seconds > 366.0 * 86400) {
        return cl_options_complain(&get_usage, "%s: \"%s\" is not a number of seconds",
                                   from->spelled, from->value);
    }
    *out_ms = (uint64_t)(seconds * 1000);
    *out_ms += seconds > 0 && *out_ms == 0 ? 1 : 0;
    return 0;
}

static int set_version(uint16_t *out, const struct cl_options *from)
{
    static const struct {
        const char *name;
        uint16_t version;
    } rows[] = {{"1.2", CLEAT_TLS_1_2}, {"1.3", CLEAT_TLS_1_3}, {"default", 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(from->value, rows[i].name) == 0) {
            *out = rows[i].version;
            return 0;
        }
    }
    return cl_options_complain(&get_usage, "%s: \"%s\" is not a TLS version: give 1.2 or 1.3",
                               from->spelled, from->value);
}

static int apply(struct get_options *o, const struct setter *s, const struct cl_options *from)
{
    char *field = (char *)o + s->offset;
    switch (s->kind) {
    case SET_TRUE:
        *(bool *)field = true;
        return 0;
    case SET_TEXT:
        *(const char **)(void *)field = from->value;
        return 0;
    case SET_WORD:
        return add_word((struct get_words *)(void *)field, from->value);
    case SET_SECONDS:
        return set_seconds((uint64_t *)(void *)field, from);
    case SET_VERSION:
        return set_version((uint16_t *)(void *)field, from);
    case SET_NOTHING:
        return 0;
    case SET_BY_FUNCTION:
        return s->function(o, from);
    }
    return CL_EXIT_USAGE;
}

static const struct setter *find_setter(int id)
{
    for (size_t i = 0; i < sizeof(setters) / sizeof(setters[0]); i++) {
        if (setters[i].id == id) {
            return &setters[i];
        }
    }
    return NULL;
}

/* ---- the whole ---- */

static int check(const struct get_options *o)
{
    if (o->urls.num == 0) {
        return cl_options_complain(&get_usage, "no URL given");
    }
    if (o->head && o->has_body) {
        return cl_options_complain(&get_usage,
                                   "-I asks for a HEAD request, which cannot carry -d or --json");
    }
    if (o->outputs.num > o->urls.num) {
        return cl_options_complain(&get_usage, "more -o and -O options (%zu) than URLs (%zu)",
                                   o->outputs.num, o->urls.num);
    }
    if (o->tls_min != 0 && o->tls_max != 0 && o->tls_min > o->tls_max) {
        return cl_options_complain(&get_usage, "the lowest TLS version is above the highest");
    }
    if (o->key != NULL && o->cert == NULL) {
        return cl_options_complain(&get_usage, "--key is of no use without --cert");
    }
    if (o->user != NULL && strchr(o->user, ':') == NULL) {
        return cl_options_complain(&get_usage, "-u: write USER:PASSWORD");
    }
    return 0;
}

int get_options_parse(struct get_options *out, int argc, char **argv)
{
    struct cl_options options;
    int id, code = 0;
    memset(out, 0, sizeof(*out));
    out->max_redirects = GET_DEFAULT_REDIRECTS;
    cl_options_init(&options, &get_usage, argc, argv);
    while (code == 0 && (id = cl_options_next(&options)) != CL_OPTIONS_END) {
        if (id == CL_OPTIONS_ERROR) {
            return CL_EXIT_USAGE;
        }
        if (id == CL_OPTIONS_OPERAND) {
            code = add_word(&out->urls, options.value);
            continue;
        }
        const struct setter *s = find_setter(id);
        code = s != NULL ? apply(out, s, &options) : CL_EXIT_USAGE;
    }
    if (code == 0 && out->help) {
        cl_options_help(&get_usage, stdout);
        return -1;
    }
    return code != 0 ? code : check(out);
}

void get_options_deinit(struct get_options *o)
{
    struct get_words *lists[] = {&o->urls, &o->outputs, &o->headers, &o->resolves, &o->connect_tos};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        cl_free(lists[i]->items);
    }
    cl_buf_deinit(&o->body);
    memset(o, 0, sizeof(*o));
}
