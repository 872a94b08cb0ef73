/* agent/mixed_content.c - from tags and tokens of CSS to URLs that are loaded in clear. */
#include "agent/mixed_content.h"

#include "agent/css.h"
#include "agent/html.h"
#include "base/text.h"
#include "http/chars.h"
#include "http/url.h"

/* 1 MiB: a srcset or a style attribute; a longer one is cut */
#define MAX_VALUE (1u << 20)

struct scan {
    const struct cl_mixed_page *page;
    bool (*found)(void *ctx, const struct cl_mixed *m);
    void *ctx;
    bool over, upgrades, has_base;
    struct cleat_http_url base; /* of the page, or what <base> says */
    char base_text[2 * CLEAT_HTTP_MAX_URL + 1];
    struct cl_buf value, url;
    cl_result result;
};

const char *cl_mixed_kind_name(enum cl_mixed_kind kind)
{
    static const char *const names[CL_MIXED_NUM_KINDS] = {"active", "passive", "form",
                                                          "navigation"};
    return names[kind];
}

/* ---- URLs ---- */

/* The URL standard: what is not above a space at both ends goes, tabs and line ends inside, too.
 * In place. */
static struct cl_rd clean(struct cl_buf *b)
{
    size_t from = 0, to = 0;
    while (from < b->len && b->p[from] <= ' ') {
        from++;
    }
    while (b->len > from && b->p[b->len - 1] <= ' ') {
        b->len--;
    }
    for (size_t i = from; i < b->len; i++) {
        if (b->p[i] != '\t' && b->p[i] != '\n' && b->p[i] != '\r') {
            b->p[to++] = b->p[i];
        }
    }
    b->len = to;
    return cl_buf_view(b);
}

/* scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ), up to its ":" */
static struct cl_rd scheme_of(struct cl_rd url)
{
    struct cl_rd v;
    if (url.len == 0 || !cl_http_ch(url.p[0], CL_CH_ALPHA) || !cl_http_until(&url, ':', &v)) {
        return cl_rd_of("", 0);
    }
    for (size_t i = 0; i < v.len; i++) {
        if (!cl_http_ch(v.p[i], CL_CH_ALPHA | CL_CH_DIGIT) && v.p[i] != '+' && v.p[i] != '-' &&
            v.p[i] != '.') {
            return cl_rd_of("", 0);
        }
    }
    return v;
}

/* The host of an absolute URL: behind any number of slashes, as browsers read it. */
static struct cl_rd host_of(struct cl_rd url, size_t scheme_len)
{
    struct cl_rd v = cl_rd_of(url.p + scheme_len + 1, url.len - scheme_len - 1);
    while (v.len > 0 && (v.p[0] == '/' || v.p[0] == '\\')) {
        v = cl_rd_of(v.p + 1, v.len - 1);
    }
    size_t n = 0;
    const bool literal = v.len > 0 && v.p[0] == '[';
    while (n < v.len && strchr("/\\?#", v.p[n]) == NULL && v.p[n] != '\0') {
        if (v.p[n] == '@') { /* behind who logs in */
            v = cl_rd_of(v.p + n + 1, v.len - n - 1);
            n = 0;
            continue;
        }
        n++;
    }
    v.len = n;
    struct cl_rd rest = v, host;
    if (literal) {
        return cl_http_until(&rest, ']', &host) ? cl_rd_of(host.p, host.len + 1) : v;
    }
    return cl_http_until(&rest, ':', &host) ? host : v;
}

/* 127.0.0.0/8, not 127.0.0.1.example */
static bool is_loopback(struct cl_rd host)
{
    struct cl_rd front;
    if (!cl_rd_take(&host, 4, &front) || !cl_rd_equal_str(front, "127.")) {
        return false;
    }
    for (size_t i = 0; i < host.len; i++) {
        if (!cl_http_ch(host.p[i], CL_CH_DIGIT) && host.p[i] != '.') {
            return false;
        }
    }
    return true;
}

/* Secure Contexts 3.1: origins that nobody between can touch. */
static bool is_own_computer(struct cl_rd host)
{
    static const char below[] = ".localhost";
    struct cl_rd end;
    if (host.len > sizeof(below) - 1) {
        end = cl_rd_of(host.p + host.len - (sizeof(below) - 1), sizeof(below) - 1);
        if (cl_http_equal_fold(end, below)) {
            return true;
        }
    }
    return cl_http_equal_fold(host, "localhost") || cl_rd_equal_str(host, "[::1]") ||
           is_loopback(host);
}

