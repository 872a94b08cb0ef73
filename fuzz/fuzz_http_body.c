/* fuzz/fuzz_http_body.c - chunked bodies: whole and byte by byte the content and the outcome are
 * the same, and nothing behind the end is consumed. */
#include <stdlib.h>
#include <string.h>

#include "cleat/http.h"

#define LIMIT 4096

struct outcome {
    int rc;
    size_t used;
    size_t content_len;
    uint32_t sum;
};

static struct outcome run(const uint8_t *p, size_t size, size_t step)
{
    struct cleat_http_head h = {.framing = CLEAT_HTTP_CHUNKED};
    struct cleat_http_body b;
    struct outcome o = {.rc = CLEAT_HTTP_MORE};
    if (cleat_http_body_init(&b, &h, LIMIT, NULL) != CLEAT_OK) {
        abort();
    }
    size_t upto = 0;
    while (o.rc == CLEAT_HTTP_MORE || o.rc == CLEAT_HTTP_DATA) {
        struct cleat_http_view v;
        size_t used;
        if (o.rc == CLEAT_HTTP_MORE) {
            if (upto == size) {
                break;
            }
            upto = size - upto < step ? size : upto + step;
        }
        o.rc = cleat_http_body_feed(&b, p + o.used, upto - o.used, &used, &v, NULL);
        if (used > upto - o.used || b.total > LIMIT) {
            abort();
        }
        o.used += used;
        o.content_len += v.len;
        for (size_t i = 0; i < v.len; i++) {
            o.sum = o.sum * 31 + (uint8_t)v.p[i];
        }
    }
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole = run(data, size, size + 1);
    struct outcome bytes = run(data, size, 1);
    if (whole.rc != bytes.rc || whole.content_len != bytes.content_len || whole.sum != bytes.sum ||
        whole.used != bytes.used) {
        abort();
    }
    return 0;
}
