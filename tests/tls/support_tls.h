/* tests/tls/support_tls.h - a local CA, configurations, and two connections joined back to back. */
#ifndef TEST_SUPPORT_TLS_H
#define TEST_SUPPORT_TLS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "cleat/tls.h"
#include "crypto/key.h"
#include "crypto/rand.h"

/* Every test runs at this moment unless it says otherwise: 2026-11-21T12:00:00Z, in milliseconds.
 */
#define TEST_NOW_MS UINT64_C(1795262400000)

/* A CA and what it signed. */
struct test_ca {
    struct cleat_key *key;
    struct cleat_chain *chain; /* the CA's own certificate */
    struct cleat_trust_store *store;
};

struct test_identity {
    struct cleat_chain *chain;
    struct cleat_key *key;
};

void test_ca_make(struct test_ca *ca, const char *name);
void test_ca_drop(struct test_ca *ca);
/* A leaf for num DNS names under ca; client: for client authentication. Valid 30 days around now.
 */
void test_identity_make(struct test_identity *id, const struct test_ca *ca, enum cl_key_type type,
                        const char *const *names, size_t num, bool client);
void test_identity_drop(struct test_identity *id);

/* The world most tests need: a CA, a server for "localhost" (ECDSA P-256), a client identity. Made
 * once for a test program. */
struct test_world {
    struct test_ca ca;
    struct test_identity server;
    struct test_identity client;
    uint64_t now_ms;
};
extern struct test_world world;
int test_world_setup(void **state);
int test_world_teardown(void **state);

uint64_t test_clock(void *ctx); /* world.now_ms */

/* Builders with clock, credential, trust set from the world; the test adds what it is about. */
struct cleat_tls_builder *test_server_builder(void);
struct cleat_tls_builder *test_client_builder(void);
struct cleat_tls_config *test_finish(struct cleat_tls_builder *b);

/* One end: a connection, what it was sent and has not consumed, what it has received as data. */
struct test_end {
    struct cleat_tls *tls;
    struct cl_buf in;
    struct cl_buf data;
    enum cleat_tls_next next;
    size_t num_jobs;
};

struct test_pair {
    struct test_end client;
    struct test_end server;
    size_t out_cap;          /* output room a step is given; 0: 32 KiB */
    size_t chunk;            /* bytes moved at once; 0: all */
    struct cl_buf to_server; /* when not NULL-ish: copies of everything that crossed */
    struct cl_buf to_client;
};

void test_pair_make(struct test_pair *p, struct cleat_tls_config *client,
                    struct cleat_tls_config *server, struct cleat_tls_session *session);
void test_pair_drop(struct test_pair *p);

/* Steps both ends, running jobs and passing bytes, until nothing moves any more. */
void test_pair_run(struct test_pair *p);

/* Steps one end on its own input; output is appended to out. Decisions are left to the caller. */
void test_end_step(struct test_end *e, struct cl_buf *out, size_t out_cap);

/* Writes data from one end and delivers it to the other's input. */
void test_write(struct test_end *from, struct test_end *to, const void *data, size_t len);

/* Both ends READY, else the test fails with both errors told. */
void test_assert_ready(const struct test_pair *p);

/* A random source that gives the same bytes each time: a counter hashed. ctx: uint64_t counter. */
int test_fixed_random(void *ctx, uint8_t *out, size_t len);

#endif
