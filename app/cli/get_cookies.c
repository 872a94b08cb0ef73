/* cli/get_cookies.c - see get_cookies.h.
 *
 * The values of cookies log in: they are in the jar and in its file, which is its owner's alone,
 * and in no message and no trace.
 */
#include "cli/get_cookies.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/get_codes.h"
#include "cli/read_file.h"
#include "http/chars.h"
#include "net/clock.h"
#include "net/save.h"

/* 64 bytes of a cookie's name are shown */
#define SHOWN_NAME 64

static int64_t now(void)
{
    return (int64_t)(cl_clock_unix_ms() / 1000);
}

static void warn(const char *doing, const char *path, const char *why)
{
    (void)fprintf(stderr, "cleat get: warning: cannot %s the cookies in %s: %s\n", doing, path,
                  why);
}

/* ---- reading ---- */

static cl_result read_jar(struct get_cookies *c, const char *path, bool junk)
{
    struct cl_buf text = {0};
    const char *why = "";
    size_t num = 0;
    cl_result r = CL_OK;
    if (path[0] == '\0') { /* -b "": to keep cookies, and begin with none */
        return CL_OK;
    }
    if (cl_read_file(path, &text, CL_JAR_MAX_FILE, &why)) {
        r = cl_jar_read(c->jar, cl_buf_view(&text), now(), junk, &num);
        cl_trace_note(c->trace, "http", "%zu cookie%s from %s", num, num == 1 ? "" : "s", path);
    } else {
        warn("read", path, why);
    }
    cl_buf_deinit(&text);
    return r;
}

/* As curl: what has a "=" is cookies, anything else a file. */
static bool is_data(const char *word)
{
    return strchr(word, '=') != NULL;
}

int get_cookies_open(struct get_cookies *c, const struct get_options *o, struct cl_trace *trace,
                     struct cleat_error *err)
{
    bool keeps = o->cookie_jar != NULL;
    cl_result r = CL_OK;
    *c = (struct get_cookies){.path = o->cookie_jar, .trace = trace};
    for (size_t i = 0; i < o->cookies.num; i++) {
        keeps = keeps || !is_data(o->cookies.items[i]);
    }
    if (keeps) {
        r = cl_jar_new(&c->jar);
    }
    for (size_t i = 0; r == CL_OK && i < o->cookies.num; i++) {
        const char *word = o->cookies.items[i];
        r = is_data(word) ? cl_buf_printf(&c->given, CL_JAR_MAX_HEADER, "%s%s",
                                          c->given.len > 0 ? "; " : "", word)
                          : read_jar(c, word, o->junk_session);
    }
    if (r == CL_OK) {
        return 0;
    }
    (void)cl_error_set(err, (struct cl_why){.code = r}, "-b: %s",
                       r == CLEAT_ERR_LIMIT ? "more than 8190 bytes of cookies" : "out of memory");
    return r == CLEAT_ERR_LIMIT ? GET_EXIT_USAGE : GET_EXIT_NO_MEMORY;
}

/* ---- requests and responses ---- */

static struct cl_cookie_origin origin_of(const struct client_target *target)
{
    return (struct cl_cookie_origin){.host = target->host,
                                     .is_ip = target->url.is_ipv4 || target->url.is_ipv6,
                                     .secure = target->url.secure,
                                     .path = cl_http_rd(target->url.path)};
}

cl_result get_cookies_header(struct get_cookies *c, const struct client_target *target,
                             bool first_origin, struct cl_buf *out)
{
    if (c->jar != NULL) {
        const struct cl_cookie_origin origin = origin_of(target);
        CL_TRY(cl_jar_header(c->jar, &origin, now(), out));
    }
    if (first_origin && c->given.len > 0) {
        CL_TRY(cl_buf_printf(out, SIZE_MAX, "%s%.*s", out->len > 0 ? "; " : "", (int)c->given.len,
                             (const char *)c->given.p));
    }
    return CL_OK;
}

static void tell(struct get_cookies *c, struct cleat_http_view field,
                 enum cl_cookie_verdict verdict)
{
    char name[SHOWN_NAME + 1];
    size_t len = strcspn(field.p, "=;\r");
    len = len < field.len ? len : field.len;
    (void)snprintf(name, sizeof(name), "%.*s", (int)len, field.p);
    cl_text_make_printable(name);
    cl_trace_note(c->trace, "http", "cookie %s: %s", name, cl_cookie_verdict_text(verdict));
}

void get_cookies_take(struct get_cookies *c, const struct client_target *target,
                      const struct cleat_http_head *head)
{
    struct cleat_http_view field;
    size_t from = 0;
    while (c->jar != NULL && (field = cleat_http_find(head, "Set-Cookie", &from)).p != NULL) {
        const struct cl_cookie_origin origin = origin_of(target);
        tell(c, field, cl_jar_take(c->jar, &origin, cl_http_rd(field), now()));
    }
}

/* ---- the file ---- */

/* What is no file of its own (a terminal, /dev/null, a pipe) is written to; a file is replaced. */
static int save(const char *path, struct cl_rd text)
{
    struct stat st;
    bool is_other = strcmp(path, "-") == 0 || (stat(path, &st) == 0 && !S_ISREG(st.st_mode));
    if (!is_other) {
        return cl_save_path(path, text, S_IRUSR | S_IWUSR);
    }
    FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    if (f == NULL) {
        return errno;
    }
    bool ok = fwrite(text.p, 1, text.len, f) == text.len && fflush(f) == 0;
    int failure = ok ? 0 : errno;
    if (f != stdout) {
        (void)fclose(f);
    }
    return failure;
}

void get_cookies_close(struct get_cookies *c)
{
    if (c->path != NULL && c->jar != NULL) {
        struct cl_buf text = {0};
        int failure = cl_jar_write(c->jar, now(), &text) == CL_OK
                          ? save(c->path, cl_buf_view(&text))
                          : ENOMEM;
        if (failure != 0) {
            warn("write", c->path, strerror(failure));
        }
        cl_buf_deinit(&text);
    }
    cl_jar_free(c->jar);
    cl_buf_deinit(&c->given);
    *c = (struct get_cookies){0};
}
