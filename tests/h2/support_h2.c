/* tests/h2/support_h2.c - see support_h2.h. */
#include "support_h2.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

void start(struct end *e, bool is_server, const struct cleat_h2_options *o)
{
    struct cleat_h2_options own;
    memset(e, 0, sizeof(*e));
    cleat_h2_options_init(&own, is_server);
    e->piece = SIZE_MAX;
    e->now = 1;
    assert_int_equal(
        (is_server ? cleat_h2_server_new : cleat_h2_client_new)(o != NULL ? o : &own, &e->h2),
        CLEAT_OK);
}

void finish(struct end *e)
{
    cleat_h2_free(e->h2);
    cl_buf_deinit(&e->data);
}

static void copy_head(char *out, size_t cap, const struct cleat_http_head *head)
{
    const size_t n = head->len < cap - 1 ? head->len : cap - 1;
    memcpy(out, head->base, n);
    out[n] = '\0';
}

static void note(struct end *e, enum cleat_h2_next next, const struct cleat_h2_io *io)
{
    if (e->num == NUM_EVENTS) {
        return;
    }
    struct told *t = &e->told[e->num++];
    *t = (struct told){.next = next,
                       .stream = io->stream,
                       .code = io->code,
                       .status = io->status,
                       .end = io->end,
                       .unprocessed = io->unprocessed};
    if (io->head != NULL) {
        copy_head(t->head, sizeof(t->head), io->head);
        t->status = io->head->is_response ? io->head->status : io->status;
    }
    if (io->protocol != NULL) {
        (void)snprintf(t->protocol, sizeof(t->protocol), "%s", io->protocol);
    }
}

static void step_all(struct end *e, const uint8_t *p, size_t len)
{
    struct cleat_h2_io io = {.in = p, .in_len = len, .now = e->now};
    for (;;) {
        const enum cleat_h2_next next = cleat_h2_step(e->h2, &io);
        if (next == CLEAT_H2_NEEDS_INPUT) {
            assert_int_equal(io.in_used, len);
            return;
        }
        if (next == CLEAT_H2_DATA) {
            assert_int_equal(cl_buf_append(&e->data, io.data, io.data_len, SIZE_MAX), CL_OK);
            if (!e->keep) {
                cleat_h2_consume(e->h2, io.stream, io.data_len);
            }
        } else {
            note(e, next, &io);
        }
        if (next == CLEAT_H2_FAILED) {
            return;
        }
    }
}

void feed(struct end *e, const void *p, size_t len)
{
    size_t at = 0;
    do {
        const size_t n = len - at < e->piece ? len - at : e->piece;
        /* a copy, so that a reader beyond its end is seen */
        uint8_t *copy = cl_memdup((const uint8_t *)p + at, n);
        step_all(e, copy, n);
        cl_free(copy);
        at += n;
    } while (at < len);
}

size_t deliver(struct end *from, struct end *to)
{
    const uint8_t *p;
    size_t total = 0;
    size_t n;
    while ((n = cleat_h2_output(from->h2, &p)) > 0) {
        uint8_t *copy = cl_memdup(p, n);
        cleat_h2_sent(from->h2, n);
        feed(to, copy, n);
        cl_free(copy);
        total += n;
    }
    return total;
}

void settle(struct end *a, struct end *b)
{
    while (deliver(a, b) + deliver(b, a) > 0) {
    }
    step_all(a, NULL, 0); /* what sending brought about: WRITABLE, DONE */
    step_all(b, NULL, 0);
    while (deliver(a, b) + deliver(b, a) > 0) {
    }
}

const struct told *find(const struct end *e, enum cleat_h2_next next, uint32_t stream, unsigned n)
{
    for (size_t i = 0; i < e->num; i++) {
        const struct told *t = &e->told[i];
        if (t->next == next && (stream == 0 || t->stream == stream) && n-- == 0) {
            return t;
        }
    }
    return NULL;
}

const struct cleat_http_head *request(struct cleat_http_head *h, const char *text)
{
    struct cleat_error err = {0};
    cleat_http_request_init(h);
    if (cleat_http_head_feed(h, text, strlen(text), &err) != CLEAT_HTTP_COMPLETE) {
        fail_msg("%s", err.text);
    }
    return h;
}

const struct cleat_http_head *response(struct cleat_http_head *h, const char *text)
{
    struct cleat_error err = {0};
    cleat_http_response_init(h, (struct cleat_http_view){"GET", 3});
    if (cleat_http_head_feed(h, text, strlen(text), &err) != CLEAT_HTTP_COMPLETE) {
        fail_msg("%s", err.text);
    }
    return h;
}

