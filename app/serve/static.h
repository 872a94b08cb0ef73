/* serve/static.h - static files: from a request and a folder to a described response (RFC 9110).
 *
 * Independent of sockets: opens files below a root, decides, and says what to send. Never follows a
 * path out of the root, neither by "..", nor by a symbolic link (openat2 RESOLVE_BENEATH, or a walk
 * component by component). Files and folders whose name begins with a dot do not exist, except
 * /.well-known.
 */
#ifndef CL_SERVE_STATIC_H
#define CL_SERVE_STATIC_H

#include "base/buf.h"
#include "cleat/http.h"
#include "serve/body_source.h"
#include "serve/kept_files.h"
#include "serve/static_coding.h"

struct cl_static_config {
    int root_fd;               /* open folder (O_PATH or O_RDONLY); stays the caller's */
    const char *index;         /* file served for a folder; NULL: "index.html" */
    const char *prefix;        /* part of the path to remove, "/files"; NULL: nothing */
    const char *cache_control; /* value of Cache-Control; NULL: no such field */
    struct cl_static_codings codings;
};

/* struct cl_static_reply is what to send. Before the first use, initialise it with
 * CL_STATIC_REPLY_INIT. The status, the fields (what frames the body and concerns the connection is
 * the sender's: Content-Length, Transfer-Encoding, Connection), then body, which is empty for a
 * HEAD request. When the file shrinks meanwhile, the body fails: it must not look complete then. */
struct cl_static_reply {
    int status;           /* 200, 206, 301, 304, 400, 403, 404, 405, 406, 412, 416, 500 */
    struct cl_buf fields; /* complete lines "Name: value\r\n" */
    uint64_t length;      /* of the body as a GET gets it, HEAD or not; of no meaning with 304 */
    struct cl_body_source body; /* the file, or the text of an error or a redirect */
};
/* clang-format off */
#define CL_STATIC_REPLY_INIT {.body = CL_BODY_SOURCE_INIT}
/* clang-format on */

struct cl_static_ask {
    const struct cleat_http_head *request; /* complete head of a request */
    int64_t now;                           /* Unix seconds: Date, and the age of validators */
    const char *extra_fields;              /* complete lines "Name: value\r\n" of the configuration
                                              (HSTS, ...), or NULL */
    const char *html_fields;               /* likewise, of files that are HTML */
    struct cl_kept_files *kept;            /* of the calling thread; NULL: every file is opened */
};

/* cl_static_answer decides. Methods other than GET and HEAD get 405; several ranges that do not
 * merge into one get the whole file. *reply is overwritten (deinit it first). Returns CL_OK with
 * *reply filled, whatever the status; NOMEM or LIMIT when not even an error could be described.
 * Blocks on the file system: open, fstat; contents are read only to compress them, and only from
 * memory. Any thread, one reply each.
 */
CL_MUST cl_result cl_static_answer(const struct cl_static_config *config,
                                   const struct cl_static_ask *ask, struct cl_static_reply *reply);

/* cl_static_reply_deinit closes and frees; CL_STATIC_REPLY_INIT afterwards. */
void cl_static_reply_deinit(struct cl_static_reply *reply);

#endif
