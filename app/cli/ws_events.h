/* cli/ws_events.h - what happens on a connection as JSON, an object a line: for --json, and for the
 * file of --record, which --replay reads again.
 *
 * Every line has "schema" (1), "t" (milliseconds since the connection was open) and "event":
 * "open", "message", "ping", "pong", "close", "error". docs/man/cleat-ws.1.scd has the members.
 */
#ifndef CL_CLI_WS_EVENTS_H
#define CL_CLI_WS_EVENTS_H

#include <stdio.h>

#include "cleat/ws.h"
#include "cli/ws_output.h"

/* Goes up when a member changes its meaning or goes away; new ones may come at any time. */
#define WS_EVENTS_SCHEMA 1

struct ws_events {
    struct ws_output *out; /* --json; NULL: not */
    FILE *record;          /* NULL: none */
    uint64_t start_us;     /* cl_clock_mono_us when it was open */
};

void ws_events_open(struct ws_events *e, const char *url, const struct cleat_ws_upgrade *upgrade);
void ws_events_message(struct ws_events *e, bool sent, bool binary, const uint8_t *p, size_t len);

/* ws_events_control tells a ping or pong that was received. rtt: of a pong, in microseconds, or
 * UINT64_MAX. */
void ws_events_control(struct ws_events *e, bool pong, const uint8_t *p, size_t len, uint64_t rtt);

/* ws_events_close tells the end; code: as in struct cl_ws_end. */
void ws_events_close(struct ws_events *e, uint16_t code, const char *reason, bool clean,
                     bool by_us);

/* ws_events_error tells what went wrong. stage: "connect", "upgrade", "messages". */
void ws_events_error(struct ws_events *e, const char *stage, const struct cleat_error *error);

#endif
