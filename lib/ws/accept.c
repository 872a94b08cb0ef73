/* ws/accept.c - the server's side of the opening handshake (RFC 6455 4.2, RFC 8441 5): judging a
 * request, and answering it. Parsing is http's; nothing here touches bytes of the connection. */
#include "base/text.h"
#include "http/write.h"
#include "ws/ext.h"
#include "ws/hand.h"

#define VERSION "13"
/* 16: the nonce of Sec-WebSocket-Key (RFC 6455 4.1) */
#define KEY_LEN 16

struct request {
    struct cleat_ws_upgrade *out;
    const struct cleat_http_head *head;
    const struct cleat_ws_accept *policy;
    struct cleat_error *err;
};

/* What is refused: the status to answer, and cl_error_set's arguments. */
#define REFUSE(r, answer, why_code, why_section, why_hint, ...)                             \
    ((r)->out->status = (answer),                                                           \
     cl_error_set(                                                                          \
         (r)->err,                                                                          \
         (struct cl_why){.code = (why_code), .section = (why_section), .hint = (why_hint)}, \
         __VA_ARGS__))
#define BAD(r, section, hint, ...) \
    REFUSE(r, 400, CLEAT_ERR_WS_HANDSHAKE, section, hint, __VA_ARGS__)

#define PROXY "a proxy in between has to pass Upgrade and Connection on (nginx: proxy_set_header)"

bool cleat_ws_wants_upgrade(const struct cleat_http_head *request)
{
    return cleat_http_has_token(request, "Upgrade", "websocket");
}

/* What only HTTP/1.1 has (RFC 6455 4.2.1, items 1 to 4). */
static cl_result check_upgrade(const struct request *r)
{
    struct cleat_http_view method = cleat_http_text(r->head, r->head->method);
    if (!cleat_http_is(method, "GET")) {
        return REFUSE(r, 405, CLEAT_ERR_WS_HANDSHAKE, "RFC 6455 4.1", NULL,
                      "the method is %.*s; a WebSocket begins with GET", CL_HTTP_SHOWN(method));
    }
    if (r->head->minor != 1) {
        return BAD(r, "RFC 6455 4.1", NULL, "HTTP/1.%u: an upgrade needs HTTP/1.1", r->head->minor);
    }
    if (!cleat_ws_wants_upgrade(r->head)) {
        return BAD(r, "RFC 6455 4.2.1", PROXY, "Upgrade: %s \"websocket\"",
                   cleat_http_count(r->head, "Upgrade") == 0 ? "the header is missing; it has to be"
                                                             : "it does not list");
    }
    if (!cleat_http_has_token(r->head, "Connection", "upgrade")) {
        return BAD(r, "RFC 6455 4.2.1", PROXY, "Connection: %s \"Upgrade\"",
                   cleat_http_count(r->head, "Connection") == 0
                       ? "the header is missing; it has to list"
                       : "it does not list");
    }
    /* a body would be read as frames by one side, and as a body by the other */
    if (r->head->framing != CLEAT_HTTP_NO_BODY && r->head->framing != CLEAT_HTTP_SWITCHED) {
        if (r->head->framing != CLEAT_HTTP_LENGTH || r->head->content_length != 0) {
            return BAD(r, "RFC 6455 4.1", NULL, "%s: a request for an upgrade has no body",
                       r->head->framing == CLEAT_HTTP_LENGTH ? "Content-Length"
                                                             : "Transfer-Encoding");
        }
    }
    return CL_OK;
}

static cl_result check_version(const struct request *r)
{
    struct cleat_http_view value;
    if (!cl_ws_single(r->head, "Sec-WebSocket-Version", &value)) {
        return BAD(r, "RFC 6455 11.3.5", NULL, "Sec-WebSocket-Version: more than one");
    }
    if (value.p == NULL) {
        return BAD(r, "RFC 6455 4.2.1", NULL,
                   "Sec-WebSocket-Version: the header is missing; it has to be " VERSION);
    }
    /* RFC 6455 4.4: "the server MUST respond with a |Sec-WebSocket-Version| header field (or
     * multiple |Sec-WebSocket-Version| header fields) containing all versions the server is willing
     * to use" */
    if (!cleat_http_is(value, VERSION)) {
        return REFUSE(r, 426, CLEAT_ERR_WS_VERSION, "RFC 6455 4.4", NULL,
                      "Sec-WebSocket-Version: \"%.*s\"; only " VERSION " is spoken here",
                      CL_HTTP_SHOWN(value));
    }
    return CL_OK;
}

