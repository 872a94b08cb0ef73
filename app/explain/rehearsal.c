/* explain/rehearsal.c - see rehearsal.h. Randomness is the configuration's own: none of it is told.
 */
#include "explain/rehearsal.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cleat/fingerprint.h"
#include "cleat/job.h"
#include "cleat/tls.h"
#include "crypto/job.h"
#include "explain/second_hello.h"
#include "tls/conn.h"
#include "tls/version.h"

/* 256 KiB: a flight with the longest chain that is sent, several times */
#define ANSWER_ROOM  (256 << 10)
/* 64: jobs, decisions and full outputs on the way to an answer; a dozen are usual */
#define MAX_STEPS    64
/* 2^14: the longest fragment of a record (RFC 9846 5.1) */
#define MAX_FRAGMENT 16384

/* access_denied (RFC 9846 6.2) */
#define ALERT_ACCESS_DENIED 49
/* 200: a fingerprint, an entry of a list, and a path that is cut when it is longer */
#define MAX_WHY             200

/* What goes on while the engine runs. */
struct run {
    const struct cl_site *site;
    struct cl_rehearsal *r;
    struct cleat_tls *tls;
    struct cl_buf wire; /* records to be fed */
    uint8_t *answer;
    bool noted; /* the ClientHello was copied */
    cl_result failure;
};

/* ---- what is told ---- */

/* A choice that is made again, after a HelloRetryRequest, replaces the first. */
static struct cl_told *room_for(struct cl_rehearsal *r, enum cl_told_kind kind, const char *what)
{
    for (size_t i = 0; i < r->num_told; i++) {
        if (r->told[i].kind == kind && strcmp(r->told[i].what, what) == 0) {
            return &r->told[i];
        }
    }
    return r->num_told < CL_REHEARSAL_MAX_TOLD ? &r->told[r->num_told++] : NULL;
}

static void tell(struct cl_rehearsal *r, enum cl_told_kind kind, const char *what,
                 const char *value, const char *why)
{
    struct cl_told *t = room_for(r, kind, what);
    if (t != NULL) {
        t->kind = kind;
        (void)snprintf(t->what, sizeof(t->what), "%s", what);
        (void)snprintf(t->value, sizeof(t->value), "%s", value);
        (void)snprintf(t->why, sizeof(t->why), "%s", why);
    }
}

const struct cl_told *cl_rehearsal_find(const struct cl_rehearsal *r, const char *what)
{
    const struct cl_told *found = NULL;
    for (size_t i = 0; i < r->num_told; i++) {
        found = strcmp(r->told[i].what, what) == 0 ? &r->told[i] : found;
    }
    return found;
}

/* ---- the ClientHello, as the engine parsed it ---- */

static const size_t views[] = {
    offsetof(struct cl_client_hello, random),
    offsetof(struct cl_client_hello, session_id),
    offsetof(struct cl_client_hello, suites),
    offsetof(struct cl_client_hello, compression),
    offsetof(struct cl_client_hello, extensions),
    offsetof(struct cl_client_hello, alpn),
    offsetof(struct cl_client_hello, groups),
    offsetof(struct cl_client_hello, key_shares),
    offsetof(struct cl_client_hello, schemes),
    offsetof(struct cl_client_hello, schemes_cert),
    offsetof(struct cl_client_hello, authorities),
    offsetof(struct cl_client_hello, versions),
    offsetof(struct cl_client_hello, client_types),
    offsetof(struct cl_client_hello, server_types),
    offsetof(struct cl_client_hello, compressions),
    offsetof(struct cl_client_hello, cookie),
    offsetof(struct cl_client_hello, ech),
    offsetof(struct cl_client_hello, psk_identities),
    offsetof(struct cl_client_hello, psk_binders),
    offsetof(struct cl_client_hello, point_formats),
    offsetof(struct cl_client_hello, session_ticket),
};

/* The engine's copy goes with its handshake state; its views are turned to ours. */
static void note_hello(struct run *run)
{
    const struct cl_hs *hs = run->tls->hs;
    struct cl_rehearsal *r = run->r;
    if (run->noted || hs == NULL || hs->hello.len == 0) {
        return;
    }
    run->noted = true;
    r->message.len = 0;
    run->failure = cl_buf_append(&r->message, hs->hello.p, hs->hello.len, CL_HS_MAX_HELLO);
    if (run->failure != CL_OK) {
        return;
    }
    r->offer = hs->parsed;
    for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
        struct cl_rd *view = (struct cl_rd *)(void *)((char *)&r->offer + views[i]);
        if (view->p != NULL) {
            *view = cl_rd_of(r->message.p + (view->p - hs->hello.p), view->len);
        }
    }
}

