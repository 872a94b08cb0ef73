/* fetch/doh.h - DNS over HTTPS (RFC 8484): a source of DNS messages (dns/resolve.h) that asks an
 * HTTPS server. When it fails, nobody else is asked: what was to be hidden stays so.
 *
 * Each question is a POST on a connection of its own; they run side by side. Nothing is kept beyond
 * its answer. Loop, hub and thread are the caller's.
 */
#ifndef CL_FETCH_DOH_H
#define CL_FETCH_DOH_H

#include "conn/dial.h"
#include "conn/trace.h"

/* 10 s: a question that has found no answer after that does not find one: two time-outs of name
 * servers behind it */
#define CL_DOH_TIMEOUT_MS 10000

struct cl_doh;

struct cl_doh_setup {
    struct cl_hub *hub;
    struct cl_dns *dns; /* for the server's own name, with a source of its own, or none */
    struct cleat_tls_config *tls;
    struct cl_trace *trace;
    const char *url;              /* https; copied */
    const struct cl_proxy *proxy; /* or NULL */
    const char *connect_host;     /* NULL: as the URL says; copied */
    uint16_t connect_port;
    bool insecure; /* tls asks about the peer: any will do */
};

/* cl_doh_new prepares; nothing is asked yet. What setup points to outlives it, but for what is
 * copied. NOMEM, CLEAT_ERR_BAD_URL. */
CL_MUST cl_result cl_doh_new(const struct cl_doh_setup *setup, struct cl_doh **out,
                             struct cleat_error *err);

/* cl_doh_free ends it: who has asked is told that there will be no answer. NULL is fine. */
void cl_doh_free(struct cl_doh *doh);

/* cl_doh_source is what a resolver takes. */
const struct cl_dns_source *cl_doh_source(const struct cl_doh *doh);

#endif
