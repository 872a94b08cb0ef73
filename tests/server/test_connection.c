/* tests/server/test_connection.c - connections: order, ends, back-pressure, what is refused. */
#include <stdio.h>
#include <string.h>

#include "support_server.h"

#define UNKNOWN CLEAT_HTTP_LENGTH_UNKNOWN

static struct world w;

#define BOTH(protocol) \
    for (enum cleat_http_protocol protocol = CLEAT_HTTP_1; protocol <= CLEAT_HTTP_2; protocol++)

static void begin(enum cleat_http_protocol protocol)
{
    world_begin(&w, protocol, NULL);
    world_run(&w);
}

static void check_log(const char *want)
{
    if (strcmp(w.log, want) != 0) {
        fail_msg("HTTP/%d: %s\n  is not %s", w.protocol == CLEAT_HTTP_2 ? 2 : 1, w.log, want);
    }
}

static void check_wire(const char *want)
{
    if (w.wire.len != strlen(want) || memcmp(w.wire.p, want, w.wire.len) != 0) {
        fail_msg("%.*s\n  is not\n%s", (int)w.wire.len, (const char *)w.wire.p, want);
    }
}

/* ---- HTTP/1.1: one after the other ---- */

static const char three[] = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
                            "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
                            "GET /c HTTP/1.1\r\nHost: x\r\n\r\n";

static void test_pipelined_requests_are_answered_in_their_order(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < sizeof(three); piece++) {
        begin(CLEAT_HTTP_1);
        w.piece = piece;
        world_text(&w, three);
        world_run(&w);
        check_log("request GET /a, done, request POST /b with a body, end, done, "
                  "request GET /c, done, ");
        world_end(&w);
    }
}

static void test_pipelined_requests_wait_for_the_answer_before_them(void **state)
{
    (void)state;
    begin(CLEAT_HTTP_1);
    w.policy.status = 0;
    world_text(&w, three);
    assert_int_equal(w.last, CLEAT_HTTP_SERVER_BLOCKED);
    check_log("request GET /a, ");
    w.policy.status = 200;
    assert_int_equal(cleat_http_exchange_respond(w.x, 200, NULL, 0, 0, true), CLEAT_OK);
    world_serve(&w);
    check_log("request GET /a, done, request POST /b with a body, end, done, "
              "request GET /c, done, ");
    world_end(&w);
}

