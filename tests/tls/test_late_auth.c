/* tests/tls/test_late_auth.c - post-handshake client authentication (RFC 9846 4.7.2). */
#include <string.h>

#include "cleat/tls_auth.h"
#include "tls/conn.h"
#include "tls/hs.h"
#include "tls/support_tls.h"
#include "x509/chain.h"

static struct cleat_tls_builder *client_builder(bool with_certificate)
{
    struct cleat_tls_builder *b = test_client_builder();
    cleat_tls_builder_late_auth(b, true);
    if (with_certificate) {
        assert_int_equal(cleat_tls_builder_credential(b, world.client.chain, world.client.key),
                         CLEAT_OK);
    }
    return b;
}

static struct cleat_tls_builder *server_builder(void)
{
    struct cleat_tls_builder *b = test_server_builder();
    cleat_tls_builder_late_auth(b, true);
    assert_int_equal(cleat_tls_builder_trust(b, world.ca.store), CLEAT_OK);
    return b;
}

static void make(struct test_pair *p, struct cleat_tls_builder *c, struct cleat_tls_builder *s)
{
    test_pair_make(p, test_finish(c), test_finish(s), NULL);
    test_pair_run(p);
    test_assert_ready(p);
    assert_false(test_info(&p->server).peer_authenticated);
}

static void assert_known(const struct test_pair *p, bool known)
{
    const uint8_t *der;
    size_t len;
    assert_int_equal(test_info(&p->server).peer_authenticated, known);
    assert_int_equal(cleat_tls_peer_cert(p->server.tls, 0, &der, &len),
                     known ? CLEAT_OK : CLEAT_ERR_NO_CERTIFICATE);
    if (known) {
        struct cl_rd want = cl_cert_der(cl_chain_at(world.client.chain, 0));
        assert_true(cl_rd_equal(cl_rd_of(der, len), want));
    }
}

/* ---- success ---- */

static void test_a_client_shows_its_certificate_when_asked_later(void **state)
{
    struct test_pair p;
    make(&p, client_builder(true), server_builder());
    test_assert_echo(&p);
    for (int i = 0; i < 3; i++) { /* again and again */
        assert_int_equal(cleat_tls_request_certificate(p.server.tls, true), CLEAT_OK);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_known(&p, true);
        assert_null(p.client.tls->hs);
        assert_null(p.server.tls->hs);
        test_assert_echo(&p);
    }
    test_pair_drop(&p);
}

static void test_each_kind_of_key_signs_later(void **state)
{
    static const enum cl_key_type types[] = {CL_KEY_RSA, CL_KEY_EC_P384, CL_KEY_ED25519};
    for (size_t i = 0; i < TEST_LEN(types); i++) {
        const struct test_identity *id = test_identity_of(types[i], true);
        struct cleat_tls_builder *c = client_builder(false);
        struct test_pair p;
        assert_int_equal(cleat_tls_builder_credential(c, id->chain, id->key), CLEAT_OK);
        make(&p, c, server_builder());
        assert_int_equal(cleat_tls_request_certificate(p.server.tls, true), CLEAT_OK);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_true(test_info(&p.server).peer_authenticated);
        test_pair_drop(&p);
    }
}

static void test_a_client_without_one_may_go_on_or_not(void **state)
{
    for (int required = 0; required < 2; required++) {
        struct test_pair p;
        make(&p, client_builder(false), server_builder());
        assert_int_equal(cleat_tls_request_certificate(p.server.tls, required != 0), CLEAT_OK);
        test_pair_run(&p);
        if (required != 0) {
            test_assert_failed(&p.server, &p.client, CLEAT_ERR_CERTIFICATE_REQUIRED, 116);
        } else {
            test_assert_ready(&p);
            assert_known(&p, false);
            test_assert_echo(&p);
        }
        test_pair_drop(&p);
    }
}

