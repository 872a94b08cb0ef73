/* The page of `cleat serve --demo`: what it answers, and how it tells what peers have said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/demo.h"
#include "serve/demo_files.h"
#include "serve/demo_json.h"

/* A visitor without TLS, and what he has been told. */
struct visitor {
    struct cl_demo *demo;
    struct cl_demo_visit *visit;
    struct cl_counters counters[2];
    struct cl_demo_answer answer;
};

static int begin(void **state)
{
    struct visitor *v = calloc(1, sizeof(*v));
    assert_non_null(v);
    assert_int_equal(cl_demo_new(v->counters, 2, &v->demo), CL_OK);
    assert_int_equal(cl_demo_visit_new(NULL, "192.0.2.1:4711", &v->visit), CL_OK);
    *state = v;
    return 0;
}

static int end(void **state)
{
    struct visitor *v = *state;
    cl_demo_answer_deinit(&v->answer);
    cl_demo_visit_free(v->visit);
    cl_demo_free(v->demo);
    free(v);
    return 0;
}

/* The request's first line and fields, without the Host. */
static void ask(struct visitor *v, const char *line, const char *fields, bool early)
{
    char text[512];
    struct cleat_http_head head;
    int n = snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: a\r\n%s\r\n", line, fields);
    cleat_http_request_init(&head);
    assert_int_equal(cleat_http_head_feed(&head, text, (size_t)n, NULL), CLEAT_HTTP_COMPLETE);
    head.early = early;
    cl_demo_answer_deinit(&v->answer);
    assert_int_equal(cl_demo_ask(v->demo, v->visit, &head, &v->answer), CL_OK);
}

static json_t *body_of(const struct visitor *v)
{
    json_t *value = json_loadb((const char *)v->answer.body, v->answer.body_len, 0, NULL);
    assert_non_null(value);
    return value;
}

static int64_t number(const json_t *o, const char *key)
{
    assert_true(json_is_integer(json_object_get(o, key)));
    return json_integer_value(json_object_get(o, key));
}

static void test_the_files_in_the_program_are_those_of_web(void **state)
{
    size_t num = 0;
    DIR *dir = opendir(CLEAT_SOURCE_DIR "/web");
    assert_non_null(dir);
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        num += e->d_name[0] != '.' ? 1 : 0;
    }
    closedir(dir);
    assert_int_equal(cl_demo_num_files, num);
    for (size_t i = 0; i < num; i++) {
        const struct cl_demo_file *file = &cl_demo_files[i];
        char path[512];
        (void)snprintf(path, sizeof(path), "%s/web/%s", CLEAT_SOURCE_DIR, file->name);
        FILE *f = fopen(path, "rb");
        assert_non_null(f);
        uint8_t *bytes = malloc(file->len + 1);
        assert_non_null(bytes);
        assert_int_equal(fread(bytes, 1, file->len + 1, f), file->len);
        assert_memory_equal(bytes, file->p, file->len);
        assert_true(file->len <= CL_DEMO_MAX_BODY);
        free(bytes);
        fclose(f);
        assert_true(i == 0 || strcmp(cl_demo_files[i - 1].name, file->name) < 0);
    }
}

static void test_a_page_and_its_parts_are_found_by_name(void **state)
{
    struct visitor *v = *state;
    ask(v, "GET /", "", false);
    assert_int_equal(v->answer.status, 200);
    assert_string_equal(v->answer.type, "text/html; charset=utf-8");
    assert_true(v->answer.body_len > 0);
    assert_false(v->answer.quiet);
    ask(v, "GET /style.css?x", "", false);
    assert_string_equal(v->answer.type, "text/css; charset=utf-8");
    static const char *const absent[] = {"GET /style.css/",   "GET //style.css",  "GET /STYLE.CSS",
                                         "GET /../style.css", "GET /%73tyle.css", "GET /web/"};
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
        ask(v, absent[i], "", false);
        assert_int_equal(v->answer.status, 404);
        assert_null(v->answer.type);
    }
    assert_int_equal(v->visit->num_answers, 8);
}

static void test_only_get_and_head_are_answered(void **state)
{
    struct visitor *v = *state;
    ask(v, "POST /", "Content-Length: 0\r\n", false);
    assert_int_equal(v->answer.status, 405);
    ask(v, "HEAD /", "", false);
    assert_int_equal(v->answer.status, 200);
    ask(v, "DELETE /connection.json", "", false);
    assert_int_equal(v->answer.status, 405);
}

