/* bench/ws/main.c - cleat-bench-ws [--quick] [--only ID] [--json FILE]: unmasking and UTF-8 against
 * plain loops, and what a server spends on the echo of a message, in memory. docs/performance.md
 * says how to read it. */
#include <stdlib.h>
#include <string.h>

#include "bench/args.h"
#include "bench/meter.h"
#include "cleat/ws.h"
#include "ws/mask.h"
#include "ws/utf8.h"

/* 1 MiB: the largest buffer that is worked on; it stays in the second cache of most processors */
#define ROOM (1u << 20)

enum kind { UNMASK, UTF8_ASCII, UTF8_MIXED, ECHO, ECHO_DEFLATE };

static struct row {
    enum kind kind;
    const char *id;
    const char *title;
    size_t len;
    double ours, plain; /* ns for one, the best pass */
    double allocs;
} rows[] = {
    {UNMASK, "unmask-125", "unmask 125 bytes", 125, 0, 0, 0},
    {UNMASK, "unmask-1k", "unmask 1 KiB", 1024, 0, 0, 0},
    {UNMASK, "unmask-64k", "unmask 64 KiB", 65536, 0, 0, 0},
    {UTF8_ASCII, "utf8-ascii-125", "UTF-8, 125 bytes of ASCII", 125, 0, 0, 0},
    {UTF8_ASCII, "utf8-ascii-64k", "UTF-8, 64 KiB of ASCII", 65536, 0, 0, 0},
    {UTF8_MIXED, "utf8-mixed-1k", "UTF-8, 1 KiB of all lengths", 1024, 0, 0, 0},
    {UTF8_MIXED, "utf8-mixed-64k", "UTF-8, 64 KiB of all lengths", 65536, 0, 0, 0},
    {ECHO, "echo-32", "echo 32 B of text", 32, 0, 0, 0},
    {ECHO, "echo-1k", "echo 1 KiB of text", 1024, 0, 0, 0},
    {ECHO, "echo-64k", "echo 64 KiB of text", 65536, 0, 0, 0},
    {ECHO_DEFLATE, "echo-deflate-1k", "echo 1 KiB of text, compressed", 1024, 0, 0, 0},
    {ECHO_DEFLATE, "echo-deflate-64k", "echo 64 KiB of text, compressed", 65536, 0, 0, 0},
};
#define NUM_ROWS (sizeof(rows) / sizeof(rows[0]))

static uint8_t source[ROOM];
static uint8_t work[ROOM];
static volatile size_t sink;

static void fill(enum kind kind, size_t len)
{
    static const char *const words[] = {"Gr\xc3\xbc\xc3\x9f"
                                        "e ",
                                        "\xd0\xbc\xd0\xb8\xd1\x80 ", "\xe4\xb8\x96\xe7\x95\x8c",
                                        "\xf0\x9f\x8c\x8d", "world "};
    static const char json[] = "{\"name\": \"cleat\", \"value\": 12345, \"list\": [true, null]}, ";
    size_t at = 0;
    for (size_t i = 0; kind == UTF8_MIXED && at + 16 < len; i++) {
        size_t n = strlen(words[i % 5]);
        memcpy(source + at, words[i % 5], n);
        at += n;
    }
    for (; at < len; at++) {
        source[at] = (uint8_t)json[at % (sizeof(json) - 1)];
    }
}

static void run_unmask(const struct row *row, bool plain, unsigned num)
{
    static const uint8_t key[4] = {0x37, 0xfa, 0x21, 0x3d};
    for (unsigned i = 0; i < num; i++) {
        (plain ? cl_ws_mask_plain : cl_ws_mask)(work, work, row->len, key, 0);
        sink = work[i % row->len];
    }
}

static void run_utf8(const struct row *row, bool plain, unsigned num)
{
    for (unsigned i = 0; i < num; i++) {
        struct cl_ws_utf8 u = {0};
        sink = (plain ? cl_ws_utf8_plain : cl_ws_utf8_feed)(&u, source, row->len);
    }
}

struct pair {
    struct cleat_ws_pool *pool;
    struct cleat_ws *server, *client;
    uint8_t wire[ROOM]; /* one message of the client's */
    size_t wire_len;
};

static bool open_pair(struct pair *p, const struct row *row)
{
    struct cleat_ws_options o;
    const uint8_t *out;
    cleat_ws_options_init(&o);
    o.queue_limit = ROOM;
    if (row->kind == ECHO_DEFLATE) {
        cleat_ws_deflate_init(&o.deflate, true);
    }
    if (cleat_ws_pool_new(64u << 20, &p->pool) != CLEAT_OK) {
        return false;
    }
    o.pool = p->pool;
    if (cleat_ws_server_new(&o, &p->server) != CLEAT_OK ||
        cleat_ws_client_new(&o, &p->client) != CLEAT_OK ||
        cleat_ws_send(p->client, false, source, row->len) != CLEAT_OK) {
        return false;
    }
    p->wire_len = cleat_ws_output(p->client, &out);
    memcpy(p->wire, out, p->wire_len);
    return true;
}