static void test_after_a_resumption_and_with_a_small_buffer(void **state)
{
    struct cleat_ticket_keys *keys;
    struct cleat_tls_builder *s = server_builder();
    struct test_pair p;
    assert_int_equal(cleat_ticket_keys_new(0, &keys), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_tickets(s, keys, 1), CLEAT_OK);
    struct cleat_tls_config *server = test_finish(s);
    struct cleat_tls_config *client = test_finish(client_builder(true));
    test_pair_make(&p, cleat_tls_config_ref(client), cleat_tls_config_ref(server), NULL);
    test_pair_run(&p);
    struct cleat_tls_session *session = cleat_tls_take_session(p.client.tls);
    assert_non_null(session);
    test_pair_drop(&p);
    test_pair_make(&p, client, server, session);
    p.out_cap = CLEAT_TLS_MIN_OUTPUT;
    p.chunk = 7;
    test_pair_run(&p);
    assert_true(test_info(&p.server).resumed);
    assert_int_equal(cleat_tls_request_certificate(p.server.tls, true), CLEAT_OK);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_known(&p, true);
    test_assert_echo(&p);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
    cleat_ticket_keys_free(keys);
}

static void test_the_application_says_who_may_come_in(void **state)
{
    for (int accept = 0; accept < 2; accept++) {
        struct cleat_tls_builder *s = server_builder();
        struct test_pair p;
        cleat_tls_builder_decide(s, CLEAT_DECIDE_IDENTITY);
        make(&p, client_builder(true), s);
        assert_int_equal(cleat_tls_request_certificate(p.server.tls, true), CLEAT_OK);
        test_pair_run(&p);
        assert_int_equal(p.server.next, CLEAT_TLS_NEEDS_DECISION);
        assert_int_equal(cleat_tls_decision(p.server.tls), CLEAT_DECIDE_IDENTITY);
        assert_non_null(cleat_tls_peer_leaf(p.server.tls));
        assert_true(cleat_tls_certificate_pending(p.server.tls));
        int code = accept != 0 ? cleat_tls_accept_peer(p.server.tls)
                               : cleat_tls_refuse(p.server.tls, 49, "not on the list");
        assert_int_equal(code, CLEAT_OK);
        test_pair_run(&p);
        assert_false(cleat_tls_certificate_pending(p.server.tls));
        if (accept != 0) {
            test_assert_ready(&p);
            assert_known(&p, true);
        } else {
            test_assert_failed(&p.server, &p.client, CLEAT_ERR_REFUSED, 49);
        }
        test_pair_drop(&p);
    }
}

/* ---- beside data and KeyUpdate ---- */

static void test_data_and_key_updates_flow_while_the_answer_is_waited_for(void **state)
{
    uint8_t room[CLEAT_TLS_MIN_OUTPUT];
    struct cleat_tls_io io = {.out = room, .out_cap = sizeof(room)};
    struct test_pair p;
    make(&p, client_builder(true), server_builder());
    assert_int_equal(cleat_tls_request_certificate(p.server.tls, true), CLEAT_OK);
    /* the client changes its key and writes before it has read the request; the server writes,
     * which sends the request in front */
    assert_int_equal(cleat_tls_key_update(p.client.tls, &io, true), CLEAT_OK);
    test_end_feed(&p.server, room, io.out_len);
    test_write(&p.client, &p.server, "before", 6);
    test_write(&p.server, &p.client, "reply", 5);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_known(&p, true);
    assert_memory_equal(p.server.data.p, "before", 6);
    assert_memory_equal(p.client.data.p, "reply", 5);
    test_assert_echo(&p);
    test_pair_drop(&p);
}

