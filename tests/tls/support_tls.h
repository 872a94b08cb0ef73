/* tests/tls/support_tls.h - a local CA, configurations, two connections joined back to back, what
 * they tell, and the tools to break the protocol in exactly one place. */
#ifndef TEST_SUPPORT_TLS_H
#define TEST_SUPPORT_TLS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "cleat/tls.h"
#include "crypto/key.h"
#include "crypto/rand.h"
#include "tls/record.h"

/* Every test runs at this moment unless it says otherwise: 2026-11-21T12:00:00Z, in milliseconds.
 */
#define TEST_NOW_MS UINT64_C(1795262400000)

#define TEST_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* ---- certificates ---- */

/* A CA and what it signed. */
struct test_ca {
    struct cleat_key *key;
    struct cleat_chain *chain; /* the CA's own certificate */
    struct cleat_trust_store *store;
};

struct test_identity {
    struct cleat_chain *chain;
    struct cleat_key *key;
};

void test_ca_make(struct test_ca *ca, const char *name);
void test_ca_drop(struct test_ca *ca);
/* A leaf for num DNS names under ca; client: for client authentication. Valid 30 days around now.
 */
void test_identity_make(struct test_identity *id, const struct test_ca *ca, enum cl_key_type type,
                        const char *const *names, size_t num, bool client);
/* The same with an end of its own, Unix seconds. */
void test_identity_until(struct test_identity *id, const struct test_ca *ca,
                         const char *const *names, size_t num, bool client, int64_t not_after);
/* A server whose key may sign only (digitalSignature); other RSA keys have keyEncipherment, too. */
void test_identity_sign_only(struct test_identity *id, const struct test_ca *ca,
                             enum cl_key_type type, const char *const *names, size_t num);
void test_identity_drop(struct test_identity *id);

/* The world most tests need: a CA, a server for "localhost" (ECDSA P-256), a client identity. Made
 * once for a test program. */
struct test_world {
    struct test_ca ca;
    struct test_identity server;
    struct test_identity client;
    struct test_identity by_type[2][CL_KEY_ED448 + 1]; /* made when first asked for */
    uint64_t now_ms;
};
extern struct test_world world;
int test_world_setup(void **state);
int test_world_teardown(void **state);
/* The same with a CA and a server whose Ed25519 keys are fixed: signatures and sizes never vary. */
int test_fixed_world_setup(void **state);

/* An identity for "localhost" (or a client) with a key of this type; the world's to drop. */
const struct test_identity *test_identity_of(enum cl_key_type type, bool client);

uint64_t test_clock(void *ctx); /* world.now_ms */

/* A random source that gives the same bytes each time: a counter hashed. ctx: uint64_t counter. */
int test_fixed_random(void *ctx, uint8_t *out, size_t len);

/* Bytes of a hex string; NULL-terminated lists of strings are concatenated by the compiler. */
struct cl_buf test_hex(const char *hex);

/* ---- configurations ---- */

/* Builders with clock, credential, trust set and events from the world; the test adds what it is
 * about. id NULL: no credential yet. Certificates are not compressed. */
struct cleat_tls_builder *test_server_builder(void);
struct cleat_tls_builder *test_server_builder_with(const struct test_identity *id);
struct cleat_tls_builder *test_client_builder(void);
struct cleat_tls_config *test_finish(struct cleat_tls_builder *b);
struct cleat_tls_config *test_server_config(void);
struct cleat_tls_config *test_client_config(void);

/* ---- connections ---- */

#define TEST_LOG_MAX 96

/* What a connection told through its events, in order. */
struct test_log {
    struct {
        bool sent;
        uint8_t type;
        struct cl_buf bytes;
    } messages[TEST_LOG_MAX];
    size_t num_messages;
    struct {
        char label[40];
        struct cl_secret secret;
        uint8_t client_random[32];
    } secrets[16];
    size_t num_secrets;
    struct {
        bool sent;
        uint8_t level;
        uint8_t alert;
    } alerts[16];
    size_t num_alerts;
    size_t num_tickets;
    char ticket[80];    /* the last one's text */
    struct cl_buf text; /* every event as a line */
};

/* One end: a connection, what it was sent and has not consumed, what it has received as data. */
struct test_end {
    struct cleat_tls *tls;
    struct cl_buf in;
    struct cl_buf data;
    size_t num_early; /* bytes of data that were early data */
    enum cleat_tls_next next;
    size_t num_jobs;
    bool told_ready;
    struct test_log log;
};

