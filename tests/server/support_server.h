/* tests/server/support_server.h - a server's connection of either protocol with a client at its
 * other end, and an application that answers as a row of a table says. */
#ifndef SUPPORT_SERVER_H
#define SUPPORT_SERVER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those before it */
#include <cmocka.h>

#include "base/buf.h"
#include "cleat/http_server.h"

#define NUM_ANSWERS 16
#define SECOND      1000000U

/* How the application answers. */
struct policy {
    uint16_t status;    /* 0: not at all */
    const char *fields; /* NULL: none */
    uint64_t length;    /* as announced */
    size_t body;        /* bytes that are written */
    const char *trailers;
    uint64_t max_body; /* 0: as it is */
    bool at_request;   /* answers before the body has come */
    bool end;          /* says so with the head */
    bool wants_body;   /* 100 Continue */
    bool keep;         /* gives nothing back */
    bool hints;        /* 103 before */
};

/* What a client got. */
struct answer {
    unsigned num_interim;
    uint16_t status;
    bool ended, reset;
    uint32_t code;
    char head[4096];
    char trailers[1024];
    struct cl_buf body;
};

struct world {
    enum cleat_http_protocol protocol;
    struct cleat_http_server *s;
    struct cleat_h2 *client; /* HTTP/2 */
    uint64_t now;
    size_t piece; /* bytes that arrive at the server at a time */
    bool early;
    bool deaf;  /* the client takes nothing */
    bool holds; /* HTTP/2: it opens no window again */
    struct policy policy;

    struct cl_buf in;   /* on its way to the server */
    struct cl_buf wire; /* what HTTP/1.1 sent */
    char methods[NUM_ANSWERS][16];
    size_t num_asked;
    uint32_t streams[NUM_ANSWERS];
    size_t body_left[NUM_ANSWERS], body_at[NUM_ANSWERS];
    const char *body_trailers[NUM_ANSWERS];
    bool chunked[NUM_ANSWERS];
    struct answer answers[NUM_ANSWERS];

    char log[4096];                /* "request GET /, data 5, end, done, " ... */
    struct cl_buf got;             /* the bodies of all requests */
    struct cleat_http_exchange *x; /* of the last REQUEST or REFUSED */
    size_t to_write;               /* of the body of the response in flight */
    size_t written;
    uint64_t next; /* of the last tick */
    enum cleat_http_server_next last;
};

/* world_begin: options NULL: as they are. world_end frees all. */
void world_begin(struct world *w, enum cleat_http_protocol protocol,
                 const struct cleat_http_server_options *o);
void world_end(struct world *w);

/* How a request is asked. */
struct ask {
    const char *method, *path;
    const char *fields; /* NULL: none */
    size_t body;
    bool chunked;         /* of unknown length */
    bool hold;            /* the body is sent with world_body only */
    const char *trailers; /* of a chunked body */
};

/* world_ask sends a request, and returns its number. world_body sends len more bytes of its body.
 * world_raw sends bytes (HTTP/1.1). */
size_t world_ask(struct world *w, const struct ask *a);
size_t world_get(struct world *w, const char *path);
void world_body(struct world *w, size_t n, size_t len);
void world_raw(struct world *w, const void *p, size_t len);
void world_text(struct world *w, const char *text);

/* world_run goes on until nothing moves any more. world_serve runs the server's steps alone.
 * world_tick lets time pass, ticking when it is asked for. */
void world_run(struct world *w);
void world_serve(struct world *w);
void world_pass(struct world *w, uint64_t us);

/* world_answer parses what came so far for a request. */
const struct answer *world_answer(struct world *w, size_t n);

/* world_has tells whether the events' log has this text. */
bool world_has(const struct world *w, const char *text);

/* pattern fills a body: every byte can be told. */
void pattern(uint8_t *p, size_t at, size_t len);

#endif
