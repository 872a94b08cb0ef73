/* cli/ws_replay.h - a recording of `cleat ws --record`: what was sent, and when; what was received.
 */
#ifndef CL_CLI_WS_REPLAY_H
#define CL_CLI_WS_REPLAY_H

#include "base/buf.h"

/* 256 MiB: a recording is kept in memory */
#define WS_MAX_RECORDING (256u << 20)

struct ws_recorded {
    uint64_t at_us; /* since the connection was open */
    bool sent, binary;
    uint8_t *p;
    size_t len;
};

struct ws_replay {
    struct ws_recorded *items;
    size_t num;
    size_t next_sent;     /* the first item from here that was sent is the next to send */
    size_t next_received; /* the first from here that was received is what has to come */
    size_t num_compared;
    uint64_t end_us; /* when the recording ends */
};

/* ws_replay_load reads a recording. BAD_CONFIG (err names the line), NOMEM. *r is to be deinited
 * whatever comes back. */
CL_MUST cl_result ws_replay_load(struct ws_replay *r, const char *path, struct cleat_error *err);
void ws_replay_deinit(struct ws_replay *r);

/* ws_replay_to_send gives the next message to send; NULL: there is none. ws_replay_sent takes it
 * off.
 */
const struct ws_recorded *ws_replay_to_send(struct ws_replay *r);
void ws_replay_sent(struct ws_replay *r);

/* ws_replay_compare takes off the next message that was received, and tells whether it is this one;
 * why gets how they differ, in words. */
#define WS_REPLAY_WHY 160
bool ws_replay_compare(struct ws_replay *r, bool binary, const uint8_t *p, size_t len,
                       char why[WS_REPLAY_WHY]);

/* ws_replay_missing counts the received messages that have not come yet. */
size_t ws_replay_missing(const struct ws_replay *r);

#endif