struct test_pair {
    struct test_end client;
    struct test_end server;
    size_t out_cap;          /* output room a step is given; 0: 32 KiB */
    size_t chunk;            /* bytes moved at once; 0: all */
    struct cl_buf to_server; /* copies of everything that crossed */
    struct cl_buf to_client;
    /* Called with what is about to cross; may change it. */
    void (*tamper)(void *ctx, bool to_server, size_t at, uint8_t *p, size_t len);
    void *tamper_ctx;
};

void test_pair_make(struct test_pair *p, struct cleat_tls_config *client,
                    struct cleat_tls_config *server, struct cleat_tls_session *session);
void test_pair_make_for(struct test_pair *p, const char *host, struct cleat_tls_config *client,
                        struct cleat_tls_config *server, struct cleat_tls_session *session);
void test_pair_drop(struct test_pair *p);

/* Steps both ends, running jobs and passing bytes, until nothing moves any more. Signatures of
 * external keys (cleat/job.h) are left to the caller. */
void test_pair_run(struct test_pair *p);

/* Steps one end on its own input; output is appended to out. Decisions are left to the caller. */
void test_end_step(struct test_end *e, struct cl_buf *out, size_t out_cap);
/* Appends to an end's input. */
void test_end_feed(struct test_end *e, const void *p, size_t len);

/* Writes data from one end and delivers it to the other's input. */
void test_write(struct test_end *from, struct test_end *to, const void *data, size_t len);
void test_close(struct test_end *from, struct test_end *to);
/* Data both ways arrives unchanged. */
void test_assert_echo(struct test_pair *p);

/* Both ends READY, else the test fails with both errors told. */
void test_assert_ready(const struct test_pair *p);
/* This end failed with this code and alert; the other (if not NULL) was told the alert. */
void test_assert_failed(const struct test_end *e, const struct test_end *other, int code,
                        uint8_t alert);
struct cleat_tls_info test_info(const struct test_end *e);

/* ---- what was told ---- */

/* The nth message (from 0) of a type that the end sent or received; fails when there is none. */
struct cl_rd test_message(const struct test_end *e, bool sent, uint8_t type, size_t nth);
size_t test_count_messages(const struct test_end *e, bool sent, uint8_t type);
const struct cl_secret *test_secret(const struct test_end *e, const char *label);
/* Whether a line of the log contains the text. */
bool test_log_has(const struct test_end *e, const char *text);

/* ---- records of our own ---- */

/* Seals with a traffic secret that an end told; for deinit: cl_record_keys_deinit. */
void test_sealer(struct cl_record_keys *keys, const struct test_end *e, const char *label);
void test_seal(struct cl_record_keys *keys, struct cl_buf *out, uint8_t type, const void *p,
               size_t len, size_t padding);
/* A record in clear. */
void test_plain(struct cl_buf *out, uint8_t type, const void *p, size_t len);

/* ---- messages that break the protocol (tls/hook.h) ---- */

struct test_edit {
    uint8_t type;  /* of the message to be changed */
    unsigned skip; /* this many of that type pass unchanged */
    void (*edit)(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight, size_t start);
    const char *hex; /* for edit */
    uint16_t ext;    /* for edit */
    unsigned seen;
};
void test_builder_edit(struct cleat_tls_builder *b, struct test_edit *e);

/* Replaces the message's body by e->hex; its length is set. */
void test_edit_body(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                    size_t start);
/* Takes the extension e->ext out; puts one with body e->hex in its place, or in front of all; puts
 * one behind all. */
void test_edit_ext_remove(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                          size_t start);
void test_edit_ext_put(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                       size_t start);
void test_edit_ext_append(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                          size_t start);
/* XORs the byte at offset e->ext with 0xff. */
void test_edit_flip(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                    size_t start);

/* Replaces bytes from `at` on by others. */
void test_buf_splice(struct cl_buf *b, size_t at, size_t remove, const void *p, size_t len);
/* Where the extensions' 16-bit length stands in a message at start; fails for other messages. */
size_t test_ext_block(const struct cl_buf *flight, size_t start);
/* Where extension type stands (its type field), or 0. */
size_t test_ext_find(const struct cl_buf *flight, size_t start, uint16_t type);
/* Sets the lengths of message and extension block after a splice. */
void test_fix_lengths(struct cl_buf *flight, size_t start, int ext_change);

/* test_session_of makes a connection of the two configurations, which it takes over, to `host` and
 * gives the session that came of it, which is the caller's. */
struct cleat_tls_session *test_session_of(struct cleat_tls_config *client,
                                          struct cleat_tls_config *server, const char *host);

#endif
