/* tests/tls/test_alloc.c - the n-th allocation of the library fails, for every n: in handshakes of
 * every kind, in building configurations, in sessions and ticket keys. Nothing crashes and nothing
 * leaks (the sanitizers look); what fails says NOMEM and tells the peer internal_error, and what
 * can do without the memory succeeds as a whole. */
#include <stdio.h>
#include <string.h>

#include "allocations.h"
#include "cleat/profile.h"
#include "cleat/tls_psk.h"
#include "cleat/tls_options.h"
#include "cleat/tls_rawkey.h"
#include "tls/compress.h"
#include "tls/support_ech.h"

/* ---- failing ---- */

/* 5,000: no scenario allocates a tenth of it */
#define MAX_ALLOCATIONS 5000

/* Runs a scenario with its n-th allocation failing, for each n there is; it returns whether it
 * succeeded as a whole, and checks by itself that a failure is a proper one. */
static void each_allocation(const char *name, bool (*scenario)(const void *ctx), const void *ctx)
{
    size_t succeeded = 0;
    size_t n = 1;
    for (bool hit = true; hit; n++) {
        struct allocations a;
        assert_true(n < MAX_ALLOCATIONS);
        allocations_watch(&a, n);
        bool ok = scenario(ctx);
        allocations_leave();
        hit = a.failed;
        if (!hit && !ok) {
            fail_msg("%s: fails without any lack of memory", name);
        }
        succeeded += hit && ok ? 1 : 0;
    }
    print_message("%s: %zu allocations, %zu of them dispensable\n", name, n - 2, succeeded);
    assert_true(n > 2);
}

/* ---- two ends that allocate nothing themselves ---- */

/* 65,536: a flight is below 8 KiB */
#define WIRE_MAX 65536

struct end {
    struct cleat_tls *tls;
    uint8_t in[WIRE_MAX];
    size_t in_len;
    size_t data_len;
    enum cleat_tls_next next;
};

static struct end client;
static struct end server;

static void feed(struct end *to, const uint8_t *p, size_t len)
{
    assert_true(to->in_len + len <= WIRE_MAX);
    memcpy(to->in + to->in_len, p, len);
    to->in_len += len;
}

/* Steps one end until it waits; true when something was sent. */
static bool step(struct end *e, struct end *to)
{
    static uint8_t room[16384];
    bool sent = false;
    bool again = true;
    while (again) {
        struct cleat_tls_io io = {
            .in = e->in, .in_len = e->in_len, .out = room, .out_cap = sizeof(room)};
        enum cleat_tls_next before = e->next;
        e->next = cleat_tls_step(e->tls, &io);
        sent = sent || io.out_len != 0;
        feed(to, room, io.out_len);
        e->data_len += io.data_len;
        e->in_len -= io.in_used;
        memmove(e->in, e->in + io.in_used, e->in_len);
        again = e->next == CLEAT_TLS_HAS_DATA || e->next == CLEAT_TLS_HAS_OUTPUT ||
                (e->next == CLEAT_TLS_READY && before != CLEAT_TLS_READY);
        if (e->next == CLEAT_TLS_NEEDS_JOB) {
            cleat_job_run(cleat_tls_job(e->tls));
            again = true;
        }
    }
    return sent;
}

static void run(void)
{
    while (step(&client, &server) | step(&server, &client)) {
    }
}

static void write_some(struct end *from, struct end *to)
{
    uint8_t room[CLEAT_TLS_MIN_OUTPUT];
    struct cleat_tls_io io = {.out = room, .out_cap = sizeof(room)};
    size_t written;
    if (cleat_tls_write(from->tls, &io, (const uint8_t *)"data", 4, &written) == CLEAT_OK) {
        feed(to, room, io.out_len);
    }
}

/* NOMEM where it happened, internal_error to the peer; where the memory for a new sending key was
 * lacking, the alert goes out under the old one, which the peer may have dropped already. */
