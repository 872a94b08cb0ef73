/* measure/relay.h - a relay on 127.0.0.1 that makes a line long: what arrives is passed on after a
 * delay, in either direction, as often as it arrives. The bandwidth is not limited.
 */
#ifndef CL_MEASURE_RELAY_H
#define CL_MEASURE_RELAY_H

#include <uv.h>

#include "base/result.h"
#include "dns/addr.h"

struct cl_relay;

/* cl_relay_new listens on a port that the kernel chooses and connects to `target` for each that
 * comes. delay_us: how long each segment takes, one way. NOMEM, SYSTEM. */
CL_MUST cl_result cl_relay_new(uv_loop_t *loop, const struct cl_addr *target, uint64_t delay_us,
                               struct cl_relay **out);

/* cl_relay_addr returns where it listens. */
struct cl_addr cl_relay_addr(const struct cl_relay *relay);

/* cl_relay_delay sets the delay of what arrives from now on. */
void cl_relay_delay(struct cl_relay *relay, uint64_t delay_us);

/* cl_relay_free ends all its connections at once; their memory goes in later turns. NULL is fine.
 */
void cl_relay_free(struct cl_relay *relay);

#endif
