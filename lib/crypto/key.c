/* crypto/key.c - private keys: made of libcrypto's objects, reference-counted, immutable.
 *
 * A key is checked once, when it comes in: its kind, its size, and that its two halves belong
 * together, by signing something. pub.rsa and pub.ec hold both halves.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/key_impl.h"

#include <openssl/core_names.h>

#include "base/mem.h"
#include "base/pem.h"
#include "crypto/lane_key.h"
#include "crypto/ossl.h"
#include "crypto/sealed.h"
#include "crypto/version.h"

/* 2048: RFC 9325 4.5, and what every public certification authority demands */
#define RSA_MIN_BITS   2048
/* 9: SEQUENCE header of 3 bytes, two INTEGER headers of 2, two sign bytes (RFC 3279 2.2.3) */
#define ECDSA_OVERHEAD 9
/* 64 KiB: an RSA key of 16,384 bits has 10 KB */
#define MAX_DER        65536

/* ---- from libcrypto's key to ours ---- */

/* spki_of encodes the public half, which also tells us what kind of key it is. */
static cl_result spki_of(struct cleat_key *key)
{
    uint8_t *der = NULL;
    const int len = i2d_PUBKEY(key->pkey, &der);
    if (len <= 0) {
        return cl_ossl_failed(CLEAT_ERR_BAD_KEY);
    }
    key->spki = cl_memdup(der, (size_t)len);
    key->spki_len = (size_t)len;
    OPENSSL_free(der);
    return key->spki != NULL ? CL_OK : CLEAT_ERR_NOMEM;
}

/* take_point checks an EC key and keeps its public half as it stands in certificates. */
static cl_result take_point(struct cl_pubkey *pub)
{
    if (pub->ec == NULL || EC_KEY_check_key(pub->ec) != 1) {
        return cl_ossl_failed(CLEAT_ERR_BAD_KEY);
    }
    pub->point_len = (uint8_t)EC_POINT_point2oct(
        EC_KEY_get0_group(pub->ec), EC_KEY_get0_public_key(pub->ec), POINT_CONVERSION_UNCOMPRESSED,
        pub->point, sizeof(pub->point), NULL);
    return pub->point_len != 0 ? CL_OK : cl_ossl_failed(CLEAT_ERR_BAD_KEY);
}

/* take_operands gets the objects that sign: those of libcrypto's key for RSA and ECDSA. */
static cl_result take_operands(struct cleat_key *key, struct cl_key_alg alg)
{
    struct cl_pubkey *pub = &key->pub;
    pub->alg = alg;
    pub->bits = (unsigned)EVP_PKEY_get_bits(key->pkey);
    switch (alg.type) {
    case CL_KEY_RSA:
    case CL_KEY_RSA_PSS:
        pub->rsa = EVP_PKEY_get1_RSA(key->pkey);
        return pub->rsa != NULL ? CL_OK : cl_ossl_failed(CLEAT_ERR_BAD_KEY);
    case CL_KEY_EC_P256:
    case CL_KEY_EC_P384:
    case CL_KEY_EC_P521:
        pub->ec = EVP_PKEY_get1_EC_KEY(key->pkey);
        return take_point(pub);
    case CL_KEY_ED25519:
    case CL_KEY_ED448:
    case CL_KEY_ML_DSA_44:
    case CL_KEY_ML_DSA_65:
    case CL_KEY_ML_DSA_87:
        pub->evp = key->pkey;
        return EVP_PKEY_up_ref(key->pkey) == 1 ? CL_OK : CLEAT_ERR_CRYPTO;
    default:
        return CLEAT_ERR_UNSUPPORTED;
    }
}

/* probe_alg is how a key of this kind signs something, only to see that it can. */
static struct cl_sig_alg probe_alg(const struct cl_key_alg *alg)
{
    struct cl_sig_alg probe = {.key_type = alg->type, .hash = CL_HASH_SHA256};
    if (cl_key_type_evp_name(alg->type) != NULL) {
        probe.hash = CL_HASH_NONE;
    } else if (alg->type == CL_KEY_RSA) {
        probe.padding = CL_PAD_PKCS1;
    } else if (alg->type == CL_KEY_RSA_PSS) {
        probe.padding = CL_PAD_PSS;
        probe.hash = alg->pss_hash != CL_HASH_NONE ? alg->pss_hash : CL_HASH_SHA256;
    }
    return probe;
}

