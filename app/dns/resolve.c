/* dns/resolve.c - queries, their answers, and where those come from.
 *
 * A query has a slot per kind of record. A slot is filled at once (literal, override, localhost,
 * hosts file) or by c-ares or another source; a zero timer hands filled slots to the callback, so
 * that no callback runs inside cl_dns_lookup or inside c-ares. A query lives until those have let
 * go of it.
 */
#include "dns/resolve.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "dns/loop.h"
#include "dns/message.h"

struct slot {
    struct cl_dns_query *query;
    struct cl_dns_answer answer;
    bool asked, with_source, ready, delivered;
};

struct cl_dns_query {
    struct cl_dns *dns;
    struct cl_dns_query *next;
    cl_dns_cb cb;
    void *ctx;
    uint16_t port;
    bool cancelled;
    struct slot slots[CL_DNS_NUM_KINDS];
    char host[256];
};

struct cl_dns {
    struct cl_dns_loop *ares;
    const struct cl_dns_source *source; /* NULL: c-ares */
    uv_timer_t deliver;
    struct cl_dns_query *queries;
    struct cl_override *overrides;
    size_t num_overrides;
    struct cl_buf hosts;
};

static const struct {
    enum cl_dns_kind kind;
    int family;
    uint16_t type;
} kinds[CL_DNS_NUM_KINDS] = {{CL_DNS_AAAA, AF_INET6, CL_DNS_TYPE_AAAA},
                             {CL_DNS_A, AF_INET, CL_DNS_TYPE_A}};

/* ---- life of a query ---- */

static bool slot_open(const struct slot *s)
{
    return s->asked && !s->delivered;
}

static bool query_over(const struct cl_dns_query *q)
{
    bool open = false;
    for (size_t i = 0; i < CL_DNS_NUM_KINDS; i++) {
        if (q->slots[i].with_source) {
            return false;
        }
        open = open || slot_open(&q->slots[i]);
    }
    return q->cancelled || !open;
}

static void sweep(struct cl_dns *dns)
{
    struct cl_dns_query **at = &dns->queries;
    while (*at != NULL) {
        struct cl_dns_query *q = *at;
        if (query_over(q)) {
            *at = q->next;
            cl_free(q);
        } else {
            at = &q->next;
        }
    }
}

static struct slot *find_ready(struct cl_dns *dns)
{
    for (struct cl_dns_query *q = dns->queries; q != NULL; q = q->next) {
        for (size_t i = 0; i < CL_DNS_NUM_KINDS && !q->cancelled; i++) {
            if (slot_open(&q->slots[i]) && q->slots[i].ready) {
                return &q->slots[i];
            }
        }
    }
    return NULL;
}

static bool is_last(const struct cl_dns_query *q)
{
    for (size_t i = 0; i < CL_DNS_NUM_KINDS; i++) {
        if (slot_open(&q->slots[i])) {
            return false;
        }
    }
    return true;
}

static void on_deliver(uv_timer_t *timer)
{
    struct cl_dns *dns = timer->data;
    struct slot *s;
    while ((s = find_ready(dns)) != NULL) {
        s->delivered = true;
        s->answer.last = is_last(s->query);
        s->query->cb(s->query->ctx, &s->answer);
        if (uv_is_closing((uv_handle_t *)timer)) {
            return;
        }
    }
    sweep(dns);
}

static void set_ready(struct slot *s)
{
    s->ready = true;
    (void)uv_timer_start(&s->query->dns->deliver, on_deliver, 0, 0);
}

/* ---- where answers come from ---- */

static void fill(struct slot *s, int family, const struct cl_addr *addrs, size_t num)
{
    for (size_t i = 0; i < num && s->answer.num < CL_HAPPY_MAX_ADDRS; i++) {
        if (addrs[i].sa.sa_family == family) {
            struct cl_addr *a = &s->answer.addrs[s->answer.num++];
            *a = addrs[i];
            cl_addr_set_port(a, s->query->port);
        }
    }
}

static void fill_all(struct cl_dns_query *q, const char *source, const struct cl_addr *addrs,
                     size_t num)
{
    for (size_t i = 0; i < CL_DNS_NUM_KINDS; i++) {
        struct slot *s = &q->slots[i];
        if (s->asked) {
            s->answer.source = source;
            fill(s, kinds[i].family, addrs, num);
            s->answer.reason = s->answer.num == 0 ? "no address of this family" : NULL;
            set_ready(s);
        }
    }
}

