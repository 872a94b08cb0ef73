/* watch/round.c - see round.h. A job is a host to be looked up, an address to be connected to, or a
 * file's chain; in the end of the latter two what is missing to judge it is fetched. Jobs wait in a
 * list until there is room for them.
 */
#include "watch/round.h"

#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#include "base/mem.h"
#include "cleat/tls_options.h"
#include "net/clock.h"
#include "net/timer.h"

struct job {
    TAILQ_ENTRY(job) link;
    struct cl_watch_round *round;
    struct cl_watch_target *target;
    struct cl_watch_side *side;   /* NULL: look the host up */
    char host[CL_ADDR_TEXT_SIZE]; /* an address; "": the target's host */
    uint64_t started;
    struct cl_dial *dial;
    struct cl_dns_query *query;
    struct cl_gather *gather;
    bool from_public; /* connected to an address of the whole internet */
};
TAILQ_HEAD(job_list, job);

struct cl_watch_round {
    struct cl_watch_setup setup;
    struct job_list waiting, running;
    size_t num_running;
    struct cl_timer *timer; /* the end comes from the loop, also when there is nothing to do */
};

static void pump(struct cl_watch_round *r);

static void free_jobs(struct job_list *list)
{
    struct job *job;
    while ((job = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, job, link);
        cl_dial_cancel(job->dial);
        cl_dns_cancel(job->query);
        cl_gather_cancel(job->gather);
        cl_free(job);
    }
}

void cl_watch_round_cancel(struct cl_watch_round *r)
{
    if (r != NULL) {
        free_jobs(&r->waiting);
        free_jobs(&r->running);
        cl_timer_free(r->timer);
        cl_free(r);
    }
}

static void finish_job(struct job *job)
{
    struct cl_watch_round *r = job->round;
    TAILQ_REMOVE(&r->running, job, link);
    r->num_running--;
    cl_free(job);
    pump(r);
}

static void fail_side(struct cl_watch_side *side, enum cl_watch_reach reach, cl_result code,
                      const char *hint, const char *why)
{
    side->reach = reach;
    (void)cl_error_set(&side->error, (struct cl_why){.code = code, .hint = hint}, "%s", why);
}

/* ---- what is missing ---- */

static void note_failures(struct cl_watch_side *side, const struct cl_gathered *result)
{
    for (size_t i = 0; i < result->num_notes; i++) {
        const struct cl_gather_note *n = &result->notes[i];
        if (n->failed && side->not_fetched[0] == '\0') {
            (void)snprintf(side->not_fetched, sizeof(side->not_fetched), "%s for %.60s: %.300s",
                           cl_gather_kind_name(n->kind), n->about, n->text);
        }
    }
}

static void on_gathered(void *ctx, const struct cl_gathered *result)
{
    struct job *job = ctx;
    struct cl_watch_side *side = job->side;
    job->gather = NULL;
    note_failures(side, result);
    cl_result r =
        cl_watch_look_over(&job->target->facts, side, &job->round->setup.judges, &result->evidence);
    if (r != CL_OK) {
        fail_side(side, side->on_disk ? CL_WATCH_UNREADABLE : CL_WATCH_NO_HANDSHAKE, r, NULL,
                  cleat_error_sentence((int)r));
    }
    finish_job(job);
}

/* True: the job goes on. What cannot be begun is as if nothing had come. */
static bool begin_gather(struct job *job)
{
    const struct cl_watch_setup *s = &job->round->setup;
    const struct cl_watch_facts *f = &job->target->facts;
    if (s->fetching == NULL || job->side->reach != CL_WATCH_SEEN) {
        return false;
    }
    struct cl_gather_spec spec = {
        .how = s->fetching->how,
        .cache = s->fetching->cache,
        .verify = cl_watch_options(f, job->side, &s->judges),
        .chain = job->side->chain,
        .aia = s->fetching->aia,
        .aia_public_only = job->from_public,
        .done = on_gathered,
        .ctx = job,
    };
    if (!s->fetching->revocation) {
        spec.verify.revocation = CLEAT_REVOCATION_OFF;
    }
    return cl_gather_start(&spec, &job->gather) == CL_OK;
}

/* ---- one connection ---- */

