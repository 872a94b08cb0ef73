/* server/routes.c - the table of routes: a tree of segments, made once.
 *
 * Nodes stand in one array, children of a node in a list: texts first, in their order, then the
 * parameter, then the rest. A search visits a node at most once, so it costs no more than the table
 * is long, however a request looks.
 */
#include <string.h>

#include "base/mem.h"
#include "http/chars.h"
#include "server/server.h"
#include "cleat/http_routes.h"

/* 1,000 rows: a table that is written by hand, and some */
#define MAX_ROWS 1000
#define NONE     UINT16_MAX

enum {
    TEXT,
    PARAMETER,
    REST,
};

struct node {
    struct cl_rd text; /* of TEXT */
    uint8_t kind;
    uint16_t child, next; /* NONE */
    uint16_t row;         /* the first that ends here */
};

struct row {
    struct cleat_http_route route;
    struct cl_rd path;
    uint16_t next; /* that ends at the same node, with another method */
};

struct cleat_http_routes {
    struct row *rows;
    size_t num_rows;
    struct node *nodes; /* the first is the root */
    size_t num_nodes;
    char *texts;
};

/* ---- compiling ---- */

static cl_result bad(struct cleat_error *err, const struct row *row, const char *what)
{
    const struct cl_why why = {.code = CLEAT_ERR_BAD_CONFIG};
    return cl_error_set(err, why, "route \"%.40s %.200s\": %s", row->route.method, row->route.path,
                        what);
}

/* The next segment of a path whose first slash was taken. */
static struct cl_rd take_segment(struct cl_rd *rest)
{
    struct cl_rd segment = *rest;
    if (!cl_http_until(rest, '/', &segment)) {
        rest->p += rest->len;
        rest->len = 0;
    }
    return segment;
}

static bool is_dots(struct cl_rd s)
{
    return (s.len == 1 && s.p[0] == '.') || (s.len == 2 && s.p[0] == '.' && s.p[1] == '.');
}

static bool ends_in(struct cl_rd s, const char *tail)
{
    const size_t len = strlen(tail);
    return s.len >= len && memcmp(s.p + s.len - len, tail, len) == 0;
}

static uint8_t kind_of(struct cl_rd segment)
{
    if (segment.len == 0 || segment.p[0] != '{') {
        return TEXT;
    }
    return ends_in(segment, "...}") ? REST : PARAMETER;
}

static struct cl_rd name_of(struct cl_rd segment)
{
    const size_t around = kind_of(segment) == REST ? 5 : 2;
    return cl_rd_of(segment.p + 1, segment.len >= around ? segment.len - around : 0);
}

static const char *flaw_of_name(struct cl_rd segment)
{
    if (!ends_in(segment, "}")) {
        return "a parameter is a whole segment, \"{name}\" or \"{name...}\"";
    }
    const struct cl_rd name = name_of(segment);
    for (size_t i = 0; i < name.len; i++) {
        if (!cl_http_ch(name.p[i], CL_CH_ALPHA | CL_CH_DIGIT) && name.p[i] != '_') {
            return "the name of a parameter is of letters, digits and '_'";
        }
    }
    return name.len == 0 ? "a parameter without a name" : NULL;
}

static const char *flaw_of_text(struct cl_rd segment, bool is_last)
{
    if (is_dots(segment)) {
        return "\".\" and \"..\" never match";
    }
    if (segment.len == 0 && !is_last) {
        return "an empty segment";
    }
    for (size_t i = 0; i < segment.len; i++) {
        const uint8_t c = segment.p[i];
        if (c < 0x21 || c == 0x7f || memchr("?#%{}", c, 5) != NULL) {
            return "a segment with a character that must not be there (control, space, one of "
                   "?#%{}); paths are matched decoded";
        }
    }
    return NULL;
}