static void assert_failure(const char *name, const struct end *e, const struct end *other)
{
    const struct cleat_error *err = cleat_tls_error(e->tls);
    const struct cleat_error *theirs = cleat_tls_error(other->tls);
    bool proper = e->next == CLEAT_TLS_FAILED && err->code == CLEAT_ERR_NOMEM && err->alert == 80 &&
                  !err->from_peer;
    bool told = theirs->from_peer && theirs->alert == 80;
    bool lost = theirs->code == CLEAT_ERR_BAD_RECORD_MAC;
    if (!proper || other->next != CLEAT_TLS_FAILED || (!told && !lost)) {
        fail_msg("%s: %s (alert %u) \"%s\" / the other: next %d, %s (alert %u) \"%s\"", name,
                 cleat_error_name(err->code), err->alert, err->text, other->next,
                 cleat_error_name(theirs->code), theirs->alert, theirs->text);
    }
}

/* Both are READY, or one has failed properly. */
static bool assert_ready_or_failed(const char *name)
{
    if (client.next == CLEAT_TLS_READY && server.next == CLEAT_TLS_READY) {
        return true;
    }
    bool by_client = cleat_tls_error(client.tls)->code == CLEAT_ERR_NOMEM;
    assert_failure(name, by_client ? &client : &server, by_client ? &server : &client);
    return false;
}

/* ---- handshakes ---- */

struct scenario {
    const char *name;
    uint16_t version;
    bool retry;
    bool client_cert;
    bool key_update;
    bool tickets;
    const char *legacy;      /* under the profile legacy, by this suite; the server's key is RSA */
    const char *compression; /* of certificates; NULL: none */
    bool raw;                /* raw public keys, of both */
    const struct test_ech *ech; /* what the client offers, and the server's second key is */
    struct cleat_tls_session *session;
    struct cleat_tls_config *client;
    struct cleat_tls_config *server;
};

static struct cleat_ticket_keys *keys;

/* Two keys with one config_id: the first of them is tried in vain. */
static void decrypt(struct cleat_tls_builder *b, const struct test_ech *ech)
{
    struct cleat_ech_keys *set;
    struct test_ech first;
    test_ech_make(&first, NULL, 7);
    assert_int_equal(cleat_ech_keys_new(&set), CLEAT_OK);
    assert_int_equal(cleat_ech_keys_add_pem(set, first.pem, strlen(first.pem), true, NULL),
                     CLEAT_OK);
    assert_int_equal(cleat_ech_keys_add_pem(set, ech->pem, strlen(ech->pem), true, NULL), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_ech_keys(b, set), CLEAT_OK);
    cleat_ech_keys_free(set);
    test_ech_drop(&first);
}

static void show_raw(struct cleat_tls_builder *b, struct cleat_key *key)
{
    assert_int_equal(cleat_tls_builder_raw_key(b, key), CLEAT_OK);
}

static void take_raw(struct cleat_tls_builder *b, const struct cleat_key *key)
{
    static const enum cleat_cert_type only[] = {CLEAT_CERT_TYPE_RAW_PUBLIC_KEY};
    char pin[CLEAT_RAW_PIN_LEN + 1];
    cleat_key_pin(key, pin);
    assert_int_equal(cleat_tls_builder_peer_types(b, only, 1), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_raw_pin(b, pin), CLEAT_OK);
}

