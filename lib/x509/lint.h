/* x509/lint.h - findings about certificates, requests and lists, for `cleat cert lint`: what the
 * standards demand of whoever makes them. Chains as such are looked over by cleat_chain_lint.
 *
 * Every rule is a row of a table: its name never changes, so that scripts can go by it. */
#ifndef CL_X509_LINT_H
#define CL_X509_LINT_H

#include "x509/crl.h"
#include "x509/csr.h"
#include "x509/path.h"

enum cl_lint_level {
    CL_LINT_NOTICE,  /* worth knowing */
    CL_LINT_WARNING, /* some clients mind, or public CAs may not do so */
    CL_LINT_ERROR,   /* a MUST of the standard */
};

struct cl_finding {
    const char *rule; /* "serial_short" */
    enum cl_lint_level level;
    const char *section; /* "RFC 5280 4.1.2.2" */
    char text[400];      /* what is so, with the values */
    const char *fix;
};

/* Each finding is given to the sink at once; it lives no longer than the call. */
typedef void cl_lint_sink(void *ctx, const struct cl_finding *finding);

struct cl_linting {
    bool web; /* also the CA/Browser Forum's rules for certificates of servers */
    const struct cleat_suffix_list *suffixes; /* or NULL */
    int64_t now;                              /* Unix seconds */
    cl_lint_sink *sink;
    void *ctx;
};

void cl_lint_cert(const struct cl_linting *how, const struct cleat_cert *cert);
void cl_lint_csr(const struct cl_linting *how, const struct cl_csr *csr);
void cl_lint_crl(const struct cl_linting *how, const struct cl_crl *crl);

/* cl_lint_find tells, with the text formatted, of one finding; for the tables. */
void cl_lint_find(const struct cl_linting *how, const struct cl_finding *head, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* cl_lint_role: what a certificate is, by itself. */
enum cl_role cl_lint_role(const struct cleat_cert *cert);

/* cl_lint_profile tells of every row of lint.c's table that the certificate breaks; cl_lint_wanted
 * of those of lint_web.c that are about the names and the key of a request. */
void cl_lint_profile(const struct cl_linting *how, const struct cleat_cert *cert);
void cl_lint_wanted(const struct cl_linting *how, const struct cleat_cert *wanted);

#endif
