/* x509/ocsp.c - see ocsp.h. */
#include "x509/ocsp.h"

#include "base/mem.h"
#include "crypto/hash.h"
#include "x509/dn.h"

static cl_result bad(struct cleat_error *err, const char *section, const char *what)
{
    return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CERTIFICATE, .section = section},
                        "malformed OCSP response: %s", what);
}

const char *cl_ocsp_status_name(uint8_t response_status)
{
    static const char *const names[] = {
        "successful", "malformedRequest", "internalError", "tryLater",
        "unknown",    "sigRequired",      "unauthorized",
    };
    return response_status < sizeof(names) / sizeof(names[0]) ? names[response_status] : "unknown";
}

/* ---- one answer ---- */

static bool hash_of_oid(struct cl_rd algorithm, enum cl_hash_id *out)
{
    static const struct {
        const char *oid;
        size_t len;
        enum cl_hash_id id;
    } rows[] = {
        {"\x2b\x0e\x03\x02\x1a", 5, CL_HASH_SHA1},
        {"\x60\x86\x48\x01\x65\x03\x04\x02\x01", 9, CL_HASH_SHA256},
        {"\x60\x86\x48\x01\x65\x03\x04\x02\x02", 9, CL_HASH_SHA384},
        {"\x60\x86\x48\x01\x65\x03\x04\x02\x03", 9, CL_HASH_SHA512},
    };
    struct cl_rd oid;
    struct cl_rd null;
    bool present;
    *out = CL_HASH_NONE;
    if (!cl_der_oid(&algorithm, &oid) ||
        !cl_der_optional(&algorithm, CL_DER_NULL, &null, &present) || !cl_rd_done(&algorithm) ||
        (present && null.len != 0)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (cl_rd_equal(oid, cl_rd_of(rows[i].oid, rows[i].len))) {
            *out = rows[i].id;
        }
    }
    return true;
}

static bool parse_cert_id(struct cl_rd *r, struct cl_ocsp_answer *out)
{
    struct cl_rd body;
    struct cl_rd algorithm;
    return cl_der_get(r, CL_DER_SEQUENCE, &body) &&
           cl_der_get(&body, CL_DER_SEQUENCE, &algorithm) && hash_of_oid(algorithm, &out->hash) &&
           cl_der_get(&body, CL_DER_OCTET_STRING, &out->issuer_name_hash) &&
           cl_der_get(&body, CL_DER_OCTET_STRING, &out->issuer_key_hash) &&
           cl_der_integer(&body, &out->serial) && cl_rd_done(&body);
}

static bool parse_revoked(struct cl_rd body, struct cl_ocsp_answer *out)
{
    struct cl_rd field;
    struct cl_rd reason;
    bool present;
    out->status = CL_OCSP_REVOKED;
    if (!cl_der_time(&body, &out->revoked_at) ||
        !cl_der_optional(&body, CL_DER_CTXC(0), &field, &present) || !cl_rd_done(&body)) {
        return false;
    }
    if (!present) {
        return true;
    }
    if (!cl_der_get(&field, CL_DER_ENUMERATED, &reason) || reason.len != 1 || !cl_rd_done(&field)) {
        return false;
    }
    out->reason = reason.p[0];
    return true;
}

static bool parse_status(struct cl_rd *r, struct cl_ocsp_answer *out)
{
    struct cl_rd body;
    struct cl_rd whole;
    uint8_t tag;
    if (!cl_der_any(r, &tag, &body, &whole)) {
        return false;
    }
    switch (tag) {
    case CL_DER_CTX(0):
        out->status = CL_OCSP_GOOD;
        return body.len == 0;
    case CL_DER_CTXC(1):
        return parse_revoked(body, out);
    case CL_DER_CTX(2):
        out->status = CL_OCSP_UNKNOWN;
        return body.len == 0;
    default:
        return false;
    }
}

static bool parse_answer_exts(struct cl_rd exts, struct cl_ocsp_answer *out)
{
    while (!cl_rd_done(&exts)) {
        struct cl_ext ext;
        if (!cl_ext_next(&exts, &ext)) {
            return false;
        }
        if (ext.id == CL_OID_OCSP_SCT_LIST) {
            /* one that is malformed is none: it is about something else than revocation */
            if (!cl_der_get(&ext.value, CL_DER_OCTET_STRING, &out->scts) ||
                !cl_rd_done(&ext.value)) {
                out->scts = (struct cl_rd){0};
            }
        } else if (ext.critical) {
            out->unusable = "it has a critical extension that is not understood";
        }
    }
    return true;
}