static bool is_plain_scheme(struct cl_rd scheme)
{
    return cl_http_equal_fold(scheme, "http") || cl_http_equal_fold(scheme, "ws");
}

/* Whether a reference is loaded in clear; *out is then the absolute URL. */
static bool is_plain(struct scan *s, struct cl_rd ref, char *room, size_t cap, struct cl_rd *out)
{
    struct cl_rd scheme = scheme_of(ref);
    *out = ref;
    if (scheme.len > 0) {
        return is_plain_scheme(scheme) && !is_own_computer(host_of(ref, scheme.len));
    }
    if (s->base.secure || ref.len == 0 || is_own_computer(cl_http_rd(s->base.host))) {
        return false;
    }
    size_t len;
    if (cleat_http_url_resolve(&s->base, (const char *)ref.p, ref.len, room, cap, &len, NULL) ==
        CLEAT_OK) {
        *out = cl_rd_of(room, len);
    }
    return true;
}

static void tell(struct scan *s, struct cl_mixed m, struct cl_buf *ref)
{
    char room[2 * CLEAT_HTTP_MAX_URL + 1];
    m.upgraded = s->upgrades && m.kind != CL_MIXED_NAVIGATION;
    if (!s->over && is_plain(s, clean(ref), room, sizeof(room), &m.url)) {
        s->over = !s->found(s->ctx, &m);
    }
}

static void put(struct scan *s, struct cl_buf *b, const void *p, size_t len)
{
    if (b->len + len <= MAX_VALUE && cl_buf_append(b, p, len, MAX_VALUE) != CL_OK) {
        s->result = CLEAT_ERR_NOMEM;
        s->over = true;
    }
}

/* The value of an attribute, decoded, in s->value. */
static void decode(struct scan *s, struct cl_rd value)
{
    uint8_t out[CL_HTML_DECODED_MAX];
    size_t n;
    s->value.len = 0;
    while ((n = cl_html_decode(&value, out)) > 0) {
        put(s, &s->value, out, n);
    }
}

/* ---- style sheets ---- */

static void scan_css(struct scan *s, struct cl_rd text, unsigned long line, struct cl_rd element,
                     const char *attribute)
{
    struct cl_css css = {.rest = text, .line = line};
    enum cl_css_use use;
    struct cl_mixed m = {.element = element};
    while (!s->over && cl_css_next(&css, &s->url, &use, &m.line)) {
        m.kind = use == CL_CSS_IMAGE ? CL_MIXED_PASSIVE : CL_MIXED_ACTIVE;
        m.attribute = attribute != NULL ? attribute : use == CL_CSS_IMPORT ? "@import" : "url()";
        tell(s, m, &s->url);
    }
}

/* ---- markup ---- */

/* Candidates: a URL up to a space, a descriptor up to a comma that is not within parentheses. */
static void scan_srcset(struct scan *s, struct cl_mixed m)
{
    struct cl_rd v = cl_buf_view(&s->value);
    size_t i = 0;
    while (i < v.len && !s->over) {
        while (i < v.len && (v.p[i] <= ' ' || v.p[i] == ',')) {
            i++;
        }
        size_t from = i;
        while (i < v.len && v.p[i] > ' ') {
            i++;
        }
        size_t end = i;
        while (end > from && v.p[end - 1] == ',') {
            end--;
        }
        s->url.len = 0;
        put(s, &s->url, v.p + from, end - from);
        if (end == i) { /* a descriptor follows */
            int depth = 0;
            while (i < v.len && (v.p[i] != ',' || depth > 0)) {
                depth += v.p[i] == '(' ? 1 : v.p[i] == ')' && depth > 0 ? -1 : 0;
                i++;
            }
        }
        tell(s, m, &s->url);
    }
}

static bool has_word(struct cl_rd list, const char *word)
{
    size_t i = 0;
    while (i < list.len) {
        size_t from = i;
        while (i < list.len && list.p[i] > ' ') {
            i++;
        }
        if (cl_http_equal_fold(cl_rd_of(list.p + from, i - from), word)) {
            return true;
        }
        i++;
    }
    return false;
}

