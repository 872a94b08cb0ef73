/* tests/ws/support_ws.c - see support_ws.h. Written apart from lib/ws: it reads and writes frames
 * by RFC 6455 5.2 itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support_ws.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_BUF (64u << 20)

static void append(struct cl_buf *b, const void *p, size_t len)
{
    assert_int_equal(cl_buf_append(b, p, len, MAX_BUF), CL_OK);
}

uint32_t support_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

void support_frame(struct cl_buf *out, bool masked, bool fin, uint8_t rsv, uint8_t opcode,
                   const void *payload, size_t len)
{
    static const uint8_t key[4] = {0x37, 0xfa, 0x21, 0x3d};
    uint8_t head[10] = {(uint8_t)((fin ? 0x80 : 0) | rsv << 4 | opcode)};
    size_t head_len = 2;
    uint8_t mask = masked ? 0x80 : 0;
    if (len < 126) {
        head[1] = (uint8_t)(mask | len);
    } else if (len < 65536) {
        head[1] = mask | 126;
        head[2] = (uint8_t)(len >> 8);
        head[3] = (uint8_t)len;
        head_len = 4;
    } else {
        head[1] = mask | 127;
        for (size_t i = 0; i < 8; i++) {
            head[2 + i] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
        }
        head_len = 10;
    }
    append(out, head, head_len);
    if (masked) {
        append(out, key, sizeof(key));
    }
    size_t at = out->len;
    append(out, payload, len);
    for (size_t i = 0; masked && i < len; i++) {
        out->p[at + i] ^= key[i % 4];
    }
}

void support_echo_init(struct echo *e, bool is_client, const struct cleat_ws_options *o)
{
    struct cleat_ws_options defaults;
    *e = (struct echo){.is_client = is_client, .now = 1000000};
    if (o == NULL) {
        cleat_ws_options_init(&defaults);
        defaults.queue_limit = MAX_BUF;
        o = &defaults;
    }
    int rc = is_client ? cleat_ws_client_new(o, &e->ws) : cleat_ws_server_new(o, &e->ws);
    assert_int_equal(rc, CLEAT_OK);
}

void support_echo_deinit(struct echo *e)
{
    cleat_ws_free(e->ws);
    cl_buf_deinit(&e->sent);
    cl_buf_deinit(&e->unsent);
    *e = (struct echo){0};
}

void support_drain(struct echo *e)
{
    const uint8_t *p;
    size_t len;
    while ((len = cleat_ws_output(e->ws, &p)) != 0) {
        append(&e->sent, p, len);
        cleat_ws_sent(e->ws, len);
    }
}

static void on_event(struct echo *e, enum cleat_ws_next next, const struct cleat_ws_io *io)
{
    if (next == CLEAT_WS_MESSAGE) {
        e->num_pieces++;
        e->num_messages += io->last;
        e->num_bytes += io->data_len;
        if (!e->keep_views && io->first && io->last) {
            int rc = cleat_ws_send(e->ws, io->binary, io->data, io->data_len);
            assert_true(rc == CLEAT_OK || rc == CLEAT_ERR_CLOSED);
        } else if (!e->keep_views) {
            size_t taken;
            int rc =
                cleat_ws_send_piece(e->ws, io->binary, io->data, io->data_len, io->last, &taken);
            assert_int_equal(rc, CLEAT_OK);
            assert_int_equal(taken, io->data_len);
        }
    }
    if (next == CLEAT_WS_CLOSE) {
        assert_int_equal(e->close_code, 0);
        e->close_code = io->code;
        assert_true(io->data_len < sizeof(e->close_reason));
        if (io->data_len != 0) {
            memcpy(e->close_reason, io->data, io->data_len);
        }
    }
    if (next == CLEAT_WS_PONG) {
        e->rtt = io->rtt;
    }
    e->num_pings += next == CLEAT_WS_PING;
    e->num_pongs += next == CLEAT_WS_PONG;
}

void support_feed(struct echo *e, const void *p, size_t len)
{
    uint8_t *copy = malloc(len != 0 ? len : 1);
    assert_non_null(copy);
    if (len != 0) {
        memcpy(copy, p, len);
    }
    struct cleat_ws_io io = {.in = copy, .in_len = len, .now = e->now};
    enum cleat_ws_next next;
    do {
        next = cleat_ws_step(e->ws, &io);
        on_event(e, next, &io);
        support_drain(e);
    } while (next != CLEAT_WS_NEEDS_INPUT && next != CLEAT_WS_FAILED);
    assert_int_equal(io.in_used, io.in_len);
    if (next == CLEAT_WS_FAILED) {
        assert_true(cleat_ws_error(e->ws, &e->err) < 0);
    }
    free(copy);
}

void support_feed_cut(struct echo *e, const void *p, size_t len, size_t step)
{
    const uint8_t *bytes = p;
    for (size_t at = 0; at < len; at += step) {
        support_feed(e, bytes + at, len - at < step ? len - at : step);
    }
}

void support_word(struct cl_buf *text, char kind, const void *payload, size_t len)
{
    const uint8_t *p = payload;
    assert_int_equal(cl_buf_printf(text, MAX_BUF, "%s%c(", text->len != 0 ? " " : "", kind), CL_OK);
    if (kind == 'C') {
        if (len >= 2) {
            assert_int_equal(cl_buf_printf(text, MAX_BUF, "%u", p[0] << 8 | p[1]), CL_OK);
        }
    } else if (len > 200) {
        uint64_t sum = 14695981039346656037u;
        for (size_t i = 0; i < len; i++) {
            sum = (sum ^ p[i]) * 1099511628211u;
        }
        assert_int_equal(
            cl_buf_printf(text, MAX_BUF, "%zu bytes, %016llx", len, (unsigned long long)sum),
            CL_OK);
    } else {
        for (size_t i = 0; i < len; i++) {
            bool plain = p[i] >= 0x20 && p[i] < 0x7f && p[i] != '\\';
            assert_int_equal(cl_buf_printf(text, MAX_BUF, plain ? "%c" : "\\x%02x", p[i]), CL_OK);
        }
    }
    append(text, ")", 1);
}

const char *support_text(struct cl_buf *text)
{
    append(text, "", 1);
    text->len--;
    return (const char *)text->p;
}

struct wire {
    struct cl_rd rest;
    uint8_t opcode;
    bool fin;
    uint8_t *payload;
    size_t len;
};

static void take_frame(struct wire *w, bool masked)
{
    uint8_t first = 0;
    uint8_t second = 0;
    uint8_t key[4] = {0};
    uint16_t len16 = 0;
    uint64_t len64 = 0;
    assert_true(cl_rd_u8(&w->rest, &first) && cl_rd_u8(&w->rest, &second));
    assert_int_equal(first & 0x70, 0);
    assert_int_equal((second & 0x80) != 0, masked);
    w->opcode = first & 15;
    w->fin = (first & 0x80) != 0;
    w->len = second & 127;
    if (w->len == 126) {
        assert_true(cl_rd_u16(&w->rest, &len16) && len16 >= 126);
        w->len = len16;
    } else if (w->len == 127) {
        assert_true(cl_rd_u64(&w->rest, &len64) && len64 >= 65536);
        w->len = (size_t)len64;
    }
    if (masked) {
        assert_true(cl_rd_copy(&w->rest, key, 4));
    }
    struct cl_rd payload = {0};
    assert_true(cl_rd_take(&w->rest, w->len, &payload));
    free(w->payload);
    w->payload = malloc(w->len + 1);
    assert_non_null(w->payload);
    for (size_t i = 0; i < w->len; i++) {
        w->payload[i] = payload.p[i] ^ key[i % 4];
    }
}

void support_trace(const struct cl_buf *wire, bool masked, struct cl_buf *text)
{
    static const char kinds[] = "cTB.....CIO";
    struct wire w = {.rest = cl_buf_view(wire)};
    struct cl_buf message = {0};
    char kind = 0;
    bool closed = false;
    while (!cl_rd_done(&w.rest)) {
        take_frame(&w, masked);
        assert_false(closed);
        if (w.opcode >= CLOSE) {
            assert_true(w.fin && w.len <= 125);
            support_word(text, kinds[w.opcode], w.payload, w.len);
            closed = w.opcode == CLOSE;
            continue;
        }
        assert_int_equal(kind == 0, w.opcode != CONT);
        kind = kind != 0 ? kind : kinds[w.opcode];
        append(&message, w.payload, w.len);
        if (w.fin) {
            support_word(text, kind, message.p, message.len);
            message.len = 0;
            kind = 0;
        }
    }
    free(w.payload);
    cl_buf_deinit(&message);
}