static cl_result check_key(const struct request *r)
{
    struct cleat_http_view value;
    uint8_t key[KEY_LEN];
    size_t len;
    if (!cl_ws_single(r->head, "Sec-WebSocket-Key", &value)) {
        return BAD(r, "RFC 6455 11.3.1", NULL, "Sec-WebSocket-Key: more than one");
    }
    if (value.p == NULL) {
        return BAD(r, "RFC 6455 4.2.1", NULL, "Sec-WebSocket-Key: the header is missing");
    }
    /* RFC 6455 4.2.1: "a base64-encoded (see Section 4 of [RFC4648]) value that, when decoded, is
     * 16 bytes in length" */
    if (!cl_base64_decode(value.p, value.len, false, key, sizeof(key), &len) || len != KEY_LEN) {
        return BAD(r, "RFC 6455 4.2.1", NULL,
                   "Sec-WebSocket-Key: \"%.*s\" is not the base64 form of 16 bytes",
                   CL_HTTP_SHOWN(value));
    }
    cl_ws_accept_of(cl_http_rd(value), r->out->accept);
    return CL_OK;
}

static cl_result check_origin(const struct request *r)
{
    struct cleat_http_view host;
    if (!cl_ws_single(r->head, "Origin", &r->out->origin)) {
        return BAD(r, "RFC 6454 7.3", NULL, "Origin: more than one");
    }
    if (r->out->origin.p == NULL) {
        return !r->policy->require_origin
                   ? CL_OK
                   : REFUSE(r, 403, CLEAT_ERR_WS_ORIGIN, "RFC 6455 4.2.2", NULL,
                            "Origin: the header is missing, and is required here");
    }
    host = r->head->authority.len != 0 ? cleat_http_text(r->head, r->head->authority)
                                       : cleat_http_find(r->head, "Host", NULL);
    if (!cl_ws_origin_allowed(r->policy, r->out->origin, host)) {
        return REFUSE(r, 403, CLEAT_ERR_WS_ORIGIN, "RFC 6455 10.2",
                      "pages of other sites may connect only when the server lists their origin",
                      "Origin: \"%.*s\" may not connect to \"%.*s\"", CL_HTTP_SHOWN(r->out->origin),
                      CL_HTTP_SHOWN(host));
    }
    return CL_OK;
}

/* Calls each element of Sec-WebSocket-Protocol; the number of them, SIZE_MAX when one is no token.
 * With `wanted` counts those that are equal to it. */
static size_t count_protocols(const struct cleat_http_head *head, struct cl_rd wanted)
{
    struct cleat_http_view value;
    struct cleat_http_view element;
    size_t from = 0;
    size_t num = 0;
    while ((value = cleat_http_find(head, "Sec-WebSocket-Protocol", &from)).p != NULL) {
        while (cleat_http_list_next(&value, &element)) {
            if (!cl_http_all(cl_http_rd(element), CL_CH_TOKEN)) {
                return SIZE_MAX;
            }
            if (wanted.p == NULL || cl_rd_equal(cl_http_rd(element), wanted)) {
                num++;
            }
        }
    }
    return num;
}

static bool has_repeated(const struct cleat_http_head *head)
{
    struct cleat_http_view value;
    struct cleat_http_view element;
    size_t from = 0;
    while ((value = cleat_http_find(head, "Sec-WebSocket-Protocol", &from)).p != NULL) {
        while (cleat_http_list_next(&value, &element)) {
            if (count_protocols(head, cl_http_rd(element)) != 1) {
                return true;
            }
        }
    }
    return false;
}

/* 32: each is compared with all; more than a client could mean */
#define MAX_PROTOCOLS 32

static cl_result choose_subprotocol(const struct request *r)
{
    const struct cleat_ws_accept *policy = r->policy;
    size_t num = count_protocols(r->head, (struct cl_rd){0});
    bool there = cleat_http_count(r->head, "Sec-WebSocket-Protocol") != 0;
    if (there && (num == 0 || num > MAX_PROTOCOLS)) {
        return BAD(r, "RFC 6455 4.1", NULL, "Sec-WebSocket-Protocol: not a list of 1 to %d tokens",
                   MAX_PROTOCOLS);
    }
    /* RFC 6455 4.1: "The elements that comprise this value MUST be non-empty strings [...] and MUST
     * all be unique strings." */
    if (there && has_repeated(r->head)) {
        return BAD(r, "RFC 6455 4.1", NULL, "Sec-WebSocket-Protocol: a name stands twice");
    }
    for (size_t i = 0; i < policy->num_subprotocols && there; i++) {
        if (count_protocols(r->head, cl_rd_str(policy->subprotocols[i])) != 0) {
            r->out->subprotocol = policy->subprotocols[i];
            return CL_OK;
        }
    }
    if (policy->require_subprotocol) {
        return BAD(r, "RFC 6455 4.2.2", NULL, "Sec-WebSocket-Protocol: %s",
                   there ? "none of those offered is spoken here" : "the header is missing");
    }
    return CL_OK;
}

