/* http/frame.c - what the fields of a complete head mean for the message (RFC 9112 3.2, 6, 9).
 *
 * First all fields are looked at once and the facts noted, then the decisions are taken. Whenever
 * the length could be read in two ways, the message is refused.
 */
#include "http/authority.h"
#include "http/head.h"

struct facts {
    unsigned num_host, num_length, num_coding, num_upgrade;
    struct cl_rd host, length, coding; /* the last one of each */
    struct cl_rd last_coding;          /* the last element of all Transfer-Encoding fields */
    unsigned num_chunked;              /* how many of those elements are "chunked" */
    bool says_close, says_keep_alive, says_upgrade;
    bool expects, expects_other;
};

static void note_host(struct facts *f, struct cl_rd value)
{
    f->num_host++;
    f->host = value;
}

static void note_length(struct facts *f, struct cl_rd value)
{
    f->num_length++;
    f->length = value;
}

static void note_coding(struct facts *f, struct cl_rd value)
{
    struct cleat_http_view rest = cl_http_view(value);
    struct cleat_http_view element;
    f->num_coding++;
    f->coding = value;
    while (cleat_http_list_next(&rest, &element)) {
        f->last_coding = cl_http_rd(element);
        f->num_chunked += cl_http_equal_fold(f->last_coding, "chunked");
    }
}

/* RFC 9110 7.6.1: connection-option = token. A quote is no part of one, so it hides no comma: an
 * option behind it counts. */
static void note_connection(struct facts *f, struct cl_rd value)
{
    while (value.len != 0) {
        struct cl_rd o = value;
        if (!cl_http_until(&value, ',', &o)) {
            value.len = 0;
        }
        o = cl_http_trim(o);
        f->says_close = f->says_close || cl_http_equal_fold(o, "close");
        f->says_keep_alive = f->says_keep_alive || cl_http_equal_fold(o, "keep-alive");
        f->says_upgrade = f->says_upgrade || cl_http_equal_fold(o, "upgrade");
    }
}

static void note_upgrade(struct facts *f, struct cl_rd value)
{
    f->num_upgrade += value.len != 0;
}

static void note_expect(struct facts *f, struct cl_rd value)
{
    struct cleat_http_view rest = cl_http_view(value);
    struct cleat_http_view item;
    while (cleat_http_list_next(&rest, &item)) {
        if (cl_http_equal_fold(cl_http_rd(item), "100-continue")) {
            f->expects = true;
        } else {
            f->expects_other = true;
        }
    }
}

static const struct {
    const char *name;
    size_t name_len;
    void (*note)(struct facts *f, struct cl_rd value);
} rows[] = {
    {"host", 4, note_host},
    {"content-length", 14, note_length},
    {"transfer-encoding", 17, note_coding},
    {"connection", 10, note_connection},
    {"upgrade", 7, note_upgrade},
    {"expect", 6, note_expect},
};

static void gather(const struct cleat_http_head *h, struct facts *f)
{
    for (size_t i = 0; i < h->num_fields; i++) {
        struct cl_rd name = cl_http_rd_span(h, h->fields[i].name);
        for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
            if (name.len == rows[k].name_len && cl_http_equal_fold(name, rows[k].name)) {
                rows[k].note(f, cl_http_rd_span(h, h->fields[i].value));
            }
        }
    }
}

static cl_result ambiguous(struct cleat_http_head *h, struct cleat_error *err, const char *section,
                           struct cl_rd value, const char *what)
{
    struct cl_why why = {.code = CLEAT_ERR_HTTP_AMBIGUOUS,
                         .section = section,
                         .hint = "refused: servers that read it differently could be played off "
                                 "against each other (request smuggling)"};
    return cl_http_refuse(h, cl_error_set(err, why, "%s: \"%.*s\"", what, CL_HTTP_SHOWN(value)));
}

static cl_result check_length(struct cleat_http_head *h, const struct facts *f,
                              struct cleat_error *err)
{
    /* RFC 9112 6.3: a list of the same value MAY be accepted, different values MUST NOT; here
     * neither is */
    if (f->num_length > 1) {
        return ambiguous(h, err, "RFC 9112 6.3", f->length, "more than one Content-Length");
    }
    switch (cl_http_u64(f->length, &h->content_length)) {
    case CL_HTTP_U64_OK:
        return CL_OK;
    case CL_HTTP_U64_HUGE: {
        struct cl_why why = {.code = CLEAT_ERR_HTTP_TOO_LARGE, .section = "RFC 9110 8.6"};
        h->reply_status = 413;
        return cl_http_refuse(h, cl_error_set(err, why, "Content-Length %.*s is beyond all limits",
                                              CL_HTTP_SHOWN(f->length)));
    }
    default:
        return ambiguous(h, err, "RFC 9110 8.6", f->length, "not a valid Content-Length");
    }
}

