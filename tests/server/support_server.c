/* tests/server/support_server.c - see support_server.h. */
#include "support_server.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "http/write.h"

void pattern(uint8_t *p, size_t at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        p[i] = (uint8_t)('a' + (at + i) % 26);
    }
}

static void note(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void note(struct world *w, const char *fmt, ...)
{
    va_list args;
    const size_t at = strlen(w->log);
    va_start(args, fmt);
    (void)vsnprintf(w->log + at, sizeof(w->log) - at, fmt, args);
    va_end(args);
}

bool world_has(const struct world *w, const char *text)
{
    return strstr(w->log, text) != NULL;
}

/* ---- the application ---- */

static void write_on(struct world *w, struct cleat_http_exchange *x)
{
    uint8_t buf[3000];
    size_t taken = 1;
    while (w->to_write > 0 && taken > 0) {
        const size_t n = w->to_write < sizeof(buf) ? w->to_write : sizeof(buf);
        const bool end = n == w->to_write && w->policy.trailers == NULL;
        pattern(buf, w->written, n);
        if (cleat_http_exchange_write(x, buf, n, end, &taken) != CLEAT_OK) {
            note(w, "write failed, ");
            w->to_write = 0;
            return;
        }
        w->to_write -= taken;
        w->written += taken;
    }
    if (w->to_write == 0 && w->policy.trailers != NULL) {
        assert_int_equal(
            cleat_http_exchange_trailers(x, w->policy.trailers, strlen(w->policy.trailers)),
            CLEAT_OK);
    }
}

static void answer(struct world *w, struct cleat_http_exchange *x, uint16_t status)
{
    const struct policy *p = &w->policy;
    const char *fields = p->fields != NULL ? p->fields : "";
    size_t taken;
    if (status == 0 || cleat_http_exchange_status(x) != 0) {
        return;
    }
    if (p->hints) {
        static const char hint[] = "Link: </a.css>; rel=preload\r\n";
        assert_int_equal(cleat_http_exchange_respond(x, 103, hint, sizeof(hint) - 1,
                                                     CLEAT_HTTP_LENGTH_UNKNOWN, false),
                         CLEAT_OK);
    }
    if (status != p->status) { /* refused */
        (void)cleat_http_exchange_respond(x, status, NULL, 0, 0, true);
        return;
    }
    const int code =
        cleat_http_exchange_respond(x, status, fields, strlen(fields), p->length, p->end);
    if (code != CLEAT_OK) {
        note(w, "respond %s, ", cleat_error_name(code));
        return;
    }
    w->to_write = p->body;
    w->written = 0;
    write_on(w, x);
    if (!p->end && p->body == 0 && p->trailers == NULL && status != 101) {
        (void)cleat_http_exchange_write(x, NULL, 0, true, &taken);
    }
}

static void on_request(struct world *w, const struct cleat_http_server_io *io)
{
    const struct cleat_http_view m = cleat_http_text(io->head, io->head->method);
    const struct cleat_http_view t = cleat_http_text(io->head, io->head->target);
    note(w, "request %.*s %.*s%s%s, ", (int)m.len, m.p, (int)t.len, t.p,
         io->end ? "" : " with a body", io->head->early ? " early" : "");
    w->x = io->exchange;
    if (w->policy.max_body != 0) {
        cleat_http_exchange_max_body(io->exchange, w->policy.max_body);
    }
    if (w->policy.wants_body) {
        assert_int_equal(cleat_http_exchange_continue(io->exchange), CLEAT_OK);
    }
    if (io->end || w->policy.at_request) {
        answer(w, io->exchange, w->policy.status);
    }
}

static void on_data(struct world *w, const struct cleat_http_server_io *io)
{
    assert_true(io->data_len > 0);
    assert_int_equal(cl_buf_append(&w->got, io->data, io->data_len, SIZE_MAX), CL_OK);
    if (!w->policy.keep) {
        cleat_http_exchange_consume(io->exchange, io->data_len);
    }
}

static void on_end(struct world *w, const struct cleat_http_server_io *io)
{
    note(w, "end");
    if (io->head != NULL) {
        note(w, " with %u trailers", (unsigned)io->head->num_fields);
    }
    note(w, ", ");
    answer(w, io->exchange, w->policy.status);
}

static void take_event(struct world *w, enum cleat_http_server_next next,
                       const struct cleat_http_server_io *io)
{
    switch (next) {
    case CLEAT_HTTP_SERVER_REQUEST:
        on_request(w, io);
        break;
    case CLEAT_HTTP_SERVER_REFUSED:
        note(w, "refused %u, ", (unsigned)io->status);
        assert_int_not_equal(cleat_http_server_why(w->s, NULL), CLEAT_OK);
        w->x = io->exchange;
        answer(w, io->exchange, io->status);
        break;
    case CLEAT_HTTP_SERVER_DATA:
        on_data(w, io);
        break;
    case CLEAT_HTTP_SERVER_END:
        on_end(w, io);
        break;
    case CLEAT_HTTP_SERVER_WRITABLE:
        note(w, "writable, ");
        write_on(w, io->exchange);
        break;
    case CLEAT_HTTP_SERVER_GONE:
        note(w, "gone %s, ", cleat_h2_code_name(io->code));
        w->to_write = 0;
        break;
    case CLEAT_HTTP_SERVER_DONE:
        note(w, "done, ");
        break;
    default:
        break;
    }
}

void world_serve(struct world *w)
{
    struct cleat_http_server_io io = {.now = w->now, .early = w->early};
    struct cl_buf in = w->in; /* a copy, so that a reader beyond its end is seen */
    enum cleat_http_server_next next;
    io.in = in.len > 0 ? cl_memdup(in.p, in.len) : NULL;
    io.in_len = in.len;
    for (;;) {
        next = cleat_http_server_step(w->s, &io);
        take_event(w, next, &io);
        if (next == CLEAT_HTTP_SERVER_NEEDS_INPUT) {
            assert_int_equal(io.in_used, io.in_len);
            break;
        }
        if (next == CLEAT_HTTP_SERVER_BLOCKED) {
            assert_true(io.in_used < io.in_len);
            break;
        }
        if (next >= CLEAT_HTTP_SERVER_SWITCHED) {
            static const char *const names[] = {"switched, ", "close, ", "failed, "};
            if (next != w->last) {
                note(w, "%s", names[next - CLEAT_HTTP_SERVER_SWITCHED]);
            }
            break;
        }
    }
    w->last = next;
    cl_free((void *)(uintptr_t)io.in);
    cl_buf_drop(&w->in, io.in_used);
}

/* ---- the client ---- */

void world_raw(struct world *w, const void *p, size_t len)
{
    const uint8_t *from = p;
    if (w->piece == SIZE_MAX) {
        assert_int_equal(cl_buf_append(&w->in, p, len, SIZE_MAX), CL_OK);
        world_serve(w);
        return;
    }
    for (size_t at = 0; at < len; at += w->piece) {
        const size_t n = len - at < w->piece ? len - at : w->piece;
        assert_int_equal(cl_buf_append(&w->in, from + at, n, SIZE_MAX), CL_OK);
        world_serve(w);
    }
}

void world_text(struct world *w, const char *text)
{
    world_raw(w, text, strlen(text));
}

static void h1_body(struct world *w, size_t n, size_t len)
{
    struct cl_buf text = {0};
    uint8_t buf[1000];
    while (len > 0) {
        const size_t now = len < sizeof(buf) ? len : sizeof(buf);
        pattern(buf, w->body_at[n], now);
        assert_int_equal(w->chunked[n] ? cl_http_write_chunk(&text, cl_rd_of(buf, now), SIZE_MAX)
                                       : cl_buf_append(&text, buf, now, SIZE_MAX),
                         CL_OK);
        w->body_at[n] += now;
        w->body_left[n] -= now;
        len -= now;
    }
    if (w->body_left[n] == 0 && w->chunked[n]) {
        const char *trailers = w->body_trailers[n] != NULL ? w->body_trailers[n] : "";
        assert_int_equal(cl_buf_printf(&text, SIZE_MAX, "0\r\n%s\r\n", trailers), CL_OK);
    }
    world_raw(w, text.p, text.len);
    cl_buf_deinit(&text);
}

static void h2_trailers(struct world *w, size_t n)
{
    char text[1024];
    struct cleat_http_head h;
    (void)snprintf(text, sizeof(text), "HTTP/1.1 200 \r\n%s\r\n", w->body_trailers[n]);
    cleat_http_response_init(&h, (struct cleat_http_view){"GET", 3});
    assert_int_equal(cleat_http_head_feed(&h, text, strlen(text), NULL), CLEAT_HTTP_COMPLETE);
    assert_int_equal(cleat_h2_trailers(w->client, w->streams[n], &h), CLEAT_OK);
}

static void h2_body(struct world *w, size_t n, size_t len)
{
    uint8_t buf[1000];
    size_t taken = 1;
    if (len == 0 && w->body_left[n] == 0 && w->body_trailers[n] == NULL) {
        (void)cleat_h2_write(w->client, w->streams[n], NULL, 0, true, &taken);
    }
    while (len > 0 && taken > 0) {
        const size_t now = len < sizeof(buf) ? len : sizeof(buf);
        const bool end = now == w->body_left[n] && w->body_trailers[n] == NULL;
        pattern(buf, w->body_at[n], now);
        if (cleat_h2_write(w->client, w->streams[n], buf, now, end, &taken) != CLEAT_OK) {
            w->body_left[n] = 0;
            return;
        }
        w->body_at[n] += taken;
        w->body_left[n] -= taken;
        len -= taken;
    }
    if (w->body_left[n] == 0 && w->body_trailers[n] != NULL) {
        h2_trailers(w, n);
    }
}

void world_body(struct world *w, size_t n, size_t len)
{
    if (w->protocol == CLEAT_HTTP_2) {
        h2_body(w, n, len);
    } else {
        h1_body(w, n, len);
    }
}

size_t world_ask(struct world *w, const struct ask *a)
{
    const size_t n = w->num_asked++;
    char text[4096];
    char framing[64] = "";
    const bool has_body = a->body > 0 || a->chunked;
    assert_true(n < NUM_ANSWERS);
    (void)snprintf(w->methods[n], sizeof(w->methods[n]), "%s", a->method);
    w->body_left[n] = a->body;
    w->body_at[n] = 0;
    w->chunked[n] = a->chunked;
    w->body_trailers[n] = a->trailers;
    if (a->chunked && w->protocol == CLEAT_HTTP_1) {
        (void)snprintf(framing, sizeof(framing), "Transfer-Encoding: chunked\r\n");
    } else if (has_body && !a->chunked) {
        (void)snprintf(framing, sizeof(framing), "Content-Length: %zu\r\n", a->body);
    }
    (void)snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: example.com\r\n%s%s\r\n", a->method,
                   a->path, a->fields != NULL ? a->fields : "", framing);
    if (w->protocol == CLEAT_HTTP_2) {
        struct cleat_http_head h;
        cleat_http_request_init(&h);
        assert_int_equal(cleat_http_head_feed(&h, text, strlen(text), NULL), CLEAT_HTTP_COMPLETE);
        assert_int_equal(
            cleat_h2_request(w->client, &h, true, NULL, !has_body, (void *)(n + 1), &w->streams[n]),
            CLEAT_OK);
    } else {
        world_text(w, text);
    }
    if (has_body && !a->hold) {
        world_body(w, n, a->body);
    }
    return n;
}