static void make_configs(struct scenario *s)
{
    struct cleat_tls_builder *c = test_client_builder();
    struct cleat_tls_builder *v =
        s->legacy != NULL ? test_server_builder_with(test_identity_of(CL_KEY_RSA, false))
                          : test_server_builder();
    struct cleat_tls_builder *ends[] = {c, v};
    const struct cleat_psk psk = {.identity = (const uint8_t *)"a device",
                                  .identity_len = 8,
                                  .key = (const uint8_t *)"sixteen bytes at least",
                                  .key_len = 22};
    for (size_t i = 0; s->legacy != NULL && i < TEST_LEN(ends); i++) {
        assert_int_equal(cleat_tls_builder_profile(ends[i], "legacy"), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_ciphers(ends[i], s->legacy), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_psk(ends[i], &psk), CLEAT_OK);
    }
    cleat_tls_builder_events(c, NULL, NULL, false);
    cleat_tls_builder_events(v, NULL, NULL, false);
    assert_int_equal(cleat_tls_builder_versions(c, s->version, s->version), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_versions(v, s->version, s->version), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_groups(c, "X25519:P-256"), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_groups(v, s->retry ? "P-256" : "X25519:P-256"), CLEAT_OK);
    if (s->client_cert) {
        assert_int_equal(cleat_tls_builder_credential(c, world.client.chain, world.client.key),
                         CLEAT_OK);
        assert_int_equal(cleat_tls_builder_trust(v, world.ca.store), CLEAT_OK);
        cleat_tls_builder_client_auth(v, CLEAT_CLIENT_AUTH_REQUIRED);
    }
    if (s->compression != NULL) {
        assert_int_equal(cleat_tls_builder_cert_compression(c, s->compression), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_cert_compression(v, s->compression), CLEAT_OK);
    }
    if (s->raw) {
        show_raw(v, world.server.key);
        take_raw(c, world.server.key);
        show_raw(c, world.client.key);
        take_raw(v, world.client.key);
        cleat_tls_builder_client_auth(v, CLEAT_CLIENT_AUTH_REQUIRED);
    }
    if (s->tickets) {
        assert_int_equal(cleat_tls_builder_tickets(v, keys, 1), CLEAT_OK);
    }
    if (s->ech != NULL) {
        decrypt(v, s->ech);
    }
    s->client = test_finish(c);
    s->server = test_finish(v);
}

static bool connect_ends(const struct scenario *s)
{
    client.tls = NULL;
    server.tls = NULL;
    client.in_len = server.in_len = 0;
    client.data_len = server.data_len = 0;
    client.next = server.next = CLEAT_TLS_NEEDS_INPUT;
    int r = cleat_tls_client_new(s->client, "localhost", s->session, NULL, &client.tls);
    if (r == CLEAT_OK && s->ech != NULL) {
        r = cleat_tls_offer_ech(client.tls, s->ech->list.p, s->ech->list.len);
    }
    if (r == CLEAT_OK) {
        r = cleat_tls_server_new(s->server, NULL, &server.tls);
    }
    if (r != CLEAT_OK) {
        assert_int_equal(r, CLEAT_ERR_NOMEM);
    }
    return r == CLEAT_OK;
}

static void free_ends(void)
{
    cleat_tls_free(client.tls);
    cleat_tls_free(server.tls);
}

/* From an established connection: NOMEM is the call's own answer, and may be tried again. */
static bool update_keys(struct end *from, struct end *to)
{
    uint8_t room[CLEAT_TLS_MIN_OUTPUT];
    struct cleat_tls_io io = {.out = room, .out_cap = sizeof(room)};
    int r = cleat_tls_key_update(from->tls, &io, true);
    if (r != CLEAT_OK) {
        assert_int_equal(r, CLEAT_ERR_NOMEM);
        assert_int_equal(io.out_len, 0);
        return false;
    }
    feed(to, room, io.out_len);
    return true;
}

static bool exchange(const struct scenario *s)
{
    run();
    if (!assert_ready_or_failed(s->name)) {
        return false;
    }
    bool ok = !s->key_update || (update_keys(&client, &server) && update_keys(&server, &client));
    write_some(&client, &server);
    write_some(&server, &client);
    run();
    if (!assert_ready_or_failed(s->name)) {
        return false;
    }
    assert_int_equal(client.data_len, 4);
    assert_int_equal(server.data_len, 4);
    cleat_tls_session_free(cleat_tls_take_session(client.tls));
    return ok;
}

