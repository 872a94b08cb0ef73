/* The secure stream: two ends over loopback in one loop, over TLS and in clear.
 *
 * Each end is a struct end: what it has to send, how much it takes at a time, what it saw. Every
 * test ends with both ends closed, no buffer lent, and no handle left in the loop.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "conn/carried.h"
#include "conn/stream.h"
#include "crypto/key.h"
#include "net/clock.h"
#include "net/listener.h"
#include "net/timer.h"
#include "x509/build.h"
#include "base/pem.h"

struct end {
    struct cl_stream *stream;
    const uint8_t *to_send;
    size_t send_len;
    size_t sent;
    uint8_t *got;
    size_t got_len;
    size_t got_cap;
    size_t take;       /* bytes taken of each offer; 0: all */
    bool close_at_end; /* of what is to be sent */
    bool finish_at_end;
    bool abort_on_data;
    uint32_t deadline_ms; /* from ready */
    int num_ready;
    int num_eof;
    int num_failed;
    int num_deadline;
    int num_closed;
    struct cl_stream_end how;
    struct cl_timer *resume;
};

struct world {
    uv_loop_t loop;
    struct cl_hub *hub;
    struct cl_listener *listener;
    struct sockaddr_storage addr;
    struct cl_tcp *raw; /* a client without a stream */
    struct end client;
    struct end server;
    bool tls;
    bool served; /* the server's stream was opened */
    uint32_t handshake_ms;
    struct cleat_tls_config *server_config;
    struct cleat_tls_config *client_config;
};

static struct world w;
/* What the streams run over: sockets, or streams of their own (conn/carried.h). */
static enum { SOCKETS, STREAMS_IN_CLEAR, STREAMS_IN_TLS } below;
static uint64_t rekey_after; /* records, at both ends; 0: the cipher's limit */
static unsigned num_updates; /* KeyUpdates that the server sent */

/* ---- ends ---- */

static void send_more(struct end *e)
{
    e->sent += cl_stream_write(e->stream, e->to_send + e->sent, e->send_len - e->sent);
    if (e->sent == e->send_len && e->close_at_end) {
        cl_stream_close(e->stream);
    } else if (e->sent == e->send_len && e->finish_at_end) {
        cl_stream_finish(e->stream);
    }
}

static void on_ready(void *ctx)
{
    struct end *e = ctx;
    e->num_ready++;
    if (e->deadline_ms != 0) {
        cl_stream_deadline(e->stream, e->deadline_ms);
    }
    send_more(e);
}

static void on_resume(void *ctx)
{
    struct end *e = ctx;
    if (e->num_closed == 0) {
        cl_stream_resume(e->stream);
    }
}

static size_t on_data(void *ctx, uint8_t *p, size_t len)
{
    struct end *e = ctx;
    if (e->abort_on_data) {
        cl_stream_abort(e->stream, "enough");
        return len;
    }
    size_t n = e->take != 0 && e->take < len ? e->take : len;
    assert_true(e->got_len + n <= e->got_cap);
    memcpy(e->got + e->got_len, p, n);
    e->got_len += n;
    if (n < len) {
        cl_timer_set(e->resume, 0);
    }
    return n;
}

static void on_drained(void *ctx)
{
    send_more(ctx);
}

static void on_eof(void *ctx)
{
    struct end *e = ctx;
    e->num_eof++;
    if (e->sent == e->send_len) {
        cl_stream_close(e->stream);
    } else {
        e->close_at_end = true;
    }
}

static void on_decision(void *ctx, enum cleat_decision which)
{
    struct end *e = ctx;
    assert_int_equal(which, CLEAT_DECIDE_PEER);
    assert_int_equal(cleat_tls_accept_peer(cl_stream_tls(e->stream)), CLEAT_OK);
    cl_stream_decided(e->stream);
}

static void on_failed(void *ctx, const struct cleat_error *error)
{
    struct end *e = ctx;
    e->num_failed++;
    if (error->code == CLEAT_ERR_HTTP_ON_TLS_PORT) {
        size_t len = 0;
        const uint8_t *p = cl_stream_clear_input(e->stream, &len);
        assert_memory_equal(p, "GET / HTTP", len < 10 ? len : 10);
        cl_stream_reply_clear(e->stream, "clear", 5);
    }
}

