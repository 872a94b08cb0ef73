/* cli/get_decode.h - --compressed: what is asked for, and the body decoded on its way out. */
#ifndef CL_CLI_GET_DECODE_H
#define CL_CLI_GET_DECODE_H

#include "cleat/coding.h"
#include "cli/get_output.h"

/* "deflate, gzip, br, zstd": what is built in, in curl's order. */
#define GET_ACCEPT_ENCODING_SIZE 32
void get_decode_accepts(char out[GET_ACCEPT_ENCODING_SIZE]);

/* One response's body. {0}: it is written as it comes. */
struct get_decode {
    struct cleat_codings codings;
    struct cleat_decoder *decoder;
    struct cleat_error unknown; /* code != 0: the body has a coding that cannot be decoded */
};

/* get_decode_begin looks at a response's final head. What is wrong with it matters once there is a
 * body. */
void get_decode_begin(struct get_decode *d, const struct cleat_http_head *head);

/* get_decode_write decodes a piece of the body and writes what comes out; get_decode_end tells its
 * end. 0, or the exit code; *err says why. */
int get_decode_write(struct get_decode *d, struct get_output *out, const uint8_t *p, size_t len,
                     struct cleat_error *err);
int get_decode_end(struct get_decode *d, struct cleat_error *err);

void get_decode_deinit(struct get_decode *d);

#endif
