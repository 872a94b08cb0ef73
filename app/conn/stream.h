/* conn/stream.h - a secure stream: a socket and a TLS connection driven together. The one place
 * where net and tls meet. Client and server; without TLS (tls == NULL) the same in clear.
 *
 * A hub belongs to one loop and thread: it owns the buffers, collects the jobs of all its streams
 * during a turn, runs them after the poll, then lets everything go out. Callbacks come from the
 * loop only, never from inside a call of this header; in any callback any function may be called,
 * cl_stream_abort too. An idle stream holds no buffer.
 */
#ifndef CL_CONN_STREAM_H
#define CL_CONN_STREAM_H

#include <uv.h>

#include "cleat/tls.h"
#include "conn/counts.h"
#include "net/pool.h"
#include "net/tcp.h"

struct cl_capture;
struct cl_hub;
struct cl_stream;
struct cl_track;

/* cl_hub_new makes a thread's hub on its loop. NOMEM. cl_hub_free: when no stream is left; its
 * memory goes in a later turn of the loop (run it once more). */
CL_MUST cl_result cl_hub_new(uv_loop_t *loop, struct cl_hub **out);
void cl_hub_free(struct cl_hub *hub);
struct cl_pool *cl_hub_pool(struct cl_hub *hub);
uv_loop_t *cl_hub_loop(struct cl_hub *hub);

/* cl_hub_count has the hub count there what it does; counts outlives it. */
void cl_hub_count(struct cl_hub *hub, struct cl_hub_counts *counts);

/* How a stream came to its end. */
enum cl_stream_cause {
    CL_STREAM_FINISHED,  /* we closed it (cl_stream_close), and everything was sent */
    CL_STREAM_TLS,       /* TLS failed: error says why (alerts from the peer too) */
    CL_STREAM_TRUNCATED, /* the peer went without close_notify; error is CLEAT_ERR_TRUNCATED */
    CL_STREAM_NETWORK,   /* sys is the libuv code: UV_ECONNRESET, … */
    CL_STREAM_TIMED_OUT, /* the handshake, or the deadline that was set */
    CL_STREAM_ABORTED,   /* cl_stream_abort */
};

struct cl_stream_end {
    enum cl_stream_cause cause;
    int sys;
    bool was_ready;           /* the handshake had been completed */
    struct cleat_error error; /* text for people whatever the cause; code 0 when FINISHED */
    uint64_t bytes_in;        /* on the wire, from the peer */
    uint64_t bytes_out;
};

/* Each may be NULL except closed. */
struct cl_stream_handler {
    /* The handshake is complete: cl_stream_tls() tells what was agreed; writing may begin. */
    void (*ready)(void *ctx);
    /* Plaintext; a view that is valid during the call, and may be written over. Before ready (see
     * cl_stream_is_ready) it is early data, which only a server gets whose configuration allows it:
     * it may be a replay. From then on writing is possible, and what is left behind holds up the
     * handshake. Returns how many of
     * the bytes it has taken: with fewer than len the stream stops receiving, and offers the rest
     * again after cl_stream_resume. Without this callback everything is dropped. */
    size_t (*data)(void *ctx, uint8_t *p, size_t len);
    /* There is room to write again after cl_stream_write took less than it was given. */
    void (*drained)(void *ctx);
    /* The peer has sent close_notify (in clear: FIN): nothing more will come; writing goes on.
     * Without this callback the stream closes. */
    void (*eof)(void *ctx);
    /* The engine asks (CLEAT_DECIDE_*): answer on cl_stream_tls(), then cl_stream_decided(), now or
     * later. Without this callback the answer is a refusal. */
    void (*decision)(void *ctx, enum cleat_decision which);
    /* The client's answer to cl_stream_request_certificate is complete; cleat_tls_peer_leaf() says
     * who it is, NULL: it has no certificate. A bad one makes the stream fail instead. */
    void (*certificate)(void *ctx);
    /* TLS has failed: the alert, if any, is on its way, and closed will follow. Here, and only for
     * CLEAT_ERR_HTTP_ON_TLS_PORT, cl_stream_reply_clear may be called. */
    void (*failed)(void *ctx, const struct cleat_error *error);
    /* The deadline passed. Without this callback the stream is aborted as TIMED_OUT. */
    void (*deadline)(void *ctx);
    /* The last callback: the stream is freed when it returns (its TLS connection too). */
    void (*closed)(void *ctx, const struct cl_stream_end *end);
};

/* 10 s: what servers commonly grant a handshake, mobile networks included */
#define CL_STREAM_HANDSHAKE_MS 10000
/* 2 s: after our FIN the peer may still be sending; closing at once would reset the connection and
 * destroy what it has not read yet (RFC 9112 9.6) */
