/* serve/staples.c - see staples.h. One timer looks at all certificates: what has ended is taken
 * back, what is due is asked for. It also comes when nothing is due, so that a clock that was set,
 * or a machine that slept, is noticed.
 */
#include "serve/staples.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "cleat/tls_options.h"
#include "crypto/rand.h"
#include "net/clock.h"
#include "net/timer.h"
#include "serve/own_chain.h"
#include "serve/staple_item.h"
#include "x509/cert.h"
#include "x509/ocsp.h"

/* 15 s: nobody waits for it, and responders behind a cache that is empty take a while */
#define FETCH_MS    15000
/* 60 s: between looks at the clock */
#define LOOK_MS     60000
/* 100 ms: responses that come together are put into one configuration */
#define TOGETHER_MS 100

struct cl_staples {
    struct cl_site *site;
    uv_loop_t *loop;
    struct cl_timer *timer;
    struct cl_hub *hub; /* these two from the first request on */
    struct cl_dns *dns;
    struct cl_staple_store store;
    struct cl_staple_log log;
    struct cl_staple_item *items;
    size_t num;
    size_t num_fetches; /* under way */
    int64_t wall;       /* when the clocks were looked at last */
    int64_t mono;
    bool started;
    bool told_store; /* that saving fails, or that there is no folder */
};

static int64_t wall_now(void)
{
    return (int64_t)cl_clock_unix_ms();
}

static int64_t mono_now(void)
{
    return (int64_t)(cl_clock_mono_us() / 1000);
}

/* It only spreads requests: without randomness they are not spread. */
static uint32_t any_number(void)
{
    uint32_t n = 0;
    return cl_rand(&cl_rng_system, (uint8_t *)&n, sizeof(n)) == CL_OK ? n : UINT32_MAX / 2;
}

static bool is_held(const struct cl_staple_item *it)
{
    return it->response.len != 0;
}

/* ---- one certificate ---- */

static void item_deinit(struct cl_staple_item *it)
{
    if (it->fetch != NULL) {
        cl_fetch_cancel(it->fetch);
        it->all->num_fetches--;
    }
    cl_buf_deinit(&it->response);
    cleat_chain_free(it->chain);
    cleat_trust_store_free(it->issuer);
    *it = (struct cl_staple_item){0};
}

static void free_items(struct cl_staple_item *items, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        item_deinit(&items[i]);
    }
    cl_free(items);
}

static void hold(struct cl_staple_item *it, const struct cl_staple_finding *finding)
{
    it->held = *finding;
    it->life = cl_staple_life_of(finding->this_update, finding->next_update);
    it->mono_until = mono_now() + it->life.until - wall_now();
    it->changed = true;
}

static void let_go(struct cl_staple_item *it)
{
    it->response.len = 0;
    it->changed = true;
}

/* A response is no good for a moment before its end either. */
static void check(const struct cl_staple_item *it, struct cl_rd response,
                  struct cl_staple_finding *out)
{
    const int64_t now = wall_now();
    cl_staple_check(it->chain, it->issuer, response, now / 1000, out);
    if (out->word != CL_STAPLE_USELESS &&
        cl_staple_life_of(out->this_update, out->next_update).until <= now) {
        out->word = CL_STAPLE_USELESS;
        out->what = (struct cleat_error){0};
        (void)cl_error_set(&out->what, (struct cl_why){.code = CLEAT_ERR_REVOCATION_UNKNOWN},
                           "the OCSP response is out of date");
    }
}

/* RFC 5280 4.2.2.1: only http is fetched. Which of its URLs, from 0; false: it has fewer. */
static bool http_url(const struct cleat_cert *leaf, size_t wanted, char *out, size_t cap)
{
    for (size_t i = 0; cleat_cert_ocsp_url(leaf, i, out, cap) != 0; i++) {
        if (strncasecmp(out, "http://", 7) == 0 && wanted-- == 0) {
            return true;
        }
    }
    return false;
}

static size_t num_urls(const struct cl_staples *st, const struct cleat_cert *leaf)
{
    char url[CL_FETCH_MAX_URL];
    size_t num = 0;
    if (st->site->options->staple_responder != NULL) {
        return 1;
    }
    while (http_url(leaf, num, url, sizeof(url))) {
        num++;
    }
    return num;
}

