/* crypto/pkcs12_read.c - PKCS#12 files, read: see pkcs12.h.
 *
 * Libcrypto's parser was wrong before about contents that are absent, strings of another type than
 * they should have, and parameters of MACs that are out of bounds: all of that is looked at here
 * before it gets there, and names are decoded here. Every key derivation is paid for from
 * work_left before it runs.
 */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <stdio.h>

#include "base/mem.h"
#include "crypto/ossl.h"
#include "crypto/pbe_impl.h"
#include "crypto/pkcs12.h"

/* 64: the longest key that HMAC-SHA-512 can use; libcrypto 3.4 to 3.6.0 did not look (PBMAC1) */
#define PBMAC1_MAX_KEY 64

struct reading {
    struct cl_pkcs12 *out;
    PKCS12 *file;
    STACK_OF(PKCS7) * safes;
    const char *word; /* NULL: none, which is not the same as an empty one */
    int word_len;
    uint64_t work_left;
    struct cleat_error *err;
};

static cl_result bad_file(struct reading *r, const char *what)
{
    const cl_result code = cl_ossl_failed(CLEAT_ERR_BAD_PKCS12);
    return cl_error_set(r->err, (struct cl_why){.code = code, .section = "RFC 7292 4"},
                        "the PKCS#12 file is malformed: %s", what);
}

static cl_result too_many(struct reading *r, const char *what, int limit)
{
    return cl_error_set(r->err, (struct cl_why){.code = CLEAT_ERR_LIMIT},
                        "the PKCS#12 file has more than %d %s", limit, what);
}

/* ---- the outside ---- */

/* RFC 9579: PBMAC1 has parameters as PBES2 has them. */
static bool pbmac1(const X509_ALGOR *mac, uint64_t *iterations, uint64_t *key_len)
{
    bool ok = false;
    PBKDF2PARAM *kdf = NULL;
    PBE2PARAM *param = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), mac->parameter);
    if (param != NULL && OBJ_obj2nid(param->keyfunc->algorithm) == NID_id_pbkdf2) {
        kdf = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), param->keyfunc->parameter);
    }
    if (kdf != NULL && kdf->salt != NULL && kdf->salt->type == V_ASN1_OCTET_STRING &&
        kdf->keylength != NULL) {
        ok = ASN1_INTEGER_get_uint64(iterations, kdf->iter) == 1 &&
             ASN1_INTEGER_get_uint64(key_len, kdf->keylength) == 1;
    }
    PBKDF2PARAM_free(kdf);
    PBE2PARAM_free(param);
    return ok;
}

/* What the MAC asks for; 0 iterations are none at all, and not taken. */
static cl_result look_at_mac(struct reading *r, uint64_t *iterations)
{
    const X509_ALGOR *alg = NULL;
    const ASN1_INTEGER *iter = NULL;
    const ASN1_OBJECT *object = NULL;
    uint64_t key_len = 0;
    *iterations = 1; /* RFC 7292 4: the default */
    if (PKCS12_mac_present(r->file) != 1) {
        return CL_OK;
    }
    PKCS12_get0_mac(NULL, &alg, NULL, &iter, r->file);
    X509_ALGOR_get0(&object, NULL, NULL, alg);
    const int nid = OBJ_obj2nid(object);
    if (nid == NID_pbmac1) {
        if (!pbmac1(alg, iterations, &key_len) || key_len == 0 || key_len > PBMAC1_MAX_KEY) {
            return bad_file(r, "the parameters of its MAC (PBMAC1)");
        }
    } else if (iter != NULL && ASN1_INTEGER_get_uint64(iterations, iter) != 1) {
        return bad_file(r, "the number of iterations of its MAC");
    }
    (void)snprintf(r->out->mac, sizeof(r->out->mac), "%s, %llu iterations",
                   nid != NID_undef ? OBJ_nid2sn(nid) : "an unknown digest",
                   (unsigned long long)*iterations);
    r->out->needs_passphrase = true;
    if (*iterations == 0 || *iterations > CL_SEALED_MAX_ITERATIONS) {
        return cl_error_set(r->err,
                            (struct cl_why){.code = CLEAT_ERR_LIMIT,
                                            .hint = "a file may ask for 10,000,000 in all; one "
                                                    "that asks for more is a mistake, or an "
                                                    "attack"},
                            "the MAC of the PKCS#12 file asks for too much work: %s", r->out->mac);
    }
    return CL_OK;
}

