/* fuzz/fuzz_http_request.c - request heads: however the bytes are cut, the outcome is the same, and
 * every view lies inside the head. */
#include <stdlib.h>
#include <string.h>

#include "cleat/http.h"

static void require(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void check_span(const struct cleat_http_head *h, struct cleat_http_span s)
{
    require((size_t)s.at + s.len <= h->len);
}

static void check_head(const struct cleat_http_head *h, size_t size)
{
    require(h->len <= size && h->len <= h->max_head && h->num_fields <= h->max_fields);
    check_span(h, h->method);
    check_span(h, h->target);
    check_span(h, h->authority);
    check_span(h, h->path);
    check_span(h, h->query);
    for (size_t i = 0; i < h->num_fields; i++) {
        check_span(h, h->fields[i].name);
        check_span(h, h->fields[i].value);
        struct cleat_http_view v = cleat_http_text(h, h->fields[i].value);
        struct cleat_http_view element;
        require(h->fields[i].name.len != 0);
        require(memchr(v.p, '\n', v.len) == NULL && memchr(v.p, '\0', v.len) == NULL);
        while (cleat_http_list_next(&v, &element)) {
            require(element.len != 0);
        }
    }
    (void)cleat_http_has_token(h, "Connection", "close");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cleat_http_head whole;
    struct cleat_http_head cut;
    struct cleat_error err = {0};
    cleat_http_request_init(&whole);
    int rc = cleat_http_head_feed(&whole, data, size, &err);
    cleat_http_request_init(&cut);
    int rc_cut = CLEAT_HTTP_MORE;
    for (size_t n = 0; n <= size && rc_cut == CLEAT_HTTP_MORE; n += n > 256 ? 98 : 1) {
        rc_cut = cleat_http_head_feed(&cut, data, n, NULL);
    }
    if (rc_cut == CLEAT_HTTP_MORE) {
        rc_cut = cleat_http_head_feed(&cut, data, size, NULL);
    }
    require(rc == rc_cut && whole.reply_status == cut.reply_status);
    if (rc == CLEAT_HTTP_COMPLETE) {
        require(whole.len == cut.len && whole.num_fields == cut.num_fields);
        require(memcmp(whole.fields, cut.fields, sizeof(whole.fields[0]) * whole.num_fields) == 0);
        check_head(&whole, size);
    } else if (rc < 0) {
        require(err.code == rc && whole.reply_status >= 400);
    }
    return 0;
}
