/* tests/tls/test_garbage.c - what is not TLS, what is TLS of long ago, and floods: records that are
 * too long, empty, or bring nothing. */
#include <string.h>

#include "tls/conn.h"
#include "tls/support_tls.h"

/* ---- not TLS at all ---- */

static const struct {
    const char *what;
    const char *bytes;
    size_t len;
    bool to_server;
    bool to_client;
    int code;
    uint8_t alert; /* 0: none is sent */
    const char *text;
} strangers[] = {
#define BYTES(s) s, sizeof(s) - 1
    {"HTTP request", BYTES("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), true, false,
     CLEAT_ERR_HTTP_ON_TLS_PORT, 0, "GET "},
    {"HTTP upload", BYTES("POST /x HTTP/1.1\r\n\r\n"), true, false, CLEAT_ERR_HTTP_ON_TLS_PORT, 0,
     "POST"},
    {"HTTP/2 preface", BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), true, false,
     CLEAT_ERR_HTTP_ON_TLS_PORT, 0, "PRI "},
    {"HTTP proxy request", BYTES("CONNECT a:443 HTTP/1.1\r\n\r\n"), true, false,
     CLEAT_ERR_HTTP_ON_TLS_PORT, 0, "CONN"},
    {"HTTP answer", BYTES("HTTP/1.1 400 Bad Request\r\n\r\n"), false, true,
     CLEAT_ERR_HTTP_ON_TLS_PORT, 0, "HTTP"},
    {"SSL 2.0 hello", BYTES("\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10"), true, false,
     CLEAT_ERR_SSLV2_HELLO, 70, "SSL 2.0"},
    {"SSH banner", BYTES("SSH-2.0-OpenSSH_9.2\r\n"), true, true, CLEAT_ERR_NOT_TLS, 70,
     "53 53 48 2d"},
    {"SMTP banner", BYTES("220 mail.example.test ESMTP\r\n"), true, true, CLEAT_ERR_NOT_TLS, 70,
     "32 32 30 20"},
    {"a TLS record of another major version", BYTES("\x16\x04\x00\x00\x05hello"), true, true,
     CLEAT_ERR_NOT_TLS, 70, "16 04 00 00"},
    {"zeros", BYTES("\0\0\0\0\0\0\0\0"), true, true, CLEAT_ERR_NOT_TLS, 70, "00 00 00 00"},
};

static void feed_first(struct test_end *e, const void *bytes, size_t len, struct cl_buf *out)
{
    test_end_step(e, out, 0);
    out->len = 0; /* a client's hello */
    test_end_feed(e, bytes, len);
    test_end_step(e, out, 0);
}

static void assert_refused(size_t i, bool to_server)
{
    struct test_pair p;
    struct cl_buf out = {0};
    test_pair_make(&p, test_client_config(), test_server_config(), NULL);
    struct test_end *e = to_server ? &p.server : &p.client;
    feed_first(e, strangers[i].bytes, strangers[i].len, &out);
    test_assert_failed(e, NULL, strangers[i].code, strangers[i].alert);
    if (strstr(cleat_tls_error(e->tls)->text, strangers[i].text) == NULL) {
        fail_msg("%s: %s", strangers[i].what, cleat_tls_error(e->tls)->text);
    }
    const uint8_t alert[] = {21, 3, 3, 0, 2, 2, strangers[i].alert};
    if (strangers[i].alert == 0) { /* the application answers in the peer's language */
        assert_int_equal(out.len, 0);
    } else {
        assert_int_equal(out.len, sizeof(alert));
        assert_memory_equal(out.p, alert, sizeof(alert));
    }
    cl_buf_deinit(&out);
    test_pair_drop(&p);
}

static void test_what_is_not_tls_is_told_by_its_first_bytes(void **state)
{
    for (size_t i = 0; i < TEST_LEN(strangers); i++) {
        if (strangers[i].to_server) {
            assert_refused(i, true);
        }
        if (strangers[i].to_client) {
            assert_refused(i, false);
        }
    }
}

