/* cli/get_decode.c - see get_decode.h. */
#include "cli/get_decode.h"

#include <stdio.h>
#include <string.h>

#include "cli/get_codes.h"

/* A body goes where the user sends it, as long as it is; but what a few bytes become must have some
 * measure, or a server fills the disk at no cost: 256 MiB, then 1,100 times what came, which is
 * more than gzip can do. */
#define FREE_RATIO (256u << 20)

void get_decode_accepts(char out[GET_ACCEPT_ENCODING_SIZE])
{
    static const enum cleat_coding order[] = {CLEAT_CODING_DEFLATE, CLEAT_CODING_GZIP,
                                              CLEAT_CODING_BR, CLEAT_CODING_ZSTD};
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        if (cleat_coding_built_in(order[i])) {
            len += (size_t)snprintf(out + len, GET_ACCEPT_ENCODING_SIZE - len, "%s%s",
                                    len > 0 ? ", " : "", cleat_coding_name(order[i]));
        }
    }
}

void get_decode_begin(struct get_decode *d, const struct cleat_http_head *head)
{
    get_decode_deinit(d);
    (void)cleat_codings_parse(&d->codings, head, &d->unknown);
}

static int make_decoder(struct get_decode *d)
{
    struct cleat_decoder_options o;
    cleat_decoder_options_init(&o);
    o.max_output = UINT64_MAX;
    o.free_ratio = FREE_RATIO;
    return cleat_decoder_new(&d->codings, &o, &d->decoder);
}

static int fail(int code, struct cleat_error *err)
{
    if (err->code == 0) {
        (void)cl_error_set(err, (struct cl_why){.code = (cl_result)code},
                           "the body cannot be decoded");
    }
    (void)snprintf(err->hint, sizeof(err->hint),
                   "without --compressed the body is written as it comes");
    return code == CLEAT_ERR_NOMEM ? GET_EXIT_NO_MEMORY : GET_EXIT_BAD_CODING;
}

int get_decode_write(struct get_decode *d, struct get_output *out, const uint8_t *p, size_t len,
                     struct cleat_error *err)
{
    struct cleat_http_view content;
    size_t used;
    if (d->unknown.code != 0) {
        *err = d->unknown;
        return fail(err->code, err);
    }
    if (d->codings.num == 0) {
        return get_output_write(out, p, len) ? 0 : GET_EXIT_WRITE;
    }
    int code = d->decoder == NULL ? make_decoder(d) : CLEAT_OK;
    while (code >= 0) {
        code = cleat_decoder_feed(d->decoder, p, len, &used, &content, err);
        if (code == CLEAT_HTTP_MORE) {
            return 0;
        }
        if (code == CLEAT_HTTP_DATA && !get_output_write(out, content.p, content.len)) {
            return GET_EXIT_WRITE;
        }
        p += used;
        len -= used;
    }
    return fail(code, err);
}

int get_decode_end(struct get_decode *d, struct cleat_error *err)
{
    int code = d->decoder != NULL ? cleat_decoder_end(d->decoder, err) : CLEAT_OK;
    return code == CLEAT_OK ? 0 : fail(code, err);
}

void get_decode_deinit(struct get_decode *d)
{
    cleat_decoder_free(d->decoder);
    *d = (struct get_decode){0};
}
