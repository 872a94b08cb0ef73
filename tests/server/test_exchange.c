/* tests/server/test_exchange.c - each behaviour of an exchange over both protocols, whole and a
 * byte at a time. */
#include <stdio.h>
#include <string.h>

#include "support_server.h"

#define UNKNOWN CLEAT_HTTP_LENGTH_UNKNOWN

struct row {
    const char *name;
    struct ask ask;
    struct policy policy;
    const char *log; /* of events, without those of the connection's end */
    uint16_t status;
    size_t body; /* of the answer */
    unsigned num_interim;
    const char *has;      /* in the answer's head, HTTP/1.1 */
    const char *trailers; /* of the answer */
    bool closes;          /* HTTP/1.1 */
};

static const struct row rows[] = {
    {.name = "a GET with an answer of known length",
     .ask = {"GET", "/"},
     .policy = {.status = 200, .length = 5, .body = 5},
     .log = "request GET /, done, ",
     .status = 200,
     .body = 5,
     .has = "Content-Length: 5\r\n"},
    {.name = "a GET with an answer of unknown length",
     .ask = {"GET", "/"},
     .policy = {.status = 200, .length = UNKNOWN, .body = 5000},
     .log = "request GET /, done, ",
     .status = 200,
     .body = 5000,
     .has = "Transfer-Encoding: chunked\r\n"},
    {.name = "an answer without a body",
     .ask = {"GET", "/"},
     .policy = {.status = 200, .length = 0, .end = true},
     .log = "request GET /, done, ",
     .status = 200,
     .has = "Content-Length: 0\r\n"},
    {.name = "an answer that ends with its head",
     .ask = {"GET", "/"},
     .policy = {.status = 200, .length = UNKNOWN, .end = true},
     .log = "request GET /, done, ",
     .status = 200,
     .has = "Content-Length: 0\r\n"},
    {.name = "to HEAD the length, and no body",
     .ask = {"HEAD", "/"},
     .policy = {.status = 200, .length = 5, .body = 5},
     .log = "request HEAD /, done, ",
     .status = 200,
     .has = "Content-Length: 5\r\n"},
    {.name = "204 without a length",
     .ask = {"DELETE", "/x"},
     .policy = {.status = 204, .length = 0, .end = true},
     .log = "request DELETE /x, done, ",
     .status = 204,
     .has = "HTTP/1.1 204 No Content\r\n\r\n"},
    {.name = "304 with the length that a 200 has",
     .ask = {"GET", "/x"},
     .policy = {.status = 304, .length = 17, .fields = "ETag: \"a\"\r\n"},
     .log = "request GET /x, done, ",
     .status = 304,
     .has = "ETag: \"a\"\r\nContent-Length: 17\r\n\r\n"},
    {.name = "a body of known length",
     .ask = {"POST", "/x", .body = 2500},
     .policy = {.status = 201, .length = 0, .end = true},
     .log = "request POST /x with a body, end, done, ",
     .status = 201},
    {.name = "a body of unknown length",
     .ask = {"POST", "/x", .body = 2500, .chunked = true},
     .policy = {.status = 201, .length = 0, .end = true},
     .log = "request POST /x with a body, end, done, ",
     .status = 201},
    {.name = "an empty body of unknown length",
     .ask = {"POST", "/x", .chunked = true},
     .policy = {.status = 201, .length = 0, .end = true},
     .log = "request POST /x with a body, end, done, ",
     .status = 201},
    {.name = "trailers in both directions",
     .ask = {"POST", "/x", .body = 2500, .chunked = true, .trailers = "x-sum: 1\r\nx-b:  2 \r\n"},
     .policy = {.status = 200, .length = UNKNOWN, .body = 10, .trailers = "x-digest: abc\r\n"},
     .log = "request POST /x with a body, end with 2 trailers, done, ",
     .status = 200,
     .body = 10,
     .trailers = "x-digest: abc\r\n"},
    {.name = "trailers behind no body at all",
     .ask = {"GET", "/x"},
     .policy = {.status = 200, .length = UNKNOWN, .trailers = "x-digest: abc\r\n"},
     .log = "request GET /x, done, ",
     .status = 200,
     .trailers = "x-digest: abc\r\n"},
    {.name = "an interim answer before the final one",
     .ask = {"GET", "/x"},
     .policy = {.status = 200, .length = 5, .body = 5, .hints = true},
     .log = "request GET /x, done, ",
     .status = 200,
     .body = 5,
     .num_interim = 1},
    {.name = "a client that waits is told to go on",
     .ask = {"PUT", "/x", "Expect: 100-continue\r\n", .body = 100},
     .policy = {.status = 201, .length = 0, .end = true, .wants_body = true},
     .log = "request PUT /x with a body, end, done, ",
     .status = 201,
     .num_interim = 1},
    {.name = "a client that waits and is refused",
     .ask = {"PUT", "/x", "Expect: 100-continue\r\n", .body = 100, .hold = true},
     .policy = {.status = 403, .length = 0, .end = true, .at_request = true},
     .log = "request PUT /x with a body, done, ",
     .status = 403,
     .has = "Connection: close\r\n",
     .closes = true},
    {.name = "an answer before the body",
     .ask = {"PUT", "/x", .body = 2500},
     .policy = {.status = 403, .length = 3, .body = 3, .at_request = true},
     .log = "request PUT /x with a body, done, ",
     .status = 403,
     .body = 3},
    {.name = "a body that is announced too long",
     .ask = {"PUT", "/x", .body = 2500},
     .policy = {.status = 200, .length = 5, .body = 5, .max_body = 2499},
     .log = "request PUT /x with a body, refused 413, done, ",
     .status = 413,
     .has = "Connection: close\r\n",
     .closes = true},
    {.name = "a body that gets too long",
     .ask = {"PUT", "/x", .body = 2500, .chunked = true},
     .policy = {.status = 200, .length = 5, .body = 5, .max_body = 2499},
     .log = "request PUT /x with a body, refused 413, done, ",
     .status = 413,
     .closes = true},
    {.name = "a body as long as allowed",
     .ask = {"PUT", "/x", .body = 2500, .chunked = true},
     .policy = {.status = 200, .length = 5, .body = 5, .max_body = 2500},
     .log = "request PUT /x with a body, end, done, ",
     .status = 200,
     .body = 5},
    {.name = "a waiting client whose body is too long is refused, not told to go on",
     .ask = {"PUT", "/x", "Expect: 100-continue\r\n", .body = 100, .hold = true},
     .policy = {.status = 200, .length = 5, .body = 5, .max_body = 99, .wants_body = true},
     .log = "request PUT /x with a body, refused 413, done, ",
     .status = 413,
     .closes = true},
    {.name = "a trailer that would frame the message",
     .ask = {"PUT", "/x", .body = 5, .chunked = true, .trailers = "authorization: Basic eA==\r\n"},
     .policy = {.status = 200, .length = 5, .body = 5},
     .log = "request PUT /x with a body, refused 400, done, ",
     .status = 400,
     .closes = true},
};

