/* x509/revoke.c - may the certificates below the anchor count as not revoked? Asks lists and
 * responses, in every case both: "revoked" by either is final. What remains unknown is judged by
 * the policy of each source and by the one for all (enum cleat_revocation).
 */
#include "x509/crl_build.h"
#include "x509/revoke.h"

enum cl_status cl_revoke_of_signature(enum cl_sig_state s)
{
    return s == CL_SIG_GOOD     ? CL_STATUS_GOOD
           : s == CL_SIG_NEEDED ? CL_STATUS_NEEDS_JOB
                                : CL_STATUS_UNUSABLE;
}

bool cl_revoke_too_old(const struct cl_verify *v, int64_t this_update, int64_t otherwise)
{
    int64_t max_age = v->max_age != 0 ? v->max_age : otherwise;
    return max_age != 0 && v->verdict->now > max_age && this_update < v->verdict->now - max_age;
}

bool cl_revoke_wanted(const struct cl_verify *v)
{
    return v->verdict->revocation != CLEAT_REVOCATION_OFF ||
           v->from_crls == CLEAT_SOURCE_REQUIRED || v->from_ocsp == CLEAT_SOURCE_REQUIRED ||
           v->staple_asked || v->staple_required;
}

/* What was found out about one certificate. */
struct findings {
    struct cl_question lists;
    struct cl_question responses;
    enum cl_status by_lists;
    enum cl_status by_responses;
};

static bool revoked(const struct cl_question *q, const char *source, const char *section,
                    struct cl_fail *fail)
{
    char when[CL_TIME_TEXT] = "";
    cl_time_text(q->when, when);
    return cl_fail_set(fail, CLEAT_ERR_REVOKED, CL_CHECK_REVOCATION, q->depth - 1, section,
                       "the certificate must be replaced", "it was revoked on %s (%s), says %s",
                       when, cl_crl_reason_name(q->reason), source);
}

static bool unknown(const struct findings *f, const char *wanted, struct cl_fail *fail)
{
    const char *list = f->lists.problem;
    const char *response = f->responses.problem;
    fail->openssl = "UNABLE_TO_GET_CRL";
    return cl_fail_set(fail, CLEAT_ERR_REVOCATION_UNKNOWN, CL_CHECK_REVOCATION, f->lists.depth - 1,
                       NULL, wanted, "whether it was revoked is not known: %s%s%s%s%s",
                       list != NULL       ? "there is a CRL, but "
                       : response != NULL ? ""
                                          : "there is no CRL for it",
                       list != NULL ? list : "", list != NULL && response != NULL ? "; " : "",
                       response != NULL ? "there is an OCSP response, but "
                       : list != NULL   ? ""
                                        : " and no OCSP response",
                       response != NULL ? response : "");
}

/* RFC 7633 4.2.3.1: a certificate with the feature status_request is only good with a good staple,
 * where the handshake asked for one. With OCSP switched off nobody would look at it. */
static bool staple_missing(const struct findings *f)
{
    const struct cl_verify *v = f->lists.v;
    const bool by_feature =
        v->staple_asked && v->from_ocsp != CLEAT_SOURCE_OFF && cl_cert_must_staple(f->lists.cert);
    return f->lists.depth == 1 && (by_feature || v->staple_required) &&
           !(f->by_responses == CL_STATUS_GOOD && f->responses.stapled);
}

static bool fail_staple(const struct findings *f, struct cl_fail *fail)
{
    const char *problem = f->responses.problem;
    const bool by_feature = cl_cert_must_staple(f->lists.cert);
    fail->openssl = "OCSP_VERIFY_NEEDED";
    return cl_fail_set(fail, CLEAT_ERR_REVOCATION_UNKNOWN, CL_CHECK_REVOCATION, 0,
                       by_feature ? "RFC 7633 4.2.3.1" : "RFC 6066 8",
                       "the server must staple a current OCSP response", "%s, and %s%s",
                       by_feature ? "it demands a stapled OCSP response (must-staple)"
                                  : "a stapled OCSP response is demanded",
                       problem != NULL ? "of the one there is: " : "there is none",
                       problem != NULL ? problem : "");
}

static bool acceptable(const struct findings *f, struct cl_fail *fail)
{
    const struct cl_verify *v = f->lists.v;
    const bool known = f->by_lists == CL_STATUS_GOOD || f->by_responses == CL_STATUS_GOOD;
    if (f->by_responses == CL_STATUS_REVOKED) {
        return revoked(&f->responses, "an OCSP response", "RFC 6960 2.2", fail);
    }
    if (f->by_lists == CL_STATUS_REVOKED) {
        return revoked(&f->lists, "a CRL", "RFC 5280 6.3", fail);
    }
    if (staple_missing(f)) {
        return fail_staple(f, fail);
    }
    if (v->from_crls == CLEAT_SOURCE_REQUIRED && f->by_lists != CL_STATUS_GOOD) {
        return unknown(f, "a current CRL of its issuer is needed", fail);
    }
    if (v->from_ocsp == CLEAT_SOURCE_REQUIRED && f->by_responses != CL_STATUS_GOOD) {
        return unknown(f, "a current OCSP response for it is needed", fail);
    }
    if (v->verdict->revocation == CLEAT_REVOCATION_REQUIRED && !known) {
        return unknown(f, "a current CRL of its issuer or OCSP response for it is needed", fail);
    }
    return true;
}

static struct cl_note note_of(const struct findings *f)
{
    const bool by_response = f->by_responses == CL_STATUS_GOOD;
    const struct cl_question *q = by_response ? &f->responses : &f->lists;
    if (!by_response && f->by_lists != CL_STATUS_GOOD) {
        return (struct cl_note){.source = CL_NOTE_UNKNOWN,
                                .problem = f->responses.problem != NULL ? f->responses.problem
                                                                        : f->lists.problem};
    }
    return (struct cl_note){.source = !by_response ? CL_NOTE_CRL
                                      : q->stapled ? CL_NOTE_STAPLE
                                                   : CL_NOTE_OCSP,
                            .this_update = q->this_update,
                            .next_update = q->next_update};
}

/* False: a job waits. */
static bool find_out(struct cl_verify *v, size_t depth, struct findings *f)
{
    const struct cl_question q = {.v = v, .depth = depth + 1, .cert = v->path.certs[depth]};
    *f = (struct findings){.lists = q,
                           .responses = q,
                           .by_lists = CL_STATUS_UNKNOWN,
                           .by_responses = CL_STATUS_UNKNOWN};
    if (v->from_ocsp != CLEAT_SOURCE_OFF) {
        f->by_responses = cl_revoke_by_responses(&f->responses);
    }
    if (v->from_crls != CLEAT_SOURCE_OFF && f->by_responses != CL_STATUS_NEEDS_JOB) {
        f->by_lists = cl_revoke_by_lists(&f->lists);
    }
    return f->by_responses != CL_STATUS_NEEDS_JOB && f->by_lists != CL_STATUS_NEEDS_JOB;
}

enum cl_revoke cl_revoke_check(struct cl_verify *v, struct cl_fail *fail)
{
    for (size_t i = 0; i + 1 < v->path.num; i++) {
        struct findings f;
        if (!find_out(v, i, &f)) {
            return CL_REVOKE_NEEDS_JOB;
        }
        if (!acceptable(&f, fail)) {
            return CL_REVOKE_FAILED;
        }
        v->verdict->notes[i] = note_of(&f);
    }
    return CL_REVOKE_PASSED;
}
