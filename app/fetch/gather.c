/* fetch/gather.c - see gather.h.
 *
 * A turn (`advance`) verifies, then lets each certificate of which something is missing take its
 * next step: the cache, then the network, for each of its URLs in turn, OCSP before lists, which
 * are longer. Steps over the network run side by side; the next turn comes when all have ended.
 */
#include <string.h>

#include "base/mem.h"
#include "fetch/gather_impl.h"
#include "net/clock.h"
#include "net/timer.h"

/* ---- its life ---- */

static void drop_slot(struct cl_slot *s)
{
    cl_fetch_cancel(s->fetch);
    cleat_cert_free(s->cert);
    cleat_cert_free(s->issuer);
    *s = (struct cl_slot){0};
}

static void free_gather(struct cl_gather *g)
{
    for (size_t i = 0; i < CL_VERIFY_MAX_DEPTH; i++) {
        drop_slot(&g->slots[i]);
    }
    drop_slot(&g->sought);
    for (size_t i = 0; i < g->num_found; i++) {
        cleat_cert_free(g->found[i]);
    }
    for (size_t i = 0; i < g->num_notes; i++) {
        cl_free(g->notes[i].url);
    }
    cleat_crl_set_free(g->crls);
    cleat_ocsp_set_free(g->ocsp);
    cleat_chain_free(g->spec.chain);
    cl_timer_free(g->turn);
    cl_free(g);
}

static void finish(struct cl_gather *g)
{
    struct cleat_chain *certs = NULL;
    struct cl_gathered result = {.notes = g->notes, .num_notes = g->num_notes};
    if (g->num_found != 0 && cl_chain_from_certs(&certs, (const struct cleat_cert *const *)g->found,
                                                 g->num_found) != CL_OK) {
        certs = NULL;
    }
    result.evidence = (struct cleat_evidence){.certs = certs, .crls = g->crls, .ocsp = g->ocsp};
    g->spec.done(g->spec.ctx, &result);
    cleat_chain_free(certs);
    free_gather(g);
}

void cl_gather_cancel(struct cl_gather *g)
{
    if (g != NULL) {
        free_gather(g);
    }
}

/* ---- asking ---- */

static void release_buffer(void *ctx)
{
    struct cl_buf *b = ctx;
    cl_buf_deinit(b);
    cl_free(b);
}

static void advance(struct cl_gather *g);

static void on_fetched(void *ctx, const struct cl_fetch_result *result)
{
    struct cl_slot *s = ctx;
    struct cl_gather *g = s->gather;
    s->fetch = NULL;
    g->num_running--;
    struct cl_buf *own = result->error.code == 0 ? cl_alloc(sizeof(*own)) : NULL;
    if (own != NULL) {
        *own = *result->body;
        *result->body = (struct cl_buf){0};
        const struct cl_answer a = {
            .bytes = cl_buf_view(own), .release = release_buffer, .ctx = own};
        cl_slot_take(s, &a);
    } else {
        cl_slot_note_failure(s, result->error.code != 0 ? result->error.text : "out of memory");
    }
    if (g->num_running == 0) {
        advance(g);
    }
}

/* The URL of a step, and its kind; false: there is none left. */
static bool url_of_step(struct cl_slot *s, size_t which)
{
    const struct cleat_verify_options *o = &s->gather->spec.verify;
    const struct {
        enum cl_gather_kind kind;
        bool on;
        size_t max;
        size_t (*get)(const struct cleat_cert *, size_t, char *, size_t);
    } rows[] = {
        {CL_GATHER_AIA, s->issuer == NULL, CL_GATHER_MAX_AIA, cleat_cert_ca_issuers_url},
        {CL_GATHER_OCSP, s->issuer != NULL && o->from_ocsp != CLEAT_SOURCE_OFF, CL_GATHER_MAX_OCSP,
         cleat_cert_ocsp_url},
        {CL_GATHER_CRL, s->issuer != NULL && o->from_crls != CLEAT_SOURCE_OFF, CL_GATHER_MAX_CRL,
         cleat_cert_crl_url},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t n = 0; rows[i].on && n < rows[i].max; n++) {
            size_t len = rows[i].get(s->cert, n, s->url, sizeof(s->url));
            if (len == 0) {
                break;
            }
            if (which-- == 0) {
                s->kind = rows[i].kind;
                return len < sizeof(s->url);
            }
        }
    }
    return false;
}

