/* h2/head.c - see head.h. */
#include "h2/head.h"

#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "http/chars.h"
#include "http/write.h"

/* RFC 9113 6.5.2: "… plus an overhead of 32 octets for each field." */
#define FIELD_OVERHEAD 32

static const char *const pseudo_names[CL_H2_NUM_PSEUDO] = {
    [CL_H2_METHOD] = ":method", [CL_H2_SCHEME] = ":scheme",     [CL_H2_AUTHORITY] = ":authority",
    [CL_H2_PATH] = ":path",     [CL_H2_PROTOCOL] = ":protocol", [CL_H2_STATUS] = ":status",
};

/* RFC 9113 8.2.2, and Host, which is :authority. */
static const struct {
    size_t len;
    const char *name;
} of_the_connection[] = {
    {10, "connection"},        {16, "proxy-connection"}, {10, "keep-alive"},
    {17, "transfer-encoding"}, {7, "upgrade"},           {4, "host"},
};

void cl_h2_collect_free(struct cl_h2_collect *c)
{
    if (c == NULL) {
        return;
    }
    cl_buf_deinit(&c->pseudo);
    cl_buf_deinit(&c->fields);
    cl_buf_deinit(&c->cookie);
    cl_buf_deinit(&c->host);
    cl_buf_deinit(&c->text);
    cl_free(c);
}

