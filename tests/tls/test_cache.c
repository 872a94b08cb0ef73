/* tests/tls/test_cache.c - a server's sessions by ID: bounds, expiry, threads; resumption by it,
 * and every binding that keeps it from being resumed elsewhere. */
#include <pthread.h>
#include <string.h>

#include "cleat/tls_auth.h"
#include "tls/cache.h"
#include "tls/conn.h"
#include "tls/support_tls.h"

#define MEMORY 65536

static struct cl_ticket a_ticket(uint64_t expires_ms, size_t cert_len)
{
    static const uint8_t cert[CL_TICKET_MAX_LEN];
    struct cl_ticket t = {.version = 0x0303, .suite = 0xc02b, .expires_ms = expires_ms};
    t.psk.len = 48;
    memset(t.psk.bytes, 7, 48);
    t.peer_cert = cl_rd_of(cert, cert_len);
    return t;
}

static void make_id(uint64_t n, uint8_t id[CL_SESSION_ID_LEN])
{
    struct cl_hash h;
    cl_hash_init(&h, CL_HASH_SHA256);
    cl_hash_update(&h, &n, sizeof(n));
    cl_hash_peek(&h, id);
}

static bool has(struct cleat_session_cache *cache, uint64_t n, uint64_t now)
{
    uint8_t id[CL_SESSION_ID_LEN];
    struct cl_buf plain = {0};
    struct cl_ticket t;
    make_id(n, id);
    bool found = cl_cache_get(cache, now, cl_rd_of(id, sizeof(id)), &plain, &t);
    if (found) {
        assert_int_equal(t.psk.len, 48);
        assert_int_equal(t.psk.bytes[47], 7);
    }
    cl_buf_deinit(&plain);
    return found;
}

static void put(struct cleat_session_cache *cache, uint64_t n, uint64_t expires_ms, size_t cert_len)
{
    uint8_t id[CL_SESSION_ID_LEN];
    struct cl_ticket t = a_ticket(expires_ms, cert_len);
    make_id(n, id);
    assert_int_equal(cl_cache_put(cache, id, &t), CL_OK);
}

static struct cleat_session_cache *a_cache(size_t memory)
{
    struct cleat_session_cache *cache;
    assert_int_equal(cleat_session_cache_new(memory, 0, &cache), CLEAT_OK);
    return cache;
}

/* ---- the cache alone ---- */

static void test_memory_stays_within_its_bound_and_what_was_used_last_stays(void **state)
{
    struct cleat_session_cache *cache = a_cache(MEMORY);
    struct cleat_session_cache_stats stats;
    for (uint64_t n = 0; n < 5000; n++) {
        put(cache, n, 1000, n % 3 == 0 ? 700 : 0);
        assert_true(has(cache, n, 0));
        cleat_session_cache_stats(cache, &stats);
        assert_in_range(stats.memory, 1, MEMORY);
    }
    assert_in_range(stats.num, 30, 250);
    assert_int_equal(stats.num + stats.evictions, 5000);
    assert_false(has(cache, 0, 0));
    cleat_session_cache_free(cache);
}

static void test_a_session_that_is_used_outlives_others(void **state)
{
    struct cleat_session_cache *cache = a_cache(MEMORY);
    put(cache, 1000000, 1000, 0);
    for (uint64_t n = 0; n < 2000; n++) {
        put(cache, n, 1000, 0);
        assert_true(has(cache, 1000000, 0));
    }
    assert_false(has(cache, 0, 0));
    cleat_session_cache_free(cache);
}

static void test_an_expired_session_is_not_found_and_gone(void **state)
{
    struct cleat_session_cache *cache = a_cache(MEMORY);
    struct cleat_session_cache_stats stats;
    put(cache, 1, 1000, 0);
    assert_true(has(cache, 1, 999));
    assert_false(has(cache, 1, 1000));
    assert_false(has(cache, 1, 0));
    cleat_session_cache_stats(cache, &stats);
    assert_int_equal(stats.num, 0);
    assert_int_equal(stats.hits, 1);
    assert_int_equal(stats.expired, 1);
    assert_int_equal(stats.misses, 1);
    cleat_session_cache_free(cache);
}

static void test_ids_of_other_lengths_and_unknown_ones_are_not_found(void **state)
{
    struct cleat_session_cache *cache = a_cache(MEMORY);
    uint8_t id[CL_SESSION_ID_LEN + 1] = {0};
    struct cl_buf plain = {0};
    struct cl_ticket t = a_ticket(1000, 0);
    assert_int_equal(cl_cache_put(cache, id, &t), CL_OK);
    for (size_t len = 0; len <= sizeof(id); len++) {
        assert_int_equal(cl_cache_get(cache, 0, cl_rd_of(id, len), &plain, &t),
                         len == CL_SESSION_ID_LEN);
    }
    id[31] = 1;
    assert_false(cl_cache_get(cache, 0, cl_rd_of(id, CL_SESSION_ID_LEN), &plain, &t));
    cl_buf_deinit(&plain);
    cleat_session_cache_free(cache);
}

