/* tls/ext_signatures.c - signature_algorithms, signature_algorithms_cert (RFC 9846 4.3.3) and
 * certificate_authorities (4.3.4). */
#include "tls/ext.h"

static bool parse_schemes(struct cl_rd body, struct cl_rd *list)
{
    return cl_rd_vec16(&body, list) && cl_rd_done(&body) && list->len != 0 && list->len % 2 == 0;
}

cl_result cl_ext_signature_algorithms_parse(struct cleat_tls *tls, unsigned message,
                                            struct cl_rd body)
{
    struct cl_rd list;
    if (!parse_schemes(body, &list)) {
        return cl_tls_decode_error(tls, "signature_algorithms", "RFC 9846 4.3.3");
    }
    if (message == CL_EXT_CH) {
        tls->hs->parsed.schemes = list;
        return CL_OK;
    }
    /* a CertificateRequest's list is needed when our certificate is chosen, later */
    tls->hs->peer_schemes.len = 0;
    return cl_buf_append(&tls->hs->peer_schemes, list.p, list.len, UINT16_MAX);
}

bool cl_ext_signature_algorithms_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w)
{
    struct cl_wr_mark list = cl_wr_open16(w);
    if (message == CL_EXT_CH) {
        cl_grease_number(tls, CL_GREASE_SCHEME, w);
    }
    for (size_t i = 0; i < tls->config->num_schemes; i++) {
        cl_wr_u16(w, tls->config->schemes[i]->scheme);
    }
    cl_wr_close(w, list);
    return true;
}

cl_result cl_ext_signature_algorithms_cert_parse(struct cleat_tls *tls, unsigned message,
                                                 struct cl_rd body)
{
    struct cl_rd list;
    if (!parse_schemes(body, &list)) {
        return cl_tls_decode_error(tls, "signature_algorithms_cert", "RFC 9846 4.3.3");
    }
    if (message == CL_EXT_CH) {
        tls->hs->parsed.schemes_cert = list;
    }
    return CL_OK;
}

cl_result cl_ext_certificate_authorities_parse(struct cleat_tls *tls, unsigned message,
                                               struct cl_rd body)
{
    struct cl_rd list = cl_rd_of(NULL, 0);
    struct cl_rd name;
    bool ok = cl_rd_vec16(&body, &list) && cl_rd_done(&body) && !cl_rd_done(&list);
    struct cl_rd all = list;
    while (ok && !cl_rd_done(&list)) {
        ok = cl_rd_vec16(&list, &name) && !cl_rd_done(&name);
    }
    if (!ok) {
        return cl_tls_decode_error(tls, "certificate_authorities", "RFC 9846 4.3.4");
    }
    if (message == CL_EXT_CH) {
        tls->hs->parsed.authorities = all;
        return CL_OK;
    }
    tls->hs->peer_authorities.len = 0;
    return cl_buf_append(&tls->hs->peer_authorities, all.p, all.len, UINT16_MAX);
}

static void put_anchors(const struct cleat_trust_store *trust, struct cl_wr *w)
{
    for (size_t i = 0; i < cleat_trust_store_num(trust); i++) {
        struct cl_wr_mark name = cl_wr_open16(w);
        cl_wr_view(w, cl_trust_subject_at(trust, i));
        cl_wr_close(w, name);
    }
}

/* 0: none to be named, or too many. */
static size_t anchors_len(const struct cleat_trust_store *trust)
{
    size_t len = 0;
    for (size_t i = 0; trust != NULL && i < cleat_trust_store_num(trust); i++) {
        len += 2 + cl_trust_subject_at(trust, i).len;
    }
    return len <= CL_EXT_MAX_AUTHORITIES ? len : 0;
}

/* A CertificateRequest names the authorities, so that a browser offers only certificates that can
 * succeed. */
bool cl_ext_certificate_authorities_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w)
{
    const struct cleat_tls_config *config = tls->config;
    size_t len = config->authorities_set ? config->authorities.len : anchors_len(config->trust);
    if (message != CL_EXT_CR || len == 0) {
        return false;
    }
    struct cl_wr_mark list = cl_wr_open16(w);
    if (config->authorities_set) {
        cl_wr_view(w, cl_buf_view(&config->authorities));
    } else {
        put_anchors(config->trust, w);
    }
    cl_wr_close(w, list);
    return true;
}
