/* measure/world.h - a CA and what it signs, made anew for each run and kept in memory alone. */
#ifndef CL_MEASURE_WORLD_H
#define CL_MEASURE_WORLD_H

#include "base/result.h"
#include "cleat/tls.h"

/* What a server, or a client, proves itself with. */
struct cl_identity {
    struct cleat_chain *chain; /* the leaf alone */
    struct cleat_key *key;
};

/* One P-256 CA signs all leaves. {0} is safe to deinit. */
struct cl_bench_world {
    struct cleat_key *ca_key;
    struct cleat_chain *ca;
    struct cleat_trust_store *trust; /* the CA */
    struct cl_identity ecdsa;        /* P-256, for CL_WORLD_NAME */
    struct cl_identity rsa;          /* 2,048 bits, likewise */
    struct cl_identity client;       /* P-256 */
};

#define CL_WORLD_NAME "localhost"

/* cl_bench_world_init makes all of it. NOMEM, CRYPTO, …; err says more. Deinit in either case. */
CL_MUST cl_result cl_bench_world_init(struct cl_bench_world *world, struct cleat_error *err);
void cl_bench_world_deinit(struct cl_bench_world *world);

#endif
