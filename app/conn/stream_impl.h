/* conn/stream_impl.h - what hub.c and stream.c know of each other.
 *
 * A stream is driven in two places: when bytes have arrived, and in the hub's turn (after the
 * poll). It dies in the turn only: whatever ends it marks it DEAD and queues it, so that its memory
 * stays valid through any callback.
 */
#ifndef CL_CONN_STREAM_IMPL_H
#define CL_CONN_STREAM_IMPL_H

#include <sys/queue.h>

#include "conn/capture.h"
#include "conn/stream.h"
#include "net/timer.h"
#include "record/recorder.h"

/* 128: headers, content type and tags of three records, and a KeyUpdate that goes in front */
#define CL_STREAM_OVERHEAD 128

/* 4,096: output up to which a write need not wait for the turn where buffers are many. More would
 * let one large file go on for as long as its reader is fast. */
#define CL_STREAM_SMALL 4096

enum cl_stream_state {
    CL_STREAM_HANDSHAKE,
    CL_STREAM_EARLY, /* server: still in the handshake, but early data has come */
    CL_STREAM_OPEN,
    CL_STREAM_CLOSING, /* sending what is left; what arrives is dropped */
    CL_STREAM_LINGER,  /* FIN is sent */
    CL_STREAM_DEAD,    /* waits for the turn that frees it */
};

struct cl_stream {
    struct cl_hub *hub;
    struct cl_tcp *tcp;
    struct cleat_tls *tls;
    struct cl_track *track; /* NULL: not recorded */
    struct cl_timer *timer;
    const struct cl_stream_handler *handler;
    void *ctx;
    struct cl_capture_conn *capture; /* NULL: nothing is captured */
    TAILQ_ENTRY(cl_stream) turn_link;
    TAILQ_ENTRY(cl_stream) job_link;

    uint8_t *in; /* from the pool, NULL when empty; in_at..in_len is not yet consumed */
    size_t in_at;
    size_t in_len;
    uint8_t *data; /* plaintext that the handler has not taken yet, inside in */
    size_t data_len;
    size_t data_used; /* bytes of in to drop when it has */

    const uint8_t *early; /* client: to be sent as early data; NULL: nothing, or no more */
    size_t early_len;

    uint8_t *out; /* from the pool, NULL when empty; out_at..out_len is to be sent */
    size_t out_at;
    size_t out_len;
    size_t out_flight; /* end of what the socket is sending */

    enum cl_stream_state state;
    bool queued;        /* in the hub's turn list */
    bool has_job;       /* in the hub's job list */
    bool deciding;      /* the application owes an answer */
    bool asked;         /* the client owes its certificate */
    bool blocked;       /* data was not taken: waits for cl_stream_resume */
    bool starved;       /* the engine cannot go on before output has been sent */
    bool step;          /* step although nothing has arrived */
    bool sending;       /* the socket has taken over part of out */
    bool want_drained;  /* somebody waits for room */
    bool want_finish;   /* close_notify is still to be written */
    bool finished;      /* close_notify is written (in clear: FIN asked for) */
    bool got_fin;       /* the peer's FIN */
    bool got_eof;       /* the peer's close_notify, reported */
    size_t last_unsent; /* while closing: what the kernel held when we last looked */
    size_t dropped;     /* bytes, while lingering */
    enum cl_stream_cause cause;
    int sys;
    bool was_ready;
    bool early_sent;
    const char *why; /* ABORTED, TIMED_OUT: a static text */
    uint64_t bytes_in;
    uint64_t bytes_out;
};

/* cl_stream_talks: application data passes. */
static inline bool cl_stream_talks(const struct cl_stream *s)
{
    return s->state == CL_STREAM_EARLY || s->state == CL_STREAM_OPEN;
}

/* hub.c: queues a stream for the turn; puts it into and out of the job list. */
void cl_hub_queue(struct cl_stream *s);
void cl_hub_add_job(struct cl_stream *s);
void cl_hub_forget(struct cl_stream *s);

/* hub.c: where the hub counts. */
struct cl_hub_counts *cl_hub_counts(struct cl_hub *hub);

/* stream_close.c: die marks a stream DEAD for a cause (unless it is closing for another already),
 * die_of with a text, die_of_network with a libuv code;
 * burial tells the handler and frees it; begin_closing starts the orderly end, finish_if_wanted
 * writes close_notify when it is time, linger follows when everything is out; send_fin sends FIN.
 */
void cl_stream_die(struct cl_stream *s, enum cl_stream_cause cause);
void cl_stream_die_of(struct cl_stream *s, enum cl_stream_cause cause, const char *why);
void cl_stream_die_of_network(struct cl_stream *s, int status);
void cl_stream_burial(struct cl_stream *s);
void cl_stream_begin_closing(struct cl_stream *s, enum cl_stream_cause cause);
void cl_stream_check_closing(struct cl_stream *s);
void cl_stream_finish_if_wanted(struct cl_stream *s);
void cl_stream_linger(struct cl_stream *s);
void cl_stream_send_fin(struct cl_stream *s);

/* stream_drive.c: have_out makes sure that the engine has room in `out`; false: not now. */
bool cl_stream_have_out(struct cl_stream *s);
extern const struct cl_tcp_handler cl_stream_socket;

/* stream_drive.c: sends at once, before the turn, when the pool is crowded: thousands of streams
 * that have something to say in one turn must not hold a buffer each until its end. */
void cl_stream_relieve(struct cl_stream *s);

/* stream_drive.c: what the hub calls. cl_stream_drive steps the engine as far as it goes;
 * cl_stream_turn does what was queued, sends, and frees the stream when it is DEAD. */
void cl_stream_drive(struct cl_stream *s);
void cl_stream_turn(struct cl_stream *s);

#endif
