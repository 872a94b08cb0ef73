/* watch/hook.h - a program that is run because of a finding: argv as it was given, no shell; what
 * it is about in its environment; its output on our standard error.
 */
#ifndef CL_WATCH_HOOK_H
#define CL_WATCH_HOOK_H

#include <uv.h>

#include "watch/findings.h"

/* 5 s: from SIGTERM to SIGKILL, for a hook that takes longer than it may */
#define CL_WATCH_HOOK_KILL_MS 5000

/* How a hook came to its end. */
struct cl_watch_hook_end {
    int error;     /* negative libuv code: it could not be started; else 0 */
    int exit_code; /* -1: a signal ended it */
    int signal;
    bool timed_out;
};

struct cl_watch_hook_setup {
    uv_loop_t *loop;
    char **argv; /* ends with NULL; its first is looked up in PATH */
    uint64_t timeout_ms;
    const struct cl_watch_facts *facts;
    const struct cl_watch_finding *finding;
    /* Once, from the loop; the hook is gone by then. */
    void (*done)(void *ctx, const struct cl_watch_hook_end *end);
    void *ctx;
};

struct cl_watch_hook;

/* cl_watch_hook_new starts it. NOMEM; that the program cannot be started, done tells. */
CL_MUST cl_result cl_watch_hook_new(const struct cl_watch_hook_setup *setup,
                                    struct cl_watch_hook **out);

/* cl_watch_hook_cancel asks it and what it has started to end (SIGTERM, then SIGKILL); done is not
 * called; the loop has to run until it is gone. NULL is fine. */
void cl_watch_hook_cancel(struct cl_watch_hook *h);

/* cl_watch_hook_env makes the environment: ours, and CLEAT_WATCH_*; ends with NULL. Freed by
 * cl_watch_hook_env_free. NULL: out of memory. */
char **cl_watch_hook_env(const struct cl_watch_facts *facts,
                         const struct cl_watch_finding *finding);
void cl_watch_hook_env_free(char **env);

#endif
