/* tests/tls/test_tamper.c - every byte of every kind of handshake changed on its way, in both
 * directions, and every handshake cut off after every byte.
 *
 * Never a success and never a crash: one end notices, and says so by an alert that fits the place;
 * which ones do is told by the table `expected`, by place and with the section that says so. The
 * few bytes that nothing protects, because nothing depends on them, are in it too ("same").
 */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "cleat/profile.h"
#include "cleat/tls_options.h"
#include "tls/support_place.h"
#include "tls/support_tls.h"

/* ---- the handshakes ---- */

struct kind {
    const char *name;
    uint16_t min;
    uint16_t max;
    const char *client_groups;
    const char *server_groups;
    enum cl_key_type key;
    bool client_auth;
    bool resumed;
    const char *legacy; /* under the profile legacy, by this suite */
};

static const struct kind kinds[] = {
    {"1.3, full, 1.2 spoken too", 0x0303, 0x0304, "X25519:P-256", "X25519", CL_KEY_EC_P256, false,
     false, NULL},
    {"1.3, after a retry", 0x0304, 0x0304, "P-256:X25519", "X25519", CL_KEY_EC_P256, false, false,
     NULL},
    {"1.3, client authentication", 0x0304, 0x0304, "X25519", "X25519", CL_KEY_EC_P256, true, false,
     NULL},
    {"1.3, resumed", 0x0304, 0x0304, "X25519", "X25519", CL_KEY_EC_P256, false, true, NULL},
    {"1.2, full, ECDSA", 0x0303, 0x0303, "X25519:P-256", "X25519:P-256", CL_KEY_EC_P256, false,
     false, NULL},
    {"1.2, full, RSA", 0x0303, 0x0303, "X25519", "X25519", CL_KEY_RSA, false, false, NULL},
    {"1.2, client authentication", 0x0303, 0x0303, "X25519:P-256", "X25519:P-256", CL_KEY_EC_P256,
     true, false, NULL},
    {"1.2, resumed", 0x0303, 0x0303, "X25519:P-256", "X25519:P-256", CL_KEY_EC_P256, false, true,
     NULL},
    {"1.2, AES-CBC", 0x0303, 0x0303, "X25519:P-256", "X25519:P-256", CL_KEY_EC_P256, false, false,
     "ECDHE-ECDSA-AES128-SHA"},
    {"1.2, RSA key exchange", 0x0303, 0x0303, "X25519", "X25519", CL_KEY_RSA, false, false,
     "AES128-GCM-SHA256"},
};

/* A kind of handshake made ready to be repeated: randomness starts anew for each. */
struct scene {
    const struct kind *kind;
    struct cleat_tls_config *client;
    struct cleat_tls_config *server;
    struct cleat_ticket_keys *keys;
    struct cleat_tls_session *session;
    uint64_t counters[2];
    size_t lens[2]; /* what crosses to the client, to the server */
};

static struct cleat_tls_config *config_of(struct scene *s, bool server)
{
    const struct kind *k = s->kind;
    struct cleat_tls_builder *b =
        server ? test_server_builder_with(test_identity_of(k->key, false)) : test_client_builder();
    cleat_tls_builder_events(b, NULL, NULL, false);
    cleat_tls_builder_ask_status(b, false); /* each byte of it has a test of its own */
    cleat_tls_builder_random(b, test_fixed_random, &s->counters[server]);
    if (k->legacy != NULL) {
        assert_int_equal(cleat_tls_builder_profile(b, "legacy"), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_ciphers(b, k->legacy), CLEAT_OK);
        cleat_tls_builder_master_secret(b, true);
    }
    assert_int_equal(cleat_tls_builder_versions(b, k->min, k->max), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_groups(b, server ? k->server_groups : k->client_groups),
                     CLEAT_OK);
    if (server) {
        assert_int_equal(cleat_tls_builder_tickets(b, s->keys, 1), CLEAT_OK);
    }
    if (k->client_auth && server) {
        cleat_tls_builder_client_auth(b, CLEAT_CLIENT_AUTH_REQUIRED);
        assert_int_equal(cleat_tls_builder_trust(b, world.ca.store), CLEAT_OK);
    } else if (k->client_auth) {
        assert_int_equal(cleat_tls_builder_credential(b, world.client.chain, world.client.key),
                         CLEAT_OK);
    }
    return test_finish(b);
}

