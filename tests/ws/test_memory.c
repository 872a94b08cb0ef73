/* tests/ws/test_memory.c - every allocation fails once: nothing leaks, nothing is half done; and
 * how many allocations there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "allocations.h"
#include "support_ws.h"

static struct cleat_ws_options deflate_options(struct cleat_ws_pool *pool)
{
    struct cleat_ws_options o;
    cleat_ws_options_init(&o);
    cleat_ws_deflate_init(&o.deflate, true);
    o.deflate_min = 0;
    o.pool = pool;
    return o;
}

/* Messages of all kinds through a pair that shares a pool; true when all of it worked. */
static bool run_pair(void)
{
    struct cleat_ws_pool *pool = NULL;
    struct cleat_ws *a = NULL;
    struct cleat_ws *b = NULL;
    bool ok = false;
    static const char text[] = "some text, some text, some text, some text, some text, some text";
    if (cleat_ws_pool_new(1u << 20, &pool) != CLEAT_OK) {
        return false;
    }
    struct cleat_ws_options o = deflate_options(pool);
    if (cleat_ws_server_new(&o, &a) != CLEAT_OK) {
        goto out;
    }
    o.deflate.on = true;
    o.fragment_size = 10;
    if (cleat_ws_client_new(&o, &b) != CLEAT_OK) {
        goto out;
    }
    size_t taken;
    if (cleat_ws_send(b, false, text, sizeof(text) - 1) != CLEAT_OK ||
        cleat_ws_ping(b, 1, NULL, 0) != CLEAT_OK ||
        cleat_ws_send_piece(b, true, text, 20, false, &taken) != CLEAT_OK ||
        cleat_ws_send_piece(b, true, text, 20, true, &taken) != CLEAT_OK ||
        cleat_ws_close(b, 1, 1000, "bye", 3) != CLEAT_OK) {
        goto out;
    }
    const uint8_t *p;
    size_t len;
    size_t num = 0;
    while ((len = cleat_ws_output(b, &p)) != 0) {
        uint8_t copy[512];
        assert_true(len <= sizeof(copy));
        memcpy(copy, p, len);
        cleat_ws_sent(b, len);
        struct cleat_ws_io io = {.in = copy, .in_len = len};
        enum cleat_ws_next next;
        while ((next = cleat_ws_step(a, &io)) != CLEAT_WS_NEEDS_INPUT && next != CLEAT_WS_FAILED) {
            num += next == CLEAT_WS_MESSAGE;
        }
        while (cleat_ws_output(a, &p) != 0) {
            cleat_ws_sent(a, cleat_ws_output(a, &p));
        }
    }
    struct cleat_ws_stats stats;
    cleat_ws_stats(a, &stats);
    ok = num == 2 && cleat_ws_state(a) == CLEAT_WS_CLOSED && stats.pongs_skipped == 0;
out:
    cleat_ws_free(a);
    cleat_ws_free(b);
    cleat_ws_pool_free(pool);
    return ok;
}

static void test_a_connection_survives_every_failed_allocation(void **state)
{
    struct allocations a;
    size_t num_failed = 0;
    allocations_watch(&a, 0);
    assert_true(run_pair());
    const size_t total = a.num;
    assert_true(total > 8);
    for (size_t i = 1; i <= total; i++) {
        allocations_watch(&a, i);
        num_failed += !run_pair();
    }
    allocations_leave();
    /* a compressor that cannot be had is done without; the rest is told */
    assert_true(num_failed >= total / 2);
}

static void test_an_upgrade_survives_every_failed_allocation(void **state)
{
    static const char text[] = "wss://example.com/chat";
    struct cleat_http_url url;
    struct cleat_ws_offer offer = {0};
    char key[CLEAT_WS_KEY_SIZE];
    char out[1024];
    size_t len;
    cleat_ws_deflate_init(&offer.deflate, false);
    assert_int_equal(cleat_http_url_parse(&url, text, strlen(text), NULL), CLEAT_OK);
    struct allocations a;
    int rc = CLEAT_ERR_NOMEM;
    size_t fail_at;
    for (fail_at = 1; rc == CLEAT_ERR_NOMEM; fail_at++) {
        allocations_watch(&a, fail_at);
        rc = cleat_ws_request_write(&offer, &url, key, out, sizeof(out), &len, NULL);
        assert_true(fail_at < 100);
    }
    assert_int_equal(rc, CLEAT_OK);
    assert_true(fail_at > 2);
    struct cleat_http_head head;
    struct cleat_ws_accept policy = {0};
    struct cleat_ws_upgrade u;
    cleat_ws_deflate_init(&policy.deflate, true);
    cleat_http_request_init(&head);
    assert_int_equal(cleat_http_head_feed(&head, out, len, NULL), CLEAT_HTTP_COMPLETE);
    char answer[512];
    rc = CLEAT_ERR_NOMEM;
    for (fail_at = 1; rc == CLEAT_ERR_NOMEM; fail_at++) {
        allocations_watch(&a, fail_at);
        rc = cleat_ws_upgrade_check(&u, &head, &policy, NULL);
        if (rc == CLEAT_OK) {
            rc = cleat_ws_upgrade_write(&u, NULL, answer, sizeof(answer), &len);
        }
        assert_true(fail_at < 100);
    }
    allocations_leave();
    assert_int_equal(rc, CLEAT_OK);
}

