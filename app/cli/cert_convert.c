/* cli/cert_convert.c - `cleat cert convert`: PEM, DER and PKCS#12, each to the others; keys
 * encrypted and decrypted. What a thing says is not changed, only how it is wrapped: certificates
 * stay byte for byte what they are. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/pem.h"
#include "cli/cert.h"
#include "cli/cert_items.h"
#include "cli/cli.h"
#include "cli/options.h"

enum {
    TO = 1,
    ENCRYPT,
    DECRYPT,
    PASSIN,
    PASSOUT,
    NAME,
    OLD_READERS,
    ADD,
    NO_KEYS,
    NO_MAC,
    OUTPUT,
    FORCE,
    HELP
};

static const struct cl_option options[] = {
    {TO, 0, "to", "FORM",
     "pem, der or p12 (PKCS#12)\n(default: PEM becomes DER, all else becomes PEM)"},
    {ENCRYPT, 0, "encrypt", NULL, "encrypt private keys with a passphrase (AES-256, PBKDF2)"},
    {DECRYPT, 0, "decrypt", NULL, "write private keys unencrypted, also those that were encrypted"},
    CERT_PASSIN_ROW(PASSIN),
    {PASSOUT, 0, "passout", "SOURCE",
     "where the new passphrase is, of a PKCS#12 file or an\nencrypted key; likewise (pass: alone "
     "is an empty one)"},
    {ADD, 0, "add", "FILE", "also what FILE holds: the chain of a key; repeat for more"},
    {NAME, 0, "name", "TEXT", "of a PKCS#12 file: the friendly name of its key"},
    {OLD_READERS, 0, "old-readers", NULL,
     "PKCS#12 with 3DES and SHA-1, weak: for Windows Server 2016,\nmacOS 10.14, Java before "
     "8u301"},
    {NO_KEYS, 0, "no-keys", NULL, "leave private keys out"},
    {NO_MAC, 0, "no-mac", NULL, "read PKCS#12 files that nothing protects from changes"},
    {OUTPUT, 'o', "output", "FILE", "write a file; of a key, for its owner alone (default: print)"},
    {FORCE, 0, "force", NULL, "write over that file if there is one"},
    {HELP, 'h', "help", NULL, "print this text"},
};

static const struct cl_usage usage = {
    .command = "cert convert",
    .synopsis = "[OPTION]... FILE|-",
    .about =
        "Turns PEM, DER and PKCS#12 into each other: certificates and chains, certificate\n"
        "requests, revocation lists, OCSP responses and keys. What it is, is found out. A chain\n"
        "in DER is one certificate after another. Keys from a PKCS#12 file are encrypted again\n"
        "unless --decrypt says otherwise; others stay as they are.",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .examples = "  cleat cert convert -o server.der server.pem\n"
                "  cleat cert convert --to p12 --add server.pem -o server.p12 server-key.pem\n"
                "  cleat cert convert --decrypt -o server.pem server.p12\n"
                "  cleat cert convert --encrypt --to pem -o sealed-key.pem server-key.pem",
};

enum form { FORM_OTHER = 0, FORM_PEM, FORM_DER, FORM_P12 };

/* 100: files of one command line; more is a mistake in a script */
#define MAX_FILES 100

struct wish {
    const char *inputs[MAX_FILES]; /* the operand first, then each --add */
    size_t num_added;
    const char *output, *passin, *passout, *name;
    enum form to;
    bool encrypt, decrypt, old_readers, no_keys, no_mac, force;
};

/* One conversion under way. */
struct conversion {
    const struct wish *wish;
    enum form to;
    struct cert_items lists[MAX_FILES];
    size_t num_lists;
    struct cert_opening how;
    struct cl_passphrase word; /* the new one */
    struct cl_buf out;
    bool is_secret;
};

static int take_form(struct wish *w, const char *value)
{
    static const struct {
        const char *name;
        enum form form;
    } rows[] = {{"pem", FORM_PEM},
                {"der", FORM_DER},
                {"p12", FORM_P12},
                {"pkcs12", FORM_P12},
                {"pfx", FORM_P12}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(value, rows[i].name) == 0) {
            w->to = rows[i].form;
            return 0;
        }
    }
    return cl_options_complain(&usage, "--to takes pem, der or p12, not '%s'", value);
}