static const char *flaw_of_path(struct cl_rd path)
{
    struct cl_rd names[CLEAT_HTTP_MAX_PARAMETERS];
    size_t num_names = 0, num = 0;
    uint8_t slash;
    if (!cl_rd_u8(&path, &slash) || slash != '/') {
        return "a path begins with a slash";
    }
    do {
        const bool more = path.len > 0 && memchr(path.p, '/', path.len) != NULL;
        const struct cl_rd s = take_segment(&path);
        const uint8_t kind = kind_of(s);
        const char *flaw = kind == TEXT ? flaw_of_text(s, !more) : flaw_of_name(s);
        if (flaw != NULL) {
            return flaw;
        }
        if (kind == REST && more) {
            return "\"{name...}\" is the last segment";
        }
        if (++num > CLEAT_HTTP_MAX_SEGMENTS) {
            return "more than 16 segments";
        }
        for (size_t i = 0; kind != TEXT && i < num_names; i++) {
            if (cl_rd_equal(names[i], name_of(s))) {
                return "two parameters with the same name";
            }
        }
        if (kind != TEXT && num_names == CLEAT_HTTP_MAX_PARAMETERS) {
            return "more than 8 parameters";
        }
        if (kind != TEXT) {
            names[num_names++] = name_of(s);
        }
        if (!more) {
            return NULL;
        }
    } while (true);
}

static uint16_t add_node(struct cleat_http_routes *r, uint16_t parent, struct cl_rd segment)
{
    const uint8_t kind = kind_of(segment);
    uint16_t *link = &r->nodes[parent].child;
    while (*link != NONE) {
        const struct node *n = &r->nodes[*link];
        if (n->kind == kind && (kind != TEXT || cl_rd_equal(n->text, segment))) {
            return *link;
        }
        if (n->kind > kind) {
            break;
        }
        link = &r->nodes[*link].next;
    }
    const uint16_t at = (uint16_t)r->num_nodes++;
    r->nodes[at] =
        (struct node){.text = segment, .kind = kind, .child = NONE, .next = *link, .row = NONE};
    *link = at;
    return at;
}

static cl_result add_row(struct cleat_http_routes *r, uint16_t at, struct cleat_error *err)
{
    struct row *row = &r->rows[at];
    struct cl_rd path = cl_rd_of(row->path.p + 1, row->path.len - 1);
    uint16_t node = 0;
    bool more = true;
    while (more) {
        more = path.len > 0 && memchr(path.p, '/', path.len) != NULL;
        node = add_node(r, node, take_segment(&path));
    }
    for (uint16_t i = r->nodes[node].row; i != NONE; i = r->rows[i].next) {
        if (strcmp(r->rows[i].route.method, row->route.method) == 0) {
            const struct cl_why why = {.code = CLEAT_ERR_BAD_CONFIG};
            return cl_error_set(err, why,
                                "routes \"%.40s %.140s\" and \"%.140s\" match the same "
                                "requests",
                                row->route.method, r->rows[i].route.path, row->route.path);
        }
    }
    row->next = r->nodes[node].row;
    r->nodes[node].row = at;
    return CL_OK;
}

static const char *flaw_of(const struct row *row)
{
    const struct cl_rd method = cl_rd_str(row->route.method);
    if (method.len == 0 || method.len > CLEAT_HTTP_MAX_METHOD ||
        !cl_http_all(method, CL_CH_TOKEN)) {
        return "not a method";
    }
    if (row->route.handler == NULL || row->route.handler->request == NULL) {
        return "no function to handle it";
    }
    return row->path.len > CLEAT_HTTP_MAX_TARGET ? "a path that is too long"
                                                 : flaw_of_path(row->path);
}

static char *copy_text(char **at, const char *text)
{
    char *copy = *at;
    const size_t size = strlen(text) + 1;
    memcpy(copy, text, size);
    *at += size;
    return copy;
}

