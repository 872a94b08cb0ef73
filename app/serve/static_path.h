/* serve/static_path.h - from the path of a request to an open file below a root.
 *
 * Two steps: the path is decoded and judged as text, then opened so that the kernel, too, keeps it
 * below the root.
 */
#ifndef CL_SERVE_STATIC_PATH_H
#define CL_SERVE_STATIC_PATH_H

#include "base/bytes.h"
#include "cleat/http.h"

/* What a request path means below the root. */
struct cl_static_path {
    char name[CLEAT_HTTP_MAX_TARGET + 1]; /* relative, NUL-terminated, "" for the root itself */
    bool is_folder;                       /* it ended in '/' */
    bool needs_slash;                     /* it was the prefix without its slash */
};

/* cl_static_path_of returns the path of a request; "/" where an absolute URL has none. */
struct cleat_http_view cl_static_path_of(const struct cleat_http_head *request);

/* cl_static_path_read decodes a path and checks its segments. prefix (NULL: none) is removed.
 * Returns 0 or the status to answer: 400 (bad escapes, encoded slash or NUL, no path), 404 (outside
 * the prefix; an empty segment, ".", "..", or a name that begins with a dot, except
 * "/.well-known"). */
int cl_static_path_read(struct cleat_http_view path, const char *prefix,
                        struct cl_static_path *out);

/* cl_static_open opens a relative name below root_fd for reading: with openat2 RESOLVE_BENEATH,
 * where symbolic links may point anywhere below the root, or, on kernels without it, with
 * cl_static_open_walk, which follows none. Returns a descriptor (O_CLOEXEC, O_NONBLOCK) or -1 with
 * errno. */
int cl_static_open(int root_fd, const char *name);
int cl_static_open_walk(int root_fd, const char *name);

#endif
