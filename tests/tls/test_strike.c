/* tests/tls/test_strike.c - the register of used early data: exact, bounded, cold, shared. */
#include <pthread.h>
#include <string.h>

#include "cleat/tls_early.h"
#include "tls/support_tls.h"

#define START  UINT64_C(1000000)
#define WINDOW UINT64_C(10000)
/* a moment at which the register is warm */
#define NOW    (START + 2 * WINDOW)

/* A use that an honest client makes now, with a key made of a number. */
static struct cleat_strike_query query(uint64_t number, uint64_t now)
{
    struct cleat_strike_query q = {
        .now_ms = now, .opens_ms = now - WINDOW, .expires_ms = now + WINDOW};
    uint64_t counter = number;
    assert_int_equal(test_fixed_random(&counter, q.key, sizeof(q.key)), 0);
    return q;
}

static enum cleat_strike_answer use(struct cleat_strike_register *r, uint64_t number, uint64_t now)
{
    struct cleat_strike_query q = query(number, now);
    return cleat_strike_register_use(r, &q);
}

static struct cleat_strike_register *new_register(size_t capacity)
{
    struct cleat_strike_register *r = NULL;
    assert_int_equal(cleat_strike_register_new(capacity, START, &r), CLEAT_OK);
    return r;
}

static void test_a_key_is_first_once(void **state)
{
    struct cleat_strike_register *r = new_register(4096);
    for (uint64_t i = 0; i < 1000; i++) {
        assert_int_equal(use(r, i, NOW), CLEAT_STRIKE_FIRST);
    }
    for (uint64_t i = 0; i < 1000; i++) {
        assert_int_equal(use(r, i, NOW), CLEAT_STRIKE_SEEN);
        assert_int_equal(use(r, i, NOW + 9999), CLEAT_STRIKE_SEEN);
    }
    assert_int_equal(use(r, 1000, NOW), CLEAT_STRIKE_FIRST);
    cleat_strike_register_free(r);
}

static void test_every_byte_of_a_key_counts(void **state)
{
    for (size_t i = 0; i < CLEAT_STRIKE_KEY_LEN; i++) {
        struct cleat_strike_register *r = new_register(16);
        struct cleat_strike_query q = query(1, NOW);
        assert_int_equal(cleat_strike_register_use(r, &q), CLEAT_STRIKE_FIRST);
        q.key[i] ^= 1;
        assert_int_equal(cleat_strike_register_use(r, &q), CLEAT_STRIKE_FIRST);
        q.key[i] ^= 1;
        assert_int_equal(cleat_strike_register_use(r, &q), CLEAT_STRIKE_SEEN);
        cleat_strike_register_free(r);
    }
}

/* The last millisecond in which a server would take it counts, the next one does not. */
static void test_a_key_is_kept_to_the_end_of_its_time(void **state)
{
    struct cleat_strike_register *r = new_register(16);
    struct cleat_strike_query q = query(1, NOW);
    assert_int_equal(cleat_strike_register_use(r, &q), CLEAT_STRIKE_FIRST);
    q.now_ms = q.expires_ms;
    assert_int_equal(cleat_strike_register_use(r, &q), CLEAT_STRIKE_SEEN);
    q.now_ms = q.expires_ms + 1;
    assert_int_equal(cleat_strike_register_use(r, &q), CLEAT_STRIKE_REFUSED);
    cleat_strike_register_free(r);
}

static void test_a_full_register_refuses_and_forgets_nothing(void **state)
{
    struct cleat_strike_register *r = new_register(16);
    for (uint64_t i = 0; i < 16; i++) {
        assert_int_equal(use(r, i, NOW), CLEAT_STRIKE_FIRST);
    }
    for (uint64_t i = 16; i < 1000; i++) {
        assert_int_equal(use(r, i, NOW + WINDOW), CLEAT_STRIKE_REFUSED);
    }
    for (uint64_t i = 0; i < 16; i++) {
        assert_int_equal(use(r, i, NOW + WINDOW), CLEAT_STRIKE_SEEN);
    }
    for (uint64_t i = 16; i < 32; i++) {
        assert_int_equal(use(r, i, NOW + WINDOW + 1), CLEAT_STRIKE_FIRST);
    }
    assert_int_equal(use(r, 32, NOW + WINDOW + 1), CLEAT_STRIKE_REFUSED);
    cleat_strike_register_free(r);
}

/* What is said of the room: at half of it hardly anything is refused. */
static void test_a_half_full_register_takes_nearly_all(void **state)
{
    struct cleat_strike_register *r = new_register(65536);
    size_t refused = 0;
    for (uint64_t i = 0; i < 32768; i++) {
        refused += use(r, i, NOW) == CLEAT_STRIKE_FIRST ? 0 : 1;
    }
    assert_true(refused < 300);
    cleat_strike_register_free(r);
}

