/* h2/conn.h - a connection, for the files that share it: conn.c makes and ends it, step.c reads,
 * gate.c and closed.c look at each frame before nghttp2 does, head.c turns fields into heads and
 * back, send.c queues and writes, events.c is what nghttp2 calls.
 *
 * Invariants: nghttp2 is fed with at most one frame between two looks at what there is to tell, so
 * that one head, and one piece of data, is being told at a time. `error` is set once; then nothing
 * is read any more. A stream that was told of stays until its RESET or DONE was handed out.
 */
#ifndef CL_H2_CONN_H
#define CL_H2_CONN_H

#include <nghttp2/nghttp2.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/result.h"
#include "cleat/h2.h"
#include "h2/closed.h"
#include "h2/gate.h"
#include "h2/head.h"
#include "h2/heap.h"

/* 100: acknowledgements of pings and settings that wait for a peer that does not read */
#define CL_H2_MAX_ACKS    100
/* 32 KiB: two frames of 16 KiB are written to the transport at a time */
#define CL_H2_OUT_ROOM    32768
/* 4: all streams together queue as much as so many of them may; more would wait for the transport
 * in any case, and a hundred streams be a hundred queues */
#define CL_H2_FULL_QUEUES 4

/* What there is to tell of a stream, in the order of telling. */
enum {
    CL_H2_TELL_HEAD = 1,
    CL_H2_TELL_REFUSED = 2,
    CL_H2_TELL_END = 4,
    CL_H2_TELL_WRITABLE = 8,
    CL_H2_TELL_RESET = 16,
    CL_H2_TELL_DONE = 32,
};

struct cl_h2_trailers {
    struct cleat_http_head head;
    char text[];
};

struct cl_h2_stream {
    TAILQ_ENTRY(cl_h2_stream) link; /* of the connection's */
    TAILQ_ENTRY(cl_h2_stream) next; /* of those with something to tell */
    int32_t id;
    void *ctx;
    uint8_t tell;
    bool is_listed;  /* among those with something to tell */
    bool is_known;   /* the application knows it */
    bool is_gone;    /* nghttp2 has forgotten it */
    bool has_head;   /* the final head has come */
    bool answered;   /* the final head was sent, or is queued */
    bool ended_in;   /* the peer has sent everything */
    bool ended_out;  /* so have we */
    bool to_head;    /* the request's method is HEAD, so the response has no body */
    bool to_connect; /* CONNECT */
    bool wants_room; /* a write found the queue full */
    bool waits;      /* nghttp2 was told that there is nothing to send yet */
    bool is_parked;  /* ... and it would have, if there were room */
    bool queue_ends; /* the body's last byte is in the queue */
    bool unprocessed;
    bool stop;        /* to be reset when the response has been written */
    bool reset_by_us; /* because the application asked for it */
    bool reset_by_peer;
    uint32_t code;
    size_t unconsumed;
    struct cl_h2_trailers *trailers; /* NULL: none are to be sent */
    struct cl_buf queue;
    size_t queue_at; /* what is before it has been sent */
    uint64_t sent;
    uint64_t mark_sent, mark_time; /* when the peer last took enough (cleat_h2_tick) */
};

TAILQ_HEAD(cl_h2_streams, cl_h2_stream);

struct cleat_h2 {
    struct cleat_h2_options o;
    struct cleat_h2_stats stats;
    nghttp2_session *session;
    struct cl_heap heap;
    bool early;  /* the bytes that are read came as early data */
    bool broken; /* nghttp2 is out of memory, or not to be fed any more: it is not called again */
    bool is_server;
    uint64_t now;

    struct cl_h2_gate gate;
    struct cl_h2_closed closed;
    struct cl_h2_collect *collect;    /* the head that is coming, or is being told; or NULL */
    struct cl_h2_stream *head_stream; /* whose that is */
    struct cl_h2_stream *data_stream; /* whose data is to be told, or NULL */
    const uint8_t *data;
    size_t data_len;
    bool paused; /* nghttp2 goes on behind the data that was told */

    struct cl_h2_streams streams, told;
    size_t num_streams;
    size_t queued;     /* of all streams */
    size_t num_parked; /* at most so many streams are */
    bool has_room;     /* there may be some for those */

    struct cl_buf out;
    size_t out_at;

    bool settled;      /* the peer's SETTINGS have come */
    bool acknowledged; /* ours were */
    bool goaway_in;    /* the peer's has come */
    bool tell_goaway;
    bool goaway_out; /* ours is queued */
    bool too_many_resets;
    uint16_t refused_status;
    uint32_t goaway_code;    /* the peer's */
    uint32_t sent_code;      /* of the GOAWAY that nghttp2 wrote */
    uint64_t began;          /* the first step, for the SETTINGS' time */
    uint64_t last_goaway_at; /* when a shutdown says which stream was the last; 0: none is on */
    int invalid;             /* nghttp2's code for the frame that it did not like last */
    uint8_t invalid_type;
    int32_t invalid_stream;

    struct cleat_error error;
    struct cleat_error *why; /* of the last REFUSED; NULL: none, or memory was short */
};

/* cl_h2_fail ends the connection: the first failure wins. code: of the GOAWAY. Returns result. */
cl_result cl_h2_fail(struct cleat_h2 *h2, cl_result result, uint32_t code, const char *section,
                     const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* cl_h2_note keeps why a request was refused, or a stream reset. */
void cl_h2_note(struct cleat_h2 *h2, const struct cleat_error *why);

/* events.c: cl_h2_callbacks makes what nghttp2 calls. NOMEM. */
CL_MUST cl_result cl_h2_callbacks(nghttp2_session_callbacks **out);

/* cl_h2_stream_new adds a stream; NULL when memory is short. cl_h2_stream_free takes it out.
 * cl_h2_stream_find: NULL when there is none, or it is gone. */
struct cl_h2_stream *cl_h2_stream_new(struct cleat_h2 *h2, int32_t id);
void cl_h2_stream_free(struct cleat_h2 *h2, struct cl_h2_stream *s);
struct cl_h2_stream *cl_h2_stream_find(const struct cleat_h2 *h2, uint32_t id);

/* cl_h2_stop_ended resets a stream whose response was written, and whose request is not wanted. */
void cl_h2_stop_ended(struct cleat_h2 *h2, struct cl_h2_stream *s);

/* cl_h2_tell notes that there is something to tell of a stream. */
void cl_h2_tell(struct cleat_h2 *h2, struct cl_h2_stream *s, uint8_t what);

/* send.c: what nghttp2 asks for the next bytes of a body, and where its frames go. */
ssize_t cl_h2_read_queue(nghttp2_session *session, int32_t id, uint8_t *buf, size_t len,
                         uint32_t *flags, nghttp2_data_source *source, void *ctx);
int cl_h2_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head, size_t len,
                    nghttp2_data_source *source, void *ctx);
ssize_t cl_h2_send_frame(nghttp2_session *session, const uint8_t *p, size_t len, int flags,
                         void *ctx);

/* cl_h2_fill has nghttp2 write what it can. */
void cl_h2_fill(struct cleat_h2 *h2);

/* cl_h2_drop_output gives the memory back of what was written. */
void cl_h2_drop_output(struct cleat_h2 *h2);

/* cl_h2_drop_queue takes the first len bytes out of a stream's queue. */
void cl_h2_drop_queue(struct cleat_h2 *h2, struct cl_h2_stream *s, size_t len);

static inline size_t cl_h2_queued(const struct cl_h2_stream *s)
{
    return s->queue.len - s->queue_at;
}

#endif
