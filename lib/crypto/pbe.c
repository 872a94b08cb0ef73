/* crypto/pbe.c - see pbe_impl.h. */
#include "crypto/pbe_impl.h"

#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <stdio.h>

#include "base/mem.h"
#include "crypto/ossl.h"

/* 2^22: the work of scrypt in blocks of 128 bytes (N * r * p), some two seconds; the command lines
 * of OpenSSL write 2^17 */
#define SCRYPT_MAX_WORK (1u << 22)

/* What has its iterations in a PBEParameter (RFC 8018 A.3, RFC 7292 C). Of those on single DES and
 * RC2 libcrypto 3 keeps the ciphers in its legacy provider. */
static const struct row {
    int nid;
    bool outdated;
    const char *name;
} rows[] = {
    {NID_pbe_WithSHA1And3_Key_TripleDES_CBC, false, "PBE-SHA1-3DES"},
    {NID_pbe_WithSHA1And2_Key_TripleDES_CBC, false, "PBE-SHA1-2DES"},
    {NID_pbe_WithSHA1And128BitRC2_CBC, true, "PBE-SHA1-RC2-128"},
    {NID_pbe_WithSHA1And40BitRC2_CBC, true, "PBE-SHA1-RC2-40"},
    {NID_pbe_WithSHA1And128BitRC4, true, "PBE-SHA1-RC4-128"},
    {NID_pbe_WithSHA1And40BitRC4, true, "PBE-SHA1-RC4-40"},
    {NID_pbeWithMD2AndDES_CBC, true, "PBE-MD2-DES"},
    {NID_pbeWithMD5AndDES_CBC, true, "PBE-MD5-DES"},
    {NID_pbeWithMD5AndRC2_CBC, true, "PBE-MD5-RC2-64"},
    {NID_pbeWithSHA1AndDES_CBC, true, "PBE-SHA1-DES"},
    {NID_pbeWithSHA1AndRC2_CBC, true, "PBE-SHA1-RC2-64"},
};

static uint64_t count_of(const ASN1_INTEGER *number)
{
    uint64_t count;
    return number != NULL && ASN1_INTEGER_get_uint64(&count, number) == 1 ? count : UINT64_MAX;
}

static int nid_of(const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *object = NULL;
    X509_ALGOR_get0(&object, NULL, NULL, algorithm);
    return OBJ_obj2nid(object);
}

static const char *name_of(int nid)
{
    const char *name = nid != NID_undef ? OBJ_nid2sn(nid) : NULL;
    return name != NULL ? name : "an unknown algorithm";
}

static void describe_pbe1(struct cl_pbe *out, const struct row *row, const X509_ALGOR *algorithm)
{
    PBEPARAM *param = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBEPARAM), algorithm->parameter);
    out->known = param != NULL;
    out->outdated = row->outdated;
    out->iterations = param != NULL ? count_of(param->iter) : UINT64_MAX;
    (void)snprintf(out->text, sizeof(out->text), "%s, %" PRIu64 " iterations", row->name,
                   out->iterations);
    PBEPARAM_free(param);
}

/* RFC 8018 5.2 */
static void describe_pbkdf2(struct cl_pbe *out, const X509_ALGOR *kdf, const char *cipher)
{
    PBKDF2PARAM *param = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), kdf->parameter);
    if (param == NULL) {
        return;
    }
    const int prf = param->prf != NULL ? nid_of(param->prf) : NID_hmacWithSHA1;
    out->known = prf != NID_undef;
    out->iterations = count_of(param->iter);
    (void)snprintf(out->text, sizeof(out->text), "PBES2: PBKDF2, %s, %" PRIu64 " iterations, %s",
                   name_of(prf), out->iterations, cipher);
    PBKDF2PARAM_free(param);
}

/* RFC 7914 7 */
static void describe_scrypt(struct cl_pbe *out, const X509_ALGOR *kdf, const char *cipher)
{
    SCRYPT_PARAMS *param = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(SCRYPT_PARAMS), kdf->parameter);
    if (param == NULL) {
        return;
    }
    const uint64_t n = count_of(param->costParameter);
    const uint64_t r = count_of(param->blockSize);
    const uint64_t p = count_of(param->parallelizationParameter);
    const bool small = n <= SCRYPT_MAX_WORK && r <= SCRYPT_MAX_WORK && p <= SCRYPT_MAX_WORK &&
                       n * r <= SCRYPT_MAX_WORK && n * r * p <= SCRYPT_MAX_WORK;
    out->known = true;
    out->iterations = small ? n * r * p : UINT64_MAX;
    (void)snprintf(out->text, sizeof(out->text),
                   "PBES2: scrypt, N %" PRIu64 ", r %" PRIu64 ", p %" PRIu64 ", %s", n, r, p,
                   cipher);
    SCRYPT_PARAMS_free(param);
}