/* Extensions under an explicit tag, optional. */
static bool optional_exts(struct cl_rd *r, uint8_t tag, struct cl_rd *exts)
{
    struct cl_rd field;
    bool present;
    *exts = (struct cl_rd){0};
    return cl_der_optional(r, tag, &field, &present) &&
           (!present || (cl_der_get(&field, CL_DER_SEQUENCE, exts) && cl_rd_done(&field)));
}

bool cl_ocsp_next(struct cl_rd *answers, struct cl_ocsp_answer *out)
{
    struct cl_rd body;
    struct cl_rd next;
    struct cl_rd exts;
    bool present;
    *out = (struct cl_ocsp_answer){.next_update = INT64_MIN};
    if (!cl_der_get(answers, CL_DER_SEQUENCE, &body) || !parse_cert_id(&body, out) ||
        !parse_status(&body, out) || !cl_der_time(&body, &out->this_update) ||
        !cl_der_optional(&body, CL_DER_CTXC(0), &next, &present)) {
        return false;
    }
    if (present && (!cl_der_time(&next, &out->next_update) || !cl_rd_done(&next))) {
        return false;
    }
    return optional_exts(&body, CL_DER_CTXC(1), &exts) && cl_rd_done(&body) &&
           parse_answer_exts(exts, out);
}

/* ---- the response ---- */

/* ResponderID: byName [1] Name, byKey [2] OCTET STRING, both explicit. */
static bool parse_responder(struct cl_rd *tbs, struct cl_ocsp *out)
{
    struct cl_rd body;
    bool by_name = cl_der_peek(tbs, CL_DER_CTXC(1));
    if (!cl_der_get(tbs, by_name ? CL_DER_CTXC(1) : CL_DER_CTXC(2), &body)) {
        return false;
    }
    return (by_name ? cl_name_parse(&body, &out->responder_name)
                    : cl_der_get(&body, CL_DER_OCTET_STRING, &out->responder_key)) &&
           cl_rd_done(&body);
}

static bool check_answers(struct cl_ocsp *out)
{
    struct cl_rd rest = out->answers;
    struct cl_ocsp_answer answer;
    while (!cl_rd_done(&rest)) {
        if (out->num_answers == CL_OCSP_MAX_ANSWERS || !cl_ocsp_next(&rest, &answer)) {
            return false;
        }
        out->num_answers++;
    }
    return true;
}

static bool parse_response_exts(struct cl_rd exts, struct cl_ocsp *out)
{
    while (!cl_rd_done(&exts)) {
        struct cl_ext ext;
        if (!cl_ext_next(&exts, &ext)) {
            return false;
        }
        if (ext.id == CL_OID_OCSP_NONCE) {
            /* RFC 9654 2.1: an OCTET STRING of 1 to 128 bytes; older responders put theirs bare */
            struct cl_rd value = ext.value;
            if (!cl_der_get(&value, CL_DER_OCTET_STRING, &out->nonce) || !cl_rd_done(&value)) {
                out->nonce = ext.value;
            }
        } else if (ext.critical) {
            out->unusable = "it has a critical extension that is not understood";
        }
    }
    return true;
}

static bool parse_data(struct cl_rd tbs, struct cl_ocsp *out)
{
    struct cl_rd field;
    struct cl_rd exts;
    uint32_t version = 0;
    bool present;
    if (!cl_der_optional(&tbs, CL_DER_CTXC(0), &field, &present) ||
        (present && (!cl_der_u32(&field, &version) || version != 0 || !cl_rd_done(&field)))) {
        return false;
    }
    return parse_responder(&tbs, out) && cl_der_peek(&tbs, CL_DER_GENERALIZED_TIME) &&
           cl_der_time(&tbs, &out->produced_at) &&
           cl_der_get(&tbs, CL_DER_SEQUENCE, &out->answers) && check_answers(out) &&
           optional_exts(&tbs, CL_DER_CTXC(1), &exts) && cl_rd_done(&tbs) &&
           parse_response_exts(exts, out);
}

static cl_result parse_certs(struct cl_rd certs, struct cl_ocsp *out, struct cleat_error *err)
{
    while (!cl_rd_done(&certs)) {
        struct cl_rd body;
        struct cl_rd whole;
        uint8_t tag;
        if (out->num_certs == CL_OCSP_MAX_CERTS || !cl_der_any(&certs, &tag, &body, &whole) ||
            tag != CL_DER_SEQUENCE) {
            return bad(err, "RFC 6960 4.2.1", "its certificates");
        }
        CL_TRY(cl_cert_parse(&out->certs[out->num_certs], whole, err));
        out->num_certs++;
    }
    return CL_OK;
}

