/* tests/server/test_memory.c - what connections cost, and every allocation failing once. */
#include <string.h>

#include "allocations.h"
#include "base/mem.h"
#include "server/server.h"
#include "support_server.h"

static size_t num_allocations, fail_at;

/* A loop without the support's own memory. */
static size_t run(struct cleat_http_server *s, const char *text, uint64_t now)
{
    struct cleat_http_server_io io = {
        .in = (const uint8_t *)text, .in_len = strlen(text), .now = now};
    size_t num_done = 0, taken;
    const uint8_t *p;
    size_t n;
    for (;;) {
        switch (cleat_http_server_step(s, &io)) {
        case CLEAT_HTTP_SERVER_REQUEST:
            (void)cleat_http_exchange_respond(io.exchange, 200, "A: b\r\n", 6, 5, false);
            (void)cleat_http_exchange_write(io.exchange, "abcde", 5, false, &taken);
            break;
        case CLEAT_HTTP_SERVER_DONE:
            num_done++;
            break;
        case CLEAT_HTTP_SERVER_NEEDS_INPUT:
            while ((n = cleat_http_server_output(s, &p)) > 0) {
                cleat_http_server_sent(s, n);
            }
            cleat_http_server_tick(s, now, NULL);
            return num_done;
        default:
            return num_done;
        }
    }
}

static const char get[] = "GET / HTTP/1.1\r\nHost: x\r\nCookie: a=b\r\n\r\n";

static void test_an_idle_connection_of_http_1_is_two_hundred_bytes(void **state)
{
    struct cleat_http_server_options o;
    struct cleat_http_server *s;
    uint64_t next;
    (void)state;
    assert_in_range(sizeof(struct cleat_http_server), 1, 256);
    cleat_http_server_options_init(&o);
    assert_int_equal(cleat_http_server_new(&o, CLEAT_HTTP_1, 1, &s), CLEAT_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(run(s, get, 1), 1);
    }
    cleat_http_server_tick(s, 2 * SECOND, &next);
    assert_int_equal(next, 75 * SECOND + 1); /* nothing to do before */
    assert_null(s->h1.x);
    assert_null(s->h1.spare);
    assert_null(s->h1.out.p);
    assert_true(cleat_http_server_is_idle(s));
    cleat_http_server_free(s);
}

static void test_a_get_on_a_connection_that_is_kept_allocates_nothing(void **state)
{
    struct allocations a;
    struct cleat_http_server_options o;
    struct cleat_http_server *s;
    (void)state;
    cleat_http_server_options_init(&o);
    assert_int_equal(cleat_http_server_new(&o, CLEAT_HTTP_1, 1, &s), CLEAT_OK);
    assert_int_equal(run(s, get, 1), 1);
    allocations_watch(&a, 0);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(run(s, get, 2), 1);
    }
    allocations_leave();
    assert_int_equal(a.num, 0);
    cleat_http_server_free(s);
}

static void use(enum cleat_http_protocol protocol)
{
    static struct world w;
    world_begin(&w, protocol, NULL);
    w.piece = 7;
    w.policy = (struct policy){.status = 200,
                               .length = CLEAT_HTTP_LENGTH_UNKNOWN,
                               .body = 5000,
                               .trailers = "x-a: b\r\n",
                               .wants_body = true};
    (void)world_ask(&w, &(struct ask){"POST", "/", "Expect: 100-continue\r\n", .body = 3000,
                                      .chunked = true, .trailers = "x-b: c\r\n"});
    world_run(&w);
    (void)world_get(&w, "/");
    world_run(&w);
    world_end(&w);
}

/* The server's allocations alone fail: those of the other side are counted and let through. */
static bool in_server;

static bool fail_server(void *ctx, size_t size)
{
    (void)ctx;
    (void)size;
    return !in_server || ++num_allocations != fail_at;
}

