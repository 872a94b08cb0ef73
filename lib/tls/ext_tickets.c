/* tls/ext_tickets.c - ticket_request (RFC 9149): how many tickets a client has a use for. */
#include "tls/ext.h"
#include "tls/msg.h"

cl_result cl_ext_ticket_request_parse(struct cleat_tls *tls, unsigned message, struct cl_rd body)
{
    struct cl_client_hello *ch = &tls->hs->parsed;
    uint8_t expected;
    bool ok;
    if (message == CL_EXT_CH) {
        ch->has_ticket_request = true;
        ok = cl_rd_u8(&body, &ch->tickets_new) && cl_rd_u8(&body, &ch->tickets_resumed);
    } else {
        ok = cl_rd_u8(&body, &expected); /* a hint; what comes is taken as it comes */
    }
    return ok && cl_rd_done(&body) ? CL_OK
                                   : cl_tls_decode_error(tls, "ticket_request", "RFC 9149 3");
}

bool cl_ext_ticket_request_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w)
{
    const struct cleat_tls_config *c = tls->config;
    if (message == CL_EXT_CH) {
        cl_wr_u8(w, c->ask_tickets_new);
        cl_wr_u8(w, c->ask_tickets_resumed);
        return c->ask_tickets && c->version_max >= CLEAT_TLS_1_3;
    }
    cl_wr_u8(w, (uint8_t)cl_tickets_num(tls));
    return tls->hs->parsed.has_ticket_request;
}