void cl_rehearsal_watch(void *ctx, void *user, const struct cleat_event *event)
{
    struct run *run = user;
    struct cl_rehearsal *r = run->r;
    switch (event->kind) {
    case CLEAT_EVENT_CHOICE:
        tell(r, CL_TOLD_CHOICE, event->choice.what, event->choice.value, event->choice.why);
        break;
    case CLEAT_EVENT_TICKET:
        tell(r, CL_TOLD_TICKET, "session ticket", event->ticket.what, "");
        break;
    case CLEAT_EVENT_WARNING:
        tell(r, CL_TOLD_WARNING, event->warning.what, "", event->warning.text);
        break;
    case CLEAT_EVENT_ALERT:
        (void)snprintf(r->alert_name, sizeof(r->alert_name), "%s", event->alert.name);
        note_hello(run);
        break;
    default:
        break;
    }
}

/* ---- running ---- */

static cl_result put_records(struct cl_buf *wire, struct cl_rd message, uint8_t minor)
{
    struct cl_rd part;
    wire->len = 0;
    while (!cl_rd_done(&message)) {
        const size_t len = message.len < MAX_FRAGMENT ? message.len : MAX_FRAGMENT;
        const uint8_t header[] = {CL_CT_HANDSHAKE, 3, minor, (uint8_t)(len >> 8), (uint8_t)len};
        if (!cl_rd_take(&message, len, &part)) {
            return CLEAT_ERR_INTERNAL;
        }
        CL_TRY(cl_buf_append(wire, header, sizeof(header), CL_HS_MAX_HELLO * 2));
        CL_TRY(cl_buf_append(wire, part.p, part.len, CL_HS_MAX_HELLO * 2));
    }
    return CL_OK;
}

/* As cl_session_decide_hello does: by fingerprint, before anything is computed. */
static cl_result decide_hello(struct run *run)
{
    struct cleat_client_hello hello;
    char why[MAX_WHY];
    char ja4[CLEAT_JA4_LEN + 1];
    size_t len = sizeof(ja4);
    CL_TRY((cl_result)cleat_tls_client_hello(run->tls, &hello));
    if (cleat_fingerprint(CLEAT_JA4, CLEAT_HELLO_TCP, hello.bytes, hello.len, ja4, &len, NULL) !=
        CLEAT_OK) {
        ja4[0] = '\0';
    }
    return (cl_result)(cl_site_lets_in(run->site, ja4, why, sizeof(why))
                           ? cleat_tls_accept_hello(run->tls)
                           : cleat_tls_refuse(run->tls, ALERT_ACCESS_DENIED, why));
}

/* Whatever else a server asks its application is about what comes after the ClientHello. */
static cl_result answer_decision(struct run *run)
{
    return cleat_tls_decision(run->tls) == CLEAT_DECIDE_HELLO
               ? decide_hello(run)
               : (cl_result)cleat_tls_accept_peer(run->tls);
}

static cl_result feed(struct run *run, enum cleat_tls_next *next)
{
    struct cleat_tls_io io = {.in = run->wire.p, .in_len = run->wire.len};
    io.out = run->answer;
    io.out_cap = ANSWER_ROOM;
    for (int i = 0; i < MAX_STEPS; i++) {
        *next = cleat_tls_step(run->tls, &io);
        io.in += io.in_used;
        io.in_len -= io.in_used;
        io.in_used = 0;
        if (*next == CLEAT_TLS_NEEDS_JOB) {
            cleat_job_run(cleat_tls_job(run->tls));
        } else if (*next == CLEAT_TLS_NEEDS_DECISION) {
            CL_TRY(answer_decision(run));
        } else if (*next != CLEAT_TLS_NEEDS_INPUT || io.in_len == 0) {
            return run->failure;
        }
    }
    return CLEAT_ERR_INTERNAL;
}

/* ---- reading off the connection ---- */

static size_t place_of(const struct cleat_tls_config *config, const struct cl_credential *c)
{
    size_t i = 0;
    while (i < config->num_credentials && &config->credentials[i] != c) {
        i++;
    }
    return i;
}

