/* tls/msg.h - the handshake messages' handlers and builders, by file: one file per message, its
 * parse and its build together. Handlers of MESSAGE rows get the message, others NULL. */
#ifndef CL_TLS_MSG_H
#define CL_TLS_MSG_H

#include "tls/hs.h"

#define CL_HANDLER(name) cl_result name(struct cleat_tls *tls, const struct cl_msg *msg)

/* msg_client_hello.c */
CL_HANDLER(cl_client_start);
CL_HANDLER(cl_client_make_share);
CL_HANDLER(cl_client_keygen_done);
CL_HANDLER(cl_client_ech_key_done);
CL_HANDLER(cl_client_hello_send);
CL_HANDLER(cl_client_hello_received);
CL_HANDLER(cl_client_hello_accepted);
CL_HANDLER(cl_client_hello_ech_agreed);
CL_HANDLER(cl_second_hello_received);

/* msg_server_hello.c */
CL_HANDLER(cl_server_hello_send);
CL_MUST cl_result cl_server_hello_12_build(struct cleat_tls *tls);
CL_HANDLER(cl_retry_send);
CL_HANDLER(cl_retry_sent);
CL_HANDLER(cl_server_hello_received);

/* msg_encrypted_extensions.c */
CL_MUST cl_result cl_encrypted_extensions_build(struct cleat_tls *tls);
CL_HANDLER(cl_encrypted_extensions_received);

/* msg_end_of_early_data.c */
CL_MUST cl_result cl_end_of_early_data_build(struct cleat_tls *tls);
CL_HANDLER(cl_end_of_early_data_received);

/* msg_certificate_request.c */
CL_MUST cl_result cl_certificate_request_build(struct cleat_tls *tls);
CL_HANDLER(cl_certificate_request_received);
CL_MUST cl_result cl_certificate_request_parse(struct cleat_tls *tls, const struct cl_msg *msg);
CL_MUST cl_result cl_certificate_request_12_build(struct cleat_tls *tls);
CL_HANDLER(cl_certificate_request_12_received);

/* msg_certificate.c */
/* cl_credential_prepare makes the messages that need no proofs, cl_credential_prepare_proofs the
 * others, once staple and SCTs are what they will be. */
CL_MUST cl_result cl_credential_prepare(struct cl_credential *credential);
CL_MUST cl_result cl_credential_prepare_proofs(struct cl_credential *credential);
CL_MUST cl_result cl_certificate_build(struct cleat_tls *tls);
CL_MUST cl_result cl_certificate_12_build(struct cleat_tls *tls);
CL_HANDLER(cl_server_certificate_12_received);
CL_HANDLER(cl_client_certificate_12_received);
CL_HANDLER(cl_server_certificate_received);
CL_HANDLER(cl_client_certificate_received);

/* cl_credential_proofs: which of the proofs (bits) a credential has. */
unsigned cl_credential_proofs(const struct cl_credential *c, unsigned wanted);

/* msg_compressed_certificate.c */
CL_MUST cl_result cl_credential_compress(struct cl_credential *c,
                                         const struct cleat_tls_config *config);
/* cl_compressed_certificate_build builds one in place of a Certificate, if the peer takes it and it
 * is shorter: *built. */
CL_MUST cl_result cl_compressed_certificate_build(struct cleat_tls *tls, unsigned proofs,
                                                  bool *built);
CL_HANDLER(cl_server_compressed_received);
CL_HANDLER(cl_client_compressed_received);

/* msg_certificate_verify.c */
CL_MUST cl_result cl_certificate_verify_start(struct cleat_tls *tls);
CL_MUST cl_result cl_certificate_verify_build(struct cleat_tls *tls);
CL_HANDLER(cl_certificate_verify_received);
CL_HANDLER(cl_signature_checked);
/* cl_peer_scheme_check: may the peer sign with this scheme and the key of its certificate? */
CL_MUST cl_result cl_peer_scheme_check(struct cleat_tls *tls, uint16_t number, const char *message,
                                       const struct cl_sig_alg **out);
/* cl_peer_verify_start sets up the job that checks a signature of the peer's over content. */
CL_MUST cl_result cl_peer_verify_start(struct cleat_tls *tls, const struct cl_sig_alg *alg,
                                       struct cl_rd content, struct cl_rd signature);
