/* fuzz/http_differential.c - see http_differential.h.
 *
 * White space around a field's value is no part of it (RFC 9112 5.1), so both are compared without.
 * Trailers are left out: we check and drop them. A message that has not ended is completed, to see
 * whether what llhttp has refused by then would have been taken by us.
 */
#include "http_differential.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <llhttp.h>

#include "cleat/http.h"

/* 128: more than we take, so that too many do not look like as many as we take */
#define MAX_FIELDS 128

enum outcome { COMPLETE, MORE, REFUSED };

struct text {
    const char *p;
    size_t len;
};

struct message {
    enum outcome outcome;
    struct text method, target;
    unsigned minor;
    size_t num_fields;
    struct text names[MAX_FIELDS], values[MAX_FIELDS];
    size_t body_len;
    size_t len;             /* where the message ends */
    bool last;              /* no other request follows on the connection */
    struct cleat_error err; /* of our refusal */
    llhttp_errno_t code;    /* llhttp's, and its reason */
    const char *reason;
    bool in_body, paused; /* llhttp's progress */
    char body[DIFFERENTIAL_MAX];
};

struct row {
    const char *section; /* of our refusal; NULL: any */
    const char *says;    /* is in our error's text; in llhttp's reason */
    const char *why;
    bool (*holds)(const struct message *ours, const struct message *theirs);
    unsigned used;
};

static bool is(struct text t, const char *s)
{
    return t.len == strlen(s) && memcmp(t.p, s, t.len) == 0;
}

static bool same(struct text a, struct text b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static struct text trimmed(struct text t)
{
    while (t.len != 0 && (t.p[0] == ' ' || t.p[0] == '\t')) {
        t.p++;
        t.len--;
    }
    while (t.len != 0 && (t.p[t.len - 1] == ' ' || t.p[t.len - 1] == '\t')) {
        t.len--;
    }
    return t;
}

static bool is_name(struct text t, const char *name)
{
    return t.len == strlen(name) && strncasecmp(t.p, name, t.len) == 0;
}

static bool has_field(const struct message *m, const char *name)
{
    for (size_t i = 0; i < m->num_fields; i++) {
        if (is_name(m->names[i], name)) {
            return true;
        }
    }
    return false;
}

/* llhttp knows no tab behind a number, a coding or an option; OWS may be one (RFC 9110 5.6.3). */
static bool has_a_tab(const struct message *ours, const struct message *theirs)
{
    static const char *const names[] = {"Content-Length", "Transfer-Encoding", "Connection"};
    (void)theirs;
    for (size_t i = 0; i < ours->num_fields; i++) {
        for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
            const char *raw = ours->values[i].p; /* a complete head: its line ends in CR */
            while (*raw != '\r' && *raw != '\t') {
                raw++;
            }
            if (*raw == '\t' && is_name(ours->names[i], names[k])) {
                return true;
            }
        }
    }
    return false;
}

/* ---- what we refuse and llhttp takes ---- */

#define STRICTER(section, says, why) \
    {                                \
        section, says, why, NULL, 0  \
    }

