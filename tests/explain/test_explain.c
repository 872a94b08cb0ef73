/* What a server would answer to a recorded ClientHello: the rehearsal, what is told of it, advice.
 * The ClientHellos are those of our own client, and mended ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "cleat/tls_options.h"
#include "explain/advice.h"
#include "explain/lists.h"
#include "explain/made_pair.h"
#include "explain/notes.h"
#include "explain/second_hello.h"
#include "net/clock.h"
#include "tls/config.h"

struct client {
    const char *ciphers;
    const char *groups;
    const char *schemes;
    const char *alpn;
    const char *name;
    uint16_t min;
    uint16_t max;
};

/* The ClientHello that such a client sends, without its record header. */
static void hello_of(const struct client *c, struct cl_buf *out)
{
    static uint8_t wire[8192];
    struct cleat_tls_builder *b;
    struct cleat_tls_config *config;
    struct cleat_tls *tls;
    assert_int_equal(cleat_tls_builder_new(CLEAT_CLIENT, &b), CLEAT_OK);
    cleat_tls_builder_clock(b, cl_clock_for_tls, NULL);
    cleat_tls_builder_decide(b, CLEAT_DECIDE_PEER);
    if (c->ciphers != NULL) {
        assert_int_equal(cleat_tls_builder_ciphers(b, c->ciphers), CLEAT_OK);
    }
    if (c->groups != NULL) {
        assert_int_equal(cleat_tls_builder_groups(b, c->groups), CLEAT_OK);
    }
    if (c->schemes != NULL) {
        assert_int_equal(cleat_tls_builder_signatures(b, c->schemes), CLEAT_OK);
    }
    if (c->alpn != NULL) {
        assert_int_equal(cleat_tls_builder_alpn(b, &c->alpn, 1), CLEAT_OK);
    }
    assert_int_equal(cleat_tls_builder_version_bounds(b, c->min, c->max), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_finish(b, &config, NULL), CLEAT_OK);
    const char *name = c->name != NULL ? c->name : "localhost";
    assert_int_equal(cleat_tls_client_new(config, name, NULL, NULL, &tls), CLEAT_OK);
    struct cleat_tls_io io = {.out = wire, .out_cap = sizeof(wire)};
    while (cleat_tls_step(tls, &io) == CLEAT_TLS_NEEDS_JOB) {
        cleat_job_run(cleat_tls_job(tls));
    }
    assert_true(io.out_len > 9);
    assert_int_equal(cl_buf_append(out, wire + 5, io.out_len - 5, sizeof(wire)), CL_OK);
    cleat_tls_free(tls);
    cleat_tls_config_free(config);
}

static struct cl_serve_options server(void)
{
    struct cl_serve_options o = {.num_listen = 1,
                                 .num_pairs = 1,
                                 .alpn = "http/1.1",
                                 .profile = "public",
                                 .access_log = "off",
                                 .trial = true};
    const struct cl_serve_pair *pair = cl_made_pair(CL_KEY_EC_P256);
    assert_non_null(pair);
    o.pairs[0] = *pair;
    return o;
}

static void rehearse(const struct cl_serve_options *o, struct cl_rd hello, struct cl_rehearsal *r)
{
    struct cl_site site;
    struct cleat_error err = {0};
    assert_int_equal(cl_site_load_tls(&site, o, cl_rehearsal_watch, &err), CL_OK);
    assert_int_equal(cl_rehearse(&site, hello, r), CL_OK);
    cl_site_deinit(&site);
}

static void test_what_is_agreed_is_told(void **state)
{
    struct cl_serve_options o = server();
    struct cl_buf hello = {0};
    struct cl_rehearsal r;
    hello_of(&(struct client){.alpn = "http/1.1"}, &hello);
    rehearse(&o, cl_buf_view(&hello), &r);
    assert_int_equal(r.outcome, CL_OUTCOME_AGREED);
    assert_int_equal(r.version, CLEAT_TLS_1_3);
    assert_string_equal(r.suite->name, "TLS_AES_128_GCM_SHA256");
    assert_string_equal(r.group->name, "X25519MLKEM768");
    assert_string_equal(r.scheme->name, "ecdsa_secp256r1_sha256");
    assert_string_equal(r.alpn, "http/1.1");
    assert_string_equal(r.offer.server_name, "localhost");
    assert_string_equal(cl_credential_file(&r, &o), o.pairs[0].cert);
    assert_null(r.retry);
    assert_non_null(cl_rehearsal_find(&r, "certificate"));
    assert_null(cl_rehearsal_find(&r, "no such thing"));
    cl_rehearsal_deinit(&r);
    cl_buf_deinit(&hello);
}