/* ---- one run ---- */

/* What to do to the bytes that cross in one direction. */
struct harm {
    bool to_server;
    size_t at;
    uint8_t mask;
    bool cut; /* nothing from `at` on arrives, and the transport ends */
};

/* One connection being run: [0] is what goes to the client, [1] to the server. */
struct run {
    struct test_pair pair;
    const struct harm *harm;
    struct cl_buf wire[2];
    size_t passed[2];
    struct test_place_reader readers[2];
    struct test_end *first; /* that failed */
    bool harmed;
    char place[TEST_PLACE_MAX];
};

static void do_harm(struct run *r, bool to_server)
{
    const struct harm *h = r->harm;
    struct cl_buf *wire = &r->wire[to_server];
    size_t passed = r->passed[to_server];
    if (h->to_server != to_server || r->harmed || h->at < passed || h->at >= passed + wire->len) {
        return;
    }
    r->harmed = true;
    if (h->cut) {
        wire->len = h->at - passed;
        return;
    }
    test_place(&r->readers[to_server], wire->p, wire->len, h->at - passed, r->place);
    wire->p[h->at - passed] ^= h->mask;
}

static void pass(struct run *r, bool to_server)
{
    struct cl_buf *wire = &r->wire[to_server];
    struct test_end *to = to_server ? &r->pair.server : &r->pair.client;
    bool was_harmed = r->harmed;
    if (!was_harmed) {
        do_harm(r, to_server);
    }
    if (r->harmed && r->harm->cut && was_harmed && r->harm->to_server == to_server) {
        wire->len = 0;
    }
    if (!r->harmed) {
        test_place_advance(&r->readers[to_server], wire->p, wire->len);
    }
    test_end_feed(to, wire->p, wire->len);
    r->passed[to_server] += wire->len;
    wire->len = 0;
}

static void step(struct run *r, bool server)
{
    struct test_end *e = server ? &r->pair.server : &r->pair.client;
    struct cl_buf *wire = &r->wire[!server];
    test_end_step(e, wire, 0);
    if (r->first == NULL && e->next == CLEAT_TLS_FAILED) {
        r->first = e;
    }
}

/* Until nothing moves; 10 turns are more than any handshake has. */
static void run(struct run *r, struct scene *s, const struct harm *harm)
{
    *r = (struct run){.harm = harm};
    s->counters[0] = 1;
    s->counters[1] = UINT64_C(1) << 32;
    test_pair_make(&r->pair, cleat_tls_config_ref(s->client), cleat_tls_config_ref(s->server),
                   s->session);
    r->readers[0].is_12 = r->readers[1].is_12 = s->kind->max == CLEAT_TLS_1_2;
    for (int turn = 0; turn < 10; turn++) {
        step(r, false);
        if (turn != 0 && r->wire[1].len == 0) {
            break;
        }
        pass(r, true);
        step(r, true);
        pass(r, false);
    }
    assert_int_equal(r->wire[0].len + r->wire[1].len, 0);
}

static void run_drop(struct run *r)
{
    cl_buf_deinit(&r->wire[0]);
    cl_buf_deinit(&r->wire[1]);
    test_pair_drop(&r->pair);
}

static void scene_make(struct scene *s, const struct kind *kind)
{
    struct kind full = *kind;
    struct run r;
    *s = (struct scene){.kind = &full};
    full.resumed = false;
    assert_int_equal(cleat_ticket_keys_new(0, &s->keys), CLEAT_OK);
    s->client = config_of(s, false);
    s->server = config_of(s, true);
    s->kind = kind;
    const struct harm none = {.at = SIZE_MAX};
    for (int i = 0; i < 1 + kind->resumed; i++) {
        run(&r, s, &none);
        test_assert_ready(&r.pair);
        assert_int_equal(test_info(&r.pair.client).resumed, i == 1);
        s->lens[0] = r.passed[0];
        s->lens[1] = r.passed[1];
        if (kind->resumed && i == 0) {
            s->session = cleat_tls_take_session(r.pair.client.tls);
            assert_non_null(s->session);
        }
        run_drop(&r);
    }
}

