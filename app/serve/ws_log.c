/* serve/ws_log.c - what a WebSocket tells: a line in the access log at its end, a failure on stderr
 * when it happens. */
#include "net/clock.h"
#include "serve/ws_conn.h"

void cl_websocket_log_failure(struct cl_websocket *w)
{
    struct cleat_error err;
    if (w->told || cleat_ws_error(w->ws, &err) == CLEAT_OK) {
        return;
    }
    w->told = true;
    /* Clients that go without a word are many: laptops that are closed, mobile networks. */
    if (err.code == CLEAT_ERR_WS_UNCLEAN && w->session->worker->site->options->verbose == 0) {
        return;
    }
    cl_session_log_failure(w->session, "WebSocket failed", &err);
}

/* The code that the connection ended with, and who said so first. */
static uint16_t end_code(const struct cl_websocket *w, const char **out_who)
{
    uint16_t failure = cleat_ws_failure_code(w->ws);
    *out_who = "server";
    if (failure != 0) {
        *out_who = failure == CLEAT_WS_ABNORMAL ? "nobody" : "server";
        return failure;
    }
    if (w->close_code != 0 && w->closed) {
        return w->close_code;
    }
    *out_who = "client";
    return w->peer_code;
}

void cl_websocket_log(const struct cl_websocket *w)
{
    const struct cl_session *s = w->session;
    struct cleat_ws_stats stats;
    struct cl_access_ws ws = {.bytes_in = w->bytes_in, .bytes_out = w->bytes_out};
    struct cl_access access;
    char line[CL_LOG_LINE];
    if (s->worker->site->access == NULL) {
        return;
    }
    cleat_ws_stats(w->ws, &stats);
    ws.code = end_code(w, &ws.who);
    ws.sentence = cleat_ws_code_sentence(ws.code);
    ws.messages_in = stats.messages_received;
    ws.messages_out = stats.messages_sent;
    ws.messages_dropped = stats.messages_dropped + w->num_missed;
    cl_session_access(s, &access);
    access.time = w->since;
    access.note = &w->note;
    access.status = w->status;
    access.bytes = w->bytes_out;
    access.us = cl_clock_mono_us() - w->began;
    access.ws = &ws;
    cl_log_bytes(s->worker->site->access, line, cl_access_format(&access, line, sizeof(line)));
}
