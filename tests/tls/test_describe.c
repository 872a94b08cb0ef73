/* tests/tls/test_describe.c - the line about a handshake message (cleat_tls_describe): what it
 * says, and that no message, however hostile, puts anything into it but printable ASCII within its
 * room. */
#include <stdlib.h>
#include <string.h>

#include "tls/support_walk.h"

static const struct {
    const char *name;
    const char *hex;
    const char *text;
} rows[] = {
    {"ClientHello",
     "0100005f0303" /* random */ "0000000000000000000000000000000000000000000000000000000000000000"
     "00" /* suites */ "0006"
     "0a0a"
     "1301"
     "9999"
     "0100" /* extensions */ "0030"
     "0000000e000c0000096c6f63616c686f7374"
     "002b0003020304"
     "001000050003026832"
     "000a00060004001d7777"
     "002a0000",
     "suites AES-128-GCM and 1 more, server name localhost, TLS 1.3, ALPN h2, groups X25519 and 1 "
     "more, early data"},
    {"a server name that would move the cursor, in two lines",
     "010000410303"
     "0000000000000000000000000000000000000000000000000000000000000000"
     "00"
     "0002"
     "1301"
     "0100"
     "0016"
     "00000012001000000d"
     "1b5b33316d610a0d0062ff7f25",
     "suites AES-128-GCM, server name ?[31ma???b??%"},
    {"an ALPN list of bytes and formats",
     "0100003a0303"
     "0000000000000000000000000000000000000000000000000000000000000000"
     "00"
     "0002"
     "1301"
     "0100"
     "000f"
     "0010000b0009"
     "0400ff0a22"
     "03256e25",
     "suites AES-128-GCM, ALPN ???\" %n%"},
    {"HelloRetryRequest",
     "020000340303"
     "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"
     "00"
     "1301"
     "00"
     "000c"
     "0033000200"
     "17"
     "002b00020304",
     "HelloRetryRequest, AES-128-GCM, asks for a share of P-256, TLS 1.3"},
    {"Certificate without a certificate", "0b00000400000000", "no certificate"},
    {"Certificate",
     "0b00000c0000000800000341424300"
     "00",
     "3 bytes of certificates"},
    {"CertificateVerify",
     "0f0000060403000201"
     "02",
     "ecdsa_secp256r1_sha256, signature of 2 bytes"},
    {"CertificateVerify of a scheme not known", "0f000004fefd0000", "0xfefd, signature of 0 bytes"},
    {"Finished", "1400000100", "the whole handshake is confirmed"},
    {"NewSessionTicket",
     "0400000f00000e10"
     "01020304"
     "00"
     "0002"
     "aabb"
     "0000",
     "ticket of 2 bytes for 3600 s"},
    {"NewSessionTicket for early data",
     "0400001700000e10"
     "01020304"
     "00"
     "0002"
     "aabb"
     "0008"
     "002a000400004000",
     "ticket of 2 bytes for 3600 s, early data"},
    {"NewSessionTicket of TLS 1.2",
     "0400000900000e10"
     "0003"
     "aabbcc",
     "ticket of 3 bytes for 3600 s"},
    {"KeyUpdate", "1800000100", "new sending key"},
    {"KeyUpdate that asks", "1800000101", "new sending key; asks for the same"},
    {"a type not known", "6300000100", ""},
    {"a message cut short", "180000", ""},
    {"a body shorter than announced", "1800000201", ""},
    {"nothing", "", ""},
};

static void test_what_is_said_about_each_message(void **state)
{
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cl_buf b = test_hex(rows[i].hex);
        char text[512];
        size_t len = cleat_tls_describe(b.p, b.len, text, sizeof(text));
        if (strcmp(text, rows[i].text) != 0 || len != strlen(text)) {
            fail_msg("%s: \"%s\", expected \"%s\"", rows[i].name, text, rows[i].text);
        }
        cl_buf_deinit(&b);
    }
}