static void scene_drop(struct scene *s)
{
    cleat_tls_config_free(s->client);
    cleat_tls_config_free(s->server);
    cleat_tls_session_free(s->session);
    cleat_ticket_keys_free(s->keys);
}

/* ---- what came of it ---- */

static const char *end_name(const struct run *r, const struct test_end *e)
{
    return e == &r->pair.client ? "client" : "server";
}

static void eof(struct test_end *e)
{
    if (e->next != CLEAT_TLS_FAILED) {
        assert_int_equal(cleat_tls_eof(e->tls), CLEAT_ERR_TRUNCATED);
        e->next = CLEAT_TLS_FAILED;
    }
}

/* Both ends believe in the same connection. */
static bool same_state(struct run *r)
{
    uint8_t a[32];
    uint8_t b[32];
    return r->pair.client.next == CLEAT_TLS_READY && r->pair.server.next == CLEAT_TLS_READY &&
           cleat_tls_export(r->pair.client.tls, "x", NULL, 0, a, sizeof(a)) == CLEAT_OK &&
           cleat_tls_export(r->pair.server.tls, "x", NULL, 0, b, sizeof(b)) == CLEAT_OK &&
           memcmp(a, b, sizeof(a)) == 0;
}

/* The outcome in a word: "here N": the end that got the changed byte fails and sends alert N;
 * "there N": it noticed nothing, the other end fails; "waits": for bytes that a changed length
 * announces, until the transport ends; "same": nothing came of it. */
static void outcome(struct run *r, char out[16])
{
    struct test_end *here = r->harm->to_server ? &r->pair.server : &r->pair.client;
    if (r->first != NULL) {
        const struct cleat_error *e = cleat_tls_error(r->first->tls);
        assert_false(e->from_peer);
        assert_true(e->text[0] != '\0');
        (void)snprintf(out, 16, "%s %u", r->first == here ? "here" : "there", e->alert);
    } else {
        (void)snprintf(out, 16, "%s", here->in.len == 0 && same_state(r) ? "same" : "waits");
    }
}

/* Whoever did not notice is told, or sees the connection end: no end stays open. */
static void assert_both_failed(struct run *r)
{
    struct test_end *ends[] = {&r->pair.client, &r->pair.server};
    for (int i = 0; i < 2; i++) {
        eof(ends[i]);
        const struct cleat_error *e = cleat_tls_error(ends[i]->tls);
        bool told = e->code == CLEAT_ERR_PEER_ALERT && e->from_peer && r->first != NULL &&
                    e->alert == cleat_tls_error(r->first->tls)->alert;
        /* an alert under keys that do not agree cannot be read */
        bool noticed = e->code == CLEAT_ERR_TRUNCATED || e->code == CLEAT_ERR_BAD_RECORD_MAC ||
                       e->code == CLEAT_ERR_UNEXPECTED_MESSAGE;
        if (ends[i] != r->first && !told && !noticed) {
            fail_msg("%s: the %s ends with %s", r->place, end_name(r, ends[i]), e->text);
        }
    }
}

/* ---- what is right ---- */

struct rule {
    const char *place; /* a name of support_place.h, or a pattern of fnmatch(3) */
    uint16_t version;  /* 0: both */
    const char *outcomes;
};

#define V12 CLEAT_TLS_1_2
#define V13 CLEAT_TLS_1_3

/* The first row whose place fits counts. What a change leads to may depend on its value, and on
 * which handshake it is in; hence several outcomes. Alerts: 10 unexpected_message, 20
 * bad_record_mac, 22 record_overflow, 40 handshake_failure, 42-48 certificates, 47
 * illegal_parameter, 50 decode_error, 51 decrypt_error, 70 protocol_version, 109 missing_extension,
 * 110 unsupported_extension. */
