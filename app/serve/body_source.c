/* serve/body_source.c - see body_source.h. */
#include "serve/body_source.h"

#include <string.h>
#include <unistd.h>

static size_t encoded_len(const struct cl_body_source *s)
{
    return s->encoded != NULL ? s->encoded->len : 0;
}

bool cl_body_source_length(const struct cl_body_source *s, uint64_t *out)
{
    *out = s->memory.len + encoded_len(s) + (s->fd >= 0 ? s->length : 0);
    return true;
}

bool cl_body_source_uses_file(const struct cl_body_source *s)
{
    return s->fd >= 0;
}

static uint64_t file_left(const struct cl_body_source *s)
{
    return s->fd >= 0 ? s->length - s->file_read : 0;
}

static enum cl_body_next next_of(const struct cl_body_source *s)
{
    bool done =
        s->memory_read == s->memory.len && s->encoded_read == encoded_len(s) && file_left(s) == 0;
    return done ? CL_BODY_END : CL_BODY_MORE;
}

static size_t copy_from(const uint8_t *p, size_t len, size_t *at, uint8_t *buf, size_t cap)
{
    size_t n = len - *at < cap ? len - *at : cap;
    if (n != 0) {
        memcpy(buf, p + *at, n);
        *at += n;
    }
    return n;
}

static size_t take_from_file(struct cl_body_source *s, ssize_t got, enum cl_body_next *next)
{
    if (got <= 0) {
        *next = CL_BODY_FAILED;
        return 0;
    }
    s->offset += (uint64_t)got;
    s->file_read += (uint64_t)got;
    *next = next_of(s);
    return (size_t)got;
}

size_t cl_body_source_read(struct cl_body_source *s, uint8_t *buf, size_t cap,
                           struct cl_file_read *reader, enum cl_body_next *next)
{
    size_t n = copy_from(s->memory.p, s->memory.len, &s->memory_read, buf, cap);
    if (s->encoded != NULL) {
        n += copy_from(s->encoded->bytes, s->encoded->len, &s->encoded_read, buf + n, cap - n);
    }
    uint64_t left = file_left(s);
    size_t room = left < cap - n ? (size_t)left : cap - n;
    *next = next_of(s);
    if (room == 0) {
        return n;
    }
    ssize_t got = cl_file_read_at(reader, s->fd, s->offset, buf + n, room);
    if (got == UV_EAGAIN) {
        *next = CL_BODY_WAIT;
        return n;
    }
    return n + take_from_file(s, got, next);
}

size_t cl_body_source_arrived(struct cl_body_source *s, uint8_t *buf, size_t cap,
                              struct cl_file_read *reader, ssize_t reported,
                              enum cl_body_next *next)
{
    (void)buf; /* the bytes are there already */
    (void)cap;
    (void)reader;
    return take_from_file(s, reported, next);
}

void cl_body_source_unread(struct cl_body_source *s, size_t n)
{
    size_t of_file = n < s->file_read ? n : (size_t)s->file_read;
    s->offset -= of_file;
    s->file_read -= of_file;
    n -= of_file;
    size_t of_encoded = n < s->encoded_read ? n : s->encoded_read;
    s->encoded_read -= of_encoded;
    s->memory_read -= n - of_encoded;
}

void cl_body_source_deinit(struct cl_body_source *s)
{
    if (s->fd >= 0) {
        close(s->fd);
    }
    cl_encoded_release(s->encoded);
    cl_buf_deinit(&s->memory);
    *s = (struct cl_body_source)CL_BODY_SOURCE_INIT;
}
