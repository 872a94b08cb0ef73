/* tls/tape.h - a seam for recordings of client connections that hold no secret of application data.
 *
 * Not installed, and exported to nobody. Such a recording has the client's and the server's
 * handshake traffic secret, from which no other secret follows, and no (EC)DHE secret, PSK or
 * master secret. So a replay cannot compute everything: what it lacks passes through here, on the
 * way from where it is made to where it is used. While recording the values are noted, in a replay
 * they are put in place. A connection under a replaying tape has keys that nobody else has: it can
 * talk to no peer.
 */
#ifndef CL_TLS_TAPE_H
#define CL_TLS_TAPE_H

#include "tls/conn.h"

enum cl_tape_value {
    CL_TAPE_BINDER,                  /* of a PSK (RFC 9846 4.3.11.2): goes out in clear */
    CL_TAPE_CLIENT_HANDSHAKE_SECRET, /* traffic secrets (RFC 9846 7.1) */
    CL_TAPE_SERVER_HANDSHAKE_SECRET,
    CL_TAPE_CLIENT_FINISHED_12, /* verify_data (RFC 5246 7.4.9) */
    CL_TAPE_SERVER_FINISHED_12,
    CL_TAPE_NUM_VALUES,
};

struct cl_tape {
    /* Sees len bytes, which are as long as they have to be, and may change them. */
    void (*value)(void *ctx, enum cl_tape_value what, uint8_t *bytes, size_t len);
    /* In place of cl_record_open, whose contract it has. */
    cl_result (*open)(void *ctx, struct cl_record_keys *keys, uint8_t *in, size_t size,
                      struct cl_record *out);
    void *ctx;
};

/* cl_tls_builder_tape: for clients; tape outlives the configuration. */
void cl_tls_builder_tape(struct cleat_tls_builder *b, const struct cl_tape *tape);

static inline void cl_tape_pass(const struct cleat_tls *tls, enum cl_tape_value what,
                                uint8_t *bytes, size_t len)
{
    const struct cl_tape *tape = tls->config->tape;
    if (tape != NULL) {
        tape->value(tape->ctx, what, bytes, len);
    }
}

static inline cl_result cl_tape_open(struct cleat_tls *tls, uint8_t *in, size_t size,
                                     struct cl_record *out)
{
    const struct cl_tape *tape = tls->config->tape;
    return tape != NULL ? tape->open(tape->ctx, &tls->rd, in, size, out)
                        : cl_record_open(&tls->rd, in, size, out);
}

#endif