CL_MUST cl_result cl_peer_verify_result(struct cleat_tls *tls, const char *message);
/* cl_sign_start sets up the job that signs content with our key. */
CL_MUST cl_result cl_sign_start(struct cleat_tls *tls, struct cl_rd content);
/* cl_sign_result: what has become of it; the signature is in hs->signature. */
CL_MUST cl_result cl_sign_result(struct cleat_tls *tls);
CL_MUST cl_result cl_certificate_verify_12_start(struct cleat_tls *tls);
CL_HANDLER(cl_certificate_verify_12_received);

/* msg_server_key_exchange.c, msg_client_key_exchange.c (TLS 1.2) */
CL_MUST cl_result cl_server_key_exchange_start(struct cleat_tls *tls);
CL_MUST cl_result cl_server_key_exchange_build(struct cleat_tls *tls);
CL_HANDLER(cl_server_key_exchange_received);
CL_HANDLER(cl_key_exchange_checked);
CL_MUST cl_result cl_client_key_exchange_start(struct cleat_tls *tls);
CL_MUST cl_result cl_client_key_exchange_build(struct cleat_tls *tls);
/* cl_client_key_exchange_finish derives the master secret from what its job made. */
void cl_client_key_exchange_finish(struct cleat_tls *tls);
CL_MUST cl_result cl_server_key_exchange_psk_build(struct cleat_tls *tls);
CL_HANDLER(cl_server_key_exchange_psk_received);
CL_HANDLER(cl_client_key_exchange_received);
/* cl_peer_share_set keeps the peer's share of tls->group, as the job wants it. cl_peer_share_bad
 * fails: the client's or the server's is not valid. */
CL_MUST cl_result cl_peer_share_set(struct cleat_tls *tls, struct cl_rd share);
CL_MUST cl_result cl_peer_share_bad(struct cleat_tls *tls, const char *whose);

/* msg_certificate_status.c */
CL_MUST cl_result cl_certificate_status_prepare(struct cl_buf *message,
                                                const struct cl_buf *staple);
CL_MUST cl_result cl_certificate_status_build(struct cleat_tls *tls);
CL_HANDLER(cl_certificate_status_received);

/* msg_session_ticket_12.c */
CL_MUST cl_result cl_select_session_12(struct cleat_tls *tls);
CL_MUST cl_result cl_session_12_name(struct cleat_tls *tls);
void cl_session_12_store(struct cleat_tls *tls);
/* cl_session_12_forget takes the session of a connection that failed out of the server's cache. */
void cl_session_12_forget(struct cleat_tls *tls);
CL_MUST cl_result cl_ticket_12_build(struct cleat_tls *tls);
CL_HANDLER(cl_ticket_12_received);
CL_MUST cl_result cl_session_12_keep(struct cleat_tls *tls);

/* msg_finished.c */
CL_MUST cl_result cl_finished_build(struct cleat_tls *tls, const struct cl_secret *secret);
CL_MUST cl_result cl_finished_check(struct cleat_tls *tls, const struct cl_msg *msg,
                                    const struct cl_secret *secret);

/* msg_new_session_ticket.c */
CL_MUST cl_result cl_tickets_build(struct cleat_tls *tls);
/* cl_tickets_num returns how many tickets the handshake will issue. */
unsigned cl_tickets_num(const struct cleat_tls *tls);
CL_HANDLER(cl_new_session_ticket_received);

/* msg_key_update.c */
CL_HANDLER(cl_key_update_received);
CL_MUST cl_result cl_key_update_send(struct cleat_tls *tls, struct cleat_tls_io *io,
                                     bool request_peer);

/* late_auth.c (RFC 9846 4.7.2) */
CL_HANDLER(cl_late_certificate_received);
CL_HANDLER(cl_late_finished_received);
CL_HANDLER(cl_late_request_received);
CL_HANDLER(cl_late_send_certificate);
CL_HANDLER(cl_late_signed);
CL_HANDLER(cl_late_send_finished);
/* cl_late_auth_keep keeps the transcript as it is, if a certificate may be asked for later. */
CL_MUST cl_result cl_late_auth_keep(struct cleat_tls *tls);
/* cl_late_flush seals what must go out before application data; *done says if all of it did. */
CL_MUST cl_result cl_late_flush(struct cleat_tls *tls, struct cleat_tls_io *io, bool *done);

/* client_13.c, server_13.c hold the rows and what only they need. */

