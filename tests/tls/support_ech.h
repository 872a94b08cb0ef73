/* tests/tls/support_ech.h - ECH keys, and connections that use them. */
#ifndef TEST_SUPPORT_ECH_H
#define TEST_SUPPORT_ECH_H

#include "cleat/ech.h"
#include "tls/support_tls.h"

/* The host that must not be seen, and the name that may be. */
#define TEST_ECH_HOST   "secret.example.test"
#define TEST_ECH_PUBLIC "public.example.test"

/* A key of a server and the list that clients get. */
struct test_ech {
    char *pem;
    struct cl_buf list;
};

/* test_ech_make makes one with this config_id; kem NULL: X25519. */
void test_ech_make(struct test_ech *ech, const char *kem, int id);
void test_ech_drop(struct test_ech *ech);

/* Builders for a server of both names, with num keys (those that have no bit in hidden are given to
 * clients that were rejected), and for a client. */
struct cleat_tls_builder *test_ech_server(const struct test_ech *const *keys, size_t num,
                                          unsigned hidden);
struct cleat_tls_builder *test_ech_client(void);

/* test_ech_pair joins a client that offers a list to a server. */
void test_ech_pair(struct test_pair *p, struct cleat_tls_builder *client,
                   struct cleat_tls_builder *server, const struct test_ech *offered,
                   struct cleat_tls_session *session);

/* test_ech_hello writes a ClientHello, in a record, of a fixed kind: groups (X25519), signature
 * schemes, key share, versions (1.3), and ext as its encrypted_client_hello (p NULL: none).
 * test_ech_wrap gives it an outer extension for the key, around what it is given as
 * EncodedClientHelloInner. */
void test_ech_hello(struct cl_buf *record, struct cl_rd ext);
void test_ech_wrap(struct cl_buf *record, const struct test_ech *key, struct cl_rd encoded);

/* test_has_bytes: whether what crossed contains a text. */
bool test_has_bytes(const struct cl_buf *crossed, const char *text);

#endif
