/* tests/tls/test_tls12_downgrade.c - every version at each end against every tampering on the way:
 * nobody is talked down to less than both can do; and what TLS 1.2 demands of its peers: extended
 * master secret, renegotiation refused. */
#include <string.h>

#include "tls/conn.h"
#include "tls/support_tls.h"
#include "tls/wire.h"

/* ---- the matrix ---- */

enum tampering {
    NOTHING,
    VERSIONS_STRIPPED, /* supported_versions taken out of the ClientHello */
    VERSION_LOWERED,   /* the same, and legacy_version 0x0302 */
    ONLY_12_LISTED,    /* supported_versions says 1.2 alone */
    SENTINEL_REMOVED,  /* stripped, and the server's random made to look innocent */
    SENTINEL_ADDED,    /* the server's random ends as a downgraded one */
    NUM_TAMPERINGS,
};

static const char *const tampering_names[] = {"nothing",          "versions stripped",
                                              "version lowered",  "1.2 listed alone",
                                              "sentinel removed", "sentinel added"};

static void tamper_hello(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                         size_t start)
{
    struct test_edit inner = {.ext = CL_ET_SUPPORTED_VERSIONS, .hex = "020303"};
    if (e->ext == ONLY_12_LISTED) {
        if (test_ext_find(flight, start, CL_ET_SUPPORTED_VERSIONS) != 0) {
            test_edit_ext_put(&inner, tls, flight, start);
        }
    } else if (test_ext_find(flight, start, CL_ET_SUPPORTED_VERSIONS) != 0) {
        test_edit_ext_remove(&inner, tls, flight, start);
    }
    if (e->ext == VERSION_LOWERED) {
        flight->p[start + 5] = 2;
    }
}

static void tamper_answer(void *ctx, bool to_server, size_t at, uint8_t *p, size_t len)
{
    const enum tampering *what = ctx;
    static const uint8_t sentinel[] = {'D', 'O', 'W', 'N', 'G', 'R', 'D', 1};
    /* record header, message header, version; then the random */
    size_t tail = 5 + 4 + 2 + 24;
    if (!to_server && at == 0 && len > tail + 8 && p[0] == 22 && p[5] == 2) {
        if (*what == SENTINEL_REMOVED) {
            memset(p + tail, 0x55, 8);
        } else {
            memcpy(p + tail, sentinel, 8);
        }
    }
}

struct versions {
    uint16_t min;
    uint16_t max;
};
static const struct versions ends[] = {
    {CLEAT_TLS_1_2, CLEAT_TLS_1_2},
    {CLEAT_TLS_1_2, CLEAT_TLS_1_3},
    {CLEAT_TLS_1_3, CLEAT_TLS_1_3},
};

static uint16_t best(const struct versions *a, const struct versions *b)
{
    uint16_t v = a->max < b->max ? a->max : b->max;
    return v >= a->min && v >= b->min ? v : 0;
}

/* Runs one cell; the version that both ends agree on, or 0. */
static uint16_t agreed(const struct versions *client, const struct versions *server,
                       enum tampering what, struct test_pair *p)
{
    struct test_edit edit = {
        .type = CL_HT_CLIENT_HELLO, .edit = tamper_hello, .ext = (uint16_t)what};
    struct cleat_tls_builder *c = test_client_builder();
    struct cleat_tls_builder *s = test_server_builder();
    enum tampering copy = what;
    assert_int_equal(cleat_tls_builder_versions(c, client->min, client->max), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_versions(s, server->min, server->max), CLEAT_OK);
    if (what != NOTHING && what != SENTINEL_ADDED) {
        test_builder_edit(c, &edit);
    }
    test_pair_make(p, test_finish(c), test_finish(s), NULL);
    if (what == SENTINEL_REMOVED || what == SENTINEL_ADDED) {
        p->tamper = tamper_answer;
        p->tamper_ctx = &copy;
    }
    test_pair_run(p);
    bool ready = p->client.next == CLEAT_TLS_READY && p->server.next == CLEAT_TLS_READY;
    return ready ? test_info(&p->client).version : 0;
}

static void test_no_tampering_leads_to_less_than_both_can_do(void **state)
{
    for (size_t c = 0; c < TEST_LEN(ends); c++) {
        for (size_t s = 0; s < TEST_LEN(ends); s++) {
            for (int what = 0; what < NUM_TAMPERINGS; what++) {
                struct test_pair p;
                uint16_t wanted = best(&ends[c], &ends[s]);
                uint16_t got = agreed(&ends[c], &ends[s], (enum tampering)what, &p);
                if (what == NOTHING ? got != wanted : got != 0 && got != wanted) {
                    fail_msg("client %zu, server %zu, %s: 0x%04x instead of 0x%04x", c, s,
                             tampering_names[what], got, wanted);
                }
                test_pair_drop(&p);
            }
        }
    }
}

