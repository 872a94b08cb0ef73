/* ws/connect.c - the client's side of the opening handshake (RFC 6455 4.1): the request, and
 * judging the response. */
#include "base/text.h"
#include "crypto/rand.h"
#include "http/write.h"
#include "ws/ext.h"
#include "ws/hand.h"

#define KEY_LEN 16

_Static_assert(CLEAT_WS_KEY_SIZE == CL_BASE64_LEN(KEY_LEN) + 1, "16 bytes in base64");

/* Fields that the handshake writes itself, or that would give the request a body. */
static const char *const own_fields[] = {
    "Host",
    "Upgrade",
    "Connection",
    "Origin",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Version",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Extensions",
    "Sec-WebSocket-Accept",
    "Content-Length",
    "Transfer-Encoding",
};

static cl_result bad_config(struct cleat_error *err, const char *what, const char *text)
{
    struct cl_why why = {.code = CLEAT_ERR_BAD_CONFIG, .section = "RFC 6455 4.1"};
    return cl_error_set(err, why, "%s: \"%.80s\"", what, text);
}

static cl_result put_subprotocols(struct cl_buf *head, const struct cleat_ws_offer *offer,
                                  struct cleat_error *err)
{
    struct cl_buf list = {0};
    cl_result rc = CL_OK;
    for (size_t i = 0; i < offer->num_subprotocols && rc == CL_OK; i++) {
        struct cl_rd name = cl_rd_str(offer->subprotocols[i]);
        bool twice = false;
        for (size_t k = 0; k < i; k++) {
            twice = twice || cl_rd_equal_str(name, offer->subprotocols[k]);
        }
        if (name.len == 0 || !cl_http_all(name, CL_CH_TOKEN) || twice) {
            rc = bad_config(err, "a subprotocol that is no token, or stands twice",
                            offer->subprotocols[i]);
            break;
        }
        rc = cl_buf_printf(&list, CL_HTTP_MAX_WRITTEN_HEAD, "%s%s", i != 0 ? ", " : "",
                           offer->subprotocols[i]);
    }
    if (rc == CL_OK && list.len != 0) {
        rc = cl_http_write_field(head, cl_rd_str("Sec-WebSocket-Protocol"), cl_buf_view(&list));
    }
    cl_buf_deinit(&list);
    return rc;
}

static cl_result put_fields(struct cl_buf *head, const struct cleat_ws_offer *offer,
                            struct cleat_error *err)
{
    if (offer->origin != NULL) {
        cl_result rc = cl_http_write_field_str(head, "Origin", offer->origin);
        if (rc == CLEAT_ERR_USAGE) {
            return bad_config(err, "an origin that no field can carry", offer->origin);
        }
        CL_TRY(rc);
    }
    for (size_t i = 0; i < offer->num_fields; i++) {
        const struct cleat_ws_field *f = &offer->fields[i];
        for (size_t k = 0; k < sizeof(own_fields) / sizeof(own_fields[0]); k++) {
            if (cl_http_equal_fold(cl_rd_str(f->name), own_fields[k])) {
                return bad_config(err, "a field that the handshake sets itself", f->name);
            }
        }
        cl_result rc = cl_http_write_field_str(head, f->name, f->value);
        if (rc == CLEAT_ERR_USAGE) {
            return bad_config(err, "a field with a bad name or value", f->name);
        }
        CL_TRY(rc);
    }
    return CL_OK;
}

static cl_result put_target(struct cl_buf *head, const struct cleat_http_url *url)
{
    /* %XX for every byte, at worst */
    size_t cap = 3 * CLEAT_HTTP_MAX_URL;
    struct cl_buf text = {0};
    size_t len;
    cl_result rc = cl_buf_reserve(&text, cap, cap);
    if (rc == CL_OK) {
        rc = (cl_result)cleat_http_url_target(url, (char *)text.p, text.cap, &len);
    }
    if (rc == CL_OK) {
        rc = cl_http_write_request(head, cl_rd_str("GET"), cl_rd_of(text.p, len));
    }
    if (rc == CL_OK) {
        rc = (cl_result)cleat_http_url_authority(url, (char *)text.p, text.cap, &len);
    }
    if (rc == CL_OK) {
        rc = cl_http_write_field(head, cl_rd_str("Host"), cl_rd_of(text.p, len));
    }
    cl_buf_deinit(&text);
    return rc;
}