size_t world_get(struct world *w, const char *path)
{
    return world_ask(w, &(struct ask){.method = "GET", .path = path});
}

static void h2_event(struct world *w, enum cleat_h2_next next, const struct cleat_h2_io *io)
{
    const size_t n = (size_t)io->ctx;
    if (n == 0 || n > NUM_ANSWERS) {
        return;
    }
    struct answer *a = &w->answers[n - 1];
    if (next == CLEAT_H2_HEAD && io->head->status < 200) {
        a->num_interim++;
    } else if (next == CLEAT_H2_HEAD) {
        a->status = io->head->status;
        (void)snprintf(a->head, sizeof(a->head), "%.*s", (int)io->head->len, io->head->base);
    } else if (next == CLEAT_H2_DATA) {
        assert_int_equal(cl_buf_append(&a->body, io->data, io->data_len, SIZE_MAX), CL_OK);
        if (!w->deaf && !w->holds) {
            cleat_h2_consume(w->client, io->stream, io->data_len);
        }
    } else if (next == CLEAT_H2_END) {
        a->ended = true;
        if (io->head != NULL) {
            (void)snprintf(a->trailers, sizeof(a->trailers), "%.*s", (int)io->head->len,
                           io->head->base);
        }
    } else if (next == CLEAT_H2_RESET) {
        a->reset = true;
        a->code = io->code;
    } else if (next == CLEAT_H2_WRITABLE) {
        h2_body(w, n - 1, w->body_left[n - 1]);
    }
}

