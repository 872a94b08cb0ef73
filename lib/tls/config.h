/* tls/config.h - a configuration once it is built: immutable, reference-counted, shared by threads.
 */
#ifndef CL_TLS_CONFIG_H
#define CL_TLS_CONFIG_H

#include "base/buf.h"
#include "cleat/ct.h"
#include "cleat/ech.h"
#include "cleat/dane.h"
#include "cleat/revocation.h"
#include "cleat/tls.h"
#include "cleat/tls_early.h"
#include "cleat/tls_options.h"
#include "crypto/kex.h"
#include "crypto/key.h"
#include "crypto/rand.h"
#include "tls/cache.h"
#include "tls/compress.h"
#include "tls/suite.h"
#include "tls/ticket.h"
#include "x509/chain.h"
#include "x509/trust.h"

/* 80, 16, 8, 24: all suites, groups, finite fields or schemes there are, and room */
#define CL_CONFIG_MAX_SUITES      80
#define CL_CONFIG_MAX_GROUPS      16
#define CL_CONFIG_MAX_FIELDS      8
#define CL_CONFIG_MAX_SCHEMES     24
/* 64: certificates of one configuration; more names belong into configurations of their own, chosen
 * by CLEAT_DECIDE_CONFIG */
#define CL_CONFIG_MAX_CREDENTIALS 64
/* 8: a browser opens six connections to a host, one ticket each and two to spare */
#define CL_CONFIG_MAX_TICKETS     8
/* 2: one for a reload, one for a second connection (RFC 9846 C.4: each is best used once) */
#define CL_CONFIG_DEFAULT_TICKETS 2
#define CL_CONFIG_DIGEST_LEN      32

/* What may travel with a leaf in its Certificate message, as bits. */
#define CL_PROOF_STAPLE 1u
#define CL_PROOF_SCTS   2u
#define CL_PROOF_KINDS  4u

/* Whether a client that offers no ECH sends a dummy. */
enum cl_ech_grease {
    CL_ECH_GREASE_AS_ALL, /* as `grease` says */
    CL_ECH_GREASE_ON,
    CL_ECH_GREASE_OFF,
};

struct cl_tape;

/* 64: keys that one peer, or a small fleet, has; larger sets belong to CLEAT_DECIDE_PEER */
#define CL_PIN_MAX 64
#define CL_PIN_LEN 32

/* SHA-256 of SubjectPublicKeyInfos. */
struct cl_pins {
    uint8_t (*items)[CL_PIN_LEN];
    size_t num;
};

struct cl_credential {
    struct cleat_chain *chain; /* NULL: the key is shown by itself (RFC 7250) */
    struct cleat_key *key;
    /* Messages, header and all, made once and only read afterwards: Certificate of TLS 1.3 with an
     * empty context, for each set of proofs that there are; Certificate and CertificateStatus of
     * TLS 1.2, the latter empty without a staple. */
    struct cl_buf message_13[CL_PROOF_KINDS];
    struct cl_buf message_12;
    struct cl_buf status_12;
    /* server: CompressedCertificate messages, made once, for each algorithm and set of proofs;
     * empty where compressing saves nothing */
    struct cl_buf compressed[CL_COMPRESS_MAX][CL_PROOF_KINDS];
    struct cl_buf staple;     /* OCSPResponse, DER; empty: none */
    uint64_t staple_until_ms; /* not sent from then on; 0: always */
    struct cl_buf scts;       /* SignedCertificateTimestampList; empty: none */
    const struct cl_sig_alg *schemes[CL_CONFIG_MAX_SCHEMES]; /* to sign with; none: the config's */
    size_t num_schemes;
    bool match_issuer; /* only for peers that name an issuer of the chain */
};

struct cleat_tls_config {
    int refs;                      /* atomic */
    struct cleat_tls_config *base; /* whose parts these are, but for the credentials; or NULL */
    enum cleat_role role;
    uint64_t (*now)(void *ctx);
    void *now_ctx;
    uint64_t (*stopwatch)(void *ctx); /* nanoseconds, for proofs; or NULL */
    void *stopwatch_ctx;
    struct cl_rng rng;

    struct cl_credential *credentials;
    size_t num_credentials;
    bool credentials_in_order; /* server: the first that fits, not the best scheme */
    struct cleat_trust_store *trust;
    struct cleat_verify_cache *verify_cache;    /* or NULL */
    struct cleat_dane *dane;                    /* or NULL */
    struct cleat_revocation_options revocation; /* with references of its own */
    enum cleat_ct ct;
    struct cleat_ct_logs *ct_logs; /* or NULL */
    struct cl_buf authorities;     /* DistinguishedName[] to be named, instead of the anchors' */
    bool authorities_set;
    enum cleat_client_auth client_auth;
    uint8_t peer_types[2]; /* enum cleat_cert_type, taken from the peer (raw_key.h) */
    size_t num_peer_types;
    uint8_t own_types[2]; /* client: offered; none: those of the credentials */
    size_t num_own_types;
    struct cl_pins raw_pins; /* raw public keys that are trusted */
    struct cl_pins pins;     /* client: of the server's key, whatever else is verified */
    unsigned decisions;
    struct cl_psk *psks; /* external ones (psk.h) */
    size_t num_psks;
    uint8_t psk_modes;      /* bits of enum cleat_psk_mode */
    struct cl_buf psk_hint; /* TLS 1.2, server */
    bool ask_status;        /* ask the peer for an OCSP response and SCTs */

