/* ws/shared.c - see shared.h. A prepared message is immutable and counted atomically, so that
 * threads may share it. */
#include "ws/shared.h"

#include <stdatomic.h>

#include "base/mem.h"
#include "ws/conn.h"

/* 8: a first list; a member that keeps up needs one or two */
#define MIN_CAP 8

struct cleat_ws_prepared {
    atomic_size_t refs;
    uint8_t window_bits; /* what a receiver of `small` needs */
    struct cl_buf plain; /* a whole frame each */
    struct cl_buf small; /* empty: not compressed */
};

/* ---- making -----------------------------------------------------------------------------------*/

/* Lets a connection that nobody is at the end of encode the message. */
static int encode(const struct cleat_ws_options *o, bool binary, struct cl_rd content,
                  struct cl_buf *out)
{
    struct cleat_ws *ws = NULL;
    const uint8_t *p;
    int code = cleat_ws_server_new(o, &ws);
    if (code == CLEAT_OK) {
        code = cleat_ws_send(ws, binary, content.p, content.len);
    }
    if (code == CLEAT_OK) {
        size_t len = cleat_ws_output(ws, &p);
        code = cl_buf_append(out, p, len, SIZE_MAX);
    }
    cleat_ws_free(ws);
    return code;
}

int cleat_ws_prepare(const struct cleat_ws_options *o, bool binary, const void *data, size_t len,
                     struct cleat_ws_prepared **out)
{
    struct cleat_ws_options own = *o;
    struct cl_rd content = cl_rd_of(data, len);
    struct cleat_ws_prepared *m = cl_calloc(1, sizeof(*m));
    *out = NULL;
    if (m == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    atomic_init(&m->refs, 1);
    m->window_bits = o->deflate.server_max_window_bits;
    own.fragment_size = 0;
    own.frame = NULL;
    own.deflate.on = false;
    int code = encode(&own, binary, content, &m->plain);
    /* with a context each connection would need a frame of its own */
    if (code == CLEAT_OK && o->deflate.on && o->deflate.server_no_context_takeover &&
        len >= o->deflate_min) {
        own.deflate.on = true;
        code = encode(&own, binary, content, &m->small);
    }
    if (code != CLEAT_OK) {
        cleat_ws_prepared_free(m);
        return code;
    }
    *out = m;
    return CLEAT_OK;
}

struct cleat_ws_prepared *cleat_ws_prepared_ref(struct cleat_ws_prepared *m)
{
    atomic_fetch_add(&m->refs, 1);
    return m;
}

void cleat_ws_prepared_free(struct cleat_ws_prepared *m)
{
    if (m == NULL || atomic_fetch_sub(&m->refs, 1) != 1) {
        return;
    }
    cl_buf_deinit(&m->plain);
    cl_buf_deinit(&m->small);
    cl_free(m);
}

size_t cleat_ws_prepared_size(const struct cleat_ws_prepared *m)
{
    return m->plain.len;
}

/* ---- the queue --------------------------------------------------------------------------------*/

static const struct cl_buf *frame_for(const struct cleat_ws *ws, const struct cleat_ws_prepared *m)
{
    bool small = m->small.len != 0 && ws->o.deflate.on && !cl_ws_keeps_deflater(ws) &&
                 ws->o.deflate.server_max_window_bits >= m->window_bits;
    return small ? &m->small : &m->plain;
}

static struct cleat_ws_prepared **at(const struct cl_ws_shared *q, size_t i)
{
    return &q->list[(q->first + i) % q->cap];
}

/* Twice as long, and from the beginning of the list on. */
static cl_result grow(struct cl_ws_shared *q)
{
    size_t cap = q->cap != 0 ? 2 * q->cap : MIN_CAP;
    struct cleat_ws_prepared **list = cl_alloc(cap * sizeof(struct cleat_ws_prepared *));
    if (list == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    for (size_t i = 0; i < q->num; i++) {
        list[i] = *at(q, i);
    }
    cl_free(q->list);
    q->list = list;
    q->cap = cap;
    q->first = 0;
    return CL_OK;
}

/* Takes the i-th out. */
static void take_out(struct cleat_ws *ws, size_t i)
{
    struct cl_ws_shared *q = &ws->shared;
    struct cleat_ws_prepared *m = *at(q, i);
    q->bytes -= frame_for(ws, m)->len - (i == 0 ? q->sent : 0);
    q->sent = i == 0 ? 0 : q->sent;
    for (; i > 0; i--) {
        *at(q, i) = *at(q, i - 1);
    }
    q->first = (q->first + 1) % q->cap;
    q->num--;
    cleat_ws_prepared_free(m);
    if (q->num == 0) {
        cl_ws_shared_deinit(ws);
    }
}

int cleat_ws_send_prepared(struct cleat_ws *ws, struct cleat_ws_prepared *m)
{
    struct cl_ws_shared *q = &ws->shared;
    const struct cl_buf *frame = frame_for(ws, m);
    if (ws->flaw != CL_WS_FLAW_NONE || ws->close_wanted) {
        return CLEAT_ERR_CLOSED;
    }
    if (ws->is_client || ws->piece_kind != 0) {
        return CLEAT_ERR_USAGE;
    }
    int room = cl_ws_make_room(ws, frame->len);
    if (room < 0) {
        return room;
    }
    if (q->num == q->cap) {
        CL_TRY(grow(q));
    }
    struct cl_ws_head head;
    struct cl_rd r = cl_buf_view(frame);
    if (cl_ws_head_parse(&r, &head) != CL_WS_FLAW_NONE) {
        return CLEAT_ERR_INTERNAL;
    }
    q->num++;
    *at(q, q->num - 1) = cleat_ws_prepared_ref(m);
    q->bytes += frame->len;
    ws->stats.messages_sent++;
    cl_ws_tell_frame(ws, &head, false);
    return room;
}

struct cl_rd cl_ws_shared_front(const struct cleat_ws *ws)
{
    const struct cl_ws_shared *q = &ws->shared;
    if (q->num == 0) {
        return (struct cl_rd){0};
    }
    struct cl_rd left = cl_buf_view(frame_for(ws, *at(q, 0)));
    (void)!cl_rd_skip(&left, q->sent);
    return left;
}

void cl_ws_shared_sent(struct cleat_ws *ws, size_t n)
{
    struct cl_ws_shared *q = &ws->shared;
    size_t left = cl_ws_shared_front(ws).len;
    n = n < left ? n : left;
    q->sent += n;
    q->bytes -= n;
    if (n == left && q->num != 0) {
        take_out(ws, 0);
    }
}

bool cl_ws_shared_drop(struct cleat_ws *ws)
{
    struct cl_ws_shared *q = &ws->shared;
    size_t oldest = q->sent != 0 ? 1 : 0;
    if (q->num <= oldest) {
        return false;
    }
    take_out(ws, oldest);
    ws->stats.messages_dropped++;
    return true;
}

cl_result cl_ws_shared_flatten(struct cleat_ws *ws)
{
    struct cl_ws_shared *q = &ws->shared;
    if (q->num == 0) {
        return CL_OK;
    }
    CL_TRY(cl_ws_grow(ws->o.pool, &ws->data.buf, q->bytes));
    if (q->sent != 0) {
        /* nothing is in front of a frame that has begun */
        ws->data.partial = cl_ws_shared_front(ws).len;
    }
    while (q->num != 0) {
        struct cl_rd left = cl_ws_shared_front(ws);
        struct cl_wr w = cl_buf_writer(&ws->data.buf);
        cl_wr_bytes(&w, left.p, left.len);
        cl_buf_commit(&ws->data.buf, &w);
        take_out(ws, 0);
    }
    return CL_OK;
}

void cl_ws_shared_deinit(struct cleat_ws *ws)
{
    struct cl_ws_shared *q = &ws->shared;
    for (size_t i = 0; i < q->num; i++) {
        cleat_ws_prepared_free(*at(q, i));
    }
    cl_free(q->list);
    *q = (struct cl_ws_shared){0};
}
