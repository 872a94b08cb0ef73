/* cli/ech_keygen.c - `cleat ech keygen`: a key pair for Encrypted Client Hello, and the
 * configuration that clients need. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cleat/ech.h"
#include "cli/cli.h"
#include "cli/dev_ca.h"
#include "cli/ech.h"
#include "cli/options.h"

enum { KEM = 1, SUITE, MAX_NAME, CONFIG_ID, OUTPUT, HELP };

static const struct cl_option options[] = {
    {KEM, 0, "kem", "NAME", "X25519 (default), P-256, P-384 or P-521"},
    {SUITE, 0, "suite", "KDF,AEAD",
     "HKDF-SHA256, HKDF-SHA384 or HKDF-SHA512 with AES-128-GCM, AES-256-GCM or\n"
     "ChaCha20-Poly1305; repeat for more (default: HKDF-SHA256,AES-128-GCM)"},
    {MAX_NAME, 0, "max-name-length", "N",
     "the longest name that is served, 0 to 255: clients pad to it (default: 0)"},
    {CONFIG_ID, 0, "config-id", "N", "0 to 255 (default: random)"},
    {OUTPUT, 'o', "output", "FILE", "write a new file, for its owner alone (default: print it)"},
    {HELP, 'h', "help", NULL, "print this text"},
};

static const struct cl_usage usage = {
    .command = "ech keygen",
    .synopsis = "[OPTION]... PUBLIC-NAME",
    .about =
        "Makes a key for Encrypted Client Hello (RFC 9849) and its configuration: a PEM file for\n"
        "'cleat serve'. PUBLIC-NAME is the host name that everybody on the way may see;\n"
        "the server needs a certificate for it, too. The ECHCONFIG block, without its first and\n"
        "last line, is what goes into the HTTPS record: ech=BASE64.",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .examples = "  cleat ech keygen -o ech.pem public.example.com\n"
                "  cleat ech show ech.pem",
};

static bool find_kdf(struct cl_rd name, uint16_t *out)
{
    for (uint16_t id = 1; cleat_ech_kdf_name(id) != NULL; id++) {
        if (cl_ascii_equal_fold(name, cl_rd_str(cleat_ech_kdf_name(id)))) {
            *out = id;
            return true;
        }
    }
    return false;
}

static bool find_aead(struct cl_rd name, uint16_t *out)
{
    for (uint16_t id = 1; cleat_ech_aead_name(id) != NULL; id++) {
        if (cl_ascii_equal_fold(name, cl_rd_str(cleat_ech_aead_name(id)))) {
            *out = id;
            return true;
        }
    }
    return false;
}

static int add_suite(struct cleat_ech_params *p, const char *text)
{
    const size_t len = strcspn(text, ",");
    struct cleat_ech_suite suite;
    if (text[len] != ',' || !find_kdf(cl_rd_of(text, len), &suite.kdf) ||
        !find_aead(cl_rd_str(text + len + 1), &suite.aead)) {
        return cl_options_complain(&usage,
                                   "--suite takes KDF,AEAD as HKDF-SHA256,AES-128-GCM, "
                                   "not '%s'",
                                   text);
    }
    if (p->num_suites == CLEAT_ECH_MAX_SUITES) {
        return cl_options_complain(&usage, "at most %d --suite", CLEAT_ECH_MAX_SUITES);
    }
    p->suites[p->num_suites++] = suite;
    return 0;
}

struct wish {
    struct cleat_ech_params params;
    const char *output;
    bool help;
};

static int take(struct wish *w, int id, const struct cl_options *o)
{
    long number = 0;
    switch (id) {
    case KEM:
        w->params.kem = o->value;
        return 0;
    case SUITE:
        return add_suite(&w->params, o->value);
    case MAX_NAME:
    case CONFIG_ID:
        if (!cl_options_number(o, 0, 255, &number)) {
            return CL_EXIT_USAGE;
        }
        if (id == MAX_NAME) {
            w->params.max_name_len = (uint8_t)number;
        } else {
            w->params.config_id = (int)number;
        }
        return 0;
    case OUTPUT:
        w->output = o->value;
        return 0;
    case HELP:
        w->help = true;
        return 0;
    case CL_OPTIONS_OPERAND:
        if (w->params.public_name != NULL) {
            return cl_options_complain(&usage, "one public name at a time");
        }
        w->params.public_name = o->value;
        return 0;
    default:
        return CL_EXIT_USAGE;
    }
}

static int complain(const struct cleat_error *err)
{
    (void)fprintf(stderr, "cleat ech keygen: %s\n", err->text);
    if (err->hint[0] != '\0') {
        (void)fprintf(stderr, "  hint: %s\n", err->hint);
    }
    return CL_EXIT_FAILURE;
}

static int make(const struct wish *w)
{
    struct cleat_error err = {0};
    char *pem = NULL;
    int r = cleat_ech_generate(&w->params, &pem, &err);
    if (r != CLEAT_OK) {
        (void)cl_error_set(&err, (struct cl_why){.code = (cl_result)r}, "%s",
                           cleat_error_sentence(r));
        return complain(&err);
    }
    int code = CL_EXIT_OK;
    if (w->output == NULL) {
        (void)fputs(pem, stdout);
    } else if (access(w->output, F_OK) == 0) {
        (void)cl_error_set(&err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG},
                           "%s exists: a key that is in use is not written over", w->output);
        code = complain(&err);
    } else if (dev_file_write(w->output, cl_rd_str(pem), 0600, &err) != CL_OK) {
        code = complain(&err);
    }
    cleat_ech_pem_free(pem);
    return code;
}

int ech_keygen_run(int argc, char **argv)
{
    struct wish w = {.params.config_id = -1};
    struct cl_options o;
    int id, code = 0;
    cl_options_init(&o, &usage, argc, argv);
    while (code == 0 && !w.help && (id = cl_options_next(&o)) != CL_OPTIONS_END) {
        code = take(&w, id, &o);
    }
    if (code != 0) {
        return code;
    }
    if (w.help) {
        cl_options_help(&usage, stdout);
        return CL_EXIT_OK;
    }
    return w.params.public_name != NULL ? make(&w)
                                        : cl_options_complain(&usage, "no public name given");
}
