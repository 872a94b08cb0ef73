/* tests/h2/test_states.c - the states of a stream (RFC 9113 5.1), walked: each frame in each state,
 * by a table that is written from the RFC and knows nothing of the code. */
#include <stdio.h>
#include <string.h>

#include "support_h2.h"

enum { DATA = 0, HEADERS = 1, PRIORITY = 2, RST_STREAM = 3, WINDOW_UPDATE = 8, CONTINUATION = 9 };
enum { UNKNOWN = 0xf0, END_STREAM = 1, END_HEADERS = 4 };

static struct end end; /* the one that is looked at */
static const char ok[] = "HTTP/1.1 200 OK\r\n\r\n";

static void send_frame(uint8_t type, uint8_t flags, uint32_t stream, const void *p, size_t len)
{
    struct cl_buf b = {0};
    frame(&b, type, flags, stream, p, len);
    feed(&end, b.p, b.len);
    cl_buf_deinit(&b);
}

/* A head: of a request, or trailers. */
static void send_head(uint32_t stream, bool opens, uint8_t flags)
{
    struct cl_buf b = {0};
    if (opens) {
        block(&b, "/");
    } else {
        literal(&b, "x", "y");
    }
    send_frame(HEADERS, flags | END_HEADERS, stream, b.p, b.len);
    cl_buf_deinit(&b);
}

static void respond_ok(uint32_t stream, bool ends)
{
    struct cleat_http_head h;
    assert_int_equal(cleat_h2_respond(end.h2, stream, response(&h, ok), ends), CLEAT_OK);
    (void)answers_of(&end, stream);
    feed(&end, "", 0);
}

/* ---- a server's streams; each function brings stream 5 into the state that it is named as ---- */

static void idle(void)
{
}

static void skipped(void)
{
    send_head(3, true, END_STREAM);
    send_head(7, true, END_STREAM);
}

static void open_(void)
{
    send_head(5, true, 0);
}

static void half_closed_remote(void)
{
    send_head(5, true, END_STREAM);
}

static void half_closed_local(void)
{
    send_head(5, true, 0);
    respond_ok(5, true);
}

static void ended(void)
{
    send_head(5, true, END_STREAM);
    respond_ok(5, true);
}

static void ended_by_data(void)
{
    half_closed_local();
    send_frame(DATA, END_STREAM, 5, "x", 1);
}

static void ended_and_cancelled(void)
{
    send_head(5, true, END_STREAM);
    send_frame(RST_STREAM, 0, 5, "\0\0\0\x08", 4);
}

static void reset_by_peer(void)
{
    send_head(5, true, 0);
    send_frame(RST_STREAM, 0, 5, "\0\0\0\x08", 4);
}

static void reset_by_us(void)
{
    send_head(5, true, 0);
    cleat_h2_reset(end.h2, 5, CLEAT_H2_CANCEL);
    assert_int_equal(answers_of(&end, 5).reset, CLEAT_H2_CANCEL);
}

static void stopped(void) /* answered before the request was complete, and not to go on */
{
    send_head(5, true, 0);
    cleat_h2_stop(end.h2, 5);
    respond_ok(5, true);
}

static void both_reset(void)
{
    reset_by_us();
    send_frame(RST_STREAM, 0, 5, "\0\0\0\x08", 4);
}

static void reset_by_us_and_ended(void)
{
    reset_by_us();
    send_frame(DATA, END_STREAM, 5, "x", 1);
}

static void malformed(void) /* nghttp2 resets it: there are no pseudo-fields */
{
    send_head(5, false, 0);
    assert_int_equal(answers_of(&end, 5).reset, CLEAT_H2_PROTOCOL_ERROR);
}

static void behind_goaway(void)
{
    uint64_t next;
    send_head(3, true, END_STREAM);
    assert_int_equal(cleat_h2_shutdown(end.h2, 1), CLEAT_OK);
    cleat_h2_tick(end.h2, 5000000, &next);
    assert_int_equal(answers_of(&end, 0).goaway, CLEAT_H2_NO_ERROR);
    send_head(5, true, 0);
}

/* What comes of a frame: nothing (it is taken, or ignored), or an error with a code, 'S' of the
 * stream, 'C' of the connection. */
#define FINE \
    {        \
        0, 0 \
    }
#define S(code)              \
    {                        \
        'S', CLEAT_H2_##code \
    }
