/* dns/https.h - HTTPS records (RFC 9460): where the service of an origin is, and with which
 * Encrypted Client Hello configuration (RFC 9848).
 *
 * https_parse.c makes records of a DNS message, https.c asks and follows aliases. What of it fits a
 * command line, and in which order to connect, is the caller's to say. Address hints are left
 * alone: the target's own A and AAAA records are asked for.
 */
#ifndef CL_DNS_HTTPS_H
#define CL_DNS_HTTPS_H

#include "base/buf.h"
#include "base/bytes.h"
#include "dns/message.h"
#include "dns/resolve.h"

/* 16: of the best priority; CDNs publish one or two */
#define CL_HTTPS_MAX 16

/* For whom records are looked for. */
struct cl_https_origin {
    const char *host; /* lower case, without a final dot */
    uint16_t port;
    const char *alpn; /* the protocols spoken here, "h2,http/1.1"; NULL: http/1.1 */
};

/* Where to connect. */
struct cl_https_endpoint {
    uint16_t priority; /* 0: where an alias ends without records (RFC 9460 3) */
    uint16_t port;
    char target[CL_DNS_NAME_SIZE]; /* lower case */
    struct cl_rd ech;              /* ECHConfigList; a view; p NULL: none */
};

/* What a DNS message says. */
struct cl_https_records {
    size_t num; /* HTTPS records, well-formed, aliases included */
    /* An alias: the name to go on with; "." says that there is no such service. "": none. */
    char alias[CL_DNS_NAME_SIZE];
    /* Those in ServiceMode that this client can use, in order of priority. */
    size_t num_usable;
    struct cl_https_endpoint usable[CL_HTTPS_MAX];
};

/* cl_https_parse reads the answers to a question for name, which is the origin's (cl_https_name) or
 * where an alias led. False: the message is malformed, or one of the records is: then "the client
 * MUST reject the entire RRset" (RFC 9460 2.2). */
CL_RD_MUST bool cl_https_parse(struct cl_rd message, const char *name,
                               const struct cl_https_origin *origin, struct cl_https_records *out);

/* cl_https_name writes the name to be asked for: the host's, or with a port other than 443
 * "_PORT._https.host" (RFC 9460 9.1). False when it is too long. */
CL_RD_MUST bool cl_https_name(const char *host, uint16_t port, char out[CL_DNS_NAME_SIZE]);

struct cl_https_query;

struct cl_https_answer {
    /* In the order in which to try them; those of equal priority are shuffled. Their ech is valid
     * during the call. */
    const struct cl_https_endpoint *endpoints;
    size_t num;
    unsigned num_aliases; /* that were followed */
    const char *reason;   /* why there is none, in words; static storage, or the
                             source's own */
    bool failed;          /* the name servers did not answer */
};

/* cl_https_ask asks the name servers. cb is called once, from the loop, never inside this call;
 * *out is valid until then, or until cl_https_cancel. NOMEM, CLEAT_ERR_USAGE (not a name that can
 * be asked for). origin is copied. */
CL_MUST cl_result cl_https_ask(struct cl_dns *dns, const struct cl_https_origin *origin,
                               void (*cb)(void *ctx, const struct cl_https_answer *answer),
                               void *ctx, struct cl_https_query **out);

/* cl_https_cancel: no callback comes any more. NULL is fine. */
void cl_https_cancel(struct cl_https_query *query);

#endif
