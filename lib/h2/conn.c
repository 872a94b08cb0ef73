/* h2/conn.c - see conn.h and cleat/h2.h. */
#include "h2/conn.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* 32: settings in one frame; nine are defined (nghttp2's own default) */
#define MAX_SETTINGS 32
/* 1 s: what is on its way when a shutdown begins has come by then */
#define SHUTDOWN_US  1000000
/* 1 KiB: a peer whose window lets less than that through in stall_timeout is no reader */
#define STALL_BYTES  1024

static const char *const code_names[] = {
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
};

const char *cleat_h2_code_name(uint32_t code)
{
    return code < sizeof(code_names) / sizeof(code_names[0]) ? code_names[code]
                                                             : "unknown error code";
}

void cleat_h2_options_init(struct cleat_h2_options *o, bool is_server)
{
    *o = (struct cleat_h2_options){
        .max_streams = is_server ? 100 : 0,
        .stream_window = is_server ? 65535 : 1048576,
        .connection_window = is_server ? 1048576 : 16777216,
        .max_head = is_server ? CLEAT_HTTP_MAX_REQUEST_HEAD : CLEAT_HTTP_MAX_RESPONSE_HEAD,
        .max_fields = CLEAT_HTTP_MAX_FIELDS,
        .queue_limit = 65536,
        .stall_timeout = 30000,
        .settings_timeout = 10000,
        .head_timeout = 15000,
    };
}

/* ---- failing ---- */

cl_result cl_h2_fail(struct cleat_h2 *h2, cl_result result, uint32_t code, const char *section,
                     const char *fmt, ...)
{
    char text[sizeof(h2->error.text)];
    va_list args;
    if (h2->error.code != 0) {
        return result;
    }
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    (void)cl_error_set(&h2->error, (struct cl_why){.code = result, .section = section}, "%s", text);
    if (!h2->broken) {
        (void)nghttp2_session_terminate_session(h2->session, code);
    }
    return result;
}

void cl_h2_note(struct cleat_h2 *h2, const struct cleat_error *why)
{
    h2->why = h2->why != NULL ? h2->why : cl_alloc(sizeof(*h2->why));
    if (h2->why != NULL) {
        *h2->why = *why;
    }
}

void cleat_h2_fail(struct cleat_h2 *h2, uint32_t code, const char *why)
{
    (void)cl_h2_fail(h2, CLEAT_ERR_CLOSED, code, NULL, "%s", why);
}

/* ---- streams ---- */

struct cl_h2_stream *cl_h2_stream_new(struct cleat_h2 *h2, int32_t id)
{
    struct cl_h2_stream *s = cl_calloc(1, sizeof(*s));
    if (s != NULL) {
        s->id = id;
        TAILQ_INSERT_TAIL(&h2->streams, s, link);
        h2->num_streams++;
        h2->stats.streams++;
    }
    return s;
}

void cl_h2_stream_free(struct cleat_h2 *h2, struct cl_h2_stream *s)
{
    TAILQ_REMOVE(&h2->streams, s, link);
    h2->num_streams--;
    if (s->is_listed) {
        TAILQ_REMOVE(&h2->told, s, next);
    }
    h2->head_stream = h2->head_stream == s ? NULL : h2->head_stream;
    h2->data_stream = h2->data_stream == s ? NULL : h2->data_stream;
    if (s->unconsumed > 0 && !h2->broken) {
        (void)nghttp2_session_consume_connection(h2->session, s->unconsumed);
    }
    if (!s->is_gone && s->id > 0 && !h2->broken) {
        (void)nghttp2_session_set_stream_user_data(h2->session, s->id, NULL);
    }
    cl_h2_drop_queue(h2, s, cl_h2_queued(s));
    cl_free(s->trailers);
    cl_free(s);
}

struct cl_h2_stream *cl_h2_stream_find(const struct cleat_h2 *h2, uint32_t id)
{
    if (id == 0 || id > INT32_MAX || h2->broken) {
        return NULL;
    }
    struct cl_h2_stream *s = nghttp2_session_get_stream_user_data(h2->session, (int32_t)id);
    if (s == NULL && !h2->is_server) { /* a request that nghttp2 has not written yet */
        TAILQ_FOREACH(s, &h2->streams, link)
        {
            if (s->id == (int32_t)id && !s->is_gone) {
                break;
            }
        }
    }
    return s;
}