static void on_closed(void *ctx, const struct cl_stream_end *how)
{
    struct end *e = ctx;
    e->num_closed++;
    e->how = *how;
    e->stream = NULL;
}

static void on_deadline(void *ctx)
{
    struct end *e = ctx;
    e->num_deadline++;
    cl_stream_close(e->stream);
}

static const struct cl_stream_handler handler = {
    .ready = on_ready,
    .data = on_data,
    .drained = on_drained,
    .eof = on_eof,
    .decision = on_decision,
    .failed = on_failed,
    .deadline = on_deadline,
    .closed = on_closed,
};

/* ---- the world ---- */

static void open_end(struct end *e, struct cl_tcp *tcp, struct cleat_tls *tls)
{
    struct cl_stream_setup setup = {
        .tcp = tcp,
        .tls = tls,
        .handler = &handler,
        .ctx = e,
        .handshake_ms = w.handshake_ms,
    };
    assert_int_equal(cl_stream_open(w.hub, &setup, &e->stream), CL_OK);
}

/* A stream that carries another, while it becomes ready. */
struct carrying {
    struct cl_stream *stream;
    struct end *above;
    struct cleat_tls *tls; /* of the one above */
};

static void on_below_ready(void *ctx)
{
    struct carrying *c = ctx;
    struct cl_tcp *tcp = NULL;
    assert_int_equal(cl_carried_new(w.hub, c->stream, &tcp), CL_OK);
    open_end(c->above, tcp, c->tls);
    free(c);
}

static void on_below_decision(void *ctx, enum cleat_decision which)
{
    struct carrying *c = ctx;
    assert_int_equal(cleat_tls_accept_peer(cl_stream_tls(c->stream)), CLEAT_OK);
    cl_stream_decided(c->stream);
}

static void on_below_closed(void *ctx, const struct cl_stream_end *how)
{
    fail_msg("the stream below has closed before it was ready: %s", how->error.text);
}

static struct cleat_tls *new_tls(bool is_server)
{
    struct cleat_tls *tls = NULL;
    assert_int_equal(is_server ? cleat_tls_server_new(w.server_config, NULL, &tls)
                               : cleat_tls_client_new(w.client_config, "a.test", NULL, NULL, &tls),
                     CLEAT_OK);
    return tls;
}

static void start_end(struct end *e, struct cl_tcp *tcp, bool is_server)
{
    static const struct cl_stream_handler below_handler = {
        .ready = on_below_ready, .decision = on_below_decision, .closed = on_below_closed};
    struct cleat_tls *tls = w.tls ? new_tls(is_server) : NULL;
    if (below == SOCKETS) {
        open_end(e, tcp, tls);
        return;
    }
    struct carrying *c = calloc(1, sizeof(*c));
    assert_non_null(c);
    *c = (struct carrying){.above = e, .tls = tls};
    const struct cl_stream_setup setup = {.tcp = tcp,
                                          .tls =
                                              below == STREAMS_IN_TLS ? new_tls(is_server) : NULL,
                                          .handler = &below_handler,
                                          .ctx = c};
    assert_int_equal(cl_stream_open(w.hub, &setup, &c->stream), CL_OK);
}

static void on_incoming(void *ctx, struct cl_tcp *tcp)
{
    w.served = true;
    start_end(&w.server, tcp, true);
    cl_listener_free(w.listener);
    w.listener = NULL;
}

static void on_accept_error(void *ctx, int status)
{
    fail_msg("accept: %s", uv_strerror(status));
}

static void on_connected(void *ctx, int status)
{
    struct cl_tcp *tcp = ctx;
    assert_int_equal(status, 0);
    if (tcp != w.raw) {
        start_end(&w.client, tcp, false);
    }
}

