/* http/head.c - incremental parsing of request and response heads (RFC 9112 2-5).
 *
 * Each byte is looked at once: `scanned` is what is done, `line_at` where the current line began. A
 * line is parsed when its CR LF has been seen; bytes that no line may hold end the parsing as soon
 * as they are seen. So the outcome depends on the bytes only, never on how they were cut into
 * calls.
 *
 * Invariants: line_at <= scanned <= min(len, max_head) <= UINT16_MAX; spans are offsets from the
 * message's first byte; `base` is only dereferenced below `scanned`.
 */
#include "http/head.h"

/* 2: old clients send one behind a body, some of them with a line end of its own */
#define MAX_EMPTY_LINES 2

enum {
    AT_START,      /* nothing but empty lines yet, in front of a request */
    AT_FIRST_LINE, /* request line or status line */
    AT_FIELDS,
    AT_END,
    AT_FAILED,
};

void cleat_http_request_init(struct cleat_http_head *h)
{
    memset(h, 0, offsetof(struct cleat_http_head, fields));
    h->max_head = CLEAT_HTTP_MAX_REQUEST_HEAD;
    h->max_fields = CLEAT_HTTP_MAX_FIELDS;
    h->scanned = 0;
    h->line_at = 0;
    h->state = AT_START;
}

void cleat_http_response_init(struct cleat_http_head *h, struct cleat_http_view request_method)
{
    cleat_http_request_init(h);
    h->max_head = CLEAT_HTTP_MAX_RESPONSE_HEAD;
    h->is_response = true;
    h->to_head = cleat_http_is(request_method, "HEAD");
    h->to_connect = cleat_http_is(request_method, "CONNECT");
    h->state = AT_FIRST_LINE;
}

void cl_http_fields_init(struct cleat_http_head *h, uint8_t max_fields)
{
    cleat_http_request_init(h);
    h->max_fields = max_fields;
    h->is_response = true;
    h->state = AT_FIELDS;
}

cl_result cl_http_refuse(struct cleat_http_head *h, cl_result code)
{
    if (h->reply_status == 0) {
        h->reply_status = (uint16_t)cleat_http_reply_status((int)code);
        if (code == CLEAT_ERR_HTTP_TOO_LARGE) {
            h->reply_status = 431;
        }
    }
    h->state = AT_FAILED;
    return code;
}

static cl_result syntax(struct cleat_http_head *h, struct cleat_error *err, struct cl_rd line,
                        const char *section, const char *what)
{
    struct cl_why why = {.code = CLEAT_ERR_HTTP_SYNTAX, .section = section};
    return cl_http_refuse(h, cl_error_set(err, why, "%s: \"%.*s\"", what, CL_HTTP_SHOWN(line)));
}

static cl_result ambiguous(struct cleat_http_head *h, struct cleat_error *err, const char *section,
                           const char *what)
{
    struct cl_why why = {.code = CLEAT_ERR_HTTP_AMBIGUOUS, .section = section};
    return cl_http_refuse(h, cl_error_set(err, why, "%s", what));
}

static cl_result too_large(struct cleat_http_head *h, struct cleat_error *err)
{
    struct cl_why why = {.code = CLEAT_ERR_HTTP_TOO_LARGE, .section = "RFC 9110 5.4"};
    if (h->state <= AT_FIRST_LINE && !h->is_response) {
        h->reply_status = 414;
        why.section = "RFC 9112 3";
        return cl_http_refuse(h, cl_error_set(err, why, "the request line is longer than %u bytes",
                                              (unsigned)h->max_head));
    }
    return cl_http_refuse(
        h, cl_error_set(err, why, "the head is longer than %u bytes", (unsigned)h->max_head));
}

/* HTTP-version = "HTTP/" DIGIT "." DIGIT, case-sensitive (RFC 9112 2.3). */
static cl_result take_version(struct cleat_http_head *h, struct cl_rd line, struct cl_rd v,
                              struct cleat_error *err)
{
    if (v.len != 8 || memcmp(v.p, "HTTP/", 5) != 0 || v.p[6] != '.' ||
        !cl_http_ch(v.p[5], CL_CH_DIGIT) || !cl_http_ch(v.p[7], CL_CH_DIGIT)) {
        return syntax(h, err, line, "RFC 9112 2.3", "no HTTP version where one must be");
    }
    if (v.p[5] != '1' || v.p[7] > '1') {
        struct cl_why why = {.code = CLEAT_ERR_HTTP_VERSION, .section = "RFC 9112 2.3"};
        if (v.p[5] == '2') {
            why.hint = "HTTP/2 must be negotiated with ALPN before it is spoken";
        }
        return cl_http_refuse(
            h, cl_error_set(err, why, "%.8s is neither HTTP/1.1 nor HTTP/1.0", (const char *)v.p));
    }
    h->minor = (uint8_t)(v.p[7] - '0');
    return CL_OK;
}

