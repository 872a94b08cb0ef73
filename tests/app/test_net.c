/* Buffers, timers, sockets and files of app/net, over one loop and loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/file.h"
#include "net/listener.h"
#include "net/pool.h"
#include "net/timer.h"

static uv_loop_t loop;

static int open_loop(void **state)
{
    return uv_loop_init(&loop);
}

static int close_loop(void **state)
{
    return uv_loop_close(&loop); /* fails when a handle has been left behind */
}

static void test_a_pool_lends_the_same_buffer_again_and_wiped(void **state)
{
    struct cl_pool pool = {0};
    uint8_t *a = cl_pool_take(&pool);
    memset(a, 0x5a, CL_POOL_BUFFER);
    cl_pool_give(&pool, a, CL_POOL_BUFFER);
    uint8_t *b = cl_pool_take(&pool);
    assert_ptr_equal(a, b);
    /* the first bytes linked it to the others */
    for (size_t i = sizeof(void *); i < CL_POOL_BUFFER; i++) {
        assert_int_equal(b[i], 0);
    }
    cl_pool_give(&pool, b, 0);
    assert_int_equal(pool.num_lent, 0);
    cl_pool_deinit(&pool);
}

static void test_a_pool_keeps_no_more_than_its_limit(void **state)
{
    struct cl_pool pool = {0};
    uint8_t *buffers[CL_POOL_KEEP + 5];
    for (size_t i = 0; i < CL_POOL_KEEP + 5; i++) {
        buffers[i] = cl_pool_take(&pool);
    }
    for (size_t i = 0; i < CL_POOL_KEEP + 5; i++) {
        cl_pool_give(&pool, buffers[i], 0);
    }
    assert_int_equal(pool.num_free, CL_POOL_KEEP);
    cl_pool_deinit(&pool);
}

/* ---- timers ---- */

static void count(void *ctx)
{
    ++*(int *)ctx;
}

static void test_a_timer_that_is_moved_fires_once_and_late(void **state)
{
    int num = 0;
    struct cl_timer *timer = NULL;
    assert_int_equal(cl_timer_new(&loop, count, &num, &timer), CL_OK);
    uint64_t begin = uv_now(&loop);
    cl_timer_set(timer, 5);
    cl_timer_set(timer, 40);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(num, 1);
    assert_true(uv_now(&loop) - begin >= 40);
    cl_timer_set(timer, 1000);
    cl_timer_set(timer, 1);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(num, 2);
    assert_true(uv_now(&loop) - begin < 1000);
    cl_timer_free(timer);
    uv_run(&loop, UV_RUN_DEFAULT);
}

static void test_a_timer_that_is_stopped_or_freed_does_not_fire(void **state)
{
    int num = 0;
    struct cl_timer *timer = NULL;
    assert_int_equal(cl_timer_new(&loop, count, &num, &timer), CL_OK);
    cl_timer_set(timer, 1);
    cl_timer_stop(timer);
    assert_false(cl_timer_is_set(timer));
    uv_run(&loop, UV_RUN_DEFAULT);
    cl_timer_set(timer, 1);
    cl_timer_free(timer);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(num, 0);
}

/* ---- listeners ---- */

static struct sockaddr_storage loopback(void)
{
    struct sockaddr_storage addr = {0};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    memcpy(&addr, &in, sizeof(in));
    return addr;
}

static void test_threads_share_a_port_that_another_server_cannot_have(void **state)
{
    struct sockaddr_storage addr = loopback();
    int first = cl_listener_bind(&addr, true);
    int second = cl_listener_bind(&addr, false);
    assert_true(first >= 0 && second >= 0);
    assert_int_equal(listen(first, 1), 0);
    struct sockaddr_storage same = addr;
    assert_int_equal(cl_listener_bind(&same, true), -EADDRINUSE);
    close(first);
    close(second);
}

struct accepting {
    struct cl_listener *listener;
    struct cl_tcp *client[3];
    int num_accepted;
    int num_connected;
};

static void on_incoming(void *ctx, struct cl_tcp *tcp)
{
    struct accepting *a = ctx;
    a->num_accepted++;
    cl_tcp_free(tcp);
    cl_listener_hold(a->listener, a->num_accepted == 1);
}

static void on_accept_error(void *ctx, int status)
{
    fail_msg("accept: %s", uv_strerror(status));
}

static void on_connected(void *ctx, int status)
{
    struct accepting *a = ctx;
    assert_int_equal(status, 0);
    a->num_connected++;
}

