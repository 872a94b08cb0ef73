/* record/replay.c - see replay.h: the calls, one after the other. */
#include "record/replay.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cleat/ech.h"
#include "cleat/tls_early.h"
#include "record/config.h"
#include "record/json.h"
#include "record/names.h"
#include "record/replay_impl.h"

/* 131,072: a call's output buffer, or what it is given to write, has some KB */
#define MAX_ROOM (1u << 17)

void cl_replay_differ(struct cl_replay *r, const char *fmt, ...)
{
    va_list ap;
    if (r->result->different) {
        return;
    }
    r->result->different = true;
    r->result->line = r->line;
    va_start(ap, fmt);
    (void)vsnprintf(r->result->text, sizeof(r->result->text), fmt, ap);
    va_end(ap);
}

cl_result cl_replay_bad(struct cl_replay *r, const char *what)
{
    return cl_error_set(r->err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG},
                        "line %zu: \"%s\" is missing or not valid", r->line, what);
}

/* ---- the beginning ---- */

/* The first is in the configuration, those for the peer's chain are in a line of their own. */
static cl_result read_trust(struct cl_replay *r, struct cleat_trust_store **out)
{
    const json_t *first = json_object_get(r->rec->config, "anchors");
    struct cleat_trust_builder *b = NULL;
    if (first == NULL) {
        return CL_OK;
    }
    if (cleat_trust_builder_new(&b) != CLEAT_OK) {
        return CLEAT_ERR_NOMEM;
    }
    cl_result result = cl_rec_anchors_read(first, b, r->err);
    for (size_t i = r->rec->first; i < r->rec->num && result == CL_OK; i++) {
        result = cl_rec_anchors_read(json_object_get(r->rec->lines[i], "anchors"), b, r->err);
    }
    if (result == CL_OK) {
        result = (cl_result)cleat_trust_builder_finish(b, out, r->err);
    }
    cleat_trust_builder_free(b);
    return result;
}

static cl_result make_config(struct cl_replay *r)
{
    struct cleat_tls_builder *b = NULL;
    struct cleat_trust_store *trust = NULL;
    if (cleat_tls_builder_new(CLEAT_CLIENT, &b) != CLEAT_OK) {
        return CLEAT_ERR_NOMEM;
    }
    cl_replay_sources(r, b);
    cl_result result = cl_rec_config_read(r->rec->config, b, r->err);
    if (result == CL_OK) {
        result = read_trust(r, &trust);
    }
    if (result == CL_OK && trust != NULL) {
        result = (cl_result)cleat_tls_builder_trust(b, trust);
    }
    cleat_trust_store_free(trust);
    if (result != CL_OK) {
        cleat_tls_builder_free(b);
        return result;
    }
    return (cl_result)cleat_tls_builder_finish(b, &r->config, r->err);
}

static cl_result offer(struct cl_replay *r, const json_t *op)
{
    struct cl_buf ech = {0};
    bool early;
    cl_result result = CL_OK;
    if (!cl_rec_get_hex(op, "ech", UINT16_MAX + 2, &ech) ||
        (ech.len != 0 && cleat_tls_offer_ech(r->tls, ech.p, ech.len) != CLEAT_OK)) {
        result = cl_replay_bad(r, "ech");
    } else if (!cl_rec_get_bool(op, "early_data", &early) ||
               (early && cleat_tls_offer_early_data(r->tls) != CLEAT_OK)) {
        result = cl_replay_bad(r, "early_data");
    }
    cl_buf_deinit(&ech);
    return result;
}

static cl_result open_connection(struct cl_replay *r)
{
    const json_t *op = r->rec->open;
    const json_t *session_value = json_object_get(op, "session");
    const char *name = json_string_value(json_object_get(op, "open"));
    struct cleat_tls_session *session = NULL;
    r->line = r->rec->first;
    if (session_value != NULL &&
        cl_rec_session_read(session_value, r->config, name, &session) != CL_OK) {
        return cl_replay_bad(r, "session");
    }
    cl_result result = cl_replay_enter(r, op);
    if (result == CL_OK &&
        cleat_tls_client_new(r->config, name, session, NULL, &r->tls) != CLEAT_OK) {
        result = cl_replay_bad(r, "open");
    }
    if (result == CL_OK) {
        result = offer(r, op);
    }
    cl_replay_leave(r);
    cleat_tls_session_free(session);
    return result;
}

/* ---- calls ---- */

