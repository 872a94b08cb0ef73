/* fetch/http.h - one small thing from one URL, in the background: what certificates point at, or
 * the answer to a question of DNS.
 *
 * HTTP/1.1 (RFC 9112) over the hub's loop; never blocks. URLs come out of certificates and are
 * hostile: only http, and https where there is a TLS configuration, no credentials, few redirects,
 * a limit on bytes and on time. One connection a request. Loop, hub and thread are the caller's.
 */
#ifndef CL_FETCH_HTTP_H
#define CL_FETCH_HTTP_H

#include "base/buf.h"
#include "conn/dial.h"

/* 3: from http to https, to the host with www, to a mirror; responders need none */
#define CL_FETCH_MAX_REDIRECTS 3
/* 2,048 bytes: the URLs of real certificates have less than 300; a request in it adds 255 * 4 / 3
 * and percent signs */
#define CL_FETCH_MAX_URL       2048
/* 5 s: responders answer in milliseconds, and somebody waits for it */
#define CL_FETCH_DEFAULT_MS    5000

struct cl_fetch;

struct cl_fetch_result {
    struct cleat_error error; /* code 0: body is the answer; else the text has the URL and why */
    bool timed_out;
    unsigned status;     /* of the last response; 0: there was none */
    const char *url;     /* as asked for, before redirects */
    struct cl_buf *body; /* may be taken over: leave {0} in its place */
};

struct cl_fetch_spec {
    struct cl_hub *hub;
    struct cl_dns *dns;
    struct cleat_tls_config *tls; /* for https; NULL: https is refused. A reference is kept */
    const char *url;              /* copied */
    const struct cl_proxy *proxy; /* or NULL; outlives it */
    const char *connect_host;     /* where to connect, in place of the URL's; NULL: there */
    uint16_t connect_port;        /* with connect_host */
    bool insecure;                /* tls asks about the peer (CLEAT_DECIDE_PEER): any will do */
    const char *accept;           /* media type wanted; static storage */
    const char *want_type;        /* media type that the answer must have; NULL: any but a page */
    const char *content_type;     /* of what is posted; NULL: GET. Static storage */
    struct cl_rd post;            /* copied */
    size_t max;                   /* content bytes; more is a failure */
    uint32_t connect_ms;          /* for each connection; 0: as timeout_ms */
    uint32_t timeout_ms;          /* for all of it; 0: CL_FETCH_DEFAULT_MS */
    bool public_only; /* not to addresses that only exist here: loopback, private, link-local */
    /* Called once, from the loop, never from inside cl_fetch_start. *result and what it points to
     * live during the call. */
    void (*done)(void *ctx, const struct cl_fetch_result *result);
    void *ctx;
};

/* cl_fetch_start begins. *out is valid until done is called. CLEAT_ERR_BAD_URL and
 * CLEAT_ERR_LIMIT: a URL that is not fetched (err says why), NOMEM. */
CL_MUST cl_result cl_fetch_start(const struct cl_fetch_spec *spec, struct cl_fetch **out,
                                 struct cleat_error *err);

/* cl_fetch_cancel ends it: done is not called. NULL is fine. */
void cl_fetch_cancel(struct cl_fetch *f);

#endif
