/* tests/bogo/shim_early.c - see shim_early.h. BoringSSL limits early data to 14,336 bytes, and has
 * no register: neither may the shim, as its cases replay what they like. */
#include "bogo/shim_early.h"

#include <string.h>

#include "cleat/tls_early.h"

#define MAX_SIZE  14336
/* as BoringSSL's kMaxTicketAgeSkewSeconds */
#define WINDOW_MS 60000

static enum cleat_strike_answer always_first(void *ctx, const struct cleat_strike_query *query)
{
    (void)ctx;
    (void)query;
    return CLEAT_STRIKE_FIRST;
}

void shim_early_allow(struct cleat_tls_builder *b)
{
    const struct cleat_strike strike = {.use = always_first};
    if (cleat_tls_builder_early_data(b, &strike, MAX_SIZE, WINDOW_MS) != CLEAT_OK) {
        shim_fail("early data cannot be allowed");
    }
}

void shim_early_offer(const struct shim_conn *c, const struct shim_state *state)
{
    bool supports = state->session != NULL && cleat_tls_session_early_data(state->session) != 0;
    if (c->options->server || !c->options->enable_early_data) {
        return;
    }
    bool offered = cleat_tls_offer_early_data(c->tls) == CLEAT_OK;
    if (supports && c->options->expect_no_offer_early_data && offered) {
        shim_fail("early data is offered, unexpectedly");
    }
}

/* BoringSSL's reason for what became of early data, as far as it is accepted or not. */
static void check_reason(const char *reason, enum cleat_early_data status)
{
    bool accept = strcmp(reason, "accept") == 0;
    if (accept != (status == CLEAT_EARLY_DATA_ACCEPTED)) {
        shim_fail("early data: expected \"%s\", status %d", reason, (int)status);
    }
}

void shim_early_check(const struct shim_conn *c, const struct shim_state *state)
{
    const struct shim_options *o = c->options;
    enum cleat_early_data status = cleat_tls_early_data_status(c->tls);
    bool accepted = status == CLEAT_EARLY_DATA_ACCEPTED;
    if ((o->expect_accept_early_data && !accepted) || (o->expect_reject_early_data && accepted)) {
        shim_fail("early data was%s accepted", accepted ? "" : " not");
    }
    if (o->expect_early_data_reason != NULL) {
        check_reason(o->expect_early_data_reason, status);
    }
}
