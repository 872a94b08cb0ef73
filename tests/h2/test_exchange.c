/* tests/h2/test_exchange.c - requests and responses between two ends (RFC 9113 8). */
#include <stdio.h>
#include <string.h>

#include "support_h2.h"

static struct end client, server;

static int set_up(void **state)
{
    (void)state;
    start(&client, false, NULL);
    start(&server, true, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    finish(&client);
    finish(&server);
    return 0;
}

static void test_a_get_arrives_as_a_head_of_http_1_1(void **state)
{
    (void)state;
    const uint32_t id = get(&client, "/a?b=c");
    settle(&client, &server);
    const struct told *t = find(&server, CLEAT_H2_HEAD, id, 0);
    assert_non_null(t);
    assert_string_equal(t->head, "GET /a?b=c HTTP/1.1\r\nhost: example.com\r\n\r\n");
    assert_true(t->end);
    assert_non_null(find(&server, CLEAT_H2_END, id, 0));
}

static void test_a_response_and_its_body(void **state)
{
    (void)state;
    const uint32_t id = get(&client, "/");
    settle(&client, &server);
    respond(&server, id, "hello");
    settle(&client, &server);
    const struct told *t = find(&client, CLEAT_H2_HEAD, id, 0);
    assert_non_null(t);
    assert_int_equal(t->status, 200);
    assert_non_null(strstr(t->head, "content-length: 5\r\n"));
    assert_int_equal(client.data.len, 5);
    assert_memory_equal(client.data.p, "hello", 5);
    assert_non_null(find(&client, CLEAT_H2_DONE, id, 0));
    assert_non_null(find(&server, CLEAT_H2_DONE, id, 0));
    assert_int_equal(cleat_h2_num_streams(server.h2), 0);
}

static void test_everything_arrives_byte_by_byte_too(void **state)
{
    client.piece = server.piece = 1;
    test_a_response_and_its_body(state);
}

static void test_fields_about_the_connection_stay_behind(void **state)
{
    (void)state;
    struct cleat_http_head h;
    const uint32_t id = get(&client, "/");
    settle(&client, &server);
    assert_int_equal(
        cleat_h2_respond(server.h2, id,
                         response(&h, "HTTP/1.1 304 Not Modified\r\nConnection: keep-alive\r\n"
                                      "Keep-Alive: timeout=5\r\nETag: \"x\"\r\n\r\n"),
                         true),
        CLEAT_OK);
    settle(&client, &server);
    const struct told *t = find(&client, CLEAT_H2_HEAD, id, 0);
    assert_non_null(t);
    assert_string_equal(t->head, "HTTP/1.1 304 \r\netag: \"x\"\r\n\r\n");
}

static uint32_t post(size_t len)
{
    struct cleat_http_head h;
    uint32_t id = 0;
    assert_int_equal(cleat_h2_request(client.h2,
                                      request(&h, "POST /in HTTP/1.1\r\nHost: example.com\r\n"
                                                  "Content-Type: text/plain\r\n\r\n"),
                                      true, NULL, len == 0, NULL, &id),
                     CLEAT_OK);
    return id;
}

static void write_all(struct end *from, struct end *to, uint32_t id, size_t len, bool end)
{
    static const uint8_t block[1000];
    for (size_t at = 0; at < len;) {
        const size_t n = len - at < sizeof(block) ? len - at : sizeof(block);
        size_t taken = 0;
        assert_int_equal(cleat_h2_write(from->h2, id, block, n, end && at + n == len, &taken),
                         CLEAT_OK);
        at += taken;
        if (taken < n) {
            settle(from, to);
        }
    }
}

static void test_a_body_longer_than_windows_and_queues(void **state)
{
    (void)state;
    const uint32_t id = post(1);
    write_all(&client, &server, id, 3000000, true);
    settle(&client, &server);
    assert_int_equal(server.data.len, 3000000);
    assert_non_null(find(&server, CLEAT_H2_END, id, 0));
    assert_non_null(find(&client, CLEAT_H2_WRITABLE, id, 0));
    respond(&server, id, "thanks");
    settle(&client, &server);
    assert_non_null(find(&client, CLEAT_H2_DONE, id, 0));
}

static void test_what_is_not_consumed_closes_the_window(void **state)
{
    (void)state;
    size_t taken = 0;
    static const uint8_t block[65536];
    server.keep = true;
    const uint32_t id = post(1);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(cleat_h2_write(client.h2, id, block, sizeof(block), false, &taken), 0);
        settle(&client, &server);
    }
    assert_int_equal(server.data.len, 65535);
    cleat_h2_consume(server.h2, id, 65535);
    settle(&client, &server);
    assert_non_null(find(&client, CLEAT_H2_WRITABLE, id, 0));
    assert_int_equal(cleat_h2_write(client.h2, id, block, sizeof(block), false, &taken), 0);
    settle(&client, &server);
    assert_true(server.data.len > 65535 && server.data.len <= 131070);
}