/* ---- the site's configuration ---- */

/* Puts the responses of num items into a configuration like *config; only_changed: of those. */
static cl_result put(struct cleat_tls_config **config, const struct cl_staple_item *items,
                     size_t num, bool only_changed)
{
    struct cleat_staple staples[CL_SERVE_MAX_PAIRS];
    struct cleat_tls_config *fresh = NULL;
    size_t num_staples = 0;
    for (size_t i = 0; i < num && num_staples < CL_SERVE_MAX_PAIRS; i++) {
        const struct cl_staple_item *it = &items[i];
        if (only_changed ? it->changed : is_held(it)) {
            staples[num_staples++] = (struct cleat_staple){.credential = it->credential,
                                                           .response = it->response.p,
                                                           .len = it->response.len,
                                                           .until_ms = (uint64_t)it->life.until};
        }
    }
    if (num_staples == 0) {
        return CL_OK;
    }
    CL_TRY((cl_result)cleat_tls_config_with_staples(*config, staples, num_staples, &fresh));
    cleat_tls_config_free(*config);
    *config = fresh;
    return CL_OK;
}

static void all_put(struct cl_staple_item *items, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        items[i].changed = false;
    }
}

/* Without memory it is tried again with the next look; what has ended the engine does not send. */
static void publish(struct cl_staples *st)
{
    struct cleat_tls_config *config = cl_site_tls(st->site);
    struct cleat_tls_config *old = config;
    if (put(&config, st->items, st->num, true) == CL_OK) {
        all_put(st->items, st->num);
    }
    if (config != old) {
        cl_site_swap_tls(st->site, config);
    } else {
        cleat_tls_config_free(config);
    }
}

/* ---- asking ---- */

static void look_soon(struct cl_staples *st, uint64_t ms)
{
    if (st->started && st->timer != NULL) {
        cl_timer_set(st->timer, ms);
    }
}

static void keep(struct cl_staples *st, const struct cl_staple_item *it)
{
    struct cleat_error err = {0};
    const struct cleat_cert *leaf = cleat_chain_at(it->chain, 0);
    cl_result r = cl_staple_store_save(&st->store, leaf, cl_buf_view(&it->response), &err);
    if (st->store.folder == NULL && !st->told_store) {
        cl_staple_log_no_store(&st->log);
    } else if (r != CL_OK && !st->told_store) {
        cl_staple_log_store(&st->log, &err);
    }
    st->told_store = r != CL_OK || st->store.folder == NULL;
}

/* Responders have several names sometimes: a round of all of them is one failure. */
static void failed(struct cl_staple_item *it, const struct cleat_error *why)
{
    const int64_t now = wall_now();
    it->url = (it->url + 1) % it->num_urls;
    if (it->url == 0) {
        it->num_failures++;
        it->due =
            cl_staple_retry(it->num_failures, is_held(it) ? &it->life : NULL, now, any_number());
        cl_staple_log_failed(&it->all->log, it, why, now);
    } else {
        it->due = now;
    }
    look_soon(it->all, 0);
}

/* Over http anybody on the way can answer with what the responder said before, which is signed all
 * the same: an older answer does not replace a newer one, nor "good" a "revoked" of its time. */
static bool is_step_back(const struct cl_staple_item *it, const struct cl_staple_finding *fresh)
{
    return is_held(it) && (fresh->this_update < it->held.this_update ||
                           (fresh->this_update == it->held.this_update &&
                            it->held.word == CL_STAPLE_REVOKED && fresh->word == CL_STAPLE_GOOD));
}

static void take(struct cl_staple_item *it, const struct cl_fetch_result *result,
                 const struct cl_staple_finding *fresh)
{
    struct cl_staples *st = it->all;
    const bool is_first = !is_held(it) || it->held.word != fresh->word;
    const bool same = cl_rd_equal(cl_buf_view(&it->response), cl_buf_view(result->body));
    if (!same) {
        cl_buf_deinit(&it->response);
        it->response = *result->body;
        *result->body = (struct cl_buf){0};
    }
    hold(it, fresh);
    it->changed = !same;
    it->num_failures = 0;
    it->url = 0;
    it->due = cl_staple_refresh(&it->life, wall_now(), any_number());
    if (!same) {
        keep(st, it);
    }
    cl_staple_log_held(&st->log, it, it->asked, is_first, wall_now());
    look_soon(st, TOGETHER_MS);
}

