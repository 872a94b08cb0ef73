/* fuzz/fuzz_http_response.c - response heads and the bodies behind them. The first byte chooses the
 * request's method. */
#include <stdlib.h>
#include <string.h>

#include "cleat/http.h"

static void require(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void read_body(const struct cleat_http_head *h, const uint8_t *p, size_t len)
{
    struct cleat_http_body b;
    struct cleat_http_view v;
    size_t used;
    uint64_t sum = 0;
    int rc;
    if (cleat_http_body_init(&b, h, 1 << 20, NULL) != CLEAT_OK) {
        return;
    }
    do {
        rc = cleat_http_body_feed(&b, p, len, &used, &v, NULL);
        require(used <= len && v.len <= used && (rc == CLEAT_HTTP_DATA) == (v.len != 0));
        sum += v.len;
        p += used;
        len -= used;
    } while (rc == CLEAT_HTTP_DATA);
    require(sum == b.total && sum <= b.max);
    require(rc != CLEAT_HTTP_MORE || len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const methods[] = {"GET", "HEAD", "CONNECT", "POST"};
    struct cleat_http_head h;
    struct cleat_error err = {0};
    if (size == 0) {
        return 0;
    }
    const char *method = methods[data[0] & 3];
    cleat_http_response_init(&h, (struct cleat_http_view){method, strlen(method)});
    data++;
    size--;
    int rc = CLEAT_HTTP_MORE;
    for (size_t n = 0; n < size && rc == CLEAT_HTTP_MORE; n += 1 + n / 2) {
        rc = cleat_http_head_feed(&h, data, n, &err);
    }
    if (rc == CLEAT_HTTP_MORE) {
        rc = cleat_http_head_feed(&h, data, size, &err);
    }
    if (rc == CLEAT_HTTP_COMPLETE) {
        require(h.len <= size && h.status >= 100 && h.status <= 999);
        require((size_t)h.reason.at + h.reason.len <= h.len);
        read_body(&h, data + h.len, size - h.len);
    }
    return 0;
}
