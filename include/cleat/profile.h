/* cleat/profile.h - named sets of everything that is negotiated, for servers and clients.
 *
 * public          the default: TLS 1.2 and 1.3, what browsers and servers of today have
 * internal        TLS 1.3 alone, between machines of one house
 * high-security   TLS 1.3 with AES-256-GCM, P-384 and above, RSA keys of 3,072 bits and more
 * iot             TLS 1.3, ChaCha20 first, few and small messages
 * legacy          TLS 1.2 and 1.3 with peers from before 2016: CCM, and no extended master secret;
 *                 what has a known weakness (RSA key exchange, DHE, AES-CBC, PSK without ECDHE)
 *                 may be named beside it
 */
#ifndef CLEAT_PROFILE_H
#define CLEAT_PROFILE_H

#include "cleat/tls.h"

#ifdef __cplusplus
extern "C" {
#endif

/* cleat_profile_name gives the names one by one, "public" first, then NULL. */
const char *cleat_profile_name(size_t i);

/* cleat_tls_builder_profile sets versions, cipher suites, groups, signature schemes, the smallest
 * RSA key (ours; the peer's own, unless the application decides: CLEAT_DECIDE_PEER), the number of
 * tickets, and whether TLS 1.2 needs the extended master secret. What is set before is replaced;
 * what is set afterwards refines it. A configuration without profile is as "public".
 * CLEAT_ERR_BAD_CONFIG for a name not known. */
int cleat_tls_builder_profile(struct cleat_tls_builder *b, const char *name);

/* cleat_profile_ticket_lifetime: what a profile wants cleat_ticket_keys_new to be given, seconds; 0
 * for a name not known. */
uint32_t cleat_profile_ticket_lifetime(const char *name);

/* cleat_tls_weakness returns the i-th thing in an established connection that has a known weakness
 * ("RSA key exchange"), then NULL; *text gets the weakness ("no forward secrecy: …"). Such things
 * are negotiated only where the profile is legacy and the cipher suite was named
 * (cleat_tls_builder_ciphers); each is a CLEAT_EVENT_WARNING too. Static texts. */
const char *cleat_tls_weakness(const struct cleat_tls *tls, size_t i, const char **text);

#ifdef __cplusplus
}
#endif
#endif
