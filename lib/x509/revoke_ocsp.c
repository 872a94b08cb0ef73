/* x509/revoke_ocsp.c - what OCSP responses say about a certificate (RFC 6960 3.2).
 *
 * Every answer of every response is looked at, not the first (CVE-2026-3832). A response counts
 * when the certificate's issuer signed it, or somebody whom the issuer itself has given a
 * certificate for that (4.2.2.2: extended key usage OCSPSigning). "unknown" is no answer.
 */
#include "x509/ocsp.h"
#include "x509/revoke.h"

/* 300 seconds: responders sign "now", and clocks differ */
#define SKEW 300

/* Is the response of use at all, whatever it is about? */
static const char *problem_of(const struct cl_ocsp *response, const struct cleat_cert *cert)
{
    if (response->unusable != NULL) {
        return response->unusable;
    }
    if (response->sig_alg == NULL) {
        return "its signature algorithm is too weak";
    }
    if (response->produced_at < cert->not_before || response->produced_at > cert->not_after) {
        return "it was made when the certificate was not valid";
    }
    return NULL;
}

static const char *staleness_of(const struct cl_verify *v, const struct cl_ocsp_answer *answer)
{
    const int64_t now = v->verdict->now;
    const bool endless = answer->next_update == INT64_MIN;
    return answer->this_update > now + SKEW        ? "it is from the future"
           : !endless && answer->next_update < now ? "it is out of date"
           : cl_revoke_too_old(v, answer->this_update, endless ? CL_OCSP_DEFAULT_AGE : 0)
               ? "it is older than is allowed"
               : NULL;
}

/* RFC 6960 4.2.2.2: "issued directly by the CA that is identified in the request". */
static bool may_respond(const struct cl_question *q, const struct cleat_cert *delegate)
{
    const struct cleat_cert *issuer = q->v->path.certs[q->depth];
    const int64_t now = q->v->verdict->now;
    return (delegate->ext_key_usages & CL_EKU_BIT_OCSP) != 0 &&
           cl_name_equal(&delegate->issuer, &issuer->subject) && now >= delegate->not_before &&
           now <= delegate->not_after && cl_cert_allows_digital_signature(delegate) &&
           cl_rd_done(&delegate->unknown_critical) && delegate->sig_alg != NULL;
}

static bool has_nocheck(const struct cleat_cert *cert)
{
    struct cl_rd exts = cert->exts;
    struct cl_ext ext;
    while (cl_ext_next(&exts, &ext)) {
        if (ext.id == CL_OID_OCSP_NOCHECK) {
            return true;
        }
    }
    return false;
}

static enum cl_status by_delegate(const struct cl_question *q, const struct cl_ocsp *response,
                                  const struct cleat_cert *delegate)
{
    if (!cl_ocsp_named_by(response, delegate) || !may_respond(q, delegate)) {
        return CL_STATUS_UNUSABLE;
    }
    enum cl_status s = cl_revoke_of_signature(
        cl_sig_state(q->v, delegate, CL_SIGNED_CERT, q->v->path.certs[q->depth]));
    if (s == CL_STATUS_GOOD) {
        s = cl_revoke_of_signature(cl_sig_state(q->v, response, CL_SIGNED_OCSP, delegate));
    }
    /* RFC 6960 4.2.2.2.1: without id-pkix-ocsp-nocheck its own status matters, as far as it is
     * known */
    if (s == CL_STATUS_GOOD && !has_nocheck(delegate)) {
        s = cl_revoke_signer_status(q, delegate, q->depth);
    }
    return s;
}

static enum cl_status authentic(struct cl_question *q, const struct cl_ocsp *response)
{
    const struct cleat_cert *issuer = q->v->path.certs[q->depth];
    enum cl_status s = CL_STATUS_UNUSABLE;
    if (cl_ocsp_named_by(response, issuer)) {
        s = cl_revoke_of_signature(cl_sig_state(q->v, response, CL_SIGNED_OCSP, issuer));
    }
    for (size_t i = 0; s == CL_STATUS_UNUSABLE && i < response->num_certs; i++) {
        s = by_delegate(q, response, response->certs[i]);
    }
    if (s == CL_STATUS_UNUSABLE) {
        q->problem = "it is not signed by the issuer, nor by a responder that the issuer appointed";
    }
    return s;
}