/* The input is copied in as a socket would; it is part of the time, as are the bytes taken out. */
static bool run_echo(struct pair *p, unsigned num)
{
    for (unsigned i = 0; i < num; i++) {
        const uint8_t *out;
        size_t len;
        memcpy(work, p->wire, p->wire_len);
        struct cleat_ws_io io = {.in = work, .in_len = p->wire_len, .now = i};
        if (cleat_ws_step(p->server, &io) != CLEAT_WS_MESSAGE ||
            cleat_ws_send(p->server, false, io.data, io.data_len) != CLEAT_OK ||
            cleat_ws_step(p->server, &io) != CLEAT_WS_NEEDS_INPUT) {
            return false;
        }
        while ((len = cleat_ws_output(p->server, &out)) != 0) {
            sink = out[len - 1];
            cleat_ws_sent(p->server, len);
        }
    }
    return true;
}

static bool run_pass(struct row *row, bool plain, unsigned num)
{
    static struct pair pair;
    struct bench_meter m = {0};
    bool ok = true;
    fill(row->kind, row->len);
    memcpy(work, source, row->len);
    bool echoes = row->kind == ECHO || row->kind == ECHO_DEFLATE;
    memset(&pair, 0, sizeof(pair));
    ok = !echoes || (open_pair(&pair, row) && run_echo(&pair, 4));
    bench_meter_start(&m);
    if (row->kind == UNMASK) {
        run_unmask(row, plain, num);
    } else if (!echoes) {
        run_utf8(row, plain, num);
    } else {
        ok = ok && run_echo(&pair, num);
    }
    bench_meter_stop(&m);
    cleat_ws_free(pair.server);
    cleat_ws_free(pair.client);
    cleat_ws_pool_free(pair.pool);
    double *best = plain ? &row->plain : &row->ours;
    double ns = (double)m.cpu.ns / num;
    *best = *best == 0 || ns < *best ? ns : *best;
    row->allocs = (double)m.num_allocs / num;
    return ok;
}

static bool run_row(struct row *row, bool quick)
{
    unsigned num_passes = quick ? 1 : 5;
    /* as many as take some milliseconds */
    unsigned num = (quick ? 200000u : 20000000u) / (unsigned)(row->len + 200) + 1;
    for (unsigned pass = 0; pass < num_passes; pass++) {
        bool has_plain = row->kind <= UTF8_MIXED;
        if (!run_pass(row, false, num) || (has_plain && !run_pass(row, true, num))) {
            return false;
        }
    }
    return true;
}

static void show(const struct row *row)
{
    double gb = (double)row->len / row->ours;
    if (row->plain != 0) {
        printf("%-36s %9.1f %9.1f   %7.1f %7.1f %6.1fx\n", row->title, row->ours, row->plain, gb,
               (double)row->len / row->plain, row->plain / row->ours);
    } else {
        printf("%-36s %9.1f %9s   %7.1f %7s %6s  %.2f allocations\n", row->title, row->ours, "", gb,
               "", "", row->allocs);
    }
}

static json_t *as_json(const struct row *row)
{
    json_t *o =
        json_pack("{s:s, s:I, s:f}", "id", row->id, "bytes", (json_int_t)row->len, "ns", row->ours);
    if (o != NULL && row->plain != 0) {
        json_object_set_new(o, "plain_ns", json_real(row->plain));
    }
    return o;
}

int main(int argc, char **argv)
{
    struct bench_args args;
    if (!bench_args_parse(&args, argc, argv)) {
        return 2;
    }
    json_t *results = json_array();
    printf("WebSocket, one core, ns for one and GB/s; best of %d passes\n", args.quick ? 1 : 5);
    printf("%-36s %9s %9s   %7s %7s\n", "", "cleat", "plain", "GB/s", "plain");
    for (size_t i = 0; i < NUM_ROWS; i++) {
        if (!bench_args_wants(&args, rows[i].id)) {
            continue;
        }
        if (!run_row(&rows[i], args.quick)) {
            fprintf(stderr, "%s: failed\n", rows[i].id);
            return 1;
        }
        show(&rows[i]);
        json_array_append_new(results, as_json(&rows[i]));
    }
    return bench_args_write(&args, results);
}
