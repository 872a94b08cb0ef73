/* tests/tls/test_compressed.c - certificates that travel compressed (RFC 8879), of servers and of
 * clients, and those that break a rule. The algorithms by themselves are in test_compress.c. */
#include <string.h>

#include "base/mem.h"
#include "cleat/tls_auth.h"
#include "cleat/tls_options.h"
#include "cleat/tls_rawkey.h"
#include "tls/compress.h"
#include "tls/conn.h"
#include "tls/support_tls.h"
#include "tls/wire.h"
#include "x509/chain.h"

#define COMPRESSED CL_HT_COMPRESSED_CERTIFICATE

static struct cleat_tls_builder *with(struct cleat_tls_builder *b, const char *list)
{
    assert_int_equal(cleat_tls_builder_cert_compression(b, list), CLEAT_OK);
    return b;
}

static struct cleat_tls_builder *asking(struct cleat_tls_builder *s)
{
    assert_int_equal(cleat_tls_builder_trust(s, world.ca.store), CLEAT_OK);
    cleat_tls_builder_client_auth(s, CLEAT_CLIENT_AUTH_REQUIRED);
    return s;
}

static struct cleat_tls_builder *client(void)
{
    struct cleat_tls_builder *c = test_client_builder();
    assert_int_equal(cleat_tls_builder_credential(c, world.client.chain, world.client.key),
                     CLEAT_OK);
    return c;
}

static void run(struct test_pair *p, struct cleat_tls_builder *c, struct cleat_tls_builder *s)
{
    test_pair_make(p, test_finish(c), test_finish(s), NULL);
    test_pair_run(p);
}

static void expect_sent(const struct test_end *e, bool compressed)
{
    assert_int_equal(test_count_messages(e, true, COMPRESSED), compressed ? 1 : 0);
    assert_int_equal(test_count_messages(e, true, CL_HT_CERTIFICATE), compressed ? 0 : 1);
}

static bool is_built(const char *name)
{
    return cl_compression_by_name(name, strlen(name)) != NULL;
}

static uint16_t algorithm_of(const struct test_end *e)
{
    struct cl_rd m = test_message(e, true, COMPRESSED, 0);
    uint16_t id = 0;
    assert_true(cl_rd_skip(&m, 4) && cl_rd_u16(&m, &id));
    return id;
}

/* ---- both sides ---- */

static void test_both_sides_compress_with_each_algorithm(void **state)
{
    for (size_t i = 0; cl_compression_at(i) != NULL; i++) {
        const struct cl_compression *alg = cl_compression_at(i);
        struct test_pair p;
        run(&p, with(client(), alg->name), with(asking(test_server_builder()), alg->name));
        test_assert_ready(&p);
        expect_sent(&p.server, true);
        expect_sent(&p.client, true);
        assert_int_equal(algorithm_of(&p.server), alg->id);
        assert_int_equal(algorithm_of(&p.client), alg->id);
        assert_true(test_log_has(&p.server, "certificate compression"));
        assert_true(test_log_has(&p.client, "peer's certificate compression"));
        assert_string_equal(test_info(&p.client).cert_compression, alg->name);
        assert_string_equal(test_info(&p.server).cert_compression, alg->name);
        assert_true(test_info(&p.client).peer_authenticated);
        assert_true(test_info(&p.server).peer_authenticated);
        /* it is the certificate, and it is shorter */
        const uint8_t *der;
        size_t len;
        assert_int_equal(cleat_tls_peer_cert(p.client.tls, 0, &der, &len), CLEAT_OK);
        assert_true(
            cl_rd_equal(cl_rd_of(der, len), cl_cert_der(cl_chain_at(world.server.chain, 0))));
        assert_true(test_message(&p.server, true, COMPRESSED, 0).len < len);
        test_assert_echo(&p);
        test_pair_drop(&p);
    }
}

static void test_it_is_on_by_default(void **state)
{
    struct cleat_tls_builder *b;
    assert_int_equal(cleat_tls_builder_new(CLEAT_SERVER, &b), CLEAT_OK);
    cleat_tls_builder_clock(b, test_clock, NULL);
    assert_int_equal(cleat_tls_builder_credential(b, world.server.chain, world.server.key),
                     CLEAT_OK);
    struct test_pair p;
    run(&p, with(test_client_builder(), "zlib"), b);
    test_assert_ready(&p);
    assert_int_equal(test_count_messages(&p.client, false, COMPRESSED), 1);
    test_pair_drop(&p);
}

