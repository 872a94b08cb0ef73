/* tls/msg_server_key_exchange.c - ServerKeyExchange of TLS 1.2: the server's share, of a curve (RFC
 * 8422 5.4) or of a finite field (RFC 5246 7.4.3, RFC 7919), signed together with both randoms. */
#include "tls/ext.h"
#include "tls/msg.h"
#include "tls/raw_key.h"
#include "tls/version.h"

#define CURVE_NAMED 3
/* RFC 7919 A: the generator of all its groups */
#define GENERATOR   2

/* ServerECDHParams; ServerDHParams: prime, generator and share, each behind its length */
#define MAX_CURVE_PARAMS (4 + 255)
#define MAX_PARAMS       (2 + CL_GROUP_MAX_PRIME + 2 + 1 + 2 + CL_GROUP_MAX_PRIME)

/* client_random + server_random + the parameters */
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

static size_t max_params(const struct cleat_tls *tls)
{
    return cl_suite_is_dhe(tls->suite) ? MAX_PARAMS : MAX_CURVE_PARAMS;
}

static void put_vec16(struct cl_rd bytes, struct cl_wr *w)
{
    struct cl_wr_mark m = cl_wr_open16(w);
    cl_wr_view(w, bytes);
    cl_wr_close(w, m);
}

static void put_params(const struct cleat_tls *tls, struct cl_wr *w)
{
    static const uint8_t generator[] = {GENERATOR};
    if (tls->group->finite_field) {
        put_vec16(cl_group_prime(tls->group), w);
        put_vec16(cl_rd_of(generator, sizeof(generator)), w);
        put_vec16(cl_rd_of(tls->hs->share, tls->hs->share_len), w);
        return;
    }
    cl_wr_u8(w, CURVE_NAMED);
    cl_wr_u16(w, tls->group->id);
    struct cl_wr_mark m = cl_wr_open8(w);
    cl_wr_bytes(w, tls->hs->share, tls->hs->share_len);
    cl_wr_close(w, m);
}

cl_result cl_server_key_exchange_start(struct cleat_tls *tls)
{
    uint8_t params[MAX_PARAMS];
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
    CL_TRY(cl_flight_begin(tls, CL_HT_SERVER_KEY_EXCHANGE, max_params(tls) + 4 + hs->signature.len,
                           &w));
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
    const bool share = cl_suite_has_share(tls->suite);
    if (!share && hint.len == 0) {
        return CL_OK;
    }
    CL_TRY(cl_flight_begin(tls, CL_HT_SERVER_KEY_EXCHANGE, 2 + hint.len + max_params(tls), &w));
    struct cl_wr_mark m = cl_wr_open16(&w);
    cl_wr_view(&w, hint);
    cl_wr_close(&w, m);
    if (share) {
        put_params(tls, &w);
    }
    return cl_flight_end(tls, &w);
}

/* ---- client ---- */

struct exchange {
    uint8_t curve_type;
    uint16_t group;     /* of a curve */
    struct cl_rd prime; /* of a finite field, as sent */
    struct cl_rd generator;
    struct cl_rd share;
    struct cl_rd params; /* as signed */
    uint16_t scheme;
    struct cl_rd signature;
};

/* ServerDHParams, RFC 5246 7.4.3: opaque dh_p, dh_g and dh_Ys<1..2^16-1> */
static cl_result parse_field(struct cleat_tls *tls, struct cl_rd *body, struct exchange *x)
{
    const struct cl_rd whole = *body;
    const bool ok = cl_rd_vec16(body, &x->prime) && x->prime.len != 0 &&
                    cl_rd_vec16(body, &x->generator) && x->generator.len != 0 &&
                    cl_rd_vec16(body, &x->share) && x->share.len != 0;
    x->params = cl_rd_of(whole.p, whole.len - body->len);
    return ok ? CL_OK : cl_tls_decode_error(tls, "ServerKeyExchange", "RFC 5246 7.4.3");
}

/* ServerECDHParams */
static cl_result parse_curve(struct cleat_tls *tls, struct cl_rd *body, struct exchange *x)
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

/* What is left of *body comes behind the parameters. */
static cl_result parse_params(struct cleat_tls *tls, struct cl_rd *body, struct exchange *x)
{
    return cl_suite_is_dhe(tls->suite) ? parse_field(tls, body, x) : parse_curve(tls, body, x);
}

static cl_result parse(struct cleat_tls *tls, struct cl_rd body, struct exchange *x)
{
    CL_TRY(parse_params(tls, &body, x));
    bool ok =
        cl_rd_u16(&body, &x->scheme) && cl_rd_vec16(&body, &x->signature) && cl_rd_done(&body);
    return ok ? CL_OK : cl_tls_decode_error(tls, "ServerKeyExchange", "RFC 8422 5.4");
}

/* Groups that somebody has made himself may be weak on purpose, and nobody sees that: the fields of
 * RFC 7919 that were offered are taken, and no others (3.1 leaves that to the client). */
static cl_result take_field(struct cleat_tls *tls, const struct exchange *x)
{
    const struct cl_rd prime = cl_rd_without_zeros(x->prime);
    const struct cl_group *field = cl_group_by_prime(prime, cl_rd_without_zeros(x->generator));
    for (size_t i = 0; field != NULL && i < tls->config->num_fields; i++) {
        if (tls->config->fields[i] == field) {
            tls->group = field;
            cl_event_choice(tls, "group", field->name, "the server's choice");
            return CL_OK;
        }
    }
    if (field != NULL) {
        return cl_tls_fail(tls,
                           CL_WHY_HINT(ILLEGAL_PARAMETER, "RFC 7919 4",
                                       "allow it with --curves, if the server cannot be changed"),
                           "the server chose the group %s, which was not offered", field->name);
    }
    return cl_tls_fail(tls,
                       (struct cl_why){CLEAT_ERR_NO_SHARED_GROUP, CL_ALERT_INSUFFICIENT_SECURITY,
                                       "RFC 7919 3.1",
                                       "the server needs the groups of RFC 7919 (ffdhe2048 and "
                                       "longer), or ECDHE"},
                       "the server uses DHE with a group of its own (a prime of %zu bits), which "
                       "nobody can check",
                       8 * prime.len);
}

/* RFC 8422 5.4: the curve is one that was offered, for TLS 1.2 (RFC 10024: ML-KEM is not). */
static cl_result take_curve(struct cleat_tls *tls, uint16_t id)
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

static cl_result take_share(struct cleat_tls *tls, const struct exchange *x)
{
    CL_TRY(cl_suite_is_dhe(tls->suite) ? take_field(tls, x) : take_curve(tls, x->group));
    return cl_peer_share_set(tls, x->share);
}

cl_result cl_server_key_exchange_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct exchange x;
    const struct cl_sig_alg *alg;
    CL_TRY(parse(tls, msg->body, &x));
    CL_TRY(take_share(tls, &x));
    CL_TRY(cl_peer_scheme_check(tls, x.scheme, "ServerKeyExchange", &alg));
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
    if (cl_suite_has_share(tls->suite)) {
        struct exchange x;
        CL_TRY(parse_params(tls, &body, &x));
        CL_TRY(take_share(tls, &x));
    }
    if (!cl_rd_done(&body)) {
        return cl_tls_decode_error(tls, "ServerKeyExchange", "RFC 4279 2");
    }
    cl_hs_next(tls, 0);
    return CL_OK;
}
