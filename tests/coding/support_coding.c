/* tests/coding/support_coding.c - see support_coding.h. */
#include "support_coding.h"

#include <stdio.h>

#include "base/mem.h"

void content(struct cl_buf *out, size_t len)
{
    static const char *const words[] = {"<p>", "content", " coding", " of the web", "</p>\n"};
    uint32_t state = 1;
    assert_int_equal(cl_buf_reserve(out, len + 32, SUPPORT_MAX), CL_OK);
    while (out->len < len) {
        state = state * 1664525 + 1013904223;
        const char *word = words[(state >> 16) % 5];
        uint8_t byte = (uint8_t)(state >> 24);
        assert_int_equal(cl_buf_append(out, word, strlen(word), SUPPORT_MAX), CL_OK);
        assert_int_equal(cl_buf_append(out, &byte, 1, SUPPORT_MAX), CL_OK);
    }
    out->len = len;
}

static void parse(struct cleat_http_head *h, char *room, size_t cap, const char *first,
                  const char *lines)
{
    int len = snprintf(room, cap, "%s\r\nHost: h\r\n%s\r\n", first, lines);
    assert_true(len > 0 && (size_t)len < cap);
    assert_int_equal(cleat_http_head_feed(h, room, (size_t)len, NULL), CLEAT_HTTP_COMPLETE);
}

void request_with(struct cleat_http_head *h, char *room, size_t cap, const char *lines)
{
    cleat_http_request_init(h);
    parse(h, room, cap, "GET / HTTP/1.1", lines);
}

void response_with(struct cleat_http_head *h, char *room, size_t cap, const char *lines)
{
    cleat_http_response_init(h, (struct cleat_http_view){"GET", 3});
    parse(h, room, cap, "HTTP/1.1 200 OK", lines);
}

static bool feed(struct cleat_encoder *e, struct cl_rd in, enum cleat_encoder_op op,
                 struct cl_buf *out)
{
    int code;
    do {
        struct cleat_http_view v;
        size_t used;
        code = cleat_encoder_feed(e, in.p, in.len, op, &used, &v);
        assert_true(code >= 0 && used <= in.len);
        assert_true(cl_rd_skip(&in, used));
        if (code == CLEAT_HTTP_DATA) {
            assert_true(v.len > 0);
            assert_int_equal(cl_buf_append(out, v.p, v.len, SUPPORT_MAX), CL_OK);
        }
    } while (code == CLEAT_HTTP_DATA);
    assert_int_equal(in.len, 0);
    return code == CLEAT_HTTP_COMPLETE;
}

void encode(enum cleat_coding coding, int level, enum cleat_encoder_op op, struct cl_rd in,
            size_t step, struct cl_buf *out)
{
    struct cleat_encoder *e = NULL;
    struct cleat_encoder_options o = {.level = level, .size = in.len};
    assert_int_equal(cleat_encoder_new(coding, &o, &e), CLEAT_OK);
    while (in.len > 0) {
        struct cl_rd part = {0};
        assert_true(cl_rd_take(&in, in.len < step ? in.len : step, &part));
        assert_false(feed(e, part, op, out));
    }
    assert_true(feed(e, in, CLEAT_ENCODE_END, out));
    cleat_encoder_free(e);
}

/* A copy of exactly that length: valgrind and sanitizers see a byte more. */
static int feed_copy(struct cleat_decoder *d, struct cl_rd part, struct cl_buf *out,
                     struct cleat_error *err)
{
    uint8_t *copy = cl_memdup(part.p, part.len);
    struct cl_rd rest = cl_rd_of(copy, part.len);
    struct cleat_http_view v;
    size_t used;
    int code;
    if (copy == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    while ((code = cleat_decoder_feed(d, rest.p, rest.len, &used, &v, err)) == CLEAT_HTTP_DATA) {
        assert_true(v.len > 0 && cl_rd_skip(&rest, used));
        if (cl_buf_append(out, v.p, v.len, SUPPORT_MAX) != CL_OK) {
            cl_free(copy);
            return CLEAT_ERR_NOMEM;
        }
    }
    assert_true(code != CLEAT_HTTP_MORE || used == rest.len);
    cl_free(copy);
    return code;
}

int decode(const struct cleat_codings *codings, const struct cleat_decoder_options *o,
           struct cl_rd in, size_t step, struct cl_buf *out, struct cleat_error *err)
{
    struct cleat_decoder *d = NULL;
    int code = cleat_decoder_new(codings, o, &d);
    if (code != CLEAT_OK) {
        return code;
    }
    code = CLEAT_HTTP_MORE;
    while (in.len > 0 && code == CLEAT_HTTP_MORE) {
        struct cl_rd part = {0};
        assert_true(cl_rd_take(&in, in.len < step ? in.len : step, &part));
        code = feed_copy(d, part, out, err);
    }
    if (code == CLEAT_HTTP_MORE) {
        code = cleat_decoder_end(d, err);
    } else {
        assert_true(cleat_decoder_end(d, NULL) != CLEAT_OK || code == CLEAT_ERR_NOMEM);
    }
    cleat_decoder_free(d);
    return code;
}

struct cleat_codings one(enum cleat_coding coding)
{
    return (struct cleat_codings){.num = 1, .list = {(uint8_t)coding}};
}