static void test_the_servers_preference_decides(void **state)
{
    static const struct {
        const char *client;
        const char *server;
        uint16_t id; /* 0: as it is */
    } rows[] = {
        {"zlib,brotli,zstd", "zstd:zlib:brotli", 3},
        {"brotli", "zlib,zstd,brotli,brotli", 2},
        {"zstd:zlib", "brotli:zlib:zstd", 1},
        {"zlib", "brotli", 0},
        {"none", "brotli", 0},
        {"zlib", "none", 0},
        {"", "zlib", 0},
    };
    if (!is_built("brotli") || !is_built("zstd")) {
        print_message("SKIP: built without brotli or zstd\n");
        skip();
    }
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct test_pair p;
        run(&p, with(test_client_builder(), rows[i].client),
            with(test_server_builder(), rows[i].server));
        test_assert_ready(&p);
        expect_sent(&p.server, rows[i].id != 0);
        assert_int_equal(test_info(&p.client).cert_compression != NULL, rows[i].id != 0);
        if (rows[i].id != 0) {
            assert_int_equal(algorithm_of(&p.server), rows[i].id);
        }
        test_pair_drop(&p);
    }
}

static void test_a_list_with_an_unknown_name_is_refused(void **state)
{
    static const char *const lists[] = {"gzip", "zlib,deflate", "zlib,none", ",zlib", "ZLIB"};
    for (size_t i = 0; i < TEST_LEN(lists); i++) {
        struct cleat_tls_builder *b = test_client_builder();
        assert_int_equal(cleat_tls_builder_cert_compression(b, lists[i]), CLEAT_ERR_BAD_CONFIG);
        cleat_tls_builder_free(b);
    }
}

static void test_tls_12_knows_nothing_of_it(void **state)
{
    for (int from_client = 0; from_client < 2; from_client++) {
        struct cleat_tls_builder *c = with(test_client_builder(), "zlib");
        struct cleat_tls_builder *s = with(test_server_builder(), "zlib");
        struct test_pair p;
        assert_int_equal(
            cleat_tls_builder_versions(from_client != 0 ? c : s, CLEAT_TLS_1_2, CLEAT_TLS_1_2),
            CLEAT_OK);
        run(&p, c, s);
        test_assert_ready(&p);
        expect_sent(&p.server, false);
        /* a client of TLS 1.2 alone does not ask for it */
        struct cl_rd hello = test_message(&p.client, true, CL_HT_CLIENT_HELLO, 0);
        struct cl_buf view = {
            .p = (uint8_t *)(uintptr_t)hello.p, .len = hello.len, .cap = hello.len};
        assert_int_equal(test_ext_find(&view, 0, CL_ET_COMPRESS_CERTIFICATE) == 0,
                         from_client != 0);
        test_pair_drop(&p);
    }
}

static void test_proofs_travel_inside(void **state)
{
    static const uint8_t staple[] = {0x30, 0x03, 0x0a, 0x01, 0x00};
    static const uint8_t scts[] = {0, 9, 0, 3, 'a', 'b', 'c', 0, 2, 'd', 'e'};
    for (unsigned has = 0; has < 4; has++) {
        for (int ask = 0; ask < 2; ask++) {
            struct cleat_tls_builder *c = with(test_client_builder(), "zlib");
            struct cleat_tls_builder *s = with(test_server_builder(), "zlib");
            struct test_pair p;
            size_t len;
            cleat_tls_builder_ask_status(c, ask != 0);
            if ((has & 1) != 0) {
                assert_int_equal(cleat_tls_builder_staple(s, staple, sizeof(staple)), CLEAT_OK);
            }
            if ((has & 2) != 0) {
                assert_int_equal(cleat_tls_builder_scts(s, scts, sizeof(scts)), CLEAT_OK);
            }
            run(&p, c, s);
            test_assert_ready(&p);
            expect_sent(&p.server, true);
            (void)cleat_tls_peer_staple(p.client.tls, &len);
            assert_int_equal(len, (has & 1) != 0 && ask != 0 ? sizeof(staple) : 0);
            (void)cleat_tls_peer_scts(p.client.tls, &len);
            assert_int_equal(len, (has & 2) != 0 && ask != 0 ? sizeof(scts) : 0);
            test_pair_drop(&p);
        }
    }
}

static void test_a_client_without_a_certificate_says_so_as_ever(void **state)
{
    struct cleat_tls_builder *s = with(asking(test_server_builder()), "zlib");
    struct test_pair p;
    cleat_tls_builder_client_auth(s, CLEAT_CLIENT_AUTH_OPTIONAL);
    run(&p, with(test_client_builder(), "zlib"), s);
    test_assert_ready(&p);
    expect_sent(&p.client, false);
    test_pair_drop(&p);
}

