/* cli/ws_output.c - see ws_output.h. */
#include "cli/ws_output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "conn/trace.h"

/* 4,096: what a pipe that is writable takes without blocking (PIPE_BUF) */
#define PIPE_PIECE  4096
/* 256 bytes of a binary message are shown on a terminal */
#define SHOWN_BYTES 256
/* 1 GiB: a message, and what its lines get in front, while the other side is slow */
#define MAX_PENDING (1u << 30)

static void fail(struct ws_output *out, int error)
{
    out->failed = true;
    out->error = error;
    out->pending.len = out->at = 0;
}

/* Writes as much as can be written without blocking. */
static void write_now(struct ws_output *out)
{
    while (out->at < out->pending.len && !out->failed) {
        struct pollfd p = {.fd = out->fd, .events = POLLOUT};
        size_t len = out->pending.len - out->at;
        if (!out->is_file && poll(&p, 1, 0) <= 0) {
            return;
        }
        len = !out->is_file && len > PIPE_PIECE ? PIPE_PIECE : len;
        ssize_t n = write(out->fd, out->pending.p + out->at, len);
        if (n < 0 && errno == EAGAIN) {
            return;
        }
        if (n < 0 && errno != EINTR) {
            fail(out, errno);
            return;
        }
        out->at += n > 0 ? (size_t)n : 0;
    }
    out->pending.len = out->at = 0;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct ws_output *out = poll->data;
    if (status < 0) {
        fail(out, -status);
    }
    write_now(out);
    if (!ws_output_is_waiting(out)) {
        (void)uv_poll_stop(poll);
        out->drained(out->ctx);
    }
}

/* Asks the loop to go on when there is room again. */
static void watch(struct ws_output *out)
{
    if (!out->has_poll) {
        int flags = fcntl(out->fd, F_GETFL);
        int status = flags < 0 ? UV_EBADF : uv_poll_init(out->loop, &out->poll, out->fd);
        if (status != 0) {
            fail(out, -status);
            return;
        }
        (void)fcntl(out->fd, F_SETFL, flags); /* libuv has made it non-blocking */
        out->has_poll = true;
        out->poll.data = out;
    }
    (void)uv_poll_start(&out->poll, UV_WRITABLE, on_poll);
}

static void flush(struct ws_output *out)
{
    write_now(out);
    if (ws_output_is_waiting(out)) {
        watch(out);
    }
}

static void put(struct ws_output *out, const void *p, size_t len)
{
    if (!out->failed && cl_buf_append(&out->pending, p, len, MAX_PENDING) != CL_OK) {
        fail(out, ENOMEM);
    }
}

static void put_text(struct ws_output *out, const char *text)
{
    put(out, text, strlen(text));
}

static void put_time(struct ws_output *out)
{
    struct timespec now;
    struct tm tm;
    char text[32];
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (localtime_r(&now.tv_sec, &tm) != NULL) {
        (void)snprintf(text, sizeof(text), "%02d:%02d:%02d.%03ld ", tm.tm_hour, tm.tm_min,
                       tm.tm_sec, now.tv_nsec / 1000000);
        put_text(out, text);
    }
}

/* Text of a stranger for a terminal: lines stay lines, tabs tabs; other control characters become
 * '?', also those of ISO 6429 that have two bytes in UTF-8 (U+0080 to U+009F). */
static void put_harmless(struct ws_output *out, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bool c1 = p[i] == 0xc2 && i + 1 < len && p[i + 1] < 0xa0;
        char c = p[i] == '\t' ? '\t' : c1 ? '?' : cl_ascii_printable((char)p[i]);
        if (p[i] == '\n') {
            put_text(out, "\n  ");
        } else {
            put(out, &c, 1);
        }
        i += c1;
    }
}

static void put_bytes(struct ws_output *out, const uint8_t *p, size_t len)
{
    char text[2 * SHOWN_BYTES + 1], head[48];
    size_t shown = len < SHOWN_BYTES ? len : SHOWN_BYTES;
    (void)snprintf(head, sizeof(head), "%zu byte%s: ", len, len == 1 ? "" : "s");
    put_text(out, head);
    cl_hex_encode(p, shown, text);
    put_text(out, text);
    put_text(out, shown < len ? "..." : "");
}

static void show(struct ws_output *out, bool sent, bool binary, const uint8_t *p, size_t len)
{
    if (out->timestamps) {
        put_text(out, out->colour ? "\033[2m" : "");
        put_time(out);
        put_text(out, out->colour ? "\033[0m" : "");
    }
    put_text(out, out->colour ? sent ? "\033[36m" : "\033[35m" : "");
    put_text(out, sent ? "> " : "< ");
    if (binary) {
        put_bytes(out, p, len);
    } else {
        put_harmless(out, p, len);
    }
    put_text(out, out->colour ? "\033[0m\n" : "\n");
}

void ws_output_message(struct ws_output *out, bool sent, bool binary, const uint8_t *p, size_t len)
{
    if (out->is_terminal) {
        show(out, sent, binary, p, len);
    } else if (!sent) {
        if (out->timestamps) {
            put_time(out);
        }
        put(out, p, len);
        put(out, "\n", binary || out->raw ? 0 : 1);
    }
    flush(out);
}

void ws_output_line(struct ws_output *out, const char *line, size_t len)
{
    put(out, line, len);
    put(out, "\n", 1);
    flush(out);
}

bool ws_output_is_waiting(const struct ws_output *out)
{
    return out->at < out->pending.len && !out->failed;
}

void ws_output_finish(struct ws_output *out, int ms)
{
    struct pollfd p = {.fd = out->fd, .events = POLLOUT};
    while (ws_output_is_waiting(out) && poll(&p, 1, ms) > 0) {
        write_now(out);
    }
}

void ws_output_init(struct ws_output *out, uv_loop_t *loop, int fd, bool timestamps, bool raw,
                    void (*drained)(void *ctx), void *ctx)
{
    struct stat st;
    *out = (struct ws_output){.fd = fd,
                              .loop = loop,
                              .timestamps = timestamps,
                              .raw = raw,
                              .drained = drained,
                              .ctx = ctx};
    out->is_terminal = isatty(fd) != 0;
    out->colour = cl_trace_want_colour(stdout);
    out->is_file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

void ws_output_stop(struct ws_output *out)
{
    if (out->has_poll && !uv_is_closing((uv_handle_t *)&out->poll)) {
        uv_close((uv_handle_t *)&out->poll, NULL);
    }
}

void ws_output_deinit(struct ws_output *out)
{
    cl_buf_deinit(&out->pending);
    *out = (struct ws_output){0};
}
