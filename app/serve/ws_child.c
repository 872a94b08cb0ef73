/* serve/ws_child.c - see ws_child.h. A child lives until libuv has let go of its five handles: the
 * process, three pipes, a timer; it waits on the list of its hub. */
#include "serve/ws_child.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "serve/log.h"

/* 1 KiB: a line of its stderr; a longer one is cut into several */
#define MAX_LINE  1024
#define MAX_NAME  128
/* 100 lines, then a second's pause: a program that floods its stderr is held up by it, not the log
 */
#define MAX_BURST 100
#define PAUSE_MS  1000

enum { IN, OUT, ERR, NUM_PIPES };

struct cl_ws_child {
    LIST_ENTRY(cl_ws_child) link;
    struct cl_ws_hub *hub;
    uv_process_t process;
    uv_pipe_t pipes[NUM_PIPES];
    uv_timer_t timer;
    uv_write_t write;
    const struct cl_ws_child_handler *handler; /* NULL: nobody is told any more */
    void *ctx;
    int num_open; /* handles that libuv has not let go of */
    bool exited;
    bool reading;
    bool deaf;  /* nobody reads its stdin */
    bool ended; /* `ended` has been told */
    bool signalled;
    unsigned num_lines; /* of stderr in this burst */
    char name[MAX_NAME];
    size_t line_len;
    char line[MAX_LINE];
};

static void finish_if_over(struct cl_ws_child *c);

static void on_handle_closed(uv_handle_t *handle)
{
    struct cl_ws_child *c = handle->data;
    struct cl_ws_hub *hub = c->hub;
    c->num_open--;
    if (c->num_open > 0) {
        return;
    }
    LIST_REMOVE(c, link);
    cl_free(c);
    hub->changed(hub->ctx);
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle)) {
        uv_close(handle, on_handle_closed);
    }
}

static void send_signal(struct cl_ws_child *c, int number)
{
    c->signalled = true;
    /* its group: the leader is not reaped yet, so that the number is still its own */
    (void)kill(-c->process.pid, number);
}

/* ---- its output ---- */

static void tell_end(struct cl_ws_child *c)
{
    close_handle((uv_handle_t *)&c->pipes[OUT]);
    if (c->handler != NULL && !c->ended) {
        c->ended = true;
        c->handler->ended(c->ctx);
    }
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct cl_ws_child *c = handle->data;
    size_t len = 0;
    uint8_t *room = c->handler != NULL ? c->handler->room(c->ctx, &len) : NULL;
    *buf = uv_buf_init((char *)room, room != NULL ? (unsigned)len : 0);
}

static void on_output(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct cl_ws_child *c = stream->data;
    if (n == UV_ENOBUFS) {
        cl_ws_child_read(c, false);
    } else if (n < 0) {
        tell_end(c);
    } else if (n > 0) {
        c->handler->output(c->ctx, (size_t)n);
    }
}

void cl_ws_child_read(struct cl_ws_child *c, bool on)
{
    uv_stream_t *out = (uv_stream_t *)&c->pipes[OUT];
    if (c->reading == on || uv_is_closing((uv_handle_t *)out)) {
        return;
    }
    c->reading = on;
    if (on) {
        (void)uv_read_start(out, on_room, on_output);
    } else {
        uv_read_stop(out);
    }
}

/* ---- its stderr ---- */

static void log_lines(struct cl_ws_child *c, bool all)
{
    char *p = c->line;
    char *end = c->line + c->line_len;
    while (p < end) {
        char *newline = memchr(p, '\n', (size_t)(end - p));
        bool whole = newline != NULL || all || (p == c->line && c->line_len == MAX_LINE);
        if (!whole) {
            break;
        }
        c->num_lines++;
        char *stop = newline != NULL ? newline : end;
        cl_log_line(c->hub->errors, "cleat: %s[%d]: %.*s", c->name, c->process.pid, (int)(stop - p),
                    p);
        p = newline != NULL ? newline + 1 : end;
    }
    c->line_len = (size_t)(end - p);
    memmove(c->line, p, c->line_len);
}

static void on_err_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct cl_ws_child *c = handle->data;
    *buf = uv_buf_init(c->line + c->line_len, (unsigned)(MAX_LINE - c->line_len));
}

