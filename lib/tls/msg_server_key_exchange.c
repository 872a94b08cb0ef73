/* tls/msg_server_key_exchange.c - ServerKeyExchange of TLS 1.2 (RFC 8422 5.4): the server's ECDHE
 * share, signed together with both randoms. */
#include "tls/ext.h"
#include "tls/msg.h"
#include "tls/raw_key.h"
#include "tls/version.h"

#define CURVE_NAMED 3

/* client_random + server_random + ServerECDHParams */
static cl_result make_content(struct cleat_tls *tls, struct cl_rd params)
{
    struct cl_hs *hs = tls->hs;
    struct cl_buf *content = &hs->signed_content;
    size_t need = 2 * CL_RANDOM_LEN + params.len;
    content->len = 0;
    CL_TRY(cl_buf_append(content, hs->client_random, CL_RANDOM_LEN, need));
    CL_TRY(cl_buf_append(content, hs->server_random, CL_RANDOM_LEN, need));
    return cl_buf_append(content, params.p, params.len, need);
}

static void put_params(const struct cleat_tls *tls, struct cl_wr *w)
{
    cl_wr_u8(w, CURVE_NAMED);
    cl_wr_u16(w, tls->group->id);
    struct cl_wr_mark m = cl_wr_open8(w);
    cl_wr_bytes(w, tls->hs->share, tls->hs->share_len);
    cl_wr_close(w, m);
}

cl_result cl_server_key_exchange_start(struct cleat_tls *tls)
{
    uint8_t params[4 + 255];
    struct cl_wr w = cl_wr_of(params, sizeof(params));
    put_params(tls, &w);
    if (!cl_wr_ok(&w)) {
        return CLEAT_ERR_INTERNAL;
    }
    CL_TRY(make_content(tls, cl_rd_of(params, w.len)));
    return cl_sign_start(tls, cl_buf_view(&tls->hs->signed_content));
}

cl_result cl_server_key_exchange_build(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    struct cl_wr w;
    CL_TRY(cl_sign_result(tls));
    CL_TRY(cl_flight_begin(tls, CL_HT_SERVER_KEY_EXCHANGE, 4 + 255 + 4 + hs->signature.len, &w));
    put_params(tls, &w);
    cl_wr_u16(&w, hs->scheme->scheme);
    struct cl_wr_mark m = cl_wr_open16(&w);
    cl_wr_view(&w, cl_buf_view(&hs->signature));
    cl_wr_close(&w, m);
    return cl_flight_end(tls, &w);
}

/* RFC 5489 2: without a signature: who knows the PSK is the server. RFC 4279 2: "If the PSK
 * identity hint is not provided by the server, the ServerKeyExchange message is omitted" */
cl_result cl_server_key_exchange_psk_build(struct cleat_tls *tls)
{
    struct cl_rd hint = cl_buf_view(&tls->config->psk_hint);
    struct cl_wr w;
    if (tls->suite->kx == CL_KX_PSK && hint.len == 0) {
        return CL_OK;
    }
    CL_TRY(cl_flight_begin(tls, CL_HT_SERVER_KEY_EXCHANGE, 2 + hint.len + 4 + 255, &w));
    struct cl_wr_mark m = cl_wr_open16(&w);
    cl_wr_view(&w, hint);
    cl_wr_close(&w, m);
    if (tls->suite->kx == CL_KX_ECDHE_PSK) {
        put_params(tls, &w);
    }
    return cl_flight_end(tls, &w);
}

/* ---- client ---- */

struct exchange {
    uint8_t curve_type;
    uint16_t group;
    struct cl_rd share;
    struct cl_rd params; /* as signed */
    uint16_t scheme;
    struct cl_rd signature;
};

/* ServerECDHParams: what is left of *body comes behind them. */
static cl_result parse_params(struct cleat_tls *tls, struct cl_rd *body, struct exchange *x)
{
    struct cl_rd whole = *body;
    bool ok = cl_rd_u8(body, &x->curve_type);
    if (ok && x->curve_type != CURVE_NAMED) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 8422 5.4"),
                           "ServerKeyExchange has curve type %u; named curves (3) alone are spoken",
                           x->curve_type);
    }
    ok = ok && cl_rd_u16(body, &x->group) && cl_rd_vec8(body, &x->share) && x->share.len != 0;
    x->params = cl_rd_of(whole.p, whole.len - body->len);
    return ok ? CL_OK : cl_tls_decode_error(tls, "ServerKeyExchange", "RFC 8422 5.4");
}

static cl_result parse(struct cleat_tls *tls, struct cl_rd body, struct exchange *x)
{
    CL_TRY(parse_params(tls, &body, x));
    bool ok =
        cl_rd_u16(&body, &x->scheme) && cl_rd_vec16(&body, &x->signature) && cl_rd_done(&body);
    return ok ? CL_OK : cl_tls_decode_error(tls, "ServerKeyExchange", "RFC 8422 5.4");
}

/* RFC 8422 5.4: the curve is one that was offered, for TLS 1.2 (RFC 10024: ML-KEM is not). */
static cl_result take_group(struct cleat_tls *tls, uint16_t id)
{
    for (size_t i = 0; i < tls->config->num_groups; i++) {
        if (tls->config->groups[i]->id == id && !tls->config->groups[i]->post_quantum) {
            tls->group = tls->config->groups[i];
            cl_event_choice(tls, "group", tls->group->name, "the server's choice");
            return CL_OK;
        }
    }
    return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 8422 5.4"),
                       "the server chose group 0x%04x, which was not offered for TLS 1.2", id);
}

cl_result cl_server_key_exchange_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct exchange x;
    const struct cl_sig_alg *alg;
    CL_TRY(parse(tls, msg->body, &x));
    CL_TRY(take_group(tls, x.group));
    CL_TRY(cl_peer_scheme_check(tls, x.scheme, "ServerKeyExchange", &alg));
    tls->hs->peer_share.len = 0;
    CL_TRY(cl_buf_append(&tls->hs->peer_share, x.share.p, x.share.len, CL_GROUP_MAX_SHARE));
    CL_TRY(make_content(tls, x.params));
    CL_TRY(cl_peer_verify_start(tls, alg, cl_buf_view(&tls->hs->signed_content), x.signature));
    cl_hs_next(tls, 0);
    return CL_OK;
}

cl_result cl_key_exchange_checked(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(cl_peer_verify_result(tls, "ServerKeyExchange"));
    cl_hs_next(tls, 0);
    return CL_OK;
}

/* The hint is for applications with several PSKs; ours has named one. */
cl_result cl_server_key_exchange_psk_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_rd body = msg->body;
    struct cl_rd hint;
    if (!cl_rd_vec16(&body, &hint)) {
        return cl_tls_decode_error(tls, "ServerKeyExchange", "RFC 4279 2");
    }
    if (tls->suite->kx == CL_KX_ECDHE_PSK) {
        struct exchange x;
        CL_TRY(parse_params(tls, &body, &x));
        CL_TRY(take_group(tls, x.group));
        tls->hs->peer_share.len = 0;
        CL_TRY(cl_buf_append(&tls->hs->peer_share, x.share.p, x.share.len, CL_GROUP_MAX_SHARE));
    }
    if (!cl_rd_done(&body)) {
        return cl_tls_decode_error(tls, "ServerKeyExchange", "RFC 4279 2");
    }
    cl_hs_next(tls, 0);
    return CL_OK;
}
