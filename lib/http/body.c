/* http/body.c - decoding message bodies (RFC 9112 6 and 7): by length, chunked, until close.
 *
 * Content is handed out as views into the caller's buffer. The chunk framing is a machine over
 * single bytes that keeps nothing but its state, so input may be cut anywhere. Chunk extensions are
 * refused (no use is known, and parsers disagree about them); trailers are checked, bounded,
 * refused where they are named like what frames a message, and dropped or handed out as they came.
 */
#include "base/result.h"
#include "http/chars.h"

enum {
    AT_CONTENT, /* by length or until close */
    AT_SIZE,    /* chunk-size */
    AT_SIZE_LF,
    AT_CHUNK,    /* chunk-data */
    AT_CHUNK_CR, /* CR LF behind chunk-data */
    AT_CHUNK_LF,
    AT_TRAILER, /* at the beginning of a line of the trailer section */
    AT_TRAILER_NAME,
    AT_TRAILER_VALUE,
    AT_TRAILER_LF,
    AT_LAST_LF, /* the LF that ends the body */
    AT_END,
    AT_FAILED,
};

/* 16: a 64-bit length; leading zeros count, so that a line stays short */
#define MAX_SIZE_DIGITS 16

/* What cl_http_frame reads out of a head. RFC 9110 6.5.1: message framing and routing "cannot be
 * processed outside the header section"; who merged such a trailer into a head would read another
 * message. */
static const char *const framing_names[] = {
    "host", "content-length", "transfer-encoding", "connection", "upgrade", "expect",
};
#define NUM_FRAMING_NAMES (sizeof(framing_names) / sizeof(framing_names[0]))

static int failed(struct cleat_http_body *b, struct cleat_error *err, cl_result code,
                  const char *section, const char *what)
{
    b->state = AT_FAILED;
    return (int)cl_error_set(err, (struct cl_why){.code = code, .section = section}, "%s", what);
}

int cleat_http_body_init(struct cleat_http_body *b, const struct cleat_http_head *h, uint64_t max,
                         struct cleat_error *err)
{
    *b = (struct cleat_http_body){.framing = h->framing, .max = max};
    switch (h->framing) {
    case CLEAT_HTTP_LENGTH:
        b->left = h->content_length;
        b->state = b->left != 0 ? AT_CONTENT : AT_END;
        break;
    case CLEAT_HTTP_CHUNKED:
        b->state = AT_SIZE;
        break;
    case CLEAT_HTTP_UNTIL_CLOSE:
        b->state = AT_CONTENT;
        break;
    default:
        b->state = AT_END;
        break;
    }
    if (b->left > max) {
        b->state = AT_FAILED;
        struct cl_why why = {.code = CLEAT_ERR_HTTP_TOO_LARGE, .section = "RFC 9110 15.5.14"};
        return cl_error_set(err, why, "a body of %llu bytes, limit %llu",
                            (unsigned long long)b->left, (unsigned long long)max);
    }
    return CLEAT_OK;
}

/* Gives out what of `in` is content of the current chunk or body; in is not empty. */
static int give(struct cleat_http_body *b, struct cl_rd *in, struct cleat_http_view *out,
                struct cleat_error *err)
{
    size_t len = in->len;
    struct cl_rd content;
    if (b->framing == CLEAT_HTTP_UNTIL_CLOSE) {
        if (len > b->max - b->total) {
            return failed(b, err, CLEAT_ERR_HTTP_TOO_LARGE, "RFC 9110 15.5.14",
                          "the body is longer than the limit");
        }
    } else {
        len = len < b->left ? len : (size_t)b->left;
        b->left -= len;
        if (b->left == 0) {
            b->state = b->state == AT_CHUNK ? AT_CHUNK_CR : AT_END;
        }
    }
    if (!cl_rd_take(in, len, &content)) {
        return failed(b, err, CLEAT_ERR_INTERNAL, NULL, "content beyond the input");
    }
    b->total += len;
    *out = cl_http_view(content);
    return CLEAT_HTTP_DATA;
}