uint32_t get(struct end *client, const char *path)
{
    struct cleat_http_head h;
    char text[512];
    uint32_t stream = 0;
    (void)snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: example.com\r\n\r\n", path);
    assert_int_equal(
        cleat_h2_request(client->h2, request(&h, text), true, NULL, true, NULL, &stream), CLEAT_OK);
    return stream;
}

void respond(struct end *server, uint32_t stream, const char *body)
{
    struct cleat_http_head h;
    char text[128];
    size_t taken;
    (void)snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
                   strlen(body));
    assert_int_equal(cleat_h2_respond(server->h2, stream, response(&h, text), false), CLEAT_OK);
    assert_int_equal(cleat_h2_write(server->h2, stream, body, strlen(body), true, &taken),
                     CLEAT_OK);
    assert_int_equal(taken, strlen(body));
}

void frame(struct cl_buf *out, uint8_t type, uint8_t flags, uint32_t stream, const void *p,
           size_t len)
{
    uint8_t head[9];
    struct cl_wr w = cl_wr_of(head, sizeof(head));
    cl_wr_u24(&w, (uint32_t)len);
    cl_wr_u8(&w, type);
    cl_wr_u8(&w, flags);
    cl_wr_u32(&w, stream);
    assert_int_equal(cl_buf_append(out, head, sizeof(head), SIZE_MAX), CL_OK);
    assert_int_equal(cl_buf_append(out, p, len, SIZE_MAX), CL_OK);
}

void greet(struct end *server)
{
    struct cl_buf b = {0};
    assert_int_equal(cl_buf_append(&b, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24, SIZE_MAX), CL_OK);
    frame(&b, 4, 0, 0, "", 0);
    frame(&b, 4, 1, 0, "", 0);
    feed(server, b.p, b.len);
    cl_buf_deinit(&b);
}

static void string(struct cl_buf *out, const char *text)
{
    const size_t len = strlen(text);
    uint8_t prefix[4];
    size_t n = 0;
    if (len < 127) {
        prefix[n++] = (uint8_t)len;
    } else {
        size_t rest = len - 127;
        prefix[n++] = 127;
        for (; rest >= 128; rest /= 128) {
            prefix[n++] = (uint8_t)(rest % 128 + 128);
        }
        prefix[n++] = (uint8_t)rest;
    }
    assert_int_equal(cl_buf_append(out, prefix, n, SIZE_MAX), CL_OK);
    assert_int_equal(cl_buf_append(out, text, len, SIZE_MAX), CL_OK);
}

void literal(struct cl_buf *out, const char *name, const char *value)
{
    assert_int_equal(cl_buf_append(out, "", 1, SIZE_MAX), CL_OK);
    string(out, name);
    string(out, value);
}

void block(struct cl_buf *out, const char *path)
{
    literal(out, ":method", "GET");
    literal(out, ":scheme", "https");
    literal(out, ":path", path);
    literal(out, ":authority", "example.com");
}

struct answers answers_of(struct end *e, uint32_t stream)
{
    struct answers a = {UINT32_MAX, UINT32_MAX, 0};
    struct cl_buf all = {0};
    const uint8_t *p;
    size_t n;
    while ((n = cleat_h2_output(e->h2, &p)) > 0) {
        assert_int_equal(cl_buf_append(&all, p, n, SIZE_MAX), CL_OK);
        cleat_h2_sent(e->h2, n);
    }
    struct cl_rd r = cl_buf_view(&all);
    struct cl_rd preface;
    if (r.len > 0 && r.p[0] == 'P') { /* a client's first words */
        assert_true(cl_rd_take(&r, 24, &preface));
    }
    while (r.len > 0) {
        uint32_t len = 0, id = 0, value = 0;
        uint8_t type = 0, flags;
        struct cl_rd payload;
        assert_true(cl_rd_u24(&r, &len) && cl_rd_u8(&r, &type) && cl_rd_u8(&r, &flags) &&
                    cl_rd_u32(&r, &id) && cl_rd_take(&r, len, &payload));
        if (type == 7) {
            assert_true(cl_rd_u32(&payload, &value) && cl_rd_u32(&payload, &a.goaway));
        } else if (type == 3 && id == stream) {
            assert_true(cl_rd_u32(&payload, &a.reset));
        } else if (type == 8 && id == 0) {
            assert_true(cl_rd_u32(&payload, &value));
            a.given += value;
        }
    }
    cl_buf_deinit(&all);
    return a;
}

uint32_t code_of_goaway(struct end *e)
{
    return answers_of(e, 0).goaway;
}
