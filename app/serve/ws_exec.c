/* serve/ws_exec.c - `--ws-exec`: a process for each WebSocket; lines of its output are text
 * messages, messages are lines of its input. With --ws-binary what it writes are binary messages as
 * it comes, and messages are written as they are.
 *
 * Back-pressure: a message that the process does not read stays with the connection, which is not
 * read from then; output that the client does not take stays in one buffer, and the process's pipe
 * fills up. A line longer than that buffer goes out in fragments.
 */
#include <string.h>

#include "base/mem.h"
#include "serve/ws_child.h"
#include "serve/ws_conn.h"
#include "serve/ws_env.h"

#define NOT_TEXT "the program's output is not UTF-8: --ws-binary would pass it on"

enum writing {
    WRITE_NOTHING,
    WRITE_UNDER_WAY, /* of the piece that is held */
    WRITE_DONE,
};

struct exec {
    struct cl_websocket *w;
    struct cl_ws_child *child;
    uint8_t *out; /* of the pool, NULL when empty: out_at to out_len is not sent yet */
    size_t out_at, out_len;
    bool in_line; /* part of the line has been sent */
    bool ended;   /* out is the last */
    bool binary;
    enum writing writing;
};

static struct cl_pool *pool_of(const struct exec *e)
{
    return cl_hub_pool(e->w->session->worker->hub);
}

static void give_buffer(struct exec *e)
{
    cl_pool_give(pool_of(e), e->out, e->out_len);
    e->out = NULL;
    e->out_at = e->out_len = 0;
}

/* ---- from the process ---- */

/* Sends a part of a line; false: not all of it, for now. */
static bool send_part(struct exec *e, size_t len, bool last)
{
    size_t taken = 0;
    int code = CLEAT_OK;
    do {
        const void *p = len > 0 ? (const void *)(e->out + e->out_at) : "";
        code = cl_websocket_send_piece(e->w, e->binary, p, len, last, &taken);
        e->out_at += taken;
        len -= taken;
    } while (code == CLEAT_OK && len > 0);
    e->in_line = !last || code != CLEAT_OK;
    if (code == CLEAT_ERR_WS_UTF8) {
        /* a message that has begun leaves no room for a close frame */
        cl_websocket_abort(e->w, NOT_TEXT);
    }
    return code != CLEAT_ERR_WS_QUEUE_FULL;
}

/* Sends a line that is there as a whole: without its "\n" or "\r\n", which `skip` counts. */
static bool send_line(struct exec *e, size_t len, size_t skip)
{
    if (len > 0 && !e->binary && e->out[e->out_at + len - 1] == '\r') {
        len--;
        skip++;
    }
    if (e->in_line) {
        if (!send_part(e, len, true)) {
            return false;
        }
        e->out_at += skip;
        return true;
    }
    int code = cl_websocket_send(e->w, e->binary, e->out + e->out_at, len);
    if (code == CLEAT_ERR_WS_QUEUE_FULL) {
        return false;
    }
    if (code == CLEAT_ERR_WS_UTF8) {
        cl_websocket_close(e->w, CLEAT_WS_INTERNAL_ERROR, NOT_TEXT);
    }
    e->out_at += len + skip;
    return true;
}

/* False: the client does not take it now. */
static bool send_output(struct exec *e)
{
    while (e->out_at < e->out_len) {
        const uint8_t *p = e->out + e->out_at;
        size_t len = e->out_len - e->out_at;
        const uint8_t *newline = !e->binary ? memchr(p, '\n', len) : NULL;
        bool sent = true;
        if (newline != NULL) {
            sent = send_line(e, (size_t)(newline - p), 1);
        } else if (e->binary || e->ended) {
            sent = send_line(e, len, 0);
        } else if (len == CL_POOL_BUFFER) {
            /* the last byte may be the "\r" of a "\r\n" */
            sent = send_part(e, len - 1, false);
        } else {
            break;
        }
        if (!sent) {
            return false;
        }
    }
    if (e->out_at == e->out_len) {
        give_buffer(e);
    }
    return !e->ended || !e->in_line || send_part(e, 0, true);
}

static void pass_output_on(struct exec *e)
{
    struct cl_websocket *w = e->w;
    bool sent = send_output(e);
    if (!sent) {
        cl_ws_child_read(e->child, false);
    } else if (e->ended) {
        cl_websocket_close(w, CLEAT_WS_NORMAL, NULL);
    } else {
        cl_ws_child_read(e->child, true);
    }
}

