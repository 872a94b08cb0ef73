/* cli/ws_input.c - see ws_input.h. */
#include "cli/ws_input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* 64 KiB: what a pipe holds; a message of binary mode */
#define READ_SIZE 65536

static void on_readable(struct ws_input *in);

static void on_poll(uv_poll_t *poll, int status, int events)
{
    on_readable(poll->data);
}

static void on_idle(uv_idle_t *idle)
{
    on_readable(idle->data);
}

static void watch(struct ws_input *in, bool on)
{
    if (!in->by_poll) {
        (void)(on ? uv_idle_start(&in->uv.idle, on_idle) : uv_idle_stop(&in->uv.idle));
    } else if (on) {
        (void)uv_poll_start(&in->uv.poll, UV_READABLE | UV_DISCONNECT, on_poll);
    } else {
        (void)uv_poll_stop(&in->uv.poll);
    }
}

static void end(struct ws_input *in, const char *why)
{
    if (!in->ended) {
        in->ended = true;
        watch(in, false);
        in->handler->end(in->ctx, why);
    }
}

/* The next message that has been read: its length without the line end; false: there is none. */
static bool find(struct ws_input *in, size_t *out_len, size_t *out_used)
{
    size_t left = in->buf.len - in->at;
    if (left == 0) {
        return false;
    }
    if (in->binary) {
        *out_len = *out_used = left;
        return true;
    }
    const uint8_t *from = in->buf.p + in->scanned;
    const uint8_t *line_end = memchr(from, '\n', in->buf.len - in->scanned);
    if (line_end == NULL) {
        in->scanned = in->buf.len;
        *out_len = *out_used = left;
        return in->eof; /* the last line may have no end */
    }
    *out_len = (size_t)(line_end - in->buf.p) - in->at;
    *out_used = *out_len + 1;
    return true;
}

/* Offers all that is there. False: one of them was not taken. */
static bool offer(struct ws_input *in)
{
    size_t len, used;
    while (!in->ended && find(in, &len, &used)) {
        if (!in->handler->message(in->ctx, in->buf.p + in->at, len)) {
            in->scanned = in->at;
            return false;
        }
        in->at += used;
        in->scanned = in->at;
    }
    cl_buf_drop(&in->buf, in->at);
    in->scanned -= in->at;
    in->at = 0;
    return true;
}

void ws_input_go(struct ws_input *in)
{
    if (!in->started || in->ended) {
        return;
    }
    if (!offer(in)) {
        watch(in, false);
    } else if (in->eof) {
        end(in, NULL);
    } else if (!in->ended) {
        watch(in, true);
    }
}

static void on_readable(struct ws_input *in)
{
    if (cl_buf_reserve(&in->buf, READ_SIZE, WS_MAX_LINE + READ_SIZE) != CL_OK) {
        end(in, "a line of more than 64 MiB: -b sends data that are no lines");
        return;
    }
    ssize_t n = read(in->fd, in->buf.p + in->buf.len, READ_SIZE);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n < 0 && errno != EIO) { /* EIO: the terminal has gone */
        end(in, strerror(errno));
        return;
    }
    in->buf.len += n > 0 ? (size_t)n : 0;
    in->eof = n <= 0;
    ws_input_go(in);
}

int ws_input_start(struct ws_input *in, uv_loop_t *loop, int fd, bool binary,
                   const struct ws_input_handler *handler, void *ctx)
{
    *in = (struct ws_input){.handler = handler, .ctx = ctx, .fd = fd, .binary = binary};
    int flags = fcntl(fd, F_GETFL);
    int status = flags < 0 ? uv_translate_sys_error(errno) : uv_poll_init(loop, &in->uv.poll, fd);
    in->by_poll = status == 0;
    if (flags >= 0 && status != 0) {
        status = uv_idle_init(loop, &in->uv.idle);
    } else if (flags >= 0) {
        (void)fcntl(fd, F_SETFL, flags); /* libuv has made it non-blocking */
    }
    if (status != 0) {
        return status;
    }
    in->started = true;
    in->uv.handle.data = in;
    watch(in, true);
    return 0;
}

void ws_input_stop(struct ws_input *in)
{
    if (in->started && !uv_is_closing(&in->uv.handle)) {
        in->ended = true;
        uv_close(&in->uv.handle, NULL);
    }
}

void ws_input_deinit(struct ws_input *in)
{
    cl_buf_deinit(&in->buf);
    *in = (struct ws_input){0};
}