static cl_result fetch_over_network(struct cl_slot *s, struct cleat_error *err)
{
    struct cl_gather *g = s->gather;
    struct cl_fetch_how how = g->spec.how;
    how.public_only = s->kind == CL_GATHER_AIA && g->spec.aia_public_only;
    how.done = on_fetched;
    how.ctx = s;
    s->started = cl_clock_mono_us();
    if (g->num_fetches >= CL_GATHER_MAX_FETCHES) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_LIMIT},
                            "not asked: %d requests were made for this chain",
                            CL_GATHER_MAX_FETCHES);
    }
    g->num_fetches++;
    return s->kind == CL_GATHER_OCSP
               ? cl_fetch_ocsp(&how, s->url, s->cert, s->issuer, &s->fetch, err)
           : s->kind == CL_GATHER_CRL ? cl_fetch_crl(&how, s->url, &s->fetch, err)
                                      : cl_fetch_aia(&how, s->url, &s->fetch, err);
}

static size_t max_of(enum cl_gather_kind kind)
{
    static const size_t rows[] = {CL_FETCH_MAX_OCSP, CL_FETCH_MAX_CRL, CL_FETCH_MAX_AIA};
    return rows[kind];
}

static bool look_into_cache(struct cl_slot *s)
{
    struct cl_gather *g = s->gather;
    uint8_t request[CLEAT_OCSP_MAX_REQUEST];
    const struct cl_fetch_key key = cl_slot_key(s, request);
    struct cl_mapped *m =
        g->spec.cache != NULL
            ? cl_fetch_cache_find(g->spec.cache, &key, max_of(s->kind), g->spec.verify.now)
            : NULL;
    if (m != NULL) {
        const struct cl_answer a = {
            .bytes = cl_mapped_view(m), .release = cl_mapped_free, .ctx = m, .cached = true};
        cl_slot_take(s, &a);
    }
    return m != NULL;
}

enum outcome {
    NOTHING_LEFT,
    FOUND, /* in the cache: worth another look at the chain */
    ASKED, /* over the network: on_fetched will come */
};

/* Takes a slot's next step that leads anywhere. */
static enum outcome take_step(struct cl_slot *s)
{
    while (url_of_step(s, s->step / 2)) {
        const bool cache = s->step++ % 2 == 0;
        struct cleat_error err = {0};
        if (cache && look_into_cache(s)) {
            return FOUND;
        }
        if (cache) {
            continue;
        }
        if (fetch_over_network(s, &err) == CL_OK) {
            s->gather->num_running++;
            return ASKED;
        }
        cl_slot_note_failure(s, err.text);
    }
    return NOTHING_LEFT;
}

/* ---- a turn ---- */

/* The chain with what was found; NULL when memory is short. */
static struct cleat_verdict *verify(const struct cl_gather *g)
{
    const struct cleat_cert *certs[CL_CHAIN_MAX];
    struct cleat_chain *chain = NULL;
    struct cleat_verdict *verdict = NULL;
    struct cleat_verify_options o = g->spec.verify;
    size_t num = 0;
    /* what is not known is to be found out, not to be refused */
    o.revocation =
        o.revocation != CLEAT_REVOCATION_OFF ? CLEAT_REVOCATION_IF_KNOWN : CLEAT_REVOCATION_OFF;
    o.from_crls = o.from_crls != CLEAT_SOURCE_OFF ? CLEAT_SOURCE_USED : CLEAT_SOURCE_OFF;
    o.from_ocsp = o.from_ocsp != CLEAT_SOURCE_OFF ? CLEAT_SOURCE_USED : CLEAT_SOURCE_OFF;
    o.staple_asked = o.staple_required = false;
    o.crls = g->crls != NULL ? g->crls : o.crls;
    o.ocsp = g->ocsp != NULL ? g->ocsp : o.ocsp;
    o.ct = CLEAT_CT_OFF;
    o.cache = NULL;
    for (size_t i = 0; i < cl_chain_num(g->spec.chain) && num < CL_CHAIN_MAX; i++) {
        certs[num++] = cl_chain_at(g->spec.chain, i);
    }
    for (size_t i = 0; i < g->num_found && num < CL_CHAIN_MAX; i++) {
        certs[num++] = g->found[i];
    }
    if (cl_chain_from_certs(&chain, certs, num) != CL_OK ||
        cleat_verify(&o, chain, &verdict) != CLEAT_OK) {
        verdict = NULL;
    }
    cleat_chain_free(chain);
    return verdict;
}

/* Whose issuer is neither in the chain nor among what was found: where the path ends. NULL: a
 * certificate that is its own issuer. */
