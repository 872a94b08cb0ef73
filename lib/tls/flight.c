/* tls/flight.c - handshake messages on their way out: built into one buffer, sealed into as few
 * records as possible when keys change, when the peer is waited for, or when the handshake ends;
 * padded where their lengths would tell a name. */
#include "tls/ech.h"
#include "tls/hs.h"

/* 262,144: the longest flight is a Certificate message with its neighbours */
#define FLIGHT_MAX (2 * CL_HS_MAX_MESSAGE)

/* What flights are padded to where names are hidden. 512: of a resumption, tickets, a Finished.
 * 4,096: with certificates; a chain of two or three with ECDSA keys, its SCTs and a staple fit, or
 * two with RSA keys, and so do they into the first window of TCP. */
#define PAD_SHORT 512
#define PAD_LONG  4096

cl_result cl_flight_begin(struct cleat_tls *tls, uint8_t type, size_t max_body, struct cl_wr *w)
{
    CL_TRY(cl_buf_reserve(&tls->hs->flight, 4 + max_body, FLIGHT_MAX));
    *w = cl_buf_writer(&tls->hs->flight);
    cl_wr_u8(w, type);
    (void)cl_wr_open24(w);
    return CL_OK;
}

static void sent(struct cleat_tls *tls, size_t start)
{
    struct cl_buf *flight = &tls->hs->flight;
    if (tls->config->message_hook != NULL) {
        tls->config->message_hook(tls->config->message_hook_ctx, tls, flight->p[start], flight,
                                  start);
    }
    struct cl_rd whole = cl_rd_of(flight->p + start, flight->len - start);
    cl_event_message(tls, true, whole);
    if (whole.p[0] == CL_HT_CLIENT_HELLO) {
        cl_event_fingerprint(tls, true, whole);
    }
    if (tls->hs->transcript_started) {
        /* an outer ClientHello is not part of the handshake (RFC 9849 6.1.5) */
        bool outer = whole.p[0] == CL_HT_CLIENT_HELLO && cl_ech_wanted(tls);
        cl_transcript_add(tls, outer ? cl_buf_view(&tls->hs->hello) : whole);
    }
}

cl_result cl_flight_end(struct cleat_tls *tls, struct cl_wr *w)
{
    cl_wr_close(w, (struct cl_wr_mark){.at = 1, .width = 3});
    if (!cl_wr_ok(w)) {
        return cl_tls_fail(tls, CL_WHY(INTERNAL, NULL), "a message outgrew the room for it");
    }
    size_t start = tls->hs->flight.len;
    cl_buf_commit(&tls->hs->flight, w);
    sent(tls, start);
    return CL_OK;
}

cl_result cl_flight_append(struct cleat_tls *tls, struct cl_rd message)
{
    size_t start = tls->hs->flight.len;
    CL_TRY(cl_buf_append(&tls->hs->flight, message.p, message.len, FLIGHT_MAX));
    sent(tls, start);
    return CL_OK;
}

static void flush_ccs(struct cleat_tls *tls, struct cleat_tls_io *io, bool *done)
{
    static const uint8_t ccs_record[] = {CL_CT_CHANGE_CIPHER_SPEC, 3, 3, 0, 1, 1};
    if (io->out_cap - io->out_len < sizeof(ccs_record)) {
        *done = false;
        return;
    }
    /* always in clear, whatever the keys are (RFC 9846 5) */
    memcpy(io->out + io->out_len, ccs_record, sizeof(ccs_record));
    io->out_len += sizeof(ccs_record);
    tls->hs->ccs_pending = false;
    tls->hs->ccs_sent = true;
}

bool cl_flight_before_alert(struct cleat_tls *tls, struct cleat_tls_io *io)
{
    const struct cl_hs *hs = tls->hs;
    bool done = true;
    /* RFC 9846 E.4: the client's change_cipher_spec comes before its second flight; where an alert
     * takes that flight's place, it is the first encrypted record that a middlebox sees */
    if (hs != NULL && tls->wr.protection != NULL &&
        (hs->ccs_pending || (!cl_is_server(tls) && !hs->ccs_sent))) {
        flush_ccs(tls, io, &done);
    }
    return done;
}

/* RFC 9849 6.1.3: "clients and servers will also need to pad all other handshake messages that have
 * sensitive-length fields": a server's flight tells by its length which certificate is in it, and
 * so which name was asked for. It is padded whether ECH was accepted or not, that nobody on the way
 * can tell which; a client's, when it holds more than a Finished, whose length tells nothing. */
static uint16_t padding_unit(const struct cleat_tls *tls)
{
    const struct cl_hs *hs = tls->hs;
    if (hs->ech == NULL || (!cl_is_server(tls) && !hs->cert_requested)) {
        return 0;
    }
    return hs->flight.len < PAD_SHORT ? PAD_SHORT : PAD_LONG;
}

cl_result cl_flight_flush(struct cleat_tls *tls, struct cleat_tls_io *io, bool *done)
{
    struct cl_hs *hs = tls->hs;
    *done = true;
    tls->wr.max_fragment = tls->config->max_fragment;
    tls->wr.pad_handshake_to = padding_unit(tls);
    if (hs->ccs_pending) {
        flush_ccs(tls, io, done);
    }
    while (*done && hs->flight_sealed < hs->flight.len) {
        size_t left = hs->flight.len - hs->flight_sealed;
        size_t room = cl_record_room(&tls->wr, CL_CT_HANDSHAKE, io->out_cap - io->out_len);
        size_t take = left < room ? left : room;
        /* 63: no records of a few bytes only because the buffer is nearly full; the least that a
         * negotiated limit leaves (RFC 8449 4) */
        if (room < left && room < CL_RECORD_SIZE_LIMIT_MIN - 1) {
            *done = false;
            break;
        }
        CL_TRY(cl_record_seal(&tls->wr, CL_CT_HANDSHAKE,
                              cl_rd_of(hs->flight.p + hs->flight_sealed, take), io));
        hs->flight_sealed += take;
    }
    tls->wr.pad_handshake_to = 0;
    if (*done) {
        hs->flight.len = 0;
        hs->flight_sealed = 0;
    }
    return CL_OK;
}
