/* cleat/http_server.h - the server's side of an HTTP connection, HTTP/1.1 (RFC 9112) or HTTP/2
 * (RFC 9113) behind one interface.
 *
 * No I/O, no clock, no callbacks: received bytes go into cleat_http_server_step(), which returns
 * events; what cleat_http_server_output() shows goes to the transport. Each request with its
 * response is an *exchange*. With HTTP/1.1 one is in flight at a time, and pipelined requests wait;
 * with HTTP/2 there are many. Bodies stream in both directions, with back-pressure; heads, bodies
 * and time are limited here. Handler tables over this: cleat/http_routes.h.
 *
 * The main loop: step until NEEDS_INPUT or BLOCKED and answer the events, send the output, tick.
 * One thread at a time a connection. Functions returning int: CLEAT_OK (0) or a negative code of
 * cleat/error.h. Sizes in bytes; options' times in milliseconds; `now` in microseconds of any clock
 * that does not go back, and never 0.
 */
#ifndef CLEAT_HTTP_SERVER_H
#define CLEAT_HTTP_SERVER_H

#include "cleat/error.h"
#include "cleat/h2.h"
#include "cleat/http.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cleat_http_server;
struct cleat_http_exchange;

enum cleat_http_protocol {
    CLEAT_HTTP_1, /* 1.1 and 1.0 */
    CLEAT_HTTP_2
};

/* ---- connections ------------------------------------------------------------------------------*/

/* How a connection behaves; copied by cleat_http_server_new. cleat_http_server_options_init sets
 * what is in brackets. Times of 0: for ever. */
struct cleat_http_server_options {
    uint64_t max_body;       /* [10 MiB] of a request; cleat_http_exchange_max_body changes it */
    uint32_t header_timeout; /* [15,000] from the first byte of a head, or for the first one from
                                cleat_http_server_new, to its end */
    uint32_t keep_alive_timeout; /* [75,000] without an exchange */
    uint32_t stall_timeout;      /* [30,000] in which at least */
    uint32_t stall_bytes;        /* [8 KiB] of a body, or of what waits to be sent, must move while
                                    it is the client's turn to move them */
    uint32_t max_requests;       /* [10,000], then the connection ends in good order; 0: no limit */
    uint32_t window; /* [64 KiB] HTTP/1.1: data of a body handed out and not given back */
    uint32_t queue;  /* [64 KiB] HTTP/1.1: of what waits to be sent */
    struct cleat_h2_options h2; /* [a server's] */
};
void cleat_http_server_options_init(struct cleat_http_server_options *o);

/* cleat_http_server_new makes the server's side of a connection on which this protocol was agreed
 * (ALPN; without it HTTP/1.1). CLEAT_ERR_NOMEM, CLEAT_ERR_USAGE (an option out of its range).
 * cleat_http_server_free: NULL is fine; exchanges that are left end without an event (see
 * cleat_http_server_abort). */
int cleat_http_server_new(const struct cleat_http_server_options *o,
                          enum cleat_http_protocol protocol, uint64_t now,
                          struct cleat_http_server **out);
void cleat_http_server_free(struct cleat_http_server *s);

/* What a step works on. in/in_len: received bytes. in_used: how many of them are done with; the
 * caller sets it to 0 for new bytes. What the event carries is valid until the next step, data also
 * only until in is touched. */
struct cleat_http_server_io {
    const uint8_t *in;
    size_t in_len;
    size_t in_used;
    uint64_t now;
    bool early; /* the bytes came as TLS early data: heads that end in them get `early` */

    struct cleat_http_exchange *exchange;
    const struct cleat_http_head *head; /* REQUEST; END: trailers, or NULL */
    const char *protocol; /* REQUEST: of an extended CONNECT ("websocket"), else NULL */
    const uint8_t *data;  /* DATA; REFUSED: what came of the head, for a log, or NULL */
    size_t data_len;
    bool end;        /* REQUEST: no body follows, nor END */
    uint16_t status; /* REFUSED */
    uint32_t code;   /* GONE: enum cleat_h2_code; HTTP/1.1: what HTTP/2 would have said */
};

