/* serve/credentials.c - see credentials.h. Key files are wiped from memory once they are read. */
#include "serve/credentials.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cleat/tls_options.h"
#include "cleat/tls_rawkey.h"
#include "conn/credential.h"
#include "net/clock.h"
#include "net/small_file.h"
#include "serve/own_chain.h"

/* 14 days: a certificate that ends sooner is warned about */
#define WARN_DAYS 14
/* "the certificate " and a path */
#define MAX_WHAT  (PATH_MAX + 32)
/* 5: names printed of a certificate that has more */
#define MAX_NAMES 5

static cl_result read_file(const char *what, const char *path, bool secret, struct cl_buf *out,
                           struct cleat_error *err)
{
    const struct cl_small_file file = {what, path, CL_CREDENTIALS_MAX_FILE, secret};
    cl_result result = cl_small_file_read(&file, out, err);
    if (result != CL_OK) {
        cl_buf_deinit(out);
    }
    return result;
}

/* The library's error, with the file's name in front. */
static cl_result name_file(struct cleat_error *err, int code, const char *what, const char *path,
                           const struct cleat_error *inner)
{
    return cl_error_set(err, (struct cl_why){.code = (cl_result)code, .hint = inner->hint},
                        "%s %s: %s", what, path,
                        inner->text[0] != '\0' ? inner->text : cleat_error_sentence(code));
}

/* PEM of a file that may be PKCS#12, and then is opened. */
static cl_result read_ours(const char *what, const char *path, bool secret,
                           struct cl_passphrase *word, struct cl_buf *out, struct cleat_error *err)
{
    char name[MAX_WHAT];
    (void)snprintf(name, sizeof(name), "%s %s", what, path);
    CL_TRY(read_file(what, path, secret, out, err));
    const cl_result r = cl_credential_unpack(out, name, word, err);
    if (r != CL_OK) {
        cl_buf_deinit(out);
    }
    return r;
}

static cl_result read_chain(const char *path, struct cl_rd pem, struct cleat_chain **out,
                            struct cleat_error *err)
{
    struct cleat_error inner = {0};
    int code = cleat_chain_from_pem((const char *)pem.p, pem.len, out, &inner);
    return code == CLEAT_OK ? CL_OK : name_file(err, code, "the certificate", path, &inner);
}

static cl_result read_key(const char *path, struct cl_rd pem, struct cl_passphrase *word,
                          struct cleat_key **out, struct cleat_error *err)
{
    char name[MAX_WHAT];
    (void)snprintf(name, sizeof(name), "the key %s", path);
    return cl_credential_key(pem, name, word, out, err);
}

/* A file that both are in is opened once: that takes a while. */
static cl_result read_pair(const struct cl_serve_pair *pair, struct cl_passphrase *word,
                           struct cleat_chain **chain, struct cleat_key **key,
                           struct cleat_error *err)
{
    const bool one = strcmp(pair->cert, pair->key) == 0;
    struct cl_buf cert_pem = {0}, other = {0};
    cl_result r = read_ours("the certificate", pair->cert, one, word, &cert_pem, err);
    if (r == CL_OK) {
        r = read_chain(pair->cert, cl_buf_view(&cert_pem), chain, err);
    }
    if (r == CL_OK && !one) {
        r = read_ours("the key", pair->key, true, word, &other, err);
    }
    if (r == CL_OK) {
        r = read_key(pair->key, cl_buf_view(one ? &cert_pem : &other), word, key, err);
    }
    cl_buf_deinit(&cert_pem);
    cl_buf_deinit(&other);
    return r;
}

static void print_names(const struct cleat_cert *leaf)
{
    char name[256];
    enum cleat_san_kind kind;
    size_t num = cleat_cert_num_sans(leaf);
    if (num == 0) {
        cleat_cert_subject(leaf, name, sizeof(name));
        fprintf(stderr, "%s", name);
        return;
    }
    for (size_t i = 0; i < num && i < MAX_NAMES; i++) {
        if (cleat_cert_san(leaf, i, &kind, name, sizeof(name))) {
            fprintf(stderr, "%s%s", i > 0 ? ", " : "", name);
        }
    }
    if (num > MAX_NAMES) {
        fprintf(stderr, " and %zu more", num - MAX_NAMES);
    }
}

static void describe(const struct cleat_chain *chain, const char *path, enum cl_credentials_say say)
{
    const struct cleat_cert *leaf = cleat_chain_at(chain, 0);
    int64_t now = (int64_t)(cl_clock_unix_ms() / 1000);
    int64_t days = (cleat_cert_not_after(leaf) - now) / 86400;
    bool over = now > cleat_cert_not_after(leaf) || now < cleat_cert_not_before(leaf);
    bool warn = days < WARN_DAYS;
    if (over || (say != CL_CREDENTIALS_SAY_ALL &&
                 !warn)) { /* own_chain.c tells what is over, or has not begun */
        return;
    }
    char kind[64];
    cleat_cert_key_kind(leaf, kind, sizeof(kind));
    fprintf(stderr, "cleat: %scertificate %s for ", warn ? "warning: " : "", path);
    print_names(leaf);
    fprintf(stderr, " (%s), %" PRId64 " days left\n", kind, days);
}

