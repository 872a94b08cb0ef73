/* server/dispatch.c - events to the functions of the handler whose route a request took. */
#include <stdio.h>
#include <string.h>

#include "cleat/http_routes.h"
#include "server/server.h"

/* What a field line adds around the methods of Allow. */
#define ALLOW_ROOM 16

static struct cleat_http_call call_of(const struct cleat_http_app *app,
                                      const struct cleat_http_server_io *io)
{
    return (struct cleat_http_call){
        .exchange = io->exchange,
        .route = io->exchange->route,
        .ctx = app->ctx,
        .head = io->head,
        .data = io->data,
        .data_len = io->data_len,
        .end = io->end,
        .code = io->code,
    };
}

static void call(const struct cleat_http_app *app, const struct cleat_http_server_io *io,
                 void (*function)(const struct cleat_http_call *call))
{
    if (function != NULL) {
        const struct cleat_http_call c = call_of(app, io);
        function(&c);
    }
}

/* "404 Not Found\n", and Allow where there is one. */
static void answer(struct cleat_http_exchange *x, uint16_t status, const char *allow)
{
    static const char type[] = "Content-Type: text/plain\r\n";
    char fields[sizeof(type) + sizeof(((struct cleat_http_match *)NULL)->allow) + ALLOW_ROOM];
    char text[80];
    size_t fields_len = 0, len = 0;
    if (status != 204) {
        memcpy(fields, type, sizeof(type) - 1);
        fields_len = sizeof(type) - 1;
        len = (size_t)snprintf(text, sizeof(text), "%u %s\n", (unsigned)status,
                               cleat_http_reason(status));
    }
    const struct cleat_http_view methods = {allow, strlen(allow)};
    if (methods.len > 0 &&
        cleat_http_field_write(fields, sizeof(fields), &fields_len, "Allow", methods) != CLEAT_OK) {
        fields_len = 0;
    }
    if (cleat_http_exchange_reply(x, status, fields, fields_len, text, len) != CLEAT_OK) {
        cleat_http_exchange_reset(x, CLEAT_H2_INTERNAL_ERROR);
    }
}

static void on_request(const struct cleat_http_app *app, const struct cleat_http_server_io *io)
{
    struct cleat_http_match match;
    struct cleat_http_exchange *x = io->exchange;
    cleat_http_routes_find(app->routes, io->head, &match);
    if (match.route == NULL || io->head->expect == CLEAT_HTTP_EXPECT_UNKNOWN) {
        answer(x, match.route == NULL ? match.status : 417, match.allow);
        return;
    }
    x->route = match.route;
    if (match.route->max_body != 0) {
        cleat_http_exchange_max_body(x, match.route->max_body);
    }
    struct cleat_http_call c = call_of(app, io);
    c.match = &match;
    match.route->handler->request(&c);
    if (!io->end) {
        (void)cleat_http_exchange_continue(x); /* what fails is told by the next step */
    } else if (x->route != NULL && match.route->handler->end != NULL) {
        c.head = NULL;
        c.match = NULL;
        match.route->handler->end(&c);
    }
}

static void on_data(const struct cleat_http_app *app, const struct cleat_http_server_io *io)
{
    const struct cleat_http_route *route = io->exchange->route;
    if (route != NULL) {
        call(app, io, route->handler->data);
    }
    if (route == NULL || (route->flags & CLEAT_HTTP_ROUTE_HOLD) == 0) {
        cleat_http_exchange_consume(io->exchange, io->data_len);
    }
}

static void on_refused(const struct cleat_http_app *app, const struct cleat_http_server_io *io)
{
    struct cleat_http_exchange *x = io->exchange;
    if (x->route != NULL) {
        call(app, io, x->route->handler->gone);
        x->route = NULL;
    }
    answer(x, io->status, "");
}

static void on_event(const struct cleat_http_app *app, enum cleat_http_server_next next,
                     const struct cleat_http_server_io *io)
{
    const struct cleat_http_handler *h =
        io->exchange->route != NULL ? io->exchange->route->handler : NULL;
    if (h == NULL) {
        return;
    }
    switch (next) {
    case CLEAT_HTTP_SERVER_END:
        call(app, io, h->end);
        break;
    case CLEAT_HTTP_SERVER_WRITABLE:
        call(app, io, h->writable);
        break;
    case CLEAT_HTTP_SERVER_DONE:
        call(app, io, h->done);
        break;
    default:
        call(app, io, h->gone);
        break;
    }
}

bool cleat_http_dispatch(const struct cleat_http_app *app, enum cleat_http_server_next next,
                         const struct cleat_http_server_io *io)
{
    switch (next) {
    case CLEAT_HTTP_SERVER_REQUEST:
        on_request(app, io);
        return true;
    case CLEAT_HTTP_SERVER_REFUSED:
        on_refused(app, io);
        return true;
    case CLEAT_HTTP_SERVER_DATA:
        on_data(app, io);
        return true;
    case CLEAT_HTTP_SERVER_END:
    case CLEAT_HTTP_SERVER_WRITABLE:
    case CLEAT_HTTP_SERVER_DONE:
    case CLEAT_HTTP_SERVER_GONE:
        on_event(app, next, io);
        return true;
    default:
        return false;
    }
}
