/* cli/ws_session.c - the connection once it is open: messages out and in, and how it ends. */
#include "cli/ws_session.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/get_codes.h"
#include "net/clock.h"

/* 1 s: how long standard output has for what is left at the end */
#define FINISH_OUTPUT_MS 1000

/* ---- sending ---- */

enum ws_sent ws_session_send(struct ws_session *s, bool binary, const uint8_t *p, size_t len)
{
    if (!s->open) {
        return WS_SENT_NEVER;
    }
    int code = cleat_ws_send(s->ws.ws, binary, p, len);
    if (code == CLEAT_ERR_WS_QUEUE_FULL) {
        cl_ws_stream_want_drained(&s->ws);
        return WS_SENT_LATER;
    }
    if (code == CLEAT_OK) {
        s->num_sent++;
        ws_events_message(&s->events, true, binary, p, len);
        bool typed = s->interactive && s->input.started;
        if (s->events.out == NULL && !typed) {
            ws_output_message(&s->output, true, binary, p, len);
        }
        cl_ws_stream_flush(&s->ws);
        return WS_SENT;
    }
    if (code != CLEAT_ERR_CLOSED) {
        const struct cl_why why = {.code = (cl_result)code,
                                   .hint = code == CLEAT_ERR_WS_UTF8 ? "-b sends bytes" : NULL};
        ws_session_fail(s, code == CLEAT_ERR_WS_UTF8 ? WS_EXIT_USAGE : WS_EXIT_CLOSED, "messages",
                        why, "message %llu cannot be sent: %s", (unsigned long long)s->num_sent + 1,
                        cleat_error_sentence(code));
        ws_session_close(s);
    }
    return WS_SENT_NEVER;
}

void ws_session_close(struct ws_session *s)
{
    if (s->open &&
        cleat_ws_close(s->ws.ws, cl_clock_mono_us(), CLEAT_WS_NORMAL, NULL, 0) == CLEAT_OK) {
        s->closing_by_us = true;
        cl_ws_stream_flush(&s->ws);
    }
}

/* ---- receiving ---- */

/* Standard output has taken everything, or never will. */
static void on_output_drained(void *ctx)
{
    struct ws_session *s = ctx;
    if (s->open && !s->has_echo) {
        cl_ws_stream_resume(&s->ws);
    }
}

static void look_at_output(struct ws_session *s)
{
    if (s->output.failed) {
        ws_session_fail(s, WS_EXIT_CLOSED, "messages", (struct cl_why){.code = CLEAT_ERR_SYSTEM},
                        "standard output: %s", strerror(s->output.error));
        ws_session_close(s);
    } else if (ws_output_is_waiting(&s->output) && s->num_interrupts == 0) {
        cl_ws_stream_pause(&s->ws);
    }
}

static void take_message(struct ws_session *s, const struct cleat_ws_io *io)
{
    if (s->options->one_message && s->num_received > 0) {
        return;
    }
    s->num_received++;
    if (s->num_interrupts > 0 && ws_output_is_waiting(&s->output)) {
        return; /* standard output takes nothing, and nothing waits for it any more */
    }
    ws_events_message(&s->events, false, io->binary, io->data, io->data_len);
    if (s->events.out == NULL && !s->options->echo) {
        ws_output_message(&s->output, false, io->binary, io->data, io->data_len);
    }
    ws_source_received(s, io->binary, io->data, io->data_len);
    look_at_output(s);
}

static void on_event(void *ctx, enum cleat_ws_next what, const struct cleat_ws_io *io)
{
    struct ws_session *s = ctx;
    if (what == CLEAT_WS_MESSAGE) {
        take_message(s, io);
    } else if (what == CLEAT_WS_PING || what == CLEAT_WS_PONG) {
        ws_events_control(&s->events, what == CLEAT_WS_PONG, io->data, io->data_len, io->rtt);
    } else if (what == CLEAT_WS_CLOSE) {
        (void)snprintf(s->reason, sizeof(s->reason), "%.*s", (int)io->data_len,
                       (const char *)io->data);
        ws_source_stop(s);
    }
}

static void on_drained(void *ctx)
{
    ws_source_go(ctx);
}

