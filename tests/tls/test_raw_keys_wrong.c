/* tests/tls/test_raw_keys_wrong.c - raw public keys (RFC 7250): configurations that are refused,
 * and peers that break the rules in one place. */
#include <string.h>

#include "cleat/tls_options.h"
#include "tls/support_raw.h"
#include "tls/support_tls.h"
#include "tls/wire.h"

#define CLIENT_TYPE CL_ET_CLIENT_CERTIFICATE_TYPE
#define SERVER_TYPE CL_ET_SERVER_CERTIFICATE_TYPE
#define RAW         CLEAT_CERT_TYPE_RAW_PUBLIC_KEY
#define X509        CLEAT_CERT_TYPE_X509

static const uint16_t versions[] = {CLEAT_TLS_1_3, CLEAT_TLS_1_2};

/* Where a server's answers stand. */
static uint8_t answers_in(uint16_t version)
{
    return version == CLEAT_TLS_1_3 ? CL_HT_ENCRYPTED_EXTENSIONS : CL_HT_SERVER_HELLO;
}

/* ---- configurations ---- */

static void assert_bad(struct cleat_tls_builder *b, const char *part)
{
    struct cleat_tls_config *config;
    struct cleat_error err = {0};
    assert_int_equal(cleat_tls_builder_finish(b, &config, &err), CLEAT_ERR_BAD_CONFIG);
    if (strstr(err.text, part) == NULL) {
        fail_msg("\"%s\" is not in: %s", part, err.text);
    }
}

static void test_keys_that_nobody_would_judge_are_refused(void **state)
{
    assert_bad(raw_client(CLEAT_TLS_1_3, NULL), "none is pinned");

    struct cleat_tls_builder *b = raw_client(CLEAT_TLS_1_3, raw.server);
    cleat_tls_builder_decide(b, CLEAT_DECIDE_PEER);
    assert_bad(b, "the application decides");

    b = test_client_builder();
    raw_pin(b, raw.server);
    assert_bad(b, "are not taken");
}

static void test_lists_of_types_are_checked(void **state)
{
    static const struct {
        enum cleat_cert_type types[3];
        size_t num;
    } rows[] = {
        {{RAW}, 0},
        {{RAW, RAW}, 2},
        {{X509, X509}, 2},
        {{RAW, X509, RAW}, 3},
        {{(enum cleat_cert_type)1}, 1},
        {{RAW, (enum cleat_cert_type)3}, 2},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cleat_tls_builder *b = test_client_builder();
        assert_int_equal(cleat_tls_builder_peer_types(b, rows[i].types, rows[i].num),
                         CLEAT_ERR_BAD_CONFIG);
        assert_int_equal(cleat_tls_builder_own_types(b, rows[i].types, rows[i].num),
                         CLEAT_ERR_BAD_CONFIG);
        cleat_tls_builder_free(b);
    }
}

static void test_pins_are_read_strictly(void **state)
{
    static const char *const rows[] = {
        "",
        "sha256//",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "sha512//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
        "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=",
        "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= ",
        "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-AA=",
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cleat_tls_builder *b = test_client_builder();
        if (cleat_tls_builder_raw_pin(b, rows[i]) != CLEAT_ERR_BAD_CONFIG) {
            fail_msg("%s was taken", rows[i]);
        }
        cleat_tls_builder_free(b);
    }
}

static void test_what_is_no_key_cannot_be_pinned(void **state)
{
    struct cl_rd spki = cl_key_spki(raw.server);
    for (size_t len = 0; len < spki.len; len++) {
        struct cleat_tls_builder *b = test_client_builder();
        assert_int_equal(cleat_tls_builder_raw_pin_key(b, spki.p, len), CLEAT_ERR_BAD_CONFIG);
        cleat_tls_builder_free(b);
    }
}

static void test_pins_are_limited(void **state)
{
    struct cleat_tls_builder *b = test_client_builder();
    struct cl_rd spki = cl_key_spki(raw.server);
    for (size_t i = 0; i < 64; i++) {
        assert_int_equal(cleat_tls_builder_raw_pin_key(b, spki.p, spki.len), CLEAT_OK);
    }
    assert_int_equal(cleat_tls_builder_raw_pin_key(b, spki.p, spki.len), CLEAT_ERR_LIMIT);
    cleat_tls_builder_free(b);
}

static void test_proofs_about_certificates_do_not_go_with_a_raw_key(void **state)
{
    static const uint8_t staple[] = {0x30, 0x03, 0x0a, 0x01, 0x00};
    struct cleat_tls_builder *s = raw_server(CLEAT_TLS_1_3, NULL, raw.server);
    assert_int_equal(cleat_tls_builder_staple(s, staple, sizeof(staple)), CLEAT_ERR_BAD_CONFIG);
    cleat_tls_builder_free(s);
}

