/* The look over a server's own chain: one story a test, and that a good chain has none. */
#include "support_x509.h"

#include <stdio.h>

#define MAX_NOTES 8

struct story {
    struct entity root, ca, leaf;
    struct cleat_chain_note notes[MAX_NOTES];
    size_t num;
};

static void begin(struct story *s)
{
    *s = (struct story){.root = t_ca("Root", NULL, 0)};
    s->ca = t_ca("Issuing CA", &s->root, 1);
    s->leaf = t_leaf("leaf.example.com", &s->ca, 2);
}

static void end(struct story *s)
{
    t_free(&s->root);
    t_free(&s->ca);
    t_free(&s->leaf);
}

static void look(struct story *s, const struct cleat_cert *const *certs, size_t num)
{
    const struct entity *anchor = &s->root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cleat_chain *chain = NULL;
    assert_int_equal(cl_chain_from_certs(&chain, certs, num), CL_OK);
    s->num = cleat_chain_lint(chain, trust, T_NOW, CLEAT_PURPOSE_SERVER, s->notes, MAX_NOTES);
    for (size_t i = 0; i < s->num; i++) {
        assert_true(s->notes[i].what.section[0] != '\0' && s->notes[i].what.hint[0] != '\0');
        assert_true(s->notes[i].position < num);
        print_message("%s: %s\n  %s\n", s->notes[i].serious ? "serious" : "note",
                      s->notes[i].what.text, s->notes[i].what.hint);
    }
    cleat_chain_free(chain);
    cleat_trust_store_free(trust);
}

/* There is exactly one note, with these words and this weight. */
static void expect_one(const struct story *s, const char *text, const char *hint, bool serious)
{
    assert_int_equal(s->num, 1);
    if (strstr(s->notes[0].what.text, text) == NULL ||
        strstr(s->notes[0].what.hint, hint) == NULL) {
        fail_msg("\"%s\" and \"%s\" instead of \"%s\" and \"%s\"", s->notes[0].what.text,
                 s->notes[0].what.hint, text, hint);
    }
    assert_int_equal(s->notes[0].serious, serious);
}

static void test_nothing_to_say_about_a_good_chain(void **state)
{
    struct story s;
    begin(&s);
    look(&s, (const struct cleat_cert *const[]){s.leaf.cert, s.ca.cert}, 2);
    assert_int_equal(s.num, 0);
    end(&s);
}

static void test_root_included(void **state)
{
    struct story s;
    begin(&s);
    look(&s, (const struct cleat_cert *const[]){s.leaf.cert, s.ca.cert, s.root.cert}, 3);
    expect_one(&s, "certificate 3 of 3, CN=Root, is the root", "remove it from the file", false);
    end(&s);
}

static void test_leaf_not_first(void **state)
{
    struct story s;
    begin(&s);
    look(&s, (const struct cleat_cert *const[]){s.ca.cert, s.leaf.cert}, 2);
    expect_one(&s, "certificate 1 of 2, CN=Issuing CA, is a CA's: the chain is in the wrong order",
               "certificate 2, CN=leaf.example.com, must come first", true);
    end(&s);
}

static void test_intermediates_in_the_wrong_order(void **state)
{
    struct story s;
    begin(&s);
    struct entity lower = t_ca("Lower CA", &s.ca, 3);
    struct entity leaf = t_leaf("leaf.example.com", &lower, 4);
    look(&s, (const struct cleat_cert *const[]){leaf.cert, s.ca.cert, lower.cert}, 3);
    expect_one(&s, "certificate 2 of 3, CN=Issuing CA, did not issue the one before it",
               "reorder the file", false);
    t_free(&lower);
    t_free(&leaf);
    end(&s);
}

