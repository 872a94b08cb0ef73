/* dns/resolve.h - from a host name to addresses, on a libuv loop. c-ares asks the name servers,
 * unless there is another source of DNS messages (DNS over HTTPS).
 *
 * In this order: IP literal, override, localhost (RFC 6761 6.3), hosts file, DNS. Every kind of
 * record that was asked for is answered on its own, as soon as it is there, so that Happy Eyeballs
 * can begin with the first. Callbacks run from the loop, never inside cl_dns_lookup.
 */
#ifndef CL_DNS_RESOLVE_H
#define CL_DNS_RESOLVE_H

#include <uv.h>

#include "dns/happy.h"
#include "dns/hosts.h"

/* 2,500 ms for the first try, doubled with every other, and 3 tries: an answer that has not come
 * after 17 s does not come */
#define CL_DNS_TIMEOUT_MS 2500
#define CL_DNS_TRIES      3

struct cl_dns;
struct cl_dns_query;

/* Kinds of records; bits of cl_dns_spec.kinds. */
enum cl_dns_kind {
    CL_DNS_AAAA = 1,
    CL_DNS_A = 2,
};
#define CL_DNS_NUM_KINDS 2

struct cl_dns_answer {
    enum cl_dns_kind kind;
    const char *source; /* "literal", "override", "localhost", "/etc/hosts", "DNS", or the source's
                           name */
    size_t num;
    struct cl_addr addrs[CL_HAPPY_MAX_ADDRS]; /* with the port asked for; RFC 6724 order, or as
                                                 another source has them */
    bool failed;        /* the name servers did not answer: not the same as "no such name" */
    const char *reason; /* why num is 0, in words; static storage, or the source's own */
    bool last;          /* every kind has been answered: the query is over and gone */
};

/* cl_dns_cb gets one answer. ctx is cl_dns_spec.ctx. It may cancel the query and start others. */
typedef void (*cl_dns_cb)(void *ctx, const struct cl_dns_answer *answer);

struct cl_dns_spec {
    const char *host; /* IP literal, or a name in A-labels; copied */
    uint16_t port;
    unsigned kinds;
    cl_dns_cb cb;
    void *ctx;
};

/* cl_dns_new makes a resolver on a loop; it reads /etc/hosts and resolv.conf once. NOMEM, or
 * CLEAT_ERR_INTERNAL when c-ares refuses. */
CL_MUST cl_result cl_dns_new(uv_loop_t *loop, struct cl_dns **out, struct cleat_error *err);

/* cl_dns_free cancels all queries (no callback comes any more) and frees the resolver in a later
 * turn of the loop. NULL is fine. */
void cl_dns_free(struct cl_dns *dns);

/* What another source of messages says to one question. */
struct cl_dns_message {
    struct cl_rd bytes; /* the answer; not looked at yet */
    const char *reason; /* why there is none; NULL: there is one */
    bool gone;          /* nor will there be any: the source ends */
};

/* A source of DNS messages in the place of the name servers. Nobody else is asked when it fails. */
struct cl_dns_source {
    const char *name; /* "DoH"; static storage */
    /* Asks for the records of one type. done is called once, from the loop and never inside this
     * call; or with gone, when the source is freed. A view into message holds during the call; its
     * reason does until the source asks again. NOMEM, USAGE (not a name that can be asked for). */
    cl_result (*ask)(void *ctx, const char *name, uint16_t type,
                     void (*done)(void *done_ctx, const struct cl_dns_message *message),
                     void *done_ctx);
    const char *hint; /* what to do when it fails; static storage */
    void *ctx;
};

/* cl_dns_set_source lets a source answer from now on; NULL: the name servers again. It is freed
 * before dns is. */
void cl_dns_set_source(struct cl_dns *dns, const struct cl_dns_source *source);
const struct cl_dns_source *cl_dns_source(const struct cl_dns *dns);

/* cl_dns_override adds an override for later lookups. NOMEM. */
CL_MUST cl_result cl_dns_override(struct cl_dns *dns, const struct cl_override *entry);

/* cl_dns_overridden: an override says where this host and port are. */
bool cl_dns_overridden(const struct cl_dns *dns, const char *host, uint16_t port);

/* cl_dns_lookup starts a query. *out is valid until the callback has been called with last, or
 * until cl_dns_cancel. NOMEM, CLEAT_ERR_USAGE (no kind, host too long or empty). */
CL_MUST cl_result cl_dns_lookup(struct cl_dns *dns, const struct cl_dns_spec *spec,
                                struct cl_dns_query **out);

/* cl_dns_loop_of: the channel, for questions of other kinds. */
struct cl_dns_loop;
struct cl_dns_loop *cl_dns_loop_of(const struct cl_dns *dns);

/* cl_dns_cancel: no callback comes any more. NULL is fine. */
void cl_dns_cancel(struct cl_dns_query *query);

#endif
