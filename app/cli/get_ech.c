/* cli/get_ech.c - --ech true and --ech hard: the Encrypted Client Hello configuration that the
 * host's HTTPS record has in DNS (RFC 9848), asked for before the addresses are. */
#include <string.h>

#include "cleat/ech.h"
#include "cli/get_codes.h"
#include "cli/get_transfer.h"
#include "dns/https.h"

struct look_up {
    struct get_transfer *t;
    bool over;
    const char *reason;
};

static void on_answer(void *ctx, const struct cl_https_answer *answer)
{
    struct look_up *l = ctx;
    struct cleat_ech_config c;
    bool list = answer->ech.len != 0 &&
                cleat_ech_list_get(answer->ech.p, answer->ech.len, 0, &c) == CLEAT_OK;
    bool usable = false;
    for (size_t i = 0;
         list && !usable && cleat_ech_list_get(answer->ech.p, answer->ech.len, i, &c) == CLEAT_OK;
         i++) {
        usable = c.unusable == NULL;
    }
    l->over = true;
    l->reason = answer->reason;
    if (answer->ech.len != 0 && !usable) {
        l->reason = list ? "none of the configurations in the HTTPS record can be used here"
                         : "what the HTTPS record has is not an ECHConfigList";
    } else if (usable && cl_buf_append(&l->t->ech_dns, answer->ech.p, answer->ech.len,
                                       CL_DNS_MAX_MESSAGE) != CL_OK) {
        l->reason = "out of memory";
    }
}

/* Waits for the answer, or for --max-time. */
static void ask(struct look_up *l)
{
    struct get_transfer *t = l->t;
    struct cl_https_query *query = NULL;
    struct cl_addr literal;
    if (cl_addr_parse(t->target.host, t->target.port, &literal)) {
        l->reason = "an address has no HTTPS record";
        return;
    }
    cl_trace_note(t->s->client.trace, "dns", "looking up the HTTPS record of %s", t->target.host);
    if (cl_https_ask(t->s->client.dns, t->target.host, t->target.port, on_answer, l, &query) !=
        CL_OK) {
        l->reason = "the name cannot be asked for";
        return;
    }
    while (!l->over && !t->hop_over && uv_run(&t->s->client.loop, UV_RUN_ONCE) != 0) {
    }
    if (!l->over) {
        cl_https_cancel(query);
        l->reason = "no answer in time";
    }
}

int get_ech_look_up(struct get_transfer *t)
{
    const enum client_ech_mode mode = t->s->client.ech.mode;
    struct look_up l = {.t = t};
    t->ech_dns.len = 0;
    if ((mode != CLIENT_ECH_DNS && mode != CLIENT_ECH_HARD) || t->ech_retry.len != 0) {
        return 0;
    }
    ask(&l);
    if (t->ech_dns.len != 0) {
        cl_trace_note(t->s->client.trace, "dns", "the HTTPS record has an ECH configuration");
        return 0;
    }
    cl_trace_note(t->s->client.trace, "dns", "no ECH configuration: %s", l.reason);
    if (mode == CLIENT_ECH_DNS || t->hop_over) {
        return t->hop_over ? t->exit_code : 0;
    }
    const struct cl_why why = {.code = CLEAT_ERR_BAD_ECH_CONFIG,
                               .section = "RFC 9848 4",
                               .hint = "--ech true goes without, and shows the name"};
    (void)cl_error_set(&t->err, why, "no ECH configuration for %s: %s", t->target.host, l.reason);
    return GET_EXIT_ECH;
}
