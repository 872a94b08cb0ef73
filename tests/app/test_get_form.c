/* Bodies put together from words and files: -d @FILE, -F, and how they are read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "cli/get_form.h"

static char path[64];

static int make_file(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof(path), "/tmp/cleat-form-XXXXXX.html");
    int fd = mkstemps(path, 5);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "line 1\r\nline 2\n\0end", 19), 19);
    (void)close(fd);
    return 0;
}

static int remove_file(void **state)
{
    (void)state;
    (void)unlink(path);
    return 0;
}

/* All that a source gives, in pieces of that size. */
static struct cl_buf read_all(struct get_source *s, size_t piece)
{
    struct cl_buf out = {0};
    uint8_t p[512];
    ssize_t n;
    struct cleat_error err = {0};
    while ((n = s->calls->read(s, p, piece, &err)) > 0) {
        assert_true((size_t)n <= piece);
        assert_int_equal(cl_buf_append(&out, p, (size_t)n, 1 << 20), CL_OK);
    }
    assert_int_equal(n, GET_SOURCE_END);
    return out;
}

static void expect_body(const struct get_parts *parts, const char *want, size_t want_len)
{
    static const size_t pieces[] = {1, 2, 7, 512};
    struct get_parts_source s;
    get_parts_source_init(&s, parts);
    assert_int_equal(s.source.len, want_len);
    for (size_t i = 0; i < 4; i++) { /* each time from the beginning */
        struct cl_buf out = read_all(&s.source, pieces[i]);
        assert_int_equal(out.len, want_len);
        assert_memory_equal(out.p, want, want_len);
        cl_buf_deinit(&out);
        assert_true(s.source.calls->rewind(&s.source));
    }
    get_parts_source_deinit(&s);
}

static void test_bytes_and_files_follow_each_other(void **state)
{
    (void)state;
    struct get_parts p = {0};
    const char *why;
    assert_int_equal(get_parts_bytes(&p, "a=1&", 4), CL_OK);
    assert_true(get_parts_file(&p, path, 0, true, &why));
    assert_int_equal(get_parts_bytes(&p, "&b=2", 4), CL_OK);
    expect_body(&p, "a=1&line 1line 2end&b=2", 23);
    get_parts_deinit(&p);
}

static void test_a_file_may_begin_later(void **state)
{
    (void)state;
    struct get_parts p = {0};
    const char *why;
    assert_true(get_parts_file(&p, path, 16, false, &why));
    expect_body(&p, "end", 3);
    get_parts_deinit(&p);
    assert_true(get_parts_file(&p, path, 100, false, &why));
    expect_body(&p, "", 0);
    get_parts_deinit(&p);
}

static void test_a_file_that_is_not_there_is_told(void **state)
{
    (void)state;
    struct get_parts p = {0};
    const char *why = "";
    assert_false(get_parts_file(&p, "/no/such/file", 0, false, &why));
    assert_string_equal(why, "No such file or directory");
    get_parts_deinit(&p);
}

static void test_a_file_that_becomes_shorter_fails(void **state)
{
    (void)state;
    struct get_parts p = {0};
    struct get_parts_source s;
    const char *why;
    uint8_t bytes[64];
    struct cleat_error err = {0};
    assert_true(get_parts_file(&p, path, 0, false, &why));
    assert_int_equal(truncate(path, 4), 0);
    get_parts_source_init(&s, &p);
    assert_int_equal(s.source.calls->read(&s.source, bytes, sizeof(bytes), &err), 4);
    assert_int_equal(s.source.calls->read(&s.source, bytes, sizeof(bytes), &err),
                     GET_SOURCE_FAILED);
    assert_non_null(strstr(err.text, "it has become shorter"));
    get_parts_source_deinit(&s);
    get_parts_deinit(&p);
}

/* ---- forms ---- */

/* The form of these fields, with "B" for its boundary. */
static void expect_form(const char *const *fields, bool raw, const char *want)
{
    struct get_form f = {0};
    struct get_parts_source s;
    struct cleat_error err = {0};
    char whole[2048] = "";
    for (; *fields != NULL; fields++) {
        int code = get_form_add(&f, *fields, raw, &err);
        if (code != 0) {
            fail_msg("%s: %s", *fields, err.text);
        }
    }
    assert_int_equal(get_form_end(&f), CL_OK);
    get_parts_source_init(&s, &f.parts);
    struct cl_buf out = read_all(&s.source, 512);
    assert_int_equal(out.len, f.parts.len);
    for (size_t i = 0; i < out.len;) {
        size_t at = strlen(whole);
        bool is_boundary =
            out.len - i >= GET_BOUNDARY_LEN && memcmp(out.p + i, f.boundary, GET_BOUNDARY_LEN) == 0;
        whole[at] = is_boundary ? 'B' : out.p[i] != 0 ? (char)out.p[i] : '0';
        whole[at + 1] = '\0';
        i += is_boundary ? GET_BOUNDARY_LEN : 1;
    }
    assert_string_equal(whole, want);
    cl_buf_deinit(&out);
    get_parts_source_deinit(&s);
    get_form_deinit(&f);
}

