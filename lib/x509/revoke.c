/* x509/revoke.c - revocation by CRL (RFC 5280 6.3.3) of every certificate below the anchor.
 *
 * Everything is decided anew at each call from the lists and the signatures checked so far; when
 * one is missing, it is asked for and the caller comes back. Not done: lists
 * whose signer stands more than one certificate away from the path.
 */
#include "x509/gname.h"
#include "x509/verify_impl.h"

enum status {
    STATUS_GOOD,
    STATUS_REVOKED,
    STATUS_UNKNOWN,
    STATUS_NEEDS_JOB,
    STATUS_UNUSABLE, /* of one list */
};

/* The certificate in question, what is known about it so far, and what came of it. */
struct question {
    struct cl_verify *v;
    size_t depth; /* of the issuer on the path */
    bool nested;  /* about a signer of lists, whose own lists must be the issuer's */
    const struct cleat_cert *cert;
    unsigned reasons; /* for which good lists have spoken */
    uint32_t reason;  /* why it was revoked */
    int64_t when;
    const char *problem; /* why the last list was of no use */
};

static bool number_good(const struct cl_verify *v, const struct cl_crl *crl)
{
    /* RFC 5280 5.2.3: "CRL issuers conforming to this profile MUST include this extension in all
     * CRLs and MUST mark this extension as non-critical." */
    return v->verdict->policy == CLEAT_POLICY_DEFAULT ||
           (crl->number.len != 0 && !crl->number_critical);
}

static bool usable(struct question *q, const struct cl_crl *crl)
{
    int64_t now = q->v->verdict->now;
    q->problem = crl->unusable                   ? crl->unusable
                 : crl->sig_alg == NULL          ? "its signature algorithm is too weak"
                 : !number_good(q->v, crl)       ? "its CRL number is missing or critical"
                 : crl->this_update > now        ? "it is from the future"
                 : crl->next_update == INT64_MIN ? "it has no nextUpdate"
                 : crl->next_update < now        ? "it is out of date"
                                                 : NULL;
    return q->problem == NULL;
}

static bool same_gname(const struct cl_gname *a, const struct cl_gname *b)
{
    struct cl_name x;
    struct cl_name y;
    if (a->kind != b->kind) {
        return false;
    }
    if (a->kind == CLEAT_SAN_DIRECTORY) {
        return cl_name_of(a->value, &x) && cl_name_of(b->value, &y) && cl_name_equal(&x, &y);
    }
    return cl_rd_equal(a->value, b->value);
}

/* nameRelativeToCRLIssuer: the issuer's name with one RDN behind it. room holds the result. */
static bool relative_name(struct cl_rd rdn, const struct cl_name *issuer, uint8_t *room, size_t cap,
                          struct cl_gname *out)
{
    struct cl_wr w = cl_wr_of(room, cap);
    cl_wr_view(&w, issuer->rdns);
    cl_der_put(&w, CL_DER_SET, rdn);
    *out = (struct cl_gname){CLEAT_SAN_DIRECTORY, cl_rd_of(room, w.len)};
    return cl_wr_ok(&w);
}

/* 2,048: a distinguished name put together; real ones have some hundred bytes */
#define MAX_RELATIVE 2048

static bool names_share(struct cl_rd names, const struct cl_gname *wanted)
{
    struct cl_gname name;
    while (cl_gname_next(&names, &name)) {
        if (same_gname(&name, wanted)) {
            return true;
        }
    }
    return false;
}

/* Do two DistributionPointNames have a name in common? */
static bool points_share(struct cl_rd a, struct cl_rd b, const struct cl_name *issuer)
{
    uint8_t room[MAX_RELATIVE];
    uint8_t room_b[MAX_RELATIVE];
    struct cl_rd inner;
    struct cl_rd other;
    struct cl_gname name;
    bool b_full = cl_der_peek(&b, CL_DER_CTXC(0));
    struct cl_gname relative;
    if (!cl_der_get(&b, b_full ? CL_DER_CTXC(0) : CL_DER_CTXC(1), &other)) {
        return false;
    }
    if (!b_full) {
        if (!relative_name(other, issuer, room_b, sizeof(room_b), &relative)) {
            return false;
        }
    }
    if (cl_der_peek(&a, CL_DER_CTXC(0))) {
        if (!cl_der_get(&a, CL_DER_CTXC(0), &inner)) {
            return false;
        }
        while (cl_gname_next(&inner, &name)) {
            if (b_full ? names_share(other, &name) : same_gname(&name, &relative)) {
                return true;
            }
        }
        return false;
    }
    if (!cl_der_get(&a, CL_DER_CTXC(1), &inner) ||
        !relative_name(inner, issuer, room, sizeof(room), &name)) {
        return false;
    }
    return b_full ? names_share(other, &name) : same_gname(&name, &relative);
}

