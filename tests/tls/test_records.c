/* tests/tls/test_records.c - how long records are: negotiated limits (RFC 8449), padding (RFC 9846
 * 5.4), short records at the start. */
#include <string.h>

#include "cleat/tls_options.h"
#include "tls/conn.h"
#include "tls/support_tls.h"

static uint8_t data[70000];

/* ---- what crossed ---- */

/* Lengths of the protected records (outer type 23; TLS 1.2: any after change_cipher_spec) at the
 * end of what was written. */
struct lengths {
    size_t len[128];
    size_t num;
};

static struct lengths lengths_of(const uint8_t *p, size_t len)
{
    struct lengths l = {0};
    while (len > 0) {
        size_t size = (size_t)p[3] * 256 + p[4];
        assert_true(l.num < TEST_LEN(l.len) && size + 5 <= len);
        l.len[l.num++] = size;
        p += 5 + size;
        len -= 5 + size;
    }
    return l;
}

/* Writes from one end, delivers, and returns the lengths of the records. */
static struct lengths write_all(struct test_pair *p, struct test_end *from, struct test_end *to,
                                size_t len)
{
    to->data.len = 0;
    size_t before = to->in.len;
    test_write(from, to, data, len);
    struct lengths l = lengths_of(to->in.p + before, to->in.len - before);
    test_pair_run(p);
    assert_int_equal(to->data.len, len);
    assert_memory_equal(to->data.p, data, len);
    return l;
}

static size_t longest(const struct lengths *l)
{
    size_t max = 0;
    for (size_t i = 0; i < l->num; i++) {
        max = l->len[i] > max ? l->len[i] : max;
    }
    return max;
}

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

static struct cleat_tls_builder *at(struct cleat_tls_builder *b, uint16_t version)
{
    assert_int_equal(cleat_tls_builder_versions(b, version, version), CLEAT_OK);
    return b;
}

/* ---- record_size_limit ---- */

static struct cleat_tls_builder *limited(struct cleat_tls_builder *b, unsigned limit)
{
    if (limit != 0) {
        assert_int_equal(cleat_tls_builder_record_size_limit(b, limit), CLEAT_OK);
    }
    return b;
}

