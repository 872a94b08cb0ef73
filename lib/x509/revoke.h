/* x509/revoke.h - what is known about the revocation of one certificate, between revoke.c (the
 * policy), revoke_crl.c (lists) and revoke_ocsp.c (responses); for lib/x509 alone.
 *
 * Everything is decided anew at each call from what is given and the signatures checked so far;
 * when one is missing, it is asked for and the caller comes back.
 */
#ifndef CL_X509_REVOKE_H
#define CL_X509_REVOKE_H

#include "x509/verify_impl.h"

enum cl_status {
    CL_STATUS_GOOD,
    CL_STATUS_REVOKED,
    CL_STATUS_UNKNOWN,
    CL_STATUS_NEEDS_JOB,
    CL_STATUS_UNUSABLE, /* of one list or response */
};

/* The certificate in question, what is known about it so far, and what came of it. */
struct cl_question {
    struct cl_verify *v;
    size_t depth; /* of the issuer on the path */
    bool nested;  /* about a signer of lists, whose own lists must be the issuer's */
    const struct cleat_cert *cert;
    unsigned reasons; /* for which good lists have spoken */
    uint32_t reason;  /* why it was revoked */
    int64_t when;
    int64_t this_update; /* of what said good */
    int64_t next_update; /* INT64_MIN: none */
    bool stapled;        /* the peer's own staple said good */
    const char *problem; /* why the last list or response was of no use */
};

/* revoke_crl.c */
enum cl_status cl_revoke_by_lists(struct cl_question *q);
/* cl_revoke_signer_status: has the certificate of a signer of lists or responses been revoked
 * itself? issuer: where its issuer stands on the path. */
enum cl_status cl_revoke_signer_status(const struct cl_question *q, const struct cleat_cert *signer,
                                       size_t issuer);

/* revoke_ocsp.c */
enum cl_status cl_revoke_by_responses(struct cl_question *q);

/* revoke.c: a signature's state as a status; is something older than the options allow (or than
 * otherwise, seconds, when they say nothing; 0: any age)? */
enum cl_status cl_revoke_of_signature(enum cl_sig_state s);
bool cl_revoke_too_old(const struct cl_verify *v, int64_t this_update, int64_t otherwise);

#endif