static struct cleat_chain *self_signed(const struct cleat_key *key)
{
    static const char *const names[] = {"a.test"};
    static const uint8_t serial[] = {1, 2, 3};
    struct cl_cert_template tpl = {
        .spki = cl_key_spki(key),
        .serial = serial,
        .serial_len = sizeof(serial),
        .not_before = 0,
        .not_after = 4000000000,
        .path_len = -1,
        .dns_names = names,
        .num_dns_names = 1,
        .key_usage = CL_KU_DIGITAL_SIGNATURE,
    };
    struct cl_buf der = {0};
    struct cl_buf pem = {0};
    struct cleat_chain *chain = NULL;
    assert_int_equal(cl_cert_build(&der, &tpl, key, NULL), CL_OK);
    assert_int_equal(cl_pem_encode("CERTIFICATE", cl_buf_view(&der), &pem), CL_OK);
    assert_int_equal(cleat_chain_from_pem((const char *)pem.p, pem.len, &chain, NULL), CLEAT_OK);
    cl_buf_deinit(&der);
    cl_buf_deinit(&pem);
    return chain;
}

static void on_event(void *ctx, void *user, const struct cleat_event *event)
{
    const uint8_t key_update = 24;
    if (event->kind == CLEAT_EVENT_MESSAGE && event->sent && event->message.type == key_update) {
        num_updates++;
    }
}

static void make_configs(void)
{
    struct cleat_key *key = NULL;
    struct cleat_tls_builder *b = NULL;
    assert_int_equal(cl_key_generate(&key, CL_KEY_EC_P256, 0), CL_OK);
    struct cleat_chain *chain = self_signed(key);
    assert_int_equal(cleat_tls_builder_new(CLEAT_SERVER, &b), CLEAT_OK);
    cleat_tls_builder_clock(b, cl_clock_for_tls, NULL);
    assert_int_equal(cleat_tls_builder_credential(b, chain, key), CLEAT_OK);
    cleat_tls_builder_rekey(b, rekey_after);
    cleat_tls_builder_events(b, on_event, NULL, false);
    assert_int_equal(cleat_tls_builder_finish(b, &w.server_config, NULL), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_new(CLEAT_CLIENT, &b), CLEAT_OK);
    cleat_tls_builder_clock(b, cl_clock_for_tls, NULL);
    cleat_tls_builder_decide(b, CLEAT_DECIDE_PEER);
    cleat_tls_builder_rekey(b, rekey_after);
    assert_int_equal(cleat_tls_builder_finish(b, &w.client_config, NULL), CLEAT_OK);
    cleat_chain_free(chain);
    cleat_key_free(key);
}

static void begin(bool tls)
{
    static const struct cl_listener_handler listener_handler = {.incoming = on_incoming,
                                                                .error = on_accept_error};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    /* 60 s: under valgrind, on a busy machine, the first handshake takes its time */
    w = (struct world){.tls = tls, .handshake_ms = 60000};
    assert_int_equal(uv_loop_init(&w.loop), 0);
    assert_int_equal(cl_hub_new(&w.loop, &w.hub), CL_OK);
    memcpy(&w.addr, &in, sizeof(in));
    int fd = cl_listener_bind(&w.addr, true);
    assert_int_equal(cl_listener_new(&w.loop, fd, &listener_handler, NULL, &w.listener), 0);
    for (int i = 0; i < 2; i++) {
        struct end *e = i == 0 ? &w.client : &w.server;
        e->got_cap = 6 << 20;
        e->got = malloc(e->got_cap);
        assert_int_equal(cl_timer_new(&w.loop, on_resume, e, &e->resume), CL_OK);
    }
    if (tls || below == STREAMS_IN_TLS) {
        make_configs();
    }
}

static struct cl_tcp *connect_to_server(void)
{
    struct cl_tcp *tcp = NULL;
    assert_int_equal(cl_tcp_new(&w.loop, &tcp), CL_OK);
    assert_int_equal(cl_tcp_connect(tcp, (struct sockaddr *)&w.addr, on_connected, tcp), 0);
    return tcp;
}

static bool all_closed(void)
{
    bool client = w.raw != NULL || w.client.num_closed > 0;
    return client && w.server.num_closed > 0;
}