static const struct rule expected[] = {
    /* RFC 9846 5.1: a type that is not known or not due; the first bytes of all may be no TLS (70).
     * As an alert (21) or data (23) the type is known but the contents are not right. */
    {"clear record: type", 0, "here 10, here 70"},
    {"ccs record: type", 0, "here 10, here 50"},
    /* Under a key the outer type is 23 (5.2); in TLS 1.2 it is part of what is authenticated. */
    {"protected record: type", V13, "here 10"},
    {"protected record: type", V12, "here 20"},
    /* "MUST be ignored for all purposes" (5.1); 3 as the major version is how TLS is told from
     * other protocols. Nothing authenticates these bytes, and nothing comes of them. Under a key
     * the version is authenticated, and checked first. */
    {"clear record: version minor", 0, "same"},
    {"ccs record: version minor", 0, "same, here 70"},
    {"clear record: version major", 0, "here 70"},
    {"ccs record: version major", 0, "here 70"},
    {"protected record: version *", 0, "here 70"},
    /* Longer: what follows is taken into the record, or waited for; shorter: what is left over is
     * read as a record. Too long: record_overflow. */
    {"clear record: length", V13, "waits, here 22, here 10, here 70"},
    {"clear record: length", V12, "waits, here 22, here 70, here 50"},
    {"ccs record: length", 0, "waits, here 22, here 10"},
    {"ccs record: body", 0, "here 10"},
    {"protected record: length", 0, "waits, here 22, here 20"},
    {"protected record: body", 0, "here 20"},

    /* A message of another type is not due; one that is longer takes in the next record, waits, or
     * is beyond the limit (50); one that is shorter does not parse, nor does what follows. */
    {"*: type", 0, "here 10"},
    {"ClientHello: length", 0, "waits, here 50"},
    {"HelloRetryRequest: length", 0, "here 10, here 50"},
    {"ServerHello: length", V13, "here 10, here 50"},
    {"ServerHello: length", V12, "waits, here 10, here 50"},
    {"ServerHelloDone: length", 0, "waits, here 50"},
    {"CertificateRequest: length", 0, "waits, here 50"},
    {"ServerKeyExchange: length", 0, "waits, here 50"},
    {"Certificate: length", 0, "waits, here 10, here 50"},
    {"C*: length", 0, "here 10, here 50"},
    {"NewSessionTicket: length", 0, "here 10, here 50"},
    /* RFC 9846 6: a length inside a message that does not fit the message */
    {"*: * length", 0, "here 50"},

    /* ClientHello: what the server needs is checked there; all of it is in the transcript. In TLS
     * 1.3 the client then cannot read the answer (20), or the binder is wrong (51); in TLS 1.2 a
     * signature or a Finished is wrong (51), or its keys are (20). Before a retry: the two differ
     * (47). */
    {"ClientHello: legacy_version", V13, "here 70, there 20, here 47, here 51"},
    {"ClientHello: legacy_version", V12, "here 70, here 20, here 51, there 51"},
    {"ClientHello: random", V13, "there 20, here 47, here 51"},
    {"ClientHello: random", V12, "there 51, there 20"},
    {"ClientHello: session ID", V13, "there 47, here 47, here 51"},
    {"ClientHello: session ID", V12, "here 20, here 51, there 10"},
    {"ClientHello: suites", V13, "there 20, here 47, here 51"},
    {"ClientHello: suites", V12, "here 20, here 51, there 51"},
    {"ClientHello: compression", 0, "here 47"},
    {"ClientHello: extension 0", V13, "here 50, here 47, there 20"},
    {"ClientHello: extension 0", V12, "here 50, here 47, here 20, here 51"},
    {"ClientHello: extension 0 type", V13, "there 20, here 47"},
    {"ClientHello: extension 0 type", V12, "here 20, here 51"},
    {"ClientHello: extension 10", V13, "here 50, here 47, here 40, here 51, there 20"},
    {"ClientHello: extension 10", V12, "here 50, here 40, here 20, here 51, there 51"},
    {"ClientHello: extension 10 type", V13, "here 109, here 50, here 47, here 51"},
    {"ClientHello: extension 10 type", V12, "here 40, here 50, here 20, here 51, there 51"},
    {"ClientHello: extension 11", V13, "here 50, there 20"},
    {"ClientHello: extension 11", V12, "here 50, here 47"},
    {"ClientHello: extension 11 type", V13, "there 20, here 47"},
    {"ClientHello: extension 11 type", V12, "here 20, here 47, here 51, there 51"},
    {"ClientHello: extension 13", V13, "here 50, here 40, there 20, here 47, here 51"},
    {"ClientHello: extension 13", V12, "here 50, here 20, here 51, there 51"},
    {"ClientHello: extension 13 type", V13, "here 109, here 47, here 51"},
    {"ClientHello: extension 13 type", V12, "here 40, there 51"},
    {"ClientHello: extension 23 type", V13, "there 20"},
    {"ClientHello: extension 23 type", V12, "here 40"},
    {"ClientHello: extension 35", V12, "here 20"},
    {"ClientHello: extension 35 type", V13, "there 20"},
    {"ClientHello: extension 35 type", V12, "here 20, here 51"},
    {"ClientHello: extension 41", V13, "here 50, there 20, here 51"},
    {"ClientHello: extension 41 type", V13, "there 20"},
    {"ClientHello: extension 43", V13, "here 50, there 47, there 20, here 70, here 47"},
    {"ClientHello: extension 43 type", V13, "there 47, here 50, here 70, here 47"},
    {"ClientHello: extension 44", V13, "here 50, here 47"},
    {"ClientHello: extension 44 type", V13, "here 50, here 47"},
    {"ClientHello: extension 45", V13, "here 50, there 20, here 47"},
    {"ClientHello: extension 45 type", V13, "there 20, here 50, here 47, here 109"},
    {"ClientHello: extension 51", V13, "here 50, here 47, there 20, here 51"},
    {"ClientHello: extension 51 type", V13, "here 109, here 50, here 47, here 51"},
    {"ClientHello: extension 65281", 0, "here 50"},
    {"ClientHello: extension 65281 type", V13, "there 20"},
    {"ClientHello: extension 65281 type", V12, "there 40"},

    /* ServerHello and HelloRetryRequest: read in clear, and what is wrong is seen at once; the
     * random and the share decide the keys. */
    {"ServerHello: legacy_version", V13, "here 47"},
    {"ServerHello: legacy_version", V12, "here 70"},
    {"ServerHello: random", V13, "here 20"},
    {"ServerHello: random", V12, "here 51, here 20"},
    {"HelloRetryRequest: random", 0, "here 50"},
    {"ServerHello: session ID", V13, "here 47"},
    {"ServerHello: session ID", V12, "here 10"},
    {"ServerHello: extension 11", V12, "here 50, here 47"},
    {"ServerHello: extension 11 type", V12, "here 110, here 47, here 50"},
    {"ServerHello: extension 41", V13, "here 47"},
    {"ServerHello: extension 43", V13, "here 47"},
    {"ServerHello: extension 43 type", V13, "here 47, here 70"},
    {"ServerHello: extension 51", V13, "here 47, here 50, here 20"},
    {"ServerHello: extension 65281", V12, "here 50"},
    {"HelloRetryRequest: extension 43 type", 0, "here 109"},
    {"HelloRetryRequest: extension 44", 0, "here 50, there 47"},
    {"HelloRetryRequest: extension 44 type", 0, "here 110, here 47"},
    {"HelloRetryRequest: extension 43", 0, "here 47"},
    {"HelloRetryRequest: extension 51", 0, "here 47"},
    {"*Hello*: suite", 0, "here 47"},
    {"*Hello*: compression", 0, "here 47"},
    {"*Hello*: session ID", 0, "here 47"},
    {"*Hello*: legacy_version", 0, "here 47"},
    {"*Hello*: extension * type", 0, "here 110"},

    /* The rest of TLS 1.2 in clear. A certificate is malformed, of an unknown kind, by an unknown
     * issuer, not valid now, for another name (42, 43, 48, 45), its key does not go with the
     * signature (47), or made no signature here (51). What is not signed at once is in the
     * transcript of CertificateVerify or Finished (51), or decides the keys (20). */
    {"Certificate: certificate", V12, "here 42, here 43, here 45, here 47, here 48, here 51"},
    {"ServerKeyExchange: curve*", V12, "here 47"},
    {"ServerKeyExchange: share", V12, "here 51"},
    {"*: scheme", V12, "here 47, here 51"},
    {"*: signature", V12, "here 51"},
    {"CertificateRequest: types", V12, "there 51, there 40"},
    {"CertificateRequest: schemes", V12, "there 51"},
    {"CertificateRequest: authorities", V12, "here 50, there 51"},
    {"ClientKeyExchange: share", V12, "here 20, here 51"},
    {"NewSessionTicket: lifetime", V12, "here 51"},
    {"NewSessionTicket: ticket", V12, "here 51"},
};

