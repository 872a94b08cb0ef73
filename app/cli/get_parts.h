/* cli/get_parts.h - the body of a request, put together from bytes of the command line and files:
 * -d, --data-binary, -F, -T. Files are read while they are sent, and again for each transfer.
 */
#ifndef CL_CLI_GET_PARTS_H
#define CL_CLI_GET_PARTS_H

#include "base/buf.h"
#include "cli/get_source.h"

/* 64 MiB: what is not a regular file (a pipe, standard input) is kept in memory, to be sent again
 * when a redirect asks for it; and what is given on the command line */
#define GET_MAX_BODY (64u << 20)

struct get_part {
    char *path;   /* NULL: bytes of the buffer */
    uint64_t at;  /* where it begins: in the buffer, in the file */
    uint64_t len; /* of what is sent */
    bool strip;   /* without CR, LF and NUL (-d @FILE) */
};

/* {0} is empty, and safe to deinit. */
struct get_parts {
    struct get_part *items;
    size_t num;
    struct cl_buf bytes;
    uint64_t len;
};

/* get_parts_bytes adds bytes (copied). LIMIT, NOMEM. */
CL_MUST cl_result get_parts_bytes(struct get_parts *p, const void *bytes, size_t len);

/* get_parts_file adds a file from `offset` on ("-": standard input, and then offset is 0). False:
 * it cannot be read; *why says why (static storage). Its length is what it has now: when it has
 * become shorter until it is sent, sending fails. */
bool get_parts_file(struct get_parts *p, const char *path, uint64_t offset, bool strip,
                    const char **why);

void get_parts_deinit(struct get_parts *p);

/* A source that sends the parts; they stay where they are until it is deinited. */
struct get_parts_source {
    struct get_source source;
    const struct get_parts *parts;
    size_t part;   /* under way */
    uint64_t sent; /* of it */
    int fd;        /* of its file, or -1 */
};

void get_parts_source_init(struct get_parts_source *s, const struct get_parts *parts);
void get_parts_source_deinit(struct get_parts_source *s);

#endif
