/* record/recorder.h - `cleat get --record`: what a client's connections take from outside, and what
 * comes out, written to files as it happens. docs/recordings.md has the format.
 *
 * A recorder gives a configuration its clock, its randomness and its tape; a track is one
 * connection's recording, through whose functions the connection is driven. Every function takes
 * NULL for "no track" and then does what the library's function does. One thread.
 */
#ifndef CL_RECORD_RECORDER_H
#define CL_RECORD_RECORDER_H

#include "base/bytes.h"
#include "base/result.h"
#include "cleat/event.h"
#include "cleat/tls.h"

struct cl_recorder;
struct cl_track;

struct cl_recorder_setup {
    const char *path; /* the first connection's file; the next ones have .2, .3 … behind it */
    bool secrets;     /* everything: who has the file can read what was sent */
    uint64_t (*now)(void *ctx); /* as cleat_tls_builder_clock */
    void *now_ctx;
};

/* cl_recorder_new opens the first file, with mode 0600. BAD_CONFIG (err says why), NOMEM. */
CL_MUST cl_result cl_recorder_new(const struct cl_recorder_setup *setup, struct cl_recorder **out,
                                  struct cleat_error *err);
/* cl_recorder_free: NULL is fine. When all tracks have ended. */
void cl_recorder_free(struct cl_recorder *r);

/* cl_recorder_attach: the recorder outlives the configuration. */
void cl_recorder_attach(struct cl_recorder *r, struct cleat_tls_builder *b);

/* cl_recorder_event: to be called from the configuration's sink. */
void cl_recorder_event(struct cl_recorder *r, const struct cleat_event *event);

/* cl_recorder_problem says what went wrong with the files, or NULL. */
const char *cl_recorder_problem(const struct cl_recorder *r);

/* cl_track_open comes in front of cleat_tls_client_new, whose looks at the clock belong to the
 * recording too; NULL when there is no recorder, or no file can be written. cl_track_begin comes
 * when all is set: ech is what was offered (ECHConfigList), or empty; early_data, that
 * cleat_tls_offer_early_data was called. */
struct cl_track *cl_track_open(struct cl_recorder *r);
void cl_track_begin(struct cl_track *t, struct cleat_tls *tls, struct cl_rd ech, bool early_data);

/* As their namesakes cleat_tls_... */
enum cleat_tls_next cl_track_step(struct cl_track *t, struct cleat_tls *tls,
                                  struct cleat_tls_io *io);
int cl_track_write(struct cl_track *t, struct cleat_tls *tls, struct cleat_tls_io *io,
                   const uint8_t *data, size_t len, size_t *written);
int cl_track_close(struct cl_track *t, struct cleat_tls *tls, struct cleat_tls_io *io);
int cl_track_eof(struct cl_track *t, struct cleat_tls *tls);

/* cl_track_free ends the recording. */
void cl_track_free(struct cl_track *t);

#endif