static bool handshake(const void *ctx)
{
    const struct scenario *s = ctx;
    bool ok = connect_ends(s) && exchange(s);
    free_ends();
    return ok;
}

static struct cleat_tls_session *session_of(uint16_t version)
{
    struct scenario s = {.version = version, .tickets = true};
    make_configs(&s);
    assert_true(connect_ends(&s));
    run();
    assert_int_equal(client.next, CLEAT_TLS_READY);
    struct cleat_tls_session *session = cleat_tls_take_session(client.tls);
    assert_non_null(session);
    free_ends();
    cleat_tls_config_free(s.client);
    cleat_tls_config_free(s.server);
    return session;
}

static void run_scenario(struct scenario *s, bool resumed)
{
    if (resumed) {
        s->session = session_of(s->version);
    }
    make_configs(s);
    each_allocation(s->name, handshake, s);
    cleat_tls_config_free(s->client);
    cleat_tls_config_free(s->server);
    cleat_tls_session_free(s->session);
}

static void test_tls_13_full(void **state)
{
    struct scenario s = {.name = "TLS 1.3, full", .version = CLEAT_TLS_1_3, .tickets = true};
    run_scenario(&s, false);
}

static void test_tls_13_hello_retry_request(void **state)
{
    struct scenario s = {
        .name = "TLS 1.3, HelloRetryRequest", .version = CLEAT_TLS_1_3, .retry = true};
    run_scenario(&s, false);
}

static void test_tls_13_resumed(void **state)
{
    struct scenario s = {.name = "TLS 1.3, resumed", .version = CLEAT_TLS_1_3, .tickets = true};
    run_scenario(&s, true);
}

static void test_tls_13_client_certificate(void **state)
{
    struct scenario s = {
        .name = "TLS 1.3, client certificate", .version = CLEAT_TLS_1_3, .client_cert = true};
    run_scenario(&s, false);
}

static void test_tls_13_key_update(void **state)
{
    struct scenario s = {
        .name = "TLS 1.3, KeyUpdate", .version = CLEAT_TLS_1_3, .key_update = true};
    run_scenario(&s, false);
}

static void test_encrypted_client_hello(void **state)
{
    struct test_ech ech;
    test_ech_make(&ech, NULL, 7);
    for (int retry = 0; retry < 2; retry++) {
        struct scenario s = {.name = retry ? "ECH, retried" : "ECH, resumed",
                             .version = CLEAT_TLS_1_3,
                             .tickets = true,
                             .retry = retry != 0,
                             .ech = &ech};
        run_scenario(&s, retry == 0);
    }
    test_ech_drop(&ech);
}

static void test_tls_12_full(void **state)
{
    struct scenario s = {.name = "TLS 1.2, full", .version = CLEAT_TLS_1_2, .tickets = true};
    run_scenario(&s, false);
}

static void test_tls_12_client_certificate(void **state)
{
    struct scenario s = {
        .name = "TLS 1.2, client certificate", .version = CLEAT_TLS_1_2, .client_cert = true};
    run_scenario(&s, false);
}

static void test_tls_12_legacy(void **state)
{
    static const char *const suites[] = {"ECDHE-RSA-AES128-SHA", "AES128-GCM-SHA256",
                                         "DHE-RSA-AES128-SHA", "ECDHE-PSK-AES128-GCM-SHA256",
                                         "PSK-AES128-GCM-SHA256"};
    for (size_t i = 0; i < TEST_LEN(suites); i++) {
        struct scenario s = {
            .name = suites[i], .version = CLEAT_TLS_1_2, .tickets = true, .legacy = suites[i]};
        run_scenario(&s, false);
    }
}

static void test_compressed_certificates(void **state)
{
    static const char *const algorithms[] = {"zlib", "brotli", "zstd"};
    for (size_t i = 0; i < TEST_LEN(algorithms); i++) {
        struct scenario s = {.name = algorithms[i],
                             .version = CLEAT_TLS_1_3,
                             .client_cert = true,
                             .compression = algorithms[i]};
        if (cl_compression_by_name(algorithms[i], strlen(algorithms[i])) != NULL) {
            run_scenario(&s, false);
        }
    }
}