static void run_until_closed(void)
{
    while (!all_closed()) {
        bool alive = uv_run(&w.loop, UV_RUN_ONCE) != 0;
        assert_true(alive || all_closed());
        /* two streams, and those below: an input and an output buffer each, at the very most */
        assert_true(cl_hub_pool(w.hub)->num_lent <= (below == SOCKETS ? 4 : 8));
    }
}

static void end(void)
{
    assert_int_equal(w.server.num_closed, 1);
    if (below != SOCKETS) {
        uv_run(&w.loop, UV_RUN_DEFAULT); /* those below close, too */
    }
    assert_int_equal(cl_hub_pool(w.hub)->num_lent, 0);
    for (int i = 0; i < 2; i++) {
        struct end *e = i == 0 ? &w.client : &w.server;
        cl_timer_free(e->resume);
        free(e->got);
    }
    cl_tcp_free(w.raw);
    cl_hub_free(w.hub);
    cleat_tls_config_free(w.server_config);
    cleat_tls_config_free(w.client_config);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w.loop), 0);
}

static uint8_t *pattern(size_t len, uint32_t seed)
{
    uint8_t *p = malloc(len);
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525 + 1013904223;
        p[i] = (uint8_t)(seed >> 24);
    }
    return p;
}

/* ---- tests ---- */

static void test_both_ends_talk_and_close(void **state)
{
    for (int tls = 0; tls < 2; tls++) {
        begin(tls != 0);
        w.client.to_send = (const uint8_t *)"question";
        w.client.send_len = 8;
        w.client.finish_at_end = true;
        w.server.to_send = (const uint8_t *)"answer";
        w.server.send_len = 6;
        connect_to_server();
        run_until_closed();
        assert_int_equal(w.client.num_ready, 1);
        assert_int_equal(w.server.num_ready, 1);
        assert_int_equal(w.server.got_len, 8);
        assert_memory_equal(w.server.got, "question", 8);
        assert_memory_equal(w.client.got, "answer", 6);
        assert_int_equal(w.server.num_eof, 1);
        assert_int_equal(w.server.how.cause, CL_STREAM_FINISHED);
        assert_int_equal(w.client.how.cause, CL_STREAM_FINISHED);
        assert_true(w.client.how.bytes_out == w.server.how.bytes_in);
        assert_true(w.client.how.bytes_in == w.server.how.bytes_out);
        end();
    }
}

static void test_a_half_closed_end_still_receives(void **state)
{
    size_t len = below == SOCKETS ? 3 << 20 : 1 << 20;
    uint8_t *bytes = pattern(len, 7);
    for (int tls = 0; tls < 2; tls++) {
        begin(tls != 0);
        w.client.finish_at_end = true; /* at once: nothing to send */
        w.server.to_send = bytes;
        w.server.send_len = len;
        connect_to_server();
        run_until_closed();
        assert_int_equal(w.server.num_eof, 1);
        assert_int_equal(w.client.got_len, len);
        assert_memory_equal(w.client.got, bytes, len);
        end();
    }
    free(bytes);
}

static void test_slow_receivers_push_back_and_lose_nothing(void **state)
{
    size_t len = below == SOCKETS ? 5 << 20 : 1 << 20;
    uint8_t *to_server = pattern(len, 1);
    uint8_t *to_client = pattern(len, 2);
    for (int tls = 0; tls < 2; tls++) {
        begin(tls != 0);
        w.client.to_send = to_server;
        w.client.send_len = len;
        w.client.finish_at_end = true;
        w.client.take = 10007;
        w.server.to_send = to_client;
        w.server.send_len = len;
        w.server.take = 20011;
        connect_to_server();
        run_until_closed();
        assert_int_equal(w.server.got_len, len);
        assert_memory_equal(w.server.got, to_server, len);
        assert_int_equal(w.client.got_len, len);
        assert_memory_equal(w.client.got, to_client, len);
        end();
    }
    free(to_server);
    free(to_client);
}

