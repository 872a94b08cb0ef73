/* tests/tls/test_post_quantum.c - ML-KEM in the handshake: which groups are offered and taken, key
 * shares that are wrong, and a ClientHello that is larger than a segment (tldr.fail). */
#include <string.h>

#include "base/bytes.h"
#include "crypto/kex.h"
#include "tls/support_tls.h"
#include "tls/wire.h"

#define SERVER_HELLO 2
#define CLIENT_HELLO 1

static void make_pair(struct test_pair *p, const char *client_groups, const char *server_groups)
{
    struct cleat_tls_builder *c = test_client_builder();
    struct cleat_tls_builder *s = test_server_builder();
    if (client_groups != NULL) {
        assert_int_equal(cleat_tls_builder_groups(c, client_groups), CLEAT_OK);
    }
    if (server_groups != NULL) {
        assert_int_equal(cleat_tls_builder_groups(s, server_groups), CLEAT_OK);
    }
    test_pair_make(p, test_finish(c), test_finish(s), NULL);
}

static void assert_group(const struct test_pair *p, const char *name)
{
    test_assert_ready(p);
    assert_string_equal(test_info(&p->client).group_name, name);
    assert_string_equal(test_info(&p->server).group_name, name);
}

/* The body of an extension of a ClientHello. */
static struct cl_rd extension(struct cl_rd hello, uint16_t type)
{
    struct cl_buf copy = {.p = (uint8_t *)(uintptr_t)hello.p, .len = hello.len};
    const size_t at = test_ext_find(&copy, 0, type);
    if (at == 0) {
        return cl_rd_of(NULL, 0);
    }
    const size_t len = (size_t)hello.p[at + 2] << 8 | hello.p[at + 3];
    return cl_rd_of(hello.p + at + 4, len);
}

/* The groups of a ClientHello's shares, at most four; their lengths are their groups'. */
static size_t shares_of(struct cl_rd hello, uint16_t groups[4])
{
    struct cl_rd body = extension(hello, CL_ET_KEY_SHARE);
    struct cl_rd list;
    struct cl_rd share;
    size_t num = 0;
    assert_true(cl_rd_vec16(&body, &list) && cl_rd_done(&body));
    while (!cl_rd_done(&list)) {
        assert_true(num < 4);
        assert_true(cl_rd_u16(&list, &groups[num]) && cl_rd_vec16(&list, &share));
        assert_int_equal(share.len, cl_group_by_id(groups[num])->client_share_len);
        num++;
    }
    return num;
}

static void assert_shares(const struct test_pair *p, size_t nth, uint16_t first, uint16_t second)
{
    uint16_t groups[4] = {0};
    const size_t num = shares_of(test_message(&p->client, true, CLIENT_HELLO, nth), groups);
    assert_int_equal(num, second != 0 ? 2 : 1);
    assert_int_equal(groups[0], first);
    assert_int_equal(groups[1], second);
}

static bool offers(const struct test_pair *p, uint16_t group)
{
    struct cl_rd body =
        extension(test_message(&p->client, true, CLIENT_HELLO, 0), CL_ET_SUPPORTED_GROUPS);
    struct cl_rd list;
    uint16_t id;
    assert_true(cl_rd_vec16(&body, &list));
    while (cl_rd_u16(&list, &id)) {
        if (id == group) {
            return true;
        }
    }
    return false;
}

/* ---- what is offered and taken ---- */

static void test_ml_kem_with_x25519_is_the_default_of_both_sides(void **state)
{
    struct test_pair p;
    make_pair(&p, NULL, NULL);
    test_pair_run(&p);
    assert_group(&p, "X25519MLKEM768");
    assert_false(test_info(&p.client).hello_retry);
    assert_shares(&p, 0, CL_GROUP_X25519_MLKEM768, CL_GROUP_X25519);
    assert_true(offers(&p, CL_GROUP_SECP256R1_MLKEM768));
    assert_true(offers(&p, CL_GROUP_SECP384R1_MLKEM1024));
    assert_false(offers(&p, CL_GROUP_MLKEM768)); /* alone it must be named */
    test_assert_echo(&p);
    test_pair_drop(&p);
}

static void test_a_server_without_ml_kem_takes_the_second_share(void **state)
{
    struct test_pair p;
    make_pair(&p, NULL, "X25519");
    test_pair_run(&p);
    assert_group(&p, "X25519");
    assert_false(test_info(&p.client).hello_retry);
    assert_true(test_log_has(&p.client, "our second share was accepted"));
    test_assert_echo(&p);
    test_pair_drop(&p);
}

static void test_a_client_without_ml_kem_is_served(void **state)
{
    struct test_pair p;
    make_pair(&p, "X25519:P-256", NULL);
    test_pair_run(&p);
    assert_group(&p, "X25519");
    assert_false(test_info(&p.client).hello_retry);
    assert_shares(&p, 0, CL_GROUP_X25519, 0);
    test_pair_drop(&p);
}