static void test_raw_public_keys(void **state)
{
    for (uint16_t version = CLEAT_TLS_1_2; version <= CLEAT_TLS_1_3; version++) {
        struct scenario s = {
            .name = "raw public keys", .version = version, .tickets = true, .raw = true};
        run_scenario(&s, false);
    }
}

static void test_tls_12_resumed(void **state)
{
    struct scenario s = {.name = "TLS 1.2, resumed", .version = CLEAT_TLS_1_2, .tickets = true};
    run_scenario(&s, true);
}

/* ---- configurations, ticket keys, sessions ---- */

static int fill_server(struct cleat_tls_builder *b, struct cleat_ticket_keys *ring)
{
    static const char *const protocols[] = {"h2", "http/1.1"};
    int r = cleat_tls_builder_credential(b, world.server.chain, world.server.key);
    if (r == CLEAT_OK) {
        r = cleat_tls_builder_trust(b, world.ca.store);
    }
    if (r == CLEAT_OK) {
        r = cleat_tls_builder_alpn(b, protocols, TEST_LEN(protocols));
    }
    if (r == CLEAT_OK) {
        r = cleat_tls_builder_binding(b, "www");
    }
    if (r == CLEAT_OK) {
        r = cleat_tls_builder_ciphers(b, "TLS_AES_128_GCM_SHA256");
    }
    return r == CLEAT_OK ? cleat_tls_builder_tickets(b, ring, 1) : r;
}

/* A configuration and what hangs from it. */
static bool configuration(const void *ctx)
{
    struct cleat_tls_builder *b = NULL;
    struct cleat_ticket_keys *ring = NULL;
    struct cleat_tls_config *config = NULL;
    struct cleat_error err = {0};
    int r = cleat_ticket_keys_new(3600, &ring);
    if (r == CLEAT_OK) {
        r = cleat_tls_builder_new(CLEAT_SERVER, &b);
    }
    if (r == CLEAT_OK) {
        cleat_tls_builder_clock(b, test_clock, NULL);
        cleat_tls_builder_client_auth(b, CLEAT_CLIENT_AUTH_OPTIONAL);
        r = fill_server(b, ring);
        if (r == CLEAT_OK) {
            r = cleat_tls_builder_finish(b, &config, &err);
            assert_int_equal(err.code, r);
        } else {
            assert_int_equal(cleat_tls_builder_error(b)->code, r);
            cleat_tls_builder_free(b);
        }
    }
    assert_true(r == CLEAT_OK || r == CLEAT_ERR_NOMEM);
    assert_true((r == CLEAT_OK) == (config != NULL));
    cleat_tls_config_free(config);
    cleat_ticket_keys_free(ring);
    return r == CLEAT_OK;
}

static void test_building_a_configuration(void **state)
{
    each_allocation("a configuration", configuration, NULL);
}

/* A failed setter does not end in a configuration that lacks what was to be set. */
static bool finish_in_spite(const void *ctx)
{
    struct cleat_tls_builder *b = NULL;
    struct cleat_tls_config *config = NULL;
    if (cleat_tls_builder_new(CLEAT_SERVER, &b) != CLEAT_OK) {
        return false;
    }
    cleat_tls_builder_clock(b, test_clock, NULL);
    int filled = fill_server(b, keys);
    int r = cleat_tls_builder_finish(b, &config, NULL);
    if (filled != CLEAT_OK) {
        assert_int_equal(r, CLEAT_ERR_NOMEM);
        assert_null(config);
    }
    cleat_tls_config_free(config);
    return r == CLEAT_OK;
}

static void test_a_setter_that_failed_fails_the_configuration(void **state)
{
    each_allocation("a configuration, setters ignored", finish_in_spite, NULL);
}