/* The URL of a GET ends in the request, which tells nobody anything. */
static void without_request(const struct cleat_error *error, const char *whole, const char *asked,
                            struct cleat_error *out)
{
    const size_t len = strlen(whole);
    const bool begins = strncmp(error->text, whole, len) == 0;
    *out = *error;
    if (begins) {
        (void)snprintf(out->text, sizeof(out->text), "%.300s%s", asked, error->text + len);
    }
}

static void on_fetched(void *ctx, const struct cl_fetch_result *result)
{
    struct cl_staple_item *it = ctx;
    struct cl_staple_finding fresh;
    struct cleat_error why = {0};
    it->fetch = NULL;
    it->all->num_fetches--;
    if (result->error.code != CLEAT_OK) {
        without_request(&result->error, result->url, it->asked, &why);
        failed(it, &why);
        return;
    }
    check(it, cl_buf_view(result->body), &fresh);
    const bool back = fresh.word != CL_STAPLE_USELESS && is_step_back(it, &fresh);
    if (back || fresh.word == CL_STAPLE_USELESS) {
        (void)cl_error_set(&why,
                           (struct cl_why){.code = CLEAT_ERR_REVOCATION_UNKNOWN,
                                           .hint = back ? NULL : fresh.what.hint},
                           "%s: %s", it->asked,
                           back ? "the response is older than the one before it" : fresh.what.text);
        failed(it, &why);
        return;
    }
    take(it, result, &fresh);
}

/* A resolver reads the system's configuration once, and servers live long: a new one each time that
 * nothing is under way. */
static cl_result open_net(struct cl_staples *st, struct cleat_error *err)
{
    if (st->num_fetches != 0) {
        return CL_OK;
    }
    cl_dns_free(st->dns);
    st->dns = NULL;
    if (st->hub == NULL && cl_hub_new(st->loop, &st->hub) != CL_OK) {
        return CLEAT_ERR_NOMEM;
    }
    return cl_dns_new(st->loop, &st->dns, err);
}

static void ask(struct cl_staples *st, struct cl_staple_item *it)
{
    struct cleat_error err = {0};
    const struct cleat_cert *leaf = cleat_chain_at(it->chain, 0);
    const char *url = st->site->options->staple_responder;
    cl_result r = open_net(st, &err);
    if (url != NULL) {
        (void)snprintf(it->asked, sizeof(it->asked), "%s", url);
    } else if (!http_url(leaf, it->url, it->asked, sizeof(it->asked))) {
        r = CLEAT_ERR_BAD_URL;
    }
    if (r == CL_OK) {
        const struct cl_fetch_how how = {
            .hub = st->hub, .dns = st->dns, .timeout_ms = FETCH_MS, .done = on_fetched, .ctx = it};
        r = cl_fetch_ocsp(&how, it->asked, leaf, cleat_trust_store_at(it->issuer, 0), &it->fetch,
                          &err);
    }
    if (r == CL_OK) {
        st->num_fetches++;
        return;
    }
    it->fetch = NULL;
    cl_error_set(&err, (struct cl_why){.code = r}, "%s", cleat_error_sentence(r));
    failed(it, &err);
}

/* ---- the timer ---- */

static void look_at_clocks(struct cl_staples *st, int64_t now, int64_t mono)
{
    if (cl_staple_clock_jumped(now - st->wall, mono - st->mono)) {
        for (size_t i = 0; i < st->num; i++) { /* what was due was reckoned by another clock */
            st->items[i].due = now;
        }
    }
    st->wall = now;
    st->mono = mono;
}

static void look_at(struct cl_staples *st, struct cl_staple_item *it, int64_t now, int64_t mono)
{
    if (is_held(it) && (it->life.until <= now || it->mono_until <= mono)) {
        let_go(it);
        cl_staple_log_expired(&st->log, it);
        it->due = it->due < now + CL_STAPLE_RETRY_MS ? it->due : now;
    }
    if (it->fetch == NULL && it->due <= now) {
        ask(st, it);
    }
}

