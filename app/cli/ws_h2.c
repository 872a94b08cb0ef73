/* cli/ws_h2.c - the opening handshake over HTTP/2: extended CONNECT (RFC 8441), and back to
 * HTTP/1.1 where the server does not take it. */
#include <stdio.h>

#include "cli/get_codes.h"
#include "cli/ws_session.h"
#include "net/timer.h"

static void stop_timer(struct ws_session *s)
{
    cl_timer_free(s->h2_timer);
    s->h2_timer = NULL;
}

static void fail(struct ws_session *s, const char *text)
{
    ws_session_fail(s, WS_EXIT_CONNECT, "upgrade", (struct cl_why){.code = CLEAT_ERR_CLOSED}, "%s",
                    text);
    s->over = true;
}

/* ---- the stream over the stream ---- */

static void on_ready(void *ctx)
{
    struct ws_session *s = ctx;
    struct cl_stream *stream = s->stream;
    if (ws_session_opened(s) != 0) {
        cl_stream_abort(stream, NULL);
    }
}

static void on_closed(void *ctx, const struct cl_stream_end *how)
{
    struct ws_session *s = ctx;
    s->stream = NULL;
    fail(s, how->error.text);
}

static const struct cl_stream_handler handler = {.ready = on_ready, .closed = on_closed};

static bool carry(struct ws_session *s, struct cl_tcp *tcp)
{
    const struct cl_stream_setup setup = {.tcp = tcp, .handler = &handler, .ctx = s};
    if (cl_stream_open(s->client.hub, &setup, &s->stream) != CL_OK) {
        fail(s, "out of memory");
    }
    return true; /* it was taken in any case */
}

/* ---- the answer ---- */

static bool on_connected(void *ctx, const struct cl_h2_connected *result)
{
    struct ws_session *s = ctx;
    s->h2 = NULL;
    stop_timer(s);
    if (result->unsupported) {
        cl_trace_note(s->client.trace, "ws",
                      "no WebSocket over HTTP/2 here (RFC 8441): once more, over HTTP/1.1");
        s->older = true;
        if (ws_connect_request(s, false)) {
            ws_connect_again(s);
        }
        return false;
    }
    if (result->head == NULL) {
        s->err = result->error;
        fail(s, "");
        return false;
    }
    const int code = cleat_ws_response_check(&s->upgrade, result->head, &s->offer, s->key, &s->err);
    if (code != CLEAT_OK) {
        fail(s, cleat_error_sentence(code));
        return false;
    }
    return carry(s, result->tcp);
}

static void on_time(void *ctx)
{
    struct ws_session *s = ctx;
    ws_connect_h2_cancel(s);
    (void)cl_error_set(&s->err, (struct cl_why){.code = CLEAT_ERR_LIMIT},
                       "no answer to the upgrade within %u seconds", WS_UPGRADE_MS / 1000);
    fail(s, "");
}

void ws_connect_h2(struct ws_session *s, struct cl_stream *stream)
{
    const bool fine = ws_connect_request(s, true) &&
                      cl_timer_new(&s->client.loop, on_time, s, &s->h2_timer) == CL_OK;
    const struct cl_h2_connect_spec spec = {.hub = s->client.hub,
                                            .trace = s->client.trace,
                                            .stream = stream,
                                            .request = cl_buf_view(&s->request),
                                            .protocol = "websocket",
                                            .done = on_connected,
                                            .ctx = s};
    if (!fine || cl_h2_connect(&spec, &s->h2) != CL_OK) {
        s->stream = stream; /* whose handler ends the session */
        fail(s, "out of memory");
        cl_stream_abort(stream, NULL);
        return;
    }
    cl_timer_set(s->h2_timer, WS_UPGRADE_MS);
}

void ws_connect_h2_cancel(struct ws_session *s)
{
    stop_timer(s);
    cl_h2_connect_cancel(s->h2);
    s->h2 = NULL;
}
