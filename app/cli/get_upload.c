/* cli/get_upload.c - see get_upload.h. */
#include "cli/get_upload.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "cleat/http.h"
#include "cli/get_codes.h"
#include "http/chars.h"

/* ---- standard input ---- */

static void on_poll_closed(uv_handle_t *h)
{
    cl_free(h);
}

static void stop_waiting(struct get_stdin *s)
{
    if (s->poll != NULL) {
        uv_close((uv_handle_t *)s->poll, on_poll_closed);
        s->poll = NULL;
    }
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct get_stdin *s = poll->data;
    (void)status; /* the next read tells */
    (void)events;
    stop_waiting(s);
    get_source_wake(&s->source);
}

static ssize_t wait_for_more(struct get_stdin *s, struct cleat_error *err)
{
    if (s->poll != NULL) {
        return GET_SOURCE_LATER;
    }
    uv_poll_t *poll = cl_calloc(1, sizeof(*poll));
    if (poll == NULL || uv_poll_init(s->loop, poll, STDIN_FILENO) != 0) {
        cl_free(poll);
        (void)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_SYSTEM},
                           "cannot wait for standard input");
        return GET_SOURCE_FAILED;
    }
    poll->data = s;
    s->poll = poll;
    if (uv_poll_start(poll, UV_READABLE | UV_DISCONNECT, on_readable) != 0) {
        stop_waiting(s);
        return GET_SOURCE_FAILED;
    }
    return GET_SOURCE_LATER;
}

static ssize_t read_stdin(struct get_source *source, uint8_t *p, size_t cap,
                          struct cleat_error *err)
{
    struct get_stdin *s = (struct get_stdin *)source;
    struct pollfd ready = {.fd = STDIN_FILENO, .events = POLLIN};
    if (!s->is_file && poll(&ready, 1, 0) == 0) {
        return wait_for_more(s, err);
    }
    ssize_t n;
    do {
        n = read(STDIN_FILENO, p, cap);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        return wait_for_more(s, err);
    }
    if (n < 0) {
        (void)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_SYSTEM},
                           "cannot read standard input: %s", strerror(errno));
        return GET_SOURCE_FAILED;
    }
    s->touched = true;
    return n;
}

static bool rewind_stdin(struct get_source *source)
{
    struct get_stdin *s = (struct get_stdin *)source;
    stop_waiting(s);
    if (s->touched && (!s->is_file || lseek(STDIN_FILENO, s->began, SEEK_SET) < 0)) {
        return false;
    }
    s->touched = false;
    return true;
}

static void open_stdin(struct get_stdin *s, uv_loop_t *loop)
{
    static const struct get_source_calls calls = {.read = read_stdin, .rewind = rewind_stdin};
    struct stat st;
    *s = (struct get_stdin){.source = {.calls = &calls, .len = GET_LENGTH_UNKNOWN}, .loop = loop};
    s->is_file = fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode);
    s->began = s->is_file ? lseek(STDIN_FILENO, 0, SEEK_CUR) : 0;
}

/* ---- the gate ---- */

static void wake_outer(void *ctx)
{
    get_source_wake(&((struct get_upload *)ctx)->source);
}

static ssize_t read_gate(struct get_source *source, uint8_t *p, size_t cap, struct cleat_error *err)
{
    struct get_upload *u = (struct get_upload *)source;
    if (u->held) {
        return GET_SOURCE_LATER;
    }
    u->inner->wake = wake_outer;
    u->inner->wake_ctx = u;
    ssize_t n = u->inner->calls->read(u->inner, p, cap, err);
    if (n > 0) {
        u->sent += (uint64_t)n;
        if (u->progress != NULL) {
            u->progress(u->progress_ctx, u->sent, u->source.len);
        }
    }
    return n;
}

static bool rewind_gate(struct get_source *source)
{
    struct get_upload *u = (struct get_upload *)source;
    u->sent = 0;
    return u->inner->calls->rewind(u->inner);
}

void get_upload_hold(struct get_upload *u)
{
    u->held = true;
}

void get_upload_release(struct get_upload *u)
{
    if (u->held) {
        u->held = false;
        get_source_wake(&u->source);
    }
}

/* ---- opening ---- */

static bool is_stdin(const char *word)
{
    return strcmp(word, "-") == 0 || strcmp(word, ".") == 0;
}

