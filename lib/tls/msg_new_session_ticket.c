/* tls/msg_new_session_ticket.c - NewSessionTicket (RFC 9846 4.7.1): issued by servers, kept by
 * clients. */
#include "tls/ext.h"
#include "tls/msg.h"
#include "tls/resume.h"

static struct cl_rd secret_view(const struct cl_secret *s)
{
    return cl_rd_of(s->bytes, s->len);
}

/* ---- server ---- */

static cl_result build_one(struct cleat_tls *tls, const struct cl_hmac_key *resumption,
                           struct cl_ticket *ticket, uint8_t nonce, uint32_t lifetime)
{
    uint8_t age_add[4];
    uint8_t room[CL_TICKET_ROOM];
    struct cl_buf sealed;
    struct cl_wr w;
    cl_buf_lend(&sealed, room, sizeof(room));
    CL_TRY(cl_rand(&tls->config->rng, age_add, sizeof(age_add)));
    struct cl_rd r = cl_rd_of(age_add, sizeof(age_add));
    if (!cl_rd_u32(&r, &ticket->age_add)) {
        return CLEAT_ERR_INTERNAL;
    }
    cl_resumption_psk(resumption, cl_rd_of(&nonce, 1), &ticket->psk);
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

unsigned cl_tickets_num(const struct cleat_tls *tls)
{
    const struct cleat_tls_config *config = tls->config;
    const struct cl_client_hello *ch = &tls->hs->parsed;
    /* RFC 9846 4.3.9: without psk_dhe_ke among the client's modes a ticket is of no use to it */
    if (config->ticket_keys == NULL || !ch->psk_dhe_ke || tls->psk != NULL ||
        config->num_tickets == 0) {
        return 0;
    }
    /* RFC 9149 3: "A server SHOULD limit the number of tickets it sends" */
    if (ch->has_ticket_request) {
        unsigned num = tls->resumed ? ch->tickets_resumed : ch->tickets_new;
        return num < CL_CONFIG_MAX_TICKETS ? num : CL_CONFIG_MAX_TICKETS;
    }
    /* after a resumption one ticket replaces the one that was used */
    return tls->resumed ? 1 : config->num_tickets;
}

cl_result cl_tickets_build(struct cleat_tls *tls)
{
    unsigned num = cl_tickets_num(tls);
    struct cl_ticket ticket = {0};
    if (num == 0) {
        return CL_OK;
    }
    uint32_t lifetime = cl_ticket_lifetime(tls->config->ticket_keys);
    if (!cl_ticket_fill(tls, &ticket, &lifetime)) {
        return CL_OK;
    }
    cl_result r = CL_OK;
    struct cl_hmac_key resumption;
    cl_hmac_key_init(&resumption, tls->suite->hash, secret_view(&tls->resumption));
    for (unsigned i = 0; i < num && r == CL_OK; i++) {
        r = build_one(tls, &resumption, &ticket, (uint8_t)i, lifetime);
        if (r == CL_OK) {
            cl_event_ticket(tls, true, lifetime, "issued");
        }
    }
    cl_wipe(&resumption, sizeof(resumption));
    return r;
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

/* max_early_data_size, in a block that has been parsed; 0: no early data. */
static uint32_t early_max(struct cl_rd extensions)
{
    uint32_t max = 0;
    uint16_t type;
    struct cl_rd body;
    while (cl_rd_u16(&extensions, &type) && cl_rd_vec16(&extensions, &body)) {
        if (type == CL_ET_EARLY_DATA && !cl_rd_u32(&body, &max)) {
            return 0;
        }
    }
    return max;
}

cl_result cl_new_session_ticket_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct ticket_fields f;
    struct cl_secret psk;
    struct cl_hmac_key resumption;
    CL_TRY(parse_fields(tls, msg->body, &f));
    /* counted with the KeyUpdates: messages that cost us work and bring no data */
    if (++tls->idle_key_updates > CL_MAX_IDLE_RECORDS) {
        return cl_tls_fail(tls, CL_WHY(TOO_MANY_RECORDS, "RFC 9846 4.7.1"),
                           "more than %d NewSessionTicket messages without data",
                           CL_MAX_IDLE_RECORDS);
    }
    /* RFC 9846 4.7.1: "The value of zero indicates that the ticket should be discarded immediately"
     */
    if (f.lifetime == 0 || tls->psk != NULL || /* a PSK needs no ticket, and has no certificate */
        tls->config->no_resumption) {
        return CL_OK;
    }
    cl_hmac_key_init(&resumption, tls->suite->hash, secret_view(&tls->resumption));
    cl_resumption_psk(&resumption, f.nonce, &psk);
    cl_wipe(&resumption, sizeof(resumption));
    cl_result r = cl_session_keep(tls, &psk, f.ticket, f.lifetime, f.age_add);
    cl_secret_wipe(&psk);
    if (r == CL_OK) {
        tls->sessions->early_max = early_max(f.extensions);
    }
    return r;
}