static void test_what_the_browser_has_is_not_sent_again(void **state)
{
    struct visitor *v = *state;
    char field[128];
    ask(v, "GET /", "", false);
    (void)snprintf(field, sizeof(field), "If-None-Match: \"x\", W/%s\r\n", v->answer.etag);
    ask(v, "GET /", field, false);
    assert_int_equal(v->answer.status, 304);
    assert_int_equal(v->answer.body_len, 0);
    assert_non_null(v->answer.etag);
    ask(v, "GET /style.css", field, false);
    assert_int_equal(v->answer.status, 200);
}

static void test_a_connection_is_told_of_itself(void **state)
{
    struct visitor *v = *state;
    ask(v, "GET /connection.json", "", false);
    assert_string_equal(v->answer.type, "application/json");
    assert_string_equal(v->answer.caching, "no-store");
    assert_false(v->answer.last);
    json_t *o = body_of(v);
    assert_int_equal(number(o, "schema"), CL_DEMO_SCHEMA);
    assert_string_equal(json_string_value(json_object_get(o, "peer")), "192.0.2.1:4711");
    assert_int_equal(number(o, "answers"), 1);
    assert_int_equal(number(o, "websockets"), 0);
    assert_true(json_is_null(json_object_get(o, "tls")));
    assert_int_equal(json_array_size(json_object_get(o, "chain")), 0);
    assert_int_equal(json_array_size(json_object_get(o, "events")), 0);
    json_decref(o);
    ask(v, "GET /connection.json?last", "", false);
    assert_true(v->answer.last);
    ask(v, "GET /connection.json?lastly", "", false);
    assert_false(v->answer.last);
}

/* RFC 8470 5.2 */
static void test_a_connection_is_told_nothing_before_its_handshake_is_done(void **state)
{
    struct visitor *v = *state;
    ask(v, "GET /connection.json", "", true);
    assert_int_equal(v->answer.status, 425);
    ask(v, "GET /", "", true);
    assert_int_equal(v->answer.status, 200);
}

static void test_counters_are_sums_over_workers(void **state)
{
    struct visitor *v = *state;
    cl_count_add(&v->counters[0].connections, 5);
    cl_count_add(&v->counters[1].connections, 7);
    cl_count_add(&v->counters[1].closed, 4);
    cl_count_add(&v->counters[0].resumed, 2);
    cl_count_add(&v->counters[0].hub.batches[7], 3);
    cl_count_add(&v->counters[1].hub.batches[7], 1);
    cl_count_add(&v->counters[0].hub.bytes_in, UINT32_MAX);
    cl_count_add(&v->counters[1].hub.bytes_in, 1);
    ask(v, "GET /counters.json", "", false);
    assert_true(v->answer.quiet);
    json_t *o = body_of(v);
    assert_int_equal(number(o, "connections"), 12);
    assert_int_equal(number(o, "open"), 8);
    assert_int_equal(number(o, "resumed"), 2);
    assert_int_equal(number(o, "bytes_in"), 1LL << 32);
    const json_t *batches = json_object_get(o, "batches");
    assert_int_equal(json_array_size(batches), CL_HUB_LANES);
    assert_int_equal(json_integer_value(json_array_get(batches, 7)), 4);
    json_decref(o);
}

static const json_t *event_at(const struct visitor *v, size_t i)
{
    return json_array_get(v->visit->events, i);
}

static void choice(struct visitor *v, const char *value)
{
    struct cleat_event e = {.kind = CLEAT_EVENT_CHOICE};
    e.choice.what = "server name";
    e.choice.value = value;
    e.choice.why = NULL;
    cl_demo_visit_event(v->visit, &e);
}

