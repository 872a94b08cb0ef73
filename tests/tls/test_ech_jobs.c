/* tests/tls/test_ech_jobs.c - Encrypted Client Hello's asymmetric operations are jobs, which can
 * wait, be batched with others, and fail; and the lengths of what is sent tell no name. */
#include <string.h>

#include "cleat/batch.h"
#include "cleat/tls_options.h"
#include "crypto/hpke.h"
#include "tls/conn.h"
#include "tls/support_ech.h"

static struct test_ech key, same, third;
static const struct test_ech *const only_key[] = {&key};
/* two keys with one config_id: the second is tried when the first does not decrypt */
static const struct test_ech *const both[] = {&same, &key};

static int setup(void **state)
{
    test_world_setup(state);
    test_ech_make(&key, NULL, 7);
    test_ech_make(&same, NULL, 7);
    test_ech_make(&third, NULL, 7);
    return 0;
}

static int teardown(void **state)
{
    test_ech_drop(&key);
    test_ech_drop(&same);
    test_ech_drop(&third);
    return test_world_teardown(state);
}

/* ---- jobs ---- */

/* Steps once, without running jobs. */
static enum cleat_tls_next step(struct test_end *e, struct cl_buf *out)
{
    uint8_t room[32768];
    struct cleat_tls_io io = {
        .in = e->in.p, .in_len = e->in.len, .out = room, .out_cap = sizeof(room)};
    e->next = cleat_tls_step(e->tls, &io);
    assert_int_equal(cl_buf_append(out, room, io.out_len, SIZE_MAX / 2), CL_OK);
    cl_buf_drop(&e->in, io.in_used);
    return e->next;
}

static const struct cl_job *job_of(const struct test_end *e)
{
    return (const struct cl_job *)cleat_tls_job(e->tls);
}

/* Runs an end's jobs until it wants something else; their kinds, and over which groups. */
static size_t run_jobs(struct test_end *e, struct cl_buf *out, enum cl_job_kind kinds[8])
{
    size_t num = 0;
    while (step(e, out) == CLEAT_TLS_NEEDS_JOB) {
        assert_true(num < 8);
        kinds[num++] = job_of(e)->kind;
        cleat_job_run(cleat_tls_job(e->tls));
    }
    return num;
}

static void test_encapsulation_and_decapsulation_are_jobs(void **state)
{
    static const char *const kems[] = {"X25519", "P-256", "P-384", "P-521"};
    for (size_t i = 0; i < TEST_LEN(kems); i++) {
        struct test_ech made;
        const struct test_ech *const keys[] = {&made};
        struct test_pair p;
        struct cl_buf out = {0};
        enum cl_job_kind kinds[8];
        test_ech_make(&made, kems[i], 9);
        test_ech_pair(&p, test_ech_client(), test_ech_server(keys, 1, 0), &made, NULL);
        const size_t num = run_jobs(&p.client, &out, kinds);
        assert_int_equal(kinds[num - 1], CL_JOB_ENCAP);
        for (size_t k = 0; k + 1 < num; k++) {
            assert_int_equal(kinds[k], CL_JOB_KEYGEN);
        }
        test_end_feed(&p.server, out.p, out.len);
        out.len = 0;
        assert_int_equal(step(&p.server, &out), CLEAT_TLS_NEEDS_JOB);
        assert_int_equal(job_of(&p.server)->kind, CL_JOB_DECAP);
        assert_string_equal(job_of(&p.server)->kex.group->name, kems[i]);
        /* until it is done there is no name, and no answer */
        assert_int_equal(cleat_tls_ech_status(p.server.tls), CLEAT_ECH_NONE);
        assert_int_equal(step(&p.server, &out), CLEAT_TLS_NEEDS_JOB);
        assert_int_equal(out.len, 0);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_int_equal(cleat_tls_ech_status(p.server.tls), CLEAT_ECH_ACCEPTED);
        cl_buf_deinit(&out);
        test_pair_drop(&p);
        test_ech_drop(&made);
    }
}

