/* serve/ws_carrier.h - what the bytes of a WebSocket go over: the stream of a connection that was
 * taken over from HTTP/1.1 (RFC 6455), or an exchange of HTTP/2 beside others (RFC 8441).
 *
 * Over an exchange, what the WebSocket leaves of its input is kept here; the client's window for
 * the stream, which is opened as the input is worked off, bounds it.
 */
#ifndef CL_SERVE_WS_CARRIER_H
#define CL_SERVE_WS_CARRIER_H

#include "base/buf.h"
#include "serve/exchange.h"

/* Called by the WebSocket. */
struct cl_ws_carrier {
    /* Returns how many bytes were taken; with fewer than len cl_websocket_drained follows. */
    size_t (*write)(struct cl_websocket *w, const void *p, size_t len);
    /* Has what was left of the input offered again, from the loop. */
    void (*resume)(struct cl_websocket *w);
    /* Ends it behind what was written, in good order; at once. why: a static text. */
    void (*close)(struct cl_websocket *w);
    void (*abort)(struct cl_websocket *w, const char *why);
    /* Bytes written that the client cannot have got yet. */
    size_t (*unsent)(const struct cl_websocket *w);
};

extern const struct cl_ws_carrier cl_ws_over_stream, cl_ws_over_exchange;

/* Input that an exchange has brought: `now` is being worked off, `more` has come since. {0} is
 * empty. */
struct cl_ws_inbox {
    struct cl_buf now, more;
    bool wanted; /* it is to be offered again */
};

/* For exchanges (serve/exchange.c, session_http.c): what their engine has told. */
void cl_ws_carrier_data(struct cl_exchange *x, const uint8_t *p, size_t len);
void cl_ws_carrier_eof(struct cl_exchange *x);
void cl_ws_carrier_drained(struct cl_exchange *x);
void cl_ws_carrier_gone(struct cl_exchange *x);

/* cl_ws_carrier_resume offers again what was asked for, before a round. */
void cl_ws_carrier_resume(struct cl_exchange *x);

/* cl_ws_carrier_switch, in the event, and cl_ws_carrier_begin, behind the round, give the session's
 * stream to the WebSocket of the exchange. */
void cl_ws_carrier_switch(struct cl_exchange *x);
void cl_ws_carrier_begin(struct cl_session *s);

#endif
