/* x509/csr.c - see csr.h. */
#include "x509/csr.h"

#include "base/mem.h"
#include "crypto/job.h"
#include "x509/build_impl.h"
#include "x509/dn.h"

static cl_result bad(struct cleat_error *err, const char *section, const char *what)
{
    return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CERTIFICATE, .section = section},
                        "malformed certificate request: %s", what);
}

/* ---- parse ---- */

/* Attribute ::= SEQUENCE { type OID, values SET SIZE(1..MAX) }; of those that are known exactly one
 * value. */
static bool parse_attribute(struct cl_csr *csr, struct cl_rd *rest)
{
    struct cl_rd body;
    struct cl_rd oid;
    struct cl_rd values;
    if (!cl_der_get(rest, CL_DER_SEQUENCE, &body) || !cl_der_oid(&body, &oid) ||
        !cl_der_get(&body, CL_DER_SET, &values) || !cl_rd_done(&body) || cl_rd_done(&values)) {
        return false;
    }
    switch (cl_oid_find(oid)) {
    case CL_OID_CSR_EXTENSIONS:
        /* RFC 2985 5.4.2: "SINGLE VALUE TRUE"; a second attribute would be a second value */
        return csr->wanted.exts.len == 0 &&
               cl_der_get(&values, CL_DER_SEQUENCE, &csr->wanted.exts) && cl_rd_done(&values) &&
               !cl_rd_done(&csr->wanted.exts);
    case CL_OID_CSR_CHALLENGE:
        csr->has_challenge = true;
        return true;
    default:
        return true;
    }
}

static cl_result parse_info(struct cl_csr *csr, struct cl_rd info, struct cleat_error *err)
{
    struct cleat_cert *wanted = &csr->wanted;
    struct cl_rd body;
    struct cl_rd attributes;
    uint32_t version;
    uint8_t tag;
    if (!cl_der_u32(&info, &version) || version != 0) {
        return bad(err, "RFC 2986 4.1", "version");
    }
    if (!cl_name_parse(&info, &wanted->subject)) {
        return bad(err, "RFC 2986 4.1", "subject");
    }
    if (!cl_der_any(&info, &tag, &body, &wanted->spki) || tag != CL_DER_SEQUENCE ||
        !cl_alg_key(wanted->spki, &wanted->key_oid, &wanted->key_type)) {
        return bad(err, "RFC 2986 4.1", "subject public key info");
    }
    if (!cl_der_get(&info, CL_DER_CTXC(0), &attributes) || !cl_rd_done(&info)) {
        return bad(err, "RFC 2986 4.1", "attributes");
    }
    while (!cl_rd_done(&attributes)) {
        if (!parse_attribute(csr, &attributes)) {
            return bad(err, "RFC 2986 4.1", "an attribute");
        }
    }
    return cl_exts_parse(wanted, err);
}

static cl_result parse(struct cl_csr *csr, struct cleat_error *err)
{
    struct cl_rd all = csr->der;
    struct cl_rd body;
    struct cl_rd info;
    struct cl_rd algorithm;
    uint8_t tag;
    if (!cl_der_get(&all, CL_DER_SEQUENCE, &body) || !cl_rd_done(&all) ||
        !cl_der_any(&body, &tag, &info, &csr->info) || tag != CL_DER_SEQUENCE ||
        !cl_der_get(&body, CL_DER_SEQUENCE, &algorithm) ||
        !cl_der_bits_octets(&body, &csr->signature) || !cl_rd_done(&body)) {
        return bad(err, "RFC 2986 4.2", "not a SEQUENCE of three fields in DER");
    }
    if (!cl_alg_signature(algorithm, &csr->sig_oid, &csr->sig_alg)) {
        return bad(err, "RFC 2986 4.2", "signature algorithm");
    }
    return parse_info(csr, info, err);
}

