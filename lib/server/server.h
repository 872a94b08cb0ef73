/* server/server.h - a connection and its exchanges, for the files that share them: server.c is what
 * both protocols have in common, exchange.c likewise for exchanges, fields.c checks what goes into
 * heads; h1.c reads HTTP/1.1, h1_send.c writes it, h1_time.c looks at its clock; h2.c is the layer
 * over lib/h2.
 *
 * Invariants: `then` is set once, and is what every step says when no exchange is left to be told
 * of. An exchange that was told (known) is told its end once (over), and is freed, or kept for the
 * next request, in the step behind. Nothing is told but from a step.
 */
#ifndef CL_SERVER_SERVER_H
#define CL_SERVER_SERVER_H

#include <sys/queue.h>

#include "base/buf.h"
#include "base/result.h"
#include "cleat/http_server.h"

/* Of the steps' own: nothing to tell yet. */
#define CL_SERVER_GO_ON ((enum cleat_http_server_next)(CLEAT_HTTP_SERVER_FAILED + 1))

/* Microseconds of a time in milliseconds. */
#define CL_SERVER_US(ms)  ((uint64_t)(ms)*1000)
/* 2 s: until a request comes that was on its way when a shutdown began; half of it passes while the
 * GOAWAY of HTTP/2 waits for the same */
#define CL_SERVER_LAST_US 2000000

/* Whether something moves fast enough while it is the client's turn. */
struct cl_server_watch {
    uint64_t since; /* 0: the time begins with the next look */
    uint64_t moved; /* what had moved then */
};

struct cl_server_kept {
    struct cleat_http_head head;
    char text[];
};

/* What is left of a reply, to be sent as there is room. */
struct cl_server_reply {
    size_t len, at;
    uint8_t bytes[];
};

struct cleat_http_exchange {
    struct cleat_http_server *s;
    TAILQ_ENTRY(cleat_http_exchange) link; /* HTTP/2 */
    void *ctx;
    uint32_t stream;
    uint32_t code;   /* of GONE */
    uint16_t status; /* of the final response; 0: none yet */
    uint16_t refuse; /* REFUSED is to be told */
    bool known;
    bool fresh; /* REQUEST was the last event: the head can be kept */
    bool over;
    bool gone; /* GONE is to be told */
    bool is_head, to_connect, is_tunnel, is_early;
    bool expects;       /* the client waits for 100 Continue */
    bool refused;       /* nothing more of the request is told */
    bool request_done;  /* all of the request has come, or nothing more of it is looked at */
    bool response_done; /* all of the response was taken */
    bool without_body;  /* the response is, whatever is written */
    bool wants_room;
    /* HTTP/2 */
    bool ended_in; /* the client has sent everything */
    bool stopped;
    /* HTTP/1.1 */
    bool close; /* the connection ends behind it */
    bool chunked;
    bool dropping; /* the rest of the body, the response being complete */
    bool switched;
    bool writable; /* to be told */
    uint32_t stall_timeout, stall_bytes;
    uint64_t max_body;
    uint64_t announced; /* Content-Length of the request; UINT64_MAX: not known */
    uint64_t received;
    uint64_t length; /* of the response; CLEAT_HTTP_LENGTH_UNKNOWN */
    uint64_t sent;
    size_t unconsumed;
    struct cl_server_watch in;
    struct cl_server_kept *kept;
    struct cl_server_reply *reply;
    const struct cleat_http_route *route; /* cleat/http_routes.h: who handles it; NULL: nobody */
};

TAILQ_HEAD(cl_server_exchanges, cleat_http_exchange);

struct cl_h1_exchange;

struct cl_server_h1 {
    struct cl_h1_exchange *x;     /* in flight, or whose head is coming */
    struct cl_h1_exchange *spare; /* for the next one */
    struct cl_buf out;
    size_t out_at;
    size_t passing; /* bytes that the caller sends behind the output */
    uint8_t state;
};

struct cl_server_h2 {
    struct cleat_h2 *h2;
    struct cl_server_exchanges exchanges;
    struct cleat_http_exchange *fresh; /* told by the last step: its length is looked at now */
    const struct cleat_http_head *fresh_head;
    struct cleat_http_exchange *over; /* to be freed by the next step */
    uint32_t num_exchanges;
    uint32_t num_refuse; /* exchanges with `refuse` */
    size_t unconsumed;
    size_t shown; /* of the output, and not sent yet */
    uint32_t stream_window, connection_window;
};

struct cl_server_limits {
    uint64_t max_body;
    uint32_t header_timeout, keep_alive_timeout, stall_timeout, stall_bytes;
    uint32_t max_requests;
    uint32_t window, queue;
};

