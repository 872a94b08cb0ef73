/* tests/tls/test_delivery.c - how messages become records and come apart again: small buffers, byte
 * by byte, fragments, padding, large hellos; middlebox compatibility; the stream of events. */
#include <string.h>

#include "tls/conn.h"
#include "tls/support_tls.h"

/* ---- buffers and segments make no difference ---- */

static void fixed_pair(struct test_pair *p, uint64_t counters[2])
{
    struct cleat_tls_builder *c = test_client_builder();
    struct cleat_tls_builder *s = test_server_builder();
    counters[0] = 1;
    counters[1] = UINT64_C(1) << 32;
    cleat_tls_builder_random(c, test_fixed_random, &counters[0]);
    cleat_tls_builder_random(s, test_fixed_random, &counters[1]);
    assert_int_equal(cleat_tls_builder_credential(c, world.client.chain, world.client.key),
                     CLEAT_OK);
    cleat_tls_builder_client_auth(s, CLEAT_CLIENT_AUTH_REQUIRED);
    assert_int_equal(cleat_tls_builder_trust(s, world.ca.store), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_groups(c, "P-521:X25519"), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_groups(s, "X25519"), CLEAT_OK);
    test_pair_make(p, test_finish(c), test_finish(s), NULL);
}

static void test_small_buffers_and_segments_give_the_same_connection(void **state)
{
    static const struct {
        size_t out_cap;
        size_t chunk;
    } rows[] = {{0, 0},     {CLEAT_TLS_MIN_OUTPUT, 0}, {0, 1}, {CLEAT_TLS_MIN_OUTPUT, 1}, {600, 7},
                {1000, 100}};
    uint8_t first[64];
    size_t num_messages = 0;
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        uint64_t counters[2];
        uint8_t now[64];
        struct test_pair p;
        fixed_pair(&p, counters);
        p.out_cap = rows[i].out_cap;
        p.chunk = rows[i].chunk;
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_true(test_info(&p.client).hello_retry);
        /* the exporter depends on every byte of the transcript */
        assert_int_equal(cleat_tls_export(p.server.tls, "x", NULL, 0, now, 64), CLEAT_OK);
        if (i == 0) {
            memcpy(first, now, 64);
            num_messages = p.client.log.num_messages;
        }
        assert_memory_equal(first, now, 64);
        assert_int_equal(p.client.log.num_messages, num_messages);
        test_assert_echo(&p);
        test_pair_drop(&p);
    }
}

static void test_large_data_moves_through_small_buffers(void **state)
{
    struct test_pair p;
    uint8_t data[40000];
    uint8_t room[CLEAT_TLS_MIN_OUTPUT];
    size_t done = 0;
    test_pair_make(&p, test_client_config(), test_server_config(), NULL);
    test_pair_run(&p);
    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t)(i ^ (i >> 8));
    }
    while (done < sizeof(data)) {
        struct cleat_tls_io io = {.out = room, .out_cap = sizeof(room)};
        size_t written;
        assert_int_equal(
            cleat_tls_write(p.client.tls, &io, data + done, sizeof(data) - done, &written),
            CLEAT_OK);
        assert_true(written > 0 && io.out_len <= sizeof(room));
        test_end_feed(&p.server, room, io.out_len);
        done += written;
    }
    test_pair_run(&p);
    assert_int_equal(p.server.data.len, sizeof(data));
    assert_memory_equal(p.server.data.p, data, sizeof(data));
    test_pair_drop(&p);
}

static void test_a_record_is_at_most_16_kib(void **state)
{
    static uint8_t data[100000];
    static uint8_t room[120000];
    struct cleat_tls_io io = {.out = room, .out_cap = sizeof(room)};
    struct test_pair p;
    size_t written;
    size_t at = 0;
    test_pair_make(&p, test_client_config(), test_server_config(), NULL);
    test_pair_run(&p);
    assert_int_equal(cleat_tls_write(p.client.tls, &io, data, sizeof(data), &written), CLEAT_OK);
    assert_int_equal(written, sizeof(data));
    while (at < io.out_len) {
        size_t len = (size_t)room[at + 3] * 256 + room[at + 4];
        assert_true(len <= CL_RECORD_MAX_PLAIN + 17);
        assert_true(5 + len <= CLEAT_TLS_MAX_RECORD);
        at += 5 + len;
    }
    assert_int_equal(at, io.out_len);
    test_pair_drop(&p);
}

/* ---- records of our own instead of those of the peer ---- */

static void put_fragments(struct cl_buf *out, struct cl_record_keys *keys, struct cl_rd messages,
                          size_t fragment, size_t padding)
{
    struct cl_rd part;
    while (!cl_rd_done(&messages)) {
        size_t n = fragment < messages.len ? fragment : messages.len;
        assert_true(cl_rd_take(&messages, n, &part));
        if (keys == NULL) {
            test_plain(out, CL_CT_HANDSHAKE, part.p, part.len);
        } else {
            test_seal(keys, out, CL_CT_HANDSHAKE, part.p, part.len, padding);
        }
    }
}