/* check_halves signs and verifies: a private half that does not belong to the public one would make
 * handshakes fail later, and RSA-CRT values that are wrong would leak the key. */
static cl_result check_halves(const struct cleat_key *key)
{
    uint8_t signature[CL_SIGNATURE_MAX];
    struct cl_wr out = cl_wr_of(signature, sizeof(signature));
    const struct cl_sig_alg alg = probe_alg(&key->pub.alg);
    const struct cl_rd message = cl_rd_str("do these two belong together?");
    cl_result r = cl_sign(key, &alg, message, &out);
    if (r == CL_OK) {
        r = cl_verify(&key->pub, &alg, message, cl_rd_of(signature, out.len));
    }
    return r == CL_OK || r == CLEAT_ERR_NOMEM ? r : CLEAT_ERR_BAD_KEY;
}

static cl_result fill_key(struct cleat_key *key)
{
    struct cl_spki spki;
    CL_TRY(spki_of(key));
    CL_TRY(cl_spki_parse(&spki, cl_rd_of(key->spki, key->spki_len)));
    CL_TRY(take_operands(key, spki.alg));
    const unsigned bits = key->pub.bits;
    if (key->pub.rsa != NULL && (bits < RSA_MIN_BITS || bits > CL_RSA_MAX_BITS)) {
        return CLEAT_ERR_BAD_KEY;
    }
    CL_TRY(check_halves(key));
    return cl_lane_key_new(&key->lane, &key->pub);
}

/* wrap makes a key of libcrypto's, which it takes over in any case. On failure *rsa_bits says how
 * large the key was if it was one of RSA, otherwise 0. */
static cl_result wrap(EVP_PKEY *pkey, struct cleat_key **out, unsigned *rsa_bits)
{
    struct cleat_key *key = cl_calloc(1, sizeof(*key));
    *rsa_bits = 0;
    if (key == NULL) {
        EVP_PKEY_free(pkey);
        return CLEAT_ERR_NOMEM;
    }
    key->num_refs = 1;
    key->pkey = pkey;
    const cl_result r = fill_key(key);
    if (r != CL_OK) {
        *rsa_bits = key->pub.rsa != NULL ? key->pub.bits : 0;
        cleat_key_free(key);
        return r;
    }
    *out = key;
    return CL_OK;
}

/* ---- PEM ---- */

static EVP_PKEY *from_pkcs8(const uint8_t **p, long len)
{
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, p, len);
    EVP_PKEY *pkey = info != NULL ? EVP_PKCS82PKEY(info) : NULL;
    PKCS8_PRIV_KEY_INFO_free(info);
    return pkey;
}

static EVP_PKEY *from_sec1(const uint8_t **p, long len)
{
    return d2i_PrivateKey(EVP_PKEY_EC, NULL, p, len);
}

static EVP_PKEY *from_pkcs1(const uint8_t **p, long len)
{
    return d2i_PrivateKey(EVP_PKEY_RSA, NULL, p, len);
}

static const struct format {
    const char *label;
    const char *name;
    EVP_PKEY *(*decode)(const uint8_t **p, long len); /* NULL: see code */
    cl_result code;
} formats[] = {
    {"PRIVATE KEY", "PKCS#8", from_pkcs8, CL_OK},
    {"EC PRIVATE KEY", "SEC1", from_sec1, CL_OK},
    {"RSA PRIVATE KEY", "PKCS#1", from_pkcs1, CL_OK},
    {"ENCRYPTED PRIVATE KEY", "encrypted PKCS#8", NULL, CLEAT_ERR_NEEDS_PASSPHRASE},
    {"DSA PRIVATE KEY", "DSA", NULL, CLEAT_ERR_UNSUPPORTED},
    {"OPENSSH PRIVATE KEY", "OpenSSH", NULL, CLEAT_ERR_UNSUPPORTED},
};

static bool has(struct cl_rd text, const char *what)
{
    return text.len != 0 && memmem(text.p, text.len, what, strlen(what)) != NULL;
}

static const struct format *format_of(struct cl_rd label)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (cl_rd_equal_str(label, formats[i].label)) {
            return &formats[i];
        }
    }
    return NULL;
}