/* With a pool, echoing allocates only until the pool has what is needed. */
static void test_no_allocation_is_made_for_a_frame(void **state)
{
    struct cleat_ws_pool *pool;
    struct cleat_ws *ws;
    struct cl_buf plain = {0};
    struct cl_buf compressed = {0};
    assert_int_equal(cleat_ws_pool_new(1u << 20, &pool), CLEAT_OK);
    struct cleat_ws_options o = deflate_options(pool);
    assert_int_equal(cleat_ws_server_new(&o, &ws), CLEAT_OK);
    support_frame(&plain, true, true, 0, TEXT, "Hello, world!", 13);
    support_frame(&plain, true, true, 0, PING, "ping", 4);
    support_frame(&plain, true, false, 0, TEXT, "Hello, ", 7);
    support_frame(&plain, true, true, 0, CONT, "world!", 6);
    support_frame(&compressed, true, true, 4, TEXT, "\xf2\x48\xcd\xc9\xc9\x07\x00", 7);
    struct allocations a = {0};
    for (int round = 0; round < 100; round++) {
        if (round == 3) {
            allocations_watch(&a, 0);
        }
        const struct cl_buf *source = round % 2 == 0 ? &plain : &compressed;
        uint8_t copy[128];
        memcpy(copy, source->p, source->len);
        struct cleat_ws_io io = {.in = copy, .in_len = source->len, .now = 0};
        enum cleat_ws_next next;
        while ((next = cleat_ws_step(ws, &io)) != CLEAT_WS_NEEDS_INPUT) {
            assert_int_not_equal(next, CLEAT_WS_FAILED);
            if (next == CLEAT_WS_MESSAGE) {
                assert_int_equal(cleat_ws_send(ws, io.binary, io.data, io.data_len), CLEAT_OK);
            }
            const uint8_t *p;
            size_t len;
            while ((len = cleat_ws_output(ws, &p)) != 0) {
                cleat_ws_sent(ws, len);
            }
        }
    }
    allocations_leave();
    assert_int_equal(a.num, 0);
    cleat_ws_free(ws);
    cleat_ws_pool_free(pool);
    cl_buf_deinit(&plain);
    cl_buf_deinit(&compressed);
}

static size_t bytes_allocated;

static bool sum_sizes(void *ctx, size_t size)
{
    (void)ctx;
    bytes_allocated += size;
    return true;
}

static void test_a_connection_is_one_allocation_of_less_than_a_kilobyte(void **state)
{
    struct cleat_ws_options o;
    struct cleat_ws *ws;
    cleat_ws_options_init(&o);
    bytes_allocated = 0;
    cl_mem_test_hook(sum_sizes, NULL);
    assert_int_equal(cleat_ws_server_new(&o, &ws), CLEAT_OK);
    allocations_leave();
    print_message("%zu bytes\n", bytes_allocated);
    assert_true(bytes_allocated < 1024);
    cleat_ws_free(ws);
}

static void test_options_that_contradict_themselves_are_refused(void **state)
{
    struct cleat_ws_options o;
    struct cleat_ws *ws;
    cleat_ws_options_init(&o);
    cleat_ws_deflate_init(&o.deflate, false);
    o.deflate.server_max_window_bits = 7;
    assert_int_equal(cleat_ws_client_new(&o, &ws), CLEAT_ERR_USAGE);
    assert_null(ws);
    o.deflate.server_max_window_bits = 15;
    o.deflate_level = 0;
    assert_int_equal(cleat_ws_client_new(&o, &ws), CLEAT_ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_connection_survives_every_failed_allocation),
        cmocka_unit_test(test_an_upgrade_survives_every_failed_allocation),
        cmocka_unit_test(test_no_allocation_is_made_for_a_frame),
        cmocka_unit_test(test_a_connection_is_one_allocation_of_less_than_a_kilobyte),
        cmocka_unit_test(test_options_that_contradict_themselves_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
