/* tests/tls/test_grease.c - reserved values and a shuffled order in a client's ClientHello (RFC
 * 8701). */
#include <string.h>

#include "cleat/tls_options.h"
#include "tls/ext.h"
#include "tls/hs.h"
#include "tls/support_tls.h"

static uint64_t counter;

static struct cleat_tls_builder *greased(void)
{
    struct cleat_tls_builder *b = test_client_builder();
    cleat_tls_builder_grease(b, true);
    cleat_tls_builder_permute(b, true);
    cleat_tls_builder_random(b, test_fixed_random, &counter);
    return b;
}

static bool is_grease(uint16_t v)
{
    return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

/* What a ClientHello has, in its order. */
struct seen {
    uint16_t suite;
    uint16_t types[40];
    struct cl_rd bodies[40];
    size_t num;
};

static struct seen look(struct cl_rd message)
{
    struct seen s = {0};
    struct cl_rd part;
    assert_true(cl_rd_skip(&message, 4 + 2 + 32) && cl_rd_vec8(&message, &part));
    assert_true(cl_rd_vec16(&message, &part) && cl_rd_u16(&part, &s.suite));
    assert_true(cl_rd_vec8(&message, &part) && cl_rd_vec16(&message, &part));
    while (!cl_rd_done(&part)) {
        assert_true(s.num < TEST_LEN(s.types) && cl_rd_u16(&part, &s.types[s.num]) &&
                    cl_rd_vec16(&part, &s.bodies[s.num]));
        s.num++;
    }
    return s;
}

static struct cl_rd body_of(const struct seen *s, uint16_t type)
{
    for (size_t i = 0; i < s->num; i++) {
        if (s->types[i] == type) {
            return s->bodies[i];
        }
    }
    fail_msg("no extension %u", type);
    return cl_rd_of(NULL, 0);
}

static uint16_t first_of_list(struct cl_rd list, size_t prefix)
{
    uint16_t v;
    assert_true(cl_rd_skip(&list, prefix) && cl_rd_u16(&list, &v));
    return v;
}

static struct seen hello_of(struct cleat_tls_builder *b, struct test_pair *p)
{
    test_pair_make(p, test_finish(b), test_server_config(), NULL);
    test_pair_run(p);
    test_assert_ready(p);
    return look(test_message(&p->client, true, CL_HT_CLIENT_HELLO, 0));
}

static void test_reserved_values_stand_in_every_list(void **state)
{
    for (counter = 0; counter < 400; counter += 20) {
        struct test_pair p;
        struct seen s = hello_of(greased(), &p);
        assert_true(is_grease(s.suite));
        assert_true(is_grease(s.types[0]) && s.bodies[0].len == 0);
        assert_true(is_grease(s.types[s.num - 1]) && s.bodies[s.num - 1].len == 1);
        assert_int_not_equal(s.types[0], s.types[s.num - 1]);
        uint16_t group = first_of_list(body_of(&s, CL_ET_SUPPORTED_GROUPS), 2);
        assert_true(is_grease(group));
        assert_int_equal(first_of_list(body_of(&s, CL_ET_KEY_SHARE), 2), group);
        assert_true(is_grease(first_of_list(body_of(&s, CL_ET_SUPPORTED_VERSIONS), 1)));
        assert_true(is_grease(first_of_list(body_of(&s, CL_ET_SIGNATURE_ALGORITHMS), 2)));
        test_assert_echo(&p);
        test_pair_drop(&p);
    }
}

static void test_the_order_changes_and_is_the_same_under_fixed_randomness(void **state)
{
    struct test_pair p;
    struct seen s[3];
    for (int i = 0; i < 3; i++) {
        counter = i == 2 ? 77 : 5;
        s[i] = hello_of(greased(), &p);
        test_pair_drop(&p);
    }
    assert_int_equal(s[0].num, s[2].num);
    assert_memory_equal(s[0].types, s[1].types, sizeof(s[0].types));
    assert_memory_not_equal(s[0].types, s[2].types, sizeof(s[0].types));
}

static void test_by_default_a_library_client_does_both(void **state)
{
    struct cleat_tls_builder *b;
    struct cleat_tls_config *config;
    struct cleat_tls *tls;
    struct test_end e = {0};
    struct cl_buf out = {0};
    assert_int_equal(cleat_tls_builder_new(CLEAT_CLIENT, &b), CLEAT_OK);
    cleat_tls_builder_clock(b, test_clock, NULL);
    assert_int_equal(cleat_tls_builder_trust(b, world.ca.store), CLEAT_OK);
    config = test_finish(b);
    assert_int_equal(cleat_tls_client_new(config, "localhost", NULL, NULL, &tls), CLEAT_OK);
    e.tls = tls;
    test_end_step(&e, &out, 0);
    assert_true(is_grease(look(cl_rd_of(out.p + 5, out.len - 5)).suite));
    cl_buf_deinit(&out);
    cleat_tls_free(tls);
    cleat_tls_config_free(config);
}

static void test_a_retry_repeats_values_and_order_with_one_share(void **state)
{
    struct cleat_tls_builder *c = greased();
    struct cleat_tls_builder *s = test_server_builder();
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_groups(c, "X25519:P-256"), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_groups(s, "P-256"), CLEAT_OK);
    test_pair_make(&p, test_finish(c), test_finish(s), NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_true(test_info(&p.client).hello_retry);
    struct seen first = look(test_message(&p.client, true, CL_HT_CLIENT_HELLO, 0));
    struct seen second = look(test_message(&p.client, true, CL_HT_CLIENT_HELLO, 1));
    assert_int_equal(first.suite, second.suite);
    size_t k = 0;
    for (size_t i = 0; i < second.num; i++) {
        if (second.types[i] == CL_ET_COOKIE) {
            continue;
        }
        assert_int_equal(second.types[i], first.types[k]);
        if (second.types[i] != CL_ET_KEY_SHARE) {
            assert_true(cl_rd_equal(second.bodies[i], first.bodies[k]));
        }
        k++;
    }
    assert_int_equal(k, first.num);
    assert_int_equal(first_of_list(body_of(&second, CL_ET_KEY_SHARE), 2), 23);
    test_pair_drop(&p);
}

static void test_pre_shared_key_stays_the_last(void **state)
{
    struct cleat_ticket_keys *keys;
    assert_int_equal(cleat_ticket_keys_new(0, &keys), CLEAT_OK);
    for (counter = 0; counter < 200; counter += 20) {
        struct cleat_tls_builder *s = test_server_builder();
        struct test_pair p;
        assert_int_equal(cleat_tls_builder_tickets(s, keys, 1), CLEAT_OK);
        struct cleat_tls_config *server = test_finish(s);
        struct cleat_tls_config *client = test_finish(greased());
        test_pair_make(&p, cleat_tls_config_ref(client), cleat_tls_config_ref(server), NULL);
        test_pair_run(&p);
        struct cleat_tls_session *session = cleat_tls_take_session(p.client.tls);
        test_pair_drop(&p);
        test_pair_make(&p, client, server, session);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_true(test_info(&p.server).resumed);
        struct seen seen = look(test_message(&p.client, true, CL_HT_CLIENT_HELLO, 0));
        assert_int_equal(seen.types[seen.num - 1], CL_ET_PRE_SHARED_KEY);
        assert_true(is_grease(seen.types[seen.num - 2]));
        test_pair_drop(&p);
        cleat_tls_session_free(session);
    }
    cleat_ticket_keys_free(keys);
}

/* ---- servers that take a reserved value for real ---- */

static uint16_t answer_with;

static void put_suite(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                      size_t start)
{
    struct seen s = look(cl_buf_view(&tls->hs->hello));
    flight->p[start + 4 + 34 + 1 + 32] = (uint8_t)(s.suite >> 8);
    flight->p[start + 4 + 34 + 1 + 33] = (uint8_t)s.suite;
}

static void put_in_extension(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                             size_t start)
{
    size_t at = test_ext_find(flight, start, e->ext);
    struct seen s = look(cl_buf_view(&tls->hs->hello));
    answer_with = e->ext == CL_ET_SUPPORTED_VERSIONS
                      ? first_of_list(body_of(&s, CL_ET_SUPPORTED_VERSIONS), 1)
                      : first_of_list(body_of(&s, CL_ET_SUPPORTED_GROUPS), 2);
    assert_true(at != 0);
    flight->p[at + 4] = (uint8_t)(answer_with >> 8);
    flight->p[at + 5] = (uint8_t)answer_with;
}

static void add_extension(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                          size_t start)
{
    e->ext = look(cl_buf_view(&tls->hs->hello)).types[0];
    e->hex = "";
    test_edit_ext_append(e, tls, flight, start);
}

static void test_an_answer_with_a_reserved_value_is_refused(void **state)
{
    static const struct {
        uint8_t message;
        uint16_t ext;
        void (*edit)(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                     size_t start);
        int code;
        uint8_t alert;
    } rows[] = {
        {2, 0, put_suite, CLEAT_ERR_ILLEGAL_PARAMETER, 47},
        {2, CL_ET_SUPPORTED_VERSIONS, put_in_extension, CLEAT_ERR_ILLEGAL_PARAMETER, 47},
        {2, CL_ET_KEY_SHARE, put_in_extension, CLEAT_ERR_ILLEGAL_PARAMETER, 47},
        {8, 0, add_extension, CLEAT_ERR_UNSUPPORTED_EXTENSION, 110},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cleat_tls_builder *s = test_server_builder();
        struct test_edit edit = {.type = rows[i].message, .ext = rows[i].ext, .edit = rows[i].edit};
        struct test_pair p;
        test_builder_edit(s, &edit);
        test_pair_make(&p, test_finish(greased()), test_finish(s), NULL);
        test_pair_run(&p);
        const struct cleat_error *err = cleat_tls_error(p.client.tls);
        assert_int_equal(err->code, rows[i].code);
        assert_int_equal(err->alert, rows[i].alert);
        test_pair_drop(&p);
    }
}

static void test_a_retry_for_a_reserved_group_is_refused(void **state)
{
    struct test_edit edit = {.type = 2, .ext = CL_ET_KEY_SHARE, .edit = put_in_extension};
    struct cleat_tls_builder *c = greased();
    struct cleat_tls_builder *s = test_server_builder();
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_groups(c, "X25519:P-256"), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_groups(s, "P-256"), CLEAT_OK);
    test_builder_edit(s, &edit);
    test_pair_make(&p, test_finish(c), test_finish(s), NULL);
    test_pair_run(&p);
    test_assert_failed(&p.client, &p.server, CLEAT_ERR_ILLEGAL_PARAMETER, 47);
    test_pair_drop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reserved_values_stand_in_every_list),
        cmocka_unit_test(test_the_order_changes_and_is_the_same_under_fixed_randomness),
        cmocka_unit_test(test_by_default_a_library_client_does_both),
        cmocka_unit_test(test_a_retry_repeats_values_and_order_with_one_share),
        cmocka_unit_test(test_pre_shared_key_stays_the_last),
        cmocka_unit_test(test_an_answer_with_a_reserved_value_is_refused),
        cmocka_unit_test(test_a_retry_for_a_reserved_group_is_refused),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
