/* conn/ws_stream.h - a WebSocket connection on a secure stream: bytes in, events out, the queue
 * sent as the stream takes it, pings and time-outs on the stream's deadline. Both roles.
 *
 * The upgrade is done before, by whoever opens this. As with a stream, callbacks come from the loop
 * only, never from inside a call of this header, and in a callback anything may be called. What
 * concerns messages is done on the connection itself (cleat_ws_send, cleat_ws_ping, cleat_ws_close,
 * cleat_ws_queued); cl_ws_stream_flush then lets it go out.
 */
#ifndef CL_CONN_WS_STREAM_H
#define CL_CONN_WS_STREAM_H

#include "cleat/ws.h"
#include "conn/stream.h"

/* 2 s: once both close frames are out the server is to close first (RFC 6455 7.1.1); one that does
 * not is closed by the client. The same for an end that does not take our last bytes. */
#define CL_WS_STREAM_END_MS 2000

struct cl_ws_end {
    bool clean;                         /* both close frames are through */
    uint16_t code;                      /* the peer's; CLEAT_WS_ABNORMAL: it sent no close frame */
    struct cleat_error error;           /* why it is not clean; code 0 when it is */
    const struct cl_stream_end *stream; /* how the transport ended */
};

struct cl_ws_handler {
    /* What cleat_ws_step told: MESSAGE, PING, PONG, CLOSE, and FAILED once, as the last (then io
     * holds nothing; cleat_ws_error says why). Views in io are valid during the call. What is sent
     * in here goes out without a flush. */
    void (*event)(void *ctx, enum cleat_ws_next what, const struct cleat_ws_io *io);
    /* There is room to send again, after cl_ws_stream_want_drained. May be NULL. */
    void (*drained)(void *ctx);
    /* The last callback; the stream and the connection are freed when it returns. */
    void (*closed)(void *ctx, const struct cl_ws_end *end);
};

/* Caller's storage, which stays until `closed`; nothing in it is to be touched but `stream` and
 * `ws` read. */
struct cl_ws_stream {
    struct cl_stream *stream;
    struct cleat_ws *ws;
    const struct cl_ws_handler *handler;
    void *ctx;
    uint16_t code;
    bool is_client, paused, more, want_drained, ending, failed_told;
};

/* cl_ws_stream_open takes over an established stream and a connection (of cleat_ws_client_new:
 * is_client). */
void cl_ws_stream_open(struct cl_ws_stream *s, struct cl_stream *stream, struct cleat_ws *ws,
                       bool is_client, const struct cl_ws_handler *handler, void *ctx);

/* cl_ws_stream_take is for the data callback of whoever did the upgrade, and for what has come
 * behind its head: returns how many bytes were taken, as that callback has to. */
size_t cl_ws_stream_take(struct cl_ws_stream *s, uint8_t *p, size_t len);

/* cl_ws_stream_flush sends what is queued, as far as the stream takes it, the rest as it drains. To
 * be called after cleat_ws_send, cleat_ws_ping or cleat_ws_close outside of a callback. */
void cl_ws_stream_flush(struct cl_ws_stream *s);

/* cl_ws_stream_want_drained asks for `drained` when there is room: after CLEAT_ERR_WS_QUEUE_FULL.
 */
void cl_ws_stream_want_drained(struct cl_ws_stream *s);

/* cl_ws_stream_pause stops the receiving, at once (after the event that is being told);
 * cl_ws_stream_resume goes on. Back-pressure: the peer's sending stalls. Pings are not answered in
 * the meantime. */
void cl_ws_stream_pause(struct cl_ws_stream *s);
void cl_ws_stream_resume(struct cl_ws_stream *s);

#endif