static void test_trailers_come_behind_the_body(void **state)
{
    (void)state;
    struct cleat_http_head h;
    const uint32_t id = post(1);
    write_all(&client, &server, id, 200000, false);
    assert_int_equal(cleat_h2_trailers(client.h2, id,
                                       request(&h, "POST / HTTP/1.1\r\nHost: x\r\n"
                                                   "Digest: abc\r\n\r\n")),
                     CLEAT_OK);
    settle(&client, &server);
    assert_int_equal(server.data.len, 200000);
    const struct told *t = find(&server, CLEAT_H2_END, id, 0);
    assert_non_null(t);
    assert_non_null(strstr(t->head, "\r\ndigest: abc\r\n"));
    assert_null(strstr(t->head, "host"));
}

static void test_interim_responses_come_before_the_final_one(void **state)
{
    (void)state;
    struct cleat_http_head h;
    const uint32_t id = post(1);
    settle(&client, &server);
    assert_int_equal(
        cleat_h2_respond(server.h2, id, response(&h, "HTTP/1.1 100 Continue\r\n\r\n"), false),
        CLEAT_OK);
    respond(&server, id, "done");
    settle(&client, &server);
    assert_int_equal(find(&client, CLEAT_H2_HEAD, id, 0)->status, 100);
    assert_int_equal(find(&client, CLEAT_H2_HEAD, id, 1)->status, 200);
    assert_int_equal(cleat_h2_respond(server.h2, id, response(&h, "HTTP/1.1 200 OK\r\n\r\n"), true),
                     CLEAT_ERR_CLOSED);
}

static void test_the_answer_to_head_has_a_length_and_no_body(void **state)
{
    (void)state;
    struct cleat_http_head h;
    uint32_t id = 0;
    assert_int_equal(cleat_h2_request(client.h2,
                                      request(&h, "HEAD / HTTP/1.1\r\nHost: example.com\r\n\r\n"),
                                      true, NULL, true, NULL, &id),
                     CLEAT_OK);
    settle(&client, &server);
    assert_int_equal(cleat_h2_respond(server.h2, id,
                                      response(&h, "HTTP/1.1 200 OK\r\n"
                                                   "Content-Length: 1234\r\n\r\n"),
                                      true),
                     CLEAT_OK);
    settle(&client, &server);
    const struct told *t = find(&client, CLEAT_H2_HEAD, id, 0);
    assert_non_null(t);
    assert_true(t->end);
    assert_non_null(find(&client, CLEAT_H2_DONE, id, 0));
}

static void test_crumbs_of_a_cookie_are_joined(void **state)
{
    (void)state;
    struct cl_buf b = {0}, f = {0};
    greet(&server);
    block(&b, "/");
    literal(&b, "cookie", "a=1");
    literal(&b, "accept", "*/*");
    literal(&b, "cookie", "b=2");
    frame(&f, 1, 5, 1, b.p, b.len);
    feed(&server, f.p, f.len);
    const struct told *t = find(&server, CLEAT_H2_HEAD, 1, 0);
    assert_non_null(t);
    assert_non_null(strstr(t->head, "\r\ncookie: a=1; b=2\r\n"));
    cl_buf_deinit(&b);
    cl_buf_deinit(&f);
}