/* peer.c: is the peer's chain good? */
CL_HANDLER(cl_peer_check);
CL_HANDLER(cl_peer_chain_step);
CL_HANDLER(cl_peer_asked);
/* cl_peer_resumed_decide starts the question whether a resumed peer is still good; false: nobody
 * asks for it. */
bool cl_peer_resumed_decide(struct cleat_tls *tls);
CL_MUST cl_result cl_peer_resumed_asked(struct cleat_tls *tls, const struct cl_msg *msg);

/* server_psk.c, server_certificate.c: what cl_server_select asks. */
CL_MUST cl_result cl_select_psk(struct cleat_tls *tls);
CL_MUST cl_result cl_select_certificate(struct cleat_tls *tls);
/* cl_select_certificate_type: a resumed handshake shows no certificate, but the client may ask
 * which type of one there would be (RFC 7250 4.2). */
void cl_select_certificate_type(struct cleat_tls *tls);
/* cl_suite_for returns the first suite of the negotiated version that both sides have and that goes
 * with a certificate, signing by scheme (NULL: its key cannot sign for this client); NULL: none. */
const struct cl_suite *cl_suite_for(const struct cleat_tls *tls, const struct cl_credential *c,
                                    const struct cl_sig_alg *scheme);
/* cl_try_certificate is cl_select_certificate without a failure: NULL when there is no suite. */
const struct cl_suite *cl_try_certificate(struct cleat_tls *tls);
/* cl_psk_suite_for returns the first PSK suite of TLS 1.2 that both sides have, or NULL. */
const struct cl_suite *cl_psk_suite_for(const struct cleat_tls *tls);
/* cl_group_for returns the first curve of ours that the client supports in TLS 1.2, for a suite
 * with DHE the finite field (RFC 7919 4); or NULL. cl_lists_fields says whether the client has
 * named any such field, known here or not. */
const struct cl_group *cl_group_for(const struct cleat_tls *tls, const struct cl_suite *suite);
bool cl_lists_fields(const struct cleat_tls *tls);
CL_MUST cl_result cl_select_alpn(struct cleat_tls *tls);

/* cl_first_shared_suite returns the first suite of ours, of the negotiated version, that the client
 * offers and that fits (NULL: any), or NULL; those with ChaCha20 first where the client wants them
 * first and the configuration lets it (server_select.c). */
const struct cl_suite *cl_first_shared_suite(const struct cleat_tls *tls,
                                             bool (*fits)(const struct cl_suite *suite,
                                                          const void *ctx),
                                             const void *ctx);

/* cl_choose_client_certificate answers a CertificateRequest (credential.c); hs->credential stays
 * NULL when none fits, which is a failure only where the configuration insists. */
CL_MUST cl_result cl_choose_client_certificate(struct cleat_tls *tls);

/* What a peer wants of a credential; p == NULL: it did not say. */
struct cl_credential_wish {
    struct cl_rd schemes;     /* SignatureScheme[] */
    struct cl_rd groups;      /* NamedGroup[]: bind the keys of certificates in TLS 1.2 */
    struct cl_rd authorities; /* DistinguishedName[] */
};

enum cl_credential_fit {
    CL_CREDENTIAL_FITS,
    CL_CREDENTIAL_NO_TYPE, /* certificate or raw public key */
    CL_CREDENTIAL_NO_KIND, /* of key */
    CL_CREDENTIAL_NO_SUITE,
    CL_CREDENTIAL_NO_CURVE,
    CL_CREDENTIAL_NO_SCHEME,
    CL_CREDENTIAL_NO_SCHEME_12, /* nor can a key exchange without signature be used */
    CL_CREDENTIAL_NO_GROUP,
    CL_CREDENTIAL_NO_FIELD, /* for DHE */
    CL_CREDENTIAL_NO_ISSUER,
};

/* cl_credential_fits: can a credential be used for this peer, and with which scheme (credential.c)?
 */
enum cl_credential_fit cl_credential_fits(const struct cleat_tls *tls,
                                          const struct cl_credential *c,
                                          const struct cl_credential_wish *wish,
                                          const struct cl_sig_alg **out);

/* cl_key_curve returns the group of an ECDSA key's curve; 0 for keys of another kind. */
uint16_t cl_key_curve(enum cl_key_type type);

/* server_select.c: version, suite, group, PSK, certificate. */
CL_HANDLER(cl_server_asked_config);
CL_HANDLER(cl_server_negotiate);
CL_HANDLER(cl_server_select);

#endif
