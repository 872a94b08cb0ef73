/* fetch/issuers.c - see issuers.h. */
#include "fetch/issuers.h"

#include "base/buf.h"
#include "base/pem.h"
#include "x509/der.h"

/* id-signedData, 1.2.840.113549.1.7.2 */
static const uint8_t signed_data[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02};

struct found {
    struct cleat_cert **certs;
    size_t num;
};

/* One that cannot be parsed is passed over: the others may be what is wanted. */
static cl_result add(struct found *f, struct cl_rd der)
{
    struct cleat_cert *cert = NULL;
    if (f->num == CL_FETCH_MAX_ISSUERS) {
        return CL_OK;
    }
    cl_result r = cl_cert_parse(&cert, der, NULL);
    if (r == CL_OK) {
        f->certs[f->num++] = cert;
    }
    return r == CLEAT_ERR_NOMEM ? r : CL_OK;
}

/* RFC 5652 5.1: version, digestAlgorithms, encapContentInfo, [0] certificates, the rest. false: not
 * of that form. */
static bool certificates_of(struct cl_rd der, struct cl_rd *out)
{
    struct cl_rd info, oid, content, data, ignored;
    uint32_t version;
    bool present;
    return cl_der_get(&der, CL_DER_SEQUENCE, &info) && cl_rd_done(&der) &&
           cl_der_oid(&info, &oid) &&
           cl_rd_equal(oid, cl_rd_of(signed_data, sizeof(signed_data))) &&
           cl_der_get(&info, CL_DER_CTXC(0), &content) && cl_rd_done(&info) &&
           cl_der_get(&content, CL_DER_SEQUENCE, &data) && cl_rd_done(&content) &&
           cl_der_u32(&data, &version) && cl_der_get(&data, CL_DER_SET, &ignored) &&
           cl_der_get(&data, CL_DER_SEQUENCE, &ignored) &&
           cl_der_optional(&data, CL_DER_CTXC(0), out, &present) && present;
}

static cl_result from_pkcs7(struct found *f, struct cl_rd certs)
{
    uint8_t tag;
    struct cl_rd body, whole;
    while (!cl_rd_done(&certs)) {
        if (!cl_der_any(&certs, &tag, &body, &whole)) {
            return CL_OK; /* what came before it stands */
        }
        if (tag == CL_DER_SEQUENCE) { /* else one of the obsolete kinds */
            CL_TRY(add(f, whole));
        }
    }
    return CL_OK;
}

static cl_result from_pem(struct found *f, struct cl_rd text)
{
    struct cl_pem pem;
    struct cl_pem_block block;
    bool there = true;
    cl_pem_init(&pem, (const char *)text.p, text.len, NULL);
    while (cl_pem_next(&pem, &block, &there) == CL_OK && there) {
        struct cl_buf der = {0};
        struct cl_rd certs;
        cl_result r = cl_pem_decode(&pem, &block, &der, text.len);
        if (r != CL_OK) {
            r = CL_OK; /* passed over, like what cannot be parsed */
        } else if (cl_rd_equal_str(block.label, "CERTIFICATE")) {
            r = add(f, cl_buf_view(&der));
        } else if (cl_rd_equal_str(block.label, "PKCS7") &&
                   certificates_of(cl_buf_view(&der), &certs)) {
            r = from_pkcs7(f, certs);
        }
        cl_buf_deinit(&der);
        CL_TRY(r);
    }
    return CL_OK;
}

cl_result cl_fetch_issuers(struct cl_rd answer, struct cleat_cert *out[CL_FETCH_MAX_ISSUERS],
                           size_t *num, struct cleat_error *err)
{
    struct found f = {.certs = out};
    struct cl_rd certs;
    cl_result r;
    if (answer.len == 0 || answer.p[0] != CL_DER_SEQUENCE) {
        r = from_pem(&f, answer);
    } else if (certificates_of(answer, &certs)) {
        r = from_pkcs7(&f, certs);
    } else {
        r = add(&f, answer);
    }
    *num = f.num;
    if (r == CL_OK && f.num == 0) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CERTIFICATE},
                            "no certificate in these %zu bytes, neither as DER nor as PKCS#7 nor "
                            "as PEM",
                            answer.len);
    }
    return r;
}
