/* x509/revoke_crl.c - what revocation lists say about a certificate (RFC 5280 6.3.3). Not done:
 * lists whose signer stands more than one certificate away from the path.
 */
#include "x509/gname.h"
#include "x509/revoke.h"

static bool number_good(const struct cl_verify *v, const struct cl_crl *crl)
{
    /* RFC 5280 5.2.3: "CRL issuers conforming to this profile MUST include this extension in all
     * CRLs and MUST mark this extension as non-critical." */
    return v->verdict->policy == CLEAT_POLICY_DEFAULT ||
           (crl->number.len != 0 && !crl->number_critical);
}

static bool usable(struct cl_question *q, const struct cl_crl *crl)
{
    int64_t now = q->v->verdict->now;
    /* RFC 5280 5.1.2.5 demands nextUpdate; without it a limit to the age is needed */
    bool endless = crl->next_update == INT64_MIN;
    q->problem = crl->unusable                        ? crl->unusable
                 : crl->sig_alg == NULL               ? "its signature algorithm is too weak"
                 : !number_good(q->v, crl)            ? "its CRL number is missing or critical"
                 : crl->this_update > now             ? "it is from the future"
                 : endless && q->v->max_age == 0      ? "it has no nextUpdate"
                 : !endless && crl->next_update < now ? "it is out of date"
                 : cl_revoke_too_old(q->v, crl->this_update, 0) ? "it is older than is allowed"
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
static bool in_scope(const struct cl_question *q, const struct cl_crl *crl, unsigned *reasons)
{
    const struct cleat_cert *cert = q->cert;
    struct cl_rd points = cert->crl_points;
    struct point point;
    bool any = false;
    *reasons = 0;
    /* RFC 5280 5.2.5: "the scope of the CRL MUST NOT include any version 1 or version 2
     * certificates" */
    if ((crl->only_user || crl->only_ca) && cert->version < 3) {
        return false;
    }
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

/* Asked of the lists of its issuer alone, so that there is no recursion beyond this one step. */
enum cl_status cl_revoke_signer_status(const struct cl_question *q, const struct cleat_cert *signer,
                                       size_t issuer)
{
    struct cl_question own = {.v = q->v, .depth = issuer, .nested = true, .cert = signer};
    enum cl_status s = cl_revoke_by_lists(&own);
    return s == CL_STATUS_REVOKED     ? CL_STATUS_UNUSABLE
           : s == CL_STATUS_NEEDS_JOB ? s
                                      : CL_STATUS_GOOD;
}

/* A certificate for signing lists that is not on the path: the CA's own with another key, or that
 * of the issuer of an indirect list. Who stands on the path at or above the CA has issued it, so it
 * has the same anchor, as RFC 5280 6.3.3 (f) demands, and no power that its issuer did not have. */
static enum cl_status other_signer(struct cl_question *q, const struct cl_crl *crl,
                                   const struct cleat_cert *signer)
{
    const struct cl_path *path = &q->v->path;
    int64_t now = q->v->verdict->now;
    if (q->nested || signer == path->certs[q->depth] || signer == q->cert ||
        !cl_name_equal(&signer->subject, &crl->issuer) || !may_sign_crls(signer) ||
        !key_id_fits(crl, signer) || now < signer->not_before || now > signer->not_after ||
        !cl_rd_done(&signer->unknown_critical) || signer->sig_alg == NULL) {
        return CL_STATUS_UNUSABLE;
    }
    for (size_t i = q->depth; i < path->num; i++) {
        if (!cl_name_equal(&signer->issuer, &path->certs[i]->subject)) {
            continue;
        }
        enum cl_status s =
            cl_revoke_of_signature(cl_sig_state(q->v, signer, CL_SIGNED_CERT, path->certs[i]));
        if (s == CL_STATUS_GOOD) {
            s = cl_revoke_of_signature(cl_sig_state(q->v, crl, CL_SIGNED_CRL, signer));
        }
        if (s == CL_STATUS_GOOD) {
            s = cl_revoke_signer_status(q, signer, i);
        }
        if (s != CL_STATUS_UNUSABLE) {
            return s;
        }
    }
    return CL_STATUS_UNUSABLE;
}

static enum cl_status authentic(struct cl_question *q, const struct cl_crl *crl)
{
    const struct cl_path *path = &q->v->path;
    const struct cleat_verdict *verdict = q->v->verdict;
    enum cl_status s = CL_STATUS_UNUSABLE;
    bool may_not = false;
    for (size_t i = q->depth; s == CL_STATUS_UNUSABLE && i < path->num; i++) {
        const struct cleat_cert *issuer = path->certs[i];
        if (!cl_name_equal(&issuer->subject, &crl->issuer)) {
            continue;
        }
        may_not = may_not || !may_sign_crls(issuer);
        if (may_sign_crls(issuer) && key_id_fits(crl, issuer)) {
            s = cl_revoke_of_signature(cl_sig_state(q->v, crl, CL_SIGNED_CRL, issuer));
        }
    }
    for (size_t i = 0; s == CL_STATUS_UNUSABLE && i < verdict->num_pool; i++) {
        s = other_signer(q, crl, verdict->pool[i].cert);
    }
    if (s == CL_STATUS_UNUSABLE) {
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
static bool goes_with(struct cl_question *q, const struct cl_crl *base, const struct cl_crl *delta)
{
    return delta->is_delta && cl_name_equal(&base->issuer, &delta->issuer) &&
           same_scope(base, delta) && usable(q, delta) && base->number.len != 0 &&
           delta->number.len != 0 && cl_crl_number_compare(base->number, delta->base_number) >= 0 &&
           cl_crl_number_compare(base->number, delta->number) < 0;
}

static enum cl_status by_deltas(struct cl_question *q, const struct cl_crl *base)
{
    enum cl_status found = CL_STATUS_UNKNOWN;
    for (size_t i = 0; i < q->v->crls->num; i++) {
        const struct cl_crl *delta = q->v->crls->crls[i];
        if (!goes_with(q, base, delta)) {
            continue;
        }
        enum cl_status s = authentic(q, delta);
        if (s == CL_STATUS_NEEDS_JOB) {
            return s;
        }
        if (s == CL_STATUS_GOOD &&
            cl_crl_find(delta, &q->cert->issuer, q->cert->serial, &q->reason, &q->when)) {
            if (q->reason != CL_REASON_REMOVE) {
                return CL_STATUS_REVOKED;
            }
            found = CL_STATUS_GOOD;
        }
    }
    return found;
}

static enum cl_status by_list(struct cl_question *q, const struct cl_crl *crl)
{
    unsigned reasons;
    if (crl->is_delta || !in_scope(q, crl, &reasons)) {
        return CL_STATUS_UNUSABLE;
    }
    if (!usable(q, crl)) {
        return CL_STATUS_UNUSABLE;
    }
    enum cl_status s = authentic(q, crl);
    if (s != CL_STATUS_GOOD) {
        return s;
    }
    s = by_deltas(q, crl);
    if (s == CL_STATUS_REVOKED || s == CL_STATUS_NEEDS_JOB) {
        return s;
    }
    if (s == CL_STATUS_UNKNOWN &&
        cl_crl_find(crl, &q->cert->issuer, q->cert->serial, &q->reason, &q->when)) {
        return CL_STATUS_REVOKED;
    }
    q->reasons |= reasons;
    q->this_update = crl->this_update;
    q->next_update = crl->next_update;
    return CL_STATUS_GOOD;
}

enum cl_status cl_revoke_by_lists(struct cl_question *q)
{
    for (size_t i = 0; q->v->crls != NULL && i < q->v->crls->num; i++) {
        enum cl_status s = by_list(q, q->v->crls->crls[i]);
        if (s == CL_STATUS_REVOKED || s == CL_STATUS_NEEDS_JOB) {
            return s;
        }
    }
    return q->reasons == CL_REASONS_ALL ? CL_STATUS_GOOD : CL_STATUS_UNKNOWN;
}
