/* websocket.c - see websocket.h. */
#include "websocket.h"

#include <string.h>
#include <time.h>

uint64_t now_us(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int websocket_head(struct websocket *w, struct cleat_http_head *head, const uint8_t *data,
                   size_t len, size_t *used, struct cleat_error *error)
{
    size_t before = w->head_len;
    size_t take = len < sizeof(w->head) - before ? len : sizeof(w->head) - before;
    memcpy(w->head + before, data, take);
    w->head_len += take;
    int code = cleat_http_head_feed(head, w->head, w->head_len, error);
    *used = code == CLEAT_HTTP_COMPLETE ? head->len - before : take;
    return code == CLEAT_HTTP_COMPLETE ? 1 : code == CLEAT_HTTP_MORE ? 0 : -1;
}

int websocket_flush(struct websocket *w)
{
    const uint8_t *p;
    size_t len;
    while ((len = cleat_ws_output(w->ws, &p)) > 0) {
        if (stream_write(&w->stream, p, len) != 0) {
            return -1;
        }
        cleat_ws_sent(w->ws, len);
    }
    enum cleat_ws_state state = cleat_ws_state(w->ws);
    return state == CLEAT_WS_CLOSED || state == CLEAT_WS_BROKEN ? -1 : 0;
}

int websocket_feed(struct websocket *w, const uint8_t *data, size_t len,
                   void (*message)(void *ctx, const uint8_t *text, size_t len), void *ctx)
{
    /* The bytes are where the stream has decrypted them: its buffer, which may be written to. */
    struct cleat_ws_io io = {.in = (uint8_t *)data, .in_len = len, .now = now_us()};
    enum cleat_ws_next next;
    while ((next = cleat_ws_step(w->ws, &io)) != CLEAT_WS_NEEDS_INPUT && next != CLEAT_WS_FAILED) {
        if (next == CLEAT_WS_MESSAGE && !io.binary) {
            message(ctx, io.data, io.data_len);
        }
    }
    return websocket_flush(w);
}
