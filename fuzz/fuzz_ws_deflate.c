/* fuzz/fuzz_ws_deflate.c - the input as a compressed message (first byte: the window, and whether
 * contexts are kept): bounded, and the same however it is cut; and the input as content, compressed
 * and decompressed by a pair of ours. */
#include "ws_run.h"

#define MAX_MESSAGE 100000

/* A header of a server's frame in front of the payload. */
static void as_frame(uint8_t *out, size_t *out_len, const uint8_t *p, size_t len)
{
    size_t at = 2;
    out[0] = 0xc2;
    out[1] = (uint8_t)(len < 126 ? len : 126);
    if (len >= 126) {
        out[2] = (uint8_t)(len >> 8);
        out[3] = (uint8_t)len;
        at = 4;
    }
    memcpy(out + at, p, len);
    *out_len = at + len;
}

static void round_trip(struct cleat_ws_options o, const uint8_t *p, size_t len)
{
    struct cleat_ws *server;
    struct cleat_ws *client;
    o.deflate_min = 0;
    o.queue_limit = 1u << 20;
    ws_require(cleat_ws_server_new(&o, &server) == CLEAT_OK);
    ws_require(cleat_ws_client_new(&o, &client) == CLEAT_OK);
    for (int i = 0; i < 2; i++) {
        const uint8_t *wire;
        ws_require(cleat_ws_send(server, true, p, len) == CLEAT_OK);
        size_t n = cleat_ws_output(server, &wire);
        uint8_t *copy = malloc(n);
        ws_require(copy != NULL);
        memcpy(copy, wire, n);
        cleat_ws_sent(server, n);
        struct cleat_ws_io io = {.in = copy, .in_len = n};
        ws_require(cleat_ws_step(client, &io) == CLEAT_WS_MESSAGE);
        ws_require(io.data_len == len && (len == 0 || memcmp(io.data, p, len) == 0));
        ws_require(cleat_ws_step(client, &io) == CLEAT_WS_NEEDS_INPUT);
        free(copy);
    }
    cleat_ws_free(server);
    cleat_ws_free(client);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t wire[65536 + 16];
    struct cleat_ws_options o;
    size_t len;
    if (size == 0 || size > 65536) {
        return 0;
    }
    cleat_ws_options_init(&o);
    cleat_ws_deflate_init(&o.deflate, (data[0] & 8) != 0);
    o.deflate.server_max_window_bits = (uint8_t)(8 + (data[0] & 7));
    o.max_message = MAX_MESSAGE;
    as_frame(wire, &len, data + 1, size - 1);
    struct ws_outcome whole = ws_run(o, true, wire, len, len);
    struct ws_outcome some = ws_run(o, true, wire, len, 3);
    o.stream = true;
    struct ws_outcome stream = ws_run(o, true, wire, len, 7);
    ws_require(whole.len <= MAX_MESSAGE);
    /* a distance behind the agreed window is found out only when zlib's window is what it looks at,
     * not the block that it writes to */
    bool strays = o.deflate.server_max_window_bits != 15 &&
                  (some.code == CLEAT_ERR_WS_DEFLATE || stream.code == CLEAT_ERR_WS_DEFLATE);
    if (!strays) {
        ws_same(&whole, &some);
        ws_same(&whole, &stream);
    }
    o.stream = false;
    round_trip(o, data + 1, size - 1);
    return 0;
}
