/* fuzz/ws_run.h - drives a WebSocket connection over a stream of bytes in steps of a size, and sums
 * up what happened: another step size must give the same. */
#ifndef WS_RUN_H
#define WS_RUN_H

#include <stdlib.h>
#include <string.h>

#include "cleat/ws.h"

struct ws_outcome {
    int code;         /* of the failure, 0: none */
    uint64_t len;     /* of all messages */
    uint64_t sum;     /* over messages, kinds and control frames */
    uint64_t out_sum; /* over the output */
    uint16_t close_code;
};

static inline uint64_t ws_sum(uint64_t sum, const void *p, size_t len)
{
    const uint8_t *bytes = p;
    for (size_t i = 0; i < len; i++) {
        sum = (sum ^ bytes[i]) * 1099511628211u;
    }
    return sum;
}

static inline void ws_require(bool ok)
{
    if (!ok) {
        abort();
    }
}

static inline int ws_fixed_random(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    memset(out, 0x5c, len);
    return 0;
}

static inline void ws_note(struct ws_outcome *o, enum cleat_ws_next next,
                           const struct cleat_ws_io *io, bool stream)
{
    if (next == CLEAT_WS_MESSAGE) {
        ws_require(stream || (io->first && io->last));
        ws_require(io->data != NULL);
        o->len += io->data_len;
        o->sum = ws_sum(o->sum, io->data, io->data_len);
        if (io->last) {
            o->sum = ws_sum(o->sum, io->binary ? "b" : "t", 1);
        }
    } else if (next != CLEAT_WS_FAILED && next != CLEAT_WS_NEEDS_INPUT) {
        ws_require(io->data_len <= 125);
        o->sum = ws_sum(o->sum, io->data, io->data_len);
        o->sum = ws_sum(o->sum, &next, 1);
        o->close_code = next == CLEAT_WS_CLOSE ? io->code : o->close_code;
    }
}

static inline struct ws_outcome ws_run(struct cleat_ws_options o, bool is_client,
                                       const uint8_t *data, size_t size, size_t step)
{
    struct ws_outcome outcome = {0};
    struct cleat_ws *ws;
    o.random = ws_fixed_random;
    ws_require((is_client ? cleat_ws_client_new : cleat_ws_server_new)(&o, &ws) == CLEAT_OK);
    for (size_t at = 0; at < size; at += step) {
        size_t len = size - at < step ? size - at : step;
        uint8_t *copy = malloc(len);
        ws_require(copy != NULL);
        memcpy(copy, data + at, len);
        struct cleat_ws_io io = {.in = copy, .in_len = len, .now = 1};
        enum cleat_ws_next next;
        do {
            next = cleat_ws_step(ws, &io);
            ws_note(&outcome, next, &io, o.stream);
        } while (next != CLEAT_WS_NEEDS_INPUT && next != CLEAT_WS_FAILED);
        ws_require(io.in_used == io.in_len);
        free(copy);
    }
    const uint8_t *p;
    size_t len;
    while ((len = cleat_ws_output(ws, &p)) != 0) {
        outcome.out_sum = ws_sum(outcome.out_sum, p, len);
        cleat_ws_sent(ws, len);
    }
    struct cleat_error err;
    outcome.code = cleat_ws_error(ws, &err);
    ws_require((cleat_ws_state(ws) == CLEAT_WS_BROKEN) == (outcome.code != 0));
    cleat_ws_free(ws);
    return outcome;
}

/* The reason in the close frame may differ: it has the length as far as it was known. */
static inline void ws_same(const struct ws_outcome *a, const struct ws_outcome *b)
{
    ws_require(a->code == b->code && a->close_code == b->close_code);
    ws_require(a->code != 0 || (a->len == b->len && a->sum == b->sum && a->out_sum == b->out_sum));
}

#endif