/* ---- the end ---- */

static bool is_normal(uint16_t code)
{
    return code == CLEAT_WS_NORMAL || code == CLEAT_WS_NO_STATUS;
}

/* What a failure of the connection means: theirs (4), or any other end (1). */
static int exit_of(int code)
{
    static const int theirs[] = {CLEAT_ERR_WS_PROTOCOL, CLEAT_ERR_WS_UTF8, CLEAT_ERR_WS_DEFLATE};
    for (size_t i = 0; i < sizeof(theirs) / sizeof(theirs[0]); i++) {
        if (code == theirs[i]) {
            return WS_EXIT_PROTOCOL;
        }
    }
    return WS_EXIT_CLOSED;
}

static void judge_end(struct ws_session *s, const struct cl_ws_end *end)
{
    s->close_code = end->code;
    s->clean = end->clean;
    if (s->exit_code != 0) {
        return; /* why it had to end is known */
    }
    if (end->clean) {
        s->exit_code = is_normal(end->code) ? WS_EXIT_OK : WS_EXIT_CLOSED;
        return;
    }
    s->err = end->error;
    const struct cleat_error *transport = &end->stream->error;
    if (s->err.code == CLEAT_ERR_WS_UNCLEAN && transport->code != 0) {
        size_t len = strlen(s->err.text);
        (void)snprintf(s->err.text + len, sizeof(s->err.text) - len, ": %.160s", transport->text);
    }
    ws_session_fail(s, exit_of(s->err.code), "messages", (struct cl_why){.code = CLEAT_ERR_CLOSED},
                    "the connection has ended");
}

static void on_closed(void *ctx, const struct cl_ws_end *end)
{
    struct ws_session *s = ctx;
    judge_end(s, end);
    if (s->err.code != 0) {
        ws_events_error(&s->events, s->stage != NULL ? s->stage : "messages", &s->err);
        cl_trace_error(s->client.trace, "ws", &s->err);
    }
    ws_events_close(&s->events, end->code, s->reason, end->clean, s->closing_by_us);
    s->open = false;
    s->over = true;
}

static const struct cl_ws_handler handler = {
    .event = on_event,
    .drained = on_drained,
    .closed = on_closed,
};

/* The first ends it in good order, the second at once. */
static void on_signal(uv_signal_t *signal, int number)
{
    struct ws_session *s = signal->data;
    s->num_interrupts++;
    if (s->open && s->num_interrupts == 1) {
        ws_source_stop(s);
        ws_session_close(s);
        cl_ws_stream_resume(&s->ws); /* whoever blocks standard output does not block this */
        return;
    }
    ws_session_fail(s, WS_EXIT_CLOSED, s->open ? "messages" : "connect",
                    (struct cl_why){.code = CLEAT_ERR_SYSTEM}, "interrupted");
    if (s->open) {
        cl_stream_abort(s->ws.stream, "interrupted");
    }
}

/* ---- the beginning ---- */

static void on_frame(void *ctx, const struct cleat_ws_frame *frame)
{
    struct ws_session *s = ctx;
    cl_trace_ws_frame(s->client.trace, frame);
}

static void tell_opened(struct ws_session *s)
{
    const char *subprotocol = s->upgrade.subprotocol;
    cl_trace_note(s->client.trace, "ws", "open%s%s, %s",
                  subprotocol != NULL ? ", subprotocol " : "",
                  subprotocol != NULL ? subprotocol : "",
                  s->upgrade.deflate.on ? "with compression" : "without compression");
    if (s->interactive) {
        (void)fprintf(stderr, "connected to %s%s; Ctrl-D closes\n", s->target.text,
                      s->target.url.secure ? "" : ", in clear");
    }
}

