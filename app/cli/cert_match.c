/* cli/cert_match.c - `cleat cert match`: do a key, certificates and requests belong together? */
#include <stdio.h>

#include "base/text.h"
#include "cli/cert.h"
#include "cli/cert_items.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "crypto/hash.h"
#include "x509/cert.h"
#include "x509/csr.h"

enum { PASSIN = 1, HELP };

/* As cmp(1) and diff(1): trouble is no answer. */
#define EXIT_DIFFERENT 1
#define EXIT_TROUBLE   2

/* 100: files of one command line; more is a mistake in a script */
#define MAX_FILES 100

static const struct cl_option options[] = {
    CERT_PASSIN_ROW(PASSIN),
    {HELP, 'h', "help", NULL, "print this text"},
};

static const struct cl_usage usage = {
    .command = "cert match",
    .synopsis = "[--passin SOURCE] KEY CERT|CSR...",
    .about =
        "Tells whether files have the same public key: a private key, certificates (the first of\n"
        "a chain), certificate requests and public keys, in PEM, DER or PKCS#12. Exits with 0\n"
        "if all have, 1 if one differs, 2 if a file cannot be used.",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .examples = "  cleat cert match server-key.pem server.pem\n"
                "  cleat cert match server-key.pem server.csr server.pem && systemctl reload web",
};

/* What one file shows of itself. */
struct side {
    const char *path;
    const char *kind; /* "private key" */
    struct cl_buf spki;
    struct cert_opening *how;
};

static cl_result copy_spki(struct side *side, struct cl_rd spki)
{
    return cl_buf_append(&side->spki, spki.p, spki.len, CERT_ITEMS_MAX_FILE);
}

static cl_result spki_of_request(struct side *side, struct cl_rd der, struct cleat_error *err)
{
    struct cl_csr *csr = NULL;
    CL_TRY(cl_csr_parse(&csr, der, err));
    cl_result r = copy_spki(side, csr->wanted.spki);
    cl_csr_free(csr);
    return r;
}

static cl_result spki_of_certificate(struct side *side, struct cl_rd der, struct cleat_error *err)
{
    struct cleat_cert *cert = NULL;
    CL_TRY(cl_cert_parse(&cert, der, err));
    cl_result r = copy_spki(side, cl_cert_spki(cert));
    cleat_cert_free(cert);
    return r;
}

static cl_result spki_of(struct side *side, const struct cert_item *item, struct cleat_error *err)
{
    struct cleat_error inner = {0};
    struct cl_rd der = cl_buf_view(&item->der);
    struct cleat_key *key = NULL;
    cl_result r;
    side->kind = cl_kind_name(item->kind);
    if (cl_kind_is_private(item->kind)) {
        CL_TRY(cert_item_key(item, side->path, side->how, &key, err));
        r = copy_spki(side, cl_key_spki(key));
        cleat_key_free(key);
    } else if (item->kind == CL_KIND_CSR) {
        r = spki_of_request(side, der, &inner);
    } else if (item->kind == CL_KIND_CERT) {
        r = spki_of_certificate(side, der, &inner);
    } else {
        r = copy_spki(side, der);
    }
    return r == CL_OK
               ? CL_OK
               : cl_error_set(err, (struct cl_why){.code = r}, "%s: %s", side->path,
                              inner.text[0] != '\0' ? inner.text : cleat_error_sentence((int)r));
}

/* Of a file with several things (a key and its chain, as some proxies want them) the first is asked
 * for its private key, others for what they publish. */
static const struct cert_item *choose(const struct cert_items *list, bool key_first)
{
    static const enum cl_kind public_kinds[] = {CL_KIND_CERT, CL_KIND_CSR, CL_KIND_PUBLIC};
    const struct cert_item *found = key_first ? cert_items_private(list) : NULL;
    for (size_t i = 0; found == NULL && i < sizeof(public_kinds) / sizeof(public_kinds[0]); i++) {
        found = cert_items_first(list, public_kinds[i]);
    }
    return found != NULL ? found : cert_items_private(list);
}

static cl_result look(struct side *side, bool key_first, struct cleat_error *err)
{
    struct cert_items list = {0};
    cl_result r = cert_items_load(&list, side->path, side->how, err);
    if (r == CL_OK) {
        const struct cert_item *item = choose(&list, key_first);
        r = item != NULL ? spki_of(side, item, err)
                         : cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_KEY},
                                        "%s: there is no public key in it", side->path);
    }
    cert_items_deinit(&list);
    return r;
}

static void print_side(const struct side *side)
{
    uint8_t digest[32];
    char pin[CL_BASE64_LEN(sizeof(digest)) + 1];
    cl_hash_once(CL_HASH_SHA256, side->spki.p, side->spki.len, digest);
    cl_base64_encode(digest, sizeof(digest), pin);
    (void)printf("  %-20s %-12s sha256//%s  %s\n", side->kind,
                 cl_key_type_name(cl_spki_type(cl_buf_view(&side->spki))), pin, side->path);
}

static int compare(const char *const *paths, size_t num, struct cert_opening *how)
{
    struct side sides[MAX_FILES] = {{0}};
    struct cleat_error err = {0};
    size_t num_different = 0;
    cl_result r = CL_OK;
    for (size_t i = 0; i < num && r == CL_OK; i++) {
        sides[i].path = paths[i];
        sides[i].how = how;
        r = look(&sides[i], i == 0, &err);
    }
    if (r == CL_OK) {
        for (size_t i = 1; i < num; i++) {
            num_different += !cl_rd_equal(cl_buf_view(&sides[0].spki), cl_buf_view(&sides[i].spki));
        }
        (void)printf(num_different == 0 ? "They belong together: the same public key.\n"
                                        : "They do NOT belong together.\n");
        for (size_t i = 0; i < num; i++) {
            print_side(&sides[i]);
        }
    } else {
        (void)cert_tool_complain(usage.command, &err);
    }
    for (size_t i = 0; i < num; i++) {
        cl_buf_deinit(&sides[i].spki);
    }
    return r != CL_OK ? EXIT_TROUBLE : num_different != 0 ? EXIT_DIFFERENT : CL_EXIT_OK;
}

int cert_match_run(int argc, char **argv)
{
    const char *paths[MAX_FILES];
    size_t num = 0;
    struct cl_options o;
    struct cert_opening how;
    const char *passin = NULL;
    int id;
    cl_options_init(&o, &usage, argc, argv);
    while ((id = cl_options_next(&o)) != CL_OPTIONS_END) {
        if (id == HELP) {
            cl_options_help(&usage, stdout);
            return CL_EXIT_OK;
        }
        if (id == PASSIN) {
            if (cert_pass_set(&passin, &o) != 0) {
                return CL_EXIT_USAGE;
            }
            continue;
        }
        if (id != CL_OPTIONS_OPERAND) {
            return CL_EXIT_USAGE;
        }
        if (num == MAX_FILES) {
            return cl_options_complain(&usage, "more than %d files", MAX_FILES);
        }
        paths[num++] = o.value;
    }
    if (num < 2) {
        return cl_options_complain(&usage, "two files or more are needed");
    }
    cert_opening_init(&how, passin);
    const int code = compare(paths, num, &how);
    cl_passphrase_deinit(&how.passphrase);
    return code;
}
