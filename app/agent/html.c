/* agent/html.c - see html.h. */
#include "agent/html.h"

#include "base/text.h"
#include "http/chars.h"

/* 8 digits of a number are looked at: U+10FFFF has 6, and others may stand in front */
#define MAX_DIGITS 8

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

/* Takes n bytes, and counts their lines: LF, CR LF and CR end one. */
static struct cl_rd take(struct cl_html *h, size_t n)
{
    struct cl_rd v = {0};
    if (!cl_rd_take(&h->rest, n, &v)) {
        return v;
    }
    for (size_t i = 0; i < v.len; i++) {
        const bool cr_lf = v.p[i] == '\r' && i + 1 < v.len + h->rest.len && v.p[i + 1] == '\n';
        h->line += v.p[i] == '\n' || (v.p[i] == '\r' && !cr_lf) ? 1 : 0;
    }
    return v;
}

static size_t find_byte(struct cl_rd v, uint8_t c)
{
    const uint8_t *at = v.len > 0 ? memchr(v.p, c, v.len) : NULL;
    return at != NULL ? (size_t)(at - v.p) : v.len;
}

static bool begins(struct cl_rd v, const char *text)
{
    struct cl_rd front;
    return cl_rd_take(&v, strlen(text), &front) && cl_http_equal_fold(front, text);
}

/* Up to the end of a text and with it, or everything. */
static void skip_past(struct cl_html *h, const char *end)
{
    for (size_t at = 0;;) {
        struct cl_rd rest = cl_rd_of(h->rest.p + at, h->rest.len - at);
        at += find_byte(rest, (uint8_t)end[0]);
        if (at == h->rest.len) {
            (void)take(h, at);
            return;
        }
        if (begins(cl_rd_of(h->rest.p + at, h->rest.len - at), end)) {
            (void)take(h, at + strlen(end));
            return;
        }
        at++;
    }
}

/* 13.2.5.42 on: "<!-->" and "<!--->" are whole; "--!>" ends one, too. */
static void skip_comment(struct cl_html *h)
{
    (void)take(h, 4);
    if (begins(h->rest, ">") || begins(h->rest, "->")) {
        skip_past(h, ">");
        return;
    }
    for (;;) {
        skip_past(h, "--");
        while (begins(h->rest, "-")) {
            (void)take(h, 1);
        }
        if (h->rest.len == 0 || begins(h->rest, ">") || begins(h->rest, "!>")) {
            skip_past(h, ">");
            return;
        }
    }
}

/* ---- tags ---- */

static size_t until(struct cl_rd v, const char *ends)
{
    size_t n = 0;
    while (n < v.len && !is_space(v.p[n]) && (v.p[n] == 0 || strchr(ends, v.p[n]) == NULL)) {
        n++;
    }
    return n;
}

static void skip_spaces(struct cl_html *h)
{
    size_t n = 0;
    while (n < h->rest.len && is_space(h->rest.p[n])) {
        n++;
    }
    (void)take(h, n);
}

/* 13.2.5.35 to 38. False: the document ends inside it. */
static bool take_value(struct cl_html *h, struct cl_html_attribute *a)
{
    skip_spaces(h);
    a->line = h->line;
    if (h->rest.len == 0) {
        return false;
    }
    const uint8_t quote = h->rest.p[0];
    if (quote != '"' && quote != '\'') {
        a->value = take(h, until(h->rest, ">"));
        return true;
    }
    (void)take(h, 1);
    size_t n = find_byte(h->rest, quote);
    if (n == h->rest.len) {
        return false;
    }
    a->value = take(h, n);
    (void)take(h, 1);
    return true;
}

/* 13.2.5.32 to 34: a "=" in front belongs to the name. */
static bool take_attribute(struct cl_html *h, struct cl_html_tag *tag)
{
    struct cl_html_attribute a = {.value = cl_rd_of("", 0), .line = h->line};
    struct cl_rd behind = cl_rd_of(h->rest.p + 1, h->rest.len - 1);
    a.name = take(h, 1 + until(behind, "/>="));
    skip_spaces(h);
    if (begins(h->rest, "=")) {
        (void)take(h, 1);
        if (!take_value(h, &a)) {
            return false;
        }
    }
    if (tag->num < CL_HTML_MAX_ATTRIBUTES) {
        tag->attributes[tag->num++] = a;
    }
    return true;
}

/* The tag behind "<" or "</". False: the document ends inside it, so it is none. */
static bool take_tag(struct cl_html *h, struct cl_html_tag *tag)
{
    tag->line = h->line;
    tag->num = 0;
    tag->raw = cl_rd_of("", 0);
    tag->name = take(h, until(h->rest, "/>"));
    for (;;) {
        skip_spaces(h);
        if (h->rest.len == 0) {
            return false;
        }
        if (h->rest.p[0] == '>') {
            (void)take(h, 1);
            return true;
        }
        if (h->rest.p[0] == '/') {
            (void)take(h, 1);
        } else if (!take_attribute(h, tag)) {
            return false;
        }
    }
}

/* ---- raw text (13.2.5.2, 3) ---- */

/* Whose contents are not markup. */
static bool is_raw(struct cl_rd name)
{
    static const char *const names[] = {"script", "style",   "textarea", "title",
                                        "xmp",    "noembed", "noframes", "iframe"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (cl_http_equal_fold(name, names[i])) {
            return true;
        }
    }
    return false;
}

