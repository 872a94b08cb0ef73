/* serve/static.c - deciding and describing the answer to a request for a file (RFC 9110 8.8, 13,
 * 14).
 *
 * First the facts (path, file, validators), then the decision in the order of RFC 9110 13.2.2, then
 * the fields. A file is sent as it was when it was opened: size and validators come from fstat of
 * the descriptor that is handed out.
 */
#include "serve/static.h"

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "http/chars.h"
#include "http/date.h"
#include "http/range.h"
#include "http/write.h"
#include "serve/mime.h"
#include "serve/static_path.h"

/* 64: "%03d " and the longest reason phrase */
#define MAX_TEXT 64

struct file {
    uint64_t size;
    int64_t modified;
    char etag[24]; /* "\"%016llx\"", weak with "W/" and one letter more in memory */
    char modified_text[CL_HTTP_DATE_SIZE];
    const char *type;
    enum cleat_coding coding;
};

struct answer {
    const struct cl_static_config *config;
    const struct cl_static_ask *ask;
    struct cl_static_reply *reply;
    struct cl_static_path path;
    struct file file;
    const struct cl_kept_file *kept; /* its bytes are sent; NULL: the descriptor's */
    bool is_head;
    bool varies; /* the answer depends on Accept-Encoding */
};

static struct cl_rd field(const struct answer *a, const char *name)
{
    return cl_http_rd(cleat_http_find(a->ask->request, name, NULL));
}

/* Fields that every answer has; the caller adds its own. */
static cl_result begin_fields(struct answer *a, int status)
{
    struct cl_buf *fields = &a->reply->fields;
    a->reply->status = status;
    CL_TRY(cl_http_write_date(fields, a->ask->now));
    CL_TRY(cl_http_write_field_str(fields, "X-Content-Type-Options", "nosniff"));
    /* RFC 9110 12.5.5; also where it is identity, 304 or 416 */
    if (a->varies) {
        CL_TRY(cl_http_write_field_str(fields, "Vary", "Accept-Encoding"));
    }
    if (a->ask->extra_fields != NULL) {
        CL_TRY(cl_buf_append(fields, a->ask->extra_fields, strlen(a->ask->extra_fields),
                             CL_HTTP_MAX_WRITTEN_HEAD));
    }
    return CL_OK;
}

/* A body of one line that names the status. */
static cl_result end_with_text(struct answer *a)
{
    struct cl_static_reply *reply = a->reply;
    char text[MAX_TEXT];
    int len =
        snprintf(text, sizeof(text), "%d %s\n", reply->status, cleat_http_reason(reply->status));
    CL_TRY(cl_http_write_field_str(&reply->fields, "Content-Type", "text/plain; charset=utf-8"));
    reply->length = (uint64_t)len;
    return a->is_head ? CL_OK : cl_buf_append(&reply->body.memory, text, (size_t)len, MAX_TEXT);
}

static cl_result answer_status(struct answer *a, int status)
{
    CL_TRY(begin_fields(a, status));
    return end_with_text(a);
}

/* RFC 9110 15.5.6: "The origin server MUST generate an Allow header field in a 405 response" */
static cl_result answer_405(struct answer *a)
{
    CL_TRY(begin_fields(a, 405));
    CL_TRY(cl_http_write_field_str(&a->reply->fields, "Allow", "GET, HEAD"));
    return end_with_text(a);
}

/* The same path with a slash, as it was written. It has no empty segment, so it cannot be read as
 * the name of another host. */
static cl_result answer_slash(struct answer *a)
{
    const struct cleat_http_head *request = a->ask->request;
    struct cl_buf location = {0};
    bool has_query = request->query.at != 0;
    struct cleat_http_view path = cleat_http_text(request, request->path);
    struct cleat_http_view query = cleat_http_text(request, request->query);
    cl_result rc = cl_buf_printf(&location, CLEAT_HTTP_MAX_TARGET + 2, "%.*s/%s%.*s", (int)path.len,
                                 path.p, has_query ? "?" : "", (int)query.len, query.p);
    if (rc == CL_OK) {
        rc = begin_fields(a, 301);
    }
    if (rc == CL_OK) {
        rc = cl_http_write_field(&a->reply->fields, cl_rd_str("Location"), cl_buf_view(&location));
    }
    cl_buf_deinit(&location);
    return rc != CL_OK ? rc : end_with_text(a);
}

static int status_of_errno(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case EXDEV: /* openat2: the path leaves the root */
    case ENAMETOOLONG:
    case ENXIO: /* a socket */
        return 404;
    case EACCES:
    case EPERM:
        return 403;
    default:
        return 500;
    }
}