struct point {
    struct cl_rd name;
    struct cl_rd issuer; /* cRLIssuer: whose list, when not the certificate's issuer's */
    bool has_name;
    bool has_issuer;
    unsigned reasons;
};

static bool next_point(struct cl_rd *points, struct point *out)
{
    struct cl_rd body;
    struct cl_rd reasons;
    struct cl_rd bits;
    bool has_reasons;
    uint8_t num_unused;
    out->reasons = CL_REASONS_ALL;
    if (!cl_der_get(points, CL_DER_SEQUENCE, &body) ||
        !cl_der_optional(&body, CL_DER_CTXC(0), &out->name, &out->has_name) ||
        !cl_der_optional(&body, CL_DER_CTX(1), &reasons, &has_reasons) ||
        !cl_der_optional(&body, CL_DER_CTXC(2), &out->issuer, &out->has_issuer)) {
        return false;
    }
    if (has_reasons && cl_der_bits_body(reasons, &bits, &num_unused)) {
        out->reasons = 0;
        for (unsigned i = 1; i <= 8; i++) {
            bool set = i / 8 < bits.len && (bits.p[i / 8] & (0x80u >> i % 8)) != 0;
            out->reasons |= set ? 1u << i : 0;
        }
    }
    return true;
}

/* Has a DistributionPointName one of these names in full? */
static bool point_has(struct cl_rd point, struct cl_rd names)
{
    struct cl_rd full;
    struct cl_gname name;
    if (!cl_der_get(&point, CL_DER_CTXC(0), &full)) {
        return false;
    }
    while (cl_gname_next(&names, &name)) {
        if (names_share(full, &name)) {
            return true;
        }
    }
    return false;
}

/* RFC 5280 6.3.3 (b)(1), (b)(2)(i): is this the list that a distribution point means? */
static bool meant_by(const struct point *point, const struct cl_crl *crl,
                     const struct cleat_cert *cert)
{
    const struct cl_gname name = {CLEAT_SAN_DIRECTORY, crl->issuer.rdns};
    if (point->has_issuer ? !crl->indirect || !names_share(point->issuer, &name)
                          : !cl_name_equal(&crl->issuer, &cert->issuer)) {
        return false;
    }
    if (crl->point.len == 0) {
        return true;
    }
    return point->has_name ? points_share(point->name, crl->point, &crl->issuer)
                           : point->has_issuer && point_has(crl->point, point->issuer);
}

/* RFC 5280 6.3.3 (b): is this certificate in the list's scope? *reasons: for which. */
static bool in_scope(const struct question *q, const struct cl_crl *crl, unsigned *reasons)
{
    const struct cleat_cert *cert = q->cert;
    struct cl_rd points = cert->crl_points;
    struct point point;
    bool any = false;
    *reasons = 0;
    if (crl->only_attribute || (crl->only_user && cert->is_ca) || (crl->only_ca && !cert->is_ca)) {
        return false;
    }
    if (!cl_cert_has(cert, CL_OID_EXT_CRL_POINTS)) {
        struct cl_gname issuer = {CLEAT_SAN_DIRECTORY, cert->issuer.rdns};
        struct cl_rd full;
        struct cl_rd at = crl->point;
        *reasons = crl->reasons;
        return cl_name_equal(&crl->issuer, &cert->issuer) &&
               (crl->point.len == 0 ||
                (cl_der_get(&at, CL_DER_CTXC(0), &full) && names_share(full, &issuer)));
    }
    while (next_point(&points, &point)) {
        if (meant_by(&point, crl, cert)) {
            any = true;
            *reasons |= crl->reasons & point.reasons;
        }
    }
    return any;
}

static bool may_sign_crls(const struct cleat_cert *cert)
{
    return !cl_cert_has(cert, CL_OID_EXT_KEY_USAGE) || (cert->key_usage & CL_KU_CRL_SIGN) != 0;
}