static struct row stricter[] = {
    STRICTER("RFC 9112 2.2", "LF without CR",
             "2.2: a recipient MAY take LF for a line's end, we do not"),
    STRICTER("RFC 9112 2.2", "CR without LF",
             "2.2: a bare CR is invalid, also in front of a request"),
    STRICTER("RFC 9112 2.3", "HTTP/0.9", "2.3: HTTP/0.9 has no version, and is not spoken"),
    STRICTER("RFC 9112 2.3", "is neither HTTP/1.1",
             "2.3, RFC 9110 15.6.6: another version is a 505"),
    STRICTER("RFC 9112 2.3", "no HTTP version",
             "2.3: the version is HTTP-name \"/\" DIGIT \".\" DIGIT"),
    STRICTER("RFC 9112 3", "too many spaces", "3: a single SP separates; more MAY be taken"),
    STRICTER("RFC 9112 3", "not a request line",
             "3, 2.2: at most two empty lines in front of a request"),
    STRICTER("RFC 9112 3", "a request target of", "3: a target that is too long is a 414"),
    STRICTER("RFC 9110 5.4", "", "RFC 9110 5.4: a head that is too large is a 431"),
    STRICTER("RFC 9112 3.2", "request target", "3.2: no valid target, which SHOULD be a 400"),
    STRICTER("RFC 9112 3.2.1", "request target", "3.2.1, RFC 3986 3.3: no backslash in a path"),
    STRICTER("RFC 9110 9.3.6", "CONNECT needs",
             "RFC 9110 9.3.6: CONNECT without a port is refused"),
    STRICTER("RFC 9110 9.3.6", "CONNECT with content", "RFC 9110 9.3.6: CONNECT has no content"),
    STRICTER("RFC 9112 3.2", "Host fields", "3.2: none or more than one Host MUST be a 400"),
    STRICTER("RFC 9112 3.2", "Host \"", "3.2: a Host with an invalid value MUST be a 400"),
    STRICTER("RFC 9112 5", "not a field", "5.1: a field's name is a token, which is not empty"),
    STRICTER("RFC 9112 5.2", "a folded line", "5.2: obs-fold MUST be refused or replaced"),
    STRICTER("RFC 9112 6.1", "Transfer-Encoding in HTTP/1.0",
             "6.1: its framing MUST be held for faulty"),
    STRICTER("RFC 9112 6.1", "both", "6.1: a server MAY refuse a request that has both"),
    STRICTER("RFC 9112 6.1", "transfer codings other", "6.1: an unknown coding SHOULD be a 501"),
    STRICTER("RFC 9112 6.3", "is not \"chunked\"", "6.3: chunked not last MUST be a 400"),
    STRICTER("RFC 9110 8.6", "", "RFC 9110 8.6: a length beyond 63 bits is too large"),
    STRICTER("RFC 9112 7.1", "a chunk size of more",
             "7.1: a size that could overflow MUST be prevented"),
    {"RFC 9112 7.1", "not a chunk size",
     "RFC 9110 5.6.3: chunked and a tab is chunked: what follows an upgrade is its body", has_a_tab,
     0},
    STRICTER("RFC 9112 7.1.1", "",
             "7.1.1: extensions MUST be ignored, or refused when excessive: all are"),
    STRICTER("RFC 9112 7.1.2", "", "7.1.2: a trailer is a field line, ended by CR LF, and limited"),
    STRICTER("RFC 9110 6.5.1", "", "RFC 9110 6.5.1: no framing, no routing in a trailer"),
};

/* ---- what we take and llhttp refuses ---- */

static bool method_is_a_rare_token(const struct message *ours, const struct message *theirs)
{
    static const char *const methods[] = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                          "CONNECT", "OPTIONS", "TRACE", "PATCH"};
    (void)theirs;
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (is(ours->method, methods[i])) {
            return false;
        }
    }
    return true;
}

#define PREFACE "Expected HTTP/2 Connection Preface"

static struct row laxer[] = {
    {NULL, "Content-Length", "RFC 9110 5.6.3: white space behind a length may be a tab", has_a_tab,
     0},
    {NULL, "Transfer-Encoding", "RFC 9110 5.6.3: white space behind a coding may be a tab",
     has_a_tab, 0},
    {NULL, "method",
     "RFC 9110 9.1: any token is a method; refusing it (501) is the server's affair",
     method_is_a_rare_token, 0},
    {NULL, PREFACE, "RFC 9113 3.4: PRI is a method that nobody uses: a 501 like others",
     method_is_a_rare_token, 0},
};

/* ---- whether another request may follow, where we differ ---- */

static bool has_proxy_connection(const struct message *ours, const struct message *theirs)
{
    (void)theirs;
    return has_field(ours, "Proxy-Connection");
}

static bool is_old(const struct message *ours, const struct message *theirs)
{
    (void)theirs;
    return ours->minor == 0;
}