/* The tampered hello is what our client takes for sent (the hook is in front of its transcript), so
 * that only the sentinel is left to tell: it does. */
static void test_the_sentinel_alone_tells_of_a_stripped_hello(void **state)
{
    for (int what = VERSIONS_STRIPPED; what <= ONLY_12_LISTED; what++) {
        struct test_pair p;
        if (what != VERSION_LOWERED) {
            assert_int_equal(agreed(&ends[1], &ends[1], (enum tampering)what, &p), 0);
            test_assert_failed(&p.client, &p.server, CLEAT_ERR_DOWNGRADE, 47);
            test_pair_drop(&p);
        }
    }
}

static void test_a_removed_sentinel_breaks_the_signature(void **state)
{
    struct test_pair p;
    assert_int_equal(agreed(&ends[1], &ends[1], SENTINEL_REMOVED, &p), 0);
    test_assert_failed(&p.client, &p.server, CLEAT_ERR_DECRYPT_ERROR, 51);
    test_pair_drop(&p);
}

static void test_a_server_of_12_alone_sends_no_sentinel(void **state)
{
    struct test_pair p;
    assert_int_equal(agreed(&ends[1], &ends[0], NOTHING, &p), CLEAT_TLS_1_2);
    struct cl_rd hello = test_message(&p.server, true, CL_HT_SERVER_HELLO, 0);
    assert_memory_not_equal(hello.p + 4 + 2 + 24, "DOWNGRD", 7);
    test_pair_drop(&p);
    assert_int_equal(agreed(&ends[0], &ends[1], NOTHING, &p), CLEAT_TLS_1_2);
    hello = test_message(&p.server, true, CL_HT_SERVER_HELLO, 0);
    assert_memory_equal(hello.p + 4 + 2 + 24, "DOWNGRD\x01", 8);
    test_pair_drop(&p);
}