int ws_session_opened(struct ws_session *s)
{
    struct cleat_ws_options o;
    struct cleat_ws *ws = NULL;
    cleat_ws_options_init(&o);
    o.max_message = s->options->max_message;
    o.max_ratio = 0; /* the limit above is enough for one connection */
    o.ping_interval = (uint32_t)s->options->ping_ms;
    o.close_timeout = WS_CLOSE_MS;
    o.deflate = s->upgrade.deflate;
    if (s->client.trace != NULL) {
        o.frame = on_frame;
        o.frame_ctx = s;
    }
    int code = cleat_ws_client_new(&o, &ws);
    if (code != CLEAT_OK) {
        ws_session_fail(s, WS_EXIT_CONNECT, "upgrade", (struct cl_why){.code = (cl_result)code},
                        "%s", cleat_error_sentence(code));
        return -1;
    }
    ws_events_open(&s->events, s->target.text, &s->upgrade);
    tell_opened(s);
    cl_ws_stream_open(&s->ws, s->stream, ws, true, &handler, s);
    s->stream = NULL;
    s->open = true;
    ws_source_start(s);
    return 0;
}

static int open_files(struct ws_session *s)
{
    const struct ws_options *o = s->options;
    if (o->replay != NULL && ws_replay_load(&s->replay, o->replay, &s->err) != CL_OK) {
        return WS_EXIT_USAGE;
    }
    if (o->record != NULL && (s->events.record = client_open_file(o->record, &s->err)) == NULL) {
        return WS_EXIT_USAGE;
    }
    return 0;
}

static int prepare(struct ws_session *s)
{
    const struct ws_options *o = s->options;
    if (client_target_parse_websocket(&s->target, o->url, strlen(o->url), &s->err) != 0 ||
        open_files(s) != 0 || client_init(&s->client, &o->client, &s->err) != 0) {
        return WS_EXIT_USAGE;
    }
    ws_output_init(&s->output, &s->client.loop, STDOUT_FILENO, o->timestamps, o->binary,
                   on_output_drained, s);
    s->interactive = !o->json && isatty(STDIN_FILENO) && s->output.is_terminal;
    s->events.out = o->json ? &s->output : NULL;
    static const int numbers[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < 2; i++) {
        (void)uv_signal_init(&s->client.loop, &s->signals[i]);
        s->signals[i].data = s;
        (void)uv_signal_start(&s->signals[i], on_signal, numbers[i]);
    }
    s->has_signals = true;
    return 0;
}

/* Handles go before the loop does. */
static void stop(struct ws_session *s)
{
    ws_source_stop(s);
    ws_output_finish(&s->output, FINISH_OUTPUT_MS);
    ws_output_stop(&s->output);
    for (size_t i = 0; s->has_signals && i < 2; i++) {
        uv_close((uv_handle_t *)&s->signals[i], NULL);
    }
    ws_connect_cancel(s);
}

int ws_session_run(struct ws_session *s, const struct ws_options *o)
{
    s->options = o;
    int code = prepare(s);
    if (code != 0) {
        ws_session_fail(s, code, "connect", (struct cl_why){.code = CLEAT_ERR_USAGE},
                        "cannot start");
    } else {
        cl_trace_note(s->client.trace, "url", "%s", s->target.text);
        ws_connect_start(s);
    }
    while (!s->over && uv_run(&s->client.loop, UV_RUN_ONCE) != 0) {
    }
    if (!s->clean && s->events.start_us == 0) { /* it was never open */
        ws_events_error(&s->events, s->stage, &s->err);
    }
    size_t missing = o->compare ? ws_replay_missing(&s->replay) : 0;
    if (missing > 0) {
        ws_session_fail(s, WS_EXIT_CLOSED, "messages", (struct cl_why){.code = CLEAT_ERR_SYSTEM},
                        "the answers are not those of %s: %zu did not come", o->replay, missing);
    }
    stop(s);
    return s->exit_code;
}

void ws_session_deinit(struct ws_session *s)
{
    client_deinit(&s->client);
    client_route_deinit(&s->route);
    client_close_file(s->events.record);
    ws_input_deinit(&s->input);
    ws_output_deinit(&s->output);
    ws_replay_deinit(&s->replay);
    for (size_t i = 0; i < s->num_fields; i++) {
        cl_free((void *)s->fields[i].name);
        cl_free((void *)s->fields[i].value);
    }
    cl_free(s->fields);
    cl_buf_deinit(&s->request);
    cl_buf_deinit(&s->response);
    cl_buf_deinit(&s->echo);
    memset(s, 0, sizeof(*s));
}
