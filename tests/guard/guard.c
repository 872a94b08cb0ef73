/* guard.c - what scripts/guard counts under callgrind: a server's full and resumed handshake, a
 * record of 16 KiB each way, the verification of a chain. ROUNDS of each.
 *
 * Each functions named guard_* is where one kind of work is entered, and nothing else is: what is
 * counted below it is that work's. Asymmetric operations have functions of their own, because they
 * would hide everything else. What a process does once is done before, uncounted. Records go
 * through libcrypto, the code that every machine has. The client's side of all this is nobody's
 * concern.
 */
#include <stdio.h>

#include "cleat/batch.h"
#include "crypto/aead.h"
#include "crypto/version.h"
#include "tls/support_tls.h"
#include "x509/build.h"
#include "x509/verify.h"

/* 16: ECDSA's signatures and their DER differ by some instructions each time */
#define ROUNDS     16
#define RECORD_LEN 16384

/* A function by which work is entered; the text keeps the compiler from merging two of them, and
 * from leaving it before the work is done. */
#define ENTRY         __attribute__((noinline)) static
#define ENTERED(text) __asm__ volatile("# " text ::: "memory")

struct work {
    struct cleat_tls_config *config; /* to make a connection */
    struct cleat_tls *tls;
    struct cleat_tls_io *io; /* a step; NULL with tls: the end */
};

static enum cleat_tls_next engine(struct work *w)
{
    if (w->tls == NULL) {
        assert_int_equal(cleat_tls_server_new(w->config, NULL, &w->tls), CLEAT_OK);
    } else if (w->io == NULL) {
        cleat_tls_free(w->tls);
    } else {
        return cleat_tls_step(w->tls, w->io);
    }
    return CLEAT_TLS_NEEDS_INPUT;
}

ENTRY enum cleat_tls_next guard_full_engine(struct work *w)
{
    enum cleat_tls_next next = engine(w);
    ENTERED("a full handshake");
    return next;
}

ENTRY enum cleat_tls_next guard_resumed_engine(struct work *w)
{
    enum cleat_tls_next next = engine(w);
    ENTERED("a resumed handshake");
    return next;
}

ENTRY void guard_full_jobs(struct cleat_job *job)
{
    cleat_job_run(job);
    ENTERED("jobs of a full handshake");
}

ENTRY void guard_resumed_jobs(struct cleat_job *job)
{
    cleat_job_run(job);
    ENTERED("jobs of a resumed handshake");
}

ENTRY int guard_seal(struct cleat_tls *tls, struct cleat_tls_io *io, const uint8_t *data)
{
    size_t written;
    int r = cleat_tls_write(tls, io, data, RECORD_LEN, &written);
    ENTERED("a record out");
    return r;
}

ENTRY enum cleat_tls_next guard_open(struct cleat_tls *tls, struct cleat_tls_io *io)
{
    enum cleat_tls_next next = cleat_tls_step(tls, io);
    ENTERED("a record in");
    return next;
}

ENTRY enum cl_verify_next guard_verify_engine(struct cl_verify **v,
                                              const struct cl_verify_params *p,
                                              const struct cl_rd *chain, size_t num)
{
    if (*v == NULL) {
        assert_int_equal(cl_verify_new(v, p, chain, num), CL_OK);
    } else if (chain == NULL) {
        cleat_verdict_free(cl_verify_take_verdict(*v));
        cl_verify_free(*v);
        return CL_VERIFY_DONE;
    }
    enum cl_verify_next next = cl_verify_step(*v);
    ENTERED("a chain");
    return next;
}

ENTRY void guard_verify_jobs(struct cl_job *job)
{
    cl_job_run(job);
    ENTERED("signatures of a chain");
}

/* ---- handshakes and records ---- */

