/* cli/client_route.c - see client_route.h. */
#include "cli/client_route.h"

#include <stdio.h>
#include <string.h>

#include "cleat/ech.h"
#include "cli/get_codes.h"
#include "net/timer.h"

void client_route_deinit(struct client_route *r)
{
    for (size_t i = 0; i < r->num; i++) {
        cl_buf_deinit(&r->ways[i].ech);
    }
    *r = (struct client_route){0};
}

static bool add_way(struct client_route *r, const char *host, uint16_t port, struct cl_rd ech)
{
    struct client_way *way = &r->ways[r->num++];
    (void)snprintf(way->host, sizeof(way->host), "%s", host);
    way->port = port;
    return ech.len == 0 || cl_buf_append(&way->ech, ech.p, ech.len, CL_DNS_MAX_MESSAGE) == CL_OK;
}

/* ---- HTTPS records ---- */

struct look_up {
    struct client *client;
    struct client_route *route;
    const struct client_target *target;
    const char *pinned; /* the command line says where to connect; NULL: it does not */
    uint16_t pinned_port;
    bool over;
    bool out_of_memory;
    bool timed_out;
    bool all_have_ech;  /* each endpoint of the records has an ech parameter */
    const char *reason; /* why there is no configuration */
};

/* Whether one of the list's configurations can be used; *is_list: it is one. */
static bool usable_list(struct cl_rd list, bool *is_list)
{
    struct cleat_ech_config c;
    *is_list = list.len != 0 && cleat_ech_list_get(list.p, list.len, 0, &c) == CLEAT_OK;
    for (size_t i = 0; *is_list && cleat_ech_list_get(list.p, list.len, i, &c) == CLEAT_OK; i++) {
        if (c.unusable == NULL) {
            return true;
        }
    }
    return false;
}

static void tell_endpoint(const struct look_up *l, const struct cl_https_endpoint *e,
                          const char *ech)
{
    if (e->priority == 0) {
        cl_trace_note(l->client->trace, "dns", "the HTTPS record is an alias of %s", e->target);
        return;
    }
    cl_trace_note(l->client->trace, "dns", "HTTPS record: priority %u, %s port %u, %s",
                  (unsigned)e->priority, e->target, (unsigned)e->port, ech);
}

/* A record whose configurations cannot be used is one without, to us (RFC 9848 4). */
static void take_endpoint(struct look_up *l, const struct cl_https_endpoint *e)
{
    const bool hard = l->client->ech.mode == CLIENT_ECH_HARD;
    bool is_list;
    const bool usable = usable_list(e->ech, &is_list);
    l->all_have_ech = l->all_have_ech && usable;
    tell_endpoint(l, e, usable ? "with an ECH configuration" : "without ECH");
    if (!usable) {
        l->reason = e->ech.p == NULL ? "the HTTPS record has no ECH configuration"
                    : is_list ? "none of the configurations in the HTTPS record can be used here"
                              : "what the HTTPS record has is not an ECHConfigList";
        if (hard) {
            return;
        }
    }
    if (l->pinned != NULL && l->route->num != 0) {
        return; /* there is one place to connect to: with the first record's */
    }
    const struct cl_rd ech = usable ? e->ech : cl_rd_of(NULL, 0);
    const char *host = l->pinned != NULL ? l->pinned : e->target;
    if (!add_way(l->route, host, l->pinned != NULL ? l->pinned_port : e->port, ech)) {
        l->out_of_memory = true;
    }
}

static void on_answer(void *ctx, const struct cl_https_answer *answer)
{
    struct look_up *l = ctx;
    l->over = true;
    l->reason = answer->reason;
    l->all_have_ech = answer->num != 0;
    for (size_t i = 0; i < answer->num; i++) {
        take_endpoint(l, &answer->endpoints[i]);
    }
}

static void on_time(void *ctx)
{
    struct look_up *l = ctx;
    l->timed_out = true;
}

/* Waits for the answer, as long as connecting may take. */
static void wait_for(struct look_up *l, const bool *stop, struct cl_https_query *query)
{
    struct client *c = l->client;
    struct cl_timer *timer = NULL;
    const uint64_t ms = c->options->connect_timeout_ms;
    if (ms != 0 && cl_timer_new(&c->loop, on_time, l, &timer) == CL_OK) {
        uv_update_time(&c->loop);
        cl_timer_set(timer, ms);
    }
    while (!l->over && !l->timed_out && (stop == NULL || !*stop) &&
           uv_run(&c->loop, UV_RUN_ONCE) != 0) {
    }
    cl_timer_free(timer);
    if (!l->over) {
        cl_https_cancel(query);
        l->reason = "no answer in time";
    }
}

static void look_up(struct look_up *l, const bool *stop)
{
    struct client *c = l->client;
    const struct cl_https_origin origin = {
        .host = l->target->host, .port = l->target->port, .alpn = c->options->alpn};
    struct cl_https_query *query = NULL;
    struct cl_addr literal;
    if (cl_addr_parse(l->target->host, l->target->port, &literal)) {
        l->reason = "an address has no HTTPS record";
        return;
    }
    cl_trace_note(c->trace, "dns", "looking up the HTTPS record of %s", l->target->host);
    if (cl_https_ask(c->dns, &origin, on_answer, l, &query) != CL_OK) {
        l->reason = "the name cannot be asked for";
        return;
    }
    wait_for(l, stop, query);
}

