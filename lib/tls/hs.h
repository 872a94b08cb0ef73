/* tls/hs.h - the handshake driver: transition tables and the only way to move between states.
 *
 * A table has a row per transition: {state, what it waits for, message, handler, successors}. The
 * driver takes the row of the current state, does what its kind says, and calls the handler, which
 * moves on with cl_hs_goto to one of the row's successors. A message that no row of the current
 * state names is an unexpected_message; that is said in one place.
 */
#ifndef CL_TLS_HS_H
#define CL_TLS_HS_H

#include "tls/conn.h"

/* X(name). The order has no meaning. Names: S = server, C = client, 13 = TLS 1.3. */
#define CL_HS_STATES(X)              \
    X(NONE)                          \
    /* client, any version */        \
    X(C_START)                       \
    X(C_MAKE_SHARE)                  \
    X(C_KEYGEN)                      \
    X(C_ECH_KEY)                     \
    X(C_SEND_HELLO)                  \
    X(C_WAIT_SERVER_HELLO)           \
    /* client, TLS 1.3 */            \
    X(C13_EARLY_KEYS)                \
    X(C13_AGREE)                     \
    X(C13_WAIT_ENCRYPTED_EXTENSIONS) \
    X(C13_ASK_RESUMED)               \
    X(C13_WAIT_CERT_OR_REQUEST)      \
    X(C13_WAIT_CERTIFICATE)          \
    X(C13_WAIT_CERTIFICATE_VERIFY)   \
    X(C13_CHECK_SIGNATURE)           \
    X(C13_CHECK_PEER)                \
    X(C13_VERIFY_CHAIN)              \
    X(C13_ASK_PEER)                  \
    X(C13_WAIT_FINISHED)             \
    X(C13_DERIVE_APP)                \
    X(C13_SEND_END_OF_EARLY_DATA)    \
    X(C13_HANDSHAKE_WRITE_KEYS)      \
    X(C13_SEND_CERTIFICATE)          \
    X(C13_SIGN)                      \
    X(C13_SEND_FINISHED)             \
    X(C13_APP_KEYS)                  \
    X(C13_OPEN)                      \
    X(C13_LATE_SEND_CERTIFICATE)     \
    X(C13_LATE_SIGN)                 \
    X(C13_LATE_SEND_FINISHED)        \
    /* server, any version */        \
    X(S_WAIT_CLIENT_HELLO)           \
    X(S_ASK_HELLO)                   \
    X(S_ECH_AGREE)                   \
    X(S_ASK_CONFIG)                  \
    X(S_NEGOTIATE)                   \
    /* server, TLS 1.3 */            \
    X(S13_SELECT)                    \
    X(S13_ASK_EARLY_DATA)            \
    X(S13_SEND_RETRY)                \
    X(S13_RETRY_SENT)                \
    X(S13_WAIT_SECOND_HELLO)         \
    X(S13_AGREE)                     \
    X(S13_SEND_HELLO)                \
    X(S13_HANDSHAKE_KEYS)            \
    X(S13_SEND_PARAMETERS)           \
    X(S13_SIGN)                      \
    X(S13_SEND_FINISHED)             \
    X(S13_APP_WRITE_KEYS)            \
    X(S13_WAIT_END_OF_EARLY_DATA)    \
    X(S13_WAIT_CERTIFICATE)          \
    X(S13_WAIT_CERTIFICATE_VERIFY)   \
    X(S13_CHECK_SIGNATURE)           \
    X(S13_CHECK_PEER)                \
    X(S13_VERIFY_CHAIN)              \
    X(S13_ASK_PEER)                  \
    X(S13_WAIT_FINISHED)             \
    X(S13_SEND_TICKETS)              \
    X(S13_DONE)                      \
    X(S13_OPEN)                      \
    X(S13_LATE_WAIT_VERIFY)          \
    X(S13_LATE_CHECK_SIGNATURE)      \
    X(S13_LATE_CHECK_PEER)           \
    X(S13_LATE_VERIFY_CHAIN)         \
    X(S13_LATE_ASK_PEER)             \
    X(S13_LATE_WAIT_FINISHED)

