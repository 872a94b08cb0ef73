/* Cookies: what is taken, where it is sent, files of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "agent/cookie_jar.h"

#define NOW 1800000000 /* 2027-01-15 */

static struct cl_jar *jar;

static int new_jar(void **state)
{
    (void)state;
    assert_int_equal(cl_jar_new(&jar), CL_OK);
    return 0;
}

static int free_jar(void **state)
{
    (void)state;
    cl_jar_free(jar);
    jar = NULL;
    return 0;
}

static struct cl_cookie_origin at(const char *host, const char *path)
{
    return (struct cl_cookie_origin){.host = host,
                                     .is_ip = host[0] >= '0' && host[0] <= '9',
                                     .secure = true,
                                     .path = cl_rd_str(path)};
}

static enum cl_cookie_verdict take(const char *host, const char *path, const char *field)
{
    const struct cl_cookie_origin o = at(host, path);
    return cl_jar_take(jar, &o, cl_rd_str(field), NOW);
}

static void expect_sent(struct cl_cookie_origin o, int64_t now, const char *want)
{
    struct cl_buf out = {0};
    assert_int_equal(cl_jar_header(jar, &o, now, &out), CL_OK);
    if (out.len != strlen(want) || (out.len > 0 && memcmp(out.p, want, out.len) != 0)) {
        fail_msg("sent \"%.*s\", not \"%s\"", (int)out.len, (const char *)out.p, want);
    }
    cl_buf_deinit(&out);
}

static void expect(const char *host, const char *path, const char *want)
{
    expect_sent(at(host, path), NOW, want);
}

/* ---- the field ---- */

