/* serve/session.h - one connection of the server: HTTP/1.1 over a secure stream. */
#ifndef CL_SERVE_SESSION_H
#define CL_SERVE_SESSION_H

#include "cleat/fingerprint.h"
#include "serve/captures.h"
#include "serve/clients.h"
#include "serve/exchange.h"
#include "serve/worker.h"

/* 15 s: from the first byte of a request (or the end of the handshake) to the end of its head */
#define CL_SERVE_HEADER_MS      15000
/* 75 s: an idle connection is kept that long, as browsers expect */
#define CL_SERVE_KEEP_MS        75000
/* 30 s, 8 KiB: who sends, or takes, less than that much in that time is given up */
#define CL_SERVE_STALL_MS       30000
#define CL_SERVE_STALL_BYTES    8192
/* 2 s: what a connection gets for its first request when the server is stopping */
#define CL_SERVE_LAST_MS        2000
/* 60 s: a person may have to choose a certificate and type a PIN */
#define CL_SERVE_CERTIFICATE_MS 60000
/* 10,000: requests on one connection; then it is closed, so that load spreads again */
#define CL_SERVE_MAX_REQUESTS   10000

enum cl_session_state {
    CL_SESSION_HANDSHAKE,
    CL_SESSION_IDLE,     /* between requests */
    CL_SESSION_HEAD,     /* some of a head has come */
    CL_SESSION_BODY,     /* its body is being dropped */
    CL_SESSION_HELD,     /* the response waits for the end of the handshake: the request is early */
    CL_SESSION_ASKED,    /* the response waits for the client's certificate */
    CL_SESSION_RESPOND,  /* the response goes out */
    CL_SESSION_UPGRADED, /* a WebSocket has the stream */
    CL_SESSION_CLOSED,   /* the stream is closing: nothing more is read */
};

struct cl_session {
    TAILQ_ENTRY(cl_session) link; /* the worker's */
    enum cl_worker_list list;
    uint64_t listed; /* loop time, since when it is in that list */
    struct cl_worker *worker;
    struct cl_stream *stream;
    struct cl_exchange *x;           /* NULL between requests */
    struct cl_websocket *ws;         /* NULL: HTTP */
    struct cl_capture_file *capture; /* NULL: it is not captured */
    struct cl_demo_visit *visit;     /* NULL: there is no page about it (serve/demo.h) */
    uint64_t at;                     /* bytes of the response that were written */
    uint64_t mark;                   /* what had moved when the deadline was set */
    struct cl_file_read *file;
    uint8_t *file_buf; /* waits for the disk; file_len bytes are in front of what it reads */
    size_t file_len;
    unsigned num_requests;
    enum cl_session_state state;
    bool peer_done; /* close_notify has come */
    bool client_checked;
    bool client_known; /* it has a certificate, and proved that it is its own */
    bool denied; /* the client may not come in: 403 for every request, or the protected ones */
    struct cl_client_id client;
    char peer[CL_ADDR_TEXT_SIZE];
    char local[CL_ADDR_TEXT_SIZE];
    char ja4[CLEAT_JA4_LEN + 1]; /* of the ClientHello; empty: not asked for */
    char ja3[CLEAT_JA3_LEN + 1];
};

/* cl_session_open starts a session on an accepted socket, which it takes over; without TLS when
 * clear. NOMEM. It frees itself, and tells its worker. */
CL_MUST cl_result cl_session_open(struct cl_worker *worker, struct cl_tcp *tcp, bool clear);

/* cl_session_stop lets the request in flight be the last; an idle connection closes. */
void cl_session_stop(struct cl_session *s);

/* cl_session_yield ends one for the sake of another: an idle one is closed in good order, the first
 * time; any other at once. */
void cl_session_yield(struct cl_session *s);

/* cl_session_abort ends it at once. */
void cl_session_abort(struct cl_session *s);

/* cl_session_closed ends it; for the WebSocket that had taken its stream, which is gone. */
void cl_session_closed(struct cl_session *s, const struct cl_stream_end *end);

/* serve/session_client.c: who the client is, and whether it may come in. */

/* cl_session_check_client looks at the certificate that is known, once; false: the connection has
 * been given up. */
bool cl_session_check_client(struct cl_session *s);

/* cl_session_decide_client answers the engine's question in the handshake. */
void cl_session_decide_client(struct cl_session *s, enum cleat_decision which);

/* cl_session_deny_client answers the request with 403 when the client may not have it: true. */
bool cl_session_deny_client(struct cl_session *s);

/* cl_session_ask_client asks for the certificate that the request needs. True: wait for the answer;
 * false: none is needed, or it cannot be had and the request is answered with 403. */
bool cl_session_ask_client(struct cl_session *s);

/* cl_session_client_answered looks at the answer, and answers the request with 403 when it does not
 * suffice; false: the connection has been given up. cl_session_client_silent: there was none in
 * time. */
bool cl_session_client_answered(struct cl_session *s);
void cl_session_client_silent(struct cl_session *s);

/* serve/session_hello.c: cl_session_decide_hello answers whether the program that says hello may.
 */
void cl_session_decide_hello(struct cl_session *s);

/* serve/session_log.c: what a session tells about itself, and adds to the worker's counters. */
void cl_session_count_ready(const struct cl_session *s);
void cl_session_count_end(const struct cl_session *s, const struct cl_stream_end *end);
void cl_session_log_request(const struct cl_session *s);
/* The columns of the access log that do not depend on the request. */
void cl_session_access(const struct cl_session *s, struct cl_access *out);
/* A failure on stderr; what: a static text. Of many of one kind only some get a line. */
void cl_session_log_failure(const struct cl_session *s, const char *what,
                            const struct cleat_error *e);
void cl_session_log_end(const struct cl_session *s, const struct cl_stream_end *end);
void cl_session_log_ready(const struct cl_session *s);
/* The client may not come in, and what is done about it; leaf may be NULL. */
void cl_session_log_denied(const struct cl_session *s, const struct cleat_cert *leaf,
                           const char *why, const char *done);

#endif
