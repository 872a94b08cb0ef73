/* serve/demo_visit.h - what one connection's visitor will be shown of it: the engine's events as
 * they happened, and when. See demo.h. */
#ifndef CL_SERVE_DEMO_VISIT_H
#define CL_SERVE_DEMO_VISIT_H

#include <jansson.h>

#include "base/result.h"
#include "cleat/event.h"
#include "cleat/fingerprint.h"
#include "cleat/tls.h"

/* 64: a full handshake with client certificate and retry has 13 messages, 9 choices and 6 keys;
 * what a peer makes of it later is told up to here and then no more */
#define CL_DEMO_MAX_EVENTS 64
/* 1,024 bytes: of the sentence about one message; with the limit above, 64 KiB a connection */
#define CL_DEMO_MAX_TEXT   1024

struct cl_demo_visit {
    const struct cleat_tls *tls; /* NULL: a connection without TLS */
    const char *peer;            /* its address; the session's */
    uint64_t began;              /* microseconds, cl_clock_mono_us: accepted */
    uint64_t num_answers;        /* given to it */
    uint64_t num_websockets;     /* that it has carried, or carries */
    json_t *events;              /* an array; us: since `began` */
    bool full;                   /* there were more events */
    char ja3[CLEAT_JA3_LEN + 1]; /* of the first ClientHello; empty: not known */
    char ja4[CLEAT_JA4_LEN + 1];
};

/* cl_demo_visit_new begins one: tls and peer are valid as long as it is asked about. NOMEM.
 * cl_demo_visit_free: NULL is fine. */
CL_MUST cl_result cl_demo_visit_new(const struct cleat_tls *tls, const char *peer,
                                    struct cl_demo_visit **out);
void cl_demo_visit_free(struct cl_demo_visit *visit);

/* cl_demo_visit_event takes what the engine tells; secrets and states are passed over. NULL is
 * fine. */
void cl_demo_visit_event(struct cl_demo_visit *visit, const struct cleat_event *event);

/* cl_demo_text makes a string of bytes of a peer: what is not UTF-8 becomes '?', NULL is null. */
json_t *cl_demo_text(const char *text);

#endif