static size_t serve_text(struct cleat_http_server *s, const uint8_t *in, size_t len,
                         size_t *num_ends)
{
    struct cleat_http_server_io io = {.in = in, .in_len = len, .now = 2};
    size_t taken, events = 0;
    struct cleat_error err;
    for (;;) {
        const enum cleat_http_server_next next = cleat_http_server_step(s, &io);
        events++;
        switch (next) {
        case CLEAT_HTTP_SERVER_REQUEST:
        case CLEAT_HTTP_SERVER_REFUSED:
            (void)cleat_http_exchange_keep_head(io.exchange);
            if (cleat_http_exchange_continue(io.exchange) != CLEAT_OK ||
                cleat_http_exchange_respond(io.exchange, 200, "A: b\r\n", 6,
                                            CLEAT_HTTP_LENGTH_UNKNOWN, false) != CLEAT_OK ||
                cleat_http_exchange_write(io.exchange, get, sizeof(get), false, &taken) !=
                    CLEAT_OK ||
                cleat_http_exchange_trailers(io.exchange, "A: b\r\n", 6) != CLEAT_OK) {
                cleat_http_exchange_reset(io.exchange, CLEAT_H2_INTERNAL_ERROR);
            }
            break;
        case CLEAT_HTTP_SERVER_DONE:
        case CLEAT_HTTP_SERVER_GONE:
            (*num_ends)++;
            break;
        case CLEAT_HTTP_SERVER_FAILED:
            assert_int_not_equal(cleat_http_server_error(s, &err), CLEAT_OK);
            assert_true(err.text[0] != '\0');
            return events;
        case CLEAT_HTTP_SERVER_DATA:
            cleat_http_exchange_consume(io.exchange, io.data_len);
            break;
        case CLEAT_HTTP_SERVER_NEEDS_INPUT:
        case CLEAT_HTTP_SERVER_BLOCKED:
        case CLEAT_HTTP_SERVER_CLOSE:
        case CLEAT_HTTP_SERVER_SWITCHED:
            return events;
        default:
            break;
        }
    }
}

static const char script[] = "POST /long HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "5\r\nabcde\r\n0\r\nx-a: b\r\n\r\n"
                             "GET / HTTP/1.1\r\nHost: x\r\n\r\nnonsense\r\n\r\n";

static void run_h1(void)
{
    struct cleat_http_server_options o;
    struct cleat_http_server *s = NULL;
    const uint8_t *p;
    size_t n, num_ends = 0;
    cleat_http_server_options_init(&o);
    in_server = true;
    if (cleat_http_server_new(&o, CLEAT_HTTP_1, 1, &s) == CLEAT_OK) {
        for (size_t at = 0; at < sizeof(script) - 1; at += 40) {
            const size_t len = sizeof(script) - 1 - at < 40 ? sizeof(script) - 1 - at : 40;
            (void)serve_text(s, (const uint8_t *)script + at, len, &num_ends);
            while ((n = cleat_http_server_output(s, &p)) > 0) {
                cleat_http_server_sent(s, n);
            }
        }
    }
    cleat_http_server_free(s);
    in_server = false;
}

static void run_h2(void)
{
    struct cleat_http_server_options o;
    struct cleat_h2_options c;
    struct cleat_http_server *s = NULL;
    struct cleat_h2 *client = NULL;
    struct cleat_http_head h;
    const uint8_t *p;
    size_t n, taken, num_ends = 0;
    uint32_t stream;
    cleat_http_server_options_init(&o);
    cleat_h2_options_init(&c, false);
    assert_int_equal(cleat_h2_client_new(&c, &client), CLEAT_OK);
    cleat_http_request_init(&h);
    assert_int_equal(cleat_http_head_feed(&h, get, sizeof(get) - 1, NULL), CLEAT_HTTP_COMPLETE);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cleat_h2_request(client, &h, true, NULL, i == 0, NULL, &stream), CLEAT_OK);
    }
    (void)cleat_h2_write(client, stream, "abc", 3, true, &taken);
    in_server = true;
    if (cleat_http_server_new(&o, CLEAT_HTTP_2, 1, &s) == CLEAT_OK) {
        in_server = false;
        n = cleat_h2_output(client, &p);
        in_server = true;
        (void)serve_text(s, p, n, &num_ends);
        while ((n = cleat_http_server_output(s, &p)) > 0) {
            cleat_http_server_sent(s, n);
        }
        (void)serve_text(s, NULL, 0, &num_ends);
        cleat_http_server_abort(s);
        (void)serve_text(s, NULL, 0, &num_ends);
        assert_int_equal(cleat_http_server_num_exchanges(s), 0);
    }
    cleat_http_server_free(s);
    in_server = false;
    cleat_h2_free(client);
}

static void fail_each(void (*what)(void))
{
    size_t total;
    fail_at = num_allocations = 0;
    cl_mem_test_hook(fail_server, NULL);
    what();
    total = num_allocations;
    assert_true(total > 3);
    for (size_t i = 1; i <= total; i++) {
        fail_at = i;
        num_allocations = 0;
        what();
    }
    cl_mem_test_hook(NULL, NULL);
}

static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    fail_each(run_h1);
    fail_each(run_h2);
}

static void test_nothing_is_left_behind(void **state)
{
    (void)state;
    use(CLEAT_HTTP_1);
    use(CLEAT_HTTP_2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_idle_connection_of_http_1_is_two_hundred_bytes),
        cmocka_unit_test(test_a_get_on_a_connection_that_is_kept_allocates_nothing),
        cmocka_unit_test(test_every_allocation_may_fail),
        cmocka_unit_test(test_nothing_is_left_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