    uint16_t version_min;
    uint16_t version_max;
    const struct cl_suite *suites[CL_CONFIG_MAX_SUITES];
    size_t num_suites;
    const struct cl_group *groups[CL_CONFIG_MAX_GROUPS];
    size_t num_groups;
    const struct cl_group *fields[CL_CONFIG_MAX_FIELDS]; /* for DHE (RFC 7919) */
    size_t num_fields;                                   /* 0: no suite has it */
    const struct cl_sig_alg *schemes[CL_CONFIG_MAX_SCHEMES];
    size_t num_schemes;
    unsigned min_rsa_bits;      /* of every RSA key, ours and the peer's */
    bool legacy;                /* the profile: suites with a known weakness may be named */
    bool without_master_secret; /* TLS 1.2: peers without the extended one (RFC 7627) are let in */
    bool renegotiation_ends;    /* server of TLS 1.2: a wish for it is fatal */
    bool fallback;              /* client: this is a second attempt (RFC 7507) */
    enum cleat_false_start false_start; /* client (RFC 7918) */
    bool insist_on_credential;          /* client: none that fits is a failure */
    struct cl_buf alpn;                 /* ProtocolNameList without its outer length */
    struct cl_buf alpn_text; /* the same with a NUL for each length, and one at the end */

    struct cleat_ticket_keys *ticket_keys;
    struct cleat_session_cache *session_cache; /* TLS 1.2: sessions by ID */
    unsigned num_tickets;
    char *binding_name;
    /* Over everything that a resumed session must share with this configuration. */
    uint8_t digest[CL_CONFIG_DIGEST_LEN];
    uint64_t rekey_records;
    uint16_t record_size_limit; /* RFC 8449; 0: not offered by a client */
    uint16_t pad_to;            /* application data, to a multiple of it; 0: no padding */
    uint16_t max_fragment; /* plaintext of a record that is sent; 0: what the protocol allows */
    bool small_first_records;
    bool prefer_chacha20;                                       /* server: where the client does */
    bool grease;                                                /* RFC 8701 */
    const struct cl_compression *compressions[CL_COMPRESS_MAX]; /* of certificates (RFC 8879) */
    size_t num_compressions;
    bool permute;
    uint8_t ech_grease;              /* enum cl_ech_grease: RFC 9849 6.2 */
    bool ech_backend;                /* server: split mode */
    struct cleat_ech_keys *ech_keys; /* server; or NULL */
    bool late_auth;                  /* post-handshake authentication (RFC 9846 4.7.2) */
    bool ask_tickets;                /* RFC 9149 */
    bool no_resumption;
    uint8_t ask_tickets_new;
    uint8_t ask_tickets_resumed;

    uint32_t early_max; /* bytes of early data that tickets allow; 0: none */
    uint32_t early_window_ms;
    struct cleat_strike strike;

    cleat_event_sink sink;
    void *sink_ctx;
    bool sink_secrets;
    bool fingerprints; /* told to the sink */

    /* Tests only (tls/hook.h). */
    void (*message_hook)(void *ctx, struct cleat_tls *tls, uint8_t type, struct cl_buf *flight,
                         size_t start);
    void *message_hook_ctx;
    const struct cl_tape *tape; /* client: a recording's or a replay's (tls/tape.h), or NULL */
};

/* cl_config_has_dhe says whether a suite with DHE is switched on. */
bool cl_config_has_dhe(const struct cleat_tls_config *config);

static inline uint64_t cl_config_now(const struct cleat_tls_config *config)
{
    return config->now(config->now_ctx);
}

/* config_staples.c: cl_staple_is_current tells whether there is a response to be sent now. */
bool cl_staple_is_current(const struct cleat_tls_config *config, const struct cl_credential *c);

/* cl_config_prepare_credential makes what is sent of a credential that is complete. */
CL_MUST cl_result cl_config_prepare_credential(const struct cleat_tls_config *config,
                                               struct cl_credential *c);
void cl_credential_deinit(struct cl_credential *c);

/* config_revocation.c: cl_revocation_digest adds to a configuration's digest what decides whether a
 * peer was revoked. */
void cl_revocation_deinit(struct cleat_revocation_options *own);
void cl_revocation_digest(const struct cleat_revocation_options *own, struct cl_hash *h);

/* config_dane.c: cl_dane_bind adds a set of TLSA records to a configuration's digest; none:
 * nothing.
 */
void cl_dane_bind(const struct cleat_dane *set, struct cl_hash *h);

#endif