static void on_look(void *ctx)
{
    struct cl_staples *st = ctx;
    const int64_t now = wall_now();
    const int64_t mono = mono_now();
    int64_t next = now + LOOK_MS;
    bool changed = false;
    look_at_clocks(st, now, mono);
    for (size_t i = 0; i < st->num; i++) {
        struct cl_staple_item *it = &st->items[i];
        look_at(st, it, now, mono);
        changed = changed || it->changed;
        next = it->fetch == NULL && it->due < next ? it->due : next;
        next = is_held(it) && it->life.until < next ? it->life.until : next;
    }
    if (changed) {
        publish(st);
    }
    if (st->num > 0) {
        cl_timer_set(st->timer, next > now ? (uint64_t)(next - now) : 1);
    }
}

/* ---- the certificates of a configuration ---- */

static const struct cl_staple_item *known(const struct cl_staples *st,
                                          const struct cleat_chain *chain)
{
    const struct cl_rd der = cl_cert_der(cleat_chain_at(chain, 0));
    for (size_t i = 0; i < st->num; i++) {
        if (cl_rd_equal(cl_cert_der(cleat_chain_at(st->items[i].chain, 0)), der)) {
            return &st->items[i];
        }
    }
    return NULL;
}

/* What there is for it already: in memory, else on disk. */
static cl_result find_response(struct cl_staples *st, struct cl_staple_item *it)
{
    const struct cl_staple_item *old = known(st, it->chain);
    struct cl_staple_finding finding;
    struct cleat_error err = {0};
    cl_result r =
        old != NULL
            ? cl_buf_append(&it->response, old->response.p, old->response.len, CL_STAPLE_MAX_LEN)
            : cl_staple_store_load(&st->store, cleat_chain_at(it->chain, 0), &it->response, &err);
    it->due = wall_now();
    if (r == CLEAT_ERR_NOMEM || (r == CL_OK && !is_held(it))) {
        return r;
    }
    if (r == CL_OK) {
        check(it, cl_buf_view(&it->response), &finding);
    }
    if (r != CL_OK || finding.word == CL_STAPLE_USELESS) {
        cl_staple_log_ignored(&st->log, it, r != CL_OK ? &err : &finding.what);
        let_go(it);
        return CL_OK;
    }
    hold(it, &finding);
    it->due = cl_staple_first(&it->life, wall_now(), any_number());
    if (old == NULL) {
        cl_staple_log_held(&st->log, it, "the response kept from earlier", true, wall_now());
    }
    return CL_OK;
}

/* Who demands a staple, and gets none from here: says so. */
static void look_for_demand(const struct cl_staples *st, const struct cl_serve_pair *pair,
                            const struct cleat_chain *chain)
{
    if (cl_cert_must_staple(cleat_chain_at(chain, 0)) && pair->staple == NULL) {
        cl_staple_log_demanded(&st->log, pair->cert, "it names no responder to fetch one from",
                               "--staple FILE, or --staple-responder URL");
    }
}

/* The system's roots are many, and seldom needed. */
static cl_result find_issuer(const struct cleat_chain *chain, struct cleat_trust_store **out)
{
    CL_TRY(cl_staple_issuer(chain, NULL, out));
    if (*out != NULL) {
        return CL_OK;
    }
    struct cleat_trust_store *roots = cl_own_chain_roots();
    cl_result r = cl_staple_issuer(chain, roots, out);
    cleat_trust_store_free(roots);
    return r;
}

/* Adds a credential to the list, when there is somebody to ask about it. */
static cl_result add_item(struct cl_staples *st, const struct cleat_tls_config *config,
                          size_t credential, struct cl_staple_item *items, size_t *num)
{
    const struct cl_serve_options *o = st->site->options;
    const struct cleat_chain *chain = cleat_tls_config_chain(config, credential);
    if (chain == NULL || credential >= o->num_pairs) {
        return CL_OK;
    }
    const struct cl_serve_pair *pair = &o->pairs[credential];
    const struct cleat_cert *leaf = cleat_chain_at(chain, 0);
    struct cl_staple_item *it = &items[*num];
    *it = (struct cl_staple_item){.all = st,
                                  .credential = credential,
                                  .file = pair->cert,
                                  .demanded = cl_cert_must_staple(leaf),
                                  .num_urls = pair->staple == NULL ? num_urls(st, leaf) : 0};
    if (it->num_urls == 0 || leaf->self_issued) {
        look_for_demand(st, pair, chain);
        return CL_OK;
    }
    cl_result r = find_issuer(chain, &it->issuer);
    if (r != CL_OK || it->issuer == NULL) {
        if (r == CL_OK) {
            cl_staple_log_no_issuer(&st->log, pair->cert);
        }
        return r;
    }
    it->chain = cleat_chain_ref(chain);
    (*num)++;
    return find_response(st, it);
}

