/* record/track.c - a connection's recording: a line for each call on it, and in between for each
 * answer that the application gave. See recorder.h.
 */
#include "record/track.h"

#include "base/mem.h"
#include "base/text.h"
#include "cleat/version.h"
#include "record/config.h"
#include "tls/ech.h"

/* ---- lines ---- */

static void problem(struct cl_track *t, const char *what)
{
    (void)cl_error_set(&t->recorder->problem, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG},
                       "the recording is not complete: %s", what);
    t->over = true;
}

/* Takes over o, which is NULL when memory was short. Each line is on its way at once: what made the
 * program end may be what one wants to know. */
static void put_line(struct cl_track *t, json_t *o)
{
    char *text = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;
    json_decref(o);
    if (text == NULL) {
        problem(t, "out of memory");
        return;
    }
    const size_t len = strlen(text);
    text[len] = '\n'; /* in place of the NUL */
    cl_hash_update(&t->digest, text, len + 1);
    if (fwrite(text, 1, len + 1, t->file) != len + 1 || fflush(t->file) != 0) {
        problem(t, "it cannot be written");
    }
    cl_wipe(text, len + 1);
    free(text);
}

static void put_end(struct cl_track *t, const char *why)
{
    uint8_t digest[CL_HASH_MAX_LEN];
    if (t->over) {
        return;
    }
    cl_hash_peek(&t->digest, digest);
    json_t *o = json_object();
    (void)json_object_set_new(o, "end", json_string(why));
    cl_rec_put_hex(o, "sha256", digest, cl_hash_len(CL_HASH_SHA256));
    put_line(t, o);
    t->over = true;
}

/* ---- a call ---- */

static void begin_call(struct cl_track *t, struct cleat_tls_io *io)
{
    t->io = io;
    t->times = json_array();
    t->values = json_array();
    t->opened = json_array();
    t->events = json_array();
    t->num_marks = 0;
    t->random.len = 0;
    t->recorder->current = t;
}

static void put_list(json_t *o, const char *key, json_t *list)
{
    if (json_array_size(list) != 0) {
        (void)json_object_set(o, key, list);
    }
    json_decref(list);
}

static void end_call(struct cl_track *t, json_t *o)
{
    t->recorder->current = NULL;
    t->io = NULL;
    put_list(o, "time", t->times);
    cl_rec_put_hex(o, "random", t->random.p, t->random.len);
    put_list(o, "values", t->values);
    put_list(o, "opened", t->opened);
    put_list(o, "events", t->events);
    t->times = t->values = t->opened = t->events = NULL;
    if (t->random.len != 0) {
        cl_wipe(t->random.p, t->random.len);
    }
}

void cl_track_mark(struct cl_track *t, size_t at, bool withheld)
{
    if (t->num_marks < CL_TRACK_MARKS) {
        t->marks[t->num_marks] = at;
        t->mark_withheld[t->num_marks++] = withheld;
    } else {
        problem(t, "keys change too often");
    }
}

/* Whether what stands at this place of the output is under withheld keys. */
static bool withheld_at(const struct cl_track *t, size_t at)
{
    bool withheld = t->sending_withheld;
    for (size_t i = 0; i < t->num_marks && t->marks[i] <= at; i++) {
        withheld = t->mark_withheld[i];
    }
    return withheld;
}

/* Fragments that a replay cannot seal likewise, as [place, length] pairs. */
static json_t *opaque_parts(const struct cl_track *t, const struct cleat_tls_io *io, size_t from)
{
    struct cl_rd r = cl_rd_of(io->out + from, io->out_len - from);
    json_t *list = json_array();
    const size_t all = r.len;
    uint8_t type;
    uint16_t version;
    struct cl_rd fragment;
    size_t at = from;
    while (cl_rd_u8(&r, &type) && cl_rd_u16(&r, &version) && cl_rd_vec16(&r, &fragment)) {
        const size_t start = all - r.len - fragment.len;
        if (type != CL_CT_CHANGE_CIPHER_SPEC && fragment.len != 0 && withheld_at(t, at)) {
            (void)json_array_append_new(
                list, json_pack("[I, I]", (json_int_t)start, (json_int_t)fragment.len));
        }
        at = from + all - r.len;
    }
    return list;
}

