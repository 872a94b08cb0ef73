/* tls/ticket.h - session tickets: stateless, sealed under rotating keys (RFC 9846 4.7.1, RFC 5077
 * 4).
 *
 * A ticket is key name (16) | nonce (12) | AES-256-GCM of the state.
 */
#ifndef CL_TLS_TICKET_H
#define CL_TLS_TICKET_H

#include "base/buf.h"
#include "base/mem.h"
#include "cleat/tls.h"
#include "crypto/rand.h"

/* 4,096: a client certificate that a ticket carries; a longer one gets no ticket */
#define CL_TICKET_MAX_CERT     4096
/* 604,800: RFC 9846 4.7.1 "MUST NOT use any value greater than 604800 seconds (7 days)" */
#define CL_TICKET_MAX_LIFETIME 604800
#define CL_TICKET_MAX_LEN      (CL_TICKET_MAX_CERT + 1024)
/* 512: what a ticket without a client certificate takes, with the longest server name; room for it
 * on the stack */
#define CL_TICKET_ROOM         512

/* What a ticket says. Views point into the opened ticket. */
struct cl_ticket {
    uint16_t version;
    uint16_t suite;
    uint64_t created_ms; /* when this ticket was issued */
    uint64_t expires_ms; /* no resumption after it: lifetime, or the client certificate's end */
    uint64_t began_ms;   /* the full handshake that this ticket goes back to */
    uint32_t age_add;
    uint32_t early_max; /* bytes of early data that it allows */
    struct cl_secret psk;
    struct cl_rd digest;       /* of the configuration that made it */
    struct cl_rd server_name;  /* lower case, or empty */
    struct cl_rd alpn;         /* as selected, or empty */
    struct cl_rd peer_cert;    /* the client's leaf, DER, or empty */
    bool peer_is_raw;          /* or its raw public key */
    struct cl_rd psk_identity; /* of the external PSK, where the suite is one with PSK (TLS 1.2) */
    bool peer_authenticated;
};

/* cl_ticket_build_state and cl_ticket_parse_state: the state as bytes and back (views into them);
 * false for bytes that are none. */
void cl_ticket_build_state(struct cl_wr *w, const struct cl_ticket *t);
CL_RD_MUST bool cl_ticket_parse_state(struct cl_rd r, struct cl_ticket *t);

uint32_t cl_ticket_lifetime(const struct cleat_ticket_keys *keys);

/* cl_ticket_seal appends the sealed ticket to out. RANDOM, CRYPTO, NOMEM, LIMIT. */
CL_MUST cl_result cl_ticket_seal(struct cleat_ticket_keys *keys, const struct cl_rng *rng,
                                 uint64_t now_ms, const struct cl_ticket *ticket,
                                 struct cl_buf *out);

/* cl_ticket_open decrypts sealed into plain (whose bytes *ticket then views). False when it is not
 * a ticket of ours, its key has expired, or it is damaged: all the same to the caller. */
CL_RD_MUST bool cl_ticket_open(struct cleat_ticket_keys *keys, uint64_t now_ms, struct cl_rd sealed,
                               struct cl_buf *plain, struct cl_ticket *ticket);

#endif