/* What is encrypted in this safe: its algorithm; NULL when the safe is not encrypted. */
static cl_result look_at_safe(struct reading *r, const PKCS7 *safe, const X509_ALGOR **sealed)
{
    *sealed = NULL;
    if (safe->d.ptr == NULL) {
        return bad_file(r, "a safe without contents");
    }
    if (PKCS7_type_is_data(safe)) {
        return CL_OK;
    }
    if (!PKCS7_type_is_encrypted(safe)) {
        return cl_error_set(r->err, (struct cl_why){.code = CLEAT_ERR_UNSUPPORTED},
                            "a part of the PKCS#12 file is encrypted for a public key, not with a "
                            "passphrase");
    }
    const PKCS7_ENC_CONTENT *content = safe->d.encrypted->enc_data;
    if (content == NULL || content->algorithm == NULL || content->enc_data == NULL) {
        return bad_file(r, "an encrypted safe without contents");
    }
    *sealed = content->algorithm;
    return CL_OK;
}

/* Whether a key of a safe that is not encrypted is so itself. What cannot be read is found later.
 */
static bool has_sealed_key(PKCS7 *safe)
{
    bool found = false;
    STACK_OF(PKCS12_SAFEBAG) *bags = PKCS12_unpack_p7data(safe);
    for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); i++) {
        const int nid = PKCS12_SAFEBAG_get_nid(sk_PKCS12_SAFEBAG_value(bags, i));
        found = found || nid == NID_pkcs8ShroudedKeyBag || nid == NID_safeContentsBag;
    }
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    return found;
}

static cl_result look_at_safes(struct reading *r)
{
    r->safes = PKCS12_unpack_authsafes(r->file);
    if (r->safes == NULL) {
        return bad_file(r, "it is signed with a key, or not of version 3");
    }
    const int num = sk_PKCS7_num(r->safes);
    if (num > CL_PKCS12_MAX_SAFES) {
        return too_many(r, "safes", CL_PKCS12_MAX_SAFES);
    }
    for (int i = 0; i < num; i++) {
        const X509_ALGOR *sealed;
        struct cl_pbe pbe;
        CL_TRY(look_at_safe(r, sk_PKCS7_value(r->safes, i), &sealed));
        if (sealed == NULL) {
            r->out->needs_passphrase =
                r->out->needs_passphrase || has_sealed_key(sk_PKCS7_value(r->safes, i));
        } else {
            cl_pbe_describe(&pbe, sealed);
            memcpy(r->out->safes[i].text, pbe.text, CL_SEALED_TEXT);
            r->out->needs_passphrase = true;
        }
        r->out->num_safes++;
    }
    return CL_OK;
}

static cl_result look(struct reading *r, struct cl_rd file)
{
    const uint8_t *p = file.p;
    uint64_t iterations;
    if (file.len > CL_PKCS12_MAX_LEN) {
        return cl_error_set(r->err, (struct cl_why){.code = CLEAT_ERR_LIMIT},
                            "the PKCS#12 file has %zu bytes: more than %u", file.len,
                            CL_PKCS12_MAX_LEN);
    }
    r->file = d2i_PKCS12(NULL, &p, (long)file.len);
    if (r->file == NULL) {
        return bad_file(r, "its structure");
    }
    if (p != file.p + file.len) {
        return bad_file(r, "there are bytes behind its end");
    }
    CL_TRY(look_at_mac(r, &iterations));
    return look_at_safes(r);
}

static void stop(struct reading *r)
{
    sk_PKCS7_pop_free(r->safes, PKCS7_free);
    PKCS12_free(r->file);
    ERR_clear_error();
}

cl_result cl_pkcs12_look(struct cl_pkcs12 *out, struct cl_rd file, struct cleat_error *err)
{
    struct reading r = {.out = out, .err = err};
    *out = (struct cl_pkcs12){0};
    const cl_result result = look(&r, file);
    stop(&r);
    return result;
}

/* ---- names ---- */

/* friendlyName (RFC 2985 5.5.1): a BMPString, in which some write UTF-16. What does not fit is left
 * out. */
