/* tests/tls/test_rfc8448.c - the example handshakes of RFC 8448 through our client and our server,
 * every record compared byte for byte (how, and what is given: support_rfc8448.h).
 *
 * Computed, not given: ServerHello, the HelloRetryRequest around its cookie, CertificateVerify
 * around its signature, Finished, all secrets, keys and records; the trace's signatures and
 * Finished are verified. Different by choice: a first ClientHello's record says 3.3 with us, 3.1
 * there. Section 4 has no server of ours: its ticket is another's. */
#include "tls/support_rfc8448.h"

#include <string.h>

#include "base/mem.h"
#include "cleat/tls_early.h"
#include "tls/rfc8448_clientauth.h"
#include "tls/rfc8448_compat.h"
#include "tls/rfc8448_onertt.h"
#include "tls/rfc8448_retry.h"
#include "tls/rfc8448_zerortt.h"
#include "tls/schedule.h"
#include "tls/session.h"

static const struct rfc8448_trace simple_1rtt = {
    .client_random = onertt_client_random,
    .server_random = onertt_server_random,
    .client_hello = onertt_records_clienthello_1,
    .server_hello = onertt_records_serverhello,
    .server_flight = onertt_records_serverhandshakemessages,
    .client_flight = onertt_records_clientfinished,
    .ticket = onertt_records_newsessionticket,
    .client_data = onertt_records_client_appdata,
    .server_data = onertt_records_server_appdata,
    .client_close = onertt_records_client_closenotify,
    .server_close = onertt_records_server_closenotify,
    .encrypted_extensions = onertt_encryptedextensions,
    .certificate = onertt_server_certificate,
    .server_signature = onertt_server_signature,
    .data = onertt_client_appdata,
};

static const struct rfc8448_trace hello_retry = {
    .client_random = retry_client_random,
    .server_random = retry_server_random,
    .client_hello = retry_records_clienthello_1,
    .retry = retry_records_helloretryrequest,
    .second_hello = retry_records_clienthello_2,
    .server_hello = retry_records_serverhello,
    .server_flight = retry_records_serverhandshakemessages,
    .client_flight = retry_records_clientfinished,
    .client_close = retry_records_client_closenotify,
    .server_close = retry_records_server_closenotify,
    .encrypted_extensions = retry_encryptedextensions,
    .certificate = retry_server_certificate,
    .server_signature = retry_server_signature,
};

static const struct rfc8448_trace client_auth = {
    .client_random = clientauth_client_random,
    .server_random = clientauth_server_random,
    .client_hello = clientauth_records_clienthello_1,
    .server_hello = clientauth_records_serverhello,
    .server_flight = clientauth_records_serverhandshakemessages,
    .client_flight = clientauth_records_clientfinished,
    .client_close = clientauth_records_client_closenotify,
    .server_close = clientauth_records_server_closenotify,
    .encrypted_extensions = clientauth_encryptedextensions,
    .request = clientauth_certificaterequest,
    .certificate = clientauth_server_certificate,
    .server_signature = clientauth_server_signature,
    .client_signature = clientauth_client_signature,
    .ecdsa = true,
};

static const struct rfc8448_trace compat_mode = {
    .client_random = compat_client_random,
    .server_random = compat_server_random,
    .client_hello = compat_records_clienthello_1,
    .server_hello = compat_records_serverhello,
    .server_flight = compat_records_serverhandshakemessages,
    .client_flight = compat_records_clientfinished,
    .client_close = compat_records_client_closenotify,
    .server_close = compat_records_server_closenotify,
    .encrypted_extensions = compat_encryptedextensions,
    .certificate = compat_server_certificate,
    .server_signature = compat_server_signature,
    .compat = true,
};