cl_result cl_h2_collect_begin(struct cl_h2_collect **begun)
{
    *begun = *begun != NULL ? *begun : cl_calloc(1, sizeof(**begun));
    struct cl_h2_collect *c = *begun;
    if (c == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    c->pseudo.len = c->fields.len = c->cookie.len = c->host.len = c->text.len = 0;
    memset(c->values, 0, sizeof(c->values));
    c->has_host = c->too_large = false;
    c->failure = CL_OK;
    c->size = c->num_fields = 0;
    return CL_OK;
}

static cl_result add_pseudo(struct cl_h2_collect *c, struct cl_rd name, struct cl_rd value)
{
    for (size_t i = 0; i < CL_H2_NUM_PSEUDO; i++) {
        if (cl_rd_equal_str(name, pseudo_names[i])) {
            c->values[i].there = true;
            c->values[i].at = c->pseudo.len;
            c->values[i].len = value.len;
            CL_TRY(cl_buf_append(&c->pseudo, value.p, value.len, CL_HTTP_MAX_WRITTEN_HEAD));
            return cl_buf_append(&c->pseudo, "", 1, CL_HTTP_MAX_WRITTEN_HEAD);
        }
    }
    return CL_OK; /* nghttp2 lets none in that it does not know */
}

static cl_result add_cookie(struct cl_h2_collect *c, struct cl_rd crumb)
{
    if (c->cookie.len > 0) {
        CL_TRY(cl_buf_append(&c->cookie, "; ", 2, CL_HTTP_MAX_WRITTEN_HEAD));
    }
    return cl_buf_append(&c->cookie, crumb.p, crumb.len, CL_HTTP_MAX_WRITTEN_HEAD);
}

static cl_result add_field(struct cl_h2_collect *c, struct cl_rd name, struct cl_rd value)
{
    if (name.len > 0 && name.p[0] == ':') {
        return add_pseudo(c, name, value);
    }
    if (cl_rd_equal_str(name, "cookie")) {
        return add_cookie(c, value);
    }
    if (cl_rd_equal_str(name, "host") && !c->has_host) {
        c->has_host = true;
        return cl_buf_append(&c->host, value.p, value.len, CL_HTTP_MAX_WRITTEN_HEAD);
    }
    return cl_http_write_field(&c->fields, name, value);
}

bool cl_h2_collect_add(struct cl_h2_collect *c, struct cl_rd name, struct cl_rd value,
                       const struct cl_h2_limits *limits)
{
    const uint64_t size = (uint64_t)c->size + name.len + value.len + FIELD_OVERHEAD;
    c->num_fields++;
    if (size > (uint64_t)limits->size * CL_H2_PATIENCE ||
        c->num_fields > limits->num_fields * CL_H2_PATIENCE) {
        return false;
    }
    c->size = (uint32_t)size;
    if (c->size > limits->size || c->num_fields > limits->num_fields) {
        c->too_large = true;
        return true;
    }
    const cl_result r = add_field(c, name, value);
    c->failure = c->failure == CL_OK ? r : c->failure;
    return true;
}

static struct cl_rd value_of(const struct cl_h2_collect *c, enum cl_h2_pseudo which)
{
    return c->values[which].there
               ? cl_rd_of(c->pseudo.p + c->values[which].at, c->values[which].len)
               : cl_rd_of(NULL, 0);
}

/* RFC 9113 8.3.1: "… if the Host header field … is present, … MUST … have the same value." What two
 * could read differently is refused. */
static cl_result begin_request(struct cl_h2_collect *c, struct cleat_error *err)
{
    const struct cl_rd authority = value_of(c, CL_H2_AUTHORITY);
    const bool to_connect = cl_rd_equal_str(value_of(c, CL_H2_METHOD), "CONNECT");
    const bool extended = c->values[CL_H2_PROTOCOL].there;
    struct cl_rd host = authority;
    if (c->has_host && authority.p != NULL && !cl_rd_equal(cl_buf_view(&c->host), authority)) {
        const struct cl_why why = {CLEAT_ERR_HTTP_AMBIGUOUS, 0, "RFC 9113 8.3.1", NULL};
        return cl_error_set(err, why, "Host is \"%.*s\", :authority \"%.*s\"",
                            CL_HTTP_SHOWN(cl_buf_view(&c->host)), CL_HTTP_SHOWN(authority));
    }
    if (authority.p == NULL) {
        host = cl_buf_view(&c->host);
    }
    /* An extended CONNECT is for a path, as a GET (RFC 8441 4). */
    const struct cl_rd method = extended ? cl_rd_of("GET", 3) : value_of(c, CL_H2_METHOD);
    const struct cl_rd target = to_connect && !extended ? host : value_of(c, CL_H2_PATH);
    CL_TRY(cl_http_write_request(&c->text, method, target));
    return cl_http_write_field(&c->text, cl_rd_of("host", 4), host);
}

/* USAGE is what the writer says of a value that no head may have. */
static cl_result refuse(cl_result r, struct cleat_error *err)
{
    const struct cl_why why = {CLEAT_ERR_HTTP_SYNTAX, 0, "RFC 9113 8.2.1", NULL};
    return r == CLEAT_ERR_USAGE
               ? cl_error_set(err, why, "a method, path or field with bytes that none may have")
               : r;
}

static cl_result end_text(struct cl_h2_collect *c)
{
    CL_TRY(c->failure);
    CL_TRY(cl_buf_append(&c->text, c->fields.p, c->fields.len, CL_HTTP_MAX_WRITTEN_HEAD));
    if (c->cookie.len > 0) {
        CL_TRY(cl_http_write_field(&c->text, cl_rd_of("cookie", 6), cl_buf_view(&c->cookie)));
    }
    return cl_http_write_end(&c->text);
}

static cl_result begin_response(struct cl_h2_collect *c)
{
    const struct cl_rd status = value_of(c, CL_H2_STATUS);
    return cl_buf_printf(&c->text, CL_HTTP_MAX_WRITTEN_HEAD, "HTTP/1.1 %.*s \r\n",
                         CL_HTTP_SHOWN(status));
}

static cl_result parse(struct cl_h2_collect *c, uint16_t *out_status, struct cleat_error *err)
{
    /* What HTTP/1.1 writes around the fields is not in the limit, which was checked. */
    c->head.max_head = UINT16_MAX;
    const int code = cleat_http_head_feed(&c->head, c->text.p, c->text.len, err);
    if (code == CLEAT_HTTP_COMPLETE && c->head.len == c->text.len) {
        return CL_OK;
    }
    *out_status = c->head.reply_status != 0 ? c->head.reply_status : 400;
    return code < 0 ? (cl_result)code : CLEAT_ERR_HTTP_SYNTAX;
}

/* How the body is delimited is HTTP/2's to say. */
static void set_framing(struct cleat_http_head *h, bool ends)
{
    if (ends || h->framing == CLEAT_HTTP_SWITCHED) {
        h->framing = ends ? CLEAT_HTTP_NO_BODY : h->framing;
    } else if (cleat_http_find(h, "content-length", NULL).p == NULL) {
        h->framing = CLEAT_HTTP_UNTIL_CLOSE;
    } else {
        h->framing = CLEAT_HTTP_LENGTH;
    }
}

cl_result cl_h2_collect_head(struct cl_h2_collect *c, const struct cl_h2_expect *expect,
                             uint16_t *out_status, struct cleat_error *err)
{
    if (c->too_large) {
        const struct cl_why why = {CLEAT_ERR_HTTP_TOO_LARGE, 0, "RFC 9113 6.5.2", NULL};
        *out_status = 431;
        return cl_error_set(err, why, "a head of at least %u bytes in %u fields", c->size,
                            c->num_fields);
    }
    cl_result r = CL_OK;
    if (expect->is_response) {
        const char *method = expect->to_head ? "HEAD" : expect->to_connect ? "CONNECT" : "GET";
        cleat_http_response_init(&c->head, (struct cleat_http_view){method, strlen(method)});
        r = begin_response(c);
    } else {
        cleat_http_request_init(&c->head);
        r = begin_request(c, err);
    }
    if (r == CL_OK) {
        r = end_text(c);
    }
    if (r != CL_OK) {
        *out_status = r == CLEAT_ERR_NOMEM ? 500 : 400;
        return refuse(r, err);
    }
    CL_TRY(parse(c, out_status, err));
    set_framing(&c->head, expect->ends);
    return CL_OK;
}

cl_result cl_h2_collect_trailers(struct cl_h2_collect *c, struct cleat_error *err)
{
    uint16_t status = 0;
    if (c->too_large) {
        const struct cl_why why = {CLEAT_ERR_HTTP_TOO_LARGE, 0, "RFC 9113 6.5.2", NULL};
        return cl_error_set(err, why, "trailers of at least %u bytes in %u fields", c->size,
                            c->num_fields);
    }
    if (c->has_host) { /* kept apart, so that nobody else sees it */
        const struct cl_why why = {CLEAT_ERR_HTTP_SYNTAX, 0, "RFC 9110 6.5.1", NULL};
        return cl_error_set(err, why, "host as a trailer");
    }
    cleat_http_response_init(&c->head, (struct cleat_http_view){"HEAD", 4});
    CL_TRY(cl_http_write_response(&c->text, 200));
    const cl_result r = end_text(c);
    if (r != CL_OK) {
        return refuse(r, err);
    }
    CL_TRY(parse(c, &status, err));
    c->head.status = 0; /* there is none in trailers */
    return CL_OK;
}

/* ---- to send ---- */

static void add(struct cl_h2_fields *f, struct cl_rd name, struct cl_rd value)
{
    if (f->num < sizeof(f->nv) / sizeof(f->nv[0])) {
        f->nv[f->num++] = (nghttp2_nv){
            .name = (uint8_t *)(uintptr_t)name.p,
            .value = (uint8_t *)(uintptr_t)value.p,
            .namelen = name.len,
            .valuelen = value.len,
        };
    }
}

void cl_h2_fields_add(struct cl_h2_fields *f, const char *name, struct cl_rd value)
{
    add(f, cl_rd_of(name, strlen(name)), value);
}

static bool is_of_the_connection(struct cl_rd name)
{
    for (size_t i = 0; i < sizeof(of_the_connection) / sizeof(of_the_connection[0]); i++) {
        if (name.len == of_the_connection[i].len &&
            cl_http_equal_fold(name, of_the_connection[i].name)) {
            return true;
        }
    }
    return false;
}

void cl_h2_fields_of(struct cl_h2_fields *f, const struct cleat_http_head *head)
{
    for (size_t i = 0; i < head->num_fields; i++) {
        const struct cl_rd name = cl_http_rd(cleat_http_text(head, head->fields[i].name));
        if (!is_of_the_connection(name)) {
            add(f, name, cl_http_rd(cleat_http_text(head, head->fields[i].value)));
        }
    }
}