static void test_each_group_with_ml_kem_shakes_hands(void **state)
{
    static const char *const names[] = {"X25519MLKEM768", "SecP256r1MLKEM768", "SecP384r1MLKEM1024",
                                        "ML-KEM-512",     "ML-KEM-768",        "ML-KEM-1024"};
    for (size_t i = 0; i < TEST_LEN(names); i++) {
        struct test_pair p;
        make_pair(&p, names[i], names[i]);
        test_pair_run(&p);
        assert_group(&p, names[i]);
        test_assert_echo(&p);
        test_pair_drop(&p);
    }
}

/* The first group, and the first of the other kind, wherever that is. */
static void test_the_second_share_is_of_the_other_kind(void **state)
{
    static const struct {
        const char *groups;
        uint16_t first, second;
    } rows[] = {
        {"X25519:P-256:SecP256r1MLKEM768:X25519MLKEM768", CL_GROUP_X25519,
         CL_GROUP_SECP256R1_MLKEM768},
        {"SecP384r1MLKEM1024:X25519MLKEM768:P-384:X25519", CL_GROUP_SECP384R1_MLKEM1024,
         CL_GROUP_SECP384R1},
        {"X25519MLKEM768:ML-KEM-1024", CL_GROUP_X25519_MLKEM768, 0},
        {"P-256:X25519", CL_GROUP_SECP256R1, 0},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct test_pair p;
        make_pair(&p, rows[i].groups, rows[i].groups);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_shares(&p, 0, rows[i].first, rows[i].second);
        test_pair_drop(&p);
    }
}

/* ---- HelloRetryRequest ---- */

static void test_after_a_retry_there_is_one_share_for_the_group_asked_for(void **state)
{
    static const struct {
        const char *client, *server, *group;
        uint16_t id;
    } rows[] = {
        {"X25519:SecP256r1MLKEM768:X25519MLKEM768", "X25519MLKEM768", "X25519MLKEM768",
         CL_GROUP_X25519_MLKEM768},
        {NULL, "SecP384r1MLKEM1024", "SecP384r1MLKEM1024", CL_GROUP_SECP384R1_MLKEM1024},
        {NULL, "P-384", "P-384", CL_GROUP_SECP384R1},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct test_pair p;
        make_pair(&p, rows[i].client, rows[i].server);
        test_pair_run(&p);
        assert_group(&p, rows[i].group);
        assert_true(test_info(&p.client).hello_retry);
        assert_shares(&p, 1, rows[i].id, 0);
        test_assert_echo(&p);
        test_pair_drop(&p);
    }
}

static void put_group(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                      size_t start)
{
    const size_t at = test_ext_find(flight, start, CL_ET_KEY_SHARE);
    flight->p[at + 4] = (uint8_t)(e->ext >> 8);
    flight->p[at + 5] = (uint8_t)e->ext;
}

/* RFC 9846 4.3.8: a retry for a group whose share was sent leads nowhere, the second share too. */
static void test_a_retry_for_either_share_that_was_sent_is_refused(void **state)
{
    static const uint16_t sent[] = {CL_GROUP_X25519_MLKEM768, CL_GROUP_X25519};
    for (size_t i = 0; i < TEST_LEN(sent); i++) {
        struct test_edit edit = {.type = SERVER_HELLO, .edit = put_group, .ext = sent[i]};
        struct cleat_tls_builder *s = test_server_builder();
        struct test_pair p;
        assert_int_equal(cleat_tls_builder_groups(s, "P-384"), CLEAT_OK);
        test_builder_edit(s, &edit);
        test_pair_make(&p, test_client_config(), test_finish(s), NULL);
        test_pair_run(&p);
        test_assert_failed(&p.client, &p.server, CLEAT_ERR_ILLEGAL_PARAMETER, 47);
        test_pair_drop(&p);
    }
}

/* A ServerHello for a group that was offered without a share. */
static void test_an_answer_without_a_share_of_ours_is_refused(void **state)
{
    struct test_edit edit = {.type = SERVER_HELLO, .edit = put_group, .ext = CL_GROUP_SECP256R1};
    struct cleat_tls_builder *s = test_server_builder();
    struct test_pair p;
    test_builder_edit(s, &edit);
    test_pair_make(&p, test_client_config(), test_finish(s), NULL);
    test_pair_run(&p);
    test_assert_failed(&p.client, &p.server, CLEAT_ERR_ILLEGAL_PARAMETER, 47);
    test_pair_drop(&p);
}

/* ---- shares that are wrong ---- */

