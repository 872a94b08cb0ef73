/* tls/msg_new_session_ticket.c - NewSessionTicket (RFC 9846 4.7.1): issued by servers, kept by
 * clients. */
#include "tls/ext.h"
#include "tls/msg.h"

/* ---- server ---- */

static void fill_ticket(struct cleat_tls *tls, uint64_t now, uint32_t lifetime,
                        struct cl_ticket *ticket)
{
    struct cl_rd chain = cl_buf_view(&tls->peer_chain);
    ticket->version = tls->version;
    ticket->suite = tls->suite->id;
    ticket->created_ms = now;
    ticket->began_ms = tls->resumed ? tls->hs->ticket.began_ms : now;
    ticket->expires_ms = now + (uint64_t)lifetime * 1000;
    /* tickets that renew each other must not outlive what RFC 9846 4.7.1 allows for one: the peers
     * authenticate anew after seven days at the latest */
    uint64_t last = ticket->began_ms + UINT64_C(1000) * CL_TICKET_MAX_LIFETIME;
    ticket->expires_ms = last < ticket->expires_ms ? last : ticket->expires_ms;
    ticket->digest = cl_rd_of(tls->config->digest, sizeof(tls->config->digest));
    ticket->server_name = cl_rd_str(tls->server_name != NULL ? tls->server_name : "");
    ticket->alpn = tls->alpn;
    ticket->peer_authenticated = tls->peer_authenticated;
    if (!tls->peer_authenticated || !cl_rd_vec24(&chain, &ticket->peer_cert)) {
        ticket->peer_cert = cl_rd_of(NULL, 0);
    }
    /* what the client proved ends with its certificate */
    if (tls->peer_leaf != NULL) {
        int64_t end = cl_cert_not_after(tls->peer_leaf);
        uint64_t end_ms = end > 0 ? (uint64_t)end * 1000 : 0;
        ticket->expires_ms = end_ms < ticket->expires_ms ? end_ms : ticket->expires_ms;
    }
}

static cl_result build_one(struct cleat_tls *tls, struct cl_ticket *ticket, uint64_t number,
                           uint32_t lifetime)
{
    uint8_t nonce = (uint8_t)number;
    uint8_t age_add[4];
    struct cl_buf sealed = {0};
    struct cl_wr w;
    CL_TRY(cl_rand(&tls->config->rng, age_add, sizeof(age_add)));
    struct cl_rd r = cl_rd_of(age_add, sizeof(age_add));
    if (!cl_rd_u32(&r, &ticket->age_add)) {
        return CLEAT_ERR_INTERNAL;
    }
    cl_resumption_psk(tls->suite->hash, &tls->resumption, cl_rd_of(&nonce, 1), &ticket->psk);
    cl_result result = cl_ticket_seal(tls->config->ticket_keys, &tls->config->rng,
                                      ticket->created_ms, ticket, &sealed);
    cl_secret_wipe(&ticket->psk);
    if (result == CL_OK) {
        result = cl_flight_begin(tls, CL_HT_NEW_SESSION_TICKET, 32 + sealed.len, &w);
    }
    if (result == CL_OK) {
        cl_wr_u32(&w, lifetime);
        cl_wr_u32(&w, ticket->age_add);
        struct cl_wr_mark m = cl_wr_open8(&w);
        cl_wr_u8(&w, nonce);
        cl_wr_close(&w, m);
        m = cl_wr_open16(&w);
        cl_wr_view(&w, cl_buf_view(&sealed));
        cl_wr_close(&w, m);
        cl_ext_build(tls, CL_EXT_NST, &w);
        result = cl_flight_end(tls, &w);
    }
    cl_buf_deinit(&sealed);
    return result;
}