static void test_random_bytes_never_get_far(void **state)
{
    for (uint64_t seed = 1; seed <= 300; seed++) {
        uint64_t counter = seed << 20;
        uint8_t bytes[600];
        struct test_pair p;
        struct cl_buf out = {0};
        assert_int_equal(test_fixed_random(&counter, bytes, sizeof(bytes)), 0);
        if (seed % 3 != 0) { /* a header that could be TLS, and noise behind it */
            const uint8_t header[] = {22, 3, 1, 0, (uint8_t)seed, (uint8_t)(seed % 3), 0, 0};
            memcpy(bytes, header, sizeof(header));
        }
        test_pair_make(&p, test_client_config(), test_server_config(), NULL);
        struct test_end *e = seed % 2 == 0 ? &p.server : &p.client;
        feed_first(e, bytes, sizeof(bytes), &out);
        assert_int_equal(e->next, CLEAT_TLS_FAILED);
        assert_true(cleat_tls_error(e->tls)->text[0] != '\0');
        assert_int_equal(out.len, 7); /* one alert, in clear */
        cl_buf_deinit(&out);
        test_pair_drop(&p);
    }
}

/* ---- TLS of long ago ---- */

static void test_old_versions_are_refused_by_name(void **state)
{
    static const struct {
        uint8_t minor;
        const char *name;
    } rows[] = {{0, "SSL 3.0"}, {1, "TLS 1.0"}, {2, "TLS 1.1"}, {3, "TLS 1.2"}};
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        /* a hello without extensions: version, random, no session, one suite, no compression */
        uint8_t hello[4 + 2 + 32 + 1 + 4 + 2] = {1, 0, 0, 41, 3, rows[i].minor};
        static const uint8_t end[] = {0, 0, 2, 0xc0, 0x2f, 1, 0};
        struct test_pair p;
        struct cl_buf record = {0};
        struct cl_buf out = {0};
        struct cleat_tls_builder *s = test_server_builder();
        assert_int_equal(cleat_tls_builder_versions(s, CLEAT_TLS_1_3, CLEAT_TLS_1_3), CLEAT_OK);
        memcpy(hello + 38, end, sizeof(end));
        test_plain(&record, CL_CT_HANDSHAKE, hello, sizeof(hello));
        record.p[2] = 1;
        test_pair_make(&p, test_client_config(), test_finish(s), NULL);
        feed_first(&p.server, record.p, record.len, &out);
        test_assert_failed(&p.server, NULL, CLEAT_ERR_PROTOCOL_VERSION, 70);
        assert_non_null(strstr(cleat_tls_error(p.server.tls)->text, rows[i].name));
        assert_true(cleat_tls_error(p.server.tls)->hint[0] != '\0');
        cl_buf_deinit(&record);
        cl_buf_deinit(&out);
        test_pair_drop(&p);
    }
}

/* ---- records of a bad size ---- */

static void test_a_record_too_long_is_refused_by_its_header(void **state)
{
    static const struct {
        size_t len;
        bool open; /* under keys: 2^14 + 256 (RFC 9846 5.2); in clear 2^14 (5.1) */
    } rows[] = {{16384 + 1, false},
                {16384 + 257, false},
                {65535, false},
                {16384 + 257, true},
                {65535, true}};
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        const uint8_t header[] = {rows[i].open ? 23 : 22, 3, 3, (uint8_t)(rows[i].len >> 8),
                                  (uint8_t)rows[i].len};
        struct test_pair p;
        struct cl_buf out = {0};
        test_pair_make(&p, test_client_config(), test_server_config(), NULL);
        if (rows[i].open) {
            test_pair_run(&p);
        }
        feed_first(&p.server, header, sizeof(header), &out);
        test_assert_failed(&p.server, NULL, CLEAT_ERR_RECORD_OVERFLOW, 22);
        cl_buf_deinit(&out);
        test_pair_drop(&p);
    }
}

