/* serve/exchange.h - one request of a session on its way to an answer: between the exchange of the
 * library's engine (cleat/http_server.h), whatever the protocol, and what becomes of the request
 * (serve/answer.h).
 *
 * Decides when to answer (the handshake, the client's certificate and the request's body may have
 * to be waited for) and moves the answer's body, a piece at a time: an exchange that waits for the
 * client holds no buffer. With HTTP/1.1 the bytes of files go past the engine, straight into the
 * stream.
 */
#ifndef CL_SERVE_EXCHANGE_H
#define CL_SERVE_EXCHANGE_H

#include <sys/queue.h>

#include "cleat/http_server.h"
#include "net/file.h"
#include "serve/answer.h"

struct cl_session;
struct cl_websocket;

enum cl_exchange_state {
    CL_EXCHANGE_BODY,    /* its body is being dropped */
    CL_EXCHANGE_HELD,    /* the response waits for the end of the handshake: the request is early */
    CL_EXCHANGE_ASKED,   /* the response waits for the client's certificate */
    CL_EXCHANGE_SENDING, /* the response goes out */
    CL_EXCHANGE_UPGRADED, /* a WebSocket has it */
    CL_EXCHANGE_OVER,     /* all of the response is the engine's, or it was given up */
};

struct cl_exchange {
    TAILQ_ENTRY(cl_exchange) link; /* the session's */
    struct cl_session *session;
    struct cleat_http_exchange *wire; /* NULL: it is gone, but the disk still writes into buf */
    struct cl_answer answer;
    struct cl_websocket *ws; /* with CL_EXCHANGE_UPGRADED, over HTTP/2 */
    struct cl_file_read *file;
    uint8_t *buf; /* waits for the disk; buf_len bytes are in front of what it reads */
    size_t buf_len;
    size_t promised; /* bytes of the body that go past the engine, and are not written yet */
    size_t behind;   /* bytes that had come behind the head */
    bool is_long;    /* the answer's body is */
    enum cl_exchange_state state;
};
TAILQ_HEAD(cl_exchange_list, cl_exchange);

/* What the engine tells, in its words; io as its step left it. */
void cl_exchange_request(struct cl_session *s, const struct cleat_http_server_io *io);
void cl_exchange_refused(struct cl_session *s, const struct cleat_http_server_io *io);
void cl_exchange_data(struct cl_exchange *x, const struct cleat_http_server_io *io);
void cl_exchange_end(struct cl_exchange *x);
/* The last event: x may be freed. */
void cl_exchange_gone(struct cl_exchange *x);

/* cl_exchange_ready goes on where the end of the handshake was waited for. */
void cl_exchange_ready(struct cl_exchange *x);

/* cl_exchange_certified goes on where the client's certificate was waited for: it has come. */
void cl_exchange_certified(struct cl_exchange *x);
/* Likewise: it has not come in time. */
void cl_exchange_uncertified(struct cl_exchange *x);

/* cl_exchange_pump moves one piece of the response's body. False: nothing was moved. */
bool cl_exchange_pump(struct cl_exchange *x);

/* cl_exchange_accept sends the head of an answer behind which a WebSocket follows. False: it cannot
 * be sent. */
bool cl_exchange_accept(struct cl_exchange *x, int status, const struct cl_buf *fields);

#endif
