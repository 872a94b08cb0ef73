/* serve/ws_conn.c - see ws_conn.h. Implementation notes:
 *
 * In: the carrier offers bytes, the engine makes pieces of them, the kind takes those. A piece that
 * is left holds those bytes: the same ones are offered again, and io.in_used says how far
 * they were worked off. Out: the engine's queue goes into the carrier as far as there is
 * room; `drained` goes on.
 * Time: one entry in the wheel, looked at for pings, time-outs, and clients that take nothing.
 * While a piece is held no pong can be read, so that its absence proves nothing: then only what the
 * client takes counts.
 */
#include "serve/ws_conn.h"

#include <string.h>

#include "base/mem.h"
#include "http/write.h"
#include "net/clock.h"

/* 10 s, 2 KiB: who takes less than that in that time, three times, while we wait for it, is given
 * up; as slow as what requests may be (CL_SERVE_STALL_MS, CL_SERVE_STALL_BYTES) */
#define CHECK_MS    10000
#define CHECK_BYTES 2048
#define MAX_STALLS  3
/* 5 s: for the last frames to go out, and for the client's close frame */
#define CLOSE_MS    5000
/* 16 MiB: what a bomb may grow to without its ratio being asked for: messages are not kept, so that
 * it costs time alone, and honest ones of a few letters repeated are compressed as well */
#define MAX_UNRATED 16777216
static const struct cl_ws_kind *const kinds[] = {
    [CL_WS_ECHO] = &cl_ws_echo,
    [CL_WS_EXEC] = &cl_ws_exec,
    [CL_WS_TCP] = &cl_ws_tcp,
    [CL_WS_BROADCAST] = &cl_ws_broadcast,
};

const struct cl_ws_kind *cl_ws_kind_of(const struct cl_ws_endpoint *endpoint)
{
    return kinds[endpoint->kind];
}

/* ---- the end ---- */

static void end_kind(struct cl_websocket *w)
{
    if (!w->over) {
        w->over = true;
        w->kind->close(w);
    }
}

static bool is_ended(const struct cl_websocket *w)
{
    enum cleat_ws_state state = cleat_ws_state(w->ws);
    return state == CLEAT_WS_CLOSED || state == CLEAT_WS_BROKEN;
}

static void check_end(struct cl_websocket *w)
{
    if (!is_ended(w)) {
        return;
    }
    if (cleat_ws_state(w->ws) == CLEAT_WS_BROKEN) {
        cl_websocket_log_failure(w);
    }
    end_kind(w);
}

/* A message that has begun has to end first; then this is tried again. */
static void try_close(struct cl_websocket *w)
{
    if (w->close_code == 0 || w->closed) {
        return;
    }
    size_t len = w->close_reason != NULL ? strlen(w->close_reason) : 0;
    int code = cleat_ws_close(w->ws, cl_clock_mono_us(), w->close_code, w->close_reason, len);
    if (code != CLEAT_ERR_USAGE) {
        w->closed = true;
        cl_wheel_set(w->hub->wheel, &w->timer, CLOSE_MS);
    }
}

void cl_websocket_close(struct cl_websocket *w, uint16_t code, const char *reason)
{
    if (w->close_code == 0) {
        w->close_code = code;
        w->close_reason = reason;
    }
    try_close(w);
}

void cl_websocket_stop(struct cl_websocket *w)
{
    cl_websocket_close(w, CLEAT_WS_GOING_AWAY, "the server stops");
    cl_websocket_flush(w);
}

/* ---- out ---- */

/* Everything that the stream takes. False: `drained` comes. */
static bool write_frames(struct cl_websocket *w)
{
    const uint8_t *p;
    size_t len;
    while ((len = cleat_ws_output(w->ws, &p)) != 0) {
        size_t taken = w->carrier->write(w, p, len);
        cleat_ws_sent(w->ws, taken);
        w->written += taken;
        if (taken < len) {
            return false;
        }
    }
    return true;
}

static void look_in(struct cl_websocket *w, uint64_t ms)
{
    w->watched = true;
    cl_wheel_set(w->hub->wheel, &w->timer, ms);
}

/* Has the timer look soon, unless it is going to. */
static void watch(struct cl_websocket *w, uint64_t ms)
{
    if (!w->watched) {
        w->num_stalls = 0;
        look_in(w, ms);
    }
}

