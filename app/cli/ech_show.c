/* cli/ech_show.c - `cleat ech show`: an ECHConfigList in words, and whether we could use it. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/text.h"
#include "cleat/ech.h"
#include "cli/cli.h"
#include "cli/client_ech.h"
#include "cli/ech.h"
#include "cli/options.h"

enum { JSON = 1, HELP };

static const struct cl_option options[] = {
    {JSON, 0, "json", NULL, "print JSON"},
    {HELP, 'h', "help", NULL, "print this text"},
};

static const struct cl_usage usage = {
    .command = "ech show",
    .synopsis = "[OPTION]... FILE|-|BASE64",
    .about =
        "Prints the configurations of an ECHConfigList: of a file (PEM, base64, or its bytes),\n"
        "of standard input, or as it stands in an HTTPS record (ech=BASE64).",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .examples = "  cleat ech show ech.pem\n"
                "  cleat ech show AEX+DQBBpQAgACCo…",
};

/* "HKDF-SHA256 AES-128-GCM", numbers for what is not known. */
static void name_suite(uint16_t kdf, uint16_t aead, char *out, size_t cap)
{
    const char *a = cleat_ech_kdf_name(kdf);
    const char *b = cleat_ech_aead_name(aead);
    char unknown[2][8];
    (void)snprintf(unknown[0], sizeof(unknown[0]), "0x%04x", kdf);
    (void)snprintf(unknown[1], sizeof(unknown[1]), "0x%04x", aead);
    (void)snprintf(out, cap, "%s %s", a != NULL ? a : unknown[0], b != NULL ? b : unknown[1]);
}

/* Calls each with the suites' names in turn. */
static void for_each_suite(const struct cleat_ech_config *c, void (*each)(void *ctx, const char *),
                           void *ctx)
{
    struct cl_rd list = cl_rd_of(c->suites, c->suites_len);
    uint16_t kdf, aead;
    while (cl_rd_u16(&list, &kdf) && cl_rd_u16(&list, &aead)) {
        char text[48];
        name_suite(kdf, aead, text, sizeof(text));
        each(ctx, text);
    }
}

static void print_suite(void *ctx, const char *text)
{
    (void)printf("  suite         %s\n", text);
}

/* The names come from outside: no control characters reach a terminal. */
static void printable(char *out, size_t cap, const char *p, size_t len)
{
    size_t n = len < cap - 1 ? len : cap - 1;
    for (size_t i = 0; i < n; i++) {
        out[i] = cl_ascii_printable(p[i]);
    }
    out[n] = '\0';
}

static void print_text(const struct cleat_ech_config *c, size_t number)
{
    char name[256];
    char key[2 * CLEAT_ECH_MAX_PUBLIC_KEY + 1];
    (void)printf("configuration %zu: version 0x%04x, %zu bytes\n", number, c->version, c->len);
    if (c->version == 0xfe0d) {
        printable(name, sizeof(name), c->public_name, c->public_name_len);
        (void)printf("  public name   %s\n  config id     %u\n", name, c->config_id);
        (void)printf("  KEM           %s (0x%04x)\n", c->kem_name != NULL ? c->kem_name : "unknown",
                     c->kem);
        if (c->public_key_len <= CLEAT_ECH_MAX_PUBLIC_KEY) {
            cl_hex_encode(c->public_key, c->public_key_len, key);
            (void)printf("  public key    %s\n", key);
        }
        for_each_suite(c, print_suite, NULL);
        (void)printf("  longest name  %u\n", c->max_name_len);
    }
    (void)printf("  usable        %s%s\n",
                 c->unusable == NULL ? "yes" : "no: ", c->unusable != NULL ? c->unusable : "");
}

static void add_suite(void *ctx, const char *text)
{
    (void)json_array_append_new(ctx, json_string(text));
}

static json_t *to_json(const struct cleat_ech_config *c)
{
    char name[256];
    char key[2 * CLEAT_ECH_MAX_PUBLIC_KEY + 1] = "";
    json_t *o = json_pack("{s:i, s:b, s:o}", "version", (int)c->version, "usable",
                          c->unusable == NULL ? 1 : 0, "why_not",
                          c->unusable != NULL ? json_string(c->unusable) : json_null());
    if (c->version != 0xfe0d) {
        return o;
    }
    json_t *suites = json_array();
    printable(name, sizeof(name), c->public_name, c->public_name_len);
    if (c->public_key_len <= CLEAT_ECH_MAX_PUBLIC_KEY) {
        cl_hex_encode(c->public_key, c->public_key_len, key);
    }
    for_each_suite(c, add_suite, suites);
    json_t *rest =
        json_pack("{s:s, s:i, s:i, s:o, s:s, s:o, s:i}", "public_name", name, "config_id",
                  (int)c->config_id, "kem", (int)c->kem, "kem_name",
                  c->kem_name != NULL ? json_string(c->kem_name) : json_null(), "public_key", key,
                  "suites", suites, "maximum_name_length", (int)c->max_name_len);
    (void)json_object_update_missing(o, rest);
    json_decref(rest);
    return o;
}

static int print_all(const struct cl_buf *list, bool json)
{
    struct cleat_ech_config c;
    json_t *all = json_array();
    for (size_t i = 0; cleat_ech_list_get(list->p, list->len, i, &c) == CLEAT_OK; i++) {
        if (json) {
            (void)json_array_append_new(all, to_json(&c));
        } else {
            print_text(&c, i + 1);
        }
    }
    if (json) {
        json_t *o = json_pack("{s:i, s:O}", "schema", 1, "configurations", all);
        (void)json_dumpf(o, stdout, JSON_INDENT(2));
        (void)putchar('\n');
        json_decref(o);
    }
    json_decref(all);
    return CL_EXIT_OK;
}

int ech_show_run(int argc, char **argv)
{
    struct cl_options o;
    const char *source = NULL;
    bool json = false;
    int id;
    cl_options_init(&o, &usage, argc, argv);
    while ((id = cl_options_next(&o)) != CL_OPTIONS_END) {
        if (id == HELP) {
            cl_options_help(&usage, stdout);
            return CL_EXIT_OK;
        }
        if (id == CL_OPTIONS_ERROR) {
            return CL_EXIT_USAGE;
        }
        json = json || id == JSON;
        source = id == CL_OPTIONS_OPERAND ? o.value : source;
    }
    if (source == NULL) {
        return cl_options_complain(&usage, "no configuration given");
    }
    struct cl_buf list = {0};
    struct cleat_error err = {0};
    int code = CL_EXIT_FAILURE;
    if (client_ech_read(source, &list, &err)) {
        code = print_all(&list, json);
    } else {
        (void)fprintf(stderr, "cleat ech show: %s\n", err.text);
    }
    cl_buf_deinit(&list);
    return code;
}
