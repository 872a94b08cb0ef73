/* x509/path.h - a path being checked, and the checks that concern all of it; for lib/x509 alone.
 *
 * Index 0 is the leaf, the last certificate of a complete path its anchor. A check that fails fills
 * in a struct cl_fail; its text is only written when somebody wants it (err not NULL): path
 * building meets failures by the hundred.
 */
#ifndef CL_X509_PATH_H
#define CL_X509_PATH_H

#include "x509/fields.h"
#include "x509/verify.h"

/* X(id, name, section) */
#define CL_CHECK_LIST(X)                                                \
    X(ANCHOR, "trust anchor", "RFC 5280 6.1.1 (d)")                     \
    X(ISSUER, "issuer", "RFC 5280 6.1.3 (a)(4)")                        \
    X(SIGNATURE, "signature", "RFC 5280 6.1.3 (a)(1)")                  \
    X(ALGORITHM, "signature algorithm", "RFC 5280 4.1.1.2")             \
    X(KEY, "public key", "RFC 5280 4.1.2.7")                            \
    X(VALIDITY, "validity", "RFC 5280 6.1.3 (a)(2)")                    \
    X(CRITICAL, "critical extensions", "RFC 5280 4.2")                  \
    X(BASIC, "basic constraints", "RFC 5280 6.1.4 (k)")                 \
    X(PATH_LEN, "path length", "RFC 5280 6.1.4 (m)")                    \
    X(KEY_USAGE, "key usage", "RFC 5280 6.1.4 (n)")                     \
    X(EKU, "extended key usage", "RFC 5280 4.2.1.12")                   \
    X(NAME_CONSTRAINTS, "name constraints", "RFC 5280 4.2.1.10")        \
    X(POLICIES, "certificate policies", "RFC 5280 6.1.3 (d), RFC 9618") \
    X(HOST, "host name", "RFC 9525 6")                                  \
    X(EMAIL, "mailbox", "RFC 5280 4.2.1.6")                             \
    X(DANE, "TLSA records", "RFC 6698 4.1")                             \
    X(REVOCATION, "revocation", "RFC 5280 6.3")                         \
    X(TRANSPARENCY, "transparency", "RFC 6962 3.3")                     \
    X(PROFILE, "profile", "RFC 5280 4")                                 \
    X(LIMITS, "limits", "")                                             \
    X(FORM, "form", "RFC 5280 4.1")

enum cl_check_id {
#define CL_X(id, name, section) CL_CHECK_##id,
    CL_CHECK_LIST(CL_X)
#undef CL_X
        CL_CHECK_COUNT,
};

struct cl_path {
    const struct cleat_cert *certs[CL_VERIFY_MAX_DEPTH];
    size_t num;
    bool complete;
};

/* Why a check failed. */
struct cl_fail {
    cl_result code;
    enum cl_check_id check;
    uint8_t depth;
    const char *openssl;     /* what OpenSSL calls it; NULL: by code */
    struct cleat_error *err; /* where the text goes; NULL: nobody asks */
    const struct cl_path *path;
    const struct cleat_verdict *verdict; /* for the names of certificates; may be NULL */
};

/* cl_fail_set fills in code, check and depth, and the text if somebody asks for it; returns false,
 * so that checks can `return cl_fail_set(...)`. section NULL: the check's own. The arguments of the
 * format must be cheap; cl_fail_wanted says whether to prepare costly ones. */
bool cl_fail_set(struct cl_fail *fail, cl_result code, enum cl_check_id check, size_t depth,
                 const char *section, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 7, 8)));

static inline bool cl_fail_wanted(const struct cl_fail *fail)
{
    return fail->err != NULL;
}

/* cl_cert_label writes a short name of a certificate for messages: its CN, else its first SAN, else
 * its subject. */
#define CL_LABEL_MAX 96
void cl_cert_label(const struct cleat_cert *cert, char out[CL_LABEL_MAX]);

/* cl_constraints_check: RFC 5280 6.1.3 (b), (c) for every certificate of a complete path. *work
 * counts comparisons, bounded by CL_VERIFY_MAX_NAME_COMPARISONS. */
CL_RD_MUST bool cl_constraints_check(const struct cl_path *path, uint32_t *work,
                                     struct cl_fail *fail);

/* cl_policies_check: RFC 5280 6.1 with the policy graph of RFC 9618. *skipped: no explicit policy
 * can be required on this path, so there is nothing to decide. oids are the initial policies
 * (contents of OIDs); none: anyPolicy. */
struct cl_policy_inputs {
    const struct cl_rd *oids;
    size_t num_oids;
    bool require_explicit;
    bool inhibit_mapping;
    bool inhibit_any;
};
CL_RD_MUST bool cl_policies_check(const struct cl_path *path, const struct cl_policy_inputs *in,
                                  bool *skipped, struct cl_fail *fail);

/* cl_lint checks one certificate against the profile of a policy. */
enum cl_role {
    CL_ROLE_LEAF = 1,
    CL_ROLE_CA = 2,
    CL_ROLE_ANCHOR = 4,
};
CL_RD_MUST bool cl_lint(const struct cleat_cert *cert, enum cl_role role, enum cleat_policy policy,
                        const struct cleat_suffix_list *suffixes, size_t depth,
                        struct cl_fail *fail);

/* cl_constraints_form checks the bases of one certificate's constraints by the letter of RFC 5280
 * 4.2.1.10. */
CL_RD_MUST bool cl_constraints_form(const struct cleat_cert *cert);

#endif