static int take_input(struct wish *w, int id, const char *path)
{
    if (id == CL_OPTIONS_OPERAND) {
        if (w->inputs[0] != NULL) {
            return cl_options_complain(&usage, "one file at a time; --add FILE puts more into it");
        }
        w->inputs[0] = path;
        return 0;
    }
    if (w->num_added + 1 == MAX_FILES) {
        return cl_options_complain(&usage, "more than %d files", MAX_FILES);
    }
    w->inputs[++w->num_added] = path;
    return 0;
}

static int take(void *ctx, int id, const struct cl_options *o)
{
    struct wish *w = ctx;
    bool *flags[] = {
        [ENCRYPT] = &w->encrypt, [DECRYPT] = &w->decrypt, [OLD_READERS] = &w->old_readers,
        [NO_KEYS] = &w->no_keys, [NO_MAC] = &w->no_mac,   [FORCE] = &w->force};
    switch (id) {
    case TO:
        return take_form(w, o->value);
    case ADD:
    case CL_OPTIONS_OPERAND:
        return take_input(w, id, o->value);
    case OUTPUT:
        w->output = o->value;
        return 0;
    case NAME:
        w->name = o->value;
        return 0;
    case PASSIN:
        return cert_pass_set(&w->passin, o);
    case PASSOUT:
        return cert_pass_set(&w->passout, o);
    case CL_OPTIONS_ERROR:
        return CL_EXIT_USAGE;
    default:
        *flags[id] = true;
        return 0;
    }
}

static int check(const struct wish *w)
{
    if (w->inputs[0] == NULL) {
        return cl_options_complain(&usage, "no file given");
    }
    if (w->encrypt && w->decrypt) {
        return cl_options_complain(&usage, "--encrypt and --decrypt exclude each other");
    }
    if (w->to != FORM_P12 && (w->name != NULL || w->old_readers)) {
        return cl_options_complain(&usage, "%s is for --to p12",
                                   w->name != NULL ? "--name" : "--old-readers");
    }
    return w->to == FORM_P12 && w->decrypt
               ? cl_options_complain(&usage, "a PKCS#12 file is encrypted: no --decrypt")
               : 0;
}

/* ---- PEM and DER ---- */

static cl_result check_der(const struct conversion *c, struct cleat_error *err)
{
    const struct cert_item *first = NULL;
    for (size_t l = 0; l < c->num_lists; l++) {
        for (size_t i = 0; i < c->lists[l].num; i++) {
            const struct cert_item *item = &c->lists[l].items[i];
            if (cl_kind_is_private(item->kind) && c->wish->no_keys) {
                continue;
            }
            first = first != NULL ? first : item;
            if (item->kind != first->kind) {
                return cl_error_set(
                    err,
                    (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG,
                                    .hint = "take them apart first: DER has no labels"},
                    "%s: it holds a %s and a %s, which cannot go into one DER file",
                    c->wish->inputs[l], cl_kind_name(first->kind), cl_kind_name(item->kind));
            }
        }
    }
    return CL_OK;
}

static cl_result check_terminal(const struct conversion *c, struct cleat_error *err)
{
    if (c->to == FORM_PEM || c->wish->output != NULL || isatty(STDOUT_FILENO) != 1) {
        return CL_OK;
    }
    return cl_error_set(
        err,
        (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG, .hint = "name a file with -o, or use a pipe"},
        "%s would mess up the terminal", c->to == FORM_DER ? "DER" : "PKCS#12");
}

static cl_result append(struct conversion *c, enum cl_kind kind, struct cl_rd der)
{
    /* 2: base64 and its lines take less than twice the room */
    return c->to == FORM_PEM ? cl_pem_encode(cl_kind_label(kind), der, &c->out)
                             : cl_buf_append(&c->out, der.p, der.len, 2 * CERT_ITEMS_MAX_FILE);
}

/* Does it change at all? A key out of a PKCS#12 file was encrypted there, and is not left bare. */
static bool wants_sealing(const struct conversion *c, const struct cert_items *list,
                          const struct cert_item *item)
{
    return !c->wish->decrypt && (c->wish->encrypt || c->wish->passout != NULL || list->is_pkcs12 ||
                                 (item->headers.len != 0 && c->to == FORM_DER));
}

