/* agent/css.c - see css.h. */
#include "agent/css.h"

#include "base/text.h"
#include "http/chars.h"

/* 64 KiB: a URL that is longer is one with its data inside */
#define MAX_URL 65536

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static bool is_name(uint8_t c)
{
    return cl_http_ch(c, CL_CH_ALPHA | CL_CH_DIGIT) || c == '-' || c == '_' || c >= 0x80;
}

static uint8_t take(struct cl_css *c)
{
    uint8_t b = 0;
    if (cl_rd_u8(&c->rest, &b) &&
        (b == '\n' || (b == '\r' && (c->rest.len == 0 || c->rest.p[0] != '\n')))) {
        c->line++;
    }
    return b;
}

static bool at(const struct cl_css *c, const char *text)
{
    struct cl_rd v = c->rest, front;
    return cl_rd_take(&v, strlen(text), &front) && cl_http_equal_fold(front, text);
}

static void skip_spaces(struct cl_css *c)
{
    while (c->rest.len > 0 && is_space(c->rest.p[0])) {
        (void)take(c);
    }
}

/* "\" and up to six digits with a space behind them, or any other byte (4.3.7). */
static void take_escape(struct cl_css *c, uint8_t *out, bool *keep)
{
    uint32_t code = 0;
    size_t num = 0;
    *keep = true;
    if (c->rest.len > 0 && !cl_http_ch(c->rest.p[0], CL_CH_HEX)) {
        *out = take(c);
        *keep = *out != '\n' && *out != '\r' && *out != '\f'; /* a line that goes on */
        return;
    }
    while (num < 6 && c->rest.len > 0 && cl_http_ch(c->rest.p[0], CL_CH_HEX)) {
        code = code * 16 + cl_http_hex(take(c));
        num++;
    }
    if (c->rest.len > 0 && is_space(c->rest.p[0])) {
        (void)take(c);
    }
    *out = code > 0 && code < 0x80 ? (uint8_t)code : '?'; /* no scheme or host has others */
}

static bool put(struct cl_buf *url, uint8_t b)
{
    return url == NULL || url->len >= MAX_URL || cl_buf_append(url, &b, 1, MAX_URL) == CL_OK;
}

/* Up to the closing quote, or the end of the line; url may be NULL. */
static bool take_string(struct cl_css *c, struct cl_buf *url)
{
    const uint8_t quote = take(c);
    while (c->rest.len > 0 && c->rest.p[0] != '\n') {
        uint8_t b = take(c);
        bool keep = true;
        if (b == quote) {
            break;
        }
        if (b == '\\') {
            take_escape(c, &b, &keep);
        }
        if (keep && !put(url, b)) {
            return false;
        }
    }
    return true;
}

/* What stands in "url(" ")". */
static bool take_url(struct cl_css *c, struct cl_buf *url)
{
    skip_spaces(c);
    if (c->rest.len > 0 && (c->rest.p[0] == '"' || c->rest.p[0] == '\'')) {
        return take_string(c, url);
    }
    while (c->rest.len > 0 && c->rest.p[0] != ')' && !is_space(c->rest.p[0])) {
        uint8_t b = take(c);
        bool keep = true;
        if (b == '\\') {
            take_escape(c, &b, &keep);
        }
        if (keep && !put(url, b)) {
            return false;
        }
    }
    return true;
}

static void skip_comment(struct cl_css *c)
{
    while (c->rest.len > 0 && !at(c, "*/")) {
        (void)take(c);
    }
    (void)take(c);
    (void)take(c);
}

static struct cl_rd take_name(struct cl_css *c)
{
    size_t n = 0;
    struct cl_rd v = {0};
    while (n < c->rest.len && is_name(c->rest.p[n])) {
        n++;
    }
    return cl_rd_take(&c->rest, n, &v) ? v : cl_rd_of("", 0);
}

static void take_at_rule(struct cl_css *c)
{
    (void)take(c);
    struct cl_rd name = take_name(c);
    c->import_next = cl_http_equal_fold(name, "import");
    c->font_next = cl_http_equal_fold(name, "font-face");
}

static void take_brace(struct cl_css *c)
{
    if (take(c) == '{') {
        c->depth++;
        c->font_depth = c->font_next ? c->depth : c->font_depth;
        c->font_next = false;
    } else if (c->depth > 0) {
        c->font_depth = c->font_depth == c->depth ? 0 : c->font_depth;
        c->depth--;
    }
}

/* A string, which is a URL behind @import alone. True: it is one. */
static bool try_string(struct cl_css *c, struct cl_buf *url)
{
    const bool import = c->import_next;
    c->import_next = false;
    return take_string(c, import ? url : NULL) && import;
}

/* A name, or "url(". True: it is one. */
static bool try_url(struct cl_css *c, struct cl_buf *url)
{
    if (!at(c, "url(")) {
        (void)take_name(c);
        return false;
    }
    for (int i = 0; i < 4; i++) {
        (void)take(c);
    }
    return take_url(c, url);
}

bool cl_css_next(struct cl_css *c, struct cl_buf *url, enum cl_css_use *use, unsigned long *line)
{
    while (c->rest.len > 0) {
        const uint8_t b = c->rest.p[0];
        const bool import = c->import_next;
        bool found = false;
        *line = c->line;
        url->len = 0;
        if (at(c, "/*")) {
            skip_comment(c);
        } else if (b == '"' || b == '\'') {
            found = try_string(c, url);
        } else if (b == '@') {
            take_at_rule(c);
        } else if (b == '{' || b == '}') {
            take_brace(c);
        } else if (is_name(b)) {
            found = try_url(c, url);
            c->import_next = false;
        } else {
            c->import_next = c->import_next && b != ';';
            (void)take(c);
        }
        if (found) {
            *use = import ? CL_CSS_IMPORT : c->font_depth != 0 ? CL_CSS_FONT : CL_CSS_IMAGE;
            return true;
        }
    }
    return false;
}