static void put_output(struct cl_track *t, json_t *o, const struct cleat_tls_io *io, size_t from)
{
    cl_rec_put_hex(o, "out", io->out + from, io->out_len - from);
    put_list(o, "opaque", opaque_parts(t, io, from));
    t->sending_withheld = withheld_at(t, SIZE_MAX);
    t->wire += io->out_len - from;
}

static void put_error(struct cl_track *t, json_t *o, const struct cleat_tls *tls)
{
    const struct cleat_error *e = cleat_tls_error(tls);
    if (t->failed || e->code == CLEAT_OK) {
        return;
    }
    t->failed = true;
    json_t *error = json_object();
    (void)json_object_set_new(error, "code", json_string(cleat_error_name(e->code)));
    cl_rec_put_number(error, "alert", e->alert);
    (void)json_object_set_new(error, "from_peer", json_boolean(e->from_peer));
    (void)json_object_set_new(error, "text", cl_rec_text(e->text));
    (void)json_object_set_new(o, "error", error);
}

/* ---- what the application answered ---- */

/* HPKE's: it opens the inner ClientHello, of which the recording has all that is said there. In TLS
 * 1.2 a job of the same kind makes the premaster secret. */
static bool is_hpke(const struct cleat_tls *tls, const struct cl_job_kex *kex)
{
    return tls->hs->ech != NULL && kex->share == tls->hs->ech->enc;
}

static void put_job(struct cl_track *t, const struct cleat_tls *tls, const struct cl_job *job)
{
    const bool secrets = t->recorder->setup.secrets;
    json_t *o = json_pack("{s:s}", "job", cl_rec_jobs[job->kind]);
    const struct cl_job_kex *kex = &job->kex;
    if (job->result != CL_OK) {
        (void)json_object_set_new(o, "error", json_string(cleat_error_name((int)job->result)));
        put_line(t, o);
        return;
    }
    switch (job->kind) {
    case CL_JOB_KEYGEN:
    case CL_JOB_ENCAP:
    case CL_JOB_DECAP:
        cl_rec_put_number(o, "group", kex->group->id);
        if (job->kind != CL_JOB_DECAP) {
            cl_rec_put_hex(o, "share", kex->share, kex->share_len);
        }
        if (job->kind == CL_JOB_ENCAP && is_hpke(tls, kex)) {
            cl_rec_put_hex(o, "hpke_secret", kex->secret, kex->secret_len);
        } else if (secrets && job->kind != CL_JOB_KEYGEN) {
            cl_rec_put_hex(o, "secret", kex->group->finite_field ? kex->field_secret : kex->secret,
                           kex->secret_len);
        }
        break;
    case CL_JOB_SIGN:
        cl_rec_put_hex(o, "signature", job->sign.signature, job->sign.signature_len);
        break;
    case CL_JOB_ENCRYPT:
        cl_rec_put_hex(o, "encrypted", job->premaster.encrypted, job->premaster.encrypted_len);
        if (secrets) {
            cl_rec_put_hex(o, "secret", job->premaster.secret, sizeof(job->premaster.secret));
        }
        break;
    default:
        break;
    }
    put_line(t, o);
}

static void put_decision(struct cl_track *t, const struct cleat_tls *tls)
{
    const struct cleat_error *e = cleat_tls_error(tls);
    json_t *o = json_object();
    (void)json_object_set_new(o, "decide", json_string(cl_rec_decision(t->asked)));
    (void)json_object_set_new(o, "accept", json_boolean(!tls->failed));
    if (tls->failed) {
        cl_rec_put_number(o, "alert", e->alert);
        (void)json_object_set_new(o, "reason", cl_rec_text(e->text));
    }
    put_line(t, o);
}

