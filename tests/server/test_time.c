/* tests/server/test_time.c - who is too slow, at what, and who is not. */
#include <string.h>

#include "support_server.h"

static struct world w;

static void begin(enum cleat_http_protocol protocol)
{
    world_begin(&w, protocol, NULL);
    world_run(&w);
}

#define BOTH(protocol) \
    for (enum cleat_http_protocol protocol = CLEAT_HTTP_1; protocol <= CLEAT_HTTP_2; protocol++)

static void check_log(const char *want)
{
    if (strcmp(w.log, want) != 0) {
        fail_msg("HTTP/%d: %s\n  is not %s", w.protocol == CLEAT_HTTP_2 ? 2 : 1, w.log, want);
    }
}

static void test_a_connection_on_which_nothing_is_asked_is_closed(void **state)
{
    (void)state;
    BOTH(p)
    {
        begin(p);
        world_pass(&w, 14 * SECOND);
        check_log("");
        world_pass(&w, 3 * SECOND); /* HTTP/2: the last GOAWAY follows the first after a second */
        check_log("close, ");
        assert_int_equal(cleat_http_server_state(w.s), CLEAT_HTTP_SERVER_CLOSED);
        world_end(&w);
    }
}

static void test_an_idle_connection_is_closed_in_good_order(void **state)
{
    (void)state;
    BOTH(p)
    {
        begin(p);
        world_pass(&w, 10 * SECOND);
        (void)world_get(&w, "/");
        world_run(&w);
        world_pass(&w, 74 * SECOND);
        check_log("request GET /, done, ");
        (void)world_get(&w, "/again");
        world_run(&w);
        world_pass(&w, 74 * SECOND);
        check_log("request GET /, done, request GET /again, done, ");
        world_pass(&w, 3 * SECOND);
        check_log("request GET /, done, request GET /again, done, close, ");
        world_end(&w);
    }
}

static void test_a_slow_head_is_refused(void **state)
{
    (void)state;
    begin(CLEAT_HTTP_1);
    (void)world_get(&w, "/");
    world_pass(&w, 60 * SECOND);
    for (int i = 0; i < 20; i++) { /* a byte a second does not help */
        world_raw(&w, &"GET /slow HTTP/1.1\r\nHost: example.com\r\n"[i], 1);
        world_pass(&w, SECOND);
    }
    check_log("request GET /, done, refused 408, done, close, ");
    world_end(&w);
}

static void test_the_first_head_has_its_time_from_the_beginning(void **state)
{
    (void)state;
    begin(CLEAT_HTTP_1);
    world_pass(&w, 14 * SECOND);
    world_text(&w, "GET / HTTP/1.1\r\n");
    world_pass(&w, 2 * SECOND);
    check_log("refused 408, done, close, ");
    world_end(&w);
}

static void test_a_slow_head_ends_a_connection_of_http_2(void **state)
{
    static const uint8_t headers[] = {0, 0, 9, 1, 0, 0, 0, 0, 1, 0x82};
    struct cleat_error err;
    (void)state;
    begin(CLEAT_HTTP_2);
    world_raw(&w, headers, sizeof(headers));
    world_pass(&w, 14 * SECOND);
    check_log("");
    world_pass(&w, 2 * SECOND);
    check_log("failed, ");
    assert_int_equal(cleat_http_server_error(w.s, &err), CLEAT_ERR_LIMIT);
    assert_non_null(strstr(err.text, "head"));
    world_end(&w);
}

static void test_a_slow_body_is_refused(void **state)
{
    (void)state;
    BOTH(p)
    {
        begin(p);
        const size_t n = world_ask(&w, &(struct ask){"POST", "/", NULL, 20000, false, true, NULL});
        world_body(&w, n, 10);
        world_run(&w);
        for (int i = 0; i < 29; i++) {
            world_pass(&w, SECOND);
            world_body(&w, n, 10);
            world_run(&w);
        }
        check_log("request POST / with a body, ");
        world_pass(&w, 8 * SECOND); /* HTTP/2: five seconds for the client to stop by itself */
        check_log(p == CLEAT_HTTP_1 ? "request POST / with a body, refused 408, done, close, "
                                    : "request POST / with a body, refused 408, done, ");
        assert_int_equal(world_answer(&w, n)->status, 408);
        world_end(&w);
    }
}

static void test_a_body_that_comes_fast_enough_may_take_its_time(void **state)
{
    (void)state;
    BOTH(p)
    {
        begin(p);
        const size_t n = world_ask(&w, &(struct ask){"POST", "/", NULL, 120000, false, true, NULL});
        for (int i = 0; i < 120; i++) { /* 1,000 bytes every 3 s: 10,000 in 30 s */
            world_body(&w, n, 1000);
            world_run(&w);
            world_pass(&w, 3 * SECOND);
        }
        check_log("request POST / with a body, end, done, ");
        world_end(&w);
    }
}

static void test_time_of_the_application_does_not_count(void **state)
{
    (void)state;
    BOTH(p)
    {
        begin(p);
        w.policy.keep = true; /* gives back nothing: the window closes */
        const size_t n = world_ask(&w, &(struct ask){"POST", "/", NULL, 100000, false, true, NULL});
        world_body(&w, n, 70000);
        world_run(&w);
        world_pass(&w, 3600ULL * SECOND);
        check_log("request POST / with a body, ");
        w.policy.keep = false;
        cleat_http_exchange_consume(w.x, 65536);
        world_run(&w);
        world_body(&w, n, 30000);
        world_run(&w);
        world_pass(&w, 20 * SECOND);
        check_log("request POST / with a body, end, done, ");

        w.policy.status = 0; /* does not answer */
        (void)world_get(&w, "/slow");
        world_run(&w);
        world_pass(&w, 3600ULL * SECOND);
        check_log("request POST / with a body, end, done, request GET /slow, ");
        assert_int_equal(cleat_http_exchange_respond(w.x, 200, NULL, 0, 0, true), CLEAT_OK);
        world_run(&w);
        check_log("request POST / with a body, end, done, request GET /slow, done, ");
        world_end(&w);
    }
}

