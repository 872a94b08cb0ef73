/* cleat/revocation.h - where the verifier looks up whether certificates were revoked: lists (RFC
 * 5280 5) and OCSP responses (RFC 6960), as sets that the application fills from wherever it likes.
 *
 * Nothing here reads a file or asks a server: bytes come in, a request for a responder comes out.
 * A set belongs to one thread while it is filled; from its first use in a verification on it is
 * immutable and may be used from every thread. Sets are reference-counted; free(NULL) is fine.
 *
 * What a list or response says counts only when the verifier finds it authentic, about the
 * certificate in question, and current; the proof of the verdict says which one counted, or why one
 * did not. Without nextUpdate a list is not used and a response for seven days, unless
 * max_revocation_age (cleat/x509.h) says how old it may be.
 */
#ifndef CLEAT_REVOCATION_H
#define CLEAT_REVOCATION_H

#include "cleat/x509.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- certificate revocation lists ---- */

/* cleat_crl_set_new makes an empty set. CLEAT_OK, CLEAT_ERR_NOMEM. */
int cleat_crl_set_new(struct cleat_crl_set **out);

/* cleat_crl_set_add_pem adds every X509 CRL block of a text, cleat_crl_set_add_der one list of len
 * bytes (at most 16 MiB); both copy. Complete, partitioned (issuingDistributionPoint), delta and
 * indirect lists are understood. CLEAT_OK, CLEAT_ERR_BAD_PEM, CLEAT_ERR_NO_CERTIFICATE (no such
 * block), CLEAT_ERR_BAD_CERTIFICATE (malformed: err, which may be NULL, says where),
 * CLEAT_ERR_LIMIT, CLEAT_ERR_NOMEM; lists added before a failure stay. */
int cleat_crl_set_add_pem(struct cleat_crl_set *set, const char *text, size_t len,
                          struct cleat_error *err);
int cleat_crl_set_add_der(struct cleat_crl_set *set, const uint8_t *der, size_t len,
                          struct cleat_error *err);

/* cleat_crl_set_add_mapped adds one list without copying it: for a file that is mapped, at most 512
 * MiB. The bytes must stay as they are until release(ctx) is called, exactly once: when the set is
 * freed, or before this returns a failure. A long list costs four and a half bytes an entry
 * besides (thirty-two more of each while it is added), and a look-up among a million less than a
 * microsecond. Failures as cleat_crl_set_add_der. */
int cleat_crl_set_add_mapped(struct cleat_crl_set *set, const uint8_t *der, size_t len,
                             void (*release)(void *ctx), void *ctx, struct cleat_error *err);

/* cleat_crl_set_add_set adds every list of another set, which shares them from then on: nothing is
 * copied. CLEAT_ERR_LIMIT: not all of them fit, and none was added. */
int cleat_crl_set_add_set(struct cleat_crl_set *set, const struct cleat_crl_set *from);

/* cleat_crl_set_from_pem makes a set of the X509 CRL blocks of one text: _new and _add_pem. */
int cleat_crl_set_from_pem(const char *pem, size_t len, struct cleat_crl_set **out,
                           struct cleat_error *err);
struct cleat_crl_set *cleat_crl_set_ref(const struct cleat_crl_set *set);
void cleat_crl_set_free(struct cleat_crl_set *set);
size_t cleat_crl_set_num(const struct cleat_crl_set *set);

/* ---- OCSP responses ---- */

/* cleat_ocsp_set_new makes an empty set, cleat_ocsp_set_add adds one OCSPResponse (DER), which it
 * copies. CLEAT_OK, CLEAT_ERR_BAD_CERTIFICATE (malformed: err, which may be NULL, says where),
 * CLEAT_ERR_LIMIT, CLEAT_ERR_NOMEM. A response with an error status is no failure here; it proves
 * nothing. */
int cleat_ocsp_set_new(struct cleat_ocsp_set **out);
int cleat_ocsp_set_add(struct cleat_ocsp_set *set, const uint8_t *der, size_t len,
                       struct cleat_error *err);
/* cleat_ocsp_set_add_set is to responses what cleat_crl_set_add_set is to lists. */
int cleat_ocsp_set_add_set(struct cleat_ocsp_set *set, const struct cleat_ocsp_set *from);
struct cleat_ocsp_set *cleat_ocsp_set_ref(const struct cleat_ocsp_set *set);
void cleat_ocsp_set_free(struct cleat_ocsp_set *set);
size_t cleat_ocsp_set_num(const struct cleat_ocsp_set *set);

