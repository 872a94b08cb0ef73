/* record/recorder.c - see recorder.h: what a configuration takes from outside, on its way through
 * here; and the files. What a connection does is in track.c.
 */
#include "record/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "record/track.h"

/* ---- what passes through ---- */

/* Outside of a call on a connection there is nothing to be recorded: results of jobs are, instead
 * of what the jobs drew. */
static uint64_t on_clock(void *ctx)
{
    struct cl_recorder *r = ctx;
    const uint64_t now = r->setup.now(r->setup.now_ctx);
    if (r->current != NULL) {
        (void)json_array_append_new(r->current->times, json_integer((json_int_t)now));
    }
    return now;
}

static int on_random(void *ctx, uint8_t *out, size_t len)
{
    struct cl_recorder *r = ctx;
    if (cl_rand(&cl_rng_system, out, len) != CL_OK) {
        return -1;
    }
    if (r->current != NULL &&
        cl_buf_append(&r->current->random, out, len, CL_REC_MAX_WIRE) != CL_OK) {
        return -1; /* a recording with a gap is worse than none */
    }
    return 0;
}

static void on_value(void *ctx, enum cl_tape_value what, uint8_t *bytes, size_t len)
{
    struct cl_recorder *r = ctx;
    if (r->current != NULL) {
        (void)json_array_append_new(
            r->current->values,
            json_pack("{s:s, s:o}", "what", cl_rec_values[what], "bytes", cl_rec_hex(bytes, len)));
    }
}

/* Of what was under keys that the recording does not have, a replay needs what came out: all of it
 * where it is not the application's. */
static cl_result on_open(void *ctx, struct cl_record_keys *keys, uint8_t *in, size_t size,
                         struct cl_record *out)
{
    struct cl_recorder *r = ctx;
    struct cl_track *t = r->current;
    cl_result result = cl_record_open(keys, in, size, out);
    if (t == NULL || !t->reading_withheld) {
        return result;
    }
    json_t *o = json_object();
    if (result != CL_OK) {
        (void)json_object_set_new(o, "error", json_string(cleat_error_name((int)result)));
    } else {
        cl_rec_put_number(o, "type", out->type);
        cl_rec_put_number(o, "len", out->len);
        if (out->type != CL_CT_APPLICATION_DATA) {
            cl_rec_put_hex(o, "bytes", out->p, out->len);
        }
    }
    (void)json_array_append_new(t->opened, o);
    return result;
}

void cl_recorder_attach(struct cl_recorder *r, struct cleat_tls_builder *b)
{
    cleat_tls_builder_clock(b, on_clock, r);
    cleat_tls_builder_random(b, on_random, r);
    if (!r->setup.secrets) {
        cl_tls_builder_tape(b, &r->tape);
    }
}

/* What is sealed with other keys than the handshake's cannot be made again without its secrets. */
static void note_keys(struct cl_track *t, const struct cleat_event *e)
{
    const bool withheld = strcmp(e->key.epoch, "handshake") != 0;
    if (t->recorder->setup.secrets) {
        return;
    }
    if (!e->sent) {
        t->reading_withheld = withheld;
        return;
    }
    cl_track_mark(t, t->io != NULL ? t->io->out_len : 0, withheld);
}

void cl_recorder_event(struct cl_recorder *r, const struct cleat_event *e)
{
    char text[CL_REC_EVENT_SIZE];
    struct cl_track *t = r != NULL ? r->current : NULL;
    if (t == NULL || cl_rec_event(e, text, sizeof(text)) == NULL) {
        return;
    }
    if (e->kind == CLEAT_EVENT_KEY) {
        note_keys(t, e);
    }
    (void)json_array_append_new(t->events, json_string(text));
}

/* ---- files ---- */

/* One of ours that is there is replaced, so that nobody who has it open reads on; somebody else's
 * is not, nor what a link leads to: they may have put it there to read it. */
static int open_private(const char *path, const char **why)
{
    const int flags = O_WRONLY | O_NOFOLLOW | O_CLOEXEC;
    struct stat st;
    int fd = open(path, flags | O_CREAT | O_EXCL, 0600);
    if (fd < 0 && errno == EEXIST && lstat(path, &st) == 0) {
        if (S_ISLNK(st.st_mode)) {
            *why = "it is a symbolic link";
            return -1;
        }
        if (S_ISREG(st.st_mode) && st.st_uid != geteuid()) {
            *why = "it exists and is somebody else's";
            return -1;
        }
        fd = !S_ISREG(st.st_mode) ? open(path, flags) /* a pipe, say */
             : unlink(path) == 0  ? open(path, flags | O_CREAT | O_EXCL, 0600)
                                  : -1;
    }
    *why = strerror(errno);
    return fd;
}

static cl_result open_file(const char *path, FILE **out, struct cleat_error *err)
{
    const char *why = "";
    const int fd = open_private(path, &why);
    *out = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (*out == NULL) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG},
                            "cannot write the recording %s: %s", path, why);
    }
    return CL_OK;
}

cl_result cl_recorder_new(const struct cl_recorder_setup *setup, struct cl_recorder **out,
                          struct cleat_error *err)
{
    struct cl_recorder *r = cl_calloc(1, sizeof(*r));
    if (r == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    r->setup = *setup;
    r->tape = (struct cl_tape){.value = on_value, .open = on_open, .ctx = r};
    cl_result result = open_file(setup->path, &r->first, err);
    if (result != CL_OK) {
        cl_free(r);
        return result;
    }
    *out = r;
    return CL_OK;
}

void cl_recorder_free(struct cl_recorder *r)
{
    if (r != NULL && r->first != NULL) {
        (void)fclose(r->first); /* there was no connection */
    }
    cl_free(r);
}

const char *cl_recorder_problem(const struct cl_recorder *r)
{
    return r != NULL && r->problem.code != 0 ? r->problem.text : NULL;
}

FILE *cl_recorder_next_file(struct cl_recorder *r)
{
    FILE *f = r->first;
    char path[4096];
    r->first = NULL;
    if (++r->num_tracks == 1) {
        return f;
    }
    const int len = snprintf(path, sizeof(path), "%s.%u", r->setup.path, r->num_tracks);
    if (len < 0 || (size_t)len >= sizeof(path)) {
        (void)cl_error_set(&r->problem, (struct cl_why){.code = CLEAT_ERR_LIMIT},
                           "the name of the recording is too long");
        return NULL;
    }
    return open_file(path, &f, &r->problem) == CL_OK ? f : NULL;
}
