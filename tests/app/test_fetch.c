/* What certificates point at: which URLs and addresses are asked, what a cache keeps. What servers
 * do to a client that asks is in tests/interop/revocation_fetch.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fetch/cache.h"
#include "fetch/http.h"
#include "net/clock.h"

/* ---- addresses ---- */

static void test_addresses_that_only_exist_here_are_not_public(void **state)
{
    static const struct {
        const char *text;
        bool is_public;
    } rows[] = {
        {"8.8.8.8", true},
        {"1.1.1.1", true},
        {"9.255.255.255", true},
        {"11.0.0.0", true},
        {"172.15.255.255", true},
        {"172.32.0.0", true},
        {"100.63.255.255", true},
        {"100.128.0.0", true},
        {"223.255.255.255", true},
        {"0.0.0.0", false},
        {"10.1.2.3", false},
        {"100.64.0.1", false},
        {"127.0.0.1", false},
        {"127.255.255.255", false},
        {"169.254.169.254", false},
        {"172.16.0.1", false},
        {"172.31.255.255", false},
        {"192.168.1.1", false},
        {"192.0.2.1", false},
        {"198.18.0.1", false},
        {"224.0.0.1", false},
        {"255.255.255.255", false},
        {"2606:4700::1", true},
        {"2a00:1450::1", true},
        {"2001:4860::8888", true},
        {"::1", false},
        {"::", false},
        {"::ffff:127.0.0.1", false},
        {"::ffff:8.8.8.8", false},
        {"64:ff9b::7f00:1", false},
        {"fe80::1", false},
        {"fc00::1", false},
        {"fd12::1", false},
        {"ff02::1", false},
        {"2001:db8::1", false},
        {"2001::1", false},
        {"2002:7f00:1::", false},
        {"3fff::1", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cl_addr a;
        assert_true(cl_addr_parse(rows[i].text, 80, &a));
        if (cl_addr_is_public(&a) != rows[i].is_public) {
            fail_msg("%s", rows[i].text);
        }
    }
}

/* ---- requests ---- */

struct world {
    uv_loop_t loop;
    struct cl_hub *hub;
    struct cl_dns *dns;
    int num_done;
    struct cleat_error error;
};

static void world_open(struct world *w)
{
    *w = (struct world){0};
    assert_int_equal(uv_loop_init(&w->loop), 0);
    assert_int_equal(cl_hub_new(&w->loop, &w->hub), CL_OK);
    assert_int_equal(cl_dns_new(&w->loop, &w->dns, NULL), CL_OK);
}

static void world_close(struct world *w)
{
    cl_dns_free(w->dns);
    (void)uv_run(&w->loop, UV_RUN_DEFAULT);
    cl_hub_free(w->hub);
    (void)uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0);
}

static void on_done(void *ctx, const struct cl_fetch_result *result)
{
    struct world *w = ctx;
    w->num_done++;
    w->error = result->error;
}

static struct cl_fetch_spec spec_of(struct world *w, const char *url)
{
    return (struct cl_fetch_spec){.hub = w->hub,
                                  .dns = w->dns,
                                  .url = url,
                                  .accept = "*/*",
                                  .max = 1000,
                                  .timeout_ms = 5000,
                                  .done = on_done,
                                  .ctx = w};
}

static void test_urls_that_are_not_of_http_are_not_asked(void **state)
{
    static char longest[CL_FETCH_MAX_URL + 2];
    static const char *const urls[] = {
        "",
        "ldap://host/cn=x",
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "ws://127.0.0.1/",
        "http://user:password@127.0.0.1/",
        "http://127.1/",
        "http://0x7f000001/",
        "//127.0.0.1/",
        "http:///x",
        "http://127.0.0.1:0x50/",
        "http://h\xc3\xb6st/",
        "https://127.0.0.1/",
        longest,
        "http://127.0.0.1/a b",
        "http://127.0.0.1/\r\nHost: other",
    };
    struct world w;
    world_open(&w);
    memset(longest, 'a', sizeof(longest) - 1);
    memcpy(longest, "http://", 7);
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct cl_fetch_spec spec = spec_of(&w, urls[i]);
        struct cl_fetch *f = NULL;
        struct cleat_error err = {0};
        const cl_result r = cl_fetch_start(&spec, &f, &err);
        if ((r != CLEAT_ERR_BAD_URL && r != CLEAT_ERR_LIMIT) || err.text[0] == '\0' || f != NULL) {
            fail_msg("%s: %d %s", urls[i], (int)r, err.text);
        }
    }
    assert_int_equal(w.num_done, 0);
    world_close(&w);
}

