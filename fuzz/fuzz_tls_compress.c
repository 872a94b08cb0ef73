/* fuzz/fuzz_tls_compress.c - the algorithms of compressed certificates (RFC 8879) by themselves: a
 * byte for the algorithm, three for the announced length, and what is to be expanded. Nothing but
 * the announced room is written, and what expands can be compressed again. */
#include <stdlib.h>
#include <string.h>

#include "tls/compress.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 131,400: the longest message (tls/conn.h) */
#define MAX_LEN 131400

static void again(const struct cl_compression *alg, struct cl_rd plain)
{
    struct cl_buf out = {0};
    uint8_t *back = malloc(plain.len);
    if (back == NULL || alg->compress(plain, &out, SIZE_MAX / 2) != CL_OK ||
        alg->expand(cl_buf_view(&out), back, plain.len) != CL_OK ||
        memcmp(back, plain.p, plain.len) != 0) {
        abort();
    }
    free(back);
    cl_buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cl_rd r = cl_rd_of(data, size);
    uint8_t which;
    uint32_t len;
    if (!cl_rd_u8(&r, &which) || !cl_rd_u24(&r, &len)) {
        return 0;
    }
    const struct cl_compression *alg = cl_compression_at(which);
    len %= MAX_LEN + 1;
    if (alg == NULL || len == 0 || len > r.len * CL_COMPRESS_MAX_RATIO) {
        return 0;
    }
    uint8_t *out = malloc(len); /* of exactly that size: the sanitizer sees a byte more */
    if (out != NULL && alg->expand(r, out, len) == CL_OK) {
        again(alg, cl_rd_of(out, len));
    }
    free(out);
    return 0;
}