/* The messages that an end has sent, from the nth on, behind each other. */
static struct cl_buf sent_from(const struct test_end *e, size_t n)
{
    struct cl_buf all = {0};
    for (size_t i = 0; i < e->log.num_messages; i++) {
        if (e->log.messages[i].sent && n > 0) {
            n--;
        } else if (e->log.messages[i].sent) {
            assert_int_equal(cl_buf_append(&all, e->log.messages[i].bytes.p,
                                           e->log.messages[i].bytes.len, SIZE_MAX / 2),
                             CL_OK);
        }
    }
    return all;
}

/* A handshake in which both sides' messages travel in records cut and padded by us. */
static void shake_cut(size_t fragment, size_t padding)
{
    struct test_pair p;
    struct cl_buf out = {0};
    struct cl_buf cut = {0};
    struct cl_record_keys keys = {0};
    test_pair_make(&p, test_client_config(), test_server_config(), NULL);
    test_end_step(&p.client, &out, 0);
    put_fragments(&cut, NULL, test_message(&p.client, true, 1, 0), fragment, 0);
    test_end_feed(&p.server, cut.p, cut.len);
    test_end_step(&p.server, &out, 0);
    cut.len = 0;
    put_fragments(&cut, NULL, test_message(&p.server, true, 2, 0), fragment, 0);
    test_sealer(&keys, &p.server, "SERVER_HANDSHAKE_TRAFFIC_SECRET");
    struct cl_buf rest = sent_from(&p.server, 1);
    put_fragments(&cut, &keys, cl_buf_view(&rest), fragment, padding);
    test_end_feed(&p.client, cut.p, cut.len);
    cl_buf_deinit(&rest);
    test_end_step(&p.client, &out, 0);
    cut.len = 0;
    test_sealer(&keys, &p.client, "CLIENT_HANDSHAKE_TRAFFIC_SECRET");
    rest = sent_from(&p.client, 1);
    put_fragments(&cut, &keys, cl_buf_view(&rest), fragment, padding);
    test_end_feed(&p.server, cut.p, cut.len);
    cl_buf_deinit(&rest);
    out.len = 0;
    test_end_step(&p.server, &out, 0);
    test_assert_ready(&p);
    test_assert_echo(&p);
    cl_record_keys_deinit(&keys);
    cl_buf_deinit(&out);
    cl_buf_deinit(&cut);
    test_pair_drop(&p);
}

static void test_messages_may_be_cut_and_joined_at_will(void **state)
{
    static const size_t fragments[] = {1, 2, 3, 4, 5, 17, 100, 255, 256, 1000, 16384};
    for (size_t i = 0; i < TEST_LEN(fragments); i++) {
        shake_cut(fragments[i], 0);
    }
}

static void test_padding_is_accepted_up_to_the_limit_of_a_record(void **state)
{
    static const size_t paddings[] = {1, 2, 15, 16, 255, 1000, 16384 - 100};
    for (size_t i = 0; i < TEST_LEN(paddings); i++) {
        shake_cut(100, paddings[i]);
    }
}

static void test_padded_data_arrives_without_its_padding(void **state)
{
    static const size_t lens[] = {0, 1, 2, 100, 16000};
    static uint8_t data[16000];
    struct test_pair p;
    size_t total = 0;
    test_pair_make(&p, test_client_config(), test_server_config(), NULL);
    test_pair_run(&p);
    data[0] = 1;
    for (size_t i = 0; i < TEST_LEN(lens); i++) {
        for (size_t padding = 1; padding < 400; padding *= 3) {
            struct cl_buf record = {0};
            test_seal(&p.client.tls->wr, &record, 23, data, lens[i], padding);
            test_end_feed(&p.server, record.p, record.len);
            cl_buf_deinit(&record);
            total += lens[i];
        }
    }
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_int_equal(p.server.data.len, total);
    test_pair_drop(&p);
}

static void test_a_record_of_padding_alone_is_refused(void **state)
{
    struct test_pair p;
    struct cl_buf record = {0};
    uint8_t zeros[50] = {0};
    test_pair_make(&p, test_client_config(), test_server_config(), NULL);
    test_pair_run(&p);
    test_seal(&p.client.tls->wr, &record, 0, zeros, sizeof(zeros), 0);
    test_end_feed(&p.server, record.p, record.len);
    test_pair_run(&p);
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_UNEXPECTED_MESSAGE, 10);
    cl_buf_deinit(&record);
    test_pair_drop(&p);
}