static void h2_step(struct world *w, const uint8_t *p, size_t len)
{
    struct cleat_h2_io io = {.in = p, .in_len = len, .now = w->now};
    enum cleat_h2_next next;
    while ((next = cleat_h2_step(w->client, &io)) != CLEAT_H2_NEEDS_INPUT) {
        h2_event(w, next, &io);
        if (next == CLEAT_H2_FAILED) {
            return;
        }
    }
}

/* What the server has to say goes to the client; false: nothing. */
static bool deliver(struct world *w)
{
    const uint8_t *p;
    size_t n;
    bool any = false;
    while (!w->deaf && (n = cleat_http_server_output(w->s, &p)) > 0) {
        any = true;
        if (w->protocol == CLEAT_HTTP_2) {
            h2_step(w, p, n);
        } else {
            assert_int_equal(cl_buf_append(&w->wire, p, n, SIZE_MAX), CL_OK);
        }
        cleat_http_server_sent(w->s, n);
    }
    return any;
}

static bool bring(struct world *w)
{
    const uint8_t *p;
    size_t n;
    bool any = false;
    if (w->protocol != CLEAT_HTTP_2) {
        return false;
    }
    h2_step(w, NULL, 0);
    while ((n = cleat_h2_output(w->client, &p)) > 0) {
        uint8_t *copy = cl_memdup(p, n);
        any = true;
        cleat_h2_sent(w->client, n);
        world_raw(w, copy, n);
        cl_free(copy);
    }
    return any;
}

