/* crypto/spki.c - the outside of a SubjectPublicKeyInfo: which algorithm, which restrictions, which
 * bytes (RFC 5280 4.1.2.7, RFC 5480, RFC 4055, RFC 8410,
 * RFC 9881).
 *
 * Strict DER, by hand: libcrypto's decoders cost more than the signature check that follows. Views
 * into the input; nothing is allocated.
 */
#include "crypto/key_impl.h"

#define TAG_INTEGER    0x02
#define TAG_BIT_STRING 0x03
#define TAG_NULL       0x05
#define TAG_OID        0x06
#define TAG_SEQUENCE   0x30
#define TAG_CONTEXT(n) ((uint8_t)(0xa0 + (n)))

/* The longest length field: 3 bytes behind the 0x83, far above CL_RSA_MAX_BITS. */
#define MAX_LENGTH_BYTES 3

/* take reads one element with this tag; false when the next one is another or is not DER. */
static bool take(struct cl_rd *r, uint8_t tag, struct cl_rd *out)
{
    struct cl_rd at = *r;
    uint8_t t = 0;
    uint8_t first = 0;
    if (!cl_rd_u8(&at, &t) || t != tag || !cl_rd_u8(&at, &first)) {
        return false;
    }
    size_t len = first;
    if (first >= 0x80) {
        const uint8_t num = first & 0x7f;
        len = 0;
        for (uint8_t i = 0; i < num; i++) {
            uint8_t b = 0;
            if (num > MAX_LENGTH_BYTES || !cl_rd_u8(&at, &b)) {
                return false;
            }
            len = len << 8 | b;
        }
        /* X.690 10.1: the shortest form of a length */
        if (len < 0x80 || (num > 1 && len >> (8 * (num - 1)) == 0)) {
            return false;
        }
    }
    if (!cl_rd_take(&at, len, out)) {
        return false;
    }
    *r = at;
    return true;
}

static bool next_is(const struct cl_rd *r, uint8_t tag)
{
    return r->len != 0 && r->p[0] == tag;
}

/* take_unsigned reads an INTEGER >= 0 in its shortest form, without its sign byte. */
static bool take_unsigned(struct cl_rd *r, struct cl_rd *out)
{
    struct cl_rd v;
    if (!take(r, TAG_INTEGER, &v) || v.len == 0 || (v.p[0] & 0x80) != 0) {
        return false;
    }
    if (v.p[0] == 0 && v.len > 1) {
        if ((v.p[1] & 0x80) == 0 || !cl_rd_skip(&v, 1)) {
            return false;
        }
    }
    *out = v;
    return true;
}

#define BYTES(s)                            \
    {                                       \
        (const uint8_t *)(s), sizeof(s) - 1 \
    }

/* RFC 4055 2.1, RFC 5758: id-sha256, id-sha384, id-sha512 */
static const struct {
    struct cl_rd oid;
    enum cl_hash_id hash;
} hash_oids[] = {
    {BYTES("\x60\x86\x48\x01\x65\x03\x04\x02\x01"), CL_HASH_SHA256},
    {BYTES("\x60\x86\x48\x01\x65\x03\x04\x02\x02"), CL_HASH_SHA384},
    {BYTES("\x60\x86\x48\x01\x65\x03\x04\x02\x03"), CL_HASH_SHA512},
};

static const struct cl_rd oid_mgf1 = BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08");

/* hash_algorithm reads an AlgorithmIdentifier of a hash: parameters NULL or absent (RFC 4055 2.1).
 */
static cl_result hash_algorithm(struct cl_rd *r, enum cl_hash_id *out)
{
    struct cl_rd seq;
    struct cl_rd oid;
    struct cl_rd null;
    if (!take(r, TAG_SEQUENCE, &seq) || !take(&seq, TAG_OID, &oid)) {
        return CLEAT_ERR_BAD_KEY;
    }
    if (!cl_rd_done(&seq) && (!take(&seq, TAG_NULL, &null) || null.len != 0)) {
        return CLEAT_ERR_BAD_KEY;
    }
    if (!cl_rd_done(&seq)) {
        return CLEAT_ERR_BAD_KEY;
    }
    for (size_t i = 0; i < sizeof(hash_oids) / sizeof(hash_oids[0]); i++) {
        if (cl_rd_equal(oid, hash_oids[i].oid)) {
            *out = hash_oids[i].hash;
            return CL_OK;
        }
    }
    return CLEAT_ERR_UNSUPPORTED;
}