/* The client has a while to close its side. */
static void close_carrier(struct cl_websocket *w)
{
    w->closing = true;
    cl_wheel_set(w->hub->wheel, &w->timer, CLOSE_MS);
    w->carrier->close(w);
}

void cl_websocket_flush(struct cl_websocket *w)
{
    if (w->closing) {
        return;
    }
    try_close(w);
    bool all = write_frames(w);
    check_end(w);
    if (!all) {
        watch(w, is_ended(w) ? CLOSE_MS : CHECK_MS);
    } else if (is_ended(w)) {
        /* RFC 6455 7.1.1: the server closes the TCP connection first */
        close_carrier(w);
    }
}

int cl_websocket_send(struct cl_websocket *w, bool binary, const void *p, size_t len)
{
    int code = cleat_ws_send(w->ws, binary, p, len);
    if (code == CLEAT_ERR_WS_QUEUE_FULL && write_frames(w)) {
        code = cleat_ws_send(w->ws, binary, p, len);
    }
    if (code == CLEAT_ERR_NOMEM || code == CLEAT_ERR_CRYPTO) {
        cl_websocket_close(w, CLEAT_WS_INTERNAL_ERROR, "out of memory");
    }
    w->bytes_out += code >= 0 ? len : 0;
    return code;
}

int cl_websocket_send_piece(struct cl_websocket *w, bool binary, const void *p, size_t len,
                            bool last, size_t *taken)
{
    int code = cleat_ws_send_piece(w->ws, binary, p, len, last, taken);
    if (code == CLEAT_ERR_WS_QUEUE_FULL && write_frames(w)) {
        code = cleat_ws_send_piece(w->ws, binary, p, len, last, taken);
    }
    w->bytes_out += *taken;
    return code;
}

int cl_websocket_send_prepared(struct cl_websocket *w, struct cleat_ws_prepared *message,
                               size_t len)
{
    int code = cleat_ws_send_prepared(w->ws, message);
    if (code == CLEAT_ERR_NOMEM) {
        cl_websocket_close(w, CLEAT_WS_INTERNAL_ERROR, "out of memory");
    }
    w->bytes_out += code >= 0 ? len : 0;
    return code;
}

/* ---- in ---- */

/* False: the kind has left some of the piece. */
static bool hand_over(struct cl_websocket *w)
{
    w->held = !w->over && !w->kind->message(w, &w->piece);
    return !w->held;
}

static void take_message(struct cl_websocket *w)
{
    const struct cleat_ws_io *io = &w->io;
    w->piece = (struct cl_ws_piece){.p = io->data,
                                    .len = io->data_len,
                                    .binary = io->binary,
                                    .first = io->first,
                                    .last = io->last};
    w->bytes_in += io->data_len;
    w->held = true;
}

static void step(struct cl_websocket *w)
{
    while (!w->held || hand_over(w)) {
        switch (cleat_ws_step(w->ws, &w->io)) {
        case CLEAT_WS_MESSAGE:
            take_message(w);
            break;
        case CLEAT_WS_CLOSE:
            w->peer_code = w->io.code;
            break;
        case CLEAT_WS_PING:
        case CLEAT_WS_PONG:
            break;
        default: /* NEEDS_INPUT, FAILED */
            return;
        }
    }
}

size_t cl_websocket_data(struct cl_websocket *w, uint8_t *p, size_t len)
{
    if (w->closing) {
        return len;
    }
    w->io.in = p;
    w->io.in_len = len;
    w->io.now = cl_clock_mono_us();
    step(w);
    bool held = w->held;
    if (!held) {
        w->io.in_used = 0;
    } else {
        watch(w, CHECK_MS);
    }
    cl_websocket_flush(w);
    return held ? 0 : len;
}

void cl_websocket_resume(struct cl_websocket *w)
{
    w->carrier->resume(w);
}

/* ---- the carrier ---- */

void cl_websocket_drained(struct cl_websocket *w)
{
    cl_websocket_flush(w);
    if (w->closing || cleat_ws_queued(w->ws) > w->hub->server->config->queue / 2) {
        return;
    }
    if (!w->over) {
        w->kind->writable(w);
        cl_websocket_flush(w);
    }
    cl_websocket_resume(w);
}

