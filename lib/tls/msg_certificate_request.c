/* tls/msg_certificate_request.c - CertificateRequest (RFC 9846 4.4.2), both roles. */
#include "tls/ext.h"
#include "tls/msg.h"

/* 20,480: the authorities' names (CL_EXT_MAX_AUTHORITIES) and everything else */
#define REQUEST_ROOM 20480

cl_result cl_certificate_request_build(struct cleat_tls *tls)
{
    struct cl_wr w;
    CL_TRY(cl_flight_begin(tls, CL_HT_CERTIFICATE_REQUEST, REQUEST_ROOM, &w));
    struct cl_wr_mark context = cl_wr_open8(&w); /* empty in the handshake */
    cl_wr_view(&w, cl_buf_view(&tls->hs->request_context));
    cl_wr_close(&w, context);
    cl_ext_build(tls, CL_EXT_CR, &w);
    return cl_flight_end(tls, &w);
}

cl_result cl_certificate_request_parse(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_rd body = msg->body;
    struct cl_rd context;
    struct cl_rd block;
    uint32_t received;
    if (!cl_rd_vec8(&body, &context) || !cl_rd_vec16(&body, &block) || !cl_rd_done(&body)) {
        return cl_tls_decode_error(tls, "CertificateRequest", "RFC 9846 4.4.2");
    }
    /* RFC 9846 4.4.2: "This field SHALL be zero length unless used for the post-handshake
     * authentication exchanges" */
    if (context.len != 0 && !tls->hs->late) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.4.2"),
                           "CertificateRequest in the handshake has a context");
    }
    CL_TRY(cl_ext_parse(tls, CL_EXT_CR, block, &received));
    if ((received & cl_ext_bit(CL_ET_SIGNATURE_ALGORITHMS)) == 0) {
        return cl_tls_fail(tls, CL_WHY(MISSING_EXTENSION, "RFC 9846 4.4.2"),
                           "CertificateRequest has no signature_algorithms");
    }
    tls->hs->cert_requested = true;
    tls->hs->takes_rsa = true;
    tls->hs->takes_ecdsa = true;
    return cl_buf_append(&tls->hs->request_context, context.p, context.len, UINT8_MAX);
}

cl_result cl_certificate_request_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(cl_certificate_request_parse(tls, msg));
    cl_hs_goto(tls, CL_HS_C13_WAIT_CERTIFICATE);
    return CL_OK;
}

/* ---- TLS 1.2 (RFC 5246 7.4.4) ---- */

#define TYPE_RSA_SIGN   1
#define TYPE_ECDSA_SIGN 64

cl_result cl_certificate_request_12_build(struct cleat_tls *tls)
{
    struct cl_wr w;
    CL_TRY(cl_flight_begin(tls, CL_HT_CERTIFICATE_REQUEST, REQUEST_ROOM, &w));
    struct cl_wr_mark types = cl_wr_open8(&w);
    cl_wr_u8(&w, TYPE_ECDSA_SIGN);
    cl_wr_u8(&w, TYPE_RSA_SIGN);
    cl_wr_close(&w, types);
    /* the same bodies as the extensions of TLS 1.3 */
    (void)cl_ext_signature_algorithms_build(tls, CL_EXT_CR, &w);
    if (!cl_ext_certificate_authorities_build(tls, CL_EXT_CR, &w)) {
        cl_wr_u16(&w, 0);
    }
    return cl_flight_end(tls, &w);
}

cl_result cl_certificate_request_12_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_rd body = msg->body;
    struct cl_rd types;
    struct cl_rd schemes;
    struct cl_rd names;
    struct cl_rd name;
    struct cl_rd whole;
    bool ok = cl_rd_vec8(&body, &types) && types.len != 0;
    whole = body;
    ok = ok && cl_rd_vec16(&body, &schemes) && cl_rd_vec16(&body, &names) && cl_rd_done(&body);
    struct cl_rd all = ok ? names : cl_rd_of(NULL, 0);
    while (ok && !cl_rd_done(&names)) {
        ok = cl_rd_vec16(&names, &name) && !cl_rd_done(&name);
    }
    if (!ok) {
        return cl_tls_decode_error(tls, "CertificateRequest", "RFC 5246 7.4.4");
    }
    CL_TRY(cl_ext_signature_algorithms_parse(tls, CL_EXT_CR, cl_rd_of(whole.p, 2 + schemes.len)));
    CL_TRY(cl_buf_append(&tls->hs->peer_authorities, all.p, all.len, UINT16_MAX));
    tls->hs->takes_rsa = memchr(types.p, TYPE_RSA_SIGN, types.len) != NULL;
    tls->hs->takes_ecdsa = memchr(types.p, TYPE_ECDSA_SIGN, types.len) != NULL;
    tls->hs->cert_requested = true;
    cl_hs_next(tls, 0);
    return CL_OK;
}
