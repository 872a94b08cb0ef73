/* tests/app/test_https.c - HTTPS records: messages as name servers send them, and worse ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "dns/https.h"

#define HOST    "example.test"
/* a header with one question and N answers; the question: example.test, HTTPS, IN */
#define HEAD(n) "123481800001" n "00000000"
#define QUESTION                       \
    "076578616d706c650474657374000041" \
    "0001"
/* an answer of this type for the question's name: pointer, type, class, TTL */
#define RECORD(type)   \
    "c00c" type "0001" \
    "0000003c"
#define HTTPS RECORD("0041")

static struct cl_https_records parse(const char *hex, bool ok)
{
    static uint8_t bytes[1024];
    struct cl_https_records out;
    size_t len = 0;
    assert_true(cl_hex_decode(hex, strlen(hex), bytes, sizeof(bytes), &len));
    assert_int_equal(cl_https_parse(cl_rd_of(bytes, len), HOST, 443, &out), ok);
    return out;
}

/* Each row: the answers, and the configuration's bytes in hexadecimal, "" for none. */
static const struct row {
    const char *name;
    const char *answers; /* with their number in front */
    size_t num, num_usable;
    const char *ech;
} rows[] = {
    {"no answer", HEAD("0000") QUESTION, 0, 0, ""},
    {"an ech parameter",
     HEAD("0001") QUESTION HTTPS "0012"
                                 "0001"
                                 "00"
                                 "0001"
                                 "0003"
                                 "02"
                                 "6832"
                                 "0005"
                                 "0004"
                                 "aabbccdd",
     1, 1, "aabbccdd"},
    {"behind a CNAME",
     HEAD("0002") QUESTION RECORD("0005") "0002"
                                          "c00c" HTTPS "000b"
                                          "0001"
                                          "00"
                                          "0005"
                                          "0004"
                                          "aabbccdd",
     1, 1, "aabbccdd"},
    {"none",
     HEAD("0001") QUESTION HTTPS "0003"
                                 "0001"
                                 "00",
     1, 1, ""},
    {"an alias",
     HEAD("0001") QUESTION HTTPS "0003"
                                 "0000"
                                 "00",
     1, 0, ""},
    {"the host by its name",
     HEAD("0001") QUESTION HTTPS "0018"
                                 "0001"
                                 "076578616d706c65"
                                 "0454455354"
                                 "00"
                                 "0005"
                                 "0004"
                                 "aabbccdd",
     1, 1, "aabbccdd"},
    {"another target",
     HEAD("0001") QUESTION HTTPS "000f"
                                 "0001"
                                 "0374776f00"
                                 "0005"
                                 "0004"
                                 "aabbccdd",
     1, 0, ""},
    {"the one that comes first in priority",
     HEAD("0002") QUESTION HTTPS "0008"
                                 "0002"
                                 "00"
                                 "0005"
                                 "0001"
                                 "bb" HTTPS "0008"
                                 "0001"
                                 "00"
                                 "0005"
                                 "0001"
                                 "aa",
     2, 2, "aa"},
    {"another port",
     HEAD("0001") QUESTION HTTPS "000e"
                                 "0001"
                                 "00"
                                 "0003"
                                 "0002"
                                 "20fb"
                                 "0005"
                                 "0001"
                                 "aa",
     1, 0, ""},
    {"this port",
     HEAD("0001") QUESTION HTTPS "000e"
                                 "0001"
                                 "00"
                                 "0003"
                                 "0002"
                                 "01bb"
                                 "0005"
                                 "0001"
                                 "aa",
     1, 1, "aa"},
    {"something mandatory that is not known",
     HEAD("0001") QUESTION HTTPS "000e"
                                 "0001"
                                 "00"
                                 "0000"
                                 "0002"
                                 "1234"
                                 "0005"
                                 "0001"
                                 "aa",
     1, 0, ""},
    {"ech is mandatory",
     HEAD("0001") QUESTION HTTPS "000e"
                                 "0001"
                                 "00"
                                 "0000"
                                 "0002"
                                 "0005"
                                 "0005"
                                 "0001"
                                 "aa",
     1, 1, "aa"},
    {"keys out of order",
     HEAD("0001") QUESTION HTTPS "000d"
                                 "0001"
                                 "00"
                                 "0005"
                                 "0001"
                                 "aa"
                                 "0001"
                                 "0001"
                                 "00",
     0, 0, ""},
    {"a key twice",
     HEAD("0001") QUESTION HTTPS "000d"
                                 "0001"
                                 "00"
                                 "0005"
                                 "0001"
                                 "aa"
                                 "0005"
                                 "0001"
                                 "bb",
     0, 0, ""},
    {"a parameter cut off",
     HEAD("0001") QUESTION HTTPS "0008"
                                 "0001"
                                 "00"
                                 "0005"
                                 "0002"
                                 "aa",
     0, 0, ""},
    {"another class",
     HEAD("0001") QUESTION "c00c"
                           "0041"
                           "0003"
                           "0000003c"
                           "0008"
                           "0001"
                           "00"
                           "0005"
                           "0001"
                           "aa",
     0, 0, ""},
};

static void test_records_give_the_configuration_of_this_host(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char hex[64] = "";
        print_message("  %s\n", rows[i].name);
        struct cl_https_records r = parse(rows[i].answers, true);
        assert_int_equal(r.num, rows[i].num);
        assert_int_equal(r.num_usable, rows[i].num_usable);
        cl_hex_encode(r.ech.p, r.ech.len, hex);
        assert_string_equal(hex, rows[i].ech);
    }
}

static void test_messages_cut_anywhere_are_malformed(void **state)
{
    const char *hex = rows[1].answers;
    for (size_t len = 0; len < strlen(hex); len += 2) {
        char cut[512];
        (void)snprintf(cut, sizeof(cut), "%.*s", (int)len, hex);
        (void)parse(cut, false);
    }
}

static void test_a_name_that_never_ends_is_malformed(void **state)
{
    char hex[600];
    size_t at = (size_t)snprintf(hex, sizeof(hex), "%s", HEAD("0000"));
    for (int i = 0; i < 130; i++) {
        at += (size_t)snprintf(hex + at, sizeof(hex) - at, "0161");
    }
    (void)parse(hex, false);
    (void)parse(HEAD("0000") "40"
                             "00410001",
                false); /* 0x40: no kind of label (RFC 1035 4.1.4) */
}

static void test_the_name_asked_for_has_the_port(void **state)
{
    char name[256];
    char host[300];
    assert_true(cl_https_name(HOST, 443, name));
    assert_string_equal(name, HOST);
    assert_true(cl_https_name(HOST, 8443, name));
    assert_string_equal(name, "_8443._https.example.test");
    memset(host, 'a', sizeof(host));
    host[250] = '\0';
    assert_false(cl_https_name(host, 8443, name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records_give_the_configuration_of_this_host),
        cmocka_unit_test(test_messages_cut_anywhere_are_malformed),
        cmocka_unit_test(test_a_name_that_never_ends_is_malformed),
        cmocka_unit_test(test_the_name_asked_for_has_the_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
