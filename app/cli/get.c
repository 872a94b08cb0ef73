/* cli/get.c - the command `cleat get`: an HTTPS client with curl's flags and exit codes. */
#include <signal.h>
#include <stdio.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/client_explain.h"
#include "cli/get_codes.h"
#include "cli/get_done.h"
#include "cli/get_print_curl.h"
#include "cli/get_progress.h"
#include "cli/get_transfer.h"

/* The message of a failure: what happened, then what it is called and where it stands, then what to
 * do about it. */
static void report(const struct get_options *o, int code, const struct cleat_error *error)
{
    if (code == 0 || (o->silent && !o->show_error)) {
        return;
    }
    (void)fprintf(stderr, "cleat: (%d) %s\n", code,
                  error->text[0] != '\0' ? error->text : cleat_error_sentence(error->code));
    client_tell_detail(error, code == GET_EXIT_VERIFY);
}

/* ---- the transfers of one run ---- */

struct run {
    struct get_session session;
    TAILQ_HEAD(, get_transfer) transfers; /* under way */
    size_t num_running;
    size_t next; /* URL to begin */
    struct get_progress progress;
    int code;
};

static void begin_next(struct run *r)
{
    const struct get_options *o = r->session.options;
    const size_t i = r->next++;
    bool remote = i < o->outputs.num && o->outputs.items[i] == NULL;
    const char *output = i < o->outputs.num ? o->outputs.items[i] : NULL;
    struct get_transfer *t = cl_calloc(1, sizeof(*t));
    if (t == NULL) {
        r->code = GET_EXIT_NO_MEMORY;
        return;
    }
    t->facts.url_num = (long)i;
    TAILQ_INSERT_TAIL(&r->transfers, t, link);
    r->num_running++;
    get_transfer_begin(t, &r->session, o->urls.items[i], output, remote);
}

static void drop(struct run *r, struct get_transfer *t)
{
    TAILQ_REMOVE(&r->transfers, t, link);
    r->num_running--;
    get_facts_deinit(&t->facts);
    get_transfer_deinit(t);
    cl_free(t);
}

/* As curl: the last one's code counts, in parallel that of the last one that failed; a failure
 * stops nothing. */
static void finish_one(struct run *r, struct get_transfer *t)
{
    const struct get_options *o = r->session.options;
    int code = t->exit_code;
    get_progress_clear(&r->progress);
    r->progress.done++;
    r->progress.bytes += t->out.bytes;
    report(o, code, &t->err);
    code = get_done(o, &t->facts);
    drop(r, t);
    r->code = code != 0 || !o->parallel ? code : r->code;
}

/* Does all that can be done without waiting. False: nothing could. */
static bool step_all(struct run *r)
{
    struct get_transfer *t, *next;
    bool moved = false;
    uint64_t bytes = 0;
    for (t = TAILQ_FIRST(&r->transfers); t != NULL; t = next) {
        next = TAILQ_NEXT(t, link);
        moved = get_transfer_step(t) || moved;
        if (t->state == GET_TRANSFER_DONE) {
            finish_one(r, t);
            moved = true;
        }
    }
    TAILQ_FOREACH(t, &r->transfers, link)
    {
        moved = moved || get_transfer_is_due(t); /* by what came while others were looked at */
        bytes += t->out.bytes;
    }
    get_progress_draw(&r->progress, bytes);
    return moved;
}

/* For those that wait for what will not come. */
static void give_up(struct run *r)
{
    struct get_transfer *t;
    TAILQ_FOREACH(t, &r->transfers, link)
    {
        get_hop_fail(t, GET_EXIT_RECEIVE, "http", (struct cl_why){.code = CLEAT_ERR_INTERNAL},
                     "nothing is left to wait for");
        t->state = GET_TRANSFER_RUNNING;
    }
}

static void run_all(struct run *r)
{
    const struct get_options *o = r->session.options;
    get_progress_init(&r->progress, o);
    const size_t max = o->parallel ? (size_t)o->parallel_max : 1;
    while (r->code != GET_EXIT_NO_MEMORY && (r->num_running > 0 || r->next < o->urls.num)) {
        if (r->num_running < max && r->next < o->urls.num) {
            begin_next(r);
        } else if (!step_all(r) && uv_run(&r->session.client.loop, UV_RUN_ONCE) == 0 &&
                   !step_all(r)) { /* the last event may have been the last there is */
            give_up(r);
        }
    }
    get_progress_clear(&r->progress);
}

static int run(const struct get_options *o)
{
    struct run r = {0};
    struct cleat_error err = {0};
    TAILQ_INIT(&r.transfers);
    r.code = get_session_init(&r.session, o, &err);
    if (r.code != 0) {
        report(o, r.code, &err);
    } else {
        run_all(&r);
    }
    while (!TAILQ_EMPTY(&r.transfers)) { /* memory is short */
        drop(&r, TAILQ_FIRST(&r.transfers));
    }
    get_session_deinit(&r.session);
    return r.code;
}

int cl_cmd_get(int argc, char **argv)
{
    struct get_options o;
    (void)signal(SIGPIPE, SIG_IGN);
    int code = get_options_parse(&o, argc, argv);
    if (code == 0 && o.print_curl) {
        code = get_print_curl(argc, argv, stdout, stderr);
    } else if (code == 0) {
        code = run(&o);
    } else if (code < 0) {
        code = CL_EXIT_OK;
    }
    get_options_deinit(&o);
    return code;
}