static void test_each_key_of_the_config_id_is_a_job_until_one_decrypts(void **state)
{
    static const struct {
        const struct test_ech *offered;
        size_t decaps;
        enum cleat_ech_status status;
    } rows[] = {
        {&same, 1, CLEAT_ECH_ACCEPTED},
        {&key, 2, CLEAT_ECH_ACCEPTED},
        {&third, 2, CLEAT_ECH_REJECTED},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct test_pair p;
        struct cl_buf out = {0};
        enum cl_job_kind kinds[8];
        test_ech_pair(&p, test_ech_client(), test_ech_server(both, 2, 0), rows[i].offered, NULL);
        (void)run_jobs(&p.client, &out, kinds);
        test_end_feed(&p.server, out.p, out.len);
        out.len = 0;
        const size_t num = run_jobs(&p.server, &out, kinds);
        assert_int_equal(num, rows[i].decaps + 2);
        for (size_t k = 0; k < rows[i].decaps; k++) {
            assert_int_equal(kinds[k], CL_JOB_DECAP);
        }
        assert_int_equal(kinds[num - 2], CL_JOB_ENCAP);
        assert_int_equal(kinds[num - 1], CL_JOB_SIGN);
        assert_int_equal(cleat_tls_ech_status(p.server.tls), rows[i].status);
        cl_buf_deinit(&out);
        test_pair_drop(&p);
    }
}

/* The second ClientHello is opened by the first one's context (RFC 9849 6.1.5). */
static void test_after_a_retry_request_there_is_no_second_agreement(void **state)
{
    struct cleat_tls_builder *s = test_ech_server(only_key, 1, 0);
    struct test_pair p;
    struct cl_buf out = {0};
    enum cl_job_kind kinds[8];
    assert_int_equal(cleat_tls_builder_groups(s, "P-384"), CLEAT_OK);
    test_ech_pair(&p, test_ech_client(), s, &key, NULL);
    (void)run_jobs(&p.client, &out, kinds);
    test_end_feed(&p.server, out.p, out.len);
    out.len = 0;
    assert_int_equal(run_jobs(&p.server, &out, kinds), 1);
    assert_int_equal(kinds[0], CL_JOB_DECAP);
    test_end_feed(&p.client, out.p, out.len);
    out.len = 0;
    assert_int_equal(run_jobs(&p.client, &out, kinds), 1);
    assert_int_equal(kinds[0], CL_JOB_KEYGEN);
    test_end_feed(&p.server, out.p, out.len);
    out.len = 0;
    assert_int_equal(run_jobs(&p.server, &out, kinds), 2);
    assert_int_equal(kinds[0], CL_JOB_ENCAP);
    assert_int_equal(kinds[1], CL_JOB_SIGN);
    assert_int_equal(cleat_tls_ech_status(p.server.tls), CLEAT_ECH_ACCEPTED);
    cl_buf_deinit(&out);
    test_pair_drop(&p);
}

/* 9: a full set of lanes, and one over */
#define NUM_PAIRS 9

static void step_all(struct test_pair *pairs, bool servers, struct cleat_batch *batch)
{
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < NUM_PAIRS; i++) {
            struct test_end *e = servers ? &pairs[i].server : &pairs[i].client;
            struct test_end *to = servers ? &pairs[i].client : &pairs[i].server;
            struct cl_buf out = {0};
            if (step(e, &out) == CLEAT_TLS_NEEDS_JOB) {
                cleat_batch_add(batch, cleat_tls_job(e->tls));
                again = true;
            }
            test_end_feed(to, out.p, out.len);
            cl_buf_deinit(&out);
        }
        cleat_batch_run(batch, 1);
    }
}

