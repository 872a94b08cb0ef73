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
/* parameters */
#define ALPN_H2  \
    "0001000302" \
    "6832"
#define ALPN_H3  \
    "0001000302" \
    "6833"
#define NO_DEFAULT "00020000"
#define PORT(p)    "00030002" p
#define ECH(byte)  "00050001" byte

static struct cl_https_records parse_for(const char *hex, const char *name, uint16_t port, bool ok)
{
    static uint8_t bytes[2048];
    static const char alpn[] = "http/1.1";
    const struct cl_https_origin origin = {.host = HOST, .port = port, .alpn = alpn};
    struct cl_https_records out;
    size_t len = 0;
    assert_true(cl_hex_decode(hex, strlen(hex), bytes, sizeof(bytes), &len));
    assert_int_equal(cl_https_parse(cl_rd_of(bytes, len), name, &origin, &out), ok);
    return out;
}

static struct cl_https_records parse(const char *hex, bool ok)
{
    return parse_for(hex, HOST, 443, ok);
}

/* Each row: the answers, and the endpoints as "target:port/ech" in their order. */
static const struct row {
    const char *name;
    const char *answers; /* with their number in front; or NULL, and */
    const char *data;    /* of one record */
    size_t num;
    const char *endpoints;
    const char *alias;
} rows[] = {
    {"no answer", HEAD("0000") QUESTION, NULL, 0, "", ""},
    {"an ech parameter", NULL,
     "0001"
     "00" ALPN_H2 "00050004"
     "aabbccdd",
     1, "example.test:443/aabbccdd", ""},
    {"behind a CNAME to another name",
     HEAD("0002") QUESTION RECORD("0005") "0006"
                                          "0363646e"
                                          "c014"
                                          "c02a"
                                          "0041"
                                          "0001"
                                          "0000003c"
                                          "0008"
                                          "0001"
                                          "00" ECH("aa"),
     NULL, 1, "cdn.test:443/aa", ""},
    {"a CNAME that leads elsewhere",
     HEAD("0002") QUESTION RECORD("0005") "0006"
                                          "0363646e"
                                          "c014" HTTPS "0008"
                                          "0001"
                                          "00" ECH("aa"),
     NULL, 0, "", ""},
    {"a record of somebody else",
     HEAD("0001") QUESTION "0565766c6c6f"
                           "00"
                           "0041"
                           "0001"
                           "0000003c"
                           "0008"
                           "0001"
                           "00" ECH("aa"),
     NULL, 0, "", ""},
    {"nothing but the place", NULL,
     "0001"
     "00",
     1, "example.test:443/", ""},
    {"an alias", NULL,
     "0000"
     "0363646e00"
     "ffff",
     1, "", "cdn"},
    {"an alias that says there is none", NULL,
     "0000"
     "00",
     1, "", "."},
    {"the host by its name", NULL,
     "0001"
     "076578616d706c65"
     "0454455354"
     "00" ECH("aa"),
     1, "example.test:443/aa", ""},
    {"another target", NULL,
     "0001"
     "0374776f"
     "00" ALPN_H2,
     1, "two:443/", ""},
    {"another port", NULL,
     "0001"
     "00" PORT("20fb") ECH("aa"),
     1, "example.test:8443/aa", ""},
    {"port 0", NULL,
     "0001"
     "00" PORT("0000"),
     1, "", ""},
    {"in order of priority",
     HEAD("0003") QUESTION HTTPS "0008"
                                 "0002"
                                 "00" ECH("bb") HTTPS "0008"
                                                      "0001"
                                                      "00" ECH("aa") HTTPS "0008"
                                                                           "000a"
                                                                           "00" ECH("cc"),
     NULL, 3, "example.test:443/aa example.test:443/bb example.test:443/cc", ""},
    {"a byte too many", NULL,
     "0001"
     "00" ALPN_H3 "00",
     0, NULL, ""},
    {"only a protocol that is not spoken", NULL,
     "0001"
     "00" ALPN_H3 NO_DEFAULT,
     1, "", ""},
    {"a protocol that is not spoken beside the default", NULL,
     "0001"
     "00" ALPN_H3,
     1, "example.test:443/", ""},
    {"no default and nothing else", NULL,
     "0001"
     "00" NO_DEFAULT,
     1, "", ""},
    {"something mandatory that is not known", NULL,
     "0001"
     "00"
     "00000002"
     "1234" ECH("aa") "12340001"
                      "00",
     1, "", ""},
    {"ech is mandatory", NULL,
     "0001"
     "00"
     "00000002"
     "0005" ECH("aa"),
     1, "example.test:443/aa", ""},
    {"mandatory, but not there", NULL,
     "0001"
     "00"
     "00000002"
     "0003" ECH("aa"),
     0, NULL, ""},
    {"mandatory says mandatory", NULL,
     "0001"
     "00"
     "00000002"
     "0000" ECH("aa"),
     0, NULL, ""},
    {"mandatory twice the same", NULL,
     "0001"
     "00"
     "00000004"
     "00050005" ECH("aa"),
     0, NULL, ""},
    {"keys out of order", NULL,
     "0001"
     "00" ECH("aa") "00010001"
                    "00",
     0, NULL, ""},
    {"a key twice", NULL,
     "0001"
     "00" ECH("aa") ECH("bb"),
     0, NULL, ""},
    {"a parameter cut off", NULL,
     "0001"
     "00"
     "00050002"
     "aa",
     0, NULL, ""},
    {"an empty list of protocols", NULL,
     "0001"
     "00"
     "00010000",
     0, NULL, ""},
    {"an empty protocol", NULL,
     "0001"
     "00"
     "00010001"
     "00",
     0, NULL, ""},
    {"a port of one byte", NULL,
     "0001"
     "00"
     "00030001"
     "01",
     0, NULL, ""},
    {"an address hint of three bytes", NULL,
     "0001"
     "00"
     "00040003"
     "7f0000",
     0, NULL, ""},
    {"one that is malformed rejects all",
     HEAD("0002") QUESTION HTTPS "0008"
                                 "0001"
                                 "00" ECH("aa") HTTPS "0008"
                                                      "0002"
                                                      "00"
                                                      "00050002"
                                                      "aa",
     NULL, 0, NULL, ""},
    {"another class",
     HEAD("0001") QUESTION "c00c"
                           "0041"
                           "0003"
                           "0000003c"
                           "0008"
                           "0001"
                           "00" ECH("aa"),
     NULL, 0, "", ""},
    {"a target that is no host name", NULL,
     "0001"
     "0374206f"
     "00" ECH("aa"),
     1, "", ""},
};