static void test_a_host_other_than_the_authority_is_refused(void **state)
{
    (void)state;
    struct cl_buf b = {0}, f = {0};
    struct cleat_error why;
    greet(&server);
    block(&b, "/");
    literal(&b, "host", "other.example");
    frame(&f, 1, 5, 1, b.p, b.len);
    feed(&server, f.p, f.len);
    const struct told *t = find(&server, CLEAT_H2_REFUSED, 1, 0);
    assert_non_null(t);
    assert_int_equal(t->status, 400);
    assert_int_equal(cleat_h2_why(server.h2, &why), CLEAT_ERR_HTTP_AMBIGUOUS);
    assert_non_null(strstr(why.text, "other.example"));
    cl_buf_deinit(&b);
    cl_buf_deinit(&f);
}

static void test_extended_connect_asks_for_a_path_and_a_protocol(void **state)
{
    (void)state;
    struct cleat_h2_options o;
    struct cleat_http_head h;
    uint32_t id = 0;
    const char *text = "GET /chat HTTP/1.1\r\nHost: example.com\r\n"
                       "Sec-WebSocket-Version: 13\r\n\r\n";
    cleat_h2_options_init(&o, true);
    o.connect_protocol = true;
    finish(&server);
    start(&server, true, &o);
    assert_int_equal(
        cleat_h2_request(client.h2, request(&h, text), true, "websocket", false, NULL, &id),
        CLEAT_ERR_UNSUPPORTED); /* SETTINGS have not come */
    settle(&client, &server);
    assert_true(cleat_h2_allows_connect(client.h2));
    assert_int_equal(
        cleat_h2_request(client.h2, request(&h, text), true, "websocket", false, NULL, &id),
        CLEAT_OK);
    settle(&client, &server);
    const struct told *t = find(&server, CLEAT_H2_HEAD, id, 0);
    assert_non_null(t);
    assert_string_equal(t->protocol, "websocket");
    assert_memory_equal(t->head, "GET /chat HTTP/1.1\r\n", 20);
    assert_int_equal(
        cleat_h2_respond(server.h2, id, response(&h, "HTTP/1.1 200 OK\r\n\r\n"), false), CLEAT_OK);
    size_t taken;
    assert_int_equal(cleat_h2_write(server.h2, id, "frame", 5, false, &taken), CLEAT_OK);
    settle(&client, &server);
    assert_int_equal(client.data.len, 5);
}

static void test_a_reset_is_told_to_both(void **state)
{
    (void)state;
    const uint32_t id = post(1);
    settle(&client, &server);
    cleat_h2_reset(client.h2, id, CLEAT_H2_CANCEL);
    settle(&client, &server);
    assert_int_equal(find(&client, CLEAT_H2_RESET, id, 0)->code, CLEAT_H2_CANCEL);
    assert_int_equal(find(&server, CLEAT_H2_RESET, id, 0)->code, CLEAT_H2_CANCEL);
    assert_int_equal(cleat_h2_num_streams(server.h2), 0);
    assert_int_equal(cleat_h2_num_streams(client.h2), 0);
}

static void test_a_shutdown_lets_what_is_open_finish(void **state)
{
    (void)state;
    uint64_t next;
    struct cleat_http_head h;
    const uint32_t id = get(&client, "/");
    settle(&client, &server);
    assert_int_equal(cleat_h2_shutdown(server.h2, 1000), CLEAT_OK);
    settle(&client, &server);
    assert_int_equal(cleat_h2_state(server.h2), CLEAT_H2_DRAINING);
    assert_non_null(find(&client, CLEAT_H2_GOAWAY, 0, 0));
    uint32_t other;
    assert_int_equal(cleat_h2_request(client.h2,
                                      request(&h, "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"),
                                      true, NULL, true, NULL, &other),
                     CLEAT_ERR_CLOSED);
    cleat_h2_tick(server.h2, 1000 + 1000000, &next);
    respond(&server, id, "last");
    settle(&client, &server);
    assert_non_null(find(&client, CLEAT_H2_DONE, id, 0));
    assert_int_equal(cleat_h2_state(server.h2), CLEAT_H2_CLOSED);
    assert_int_equal(cleat_h2_eof(client.h2), CLEAT_OK);
}

static void test_an_end_of_the_transport_with_open_streams_is_truncation(void **state)
{
    (void)state;
    (void)get(&client, "/");
    settle(&client, &server);
    assert_int_equal(cleat_h2_eof(client.h2), CLEAT_ERR_HTTP_TRUNCATED);
}