static int open_file(struct get_upload *u, const char *path, uint64_t offset,
                     struct cleat_error *err)
{
    struct stat st;
    const char *why = "";
    if (!get_parts_file(&u->file, path, offset, false, &why)) {
        (void)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_SYSTEM}, "-T: cannot read %s: %s",
                           path, why);
        return GET_EXIT_READ_FILE;
    }
    get_parts_source_init(&u->parts, &u->file);
    u->inner = &u->parts.source;
    if (offset > 0 && stat(path, &st) == 0) {
        if (u->file.len == 0) {
            (void)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_USAGE},
                               "-C %" PRIu64 ": %s has %lld bytes: nothing is left to send", offset,
                               path, (long long)st.st_size);
            return GET_EXIT_BAD_RESUME;
        }
        (void)snprintf(u->content_range, sizeof(u->content_range),
                       "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, offset, offset + u->file.len - 1,
                       offset + u->file.len);
    }
    return 0;
}

static int open_upload(struct get_upload *u, const char *word, uint64_t offset, uv_loop_t *loop,
                       struct cleat_error *err)
{
    u->is_put = true;
    if (!is_stdin(word)) {
        return open_file(u, word, offset, err);
    }
    if (offset > 0) {
        (void)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_USAGE},
                           "-C: standard input has no offset");
        return GET_EXIT_USAGE;
    }
    open_stdin(&u->input, loop);
    u->inner = &u->input.source;
    return 0;
}

int get_upload_open(struct get_upload *u, const struct get_options *o, size_t i, uint64_t offset,
                    uv_loop_t *loop, struct cleat_error *err)
{
    static const struct get_source_calls calls = {.read = read_gate, .rewind = rewind_gate};
    int code = 0;
    *u = (struct get_upload){.parts.fd = -1};
    if (i < o->uploads.num) {
        code = open_upload(u, o->uploads.items[i], offset, loop, err);
    } else if (o->form.boundary[0] != '\0') {
        (void)snprintf(u->form_type, sizeof(u->form_type), "multipart/form-data; boundary=%s",
                       o->form.boundary);
        u->content_type = u->form_type;
        get_parts_source_init(&u->parts, &o->form.parts);
        u->inner = &u->parts.source;
    } else if (o->has_body) {
        u->content_type = o->json ? "application/json" : "application/x-www-form-urlencoded";
        get_parts_source_init(&u->parts, &o->body);
        u->inner = &u->parts.source;
    }
    if (code == 0 && u->inner != NULL) {
        u->source = (struct get_source){.calls = &calls, .len = u->inner->len};
    }
    return code;
}

void get_upload_deinit(struct get_upload *u)
{
    stop_waiting(&u->input);
    get_parts_source_deinit(&u->parts);
    get_parts_deinit(&u->file);
    *u = (struct get_upload){0};
}

/* ---- the URL ---- */

/* A byte of a file's name, escaped where a segment of a path cannot have it (RFC 3986 3.3). */
static bool put_segment(char *out, size_t cap, size_t *at, uint8_t c)
{
    static const char digits[] = "0123456789ABCDEF";
    bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                 c == '-' || c == '.' || c == '_' || c == '~';
    if (*at + 4 > cap) {
        return false;
    }
    if (plain) {
        out[(*at)++] = (char)c;
    } else {
        out[(*at)++] = '%';
        out[(*at)++] = digits[c >> 4];
        out[(*at)++] = digits[c & 15];
    }
    out[*at] = '\0';
    return true;
}

bool get_upload_url(const char *url, const char *name, char *out, size_t cap)
{
    const char *slashes = strstr(url, "://");
    const char *host = slashes != NULL ? slashes + 3 : url;
    size_t path = strcspn(host, "/?#") + (size_t)(host - url);
    size_t end = path + strcspn(url + path, "?#"); /* of the path */
    size_t len = strlen(url);
    bool has_path = end > path;
    if (len + 2 > cap) {
        return false;
    }
    if (is_stdin(name) || (has_path && url[end - 1] != '/')) {
        memcpy(out, url, len + 1);
        return true;
    }
    const char *slash = strrchr(name, '/');
    size_t at = end;
    memcpy(out, url, end);
    if (!has_path) {
        out[at++] = '/';
    }
    for (const char *p = slash != NULL ? slash + 1 : name; *p != '\0'; p++) {
        if (!put_segment(out, cap, &at, (uint8_t)*p)) {
            return false;
        }
    }
    if (at + (len - end) + 1 > cap) {
        return false;
    }
    memcpy(out + at, url + end, len - end + 1);
    return true;
}