static void test_jobs_of_many_connections_run_as_one_batch(void **state)
{
    static const char *const kems[] = {"X25519", "P-256"};
    for (size_t k = 0; k < TEST_LEN(kems); k++) {
        struct test_pair pairs[NUM_PAIRS];
        struct cleat_batch *batch;
        struct test_ech made;
        const struct test_ech *const keys[] = {&made};
        test_ech_make(&made, kems[k], 9);
        assert_int_equal(cleat_batch_new(&batch), CLEAT_OK);
        for (size_t i = 0; i < NUM_PAIRS; i++) {
            test_ech_pair(&pairs[i], test_ech_client(), test_ech_server(keys, 1, 0), &made, NULL);
        }
        step_all(pairs, false, batch);
        step_all(pairs, true, batch);
        for (size_t i = 0; i < NUM_PAIRS; i++) {
            test_pair_run(&pairs[i]);
            test_assert_ready(&pairs[i]);
            assert_int_equal(cleat_tls_ech_status(pairs[i].server.tls), CLEAT_ECH_ACCEPTED);
            test_pair_drop(&pairs[i]);
        }
        cleat_batch_free(batch);
        test_ech_drop(&made);
    }
}

/* tldr.fail: a ClientHello that does not come in one piece; this one is the longest there is. */
static void test_a_hello_may_come_in_any_pieces(void **state)
{
    static const struct {
        size_t chunk;
        unsigned fragment;
    } rows[] = {{1, 0}, {7, 0}, {0, 64}, {1, 64}, {0, 1350}};
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cleat_tls_builder *c = test_ech_client();
        struct test_pair p;
        if (rows[i].fragment != 0) {
            assert_int_equal(cleat_tls_builder_max_fragment(c, rows[i].fragment), CLEAT_OK);
        }
        test_ech_pair(&p, c, test_ech_server(only_key, 1, 0), &key, NULL);
        p.chunk = rows[i].chunk;
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_int_equal(cleat_tls_ech_status(p.server.tls), CLEAT_ECH_ACCEPTED);
        test_pair_drop(&p);
    }
}

/* Whoever runs a job may fail; that is not the same as a key that does not fit. */
static void test_a_job_that_fails_ends_the_connection(void **state)
{
    for (int server = 0; server < 2; server++) {
        struct test_pair p;
        struct cl_buf out = {0};
        enum cl_job_kind kinds[8];
        test_ech_pair(&p, test_ech_client(), test_ech_server(both, 2, 0), &key, NULL);
        struct test_end *e = &p.client;
        if (server) {
            (void)run_jobs(&p.client, &out, kinds);
            test_end_feed(&p.server, out.p, out.len);
            e = &p.server;
        }
        const enum cl_job_kind wanted = server ? CL_JOB_DECAP : CL_JOB_ENCAP;
        while (step(e, &out) == CLEAT_TLS_NEEDS_JOB && job_of(e)->kind != wanted) {
            cleat_job_run(cleat_tls_job(e->tls));
        }
        assert_int_equal(e->next, CLEAT_TLS_NEEDS_JOB);
        cl_job_complete((struct cl_job *)cleat_tls_job(e->tls), CLEAT_ERR_JOB_FAILED);
        assert_int_equal(step(e, &out), CLEAT_TLS_FAILED);
        assert_int_equal(cleat_tls_error(e->tls)->code, CLEAT_ERR_JOB_FAILED);
        cl_buf_deinit(&out);
        test_pair_drop(&p);
    }
}

/* The memory checkers see that nothing stays behind. */
static void test_a_connection_may_end_between_a_job_and_its_step(void **state)
{
    for (size_t after = 0; after < 4; after++) {
        struct test_pair p;
        struct cl_buf out = {0};
        test_ech_pair(&p, test_ech_client(), test_ech_server(only_key, 1, 0),
                      after % 2 == 0 ? &key : NULL, NULL);
        for (size_t i = 0; i <= after && step(&p.client, &out) == CLEAT_TLS_NEEDS_JOB; i++) {
            cleat_job_run(cleat_tls_job(p.client.tls));
        }
        cl_buf_deinit(&out);
        test_pair_drop(&p);
    }
}