static void test_a_client_hello_may_be_longer_than_a_record(void **state)
{
    char names[120][251];
    const char *list[120];
    struct cleat_tls_builder *c = test_client_builder();
    struct test_pair p;
    for (size_t i = 0; i < TEST_LEN(list); i++) {
        memset(names[i], 'a' + (int)(i % 26), 250);
        names[i][0] = (char)('0' + i / 26);
        names[i][250] = '\0';
        list[i] = names[i];
    }
    assert_int_equal(cleat_tls_builder_alpn(c, list, TEST_LEN(list)), CLEAT_OK);
    test_pair_make(&p, test_finish(c), test_server_config(), NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_true(test_message(&p.client, true, 1, 0).len > 30000);
    assert_int_equal(p.to_server.p[5 + 16384], 22); /* the second record of it */
    test_assert_echo(&p);
    test_pair_drop(&p);
}

/* ---- middlebox compatibility ---- */

static void assert_records(const struct cl_buf *stream, const char *types)
{
    size_t at = 0;
    char got[64] = {0};
    for (size_t n = 0; at + 5 <= stream->len && n < sizeof(got) - 1; n++) {
        got[n] = stream->p[at] == 20 ? 'c' : stream->p[at] == 22 ? 'h' : 'd';
        bool initial = n == 0 && stream->p[at + 5] == 1; /* ClientHello: RFC 9846 5.1 */
        assert_int_equal(stream->p[at + 1], 3);
        assert_int_equal(stream->p[at + 2], initial ? 1 : 3);
        at += 5U + (size_t)stream->p[at + 3] * 256 + stream->p[at + 4];
    }
    assert_string_equal(got, types);
}

static void test_change_cipher_spec_records_stand_where_middleboxes_expect_them(void **state)
{
    for (int retry = 0; retry < 2; retry++) {
        struct cleat_tls_builder *c = test_client_builder();
        struct cleat_tls_builder *s = test_server_builder();
        struct test_pair p;
        assert_int_equal(cleat_tls_builder_groups(c, retry ? "P-256:X25519" : "X25519"), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_groups(s, "X25519"), CLEAT_OK);
        test_pair_make(&p, test_finish(c), test_finish(s), NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_records(&p.to_server, retry ? "hchd" : "hcd");
        assert_records(&p.to_client, retry ? "hchd" : "hcd");
        test_pair_drop(&p);
    }
}

static void without_session_id(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                               size_t start)
{
    test_buf_splice(flight, start + 4 + 34, 33, "", 1);
    test_fix_lengths(flight, start, 0);
    tls->hs->session_id_len = 0;
}

static void test_a_server_sends_none_to_a_client_without_session_id(void **state)
{
    for (int retry = 0; retry < 2; retry++) {
        struct test_edit edit = {.type = 1, .edit = without_session_id};
        struct cleat_tls_builder *c = test_client_builder();
        struct cleat_tls_builder *s = test_server_builder();
        struct test_pair p;
        test_builder_edit(c, &edit);
        assert_int_equal(cleat_tls_builder_groups(c, retry ? "P-256:X25519" : "X25519"), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_groups(s, "X25519"), CLEAT_OK);
        test_pair_make(&p, test_finish(c), test_finish(s), NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_records(&p.to_client, retry ? "hhd" : "hd");
        test_pair_drop(&p);
    }
}

/* ---- events ---- */

static void assert_story(const struct test_end *e, const char *const *lines)
{
    struct cl_rd text = cl_buf_view(&e->log.text);
    size_t i = 0;
    while (text.len != 0) {
        const uint8_t *end = memchr(text.p, '\n', text.len);
        struct cl_rd line = {0};
        assert_true(cl_rd_take(&text, (size_t)(end - text.p) + 1, &line));
        bool told = line.p[0] == 's'
                        ? memcmp(line.p, "sent ", 5) == 0 || memcmp(line.p, "secret ", 7) == 0
                        : memcmp(line.p, "received ", 9) == 0 || memcmp(line.p, "key for ", 8) == 0;
        if (!told) {
            continue;
        }
        if (lines[i] == NULL || line.len < strlen(lines[i]) ||
            memcmp(line.p, lines[i], strlen(lines[i])) != 0) {
            fail_msg("told: %.*s, expected: %s", (int)line.len, (const char *)line.p,
                     lines[i] != NULL ? lines[i] : "nothing more");
        }
        i++;
    }
    assert_null(lines[i]);
}

static void test_the_events_tell_a_handshake_in_order(void **state)
{
    static const char *const client[] = {
        "sent ClientHello",
        "received ServerHello",
        "secret CLIENT_HANDSHAKE_TRAFFIC_SECRET",
        "secret SERVER_HANDSHAKE_TRAFFIC_SECRET",
        "key for reading handshake AES-128-GCM",
        "key for sending handshake AES-128-GCM",
        "received EncryptedExtensions",
        "received Certificate",
        "received CertificateVerify",
        "received Finished",
        "secret CLIENT_TRAFFIC_SECRET_0",
        "secret SERVER_TRAFFIC_SECRET_0",
        "secret EXPORTER_SECRET",
        "key for reading application AES-128-GCM",
        "sent Finished",
        "key for sending application AES-128-GCM",
        NULL,
    };
    static const char *const server[] = {
        "received ClientHello",
        "sent ServerHello",
        "secret CLIENT_HANDSHAKE_TRAFFIC_SECRET",
        "secret SERVER_HANDSHAKE_TRAFFIC_SECRET",
        "key for reading handshake",
        "key for sending handshake",
        "sent EncryptedExtensions",
        "sent Certificate",
        "sent CertificateVerify",
        "sent Finished",
        "secret CLIENT_TRAFFIC_SECRET_0",
        "secret SERVER_TRAFFIC_SECRET_0",
        "secret EXPORTER_SECRET",
        "key for sending application",
        "received Finished",
        "key for reading application",
        NULL,
    };
    struct test_pair p;
    test_pair_make(&p, test_client_config(), test_server_config(), NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_story(&p.client, client);
    assert_story(&p.server, server);
    assert_true(test_log_has(&p.client, "state C13_OPEN"));
    assert_true(test_log_has(&p.server, "state S13_OPEN"));
    test_pair_drop(&p);
}

/* RFC 9850: both sides write the same lines into a key log. */
static void test_both_sides_tell_the_same_secrets_under_the_clients_random(void **state)
{
    struct test_pair p;
    test_pair_make(&p, test_client_config(), test_server_config(), NULL);
    test_pair_run(&p);
    assert_int_equal(p.client.log.num_secrets, 5);
    assert_int_equal(p.server.log.num_secrets, 5);
    struct cl_rd hello = test_message(&p.client, true, 1, 0);
    for (size_t i = 0; i < 5; i++) {
        const struct cl_secret *other = test_secret(&p.server, p.client.log.secrets[i].label);
        assert_int_equal(other->len, 32);
        assert_memory_equal(p.client.log.secrets[i].secret.bytes, other->bytes, 32);
        assert_memory_equal(p.client.log.secrets[i].client_random, hello.p + 6, 32);
        assert_memory_equal(p.server.log.secrets[i].client_random, hello.p + 6, 32);
    }
    test_pair_drop(&p);
}

static void take_nothing(void *ctx, void *user, const struct cleat_event *e)
{
    *(bool *)ctx = *(bool *)ctx || e->kind == CLEAT_EVENT_SECRET;
}

static void test_secrets_are_told_only_when_asked_for(void **state)
{
    bool told = false;
    struct cleat_tls_builder *c = test_client_builder();
    struct test_pair p;
    cleat_tls_builder_events(c, take_nothing, &told, false);
    test_pair_make(&p, test_finish(c), test_server_config(), NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_false(told);
    test_pair_drop(&p);
}

static void test_a_handshake_asks_for_few_jobs(void **state)
{
    struct test_pair p;
    test_pair_make(&p, test_client_config(), test_server_config(), NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_int_equal(p.client.num_jobs,
                     5); /* two keys, secret, the peer's signature, the chain's */
    assert_int_equal(p.server.num_jobs, 2); /* share and secret, signature */
    assert_null(p.server.tls->hs);
    assert_null(p.client.tls->hs);
    test_pair_drop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_buffers_and_segments_give_the_same_connection),
        cmocka_unit_test(test_large_data_moves_through_small_buffers),
        cmocka_unit_test(test_a_record_is_at_most_16_kib),
        cmocka_unit_test(test_messages_may_be_cut_and_joined_at_will),
        cmocka_unit_test(test_padding_is_accepted_up_to_the_limit_of_a_record),
        cmocka_unit_test(test_padded_data_arrives_without_its_padding),
        cmocka_unit_test(test_a_record_of_padding_alone_is_refused),
        cmocka_unit_test(test_a_client_hello_may_be_longer_than_a_record),
        cmocka_unit_test(test_change_cipher_spec_records_stand_where_middleboxes_expect_them),
        cmocka_unit_test(test_a_server_sends_none_to_a_client_without_session_id),
        cmocka_unit_test(test_the_events_tell_a_handshake_in_order),
        cmocka_unit_test(test_both_sides_tell_the_same_secrets_under_the_clients_random),
        cmocka_unit_test(test_secrets_are_told_only_when_asked_for),
        cmocka_unit_test(test_a_handshake_asks_for_few_jobs),
    };
    return cmocka_run_group_tests(tests, test_fixed_world_setup, test_world_teardown);
}