static const struct cleat_cert *end_of_path(const struct cl_gather *g)
{
    const struct cleat_cert *at = cl_chain_at(g->spec.chain, 0);
    const size_t sent = cl_chain_num(g->spec.chain);
    for (size_t n = 0; n <= sent + g->num_found; n++) {
        const struct cl_rd wanted = cl_cert_issuer_der(at);
        const struct cleat_cert *next = NULL;
        if (cl_rd_equal(wanted, cl_cert_subject_der(at))) {
            return NULL;
        }
        for (size_t i = 0; i < sent + g->num_found && next == NULL; i++) {
            const struct cleat_cert *c =
                i < sent ? cl_chain_at(g->spec.chain, i) : g->found[i - sent];
            next = c != at && cl_rd_equal(cl_cert_subject_der(c), wanted) ? c : NULL;
        }
        if (next == NULL) {
            return at;
        }
        at = next;
    }
    return NULL; /* they issued each other */
}

/* Looks for the issuer that is missing. */
static enum outcome seek_issuer(struct cl_gather *g)
{
    struct cl_slot *s = &g->sought;
    const struct cleat_cert *end = end_of_path(g);
    if (s->cert != NULL) {
        cl_slot_keep(s); /* the path has grown by it, or it lies there unused until it expires */
    }
    if (end == NULL) {
        return NOTHING_LEFT;
    }
    if (s->cert == NULL || !cl_rd_equal(cl_cert_der(s->cert), cl_cert_der(end))) {
        if (g->num_sought++ == CL_GATHER_MAX_DEPTH) {
            return NOTHING_LEFT;
        }
        drop_slot(s);
        s->gather = g;
        s->cert = cleat_cert_ref(end);
    }
    return take_step(s);
}

/* Asks about every certificate of the accepted path of which nothing is known. */
static enum outcome ask_about_path(struct cl_gather *g, const struct cleat_verdict *verdict)
{
    enum outcome all = NOTHING_LEFT;
    const size_t num = cleat_verdict_path_num(verdict);
    for (size_t i = 0; i + 1 < num && i < CL_VERIFY_MAX_DEPTH; i++) {
        struct cl_slot *s = &g->slots[i];
        const struct cleat_cert *cert = cleat_verdict_path_at(verdict, i);
        const struct cleat_cert *issuer = cleat_verdict_path_at(verdict, i + 1);
        if (cleat_verdict_revocation_known(verdict, i)) {
            cl_slot_keep(s);
            continue;
        }
        s->fresh = cl_rd_of(NULL, 0);
        if (s->cert != NULL && !cl_rd_equal(cl_cert_der(s->cert), cl_cert_der(cert))) {
            drop_slot(s); /* another path, because a certificate of the first was revoked */
        }
        if (s->cert == NULL) {
            *s = (struct cl_slot){.gather = g,
                                  .cert = cleat_cert_ref(cert),
                                  .issuer = cleat_cert_ref(issuer),
                                  .depth = i};
        }
        enum outcome one = take_step(s);
        all = one == ASKED || all == ASKED ? ASKED : one == FOUND ? FOUND : all;
    }
    return all;
}

static enum outcome next_step(struct cl_gather *g, const struct cleat_verdict *verdict)
{
    const int code = cleat_verdict_code(verdict);
    if (g->spec.aia && code == CLEAT_ERR_UNKNOWN_ISSUER) {
        return seek_issuer(g);
    }
    cl_slot_keep(&g->sought);
    return code == CLEAT_OK && g->spec.verify.revocation != CLEAT_REVOCATION_OFF
               ? ask_about_path(g, verdict)
               : NOTHING_LEFT;
}

static void advance(struct cl_gather *g)
{
    enum outcome outcome;
    do {
        struct cleat_verdict *verdict = verify(g);
        outcome = verdict != NULL ? next_step(g, verdict) : NOTHING_LEFT;
        cleat_verdict_free(verdict);
    } while (outcome == FOUND);
    if (outcome == NOTHING_LEFT) {
        finish(g);
    }
}

static void on_turn(void *ctx)
{
    advance(ctx);
}

cl_result cl_gather_start(const struct cl_gather_spec *spec, struct cl_gather **out)
{
    struct cl_gather *g = cl_calloc(1, sizeof(*g));
    if (g == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    g->spec = *spec;
    g->spec.chain = cleat_chain_ref(spec->chain);
    if (cl_timer_new(cl_hub_loop(spec->how.hub), on_turn, g, &g->turn) != CL_OK) {
        free_gather(g);
        return CLEAT_ERR_NOMEM;
    }
    cl_timer_set(g->turn, 0);
    *out = g;
    return CL_OK;
}
