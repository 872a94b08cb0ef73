/* crypto/pkcs12_write.c - PKCS#12 files, written: see pkcs12.h. As OpenSSL 3 lays them out: a safe
 * of certificates, encrypted, and one with the key, whose bag is encrypted. */
#include <openssl/err.h>
#include <openssl/pkcs12.h>

#include "base/mem.h"
#include "crypto/key_impl.h"
#include "crypto/ossl.h"
#include "crypto/pbe_impl.h"
#include "crypto/pkcs12.h"

/* 2,048: what readers of that age write themselves; some refuse more than 5,000 */
#define OLD_ITERATIONS 2048

static X509 *parse_cert(struct cl_rd der)
{
    const uint8_t *p = der.p;
    X509 *cert = d2i_X509(NULL, &p, (long)der.len);
    if (cert != NULL && p != der.p + der.len) {
        X509_free(cert);
        cert = NULL;
    }
    return cert;
}

/* The certificates behind the first, which is the key's. */
static cl_result parse_certs(X509 **first, STACK_OF(X509) * others,
                             const struct cl_pkcs12_content *content, struct cleat_error *err)
{
    for (size_t i = 0; i < content->num_certs; i++) {
        X509 *cert = parse_cert(content->certs[i]);
        if (cert == NULL) {
            const cl_result code = cl_ossl_failed(CLEAT_ERR_BAD_CERTIFICATE);
            return cl_error_set(err, (struct cl_why){.code = code},
                                "certificate %zu of %zu cannot be put into a PKCS#12 file: it is "
                                "malformed",
                                i + 1, content->num_certs);
        }
        if (i == 0) {
            *first = cert;
        } else if (sk_X509_push(others, cert) <= 0) {
            X509_free(cert);
            return cl_ossl_failed(CLEAT_ERR_NOMEM);
        }
    }
    if (content->key != NULL && *first != NULL &&
        X509_check_private_key(*first, content->key->pkey) != 1) {
        const cl_result code = cl_ossl_failed(CLEAT_ERR_KEY_MISMATCH);
        return cl_error_set(
            err, (struct cl_why){.code = code, .hint = "the key's own certificate comes first"},
            "the private key does not belong to the first certificate");
    }
    return CL_OK;
}

static PKCS12 *make(const struct cl_pkcs12_content *content, X509 *first, STACK_OF(X509) * others,
                    const struct cl_pbe_word *word)
{
    EVP_PKEY *key = content->key != NULL ? content->key->pkey : NULL;
    if (!content->old_readers) {
        return PKCS12_create(word->text, content->name, key, first, others, NID_aes_256_cbc,
                             NID_aes_256_cbc, CL_PKCS12_ITERATIONS, CL_PKCS12_ITERATIONS, 0);
    }
    const int pbe = NID_pbe_WithSHA1And3_Key_TripleDES_CBC;
    /* -1: the MAC is put on behind, with SHA-1 */
    PKCS12 *p12 = PKCS12_create(word->text, content->name, key, first, others, pbe, pbe,
                                OLD_ITERATIONS, -1, 0);
    if (p12 != NULL &&
        PKCS12_set_mac(p12, word->text, word->len, NULL, 0, OLD_ITERATIONS, EVP_sha1()) != 1) {
        PKCS12_free(p12);
        p12 = NULL;
    }
    return p12;
}

/* append takes p12 over. */
static cl_result append(struct cl_buf *out, PKCS12 *p12)
{
    uint8_t *der = NULL;
    const int len = p12 != NULL ? i2d_PKCS12(p12, &der) : -1;
    PKCS12_free(p12);
    if (len <= 0) {
        return cl_ossl_failed(CLEAT_ERR_CRYPTO);
    }
    const cl_result r = cl_buf_append(out, der, (size_t)len, SIZE_MAX);
    OPENSSL_free(der);
    return r;
}

/* friendlyName is a BMPString (RFC 2985 5.5.1): UTF-8 of characters below U+10000. */
static bool fits_bmp(const char *name)
{
    const unsigned char *p = (const unsigned char *)name;
    int left = (int)strlen(name);
    while (left > 0) {
        unsigned long c;
        const int len = UTF8_getc(p, left, &c);
        if (len <= 0 || c > 0xffff) {
            return false;
        }
        p += len;
        left -= len;
    }
    return true;
}

static cl_result check_name(const char *name, struct cleat_error *err)
{
    if (strlen(name) > CL_PKCS12_NAME_MAX) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG},
                            "a friendly name of %zu bytes is too long: at most %d", strlen(name),
                            CL_PKCS12_NAME_MAX);
    }
    return fits_bmp(name)
               ? CL_OK
               : cl_error_set(err,
                              (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG,
                                              .section = "RFC 2985 5.5.1",
                                              .hint = "UTF-8 of characters below U+10000: no "
                                                      "emoji"},
                              "the friendly name has a character that PKCS#12 cannot write");
}

static cl_result check_content(const struct cl_pkcs12_content *content, struct cleat_error *err)
{
    if (content->key == NULL && content->num_certs == 0) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG},
                            "a PKCS#12 file needs a certificate or a private key");
    }
    if (content->num_certs > CL_PKCS12_MAX_BAGS - 1) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG},
                            "%zu certificates are too many for a PKCS#12 file: at most %d",
                            content->num_certs, CL_PKCS12_MAX_BAGS - 1);
    }
    if (content->name != NULL) {
        CL_TRY(check_name(content->name, err));
    }
    return content->key != NULL && content->key->external
               ? cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_UNSUPPORTED},
                              "the private key is elsewhere, and cannot be written")
               : CL_OK;
}

cl_result cl_pkcs12_build(struct cl_buf *out, const struct cl_pkcs12_content *content,
                          struct cleat_error *err)
{
    struct cl_pbe_word word = {0};
    X509 *first = NULL;
    STACK_OF(X509) *others = sk_X509_new_null();
    cl_result r = others != NULL ? check_content(content, err) : cl_ossl_failed(CLEAT_ERR_NOMEM);
    if (r == CL_OK) {
        r = parse_certs(&first, others, content, err);
    }
    if (r == CL_OK) {
        r = cl_pbe_word_init(&word, content->passphrase, err);
    }
    if (r == CL_OK) {
        r = append(out, make(content, first, others, &word));
    }
    cl_wipe(&word, sizeof(word));
    sk_X509_pop_free(others, X509_free);
    X509_free(first);
    return r == CL_OK
               ? CL_OK
               : cl_error_set(err, (struct cl_why){.code = r},
                              "the PKCS#12 file cannot be made: %s", cleat_error_sentence((int)r));
}
