/* cli/cert_names.h - the names of a command line, sorted into what a certificate calls them. */
#ifndef CL_CLI_CERT_NAMES_H
#define CL_CLI_CERT_NAMES_H

#include "x509/build.h"

/* 100 names in one leaf: more is a mistake in a script */
#define CERT_MAX_NAMES 100

/* {0} is safe to deinit. */
struct cert_names {
    const char *dns[CERT_MAX_NAMES], *ip[CERT_MAX_NAMES], *email[CERT_MAX_NAMES];
    size_t num_dns, num_ip, num_email;
    uint8_t *converted[CERT_MAX_NAMES]; /* A-labels, from libidn2 */
    size_t num_converted;
};

/* cert_names_sort takes DNS names (also "*.…", also international), IP addresses and mailboxes, at
 * most CERT_MAX_NAMES, which must live as long as out. BAD_CONFIG for one that is none. */
CL_MUST cl_result cert_names_sort(struct cert_names *out, const char *const *names, size_t num,
                                  struct cleat_error *err);
void cert_names_deinit(struct cert_names *names);

/* cert_names_fill puts them into a template, which borrows them; the common name is first, if it is
 * short enough. */
void cert_names_fill(const struct cert_names *names, const char *first,
                     struct cl_cert_template *tpl);

#endif