static void note_answers(struct cl_track *t, struct cleat_tls *tls)
{
    if (t->job != NULL && t->job == (struct cl_job *)cleat_tls_job(tls) &&
        t->job->status == CL_JOB_DONE) {
        put_job(t, tls, t->job);
        t->job = NULL;
    }
    if (t->asked != CLEAT_DECIDE_NOTHING && cleat_tls_decision(tls) != t->asked) {
        put_decision(t, tls);
        t->asked = CLEAT_DECIDE_NOTHING;
    } else if (t->asked != CLEAT_DECIDE_NOTHING && tls->failed) {
        put_decision(t, tls);
        t->asked = CLEAT_DECIDE_NOTHING;
    }
}

/* Once the peer has shown its chain, it is known which of the anchors matter. */
static void put_anchors(struct cl_track *t, const struct cleat_tls *tls)
{
    if (t->anchored || tls->peer_chain.len == 0 || tls->config->trust == NULL || tls->peer_is_raw) {
        return;
    }
    json_t *list = cl_rec_anchors_write(tls->config->trust, cl_buf_view(&tls->peer_chain));
    put_line(t, json_pack("{s:o}", "anchors", list));
    t->anchored = true;
}

/* ---- the calls ---- */

struct cl_track *cl_track_open(struct cl_recorder *r)
{
    FILE *file = r != NULL ? cl_recorder_next_file(r) : NULL;
    struct cl_track *t = file != NULL ? cl_calloc(1, sizeof(*t)) : NULL;
    if (t == NULL) {
        if (file != NULL) {
            (void)fclose(file);
        }
        return NULL;
    }
    t->recorder = r;
    t->file = file;
    cl_hash_init(&t->digest, CL_HASH_SHA256);
    begin_call(t, NULL);
    return t;
}

static void put_head(struct cl_track *t, const struct cleat_tls *tls)
{
    const bool secrets = t->recorder->setup.secrets;
    char by[32];
    (void)snprintf(by, sizeof(by), "cleat %s", cleat_version());
    put_line(t, json_pack("{s:i, s:s, s:b, s:s}", "cleat-recording", CL_REC_FORMAT, "role",
                          "client", "secrets", secrets ? 1 : 0, "by", by));
    put_line(t, json_pack("{s:o}", "config", cl_rec_config_write(tls->config, secrets)));
}

void cl_track_begin(struct cl_track *t, struct cleat_tls *tls, struct cl_rd ech, bool early_data)
{
    if (t == NULL) {
        return;
    }
    const struct cleat_tls_session *session = tls->hs->session;
    json_t *o = json_object();
    put_head(t, tls);
    (void)json_object_set_new(o, "open", json_string(tls->server_name));
    if (session != NULL) {
        (void)json_object_set_new(o, "session",
                                  cl_rec_session_write(session, t->recorder->setup.secrets));
    }
    cl_rec_put_hex(o, "ech", ech.p, ech.len);
    (void)json_object_set_new(o, "early_data", json_boolean(early_data));
    end_call(t, o);
    put_line(t, o);
}

static void put_data(struct cl_track *t, json_t *o, const struct cleat_tls_io *io)
{
    uint8_t digest[CL_HASH_MAX_LEN];
    cl_rec_put_number(o, "data", io->data_len);
    if (t->recorder->setup.secrets) {
        cl_hash_once(CL_HASH_SHA256, io->data, io->data_len, digest);
        cl_rec_put_hex(o, "data_sha256", digest, cl_hash_len(CL_HASH_SHA256));
    }
}

/* What a step left behind, and what follows from it. */
static void end_step(struct cl_track *t, json_t *o, struct cleat_tls *tls,
                     const struct cleat_tls_io *io, enum cleat_tls_next next)
{
    (void)json_object_set_new(o, "step", json_string(cl_rec_nexts[next]));
    cl_rec_put_number(o, "used", io->in_used);
    if (next == CLEAT_TLS_HAS_DATA) {
        put_data(t, o, io);
    }
    put_error(t, o, tls);
    end_call(t, o);
    put_line(t, o);
    put_anchors(t, tls);
    t->job = next == CLEAT_TLS_NEEDS_JOB ? (struct cl_job *)cleat_tls_job(tls) : NULL;
    t->asked = next == CLEAT_TLS_NEEDS_DECISION ? cleat_tls_decision(tls) : CLEAT_DECIDE_NOTHING;
    if (next == CLEAT_TLS_HAS_DATA && !t->recorder->setup.secrets) {
        put_end(t, "application data");
    } else if (t->wire > CL_REC_MAX_WIRE) {
        put_end(t, "limit");
    }
}

