/* conn/h2_carried.h - a transport that is a stream of HTTP/2: extended CONNECT (RFC 8441), for a
 * client whose connection is for that alone.
 *
 * What comes out is a cl_tcp, over which a stream in clear runs as over a socket: a WebSocket, say.
 * Freeing it ends the connection.
 */
#ifndef CL_CONN_H2_CARRIED_H
#define CL_CONN_H2_CARRIED_H

#include "cleat/http.h"
#include "conn/stream.h"
#include "conn/trace.h"

struct cl_h2_carried;

struct cl_h2_connected {
    struct cl_tcp *tcp;                 /* the callee's from now on, when it wants it */
    const struct cleat_http_head *head; /* the final response, during the callback; NULL: none */
    bool unsupported;                   /* the server has no extended CONNECT */
    struct cleat_error error;           /* code 0 with a head */
};

struct cl_h2_connect_spec {
    struct cl_hub *hub;
    struct cl_trace *trace;   /* or NULL */
    struct cl_stream *stream; /* ready, "h2" was agreed; taken over when it succeeds */
    struct cl_rd request;     /* a head of HTTP/1.1 (GET); the caller's until the end */
    const char *protocol;     /* "websocket"; static */
    /* Called once, from the loop. True: result->tcp is taken; else the connection ends. */
    bool (*done)(void *ctx, const struct cl_h2_connected *result);
    void *ctx;
};

/* cl_h2_connect waits for the server's SETTINGS, and asks. *out is valid until done is called.
 * NOMEM: nothing has changed. There is no deadline: cl_h2_connect_cancel is one. */
CL_MUST cl_result cl_h2_connect(const struct cl_h2_connect_spec *spec, struct cl_h2_carried **out);

/* cl_h2_connect_cancel ends it: done is not called. NULL is fine. */
void cl_h2_connect_cancel(struct cl_h2_carried *c);

#endif
