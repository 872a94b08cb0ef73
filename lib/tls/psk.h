/* tls/psk.h - external pre-shared keys (RFC 9846 2.2, 4.3.11) and the importer (RFC 9258); and what
 * a client offers in pre_shared_key, the ticket first. */
#ifndef CL_TLS_PSK_H
#define CL_TLS_PSK_H

#include "base/buf.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "tls/schedule.h"

struct cleat_tls;
struct cleat_tls_config;

/* 4,096: a server's table is searched from end to end; more keys belong behind CLEAT_DECIDE_CONFIG
 */
#define CL_PSK_MAX_NUM      4096
/* 8: external PSKs that a client offers at once, 35 bytes of binder each */
#define CL_PSK_MAX_OFFERED  8
/* 1,024: identities of people and devices have 100 bytes; a ClientHello has to hold them */
#define CL_PSK_MAX_IDENTITY 1024
/* 128: RFC 4279 5.3, what every client takes */
#define CL_PSK_MAX_HINT     128
/* 16: RFC 9257 4.2 asks for 128 bits of entropy at least */
#define CL_PSK_MIN_KEY      16

/* One identity as it stands on the wire; an imported key has one for each hash. */
struct cl_psk {
    struct cl_buf identity;
    struct cl_buf name; /* as the application gave it */
    struct cl_secret key;
    enum cl_hash_id hash;
    const char *binder_label;
    bool imported; /* for TLS 1.3 alone */
};

/* cl_psk_import derives the key of an ImportedIdentity for a target hash (RFC 9258 4.1). identity
 * gets the structure's bytes. NOMEM. */
CL_MUST cl_result cl_psk_import(struct cl_psk *psk, struct cl_rd external_identity,
                                struct cl_rd context, struct cl_rd key, enum cl_hash_id key_hash);

void cl_psk_free_all(struct cl_psk *psks, size_t num);

/* cl_psk_find returns the configuration's PSK of an identity on the wire, or NULL. */
const struct cl_psk *cl_psk_find(const struct cleat_tls_config *config, struct cl_rd identity);

/* cl_psk_of_12 returns the PSK that a client uses in TLS 1.2, the first raw one; a server's raw one
 * of an identity. NULL: none. */
const struct cl_psk *cl_psk_of_12(const struct cleat_tls_config *config);
const struct cl_psk *cl_psk_find_12(const struct cleat_tls_config *config, struct cl_rd identity);

/* What a client offers. Views into session and configuration. */
struct cl_psk_offer {
    struct cl_rd identity;
    uint32_t age; /* obfuscated; 0 for external ones (RFC 9846 4.3.11) */
    const struct cl_secret *key;
    enum cl_hash_id hash;
    const char *binder_label;
    const struct cl_psk *external; /* NULL: the ticket */
};

/* cl_psk_offers lists them in the order of the extension; returns how many. After a
 * HelloRetryRequest, those alone whose hash is its suite's. */
size_t cl_psk_offers(const struct cleat_tls *tls, struct cl_psk_offer out[CL_PSK_MAX_OFFERED + 1]);

/* cl_psk_binder computes a binder over the running transcript (if there is one) and the ClientHello
 * up to its binders. early is the schedule of the PSK. */
void cl_psk_binder(const struct cleat_tls *tls, const struct cl_schedule *early, const char *label,
                   struct cl_rd hello, uint8_t mac[CL_HASH_MAX_LEN]);

#endif
