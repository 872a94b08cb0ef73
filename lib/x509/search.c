/* x509/search.c - path building: depth first, with an explicit stack, from the leaf towards the
 * anchors.
 *
 * Candidates for an issuer have its name as their subject. Anchors come before certificates of the
 * peer, and those whose key identifier fits before those whose does not: hints that order, never
 * gates. A certificate occurs once in a path, and so does a pair of name and key (RFC 4158 2.4.2):
 * loops end there. What is found wrong with a certificate alone is remembered; the steps are
 * counted.
 */
#include <stdio.h>

#include "x509/verify_impl.h"

/* The four rounds over a frame's candidates. */
enum round {
    ROUND_ANCHOR_FITS,
    ROUND_POOL_FITS,
    ROUND_ANCHOR_OTHER,
    ROUND_POOL_OTHER,
    ROUND_END,
};

static void open_frame(struct cl_verify *v)
{
    const struct cleat_verdict *verdict = v->verdict;
    uint64_t hash = v->path.certs[v->path.num - 1]->issuer.hash;
    struct cl_frame *frame = &v->frames[v->num_frames++];
    *frame = (struct cl_frame){0};
    if (v->anchors != NULL) {
        frame->first_anchor = cl_trust_find(v->anchors, hash, &frame->num_anchors);
    }
    size_t low = 0;
    size_t high = verdict->num_pool;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (verdict->pool[v->order[middle]].cert->subject.hash < hash) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    frame->first_pooled = low;
    while (low < verdict->num_pool && verdict->pool[v->order[low]].cert->subject.hash == hash) {
        low++;
    }
    frame->num_pooled = low - frame->first_pooled;
}

void cl_search_start(struct cl_verify *v)
{
    struct cleat_verdict *verdict = v->verdict;
    /* Insertion sort: at most CL_VERIFY_MAX_CERTS, usually two. */
    for (size_t i = 0; i < verdict->num_pool; i++) {
        size_t at = i;
        uint64_t hash = verdict->pool[i].cert->subject.hash;
        while (at > 0 && verdict->pool[v->order[at - 1]].cert->subject.hash > hash) {
            v->order[at] = v->order[at - 1];
            at--;
        }
        v->order[at] = (uint8_t)i;
    }
    v->leaf_is_anchor = verdict->pool[0].is_anchor;
    open_frame(v);
}

static bool key_id_fits(const struct cleat_cert *child, const struct cleat_cert *issuer)
{
    return !child->has_aki_key_id || issuer->ski.len == 0 ||
           cl_rd_equal(child->aki_key_id, issuer->ski);
}

struct candidate {
    const struct cleat_cert *cert;
    struct cl_pooled *pooled; /* NULL: an anchor */
};

static bool next_candidate(struct cl_verify *v, struct cl_frame *frame, struct candidate *out)
{
    const struct cleat_cert *child = v->path.certs[v->path.num - 1];
    for (; frame->phase < ROUND_END; frame->phase++, frame->at = 0) {
        bool anchors = frame->phase == ROUND_ANCHOR_FITS || frame->phase == ROUND_ANCHOR_OTHER;
        bool fits = frame->phase == ROUND_ANCHOR_FITS || frame->phase == ROUND_POOL_FITS;
        size_t num = anchors ? frame->num_anchors : frame->num_pooled;
        while (frame->at < num) {
            size_t at = frame->at++;
            *out = (struct candidate){0};
            if (anchors) {
                out->cert = cl_trust_indexed(v->anchors, frame->first_anchor + at);
            } else {
                out->pooled = &v->verdict->pool[v->order[frame->first_pooled + at]];
                out->cert = out->pooled->cert;
            }
            if (key_id_fits(child, out->cert) == fits) {
                return true;
            }
        }
    }
    return false;
}

/* The same certificate, or the same name with the same key, is already there. */
static bool in_path(const struct cl_path *path, const struct cleat_cert *cert)
{
    for (size_t i = 0; i < path->num; i++) {
        const struct cleat_cert *other = path->certs[i];
        if (other == cert ||
            (other->subject.hash == cert->subject.hash && cl_rd_equal(other->spki, cert->spki) &&
             cl_name_equal(&other->subject, &cert->subject) &&
             (i != 0 || cl_rd_equal(other->der, cert->der)))) {
            return true;
        }
    }
    return false;
}