/* What <link rel> loads; false: it only names something. */
static bool link_kind(const struct cl_html_tag *tag, enum cl_mixed_kind *kind)
{
    static const char *const active[] = {"stylesheet", "preload",  "modulepreload",
                                         "manifest",   "prefetch", "import"};
    const struct cl_html_attribute *rel = cl_html_find(tag, "rel");
    for (size_t i = 0; rel != NULL && i < sizeof(active) / sizeof(active[0]); i++) {
        if (has_word(rel->value, active[i])) {
            *kind = CL_MIXED_ACTIVE;
            return true;
        }
    }
    *kind = CL_MIXED_PASSIVE;
    return rel != NULL &&
           (has_word(rel->value, "icon") || has_word(rel->value, "apple-touch-icon") ||
            has_word(rel->value, "mask-icon"));
}

/* The first <base href> counts (HTML 4.2.3). */
static void take_base(struct scan *s, const struct cl_html_tag *tag)
{
    const struct cl_html_attribute *href = cl_html_find(tag, "href");
    size_t len;
    struct cleat_http_url base;
    if (href == NULL || s->has_base) {
        return;
    }
    s->has_base = true;
    decode(s, href->value);
    struct cl_rd ref = clean(&s->value);
    if (cleat_http_url_resolve(&s->base, (const char *)ref.p, ref.len, s->base_text,
                               sizeof(s->base_text), &len, NULL) == CLEAT_OK &&
        cleat_http_url_parse(&base, s->base_text, len, NULL) == CLEAT_OK) {
        s->base = base;
    }
}

/* "5; url=http://...": behind the first "=", without quotes. */
static void take_refresh(struct scan *s, const struct cl_html_attribute *content, struct cl_mixed m)
{
    decode(s, content->value);
    struct cl_rd v = cl_buf_view(&s->value), before;
    if (!cl_http_until(&v, ';', &before) && !cl_http_until(&v, ',', &before)) {
        return;
    }
    struct cl_rd word = cl_http_trim(v), name;
    if (cl_http_until(&word, '=', &name) && cl_http_equal_fold(cl_http_trim(name), "url")) {
        v = word;
    }
    v = cl_http_trim(v);
    if (v.len > 0 && (v.p[0] == '"' || v.p[0] == '\'')) {
        struct cl_rd inside = cl_rd_of(v.p + 1, v.len - 1), quoted;
        v = cl_http_until(&inside, v.p[0], &quoted) ? quoted : inside;
    }
    s->url.len = 0;
    put(s, &s->url, v.p, v.len);
    tell(s, m, &s->url);
}

static void take_meta(struct scan *s, const struct cl_html_tag *tag)
{
    const struct cl_html_attribute *what = cl_html_find(tag, "http-equiv");
    const struct cl_html_attribute *content = cl_html_find(tag, "content");
    if (what == NULL || content == NULL) {
        return;
    }
    if (cl_http_equal_fold(what->value, "Content-Security-Policy")) {
        decode(s, content->value);
        s->upgrades = s->upgrades || cl_mixed_policy_upgrades(cl_buf_view(&s->value));
    } else if (cl_http_equal_fold(what->value, "refresh")) {
        take_refresh(s, content,
                     (struct cl_mixed){.kind = CL_MIXED_NAVIGATION,
                                       .line = content->line,
                                       .element = tag->name,
                                       .attribute = "content"});
    }
}

/* What is loaded by which attribute of which element; element NULL: of any. Of images, those that
 * a set offers are not upgradeable (Mixed Content 3.2): they are blocked. */
static const struct {
    const char *element, *attribute;
    enum cl_mixed_kind kind;
} loads[] = {
    {"script", "src", CL_MIXED_ACTIVE},
    {"script", "href", CL_MIXED_ACTIVE},
    {"script", "xlink:href", CL_MIXED_ACTIVE},
    {"iframe", "src", CL_MIXED_ACTIVE},
    {"frame", "src", CL_MIXED_ACTIVE},
    {"object", "data", CL_MIXED_ACTIVE},
    {"embed", "src", CL_MIXED_ACTIVE},
    {"track", "src", CL_MIXED_ACTIVE},
    {"use", "href", CL_MIXED_ACTIVE},
    {"use", "xlink:href", CL_MIXED_ACTIVE},
    {"a", "ping", CL_MIXED_ACTIVE},
    {"area", "ping", CL_MIXED_ACTIVE},
    {"img", "src", CL_MIXED_PASSIVE},
    {"audio", "src", CL_MIXED_PASSIVE},
    {"video", "src", CL_MIXED_PASSIVE},
    {"video", "poster", CL_MIXED_PASSIVE},
    {"source", "src", CL_MIXED_PASSIVE},
    {"image", "href", CL_MIXED_PASSIVE},
    {"image", "xlink:href", CL_MIXED_PASSIVE},
    {"feimage", "href", CL_MIXED_PASSIVE},
    {"feimage", "xlink:href", CL_MIXED_PASSIVE},
    {NULL, "background", CL_MIXED_PASSIVE},
    {"form", "action", CL_MIXED_FORM},
    {"button", "formaction", CL_MIXED_FORM},
    {"input", "formaction", CL_MIXED_FORM},
};

