/* tests/tls/support_tls.c - certificates, configurations and connections of support_tls.h. */
#include "tls/support_tls.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cleat/job.h"
#include "cleat/tls_options.h"
#include "crypto/hash.h"
#include "x509/build.h"
#include "x509/chain.h"

struct test_world world;

#define DAY 86400

/* Two Ed25519 keys that never change: their signatures do not either. */
static const char fixed_ca_key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIDPMiBv+/GQf85TQTBQsaJlDQIuEirPMkDChoRrWE5nM\n"
    "-----END PRIVATE KEY-----\n";
static const char fixed_server_key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIGOiBFhwKGUhzrcsSqhkQCJWj7P59RsCc3xvTkP7EF6P\n"
    "-----END PRIVATE KEY-----\n";

static const char *const server_names[] = {"localhost", "www.example.test"};
static const char *const client_names[] = {"client.example.test"};

uint64_t test_clock(void *ctx)
{
    (void)ctx;
    return world.now_ms;
}

int test_fixed_random(void *ctx, uint8_t *out, size_t len)
{
    uint64_t *counter = ctx;
    while (len > 0) {
        uint8_t digest[32];
        size_t take = len < sizeof(digest) ? len : sizeof(digest);
        (*counter)++;
        cl_hash_once(CL_HASH_SHA256, counter, sizeof(*counter), digest);
        memcpy(out, digest, take);
        out += take;
        len -= take;
    }
    return 0;
}

struct cl_buf test_hex(const char *hex)
{
    struct cl_buf b = {0};
    assert_int_equal(strlen(hex) % 2, 0);
    for (; *hex != '\0'; hex += 2) {
        unsigned v;
        assert_int_equal(sscanf(hex, "%2x", &v), 1);
        uint8_t byte = (uint8_t)v;
        assert_int_equal(cl_buf_append(&b, &byte, 1, SIZE_MAX / 2), CL_OK);
    }
    return b;
}

/* ---- certificates ---- */

static void build(struct cleat_chain **out, const struct cl_cert_template *t,
                  const struct cleat_key *signer)
{
    struct cl_buf der = {0};
    struct cleat_error err = {0};
    if (cl_cert_build(&der, t, signer, &err) != CL_OK) {
        fail_msg("certificate: %s", err.text);
    }
    struct cl_rd view = cl_buf_view(&der);
    assert_int_equal(cl_chain_from_der(out, &view, 1, &err), CL_OK);
    cl_buf_deinit(&der);
}

static struct cl_cert_template base_template(const char *cn, const struct cleat_key *key)
{
    static uint8_t serial[16] = {1};
    serial[15]++;
    int64_t now = (int64_t)(TEST_NOW_MS / 1000);
    return (struct cl_cert_template){
        .common_name = cn,
        .spki = cl_key_spki(key),
        .serial = serial,
        .serial_len = sizeof(serial),
        .not_before = now - 30 * DAY,
        .not_after = now + 30 * DAY,
        .path_len = -1,
    };
}

static void ca_around_key(struct test_ca *ca, const char *name)
{
    struct cl_cert_template t = base_template(name, ca->key);
    t.is_ca = true;
    t.key_usage = CL_KU_KEY_CERT_SIGN | CL_KU_CRL_SIGN;
    build(&ca->chain, &t, ca->key);
    struct cleat_trust_builder *b;
    assert_int_equal(cleat_trust_builder_new(&b), CLEAT_OK);
    assert_int_equal(cleat_trust_builder_add_cert(b, cl_chain_at(ca->chain, 0)), CLEAT_OK);
    assert_int_equal(cleat_trust_builder_finish(b, &ca->store, NULL), CLEAT_OK);
    cleat_trust_builder_free(b);
}

void test_ca_make(struct test_ca *ca, const char *name)
{
    assert_int_equal(cl_key_generate(&ca->key, CL_KEY_EC_P256, 0), CL_OK);
    ca_around_key(ca, name);
}

void test_ca_drop(struct test_ca *ca)
{
    cleat_key_free(ca->key);
    cleat_chain_free(ca->chain);
    cleat_trust_store_free(ca->store);
    *ca = (struct test_ca){0};
}

