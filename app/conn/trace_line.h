/* conn/trace_line.h - how the trace's parts write a line. For conn/trace*.c only. */
#ifndef CL_CONN_TRACE_LINE_H
#define CL_CONN_TRACE_LINE_H

#include <jansson.h>

#include "conn/trace.h"

/* 1,024: longer lines are cut; the JSON has all of it */
#define CL_TRACE_LINE_SIZE 1024

struct cl_trace {
    FILE *human;
    FILE *json;
    bool colour;
    uint64_t start_us;
};

enum cl_trace_mark {
    CL_TRACE_INFO,
    CL_TRACE_SENT,
    CL_TRACE_RECEIVED,
    CL_TRACE_GOOD,
    CL_TRACE_BAD,
};

/* cl_trace_say writes a human line, if people listen. Control bytes are replaced. */
void cl_trace_say(struct cl_trace *t, enum cl_trace_mark mark, const char *topic, const char *fmt,
                  ...) __attribute__((format(printf, 4, 5)));

/* cl_trace_begin starts a JSON line; NULL when programs do not listen. Members are added with
 * json_object_set_new (which takes NULL objects and values calmly); cl_trace_end writes it and
 * drops it. */
json_t *cl_trace_begin(struct cl_trace *t, const char *event);
void cl_trace_end(struct cl_trace *t, json_t *line);
void cl_trace_set_text(json_t *line, const char *key, const char *value);
void cl_trace_set_ms(json_t *line, const char *key, uint64_t us);

#endif
