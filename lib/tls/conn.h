/* tls/conn.h - a connection: what stays for its whole life, and the handshake state that does not.
 *
 * struct cl_hs is one allocation, freed the moment the handshake is done. The state and its
 * transition table live in the connection, because messages arrive after the handshake too.
 */
#ifndef CL_TLS_CONN_H
#define CL_TLS_CONN_H

#include "base/buf.h"
#include "base/mem.h"
#include "cleat/tls.h"
#include "crypto/job.h"
#include "tls/client_hello.h"
#include "tls/config.h"
#include "tls/grease.h"
#include "tls/record.h"
#include "tls/schedule.h"
#include "tls/session.h"
#include "x509/verify.h"

/* 131,400: no less than a ClientHello; a Certificate message with long post-quantum chains has
 * perhaps 60 KB, nothing else comes near */
#define CL_HS_MAX_MESSAGE       131400
/* 131,400: the longest ClientHello that its own length fields allow (RFC 9846 4.2.2), so that none
 * is refused for its length. One with hybrid shares, a large ticket and ECH has 4 KB; memory is
 * taken as the bytes come, and the handshake's deadline is the application's */
#define CL_HS_MAX_HELLO         131400
/* Room that a handshake's state has for what nearly every handshake needs; what outgrows it gets a
 * block of its own. 640: a ClientHello with classical key shares and a ticket. 2,048: a server's
 * flight with a short chain of ECDSA certificates. 192: what CertificateVerify signs in TLS 1.3
 * (at most 162 bytes), and a ServerKeyExchange with its randoms. 112: an ECDSA signature of P-384
 * (at most 104 bytes) */
#define CL_HS_ROOM_HELLO        640
#define CL_HS_ROOM_FLIGHT       2048
#define CL_HS_ROOM_CONTENT      192
#define CL_HS_ROOM_SIGNATURE    112
/* 32: empty records, change_cipher_spec records, warnings and KeyUpdates in a row without progress;
 * honest peers send one or two */
#define CL_MAX_IDLE_RECORDS     32
/* 4: warning alerts in a row; honest peers send one */
#define CL_MAX_IDLE_ALERTS      4
/* 8 (CL_CONFIG_MAX_TICKETS): tickets waiting for cleat_tls_take_session */
#define CL_MAX_WAITING_SESSIONS 8

struct cl_ech;
struct cl_hs_row;
struct cl_psk;
struct cl_version;

/* A handshake message: type, body, and the whole with its header. Views, valid in the handler only.
 */
struct cl_msg {
    uint8_t type;
    struct cl_rd body;
    struct cl_rd whole;
};

/* The extensions of a ServerHello or HelloRetryRequest; views, valid in the handler only. */
struct cl_server_hello {
    uint16_t version; /* supported_versions; 0: absent */
    uint16_t group;   /* key_share; 0: absent */
    struct cl_rd share;
    struct cl_rd cookie;
    struct cl_rd ech; /* the confirmation in a HelloRetryRequest; p == NULL: absent */
    bool has_psk;
    uint16_t psk_index;
};

/* The state of a handshake: one block, with room for the buffers that a common one fills. */
struct cl_hs {
    struct cl_job job;            /* the one asymmetric operation in progress */
    struct cl_verify *verify;     /* the peer's chain being verified, by jobs of its own */
    struct cl_job *waiting;       /* &job or the verifier's */
    struct cl_evidence *evidence; /* that the application supplied, or NULL (peer.c) */

    struct cl_hash transcript; /* runs from the moment the hash is known */
    bool transcript_started;
    struct cl_schedule schedule;
    struct cl_secret client_hs;
    struct cl_secret server_hs;

    struct cl_buf first_hello;     /* server: the ClientHello before a HelloRetryRequest */
    struct cl_buf hello;           /* the newest ClientHello, whole, as sent or received */
    struct cl_client_hello parsed; /* views into hello (server) */
    uint8_t client_random[CL_RANDOM_LEN];
    uint8_t session_id[32];
    uint8_t session_id_len;

