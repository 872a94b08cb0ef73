/* conn/hub.c - a thread's streams: the turn after each poll. See stream.h.
 *
 * A turn: all jobs that were collected are run, their streams go on (and may ask for more), then
 * every queued stream does its part and writes. The idle handle keeps the loop from sleeping while
 * something is queued; without work it is stopped.
 */
#include "base/mem.h"
#include "cleat/batch.h"
#include "conn/stream_impl.h"

/* 4: how often a turn goes round for streams that queue themselves again (a large file to a fast
 * reader) before new connections and timers get their chance */
#define TURN_ROUNDS 4

/* 10,000 ms: what a batch makes ahead is not used any longer than that (cleat/batch.h) */
#define REST_MS 10000

TAILQ_HEAD(stream_list, cl_stream);

struct cl_hub {
    uv_loop_t *loop;
    uv_check_t check;
    uv_idle_t idle;
    struct cl_pool pool;
    struct cleat_batch *batch;
    struct cl_hub_counts *counts;
    struct cl_hub_counts own; /* what nobody else reads */
    uv_timer_t rest; /* when no handshake has come for a while, what was made ahead is wiped */
    struct stream_list turn;
    struct stream_list jobs;
    int num_open; /* handles that libuv has not let go of */
};

static void on_idle(uv_idle_t *idle)
{
}

static void on_rest(uv_timer_t *timer)
{
    struct cl_hub *hub = timer->data;
    cleat_batch_rest(hub->batch);
}

static void count_batch(struct cl_hub_counts *counts, size_t num_jobs)
{
    cl_count_add(&counts->jobs, num_jobs);
    cl_count_add(&counts->batches[num_jobs < CL_HUB_LANES ? num_jobs - 1 : CL_HUB_LANES - 1], 1);
}

/* All jobs of this moment, as one batch. */
static void run_jobs(struct cl_hub *hub)
{
    while (!TAILQ_EMPTY(&hub->jobs)) {
        struct stream_list ready = TAILQ_HEAD_INITIALIZER(ready);
        TAILQ_CONCAT(&ready, &hub->jobs, job_link);
        struct cl_stream *s;
        size_t num_jobs = 0;
        TAILQ_FOREACH(s, &ready, job_link)
        {
            cleat_batch_add(hub->batch, cleat_tls_job(s->tls));
            num_jobs++;
        }
        count_batch(hub->counts, num_jobs);
        cleat_batch_run(hub->batch, uv_now(hub->loop));
        uv_timer_start(&hub->rest, on_rest, REST_MS, 0);
        while ((s = TAILQ_FIRST(&ready)) != NULL) {
            TAILQ_REMOVE(&ready, s, job_link);
            s->has_job = false;
            s->step = true;
            cl_stream_drive(s);
        }
    }
}

static void on_check(uv_check_t *check)
{
    struct cl_hub *hub = check->data;
    for (int round = 0; round < TURN_ROUNDS; round++) {
        run_jobs(hub);
        struct cl_stream *last = TAILQ_LAST(&hub->turn, stream_list);
        struct cl_stream *s = NULL;
        while (s != last) {
            s = TAILQ_FIRST(&hub->turn);
            TAILQ_REMOVE(&hub->turn, s, turn_link);
            s->queued = false;
            cl_stream_turn(s); /* may free s, which is compared only from here on */
        }
    }
    run_jobs(hub);
    if (TAILQ_EMPTY(&hub->turn)) {
        uv_idle_stop(&hub->idle);
    }
}

cl_result cl_hub_new(uv_loop_t *loop, struct cl_hub **out)
{
    struct cl_hub *hub = cl_calloc(1, sizeof(*hub));
    if (hub == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    if (cleat_batch_new(&hub->batch) != CLEAT_OK) {
        cl_free(hub);
        return CLEAT_ERR_NOMEM;
    }
    hub->loop = loop;
    hub->counts = &hub->own;
    TAILQ_INIT(&hub->turn);
    TAILQ_INIT(&hub->jobs);
    uv_check_init(loop, &hub->check);
    uv_idle_init(loop, &hub->idle);
    uv_timer_init(loop, &hub->rest);
    hub->num_open = 3;
    hub->check.data = hub;
    hub->idle.data = hub;
    hub->rest.data = hub;
    uv_check_start(&hub->check, on_check);
    uv_unref((uv_handle_t *)&hub->check);
    uv_unref((uv_handle_t *)&hub->rest);
    *out = hub;
    return CL_OK;
}

static void on_closed(uv_handle_t *handle)
{
    struct cl_hub *hub = handle->data;
    hub->num_open--;
    if (hub->num_open == 0) {
        cleat_batch_free(hub->batch);
        cl_pool_deinit(&hub->pool);
        cl_free(hub);
    }
}

void cl_hub_free(struct cl_hub *hub)
{
    if (hub == NULL) {
        return;
    }
    uv_close((uv_handle_t *)&hub->check, on_closed);
    uv_close((uv_handle_t *)&hub->idle, on_closed);
    uv_close((uv_handle_t *)&hub->rest, on_closed);
}

struct cl_pool *cl_hub_pool(struct cl_hub *hub)
{
    return &hub->pool;
}

void cl_hub_count(struct cl_hub *hub, struct cl_hub_counts *counts)
{
    hub->counts = counts;
}

struct cl_hub_counts *cl_hub_counts(struct cl_hub *hub)
{
    return hub->counts;
}

uv_loop_t *cl_hub_loop(struct cl_hub *hub)
{
    return hub->loop;
}

void cl_hub_queue(struct cl_stream *s)
{
    if (s->queued) {
        return;
    }
    s->queued = true;
    TAILQ_INSERT_TAIL(&s->hub->turn, s, turn_link);
    uv_idle_start(&s->hub->idle, on_idle);
}

void cl_hub_add_job(struct cl_stream *s)
{
    if (s->has_job) {
        return;
    }
    s->has_job = true;
    TAILQ_INSERT_TAIL(&s->hub->jobs, s, job_link);
    uv_idle_start(&s->hub->idle, on_idle);
}

void cl_hub_forget(struct cl_stream *s)
{
    if (s->queued) {
        s->queued = false;
        TAILQ_REMOVE(&s->hub->turn, s, turn_link);
    }
    if (s->has_job) {
        s->has_job = false;
        TAILQ_REMOVE(&s->hub->jobs, s, job_link);
    }
}