static void test_after_a_retry_it_goes_on(void **state)
{
    struct cl_serve_options o = server();
    struct cl_buf hello = {0};
    struct cl_rehearsal r;
    struct cl_names shares;
    o.groups = "P-521";
    hello_of(&(struct client){.groups = "X25519:P-521"}, &hello);
    rehearse(&o, cl_buf_view(&hello), &r);
    assert_int_equal(r.outcome, CL_OUTCOME_AGREED);
    assert_string_equal(r.retry->name, "P-521");
    assert_string_equal(r.group->name, "P-521");
    assert_non_null(r.credential);
    cl_names_offered(&r, CL_LIST_SHARES, &shares); /* of the first one */
    assert_int_equal(shares.num, 1);
    assert_string_equal(shares.items[0], "X25519");
    cl_rehearsal_deinit(&r);
    cl_buf_deinit(&hello);
}

/* extensions: two that a second ClientHello must not have, and one that stays */
static void test_a_second_hello_has_one_share_and_no_psk(void **state)
{
    static const uint8_t first[] = {
        1,  0,  0,  75, 3,  3,  1,  2,    3,  4,    5,  6,  7,  8,  9,  10,
        11, 12, 13, 14, 15, 16, 17, 18,   19, 20,   21, 22, 23, 24, 25, 26,
        27, 28, 29, 30, 31, 32, 0,  0,    2,  0x13, 1,  1,  0,  0,  32, /* extensions */
        0,  51, 0,  8,  0,  6,  0,  0x1d, 0,  2,    9,  9,              /* key_share */
        0,  42, 0,  0,                                                  /* early_data */
        0,  35, 0,  0,                                                  /* session_ticket */
        0,  41, 0,  8,  1,  1,  1,  1,    1,  1,    1,  1,              /* pre_shared_key */
    };
    const struct cl_group *group = cl_group_by_name("P-256", 5);
    struct cl_buf second = {0};
    const struct cl_rd cookie = cl_rd_str("cookie");
    assert_int_equal(cl_second_hello_build(cl_rd_of(first, sizeof(first)), group, cookie, &second),
                     CL_OK);
    /* header, front; cookie, share, ticket */
    assert_int_equal(second.len, 4 + 41 + 2 + (4 + 2 + 6) + (4 + 2 + 4 + 65) + 4);
    assert_memory_equal(second.p + 4, first + 4, 41);
    assert_memory_equal(second.p + 47,
                        "\x00\x2c\x00\x08\x00\x06"
                        "cookie",
                        12);
    assert_memory_equal(second.p + 59, "\x00\x33\x00\x47\x00\x45\x00\x17\x00\x41\x04", 11);
    assert_memory_equal(second.p + second.len - 4, "\x00\x23\x00\x00", 4);
    cl_buf_deinit(&second);
    for (size_t len = 0; len < sizeof(first); len++) { /* cut anywhere: an error, no more */
        assert_int_equal(cl_second_hello_build(cl_rd_of(first, len), group, cookie, &second),
                         CLEAT_ERR_DECODE);
        cl_buf_deinit(&second);
    }
}

static void test_a_malformed_hello_is_refused_with_the_engines_reason(void **state)
{
    struct cl_serve_options o = server();
    struct cl_buf hello = {0};
    struct cl_rehearsal r;
    struct cl_advice advice;
    hello_of(&(struct client){0}, &hello);
    hello.p[3]--; /* the last byte is missing, says the header */
    rehearse(&o, cl_rd_of(hello.p, hello.len - 1), &r);
    assert_int_equal(r.outcome, CL_OUTCOME_REFUSED);
    assert_int_equal(r.error.code, CLEAT_ERR_DECODE);
    assert_string_equal(r.alert_name, "decode_error");
    assert_int_equal(cl_advise(&o, &r, cl_rd_of(hello.p, hello.len - 1), &advice), CL_OK);
    assert_int_equal(advice.num, 0);
    assert_int_equal(advice.num_tried, 0);
    cl_rehearsal_deinit(&r);
    cl_buf_deinit(&hello);
}