cl_result cl_staples_dress(struct cl_staples *st, struct cleat_tls_config **config)
{
    if (st == NULL) {
        return CL_OK;
    }
    const size_t most = st->site->options->num_pairs;
    struct cl_staple_item *items = cl_calloc(most + 1, sizeof(*items));
    size_t num = 0;
    cl_result r = items != NULL ? CL_OK : CLEAT_ERR_NOMEM;
    for (size_t i = 0; i < most && r == CL_OK; i++) {
        r = add_item(st, *config, i, items, &num);
    }
    if (r == CL_OK) {
        r = put(config, items, num, false);
    }
    if (r != CL_OK) {
        free_items(items, num);
        return r;
    }
    free_items(st->items, st->num);
    st->items = items;
    st->num = num;
    all_put(items, num);
    look_soon(st, 0);
    return CL_OK;
}

/* ---- all of it ---- */

static void warn_switched_off(const struct cl_site *site)
{
    const struct cl_staple_log log = {.to = site->errors};
    struct cleat_tls_config *config = cl_site_tls(site);
    for (size_t i = 0; i < site->options->num_pairs; i++) {
        const struct cleat_chain *chain = cleat_tls_config_chain(config, i);
        const struct cl_serve_pair *pair = &site->options->pairs[i];
        if (chain != NULL && pair->staple == NULL &&
            cl_cert_must_staple(cleat_chain_at(chain, 0))) {
            cl_staple_log_demanded(&log, pair->cert, "none is fetched (--no-stapling)",
                                   "leave out --no-stapling, or give --staple FILE");
        }
    }
    cleat_tls_config_free(config);
}

cl_result cl_staples_new(struct cl_site *site, uv_loop_t *loop, struct cl_staples **out)
{
    const struct cl_serve_options *o = site->options;
    *out = NULL;
    if (site->tls == NULL) {
        return CL_OK;
    }
    if (o->no_stapling) {
        warn_switched_off(site);
        return CL_OK;
    }
    struct cl_staples *st = cl_calloc(1, sizeof(*st));
    if (st == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    *out = st;
    st->site = site;
    st->loop = loop;
    st->wall = wall_now();
    st->mono = mono_now();
    st->log = (struct cl_staple_log){site->errors, o->quiet, o->verbose > 0};
    (void)signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is an error like a full disk */
    CL_TRY(cl_timer_new(loop, on_look, st, &st->timer));
    CL_TRY(cl_staple_store_open(&st->store, o->staple_dir));
    struct cleat_tls_config *config = cl_site_tls(site);
    cl_result r = cl_staples_dress(st, &config);
    if (r == CL_OK) {
        cl_site_swap_tls(site, config);
    } else {
        cleat_tls_config_free(config);
    }
    if (st->num > 0) {
        cl_staple_store_sweep(&st->store, st->wall / 1000);
    }
    return r;
}

void cl_staples_start(struct cl_staples *st)
{
    if (st != NULL) {
        st->started = true;
        look_soon(st, 0);
    }
}

void cl_staples_stop(struct cl_staples *st)
{
    if (st == NULL) {
        return;
    }
    st->started = false;
    free_items(st->items, st->num);
    st->items = NULL;
    st->num = 0;
    cl_timer_free(st->timer);
    st->timer = NULL;
    cl_dns_free(st->dns);
    st->dns = NULL;
}

void cl_staples_free(struct cl_staples *st)
{
    if (st != NULL) {
        cl_hub_free(st->hub);
        cl_staple_store_close(&st->store);
        cl_free(st);
    }
}
