/* cli/get_output.c - write the body, draw the bar. */
#include "cli/get_output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/clock.h"

/* 2,000 bytes: how far curl looks for a NUL byte before it calls something binary */
#define LOOK_FOR_BINARY 2000
/* 100 ms between two drawings of the bar: faster is not readable */
#define REDRAW_US       100000

void get_output_init(struct get_output *out, const char *path, bool bar, struct cleat_error *err)
{
    memset(out, 0, sizeof(*out));
    out->forced = path != NULL && strcmp(path, "-") == 0;
    out->path = out->forced ? NULL : path;
    out->fd = -1;
    out->bar = bar && out->path != NULL && isatty(STDERR_FILENO);
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
    out->fd = out->path == NULL ? STDOUT_FILENO
                                : open(out->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
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

void get_output_bar(char *text, size_t cap, uint64_t bytes, uint64_t total, uint64_t us)
{
    char done[24], all[24], speed[24], bar[31];
    double rate = us > 0 ? (double)bytes * 1e6 / (double)us : 0;
    format_size(done, sizeof(done), (double)bytes);
    format_size(speed, sizeof(speed), rate);
    if (total == 0) {
        (void)snprintf(text, cap, "%s  %s/s", done, speed);
        return;
    }
    double part = bytes >= total ? 1 : (double)bytes / (double)total;
    size_t filled = (size_t)(part * (sizeof(bar) - 1));
    memset(bar, ' ', sizeof(bar) - 1);
    memset(bar, '=', filled);
    bar[sizeof(bar) - 1] = '\0';
    format_size(all, sizeof(all), (double)total);
    uint64_t left = rate > 0 && bytes < total ? (uint64_t)((double)(total - bytes) / rate) : 0;
    (void)snprintf(text, cap, "%3.0f%% [%s] %s of %s  %s/s  %u:%02u left", part * 100, bar, done,
                   all, speed, (unsigned)(left / 60), (unsigned)(left % 60));
}

static void draw(struct get_output *out, bool last)
{
    uint64_t now = cl_clock_mono_us();
    if (!out->bar || (!last && now - out->drawn_us < REDRAW_US) || (last && !out->drawn)) {
        return;
    }
    char text[160];
    get_output_bar(text, sizeof(text), out->bytes, out->total, now - out->start_us);
    (void)fprintf(stderr, "\r\033[K%s%s", text, last ? "\n" : "");
    (void)fflush(stderr);
    out->drawn = true;
    out->drawn_us = now;
}

/* ---- public ---- */

bool get_output_write(struct get_output *out, const void *p, size_t len)
{
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

bool get_output_end(struct get_output *out, bool keep)
{
    bool ok = !keep || ensure_open(out);
    draw(out, true);
    if (out->fd >= 0 && out->path != NULL) {
        /* A full disk may show only here. */
        ok = (close(out->fd) == 0 || fail(out, "cannot write to")) && ok;
    }
    out->fd = -1;
    return ok;
}