static uint8_t *on_room(void *ctx, size_t *len)
{
    struct exec *e = ctx;
    if (e->out == NULL) {
        e->out = cl_pool_take(pool_of(e));
        e->out_at = e->out_len = 0;
    }
    if (e->out != NULL && e->out_at > 0) {
        e->out_len -= e->out_at;
        memmove(e->out, e->out + e->out_at, e->out_len);
        e->out_at = 0;
    }
    *len = CL_POOL_BUFFER - e->out_len;
    return e->out != NULL && *len > 0 ? e->out + e->out_len : NULL;
}

static void on_output(void *ctx, size_t len)
{
    struct exec *e = ctx;
    struct cl_websocket *w = e->w;
    e->out_len += len;
    pass_output_on(e);
    cl_websocket_flush(w);
}

static void on_ended(void *ctx)
{
    struct exec *e = ctx;
    struct cl_websocket *w = e->w;
    e->ended = true;
    pass_output_on(e);
    cl_websocket_flush(w);
}

static void exec_writable(struct cl_websocket *w)
{
    pass_output_on(w->state);
}

/* ---- to the process ---- */

static bool exec_message(struct cl_websocket *w, struct cl_ws_piece *piece)
{
    struct exec *e = w->state;
    if (e->writing == WRITE_NOTHING &&
        !cl_ws_child_write(e->child, piece->p, piece->len, piece->last && !e->binary)) {
        e->writing = WRITE_UNDER_WAY;
    }
    if (e->writing == WRITE_UNDER_WAY) {
        return false;
    }
    e->writing = WRITE_NOTHING;
    return true;
}

static void on_written(void *ctx)
{
    struct exec *e = ctx;
    e->writing = WRITE_DONE;
    cl_websocket_resume(e->w);
}

static const struct cl_ws_child_handler handler = {
    .room = on_room,
    .output = on_output,
    .ended = on_ended,
    .written = on_written,
};

/* ---- beginning and end ---- */

static int start(struct exec *e, const struct cleat_http_head *head)
{
    struct cl_websocket *w = e->w;
    struct cl_ws_strings words, env;
    char name[CL_ADDR_TEXT_SIZE + CL_WS_MAX_PATH + 3];
    struct cl_ws_child_spec spec = {.name = name, .handler = &handler, .ctx = e};
    (void)snprintf(name, sizeof(name), "%s: %s", w->session->peer, w->endpoint->path);
    int status = UV_ENOMEM;
    cl_result split = cl_ws_split(&words, w->endpoint->command);
    if (cl_ws_env(&env, w, head) == CL_OK && split == CL_OK) {
        spec.argv = words.list;
        spec.env = env.list;
        status = cl_ws_child_new(w->hub, &spec, &e->child);
    }
    if (status != 0) {
        cl_log_line(w->hub->errors, "cleat: %s: '%s' cannot be started: %s", name,
                    w->endpoint->command, uv_strerror(status));
    }
    cl_ws_strings_deinit(&words);
    cl_ws_strings_deinit(&env);
    return status;
}

static int exec_open(struct cl_websocket *w, const struct cleat_http_head *head,
                     struct cleat_error *err)
{
    struct cl_ws_server *server = w->hub->server;
    unsigned max = server->config->max_processes;
    struct exec *e = cl_calloc(1, sizeof(*e));
    if (e == NULL || !cl_ws_take_one(&server->num_processes, max)) {
        cl_free(e);
        cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_LIMIT},
                     "there are %u processes already, as many as may run", max);
        return 503;
    }
    e->w = w;
    e->binary = server->config->binary;
    if (start(e, head) != 0) {
        atomic_fetch_sub(&server->num_processes, 1);
        cl_free(e);
        cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_SYSTEM},
                     "the program behind this path cannot be started");
        return 500;
    }
    w->state = e;
    return 0;
}

static void exec_close(struct cl_websocket *w)
{
    struct exec *e = w->state;
    cl_ws_child_end(e->child);
    give_buffer(e);
    cl_free(e);
    w->state = NULL;
}

const struct cl_ws_kind cl_ws_exec = {
    .open = exec_open,
    .message = exec_message,
    .writable = exec_writable,
    .close = exec_close,
};