/* Intermediates of the path with one more, self-issued ones not counted. */
static int num_intermediates(const struct cl_path *path)
{
    int num = 0;
    for (size_t i = 1; i < path->num; i++) {
        num += !path->certs[i]->self_issued;
    }
    return num;
}

static bool too_deep(struct cl_verify *v, bool anchor, struct cl_fail *fail)
{
    if (v->path.num < CL_VERIFY_MAX_DEPTH &&
        (anchor || num_intermediates(&v->path) <= v->max_intermediates)) {
        return false;
    }
    if (anchor && v->path.num <= CL_VERIFY_MAX_DEPTH) {
        return false;
    }
    fail->openssl = "CERT_CHAIN_TOO_LONG";
    (void)cl_fail_set(fail, CLEAT_ERR_PATH_TOO_LONG, CL_CHECK_LIMITS, v->path.num - 1,
                      "RFC 5280 6.1", NULL, "the path has more than %d intermediates",
                      v->max_intermediates);
    return true;
}

static bool known_bad_signature(const struct cl_verify *v, const void *what,
                                const struct cleat_cert *signer)
{
    for (size_t i = 0; i < v->num_memos; i++) {
        if (v->memos[i].what == what && v->memos[i].signer == signer) {
            return !v->memos[i].good;
        }
    }
    return false;
}

/* Tries a candidate as the next certificate of the path; false: it is no good, and the path is as
 * it was before. */
static bool extend(struct cl_verify *v, const struct candidate *c)
{
    struct cleat_error text;
    bool anchor = c->pooled == NULL;
    bool known = !anchor && c->pooled->ca_state == CL_CA_GOOD;
    v->path.certs[v->path.num++] = c->cert;
    struct cl_fail fail = cl_fail_begin(v, &text);
    if (too_deep(v, anchor, &fail) || !cl_check_issuer(v, anchor, known, &fail)) {
        /* A path length depends on what is below, everything else on the certificate alone. */
        if (c->pooled != NULL && fail.check != CL_CHECK_PATH_LEN && fail.check != CL_CHECK_LIMITS) {
            c->pooled->ca_state = CL_CA_BAD;
        }
        cl_verdict_reject(v, &fail);
        v->path.num--;
        return false;
    }
    if (!anchor) {
        c->pooled->ca_state = CL_CA_GOOD;
    }
    return true;
}

/* The checks of a complete path that need no job. */
static bool check_path(struct cl_verify *v)
{
    struct cleat_error text;
    struct cl_fail fail = cl_fail_begin(v, &text);
    v->path.complete = true;
    v->num_complete++;
    v->policies_skipped = false;
    if (cl_check_keys(v, &fail) &&
        cl_constraints_check(&v->path, &v->verdict->work.num_name_comparisons, &fail) &&
        cl_policies_check(&v->path, &v->policies, &v->policies_skipped, &fail) &&
        cl_dane_check_path(v, &fail)) {
        return true;
    }
    cl_verdict_reject(v, &fail);
    cl_search_reject(v, v->path.num - 1);
    return false;
}

void cl_search_reject(struct cl_verify *v, size_t depth)
{
    /* frames[i] chooses the issuer of certificate i. */
    v->path.complete = false;
    v->path.num = depth > 0 ? depth : 1;
    v->num_frames = v->path.num;
}

/* What to do about an issuer that cannot be found: above the leaf it is an intermediate that was
 * not sent, above that more likely a root that is not trusted. */
static void missing_hint(const struct cl_verify *v, const struct cleat_cert *top,
                         const char *issuer, char *out, size_t cap)
{
    const char *peer = v->verdict->purpose == CLEAT_PURPOSE_CLIENT ? "client" : "server";
    char url[120] = "";
    bool published = cleat_cert_ca_issuers_url(top, 0, url, sizeof(url)) != 0;
    if (v->path.num == 1 && published) {
        (void)snprintf(out, cap,
                       "the %s does not send the intermediate %s; it is published at %s; the %s "
                       "should send it",
                       peer, issuer, url, peer);
    } else if (v->path.num == 1) {
        (void)snprintf(out, cap,
                       "the %s should send the intermediate %s, or, if that is a root to be "
                       "trusted, it must be in the trust store (--cacert FILE)",
                       peer, issuer);
    } else {
        (void)snprintf(out, cap,
                       "the root %s is not in the trust store: if it is to be trusted, add it "
                       "(--cacert FILE)%s%s",
                       issuer, published ? "; or the chain is incomplete: it is published at " : "",
                       url);
    }
}

