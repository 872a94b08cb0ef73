/* TLSA records as text (RFC 6698 2.2, RFC 7218, RFC 3597, zone files): what is read, whose it is,
 * and what is refused with which words. */
#include "support_x509.h"

#include <stdio.h>
#include <stdlib.h>

#include "cleat/dane.h"

#define HEX   "8cb0fc6c527506a053f4f14c8464bebbd6dede2738d11468dd953d7d6a3021f1"
#define OWNER "_443._tcp.example.com"
#define LONG  HEX HEX

/* Adds text; returns the code. */
static int read_text(struct cleat_dane **out, const char *owner, const char *text,
                     size_t *num_others, struct cleat_error *err)
{
    assert_int_equal(cleat_dane_new(out), CLEAT_OK);
    return cleat_dane_add_text(*out, owner, text, strlen(text), num_others, err);
}

/* The records as text, joined by ", ". */
static void join(const struct cleat_dane *set, char *out, size_t cap)
{
    struct cleat_tlsa record;
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; cleat_dane_at(set, i, &record); i++) {
        len += (size_t)snprintf(out + len, cap - len, "%s", i != 0 ? ", " : "");
        len += cleat_tlsa_text(&record, out + len, cap - len);
    }
}

static void test_every_way_to_write_a_record_is_read(void **state)
{
    static const struct {
        const char *text;
        const char *records;
    } rows[] = {
        {"3 1 1 " HEX, "3 1 1 " HEX},
        {"  3\t1 1\t8cb0fc6c527506a053f4f14c8464beb bd6dede2738d11468dd953d7d6a3021f1 \r\n",
         "3 1 1 " HEX},
        {"3 1 1 8CB0FC6C527506A053F4F14C8464BEBBD6DEDE2738D11468DD953D7D6A3021F1", "3 1 1 " HEX},
        {"DANE-EE SPKI SHA2-256 " HEX, "3 1 1 " HEX},
        {"pkix-ta cert sha2-512 " LONG, "0 0 2 " LONG},
        {OWNER ". IN TLSA 3 1 1 " HEX, "3 1 1 " HEX},
        {OWNER " 3600 IN TLSA 3 1 1 " HEX, "3 1 1 " HEX},
        {OWNER ". IN 1h30m TLSA 3 1 1 " HEX, "3 1 1 " HEX},
        {OWNER ". TLSA 3 1 1 " HEX, "3 1 1 " HEX},
        {"60 IN TLSA 3 1 1 " HEX, "3 1 1 " HEX},
        {"TLSA 3 1 1 " HEX, "3 1 1 " HEX},
        {"_443._TCP.Example.COM. in tlsa 3 1 1 " HEX, "3 1 1 " HEX},
        {OWNER ". IN TLSA ( 3 1 1\n 8cb0fc6c527506a053f4f14c8464bebb ; (half)\n"
               " d6dede2738d11468dd953d7d6a3021f1 )",
         "3 1 1 " HEX},
        {OWNER ". IN TYPE52 \\# 35 030101" HEX, "3 1 1 " HEX},
        {OWNER ". IN TYPE52 3 1 1 " HEX, "3 1 1 " HEX},
        {"\\# 35 030101" HEX, "3 1 1 " HEX},
        {"; only a comment\n\n   \n", ""},
        {"", ""},
        {"3 1 2 " LONG "\n3 1 1 " HEX "\n3 1 1 " HEX, "3 1 1 " HEX ", 3 1 2 " LONG},
        {OWNER ". IN TLSA 3 1 1 " HEX "\n\tIN TLSA 2 0 1 " HEX, "2 0 1 " HEX ", 3 1 1 " HEX},
        {OWNER ". 1 IN RRSIG TLSA 13 4 1 2 3 4 example.com. x=\n" OWNER ". IN TLSA 1 0 1 " HEX,
         "1 0 1 " HEX},
        {"4 7 9 00ff", "4 7 9 00ff"},
        {"PrivCert PrivSel PrivMatch 01", "255 255 255 01"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cleat_error err = {0};
        struct cleat_dane *set;
        char got[512];
        if (read_text(&set, OWNER, rows[i].text, NULL, &err) != CLEAT_OK) {
            fail_msg("%s: %s", rows[i].text, err.text);
        }
        join(set, got, sizeof(got));
        assert_string_equal(got, rows[i].records);
        cleat_dane_free(set);
    }
}

static void test_what_is_no_record_is_refused_in_words(void **state)
{
    static const struct {
        const char *text;
        const char *words;
    } rows[] = {
        {"3 1 1 xyz", "hexadecimal"},
        {"3 1 1 8c:b0", "hexadecimal"},
        {"3 1 1 8cb", "odd number"},
        {"3 1 1 8cb0", "2 bytes instead of 32"},
        {"3 1 2 " HEX, "32 bytes instead of 64"},
        {"3 1 1", "without data"},
        {"3 1", "matching type"},
        {"3", "this is no TLSA record"},
        {"256 1 1 " HEX, "this is no TLSA record"},
        {"3 256 1 " HEX, "selector"},
        {"3 1 256 " HEX, "matching type"},
        {"3 -1 1 " HEX, "selector"},
        {"hello", "this is no TLSA record"},
        {"hello world", "this is no TLSA record: 'world'"},
        {OWNER ". IN TLSA", "without data"},
        {"$ORIGIN example.com.", "directives"},
        {"3 1 1 (" HEX, "parentheses"},
        {"3 1 1 " HEX ")", "parentheses"},
        {"3 1 1 ((" HEX "))", "parentheses"},
        {"\\# 36 030101" HEX, "another length"},
        {"\\# x 030101" HEX, "length"},
        {"\\# 2 0301", "take 3"},
        {"3 1 1 " HEX "\n3 1 1 zz", "line 2"},
        {"2 1 0 3000", "are none"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cleat_error err = {0};
        struct cleat_dane *set;
        const int r = read_text(&set, NULL, rows[i].text, NULL, &err);
        if (r != CLEAT_ERR_BAD_TLSA || strstr(err.text, rows[i].words) == NULL) {
            fail_msg("%s: %s: %s", rows[i].text, cleat_error_name(r), err.text);
        }
        cleat_dane_free(set);
    }
}

static void test_records_of_other_names_and_ports_are_counted_not_added(void **state)
{
    static const char text[] = "_443._tcp.example.com. IN TLSA 3 1 1 " HEX "\n"
                               "_8443._tcp.example.com. IN TLSA 3 1 1 zz not even read\n"
                               "_443._tcp.www.example.com. IN TLSA 2 1 1 " HEX "\n"
                               "    IN TLSA 2 0 1 " HEX "\n" /* of the same name */
                               "1 1 1 " HEX "\n";            /* of nobody in particular */
    struct cleat_dane *set;
    size_t num_others;
    char got[512];
    assert_int_equal(read_text(&set, OWNER, text, &num_others, NULL), CLEAT_OK);
    join(set, got, sizeof(got));
    assert_string_equal(got, "1 1 1 " HEX ", 3 1 1 " HEX);
    assert_int_equal(num_others, 3);
    cleat_dane_free(set);
}

static void test_a_record_longer_than_dns_can_carry_is_refused(void **state)
{
    const size_t len = 2 * (CLEAT_TLSA_MAX_DATA + 1);
    char *text = malloc(6 + len + 1);
    assert_non_null(text);
    memcpy(text, "9 1 0 ", 6);
    memset(text + 6, 'a', len);
    text[6 + len] = '\0';
    struct cleat_dane *set;
    assert_int_equal(read_text(&set, NULL, text, NULL, NULL), CLEAT_ERR_LIMIT);
    cleat_dane_free(set);
    text[6 + len - 2] = '\0';
    assert_int_equal(read_text(&set, NULL, text, NULL, NULL), CLEAT_OK);
    cleat_dane_free(set);
    free(text);
}

static void test_the_owner_of_records_has_port_and_name(void **state)
{
    char owner[64];
    assert_int_equal(cleat_tlsa_owner("example.com.", 443, owner, sizeof(owner)), strlen(OWNER));
    assert_string_equal(owner, OWNER);
    assert_int_equal(cleat_tlsa_owner("example.com", 443, owner, 5), strlen(OWNER));
    assert_string_equal(owner, "_443");
}

static void test_a_record_that_does_not_fit_is_cut_between_bytes(void **state)
{
    struct cleat_dane *set;
    struct cleat_tlsa record;
    char text[10];
    assert_int_equal(read_text(&set, NULL, "9 9 9 010203", NULL, NULL), CLEAT_OK);
    assert_true(cleat_dane_at(set, 0, &record));
    assert_int_equal(cleat_tlsa_text(&record, text, sizeof(text)), 12);
    assert_string_equal(text, "9 9 9 01");
    assert_int_equal(cleat_tlsa_text(&record, NULL, 0), 12);
    cleat_dane_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_way_to_write_a_record_is_read),
        cmocka_unit_test(test_what_is_no_record_is_refused_in_words),
        cmocka_unit_test(test_records_of_other_names_and_ports_are_counted_not_added),
        cmocka_unit_test(test_a_record_longer_than_dns_can_carry_is_refused),
        cmocka_unit_test(test_the_owner_of_records_has_port_and_name),
        cmocka_unit_test(test_a_record_that_does_not_fit_is_cut_between_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