static struct row lasting[] = {
    {NULL, "", "RFC 9110 5.6.3: a tab around an element of a list is white space", has_a_tab, 0},
    {NULL, "", "C.2.2: Proxy-Connection means nothing", has_proxy_connection, 0},
    {NULL, "", "9.3: close counts before keep-alive; RFC 9110 7.8: no upgrade in HTTP/1.0", is_old,
     0},
};

static struct row *find_row(struct row *rows, size_t num, const char *section, const char *text,
                            const struct message *ours, const struct message *theirs)
{
    for (size_t i = 0; i < num; i++) {
        if ((rows[i].section == NULL || strcmp(rows[i].section, section) == 0) &&
            strstr(text, rows[i].says) != NULL &&
            (rows[i].holds == NULL || rows[i].holds(ours, theirs))) {
            rows[i].used++;
            return &rows[i];
        }
    }
    return NULL;
}

#define NUM(rows) (sizeof(rows) / sizeof(rows[0]))

const char *differential_unused(size_t *from)
{
    static const struct {
        const struct row *rows;
        size_t num;
    } tables[] = {{stricter, NUM(stricter)}, {laxer, NUM(laxer)}, {lasting, NUM(lasting)}};
    size_t at = 0;
    for (size_t t = 0; t < NUM(tables); t++) {
        for (size_t i = 0; i < tables[t].num; i++, at++) {
            if (at >= *from && tables[t].rows[i].used == 0) {
                *from = at + 1;
                return tables[t].rows[i].why;
            }
        }
    }
    return NULL;
}

/* ---- our reading ---- */

static struct text text_of(const struct cleat_http_head *h, struct cleat_http_span s)
{
    return (struct text){h->base + s.at, s.len};
}

static void read_our_body(const struct cleat_http_head *h, const uint8_t *p, size_t len,
                          struct message *m)
{
    struct cleat_http_body b;
    int rc = cleat_http_body_init(&b, h, UINT64_MAX, &m->err);
    m->len = h->len;
    while (rc == CLEAT_OK || rc == CLEAT_HTTP_DATA) {
        struct cleat_http_view v;
        size_t used = 0;
        rc = cleat_http_body_feed(&b, p + m->len, len - m->len, &used, &v, &m->err);
        m->len += used;
        if (rc == CLEAT_HTTP_DATA) {
            memcpy(m->body + m->body_len, v.p, v.len);
            m->body_len += v.len;
        } else if (rc == CLEAT_HTTP_COMPLETE) {
            break;
        }
    }
    m->outcome = rc == CLEAT_HTTP_COMPLETE ? COMPLETE : rc == CLEAT_HTTP_MORE ? MORE : REFUSED;
}

static void read_ours(const uint8_t *p, size_t len, struct message *m)
{
    struct cleat_http_head h;
    memset(m, 0, offsetof(struct message, body));
    cleat_http_request_init(&h);
    int rc = cleat_http_head_feed(&h, p, len, &m->err);
    if (rc != CLEAT_HTTP_COMPLETE) {
        m->outcome = rc == CLEAT_HTTP_MORE ? MORE : REFUSED;
        return;
    }
    m->method = text_of(&h, h.method);
    m->target = text_of(&h, h.target);
    m->minor = h.minor;
    m->num_fields = h.num_fields;
    for (size_t i = 0; i < h.num_fields; i++) {
        m->names[i] = text_of(&h, h.fields[i].name);
        m->values[i] = text_of(&h, h.fields[i].value);
    }
    m->last = !h.keep_alive || h.upgrade;
    read_our_body(&h, p, len, m);
}

/* ---- llhttp's reading ---- */

/* What a span of theirs says, which may come in pieces; they follow each other. */
static void extend(struct text *t, const char *at, size_t len)
{
    if (t->p == NULL) {
        t->p = at;
    }
    t->len = (size_t)(at + len - t->p);
}