void cl_websocket_eof(struct cl_websocket *w)
{
    (void)cleat_ws_eof(w->ws); /* the log asks for what it found */
    check_end(w);
    if (!w->closing) {
        close_carrier(w);
    }
}

void cl_websocket_abort(struct cl_websocket *w, const char *why)
{
    w->carrier->abort(w, why);
}

static void free_websocket(struct cl_websocket *w)
{
    atomic_fetch_sub(&w->hub->server->num_open, 1);
    cleat_ws_free(w->ws);
    cl_buf_deinit(&w->inbox.now);
    cl_buf_deinit(&w->inbox.more);
    cl_access_deinit(&w->note);
    cl_free(w);
}

void cl_websocket_gone(struct cl_websocket *w)
{
    w->closing = true;
    (void)cleat_ws_eof(w->ws);
    end_kind(w);
    cl_websocket_log(w);
    cl_wheel_stop(w->hub->wheel, &w->timer);
    free_websocket(w);
}

/* ---- time ---- */

/* How much the client has taken since the last look is enough to wait on. */
static bool is_taking(struct cl_websocket *w)
{
    size_t unsent = w->carrier->unsent(w);
    uint64_t taken = w->written > unsent ? w->written - unsent : 0;
    bool enough = taken >= w->taken + CHECK_BYTES;
    w->taken = taken;
    return enough;
}

/* The client, or what is behind the endpoint, is slow. False: slower than we wait for. */
static bool be_patient(struct cl_websocket *w, bool taking)
{
    bool queued = cleat_ws_queued(w->ws) > 0;
    if (taking || (!queued && !is_ended(w))) {
        w->num_stalls = 0;
    } else {
        w->num_stalls += is_ended(w) ? MAX_STALLS : 1;
    }
    if (w->num_stalls >= MAX_STALLS) {
        return false;
    }
    if (!queued) {
        /* Not for the pong, which cannot be read: the kernel notices a client that is gone. */
        (void)cleat_ws_ping(w->ws, cl_clock_mono_us(), "", 0);
        cl_websocket_flush(w);
        cl_websocket_resume(w); /* there may be memory again */
    }
    look_in(w, is_ended(w) ? CLOSE_MS : CHECK_MS);
    return true;
}

/* Sets the timer for what the engine has to do next. */
static void watch_time(struct cl_websocket *w)
{
    uint64_t now = cl_clock_mono_us();
    uint64_t next = UINT64_MAX;
    (void)cleat_ws_tick(w->ws, now, &next); /* a failure is the state that flush finds */
    if (next != UINT64_MAX && !w->watched) {
        cl_wheel_set(w->hub->wheel, &w->timer, next > now ? (next - now) / 1000 : 0);
    }
}

static struct cl_websocket *of_entry(struct cl_wheel_entry *entry)
{
    return (struct cl_websocket *)((char *)entry - offsetof(struct cl_websocket, timer));
}

void cl_websocket_tick(struct cl_wheel_entry *entry)
{
    struct cl_websocket *w = of_entry(entry);
    w->watched = false;
    if (w->closing) {
        if (w->x != NULL) { /* a stream has its own time for this */
            w->carrier->abort(w, "the client does not close");
        }
        return;
    }
    bool taking = is_taking(w);
    if (is_ended(w) || w->held || (cleat_ws_queued(w->ws) > 0 && taking)) {
        if (!be_patient(w, taking)) {
            w->carrier->abort(w, "the client takes nothing any more");
        }
        return;
    }
    watch_time(w);
    cl_websocket_flush(w);
}

/* ---- the beginning ---- */

void cl_websocket_options(const struct cl_ws_hub *hub, struct cleat_ws_options *o)
{
    const struct cl_ws_config *config = hub->server->config;
    cleat_ws_options_init(o);
    o->max_message = config->max_message;
    o->max_ratio = config->max_message > MAX_UNRATED ? o->max_ratio : 0;
    o->queue_limit = config->queue;
    o->ping_interval = config->ping_s * 1000;
    o->close_timeout = CLOSE_MS;
    o->pool = hub->pool;
    if (!config->no_deflate) {
        cleat_ws_deflate_init(&o->deflate, true);
    }
}

