/* tests/tls/test_hello_lists.c - long lists in a ClientHello, and answers to what it did not ask.
 */
#include "tls/support_tls.h"

/* ---- key shares ---- */

/* Puts bytes in front of the list that an extension consists of, behind its 16-bit length. */
static void insert(struct cl_buf *flight, size_t start, uint16_t ext, const struct cl_buf *bytes)
{
    size_t at = test_ext_find(flight, start, ext);
    assert_true(at != 0);
    for (size_t i = 2; i <= 4; i += 2) {
        size_t len = (size_t)flight->p[at + i] * 256 + flight->p[at + i + 1] + bytes->len;
        flight->p[at + i] = (uint8_t)(len >> 8);
        flight->p[at + i + 1] = (uint8_t)len;
    }
    test_buf_splice(flight, at + 6, 0, bytes->p, bytes->len);
    test_fix_lengths(flight, start, (int)bytes->len);
}

/* Shares of one byte for groups that nobody knows, and the groups. */
static void add_shares(struct cl_buf *flight, size_t start, size_t first, size_t num)
{
    struct cl_buf shares = {0};
    struct cl_buf groups = {0};
    for (size_t group = first; group < first + num; group++) {
        uint8_t share[5] = {(uint8_t)(group >> 8), (uint8_t)group, 0, 1, 0xab};
        assert_int_equal(cl_buf_append(&shares, share, sizeof(share), SIZE_MAX / 2), CL_OK);
        assert_int_equal(cl_buf_append(&groups, share, 2, SIZE_MAX / 2), CL_OK);
    }
    insert(flight, start, CL_ET_KEY_SHARE, &shares);
    insert(flight, start, CL_ET_SUPPORTED_GROUPS, &groups);
    cl_buf_deinit(&groups);
    cl_buf_deinit(&shares);
}

static void many_shares(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                        size_t start)
{
    (void)e;
    (void)tls;
    add_shares(flight, start, 0x2000, 300);
}

static void many_shares_and_one_again(struct test_edit *e, struct cleat_tls *tls,
                                      struct cl_buf *flight, size_t start)
{
    (void)e;
    (void)tls;
    add_shares(flight, start, 0x2000, 300);
    add_shares(flight, start, 0x2000 + 7, 1);
}

static void run_with(struct test_pair *p, struct test_edit *edit)
{
    struct cleat_tls_builder *c = test_client_builder();
    test_builder_edit(c, edit);
    test_pair_make(p, test_finish(c), test_server_config(), NULL);
    test_pair_run(p);
}

/* RFC 9846 4.3.8 sets no limit, and unknown groups are not an error. */
static void test_a_hello_may_have_any_number_of_key_shares(void **state)
{
    struct test_edit edit = {.type = CL_HT_CLIENT_HELLO, .edit = many_shares};
    struct test_pair p;
    run_with(&p, &edit);
    /* what comes behind the hello fails: our client does not know that it said more */
    assert_int_equal(test_count_messages(&p.server, true, CL_HT_SERVER_HELLO), 1);
    test_pair_drop(&p);
}

static void test_two_shares_of_a_group_are_found_among_many(void **state)
{
    struct test_edit edit = {.type = CL_HT_CLIENT_HELLO, .edit = many_shares_and_one_again};
    struct test_pair p;
    run_with(&p, &edit);
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_ILLEGAL_PARAMETER, 47);
    test_pair_drop(&p);
}

/* ---- ec_point_formats ---- */

static bool answer_has_formats;

static void look_for_formats(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                             size_t start)
{
    (void)e;
    (void)tls;
    answer_has_formats = test_ext_find(flight, start, CL_ET_EC_POINT_FORMATS) != 0;
}

static void keep(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight, size_t start)
{
    (void)e;
    (void)tls;
    (void)flight;
    (void)start;
}

/* RFC 5246 7.4.1.4: no extension in a ServerHello that the ClientHello did not have. */
static void test_point_formats_answer_point_formats(void **state)
{
    for (int asked = 0; asked < 2; asked++) {
        struct test_edit hello = {.type = CL_HT_CLIENT_HELLO,
                                  .ext = CL_ET_EC_POINT_FORMATS,
                                  .edit = asked ? keep : test_edit_ext_remove};
        struct test_edit answer = {.type = CL_HT_SERVER_HELLO, .edit = look_for_formats};
        struct cleat_tls_builder *c = test_client_builder();
        struct cleat_tls_builder *s = test_server_builder();
        struct test_pair p;
        assert_int_equal(cleat_tls_builder_versions(c, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_versions(s, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
        test_builder_edit(c, &hello);
        test_builder_edit(s, &answer);
        answer_has_formats = !asked;
        test_pair_make(&p, test_finish(c), test_finish(s), NULL);
        test_pair_run(&p);
        assert_int_equal(answer_has_formats, asked);
        test_pair_drop(&p);
    }
}

/* ---- server_name ---- */

/* RFC 6066 3: other types of names begin with a 16-bit length and are passed over; two names of one
 * type are illegal. */
static void test_names_of_unknown_types_are_passed_over(void **state)
{
    static const struct {
        const char *hex;
        int code;
        uint8_t alert;
    } rows[] = {
        {"0012000009"
         "6c6f63616c686f7374"
         "7f0003616263",
         CLEAT_OK, 0},
        {"00127f0003616263"
         "000009"
         "6c6f63616c686f7374",
         CLEAT_OK, 0},
        {"00067f0003616263", CLEAT_OK, 0},
        {"0018000009"
         "6c6f63616c686f7374"
         "000009"
         "6c6f63616c686f7374",
         CLEAT_ERR_ILLEGAL_PARAMETER, 47},
        {"00067f0004616263", CLEAT_ERR_DECODE, 50},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct test_edit edit = {.type = CL_HT_CLIENT_HELLO,
                                 .ext = CL_ET_SERVER_NAME,
                                 .hex = rows[i].hex,
                                 .edit = test_edit_ext_put};
        struct test_pair p;
        run_with(&p, &edit);
        if (rows[i].code == CLEAT_OK) {
            assert_int_equal(test_count_messages(&p.server, true, CL_HT_SERVER_HELLO), 1);
        } else {
            test_assert_failed(&p.server, &p.client, rows[i].code, rows[i].alert);
        }
        test_pair_drop(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_hello_may_have_any_number_of_key_shares),
        cmocka_unit_test(test_two_shares_of_a_group_are_found_among_many),
        cmocka_unit_test(test_names_of_unknown_types_are_passed_over),
        cmocka_unit_test(test_point_formats_answer_point_formats),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