/* find_block goes to the first block that is a private key of any kind. */
static cl_result find_block(struct cl_pem *pem, struct cl_pem_block *block,
                            const struct format **format)
{
    bool found = true;
    CL_TRY(cl_pem_next(pem, block, &found));
    while (found) {
        *format = format_of(block->label);
        if (*format != NULL) {
            return CL_OK;
        }
        CL_TRY(cl_pem_next(pem, block, &found));
    }
    return cl_error_set(pem->err,
                        (struct cl_why){CLEAT_ERR_BAD_PEM, 0, "RFC 7468 10",
                                        "a private key begins with '-----BEGIN PRIVATE KEY-----'; "
                                        "a certificate alone is not enough"},
                        "there is no private key in this PEM text");
}

static cl_result explain_label(bool encrypted, const struct format *format, struct cleat_error *err)
{
    if (encrypted || format->code == CLEAT_ERR_NEEDS_PASSPHRASE) {
        return cl_error_set(err,
                            (struct cl_why){CLEAT_ERR_NEEDS_PASSPHRASE, 0, NULL,
                                            "say the passphrase, or decrypt it: cleat cert convert "
                                            "--decrypt -o plain.pem key.pem"},
                            "the private key is encrypted with a passphrase");
    }
    return cl_error_set(
        err,
        (struct cl_why){format->code, 0, NULL, "use an ECDSA P-256, Ed25519 or RSA key in PKCS#8"},
        "private keys of the kind %s are not supported", format->name);
}

static cl_result explain_key(cl_result code, unsigned rsa_bits, struct cleat_error *err)
{
    if (code == CLEAT_ERR_BAD_KEY && rsa_bits != 0 &&
        (rsa_bits < RSA_MIN_BITS || rsa_bits > CL_RSA_MAX_BITS)) {
        return cl_error_set(err,
                            (struct cl_why){code, 0, "RFC 9325 4.5",
                                            "make a new key: RSA of 2048 bits or more, or ECDSA "
                                            "P-256"},
                            "an RSA key of %u bits; %d to %d are allowed", rsa_bits, RSA_MIN_BITS,
                            CL_RSA_MAX_BITS);
    }
    if (code == CLEAT_ERR_UNSUPPORTED) {
        return cl_error_set(
            err,
            (struct cl_why){code, 0, NULL,
                            "use ECDSA P-256, P-384 or P-521, Ed25519, Ed448, RSA or "
                            "RSA-PSS with SHA-2"},
            "this private key's algorithm, curve or parameters are not supported");
    }
    return cl_error_set(err, (struct cl_why){.code = code},
                        code == CLEAT_ERR_BAD_KEY
                            ? "the private key is inconsistent: its private and public halves do "
                              "not belong together"
                            : "the private key could not be read");
}

/* known_kind says whether libcrypto's key is of a kind that could be one of ours; others would fail
 * in ways that depend on what encoders libcrypto has. */
static bool known_kind(const EVP_PKEY *pkey)
{
    const int id = EVP_PKEY_get_base_id(pkey);
    for (int type = CL_KEY_ML_DSA_44; type <= CL_KEY_ML_DSA_87; type++) {
        if (EVP_PKEY_is_a(pkey, cl_key_type_evp_name((enum cl_key_type)type)) == 1) {
            return true;
        }
    }
    return id == EVP_PKEY_RSA || id == EVP_PKEY_RSA_PSS || id == EVP_PKEY_EC ||
           id == EVP_PKEY_ED25519 || id == EVP_PKEY_ED448;
}

/* The three algorithms of RFC 9881 2 in a PKCS#8 structure: 2.16.840.1.101.3.4.3.17 to .19. */
static bool is_ml_dsa(struct cl_rd der)
{
    static const uint8_t arc[] = {0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03};
    const uint8_t *at = memmem(der.p, der.len, arc, sizeof(arc));
    return at != NULL && (size_t)(at - der.p) + sizeof(arc) < der.len && at[sizeof(arc)] >= 0x11 &&
           at[sizeof(arc)] <= 0x13;
}

