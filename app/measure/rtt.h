/* measure/rtt.h - what each kind of handshake costs in round trips: a client, a long line and a
 * server with a little HTTP, all of them ours, in this process on loopback.
 */
#ifndef CL_MEASURE_RTT_H
#define CL_MEASURE_RTT_H

#include <signal.h>

#include "measure/world.h"

struct cl_rtt_kind {
    const char *id;
    const char *name;
    bool tls12;
    bool resumed;
    bool retry;       /* the server wants another group: HelloRetryRequest (RFC 9846 4.2.4) */
    bool early;       /* the request is early data (0-RTT) */
    bool false_start; /* RFC 7918 */
    /* Round trips from the beginning of the TCP connection, its own one included, until the request
     * has gone out or may go out, and until the response begins. */
    unsigned ready;
    unsigned first_byte;
};

/* cl_rtt_kind_at returns the i-th kind; NULL past the end. */
const struct cl_rtt_kind *cl_rtt_kind_at(size_t i);

/* Microseconds from the beginning of the TCP connection until the client's handshake is ready, and
 * until the first byte of the response is there. */
struct cl_rtt_times {
    uint64_t ready_us;
    uint64_t first_byte_us;
};

struct cl_rtt;

/* cl_rtt_new starts server and relay. The world outlives it. NOMEM, SYSTEM. cl_rtt_free: NULL is
 * fine. */
CL_MUST cl_result cl_rtt_new(const struct cl_bench_world *world, struct cl_rtt **out);
void cl_rtt_free(struct cl_rtt *rtt);

/* cl_rtt_measure makes one connection of a kind over a line with this round-trip time; a session
 * for it is fetched before over a line without delay. TCP's own round trip, which no relay can
 * delay, is waited for. *stop not 0 ends it (REFUSED). A handshake that fails, or is not of the
 * kind that was asked for, is told in *err. */
CL_MUST cl_result cl_rtt_measure(struct cl_rtt *rtt, const struct cl_rtt_kind *kind,
                                 unsigned delay_ms, const volatile sig_atomic_t *stop,
                                 struct cl_rtt_times *out, struct cleat_error *err);

#endif