static void test_a_cold_register_refuses_for_one_window(void **state)
{
    struct cleat_strike_register *r = new_register(64);
    assert_int_equal(use(r, 1, START), CLEAT_STRIKE_REFUSED);
    assert_int_equal(use(r, 2, START + WINDOW), CLEAT_STRIKE_REFUSED);
    assert_int_equal(use(r, 3, START + WINDOW + 1), CLEAT_STRIKE_FIRST);
    /* a slow client's, that could have been taken before the start: still refused */
    struct cleat_strike_query q = query(4, START + WINDOW + 1);
    q.opens_ms = START;
    assert_int_equal(cleat_strike_register_use(r, &q), CLEAT_STRIKE_REFUSED);
    cleat_strike_register_free(r);
}

/* What had expired may have been forgotten: turning the clock back does not make it new. */
static void test_a_clock_that_steps_back_makes_nothing_new(void **state)
{
    struct cleat_strike_register *r = new_register(16);
    struct cleat_strike_query q = query(1, NOW);
    assert_int_equal(cleat_strike_register_use(r, &q), CLEAT_STRIKE_FIRST);
    for (uint64_t i = 2; i < 18; i++) {
        assert_int_equal(use(r, i, NOW + 2 * WINDOW), CLEAT_STRIKE_FIRST);
    }
    assert_int_equal(cleat_strike_register_use(r, &q), CLEAT_STRIKE_REFUSED);
    cleat_strike_register_free(r);
}

static void test_sizes_that_make_no_sense_are_refused(void **state)
{
    struct cleat_strike_register *r = NULL;
    assert_int_equal(cleat_strike_register_new(0, START, &r), CLEAT_ERR_USAGE);
    assert_int_equal(cleat_strike_register_new(SIZE_MAX, START, &r), CLEAT_ERR_USAGE);
    assert_null(r);
    cleat_strike_register_free(NULL);
}

/* ---- threads ---- */

#define NUM_THREADS 8
#define NUM_KEYS    2000

struct hammer {
    struct cleat_strike_register *r;
    pthread_barrier_t *barrier;
    unsigned firsts[NUM_KEYS];
    unsigned others;
};

static void *hammer(void *arg)
{
    struct hammer *h = arg;
    (void)pthread_barrier_wait(h->barrier);
    for (uint64_t i = 0; i < NUM_KEYS; i++) {
        enum cleat_strike_answer answer = use(h->r, i, NOW);
        h->firsts[i] += answer == CLEAT_STRIKE_FIRST ? 1 : 0;
        h->others += answer == CLEAT_STRIKE_SEEN ? 1 : 0;
    }
    return NULL;
}

static void test_of_many_threads_exactly_one_is_first(void **state)
{
    static struct hammer hammers[NUM_THREADS];
    pthread_t threads[NUM_THREADS];
    pthread_barrier_t barrier;
    struct cleat_strike_register *r = new_register(65536);
    unsigned seen = 0;
    assert_int_equal(pthread_barrier_init(&barrier, NULL, NUM_THREADS), 0);
    for (size_t t = 0; t < NUM_THREADS; t++) {
        hammers[t].r = r;
        hammers[t].barrier = &barrier;
        assert_int_equal(pthread_create(&threads[t], NULL, hammer, &hammers[t]), 0);
    }
    for (size_t t = 0; t < NUM_THREADS; t++) {
        assert_int_equal(pthread_join(threads[t], NULL), 0);
        seen += hammers[t].others;
    }
    for (size_t i = 0; i < NUM_KEYS; i++) {
        unsigned firsts = 0;
        for (size_t t = 0; t < NUM_THREADS; t++) {
            firsts += hammers[t].firsts[i];
        }
        assert_int_equal(firsts, 1);
    }
    assert_int_equal(seen, NUM_KEYS * (NUM_THREADS - 1));
    (void)pthread_barrier_destroy(&barrier);
    cleat_strike_register_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_key_is_first_once),
        cmocka_unit_test(test_every_byte_of_a_key_counts),
        cmocka_unit_test(test_a_key_is_kept_to_the_end_of_its_time),
        cmocka_unit_test(test_a_full_register_refuses_and_forgets_nothing),
        cmocka_unit_test(test_a_half_full_register_takes_nearly_all),
        cmocka_unit_test(test_a_cold_register_refuses_for_one_window),
        cmocka_unit_test(test_a_clock_that_steps_back_makes_nothing_new),
        cmocka_unit_test(test_sizes_that_make_no_sense_are_refused),
        cmocka_unit_test(test_of_many_threads_exactly_one_is_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