/* request-line = method SP request-target SP HTTP-version (RFC 9112 3). */
static cl_result take_request_line(struct cleat_http_head *h, struct cl_rd line,
                                   struct cleat_error *err)
{
    struct cl_rd rest = line;
    struct cl_rd method;
    struct cl_rd target;
    if (!cl_http_until(&rest, ' ', &method) || method.len == 0 ||
        method.len > CLEAT_HTTP_MAX_METHOD || !cl_http_all(method, CL_CH_TOKEN)) {
        return syntax(h, err, line, "RFC 9112 3", "not a request line");
    }
    if (!cl_http_until(&rest, ' ', &target)) {
        struct cl_why why = {.code = CLEAT_ERR_HTTP_VERSION, .section = "RFC 9112 2.3"};
        return cl_http_refuse(h, cl_error_set(err, why, "a request without version (HTTP/0.9)"));
    }
    if (memchr(rest.p, ' ', rest.len) != NULL) {
        return syntax(h, err, line, "RFC 9112 3", "a request line with too many spaces");
    }
    CL_TRY(take_version(h, line, rest, err));
    if (target.len > CLEAT_HTTP_MAX_TARGET) {
        struct cl_why why = {.code = CLEAT_ERR_HTTP_TOO_LARGE, .section = "RFC 9112 3"};
        h->reply_status = 414;
        return cl_http_refuse(h, cl_error_set(err, why, "a request target of %zu bytes, limit %d",
                                              target.len, CLEAT_HTTP_MAX_TARGET));
    }
    h->method = cl_http_span(h, method);
    h->target = cl_http_span(h, target);
    return cl_http_target_parse(h, method, target, err);
}

/* status-line = HTTP-version SP status-code SP [ reason-phrase ] (RFC 9112 4). The space behind the
 * code may be missing: deployed servers leave it out, and nothing depends on it. */
static cl_result take_status_line(struct cleat_http_head *h, struct cl_rd line,
                                  struct cleat_error *err)
{
    struct cl_rd rest = line;
    struct cl_rd version;
    struct cl_rd code;
    uint8_t space = ' ';
    if (!cl_http_until(&rest, ' ', &version)) {
        return syntax(h, err, line, "RFC 9112 4", "not a status line");
    }
    CL_TRY(take_version(h, line, version, err));
    if (!cl_rd_take(&rest, 3, &code) || !cl_http_all(code, CL_CH_DIGIT) || code.p[0] == '0' ||
        (!cl_rd_done(&rest) && (!cl_rd_u8(&rest, &space) || space != ' '))) {
        return syntax(h, err, line, "RFC 9112 4", "not a status code of three digits");
    }
    h->status = (uint16_t)((code.p[0] - '0') * 100 + (code.p[1] - '0') * 10 + (code.p[2] - '0'));
    h->reason = cl_http_span(h, rest);
    return CL_OK;
}

/* Why a line that begins a field has no valid name. */
static cl_result bad_field_name(struct cleat_http_head *h, struct cl_rd line, struct cl_rd name,
                                struct cleat_error *err)
{
    if (line.p[0] == ' ' || line.p[0] == '\t') {
        /* RFC 9112 5.2: "A server that receives an obs-fold [...] MUST either reject the message by
         * sending a 400 [...] or replace"; 2.2 forbids space before the first field. */
        return ambiguous(h, err, "RFC 9112 5.2", "a folded line, or space in front of a field");
    }
    if (name.len != 0 && (name.p[name.len - 1] == ' ' || name.p[name.len - 1] == '\t')) {
        /* RFC 9112 5.1: "A server MUST reject [...] any received request message that contains
         * whitespace between a header field name and colon" */
        return ambiguous(h, err, "RFC 9112 5.1",
                         "white space between a field's name and its colon");
    }
    return syntax(h, err, line, "RFC 9112 5", "not a field");
}