static void test_a_session_put_twice_is_there_once(void **state)
{
    struct cleat_session_cache *cache = a_cache(MEMORY);
    struct cleat_session_cache_stats stats;
    uint8_t id[CL_SESSION_ID_LEN];
    put(cache, 1, 1000, 0);
    put(cache, 1, 5000, 100);
    cleat_session_cache_stats(cache, &stats);
    assert_int_equal(stats.num, 1);
    assert_true(has(cache, 1, 4999));
    make_id(1, id);
    cl_cache_drop(cache, cl_rd_of(id, sizeof(id)));
    cl_cache_drop(cache, cl_rd_of(id, sizeof(id)));
    assert_false(has(cache, 1, 0));
    cleat_session_cache_free(cache);
}

static void test_bounds_that_make_no_sense_are_refused(void **state)
{
    struct cleat_session_cache *cache = NULL;
    assert_int_equal(cleat_session_cache_new(MEMORY - 1, 0, &cache), CLEAT_ERR_BAD_CONFIG);
    assert_int_equal(cleat_session_cache_new(MEMORY, 59, &cache), CLEAT_ERR_BAD_CONFIG);
    assert_int_equal(cleat_session_cache_new(MEMORY, 604801, &cache), CLEAT_ERR_BAD_CONFIG);
    assert_null(cache);
    cleat_session_cache_free(NULL);
}

static void *work(void *arg)
{
    struct cleat_session_cache *cache = arg;
    for (uint64_t n = 0; n < 4000; n++) {
        uint8_t id[CL_SESSION_ID_LEN];
        struct cl_ticket t = a_ticket(1000, n % 5 * 100);
        struct cl_buf plain = {0};
        make_id(n % 300, id);
        if (cl_cache_put(cache, id, &t) != CL_OK) {
            return arg;
        }
        make_id((n + 7) % 300, id);
        if (cl_cache_get(cache, n % 1100, cl_rd_of(id, sizeof(id)), &plain, &t) &&
            t.psk.bytes[0] != 7) {
            return arg; /* a session that nobody put */
        }
        cl_buf_deinit(&plain);
        if (n % 11 == 0) {
            cl_cache_drop(cache, cl_rd_of(id, sizeof(id)));
        }
    }
    return NULL;
}

static void test_threads_share_it(void **state)
{
    struct cleat_session_cache *cache = a_cache(MEMORY);
    struct cleat_session_cache_stats stats;
    pthread_t threads[4];
    for (size_t i = 0; i < TEST_LEN(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, work, cache), 0);
    }
    for (size_t i = 0; i < TEST_LEN(threads); i++) {
        void *bad = cache;
        assert_int_equal(pthread_join(threads[i], &bad), 0);
        assert_null(bad);
    }
    cleat_session_cache_stats(cache, &stats);
    assert_int_equal(stats.hits + stats.misses + stats.expired, 4 * 4000);
    assert_in_range(stats.memory, 1, MEMORY);
    cleat_session_cache_free(cache);
}

/* ---- handshakes ---- */

static struct cleat_tls_builder *server_with(struct cleat_session_cache *cache)
{
    struct cleat_tls_builder *b = test_server_builder();
    assert_int_equal(cleat_tls_builder_versions(b, CLEAT_TLS_1_2, CLEAT_TLS_1_3), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_session_cache(b, cache), CLEAT_OK);
    return b;
}