static void test_writing_finishes_a_flight_that_is_half_out(void **state)
{
    struct test_pair p;
    struct cl_buf out = {0};
    uint8_t room[CLEAT_TLS_MIN_OUTPUT];
    size_t written = 1;
    make(&p, client_builder(true), server_builder());
    assert_int_equal(cleat_tls_request_certificate(p.server.tls, true), CLEAT_OK);
    test_end_step(&p.server, &out, 0);
    test_end_feed(&p.client, out.p, out.len);
    out.len = 0;
    /* one step with the smallest buffer: the flight of the client is longer */
    for (int job = 0; job < 2; job++) {
        struct cleat_tls_io io = {
            .in = p.client.in.p, .in_len = p.client.in.len, .out = room, .out_cap = sizeof(room)};
        enum cleat_tls_next next = cleat_tls_step(p.client.tls, &io);
        cl_buf_drop(&p.client.in, io.in_used);
        test_end_feed(&p.server, room, io.out_len);
        assert_int_equal(next, job == 0 ? CLEAT_TLS_NEEDS_JOB : CLEAT_TLS_HAS_OUTPUT);
        if (next == CLEAT_TLS_NEEDS_JOB) {
            cleat_job_run(cleat_tls_job(p.client.tls));
        }
    }
    assert_int_equal(cleat_tls_key_update(
                         p.client.tls, &(struct cleat_tls_io){.out = room, .out_cap = 512}, false),
                     CLEAT_ERR_LIMIT);
    /* data waits until the rest is out */
    for (int i = 0; i < 20 && written != 4; i++) {
        struct cleat_tls_io io = {.out = room, .out_cap = sizeof(room)};
        assert_int_equal(cleat_tls_write(p.client.tls, &io, (const uint8_t *)"data", 4, &written),
                         CLEAT_OK);
        test_end_feed(&p.server, room, io.out_len);
    }
    assert_int_equal(written, 4);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_known(&p, true);
    assert_memory_equal(p.server.data.p, "data", 4);
    cl_buf_deinit(&out);
    test_pair_drop(&p);
}

/* ---- what is refused ---- */

