/* cleat/tls.h - TLS connections (RFC 9846): a state machine that is fed with bytes.
 *
 * A connection does no I/O. The application feeds what it received to cleat_tls_step() and sends
 * what the step appended to the output buffer. Each step returns what the connection needs next.
 * Buffers are the caller's: input is decrypted in place and handed out as a view into it.
 *
 *     configuration   built once, immutable, shared by all threads and connections
 *     connection      one thread at a time
 *     job             an asymmetric operation that the connection waits for (cleat_job_run)
 *     decision        a question to the application (choose a configuration; accept the peer)
 *
 * Functions returning int: CLEAT_OK (0) or a negative code of cleat/error.h.
 */
#ifndef CLEAT_TLS_H
#define CLEAT_TLS_H

#include "cleat/error.h"
#include "cleat/event.h"
#include "cleat/key.h"
#include "cleat/x509.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cleat_tls;
struct cleat_tls_builder;
struct cleat_tls_config;
struct cleat_tls_session;
struct cleat_ticket_keys;
struct cleat_job;

enum cleat_role {
    CLEAT_CLIENT,
    CLEAT_SERVER,
};

#define CLEAT_TLS_1_2 0x0303
#define CLEAT_TLS_1_3 0x0304

/* ---- configuration ------------------------------------------------------------------------- */

/* cleat_tls_builder_new starts a configuration with the safe defaults. CLEAT_ERR_NOMEM. The builder
 * is used by one thread and ended by cleat_tls_builder_finish or cleat_tls_builder_free. Setters
 * copy what they are given, or add a reference; they return CLEAT_OK, CLEAT_ERR_NOMEM or
 * CLEAT_ERR_BAD_CONFIG; cleat_tls_builder_error tells the detail of the first failure. */
int cleat_tls_builder_new(enum cleat_role role, struct cleat_tls_builder **out);
void cleat_tls_builder_free(struct cleat_tls_builder *b);
const struct cleat_error *cleat_tls_builder_error(const struct cleat_tls_builder *b);

/* cleat_tls_builder_clock: now returns Unix time in milliseconds. Required: the library reads no
 * clock. Called from any thread that steps a connection. */
void cleat_tls_builder_clock(struct cleat_tls_builder *b, uint64_t (*now)(void *ctx), void *ctx);

/* cleat_tls_builder_stopwatch: now returns nanoseconds since whenever, for the timings in the proof
 * of cleat_tls_verdict. Without it nothing is measured. Called as the clock is. */
void cleat_tls_builder_stopwatch(struct cleat_tls_builder *b, uint64_t (*now)(void *ctx),
                                 void *ctx);

/* cleat_tls_builder_random replaces the source of randomness (default: libcrypto's); fill returns 0
 * on success. For tests and replays. */
void cleat_tls_builder_random(struct cleat_tls_builder *b,
                              int (*fill)(void *ctx, uint8_t *out, size_t len), void *ctx);

/* cleat_tls_builder_credential adds a certificate chain (leaf first) and its private key. A server
 * picks among several by server name, then by the client's signature algorithms; the first is the
 * default for names that none covers. A client answers a CertificateRequest with the first that
 * fits. CLEAT_ERR_KEY_MISMATCH when the key is not the leaf's. */
int cleat_tls_builder_credential(struct cleat_tls_builder *b, struct cleat_chain *chain,
                                 struct cleat_key *key);

/* cleat_tls_builder_credential_signatures: the schemes that the credential added last may sign
 * with, first is preferred (default: those of cleat_tls_builder_signatures that its key can make).
 * cleat_tls_builder_credential_match_issuer: it is used only where the peer names, in
 * certificate_authorities (RFC 9846 4.3.4), the issuer of a certificate in its chain.
 * cleat_tls_builder_credentials_in_order: a server takes the first credential that fits, instead of
 * the one whose scheme it prefers most. CLEAT_ERR_BAD_CONFIG (no credential yet, unknown scheme).
 */
int cleat_tls_builder_credential_signatures(struct cleat_tls_builder *b, const char *list);
int cleat_tls_builder_credential_match_issuer(struct cleat_tls_builder *b);
void cleat_tls_builder_credentials_in_order(struct cleat_tls_builder *b);

/* cleat_tls_builder_trust: the anchors that the peer's chain must lead to. Required for clients and
 * for servers that ask for client certificates, unless cleat_tls_builder_decide takes verification
 * over or TLSA records do without (cleat/dane.h). NULL: none. */
int cleat_tls_builder_trust(struct cleat_tls_builder *b, struct cleat_trust_store *store);