static bool listed(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = strstr(list, word); at != NULL; at = strstr(at + 1, word)) {
        if ((at == list || at[-1] == ' ' || at[-1] == ',') && (at[len] == ',' || at[len] == '\0')) {
            return true;
        }
    }
    return false;
}

/* Where the kinds under the profile legacy differ. They have one suite each (40). RSA key exchange
 * signs nothing: changes come out when the keys do not agree (20), whatever was done to the
 * encrypted secret. */
static const struct rule expected_legacy[] = {
    {"ClientHello: suites", V12, "here 40"},
    {"*Hello: extension 2[23] type", V12, "here 20, here 40, here 47, here 110"},
    {"ClientHello: extension 13 type", V12, "here 20, here 40, there 51"},
    {"ClientHello: random", V12, "here 20, there 51, there 20"},
    {"ServerHello: random", V12, "there 20, here 51, here 20"},
    {"ClientKeyExchange: encrypted secret", V12, "here 20"},
};

static bool is_right(const struct kind *kind, const char *place, const char *got)
{
    for (size_t i = 0; kind->legacy != NULL && i < TEST_LEN(expected_legacy); i++) {
        if (fnmatch(expected_legacy[i].place, place, 0) == 0) {
            return listed(expected_legacy[i].outcomes, got);
        }
    }
    for (size_t i = 0; i < TEST_LEN(expected); i++) {
        if ((expected[i].version == 0 || expected[i].version == kind->max) &&
            fnmatch(expected[i].place, place, 0) == 0) {
            return listed(expected[i].outcomes, got);
        }
    }
    return false;
}