static void test_a_public_key_that_is_none_is_told_as_such(void **state)
{
    struct test_ech bad;
    struct test_pair p;
    test_ech_make(&bad, "P-256", 9);
    /* list and configuration with their lengths; config_id, KEM and length of the key: the point's
     * first byte says that it is uncompressed */
    uint8_t *point = bad.list.p + 2 + 4 + 1 + 2 + 2;
    assert_int_equal(*point, 4);
    memset(point + 1, 0xee, 64);
    test_ech_pair(&p, test_ech_client(), test_ech_server(only_key, 1, 0), &bad, NULL);
    test_pair_run(&p);
    assert_int_equal(cleat_tls_error(p.client.tls)->code, CLEAT_ERR_BAD_ECH_CONFIG);
    assert_non_null(strstr(cleat_tls_error(p.client.tls)->text, "public key"));
    assert_int_equal(test_count_messages(&p.client, true, CL_HT_CLIENT_HELLO), 0);
    test_pair_drop(&p);
    test_ech_drop(&bad);
}

/* ---- lengths ---- */

/* The lengths of the encrypted records in what crossed. */
static size_t sealed_lens(const struct cl_buf *crossed, size_t lens[16])
{
    size_t num = 0;
    struct cl_rd r = cl_buf_view(crossed);
    uint8_t type;
    uint16_t version;
    struct cl_rd body;
    while (cl_rd_u8(&r, &type) && cl_rd_u16(&r, &version) && cl_rd_vec16(&r, &body)) {
        if (type == CL_CT_APPLICATION_DATA) {
            assert_true(num < 16);
            lens[num++] = body.len;
        }
    }
    assert_true(cl_rd_done(&r));
    return num;
}

/* A server whose certificate has a name of this length more, and what it sent. */
static size_t server_lens(const char *host, const struct test_ech *offered, bool with_keys,
                          size_t limit, size_t lens[16])
{
    static const char *const public_names[] = {TEST_ECH_PUBLIC};
    const char *const names[] = {host};
    struct cleat_tls_builder *s = test_server_builder_with(NULL);
    struct cleat_ech_keys *set;
    struct test_pair p;
    for (int i = 0; i < 2; i++) {
        struct test_identity id = {0};
        test_identity_make(&id, &world.ca, CL_KEY_EC_P256, i == 0 ? public_names : names, 1, false);
        assert_int_equal(cleat_tls_builder_credential(s, id.chain, id.key), CLEAT_OK);
        test_identity_drop(&id);
    }
    assert_int_equal(cleat_ech_keys_new(&set), CLEAT_OK);
    assert_int_equal(cleat_ech_keys_add_pem(set, key.pem, strlen(key.pem), true, NULL), CLEAT_OK);
    if (with_keys) {
        assert_int_equal(cleat_tls_builder_ech_keys(s, set), CLEAT_OK);
    }
    cleat_ech_keys_free(set);
    struct cleat_tls_builder *c = test_ech_client();
    cleat_tls_builder_ech_grease(c, true);
    if (limit != 0) {
        assert_int_equal(cleat_tls_builder_record_size_limit(c, (unsigned)limit), CLEAT_OK);
    }
    test_pair_make_for(&p, host, test_finish(c), test_finish(s), NULL);
    if (offered != NULL) {
        assert_int_equal(cleat_tls_offer_ech(p.client.tls, offered->list.p, offered->list.len),
                         CLEAT_OK);
    }
    test_pair_run(&p);
    test_assert_ready(&p);
    const size_t num = sealed_lens(&p.to_client, lens);
    test_pair_drop(&p);
    return num;
}

#define SHORT "a.example.test"
#define LONG  "a-name-that-is-longer-by-forty-bytes-or-more.example.test"

/* RFC 9849 6.1.3: "clients and servers will also need to pad all other handshake messages that have
 * sensitive-length fields". */