/* ---- a client's extensions ---- */

struct row {
    const char *what;
    struct test_edit edit;
    int code;
    uint8_t alert;
};

static void test_a_clients_list_that_breaks_a_rule_is_refused(void **state)
{
    static const struct row rows[] = {
        {"empty body", {.hex = ""}, CLEAT_ERR_DECODE, 50},
        {"no type", {.hex = "00"}, CLEAT_ERR_ILLEGAL_PARAMETER, 47},
        {"X.509 alone", {.hex = "0100"}, CLEAT_ERR_ILLEGAL_PARAMETER, 47},
        {"more than the list", {.hex = "010200"}, CLEAT_ERR_DECODE, 50},
        {"less than the list", {.hex = "0202"}, CLEAT_ERR_DECODE, 50},
        {"none that is known", {.hex = "020105"}, CLEAT_ERR_UNSUPPORTED_CERTIFICATE, 0},
    };
    static const uint16_t exts[] = {CLIENT_TYPE, SERVER_TYPE};
    for (size_t i = 0; i < TEST_LEN(rows) * 4; i++) {
        const struct row *r = &rows[i / 4];
        uint16_t ext = exts[i % 2];
        uint16_t version = versions[i / 2 % 2];
        struct cleat_tls_builder *c = raw_client(version, raw.server);
        struct cleat_tls_builder *s = raw_server(version, NULL, raw.server);
        struct test_edit edit = r->edit;
        struct test_pair p;
        raw_show(c, raw.client);
        raw_ask(s, raw.client);
        edit.type = CL_HT_CLIENT_HELLO;
        edit.edit = test_edit_ext_put;
        edit.ext = ext;
        test_builder_edit(c, &edit);
        test_pair_make(&p, test_finish(c), test_finish(s), NULL);
        test_pair_run(&p);
        uint8_t alert = r->alert != 0 ? r->alert : ext == CLIENT_TYPE ? 43 : 40;
        test_assert_failed(&p.server, &p.client, r->code, alert);
        test_pair_drop(&p);
    }
}

static void test_types_that_are_not_known_are_passed_over(void **state)
{
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        struct test_edit edit = {.type = CL_HT_CLIENT_HELLO,
                                 .edit = test_edit_ext_put,
                                 .ext = SERVER_TYPE,
                                 .hex = "04ff010502"};
        struct cleat_tls_builder *c = raw_client(versions[i], raw.server);
        struct test_pair p;
        test_builder_edit(c, &edit);
        test_pair_make(&p, test_finish(c), test_finish(raw_server(versions[i], NULL, raw.server)),
                       NULL);
        test_pair_run(&p);
        /* the client sent another ClientHello than it knows of, but is answered */
        assert_true(test_log_has(&p.server, "raw public key"));
        test_pair_drop(&p);
    }
}

/* ---- a server's answers ---- */

static void answer(const struct row *r, uint16_t version, uint16_t ext)
{
    struct cleat_tls_builder *c = raw_client(version, raw.server);
    struct cleat_tls_builder *s = raw_server(version, NULL, raw.server);
    struct test_edit edit = r->edit;
    struct test_pair p;
    raw_show(c, raw.client);
    raw_ask(s, raw.client);
    edit.type = edit.type != 0 ? edit.type : answers_in(version);
    edit.edit = edit.edit != NULL ? edit.edit : test_edit_ext_put;
    edit.ext = ext;
    test_builder_edit(s, &edit);
    test_pair_make(&p, test_finish(c), test_finish(s), NULL);
    test_pair_run(&p);
    const struct cleat_error *e = cleat_tls_error(p.client.tls);
    if (e->code != r->code) {
        fail_msg("%s (version %04x, extension %u): %s %s", r->what, version, ext,
                 cleat_error_name(e->code), e->text);
    }
    assert_int_equal(e->alert, r->alert);
    test_pair_drop(&p);
}

static void test_an_answer_that_breaks_a_rule_is_refused(void **state)
{
    static const struct row rows[] = {
        {"empty", {.hex = ""}, CLEAT_ERR_DECODE, 50},
        {"a list", {.hex = "0102"}, CLEAT_ERR_DECODE, 50},
        {"not offered", {.hex = "00"}, CLEAT_ERR_UNSUPPORTED_CERTIFICATE, 43},
        {"not known", {.hex = "01"}, CLEAT_ERR_UNSUPPORTED_CERTIFICATE, 43},
        {"twice", {.edit = test_edit_ext_append, .hex = "02"}, CLEAT_ERR_ILLEGAL_PARAMETER, 47},
    };
    for (size_t i = 0; i < TEST_LEN(rows) * 4; i++) {
        answer(&rows[i / 4], versions[i % 2], i / 2 % 2 != 0 ? CLIENT_TYPE : SERVER_TYPE);
    }
}

