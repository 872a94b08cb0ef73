/* watch/round.h - every target looked at once: files are read, servers are asked for their chains,
 * so many at a time. No byte is sent to a server beyond the handshake.
 */
#ifndef CL_WATCH_ROUND_H
#define CL_WATCH_ROUND_H

#include "conn/dial.h"
#include "fetch/gather.h"
#include "watch/facts.h"

/* One target. Strings are the caller's; facts.name, .file and .host are set before. */
struct cl_watch_target {
    struct cl_watch_facts facts;
    const char *key_file; /* or NULL */
    const char *connect_host;
    uint16_t connect_port;
};

/* What may be fetched to verify chains. */
struct cl_watch_fetching {
    struct cl_fetch_how how;      /* without done and ctx */
    struct cl_fetch_cache *cache; /* or NULL */
    bool revocation;              /* responses and lists */
    bool aia;                     /* intermediates */
};

struct cl_watch_setup {
    struct cl_hub *hub;
    struct cl_dns *dns;
    struct cl_trace *trace;       /* or NULL */
    struct cleat_tls_config *tls; /* that leaves the decision on the peer to the application */
    struct cl_watch_judges judges;
    const struct cl_watch_fetching *fetching; /* NULL: nothing is fetched */
    struct cl_watch_target *targets;
    size_t num_targets;
    int family; /* AF_UNSPEC, AF_INET, AF_INET6 */
    unsigned parallel;
    uint32_t timeout_ms; /* of each connection, DNS included */
    bool all_addresses;
    /* Once, from the loop, when all facts are there. */
    void (*done)(void *ctx);
    void *ctx;
};

struct cl_watch_round;

/* cl_watch_round_new starts; the setup's arrays outlive the round, which is freed when done has
 * been called. NOMEM. */
CL_MUST cl_result cl_watch_round_new(const struct cl_watch_setup *setup,
                                     struct cl_watch_round **out);

/* cl_watch_round_cancel ends it; done is not called. NULL is fine. */
void cl_watch_round_cancel(struct cl_watch_round *r);

#endif