static void read_err(struct cl_ws_child *c);

static void on_pause_over(uv_timer_t *timer)
{
    read_err(timer->data);
}

static void on_err(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct cl_ws_child *c = stream->data;
    c->line_len += n > 0 ? (size_t)n : 0;
    log_lines(c, n < 0);
    if (n >= 0 && c->num_lines >= MAX_BURST && c->handler != NULL) {
        uv_read_stop(stream);
        uv_timer_start(&c->timer, on_pause_over, PAUSE_MS, 0);
    }
    if (n < 0) {
        close_handle((uv_handle_t *)stream);
        finish_if_over(c);
    }
}

static void read_err(struct cl_ws_child *c)
{
    c->num_lines = 0;
    if (!uv_is_closing((uv_handle_t *)&c->pipes[ERR])) {
        (void)uv_read_start((uv_stream_t *)&c->pipes[ERR], on_err_room, on_err);
    }
}

/* ---- its stdin ---- */

static void on_written(uv_write_t *write, int status)
{
    struct cl_ws_child *c = write->handle->data;
    c->deaf = c->deaf || status != 0;
    if (c->handler != NULL) {
        c->handler->written(c->ctx);
    }
}

bool cl_ws_child_write(struct cl_ws_child *c, const uint8_t *p, size_t len, bool newline)
{
    static char end[] = "\n";
    uv_stream_t *in = (uv_stream_t *)&c->pipes[IN];
    uv_buf_t bufs[2] = {uv_buf_init((char *)(uintptr_t)p, (unsigned)len),
                        uv_buf_init(end, newline)};
    if (c->deaf || len + newline == 0) {
        return true;
    }
    int n = uv_try_write(in, bufs, 2);
    size_t gone = n > 0 ? (size_t)n : 0;
    if (gone == len + newline) {
        return true;
    }
    size_t first = gone < len ? gone : len;
    bufs[0].base += first;
    bufs[0].len -= first;
    bufs[1].len -= gone - first;
    if ((n < 0 && n != UV_EAGAIN) || uv_write(&c->write, in, bufs, 2, on_written) != 0) {
        c->deaf = true; /* it has closed its stdin: what it does not want is not kept */
    }
    return c->deaf;
}

/* ---- its end ---- */

/* Nobody is told any more, and there is no more to log. */
static void finish_if_over(struct cl_ws_child *c)
{
    if (c->exited && c->handler == NULL && uv_is_closing((uv_handle_t *)&c->pipes[ERR])) {
        close_handle((uv_handle_t *)&c->timer);
    }
}

static void on_output_late(uv_timer_t *timer)
{
    struct cl_ws_child *c = timer->data;
    close_handle((uv_handle_t *)&c->pipes[ERR]);
    tell_end(c);
    finish_if_over(c);
}

static void on_exit_of(uv_process_t *process, int64_t status, int number)
{
    struct cl_ws_child *c = process->data;
    c->exited = true;
    bool by_itself = !c->signalled && (c->handler != NULL || c->ended);
    if (number != 0 && by_itself) {
        cl_log_line(c->hub->errors, "cleat: %s[%d]: ended by signal %d", c->name, process->pid,
                    number);
    } else if (status != 0 && by_itself) {
        cl_log_line(c->hub->errors, "cleat: %s[%d]: exit status %lld", c->name, process->pid,
                    (long long)status);
    }
    close_handle((uv_handle_t *)process);
    atomic_fetch_sub(&c->hub->server->num_processes, 1);
    /* what it has started: as long as there is any of it, the group's number is taken */
    (void)kill(-process->pid, SIGTERM);
    uv_timer_start(&c->timer, on_output_late, CL_WS_CHILD_OUTPUT_MS, 0);
    finish_if_over(c);
}

static void on_term_over(uv_timer_t *timer)
{
    struct cl_ws_child *c = timer->data;
    cl_log_line(c->hub->errors, "cleat: %s[%d]: did not end on SIGTERM: SIGKILL", c->name,
                c->process.pid);
    send_signal(c, SIGKILL);
}

static void on_eof_over(uv_timer_t *timer)
{
    send_signal(timer->data, SIGTERM);
    uv_timer_start(timer, on_term_over, CL_WS_CHILD_TERM_MS, 0);
}

