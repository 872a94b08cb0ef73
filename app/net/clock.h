/* net/clock.h - the two clocks. */
#ifndef CL_NET_CLOCK_H
#define CL_NET_CLOCK_H

#include <stdint.h>

/* cl_clock_unix_ms returns milliseconds since 1970, UTC; it jumps when the clock is set. */
uint64_t cl_clock_unix_ms(void);

/* cl_clock_unix_ns returns the same in nanoseconds. */
uint64_t cl_clock_unix_ns(void);

/* cl_clock_mono_us returns microseconds of a clock that never jumps; for durations. */
uint64_t cl_clock_mono_us(void);

/* cl_clock_ns returns nanoseconds of the same clock, in the shape that the library's stopwatches
 * take. */
uint64_t cl_clock_ns(void *ctx);

/* cl_clock_for_tls is cl_clock_unix_ms in the shape that cleat_tls_builder_clock takes. */
uint64_t cl_clock_for_tls(void *ctx);

#endif
