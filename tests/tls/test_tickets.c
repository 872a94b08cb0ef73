/* tests/tls/test_tickets.c - tickets and stored sessions as bytes: damaged, foreign, forged, too
 * many; the ring of keys they are sealed with. */
#include <string.h>

#include "tls/conn.h"
#include "tls/support_tls.h"

static struct cleat_ticket_keys *keys;

static int setup(void **state)
{
    int r = test_fixed_world_setup(state);
    assert_int_equal(cleat_ticket_keys_new(3600, &keys), CLEAT_OK);
    return r;
}

static int teardown(void **state)
{
    cleat_ticket_keys_free(keys);
    return test_world_teardown(state);
}

static struct cleat_tls_config *server_issuing(unsigned num)
{
    struct cleat_tls_builder *b = test_server_builder();
    assert_int_equal(cleat_tls_builder_tickets(b, keys, num), CLEAT_OK);
    return test_finish(b);
}

static struct cleat_tls_session *a_session(void)
{
    return test_session_of(test_client_config(), server_issuing(1), "localhost");
}

/* ---- forged ---- */

static void assert_full(struct cleat_tls_session *session, const char *what, size_t at)
{
    struct test_pair p;
    test_pair_make(&p, test_client_config(), server_issuing(1), session);
    test_pair_run(&p);
    if (p.client.next != CLEAT_TLS_READY || test_info(&p.client).resumed) {
        fail_msg("%s at %zu: %s", what, at, cleat_tls_error(p.client.tls)->text);
    }
    test_pair_drop(&p);
}

static void test_a_ticket_with_any_byte_changed_leads_to_a_full_handshake(void **state)
{
    struct cleat_tls_session *session = a_session();
    for (size_t i = 0; i < session->ticket.len; i++) {
        session->ticket.p[i] ^= 0xff;
        assert_full(session, "flipped", i);
        session->ticket.p[i] ^= 0xff ^ 1;
        assert_full(session, "one bit", i);
        session->ticket.p[i] ^= 1;
    }
    cleat_tls_session_free(session);
}

static void test_a_ticket_cut_at_any_length_leads_to_a_full_handshake(void **state)
{
    struct cleat_tls_session *session = a_session();
    size_t len = session->ticket.len;
    for (size_t i = 1; i < len; i++) {
        session->ticket.len = i;
        assert_full(session, "cut", i);
    }
    session->ticket.len = len;
    cleat_tls_session_free(session);
}

static void test_a_ticket_of_other_keys_leads_to_a_full_handshake(void **state)
{
    struct cleat_tls_session *session = a_session();
    struct cleat_ticket_keys *old = keys;
    assert_int_equal(cleat_ticket_keys_new(3600, &keys), CLEAT_OK);
    assert_full(session, "foreign", 0);
    cleat_ticket_keys_free(keys);
    keys = old;
    cleat_tls_session_free(session);
}

static void test_a_wrong_binder_is_a_decrypt_error(void **state)
{
    struct cleat_tls_session *session = a_session();
    struct test_pair p;
    session->psk.bytes[5] ^= 1;
    test_pair_make(&p, test_client_config(), server_issuing(1), session);
    test_pair_run(&p);
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_DECRYPT_ERROR, 51);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

static void edit_binder(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                        size_t start)
{
    (void)tls;
    (void)start;
    flight->p[flight->len - 1 - e->ext] ^= 0x80;
}

static void test_a_binder_with_any_byte_changed_is_a_decrypt_error(void **state)
{
    struct cleat_tls_session *session = a_session();
    for (uint16_t i = 0; i < 32; i++) {
        struct test_edit edit = {.type = 1, .edit = edit_binder, .ext = i};
        struct cleat_tls_builder *c = test_client_builder();
        struct test_pair p;
        test_builder_edit(c, &edit);
        test_pair_make(&p, test_finish(c), server_issuing(1), session);
        test_pair_run(&p);
        test_assert_failed(&p.server, &p.client, CLEAT_ERR_DECRYPT_ERROR, 51);
        test_pair_drop(&p);
    }
    cleat_tls_session_free(session);
}

