/* record/recording.h - a recording that was read: lines of JSON, in memory. docs/recordings.md has
 * the format.
 */
#ifndef CL_RECORD_RECORDING_H
#define CL_RECORD_RECORDING_H

#include <jansson.h>

#include "base/bytes.h"
#include "base/result.h"

/* 268,435,456 = 256 MiB: what crosses the wire (CL_REC_MAX_WIRE) in two digits a byte, and what
 * was written likewise */
#define CL_REC_MAX_FILE  (256u << 20)
/* 4,194,304: a line is a call with at most two buffers of some KB, or some certificates */
#define CL_REC_MAX_LINE  (4u << 20)
/* 1,000,000 calls: with the shortest useful records, more than the longest recording has */
#define CL_REC_MAX_LINES 1000000

struct cl_recording {
    json_t **lines; /* objects */
    size_t num;
    bool secrets;
    const json_t *config; /* of the second line */
    const json_t *open;   /* the third */
    size_t first;         /* index of the first line behind it */
    const json_t *end;    /* the last line, or NULL: the recording breaks off */
    bool intact;          /* the digest in it is right */
};

/* cl_recording_parse reads the bytes of a recording. BAD_CONFIG (err names the line and what is
 * wrong with it), UNSUPPORTED (another format), NOMEM. *out is to be deinited whatever comes back.
 */
CL_MUST cl_result cl_recording_parse(struct cl_recording *out, const char *p, size_t len,
                                     struct cleat_error *err);
void cl_recording_deinit(struct cl_recording *rec);

#endif