static void test_after_the_handshake_nothing_is_compressed(void **state)
{
    struct cleat_tls_builder *c = with(client(), "zlib");
    struct cleat_tls_builder *s = with(test_server_builder(), "zlib");
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_trust(s, world.ca.store), CLEAT_OK);
    cleat_tls_builder_late_auth(c, true);
    cleat_tls_builder_late_auth(s, true);
    run(&p, c, s);
    assert_int_equal(cleat_tls_request_certificate(p.server.tls, true), CLEAT_OK);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_true(test_info(&p.server).peer_authenticated);
    expect_sent(&p.client, false);
    test_pair_drop(&p);
}

static void test_what_would_save_nothing_goes_out_as_it_is(void **state)
{
    static const enum cleat_cert_type raw[] = {CLEAT_CERT_TYPE_RAW_PUBLIC_KEY};
    struct cleat_tls_builder *c = with(test_client_builder(), "zlib");
    struct cleat_tls_builder *s = with(test_server_builder_with(NULL), "zlib");
    struct cl_rd spki = cl_key_spki(world.server.key);
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_raw_key(s, world.server.key), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_peer_types(c, raw, 1), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_raw_pin_key(c, spki.p, spki.len), CLEAT_OK);
    run(&p, c, s);
    test_assert_ready(&p);
    expect_sent(&p.server, false);
    test_pair_drop(&p);
}

static void test_a_description_tells_what_was_saved(void **state)
{
    struct test_pair p;
    char text[400];
    run(&p, with(test_client_builder(), "zlib"), with(test_server_builder(), "zlib"));
    struct cl_rd m = test_message(&p.server, true, COMPRESSED, 0);
    assert_true(cleat_tls_describe(m.p, m.len, text, sizeof(text)) != 0);
    assert_memory_equal(text, "zlib, ", 6);
    m = test_message(&p.client, true, CL_HT_CLIENT_HELLO, 0);
    assert_true(cleat_tls_describe(m.p, m.len, text, sizeof(text)) != 0);
    assert_non_null(strstr(text, "certificates in zlib"));
    test_pair_drop(&p);
}

/* ---- what breaks a rule ---- */

struct row {
    const char *what;
    const char *hex; /* the body of the message, or of the extension */
    int code;
    uint8_t alert;
};

/* CVE-2025-66199: memory for what was announced before anybody has looked at the number; and
 * whatever else may be wrong with the message. */
static const struct row messages[] = {
    {"nothing", "", CLEAT_ERR_DECODE, 50},
    {"no bytes", "0001000010000000", CLEAT_ERR_DECODE, 50},
    {"bytes behind it",
     "000100001000000101"
     "00",
     CLEAT_ERR_DECODE, 50},
    {"fewer bytes than announced",
     "0001000010000002"
     "01",
     CLEAT_ERR_DECODE, 50},
    {"zstd, not offered", "000300001000000101", CLEAT_ERR_ILLEGAL_PARAMETER, 47},
    {"number 0", "000000001000000101", CLEAT_ERR_ILLEGAL_PARAMETER, 47},
    {"16 MiB announced",
     "0001ffffff000010"
     "00112233445566778899aabbccddeeff",
     CLEAT_ERR_BAD_CERTIFICATE, 42},
    {"one byte too many announced",
     "0001020149000010"
     "00112233445566778899aabbccddeeff",
     CLEAT_ERR_BAD_CERTIFICATE, 42},
    {"65 for each byte",
     "0001000104000004"
     "00112233",
     CLEAT_ERR_BAD_CERTIFICATE, 42},
    {"nothing announced",
     "0001000000000004"
     "00112233",
     CLEAT_ERR_BAD_CERTIFICATE, 42},
    {"no zlib",
     "0001000010000004"
     "00112233",
     CLEAT_ERR_BAD_CERTIFICATE, 42},
    /* zlib of four zero bytes, an empty Certificate message: a server must have one */
    {"an empty list",
     "000100000400000c"
     "789c63606060000000040001",
     CLEAT_ERR_NO_CERTIFICATE, 50},
    {"a byte less than announced",
     "000100000500000c"
     "789c63606060000000040001",
     CLEAT_ERR_BAD_CERTIFICATE, 42},
    {"a byte more than announced",
     "000100000300000c"
     "789c63606060000000040001",
     CLEAT_ERR_BAD_CERTIFICATE, 42},
};

