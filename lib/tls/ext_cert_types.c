/* tls/ext_cert_types.c - client_certificate_type and server_certificate_type (RFC 7250 3): a list
 * in ClientHello, one type in the answer, which stands in EncryptedExtensions (RFC 9846 4.3) or in
 * the ServerHello of TLS 1.2. */
#include "tls/ext.h"
#include "tls/raw_key.h"

static cl_result parse_list(struct cleat_tls *tls, const char *name, struct cl_rd body,
                            struct cl_rd *out)
{
    struct cl_rd list;
    if (!cl_rd_vec8(&body, &list) || !cl_rd_done(&body)) {
        return cl_tls_decode_error(tls, name, "RFC 7250 3");
    }
    /* RFC 7250 4.1: a client that has nothing but the default type, X.509, to offer "MUST omit" the
     * extension; and a list that is empty offers nothing at all */
    if (list.len == 0 || (list.len == 1 && list.p[0] == CLEAT_CERT_TYPE_X509)) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 7250 4.1"), "%s lists %s", name,
                           list.len == 0 ? "no type" : "nothing but the default, X.509");
    }
    *out = list;
    return CL_OK;
}

/* The answer is one of the types that were offered. */
static cl_result parse_answer(struct cleat_tls *tls, const char *name, struct cl_rd body,
                              struct cl_rd offered, uint8_t *out)
{
    uint8_t type;
    if (!cl_rd_u8(&body, &type) || !cl_rd_done(&body)) {
        return cl_tls_decode_error(tls, name, "RFC 7250 3");
    }
    if (memchr(offered.p, type, offered.len) == NULL) {
        return cl_tls_fail(tls, CL_WHY(UNSUPPORTED_CERTIFICATE, "RFC 7250 4.2"),
                           "the server's %s is the certificate type %u, which was not offered",
                           name, type);
    }
    *out = type;
    return CL_OK;
}

static bool build_list(struct cl_wr *w, const uint8_t *types, size_t num)
{
    struct cl_wr_mark list = cl_wr_open8(w);
    cl_wr_bytes(w, types, num);
    cl_wr_close(w, list);
    return num > 1 || (num == 1 && types[0] != CLEAT_CERT_TYPE_X509);
}

/* ---- client_certificate_type ---- */

cl_result cl_ext_client_certificate_type_parse(struct cleat_tls *tls, unsigned message,
                                               struct cl_rd body)
{
    uint8_t own[CL_CERT_TYPE_COUNT];
    if (message == CL_EXT_CH) {
        return parse_list(tls, "client_certificate_type", body, &tls->hs->parsed.client_types);
    }
    size_t num = cl_own_types(tls->config, own);
    return parse_answer(tls, "client_certificate_type", body, cl_rd_of(own, num), &tls->own_type);
}

bool cl_ext_client_certificate_type_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w)
{
    uint8_t own[CL_CERT_TYPE_COUNT];
    if (message == CL_EXT_CH) {
        size_t num = cl_own_types(tls->config, own);
        return build_list(w, own, num);
    }
    /* RFC 7250 4.2: the answer belongs to a request for a certificate, now or later */
    cl_wr_u8(w, tls->peer_type);
    return tls->hs->client_type_agreed;
}

/* ---- server_certificate_type ---- */

cl_result cl_ext_server_certificate_type_parse(struct cleat_tls *tls, unsigned message,
                                               struct cl_rd body)
{
    if (message == CL_EXT_CH) {
        return parse_list(tls, "server_certificate_type", body, &tls->hs->parsed.server_types);
    }
    return parse_answer(tls, "server_certificate_type", body,
                        cl_rd_of(tls->config->peer_types, tls->config->num_peer_types),
                        &tls->peer_type);
}

bool cl_ext_server_certificate_type_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w)
{
    const struct cl_credential *credential = tls->hs->credential;
    if (message == CL_EXT_CH) {
        return build_list(w, tls->config->peer_types, tls->config->num_peer_types);
    }
    if (credential == NULL || tls->hs->parsed.server_types.p == NULL) {
        return false;
    }
    cl_wr_u8(w, cl_cert_type_of(credential));
    return true;
}
