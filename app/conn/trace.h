/* conn/trace.h - the story of a connection: for people as lines, for programs as JSON lines.
 *
 * Both are written as things happen, from the same calls. Human lines begin with "*" (what we do),
 * ">" (sent) or "<" (received), as curl's -v does. A JSON line is an object with "schema" (1), "t"
 * (milliseconds since the start), "event" and what belongs to that event; docs/man has the list.
 * Secrets never get into a trace: CLEAT_EVENT_SECRET is passed over, and the values of credential
 * fields are hidden. Every function takes NULL for "no trace".
 */
#ifndef CL_CONN_TRACE_H
#define CL_CONN_TRACE_H

#include <stdio.h>

#include "cleat/tls.h"
#include "cleat/ws.h"
#include "dns/resolve.h"

/* Goes up when a field changes its meaning or goes away; new fields may come at any time. */
#define CL_TRACE_SCHEMA 1

struct cl_trace;

struct cl_trace_setup {
    FILE *human; /* NULL: no narration */
    bool colour;
    FILE *json; /* NULL: no JSON */
};

/* cl_trace_new starts the clock. The files stay the caller's. NOMEM. */
CL_MUST cl_result cl_trace_new(const struct cl_trace_setup *setup, struct cl_trace **out);
void cl_trace_free(struct cl_trace *t);

/* cl_trace_want_colour: the file is a terminal, NO_COLOR is not set (no-color.org) and TERM is not
 * "dumb". */
bool cl_trace_want_colour(FILE *f);

/* cl_trace_note says something that has no event of its own, under a topic of at most 4 letters. */
void cl_trace_note(struct cl_trace *t, const char *topic, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* DNS and TCP; us are microseconds that it took. */
void cl_trace_dns_ask(struct cl_trace *t, const char *host, int family);
void cl_trace_dns_answer(struct cl_trace *t, const struct cl_dns_answer *answer, uint64_t us);
void cl_trace_tcp_try(struct cl_trace *t, const struct cl_addr *addr);
void cl_trace_tcp_failed(struct cl_trace *t, const struct cl_addr *addr, int status, uint64_t us);
void cl_trace_tcp_lost(struct cl_trace *t, const struct cl_addr *addr);
void cl_trace_tcp_connected(struct cl_trace *t, const struct cl_addr *peer,
                            const struct cl_addr *local, uint64_t us);

/* cl_trace_tls_event takes what the engine tells: to be called from the configuration's sink. */
void cl_trace_tls_event(struct cl_trace *t, const struct cleat_event *event);

/* cl_trace_tls_ready tells what was agreed, and the verdict on the peer's chain if there is one. */
void cl_trace_tls_ready(struct cl_trace *t, const struct cleat_tls *tls, uint64_t us);

/* cl_trace_verdict tells what the verifier found; now in Unix seconds. ignored: it was not obeyed
 * (-k). */
void cl_trace_verdict(struct cl_trace *t, const struct cleat_verdict *verdict, int64_t now,
                      bool ignored);

/* cl_trace_http_head tells a request's or response's head, cl_trace_http_body the end of a body.
 * stream: of HTTP/2, which the head, written as one of HTTP/1.1, is told as; 0: there are none. */
void cl_trace_http_head(struct cl_trace *t, uint32_t stream, bool sent, const char *head,
                        size_t len);
void cl_trace_http_body(struct cl_trace *t, uint32_t stream, bool sent, uint64_t bytes);

/* cl_trace_proxy_head tells CONNECT, and the proxy's answer. */
void cl_trace_proxy_head(struct cl_trace *t, bool sent, const char *head, size_t len);

/* cl_trace_ws_frame tells the header of a WebSocket frame, sent or received. */
void cl_trace_ws_frame(struct cl_trace *t, const struct cleat_ws_frame *frame);

/* cl_trace_error tells why it ended; stage is "dns", "tcp", "proxy", "tls", "http" or "ws". JSON
 * only: people get the message at the end of the program. */
void cl_trace_error(struct cl_trace *t, const char *stage, const struct cleat_error *error);

#endif