/* The ticket is good, the hello around it was changed: the binder notices. */
static void test_the_binder_covers_the_hello_in_front_of_it(void **state)
{
    struct cleat_tls_session *session = a_session();
    struct test_edit edit = {.type = 1, .edit = test_edit_ext_put, .ext = 0xfafa, .hex = "00"};
    struct cleat_tls_builder *c = test_client_builder();
    struct test_pair p;
    test_builder_edit(c, &edit);
    test_pair_make(&p, test_finish(c), server_issuing(1), session);
    test_pair_run(&p);
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_DECRYPT_ERROR, 51);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

static void test_offers_that_break_the_rules_are_refused(void **state)
{
    static const struct {
        const char *what;
        struct test_edit edit;
        int code;
        uint8_t alert;
    } rows[] = {
        {"no modes", {.edit = test_edit_ext_remove, .ext = 45}, CLEAT_ERR_MISSING_EXTENSION, 109},
        {"modes empty", {.edit = test_edit_ext_put, .ext = 45, .hex = "00"}, CLEAT_ERR_DECODE, 50},
        {"not last",
         {.edit = test_edit_ext_append, .ext = 0xfafa, .hex = ""},
         CLEAT_ERR_ILLEGAL_PARAMETER,
         47},
        {"no identities",
         {.edit = test_edit_ext_put, .ext = 41, .hex = "00000000"},
         CLEAT_ERR_DECODE,
         50},
        {"an empty identity",
         {.edit = test_edit_ext_put,
          .ext = 41,
          .hex = "0006000000000000"
                 "0021200000000000000000000000000000000000000000000000000000000000000000"},
         CLEAT_ERR_DECODE,
         50},
        {"two identities, one binder",
         {.edit = test_edit_ext_put,
          .ext = 41,
          .hex = "000e0001aa000000000001bb00000000"
                 "0021200000000000000000000000000000000000000000000000000000000000000000"},
         CLEAT_ERR_ILLEGAL_PARAMETER,
         47},
        {"a short binder",
         {.edit = test_edit_ext_put,
          .ext = 41,
          .hex = "00070001aa00000000"
                 "00201f00000000000000000000000000000000000000000000000000000000000000"},
         CLEAT_ERR_DECODE,
         50},
        {"bytes behind",
         {.edit = test_edit_ext_put,
          .ext = 41,
          .hex = "00070001aa00000000"
                 "002120000000000000000000000000000000000000000000000000000000000000000000"},
         CLEAT_ERR_DECODE,
         50},
    };
    struct cleat_tls_session *session = a_session();
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct test_edit edit = rows[i].edit;
        struct cleat_tls_builder *c = test_client_builder();
        struct test_pair p;
        edit.type = 1;
        test_builder_edit(c, &edit);
        test_pair_make(&p, test_finish(c), server_issuing(1), session);
        test_pair_run(&p);
        print_message("%s\n", rows[i].what);
        test_assert_failed(&p.server, &p.client, rows[i].code, rows[i].alert);
        test_pair_drop(&p);
    }
    cleat_tls_session_free(session);
}

