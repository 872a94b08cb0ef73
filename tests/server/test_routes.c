/* tests/server/test_routes.c - tables of routes: what they refuse, what they find, who is called.
 */
#include <stdio.h>
#include <string.h>

#include "cleat/http_routes.h"
#include "support_server.h"

static void handle(const struct cleat_http_call *call)
{
    (void)call;
}

static const struct cleat_http_handler handler = {.request = handle};

#define ROW(method, path)                  \
    {                                      \
        method, path, &handler, 0, 0, NULL \
    }

static const struct cleat_http_route rows[] = {
    ROW("GET", "/"),
    ROW("GET", "/things"),
    ROW("POST", "/things"),
    ROW("GET", "/things/{id}"),
    ROW("PUT", "/things/{id}"),
    ROW("DELETE", "/things/{name}"),
    ROW("POST", "/things/new"),
    ROW("GET", "/things/{id}/parts/{part}"),
    ROW("GET", "/things/old/parts/list"),
    ROW("GET", "/files/{rest...}"),
    ROW("GET", "/files/index"),
    ROW("OPTIONS", "/own"),
    ROW("HEAD", "/both"),
    ROW("GET", "/both"),
    ROW("GET", "/caf\xc3\xa9"),
    {"POST", "/early", &handler, CLEAT_HTTP_ROUTE_EARLY, 0, NULL},
};

static struct cleat_http_routes *compile(void)
{
    struct cleat_http_routes *r = NULL;
    struct cleat_error err = {0};
    if (cleat_http_routes_new(rows, sizeof(rows) / sizeof(rows[0]), &r, &err) != CLEAT_OK) {
        fail_msg("%s", err.text);
    }
    return r;
}

static const struct {
    const char *request; /* method and target */
    int row;             /* -1: none */
    unsigned status;
    const char *allow;
    const char *name, *value; /* a parameter */
} finds[] = {
    {"GET /", 0, 0, "", NULL, NULL},
    {"GET /things", 1, 0, "", NULL, NULL},
    {"GET /things?q=/a/b", 1, 0, "", NULL, NULL},
    {"GET http://example.com/things", 1, 0, "", NULL, NULL},
    {"HEAD /things", 1, 0, "", NULL, NULL},
    {"GET /things/", -1, 404, "", NULL, NULL},
    {"GET //things", -1, 404, "", NULL, NULL},
    {"GET /Things", -1, 404, "", NULL, NULL},
    {"GET /things/7", 3, 0, "", "id", "7"},
    {"GET /things/a%20b%C3%A9", 3, 0, "", "id", "a b\xc3\xa9"},
    {"GET /%74hings/7", 3, 0, "", "id", "7"},
    {"GET /things/new", 3, 0, "", "id", "new"},
    {"POST /things/new", 6, 0, "", NULL, NULL},
    {"DELETE /things/new", 5, 0, "", "name", "new"},
    {"PATCH /things/new", -1, 405, "POST, DELETE, PUT, HEAD, GET, OPTIONS", NULL, NULL},
    {"POST /things/7", -1, 405, "DELETE, PUT, HEAD, GET, OPTIONS", NULL, NULL},
    {"OPTIONS /things/7", -1, 204, "DELETE, PUT, HEAD, GET, OPTIONS", NULL, NULL},
    {"OPTIONS /own", 11, 0, "", NULL, NULL},
    {"GET /own", -1, 405, "OPTIONS", NULL, NULL},
    {"HEAD /both", 12, 0, "", NULL, NULL},
    {"GET /things/7/parts/8", 7, 0, "", "part", "8"},
    {"GET /things/old/parts/list", 8, 0, "", NULL, NULL},
    {"GET /things/old/parts/8", 7, 0, "", "id", "old"},
    {"GET /things//parts/8", -1, 404, "", NULL, NULL},
    {"GET /files/", 9, 0, "", "rest", ""},
    {"GET /files/a/b/c", 9, 0, "", "rest", "a/b/c"},
    {"GET /files//a/", 9, 0, "", "rest", "/a/"},
    {"GET /files", -1, 404, "", NULL, NULL},
    {"GET /files/index", 10, 0, "", NULL, NULL},
    {"GET /files/index/x", 9, 0, "", "rest", "index/x"},
    {"GET /files/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18", 9, 0, "", NULL, NULL},
    {"GET /1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18", -1, 404, "", NULL, NULL},
    {"GET /caf%c3%a9", 14, 0, "", NULL, NULL},
    {"GET /files/..", -1, 400, "", NULL, NULL},
    {"GET /files/../x", -1, 400, "", NULL, NULL},
    {"GET /files/%2e%2E/x", -1, 400, "", NULL, NULL},
    {"GET /./things", -1, 400, "", NULL, NULL},
    {"GET /things/...", 3, 0, "", "id", "..."},
    {"GET /things/a%2fb", -1, 400, "", NULL, NULL},
    {"GET /things/a%00b", -1, 400, "", NULL, NULL},
    {"GET /things/a%0db", -1, 400, "", NULL, NULL},
    {"GET /things/a%7fb", -1, 400, "", NULL, NULL},
    {"GET /things/a%", -1, 400, "", NULL, NULL},
    {"OPTIONS *", -1, 204, "GET, HEAD, POST, PUT, DELETE, OPTIONS", NULL, NULL},
    {"CONNECT example.com:1", -1, 404, "", NULL, NULL},
};