static void test_each_side_keeps_to_the_others_limit(void **state)
{
    static const struct {
        unsigned client;
        unsigned server;
        size_t to_client; /* longest plaintext with its content type, TLS 1.3 */
        size_t to_server;
    } rows[] = {
        {64, 0, 64, 16385},       {512, 0, 512, 16385}, {0, 1000, 16385, 16385},
        {16385, 700, 16385, 700}, {100, 64, 100, 64},   {16384, 16385, 16384, 16385},
        {16385, 0, 16385, 16385}, {0, 0, 16385, 16385},
    };
    for (size_t i = 0; i < 2 * TEST_LEN(rows); i++) {
        size_t k = i / 2;
        bool is_13 = i % 2 == 0;
        uint16_t version = is_13 ? CLEAT_TLS_1_3 : CLEAT_TLS_1_2;
        size_t top = is_13 ? 16385 : 16384;
        struct test_pair p;
        test_pair_make(&p, test_finish(at(limited(test_client_builder(), rows[k].client), version)),
                       test_finish(at(limited(test_server_builder(), rows[k].server), version)),
                       NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        size_t len = rows[k].to_client < 1000 || rows[k].to_server < 1000 ? 6000 : sizeof(data);
        size_t extra = is_13 ? 16 : 24; /* tag; explicit nonce and tag */
        struct lengths l = write_all(&p, &p.server, &p.client, len);
        assert_int_equal(longest(&l), least(rows[k].to_client, top, len + is_13) + extra);
        l = write_all(&p, &p.client, &p.server, len);
        assert_int_equal(longest(&l), least(rows[k].to_server, top, len + is_13) + extra);
        test_pair_drop(&p);
    }
}

static void test_the_limit_holds_for_encrypted_handshake_messages(void **state)
{
    struct test_pair p;
    test_pair_make(&p, test_finish(limited(test_client_builder(), 64)), test_server_config(), NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    struct lengths l = lengths_of(p.to_client.p, p.to_client.len);
    assert_true(l.num > 8);
    for (size_t i = 2; i < l.num; i++) { /* ServerHello and change_cipher_spec are in clear */
        assert_true(l.len[i] <= 64 + 16);
    }
    test_assert_echo(&p);
    test_pair_drop(&p);
}

static void test_the_limit_outlives_a_key_update(void **state)
{
    uint8_t room[512];
    struct cleat_tls_io io = {.out = room, .out_cap = sizeof(room)};
    struct test_pair p;
    test_pair_make(&p, test_finish(limited(test_client_builder(), 80)),
                   test_finish(limited(test_server_builder(), 90)), NULL);
    test_pair_run(&p);
    assert_int_equal(cleat_tls_key_update(p.client.tls, &io, true), CLEAT_OK);
    test_end_feed(&p.server, room, io.out_len);
    test_pair_run(&p);
    struct lengths l = write_all(&p, &p.server, &p.client, 500);
    assert_int_equal(longest(&l), 80 + 16);
    l = write_all(&p, &p.client, &p.server, 500);
    assert_int_equal(longest(&l), 90 + 16);
    test_pair_drop(&p);
}

static void test_a_record_beyond_our_limit_is_refused(void **state)
{
    static const struct {
        uint16_t version;
        size_t len;
        size_t padding;
        bool fits;
    } rows[] = {
        {CLEAT_TLS_1_3, 99, 0, true},  {CLEAT_TLS_1_3, 100, 0, false},
        {CLEAT_TLS_1_3, 50, 49, true}, {CLEAT_TLS_1_3, 50, 50, false},
        {CLEAT_TLS_1_2, 100, 0, true}, {CLEAT_TLS_1_2, 101, 0, false},
    };
    for (size_t i = 0; i < 2 * TEST_LEN(rows); i++) {
        struct test_pair p;
        struct cl_buf record = {0};
        bool to_server = i % 2 == 0;
        size_t k = i / 2;
        test_pair_make(&p, test_finish(at(limited(test_client_builder(), 100), rows[k].version)),
                       test_finish(at(limited(test_server_builder(), 100), rows[k].version)), NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        struct test_end *from = to_server ? &p.client : &p.server;
        struct test_end *to = to_server ? &p.server : &p.client;
        from->tls->wr.limit = 0;
        test_seal(&from->tls->wr, &record, 23, data, rows[k].len, rows[k].padding);
        test_end_feed(to, record.p, record.len);
        test_pair_run(&p);
        if (rows[k].fits) {
            assert_int_equal(to->data.len, rows[k].len);
        } else {
            test_assert_failed(to, from, CLEAT_ERR_RECORD_OVERFLOW, 22);
        }
        cl_buf_deinit(&record);
        test_pair_drop(&p);
    }
}

static void test_limits_that_cannot_be_are_refused(void **state)
{
    static const struct {
        const char *hex;
        int code;
        uint8_t alert;
    } rows[] = {
        {"003f", CLEAT_ERR_ILLEGAL_PARAMETER, 47},
        {"0000", CLEAT_ERR_ILLEGAL_PARAMETER, 47},
        {"40", CLEAT_ERR_DECODE, 50},
        {"004000", CLEAT_ERR_DECODE, 50},
        {"4002", CLEAT_ERR_ILLEGAL_PARAMETER, 47}, /* a client's is taken for 16,385 */
    };
    for (size_t i = 0; i < 2 * TEST_LEN(rows); i++) {
        struct test_pair p;
        struct test_edit edit = {.edit = test_edit_ext_put, .ext = 28, .hex = rows[i / 2].hex};
        struct cleat_tls_builder *c = limited(test_client_builder(), 100);
        struct cleat_tls_builder *s = test_server_builder();
        bool by_client = i % 2 == 0;
        edit.type = by_client ? 1 : 8;
        test_builder_edit(by_client ? c : s, &edit);
        test_pair_make(&p, test_finish(c), test_finish(s), NULL);
        test_pair_run(&p);
        if (by_client && strcmp(edit.hex, "4002") == 0) {
            test_assert_ready(&p);
        } else {
            test_assert_failed(by_client ? &p.server : &p.client, by_client ? &p.client : &p.server,
                               rows[i / 2].code, rows[i / 2].alert);
        }
        test_pair_drop(&p);
    }
    for (unsigned i = 0; i < 2; i++) {
        struct cleat_tls_builder *b = test_client_builder();
        assert_int_equal(cleat_tls_builder_record_size_limit(b, i == 0 ? 63 : 16386),
                         CLEAT_ERR_BAD_CONFIG);
        cleat_tls_builder_free(b);
    }
}

static void test_a_limit_that_was_not_offered_is_refused(void **state)
{
    struct test_edit edit = {.type = 8, .edit = test_edit_ext_put, .ext = 28, .hex = "0100"};
    struct cleat_tls_builder *s = test_server_builder();
    struct test_pair p;
    test_builder_edit(s, &edit);
    test_pair_make(&p, test_client_config(), test_finish(s), NULL);
    test_pair_run(&p);
    test_assert_failed(&p.client, &p.server, CLEAT_ERR_UNSUPPORTED_EXTENSION, 110);
    test_pair_drop(&p);
}

/* ---- padding ---- */

static struct cleat_tls_builder *padded(struct cleat_tls_builder *b, unsigned multiple)
{
    assert_int_equal(cleat_tls_builder_padding(b, multiple), CLEAT_OK);
    return b;
}

static void test_records_are_padded_to_the_multiple(void **state)
{
    static const struct {
        unsigned multiple;
        unsigned limit;
        size_t len;
        size_t expected[6]; /* plaintexts with content type and padding */
    } rows[] = {
        {0, 0, 10, {11}},
        {1, 0, 10, {11}},
        {16, 0, 1, {16}},
        {16, 0, 15, {16}},
        {16, 0, 16, {32}},
        {256, 0, 255, {256}},
        {1000, 0, 2500, {3000}},
        {16384, 0, 5, {16384}},
        {16384, 0, 16384, {16385}},
        {512, 700, 600, {700}},
        {512, 700, 1000, {700, 512}},
        {512, 100, 150, {100, 100}},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cleat_tls_builder *s = test_server_builder();
        struct test_pair p;
        test_pair_make(&p, test_finish(padded(test_client_builder(), rows[i].multiple)),
                       test_finish(limited(s, rows[i].limit)), NULL);
        if (rows[i].limit != 0) {
            p.client.tls->wr.limit = 0; /* the client offers nothing: set by hand below */
        }
        test_pair_run(&p);
        test_assert_ready(&p);
        p.client.tls->wr.limit = (uint16_t)rows[i].limit;
        struct lengths l = write_all(&p, &p.client, &p.server, rows[i].len);
        for (size_t k = 0; k < l.num; k++) {
            assert_int_equal(l.len[k], rows[i].expected[k] + 16);
        }
        assert_true(l.num == TEST_LEN(rows[i].expected) || rows[i].expected[l.num] == 0);
        test_pair_drop(&p);
    }
}

/* Room of every size: what is written is padded whole or not written. */
static void test_a_full_buffer_never_cuts_a_padding_short(void **state)
{
    struct test_pair p;
    test_pair_make(&p, test_finish(padded(test_client_builder(), 256)), test_server_config(), NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    for (size_t cap = 512; cap < 1400; cap += 7) {
        uint8_t room[2000];
        struct cleat_tls_io io = {.out = room, .out_cap = cap};
        size_t written;
        assert_int_equal(cleat_tls_write(p.client.tls, &io, data, 900, &written), CLEAT_OK);
        struct lengths l = lengths_of(room, io.out_len);
        for (size_t k = 0; k < l.num; k++) {
            assert_int_equal((l.len[k] - 16) % 256, 0);
        }
        p.server.data.len = 0;
        test_end_feed(&p.server, room, io.out_len);
        test_pair_run(&p);
        assert_int_equal(p.server.data.len, written);
    }
    test_pair_drop(&p);
}

static void test_handshake_messages_alerts_and_tls_12_are_not_padded(void **state)
{
    struct test_pair p;
    test_pair_make(&p, test_finish(padded(test_client_builder(), 1024)), test_server_config(),
                   NULL);
    test_pair_run(&p);
    struct lengths l = lengths_of(p.to_server.p, p.to_server.len);
    assert_int_equal(l.len[l.num - 1], 4 + 32 + 1 + 16); /* Finished */
    test_close(&p.client, &p.server);
    l = lengths_of(p.server.in.p, p.server.in.len);
    assert_int_equal(l.len[0], 2 + 1 + 16);
    test_pair_drop(&p);
    test_pair_make(&p, test_finish(at(padded(test_client_builder(), 1024), CLEAT_TLS_1_2)),
                   test_finish(at(test_server_builder(), CLEAT_TLS_1_2)), NULL);
    test_pair_run(&p);
    l = write_all(&p, &p.client, &p.server, 10);
    assert_int_equal(l.len[0], 10 + 24);
    test_pair_drop(&p);
    struct cleat_tls_builder *b = test_client_builder();
    assert_int_equal(cleat_tls_builder_padding(b, 16385), CLEAT_ERR_BAD_CONFIG);
    cleat_tls_builder_free(b);
}

/* ---- short records first ---- */

static void test_records_are_short_at_first_and_after_a_pause(void **state)
{
    struct cleat_tls_builder *s = test_server_builder();
    struct test_pair p;
    cleat_tls_builder_small_first_records(s, true);
    test_pair_make(&p, test_client_config(), test_finish(s), NULL);
    test_pair_run(&p);
    static uint8_t room[80000];
    struct cleat_tls_io io = {.out = room, .out_cap = sizeof(room)};
    size_t written;
    assert_int_equal(cleat_tls_write(p.server.tls, &io, data, 70000, &written), CLEAT_OK);
    test_end_feed(&p.client, room, io.out_len);
    struct lengths l = lengths_of(room, io.out_len);
    assert_int_equal(l.num, 40 + 1);
    test_pair_run(&p);
    for (size_t i = 0; i < 40; i++) {
        assert_int_equal(l.len[i], 1350 + 1 + 16);
    }
    assert_int_equal(l.len[40], 16000 + 1 + 16);
    world.now_ms += 999;
    l = write_all(&p, &p.server, &p.client, 20000);
    assert_int_equal(longest(&l), 16384 + 1 + 16);
    world.now_ms += 1000;
    l = write_all(&p, &p.server, &p.client, 20000);
    assert_int_equal(longest(&l), 1350 + 1 + 16);
    world.now_ms -= 5000; /* a clock that steps back */
    l = write_all(&p, &p.server, &p.client, 20000);
    assert_int_equal(longest(&l), 1350 + 1 + 16);
    l = write_all(&p, &p.client, &p.server, 20000);
    assert_int_equal(longest(&l), 16384 + 1 + 16);
    test_pair_drop(&p);
    world.now_ms = TEST_NOW_MS;
}

static int setup(void **state)
{
    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t)(i * 7 + i / 251);
    }
    return test_world_setup(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_side_keeps_to_the_others_limit),
        cmocka_unit_test(test_the_limit_holds_for_encrypted_handshake_messages),
        cmocka_unit_test(test_the_limit_outlives_a_key_update),
        cmocka_unit_test(test_a_record_beyond_our_limit_is_refused),
        cmocka_unit_test(test_limits_that_cannot_be_are_refused),
        cmocka_unit_test(test_a_limit_that_was_not_offered_is_refused),
        cmocka_unit_test(test_records_are_padded_to_the_multiple),
        cmocka_unit_test(test_a_full_buffer_never_cuts_a_padding_short),
        cmocka_unit_test(test_handshake_messages_alerts_and_tls_12_are_not_padded),
        cmocka_unit_test(test_records_are_short_at_first_and_after_a_pause),
    };
    return cmocka_run_group_tests(tests, setup, test_world_teardown);
}
