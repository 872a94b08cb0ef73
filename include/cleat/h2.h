/* cleat/h2.h - HTTP/2 (RFC 9113) connections that are fed with bytes, for servers and clients.
 *
 * No I/O and no clock: the application feeds what the transport brought to cleat_h2_step(), sends
 * what cleat_h2_output() shows, and passes the time along. Heads are those of cleat/http.h, so that
 * whatever handles a request of HTTP/1.1 handles these. Framing, HPACK and the order of streams
 * (RFC 9218, Extensible Priorities, as clients ask) are nghttp2's; what a peer may make this side
 * do is limited here: heads and their fields, resets in either direction, pings, settings, empty
 * and unknown frames, continuations, windows that stay closed. No push.
 *
 * One thread at a time a connection. Functions returning int: CLEAT_OK (0) or a negative code of
 * cleat/error.h. Sizes in bytes; options' times in milliseconds.
 */
#ifndef CLEAT_H2_H
#define CLEAT_H2_H

#include "cleat/error.h"
#include "cleat/http.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cleat_h2;

/* RFC 9113 7 */
enum cleat_h2_code {
    CLEAT_H2_NO_ERROR = 0x0,
    CLEAT_H2_PROTOCOL_ERROR = 0x1,
    CLEAT_H2_INTERNAL_ERROR = 0x2,
    CLEAT_H2_FLOW_CONTROL_ERROR = 0x3,
    CLEAT_H2_SETTINGS_TIMEOUT = 0x4,
    CLEAT_H2_STREAM_CLOSED = 0x5,
    CLEAT_H2_FRAME_SIZE_ERROR = 0x6,
    CLEAT_H2_REFUSED_STREAM = 0x7,
    CLEAT_H2_CANCEL = 0x8,
    CLEAT_H2_COMPRESSION_ERROR = 0x9,
    CLEAT_H2_CONNECT_ERROR = 0xa,
    CLEAT_H2_ENHANCE_YOUR_CALM = 0xb,
    CLEAT_H2_INADEQUATE_SECURITY = 0xc,
    CLEAT_H2_HTTP_1_1_REQUIRED = 0xd
};

/* cleat_h2_code_name gives a code's name as RFC 9113 7 spells it; "unknown error code". Static. */
const char *cleat_h2_code_name(uint32_t code);

/* ---- connections ------------------------------------------------------------------------------*/

/* How a connection behaves; copied by cleat_h2_*_new. cleat_h2_options_init sets what is in
 * brackets, for a server / a client. */
struct cleat_h2_options {
    uint32_t max_streams;       /* [100 / 0] that the peer may have open at a time */
    uint32_t stream_window;     /* [65,535 / 1 MiB] of a stream's data that was not consumed yet */
    uint32_t connection_window; /* [1 MiB / 16 MiB] the same of all streams together */
    uint32_t max_head;          /* [16 KiB / 32 KiB] names, values and 32 a field (RFC 9113 6.5.2);
                                   at most 65,535 */
    uint8_t max_fields;         /* [100] of a head, each crumb of a cookie counted */
    bool connect_protocol;      /* [false] server: allow extended CONNECT (RFC 8441) */
    size_t queue_limit;        /* [64 KiB] of a stream's data that waits to be sent; of all streams'
                                  together four times that; never more than windows let through */
    uint32_t stall_timeout;    /* [30,000] a stream whose data waits for the peer's window so long
                                  is reset; 0: never */
    uint32_t settings_timeout; /* [10,000] until our SETTINGS are acknowledged; 0: for ever */
    uint32_t head_timeout;     /* [15,000] from the first byte of a head to its last; 0: for ever */
};
void cleat_h2_options_init(struct cleat_h2_options *o, bool is_server);

/* cleat_h2_server_new and cleat_h2_client_new make one side of a connection over a transport on
 * which "h2" was agreed (RFC 9113 3.2). The preface is in the output at once. CLEAT_ERR_NOMEM,
 * CLEAT_ERR_USAGE (an option out of its range). cleat_h2_free: NULL is fine. */
int cleat_h2_server_new(const struct cleat_h2_options *o, struct cleat_h2 **out);
int cleat_h2_client_new(const struct cleat_h2_options *o, struct cleat_h2 **out);
void cleat_h2_free(struct cleat_h2 *h2);

/* What a step works on. in/in_len: received bytes. in_used: how many of them are done with; the
 * caller sets it to 0 for new bytes and steps until CLEAT_H2_NEEDS_INPUT. now: any clock that does
 * not go back, in microseconds. What the event carries is valid until the next step, data also only
 * until in is touched. */
