/* dns/https.c - see https.h: asking for HTTPS records, along aliases. c-ares carries the messages,
 * or another source (dns/resolve.h). */
#include "dns/https.h"

#include <stdio.h>
#include <sys/random.h>

#include "base/mem.h"
#include "dns/loop.h"

struct cl_https_query {
    struct cl_dns *dns;
    void (*cb)(void *ctx, const struct cl_https_answer *answer);
    void *ctx; /* cb NULL: cancelled */
    struct cl_https_origin origin;
    bool asking; /* c-ares has not returned yet */
    bool over;   /* and has answered already: it takes no such name */
    unsigned num_aliases;
    struct cl_https_records records;
    char host[CL_DNS_NAME_SIZE];
    char alpn[64];               /* of origin */
    char name[CL_DNS_NAME_SIZE]; /* asked for */
};

/* ---- the answer ---- */

/* RFC 9460 2.4.1: "SVCB RRs with the same SvcPriority … clients SHOULD apply a random shuffle": by
 * numbers that need not be secret; without any, the order is the message's. */
static void shuffle(struct cl_https_endpoint *list, size_t num)
{
    uint32_t random[CL_HTTPS_MAX];
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
        return;
    }
    for (size_t i = 1; i < num; i++) {
        size_t first = i;
        while (first > 0 && list[first - 1].priority == list[i].priority) {
            first--;
        }
        const size_t j = first + random[i] % (i - first + 1);
        const struct cl_https_endpoint moved = list[i];
        list[i] = list[j];
        list[j] = moved;
    }
}

static void answer(struct cl_https_query *q, const char *reason, bool failed)
{
    const struct cl_https_answer a = {
        .endpoints = q->records.usable,
        .num = q->records.num_usable,
        .num_aliases = q->num_aliases,
        .reason = q->records.num_usable == 0 ? reason : NULL,
        .failed = failed,
    };
    if (q->cb != NULL) {
        q->cb(q->ctx, &a);
    }
    cl_free(q);
}

/* RFC 9460 3: where aliases end without records, there is "an endpoint consisting of the final
 * value of $QNAME, the authority endpoint's port number, and no SvcParams". */
static void add_alias_end(struct cl_https_query *q)
{
    struct cl_https_endpoint *e = &q->records.usable[0];
    *e = (struct cl_https_endpoint){.port = q->origin.port};
    memcpy(e->target, q->name, sizeof(e->target));
    q->records.num_usable = 1;
}

static void ask(struct cl_https_query *q);

/* What is left when no alias is to be followed. */
static void take_records(struct cl_https_query *q)
{
    if (q->records.num == 0 && q->num_aliases != 0) {
        add_alias_end(q);
    }
    shuffle(q->records.usable, q->records.num_usable);
    answer(q,
           q->records.num == 0 ? "the name has no HTTPS record"
                               : "no HTTPS record is for a client like this one",
           false);
}

static void follow_alias(struct cl_https_query *q)
{
    if (strcmp(q->records.alias, ".") == 0) {
        answer(q, "the HTTPS record says that there is no such service", false);
        return;
    }
    if (++q->num_aliases > CL_DNS_MAX_ALIASES) {
        answer(q, "the HTTPS record leads from alias to alias", false);
        return;
    }
    memcpy(q->name, q->records.alias, sizeof(q->name));
    ask(q);
}

static bool is_negative(int status)
{
    return status == ARES_ENOTFOUND || status == ARES_ENODATA;
}

/* bytes: a message, to the name that was asked for. */
static void take_message(struct cl_https_query *q, struct cl_rd bytes)
{
    if (!cl_https_parse(bytes, q->name, &q->origin, &q->records)) {
        answer(q, "an HTTPS record is malformed: none of them counts", false);
        return;
    }
    if (q->records.alias[0] != '\0') {
        /* RFC 9460 2.4.1: beside an alias, records in ServiceMode are ignored */
        q->records.num_usable = 0;
        follow_alias(q);
        return;
    }
    take_records(q);
}

static void on_answer(void *arg, int status, int timeouts, unsigned char *bytes, int len)
{
    struct cl_https_query *q = arg;
    q->records = (struct cl_https_records){0};
    if (q->asking) {
        q->over = true;
    } else if (status == ARES_EDESTRUCTION || q->cb == NULL) {
        cl_free(q);
    } else if (status != ARES_SUCCESS && !is_negative(status)) {
        answer(q, "the name servers did not answer", true);
    } else if (status == ARES_SUCCESS) {
        take_message(q, cl_rd_of(bytes, (size_t)len));
    } else {
        take_records(q);
    }
}

static void on_message(void *arg, const struct cl_dns_message *m)
{
    struct cl_https_query *q = arg;
    q->records = (struct cl_https_records){0};
    if (m->gone || q->cb == NULL) {
        cl_free(q);
        return;
    }
    const enum cl_dns_outcome outcome =
        m->reason != NULL ? CL_DNS_REFUSED : cl_dns_judge(m->bytes, q->name, CL_DNS_TYPE_HTTPS);
    switch (outcome) {
    case CL_DNS_ANSWERED:
        take_message(q, m->bytes);
        return;
    case CL_DNS_NO_NAME:
        take_records(q);
        return;
    case CL_DNS_REFUSED:
        answer(q, m->reason != NULL ? m->reason : "the server could not find out", true);
        return;
    default:
        answer(q, "the answer is malformed, or to another question", true);
    }
}

/* ---- asking ---- */

static const char not_a_name[] = "the HTTPS record leads to a name that cannot be asked for";

static void ask(struct cl_https_query *q)
{
    struct cl_dns_loop *loop = cl_dns_loop_of(q->dns);
    const struct cl_dns_source *source = cl_dns_source(q->dns);
    if (source != NULL) {
        q->over = source->ask(source->ctx, q->name, CL_DNS_TYPE_HTTPS, on_message, q) != CL_OK;
        if (q->over && q->num_aliases != 0) {
            answer(q, not_a_name, false);
        }
        return;
    }
    q->asking = true;
    ares_query(cl_dns_loop_channel(loop), q->name, CL_DNS_CLASS_IN, CL_DNS_TYPE_HTTPS, on_answer,
               q);
    q->asking = false;
    if (q->over && q->num_aliases != 0) {
        answer(q, not_a_name, false);
    } else if (!q->over) {
        cl_dns_loop_kick(loop);
    }
}

cl_result cl_https_ask(struct cl_dns *dns, const struct cl_https_origin *origin,
                       void (*cb)(void *ctx, const struct cl_https_answer *answer), void *ctx,
                       struct cl_https_query **out)
{
    const size_t len = strlen(origin->host);
    struct cl_https_query *q = cl_calloc(1, sizeof(*q));
    if (q == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    if (len == 0 || len >= sizeof(q->host) || !cl_https_name(origin->host, origin->port, q->name)) {
        cl_free(q);
        return CLEAT_ERR_USAGE;
    }
    memcpy(q->host, origin->host, len + 1);
    (void)snprintf(q->alpn, sizeof(q->alpn), "%s",
                   origin->alpn != NULL ? origin->alpn : "http/1.1");
    q->origin = (struct cl_https_origin){.host = q->host, .port = origin->port, .alpn = q->alpn};
    q->dns = dns;
    q->cb = cb;
    q->ctx = ctx;
    ask(q);
    if (q->over) {
        cl_free(q);
        return CLEAT_ERR_USAGE;
    }
    *out = q;
    return CL_OK;
}

void cl_https_cancel(struct cl_https_query *query)
{
    if (query != NULL) {
        query->cb = NULL;
    }
}
