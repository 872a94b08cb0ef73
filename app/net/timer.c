/* net/timer.c - see timer.h. The libuv timer fires no later than the deadline; when the deadline
 * has been moved meanwhile it is set again, so that moving costs no heap operation. */
#include "net/timer.h"

#include "base/mem.h"

struct cl_timer {
    uv_timer_t uv;
    void (*fire)(void *ctx);
    void *ctx;
    uint64_t deadline; /* in the loop's time; 0: not set */
    uint64_t armed;    /* when the libuv timer fires; 0: it does not */
    bool freed;
};

cl_result cl_timer_new(uv_loop_t *loop, void (*fire)(void *ctx), void *ctx, struct cl_timer **out)
{
    struct cl_timer *timer = cl_calloc(1, sizeof(*timer));
    if (timer == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    uv_timer_init(loop, &timer->uv);
    timer->uv.data = timer;
    timer->fire = fire;
    timer->ctx = ctx;
    *out = timer;
    return CL_OK;
}

static void arm(struct cl_timer *timer);

static void on_timer(uv_timer_t *uv)
{
    struct cl_timer *timer = uv->data;
    timer->armed = 0;
    if (timer->deadline == 0) {
        return;
    }
    if (timer->deadline > uv_now(uv->loop)) {
        arm(timer);
        return;
    }
    timer->deadline = 0;
    timer->fire(timer->ctx);
}

static void arm(struct cl_timer *timer)
{
    uint64_t now = uv_now(timer->uv.loop);
    uint64_t wait = timer->deadline > now ? timer->deadline - now : 0;
    timer->armed = now + wait;
    uv_timer_start(&timer->uv, on_timer, wait, 0);
}

void cl_timer_set(struct cl_timer *timer, uint64_t ms)
{
    if (timer->freed) {
        return;
    }
    timer->deadline = uv_now(timer->uv.loop) + ms;
    timer->deadline += timer->deadline == 0;
    if (timer->armed == 0 || timer->armed > timer->deadline) {
        arm(timer);
    }
}

void cl_timer_stop(struct cl_timer *timer)
{
    timer->deadline = 0;
}

bool cl_timer_is_set(const struct cl_timer *timer)
{
    return timer->deadline != 0;
}

static void on_closed(uv_handle_t *handle)
{
    cl_free(handle->data);
}

void cl_timer_free(struct cl_timer *timer)
{
    if (timer == NULL || timer->freed) {
        return;
    }
    timer->freed = true;
    timer->deadline = 0;
    uv_close((uv_handle_t *)&timer->uv, on_closed);
}