static cl_result put_key(struct conversion *c, const struct cert_items *list,
                         const struct cert_item *item, const char *path, struct cleat_error *err)
{
    struct cleat_key *key = NULL;
    struct cl_buf plain = {0};
    struct cl_buf sealed = {0};
    const bool seal = wants_sealing(c, list, item);
    c->is_secret = true;
    if (!seal && (!c->wish->decrypt || !cert_item_is_sealed(item)) && item->headers.len == 0) {
        return append(c, item->kind, cl_buf_view(&item->der));
    }
    cl_result r = cert_item_key(item, path, &c->how, &key, err);
    if (r == CL_OK) {
        r = cl_key_to_pkcs8(key, &plain);
    }
    if (r == CL_OK && seal) {
        r = cert_seal_der(cl_buf_view(&plain), c->wish->output != NULL ? c->wish->output : path,
                          &c->word, &sealed, err);
    }
    if (r == CL_OK) {
        r = append(c, seal ? CL_KIND_PKCS8_SEALED : CL_KIND_PKCS8,
                   cl_buf_view(seal ? &sealed : &plain));
    }
    cl_buf_deinit(&sealed);
    cl_buf_deinit(&plain);
    cleat_key_free(key);
    return r;
}

static cl_result put_all(struct conversion *c, struct cleat_error *err)
{
    size_t num = 0;
    for (size_t l = 0; l < c->num_lists; l++) {
        for (size_t i = 0; i < c->lists[l].num; i++) {
            const struct cert_item *item = &c->lists[l].items[i];
            if (!cl_kind_is_private(item->kind)) {
                CL_TRY(append(c, item->kind, cl_buf_view(&item->der)));
            } else if (!c->wish->no_keys) {
                CL_TRY(put_key(c, &c->lists[l], item, c->wish->inputs[l], err));
            } else {
                continue;
            }
            num++;
        }
    }
    if (num == 0) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NO_CERTIFICATE},
                            "%s: nothing is left of it without its keys", c->wish->inputs[0]);
    }
    if (c->to == FORM_DER && num > 1) {
        (void)fprintf(stderr,
                      "cleat cert convert: note: %zu in one DER file; many programs read the "
                      "first alone\n",
                      num);
    }
    return CL_OK;
}

/* ---- PKCS#12 ---- */

/* What goes into the file: one key, the certificates in their order, the key's own in front. */
struct packing {
    struct cleat_key *key;
    const char *name;
    struct cl_rd certs[CL_PKCS12_MAX_BAGS];
    size_t num_certs;
};

static cl_result take_key(struct conversion *c, struct packing *p, const struct cert_item *item,
                          const char *path, struct cleat_error *err)
{
    if (c->wish->no_keys) {
        return CL_OK;
    }
    if (p->key != NULL) {
        return cl_error_set(
            err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG, .hint = "make a file for each"},
            "%s: a second private key: a PKCS#12 file is written with one", path);
    }
    p->name = item->name;
    return cert_item_key(item, path, &c->how, &p->key, err);
}

static cl_result collect(struct conversion *c, struct packing *p, struct cleat_error *err)
{
    for (size_t l = 0; l < c->num_lists; l++) {
        for (size_t i = 0; i < c->lists[l].num; i++) {
            const struct cert_item *item = &c->lists[l].items[i];
            const char *path = c->wish->inputs[l];
            if (cl_kind_is_private(item->kind)) {
                CL_TRY(take_key(c, p, item, path, err));
            } else if (item->kind != CL_KIND_CERT) {
                return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG},
                                    "%s: a %s does not go into a PKCS#12 file", path,
                                    cl_kind_name(item->kind));
            } else if (p->num_certs == CL_PKCS12_MAX_BAGS) {
                return CLEAT_ERR_LIMIT;
            } else {
                p->certs[p->num_certs++] = cl_buf_view(&item->der);
            }
        }
    }
    return CL_OK;
}

