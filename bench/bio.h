/* bench/bio.h - a BIO over two wires lets libssl read from one and write to the other.
 *
 * It is cheaper than libssl's own memory BIO: one copy in, one copy out, which is what a socket
 * would cost it at least.
 */
#ifndef BENCH_BIO_H
#define BENCH_BIO_H

#include <openssl/bio.h>

#include "bench/wire.h"

/* bench_bio_new makes a BIO over ends, which must outlive it; NULL when memory is short. */
BIO *bench_bio_new(struct bench_ends *ends);

#endif