/* TLS 1.2 */
#define CL_HS_STATES_12(X)         \
    X(C12_ASK_RESUMED)             \
    X(C12_WAIT_CERTIFICATE)        \
    X(C12_WAIT_STATUS)             \
    X(C12_WAIT_KEY_EXCHANGE)       \
    X(C12_CHECK_SIGNATURE)         \
    X(C12_CHECK_PEER)              \
    X(C12_VERIFY_CHAIN)            \
    X(C12_ASK_PEER)                \
    X(C12_WAIT_REQUEST_OR_DONE)    \
    X(C12_WAIT_DONE)               \
    /* RSA key exchange */         \
    X(C12_RSA_WAIT_CERTIFICATE)    \
    X(C12_RSA_WAIT_STATUS)         \
    X(C12_RSA_WAIT_REQUEST)        \
    X(C12_RSA_WAIT_DONE)           \
    X(C12_RSA_CHECK_PEER)          \
    X(C12_RSA_VERIFY_CHAIN)        \
    X(C12_RSA_ASK_PEER)            \
    /* PSK */                      \
    X(C12_PSK_WAIT_KEY_EXCHANGE)   \
    X(C12_PSK_WAIT_HINT)           \
    X(C12_PSK_WAIT_DONE)           \
    /* any key exchange */         \
    X(C12_SEND_CERTIFICATE)        \
    X(C12_AGREE)                   \
    X(C12_SIGN)                    \
    X(C12_SEND_CCS)                \
    X(C12_SEND_FINISHED)           \
    X(C12_WAIT_TICKET)             \
    X(C12_WAIT_CCS)                \
    X(C12_WAIT_FINISHED)           \
    X(C12_DONE)                    \
    X(C12_OPEN)                    \
    X(S12_SELECT)                  \
    X(S12_KEYGEN)                  \
    X(S12_SEND_UNSIGNED)           \
    X(S12_SEND_RESUMED)            \
    X(S12_SEND_TICKET)             \
    X(S12_SIGN)                    \
    X(S12_WAIT_CERTIFICATE)        \
    X(S12_WAIT_KEY_EXCHANGE)       \
    X(S12_AGREE)                   \
    X(S12_WAIT_CERTIFICATE_VERIFY) \
    X(S12_CHECK_SIGNATURE)         \
    X(S12_CHECK_PEER)              \
    X(S12_VERIFY_CHAIN)            \
    X(S12_ASK_PEER)                \
    X(S12_WAIT_CCS)                \
    X(S12_WAIT_FINISHED)           \
    X(S12_SEND_CCS)                \
    X(S12_SEND_FINISHED)           \
    X(S12_DONE)                    \
    X(S12_OPEN)

enum cl_hs_state {
#define CL_X(name) CL_HS_##name,
    CL_HS_STATES(CL_X) CL_HS_STATES_12(CL_X)
#undef CL_X
        CL_HS_NUM_STATES,
};

enum cl_hs_kind {
    CL_HS_END = 0, /* ends a table */
    CL_HS_MESSAGE, /* waits for a handshake message */
    CL_HS_CCS,     /* TLS 1.2: waits for a change_cipher_spec record */
    CL_HS_ACTION,  /* goes on at once */
    CL_HS_JOB,     /* waits for hs->waiting */
    CL_HS_DECIDE,  /* waits for the application */
};

/* The flight must be on its way before the handler runs: keys change, or the handshake is over. */
#define CL_HS_FLUSH         1u
/* The message is not hashed after its handler: the handler or a later state does it. */
#define CL_HS_NO_TRANSCRIPT 2u
/* Early data may come (server), or be sent (client), in this state. */
#define CL_HS_EARLY_DATA    4u

/* 9: the client's ServerHello has the most ways to go on */
#define CL_HS_MAX_NEXT 9