/* Replaces a CompressedCertificate; its header stays. */
static void refuse(const struct row *r, bool of_client)
{
    struct test_edit edit = {.type = COMPRESSED, .edit = test_edit_body, .hex = r->hex};
    struct cleat_tls_builder *c = with(client(), "zlib");
    struct cleat_tls_builder *s = with(asking(test_server_builder()), "zlib");
    struct test_pair p;
    test_builder_edit(of_client ? c : s, &edit);
    run(&p, c, s);
    const struct cleat_error *e = cleat_tls_error(of_client ? p.server.tls : p.client.tls);
    bool none = r->code == CLEAT_ERR_NO_CERTIFICATE && of_client;
    int code = none ? CLEAT_ERR_CERTIFICATE_REQUIRED : r->code;
    if (e->code != code || e->alert != (none ? 116 : r->alert)) {
        fail_msg("%s: %s, alert %u: %s", r->what, cleat_error_name(e->code), e->alert, e->text);
    }
    test_pair_drop(&p);
}

static void test_a_message_that_breaks_a_rule_is_refused(void **state)
{
    for (size_t i = 0; i < TEST_LEN(messages); i++) {
        refuse(&messages[i], false);
        refuse(&messages[i], true);
    }
}

static bool limit(void *ctx, size_t size)
{
    size_t *most = ctx;
    *most = size > *most ? size : *most;
    return true;
}

static void test_a_compressed_certificate_without_a_limit_allocates_nothing(void **state)
{
    static const struct row bomb = {"16 MiB announced",
                                    "0001ffffff000010"
                                    "00112233445566778899aabbccddeeff",
                                    CLEAT_ERR_BAD_CERTIFICATE, 42};
    size_t most = 0;
    cl_mem_test_hook(limit, &most);
    refuse(&bomb, false);
    cl_mem_test_hook(NULL, NULL);
    assert_true(most < 300000); /* zlib's compressor and the handshake itself */
}

static void test_a_list_that_breaks_a_rule_is_refused(void **state)
{
    static const struct row rows[] = {
        {"nothing", "", CLEAT_ERR_DECODE, 50},
        {"no algorithm", "00", CLEAT_ERR_DECODE, 50},
        {"half an algorithm", "0100", CLEAT_ERR_DECODE, 50},
        {"bytes behind it", "02000100", CLEAT_ERR_DECODE, 50},
        {"one twice", "06000100020001", CLEAT_ERR_ILLEGAL_PARAMETER, 47},
    };
    for (size_t i = 0; i < TEST_LEN(rows) * 2; i++) {
        const struct row *r = &rows[i / 2];
        bool in_request = i % 2 != 0;
        struct test_edit edit = {.type =
                                     in_request ? CL_HT_CERTIFICATE_REQUEST : CL_HT_CLIENT_HELLO,
                                 .edit = test_edit_ext_put,
                                 .ext = CL_ET_COMPRESS_CERTIFICATE,
                                 .hex = r->hex};
        struct cleat_tls_builder *c = client();
        struct cleat_tls_builder *s = asking(test_server_builder());
        struct test_pair p;
        test_builder_edit(in_request ? s : c, &edit);
        run(&p, c, s);
        test_assert_failed(in_request ? &p.client : &p.server, in_request ? &p.server : &p.client,
                           r->code, r->alert);
        test_pair_drop(&p);
    }
}

static void test_an_answer_to_the_extension_is_refused(void **state)
{
    struct test_edit edit = {.type = CL_HT_ENCRYPTED_EXTENSIONS,
                             .edit = test_edit_ext_put,
                             .ext = CL_ET_COMPRESS_CERTIFICATE,
                             .hex = "020001"};
    struct cleat_tls_builder *s = with(test_server_builder(), "zlib");
    struct test_pair p;
    test_builder_edit(s, &edit);
    run(&p, with(test_client_builder(), "zlib"), s);
    test_assert_failed(&p.client, &p.server, CLEAT_ERR_ILLEGAL_PARAMETER, 47);
    test_pair_drop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_sides_compress_with_each_algorithm),
        cmocka_unit_test(test_it_is_on_by_default),
        cmocka_unit_test(test_the_servers_preference_decides),
        cmocka_unit_test(test_a_list_with_an_unknown_name_is_refused),
        cmocka_unit_test(test_tls_12_knows_nothing_of_it),
        cmocka_unit_test(test_proofs_travel_inside),
        cmocka_unit_test(test_a_client_without_a_certificate_says_so_as_ever),
        cmocka_unit_test(test_after_the_handshake_nothing_is_compressed),
        cmocka_unit_test(test_what_would_save_nothing_goes_out_as_it_is),
        cmocka_unit_test(test_a_description_tells_what_was_saved),
        cmocka_unit_test(test_a_message_that_breaks_a_rule_is_refused),
        cmocka_unit_test(test_a_compressed_certificate_without_a_limit_allocates_nothing),
        cmocka_unit_test(test_a_list_that_breaks_a_rule_is_refused),
        cmocka_unit_test(test_an_answer_to_the_extension_is_refused),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