void cl_ws_child_end(struct cl_ws_child *c)
{
    if (c == NULL) {
        return;
    }
    c->handler = NULL;
    read_err(c);
    close_handle((uv_handle_t *)&c->pipes[IN]);
    close_handle((uv_handle_t *)&c->pipes[OUT]);
    if (!c->exited) {
        uv_timer_start(&c->timer, on_eof_over, CL_WS_CHILD_EOF_MS, 0);
    }
    finish_if_over(c);
}

void cl_ws_child_kill(struct cl_ws_child *c)
{
    if (!c->exited) {
        send_signal(c, SIGKILL);
    }
}

/* ---- its beginning ---- */

/* Real pipes: what libuv would make are sockets, which programs cannot open as /dev/stdout. */
static int open_pipe(struct cl_ws_child *c, int which, uv_loop_t *loop, uv_file *out_theirs)
{
    uv_file ends[2];
    bool to_child = which == IN;
    int status = uv_pipe_init(loop, &c->pipes[which], 0);
    c->pipes[which].data = c;
    c->num_open++;
    *out_theirs = -1;
    if (status == 0) {
        status = uv_pipe(ends, to_child ? 0 : UV_NONBLOCK_PIPE, to_child ? UV_NONBLOCK_PIPE : 0);
    }
    if (status != 0) {
        return status;
    }
    *out_theirs = ends[to_child ? 0 : 1];
    status = uv_pipe_open(&c->pipes[which], ends[to_child ? 1 : 0]);
    if (status != 0) {
        close(ends[to_child ? 1 : 0]);
    }
    return status;
}

static int spawn(struct cl_ws_child *c, const struct cl_ws_child_spec *spec, const uv_file *theirs)
{
    uv_stdio_container_t stdio[NUM_PIPES];
    for (int i = 0; i < NUM_PIPES; i++) {
        stdio[i].flags = UV_INHERIT_FD;
        stdio[i].data.fd = theirs[i];
    }
    const uv_process_options_t options = {
        .file = spec->argv[0],
        .args = spec->argv,
        .env = spec->env,
        .exit_cb = on_exit_of,
        .flags = UV_PROCESS_DETACHED, /* a session, and so a group, of its own */
        .stdio_count = NUM_PIPES,
        .stdio = stdio,
    };
    c->process.data = c;
    c->num_open++;
    int status = uv_spawn(c->hub->loop, &c->process, &options);
    c->exited = status != 0;
    return status;
}

int cl_ws_child_new(struct cl_ws_hub *hub, const struct cl_ws_child_spec *spec,
                    struct cl_ws_child **out)
{
    uv_file theirs[NUM_PIPES] = {-1, -1, -1};
    struct cl_ws_child *c = cl_calloc(1, sizeof(*c));
    if (c == NULL) {
        return UV_ENOMEM;
    }
    c->hub = hub;
    c->handler = spec->handler;
    c->ctx = spec->ctx;
    (void)snprintf(c->name, sizeof(c->name), "%s", spec->name);
    LIST_INSERT_HEAD(&hub->children, c, link);
    uv_timer_init(hub->loop, &c->timer);
    c->timer.data = c;
    c->num_open++;
    int status = 0;
    for (int i = 0; i < NUM_PIPES; i++) {
        int code = open_pipe(c, i, hub->loop, &theirs[i]);
        status = status == 0 ? code : status;
    }
    status = status == 0 ? spawn(c, spec, theirs) : status;
    for (int i = 0; i < NUM_PIPES; i++) {
        if (theirs[i] >= 0) {
            close(theirs[i]);
        }
    }
    if (status != 0) {
        c->exited = true;
        if (c->process.data != NULL) {
            close_handle((uv_handle_t *)&c->process);
        }
        close_handle((uv_handle_t *)&c->pipes[ERR]);
        cl_ws_child_end(c);
        return status;
    }
    read_err(c);
    cl_ws_child_read(c, true);
    *out = c;
    return 0;
}

void cl_ws_children_kill(struct cl_ws_hub *hub)
{
    struct cl_ws_child *c;
    LIST_FOREACH(c, &hub->children, link)
    {
        cl_ws_child_kill(c);
    }
}