static void test_certificate_that_does_not_belong(void **state)
{
    struct story s;
    begin(&s);
    struct entity stranger = t_ca("Stranger", &s.root, 3);
    look(&s, (const struct cleat_cert *const[]){s.leaf.cert, s.ca.cert, stranger.cert}, 3);
    expect_one(&s, "CN=Stranger, did not issue any of the others", "remove it", false);
    look(&s, (const struct cleat_cert *const[]){s.leaf.cert, s.ca.cert, s.ca.cert}, 3);
    expect_one(&s, "certificate 3 of 3, CN=Issuing CA, is there twice", "remove it", false);
    t_free(&stranger);
    end(&s);
}

static void test_intermediate_with_another_key(void **state)
{
    struct story s;
    begin(&s);
    struct cl_cert_template tpl = t_template("Issuing CA", &s.root, t_key(5), true);
    tpl.no_key_ids = true;
    struct entity twin = t_make(&tpl, &s.root, t_key(5));
    look(&s, (const struct cleat_cert *const[]){s.leaf.cert, twin.cert}, 2);
    expect_one(&s, "certificate 1 of 2, CN=leaf.example.com, was not signed with the key",
               "put the right intermediate there", true);
    t_free(&twin);
    end(&s);
}

static void test_expired_and_not_yet_valid(void **state)
{
    struct story s;
    begin(&s);
    struct cl_cert_template tpl = t_template("leaf.example.com", &s.ca, t_key(3), false);
    tpl.not_after = T_NOW - 3 * 86400;
    struct entity old = t_make(&tpl, &s.ca, t_key(3));
    tpl.not_after = T_NOW + T_YEAR;
    tpl.not_before = T_NOW + 60;
    struct entity early = t_make(&tpl, &s.ca, t_key(3));
    look(&s, (const struct cleat_cert *const[]){old.cert, s.ca.cert}, 2);
    expect_one(&s, "expired 3 days ago (notAfter 2026-05-29T00:00:00Z)", "renew it", true);
    look(&s, (const struct cleat_cert *const[]){early.cert, s.ca.cert}, 2);
    expect_one(&s, "is not valid yet (notBefore 2026-06-01T00:01:00Z)", "clock", true);
    t_free(&old);
    t_free(&early);
    end(&s);
}

/* caIssuers http://ca.test/ca */
static const uint8_t aia[] = {0x30, 0x1f, 0x30, 0x1d, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05,
                              0x07, 0x30, 0x02, 0x86, 0x11, 'h',  't',  't',  'p',  ':',  '/',
                              '/',  'c',  'a',  '.',  't',  'e',  's',  't',  '/',  'c',  'a'};

static void test_incomplete(void **state)
{
    const struct cl_cert_raw_ext ext = {"1.3.6.1.5.5.7.1.1", false, {aia, sizeof(aia)}};
    struct story s;
    begin(&s);
    struct cl_cert_template tpl = t_template("leaf.example.com", &s.ca, t_key(3), false);
    tpl.raw_exts = &ext;
    tpl.num_raw_exts = 1;
    struct entity leaf = t_make(&tpl, &s.ca, t_key(3));
    look(&s, (const struct cleat_cert *const[]){leaf.cert}, 1);
    expect_one(&s,
               "needs its issuer's certificate CN=Issuing CA behind it: the chain is incomplete",
               "fetch it from http://ca.test/ca", true);
    look(&s, (const struct cleat_cert *const[]){leaf.cert, s.ca.cert}, 2);
    assert_int_equal(s.num, 0);
    /* below a private root that publishes nothing there is nothing to miss */
    look(&s, (const struct cleat_cert *const[]){s.leaf.cert}, 1);
    assert_int_equal(s.num, 0);
    t_free(&leaf);
    end(&s);
}

static void test_self_signed(void **state)
{
    struct story s;
    begin(&s);
    struct entity own = t_leaf("leaf.example.com", NULL, 3);
    look(&s, (const struct cleat_cert *const[]){own.cert}, 1);
    expect_one(&s, "is self-signed", "fine for tests", false);
    t_free(&own);
    end(&s);
}

