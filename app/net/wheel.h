/* net/wheel.h - one timer for many deadlines that need no precision: a wheel of slots, half a
 * second each. Setting, moving and stopping an entry costs a few stores; moving it later only one.
 * One loop, one thread.
 */
#ifndef CL_NET_WHEEL_H
#define CL_NET_WHEEL_H

#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#include "base/result.h"

/* Lies in whatever has the deadline. {0} is not set. */
struct cl_wheel_entry {
    LIST_ENTRY(cl_wheel_entry) link;
    uint64_t due; /* in the loop's milliseconds; 0: not set */
    uint64_t at;  /* when its slot is looked at; 0: it is in none */
};

struct cl_wheel;

/* cl_wheel_new makes a wheel; fire is called with the entry, which is not set any more, never
 * before its time and up to a second after it. NOMEM. */
CL_MUST cl_result cl_wheel_new(uv_loop_t *loop, void (*fire)(struct cl_wheel_entry *entry),
                               struct cl_wheel **out);

/* cl_wheel_set lets an entry fire in ms milliseconds; replaces what was set. An entry has to be
 * stopped before its memory goes. */
void cl_wheel_set(struct cl_wheel *wheel, struct cl_wheel_entry *entry, uint64_t ms);
void cl_wheel_stop(struct cl_wheel *wheel, struct cl_wheel_entry *entry);

/* cl_wheel_free: no entry may be set any more; its memory goes in a later turn. NULL is fine. */
void cl_wheel_free(struct cl_wheel *wheel);

#endif