static struct cl_cert_template leaf_template(const struct test_identity *id,
                                             const struct test_ca *ca, const char *const *names,
                                             size_t num, bool client)
{
    struct cl_cert_template t = base_template(names[0], id->key);
    t.issuer = cl_chain_at(ca->chain, 0);
    t.dns_names = names;
    t.num_dns_names = num;
    t.key_usage = CL_KU_DIGITAL_SIGNATURE |
                  (cl_key_type(id->key) == CL_KEY_RSA ? CL_KU_KEY_ENCIPHERMENT : 0U);
    t.ext_key_usage = client ? CL_EKU_CLIENT_AUTH : CL_EKU_SERVER_AUTH;
    return t;
}

void test_identity_make(struct test_identity *id, const struct test_ca *ca, enum cl_key_type type,
                        const char *const *names, size_t num, bool client)
{
    assert_int_equal(cl_key_generate(&id->key, type, 2048), CL_OK);
    struct cl_cert_template t = leaf_template(id, ca, names, num, client);
    build(&id->chain, &t, ca->key);
}

void test_identity_sign_only(struct test_identity *id, const struct test_ca *ca,
                             enum cl_key_type type, const char *const *names, size_t num)
{
    assert_int_equal(cl_key_generate(&id->key, type, 2048), CL_OK);
    struct cl_cert_template t = leaf_template(id, ca, names, num, false);
    t.key_usage = CL_KU_DIGITAL_SIGNATURE;
    build(&id->chain, &t, ca->key);
}

void test_identity_until(struct test_identity *id, const struct test_ca *ca,
                         const char *const *names, size_t num, bool client, int64_t not_after)
{
    assert_int_equal(cl_key_generate(&id->key, CL_KEY_EC_P256, 0), CL_OK);
    struct cl_cert_template t = leaf_template(id, ca, names, num, client);
    t.not_after = not_after;
    build(&id->chain, &t, ca->key);
}

void test_identity_drop(struct test_identity *id)
{
    cleat_key_free(id->key);
    cleat_chain_free(id->chain);
    *id = (struct test_identity){0};
}

const struct test_identity *test_identity_of(enum cl_key_type type, bool client)
{
    struct test_identity *id = &world.by_type[client ? 1 : 0][type];
    if (id->key == NULL) {
        test_identity_make(id, &world.ca, type, client ? client_names : server_names,
                           client ? 1 : 2, client);
    }
    return id;
}

int test_world_setup(void **state)
{
    (void)state;
    world.now_ms = TEST_NOW_MS;
    test_ca_make(&world.ca, "Test CA");
    test_identity_make(&world.server, &world.ca, CL_KEY_EC_P256, server_names, 2, false);
    test_identity_make(&world.client, &world.ca, CL_KEY_EC_P256, client_names, 1, true);
    return 0;
}

int test_fixed_world_setup(void **state)
{
    (void)state;
    world.now_ms = TEST_NOW_MS;
    assert_int_equal(
        cleat_key_from_pem(fixed_ca_key, sizeof(fixed_ca_key) - 1, &world.ca.key, NULL), CLEAT_OK);
    ca_around_key(&world.ca, "Test CA");
    for (int client = 0; client < 2; client++) {
        struct test_identity *id = client ? &world.client : &world.server;
        assert_int_equal(
            cleat_key_from_pem(fixed_server_key, sizeof(fixed_server_key) - 1, &id->key, NULL),
            CLEAT_OK);
        struct cl_cert_template t = leaf_template(
            id, &world.ca, client ? client_names : server_names, client ? 1 : 2, client != 0);
        build(&id->chain, &t, world.ca.key);
    }
    return 0;
}

int test_world_teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * TEST_LEN(world.by_type[0]); i++) {
        test_identity_drop(&world.by_type[i % 2][i / 2]);
    }
    test_identity_drop(&world.server);
    test_identity_drop(&world.client);
    test_ca_drop(&world.ca);
    return 0;
}

/* ---- configurations ---- */

static void log_line(struct test_log *log, const char *a, const char *b, const char *c)
{
    assert_int_equal(cl_buf_printf(&log->text, SIZE_MAX / 2, "%s %s %s\n", a, b != NULL ? b : "-",
                                   c != NULL ? c : "-"),
                     CL_OK);
}