/* ---- all of it ---- */

static const uint8_t masks[] = {0x01, 0x80, 0xff};

static void flip(struct scene *s, const struct harm *harm, char *place, size_t *num_wrong)
{
    struct run r;
    char got[16];
    run(&r, s, harm);
    memcpy(place, r.place, TEST_PLACE_MAX);
    if (!r.harmed) { /* a shorter signature than last time */
        run_drop(&r);
        return;
    }
    outcome(&r, got);
    if (!is_right(s->kind, r.place, got)) {
        print_message("%s, to the %s, byte %zu ^ %02x, %s: \"%s\" (%s)\n", s->kind->name,
                      harm->to_server ? "server" : "client", harm->at, harm->mask, r.place, got,
                      r.first != NULL ? cleat_tls_error(r.first->tls)->text : "no failure");
        (*num_wrong)++;
    }
    if (strcmp(got, "same") != 0) {
        assert_both_failed(&r);
    }
    run_drop(&r);
}

/* Bytes that nobody reads one by one: under an AEAD, in a signature, random. One mask each, in
 * turn.
 */
static bool is_opaque(const char *place)
{
    static const char *const patterns[] = {"protected record: body",
                                           "*: certificate",
                                           "*: signature",
                                           "*: random",
                                           "*: session ID",
                                           "*: share",
                                           "*: encrypted secret",
                                           "*: ticket",
                                           "ClientHello: extension 35",
                                           "ClientHello: extension 41"};
    for (size_t i = 0; i < TEST_LEN(patterns); i++) {
        if (fnmatch(patterns[i], place, 0) == 0) {
            return true;
        }
    }
    return false;
}

static void flip_each(struct scene *s, bool to_server, size_t *num_wrong)
{
    for (size_t at = 0; at < s->lens[to_server]; at++) {
        for (size_t i = 0; i < TEST_LEN(masks); i++) {
            char place[TEST_PLACE_MAX];
            struct harm harm = {.to_server = to_server, .at = at};
            harm.mask = masks[(at + i) % TEST_LEN(masks)];
            flip(s, &harm, place, num_wrong);
            if (is_opaque(place)) {
                break;
            }
        }
    }
}