/* What one answer says, given that the response is authentic. */
static enum cl_status judge(struct cl_question *q, const struct cl_ocsp_answer *answer)
{
    const char *stale = staleness_of(q->v, answer);
    if (stale != NULL) {
        q->problem = stale;
        return CL_STATUS_UNUSABLE;
    }
    /* An answer that is about the certificate and current, but not understood, may say that it is
     * revoked: another one beside it that says "good" does not count then. */
    if (answer->unusable != NULL) {
        q->problem = answer->unusable;
        return CL_STATUS_UNKNOWN;
    }
    switch (answer->status) {
    case CL_OCSP_REVOKED:
        q->when = answer->revoked_at;
        q->reason = answer->reason;
        return CL_STATUS_REVOKED;
    case CL_OCSP_GOOD:
        q->this_update = answer->this_update;
        q->next_update = answer->next_update;
        return CL_STATUS_GOOD;
    default:
        q->problem = "the responder does not know the certificate";
        return CL_STATUS_UNKNOWN;
    }
}

/* Of several answers about the certificate the worst counts: revoked, unknown, good. */
static enum cl_status worse(enum cl_status a, enum cl_status b)
{
    static const uint8_t rank[] = {[CL_STATUS_UNUSABLE] = 0,
                                   [CL_STATUS_GOOD] = 1,
                                   [CL_STATUS_UNKNOWN] = 2,
                                   [CL_STATUS_REVOKED] = 3,
                                   [CL_STATUS_NEEDS_JOB] = 4};
    return rank[a] >= rank[b] ? a : b;
}

static enum cl_status by_response(struct cl_question *q, const struct cl_ocsp *response)
{
    struct cl_rd rest = response->answers;
    struct cl_ocsp_answer answer;
    enum cl_status all = CL_STATUS_UNUSABLE;
    enum cl_status is_authentic = CL_STATUS_UNKNOWN; /* asked once, when something is about it */
    const char *problem = problem_of(response, q->cert);
    if (response->response_status != 0) {
        q->problem = problem;
        return CL_STATUS_UNUSABLE;
    }
    while (cl_ocsp_next(&rest, &answer)) {
        if (!cl_ocsp_is_about(&answer, q->cert, q->v->path.certs[q->depth])) {
            continue;
        }
        if (problem != NULL) {
            q->problem = problem;
            return CL_STATUS_UNUSABLE;
        }
        if (is_authentic == CL_STATUS_UNKNOWN) {
            is_authentic = authentic(q, response);
        }
        if (is_authentic != CL_STATUS_GOOD) {
            return is_authentic;
        }
        all = worse(all, judge(q, &answer));
    }
    return all;
}

enum cl_status cl_revoke_by_responses(struct cl_question *q)
{
    const struct cl_verify *v = q->v;
    enum cl_status found = CL_STATUS_UNKNOWN;
    if (q->depth == 1 && v->staple != NULL) {
        found = by_response(q, v->staple);
        q->stapled = found == CL_STATUS_GOOD;
    } else if (q->depth == 1 && v->staple_problem) {
        q->problem = "it is malformed";
    }
    for (size_t i = 0; v->ocsp != NULL && i < v->ocsp->num; i++) {
        if (found == CL_STATUS_REVOKED || found == CL_STATUS_NEEDS_JOB) {
            return found;
        }
        const enum cl_status s = by_response(q, v->ocsp->responses[i]);
        found = s == CL_STATUS_UNUSABLE || (s == CL_STATUS_UNKNOWN && found == CL_STATUS_GOOD)
                    ? found
                    : s;
    }
    return found == CL_STATUS_UNUSABLE ? CL_STATUS_UNKNOWN : found;
}
