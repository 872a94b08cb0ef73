/* tests/bogo/shim_compress.c - see shim_compress.h; ssl/test/runner/cert_compression_tests.go has
 * the other side. */
#include "bogo/shim_compress.h"

#include <string.h>

#include "crypto/rand.h"
#include "tls/compress.h"
#include "tls/hook.h"

/* What both sides know: the first bytes of every message, and bytes in front of it. */
static const uint8_t shrinking_prefix[] = {0, 0};
static const uint8_t expanding_prefix[] = {1, 2, 3, 4};

static cl_result prepend(struct cl_rd prefix, struct cl_rd in, struct cl_buf *out, size_t max)
{
    CL_TRY(cl_buf_append(out, prefix.p, prefix.len, max));
    return cl_buf_append(out, in.p, in.len, max);
}

static cl_result copy_all(struct cl_rd in, uint8_t *out, size_t out_len)
{
    if (in.len != out_len) {
        return CLEAT_ERR_DECODE;
    }
    memcpy(out, in.p, in.len);
    return CL_OK;
}

/* Takes the first bytes away. */
static cl_result shrink(struct cl_rd in, struct cl_buf *out, size_t max)
{
    struct cl_rd first;
    if (!cl_rd_take(&in, sizeof(shrinking_prefix), &first) ||
        memcmp(first.p, shrinking_prefix, sizeof(shrinking_prefix)) != 0) {
        return CLEAT_ERR_CRYPTO;
    }
    return cl_buf_append(out, in.p, in.len, max);
}

static cl_result unshrink(struct cl_rd in, uint8_t *out, size_t out_len)
{
    if (out_len < sizeof(shrinking_prefix)) {
        return CLEAT_ERR_DECODE;
    }
    memcpy(out, shrinking_prefix, sizeof(shrinking_prefix));
    return copy_all(in, out + sizeof(shrinking_prefix), out_len - sizeof(shrinking_prefix));
}

static cl_result grow(struct cl_rd in, struct cl_buf *out, size_t max)
{
    return prepend(cl_rd_of(expanding_prefix, sizeof(expanding_prefix)), in, out, max);
}

static cl_result ungrow(struct cl_rd in, uint8_t *out, size_t out_len)
{
    struct cl_rd first;
    if (!cl_rd_take(&in, sizeof(expanding_prefix), &first) ||
        memcmp(first.p, expanding_prefix, sizeof(expanding_prefix)) != 0) {
        return CLEAT_ERR_DECODE;
    }
    return copy_all(in, out, out_len);
}

/* One byte in front that nobody can foresee. */
static cl_result scatter(struct cl_rd in, struct cl_buf *out, size_t max)
{
    uint8_t byte;
    CL_TRY(cl_rand(&cl_rng_system, &byte, 1));
    return prepend(cl_rd_of(&byte, 1), in, out, max);
}

static cl_result unscatter(struct cl_rd in, uint8_t *out, size_t out_len)
{
    return cl_rd_skip(&in, 1) ? copy_all(in, out, out_len) : CLEAT_ERR_DECODE;
}

static const struct cl_compression rows[] = {
    {0xff02, "expanding", true, grow, ungrow},
    {0xff01, "shrinking", true, shrink, unshrink},
    {0xff03, "random", true, scatter, unscatter},
};

void shim_set_compressions(struct cleat_tls_builder *b, const struct shim_options *o)
{
    const struct cl_compression *list[CL_COMPRESS_MAX];
    size_t num = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (o->install_cert_compression_algs || o->install_one_cert_compression_alg == rows[i].id) {
            list[num++] = &rows[i];
        }
    }
    cl_tls_builder_compressions(b, list, num);
}
