/* tls/ext_status.c - status_request (RFC 6066 8, RFC 9846 4.5.1.1) and signed_certificate_timestamp
 * (RFC 6962 3.3.1): proofs about a certificate that its owner hands over with it.
 *
 * They are carried here, not judged: what an OCSP response or a timestamp says is for x509/ and the
 * application. Only those of the leaf are kept.
 */
#include "tls/ext.h"

#define STATUS_OCSP 1

/* 65,535: an OCSPResponse has 500 bytes to 3 KB; in TLS 1.3 a 16-bit length stands around it */
#define MAX_STAPLE UINT16_MAX

/* An entry's extensions are parsed before the entry is added to the chain. */
static bool is_leaf(const struct cleat_tls *tls)
{
    return tls->peer_chain.len == 0;
}

/* ---- status_request ---- */

/* RFC 6066 8: "struct { CertificateStatusType status_type; … OCSPStatusRequest }" */
static cl_result parse_question(struct cleat_tls *tls, struct cl_rd body)
{
    uint8_t type;
    struct cl_rd ids;
    struct cl_rd extensions;
    struct cl_rd id;
    bool ok = cl_rd_u8(&body, &type);
    if (ok && type != STATUS_OCSP) {
        return CL_OK; /* another kind, of which nothing is known: not asked for OCSP */
    }
    ok = ok && cl_rd_vec16(&body, &ids) && cl_rd_vec16(&body, &extensions) && cl_rd_done(&body);
    while (ok && !cl_rd_done(&ids)) {
        ok = cl_rd_vec16(&ids, &id) && !cl_rd_done(&id);
    }
    if (!ok) {
        return cl_tls_decode_error(tls, "status_request", "RFC 6066 8");
    }
    tls->hs->staple_wanted = true;
    return CL_OK;
}

cl_result cl_ext_status_request_parse(struct cleat_tls *tls, unsigned message, struct cl_rd body)
{
    uint8_t type;
    struct cl_rd response;
    if (message == CL_EXT_CH) {
        return parse_question(tls, body);
    }
    if (message == CL_EXT_CR) {
        tls->hs->staple_wanted = true;
        return cl_rd_done(&body) ? CL_OK
                                 : cl_tls_decode_error(tls, "status_request", "RFC 9846 4.5.1.1");
    }
    /* RFC 6066 8: "the "extension_data" field of this extension SHALL be empty" */
    if (message == CL_EXT_SH12) {
        tls->hs->status_promised = true;
        return cl_rd_done(&body) ? CL_OK : cl_tls_decode_error(tls, "status_request", "RFC 6066 8");
    }
    /* RFC 9846 4.5.1.1: "The body of the "status_request" extension … MUST be a CertificateStatus
     * structure as defined in [RFC6066]" */
    if (!cl_rd_u8(&body, &type) || type != STATUS_OCSP || !cl_rd_vec24(&body, &response) ||
        !cl_rd_done(&body) || cl_rd_done(&response)) {
        return cl_tls_decode_error(tls, "the certificate's status_request", "RFC 9846 4.5.1.1");
    }
    return is_leaf(tls) ? cl_buf_append(&tls->peer_staple, response.p, response.len, MAX_STAPLE)
                        : CL_OK;
}

bool cl_ext_status_request_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w)
{
    if (message == CL_EXT_CR) {
        return tls->config->ask_status;
    }
    if (message == CL_EXT_CH) {
        cl_wr_u8(w, STATUS_OCSP);
        cl_wr_u16(w, 0); /* responder_id_list: any */
        cl_wr_u16(w, 0); /* request_extensions: none */
        return tls->config->ask_status;
    }
    const struct cl_credential *c = tls->hs->credential;
    if (message == CL_EXT_SH12) { /* the promise of a CertificateStatus */
        tls->hs->status_promised = tls->hs->staple_wanted && !tls->resumed && c != NULL &&
                                   cl_staple_is_current(tls->config, c);
        return tls->hs->status_promised;
    }
    return false;
}

/* ---- signed_certificate_timestamp ---- */

bool cl_ext_scts_valid(struct cl_rd body)
{
    struct cl_rd list;
    struct cl_rd entry;
    bool ok = cl_rd_vec16(&body, &list) && cl_rd_done(&body) && !cl_rd_done(&list);
    while (ok && !cl_rd_done(&list)) {
        ok = cl_rd_vec16(&list, &entry) && !cl_rd_done(&entry);
    }
    return ok;
}

cl_result cl_ext_scts_parse(struct cleat_tls *tls, unsigned message, struct cl_rd body)
{
    if ((message & (CL_EXT_CH | CL_EXT_CR)) != 0) {
        tls->hs->scts_wanted = true;
        return cl_rd_done(&body)
                   ? CL_OK
                   : cl_tls_decode_error(tls, "signed_certificate_timestamp", "RFC 6962 3.3.1");
    }
    if (!cl_ext_scts_valid(body)) {
        return cl_tls_decode_error(tls, "signed_certificate_timestamp", "RFC 6962 3.3");
    }
    return is_leaf(tls) ? cl_buf_append(&tls->peer_scts, body.p, body.len, UINT16_MAX) : CL_OK;
}

bool cl_ext_scts_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w)
{
    if ((message & (CL_EXT_CH | CL_EXT_CR)) != 0) {
        return tls->config->ask_status;
    }
    /* RFC 6962 3.3.1: a resumed session's ServerHello has none */
    const struct cl_credential *c = tls->hs->credential;
    if (!tls->hs->scts_wanted || tls->resumed || c == NULL || c->scts.len == 0) {
        return false;
    }
    cl_wr_view(w, cl_buf_view(&c->scts));
    return true;
}

/* ---- beside our leaf ---- */

static void put_proof(struct cl_wr *w, uint16_t type, const struct cl_buf *proof)
{
    cl_wr_u16(w, type);
    struct cl_wr_mark body = cl_wr_open16(w);
    if (type == CL_ET_STATUS_REQUEST) {
        cl_wr_u8(w, STATUS_OCSP);
        struct cl_wr_mark m = cl_wr_open24(w);
        cl_wr_view(w, cl_buf_view(proof));
        cl_wr_close(w, m);
    } else {
        cl_wr_view(w, cl_buf_view(proof));
    }
    cl_wr_close(w, body);
}

void cl_ext_put_proofs(struct cl_wr *w, const struct cl_credential *c, unsigned proofs)
{
    struct cl_wr_mark block = cl_wr_open16(w);
    if ((proofs & CL_PROOF_STAPLE) != 0) {
        put_proof(w, CL_ET_STATUS_REQUEST, &c->staple);
    }
    if ((proofs & CL_PROOF_SCTS) != 0) {
        put_proof(w, CL_ET_SCTS, &c->scts);
    }
    cl_wr_close(w, block);
}