static void take_name(struct cl_pkcs12_bag *bag, const ASN1_TYPE *value)
{
    if (value == NULL || value->type != V_ASN1_BMPSTRING || value->value.bmpstring == NULL) {
        return;
    }
    struct cl_rd text = cl_rd_of(ASN1_STRING_get0_data(value->value.bmpstring),
                                 (size_t)ASN1_STRING_length(value->value.bmpstring));
    size_t len = 0;
    uint16_t unit;
    uint16_t low;
    while (cl_rd_u16(&text, &unit) && len + 4 <= CL_PKCS12_NAME_MAX) {
        uint32_t c = unit;
        if (unit >= 0xd800 && unit < 0xdc00 && cl_rd_u16(&text, &low) && low >= 0xdc00 &&
            low < 0xe000) {
            c = 0x10000 + ((uint32_t)(unit - 0xd800) << 10) + (low - 0xdc00u);
        } else if (unit >= 0xd800 && unit < 0xe000) {
            c = '?';
        }
        c = c < 0x20 || c == 0x7f ? '?' : c;
        unsigned char utf8[4];
        const int put = UTF8_putc(utf8, sizeof(utf8), c);
        if (put > 0) {
            memcpy(bag->name + len, utf8, (size_t)put);
            len += (size_t)put;
        }
    }
    bag->name[len] = '\0';
}

static void take_id(struct cl_pkcs12_bag *bag, const ASN1_TYPE *value)
{
    if (value == NULL || value->type != V_ASN1_OCTET_STRING || value->value.octet_string == NULL) {
        return;
    }
    const int len = ASN1_STRING_length(value->value.octet_string);
    if (len > 0 && len <= CL_PKCS12_ID_MAX) {
        memcpy(bag->id, ASN1_STRING_get0_data(value->value.octet_string), (size_t)len);
        bag->id_len = (size_t)len;
    }
}

/* ---- bags ---- */

static cl_result take_der(struct reading *r, struct cl_pkcs12_bag *bag, uint8_t *der, int len)
{
    if (len <= 0) {
        return bad_file(r, "a bag cannot be read");
    }
    const cl_result result = cl_buf_append(&bag->der, der, (size_t)len, CL_PKCS12_MAX_LEN);
    OPENSSL_clear_free(der, (size_t)len);
    return result;
}

static cl_result take_cert(struct reading *r, struct cl_pkcs12_bag *bag, const PKCS12_SAFEBAG *from)
{
    uint8_t *der = NULL;
    if (PKCS12_SAFEBAG_get_bag_nid(from) != NID_x509Certificate) {
        return CL_OK; /* an SDSI certificate: OTHER */
    }
    X509 *cert = PKCS12_SAFEBAG_get1_cert(from);
    const int len = cert != NULL ? i2d_X509(cert, &der) : -1;
    X509_free(cert);
    bag->what = CL_PKCS12_CERT;
    return take_der(r, bag, der, len);
}

static cl_result take_crl(struct reading *r, struct cl_pkcs12_bag *bag, const PKCS12_SAFEBAG *from)
{
    uint8_t *der = NULL;
    if (PKCS12_SAFEBAG_get_bag_nid(from) != NID_x509Crl) {
        return CL_OK;
    }
    X509_CRL *crl = PKCS12_SAFEBAG_get1_crl(from);
    const int len = crl != NULL ? i2d_X509_CRL(crl, &der) : -1;
    X509_CRL_free(crl);
    bag->what = CL_PKCS12_CRL;
    return take_der(r, bag, der, len);
}

static cl_result take_key(struct reading *r, struct cl_pkcs12_bag *bag,
                          const PKCS8_PRIV_KEY_INFO *info)
{
    uint8_t *der = NULL;
    const int len = info != NULL ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;
    bag->what = CL_PKCS12_KEY;
    return take_der(r, bag, der, len);
}

static cl_result wrong_inside(struct reading *r)
{
    const cl_result code = cl_ossl_failed(CLEAT_ERR_BAD_PASSPHRASE);
    return cl_error_set(
        r->err, (struct cl_why){.code = code},
        r->out->mac[0] != '\0'
            ? "the passphrase fits the PKCS#12 file's MAC, but not what is encrypted inside"
            : "the passphrase is wrong, or the PKCS#12 file is damaged");
}

static cl_result take_sealed_key(struct reading *r, struct cl_pkcs12_bag *bag,
                                 const PKCS12_SAFEBAG *from)
{
    const X509_ALGOR *algorithm = NULL;
    struct cl_pbe pbe;
    const X509_SIG *sealed = PKCS12_SAFEBAG_get0_pkcs8(from);
    if (sealed == NULL) {
        return bad_file(r, "a key bag without contents");
    }
    X509_SIG_get0(sealed, &algorithm, NULL);
    cl_pbe_describe(&pbe, algorithm);
    memcpy(bag->sealed, pbe.text, CL_SEALED_TEXT);
    CL_TRY(cl_pbe_accept(algorithm, &r->work_left, "the private key in the PKCS#12 file", r->err));
    PKCS8_PRIV_KEY_INFO *info = PKCS8_decrypt(sealed, r->word, r->word_len);
    if (info == NULL) {
        return wrong_inside(r);
    }
    const cl_result result = take_key(r, bag, info);
    PKCS8_PRIV_KEY_INFO_free(info);
    return result;
}