static void test_a_flood_of_pipelined_requests_is_bounded(void **state)
{
    const uint8_t *out;
    (void)state;
    begin(CLEAT_HTTP_1);
    w.deaf = true;
    for (int i = 0; i < 100; i++) {
        char many[40 * 28 + 1] = "";
        for (int k = 0; k < 40; k++) {
            (void)snprintf(many + strlen(many), sizeof(many) - strlen(many),
                           "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        }
        world_text(&w, many);
    }
    assert_int_equal(w.last, CLEAT_HTTP_SERVER_BLOCKED);
    assert_in_range(cleat_http_server_output(w.s, &out), 65536, 65536 + 200);
    assert_in_range(cleat_http_server_num_requests(w.s), 1000, 2000);
    w.deaf = false;
    world_run(&w);
    assert_int_equal(cleat_http_server_num_requests(w.s), 4000);
    world_end(&w);
}

static void test_http_1_0_is_answered_as_it_can_be(void **state)
{
    (void)state;
    begin(CLEAT_HTTP_1);
    w.policy.hints = true; /* which HTTP/1.0 does not get */
    world_text(&w, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    world_run(&w);
    check_wire("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nabcde");
    w.wire.len = 0;
    w.policy =
        (struct policy){.status = 200, .length = UNKNOWN, .body = 3, .trailers = "x-a: b\r\n"};
    world_text(&w, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    world_run(&w);
    check_wire("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc");
    check_log("request GET /, done, request GET /, done, close, ");
    world_end(&w);
}

static void test_behind_a_request_that_closes_nothing_is_looked_at(void **state)
{
    static const char *const texts[] = {
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n",
    };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        begin(CLEAT_HTTP_1);
        world_text(&w, texts[i]);
        world_run(&w);
        check_log("request GET /, done, close, ");
        check_wire("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nabcde");
        world_end(&w);
    }
}

static const struct {
    const char *text;
    unsigned status;
} refused[] = {
    {"GET / HTTP/1.1\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
    {"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505},
    {"GET / HTTP/1.1\r\nHost: x\r\n a: b\r\n\r\n", 400},
    {"GET / HTTP/1.1\nHost: x\n\n", 400},
};

static void test_a_refused_request_ends_the_connection(void **state)
{
    char text[400], log[80];
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        for (size_t piece = 1; piece < 200; piece += 198) {
            begin(CLEAT_HTTP_1);
            w.piece = piece;
            (void)snprintf(text, sizeof(text), "%sGET /2 HTTP/1.1\r\nHost: x\r\n\r\n",
                           refused[i].text);
            world_text(&w, text);
            world_run(&w);
            (void)snprintf(log, sizeof(log), "refused %u, done, close, ", refused[i].status);
            check_log(log);
            (void)snprintf(w.methods[0], sizeof(w.methods[0]), "GET");
            assert_int_equal(world_answer(&w, 0)->status, refused[i].status);
            world_end(&w);
        }
    }
}

static void test_a_chunk_that_is_none_is_refused_or_cuts_the_answer(void **state)
{
    static const char text[] = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "3\r\nabc\r\nnonsense";
    (void)state;
    begin(CLEAT_HTTP_1);
    world_text(&w, text);
    world_run(&w);
    check_log("request POST / with a body, refused 400, done, close, ");
    world_end(&w);
    begin(CLEAT_HTTP_1);
    w.policy = (struct policy){.status = 200, .length = 100000, .body = 100000, .at_request = true};
    w.deaf = true;
    world_text(&w, text);
    world_run(&w);
    check_log("request POST / with a body, gone PROTOCOL_ERROR, failed, ");
    world_end(&w);
}

static void test_101_makes_the_connection_another_protocols(void **state)
{
    (void)state;
    begin(CLEAT_HTTP_1);
    w.policy = (struct policy){.status = 101, .length = UNKNOWN, .fields = "Upgrade: x\r\n"};
    world_text(&w,
               "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade, close\r\nUpgrade: x\r\n\r\nmore");
    world_run(&w);
    check_log("request GET /, switched, ");
    check_wire("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n");
    assert_int_equal(w.in.len, 4);
    assert_int_equal(cleat_http_server_state(w.s), CLEAT_HTTP_SERVER_CLOSED);
    world_end(&w);

    begin(CLEAT_HTTP_1);
    w.policy = (struct policy){.status = 200, .length = UNKNOWN};
    world_text(&w, "CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\nmore");
    world_run(&w);
    check_log("request CONNECT x:1, switched, ");
    check_wire("HTTP/1.1 200 OK\r\n\r\n");
    assert_int_equal(w.in.len, 4);
    world_end(&w);
}

static void test_passed_bytes_are_the_callers_to_send(void **state)
{
    const uint8_t *out;
    size_t taken;
    (void)state;
    begin(CLEAT_HTTP_1);
    w.policy.status = 0;
    world_text(&w, "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(cleat_http_exchange_pass(w.x, 10), 0);
    assert_int_equal(cleat_http_exchange_respond(w.x, 200, NULL, 0, 100, false), CLEAT_OK);
    assert_int_equal(cleat_http_exchange_write(w.x, "abcde", 5, false, &taken), CLEAT_OK);
    assert_int_equal(cleat_http_exchange_pass(w.x, 50), 50);
    assert_int_equal(cleat_http_exchange_pass(w.x, 50), 0);
    assert_int_equal(cleat_http_exchange_write(w.x, "abcde", 5, false, &taken), CLEAT_OK);
    assert_int_equal(taken, 0);
    const size_t n = cleat_http_server_output(w.s, &out);
    cleat_http_server_sent(w.s, n + 20);
    world_serve(&w);
    assert_int_equal(cleat_http_exchange_room(w.x), 0);
    cleat_http_server_sent(w.s, 30);
    world_serve(&w);
    assert_true(world_has(&w, "writable"));
    assert_int_equal(cleat_http_exchange_pass(w.x, 1000), 45);
    world_serve(&w);
    assert_false(world_has(&w, "done")); /* it has not been sent */
    cleat_http_server_sent(w.s, 45);
    world_serve(&w);
    assert_true(world_has(&w, "done, request GET /2, "));
    world_end(&w);
}

/* ---- both ---- */

static void test_bodies_wait_for_the_client_to_take_them(void **state)
{
    const uint8_t *out;
    (void)state;
    BOTH(p)
    {
        begin(p);
        (void)world_get(&w, "/first"); /* windows are known from here on */
        world_run(&w);
        w.policy = (struct policy){.status = 200, .length = UNKNOWN, .body = 1000000};
        w.deaf = true;
        const size_t n = world_get(&w, "/");
        world_run(&w);
        assert_true(w.to_write > 800000); /* the rest is not taken */
        assert_true(cleat_http_server_output(w.s, &out) < 140000);
        w.deaf = false;
        world_run(&w);
        const struct answer *a = world_answer(&w, n);
        assert_true(a->ended);
        assert_int_equal(a->body.len, 1000000);
        for (size_t i = 0; i < a->body.len; i++) {
            assert_int_equal(a->body.p[i], 'a' + i % 26);
        }
        world_end(&w);
    }
}

static void test_bodies_wait_for_the_application_to_take_them(void **state)
{
    (void)state;
    BOTH(p)
    {
        begin(p);
        w.policy.keep = true;
        (void)world_ask(&w, &(struct ask){"POST", "/", .body = 200000});
        world_run(&w);
        assert_true(w.got.len <= 65536);
        while (w.got.len < 200000) {
            const size_t before = w.got.len;
            cleat_http_exchange_consume(w.x, 40000);
            world_run(&w);
            assert_true(w.got.len > before && w.got.len <= before + 40000);
        }
        assert_true(world_has(&w, "end, done"));
        world_end(&w);
    }
}

static void test_a_million_chunks_of_a_byte_are_read(void **state)
{
    (void)state;
    begin(CLEAT_HTTP_1);
    world_text(&w, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    char text[6 * 1000 + 1] = "";
    for (int i = 0; i < 1000; i++) {
        memcpy(text + 6 * i, "1\r\nx\r\n", 6);
    }
    for (int i = 0; i < 1000; i++) {
        world_raw(&w, text, 6000);
    }
    world_text(&w, "0\r\n\r\n");
    assert_int_equal(w.got.len, 1000000);
    check_log("request POST / with a body, end, done, ");
    world_end(&w);
}

static void test_after_so_many_requests_the_connection_ends(void **state)
{
    struct cleat_http_server_options o;
    (void)state;
    cleat_http_server_options_init(&o);
    o.max_requests = 2;
    BOTH(p)
    {
        world_begin(&w, p, &o);
        world_run(&w);
        (void)world_get(&w, "/1");
        world_run(&w);
        assert_int_equal(cleat_http_server_state(w.s), CLEAT_HTTP_SERVER_OPEN);
        const size_t n = world_get(&w, "/2");
        world_run(&w);
        world_pass(&w, 2 * SECOND);
        check_log("request GET /1, done, request GET /2, done, close, ");
        assert_true(world_answer(&w, n)->ended);
        world_end(&w);
    }
}

static void test_a_shutdown_lets_what_is_in_flight_end(void **state)
{
    (void)state;
    BOTH(p)
    {
        begin(p);
        w.policy.status = 0;
        const size_t n = world_get(&w, "/");
        world_run(&w);
        assert_int_equal(cleat_http_server_shutdown(w.s, w.now), CLEAT_OK);
        assert_int_equal(cleat_http_server_state(w.s), CLEAT_HTTP_SERVER_DRAINING);
        world_pass(&w, 20 * SECOND);
        check_log("request GET /, ");
        assert_int_equal(cleat_http_exchange_respond(w.x, 200, NULL, 0, 0, true), CLEAT_OK);
        world_pass(&w, SECOND);
        check_log("request GET /, done, close, ");
        assert_true(world_answer(&w, n)->ended);
        world_end(&w);
    }
}

static void test_a_shutdown_ends_an_idle_connection(void **state)
{
    (void)state;
    BOTH(p)
    {
        begin(p);
        (void)world_get(&w, "/");
        world_run(&w);
        assert_int_equal(cleat_http_server_shutdown(w.s, w.now), CLEAT_OK);
        world_pass(&w, p == CLEAT_HTTP_1 ? 1 : 2 * SECOND);
        check_log("request GET /, done, close, ");
        world_end(&w);

        begin(p); /* the first request may be on its way */
        if (p == CLEAT_HTTP_2) {
            (void)world_get(&w, "/");
        }
        assert_int_equal(cleat_http_server_shutdown(w.s, w.now), CLEAT_OK);
        world_pass(&w, SECOND / 2);
        if (p == CLEAT_HTTP_1) {
            (void)world_get(&w, "/");
        }
        world_run(&w);
        world_pass(&w, 3 * SECOND);
        check_log("request GET /, done, close, ");
        world_end(&w);

        begin(p);
        assert_int_equal(cleat_http_server_shutdown(w.s, w.now), CLEAT_OK);
        world_pass(&w, 3 * SECOND);
        check_log("close, ");
        world_end(&w);
    }
}

static void test_the_end_of_the_input_is_told_for_what_it_is(void **state)
{
    static const struct {
        const char *text;
        int code;
        const char *log;
    } rows[] = {
        {"", CLEAT_OK, "close, "},
        {"GET / HTTP/1.1\r\n", CLEAT_ERR_HTTP_TRUNCATED, "close, "},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nab", CLEAT_ERR_HTTP_TRUNCATED,
         "request POST / with a body, gone CANCEL, close, "},
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", CLEAT_OK, "request GET /, done, close, "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin(CLEAT_HTTP_1);
        w.policy.status = 0;
        world_text(&w, rows[i].text);
        assert_int_equal(cleat_http_server_eof(w.s), rows[i].code);
        if (i == 3) { /* it is still answered */
            world_run(&w);
            assert_int_equal(cleat_http_exchange_respond(w.x, 200, NULL, 0, 0, true), CLEAT_OK);
        }
        world_run(&w);
        check_log(rows[i].log);
        world_end(&w);
    }
    begin(CLEAT_HTTP_2);
    w.policy.status = 0;
    (void)world_get(&w, "/1");
    (void)world_get(&w, "/2");
    world_run(&w);
    assert_int_equal(cleat_http_server_eof(w.s), CLEAT_ERR_HTTP_TRUNCATED);
    world_serve(&w);
    check_log("request GET /1, request GET /2, gone CANCEL, gone CANCEL, close, ");
    world_end(&w);
}

static void test_an_abort_tells_every_exchange(void **state)
{
    const uint8_t *out;
    (void)state;
    BOTH(p)
    {
        begin(p);
        w.policy = (struct policy){.status = 200, .length = UNKNOWN, .body = 1000000};
        w.deaf = true;
        (void)world_get(&w, "/");
        world_run(&w);
        cleat_http_server_abort(w.s);
        assert_int_equal(cleat_http_server_output(w.s, &out), 0);
        world_serve(&w);
        check_log("request GET /, gone CANCEL, close, ");
        assert_int_equal(cleat_http_server_num_exchanges(w.s), 0);
        world_end(&w);
    }
}

static void test_an_exchange_that_is_given_up_is_gone(void **state)
{
    (void)state;
    BOTH(p)
    {
        begin(p);
        size_t taken;
        w.policy.status = 0;
        const size_t n = world_get(&w, "/");
        world_run(&w);
        assert_int_equal(cleat_http_exchange_respond(w.x, 200, NULL, 0, 10, false), CLEAT_OK);
        assert_int_equal(cleat_http_exchange_write(w.x, "abcde", 5, false, &taken), CLEAT_OK);
        cleat_http_exchange_reset(w.x, CLEAT_H2_INTERNAL_ERROR);
        assert_int_equal(cleat_http_exchange_respond(w.x, 200, NULL, 0, 0, true), CLEAT_ERR_CLOSED);
        world_run(&w);
        check_log(p == CLEAT_HTTP_1 ? "request GET /, gone INTERNAL_ERROR, failed, "
                                    : "request GET /, gone INTERNAL_ERROR, ");
        assert_false(world_answer(&w, n)->ended);
        world_end(&w);
    }
}

/* ---- what an application must not do ---- */

static void test_fields_that_would_split_a_response_are_refused(void **state)
{
    static const struct {
        const char *text;
        size_t len;
    } rows[] = {
        {"a: b", 4},
        {"a: b\n", 5},
        {"a: b\r", 5},
        {"a: b\r\n\r\n", 8},
        {"\r\n", 2},
        {"a\r\n", 3},
        {": b\r\n", 5},
        {"a : b\r\n", 7},
        {"a: b\rc\r\n", 8},
        {"a: b\nc\r\n", 8},
        {"a: b\0c\r\n", 8},
        {"a: b\r\n c: d\r\n", 13},
        {"a: b\r\nContent-Length: 0\r\n", 25},
        {"TRANSFER-ENCODING: chunked\r\n", 28},
        {"connection: close\r\n", 19},
        {"Keep-Alive: 1\r\n", 15},
    };
    (void)state;
    BOTH(p)
    {
        begin(p);
        w.policy.status = 0;
        const size_t n = world_get(&w, "/");
        world_run(&w);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            assert_int_equal(
                cleat_http_exchange_respond(w.x, 200, rows[i].text, rows[i].len, 0, true),
                CLEAT_ERR_USAGE);
        }
        assert_int_equal(cleat_http_exchange_respond(w.x, 200, "x: \tb \r\n", 8, 0, true),
                         CLEAT_OK);
        world_run(&w);
        assert_int_equal(world_answer(&w, n)->status, 200);
        world_end(&w);
    }
}

static void test_a_response_is_as_long_as_it_says(void **state)
{
    size_t taken;
    (void)state;
    BOTH(p)
    {
        begin(p);
        w.policy.status = 0;
        const size_t n = world_get(&w, "/");
        world_run(&w);
        assert_int_equal(cleat_http_exchange_write(w.x, "a", 1, false, &taken), CLEAT_ERR_USAGE);
        assert_int_equal(cleat_http_exchange_respond(w.x, 99, NULL, 0, 0, true), CLEAT_ERR_USAGE);
        assert_int_equal(cleat_http_exchange_respond(w.x, 1000, NULL, 0, 0, true), CLEAT_ERR_USAGE);
        assert_int_equal(cleat_http_exchange_respond(w.x, 101, "upgrade: x\r\n", 12, 0, false),
                         p == CLEAT_HTTP_2 ? CLEAT_ERR_USAGE : CLEAT_OK);
        if (p == CLEAT_HTTP_1) { /* which is possible there, if not wise */
            world_end(&w);
            continue;
        }
        assert_int_equal(cleat_http_exchange_respond(w.x, 200, NULL, 0, 5, true), CLEAT_ERR_USAGE);
        assert_int_equal(cleat_http_exchange_respond(w.x, 205, NULL, 0, 5, false), CLEAT_ERR_USAGE);
        assert_int_equal(cleat_http_exchange_respond(w.x, 200, NULL, 0, 5, false), CLEAT_OK);
        assert_int_equal(cleat_http_exchange_respond(w.x, 200, NULL, 0, 5, false), CLEAT_ERR_USAGE);
        assert_int_equal(cleat_http_exchange_write(w.x, "abc", 3, true, &taken), CLEAT_ERR_USAGE);
        assert_int_equal(cleat_http_exchange_write(w.x, "abcdef", 6, false, &taken),
                         CLEAT_ERR_USAGE);
        assert_int_equal(cleat_http_exchange_trailers(w.x, "a: b\r\n", 6), CLEAT_ERR_USAGE);
        assert_int_equal(cleat_http_exchange_write(w.x, "abcde", 5, false, &taken), CLEAT_OK);
        assert_int_equal(cleat_http_exchange_write(w.x, "f", 1, false, &taken), CLEAT_ERR_USAGE);
        world_run(&w);
        assert_int_equal(world_answer(&w, n)->body.len, 5);
        world_end(&w);
    }
}

/* ---- the rest ---- */

static void test_early_requests_say_so(void **state)
{
    struct cleat_http_head h;
    (void)state;
    BOTH(p)
    {
        begin(p);
        w.early = true;
        (void)world_get(&w, "/");
        world_run(&w);
        w.early = false;
        (void)world_get(&w, "/2");
        world_run(&w);
        check_log("request GET / early, done, request GET /2, done, ");
        world_end(&w);
    }
    static const struct {
        const char *text;
        bool safe;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", true},
        {"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", true},
        {"POST / HTTP/1.1\r\nHost: x\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n", false},
        {"get / HTTP/1.1\r\nHost: x\r\n\r\n", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cleat_http_request_init(&h);
        assert_int_equal(cleat_http_head_feed(&h, rows[i].text, strlen(rows[i].text), NULL),
                         CLEAT_HTTP_COMPLETE);
        assert_true(cleat_http_is_early_safe(&h));
        h.early = true;
        assert_int_equal(cleat_http_is_early_safe(&h), rows[i].safe);
    }
}

static void test_a_head_can_be_kept(void **state)
{
    (void)state;
    BOTH(p)
    {
        begin(p);
        struct cleat_http_server_io io = {.now = w.now};
        const uint8_t *out = (const uint8_t *)"POST /kept HTTP/1.1\r\nHost: x\r\n"
                                              "Content-Length: 5\r\n\r\n";
        uint8_t copy[200];
        size_t len = strlen((const char *)out);
        if (p == CLEAT_HTTP_2) {
            world_run(&w);
            struct cleat_http_head h;
            uint32_t stream;
            cleat_http_request_init(&h);
            assert_int_equal(cleat_http_head_feed(&h, out, len, NULL), CLEAT_HTTP_COMPLETE);
            assert_int_equal(cleat_h2_request(w.client, &h, true, NULL, false, NULL, &stream),
                             CLEAT_OK);
            len = cleat_h2_output(w.client, &out);
        }
        assert_true(len <= sizeof(copy));
        memcpy(copy, out, len);
        io.in = copy;
        io.in_len = len;
        assert_int_equal(cleat_http_server_step(w.s, &io), CLEAT_HTTP_SERVER_REQUEST);
        struct cleat_http_exchange *x = io.exchange;
        assert_null(cleat_http_exchange_head(x));
        assert_int_equal(cleat_http_exchange_keep_head(x), CLEAT_OK);
        memset(copy, 0, sizeof(copy));
        io.in_used = io.in_len;
        assert_int_equal(cleat_http_server_step(w.s, &io), CLEAT_HTTP_SERVER_NEEDS_INPUT);
        const struct cleat_http_head *head = cleat_http_exchange_head(x);
        assert_true(cleat_http_is(cleat_http_text(head, head->path), "/kept"));
        assert_int_equal(cleat_http_exchange_keep_head(x), CLEAT_OK); /* it is */
        world_end(&w);
    }
}

static void test_field_write_writes_what_is_a_field(void **state)
{
    char out[32] = "";
    size_t len = 0;
    (void)state;
    assert_int_equal(cleat_http_field_write(out, sizeof(out), &len, "ETag",
                                            (struct cleat_http_view){"\"1\"", 3}),
                     CLEAT_OK);
    assert_int_equal(cleat_http_field_write(out, sizeof(out), &len, "X-Empty",
                                            (struct cleat_http_view){NULL, 0}),
                     CLEAT_OK);
    assert_int_equal(len, 22);
    assert_memory_equal(out, "ETag: \"1\"\r\nX-Empty: \r\n", 22);
    static const struct {
        const char *name, *value;
        int code;
    } rows[] = {
        {"", "a", CLEAT_ERR_USAGE},           {"a b", "a", CLEAT_ERR_USAGE},
        {"a:", "a", CLEAT_ERR_USAGE},         {"a", "b\r\nc: d", CLEAT_ERR_USAGE},
        {"a", " b", CLEAT_ERR_USAGE},         {"a", "b\x7f", CLEAT_ERR_USAGE},
        {"a", "0123456789", CLEAT_ERR_LIMIT},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(
            cleat_http_field_write(out, sizeof(out), &len, rows[i].name,
                                   (struct cleat_http_view){rows[i].value, strlen(rows[i].value)}),
            rows[i].code);
        assert_int_equal(len, 22);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pipelined_requests_are_answered_in_their_order),
        cmocka_unit_test(test_pipelined_requests_wait_for_the_answer_before_them),
        cmocka_unit_test(test_a_flood_of_pipelined_requests_is_bounded),
        cmocka_unit_test(test_http_1_0_is_answered_as_it_can_be),
        cmocka_unit_test(test_behind_a_request_that_closes_nothing_is_looked_at),
        cmocka_unit_test(test_a_refused_request_ends_the_connection),
        cmocka_unit_test(test_a_chunk_that_is_none_is_refused_or_cuts_the_answer),
        cmocka_unit_test(test_101_makes_the_connection_another_protocols),
        cmocka_unit_test(test_passed_bytes_are_the_callers_to_send),
        cmocka_unit_test(test_bodies_wait_for_the_client_to_take_them),
        cmocka_unit_test(test_bodies_wait_for_the_application_to_take_them),
        cmocka_unit_test(test_a_million_chunks_of_a_byte_are_read),
        cmocka_unit_test(test_after_so_many_requests_the_connection_ends),
        cmocka_unit_test(test_a_shutdown_lets_what_is_in_flight_end),
        cmocka_unit_test(test_a_shutdown_ends_an_idle_connection),
        cmocka_unit_test(test_the_end_of_the_input_is_told_for_what_it_is),
        cmocka_unit_test(test_an_abort_tells_every_exchange),
        cmocka_unit_test(test_an_exchange_that_is_given_up_is_gone),
        cmocka_unit_test(test_fields_that_would_split_a_response_are_refused),
        cmocka_unit_test(test_a_response_is_as_long_as_it_says),
        cmocka_unit_test(test_early_requests_say_so),
        cmocka_unit_test(test_a_head_can_be_kept),
        cmocka_unit_test(test_field_write_writes_what_is_a_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
