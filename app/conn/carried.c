/* conn/carried.c - see carried.h. Implementation notes:
 *
 * The stream below copies what it takes; what it does not take stays its sender's until `drained`.
 * It stops receiving as soon as nobody reads above, so nothing is kept here. Memory goes in a later
 * turn, when both the stream below has closed and the cl_tcp above was freed: either may come
 * first, and from inside the other's callback.
 */
#include "conn/carried.h"

#include "base/mem.h"

struct carried {
    struct cl_tcp_carrier carrier; /* first: told by its own address */
    struct cl_tcp *tcp;
    struct cl_stream *below; /* NULL: closed */
    uv_timer_t timer;        /* once closing; its handle's end is the end of all this */
    const uint8_t *rest;     /* of a send under way */
    size_t rest_len;
    bool over; /* nobody is above any more */
    bool ended;
};

/* ---- the end ---- */

static void on_timer_closed(uv_handle_t *handle)
{
    struct carried *c = handle->data;
    cl_tcp_drop(c->tcp);
    cl_free(c);
}

static void bury(struct carried *c)
{
    uv_close((uv_handle_t *)&c->timer, on_timer_closed);
}

static void on_time(uv_timer_t *timer)
{
    struct carried *c = timer->data;
    if (c->below != NULL) {
        cl_stream_abort(c->below, NULL);
    }
}

static void close_below(struct cl_tcp_carrier *carrier)
{
    struct carried *c = (struct carried *)carrier;
    c->over = true;
    if (c->below == NULL) {
        bury(c);
        return;
    }
    cl_stream_close(c->below);
    uv_update_time(c->timer.loop);
    (void)uv_timer_start(&c->timer, on_time, CL_CARRIED_CLOSE_MS, 0);
}

/* ---- what the stream below tells ---- */

static size_t on_data(void *ctx, uint8_t *p, size_t len)
{
    struct carried *c = ctx;
    return c->over ? len : cl_tcp_arrived(c->tcp, p, len);
}

static void on_drained(void *ctx)
{
    struct carried *c = ctx;
    const size_t n = cl_stream_write(c->below, c->rest, c->rest_len);
    const bool done = c->rest_len != 0 && n == c->rest_len;
    c->rest_len -= n;
    c->rest = c->rest_len != 0 ? c->rest + n : NULL;
    if (done) {
        cl_tcp_sent_rest(c->tcp, 0);
    }
}

static void end(struct carried *c, int status)
{
    if (!c->ended && !c->over) {
        c->ended = true;
        cl_tcp_arrived_end(c->tcp, status);
    }
}

static void on_eof(void *ctx)
{
    end(ctx, 0);
}

/* TLS with the proxy has failed, and closing takes its time. */
static void on_failed(void *ctx, const struct cleat_error *error)
{
    end(ctx, UV_EPROTO);
}

/* However it came: without the end that was agreed on, what is above was cut off. */
static void on_closed(void *ctx, const struct cl_stream_end *how)
{
    struct carried *c = ctx;
    c->below = NULL;
    if (c->over) {
        bury(c);
        return;
    }
    end(c, how->sys != 0 ? how->sys : UV_ECONNRESET);
}

static const struct cl_stream_handler handler = {
    .data = on_data,
    .drained = on_drained,
    .eof = on_eof,
    .failed = on_failed,
    .closed = on_closed,
};

/* ---- what is asked from above ---- */

static void read_below(struct cl_tcp_carrier *carrier, bool on)
{
    struct carried *c = (struct carried *)carrier;
    if (on && c->below != NULL) {
        cl_stream_resume(c->below);
    }
}

static ssize_t send_below(struct cl_tcp_carrier *carrier, const uint8_t *p, size_t len)
{
    struct carried *c = (struct carried *)carrier;
    if (c->below == NULL) {
        return UV_ECONNRESET;
    }
    const size_t n = cl_stream_write(c->below, p, len);
    c->rest = p + n;
    c->rest_len = len - n;
    return (ssize_t)n;
}

static void finish_below(struct cl_tcp_carrier *carrier)
{
    struct carried *c = (struct carried *)carrier;
    if (c->below != NULL) {
        cl_stream_finish(c->below);
    }
}

static bool is_at_end(const struct cl_tcp_carrier *carrier)
{
    return ((const struct carried *)carrier)->ended;
}

static const struct cl_tcp *socket_below(const struct cl_tcp_carrier *carrier)
{
    const struct carried *c = (const struct carried *)carrier;
    return c->below != NULL ? cl_stream_tcp(c->below) : NULL;
}

static size_t unsent(const struct cl_tcp_carrier *carrier)
{
    const struct cl_tcp *tcp = socket_below(carrier);
    return ((const struct carried *)carrier)->rest_len + (tcp != NULL ? cl_tcp_unsent(tcp) : 0);
}

cl_result cl_carried_new(struct cl_hub *hub, struct cl_stream *below, struct cl_tcp **out)
{
    struct carried *c = cl_calloc(1, sizeof(*c));
    if (c == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    c->carrier = (struct cl_tcp_carrier){.read = read_below,
                                         .send = send_below,
                                         .finish = finish_below,
                                         .close = close_below,
                                         .is_at_end = is_at_end,
                                         .below = socket_below,
                                         .unsent = unsent};
    if (cl_tcp_new_carried(cl_hub_loop(hub), &c->carrier, &c->tcp) != CL_OK) {
        cl_free(c);
        return CLEAT_ERR_NOMEM;
    }
    (void)uv_timer_init(cl_hub_loop(hub), &c->timer);
    c->timer.data = c;
    c->below = below;
    cl_stream_handle(below, &handler, c);
    cl_stream_deadline(below, 0);
    *out = c->tcp;
    return CL_OK;
}
