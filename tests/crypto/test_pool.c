/* tests/crypto/test_pool.c - what is made ahead: used once, wiped, not for long, not for children,
 * not in a core dump. */
#include "support_crypto.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/kex_impl.h"
#include "crypto/pool.h"

#define NOW 5000

/* The kernels, or a skipped test. */
static const struct cl_mb *kernels(void)
{
    const struct cl_mb *mb = cl_mb();
    if (mb == NULL) {
        printf("SKIP: crypto_mb: nothing is made ahead: %s\n", cl_mb_describe());
        skip();
    }
    return mb;
}

static struct cl_key_pool *make_pool(void)
{
    struct cl_key_pool *pool;
    assert_int_equal(cl_key_pool_new(&pool), CL_OK);
    cl_key_pool_age(pool, NOW);
    return pool;
}

/* holds looks for len bytes in the pool's first page, where the pairs for X25519 are. */
static bool holds(const struct cl_key_pool *pool, const uint8_t *bytes, size_t len)
{
    return memmem(pool, 4096, bytes, len) != NULL;
}

static void test_a_pair_is_handed_out_once_and_leaves_no_trace(void **state)
{
    const struct cl_mb *mb = kernels();
    struct cl_key_pool *pool = make_pool();
    struct cl_mb_pair pairs[3 * CL_LANES];
    for (size_t i = 0; i < 3 * CL_LANES; i++) {
        assert_true(cl_key_pool_pair(pool, mb, CL_POOL_X25519, &pairs[i]));
        assert_int_equal(cl_key_pool_left(pool, CL_POOL_X25519, false),
                         CL_LANES - 1 - i % CL_LANES);
        assert_false(holds(pool, pairs[i].scalar, 32));
        assert_false(holds(pool, pairs[i].share, 32));
        for (size_t k = 0; k < i; k++) {
            assert_memory_not_equal(pairs[i].scalar, pairs[k].scalar, 32);
        }
    }
    cl_key_pool_free(pool);
}

static void test_the_halves_of_a_pair_belong_together(void **state)
{
    static const uint16_t groups[CL_POOL_NUM_PAIRS] = {CL_GROUP_X25519, CL_GROUP_SECP256R1,
                                                       CL_GROUP_SECP384R1};
    const struct cl_mb *mb = kernels();
    struct cl_key_pool *pool = make_pool();
    for (size_t kind = 0; kind < CL_POOL_NUM_PAIRS; kind++) {
        const struct cl_group *group = cl_group_by_id(groups[kind]);
        struct cl_mb_pair pair;
        uint8_t share[CL_GROUP_MAX_SHARE];
        uint8_t theirs[CL_GROUP_MAX_SECRET];
        uint8_t ours[CL_GROUP_MAX_SECRET];
        assert_true(cl_key_pool_pair(pool, mb, (enum cl_pool_kind)kind, &pair));
        assert_int_equal(cl_kex_encap(group, &cl_rng_system,
                                      cl_rd_of(pair.share, group->client_share_len), share, theirs),
                         CL_OK);
        assert_int_equal(cl_kex_agree_with(group, pair.scalar, pair.share,
                                           cl_rd_of(share, group->server_share_len), ours),
                         CL_OK);
        assert_memory_equal(ours, theirs, group->secret_len);
    }
    cl_key_pool_free(pool);
}

