/* crypto/batch_impl.h - between batch.c and the families: how up to eight jobs of a kind are run.
 */
#ifndef CL_CRYPTO_BATCH_IMPL_H
#define CL_CRYPTO_BATCH_IMPL_H

#include "crypto/job.h"
#include "crypto/key_impl.h"
#include "crypto/mb.h"
#include "crypto/pool.h"

/* The jobs in a queue go through the same kernels. */
enum cl_queue {
    CL_QUEUE_X25519, /* in the order of enum cl_pool_kind: KEYGEN, ENCAP and DECAP */
    CL_QUEUE_P256,
    CL_QUEUE_P384,
    CL_QUEUE_SIGN_P256,
    CL_QUEUE_SIGN_P384,
    CL_QUEUE_SIGN_RSA_2048,
    CL_QUEUE_SIGN_RSA_3072,
    CL_QUEUE_SIGN_RSA_4096,
    CL_QUEUE_VERIFY_P256,
    CL_QUEUE_VERIFY_P384,
    CL_QUEUE_VERIFY_RSA_2048,
    CL_QUEUE_VERIFY_RSA_3072,
    CL_QUEUE_VERIFY_RSA_4096,
    CL_QUEUE_SINGLE, /* everything else */
    CL_QUEUE_COUNT,
};

/* What a family works with: num jobs (1 to CL_LANES) of one queue. It completes each of them,
 * through cl_job_run when the lanes do not pay or a lane is not well. */
struct cl_lanes {
    const struct cl_mb *mb;
    struct cl_key_pool *pool;
    enum cl_queue queue;
    unsigned min;     /* as many jobs must there be for the kernel to win */
    uint8_t *scratch; /* RSA */
    struct cl_job **jobs;
    size_t num;
};

void cl_lanes_kex(const struct cl_lanes *l);
void cl_lanes_sign_ecdsa(const struct cl_lanes *l);
void cl_lanes_verify_ecdsa(const struct cl_lanes *l);
void cl_lanes_sign_rsa(const struct cl_lanes *l);
void cl_lanes_verify_rsa(const struct cl_lanes *l);

/* cl_lanes_rsa_scratch returns how many bytes of scratch the RSA kernels need for a queue. */
size_t cl_lanes_rsa_scratch(const struct cl_mb *mb, enum cl_queue queue);

/* cl_lanes_curve returns the kernels of a queue's curve; NULL: X25519. */
const struct cl_mb_curve *cl_lanes_curve(const struct cl_mb *mb, enum cl_queue queue);

#endif