static void test_a_held_listener_leaves_connections_waiting(void **state)
{
    static const struct cl_listener_handler handler = {.incoming = on_incoming,
                                                       .error = on_accept_error};
    struct accepting a = {0};
    struct sockaddr_storage addr = loopback();
    int fd = cl_listener_bind(&addr, true);
    assert_int_equal(cl_listener_new(&loop, fd, &handler, &a, &a.listener), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(cl_tcp_new(&loop, &a.client[i]), CL_OK);
        assert_int_equal(cl_tcp_connect(a.client[i], (struct sockaddr *)&addr, on_connected, &a),
                         0);
    }
    while (a.num_connected < 3) {
        uv_run(&loop, UV_RUN_ONCE);
    }
    for (int i = 0; i < 10; i++) {
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(a.num_accepted, 1);
    cl_listener_hold(a.listener, false);
    while (a.num_accepted < 3) {
        uv_run(&loop, UV_RUN_ONCE);
    }
    cl_listener_free(a.listener);
    for (int i = 0; i < 3; i++) {
        cl_tcp_free(a.client[i]);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
}

static void on_refused(void *ctx, int status)
{
    *(int *)ctx = status;
}

static void test_a_refused_connection_is_reported(void **state)
{
    struct sockaddr_storage addr = loopback();
    struct cl_tcp *tcp = NULL;
    int status = 1;
    int fd = cl_listener_bind(&addr, true); /* bound, but nobody listens */
    assert_int_equal(cl_tcp_new(&loop, &tcp), CL_OK);
    assert_int_equal(cl_tcp_connect(tcp, (struct sockaddr *)&addr, on_refused, &status), 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(status, UV_ECONNREFUSED);
    cl_tcp_free(tcp);
    close(fd);
    uv_run(&loop, UV_RUN_DEFAULT);
}

/* ---- files ---- */

struct reading {
    ssize_t n;
    bool released;
};

static void on_read(void *ctx, ssize_t n)
{
    ((struct reading *)ctx)->n = n;
}

static void on_released(void *ctx)
{
    ((struct reading *)ctx)->released = true;
}

static int temporary_file(void)
{
    char path[] = "/tmp/cleat-net-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(write(fd, "0123456789", 10), 10);
    return fd;
}

static ssize_t read_now_or_later(struct cl_file_read *r, struct reading *got, int fd,
                                 uint64_t offset, uint8_t *buf, size_t len)
{
    ssize_t n = cl_file_read_at(r, fd, offset, buf, len);
    if (n == UV_EAGAIN) {
        assert_true(cl_file_read_is_busy(r));
        uv_run(&loop, UV_RUN_DEFAULT);
        n = got->n;
    }
    return n;
}

static void test_a_file_is_read_at_any_place_and_ends(void **state)
{
    struct reading got = {0};
    struct cl_file_read *r = NULL;
    uint8_t buf[16];
    int fd = temporary_file();
    assert_int_equal(cl_file_read_new(&loop, on_read, &got, &r), CL_OK);
    assert_int_equal(read_now_or_later(r, &got, fd, 3, buf, 4), 4);
    assert_memory_equal(buf, "3456", 4);
    assert_int_equal(read_now_or_later(r, &got, fd, 8, buf, 16), 2);
    assert_int_equal(read_now_or_later(r, &got, fd, 10, buf, 16), 0);
    assert_int_equal(read_now_or_later(r, &got, -1, 0, buf, 16), UV_EBADF);
    cl_file_read_free(r, NULL);
    close(fd);
}

static void test_a_reader_freed_in_the_middle_releases_its_buffer_later(void **state)
{
    struct reading got = {0};
    struct cl_file_read *r = NULL;
    uint8_t buf[16];
    int fd = temporary_file();
    assert_int_equal(cl_file_read_new(&loop, on_read, &got, &r), CL_OK);
    /* the end of a file is always left to the thread pool */
    assert_int_equal(cl_file_read_at(r, fd, 10, buf, sizeof(buf)), UV_EAGAIN);
    got.n = 77;
    cl_file_read_free(r, on_released);
    assert_false(got.released);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_true(got.released);
    assert_int_equal(got.n, 77);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pool_lends_the_same_buffer_again_and_wiped),
        cmocka_unit_test(test_a_pool_keeps_no_more_than_its_limit),
        cmocka_unit_test_setup_teardown(test_a_timer_that_is_moved_fires_once_and_late, open_loop,
                                        close_loop),
        cmocka_unit_test_setup_teardown(test_a_timer_that_is_stopped_or_freed_does_not_fire,
                                        open_loop, close_loop),
        cmocka_unit_test(test_threads_share_a_port_that_another_server_cannot_have),
        cmocka_unit_test_setup_teardown(test_a_held_listener_leaves_connections_waiting, open_loop,
                                        close_loop),
        cmocka_unit_test_setup_teardown(test_a_refused_connection_is_reported, open_loop,
                                        close_loop),
        cmocka_unit_test_setup_teardown(test_a_file_is_read_at_any_place_and_ends, open_loop,
                                        close_loop),
        cmocka_unit_test_setup_teardown(test_a_reader_freed_in_the_middle_releases_its_buffer_later,
                                        open_loop, close_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
