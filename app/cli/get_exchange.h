/* cli/get_exchange.h - a request and its response, whichever HTTP the connection speaks.
 *
 * Whoever wants one fills in the first members and gives it to a connection (cli/get_pool.h finds
 * one); the rest is the connection's. Callbacks come from the loop, or from inside
 * get_pool_place(); after `end` or `failed`, or after one has returned false, none comes any more,
 * and the connection knows nothing of the exchange.
 */
#ifndef CL_CLI_GET_EXCHANGE_H
#define CL_CLI_GET_EXCHANGE_H

#include <sys/queue.h>

#include "base/buf.h"
#include "cleat/http.h"
#include "cleat/tls.h"
#include "cli/get_source.h"

/* 32 interim (1xx) responses before the final one: a server sends one or two */
#define GET_MAX_INTERIM 32
/* 16 KiB of a body are read from its source at a time: a TLS record's worth */
#define GET_PIECE       16384

struct get_conn;

enum get_again {
    GET_FINAL,       /* that was it */
    GET_UNPROCESSED, /* the server has done nothing with the request, and said so */
    GET_STALE,       /* a kept connection was dead before any answer */
    GET_UNPLACED,    /* the connection that it waited for has no room: nothing was sent */
};

/* How an exchange failed. */
struct get_failure {
    int exit_code;
    const char *stage;             /* for the trace: "dns", "tcp", "tls", "http" */
    bool told;                     /* the trace has it already */
    enum get_again again;          /* whether the request may be sent once more, elsewhere */
    const struct cleat_error *err; /* during the callback */
};

struct get_exchange_handler {
    /* The connection is there (c->facts), or cannot be made; tls (NULL: TLS was not reached) is
     * valid during the call. own: it was made for this exchange. */
    void (*placed)(void *ctx, const struct get_conn *c, const struct cleat_tls *tls, bool own);
    /* The request goes out; early: it has gone, as early data, and was taken. */
    void (*begun)(void *ctx, bool early);
    /* All of the body, which had so many bytes, was handed to the connection. */
    void (*sent)(void *ctx, uint64_t bytes);
    /* The response's first byte has come. */
    void (*first)(void *ctx);
    /* An interim head (status below 200, but for 101), any number of times, then the final one.
     * text: as it came, or as HTTP/1.1 would have spelled it behind "HTTP/2". False: enough. */
    bool (*head)(void *ctx, const struct cleat_http_head *head, struct cl_rd text);
    /* A piece of the body. False: enough. */
    bool (*data)(void *ctx, const uint8_t *p, size_t len);
    /* The response is complete: its body had so many bytes. */
    void (*end)(void *ctx, uint64_t bytes);
    void (*failed)(void *ctx, const struct get_failure *failure);
};

struct get_exchange {
    /* whoever wants it: */
    struct cl_rd head; /* of the request, in the form of HTTP/1.1; stays until it is over */
    const char *method;
    struct get_source *body; /* NULL: none; at its beginning */
    bool early_allowed;      /* it may go as early data */
    const struct get_exchange_handler *handler;
    void *ctx;

    /* the connection's: */
    TAILQ_ENTRY(get_exchange) link;
    struct get_conn *conn; /* NULL: it is not under way */
    bool begun;
    bool on_kept;    /* the connection has served others before */
    bool answered;   /* a byte of the response has come */
    bool head_done;  /* the final head has */
    bool body_ended; /* the source has */
    bool early;      /* the head went as early data */
    size_t head_sent;
    uint64_t body_sent;
    uint64_t received; /* of the response's body */
    unsigned num_interim;
    struct cl_buf piece; /* read from the source, and how much of it the connection has taken: */
    size_t piece_at;
    struct cleat_http_head response;
    struct cleat_http_body decoder;
    uint32_t stream; /* HTTP/2; 0: it has none yet */
    bool end_sent;   /* HTTP/2: the end of the body is queued */
};

/* get_exchange_cancel gives it up; nothing is called. One that is not under way is fine. */
void get_exchange_cancel(struct get_exchange *x);

/* get_exchange_where says how far it got: "after 5 of 50 bytes of the body". */
#define GET_WHERE_SIZE 80
void get_exchange_where(const struct get_exchange *x, char out[GET_WHERE_SIZE]);

/* ---- for what carries exchanges: get_conn.c, get_h1.c, get_h2.c ---- */

/* get_exchange_reset is for the beginning: the members of the connection are as never used. */
void get_exchange_reset(struct get_exchange *x);

/* get_exchange_fill makes sure that a piece of the body waits to be sent, as a chunk (RFC 9112 7.1)
 * where that is asked for, the last one at the end. */
enum get_fill {
    GET_FILLED,
    GET_FILL_NOTHING, /* the body has ended, or its source has nothing yet */
    GET_FILL_FAILED,  /* and so has the exchange */
};
enum get_fill get_exchange_fill(struct get_exchange *x, bool chunked);
bool get_exchange_all_sent(const struct get_exchange *x);

/* get_exchange_says_close: the request has "Connection: close": who has said that it closes does
 * not ask again (RFC 9112 9.6). */
bool get_exchange_says_close(const struct get_exchange *x);

/* get_exchange_leave takes it off its connection, without a word. */
void get_exchange_leave(struct get_exchange *x);
void get_exchange_end(struct get_exchange *x);

/* get_exchange_fail takes it off, and tells; err's text is made of fmt. _with: the error is there.
 */
void get_exchange_fail(struct get_exchange *x, int exit_code, struct cl_why why, const char *fmt,
                       ...) __attribute__((format(printf, 4, 5)));
void get_exchange_fail_with(struct get_exchange *x, const struct get_failure *failure);

#endif