/* Servers: whether to ask for a client certificate (RFC 9846 4.4.2). */
enum cleat_client_auth {
    CLEAT_CLIENT_AUTH_NONE,
    CLEAT_CLIENT_AUTH_OPTIONAL, /* asked for; a client without one is let in */
    CLEAT_CLIENT_AUTH_REQUIRED,
};
void cleat_tls_builder_client_auth(struct cleat_tls_builder *b, enum cleat_client_auth mode);

/* cleat_tls_builder_decide: which questions the application answers itself (bits of enum
 * cleat_decision). CLEAT_DECIDE_CONFIG: servers, at the ClientHello. CLEAT_DECIDE_PEER: both,
 * instead of the built-in verification of the peer's chain; nothing is trusted until it answers.
 * CLEAT_DECIDE_IDENTITY: both, after the built-in verification has accepted the chain: may this
 * peer come in? cleat_tls_peer_leaf says who it is. Not asked when a session is resumed.
 * CLEAT_DECIDE_EVIDENCE: both, before the built-in verification: what else there is to verify the
 * chain with (cleat/revocation.h). CLEAT_DECIDE_RESUMED: clients, when the server resumes a
 * session: whether the peer is still to be trusted, before anything but early data is sent;
 * answered like CLEAT_DECIDE_PEER. */
enum cleat_decision {
    CLEAT_DECIDE_NOTHING = 0,
    CLEAT_DECIDE_CONFIG = 1,
    CLEAT_DECIDE_PEER = 2,
    CLEAT_DECIDE_EARLY_DATA = 4, /* asked only by a strike register (cleat/tls_early.h) */
    CLEAT_DECIDE_RESUMED = 8,
    CLEAT_DECIDE_IDENTITY = 16,
    CLEAT_DECIDE_HELLO = 32, /* servers, before anything is computed (cleat/fingerprint.h) */
    CLEAT_DECIDE_EVIDENCE = 64,
};
void cleat_tls_builder_decide(struct cleat_tls_builder *b, unsigned decisions);

/* cleat_tls_builder_alpn: protocols in order of preference (RFC 7301), each of 1 to 255 bytes. A
 * server with a list refuses a client whose list shares none (no_application_protocol). */
int cleat_tls_builder_alpn(struct cleat_tls_builder *b, const char *const *protocols, size_t num);

/* Lists separated by ':' or ',', first is preferred; names as IANA or OpenSSL write them
 * ("TLS_AES_128_GCM_SHA256", "X25519:P-256", "ecdsa_secp256r1_sha256"). BAD_CONFIG names the item
 * that is not known, or that has a known weakness and needs the profile "legacy" first (RSA key
 * exchange, DHE, AES-CBC). Suites of a version of which the list names none stay as they were.
 * Groups are curves and ML-KEM, or the finite fields of DHE in TLS 1.2 (RFC 7919; "ffdhe2048"): a
 * list that names none of a kind leaves that kind as it was, and a field without a suite that has
 * DHE makes cleat_tls_builder_finish fail. Defaults: the profile "public" (cleat/profile.h; `cleat
 * profile show public`); of fields, beside such a suite, ffdhe2048, ffdhe3072 and ffdhe4096. */
int cleat_tls_builder_ciphers(struct cleat_tls_builder *b, const char *list);
int cleat_tls_builder_groups(struct cleat_tls_builder *b, const char *list);
int cleat_tls_builder_signatures(struct cleat_tls_builder *b, const char *list);

/* cleat_tls_builder_versions: lowest and highest version to negotiate. Default: 1.2 and 1.3. */
int cleat_tls_builder_versions(struct cleat_tls_builder *b, uint16_t min, uint16_t max);

/* cleat_tls_builder_version_bounds: the same with 0 for a bound that stays as it is, or gives way
 * when the other one passes it. */
int cleat_tls_builder_version_bounds(struct cleat_tls_builder *b, uint16_t min, uint16_t max);

/* cleat_tls_builder_master_secret: whether a peer of TLS 1.2 must bind the master secret to its
 * handshake (RFC 7627). Default: yes. Without it a connection is never resumed and exports nothing.
 */
void cleat_tls_builder_master_secret(struct cleat_tls_builder *b, bool extended_only);

/* cleat_tls_builder_fallback: clients: tells the server that this is another attempt with a lower
 * highest version (RFC 7507), so that it refuses (inappropriate_fallback) if it can do better. */
void cleat_tls_builder_fallback(struct cleat_tls_builder *b, bool on);

/* cleat_tls_builder_tickets: servers: the keys that session tickets are sealed with (shared by all
 * configurations that may share them), and how many tickets a full handshake issues (0 to 8).
 * Without keys nothing is resumed. */