static int on_method(llhttp_t *parser, const char *at, size_t len)
{
    struct message *m = parser->data;
    extend(&m->method, at, len);
    return 0;
}

static int on_url(llhttp_t *parser, const char *at, size_t len)
{
    struct message *m = parser->data;
    extend(&m->target, at, len);
    return 0;
}

static int on_field(llhttp_t *parser, const char *at, size_t len)
{
    struct message *m = parser->data;
    if (!m->in_body && m->num_fields < MAX_FIELDS) {
        extend(&m->names[m->num_fields], at, len);
    }
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t len)
{
    struct message *m = parser->data;
    if (!m->in_body && m->num_fields < MAX_FIELDS) {
        extend(&m->values[m->num_fields], at, len);
    }
    return 0;
}

static int on_value_complete(llhttp_t *parser)
{
    struct message *m = parser->data;
    if (!m->in_body && m->num_fields < MAX_FIELDS) {
        m->values[m->num_fields] = trimmed(m->values[m->num_fields]);
        m->num_fields++;
    }
    return 0;
}

static int on_headers_complete(llhttp_t *parser)
{
    struct message *m = parser->data;
    m->minor = parser->http_minor;
    m->in_body = true;
    return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
    struct message *m = parser->data;
    memcpy(m->body + m->body_len, at, len);
    m->body_len += len;
    return 0;
}

static int on_message_complete(llhttp_t *parser)
{
    struct message *m = parser->data;
    m->last = !llhttp_should_keep_alive(parser) || parser->upgrade != 0;
    m->paused = true;
    return HPE_PAUSED;
}

static void read_theirs(const uint8_t *p, size_t len, struct message *m)
{
    llhttp_settings_t settings;
    llhttp_t parser;
    memset(m, 0, offsetof(struct message, body));
    llhttp_settings_init(&settings);
    settings.on_method = on_method;
    settings.on_url = on_url;
    settings.on_header_field = on_field;
    settings.on_header_value = on_value;
    settings.on_header_value_complete = on_value_complete;
    settings.on_headers_complete = on_headers_complete;
    settings.on_body = on_body;
    settings.on_message_complete = on_message_complete;
    llhttp_init(&parser, HTTP_REQUEST, &settings);
    parser.data = m;
    m->code = llhttp_execute(&parser, (const char *)p, len);
    m->reason = llhttp_get_error_reason(&parser);
    if (m->paused) {
        m->outcome = COMPLETE;
        m->len = (size_t)(llhttp_get_error_pos(&parser) - (const char *)p);
    } else {
        m->outcome = m->code == HPE_OK ? MORE : REFUSED;
    }
}

/* ---- the comparison ---- */

#define SHOW(t) (int)((t).len < 60 ? (t).len : 60), (t).p

static void found(struct differential *out, const char *what, struct text ours, struct text theirs)
{
    snprintf(out->finding, sizeof(out->finding), "%s: ours \"%.*s\", llhttp's \"%.*s\"", what,
             SHOW(ours), SHOW(theirs));
}

static void compare_fields(const struct message *a, const struct message *b,
                           struct differential *out)
{
    for (size_t i = 0; i < a->num_fields && i < b->num_fields; i++) {
        if (!same(a->names[i], b->names[i])) {
            found(out, "name of a field", a->names[i], b->names[i]);
        } else if (!same(a->values[i], b->values[i])) {
            found(out, "value of a field", a->values[i], b->values[i]);
        }
    }
    if (a->num_fields != b->num_fields) {
        snprintf(out->finding, sizeof(out->finding), "%zu fields, llhttp has %zu", a->num_fields,
                 b->num_fields);
    }
}