static void test_a_servers_flight_has_the_same_length_for_every_name(void **state)
{
    size_t a[16], b[16];
    const size_t num = server_lens(SHORT, &key, true, 0, a);
    assert_int_equal(server_lens(LONG, &key, true, 0, b), num);
    assert_memory_equal(a, b, num * sizeof(a[0]));
    assert_int_equal(a[0], 4096 + CL_HPKE_TAG_LEN);
    /* and without keys it has not: else this test would show nothing */
    (void)server_lens(SHORT, NULL, false, 0, a);
    (void)server_lens(LONG, NULL, false, 0, b);
    assert_int_not_equal(a[0], b[0]);
    assert_true(a[0] < 4096 && b[0] < 4096);
}

/* Who looks on cannot tell by its length whether ECH was accepted (RFC 9849 10.10.4). */
static void test_a_servers_flight_is_padded_for_a_dummy_too(void **state)
{
    size_t real[16], dummy[16];
    const size_t num = server_lens(SHORT, &key, true, 0, real);
    assert_int_equal(server_lens(SHORT, NULL, true, 0, dummy), num);
    assert_int_equal(real[0], dummy[0]);
}

static void test_padding_keeps_to_a_negotiated_limit(void **state)
{
    size_t lens[16];
    const size_t num = server_lens(SHORT, &key, true, 512, lens);
    assert_true(num > 1);
    for (size_t i = 0; i < num; i++) {
        assert_int_equal(lens[i], 512 + CL_HPKE_TAG_LEN); /* the last one, too */
    }
}

static void test_padding_needs_no_more_room_than_a_step_has(void **state)
{
    struct test_pair p;
    test_ech_pair(&p, test_ech_client(), test_ech_server(only_key, 1, 0), &key, NULL);
    p.out_cap = CLEAT_TLS_MIN_OUTPUT;
    test_pair_run(&p);
    test_assert_ready(&p);
    test_assert_echo(&p);
    test_pair_drop(&p);
}

/* Of clients: a certificate, but not a Finished, which is always as long. */
static void test_a_client_pads_its_certificate(void **state)
{
    for (int asked = 0; asked < 2; asked++) {
        struct cleat_tls_builder *s = test_ech_server(only_key, 1, 0);
        struct cleat_tls_builder *c = test_ech_client();
        struct test_pair p;
        size_t lens[16];
        assert_int_equal(cleat_tls_builder_trust(s, world.ca.store), CLEAT_OK);
        cleat_tls_builder_client_auth(s,
                                      asked ? CLEAT_CLIENT_AUTH_REQUIRED : CLEAT_CLIENT_AUTH_NONE);
        assert_int_equal(cleat_tls_builder_credential(c, world.client.chain, world.client.key),
                         CLEAT_OK);
        test_ech_pair(&p, c, s, &key, NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_int_equal(sealed_lens(&p.to_server, lens), 1);
        assert_int_equal(lens[0] == 4096 + CL_HPKE_TAG_LEN, asked);
        test_pair_drop(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encapsulation_and_decapsulation_are_jobs),
        cmocka_unit_test(test_each_key_of_the_config_id_is_a_job_until_one_decrypts),
        cmocka_unit_test(test_after_a_retry_request_there_is_no_second_agreement),
        cmocka_unit_test(test_jobs_of_many_connections_run_as_one_batch),
        cmocka_unit_test(test_a_hello_may_come_in_any_pieces),
        cmocka_unit_test(test_a_job_that_fails_ends_the_connection),
        cmocka_unit_test(test_a_connection_may_end_between_a_job_and_its_step),
        cmocka_unit_test(test_a_public_key_that_is_none_is_told_as_such),
        cmocka_unit_test(test_a_servers_flight_has_the_same_length_for_every_name),
        cmocka_unit_test(test_a_servers_flight_is_padded_for_a_dummy_too),
        cmocka_unit_test(test_padding_keeps_to_a_negotiated_limit),
        cmocka_unit_test(test_padding_needs_no_more_room_than_a_step_has),
        cmocka_unit_test(test_a_client_pads_its_certificate),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