/* The peer is not trusted here: its chain is all that is wanted. */
static void on_decide(void *ctx, struct cleat_tls *tls)
{
    const struct job *job = ctx;
    struct cl_watch_side *side = job->side;
    struct cl_rd der[CL_CHAIN_MAX];
    size_t num = 0, len;
    while (num < CL_CHAIN_MAX &&
           cleat_tls_peer_cert(tls, num, &der[num].p, &der[num].len) == CLEAT_OK) {
        num++;
    }
    const uint8_t *staple = cleat_tls_peer_staple(tls, &len);
    cl_result r = cl_chain_from_der(&side->chain, der, num, &side->error);
    if (r == CL_OK && staple != NULL) {
        r = cl_buf_append(&side->staple, staple, len, len);
    }
    if (r == CL_OK) {
        r = cl_watch_look_over(&job->target->facts, side, &job->round->setup.judges, NULL);
    }
    if (r == CL_OK) {
        side->reach = CL_WATCH_SEEN;
    } else if (side->error.code == 0) {
        fail_side(side, CL_WATCH_NO_HANDSHAKE, r, NULL, cleat_error_sentence((int)r));
    }
    (void)cleat_tls_accept_peer(tls);
}

static void on_closed(void *ctx, const struct cl_stream_end *end)
{
}

static const struct cl_stream_handler handler = {.closed = on_closed};

static void on_dialled(void *ctx, const struct cl_dial_result *result)
{
    static const enum cl_watch_reach reaches[] = {
        [CL_DIAL_DNS] = CL_WATCH_NO_ADDRESS,          [CL_DIAL_TCP] = CL_WATCH_NO_CONNECTION,
        [CL_DIAL_PROXY_TLS] = CL_WATCH_NO_CONNECTION, [CL_DIAL_PROXY] = CL_WATCH_NO_CONNECTION,
        [CL_DIAL_TLS] = CL_WATCH_NO_HANDSHAKE,        [CL_DIAL_DONE] = CL_WATCH_NO_HANDSHAKE};
    struct job *job = ctx;
    struct cl_watch_side *side = job->side;
    struct cleat_tls_info info;
    side->duration_us = cl_clock_mono_us() - job->started;
    if (result->times.tcp != 0) {
        cl_addr_format_port(&result->peer, side->address);
        job->from_public = cl_addr_is_public(&result->peer);
    }
    if (result->stage == CL_DIAL_DONE) {
        side->completed = true;
        if (cleat_tls_info(result->tls, &info) == CLEAT_OK) {
            side->version = info.version;
        }
        cl_stream_close(result->stream);
    } else if (side->error.code == 0) {
        side->error = result->error;
    }
    if (side->reach != CL_WATCH_SEEN) {
        side->reach = reaches[result->stage];
        if (side->error.code == 0) {
            fail_side(side, side->reach, CLEAT_ERR_NO_CERTIFICATE,
                      "the server has authenticated itself without a certificate",
                      "the server sent no certificate");
        }
    }
    job->dial = NULL;
    if (!begin_gather(job)) {
        finish_job(job);
    }
}

static cl_result begin_dial(struct job *job)
{
    const struct cl_watch_setup *s = &job->round->setup;
    const struct cl_dial_spec spec = {
        .hub = s->hub,
        .dns = s->dns,
        .trace = s->trace,
        .host = job->host[0] != '\0' ? job->host : job->target->connect_host,
        .port = job->target->connect_port,
        .family = s->family,
        .timeout_ms = s->timeout_ms,
        .tls = s->tls,
        .server_name = job->target->facts.host,
        .handler = &handler,
        .ctx = job,
        .done = on_dialled,
        .decide = on_decide,
    };
    return cl_dial(&spec, &job->dial);
}

/* ---- every address of a host ---- */