static cl_result put_request(struct cl_buf *head, const struct cleat_ws_offer *offer,
                             const struct cleat_http_url *url, const char *key,
                             struct cleat_error *err)
{
    CL_TRY(put_target(head, url));
    if (!offer->http2) {
        CL_TRY(cl_http_write_field_str(head, "Upgrade", "websocket"));
        CL_TRY(cl_http_write_field_str(head, "Connection", "Upgrade"));
        CL_TRY(cl_http_write_field_str(head, "Sec-WebSocket-Key", key));
    }
    CL_TRY(cl_http_write_field_str(head, "Sec-WebSocket-Version", "13"));
    CL_TRY(put_subprotocols(head, offer, err));
    if (offer->deflate.on) {
        struct cl_buf text = {0};
        cl_result rc = cl_ws_ext_offer(&offer->deflate, &text);
        if (rc == CL_OK) {
            rc = cl_http_write_field(head, cl_rd_str("Sec-WebSocket-Extensions"),
                                     cl_buf_view(&text));
        }
        cl_buf_deinit(&text);
        CL_TRY(rc);
    }
    CL_TRY(put_fields(head, offer, err));
    return cl_http_write_end(head);
}

int cleat_ws_request_write(const struct cleat_ws_offer *offer, const struct cleat_http_url *url,
                           char key[CLEAT_WS_KEY_SIZE], char *out, size_t cap, size_t *out_len,
                           struct cleat_error *err)
{
    const struct cl_rng rng = {offer->random, offer->random_ctx};
    struct cl_buf head = {0};
    uint8_t nonce[KEY_LEN];
    *out_len = 0;
    /* RFC 6455 4.1: "a nonce consisting of a randomly selected 16-byte value" */
    cl_result rc = cl_rand(offer->random != NULL ? &rng : &cl_rng_system, nonce, sizeof(nonce));
    if (rc == CL_OK) {
        cl_base64_encode(nonce, sizeof(nonce), key);
        rc = put_request(&head, offer, url, key, err);
    }
    if (rc == CL_OK) {
        rc = cl_ws_copy_out(cl_buf_view(&head), out, cap, out_len);
    }
    cl_buf_deinit(&head);
    return (int)rc;
}

/* ---- the response -----------------------------------------------------------------------------*/

static cl_result refuse(struct cleat_error *err, const char *section, const char *hint,
                        const char *what, struct cleat_http_view shown)
{
    struct cl_why why = {.code = CLEAT_ERR_WS_HANDSHAKE, .section = section, .hint = hint};
    if (shown.p == NULL) {
        return cl_error_set(err, why, "%s", what);
    }
    return cl_error_set(err, why, "%s: \"%.*s\"", what, CL_HTTP_SHOWN(shown));
}

/* RFC 8441 5: "… is a 2XX series status code" instead of 101. */
static cl_result check_status(const struct cleat_http_head *head, bool http2,
                              struct cleat_error *err)
{
    if (http2 ? head->status >= 200 && head->status < 300 : head->status == 101) {
        return CL_OK;
    }
    struct cleat_http_view versions = cleat_http_find(head, "Sec-WebSocket-Version", NULL);
    if (head->status == 426 && versions.p != NULL && !cleat_http_is(versions, "13")) {
        struct cl_why why = {.code = CLEAT_ERR_WS_VERSION, .section = "RFC 6455 4.4"};
        return cl_error_set(err, why, "the server speaks WebSocket versions %.*s, not 13",
                            CL_HTTP_SHOWN(versions));
    }
    struct cleat_http_view reason = cleat_http_text(head, head->reason);
    struct cl_why why = {
        .code = CLEAT_ERR_HTTP_STATUS,
        .section = "RFC 6455 4.1",
        .hint = head->status == 403   ? "servers look at Origin: does it have to be sent?"
                : head->status == 404 ? "is it the right path for WebSocket?"
                : head->status == 200 ? "the server does not know WebSocket here, or a proxy "
                                        "dropped Upgrade"
                                      : NULL,
    };
    return cl_error_set(err, why, "the server answered %u %.*s instead of %s", head->status,
                        CL_HTTP_SHOWN(reason), http2 ? "200" : "101");
}

