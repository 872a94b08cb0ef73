/* tls/msg_session_ticket_12.c - resumption in TLS 1.2. By ticket (RFC 5077): the server opens what
 * the ClientHello carries and seals a new one into NewSessionTicket. By session ID (RFC 5246
 * 7.4.1.3): it keeps the session in a cache. The client keeps either with the master secret. */
#include "tls/msg.h"
#include "tls/psk.h"
#include "tls/resume.h"
#include "tls/version.h"

/* ---- server ---- */

static cl_result resume(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    /* RFC 7627 5.3: "If the original session used the "extended_master_secret" extension but the
     * new ClientHello does not contain it, the server MUST abort the abbreviated handshake";
     * sessions without it are never kept */
    if (!hs->parsed.extended_master_secret) {
        return cl_tls_fail(tls, CL_WHY(NO_EXTENDED_MASTER_SECRET, "RFC 7627 5.3"),
                           "the client resumes a session without its extended master secret");
    }
    tls->suite = cl_suite_by_id(hs->ticket.suite);
    tls->psk = tls->suite->auth == CL_AUTH_PSK
                   ? cl_psk_find_12(tls->config, hs->ticket.psk_identity)
                   : NULL;
    tls->resumed = true;
    tls->peer_authenticated = hs->ticket.peer_authenticated;
    return cl_ticket_restore_peer(tls);
}

/* RFC 5077 3.4: "If a ticket is presented by the client, the server MUST NOT attempt to use the
 * Session ID in the ClientHello for stateful session resumption" */
static bool find_session(struct cleat_tls *tls, const char **what)
{
    struct cl_hs *hs = tls->hs;
    const struct cleat_tls_config *config = tls->config;
    uint64_t now = cl_config_now(config);
    if (config->ticket_keys != NULL && hs->parsed.session_ticket.len != 0) {
        *what = "refused: not a ticket of ours, or its key has expired";
        return cl_ticket_open(config->ticket_keys, now, hs->parsed.session_ticket,
                              &hs->ticket_plain, &hs->ticket);
    }
    if (config->session_cache != NULL && hs->parsed.session_ticket.len == 0 &&
        hs->session_id_len != 0) {
        *what = "refused: no session with this ID";
        return cl_cache_get(config->session_cache, now,
                            cl_rd_of(hs->session_id, hs->session_id_len), &hs->ticket_plain,
                            &hs->ticket);
    }
    *what = NULL;
    return false;
}

/* The ID is kept for cl_session_12_forget; without memory for it nothing is kept at all. */
static bool remember_id(struct cleat_tls *tls)
{
    tls->cached_id = cl_alloc(CL_SESSION_ID_LEN);
    if (tls->cached_id != NULL) {
        memcpy(tls->cached_id, tls->hs->session_id, CL_SESSION_ID_LEN);
    }
    return tls->cached_id != NULL;
}

/* RFC 5246 7.2.2: "any connection terminated with a fatal alert MUST NOT be resumed" */
void cl_session_12_forget(struct cleat_tls *tls)
{
    if (tls->cached_id != NULL) {
        cl_cache_drop(tls->config->session_cache, cl_rd_of(tls->cached_id, CL_SESSION_ID_LEN));
        cl_free(tls->cached_id);
        tls->cached_id = NULL;
        cl_event_ticket(tls, false, 0, "forgotten: its connection failed");
    }
}

/* Resumes by the ticket or session ID in the ClientHello if it is good here; a full handshake
 * otherwise. */
cl_result cl_select_session_12(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    const char *objection = NULL;
    if (find_session(tls, &objection)) {
        objection = cl_ticket_objection(tls, &hs->ticket);
        if (objection == NULL && hs->ticket.psk.len != CL_MASTER_SECRET_LEN) {
            objection = "refused: not a master secret";
        }
        if (objection == NULL && hs->parsed.session_ticket.len == 0 && !remember_id(tls)) {
            return CLEAT_ERR_NOMEM;
        }
        if (objection == NULL) {
            cl_event_ticket(tls, false, 0, "accepted");
            return resume(tls);
        }
    }
    if (objection != NULL) {
        cl_event_ticket(tls, false, 0, objection);
    }
    return CL_OK;
}

/* A full handshake gets an ID of its own where the client takes no ticket. */
cl_result cl_session_12_name(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    hs->session_id_len = 0;
    if (tls->config->session_cache == NULL || hs->ticket_expected ||
        !hs->parsed.extended_master_secret) {
        return CL_OK;
    }
    hs->session_id_len = CL_SESSION_ID_LEN;
    return cl_rand(&tls->config->rng, hs->session_id, CL_SESSION_ID_LEN);
}