/* splitmix64's finaliser: inode numbers stay private */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}

static void note_file(struct answer *a, const struct stat *st)
{
    struct file *f = &a->file;
    uint64_t digest = mix((uint64_t)st->st_mtim.tv_sec * 1000000000U +
                          (uint64_t)st->st_mtim.tv_nsec + 0x9e3779b97f4a7c15U);
    digest = mix(digest ^ (uint64_t)st->st_size);
    digest = mix(digest + (uint64_t)st->st_ino);
    digest = htobe64(digest);
    f->etag[0] = '"';
    cl_hex_encode((const uint8_t *)&digest, sizeof(digest), f->etag + 1);
    f->etag[17] = '"';
    f->etag[18] = '\0';
    f->size = (uint64_t)st->st_size;
    /* RFC 9110 8.8.2.1: "An origin server with a clock MUST NOT generate a Last-Modified date that
     * is later than the server's time of message origination" */
    f->modified = st->st_mtim.tv_sec < a->ask->now ? st->st_mtim.tv_sec : a->ask->now;
    cl_http_date_format(f->modified, f->modified_text);
}

/* What is made in memory is another representation, whose bytes another version of the library may
 * make in another way: its tag is weak (RFC 9110 8.8.3.3), so that no range is asked for with it.
 */
static void note_encoded(struct answer *a, struct cl_encoded *encoded)
{
    struct file *f = &a->file;
    char tag[24];
    memcpy(tag, f->etag, sizeof(tag));
    (void)snprintf(f->etag, sizeof(f->etag), "W/%.17s%c\"", tag, cleat_coding_name(f->coding)[0]);
    f->size = encoded->len;
    a->reply->body.encoded = encoded;
}

/* RFC 9110 7.7: content with no-transform is left alone. A part is one of the file as it is. */
static bool is_as_it_is(const struct answer *a)
{
    const char *ours = a->config->cache_control;
    return field(a, "Range").p != NULL || (ours != NULL && strstr(ours, "no-transform") != NULL) ||
           cleat_http_has_token(a->ask->request, "Cache-Control", "no-transform");
}

/* The file has been found: in which coding is it sent? Returns 0 or 406. */
static int choose_coding(struct answer *a, const char *name, const struct stat *st, bool plain)
{
    struct cl_body_source *body = &a->reply->body;
    struct cl_static_choice choice;
    const struct cl_static_found found = {
        .root_fd = a->config->root_fd,
        .name = name,
        .type = a->file.type,
        .fd = body->fd,
        .st = st,
        .as_it_is = is_as_it_is(a),
        .plain = plain,
    };
    cl_static_choose(&a->config->codings, &found, a->ask->request, &choice);
    a->varies = choice.varies;
    a->file.coding = choice.coding;
    if (choice.fd >= 0) {
        close(body->fd);
        body->fd = choice.fd;
        note_file(a, &choice.st);
    } else if (choice.encoded != NULL) {
        close(body->fd);
        body->fd = -1;
        note_encoded(a, choice.encoded);
    }
    return choice.acceptable ? 0 : 406;
}

/* The file is sent to everybody in the same way. */
static void keep_file(struct answer *a, const char *name, const struct stat *st)
{
    if (a->ask->kept != NULL && !a->varies && a->file.coding == CLEAT_CODING_IDENTITY) {
        cl_kept_files_put(a->ask->kept, a->config->root_fd, name, a->reply->body.fd, st,
                          a->ask->now);
    }
}

static const struct cl_kept_file *find_kept(struct answer *a, const char *name)
{
    return a->ask->kept != NULL
               ? cl_kept_files_find(a->ask->kept, a->config->root_fd, name, a->ask->now)
               : NULL;
}

static int take_kept(struct answer *a, const char *name, const struct cl_kept_file *kept)
{
    a->kept = kept;
    a->file.type = cl_mime_type(cl_rd_str(name));
    note_file(a, &kept->st);
    return choose_coding(a, name, &kept->st, true);
}

/* Opens `name` into the reply. Returns 0 when it is a regular file, 301 when it is a folder, else
 * the status to answer. The file may be the one that stands for it compressed. */
