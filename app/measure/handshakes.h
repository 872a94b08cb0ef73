/* measure/handshakes.h - whole handshakes in memory: our server and our client, the jobs of each
 * side run as a batch in every turn, as `cleat serve` does it.
 */
#ifndef CL_MEASURE_HANDSHAKES_H
#define CL_MEASURE_HANDSHAKES_H

#include <stddef.h>

#include "measure/meter.h"
#include "measure/world.h"

/* 64: connections in flight at most */
#define CL_HANDSHAKES_MAX 64

struct cl_handshake_kind {
    const char *id;
    const char *name;
    const char *groups; /* NULL: X25519 */
    bool tls12;
    bool rsa;     /* the server's key is RSA-2048, else ECDSA P-256 */
    bool resumed; /* by a ticket */
    bool mutual;  /* the client proves an ECDSA P-256 certificate */
};

/* cl_handshake_kind_at returns the i-th kind that this build can do; NULL past the end. */
const struct cl_handshake_kind *cl_handshake_kind_at(size_t i);

/* Of one side, for one handshake: microseconds of CPU, and how many of them went into jobs: into
 * asymmetric cryptography in the kernels that are in use. 0: not measured. */
struct cl_handshake_side {
    double us;
    double jobs_us;
};

struct cl_handshake_figures {
    struct cl_handshake_side server;
    struct cl_handshake_side client;
};

/* cl_handshakes_measure runs handshakes of a kind, in_flight (1 to CL_HANDSHAKES_MAX) at a time, as
 * long as the plan says; for each side the best pass counts. Making and freeing a connection is
 * part of it, and so are tickets and the verification of certificates. When a handshake fails, its
 * error is in *err. NOMEM, CRYPTO. */
CL_MUST cl_result cl_handshakes_measure(const struct cl_handshake_kind *kind,
                                        const struct cl_bench_world *world, size_t in_flight,
                                        const struct cl_measure_plan *plan,
                                        struct cl_handshake_figures *out, struct cleat_error *err);

#endif