/* Where share number nth begins in the ClientHello, or (nth 0) the ServerHello's. */
static size_t share_at(const struct cl_buf *flight, size_t start)
{
    const size_t at = test_ext_find(flight, start, CL_ET_KEY_SHARE);
    return at + 4 + (flight->p[start] == CLIENT_HELLO ? 2 : 0) + 4;
}

static void put_ff(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight, size_t start)
{
    memset(flight->p + share_at(flight, start) + e->ext, 0xff, 3);
}

/* Takes a byte off the end of the first share. */
static void shorten(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight, size_t start)
{
    const size_t at = test_ext_find(flight, start, CL_ET_KEY_SHARE);
    const size_t share = share_at(flight, start);
    const size_t len = (size_t)flight->p[share - 2] << 8 | flight->p[share - 1];
    const size_t lengths[] = {at + 2, share - 2, at + 4};
    test_buf_splice(flight, share + len - 1, 1, NULL, 0);
    for (size_t i = 0; i < (flight->p[start] == CLIENT_HELLO ? 3U : 2U); i++) {
        const size_t old = (size_t)flight->p[lengths[i]] << 8 | flight->p[lengths[i] + 1];
        flight->p[lengths[i]] = (uint8_t)((old - 1) >> 8);
        flight->p[lengths[i] + 1] = (uint8_t)(old - 1);
    }
    test_fix_lengths(flight, start, -1);
}

typedef void (*edit)(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                     size_t start);

static void run_edited(struct test_pair *p, const char *group, uint8_t type, edit how, uint16_t at)
{
    struct test_edit e = {.type = type, .edit = how, .ext = at};
    struct cleat_tls_builder *c = test_client_builder();
    struct cleat_tls_builder *s = test_server_builder();
    assert_int_equal(cleat_tls_builder_groups(c, group), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_groups(s, group), CLEAT_OK);
    test_builder_edit(type == CLIENT_HELLO ? c : s, &e);
    test_pair_make(p, test_finish(c), test_finish(s), NULL);
    test_pair_run(p);
}

/* RFC 10024: the encapsulation key check. In the middle of the ML-KEM part, whichever is first. */
static void test_a_key_that_is_not_reduced_is_an_illegal_parameter(void **state)
{
    static const char *const groups[] = {"X25519MLKEM768", "SecP256r1MLKEM768",
                                         "SecP384r1MLKEM1024", "ML-KEM-512"};
    for (size_t i = 0; i < TEST_LEN(groups); i++) {
        struct test_pair p;
        run_edited(&p, groups[i], CLIENT_HELLO, put_ff, 600);
        test_assert_failed(&p.server, &p.client, CLEAT_ERR_BAD_KEY_SHARE, 47);
        test_pair_drop(&p);
    }
}

static void test_a_share_of_a_wrong_length_is_an_illegal_parameter(void **state)
{
    static const char *const groups[] = {"X25519MLKEM768", "SecP256r1MLKEM768",
                                         "SecP384r1MLKEM1024", "ML-KEM-768"};
    for (size_t i = 0; i < TEST_LEN(groups); i++) {
        struct test_pair p;
        run_edited(&p, groups[i], CLIENT_HELLO, shorten, 0);
        test_assert_failed(&p.server, &p.client, CLEAT_ERR_BAD_KEY_SHARE, 47);
        test_pair_drop(&p);
        run_edited(&p, groups[i], SERVER_HELLO, shorten, 0);
        test_assert_failed(&p.client, &p.server, CLEAT_ERR_BAD_KEY_SHARE, 47);
        test_pair_drop(&p);
    }
}

/* FIPS 203 6.3: nobody is told; the keys differ, and the first protected record does not open. */
static void test_a_changed_ciphertext_shows_in_the_first_protected_record(void **state)
{
    struct test_pair p;
    run_edited(&p, "X25519MLKEM768", SERVER_HELLO, put_ff, 500);
    test_assert_failed(&p.client, NULL, CLEAT_ERR_BAD_RECORD_MAC, 20);
    test_pair_drop(&p);
}

/* ---- TLS 1.2 ---- */