cl_result cl_csr_parse(struct cl_csr **out, struct cl_rd der, struct cleat_error *err)
{
    *out = NULL;
    if (der.len > CL_CERT_MAX_LEN) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_LIMIT},
                            "a certificate request of %zu bytes is longer than the limit of %u",
                            der.len, CL_CERT_MAX_LEN);
    }
    struct cl_csr *csr = cl_alloc(sizeof(*csr) + der.len);
    if (csr == NULL) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
    }
    uint8_t *copy = (uint8_t *)(csr + 1);
    *csr = (struct cl_csr){.wanted = {.version = 3,
                                      .path_len = -1,
                                      .require_explicit = CL_NO_LIMIT,
                                      .inhibit_mapping = CL_NO_LIMIT,
                                      .inhibit_any = CL_NO_LIMIT}};
    if (der.len != 0) {
        memcpy(copy, der.p, der.len);
    }
    csr->der = cl_rd_of(copy, der.len);
    cl_result r = parse(csr, err);
    if (r != CL_OK) {
        cl_csr_free(csr);
        return r;
    }
    *out = csr;
    return CL_OK;
}

void cl_csr_free(struct cl_csr *csr)
{
    if (csr != NULL) {
        cl_pubkey_free(atomic_load(&csr->wanted.pubkey));
        cl_free(csr);
    }
}

/* ---- check ---- */

cl_result cl_csr_check(const struct cl_csr *csr, struct cleat_error *err)
{
    const struct cl_pubkey *key;
    cl_result r = cl_cert_pubkey(&csr->wanted, &key);
    if (r != CL_OK) {
        return cl_error_set(err, (struct cl_why){.code = r, .section = "RFC 2986 4.1"},
                            "its public key cannot be used: %s", cleat_error_sentence((int)r));
    }
    if (csr->sig_alg == NULL || !cl_sig_alg_fits(csr->sig_alg, cl_pubkey_type(key))) {
        const char *name = cl_alg_name(csr->sig_oid);
        return cl_error_set(
            err, (struct cl_why){.code = CLEAT_ERR_UNSUPPORTED, .section = "RFC 2986 4.2"},
            "it is signed with %s, which is not accepted of its key (%s)",
            name != NULL ? name : "an unknown algorithm", cl_key_type_name(cl_pubkey_type(key)));
    }
    struct cl_job job = {
        .kind = CL_JOB_VERIFY,
        .status = CL_JOB_PENDING,
        .verify = {
            .key = key, .alg = csr->sig_alg, .message = csr->info, .signature = csr->signature}};
    cl_job_run(&job);
    r = job.result;
    cl_job_reset(&job);
    return r == CL_OK ? CL_OK
                      : cl_error_set(err, (struct cl_why){.code = r, .section = "RFC 2986 3"},
                                     "its signature was not made with the key that is in it");
}

/* ---- build ---- */

static cl_result put_info(struct cl_wr *w, const void *ctx, const struct cl_sig_alg *alg,
                          struct cleat_error *err)
{
    const struct cl_build_request *request = ctx;
    (void)alg; /* is in CertificationRequest alone */
    struct cl_der_mark info = cl_der_open(w, CL_DER_SEQUENCE);
    cl_der_put_u32(w, 0);
    cl_build_put_subject(w, request->tpl);
    cl_wr_view(w, cl_key_spki(request->key));
    struct cl_der_mark attributes = cl_der_open(w, CL_DER_CTXC(0));
    const size_t start = w->len;
    struct cl_der_mark attribute = cl_der_open(w, CL_DER_SEQUENCE);
    cl_der_put(w, CL_DER_OID, cl_oid_bytes(CL_OID_CSR_EXTENSIONS));
    struct cl_der_mark values = cl_der_open(w, CL_DER_SET);
    struct cl_der_mark list = cl_der_open(w, CL_DER_SEQUENCE);
    const size_t empty = w->len;
    CL_TRY(cl_build_put_exts(w, request->tpl, err));
    if (w->len != empty) {
        cl_der_close(w, list);
        cl_der_close(w, values);
        cl_der_close(w, attribute);
    } else {
        w->len = start; /* nothing to ask for: no attribute */
    }
    cl_der_close(w, attributes);
    cl_der_close(w, info);
    return CL_OK;
}

cl_result cl_csr_build(struct cl_buf *out, const struct cl_cert_template *tpl,
                       const struct cleat_key *key, struct cleat_error *err)
{
    struct cl_cert_template own = *tpl;
    own.no_key_ids = true;
    const struct cl_build_request request = {.tpl = &own, .key = key};
    CL_TRY(cl_build_check_subject(tpl, err));
    return cl_build_signed(out, key, put_info, &request, CL_CERT_MAX_LEN, err);
}
