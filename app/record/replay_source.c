/* record/replay_source.c - what a replayed connection takes from outside: times, random bytes,
 * values of the tape, results of jobs, decisions. All of it comes from the recording.
 */
#include <string.h>

#include "base/mem.h"
#include "record/json.h"
#include "record/names.h"
#include "record/replay_impl.h"

/* 65,536 bytes drawn in one call: a ClientHello draws some hundreds */
#define MAX_RANDOM 65536

cl_result cl_replay_enter(struct cl_replay *r, const json_t *op)
{
    r->at_time = r->at_value = r->at_opened = r->at_event = 0;
    r->random.len = r->random_used = 0;
    r->event_why[0] = '\0';
    if (!cl_rec_get_hex(op, "random", MAX_RANDOM, &r->random)) {
        return cl_replay_bad(r, "random");
    }
    r->op = op;
    return CL_OK;
}

/* What nobody asked for is a difference as well, but one that others explain better. */
void cl_replay_leave(struct cl_replay *r)
{
    const json_t *events = json_object_get(r->op, "events");
    if (r->op != NULL && r->event_why[0] == '\0' && r->at_event < json_array_size(events)) {
        const char *then = json_string_value(json_array_get(events, r->at_event));
        (void)snprintf(r->event_why, sizeof(r->event_why), "recorded, and missing now: %s",
                       then != NULL ? then : "an event");
    }
    r->op = NULL;
}

/* How often the clock is read is nobody's business; what it says is. */
static uint64_t on_clock(void *ctx)
{
    struct cl_replay *r = ctx;
    const json_t *times = json_object_get(r->op, "time");
    if (r->at_time < json_array_size(times)) {
        const json_int_t n = json_integer_value(json_array_get(times, r->at_time++));
        r->now = n > 0 ? (uint64_t)n : 0;
    }
    return r->now;
}

/* Between calls it is a job that draws, whose result is the recording's. */
static int on_random(void *ctx, uint8_t *out, size_t len)
{
    struct cl_replay *r = ctx;
    if (r->op == NULL) {
        return cl_rand(&cl_rng_system, out, len) == CL_OK ? 0 : -1;
    }
    const size_t left = r->random.len - r->random_used;
    const size_t take = len < left ? len : left;
    memset(out, 0, len);
    if (take != 0) {
        memcpy(out, r->random.p + r->random_used, take);
    }
    r->random_used += take;
    if (take < len) {
        cl_replay_differ(r, "more random bytes are drawn than the %zu that are recorded",
                         r->random.len);
    }
    return 0;
}

static void on_value(void *ctx, enum cl_tape_value what, uint8_t *bytes, size_t len)
{
    struct cl_replay *r = ctx;
    const json_t *o = json_array_get(json_object_get(r->op, "values"), r->at_value++);
    const char *name = json_string_value(json_object_get(o, "what"));
    struct cl_buf then = {0};
    if (name == NULL || strcmp(name, cl_rec_values[what]) != 0 ||
        !cl_rec_get_hex(o, "bytes", len, &then) || then.len != len) {
        cl_replay_differ(r, "a %s of %zu bytes is needed here; recorded: %s of %zu bytes",
                         cl_rec_values[what], len, name != NULL ? name : "nothing", then.len);
    } else {
        memcpy(bytes, then.p, len);
    }
    cl_buf_deinit(&then);
}

/* A record of which the recording has the content, or its length, but not the keys. */
static cl_result open_recorded(struct cl_replay *r, uint8_t *in, size_t size, struct cl_record *out)
{
    const json_t *o = json_array_get(json_object_get(r->op, "opened"), r->at_opened++);
    const char *error = json_string_value(json_object_get(o, "error"));
    struct cl_buf bytes = {0};
    uint64_t type, len;
    cl_result result = CL_OK;
    const size_t room = size - CL_RECORD_HEADER_LEN;
    if (error != NULL) {
        return cl_replay_code(error);
    }
    if (o == NULL || !cl_rec_get_number(o, "type", UINT8_MAX, &type) ||
        !cl_rec_get_number(o, "len", room, &len) || !cl_rec_get_hex(o, "bytes", room, &bytes) ||
        (bytes.len != 0 && bytes.len != len)) {
        cl_replay_differ(r, "a record is opened whose content is not recorded");
        result = CLEAT_ERR_BAD_RECORD_MAC;
    } else {
        *out = (struct cl_record){
            .type = (uint8_t)type, .p = in + CL_RECORD_HEADER_LEN, .len = (size_t)len};
        memset(out->p, 0, out->len);
        if (bytes.len != 0) {
            memcpy(out->p, bytes.p, bytes.len);
        }
    }
    cl_buf_deinit(&bytes);
    return result;
}

