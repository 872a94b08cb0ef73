/* cli/get_parts.c - see get_parts.h. */
#include "cli/get_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/read_file.h"

/* 64 KiB: a read when lengths are counted */
#define COUNT_PIECE 65536

static cl_result add(struct get_parts *p, const struct get_part *part)
{
    struct get_part *items = cl_realloc(p->items, (p->num + 1) * sizeof(*items));
    if (items == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    items[p->num++] = *part;
    p->items = items;
    p->len += part->len;
    return CL_OK;
}

cl_result get_parts_bytes(struct get_parts *p, const void *bytes, size_t len)
{
    const struct get_part part = {.at = p->bytes.len, .len = len};
    struct get_part *last = p->num > 0 ? &p->items[p->num - 1] : NULL;
    CL_TRY(cl_buf_append(&p->bytes, bytes, len, GET_MAX_BODY));
    if (last != NULL && last->path == NULL) {
        last->len += len;
        p->len += len;
        return CL_OK;
    }
    return add(p, &part);
}

/* curl's -d @FILE leaves out CR, LF and NUL. Returns how many bytes stay. */
static size_t strip_line_ends(uint8_t *p, size_t len)
{
    size_t to = 0;
    for (size_t i = 0; i < len; i++) {
        if (p[i] != '\r' && p[i] != '\n' && p[i] != '\0') {
            p[to++] = p[i];
        }
    }
    return to;
}

/* How much is left of a file without line ends; false: it cannot be read. */
static bool count_stripped(int fd, uint64_t *len)
{
    uint8_t *piece = cl_alloc(COUNT_PIECE);
    ssize_t n = -1;
    *len = 0;
    while (piece != NULL && ((n = read(fd, piece, COUNT_PIECE)) > 0 || (n < 0 && errno == EINTR))) {
        *len += n > 0 ? strip_line_ends(piece, (size_t)n) : 0;
    }
    cl_free(piece);
    return n == 0;
}

/* A pipe can be read once only. */
static bool keep(struct get_parts *p, const char *path, bool strip, const char **why)
{
    struct cl_buf text = {0};
    bool ok = cl_read_file(path, &text, GET_MAX_BODY, why);
    size_t len = ok && strip ? strip_line_ends(text.p, text.len) : text.len;
    if (ok && get_parts_bytes(p, text.p != NULL ? text.p : (const uint8_t *)"", len) != CL_OK) {
        *why = "it is too large";
        ok = false;
    }
    cl_buf_deinit(&text);
    return ok;
}

bool get_parts_file(struct get_parts *p, const char *path, uint64_t offset, bool strip,
                    const char **why)
{
    struct stat st;
    if (strcmp(path, "-") == 0 || (stat(path, &st) == 0 && !S_ISREG(st.st_mode))) {
        return keep(p, path, strip, why);
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && fstat(fd, &st) == 0;
    struct get_part part = {.path = cl_strndup(path, strlen(path)), .at = offset, .strip = strip};
    if (ok) {
        uint64_t size = st.st_size > 0 ? (uint64_t)st.st_size : 0;
        part.len = size > offset ? size - offset : 0;
        ok = !strip || count_stripped(fd, &part.len);
    }
    *why = ok ? "" : strerror(errno);
    if (fd >= 0) {
        (void)close(fd);
    }
    if (ok && (part.path == NULL || add(p, &part) != CL_OK)) {
        *why = "out of memory";
        ok = false;
    }
    if (!ok) {
        cl_free(part.path);
    }
    return ok;
}

void get_parts_deinit(struct get_parts *p)
{
    for (size_t i = 0; i < p->num; i++) {
        cl_free(p->items[i].path);
    }
    cl_free(p->items);
    cl_buf_deinit(&p->bytes);
    *p = (struct get_parts){0};
}

/* ---- sending ---- */

static void leave_part(struct get_parts_source *s)
{
    if (s->fd >= 0) {
        (void)close(s->fd);
    }
    s->fd = -1;
    s->part++;
    s->sent = 0;
}

static bool open_part(struct get_parts_source *s, const struct get_part *part)
{
    if (s->fd < 0) {
        s->fd = open(part->path, O_RDONLY | O_CLOEXEC);
    }
    return s->fd >= 0 && lseek(s->fd, (off_t)part->at, SEEK_SET) >= 0;
}

/* Up to cap bytes that are to be sent; 0: the file has ended. */
static ssize_t read_file(int fd, bool strip, uint8_t *p, size_t cap)
{
    for (;;) {
        ssize_t n = read(fd, p, cap);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        size_t len = n > 0 && strip ? strip_line_ends(p, (size_t)n) : (size_t)(n > 0 ? n : 0);
        if (n <= 0 || len > 0) {
            return n <= 0 ? n : (ssize_t)len;
        }
    }
}

static ssize_t fail(const struct get_part *part, const char *why, struct cleat_error *err)
{
    (void)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_SYSTEM}, "cannot read %s: %s",
                       part->path, why);
    return GET_SOURCE_FAILED;
}

static ssize_t read_part(struct get_parts_source *s, const struct get_part *part, uint8_t *p,
                         size_t cap, struct cleat_error *err)
{
    const uint64_t left = part->len - s->sent;
    const size_t want = left < cap ? (size_t)left : cap;
    if (part->path == NULL) {
        memcpy(p, s->parts->bytes.p + part->at + s->sent, want);
        return (ssize_t)want;
    }
    if (s->sent == 0 && !open_part(s, part)) {
        return fail(part, strerror(errno), err);
    }
    /* What is stripped is read in excess: `want` bytes are in what follows, but more may be read.
     */
    ssize_t n = read_file(s->fd, part->strip, p, part->strip ? cap : want);
    if (n <= 0) {
        return fail(part, n < 0 ? strerror(errno) : "it has become shorter", err);
    }
    return (size_t)n <= want ? n : (ssize_t)want; /* it has become longer: the rest is left out */
}

static ssize_t read_parts(struct get_source *source, uint8_t *p, size_t cap,
                          struct cleat_error *err)
{
    struct get_parts_source *s = (struct get_parts_source *)source;
    while (s->part < s->parts->num) {
        const struct get_part *part = &s->parts->items[s->part];
        if (s->sent == part->len) {
            leave_part(s);
            continue;
        }
        ssize_t n = read_part(s, part, p, cap, err);
        s->sent += n > 0 ? (uint64_t)n : 0;
        return n;
    }
    return GET_SOURCE_END;
}

static bool rewind_parts(struct get_source *source)
{
    struct get_parts_source *s = (struct get_parts_source *)source;
    leave_part(s);
    s->part = 0;
    return true;
}

void get_parts_source_init(struct get_parts_source *s, const struct get_parts *parts)
{
    static const struct get_source_calls calls = {.read = read_parts, .rewind = rewind_parts};
    *s = (struct get_parts_source){
        .source = {.calls = &calls, .len = parts->len}, .parts = parts, .fd = -1};
}

void get_parts_source_deinit(struct get_parts_source *s)
{
    if (s->parts != NULL) {
        leave_part(s);
    }
}
