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
CL_HANDLER(cl_client_hello_send);
CL_HANDLER(cl_client_hello_received);
CL_HANDLER(cl_second_hello_received);

/* msg_server_hello.c */
CL_HANDLER(cl_server_hello_send);
CL_HANDLER(cl_retry_send);
CL_HANDLER(cl_retry_sent);
CL_HANDLER(cl_server_hello_received);

/* msg_encrypted_extensions.c */
CL_MUST cl_result cl_encrypted_extensions_build(struct cleat_tls *tls);
CL_HANDLER(cl_encrypted_extensions_received);

/* msg_certificate_request.c */
CL_MUST cl_result cl_certificate_request_build(struct cleat_tls *tls);
CL_HANDLER(cl_certificate_request_received);

/* msg_certificate.c */
CL_MUST cl_result cl_credential_prepare(struct cl_credential *credential);
CL_MUST cl_result cl_certificate_build(struct cleat_tls *tls);
CL_HANDLER(cl_server_certificate_received);
CL_HANDLER(cl_client_certificate_received);

/* msg_certificate_verify.c */
CL_MUST cl_result cl_certificate_verify_start(struct cleat_tls *tls);
CL_MUST cl_result cl_certificate_verify_build(struct cleat_tls *tls);
CL_HANDLER(cl_certificate_verify_received);
CL_HANDLER(cl_signature_checked);

/* msg_finished.c */
CL_MUST cl_result cl_finished_build(struct cleat_tls *tls, const struct cl_secret *secret);
CL_MUST cl_result cl_finished_check(struct cleat_tls *tls, const struct cl_msg *msg,
                                    const struct cl_secret *secret);

/* msg_new_session_ticket.c */
CL_MUST cl_result cl_tickets_build(struct cleat_tls *tls);
CL_HANDLER(cl_new_session_ticket_received);

/* msg_key_update.c */
CL_HANDLER(cl_key_update_received);
CL_MUST cl_result cl_key_update_send(struct cleat_tls *tls, struct cleat_tls_io *io,
                                     bool request_peer);

/* client_13.c, server_13.c hold the rows and what only they need. */

/* peer.c: is the peer's chain good? */
CL_HANDLER(cl_peer_check);
CL_HANDLER(cl_peer_chain_step);
CL_HANDLER(cl_peer_asked);

/* server_psk.c, server_certificate.c: what cl_server_select asks. */
CL_MUST cl_result cl_select_psk(struct cleat_tls *tls);
CL_MUST cl_result cl_select_certificate(struct cleat_tls *tls);

/* server_select.c: version, suite, group, PSK, certificate. */
CL_HANDLER(cl_server_asked_config);
CL_HANDLER(cl_server_negotiate);
CL_HANDLER(cl_server_select);

#endif