/* Room for the copies, and for as many nodes as there may be. */
static cl_result make_room(struct cleat_http_routes *r, const struct cleat_http_route *rows,
                           size_t num)
{
    size_t text_len = 0, num_nodes = 1;
    for (size_t i = 0; i < num; i++) {
        text_len += strlen(rows[i].method) + strlen(rows[i].path) + 2;
        for (const char *p = rows[i].path; *p != '\0'; p++) {
            num_nodes += *p == '/';
        }
    }
    if (num > MAX_ROWS || num_nodes >= NONE) {
        return CLEAT_ERR_LIMIT;
    }
    r->rows = cl_calloc(num + 1, sizeof(*r->rows));
    r->nodes = cl_calloc(num_nodes, sizeof(*r->nodes));
    r->texts = cl_alloc(text_len + 1);
    return r->rows != NULL && r->nodes != NULL && r->texts != NULL ? CL_OK : CLEAT_ERR_NOMEM;
}

static cl_result compile(struct cleat_http_routes *r, const struct cleat_http_route *rows,
                         size_t num, struct cleat_error *err)
{
    CL_TRY(make_room(r, rows, num));
    char *text = r->texts;
    r->nodes[0] = (struct node){.child = NONE, .next = NONE, .row = NONE};
    r->num_nodes = 1;
    for (size_t i = 0; i < num; i++) {
        struct row *row = &r->rows[i];
        row->route = rows[i];
        row->route.method = copy_text(&text, rows[i].method);
        row->route.path = copy_text(&text, rows[i].path);
        row->path = cl_rd_str(row->route.path);
        r->num_rows++;
        const char *flaw = flaw_of(row);
        if (flaw != NULL) {
            return bad(err, row, flaw);
        }
        CL_TRY(add_row(r, (uint16_t)i, err));
    }
    return CL_OK;
}