typedef int (*proof_setter)(struct cleat_tls_builder *b, const uint8_t *p, size_t len);

/* A file whose bytes are sent with the certificate added last; path NULL: none. They are the
 * caller's to free. */
static cl_result add_proof(struct cleat_tls_builder *b, const char *what, const char *path,
                           proof_setter set, struct cl_buf *bytes, struct cleat_error *err)
{
    if (path == NULL) {
        return CL_OK;
    }
    cl_result result = read_file(what, path, false, bytes, err);
    if (result == CL_OK) {
        result = (cl_result)set(b, bytes->p, bytes->len);
        if (result != CL_OK) {
            result = name_file(err, (int)result, what, path, cleat_tls_builder_error(b));
        }
    }
    return result;
}

static void explain_mismatch(const struct cl_serve_pair *pair, const struct cleat_chain *chain,
                             const struct cleat_key *key, struct cleat_error *err)
{
    char kind[64];
    size_t owner = cl_own_chain_owner(chain, key);
    if (owner != 0) {
        cl_error_set(err,
                     (struct cl_why){.code = CLEAT_ERR_KEY_MISMATCH,
                                     .section = "RFC 9846 4.5.1",
                                     .hint = "reorder the file: the server's own certificate comes "
                                             "first, then its issuer's, and so on"},
                     "the key %s belongs to certificate %zu of %s, not to the first: the chain is "
                     "in the wrong order",
                     pair->key, owner, pair->cert);
        return;
    }
    cleat_cert_key_kind(cleat_chain_at(chain, 0), kind, sizeof(kind));
    cl_error_set(err,
                 (struct cl_why){.code = CLEAT_ERR_KEY_MISMATCH,
                                 .hint = "each --cert needs its own --key right after it; the "
                                         "certificate file begins with the server's own "
                                         "certificate, intermediates follow"},
                 "the key %s (%s) does not belong to the certificate %s (%s)", pair->key,
                 cleat_key_kind(key), pair->cert, kind);
}

cl_result cl_credentials_add(struct cleat_tls_builder *b, const struct cl_serve_pair *pair,
                             struct cl_passphrase *word, const struct cleat_trust_store *roots,
                             enum cl_credentials_say say, struct cleat_error *err)
{
    struct cleat_chain *chain = NULL;
    struct cleat_key *key = NULL;
    struct cl_buf staple = {0}, scts = {0};
    cl_result result = read_pair(pair, word, &chain, &key, err);
    if (result != CL_OK) {
        goto out;
    }
    result = (cl_result)cleat_tls_builder_credential(b, chain, key);
    if (result == CLEAT_ERR_KEY_MISMATCH) {
        explain_mismatch(pair, chain, key, err);
    } else if (result != CL_OK) {
        name_file(err, result, "the certificate", pair->cert, cleat_tls_builder_error(b));
    } else {
        if (say != CL_CREDENTIALS_SAY_NOTHING) {
            describe(chain, pair->cert, say);
            cl_own_chain_warn(pair->cert, chain, roots);
        }
        result =
            add_proof(b, "the OCSP response", pair->staple, cleat_tls_builder_staple, &staple, err);
    }
    if (result == CL_OK && pair->staple != NULL && say != CL_CREDENTIALS_SAY_NOTHING) {
        cl_own_chain_warn_staple(pair->staple, cl_buf_view(&staple), chain, roots);
    }
    if (result == CL_OK) {
        result = add_proof(b, "the list of SCTs", pair->scts, cleat_tls_builder_scts, &scts, err);
    }
out:
    cleat_chain_free(chain);
    cleat_key_free(key);
    cl_buf_deinit(&staple);
    cl_buf_deinit(&scts);
    return result;
}

cl_result cl_credentials_add_raw(struct cleat_tls_builder *b, const char *path,
                                 struct cl_passphrase *word, enum cl_credentials_say say,
                                 struct cleat_error *err)
{
    struct cleat_key *key = NULL;
    char pin[CLEAT_RAW_PIN_LEN + 1];
    struct cl_buf pem = {0};
    cl_result result = read_ours("the key", path, true, word, &pem, err);
    if (result == CL_OK) {
        result = read_key(path, cl_buf_view(&pem), word, &key, err);
    }
    cl_buf_deinit(&pem);
    CL_TRY(result);
    result = (cl_result)cleat_tls_builder_raw_key(b, key);
    if (result != CL_OK) {
        name_file(err, (int)result, "the raw public key", path, cleat_tls_builder_error(b));
    } else if (say == CL_CREDENTIALS_SAY_ALL) {
        cleat_key_pin(key, pin);
        fprintf(stderr, "cleat: raw public key of %s (%s), %s\n", path, cleat_key_kind(key), pin);
    }
    cleat_key_free(key);
    return result;
}

cl_result cl_credentials_trust(const char *path, struct cleat_trust_store **out,
                               struct cleat_error *err)
{
    struct cl_buf pem = {0};
    struct cleat_error inner = {0};
    CL_TRY(read_file("the client CA", path, false, &pem, err));
    int code = cleat_trust_store_from_pem((const char *)pem.p, pem.len, out, &inner);
    cl_buf_deinit(&pem);
    return code == CLEAT_OK ? CL_OK : name_file(err, code, "the client CA", path, &inner);
}
