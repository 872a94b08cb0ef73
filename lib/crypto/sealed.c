/* crypto/sealed.c - see sealed.h. */
#include "crypto/sealed.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "base/mem.h"
#include "crypto/key_impl.h"
#include "crypto/ossl.h"
#include "crypto/pbe_impl.h"

/* 16: RFC 8018 4.1 wants eight or more, NIST SP 800-132 sixteen */
#define SALT_LEN        16
/* 512: "Proc-Type: 4,ENCRYPTED" and "DEK-Info: AES-256-CBC,…" have 90 */
#define MAX_HEADERS_LEN 512

static cl_result bad_key(struct cleat_error *err, const char *what)
{
    const cl_result code = cl_ossl_failed(CLEAT_ERR_BAD_KEY);
    return cl_error_set(err, (struct cl_why){.code = code, .section = "RFC 5958"}, "%s", what);
}

static cl_result wrong_passphrase(struct cleat_error *err)
{
    const cl_result code = cl_ossl_failed(CLEAT_ERR_BAD_PASSPHRASE);
    return cl_error_set(err, (struct cl_why){.code = code},
                        "the passphrase is wrong, or the encrypted key is damaged");
}

static X509_SIG *parse(struct cl_rd der)
{
    const uint8_t *p = der.p;
    X509_SIG *sealed = der.len <= CL_SEALED_MAX_LEN ? d2i_X509_SIG(NULL, &p, (long)der.len) : NULL;
    if (sealed != NULL && p != der.p + der.len) {
        X509_SIG_free(sealed);
        sealed = NULL;
    }
    return sealed;
}

cl_result cl_sealed_describe(char out[CL_SEALED_TEXT], struct cl_rd der)
{
    const X509_ALGOR *algorithm = NULL;
    struct cl_pbe pbe;
    X509_SIG *sealed = parse(der);
    if (sealed == NULL) {
        return cl_ossl_failed(CLEAT_ERR_BAD_KEY);
    }
    X509_SIG_get0(sealed, &algorithm, NULL);
    cl_pbe_describe(&pbe, algorithm);
    memcpy(out, pbe.text, CL_SEALED_TEXT);
    X509_SIG_free(sealed);
    return CL_OK;
}

static cl_result open_sealed(struct cl_buf *out, const X509_SIG *sealed, struct cl_rd passphrase,
                             struct cleat_error *err)
{
    const X509_ALGOR *algorithm = NULL;
    uint64_t work_left = CL_SEALED_MAX_ITERATIONS;
    struct cl_pbe_word word;
    X509_SIG_get0(sealed, &algorithm, NULL);
    CL_TRY(cl_pbe_accept(algorithm, &work_left, "the private key", err));
    cl_result r = cl_pbe_word_init(&word, passphrase, err);
    if (r == CL_OK) {
        PKCS8_PRIV_KEY_INFO *info = PKCS8_decrypt(sealed, word.text, word.len);
        r = info != NULL ? cl_pkcs8_append(out, info) : wrong_passphrase(err);
    }
    cl_wipe(&word, sizeof(word));
    return r;
}

cl_result cl_sealed_open(struct cl_buf *out, struct cl_rd der, struct cl_rd passphrase,
                         struct cleat_error *err)
{
    X509_SIG *sealed = parse(der);
    if (sealed == NULL) {
        return bad_key(err, "the block is not an encrypted private key in PKCS#8 form");
    }
    const cl_result r = open_sealed(out, sealed, passphrase, err);
    X509_SIG_free(sealed);
    return r;
}

/* ---- the old way of PEM ---- */

static int give_word(char *buf, int size, int writing, void *ctx)
{
    const struct cl_pbe_word *word = ctx;
    (void)writing;
    if (word->len > size) {
        return -1;
    }
    memcpy(buf, word->text, (size_t)word->len);
    return word->len;
}