static void test_a_client_of_tls_1_2_does_not_offer_ml_kem(void **state)
{
    struct cleat_tls_builder *c = test_client_builder();
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_versions(c, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
    test_pair_make(&p, test_finish(c), test_server_config(), NULL);
    test_pair_run(&p);
    assert_group(&p, "X25519");
    assert_false(offers(&p, CL_GROUP_X25519_MLKEM768));
    test_pair_drop(&p);
}

static void test_a_server_of_tls_1_2_does_not_take_ml_kem(void **state)
{
    struct cleat_tls_builder *s = test_server_builder();
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_versions(s, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
    test_pair_make(&p, test_client_config(), test_finish(s), NULL);
    test_pair_run(&p);
    assert_true(offers(&p, CL_GROUP_X25519_MLKEM768));
    assert_group(&p, "X25519");
    test_pair_drop(&p);
}

/* ---- a ClientHello in pieces ---- */

/* What a client sends first: one record with its ClientHello, larger than a segment of TCP. */
static void make_hello(struct test_pair *p, struct cl_buf *out)
{
    make_pair(p, NULL, NULL);
    test_end_step(&p->client, out, 0);
    assert_int_equal(out->p[0], CL_CT_HANDSHAKE);
    assert_int_equal(out->len, 5 + ((size_t)out->p[3] << 8) + out->p[4]);
    assert_true(out->len > 1460);
}

/* The rest of the handshake, after the server has been given all. */
static void finish(struct test_pair *p)
{
    struct cl_buf out = {0};
    test_end_step(&p->server, &out, 0);
    test_end_feed(&p->client, out.p, out.len);
    cl_buf_deinit(&out);
    test_pair_run(p);
    assert_group(p, "X25519MLKEM768");
    test_pair_drop(p);
}

static void test_a_client_hello_may_be_cut_into_two_reads_anywhere(void **state)
{
    size_t len = 2;
    for (size_t at = 1; at < len; at++) {
        struct test_pair p;
        struct cl_buf hello = {0};
        struct cl_buf none = {0};
        make_hello(&p, &hello);
        len = hello.len;
        test_end_feed(&p.server, hello.p, at);
        test_end_step(&p.server, &none, 0);
        assert_int_equal(p.server.next, CLEAT_TLS_NEEDS_INPUT);
        assert_int_equal(none.len, 0);
        test_end_feed(&p.server, hello.p + at, len - at);
        cl_buf_deinit(&hello);
        cl_buf_deinit(&none);
        finish(&p);
    }
}

/* Feeds a message as records with at most size bytes each, after a first one of first bytes. */
static void feed_records(struct test_pair *p, struct cl_rd message, size_t first, size_t size)
{
    struct cl_buf records = {0};
    struct cl_rd part = cl_rd_of(NULL, 0);
    size_t next = first;
    while (!cl_rd_done(&message)) {
        assert_true(cl_rd_take(&message, next < message.len ? next : message.len, &part));
        test_plain(&records, CL_CT_HANDSHAKE, part.p, part.len);
        next = size;
    }
    test_end_feed(&p->server, records.p, records.len);
    cl_buf_deinit(&records);
}

static void test_a_client_hello_may_be_cut_into_two_records_anywhere(void **state)
{
    size_t len = 2;
    for (size_t at = 1; at < len; at++) {
        struct test_pair p;
        struct cl_buf hello = {0};
        make_hello(&p, &hello);
        len = hello.len - 5;
        feed_records(&p, cl_rd_of(hello.p + 5, len), at, len);
        cl_buf_deinit(&hello);
        finish(&p);
    }
}

static void test_a_client_hello_may_be_cut_into_many_records(void **state)
{
    static const size_t sizes[] = {1, 2, 3, 5, 64, 100, 255, 256, 500, 512, 1000, 1200};
    for (size_t i = 0; i < TEST_LEN(sizes); i++) {
        struct test_pair p;
        struct cl_buf hello = {0};
        make_hello(&p, &hello);
        feed_records(&p, cl_rd_of(hello.p + 5, hello.len - 5), sizes[i], sizes[i]);
        cl_buf_deinit(&hello);
        finish(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ml_kem_with_x25519_is_the_default_of_both_sides),
        cmocka_unit_test(test_a_server_without_ml_kem_takes_the_second_share),
        cmocka_unit_test(test_a_client_without_ml_kem_is_served),
        cmocka_unit_test(test_each_group_with_ml_kem_shakes_hands),
        cmocka_unit_test(test_the_second_share_is_of_the_other_kind),
        cmocka_unit_test(test_after_a_retry_there_is_one_share_for_the_group_asked_for),
        cmocka_unit_test(test_a_retry_for_either_share_that_was_sent_is_refused),
        cmocka_unit_test(test_an_answer_without_a_share_of_ours_is_refused),
        cmocka_unit_test(test_a_key_that_is_not_reduced_is_an_illegal_parameter),
        cmocka_unit_test(test_a_share_of_a_wrong_length_is_an_illegal_parameter),
        cmocka_unit_test(test_a_changed_ciphertext_shows_in_the_first_protected_record),
        cmocka_unit_test(test_a_client_of_tls_1_2_does_not_offer_ml_kem),
        cmocka_unit_test(test_a_server_of_tls_1_2_does_not_take_ml_kem),
        cmocka_unit_test(test_a_client_hello_may_be_cut_into_two_reads_anywhere),
        cmocka_unit_test(test_a_client_hello_may_be_cut_into_two_records_anywhere),
        cmocka_unit_test(test_a_client_hello_may_be_cut_into_many_records),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