/* The key's own certificate first, wherever it was. */
static cl_result put_own_first(struct packing *p, struct cleat_error *err)
{
    for (size_t i = 0; i < p->num_certs && p->key != NULL; i++) {
        struct cleat_cert *cert = NULL;
        struct cleat_error inner = {0};
        const cl_result r =
            (cl_result)cleat_cert_from_der(p->certs[i].p, p->certs[i].len, &cert, &inner);
        if (r != CL_OK) {
            return cl_error_set(err, (struct cl_why){.code = r}, "certificate %zu: %s", i + 1,
                                inner.text);
        }
        size_t len;
        const uint8_t *spki = cleat_cert_spki(cert, &len);
        const bool own = cl_rd_equal(cl_rd_of(spki, len), cl_key_spki(p->key));
        cleat_cert_free(cert);
        if (own) {
            const struct cl_rd found = p->certs[i];
            memmove(&p->certs[1], &p->certs[0], i * sizeof(found));
            p->certs[0] = found;
            return CL_OK;
        }
    }
    return p->key == NULL || p->num_certs == 0
               ? CL_OK
               : cl_error_set(err,
                              (struct cl_why){.code = CLEAT_ERR_KEY_MISMATCH,
                                              .hint = "cleat cert match tells which belong "
                                                      "together"},
                              "none of the %zu certificates belongs to the private key",
                              p->num_certs);
}

static cl_result pack(struct conversion *c, struct packing *p, struct cleat_error *err)
{
    const char *output = c->wish->output != NULL ? c->wish->output : "the PKCS#12 file";
    struct cl_pkcs12_content content = {.name = c->wish->name, .old_readers = c->wish->old_readers};
    CL_TRY(collect(c, p, err));
    CL_TRY(put_own_first(p, err));
    content.key = p->key;
    content.certs = p->certs;
    content.num_certs = p->num_certs;
    content.name = content.name != NULL ? content.name : p->name;
    CL_TRY(cl_passphrase_get(&c->word, output, &content.passphrase, err));
    if (p->key == NULL) {
        (void)fprintf(stderr, "cleat cert convert: note: without a private key\n");
    } else if (p->num_certs == 0) {
        (void)fprintf(stderr, "cleat cert convert: note: without a certificate; --add FILE adds "
                              "one\n");
    }
    c->is_secret = p->key != NULL;
    return cl_pkcs12_build(&c->out, &content, err);
}

static cl_result pack_all(struct conversion *c, struct cleat_error *err)
{
    struct packing *p = cl_calloc(1, sizeof(*p));
    if (p == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    const cl_result r = pack(c, p, err);
    cleat_key_free(p->key);
    cl_free(p);
    return r;
}

/* ---- the command ---- */

static cl_result read_all(struct conversion *c, struct cleat_error *err)
{
    const struct wish *w = c->wish;
    for (size_t i = 0; i < w->num_added + 1; i++) {
        c->num_lists++;
        CL_TRY(cert_items_load(&c->lists[i], w->inputs[i], &c->how, err));
    }
    c->to = w->to != FORM_OTHER ? w->to : c->lists[0].is_pem ? FORM_DER : FORM_PEM;
    return CL_OK;
}

static cl_result convert(struct conversion *c, struct cleat_error *err)
{
    const struct wish *w = c->wish;
    CL_TRY(read_all(c, err));
    CL_TRY(check_terminal(c, err));
    if (c->to == FORM_P12) {
        CL_TRY(pack_all(c, err));
    } else {
        CL_TRY(c->to == FORM_DER ? check_der(c, err) : CL_OK);
        CL_TRY(put_all(c, err));
    }
    return cert_output(w->output, cl_buf_view(&c->out), c->is_secret ? 0600 : 0644, w->force, err);
}

static int run(const struct wish *w)
{
    struct cleat_error err = {0};
    struct conversion *c = cl_calloc(1, sizeof(*c));
    if (c == NULL) {
        return cert_tool_finish(usage.command, CLEAT_ERR_NOMEM, "the conversion", &err);
    }
    c->wish = w;
    c->word = cert_new_passphrase(w->passout);
    cert_opening_init(&c->how, w->passin);
    c->how.without_mac = w->no_mac;
    const cl_result r = convert(c, &err);
    for (size_t i = 0; i < c->num_lists; i++) {
        cert_items_deinit(&c->lists[i]);
    }
    cl_buf_deinit(&c->out);
    cl_passphrase_deinit(&c->word);
    cl_passphrase_deinit(&c->how.passphrase);
    cl_free(c);
    return cert_tool_finish(usage.command, r, "the conversion", &err);
}

int cert_convert_run(int argc, char **argv)
{
    struct wish w = {0};
    int code;
    if (!cl_options_each(&usage, argc, argv, HELP, take, &w, &code)) {
        return code;
    }
    code = check(&w);
    return code != 0 ? code : run(&w);
}
