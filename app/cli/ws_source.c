/* cli/ws_source.c - where the messages come from that are sent: standard input, -x, a recording,
 * or, with --echo, the server itself. */
#include <unistd.h>

#include "cli/ws_session.h"
#include "net/clock.h"
#include "net/timer.h"

/* 2 s: at the end of a replay, how long what the recording has received is waited for beyond its
 * time */
#define REPLAY_GRACE_US 2000000

/* ---- the end of the input ---- */

/* How long nothing has to come at the end of the input before we close, in milliseconds. */
static uint64_t wait_ms(const struct ws_session *s)
{
    return s->options->has_wait ? s->options->wait_ms : s->interactive ? 0 : WS_DEFAULT_WAIT_MS;
}

static void start_waiting(struct ws_session *s)
{
    uv_update_time(&s->client.loop);
    cl_timer_set(s->timer, wait_ms(s));
}

/* Closes, soon or now, unless an answer is waited for, or the server is to close. */
static void end_source(struct ws_session *s)
{
    const struct ws_options *o = s->options;
    s->source_ended = true;
    bool wait_for_one = o->one_message && s->num_received == 0;
    bool by_messages = o->messages.num > 0 && !o->has_wait;
    if (wait_for_one || o->no_close || by_messages) {
        return;
    }
    s->waits_for_silence = !o->one_message && wait_ms(s) > 0;
    if (s->waits_for_silence) {
        start_waiting(s);
    } else {
        ws_session_close(s);
    }
}

/* After a message of ours went out. False: it was the last one. */
static bool wants_more(struct ws_session *s)
{
    return !s->options->one_message || s->num_sent == 0;
}

/* ---- standard input ---- */

static bool on_line(void *ctx, const uint8_t *p, size_t len)
{
    struct ws_session *s = ctx;
    enum ws_sent sent = ws_session_send(s, s->options->binary, p, len);
    if (sent == WS_SENT_LATER) {
        return false;
    }
    if (sent == WS_SENT_NEVER || !wants_more(s)) {
        ws_input_stop(&s->input);
        if (sent == WS_SENT) {
            end_source(s);
        }
    }
    return true;
}

static void on_input_end(void *ctx, const char *why)
{
    struct ws_session *s = ctx;
    if (why != NULL) {
        ws_session_fail(s, WS_EXIT_USAGE, "messages", (struct cl_why){.code = CLEAT_ERR_SYSTEM},
                        "standard input: %s", why);
        ws_session_close(s);
        return;
    }
    end_source(s);
}

static const struct ws_input_handler on_input = {.message = on_line, .end = on_input_end};

/* ---- -x ---- */

static void send_words(struct ws_session *s)
{
    const struct cl_words *words = &s->options->messages;
    while (s->next_message < words->num && wants_more(s)) {
        const char *word = words->items[s->next_message];
        switch (ws_session_send(s, s->options->binary, (const uint8_t *)word, strlen(word))) {
        case WS_SENT_LATER:
            return;
        case WS_SENT_NEVER:
            s->next_message = words->num;
            return;
        case WS_SENT:
            s->next_message++;
            break;
        }
    }
    if (!s->source_ended) {
        end_source(s);
    }
}

/* ---- --replay ---- */

static void wait_until(struct ws_session *s, uint64_t at_us)
{
    uint64_t now = cl_clock_mono_us() - s->events.start_us;
    uv_update_time(&s->client.loop);
    cl_timer_set(s->timer, at_us > now ? (at_us - now + 999) / 1000 : 0);
}

/* Everything was sent: what the recording has received may still come. */
static void end_replay(struct ws_session *s, uint64_t now)
{
    bool waiting = ws_replay_missing(&s->replay) > 0;
    uint64_t until = s->replay.end_us + (waiting ? REPLAY_GRACE_US : 0);
    if (now < until) {
        wait_until(s, until);
    } else if (!s->options->no_close) {
        ws_session_close(s);
    }
}

