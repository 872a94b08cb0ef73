/* cli/cert_watch.c - `cleat cert watch`: looks at certificates, once or again and again; tells, and
 * acts.
 *
 * A round: look at every target (watch/round.h), judge (watch/findings.h), print, write the series,
 * run hooks; then the end, or the timer of the next.
 */
#include "cli/cert_watch.h"

#include <signal.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"
#include "cli/cert.h"
#include "cli/cert_watch_hooks.h"
#include "cli/client.h"
#include "cli/client_tls.h"
#include "net/clock.h"
#include "net/save.h"
#include "net/timer.h"
#include "watch/page.h"

struct watch {
    struct cert_watch_ask ask;
    struct cert_watch_targets targets;
    struct client client;
    struct cl_watch_findings *findings; /* one for each target */
    struct cl_watch_report *reports;
    struct cl_watch_fetching fetching;
    bool fetches;
    struct cl_watch_round *round;
    struct cl_watch_page *page;
    struct cl_timer *timer;
    struct cert_watch_hooks hooks;
    uv_signal_t signals[2];
    bool has_signals;
    uint64_t shape; /* of what was printed last */
    bool printed;
    bool over;
    int code;
};

static int complain(const struct cleat_error *err, int code)
{
    (void)fprintf(stderr, "cleat cert watch: %s\n", err->text);
    if (err->hint[0] != '\0') {
        (void)fprintf(stderr, "  hint: %s\n", err->hint);
    }
    return code;
}

static int no_memory(void)
{
    (void)fputs("cleat cert watch: out of memory\n", stderr);
    return CERT_WATCH_UNCHECKED;
}

/* ---- what is told ---- */

static int exit_code(const struct watch *w)
{
    int code = CERT_WATCH_FINE;
    for (size_t i = 0; i < w->targets.num; i++) {
        const enum cl_watch_severity worst = cl_watch_worst(&w->findings[i]);
        if (worst >= CL_WATCH_WARNING) {
            return CERT_WATCH_FOUND;
        }
        code = worst == CL_WATCH_UNCHECKED ? CERT_WATCH_UNCHECKED : code;
    }
    return code;
}

/* Changes when another table is worth printing: another leaf, another finding. FNV-1a: no more than
 * a look whether something is different. */
static uint64_t shape_of(const struct watch *w)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < w->targets.num; i++) {
        const struct cl_watch_side *side = cl_watch_shown(&w->targets.items[i].facts);
        uint8_t digest[32] = {0};
        if (side != NULL) {
            cleat_cert_fingerprint(cl_watch_leaf(side), digest);
        }
        for (size_t n = 0; n < sizeof(digest); n++) {
            hash = (hash ^ digest[n]) * 0x100000001b3u;
        }
        for (size_t n = 0; n < w->findings[i].num; n++) {
            hash = (hash ^ (uint64_t)w->findings[i].items[n].kind) * 0x100000001b3u;
        }
        hash = (hash ^ 0xff) * 0x100000001b3u;
    }
    return hash;
}

static struct cert_watch_news news_of(const struct watch *w)
{
    return (struct cert_watch_news){.reports = w->reports,
                                    .num = w->targets.num,
                                    .at = (int64_t)(cl_clock_unix_ms() / 1000),
                                    .exit_code = exit_code(w),
                                    .quiet = w->ask.quiet,
                                    .hooks = w->hooks.notes,
                                    .num_hooks = w->hooks.num_notes};
}

/* A table that says what the last one said is not printed again. */
static void print(struct watch *w)
{
    const uint64_t shape = shape_of(w);
    if (!w->printed || shape != w->shape) {
        const struct cert_watch_news news = news_of(w);
        cert_watch_print(&news, stdout);
        w->shape = shape;
        w->printed = true;
    }
}

/* 0644: the collector runs as somebody else */
#define TEXTFILE_MODE 0644