static int size_byte(struct cleat_http_body *b, uint8_t c, struct cleat_error *err)
{
    if (cl_http_ch(c, CL_CH_HEX)) {
        if (b->num_digits == MAX_SIZE_DIGITS) {
            return failed(b, err, CLEAT_ERR_HTTP_SYNTAX, "RFC 9112 7.1",
                          "a chunk size of more than 16 digits");
        }
        b->num_digits++;
        b->left = b->left << 4 | cl_http_hex(c);
        return CLEAT_OK;
    }
    if (b->num_digits != 0 && c == '\r') {
        b->state = AT_SIZE_LF;
        return CLEAT_OK;
    }
    if (b->num_digits != 0 && (c == ';' || c == ' ' || c == '\t')) {
        return failed(b, err, CLEAT_ERR_HTTP_AMBIGUOUS, "RFC 9112 7.1.1",
                      "a chunk extension, or space behind a chunk size");
    }
    if (b->num_digits != 0 && c == '\n') {
        return failed(b, err, CLEAT_ERR_HTTP_AMBIGUOUS, "RFC 9112 7.1",
                      "LF without CR behind a chunk size");
    }
    return failed(b, err, CLEAT_ERR_HTTP_SYNTAX, "RFC 9112 7.1", "not a chunk size");
}

static int size_end(struct cleat_http_body *b, struct cleat_error *err)
{
    b->num_digits = 0;
    if (b->left > b->max - b->total) {
        return failed(b, err, CLEAT_ERR_HTTP_TOO_LARGE, "RFC 9110 15.5.14",
                      "the chunked body is longer than the limit");
    }
    b->state = b->left != 0 ? AT_CHUNK : AT_TRAILER;
    return CLEAT_OK;
}

/* One byte of a trailer's name: of the names above those stay candidates that begin so. */
static void name_byte(struct cleat_http_body *b, uint8_t c)
{
    for (size_t i = 0; i < NUM_FRAMING_NAMES; i++) {
        const char *name = framing_names[i];
        if ((b->candidates & 1U << i) != 0 &&
            (b->name_len >= strlen(name) || (c | 0x20) != (uint8_t)name[b->name_len])) {
            b->candidates = (uint8_t)(b->candidates & ~(1U << i));
        }
    }
    if (b->name_len < UINT8_MAX) {
        b->name_len++;
    }
}

static bool name_is_for_heads(const struct cleat_http_body *b)
{
    for (size_t i = 0; i < NUM_FRAMING_NAMES; i++) {
        if ((b->candidates & 1U << i) != 0 && b->name_len == strlen(framing_names[i])) {
            return true;
        }
    }
    return false;
}

/* trailer-section = *( field-line CRLF ) (RFC 9112 7.1.2) */
static int trailer_byte(struct cleat_http_body *b, uint8_t c, struct cleat_error *err)
{
    if (++b->trailer_len > CLEAT_HTTP_MAX_TRAILERS) {
        return failed(b, err, CLEAT_ERR_HTTP_TOO_LARGE, "RFC 9112 7.1.2",
                      "the trailer section is longer than the limit");
    }
    if (b->state == AT_TRAILER_VALUE) {
        if (c == '\r') {
            b->state = AT_TRAILER_LF;
        } else if (!cl_http_ch(c, CL_CH_VALUE)) {
            return failed(b, err, c == '\n' ? CLEAT_ERR_HTTP_AMBIGUOUS : CLEAT_ERR_HTTP_SYNTAX,
                          "RFC 9110 5.5", "a control character in a trailer");
        }
        return CLEAT_OK;
    }
    if (b->state == AT_TRAILER && c == '\r') {
        b->state = AT_LAST_LF;
        return CLEAT_OK;
    }
    if (b->state == AT_TRAILER_NAME && c == ':') {
        if (name_is_for_heads(b)) {
            return failed(b, err, CLEAT_ERR_HTTP_AMBIGUOUS, "RFC 9110 6.5.1",
                          "a trailer that would frame or route the message in a head");
        }
        b->state = AT_TRAILER_VALUE;
        return CLEAT_OK;
    }
    if (!cl_http_ch(c, CL_CH_TOKEN)) {
        return failed(b, err, CLEAT_ERR_HTTP_SYNTAX, "RFC 9112 7.1.2", "a malformed trailer");
    }
    if (b->state == AT_TRAILER && ++b->num_trailers > CLEAT_HTTP_MAX_TRAILER_FIELDS) {
        return failed(b, err, CLEAT_ERR_HTTP_TOO_LARGE, "RFC 9112 7.1.2",
                      "more trailer fields than the limit");
    }
    if (b->state == AT_TRAILER) {
        b->candidates = (1U << NUM_FRAMING_NAMES) - 1;
        b->name_len = 0;
    }
    name_byte(b, c);
    b->state = AT_TRAILER_NAME;
    return CLEAT_OK;
}

