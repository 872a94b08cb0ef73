/* tests/tls/support_tls.c - see support_tls.h. */
#include "tls/support_tls.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/hash.h"
#include "x509/build.h"
#include "x509/chain.h"

struct test_world world;

#define DAY 86400

uint64_t test_clock(void *ctx)
{
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

void test_ca_make(struct test_ca *ca, const char *name)
{
    assert_int_equal(cl_key_generate(&ca->key, CL_KEY_EC_P256, 0), CL_OK);
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

void test_ca_drop(struct test_ca *ca)
{
    cleat_key_free(ca->key);
    cleat_chain_free(ca->chain);
    cleat_trust_store_free(ca->store);
    *ca = (struct test_ca){0};
}

void test_identity_make(struct test_identity *id, const struct test_ca *ca, enum cl_key_type type,
                        const char *const *names, size_t num, bool client)
{
    assert_int_equal(cl_key_generate(&id->key, type, 2048), CL_OK);
    struct cl_cert_template t = base_template(names[0], id->key);
    t.issuer = cl_chain_at(ca->chain, 0);
    t.dns_names = names;
    t.num_dns_names = num;
    t.key_usage = CL_KU_DIGITAL_SIGNATURE;
    t.ext_key_usage = client ? CL_EKU_CLIENT_AUTH : CL_EKU_SERVER_AUTH;
    build(&id->chain, &t, ca->key);
}

void test_identity_drop(struct test_identity *id)
{
    cleat_key_free(id->key);
    cleat_chain_free(id->chain);
    *id = (struct test_identity){0};
}

int test_world_setup(void **state)
{
    static const char *const server[] = {"localhost", "www.example.test"};
    static const char *const client[] = {"client.example.test"};
    world.now_ms = TEST_NOW_MS;
    test_ca_make(&world.ca, "Test CA");
    test_identity_make(&world.server, &world.ca, CL_KEY_EC_P256, server, 2, false);
    test_identity_make(&world.client, &world.ca, CL_KEY_EC_P256, client, 1, true);
    return 0;
}

int test_world_teardown(void **state)
{
    test_identity_drop(&world.server);
    test_identity_drop(&world.client);
    test_ca_drop(&world.ca);
    return 0;
}

struct cleat_tls_builder *test_server_builder(void)
{
    struct cleat_tls_builder *b;
    assert_int_equal(cleat_tls_builder_new(CLEAT_SERVER, &b), CLEAT_OK);
    cleat_tls_builder_clock(b, test_clock, NULL);
    assert_int_equal(cleat_tls_builder_credential(b, world.server.chain, world.server.key),
                     CLEAT_OK);
    return b;
}

struct cleat_tls_builder *test_client_builder(void)
{
    struct cleat_tls_builder *b;
    assert_int_equal(cleat_tls_builder_new(CLEAT_CLIENT, &b), CLEAT_OK);
    cleat_tls_builder_clock(b, test_clock, NULL);
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

/* The pair takes over the references to both configurations. */
void test_pair_make(struct test_pair *p, struct cleat_tls_config *client,
                    struct cleat_tls_config *server, struct cleat_tls_session *session)
{
    *p = (struct test_pair){0};
    assert_int_equal(cleat_tls_client_new(client, "localhost", session, &p->client, &p->client.tls),
                     CLEAT_OK);
    assert_int_equal(cleat_tls_server_new(server, &p->server, &p->server.tls), CLEAT_OK);
    cleat_tls_config_free(client);
    cleat_tls_config_free(server);
}

static void end_drop(struct test_end *e)
{
    cleat_tls_free(e->tls);
    cl_buf_deinit(&e->in);
    cl_buf_deinit(&e->data);
}

void test_pair_drop(struct test_pair *p)
{
    end_drop(&p->client);
    end_drop(&p->server);
    cl_buf_deinit(&p->to_server);
    cl_buf_deinit(&p->to_client);
    *p = (struct test_pair){0};
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
        }
        cl_buf_drop(&e->in, io.in_used);
        again = e->next == CLEAT_TLS_HAS_DATA || e->next == CLEAT_TLS_HAS_OUTPUT;
        if (e->next == CLEAT_TLS_NEEDS_JOB) {
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
    if (n != 0) {
        assert_int_equal(cl_buf_append(&to->in, from->p, n, SIZE_MAX / 2), CL_OK);
        assert_int_equal(cl_buf_append(copy, from->p, n, SIZE_MAX / 2), CL_OK);
        cl_buf_drop(from, n);
    }
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
        assert_int_equal(cl_buf_append(&to->in, room, io.out_len, SIZE_MAX / 2), CL_OK);
        at += written;
        len -= written;
    }
}

void test_assert_ready(const struct test_pair *p)
{
    if (p->client.next != CLEAT_TLS_READY || p->server.next != CLEAT_TLS_READY) {
        fail_msg("client: %d %s / server: %d %s", p->client.next,
                 cleat_tls_error(p->client.tls)->text, p->server.next,
                 cleat_tls_error(p->server.tls)->text);
    }
}
