/* serve/ws_echo.c - `--ws-echo`: each message goes back to its client, of the same kind, compressed
 * when that was agreed. A message that does not come in one piece goes back in fragments, so that
 * one of any size needs no more memory than the queue. */
#include "serve/ws_conn.h"

static int echo_open(struct cl_websocket *w, const struct cleat_http_head *head,
                     struct cleat_error *err)
{
    return 0;
}

static bool echo_message(struct cl_websocket *w, struct cl_ws_piece *piece)
{
    size_t taken = 0;
    if (piece->first && piece->last) {
        return cl_websocket_send(w, piece->binary, piece->p, piece->len) != CLEAT_ERR_WS_QUEUE_FULL;
    }
    int code = cl_websocket_send_piece(w, piece->binary, piece->p, piece->len, piece->last, &taken);
    while (code == CLEAT_OK && taken < piece->len) {
        piece->p += taken;
        piece->len -= taken;
        code = cl_websocket_send_piece(w, piece->binary, piece->p, piece->len, piece->last, &taken);
    }
    /* after any other failure there is nothing left to send it on */
    return code != CLEAT_ERR_WS_QUEUE_FULL;
}

static void echo_writable(struct cl_websocket *w)
{
    /* what was left is offered again by itself */
}

static void echo_close(struct cl_websocket *w)
{
}

const struct cl_ws_kind cl_ws_echo = {
    .open = echo_open,
    .message = echo_message,
    .writable = echo_writable,
    .close = echo_close,
};