struct cleat_h2_io {
    const uint8_t *in;
    size_t in_len;
    size_t in_used;
    uint64_t now;
    bool early; /* server: the bytes came as TLS early data: heads that end in them get `early` */

    uint32_t stream;
    void *ctx;                          /* what cleat_h2_stream_set gave the stream, or NULL */
    const struct cleat_http_head *head; /* HEAD, and END with trailers; else NULL */
    const char *protocol;               /* HEAD: of an extended CONNECT, "websocket"; else NULL */
    const uint8_t *data;
    size_t data_len;
    bool end;         /* HEAD: nothing follows on this stream; END comes next */
    uint16_t status;  /* REFUSED: what to answer; 400, 414, 431, 501 */
    uint32_t code;    /* RESET, GOAWAY */
    bool unprocessed; /* RESET: a request of ours on which nothing was done; it may be sent again */
    bool by_peer;     /* RESET: the peer has; else this side, cleat_h2_why() may say more */
    bool sent;        /* RESET: this side's message had been written to its end */
};

enum cleat_h2_next {
    CLEAT_H2_NEEDS_INPUT,
    CLEAT_H2_HEAD,     /* a request; a response, also an interim one (1xx). Written as the same head
                          of HTTP/1.1 would be: authority as Host, cookies joined, and framing
                          NO_BODY, LENGTH or, for a body of unknown length, UNTIL_CLOSE */
    CLEAT_H2_REFUSED,  /* a request that is beyond the limits or no valid HTTP: cleat_h2_why() says
                          why; status is to be answered */
    CLEAT_H2_DATA,     /* data of the body: give it back with cleat_h2_consume, now or later */
    CLEAT_H2_END,      /* the peer has sent all of the message; head: its trailers or NULL */
    CLEAT_H2_WRITABLE, /* the queue of a stream has room again after cleat_h2_write took less */
    CLEAT_H2_RESET,    /* the stream has ended before its time, by either side: code. Also where
                          cleat_h2_reset was called. Nothing comes of it after this */
    CLEAT_H2_DONE,     /* both sides have sent everything. Nothing comes of it after this */
    CLEAT_H2_GOAWAY,   /* the peer takes no new streams: code. Those it does not process are RESET
                          with `unprocessed` */
    CLEAT_H2_FAILED    /* cleat_h2_error says why; a GOAWAY is in the output. Send it and close */
};

/* cleat_h2_step goes on until there is something to tell. After every return look at
 * cleat_h2_output. */
enum cleat_h2_next cleat_h2_step(struct cleat_h2 *h2, struct cleat_h2_io *io);

/* cleat_h2_eof tells that the transport has ended: CLEAT_OK when no stream was open, else
 * CLEAT_ERR_HTTP_TRUNCATED. After a failure, that failure's code. */
int cleat_h2_eof(struct cleat_h2 *h2);

/* cleat_h2_tick does what is due: resets what stalls, fails the connection where SETTINGS are not
 * acknowledged. *out_next (may be NULL) gets when to call again at the latest, UINT64_MAX: not
 * before something else happens. Whatever it found comes out of the next step. */
void cleat_h2_tick(struct cleat_h2 *h2, uint64_t now, uint64_t *out_next);

/* cleat_h2_error fills *out with why the connection failed, and returns its code; CLEAT_OK when it
 * has not. cleat_h2_why: likewise why the last REFUSED was, or RESET by this side because of what
 * the peer has sent. */
int cleat_h2_error(const struct cleat_h2 *h2, struct cleat_error *out);
int cleat_h2_why(const struct cleat_h2 *h2, struct cleat_error *out);

enum cleat_h2_state {
    CLEAT_H2_OPEN,
    CLEAT_H2_DRAINING, /* a GOAWAY was sent or received: what is open goes on */
    CLEAT_H2_CLOSED    /* nothing is open any more, or it failed: send what there is and close */
};
enum cleat_h2_state cleat_h2_state(const struct cleat_h2 *h2);
size_t cleat_h2_num_streams(const struct cleat_h2 *h2);

/* cleat_h2_shutdown takes no new streams: a GOAWAY that lets those in flight in (RFC 9113 6.8), and
 * after a second, by cleat_h2_tick, the one that says which was the last. CLEAT_ERR_NOMEM. */
int cleat_h2_shutdown(struct cleat_h2 *h2, uint64_t now);

/* cleat_h2_fail ends the connection at once, with this code in its GOAWAY. */
void cleat_h2_fail(struct cleat_h2 *h2, uint32_t code, const char *why);