int cleat_tls_builder_tickets(struct cleat_tls_builder *b, struct cleat_ticket_keys *keys,
                              unsigned num);

/* cleat_tls_builder_binding names the virtual host or policy that a ticket belongs to: a session
 * resumes only under a configuration with the same binding, client-CA set, verification policy and
 * ALPN list; otherwise the handshake is a full one. At most 255 bytes. Default: empty. */
int cleat_tls_builder_binding(struct cleat_tls_builder *b, const char *name);

/* cleat_tls_builder_rekey: send a KeyUpdate after this many records under one key, if that is less
 * than the cipher's own limit (RFC 9846 5.5), which always holds. 0: the cipher's limit. */
void cleat_tls_builder_rekey(struct cleat_tls_builder *b, uint64_t records);

/* cleat_tls_builder_events sets the sink; with_secrets adds CLEAT_EVENT_SECRET events. */
#define CLEAT_EVENTS_SECRETS true
void cleat_tls_builder_events(struct cleat_tls_builder *b, cleat_event_sink sink, void *ctx,
                              bool with_secrets);

/* cleat_tls_builder_finish checks and seals the configuration and frees the builder (on failure
 * too). *out has one reference. CLEAT_ERR_BAD_CONFIG, CLEAT_ERR_NOMEM, CLEAT_ERR_CRYPTO; err (may
 * be NULL) gets the detail. */
int cleat_tls_builder_finish(struct cleat_tls_builder *b, struct cleat_tls_config **out,
                             struct cleat_error *err);

struct cleat_tls_config *cleat_tls_config_ref(struct cleat_tls_config *config);
void cleat_tls_config_free(struct cleat_tls_config *config);

/* cleat_ticket_keys_new makes an empty ring of ticket keys. The first key is made at its first use;
 * a new one replaces it every lifetime seconds (3,600 to 604,800, RFC 9846 4.7.1; 0: 86,400), and
 * the one before opens tickets for as long again. Any thread. */
int cleat_ticket_keys_new(uint32_t lifetime, struct cleat_ticket_keys **out);
struct cleat_ticket_keys *cleat_ticket_keys_ref(struct cleat_ticket_keys *keys);
void cleat_ticket_keys_free(struct cleat_ticket_keys *keys);

/* ---- connections --------------------------------------------------------------------------- */

/* cleat_tls_client_new makes a client connection. server_name is the host to be reached: a DNS name
 * (A-labels) or an IP address as text; it is verified, and sent as SNI when it is a DNS name.
 * session (may be NULL) is offered for resumption when it fits; a reference is taken.
 * CLEAT_ERR_NOMEM, CLEAT_ERR_USAGE (not a client's configuration, not a valid name). */
int cleat_tls_client_new(struct cleat_tls_config *config, const char *server_name,
                         struct cleat_tls_session *session, void *user, struct cleat_tls **out);

/* cleat_tls_server_new makes a server connection. With CLEAT_DECIDE_CONFIG the configuration may be
 * replaced at the ClientHello. */
int cleat_tls_server_new(struct cleat_tls_config *config, void *user, struct cleat_tls **out);

/* cleat_tls_free wipes and frees; NULL is fine. */
void cleat_tls_free(struct cleat_tls *tls);
void *cleat_tls_user(const struct cleat_tls *tls);

/* What a step works on. in/in_len: received bytes not yet consumed; in_used says how many of them
 * the step has consumed, which are the caller's to drop once it is done with data. out: room for at
 * least CLEAT_TLS_MIN_OUTPUT bytes; out_len grows by what the step appends. data: plaintext
 * received, a view into in, valid until in is touched. early: data is early data, which may be a
 * replay (cleat/tls_early.h). */
struct cleat_tls_io {
    uint8_t *in;
    size_t in_len;
    size_t in_used;
    uint8_t *out;
    size_t out_cap;
    size_t out_len;
    uint8_t *data;
    size_t data_len;
    bool early;
};

/* 512: an alert, a KeyUpdate or the smallest useful piece of a flight */
#define CLEAT_TLS_MIN_OUTPUT 512
/* 16,709 = 5 + 2^14 + 320: the longest record on the wire (RFC 9846 5.2: 256; AES-CBC of TLS 1.2
 * with the longest padding: 320); an input buffer of this size always makes progress */
#define CLEAT_TLS_MAX_RECORD 16709