static void parse(struct cleat_http_head *h, char *text, size_t cap, const char *request)
{
    (void)snprintf(text, cap, "%s HTTP/1.1\r\nHost: example.com\r\n\r\n", request);
    cleat_http_request_init(h);
    assert_int_equal(cleat_http_head_feed(h, text, strlen(text), NULL), CLEAT_HTTP_COMPLETE);
}

static void test_the_most_specific_row_is_found(void **state)
{
    struct cleat_http_routes *r = compile();
    static struct cleat_http_match m;
    struct cleat_http_head h;
    char text[400];
    (void)state;
    for (size_t i = 0; i < sizeof(finds) / sizeof(finds[0]); i++) {
        parse(&h, text, sizeof(text), finds[i].request);
        cleat_http_routes_find(r, &h, &m);
        const char *want = finds[i].row >= 0 ? rows[finds[i].row].path : "none";
        const char *got = m.route != NULL ? m.route->path : "none";
        if (m.status != finds[i].status || strcmp(want, got) != 0 ||
            (finds[i].row >= 0 && strcmp(rows[finds[i].row].method, m.route->method) != 0) ||
            (m.route == NULL && strcmp(m.allow, finds[i].allow) != 0)) {
            fail_msg("%s: %s %u \"%s\", not %s %u", finds[i].request, got, (unsigned)m.status,
                     m.allow, want, finds[i].status);
        }
        if (finds[i].name != NULL) {
            assert_true(cleat_http_is(cleat_http_match_get(&m, finds[i].name), finds[i].value));
        }
        assert_null(cleat_http_match_get(&m, "nobody").p);
    }
    cleat_http_routes_free(r);
}

static void test_early_requests_are_safe_or_allowed(void **state)
{
    static const struct {
        const char *request;
        unsigned status;
    } cases[] = {{"GET /things", 0}, {"POST /things", 425}, {"POST /early", 0}};
    struct cleat_http_routes *r = compile();
    static struct cleat_http_match m;
    struct cleat_http_head h;
    char text[400];
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        parse(&h, text, sizeof(text), cases[i].request);
        h.early = true;
        cleat_http_routes_find(r, &h, &m);
        assert_int_equal(m.status, cases[i].status);
    }
    cleat_http_routes_free(r);
}