void cl_h2_tell(struct cleat_h2 *h2, struct cl_h2_stream *s, uint8_t what)
{
    s->tell |= what;
    if (!s->is_listed) {
        s->is_listed = true;
        TAILQ_INSERT_TAIL(&h2->told, s, next);
    }
}

void cleat_h2_stream_set(struct cleat_h2 *h2, uint32_t stream, void *ctx)
{
    struct cl_h2_stream *s = cl_h2_stream_find(h2, stream);
    if (s != NULL) {
        s->ctx = ctx;
    }
}

void cleat_h2_consume(struct cleat_h2 *h2, uint32_t stream, size_t len)
{
    struct cl_h2_stream *s = cl_h2_stream_find(h2, stream);
    if (s == NULL) {
        return; /* given back when it ended */
    }
    const size_t n = len < s->unconsumed ? len : s->unconsumed;
    s->unconsumed -= n;
    (void)nghttp2_session_consume(h2->session, s->id, n);
}

void cleat_h2_reset(struct cleat_h2 *h2, uint32_t stream, uint32_t code)
{
    struct cl_h2_stream *s = cl_h2_stream_find(h2, stream);
    if (s != NULL) {
        s->reset_by_us = true;
        (void)nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, s->id, code);
    }
}

static bool is_to_stop(const struct cl_h2_stream *s)
{
    return s->stop && s->ended_out && !s->ended_in && !s->reset_by_us;
}

void cl_h2_stop_ended(struct cleat_h2 *h2, struct cl_h2_stream *s)
{
    if (is_to_stop(s)) {
        cleat_h2_reset(h2, (uint32_t)s->id, CLEAT_H2_NO_ERROR);
    }
}

void cleat_h2_stop(struct cleat_h2 *h2, uint32_t stream)
{
    struct cl_h2_stream *s = cl_h2_stream_find(h2, stream);
    if (s != NULL) {
        s->stop = true;
        cl_h2_stop_ended(h2, s);
    }
}

/* ---- making and ending ---- */

static cl_result make_option(nghttp2_option **out)
{
    nghttp2_option *option;
    if (nghttp2_option_new(&option) != 0) {
        return CLEAT_ERR_NOMEM;
    }
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_max_outbound_ack(option, CL_H2_MAX_ACKS);
    nghttp2_option_set_max_settings(option, MAX_SETTINGS);
    /* The gate counts resets, by the application's clock. */
    nghttp2_option_set_stream_reset_rate_limit(option, UINT64_MAX, UINT64_MAX);
    nghttp2_option_set_peer_max_concurrent_streams(option, 100);
    nghttp2_option_set_builtin_recv_extension_type(option, NGHTTP2_PRIORITY_UPDATE);
    *out = option;
    return CL_OK;
}

static int submit_settings(struct cleat_h2 *h2)
{
    const struct cleat_h2_options *o = &h2->o;
    nghttp2_settings_entry entries[6] = {
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, o->stream_window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, o->max_head},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    size_t num = 3;
    if (h2->is_server) {
        entries[num++] =
            (nghttp2_settings_entry){NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, o->max_streams};
        if (o->connect_protocol) {
            entries[num++] = (nghttp2_settings_entry){NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1};
        }
    } else {
        entries[num++] = (nghttp2_settings_entry){NGHTTP2_SETTINGS_ENABLE_PUSH, 0};
    }
    int r = nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, entries, num);
    return r != 0 ? r
                  : nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0,
                                                          (int32_t)o->connection_window);
}

static cl_result make_session(struct cleat_h2 *h2)
{
    nghttp2_mem mem = cl_h2_heap_mem(&h2->heap);
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    CL_TRY(cl_h2_callbacks(&callbacks));
    cl_result result = make_option(&option);
    if (result == CL_OK) {
        const int r = (h2->is_server ? nghttp2_session_server_new3 : nghttp2_session_client_new3)(
            &h2->session, callbacks, h2, option, &mem);
        nghttp2_option_del(option);
        result = r == 0 && submit_settings(h2) == 0 ? CL_OK : CLEAT_ERR_NOMEM;
    }
    nghttp2_session_callbacks_del(callbacks);
    return result;
}

