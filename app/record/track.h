/* record/track.h - what recorder.c and track.c know of each other. */
#ifndef CL_RECORD_TRACK_H
#define CL_RECORD_TRACK_H

#include <stdio.h>

#include "record/json.h"
#include "record/names.h"
#include "record/recorder.h"
#include "tls/tape.h"

struct cl_recorder {
    struct cl_recorder_setup setup;
    struct cl_tape tape;
    struct cl_track *current; /* on whose connection a call is being made */
    FILE *first;              /* until it is used */
    unsigned num_tracks;
    struct cleat_error problem;
};

/* 64: changes of the sending keys in one call; a handshake makes three */
#define CL_TRACK_MARKS 64

struct cl_track {
    struct cl_recorder *recorder;
    FILE *file;
    struct cl_hash digest; /* of the file so far */
    bool over;             /* nothing more is recorded */
    uint64_t seen, used;   /* bytes of input: given to the engine; consumed by it */
    uint64_t wire;         /* bytes recorded, both ways */
    bool anchored;         /* the anchors for the peer's chain are written */
    bool failed;           /* and so is the error */
    struct cl_job *job;    /* that the last step asked for */
    unsigned asked;        /* enum cleat_decision, likewise */

    /* of the call that is being made */
    struct cleat_tls_io *io;
    json_t *times, *values, *opened, *events;
    struct cl_buf random;
    size_t marks[CL_TRACK_MARKS]; /* where in the output the keys change */
    bool mark_withheld[CL_TRACK_MARKS];
    size_t num_marks;
    bool reading_withheld; /* what is read is under keys that the recording does not have */
    bool sending_withheld;
};

/* cl_track_mark: what is sent from `at` on is (or is not) under keys that are withheld. */
void cl_track_mark(struct cl_track *t, size_t at, bool withheld);

/* cl_recorder_next_file opens the file of one more connection; NULL, with recorder->problem set. */
FILE *cl_recorder_next_file(struct cl_recorder *r);

#endif
