/* watch/facts.c - see facts.h. */
#include "watch/facts.h"

#include "base/mem.h"
#include "x509/fields.h"
#include "x509/name.h"

static void reset_side(struct cl_watch_side *side)
{
    cleat_chain_free(side->chain);
    cleat_verdict_free(side->path);
    cleat_verdict_free(side->status);
    cl_free(side->notes);
    cl_buf_deinit(&side->staple);
    *side = (struct cl_watch_side){0};
}

void cl_watch_facts_reset(struct cl_watch_facts *f)
{
    reset_side(&f->disk);
    for (size_t i = 0; i < f->num_served; i++) {
        reset_side(&f->served[i]);
    }
    cl_free(f->served);
    f->served = NULL;
    f->num_served = f->max_served = 0;
    f->key = CL_WATCH_KEY_NONE;
    f->key_error = (struct cleat_error){0};
}

cl_result cl_watch_facts_room(struct cl_watch_facts *f, size_t max_served)
{
    f->served = cl_calloc(max_served, sizeof(*f->served));
    f->max_served = f->served != NULL ? max_served : 0;
    return f->served != NULL ? CL_OK : CLEAT_ERR_NOMEM;
}

const struct cleat_cert *cl_watch_leaf(const struct cl_watch_side *side)
{
    return side->chain != NULL ? cl_chain_at(side->chain, 0) : NULL;
}

bool cl_watch_same_cert(const struct cleat_cert *a, const struct cleat_cert *b)
{
    return cl_rd_equal(cl_cert_der(a), cl_cert_der(b));
}

bool cl_watch_must_staple(const struct cleat_cert *cert)
{
    return cl_cert_must_staple(cert);
}

const struct cl_watch_side *cl_watch_shown(const struct cl_watch_facts *f)
{
    for (size_t i = 0; i < f->num_served; i++) {
        if (f->served[i].reach == CL_WATCH_SEEN) {
            return &f->served[i];
        }
    }
    return f->disk.reach == CL_WATCH_SEEN ? &f->disk : NULL;
}

/* ---- verdicts ---- */

/* The moment nearest to now at which the leaf itself is valid. */
static int64_t within(const struct cleat_cert *leaf, int64_t now)
{
    const int64_t from = cl_cert_not_before(leaf), until = cl_cert_not_after(leaf);
    return now < from ? from : now > until ? until : now;
}

/* Of a file nobody has said what it is for. */
static enum cleat_purpose purpose_of(const struct cl_watch_side *side)
{
    return side->on_disk ? CLEAT_PURPOSE_ANY : CLEAT_PURPOSE_SERVER;
}

struct cleat_verify_options cl_watch_options(const struct cl_watch_facts *f,
                                             const struct cl_watch_side *side,
                                             const struct cl_watch_judges *judges)
{
    const struct cleat_revocation_options *r = judges->revocation;
    const bool by_staple = !side->on_disk && r->from_ocsp != CLEAT_SOURCE_OFF;
    return (struct cleat_verify_options){
        .trust = judges->trust,
        .now = within(cl_watch_leaf(side), f->at),
        .purpose = purpose_of(side),
        .revocation = r->mode,
        .from_crls = r->from_crls,
        .from_ocsp = r->from_ocsp,
        .crls = r->crls,
        .ocsp = r->ocsp,
        .staple = side->staple.len != 0 ? side->staple.p : NULL,
        .staple_len = side->staple.len,
        .staple_asked = !side->on_disk,
        /* one that is there has to be good, whether the certificate demands one or not */
        .staple_required = by_staple && (f->expect_staple || side->staple.len != 0),
    };
}

/* What is served, and behind it what was fetched. */
static cl_result join(const struct cleat_chain *chain, const struct cleat_chain *more,
                      struct cleat_chain **out)
{
    const struct cleat_cert *certs[CL_CHAIN_MAX];
    size_t num = 0;
    for (; num < cl_chain_num(chain); num++) {
        certs[num] = cl_chain_at(chain, num);
    }
    for (size_t i = 0; more != NULL && i < cl_chain_num(more) && num < CL_CHAIN_MAX; i++) {
        certs[num++] = cl_chain_at(more, i);
    }
    return cl_chain_from_certs(out, certs, num);
}

static cl_result verify(struct cl_watch_side *side, const struct cleat_verify_options *options,
                        const struct cleat_chain *chain)
{
    const struct cleat_verify_options plain = {
        .trust = options->trust, .now = options->now, .purpose = options->purpose};
    CL_TRY((cl_result)cleat_verify(&plain, chain, &side->path));
    return (cl_result)cleat_verify(options, chain, &side->status);
}

/* Without what was fetched there would have been no path. */
static cl_result was_completed(struct cl_watch_side *side,
                               const struct cleat_verify_options *options)
{
    const struct cleat_verify_options plain = {
        .trust = options->trust, .now = options->now, .purpose = options->purpose};
    struct cleat_verdict *verdict = NULL;
    CL_TRY((cl_result)cleat_verify(&plain, side->chain, &verdict));
    side->completed_chain =
        cleat_verdict_code(verdict) != CLEAT_OK && cleat_verdict_code(side->path) == CLEAT_OK;
    cleat_verdict_free(verdict);
    return CL_OK;
}

static void forget(struct cl_watch_side *side)
{
    cleat_verdict_free(side->path);
    cleat_verdict_free(side->status);
    cl_free(side->notes);
    side->path = side->status = NULL;
    side->notes = NULL;
    side->num_notes = 0;
}

static cl_result lint(const struct cl_watch_facts *f, struct cl_watch_side *side,
                      const struct cl_watch_judges *judges)
{
    struct cleat_chain_note notes[CLEAT_CHAIN_MAX_NOTES];
    const size_t num = cleat_chain_lint(side->chain, judges->trust, f->at, purpose_of(side), notes,
                                        CLEAT_CHAIN_MAX_NOTES);
    if (num == 0) {
        return CL_OK;
    }
    side->notes = cl_calloc(num, sizeof(*notes));
    if (side->notes == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    memcpy(side->notes, notes, num * sizeof(*notes));
    side->num_notes = num;
    return CL_OK;
}

cl_result cl_watch_look_over(const struct cl_watch_facts *f, struct cl_watch_side *side,
                             const struct cl_watch_judges *judges,
                             const struct cleat_evidence *more)
{
    struct cleat_verify_options options = cl_watch_options(f, side, judges);
    struct cleat_chain *chain = NULL;
    if (more != NULL) {
        options.crls = more->crls != NULL ? more->crls : options.crls;
        options.ocsp = more->ocsp != NULL ? more->ocsp : options.ocsp;
    }
    forget(side);
    CL_TRY(join(side->chain, more != NULL ? more->certs : NULL, &chain));
    cl_result r = verify(side, &options, chain);
    cleat_chain_free(chain);
    CL_TRY(r);
    if (more != NULL && more->certs != NULL) {
        CL_TRY(was_completed(side, &options));
    }
    return lint(f, side, judges);
}