    /* TLS 1.2 */
    uint8_t server_random[CL_RANDOM_LEN];
    struct cl_secret master;
    uint8_t key_block[2 * (CL_HASH_MAX_LEN + CL_AEAD_MAX_KEY_LEN + CL_AEAD_NONCE_LEN)];
    bool key_block_made;
    struct cl_buf messages; /* all of them, while a CertificateVerify may sign them */
    bool keep_messages;
    bool encrypt_then_mac;      /* agreed, for a CBC suite */
    struct cl_buf encrypted;    /* RSA key exchange: the premaster secret on the wire */
    struct cl_buf field_secret; /* DHE: what was agreed on */
    bool messages_lost;         /* memory was short */
    bool ticket_expected;       /* a NewSessionTicket comes, or is to be sent */
    struct cl_buf new_ticket;   /* client: from NewSessionTicket */
    uint32_t ticket_lifetime;
    bool finished_seen;          /* the first of the two, whose verify_data is tls-unique */
    struct cl_sig_alg scheme_12; /* scheme, freed from the curve (RFC 8422 5.10) */

    struct cl_buf flight; /* messages built, not yet sealed */
    size_t flight_sealed; /* bytes of it already sealed */
    bool ccs_pending;     /* a change_cipher_spec record goes out before the next flight */
    bool ccs_sent;

    struct cl_kex_key *kex_key; /* client: our ephemeral key */
    uint8_t share[CL_GROUP_MAX_SHARE];
    size_t share_len;
    struct cl_buf peer_share;
    const struct cl_group *share_group; /* of kex_key, or of the share being answered */
    /* client: the share beside the first one, until one of them is taken (shares.h) */
    const struct cl_group *second_group; /* NULL: none */
    struct cl_kex_key *second_key;
    struct cl_buf second_share;
    const struct cl_group *hrr_group;    /* asked for in a HelloRetryRequest */
    struct cl_server_hello server_hello; /* client: what the last one said */
    struct cl_buf cookie;
    bool retried;

    struct cl_grease grease; /* client */
    struct cl_ech *ech;      /* Encrypted Client Hello (ech.h), or NULL */
    uint32_t ext_offered;    /* extensions we sent that the peer may answer; bits by table row */

    const struct cl_credential *credential;   /* ours */
    const struct cl_sig_alg *scheme;          /* for our signature */
    struct cl_buf signature;                  /* made by us, or received */
    struct cl_buf signed_content;             /* what CertificateVerify signs */
    const struct cl_compression *compression; /* of our certificate; NULL: none */
    struct cl_pubkey *peer_key; /* the peer's, where it shows no certificate (raw_key.h) */

    bool psk_selected;
    bool psk_before_retry; /* server: one was good in the first ClientHello */
    bool psk_alone;        /* server: psk_ke, no (EC)DHE */
    uint16_t psk_index;
    uint32_t psk_age;                         /* server: obfuscated_ticket_age of that PSK */
    uint8_t psk_binder[CLEAT_STRIKE_KEY_LEN]; /* server: of its binder, which was checked */
    struct cl_secret psk;
    struct cleat_tls_session *session; /* client: offered */
    struct cl_buf ticket_plain;        /* server: the opened ticket that is resumed */
    struct cl_ticket ticket;           /* server: views into ticket_plain */

    /* after the handshake (late_auth.c) */
    bool late;
    bool late_required; /* server: an empty answer ends the connection */
    bool late_accepted; /* server: the chain is good; Finished is still to come */
    bool late_busy;     /* between the first and the last message of the client's answer */
    bool late_spent;    /* client: all is built; freed once the flight is out */
    struct cl_buf request_context; /* certificate_request_context; empty in the handshake */