enum cleat_http_server_next {
    CLEAT_HTTP_SERVER_NEEDS_INPUT, /* all input is used */
    CLEAT_HTTP_SERVER_BLOCKED, /* HTTP/1.1: what is left of the input waits, behind an exchange, for
                                  data to be given back, or for output to be sent. Keep it, do not
                                  read more, and offer it again after one of these */
    CLEAT_HTTP_SERVER_REQUEST, /* a request's head; its body follows unless `end` */
    CLEAT_HTTP_SERVER_REFUSED, /* answer `status` (400, 408, 413, 414, 431, 501, 505): no valid
                                  HTTP, beyond a limit, or too slow; cleat_http_server_why says
                                  more. Of a new exchange, or of one that was a REQUEST and has not
                                  been answered; nothing more comes of its body. In HTTP/1.1 the
                                  connection ends behind the answer */
    CLEAT_HTTP_SERVER_DATA,    /* of the body: give it back with cleat_http_exchange_consume */
    CLEAT_HTTP_SERVER_END,     /* the body has ended; head: its trailers, or NULL */
    CLEAT_HTTP_SERVER_WRITABLE, /* there is room again after cleat_http_exchange_write took less */
    CLEAT_HTTP_SERVER_GONE,     /* the last event of an exchange that did not complete: reset by
                                   either side, or the connection ended */
    CLEAT_HTTP_SERVER_DONE, /* the last event of one that did: the response is in the output, the
                               request has come or is not wanted. It is freed by the next step */
    CLEAT_HTTP_SERVER_SWITCHED, /* HTTP/1.1, behind a 101 or a 2xx to CONNECT: the last event. What
                                   the input has from in_used on, and what is sent behind the
                                   output, are another protocol's */
    CLEAT_HTTP_SERVER_CLOSE,    /* nothing follows: send the output, close in good order */
    CLEAT_HTTP_SERVER_FAILED    /* nothing follows; cleat_http_server_error says why. Send the
                                   output, if there is any, and cut the connection: an orderly end
                                   (close_notify) could end a body of HTTP/1.1 that is not whole */
};

/* cleat_http_server_step goes on until there is something to tell. FAILED stays, and CLOSE, unless
 * the client does not take what is left to be sent, which is FAILED. */
enum cleat_http_server_next cleat_http_server_step(struct cleat_http_server *s,
                                                   struct cleat_http_server_io *io);

/* cleat_http_server_tick does what is due by time; what it found comes out of the next steps.
 * *out_next (may be NULL) gets when to call again at the latest, UINT64_MAX: not before something
 * else happens. Call it after each round of steps and sending, too: the time may have come nearer.
 * Time in which the application owes something (an answer, data to give back) counts against
 * nobody. */
void cleat_http_server_tick(struct cleat_http_server *s, uint64_t now, uint64_t *out_next);

/* cleat_http_server_eof tells that the client sends nothing any more. HTTP/1.1: a complete request
 * is still answered, then CLOSE comes. CLEAT_OK when nothing was cut off, else
 * CLEAT_ERR_HTTP_TRUNCATED, and exchanges are GONE in the next steps.
 * cleat_http_server_abort tells that the transport is gone in both directions: every exchange that
 * is left is GONE in the next steps, then CLOSE comes; there is no output any more. */
int cleat_http_server_eof(struct cleat_http_server *s);
void cleat_http_server_abort(struct cleat_http_server *s);

/* cleat_http_server_shutdown takes no new requests but those on their way: HTTP/2 sends GOAWAY (and
 * the final one a second later, by cleat_http_server_tick); HTTP/1.1 ends behind the exchange in
 * flight, an idle connection at once, one on which nothing was asked yet after two seconds.
 * CLEAT_ERR_NOMEM. */
int cleat_http_server_shutdown(struct cleat_http_server *s, uint64_t now);

/* cleat_http_server_error fills *out (may be NULL) with why the connection failed and returns the
 * code; CLEAT_OK when it has not. cleat_http_server_why: likewise why the last REFUSED was. */
int cleat_http_server_error(const struct cleat_http_server *s, struct cleat_error *out);
int cleat_http_server_why(const struct cleat_http_server *s, struct cleat_error *out);

enum cleat_http_server_state {
    CLEAT_HTTP_SERVER_OPEN,
    CLEAT_HTTP_SERVER_DRAINING, /* no new requests */
    CLEAT_HTTP_SERVER_CLOSED    /* CLOSE, FAILED or SWITCHED was told, or comes next */
};
enum cleat_http_server_state cleat_http_server_state(const struct cleat_http_server *s);
enum cleat_http_protocol cleat_http_server_protocol(const struct cleat_http_server *s);