struct cleat_http_server {
    struct cl_server_limits limits;
    uint64_t now;
    uint64_t since; /* idle, or in a head, since then; 0: from the next look on */
    uint64_t num_requests;
    uint64_t moved; /* bytes that the transport took */
    struct cl_server_watch out;
    const char *fields; /* of every final response: the application's */
    size_t fields_len;
    struct cleat_error *error, *why; /* NULL: none, or memory was short */
    int16_t error_code, why_code;
    uint8_t protocol;
    uint8_t then; /* CLOSE, FAILED, SWITCHED; 0: it goes on */
    bool draining, eof;
    bool mute; /* there is no output any more */
    union {
        struct cl_server_h1 h1;
        struct cl_server_h2 h2;
    };
};

/* ---- server.c ---- */

/* cl_server_fail notes why the connection fails (the first failure wins), and that it ends so.
 * cl_server_note likewise why something is refused. Both return the code. */
cl_result cl_server_fail(struct cleat_http_server *s, const struct cleat_error *why);
cl_result cl_server_note(struct cleat_http_server *s, const struct cleat_error *why);

/* cl_server_init_exchange begins an exchange with what its head says; NULL: there is none. */
void cl_server_init_exchange(struct cleat_http_server *s, struct cleat_http_exchange *x,
                             const struct cleat_http_head *head);

/* cl_server_deinit_exchange frees what it holds. */
void cl_server_deinit_exchange(struct cleat_http_exchange *x);

/* cl_server_is_last tells whether the connection takes no request behind this one. */
bool cl_server_is_last(const struct cleat_http_server *s);

/* cl_server_look tells whether too little has moved for too long, and lowers *next to when to look
 * again. is_turn: of the client. */
bool cl_server_look(struct cl_server_watch *w, bool is_turn, uint64_t moved, uint64_t now,
                    uint32_t timeout, uint32_t bytes, uint64_t *next);

static inline void cl_server_lower(uint64_t *next, uint64_t at)
{
    *next = at < *next ? at : *next;
}

/* Errors that both protocols make. */
cl_result cl_server_too_slow(struct cleat_error *err, const char *what, uint32_t timeout,
                             uint32_t bytes);
cl_result cl_server_too_long(struct cleat_error *err, uint64_t len, uint64_t max);

/* exchange.c: cl_server_reply_on goes on with a reply. */
void cl_server_reply_on(struct cleat_http_exchange *x);

/* ---- fields.c ---- */

/* cl_server_fields checks complete field lines and notes them in h, whose base they are: USAGE.
 * is_trailers: those that must not be trailers are refused. *out_upgrade: Upgrade is among them. */
CL_MUST cl_result cl_server_fields(struct cleat_http_head *h, const char *p, size_t len,
                                   bool is_trailers, bool *out_upgrade);

/* ---- the protocols ---- */

/* A final or interim response that has been checked. */
struct cl_server_response {
    uint16_t status;
    struct cl_rd common, fields;  /* in this order; common: those of the connection */
    struct cleat_http_head *head; /* the latter */
    bool upgrade;
    uint64_t length; /* to announce; CLEAT_HTTP_LENGTH_UNKNOWN: nothing */
    bool end;        /* no body follows */
};

struct cl_server_ops {
    enum cleat_http_server_next (*step)(struct cleat_http_server *s,
                                        struct cleat_http_server_io *io);
    void (*tick)(struct cleat_http_server *s, uint64_t *next);
    int (*eof)(struct cleat_http_server *s);
    void (*cut)(struct cleat_http_server *s); /* every exchange is GONE */
    int (*shutdown)(struct cleat_http_server *s);
    size_t (*output)(struct cleat_http_server *s, const uint8_t **p);
    void (*sent)(struct cleat_http_server *s, size_t n);
    bool (*is_idle)(const struct cleat_http_server *s);
    size_t (*num_exchanges)(const struct cleat_http_server *s);
    void (*free)(struct cleat_http_server *s);

    cl_result (*keep_head)(struct cleat_http_exchange *x);
    void (*consume)(struct cleat_http_exchange *x, size_t len);
    cl_result (*respond)(struct cleat_http_exchange *x, const struct cl_server_response *r);
    /* end: with all len bytes the response is complete */
    cl_result (*write)(struct cleat_http_exchange *x, const void *p, size_t len, bool end,
                       size_t *taken);
    size_t (*room)(const struct cleat_http_exchange *x);
    cl_result (*trailers)(struct cleat_http_exchange *x, struct cleat_http_head *fields,
                          struct cl_rd text);
    void (*reset)(struct cleat_http_exchange *x, uint32_t code);
};

extern const struct cl_server_ops cl_server_h1_ops, cl_server_h2_ops;

static inline const struct cl_server_ops *cl_server_ops(const struct cleat_http_server *s)
{
    return s->protocol == CLEAT_HTTP_2 ? &cl_server_h2_ops : &cl_server_h1_ops;
}

/* h2.c: cl_server_h2_open makes the connection under it. */
CL_MUST cl_result cl_server_h2_open(struct cleat_http_server *s, const struct cleat_h2_options *o);

#endif