#define DISPOSITION "Content-Disposition: form-data; name="

static void test_fields_are_parts(void **state)
{
    (void)state;
    const char *const fields[] = {"a=1", "b=2;type=text/x;charset=utf-8",
                                  "c=\"x;y\\\"z\";headers=X-A: b", NULL};
    expect_form(fields, false,
                "--B\r\n" DISPOSITION "\"a\"\r\n\r\n1\r\n"
                "--B\r\n" DISPOSITION "\"b\"\r\nContent-Type: text/x; charset=utf-8\r\n\r\n2\r\n"
                "--B\r\n" DISPOSITION "\"c\"\r\nX-A: b\r\n\r\nx;y\"z\r\n--B--\r\n");
}

static void test_files_have_their_name_and_type(void **state)
{
    (void)state;
    char field[300], want[1000];
    (void)snprintf(field, sizeof(field), "f=@%s", path);
    const char *const one[] = {field, NULL};
    (void)snprintf(want, sizeof(want),
                   "--B\r\n" DISPOSITION "\"f\"; filename=\"%s\"\r\nContent-Type: text/html\r\n\r\n"
                   "line 1\r\nline 2\n0end\r\n--B--\r\n",
                   strrchr(path, '/') + 1);
    expect_form(one, false, want);
    (void)snprintf(field, sizeof(field), "f=@%s;filename=\"a\\\"b.bin\";type=x/y,%s;filename=c",
                   path, path);
    expect_form(one, false,
                "--B\r\n" DISPOSITION "\"f\"; filename=\"a%22b.bin\"\r\nContent-Type: x/y\r\n\r\n"
                "line 1\r\nline 2\n0end\r\n"
                "--B\r\n" DISPOSITION "\"f\"; filename=\"c\"\r\nContent-Type: "
                "application/octet-stream\r\n\r\nline 1\r\nline 2\n0end\r\n--B--\r\n");
    (void)snprintf(field, sizeof(field), "f=<%s", path);
    expect_form(one, false,
                "--B\r\n" DISPOSITION "\"f\"\r\n\r\nline 1\r\nline 2\n0end\r\n--B--\r\n");
}

static void test_names_cannot_break_out_of_their_quotes(void **state)
{
    (void)state;
    const char *const fields[] = {"a\"b\r\nX: y=1", NULL};
    expect_form(fields, false, "--B\r\n" DISPOSITION "\"a%22b%0D%0AX: y\"\r\n\r\n1\r\n--B--\r\n");
}

static void test_form_strings_are_taken_as_they_are(void **state)
{
    (void)state;
    const char *const fields[] = {"a=@x;type=y", NULL};
    expect_form(fields, true, "--B\r\n" DISPOSITION "\"a\"\r\n\r\n@x;type=y\r\n--B--\r\n");
}

static void test_what_is_no_field_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *field;
        int code;
    } rows[] = {
        {"a", 2},
        {"a=b;c", 2},
        {"a=b;c=d", 2},
        {"a=\"b", 2},
        {"a=\"b\"c", 2},
        {"a=b;type=\"x", 2},
        {"a=b;type=x\ny", 2},
        {"a=b;type=x;headers=\"X: y\r\nZ: z\"", 2},
        {"a=(;type=multipart/mixed", 2},
        {"a=@/no/such/file", 26},
        {"a=<", 26},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct get_form f = {0};
        struct cleat_error err = {0};
        int code = get_form_add(&f, rows[i].field, false, &err);
        if (code != rows[i].code || err.text[0] == '\0') {
            fail_msg("\"%s\": %d, \"%s\"", rows[i].field, code, err.text);
        }
        get_form_deinit(&f);
    }
}

static void test_every_form_has_a_boundary_of_its_own(void **state)
{
    (void)state;
    struct get_form a = {0}, b = {0};
    struct cleat_error err = {0};
    assert_int_equal(get_form_add(&a, "a=1", false, &err), 0);
    assert_int_equal(get_form_add(&b, "a=1", false, &err), 0);
    assert_int_equal(strlen(a.boundary), GET_BOUNDARY_LEN);
    assert_string_not_equal(a.boundary, b.boundary);
    get_form_deinit(&a);
    get_form_deinit(&b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_file, remove_file)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_bytes_and_files_follow_each_other),
        TEST(test_a_file_may_begin_later),
        TEST(test_a_file_that_is_not_there_is_told),
        TEST(test_a_file_that_becomes_shorter_fails),
        TEST(test_fields_are_parts),
        TEST(test_files_have_their_name_and_type),
        TEST(test_names_cannot_break_out_of_their_quotes),
        TEST(test_form_strings_are_taken_as_they_are),
        TEST(test_what_is_no_field_is_refused),
        TEST(test_every_form_has_a_boundary_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
