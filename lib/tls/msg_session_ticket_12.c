/* tls/msg_session_ticket_12.c - tickets of TLS 1.2 (RFC 5077): the server opens what the
 * ClientHello carries and seals a new one into NewSessionTicket; the client keeps it with the
 * master secret. */
#include "tls/msg.h"
#include "tls/resume.h"
#include "tls/version.h"

/* ---- server ---- */

/* Resumes by the ticket in the ClientHello if it is good here; a full handshake otherwise. */
cl_result cl_select_ticket_12(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    const char *objection = "refused: not a ticket of ours, or its key has expired";
    if (tls->config->ticket_keys == NULL || hs->parsed.session_ticket.len == 0) {
        return CL_OK;
    }
    if (cl_ticket_open(tls->config->ticket_keys, cl_config_now(tls->config),
                       hs->parsed.session_ticket, &hs->ticket_plain, &hs->ticket)) {
        objection = cl_ticket_objection(tls, &hs->ticket);
        if (objection == NULL && hs->ticket.psk.len != CL_MASTER_SECRET_LEN) {
            objection = "refused: not a master secret";
        }
    }
    cl_event_ticket(tls, false, 0, objection == NULL ? "accepted" : objection);
    if (objection != NULL) {
        return CL_OK;
    }
    tls->suite = cl_suite_by_id(hs->ticket.suite);
    tls->resumed = true;
    tls->peer_authenticated = hs->ticket.peer_authenticated;
    return cl_ticket_restore_peer(tls);
}

cl_result cl_ticket_12_build(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    struct cl_buf sealed = {0};
    struct cl_wr w;
    struct cl_ticket ticket = {0};
    uint32_t lifetime = 0;
    cl_result r = CL_OK;
    if (!hs->ticket_expected) {
        return CL_OK;
    }
    if (cl_ticket_fill(tls, &ticket, &lifetime)) {
        ticket.psk = hs->master;
        r = cl_ticket_seal(tls->config->ticket_keys, &tls->config->rng, ticket.created_ms, &ticket,
                           &sealed);
        cl_secret_wipe(&ticket.psk);
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

/* RFC 5077 3.3: a lifetime of 0 leaves it to the client; an hour is what servers use at least. */
#define DEFAULT_LIFETIME 3600

cl_result cl_session_12_keep(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    uint32_t lifetime = hs->ticket_lifetime != 0 ? hs->ticket_lifetime : DEFAULT_LIFETIME;
    if (hs->new_ticket.len == 0) {
        return CL_OK;
    }
    return cl_session_keep(tls, &hs->master, cl_buf_view(&hs->new_ticket), lifetime, 0);
}