#define C(code)              \
    {                        \
        'C', CLEAT_H2_##code \
    }

struct outcome {
    char scope;
    uint32_t code;
};

enum { NUM_KINDS = 7 };

static const struct row {
    const char *name;
    void (*set_up)(void);
    bool opens; /* HEADERS are those of a request */
    /* DATA, HEADERS, PRIORITY, RST_STREAM, WINDOW_UPDATE, unknown, CONTINUATION */
    struct outcome outcomes[NUM_KINDS];
} rows[] = {
#define P  C(PROTOCOL_ERROR)
#define SC C(STREAM_CLOSED)
    {"idle", idle, true, {P, FINE, FINE, P, P, FINE, P}},
    {"skipped", skipped, true, {SC, P, FINE, FINE, FINE, FINE, P}},
    {"open", open_, false, {FINE, FINE, FINE, FINE, FINE, FINE, P}},
    {"half-closed (remote)", half_closed_remote, false, {SC, SC, FINE, FINE, FINE, FINE, P}},
    {"half-closed (local)", half_closed_local, false, {FINE, FINE, FINE, FINE, FINE, FINE, P}},
    {"ended", ended, true, {SC, SC, FINE, FINE, FINE, FINE, P}},
    {"ended by data", ended_by_data, false, {SC, SC, FINE, FINE, FINE, FINE, P}},
    {"cancelled when ended", ended_and_cancelled, false, {SC, SC, FINE, FINE, FINE, FINE, P}},
    {"reset by the peer",
     reset_by_peer,
     false,
     {S(STREAM_CLOSED), S(STREAM_CLOSED), FINE, FINE, FINE, FINE, P}},
    {"reset by us", reset_by_us, false, {FINE, FINE, FINE, FINE, FINE, FINE, P}},
    {"stopped by us", stopped, false, {FINE, FINE, FINE, FINE, FINE, FINE, P}},
    {"reset by both",
     both_reset,
     false,
     {S(STREAM_CLOSED), S(STREAM_CLOSED), FINE, FINE, FINE, FINE, P}},
    {"reset by us and ended", reset_by_us_and_ended, false, {SC, SC, FINE, FINE, FINE, FINE, P}},
    {"malformed", malformed, false, {FINE, FINE, FINE, FINE, FINE, FINE, P}},
    {"behind GOAWAY", behind_goaway, true, {FINE, FINE, FINE, FINE, FINE, FINE, P}},
};

static void send_kind(size_t kind, uint32_t stream, bool opens)
{
    static const struct {
        uint8_t type, flags, len;
        const char *payload;
    } kinds[NUM_KINDS] = {
        {DATA, 0, 4, "test"},
        {HEADERS, END_STREAM, 0, NULL},
        {PRIORITY, 0, 5, "\0\0\0\0\x10"},
        {RST_STREAM, 0, 4, "\0\0\0\x08"},
        {WINDOW_UPDATE, 0, 4, "\0\0\0\x01"},
        {UNKNOWN, 0, 1, "x"},
        {CONTINUATION, END_HEADERS, 4, "\0\1x\0"},
    };
    if (kinds[kind].type == HEADERS) {
        send_head(stream, opens, END_STREAM);
    } else {
        send_frame(kinds[kind].type, kinds[kind].flags, stream, kinds[kind].payload,
                   kinds[kind].len);
    }
}

static void expect(const char *name, size_t kind, struct outcome wanted, uint32_t stream)
{
    const struct answers a = answers_of(&end, stream);
    struct outcome got = FINE;
    if (a.goaway != UINT32_MAX && a.goaway != CLEAT_H2_NO_ERROR) {
        got = (struct outcome){'C', a.goaway};
    } else if (a.reset != UINT32_MAX) {
        got = (struct outcome){'S', a.reset};
    }
    if (got.scope != wanted.scope || got.code != wanted.code) {
        fail_msg("%s, frame %zu: %c %s instead of %c %s", name, kind,
                 got.scope == 0 ? '-' : got.scope, cleat_h2_code_name(got.code),
                 wanted.scope == 0 ? '-' : wanted.scope, cleat_h2_code_name(wanted.code));
    }
    struct cleat_error err;
    assert_int_equal(cleat_h2_error(end.h2, &err) != CLEAT_OK, wanted.scope == 'C');
}