static const struct rfc8448_trace resumed_0rtt = {
    .client_random = zerortt_client_random,
    .server_random = zerortt_server_random,
    .client_hello = zerortt_records_clienthello_1,
    .server_hello = zerortt_records_serverhello,
    .server_flight = zerortt_records_serverhandshakemessages,
    .client_flight = zerortt_records_clientfinished,
    .client_data = zerortt_records_client_appdata,
    .server_data = zerortt_records_server_appdata,
    .client_close = zerortt_records_client_closenotify,
    .server_close = zerortt_records_server_closenotify,
    .encrypted_extensions = zerortt_encryptedextensions,
    .data = zerortt_client_appdata,
};

/* RFC 8448 3: what is derived on the way. */
static const struct {
    const char *label;
    const char *hex;
} simple_1rtt_secrets[] = {
    {"CLIENT_HANDSHAKE_TRAFFIC_SECRET",
     "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21"},
    {"SERVER_HANDSHAKE_TRAFFIC_SECRET",
     "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38"},
    {"CLIENT_TRAFFIC_SECRET_0", "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5"},
    {"SERVER_TRAFFIC_SECRET_0", "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643"},
    {"EXPORTER_SECRET", "fe22f881176eda18eb8f44529e6792c50c9a3f89452f68d8ae311b4309d3cf50"},
};
#define SERVER_APP_SECRET 3

/* RFC 8448 3: the resumption secret that its ticket stands for, with which section 4 resumes. */
static const char ticket_psk[] = "4ecd0eb6ec3b4d87f5d6028f922ca4c5851a277fd41311c9e62d2c9492e1c4f3";

static void assert_secrets(const struct test_end *e)
{
    for (size_t i = 0; i < TEST_LEN(simple_1rtt_secrets); i++) {
        const struct cl_secret *got = test_secret(e, simple_1rtt_secrets[i].label);
        rfc8448_assert_bytes(simple_1rtt_secrets[i].label, cl_rd_of(got->bytes, got->len),
                             simple_1rtt_secrets[i].hex);
    }
}

/* ---- the client ---- */

/* Up to READY, everything sent compared. */
static void client_handshake(struct rfc8448_end *r, const struct rfc8448_trace *t)
{
    rfc8448_client(r, t, NULL);
    rfc8448_feed(r, NULL);
    rfc8448_assert_sent(r, "ClientHello", 3, t->client_hello);
    if (t->retry != NULL) {
        rfc8448_feed(r, t->retry);
        rfc8448_assert_sent(r, "second ClientHello", 0, t->second_hello);
    }
    rfc8448_feed(r, t->server_hello);
    assert_int_equal(r->out.len, 0);
    if (t->request != NULL) {
        rfc8448_take_client_certificate(r);
    }
    rfc8448_feed(r, t->server_flight);
    rfc8448_assert_sent(r, "the client's flight", 0, t->client_flight);
    assert_int_equal(r->end.next, CLEAT_TLS_READY);
}

static void client_closes(struct rfc8448_end *r)
{
    rfc8448_assert_closes(r, r->trace->client_close);
    rfc8448_feed(r, r->trace->server_close);
    assert_int_equal(r->end.next, CLEAT_TLS_CLOSED);
    assert_int_equal(r->out.len, 0);
    rfc8448_drop(r);
}

static void test_our_client_of_section_3_simple_1rtt(void **state)
{
    struct rfc8448_end r;
    client_handshake(&r, &simple_1rtt);
    assert_secrets(&r.end);
    rfc8448_feed(&r, simple_1rtt.ticket);
    struct cleat_tls_session *session = cleat_tls_take_session(r.end.tls);
    assert_non_null(session);
    rfc8448_assert_bytes("PSK", cl_rd_of(session->psk.bytes, session->psk.len), ticket_psk);
    cleat_tls_session_free(session);
    rfc8448_assert_writes(&r, simple_1rtt.data, simple_1rtt.client_data);
    rfc8448_assert_reads(&r, simple_1rtt.server_data, simple_1rtt.data);
    client_closes(&r);
}

static void test_our_client_of_section_5_hello_retry_request(void **state)
{
    struct rfc8448_end r;
    client_handshake(&r, &hello_retry);
    assert_true(test_info(&r.end).hello_retry);
    client_closes(&r);
}

