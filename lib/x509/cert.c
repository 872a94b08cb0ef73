/* x509/cert.c - DER → struct cleat_cert (RFC 5280 4.1). One allocation holds the struct and the
 * DER.
 *
 * Parsing refuses what is not DER or not the grammar. What is well formed and only departs from the
 * profile (serial numbers, choice of time) is noted in `odd` for lint.c: roots that are decades old
 * are trusted all the same.
 */
#include "base/mem.h"
#include "x509/dn.h"

static cl_result bad(struct cleat_error *err, const char *section, const char *what)
{
    return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CERTIFICATE, .section = section},
                        "malformed certificate: %s", what);
}

static bool parse_version(struct cl_rd *tbs, uint8_t *out)
{
    struct cl_rd field;
    bool present;
    uint32_t value;
    *out = 1;
    if (!cl_der_optional(tbs, CL_DER_CTXC(0), &field, &present)) {
        return false;
    }
    if (present) {
        /* X.690 11.5: the default, v1, is not encoded. */
        if (!cl_der_u32(&field, &value) || !cl_rd_done(&field) || value < 1 || value > 2) {
            return false;
        }
        *out = (uint8_t)(value + 1);
    }
    return true;
}

/* 64: RFC 5280 4.1.2.2 allows 20; longer ones are noted, absurd ones refused */
#define MAX_SERIAL 64

static bool parse_serial(struct cleat_cert *cert, struct cl_rd *tbs)
{
    if (!cl_der_integer(tbs, &cert->serial) || cert->serial.len > MAX_SERIAL) {
        return false;
    }
    if ((cert->serial.p[0] & 0x80) != 0 || (cert->serial.len == 1 && cert->serial.p[0] == 0)) {
        cert->odd |= CL_ODD_SERIAL_SIGN;
    }
    if (cert->serial.len > 20) {
        cert->odd |= CL_ODD_SERIAL_LENGTH;
    }
    return true;
}

static bool parse_time(struct cleat_cert *cert, struct cl_rd *r, int64_t *out)
{
    const bool generalized = cl_der_peek(r, CL_DER_GENERALIZED_TIME);
    if (!cl_der_time(r, out)) {
        return false;
    }
    /* RFC 5280 4.1.2.5: "MUST always encode certificate validity dates through the year 2049 as
     * UTCTime" */
    if (generalized && *out < CL_DER_YEAR_2050) {
        cert->odd |= CL_ODD_TIME_CHOICE;
    }
    return true;
}

static bool parse_validity(struct cleat_cert *cert, struct cl_rd *tbs)
{
    struct cl_rd validity;
    return cl_der_get(tbs, CL_DER_SEQUENCE, &validity) &&
           parse_time(cert, &validity, &cert->not_before) &&
           parse_time(cert, &validity, &cert->not_after) && cl_rd_done(&validity);
}

static bool parse_spki(struct cleat_cert *cert, struct cl_rd *tbs)
{
    struct cl_rd body;
    uint8_t tag;
    return cl_der_any(tbs, &tag, &body, &cert->spki) && tag == CL_DER_SEQUENCE &&
           cl_alg_key(cert->spki, &cert->key_oid, &cert->key_type);
}

static bool parse_unique_ids(struct cleat_cert *cert, struct cl_rd *tbs)
{
    for (unsigned i = 1; i <= 2; i++) {
        struct cl_rd body;
        struct cl_rd bits;
        bool present;
        uint8_t num_unused;
        if (!cl_der_optional(tbs, CL_DER_CTX(i), &body, &present) ||
            (present && (cert->version < 2 || !cl_der_bits_body(body, &bits, &num_unused)))) {
            return false;
        }
        cert->odd |= present ? CL_ODD_UNIQUE_ID : 0;
    }
    return true;
}

static bool find_exts(struct cleat_cert *cert, struct cl_rd *tbs)
{
    struct cl_rd field;
    bool present;
    if (!cl_der_optional(tbs, CL_DER_CTXC(3), &field, &present)) {
        return false;
    }
    /* RFC 5280 4.1.2.9: "This field MUST only appear if the version is 3"; SIZE (1..MAX) */
    return !present || (cert->version == 3 && cl_der_get(&field, CL_DER_SEQUENCE, &cert->exts) &&
                        cl_rd_done(&field) && !cl_rd_done(&cert->exts));
}

static cl_result parse_tbs(struct cleat_cert *cert, struct cl_rd tbs, struct cl_rd *algorithm,
                           struct cleat_error *err)
{
    if (!parse_version(&tbs, &cert->version)) {
        return bad(err, "RFC 5280 4.1.2.1", "version");
    }
    if (!parse_serial(cert, &tbs)) {
        return bad(err, "RFC 5280 4.1.2.2", "serial number");
    }
    if (!cl_der_get(&tbs, CL_DER_SEQUENCE, algorithm)) {
        return bad(err, "RFC 5280 4.1.2.3", "signature algorithm");
    }
    if (!cl_name_parse(&tbs, &cert->issuer)) {
        return bad(err, "RFC 5280 4.1.2.4", "issuer");
    }
    if (!parse_validity(cert, &tbs)) {
        return bad(err, "RFC 5280 4.1.2.5", "validity");
    }
    if (!cl_name_parse(&tbs, &cert->subject)) {
        return bad(err, "RFC 5280 4.1.2.6", "subject");
    }
    if (!parse_spki(cert, &tbs)) {
        return bad(err, "RFC 5280 4.1.2.7", "subject public key info");
    }
    if (!parse_unique_ids(cert, &tbs)) {
        return bad(err, "RFC 5280 4.1.2.8", "unique identifiers");
    }
    if (!find_exts(cert, &tbs) || !cl_rd_done(&tbs)) {
        return bad(err, "RFC 5280 4.1.2.9", "extensions");
    }
    cert->self_issued = cl_name_equal(&cert->subject, &cert->issuer);
    return CL_OK;
}

