/* fuzz/fuzz_h2.c - frames of HTTP/2 to a server, or to a client with three requests (first byte:
 * bit 0), which answer and give back windows (bit 1: they do not): whole and byte by byte the
 * outcome is the same, and a failure has words. */
#undef NDEBUG
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "cleat/h2.h"

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

struct outcome {
    int code;
    uint32_t num[CLEAT_H2_FAILED + 1];
    uint64_t data;
};

static void answer(struct cleat_h2 *h2, uint32_t stream)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n";
    struct cleat_http_head h;
    size_t taken;
    cleat_http_response_init(&h, (struct cleat_http_view){"GET", 3});
    assert(cleat_http_head_feed(&h, text, sizeof(text) - 1, NULL) == CLEAT_HTTP_COMPLETE);
    (void)cleat_h2_respond(h2, stream, &h, false);
    (void)cleat_h2_write(h2, stream, text, sizeof(text) - 1, true, &taken);
}

static void ask(struct cleat_h2 *h2)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n";
    struct cleat_http_head h;
    uint32_t stream;
    cleat_http_request_init(&h);
    assert(cleat_http_head_feed(&h, text, sizeof(text) - 1, NULL) == CLEAT_HTTP_COMPLETE);
    for (int i = 0; i < 3; i++) {
        (void)cleat_h2_request(h2, &h, true, NULL, i > 0, NULL, &stream);
    }
}

static void drain(struct cleat_h2 *h2)
{
    const uint8_t *p;
    size_t len;
    while ((len = cleat_h2_output(h2, &p)) > 0) {
        cleat_h2_sent(h2, len);
    }
}

static void take(struct cleat_h2 *h2, bool is_server, bool gives, const uint8_t *p, size_t len,
                 struct outcome *out)
{
    struct cleat_h2_io io = {.in = p, .in_len = len, .now = 1};
    enum cleat_h2_next next;
    while ((next = cleat_h2_step(h2, &io)) != CLEAT_H2_NEEDS_INPUT) {
        out->num[next]++;
        out->data += io.data_len;
        if (next == CLEAT_H2_FAILED) {
            return;
        }
        if (next == CLEAT_H2_DATA && gives) {
            cleat_h2_consume(h2, io.stream, io.data_len);
        } else if ((next == CLEAT_H2_HEAD || next == CLEAT_H2_REFUSED) && is_server && gives) {
            answer(h2, io.stream);
        }
    }
}

static struct outcome run(bool is_server, bool gives, const uint8_t *p, size_t len, size_t piece)
{
    struct cleat_h2_options o;
    struct cleat_h2 *h2 = NULL;
    struct outcome out = {0};
    struct cleat_error err;
    cleat_h2_options_init(&o, is_server);
    o.connect_protocol = is_server;
    assert((is_server ? cleat_h2_server_new : cleat_h2_client_new)(&o, &h2) == CLEAT_OK);
    if (is_server) {
        take(h2, is_server, gives, (const uint8_t *)preface, sizeof(preface) - 1, &out);
    } else {
        ask(h2);
        drain(h2);
    }
    for (size_t at = 0; at < len && out.num[CLEAT_H2_FAILED] == 0; at += piece) {
        take(h2, is_server, gives, p + at, len - at < piece ? len - at : piece, &out);
    }
    drain(h2);
    out.code = cleat_h2_error(h2, &err);
    assert((out.code == CLEAT_OK) == (err.text[0] == '\0'));
    uint64_t next;
    cleat_h2_tick(h2, 3600000000, &next);
    drain(h2);
    cleat_h2_free(h2);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const bool is_server = (data[0] & 1) == 0;
    const bool gives = (data[0] & 2) == 0;
    const struct outcome whole = run(is_server, gives, data + 1, size - 1, SIZE_MAX / 2);
    const struct outcome bytes = run(is_server, gives, data + 1, size - 1, 1);
    assert(whole.code == bytes.code);
    /* a body longer than announced is found out with the byte that is too many; that is told behind
     * its frame, which may not be complete */
    assert(whole.data <= bytes.data || whole.num[CLEAT_H2_RESET] > 0);
    assert(whole.num[CLEAT_H2_HEAD] == bytes.num[CLEAT_H2_HEAD]);
    assert(whole.num[CLEAT_H2_REFUSED] == bytes.num[CLEAT_H2_REFUSED]);
    return 0;
}