static void test_our_client_of_section_6_client_authentication(void **state)
{
    struct rfc8448_end r;
    client_handshake(&r, &client_auth);
    client_closes(&r);
}

static void test_our_client_of_section_7_compatibility_mode(void **state)
{
    struct rfc8448_end r;
    client_handshake(&r, &compat_mode);
    client_closes(&r);
}

/* ---- the server ---- */

static void server_handshake(struct rfc8448_end *r, const struct rfc8448_trace *t)
{
    struct cl_secret app = rfc8448_secret(simple_1rtt_secrets[SERVER_APP_SECRET].hex);
    rfc8448_server(r, t, &app);
    rfc8448_feed(r, t->client_hello);
    if (t->retry != NULL) {
        rfc8448_assert_sent(r, "HelloRetryRequest", 0, t->retry);
        rfc8448_feed(r, t->second_hello);
    }
    rfc8448_assert_sent_first(r, "ServerHello", t->server_hello);
    rfc8448_assert_sent(r, "the server's flight", 0, t->server_flight);
    rfc8448_feed(r, t->client_flight);
    assert_int_equal(r->end.next, CLEAT_TLS_READY);
}

static void server_closes(struct rfc8448_end *r)
{
    assert_int_equal(r->out.len, 0);
    rfc8448_feed(r, r->trace->client_close);
    assert_int_equal(r->end.next, CLEAT_TLS_CLOSED);
    rfc8448_assert_closes(r, r->trace->server_close);
    rfc8448_drop(r);
}

static void test_our_server_of_section_3_simple_1rtt(void **state)
{
    struct rfc8448_end r;
    server_handshake(&r, &simple_1rtt);
    assert_secrets(&r.end);
    rfc8448_assert_sent(&r, "NewSessionTicket", 0, simple_1rtt.ticket);
    rfc8448_assert_reads(&r, simple_1rtt.client_data, simple_1rtt.data);
    rfc8448_assert_writes(&r, simple_1rtt.data, simple_1rtt.server_data);
    server_closes(&r);
}

static void test_our_server_of_section_5_hello_retry_request(void **state)
{
    struct rfc8448_end r;
    server_handshake(&r, &hello_retry);
    assert_true(test_info(&r.end).hello_retry);
    server_closes(&r);
}

static void test_our_server_of_section_6_client_authentication(void **state)
{
    struct rfc8448_end r;
    server_handshake(&r, &client_auth);
    assert_true(test_info(&r.end).peer_authenticated);
    server_closes(&r);
}

static void test_our_server_of_section_7_compatibility_mode(void **state)
{
    struct rfc8448_end r;
    server_handshake(&r, &compat_mode);
    server_closes(&r);
}

/* ---- section 4: resumption with early data ---- */

#define BINDERS_LEN 35 /* one list, one binder of 32 bytes, with their lengths */

static void hash_hex(struct cl_hash *h, const char *hex, size_t skip, size_t leave)
{
    struct cl_buf b = test_hex(hex);
    assert_true(b.len >= skip + leave);
    cl_hash_update(h, b.p + skip, b.len - skip - leave);
    cl_buf_deinit(&b);
}

static void assert_opens(const struct cl_secret *secret, const char *record, const char *want)
{
    struct cl_buf got = rfc8448_open(secret, record, 0, 0);
    rfc8448_assert_bytes("a record's contents", cl_buf_view(&got), want);
    cl_buf_deinit(&got);
}

static void early_schedule(struct cl_schedule *ks)
{
    struct cl_secret psk = rfc8448_secret(ticket_psk);
    cl_schedule_early(ks, CL_HASH_SHA256, cl_rd_of(psk.bytes, psk.len));
}