static void test_a_fallback_is_refused_by_a_server_that_can_do_better(void **state)
{
    for (int server = 0; server < 2; server++) {
        struct cleat_tls_builder *c = test_client_builder();
        struct cleat_tls_builder *s = test_server_builder();
        struct test_pair p;
        cleat_tls_builder_fallback(c, true);
        assert_int_equal(cleat_tls_builder_versions(c, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_versions(s, ends[server].min, ends[server].max),
                         CLEAT_OK);
        test_pair_make(&p, test_finish(c), test_finish(s), NULL);
        test_pair_run(&p);
        if (server == 0) {
            test_assert_ready(&p);
        } else {
            test_assert_failed(&p.server, &p.client, CLEAT_ERR_INAPPROPRIATE_FALLBACK, 86);
        }
        test_pair_drop(&p);
    }
}

static void test_a_fallback_that_offers_the_highest_version_is_harmless(void **state)
{
    struct cleat_tls_builder *c = test_client_builder();
    struct test_pair p;
    cleat_tls_builder_fallback(c, true);
    test_pair_make(&p, test_finish(c), test_server_config(), NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_int_equal(test_info(&p.client).version, CLEAT_TLS_1_3);
    struct cl_rd hello = test_message(&p.client, true, CL_HT_CLIENT_HELLO, 0);
    assert_non_null(memmem(hello.p, hello.len, "\x56\x00", 2));
    test_pair_drop(&p);
}

/* ---- the extended master secret ---- */

static void make_pair(struct test_pair *p, bool client_lacks, bool client_allows,
                      bool server_allows, struct cleat_ticket_keys *keys)
{
    static struct test_edit edits[2];
    struct cleat_tls_builder *c = test_client_builder();
    struct cleat_tls_builder *s = test_server_builder();
    edits[0] = (struct test_edit){.type = CL_HT_CLIENT_HELLO,
                                  .edit = test_edit_ext_remove,
                                  .ext = CL_ET_EXTENDED_MASTER_SECRET};
    assert_int_equal(cleat_tls_builder_versions(c, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
    cleat_tls_builder_master_secret(c, !client_allows);
    cleat_tls_builder_master_secret(s, !server_allows);
    if (client_lacks) {
        test_builder_edit(c, &edits[0]);
    }
    if (keys != NULL) {
        assert_int_equal(cleat_tls_builder_tickets(s, keys, 1), CLEAT_OK);
    }
    test_pair_make(p, test_finish(c), test_finish(s), NULL);
    test_pair_run(p);
}

static void test_the_extended_master_secret_is_required_unless_both_say_otherwise(void **state)
{
    struct test_pair p;
    make_pair(&p, true, true, false, NULL);
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_NO_EXTENDED_MASTER_SECRET, 40);
    test_pair_drop(&p);
    make_pair(&p, true, false, true, NULL);
    test_assert_failed(&p.client, &p.server, CLEAT_ERR_NO_EXTENDED_MASTER_SECRET, 40);
    test_pair_drop(&p);
}

static void test_without_it_there_is_no_session_and_nothing_is_exported(void **state)
{
    struct cleat_ticket_keys *keys;
    struct test_pair p;
    uint8_t out[32];
    assert_int_equal(cleat_ticket_keys_new(0, &keys), CLEAT_OK);
    make_pair(&p, true, true, true, keys);
    test_assert_ready(&p);
    test_assert_echo(&p);
    assert_null(cleat_tls_take_session(p.client.tls));
    assert_int_equal(test_count_messages(&p.server, true, CL_HT_NEW_SESSION_TICKET), 0);
    assert_int_equal(cleat_tls_export(p.client.tls, "EXPORTER-x", NULL, 0, out, sizeof(out)),
                     CLEAT_ERR_UNSUPPORTED);
    assert_int_equal(cleat_tls_export(p.server.tls, "EXPORTER-x", NULL, 0, out, sizeof(out)),
                     CLEAT_ERR_UNSUPPORTED);
    test_pair_drop(&p);
    cleat_ticket_keys_free(keys);
}

/* ---- renegotiation ---- */

static void seal_into(struct test_end *to, struct test_end *from, const uint8_t *p, size_t len)
{
    struct cl_buf out = {0};
    struct cleat_tls_io io = {0};
    assert_int_equal(cl_buf_reserve(&out, len + 64, len + 64), CL_OK);
    io.out = out.p;
    io.out_cap = len + 64;
    assert_int_equal(cl_record_seal(&from->tls->wr, CL_CT_HANDSHAKE, cl_rd_of(p, len), &io), CL_OK);
    test_end_feed(to, out.p, io.out_len);
    cl_buf_deinit(&out);
}

static void test_a_hello_request_is_ignored_and_many_are_too_many(void **state)
{
    static const uint8_t hello_request[] = {0, 0, 0, 0};
    struct test_pair p;
    make_pair(&p, false, false, false, NULL);
    test_assert_ready(&p);
    seal_into(&p.client, &p.server, hello_request, 4);
    test_pair_run(&p);
    test_assert_echo(&p);
    for (int i = 0; i < 33; i++) {
        seal_into(&p.client, &p.server, hello_request, 4);
    }
    test_pair_run(&p);
    assert_int_equal(cleat_tls_error(p.client.tls)->code, CLEAT_ERR_TOO_MANY_RECORDS);
    test_pair_drop(&p);
}

static void ask_for_renegotiation(struct test_pair *p)
{
    struct cl_rd hello = test_message(&p->client, true, CL_HT_CLIENT_HELLO, 0);
    seal_into(&p->server, &p->client, hello.p, hello.len);
}

static void test_renegotiation_is_refused_with_a_warning_and_data_flows_on(void **state)
{
    struct test_pair p;
    make_pair(&p, false, false, false, NULL);
    test_assert_ready(&p);
    for (size_t i = 1; i <= 40; i++) { /* data in between: never too many */
        ask_for_renegotiation(&p);
        test_pair_run(&p);
        assert_int_equal(p.server.log.num_alerts,
                         i < TEST_LEN(p.server.log.alerts) ? i : TEST_LEN(p.server.log.alerts));
        test_assert_echo(&p);
    }
    assert_true(p.server.log.alerts[0].sent);
    assert_int_equal(p.server.log.alerts[0].level, CL_ALERT_WARNING);
    assert_int_equal(p.server.log.alerts[0].alert, CL_ALERT_NO_RENEGOTIATION);
    test_pair_drop(&p);
}

static void test_renegotiation_asked_for_without_end_ends(void **state)
{
    struct test_pair p;
    make_pair(&p, false, false, false, NULL);
    test_assert_ready(&p);
    for (int i = 0; i < 32; i++) {
        ask_for_renegotiation(&p);
    }
    test_pair_run(&p);
    test_assert_ready(&p);
    ask_for_renegotiation(&p);
    test_pair_run(&p);
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_REFUSED, CL_ALERT_NO_RENEGOTIATION);
    test_pair_drop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_tampering_leads_to_less_than_both_can_do),
        cmocka_unit_test(test_the_sentinel_alone_tells_of_a_stripped_hello),
        cmocka_unit_test(test_a_removed_sentinel_breaks_the_signature),
        cmocka_unit_test(test_a_server_of_12_alone_sends_no_sentinel),
        cmocka_unit_test(test_a_fallback_is_refused_by_a_server_that_can_do_better),
        cmocka_unit_test(test_a_fallback_that_offers_the_highest_version_is_harmless),
        cmocka_unit_test(test_the_extended_master_secret_is_required_unless_both_say_otherwise),
        cmocka_unit_test(test_without_it_there_is_no_session_and_nothing_is_exported),
        cmocka_unit_test(test_a_hello_request_is_ignored_and_many_are_too_many),
        cmocka_unit_test(test_renegotiation_is_refused_with_a_warning_and_data_flows_on),
        cmocka_unit_test(test_renegotiation_asked_for_without_end_ends),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
