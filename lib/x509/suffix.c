/* x509/suffix.c - the Public Suffix List (publicsuffix.org/list): which names are registries, so
 * that a wildcard below them would be for everybody's domains. Rules with U-labels are skipped:
 * certificates hold A-labels, and the list is a safety net, not a gate. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "x509/fields.h"
#include "x509/verify_cache.h"

/* 4 MiB: the list has 300 KB */
#define MAX_TEXT (4u << 20)

enum rule_kind {
    RULE_NORMAL,
    RULE_WILDCARD,  /* "*.ck": any one label below */
    RULE_EXCEPTION, /* "!www.ck": not that one */
};

struct rule {
    struct cl_rd name; /* without "*." or "!"; a view into text */
    enum rule_kind kind;
};

struct cleat_suffix_list {
    _Atomic unsigned num_refs;
    uint64_t number; /* cl_verify_number() */
    char *text;
    struct rule *rules;
    size_t num;
};

static int compare(struct cl_rd a, struct cl_rd b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    for (size_t i = 0; i < len; i++) {
        int d = cl_ascii_lower(a.p[i]) - cl_ascii_lower(b.p[i]);
        if (d != 0) {
            return d;
        }
    }
    return a.len == b.len ? 0 : a.len < b.len ? -1 : 1;
}

static int by_name(const void *a, const void *b)
{
    const struct rule *x = a;
    const struct rule *y = b;
    int d = compare(x->name, y->name);
    return d != 0 ? d : (int)x->kind - (int)y->kind;
}

/* A rule is what stands before the first white space of a line that is no comment. */
static bool rule_of(struct cl_rd line, struct rule *out)
{
    size_t len = 0;
    while (len < line.len && line.p[len] > ' ') {
        if (line.p[len] >= 0x80) {
            return false;
        }
        len++;
    }
    out->name = cl_rd_of(line.p, len);
    out->kind = RULE_NORMAL;
    if (len == 0 || (len >= 2 && line.p[0] == '/' && line.p[1] == '/')) {
        return false;
    }
    if (line.p[0] == '!') {
        out->kind = RULE_EXCEPTION;
        return cl_rd_skip(&out->name, 1) && out->name.len != 0;
    }
    if (len > 2 && line.p[0] == '*' && line.p[1] == '.') {
        out->kind = RULE_WILDCARD;
        return cl_rd_skip(&out->name, 2);
    }
    return line.p[0] != '*';
}

static cl_result read_rules(struct cleat_suffix_list *list, struct cl_rd text)
{
    size_t cap = 0;
    while (text.len != 0) {
        const uint8_t *end = memchr(text.p, '\n', text.len);
        struct cl_rd line;
        struct rule rule;
        if (!cl_rd_take(&text, end != NULL ? (size_t)(end - text.p) : text.len, &line) ||
            (end != NULL && !cl_rd_skip(&text, 1))) {
            return CLEAT_ERR_INTERNAL;
        }
        if (!rule_of(line, &rule)) {
            continue;
        }
        if (list->num == cap) {
            cap = cap != 0 ? 2 * cap : 1024;
            struct rule *more = cl_realloc(list->rules, cap * sizeof(*more));
            if (more == NULL) {
                return CLEAT_ERR_NOMEM;
            }
            list->rules = more;
        }
        list->rules[list->num++] = rule;
    }
    return list->num != 0 ? CL_OK : CLEAT_ERR_USAGE;
}

int cleat_suffix_list_from_text(const char *text, size_t len, struct cleat_suffix_list **out)
{
    *out = NULL;
    if (len > MAX_TEXT) {
        return CLEAT_ERR_LIMIT;
    }
    struct cleat_suffix_list *list = cl_calloc(1, sizeof(*list));
    if (list == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    list->num_refs = 1;
    list->number = cl_verify_number();
    list->text = cl_strndup(text, len);
    cl_result r =
        list->text != NULL ? read_rules(list, cl_rd_of(list->text, len)) : CLEAT_ERR_NOMEM;
    if (r != CL_OK) {
        cleat_suffix_list_free(list);
        return (int)r;
    }
    qsort(list->rules, list->num, sizeof(list->rules[0]), by_name);
    *out = list;
    return CLEAT_OK;
}

struct cleat_suffix_list *cleat_suffix_list_ref(const struct cleat_suffix_list *list)
{
    /* The count is not part of what is immutable. */
    struct cleat_suffix_list *own = (struct cleat_suffix_list *)(uintptr_t)list;
    atomic_fetch_add_explicit(&own->num_refs, 1, memory_order_relaxed);
    return own;
}

uint64_t cl_suffix_list_number(const struct cleat_suffix_list *list)
{
    return list->number;
}

void cleat_suffix_list_free(struct cleat_suffix_list *list)
{
    if (list != NULL && atomic_fetch_sub_explicit(&list->num_refs, 1, memory_order_acq_rel) == 1) {
        cl_free(list->text);
        cl_free(list->rules);
        cl_free(list);
    }
}

static bool has_rule(const struct cleat_suffix_list *list, struct cl_rd name, enum rule_kind kind)
{
    struct rule key = {.name = name, .kind = kind};
    return bsearch(&key, list->rules, list->num, sizeof(list->rules[0]), by_name) != NULL;
}

bool cleat_suffix_list_has(const struct cleat_suffix_list *list, const char *name, size_t len)
{
    struct cl_rd whole = cl_rd_of(name, len);
    const char *dot = len != 0 ? memchr(name, '.', len) : NULL;
    if (has_rule(list, whole, RULE_EXCEPTION)) {
        return false;
    }
    /* "If no rules match, the prevailing rule is '*'": every single label is a suffix */
    return dot == NULL || has_rule(list, whole, RULE_NORMAL) ||
           has_rule(list, cl_rd_of(dot + 1, len - (size_t)(dot + 1 - name)), RULE_WILDCARD);
}