/* By which functions a handshake is entered; the first one of the process is not counted. */
struct entries {
    bool resumes;
    enum cleat_tls_next (*engine)(struct work *w);
    void (*jobs)(struct cleat_job *job);
};
static const struct entries first = {false, engine, cleat_job_run};
static const struct entries full = {false, guard_full_engine, guard_full_jobs};
static const struct entries resumed = {true, guard_resumed_engine, guard_resumed_jobs};

/* Gives the server what has come for it, and keeps what it says. */
static void server_turn(struct test_end *server, struct cl_buf *to_client, const struct entries *by)
{
    uint8_t out[32768];
    enum cleat_tls_next next;
    bool again;
    do {
        struct cleat_tls_io io = {
            .in = server->in.p, .in_len = server->in.len, .out = out, .out_cap = sizeof(out)};
        struct work w = {.tls = server->tls, .io = &io};
        next = by->engine(&w);
        assert_int_not_equal(next, CLEAT_TLS_FAILED);
        cl_buf_drop(&server->in, io.in_used);
        assert_int_equal(cl_buf_append(to_client, out, io.out_len, SIZE_MAX / 2), CL_OK);
        if (next == CLEAT_TLS_NEEDS_JOB) {
            by->jobs(cleat_tls_job(server->tls));
        }
        again = next != CLEAT_TLS_NEEDS_INPUT && !server->told_ready;
        server->told_ready = next == CLEAT_TLS_READY;
    } while (again);
}

static void shake_hands(struct test_end *client, struct test_end *server, const struct entries *by)
{
    struct cl_buf to_server = {0};
    while (!client->told_ready || !server->told_ready) {
        test_end_step(client, &to_server, 0);
        if (client->next == CLEAT_TLS_FAILED) {
            fail_msg("client: %s", cleat_tls_error(client->tls)->text);
        }
        test_end_feed(server, to_server.p, to_server.len);
        to_server.len = 0;
        server_turn(server, &client->in, by);
    }
    test_end_step(client, &to_server, 0); /* the tickets */
    cl_buf_deinit(&to_server);
}

static void records(struct test_end *client, struct test_end *server)
{
    static uint8_t data[RECORD_LEN];
    static uint8_t out[2 * RECORD_LEN];
    static uint8_t in[2 * RECORD_LEN];
    for (int i = 0; i < ROUNDS; i++) {
        struct cleat_tls_io io = {.out = out, .out_cap = sizeof(out)};
        struct cleat_tls_io from = {.out = in, .out_cap = sizeof(in)};
        size_t written;
        assert_int_equal(guard_seal(server->tls, &io, data), CLEAT_OK);
        assert_int_equal(cleat_tls_write(client->tls, &from, data, RECORD_LEN, &written), CLEAT_OK);
        struct cleat_tls_io to = {
            .in = in, .in_len = from.out_len, .out = out, .out_cap = sizeof(out)};
        assert_int_equal(guard_open(server->tls, &to), CLEAT_TLS_HAS_DATA);
        assert_int_equal(to.data_len, RECORD_LEN);
    }
}

static struct cleat_tls_config *quiet(struct cleat_tls_builder *b)
{
    cleat_tls_builder_events(b, NULL, NULL, 0);
    assert_int_equal(cleat_tls_builder_ciphers(b, "TLS_AES_128_GCM_SHA256"), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_groups(b, "X25519"), CLEAT_OK);
    return test_finish(b);
}

static void handshakes(void)
{
    struct cleat_ticket_keys *keys;
    struct cleat_tls_builder *b = test_server_builder();
    assert_int_equal(cleat_ticket_keys_new(0, &keys), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_tickets(b, keys, 2), CLEAT_OK);
    struct cleat_tls_config *s = quiet(b);
    struct cleat_tls_config *c = quiet(test_client_builder());
    struct cleat_tls_session *session = NULL;
    for (int i = 0; i <= 2 * ROUNDS; i++) {
        const struct entries *by = i == 0 ? &first : i <= ROUNDS ? &full : &resumed;
        struct test_pair p = {0};
        struct work w = {.config = s};
        assert_int_equal(
            cleat_tls_client_new(c, "localhost", by->resumes ? session : NULL, NULL, &p.client.tls),
            CLEAT_OK);
        (void)by->engine(&w);
        p.server.tls = w.tls;
        shake_hands(&p.client, &p.server, by);
        assert_int_equal(test_info(&p.server).resumed, by->resumes);
        cleat_tls_session_free(session);
        session = cleat_tls_take_session(p.client.tls);
        if (i == ROUNDS) {
            records(&p.client, &p.server);
        }
        (void)by->engine(&w);
        p.server.tls = NULL;
        test_pair_drop(&p);
    }
    cleat_tls_session_free(session);
    cleat_tls_config_free(s);
    cleat_tls_config_free(c);
    cleat_ticket_keys_free(keys);
}

