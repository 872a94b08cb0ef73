/* watch/page.c - see page.h. A client keeps a reference to the text that it is given, which may be
 * replaced meanwhile; the page is freed with its last client.
 */
#include "watch/page.h"

#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#include "base/mem.h"
#include "cleat/http.h"
#include "net/listener.h"

struct text {
    unsigned num_refs;
    struct cl_buf bytes;
};

struct client {
    LIST_ENTRY(client) link;
    struct cl_watch_page *page;
    struct cl_stream *stream;
    struct text *text; /* NULL: no body, or not that one */
    struct cl_buf request;
    struct cleat_http_head head;
    size_t sent; /* of head and body */
    size_t reply_len;
    char reply[512];
    bool answered;
    bool with_body;
};

struct cl_watch_page {
    struct cl_hub *hub;
    struct cl_listener *listener;
    struct text *text;
    LIST_HEAD(, client) clients;
    unsigned num_clients;
    bool freed;
};

static void release(struct text *text)
{
    if (text != NULL && --text->num_refs == 0) {
        cl_buf_deinit(&text->bytes);
        cl_free(text);
    }
}

static void free_if_over(struct cl_watch_page *page)
{
    if (page->freed && page->num_clients == 0) {
        release(page->text);
        cl_free(page);
    }
}

/* ---- the answer ---- */

static void send_more(struct client *c)
{
    const struct cl_buf *body = c->text != NULL && c->with_body ? &c->text->bytes : NULL;
    const size_t total = c->reply_len + (body != NULL ? body->len : 0);
    while (c->sent < total) {
        const bool head = c->sent < c->reply_len;
        const void *p = head ? (const void *)(c->reply + c->sent)
                             : (const void *)(body->p + (c->sent - c->reply_len));
        const size_t len = head ? c->reply_len - c->sent : total - c->sent;
        const size_t taken = cl_stream_write(c->stream, p, len);
        c->sent += taken;
        if (taken < len) {
            cl_stream_deadline(c->stream, CL_WATCH_PAGE_MS);
            return; /* drained comes */
        }
    }
    cl_stream_close(c->stream);
}

static void answer(struct client *c, int status, const char *more, const char *body)
{
    static const char type[] = "text/plain; version=0.0.4; charset=utf-8";
    const size_t len = c->text != NULL ? c->text->bytes.len : strlen(body);
    const int n = snprintf(c->reply, sizeof(c->reply),
                           "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                           "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
                           "Connection: close\r\n%s\r\n%s",
                           status, cleat_http_reason(status), type, len, more,
                           c->text == NULL && c->with_body ? body : "");
    c->reply_len = (size_t)n;
    c->answered = true;
    send_more(c);
}

static void answer_request(struct client *c)
{
    const struct cleat_http_view method = cleat_http_text(&c->head, c->head.method);
    const struct cleat_http_view path = cleat_http_text(&c->head, c->head.path);
    const bool get = cleat_http_is(method, "GET");
    c->with_body = !cleat_http_is(method, "HEAD");
    if (!get && c->with_body) {
        answer(c, 405, "Allow: GET, HEAD\r\n", "only GET and HEAD\n");
    } else if (cleat_http_is(path, "/metrics") && c->page->text != NULL) {
        c->text = c->page->text;
        c->text->num_refs++;
        answer(c, 200, "", "");
    } else if (cleat_http_is(path, "/metrics")) {
        answer(c, 503, "Retry-After: 5\r\n", "nothing has been looked at yet\n");
    } else if (cleat_http_is(path, "/")) {
        answer(c, 200, "", "cleat cert watch: see /metrics\n");
    } else {
        answer(c, 404, "", "see /metrics\n");
    }
}