static void test_each_frame_in_each_state_of_a_servers_stream(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t kind = 0; kind < NUM_KINDS; kind++) {
            for (size_t piece = 1; piece < 100; piece += 98) {
                start(&end, true, NULL);
                greet(&end);
                end.piece = piece;
                rows[i].set_up();
                (void)answers_of(&end, 5);
                send_kind(kind, 5, rows[i].opens);
                expect(rows[i].name, kind, rows[i].outcomes[kind], 5);
                finish(&end);
            }
        }
    }
}

static void test_a_client_opens_no_stream_with_an_even_number(void **state)
{
    static const struct outcome outcomes[NUM_KINDS] = {P, P, FINE, P, P, FINE, P};
    (void)state;
    for (size_t kind = 0; kind < NUM_KINDS; kind++) {
        start(&end, true, NULL);
        greet(&end);
        send_head(5, true, END_STREAM);
        (void)answers_of(&end, 5);
        send_kind(kind, 4, true);
        expect("even", kind, outcomes[kind], 4);
        finish(&end);
    }
}

/* ---- what is on its way to streams that we have reset ---- */

static void test_data_for_a_stream_that_we_have_reset_counts_and_is_given_back(void **state)
{
    static const uint8_t some[16384];
    struct cleat_error err;
    uint32_t given = 0;
    (void)state;
    start(&end, true, NULL);
    greet(&end);
    reset_by_us();
    for (int i = 0; i < 200; i++) { /* three times the connection's window */
        send_frame(DATA, 0, 5, some, sizeof(some));
        given += answers_of(&end, 5).given;
    }
    assert_int_equal(cleat_h2_error(end.h2, &err), CLEAT_OK);
    assert_in_range(given, 200 * sizeof(some) - 1048576, 200 * sizeof(some));
    assert_int_equal(end.data.len, 0);
    finish(&end);
}

/* The table of HPACK is the connection's: what such a head adds to it counts, too. */
static void send_indexing_trailers_to(uint32_t stream)
{
    struct cl_buf b = {0};
    literal(&b, "x-kept", "in step");
    b.p[0] = 0x40; /* with indexing */
    send_frame(HEADERS, END_HEADERS | END_STREAM, stream, b.p, b.len);
    cl_buf_deinit(&b);
    block(&b, "/");
    assert_int_equal(cl_buf_append(&b, "\xbe", 1, SIZE_MAX), CL_OK); /* 62, the newest */
    send_frame(HEADERS, END_HEADERS | END_STREAM, 7, b.p, b.len);
    cl_buf_deinit(&b);
    const struct told *t = find(&end, CLEAT_H2_HEAD, 7, 0);
    assert_non_null(t);
    assert_non_null(strstr(t->head, "x-kept: in step"));
}

static void test_hpack_stays_in_step_with_heads_that_are_ignored(void **state)
{
    static void (*const set_ups[])(void) = {reset_by_us, reset_by_peer, stopped, malformed};
    (void)state;
    for (size_t i = 0; i < sizeof(set_ups) / sizeof(set_ups[0]); i++) {
        start(&end, true, NULL);
        greet(&end);
        set_ups[i]();
        send_indexing_trailers_to(5);
        finish(&end);
    }
}

static void reset_many(uint32_t num)
{
    for (uint32_t id = 1; id < 2 * num; id += 2) {
        send_head(id, true, 0);
        cleat_h2_reset(end.h2, id, CLEAT_H2_CANCEL);
        assert_int_equal(answers_of(&end, id).reset, CLEAT_H2_CANCEL);
        feed(&end, "", 0);
    }
}

static void test_no_reset_of_ours_is_ever_held_against_a_slow_peer(void **state)
{
    struct cleat_error err;
    (void)state;
    start(&end, true, NULL);
    greet(&end);
    reset_many(1000);
    for (uint32_t id = 1; id < 2000; id += 2) {
        send_frame(DATA, END_STREAM, id, "late", 4);
    }
    assert_int_equal(cleat_h2_error(end.h2, &err), CLEAT_OK);
    assert_int_equal(answers_of(&end, 1999).reset, UINT32_MAX);
    /* the last are remembered, and with them that they have ended now */
    send_frame(DATA, 0, 1999, "more", 4);
    assert_int_equal(answers_of(&end, 0).goaway, CLEAT_H2_STREAM_CLOSED);
    finish(&end);
}

