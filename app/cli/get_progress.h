/* cli/get_progress.h - the bar of several transfers at a time: one line for all of them. */
#ifndef CL_CLI_GET_PROGRESS_H
#define CL_CLI_GET_PROGRESS_H

#include "cli/get_options.h"

struct get_progress {
    bool on;
    bool drawn;
    size_t num, done; /* transfers */
    uint64_t bytes;   /* of those that are done */
    uint64_t start_us, drawn_us;
};

/* get_progress_init: it is drawn with -Z, where one of a single transfer would be. */
void get_progress_init(struct get_progress *p, const struct get_options *o);

/* get_progress_draw draws it, unless it has just been; running: bytes of those under way.
 * get_progress_clear takes it off the screen, before anything else is written. */
void get_progress_draw(struct get_progress *p, uint64_t running);
void get_progress_clear(struct get_progress *p);

#endif
