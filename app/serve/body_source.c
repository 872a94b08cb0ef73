/* serve/body_source.c - see body_source.h. */
#include "serve/body_source.h"

#include <string.h>
#include <unistd.h>

bool cl_body_source_length(const struct cl_body_source *s, uint64_t *out)
{
    *out = s->memory.len + (s->fd >= 0 ? s->length : 0);
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
    bool done = s->memory_read == s->memory.len && file_left(s) == 0;
    return done ? CL_BODY_END : CL_BODY_MORE;
}

static size_t read_memory(struct cl_body_source *s, uint8_t *buf, size_t cap)
{
    size_t left = s->memory.len - s->memory_read;
    size_t n = left < cap ? left : cap;
    if (n != 0) {
        memcpy(buf, s->memory.p + s->memory_read, n);
        s->memory_read += n;
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
    size_t n = read_memory(s, buf, cap);
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
    s->memory_read -= n - of_file;
}

void cl_body_source_deinit(struct cl_body_source *s)
{
    if (s->fd >= 0) {
        close(s->fd);
    }
    cl_buf_deinit(&s->memory);
    *s = (struct cl_body_source)CL_BODY_SOURCE_INIT;
}