static cl_result on_open(void *ctx, struct cl_record_keys *keys, uint8_t *in, size_t size,
                         struct cl_record *out)
{
    struct cl_replay *r = ctx;
    return r->reading_withheld ? open_recorded(r, in, size, out)
                               : cl_record_open(keys, in, size, out);
}

static void on_event(void *ctx, void *user, const struct cleat_event *e)
{
    struct cl_replay *r = ctx;
    if (e->kind == CLEAT_EVENT_KEY && !e->sent) {
        r->reading_withheld = strcmp(e->key.epoch, "handshake") != 0;
    }
    cl_replay_compare_event(r, e);
    if (r->watch->sink != NULL) {
        r->watch->sink(r->watch->ctx, NULL, e);
    }
}

void cl_replay_sources(struct cl_replay *r, struct cleat_tls_builder *b)
{
    cleat_tls_builder_clock(b, on_clock, r);
    cleat_tls_builder_random(b, on_random, r);
    cleat_tls_builder_events(b, on_event, r, false);
    if (!r->rec->secrets) {
        r->tape = (struct cl_tape){.value = on_value, .open = on_open, .ctx = r};
        cl_tls_builder_tape(b, &r->tape);
    }
}

/* ---- answers ---- */

cl_result cl_replay_code(const char *name)
{
    /* -999: below every number of CLEAT_ERROR_LIST */
    for (int code = -1; code > -999; code--) {
        if (strcmp(cleat_error_name(code), name) == 0) {
            return (cl_result)code;
        }
    }
    return CLEAT_ERR_INTERNAL;
}

static bool take_secret(const json_t *op, uint8_t *out, size_t len)
{
    struct cl_buf secret = {0};
    const char *key = json_object_get(op, "hpke_secret") != NULL ? "hpke_secret" : "secret";
    const bool ok = cl_rec_get_hex(op, key, len, &secret) && (secret.len == 0 || secret.len == len);
    memset(out, 0, len);
    if (ok && secret.len != 0) {
        memcpy(out, secret.p, len);
    }
    cl_buf_deinit(&secret);
    return ok;
}

static cl_result fill_kex(struct cl_replay *r, const json_t *op, struct cl_job *job)
{
    struct cl_job_kex *kex = &job->kex;
    struct cl_buf share = {0};
    uint64_t group;
    if (!cl_rec_get_number(op, "group", UINT16_MAX, &group) ||
        !cl_rec_get_hex(op, "share", CL_GROUP_MAX_SHARE, &share)) {
        cl_buf_deinit(&share);
        return cl_replay_bad(r, "share");
    }
    const size_t len = job->kind == CL_JOB_KEYGEN  ? kex->group->client_share_len
                       : job->kind == CL_JOB_ENCAP ? kex->group->server_share_len
                                                   : 0;
    cl_result result = CL_OK;
    if (group != kex->group->id || share.len != len) {
        cl_replay_differ(r,
                         "a job is for the group %s; recorded: 0x%04x, with a share of %zu bytes",
                         kex->group->name, (unsigned)group, share.len);
    } else if (job->kind == CL_JOB_KEYGEN) {
        cl_job_run(job); /* a key there must be; what is sent is the recorded one's share */
        result = job->result;
    } else if (cl_job_kex_secret(kex) == NULL ||
               !take_secret(op, cl_job_kex_secret(kex), kex->group->secret_len)) {
        result = cl_replay_bad(r, "secret");
    } else {
        kex->secret_len = kex->group->secret_len;
        kex->share_len = len;
        cl_job_complete(job, CL_OK);
    }
    if (result == CL_OK && len != 0 && !r->result->different) {
        memcpy(kex->share, share.p, len);
    }
    cl_buf_deinit(&share);
    return result;
}

/* Copies a member into a job's output; false: it is not valid, or does not fit. */
static bool fill(const json_t *op, const char *key, uint8_t *out, size_t cap, size_t *len)
{
    struct cl_buf bytes = {0};
    const bool ok = cl_rec_get_hex(op, key, cap, &bytes) && bytes.len != 0;
    *len = ok ? bytes.len : 0;
    if (ok) {
        memcpy(out, bytes.p, bytes.len);
    }
    cl_buf_deinit(&bytes);
    return ok;
}