static void export(struct watch *w)
{
    struct cl_buf text = {0};
    struct cleat_error err = {0};
    cl_result r = cl_watch_series(&text, w->reports, w->targets.num);
    if (r == CL_OK && w->ask.textfile != NULL) {
        const int failure = cl_save_path(w->ask.textfile, cl_buf_view(&text), TEXTFILE_MODE);
        r = failure == 0 ? CL_OK
                         : cl_error_set(&err, (struct cl_why){.code = CLEAT_ERR_SYSTEM},
                                        "cannot write %s: %s", w->ask.textfile, strerror(failure));
    }
    if (r != CL_OK) {
        (void)fprintf(stderr, "cleat cert watch: %s\n",
                      err.code != 0 ? err.text : cleat_error_sentence((int)r));
        w->code = w->code == CERT_WATCH_FINE ? CERT_WATCH_UNCHECKED : w->code;
    }
    if (w->page != NULL && text.len != 0) {
        cl_watch_page_set(w->page, &text);
    }
    cl_buf_deinit(&text);
}

/* ---- rounds ---- */

/* A tenth more or less: who watches from many machines does not come with all of them at once. */
static uint64_t pause_ms(const struct watch *w)
{
    const uint64_t ms = (uint64_t)w->ask.interval * 1000, range = ms / 5;
    uint32_t random = UINT32_MAX / 2; /* without: no jitter */
    (void)getrandom(&random, sizeof(random), GRND_NONBLOCK);
    return ms - range / 2 + range * random / UINT32_MAX;
}

static void on_hooks_done(void *ctx)
{
    struct watch *w = ctx;
    if (w->ask.json) {
        const struct cert_watch_news news = news_of(w);
        cert_watch_json(&news, stdout);
    }
    if (w->ask.interval == 0) {
        w->over = true;
    } else {
        cl_timer_set(w->timer, pause_ms(w));
    }
}

static void on_round(void *ctx)
{
    struct watch *w = ctx;
    w->round = NULL;
    for (size_t i = 0; i < w->targets.num; i++) {
        cl_watch_judge(&w->targets.items[i].facts, &w->ask.limits, &w->findings[i]);
    }
    w->code = exit_code(w);
    if (!w->ask.json) {
        print(w);
    }
    if (w->ask.textfile != NULL || w->page != NULL) {
        export(w);
    }
    cert_watch_hooks_run(&w->hooks, w->reports, w->targets.num, on_hooks_done, w);
}

static void begin_round(void *ctx)
{
    struct watch *w = ctx;
    const struct cl_watch_setup setup = {
        .hub = w->client.hub,
        .dns = w->client.dns,
        .tls = w->client.config,
        .judges = {.trust = w->client.trust, .revocation = &w->client.revocation.options},
        .fetching = w->fetches ? &w->fetching : NULL,
        .targets = w->targets.items,
        .num_targets = w->targets.num,
        .family = w->ask.client.family,
        .parallel = (unsigned)w->ask.parallel,
        .timeout_ms = w->ask.client.connect_timeout_ms != 0
                          ? (uint32_t)w->ask.client.connect_timeout_ms
                          : CERT_WATCH_TIMEOUT_MS,
        .all_addresses = w->ask.all_addresses,
        .done = on_round,
        .ctx = w,
    };
    for (size_t i = 0; i < w->targets.num; i++) {
        cl_watch_findings_deinit(&w->findings[i]); /* they point into the facts */
    }
    if (cl_watch_round_new(&setup, &w->round) != CL_OK) {
        w->code = no_memory();
        w->over = w->ask.interval == 0;
        cl_timer_set(w->timer, pause_ms(w));
    }
}

/* ---- beginning and end ---- */

static void on_signal(uv_signal_t *handle, int number)
{
    struct watch *w = handle->data;
    w->code = CERT_WATCH_FINE; /* asked to end, it ends well */
    w->over = true;
}

static void open_signals(struct watch *w)
{
    static const int numbers[] = {SIGTERM, SIGINT};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        (void)uv_signal_init(&w->client.loop, &w->signals[i]);
        w->signals[i].data = w;
        (void)uv_signal_start(&w->signals[i], on_signal, numbers[i]);
    }
    w->has_signals = true;
}

static int open_page(struct watch *w, struct cleat_error *err)
{
    char text[CL_ADDR_TEXT_SIZE];
    if (!w->ask.has_listen) {
        return 0;
    }
    if (cl_watch_page_new(w->client.hub, &w->ask.listen, &w->page, err) != CL_OK) {
        return complain(err, CERT_WATCH_UNCHECKED);
    }
    cl_addr_format_port(&w->ask.listen, text);
    (void)fprintf(stderr, "cleat cert watch: listening on http://%s/metrics\n", text);
    return 0;
}