static void check_row(const struct row *r, enum cleat_http_protocol protocol, size_t piece)
{
    static struct world w;
    char log[4096];
    world_begin(&w, protocol, NULL);
    w.piece = piece;
    w.policy = r->policy;
    const size_t n = world_ask(&w, &r->ask);
    world_run(&w);
    if (r->ask.hold && protocol == CLEAT_HTTP_2) {
        world_pass(&w, 31 * SECOND); /* a client that never sends its body is stopped in the end */
    }
    const bool closes = r->closes && protocol == CLEAT_HTTP_1;
    const struct answer *a = world_answer(&w, n);
    (void)snprintf(log, sizeof(log), "%s%s", r->log, closes ? "close, " : "");
    if (strcmp(w.log, log) != 0 || a->status != r->status || !a->ended) {
        fail_msg("%s (HTTP/%d, %zu bytes at a time):\n  %s\n  is not\n  %s\n  status %u%s", r->name,
                 protocol == CLEAT_HTTP_2 ? 2 : 1, piece, w.log, log, (unsigned)a->status,
                 a->ended ? "" : ", not complete");
    }
    assert_int_equal(a->body.len, r->body);
    assert_int_equal(a->num_interim, r->num_interim);
    if (r->has != NULL && protocol == CLEAT_HTTP_1) {
        assert_non_null(strstr(a->head, r->has));
    }
    if (r->trailers != NULL) {
        assert_non_null(strstr(a->trailers, r->trailers));
    }
    if (strstr(r->log, ", end") != NULL) {
        assert_int_equal(w.got.len, r->ask.body);
        uint8_t want[4096];
        pattern(want, 0, r->ask.body);
        assert_memory_equal(w.got.p != NULL ? w.got.p : want, want, r->ask.body);
    }
    if (!r->closes) { /* the next request finds the connection as it was */
        const size_t next = world_get(&w, "/next");
        world_run(&w);
        assert_true(world_answer(&w, next)->ended);
    }
    world_end(&w);
}

static void test_behaviours_are_the_same_in_both_protocols(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t piece = 1; piece < 8; piece += 3) {
            check_row(&rows[i], CLEAT_HTTP_1, piece);
            check_row(&rows[i], CLEAT_HTTP_2, piece);
        }
        check_row(&rows[i], CLEAT_HTTP_1, SIZE_MAX);
        check_row(&rows[i], CLEAT_HTTP_2, SIZE_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_behaviours_are_the_same_in_both_protocols),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