static cl_result check_coding(struct cleat_http_head *h, const struct facts *f,
                              struct cleat_error *err)
{
    /* RFC 9112 6.1: "A server or client that receives an HTTP/1.0 message containing a
     * Transfer-Encoding header field MUST treat the message as if the framing is faulty" */
    if (h->minor == 0) {
        return ambiguous(h, err, "RFC 9112 6.1", f->coding, "Transfer-Encoding in HTTP/1.0");
    }
    /* RFC 9112 6.1: "A server MAY reject a request that contains both Content-Length and
     * Transfer-Encoding" */
    if (f->num_length != 0) {
        return ambiguous(h, err, "RFC 9112 6.1", f->coding,
                         "both Content-Length and Transfer-Encoding");
    }
    if (f->num_coding == 1 && cl_http_equal_fold(f->coding, "chunked")) {
        return CL_OK;
    }
    /* RFC 9112 6.1: "A server that receives a request message with a transfer coding it does not
     * understand SHOULD respond with 501"; 6.3: not chunked last: 400 */
    if (f->num_chunked == 1 && cl_http_equal_fold(f->last_coding, "chunked") &&
        f->coding.len != 0 && f->coding.p[f->coding.len - 1] != ',') {
        struct cl_why why = {.code = CLEAT_ERR_UNSUPPORTED, .section = "RFC 9112 6.1"};
        return cl_http_refuse(h, cl_error_set(err, why, "transfer codings other than chunked: %.*s",
                                              CL_HTTP_SHOWN(f->coding)));
    }
    return ambiguous(h, err, "RFC 9112 6.3", f->coding, "Transfer-Encoding is not \"chunked\"");
}

/* How the message would be framed by its fields alone. */
static cl_result frame_by_fields(struct cleat_http_head *h, const struct facts *f,
                                 struct cleat_error *err)
{
    if (f->num_coding != 0) {
        CL_TRY(check_coding(h, f, err));
        h->framing = CLEAT_HTTP_CHUNKED;
    } else if (f->num_length != 0) {
        CL_TRY(check_length(h, f, err));
        h->framing = CLEAT_HTTP_LENGTH;
    } else {
        h->framing = h->is_response ? CLEAT_HTTP_UNTIL_CLOSE : CLEAT_HTTP_NO_BODY;
    }
    return CL_OK;
}

static cl_result check_host(struct cleat_http_head *h, const struct facts *f,
                            struct cleat_error *err)
{
    struct cl_http_authority a;
    struct cl_why why = {.code = CLEAT_ERR_HTTP_SYNTAX, .section = "RFC 9112 3.2"};
    /* RFC 9112 3.2: "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1
     * request message that lacks a Host header field and to any request message that contains more
     * than one Host header field line or a Host header field with an invalid field value." */
    if (f->num_host > 1 || (f->num_host == 0 && h->minor == 1)) {
        return cl_http_refuse(h,
                              cl_error_set(err, why, "a request with %u Host fields", f->num_host));
    }
    if (f->num_host == 0) {
        return CL_OK;
    }
    enum cl_http_authority_flaw flaw = cl_http_authority_parse(f->host, &a);
    if (flaw != CL_HTTP_AUTHORITY_FINE || a.is_idn) {
        return cl_http_refuse(
            h, cl_error_set(err, why, "Host \"%.*s\": %s", CL_HTTP_SHOWN(f->host),
                            a.is_idn ? "not ASCII" : cl_http_authority_flaw_text(flaw)));
    }
    /* RFC 9112 3.2.2: with an absolute-form target "the origin server MUST ignore the received Host
     * header field (if any) and instead use the host information of the request-target" */
    if (h->authority.len == 0) {
        h->authority = cl_http_span(h, f->host);
    }
    return CL_OK;
}

static cl_result frame_request(struct cleat_http_head *h, const struct facts *f,
                               struct cleat_error *err)
{
    CL_TRY(check_host(h, f, err));
    CL_TRY(frame_by_fields(h, f, err));
    /* RFC 9110 7.8: "A server MUST ignore an Upgrade header field that is received in an HTTP/1.0
     * request"; likewise 10.1.1 for Expect */
    h->upgrade = h->minor == 1 && f->says_upgrade && f->num_upgrade != 0;
    if (h->minor == 1 && (f->expects || f->expects_other)) {
        h->expect = f->expects_other ? CLEAT_HTTP_EXPECT_UNKNOWN : CLEAT_HTTP_EXPECT_CONTINUE;
    }
    if (h->form != CLEAT_HTTP_AUTHORITY_FORM) {
        return CL_OK;
    }
    /* RFC 9110 9.3.6: "A CONNECT request message does not have content." What follows may be meant
     * for the tunnel, so it must never be read as the next request. */
    if (h->framing == CLEAT_HTTP_CHUNKED || h->content_length != 0) {
        return ambiguous(h, err, "RFC 9110 9.3.6", f->length, "CONNECT with content");
    }
    h->framing = CLEAT_HTTP_NO_BODY;
    h->keep_alive = false;
    return CL_OK;
}

static cl_result frame_response(struct cleat_http_head *h, const struct facts *f,
                                struct cleat_error *err)
{
    CL_TRY(frame_by_fields(h, f, err));
    h->upgrade = h->minor == 1 && f->says_upgrade && f->num_upgrade != 0;
    /* RFC 9112 6.3, rules 1 and 2: decided by request method and status, whatever the fields say */
    if (h->status == 101 || (h->to_connect && h->status / 100 == 2)) {
        h->framing = CLEAT_HTTP_SWITCHED;
    } else if (h->to_head || h->status / 100 == 1 || h->status == 204 || h->status == 304) {
        h->framing = CLEAT_HTTP_NO_BODY;
    }
    if (h->framing != CLEAT_HTTP_LENGTH && h->framing != CLEAT_HTTP_NO_BODY) {
        h->content_length = 0;
    }
    if (h->framing == CLEAT_HTTP_UNTIL_CLOSE || h->framing == CLEAT_HTTP_SWITCHED) {
        h->keep_alive = false;
    }
    return CL_OK;
}

cl_result cl_http_frame(struct cleat_http_head *h, struct cleat_error *err)
{
    struct facts f = {0};
    gather(h, &f);
    /* RFC 9112 9.3 */
    h->keep_alive = !f.says_close && (h->minor == 1 || f.says_keep_alive);
    return h->is_response ? frame_response(h, &f, err) : frame_request(h, &f, err);
}