static bool key_id_fits(const struct cl_crl *crl, const struct cleat_cert *signer)
{
    return crl->aki_key_id.len == 0 || signer->ski.len == 0 ||
           cl_rd_equal(crl->aki_key_id, signer->ski);
}

static enum status of_signature(enum cl_sig_state s)
{
    return s == CL_SIG_GOOD ? STATUS_GOOD : s == CL_SIG_NEEDED ? STATUS_NEEDS_JOB : STATUS_UNUSABLE;
}

static enum status status_of(struct question *q);

/* Has the certificate of a signer of lists been revoked itself? Asked of the lists of its issuer
 * alone, so that there is no recursion beyond this one step. */
static enum status signer_status(const struct question *q, const struct cleat_cert *signer,
                                 size_t issuer)
{
    struct question own = {.v = q->v, .depth = issuer, .nested = true, .cert = signer};
    enum status s = status_of(&own);
    return s == STATUS_REVOKED ? STATUS_UNUSABLE : s == STATUS_NEEDS_JOB ? s : STATUS_GOOD;
}

/* A certificate for signing lists that is not on the path: the CA's own with another key, or that
 * of the issuer of an indirect list. Who stands on the path at or above the CA has issued it, so it
 * has the same anchor, as RFC 5280 6.3.3 (f) demands, and no power that its issuer did not have. */
static enum status other_signer(struct question *q, const struct cl_crl *crl,
                                const struct cleat_cert *signer)
{
    const struct cl_path *path = &q->v->path;
    int64_t now = q->v->verdict->now;
    if (q->nested || signer == path->certs[q->depth] || signer == q->cert ||
        !cl_name_equal(&signer->subject, &crl->issuer) || !may_sign_crls(signer) ||
        !key_id_fits(crl, signer) || now < signer->not_before || now > signer->not_after ||
        !cl_rd_done(&signer->unknown_critical) || signer->sig_alg == NULL) {
        return STATUS_UNUSABLE;
    }
    for (size_t i = q->depth; i < path->num; i++) {
        if (!cl_name_equal(&signer->issuer, &path->certs[i]->subject)) {
            continue;
        }
        enum status s = of_signature(cl_sig_state(q->v, signer, false, path->certs[i]));
        if (s == STATUS_GOOD) {
            s = of_signature(cl_sig_state(q->v, crl, true, signer));
        }
        if (s == STATUS_GOOD) {
            s = signer_status(q, signer, i);
        }
        if (s != STATUS_UNUSABLE) {
            return s;
        }
    }
    return STATUS_UNUSABLE;
}

static enum status authentic(struct question *q, const struct cl_crl *crl)
{
    const struct cl_path *path = &q->v->path;
    const struct cleat_verdict *verdict = q->v->verdict;
    enum status s = STATUS_UNUSABLE;
    bool may_not = false;
    for (size_t i = q->depth; s == STATUS_UNUSABLE && i < path->num; i++) {
        const struct cleat_cert *issuer = path->certs[i];
        if (!cl_name_equal(&issuer->subject, &crl->issuer)) {
            continue;
        }
        may_not = may_not || !may_sign_crls(issuer);
        if (may_sign_crls(issuer) && key_id_fits(crl, issuer)) {
            s = of_signature(cl_sig_state(q->v, crl, true, issuer));
        }
    }
    for (size_t i = 0; s == STATUS_UNUSABLE && i < verdict->num_pool; i++) {
        s = other_signer(q, crl, verdict->pool[i].cert);
    }
    if (s == STATUS_UNUSABLE) {
        q->problem =
            may_not ? "its issuer's key usage has no cRLSign" : "its signature is not the issuer's";
    }
    return s;
}

static bool same_scope(const struct cl_crl *a, const struct cl_crl *b)
{
    return a->only_user == b->only_user && a->only_ca == b->only_ca && a->indirect == b->indirect &&
           a->reasons == b->reasons && cl_rd_equal(a->point, b->point) &&
           cl_rd_equal(a->aki_key_id, b->aki_key_id);
}

/* RFC 5280 6.3.3 (c): a delta list that goes with this complete one. */
static bool goes_with(struct question *q, const struct cl_crl *base, const struct cl_crl *delta)
{
    return delta->is_delta && cl_name_equal(&base->issuer, &delta->issuer) &&
           same_scope(base, delta) && usable(q, delta) && base->number.len != 0 &&
           delta->number.len != 0 && cl_crl_number_compare(base->number, delta->base_number) >= 0 &&
           cl_crl_number_compare(base->number, delta->number) < 0;
}