static void test_an_idle_stream_holds_no_buffer(void **state)
{
    for (int tls = 0; tls < 2; tls++) {
        begin(tls != 0);
        w.client.to_send = (const uint8_t *)"x";
        w.client.send_len = 1;
        w.client.deadline_ms = 100;
        connect_to_server();
        while (w.server.got_len == 0 || w.client.num_ready == 0) {
            uv_run(&w.loop, UV_RUN_ONCE);
        }
        for (int i = 0; i < 3; i++) {
            uv_run(&w.loop, UV_RUN_NOWAIT);
        }
        assert_int_equal(cl_hub_pool(w.hub)->num_lent, 0);
        run_until_closed();
        assert_int_equal(w.client.num_deadline, 1);
        end();
    }
}

static void test_a_deadline_is_told_and_can_be_moved(void **state)
{
    begin(true);
    w.server.deadline_ms = 30;
    connect_to_server();
    while (w.server.num_ready == 0) {
        uv_run(&w.loop, UV_RUN_ONCE);
    }
    uint64_t started = uv_now(&w.loop);
    cl_stream_deadline(w.server.stream, 120);
    run_until_closed();
    assert_true(uv_now(&w.loop) - started >= 120);
    assert_int_equal(w.server.num_deadline, 1);
    assert_int_equal(w.server.how.cause, CL_STREAM_FINISHED);
    assert_int_equal(w.client.num_eof, 1);
    end();
}

static void test_a_silent_client_is_given_up(void **state)
{
    begin(true);
    w.handshake_ms = 50;
    w.raw = connect_to_server();
    run_until_closed();
    assert_int_equal(w.server.how.cause, CL_STREAM_TIMED_OUT);
    assert_false(w.server.how.was_ready);
    assert_non_null(strstr(w.server.how.error.text, "not finished in time"));
    end();
}

static void test_an_abort_inside_a_callback_is_safe(void **state)
{
    for (int tls = 0; tls < 2; tls++) {
        begin(tls != 0);
        w.client.to_send = (const uint8_t *)"x";
        w.client.send_len = 1;
        w.server.abort_on_data = true;
        connect_to_server();
        run_until_closed();
        assert_int_equal(w.server.how.cause, CL_STREAM_ABORTED);
        assert_string_equal(w.server.how.error.text, "enough");
        /* no close_notify came: over TLS that is noticed */
        assert_int_not_equal(w.client.how.cause, tls ? CL_STREAM_FINISHED : -1);
        end();
    }
}

static void send_raw(const char *bytes, size_t len, bool fin)
{
    w.raw = connect_to_server();
    while (!w.served) {
        uv_run(&w.loop, UV_RUN_ONCE);
    }
    assert_int_equal(cl_tcp_send(w.raw, (const uint8_t *)bytes, len), len);
    if (fin) {
        cl_tcp_finish(w.raw);
    }
}

static void test_what_is_no_tls_fails_with_its_reason(void **state)
{
    static const struct {
        const char *bytes;
        bool fin;
        enum cl_stream_cause cause;
        int code;
    } rows[] = {
        {"garbage that is long enough to be seen as such", false, CL_STREAM_TLS, CLEAT_ERR_NOT_TLS},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", false, CL_STREAM_TLS, CLEAT_ERR_HTTP_ON_TLS_PORT},
        {"\x16\x03\x01\x02", true, CL_STREAM_TRUNCATED, CLEAT_ERR_TRUNCATED},
        {"", true, CL_STREAM_TRUNCATED, CLEAT_ERR_TRUNCATED},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin(true);
        send_raw(rows[i].bytes, strlen(rows[i].bytes), rows[i].fin);
        if (!rows[i].fin) {
            cl_tcp_finish(w.raw); /* so that nobody lingers */
        }
        run_until_closed();
        assert_int_equal(w.server.how.cause, rows[i].cause);
        assert_int_equal(w.server.how.error.code, rows[i].code);
        assert_int_equal(w.server.num_failed, rows[i].cause == CL_STREAM_TLS);
        assert_true(w.server.how.bytes_in == strlen(rows[i].bytes));
        end();
    }
}

static uint8_t raw_got[256];
static size_t raw_len;

static uint8_t *raw_room(void *ctx, size_t *len)
{
    *len = sizeof(raw_got) - raw_len;
    return raw_got + raw_len;
}