/* ---- a chain: leaf, intermediate, the root in the trust store ---- */

static struct cl_buf certificate(const char *name, bool is_ca, const struct cleat_cert *issuer,
                                 const struct cleat_key *key, const struct cleat_key *signer)
{
    static const uint8_t serial[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    struct cl_buf der = {0};
    struct cl_cert_template t = {.common_name = name,
                                 .issuer = issuer,
                                 .spki = cl_key_spki(key),
                                 .serial = serial,
                                 .serial_len = sizeof(serial),
                                 .not_before = (int64_t)(TEST_NOW_MS / 1000) - 86400,
                                 .not_after = (int64_t)(TEST_NOW_MS / 1000) + 86400,
                                 .is_ca = is_ca,
                                 .path_len = -1,
                                 .key_usage = is_ca ? CL_KU_KEY_CERT_SIGN : CL_KU_DIGITAL_SIGNATURE,
                                 .ext_key_usage = is_ca ? 0 : CL_EKU_SERVER_AUTH,
                                 .dns_names = &name,
                                 .num_dns_names = is_ca ? 0 : 1};
    assert_int_equal(cl_cert_build(&der, &t, signer, NULL), CL_OK);
    return der;
}

static void verifications(void)
{
    const struct cleat_cert *root = cleat_chain_at(world.ca.chain, 0);
    const struct cleat_key *ca_key = test_identity_of(CL_KEY_EC_P256, true)->key;
    struct cl_buf ca_der = certificate("A CA", true, root, ca_key, world.ca.key);
    struct cleat_cert *ca;
    assert_int_equal(cleat_cert_from_der(ca_der.p, ca_der.len, &ca, NULL), CLEAT_OK);
    struct cl_buf leaf_der = certificate("www.example.com", false, ca, world.server.key, ca_key);
    const struct cl_rd chain[] = {cl_buf_view(&leaf_der), cl_buf_view(&ca_der)};
    const struct cl_verify_params params = {.trust = world.ca.store,
                                            .host = "www.example.com",
                                            .now = (int64_t)(TEST_NOW_MS / 1000),
                                            .purpose = CLEAT_PURPOSE_SERVER};
    struct cl_verify *once;
    assert_int_equal(cl_verify_new(&once, &params, chain, 2), CL_OK);
    while (cl_verify_step(once) == CL_VERIFY_NEEDS_JOB) {
        cl_job_run(cl_verify_job(once));
    }
    cl_verify_free(once);
    for (int i = 0; i < ROUNDS; i++) {
        struct cl_verify *v = NULL;
        while (guard_verify_engine(&v, &params, chain, 2) == CL_VERIFY_NEEDS_JOB) {
            guard_verify_jobs(cl_verify_job(v));
        }
        guard_verify_engine(&v, NULL, NULL, 0);
    }
    cleat_cert_free(ca);
    cl_buf_deinit(&ca_der);
    cl_buf_deinit(&leaf_der);
}

static void test_the_work_that_is_counted(void **state)
{
    cl_aead_switch(false);
    handshakes();
    verifications();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_work_that_is_counted)};
    printf("rounds: %d\nlibcrypto: %s\n", ROUNDS, cl_crypto_version());
    printf("batches: %s\n", cleat_batch_describe());
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