static void test_an_answer_in_the_wrong_place_is_refused(void **state)
{
    static const uint8_t places[] = {CL_HT_SERVER_HELLO, CL_HT_CERTIFICATE_REQUEST,
                                     CL_HT_CERTIFICATE};
    for (size_t i = 0; i < TEST_LEN(places) * 2; i++) {
        struct row r = {"wrong place",
                        {.type = places[i / 2], .hex = "02"},
                        places[i / 2] == CL_HT_CERTIFICATE ? CLEAT_ERR_UNSUPPORTED_EXTENSION
                                                           : CLEAT_ERR_ILLEGAL_PARAMETER,
                        places[i / 2] == CL_HT_CERTIFICATE ? 110 : 47};
        answer(&r, CLEAT_TLS_1_3, i % 2 != 0 ? CLIENT_TYPE : SERVER_TYPE);
    }
}

static void test_an_answer_without_a_question_is_refused(void **state)
{
    for (size_t i = 0; i < TEST_LEN(versions) * 2; i++) {
        uint16_t version = versions[i % 2];
        struct test_edit edit = {.type = answers_in(version),
                                 .edit = test_edit_ext_put,
                                 .ext = i / 2 != 0 ? CLIENT_TYPE : SERVER_TYPE,
                                 .hex = "00"};
        struct cleat_tls_builder *s = test_server_builder();
        struct test_pair p;
        assert_int_equal(cleat_tls_builder_versions(s, version, version), CLEAT_OK);
        test_builder_edit(s, &edit);
        test_pair_make(&p, test_client_config(), test_finish(s), NULL);
        test_pair_run(&p);
        test_assert_failed(&p.client, &p.server, CLEAT_ERR_UNSUPPORTED_EXTENSION, 110);
        test_pair_drop(&p);
    }
}

/* A man in the middle, or a broken server, that leaves the answer out: X.509 is what that means. */
static void test_without_an_answer_a_client_of_raw_keys_breaks_off(void **state)
{
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        struct row r = {
            "none", {.edit = test_edit_ext_remove}, CLEAT_ERR_UNSUPPORTED_CERTIFICATE, 43};
        if (versions[i] == CLEAT_TLS_1_3) {
            answer(&r, versions[i], SERVER_TYPE);
        } else {
            /* in TLS 1.2 a list is expected, which the key is not */
            r.code = CLEAT_ERR_DECODE;
            r.alert = 50;
            answer(&r, versions[i], SERVER_TYPE);
        }
    }
}

/* ---- Certificate ---- */

static void put_body(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                     size_t start)
{
    (void)tls;
    struct cl_buf body = test_hex(e->hex);
    test_buf_splice(flight, start + 4, flight->len - start - 4, body.p, body.len);
    flight->p[start + 1] = (uint8_t)(body.len >> 16);
    flight->p[start + 2] = (uint8_t)(body.len >> 8);
    flight->p[start + 3] = (uint8_t)body.len;
    cl_buf_deinit(&body);
}

#define ED25519_KEY                                                            \
    "302a300506032b6570032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325" \
    "af021a68f707511a"
/* its Edwards point is fine, its last bit of the OID is not */
#define UNKNOWN_KIND                                                           \
    "302a300506032b6573032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325" \
    "af021a68f707511a"

static const struct {
    const char *what;
    uint16_t version;
    const char *hex;
    int code;
    uint8_t alert;
} messages[] = {
    {"an empty key", CLEAT_TLS_1_3,
     "00"
     "000005"
     "000000"
     "0000",
     CLEAT_ERR_DECODE, 50},
    {"no entry", CLEAT_TLS_1_3,
     "00"
     "000000",
     CLEAT_ERR_NO_CERTIFICATE, 50},
    {"two keys", CLEAT_TLS_1_3,
     "00"
     "000062"
     "00002c" ED25519_KEY "0000"
     "00002c" ED25519_KEY "0000",
     CLEAT_ERR_ILLEGAL_PARAMETER, 47},
    {"an extension", CLEAT_TLS_1_3,
     "00"
     "00003a"
     "00002c" ED25519_KEY "0009"
     "00050005"
     "0100000130",
     CLEAT_ERR_UNSUPPORTED_EXTENSION, 110},
    {"bytes behind the key", CLEAT_TLS_1_3,
     "00"
     "000032"
     "00002d" ED25519_KEY "00"
     "0000",
     CLEAT_ERR_DECODE, 50},
    {"a kind not known", CLEAT_TLS_1_3,
     "00"
     "000031"
     "00002c" UNKNOWN_KIND "0000",
     CLEAT_ERR_UNSUPPORTED_CERTIFICATE, 43},
    {"no key", CLEAT_TLS_1_2, "000000", CLEAT_ERR_NO_CERTIFICATE, 50},
    {"a list", CLEAT_TLS_1_2,
     "00002f"
     "00002c" ED25519_KEY,
     CLEAT_ERR_DECODE, 50},
    {"bytes behind the key", CLEAT_TLS_1_2, "00002c" ED25519_KEY "00", CLEAT_ERR_DECODE, 50},
    {"a kind not known", CLEAT_TLS_1_2, "00002c" UNKNOWN_KIND, CLEAT_ERR_UNSUPPORTED_CERTIFICATE,
     43},
};