/* What lanes lent to the pool come to, beside what libcrypto makes of the same scalars. */
static void test_idle_lanes_make_pairs_that_belong_together(void **state)
{
    const struct cl_mb *mb = kernels();
    const struct cl_group *group = cl_group_by_id(CL_GROUP_X25519);
    struct cl_key_pool *pool = make_pool();
    struct cl_mb_agreement lanes[CL_LANES];
    assert_int_equal(cl_key_pool_lend(pool, lanes, CL_LANES), CL_LANES);
    assert_int_equal(cl_mb_agree(mb, NULL, lanes), CL_ALL_LANES);
    cl_key_pool_keep(pool, lanes, CL_LANES, true);
    assert_int_equal(cl_key_pool_left(pool, CL_POOL_X25519, false), CL_LANES);
    for (size_t i = 0; i < CL_LANES; i++) {
        struct cl_mb_pair pair;
        uint8_t share[CL_GROUP_MAX_SHARE];
        uint8_t theirs[CL_GROUP_MAX_SECRET];
        uint8_t ours[CL_GROUP_MAX_SECRET];
        assert_true(cl_key_pool_pair(pool, mb, CL_POOL_X25519, &pair));
        assert_false(holds(pool, pair.scalar, 32));
        assert_int_equal(
            cl_kex_encap(group, &cl_rng_system, cl_rd_of(pair.share, 32), share, theirs), CL_OK);
        assert_int_equal(
            cl_kex_agree_with(group, pair.scalar, pair.share, cl_rd_of(share, 32), ours), CL_OK);
        assert_memory_equal(ours, theirs, 32);
    }
    cl_key_pool_free(pool);
}

static void test_lanes_are_lent_as_there_is_room_and_kept_if_they_are_well(void **state)
{
    const struct cl_mb *mb = kernels();
    struct cl_key_pool *pool = make_pool();
    struct cl_mb_agreement lanes[CL_LANES];
    struct cl_mb_pair pair;
    for (size_t i = 0; i < 3; i++) {
        assert_true(cl_key_pool_pair(pool, mb, CL_POOL_X25519, &pair));
    }
    assert_int_equal(cl_key_pool_lend(pool, lanes, 7), 3);
    cl_key_pool_keep(pool, lanes, 3, false);
    assert_int_equal(cl_key_pool_left(pool, CL_POOL_X25519, false), CL_LANES - 3);
    assert_int_equal(cl_key_pool_lend(pool, lanes, 2), 2);
    for (size_t i = 2; i < CL_LANES; i++) {
        lanes[i] = lanes[0];
    }
    assert_int_equal(cl_mb_agree(mb, NULL, lanes), CL_ALL_LANES);
    cl_key_pool_keep(pool, lanes, 2, true);
    assert_int_equal(cl_key_pool_left(pool, CL_POOL_X25519, false), CL_LANES - 1);
    /* they are as old as the oldest that lies beside them */
    cl_key_pool_age(pool, NOW + CL_POOL_MAX_AGE_MS + 1);
    assert_int_equal(cl_key_pool_left(pool, CL_POOL_X25519, false), 0);
    cl_key_pool_free(pool);
}

static void test_nonces_differ_and_are_for_curves_of_ecdsa_alone(void **state)
{
    const struct cl_mb *mb = kernels();
    struct cl_key_pool *pool = make_pool();
    struct cl_mb_nonce nonces[2 * CL_LANES];
    for (size_t i = 0; i < 2 * CL_LANES; i++) {
        assert_true(cl_key_pool_nonce(pool, mb, CL_POOL_P256, &nonces[i]));
        for (size_t k = 0; k < i; k++) {
            assert_memory_not_equal(nonces[i].r, nonces[k].r, 32);
            assert_memory_not_equal(nonces[i].inverse, nonces[k].inverse, 32);
        }
    }
    assert_false(cl_key_pool_nonce(pool, mb, CL_POOL_X25519, &nonces[0]));
    cl_key_pool_free(pool);
}