static void compare(const struct message *a, const struct message *b, struct differential *out)
{
    struct text body_a = {a->body, a->body_len};
    struct text body_b = {b->body, b->body_len};
    compare_fields(a, b, out);
    if (!same(a->method, b->method)) {
        found(out, "method", a->method, b->method);
    } else if (!same(a->target, b->target)) {
        found(out, "target", a->target, b->target);
    } else if (!same(body_a, body_b)) {
        found(out, "body", body_a, body_b);
    } else if (a->minor != b->minor || a->len != b->len ||
               (a->last != b->last && find_row(lasting, NUM(lasting), "", "", a, b) == NULL)) {
        snprintf(out->finding, sizeof(out->finding),
                 "HTTP/1.%u, %zu bytes, last: %d; llhttp's HTTP/1.%u, %zu bytes, last: %d",
                 a->minor, a->len, a->last, b->minor, b->len, b->last);
    }
}

/* Whether we would take the message if it went on: its line, its head and its body ended. */
static bool would_take(const uint8_t *p, size_t len, struct message *m)
{
    static const char *const ends[] = {"\n\r\n", "\r\n\r\n", "0\r\n\r\n", "\r\n0\r\n\r\n",
                                       "\r\n\r\n0\r\n\r\n"};
    static uint8_t room[DIFFERENTIAL_MAX];
    for (size_t i = 0; i < NUM(ends); i++) {
        size_t more = strlen(ends[i]);
        if (len + more > sizeof(room)) {
            return false;
        }
        memcpy(room, p, len);
        memcpy(room + len, ends[i], more);
        read_ours(room, len + more, m);
        if (m->outcome == COMPLETE) {
            return true;
        }
    }
    return false;
}

static void explain_stricter(const struct message *a, const struct message *b,
                             struct differential *out)
{
    struct row *row = find_row(stricter, NUM(stricter), a->err.section, a->err.text, a, b);
    if (row != NULL) {
        out->stricter = row->why;
    } else {
        snprintf(out->finding, sizeof(out->finding), "we refuse (%s, %s), llhttp takes",
                 a->err.text, a->err.section);
    }
}

static void explain_laxer(const struct message *a, const struct message *b,
                          struct differential *out)
{
    const char *reason = b->reason != NULL ? b->reason : "";
    struct row *row = find_row(laxer, NUM(laxer), "", reason, a, b);
    if (row != NULL) {
        out->laxer = row->why;
    } else {
        snprintf(out->finding, sizeof(out->finding), "we take, llhttp refuses (%s: %s)",
                 llhttp_errno_name(b->code), reason);
    }
}

/* One message; false: nothing follows that could be compared. */
static bool next(const uint8_t *p, size_t len, size_t *out_len, struct differential *out)
{
    static struct message ours;
    static struct message theirs;
    read_ours(p, len, &ours);
    read_theirs(p, len, &theirs);
    *out_len = ours.len;
    if (ours.outcome == COMPLETE && theirs.outcome == COMPLETE) {
        compare(&ours, &theirs, out);
        out->agreed += out->finding[0] == '\0';
        return out->finding[0] == '\0' && !ours.last && !theirs.last;
    }
    if (ours.outcome == REFUSED) {
        out->both_refused = theirs.outcome == REFUSED;
        if (theirs.outcome == COMPLETE) {
            explain_stricter(&ours, &theirs, out);
        }
    } else if (theirs.outcome == REFUSED) {
        if (ours.outcome == COMPLETE || would_take(p, len, &ours)) {
            explain_laxer(&ours, &theirs, out);
        }
    } else if (ours.outcome == COMPLETE && is(ours.method, "PRI")) {
        /* llhttp waits for the rest of HTTP/2's preface */
        theirs.reason = PREFACE;
        explain_laxer(&ours, &theirs, out);
    } else if (ours.outcome != theirs.outcome) {
        snprintf(out->finding, sizeof(out->finding), "the message has an end for %s alone",
                 ours.outcome == COMPLETE ? "us" : "llhttp");
    }
    return false;
}

void differential_run(const uint8_t *p, size_t len, struct differential *out)
{
    size_t at = 0;
    size_t took = 0;
    *out = (struct differential){0};
    if (len > DIFFERENTIAL_MAX) {
        return;
    }
    while (at < len && next(p + at, len - at, &took, out)) {
        at += took;
    }
}
