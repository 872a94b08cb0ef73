/* tests/crypto/test_rand.c - the system's source: threads and forked children get bytes of their
 * own. */
#include "support_crypto.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/rand.h"

static void *draw_in_thread(void *out)
{
    assert_int_equal(cl_rand(&cl_rng_system, out, 32), CL_OK);
    return NULL;
}

static void test_two_threads_draw_different_bytes(void **state)
{
    uint8_t a[32], b[32], c[32];
    pthread_t one, two;
    assert_int_equal(pthread_create(&one, NULL, draw_in_thread, a), 0);
    assert_int_equal(pthread_create(&two, NULL, draw_in_thread, b), 0);
    assert_int_equal(pthread_join(one, NULL), 0);
    assert_int_equal(pthread_join(two, NULL), 0);
    assert_int_equal(cl_rand(&cl_rng_system, c, 32), CL_OK);
    assert_memory_not_equal(a, b, 32);
    assert_memory_not_equal(a, c, 32);
    assert_memory_not_equal(b, c, 32);
}

static void test_a_forked_child_does_not_draw_its_parents_bytes(void **state)
{
    uint8_t first[16], ours[64], theirs[2][64];
    int fds[2];
    assert_int_equal(cl_rand(&cl_rng_system, first, sizeof(first)), CL_OK);
    assert_int_equal(pipe(fds), 0);
    for (int i = 0; i < 2; i++) {
        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            uint8_t mine[64];
            const bool ok = cl_rand(&cl_rng_system, mine, sizeof(mine)) == CL_OK &&
                            write(fds[1], mine, sizeof(mine)) == (ssize_t)sizeof(mine);
            _exit(ok ? 0 : 1);
        }
        int status = -1;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert_int_equal(read(fds[0], theirs[i], 64), 64);
    }
    assert_int_equal(cl_rand(&cl_rng_system, ours, sizeof(ours)), CL_OK);
    assert_memory_not_equal(ours, theirs[0], 64);
    assert_memory_not_equal(ours, theirs[1], 64);
    assert_memory_not_equal(theirs[0], theirs[1], 64);
    close(fds[0]);
    close(fds[1]);
}

static void test_no_bytes_come_twice_across_refills_of_the_buffer(void **state)
{
    static uint8_t drawn[1000][24];
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(cl_rand(&cl_rng_system, drawn[i], 24), CL_OK);
        for (size_t k = 0; k < i; k++) {
            assert_memory_not_equal(drawn[i], drawn[k], 24);
        }
    }
}

static void test_more_than_the_buffer_holds_can_be_drawn_at_once(void **state)
{
    static uint8_t large[5000];
    static const uint8_t zeros[64];
    assert_int_equal(cl_rand(&cl_rng_system, large, sizeof(large)), CL_OK);
    assert_memory_not_equal(large, zeros, 64);
    assert_memory_not_equal(large + sizeof(large) - 64, zeros, 64);
    assert_int_equal(cl_rand(&cl_rng_system, NULL, 0), CL_OK);
}

static void test_a_source_that_fails_is_reported(void **state)
{
    uint8_t out[4];
    assert_int_equal(cl_rand(&broken_rng, out, sizeof(out)), CLEAT_ERR_RANDOM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_threads_draw_different_bytes),
        cmocka_unit_test(test_a_forked_child_does_not_draw_its_parents_bytes),
        cmocka_unit_test(test_no_bytes_come_twice_across_refills_of_the_buffer),
        cmocka_unit_test(test_more_than_the_buffer_holds_can_be_drawn_at_once),
        cmocka_unit_test(test_a_source_that_fails_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