static cl_result from_der(const struct format *format, struct cl_rd der, struct cleat_key **out,
                          struct cleat_error *err)
{
    const uint8_t *p = der.p;
    unsigned rsa_bits = 0;
    EVP_PKEY *pkey = format->decode(&p, (long)der.len);
    if (pkey == NULL && is_ml_dsa(der) && !cl_ml_dsa_available()) {
        const cl_result code = cl_ossl_failed(CLEAT_ERR_UNSUPPORTED);
        return cl_error_set(
            err,
            (struct cl_why){code, 0, "RFC 9881",
                            "use another kind of key, or a system with OpenSSL 3.5"},
            "an ML-DSA key, which needs libcrypto 3.5 or later; this is %s", cl_crypto_version());
    }
    if (pkey == NULL || p != der.p + der.len) {
        EVP_PKEY_free(pkey);
        const cl_result code = cl_ossl_failed(CLEAT_ERR_BAD_KEY);
        return cl_error_set(err, (struct cl_why){.code = code},
                            "the block is not a private key in %s form", format->name);
    }
    cl_result r = CLEAT_ERR_UNSUPPORTED;
    if (known_kind(pkey)) {
        r = wrap(pkey, out, &rsa_bits);
    } else {
        EVP_PKEY_free(pkey);
    }
    return r == CL_OK ? CL_OK : explain_key(r, rsa_bits, err);
}

/* The block's key, decrypted when it is encrypted. */
static cl_result open_block(const struct format *format, struct cl_rd headers, struct cl_rd body,
                            struct cl_rd passphrase, struct cleat_key **out,
                            struct cleat_error *err)
{
    struct cl_buf plain = {0};
    cl_result r = CL_OK;
    if (format->decode == NULL) { /* encrypted PKCS#8 */
        format = &formats[0];
        r = cl_sealed_open(&plain, body, passphrase, err);
        body = cl_buf_view(&plain);
    } else if (headers.len != 0) {
        r = cl_sealed_open_pem(&plain, headers, body, passphrase, err);
        body = cl_buf_view(&plain);
    }
    if (r == CL_OK) {
        r = from_der(format, body, out, err);
    }
    cl_buf_deinit(&plain);
    return r;
}

static cl_result from_pem(const char *pem, size_t len, struct cl_rd passphrase,
                          struct cleat_key **out, struct cleat_error *err)
{
    struct cl_pem walk;
    struct cl_pem_block block;
    struct cl_rd headers = {0};
    const struct format *format = NULL;
    struct cl_buf der = {0};
    *out = NULL;
    cl_pem_init(&walk, pem, len, err);
    CL_TRY(find_block(&walk, &block, &format));
    const bool encrypted = cl_pem_take_headers(&block, &headers) && has(headers, "ENCRYPTED");
    if (format->code == CLEAT_ERR_UNSUPPORTED ||
        (passphrase.p == NULL && (encrypted || format->decode == NULL))) {
        return explain_label(encrypted, format, err);
    }
    cl_result r = cl_pem_decode(&walk, &block, &der, MAX_DER);
    if (r == CL_OK) {
        r = open_block(format, encrypted ? headers : (struct cl_rd){0}, cl_buf_view(&der),
                       passphrase, out, err);
    }
    cl_buf_deinit(&der);
    return r;
}

int cleat_key_from_pem(const char *pem, size_t len, struct cleat_key **out, struct cleat_error *err)
{
    return (int)from_pem(pem, len, (struct cl_rd){0}, out, err);
}

int cleat_key_from_encrypted_pem(const char *pem, size_t len, const char *passphrase,
                                 size_t passphrase_len, struct cleat_key **out,
                                 struct cleat_error *err)
{
    return (int)from_pem(pem, len, cl_rd_of(passphrase != NULL ? passphrase : "", passphrase_len),
                         out, err);
}

cl_result cl_pkcs8_append(struct cl_buf *out, PKCS8_PRIV_KEY_INFO *info)
{
    uint8_t *der = NULL;
    const int len = info != NULL ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;
    PKCS8_PRIV_KEY_INFO_free(info);
    if (len <= 0) {
        return cl_ossl_failed(CLEAT_ERR_CRYPTO);
    }
    const cl_result r = cl_buf_append(out, der, (size_t)len, SIZE_MAX);
    OPENSSL_clear_free(der, (size_t)len);
    return r;
}