#define CL_STREAM_LINGER_MS    2000
/* 1 MiB: dropped while lingering; who sends more does not listen anyway */
#define CL_STREAM_LINGER_BYTES 1048576
/* 30 s, 4 KiB: a peer that takes less of our closing flight than that in that time is given up */
#define CL_STREAM_CLOSE_MS     30000
#define CL_STREAM_CLOSE_BYTES  4096

struct cl_stream_setup {
    struct cl_tcp *tcp;                      /* connected; taken over */
    struct cleat_tls *tls;                   /* taken over; NULL: in clear, and ready at once */
    const struct cl_stream_handler *handler; /* outlives the stream */
    void *ctx;
    uint32_t handshake_ms; /* 0: CL_STREAM_HANDSHAKE_MS */
    /* Client: what is sent as early data, all of it or nothing, on a tls that has been made to
     * offer it; stays the caller's, valid until ready or closed. */
    const uint8_t *early;
    size_t early_len;
    /* Where its packets are written down, or NULL (conn/capture.h); outlives the stream. Client:
     * and when the connection was asked for (cl_clock_mono_us). */
    struct cl_capture *capture;
    uint64_t connect_us;
    struct cl_track *track; /* records the connection (record/recorder.h), or NULL; taken over */
};

/* 8,192 bytes: more is not sent as early data; it fits into a buffer behind any ClientHello of ours
 */
#define CL_STREAM_MAX_EARLY 8192

/* cl_stream_open starts a stream (a client's ClientHello goes out in the same turn). tcp and tls
 * are taken over also when it fails, with NOMEM; then no callback comes. */
CL_MUST cl_result cl_stream_open(struct cl_hub *hub, const struct cl_stream_setup *setup,
                                 struct cl_stream **out);

/* cl_stream_handle replaces who is told (when another protocol takes over, say). */
void cl_stream_handle(struct cl_stream *s, const struct cl_stream_handler *handler, void *ctx);

/* cl_stream_write seals bytes for sending and returns how many it took: 0 to len, less than len
 * when there is no room (then drained comes), and also after a failure, when closed comes anyway.
 * Bytes taken are copied. They go out at the end of the turn. Before ready, or early data, it takes
 * nothing. */
size_t cl_stream_write(struct cl_stream *s, const void *p, size_t len);

/* cl_stream_room returns how many bytes cl_stream_write would take now, at least; 0 before ready.
 */
size_t cl_stream_room(const struct cl_stream *s);

/* cl_stream_want_drained asks for a `drained` when there is room, without writing first. */
void cl_stream_want_drained(struct cl_stream *s);

/* cl_stream_resume offers what data left behind, and receives again. */
void cl_stream_resume(struct cl_stream *s);

/* cl_stream_finish sends close_notify (in clear: FIN) behind everything written; receiving goes
 * on: half-close. */
void cl_stream_finish(struct cl_stream *s);

/* cl_stream_close ends the stream in good order: what was written goes out, close_notify, FIN, then
 * it lingers for a while, dropping what comes. No callback but closed comes any more. */
void cl_stream_close(struct cl_stream *s);

/* cl_stream_abort ends it at once; closed comes with ABORTED. why is a static text, or NULL. */
void cl_stream_abort(struct cl_stream *s, const char *why);

/* cl_stream_deadline calls `deadline` ms milliseconds from now; 0: never. One at a time; cheap to
 * move. The handshake (early data included) and closing have their own: calls during those do
 * nothing. */
void cl_stream_deadline(struct cl_stream *s, uint64_t ms);

/* cl_stream_decided tells that the decision has been answered on the TLS connection. */
void cl_stream_decided(struct cl_stream *s);

/* cl_stream_key_update changes our sending key, and asks for the peer's when request_peer. */
void cl_stream_key_update(struct cl_stream *s, bool request_peer);

/* cl_stream_request_certificate asks a client for its certificate after the handshake; one that has
 * none may go on (cleat_tls_request_certificate, and its codes). */
int cl_stream_request_certificate(struct cl_stream *s);

/* cl_stream_reply_clear sends bytes in clear instead of an alert; see `failed`. */
void cl_stream_reply_clear(struct cl_stream *s, const void *p, size_t len);

/* cl_stream_clear_input gives what has arrived and was no TLS; in `failed` only. */
const uint8_t *cl_stream_clear_input(const struct cl_stream *s, size_t *out_len);

/* The parts; both stay the stream's. tls is NULL for a stream in clear; tcp is NULL once the socket
 * is closed, so ask for its addresses early. */
struct cleat_tls *cl_stream_tls(const struct cl_stream *s);
struct cl_tcp *cl_stream_tcp(const struct cl_stream *s);
bool cl_stream_is_ready(const struct cl_stream *s);

/* cl_stream_early_sent tells whether the setup's early bytes went out; whether they were taken is
 * told by cleat_tls_early_data_status(). */
bool cl_stream_early_sent(const struct cl_stream *s);

#endif