static void test_a_client_that_waits_to_be_told_has_its_time_from_then(void **state)
{
    (void)state;
    BOTH(p)
    {
        begin(p);
        const struct ask ask = {"PUT", "/", "Expect: 100-continue\r\n", 10, false, true, NULL};
        const size_t n = world_ask(&w, &ask);
        world_run(&w);
        world_pass(&w, 100 * SECOND);
        check_log("request PUT / with a body, ");
        assert_int_equal(cleat_http_exchange_continue(w.x), CLEAT_OK);
        world_pass(&w, 29 * SECOND);
        check_log("request PUT / with a body, ");
        world_body(&w, n, 10);
        world_run(&w);
        check_log("request PUT / with a body, end, done, ");
        assert_int_equal(world_answer(&w, n)->num_interim, 1);
        world_end(&w);
    }
}

static void test_a_body_that_is_dropped_is_not_waited_for(void **state)
{
    (void)state;
    begin(CLEAT_HTTP_1);
    w.policy.at_request = true;
    const size_t n = world_ask(&w, &(struct ask){"PUT", "/", NULL, 20000, false, true, NULL});
    world_body(&w, n, 100);
    world_run(&w);
    check_log("request PUT / with a body, ");
    assert_true(world_answer(&w, n)->ended);
    world_pass(&w, 31 * SECOND);
    check_log("request PUT / with a body, done, close, ");
    world_end(&w);
}

static void test_a_client_that_takes_nothing_is_cut_off(void **state)
{
    struct cleat_error err;
    const uint8_t *out;
    (void)state;
    BOTH(p)
    {
        begin(p);
        w.policy = (struct policy){.status = 200, .length = 1000000, .body = 1000000};
        (void)world_get(&w, "/");
        world_run(&w);
        world_pass(&w, SECOND);
        w.deaf = true;
        w.policy.body = 0;
        (void)world_get(&w, "/2");
        w.policy = (struct policy){.status = 200, .length = 50000, .body = 50000};
        world_run(&w);
        world_pass(&w, 29 * SECOND);
        assert_null(strstr(w.log, "failed"));
        if (p == CLEAT_HTTP_2) {
            assert_true(cleat_http_server_output(w.s, &out) > 0);
        }
        world_pass(&w, 32 * SECOND);
        assert_non_null(strstr(w.log, "failed"));
        assert_int_equal(cleat_http_server_error(w.s, &err), CLEAT_ERR_LIMIT);
        assert_non_null(strstr(err.text, "takes nothing"));
        assert_int_equal(cleat_http_server_output(w.s, &out), 0);
        world_end(&w);
    }
}

static void test_a_stream_whose_window_stays_closed_ends_alone(void **state)
{
    (void)state;
    begin(CLEAT_HTTP_2);
    w.holds = true;
    w.policy = (struct policy){.status = 200, .length = 1000000, .body = 1000000};
    const size_t held = world_get(&w, "/held");
    world_run(&w);
    assert_int_equal(world_answer(&w, held)->body.len, 65535);
    w.policy = (struct policy){.status = 200, .length = 5, .body = 5};
    world_pass(&w, 29 * SECOND);
    const size_t beside = world_get(&w, "/beside");
    world_run(&w);
    assert_true(world_answer(&w, beside)->ended);
    assert_false(world_has(&w, "gone"));
    world_pass(&w, 2 * SECOND);
    assert_true(world_has(&w, "gone"));
    assert_true(world_answer(&w, held)->reset);
    assert_int_equal(world_answer(&w, held)->code, CLEAT_H2_ENHANCE_YOUR_CALM);
    const size_t other = world_get(&w, "/other");
    world_run(&w);
    assert_true(world_answer(&w, other)->ended);
    assert_int_equal(cleat_http_server_state(w.s), CLEAT_HTTP_SERVER_OPEN);
    world_end(&w);
}

static void test_an_exchange_may_have_a_rate_of_its_own(void **state)
{
    (void)state;
    BOTH(p)
    {
        begin(p);
        (void)world_ask(&w, &(struct ask){"POST", "/", NULL, 20, false, true, NULL});
        world_run(&w);
        cleat_http_exchange_stall(w.x, 0, 0);
        world_pass(&w, 3600ULL * SECOND);
        check_log("request POST / with a body, ");
        world_end(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_connection_on_which_nothing_is_asked_is_closed),
        cmocka_unit_test(test_an_idle_connection_is_closed_in_good_order),
        cmocka_unit_test(test_a_slow_head_is_refused),
        cmocka_unit_test(test_the_first_head_has_its_time_from_the_beginning),
        cmocka_unit_test(test_a_slow_head_ends_a_connection_of_http_2),
        cmocka_unit_test(test_a_slow_body_is_refused),
        cmocka_unit_test(test_a_body_that_comes_fast_enough_may_take_its_time),
        cmocka_unit_test(test_time_of_the_application_does_not_count),
        cmocka_unit_test(test_a_client_that_waits_to_be_told_has_its_time_from_then),
        cmocka_unit_test(test_a_body_that_is_dropped_is_not_waited_for),
        cmocka_unit_test(test_a_client_that_takes_nothing_is_cut_off),
        cmocka_unit_test(test_a_stream_whose_window_stays_closed_ends_alone),
        cmocka_unit_test(test_an_exchange_may_have_a_rate_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