static void show(const struct cl_https_records *r, char *out, size_t cap)
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < r->num_usable; i++) {
        char hex[64] = "";
        cl_hex_encode(r->usable[i].ech.p, r->usable[i].ech.len, hex);
        at += (size_t)snprintf(out + at, cap - at, "%s%s:%u/%s", i > 0 ? " " : "",
                               r->usable[i].target, (unsigned)r->usable[i].port, hex);
    }
}

static void test_records_say_where_to_connect(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[512], one[512];
        print_message("  %s\n", rows[i].name);
        if (rows[i].data != NULL) {
            (void)snprintf(one, sizeof(one), "%s%04zx%s", HEAD("0001") QUESTION HTTPS,
                           strlen(rows[i].data) / 2, rows[i].data);
        }
        struct cl_https_records r =
            parse(rows[i].data != NULL ? one : rows[i].answers, rows[i].endpoints != NULL);
        show(&r, text, sizeof(text));
        assert_int_equal(r.num, rows[i].num);
        assert_string_equal(text, rows[i].endpoints != NULL ? rows[i].endpoints : "");
        assert_string_equal(r.alias, rows[i].alias);
    }
}

/* Of the question with labels for the port, "." is the host; of where an alias led, that name. */
static void test_a_target_that_is_not_named_is_whom_the_question_was_for(void **state)
{
    static const char answer[] = HEAD("0001") "055f38343433065f6874747073"
                                              "076578616d706c6504746573740000410001" HTTPS "0008"
                                              "0001"
                                              "00" ECH("aa");
    static const char aliased[] = HEAD("0001") "0363646e00"
                                               "00410001" HTTPS "0003"
                                               "0001"
                                               "00";
    char text[128];
    struct cl_https_records r = parse_for(answer, "_8443._https.example.test", 8443, true);
    show(&r, text, sizeof(text));
    assert_string_equal(text, "example.test:8443/aa");
    r = parse_for(aliased, "cdn", 8443, true);
    show(&r, text, sizeof(text));
    assert_string_equal(text, "cdn:8443/");
}

static void test_of_too_many_records_the_first_in_priority_are_kept(void **state)
{
    char hex[4096];
    size_t at = (size_t)snprintf(hex, sizeof(hex), "%s%s", HEAD("0014"), QUESTION);
    for (unsigned i = 0; i < 20; i++) {
        at += (size_t)snprintf(hex + at, sizeof(hex) - at, "%s0003%04x00", HTTPS, 20 - i);
    }
    struct cl_https_records r = parse(hex, true);
    assert_int_equal(r.num, 20);
    assert_int_equal(r.num_usable, CL_HTTPS_MAX);
    for (size_t i = 0; i < CL_HTTPS_MAX; i++) {
        assert_int_equal(r.usable[i].priority, i + 1);
    }
}

/* Pointers lead back only, so reading a name ends. */
static void test_pointers_that_lead_forward_or_round_are_malformed(void **state)
{
    static const char *const owners[] = {
        "c01e",     /* itself */
        "c0ff",     /* beyond the end */
        "0161c01e", /* a label, and round again */
    };
    for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
        char hex[256];
        (void)snprintf(hex, sizeof(hex), "%s%s%s004100010000003c0003000100", HEAD("0001"), QUESTION,
                       owners[i]);
        (void)parse(hex, false);
    }
}

static void test_cnames_in_a_ring_end(void **state)
{
    /* example.test is cdn.test is example.test */
    (void)parse(HEAD("0002") QUESTION RECORD("0005") "0006"
                                                     "0363646e"
                                                     "c014"
                                                     "c02a"
                                                     "0005"
                                                     "0001"
                                                     "0000003c"
                                                     "0002"
                                                     "c00c",
                true);
}

static void test_messages_cut_anywhere_are_malformed(void **state)
{
    char hex[512];
    (void)snprintf(hex, sizeof(hex), "%s%04zx%s", HEAD("0001") QUESTION HTTPS,
                   strlen(rows[1].data) / 2, rows[1].data);
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
        cmocka_unit_test(test_records_say_where_to_connect),
        cmocka_unit_test(test_a_target_that_is_not_named_is_whom_the_question_was_for),
        cmocka_unit_test(test_of_too_many_records_the_first_in_priority_are_kept),
        cmocka_unit_test(test_pointers_that_lead_forward_or_round_are_malformed),
        cmocka_unit_test(test_cnames_in_a_ring_end),
        cmocka_unit_test(test_messages_cut_anywhere_are_malformed),
        cmocka_unit_test(test_a_name_that_never_ends_is_malformed),
        cmocka_unit_test(test_the_name_asked_for_has_the_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