static cl_result parse(struct cleat_cert *cert, struct cleat_error *err)
{
    struct cl_rd all = cert->der;
    struct cl_rd body;
    struct cl_rd tbs;
    struct cl_rd algorithm;
    struct cl_rd tbs_algorithm;
    uint8_t tag;
    if (!cl_der_get(&all, CL_DER_SEQUENCE, &body) || !cl_rd_done(&all) ||
        !cl_der_any(&body, &tag, &tbs, &cert->tbs) || tag != CL_DER_SEQUENCE ||
        !cl_der_get(&body, CL_DER_SEQUENCE, &algorithm)) {
        return bad(err, "RFC 5280 4.1", "not a SEQUENCE of three fields in DER");
    }
    if (!cl_der_bits_octets(&body, &cert->signature) || !cl_rd_done(&body)) {
        return bad(err, "RFC 5280 4.1.1.3", "signature value");
    }
    CL_TRY(parse_tbs(cert, tbs, &tbs_algorithm, err));
    /* RFC 5280 4.1.1.2: "This field MUST contain the same algorithm identifier as the signature
     * field in the sequence tbsCertificate" */
    if (!cl_rd_equal(algorithm, tbs_algorithm)) {
        return bad(err, "RFC 5280 4.1.1.2", "its two signature algorithm identifiers differ");
    }
    if (!cl_alg_signature(algorithm, &cert->sig_oid, &cert->sig_alg)) {
        return bad(err, "RFC 5280 4.1.1.2", "signature algorithm");
    }
    return cl_exts_parse(cert, err);
}

cl_result cl_cert_parse(struct cleat_cert **out, struct cl_rd der, struct cleat_error *err)
{
    *out = NULL;
    if (der.len > CL_CERT_MAX_LEN) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CERTIFICATE},
                            "a certificate of %zu bytes is longer than the limit of %u", der.len,
                            CL_CERT_MAX_LEN);
    }
    struct cleat_cert *cert = cl_alloc(sizeof(*cert) + der.len);
    if (cert == NULL) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
    }
    *cert = (struct cleat_cert){.num_refs = 1,
                                .path_len = -1,
                                .require_explicit = CL_NO_LIMIT,
                                .inhibit_mapping = CL_NO_LIMIT,
                                .inhibit_any = CL_NO_LIMIT};
    uint8_t *copy = (uint8_t *)(cert + 1);
    if (der.len != 0) {
        memcpy(copy, der.p, der.len);
    }
    cert->der = cl_rd_of(copy, der.len);
    cl_result r = parse(cert, err);
    if (r != CL_OK) {
        cleat_cert_free(cert);
        return r;
    }
    *out = cert;
    return CL_OK;
}

int cleat_cert_from_der(const uint8_t *der, size_t len, struct cleat_cert **out,
                        struct cleat_error *err)
{
    return (int)cl_cert_parse(out, cl_rd_of(der, len), err);
}

struct cleat_cert *cleat_cert_ref(const struct cleat_cert *cert)
{
    /* The count is not part of what is immutable. */
    struct cleat_cert *own = (struct cleat_cert *)(uintptr_t)cert;
    atomic_fetch_add_explicit(&own->num_refs, 1, memory_order_relaxed);
    return own;
}

void cleat_cert_free(struct cleat_cert *cert)
{
    if (cert != NULL && atomic_fetch_sub_explicit(&cert->num_refs, 1, memory_order_acq_rel) == 1) {
        cl_pubkey_free(atomic_load(&cert->pubkey));
        cl_free(cert);
    }
}

cl_result cl_cert_pubkey(const struct cleat_cert *cert, const struct cl_pubkey **out)
{
    struct cleat_cert *own = (struct cleat_cert *)(uintptr_t)cert;
    struct cl_pubkey *key = atomic_load_explicit(&own->pubkey, memory_order_acquire);
    *out = key;
    if (key != NULL) {
        return CL_OK;
    }
    CL_TRY(cl_pubkey_parse(&key, cert->spki));
    struct cl_pubkey *other = NULL;
    if (!atomic_compare_exchange_strong(&own->pubkey, &other, key)) {
        cl_pubkey_free(key);
        key = other;
    }
    *out = key;
    return CL_OK;
}

struct cl_rd cl_cert_der(const struct cleat_cert *cert)
{
    return cert->der;
}

struct cl_rd cl_cert_spki(const struct cleat_cert *cert)
{
    return cert->spki;
}

struct cl_rd cl_cert_subject_der(const struct cleat_cert *cert)
{
    return cert->subject.der;
}

struct cl_rd cl_cert_issuer_der(const struct cleat_cert *cert)
{
    return cert->issuer.der;
}

enum cl_key_type cl_cert_key_type(const struct cleat_cert *cert)
{
    return cert->key_type;
}

const struct cl_sig_alg *cl_cert_sig_alg(const struct cleat_cert *cert)
{
    return cert->sig_alg;
}

bool cl_cert_allows_key_encipherment(const struct cleat_cert *cert)
{
    return !cl_cert_has(cert, CL_OID_EXT_KEY_USAGE) ||
           (cert->key_usage & CL_KU_KEY_ENCIPHERMENT) != 0;
}

bool cl_cert_allows_digital_signature(const struct cleat_cert *cert)
{
    return !cl_cert_has(cert, CL_OID_EXT_KEY_USAGE) ||
           (cert->key_usage & CL_KU_DIGITAL_SIGNATURE) != 0;
}
