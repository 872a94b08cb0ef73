/* measure/relay.c - see relay.h. A link is a client's connection and ours to the target; each of
 * its two directions has a queue of segments with the time at which they are due.
 */
#include "measure/relay.h"

#include <string.h>
#include <sys/queue.h>

#include "base/mem.h"
#include "measure/alarm.h"
#include "net/clock.h"
#include "net/listener.h"

/* 16 KiB: more than a handshake's flight, so that a flight is one segment */
#define SEGMENT_CAP 16384

struct segment {
    STAILQ_ENTRY(segment) link;
    uint64_t due; /* cl_clock_mono_us() */
    size_t len;   /* 0: the end (FIN) */
    uint8_t bytes[];
};
STAILQ_HEAD(segments, segment);

struct link;

struct direction {
    struct link *link;
    struct cl_tcp *to; /* the link's */
    struct cl_alarm *alarm;
    struct segments queue;
    bool sending; /* the first of the queue is under way */
    uint8_t room[SEGMENT_CAP];
};

struct link {
    TAILQ_ENTRY(link) link;
    struct cl_relay *relay;
    struct cl_tcp *client;
    struct cl_tcp *target;
    struct direction up;   /* from the client */
    struct direction down; /* to the client */
    unsigned num_ended;    /* directions that are over */
};

struct cl_relay {
    uv_loop_t *loop;
    struct cl_listener *listener;
    struct cl_addr addr;
    struct cl_addr target;
    uint64_t delay_us;
    TAILQ_HEAD(, link) links;
};

/* ---- the end of a link ---- */

static void deinit_direction(struct direction *d)
{
    struct segment *s;
    while ((s = STAILQ_FIRST(&d->queue)) != NULL) {
        STAILQ_REMOVE_HEAD(&d->queue, link);
        cl_free(s);
    }
    cl_alarm_free(d->alarm);
}

static void free_link(struct link *l)
{
    TAILQ_REMOVE(&l->relay->links, l, link);
    cl_tcp_free(l->client);
    cl_tcp_free(l->target);
    deinit_direction(&l->up);
    deinit_direction(&l->down);
    cl_free(l);
}

/* ---- passing on ---- */

/* Sends what is due. May free the link. */
static void pass_on(struct direction *d)
{
    struct segment *s;
    while (!d->sending && (s = STAILQ_FIRST(&d->queue)) != NULL) {
        if (s->due > cl_clock_mono_us()) {
            cl_alarm_at(d->alarm, s->due);
            return;
        }
        if (s->len == 0) {
            cl_tcp_finish(d->to);
            STAILQ_REMOVE_HEAD(&d->queue, link);
            cl_free(s);
            if (++d->link->num_ended == 2) {
                free_link(d->link);
                return;
            }
            continue;
        }
        ssize_t n = cl_tcp_send(d->to, s->bytes, s->len);
        if (n < 0) {
            free_link(d->link);
            return;
        }
        if ((size_t)n < s->len) {
            d->sending = true; /* on_sent takes it out of the queue */
            return;
        }
        STAILQ_REMOVE_HEAD(&d->queue, link);
        cl_free(s);
    }
}

static void on_due(void *ctx)
{
    pass_on(ctx);
}

/* Appends a segment; len 0: the end. May free the link. */
static void enqueue(struct direction *d, const uint8_t *p, size_t len)
{
    struct segment *s = cl_alloc(sizeof(*s) + len);
    if (s == NULL) {
        free_link(d->link);
        return;
    }
    s->due = cl_clock_mono_us() + d->link->relay->delay_us;
    s->len = len;
    memcpy(s->bytes, p, len);
    const bool idle = STAILQ_EMPTY(&d->queue);
    STAILQ_INSERT_TAIL(&d->queue, s, link);
    if (idle) {
        pass_on(d);
    }
}

/* ---- the sockets: `up` is told of the client's, `down` of the target's ---- */

static uint8_t *on_room(void *ctx, size_t *len)
{
    struct direction *d = ctx;
    *len = sizeof(d->room);
    return d->room;
}

static void on_received(void *ctx, size_t len)
{
    struct direction *d = ctx;
    if (len != 0) {
        enqueue(d, d->room, len);
    }
}