static void test_no_names_wrong_use_and_no_digital_signature(void **state)
{
    struct story s;
    begin(&s);
    struct cl_cert_template tpl = t_template("leaf.example.com", &s.ca, t_key(3), false);
    tpl.num_dns_names = 0;
    struct entity leaf = t_make(&tpl, &s.ca, t_key(3));
    look(&s, (const struct cleat_cert *const[]){leaf.cert, s.ca.cert}, 2);
    expect_one(&s, "has no subject alternative name", "the common name does not count", true);
    t_free(&leaf);
    tpl = t_template("leaf.example.com", &s.ca, t_key(3), false);
    tpl.ext_key_usage = CL_EKU_CLIENT_AUTH;
    leaf = t_make(&tpl, &s.ca, t_key(3));
    look(&s, (const struct cleat_cert *const[]){leaf.cert, s.ca.cert}, 2);
    expect_one(&s, "is not for serverAuth", "another certificate", true);
    t_free(&leaf);
    tpl = t_template("leaf.example.com", &s.ca, t_key(3), false);
    tpl.key_usage = CL_KU_KEY_ENCIPHERMENT;
    leaf = t_make(&tpl, &s.ca, t_key(3));
    look(&s, (const struct cleat_cert *const[]){leaf.cert, s.ca.cert}, 2);
    expect_one(&s, "may not sign", "another certificate", true);
    t_free(&leaf);
    end(&s);
}

static void test_weak(void **state)
{
    struct story s;
    begin(&s);
    struct cl_rd der = cl_cert_der(s.leaf.cert);
    struct cleat_cert *weak = NULL;
    uint8_t copy[2048];
    assert_true(der.len <= sizeof(copy));
    memcpy(copy, der.p, der.len);
    for (size_t i = 0; i + 8 <= der.len; i++) {
        if (memcmp(copy + i, "\x2a\x86\x48\xce\x3d\x04\x03\x02", 8) == 0) {
            copy[i + 7] = 1; /* ecdsa-with-SHA224 */
        }
    }
    assert_int_equal(cl_cert_parse(&weak, cl_rd_of(copy, der.len), NULL), CL_OK);
    look(&s, (const struct cleat_cert *const[]){weak, s.ca.cert}, 2);
    expect_one(&s, "is signed with ecdsa-with-SHA224", "signed with SHA-256 or better", true);
    cleat_cert_free(weak);
    end(&s);
}

static void test_no_more_notes_than_there_is_room_for(void **state)
{
    struct story s;
    begin(&s);
    struct cleat_chain *chain = NULL;
    const struct cleat_cert *certs[] = {s.leaf.cert, s.ca.cert, s.ca.cert, s.root.cert};
    assert_int_equal(cl_chain_from_certs(&chain, certs, 4), CL_OK);
    assert_int_equal(
        cleat_chain_lint(chain, NULL, T_NOW + 9 * T_YEAR, CLEAT_PURPOSE_SERVER, s.notes, 2), 2);
    assert_int_equal(
        cleat_chain_lint(chain, NULL, T_NOW + 9 * T_YEAR, CLEAT_PURPOSE_SERVER, NULL, 0), 0);
    cleat_chain_free(chain);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_to_say_about_a_good_chain),
        cmocka_unit_test(test_root_included),
        cmocka_unit_test(test_leaf_not_first),
        cmocka_unit_test(test_intermediates_in_the_wrong_order),
        cmocka_unit_test(test_certificate_that_does_not_belong),
        cmocka_unit_test(test_intermediate_with_another_key),
        cmocka_unit_test(test_expired_and_not_yet_valid),
        cmocka_unit_test(test_incomplete),
        cmocka_unit_test(test_self_signed),
        cmocka_unit_test(test_no_names_wrong_use_and_no_digital_signature),
        cmocka_unit_test(test_weak),
        cmocka_unit_test(test_no_more_notes_than_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
