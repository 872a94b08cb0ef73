/* cli/get_output.c - write the body, draw the bar. */
#include "cli/get_output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/clock.h"

/* 2,000 bytes: how far curl looks for a NUL byte before it calls something binary */
#define LOOK_FOR_BINARY 2000
/* 100 ms between two drawings of the bar: faster is not readable */
#define REDRAW_US       100000
/* 80 columns: of a terminal that does not say how wide it is */
#define DEFAULT_COLUMNS 80
/* 10 to 40 columns for the box of "=": less says nothing that the number does not, more is no finer
 * for the eye */
#define BOX_MIN         10
#define BOX_MAX         40

static bool terminal_draws(void)
{
    const char *term = getenv("TERM");
    return isatty(STDERR_FILENO) && (term == NULL || strcmp(term, "dumb") != 0);
}

/* Where the bar would not be torn apart by the body: it is on a terminal, the body is not, and not
 * on its way to a program that may write to the terminal either. */
bool get_output_bar_has_a_place(const char *path)
{
    struct stat st;
    return terminal_draws() &&
           (path != NULL || (fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode)));
}

void get_output_init(struct get_output *out, const char *path, bool bar, struct cleat_error *err)
{
    memset(out, 0, sizeof(*out));
    out->forced = path != NULL && strcmp(path, "-") == 0;
    out->path = out->forced ? NULL : path;
    out->fd = -1;
    out->bar = bar && get_output_bar_has_a_place(out->path);
    out->upload_bar = bar && terminal_draws();
    out->start_us = cl_clock_mono_us();
    out->err = err;
}

static bool fail(struct get_output *out, const char *doing)
{
    (void)cl_error_set(out->err, (struct cl_why){.code = CLEAT_ERR_SYSTEM}, "%s %s: %s", doing,
                       out->path != NULL ? out->path : "standard output", strerror(errno));
    return false;
}

static bool ensure_open(struct get_output *out)
{
    if (out->fd >= 0) {
        return true;
    }
    const int how = out->resume_at > 0 ? O_APPEND : O_TRUNC;
    out->fd = out->path == NULL ? STDOUT_FILENO
                                : open(out->path, O_WRONLY | O_CREAT | how | O_CLOEXEC, 0666);
    return out->fd >= 0 || fail(out, "cannot open");
}

static bool write_all(struct get_output *out, const void *bytes, size_t len)
{
    const char *p = bytes;
    if (!ensure_open(out)) {
        return false;
    }
    while (len > 0) {
        ssize_t n = write(out->fd, p, len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return fail(out, "cannot write to");
        }
        p += n;
        len -= (size_t)n;
    }
    return true;
}

static bool may_write(struct get_output *out, const void *p, size_t len)
{
    if (out->checked || out->path != NULL || out->forced || !isatty(STDOUT_FILENO)) {
        return true;
    }
    out->checked = true;
    if (memchr(p, 0, len < LOOK_FOR_BINARY ? len : LOOK_FOR_BINARY) == NULL) {
        return true;
    }
    const struct cl_why why = {.code = CLEAT_ERR_SYSTEM,
                               .hint = "use -o FILE to save it, or -o - to write it nevertheless"};
    (void)cl_error_set(out->err, why, "binary data would garble the terminal");
    return false;
}

/* ---- the bar ---- */

static void format_size(char *out, size_t cap, double n)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t u = 0;
    while (n >= 1000 && u + 1 < sizeof(units) / sizeof(units[0])) {
        n /= 1024;
        u++;
    }
    (void)snprintf(out, cap, u == 0 ? "%.0f %s" : "%.1f %s", n, units[u]);
}

/* "0:07"; more than 99 hours say nothing useful. */
static void format_time(char *out, size_t cap, uint64_t seconds)
{
    unsigned s = (unsigned)(seconds % 60), m = (unsigned)(seconds / 60 % 60);
    unsigned h = seconds < 100 * 3600 ? (unsigned)(seconds / 3600) : 100;
    if (h >= 100) {
        (void)snprintf(out, cap, "-:--");
    } else if (h > 0) {
        (void)snprintf(out, cap, "%u:%02u:%02u", h, m, s);
    } else {
        (void)snprintf(out, cap, "%u:%02u", m, s);
    }
}

/* "42% [=====     ] " in so many columns, or without the box when it would be too small to say
 * anything. */
static void format_box(char *out, size_t cap, size_t columns, double part)
{
    int len = snprintf(out, cap, "%3u%% ", (unsigned)(part * 100));
    size_t at = len > 0 ? (size_t)len : 0;
    if (columns < at + BOX_MIN + 3) {
        return;
    }
    size_t width = columns - at - 3;
    width = width < BOX_MAX ? width : BOX_MAX;
    size_t filled = (size_t)(part * (double)width);
    out[at] = '[';
    memset(out + at + 1, '=', filled);
    memset(out + at + 1 + filled, ' ', width - filled);
    memcpy(out + at + 1 + width, "] ", 3);
}