/* Room as there was then, freshly made: the engine appends to nothing. */
static cl_result make_room(struct cl_replay *r, const json_t *op, size_t min,
                           struct cleat_tls_io *io)
{
    uint64_t room;
    if (!cl_rec_get_number(op, "room", MAX_ROOM, &room) || room < min) {
        return cl_replay_bad(r, "room");
    }
    r->out.len = 0;
    CL_TRY(cl_buf_reserve(&r->out, (size_t)room, MAX_ROOM));
    *io = (struct cleat_tls_io){.out = r->out.p, .out_cap = (size_t)room};
    return CL_OK;
}

static cl_result compare_data(struct cl_replay *r, const json_t *op, const struct cleat_tls_io *io)
{
    struct cl_buf noted = {0};
    uint8_t digest[CL_HASH_MAX_LEN];
    uint64_t len;
    const size_t digest_len = cl_hash_len(CL_HASH_SHA256);
    if (!cl_rec_get_number(op, "data", MAX_ROOM, &len)) {
        return cl_replay_bad(r, "data");
    }
    if (!cl_rec_get_hex(op, "data_sha256", digest_len, &noted)) {
        cl_buf_deinit(&noted);
        return cl_replay_bad(r, "data_sha256");
    }
    if (len != io->data_len) {
        cl_replay_differ(r, "application data of %zu bytes is handed out; recorded: %zu",
                         io->data_len, (size_t)len);
    } else if (noted.len != 0) {
        cl_hash_once(CL_HASH_SHA256, io->data, io->data_len, digest);
        if (noted.len != digest_len || memcmp(digest, noted.p, digest_len) != 0) {
            cl_replay_differ(r, "other application data is handed out (%zu bytes)", io->data_len);
        }
    }
    cl_buf_deinit(&noted);
    return CL_OK;
}

static void compare_step(struct cl_replay *r, const json_t *op, enum cleat_tls_next next,
                         size_t used)
{
    const char *then = json_string_value(json_object_get(op, "step"));
    const struct cleat_error *e = cleat_tls_error(r->tls);
    uint64_t used_then;
    if (strcmp(then, cl_rec_nexts[next]) != 0) {
        cl_replay_differ(r, "the step returns %s; recorded: %s%s%s", cl_rec_nexts[next], then,
                         next == CLEAT_TLS_FAILED ? ". It fails: " : "",
                         next == CLEAT_TLS_FAILED ? e->text : "");
    }
    if (!cl_rec_get_number(op, "used", CL_REC_MAX_WIRE, &used_then) || used_then != used) {
        cl_replay_differ(r, "the step consumes %zu bytes of input; recorded: %zu", used,
                         (size_t)used_then);
    }
}

static cl_result run_step(struct cl_replay *r, const json_t *op)
{
    const size_t before = r->in.len;
    struct cleat_tls_io io;
    if (cl_rec_index(cl_rec_nexts, CL_REC_NUM_NEXTS,
                     json_string_value(json_object_get(op, "step"))) == CL_REC_NUM_NEXTS) {
        return cl_replay_bad(r, "step");
    }
    CL_TRY(make_room(r, op, CLEAT_TLS_MIN_OUTPUT, &io));
    if (!cl_rec_get_hex(op, "in", CL_REC_MAX_WIRE, &r->in)) {
        return cl_replay_bad(r, "in");
    }
    CL_TRY(cl_replay_enter(r, op));
    io.in = r->in.p;
    io.in_len = r->in.len;
    r->result->num_read += r->in.len - before;
    const enum cleat_tls_next next = cleat_tls_step(r->tls, &io);
    cl_replay_leave(r);
    r->out.len = io.out_len;
    r->result->num_steps++;
    if (next == CLEAT_TLS_READY) {
        r->result->established = true;
    }
    if (r->watch->stepped != NULL) {
        r->watch->stepped(r->watch->ctx, r->tls, next, r->now);
    }
    CL_TRY(cl_replay_compare_output(r, op));
    CL_TRY(cl_replay_compare_error(r, op));
    compare_step(r, op, next, io.in_used);
    CL_TRY(compare_data(r, op, &io));
    cl_buf_drop(&r->in, io.in_used);
    return CL_OK;
}

static void compare_result(struct cl_replay *r, const json_t *op, int result)
{
    const char *then = json_string_value(json_object_get(op, "result"));
    const char *now = result != CLEAT_OK ? cleat_error_name(result) : NULL;
    if ((then == NULL) != (now == NULL) || (then != NULL && strcmp(then, now) != 0)) {
        cl_replay_differ(r, "the call returns %s; recorded: %s", now != NULL ? now : "success",
                         then != NULL ? then : "success");
    }
}

