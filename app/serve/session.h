/* serve/session.h - one connection of the server: a secure stream, and HTTP on it, in the protocol
 * that was agreed. What is asked and answered: serve/exchange.h. */
#ifndef CL_SERVE_SESSION_H
#define CL_SERVE_SESSION_H

#include "cleat/fingerprint.h"
#include "serve/captures.h"
#include "serve/clients.h"
#include "serve/exchange.h"
#include "serve/worker.h"

/* 60 s: a person may have to choose a certificate and type a PIN */
#define CL_SERVE_CERTIFICATE_MS 60000

enum cl_session_state {
    CL_SESSION_HANDSHAKE,
    CL_SESSION_HTTP,     /* early data has come, or the handshake is done */
    CL_SESSION_UPGRADED, /* a WebSocket has the stream */
    CL_SESSION_CLOSED,   /* the stream is closing: nothing more is read */
};

struct cl_session {
    TAILQ_ENTRY(cl_session) link; /* the worker's */
    enum cl_worker_list list;
    uint64_t listed; /* loop time, since when it is in that list */
    struct cl_worker *worker;
    struct cl_stream *stream;       /* NULL: closed */
    struct cleat_http_server *http; /* from the first byte on */
    struct cl_exchange_list exchanges;
    struct cl_websocket *ws;         /* that has the stream */
    struct cl_capture_file *capture; /* NULL: it is not captured */
    struct cl_demo_visit *visit;     /* NULL: there is no page about it (serve/demo.h) */
    uint64_t now;                    /* cl_clock_mono_us of this round */
    uint64_t ask_until;              /* for the client's certificate; 0: it was not asked */
    uint64_t moved;                  /* bytes of output that the stream has taken */
    uint64_t end_by;                 /* HTTP has ended: the connection is closed then; or 0 */
    uint64_t num_requests;           /* when it last became idle */
    unsigned num_reads;              /* of exchanges that are gone: the disk still writes */
    enum cl_session_state state;
    bool redirects; /* all are sent to HTTPS (serve/redirect.h) */
    bool running;   /* events are being worked off */
    bool blocked;   /* the stream keeps input that the engine did not take */
    bool told;      /* how it ends is in the log */
    bool client_checked;
    bool client_known; /* it has a certificate, and proved that it is its own */
    bool denied; /* the client may not come in: 403 for every request, or the protected ones */
    struct cl_client_id client;
    char peer[CL_ADDR_TEXT_SIZE];
    char local[CL_ADDR_TEXT_SIZE];
    char ja4[CLEAT_JA4_LEN + 1]; /* of the ClientHello; empty: not asked for */
    char ja3[CLEAT_JA3_LEN + 1];
};

/* cl_session_open starts a session on an accepted socket, which it takes over; without TLS when the
 * port is clear. NOMEM. It frees itself, and tells its worker. */
CL_MUST cl_result cl_session_open(const struct cl_worker_port *port, struct cl_tcp *tcp);

/* cl_session_stop lets the request in flight be the last; an idle connection closes. */
void cl_session_stop(struct cl_session *s);

/* cl_session_yield ends one for the sake of another: an idle one is closed in good order, the first
 * time; any other at once. */
void cl_session_yield(struct cl_session *s);

/* cl_session_abort ends it at once. */
void cl_session_abort(struct cl_session *s);

/* cl_session_closed ends it; for the WebSocket that had taken its stream, which is gone. */
void cl_session_closed(struct cl_session *s, const struct cl_stream_end *end);

/* cl_session_release: the disk has written what it had to for an exchange that is gone. */
void cl_session_release(struct cl_session *s);

/* serve/session_http.c: HTTP on the stream. */

/* cl_session_begin_http makes the engine for the protocol that was agreed. NOMEM. */
CL_MUST cl_result cl_session_begin_http(struct cl_session *s);

/* cl_session_take feeds the engine; returns how many bytes were taken. */
size_t cl_session_take(struct cl_session *s, const uint8_t *p, size_t len);

/* cl_session_run works off what there is to tell and to send, and sets the time for what is next:
 * after anything that has happened beside the stream. From inside of events it does nothing. */
void cl_session_run(struct cl_session *s);

/* cl_session_send_output moves what the engine shows into the stream. False: it has no more room,
 * or is gone. */
bool cl_session_send_output(struct cl_session *s);

/* cl_session_due is the stream's deadline. cl_session_drop_http ends the exchanges that are left,
 * and frees the engine. */
void cl_session_due(struct cl_session *s);
void cl_session_drop_http(struct cl_session *s);

/* cl_session_close ends the connection in good order. */
void cl_session_close(struct cl_session *s);

/* serve/session_client.c: who the client is, and whether it may come in. */

/* cl_session_check_client looks at the certificate that is known, once; false: the connection has
 * been given up. */
bool cl_session_check_client(struct cl_session *s);

/* cl_session_decide_client answers the engine's question in the handshake. */
void cl_session_decide_client(struct cl_session *s, enum cleat_decision which);

/* cl_session_deny_client refuses the answer with 403 when the client may not have it: true. */
bool cl_session_deny_client(struct cl_session *s, struct cl_answer *a);

/* cl_session_ask_client asks for the certificate that a request needs, where it needs one. */
enum cl_session_ask {
    CL_SESSION_GO_ON,     /* none is needed; or it cannot be had, and the answer is a 403 now */
    CL_SESSION_WAIT,      /* for the client's answer */
    CL_SESSION_ELSEWHERE, /* it can be asked over HTTP/1.1 only */
};
enum cl_session_ask cl_session_ask_client(struct cl_session *s, struct cl_exchange *x);

/* cl_session_client_answered looks at the answer, and refuses those that wait for it with 403 when
 * it does not suffice; false: the connection has been given up. cl_session_client_silent: there was
 * none in time. */
bool cl_session_client_answered(struct cl_session *s);
void cl_session_client_silent(struct cl_session *s, struct cl_answer *a);

/* serve/session_hello.c: cl_session_decide_hello answers whether the program that says hello may.
 */
void cl_session_decide_hello(struct cl_session *s);

/* serve/session_log.c: what a session tells about itself, and adds to the worker's counters. */
void cl_session_count_ready(const struct cl_session *s);
void cl_session_count_websocket(const struct cl_session *s);
void cl_session_count_end(const struct cl_session *s, const struct cl_stream_end *end);
void cl_session_log_request(const struct cl_session *s, const struct cl_exchange *x);
/* The columns of the access log that do not depend on the request. */
void cl_session_access(const struct cl_session *s, struct cl_access *out);
/* A failure on stderr; what: a static text. Of many of one kind only some get a line. */
void cl_session_log_failure(const struct cl_session *s, const char *what,
                            const struct cleat_error *e);
/* How HTTP has failed: a limit, a protocol error, a client that is too slow. */
void cl_session_log_http(struct cl_session *s);
/* A file that became shorter while it was sent. */
void cl_session_log_shrunk(const struct cl_session *s);
void cl_session_log_end(const struct cl_session *s, const struct cl_stream_end *end);
void cl_session_log_ready(const struct cl_session *s);
/* The client may not come in, and what is done about it; leaf may be NULL. */
void cl_session_log_denied(const struct cl_session *s, const struct cleat_cert *leaf,
                           const char *why, const char *done);

#endif
