/* record/replay_impl.h - what the parts of a replay share: replay.c drives the engine,
 * replay_source.c gives it what it takes from outside, replay_compare.c looks at what comes out. */
#ifndef CL_RECORD_REPLAY_IMPL_H
#define CL_RECORD_REPLAY_IMPL_H

#include "record/replay.h"
#include "tls/tape.h"

struct cl_replay {
    const struct cl_recording *rec;
    const struct cl_replay_watch *watch;
    struct cl_replay_result *result;
    struct cleat_error *err;
    struct cleat_tls_config *config;
    struct cleat_tls *tls;
    struct cl_tape tape;
    struct cl_buf in;  /* not yet consumed */
    struct cl_buf out; /* of the call */
    size_t line;       /* its number */
    const json_t *op;  /* NULL: between calls */
    uint64_t now;
    size_t at_time, at_value, at_opened, at_event;
    struct cl_buf random;
    size_t random_used;
    bool reading_withheld;
    char event_why[CL_REPLAY_TEXT]; /* the first event that is another one; or empty */
};

/* cl_replay_differ notes the first difference. */
void cl_replay_differ(struct cl_replay *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* cl_replay_bad: the recording's line cannot be run. */
CL_MUST cl_result cl_replay_bad(struct cl_replay *r, const char *what);

/* cl_replay_sources sets clock, randomness, tape and events of a configuration. */
void cl_replay_sources(struct cl_replay *r, struct cleat_tls_builder *b);

/* cl_replay_enter makes a line the source of everything until cl_replay_leave. */
CL_MUST cl_result cl_replay_enter(struct cl_replay *r, const json_t *op);
void cl_replay_leave(struct cl_replay *r);

/* cl_replay_job and cl_replay_decide give the answer that was given then. */
CL_MUST cl_result cl_replay_job(struct cl_replay *r, const json_t *op);
CL_MUST cl_result cl_replay_decide(struct cl_replay *r, const json_t *op);

/* cl_replay_compare_event looks at an event as it happens; the others at what a call left behind:
 * its output, and how the connection failed. */
void cl_replay_compare_event(struct cl_replay *r, const struct cleat_event *e);
CL_MUST cl_result cl_replay_compare_output(struct cl_replay *r, const json_t *op);
CL_MUST cl_result cl_replay_compare_error(struct cl_replay *r, const json_t *op);

/* cl_replay_code gives the number of an error's name; CLEAT_ERR_INTERNAL for one not known. */
cl_result cl_replay_code(const char *name);

#endif
