/* stream.c - a TLS stream: a socket and a connection of libcleat, held together.
 *
 * drive() is the heart: it does what each step asks for until there is something for the caller.
 */
#include "stream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

static bool send_all(int fd, const uint8_t *p, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) { /* non-blocking, and full */
            struct pollfd wait = {.fd = fd, .events = POLLOUT};
            if (poll(&wait, 1, STREAM_SEND_MS) > 0) {
                continue;
            }
        }
        if (n < 0) {
            return false;
        }
        p += n;
        len -= (size_t)n;
    }
    return true;
}

/* Drops what is done with, then waits for more bytes. 1, 0 at the end of the transport, -1,
 * STREAM_LATER. */
static int receive(struct stream *s)
{
    s->in_len -= s->in_used;
    memmove(s->in, s->in + s->in_used, s->in_len);
    s->in_used = 0;
    ssize_t n;
    do {
        n = recv(s->fd, s->in + s->in_len, sizeof(s->in) - s->in_len, 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN) {
        return STREAM_LATER;
    }
    s->in_len += n > 0 ? (size_t)n : 0;
    return n > 0 ? 1 : (int)n;
}

/* Steps the connection until it has data, is closed or failed; or is ready, if that is enough. */
static enum cleat_tls_next drive(struct stream *s, bool until_ready, const uint8_t **data,
                                 size_t *len)
{
    for (;;) {
        struct cleat_tls_io io = {
            .in = s->in + s->in_used,
            .in_len = s->in_len - s->in_used,
            .out = s->out,
            .out_cap = sizeof(s->out),
        };
        enum cleat_tls_next next = cleat_tls_step(s->tls, &io);
        s->in_used += io.in_used;
        /* Whatever a step appended is to be sent; also when it failed: it is the alert. */
        if (!send_all(s->fd, s->out, io.out_len)) {
            return CLEAT_TLS_FAILED;
        }
        switch (next) {
        case CLEAT_TLS_HAS_OUTPUT: /* sent above: go on */
            break;
        case CLEAT_TLS_NEEDS_JOB: {
            struct cleat_job *job = cleat_tls_job(s->tls);
            if (s->take_job != NULL && s->take_job(s, job)) {
                return next;
            }
            cleat_job_run(job);
            break;
        }
        case CLEAT_TLS_NEEDS_DECISION: /* only after cleat_tls_builder_decide */
            if (cleat_tls_refuse(s->tls, 80, "no decision was asked for") != CLEAT_OK) {
                return CLEAT_TLS_FAILED;
            }
            break;
        case CLEAT_TLS_READY:
            if (until_ready) {
                return next;
            }
            /* fall through */
        case CLEAT_TLS_NEEDS_INPUT: {
            int got = receive(s);
            if (got == 0 && cleat_tls_eof(s->tls) == CLEAT_OK) {
                return CLEAT_TLS_CLOSED;
            }
            if (got == STREAM_LATER) {
                return CLEAT_TLS_NEEDS_INPUT;
            }
            if (got <= 0) {
                return CLEAT_TLS_FAILED;
            }
            break;
        }
        case CLEAT_TLS_HAS_DATA:
            *data = io.data;
            *len = io.data_len;
            return next;
        case CLEAT_TLS_CLOSED:
        case CLEAT_TLS_FAILED:
            return next;
        }
    }
}

int stream_handshake(struct stream *s)
{
    const uint8_t *data;
    size_t len;
    switch (drive(s, true, &data, &len)) {
    case CLEAT_TLS_READY:
        return 0;
    case CLEAT_TLS_NEEDS_JOB:
    case CLEAT_TLS_NEEDS_INPUT:
        return STREAM_LATER;
    default:
        return -1;
    }
}

int stream_read(struct stream *s, const uint8_t **data, size_t *len)
{
    switch (drive(s, false, data, len)) {
    case CLEAT_TLS_HAS_DATA:
        return 1;
    case CLEAT_TLS_NEEDS_JOB:
    case CLEAT_TLS_NEEDS_INPUT:
        return STREAM_LATER;
    case CLEAT_TLS_CLOSED:
        return 0;
    default:
        return -1;
    }
}

int stream_write(struct stream *s, const uint8_t *data, size_t len)
{
    while (len > 0) {
        struct cleat_tls_io io = {.out = s->out, .out_cap = sizeof(s->out)};
        size_t written = 0;
        int code = cleat_tls_write(s->tls, &io, data, len, &written);
        if (code != CLEAT_OK || !send_all(s->fd, s->out, io.out_len)) {
            return -1;
        }
        data += written;
        len -= written;
    }
    return 0;
}

int stream_close(struct stream *s)
{
    struct cleat_tls_io io = {.out = s->out, .out_cap = sizeof(s->out)};
    int code = cleat_tls_close(s->tls, &io);
    return code == CLEAT_OK && send_all(s->fd, s->out, io.out_len) ? 0 : -1;
}

const char *stream_why(const struct stream *s)
{
    const struct cleat_error *error = cleat_tls_error(s->tls);
    return error->code != CLEAT_OK ? error->text : strerror(errno);
}
