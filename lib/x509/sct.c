/* x509/sct.c - timestamps as they are serialised, and the bytes that a log has signed (RFC 6962
 * 3.2, 3.3). */
#include "crypto/hash.h"
#include "x509/ct.h"

#define VERSION_1      0
#define ENTRY_X509     0
#define ENTRY_PRECERT  1
#define TYPE_TIMESTAMP 0

static bool parse(struct cl_rd r, struct cl_sct *out)
{
    uint8_t version;
    return cl_rd_u8(&r, &version) && version == VERSION_1 &&
           cl_rd_take(&r, CL_CT_ID_LEN, &out->log_id) && cl_rd_u64(&r, &out->timestamp) &&
           cl_rd_vec16(&r, &out->extensions) && cl_rd_u16(&r, &out->algorithm) &&
           cl_rd_vec16(&r, &out->signature) && cl_rd_done(&r);
}

bool cl_sct_next(struct cl_rd *list, struct cl_sct *out, bool *ok)
{
    struct cl_rd one;
    *out = (struct cl_sct){0};
    if (!cl_rd_vec16(list, &one)) {
        return false;
    }
    *ok = parse(one, out);
    return true;
}

bool cl_sct_embedded(const struct cleat_cert *cert, struct cl_rd *list)
{
    struct cl_rd exts = cert->exts;
    struct cl_ext ext;
    while (cl_cert_has(cert, CL_OID_EXT_SCT_LIST) && cl_ext_next(&exts, &ext)) {
        struct cl_rd octets;
        if (ext.id == CL_OID_EXT_SCT_LIST) {
            return cl_der_get(&ext.value, CL_DER_OCTET_STRING, &octets) && cl_rd_done(&ext.value) &&
                   cl_rd_vec16(&octets, list) && cl_rd_done(&octets);
        }
    }
    return false;
}

/* ---- the precertificate ---- */

/* The extensions but the list of timestamps. */
static bool put_exts(struct cl_wr *w, struct cl_rd exts)
{
    struct cl_der_mark field = cl_der_open(w, CL_DER_CTXC(3));
    struct cl_der_mark list = cl_der_open(w, CL_DER_SEQUENCE);
    while (!cl_rd_done(&exts)) {
        const uint8_t *begin = exts.p;
        struct cl_ext ext;
        if (!cl_ext_next(&exts, &ext)) {
            return false;
        }
        if (ext.id != CL_OID_EXT_SCT_LIST) {
            cl_wr_bytes(w, begin, (size_t)(exts.p - begin));
        }
    }
    cl_der_close(w, list);
    cl_der_close(w, field);
    return true;
}

/* The TBSCertificate as the log saw it. It is never longer than the certificate's. */
static bool put_precert_tbs(struct cl_wr *w, const struct cleat_cert *cert)
{
    struct cl_rd tbs = cert->tbs;
    struct cl_rd body;
    struct cl_rd element;
    struct cl_rd whole;
    uint8_t tag;
    if (!cl_der_get(&tbs, CL_DER_SEQUENCE, &body)) {
        return false;
    }
    struct cl_der_mark mark = cl_der_open(w, CL_DER_SEQUENCE);
    while (!cl_rd_done(&body)) {
        if (!cl_der_any(&body, &tag, &element, &whole)) {
            return false;
        }
        if (tag != CL_DER_CTXC(3)) {
            cl_wr_view(w, whole);
        } else if (!put_exts(w, cert->exts)) {
            return false;
        }
    }
    cl_der_close(w, mark);
    return cl_wr_ok(w);
}

/* ---- what is signed ---- */

/* 64: version, type, timestamp, kind of entry, hash of a key, lengths */
#define MAX_AROUND 64

/* digitally-signed struct { sct_version, certificate_timestamp, timestamp, entry_type, … } */
static bool put_message(struct cl_wr *w, const struct cl_sct *sct, const struct cleat_cert *cert,
                        const struct cleat_cert *issuer)
{
    uint8_t key_hash[32];
    bool ok = true;
    cl_wr_u8(w, VERSION_1);
    cl_wr_u8(w, TYPE_TIMESTAMP);
    cl_wr_u64(w, sct->timestamp);
    cl_wr_u16(w, issuer != NULL ? ENTRY_PRECERT : ENTRY_X509);
    if (issuer != NULL) {
        cl_hash_once(CL_HASH_SHA256, issuer->spki.p, issuer->spki.len, key_hash);
        cl_wr_bytes(w, key_hash, sizeof(key_hash));
    }
    struct cl_wr_mark entry = cl_wr_open24(w);
    if (issuer != NULL) {
        ok = put_precert_tbs(w, cert);
    } else {
        cl_wr_view(w, cert->der);
    }
    cl_wr_close(w, entry);
    struct cl_wr_mark extensions = cl_wr_open16(w);
    cl_wr_view(w, sct->extensions);
    cl_wr_close(w, extensions);
    return ok && cl_wr_ok(w);
}

cl_result cl_sct_message(struct cl_buf *out, const struct cl_sct *sct,
                         const struct cleat_cert *cert, const struct cleat_cert *issuer)
{
    const size_t max = MAX_AROUND + cert->der.len + sct->extensions.len;
    CL_TRY(cl_buf_reserve(out, max, SIZE_MAX));
    struct cl_wr w = cl_wr_of(out->p + out->len, max);
    if (!put_message(&w, sct, cert, issuer)) {
        return CLEAT_ERR_BAD_CERTIFICATE;
    }
    out->len += w.len;
    return CL_OK;
}