/* Fills the slots without asking a name server, if that can be done. */
static bool answer_locally(struct cl_dns *dns, struct cl_dns_query *q)
{
    struct cl_addr addrs[2 * CL_HAPPY_MAX_ADDRS];
    if (cl_addr_parse(q->host, q->port, &addrs[0])) {
        fill_all(q, "literal", addrs, 1);
        return true;
    }
    const struct cl_override *o =
        cl_override_find(dns->overrides, dns->num_overrides, q->host, q->port);
    if (o != NULL) {
        fill_all(q, "override", o->addrs, o->num);
        return true;
    }
    if (cl_hosts_is_localhost(q->host)) {
        bool ok = cl_addr_parse("::1", 0, &addrs[0]) && cl_addr_parse("127.0.0.1", 0, &addrs[1]);
        fill_all(q, "localhost", addrs, ok ? 2 : 0);
        return true;
    }
    bool known;
    size_t num = cl_hosts_find(cl_buf_view(&dns->hosts), q->host, AF_INET6, addrs,
                               CL_HAPPY_MAX_ADDRS, &known);
    num += cl_hosts_find(cl_buf_view(&dns->hosts), q->host, AF_INET, addrs + num,
                         CL_HAPPY_MAX_ADDRS, &known);
    if (known) {
        fill_all(q, "/etc/hosts", addrs, num);
    }
    return known;
}

static const char no_name[] = "no such name";
static const char no_data[] = "the name has no address of this family";

/* Answers that mean "there is no such address", as opposed to "nobody could tell". */
static bool is_negative(int status)
{
    return status == ARES_ENOTFOUND || status == ARES_ENODATA;
}

static const char *reason_of(int status)
{
    switch (status) {
    case ARES_ENOTFOUND:
        return no_name;
    case ARES_ENODATA:
        return no_data;
    case ARES_ETIMEOUT:
        return "no name server answered in time";
    case ARES_ECONNREFUSED:
        return "no name server could be reached";
    default:
        return ares_strerror(status);
    }
}

static void on_addrinfo(void *arg, int status, int timeouts, struct ares_addrinfo *result)
{
    struct slot *s = arg;
    s->with_source = false;
    s->answer.source = "DNS";
    if (status == ARES_SUCCESS && result != NULL) {
        for (struct ares_addrinfo_node *n = result->nodes; n != NULL; n = n->ai_next) {
            struct cl_addr addr = {0};
            if ((size_t)n->ai_addrlen <= sizeof(addr)) {
                memcpy(&addr, n->ai_addr, (size_t)n->ai_addrlen);
                fill(s, n->ai_family, &addr, 1);
            }
        }
    }
    if (s->answer.num == 0) {
        s->answer.failed = status != ARES_SUCCESS && !is_negative(status);
        s->answer.reason = reason_of(status == ARES_SUCCESS ? ARES_ENODATA : status);
    }
    if (result != NULL) {
        ares_freeaddrinfo(result);
    }
    if (status != ARES_EDESTRUCTION) {
        set_ready(s);
    }
}

/* ---- another source ---- */

/* What the message says goes into the slot. */
static void take_message(struct slot *s, const struct cl_dns_message *m)
{
    const size_t i = (size_t)(s - s->query->slots);
    struct cl_addr addrs[CL_HAPPY_MAX_ADDRS];
    size_t num = 0;
    const char *host = s->query->host;
    const enum cl_dns_outcome outcome =
        m->reason != NULL ? CL_DNS_REFUSED : cl_dns_judge(m->bytes, host, kinds[i].type);
    if (outcome == CL_DNS_NO_NAME) {
        s->answer.reason = no_name;
    } else if (outcome == CL_DNS_REFUSED) {
        s->answer.reason = m->reason != NULL ? m->reason : "the server could not find out";
    } else if (outcome == CL_DNS_MALFORMED ||
               !cl_dns_addresses(m->bytes, host, kinds[i].type, addrs, CL_HAPPY_MAX_ADDRS, &num)) {
        s->answer.reason = "the answer is malformed, or to another question";
    } else {
        fill(s, kinds[i].family, addrs, num);
        s->answer.reason = num == 0 ? no_data : NULL;
        return;
    }
    s->answer.failed = outcome != CL_DNS_NO_NAME;
}

static void on_message(void *ctx, const struct cl_dns_message *m)
{
    struct slot *s = ctx;
    s->with_source = false;
    if (!m->gone) {
        take_message(s, m);
        set_ready(s);
    }
}

static void ask_source(struct cl_dns *dns, struct cl_dns_query *q)
{
    for (size_t i = 0; i < CL_DNS_NUM_KINDS; i++) {
        struct slot *s = &q->slots[i];
        if (!s->asked) {
            continue;
        }
        s->answer.source = dns->source->name;
        s->with_source =
            dns->source->ask(dns->source->ctx, q->host, kinds[i].type, on_message, s) == CL_OK;
        if (!s->with_source) {
            s->answer.failed = true;
            s->answer.reason = "the name cannot be asked for";
            set_ready(s);
        }
    }
}

