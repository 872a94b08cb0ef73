/* Facts as Prometheus text. */
#include "support_watch.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

static void test_labels_are_escaped_and_utf8(void **state)
{
    static const struct {
        const char *text, *label;
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"a\\b\"c\nd", "a\\\\b\\\"c\\nd"},
        {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
        {"\xff", "\xef\xbf\xbd"},
        {"a\xc3", "a\xef\xbf\xbd"},
        {"\xed\xa0\x80z", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz"}, /* a surrogate */
        {"\xf0\x9f\x94\x92", "\xf0\x9f\x94\x92"},
        {"\xf0\x9f\x94\"", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\\\""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cl_buf out = {0};
        assert_int_equal(cl_watch_label(&out, rows[i].text), CL_OK);
        assert_int_equal(out.len, strlen(rows[i].label));
        if (out.len != 0) {
            assert_memory_equal(out.p, rows[i].label, out.len);
        }
        cl_buf_deinit(&out);
    }
}

static void test_serial_numbers_are_decimal(void **state)
{
    static const struct {
        uint8_t bytes[20];
        size_t len;
        const char *text;
    } rows[] = {
        {{0}, 1, "0"},
        {{0x7f}, 1, "127"},
        {{0x00, 0x80}, 2, "128"},
        {{0x80}, 1, "-128"},
        {{0xff}, 1, "-1"},
        {{0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}, 9, "18446744073709551616"},
        {{0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
          0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
         20,
         "730750818665451459101842416358141509827966271487"},
    };
    char text[CL_WATCH_SERIAL_SIZE];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cl_watch_serial_text(cl_rd_of(rows[i].bytes, rows[i].len), text);
        assert_string_equal(text, rows[i].text);
    }
    uint8_t longest[300];
    memset(longest, 0x7f, sizeof(longest));
    cl_watch_serial_text(cl_rd_of(longest, sizeof(longest)), text);
    assert_true(strlen(text) < sizeof(text));
}

static char *series_of(struct world *w)
{
    struct cl_buf out = {0};
    const struct cl_watch_report report = {&w->facts, &w->findings};
    cl_watch_judge(&w->facts, &w->limits, &w->findings);
    assert_int_equal(cl_watch_series(&out, &report, 1), CL_OK);
    char *text = strndup((const char *)out.p, out.len);
    cl_buf_deinit(&out);
    assert_non_null(text);
    return text;
}

static void test_an_expired_certificate_is_told_with_its_end(void **state)
{
    struct world w;
    char line[200];
    w_begin(&w);
    struct entity leaf = w_leaf(&w, 90 * W_DAY, 100 * W_DAY);
    (void)w_serve(&w, &leaf, NULL, (struct cl_rd){0});
    w_disk(&w, &leaf, NULL);
    char *text = series_of(&w);
    const long long until = (long long)cleat_cert_not_after(leaf.cert);
    (void)snprintf(line, sizeof(line),
                   "\nprobe_ssl_earliest_cert_expiry{target=\"leaf.example.com:443\"} %lld\n",
                   until);
    assert_non_null(strstr(text, line));
    assert_non_null(strstr(text, "\nprobe_success{target=\"leaf.example.com:443\"} 0\n"));
    assert_non_null(strstr(text, "\nssl_probe_success{target=\"leaf.example.com:443\"} 1\n"));
    assert_non_null(strstr(text, "finding=\"expired\",severity=\"critical\"} 1\n"));
    (void)snprintf(line, sizeof(line),
                   "dnsnames=\",leaf.example.com,\",ips=\"\",emails=\"\",ou=\"\"} %lld\n", until);
    assert_non_null(strstr(text, line));
    const char *x509 = strstr(text, "\nx509_cert_expired{");
    assert_non_null(x509);
    assert_non_null(strstr(x509, "filename=\"web.pem\",filepath=\"/etc/web.pem\""));
    assert_non_null(strstr(x509, "subject_CN=\"leaf.example.com\"} 1\n"));
    free(text);
    t_free(&leaf);
    w_end(&w);
}

/* No series twice, each family with its head, and together. */
static void test_every_series_is_there_once(void **state)
{
    struct world w;
    w_begin(&w);
    struct entity leaf = w_leaf(&w, 90 * W_DAY, W_DAY);
    w.facts.many_addresses = true;
    (void)w_serve(&w, &leaf, &w.ca, (struct cl_rd){0});
    (void)w_serve(&w, &leaf, &leaf, (struct cl_rd){0});
    w_disk(&w, &leaf, &leaf);
    char *text = series_of(&w);
    char *names[400];
    size_t num = 0;
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0';) {
        if (*line != '#') {
            char *space = strrchr(line, ' ');
            assert_non_null(space);
            *space = '\0';
            assert_true(num < sizeof(names) / sizeof(names[0]));
            names[num++] = line;
        }
    }
    assert_true(num > 20);
    for (size_t i = 0; i < num; i++) {
        for (size_t n = 0; n < i; n++) {
            assert_string_not_equal(names[i], names[n]);
        }
    }
    free(text);
    t_free(&leaf);
    w_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels_are_escaped_and_utf8),
        cmocka_unit_test(test_serial_numbers_are_decimal),
        cmocka_unit_test(test_an_expired_certificate_is_told_with_its_end),
        cmocka_unit_test(test_every_series_is_there_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
