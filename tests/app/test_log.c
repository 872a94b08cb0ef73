/* The log that never blocks, and the key log. */
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
#include <sys/wait.h>
#include <unistd.h>

#include "conn/keylog.h"
#include "serve/log.h"

static size_t read_all(int fd, char *out, size_t cap)
{
    size_t len = 0;
    ssize_t n = 0;
    while (len < cap - 1 && (n = read(fd, out + len, cap - 1 - len)) > 0) {
        len += (size_t)n;
    }
    out[len] = '\0';
    return len;
}

static void test_lines_come_out_in_order_and_clean(void **state)
{
    int ends[2];
    char text[256];
    struct cl_log *log = NULL;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(cl_log_new(ends[1], true, &log), CL_OK);
    cl_log_line(log, "one %d", 1);
    cl_log_line(log, "two\r\nthree\x1b[2J");
    cl_log_bytes(log, "four\n", 5);
    cl_log_free(log);
    read_all(ends[0], text, sizeof(text));
    assert_string_equal(text, "one 1\ntwo??three?[2J\nfour\n");
    close(ends[0]);
}

static void test_a_receiver_that_hangs_costs_lines_and_no_time(void **state)
{
    static char text[4 * CL_LOG_QUEUE];
    char line[1000];
    int ends[2];
    struct cl_log *log = NULL;
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(cl_log_new(ends[1], true, &log), CL_OK);
    /* 5 MB into a pipe that nobody reads: if this blocked, the test would not end */
    for (int i = 0; i < 5000; i++) {
        cl_log_bytes(log, line, sizeof(line));
    }
    fcntl(ends[0], F_SETPIPE_SZ, 1 << 20);
    pid_t child = fork();
    if (child == 0) {
        close(ends[1]);
        size_t len = read_all(ends[0], text, sizeof(text));
        _exit(strstr(text, " log lines were lost here\n") != NULL && len < 4000000 ? 0 : 1);
    }
    cl_log_free(log);
    close(ends[0]);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static const struct cleat_event *secret_event(void)
{
    static uint8_t random[32] = {0xab, 1};
    static uint8_t secret[48] = {0xcd, 2};
    static struct cleat_event event = {
        .kind = CLEAT_EVENT_SECRET,
        .secret = {"CLIENT_TRAFFIC_SECRET_0", random, secret, sizeof(secret)},
    };
    return &event;
}

static const char *const secret_line =
    "CLIENT_TRAFFIC_SECRET_0 "
    "ab01000000000000000000000000000000000000000000000000000000000000 "
    "cd0200000000000000000000000000000000000000000000"
    "000000000000000000000000000000000000000000000000\n";

static void test_a_secret_is_one_line_of_the_key_log(void **state)
{
    char path[] = "/tmp/cleat-keylog-XXXXXX";
    char text[1024];
    struct stat st;
    struct cl_keylog log;
    int fd = mkstemp(path);
    unlink(path);
    close(fd);
    assert_int_equal(cl_keylog_open(&log, path, NULL), CL_OK);
    assert_true(cl_keylog_is_on(&log));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    struct cleat_event other = {.kind = CLEAT_EVENT_STATE};
    cl_keylog_event(&log, &other);
    cl_keylog_event(&log, secret_event());
    cl_keylog_close(&log);
    /* appended, not overwritten */
    assert_int_equal(cl_keylog_open(&log, path, NULL), CL_OK);
    cl_keylog_event(&log, secret_event());
    cl_keylog_close(&log);
    fd = open(path, O_RDONLY);
    size_t len = read_all(fd, text, sizeof(text));
    close(fd);
    unlink(path);
    assert_int_equal(len, 2 * strlen(secret_line));
    assert_memory_equal(text, secret_line, strlen(secret_line));
    assert_string_equal(text + len / 2, secret_line);
}

static void test_no_name_is_no_key_log_and_a_bad_one_an_error(void **state)
{
    struct cl_keylog log;
    struct cleat_error err = {0};
    assert_int_equal(cl_keylog_open(&log, NULL, NULL), CL_OK);
    assert_false(cl_keylog_is_on(&log));
    assert_int_equal(cl_keylog_open(&log, "", NULL), CL_OK);
    assert_false(cl_keylog_is_on(&log));
    assert_int_equal(cl_keylog_open(&log, "/nonexistent/folder/file", &err), CLEAT_ERR_BAD_CONFIG);
    assert_non_null(strstr(err.text, "/nonexistent/folder/file"));
    assert_false(cl_keylog_is_on(&log));
}

static void test_a_secret_that_does_not_fit_is_left_out(void **state)
{
    struct cleat_event event = *secret_event();
    char out[CL_KEYLOG_LINE];
    static const uint8_t config[CL_KEYLOG_LINE / 2]; /* an ECHConfig (RFC 9850 2) of this length */
    event.secret.label = "ECH_CONFIG";
    event.secret.secret = config;
    event.secret.secret_len = sizeof(config);
    assert_int_equal(cl_keylog_line(&event, out), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_come_out_in_order_and_clean),
        cmocka_unit_test(test_a_receiver_that_hangs_costs_lines_and_no_time),
        cmocka_unit_test(test_a_secret_is_one_line_of_the_key_log),
        cmocka_unit_test(test_no_name_is_no_key_log_and_a_bad_one_an_error),
        cmocka_unit_test(test_a_secret_that_does_not_fit_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