/* cleat_ocsp_request writes an OCSPRequest (RFC 6960 4.1) about cert, issued by the holder of
 * issuer, to be sent to the URL that cleat_cert_ocsp_url gives as application/ocsp-request. nonce:
 * 0 to CLEAT_OCSP_MAX_NONCE bytes (RFC 9654; 32 random ones, or none for a responder that serves
 * responses made in advance). *out_len bytes of at most cap; CLEAT_OCSP_MAX_REQUEST is always
 * enough. CLEAT_OK, CLEAT_ERR_USAGE (nonce too long), CLEAT_ERR_LIMIT (cap too small),
 * CLEAT_ERR_BAD_CERTIFICATE, CLEAT_ERR_NOMEM. */
#define CLEAT_OCSP_MAX_NONCE   128
#define CLEAT_OCSP_MAX_REQUEST 512
int cleat_ocsp_request(const struct cleat_cert *cert, const struct cleat_cert *issuer,
                       const uint8_t *nonce, size_t nonce_len, uint8_t *out, size_t cap,
                       size_t *out_len);

/* cleat_ocsp_set_add_answer adds the answer to a request with a nonce (RFC 9654 2.1), which no
 * older response can be. required: it has to carry the nonce; otherwise one without any is taken
 * too, which RFC 6960 4.4.1 lets responders send that make theirs in advance - then its dates alone
 * say how fresh it is. CLEAT_ERR_OCSP_NONCE: another nonce, or none; nothing was added. An error
 * status has no nonce, and proves nothing anyway. Else as cleat_ocsp_set_add. */
int cleat_ocsp_set_add_answer(struct cleat_ocsp_set *set, const uint8_t *der, size_t len,
                              const uint8_t *nonce, size_t nonce_len, bool required,
                              struct cleat_error *err);

/* cleat_verdict_revocation_known tells whether a list or a response said "good" of a certificate of
 * the accepted path, 0 being the leaf; false: nothing did, or nothing was asked, and more evidence
 * may help. */
bool cleat_verdict_revocation_known(const struct cleat_verdict *verdict, size_t depth);

/* ---- in handshakes ---- */

/* cleat_tls_builder_revocation: how the engine's own verification of the peer treats revocation,
 * and where it looks it up (fields as in struct cleat_verify_options). References to the sets are
 * taken. Default: off. What a client asked its server to staple (cleat_tls_builder_ask_status)
 * counts also then: "revoked" is refused, and a certificate that demands a staple (RFC 7633) needs
 * a good one; unless from_ocsp is CLEAT_SOURCE_OFF. staple_required: every peer's certificate needs
 * a good staple, whether it demands one or not. New lists or responses mean a new configuration;
 * sessions made under others, or without staple_required, are not resumed under it. CLEAT_OK,
 * CLEAT_ERR_BAD_CONFIG. */
struct cleat_revocation_options {
    enum cleat_revocation mode;
    enum cleat_source from_crls;
    enum cleat_source from_ocsp;
    int64_t max_age; /* seconds since thisUpdate; 0: until nextUpdate */
    const struct cleat_crl_set *crls;
    const struct cleat_ocsp_set *ocsp;
    bool staple_required;
};
struct cleat_tls_builder;
int cleat_tls_builder_revocation(struct cleat_tls_builder *b,
                                 const struct cleat_revocation_options *options);

/* CLEAT_DECIDE_EVIDENCE (cleat/tls.h) asks, once the peer has proven its key and before the
 * built-in verification of its chain, what else there is to verify that with: what the application
 * fetches from where the certificates say - OCSP responses (RFC 6960 A.1), lists (RFC 5280
 * 4.2.1.13), missing intermediates (RFC 5280 4.2.2.1). The chain is that of cleat_tls_peer_cert, a
 * staple cleat_tls_peer_staple. The handshake waits until it is answered, now or later; nothing is
 * trusted because of the answer: the verifier judges what is supplied as it judges all else. Not
 * asked about raw public keys, nor beside CLEAT_DECIDE_PEER, nor when a session is resumed: what it
 * was made with is not part of it, so whoever wants to ask anew each time resumes nothing.
 *
 * cleat_tls_supply_evidence answers; references are taken. evidence: NULL for none. CLEAT_OK,
 * CLEAT_ERR_USAGE (it was not asked), CLEAT_ERR_NOMEM. */
struct cleat_evidence {
    const struct cleat_chain *certs;   /* further candidates for the path, in any order; or NULL */
    const struct cleat_crl_set *crls;  /* instead of the configuration's; NULL: those */
    const struct cleat_ocsp_set *ocsp; /* likewise */
};
struct cleat_tls;
int cleat_tls_supply_evidence(struct cleat_tls *tls, const struct cleat_evidence *evidence);

#ifdef __cplusplus
}
#endif
#endif
