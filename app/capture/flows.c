/* capture/flows.c - see flows.h; RFC 9293. Implementation notes:
 *
 * A flow is active while a ClientHello is being read; otherwise it only remembers where the last
 * one lay. The flows are a balanced tree (search.h), so that no choice of addresses makes it slow,
 * and a queue in the order of their last segment. Sequence numbers are compared modulo 2^32.
 */
#include "capture/flows.h"

#include <search.h>
#include <sys/queue.h>

#include "base/mem.h"
#include "capture/hello_reader.h"

/* 65,536 flows of some 250 bytes: what a busy link opens in seconds, in 16 MB */
#define MAX_FLOWS   65536
/* 64 MiB in all: 500 of the longest ClientHellos at once, or 30,000 of the common ones */
#define MAX_BYTES   (64U << 20)
/* 262,144: the longest ClientHello twice over; whatever lies further ahead is none of it */
#define MAX_AHEAD   262144
/* 128 segments ahead of a gap: the longest ClientHello in segments of 1,400 bytes */
#define MAX_PENDING 128

/* Data ahead of a gap. */
struct pending {
    STAILQ_ENTRY(pending) next;
    uint32_t seq;
    size_t len;
    uint8_t bytes[];
};

struct flow_key {
    struct cl_addr from;
    struct cl_addr to;
};

struct flow {
    struct flow_key key; /* first: what the tree compares */
    TAILQ_ENTRY(flow) age;
    bool active;
    bool has_last; /* a ClientHello was told, of the bytes [begin, next) */
    uint32_t begin;
    uint32_t next;
    struct cl_hello_reader reader;
    STAILQ_HEAD(, pending) pending;
    unsigned num_pending;
    size_t bytes; /* kept for it */
};

struct cl_flows {
    cl_hello_sink sink;
    void *ctx;
    struct cl_hello_counts *counts;
    void *tree;
    TAILQ_HEAD(ages, flow) ages; /* the quietest first */
    size_t num;
    size_t bytes;
    bool more;
};

/* Addresses are zero where they hold nothing (cl_packet_parse). */
static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct flow_key));
}

struct cl_flows *cl_flows_new(cl_hello_sink sink, void *ctx, struct cl_hello_counts *counts)
{
    struct cl_flows *f = cl_calloc(1, sizeof(*f));
    if (f != NULL) {
        *f = (struct cl_flows){.sink = sink, .ctx = ctx, .counts = counts, .more = true};
        TAILQ_INIT(&f->ages);
    }
    return f;
}

/* ---- flows come and go ---- */

static void drop_pending(struct cl_flows *f, struct flow *w, struct pending *p)
{
    STAILQ_REMOVE(&w->pending, p, pending, next);
    w->num_pending--;
    w->bytes -= p->len;
    f->bytes -= p->len;
    cl_free(p);
}

/* The flow keeps nothing but where it stands. */
static void deactivate(struct cl_flows *f, struct flow *w)
{
    while (!STAILQ_EMPTY(&w->pending)) {
        drop_pending(f, w, STAILQ_FIRST(&w->pending));
    }
    cl_hello_reader_deinit(&w->reader);
    f->bytes -= w->bytes;
    w->bytes = 0;
    w->active = false;
}

static void drop(struct cl_flows *f, struct flow *w)
{
    f->counts->incomplete += w->active && w->reader.message.len > 0 ? 1 : 0;
    deactivate(f, w);
    (void)tdelete(w, &f->tree, compare);
    TAILQ_REMOVE(&f->ages, w, age);
    f->num--;
    cl_free(w);
}

void cl_flows_free(struct cl_flows *f)
{
    if (f == NULL) {
        return;
    }
    while (!TAILQ_EMPTY(&f->ages)) {
        drop(f, TAILQ_FIRST(&f->ages));
    }
    cl_free(f);
}

static void make_room(struct cl_flows *f, const struct flow *current)
{
    while (f->num > MAX_FLOWS || f->bytes > MAX_BYTES) {
        struct flow *quietest = TAILQ_FIRST(&f->ages);
        if (quietest == current) {
            return;
        }
        f->counts->crowded += quietest->active ? 1 : 0;
        drop(f, quietest);
    }
}

static struct flow *find(struct cl_flows *f, const struct cl_segment *s)
{
    const struct flow_key key = {.from = s->from, .to = s->to};
    void *node = tfind(&key, &f->tree, compare);
    struct flow *w = node != NULL ? *(struct flow **)node : NULL;
    if (w != NULL) {
        TAILQ_REMOVE(&f->ages, w, age);
        TAILQ_INSERT_TAIL(&f->ages, w, age);
    }
    return w;
}

static struct flow *add(struct cl_flows *f, const struct cl_segment *s)
{
    struct flow *w = cl_calloc(1, sizeof(*w));
    if (w == NULL) {
        return NULL;
    }
    w->key = (struct flow_key){.from = s->from, .to = s->to};
    STAILQ_INIT(&w->pending);
    if (tsearch(w, &f->tree, compare) == NULL) {
        cl_free(w);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&f->ages, w, age);
    f->num++;
    make_room(f, w);
    return w;
}

/* ---- bytes in order ---- */

static void tell(struct cl_flows *f, const struct cl_segment *s, struct cl_rd message, int64_t time)
{
    const struct cl_hello hello = {
        .message = message, .has_origin = true, .time_us = time, .from = s->from, .to = s->to};
    f->counts->hellos++;
    f->more = f->sink(f->ctx, &hello);
}

