/* cli/cert_csr.c - `cleat cert csr`: a certificate request for a CA. */
#include <stdio.h>

#include "base/pem.h"
#include "cli/cert.h"
#include "cli/cert_items.h"
#include "cli/cert_names.h"
#include "cli/cli.h"
#include "cli/key_type.h"
#include "x509/csr.h"

enum {
    KEY = 1,
    PASSIN,
    NEW_KEY,
    KEY_TYPE,
    COMMON_NAME,
    ORGANIZATION,
    MUST_STAPLE,
    OUTPUT,
    FORCE,
    HELP
};

static const struct cl_option options[] = {
    {KEY, 0, "key", "FILE", "for the private key in FILE"},
    CERT_PASSIN_ROW(PASSIN),
    {NEW_KEY, 0, "new-key", "FILE", "for a new private key, which is written to FILE"},
    {KEY_TYPE, 0, "key-type", "TYPE", "of the new key: p256 (the default), … as cert key has them"},
    {COMMON_NAME, 0, "common-name", "TEXT", "the subject's, instead of the first name: for CAs"},
    {ORGANIZATION, 0, "organization", "NAME", "also in the subject (most CAs leave it out)"},
    {MUST_STAPLE, 0, "must-staple", NULL, "ask that clients insist on an OCSP response (RFC 7633)"},
    {OUTPUT, 'o', "output", "FILE", "write the request to FILE (default: print it)"},
    {FORCE, 0, "force", NULL, "write over FILE if there is one; never over a key"},
    {HELP, 'h', "help", NULL, "print this text"},
};

static const struct cl_usage usage = {
    .command = "cert csr",
    .synopsis = "[OPTION]... --key FILE|--new-key FILE NAME...",
    .about =
        "Makes a certificate request (PKCS#10, RFC 2986), in PEM. Names are DNS names (also\n"
        "\"*.example.com\"), IP addresses and mailboxes; the first is the subject's common name,\n"
        "too.",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .examples = "  cleat cert csr --new-key server-key.pem -o server.csr example.com "
                "www.example.com\n"
                "  cleat cert csr --key server-key.pem --must-staple example.com",
};

struct wish {
    const char *names[CERT_MAX_NAMES];
    size_t num_names;
    const char *key, *passin, *new_key, *common_name, *organization, *output;
    const struct key_type *type;
    bool must_staple, force;
};

static int take(void *ctx, int id, const struct cl_options *o)
{
    struct wish *w = ctx;
    const char **texts[] = {[KEY] = &w->key,
                            [NEW_KEY] = &w->new_key,
                            [COMMON_NAME] = &w->common_name,
                            [ORGANIZATION] = &w->organization,
                            [OUTPUT] = &w->output};
    bool *flags[] = {[MUST_STAPLE] = &w->must_staple, [FORCE] = &w->force};
    switch (id) {
    case KEY:
    case NEW_KEY:
    case COMMON_NAME:
    case ORGANIZATION:
    case OUTPUT:
        *texts[id] = o->value;
        return 0;
    case MUST_STAPLE:
    case FORCE:
        *flags[id] = true;
        return 0;
    case PASSIN:
        return cert_pass_set(&w->passin, o);
    case KEY_TYPE:
        return key_type_set(&w->type, o);
    case CL_OPTIONS_OPERAND:
        if (w->num_names == CERT_MAX_NAMES) {
            return cl_options_complain(&usage, "more than %d names", CERT_MAX_NAMES);
        }
        w->names[w->num_names++] = o->value;
        return 0;
    default:
        return CL_EXIT_USAGE;
    }
}

static int check(const struct wish *w)
{
    if (w->num_names == 0 && w->common_name == NULL) {
        return cl_options_complain(&usage, "no name given");
    }
    if ((w->key == NULL) == (w->new_key == NULL)) {
        return cl_options_complain(&usage, w->key == NULL
                                               ? "which key? --key FILE, or --new-key FILE"
                                               : "--key and --new-key exclude each other");
    }
    return w->type == NULL || w->new_key != NULL
               ? 0
               : cl_options_complain(&usage, "--key-type is for --new-key");
}

static cl_result build(const struct wish *w, const struct cleat_key *key, struct cl_buf *pem,
                       struct cleat_error *err)
{
    /* RFC 7633 4: TLSFeature ::= SEQUENCE OF INTEGER { status_request(5) } */
    static const uint8_t status_request[] = {0x30, 0x03, 0x02, 0x01, 0x05};
    const struct cl_cert_raw_ext staple = {
        "1.3.6.1.5.5.7.1.24", false, {status_request, sizeof(status_request)}};
    struct cl_cert_template tpl = {.organization = w->organization,
                                   .path_len = -1,
                                   .raw_exts = &staple,
                                   .num_raw_exts = w->must_staple ? 1 : 0};
    struct cert_names names = {0};
    struct cl_buf der = {0};
    cl_result r = cert_names_sort(&names, w->names, w->num_names, err);
    if (r == CL_OK) {
        cert_names_fill(&names, w->common_name != NULL ? w->common_name : w->names[0], &tpl);
        tpl.common_name = w->common_name != NULL ? w->common_name : tpl.common_name;
        r = cl_csr_build(&der, &tpl, key, err);
    }
    if (r == CL_OK) {
        r = cl_pem_encode("CERTIFICATE REQUEST", cl_buf_view(&der), pem);
    }
    cl_buf_deinit(&der);
    cert_names_deinit(&names);
    return r;
}

/* The key comes first: a request whose key was not kept is worth nothing. */
static cl_result write_all(const struct wish *w, const struct cleat_key *key,
                           const struct cl_buf *pem, struct cleat_error *err)
{
    struct cl_buf secret = {0};
    cl_result r = CL_OK;
    if (w->new_key != NULL) {
        r = cl_key_to_pem(key, &secret);
        r = r == CL_OK ? cert_output(w->new_key, cl_buf_view(&secret), 0600, false, err) : r;
    }
    cl_buf_deinit(&secret);
    return r == CL_OK ? cert_output(w->output, cl_buf_view(pem), 0644, w->force, err) : r;
}

static int make(const struct wish *w)
{
    struct cleat_error err = {0};
    struct cleat_key *key = NULL;
    struct cl_buf pem = {0};
    struct cert_opening how;
    cert_opening_init(&how, w->passin);
    const struct key_type *type = w->type != NULL ? w->type : key_type_default();
    cl_result r = w->key != NULL ? cert_key_read(w->key, &how, &key, &err)
                                 : cl_key_generate(&key, type->type, type->bits);
    if (r == CL_OK) {
        r = build(w, key, &pem, &err);
    }
    if (r == CL_OK) {
        r = write_all(w, key, &pem, &err);
    }
    cl_buf_deinit(&pem);
    cleat_key_free(key);
    cl_passphrase_deinit(&how.passphrase);
    return cert_tool_finish(usage.command, r, "the request", &err);
}

int cert_csr_run(int argc, char **argv)
{
    struct wish w = {0};
    int code;
    if (!cl_options_each(&usage, argc, argv, HELP, take, &w, &code)) {
        return code;
    }
    code = check(&w);
    return code != 0 ? code : make(&w);
}