    bool cert_requested; /* client: the server sent a CertificateRequest */
    /* client: from CertificateRequest */
    struct cl_buf peer_schemes;     /* SignatureScheme[] */
    struct cl_buf peer_authorities; /* DistinguishedName[] */
    bool takes_rsa;
    bool takes_ecdsa;
    bool status_promised; /* TLS 1.2: a CertificateStatus follows the Certificate */
    bool staple_wanted;   /* the peer asks for an OCSP response of our certificate */
    bool scts_wanted;
    bool client_type_agreed; /* server: client_certificate_type is to be answered */

    uint32_t early_left;     /* bytes of early data to be sent or taken; to be skipped, plus 1 */
    struct cl_rd early_alpn; /* client: the session's protocol, in the configuration's list */
    struct cl_secret early_traffic;
    struct cl_secret early_exporter;

    enum cleat_decision decision; /* being asked */
    bool decided;

    /* Lent to the buffers named alike; not zeroed. */
    struct cl_hs_room {
        uint8_t hello[CL_HS_ROOM_HELLO];
        uint8_t flight[CL_HS_ROOM_FLIGHT];
        uint8_t signed_content[CL_HS_ROOM_CONTENT];
        uint8_t signature[CL_HS_ROOM_SIGNATURE];
    } room;
};

struct cleat_tls {
    struct cleat_tls_config *config;
    void *user;
    struct cleat_error *error;
    struct cl_hs *hs;

    const struct cl_version *protocol; /* NULL until it is negotiated */
    const struct cl_hs_row *rows;
    const struct cl_hs_row *row; /* whose handler runs */
    uint8_t state;
    uint8_t row_at; /* of the state's first row in rows */
    uint8_t role;
    uint16_t version;

    struct cl_record_keys rd;
    struct cl_record_keys wr;
    const struct cl_suite *suite;
    const struct cl_group *group;
    const struct cl_psk *psk;             /* the external one that is used; the configuration's */
    const struct cl_credential *own;      /* whose certificate we sent in this handshake */
    const struct cl_sig_alg *peer_scheme; /* of the signature that authenticated the server */
    const struct cl_compression *cert_compression; /* of the server's certificate, or NULL */
    struct cl_secret exporter;                     /* TLS 1.2: the master secret */
    union {                                        /* by protocol */
        struct {
            struct cl_secret client_app;
            struct cl_secret server_app;
            struct cl_secret resumption;
        };
        struct {
            uint8_t randoms_12[2 * CL_RANDOM_LEN];      /* client's, server's: for exporters */
            uint8_t first_finished[CL_VERIFY_DATA_LEN]; /* tls-unique (RFC 5929 3) */
        };
    };
    struct cl_hash *main_transcript; /* up to the client's Finished, for late_auth.c; or NULL */
    uint8_t *cached_id;              /* server, TLS 1.2: the session's name in the cache, or NULL */

    /* Handshake bytes of the current record not yet parsed (a view into the caller's input), and
     * those kept from records before it. */
    struct cl_rd cur;
    struct cl_buf hs_in;
    size_t hs_in_used;

    char *server_name;
    struct cl_rd alpn;        /* view into the configuration's list */
    struct cl_buf peer_chain; /* DER certificates, each with a 24-bit length in front; or, when
                               * peer_is_raw, one SubjectPublicKeyInfo */
    struct cleat_cert *peer_leaf;
    struct cl_buf peer_staple; /* OCSPResponse that came with the leaf */
    struct cl_buf peer_scts;   /* SignedCertificateTimestampList, likewise */
    int64_t peer_not_after;    /* of the leaf, Unix seconds; also after a resumption */
    struct cleat_verdict *verdict;
    struct cleat_tls_session *sessions; /* for cleat_tls_take_session, newest first */

    /* for small_first_records (burst.c) */
    uint64_t last_write_ms;
    uint32_t burst_len; /* bytes written since the connection was idle, up to the threshold */
    uint8_t early_data; /* enum cleat_early_data */
    bool early_resend;  /* client: it was rejected, and what was agreed fits it still */