static void test_psk_without_key_exchange_is_not_taken_and_gets_no_ticket(void **state)
{
    struct cleat_tls_session *session = a_session();
    struct test_edit edit = {.type = 1, .edit = test_edit_ext_put, .ext = 45, .hex = "0100"};
    struct cleat_tls_builder *c = test_client_builder();
    struct test_pair p;
    test_builder_edit(c, &edit);
    test_pair_make(&p, test_finish(c), server_issuing(2), session);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_false(test_info(&p.server).resumed);
    assert_int_equal(test_count_messages(&p.server, true, 4), 0);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

/* ---- how many ---- */

static void test_as_many_tickets_come_as_were_asked_for(void **state)
{
    for (unsigned num = 0; num <= 8; num++) {
        struct test_pair p;
        struct cleat_tls_session *got[9];
        size_t taken = 0;
        test_pair_make(&p, test_client_config(), server_issuing(num), NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_int_equal(test_count_messages(&p.client, false, 4), num);
        while ((got[taken] = cleat_tls_take_session(p.client.tls)) != NULL) {
            taken++;
        }
        assert_int_equal(taken, num);
        for (size_t i = 0; i < taken; i++) {
            for (size_t k = 0; k < i; k++) {
                assert_memory_not_equal(got[i]->psk.bytes, got[k]->psk.bytes, 32);
                assert_int_not_equal(got[i]->age_add, got[k]->age_add);
            }
        }
        for (size_t i = 0; i < taken; i++) {
            cleat_tls_session_free(got[i]);
        }
        test_pair_drop(&p);
    }
}

static void test_each_of_several_tickets_resumes(void **state)
{
    struct test_pair p;
    struct cleat_tls_session *session;
    test_pair_make(&p, test_client_config(), server_issuing(4), NULL);
    test_pair_run(&p);
    while ((session = cleat_tls_take_session(p.client.tls)) != NULL) {
        struct test_pair q;
        test_pair_make(&q, test_client_config(), server_issuing(4), session);
        test_pair_run(&q);
        test_assert_ready(&q);
        assert_true(test_info(&q.server).resumed);
        assert_int_equal(test_count_messages(&q.server, true, 4), 1);
        test_pair_drop(&q);
        cleat_tls_session_free(session);
    }
    test_pair_drop(&p);
}

/* NewSessionTicket messages of our own, from the server's keys. */
static void send_ticket(struct test_pair *p, const char *hex)
{
    struct cl_buf m = test_hex(hex);
    struct cl_buf record = {0};
    m.p[3] = (uint8_t)(m.len - 4);
    test_seal(&p->server.tls->wr, &record, 22, m.p, m.len, 0);
    test_end_feed(&p->client, record.p, record.len);
    cl_buf_deinit(&m);
    cl_buf_deinit(&record);
}

static void test_tickets_are_taken_as_they_say(void **state)
{
    static const struct {
        const char *hex;
        int64_t lifetime; /* -1: none is kept; -2: decode_error */
    } rows[] = {
        {"0400001200000e100000000101000004112233440000", 3600},
        {"04000012000000000000000101000004112233440000", -1},
        {"04000012ffffffff0000000101000004112233440000", 604800},
        {"0400000e00000e1000000001010000000000", -2},                   /* no ticket */
        {"0400001600000e100000000101000004112233440004fafa0000", 3600}, /* GREASE extension */
        {"0400001a00000e100000000101000004112233440008002a00040000ffff", 3600},
        {"0400001800000e100000000101000004112233440006002a00020000", -2},
        {"0400001300000e10000000010100000411223344000000", -2},
        {"0400001000000e10000000010100000411223344", -2},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct test_pair p;
        test_pair_make(&p, test_client_config(), test_finish(test_server_builder()), NULL);
        test_pair_run(&p);
        send_ticket(&p, rows[i].hex);
        test_pair_run(&p);
        struct cleat_tls_session *session = cleat_tls_take_session(p.client.tls);
        if (rows[i].lifetime == -2) {
            test_assert_failed(&p.client, &p.server, CLEAT_ERR_DECODE, 50);
        } else {
            test_assert_ready(&p);
            assert_int_equal(session != NULL ? (int64_t)session->lifetime : -1, rows[i].lifetime);
        }
        cleat_tls_session_free(session);
        test_pair_drop(&p);
    }
}

static void test_tickets_without_end_are_refused(void **state)
{
    struct test_pair p;
    test_pair_make(&p, test_client_config(), test_finish(test_server_builder()), NULL);
    test_pair_run(&p);
    for (int i = 0; i < 33; i++) {
        send_ticket(&p, "0400001200000e100000000101000004112233440000");
    }
    test_pair_run(&p);
    test_assert_failed(&p.client, &p.server, CLEAT_ERR_TOO_MANY_RECORDS, 10);
    test_pair_drop(&p);
}

/* ---- the ring of keys ---- */

static struct cl_ticket ticket_for(uint64_t now)
{
    struct cl_ticket t = {.version = CLEAT_TLS_1_3,
                          .suite = 0x1301,
                          .created_ms = now,
                          .expires_ms = now + UINT64_C(1000) * CL_TICKET_MAX_LIFETIME};
    t.psk.len = 32;
    memset(t.psk.bytes, 7, 32);
    t.server_name = cl_rd_str("localhost");
    return t;
}

static void test_an_old_key_opens_for_one_more_life(void **state)
{
    struct cleat_ticket_keys *ring;
    struct cl_buf first = {0};
    struct cl_buf second = {0};
    struct cl_buf plain = {0};
    struct cl_ticket t = ticket_for(TEST_NOW_MS);
    uint64_t life = 3600000;
    assert_int_equal(cleat_ticket_keys_new(3600, &ring), CLEAT_OK);
    assert_int_equal(cl_ticket_seal(ring, &cl_rng_system, TEST_NOW_MS, &t, &first), CL_OK);
    assert_true(cl_ticket_open(ring, TEST_NOW_MS + life - 1, cl_buf_view(&first), &plain, &t));
    assert_int_equal(cl_ticket_seal(ring, &cl_rng_system, TEST_NOW_MS + life, &t, &second), CL_OK);
    assert_memory_not_equal(first.p, second.p, 16); /* another key's name */
    assert_true(cl_ticket_open(ring, TEST_NOW_MS + 2 * life - 1, cl_buf_view(&first), &plain, &t));
    assert_true(cl_rd_equal_str(t.server_name, "localhost"));
    assert_false(cl_ticket_open(ring, TEST_NOW_MS + 2 * life, cl_buf_view(&first), &plain, &t));
    assert_true(cl_ticket_open(ring, TEST_NOW_MS + 2 * life, cl_buf_view(&second), &plain, &t));
    assert_false(cl_ticket_open(ring, TEST_NOW_MS + 3 * life, cl_buf_view(&second), &plain, &t));
    cl_buf_deinit(&first);
    cl_buf_deinit(&second);
    cl_buf_deinit(&plain);
    cleat_ticket_keys_free(ring);
}

static void test_a_ring_takes_lifetimes_of_an_hour_to_seven_days(void **state)
{
    struct cleat_ticket_keys *ring;
    assert_int_equal(cleat_ticket_keys_new(3599, &ring), CLEAT_ERR_BAD_CONFIG);
    assert_int_equal(cleat_ticket_keys_new(604801, &ring), CLEAT_ERR_BAD_CONFIG);
    assert_int_equal(cleat_ticket_keys_new(0, &ring), CLEAT_OK);
    assert_int_equal(cl_ticket_lifetime(ring), 86400);
    cleat_ticket_keys_free(ring);
}

/* ---- stored sessions ---- */

static size_t exported(const struct cleat_tls_session *session, uint8_t *out, size_t cap)
{
    size_t len = 10;
    assert_int_equal(cleat_tls_session_export(session, out, &len), CLEAT_ERR_LIMIT);
    assert_true(len > 10 && len <= cap);
    assert_int_equal(cleat_tls_session_export(session, out, &len), CLEAT_OK);
    return len;
}

static void test_a_stored_session_resumes(void **state)
{
    uint8_t bytes[4096];
    struct cleat_tls_session *session = a_session();
    struct cleat_tls_session *back;
    struct test_pair p;
    size_t len = exported(session, bytes, sizeof(bytes));
    assert_int_equal(cleat_tls_session_import(bytes, len, &back), CLEAT_OK);
    test_pair_make(&p, test_client_config(), server_issuing(1), back);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_true(test_info(&p.client).resumed);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
    cleat_tls_session_free(back);
}

static void test_a_stored_session_cut_or_lengthened_is_refused(void **state)
{
    uint8_t bytes[4096];
    struct cleat_tls_session *session = a_session();
    struct cleat_tls_session *back = NULL;
    size_t len = exported(session, bytes, sizeof(bytes));
    for (size_t i = 0; i < len; i++) {
        uint8_t *copy = test_malloc(i + 1); /* its own block: a read behind it is found */
        memcpy(copy, bytes, i);
        assert_int_equal(cleat_tls_session_import(copy, i, &back), CLEAT_ERR_DECODE);
        test_free(copy);
    }
    bytes[len] = 0;
    assert_int_equal(cleat_tls_session_import(bytes, len + 1, &back), CLEAT_ERR_DECODE);
    cleat_tls_session_free(session);
}

/* A changed byte is refused, or keeps the session from being offered or taken, or does not matter;
 * it never makes the two ends disagree. */
static void test_a_stored_session_with_any_byte_changed_does_no_harm(void **state)
{
    uint8_t bytes[4096];
    struct cleat_tls_session *session = a_session();
    size_t len = exported(session, bytes, sizeof(bytes));
    size_t num_refused = 0;
    for (size_t i = 0; i < len; i++) {
        struct cleat_tls_session *back = NULL;
        bytes[i] ^= 0xff;
        int r = cleat_tls_session_import(bytes, len, &back);
        bytes[i] ^= 0xff;
        if (r != CLEAT_OK) {
            assert_int_equal(r, CLEAT_ERR_DECODE);
            num_refused++;
            continue;
        }
        struct test_pair p;
        test_pair_make(&p, test_client_config(), server_issuing(1), back);
        test_pair_run(&p);
        if (p.server.next == CLEAT_TLS_FAILED) {
            test_assert_failed(&p.server, &p.client, CLEAT_ERR_DECRYPT_ERROR, 51);
        } else {
            test_assert_ready(&p);
            assert_int_equal(test_info(&p.client).resumed, test_info(&p.server).resumed);
            test_assert_echo(&p);
        }
        test_pair_drop(&p);
        cleat_tls_session_free(back);
    }
    assert_true(num_refused > 10);
    cleat_tls_session_free(session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_ticket_with_any_byte_changed_leads_to_a_full_handshake),
        cmocka_unit_test(test_a_ticket_cut_at_any_length_leads_to_a_full_handshake),
        cmocka_unit_test(test_a_ticket_of_other_keys_leads_to_a_full_handshake),
        cmocka_unit_test(test_a_wrong_binder_is_a_decrypt_error),
        cmocka_unit_test(test_a_binder_with_any_byte_changed_is_a_decrypt_error),
        cmocka_unit_test(test_the_binder_covers_the_hello_in_front_of_it),
        cmocka_unit_test(test_offers_that_break_the_rules_are_refused),
        cmocka_unit_test(test_psk_without_key_exchange_is_not_taken_and_gets_no_ticket),
        cmocka_unit_test(test_as_many_tickets_come_as_were_asked_for),
        cmocka_unit_test(test_each_of_several_tickets_resumes),
        cmocka_unit_test(test_tickets_are_taken_as_they_say),
        cmocka_unit_test(test_tickets_without_end_are_refused),
        cmocka_unit_test(test_an_old_key_opens_for_one_more_life),
        cmocka_unit_test(test_a_ring_takes_lifetimes_of_an_hour_to_seven_days),
        cmocka_unit_test(test_a_stored_session_resumes),
        cmocka_unit_test(test_a_stored_session_cut_or_lengthened_is_refused),
        cmocka_unit_test(test_a_stored_session_with_any_byte_changed_does_no_harm),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