static void test_a_table_that_cannot_be_meant_is_refused(void **state)
{
    static const struct {
        struct cleat_http_route rows[2];
        const char *says;
    } cases[] = {
        {{ROW("GET", "things"), ROW("GET", "/")}, "begins with a slash"},
        {{ROW("GET", ""), ROW("GET", "/")}, "begins with a slash"},
        {{ROW("G T", "/"), ROW("GET", "/")}, "not a method"},
        {{ROW("", "/"), ROW("GET", "/")}, "not a method"},
        {{ROW("GET", "/a//b"), ROW("GET", "/")}, "empty segment"},
        {{ROW("GET", "/{}"), ROW("GET", "/")}, "without a name"},
        {{ROW("GET", "/{...}"), ROW("GET", "/")}, "without a name"},
        {{ROW("GET", "/{a-b}"), ROW("GET", "/")}, "letters, digits"},
        {{ROW("GET", "/{a"), ROW("GET", "/")}, "whole segment"},
        {{ROW("GET", "/{"), ROW("GET", "/")}, "whole segment"},
        {{ROW("GET", "/{a}b"), ROW("GET", "/")}, "whole segment"},
        {{ROW("GET", "/b{a}"), ROW("GET", "/")}, "must not be there"},
        {{ROW("GET", "/a%20b"), ROW("GET", "/")}, "must not be there"},
        {{ROW("GET", "/a b"), ROW("GET", "/")}, "must not be there"},
        {{ROW("GET", "/a?b"), ROW("GET", "/")}, "must not be there"},
        {{ROW("GET", "/.."), ROW("GET", "/")}, "never match"},
        {{ROW("GET", "/{a...}/b"), ROW("GET", "/")}, "last segment"},
        {{ROW("GET", "/{a}/{a}"), ROW("GET", "/")}, "same name"},
        {{ROW("GET", "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}"), ROW("GET", "/")}, "8 parameters"},
        {{ROW("GET", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17"), ROW("GET", "/")},
         "16 segments"},
        {{ROW("GET", "/a/{b}"), ROW("GET", "/a/{c}")},
         "routes \"GET /a/{b}\" and \"/a/{c}\" match the same"},
        {{ROW("GET", "/"), ROW("GET", "/")}, "match the same"},
        {{{"GET", "/", NULL, 0, 0, NULL}, ROW("GET", "/")}, "no function"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cleat_http_routes *r = NULL;
        struct cleat_error err = {0};
        assert_int_equal(cleat_http_routes_new(cases[i].rows, 2, &r, &err), CLEAT_ERR_BAD_CONFIG);
        if (strstr(err.text, cases[i].says) == NULL) {
            fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].says);
        }
        assert_null(r);
    }
}

/* ---- dispatching ---- */

static char called[1000];
static size_t num_gone;
static char app_ctx[] = "app";

static void say(const char *what)
{
    (void)snprintf(called + strlen(called), sizeof(called) - strlen(called), "%s ", what);
}

static void on_request(const struct cleat_http_call *c)
{
    const struct cleat_http_view id = cleat_http_match_get(c->match, "id");
    (void)snprintf(called + strlen(called), sizeof(called) - strlen(called), "request %.*s ",
                   (int)id.len, id.p);
    assert_string_equal(c->route->ctx, "own");
    assert_string_equal(c->ctx, "app");
}

static void on_data(const struct cleat_http_call *c)
{
    say(c->data_len > 0 ? "data" : "nothing");
}

static void on_end(const struct cleat_http_call *c)
{
    static char body[100000];
    say(c->head != NULL ? "end with trailers" : "end");
    memset(body, 'x', sizeof(body));
    assert_int_equal(cleat_http_exchange_reply(c->exchange, 200, "A: b\r\n", 6, body, sizeof(body)),
                     CLEAT_OK);
}

static void on_done(const struct cleat_http_call *c)
{
    (void)c;
    say("done");
}

static void on_gone(const struct cleat_http_call *c)
{
    (void)c;
    num_gone++;
    say("gone");
}

static const struct cleat_http_handler thing = {
    .request = on_request, .data = on_data, .end = on_end, .done = on_done, .gone = on_gone};
static const struct cleat_http_route things[] = {
    {"PUT", "/things/{id}", &thing, 0, 10, "own"},
    {"GET", "/things/{id}", &thing, 0, 0, "own"},
};

/* What the support's application does is replaced by the dispatcher. */
static void dispatch_all(struct world *w, const struct cleat_http_app *app)
{
    struct cleat_http_server_io io = {.in = w->in.p, .in_len = w->in.len, .now = w->now};
    enum cleat_http_server_next next;
    while (cleat_http_dispatch(app, next = cleat_http_server_step(w->s, &io), &io)) {
    }
    cl_buf_drop(&w->in, io.in_used);
    w->last = next;
}

static void test_handlers_are_called_in_order(void **state)
{
    static const struct {
        const char *text, *called, *answer;
    } cases[] = {
        {"PUT /things/7 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
         "request 7 data end done ",
         "HTTP/1.1 200 OK\r\nDate: now\r\nA: b\r\nContent-Length: 100000\r\n\r\nxx"},
        {"PUT /things/7 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
         "1\r\na\r\n0\r\nx-a: b\r\n\r\n",
         "request 7 data end with trailers done ", "HTTP/1.1 200 OK\r\n"},
        {"HEAD /things/7 HTTP/1.1\r\nHost: x\r\n\r\n", "request 7 end done ",
         "HTTP/1.1 200 OK\r\nDate: now\r\nA: b\r\nContent-Length: 100000\r\n\r\n"},
        {"PUT /things/7 HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n", "request 7 gone ",
         "HTTP/1.1 413 "},
        {"PUT /things/7 HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
         "request 7 ", "HTTP/1.1 100 Continue\r\n\r\n"},
        {"PUT /things/7 HTTP/1.1\r\nHost: x\r\nExpect: 200-ok\r\n\r\n", "",
         "HTTP/1.1 417 Expectation Failed\r\nDate: now\r\n"},
        {"GET /else HTTP/1.1\r\nHost: x\r\n\r\n", "",
         "HTTP/1.1 404 Not Found\r\nDate: now\r\nContent-Type: text/plain\r\nContent-Length: 14\r\n"
         "\r\n404 Not Found\n"},
        {"DELETE /things/7 HTTP/1.1\r\nHost: x\r\n\r\n", "",
         "HTTP/1.1 405 Method Not Allowed\r\nDate: now\r\nContent-Type: text/plain\r\n"
         "Allow: HEAD, GET, PUT, OPTIONS\r\n"},
        {"OPTIONS /things/7 HTTP/1.1\r\nHost: x\r\n\r\n", "",
         "HTTP/1.1 204 No Content\r\nDate: now\r\nAllow: HEAD, GET, PUT, OPTIONS\r\n\r\n"},
        {"nonsense\r\n\r\n", "", "HTTP/1.1 400 Bad Request\r\nDate: now\r\n"},
    };
    static struct world w;
    struct cleat_http_routes *r;
    (void)state;
    assert_int_equal(cleat_http_routes_new(things, 2, &r, NULL), CLEAT_OK);
    const struct cleat_http_app app = {r, app_ctx};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const uint8_t *p;
        size_t n, at = 0;
        world_begin(&w, CLEAT_HTTP_1, NULL);
        cleat_http_server_fields(w.s, "Date: now\r\n", 11);
        called[0] = '\0';
        assert_int_equal(cl_buf_append(&w.in, cases[i].text, strlen(cases[i].text), SIZE_MAX),
                         CL_OK);
        do {
            dispatch_all(&w, &app);
            n = cleat_http_server_output(w.s, &p);
            if (at == 0 && (n < strlen(cases[i].answer) ||
                            memcmp(p, cases[i].answer, strlen(cases[i].answer)) != 0)) {
                fail_msg("%s: %.*s", cases[i].text, (int)(n < 300 ? n : 300), (const char *)p);
            }
            at += n;
            cleat_http_server_sent(w.s, n);
        } while (n > 0);
        if (i == 0) {
            assert_int_equal(at, strlen(cases[0].answer) - 2 + 100000);
        }
        assert_string_equal(called, cases[i].called);
        world_end(&w);
    }
    cleat_http_routes_free(r);
}