static int open_file(struct answer *a, const char *name)
{
    struct stat st;
    const struct cl_kept_file *kept = find_kept(a, name);
    if (kept != NULL && kept->bytes != NULL) {
        return take_kept(a, name, kept);
    }
    int fd = cl_static_open(a->config->root_fd, name);
    if (fd < 0) {
        return status_of_errno(errno);
    }
    if (fstat(fd, &st) != 0) {
        close(fd);
        return 500;
    }
    if (!S_ISREG(st.st_mode)) {
        close(fd);
        return S_ISDIR(st.st_mode) ? 301 : 404;
    }
    a->reply->body.fd = fd;
    a->file.type = cl_mime_type(cl_rd_str(name));
    note_file(a, &st);
    const bool plain = kept != NULL && cl_kept_file_is(kept, &st);
    const int status = choose_coding(a, name, &st, plain);
    if (!plain) {
        keep_file(a, name, &st);
    }
    return status;
}

/* Finds the file: the one named, or the index of a folder. Returns as open_file. */
static int find_file(struct answer *a)
{
    int status =
        cl_static_path_read(cl_static_path_of(a->ask->request), a->config->prefix, &a->path);
    if (status != 0) {
        return status;
    }
    if (a->path.needs_slash) {
        return 301;
    }
    if (!a->path.is_folder) {
        return open_file(a, a->path.name);
    }
    const char *index = a->config->index != NULL ? a->config->index : "index.html";
    char name[sizeof(a->path.name) + NAME_MAX];
    int len = snprintf(name, sizeof(name), "%s%s", a->path.name, index);
    status = len > 0 && (size_t)len < sizeof(name) ? open_file(a, name) : 404;
    return status == 301 ? 404 : status;
}

/* Whether one of the (list-valued) fields of this name lists the file's entity tag. */
static bool etag_listed(const struct answer *a, const char *name, bool weak)
{
    size_t from = 0;
    struct cleat_http_view value;
    while ((value = cleat_http_find(a->ask->request, name, &from)).p != NULL) {
        if (cl_http_etag_listed(cl_http_rd(value), cl_rd_str(a->file.etag), weak)) {
            return true;
        }
    }
    return false;
}

/* A date field that occurs once and is valid; others are ignored (RFC 9110 13.1.3, 13.1.4). */
static bool date_field(const struct answer *a, const char *name, int64_t *out)
{
    return cleat_http_count(a->ask->request, name) == 1 &&
           cl_http_date_parse(field(a, name), a->ask->now, out);
}

/* RFC 9110 13.2.2: 412, 304, or 0 to go on. The method is GET or HEAD. */
static int precondition(const struct answer *a)
{
    int64_t date;
    if (field(a, "If-Match").p != NULL) {
        if (!etag_listed(a, "If-Match", false)) {
            return 412;
        }
    } else if (date_field(a, "If-Unmodified-Since", &date) && a->file.modified > date) {
        return 412;
    }
    if (field(a, "If-None-Match").p != NULL) {
        return etag_listed(a, "If-None-Match", true) ? 304 : 0;
    }
    return date_field(a, "If-Modified-Since", &date) && a->file.modified <= date ? 304 : 0;
}

/* Which status a Range field leads to: 200, 206 with *out, 416. Ranges that do not merge into one
 * are answered with the whole file (RFC 9110 14.2: a server MAY ignore Range). */
static int range_status(const struct answer *a, struct cl_http_range *out)
{
    struct cl_http_range ranges[CL_HTTP_MAX_RANGES];
    size_t num;
    size_t num_if_range = cleat_http_count(a->ask->request, "If-Range");
    /* RFC 9110 14.2: "A server MUST ignore a Range header field received with a request method
     * [...] for which range handling is not defined": it is for GET only */
    if (a->is_head || cleat_http_count(a->ask->request, "Range") != 1 || num_if_range > 1 ||
        (num_if_range == 1 && !cl_http_if_range_holds(field(a, "If-Range"), cl_rd_str(a->file.etag),
                                                      a->file.modified, a->ask->now))) {
        return 200;
    }
    switch (cl_http_range_parse(field(a, "Range"), a->file.size, ranges, &num)) {
    case CL_HTTP_RANGE_OK:
        *out = ranges[0];
        return num == 1 ? 206 : 200;
    case CL_HTTP_RANGE_UNSATISFIABLE:
        return 416;
    default:
        return 200;
    }
}

static cl_result write_validators(struct answer *a)
{
    struct cl_buf *fields = &a->reply->fields;
    CL_TRY(cl_http_write_field_str(fields, "ETag", a->file.etag));
    CL_TRY(cl_http_write_field_str(fields, "Last-Modified", a->file.modified_text));
    if (a->config->cache_control != NULL) {
        CL_TRY(cl_http_write_field_str(fields, "Cache-Control", a->config->cache_control));
    }
    return CL_OK;
}