static const struct {
    const char *element, *attribute;
} sets[] = {{"img", "srcset"}, {"source", "srcset"}, {"link", "imagesrcset"}};

static void scan_loads(struct scan *s, const struct cl_html_tag *tag)
{
    for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
        const struct cl_html_attribute *a =
            loads[i].element == NULL || cl_http_equal_fold(tag->name, loads[i].element)
                ? cl_html_find(tag, loads[i].attribute)
                : NULL;
        if (a != NULL) {
            decode(s, a->value);
            tell(s,
                 (struct cl_mixed){.kind = loads[i].kind,
                                   .line = a->line,
                                   .element = tag->name,
                                   .attribute = loads[i].attribute},
                 &s->value);
        }
    }
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        const struct cl_html_attribute *a = cl_http_equal_fold(tag->name, sets[i].element)
                                                ? cl_html_find(tag, sets[i].attribute)
                                                : NULL;
        if (a != NULL) {
            decode(s, a->value);
            scan_srcset(s, (struct cl_mixed){.kind = CL_MIXED_ACTIVE,
                                             .line = a->line,
                                             .element = tag->name,
                                             .attribute = sets[i].attribute});
        }
    }
}

/* <link href>, <input type=image src>: other attributes say what it is for. */
static void scan_special(struct scan *s, const struct cl_html_tag *tag)
{
    const struct cl_html_attribute *a = NULL;
    struct cl_mixed m = {.kind = CL_MIXED_PASSIVE, .element = tag->name};
    if (cl_http_equal_fold(tag->name, "link") && link_kind(tag, &m.kind)) {
        m.attribute = "href";
        a = cl_html_find(tag, "href");
    } else if (cl_http_equal_fold(tag->name, "input")) {
        const struct cl_html_attribute *type = cl_html_find(tag, "type");
        m.attribute = "src";
        a = type != NULL && cl_http_equal_fold(type->value, "image") ? cl_html_find(tag, "src")
                                                                     : NULL;
    }
    if (a != NULL) {
        m.line = a->line;
        decode(s, a->value);
        tell(s, m, &s->value);
    }
}

static void scan_tag(struct scan *s, const struct cl_html_tag *tag)
{
    const struct cl_html_attribute *style = cl_html_find(tag, "style");
    if (cl_http_equal_fold(tag->name, "base")) {
        take_base(s, tag);
    } else if (cl_http_equal_fold(tag->name, "meta")) {
        take_meta(s, tag);
    }
    scan_loads(s, tag);
    scan_special(s, tag);
    if (style != NULL) {
        decode(s, style->value);
        scan_css(s, cl_buf_view(&s->value), style->line, tag->name, "style");
    }
    if (cl_http_equal_fold(tag->name, "style")) {
        scan_css(s, tag->raw, tag->raw_line, tag->name, NULL);
    }
}

cl_result cl_mixed_scan(const struct cl_mixed_page *page,
                        bool (*found)(void *ctx, const struct cl_mixed *m), void *ctx)
{
    struct scan s = {.page = page, .found = found, .ctx = ctx};
    struct cl_html html = {.rest = page->text, .line = 1};
    struct cl_html_tag tag;
    s.upgrades = page->upgrades;
    s.base = page->url;
    if (page->is_css) {
        scan_css(&s, page->text, 1, cl_rd_str("css"), NULL);
    }
    while (!page->is_css && !s.over && cl_html_next(&html, &tag)) {
        if (!tag.is_end) {
            scan_tag(&s, &tag);
        }
    }
    cl_buf_deinit(&s.value);
    cl_buf_deinit(&s.url);
    return s.result;
}

bool cl_mixed_policy_upgrades(struct cl_rd policy)
{
    while (policy.len > 0) {
        struct cl_rd directive;
        if (!cl_http_until(&policy, ';', &directive)) {
            directive = policy;
            policy.len = 0;
        }
        if (has_word(cl_http_trim(directive), "upgrade-insecure-requests")) {
            return true;
        }
    }
    return false;
}
