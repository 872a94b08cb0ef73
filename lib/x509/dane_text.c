/* x509/dane_text.c - TLSA records as people write them: the presentation form of RFC 6698 2.2 and
 * RFC 7218, alone or in a line of a zone file (RFC 1035 5.1), and the form for unknown types
 * (RFC 3597 5). Names are absolute; $ORIGIN and the other directives are refused, not guessed.
 */
#include <stdio.h>

#include "base/buf.h"
#include "base/text.h"
#include "x509/dane.h"

/* One logical line: parentheses let it go on over ends of lines. */
struct scan {
    struct cl_rd rest;
    size_t line;
    bool open; /* inside parentheses */
    bool failed;
};

struct reading {
    struct cleat_dane *set;
    const char *owner; /* NULL: any */
    struct cl_rd last_owner;
    size_t num_others;
    struct cl_buf digits;
    struct cleat_error *err;
};

static const struct word {
    const char *name;
    uint8_t value;
} usages[] = {{"PKIX-TA", 0}, {"PKIX-EE", 1},    {"DANE-TA", 2},
              {"DANE-EE", 3}, {"PrivCert", 255}, {NULL, 0}},
  selectors[] = {{"Cert", 0}, {"SPKI", 1}, {"PrivSel", 255}, {NULL, 0}},
  matchings[] = {{"Full", 0}, {"SHA2-256", 1}, {"SHA2-512", 2}, {"PrivMatch", 255}, {NULL, 0}};

static cl_result bad(const struct reading *in, const struct scan *s, const char *hint,
                     const char *what, struct cl_rd token)
{
    return cl_error_set(
        in->err,
        (struct cl_why){.code = CLEAT_ERR_BAD_TLSA, .section = "RFC 6698 2.2", .hint = hint},
        "line %zu: %s%s%.*s%s", s->line, what, token.len != 0 ? ": '" : "",
        token.len < 40 ? (int)token.len : 40, token.len != 0 ? (const char *)token.p : "",
        token.len != 0 ? "'" : "");
}

/* ---- tokens ---- */

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool ends_token(uint8_t c)
{
    return is_blank(c) || c == '\n' || c == ';' || c == '(' || c == ')';
}

/* Drops what stands between tokens; false: the logical line ends here. */
static bool skip_between(struct scan *s)
{
    uint8_t c;
    bool comment = false;
    while (s->rest.len != 0) {
        c = s->rest.p[0];
        if (c == '\n' && !s->open) {
            return false;
        }
        if (!comment && (c == '(' || c == ')')) {
            s->failed = s->failed || s->open == (c == '(');
            s->open = c == '(';
        } else if (!comment && !is_blank(c) && c != '\n' && c != ';') {
            return true;
        }
        comment = c == ';' || (comment && c != '\n');
        s->line += c == '\n';
        (void)!cl_rd_u8(&s->rest, &c);
    }
    return false;
}

/* Takes the next token of the logical line; false at its end. */
static bool next(struct scan *s, struct cl_rd *out)
{
    size_t len = 0;
    if (!skip_between(s)) {
        return false;
    }
    while (len < s->rest.len && !ends_token(s->rest.p[len])) {
        len++;
    }
    return cl_rd_take(&s->rest, len, out);
}