static cl_result parse_basic(struct cl_rd basic, struct cl_ocsp *out, struct cleat_error *err)
{
    struct cl_rd body;
    struct cl_rd tbs;
    struct cl_rd algorithm;
    struct cl_rd certs;
    uint8_t tag;
    if (!cl_der_get(&basic, CL_DER_SEQUENCE, &body) || !cl_rd_done(&basic) ||
        !cl_der_any(&body, &tag, &tbs, &out->tbs) || tag != CL_DER_SEQUENCE ||
        !cl_der_get(&body, CL_DER_SEQUENCE, &algorithm) ||
        !cl_der_bits_octets(&body, &out->signature) ||
        !optional_exts(&body, CL_DER_CTXC(0), &certs) || !cl_rd_done(&body)) {
        return bad(err, "RFC 6960 4.2.1", "its BasicOCSPResponse");
    }
    if (!cl_alg_signature(algorithm, &out->sig_oid, &out->sig_alg)) {
        return bad(err, "RFC 6960 4.2.1", "its signature algorithm");
    }
    if (!parse_data(tbs, out)) {
        return bad(err, "RFC 6960 4.2.1", "its ResponseData");
    }
    return parse_certs(certs, out, err);
}

/* OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED, responseBytes [0] EXPLICIT OPTIONAL } */
static cl_result parse(struct cl_ocsp *out, struct cleat_error *err)
{
    struct cl_rd all = out->der;
    struct cl_rd body;
    struct cl_rd status;
    struct cl_rd field = {0};
    struct cl_rd bytes;
    struct cl_rd oid;
    struct cl_rd basic;
    bool present;
    if (!cl_der_get(&all, CL_DER_SEQUENCE, &body) || !cl_rd_done(&all) ||
        !cl_der_get(&body, CL_DER_ENUMERATED, &status) || status.len != 1 || status.p[0] > 6 ||
        status.p[0] == 4 || !cl_der_optional(&body, CL_DER_CTXC(0), &field, &present) ||
        !cl_rd_done(&body)) {
        return bad(err, "RFC 6960 4.2.1", "not an OCSPResponse in DER");
    }
    out->response_status = status.p[0];
    if (out->response_status != 0) {
        out->unusable = "the responder answered with an error";
        return CL_OK;
    }
    if (!present || !cl_der_get(&field, CL_DER_SEQUENCE, &bytes) || !cl_rd_done(&field) ||
        !cl_der_oid(&bytes, &oid) || !cl_der_get(&bytes, CL_DER_OCTET_STRING, &basic) ||
        !cl_rd_done(&bytes)) {
        return bad(err, "RFC 6960 4.2.1", "its responseBytes");
    }
    if (cl_oid_find(oid) != CL_OID_OCSP_BASIC) {
        return bad(err, "RFC 6960 4.2.1", "not a basic response, the only type there is");
    }
    return parse_basic(basic, out, err);
}

cl_result cl_ocsp_parse(struct cl_ocsp **out, struct cl_rd der, struct cleat_error *err)
{
    *out = NULL;
    if (der.len > CL_OCSP_MAX_LEN) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_LIMIT},
                            "an OCSP response of %zu bytes is longer than the limit of %u", der.len,
                            CL_OCSP_MAX_LEN);
    }
    struct cl_ocsp *response = cl_alloc(sizeof(*response) + der.len);
    if (response == NULL) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
    }
    *response = (struct cl_ocsp){.num_refs = 1};
    uint8_t *copy = (uint8_t *)(response + 1);
    if (der.len != 0) {
        memcpy(copy, der.p, der.len);
    }
    response->der = cl_rd_of(copy, der.len);
    cl_result r = parse(response, err);
    if (r != CL_OK) {
        cl_ocsp_free(response);
        return r;
    }
    *out = response;
    return CL_OK;
}

struct cl_ocsp *cl_ocsp_ref(struct cl_ocsp *response)
{
    atomic_fetch_add_explicit(&response->num_refs, 1, memory_order_relaxed);
    return response;
}

void cl_ocsp_free(struct cl_ocsp *response)
{
    if (response != NULL &&
        atomic_fetch_sub_explicit(&response->num_refs, 1, memory_order_acq_rel) == 1) {
        for (size_t i = 0; i < response->num_certs; i++) {
            cleat_cert_free(response->certs[i]);
        }
        cl_free(response);
    }
}

/* ---- whom it is about, whom it is from ---- */

