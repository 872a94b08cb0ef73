/* serve/failures.c - see failures.h. A kind is a text and an error code. */
#include "serve/failures.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "cleat/error.h"

struct kind {
    const char *what;
    int code;
    uint64_t num; /* in this period */
};

struct cl_failures {
    struct cl_log *log;
    pthread_mutex_t mutex;
    struct kind kinds[CL_FAILURES_KINDS + 1]; /* the last one: all others */
    size_t num_kinds;
};

cl_result cl_failures_new(struct cl_log *log, struct cl_failures **out)
{
    struct cl_failures *f = cl_calloc(1, sizeof(*f));
    if (f == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    f->log = log;
    pthread_mutex_init(&f->mutex, NULL);
    *out = f;
    return CL_OK;
}

void cl_failures_free(struct cl_failures *f)
{
    if (f == NULL) {
        return;
    }
    cl_failures_tick(f);
    pthread_mutex_destroy(&f->mutex);
    cl_free(f);
}

static struct kind *find(struct cl_failures *f, const char *what, int code)
{
    for (size_t i = 0; i < f->num_kinds; i++) {
        if (f->kinds[i].code == code && strcmp(f->kinds[i].what, what) == 0) {
            return &f->kinds[i];
        }
    }
    if (f->num_kinds == CL_FAILURES_KINDS) {
        f->kinds[CL_FAILURES_KINDS].what = "failures of other kinds";
        return &f->kinds[CL_FAILURES_KINDS];
    }
    f->kinds[f->num_kinds] = (struct kind){.what = what, .code = code};
    return &f->kinds[f->num_kinds++];
}

bool cl_failures_count(struct cl_failures *f, const char *what, int code)
{
    pthread_mutex_lock(&f->mutex);
    bool line = ++find(f, what, code)->num <= CL_FAILURES_LINES;
    pthread_mutex_unlock(&f->mutex);
    return line;
}

void cl_failures_tick(struct cl_failures *f)
{
    pthread_mutex_lock(&f->mutex);
    for (size_t i = 0; i <= CL_FAILURES_KINDS; i++) {
        struct kind *k = &f->kinds[i];
        if (k->num > CL_FAILURES_LINES) {
            cl_log_line(f->log, "cleat: and %llu more like this: %s%s%s",
                        (unsigned long long)(k->num - CL_FAILURES_LINES), k->what,
                        k->code != 0 ? ": " : "", k->code != 0 ? cleat_error_name(k->code) : "");
        }
        *k = (struct kind){0};
    }
    f->num_kinds = 0;
    pthread_mutex_unlock(&f->mutex);
}
