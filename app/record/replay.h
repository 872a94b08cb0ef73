/* record/replay.h - a recording run again: the engine gets what it got then, in the same portions,
 * and what it writes, asks for and tells is compared with what it did then.
 *
 * No clock, no randomness of its own, no network: signatures are checked by computing, other jobs
 * have the results that are recorded. It stops at the first difference.
 */
#ifndef CL_RECORD_REPLAY_H
#define CL_RECORD_REPLAY_H

#include "cleat/event.h"
#include "cleat/tls.h"
#include "record/recording.h"

/* Who wants to see it. Each may be NULL. */
struct cl_replay_watch {
    cleat_event_sink sink; /* gets ctx as its own, and NULL as the user */
    /* After each step; now_ms is the time then. */
    void (*stepped)(void *ctx, const struct cleat_tls *tls, enum cleat_tls_next next,
                    uint64_t now_ms);
    void *ctx;
};

#define CL_REPLAY_TEXT 640

struct cl_replay_result {
    bool different;
    size_t line;                 /* of the recording, where the difference is */
    char text[CL_REPLAY_TEXT];   /* what it is */
    char remark[CL_REPLAY_TEXT]; /* what differs and does not count: a sentence's wording; or empty
                                  */
    size_t num_steps;
    uint64_t num_bytes;   /* written, and compared byte for byte */
    uint64_t num_lengths; /* bytes under keys that the recording does not have: lengths compared */
    uint64_t num_read;
    bool established;
    struct cleat_error error; /* how the connection failed; code 0: it did not */
};

/* cl_replay_run: CL_OK whether or not there is a difference; BAD_CONFIG, UNSUPPORTED (err says
 * where and why) when the recording cannot be run; NOMEM. */
CL_MUST cl_result cl_replay_run(const struct cl_recording *rec, const struct cl_replay_watch *watch,
                                struct cl_replay_result *out, struct cleat_error *err);

#endif