static void log_message(struct test_log *log, const struct cleat_event *e)
{
    log_line(log, e->sent ? "sent" : "received", e->message.name, NULL);
    if (log->num_messages < TEST_LOG_MAX) {
        size_t i = log->num_messages++;
        log->messages[i].sent = e->sent;
        log->messages[i].type = e->message.type;
        assert_int_equal(
            cl_buf_append(&log->messages[i].bytes, e->message.bytes, e->message.len, SIZE_MAX / 2),
            CL_OK);
    }
}

static void log_secret(struct test_log *log, const struct cleat_event *e)
{
    log_line(log, "secret", e->secret.label, NULL);
    size_t i = log->num_secrets++;
    assert_true(i < TEST_LEN(log->secrets));
    (void)snprintf(log->secrets[i].label, sizeof(log->secrets[i].label), "%s", e->secret.label);
    log->secrets[i].secret.len = (uint8_t)e->secret.secret_len;
    memcpy(log->secrets[i].secret.bytes, e->secret.secret, e->secret.secret_len);
    memcpy(log->secrets[i].client_random, e->secret.client_random, 32);
}

static void take_event(void *ctx, void *user, const struct cleat_event *e)
{
    struct test_log *log = &((struct test_end *)user)->log;
    (void)ctx;
    switch (e->kind) {
    case CLEAT_EVENT_MESSAGE:
        log_message(log, e);
        break;
    case CLEAT_EVENT_SECRET:
        log_secret(log, e);
        break;
    case CLEAT_EVENT_ALERT:
        log_line(log, e->sent ? "alert sent" : "alert received", e->alert.name, NULL);
        if (log->num_alerts < TEST_LEN(log->alerts)) {
            size_t i = log->num_alerts++;
            log->alerts[i].sent = e->sent;
            log->alerts[i].level = e->alert.level;
            log->alerts[i].alert = e->alert.alert;
        }
        break;
    case CLEAT_EVENT_CHOICE:
        log_line(log, e->choice.what, e->choice.value, e->choice.why);
        break;
    case CLEAT_EVENT_KEY:
        log_line(log, e->sent ? "key for sending" : "key for reading", e->key.epoch, e->key.cipher);
        break;
    case CLEAT_EVENT_TICKET:
        log_line(log, "ticket", e->ticket.what, NULL);
        log->num_tickets++;
        (void)snprintf(log->ticket, sizeof(log->ticket), "%s", e->ticket.what);
        break;
    case CLEAT_EVENT_STATE:
        log_line(log, "state", e->state.name, NULL);
        break;
    case CLEAT_EVENT_WARNING:
        log_line(log, "warning", e->warning.what, e->warning.text);
        break;
    case CLEAT_EVENT_FINGERPRINT:
        log_line(log, e->sent ? "fingerprint sent" : "fingerprint received", e->fingerprint.ja3,
                 e->fingerprint.ja4);
        break;
    }
}

struct cleat_tls_builder *test_server_builder_with(const struct test_identity *id)
{
    struct cleat_tls_builder *b;
    assert_int_equal(cleat_tls_builder_new(CLEAT_SERVER, &b), CLEAT_OK);
    cleat_tls_builder_clock(b, test_clock, NULL);
    assert_int_equal(cleat_tls_builder_cert_compression(b, "none"), CLEAT_OK);
    cleat_tls_builder_events(b, take_event, NULL, CLEAT_EVENTS_SECRETS);
    if (id != NULL) {
        assert_int_equal(cleat_tls_builder_credential(b, id->chain, id->key), CLEAT_OK);
    }
    return b;
}

struct cleat_tls_builder *test_server_builder(void)
{
    return test_server_builder_with(&world.server);
}

struct cleat_tls_builder *test_client_builder(void)
{
    struct cleat_tls_builder *b;
    assert_int_equal(cleat_tls_builder_new(CLEAT_CLIENT, &b), CLEAT_OK);
    /* ClientHellos that are the same each time; test_grease.c looks at the others */
    cleat_tls_builder_grease(b, false);
    cleat_tls_builder_permute(b, false);
    assert_int_equal(cleat_tls_builder_cert_compression(b, "none"), CLEAT_OK);
    cleat_tls_builder_clock(b, test_clock, NULL);
    cleat_tls_builder_events(b, take_event, NULL, CLEAT_EVENTS_SECRETS);
    assert_int_equal(cleat_tls_builder_trust(b, world.ca.store), CLEAT_OK);
    return b;
}

