/* cli/get_upload.h - the body that a transfer sends: that of -d and its like, of -F, or the file or
 * standard input of -T.
 *
 * With "Expect: 100-continue" it is held back until the server wants it (RFC 9110 10.1.1).
 */
#ifndef CL_CLI_GET_UPLOAD_H
#define CL_CLI_GET_UPLOAD_H

#include <uv.h>

#include "cli/get_options.h"
#include "cli/get_source.h"

/* 1 MiB: who sends more asks before; 1 s: most servers that do not know the question say nothing.
 * Both are curl's. */
#define GET_EXPECT_BYTES   (1u << 20)
#define GET_EXPECT_WAIT_MS 1000

struct get_upload;

/* Standard input, without stalling the loop. */
struct get_stdin {
    struct get_source source;
    uv_loop_t *loop;
    uv_poll_t *poll; /* NULL: not waiting */
    bool is_file;    /* which is always ready, and can be read again from where it began */
    off_t began;
    bool touched;
};

struct get_upload {
    struct get_source source; /* what the exchange reads: through a gate */
    struct get_source *inner; /* NULL: nothing is sent */
    bool held;
    uint64_t sent;
    void (*progress)(void *ctx, uint64_t sent, uint64_t total);
    void *progress_ctx;

    const char *content_type; /* NULL: not said */
    char form_type[80];
    char content_range[80]; /* of -C with -T; "": none */
    bool is_put;            /* -T */

    struct get_parts file;
    struct get_parts_source parts;
    struct get_stdin input;
};

/* get_upload_open prepares what URL number i sends, if anything (u->inner). offset: of -C, for -T.
 * Returns 0, or the exit code with the detail in err. *u is to be deinited whatever comes back, and
 * stays where it is until then. */
int get_upload_open(struct get_upload *u, const struct get_options *o, size_t i, uint64_t offset,
                    uv_loop_t *loop, struct cleat_error *err);
void get_upload_deinit(struct get_upload *u);

/* get_upload_hold keeps the body back, get_upload_release lets it go. */
void get_upload_hold(struct get_upload *u);
void get_upload_release(struct get_upload *u);

/* get_upload_url appends the name of the file of -T to a URL that ends in "/", or has no path; any
 * other is copied. name: the option's value. False: too long. */
bool get_upload_url(const char *url, const char *name, char *out, size_t cap);

#endif