static cl_result add_bag(struct reading *r, struct cl_pkcs12_bag **out)
{
    struct cl_pkcs12 *p12 = r->out;
    if (p12->num_bags == CL_PKCS12_MAX_BAGS) {
        return too_many(r, "bags", CL_PKCS12_MAX_BAGS);
    }
    struct cl_pkcs12_bag *grown = cl_realloc(p12->bags, (p12->num_bags + 1) * sizeof(*grown));
    if (grown == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    p12->bags = grown;
    *out = &grown[p12->num_bags++];
    **out = (struct cl_pkcs12_bag){0};
    return CL_OK;
}

static cl_result take_bag(struct reading *r, const PKCS12_SAFEBAG *from)
{
    struct cl_pkcs12_bag *bag = NULL;
    CL_TRY(add_bag(r, &bag));
    take_name(bag, PKCS12_SAFEBAG_get0_attr(from, NID_friendlyName));
    take_id(bag, PKCS12_SAFEBAG_get0_attr(from, NID_localKeyID));
    switch (PKCS12_SAFEBAG_get_nid(from)) {
    case NID_certBag:
        return take_cert(r, bag, from);
    case NID_crlBag:
        return take_crl(r, bag, from);
    case NID_keyBag:
        return take_key(r, bag, PKCS12_SAFEBAG_get0_p8inf(from));
    case NID_pkcs8ShroudedKeyBag:
        return take_sealed_key(r, bag, from);
    default:
        return CL_OK;
    }
}

static cl_result take_bags(struct reading *r, const STACK_OF(PKCS12_SAFEBAG) * bags, int depth)
{
    if (depth == CL_PKCS12_MAX_DEPTH) {
        return too_many(r, "bags inside each other", CL_PKCS12_MAX_DEPTH);
    }
    for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); i++) {
        const PKCS12_SAFEBAG *bag = sk_PKCS12_SAFEBAG_value(bags, i);
        const bool nested = PKCS12_SAFEBAG_get_nid(bag) == NID_safeContentsBag;
        CL_TRY(nested ? take_bags(r, PKCS12_SAFEBAG_get0_safes(bag), depth + 1) : take_bag(r, bag));
    }
    return CL_OK;
}

static cl_result take_safe(struct reading *r, int i)
{
    const X509_ALGOR *sealed;
    STACK_OF(PKCS12_SAFEBAG) * bags;
    PKCS7 *safe = sk_PKCS7_value(r->safes, i);
    const size_t before = r->out->num_bags;
    CL_TRY(look_at_safe(r, safe, &sealed));
    if (sealed != NULL) {
        CL_TRY(cl_pbe_accept(sealed, &r->work_left, "a part of the PKCS#12 file", r->err));
        bags = PKCS12_unpack_p7encdata(safe, r->word, r->word_len);
    } else {
        bags = PKCS12_unpack_p7data(safe);
    }
    if (bags == NULL) {
        return sealed != NULL ? wrong_inside(r) : bad_file(r, "a safe cannot be read");
    }
    const cl_result result = take_bags(r, bags, 0);
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    r->out->safes[i].num_bags = r->out->num_bags - before;
    return result;
}

/* ---- all of it, with one passphrase ---- */

static cl_result check_mac(struct reading *r)
{
    const X509_ALGOR *alg = NULL;
    const ASN1_OBJECT *object = NULL;
    uint64_t iterations;
    if (PKCS12_mac_present(r->file) != 1) {
        return CL_OK;
    }
    CL_TRY(look_at_mac(r, &iterations));
    r->work_left -= iterations;
    if (PKCS12_verify_mac(r->file, r->word, r->word_len) == 1) {
        return CL_OK;
    }
    PKCS12_get0_mac(NULL, &alg, NULL, NULL, r->file);
    X509_ALGOR_get0(&object, NULL, NULL, alg);
    const int nid = OBJ_obj2nid(object);
    const bool has_pbmac1 = OpenSSL_version_num() >= 0x30400000UL;
    if (nid == NID_pbmac1 ? !has_pbmac1 : EVP_get_digestbynid(nid) == NULL) {
        const cl_result code = cl_ossl_failed(CLEAT_ERR_UNSUPPORTED);
        return cl_error_set(r->err,
                            (struct cl_why){.code = code,
                                            .section = "RFC 9579",
                                            .hint = "write it with a MAC of SHA-256, or use "
                                                    "OpenSSL 3.4 or later for PBMAC1"},
                            "the MAC of the PKCS#12 file is one that this libcrypto does not "
                            "know: %s",
                            r->out->mac);
    }
    const cl_result code = cl_ossl_failed(CLEAT_ERR_BAD_PASSPHRASE);
    return cl_error_set(
        r->err, (struct cl_why){.code = code},
        "the passphrase is wrong, or the PKCS#12 file was changed: its MAC differs");
}

