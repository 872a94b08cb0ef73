/* tests/crypto/support_crypto.h - hexadecimal, fixed randomness, failing allocations. */
#ifndef TEST_SUPPORT_CRYPTO_H
#define TEST_SUPPORT_CRYPTO_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/mem.h"
#include "crypto/job.h"

/* unhex decodes into out (room for 512 bytes) and returns the length. */
#define UNHEX_MAX 512
size_t unhex(const char *hex, uint8_t *out);

/* assert_hex compares bytes with digits. */
void assert_hex(const uint8_t *p, size_t len, const char *hex);

/* test_data opens a file of the shared test data; NULL (and a loud line) when it is not there. */
json_t *test_data(const char *name);

/* A source that gives the same bytes, again and again; and one that fails. */
struct fixed_source {
    uint8_t bytes[66];
    size_t len;
};
struct cl_rng fixed_rng(struct fixed_source *source);
extern const struct cl_rng broken_rng;

/* fail_allocation lets the n-th allocation of the library from now on fail (from 0); stop_failing
 * ends that and says whether it came so far. */
void fail_allocation(unsigned n);
bool stop_failing(void);

/* assert_batch_agrees runs a DECAP or VERIFY job that is done once more, in all lanes of a batch,
 * and compares. */
void assert_batch_agrees(const struct cl_job *done);

/* assert_no_libcrypto_error checks that nothing was left in libcrypto's error queue. */
void assert_no_libcrypto_error(void);

#endif
