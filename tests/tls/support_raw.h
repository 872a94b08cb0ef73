/* tests/tls/support_raw.h - configurations with raw public keys (RFC 7250). */
#ifndef TEST_SUPPORT_RAW_H
#define TEST_SUPPORT_RAW_H

#include "cleat/tls_rawkey.h"
#include "tls/support_tls.h"

/* Two keys that no certificate is for. */
struct raw_keys {
    struct cleat_key *server;
    struct cleat_key *client;
};
extern struct raw_keys raw;

/* The world of support_tls.h and these. */
int raw_setup(void **state);
int raw_teardown(void **state);

/* Trusts one key. */
void raw_pin(struct cleat_tls_builder *b, const struct cleat_key *key);
/* Shows one. */
void raw_show(struct cleat_tls_builder *b, struct cleat_key *key);
/* A server demands one of the client's, which is this. */
void raw_ask(struct cleat_tls_builder *s, const struct cleat_key *pinned);

/* A client of one version that takes raw keys alone; pinned NULL: none yet. */
struct cleat_tls_builder *raw_client(uint16_t version, const struct cleat_key *pinned);
/* A server of one version with an identity (or NULL) and a raw key. */
struct cleat_tls_builder *raw_server(uint16_t version, const struct test_identity *id,
                                     struct cleat_key *key);

#endif