cl_result cl_key_to_pkcs8(const struct cleat_key *key, struct cl_buf *out)
{
    return key->external ? CLEAT_ERR_UNSUPPORTED : cl_pkcs8_append(out, EVP_PKEY2PKCS8(key->pkey));
}

cl_result cl_key_to_pem(const struct cleat_key *key, struct cl_buf *out)
{
    struct cl_buf der = {0};
    cl_result r = cl_key_to_pkcs8(key, &der);
    if (r == CL_OK) {
        r = cl_pem_encode("PRIVATE KEY", cl_buf_view(&der), out);
    }
    cl_buf_deinit(&der);
    return r;
}

/* ---- generation ---- */

static EVP_PKEY *generate(enum cl_key_type type, unsigned bits)
{
    switch (type) {
    case CL_KEY_RSA:
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
    case CL_KEY_RSA_PSS: {
        EVP_PKEY *pkey = NULL;
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
        if (ctx != NULL && EVP_PKEY_keygen_init(ctx) == 1 &&
            EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits) == 1) {
            (void)EVP_PKEY_generate(ctx, &pkey);
        }
        EVP_PKEY_CTX_free(ctx);
        return pkey;
    }
    default:
        break;
    }
    const char *name = cl_key_type_evp_name(type);
    return name != NULL ? EVP_PKEY_Q_keygen(NULL, NULL, name)
                        : EVP_PKEY_Q_keygen(NULL, NULL, "EC", OBJ_nid2sn(cl_key_type_nid(type)));
}

cl_result cl_key_generate(struct cleat_key **out, enum cl_key_type type, unsigned bits)
{
    const bool rsa = type == CL_KEY_RSA || type == CL_KEY_RSA_PSS;
    *out = NULL;
    const bool evp = cl_key_type_evp_name(type) != NULL;
    if ((!rsa && !evp && cl_key_type_nid(type) == 0) ||
        (cl_key_is_ml_dsa(type) && !cl_ml_dsa_available())) {
        return CLEAT_ERR_UNSUPPORTED;
    }
    if (rsa && (bits < RSA_MIN_BITS || bits > CL_RSA_MAX_BITS)) {
        return CLEAT_ERR_UNSUPPORTED;
    }
    EVP_PKEY *pkey = generate(type, bits);
    if (pkey == NULL) {
        return cl_ossl_failed(CLEAT_ERR_CRYPTO);
    }
    return wrap(pkey, out, &bits);
}

/* ---- life and questions ---- */

struct cleat_key *cleat_key_ref(struct cleat_key *key)
{
    key->num_refs++;
    return key;
}

void cleat_key_free(struct cleat_key *key)
{
    if (key == NULL || --key->num_refs != 0) {
        return;
    }
    cl_lane_key_free(key->lane);
    cl_pubkey_deinit(&key->pub); /* libcrypto wipes private parts as it frees them */
    EVP_PKEY_free(key->pkey);
    cl_free(key->spki);
    cl_free(key);
}

const char *cleat_key_kind(const struct cleat_key *key)
{
    return cl_key_type_name(key->pub.alg.type);
}

enum cl_key_type cl_key_type(const struct cleat_key *key)
{
    return key->pub.alg.type;
}

unsigned cl_key_bits(const struct cleat_key *key)
{
    return key->pub.bits;
}

struct cl_rd cl_key_spki(const struct cleat_key *key)
{
    return cl_rd_of(key->spki, key->spki_len);
}

size_t cl_key_max_signature(const struct cleat_key *key)
{
    if (key->pub.rsa != NULL) {
        return (size_t)RSA_size(key->pub.rsa);
    }
    if (key->pub.point_len != 0) {
        return 2 * (((size_t)key->pub.bits + 7) / 8) + ECDSA_OVERHEAD;
    }
    static const uint16_t lengths[] = {
        [CL_KEY_ED25519] = 64,                                /* RFC 8032 5.1.6, 5.2.6 */
        [CL_KEY_ED448] = 114,      [CL_KEY_ML_DSA_44] = 2420, /* FIPS 204, table 2 */
        [CL_KEY_ML_DSA_65] = 3309, [CL_KEY_ML_DSA_87] = CL_SIGNATURE_MAX,
    };
    return lengths[key->pub.alg.type];
}