#define REASON_REMOVE 8 /* removeFromCRL */

static enum status by_deltas(struct question *q, const struct cl_crl *base)
{
    enum status found = STATUS_UNKNOWN;
    for (size_t i = 0; i < q->v->crls->num; i++) {
        const struct cl_crl *delta = q->v->crls->crls[i];
        if (!goes_with(q, base, delta)) {
            continue;
        }
        enum status s = authentic(q, delta);
        if (s == STATUS_NEEDS_JOB) {
            return s;
        }
        if (s == STATUS_GOOD &&
            cl_crl_find(delta, &q->cert->issuer, q->cert->serial, &q->reason, &q->when)) {
            if (q->reason != REASON_REMOVE) {
                return STATUS_REVOKED;
            }
            found = STATUS_GOOD;
        }
    }
    return found;
}

static enum status by_list(struct question *q, const struct cl_crl *crl)
{
    unsigned reasons;
    if (crl->is_delta || !in_scope(q, crl, &reasons)) {
        return STATUS_UNUSABLE;
    }
    if (!usable(q, crl)) {
        return STATUS_UNUSABLE;
    }
    enum status s = authentic(q, crl);
    if (s != STATUS_GOOD) {
        return s;
    }
    s = by_deltas(q, crl);
    if (s == STATUS_REVOKED || s == STATUS_NEEDS_JOB) {
        return s;
    }
    if (s == STATUS_UNKNOWN &&
        cl_crl_find(crl, &q->cert->issuer, q->cert->serial, &q->reason, &q->when)) {
        return STATUS_REVOKED;
    }
    q->reasons |= reasons;
    return STATUS_GOOD;
}

static enum status status_of(struct question *q)
{
    for (size_t i = 0; q->v->crls != NULL && i < q->v->crls->num; i++) {
        enum status s = by_list(q, q->v->crls->crls[i]);
        if (s == STATUS_REVOKED || s == STATUS_NEEDS_JOB) {
            return s;
        }
    }
    return q->reasons == CL_REASONS_ALL ? STATUS_GOOD : STATUS_UNKNOWN;
}

static const char *reason_name(uint32_t reason)
{
    static const char *const names[] = {
        "unspecified",   "keyCompromise",        "cACompromise",    "affiliationChanged",
        "superseded",    "cessationOfOperation", "certificateHold", "",
        "removeFromCRL", "privilegeWithdrawn",   "aACompromise",
    };
    return reason < sizeof(names) / sizeof(names[0]) ? names[reason] : "unknown";
}

static void revoked(const struct question *q, struct cl_fail *fail)
{
    char when[CL_TIME_TEXT] = "";
    cl_time_text(q->when, when);
    (void)cl_fail_set(fail, CLEAT_ERR_REVOKED, CL_CHECK_REVOCATION, q->depth - 1, NULL,
                      "the certificate must be replaced", "it was revoked on %s (%s)", when,
                      reason_name(q->reason));
}

enum cl_revoke cl_revoke_check(struct cl_verify *v, struct cl_fail *fail)
{
    for (size_t i = 0; i + 1 < v->path.num; i++) {
        struct question q = {.v = v, .depth = i + 1, .cert = v->path.certs[i]};
        enum status s = status_of(&q);
        if (s == STATUS_NEEDS_JOB) {
            return CL_REVOKE_NEEDS_JOB;
        }
        if (s == STATUS_REVOKED) {
            revoked(&q, fail);
            return CL_REVOKE_FAILED;
        }
        if (s == STATUS_UNKNOWN && v->verdict->revocation == CLEAT_REVOCATION_REQUIRED) {
            fail->openssl = "UNABLE_TO_GET_CRL";
            (void)cl_fail_set(fail, CLEAT_ERR_REVOCATION_UNKNOWN, CL_CHECK_REVOCATION, i, NULL,
                              "a current CRL of its issuer is needed",
                              "whether it was revoked is not known: %s%s",
                              q.problem != NULL ? "there is a CRL, but " : "there is no CRL for it",
                              q.problem != NULL ? q.problem : "");
            return CL_REVOKE_FAILED;
        }
    }
    return CL_REVOKE_PASSED;
}