static void raw_received(void *ctx, size_t len)
{
    raw_len += len;
}

static void raw_ended(void *ctx, int status)
{
    cl_tcp_finish(w.raw);
}

static void test_plain_http_gets_a_clear_answer(void **state)
{
    static const struct cl_tcp_handler raw_handler = {
        .room = raw_room,
        .received = raw_received,
        .ended = raw_ended,
    };
    begin(true);
    raw_len = 0;
    send_raw("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27, false);
    cl_tcp_attach(w.raw, &raw_handler, NULL);
    cl_tcp_read(w.raw, true);
    run_until_closed();
    assert_int_equal(raw_len, 5);
    assert_memory_equal(raw_got, "clear", 5);
    end();
}

static void test_a_key_update_goes_unnoticed(void **state)
{
    begin(true);
    w.client.to_send = (const uint8_t *)"before";
    w.client.send_len = 6;
    connect_to_server();
    while (w.server.got_len < 6) {
        uv_run(&w.loop, UV_RUN_ONCE);
    }
    cl_stream_key_update(w.client.stream, true);
    assert_int_equal(cl_stream_write(w.client.stream, "after", 5), 5);
    while (w.server.got_len < 11) {
        uv_run(&w.loop, UV_RUN_ONCE);
    }
    assert_int_equal(cl_stream_write(w.server.stream, "back", 4), 4);
    cl_stream_close(w.server.stream);
    run_until_closed();
    assert_memory_equal(w.server.got, "beforeafter", 11);
    assert_memory_equal(w.client.got, "back", 4);
    end();
}

/* As before a cipher's limit (RFC 9846 5.5), which is too far off for a test. */
static void test_keys_change_by_themselves_while_much_is_written(void **state)
{
    size_t len = 2 << 20;
    uint8_t *bytes = pattern(len, 3);
    rekey_after = 3;
    num_updates = 0;
    begin(true);
    w.client.finish_at_end = true;
    w.client.take = 10007;
    w.server.to_send = bytes;
    w.server.send_len = len;
    connect_to_server();
    run_until_closed();
    assert_int_equal(w.client.got_len, len);
    assert_memory_equal(w.client.got, bytes, len);
    assert_true(num_updates >= len / 16384 / rekey_after);
    end();
    rekey_after = 0;
    free(bytes);
}

static int set_below(void **state)
{
    below++;
    return 0;
}

int main(void)
{
    const struct CMUnitTest carried[] = {
        cmocka_unit_test(test_both_ends_talk_and_close),
        cmocka_unit_test(test_a_half_closed_end_still_receives),
        cmocka_unit_test(test_slow_receivers_push_back_and_lose_nothing),
        cmocka_unit_test(test_an_idle_stream_holds_no_buffer),
        cmocka_unit_test(test_a_deadline_is_told_and_can_be_moved),
        cmocka_unit_test(test_an_abort_inside_a_callback_is_safe),
        cmocka_unit_test(test_a_key_update_goes_unnoticed),
        cmocka_unit_test(test_keys_change_by_themselves_while_much_is_written),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ends_talk_and_close),
        cmocka_unit_test(test_a_half_closed_end_still_receives),
        cmocka_unit_test(test_slow_receivers_push_back_and_lose_nothing),
        cmocka_unit_test(test_an_idle_stream_holds_no_buffer),
        cmocka_unit_test(test_a_deadline_is_told_and_can_be_moved),
        cmocka_unit_test(test_a_silent_client_is_given_up),
        cmocka_unit_test(test_an_abort_inside_a_callback_is_safe),
        cmocka_unit_test(test_what_is_no_tls_fails_with_its_reason),
        cmocka_unit_test(test_plain_http_gets_a_clear_answer),
        cmocka_unit_test(test_a_key_update_goes_unnoticed),
        cmocka_unit_test(test_keys_change_by_themselves_while_much_is_written),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    failed += cmocka_run_group_tests_name("over streams in clear", carried, set_below, NULL);
    failed += cmocka_run_group_tests_name("over streams in TLS", carried, set_below, NULL);
    return failed;
}