void world_run(struct world *w)
{
    bool any = true;
    while (any) {
        any = bring(w);
        world_serve(w);
        any = deliver(w) || any;
    }
}

void world_pass(struct world *w, uint64_t us)
{
    const uint64_t end = w->now + us;
    for (;;) {
        cleat_http_server_tick(w->s, w->now, &w->next);
        world_run(w);
        cleat_http_server_tick(w->s, w->now, &w->next);
        if (w->next > end || w->last >= CLEAT_HTTP_SERVER_SWITCHED) {
            w->now = end;
            return;
        }
        w->now = w->next > w->now ? w->next : w->now + 1;
    }
}

/* ---- what came of HTTP/1.1 ---- */

static void take_trailers(struct answer *a, struct cleat_http_view v)
{
    const size_t at = strlen(a->trailers);
    (void)snprintf(a->trailers + at, sizeof(a->trailers) - at, "%.*s", (int)v.len, v.p);
}

/* Decodes one answer from the len bytes at p; returns how many it is long, 0: it is not complete.
 */
static size_t read_body(struct answer *a, const struct cleat_http_head *h, const uint8_t *p,
                        size_t len, bool closed)
{
    struct cleat_http_body b;
    struct cleat_http_view v;
    size_t at = 0, used;
    int code;
    assert_int_equal(cleat_http_body_init(&b, h, UINT64_MAX, NULL), CLEAT_OK);
    b.tell_trailers = true;
    while ((code = cleat_http_body_feed(&b, p + at, len - at, &used, &v, NULL)) !=
           CLEAT_HTTP_COMPLETE) {
        at += used;
        if (code == CLEAT_HTTP_DATA) {
            assert_int_equal(cl_buf_append(&a->body, v.p, v.len, SIZE_MAX), CL_OK);
        } else if (code == CLEAT_HTTP_TRAILER) {
            take_trailers(a, v);
        } else {
            assert_int_equal(code, CLEAT_HTTP_MORE);
            a->ended = closed && cleat_http_body_eof(&b, true, NULL) == CLEAT_OK;
            return 0;
        }
    }
    a->ended = true;
    return at + used;
}

