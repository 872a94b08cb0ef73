/* tests/h2/test_memory.c - every allocation fails once: nothing leaks, and it is told. */
#include <string.h>

#include "allocations.h"
#include "support_h2.h"

static void move(struct cleat_h2 *from, struct cleat_h2 *to, bool answers, size_t *num_done)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-Test: yes\r\n\r\n";
    const uint8_t *p;
    uint8_t copy[2 * 32768];
    size_t len;
    while ((len = cleat_h2_output(from, &p)) != 0) {
        struct cleat_h2_io io = {.in = copy, .in_len = len, .now = 1};
        enum cleat_h2_next next;
        assert_true(len <= sizeof(copy));
        memcpy(copy, p, len);
        cleat_h2_sent(from, len);
        while ((next = cleat_h2_step(to, &io)) != CLEAT_H2_NEEDS_INPUT && next != CLEAT_H2_FAILED) {
            struct cleat_http_head h;
            size_t taken;
            *num_done += next == CLEAT_H2_DONE;
            if (next == CLEAT_H2_END && answers) {
                if (cleat_h2_respond(to, io.stream, response(&h, text), false) != CLEAT_OK ||
                    cleat_h2_write(to, io.stream, "body", 4, true, &taken) != CLEAT_OK) {
                    cleat_h2_reset(to, io.stream, CLEAT_H2_INTERNAL_ERROR);
                }
            }
        }
    }
}

/* Two requests with bodies and trailers; true when all of it worked. */
static bool run_pair(void)
{
    struct cleat_h2_options o;
    struct cleat_h2 *client = NULL;
    struct cleat_h2 *server = NULL;
    struct cleat_http_head h;
    size_t num_done = 0;
    bool ok = true;
    cleat_h2_options_init(&o, false);
    ok = cleat_h2_client_new(&o, &client) == CLEAT_OK;
    cleat_h2_options_init(&o, true);
    ok = ok && cleat_h2_server_new(&o, &server) == CLEAT_OK;
    for (int i = 0; ok && i < 2; i++) {
        size_t taken;
        uint32_t id;
        const struct cleat_http_head *head =
            request(&h, "POST / HTTP/1.1\r\nHost: example.com\r\nCookie: a=b\r\n\r\n");
        ok = cleat_h2_request(client, head, true, NULL, false, NULL, &id) == CLEAT_OK &&
             cleat_h2_write(client, id, "some", 4, false, &taken) == CLEAT_OK &&
             cleat_h2_trailers(client, id, head) == CLEAT_OK;
    }
    for (int i = 0; ok && i < 5; i++) {
        move(client, server, true, &num_done);
        move(server, client, false, &num_done);
    }
    cleat_h2_free(client);
    cleat_h2_free(server);
    return ok && num_done == 4;
}

static void test_a_connection_survives_every_failed_allocation(void **state)
{
    size_t num_failed = 0;
    struct allocations a;
    (void)state;
    allocations_watch(&a, 0);
    assert_true(run_pair());
    const size_t total = a.num;
    assert_true(total > 30);
    for (size_t i = 1; i <= total; i++) {
        allocations_watch(&a, i);
        num_failed += !run_pair();
    }
    allocations_leave();
    /* nghttp2 does without some: the room for what it might keep of streams that have ended */
    assert_true(num_failed >= total * 3 / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_connection_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
