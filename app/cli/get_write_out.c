/* cli/get_write_out.c - take a format of --write-out apart. */
#include "cli/get_write_out.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "cli/get_options.h"
#include "cli/get_variables.h"
#include "cli/read_file.h"

/* 4 KiB: a path; 1 KiB: a date in words */
#define MAX_PATH 4096
#define MAX_TIME 1024

struct expansion {
    const struct get_facts *facts;
    FILE *out;
    FILE *first;  /* where it began: "%{stdout}" */
    FILE *opened; /* by %output{}, or NULL */
    bool over;    /* %{onerror} has ended it */
};

static void switch_to(struct expansion *x, FILE *out, FILE *opened)
{
    if (x->opened != NULL) {
        (void)fclose(x->opened);
    }
    x->out = out;
    x->opened = opened;
}

static void print_named(struct expansion *x, const char *name, size_t len)
{
    struct cl_rd v = cl_rd_of(name, len);
    if (cl_rd_equal_str(v, "json")) {
        get_variables_json(x->facts, x->out);
    } else if (cl_rd_equal_str(v, "header_json")) {
        get_headers_json(x->facts, x->out);
    } else if (cl_rd_equal_str(v, "stderr")) {
        switch_to(x, stderr, NULL);
    } else if (cl_rd_equal_str(v, "stdout")) {
        switch_to(x, x->first, NULL);
    } else if (cl_rd_equal_str(v, "onerror")) {
        x->over = x->facts->exit_code == 0;
    } else if (!get_variable_print(name, len, x->facts, x->out)) {
        (void)fprintf(stderr, "cleat get: --write-out: there is no variable \"%.*s\"\n", (int)len,
                      name);
    }
}

/* %output{FILE}, %output{>>FILE}: what follows goes there. */
static void output_to(struct expansion *x, const char *name, size_t len)
{
    char path[MAX_PATH];
    bool append = len > 2 && memcmp(name, ">>", 2) == 0;
    size_t skip = append ? 2 : 0;
    (void)snprintf(path, sizeof(path), "%.*s", (int)(len - skip), name + skip);
    FILE *f = len - skip < sizeof(path) ? fopen(path, append ? "ae" : "we") : NULL;
    if (f == NULL) {
        (void)fprintf(stderr, "cleat get: --write-out: cannot open %s: %s\n", path,
                      strerror(errno));
        return;
    }
    switch_to(x, f, f);
}

/* %time{FORMAT}: now, in UTC, as strftime writes it; %f is microseconds. */
static void print_time(struct expansion *x, const char *format, size_t len)
{
    char pattern[MAX_TIME], text[MAX_TIME];
    struct timespec now;
    struct tm tm;
    size_t at = 0;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &tm);
    for (size_t i = 0; i < len && at + 8 < sizeof(pattern); i++) {
        bool pair = format[i] == '%' && i + 1 < len;
        if (pair && format[i + 1] == 'f') {
            at += (size_t)snprintf(pattern + at, sizeof(pattern) - at, "%06ld", now.tv_nsec / 1000);
            i++;
        } else {
            pattern[at++] = format[i];
            if (pair) {
                pattern[at++] = format[++i];
            }
        }
    }
    pattern[at] = '\0';
    size_t n = at > 0 ? strftime(text, sizeof(text), pattern, &tm) : 0;
    (void)fwrite(text, 1, n, x->out);
}

static void print_field(struct expansion *x, const char *name, size_t len)
{
    get_header_print(name, len, x->facts, x->out);
}

/* Prints what stands behind a '\' and returns how many characters that was. */
static size_t print_escape(const char *p, FILE *out)
{
    static const char from[] = "nrt", to[] = "\n\r\t";
    const char *at = p[0] != '\0' ? strchr(from, p[0]) : NULL;
    if (at == NULL) {
        (void)fputc('\\', out);
        return 0;
    }
    (void)fputc(to[at - from], out);
    return 1;
}

/* Prints what stands behind a '%' and returns how many characters that was. */
static size_t print_percent(struct expansion *x, const char *p)
{
    static const struct {
        const char *begin;
        void (*print)(struct expansion *x, const char *what, size_t len);
    } rows[] = {
        {"{", print_named},
        {"header{", print_field},
        {"output{", output_to},
        {"time{", print_time},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = strlen(rows[i].begin);
        const char *end = strncmp(p, rows[i].begin, len) == 0 ? strchr(p + len, '}') : NULL;
        if (end != NULL) {
            rows[i].print(x, p + len, (size_t)(end - p) - len);
            return (size_t)(end - p) + 1;
        }
    }
    (void)fputc('%', x->out);
    return p[0] == '%' ? 1 : 0;
}

static void expand(const char *p, const struct get_facts *facts, FILE *out)
{
    struct expansion x = {.facts = facts, .out = out, .first = out};
    while (*p != '\0' && !x.over) {
        char c = *p++;
        if (c == '\\') {
            p += print_escape(p, x.out);
        } else if (c == '%') {
            p += print_percent(&x, p);
        } else {
            (void)fputc(c, x.out);
        }
    }
    switch_to(&x, out, NULL);
    (void)fflush(out);
}

bool get_write_out(const char *format, const struct get_facts *facts, FILE *out)
{
    if (format[0] != '@') {
        expand(format, facts, out);
        return true;
    }
    struct cl_buf text = {0};
    const char *why = "";
    bool ok = cl_read_file(format + 1, &text, GET_MAX_TEXT_FILE, &why) &&
              cl_buf_append(&text, "", 1, GET_MAX_TEXT_FILE + 1) == CL_OK;
    if (ok) {
        expand((const char *)text.p, facts, out);
    } else {
        (void)fprintf(stderr, "cleat get: --write-out: cannot read %s: %s\n", format + 1, why);
    }
    cl_buf_deinit(&text);
    return ok;
}