static void test_it_cannot_be_asked_where_it_was_not_offered(void **state)
{
    struct test_pair p;
    make(&p, test_client_builder(), server_builder());
    assert_int_equal(cleat_tls_request_certificate(p.server.tls, true), CLEAT_ERR_UNSUPPORTED);
    assert_int_equal(cleat_tls_request_certificate(p.client.tls, true), CLEAT_ERR_USAGE);
    test_pair_drop(&p);
    make(&p, client_builder(true), test_server_builder());
    assert_int_equal(cleat_tls_request_certificate(p.server.tls, true), CLEAT_ERR_UNSUPPORTED);
    test_pair_drop(&p);
    struct cleat_tls_builder *c = client_builder(true);
    assert_int_equal(cleat_tls_builder_versions(c, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
    struct cleat_tls_builder *s = server_builder();
    assert_int_equal(cleat_tls_builder_versions(s, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
    make(&p, c, s);
    assert_int_equal(cleat_tls_request_certificate(p.server.tls, true), CLEAT_ERR_UNSUPPORTED);
    test_pair_drop(&p);
    test_pair_make(&p, test_finish(client_builder(true)), test_finish(server_builder()), NULL);
    assert_int_equal(cleat_tls_request_certificate(p.server.tls, true), CLEAT_ERR_USAGE);
    test_pair_drop(&p);
    make(&p, client_builder(true), server_builder());
    assert_int_equal(cleat_tls_request_certificate(p.server.tls, true), CLEAT_OK);
    assert_int_equal(cleat_tls_request_certificate(p.server.tls, true), CLEAT_ERR_USAGE);
    test_pair_drop(&p);
}

/* A message of our own from one end, under its newest key. */
static void inject(struct test_end *from, struct test_end *to, const char *hex)
{
    struct cl_buf m = test_hex(hex);
    struct cl_buf record = {0};
    test_seal(&from->tls->wr, &record, CL_CT_HANDSHAKE, m.p, m.len, 0);
    test_end_feed(to, record.p, record.len);
    cl_buf_deinit(&m);
    cl_buf_deinit(&record);
}

/* CertificateRequest: context 01, signature_algorithms ecdsa_secp256r1_sha256 */
#define REQUEST \
    "0d00000d"  \
    "0101"      \
    "0009"      \
    "000d0005"  \
    "0003040300"
#define GOOD_REQUEST \
    "0d00000c"       \
    "0101"           \
    "0008"           \
    "000d0004"       \
    "00020403"

static void test_a_request_that_was_not_offered_is_refused_by_the_client(void **state)
{
    struct test_pair p;
    make(&p, test_client_builder(), test_server_builder());
    inject(&p.server, &p.client, GOOD_REQUEST);
    test_pair_run(&p);
    test_assert_failed(&p.client, &p.server, CLEAT_ERR_UNEXPECTED_MESSAGE, 10);
    test_pair_drop(&p);
}

static void test_nobody_is_asked_over_http_2(void **state)
{
    static const char *const h2[] = {"h2"};
    struct cleat_tls_builder *b[] = {client_builder(true), server_builder()};
    struct test_pair p;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cleat_tls_builder_alpn(b[i], h2, 1), CLEAT_OK);
    }
    make(&p, b[0], b[1]);
    assert_string_equal(test_info(&p.client).alpn, "h2");
    assert_int_equal(cleat_tls_request_certificate(p.server.tls, false), CLEAT_ERR_UNSUPPORTED);
    p.server.tls->alpn.len = 0; /* a server that asks all the same */
    assert_int_equal(cleat_tls_request_certificate(p.server.tls, false), CLEAT_OK);
    test_pair_run(&p);
    test_assert_failed(&p.client, &p.server, CLEAT_ERR_UNEXPECTED_MESSAGE, 10);
    test_pair_drop(&p);
}

static void test_malformed_requests_are_refused_by_the_client(void **state)
{
    static const struct {
        const char *hex;
        int code;
        uint8_t alert;
    } rows[] = {
        {"0d000000", CLEAT_ERR_DECODE, 50},
        {"0d0000040101"
         "0000",
         CLEAT_ERR_MISSING_EXTENSION, 109},
        {REQUEST, CLEAT_ERR_DECODE, 50},
        {"0d00000d"
         "0101"
         "0008"
         "000d0004"
         "00020403"
         "00",
         CLEAT_ERR_DECODE, 50},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct test_pair p;
        make(&p, client_builder(true), server_builder());
        inject(&p.server, &p.client, rows[i].hex);
        test_pair_run(&p);
        test_assert_failed(&p.client, &p.server, rows[i].code, rows[i].alert);
        test_pair_drop(&p);
    }
}

static void test_an_answer_that_was_not_asked_for_is_refused_by_the_server(void **state)
{
    static const char *const messages[] = {"0b00000400000000", "0f000000", "14000000"};
    for (size_t i = 0; i < TEST_LEN(messages); i++) {
        struct test_pair p;
        make(&p, client_builder(true), server_builder());
        inject(&p.client, &p.server, messages[i]);
        test_pair_run(&p);
        test_assert_failed(&p.server, &p.client, CLEAT_ERR_UNEXPECTED_MESSAGE, 10);
        test_pair_drop(&p);
    }
}

static void test_a_wrong_context_signature_or_finished_is_refused(void **state)
{
    static const struct {
        uint8_t type;
        uint16_t at; /* of the byte that is changed */
        int code;
        uint8_t alert;
    } rows[] = {
        {CL_HT_CERTIFICATE, 5, CLEAT_ERR_ILLEGAL_PARAMETER, 47},
        {CL_HT_CERTIFICATE_VERIFY, 30, CLEAT_ERR_DECRYPT_ERROR, 51},
        {CL_HT_FINISHED, 4, CLEAT_ERR_DECRYPT_ERROR, 51},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cleat_tls_builder *c = client_builder(true);
        struct test_edit edit = {.type = rows[i].type, .edit = test_edit_flip, .ext = rows[i].at};
        struct test_pair p;
        edit.skip = rows[i].type == CL_HT_FINISHED ? 1 : 0; /* the handshake's own */
        test_builder_edit(c, &edit);
        make(&p, c, server_builder());
        assert_int_equal(cleat_tls_request_certificate(p.server.tls, true), CLEAT_OK);
        test_pair_run(&p);
        test_assert_failed(&p.server, NULL, rows[i].code, rows[i].alert);
        assert_false(p.server.tls->peer_authenticated);
        test_pair_drop(&p);
    }
}

static void test_a_certificate_of_another_authority_is_refused(void **state)
{
    static const char *const names[] = {"stranger"};
    struct test_ca other;
    struct test_identity id;
    struct cleat_tls_builder *c = client_builder(false);
    struct test_pair p;
    test_ca_make(&other, "Another CA");
    test_identity_make(&id, &other, CL_KEY_EC_P256, names, 1, true);
    assert_int_equal(cleat_tls_builder_credential(c, id.chain, id.key), CLEAT_OK);
    make(&p, c, server_builder());
    assert_int_equal(cleat_tls_request_certificate(p.server.tls, false), CLEAT_OK);
    test_pair_run(&p);
    test_assert_failed(&p.server, NULL, CLEAT_ERR_UNKNOWN_ISSUER, 48);
    assert_false(p.server.tls->peer_authenticated);
    test_pair_drop(&p);
    test_identity_drop(&id);
    test_ca_drop(&other);
}

/* Splits the client's answer into its messages, and puts something in between. */
static void test_nothing_may_come_between_the_answers_messages(void **state)
{
    for (int what = 0; what < 3; what++) {
        struct test_pair p;
        struct cl_buf record = {0};
        make(&p, client_builder(true), server_builder());
        assert_int_equal(cleat_tls_request_certificate(p.server.tls, true), CLEAT_OK);
        struct cl_buf out = {0};
        test_end_step(&p.server, &out, 0);
        test_end_feed(&p.client, out.p, out.len);
        out.len = 0;
        struct cl_record_keys *keys = &p.client.tls->wr;
        uint64_t seq = keys->seq;
        test_end_step(&p.client, &out, 0); /* makes the answer, which is thrown away */
        keys->seq = seq;
        struct cl_rd certificate = test_message(&p.client, true, CL_HT_CERTIFICATE, 0);
        test_seal(keys, &record, CL_CT_HANDSHAKE, certificate.p, certificate.len, 0);
        if (what == 0) {
            test_seal(keys, &record, CL_CT_APPLICATION_DATA, "x", 1, 0);
        } else if (what == 1) {
            test_seal(keys, &record, CL_CT_HANDSHAKE, "\x18\0\0\1\0", 5, 0); /* KeyUpdate */
        } else { /* the certificate's signature is missing */
            struct cl_rd finished = test_message(&p.client, true, CL_HT_FINISHED, 1);
            test_seal(keys, &record, CL_CT_HANDSHAKE, finished.p, finished.len, 0);
        }
        p.server.in.len = 0;
        test_end_feed(&p.server, record.p, record.len);
        out.len = 0;
        test_end_step(&p.server, &out, 0);
        test_assert_failed(&p.server, NULL, CLEAT_ERR_UNEXPECTED_MESSAGE, 10);
        assert_int_equal(p.server.data.len, 0);
        assert_false(p.server.tls->peer_authenticated);
        cl_buf_deinit(&record);
        cl_buf_deinit(&out);
        test_pair_drop(&p);
    }
}

static void test_a_server_that_asks_without_end_is_stopped(void **state)
{
    struct test_pair p;
    int r = CLEAT_OK;
    make(&p, client_builder(true), server_builder());
    for (int i = 0; i < 40 && p.client.next == CLEAT_TLS_READY; i++) {
        r = cleat_tls_request_certificate(p.server.tls, true);
        assert_int_equal(r, CLEAT_OK);
        test_pair_run(&p);
    }
    assert_int_equal(cleat_tls_error(p.client.tls)->code, CLEAT_ERR_TOO_MANY_RECORDS);
    test_pair_drop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_client_shows_its_certificate_when_asked_later),
        cmocka_unit_test(test_each_kind_of_key_signs_later),
        cmocka_unit_test(test_a_client_without_one_may_go_on_or_not),
        cmocka_unit_test(test_after_a_resumption_and_with_a_small_buffer),
        cmocka_unit_test(test_the_application_says_who_may_come_in),
        cmocka_unit_test(test_data_and_key_updates_flow_while_the_answer_is_waited_for),
        cmocka_unit_test(test_writing_finishes_a_flight_that_is_half_out),
        cmocka_unit_test(test_it_cannot_be_asked_where_it_was_not_offered),
        cmocka_unit_test(test_a_request_that_was_not_offered_is_refused_by_the_client),
        cmocka_unit_test(test_nobody_is_asked_over_http_2),
        cmocka_unit_test(test_malformed_requests_are_refused_by_the_client),
        cmocka_unit_test(test_an_answer_that_was_not_asked_for_is_refused_by_the_server),
        cmocka_unit_test(test_a_wrong_context_signature_or_finished_is_refused),
        cmocka_unit_test(test_a_certificate_of_another_authority_is_refused),
        cmocka_unit_test(test_nothing_may_come_between_the_answers_messages),
        cmocka_unit_test(test_a_server_that_asks_without_end_is_stopped),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
