/* tls/resume.c - see resume.h. */
#include "tls/resume.h"

#include "tls/conn.h"
#include "tls/psk.h"
#include "tls/version.h"

/* ---- server ---- */

static void fill(struct cleat_tls *tls, uint64_t now, uint32_t lifetime, struct cl_ticket *ticket)
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
    ticket->early_max = tls->version == CLEAT_TLS_1_3 ? tls->config->early_max : 0;
    ticket->peer_authenticated = tls->peer_authenticated;
    if (!tls->peer_authenticated || !cl_rd_vec24(&chain, &ticket->peer_cert)) {
        ticket->peer_cert = cl_rd_of(NULL, 0);
    }
    ticket->peer_is_raw = tls->peer_is_raw && ticket->peer_cert.len != 0;
    ticket->psk_identity = tls->psk != NULL ? cl_buf_view(&tls->psk->identity) : cl_rd_of(NULL, 0);
    /* what the client proved ends with its certificate */
    if (tls->peer_leaf != NULL) {
        int64_t end = cl_cert_not_after(tls->peer_leaf);
        uint64_t end_ms = end > 0 ? (uint64_t)end * 1000 : 0;
        ticket->expires_ms = end_ms < ticket->expires_ms ? end_ms : ticket->expires_ms;
    }
}

bool cl_ticket_fill(struct cleat_tls *tls, struct cl_ticket *ticket, uint32_t *lifetime)
{
    uint64_t now = cl_config_now(tls->config);
    fill(tls, now, *lifetime, ticket);
    if (ticket->peer_cert.len > CL_TICKET_MAX_CERT || ticket->expires_ms <= now) {
        cl_event_ticket(tls, true, 0, "not issued: the client's certificate is too large or ends");
        return false;
    }
    *lifetime = (uint32_t)((ticket->expires_ms - now) / 1000);
    return true;
}

static bool suite_usable(struct cleat_tls *tls, const struct cl_suite *suite)
{
    bool ours = false;
    for (size_t i = 0; i < tls->config->num_suites; i++) {
        ours = ours || tls->config->suites[i] == suite;
    }
    return ours && suite != NULL && suite->version == tls->protocol->number &&
           cl_list16_has(tls->hs->parsed.suites, suite->id);
}

const char *cl_ticket_objection(struct cleat_tls *tls, const struct cl_ticket *t)
{
    const struct cleat_tls_config *config = tls->config;
    struct cl_rd name = cl_rd_str(tls->server_name != NULL ? tls->server_name : "");
    const struct cl_suite *suite = cl_suite_by_id(t->suite);
    if (t->version != tls->protocol->number) {
        return "refused: made by another version";
    }
    if (cl_config_now(config) >= t->expires_ms) {
        return "refused: expired";
    }
    if (!cl_rd_equal(t->digest, cl_rd_of(config->digest, sizeof(config->digest)))) {
        return "refused: made under another configuration";
    }
    if (!cl_rd_equal(t->server_name, name)) {
        return "refused: made for another server name";
    }
    if (config->client_auth == CLEAT_CLIENT_AUTH_REQUIRED && !t->peer_authenticated) {
        return "refused: made without the client certificate that is required";
    }
    if (!suite_usable(tls, suite)) {
        return "refused: its cipher suite is not on offer";
    }
    if (suite->auth == CL_AUTH_PSK && cl_psk_find_12(config, t->psk_identity) == NULL) {
        return "refused: its PSK is not known any more";
    }
    return NULL;
}

cl_result cl_ticket_restore_peer(struct cleat_tls *tls)
{
    struct cl_rd cert = tls->hs->ticket.peer_cert;
    if (cert.len == 0) {
        return CL_OK;
    }
    uint8_t header[3];
    struct cl_wr w = cl_wr_of(header, sizeof(header));
    cl_wr_u24(&w, (uint32_t)cert.len);
    CL_TRY(cl_buf_append(&tls->peer_chain, header, sizeof(header), CL_HS_MAX_MESSAGE));
    CL_TRY(cl_buf_append(&tls->peer_chain, cert.p, cert.len, CL_HS_MAX_MESSAGE));
    if (tls->hs->ticket.peer_is_raw) {
        tls->peer_is_raw = true;
        return CL_OK;
    }
    return cl_cert_parse(&tls->peer_leaf, cert, NULL);
}

/* ---- client ---- */

static cl_result make_session(struct cleat_tls *tls, struct cl_rd ticket,
                              struct cleat_tls_session *s)
{
    struct cl_rd chain = cl_buf_view(&tls->peer_chain);
    struct cl_rd whole = chain;
    struct cl_rd leaf;
    s->version = tls->version;
    s->suite = tls->suite->id;
    s->received_ms = cl_config_now(tls->config);
    s->not_after = tls->peer_not_after;
    s->peer_is_raw = tls->peer_is_raw;
    cl_session_binding(tls->config, tls->server_name, s->binding);
    CL_TRY(cl_buf_append(&s->ticket, ticket.p, ticket.len, CL_HS_MAX_MESSAGE));
    CL_TRY(cl_buf_append(&s->alpn, tls->alpn.p, tls->alpn.len, UINT8_MAX));
    if (cl_rd_vec24(&chain, &leaf)) {
        CL_TRY(cl_buf_append(&s->peer_leaf, whole.p, 3 + leaf.len, CL_HS_MAX_MESSAGE));
    }
    return CL_OK;
}

/* No more than CL_MAX_WAITING_SESSIONS stay. */
static void drop_oldest(struct cleat_tls *tls)
{
    struct cleat_tls_session **at = &tls->sessions;
    for (size_t i = 0; i < CL_MAX_WAITING_SESSIONS && *at != NULL; i++) {
        at = &(*at)->next;
    }
    cleat_tls_session_free(*at);
    *at = NULL;
}

cl_result cl_session_keep(struct cleat_tls *tls, const struct cl_secret *secret,
                          struct cl_rd ticket, uint32_t lifetime, uint32_t age_add)
{
    struct cleat_tls_session *s = cl_calloc(1, sizeof(*s));
    if (s == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    s->refs = 1;
    s->lifetime = lifetime < CL_TICKET_MAX_LIFETIME ? lifetime : CL_TICKET_MAX_LIFETIME;
    s->age_add = age_add;
    s->psk = *secret;
    cl_result r = make_session(tls, ticket, s);
    if (r != CL_OK) {
        cleat_tls_session_free(s);
        return r;
    }
    s->next = tls->sessions;
    tls->sessions = s;
    drop_oldest(tls);
    cl_event_ticket(tls, false, s->lifetime, "received");
    return CL_OK;
}
