/* dns/https.h - HTTPS records (RFC 9460), for the Encrypted Client Hello configuration that they
 * carry (RFC 9848). Aliases and other targets are not followed, nor are ports and address hints. */
#ifndef CL_DNS_HTTPS_H
#define CL_DNS_HTTPS_H

#include "base/buf.h"
#include "base/bytes.h"
#include "dns/resolve.h"

/* 65,535: a DNS message over TCP */
#define CL_DNS_MAX_MESSAGE 65535

/* What a DNS message says for connections to host itself. */
struct cl_https_records {
    size_t num;        /* HTTPS records that are well-formed */
    size_t num_usable; /* of them in ServiceMode, for this host, with nothing mandatory unknown */
    struct cl_rd
        ech; /* of the usable one that comes first in priority; a view; empty: it has none */
};

/* cl_https_parse reads the answer section. False: the message is malformed. A record that is
 * malformed by itself is passed over (RFC 9460 2.2). */
CL_RD_MUST bool cl_https_parse(struct cl_rd message, const char *host, uint16_t port,
                               struct cl_https_records *out);

/* cl_https_name writes the name to be asked for: the host's, or with a port other than 443
 * "_PORT._https.host" (RFC 9460 9.1). False when it is too long for out (256 bytes). */
CL_RD_MUST bool cl_https_name(const char *host, uint16_t port, char out[256]);

struct cl_https_query;

struct cl_https_answer {
    struct cl_rd ech;   /* ECHConfigList; empty: there is none; valid during the call */
    const char *reason; /* why it is empty, in words; static storage */
    bool failed;        /* the name servers did not answer */
};

/* cl_https_ask asks the name servers. cb is called once, from the loop, never inside this call;
 * *out is valid until then, or until cl_https_cancel. NOMEM, CLEAT_ERR_USAGE (not a name that can
 * be asked for). */
CL_MUST cl_result cl_https_ask(struct cl_dns *dns, const char *host, uint16_t port,
                               void (*cb)(void *ctx, const struct cl_https_answer *answer),
                               void *ctx, struct cl_https_query **out);

/* cl_https_cancel: no callback comes any more. NULL is fine. */
void cl_https_cancel(struct cl_https_query *query);

#endif