/* ---- any message ---- */

/* Printable, terminated, as long as it says, and nothing behind its room is touched. */
static void assert_clean(const uint8_t *p, size_t len, size_t cap)
{
    char text[1024];
    memset(text, 0x55, sizeof(text));
    assert_true(cap < sizeof(text));
    size_t n = cleat_tls_describe(p, len, text, cap);
    for (size_t i = 0; i < n; i++) {
        assert_in_range((uint8_t)text[i], 0x20, 0x7e);
    }
    assert_true(cap == 0 || n < cap);
    assert_true(cap == 0 || text[n] == '\0');
    for (size_t i = cap; i < sizeof(text); i++) {
        assert_int_equal(text[i], 0x55);
    }
}

/* A copy of exactly its size, so that the sanitizers see a byte read too many. */
static void assert_clean_alone(const uint8_t *p, size_t len)
{
    uint8_t *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy + 1, p, len);
    assert_clean(copy + 1, len, 600);
    free(copy);
}

static void assert_clean_when_broken(struct cl_rd message)
{
    struct cl_buf m = {0};
    assert_int_equal(cl_buf_append(&m, message.p, message.len, SIZE_MAX / 2), CL_OK);
    for (size_t cap = 0; cap < 400; cap++) {
        assert_clean(m.p, m.len, cap);
    }
    for (size_t i = 0; i < m.len; i++) {
        static const uint8_t flips[] = {0xff, 0x80, 0x01};
        for (size_t k = 0; k < TEST_LEN(flips); k++) {
            m.p[i] ^= flips[k];
            assert_clean_alone(m.p, m.len);
            m.p[i] ^= flips[k];
        }
        /* the message ends here, and says so */
        size_t body = i >= 4 ? i - 4 : 0;
        uint8_t header[3] = {m.p[1], m.p[2], m.p[3]};
        m.p[1] = (uint8_t)(body >> 16);
        m.p[2] = (uint8_t)(body >> 8);
        m.p[3] = (uint8_t)body;
        assert_clean_alone(m.p, i);
        memcpy(m.p + 1, header, sizeof(header));
    }
    cl_buf_deinit(&m);
}

static void test_every_message_of_a_handshake_stays_clean_however_it_is_broken(void **state)
{
    static const unsigned walks[] = {WALK_ASKS | WALK_CERT | WALK_TICKET, WALK_RETRY, WALK_PSK,
                                     WALK_12 | WALK_ASKS | WALK_CERT | WALK_TICKET};
    for (size_t i = 0; i < TEST_LEN(walks); i++) {
        struct walk w;
        walk_whole(&w, walks[i], false);
        const struct test_log *log = &w.pair.client.log;
        for (size_t k = 0; k < log->num_messages; k++) {
            assert_clean_when_broken(cl_buf_view(&log->messages[k].bytes));
        }
        walk_drop(&w);
    }
}

/* Every event's text, whatever the peer says, is made of names of our own or of printable ASCII. */
static void test_every_event_of_a_handshake_is_printable(void **state)
{
    static const unsigned walks[] = {WALK_ASKS | WALK_CERT | WALK_TICKET, WALK_RETRY, WALK_PSK,
                                     WALK_12 | WALK_TICKET};
    for (size_t i = 0; i < TEST_LEN(walks); i++) {
        struct walk w;
        walk_whole(&w, walks[i], true);
        const struct cl_buf *text = &w.pair.server.log.text;
        assert_true(text->len != 0);
        for (size_t k = 0; k < text->len; k++) {
            assert_true(text->p[k] == '\n' || (text->p[k] >= 0x20 && text->p[k] < 0x7f));
        }
        walk_drop(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_said_about_each_message),
        cmocka_unit_test(test_every_message_of_a_handshake_stays_clean_however_it_is_broken),
        cmocka_unit_test(test_every_event_of_a_handshake_is_printable),
    };
    return cmocka_run_group_tests(tests, walk_setup, walk_teardown);
}
