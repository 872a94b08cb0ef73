/* x509/algid.c - AlgorithmIdentifier: which signature, which kind of key (RFC 3279, 4055, 5480,
 * 5758, 8410). A signature's digest is part of its row, so it is bound to the OID and nothing else;
 * the parameters must be exactly what the RFCs say. */
#include "x509/fields.h"

#define BYTES(s)                            \
    {                                       \
        (const uint8_t *)(s), sizeof(s) - 1 \
    }

enum params {
    PARAMS_ABSENT,
    PARAMS_NULL,           /* RFC 4055 5: "the parameters component ... MUST be NULL" */
    PARAMS_NULL_OR_ABSENT, /* RFC 4055 2.1: hashes: both "MUST be accepted" */
    PARAMS_PSS,
    PARAMS_ANY,
};

/* scheme: the TLS number of the algorithm, 0 for one that is known by name and refused. The curve
 * of an ECDSA key is not bound to the digest in X.509, so those have rows of their own (any_curve).
 */
static const struct sig_row {
    struct cl_rd oid;
    const char *name;
    uint16_t scheme;
    enum params params;
} sig_rows[] = {
    {BYTES("\x2a\x86\x48\xce\x3d\x04\x03\x02"), "ecdsa-with-SHA256", 0x0403, PARAMS_ABSENT},
    {BYTES("\x2a\x86\x48\xce\x3d\x04\x03\x03"), "ecdsa-with-SHA384", 0x0503, PARAMS_ABSENT},
    {BYTES("\x2a\x86\x48\xce\x3d\x04\x03\x04"), "ecdsa-with-SHA512", 0x0603, PARAMS_ABSENT},
    {BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"), "sha256WithRSAEncryption", 0x0401, PARAMS_NULL},
    {BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"), "sha384WithRSAEncryption", 0x0501, PARAMS_NULL},
    {BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"), "sha512WithRSAEncryption", 0x0601, PARAMS_NULL},
    {BYTES("\x2b\x65\x70"), "Ed25519", 0x0807, PARAMS_ABSENT},
    {BYTES("\x2b\x65\x71"), "Ed448", 0x0808, PARAMS_ABSENT},
    {BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), "RSASSA-PSS", 0, PARAMS_PSS},
    {BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"), "sha1WithRSAEncryption", 0, PARAMS_ANY},
    {BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"), "md5WithRSAEncryption", 0, PARAMS_ANY},
    {BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02"), "md2WithRSAEncryption", 0, PARAMS_ANY},
    {BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e"), "sha224WithRSAEncryption", 0, PARAMS_ANY},
    {BYTES("\x2a\x86\x48\xce\x3d\x04\x01"), "ecdsa-with-SHA1", 0, PARAMS_ANY},
    {BYTES("\x2a\x86\x48\xce\x3d\x04\x03\x01"), "ecdsa-with-SHA224", 0, PARAMS_ANY},
    {BYTES("\x2a\x86\x48\xce\x38\x04\x03"), "dsa-with-sha1", 0, PARAMS_ANY},
    {BYTES("\x60\x86\x48\x01\x65\x03\x04\x03\x02"), "dsa-with-sha256", 0, PARAMS_ANY},
    {BYTES("\x60\x86\x48\x01\x65\x03\x04\x03\x11"), "ML-DSA-44", 0x0904, PARAMS_ABSENT},
    {BYTES("\x60\x86\x48\x01\x65\x03\x04\x03\x12"), "ML-DSA-65", 0x0905, PARAMS_ABSENT},
    {BYTES("\x60\x86\x48\x01\x65\x03\x04\x03\x13"), "ML-DSA-87", 0x0906, PARAMS_ABSENT},
};
#define NUM_SIG_ROWS (sizeof(sig_rows) / sizeof(sig_rows[0]))

static const struct cl_sig_alg any_curve[] = {
    {.name = "ecdsa-with-SHA256", .scheme = 0x0403, .hash = CL_HASH_SHA256, .tls12 = true},
    {.name = "ecdsa-with-SHA384", .scheme = 0x0503, .hash = CL_HASH_SHA384, .tls12 = true},
    {.name = "ecdsa-with-SHA512", .scheme = 0x0603, .hash = CL_HASH_SHA512, .tls12 = true},
};

static const struct {
    struct cl_rd oid;
    enum cl_hash_id hash;
    uint16_t pss_scheme; /* rsa_pss_rsae_*; verify.c changes to rsa_pss_pss_* for such keys */
} hash_rows[] = {
    {BYTES("\x60\x86\x48\x01\x65\x03\x04\x02\x01"), CL_HASH_SHA256, 0x0804},
    {BYTES("\x60\x86\x48\x01\x65\x03\x04\x02\x02"), CL_HASH_SHA384, 0x0805},
    {BYTES("\x60\x86\x48\x01\x65\x03\x04\x02\x03"), CL_HASH_SHA512, 0x0806},
};
#define NUM_HASH_ROWS (sizeof(hash_rows) / sizeof(hash_rows[0]))

static const struct cl_rd oid_mgf1 = BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08");

static bool split(struct cl_rd algorithm, struct cl_rd *oid, struct cl_rd *params)
{
    if (!cl_der_oid(&algorithm, oid)) {
        return false;
    }
    *params = algorithm;
    struct cl_rd body;
    uint8_t tag;
    return cl_rd_done(&algorithm) ||
           (cl_der_any(&algorithm, &tag, &body, NULL) && cl_rd_done(&algorithm));
}

static bool is_null(struct cl_rd params)
{
    struct cl_rd body;
    return cl_der_get(&params, CL_DER_NULL, &body) && cl_rd_done(&body) && cl_rd_done(&params);
}

/* A hash's AlgorithmIdentifier: its row, or NUM_HASH_ROWS. */
static size_t hash_row(struct cl_rd *r)
{
    struct cl_rd algorithm;
    struct cl_rd oid;
    struct cl_rd params;
    if (!cl_der_get(r, CL_DER_SEQUENCE, &algorithm) || !split(algorithm, &oid, &params) ||
        (!cl_rd_done(&params) && !is_null(params))) {
        return NUM_HASH_ROWS;
    }
    size_t i = 0;
    while (i < NUM_HASH_ROWS && !cl_rd_equal(oid, hash_rows[i].oid)) {
        i++;
    }
    return i;
}

/* RSASSA-PSS-params (RFC 4055 3.1): one of three hashes, MGF1 with the same, a salt as long as the
 * digest, trailer field 1 (absent, being the default). Anything else - SHA-1 by default too - is no
 * algorithm of ours. */
static const struct cl_sig_alg *pss(struct cl_rd params)
{
    struct cl_rd fields;
    struct cl_rd field;
    struct cl_rd mgf;
    struct cl_rd oid;
    uint32_t salt_len;
    if (!cl_der_get(&params, CL_DER_SEQUENCE, &fields) || !cl_rd_done(&params) ||
        !cl_der_get(&fields, CL_DER_CTXC(0), &field)) {
        return NULL;
    }
    size_t row = hash_row(&field);
    if (row == NUM_HASH_ROWS || !cl_rd_done(&field) ||
        !cl_der_get(&fields, CL_DER_CTXC(1), &field) ||
        !cl_der_get(&field, CL_DER_SEQUENCE, &mgf) || !cl_rd_done(&field) ||
        !cl_der_oid(&mgf, &oid) || !cl_rd_equal(oid, oid_mgf1) || hash_row(&mgf) != row ||
        !cl_rd_done(&mgf)) {
        return NULL;
    }
    if (!cl_der_get(&fields, CL_DER_CTXC(2), &field) || !cl_der_u32(&field, &salt_len) ||
        !cl_rd_done(&field) || !cl_rd_done(&fields) ||
        salt_len != cl_hash_len(hash_rows[row].hash)) {
        return NULL;
    }
    return cl_sig_scheme(hash_rows[row].pss_scheme);
}

static const struct sig_row *find_sig(struct cl_rd oid)
{
    for (size_t i = 0; i < NUM_SIG_ROWS; i++) {
        if (cl_rd_equal(oid, sig_rows[i].oid)) {
            return &sig_rows[i];
        }
    }
    return NULL;
}

static const struct cl_sig_alg *alg_of_scheme(uint16_t scheme)
{
    for (size_t i = 0; i < sizeof(any_curve) / sizeof(any_curve[0]); i++) {
        if (any_curve[i].scheme == scheme) {
            return &any_curve[i];
        }
    }
    return cl_sig_scheme(scheme);
}

bool cl_alg_signature(struct cl_rd algorithm, struct cl_rd *oid, const struct cl_sig_alg **alg)
{
    struct cl_rd params;
    *alg = NULL;
    if (!split(algorithm, oid, &params)) {
        return false;
    }
    const struct sig_row *row = find_sig(*oid);
    if (row == NULL) {
        return true;
    }
    if (row->params == PARAMS_PSS) {
        *alg = pss(params);
    } else if (row->scheme != 0) {
        /* RFC 4055 5, of those that have NULL: "Implementations MUST accept the parameters being
         * absent as well as present." */
        bool good = cl_rd_done(&params) || (row->params == PARAMS_NULL && is_null(params));
        *alg = good ? alg_of_scheme(row->scheme) : NULL;
    }
    return true;
}

static const struct cl_rd oid_ec = BYTES("\x2a\x86\x48\xce\x3d\x02\x01");

static const struct {
    struct cl_rd oid;
    const char *name;
    enum cl_key_type type;
} key_rows[] = {
    {BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"), "RSA", CL_KEY_RSA},
    {BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), "RSA-PSS", CL_KEY_RSA_PSS},
    {BYTES("\x2b\x65\x70"), "Ed25519", CL_KEY_ED25519},
    {BYTES("\x2b\x65\x71"), "Ed448", CL_KEY_ED448},
    {BYTES("\x60\x86\x48\x01\x65\x03\x04\x03\x11"), "ML-DSA-44", CL_KEY_ML_DSA_44},
    {BYTES("\x60\x86\x48\x01\x65\x03\x04\x03\x12"), "ML-DSA-65", CL_KEY_ML_DSA_65},
    {BYTES("\x60\x86\x48\x01\x65\x03\x04\x03\x13"), "ML-DSA-87", CL_KEY_ML_DSA_87},
    {BYTES("\x2a\x86\x48\xce\x38\x04\x01"), "DSA", CL_KEY_NONE},
    {BYTES("\x2a\x86\x48\xce\x3d\x02\x01"), "EC (curve not known)", CL_KEY_NONE},
};

static const struct {
    struct cl_rd oid;
    enum cl_key_type type;
} curve_rows[] = {
    {BYTES("\x2a\x86\x48\xce\x3d\x03\x01\x07"), CL_KEY_EC_P256},
    {BYTES("\x2b\x81\x04\x00\x22"), CL_KEY_EC_P384},
    {BYTES("\x2b\x81\x04\x00\x23"), CL_KEY_EC_P521},
};

static enum cl_key_type curve_of(struct cl_rd params)
{
    struct cl_rd oid;
    if (cl_der_oid(&params, &oid) && cl_rd_done(&params)) {
        for (size_t i = 0; i < sizeof(curve_rows) / sizeof(curve_rows[0]); i++) {
            if (cl_rd_equal(oid, curve_rows[i].oid)) {
                return curve_rows[i].type;
            }
        }
    }
    return CL_KEY_NONE;
}

bool cl_alg_key(struct cl_rd spki, struct cl_rd *oid, enum cl_key_type *type)
{
    struct cl_rd fields;
    struct cl_rd algorithm;
    struct cl_rd params;
    struct cl_rd key;
    *type = CL_KEY_NONE;
    if (!cl_der_get(&spki, CL_DER_SEQUENCE, &fields) || !cl_rd_done(&spki) ||
        !cl_der_get(&fields, CL_DER_SEQUENCE, &algorithm) || !split(algorithm, oid, &params) ||
        !cl_der_bits_octets(&fields, &key) || !cl_rd_done(&fields)) {
        return false;
    }
    if (cl_rd_equal(*oid, oid_ec)) {
        *type = curve_of(params);
        return true;
    }
    for (size_t i = 0; i < sizeof(key_rows) / sizeof(key_rows[0]); i++) {
        if (cl_rd_equal(*oid, key_rows[i].oid)) {
            *type = key_rows[i].type;
        }
    }
    return true;
}

bool cl_alg_key_bytes(struct cl_rd spki, struct cl_rd *out)
{
    struct cl_rd fields;
    struct cl_rd algorithm;
    return cl_der_get(&spki, CL_DER_SEQUENCE, &fields) &&
           cl_der_get(&fields, CL_DER_SEQUENCE, &algorithm) && cl_der_bits_octets(&fields, out);
}

const char *cl_alg_name(struct cl_rd oid)
{
    for (size_t i = 0; i < sizeof(key_rows) / sizeof(key_rows[0]); i++) {
        if (cl_rd_equal(oid, key_rows[i].oid)) {
            return key_rows[i].name;
        }
    }
    const struct sig_row *row = find_sig(oid);
    return row != NULL ? row->name : NULL;
}

static void put_hash(struct cl_wr *w, size_t row)
{
    struct cl_der_mark seq = cl_der_open(w, CL_DER_SEQUENCE);
    cl_der_put(w, CL_DER_OID, hash_rows[row].oid);
    cl_der_put(w, CL_DER_NULL, (struct cl_rd){0});
    cl_der_close(w, seq);
}

static void put_pss_params(struct cl_wr *w, size_t row)
{
    struct cl_der_mark params = cl_der_open(w, CL_DER_SEQUENCE);
    struct cl_der_mark field = cl_der_open(w, CL_DER_CTXC(0));
    put_hash(w, row);
    cl_der_close(w, field);
    field = cl_der_open(w, CL_DER_CTXC(1));
    struct cl_der_mark mgf = cl_der_open(w, CL_DER_SEQUENCE);
    cl_der_put(w, CL_DER_OID, oid_mgf1);
    put_hash(w, row);
    cl_der_close(w, mgf);
    cl_der_close(w, field);
    field = cl_der_open(w, CL_DER_CTXC(2));
    cl_der_put_u32(w, (uint32_t)cl_hash_len(hash_rows[row].hash));
    cl_der_close(w, field);
    cl_der_close(w, params);
}

bool cl_alg_put(struct cl_wr *w, const struct cl_sig_alg *alg)
{
    size_t row = 0;
    while (row < NUM_SIG_ROWS &&
           (alg->padding == CL_PAD_PSS ? sig_rows[row].params != PARAMS_PSS
                                       : sig_rows[row].scheme != alg->scheme)) {
        row++;
    }
    size_t hash = 0;
    while (hash < NUM_HASH_ROWS && hash_rows[hash].hash != alg->hash) {
        hash++;
    }
    if (row == NUM_SIG_ROWS || (alg->padding == CL_PAD_PSS && hash == NUM_HASH_ROWS)) {
        return false;
    }
    struct cl_der_mark seq = cl_der_open(w, CL_DER_SEQUENCE);
    cl_der_put(w, CL_DER_OID, sig_rows[row].oid);
    if (sig_rows[row].params == PARAMS_NULL) {
        cl_der_put(w, CL_DER_NULL, (struct cl_rd){0});
    } else if (sig_rows[row].params == PARAMS_PSS) {
        put_pss_params(w, hash);
    }
    cl_der_close(w, seq);
    return true;
}