static struct cleat_tls_config *client_12(void)
{
    struct cleat_tls_builder *b = test_client_builder();
    assert_int_equal(cleat_tls_builder_versions(b, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
    return test_finish(b);
}

/* A client that knows both versions meets a server of 1.2. */
static struct cleat_tls_config *client_both(void)
{
    return test_finish(test_client_builder());
}

static struct cleat_tls_session *full(struct cleat_tls_config *client,
                                      struct cleat_tls_config *server)
{
    struct test_pair p;
    test_pair_make(&p, client, server, NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_false(test_info(&p.client).resumed);
    struct cleat_tls_session *session = cleat_tls_take_session(p.client.tls);
    test_pair_drop(&p);
    return session;
}

static bool resumes(struct cleat_tls_config *client, struct cleat_tls_config *server,
                    struct cleat_tls_session *session)
{
    struct test_pair p;
    test_pair_make(&p, client, server, session);
    test_pair_run(&p);
    test_assert_ready(&p);
    bool resumed = test_info(&p.client).resumed;
    assert_int_equal(test_info(&p.server).resumed, resumed);
    test_assert_echo(&p);
    test_pair_drop(&p);
    return resumed;
}

static void test_a_session_resumes_by_its_id_again_and_again(void **state)
{
    struct cleat_session_cache *cache = a_cache(MEMORY);
    struct cleat_tls_config *(*const clients[])(void) = {client_12, client_both};
    for (size_t i = 0; i < TEST_LEN(clients); i++) {
        struct cleat_tls_builder *s = server_with(cache);
        assert_int_equal(cleat_tls_builder_versions(s, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
        struct cleat_tls_config *server = test_finish(s);
        struct cleat_tls_session *session = full(clients[i](), cleat_tls_config_ref(server));
        assert_non_null(session);
        assert_int_equal(session->session_id_len, 32);
        assert_int_equal(session->ticket.len, 0);
        assert_true(resumes(clients[i](), cleat_tls_config_ref(server), session));
        assert_true(resumes(clients[i](), server, session));
        cleat_tls_session_free(session);
    }
    cleat_session_cache_free(cache);
}

/* A connection, full or resumed, that one side ends with a fatal alert. */
static void end_with_a_failure(struct cleat_tls_config *client, struct cleat_tls_config *server,
                               struct cleat_tls_session *session, bool by_server)
{
    uint8_t room[CLEAT_TLS_MIN_OUTPUT];
    struct cleat_tls_io io = {.out = room, .out_cap = sizeof(room)};
    struct test_pair p;
    test_pair_make(&p, client, server, session);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_int_equal(test_info(&p.server).resumed, session != NULL);
    struct test_end *ends = by_server ? &p.server : &p.client;
    assert_int_equal(cleat_tls_abort(ends->tls, &io, 49, "enough"), CLEAT_OK);
    test_end_feed(by_server ? &p.client : &p.server, room, io.out_len);
    test_pair_run(&p);
    assert_int_equal(p.server.next, CLEAT_TLS_FAILED);
    assert_true(test_log_has(&p.server, "forgotten: its connection failed"));
    test_pair_drop(&p);
}

/* RFC 5246 7.2.2: whoever sends the fatal alert, and also where the session was resumed itself. */
static void test_a_session_whose_connection_failed_is_forgotten(void **state)
{
    for (int by_server = 0; by_server < 2; by_server++) {
        struct cleat_session_cache *cache = a_cache(MEMORY);
        struct cleat_tls_config *server = test_finish(server_with(cache));
        struct cleat_session_cache_stats stats;
        struct cleat_tls_session *session = full(client_12(), cleat_tls_config_ref(server));
        cleat_session_cache_stats(cache, &stats);
        assert_int_equal(stats.num, 1);
        end_with_a_failure(client_12(), cleat_tls_config_ref(server), session, by_server);
        cleat_session_cache_stats(cache, &stats);
        assert_int_equal(stats.num, 0);
        assert_false(resumes(client_12(), cleat_tls_config_ref(server), session));
        cleat_session_cache_stats(cache, &stats);
        assert_int_equal(stats.num, 1);
        end_with_a_failure(client_12(), server, NULL, by_server);
        cleat_session_cache_stats(cache, &stats);
        assert_int_equal(stats.num, 1); /* that of the connection before, which ended well */
        cleat_tls_session_free(session);
        cleat_session_cache_free(cache);
    }
}

static void test_a_stored_session_keeps_its_id(void **state)
{
    struct cleat_session_cache *cache = a_cache(MEMORY);
    struct cleat_tls_config *server = test_finish(server_with(cache));
    struct cleat_tls_session *session = full(client_12(), cleat_tls_config_ref(server));
    struct cleat_tls_session *copy;
    uint8_t bytes[8192];
    size_t len = sizeof(bytes);
    assert_int_equal(cleat_tls_session_export(session, bytes, &len), CLEAT_OK);
    assert_int_equal(cleat_tls_session_import(bytes, len, &copy), CLEAT_OK);
    assert_true(resumes(client_12(), server, copy));
    for (size_t i = 0; i < len; i++) {
        struct cleat_tls_session *none;
        assert_int_equal(cleat_tls_session_import(bytes, i, &none), CLEAT_ERR_DECODE);
    }
    cleat_tls_session_free(copy);
    cleat_tls_session_free(session);
    cleat_session_cache_free(cache);
}

static void test_an_expired_session_leads_to_a_full_handshake(void **state)
{
    struct cleat_session_cache *cache;
    assert_int_equal(cleat_session_cache_new(MEMORY, 3600, &cache), CLEAT_OK);
    struct cleat_tls_config *server = test_finish(server_with(cache));
    struct cleat_tls_session *session = full(client_12(), cleat_tls_config_ref(server));
    world.now_ms += 3599 * 1000;
    assert_true(resumes(client_12(), cleat_tls_config_ref(server), session));
    world.now_ms += 1000;
    assert_false(resumes(client_12(), server, session));
    world.now_ms = TEST_NOW_MS;
    cleat_tls_session_free(session);
    cleat_session_cache_free(cache);
}

/* CVE-2025-23419 and its kin: one cache for several virtual hosts. */
static void test_a_session_of_another_policy_is_not_resumed(void **state)
{
    static const char *const protocols[] = {"http/1.1"};
    struct cleat_session_cache *cache = a_cache(MEMORY);
    for (int what = 0; what < 4; what++) {
        struct cleat_tls_session *session = full(client_12(), test_finish(server_with(cache)));
        struct cleat_tls_builder *other = server_with(cache);
        bool same = what == 0;
        if (what == 1) {
            assert_int_equal(cleat_tls_builder_binding(other, "other host"), CLEAT_OK);
        } else if (what == 2) {
            assert_int_equal(cleat_tls_builder_alpn(other, protocols, 1), CLEAT_OK);
        } else if (what == 3) {
            assert_int_equal(cleat_tls_builder_trust(other, world.ca.store), CLEAT_OK);
            cleat_tls_builder_client_auth(other, CLEAT_CLIENT_AUTH_OPTIONAL);
        }
        assert_int_equal(resumes(client_12(), test_finish(other), session), same);
        cleat_tls_session_free(session);
    }
    cleat_session_cache_free(cache);
}

static void test_a_client_certificate_is_known_again(void **state)
{
    struct cleat_session_cache *cache = a_cache(MEMORY);
    struct cleat_tls_builder *c = test_client_builder();
    struct cleat_tls_builder *s = server_with(cache);
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_versions(c, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_credential(c, world.client.chain, world.client.key),
                     CLEAT_OK);
    assert_int_equal(cleat_tls_builder_trust(s, world.ca.store), CLEAT_OK);
    cleat_tls_builder_client_auth(s, CLEAT_CLIENT_AUTH_REQUIRED);
    struct cleat_tls_config *client = test_finish(c);
    struct cleat_tls_config *server = test_finish(s);
    struct cleat_tls_session *session =
        full(cleat_tls_config_ref(client), cleat_tls_config_ref(server));
    test_pair_make(&p, client, server, session);
    test_pair_run(&p);
    test_assert_ready(&p);
    const uint8_t *der;
    size_t len;
    assert_true(test_info(&p.server).resumed);
    assert_true(test_info(&p.server).peer_authenticated);
    assert_int_equal(cleat_tls_peer_cert(p.server.tls, 0, &der, &len), CLEAT_OK);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
    cleat_session_cache_free(cache);
}

/* RFC 5077 3.4: a ticket makes the session ID beside it mean nothing. */
static void test_with_tickets_on_nothing_is_kept(void **state)
{
    struct cleat_session_cache *cache = a_cache(MEMORY);
    struct cleat_ticket_keys *keys;
    struct cleat_session_cache_stats stats;
    struct cleat_tls_builder *s = server_with(cache);
    assert_int_equal(cleat_ticket_keys_new(0, &keys), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_tickets(s, keys, 2), CLEAT_OK);
    struct cleat_tls_config *server = test_finish(s);
    struct cleat_tls_session *session = full(client_12(), cleat_tls_config_ref(server));
    assert_int_not_equal(session->ticket.len, 0);
    cleat_session_cache_stats(cache, &stats);
    assert_int_equal(stats.num, 0);
    assert_true(resumes(client_12(), server, session));
    cleat_tls_session_free(session);
    cleat_ticket_keys_free(keys);
    cleat_session_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_stays_within_its_bound_and_what_was_used_last_stays),
        cmocka_unit_test(test_a_session_that_is_used_outlives_others),
        cmocka_unit_test(test_an_expired_session_is_not_found_and_gone),
        cmocka_unit_test(test_ids_of_other_lengths_and_unknown_ones_are_not_found),
        cmocka_unit_test(test_a_session_put_twice_is_there_once),
        cmocka_unit_test(test_bounds_that_make_no_sense_are_refused),
        cmocka_unit_test(test_threads_share_it),
        cmocka_unit_test(test_a_session_resumes_by_its_id_again_and_again),
        cmocka_unit_test(test_a_session_whose_connection_failed_is_forgotten),
        cmocka_unit_test(test_a_stored_session_keeps_its_id),
        cmocka_unit_test(test_an_expired_session_leads_to_a_full_handshake),
        cmocka_unit_test(test_a_session_of_another_policy_is_not_resumed),
        cmocka_unit_test(test_a_client_certificate_is_known_again),
        cmocka_unit_test(test_with_tickets_on_nothing_is_kept),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