static void send_recorded(struct ws_session *s)
{
    uint64_t now = cl_clock_mono_us() - s->events.start_us;
    const struct ws_recorded *item;
    while ((item = ws_replay_to_send(&s->replay)) != NULL) {
        if (item->at_us > now) {
            wait_until(s, item->at_us);
            return;
        }
        enum ws_sent sent = ws_session_send(s, item->binary, item->p, item->len);
        if (sent != WS_SENT) {
            return;
        }
        ws_replay_sent(&s->replay);
    }
    end_replay(s, now);
}

static void compare(struct ws_session *s, bool binary, const uint8_t *p, size_t len)
{
    char why[WS_REPLAY_WHY];
    bool same = ws_replay_compare(&s->replay, binary, p, len, why);
    if (!same && s->options->compare) {
        ws_session_fail(s, WS_EXIT_CLOSED, "messages", (struct cl_why){.code = CLEAT_ERR_SYSTEM},
                        "the answers are not those of %s: %s", s->options->replay, why);
        ws_session_close(s);
    } else if (ws_replay_missing(&s->replay) == 0 && ws_replay_to_send(&s->replay) == NULL) {
        wait_until(s, s->replay.end_us);
    }
}

/* ---- --echo ---- */

static void echo(struct ws_session *s, bool binary, const uint8_t *p, size_t len)
{
    if (ws_session_send(s, binary, p, len) != WS_SENT_LATER) {
        return;
    }
    /* Kept, and nothing else is received until it has gone. */
    if (cl_buf_append(&s->echo, p, len, SIZE_MAX / 2) != CL_OK) {
        ws_session_fail(s, WS_EXIT_CLOSED, "messages", (struct cl_why){.code = CLEAT_ERR_NOMEM},
                        "out of memory");
        ws_session_close(s);
        return;
    }
    s->has_echo = true;
    s->echo_binary = binary;
    cl_ws_stream_pause(&s->ws);
}

static void echo_again(struct ws_session *s)
{
    if (s->has_echo &&
        ws_session_send(s, s->echo_binary, s->echo.p, s->echo.len) != WS_SENT_LATER) {
        s->has_echo = false;
        cl_buf_deinit(&s->echo);
        cl_ws_stream_resume(&s->ws);
    }
}

/* ---- whichever it is ---- */

static void on_timer(void *ctx)
{
    struct ws_session *s = ctx;
    if (s->options->replay != NULL) {
        send_recorded(s);
    } else if (s->ws.paused) { /* who does not read cannot say that nothing comes */
        start_waiting(s);
    } else {
        ws_session_close(s);
    }
}

void ws_source_start(struct ws_session *s)
{
    const struct ws_options *o = s->options;
    if (cl_timer_new(&s->client.loop, on_timer, s, &s->timer) != CL_OK) {
        ws_session_close(s);
        return;
    }
    if (o->messages.num > 0 || o->replay != NULL || o->echo) {
        ws_source_go(s);
        return;
    }
    int status = ws_input_start(&s->input, &s->client.loop, STDIN_FILENO, o->binary, &on_input, s);
    if (status != 0) {
        on_input_end(s, uv_strerror(status));
    }
}

void ws_source_go(struct ws_session *s)
{
    if (s->timer == NULL) { /* stopped */
        return;
    }
    if (s->options->messages.num > 0) {
        send_words(s);
    } else if (s->options->replay != NULL) {
        send_recorded(s);
    } else if (s->options->echo) {
        echo_again(s);
    } else {
        ws_input_go(&s->input);
    }
}

void ws_source_received(struct ws_session *s, bool binary, const uint8_t *p, size_t len)
{
    if (s->timer == NULL) { /* stopped: what still comes changes nothing */
        return;
    }
    if (s->options->echo) {
        echo(s, binary, p, len);
    } else if (s->options->replay != NULL) {
        compare(s, binary, p, len);
    }
    if (s->options->one_message) {
        ws_session_close(s);
    } else if (s->waits_for_silence) {
        start_waiting(s);
    }
}

void ws_source_stop(struct ws_session *s)
{
    ws_input_stop(&s->input);
    cl_timer_free(s->timer);
    s->timer = NULL;
}