static size_t on_data(void *ctx, uint8_t *p, size_t len)
{
    struct client *c = ctx;
    if (c->answered) {
        return len; /* one request a connection */
    }
    /* What does not fit is more than any head may have: the parser says so. */
    const size_t room = CLEAT_HTTP_MAX_REQUEST_HEAD + 1 - c->request.len;
    const size_t some = len < room ? len : room;
    c->with_body = true;
    if (cl_buf_append(&c->request, p, some, CLEAT_HTTP_MAX_REQUEST_HEAD + 1) != CL_OK) {
        cl_stream_abort(c->stream, "out of memory");
        return len;
    }
    const int code = cleat_http_head_feed(&c->head, c->request.p, c->request.len, NULL);
    if (code == CLEAT_HTTP_COMPLETE) {
        answer_request(c);
    } else if (code != CLEAT_HTTP_MORE) {
        const int status =
            c->head.reply_status != 0 ? c->head.reply_status : cleat_http_reply_status(code);
        answer(c, status, "", "not understood\n");
    }
    return len;
}

static void on_drained(void *ctx)
{
    struct client *c = ctx;
    if (c->answered) {
        send_more(c);
    }
}

static void on_ready(void *ctx)
{
    cl_stream_deadline(((struct client *)ctx)->stream, CL_WATCH_PAGE_MS);
}

static void on_closed(void *ctx, const struct cl_stream_end *end)
{
    struct client *c = ctx;
    struct cl_watch_page *page = c->page;
    LIST_REMOVE(c, link);
    release(c->text);
    cl_buf_deinit(&c->request);
    cl_free(c);
    page->num_clients--;
    if (page->listener != NULL) {
        cl_listener_hold(page->listener, false);
    }
    free_if_over(page);
}

static const struct cl_stream_handler handler = {
    .ready = on_ready, .data = on_data, .drained = on_drained, .closed = on_closed};

/* ---- clients ---- */

static void on_incoming(void *ctx, struct cl_tcp *tcp)
{
    struct cl_watch_page *page = ctx;
    struct client *c = cl_calloc(1, sizeof(*c));
    if (c == NULL) {
        cl_tcp_free(tcp);
        return;
    }
    const struct cl_stream_setup setup = {.tcp = tcp, .handler = &handler, .ctx = c};
    if (cl_stream_open(page->hub, &setup, &c->stream) != CL_OK) {
        cl_free(c);
        return;
    }
    c->page = page;
    cleat_http_request_init(&c->head);
    LIST_INSERT_HEAD(&page->clients, c, link);
    page->num_clients++;
    if (page->num_clients == CL_WATCH_PAGE_MAX_CLIENTS) {
        cl_listener_hold(page->listener, true);
    }
}

static void on_accept_error(void *ctx, int status)
{
    (void)fprintf(stderr, "cleat cert watch: cannot take a connection: %s\n", uv_strerror(status));
}

static const struct cl_listener_handler listening = {.incoming = on_incoming,
                                                     .error = on_accept_error};

cl_result cl_watch_page_new(struct cl_hub *hub, struct cl_addr *addr, struct cl_watch_page **out,
                            struct cleat_error *err)
{
    struct sockaddr_storage storage = {0};
    char text[CL_ADDR_TEXT_SIZE];
    struct cl_watch_page *page = cl_calloc(1, sizeof(*page));
    if (page == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    page->hub = hub;
    LIST_INIT(&page->clients);
    cl_addr_format_port(addr, text);
    memcpy(&storage, addr, sizeof(*addr));
    int code = cl_listener_bind(&storage, true);
    if (code >= 0) {
        memcpy(addr, &storage, sizeof(*addr));
        code = cl_listener_new(cl_hub_loop(hub), code, &listening, page, &page->listener);
    }
    if (code < 0) {
        cl_free(page);
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_SYSTEM},
                            "cannot listen on %s: %s", text, uv_strerror(code));
    }
    *out = page;
    return CL_OK;
}

void cl_watch_page_set(struct cl_watch_page *page, struct cl_buf *text)
{
    struct text *fresh = cl_calloc(1, sizeof(*fresh));
    if (fresh == NULL) {
        return; /* what was known before is better than nothing */
    }
    fresh->num_refs = 1;
    fresh->bytes = *text;
    *text = (struct cl_buf){0};
    release(page->text);
    page->text = fresh;
}

void cl_watch_page_free(struct cl_watch_page *page)
{
    struct client *c;
    if (page == NULL) {
        return;
    }
    cl_listener_free(page->listener);
    page->listener = NULL;
    page->freed = true;
    LIST_FOREACH(c, &page->clients, link)
    {
        cl_stream_abort(c->stream, NULL);
    }
    free_if_over(page);
}