static void test_a_record_with_too_much_plaintext_is_refused(void **state)
{
    static uint8_t inner[16384 + 2];
    static uint8_t sealed[16384 + 300];
    struct cl_record_keys *keys;
    struct test_pair p;
    test_pair_make(&p, test_client_config(), test_server_config(), NULL);
    test_pair_run(&p);
    /* one byte more than cl_record_seal would take; its type counts (RFC 9846 5.2) */
    keys = &p.client.tls->wr;
    assert_int_equal(keys->protection->seal(keys, 23, cl_rd_of(inner, 16384 + 1), 0, sealed),
                     CL_OK);
    test_end_feed(&p.server, sealed, 5U + (size_t)sealed[3] * 256 + sealed[4]);
    keys->seq++;
    test_pair_run(&p);
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_RECORD_OVERFLOW, 22);
    test_pair_drop(&p);
}

static void test_an_empty_handshake_record_is_refused(void **state)
{
    for (int open = 0; open < 2; open++) {
        struct test_pair p;
        struct cl_buf record = {0};
        struct cl_buf out = {0};
        test_pair_make(&p, test_client_config(), test_server_config(), NULL);
        if (open) {
            test_pair_run(&p);
            test_seal(&p.client.tls->wr, &record, CL_CT_HANDSHAKE, NULL, 0, 0);
        } else {
            test_plain(&record, CL_CT_HANDSHAKE, "", 0);
        }
        feed_first(&p.server, record.p, record.len, &out);
        test_assert_failed(&p.server, NULL, CLEAT_ERR_UNEXPECTED_MESSAGE, 10);
        cl_buf_deinit(&record);
        cl_buf_deinit(&out);
        test_pair_drop(&p);
    }
}

/* ---- hellos that are too large ---- */

static void test_a_client_hello_beyond_the_limit_is_refused_by_its_header(void **state)
{
    static const uint8_t header[] = {1, 2, 1, 0x45}; /* 131,397 bytes and the header */
    struct test_pair p;
    struct cl_buf record = {0};
    struct cl_buf out = {0};
    test_plain(&record, CL_CT_HANDSHAKE, header, sizeof(header));
    test_pair_make(&p, test_client_config(), test_server_config(), NULL);
    feed_first(&p.server, record.p, record.len, &out);
    test_assert_failed(&p.server, NULL, CLEAT_ERR_HANDSHAKE_TOO_LARGE, 50);
    assert_int_equal(p.server.tls->hs_in.cap, 0); /* nothing was kept for it */
    cl_buf_deinit(&record);
    cl_buf_deinit(&out);
    test_pair_drop(&p);
}

/* ---- floods ---- */

static const struct {
    const char *what;
    uint8_t type;
    uint8_t bytes[2];
    size_t len;
    uint16_t min;
    int max;
} floods[] = {
    {"change_cipher_spec", 20, {1}, 1, CLEAT_TLS_1_3, 32},
    {"user_canceled", 21, {1, 90}, 2, CLEAT_TLS_1_3, 4},
    {"warnings of TLS 1.2", 21, {1, 100}, 2, CLEAT_TLS_1_2, 4},
};

/* So many are taken, one more is not; to a client that waits for its ServerHello. */
static void test_floods_of_records_without_effect_are_refused(void **state)
{
    for (size_t i = 0; i < TEST_LEN(floods); i++) {
        struct cleat_tls_builder *c = test_client_builder();
        struct test_pair p;
        struct cl_buf all = {0};
        struct cl_buf out = {0};
        assert_int_equal(cleat_tls_builder_versions(c, floods[i].min, CLEAT_TLS_1_3), CLEAT_OK);
        test_pair_make(&p, test_finish(c), test_server_config(), NULL);
        for (int k = 0; k < floods[i].max; k++) {
            test_plain(&all, floods[i].type, floods[i].bytes, floods[i].len);
        }
        feed_first(&p.client, all.p, all.len, &out);
        assert_int_equal(p.client.next, CLEAT_TLS_NEEDS_INPUT);
        feed_first(&p.client, all.p, all.len / (size_t)floods[i].max, &out);
        print_message("%s\n", floods[i].what);
        test_assert_failed(&p.client, NULL, CLEAT_ERR_TOO_MANY_RECORDS, 10);
        cl_buf_deinit(&all);
        cl_buf_deinit(&out);
        test_pair_drop(&p);
    }
}