static cl_result open_pem(struct cl_buf *out, char *headers, struct cl_rd body,
                          struct cl_pbe_word *word, struct cleat_error *err)
{
    EVP_CIPHER_INFO cipher;
    if (PEM_get_EVP_CIPHER_INFO(headers, &cipher) != 1 || cipher.cipher == NULL) {
        const cl_result code = cl_ossl_failed(CLEAT_ERR_UNSUPPORTED);
        return cl_error_set(err,
                            (struct cl_why){.code = code,
                                            .hint = "make it PKCS#8: openssl pkcs8 -topk8 -in "
                                                    "key.pem"},
                            "the private key is encrypted in a way that is not known");
    }
    EVP_CIPHER *there = EVP_CIPHER_fetch(NULL, EVP_CIPHER_get0_name(cipher.cipher), NULL);
    EVP_CIPHER_free(there);
    if (there == NULL) {
        const cl_result code = cl_ossl_failed(CLEAT_ERR_UNSUPPORTED);
        return cl_error_set(
            err,
            (struct cl_why){.code = code,
                            .hint = "convert it: openssl pkcs8 -topk8 -provider legacy -provider "
                                    "default -in OLD -out NEW"},
            "the private key is encrypted with %s, which OpenSSL 3 has in its legacy provider "
            "alone",
            EVP_CIPHER_get0_name(cipher.cipher));
    }
    const size_t start = out->len;
    long len = (long)body.len;
    CL_TRY(cl_buf_append(out, body.p, body.len, SIZE_MAX));
    if (PEM_do_header(&cipher, out->p + start, &len, give_word, word) != 1) {
        cl_wipe(out->p + start, body.len);
        out->len = start;
        return wrong_passphrase(err);
    }
    out->len = start + (size_t)len;
    return CL_OK;
}

cl_result cl_sealed_open_pem(struct cl_buf *out, struct cl_rd headers, struct cl_rd body,
                             struct cl_rd passphrase, struct cleat_error *err)
{
    char text[MAX_HEADERS_LEN + 2];
    struct cl_pbe_word word;
    while (headers.len != 0 && (headers.p[0] == '\r' || headers.p[0] == '\n')) {
        headers = cl_rd_of(headers.p + 1, headers.len - 1);
    }
    if (headers.len > MAX_HEADERS_LEN || body.len == 0 || body.len > CL_SEALED_MAX_LEN) {
        return bad_key(err, "the headers of the PEM block are not those of an encrypted key");
    }
    memcpy(text, headers.p, headers.len);
    memcpy(text + headers.len, "\n", 2);
    cl_result r = cl_pbe_word_init(&word, passphrase, err);
    if (r == CL_OK) {
        r = open_pem(out, text, body, &word, err);
    }
    cl_wipe(&word, sizeof(word));
    return r;
}

/* ---- write ---- */

static cl_result append_sealed(struct cl_buf *out, X509_SIG *sealed)
{
    uint8_t *der = NULL;
    const int len = sealed != NULL ? i2d_X509_SIG(sealed, &der) : -1;
    X509_SIG_free(sealed);
    if (len <= 0) {
        return cl_ossl_failed(CLEAT_ERR_CRYPTO);
    }
    const cl_result r = cl_buf_append(out, der, (size_t)len, SIZE_MAX);
    OPENSSL_free(der);
    return r;
}

cl_result cl_sealed_make(struct cl_buf *out, struct cl_rd pkcs8, struct cl_rd passphrase,
                         struct cleat_error *err)
{
    struct cl_pbe_word word;
    const uint8_t *p = pkcs8.p;
    if (passphrase.len == 0) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_PASSPHRASE},
                            "an empty passphrase protects no key");
    }
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)pkcs8.len);
    if (info == NULL || p != pkcs8.p + pkcs8.len) {
        PKCS8_PRIV_KEY_INFO_free(info);
        return bad_key(err, "what is to be encrypted is not a private key in PKCS#8 form");
    }
    cl_result r = cl_pbe_word_init(&word, passphrase, err);
    if (r == CL_OK) {
        r = append_sealed(out, PKCS8_encrypt(-1, EVP_aes_256_cbc(), word.text, word.len, NULL,
                                             SALT_LEN, CL_SEALED_ITERATIONS, info));
    }
    cl_wipe(&word, sizeof(word));
    PKCS8_PRIV_KEY_INFO_free(info);
    return r;
}