static void cut_each(struct scene *s, bool to_server)
{
    for (size_t at = 0; at < s->lens[to_server]; at++) {
        struct harm harm = {.to_server = to_server, .at = at, .cut = true};
        struct run r;
        run(&r, s, &harm);
        struct test_end *e = to_server ? &r.pair.server : &r.pair.client;
        const struct cleat_error *err = cleat_tls_error(e->tls);
        assert_true(e->next == CLEAT_TLS_NEEDS_INPUT || e->next == CLEAT_TLS_READY);
        assert_int_equal(cleat_tls_eof(e->tls), CLEAT_ERR_TRUNCATED);
        err = cleat_tls_error(e->tls);
        assert_int_equal(err->code, CLEAT_ERR_TRUNCATED);
        if (strstr(err->text, "connection closed early") == NULL) {
            fail_msg("cut at %zu: %s", at, err->text);
        }
        run_drop(&r);
    }
}

static void flip_kind(const struct kind *kind)
{
    struct scene s;
    size_t num_wrong = 0;
    scene_make(&s, kind);
    flip_each(&s, true, &num_wrong);
    flip_each(&s, false, &num_wrong);
    scene_drop(&s);
    assert_int_equal(num_wrong, 0);
}

static void cut_kind(const struct kind *kind)
{
    struct scene s;
    scene_make(&s, kind);
    cut_each(&s, true);
    cut_each(&s, false);
    scene_drop(&s);
}

static void test_a_byte_changed_anywhere_in_a_full_handshake_is_noticed(void **state)
{
    flip_kind(&kinds[0]);
}

static void test_a_byte_changed_anywhere_around_a_retry_is_noticed(void **state)
{
    flip_kind(&kinds[1]);
}

static void test_a_byte_changed_anywhere_with_client_authentication_is_noticed(void **state)
{
    flip_kind(&kinds[2]);
}

static void test_a_byte_changed_anywhere_in_a_resumption_is_noticed(void **state)
{
    flip_kind(&kinds[3]);
}

static void test_a_byte_changed_anywhere_in_tls_12_is_noticed(void **state)
{
    flip_kind(&kinds[4]);
}

static void test_a_byte_changed_anywhere_in_tls_12_with_rsa_is_noticed(void **state)
{
    flip_kind(&kinds[5]);
}

static void test_a_byte_changed_anywhere_in_tls_12_with_client_authentication_is_noticed(void **s)
{
    flip_kind(&kinds[6]);
}

static void test_a_byte_changed_anywhere_in_a_resumption_of_tls_12_is_noticed(void **state)
{
    flip_kind(&kinds[7]);
}

static void test_a_byte_changed_anywhere_in_tls_12_with_cbc_is_noticed(void **state)
{
    flip_kind(&kinds[8]);
}

static void test_a_byte_changed_anywhere_in_tls_12_with_rsa_key_exchange_is_noticed(void **state)
{
    flip_kind(&kinds[9]);
}

static void test_a_handshake_cut_off_after_any_byte_is_closed_early(void **state)
{
    for (size_t i = 0; i < TEST_LEN(kinds); i++) {
        cut_kind(&kinds[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_byte_changed_anywhere_in_a_full_handshake_is_noticed),
        cmocka_unit_test(test_a_byte_changed_anywhere_around_a_retry_is_noticed),
        cmocka_unit_test(test_a_byte_changed_anywhere_with_client_authentication_is_noticed),
        cmocka_unit_test(test_a_byte_changed_anywhere_in_a_resumption_is_noticed),
        cmocka_unit_test(test_a_byte_changed_anywhere_in_tls_12_is_noticed),
        cmocka_unit_test(test_a_byte_changed_anywhere_in_tls_12_with_rsa_is_noticed),
        cmocka_unit_test(
            test_a_byte_changed_anywhere_in_tls_12_with_client_authentication_is_noticed),
        cmocka_unit_test(test_a_byte_changed_anywhere_in_a_resumption_of_tls_12_is_noticed),
        cmocka_unit_test(test_a_byte_changed_anywhere_in_tls_12_with_cbc_is_noticed),
        cmocka_unit_test(test_a_byte_changed_anywhere_in_tls_12_with_rsa_key_exchange_is_noticed),
        cmocka_unit_test(test_a_handshake_cut_off_after_any_byte_is_closed_early),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