static cl_result check_switch(const struct cleat_http_head *head, const char *key,
                              struct cleat_error *err)
{
    struct cleat_http_view value;
    char expected[CL_WS_ACCEPT_SIZE];
    /* RFC 6455 4.1: "If the response lacks an |Upgrade| header field or the |Upgrade| header field
     * contains a value that is not an ASCII case-insensitive match for the value 'websocket'" */
    if (!cl_ws_single(head, "Upgrade", &value) || value.p == NULL ||
        !cl_http_equal_fold(cl_http_rd(value), "websocket")) {
        return refuse(err, "RFC 6455 4.1", NULL, "Upgrade: missing, or not \"websocket\" alone",
                      value);
    }
    if (!cleat_http_has_token(head, "Connection", "upgrade")) {
        return refuse(err, "RFC 6455 4.1", NULL, "Connection: missing, or without \"Upgrade\"",
                      cleat_http_find(head, "Connection", NULL));
    }
    if (!cl_ws_single(head, "Sec-WebSocket-Accept", &value) || value.p == NULL) {
        return refuse(err, "RFC 6455 4.1", NULL, "Sec-WebSocket-Accept: missing, or more than one",
                      value);
    }
    cl_ws_accept_of(cl_rd_str(key), expected);
    if (!cleat_http_is(value, expected)) {
        return refuse(err, "RFC 6455 4.1",
                      "the answer may be a cache's, to somebody else's request",
                      "Sec-WebSocket-Accept: not the answer to our key", value);
    }
    return CL_OK;
}

static cl_result check_subprotocol(struct cleat_ws_upgrade *out, const struct cleat_http_head *head,
                                   const struct cleat_ws_offer *offer, struct cleat_error *err)
{
    struct cleat_http_view value;
    bool single = cl_ws_single(head, "Sec-WebSocket-Protocol", &value);
    if (value.p == NULL) {
        return CL_OK;
    }
    for (size_t i = 0; i < offer->num_subprotocols && single; i++) {
        if (cleat_http_is(value, offer->subprotocols[i])) {
            out->subprotocol = offer->subprotocols[i];
            return CL_OK;
        }
    }
    return refuse(err, "RFC 6455 4.1", NULL,
                  "Sec-WebSocket-Protocol: more than one, or one that was not asked for", value);
}

static cl_result check(struct cleat_ws_upgrade *out, const struct cleat_http_head *head,
                       const struct cleat_ws_offer *offer, const char *key, struct cleat_error *err)
{
    CL_TRY(check_status(head, offer->http2, err));
    if (!offer->http2) {
        CL_TRY(check_switch(head, key, err));
    }
    CL_TRY(check_subprotocol(out, head, offer, err));
    CL_TRY(cl_ws_ext_agreed(out, head, &offer->deflate, err));
    if (offer->require_deflate && !out->deflate.on) {
        return refuse(err, "RFC 6455 7.4.1", NULL,
                      "Sec-WebSocket-Extensions: permessage-deflate is required and was declined",
                      (struct cleat_http_view){0});
    }
    return CL_OK;
}

int cleat_ws_response_check(struct cleat_ws_upgrade *out, const struct cleat_http_head *response,
                            const struct cleat_ws_offer *offer, const char *key,
                            struct cleat_error *err)
{
    *out = (struct cleat_ws_upgrade){0};
    cl_result rc = check(out, response, offer, key, err);
    if (rc != CL_OK) {
        *out = (struct cleat_ws_upgrade){0};
    }
    out->status = response->status;
    return (int)rc;
}