static int make_engine(struct cl_websocket *w, const struct cleat_ws_upgrade *agreed)
{
    struct cleat_ws_options o;
    cl_websocket_options(w->hub, &o);
    o.stream = !w->kind->whole;
    o.full = w->kind->whole ? w->hub->server->config->slow : CLEAT_WS_FULL_BLOCK;
    o.deflate = agreed->deflate;
    return cleat_ws_server_new(&o, &w->ws);
}

/* Over HTTP/2 the fields of the switch have no meaning (RFC 8441 5.1). */
static cl_result accept_fields(const struct cleat_ws_upgrade *agreed, struct cl_buf *out)
{
    if (agreed->status == 101) {
        CL_TRY(cl_http_write_field_str(out, "Upgrade", "websocket"));
        CL_TRY(cl_http_write_field_str(out, "Sec-WebSocket-Accept", agreed->accept));
    }
    if (agreed->subprotocol != NULL) {
        CL_TRY(cl_http_write_field_str(out, "Sec-WebSocket-Protocol", agreed->subprotocol));
    }
    if (agreed->extensions[0] != '\0') {
        CL_TRY(cl_http_write_field_str(out, "Sec-WebSocket-Extensions", agreed->extensions));
    }
    return CL_OK;
}

static bool accept_request(struct cl_websocket *w, const struct cleat_ws_upgrade *agreed)
{
    struct cl_buf fields = {0};
    bool done = accept_fields(agreed, &fields) == CL_OK &&
                cl_exchange_accept(w->x, agreed->status, &fields);
    cl_buf_deinit(&fields);
    w->status = agreed->status;
    return done;
}

/* What the log says of the request in the end. */
static void take_note(struct cl_websocket *w)
{
    struct cl_exchange *x = w->x;
    w->note = x->answer.note;
    x->answer.note = (struct cl_access_note){0};
    cl_buf_trim(&w->note.request); /* it stays for as long as the connection */
    cl_buf_trim(&w->note.agent);
    w->since = x->answer.now;
    w->began = x->answer.began;
}

static int refuse(struct cl_websocket *w, int status)
{
    free_websocket(w);
    return status;
}

static struct cl_websocket *make_websocket(struct cl_exchange *x,
                                           const struct cl_ws_endpoint *endpoint)
{
    bool h2 = cleat_http_exchange_protocol(x->wire) == CLEAT_HTTP_2;
    struct cl_websocket *w = cl_calloc(1, sizeof(*w));
    if (w != NULL) {
        w->session = x->session;
        w->x = x;
        w->carrier = h2 ? &cl_ws_over_exchange : &cl_ws_over_stream;
        w->hub = x->session->worker->ws;
        w->endpoint = endpoint;
        w->kind = cl_ws_kind_of(endpoint);
    }
    return w;
}

int cl_websocket_open(struct cl_exchange *x, const struct cleat_http_head *head,
                      const struct cl_ws_endpoint *endpoint, const struct cleat_ws_upgrade *agreed,
                      struct cleat_error *err)
{
    struct cl_ws_hub *hub = x->session->worker->ws;
    struct cl_why busy = {.code = CLEAT_ERR_LIMIT};
    struct cl_why memory = {.code = CLEAT_ERR_NOMEM};
    unsigned max = hub->server->config->max_connections;
    if (!cl_ws_take_one(&hub->server->num_open, max)) {
        cl_error_set(err, busy, "there are %u WebSockets already, as many as may be open", max);
        return 503;
    }
    struct cl_websocket *w = make_websocket(x, endpoint);
    if (w == NULL) {
        atomic_fetch_sub(&hub->server->num_open, 1);
        cl_error_set(err, memory, "out of memory");
        return 503;
    }
    if (make_engine(w, agreed) != CLEAT_OK) {
        cl_error_set(err, memory, "out of memory");
        return refuse(w, 503);
    }
    int status = w->kind->open(w, head, err);
    if (status != 0) {
        return refuse(w, status);
    }
    if (!accept_request(w, agreed)) {
        cl_error_set(err, memory, "out of memory");
        end_kind(w);
        return refuse(w, 503);
    }
    take_note(w);
    cl_count_add(&x->session->worker->counters->websockets, 1);
    x->ws = w;
    x->state = CL_EXCHANGE_UPGRADED;
    watch_time(w);
    cl_websocket_flush(w);
    return 0;
}
