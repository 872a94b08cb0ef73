/* tls/ext_12.c - extensions of TLS 1.2 alone: extended_master_secret (RFC 7627), encrypt_then_mac
 * (RFC 7366), renegotiation_info (RFC 5746), ec_point_formats (RFC 8422 5.1.2), session_ticket (RFC
 * 5077 3.2). */
#include "tls/ech.h"
#include "tls/ext.h"

#define UNCOMPRESSED 0

static bool offers_12(const struct cleat_tls *tls)
{
    return tls->config->version_min <= CLEAT_TLS_1_2 && cl_ech_form(tls) != CL_ECH_INNER;
}

cl_result cl_ext_extended_master_secret_parse(struct cleat_tls *tls, unsigned message,
                                              struct cl_rd body)
{
    tls->hs->parsed.extended_master_secret = true;
    return cl_rd_done(&body) ? CL_OK
                             : cl_tls_decode_error(tls, "extended_master_secret", "RFC 7627 5.1");
}

bool cl_ext_extended_master_secret_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w)
{
    return message == CL_EXT_CH ? offers_12(tls) : tls->hs->parsed.extended_master_secret;
}

cl_result cl_ext_encrypt_then_mac_parse(struct cleat_tls *tls, unsigned message, struct cl_rd body)
{
    tls->hs->parsed.encrypt_then_mac = true;
    return cl_rd_done(&body) ? CL_OK : cl_tls_decode_error(tls, "encrypt_then_mac", "RFC 7366 2");
}

bool cl_ext_encrypt_then_mac_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w)
{
    bool offered = false;
    for (size_t i = 0; i < tls->config->num_suites; i++) {
        offered = offered || tls->config->suites[i]->mac != CL_HASH_NONE;
    }
    return message == CL_EXT_CH ? offers_12(tls) && offered : tls->hs->encrypt_then_mac;
}

/* Renegotiation is refused, so the verify_data of an earlier handshake never is there. */
cl_result cl_ext_renegotiation_info_parse(struct cleat_tls *tls, unsigned message,
                                          struct cl_rd body)
{
    struct cl_rd data;
    if (!cl_rd_vec8(&body, &data) || !cl_rd_done(&body)) {
        return cl_tls_decode_error(tls, "renegotiation_info", "RFC 5746 3.2");
    }
    /* RFC 5746 3.4, 3.6: "If it is not [zero-length], … MUST abort the handshake" */
    if (!cl_rd_done(&data)) {
        return cl_tls_fail(tls, CL_WHY_ALERT(ILLEGAL_PARAMETER, 40, "RFC 5746 3.4"),
                           "renegotiation_info of a first handshake is not empty");
    }
    tls->hs->parsed.renegotiation_info = true;
    return CL_OK;
}

bool cl_ext_renegotiation_info_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w)
{
    bool wanted = message == CL_EXT_CH ? offers_12(tls) : tls->hs->parsed.renegotiation_info;
    cl_wr_u8(w, 0);
    return wanted;
}

cl_result cl_ext_ec_point_formats_parse(struct cleat_tls *tls, unsigned message, struct cl_rd body)
{
    struct cl_rd list;
    if (!cl_rd_vec8(&body, &list) || !cl_rd_done(&body) || list.len == 0) {
        return cl_tls_decode_error(tls, "ec_point_formats", "RFC 8422 5.1.2");
    }
    /* TLS 1.3 has no use for the extension and does not judge it: a ClientHello's is looked at when
     * the version is known */
    tls->hs->parsed.point_formats = list;
    return message == CL_EXT_SH12 ? cl_check_point_formats(tls) : CL_OK;
}

cl_result cl_check_point_formats(struct cleat_tls *tls)
{
    struct cl_rd list = tls->hs->parsed.point_formats;
    /* RFC 8422 5.1.2: "The uncompressed point format … MUST be included" */
    if (list.p != NULL && memchr(list.p, UNCOMPRESSED, list.len) == NULL) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 8422 5.1.2"),
                           "ec_point_formats lacks the uncompressed format");
    }
    return CL_OK;
}

bool cl_ext_ec_point_formats_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w)
{
    cl_wr_u8(w, 1);
    cl_wr_u8(w, UNCOMPRESSED);
    if (message == CL_EXT_CH) {
        return offers_12(tls);
    }
    /* RFC 5246 7.4.1.4: "An extension type MUST NOT appear in the ServerHello unless the same
     * extension type appeared in the corresponding ClientHello" */
    return !tls->resumed && tls->hs->parsed.point_formats.p != NULL;
}

cl_result cl_ext_session_ticket_parse(struct cleat_tls *tls, unsigned message, struct cl_rd body)
{
    if (message == CL_EXT_CH) {
        tls->hs->parsed.has_session_ticket = true;
        tls->hs->parsed.session_ticket = body;
        return CL_OK;
    }
    tls->hs->ticket_expected = true;
    return cl_rd_done(&body) ? CL_OK : cl_tls_decode_error(tls, "session_ticket", "RFC 5077 3.2");
}

bool cl_ext_session_ticket_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w)
{
    const struct cleat_tls_session *session = tls->hs->session;
    if (message != CL_EXT_CH) {
        return tls->hs->ticket_expected;
    }
    if (session != NULL && session->version == CLEAT_TLS_1_2) {
        cl_wr_view(w, cl_buf_view(&session->ticket));
    }
    return offers_12(tls) && !tls->config->no_resumption;
}