/* What such a client needs of such a server, in the advice's words; an empty text: nothing helps.
 */
static void expect_advice(const struct client *client, const struct cl_serve_options *o,
                          const char *want)
{
    struct cl_buf hello = {0};
    struct cl_rehearsal r;
    struct cl_advice advice;
    char got[4096] = "";
    hello_of(client, &hello);
    rehearse(o, cl_buf_view(&hello), &r);
    assert_int_equal(r.outcome, CL_OUTCOME_REFUSED);
    assert_int_equal(cl_advise(o, &r, cl_buf_view(&hello), &advice), CL_OK);
    for (size_t i = 0; i < advice.num; i++) {
        const size_t at = strlen(got);
        (void)snprintf(got + at, sizeof(got) - at, "%s%s=%s", i != 0 ? " " : "",
                       advice.changes[i].option, advice.changes[i].value);
    }
    assert_string_equal(got, want);
    assert_true(advice.num_tried > 0);
    cl_rehearsal_deinit(&r);
    cl_buf_deinit(&hello);
}

static void test_advice_is_the_least_that_helps(void **state)
{
    struct cl_serve_options o = server();
    o.tls_min = CLEAT_TLS_1_3;
    expect_advice(&(struct client){.max = CLEAT_TLS_1_2}, &o, "tls-min=1.2");
    expect_advice(&(struct client){.max = CLEAT_TLS_1_2, .alpn = "imap"}, &o,
                  "tls-min=1.2 alpn=http/1.1,imap");
    o = server();
    o.groups = "P-384";
    expect_advice(&(struct client){.groups = "P-256:P-521"}, &o, "curves=P-384:P-256");
    o = server();
    o.tls13_ciphers = "TLS_AES_256_GCM_SHA384";
    expect_advice(&(struct client){.ciphers = "TLS_CHACHA20_POLY1305_SHA256", .min = CLEAT_TLS_1_3},
                  &o, "tls13-ciphers=TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
}

static bool has_note(const struct cl_notes *notes, const char *what)
{
    for (size_t i = 0; i < notes->num; i++) {
        if (strcmp(notes->items[i].what, what) == 0) {
            return true;
        }
    }
    return false;
}

static void test_notes_say_what_nearly_went_wrong(void **state)
{
    struct cl_serve_options o = server();
    struct cl_buf hello = {0};
    struct cl_rehearsal r;
    struct cl_notes notes;
    const struct client c = {.name = "elsewhere.test", .groups = "P-256:X25519"};
    o.groups = "X25519:P-521";
    hello_of(&c, &hello);
    rehearse(&o, cl_buf_view(&hello), &r);
    cl_notes_make(&r, &o, (int64_t)(cl_clock_unix_ms() / 1000), &notes);
    assert_true(has_note(&notes, "unknown_server_name"));
    assert_true(has_note(&notes, "narrow"));
    assert_true(has_note(&notes, "no_alpn"));
    assert_true(has_note(&notes, "not_post_quantum"));
    assert_false(has_note(&notes, "expired"));
    assert_false(has_note(&notes, "ticket"));
    cl_notes_make(&r, &o, (int64_t)(cl_clock_unix_ms() / 1000) + 30 * 86400, &notes);
    assert_true(has_note(&notes, "expired"));
    cl_rehearsal_deinit(&r);
    cl_buf_deinit(&hello);
}

static void test_lists_that_are_too_long_are_cut_with_a_count(void **state)
{
    static struct cl_names names = {.items = {"one", "two", "three"}, .num = 3, .left_out = 4};
    char text[24];
    cl_names_join(&names, ", ", text, sizeof(text));
    assert_string_equal(text, "one, two and 5 more");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_agreed_is_told),
        cmocka_unit_test(test_after_a_retry_it_goes_on),
        cmocka_unit_test(test_a_second_hello_has_one_share_and_no_psk),
        cmocka_unit_test(test_a_malformed_hello_is_refused_with_the_engines_reason),
        cmocka_unit_test(test_advice_is_the_least_that_helps),
        cmocka_unit_test(test_notes_say_what_nearly_went_wrong),
        cmocka_unit_test(test_lists_that_are_too_long_are_cut_with_a_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