static void test_change_cipher_spec_out_of_its_time_is_refused(void **state)
{
    for (int open = 0; open < 2; open++) {
        struct test_pair p;
        struct cl_buf record = {0};
        struct cl_buf out = {0};
        test_pair_make(&p, test_client_config(), test_server_config(), NULL);
        if (open) {
            test_pair_run(&p);
        }
        test_plain(&record, CL_CT_CHANGE_CIPHER_SPEC, "\1", 1);
        feed_first(&p.server, record.p, record.len, &out);
        test_assert_failed(&p.server, NULL, CLEAT_ERR_UNEXPECTED_MESSAGE, 10);
        cl_buf_deinit(&record);
        cl_buf_deinit(&out);
        test_pair_drop(&p);
    }
}

/* ---- messages and keys ---- */

static const struct {
    const char *what;
    uint8_t type;
    const char *hex;
    bool to_client;
    int code;
    uint8_t alert;
} late[] = {
    {"KeyUpdate and more behind it", 22, "1800000100180000", false, CLEAT_ERR_UNEXPECTED_MESSAGE,
     10},
    {"KeyUpdate of no known kind", 22, "1800000102", false, CLEAT_ERR_ILLEGAL_PARAMETER, 47},
    {"KeyUpdate of two bytes", 22, "180000020000", false, CLEAT_ERR_DECODE, 50},
    {"KeyUpdate of none", 22, "18000000", true, CLEAT_ERR_DECODE, 50},
    {"a second ClientHello", 22, "01000000", false, CLEAT_ERR_UNEXPECTED_MESSAGE, 10},
    {"a second Finished", 22, "14000000", false, CLEAT_ERR_UNEXPECTED_MESSAGE, 10},
    {"NewSessionTicket to a server", 22, "04000000", false, CLEAT_ERR_UNEXPECTED_MESSAGE, 10},
    {"HelloRequest", 22, "00000000", true, CLEAT_ERR_UNEXPECTED_MESSAGE, 10},
    {"CertificateRequest that was not offered", 22, "0d0000080000050000000000", true,
     CLEAT_ERR_UNEXPECTED_MESSAGE, 10},
    {"message_hash", 22, "fe000000", true, CLEAT_ERR_UNEXPECTED_MESSAGE, 10},
    {"a message longer than the limit", 22, "04020145", true, CLEAT_ERR_HANDSHAKE_TOO_LARGE, 50},
    {"change_cipher_spec under keys", 20, "01", true, CLEAT_ERR_UNEXPECTED_MESSAGE, 10},
    {"a record of an unknown type", 24, "0100", true, CLEAT_ERR_UNEXPECTED_MESSAGE, 10},
};

static void test_what_does_not_belong_into_an_open_connection_is_refused(void **state)
{
    for (size_t i = 0; i < TEST_LEN(late); i++) {
        struct test_pair p;
        struct cl_buf bytes = test_hex(late[i].hex);
        struct cl_buf record = {0};
        struct cleat_tls_builder *c = test_client_builder();
        struct cleat_tls_builder *s = test_server_builder();
        assert_int_equal(cleat_tls_builder_versions(c, CLEAT_TLS_1_3, CLEAT_TLS_1_3), CLEAT_OK);
        test_pair_make(&p, test_finish(c), test_finish(s), NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        struct test_end *from = late[i].to_client ? &p.server : &p.client;
        struct test_end *to = late[i].to_client ? &p.client : &p.server;
        test_seal(&from->tls->wr, &record, late[i].type, bytes.p, bytes.len, 0);
        test_end_feed(to, record.p, record.len);
        test_pair_run(&p);
        print_message("%s\n", late[i].what);
        test_assert_failed(to, from, late[i].code, late[i].alert);
        cl_buf_deinit(&bytes);
        cl_buf_deinit(&record);
        test_pair_drop(&p);
    }
}

static void test_data_inside_a_fragmented_message_is_refused(void **state)
{
    struct test_pair p;
    struct cl_buf records = {0};
    test_pair_make(&p, test_client_config(), test_server_config(), NULL);
    test_pair_run(&p);
    test_seal(&p.client.tls->wr, &records, CL_CT_HANDSHAKE, "\x18\0\0", 3, 0);
    test_seal(&p.client.tls->wr, &records, CL_CT_APPLICATION_DATA, "x", 1, 0);
    test_end_feed(&p.server, records.p, records.len);
    test_pair_run(&p);
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_UNEXPECTED_MESSAGE, 10);
    assert_int_equal(p.server.data.len, 0);
    cl_buf_deinit(&records);
    test_pair_drop(&p);
}