struct cleat_tls_config *test_finish(struct cleat_tls_builder *b)
{
    struct cleat_tls_config *config = NULL;
    struct cleat_error err = {0};
    if (cleat_tls_builder_finish(b, &config, &err) != CLEAT_OK) {
        fail_msg("configuration: %s", err.text);
    }
    return config;
}

struct cleat_tls_config *test_server_config(void)
{
    return test_finish(test_server_builder());
}

struct cleat_tls_config *test_client_config(void)
{
    return test_finish(test_client_builder());
}

/* ---- connections ---- */

/* The pair takes over the references to both configurations. */
void test_pair_make_for(struct test_pair *p, const char *host, struct cleat_tls_config *client,
                        struct cleat_tls_config *server, struct cleat_tls_session *session)
{
    *p = (struct test_pair){0};
    assert_int_equal(cleat_tls_client_new(client, host, session, &p->client, &p->client.tls),
                     CLEAT_OK);
    assert_int_equal(cleat_tls_server_new(server, &p->server, &p->server.tls), CLEAT_OK);
    cleat_tls_config_free(client);
    cleat_tls_config_free(server);
}

void test_pair_make(struct test_pair *p, struct cleat_tls_config *client,
                    struct cleat_tls_config *server, struct cleat_tls_session *session)
{
    test_pair_make_for(p, "localhost", client, server, session);
}

static void end_drop(struct test_end *e)
{
    cleat_tls_free(e->tls);
    cl_buf_deinit(&e->in);
    cl_buf_deinit(&e->data);
    for (size_t i = 0; i < e->log.num_messages; i++) {
        cl_buf_deinit(&e->log.messages[i].bytes);
    }
    cl_buf_deinit(&e->log.text);
}

void test_pair_drop(struct test_pair *p)
{
    end_drop(&p->client);
    end_drop(&p->server);
    cl_buf_deinit(&p->to_server);
    cl_buf_deinit(&p->to_client);
    *p = (struct test_pair){0};
}

void test_end_feed(struct test_end *e, const void *p, size_t len)
{
    assert_int_equal(cl_buf_append(&e->in, p, len, SIZE_MAX / 2), CL_OK);
}

void test_end_step(struct test_end *e, struct cl_buf *out, size_t out_cap)
{
    uint8_t room[32768];
    bool again = true;
    while (again) {
        struct cleat_tls_io io = {
            .in = e->in.p,
            .in_len = e->in.len,
            .out = room,
            .out_cap = out_cap != 0 ? out_cap : sizeof(room),
        };
        e->next = cleat_tls_step(e->tls, &io);
        assert_int_equal(cl_buf_append(out, room, io.out_len, SIZE_MAX / 2), CL_OK);
        if (io.data_len != 0) {
            assert_int_equal(cl_buf_append(&e->data, io.data, io.data_len, SIZE_MAX / 2), CL_OK);
            e->num_early += io.early ? io.data_len : 0;
        }
        cl_buf_drop(&e->in, io.in_used);
        again = e->next == CLEAT_TLS_HAS_DATA || e->next == CLEAT_TLS_HAS_OUTPUT;
        if (e->next == CLEAT_TLS_READY && !e->told_ready) {
            e->told_ready = true; /* data may have come with the last handshake message */
            again = true;
        }
        struct cleat_sign_request request;
        if (e->next == CLEAT_TLS_NEEDS_JOB &&
            !cleat_job_sign_request(cleat_tls_job(e->tls), &request)) {
            cleat_job_run(cleat_tls_job(e->tls));
            e->num_jobs++;
            again = true;
        }
    }
}

static void deliver(struct test_pair *p, struct cl_buf *from, struct test_end *to,
                    struct cl_buf *copy)
{
    size_t n = p->chunk != 0 && p->chunk < from->len ? p->chunk : from->len;
    if (n == 0) {
        return;
    }
    if (p->tamper != NULL) {
        p->tamper(p->tamper_ctx, to == &p->server, copy->len, from->p, n);
    }
    test_end_feed(to, from->p, n);
    assert_int_equal(cl_buf_append(copy, from->p, n, SIZE_MAX / 2), CL_OK);
    cl_buf_drop(from, n);
}