/* cleat_http_server_is_idle: no exchange, no part of a head, nothing to send.
 * cleat_http_server_num_exchanges counts those in flight; cleat_http_server_num_requests all that
 * were told. */
bool cleat_http_server_is_idle(const struct cleat_http_server *s);
size_t cleat_http_server_num_exchanges(const struct cleat_http_server *s);
uint64_t cleat_http_server_num_requests(const struct cleat_http_server *s);

/* cleat_http_server_fields sets lines that every final response begins with (Date, Server ...), in
 * the form of cleat_http_exchange_respond. They stay the application's and are looked at when a
 * response is: change them in place, as Date does once a second, while no other function runs. */
void cleat_http_server_fields(struct cleat_http_server *s, const char *fields, size_t len);

/* cleat_http_server_output shows bytes for the wire at *p and returns how many; 0: none. The view
 * is valid until any other call. cleat_http_server_sent tells that the first n of them were taken,
 * and behind them bytes of cleat_http_exchange_pass. */
size_t cleat_http_server_output(struct cleat_http_server *s, const uint8_t **p);
void cleat_http_server_sent(struct cleat_http_server *s, size_t n);

/* ---- exchanges --------------------------------------------------------------------------------*/

/* An exchange is the library's, and valid until the step behind its last event. */

/* cleat_http_exchange_set keeps a pointer of the application's with it, which _ctx gives. */
void cleat_http_exchange_set(struct cleat_http_exchange *x, void *ctx);
void *cleat_http_exchange_ctx(const struct cleat_http_exchange *x);
struct cleat_http_server *cleat_http_exchange_server(const struct cleat_http_exchange *x);
enum cleat_http_protocol cleat_http_exchange_protocol(const struct cleat_http_exchange *x);
uint32_t cleat_http_exchange_stream(const struct cleat_http_exchange *x); /* HTTP/2; else 0 */

/* cleat_http_exchange_keep_head, in REQUEST, copies the head, so that _head gives it until the last
 * event; NULL when it was not kept. CLEAT_ERR_NOMEM; CLEAT_ERR_USAGE: too late. */
int cleat_http_exchange_keep_head(struct cleat_http_exchange *x);
const struct cleat_http_head *cleat_http_exchange_head(const struct cleat_http_exchange *x);

/* cleat_http_exchange_max_body changes how long this request's body may be; in REQUEST, before an
 * announced length is held against it. */
void cleat_http_exchange_max_body(struct cleat_http_exchange *x, uint64_t max);

/* cleat_http_exchange_stall changes stall_timeout and stall_bytes for the body of this request;
 * 0: it may take as long as it likes. Of an extended CONNECT that is so from the start. */
void cleat_http_exchange_stall(struct cleat_http_exchange *x, uint32_t timeout, uint32_t bytes);

/* cleat_http_exchange_continue says that the body is wanted: 100 Continue goes out where the client
 * waits for it (RFC 9110 10.1.1); else nothing. Without it a client that waits sends its body after
 * a while by itself, or gets the answer alone; then, in HTTP/1.1, the connection ends behind it,
 * since whether the body follows cannot be known. CLEAT_ERR_CLOSED, CLEAT_ERR_NOMEM. */
int cleat_http_exchange_continue(struct cleat_http_exchange *x);

/* cleat_http_exchange_consume gives back data of the body that was handed out. */
void cleat_http_exchange_consume(struct cleat_http_exchange *x, size_t len);

/* cleat_http_exchange_respond sends the head of a response: any number of interim ones (100-199:
 * 103 Early Hints ...), then the final one; in HTTP/1.1 a 101 ends the exchange (SWITCHED).
 *
 * fields: complete lines "name: value\r\n" (cleat_http_field_write makes them) without those that
 * are the library's: Content-Length, Transfer-Encoding, Connection, Keep-Alive, Proxy-Connection.
 * What is no such line, or hides a CR, LF or NUL, is CLEAT_ERR_USAGE and nothing is sent (no
 * response splitting). Date (RFC 9110 6.6.1) is the application's, which knows the time of day; see
 * cleat_http_server_fields. With Upgrade (101, 426) the library adds "Connection: upgrade".
 *
 * length: of the body, or CLEAT_HTTP_LENGTH_UNKNOWN: chunked, or to HTTP/1.0 until the connection
 * closes. The response is complete as soon as length bytes were written, or with `end` (here: there
 * is no body). To HEAD, and with 204 and 304, no body follows whatever length says, and what is
 * written is dropped: the response is complete with its head. Once it is complete the rest of the
 * request's body is not told any more.
 *
 * CLEAT_ERR_CLOSED: the exchange cannot be answered any more, its last event comes;
 * CLEAT_ERR_USAGE: the fields, the status, or it has been answered; CLEAT_ERR_NOMEM. */