static uint32_t get_with(const char *priority)
{
    struct cleat_http_head h;
    char text[128];
    uint32_t id = 0;
    (void)snprintf(text, sizeof(text),
                   "GET / HTTP/1.1\r\nHost: example.com\r\nPriority: %s\r\n\r\n", priority);
    assert_int_equal(cleat_h2_request(client.h2, request(&h, text), true, NULL, true, NULL, &id),
                     CLEAT_OK);
    return id;
}

static const uint8_t block_of_64k[65536];

static void answer(uint32_t id)
{
    struct cleat_http_head h;
    assert_int_equal(
        cleat_h2_respond(server.h2, id, response(&h, "HTTP/1.1 200 OK\r\n\r\n"), false), CLEAT_OK);
}

static size_t write_some(uint32_t id, size_t len, bool end)
{
    size_t taken = 0;
    assert_int_equal(cleat_h2_write(server.h2, id, block_of_64k, len, end, &taken), CLEAT_OK);
    return taken;
}

static size_t place_of(const struct end *e, enum cleat_h2_next next, uint32_t stream)
{
    size_t i = 0;
    while (i < e->num && (e->told[i].next != next || e->told[i].stream != stream)) {
        i++;
    }
    assert_true(i < e->num);
    return i;
}

static void test_urgent_streams_go_first(void **state)
{
    (void)state;
    const uint32_t slow = get_with("u=7");
    const uint32_t fast = get_with("u=0");
    settle(&client, &server);
    answer(slow);
    assert_int_equal(write_some(slow, 30000, true), 30000);
    answer(fast);
    assert_int_equal(write_some(fast, 30000, true), 30000);
    settle(&client, &server);
    assert_true(place_of(&client, CLEAT_H2_END, fast) < place_of(&client, CLEAT_H2_END, slow));
}

static void test_who_waits_for_room_is_told_in_the_order_of_urgency(void **state)
{
    (void)state;
    struct cleat_h2_options o;
    cleat_h2_options_init(&o, true);
    o.queue_limit = 1000;
    finish(&server);
    start(&server, true, &o);
    const uint32_t first[4] = {get_with("u=1"), get_with("u=1"), get_with("u=1"), get_with("u=1")};
    const uint32_t slow = get_with("u=7");
    const uint32_t fast = get_with("u=2");
    settle(&client, &server);
    for (size_t i = 0; i < 4; i++) {
        answer(first[i]);
        assert_int_equal(write_some(first[i], 1000, true), 1000);
    }
    answer(slow);
    answer(fast);
    assert_int_equal(write_some(slow, 1000, true), 0);
    assert_int_equal(write_some(fast, 1000, true), 0);
    settle(&client, &server);
    assert_true(place_of(&server, CLEAT_H2_WRITABLE, fast) <
                place_of(&server, CLEAT_H2_WRITABLE, slow));
    assert_int_equal(write_some(fast, 1000, true), 1000);
    assert_int_equal(write_some(slow, 1000, true), 1000);
    settle(&client, &server);
    assert_int_equal(client.data.len, 6000);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(test_a_get_arrives_as_a_head_of_http_1_1),
        T(test_a_response_and_its_body),
        T(test_everything_arrives_byte_by_byte_too),
        T(test_fields_about_the_connection_stay_behind),
        T(test_a_body_longer_than_windows_and_queues),
        T(test_what_is_not_consumed_closes_the_window),
        T(test_trailers_come_behind_the_body),
        T(test_interim_responses_come_before_the_final_one),
        T(test_the_answer_to_head_has_a_length_and_no_body),
        T(test_crumbs_of_a_cookie_are_joined),
        T(test_a_host_other_than_the_authority_is_refused),
        T(test_extended_connect_asks_for_a_path_and_a_protocol),
        T(test_a_reset_is_told_to_both),
        T(test_a_shutdown_lets_what_is_open_finish),
        T(test_an_end_of_the_transport_with_open_streams_is_truncation),
        T(test_urgent_streams_go_first),
        T(test_who_waits_for_room_is_told_in_the_order_of_urgency),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