enum cleat_tls_next cl_track_step(struct cl_track *t, struct cleat_tls *tls,
                                  struct cleat_tls_io *io)
{
    if (t == NULL || t->over) {
        return cleat_tls_step(tls, io);
    }
    json_t *o = json_object();
    const size_t from = io->out_len;
    const uint64_t have = t->used + io->in_len;
    const size_t fresh = have > t->seen ? (size_t)(have - t->seen) : 0;
    note_answers(t, tls);
    cl_rec_put_number(o, "room", io->out_cap - io->out_len);
    if (fresh != 0) { /* before it is decrypted in place */
        cl_rec_put_hex(o, "in", io->in + (io->in_len - fresh), fresh);
        t->seen = have;
    }
    begin_call(t, io);
    const enum cleat_tls_next next = cleat_tls_step(tls, io);
    t->used += io->in_used;
    t->wire += fresh;
    put_output(t, o, io, from);
    end_step(t, o, tls, io, next);
    return next;
}

static void put_result(json_t *o, int result)
{
    if (result != CLEAT_OK) {
        (void)json_object_set_new(o, "result", json_string(cleat_error_name(result)));
    }
}

static int end_output(struct cl_track *t, json_t *o, const struct cleat_tls_io *io, size_t from,
                      int result)
{
    put_result(o, result);
    put_output(t, o, io, from);
    end_call(t, o);
    put_line(t, o);
    return result;
}

int cl_track_write(struct cl_track *t, struct cleat_tls *tls, struct cleat_tls_io *io,
                   const uint8_t *data, size_t len, size_t *written)
{
    if (t == NULL || t->over) {
        return cleat_tls_write(tls, io, data, len, written);
    }
    json_t *o = json_object();
    const size_t from = io->out_len;
    (void)json_object_set_new(o, "write", json_integer((json_int_t)len));
    cl_rec_put_number(o, "room", io->out_cap - io->out_len);
    if (t->recorder->setup.secrets) {
        cl_rec_put_hex(o, "bytes", data, len);
    }
    begin_call(t, io);
    const int result = cleat_tls_write(tls, io, data, len, written);
    cl_rec_put_number(o, "written", *written);
    return end_output(t, o, io, from, result);
}

int cl_track_close(struct cl_track *t, struct cleat_tls *tls, struct cleat_tls_io *io)
{
    if (t == NULL || t->over) {
        return cleat_tls_close(tls, io);
    }
    json_t *o = json_object();
    const size_t from = io->out_len;
    (void)json_object_set_new(o, "close", json_true());
    cl_rec_put_number(o, "room", io->out_cap - io->out_len);
    begin_call(t, io);
    return end_output(t, o, io, from, cleat_tls_close(tls, io));
}

int cl_track_eof(struct cl_track *t, struct cleat_tls *tls)
{
    if (t == NULL || t->over) {
        return cleat_tls_eof(tls);
    }
    json_t *o = json_object();
    note_answers(t, tls);
    (void)json_object_set_new(o, "eof", json_true());
    begin_call(t, NULL);
    const int result = cleat_tls_eof(tls);
    put_result(o, result);
    put_error(t, o, tls);
    end_call(t, o);
    put_line(t, o);
    return result;
}

void cl_track_free(struct cl_track *t)
{
    if (t == NULL) {
        return;
    }
    if (t->times != NULL) { /* it was never begun */
        json_t *o = json_object();
        end_call(t, o);
        json_decref(o);
        t->over = true;
    }
    put_end(t, "closed");
    if (fclose(t->file) != 0) {
        problem(t, "it cannot be written");
    }
    cl_buf_deinit(&t->random);
    cl_free(t);
}
