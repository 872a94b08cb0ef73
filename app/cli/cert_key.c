/* cli/cert_key.c - `cleat cert key`: a new private key. */
#include <stdio.h>

#include "cli/cert.h"
#include "cli/cert_items.h"
#include "cli/cli.h"
#include "cli/key_type.h"

enum { KEY_TYPE = 1, ENCRYPT, PASSOUT, OUTPUT, FORCE, HELP };

static const struct cl_option options[] = {
    {KEY_TYPE, 0, "key-type", "TYPE",
     "p256 (the default), p384, p521, ed25519, ed448, rsa2048, rsa3072, rsa4096;\n"
     "with OpenSSL 3.5 also ml-dsa-44, ml-dsa-65, ml-dsa-87"},
    {ENCRYPT, 0, "encrypt", NULL, "encrypt it with a passphrase (AES-256, PBKDF2)"},
    CERT_PASSOUT_ROW(PASSOUT),
    {OUTPUT, 'o', "output", "FILE", "write a file, for its owner alone (default: print it)"},
    {FORCE, 0, "force", NULL, "write over FILE if there is one"},
    {HELP, 'h', "help", NULL, "print this text"},
};

static const struct cl_usage usage = {
    .command = "cert key",
    .synopsis = "[OPTION]...",
    .about =
        "Makes a private key: PKCS#8 in PEM, unencrypted unless --encrypt\nor --passout is there.",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .examples = "  cleat cert key -o server-key.pem\n"
                "  cleat cert key --key-type rsa3072 -o old-clients-key.pem\n"
                "  cleat cert key --encrypt -o ca-key.pem",
};

struct wish {
    const struct key_type *type;
    const char *output, *passout;
    bool encrypt, force;
};

static int take(void *ctx, int id, const struct cl_options *o)
{
    struct wish *w = ctx;
    switch (id) {
    case KEY_TYPE:
        return key_type_set(&w->type, o);
    case ENCRYPT:
        w->encrypt = true;
        return 0;
    case PASSOUT:
        w->encrypt = true;
        return cert_pass_set(&w->passout, o);
    case OUTPUT:
        w->output = o->value;
        return 0;
    case FORCE:
        w->force = true;
        return 0;
    case CL_OPTIONS_OPERAND:
        return cl_options_complain(&usage, "'%s' is too much: the file is named by -o", o->value);
    default:
        return CL_EXIT_USAGE;
    }
}

static cl_result write_sealed(const struct wish *w, const struct cleat_key *key, struct cl_buf *pem,
                              struct cleat_error *err)
{
    struct cl_passphrase word = cert_new_passphrase(w->passout);
    struct cl_buf der = {0};
    cl_result r = cl_key_to_pkcs8(key, &der);
    if (r == CL_OK) {
        r = cert_seal(cl_buf_view(&der), w->output != NULL ? w->output : "the new key", &word, pem,
                      err);
    }
    cl_passphrase_deinit(&word);
    cl_buf_deinit(&der);
    return r;
}

static int make(const struct wish *w)
{
    struct cleat_error err = {0};
    struct cleat_key *key = NULL;
    struct cl_buf pem = {0};
    cl_result r = cl_key_generate(&key, w->type->type, w->type->bits);
    if (r == CL_OK) {
        r = w->encrypt ? write_sealed(w, key, &pem, &err) : cl_key_to_pem(key, &pem);
    }
    if (r == CL_OK) {
        r = cert_output(w->output, cl_buf_view(&pem), 0600, w->force, &err);
    }
    cl_buf_deinit(&pem);
    cleat_key_free(key);
    return cert_tool_finish(usage.command, r, "the key", &err);
}

int cert_key_run(int argc, char **argv)
{
    struct wish w = {.type = key_type_default()};
    int code;
    return cl_options_each(&usage, argc, argv, HELP, take, &w, &code) ? make(&w) : code;
}
