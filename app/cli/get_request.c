/* cli/get_request.c - write the head of a request.
 *
 * The fields that we send by ourselves are rows of a list; a -H of the same name replaces its row
 * (or removes it, when the value is empty).
 */
#include "cli/get_request.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cleat/version.h"
#include "cli/get_decode.h"
#include "cli/read_file.h"
#include "http/write.h"

void get_hop_first(struct get_hop *hop, const struct get_options *o)
{
    const bool form = o->form.boundary[0] != '\0';
    hop->with_body = o->has_body || form;
    hop->content_type = o->json ? "application/json" : "application/x-www-form-urlencoded";
    hop->method = o->method != NULL ? o->method
                  : o->head         ? "HEAD"
                  : hop->with_body  ? "POST"
                                    : "GET";
}

void get_hop_redirect(struct get_hop *hop, unsigned status)
{
    bool is_post = strcmp(hop->method, "POST") == 0;
    bool is_safe = strcmp(hop->method, "GET") == 0 || strcmp(hop->method, "HEAD") == 0;
    if ((status == 303 && !is_safe) || ((status == 301 || status == 302) && is_post)) {
        hop->method = "GET";
        hop->with_body = false;
    }
}

bool get_hop_is_redirect(unsigned status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* ---- -H ---- */

struct header {
    struct cl_rd name, value;
    bool remove;
};

static void trim(struct cl_rd *r)
{
    while (r->len > 0 && (r->p[0] == ' ' || r->p[0] == '\t')) {
        *r = cl_rd_of(r->p + 1, r->len - 1);
    }
    while (r->len > 0 && strchr(" \t\r", r->p[r->len - 1]) != NULL) {
        r->len--;
    }
}

/* "Name: value" adds, "Name:" removes, "Name;" adds with an empty value. */
static bool parse_header(struct cl_rd line, struct header *out)
{
    memset(out, 0, sizeof(*out));
    trim(&line);
    const uint8_t *colon = memchr(line.p, ':', line.len);
    if (colon == NULL) {
        if (line.len < 2 || line.p[line.len - 1] != ';') {
            return false;
        }
        out->name = cl_rd_of(line.p, line.len - 1);
        out->value = cl_rd_of("", 0);
        return true;
    }
    size_t at = (size_t)(colon - line.p);
    out->name = cl_rd_of(line.p, at);
    out->value = cl_rd_of(colon + 1, line.len - at - 1);
    trim(&out->value);
    out->remove = out->value.len == 0;
    return at > 0;
}

/* Calls use for every header line of the command line, those in files too; stops at a failure. */
struct header_walk {
    cl_result (*use)(void *ctx, const struct header *h);
    void *ctx;
    struct cleat_error *err;
};

static cl_result walk_line(const struct header_walk *w, struct cl_rd line)
{
    struct header h;
    if (!parse_header(line, &h)) {
        const struct cl_why why = {.code = CLEAT_ERR_USAGE, .hint = "write -H 'Name: value'"};
        return cl_error_set(w->err, why, "-H \"%.*s\" is not a header field", (int)line.len,
                            (const char *)line.p);
    }
    cl_result r = w->use(w->ctx, &h);
    if (r == CLEAT_ERR_USAGE) {
        const struct cl_why why = {.code = CLEAT_ERR_USAGE};
        return cl_error_set(w->err, why, "-H \"%.*s\" has a byte that a header field cannot have",
                            (int)line.len, (const char *)line.p);
    }
    return r;
}

static cl_result walk_file(const struct header_walk *w, const char *path)
{
    struct cl_buf text = {0};
    const char *why_not = "";
    cl_result r = CL_OK;
    if (!cl_read_file(path, &text, GET_MAX_TEXT_FILE, &why_not)) {
        cl_buf_deinit(&text);
        return cl_error_set(w->err, (struct cl_why){.code = CLEAT_ERR_USAGE},
                            "-H: cannot read %s: %s", path, why_not);
    }
    struct cl_rd rest = cl_buf_view(&text);
    while (r == CL_OK && rest.len > 0) {
        const uint8_t *end = memchr(rest.p, '\n', rest.len);
        size_t len = end != NULL ? (size_t)(end - rest.p) : rest.len;
        struct cl_rd line = cl_rd_of(rest.p, len);
        rest = cl_rd_of(rest.p + len, rest.len - len);
        if (end != NULL) {
            rest = cl_rd_of(rest.p + 1, rest.len - 1);
        }
        trim(&line);
        r = line.len > 0 ? walk_line(w, line) : CL_OK;
    }
    cl_buf_deinit(&text);
    return r;
}

static cl_result walk_headers(const struct get_options *o, const struct header_walk *w)
{
    for (size_t i = 0; i < o->headers.num; i++) {
        const char *word = o->headers.items[i];
        CL_TRY(word[0] == '@' ? walk_file(w, word + 1) : walk_line(w, cl_rd_str(word)));
    }
    return CL_OK;
}

/* ---- the fields ---- */

struct find_ctx {
    const char *name;
    bool found;
};

static cl_result find_header(void *ctx, const struct header *h)
{
    struct find_ctx *f = ctx;
    f->found = f->found || cl_ascii_equal_fold(h->name, cl_rd_str(f->name));
    return CL_OK;
}

/* For the first origin only: they log somebody in, or name the first server. */
static const char *const first_origin_only[] = {"authorization", "cookie", "host"};

static bool is_kept_back(const struct get_hop *hop, struct cl_rd name)
{
    for (size_t i = 0; i < sizeof(first_origin_only) / sizeof(first_origin_only[0]); i++) {
        if (!hop->first_origin && cl_ascii_equal_fold(name, cl_rd_str(first_origin_only[i]))) {
            return true;
        }
    }
    return false;
}

struct build {
    struct cl_buf *out;
    const struct get_hop *hop;
    const struct get_options *o;
    struct cleat_error *err;
};

/* Writes a field of ours unless -H has one of that name. */
static cl_result put(const struct build *b, const char *name, const char *value)
{
    struct find_ctx f = {.name = name};
    const struct header_walk w = {.use = find_header, .ctx = &f, .err = b->err};
    CL_TRY(walk_headers(b->o, &w));
    if (f.found && !is_kept_back(b->hop, cl_rd_str(name))) {
        return CL_OK;
    }
    cl_result r = cl_http_write_field_str(b->out, name, value);
    if (r == CLEAT_ERR_USAGE) {
        return cl_error_set(b->err, (struct cl_why){.code = r},
                            "%s has a byte that a header field cannot have", name);
    }
    return r;
}

static cl_result put_custom(void *ctx, const struct header *h)
{
    const struct build *b = ctx;
    if (h->remove || is_kept_back(b->hop, h->name)) {
        return CL_OK;
    }
    return cl_http_write_field(b->out, h->name, h->value);
}

/* -u, or else user and password of the URL (RFC 7617). */
static cl_result put_credentials(const struct build *b)
{
    const struct cleat_http_view info = b->hop->target->url.userinfo;
    char plain[1024], field[8 + CL_BASE64_LEN(sizeof(plain)) + 1];
    size_t len = 0;
    if (b->o->user != NULL && b->hop->first_origin) {
        len = strlen(b->o->user);
        if (len >= sizeof(plain)) {
            return cl_error_set(b->err, (struct cl_why){.code = CLEAT_ERR_USAGE},
                                "-u: user and password are too long");
        }
        memcpy(plain, b->o->user, len);
    } else if (info.p != NULL && info.len > 0) {
        if (info.len + 1 >= sizeof(plain) ||
            cleat_http_path_decode(info, plain, sizeof(plain), &len) != CLEAT_OK) {
            return cl_error_set(b->err, (struct cl_why){.code = CLEAT_ERR_BAD_URL},
                                "the user and password in the URL cannot be decoded");
        }
        if (memchr(plain, ':', len) == NULL) {
            plain[len++] = ':';
        }
    } else {
        return CL_OK;
    }
    memcpy(field, "Basic ", 6);
    cl_base64_encode((const uint8_t *)plain, len, field + 6);
    cl_result r = put(b, "Authorization", field);
    cl_wipe(plain, sizeof(plain));
    cl_wipe(field, sizeof(field));
    return r;
}

static cl_result put_body_fields(const struct build *b)
{
    char length[24];
    if (!b->hop->with_body) {
        return CL_OK;
    }
    if (b->hop->content_type != NULL) {
        CL_TRY(put(b, "Content-Type", b->hop->content_type));
    }
    if (b->hop->content_range != NULL && b->hop->content_range[0] != '\0') {
        CL_TRY(put(b, "Content-Range", b->hop->content_range));
    }
    if (b->hop->expect) {
        CL_TRY(put(b, "Expect", "100-continue"));
    }
    if (b->hop->body_len == GET_LENGTH_UNKNOWN) { /* HTTP/2 leaves it out (RFC 9113 8.2.2) */
        return put(b, "Transfer-Encoding", "chunked");
    }
    (void)snprintf(length, sizeof(length), "%" PRIu64, b->hop->body_len);
    return put(b, "Content-Length", length);
}

static cl_result put_line(const struct build *b)
{
    char target[3 * CLEAT_HTTP_MAX_URL];
    size_t len;
    if (cleat_http_url_target(&b->hop->target->url, target, sizeof(target), &len) != CLEAT_OK) {
        return cl_error_set(b->err, (struct cl_why){.code = CLEAT_ERR_BAD_URL},
                            "the URL is too long");
    }
    cl_result r = cl_http_write_request(b->out, cl_rd_str(b->hop->method), cl_rd_of(target, len));
    if (r == CLEAT_ERR_USAGE) {
        return cl_error_set(b->err, (struct cl_why){.code = r}, "\"%s\" is not a method",
                            b->hop->method);
    }
    return r;
}

cl_result get_request_build(struct cl_buf *out, const struct get_hop *hop,
                            const struct get_options *o, struct cleat_error *err)
{
    struct build b = {.out = out, .hop = hop, .o = o, .err = err};
    const struct header_walk w = {.use = put_custom, .ctx = &b, .err = err};
    const char *agent = o->user_agent != NULL ? o->user_agent : "cleat/" CLEAT_VERSION_STRING;
    char range[128], accepts[GET_ACCEPT_ENCODING_SIZE];
    CL_TRY(put_line(&b));
    CL_TRY(put(&b, "Host", hop->target->authority));
    CL_TRY(put_credentials(&b));
    if (agent[0] != '\0') {
        CL_TRY(put(&b, "User-Agent", agent));
    }
    CL_TRY(put(&b, "Accept", o->json ? "application/json" : "*/*"));
    if (o->compressed) {
        get_decode_accepts(accepts);
        CL_TRY(put(&b, "Accept-Encoding", accepts));
    }
    if (o->referer != NULL) {
        CL_TRY(put(&b, "Referer", o->referer));
    }
    if (o->range != NULL || hop->resume > 0) {
        (void)(hop->resume > 0 ? snprintf(range, sizeof(range), "bytes=%" PRIu64 "-", hop->resume)
                               : snprintf(range, sizeof(range), "bytes=%.110s", o->range));
        CL_TRY(put(&b, "Range", range));
    }
    if (hop->cookies != NULL && hop->cookies[0] != '\0') {
        CL_TRY(put(&b, "Cookie", hop->cookies));
    }
    CL_TRY(put_body_fields(&b));
    CL_TRY(walk_headers(o, &w));
    return cl_http_write_end(out);
}