/* mask_generation reads the AlgorithmIdentifier of MGF1 with its hash. */
static cl_result mask_generation(struct cl_rd *r, enum cl_hash_id *out)
{
    struct cl_rd seq;
    struct cl_rd oid;
    if (!take(r, TAG_SEQUENCE, &seq) || !take(&seq, TAG_OID, &oid)) {
        return CLEAT_ERR_BAD_KEY;
    }
    if (!cl_rd_equal(oid, oid_mgf1)) {
        return CLEAT_ERR_UNSUPPORTED;
    }
    CL_TRY(hash_algorithm(&seq, out));
    return cl_rd_done(&seq) ? CL_OK : CLEAT_ERR_BAD_KEY;
}

/* salt_and_trailer reads [2] saltLength (20 when absent) and [3] trailerField (must be 1). */
static cl_result salt_and_trailer(struct cl_rd *seq, size_t max_salt)
{
    struct cl_rd field;
    struct cl_rd value;
    size_t salt = 20;
    if (next_is(seq, TAG_CONTEXT(2))) {
        if (!take(seq, TAG_CONTEXT(2), &field) || !take_unsigned(&field, &value) ||
            !cl_rd_done(&field)) {
            return CLEAT_ERR_BAD_KEY;
        }
        salt = value.len == 1 ? value.p[0] : SIZE_MAX;
    }
    if (next_is(seq, TAG_CONTEXT(3))) {
        if (!take(seq, TAG_CONTEXT(3), &field) || !take_unsigned(&field, &value) ||
            !cl_rd_done(&field) || value.len != 1 || value.p[0] != 1) {
            return CLEAT_ERR_BAD_KEY;
        }
    }
    /* RFC 4055 3.1: saltLength of a key is the minimum; we sign and check with the hash's length.
     */
    return salt <= max_salt ? CL_OK : CLEAT_ERR_UNSUPPORTED;
}

/* pss_params reads RSASSA-PSS-params (RFC 4055 3.1) as a restriction on the key. Fields that are
 * absent mean SHA-1, which we never sign with. */
static cl_result pss_params(struct cl_rd params, enum cl_hash_id *out)
{
    struct cl_rd seq;
    struct cl_rd field;
    enum cl_hash_id hash = CL_HASH_NONE;
    enum cl_hash_id mask_hash = CL_HASH_NONE;
    if (cl_rd_done(&params)) {
        *out = CL_HASH_NONE; /* no restriction */
        return CL_OK;
    }
    if (!take(&params, TAG_SEQUENCE, &seq) || !cl_rd_done(&params)) {
        return CLEAT_ERR_BAD_KEY;
    }
    if (!take(&seq, TAG_CONTEXT(0), &field)) {
        return CLEAT_ERR_UNSUPPORTED;
    }
    CL_TRY(hash_algorithm(&field, &hash));
    if (!cl_rd_done(&field)) {
        return CLEAT_ERR_BAD_KEY;
    }
    if (!take(&seq, TAG_CONTEXT(1), &field)) {
        return CLEAT_ERR_UNSUPPORTED;
    }
    CL_TRY(mask_generation(&field, &mask_hash));
    CL_TRY(salt_and_trailer(&seq, cl_hash_len(hash)));
    if (!cl_rd_done(&field) || !cl_rd_done(&seq)) {
        return CLEAT_ERR_BAD_KEY;
    }
    *out = hash;
    return mask_hash == hash ? CL_OK : CLEAT_ERR_UNSUPPORTED;
}

/* RFC 5480 2.1.1.1: namedCurve only. */
static const struct {
    struct cl_rd oid;
    enum cl_key_type type;
} curve_oids[] = {
    {BYTES("\x2a\x86\x48\xce\x3d\x03\x01\x07"), CL_KEY_EC_P256},
    {BYTES("\x2b\x81\x04\x00\x22"), CL_KEY_EC_P384},
    {BYTES("\x2b\x81\x04\x00\x23"), CL_KEY_EC_P521},
};

static cl_result curve_params(struct cl_rd params, enum cl_key_type *out)
{
    struct cl_rd oid;
    if (!take(&params, TAG_OID, &oid)) {
        return next_is(&params, TAG_SEQUENCE) ? CLEAT_ERR_UNSUPPORTED : CLEAT_ERR_BAD_KEY;
    }
    if (!cl_rd_done(&params)) {
        return CLEAT_ERR_BAD_KEY;
    }
    for (size_t i = 0; i < sizeof(curve_oids) / sizeof(curve_oids[0]); i++) {
        if (cl_rd_equal(oid, curve_oids[i].oid)) {
            *out = curve_oids[i].type;
            return CL_OK;
        }
    }
    return CLEAT_ERR_UNSUPPORTED;
}