enum cleat_tls_next {
    CLEAT_TLS_NEEDS_INPUT,    /* in the handshake: feed more bytes */
    CLEAT_TLS_HAS_OUTPUT,     /* out is full: send it, then step again */
    CLEAT_TLS_NEEDS_JOB,      /* run cleat_tls_job(), then step again */
    CLEAT_TLS_NEEDS_DECISION, /* answer cleat_tls_decision(), then step again */
    CLEAT_TLS_HAS_DATA,       /* data holds plaintext; take it, then step again */
    CLEAT_TLS_READY,          /* established and idle: write, or feed more bytes; see below */
    CLEAT_TLS_CLOSED,         /* the peer has sent close_notify; writing is still allowed */
    CLEAT_TLS_FAILED,         /* cleat_tls_error() says why; out may hold an alert to be sent */
};

/* cleat_tls_step goes on until something is needed. After every return, whatever is in out belongs
 * on the wire. At most one record of application data is handed out a call. The handshake's end is
 * told by one READY in front of any data: step once more before waiting for further input, because
 * the peer's first data may have come with its last handshake message. */
enum cleat_tls_next cleat_tls_step(struct cleat_tls *tls, struct cleat_tls_io *io);

/* cleat_tls_eof tells that the transport has ended. Returns CLEAT_OK when close_notify had been
 * received, else CLEAT_ERR_TRUNCATED ("connection closed early"): data may be missing. */
int cleat_tls_eof(struct cleat_tls *tls);

/* cleat_tls_write seals as much of len bytes as fits into io->out, in records of at most 16 KiB,
 * and says in *written how much. CLEAT_ERR_CLOSED (after cleat_tls_close or a failure),
 * CLEAT_ERR_USAGE (before READY, but for early data). KeyUpdates are sent by themselves as cipher
 * limits demand. */
int cleat_tls_write(struct cleat_tls *tls, struct cleat_tls_io *io, const uint8_t *data, size_t len,
                    size_t *written);

/* cleat_tls_close appends close_notify to io->out: nothing can be written afterwards, but the
 * peer's data can still be read (RFC 9846 6.1). A second call does nothing. CLEAT_ERR_LIMIT when
 * out is full. */
int cleat_tls_close(struct cleat_tls *tls, struct cleat_tls_io *io);

/* cleat_tls_key_update changes our sending key (RFC 9846 4.7.3), and asks the peer to do the same
 * when request_peer. CLEAT_ERR_USAGE before READY, CLEAT_ERR_LIMIT when out is full,
 * CLEAT_ERR_NOMEM; nothing has happened then, and it may be tried again. */
int cleat_tls_key_update(struct cleat_tls *tls, struct cleat_tls_io *io, bool request_peer);

/* cleat_tls_error returns why the connection failed (code 0: it has not). Owned by the connection.
 */
const struct cleat_error *cleat_tls_error(const struct cleat_tls *tls);

/* ---- jobs ------------------------------------------------------------------------------------ */

/* cleat_tls_job returns the job that NEEDS_JOB waits for; it belongs to the connection. */
struct cleat_job *cleat_tls_job(struct cleat_tls *tls);

/* cleat_job_run does a job here and now. A job is used by one thread at a time; different jobs may
 * run in different threads. */
void cleat_job_run(struct cleat_job *job);

/* ---- decisions ------------------------------------------------------------------------------- */

enum cleat_decision cleat_tls_decision(const struct cleat_tls *tls);

/* The ClientHello that CLEAT_DECIDE_CONFIG or _HELLO asks about; valid until it is answered. */
struct cleat_client_hello {
    const char *server_name; /* lower case, or NULL */
    const uint8_t *alpn;     /* ProtocolNameList without its outer length, or NULL */
    size_t alpn_len;
    const uint8_t *bytes; /* the whole message */
    size_t len;
};
int cleat_tls_client_hello(const struct cleat_tls *tls, struct cleat_client_hello *out);

/* cleat_tls_choose_config answers CLEAT_DECIDE_CONFIG; a reference is taken. */
int cleat_tls_choose_config(struct cleat_tls *tls, struct cleat_tls_config *config);

/* cleat_tls_accept_peer answers CLEAT_DECIDE_PEER and CLEAT_DECIDE_RESUMED: the application vouches
 * for the peer; and CLEAT_DECIDE_IDENTITY: it lets this peer in. */
int cleat_tls_accept_peer(struct cleat_tls *tls);

/* cleat_tls_refuse answers any decision: the connection fails with this alert and reason. */
int cleat_tls_refuse(struct cleat_tls *tls, uint8_t alert, const char *reason);

/* ---- what was agreed --------------------------------------------------------------------------
 */

/* What became of early data (cleat/tls_early.h). */
enum cleat_early_data {
    CLEAT_EARLY_DATA_NONE,    /* the client did not offer any */
    CLEAT_EARLY_DATA_OFFERED, /* the server has not answered yet */
    CLEAT_EARLY_DATA_ACCEPTED,
    CLEAT_EARLY_DATA_REJECTED,
};