static cl_result check(const struct request *r)
{
    if (!r->policy->http2) {
        CL_TRY(check_upgrade(r));
    }
    CL_TRY(check_version(r));
    if (!r->policy->http2) {
        CL_TRY(check_key(r));
    }
    CL_TRY(check_origin(r));
    CL_TRY(choose_subprotocol(r));
    r->out->status = 400;
    CL_TRY(cl_ws_ext_accept(r->out, r->head, &r->policy->deflate, r->err));
    /* RFC 6455 4.1: "Once the client's opening handshake has been sent, the client MUST wait for a
     * response from the server before sending any further data." */
    if (r->policy->behind != 0 && !r->policy->http2) {
        return BAD(r, "RFC 6455 4.1", "what goes with one request must not hide another",
                   "%zu bytes behind the request, before it was answered", r->policy->behind);
    }
    return CL_OK;
}

int cleat_ws_upgrade_check(struct cleat_ws_upgrade *out, const struct cleat_http_head *request,
                           const struct cleat_ws_accept *policy, struct cleat_error *err)
{
    *out = (struct cleat_ws_upgrade){0};
    const struct request r = {out, request, policy, err};
    cl_result rc = check(&r);
    if (rc != CL_OK) {
        out->deflate = (struct cleat_ws_deflate){0};
        out->extensions[0] = '\0';
        out->accept[0] = '\0';
        out->subprotocol = NULL;
        return (int)rc;
    }
    out->status = policy->http2 ? 200 : 101;
    return CLEAT_OK;
}

/* ---- answering --------------------------------------------------------------------------------*/

static cl_result put_switch(struct cl_buf *head, const struct cleat_ws_upgrade *u)
{
    CL_TRY(cl_http_write_response(head, 101));
    CL_TRY(cl_http_write_field_str(head, "Upgrade", "websocket"));
    CL_TRY(cl_http_write_field_str(head, "Connection", "Upgrade"));
    CL_TRY(cl_http_write_field_str(head, "Sec-WebSocket-Accept", u->accept));
    if (u->subprotocol != NULL) {
        CL_TRY(cl_http_write_field_str(head, "Sec-WebSocket-Protocol", u->subprotocol));
    }
    if (u->extensions[0] != '\0') {
        CL_TRY(cl_http_write_field_str(head, "Sec-WebSocket-Extensions", u->extensions));
    }
    return cl_http_write_end(head);
}

static cl_result put_refusal(struct cl_buf *head, const struct cleat_ws_upgrade *u,
                             const struct cleat_error *why)
{
    const char *text = why != NULL ? why->text : "";
    CL_TRY(cl_http_write_response(head, u->status));
    if (u->status == 426) {
        CL_TRY(cl_http_write_field_str(head, "Upgrade", "websocket"));
        CL_TRY(cl_http_write_field_str(head, "Sec-WebSocket-Version", VERSION));
    }
    if (u->status == 405) {
        CL_TRY(cl_http_write_field_str(head, "Allow", "GET"));
    }
    /* RFC 9110 7.8: the sender of Upgrade lists it in Connection too */
    CL_TRY(
        cl_http_write_field_str(head, "Connection", u->status == 426 ? "close, Upgrade" : "close"));
    CL_TRY(cl_http_write_field_str(head, "Content-Type", "text/plain; charset=utf-8"));
    CL_TRY(cl_http_write_field_str(head, "X-Content-Type-Options", "nosniff"));
    size_t len = strlen(text);
    CL_TRY(cl_http_write_field_u64(head, "Content-Length", len != 0 ? len + 1 : 0));
    CL_TRY(cl_http_write_end(head));
    return len != 0 ? cl_buf_printf(head, CL_HTTP_MAX_WRITTEN_HEAD, "%s\n", text) : CL_OK;
}

int cleat_ws_upgrade_write(const struct cleat_ws_upgrade *u, const struct cleat_error *why,
                           char *out, size_t cap, size_t *out_len)
{
    struct cl_buf head = {0};
    *out_len = 0;
    if (u->status != 101 && u->status < 400) {
        return CLEAT_ERR_USAGE;
    }
    cl_result rc = u->status == 101 ? put_switch(&head, u) : put_refusal(&head, u, why);
    if (rc == CL_OK) {
        rc = cl_ws_copy_out(cl_buf_view(&head), out, cap, out_len);
    }
    cl_buf_deinit(&head);
    return (int)rc;
}
