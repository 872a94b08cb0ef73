/* cli/get_pool.c - see get_pool.h. */
#include "cli/get_pool.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/get_codes.h"
#include "cli/get_h2.h"
#include "net/timer.h"

/* 100 ms: how long our close_notify waits for the peer's after a complete response; more would be
 * felt, and nothing of value can come */
#define CLOSE_MS 100

void get_pool_init(struct get_pool *p, struct client *client, struct get_sessions *sessions)
{
    p->client = client;
    p->sessions = sessions;
    TAILQ_INIT(&p->conns);
    TAILQ_INIT(&p->origins);
}

static struct get_origin *origin_of(struct get_pool *p, const struct client_target *target)
{
    struct get_origin *o;
    TAILQ_FOREACH(o, &p->origins, link)
    {
        if (o->port == target->port && strcmp(o->host, target->host) == 0) {
            return o;
        }
    }
    o = cl_calloc(1, sizeof(*o));
    if (o != NULL) {
        (void)snprintf(o->host, sizeof(o->host), "%s", target->host);
        o->port = target->port;
        TAILQ_INSERT_TAIL(&p->origins, o, link);
    }
    return o;
}

/* A connection on which the configuration of --ech was offered is good for everybody; without it,
 * only for those that do not want it. */
static bool suits(const struct get_conn *c, const struct get_origin *o,
                  const struct client_wish *wish)
{
    return c->origin == o && !c->is_last && (c->ech_offered || !wish->ech_offered);
}

static struct get_conn *find(struct get_pool *p, const struct get_origin *o,
                             const struct client_wish *wish)
{
    struct get_conn *c;
    TAILQ_FOREACH(c, &p->conns, link)
    {
        if (suits(c, o, wish) && c->stream != NULL && c->protocol->has_room(c)) {
            return c;
        }
    }
    return NULL;
}

/* One that is being made, and may have room for several when it is there. */
static struct get_conn *find_coming(struct get_pool *p, const struct get_origin *o,
                                    const struct client_wish *wish)
{
    struct get_conn *c;
    TAILQ_FOREACH(c, &p->conns, link)
    {
        if (suits(c, o, wish) && c->stream == NULL && !o->one_at_a_time) {
            return c;
        }
    }
    return NULL;
}

/* One that is there, takes several at a time, and as many as it takes. */
static bool is_full(struct get_pool *p, const struct get_origin *o, const struct client_wish *wish)
{
    const struct get_conn *c;
    TAILQ_FOREACH(c, &p->conns, link)
    {
        if (suits(c, o, wish) && c->stream != NULL && c->protocol == &get_h2) {
            return true;
        }
    }
    return false;
}

/* What a chain lacks is fetched for one connection at a time. In a capture, one connection comes to
 * its end before the next begins, where that can be: a packet is dated when its call began. */
static bool must_wait(const struct get_pool *p)
{
    const bool one_dial = client_evidence_wanted(p->client->options, &p->client->revocation);
    const bool in_order = p->client->pcap.capture != NULL;
    const struct get_conn *c;
    TAILQ_FOREACH(c, &p->conns, link)
    {
        if ((one_dial && c->stream == NULL) || (in_order && c->is_closing)) {
            return true;
        }
    }
    return false;
}

static int make(struct get_pool *p, struct get_origin *o, struct get_exchange *x,
                const struct client_wish *wish, struct cleat_error *err)
{
    struct get_conn *c = cl_calloc(1, sizeof(*c));
    if (c == NULL) {
        return GET_EXIT_NO_MEMORY;
    }
    c->pool = p;
    c->id = p->num_made++;
    c->origin = o;
    c->ech_offered = wish->ech_offered;
    c->maker = x;
    c->facts.verify_result = 1;
    TAILQ_INIT(&c->exchanges);
    TAILQ_INSERT_TAIL(&p->conns, c, link);
    get_conn_attach(c, x);
    const int code = get_conn_dial(c, wish, err);
    if (code != 0) {
        get_exchange_leave(x);
        get_conn_free(c);
    }
    return code;
}

int get_pool_place(struct get_pool *p, struct get_exchange *x, const struct client_wish *wish,
                   struct cleat_error *err)
{
    struct get_origin *o = origin_of(p, wish->target);
    if (o == NULL) {
        (void)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
        return GET_EXIT_NO_MEMORY;
    }
    if (find(p, o, wish) != NULL) { /* whether the server has closed it meanwhile */
        (void)uv_run(&p->client->loop, UV_RUN_NOWAIT);
    }
    struct get_conn *c = find(p, o, wish);
    if (c != NULL && c->num_served > 0) {
        cl_trace_note(p->client->trace, "http", "the connection to %s:%u is used again", o->host,
                      (unsigned)o->port);
    }
    c = c != NULL ? c : find_coming(p, o, wish);
    if (c != NULL) {
        get_conn_attach(c, x);
        return 0;
    }
    return is_full(p, o, wish) || must_wait(p) ? GET_POOL_LATER : make(p, o, x, wish, err);
}

/* ---- the end ---- */

static void on_close_time(void *ctx)
{
    struct get_pool *p = ctx;
    struct get_conn *c;
    TAILQ_FOREACH(c, &p->conns, link)
    {
        get_conn_abort(c);
    }
}

static void close_all(struct get_pool *p)
{
    struct get_conn *c, *next;
    for (c = TAILQ_FIRST(&p->conns); c != NULL; c = next) {
        next = TAILQ_NEXT(c, link);
        c->is_last = true;
        get_conn_settle(c);
    }
}

void get_pool_close(struct get_pool *p)
{
    struct cl_timer *timer = NULL;
    struct get_origin *o;
    if (p->client == NULL) {
        return;
    }
    close_all(p);
    if (!TAILQ_EMPTY(&p->conns)) {
        if (cl_timer_new(&p->client->loop, on_close_time, p, &timer) == CL_OK) {
            uv_update_time(&p->client->loop);
            cl_timer_set(timer, CLOSE_MS);
        } else {
            on_close_time(p);
        }
    }
    while (!TAILQ_EMPTY(&p->conns) && uv_run(&p->client->loop, UV_RUN_ONCE) != 0) {
    }
    cl_timer_free(timer);
    while ((o = TAILQ_FIRST(&p->origins)) != NULL) {
        TAILQ_REMOVE(&p->origins, o, link);
        cl_free(o);
    }
}
