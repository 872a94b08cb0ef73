/* bench/http/main.c - cleat-bench-http [--quick] [--only ID] [--json FILE]: what a server's
 * connection spends on a request, in memory, HTTP/1.1 and HTTP/2: from its bytes to those of the
 * answer. What the client does is not counted. docs/performance.md says how to read it. */
#include <stdlib.h>
#include <string.h>

#include "bench/args.h"
#include "bench/meter.h"
#include "cleat/http_server.h"

/* 50: requests that are on their way together in HTTP/2, as for a page; half of what is allowed */
#define TOGETHER 50
#define ROOM     (1u << 20)

static const char request[] =
    "GET /static/app.js?v=3 HTTP/1.1\r\nHost: www.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\nAccept: */*\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n"
    "Referer: https://www.example.com/\r\nCookie: session=0123456789abcdef\r\n\r\n";
static const char fields[] =
    "Date: Sun, 22 Nov 2026 08:00:00 GMT\r\nServer: bench\r\nContent-Type: text/javascript\r\n"
    "Cache-Control: max-age=3600\r\nETag: \"5f-1a2b3c\"\r\n";

static struct row {
    enum cleat_http_protocol protocol;
    const char *id, *title;
    size_t body;
    double ns, allocs; /* for one; ns of the best pass */
} rows[] = {
    {CLEAT_HTTP_1, "h1-304", "HTTP/1.1, GET, an answer without a body", 0, 0, 0},
    {CLEAT_HTTP_1, "h1-1k", "HTTP/1.1, GET, an answer of 1 KiB", 1024, 0, 0},
    {CLEAT_HTTP_2, "h2-304", "HTTP/2, GET, an answer without a body", 0, 0, 0},
    {CLEAT_HTTP_2, "h2-1k", "HTTP/2, GET, an answer of 1 KiB", 1024, 0, 0},
};
#define NUM_ROWS (sizeof(rows) / sizeof(rows[0]))

static uint8_t body[1024], wire[ROOM], out[ROOM];
static size_t out_len;

/* One round: what came is answered, and the answers are taken out as for a socket. */
static bool serve(struct cleat_http_server *s, const uint8_t *in, size_t len, size_t body_len)
{
    struct cleat_http_server_io io = {.in = in, .in_len = len, .now = 1};
    enum cleat_http_server_next next;
    const uint8_t *p;
    size_t n;
    out_len = 0;
    do {
        while ((next = cleat_http_server_step(s, &io)) == CLEAT_HTTP_SERVER_REQUEST ||
               next == CLEAT_HTTP_SERVER_DONE) {
            if (next == CLEAT_HTTP_SERVER_REQUEST &&
                cleat_http_exchange_reply(io.exchange, body_len > 0 ? 200 : 304, fields,
                                          sizeof(fields) - 1, body, body_len) != CLEAT_OK) {
                return false;
            }
        }
        n = cleat_http_server_output(s, &p);
        if (n > ROOM - out_len) {
            return false;
        }
        if (n > 0) { /* p is NULL when there is nothing */
            memcpy(out + out_len, p, n);
            out_len += n;
            cleat_http_server_sent(s, n);
        }
    } while (n > 0);
    cleat_http_server_tick(s, 1, NULL);
    return next == CLEAT_HTTP_SERVER_NEEDS_INPUT;
}

/* The client's side: takes the answers in, and asks again. */
static bool ask(struct cleat_h2 *client, size_t *wire_len)
{
    struct cleat_h2_io io = {.in = out, .in_len = out_len, .now = 1};
    struct cleat_http_head h;
    enum cleat_h2_next next;
    const uint8_t *p;
    uint32_t stream;
    size_t n;
    while ((next = cleat_h2_step(client, &io)) != CLEAT_H2_NEEDS_INPUT) {
        if (next == CLEAT_H2_FAILED) {
            return false;
        }
        cleat_h2_consume(client, io.stream, io.data_len);
    }
    cleat_http_request_init(&h);
    if (cleat_http_head_feed(&h, request, sizeof(request) - 1, NULL) != CLEAT_HTTP_COMPLETE) {
        return false;
    }
    for (int i = 0; i < TOGETHER; i++) {
        if (cleat_h2_request(client, &h, true, NULL, true, NULL, &stream) != CLEAT_OK) {
            return false;
        }
    }
    *wire_len = 0;
    while ((n = cleat_h2_output(client, &p)) > 0 && n <= ROOM - *wire_len) {
        memcpy(wire + *wire_len, p, n);
        *wire_len += n;
        cleat_h2_sent(client, n);
    }
    return true;
}

static bool run_h1(const struct row *row, struct cleat_http_server *s, unsigned num,
                   struct bench_meter *m)
{
    bool ok = true;
    bench_meter_start(m);
    for (unsigned i = 0; i < num && ok; i++) {
        ok = serve(s, (const uint8_t *)request, sizeof(request) - 1, row->body);
    }
    bench_meter_stop(m);
    return ok;
}

static bool run_h2(const struct row *row, struct cleat_http_server *s, unsigned num,
                   struct bench_meter *m)
{
    struct cleat_h2_options o;
    struct cleat_h2 *client;
    size_t len;
    bool ok = true;
    cleat_h2_options_init(&o, false);
    if (cleat_h2_client_new(&o, &client) != CLEAT_OK) {
        return false;
    }
    out_len = 0;
    for (unsigned i = 0; i < num && ok; i += TOGETHER) {
        ok = ask(client, &len);
        bench_meter_start(m);
        ok = ok && serve(s, wire, len, row->body);
        bench_meter_stop(m);
    }
    cleat_h2_free(client);
    return ok;
}

static bool run_row(struct row *row, bool quick)
{
    const unsigned num = quick ? 1000 : 100000;
    for (int pass = 0; pass < (quick ? 1 : 5); pass++) {
        struct cleat_http_server_options o;
        struct cleat_http_server *s;
        struct bench_meter m = {0};
        cleat_http_server_options_init(&o);
        o.max_requests = 0;
        if (cleat_http_server_new(&o, row->protocol, 1, &s) != CLEAT_OK) {
            return false;
        }
        const bool ok = (row->protocol == CLEAT_HTTP_2 ? run_h2 : run_h1)(row, s, num, &m);
        cleat_http_server_free(s);
        if (!ok) {
            return false;
        }
        const double ns = (double)m.cpu.ns / num;
        row->ns = row->ns == 0 || ns < row->ns ? ns : row->ns;
        row->allocs = (double)m.num_allocs / num;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct bench_args args;
    if (!bench_args_parse(&args, argc, argv)) {
        return 2;
    }
    json_t *results = json_array();
    printf("HTTP requests in memory, one core; best of %d passes\n", args.quick ? 1 : 5);
    for (size_t i = 0; i < NUM_ROWS; i++) {
        if (!bench_args_wants(&args, rows[i].id)) {
            continue;
        }
        if (!run_row(&rows[i], args.quick)) {
            fprintf(stderr, "%s: failed\n", rows[i].id);
            return 1;
        }
        printf("%-42s %8.0f ns %8.2f allocations\n", rows[i].title, rows[i].ns, rows[i].allocs);
        json_array_append_new(results, json_pack("{s:s, s:f, s:f}", "id", rows[i].id, "ns",
                                                 rows[i].ns, "allocations", rows[i].allocs));
    }
    return bench_args_write(&args, results);
}