/* States that wait for one certain byte. */
static const struct {
    uint8_t want;
    uint8_t next;
    const char *otherwise;
} fixed[] = {
    [AT_SIZE_LF] = {'\n', AT_SIZE, "CR without LF behind a chunk size"},
    [AT_CHUNK_CR] = {'\r', AT_CHUNK_LF, "a chunk longer than its size"},
    [AT_CHUNK_LF] = {'\n', AT_SIZE, "CR without LF behind a chunk"},
    [AT_TRAILER_LF] = {'\n', AT_TRAILER, "CR without LF in a trailer"},
    [AT_LAST_LF] = {'\n', AT_END, "CR without LF at the end of a chunked body"},
};

static int framing_byte(struct cleat_http_body *b, uint8_t c, struct cleat_error *err)
{
    uint8_t state = b->state;
    if (state == AT_SIZE) {
        return size_byte(b, c, err);
    }
    if (state == AT_TRAILER || state == AT_TRAILER_NAME || state == AT_TRAILER_VALUE) {
        return trailer_byte(b, c, err);
    }
    if (c != fixed[state].want) {
        return failed(b, err, CLEAT_ERR_HTTP_AMBIGUOUS, "RFC 9112 7.1", fixed[state].otherwise);
    }
    b->state = fixed[state].next;
    return state == AT_SIZE_LF ? size_end(b, err) : CLEAT_OK;
}

static bool is_in_trailers(const struct cleat_http_body *b)
{
    return b->state >= AT_TRAILER && b->state <= AT_LAST_LF;
}

/* What `in` has of the trailer section, as a view; the empty line alone is nothing to tell. */
static int give_trailers(struct cleat_http_body *b, struct cl_rd *in, struct cleat_http_view *out,
                         struct cleat_error *err)
{
    const uint8_t *from = in->p;
    uint8_t c;
    while (is_in_trailers(b) && cl_rd_u8(in, &c)) {
        const int rc = framing_byte(b, c, err);
        if (rc != CLEAT_OK) {
            return rc;
        }
    }
    if (b->num_trailers == 0) {
        return CLEAT_OK;
    }
    *out = cl_http_view(cl_rd_of(from, (size_t)(in->p - from)));
    return CLEAT_HTTP_TRAILER;
}

int cleat_http_body_feed(struct cleat_http_body *b, const void *buf, size_t len, size_t *out_used,
                         struct cleat_http_view *out, struct cleat_error *err)
{
    struct cl_rd in = cl_rd_of(buf, len);
    int rc = CLEAT_OK;
    *out = (struct cleat_http_view){0};
    *out_used = 0;
    if (b->state == AT_FAILED) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_USAGE},
                            "a body fed again after its failure");
    }
    while (rc == CLEAT_OK && b->state != AT_END && in.len != 0) {
        uint8_t c;
        if (b->state == AT_CONTENT || b->state == AT_CHUNK) {
            rc = give(b, &in, out, err);
        } else if (b->tell_trailers && is_in_trailers(b)) {
            rc = give_trailers(b, &in, out, err);
        } else if (cl_rd_u8(&in, &c)) {
            rc = framing_byte(b, c, err);
        }
    }
    *out_used = len - in.len;
    if (rc != CLEAT_OK) {
        return rc;
    }
    return b->state == AT_END ? CLEAT_HTTP_COMPLETE : CLEAT_HTTP_MORE;
}

int cleat_http_body_eof(struct cleat_http_body *b, bool clean, struct cleat_error *err)
{
    if (b->state == AT_END) {
        return CLEAT_OK;
    }
    if (b->framing == CLEAT_HTTP_UNTIL_CLOSE && b->state == AT_CONTENT && clean) {
        b->state = AT_END;
        return CLEAT_OK;
    }
    /* RFC 9112 8: "A message body that uses the chunked transfer coding is incomplete if the
     * zero-sized chunk that terminates the encoding has not been received"; likewise with
     * Content-Length, and after a TLS connection without close_notify */
    struct cl_why why = {.code = CLEAT_ERR_HTTP_TRUNCATED, .section = "RFC 9112 8"};
    return cl_error_set(err, why, "the connection ended after %llu bytes of an incomplete body",
                        (unsigned long long)b->total);
}
