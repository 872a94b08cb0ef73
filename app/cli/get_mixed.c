/* cli/get_mixed.c - see get_mixed.h. */
#include "cli/get_mixed.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/mixed_content.h"
#include "base/text.h"
#include "cli/get_codes.h"
#include "cli/get_variables.h"

/* 10,000: more are one mistake many times */
#define MAX_FOUND   10000
/* 200 bytes of a URL are shown to people */
#define SHOWN_URL   200
/* 1: goes up when a member changes its meaning or goes away */
#define JSON_SCHEMA 1

struct report {
    FILE *out;
    json_t *list; /* NULL: for people */
    size_t num[CL_MIXED_NUM_KINDS];
    size_t num_all, num_upgraded;
    bool blocked, warned; /* what browsers would do */
};

static json_t *text_json(const void *p, size_t len)
{
    json_t *value = json_stringn(p, len);
    return value != NULL ? value : json_string("(not UTF-8)");
}

static void print_line(struct report *r, const struct cl_mixed *m)
{
    char url[SHOWN_URL + 1], element[32];
    (void)snprintf(url, sizeof(url), "%.*s", (int)(m->url.len < SHOWN_URL ? m->url.len : SHOWN_URL),
                   (const char *)m->url.p);
    (void)snprintf(element, sizeof(element), "%.*s",
                   (int)(m->element.len < 31 ? m->element.len : 31), (const char *)m->element.p);
    cl_text_make_printable(url);
    cl_text_make_printable(element);
    (void)fprintf(r->out, "%6lu  %-10s  %-8s %-10s  %s%s%s\n", m->line, cl_mixed_kind_name(m->kind),
                  element, m->attribute, url, m->url.len > SHOWN_URL ? "..." : "",
                  m->upgraded ? "  (upgraded by policy)" : "");
}

static bool on_found(void *ctx, const struct cl_mixed *m)
{
    struct report *r = ctx;
    r->num[m->kind]++;
    r->num_upgraded += m->upgraded ? 1 : 0;
    r->blocked = r->blocked || (!m->upgraded && m->kind == CL_MIXED_ACTIVE);
    r->warned = r->warned || (!m->upgraded && m->kind == CL_MIXED_FORM);
    if (r->list == NULL) {
        print_line(r, m);
    } else {
        (void)json_array_append_new(
            r->list,
            json_pack("{s:I, s:s, s:o, s:s, s:o, s:b}", "line", (json_int_t)m->line, "kind",
                      cl_mixed_kind_name(m->kind), "element",
                      text_json(m->element.p, m->element.len), "attribute", m->attribute, "url",
                      text_json(m->url.p, m->url.len), "upgraded", (int)m->upgraded));
    }
    return ++r->num_all < MAX_FOUND;
}

/* ---- what is looked at ---- */

static bool has_type(const char *content_type, const char *type)
{
    size_t len = strlen(type);
    return strncasecmp(content_type, type, len) == 0 && strchr("; \t", content_type[len]) != NULL;
}

/* False: it is neither HTML nor a style sheet. */
static bool look(const struct get_facts *f, struct cl_mixed_page *page)
{
    char *policy = NULL;
    size_t len = 0;
    FILE *text = open_memstream(&policy, &len);
    page->text = cl_buf_view(&f->page);
    page->is_css = has_type(f->content_type, "text/css");
    if (text != NULL) {
        get_header_print("Content-Security-Policy", 23, f, text);
        (void)fclose(text);
        page->upgrades = cl_mixed_policy_upgrades(cl_rd_of(policy, len));
        free(policy);
    }
    return page->is_css || f->content_type[0] == '\0' || has_type(f->content_type, "text/html") ||
           has_type(f->content_type, "application/xhtml+xml") ||
           has_type(f->content_type, "image/svg+xml");
}

/* ---- the end of the report ---- */

static void print_sum(const struct report *r, const char *url)
{
    if (r->num_all == 0) {
        (void)fprintf(r->out, "%s: nothing over plain HTTP\n", url);
        return;
    }
    (void)fprintf(r->out, "%s: %zu over plain HTTP%s:", url, r->num_all,
                  r->num_all == MAX_FOUND ? " (and no further ones looked for)" : "");
    for (int i = 0; i < CL_MIXED_NUM_KINDS; i++) {
        if (r->num[i] > 0) {
            (void)fprintf(r->out, " %zu %s", r->num[i], cl_mixed_kind_name((enum cl_mixed_kind)i));
        }
    }
    (void)fprintf(r->out, "%s%s\n", r->blocked ? "; browsers block what is active" : "",
                  !r->warned   ? ""
                  : r->blocked ? ", and warn about forms"
                               : "; browsers warn about forms");
}

static void print_json(const struct report *r, const char *url)
{
    json_t *all = json_pack("{s:i, s:o, s:b}", "schema", JSON_SCHEMA, "url",
                            text_json(url, strlen(url)), "complete", r->num_all < MAX_FOUND);
    for (int i = 0; i < CL_MIXED_NUM_KINDS; i++) {
        (void)json_object_set_new(all, cl_mixed_kind_name((enum cl_mixed_kind)i),
                                  json_integer((json_int_t)r->num[i]));
    }
    (void)json_object_set_new(all, "upgraded", json_integer((json_int_t)r->num_upgraded));
    (void)json_object_set(all, "resources", r->list);
    (void)json_dumpf(all, r->out, JSON_COMPACT);
    (void)fputc('\n', r->out);
    json_decref(all);
}

int get_mixed_report(const struct get_facts *facts, bool json, FILE *out)
{
    struct report r = {.out = out};
    struct cl_mixed_page page = {0};
    const char *url = facts->url_effective;
    if (!look(facts, &page) ||
        cleat_http_url_parse(&page.url, url, strlen(url), NULL) != CLEAT_OK) {
        (void)fprintf(stderr,
                      "cleat: (%d) --mixed-content: %s is %s: neither HTML nor a style sheet\n",
                      GET_EXIT_WEIRD_REPLY, url, facts->content_type);
        return GET_EXIT_WEIRD_REPLY;
    }
    if (facts->http_code >= 300) {
        (void)fprintf(stderr, "cleat get: warning: the server answers %ld%s\n", facts->http_code,
                      facts->redirect_url[0] != '\0' ? ": -L follows to where the page is" : "");
    }
    r.list = json ? json_array() : NULL;
    cl_result result = cl_mixed_scan(&page, on_found, &r);
    if (json) {
        print_json(&r, url);
    } else {
        print_sum(&r, url);
    }
    json_decref(r.list);
    (void)fflush(out);
    return result != CL_OK ? GET_EXIT_NO_MEMORY : r.blocked || r.warned ? GET_EXIT_MISSED : 0;
}