struct cl_hs_row {
    uint8_t state;
    uint8_t kind;
    uint8_t message; /* HandshakeType of a MESSAGE row */
    uint8_t flags;
    cl_result (*handler)(struct cleat_tls *tls, const struct cl_msg *msg); /* msg: MESSAGE rows */
    uint8_t next[CL_HS_MAX_NEXT]; /* the states that the handler may move to */
};

extern const struct cl_hs_row cl_hs_client_13[];
extern const struct cl_hs_row cl_hs_server_13[];
extern const struct cl_hs_row cl_hs_client_12[];
extern const struct cl_hs_row cl_hs_server_12[];

/* cl_hs_goto moves to a successor of the current state. cl_hs_next moves to the i-th successor that
 * the row of the running handler names: handlers that serve several tables leave the state to them.
 */
void cl_hs_goto(struct cleat_tls *tls, enum cl_hs_state next);
void cl_hs_next(struct cleat_tls *tls, size_t i);
const char *cl_hs_state_name(unsigned state);

/* cl_hs_early_row says whether the current state's row has CL_HS_EARLY_DATA. */
bool cl_hs_early_row(const struct cleat_tls *tls);

/* cl_hs_switch settles the protocol version: moves to a successor whose rows are that version's. */
void cl_hs_switch(struct cleat_tls *tls, const struct cl_version *protocol, enum cl_hs_state next);

/* cl_hs_run drives the state machine until something is needed. */
enum cleat_tls_next cl_hs_run(struct cleat_tls *tls, struct cleat_tls_io *io);

/* cl_hs_new and cl_hs_free: the handshake's state. */
CL_MUST cl_result cl_hs_new(struct cleat_tls *tls);
void cl_hs_free(struct cleat_tls *tls);

/* cl_peer_evidence_free (peer.c) takes NULL. */
struct cl_evidence;
void cl_peer_evidence_free(struct cl_evidence *evidence);

/* ---- messages out (flight.c) ---- */

/* cl_flight_begin opens a message of at most max_body bytes at the end of the flight: fill *w with
 * the body, then cl_flight_end. NOMEM, LIMIT. */
CL_MUST cl_result cl_flight_begin(struct cleat_tls *tls, uint8_t type, size_t max_body,
                                  struct cl_wr *w);
/* cl_flight_end closes it: length, test hook, event, transcript (unless it has not started). */
CL_MUST cl_result cl_flight_end(struct cleat_tls *tls, struct cl_wr *w);
/* cl_flight_append adds a whole message that was built before. */
CL_MUST cl_result cl_flight_append(struct cleat_tls *tls, struct cl_rd message);
/* cl_flight_flush seals what is waiting as far as io->out allows; *done says if all of it. */
CL_MUST cl_result cl_flight_flush(struct cleat_tls *tls, struct cleat_tls_io *io, bool *done);
/* cl_flight_before_alert writes the change_cipher_spec record that must precede an alert, if there
 * is one; false when there is no room. */
CL_MUST bool cl_flight_before_alert(struct cleat_tls *tls, struct cleat_tls_io *io);

/* ---- transcript ---- */
void cl_transcript_start(struct cleat_tls *tls, enum cl_hash_id hash);
void cl_transcript_add(struct cleat_tls *tls, struct cl_rd whole);
void cl_transcript_peek(const struct cleat_tls *tls, uint8_t *out);
/* cl_transcript_retry replaces the first ClientHello by message_hash (RFC 9846 4.1). */
void cl_transcript_retry(struct cleat_tls *tls);

/* ---- keys ---- */

/* cl_hs_no_partial_message: RFC 9846 5.1: handshake messages must not span key changes. Called
 * where the reading key changes, and where it is our turn: what the peer would say next depends on
 * our answer, so bytes of it that are there already are not part of this handshake. */
CL_MUST cl_result cl_hs_no_partial_message(struct cleat_tls *tls);
CL_MUST cl_result cl_hs_read_key(struct cleat_tls *tls, const struct cl_secret *secret,
                                 const char *epoch);
CL_MUST cl_result cl_hs_write_key(struct cleat_tls *tls, const struct cl_secret *secret,
                                  const char *epoch);

#endif
