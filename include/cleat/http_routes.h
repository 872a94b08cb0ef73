/* cleat/http_routes.h - handler tables over cleat/http_server.h: method and path to functions.
 *
 * A table is compiled once, never changes, and may be shared by all threads. Nothing calls back by
 * itself: cleat_http_dispatch is given what a step returned, and calls the handler's functions
 * then, when the connection is in order. So the main loop of a server is
 *
 *     while (cleat_http_dispatch(&app, next = cleat_http_server_step(s, &io), &io)) {
 *     }
 *
 * and then sending, and looking at `next`. Functions returning int: CLEAT_OK (0) or a negative code
 * of cleat/error.h.
 */
#ifndef CLEAT_HTTP_ROUTES_H
#define CLEAT_HTTP_ROUTES_H

#include "cleat/http_server.h"

#ifdef __cplusplus
extern "C" {
#endif

/* 16 segments of a path, 8 parameters: more is no path that somebody would type */
#define CLEAT_HTTP_MAX_SEGMENTS   16
#define CLEAT_HTTP_MAX_PARAMETERS 8

struct cleat_http_routes;
struct cleat_http_call;

/* What is called for the exchanges of a route; each but `request` may be NULL. `done` or `gone` is
 * the last: done, when the response was complete; gone else, also when the library answered,
 * because the rest of the request was refused. */
struct cleat_http_handler {
    void (*request)(const struct cleat_http_call *call);
    void (*data)(const struct cleat_http_call *call);
    void (*end)(
        const struct cleat_http_call *call); /* also right behind `request` without a body */
    void (*writable)(const struct cleat_http_call *call);
    void (*done)(const struct cleat_http_call *call);
    void (*gone)(const struct cleat_http_call *call);
};

enum {
    CLEAT_HTTP_ROUTE_EARLY = 1, /* answers what came as early data even if it is no GET or HEAD: a
                                   replay does no harm (RFC 8470 3). Else that gets a 425 */
    CLEAT_HTTP_ROUTE_HOLD = 2   /* `data` gives back what it has used (cleat_http_exchange_consume),
                                   now or later; else it is given back behind the call */
};

/* A row of the table. path: segments between slashes, each a text, "{name}" for any one segment
 * that is not empty, or in the last place "{name...}" for whatever is left, also nothing:
 * "/things/{id}", "/files/{rest...}". A slash at the end is part of the path. */
struct cleat_http_route {
    const char *method; /* "GET": answers HEAD, too */
    const char *path;
    const struct cleat_http_handler *handler;
    uint32_t flags;
    uint64_t max_body; /* of a request; 0: the connection's */
    const void *ctx;   /* the application's */
};

/* cleat_http_routes_new compiles num rows; what they point at is copied but for handlers and ctx.
 * CLEAT_ERR_BAD_CONFIG: a path or method is malformed, or two rows match the same requests; err
 * (may be NULL) says which. CLEAT_ERR_NOMEM. cleat_http_routes_free: NULL is fine. */
int cleat_http_routes_new(const struct cleat_http_route *rows, size_t num,
                          struct cleat_http_routes **out, struct cleat_error *err);
void cleat_http_routes_free(struct cleat_http_routes *r);

/* What was found. About 8 KiB, which need no initialisation. */
struct cleat_http_match {
    const struct cleat_http_route *route; /* NULL: none */
    uint16_t status;                      /* without a route, what to answer: 204 to OPTIONS, 400,
                                             404, 405, 425 */
    char allow[256];                      /* 204, 405: the methods, for the field Allow */
    size_t num_parameters;
    struct {
        struct cleat_http_view name, value; /* percent-decoded; no NUL behind them */
    } parameters[CLEAT_HTTP_MAX_PARAMETERS];
    char text[CLEAT_HTTP_MAX_TARGET]; /* what the values point into */
};

/* cleat_http_routes_find looks for the row of a request: where several match, a text is preferred
 * to a parameter, and that to "{name...}", from the left; rows of other methods do not stand in the
 * way. Refused with 400: bad escapes, %2F, %00 and other encoded control characters, and the
 * segments "." and "..", which mean something else to a file system. */
void cleat_http_routes_find(const struct cleat_http_routes *r,
                            const struct cleat_http_head *request, struct cleat_http_match *out);

/* cleat_http_match_get returns the value of a parameter; p == NULL: there is none of that name. */
struct cleat_http_view cleat_http_match_get(const struct cleat_http_match *m, const char *name);

/* What a handler's function is given. What it points at is valid during the call. */
struct cleat_http_call {
    struct cleat_http_exchange *exchange; /* with cleat_http_exchange_set for the handler's own */
    const struct cleat_http_route *route;
    void *ctx;                            /* of the struct cleat_http_app */
    const struct cleat_http_head *head;   /* request; end: trailers or NULL */
    const struct cleat_http_match *match; /* request */
    const uint8_t *data;                  /* data */
    size_t data_len;
    bool end;      /* request: no body follows */
    uint32_t code; /* gone: enum cleat_h2_code */
};

struct cleat_http_app {
    const struct cleat_http_routes *routes;
    void *ctx; /* the application's, for each call */
};

/* cleat_http_dispatch does what an event asks for, and returns true when there may be another one:
 * step again. False: NEEDS_INPUT, BLOCKED, SWITCHED, CLOSE or FAILED, which are the caller's.
 *
 * A request without a route is answered (cleat_http_match.status), so is what was REFUSED, with a
 * line of text. A body that the handler did not answer right away is asked for (100 Continue). */
bool cleat_http_dispatch(const struct cleat_http_app *app, enum cleat_http_server_next next,
                         const struct cleat_http_server_io *io);

#ifdef __cplusplus
}
#endif
#endif