/* The first key of a ring is made when the first ticket is sealed. */
static bool first_ticket(const void *ctx)
{
    const struct scenario *s = ctx;
    struct cleat_ticket_keys *ring = NULL;
    struct cleat_tls_builder *b = NULL;
    struct scenario own = *s;
    own.server = NULL;
    int r = cleat_ticket_keys_new(3600, &ring);
    if (r == CLEAT_OK) {
        r = cleat_tls_builder_new(CLEAT_SERVER, &b);
    }
    if (r == CLEAT_OK) {
        cleat_tls_builder_clock(b, test_clock, NULL);
        (void)fill_server(b, ring);
        r = cleat_tls_builder_finish(b, &own.server, NULL);
    }
    assert_true(r == CLEAT_OK || r == CLEAT_ERR_NOMEM);
    bool ok = false;
    if (r == CLEAT_OK) {
        ok = connect_ends(&own) && exchange(&own);
        free_ends();
    }
    cleat_tls_config_free(own.server);
    cleat_ticket_keys_free(ring);
    return ok;
}

static void test_the_first_ticket_of_a_ring(void **state)
{
    struct scenario s = {.name = "a ring's first ticket", .version = CLEAT_TLS_1_3};
    make_configs(&s);
    each_allocation(s.name, first_ticket, &s);
    cleat_tls_config_free(s.client);
    cleat_tls_config_free(s.server);
}

static bool export_and_import(const void *ctx)
{
    const struct cleat_tls_session *session = ctx;
    struct cleat_tls_session *copy = NULL;
    uint8_t bytes[4096];
    size_t len = sizeof(bytes);
    int r = cleat_tls_session_export(session, bytes, &len);
    if (r == CLEAT_OK) {
        r = cleat_tls_session_import(bytes, len, &copy);
    }
    assert_true(r == CLEAT_OK || r == CLEAT_ERR_NOMEM);
    assert_true((r == CLEAT_OK) == (copy != NULL));
    cleat_tls_session_free(copy);
    return r == CLEAT_OK;
}

static void test_exporting_and_importing_a_session(void **state)
{
    static const uint16_t versions[] = {CLEAT_TLS_1_3, CLEAT_TLS_1_2};
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        struct cleat_tls_session *session = session_of(versions[i]);
        each_allocation(i == 0 ? "a session of TLS 1.3" : "a session of TLS 1.2", export_and_import,
                        session);
        cleat_tls_session_free(session);
    }
}

static int setup(void **state)
{
    int r = test_world_setup(state);
    assert_int_equal(cleat_ticket_keys_new(3600, &keys), CLEAT_OK);
    return r;
}

static int teardown(void **state)
{
    cleat_ticket_keys_free(keys);
    return test_world_teardown(state);
}

/* After a test that failed. */
static int stop_failing(void **state)
{
    (void)state;
    cl_mem_test_hook(NULL, NULL);
    return 0;
}

#define ALLOC_TEST(f) cmocka_unit_test_teardown(f, stop_failing)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ALLOC_TEST(test_tls_13_full),
        ALLOC_TEST(test_tls_13_hello_retry_request),
        ALLOC_TEST(test_tls_13_resumed),
        ALLOC_TEST(test_tls_13_client_certificate),
        ALLOC_TEST(test_tls_13_key_update),
        ALLOC_TEST(test_encrypted_client_hello),
        ALLOC_TEST(test_tls_12_full),
        ALLOC_TEST(test_tls_12_client_certificate),
        ALLOC_TEST(test_tls_12_legacy),
        ALLOC_TEST(test_compressed_certificates),
        ALLOC_TEST(test_raw_public_keys),
        ALLOC_TEST(test_tls_12_resumed),
        ALLOC_TEST(test_building_a_configuration),
        ALLOC_TEST(test_a_setter_that_failed_fails_the_configuration),
        ALLOC_TEST(test_the_first_ticket_of_a_ring),
        ALLOC_TEST(test_exporting_and_importing_a_session),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