static size_t read_answer(struct world *w, struct answer *a, const char *method, size_t at)
{
    const bool closed = w->last == CLEAT_HTTP_SERVER_CLOSE;
    for (;;) {
        struct cleat_http_head h;
        cleat_http_response_init(&h, (struct cleat_http_view){method, strlen(method)});
        const int code = cleat_http_head_feed(&h, w->wire.p + at, w->wire.len - at, NULL);
        if (code != CLEAT_HTTP_COMPLETE) {
            assert_int_equal(code, CLEAT_HTTP_MORE);
            return 0;
        }
        const uint8_t *head = w->wire.p + at;
        at += h.len;
        if (h.status >= 200 || h.status == 101) {
            a->status = h.status;
            (void)snprintf(a->head, sizeof(a->head), "%.*s", (int)h.len, head);
            const size_t n = read_body(a, &h, w->wire.p + at, w->wire.len - at, closed);
            return a->ended ? at + n : 0;
        }
        a->num_interim++;
    }
}

const struct answer *world_answer(struct world *w, size_t n)
{
    size_t at = 0;
    if (w->protocol == CLEAT_HTTP_2) {
        return &w->answers[n];
    }
    for (size_t i = 0; i <= n; i++) {
        struct answer *a = &w->answers[i];
        cl_buf_deinit(&a->body);
        memset(a, 0, sizeof(*a));
        at = w->wire.len > at ? read_answer(w, a, w->methods[i], at) : 0;
        if (at == 0) {
            break;
        }
    }
    return &w->answers[n];
}

/* ---- making and ending ---- */

void world_begin(struct world *w, enum cleat_http_protocol protocol,
                 const struct cleat_http_server_options *o)
{
    struct cleat_http_server_options own;
    memset(w, 0, sizeof(*w));
    cleat_http_server_options_init(&own);
    w->protocol = protocol;
    w->now = SECOND;
    w->piece = SIZE_MAX;
    w->policy = (struct policy){.status = 200, .length = 5, .body = 5};
    assert_int_equal(cleat_http_server_new(o != NULL ? o : &own, protocol, w->now, &w->s),
                     CLEAT_OK);
    if (protocol == CLEAT_HTTP_2) {
        struct cleat_h2_options c;
        cleat_h2_options_init(&c, false);
        c.stream_window = 65535;
        assert_int_equal(cleat_h2_client_new(&c, &w->client), CLEAT_OK);
    }
}

void world_end(struct world *w)
{
    cleat_http_server_free(w->s);
    cleat_h2_free(w->client);
    cl_buf_deinit(&w->in);
    cl_buf_deinit(&w->wire);
    cl_buf_deinit(&w->got);
    for (size_t i = 0; i < NUM_ANSWERS; i++) {
        cl_buf_deinit(&w->answers[i].body);
    }
}