    struct cl_buf *ech_retry; /* client: configurations from a server that rejected ECH, or NULL */
    uint64_t num_key_updates;
    uint8_t idle_records;
    uint8_t idle_alerts;
    uint8_t idle_key_updates; /* since application data came */
    uint8_t alert_pending;    /* 0: none; else alert + 1 */
    uint8_t peer_type;        /* enum cleat_cert_type agreed for the peer's Certificate messages */
    uint8_t own_type;         /* and for ours */
    uint8_t ech_status;       /* enum cleat_ech_status */
    bool peer_is_raw;
    bool key_update_pending;
    bool no_renegotiation_pending; /* TLS 1.2: the warning is to be sent */
    bool unbound_12; /* TLS 1.2 without the extended master secret: nothing is derived from it */
    bool seen_input; /* a first record was recognised as TLS */
    bool established;
    bool false_start; /* client: our Finished is out, and data may follow it (RFC 7918) */
    bool resumed;
    bool hello_retry;
    bool peer_authenticated;
    bool read_closed;  /* close_notify received */
    bool write_closed; /* close_notify or a fatal alert sent */
    bool failed;
};

/* ---- errors ---- */

/* cl_tls_fail records why the connection fails and returns the code. */
cl_result cl_tls_fail(struct cleat_tls *tls, struct cl_why why, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define CL_WHY(name, section_) ((struct cl_why){CLEAT_ERR_##name, 0, (section_), NULL})
#define CL_WHY_HINT(name, section_, hint_) \
    ((struct cl_why){CLEAT_ERR_##name, 0, (section_), (hint_)})
#define CL_WHY_ALERT(name, alert_, section_) \
    ((struct cl_why){CLEAT_ERR_##name, (alert_), (section_), NULL})

/* cl_tls_decode_error: a message or extension whose syntax is wrong. */
cl_result cl_tls_decode_error(struct cleat_tls *tls, const char *what, const char *section);

/* ---- events ---- */
void cl_event_choice(struct cleat_tls *tls, const char *what, const char *value, const char *why);
void cl_event_message(struct cleat_tls *tls, bool sent, struct cl_rd whole);
/* cl_event_fingerprint tells what a ClientHello on the wire looks like, where that is wanted. */
void cl_event_fingerprint(struct cleat_tls *tls, bool sent, struct cl_rd whole);
void cl_event_alert(struct cleat_tls *tls, bool sent, uint8_t level, uint8_t alert);
void cl_event_key(struct cleat_tls *tls, bool sending, const char *epoch);
void cl_event_secret(struct cleat_tls *tls, const char *label, const struct cl_secret *secret);
/* cl_event_logged is a line for the key log that is about the outer ClientHello. */
void cl_event_logged(struct cleat_tls *tls, const char *label,
                     const uint8_t client_random[CL_RANDOM_LEN], struct cl_rd value);
void cl_event_ticket(struct cleat_tls *tls, bool sent, uint32_t lifetime, const char *what);
void cl_event_state(struct cleat_tls *tls, const char *name);
/* cl_event_weaknesses warns of what the negotiated suite is known for. */
void cl_event_weaknesses(struct cleat_tls *tls);

/* ---- lengths of the records written (burst.c) ---- */
void cl_burst_begin(struct cleat_tls *tls);
/* cl_burst_take returns how much of len bytes goes into the next record. */
size_t cl_burst_take(const struct cleat_tls *tls, size_t len);
void cl_burst_count(struct cleat_tls *tls, size_t len);

/* ---- peer's chain ---- */
void cl_conn_drop_peer(struct cleat_tls *tls);

static inline bool cl_is_server(const struct cleat_tls *tls)
{
    return tls->role == CLEAT_SERVER;
}

#endif