/* RFC 8018 6.2 and A.4 */
static void describe_pbes2(struct cl_pbe *out, const X509_ALGOR *algorithm)
{
    PBE2PARAM *param = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), algorithm->parameter);
    if (param == NULL) {
        return;
    }
    const char *cipher = name_of(nid_of(param->encryption));
    const int kdf = nid_of(param->keyfunc);
    EVP_CIPHER *there = EVP_CIPHER_fetch(NULL, cipher, NULL);
    (void)snprintf(out->text, sizeof(out->text), "PBES2: %s, %s", name_of(kdf), cipher);
    if (kdf == NID_id_pbkdf2) {
        describe_pbkdf2(out, param->keyfunc, cipher);
    } else if (kdf == NID_id_scrypt) {
        describe_scrypt(out, param->keyfunc, cipher);
    }
    out->outdated = there == NULL && nid_of(param->encryption) != NID_undef;
    out->known = out->known && (there != NULL || out->outdated);
    EVP_CIPHER_free(there);
    PBE2PARAM_free(param);
}

void cl_pbe_describe(struct cl_pbe *out, const X509_ALGOR *algorithm)
{
    const int nid = algorithm != NULL ? nid_of(algorithm) : NID_undef;
    *out = (struct cl_pbe){.iterations = UINT64_MAX};
    (void)snprintf(out->text, sizeof(out->text), "%s", name_of(nid));
    if (nid == NID_pbes2) {
        describe_pbes2(out, algorithm);
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && nid != NID_undef; i++) {
        if (rows[i].nid == nid) {
            describe_pbe1(out, &rows[i], algorithm);
        }
    }
    ERR_clear_error();
}

cl_result cl_pbe_accept(const X509_ALGOR *algorithm, uint64_t *work_left, const char *what,
                        struct cleat_error *err)
{
    struct cl_pbe pbe;
    cl_pbe_describe(&pbe, algorithm);
    if (pbe.outdated) {
        return cl_error_set(
            err,
            (struct cl_why){.code = CLEAT_ERR_UNSUPPORTED,
                            .hint = "it is broken or weak; make it anew with AES where the file is "
                                    "from, or convert it: openssl pkcs12 -legacy -in OLD -nodes "
                                    "-out PLAIN (for a key: openssl pkcs8 -provider legacy "
                                    "-provider default), then cleat cert convert"},
            "%s is encrypted with %s, which OpenSSL 3 has in its legacy provider alone", what,
            pbe.text);
    }
    if (!pbe.known) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_UNSUPPORTED},
                            "%s is encrypted in a way that is not known: %s", what, pbe.text);
    }
    if (pbe.iterations == 0 || pbe.iterations > *work_left) {
        return cl_error_set(
            err,
            (struct cl_why){.code = CLEAT_ERR_LIMIT,
                            .hint = "a file may ask for 10,000,000 iterations in all; one that "
                                    "asks for more is a mistake, or an attack"},
            "%s asks for too much work: %s", what, pbe.text);
    }
    *work_left -= pbe.iterations;
    return CL_OK;
}

cl_result cl_pbe_word_init(struct cl_pbe_word *out, struct cl_rd passphrase,
                           struct cleat_error *err)
{
    *out = (struct cl_pbe_word){0};
    if (passphrase.len > CL_PASSPHRASE_MAX) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_PASSPHRASE},
                            "the passphrase has %zu bytes; at most %d are allowed", passphrase.len,
                            CL_PASSPHRASE_MAX);
    }
    if (passphrase.len != 0 && memchr(passphrase.p, 0, passphrase.len) != NULL) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_PASSPHRASE},
                            "the passphrase has a NUL byte inside, which other programs cannot "
                            "write");
    }
    if (passphrase.len != 0) {
        memcpy(out->text, passphrase.p, passphrase.len);
    }
    out->len = (int)passphrase.len;
    return CL_OK;
}