static void test_a_stranger_does_not_lead_to_addresses_nearby(void **state)
{
    static const char *const urls[] = {"http://127.0.0.1:1/", "http://[::1]:1/",
                                       "http://localhost:1/", "http://169.254.169.254/latest"};
    struct world w;
    world_open(&w);
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct cl_fetch_spec spec = spec_of(&w, urls[i]);
        struct cl_fetch *f;
        spec.public_only = true;
        assert_int_equal(cl_fetch_start(&spec, &f, NULL), CL_OK);
        assert_int_equal(w.num_done, (int)i); /* never from inside */
        while (w.num_done == (int)i && uv_run(&w.loop, UV_RUN_ONCE) != 0) {
        }
        assert_int_equal(w.num_done, (int)i + 1);
        if (strstr(w.error.text, "is not one of the public internet") == NULL) {
            fail_msg("%s: %s", urls[i], w.error.text);
        }
    }
    world_close(&w);
}

static void test_a_request_that_was_cancelled_is_not_heard_of(void **state)
{
    struct world w;
    world_open(&w);
    for (int turns = 0; turns < 3; turns++) {
        struct cl_fetch_spec spec = spec_of(&w, "http://127.0.0.1:1/");
        struct cl_fetch *f;
        assert_int_equal(cl_fetch_start(&spec, &f, NULL), CL_OK);
        for (int i = 0; i < turns && w.num_done == 0; i++) {
            (void)uv_run(&w.loop, UV_RUN_NOWAIT);
        }
        if (w.num_done == 0) {
            cl_fetch_cancel(f);
        }
        w.num_done = 0;
    }
    cl_fetch_cancel(NULL);
    world_close(&w);
    assert_int_equal(w.num_done, 0);
}

/* ---- the cache ---- */

static char folder[] = "/tmp/cleat-cache-XXXXXX";

static int make_folder(void **state)
{
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static size_t count_files(bool remove)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    size_t num = 0;
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            num++;
            if (remove) {
                assert_int_equal(unlinkat(dirfd(dir), entry->d_name, 0), 0);
            }
        }
    }
    (void)closedir(dir);
    return num;
}

static int drop_folder(void **state)
{
    (void)count_files(true);
    return rmdir(folder);
}

static int64_t now(void)
{
    return (int64_t)(cl_clock_unix_ms() / 1000);
}

static void expect_kept(struct cl_fetch_cache *c, const struct cl_fetch_key *key, int64_t at,
                        const char *want)
{
    struct cl_mapped *m = cl_fetch_cache_find(c, key, 100, at);
    assert_int_equal(m != NULL, want != NULL);
    if (want != NULL) {
        assert_true(cl_rd_equal_str(cl_mapped_view(m), want));
    }
    cl_mapped_free(m);
}

static void test_answers_are_kept_by_what_was_asked_until_they_expire(void **state)
{
    struct cl_fetch_cache *c = cl_fetch_cache_new(folder);
    const struct cl_fetch_key keys[] = {
        {"ocsp", "http://a.test/", cl_rd_str("1")},
        {"ocsp", "http://a.test/", cl_rd_str("2")},
        {"crl", "http://a.test/", cl_rd_str("1")},
        {"ocsp", "http://a.test/1", {0}},
        {"crl", "http://a.test/", {0}},
    };
    static const char *const texts[] = {"one", "two", "three", "four", "five"};
    for (size_t i = 0; i < 5; i++) {
        expect_kept(c, &keys[i], now(), NULL);
        cl_fetch_cache_keep(c, &keys[i], cl_rd_str(texts[i]), now() + 1000);
    }
    for (size_t i = 0; i < 5; i++) {
        expect_kept(c, &keys[i], now(), texts[i]);
        expect_kept(c, &keys[i], now() + 998, texts[i]);
        expect_kept(c, &keys[i], now() + 1001, NULL);
    }
    assert_null(cl_fetch_cache_find(c, &keys[0], 2, now())); /* longer than is wanted */
    cl_fetch_cache_keep(c, &keys[0], cl_rd_str("newer"), now() + 500);
    expect_kept(c, &keys[0], now(), "newer");
    assert_int_equal(count_files(false), 5);
    /* what has expired goes when something comes */
    cl_fetch_cache_keep(c, &keys[0], cl_rd_str("old"), now() - 5);
    expect_kept(c, &keys[0], now(), NULL);
    cl_fetch_cache_keep(c, &keys[1], cl_rd_str("two"), now() + 5);
    assert_int_equal(count_files(false), 4);
    assert_null(cl_fetch_cache_problem(c));
    cl_fetch_cache_free(c);
    (void)count_files(true);
}

