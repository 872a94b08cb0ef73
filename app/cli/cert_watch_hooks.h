/* cli/cert_watch_hooks.h - which findings a hook is run for, one after the other; and which it has
 * been run for before. */
#ifndef CL_CLI_CERT_WATCH_HOOKS_H
#define CL_CLI_CERT_WATCH_HOOKS_H

#include "cli/cert_watch.h"
#include "watch/hook.h"

struct cert_watch_hooks {
    uv_loop_t *loop;
    const struct cert_watch_ask *ask;
    char **argv; /* of the hook, ends with NULL */
    struct cert_watch_told *told;
    size_t num_told;
    struct cert_watch_hook_note *notes; /* of this round */
    size_t num_notes;
    /* the round under way */
    const struct cl_watch_report *reports;
    size_t num_reports, at_report, at_finding;
    struct cl_watch_hook *running;
    void (*done)(void *ctx);
    void *ctx;
};

/* cert_watch_hooks_new prepares; {0} is safe to deinit. NOMEM. */
CL_MUST cl_result cert_watch_hooks_new(struct cert_watch_hooks *h, uv_loop_t *loop,
                                       const struct cert_watch_ask *ask);

/* cert_watch_hooks_run runs the hook for what is new in these reports, and calls done, perhaps at
 * once. */
void cert_watch_hooks_run(struct cert_watch_hooks *h, const struct cl_watch_report *reports,
                          size_t num, void (*done)(void *ctx), void *ctx);

/* cert_watch_hooks_stop ends the hook that runs; the loop has to run until it is gone. */
void cert_watch_hooks_stop(struct cert_watch_hooks *h);
void cert_watch_hooks_deinit(struct cert_watch_hooks *h);

#endif
