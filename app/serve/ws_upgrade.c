/* serve/ws_upgrade.c - see ws_upgrade.h. What HTTP and RFC 6455 ask for is judged by the library;
 * here are the paths, the limits, and what early data may not do. */
#include "serve/ws_upgrade.h"

#include "http/write.h"
#include "serve/ws_conn.h"

/* 2,048: more than the text of any refusal */
#define MAX_ANSWER 2048

static void set_policy(struct cleat_ws_accept *policy, const struct cl_exchange *x)
{
    const struct cl_session *s = x->session;
    const struct cl_ws_config *config = s->worker->ws->server->config;
    *policy = (struct cleat_ws_accept){
        .subprotocols = config->subprotocols,
        .num_subprotocols = config->num_subprotocols,
        .origins = config->origins,
        .num_origins = config->num_origins,
        .secure = cl_stream_tls(s->stream) != NULL,
        .http2 = cleat_http_exchange_protocol(x->wire) == CLEAT_HTTP_2,
        .behind = x->behind,
    };
    if (!config->no_deflate) {
        cleat_ws_deflate_init(&policy->deflate, true);
    }
}

/* Fields of a refusal: RFC 9110 15.5.6 and 15.5.22, RFC 6455 4.4. */
static cl_result add_fields(struct cl_buf *fields, int status)
{
    if (status == 405) {
        CL_TRY(cl_http_write_field_str(fields, "Allow", "GET"));
    }
    if (status == 426) {
        CL_TRY(cl_http_write_field_str(fields, "Upgrade", "websocket"));
        CL_TRY(cl_http_write_field_str(fields, "Sec-WebSocket-Version", "13"));
    }
    CL_TRY(cl_http_write_field_str(fields, "Content-Type", "text/plain; charset=utf-8"));
    return cl_http_write_field_str(fields, "X-Content-Type-Options", "nosniff");
}

static void answer(struct cl_exchange *x, int status, const struct cleat_error *why)
{
    struct cl_static_reply *reply = &x->answer.reply;
    x->answer.last = true;
    reply->status = status;
    if (add_fields(&reply->fields, status) != CL_OK ||
        cl_buf_printf(&reply->body.memory, MAX_ANSWER, "%s\n", why->text) != CL_OK) {
        /* out of memory: the status alone */
        reply->fields.len = reply->body.memory.len = 0;
    }
    reply->length = reply->body.memory.len;
}

static cl_result refuse(struct cleat_error *err, cl_result code, const char *text)
{
    return cl_error_set(err, (struct cl_why){.code = code}, "%s", text);
}

/* 0, or the status to refuse with. */
static int judge(struct cl_exchange *x, const struct cleat_http_head *head, struct cleat_error *err)
{
    const struct cl_session *s = x->session;
    struct cleat_ws_accept policy;
    struct cleat_ws_upgrade agreed;
    const struct cl_ws_config *config = s->worker->ws->server->config;
    const struct cl_ws_endpoint *endpoint =
        cl_ws_config_match(config, cleat_http_text(head, head->path));
    if (endpoint == NULL) {
        (void)refuse(err, CLEAT_ERR_WS_HANDSHAKE, "there is no WebSocket at this path");
        return 404;
    }
    set_policy(&policy, x);
    if (cleat_ws_upgrade_check(&agreed, head, &policy, err) != CLEAT_OK) {
        return agreed.status;
    }
    /* RFC 8470 5.2: what was recorded could be sent again */
    if (x->answer.early) {
        (void)refuse(err, CLEAT_ERR_WS_HANDSHAKE,
                     "the request came as early data (0-RTT): ask again after the handshake");
        return 425;
    }
    if (s->worker->stopping) {
        (void)refuse(err, CLEAT_ERR_CLOSED, "the server stops");
        return 503;
    }
    return cl_websocket_open(x, head, endpoint, &agreed, err);
}

bool cl_ws_upgrade(struct cl_exchange *x, const struct cleat_http_head *head)
{
    struct cleat_error err = {0};
    int status = judge(x, head, &err);
    if (status == 0) {
        cl_session_count_websocket(x->session);
        return true;
    }
    cl_session_log_failure(x->session, "WebSocket refused", &err);
    answer(x, status, &err);
    return false;
}