static void test_a_full_cache_drops_what_expires_next(void **state)
{
    struct cl_fetch_cache *c = cl_fetch_cache_new(folder);
    for (int i = 0; i < CL_FETCH_CACHE_MAX_FILES + 3; i++) {
        char url[32];
        (void)snprintf(url, sizeof(url), "http://%d.test/", i);
        const struct cl_fetch_key key = {"crl", url, {0}};
        /* the third was to last for the shortest time, then the first */
        cl_fetch_cache_keep(c, &key, cl_rd_str("x"), now() + (i == 2 ? 1000 : 2000 + i));
    }
    assert_int_equal(count_files(false), CL_FETCH_CACHE_MAX_FILES);
    for (int i = 0; i < 6; i++) {
        char url[32];
        (void)snprintf(url, sizeof(url), "http://%d.test/", i);
        const struct cl_fetch_key key = {"crl", url, {0}};
        expect_kept(c, &key, now(), i < 3 ? NULL : "x");
    }
    cl_fetch_cache_free(c);
    (void)count_files(true);
}

static void test_links_and_what_was_left_half_written_are_not_followed(void **state)
{
    struct cl_fetch_cache *c = cl_fetch_cache_new(folder);
    const struct cl_fetch_key key = {"crl", "http://a.test/", {0}};
    char from[200], to[200];
    struct dirent *entry;
    cl_fetch_cache_keep(c, &key, cl_rd_str("x"), now() + 1000);
    DIR *dir = opendir(folder);
    while ((entry = readdir(dir)) != NULL && entry->d_name[0] == '.') {
    }
    assert_non_null(entry);
    (void)snprintf(from, sizeof(from), "%s/%.100s", folder, entry->d_name);
    (void)snprintf(to, sizeof(to), "%s/elsewhere", folder);
    (void)closedir(dir);
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(symlink(to, from), 0);
    expect_kept(c, &key, now(), NULL);
    cl_fetch_cache_keep(c, &key, cl_rd_str("y"), now() + 1000); /* in the link's place */
    expect_kept(c, &key, now(), "y");
    /* of one who was killed while he wrote, as net/save names it: swept after an hour */
    const int64_t ages[] = {3700, 60};
    for (size_t i = 0; i < 2; i++) {
        struct timespec times[2] = {{.tv_sec = now() - ages[i]}, {.tv_sec = now() - ages[i]}};
        (void)snprintf(to, sizeof(to), "%s/.crl-%064d.4194304-18446744073709%06zu", folder, 0, i);
        const int fd = open(to, O_WRONLY | O_CREAT, 0600);
        assert_true(fd >= 0);
        assert_int_equal(futimens(fd, times), 0);
        assert_int_equal(close(fd), 0);
    }
    const size_t before = count_files(false);
    cl_fetch_cache_keep(c, &key, cl_rd_str("z"), now() + 1000);
    assert_int_equal(count_files(false), before - 1);
    assert_int_equal(access(to, F_OK), 0);
    cl_fetch_cache_free(c);
    (void)count_files(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_that_only_exist_here_are_not_public),
        cmocka_unit_test(test_urls_that_are_not_of_http_are_not_asked),
        cmocka_unit_test(test_a_stranger_does_not_lead_to_addresses_nearby),
        cmocka_unit_test(test_a_request_that_was_cancelled_is_not_heard_of),
        cmocka_unit_test(test_answers_are_kept_by_what_was_asked_until_they_expire),
        cmocka_unit_test(test_a_full_cache_drops_what_expires_next),
        cmocka_unit_test(test_links_and_what_was_left_half_written_are_not_followed),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
