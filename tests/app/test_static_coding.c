/* In which coding a file is sent: what lies beside it and what the client takes, as a table; and
 * where requests in clear are sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "serve/redirect.h"
#include "serve/static_coding.h"

static char folder[] = "/tmp/cleat-coding-XXXXXX";
static int root_fd;
static const char *const names[] = {"page.html", "page.html.br", "page.html.gz", "page.html.zst"};

/* size bytes, changed so many seconds after 2001-09-09 */
static void put(const char *name, size_t size, int age)
{
    const struct timespec times[2] = {{.tv_sec = 1000000000 + age}, {.tv_sec = 1000000000 + age}};
    int fd = openat(root_fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(write(fd, &"text "[i % 5], 1), 1);
    }
    assert_int_equal(futimens(fd, times), 0);
    close(fd);
}

static int make_root(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    root_fd = open(folder, O_RDONLY | O_DIRECTORY);
    return root_fd >= 0 ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        unlinkat(root_fd, names[i], 0);
    }
    close(root_fd);
    return rmdir(folder);
}

static void parse(struct cleat_http_head *head, char *room, size_t cap, const char *fmt,
                  const char *value)
{
    int len = snprintf(room, cap, fmt, value);
    cleat_http_request_init(head);
    assert_int_equal(cleat_http_head_feed(head, room, (size_t)len, NULL), CLEAT_OK);
}

#define HTML "text/html; charset=utf-8"

struct row {
    const char *name;
    const char *there;  /* letters of what lies beside the file: b, g, z; capital: older */
    const char *makes;  /* likewise, what is made in memory */
    const char *accept; /* NULL: no field */
    const char *type;
    bool as_it_is;
    size_t size;
    const char *chosen; /* NULL: not acceptable */
    bool in_memory, varies;
};

static const struct row rows[] = {
    {"nothing there", "", "", "br, gzip", HTML, false, 2000, "identity", false, false},
    {"all there", "bgz", "", "gzip, zstd, br", HTML, false, 2000, "br", false, true},
    {"two there", "gz", "", "gzip, zstd, br", HTML, false, 2000, "zstd", false, true},
    {"none asked for", "bgz", "", NULL, HTML, false, 2000, "identity", false, true},
    {"none taken", "b", "", "gzip", HTML, false, 2000, "identity", false, true},
    {"weights", "bg", "", "br;q=0.2, gzip;q=0.3", HTML, false, 2000, "gzip", false, true},
    {"identity liked best", "bg", "", "br;q=0.2, identity", HTML, false, 2000, "identity", false,
     true},
    {"an older one", "Bg", "", "br, gzip", HTML, false, 2000, "gzip", false, true},
    {"older ones alone", "BGZ", "", "br, gzip", HTML, false, 2000, "identity", false, false},
    {"a packed type", "bg", "bgz", "br, gzip", "image/png", false, 2000, "identity", false, false},
    {"a type of its own", "b", "bgz", "br, gzip", "application/pdf", false, 2000, "br", false,
     true},
    {"made", "", "bz", "gzip, zstd, br", HTML, false, 2000, "br", true, true},
    {"made, the other order", "", "zb", "gzip, zstd, br", HTML, false, 2000, "zstd", true, true},
    {"made, not taken", "", "b", "gzip", HTML, false, 2000, "identity", false, true},
    {"there before made", "g", "bz", "gzip, zstd, br", HTML, false, 2000, "gzip", false, true},
    {"made, as liked better", "g", "bz", "gzip;q=0.9, zstd", HTML, false, 2000, "zstd", true, true},
    {"too small to make", "", "b", "br", HTML, false, 1023, "identity", false, false},
    {"a part is wanted", "", "b", "br", HTML, true, 2000, "identity", false, true},
    {"a part of what is there", "b", "b", "br", HTML, true, 2000, "br", false, true},
    {"no text", "", "bgz", "br", "application/octet-stream", false, 2000, "identity", false, false},
    {"nothing will do", "b", "", "gzip, identity;q=0", HTML, false, 2000, NULL, false, true},
    {"what is there will do", "b", "", "br, identity;q=0", HTML, false, 2000, "br", false, true},
    {"what is made will do", "", "g", "gzip, *;q=0", HTML, false, 2000, "gzip", true, true},
};

