/* websocket.h - a WebSocket connection over a stream: what both examples of a chat need. */
#ifndef WEBSOCKET_H
#define WEBSOCKET_H

#include <cleat/ws.h>

#include "stream.h"

struct websocket {
    struct stream stream;
    struct cleat_ws *ws;                    /* NULL: the upgrade is not done */
    size_t head_len;                        /* bytes in `head` */
    char head[CLEAT_HTTP_MAX_REQUEST_HEAD]; /* the other side's request or response */
};

/* now_us is the clock of cleat_ws_io and cleat_ws_tick, which must not go back. */
uint64_t now_us(void);

/* websocket_head adds bytes to the head: 1 when it is complete (*head is it, *used how many of the
 * bytes belong to it), 0 when more is needed, -1 with *error. */
int websocket_head(struct websocket *w, struct cleat_http_head *head, const uint8_t *data,
                   size_t len, size_t *used, struct cleat_error *error);

/* websocket_feed gives received bytes to the connection, calls message for each text that they
 * complete, and sends the answers. websocket_flush sends what is queued. 0; -1: it is over. */
int websocket_feed(struct websocket *w, const uint8_t *data, size_t len,
                   void (*message)(void *ctx, const uint8_t *text, size_t len), void *ctx);
int websocket_flush(struct websocket *w);

#endif
