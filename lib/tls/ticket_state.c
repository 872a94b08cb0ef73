/* tls/ticket_state.c - what a session is, as bytes: inside a sealed ticket, or in a server's cache.
 */
#include <string.h>

#include "tls/ticket.h"

#define TICKET_FORMAT      4
#define FLAG_AUTHENTICATED 1
#define FLAG_RAW_KEY       2

void cl_ticket_build_state(struct cl_wr *w, const struct cl_ticket *t)
{
    cl_wr_u8(w, TICKET_FORMAT);
    cl_wr_u16(w, t->version);
    cl_wr_u16(w, t->suite);
    cl_wr_u64(w, t->created_ms);
    cl_wr_u64(w, t->expires_ms);
    cl_wr_u64(w, t->began_ms);
    cl_wr_u32(w, t->age_add);
    cl_wr_u32(w, t->early_max);
    cl_wr_u8(w, (t->peer_authenticated ? FLAG_AUTHENTICATED : 0) |
                    (t->peer_is_raw ? FLAG_RAW_KEY : 0));
    const struct cl_rd small[] = {cl_rd_of(t->psk.bytes, t->psk.len), t->digest, t->server_name,
                                  t->alpn};
    for (size_t i = 0; i < 4; i++) {
        struct cl_wr_mark m = cl_wr_open8(w);
        cl_wr_view(w, small[i]);
        cl_wr_close(w, m);
    }
    const struct cl_rd large[] = {t->peer_cert, t->psk_identity};
    for (size_t i = 0; i < 2; i++) {
        struct cl_wr_mark m = cl_wr_open16(w);
        cl_wr_view(w, large[i]);
        cl_wr_close(w, m);
    }
}

bool cl_ticket_parse_state(struct cl_rd r, struct cl_ticket *t)
{
    uint8_t format;
    uint8_t flags;
    struct cl_rd psk;
    *t = (struct cl_ticket){0};
    if (!cl_rd_u8(&r, &format) || format != TICKET_FORMAT || !cl_rd_u16(&r, &t->version) ||
        !cl_rd_u16(&r, &t->suite) || !cl_rd_u64(&r, &t->created_ms) ||
        !cl_rd_u64(&r, &t->expires_ms) || !cl_rd_u64(&r, &t->began_ms) ||
        !cl_rd_u32(&r, &t->age_add) || !cl_rd_u32(&r, &t->early_max) || !cl_rd_u8(&r, &flags) ||
        !cl_rd_vec8(&r, &psk) || !cl_rd_vec8(&r, &t->digest) || !cl_rd_vec8(&r, &t->server_name) ||
        !cl_rd_vec8(&r, &t->alpn) || !cl_rd_vec16(&r, &t->peer_cert) ||
        !cl_rd_vec16(&r, &t->psk_identity) || !cl_rd_done(&r) || psk.len > CL_SECRET_MAX) {
        return false;
    }
    t->psk.len = (uint8_t)psk.len;
    memcpy(t->psk.bytes, psk.p, psk.len);
    t->peer_authenticated = (flags & FLAG_AUTHENTICATED) != 0;
    t->peer_is_raw = (flags & FLAG_RAW_KEY) != 0;
    return true;
}