static cl_result fill_sign(struct cl_replay *r, const json_t *op, struct cl_job *job)
{
    struct cl_job_sign *sign = &job->sign;
    if (!fill(op, "signature", sign->signature, sign->signature_cap, &sign->signature_len)) {
        return cl_replay_bad(r, "signature");
    }
    cl_job_complete(job, CL_OK);
    return CL_OK;
}

static cl_result fill_encrypt(struct cl_replay *r, const json_t *op, struct cl_job *job)
{
    struct cl_job_premaster *p = &job->premaster;
    if (!fill(op, "encrypted", p->encrypted, p->encrypted_cap, &p->encrypted_len) ||
        !take_secret(op, p->secret, sizeof(p->secret))) {
        return cl_replay_bad(r, "encrypted");
    }
    cl_job_complete(job, CL_OK);
    return CL_OK;
}

/* A signature's check has no secrets, and is what goes wrong: it is made. */
static cl_result run_verify(struct cl_replay *r, const json_t *op, struct cl_job *job)
{
    const char *then = json_string_value(json_object_get(op, "error"));
    cl_job_run(job);
    const char *now = job->result != CL_OK ? cleat_error_name((int)job->result) : NULL;
    if ((then == NULL) != (now == NULL) || (then != NULL && strcmp(then, now) != 0)) {
        cl_replay_differ(r, "a signature's check (%s) comes to %s; recorded: %s",
                         job->verify.alg->name, now != NULL ? now : "success",
                         then != NULL ? then : "success");
    }
    return CL_OK;
}

static cl_result (*const fills[CL_REC_NUM_JOBS])(struct cl_replay *r, const json_t *op,
                                                 struct cl_job *job) = {
    [CL_JOB_KEYGEN] = fill_kex, [CL_JOB_ENCAP] = fill_kex,    [CL_JOB_DECAP] = fill_kex,
    [CL_JOB_SIGN] = fill_sign,  [CL_JOB_VERIFY] = run_verify, [CL_JOB_ENCRYPT] = fill_encrypt,
};

cl_result cl_replay_job(struct cl_replay *r, const json_t *op)
{
    const char *then = json_string_value(json_object_get(op, "job"));
    const size_t kind = cl_rec_index(cl_rec_jobs, CL_REC_NUM_JOBS, then);
    const char *error = json_string_value(json_object_get(op, "error"));
    struct cl_job *job = (struct cl_job *)cleat_tls_job(r->tls);
    if (kind == CL_REC_NUM_JOBS || fills[kind] == NULL) {
        return cl_replay_bad(r, "job");
    }
    const bool waits = job != NULL && job->status == CL_JOB_PENDING;
    if (!waits || (size_t)job->kind != kind) {
        cl_replay_differ(r, "recorded: the job %s; now %s%s", then, waits ? "it is " : "there is ",
                         waits ? cl_rec_jobs[job->kind] : "none");
        return CL_OK;
    }
    if (error != NULL && kind != CL_JOB_VERIFY) {
        cl_job_complete(job, cl_replay_code(error));
        return CL_OK;
    }
    return fills[kind](r, op, job);
}

cl_result cl_replay_decide(struct cl_replay *r, const json_t *op)
{
    const char *then = json_string_value(json_object_get(op, "decide"));
    const char *reason;
    uint64_t alert;
    bool accept;
    const enum cleat_decision asked = cleat_tls_decision(r->tls);
    if (then == NULL || !cl_rec_get_bool(op, "accept", &accept) ||
        !cl_rec_get_number(op, "alert", UINT8_MAX, &alert) ||
        !cl_rec_get_text(op, "reason", &reason)) {
        return cl_replay_bad(r, "decide");
    }
    if (asked == CLEAT_DECIDE_NOTHING || strcmp(cl_rec_decision(asked), then) != 0) {
        cl_replay_differ(r, "recorded: a decision about %s; now it is about %s", then,
                         asked == CLEAT_DECIDE_NOTHING ? "nothing" : cl_rec_decision(asked));
        return CL_OK;
    }
    const int code =
        accept ? cleat_tls_accept_peer(r->tls)
               : cleat_tls_refuse(r->tls, (uint8_t)alert, reason != NULL ? reason : "refused");
    return code == CLEAT_OK ? CL_OK : cl_replay_bad(r, "decide");
}