static void test_a_certificate_message_of_a_raw_key_is_read_strictly(void **state)
{
    for (size_t i = 0; i < TEST_LEN(messages); i++) {
        struct test_edit edit = {
            .type = CL_HT_CERTIFICATE, .edit = put_body, .hex = messages[i].hex};
        struct cleat_tls_builder *s = raw_server(messages[i].version, NULL, raw.server);
        struct test_pair p;
        test_builder_edit(s, &edit);
        test_pair_make(&p, test_finish(raw_client(messages[i].version, raw.server)), test_finish(s),
                       NULL);
        test_pair_run(&p);
        const struct cleat_error *e = cleat_tls_error(p.client.tls);
        if (e->code != messages[i].code || e->alert != messages[i].alert) {
            fail_msg("%s (%04x): %s, alert %u: %s", messages[i].what, messages[i].version,
                     cleat_error_name(e->code), e->alert, e->text);
        }
        test_pair_drop(&p);
    }
}

/* A key that is pinned, sent by somebody who does not hold it. */
static void test_a_pinned_key_must_be_proved(void **state)
{
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        bool is_13 = versions[i] == CLEAT_TLS_1_3;
        struct test_edit edit = {.type = CL_HT_CERTIFICATE,
                                 .edit = put_body,
                                 .hex = is_13 ? "00"
                                                "000031"
                                                "00002c" ED25519_KEY "0000"
                                              : "00002c" ED25519_KEY};
        struct cl_buf spki = test_hex(ED25519_KEY);
        struct cleat_key *ours = test_identity_of(CL_KEY_ED25519, false)->key;
        struct cleat_tls_builder *c = raw_client(versions[i], NULL);
        struct cleat_tls_builder *s = raw_server(versions[i], NULL, ours);
        struct test_pair p;
        assert_int_equal(cleat_tls_builder_raw_pin_key(c, spki.p, spki.len), CLEAT_OK);
        test_builder_edit(s, &edit);
        test_pair_make(&p, test_finish(c), test_finish(s), NULL);
        test_pair_run(&p);
        test_assert_failed(&p.client, &p.server, CLEAT_ERR_DECRYPT_ERROR, 51);
        test_pair_drop(&p);
        cl_buf_deinit(&spki);
    }
}

static void test_a_raw_key_where_a_certificate_is_due_is_named(void **state)
{
    struct test_edit edit = {.type = CL_HT_CERTIFICATE,
                             .edit = put_body,
                             .hex = "00"
                                    "000031"
                                    "00002c" ED25519_KEY "0000"};
    struct cleat_tls_builder *s = test_server_builder();
    struct test_pair p;
    test_builder_edit(s, &edit);
    test_pair_make(&p, test_client_config(), test_finish(s), NULL);
    test_pair_run(&p);
    test_assert_failed(&p.client, &p.server, CLEAT_ERR_DECODE, 50);
    assert_non_null(strstr(cleat_tls_error(p.client.tls)->text, "a raw public key where"));
    test_pair_drop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_that_nobody_would_judge_are_refused),
        cmocka_unit_test(test_lists_of_types_are_checked),
        cmocka_unit_test(test_pins_are_read_strictly),
        cmocka_unit_test(test_what_is_no_key_cannot_be_pinned),
        cmocka_unit_test(test_pins_are_limited),
        cmocka_unit_test(test_proofs_about_certificates_do_not_go_with_a_raw_key),
        cmocka_unit_test(test_a_clients_list_that_breaks_a_rule_is_refused),
        cmocka_unit_test(test_types_that_are_not_known_are_passed_over),
        cmocka_unit_test(test_an_answer_that_breaks_a_rule_is_refused),
        cmocka_unit_test(test_an_answer_in_the_wrong_place_is_refused),
        cmocka_unit_test(test_an_answer_without_a_question_is_refused),
        cmocka_unit_test(test_without_an_answer_a_client_of_raw_keys_breaks_off),
        cmocka_unit_test(test_a_certificate_message_of_a_raw_key_is_read_strictly),
        cmocka_unit_test(test_a_pinned_key_must_be_proved),
        cmocka_unit_test(test_a_raw_key_where_a_certificate_is_due_is_named),
    };
    return cmocka_run_group_tests(tests, raw_setup, raw_teardown);
}