static void test_what_a_peer_says_cannot_break_the_json(void **state)
{
    struct visitor *v = *state;
    static const struct {
        const char *said, *told;
    } rows[] = {
        {"</script><script>alert(1)</script>", "</script><script>alert(1)</script>"},
        {"\",\"resumed\":true,\"x\":\"", "\",\"resumed\":true,\"x\":\""},
        {"line\r\nbreak\x01\x1b[31m", "line\r\nbreak\x01\x1b[31m"},
        {"not \xff\xfe UTF-8 \xc0\x80", "not ?? UTF-8 ??"},
        {"cut \xe2\x82", "cut ??"},
        {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
        {"\\u0022\\", "\\u0022\\"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        choice(v, rows[i].said);
    }
    ask(v, "GET /connection.json", "", false);
    json_t *o = body_of(v);
    const json_t *events = json_object_get(o, "events");
    assert_int_equal(json_array_size(events), sizeof(rows) / sizeof(rows[0]));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const json_t *e = json_array_get(events, i);
        assert_string_equal(json_string_value(json_object_get(e, "value")), rows[i].told);
        assert_true(json_is_null(json_object_get(e, "text")));
    }
    json_decref(o);
}

static void test_secrets_and_states_are_passed_over(void **state)
{
    struct visitor *v = *state;
    static const uint8_t secret[32] = {0x5e};
    struct cleat_event e = {.kind = CLEAT_EVENT_SECRET};
    e.secret.label = "CLIENT_HANDSHAKE_TRAFFIC_SECRET";
    e.secret.client_random = secret;
    e.secret.secret = secret;
    e.secret.secret_len = sizeof(secret);
    cl_demo_visit_event(v->visit, &e);
    e = (struct cleat_event){.kind = CLEAT_EVENT_STATE};
    e.state.name = "CL_HS_S13_WAIT_FINISHED";
    cl_demo_visit_event(v->visit, &e);
    cl_demo_visit_event(NULL, &e);
    assert_int_equal(json_array_size(v->visit->events), 0);
}

static void test_a_message_is_told_with_its_bytes_and_time(void **state)
{
    struct visitor *v = *state;
    static const uint8_t finished[36] = {20, 0, 0, 32};
    struct cleat_event e = {.kind = CLEAT_EVENT_MESSAGE, .sent = true};
    e.message.type = 20;
    e.message.name = "Finished";
    e.message.bytes = finished;
    e.message.len = sizeof(finished);
    cl_demo_visit_event(v->visit, &e);
    cl_demo_visit_event(v->visit, &e);
    const json_t *first = event_at(v, 0);
    assert_string_equal(json_string_value(json_object_get(first, "kind")), "message");
    assert_true(json_is_true(json_object_get(first, "sent")));
    assert_int_equal(number(first, "bytes"), 36);
    assert_int_equal(number(first, "type"), 20);
    assert_true(number(first, "us") >= 0);
    assert_true(number(event_at(v, 1), "us") >= number(first, "us"));
}

static void test_a_peer_that_makes_many_events_is_cut_short(void **state)
{
    struct visitor *v = *state;
    for (size_t i = 0; i < CL_DEMO_MAX_EVENTS; i++) {
        choice(v, "x");
    }
    assert_false(v->visit->full);
    choice(v, "one too many");
    assert_true(v->visit->full);
    assert_int_equal(json_array_size(v->visit->events), CL_DEMO_MAX_EVENTS);
}

static void test_nothing_from_elsewhere_may_be_loaded(void **state)
{
    size_t num = 0;
    const char *policy = NULL;
    const struct cl_demo_field *fields = cl_demo_fields(&num);
    for (size_t i = 0; i < num; i++) {
        policy = strcmp(fields[i].name, "Content-Security-Policy") == 0 ? fields[i].value : policy;
    }
    assert_non_null(policy);
    assert_ptr_equal(strstr(policy, "default-src 'none';"), policy);
    assert_null(strstr(policy, "unsafe"));
    assert_null(strstr(policy, "http"));
    assert_null(strstr(policy, "data:"));
    assert_null(strchr(policy, '*'));
    assert_non_null(strstr(policy, "frame-ancestors 'none'"));
}

#define VISIT(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_files_in_the_program_are_those_of_web),
        VISIT(test_a_page_and_its_parts_are_found_by_name),
        VISIT(test_only_get_and_head_are_answered),
        VISIT(test_what_the_browser_has_is_not_sent_again),
        VISIT(test_a_connection_is_told_of_itself),
        VISIT(test_a_connection_is_told_nothing_before_its_handshake_is_done),
        VISIT(test_counters_are_sums_over_workers),
        VISIT(test_what_a_peer_says_cannot_break_the_json),
        VISIT(test_secrets_and_states_are_passed_over),
        VISIT(test_a_message_is_told_with_its_bytes_and_time),
        VISIT(test_a_peer_that_makes_many_events_is_cut_short),
        cmocka_unit_test(test_nothing_from_elsewhere_may_be_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
