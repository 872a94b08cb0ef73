/* cli/get_conn.h - a connection to an origin: dialled once, kept while it is good for more, and
 * carrying exchanges in the way of the HTTP that was agreed on: one at a time (get_h1.c) or many
 * (get_h2.c).
 *
 * A connection belongs to its pool, and frees itself when it has ended: nobody keeps a pointer to
 * it but the exchanges on it, which are told before.
 */
#ifndef CL_CLI_GET_CONN_H
#define CL_CLI_GET_CONN_H

#include "cleat/h2.h"
#include "cli/client_route.h"
#include "cli/get_exchange.h"
#include "conn/stream.h"

struct get_conn;
struct get_pool;

/* What a connection does with exchanges. */
struct get_protocol {
    const char *name; /* "HTTP/1.1" */
    /* The connection is ready. False: it cannot be used; memory is short. */
    bool (*open)(struct get_conn *c);
    /* One more exchange may begin now. */
    bool (*has_room)(const struct get_conn *c);
    void (*start)(struct get_conn *c, struct get_exchange *x);
    /* An exchange that is begun is given up, and leaves. */
    void (*forget)(struct get_conn *c, struct get_exchange *x);
    /* An exchange's source has more. */
    void (*go_on)(struct get_conn *c, struct get_exchange *x);
    size_t (*data)(struct get_conn *c, uint8_t *p, size_t len);
    void (*drained)(struct get_conn *c);
    void (*deadline)(struct get_conn *c);
    /* Nothing comes any more. clean: with close_notify; else end says how (NULL: in clear words,
     * without close_notify). All exchanges are to be ended or failed. */
    void (*ended)(struct get_conn *c, bool clean, const struct cl_stream_end *end);
    /* Before it is closed in good order: last words. */
    void (*shutdown)(struct get_conn *c);
    void (*deinit)(struct get_conn *c);
};

extern const struct get_protocol get_h1;

struct get_conn_facts {
    struct cl_dial_times times; /* of the last attempt */
    bool has_peer;
    struct cl_addr peer, local;
    long num_connects; /* TCP connections that were made for it */
    long verify_result;
    bool early_sent, early_taken;
    bool proxied;
    unsigned proxy_status; /* its answer to CONNECT; 0: none */
};

/* Who is connected to, in the end; for as long as the pool lives. */
struct get_origin {
    TAILQ_ENTRY(get_origin) link;
    char host[CLIENT_HOST_SIZE];
    uint16_t port;
    bool one_at_a_time; /* a connection to it was agreed to be HTTP/1.1 */
    bool wants_older;   /* it has asked for HTTP/1.1 (HTTP_1_1_REQUIRED) */
};

struct get_conn {
    TAILQ_ENTRY(get_conn) link;
    struct get_pool *pool;
    struct get_origin *origin;
    long id;          /* 0 is the run's first */
    bool ech_offered; /* the configuration that --ech gives was for it */
    struct client_route route;
    struct cleat_tls_config *config; /* the client's */
    const struct cl_proxy *proxy;    /* the client's; NULL: none */
    struct cl_dial *dial;
    struct cl_stream *stream;            /* NULL: not there yet */
    struct cl_buf early;                 /* what goes as early data */
    const struct get_protocol *protocol; /* NULL: not agreed yet */
    struct get_conn_facts facts;
    TAILQ_HEAD(, get_exchange) exchanges; /* under way, and waiting for the dial */
    struct get_exchange *maker;           /* that it was made for, until it is begun */
    unsigned long num_served;             /* exchanges that were begun */
    bool is_last;                         /* nothing may begin on it any more */
    bool is_closing;                      /* cl_stream_close or cl_stream_abort was called */
    struct cl_buf in;                     /* a head that is coming, or is being told */
    struct cleat_h2 *h2;
    bool h2_busy;         /* events are being told */
    bool h2_failed;       /* it has told that */
    bool settings_told;   /* the peer's SETTINGS */
    uint32_t goaway_code; /* the peer's; CLEAT_H2_NO_ERROR until then */
};

/* get_conn_dial finds the route and starts. wish: of the exchange that is attached. Returns 0 or
 * an exit code with the detail in err; then c is as before. Outside of callbacks. */
int get_conn_dial(struct get_conn *c, const struct client_wish *wish, struct cleat_error *err);

/* get_conn_free: without stream or dial, and without exchanges. */
void get_conn_free(struct get_conn *c);

/* get_conn_attach puts an exchange on it, to begin now, or when the dial is over. */
void get_conn_attach(struct get_conn *c, struct get_exchange *x);

/* get_conn_forget is the protocol's, for an exchange that is begun; get_conn_settle closes the
 * connection when nothing is on it and nothing more may be. */
void get_conn_forget(struct get_conn *c, struct get_exchange *x);
void get_conn_settle(struct get_conn *c);

/* get_conn_close ends it in good order (an idle one), get_conn_abort at once: exchanges that are on
 * it are failed by what comes of it. */
void get_conn_close(struct get_conn *c);
void get_conn_abort(struct get_conn *c);

/* get_conn_doing says what it is at while it is dialled: "connecting". Static storage. */
const char *get_conn_doing(const struct get_conn *c);

/* get_conn_trace is where it tells, or NULL. */
struct cl_trace *get_conn_trace(const struct get_conn *c);

/* get_conn_broke fails an exchange because its connection has ended in the way of `end`. */
void get_conn_broke(struct get_conn *c, struct get_exchange *x, const struct cl_stream_end *end);

#endif
