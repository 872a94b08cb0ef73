/* fuzz/fuzz_http_server.c - a server's connection of HTTP/1.1, or of HTTP/2 behind its preface
 * (first byte: bit 0), with an application that answers at once or behind the body (bit 1), with a
 * known length or none (bit 2), gives nothing back (bit 3), or gives requests up (bit 4): whole and
 * in pieces the same comes of it, each exchange ends once, and a failure has words. Then time runs
 * out. */
#undef NDEBUG
#include <assert.h>
#include <string.h>

#include "cleat/http_server.h"

#define MAX_STEPS 100000

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

struct run {
    struct cleat_http_server *s;
    uint8_t how;
    int code;
    unsigned num_over, num_requests, num_refused;
    uint64_t data;
    enum cleat_http_server_next last;
};

static void answer(const struct run *r, struct cleat_http_exchange *x)
{
    static const char fields[] = "Content-Type: text/plain\r\nETag: \"1\"\r\n";
    const bool is_known = (r->how & 4) != 0;
    size_t taken;
    if ((r->how & 16) != 0) {
        cleat_http_exchange_reset(x, CLEAT_H2_INTERNAL_ERROR);
    } else if (is_known) {
        (void)cleat_http_exchange_reply(x, 200, fields, sizeof(fields) - 1, preface, 10);
    } else if (cleat_http_exchange_respond(x, 200, fields, sizeof(fields) - 1,
                                           CLEAT_HTTP_LENGTH_UNKNOWN, false) == CLEAT_OK) {
        (void)cleat_http_exchange_write(x, preface, 10, false, &taken);
        (void)cleat_http_exchange_trailers(x, "x-a: b\r\n", 8);
    }
}

static void on_request(struct run *r, const struct cleat_http_server_io *io)
{
    r->num_requests++;
    (void)cleat_http_exchange_continue(io->exchange);
    if (io->end || (r->how & 2) != 0) {
        answer(r, io->exchange);
    }
}

static bool take(struct run *r, enum cleat_http_server_next next,
                 const struct cleat_http_server_io *io)
{
    switch (next) {
    case CLEAT_HTTP_SERVER_REQUEST:
        on_request(r, io);
        return true;
    case CLEAT_HTTP_SERVER_REFUSED:
        /* of a new exchange, or of one that was told and has not been answered */
        assert(io->status >= 400 && cleat_http_exchange_status(io->exchange) == 0);
        r->num_refused++;
        (void)cleat_http_exchange_reply(io->exchange, io->status, NULL, 0, NULL, 0);
        return true;
    case CLEAT_HTTP_SERVER_DATA:
        assert(io->data_len > 0);
        r->data += io->data_len;
        if ((r->how & 8) == 0) {
            cleat_http_exchange_consume(io->exchange, io->data_len);
        }
        return true;
    case CLEAT_HTTP_SERVER_END:
        answer(r, io->exchange);
        return true;
    case CLEAT_HTTP_SERVER_WRITABLE:
        return true;
    case CLEAT_HTTP_SERVER_GONE:
    case CLEAT_HTTP_SERVER_DONE:
        r->num_over++;
        return true;
    case CLEAT_HTTP_SERVER_SWITCHED:
        r->num_over += r->last != next;
        return false;
    default:
        return false;
    }
}

/* Steps until nothing comes; what is left of the input (blocked) is for the next call. */
static size_t feed(struct run *r, const uint8_t *p, size_t len, uint64_t now)
{
    struct cleat_http_server_io io = {.in = p, .in_len = len, .now = now};
    const uint8_t *out;
    size_t n, num_steps = 0;
    bool more = true;
    while (more) {
        do {
            assert(num_steps++ < MAX_STEPS + 10 * len);
            const enum cleat_http_server_next next = cleat_http_server_step(r->s, &io);
            assert(io.in_used <= io.in_len);
            more = take(r, next, &io);
            r->last = next;
        } while (more);
        while ((n = cleat_http_server_output(r->s, &out)) > 0) {
            cleat_http_server_sent(r->s, n);
            more = r->last < CLEAT_HTTP_SERVER_SWITCHED;
        }
    }
    return io.in_used;
}

static struct run run(uint8_t how, const uint8_t *p, size_t len, size_t piece)
{
    struct cleat_http_server_options o;
    struct run r = {.how = how};
    struct cleat_error err;
    const bool is_h2 = (how & 1) != 0;
    size_t used = 0;
    uint64_t next = 0;
    cleat_http_server_options_init(&o);
    o.max_body = 1000;
    o.window = 500;
    o.h2.connect_protocol = true;
    assert(cleat_http_server_new(&o, is_h2 ? CLEAT_HTTP_2 : CLEAT_HTTP_1, 1, &r.s) == CLEAT_OK);
    if (is_h2) {
        (void)feed(&r, (const uint8_t *)preface, sizeof(preface) - 1, 1);
    }
    for (size_t there = 0; there < len && r.last < CLEAT_HTTP_SERVER_SWITCHED;) {
        there = len - there < piece ? len : there + piece;
        used += feed(&r, p + used, there - used, 1);
    }
    r.code = cleat_http_server_error(r.s, &err);
    assert((r.code == CLEAT_OK) == (err.text[0] == '\0'));
    const struct run result = r;
    for (uint64_t now = 1; r.last < CLEAT_HTTP_SERVER_SWITCHED && now < 400000000;
         now += 20000000) {
        cleat_http_server_tick(r.s, now, &next);
        (void)feed(&r, NULL, 0, now);
    }
    cleat_http_server_abort(r.s);
    (void)feed(&r, NULL, 0, 400000000);
    assert(cleat_http_server_num_exchanges(r.s) == 0);
    assert(r.num_over == cleat_http_server_num_requests(r.s));
    cleat_http_server_free(r.s);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 65536) {
        return 0;
    }
    const struct run whole = run(data[0], data + 1, size - 1, SIZE_MAX);
    const struct run bytes = run(data[0], data + 1, size - 1, 1);
    const struct run some = run(data[0], data + 1, size - 1, 7);
    /* A client of HTTP/2 that says GOAWAY is done with; how much more of it is read before that is
     * seen depends on what comes together. */
    if ((data[0] & 1) != 0 &&
        (whole.last == CLEAT_HTTP_SERVER_CLOSE || bytes.last == CLEAT_HTTP_SERVER_CLOSE ||
         some.last == CLEAT_HTTP_SERVER_CLOSE)) {
        return 0;
    }
    assert(whole.num_requests == bytes.num_requests && whole.num_requests == some.num_requests);
    assert(whole.num_refused == bytes.num_refused && whole.num_refused == some.num_refused);
    assert(whole.code == bytes.code && whole.code == some.code);
    return 0;
}
