/* cli/ws_input.h - standard input as messages: lines, or in binary mode what a read brings.
 *
 * Nothing is read while a message that was read has not been taken: back-pressure for whoever
 * writes to us. Files are read in turns of the loop, everything else when it is readable; the
 * descriptor keeps its flags, as it may be a terminal that others use too.
 */
#ifndef CL_CLI_WS_INPUT_H
#define CL_CLI_WS_INPUT_H

#include <uv.h>

#include "base/buf.h"

/* 64 MiB: a line that long is no line; -b has no such limit */
#define WS_MAX_LINE (64u << 20)

struct ws_input_handler {
    /* A message; false: not now, it is offered again after ws_input_go. */
    bool (*message)(void *ctx, const uint8_t *p, size_t len);
    /* No other will come: why is NULL at the end of the file. Once. */
    void (*end)(void *ctx, const char *why);
};

struct ws_input {
    const struct ws_input_handler *handler;
    void *ctx;
    int fd;
    bool binary, started, by_poll, eof, ended;
    struct cl_buf buf;
    size_t at;      /* what is before it has been taken */
    size_t scanned; /* no line end before it */
    union {
        uv_handle_t handle;
        uv_poll_t poll;
        uv_idle_t idle; /* what cannot be polled is always readable: files, /dev/null */
    } uv;
};

/* ws_input_start begins to read. 0 or a negative libuv code. */
int ws_input_start(struct ws_input *in, uv_loop_t *loop, int fd, bool binary,
                   const struct ws_input_handler *handler, void *ctx);

/* ws_input_go offers what waits, and reads on once it was taken. */
void ws_input_go(struct ws_input *in);

/* ws_input_stop ends it: nothing is told any more. Its memory must stay for a turn of the loop;
 * then ws_input_deinit. Both are fine without a start. */
void ws_input_stop(struct ws_input *in);
void ws_input_deinit(struct ws_input *in);

#endif
