/* tls/msg_certificate_status.c - CertificateStatus of TLS 1.2 (RFC 6066 8): the OCSP response that
 * belongs to the Certificate in front of it, where ServerHello has promised one. */
#include "tls/msg.h"

#define STATUS_OCSP 1

cl_result cl_certificate_status_prepare(struct cl_buf *message, const struct cl_buf *staple)
{
    /* 8: the header, the status type and the response's length */
    CL_TRY(cl_buf_reserve(message, 8 + staple->len, CL_HS_MAX_MESSAGE));
    struct cl_wr w = cl_buf_writer(message);
    cl_wr_u8(&w, CL_HT_CERTIFICATE_STATUS);
    struct cl_wr_mark body = cl_wr_open24(&w);
    cl_wr_u8(&w, STATUS_OCSP);
    struct cl_wr_mark response = cl_wr_open24(&w);
    cl_wr_view(&w, cl_buf_view(staple));
    cl_wr_close(&w, response);
    cl_wr_close(&w, body);
    cl_buf_commit(message, &w);
    return cl_wr_ok(&w) ? CL_OK : CLEAT_ERR_LIMIT;
}

cl_result cl_certificate_status_build(struct cleat_tls *tls)
{
    return tls->hs->status_promised
               ? cl_flight_append(tls, cl_buf_view(&tls->hs->credential->status_12))
               : CL_OK;
}

/* Where it was not promised no row of the table takes it; it may be missing all the same (RFC 6066
 * 8). */
cl_result cl_certificate_status_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_rd body = msg->body;
    uint8_t type;
    struct cl_rd response;
    if (!cl_rd_u8(&body, &type) || type != STATUS_OCSP || !cl_rd_vec24(&body, &response) ||
        !cl_rd_done(&body) || cl_rd_done(&response)) {
        return cl_tls_decode_error(tls, "CertificateStatus", "RFC 6066 8");
    }
    tls->peer_staple.len = 0;
    /* 65,535: as in TLS 1.3 (ext_status.c) */
    CL_TRY(cl_buf_append(&tls->peer_staple, response.p, response.len, UINT16_MAX));
    cl_hs_next(tls, 0);
    return CL_OK;
}