static void not_trusted(size_t depth, struct cl_fail *fail)
{
    fail->openssl = depth == 0 ? "DEPTH_ZERO_SELF_SIGNED_CERT" : "SELF_SIGNED_CERT_IN_CHAIN";
    (void)cl_fail_set(fail, depth == 0 ? CLEAT_ERR_SELF_SIGNED : CLEAT_ERR_UNKNOWN_ISSUER,
                      CL_CHECK_ISSUER, depth, "RFC 5280 6.1",
                      "if it is really the right one, add it to the trust store (--cacert FILE)",
                      "it is self-signed and not in the trust store");
}

static void no_issuer(struct cl_verify *v)
{
    const struct cleat_cert *top = v->path.certs[v->path.num - 1];
    struct cleat_error text;
    struct cl_fail fail = cl_fail_begin(v, &text);
    char issuer[110] = "";
    char hint[280] = "";
    if (v->rule == CL_RULE_DANE_TA) {
        cl_dane_no_issuer(v, &fail);
    } else if (top->self_issued) {
        not_trusted(v->path.num - 1, &fail);
    } else {
        if (cl_fail_wanted(&fail)) {
            cl_name_text(&top->issuer, issuer, sizeof(issuer));
            missing_hint(v, top, issuer, hint, sizeof(hint));
        }
        (void)cl_fail_set(&fail, CLEAT_ERR_UNKNOWN_ISSUER, CL_CHECK_ISSUER, v->path.num - 1,
                          "RFC 5280 6.1", hint,
                          "its issuer %s is neither in the trust store nor in the chain", issuer);
    }
    cl_verdict_reject(v, &fail);
}

static enum cl_search out_of_work(struct cl_verify *v)
{
    cl_verdict_final(v, CLEAT_ERR_TOO_COMPLEX, "CERT_CHAIN_TOO_LONG",
                     "the chain is hostile, or far from what deployed PKIs need",
                     "too complex: no path found after %u candidate issuers, %u complete paths and "
                     "%u signature checks",
                     v->verdict->work.num_steps, v->num_complete, v->verdict->work.num_signatures);
    return CL_SEARCH_EXHAUSTED;
}

static bool worn_out(const struct cl_verify *v)
{
    return v->verdict->work.num_steps >= CL_VERIFY_MAX_STEPS ||
           v->num_complete >= CL_VERIFY_MAX_PATHS ||
           v->verdict->work.num_name_comparisons > CL_VERIFY_MAX_NAME_COMPARISONS;
}

/* Is it worth being looked at? */
static bool eligible(struct cl_verify *v, const struct candidate *c)
{
    const struct cleat_cert *child = v->path.certs[v->path.num - 1];
    return (c->pooled == NULL || (!c->pooled->is_anchor && c->pooled->ca_state != CL_CA_BAD)) &&
           cl_name_equal(&child->issuer, &c->cert->subject) && !in_path(&v->path, c->cert);
}

enum cl_search cl_search_next(struct cl_verify *v)
{
    if (v->leaf_is_anchor) {
        v->leaf_is_anchor = false;
        if (check_path(v)) {
            return CL_SEARCH_PATH;
        }
        v->num_frames = 1;
    }
    while (v->num_frames != 0) {
        struct cl_frame *frame = &v->frames[v->num_frames - 1];
        struct candidate c;
        if (!next_candidate(v, frame, &c)) {
            if (!frame->tried) {
                no_issuer(v);
            }
            v->num_frames--;
            v->path.num -= v->num_frames != 0;
            continue;
        }
        if (worn_out(v)) {
            return out_of_work(v);
        }
        v->verdict->work.num_steps++;
        if (!eligible(v, &c)) {
            continue;
        }
        frame->tried = true;
        if (known_bad_signature(v, v->path.certs[v->path.num - 1], c.cert) || !extend(v, &c)) {
            continue;
        }
        if (c.pooled != NULL) {
            open_frame(v);
        } else if (check_path(v)) {
            return CL_SEARCH_PATH;
        }
    }
    return CL_SEARCH_EXHAUSTED;
}
