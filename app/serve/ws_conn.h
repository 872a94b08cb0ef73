/* serve/ws_conn.h - one WebSocket of the server: between what its bytes go over (ws_carrier.h) and
 * what its endpoint does with messages (struct cl_ws_kind).
 *
 * Messages come as pieces, so that none has to fit into memory; who cannot take one leaves it, and
 * the client is not read from until cl_websocket_resume. A WebSocket that waits holds no buffer.
 */
#ifndef CL_SERVE_WS_CONN_H
#define CL_SERVE_WS_CONN_H

#include "serve/access.h"
#include "serve/session.h"
#include "serve/ws_carrier.h"
#include "serve/ws_hub.h"

struct cl_websocket;

/* A message, or a part of one: what is left of it. Text is UTF-8, but may be cut inside a
 * character. */
struct cl_ws_piece {
    const uint8_t *p;
    size_t len;
    bool binary, first, last;
};

/* What an endpoint does. Its own state is w->state. Called from the worker's loop; the functions of
 * this header may be called in each. */
struct cl_ws_kind {
    bool whole; /* messages come in one piece each */
    /* Before the upgrade is answered: 0, or the status to refuse it with, and why in err (no state
     * is left then). The request's head is valid during the call. */
    int (*open)(struct cl_websocket *w, const struct cleat_http_head *head,
                struct cleat_error *err);
    /* Takes from the front of the piece: true when nothing is left to do about it; false: it comes
     * again, valid as it is until then, after cl_websocket_resume or when the client has taken
     * something. */
    bool (*message)(struct cl_websocket *w, struct cl_ws_piece *piece);
    /* The client has taken something: there may be room again. */
    void (*writable)(struct cl_websocket *w);
    /* The last call: no message comes any more, none can be sent. */
    void (*close)(struct cl_websocket *w);
};

struct cl_websocket {
    struct cl_wheel_entry timer;
    struct cl_session *session;
    struct cl_exchange *x; /* that it goes over, or that asked for it; NULL: it has the stream */
    const struct cl_ws_carrier *carrier;
    struct cl_ws_inbox inbox;
    struct cl_ws_hub *hub;
    const struct cl_ws_endpoint *endpoint;
    const struct cl_ws_kind *kind;
    void *state; /* the kind's */
    struct cleat_ws *ws;
    struct cleat_ws_io io;
    struct cl_ws_piece piece;
    bool closing; /* the carrier is ending: nothing is sent any more */
    bool held;    /* piece is not done with; its bytes stay where they are */
    bool over;    /* kind->close was called */
    bool closed;  /* the close frame is queued, or never will be */
    bool told;    /* the failure is in the log */
    bool watched; /* the timer is set to look at how the client takes its messages */
    uint16_t close_code;
    const char *close_reason; /* static */
    uint16_t peer_code;       /* of its close frame; 0: none has come */
    uint64_t written;         /* bytes of frames that the stream has taken */
    uint64_t taken;           /* how many of them the client had taken when the timer last looked */
    unsigned num_stalls;      /* how often it had taken too little in between */
    uint64_t bytes_in, bytes_out; /* of messages */
    uint64_t num_missed;          /* messages for it that never came to its queue */
    uint64_t began;
    int64_t since; /* Unix seconds */
    int status;    /* that it was accepted with */
    struct cl_access_note note;
};

/* cl_websocket_open makes the WebSocket that a request asks for, as agreed, and accepts it. head:
 * of the request. 0, or the status to refuse with, and why in err. */
int cl_websocket_open(struct cl_exchange *x, const struct cleat_http_head *head,
                      const struct cl_ws_endpoint *endpoint, const struct cleat_ws_upgrade *agreed,
                      struct cleat_error *err);

/* For the carrier: bytes have come (returns len, or 0 when they have to stay); there is room again;
 * nothing will come any more; the carrier has gone, and the WebSocket with this call. */
size_t cl_websocket_data(struct cl_websocket *w, uint8_t *p, size_t len);
void cl_websocket_drained(struct cl_websocket *w);
void cl_websocket_eof(struct cl_websocket *w);
void cl_websocket_gone(struct cl_websocket *w);

/* cl_websocket_send queues a message, cl_websocket_send_piece a part of one: cleat_ws_send and
 * cleat_ws_send_piece; cl_websocket_send_prepared one that is encoded already, len bytes of
 * content. They go out with cl_websocket_flush, or when the kind's function returns. */
int cl_websocket_send(struct cl_websocket *w, bool binary, const void *p, size_t len);
int cl_websocket_send_piece(struct cl_websocket *w, bool binary, const void *p, size_t len,
                            bool last, size_t *taken);
int cl_websocket_send_prepared(struct cl_websocket *w, struct cleat_ws_prepared *message,
                               size_t len);
void cl_websocket_flush(struct cl_websocket *w);

/* cl_websocket_resume has the piece that was left offered again, from the loop. */
void cl_websocket_resume(struct cl_websocket *w);

/* cl_websocket_close begins the closing handshake behind what was sent; after a message that has
 * begun. reason: static, or NULL. Repeating it does nothing. */
void cl_websocket_close(struct cl_websocket *w, uint16_t code, const char *reason);

/* cl_websocket_abort ends it at once. why: a static text. */
void cl_websocket_abort(struct cl_websocket *w, const char *why);

/* cl_websocket_options sets the options of connections that agree on all there is. */
void cl_websocket_options(const struct cl_ws_hub *hub, struct cleat_ws_options *o);

/* For sessions: the server stops (1001); it stops at once. */
void cl_websocket_stop(struct cl_websocket *w);

/* For the wheel. */
void cl_websocket_tick(struct cl_wheel_entry *entry);

/* serve/ws_log.c: the line of the access log, and a failure on stderr. */
void cl_websocket_log(const struct cl_websocket *w);
void cl_websocket_log_failure(struct cl_websocket *w);

/* What there is; by enum cl_ws_kind_id. */
extern const struct cl_ws_kind cl_ws_echo;
extern const struct cl_ws_kind cl_ws_exec;
extern const struct cl_ws_kind cl_ws_tcp;
extern const struct cl_ws_kind cl_ws_broadcast;
const struct cl_ws_kind *cl_ws_kind_of(const struct cl_ws_endpoint *endpoint);

#endif
