/* serve/static_coding.h - in which content coding a file is sent (RFC 9110 8.4, 12.5.3).
 *
 * As it lies there compressed (FILE.br, FILE.zst, FILE.gz), compressed in memory, or as it is:
 * whatever the client likes best. Of two that it likes as well the one that lies there.
 */
#ifndef CL_SERVE_STATIC_CODING_H
#define CL_SERVE_STATIC_CODING_H

#include "serve/encoded_cache.h"

/* 3: br, zstd, gzip; deflate is understood in two ways, and gains nothing over gzip */
#define CL_STATIC_MAX_CODINGS 3

struct cl_static_codings {
    bool precompressed;                                /* files beside files are looked for */
    enum cleat_coding compress[CL_STATIC_MAX_CODINGS]; /* what is done in memory, best first */
    size_t num_compress;
    struct cl_encoded_cache *cache; /* needed for that */
};

/* A file that was asked for and found. */
struct cl_static_found {
    int root_fd;
    const char *name; /* below the root */
    const char *type; /* media type */
    int fd;           /* not used of a plain one */
    const struct stat *st;
    bool as_it_is; /* nothing is to be compressed in memory: a part is asked for, or no-transform */
    bool plain;    /* it was found out that nothing stands for it compressed */
};

struct cl_static_choice {
    bool acceptable; /* false: the client takes neither what there is nor the file as it is */
    bool varies;     /* another Accept-Encoding might get another answer */
    enum cleat_coding coding;
    int fd;                     /* the compressed file, or -1; the caller's to close */
    struct stat st;             /* of fd */
    struct cl_encoded *encoded; /* or compressed in memory, the caller's to release; or NULL */
};

/* cl_static_choose decides. Blocks on the file system as cl_static_answer does. */
void cl_static_choose(const struct cl_static_codings *codings, const struct cl_static_found *file,
                      const struct cleat_http_head *request, struct cl_static_choice *out);

#endif