struct cleat_tls_info {
    uint16_t version;        /* CLEAT_TLS_1_3 */
    uint16_t cipher;         /* IANA number */
    const char *cipher_name; /* "TLS_AES_128_GCM_SHA256" */
    uint16_t group;
    const char *group_name;     /* "X25519" */
    const char *signature_name; /* the peer's (client) or ours (server); NULL when resumed */
    const char *alpn;           /* NUL-terminated, or NULL */
    const char *server_name;    /* as sent or received, lower case; NULL when none */
    bool resumed;
    bool hello_retry;
    bool peer_authenticated; /* the peer proved a certificate, in this or the resumed handshake */
    enum cleat_early_data early_data;
    const char *cert_compression; /* "brotli": of the server's certificate (RFC 8879), or NULL */
};

/* cleat_tls_info fills *out; pointers live as long as the connection. CLEAT_ERR_USAGE before
 * READY, or, for a server, before early data. */
int cleat_tls_info(const struct cleat_tls *tls, struct cleat_tls_info *out);

/* cleat_tls_peer_cert returns the i-th certificate that the peer sent, leaf first, DER; after
 * resumption the leaf alone, where the session kept it. CLEAT_ERR_NO_CERTIFICATE past the end. */
int cleat_tls_peer_cert(const struct cleat_tls *tls, size_t i, const uint8_t **der, size_t *len);

/* cleat_tls_own_cert returns the i-th certificate of the chain that we sent in this handshake, leaf
 * first, DER, valid as long as the connection. CLEAT_ERR_NO_CERTIFICATE past the end, and where
 * none was sent: after resumption, with a pre-shared key or a raw public key. */
int cleat_tls_own_cert(const struct cleat_tls *tls, size_t i, const uint8_t **der, size_t *len);

/* cleat_tls_peer_leaf returns the certificate that the peer has proved to hold, in this handshake
 * or, on a server, in the resumed one: subject, alternative names, issuer and fingerprint are a
 * call away (cleat/x509.h). NULL when there is none, when it is not accepted (yet), after
 * cleat_tls_forget, and on a client after resumption. Owned by the connection. */
const struct cleat_cert *cleat_tls_peer_leaf(const struct cleat_tls *tls);

/* cleat_tls_verdict returns the built-in verification's verdict, for a success and a failure alike;
 * NULL when there was none. Owned by the connection. */
const struct cleat_verdict *cleat_tls_verdict(const struct cleat_tls *tls);

/* cleat_tls_forget frees the peer's chain and the verdict: an idle connection then keeps neither.
 */
void cleat_tls_forget(struct cleat_tls *tls);

/* cleat_tls_export: keying material for the application (RFC 9846 7.5). context may be NULL with
 * length 0. CLEAT_ERR_USAGE before READY or when out_len is 0 or above 8,160;
 * CLEAT_ERR_UNSUPPORTED for TLS 1.2 without the extended master secret. */
int cleat_tls_export(const struct cleat_tls *tls, const char *label, const uint8_t *context,
                     size_t context_len, uint8_t *out, size_t out_len);

/* ---- sessions (clients) -----------------------------------------------------------------------
 */

/* cleat_tls_take_session gives the newest session received and not yet taken (the caller's to
 * free), or NULL. Tickets arrive after READY; at most 8 wait to be taken, older ones are dropped.
 */
struct cleat_tls_session *cleat_tls_take_session(struct cleat_tls *tls);
struct cleat_tls_session *cleat_tls_session_ref(struct cleat_tls_session *session);
void cleat_tls_session_free(struct cleat_tls_session *session);

/* cleat_tls_session_export writes a session as bytes (it holds secrets: store it as you would a
 * key); *len is the capacity of out, then the length. CLEAT_ERR_LIMIT sets *len to what is needed.
 * cleat_tls_session_import reads them back; CLEAT_ERR_DECODE for anything else. */
int cleat_tls_session_export(const struct cleat_tls_session *session, uint8_t *out, size_t *len);
int cleat_tls_session_import(const uint8_t *bytes, size_t len, struct cleat_tls_session **out);

/* ---- for people --------------------------------------------------------------------------------
 */

/* cleat_tls_describe writes one line about a handshake message (as CLEAT_EVENT_MESSAGE carries it):
 * its decoded fields in words. Always NUL-terminates (cap > 0); returns the length written. */
size_t cleat_tls_describe(const uint8_t *message, size_t len, char *out, size_t cap);

#ifdef __cplusplus
}
#endif
#endif
