/* cleat/fingerprint.h - JA3 and JA4: which program is it that says hello?
 *
 * Both are made of a ClientHello alone: of the versions, cipher suites, extensions, groups and
 * signature algorithms that a TLS library offers, and of their order. Clients with the same library
 * and settings have the same fingerprint; who wants to can wear another one's. It is evidence, not
 * identity: a reason to look closer or to refuse nuisances, never one to trust.
 *
 * JA4 is FoxIO's "JA4: TLS Client Fingerprinting" (BSD licence; the rest of the JA4+ family is
 * licensed otherwise and not here). Reserved values (GREASE, RFC 8701) are left out everywhere.
 */
#ifndef CLEAT_FINGERPRINT_H
#define CLEAT_FINGERPRINT_H

#include "cleat/tls.h"

#ifdef __cplusplus
extern "C" {
#endif

enum cleat_fingerprint {
    CLEAT_JA3,      /* MD5 of JA3_FULL: "6c320c139f0efe4d20c19f81dc01bbd8" */
    CLEAT_JA3_FULL, /* "771,4865-4866-…,43-10-…,29-23-24,0" */
    CLEAT_JA4,      /* "t13d1516h2_8daaf6152771_e5627efa2ab1" */
    CLEAT_JA4_R,    /* raw: sorted as for JA4, the lists in place of their hashes */
    CLEAT_JA4_O,    /* original order, with server_name and ALPN among the extensions */
    CLEAT_JA4_RO,   /* raw, in original order */
};

/* 32 and 36 characters; buffers need one more for the NUL. JA4_O is as long as JA4. */
#define CLEAT_JA3_LEN 32
#define CLEAT_JA4_LEN 36

/* What carried the ClientHello: JA4's first character. */
#define CLEAT_HELLO_TCP  't'
#define CLEAT_HELLO_QUIC 'q'

/* cleat_fingerprint computes one form of a ClientHello, given as a handshake message with its
 * 4-byte header (RFC 9846 4). carrier: CLEAT_HELLO_TCP or _QUIC; JA3 ignores it. out gets the text
 * with a NUL; *out_len is its capacity, then the text's length. Any thread; nothing is kept.
 *
 * CLEAT_ERR_DECODE: not a well-formed ClientHello, or an extension that is read (server_name is
 * not) is malformed or there twice; err (may be NULL) says where. CLEAT_ERR_LIMIT: *out_len is set
 * to the capacity that is needed. CLEAT_ERR_UNSUPPORTED: JA3, and this libcrypto has no MD5 (it
 * allows approved algorithms only). CLEAT_ERR_USAGE, CLEAT_ERR_NOMEM. */
int cleat_fingerprint(enum cleat_fingerprint form, char carrier, const uint8_t *message, size_t len,
                      char *out, size_t *out_len, struct cleat_error *err);

/* ---- where connections tell of it -------------------------------------------------------------
 */

/* cleat_tls_builder_fingerprints: CLEAT_EVENT_FINGERPRINT tells the fingerprints of each
 * ClientHello that goes over the wire, sent or received, to the configuration's sink. Default: off,
 * and nothing is computed. With Encrypted Client Hello (RFC 9849) it is the outer one, which
 * everybody on the way sees; cleat_fingerprint() of an inner one's CLEAT_EVENT_MESSAGE tells that
 * one's. */
void cleat_tls_builder_fingerprints(struct cleat_tls_builder *b, bool on);

/* CLEAT_DECIDE_HELLO asks a server about each client's first ClientHello as it came, before
 * anything is computed for it: no key share, no signature, no decryption of an encrypted one.
 * cleat_tls_client_hello() gives its bytes to cleat_fingerprint(); cleat_tls_accept_hello() lets it
 * in, cleat_tls_refuse() does not. CLEAT_DECIDE_CONFIG, if asked for, comes after it, with the
 * inner ClientHello where there is one. CLEAT_ERR_USAGE: that is not what is asked. */
int cleat_tls_accept_hello(struct cleat_tls *tls);

#ifdef __cplusplus
}
#endif
#endif