static void test_replies_of_http_2_wait_for_its_windows(void **state)
{
    static struct world w;
    struct cleat_http_routes *r;
    (void)state;
    assert_int_equal(cleat_http_routes_new(things, 2, &r, NULL), CLEAT_OK);
    const struct cleat_http_app app = {r, app_ctx};
    world_begin(&w, CLEAT_HTTP_2, NULL);
    world_run(&w); /* SETTINGS */
    called[0] = '\0';
    const size_t n = world_get(&w, "/things/7");
    for (int i = 0; i < 20; i++) {
        const uint8_t *p;
        size_t len;
        while ((len = cleat_h2_output(w.client, &p)) > 0) {
            assert_int_equal(cl_buf_append(&w.in, p, len, SIZE_MAX), CL_OK);
            cleat_h2_sent(w.client, len);
        }
        dispatch_all(&w, &app);
        world_run(&w);
    }
    assert_int_equal(world_answer(&w, n)->body.len, 100000);
    assert_true(world_answer(&w, n)->ended);
    world_end(&w);
    cleat_http_routes_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_most_specific_row_is_found),
        cmocka_unit_test(test_early_requests_are_safe_or_allowed),
        cmocka_unit_test(test_a_table_that_cannot_be_meant_is_refused),
        cmocka_unit_test(test_handlers_are_called_in_order),
        cmocka_unit_test(test_replies_of_http_2_wait_for_its_windows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