static enum cleat_coding coding_of(char letter)
{
    return letter == 'b' || letter == 'B'   ? CLEAT_CODING_BR
           : letter == 'g' || letter == 'G' ? CLEAT_CODING_GZIP
                                            : CLEAT_CODING_ZSTD;
}

static void choose(const struct row *row, struct cl_encoded_cache *cache,
                   struct cl_static_choice *out)
{
    static const char letters[] = "bgz";
    struct cl_static_codings codings = {.precompressed = true, .cache = cache};
    struct cleat_http_head request;
    char room[200];
    struct stat st;
    put("page.html", row->size, 50);
    for (size_t i = 0; i < 3; i++) {
        const bool fresh = strchr(row->there, letters[i]) != NULL;
        unlinkat(root_fd, names[1 + i], 0);
        if (fresh || strchr(row->there, letters[i] - 32) != NULL) {
            put(names[1 + i], 7, fresh ? 50 : 49);
        }
    }
    for (const char *c = row->makes; *c != '\0'; c++) {
        codings.compress[codings.num_compress++] = coding_of(*c);
    }
    int fd = openat(root_fd, "page.html", O_RDONLY);
    assert_int_equal(fstat(fd, &st), 0);
    const struct cl_static_found found = {.root_fd = root_fd,
                                          .name = "page.html",
                                          .type = row->type,
                                          .fd = fd,
                                          .st = &st,
                                          .as_it_is = row->as_it_is};
    parse(&request, room, sizeof(room),
          row->accept != NULL ? "GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: %s\r\n\r\n"
                              : "GET / HTTP/1.1\r\nHost: x\r\n\r\n%s",
          row->accept != NULL ? row->accept : "");
    cl_static_choose(&codings, &found, &request, out);
    close(fd);
}

static void test_the_best_of_what_there_is_is_chosen(void **state)
{
    struct cl_encoded_cache *cache = NULL;
    (void)state;
    assert_int_equal(cl_encoded_cache_new(1 << 20, &cache), CL_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        struct cl_static_choice got;
        choose(row, cache, &got);
        const char *chosen = got.acceptable ? cleat_coding_name(got.coding) : NULL;
        const bool there = chosen != NULL && got.coding != CLEAT_CODING_IDENTITY && !row->in_memory;
        if (got.acceptable != (row->chosen != NULL) ||
            (chosen != NULL && strcmp(chosen, row->chosen) != 0) || got.varies != row->varies ||
            (got.encoded != NULL) != row->in_memory || (got.fd >= 0) != there) {
            fail_msg("%s: %s%s%s", row->name, chosen, got.varies ? ", varies" : "",
                     got.encoded != NULL ? ", made" : "");
        }
        if (there) {
            assert_int_equal(got.st.st_size, 7);
            close(got.fd);
        }
        cl_encoded_release(got.encoded);
    }
    cl_encoded_cache_free(cache);
}

static void test_requests_in_clear_are_sent_to_the_same_url(void **state)
{
    static const struct {
        const char *request;
        uint16_t port;
        const char *url; /* NULL: 400 */
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", 443, "https://a.example/"},
        {"GET /b?c HTTP/1.1\r\nHost: a.example:80\r\n\r\n", 8443, "https://a.example:8443/b?c"},
        {"GET /%2F%0a HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 443, "https://[::1]/%2F%0a"},
        {"GET //b HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n", 443, "https://192.0.2.1//b"},
        {"GET http://b.example?x HTTP/1.1\r\nHost: a\r\n\r\n", 443, "https://b.example/?x"},
        {"GET / HTTP/1.0\r\n\r\n", 443, NULL},
        {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 443, NULL},
        {"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 443, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cleat_http_head head;
        struct cl_buf url = {0};
        char room[200];
        parse(&head, room, sizeof(room), "%s", cases[i].request);
        int status = cl_redirect_location(&head, cases[i].port, &url);
        if (status != (cases[i].url != NULL ? 308 : 400) ||
            (status == 308 && !cl_rd_equal_str(cl_buf_view(&url), cases[i].url))) {
            fail_msg("%s: %d %.*s", cases[i].request, status, (int)url.len, (char *)url.p);
        }
        cl_buf_deinit(&url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_best_of_what_there_is_is_chosen),
        cmocka_unit_test(test_requests_in_clear_are_sent_to_the_same_url),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