static void test_pairs_are_trimmed_and_kept_as_they_are(void **state)
{
    static const struct {
        const char *field, *sent;
    } rows[] = {
        {"a=b", "a=b"},
        {"  a \t=  b  ", "a=b"},
        {"a=", "a="},
        {"a=b=c", "a=b=c"},
        {"a=\"b c\"; Path=/", "a=\"b c\""},
        {"a=b;;;", "a=b"},
        {"a=b; unknown=x", "a=b"},
        {"a=b; Expires=nonsense", "a=b"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(take("example.com", "/", rows[i].field), CL_COOKIE_STORED);
        expect("example.com", "/", rows[i].sent);
    }
}

static void test_what_is_no_pair_is_refused(void **state)
{
    char longest[4200];
    assert_int_equal(take("example.com", "/", ""), CL_COOKIE_BAD_PAIR);
    assert_int_equal(take("example.com", "/", "a"), CL_COOKIE_BAD_PAIR);
    assert_int_equal(take("example.com", "/", "=b"), CL_COOKIE_BAD_PAIR);
    assert_int_equal(take("example.com", "/", "; Path=/"), CL_COOKIE_BAD_PAIR);
    assert_int_equal(take("example.com", "/", "a=b\001c"), CL_COOKIE_BAD_BYTE);
    assert_int_equal(take("example.com", "/", "a=b; Path=/\177"), CL_COOKIE_BAD_BYTE);
    assert_int_equal(take("example.com", "/", "a=b\tc"), CL_COOKIE_BAD_BYTE);
    assert_int_equal(take("example.com", "/", "a\tb=c"), CL_COOKIE_BAD_BYTE);
    assert_int_equal(take("example.com", "/", "a=b; Path=/\tx"), CL_COOKIE_BAD_BYTE);
    memset(longest, 'x', sizeof(longest));
    longest[1] = '=';
    longest[4097] = '\0';
    assert_int_equal(take("example.com", "/", longest), CL_COOKIE_STORED);
    longest[4097] = 'x';
    longest[4098] = '\0';
    assert_int_equal(take("example.com", "/", longest), CL_COOKIE_TOO_LONG);
    assert_int_equal(cl_jar_num(jar), 1);
}

static void test_an_attribute_that_is_too_long_is_ignored(void **state)
{
    char field[1200] = "a=b; Path=/";
    memset(field + strlen(field), 'x', 1100);
    assert_int_equal(take("example.com", "/deep/file", field), CL_COOKIE_STORED);
    expect("example.com", "/deep/", "a=b");
    expect("example.com", "/", "");
}

static void test_dates_are_read_as_loosely_as_the_rfc_says(void **state)
{
    static const struct {
        const char *text;
        int64_t time; /* -1: no date */
    } rows[] = {
        {"Wed, 09 Jun 2021 10:18:14 GMT", 1623233894},
        {"Wednesday, 09-Jun-21 10:18:14 GMT", 1623233894},
        {"Wed Jun  9 10:18:14 2021", 1623233894},
        {"10:18:14 9 june 2021", 1623233894},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Thu, 01-Jan-70 00:00:01 GMT", 1},
        {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
        {"Mon, 29 Feb 2024 1:2:3", 1709168523},
        {"Thu, 29 Feb 2023 00:00:00 GMT", -1},
        {"Wed, 32 Jun 2021 10:18:14 GMT", -1},
        {"Wed, 09 Jun 1600 10:18:14 GMT", -1},
        {"Wed, 09 Jun 2021 24:18:14 GMT", -1},
        {"Wed, 09 Jun 2021 10:60:14 GMT", -1},
        {"Wed, 09 Jun 2021", -1},
        {"10:18:14 Jun 2021", -1},
        {"09 2021 10:18:14", -1},
        {"", -1},
        {"tomorrow", -1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t time = -2;
        bool ok = cl_cookie_date(cl_rd_str(rows[i].text), &time);
        if (ok != (rows[i].time >= 0) || (ok && time != rows[i].time)) {
            fail_msg("\"%s\" is %lld", rows[i].text, (long long)time);
        }
    }
}

static void test_max_age_wins_over_expires_and_both_end_within_400_days(void **state)
{
    const struct cl_cookie_origin o = at("example.com", "/");
    assert_int_equal(take("example.com", "/", "a=1; Max-Age=100; Expires=Thu, 01 Jan 1970 0:0:0"),
                     CL_COOKIE_STORED);
    assert_int_equal(take("example.com", "/", "b=2; Expires=Fri, 31 Dec 9999 23:59:59 GMT"),
                     CL_COOKIE_STORED);
    assert_int_equal(take("example.com", "/", "c=3; Max-Age=99999999999999999999999"),
                     CL_COOKIE_STORED);
    assert_int_equal(take("example.com", "/", "d=4; Max-Age=5x"), CL_COOKIE_STORED);
    expect_sent(o, NOW + 99, "a=1; b=2; c=3; d=4");
    expect_sent(o, NOW + 100, "b=2; c=3; d=4");
    expect_sent(o, NOW + CL_COOKIE_MAX_AGE - 1, "b=2; c=3; d=4");
    expect_sent(o, NOW + CL_COOKIE_MAX_AGE, "d=4");
}

static void test_a_cookie_that_has_expired_deletes_its_like(void **state)
{
    static const char *const rows[] = {"a=; Max-Age=0", "a=; Max-Age=-5",
                                       "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(take("example.com", "/", "a=b"), CL_COOKIE_STORED);
        assert_int_equal(take("example.com", "/", rows[i]), CL_COOKIE_DELETED);
        assert_int_equal(cl_jar_num(jar), 0);
    }
}

/* ---- for whom ---- */

static void test_domains_reach_down_and_never_up_or_aside(void **state)
{
    static const struct {
        const char *host, *domain;
        enum cl_cookie_verdict verdict;
    } rows[] = {
        {"www.example.com", "example.com", CL_COOKIE_STORED},
        {"www.example.com", ".Example.COM", CL_COOKIE_STORED},
        {"example.com", "example.com", CL_COOKIE_STORED},
        {"example.com", "", CL_COOKIE_STORED},
        {"example.com", "www.example.com", CL_COOKIE_OTHER_DOMAIN},
        {"example.com", "other.com", CL_COOKIE_OTHER_DOMAIN},
        {"badexample.com", "example.com", CL_COOKIE_OTHER_DOMAIN},
        {"example.com", "example.com.", CL_COOKIE_OTHER_DOMAIN},
        {"example.com", "..example.com", CL_COOKIE_OTHER_DOMAIN},
        {"example.com", "com", CL_COOKIE_PUBLIC_SUFFIX},
        {"www.example.co.uk", "co.uk", CL_COOKIE_PUBLIC_SUFFIX},
        {"me.github.io", "github.io", CL_COOKIE_PUBLIC_SUFFIX},
        {"github.io", "github.io", CL_COOKIE_STORED},
        {"localhost", "localhost", CL_COOKIE_STORED},
        {"a.localhost", "localhost", CL_COOKIE_PUBLIC_SUFFIX},
        {"192.0.2.1", "192.0.2.1", CL_COOKIE_STORED},
        {"192.0.2.1", "2.1", CL_COOKIE_OTHER_DOMAIN},
        {"192.0.2.1", "0.2.1", CL_COOKIE_OTHER_DOMAIN},
        {"example.com", "ex\xc3\xa4mple.com", CL_COOKIE_BAD_DOMAIN},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char field[200];
        (void)snprintf(field, sizeof(field), "a=b; Domain=%s", rows[i].domain);
        enum cl_cookie_verdict v = take(rows[i].host, "/", field);
        if (v != rows[i].verdict) {
            fail_msg("%s for %s: %s", rows[i].domain, rows[i].host, cl_cookie_verdict_text(v));
        }
    }
}

static void test_without_a_domain_a_cookie_is_for_its_host_alone(void **state)
{
    (void)take("example.com", "/", "a=host");
    (void)take("example.com", "/", "b=below; Domain=example.com");
    (void)take("github.io", "/", "c=suffix; Domain=github.io");
    expect("example.com", "/", "a=host; b=below");
    expect("www.example.com", "/", "b=below");
    expect("wwwexample.com", "/", "");
    expect("github.io", "/", "c=suffix");
    expect("me.github.io", "/", "");
}

static void test_paths_match_by_segments(void **state)
{
    static const struct {
        const char *from, *attribute, *to;
        bool sent;
    } rows[] = {
        {"/", "/foo", "/foo", true},     {"/", "/foo", "/foo/bar", true},
        {"/", "/foo", "/foobar", false}, {"/", "/foo/", "/foo/bar", true},
        {"/", "/foo/", "/foo", false},   {"/", "foo", "/anything", true},
        {"/a/b/c", "", "/a/b/d", true},  {"/a/b/c", "", "/a/b", true},
        {"/a/b/c", "", "/a/bc", false},  {"/a/b/", "", "/a/b/x", true},
        {"/a", "", "/z", true},          {"/x", "/other", "/other", true},
        {"/", "/Foo", "/foo", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char field[100];
        (void)snprintf(field, sizeof(field), "a=b; Path=%s", rows[i].attribute);
        assert_int_equal(take("example.com", rows[i].from, field), CL_COOKIE_STORED);
        expect("example.com", rows[i].to, rows[i].sent ? "a=b" : "");
        free_jar(NULL);
        new_jar(NULL);
    }
}

static void test_longer_paths_come_first_then_older_cookies(void **state)
{
    (void)take("example.com", "/", "a=1");
    (void)take("example.com", "/", "b=2; Path=/x");
    (void)take("example.com", "/", "c=3");
    (void)take("example.com", "/", "a=4");
    expect("example.com", "/x/y", "b=2; a=4; c=3");
}

static void test_secure_cookies_stay_on_secure_ways(void **state)
{
    struct cl_cookie_origin plain = at("example.com", "/");
    plain.secure = false;
    assert_int_equal(cl_jar_take(jar, &plain, cl_rd_str("a=b; Secure"), NOW), CL_COOKIE_NOT_SECURE);
    assert_int_equal(take("example.com", "/", "s=1; Secure; HttpOnly"), CL_COOKIE_STORED);
    assert_int_equal(cl_jar_take(jar, &plain, cl_rd_str("s=2"), NOW), CL_COOKIE_NOT_SECURE);
    assert_int_equal(cl_jar_take(jar, &plain, cl_rd_str("s=2; Path=/x"), NOW),
                     CL_COOKIE_NOT_SECURE);
    assert_int_equal(cl_jar_take(jar, &plain, cl_rd_str("t=3"), NOW), CL_COOKIE_STORED);
    expect_sent(plain, NOW, "t=3");
    expect("example.com", "/", "s=1; t=3");
}

static void test_prefixes_hold_what_they_promise(void **state)
{
    static const struct {
        const char *field;
        bool stored;
    } rows[] = {
        {"__Secure-a=1; Secure", true},
        {"__Secure-a=1", false},
        {"__secure-a=1", false},
        {"__Host-a=1; Secure; Path=/", true},
        {"__Host-a=1; Secure", false},
        {"__Host-a=1; Path=/", false},
        {"__Host-a=1; Secure; Path=/x", false},
        {"__Host-a=1; Secure; Path=/; Domain=example.com", false},
        {"__HOST-a=1; Path=/", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum cl_cookie_verdict v = take("example.com", "/", rows[i].field);
        if (v != (rows[i].stored ? CL_COOKIE_STORED : CL_COOKIE_BAD_PREFIX)) {
            fail_msg("\"%s\": %s", rows[i].field, cl_cookie_verdict_text(v));
        }
    }
}

/* ---- limits ---- */

static void test_a_domain_has_180_cookies_and_the_least_used_goes(void **state)
{
    char field[64];
    for (int i = 0; i < CL_JAR_MAX_PER_DOMAIN; i++) {
        (void)snprintf(field, sizeof(field), "n%d=%d; Path=/p%d", i, i, i);
        assert_int_equal(take("example.com", "/", field), CL_COOKIE_STORED);
    }
    (void)take("example.org", "/", "other=1");
    expect("example.com", "/p0", "n0=0"); /* used: n1 is the oldest now */
    assert_int_equal(take("example.com", "/", "more=1; Path=/more"), CL_COOKIE_STORED);
    assert_int_equal(cl_jar_num(jar), CL_JAR_MAX_PER_DOMAIN + 1);
    expect("example.com", "/p0", "n0=0");
    expect("example.com", "/p1", "");
    expect("example.org", "/", "other=1");
}

static void test_there_are_3000_in_all(void **state)
{
    char host[64];
    for (int i = 0; i < CL_JAR_MAX + 10; i++) {
        (void)snprintf(host, sizeof(host), "h%d.example", i);
        assert_int_equal(take(host, "/", "a=b"), CL_COOKIE_STORED);
    }
    assert_int_equal(cl_jar_num(jar), CL_JAR_MAX);
    expect("h9.example", "/", "");
    expect("h10.example", "/", "a=b");
}

static void test_a_field_holds_150_cookies_and_8190_bytes(void **state)
{
    struct cl_buf out = {0};
    char field[3000];
    const struct cl_cookie_origin few = at("few.example", "/"), many = at("many.example", "/");
    for (int i = 0; i < 160; i++) {
        (void)snprintf(field, sizeof(field), "n%03d=1", i);
        (void)take("many.example", "/", field);
    }
    assert_int_equal(cl_jar_header(jar, &many, NOW, &out), CL_OK);
    assert_int_equal(out.len, 150 * 8 - 2);
    out.len = 0;
    for (int i = 0; i < 4; i++) {
        memset(field, 'v', sizeof(field));
        field[0] = (char)('a' + i);
        field[1] = '=';
        field[2500] = '\0';
        (void)take("few.example", "/", field);
    }
    assert_int_equal(cl_jar_header(jar, &few, NOW, &out), CL_OK);
    assert_int_equal(out.len, 3 * 2502 - 2);
    cl_buf_deinit(&out);
}

/* ---- files ---- */

static size_t load(const char *text, bool junk)
{
    size_t num = 0;
    assert_int_equal(cl_jar_read(jar, cl_rd_str(text), NOW, junk, &num), CL_OK);
    return num;
}

static void test_files_of_curl_are_read(void **state)
{
    assert_int_equal(load("# Netscape HTTP Cookie File\r\n"
                          "# https://curl.se/docs/http-cookies.html\r\n\r\n"
                          ".example.com\tTRUE\t/\tTRUE\t1900000000\ta\tb c\r\n"
                          "#HttpOnly_example.com\tFALSE\t/x\tFALSE\t0\ts\t1\r\n"
                          "example.com\tFALSE\t/\tFALSE\t0\tempty\t\n"
                          "example.com\tFALSE\t/\tFALSE\t0\tnone\n"
                          "example.com\tFALSE\t/\tFALSE\t1700000000\told\t1\n"
                          "example.com FALSE / FALSE 0 spaces 1\n"
                          "example.com\tMAYBE\t/\tFALSE\t0\tx\t1\n"
                          "example.com\tFALSE\t/\tFALSE\t-1\tx\t1\n"
                          "example.com\tFALSE\t/\tFALSE\t0\tx;y\t1\n"
                          "Set-Cookie: x=1; Domain=exam\tple.com\n"
                          ".com\tTRUE\t/\tFALSE\t0\tx\t1\n"
                          "example.com\tFALSE\t/\tFALSE\t0\t__Host-x\t1\n"
                          "Set-Cookie: h=eader; Domain=example.com; Path=/\n"
                          "Set-Cookie: nobody=knows\n"
                          "example.com\tFALSE\t/\tFALSE\t0\tlast\tline",
                          false),
                     6);
    expect("example.com", "/x", "s=1; a=b c; empty=; none=; h=eader; last=line");
    expect("www.example.com", "/", "a=b c; h=eader");
}

static void test_junk_leaves_the_cookies_of_sessions_out(void **state)
{
    assert_int_equal(load("example.com\tFALSE\t/\tFALSE\t0\ta\t1\n"
                          "example.com\tFALSE\t/\tFALSE\t1900000000\tb\t2\n"
                          "Set-Cookie: c=3; Domain=example.com\n",
                          true),
                     1);
    expect("example.com", "/", "b=2");
}

static void test_what_is_written_reads_as_the_same(void **state)
{
    struct cl_buf out = {0};
    (void)take("www.example.com", "/deep/x", "a=b; Domain=example.com; Secure");
    (void)take("www.example.com", "/deep/x", "c=\"d e\"; HttpOnly; Max-Age=100");
    (void)take("192.0.2.1", "/", "ip=1");
    (void)take("example.com", "/", "gone=1; Max-Age=10");
    assert_int_equal(cl_jar_write(jar, NOW + 50, &out), CL_OK);
    assert_int_equal(cl_buf_append(&out, "", 1, SIZE_MAX), CL_OK);
    const char *text = (const char *)out.p;
    assert_non_null(strstr(text, "\n.example.com\tTRUE\t/deep\tTRUE\t0\ta\tb\n"));
    assert_non_null(
        strstr(text, "\n#HttpOnly_www.example.com\tFALSE\t/deep\tFALSE\t1800000100\tc\t\"d e\"\n"));
    assert_null(strstr(text, "gone"));
    free_jar(NULL);
    new_jar(NULL);
    assert_int_equal(load(text, false), 3);
    expect("www.example.com", "/deep/y", "a=b; c=\"d e\"");
    expect("192.0.2.1", "/", "ip=1");
    expect("9.192.0.2.1", "/", "");
    cl_buf_deinit(&out);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, new_jar, free_jar)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_pairs_are_trimmed_and_kept_as_they_are),
        TEST(test_what_is_no_pair_is_refused),
        TEST(test_an_attribute_that_is_too_long_is_ignored),
        cmocka_unit_test(test_dates_are_read_as_loosely_as_the_rfc_says),
        TEST(test_max_age_wins_over_expires_and_both_end_within_400_days),
        TEST(test_a_cookie_that_has_expired_deletes_its_like),
        TEST(test_domains_reach_down_and_never_up_or_aside),
        TEST(test_without_a_domain_a_cookie_is_for_its_host_alone),
        TEST(test_paths_match_by_segments),
        TEST(test_longer_paths_come_first_then_older_cookies),
        TEST(test_secure_cookies_stay_on_secure_ways),
        TEST(test_prefixes_hold_what_they_promise),
        TEST(test_a_domain_has_180_cookies_and_the_least_used_goes),
        TEST(test_there_are_3000_in_all),
        TEST(test_a_field_holds_150_cookies_and_8190_bytes),
        TEST(test_files_of_curl_are_read),
        TEST(test_junk_leaves_the_cookies_of_sessions_out),
        TEST(test_what_is_written_reads_as_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