/* ---- streams ----------------------------------------------------------------------------------*/

/* cleat_h2_stream_set keeps a pointer with an open stream, for the ctx of its events. */
void cleat_h2_stream_set(struct cleat_h2 *h2, uint32_t stream, void *ctx);

/* cleat_h2_request opens a stream: a head of HTTP/1.1 as the parser of cleat/http.h makes it
 * (origin-form or CONNECT), whose Host becomes :authority and whose fields about the connection are
 * left out. secure: the scheme is https. protocol: extended CONNECT (RFC 8441), or NULL. end: no
 * body follows. CLEAT_ERR_CLOSED: no new streams; CLEAT_ERR_LIMIT: as many are open as the peer
 * allows; CLEAT_ERR_UNSUPPORTED: extended CONNECT, which the peer has not offered (yet);
 * CLEAT_ERR_NOMEM, CLEAT_ERR_USAGE. */
int cleat_h2_request(struct cleat_h2 *h2, const struct cleat_http_head *request, bool secure,
                     const char *protocol, bool end, void *ctx, uint32_t *out_stream);

/* What the peer's SETTINGS say (RFC 9113 6.5.2); its defaults before they have come. */
struct cleat_h2_settings {
    uint32_t max_streams; /* UINT32_MAX: any number; 100 before they have come */
    uint32_t stream_window, max_frame, header_table;
    uint32_t max_head; /* UINT32_MAX: any size */
};
void cleat_h2_peer_settings(const struct cleat_h2 *h2, struct cleat_h2_settings *out);

/* cleat_h2_settled tells whether the peer's SETTINGS have come; cleat_h2_allows_connect whether it
 * takes extended CONNECT. */
bool cleat_h2_settled(const struct cleat_h2 *h2);
bool cleat_h2_allows_connect(const struct cleat_h2 *h2);

/* cleat_h2_respond sends a response's head likewise: any number of interim ones (1xx, end false),
 * then the final one. CLEAT_ERR_CLOSED: the stream is gone; CLEAT_ERR_USAGE: it has been answered;
 * CLEAT_ERR_NOMEM. */
int cleat_h2_respond(struct cleat_h2 *h2, uint32_t stream, const struct cleat_http_head *response,
                     bool end);

/* cleat_h2_write queues data of a message's body, as much as there is room for: *taken. The body
 * ends with the piece that is the last and wholly taken. CLEAT_ERR_CLOSED: the stream is gone, or
 * has ended; CLEAT_ERR_NOMEM. cleat_h2_room tells how much would be taken. */
int cleat_h2_write(struct cleat_h2 *h2, uint32_t stream, const void *p, size_t len, bool end,
                   size_t *taken);
size_t cleat_h2_room(const struct cleat_h2 *h2, uint32_t stream);

/* cleat_h2_trailers ends a body that was written without `end` with fields: complete lines "name:
 * value" of a head of HTTP/1.1. Failures as cleat_h2_write. */
int cleat_h2_trailers(struct cleat_h2 *h2, uint32_t stream, const struct cleat_http_head *fields);

/* cleat_h2_consume gives back len bytes of the stream's window, and the connection's. Also for
 * streams that are gone. */
void cleat_h2_consume(struct cleat_h2 *h2, uint32_t stream, size_t len);

/* cleat_h2_reset ends a stream at once: RESET comes. A server that has answered and does not want
 * the rest of the request uses CLEAT_H2_NO_ERROR (RFC 9113 8.1). */
void cleat_h2_reset(struct cleat_h2 *h2, uint32_t stream, uint32_t code);

/* cleat_h2_stop says that nothing more of a request is wanted: when its response has been written
 * to the end, the stream is reset with CLEAT_H2_NO_ERROR (RFC 9113 8.1), and RESET comes. Not when
 * the request has come to its end: then DONE does. */
void cleat_h2_stop(struct cleat_h2 *h2, uint32_t stream);

/* cleat_h2_output shows bytes for the wire at *p and returns how many; 0: none. cleat_h2_sent tells
 * that the first n of them were taken. The view is valid until any other call. */
size_t cleat_h2_output(struct cleat_h2 *h2, const uint8_t **p);
void cleat_h2_sent(struct cleat_h2 *h2, size_t n);

struct cleat_h2_stats {
    uint64_t streams; /* opened */
    uint64_t resets_in, resets_out;
    uint64_t data_in, data_out; /* bytes of bodies */
};
void cleat_h2_stats(const struct cleat_h2 *h2, struct cleat_h2_stats *out);

#ifdef __cplusplus
}
#endif
#endif