/* Not being able to keep a session costs the client a full handshake, no more. */
void cl_session_12_store(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    struct cleat_session_cache *cache = tls->config->session_cache;
    struct cl_ticket ticket = {0};
    if (cache == NULL || tls->resumed || hs->session_id_len == 0) {
        return;
    }
    uint32_t lifetime = cl_cache_lifetime(cache);
    if (cl_ticket_fill(tls, &ticket, &lifetime)) {
        ticket.psk = hs->master;
        bool kept = remember_id(tls) && cl_cache_put(cache, hs->session_id, &ticket) == CL_OK;
        cl_event_ticket(tls, true, lifetime, kept ? "kept by session ID" : "not kept: no room");
        cl_secret_wipe(&ticket.psk);
    }
}

cl_result cl_ticket_12_build(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    uint8_t room[CL_TICKET_ROOM];
    struct cl_buf sealed;
    struct cl_wr w;
    struct cl_ticket ticket = {0};
    cl_result r = CL_OK;
    cl_buf_lend(&sealed, room, sizeof(room));
    if (!hs->ticket_expected) {
        return CL_OK;
    }
    uint32_t lifetime = cl_ticket_lifetime(tls->config->ticket_keys);
    if (cl_ticket_fill(tls, &ticket, &lifetime)) {
        ticket.psk = hs->master;
        r = cl_ticket_seal(tls->config->ticket_keys, &tls->config->rng, ticket.created_ms, &ticket,
                           &sealed);
        cl_secret_wipe(&ticket.psk);
        r = r == CLEAT_ERR_LIMIT ? CL_OK : r; /* the key has sealed enough: no ticket */
    }
    if (r == CL_OK) {
        r = cl_flight_begin(tls, CL_HT_NEW_SESSION_TICKET, 6 + sealed.len, &w);
    }
    if (r == CL_OK) {
        cl_wr_u32(&w, lifetime);
        struct cl_wr_mark m = cl_wr_open16(&w);
        cl_wr_view(&w, cl_buf_view(&sealed)); /* empty: no ticket after all (RFC 5077 3.3) */
        cl_wr_close(&w, m);
        r = cl_flight_end(tls, &w);
    }
    cl_buf_deinit(&sealed);
    return r;
}

/* ---- client ---- */

cl_result cl_ticket_12_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_hs *hs = tls->hs;
    struct cl_rd body = msg->body;
    struct cl_rd ticket;
    if (!cl_rd_u32(&body, &hs->ticket_lifetime) || !cl_rd_vec16(&body, &ticket) ||
        !cl_rd_done(&body)) {
        return cl_tls_decode_error(tls, "NewSessionTicket", "RFC 5077 3.3");
    }
    hs->new_ticket.len = 0;
    CL_TRY(cl_buf_append(&hs->new_ticket, ticket.p, ticket.len, UINT16_MAX));
    cl_hs_next(tls, 0);
    return CL_OK;
}

/* RFC 5246 F.1.4: "An upper limit of 24 hours is suggested for session ID lifetimes" */
#define ID_LIFETIME 86400

static cl_result keep_id(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    CL_TRY(cl_session_keep(tls, &hs->master, cl_rd_of(NULL, 0), ID_LIFETIME, 0));
    struct cleat_tls_session *s = tls->sessions;
    s->session_id_len = hs->session_id_len;
    memcpy(s->session_id, hs->session_id, hs->session_id_len);
    return CL_OK;
}

/* RFC 5077 3.3: a lifetime of 0 leaves it to the client; an hour is what servers use at least. */
#define DEFAULT_LIFETIME 3600

cl_result cl_session_12_keep(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    uint32_t lifetime = hs->ticket_lifetime != 0 ? hs->ticket_lifetime : DEFAULT_LIFETIME;
    /* RFC 7627 5.4: a session without the extended master secret is not resumed */
    if (!hs->parsed.extended_master_secret || tls->config->no_resumption) {
        return CL_OK;
    }
    if (hs->new_ticket.len == 0) {
        return !tls->resumed && hs->session_id_len != 0 ? keep_id(tls) : CL_OK;
    }
    return cl_session_keep(tls, &hs->master, cl_buf_view(&hs->new_ticket), lifetime, 0);
}
