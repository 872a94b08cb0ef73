/* tls/ext.h - extensions: one table {type, messages in which it is allowed, parse, build}.
 *
 * The loops here refuse duplicates, wrong places and answers to what was not asked (RFC 9846 4.3);
 * a row's functions see only the extension's own bytes. Parsing records what was said; deciding
 * comes later.
 */
#ifndef CL_TLS_EXT_H
#define CL_TLS_EXT_H

#include "tls/conn.h"

/* 16,384: room for the names of about 150 authorities; a server that trusts more sends none, which
 * means "any" (RFC 9846 4.3.4) */
#define CL_EXT_MAX_AUTHORITIES 16384

/* The messages that carry extensions, as bits. */
#define CL_EXT_CH   0x01u /* ClientHello */
#define CL_EXT_SH   0x02u /* ServerHello */
#define CL_EXT_HRR  0x04u /* HelloRetryRequest */
#define CL_EXT_EE   0x08u /* EncryptedExtensions */
#define CL_EXT_CR   0x10u /* CertificateRequest */
#define CL_EXT_CT   0x20u /* Certificate */
#define CL_EXT_NST  0x40u /* NewSessionTicket */
#define CL_EXT_SH12 0x80u /* ServerHello of TLS 1.2 */

struct cl_ext_row {
    uint16_t type;
    uint8_t messages;
    const char *name;
    /* NULL: recognised, but nothing is taken from it. */
    cl_result (*parse)(struct cleat_tls *tls, unsigned message, struct cl_rd body);
    /* Writes the extension's body; false leaves the extension out. NULL: never sent. */
    bool (*build)(struct cleat_tls *tls, unsigned message, struct cl_wr *w);
};

/* cl_ext_parse walks a block of extensions. *received gets a bit for each row seen (cl_ext_bit). */
CL_MUST cl_result cl_ext_parse(struct cleat_tls *tls, unsigned message, struct cl_rd block,
                               uint32_t *received);

/* cl_ext_build writes the 16-bit length and the extensions of a message. */
void cl_ext_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w);

/* cl_ext_contains looks for an extension type in a block that need not be well-formed. */
bool cl_ext_contains(struct cl_rd block, uint16_t type);

/* cl_ext_bit returns the bit of an extension type in masks; 0 for a type not in the table. */
uint32_t cl_ext_bit(uint16_t type);

/* cl_ext_num_rows returns how many rows the table has; the last is pre_shared_key's. */
size_t cl_ext_num_rows(void);

/* The bit of all types that are not in the table. A ClientHello of ours has none of them; one that
 * the message hook put in its place may (tls/hook.h). */
#define CL_EXT_OTHER (UINT32_C(1) << 31)

/* cl_ext_name returns the IANA name, or NULL. */
const char *cl_ext_name(uint16_t type);

/* The rows' functions, by file. */
#define CL_EXT_PARSE(name) \
    cl_result cl_ext_##name##_parse(struct cleat_tls *tls, unsigned message, struct cl_rd body)
#define CL_EXT_BUILD(name) \
    bool cl_ext_##name##_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w)

/* ext_names.c */
CL_EXT_PARSE(server_name);
CL_EXT_BUILD(server_name);
CL_EXT_PARSE(alpn);
CL_EXT_BUILD(alpn);
/* ext_versions.c */
CL_EXT_PARSE(supported_versions);
CL_EXT_BUILD(supported_versions);
CL_EXT_PARSE(cookie);
CL_EXT_BUILD(cookie);
/* ext_groups.c */
CL_EXT_PARSE(supported_groups);
CL_EXT_BUILD(supported_groups);
CL_EXT_PARSE(key_share);
CL_EXT_BUILD(key_share);
/* ext_signatures.c */
CL_EXT_PARSE(signature_algorithms);
CL_EXT_BUILD(signature_algorithms);
CL_EXT_PARSE(signature_algorithms_cert);
CL_EXT_PARSE(certificate_authorities);
CL_EXT_BUILD(certificate_authorities);
/* ext_status.c */
CL_EXT_PARSE(status_request);
CL_EXT_BUILD(status_request);
CL_EXT_PARSE(scts);
CL_EXT_BUILD(scts);
/* cl_ext_scts_valid: a SignedCertificateTimestampList of one entry or more, none empty (RFC 6962
 * 3.3). */
bool cl_ext_scts_valid(struct cl_rd body);
/* cl_ext_put_proofs writes the block of extensions of our leaf in a Certificate message: bits of
 * CL_PROOF_STAPLE and CL_PROOF_SCTS. */
void cl_ext_put_proofs(struct cl_wr *w, const struct cl_credential *c, unsigned proofs);
/* ext_compress.c */
CL_EXT_PARSE(compress_certificate);
CL_EXT_BUILD(compress_certificate);
/* cl_compression_common returns our first algorithm that is in a list of the peer's, or NULL. */
const struct cl_compression *cl_compression_common(const struct cleat_tls_config *config,
                                                   struct cl_rd list);
/* ext_cert_types.c */
CL_EXT_PARSE(client_certificate_type);
CL_EXT_BUILD(client_certificate_type);
CL_EXT_PARSE(server_certificate_type);
CL_EXT_BUILD(server_certificate_type);
/* ext_record_size.c */
CL_EXT_PARSE(record_size_limit);
CL_EXT_BUILD(record_size_limit);
/* late_auth.c */
CL_EXT_PARSE(post_handshake_auth);
CL_EXT_BUILD(post_handshake_auth);
/* ext_tickets.c */
CL_EXT_PARSE(ticket_request);
CL_EXT_BUILD(ticket_request);
/* ext_12.c */
CL_EXT_PARSE(extended_master_secret);
CL_EXT_BUILD(extended_master_secret);
CL_EXT_PARSE(encrypt_then_mac);
CL_EXT_BUILD(encrypt_then_mac);
CL_EXT_PARSE(renegotiation_info);
CL_EXT_BUILD(renegotiation_info);
CL_EXT_PARSE(ec_point_formats);
CL_EXT_BUILD(ec_point_formats);
/* cl_check_point_formats judges the formats that the peer listed, if it did. */
CL_MUST cl_result cl_check_point_formats(struct cleat_tls *tls);
CL_EXT_PARSE(session_ticket);
CL_EXT_BUILD(session_ticket);
/* ext_ech.c */
CL_EXT_PARSE(encrypted_client_hello);
CL_EXT_BUILD(encrypted_client_hello);
/* ext_psk.c */
CL_EXT_PARSE(psk_modes);
CL_EXT_BUILD(psk_modes);
CL_EXT_PARSE(early_data);
CL_EXT_BUILD(early_data);
CL_EXT_PARSE(pre_shared_key);
CL_EXT_BUILD(pre_shared_key);

#endif