static int make(const struct cleat_h2_options *o, bool is_server, struct cleat_h2 **out)
{
    if (o->stream_window > INT32_MAX || o->connection_window > INT32_MAX ||
        o->connection_window < 65535 || o->max_head > UINT16_MAX || o->max_head == 0 ||
        o->max_fields == 0 || o->max_fields > CLEAT_HTTP_MAX_FIELDS || o->queue_limit == 0) {
        return CLEAT_ERR_USAGE;
    }
    struct cleat_h2 *h2 = cl_calloc(1, sizeof(*h2));
    if (h2 == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    h2->o = *o;
    h2->is_server = is_server;
    TAILQ_INIT(&h2->streams);
    TAILQ_INIT(&h2->told);
    cl_h2_gate_init(&h2->gate, is_server);
    cl_h2_closed_init(&h2->closed);
    const cl_result r = make_session(h2);
    if (r != CL_OK) {
        cleat_h2_free(h2);
        return (int)r;
    }
    *out = h2;
    return CLEAT_OK;
}

int cleat_h2_server_new(const struct cleat_h2_options *o, struct cleat_h2 **out)
{
    return make(o, true, out);
}

int cleat_h2_client_new(const struct cleat_h2_options *o, struct cleat_h2 **out)
{
    return make(o, false, out);
}

void cleat_h2_free(struct cleat_h2 *h2)
{
    struct cl_h2_stream *s;
    if (h2 == NULL) {
        return;
    }
    while ((s = TAILQ_FIRST(&h2->streams)) != NULL) {
        s->unconsumed = 0;
        cl_h2_stream_free(h2, s);
    }
    if (!h2->broken) {
        nghttp2_session_del(h2->session);
    }
    cl_heap_drop(&h2->heap);
    cl_h2_collect_free(h2->collect);
    cl_buf_deinit(&h2->out);
    cl_free(h2->why);
    cl_free(h2);
}

int cleat_h2_eof(struct cleat_h2 *h2)
{
    if (h2->error.code != 0) {
        return h2->error.code;
    }
    return h2->num_streams == 0 ? CLEAT_OK : CLEAT_ERR_HTTP_TRUNCATED;
}

int cleat_h2_error(const struct cleat_h2 *h2, struct cleat_error *out)
{
    *out = h2->error;
    return h2->error.code;
}

int cleat_h2_why(const struct cleat_h2 *h2, struct cleat_error *out)
{
    *out = h2->why != NULL ? *h2->why : (struct cleat_error){0};
    return out->code;
}

void cleat_h2_stats(const struct cleat_h2 *h2, struct cleat_h2_stats *out)
{
    *out = h2->stats;
}

size_t cleat_h2_num_streams(const struct cleat_h2 *h2)
{
    return h2->num_streams;
}

bool cleat_h2_settled(const struct cleat_h2 *h2)
{
    return h2->settled;
}

void cleat_h2_peer_settings(const struct cleat_h2 *h2, struct cleat_h2_settings *out)
{
    const struct {
        uint32_t *out;
        nghttp2_settings_id id;
    } rows[] = {
        {&out->max_streams, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS},
        {&out->stream_window, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE},
        {&out->max_frame, NGHTTP2_SETTINGS_MAX_FRAME_SIZE},
        {&out->header_table, NGHTTP2_SETTINGS_HEADER_TABLE_SIZE},
        {&out->max_head, NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        *rows[i].out = nghttp2_session_get_remote_settings(h2->session, rows[i].id);
    }
}

bool cleat_h2_allows_connect(const struct cleat_h2 *h2)
{
    return nghttp2_session_get_remote_settings(h2->session,
                                               NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
}

enum cleat_h2_state cleat_h2_state(const struct cleat_h2 *h2)
{
    if (h2->error.code != 0 ||
        (!nghttp2_session_want_read(h2->session) && !nghttp2_session_want_write(h2->session))) {
        return CLEAT_H2_CLOSED;
    }
    if (!h2->goaway_in && !h2->goaway_out && h2->last_goaway_at == 0) {
        return CLEAT_H2_OPEN;
    }
    const bool last = h2->goaway_in || h2->last_goaway_at == 0;
    return last && h2->num_streams == 0 ? CLEAT_H2_CLOSED : CLEAT_H2_DRAINING;
}

/* ---- time ---- */

int cleat_h2_shutdown(struct cleat_h2 *h2, uint64_t now)
{
    if (h2->broken || h2->goaway_out || h2->last_goaway_at != 0 || h2->error.code != 0) {
        return CLEAT_OK;
    }
    h2->last_goaway_at = now + SHUTDOWN_US;
    if (h2->is_server && nghttp2_submit_shutdown_notice(h2->session) == 0) {
        return CLEAT_OK;
    }
    h2->last_goaway_at = 0;
    const int32_t last = nghttp2_session_get_last_proc_stream_id(h2->session);
    return nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, NULL, 0) ==
                   0
               ? CLEAT_OK
               : CLEAT_ERR_NOMEM;
}

static void end_shutdown(struct cleat_h2 *h2)
{
    const int32_t last = nghttp2_session_get_last_proc_stream_id(h2->session);
    h2->last_goaway_at = 0;
    (void)nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, NULL, 0);
}

/* The peer's windows are what holds the stream up. */
static bool is_held_up(const struct cleat_h2 *h2, const struct cl_h2_stream *s)
{
    return (cl_h2_queued(s) > 0 || s->wants_room) &&
           (nghttp2_session_get_stream_remote_window_size(h2->session, s->id) < STALL_BYTES ||
            nghttp2_session_get_remote_window_size(h2->session) < STALL_BYTES);
}

/* When to look at the stream again; 0: it was reset. */
static uint64_t watch(struct cleat_h2 *h2, struct cl_h2_stream *s, uint64_t now)
{
    const uint64_t patience = (uint64_t)h2->o.stall_timeout * 1000;
    if (!is_held_up(h2, s) || s->sent >= s->mark_sent + STALL_BYTES || s->mark_time == 0) {
        s->mark_sent = s->sent;
        s->mark_time = now;
    }
    if (now - s->mark_time >= patience) {
        cleat_h2_reset(h2, (uint32_t)s->id, CLEAT_H2_ENHANCE_YOUR_CALM);
        return 0;
    }
    return s->mark_time + patience;
}

/* What the peer has begun and must end in time: its acknowledgement of SETTINGS, a head. */
static void watch_connection(struct cleat_h2 *h2, uint64_t now, uint64_t *next)
{
    const uint64_t settings_at = h2->began + (uint64_t)h2->o.settings_timeout * 1000;
    const uint64_t head_at = h2->gate.block_since + (uint64_t)h2->o.head_timeout * 1000;
    if (!h2->acknowledged && h2->began != 0 && h2->o.settings_timeout != 0) {
        if (now >= settings_at) {
            (void)cl_h2_fail(h2, CLEAT_ERR_LIMIT, CLEAT_H2_SETTINGS_TIMEOUT, "RFC 9113 6.5.3",
                             "SETTINGS were not acknowledged within %u ms",
                             (unsigned)h2->o.settings_timeout);
        }
        *next = settings_at < *next ? settings_at : *next;
    }
    if (h2->gate.block_since != 0 && h2->o.head_timeout != 0) {
        if (now >= head_at) {
            (void)cl_h2_fail(h2, CLEAT_ERR_LIMIT, CLEAT_H2_ENHANCE_YOUR_CALM, "RFC 9113 10.5",
                             "a head that is not complete after %u ms",
                             (unsigned)h2->o.head_timeout);
        }
        *next = head_at < *next ? head_at : *next;
    }
}

void cleat_h2_tick(struct cleat_h2 *h2, uint64_t now, uint64_t *out_next)
{
    struct cl_h2_stream *s;
    uint64_t next = UINT64_MAX;
    h2->now = now;
    if (h2->error.code != 0) {
        next = UINT64_MAX;
        goto out;
    }
    if (h2->last_goaway_at != 0 && now >= h2->last_goaway_at) {
        end_shutdown(h2);
    }
    if (h2->last_goaway_at != 0) {
        next = h2->last_goaway_at;
    }
    watch_connection(h2, now, &next);
    TAILQ_FOREACH(s, &h2->streams, link)
    {
        if (!s->is_gone && h2->o.stall_timeout != 0 && (cl_h2_queued(s) > 0 || s->wants_room)) {
            const uint64_t at = watch(h2, s, now);
            next = at != 0 && at < next ? at : next;
        }
    }
out:
    if (out_next != NULL) {
        *out_next = h2->error.code == 0 ? next : UINT64_MAX;
    }
}