static void test_what_is_too_old_is_dropped_and_wiped(void **state)
{
    static const struct {
        const char *name;
        uint64_t now;
        unsigned left;
    } rows[] = {
        {"at once", NOW, CL_LANES - 1},
        {"at the limit", NOW + CL_POOL_MAX_AGE_MS, CL_LANES - 1},
        {"past it", NOW + CL_POOL_MAX_AGE_MS + 1, 0},
        {"when the clock went back", NOW - 1, 0},
    };
    const struct cl_mb *mb = kernels();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cl_key_pool *pool = make_pool();
        struct cl_mb_pair pair;
        struct cl_mb_nonce nonce;
        print_message("%s\n", rows[i].name);
        assert_true(cl_key_pool_pair(pool, mb, CL_POOL_X25519, &pair));
        assert_true(cl_key_pool_nonce(pool, mb, CL_POOL_P256, &nonce));
        cl_key_pool_age(pool, rows[i].now);
        assert_int_equal(cl_key_pool_left(pool, CL_POOL_X25519, false), rows[i].left);
        assert_int_equal(cl_key_pool_left(pool, CL_POOL_P256, true), rows[i].left);
        cl_key_pool_free(pool);
    }
}

static void test_a_forked_child_finds_the_pool_empty(void **state)
{
    const struct cl_mb *mb = kernels();
    struct cl_key_pool *pool = make_pool();
    struct cl_mb_pair pair;
    struct cl_mb_nonce nonce;
    assert_true(cl_key_pool_pair(pool, mb, CL_POOL_X25519, &pair));
    assert_true(cl_key_pool_nonce(pool, mb, CL_POOL_P256, &nonce));
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const bool empty = cl_key_pool_left(pool, CL_POOL_X25519, false) == 0 &&
                           cl_key_pool_left(pool, CL_POOL_P256, true) == 0;
        _exit(empty ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(cl_key_pool_left(pool, CL_POOL_X25519, false), CL_LANES - 1);
    cl_key_pool_free(pool);
}

/* flags_of finds the line VmFlags of the mapping that holds an address; false without smaps. */
static bool flags_of(const void *address, char *out, size_t cap)
{
    FILE *f = fopen("/proc/self/smaps", "r");
    char line[512];
    bool inside = false;
    bool found = false;
    while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL) {
        uintptr_t from;
        uintptr_t to;
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2) {
            inside = (uintptr_t)address >= from && (uintptr_t)address < to;
        } else if (inside && strncmp(line, "VmFlags:", 8) == 0) {
            found = snprintf(out, cap, "%s", line) > 0;
        }
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return found;
}

static void test_its_pages_are_left_out_of_core_dumps(void **state)
{
    struct cl_key_pool *pool = make_pool();
    char flags[512];
    if (!flags_of(pool, flags, sizeof(flags))) {
        cl_key_pool_free(pool);
        printf("SKIP: the system does not tell the flags of mappings (/proc/self/smaps)\n");
        skip();
    }
    assert_non_null(strstr(flags, " dd")); /* "do not include area into core dump" */
    assert_non_null(strstr(flags, " wf")); /* "wipe on fork" */
    cl_key_pool_free(pool);
}

static void test_wiping_drops_everything(void **state)
{
    const struct cl_mb *mb = kernels();
    struct cl_key_pool *pool = make_pool();
    struct cl_mb_pair pair;
    assert_true(cl_key_pool_pair(pool, mb, CL_POOL_P256, &pair));
    cl_key_pool_wipe(pool);
    assert_int_equal(cl_key_pool_left(pool, CL_POOL_P256, false), 0);
    cl_key_pool_free(pool);
    cl_key_pool_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pair_is_handed_out_once_and_leaves_no_trace),
        cmocka_unit_test(test_the_halves_of_a_pair_belong_together),
        cmocka_unit_test(test_idle_lanes_make_pairs_that_belong_together),
        cmocka_unit_test(test_lanes_are_lent_as_there_is_room_and_kept_if_they_are_well),
        cmocka_unit_test(test_nonces_differ_and_are_for_curves_of_ecdsa_alone),
        cmocka_unit_test(test_what_is_too_old_is_dropped_and_wiped),
        cmocka_unit_test(test_a_forked_child_finds_the_pool_empty),
        cmocka_unit_test(test_its_pages_are_left_out_of_core_dumps),
        cmocka_unit_test(test_wiping_drops_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
