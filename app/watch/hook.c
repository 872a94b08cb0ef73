/* watch/hook.c - see hook.h. A hook lives until libuv has let go of its two handles: the process
 * and the timer.
 */
#include "watch/hook.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

struct cl_watch_hook {
    struct cl_watch_hook_setup setup;
    struct cl_watch_hook_end end;
    uv_process_t process;
    uv_timer_t timer;
    int num_open;
    bool exited;
    bool cancelled;
};

/* ---- the environment ---- */

/* 16: variables of ours */
#define MAX_OURS     16
/* 1 KiB: a name and a message */
#define MAX_VARIABLE 1024

struct env {
    char **items;
    size_t num;
    bool failed;
};

static void add(struct env *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct env *e, const char *fmt, ...)
{
    char text[MAX_VARIABLE];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    char *copy = cl_strndup(text, strlen(text));
    e->failed = e->failed || copy == NULL;
    if (copy != NULL) {
        e->items[e->num++] = copy;
    }
}

static void add_leaf(struct env *e, const struct cl_watch_facts *facts,
                     const struct cleat_cert *leaf)
{
    char until[CL_WATCH_TIME_SIZE], fingerprint[65];
    uint8_t digest[32];
    const int64_t end = cl_cert_not_after(leaf);
    cl_watch_time_text(end, true, until);
    cleat_cert_fingerprint(leaf, digest);
    cl_hex_encode(digest, sizeof(digest), fingerprint);
    add(e, "CLEAT_WATCH_NOT_AFTER=%s", until);
    add(e, "CLEAT_WATCH_NOT_AFTER_UNIX=%" PRId64, end);
    add(e, "CLEAT_WATCH_SECONDS_LEFT=%" PRId64, end - facts->at);
    add(e, "CLEAT_WATCH_FINGERPRINT=%s", fingerprint);
}

static void add_ours(struct env *e, const struct cl_watch_facts *facts,
                     const struct cl_watch_finding *f)
{
    const struct cl_watch_side *side = f->side != NULL ? f->side : cl_watch_shown(facts);
    add(e, "CLEAT_WATCH_TARGET=%s", facts->name);
    add(e, "CLEAT_WATCH_FINDING=%s", cl_watch_kind(f->kind)->id);
    add(e, "CLEAT_WATCH_MESSAGE=%s", f->text);
    add(e, "CLEAT_WATCH_HINT=%s", f->hint);
    add(e, "CLEAT_WATCH_FILE=%s", facts->file != NULL ? facts->file : "");
    add(e, "CLEAT_WATCH_HOST=%s", facts->host != NULL ? facts->host : "");
    add(e, "CLEAT_WATCH_ADDRESS=%s", side != NULL ? side->address : "");
    if (side != NULL && cl_watch_leaf(side) != NULL) {
        add_leaf(e, facts, cl_watch_leaf(side));
    }
}

char **cl_watch_hook_env(const struct cl_watch_facts *facts, const struct cl_watch_finding *finding)
{
    static const char ours[] = "CLEAT_WATCH_";
    struct env e = {0};
    size_t num = 0;
    while (environ[num] != NULL) {
        num++;
    }
    e.items = cl_calloc(num + MAX_OURS + 1, sizeof(*e.items));
    if (e.items == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < num; i++) {
        char *copy = strncmp(environ[i], ours, sizeof(ours) - 1) != 0
                         ? cl_strndup(environ[i], strlen(environ[i]))
                         : NULL;
        if (copy != NULL) {
            e.items[e.num++] = copy;
        }
    }
    add_ours(&e, facts, finding);
    if (e.failed) {
        cl_watch_hook_env_free(e.items);
        return NULL;
    }
    return e.items;
}

void cl_watch_hook_env_free(char **env)
{
    for (size_t i = 0; env != NULL && env[i] != NULL; i++) {
        cl_free(env[i]);
    }
    cl_free(env);
}

/* ---- the process ---- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct cl_watch_hook *h = handle->data;
    h->num_open--;
    if (h->num_open > 0) {
        return;
    }
    const struct cl_watch_hook_setup setup = h->setup;
    const struct cl_watch_hook_end end = h->end;
    const bool tell = !h->cancelled;
    cl_free(h);
    if (tell) {
        setup.done(setup.ctx, &end);
    }
}

static void close_all(struct cl_watch_hook *h)
{
    uv_close((uv_handle_t *)&h->timer, on_handle_closed);
    uv_close((uv_handle_t *)&h->process, on_handle_closed);
}

static void on_exit_of(uv_process_t *process, int64_t status, int number)
{
    struct cl_watch_hook *h = process->data;
    h->exited = true;
    h->end.exit_code = number != 0 ? -1 : (int)status;
    h->end.signal = number;
    close_all(h);
}

/* Its group: the leader is not reaped yet, so that the number is still its own. */
static void on_kill(uv_timer_t *timer)
{
    struct cl_watch_hook *h = timer->data;
    (void)kill(-h->process.pid, SIGKILL);
}

static void ask_to_end(struct cl_watch_hook *h)
{
    (void)kill(-h->process.pid, SIGTERM);
    (void)uv_timer_start(&h->timer, on_kill, CL_WATCH_HOOK_KILL_MS, 0);
}

static void on_timeout(uv_timer_t *timer)
{
    struct cl_watch_hook *h = timer->data;
    h->end.timed_out = true;
    ask_to_end(h);
}

void cl_watch_hook_cancel(struct cl_watch_hook *h)
{
    if (h != NULL && !h->cancelled) {
        h->cancelled = true;
        if (!h->exited && h->end.error == 0) {
            ask_to_end(h);
        }
    }
}

static int spawn(struct cl_watch_hook *h, char **env)
{
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
        {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
    };
    const uv_process_options_t options = {
        .file = h->setup.argv[0],
        .args = h->setup.argv,
        .env = env,
        .exit_cb = on_exit_of,
        .flags = UV_PROCESS_DETACHED, /* a group of its own */
        .stdio_count = 3,
        .stdio = stdio,
    };
    return uv_spawn(h->setup.loop, &h->process, &options);
}

cl_result cl_watch_hook_new(const struct cl_watch_hook_setup *setup, struct cl_watch_hook **out)
{
    char **env = cl_watch_hook_env(setup->facts, setup->finding);
    struct cl_watch_hook *h = cl_calloc(1, sizeof(*h));
    if (env == NULL || h == NULL) {
        cl_watch_hook_env_free(env);
        cl_free(h);
        return CLEAT_ERR_NOMEM;
    }
    h->setup = *setup;
    h->process.data = h;
    h->num_open = 2;
    (void)uv_timer_init(setup->loop, &h->timer);
    h->timer.data = h;
    h->end.error = spawn(h, env);
    cl_watch_hook_env_free(env);
    if (h->end.error != 0) {
        close_all(h);
    } else {
        (void)uv_timer_start(&h->timer, on_timeout, setup->timeout_ms, 0);
    }
    *out = h;
    return CL_OK;
}