static cl_result add_job(struct cl_watch_round *r, struct cl_watch_target *target,
                         struct cl_watch_side *side, struct job **out)
{
    struct job *job = cl_calloc(1, sizeof(*job));
    if (job == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    job->round = r;
    job->target = target;
    job->side = side;
    TAILQ_INSERT_TAIL(&r->waiting, job, link);
    *out = job;
    return CL_OK;
}

static struct cl_watch_side *new_side(struct cl_watch_target *target)
{
    struct cl_watch_facts *f = &target->facts;
    return f->num_served < f->max_served ? &f->served[f->num_served++] : NULL;
}

static void on_answer(void *ctx, const struct cl_dns_answer *answer)
{
    struct job *job = ctx, *next;
    struct cl_watch_facts *f = &job->target->facts;
    for (size_t i = 0; i < answer->num && f->num_served < f->max_served; i++) {
        struct cl_watch_side *side = new_side(job->target);
        if (add_job(job->round, job->target, side, &next) == CL_OK) {
            cl_addr_format(&answer->addrs[i], next->host);
        } else {
            fail_side(side, CL_WATCH_NO_CONNECTION, CLEAT_ERR_NOMEM, NULL, "out of memory");
        }
    }
    if (!answer->last) {
        return;
    }
    job->query = NULL;
    if (f->num_served == 0) {
        struct cl_watch_side *side = new_side(job->target);
        const struct cl_why why = {.code = CLEAT_ERR_SYSTEM,
                                   .hint = answer->failed ? "check the network and the name servers"
                                                          : "check the spelling of the host name"};
        side->reach = CL_WATCH_NO_ADDRESS;
        (void)cl_error_set(&side->error, why, "could not resolve host %s: %s",
                           job->target->connect_host,
                           answer->reason != NULL ? answer->reason : "it has no address");
    }
    finish_job(job);
}

static cl_result begin_lookup(struct job *job)
{
    const struct cl_watch_setup *s = &job->round->setup;
    const struct cl_dns_spec spec = {
        .host = job->target->connect_host,
        .port = job->target->connect_port,
        .kinds = s->family == AF_INET    ? CL_DNS_A
                 : s->family == AF_INET6 ? CL_DNS_AAAA
                                         : CL_DNS_A | CL_DNS_AAAA,
        .cb = on_answer,
        .ctx = job,
    };
    return cl_dns_lookup(s->dns, &spec, &job->query);
}

/* ---- all of them ---- */

static void begin(struct job *job)
{
    struct cl_watch_round *r = job->round;
    job->started = cl_clock_mono_us();
    if (job->side != NULL && job->side->on_disk) {
        if (begin_gather(job)) {
            return;
        }
    } else {
        const cl_result code = job->side != NULL ? begin_dial(job) : begin_lookup(job);
        if (code == CL_OK) {
            return;
        }
        struct cl_watch_side *side = job->side != NULL ? job->side : new_side(job->target);
        fail_side(side, CL_WATCH_NO_CONNECTION, code, NULL, cleat_error_sentence((int)code));
    }
    TAILQ_REMOVE(&r->running, job, link);
    r->num_running--;
    cl_free(job);
}

/* Begins what there is room for; the end is told by the timer, from the loop. */
static void pump(struct cl_watch_round *r)
{
    struct job *job;
    while (r->num_running < r->setup.parallel && (job = TAILQ_FIRST(&r->waiting)) != NULL) {
        TAILQ_REMOVE(&r->waiting, job, link);
        TAILQ_INSERT_TAIL(&r->running, job, link);
        r->num_running++;
        begin(job);
    }
    if (r->num_running == 0) {
        cl_timer_set(r->timer, 0);
    }
}

static void on_end(void *ctx)
{
    struct cl_watch_round *r = ctx;
    void (*done)(void *) = r->setup.done;
    void *done_ctx = r->setup.ctx;
    cl_watch_round_cancel(r);
    done(done_ctx);
}

static cl_result begin_target(struct cl_watch_round *r, struct cl_watch_target *target)
{
    struct cl_watch_facts *f = &target->facts;
    struct job *job;
    cl_watch_facts_reset(f);
    f->at = (int64_t)(cl_clock_unix_ms() / 1000);
    f->many_addresses = r->setup.all_addresses;
    if (f->file != NULL) {
        CL_TRY(cl_watch_read_disk(f, target->key_file, &r->setup.judges));
        CL_TRY(r->setup.fetching != NULL ? add_job(r, target, &f->disk, &job) : CL_OK);
    }
    if (f->host == NULL) {
        return CL_OK;
    }
    CL_TRY(cl_watch_facts_room(f, r->setup.all_addresses ? CL_WATCH_MAX_SIDES : 1));
    return add_job(r, target, r->setup.all_addresses ? NULL : new_side(target), &job);
}

cl_result cl_watch_round_new(const struct cl_watch_setup *setup, struct cl_watch_round **out)
{
    struct cl_watch_round *r = cl_calloc(1, sizeof(*r));
    if (r == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    r->setup = *setup;
    TAILQ_INIT(&r->waiting);
    TAILQ_INIT(&r->running);
    cl_result code = cl_timer_new(cl_hub_loop(setup->hub), on_end, r, &r->timer);
    for (size_t i = 0; code == CL_OK && i < setup->num_targets; i++) {
        code = begin_target(r, &setup->targets[i]);
    }
    if (code != CL_OK) {
        cl_watch_round_cancel(r);
        return code;
    }
    *out = r;
    pump(r);
    return CL_OK;
}