static void test_bodies_of_streams_that_were_refused_are_ignored(void **state)
{
    struct cleat_error err;
    (void)state;
    start(&end, true, NULL);
    feed(&end, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    send_frame(4, 0, 0, "", 0); /* who has not acknowledged the limit cannot know it */
    for (uint32_t id = 1; id < 2 * 150; id += 2) { /* 100 are allowed */
        send_head(id, true, 0);
    }
    for (uint32_t id = 1; id < 2 * 150; id += 2) {
        send_frame(DATA, END_STREAM, id, "body", 4);
    }
    assert_int_equal(cleat_h2_error(end.h2, &err), CLEAT_OK);
    assert_int_equal(answers_of(&end, 299).reset, CLEAT_H2_REFUSED_STREAM);
    finish(&end);
}

/* nghttp2 knows nothing of a stream that it has refused, and the refusal has not been written. */
static void test_the_body_may_overtake_the_refusal(void **state)
{
    static const uint8_t some[49152];
    struct cleat_h2_options o;
    struct cleat_http_head h;
    struct cleat_error err;
    size_t taken;
    (void)state;
    cleat_h2_options_init(&o, true);
    o.max_streams = 1;
    start(&end, true, &o);
    feed(&end, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    send_frame(4, 0, 0, "", 0);
    send_head(1, true, END_STREAM);
    assert_int_equal(cleat_h2_respond(end.h2, 1, response(&h, ok), false), CLEAT_OK);
    assert_int_equal(cleat_h2_write(end.h2, 1, some, sizeof(some), false, &taken), CLEAT_OK);
    send_frame(6, 0, 0, "12345678", 8); /* now the transport's buffer is full */
    send_head(3, true, 0);
    send_frame(DATA, END_STREAM, 3, "body", 4);
    assert_int_equal(cleat_h2_error(end.h2, &err), CLEAT_OK);
    assert_int_equal(answers_of(&end, 3).reset, CLEAT_H2_REFUSED_STREAM);
    finish(&end);
}

static void test_a_client_that_resets_many_and_goes_on_with_them_only_loses_those(void **state)
{
    struct cleat_error err;
    (void)state;
    start(&end, true, NULL);
    greet(&end);
    for (uint32_t id = 1; id < 2 * 60; id += 2) {
        send_head(id, true, 0);
    }
    for (uint32_t id = 1; id < 2 * 60; id += 2) {
        send_frame(RST_STREAM, 0, id, "\0\0\0\x08", 4);
    }
    for (uint32_t id = 1; id < 2 * 60; id += 2) {
        send_frame(DATA, 0, id, "late", 4);
    }
    assert_int_equal(cleat_h2_error(end.h2, &err), CLEAT_OK);
    assert_int_equal(answers_of(&end, 119).reset, CLEAT_H2_STREAM_CLOSED);
    finish(&end);
}

static void test_who_goes_on_with_streams_that_it_resets_is_stopped(void **state)
{
    struct cleat_error err;
    uint32_t id = 1;
    (void)state;
    start(&end, true, NULL);
    greet(&end);
    for (; id < 2000 && cleat_h2_error(end.h2, &err) == CLEAT_OK; id += 2) {
        send_head(id, true, 0);
        send_frame(RST_STREAM, 0, id, "\0\0\0\x08", 4);
        send_frame(DATA, 0, id, "late", 4);
    }
    assert_true(id < 2 * 110); /* each costs two resets */
    assert_int_equal(answers_of(&end, 0).goaway, CLEAT_H2_ENHANCE_YOUR_CALM);
    finish(&end);
}

static void test_the_error_says_which_stream(void **state)
{
    struct cleat_error err;
    (void)state;
    start(&end, true, NULL);
    greet(&end);
    ended();
    send_frame(DATA, 0, 5, "late", 4);
    assert_int_equal(cleat_h2_error(end.h2, &err), CLEAT_ERR_HTTP_SYNTAX);
    assert_string_equal(err.section, "RFC 9113 5.1");
    assert_non_null(strstr(err.text, "stream 5"));
    assert_non_null(find(&end, CLEAT_H2_FAILED, 0, 0));
    finish(&end);
    start(&end, true, NULL);
    greet(&end);
    skipped();
    send_head(5, true, END_STREAM);
    assert_int_equal(cleat_h2_error(end.h2, &err), CLEAT_ERR_HTTP_SYNTAX);
    assert_string_equal(err.section, "RFC 9113 5.1.1");
    finish(&end);
}

/* ---- a client's streams: 1, and what a server sends for it ---- */

static void client_ask(bool ends)
{
    struct cleat_http_head h;
    uint32_t stream;
    const char *text = "POST / HTTP/1.1\r\nHost: example.com\r\n\r\n";
    assert_int_equal(cleat_h2_request(end.h2, request(&h, text), true, NULL, ends, NULL, &stream),
                     CLEAT_OK);
    assert_int_equal(stream, 1);
    (void)answers_of(&end, 1);
}

static void send_response(uint32_t stream, uint8_t flags)
{
    send_frame(HEADERS, flags | END_HEADERS, stream, "\x88", 1); /* :status 200 */
}

static void client_idle(void)
{
}

static void client_waits(void)
{
    client_ask(true);
}

static void client_reads(void)
{
    client_ask(false);
    send_response(1, 0);
}

static void client_half_closed_remote(void)
{
    client_ask(false);
    send_response(1, END_STREAM);
}

static void client_ended(void)
{
    client_ask(true);
    send_response(1, END_STREAM);
}

static void client_cancelled(void)
{
    client_ask(true);
    cleat_h2_reset(end.h2, 1, CLEAT_H2_CANCEL);
    assert_int_equal(answers_of(&end, 1).reset, CLEAT_H2_CANCEL);
}

static void client_was_reset(void)
{
    client_ask(true);
    send_frame(RST_STREAM, 0, 1, "\0\0\0\x08", 4);
}

static void client_ended_with_no_error(void) /* RFC 9113 8.1: the body is not wanted */
{
    client_half_closed_remote();
    send_frame(RST_STREAM, 0, 1, "\0\0\0\0", 4);
}

static void test_each_frame_in_each_state_of_a_clients_stream(void **state)
{
    static const struct {
        const char *name;
        void (*set_up)(void);
        struct outcome data, response, reset, window;
    } client_rows[] = {
        {"idle", client_idle, P, P, P, P},
        {"waits", client_waits, P, FINE, FINE, FINE},
        {"reads", client_reads, FINE, S(PROTOCOL_ERROR), FINE, FINE},
        {"half-closed (remote)", client_half_closed_remote, SC, SC, FINE, FINE},
        {"ended", client_ended, SC, SC, FINE, FINE},
        {"ended, then reset", client_ended_with_no_error, SC, SC, FINE, FINE},
        {"cancelled", client_cancelled, FINE, FINE, FINE, FINE},
        {"reset by the server", client_was_reset, S(STREAM_CLOSED), S(STREAM_CLOSED), FINE, FINE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(client_rows) / sizeof(client_rows[0]); i++) {
        for (size_t kind = 0; kind < 4; kind++) {
            start(&end, false, NULL);
            send_frame(4, 0, 0, "", 0);
            client_rows[i].set_up();
            (void)answers_of(&end, 1);
            if (kind == 1) {
                send_response(1, 0);
            } else {
                static const uint8_t types[] = {DATA, 0, RST_STREAM, WINDOW_UPDATE};
                send_frame(types[kind], 0, 1, "\0\0\0\x08", 4);
            }
            const struct outcome outcomes[] = {client_rows[i].data, client_rows[i].response,
                                               client_rows[i].reset, client_rows[i].window};
            expect(client_rows[i].name, kind, outcomes[kind], 1);
            finish(&end);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_frame_in_each_state_of_a_servers_stream),
        cmocka_unit_test(test_a_client_opens_no_stream_with_an_even_number),
        cmocka_unit_test(test_data_for_a_stream_that_we_have_reset_counts_and_is_given_back),
        cmocka_unit_test(test_hpack_stays_in_step_with_heads_that_are_ignored),
        cmocka_unit_test(test_no_reset_of_ours_is_ever_held_against_a_slow_peer),
        cmocka_unit_test(test_bodies_of_streams_that_were_refused_are_ignored),
        cmocka_unit_test(test_the_body_may_overtake_the_refusal),
        cmocka_unit_test(test_a_client_that_resets_many_and_goes_on_with_them_only_loses_those),
        cmocka_unit_test(test_who_goes_on_with_streams_that_it_resets_is_stopped),
        cmocka_unit_test(test_the_error_says_which_stream),
        cmocka_unit_test(test_each_frame_in_each_state_of_a_clients_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