/* ---- the route ---- */

/* RFC 9848 5.1: where "all alternative endpoints" have ECH, a client does not fall back to
 * connecting without their records, which whoever blocks them could bring about. */
static bool may_go_without(const struct look_up *l)
{
    return l->client->ech.mode == CLIENT_ECH_DNS && !l->all_have_ech &&
           (l->pinned == NULL || l->route->num == 0);
}

/* A URL without TLS, and --ech that must not be without effect. */
static int no_tls(const struct client_target *target, struct cleat_error *err)
{
    const struct cl_why why = {.code = CLEAT_ERR_BAD_ECH_CONFIG, .hint = "write wss://"};
    (void)cl_error_set(err, why, "--ech hides nothing of %s: there is no TLS in it", target->text);
    err->alert = 0; /* there is nobody to be told */
    return GET_EXIT_USAGE;
}

static int no_configuration(const struct look_up *l, struct cleat_error *err)
{
    const struct cl_why why = {.code = CLEAT_ERR_BAD_ECH_CONFIG,
                               .section = "RFC 9848 4",
                               .hint = "--ech true goes without, and shows the name"};
    (void)cl_error_set(err, why, "no ECH configuration for %s: %s", l->target->host, l->reason);
    err->alert = 0;
    return GET_EXIT_ECH;
}

static int find_by_dns(struct look_up *l, const bool *stop, struct cleat_error *err)
{
    bool any = false;
    look_up(l, stop);
    for (size_t i = 0; i < l->route->num; i++) {
        any = any || l->route->ways[i].ech.len != 0;
    }
    if (!any) {
        cl_trace_note(l->client->trace, "dns", "no ECH configuration: %s", l->reason);
    }
    if (may_go_without(l) &&
        !add_way(l->route, l->pinned != NULL ? l->pinned : l->target->host,
                 l->pinned != NULL ? l->pinned_port : l->target->port, cl_rd_of(NULL, 0))) {
        l->out_of_memory = true;
    }
    if (l->out_of_memory) {
        (void)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
        return GET_EXIT_NO_MEMORY;
    }
    return l->route->num != 0 ? 0 : no_configuration(l, err);
}

int client_route_find(struct client *c, struct client_route *out, const struct client_wish *wish,
                      struct cleat_error *err)
{
    const struct client_target *target = wish->target;
    const bool by_dns =
        target->url.secure && (c->ech.mode == CLIENT_ECH_DNS || c->ech.mode == CLIENT_ECH_HARD);
    char host[CLIENT_HOST_SIZE];
    uint16_t port;
    client_route_deinit(out);
    if (!target->url.secure &&
        (c->ech.mode == CLIENT_ECH_HARD || c->ech.mode == CLIENT_ECH_GIVEN)) {
        return no_tls(target, err);
    }
    if (!client_connect_to(&c->options->connect_tos, target->host, target->port, host, &port,
                           err)) {
        return GET_EXIT_USAGE;
    }
    const bool moved = strcmp(host, target->host) != 0 || port != target->port;
    if (moved) {
        cl_trace_note(c->trace, "dns", "connecting to %s:%u instead of %s:%u (--connect-to)", host,
                      (unsigned)port, target->host, (unsigned)target->port);
    }
    if (by_dns) {
        const bool pinned = moved || cl_dns_overridden(c->dns, target->host, target->port);
        struct look_up l = {.client = c,
                            .route = out,
                            .target = target,
                            .pinned = pinned ? host : NULL,
                            .pinned_port = port};
        return find_by_dns(&l, wish->stop, err);
    }
    if (!add_way(out, host, port,
                 wish->ech_offered ? cl_buf_view(&c->ech.list) : cl_rd_of(NULL, 0))) {
        (void)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
        return GET_EXIT_NO_MEMORY;
    }
    return 0;
}

const struct client_way *client_route_way(const struct client_route *r)
{
    return &r->ways[r->at];
}

bool client_route_next(struct client *c, struct client_route *r)
{
    if (r->at + 1 >= r->num) {
        return false;
    }
    const struct client_way *way = &r->ways[++r->at];
    r->retried = false;
    cl_trace_note(c->trace, "dns", "going on to %s port %u, %s", way->host, (unsigned)way->port,
                  way->ech.len != 0 ? "with its ECH configuration" : "without ECH");
    return true;
}

bool client_route_renew(struct client *c, struct client_route *r, const struct cleat_tls *tls)
{
    struct client_way *way = &r->ways[r->at];
    size_t len = 0;
    const uint8_t *list = tls != NULL ? cleat_tls_ech_retry_configs(tls, &len) : NULL;
    if (list == NULL || r->retried || c->options->insecure) {
        return false;
    }
    way->ech.len = 0;
    if (cl_buf_append(&way->ech, list, len, len) != CL_OK) {
        return false; /* memory is short: the rejection stands */
    }
    r->retried = true;
    cl_trace_note(c->trace, "tls",
                  "connecting once more, with the server's new ECH configurations");
    return true;
}
