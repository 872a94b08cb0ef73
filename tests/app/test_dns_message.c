/* DNS messages: questions as they are sent, answers good and bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "dns/message.h"

#define NAME           "www.example.test"
/* a header with these flags and one question, N answers; the question: www.example.test, A, IN */
#define HEAD(flags, n) "0000" flags "0001" n "00000000"
#define QUESTION       \
    "03777777"         \
    "076578616d706c65" \
    "0474657374"       \
    "00"               \
    "00010001"
#define OWN                "c00c"
#define TAIL               "00010000003c"
#define A(owner, data)     owner "0001" TAIL data
#define CNAME(owner, data) owner "0005" TAIL data
#define CDN    \
    "0363646e" \
    "c010" /* cdn.example.test */

static struct cl_rd bytes_of(const char *hex)
{
    static uint8_t bytes[1024];
    size_t len = 0;
    assert_true(cl_hex_decode(hex, strlen(hex), bytes, sizeof(bytes), &len));
    return cl_rd_of(bytes, len);
}

static void test_a_question_is_padded_and_can_be_read_again(void **state)
{
    static const struct {
        const char *name;
        size_t len;
    } rows[] = {
        {"a.test", 128},
        {NAME, 128},
        {"_8443._https.example.test", 128},
        {"012345678901234567890123456789012345678901234567890123456789012."
         "012345678901234567890123456789012345678901234567890123456789012.test",
         256},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cl_buf out = {0};
        struct cl_dns_head head;
        assert_int_equal(cl_dns_query_build(rows[i].name, CL_DNS_TYPE_HTTPS, &out), CL_OK);
        assert_int_equal(out.len, rows[i].len);
        struct cl_rd r = cl_buf_view(&out);
        assert_true(cl_dns_take_head(cl_buf_view(&out), &r, &head));
        assert_int_equal(head.flags, 0x0100);
        assert_string_equal(head.name.text, rows[i].name);
        assert_int_equal(head.type, CL_DNS_TYPE_HTTPS);
        struct cl_dns_record opt;
        assert_true(cl_dns_take_record(cl_buf_view(&out), &r, &opt) && cl_rd_done(&r));
        assert_int_equal(opt.type, CL_DNS_TYPE_OPT);
        cl_buf_deinit(&out);
    }
}

static void test_names_that_cannot_be_asked_for(void **state)
{
    static const char *const names[] = {
        "",   ".",    "a.",
        ".a", "a..b", "0123456789012345678901234567890123456789012345678901234567890123.test"};
    char longest[300];
    struct cl_buf out = {0};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(cl_dns_query_build(names[i], CL_DNS_TYPE_A, &out), CLEAT_ERR_USAGE);
    }
    for (size_t len = 252; len <= 256; len++) {
        for (size_t i = 0; i < len; i++) {
            longest[i] = i % 50 == 49 ? '.' : 'x';
        }
        longest[len] = '\0';
        /* RFC 1035 2.3.4: 255 bytes on the wire */
        assert_int_equal(cl_dns_query_build(longest, CL_DNS_TYPE_A, &out),
                         len <= 253 ? CL_OK : CLEAT_ERR_USAGE);
        out.len = 0;
    }
    cl_buf_deinit(&out);
}

static void test_what_an_answer_is(void **state)
{
    static const struct {
        const char *hex;
        enum cl_dns_outcome want;
    } rows[] = {
        {HEAD("8180", "0000") QUESTION, CL_DNS_ANSWERED},
        {HEAD("8400", "0000") QUESTION, CL_DNS_ANSWERED},
        {HEAD("8183", "0000") QUESTION, CL_DNS_NO_NAME},
        {HEAD("8182", "0000") QUESTION, CL_DNS_REFUSED},
        {HEAD("8185", "0000") QUESTION, CL_DNS_REFUSED},
        {HEAD("0100", "0000") QUESTION, CL_DNS_MALFORMED}, /* a question */
        {HEAD("8380", "0000") QUESTION, CL_DNS_MALFORMED}, /* cut off */
        {HEAD("a980", "0000") QUESTION, CL_DNS_MALFORMED}, /* another opcode */
        {"000081800000000000000000", CL_DNS_MALFORMED},
        {"000081800002000000000000" QUESTION QUESTION, CL_DNS_MALFORMED},
        {HEAD("8180", "0000") "01610474657374"
                              "00"
                              "00010001",
         CL_DNS_MALFORMED}, /* another name */
        {HEAD("8180", "0000") "03777777076578616d706c650474657374"
                              "00"
                              "001c0001",
         CL_DNS_MALFORMED}, /* another type */
        {HEAD("8180", "0000") "03575757076578616d706c650474657374"
                              "00"
                              "00010001",
         CL_DNS_ANSWERED}, /* WWW */
        {"0000818000010000", CL_DNS_MALFORMED},
        {"", CL_DNS_MALFORMED},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(cl_dns_judge(bytes_of(rows[i].hex), NAME, CL_DNS_TYPE_A), rows[i].want);
    }
}