/* Takes what follows w->next. The flow is gone when it turns out to hold no ClientHello. */
static cl_result feed(struct cl_flows *f, struct flow **flow, const struct cl_segment *s,
                      struct cl_rd bytes, int64_t time)
{
    struct flow *w = *flow;
    const size_t before = w->reader.message.len;
    const enum cl_hello_state state = cl_hello_reader_feed(&w->reader, bytes);
    w->next += (uint32_t)bytes.len;
    w->bytes += w->reader.message.len - before;
    f->bytes += w->reader.message.len - before;
    switch (state) {
    case CL_HELLO_MORE:
        make_room(f, w);
        return CL_OK;
    case CL_HELLO_WHOLE:
        tell(f, s, cl_buf_view(&w->reader.message), time);
        w->has_last = true;
        deactivate(f, w);
        return CL_OK;
    case CL_HELLO_NONE:
        deactivate(f, w);
        drop(f, w);
        *flow = NULL;
        return CL_OK;
    default:
        return CLEAT_ERR_NOMEM;
    }
}

/* What of the bytes at seq lies at w->next or behind it; false: nothing, or it lies ahead. */
static bool trim(const struct flow *w, uint32_t seq, struct cl_rd *bytes)
{
    const uint32_t old = w->next - seq;
    return old < UINT32_C(0x80000000) && old < bytes->len && cl_rd_skip(bytes, old);
}

static struct pending *next_pending(struct flow *w, struct cl_rd *bytes)
{
    struct pending *p;
    STAILQ_FOREACH(p, &w->pending, next)
    {
        *bytes = cl_rd_of(p->bytes, p->len);
        if (trim(w, p->seq, bytes)) {
            return p;
        }
    }
    return NULL;
}

static cl_result keep(struct cl_flows *f, struct flow *w, uint32_t seq, struct cl_rd bytes)
{
    const uint32_t ahead = seq - w->next;
    if (ahead > MAX_AHEAD || bytes.len > MAX_AHEAD || w->num_pending >= MAX_PENDING) {
        return CL_OK; /* of an older part, or none of a ClientHello's */
    }
    struct pending *p = cl_alloc(sizeof(*p) + bytes.len);
    if (p == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    p->seq = seq;
    p->len = bytes.len;
    memcpy(p->bytes, bytes.p, bytes.len);
    STAILQ_INSERT_TAIL(&w->pending, p, next);
    w->num_pending++;
    w->bytes += p->len;
    f->bytes += p->len;
    make_room(f, w);
    return CL_OK;
}

static cl_result take_active(struct cl_flows *f, struct flow *w, const struct cl_segment *s,
                             uint32_t seq, int64_t time)
{
    struct cl_rd bytes = s->data;
    struct pending *p;
    if (!trim(w, seq, &bytes)) {
        return keep(f, w, seq, s->data);
    }
    CL_TRY(feed(f, &w, s, bytes, time));
    while (w != NULL && w->active && (p = next_pending(w, &bytes)) != NULL) {
        CL_TRY(feed(f, &w, s, bytes, time));
        if (w != NULL && w->active) {
            drop_pending(f, w, p);
        }
    }
    return CL_OK;
}

/* ---- segments ---- */

/* A connection begins. */
static cl_result take_syn(struct cl_flows *f, struct flow *w, const struct cl_segment *s)
{
    if (w != NULL && w->begin == s->seq + 1) {
        return CL_OK; /* sent again */
    }
    if (w != NULL) {
        drop(f, w); /* the ports are used again */
    }
    w = add(f, s);
    if (w == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    w->active = true;
    w->begin = s->seq + 1;
    w->next = s->seq + 1;
    return CL_OK;
}

/* Does the segment begin with a ClientHello, in the middle of whatever? */
static bool begins_hello(struct cl_rd data)
{
    struct cl_hello_reader probe = {0};
    const enum cl_hello_state state = cl_hello_reader_feed(&probe, data);
    const bool yes = state == CL_HELLO_WHOLE || (state == CL_HELLO_MORE && probe.message.len > 0);
    cl_hello_reader_deinit(&probe);
    return yes;
}

static cl_result take_middle(struct cl_flows *f, struct flow *w, const struct cl_segment *s,
                             uint32_t seq, int64_t time)
{
    const bool again = w != NULL && w->has_last && seq - w->begin < w->next - w->begin;
    if (again || !begins_hello(s->data)) {
        return CL_OK;
    }
    w = w != NULL ? w : add(f, s);
    if (w == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    w->active = true;
    w->begin = seq;
    w->next = seq;
    return take_active(f, w, s, seq, time);
}

cl_result cl_flows_take(struct cl_flows *f, const struct cl_segment *s, int64_t time_us, bool *more)
{
    struct flow *w = find(f, s);
    cl_result r = CL_OK;
    const uint32_t seq = s->syn ? s->seq + 1 : s->seq;
    f->counts->segments += s->data.len > 0 ? 1 : 0;
    if (s->syn) {
        r = take_syn(f, w, s);
        w = find(f, s);
    }
    if (r == CL_OK && s->data.len > 0) {
        r = w != NULL && w->active ? take_active(f, w, s, seq, time_us)
                                   : take_middle(f, w, s, seq, time_us);
        w = find(f, s);
    }
    if (s->ends && w != NULL && (!w->active || STAILQ_EMPTY(&w->pending))) {
        drop(f, w);
    }
    *more = f->more;
    return r;
}