static bool hashes_to(enum cl_hash_id id, struct cl_rd what, struct cl_rd digest)
{
    uint8_t own[CL_HASH_MAX_LEN];
    cl_hash_once(id, what.p, what.len, own);
    return cl_rd_equal(digest, cl_rd_of(own, cl_hash_len(id)));
}

bool cl_ocsp_is_about(const struct cl_ocsp_answer *answer, const struct cleat_cert *cert,
                      const struct cleat_cert *issuer)
{
    struct cl_rd key;
    return answer->hash != CL_HASH_NONE && cl_rd_equal(answer->serial, cert->serial) &&
           hashes_to(answer->hash, cert->issuer.der, answer->issuer_name_hash) &&
           cl_alg_key_bytes(issuer->spki, &key) &&
           hashes_to(answer->hash, key, answer->issuer_key_hash);
}

bool cl_ocsp_named_by(const struct cl_ocsp *response, const struct cleat_cert *cert)
{
    struct cl_rd key;
    if (response->responder_key.len != 0) {
        return cl_alg_key_bytes(cert->spki, &key) &&
               hashes_to(CL_HASH_SHA1, key, response->responder_key);
    }
    return cl_name_equal(&response->responder_name, &cert->subject);
}

/* ---- requests ---- */

static void put_digest(struct cl_wr *w, struct cl_rd what)
{
    uint8_t digest[CL_HASH_MAX_LEN];
    cl_hash_once(CL_HASH_SHA1, what.p, what.len, digest);
    cl_der_put(w, CL_DER_OCTET_STRING, cl_rd_of(digest, cl_hash_len(CL_HASH_SHA1)));
}

/* CertID with SHA-1, the one hash that every responder knows (RFC 5019 2.1.1). It is a name for the
 * certificate, not a proof of anything. */
static void put_cert_id(struct cl_wr *w, const struct cleat_cert *cert, struct cl_rd issuer_key)
{
    struct cl_der_mark id = cl_der_open(w, CL_DER_SEQUENCE);
    struct cl_der_mark algorithm = cl_der_open(w, CL_DER_SEQUENCE);
    cl_der_put_oid_text(w, "1.3.14.3.2.26");
    cl_der_put(w, CL_DER_NULL, (struct cl_rd){0});
    cl_der_close(w, algorithm);
    put_digest(w, cert->issuer.der);
    put_digest(w, issuer_key);
    cl_der_put(w, CL_DER_INTEGER, cert->serial);
    cl_der_close(w, id);
}

/* requestExtensions [2]: the nonce, an OCTET STRING within the extension's (RFC 9654 2.1). */
static void put_nonce(struct cl_wr *w, struct cl_rd nonce)
{
    struct cl_der_mark field = cl_der_open(w, CL_DER_CTXC(2));
    struct cl_der_mark exts = cl_der_open(w, CL_DER_SEQUENCE);
    struct cl_der_mark ext = cl_der_open(w, CL_DER_SEQUENCE);
    cl_der_put_oid_text(w, "1.3.6.1.5.5.7.48.1.2");
    struct cl_der_mark value = cl_der_open(w, CL_DER_OCTET_STRING);
    cl_der_put(w, CL_DER_OCTET_STRING, nonce);
    cl_der_close(w, value);
    cl_der_close(w, ext);
    cl_der_close(w, exts);
    cl_der_close(w, field);
}

/* 512: two digests, a serial number of at most 64 bytes, a nonce of at most 128, their frames */
#define MAX_REQUEST 512

cl_result cl_ocsp_request(struct cl_buf *out, const struct cleat_cert *cert,
                          const struct cleat_cert *issuer, struct cl_rd nonce)
{
    uint8_t room[MAX_REQUEST];
    struct cl_wr w = cl_wr_of(room, sizeof(room));
    struct cl_rd key;
    if (!cl_alg_key_bytes(issuer->spki, &key)) {
        return CLEAT_ERR_BAD_CERTIFICATE;
    }
    struct cl_der_mark whole = cl_der_open(&w, CL_DER_SEQUENCE);
    struct cl_der_mark tbs = cl_der_open(&w, CL_DER_SEQUENCE);
    struct cl_der_mark list = cl_der_open(&w, CL_DER_SEQUENCE);
    struct cl_der_mark request = cl_der_open(&w, CL_DER_SEQUENCE);
    put_cert_id(&w, cert, key);
    cl_der_close(&w, request);
    cl_der_close(&w, list);
    if (nonce.len != 0) {
        put_nonce(&w, nonce);
    }
    cl_der_close(&w, tbs);
    cl_der_close(&w, whole);
    return cl_wr_ok(&w) ? cl_buf_append(out, room, w.len, SIZE_MAX) : CLEAT_ERR_LIMIT;
}