static bool ends_raw(struct cl_rd v, struct cl_rd name)
{
    struct cl_rd front;
    if (!begins(v, "</") || !cl_rd_skip(&v, 2) || !cl_rd_take(&v, name.len, &front) ||
        !cl_ascii_equal_fold(front, name)) {
        return false;
    }
    return v.len > 0 && (is_space(v.p[0]) || v.p[0] == '/' || v.p[0] == '>');
}

static void take_raw(struct cl_html *h, struct cl_html_tag *tag)
{
    size_t n = 0;
    for (;;) {
        struct cl_rd rest = cl_rd_of(h->rest.p + n, h->rest.len - n);
        n += find_byte(rest, '<');
        if (n == h->rest.len || ends_raw(cl_rd_of(h->rest.p + n, h->rest.len - n), tag->name)) {
            break;
        }
        n++;
    }
    tag->raw_line = h->line;
    tag->raw = take(h, n);
}

bool cl_html_next(struct cl_html *h, struct cl_html_tag *out)
{
    while (h->rest.len > 0) {
        (void)take(h, find_byte(h->rest, '<'));
        struct cl_rd behind = h->rest;
        if (begins(h->rest, "<!--")) {
            skip_comment(h);
            continue;
        }
        out->is_end = begins(h->rest, "</");
        const bool is_tag = cl_rd_skip(&behind, out->is_end ? 2 : 1) && behind.len > 0 &&
                            cl_http_ch(behind.p[0], CL_CH_ALPHA);
        if (is_tag) {
            (void)take(h, out->is_end ? 2 : 1);
            if (!take_tag(h, out)) {
                return false;
            }
            if (!out->is_end && is_raw(out->name)) {
                take_raw(h, out);
            }
            return true;
        }
        /* "<!", "<?" and "</" without a name are comments up to ">"; any other "<" is text. */
        if (begins(h->rest, "<!") || begins(h->rest, "<?") || out->is_end) {
            skip_past(h, ">");
        } else {
            (void)take(h, 1);
        }
    }
    return false;
}

const struct cl_html_attribute *cl_html_find(const struct cl_html_tag *tag, const char *name)
{
    for (size_t i = 0; i < tag->num; i++) {
        if (cl_http_equal_fold(tag->attributes[i].name, name)) {
            return &tag->attributes[i];
        }
    }
    return NULL;
}

/* ---- character references (13.2.5.72) ---- */

static size_t put_utf8(uint32_t c, uint8_t out[CL_HTML_DECODED_MAX])
{
    if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
        c = 0xfffd;
    }
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    size_t num = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = num - 1; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    out[0] = (uint8_t)((0xf00 >> num) | c);
    return num;
}

/* "#38;" or "#x26;" behind "&"; 0: it is none. */
static size_t take_number(struct cl_rd *v, uint8_t out[CL_HTML_DECODED_MAX])
{
    struct cl_rd r = *v;
    uint32_t c = 0;
    const bool hex = begins(r, "#x");
    size_t num = 0;
    if (!cl_rd_skip(&r, hex ? 2 : 1)) {
        return 0;
    }
    while (num < r.len && cl_http_ch(r.p[num], hex ? CL_CH_HEX : CL_CH_DIGIT)) {
        c = c < 0x1000000 ? c * (hex ? 16 : 10) + cl_http_hex(r.p[num]) : c;
        num++;
    }
    if (num == 0 || num > MAX_DIGITS || !cl_rd_skip(&r, num)) {
        return 0;
    }
    if (r.len > 0 && r.p[0] == ';' && !cl_rd_skip(&r, 1)) {
        return 0;
    }
    *v = r;
    return put_utf8(c, out);
}

/* The names of what a URL may hold. */
static size_t take_name(struct cl_rd *v, uint8_t *out)
{
    static const struct {
        const char *name;
        uint8_t c;
    } rows[] = {
        {"amp;", '&'},    {"colon;", ':'},  {"sol;", '/'},    {"period;", '.'}, {"lt;", '<'},
        {"gt;", '>'},     {"quot;", '"'},   {"apos;", '\''},  {"num;", '#'},    {"quest;", '?'},
        {"equals;", '='}, {"percnt;", '%'}, {"lowbar;", '_'}, {"Tab;", '\t'},   {"NewLine;", '\n'},
        {"bsol;", '\\'},  {"commat;", '@'}, {"comma;", ','},  {"semi;", ';'},   {"lpar;", '('},
        {"rpar;", ')'},   {"amp", '&'},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cl_rd r = *v, front;
        if (cl_rd_take(&r, strlen(rows[i].name), &front) && cl_rd_equal_str(front, rows[i].name)) {
            *v = r;
            *out = rows[i].c;
            return 1;
        }
    }
    return 0;
}

size_t cl_html_decode(struct cl_rd *value, uint8_t out[CL_HTML_DECODED_MAX])
{
    if (!cl_rd_u8(value, &out[0])) {
        return 0;
    }
    if (out[0] != '&') {
        return 1;
    }
    size_t n = begins(*value, "#") ? take_number(value, out) : take_name(value, out);
    if (n == 0) {
        out[0] = '&';
        n = 1;
    }
    return n;
}