/* field-line = field-name ":" OWS field-value OWS (RFC 9112 5). */
static cl_result take_field(struct cleat_http_head *h, struct cl_rd line, struct cleat_error *err)
{
    struct cl_rd value = line;
    struct cl_rd name = {0};
    if (!cl_http_until(&value, ':', &name) || name.len == 0 || !cl_http_all(name, CL_CH_TOKEN)) {
        return bad_field_name(h, line, name, err);
    }
    if (h->num_fields >= h->max_fields || h->num_fields >= CLEAT_HTTP_MAX_FIELDS) {
        struct cl_why why = {.code = CLEAT_ERR_HTTP_TOO_LARGE, .section = "RFC 9110 5.4"};
        return cl_http_refuse(
            h, cl_error_set(err, why, "more than %u fields", (unsigned)h->num_fields));
    }
    h->fields[h->num_fields].name = cl_http_span(h, name);
    h->fields[h->num_fields].value = cl_http_span(h, cl_http_trim(value));
    h->num_fields++;
    return CL_OK;
}

/* One complete line, without its CR LF. */
static cl_result take_line(struct cleat_http_head *h, struct cl_rd line, struct cleat_error *err)
{
    switch (h->state) {
    case AT_START:
        /* RFC 9112 2.2: "a server [...] SHOULD ignore at least one empty line (CRLF) received prior
         * to the request-line" */
        if (line.len == 0 && h->scanned <= 2 * MAX_EMPTY_LINES) {
            return CL_OK;
        }
        h->state = AT_FIRST_LINE;
        /* fall through */
    case AT_FIRST_LINE:
        CL_TRY(h->is_response ? take_status_line(h, line, err) : take_request_line(h, line, err));
        h->state = AT_FIELDS;
        return CL_OK;
    case AT_FIELDS:
        if (line.len != 0) {
            return take_field(h, line, err);
        }
        CL_TRY(cl_http_frame(h, err));
        h->len = h->scanned;
        h->state = AT_END;
        return CL_OK;
    default:
        return CLEAT_ERR_USAGE;
    }
}

/* A byte that no line of a head may hold. */
static cl_result bad_byte(struct cleat_http_head *h, uint8_t c, struct cleat_error *err)
{
    if (c == '\n' || c == '\r') {
        /* RFC 9112 2.2: "a recipient of such a bare CR MUST consider that element to be invalid";
         * bare LF is refused too, although a recipient MAY accept it */
        return ambiguous(h, err, "RFC 9112 2.2",
                         c == '\n' ? "LF without CR in the head" : "CR without LF in the head");
    }
    struct cl_why why = {.code = CLEAT_ERR_HTTP_SYNTAX, .section = "RFC 9110 5.5"};
    if (c == 0x16 && h->scanned == 0) {
        why.hint = "this looks like TLS: the port speaks HTTP in clear, connect with http://";
        return cl_http_refuse(h, cl_error_set(err, why, "the peer speaks TLS, not HTTP"));
    }
    return cl_http_refuse(h, cl_error_set(err, why, "control character 0x%02x in the head", c));
}

int cleat_http_head_feed(struct cleat_http_head *h, const void *buf, size_t len,
                         struct cleat_error *err)
{
    const uint8_t *p = buf;
    size_t end = len < h->max_head ? len : h->max_head;
    if (h->state >= AT_END || len < h->scanned) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_USAGE},
                            "a head fed again after its end, or with fewer bytes than before");
    }
    h->base = buf;
    size_t at = h->scanned;
    while (at < end) {
        at = cl_http_skip_value(p, at, end);
        h->scanned = (uint16_t)at;
        if (at == end || (p[at] == '\r' && at + 1 == end)) {
            break;
        }
        if (p[at] != '\r' || p[at + 1] != '\n') {
            return bad_byte(h, p[at], err);
        }
        at += 2;
        h->scanned = (uint16_t)at;
        struct cl_rd line = cl_rd_of(p + h->line_at, at - 2 - h->line_at);
        h->line_at = h->scanned;
        cl_result rc = take_line(h, line, err);
        if (rc != CL_OK || h->state == AT_END) {
            return rc != CL_OK ? (int)rc : CLEAT_HTTP_COMPLETE;
        }
    }
    return len >= h->max_head ? (int)too_large(h, err) : CLEAT_HTTP_MORE;
}

int cleat_http_head_eof(const struct cleat_http_head *h, size_t len, struct cleat_error *err)
{
    /* empty lines in front of a request that never came */
    if (len == 0 || (h->state == AT_START && h->line_at == len)) {
        return CLEAT_OK;
    }
    struct cl_why why = {.code = CLEAT_ERR_HTTP_TRUNCATED, .section = "RFC 9112 8"};
    return cl_error_set(err, why, "the connection ended after %zu bytes of an incomplete head",
                        len);
}