/* RFC 9846 4.3.9: without psk_dhe_ke among the client's modes a ticket would be of no use to it. */
cl_result cl_tickets_build(struct cleat_tls *tls)
{
    const struct cleat_tls_config *config = tls->config;
    if (config->ticket_keys == NULL || !tls->hs->parsed.psk_dhe_ke) {
        return CL_OK;
    }
    uint64_t now = cl_config_now(config);
    uint32_t lifetime = cl_ticket_lifetime(config->ticket_keys);
    struct cl_ticket ticket = {0};
    fill_ticket(tls, now, lifetime, &ticket);
    if (ticket.peer_cert.len > CL_TICKET_MAX_CERT || ticket.expires_ms <= now) {
        cl_event_ticket(tls, true, 0, "not issued: the client's certificate is too large or ends");
        return CL_OK;
    }
    lifetime = (uint32_t)((ticket.expires_ms - now) / 1000);
    /* after a resumption one ticket replaces the one that was used */
    unsigned num = tls->resumed && config->num_tickets > 1 ? 1 : config->num_tickets;
    for (unsigned i = 0; i < num; i++) {
        CL_TRY(build_one(tls, &ticket, i, lifetime));
        cl_event_ticket(tls, true, lifetime, "issued");
    }
    return CL_OK;
}

/* ---- client ---- */

struct ticket_fields {
    uint32_t lifetime;
    uint32_t age_add;
    struct cl_rd nonce;
    struct cl_rd ticket;
    struct cl_rd extensions;
};

static cl_result parse_fields(struct cleat_tls *tls, struct cl_rd body, struct ticket_fields *f)
{
    uint32_t received;
    if (!cl_rd_u32(&body, &f->lifetime) || !cl_rd_u32(&body, &f->age_add) ||
        !cl_rd_vec8(&body, &f->nonce) || !cl_rd_vec16(&body, &f->ticket) || f->ticket.len == 0 ||
        !cl_rd_vec16(&body, &f->extensions) || !cl_rd_done(&body)) {
        return cl_tls_decode_error(tls, "NewSessionTicket", "RFC 9846 4.7.1");
    }
    return cl_ext_parse(tls, CL_EXT_NST, f->extensions, &received);
}

static cl_result make_session(struct cleat_tls *tls, const struct ticket_fields *f,
                              struct cleat_tls_session **out)
{
    struct cl_rd chain = cl_buf_view(&tls->peer_chain);
    struct cleat_tls_session *s = cl_calloc(1, sizeof(*s));
    if (s == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    s->refs = 1;
    s->version = tls->version;
    s->suite = tls->suite->id;
    s->received_ms = cl_config_now(tls->config);
    s->lifetime = f->lifetime < CL_TICKET_MAX_LIFETIME ? f->lifetime : CL_TICKET_MAX_LIFETIME;
    s->age_add = f->age_add;
    s->not_after = tls->peer_not_after;
    cl_resumption_psk(tls->suite->hash, &tls->resumption, f->nonce, &s->psk);
    cl_session_binding(tls->config, tls->server_name, s->binding);
    cl_result r = cl_buf_append(&s->ticket, f->ticket.p, f->ticket.len, CL_HS_MAX_MESSAGE);
    struct cl_rd leaf = cl_rd_of(NULL, 0);
    struct cl_rd whole = chain;
    if (r == CL_OK && cl_rd_vec24(&chain, &leaf)) {
        r = cl_buf_append(&s->peer_leaf, whole.p, 3 + leaf.len, CL_HS_MAX_MESSAGE);
    }
    if (r != CL_OK) {
        cleat_tls_session_free(s);
        return r;
    }
    *out = s;
    return CL_OK;
}

cl_result cl_new_session_ticket_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct ticket_fields f;
    struct cleat_tls_session *session;
    CL_TRY(parse_fields(tls, msg->body, &f));
    /* counted with the KeyUpdates: messages that cost us work and bring no data */
    if (++tls->idle_key_updates > CL_MAX_IDLE_RECORDS) {
        return cl_tls_fail(tls, CL_WHY(TOO_MANY_RECORDS, "RFC 9846 4.7.1"),
                           "more than %d NewSessionTicket messages without data",
                           CL_MAX_IDLE_RECORDS);
    }
    /* RFC 9846 4.7.1: "The value of zero indicates that the ticket should be discarded immediately"
     */
    if (f.lifetime == 0) {
        return CL_OK;
    }
    CL_TRY(make_session(tls, &f, &session));
    cleat_tls_session_free(tls->sessions[CL_MAX_WAITING_SESSIONS - 1]);
    memmove(&tls->sessions[1], &tls->sessions[0],
            (CL_MAX_WAITING_SESSIONS - 1) * sizeof(tls->sessions[0]));
    tls->sessions[0] = session;
    cl_event_ticket(tls, false, session->lifetime, "received");
    return CL_OK;
}