void test_pair_run(struct test_pair *p)
{
    struct cl_buf to_server = {0};
    struct cl_buf to_client = {0};
    /* 200,000: a handshake moved byte by byte takes a few thousand rounds */
    for (size_t round = 0; round < 200000; round++) {
        test_end_step(&p->client, &to_server, p->out_cap);
        deliver(p, &to_server, &p->server, &p->to_server);
        test_end_step(&p->server, &to_client, p->out_cap);
        deliver(p, &to_client, &p->client, &p->to_client);
        if (to_server.len == 0 && to_client.len == 0) {
            test_end_step(&p->client, &to_server, p->out_cap);
            if (to_server.len == 0) {
                break;
            }
        }
    }
    assert_int_equal(to_server.len, 0);
    cl_buf_deinit(&to_server);
    cl_buf_deinit(&to_client);
}

void test_write(struct test_end *from, struct test_end *to, const void *data, size_t len)
{
    const uint8_t *at = data;
    while (len > 0) {
        uint8_t room[20000];
        struct cleat_tls_io io = {.out = room, .out_cap = sizeof(room)};
        size_t written;
        assert_int_equal(cleat_tls_write(from->tls, &io, at, len, &written), CLEAT_OK);
        assert_true(written > 0);
        test_end_feed(to, room, io.out_len);
        at += written;
        len -= written;
    }
}

void test_close(struct test_end *from, struct test_end *to)
{
    uint8_t room[CLEAT_TLS_MIN_OUTPUT];
    struct cleat_tls_io io = {.out = room, .out_cap = sizeof(room)};
    assert_int_equal(cleat_tls_close(from->tls, &io), CLEAT_OK);
    test_end_feed(to, room, io.out_len);
}

static void assert_arrives(struct test_pair *p, struct test_end *from, struct test_end *to,
                           const char *text)
{
    to->data.len = 0;
    test_write(from, to, text, strlen(text));
    test_pair_run(p);
    assert_int_equal(to->data.len, strlen(text));
    assert_memory_equal(to->data.p, text, strlen(text));
}

void test_assert_echo(struct test_pair *p)
{
    assert_arrives(p, &p->client, &p->server, "ping");
    assert_arrives(p, &p->server, &p->client, "pong!");
}

void test_assert_ready(const struct test_pair *p)
{
    if (p->client.next != CLEAT_TLS_READY || p->server.next != CLEAT_TLS_READY) {
        fail_msg("client: %d %s / server: %d %s", p->client.next,
                 cleat_tls_error(p->client.tls)->text, p->server.next,
                 cleat_tls_error(p->server.tls)->text);
    }
}

void test_assert_failed(const struct test_end *e, const struct test_end *other, int code,
                        uint8_t alert)
{
    const struct cleat_error *err = cleat_tls_error(e->tls);
    if (e->next != CLEAT_TLS_FAILED || err->code != code || err->alert != alert || err->from_peer) {
        const struct cleat_error *theirs = other != NULL ? cleat_tls_error(other->tls) : err;
        fail_msg("expected %s (alert %u), but: %d %s (alert %u) %s / other: %s",
                 cleat_error_name(code), alert, e->next, cleat_error_name(err->code), err->alert,
                 err->text, theirs->text);
    }
    assert_true(err->text[0] != '\0');
    if (other != NULL) {
        err = cleat_tls_error(other->tls);
        assert_int_equal(err->code, CLEAT_ERR_PEER_ALERT);
        assert_int_equal(err->alert, alert);
        assert_true(err->from_peer);
    }
}

struct cleat_tls_info test_info(const struct test_end *e)
{
    struct cleat_tls_info info;
    assert_int_equal(cleat_tls_info(e->tls, &info), CLEAT_OK);
    return info;
}

struct cleat_tls_session *test_session_of(struct cleat_tls_config *client,
                                          struct cleat_tls_config *server, const char *host)
{
    struct test_pair p;
    test_pair_make_for(&p, host, client, server, NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    struct cleat_tls_session *session = cleat_tls_take_session(p.client.tls);
    assert_non_null(session);
    test_pair_drop(&p);
    return session;
}