static void ask_servers(struct cl_dns *dns, struct cl_dns_query *q)
{
    if (dns->source != NULL) {
        ask_source(dns, q);
        return;
    }
    for (size_t i = 0; i < CL_DNS_NUM_KINDS; i++) {
        if (q->slots[i].asked) {
            struct ares_addrinfo_hints hints = {.ai_family = kinds[i].family,
                                                .ai_socktype = SOCK_STREAM};
            q->slots[i].with_source = true;
            ares_getaddrinfo(cl_dns_loop_channel(dns->ares), q->host, NULL, &hints, on_addrinfo,
                             &q->slots[i]);
        }
    }
    cl_dns_loop_kick(dns->ares);
}

/* ---- public ---- */

cl_result cl_dns_lookup(struct cl_dns *dns, const struct cl_dns_spec *spec,
                        struct cl_dns_query **out)
{
    size_t len = strlen(spec->host);
    if (spec->kinds == 0 || len == 0 || len >= sizeof(((struct cl_dns_query *)0)->host)) {
        return CLEAT_ERR_USAGE;
    }
    struct cl_dns_query *q = cl_calloc(1, sizeof(*q));
    if (q == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    q->dns = dns;
    q->cb = spec->cb;
    q->ctx = spec->ctx;
    q->port = spec->port;
    memcpy(q->host, spec->host, len + 1);
    for (size_t i = 0; i < CL_DNS_NUM_KINDS; i++) {
        q->slots[i].query = q;
        q->slots[i].answer.kind = kinds[i].kind;
        q->slots[i].asked = (spec->kinds & kinds[i].kind) != 0;
    }
    q->next = dns->queries;
    dns->queries = q;
    *out = q;
    if (!answer_locally(dns, q)) {
        ask_servers(dns, q);
    }
    return CL_OK;
}

void cl_dns_set_source(struct cl_dns *dns, const struct cl_dns_source *source)
{
    dns->source = source;
}

const struct cl_dns_source *cl_dns_source(const struct cl_dns *dns)
{
    return dns->source;
}

struct cl_dns_loop *cl_dns_loop_of(const struct cl_dns *dns)
{
    return dns->ares;
}

void cl_dns_cancel(struct cl_dns_query *query)
{
    if (query != NULL) {
        query->cancelled = true;
        (void)uv_timer_start(&query->dns->deliver, on_deliver, 0, 0);
    }
}

cl_result cl_dns_override(struct cl_dns *dns, const struct cl_override *entry)
{
    struct cl_override *grown =
        cl_realloc(dns->overrides, (dns->num_overrides + 1) * sizeof(*grown));
    if (grown == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    grown[dns->num_overrides++] = *entry;
    dns->overrides = grown;
    return CL_OK;
}

bool cl_dns_overridden(const struct cl_dns *dns, const char *host, uint16_t port)
{
    return cl_override_find(dns->overrides, dns->num_overrides, host, port) != NULL;
}

/* A hosts file that cannot be read is an empty one, as for every other program. */
static void read_hosts(struct cl_buf *out)
{
    int fd = open("/etc/hosts", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    ssize_t n = 1;
    while (n > 0 && cl_buf_reserve(out, 4096, CL_HOSTS_MAX_FILE) == CL_OK) {
        n = read(fd, out->p + out->len, 4096);
        out->len += n > 0 ? (size_t)n : 0;
    }
    (void)close(fd);
}

cl_result cl_dns_new(uv_loop_t *loop, struct cl_dns **out, struct cleat_error *err)
{
    struct cl_dns *dns = cl_calloc(1, sizeof(*dns));
    if (dns == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    cl_result r = cl_dns_loop_new(loop, &dns->ares, err);
    if (r != CL_OK) {
        cl_free(dns);
        return r;
    }
    (void)uv_timer_init(loop, &dns->deliver);
    dns->deliver.data = dns;
    read_hosts(&dns->hosts);
    *out = dns;
    return CL_OK;
}

static void on_closed(uv_handle_t *handle)
{
    struct cl_dns *dns = handle->data;
    while (dns->queries != NULL) {
        struct cl_dns_query *q = dns->queries;
        dns->queries = q->next;
        cl_free(q);
    }
    cl_buf_deinit(&dns->hosts);
    cl_free(dns->overrides);
    cl_free(dns);
}

void cl_dns_free(struct cl_dns *dns)
{
    if (dns != NULL) {
        cl_dns_loop_free(dns->ares);
        uv_close((uv_handle_t *)&dns->deliver, on_closed);
    }
}