/* id-ecPublicKey stands as CL_KEY_NONE: its parameters name the curve. */
static const struct {
    struct cl_rd oid;
    enum cl_key_type type;
} key_oids[] = {
    {BYTES("\x2a\x86\x48\xce\x3d\x02\x01"), CL_KEY_NONE},
    {BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"), CL_KEY_RSA},
    {BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), CL_KEY_RSA_PSS},
    {BYTES("\x2b\x65\x70"), CL_KEY_ED25519},
    {BYTES("\x2b\x65\x71"), CL_KEY_ED448},
    /* RFC 9881 2 */
    {BYTES("\x60\x86\x48\x01\x65\x03\x04\x03\x11"), CL_KEY_ML_DSA_44},
    {BYTES("\x60\x86\x48\x01\x65\x03\x04\x03\x12"), CL_KEY_ML_DSA_65},
    {BYTES("\x60\x86\x48\x01\x65\x03\x04\x03\x13"), CL_KEY_ML_DSA_87},
};

static cl_result params_of(struct cl_key_alg *alg, struct cl_rd params)
{
    struct cl_rd null;
    switch (alg->type) {
    case CL_KEY_NONE:
        return curve_params(params, &alg->type);
    case CL_KEY_RSA:
        /* RFC 3279 2.3.1: "The parameters field MUST have ASN.1 type NULL" */
        return take(&params, TAG_NULL, &null) && null.len == 0 && cl_rd_done(&params)
                   ? CL_OK
                   : CLEAT_ERR_BAD_KEY;
    case CL_KEY_RSA_PSS:
        return pss_params(params, &alg->pss_hash);
    default:
        /* RFC 8410 3, RFC 9881 2: "the parameters MUST be absent" */
        return cl_rd_done(&params) ? CL_OK : CLEAT_ERR_BAD_KEY;
    }
}

cl_result cl_spki_parse(struct cl_spki *out, struct cl_rd der)
{
    struct cl_rd spki;
    struct cl_rd algorithm;
    struct cl_rd oid;
    struct cl_rd bits;
    uint8_t unused_bits = 0;
    if (!take(&der, TAG_SEQUENCE, &spki) || !cl_rd_done(&der) ||
        !take(&spki, TAG_SEQUENCE, &algorithm) || !take(&algorithm, TAG_OID, &oid) ||
        !take(&spki, TAG_BIT_STRING, &bits) || !cl_rd_done(&spki) ||
        !cl_rd_u8(&bits, &unused_bits) || unused_bits != 0) {
        return CLEAT_ERR_BAD_KEY;
    }
    out->key = bits;
    for (size_t i = 0; i < sizeof(key_oids) / sizeof(key_oids[0]); i++) {
        if (cl_rd_equal(oid, key_oids[i].oid)) {
            out->alg = (struct cl_key_alg){.type = key_oids[i].type};
            return params_of(&out->alg, algorithm);
        }
    }
    return CLEAT_ERR_UNSUPPORTED;
}

enum cl_key_type cl_spki_type(struct cl_rd der)
{
    struct cl_spki spki;
    return cl_spki_parse(&spki, der) == CL_OK ? spki.alg.type : CL_KEY_NONE;
}

cl_result cl_spki_rsa_key(struct cl_rd der, struct cl_rd *n, struct cl_rd *e)
{
    struct cl_rd seq;
    return take(&der, TAG_SEQUENCE, &seq) && cl_rd_done(&der) && take_unsigned(&seq, n) &&
                   take_unsigned(&seq, e) && cl_rd_done(&seq)
               ? CL_OK
               : CLEAT_ERR_BAD_KEY;
}

cl_result cl_spki_ecdsa_numbers(struct cl_rd der, struct cl_rd *r, struct cl_rd *s)
{
    struct cl_rd seq;
    return take(&der, TAG_SEQUENCE, &seq) && cl_rd_done(&der) && take_unsigned(&seq, r) &&
                   take_unsigned(&seq, s) && cl_rd_done(&seq)
               ? CL_OK
               : CLEAT_ERR_BAD_SIGNATURE;
}
