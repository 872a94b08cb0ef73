/* measure/primitives.h - how fast this machine computes what TLS is made of, each for itself.
 *
 * A primitive is a row of a list: key exchange and signatures are jobs, which run one by one or
 * through batches (cleat/batch.h); ciphers and hashes run where they are called.
 */
#ifndef CL_MEASURE_PRIMITIVES_H
#define CL_MEASURE_PRIMITIVES_H

#include <stddef.h>

#include "base/result.h"
#include "measure/meter.h"

enum cl_primitive_family {
    CL_FAMILY_KEX,
    CL_FAMILY_KEM,
    CL_FAMILY_SIGNATURE,
    CL_FAMILY_AEAD,
    CL_FAMILY_HASH,
};

/* How jobs are run: one by one without a batch, or so many in a batch. */
enum cl_primitive_way {
    CL_WAY_ALONE, /* all that ciphers and hashes have */
    CL_WAY_BATCH_1,
    CL_WAY_BATCH_8,
    CL_WAY_BATCH_64,
    CL_WAY_COUNT,
};

/* cl_primitive_batch returns how many jobs a way puts into a batch; 0: none, they run alone. */
size_t cl_primitive_batch(enum cl_primitive_way way);

struct cl_primitive_ops;

struct cl_primitive {
    enum cl_primitive_family family;
    char id[48];   /* "x25519-keygen", "aes-128-gcm-seal-1400" */
    char name[48]; /* "X25519 key generation" */
    size_t bytes;  /* that an operation works on; 0: it is not about bytes */
    bool jobs;     /* measured in every way; else CL_WAY_ALONE only */
    const struct cl_primitive_ops *ops;
    /* For the ops. */
    int kind;
    unsigned bits;
    const void *what;
};

/* cl_primitives_list fills in what this build has, at most cap rows, and returns how many. */
#define CL_PRIMITIVES_MAX 128
size_t cl_primitives_list(struct cl_primitive *out, size_t cap);

/* What measuring needs: a batch, and keys that are costly to make. One thread. */
struct cl_bench_kit;
CL_MUST cl_result cl_bench_kit_new(struct cl_bench_kit **out);
void cl_bench_kit_free(struct cl_bench_kit *kit);

/* cl_primitive_measure sets out_us[way] to the microseconds of one operation; 0 where the primitive
 * has no such way, or the plan was stopped before. Returns what made an operation fail. */
CL_MUST cl_result cl_primitive_measure(struct cl_bench_kit *kit, const struct cl_primitive *p,
                                       const struct cl_measure_plan *plan,
                                       double out_us[CL_WAY_COUNT]);

#endif