/* The client's keys for the handshake are no keys for data. */
static void test_data_before_finished_is_refused(void **state)
{
    struct test_pair p;
    struct cl_record_keys keys = {0};
    struct cl_buf out = {0};
    struct cl_buf record = {0};
    test_pair_make(&p, test_client_config(), test_server_config(), NULL);
    test_end_step(&p.client, &out, 0);
    test_end_feed(&p.server, out.p, out.len);
    test_end_step(&p.server, &out, 0);
    test_sealer(&keys, &p.server, "CLIENT_HANDSHAKE_TRAFFIC_SECRET");
    test_seal(&keys, &record, CL_CT_APPLICATION_DATA, "x", 1, 0);
    test_end_feed(&p.server, record.p, record.len);
    test_end_step(&p.server, &out, 0);
    test_assert_failed(&p.server, NULL, CLEAT_ERR_UNEXPECTED_MESSAGE, 10);
    assert_int_equal(p.server.data.len, 0);
    cl_record_keys_deinit(&keys);
    cl_buf_deinit(&out);
    cl_buf_deinit(&record);
    test_pair_drop(&p);
}

/* RFC 9846 5.1: "Handshake messages MUST NOT span key changes." */
static void test_a_client_hello_with_more_behind_it_is_refused(void **state)
{
    struct test_pair p;
    struct cl_buf out = {0};
    struct cl_buf record = {0};
    struct cl_buf both = {0};
    test_pair_make(&p, test_client_config(), test_server_config(), NULL);
    test_end_step(&p.client, &out, 0);
    struct cl_rd hello = test_message(&p.client, true, 1, 0);
    assert_int_equal(cl_buf_append(&both, hello.p, hello.len, SIZE_MAX / 2), CL_OK);
    assert_int_equal(cl_buf_append(&both, "\x14", 1, SIZE_MAX / 2), CL_OK);
    test_plain(&record, CL_CT_HANDSHAKE, both.p, both.len);
    out.len = 0;
    feed_first(&p.server, record.p, record.len, &out);
    test_assert_failed(&p.server, NULL, CLEAT_ERR_UNEXPECTED_MESSAGE, 10);
    cl_buf_deinit(&out);
    cl_buf_deinit(&record);
    cl_buf_deinit(&both);
    test_pair_drop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_not_tls_is_told_by_its_first_bytes),
        cmocka_unit_test(test_random_bytes_never_get_far),
        cmocka_unit_test(test_old_versions_are_refused_by_name),
        cmocka_unit_test(test_a_record_too_long_is_refused_by_its_header),
        cmocka_unit_test(test_a_record_with_too_much_plaintext_is_refused),
        cmocka_unit_test(test_an_empty_handshake_record_is_refused),
        cmocka_unit_test(test_a_client_hello_beyond_the_limit_is_refused_by_its_header),
        cmocka_unit_test(test_floods_of_records_without_effect_are_refused),
        cmocka_unit_test(test_change_cipher_spec_out_of_its_time_is_refused),
        cmocka_unit_test(test_what_does_not_belong_into_an_open_connection_is_refused),
        cmocka_unit_test(test_data_inside_a_fragmented_message_is_refused),
        cmocka_unit_test(test_data_before_finished_is_refused),
        cmocka_unit_test(test_a_client_hello_with_more_behind_it_is_refused),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