int cleat_http_routes_new(const struct cleat_http_route *rows, size_t num,
                          struct cleat_http_routes **out, struct cleat_error *err)
{
    struct cleat_http_routes *r = cl_calloc(1, sizeof(*r));
    if (r == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    const cl_result result = compile(r, rows, num, err);
    if (result != CL_OK) {
        cleat_http_routes_free(r);
        return result;
    }
    *out = r;
    return CLEAT_OK;
}

void cleat_http_routes_free(struct cleat_http_routes *r)
{
    if (r != NULL) {
        cl_free(r->rows);
        cl_free(r->nodes);
        cl_free(r->texts);
        cl_free(r);
    }
}

/* ---- finding ---- */

struct search {
    const struct cleat_http_routes *r;
    struct cl_rd method;
    bool is_head;
    const struct row *found;
    struct cleat_http_match *out;
};

static void add_allow(struct cleat_http_match *m, const char *method)
{
    const size_t at = strlen(m->allow);
    const size_t len = strlen(method);
    struct cleat_http_view rest = {m->allow, at}, have;
    while (cleat_http_list_next(&rest, &have)) {
        if (cleat_http_is(have, method)) {
            return;
        }
    }
    if (at + len + 3 <= sizeof(m->allow)) {
        memcpy(m->allow + at, at > 0 ? ", " : "", at > 0 ? 2 : 0);
        memcpy(m->allow + at + (at > 0 ? 2 : 0), method, len + 1);
    }
}

/* The row of the method among those that end at a node; what there is otherwise is noted. */
static bool take_row(struct search *s, const struct node *n)
{
    const struct row *by_get = NULL;
    for (uint16_t i = n->row; i != NONE; i = s->r->rows[i].next) {
        const struct row *row = &s->r->rows[i];
        if (cl_rd_equal_str(s->method, row->route.method)) {
            s->found = row;
            return true;
        }
        if (strcmp(row->route.method, "GET") == 0) {
            by_get = row;
            add_allow(s->out, "HEAD");
        }
        add_allow(s->out, row->route.method);
    }
    s->found = s->is_head ? by_get : NULL;
    return s->found != NULL;
}

static bool search(struct search *s, uint16_t parent, struct cl_rd path, unsigned depth);

static bool try_node(struct search *s, uint16_t at, struct cl_rd path, unsigned depth)
{
    const struct node *n = &s->r->nodes[at];
    const bool more = path.len > 0 && memchr(path.p, '/', path.len) != NULL;
    if (n->kind == REST) {
        return take_row(s, n);
    }
    const struct cl_rd segment = take_segment(&path);
    if (n->kind == TEXT ? !cl_rd_equal(n->text, segment) : segment.len == 0) {
        return false;
    }
    return more ? search(s, at, path, depth + 1) : take_row(s, n);
}

static bool search(struct search *s, uint16_t parent, struct cl_rd path, unsigned depth)
{
    /* deeper than any row: only "{name...}" can match, and it has been tried */
    if (depth > CLEAT_HTTP_MAX_SEGMENTS) {
        return false;
    }
    for (uint16_t i = s->r->nodes[parent].child; i != NONE; i = s->r->nodes[i].next) {
        if (try_node(s, i, path, depth)) {
            return true;
        }
    }
    return false;
}

/* The path as it is meant, or what speaks against it. */
static bool decode(const struct cleat_http_head *h, struct cleat_http_match *out,
                   struct cl_rd *path)
{
    size_t len = 0;
    if (cleat_http_path_decode(cleat_http_text(h, h->path), out->text, sizeof(out->text), &len) !=
        CLEAT_OK) {
        return false;
    }
    *path = cl_rd_of(out->text, len);
    struct cl_rd rest = *path;
    for (size_t i = 0; i < len; i++) {
        if (rest.p[i] < 0x20 || rest.p[i] == 0x7f) {
            return false;
        }
    }
    while (rest.len > 0) {
        if (is_dots(take_segment(&rest))) {
            return false;
        }
    }
    return true;
}

static void add_parameters(const struct row *row, struct cl_rd path, struct cleat_http_match *out)
{
    struct cl_rd pattern = cl_rd_of(row->path.p + 1, row->path.len - 1);
    while (pattern.len > 0) {
        const struct cl_rd segment = take_segment(&pattern);
        const uint8_t kind = kind_of(segment);
        const struct cl_rd value = kind == REST ? path : take_segment(&path);
        if (kind != TEXT) {
            out->parameters[out->num_parameters].name = cl_http_view(name_of(segment));
            out->parameters[out->num_parameters].value = cl_http_view(value);
            out->num_parameters++;
        }
    }
}

static void answer_options(const struct cleat_http_routes *r, struct cleat_http_match *out)
{
    for (size_t i = 0; i < r->num_rows; i++) {
        add_allow(out, r->rows[i].route.method);
        if (strcmp(r->rows[i].route.method, "GET") == 0) {
            add_allow(out, "HEAD");
        }
    }
    add_allow(out, "OPTIONS");
    out->status = 204;
}

void cleat_http_routes_find(const struct cleat_http_routes *r,
                            const struct cleat_http_head *request, struct cleat_http_match *out)
{
    const struct cl_rd method = cl_http_rd(cleat_http_text(request, request->method));
    struct search s = {.r = r, .method = method, .out = out};
    struct cl_rd path;
    s.is_head = cl_rd_equal_str(method, "HEAD");
    out->route = NULL;
    out->status = 404;
    out->allow[0] = '\0';
    out->num_parameters = 0;
    if (request->form == CLEAT_HTTP_ASTERISK_FORM) {
        answer_options(r, out);
        return;
    }
    if (request->path.len == 0) {
        return;
    }
    if (!decode(request, out, &path)) {
        out->status = 400;
        return;
    }
    path = cl_rd_of(path.p + 1, path.len - 1);
    if (search(&s, 0, path, 1)) {
        out->status = 425;
        if (cleat_http_is_early_safe(request) ||
            (s.found->route.flags & CLEAT_HTTP_ROUTE_EARLY) != 0) {
            out->status = 0;
            out->route = &s.found->route;
            add_parameters(s.found, path, out);
        }
    } else if (out->allow[0] != '\0') {
        add_allow(out, "OPTIONS");
        out->status = cl_rd_equal_str(method, "OPTIONS") ? 204 : 405;
    }
}

struct cleat_http_view cleat_http_match_get(const struct cleat_http_match *m, const char *name)
{
    for (size_t i = 0; i < m->num_parameters; i++) {
        if (cleat_http_is(m->parameters[i].name, name)) {
            return m->parameters[i].value;
        }
    }
    return (struct cleat_http_view){0};
}
