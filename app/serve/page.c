/* serve/page.c - see page.h. The text may quote the request: it is escaped. */
#include "serve/page.h"

#include "cleat/http.h"
#include "http/write.h"

static cl_result escape(struct cl_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("&<>\"'", *text) != NULL) {
            CL_TRY(cl_buf_printf(out, CL_PAGE_MAX, "&#%d;", *text));
        } else {
            CL_TRY(cl_buf_append(out, text, 1, CL_PAGE_MAX));
        }
    }
    return CL_OK;
}

cl_result cl_page_build(const struct cl_page *page, struct cl_buf *fields, struct cl_buf *body)
{
    const char *reason = cleat_http_reason(page->status);
    const char *text = page->text != NULL ? page->text : reason;
    CL_TRY(cl_buf_printf(body, CL_PAGE_MAX,
                         "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">"
                         "<meta name=\"viewport\" content=\"width=device-width\">\n"
                         "<title>%d %s</title>\n<style>body{font:1.1em/1.5 system-ui,sans-serif;"
                         "max-width:34em;margin:18vh auto;padding:0 1em;color:#234}"
                         "h1{font-weight:600}</style>\n<h1>%d %s</h1>\n<p>",
                         page->status, reason, page->status, reason));
    CL_TRY(escape(body, text));
    CL_TRY(cl_buf_append(body, "</p>\n", 5, CL_PAGE_MAX));
    CL_TRY(cl_http_write_date(fields, page->now));
    CL_TRY(cl_http_write_field_str(fields, "Content-Type", "text/html; charset=utf-8"));
    return page->extra_fields != NULL ? cl_buf_printf(fields, CL_PAGE_MAX, "%s", page->extra_fields)
                                      : CL_OK;
}

cl_result cl_page_wrong_port(const uint8_t *request, size_t len, const char *local,
                             struct cl_buf *out)
{
    struct cleat_http_head head;
    struct cleat_http_view host = {local, strlen(local)};
    struct cl_buf text = {0};
    cleat_http_request_init(&head);
    if (len > 0 && cleat_http_head_feed(&head, request, len, NULL) == CLEAT_HTTP_COMPLETE &&
        head.authority.len > 0) {
        host = cleat_http_text(&head, head.authority);
    }
    cl_result result = cl_buf_printf(&text, CL_PAGE_MAX,
                                     "This port speaks HTTPS, and the request came as plain HTTP.\n"
                                     "Use https://%.*s/\n",
                                     (int)(host.len < 255 ? host.len : 255), host.p);
    if (result == CL_OK) {
        result = cl_buf_printf(out, CL_PAGE_MAX,
                               "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; "
                               "charset=utf-8\r\nX-Content-Type-Options: nosniff\r\nConnection: "
                               "close\r\nContent-Length: %zu\r\n\r\n%.*s",
                               text.len, (int)text.len, (const char *)text.p);
    }
    cl_buf_deinit(&text);
    return result;
}