static void test_section_4_binder(void **state)
{
    struct cl_schedule early;
    struct cl_secret key;
    struct cl_hash h;
    uint8_t digest[32];
    uint8_t mac[32];
    early_schedule(&early);
    cl_binder_key(&early, CL_BINDER_RESUMPTION, &key);
    cl_hash_init(&h, CL_HASH_SHA256);
    hash_hex(&h, resumed_0rtt.client_hello, CL_RECORD_HEADER_LEN, BINDERS_LEN);
    cl_hash_peek(&h, digest);
    cl_finished_mac(CL_HASH_SHA256, &key, digest, mac);
    rfc8448_assert_bytes("binder", cl_rd_of(mac, sizeof(mac)),
                         resumed_0rtt.client_hello + strlen(resumed_0rtt.client_hello) - 64);
}

static void test_section_4_early_traffic_secret_opens_the_early_data(void **state)
{
    struct cl_schedule early;
    struct cl_secret secret;
    struct cl_hash h;
    uint8_t digest[32];
    early_schedule(&early);
    cl_hash_init(&h, CL_HASH_SHA256);
    hash_hex(&h, resumed_0rtt.client_hello, CL_RECORD_HEADER_LEN, 0);
    cl_hash_peek(&h, digest);
    cl_schedule_derive(&early, "c e traffic", digest, &secret);
    assert_opens(&secret, zerortt_records_client_earlyappdata, zerortt_client_earlyappdata);
}

/* The session that section 3's ticket makes. */
static struct cleat_tls_session *section_3_session(void)
{
    struct cleat_tls_session *s = cl_calloc(1, sizeof(*s));
    assert_non_null(s);
    s->refs = 1;
    s->version = CLEAT_TLS_1_3;
    s->suite = 0x1301;
    s->received_ms = TEST_NOW_MS;
    s->lifetime = 30;
    s->age_add = 0xfad6aac5;
    s->early_max = 1024;
    s->psk = rfc8448_secret(ticket_psk);
    s->not_after = INT64_MAX;
    assert_int_equal(cl_buf_append(&s->ticket, "t", 1, 1), CL_OK); /* the hook has the real one */
    return s;
}

static void test_our_client_of_section_4_early_data(void **state)
{
    struct rfc8448_end r;
    struct cleat_tls_session *session = section_3_session();
    rfc8448_client(&r, &resumed_0rtt, session);
    assert_int_equal(cleat_tls_offer_early_data(r.end.tls), CLEAT_OK);
    rfc8448_feed(&r, NULL);
    rfc8448_assert_sent(&r, "ClientHello", 3, resumed_0rtt.client_hello);
    rfc8448_assert_writes(&r, zerortt_client_earlyappdata, zerortt_records_client_earlyappdata);
    rfc8448_feed(&r, resumed_0rtt.server_hello);
    assert_int_equal(r.out.len, 0);
    rfc8448_feed(&r, resumed_0rtt.server_flight);
    rfc8448_assert_sent(&r, "EndOfEarlyData, Finished", 0, resumed_0rtt.client_flight);
    assert_int_equal(r.end.next, CLEAT_TLS_READY);
    assert_true(test_info(&r.end).resumed);
    assert_int_equal(test_info(&r.end).early_data, CLEAT_EARLY_DATA_ACCEPTED);
    rfc8448_assert_reads(&r, resumed_0rtt.server_data, resumed_0rtt.data);
    rfc8448_assert_writes(&r, resumed_0rtt.data, resumed_0rtt.client_data);
    cleat_tls_session_free(session);
    client_closes(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_our_client_of_section_3_simple_1rtt),
        cmocka_unit_test(test_our_server_of_section_3_simple_1rtt),
        cmocka_unit_test(test_section_4_binder),
        cmocka_unit_test(test_section_4_early_traffic_secret_opens_the_early_data),
        cmocka_unit_test(test_our_client_of_section_4_early_data),
        cmocka_unit_test(test_our_client_of_section_5_hello_retry_request),
        cmocka_unit_test(test_our_server_of_section_5_hello_retry_request),
        cmocka_unit_test(test_our_client_of_section_6_client_authentication),
        cmocka_unit_test(test_our_server_of_section_6_client_authentication),
        cmocka_unit_test(test_our_client_of_section_7_compatibility_mode),
        cmocka_unit_test(test_our_server_of_section_7_compatibility_mode),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
