/* fuzz/fuzz_coding.c - bodies with content codings: two bytes for one or two codings and the size
 * of the pieces, then the body. Whole and in pieces content and outcome are the same, and the
 * limits hold. */
#include <stdlib.h>

#include "cleat/coding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_OUTPUT 200000
/* 4 MiB: windows of more than that are refused, which is an outcome like others */
#define MAX_MEMORY (4u << 20)

struct outcome {
    int code;
    size_t len;
    uint32_t sum;
};

static void take(struct outcome *o, struct cleat_http_view v)
{
    if (v.len == 0) {
        abort();
    }
    o->len += v.len;
    for (size_t i = 0; i < v.len; i++) {
        o->sum = o->sum * 31 + (uint8_t)v.p[i];
    }
}

static struct outcome run(const struct cleat_codings *codings, const uint8_t *p, size_t size,
                          size_t step)
{
    struct cleat_decoder_options options;
    struct cleat_decoder *d = NULL;
    struct outcome o = {.code = CLEAT_HTTP_MORE};
    cleat_decoder_options_init(&options);
    options.max_output = MAX_OUTPUT;
    options.max_memory = MAX_MEMORY;
    if (cleat_decoder_new(codings, &options, &d) != CLEAT_OK) {
        abort();
    }
    for (size_t at = 0; at < size && o.code == CLEAT_HTTP_MORE; at += step) {
        size_t left = size - at < step ? size - at : step;
        const uint8_t *from = p + at;
        struct cleat_http_view v;
        size_t used;
        while ((o.code = cleat_decoder_feed(d, from, left, &used, &v, NULL)) == CLEAT_HTTP_DATA) {
            take(&o, v);
            from += used;
            left -= used;
        }
        if (o.code == CLEAT_HTTP_MORE && used != left) {
            abort();
        }
    }
    if (o.len > MAX_OUTPUT || cleat_decoder_memory(d) > 3 * MAX_MEMORY) {
        abort();
    }
    o.code = o.code < 0 ? o.code : cleat_decoder_end(d, NULL);
    cleat_decoder_free(d);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cleat_codings codings = {.num = 1};
    if (size < 2) {
        return 0;
    }
    codings.list[0] = (uint8_t)(1 + data[0] % 4);
    if (data[0] & 0x80) {
        codings.list[codings.num++] = (uint8_t)(1 + data[0] / 4 % 4);
    }
    struct outcome whole = run(&codings, data + 2, size - 2, size);
    struct outcome parts = run(&codings, data + 2, size - 2, 1 + data[1]);
    /* what came before a failure may differ: zlib looks ahead */
    if ((whole.code == CLEAT_OK) != (parts.code == CLEAT_OK) ||
        (whole.code == CLEAT_OK && (whole.len != parts.len || whole.sum != parts.sum))) {
        abort();
    }
    return 0;
}