static void test_addresses_along_cnames(void **state)
{
    static const struct {
        const char *answers; /* with their number in front */
        const char *want;    /* joined by spaces; NULL: malformed */
    } rows[] = {
        {"0000", ""},
        {"0001" QUESTION A(OWN, "0004c0000201"), "192.0.2.1"},
        {"0002" QUESTION A(OWN, "0004c0000201") A(OWN, "0004c0000202"), "192.0.2.1 192.0.2.2"},
        {"0002" QUESTION CNAME(OWN, "0006" CDN) A(CDN, "0004c0000203"), "192.0.2.3"},
        {"0002" QUESTION A(CDN, "0004c0000203") CNAME(OWN, "0006" CDN), "192.0.2.3"},
        {"0001" QUESTION A(CDN, "0004c0000203"), ""},
        {"0001" QUESTION OWN "0001"
         "0003" /* class CH */
         "0000003c"
         "0004c0000201",
         ""},
        {"0001" QUESTION OWN "001c" TAIL "001020010db8000000000000000000000001", ""},
        {"0001" QUESTION A(OWN, "0003c00002"), NULL},
        {"0001" QUESTION A(OWN, "0005c000020102"), NULL},
        {"0002" QUESTION A(OWN, "0004c0000201"), NULL},
        {"0001" QUESTION CNAME(OWN, "0002c0ff"), NULL},
        {"0001" QUESTION CNAME(OWN, "000100"), NULL}, /* to the root */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char hex[1024], text[CL_ADDR_TEXT_SIZE], got[256] = "";
        struct cl_addr addrs[4];
        size_t num = 0;
        const char *rest = rows[i].answers + 4;
        (void)snprintf(hex, sizeof(hex), "000081800001%.4s00000000%s", rows[i].answers,
                       *rest != '\0' ? rest : QUESTION);
        const bool ok = cl_dns_addresses(bytes_of(hex), NAME, CL_DNS_TYPE_A, addrs, 4, &num);
        assert_int_equal(ok, rows[i].want != NULL);
        for (size_t k = 0; k < num; k++) {
            cl_addr_format(&addrs[k], text);
            const size_t len = strlen(got);
            (void)snprintf(got + len, sizeof(got) - len, "%s%s", k > 0 ? " " : "", text);
        }
        assert_string_equal(got, rows[i].want != NULL ? rows[i].want : "");
    }
}

static void test_no_more_addresses_than_there_is_room_for(void **state)
{
    struct cl_addr addr;
    size_t num = 0;
    const char *two = HEAD("8180", "0002") QUESTION A(OWN, "0004c0000201") A(OWN, "0004c0000202");
    assert_true(cl_dns_addresses(bytes_of(two), NAME, CL_DNS_TYPE_A, &addr, 1, &num));
    assert_int_equal(num, 1);
}

static void test_cnames_in_a_ring_end(void **state)
{
    struct cl_addr addr;
    size_t num = 7;
    const char *ring = HEAD("8180", "0002") QUESTION CNAME(OWN, "0006" CDN) CNAME(CDN, "0002" OWN);
    assert_true(cl_dns_addresses(bytes_of(ring), NAME, CL_DNS_TYPE_A, &addr, 1, &num));
    assert_int_equal(num, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_question_is_padded_and_can_be_read_again),
        cmocka_unit_test(test_names_that_cannot_be_asked_for),
        cmocka_unit_test(test_what_an_answer_is),
        cmocka_unit_test(test_addresses_along_cnames),
        cmocka_unit_test(test_no_more_addresses_than_there_is_room_for),
        cmocka_unit_test(test_cnames_in_a_ring_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