void get_output_bar(char *text, size_t cap, size_t columns, uint64_t bytes, uint64_t total,
                    uint64_t us)
{
    char done[24], all[24], speed[24], when[24], box[BOX_MAX + 16], numbers[128];
    double rate = us > 0 ? (double)bytes * 1e6 / (double)us : 0;
    bool unfinished = bytes < total && rate > 0;
    double left = unfinished ? (double)(total - bytes) / rate : (double)us / 1e6;
    format_size(done, sizeof(done), (double)bytes);
    format_size(speed, sizeof(speed), rate);
    format_size(all, sizeof(all), (double)total);
    format_time(when, sizeof(when), left < 1e9 ? (uint64_t)left : UINT64_MAX);
    int len =
        snprintf(numbers, sizeof(numbers), "%s%s%s  %s/s  %s%s", done, total > 0 ? " of " : "",
                 total > 0 ? all : "", speed, when, unfinished ? " left" : "");
    /* One column stays free: terminals wrap a line that is as wide as they are. */
    size_t room = columns > 0 ? columns - 1 : 0;
    size_t used = len > 0 ? (size_t)len : 0;
    box[0] = '\0';
    if (total > 0) {
        double part = bytes < total ? (double)bytes / (double)total : 1;
        format_box(box, sizeof(box), room > used ? room - used : 0, part);
    }
    (void)snprintf(text, room + 1 < cap ? room + 1 : cap, "%s%s", box, numbers);
}

size_t get_output_columns(void)
{
    struct winsize size;
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : DEFAULT_COLUMNS;
}

static void draw_text(struct get_output *out, uint64_t bytes, uint64_t total, bool last)
{
    char text[160];
    const uint64_t now = cl_clock_mono_us();
    get_output_bar(text, sizeof(text), get_output_columns(), bytes, total, now - out->start_us);
    (void)fprintf(stderr, "\r\033[K%s%s", text, last ? "\n" : "");
    (void)fflush(stderr);
    out->drawn_us = now;
}

/* Between two drawings; or the last one, of what was never drawn. */
static bool is_dull(const struct get_output *out, bool last)
{
    return last ? !out->drawn : cl_clock_mono_us() - out->drawn_us < REDRAW_US;
}

static void draw(struct get_output *out, bool last)
{
    if (out->bar && !is_dull(out, last)) {
        draw_text(out, out->bytes, out->total, last);
        out->drawn = true;
    }
}

/* ---- public ---- */

bool get_output_write(struct get_output *out, const void *p, size_t len)
{
    if (out->memory != NULL) {
        if (cl_buf_append(out->memory, p, len, GET_OUTPUT_MAX_MEMORY) != CL_OK) {
            (void)cl_error_set(out->err, (struct cl_why){.code = CLEAT_ERR_LIMIT},
                               "the page is larger than 16 MiB");
            return false;
        }
        return true;
    }
    if (!may_write(out, p, len) || !write_all(out, p, len)) {
        return false;
    }
    out->bytes += len;
    draw(out, false);
    return true;
}

bool get_output_head(struct get_output *out, const void *p, size_t len)
{
    return write_all(out, p, len);
}

void get_output_sent(struct get_output *out, uint64_t bytes, uint64_t total)
{
    const bool last = bytes == total;
    if (!out->upload_bar || is_dull(out, last)) {
        return;
    }
    draw_text(out, bytes, total, last);
    out->drawn = !last;
    if (last) { /* what is received has a bar of its own */
        out->start_us = out->drawn_us;
    }
}

bool get_output_again(struct get_output *out)
{
    struct stat st;
    bool is_file = out->path != NULL && out->fd >= 0 && fstat(out->fd, &st) == 0 &&
                   S_ISREG(st.st_mode) && (uint64_t)st.st_size >= out->bytes;
    if (is_file && (ftruncate(out->fd, st.st_size - (off_t)out->bytes) != 0 ||
                    lseek(out->fd, 0, SEEK_END) < 0)) {
        return fail(out, "cannot begin again with");
    }
    if (out->memory != NULL) {
        out->memory->len = 0;
    }
    out->bytes = out->total = 0;
    return true;
}

bool get_output_end(struct get_output *out, bool keep)
{
    keep = keep && out->memory == NULL;
    bool ok = !keep || ensure_open(out);
    draw(out, true);
    if (out->fd >= 0 && out->path != NULL) {
        /* A full disk may show only here. */
        ok = (close(out->fd) == 0 || fail(out, "cannot write to")) && ok;
    }
    out->fd = -1;
    return ok;
}
