/* cleat/batch.h - the jobs of many connections at once.
 *
 * When cleat_tls_step() returns CLEAT_TLS_NEEDS_JOB, the job may be run alone (cleat_job_run), or
 * put into a batch with the jobs of other connections and run with them: operations of one kind
 * then share the processor's vector units, eight at a time, where Intel's crypto_mb is installed
 * and the processor has AVX-512 IFMA. Without them, and for kinds that have no such kernels, a
 * batch runs its jobs one by one, with the same results.
 *
 * A loop: feed every connection that has input, add the jobs, run, step those connections again.
 * Nobody waits for a batch to fill. A batch also makes ahead, eight at a time, what does not depend
 * on the peer (ephemeral keys, the first half of ECDSA signatures), so that a lone handshake pays
 * for its key agreement alone. Each is used once and wiped; none is older than ten seconds when it
 * is used, none is in a core dump, and a forked child has none. A connection whose configuration
 * has its own source of randomness gets nothing of that: it stays reproducible.
 */
#ifndef CLEAT_BATCH_H
#define CLEAT_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "cleat/tls.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Jobs waiting, and what is made ahead. Used by one thread at a time; each thread has its own. */
struct cleat_batch;

/* cleat_batch_new makes an empty batch. CLEAT_ERR_NOMEM. cleat_batch_free wipes and frees it; jobs
 * that wait in it are not run. NULL is fine. */
int cleat_batch_new(struct cleat_batch **out);
void cleat_batch_free(struct cleat_batch *batch);

/* cleat_batch_add lets a job wait for cleat_batch_run; it cannot fail. The job stays its
 * connection's: until the run, neither step nor free that connection, and add no job twice. */
void cleat_batch_add(struct cleat_batch *batch, struct cleat_job *job);

/* cleat_batch_run does every job that waits; afterwards each of their connections can be stepped.
 * A job that fails says so to its own connection alone. now_ms is the time in milliseconds of any
 * clock that does not go back, by which keys made ahead grow old. */
void cleat_batch_run(struct cleat_batch *batch, uint64_t now_ms);

/* cleat_batch_rest wipes what was made ahead: for a thread that expects to be idle for long. */
void cleat_batch_rest(struct cleat_batch *batch);

/* cleat_batch_describe says, in a line of text in static storage, how batches of this process run:
 * "eight at a time: crypto_mb (X25519, P-256, P-384, RSA)", or "single operations: " and why. The
 * first call of this or of cleat_batch_run looks for the library, as the dynamic loader does
 * (libcrypto_mb.so.11), and tries it with known answers. Any thread. */
const char *cleat_batch_describe(void);

/* cleat_batch_single makes every batch of the process run its jobs one by one, or ends that. For
 * tests and comparisons. Any thread; runs in progress are not disturbed. */
void cleat_batch_single(bool on);

#ifdef __cplusplus
}
#endif
#endif