/* What certificates point at is fetched after the handshake, which is not to wait for it. */
static int open_fetching(struct watch *w, struct cleat_error *err)
{
    struct client *c = &w->client;
    const uint64_t ms = w->ask.client.revocation_timeout_ms;
    w->fetches = c->revocation.fetch || w->ask.client.aia;
    int code = w->fetches ? client_evidence_open(&c->evidence, err) : 0;
    w->fetching = (struct cl_watch_fetching){
        .how = {.hub = c->hub,
                .dns = c->dns,
                .tls = c->evidence.https,
                .timeout_ms = ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms},
        .cache = c->evidence.cache,
        .revocation = c->revocation.fetch,
        .aia = w->ask.client.aia,
    };
    return code;
}

/* Every peer is accepted: judging is ours. */
static int open_client(struct watch *w, struct cleat_error *err)
{
    w->ask.client.insecure = true;
    w->ask.client.no_sessions = true; /* a session resumed shows no certificate */
    int code = client_init(&w->client, &w->ask.client, err);
    if (code == 0 && w->client.trust == NULL) {
        code = client_tls_trust(&w->ask.client, &w->client.trust, err); /* says why */
    }
    code = code == 0 ? open_fetching(w, err) : code;
    return code == 0 ? 0 : complain(err, CERT_WATCH_USAGE);
}

static int open_reports(struct watch *w)
{
    w->findings = cl_calloc(w->targets.num, sizeof(*w->findings));
    w->reports = cl_calloc(w->targets.num, sizeof(*w->reports));
    if (w->findings == NULL || w->reports == NULL ||
        cl_timer_new(&w->client.loop, begin_round, w, &w->timer) != CL_OK ||
        cert_watch_hooks_new(&w->hooks, &w->client.loop, &w->ask) != CL_OK) {
        return no_memory();
    }
    for (size_t i = 0; i < w->targets.num; i++) {
        w->reports[i] = (struct cl_watch_report){&w->targets.items[i].facts, &w->findings[i]};
    }
    return 0;
}

static void close_all(struct watch *w)
{
    cl_watch_round_cancel(w->round);
    cert_watch_hooks_stop(&w->hooks);
    cl_watch_page_free(w->page);
    cl_timer_free(w->timer);
    for (size_t i = 0; w->has_signals && i < 2; i++) {
        uv_close((uv_handle_t *)&w->signals[i], NULL);
    }
    if (w->client.options != NULL) {
        client_deinit(&w->client); /* runs the loop until all of them are gone */
    }
    cert_watch_hooks_deinit(&w->hooks);
    for (size_t i = 0; w->findings != NULL && i < w->targets.num; i++) {
        cl_watch_findings_deinit(&w->findings[i]);
    }
    cl_free(w->findings);
    cl_free(w->reports);
    cert_watch_targets_deinit(&w->targets);
}

static int run(struct watch *w)
{
    struct cleat_error err = {0};
    int code = cert_watch_targets_new(&w->targets, &w->ask);
    code = code == 0 ? open_client(w, &err) : code;
    code = code == 0 ? open_reports(w) : code;
    code = code == 0 ? open_page(w, &err) : code;
    if (code == 0) {
        if (w->ask.interval != 0) {
            open_signals(w);
        }
        begin_round(w);
        while (!w->over && uv_run(&w->client.loop, UV_RUN_ONCE) != 0) {
        }
        code = w->code;
    }
    close_all(w);
    return code;
}

int cert_watch_run(int argc, char **argv)
{
    struct watch *w = cl_calloc(1, sizeof(*w));
    if (w == NULL) {
        return no_memory();
    }
    int code = cert_watch_parse(&w->ask, argc, argv);
    if (code == 0 && w->ask.help) {
        cert_watch_help(stdout);
    } else if (code == 0) {
        code = run(w);
    }
    cert_watch_ask_deinit(&w->ask);
    cl_free(w);
    return code;
}
