/* tls/ticket_keys.h - the ring of ticket keys: one seals, the next is there already, older ones
 * open for as long as a ticket lives. */
#ifndef CL_TLS_TICKET_KEYS_H
#define CL_TLS_TICKET_KEYS_H

#include "cleat/session.h"
#include "tls/ticket.h"

#define CL_TICKET_NAME_LEN 16
#define CL_TICKET_KEY_LEN  32

struct cl_ticket_key {
    uint8_t bytes[CLEAT_TICKET_KEY_LONG]; /* name, then what key is derived from */
    uint8_t name[CL_TICKET_NAME_LEN];
    uint8_t key[CL_TICKET_KEY_LEN]; /* of AES-256-GCM */
    uint64_t began_ms;              /* when it began to seal */
    uint64_t num_sealed;
    bool valid;
};

/* cl_ticket_key_current copies the key that seals at now, and counts a use; the ring rotates here.
 * RANDOM; LIMIT: the keys were set from outside, and the first has sealed as many as is safe. */
CL_MUST cl_result cl_ticket_key_current(struct cleat_ticket_keys *keys, const struct cl_rng *rng,
                                        uint64_t now_ms, struct cl_ticket_key *out);

/* cl_ticket_key_find copies the key of a name if it still opens at now. */
CL_RD_MUST bool cl_ticket_key_find(struct cleat_ticket_keys *keys, struct cl_rd name,
                                   uint64_t now_ms, struct cl_ticket_key *out);

#endif