/* What was written is in recordings with secrets alone; zeros are as long. */
static cl_result run_write(struct cl_replay *r, const json_t *op)
{
    struct cl_buf data = {0};
    struct cleat_tls_io io;
    uint64_t len = 0, written_then = 0;
    size_t written = 0;
    if (!cl_rec_get_number(op, "write", MAX_ROOM, &len) ||
        !cl_rec_get_number(op, "written", MAX_ROOM, &written_then)) {
        return cl_replay_bad(r, "write");
    }
    CL_TRY(make_room(r, op, 0, &io));
    cl_result result = CL_OK;
    if (!cl_rec_get_hex(op, "bytes", MAX_ROOM, &data) || (data.len != 0 && data.len != len)) {
        result = cl_replay_bad(r, "bytes");
    } else if (data.len == 0) {
        result = cl_buf_reserve(&data, (size_t)len + 1, MAX_ROOM + 1);
        if (result == CL_OK) {
            memset(data.p, 0, (size_t)len);
        }
    }
    if (result == CL_OK) {
        result = cl_replay_enter(r, op);
    }
    if (result == CL_OK) {
        const int code = cleat_tls_write(r->tls, &io, data.p, (size_t)len, &written);
        cl_replay_leave(r);
        r->out.len = io.out_len;
        compare_result(r, op, code);
        if (written != written_then) {
            cl_replay_differ(r, "%zu bytes are taken for sending; recorded: %zu", written,
                             (size_t)written_then);
        }
        result = cl_replay_compare_output(r, op);
    }
    cl_buf_deinit(&data);
    return result;
}

static cl_result run_close(struct cl_replay *r, const json_t *op)
{
    struct cleat_tls_io io;
    CL_TRY(make_room(r, op, 0, &io));
    CL_TRY(cl_replay_enter(r, op));
    const int code = cleat_tls_close(r->tls, &io);
    cl_replay_leave(r);
    r->out.len = io.out_len;
    compare_result(r, op, code);
    return cl_replay_compare_output(r, op);
}

static cl_result run_eof(struct cl_replay *r, const json_t *op)
{
    CL_TRY(cl_replay_enter(r, op));
    const int code = cleat_tls_eof(r->tls);
    cl_replay_leave(r);
    compare_result(r, op, code);
    return cl_replay_compare_error(r, op);
}

static cl_result skip(struct cl_replay *r, const json_t *op)
{
    return CL_OK;
}

/* A line is what its first of these members says. */
static const struct {
    const char *key;
    cl_result (*run)(struct cl_replay *r, const json_t *op);
} kinds[] = {
    {"step", run_step},
    {"job", cl_replay_job},
    {"decide", cl_replay_decide},
    {"write", run_write},
    {"close", run_close},
    {"eof", run_eof},
    {"anchors", skip} /* read before */,
    {"end", skip},
};

static cl_result run_line(struct cl_replay *r, const json_t *op)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (json_object_get(op, kinds[i].key) != NULL) {
            return kinds[i].run(r, op);
        }
    }
    return cl_replay_bad(r, "step");
}

cl_result cl_replay_run(const struct cl_recording *rec, const struct cl_replay_watch *watch,
                        struct cl_replay_result *out, struct cleat_error *err)
{
    struct cl_replay r = {.rec = rec, .watch = watch, .result = out, .err = err};
    *out = (struct cl_replay_result){0};
    cl_result result = make_config(&r);
    if (result == CL_OK) {
        result = open_connection(&r);
    }
    for (size_t i = rec->first; i < rec->num && result == CL_OK && !out->different; i++) {
        r.line = i + 1;
        result = run_line(&r, rec->lines[i]);
    }
    if (r.tls != NULL) {
        out->error = *cleat_tls_error(r.tls);
    }
    if (result != CL_OK && err->code == CLEAT_OK) {
        (void)cl_error_set(err, (struct cl_why){.code = result}, "line %zu: %s", r.line,
                           cleat_error_sentence((int)result));
    }
    cleat_tls_free(r.tls);
    cleat_tls_config_free(r.config);
    cl_buf_deinit(&r.in);
    cl_buf_deinit(&r.out);
    cl_buf_deinit(&r.random);
    return result;
}
