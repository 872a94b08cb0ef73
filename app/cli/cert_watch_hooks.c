/* cli/cert_watch_hooks.c - see cert_watch_hooks.h.
 *
 * A finding is the same as before when target, kind, address and leaf are. What a round does not
 * find any more is forgotten: when it comes back, it is new.
 */
#include "cli/cert_watch_hooks.h"

#include <string.h>

#include "base/mem.h"

struct cert_watch_told {
    const struct cl_watch_facts *facts; /* which target */
    enum cl_watch_kind_id kind;
    char address[CL_ADDR_TEXT_SIZE];
    uint8_t leaf[32];
    bool found; /* in this round */
    bool failed;
};

cl_result cert_watch_hooks_new(struct cert_watch_hooks *h, uv_loop_t *loop,
                               const struct cert_watch_ask *ask)
{
    *h = (struct cert_watch_hooks){.loop = loop, .ask = ask};
    h->argv = cl_calloc(ask->hook.num + 1, sizeof(*h->argv));
    if (h->argv == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    for (size_t i = 0; i < ask->hook.num; i++) {
        h->argv[i] = (char *)(uintptr_t)ask->hook.items[i]; /* execvp's type; nobody writes */
    }
    return CL_OK;
}

void cert_watch_hooks_stop(struct cert_watch_hooks *h)
{
    cl_watch_hook_cancel(h->running);
    h->running = NULL;
}

void cert_watch_hooks_deinit(struct cert_watch_hooks *h)
{
    cl_free(h->argv);
    cl_free(h->told);
    cl_free(h->notes);
    *h = (struct cert_watch_hooks){0};
}

/* ---- what was told before ---- */

static struct cert_watch_told identity(const struct cl_watch_facts *facts,
                                       const struct cl_watch_finding *f)
{
    struct cert_watch_told t = {.facts = facts, .kind = f->kind, .found = true};
    const struct cl_watch_side *side = f->side != NULL ? f->side : cl_watch_shown(facts);
    if (side != NULL) {
        memcpy(t.address, side->address, sizeof(t.address));
        if (cl_watch_leaf(side) != NULL) {
            cleat_cert_fingerprint(cl_watch_leaf(side), t.leaf);
        }
    }
    return t;
}

static struct cert_watch_told *find(struct cert_watch_hooks *h, const struct cert_watch_told *t)
{
    for (size_t i = 0; i < h->num_told; i++) {
        struct cert_watch_told *other = &h->told[i];
        if (other->facts == t->facts && other->kind == t->kind &&
            strcmp(other->address, t->address) == 0 &&
            memcmp(other->leaf, t->leaf, sizeof(t->leaf)) == 0) {
            return other;
        }
    }
    return NULL;
}

/* Whether the hook is to be run for it; from then on it is told. */
static bool is_new(struct cert_watch_hooks *h, const struct cert_watch_told *t)
{
    struct cert_watch_told *known = find(h, t);
    if (known != NULL) {
        const bool again = known->failed && !known->found && h->ask->hook_retry;
        known->found = true;
        return again;
    }
    struct cert_watch_told *grown = cl_realloc(h->told, (h->num_told + 1) * sizeof(*grown));
    if (grown == NULL) {
        return false; /* in the next round, perhaps */
    }
    h->told = grown;
    h->told[h->num_told++] = *t;
    return true;
}

static void forget(struct cert_watch_hooks *h)
{
    size_t num = 0;
    for (size_t i = 0; i < h->num_told; i++) {
        if (h->told[i].found) {
            h->told[num] = h->told[i];
            h->told[num++].found = false;
        }
    }
    h->num_told = num;
}

/* ---- one after the other ---- */

static void next(struct cert_watch_hooks *h);

static const struct cl_watch_report *report_at(const struct cert_watch_hooks *h)
{
    return &h->reports[h->at_report];
}

static void note(struct cert_watch_hooks *h, const struct cl_watch_hook_end *end)
{
    const struct cl_watch_report *report = report_at(h);
    const struct cl_watch_finding *f = &report->findings->items[h->at_finding];
    struct cert_watch_hook_note n = {.target = report->facts->name,
                                     .finding = cl_watch_kind(f->kind)->id,
                                     .exit_code = end->error != 0 ? -1 : end->exit_code};
    if (end->error != 0) {
        (void)snprintf(n.text, sizeof(n.text), "could not be started: %s", uv_strerror(end->error));
    } else if (end->signal != 0) {
        (void)snprintf(n.text, sizeof(n.text), "%sended by signal %d",
                       end->timed_out ? "took too long, " : "", end->signal);
    } else {
        (void)snprintf(n.text, sizeof(n.text), "%sexit code %d",
                       end->timed_out ? "took too long, " : "", end->exit_code);
    }
    const struct cert_watch_told identity_of = identity(report->facts, f);
    struct cert_watch_told *told = find(h, &identity_of);
    if (told != NULL) {
        told->failed = n.exit_code != 0 || end->timed_out;
    }
    if (!h->ask->json) {
        (void)fprintf(stderr, "cleat cert watch: hook %s for %s of %s: %s\n", h->argv[0], n.finding,
                      n.target, n.text);
    }
    struct cert_watch_hook_note *grown = cl_realloc(h->notes, (h->num_notes + 1) * sizeof(n));
    if (grown != NULL) {
        h->notes = grown;
        h->notes[h->num_notes++] = n;
    }
}

static void on_hook(void *ctx, const struct cl_watch_hook_end *end)
{
    struct cert_watch_hooks *h = ctx;
    h->running = NULL;
    note(h, end);
    h->at_finding++;
    next(h);
}

/* False: there is nothing to run for this finding. */
static bool begin(struct cert_watch_hooks *h)
{
    const struct cl_watch_report *report = report_at(h);
    const struct cl_watch_finding *f = &report->findings->items[h->at_finding];
    const struct cl_watch_hook_setup setup = {.loop = h->loop,
                                              .argv = h->argv,
                                              .timeout_ms = (uint64_t)h->ask->hook_seconds * 1000,
                                              .facts = report->facts,
                                              .finding = f,
                                              .done = on_hook,
                                              .ctx = h};
    if (h->ask->hook.num == 0 || (h->ask->hook_on >> f->kind & 1) == 0) {
        return false;
    }
    const struct cert_watch_told identity_of = identity(report->facts, f);
    if (!is_new(h, &identity_of)) {
        return false;
    }
    if (cl_watch_hook_new(&setup, &h->running) != CL_OK) {
        note(h, &(struct cl_watch_hook_end){.error = UV_ENOMEM});
        return false;
    }
    return true;
}

static void next(struct cert_watch_hooks *h)
{
    for (; h->at_report < h->num_reports; h->at_report++, h->at_finding = 0) {
        for (; h->at_finding < report_at(h)->findings->num; h->at_finding++) {
            if (begin(h)) {
                return;
            }
        }
    }
    forget(h);
    h->done(h->ctx);
}

void cert_watch_hooks_run(struct cert_watch_hooks *h, const struct cl_watch_report *reports,
                          size_t num, void (*done)(void *ctx), void *ctx)
{
    h->reports = reports;
    h->num_reports = num;
    h->at_report = h->at_finding = 0;
    h->num_notes = 0;
    h->done = done;
    h->ctx = ctx;
    next(h);
}
