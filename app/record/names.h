/* record/names.h - what things are called in a recording (docs/recordings.md), in the order of the
 * enums that they stand for.
 */
#ifndef CL_RECORD_NAMES_H
#define CL_RECORD_NAMES_H

#include <stddef.h>

/* The first line's "cleat-recording". It goes up when a recording cannot be replayed as before. */
#define CL_REC_FORMAT 1

/* enum cleat_tls_next */
#define CL_REC_NUM_NEXTS 8
extern const char *const cl_rec_nexts[CL_REC_NUM_NEXTS];

/* enum cl_job_kind */
#define CL_REC_NUM_JOBS 8
extern const char *const cl_rec_jobs[CL_REC_NUM_JOBS];

/* enum cl_tape_value */
#define CL_REC_NUM_VALUES 5
extern const char *const cl_rec_values[CL_REC_NUM_VALUES];

/* 67,108,864 = 64 MiB of what crosses the wire in a connection; what is recorded is replayed from
 * memory */
#define CL_REC_MAX_WIRE (64u << 20)

/* cl_rec_event says what of an event is compared in a replay; NULL for what is not. out is used. */
struct cleat_event;
const char *cl_rec_event(const struct cleat_event *event, char *out, size_t cap);
#define CL_REC_EVENT_SIZE 96

/* cl_rec_decision returns the name of one enum cleat_decision. */
const char *cl_rec_decision(unsigned decision);

#endif
