/* serve/body_source.h - where the bytes of an answer's body come from, piece by piece.
 *
 * Memory, compressed bytes that are shared, a range of a file, in that order; read once, from the
 * front to the end. Knows nothing of framing: whoever sends asks for the length, and where there is
 * none (the body is made while it goes out) frames it as its protocol has it. One loop, one thread.
 */
#ifndef CL_SERVE_BODY_SOURCE_H
#define CL_SERVE_BODY_SOURCE_H

#include "base/buf.h"
#include "net/file.h"
#include "serve/encoded_cache.h"

struct cl_body_source {
    struct cl_buf memory;       /* comes first */
    struct cl_encoded *encoded; /* then these, a reference that is owned; NULL: none */
    int fd;                     /* then a regular file, owned; -1: none */
    uint64_t offset;            /* where its next byte is */
    uint64_t length;            /* how many of its bytes belong to the body */
    size_t memory_read;         /* bytes of memory that were given */
    size_t encoded_read;        /* likewise */
    uint64_t file_read;         /* bytes of the file that were given */
};
/* clang-format off */
#define CL_BODY_SOURCE_INIT {.fd = -1}
/* clang-format on */

enum cl_body_next {
    CL_BODY_MORE,  /* the room is full, or something came that did not fill it: call again */
    CL_BODY_END,   /* the body is complete with what was given */
    CL_BODY_WAIT,  /* the reader reads: the buffer stays where it is until it reports, and what it
                      reports goes to cl_body_source_arrived */
    CL_BODY_FAILED /* the file has become shorter, or cannot be read: the body cannot be completed
                    */
};

/* cl_body_source_length tells how long the whole body is, whatever was read of it. False: nobody
 * knows before its end. */
bool cl_body_source_length(const struct cl_body_source *s, uint64_t *out);

/* cl_body_source_uses_file tells whether reading needs a reader. */
bool cl_body_source_uses_file(const struct cl_body_source *s);

/* cl_body_source_read gives the next bytes, at most cap (> 0), into buf and returns how many.
 * reader: may be NULL where no file is used; not busy. */
size_t cl_body_source_read(struct cl_body_source *s, uint8_t *buf, size_t cap,
                           struct cl_file_read *reader, enum cl_body_next *next);

/* cl_body_source_arrived goes on after CL_BODY_WAIT with what the reader has reported: buf and cap
 * are the room behind the bytes that the read had returned. Returns as cl_body_source_read. */
size_t cl_body_source_arrived(struct cl_body_source *s, uint8_t *buf, size_t cap,
                              struct cl_file_read *reader, ssize_t reported,
                              enum cl_body_next *next);

/* cl_body_source_unread puts the last n bytes of the last read (and of what arrived behind it)
 * back: they are given again, even after CL_BODY_END. */
void cl_body_source_unread(struct cl_body_source *s, size_t n);

/* cl_body_source_deinit closes and frees what the source owns, and makes it CL_BODY_SOURCE_INIT. No
 * reader may be at work for it. */
void cl_body_source_deinit(struct cl_body_source *s);

#endif
