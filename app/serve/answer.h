/* serve/answer.h - what becomes of one request: judged by the site's rules and answered, whatever
 * protocol it came by.
 *
 * Takes a complete head; knows neither the wire nor time-outs. Whoever carries the answer sends
 * reply.status, reply.fields and reply.body, framed as its protocol has it.
 */
#ifndef CL_SERVE_ANSWER_H
#define CL_SERVE_ANSWER_H

#include "serve/access.h"
#include "serve/site.h"

/* 10 MiB: what servers commonly accept; the body of a request for a file is read and dropped */
#define CL_SERVE_MAX_BODY 10485760

struct cl_answer {
    const struct cl_site *site;
    struct cl_kept_files *kept;  /* of the thread (serve/kept_files.h), or NULL */
    struct cl_demo_visit *visit; /* of the connection (serve/demo.h); NULL: there is none */
    struct cl_static_reply reply;
    struct cl_access_note note;
    int64_t now;       /* Unix seconds, when the head was complete */
    uint64_t began;    /* microseconds, cl_clock_mono_us */
    bool secure;       /* it came over TLS */
    bool redirects;    /* it came where all are sent to HTTPS (serve/redirect.h) */
    bool is_head;      /* no body in the response */
    bool is_protected; /* only for clients with a certificate (serve/protected.h) */
    bool early;        /* the request came as early data */
    bool must_wait;    /* not to be answered before the handshake is done (RFC 8470 3) */
    bool is_upgrade;   /* CL_ANSWER_WEBSOCKET was the judgement */
    bool at_once;      /* what is left of the request is not waited for */
    bool quiet;        /* it leaves no line in the access log */
    bool last;         /* the connection is to end with it; HTTP/2 has other requests on it */
    bool leave;        /* the connection is to end with it, HTTP/2's as well */
};

/* CL_ANSWER_READY: the reply is there; _WEBSOCKET: the request is for a WebSocket, and nothing is
 * decided (serve/ws_upgrade.h). */
enum cl_answer_next {
    CL_ANSWER_READY,
    CL_ANSWER_WEBSOCKET,
};

/* cl_answer_init prepares caller's storage; cl_answer_deinit frees what an answer holds. */
void cl_answer_init(struct cl_answer *a, const struct cl_site *site);
void cl_answer_deinit(struct cl_answer *a);

/* cl_answer_request judges a request of HTTP/1 or 2 (major) and makes the reply; head is not used
 * after the call. protocol: of an extended CONNECT (RFC 8441), else NULL. */
enum cl_answer_next cl_answer_request(struct cl_answer *a, const struct cleat_http_head *head,
                                      unsigned major, const char *protocol);

/* cl_answer_refuse replaces the reply by a page with this status, and makes it the connection's
 * last: also what time-outs do (408). text: a sentence for people, or NULL. */
void cl_answer_refuse(struct cl_answer *a, int status, const char *text);

/* cl_answer_refuse_text likewise, for a request that is no HTTP: what came of it, for the log. */
void cl_answer_refuse_text(struct cl_answer *a, int status, const char *text, const void *came,
                           size_t came_len);

#endif
