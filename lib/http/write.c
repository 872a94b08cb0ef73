/* http/write.c - see write.h. */
#include "http/write.h"

#include "http/chars.h"
#include "http/date.h"

#define MAX CL_HTTP_MAX_WRITTEN_HEAD

/* Appends all pieces or none. */
static cl_result put(struct cl_buf *out, const struct cl_rd *pieces, size_t num)
{
    size_t len = 0;
    for (size_t i = 0; i < num; i++) {
        len += pieces[i].len;
    }
    CL_TRY(cl_buf_reserve(out, len, MAX));
    struct cl_wr w = cl_buf_writer(out);
    for (size_t i = 0; i < num; i++) {
        cl_wr_view(&w, pieces[i]);
    }
    cl_buf_commit(out, &w);
    return cl_wr_ok(&w) ? CL_OK : CLEAT_ERR_INTERNAL;
}

cl_result cl_http_write_request(struct cl_buf *out, struct cl_rd method, struct cl_rd target)
{
    if (method.len == 0 || !cl_http_all(method, CL_CH_TOKEN) || target.len == 0 ||
        !cl_http_all(target, CL_CH_TARGET)) {
        return CLEAT_ERR_USAGE;
    }
    const struct cl_rd pieces[] = {method, cl_rd_str(" "), target, cl_rd_str(" HTTP/1.1\r\n")};
    return put(out, pieces, 4);
}

cl_result cl_http_write_response(struct cl_buf *out, int status)
{
    if (status < 100 || status > 999) {
        return CLEAT_ERR_USAGE;
    }
    const char digits[] = {(char)('0' + status / 100), (char)('0' + status / 10 % 10),
                           (char)('0' + status % 10), ' '};
    const struct cl_rd pieces[] = {cl_rd_str("HTTP/1.1 "), cl_rd_of(digits, sizeof(digits)),
                                   cl_rd_str(cleat_http_reason(status)), cl_rd_str("\r\n")};
    return put(out, pieces, 4);
}

cl_result cl_http_write_field(struct cl_buf *out, struct cl_rd name, struct cl_rd value)
{
    /* RFC 9110 5.5: "Field values containing CR, LF, or NUL characters are invalid and dangerous"
     */
    if (name.len == 0 || !cl_http_all(name, CL_CH_TOKEN) || !cl_http_all(value, CL_CH_VALUE) ||
        cl_http_trim(value).len != value.len) {
        return CLEAT_ERR_USAGE;
    }
    const struct cl_rd pieces[] = {name, cl_rd_str(": "), value, cl_rd_str("\r\n")};
    return put(out, pieces, 4);
}

cl_result cl_http_write_field_str(struct cl_buf *out, const char *name, const char *value)
{
    return cl_http_write_field(out, cl_rd_str(name), cl_rd_str(value));
}

struct cl_rd cl_http_digits(char room[CL_HTTP_MAX_DIGITS], uint64_t value)
{
    size_t at = CL_HTTP_MAX_DIGITS;
    do {
        room[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    return cl_rd_of(room + at, CL_HTTP_MAX_DIGITS - at);
}

cl_result cl_http_write_field_u64(struct cl_buf *out, const char *name, uint64_t value)
{
    char digits[CL_HTTP_MAX_DIGITS];
    return cl_http_write_field(out, cl_rd_str(name), cl_http_digits(digits, value));
}

cl_result cl_http_write_date(struct cl_buf *out, int64_t unix_seconds)
{
    char date[CL_HTTP_DATE_SIZE];
    cl_http_date_format(unix_seconds, date);
    return cl_http_write_field_str(out, "Date", date);
}

cl_result cl_http_write_end(struct cl_buf *out)
{
    return cl_buf_append(out, "\r\n", 2, MAX);
}

size_t cl_http_chunk_head(uint8_t out[CL_HTTP_CHUNK_HEAD_MAX], size_t len)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t digits[16];
    size_t num = 0;
    do {
        digits[num++] = (uint8_t)hex[len & 15];
        len >>= 4;
    } while (len != 0);
    size_t at = 0;
    while (num != 0) {
        out[at++] = digits[--num];
    }
    out[at++] = '\r';
    out[at++] = '\n';
    return at;
}

cl_result cl_http_write_chunk(struct cl_buf *out, struct cl_rd content, size_t max)
{
    uint8_t head[CL_HTTP_CHUNK_HEAD_MAX];
    if (content.len == 0) {
        return CL_OK;
    }
    size_t head_len = cl_http_chunk_head(head, content.len);
    if (content.len > max) {
        return CLEAT_ERR_LIMIT;
    }
    CL_TRY(cl_buf_reserve(out, head_len + content.len + 2, max));
    struct cl_wr w = cl_buf_writer(out);
    cl_wr_bytes(&w, head, head_len);
    cl_wr_view(&w, content);
    cl_wr_bytes(&w, CL_HTTP_CHUNK_TAIL, 2);
    cl_buf_commit(out, &w);
    return cl_wr_ok(&w) ? CL_OK : CLEAT_ERR_INTERNAL;
}