static void on_ended(void *ctx, int status)
{
    struct direction *d = ctx;
    if (status != 0) {
        free_link(d->link);
    } else {
        enqueue(d, d->room, 0);
    }
}

/* The socket of `ctx` has sent: what it sends belongs to the other direction. */
static void on_sent(void *ctx, int status)
{
    const struct direction *told = ctx;
    struct link *l = told->link;
    struct direction *d = told == &l->up ? &l->down : &l->up;
    struct segment *s = STAILQ_FIRST(&d->queue);
    if (status != 0 || s == NULL) {
        free_link(l);
        return;
    }
    STAILQ_REMOVE_HEAD(&d->queue, link);
    cl_free(s);
    d->sending = false;
    pass_on(d);
}

static const struct cl_tcp_handler handler = {
    .room = on_room, .received = on_received, .ended = on_ended, .sent = on_sent};

static void on_connected(void *ctx, int status)
{
    struct link *l = ctx;
    if (status != 0) {
        free_link(l);
        return;
    }
    cl_tcp_attach(l->target, &handler, &l->down);
    cl_tcp_attach(l->client, &handler, &l->up);
    cl_tcp_read(l->target, true);
    cl_tcp_read(l->client, true);
}

static cl_result init_direction(struct direction *d, struct link *l, struct cl_tcp *to)
{
    d->link = l;
    d->to = to;
    return cl_alarm_new(l->relay->loop, on_due, d, &d->alarm);
}

static void on_incoming(void *ctx, struct cl_tcp *client)
{
    struct cl_relay *relay = ctx;
    struct link *l = cl_calloc(1, sizeof(*l));
    if (l == NULL) {
        cl_tcp_free(client);
        return;
    }
    l->relay = relay;
    l->client = client;
    STAILQ_INIT(&l->up.queue);
    STAILQ_INIT(&l->down.queue);
    TAILQ_INSERT_TAIL(&relay->links, l, link);
    if (cl_tcp_new(relay->loop, &l->target) != CL_OK ||
        init_direction(&l->up, l, l->target) != CL_OK ||
        init_direction(&l->down, l, l->client) != CL_OK ||
        cl_tcp_connect(l->target, &relay->target.sa, on_connected, l) != 0) {
        free_link(l);
    }
}

static void on_error(void *ctx, int status)
{
    /* the client that is waited for says that it did not get through */
}

/* ---- the relay ---- */

cl_result cl_relay_new(uv_loop_t *loop, const struct cl_addr *target, uint64_t delay_us,
                       struct cl_relay **out)
{
    static const struct cl_listener_handler listening = {.incoming = on_incoming,
                                                         .error = on_error};
    struct sockaddr_storage addr = {0};
    struct cl_relay *relay = cl_calloc(1, sizeof(*relay));
    if (relay == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    TAILQ_INIT(&relay->links);
    relay->loop = loop;
    relay->target = *target;
    relay->delay_us = delay_us;
    if (!cl_addr_parse("127.0.0.1", 0, &relay->addr)) {
        cl_free(relay);
        return CLEAT_ERR_SYSTEM;
    }
    memcpy(&addr, &relay->addr, sizeof(relay->addr));
    int fd = cl_listener_bind(&addr, true);
    if (fd < 0 || cl_listener_new(loop, fd, &listening, relay, &relay->listener) != 0) {
        cl_free(relay);
        return CLEAT_ERR_SYSTEM;
    }
    memcpy(&relay->addr, &addr, sizeof(relay->addr));
    *out = relay;
    return CL_OK;
}

struct cl_addr cl_relay_addr(const struct cl_relay *relay)
{
    return relay->addr;
}

void cl_relay_delay(struct cl_relay *relay, uint64_t delay_us)
{
    relay->delay_us = delay_us;
}

void cl_relay_free(struct cl_relay *relay)
{
    struct link *l;
    if (relay == NULL) {
        return;
    }
    while ((l = TAILQ_FIRST(&relay->links)) != NULL) {
        free_link(l);
    }
    cl_listener_free(relay->listener);
    cl_free(relay);
}
