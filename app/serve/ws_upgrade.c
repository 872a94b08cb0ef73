/* serve/ws_upgrade.c - see ws_upgrade.h. What HTTP and RFC 6455 ask for is judged by the library;
 * here are the paths, the limits, and what early data may not do. */
#include "serve/ws_upgrade.h"

#include <string.h>

#include "net/clock.h"
#include "serve/ws_conn.h"

/* 2,048: suffices for every answer (cleat/ws.h) */
#define MAX_ANSWER 2048

static void set_policy(struct cleat_ws_accept *policy, const struct cl_session *s)
{
    const struct cl_ws_config *config = s->worker->ws->server->config;
    *policy = (struct cleat_ws_accept){
        .subprotocols = config->subprotocols,
        .num_subprotocols = config->num_subprotocols,
        .origins = config->origins,
        .num_origins = config->num_origins,
        .secure = cl_stream_tls(s->stream) != NULL,
        .behind = s->x->behind,
    };
    if (!config->no_deflate) {
        cleat_ws_deflate_init(&policy->deflate, true);
    }
}

/* Head and body apart: the log counts bytes of bodies. */
static void answer(struct cl_session *s, int status, const struct cleat_error *why)
{
    struct cl_exchange *x = s->x;
    struct cleat_ws_upgrade refusal = {.status = (uint16_t)status};
    char text[MAX_ANSWER];
    size_t len = 0;
    x->close = true;
    x->reply.status = status;
    if (cleat_ws_upgrade_write(&refusal, why, text, sizeof(text), &len) != CLEAT_OK) {
        len = 0; /* out of memory: the connection ends without a word */
    }
    const char *empty_line = memmem(text, len, "\r\n\r\n", 4);
    size_t head = empty_line != NULL ? (size_t)(empty_line - text) + 4 : len;
    if (cl_buf_append(&x->reply.head, text, head, MAX_ANSWER) != CL_OK ||
        cl_buf_append(&x->reply.body.memory, text + head, len - head, MAX_ANSWER) != CL_OK) {
        x->reply.head.len = 0;
        x->reply.body.memory.len = 0;
    }
}

static cl_result refuse(struct cleat_error *err, cl_result code, const char *text)
{
    return cl_error_set(err, (struct cl_why){.code = code}, "%s", text);
}

/* 0, or the status to refuse with. */
static int judge(struct cl_session *s, struct cleat_error *err)
{
    struct cl_exchange *x = s->x;
    struct cleat_ws_accept policy;
    struct cleat_ws_upgrade agreed;
    const struct cl_ws_config *config = s->worker->ws->server->config;
    const struct cl_ws_endpoint *endpoint =
        cl_ws_config_match(config, cleat_http_text(&x->head, x->head.path));
    if (endpoint == NULL) {
        (void)refuse(err, CLEAT_ERR_WS_HANDSHAKE, "there is no WebSocket at this path");
        return 404;
    }
    set_policy(&policy, s);
    if (cleat_ws_upgrade_check(&agreed, &x->head, &policy, err) != CLEAT_OK) {
        return agreed.status;
    }
    /* RFC 8470 5.2: what was recorded could be sent again */
    if (x->head.early) {
        (void)refuse(err, CLEAT_ERR_WS_HANDSHAKE,
                     "the request came as early data (0-RTT): ask again after the handshake");
        return 425;
    }
    if (s->worker->stopping) {
        (void)refuse(err, CLEAT_ERR_CLOSED, "the server stops");
        return 503;
    }
    return cl_websocket_open(s, endpoint, &agreed, err);
}

bool cl_ws_upgrade(struct cl_session *s)
{
    struct cleat_error err = {0};
    int status = judge(s, &err);
    if (status == 0) {
        return true;
    }
    cl_session_log_failure(s, "WebSocket refused", &err);
    answer(s, status, &err);
    return false;
}