static cl_result answer_304(struct answer *a)
{
    cl_body_source_deinit(&a->reply->body);
    CL_TRY(begin_fields(a, 304));
    return write_validators(a);
}

/* RFC 9110 15.5.17: a 416 SHOULD tell the size */
static cl_result answer_416(struct answer *a)
{
    char text[40];
    cl_body_source_deinit(&a->reply->body);
    (void)snprintf(text, sizeof(text), "bytes */%llu", (unsigned long long)a->file.size);
    CL_TRY(begin_fields(a, 416));
    CL_TRY(cl_http_write_field_str(&a->reply->fields, "Content-Range", text));
    return end_with_text(a);
}

static bool is_html(const char *type)
{
    return strncmp(type, "text/html", 9) == 0 || strcmp(type, "application/xhtml+xml") == 0;
}

/* The file, or the part of it that `range` says when the status is 206. */
static cl_result answer_file(struct answer *a, int status, struct cl_http_range range)
{
    struct cl_static_reply *reply = a->reply;
    char text[80];
    const bool in_memory = reply->body.encoded != NULL;
    reply->body.length = in_memory ? 0 : a->file.size;
    CL_TRY(begin_fields(a, status));
    CL_TRY(write_validators(a));
    if (!in_memory) {
        CL_TRY(cl_http_write_field_str(&reply->fields, "Accept-Ranges", "bytes"));
    }
    CL_TRY(cl_http_write_field_str(&reply->fields, "Content-Type", a->file.type));
    if (a->file.coding != CLEAT_CODING_IDENTITY) {
        CL_TRY(cl_http_write_field_str(&reply->fields, "Content-Encoding",
                                       cleat_coding_name(a->file.coding)));
    }
    if (a->ask->html_fields != NULL && is_html(a->file.type)) {
        CL_TRY(cl_buf_append(&reply->fields, a->ask->html_fields, strlen(a->ask->html_fields),
                             CL_HTTP_MAX_WRITTEN_HEAD));
    }
    if (status == 206) {
        reply->body.offset = range.first;
        reply->body.length = range.last - range.first + 1;
        (void)snprintf(text, sizeof(text), "bytes %llu-%llu/%llu", (unsigned long long)range.first,
                       (unsigned long long)range.last, (unsigned long long)a->file.size);
        CL_TRY(cl_http_write_field_str(&reply->fields, "Content-Range", text));
    }
    reply->length = in_memory ? a->file.size : reply->body.length;
    if (a->kept != NULL && !a->is_head) {
        return cl_buf_append(&reply->body.memory, a->kept->bytes + reply->body.offset,
                             (size_t)reply->length, CL_KEPT_MAX_FILE);
    }
    if (a->is_head || reply->length == 0) {
        cl_body_source_deinit(&reply->body);
    }
    return CL_OK;
}

static cl_result decide(struct answer *a)
{
    struct cl_http_range range = {0};
    struct cleat_http_view method = cleat_http_text(a->ask->request, a->ask->request->method);
    a->is_head = cleat_http_is(method, "HEAD");
    if (!a->is_head && !cleat_http_is(method, "GET")) {
        return answer_405(a);
    }
    int status = find_file(a);
    if (status == 301) {
        return answer_slash(a);
    }
    if (status != 0) {
        cl_body_source_deinit(&a->reply->body); /* 406: there is a file */
        return answer_status(a, status);
    }
    status = precondition(a);
    if (status == 304) {
        return answer_304(a);
    }
    if (status != 0) {
        cl_body_source_deinit(&a->reply->body);
        return answer_status(a, status);
    }
    status = range_status(a, &range);
    return status == 416 ? answer_416(a) : answer_file(a, status, range);
}

cl_result cl_static_answer(const struct cl_static_config *config, const struct cl_static_ask *ask,
                           struct cl_static_reply *reply)
{
    struct answer a = {.config = config, .ask = ask, .reply = reply};
    *reply = (struct cl_static_reply)CL_STATIC_REPLY_INIT;
    cl_result rc = decide(&a);
    if (rc != CL_OK) {
        cl_static_reply_deinit(reply);
    }
    return rc;
}

void cl_static_reply_deinit(struct cl_static_reply *reply)
{
    cl_body_source_deinit(&reply->body);
    cl_buf_deinit(&reply->fields);
    *reply = (struct cl_static_reply)CL_STATIC_REPLY_INIT;
}
