/* net/timer.h - a timer that can be set, moved and freed at any time. One loop, one thread. */
#ifndef CL_NET_TIMER_H
#define CL_NET_TIMER_H

#include <stdbool.h>
#include <uv.h>

#include "base/result.h"

struct cl_timer;

/* cl_timer_new makes a timer that is not running. NOMEM. */
CL_MUST cl_result cl_timer_new(uv_loop_t *loop, void (*fire)(void *ctx), void *ctx,
                               struct cl_timer **out);

/* cl_timer_set lets it fire once, ms milliseconds from now (the loop's now); replaces what was set.
 * Moving it later is only a store: busy connections do it at every turn. */
void cl_timer_set(struct cl_timer *timer, uint64_t ms);
void cl_timer_stop(struct cl_timer *timer);
bool cl_timer_is_set(const struct cl_timer *timer);

/* cl_timer_free stops it for good; its memory goes in a later turn. NULL is fine. */
void cl_timer_free(struct cl_timer *timer);

#endif
