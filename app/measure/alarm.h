/* measure/alarm.h - a timer for the microsecond: the loop's own are for the millisecond, and a line
 * adds up what each segment waits too long.
 */
#ifndef CL_MEASURE_ALARM_H
#define CL_MEASURE_ALARM_H

#include <uv.h>

#include "base/result.h"

struct cl_alarm;

/* cl_alarm_new makes an alarm that is not set. NOMEM, SYSTEM. */
CL_MUST cl_result cl_alarm_new(uv_loop_t *loop, void (*fire)(void *ctx), void *ctx,
                               struct cl_alarm **out);

/* cl_alarm_at lets it fire once, at a time of cl_clock_mono_us(), or soon when that is over. */
void cl_alarm_at(struct cl_alarm *alarm, uint64_t at_us);

/* cl_alarm_free: no call comes any more; its memory goes in a later turn. NULL is fine. */
void cl_alarm_free(struct cl_alarm *alarm);

#endif
