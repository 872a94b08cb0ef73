/* fuzz/fuzz_mixed_content.c - pages and style sheets (those that begin with "@"): what is found is
 * within the page's lines and is no URL of https; tags lie within the text and get on. */
#include <stdlib.h>
#include <string.h>

#include "agent/html.h"
#include "agent/mixed_content.h"
#include "http/chars.h"

static unsigned long num_lines;

static void require(bool ok)
{
    if (!ok) {
        abort();
    }
}

static bool check(void *ctx, const struct cl_mixed *m)
{
    size_t *num = ctx;
    struct cl_rd v = m->url, front;
    require(m->line >= 1 && m->line <= num_lines && m->element.len > 0 && m->url.len > 0);
    require(!cl_rd_take(&v, 6, &front) || !cl_http_equal_fold(front, "https:"));
    return ++*num < 1000;
}

static void check_tags(const uint8_t *data, size_t size)
{
    struct cl_html h = {.rest = cl_rd_of(data, size), .line = 1};
    static struct cl_html_tag tag;
    size_t left = size + 1;
    while (cl_html_next(&h, &tag)) {
        require(h.rest.len < left && tag.name.len > 0 && tag.num <= CL_HTML_MAX_ATTRIBUTES);
        left = h.rest.len;
    }
    require(h.line <= num_lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char url[] = "https://example.com/a/b";
    struct cl_mixed_page page = {.text = cl_rd_of(data, size),
                                 .is_css = size > 0 && data[0] == '@'};
    size_t num = 0;
    num_lines = 1;
    for (size_t i = 0; i < size; i++) {
        num_lines += data[i] == '\n' || data[i] == '\r' ? 1 : 0;
    }
    require(cleat_http_url_parse(&page.url, url, strlen(url), NULL) == CLEAT_OK);
    require(cl_mixed_scan(&page, check, &num) == CL_OK);
    check_tags(data, size);
    return 0;
}