static bool equals(struct cl_rd token, const char *word)
{
    return cl_ascii_equal_fold(token, cl_rd_str(word));
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Up to max, without a sign and in at most as many digits. */
static bool number(struct cl_rd token, uint32_t max, uint32_t *out)
{
    uint8_t c;
    *out = 0;
    if (token.len == 0 || token.len > 5) {
        return false;
    }
    while (cl_rd_u8(&token, &c)) {
        if (!is_digit(c)) {
            return false;
        }
        *out = *out * 10 + (uint32_t)(c - '0');
    }
    return *out <= max;
}

static bool field(struct cl_rd token, const struct word *words, uint8_t *out)
{
    uint32_t n;
    for (; words->name != NULL; words++) {
        if (equals(token, words->name)) {
            *out = words->value;
            return true;
        }
    }
    if (!number(token, UINT8_MAX, &n)) {
        return false;
    }
    *out = (uint8_t)n;
    return true;
}

/* ---- a record's data ---- */

/* The rest of the line: digits of one number, cut anywhere (RFC 6698 2.2: "Whitespace is allowed").
 */
static cl_result take_hex(struct reading *in, struct scan *s, uint8_t *out, size_t cap, size_t *len)
{
    struct cl_rd token;
    in->digits.len = 0;
    while (next(s, &token)) {
        for (size_t i = 0; i < token.len; i++) {
            const uint8_t c = cl_ascii_lower(token.p[i]);
            if (!is_digit(c) && (c < 'a' || c > 'f')) {
                return bad(in, s, "digits and the letters a to f, with white space between",
                           "the data of a TLSA record is hexadecimal, not", token);
            }
        }
        cl_result r = cl_buf_append(&in->digits, token.p, token.len, 2 * cap);
        if (r == CLEAT_ERR_LIMIT) {
            return cl_error_set(in->err, (struct cl_why){.code = r},
                                "line %zu: the data of a TLSA record is longer than %zu bytes",
                                s->line, cap);
        }
        CL_TRY(r);
    }
    if (!cl_hex_decode((const char *)in->digits.p, in->digits.len, out, cap, len)) {
        return bad(in, s, "copy the whole record",
                   "the data of a TLSA record has an odd number of digits", cl_rd_of(NULL, 0));
    }
    return CL_OK;
}

/* RFC 3597 5: "\# 35 0301…" */
static cl_result take_generic(struct reading *in, struct scan *s, uint8_t *out, size_t *len)
{
    struct cl_rd token = {0};
    uint32_t wanted;
    if (!next(s, &token) || !number(token, UINT16_MAX, &wanted)) {
        return bad(in, s, NULL, "\\# is not followed by a length", token);
    }
    CL_TRY(take_hex(in, s, out, UINT16_MAX, len));
    return *len == wanted ? CL_OK
                          : bad(in, s, "copy the whole record",
                                "the data has another length than stands in front", token);
}

/* What follows the type, as RDATA. */
static cl_result take_rdata(struct reading *in, struct scan *s, struct cl_rd first, uint8_t *out,
                            size_t *len)
{
    struct cl_rd selector = {0}, matching = {0};
    if (cl_rd_equal_str(first, "\\#")) {
        return take_generic(in, s, out, len);
    }
    if (!field(first, usages, &out[0])) {
        return bad(in, s, "0 to 3, or PKIX-TA, PKIX-EE, DANE-TA, DANE-EE",
                   "not the usage of a TLSA record", first);
    }
    if (!next(s, &selector) || !field(selector, selectors, &out[1])) {
        return bad(in, s, "0 or 1, or Cert, SPKI", "not the selector of a TLSA record", selector);
    }
    if (!next(s, &matching) || !field(matching, matchings, &out[2])) {
        return bad(in, s, "0 to 2, or Full, SHA2-256, SHA2-512",
                   "not the matching type of a TLSA record", matching);
    }
    CL_TRY(take_hex(in, s, out + 3, CLEAT_TLSA_MAX_DATA, len));
    *len += 3;
    return CL_OK;
}

/* ---- a line ---- */

static bool is_class(struct cl_rd token)
{
    return equals(token, "IN") || equals(token, "CH") || equals(token, "HS");
}

static bool is_type(struct cl_rd token)
{
    return equals(token, "TLSA") || equals(token, "TYPE52");
}

/* "3600", "1h30m": more digits and units than anything. */
static bool is_ttl(struct cl_rd token)
{
    for (size_t i = 0; i < token.len; i++) {
        const uint8_t c = cl_ascii_lower(token.p[i]);
        if (!is_digit(c) && (i == 0 || memchr("smhdw", c, 5) == NULL)) {
            return false;
        }
    }
    return token.len != 0;
}

/* "3 1 1 …", without a name: usage and selector, and not a TTL in front of class or type. */
static bool is_bare(struct scan s, struct cl_rd first)
{
    struct cl_rd second;
    uint8_t unused;
    return cl_rd_equal_str(first, "\\#") || (field(first, usages, &unused) && next(&s, &second) &&
                                             !is_class(second) && !is_type(second));
}

/* The name in front, if there is one, then TTL and class in either order, then the type. *found: it
 * is a TLSA record; *usage: what comes next. */
static cl_result take_head(struct reading *in, struct scan *s, struct cl_rd *token, bool indented,
                           bool *found)
{
    *found = false;
    if (token->p[0] == '$') {
        return bad(in, s, "write names in full", "directives of zone files are not understood",
                   *token);
    }
    if (!indented) {
        in->last_owner = cl_rd_of(NULL, 0);
    }
    if (!indented && !is_ttl(*token) && !is_class(*token) && !is_type(*token)) {
        in->last_owner = *token;
        if (!next(s, token)) {
            return bad(in, s, "write: 3 1 1 HEX", "this is no TLSA record", in->last_owner);
        }
    }
    bool classed = false;
    for (int i = 0; i < 2 && (is_class(*token) || is_ttl(*token)); i++) {
        classed = classed || is_class(*token);
        if (!next(s, token)) {
            return bad(in, s, "write: 3 1 1 HEX", "this is no TLSA record", *token);
        }
    }
    if (is_type(*token)) {
        *found = true;
        return next(s, token) ? CL_OK
                              : bad(in, s, "write: 3 1 1 HEX", "a TLSA record without data",
                                    cl_rd_of(NULL, 0));
    }
    /* dig prints signatures and aliases, too */
    return classed ? CL_OK : bad(in, s, "write: 3 1 1 HEX", "this is no TLSA record", *token);
}

/* A record without a name is the asker's. */
static bool is_other(const struct reading *in)
{
    struct cl_rd name = in->last_owner;
    if (in->owner == NULL || name.len == 0) {
        return false;
    }
    name.len -= name.p[name.len - 1] == '.';
    return !cl_ascii_equal_fold(name, cl_rd_str(in->owner));
}

static cl_result add(struct reading *in, const struct scan *s, const uint8_t *rdata, size_t len)
{
    struct cleat_error why = {0};
    const int r = cleat_dane_add_wire(in->set, rdata, len, &why);
    if (r == CLEAT_OK) {
        return CL_OK;
    }
    return cl_error_set(in->err,
                        (struct cl_why){.code = (cl_result)r,
                                        .section = why.section,
                                        .hint = why.hint[0] != '\0' ? why.hint : NULL},
                        "line %zu: %s", s->line, why.text);
}

static cl_result take_line(struct reading *in, struct scan *s, uint8_t *rdata)
{
    struct cl_rd token;
    size_t len = 0;
    bool found = true;
    const bool indented = s->rest.len != 0 && is_blank(s->rest.p[0]);
    if (!next(s, &token)) {
        return CL_OK;
    }
    if (is_bare(*s, token)) {
        in->last_owner = cl_rd_of(NULL, 0);
    } else {
        CL_TRY(take_head(in, s, &token, indented, &found));
    }
    const bool other = !found || is_other(in);
    in->num_others += found && other;
    if (!other) {
        CL_TRY(take_rdata(in, s, token, rdata, &len));
        return s->failed ? CL_OK : add(in, s, rdata, len);
    }
    while (next(s, &token)) {
    }
    return CL_OK;
}

static cl_result take_lines(struct reading *in, struct cl_rd text, uint8_t *rdata)
{
    struct scan s = {.rest = text, .line = 1};
    uint8_t end;
    while (s.rest.len != 0) {
        CL_TRY(take_line(in, &s, rdata));
        if (s.failed || s.open) {
            return bad(in, &s, NULL, "the parentheses do not pair", cl_rd_of(NULL, 0));
        }
        (void)!cl_rd_u8(&s.rest, &end);
        s.line++;
    }
    return CL_OK;
}

int cleat_dane_add_text(struct cleat_dane *set, const char *owner, const char *text, size_t len,
                        size_t *num_others, struct cleat_error *err)
{
    struct reading in = {.set = set, .owner = owner, .err = err};
    struct cl_buf rdata = {0};
    cl_result r = cl_buf_reserve(&rdata, UINT16_MAX, UINT16_MAX);
    r = r == CL_OK ? take_lines(&in, cl_rd_of(text, len), rdata.p) : r;
    if (num_others != NULL) {
        *num_others = in.num_others;
    }
    cl_buf_deinit(&in.digits);
    cl_buf_deinit(&rdata);
    return (int)r;
}