static void read_off(struct cl_rehearsal *r, const struct cleat_tls *tls)
{
    const struct cl_hs *hs = tls->hs;
    r->version = tls->protocol != NULL ? tls->protocol->number : 0;
    r->suite = tls->suite;
    r->group = tls->group;
    r->resumed = tls->resumed;
    r->external_psk = tls->psk != NULL && !tls->resumed;
    if (tls->alpn.len != 0) {
        (void)snprintf(r->alpn, sizeof(r->alpn), "%.*s", (int)tls->alpn.len,
                       (const char *)tls->alpn.p);
    }
    if (hs == NULL) {
        return;
    }
    const bool shows = !tls->resumed && tls->psk == NULL;
    r->credential = shows ? hs->credential : NULL;
    r->credential_at = place_of(tls->config, r->credential);
    r->scheme = cl_rehearsal_find(r, "signature scheme") != NULL ? hs->scheme : NULL;
    r->compression = hs->compression != NULL ? hs->compression->name : NULL;
    r->certificate_wanted = hs->cert_requested;
    r->record_limit = hs->parsed.record_size_limit != 0 ? tls->wr.limit : 0;
}

static bool only_the_client_can_go_on(const struct cleat_tls *tls)
{
    return tls->hs->psk_before_retry || tls->ech_status == CLEAT_ECH_ACCEPTED;
}

static cl_result go_on_after_retry(struct run *run, struct cl_rd first, enum cleat_tls_next *next)
{
    struct cl_buf second = {0};
    const struct cl_hs *hs = run->tls->hs;
    cl_result r = cl_second_hello_build(first, hs->hrr_group, cl_buf_view(&hs->cookie), &second);
    if (r == CL_OK) {
        r = put_records(&run->wire, cl_buf_view(&second), 3);
    }
    if (r == CL_OK) {
        r = feed(run, next);
    }
    cl_buf_deinit(&second);
    return r;
}

static bool waits_for_second(const struct cleat_tls *tls)
{
    return tls->hs != NULL && tls->hs->retried && tls->group == NULL;
}

static cl_result run_it(struct run *run, struct cl_rd hello)
{
    struct cl_rehearsal *r = run->r;
    enum cleat_tls_next next;
    CL_TRY(put_records(&run->wire, hello, 1));
    CL_TRY(feed(run, &next));
    r->outcome = CL_OUTCOME_AGREED;
    if (next == CLEAT_TLS_NEEDS_INPUT && waits_for_second(run->tls)) {
        note_hello(run);
        r->retry = run->tls->hs->hrr_group;
        if (only_the_client_can_go_on(run->tls)) {
            r->outcome = CL_OUTCOME_RETRY;
        } else {
            CL_TRY(go_on_after_retry(run, hello, &next));
        }
    }
    if (next == CLEAT_TLS_FAILED) {
        r->outcome = CL_OUTCOME_REFUSED;
        r->error = *cleat_tls_error(run->tls);
        return run->failure;
    }
    note_hello(run);
    read_off(r, run->tls);
    /* a message that never ends leaves the engine waiting, without a version */
    return next == CLEAT_TLS_NEEDS_INPUT && r->version != 0 ? run->failure : CLEAT_ERR_INTERNAL;
}

cl_result cl_rehearse(const struct cl_site *site, struct cl_rd hello, struct cl_rehearsal *out)
{
    struct run run = {.site = site, .r = out};
    *out = (struct cl_rehearsal){.first_len = hello.len};
    out->config = cl_site_tls(site);
    run.answer = cl_alloc(ANSWER_ROOM);
    cl_result r = run.answer != NULL ? CL_OK : CLEAT_ERR_NOMEM;
    if (r == CL_OK) {
        r = cl_buf_append(&out->message, hello.p, hello.len, CL_HS_MAX_HELLO * 2);
    }
    if (r == CL_OK) {
        r = (cl_result)cleat_tls_server_new(out->config, &run, &run.tls);
    }
    if (r == CL_OK) {
        r = run_it(&run, hello);
    }
    cleat_tls_free(run.tls);
    cl_buf_deinit(&run.wire);
    cl_free(run.answer);
    return r;
}

void cl_rehearsal_deinit(struct cl_rehearsal *r)
{
    cl_buf_deinit(&r->message);
    cleat_tls_config_free(r->config);
    *r = (struct cl_rehearsal){0};
}