static void drop_bags(struct cl_pkcs12 *p12)
{
    for (size_t i = 0; i < p12->num_bags; i++) {
        cl_buf_deinit(&p12->bags[i].der);
    }
    cl_free(p12->bags);
    p12->bags = NULL;
    p12->num_bags = 0;
}

static cl_result read_with(struct reading *r, const char *word, int len)
{
    r->word = word;
    r->word_len = len;
    r->work_left = CL_SEALED_MAX_ITERATIONS;
    drop_bags(r->out);
    CL_TRY(check_mac(r));
    for (int i = 0; i < sk_PKCS7_num(r->safes); i++) {
        CL_TRY(take_safe(r, i));
    }
    return CL_OK;
}

/* Bytes that were ISO 8859-1 to who wrote the file, as OpenSSL before 1.1.0 took every passphrase:
 * as UTF-8, of which libcrypto makes the same BMPString. */
static bool as_latin1(const struct cl_pbe_word *from, char *out, size_t cap, int *out_len)
{
    bool differs = false;
    size_t len = 0;
    for (int i = 0; i < from->len && len + 2 < cap; i++) {
        const uint8_t c = (uint8_t)from->text[i];
        differs = differs || c >= 0x80;
        if (c >= 0x80) {
            out[len++] = (char)(0xc0 | c >> 6);
        }
        out[len++] = (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c);
    }
    out[len] = '\0';
    *out_len = (int)len;
    return differs;
}

/* The first failure is the one to tell of, unless another way succeeds. */
static cl_result read_all(struct reading *r, const struct cl_pbe_word *word)
{
    char other[2 * CL_PASSPHRASE_MAX + 1];
    int other_len;
    struct cleat_error *err = r->err;
    struct cleat_error first = {0};
    struct cleat_error second = {0};
    r->err = &first;
    cl_result result = read_with(r, word->text, word->len);
    if (result == CLEAT_ERR_BAD_PASSPHRASE) {
        cl_result again = result;
        r->err = &second;
        if (word->len == 0) {
            again = read_with(r, NULL, 0);
        } else if (as_latin1(word, other, sizeof(other), &other_len)) {
            again = read_with(r, other, other_len);
            r->out->old_reading = again == CL_OK;
        }
        result = again == CL_OK ? CL_OK : result;
    }
    if (result != CL_OK && err != NULL && err->code == 0) {
        *err = first;
    }
    cl_wipe(other, sizeof(other));
    r->err = err;
    return result;
}

cl_result cl_pkcs12_open(struct cl_pkcs12 *out, struct cl_rd file, struct cl_rd passphrase,
                         bool without_mac, struct cleat_error *err)
{
    struct reading r = {.out = out, .err = err};
    struct cl_pbe_word word = {0};
    *out = (struct cl_pkcs12){0};
    cl_result result = look(&r, file);
    if (result == CL_OK && out->mac[0] == '\0' && !without_mac) {
        result = cl_error_set(err,
                              (struct cl_why){.code = CLEAT_ERR_BAD_PKCS12,
                                              .section = "RFC 7292 5.1",
                                              .hint = "if you know where it comes from, say so "
                                                      "with --no-mac"},
                              "the PKCS#12 file has no MAC: anybody may have changed it");
    }
    if (result == CL_OK) {
        result = cl_pbe_word_init(&word, passphrase, err);
    }
    if (result == CL_OK) {
        result = read_all(&r, &word);
    }
    cl_wipe(&word, sizeof(word));
    stop(&r);
    if (result != CL_OK) {
        cl_pkcs12_deinit(out);
    }
    return result == CL_OK ? CL_OK
                           : cl_error_set(err, (struct cl_why){.code = result},
                                          "the PKCS#12 file cannot be read: %s",
                                          cleat_error_sentence((int)result));
}

void cl_pkcs12_deinit(struct cl_pkcs12 *p12)
{
    drop_bags(p12);
    *p12 = (struct cl_pkcs12){0};
}