#define CLEAT_HTTP_LENGTH_UNKNOWN UINT64_MAX
int cleat_http_exchange_respond(struct cleat_http_exchange *x, uint16_t status, const char *fields,
                                size_t fields_len, uint64_t length, bool end);

/* cleat_http_exchange_write sends of the body as much as there is room for: *taken. It ends with
 * the piece that has `end` and is wholly taken. CLEAT_ERR_CLOSED: as above; CLEAT_ERR_USAGE: no
 * response was begun, it is complete, or it would be longer (or with `end` shorter) than its
 * length; CLEAT_ERR_NOMEM. _room tells how much would be taken. */
int cleat_http_exchange_write(struct cleat_http_exchange *x, const void *p, size_t len, bool end,
                              size_t *taken);
size_t cleat_http_exchange_room(const struct cleat_http_exchange *x);

/* cleat_http_exchange_reply is both for a body that is there as a whole: what there is no room for
 * is copied, and goes out by itself (no WRITABLE comes). Failures as cleat_http_exchange_respond;
 * behind CLEAT_ERR_NOMEM the exchange may have been reset. */
int cleat_http_exchange_reply(struct cleat_http_exchange *x, uint16_t status, const char *fields,
                              size_t fields_len, const void *body, size_t len);

/* cleat_http_exchange_pass is for bodies that need no copy (files): returns how many of the next
 * len bytes of the body the caller sends by itself, behind the output; cleat_http_server_sent tells
 * of them as of output. Until then nothing else is taken. 0: not with this protocol (HTTP/2), or
 * without a length, or not yet: use cleat_http_exchange_write. */
size_t cleat_http_exchange_pass(struct cleat_http_exchange *x, size_t len);

/* cleat_http_exchange_trailers ends a body of unknown length with fields (lines as above, without
 * those about framing, routing and authentication, RFC 9110 6.5.1). Left out where they cannot be
 * sent (HTTP/1.0). Failures as cleat_http_exchange_write. */
int cleat_http_exchange_trailers(struct cleat_http_exchange *x, const char *fields,
                                 size_t fields_len);

/* cleat_http_exchange_reset gives the exchange up: GONE comes. HTTP/2: RST_STREAM with this code;
 * HTTP/1.1: the connection is cut (FAILED). */
void cleat_http_exchange_reset(struct cleat_http_exchange *x, uint32_t code);

/* For logs: whether a final answer was begun, and its status (0: none); bytes of the request's body
 * that came, of the response's that were taken; whether the client's request came early. */
uint16_t cleat_http_exchange_status(const struct cleat_http_exchange *x);
uint64_t cleat_http_exchange_received(const struct cleat_http_exchange *x);
uint64_t cleat_http_exchange_sent(const struct cleat_http_exchange *x);
bool cleat_http_exchange_is_early(const struct cleat_http_exchange *x);
bool cleat_http_exchange_is_head(const struct cleat_http_exchange *x);

/* ---- helpers ----------------------------------------------------------------------------------*/

/* cleat_http_field_write appends "name: value\r\n" to the *len bytes at out. CLEAT_ERR_USAGE: the
 * name is no token (RFC 9110 5.6.2), or the value has control bytes or white space at its ends;
 * CLEAT_ERR_LIMIT: it does not fit into cap. On failure nothing changes. */
int cleat_http_field_write(char *out, size_t cap, size_t *len, const char *name,
                           struct cleat_http_view value);

/* cleat_http_is_early_safe tells whether a request may be answered although it came as early data
 * and may be a replay: GET or HEAD without a body (RFC 8470 3). Else wait for the handshake, or
 * answer 425. True for what did not come early. */
bool cleat_http_is_early_safe(const struct cleat_http_head *request);

#ifdef __cplusplus
}
#endif
#endif
