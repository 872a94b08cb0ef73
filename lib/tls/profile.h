/* tls/profile.h - the table of profiles (cleat/profile.h). */
#ifndef CL_TLS_PROFILE_H
#define CL_TLS_PROFILE_H

#include "cleat/profile.h"
#include "tls/config.h"

/* 2,048: RFC 9325 4.5, and what the verifier demands of every RSA key of a path */
#define CL_PROFILE_RSA_BITS 2048

struct cl_profile {
    const char *name;
    const char *about; /* a sentence or two */
    uint16_t version_min;
    uint16_t version_max;
    /* Names separated by ':', in order of preference; NULL: all that are on by default. */
    const char *suites;
    const char *groups;
    const char *schemes;
    unsigned min_rsa_bits;
    unsigned num_tickets;
    uint32_t ticket_lifetime; /* seconds */
    bool without_master_secret;
    bool legacy; /* suites with a known weakness may be named beside it */
};

/* cl_profile_at gives the table row by row, then NULL; cl_profile_by_name NULL for none. */
const struct cl_profile *cl_profile_at(size_t i);
const struct cl_profile *cl_profile_by_name(const char *name);

/* cl_profile_fill sets what a configuration negotiates; false if the table names what is not built.
 */
bool cl_profile_fill(const struct cl_profile *profile, struct cleat_tls_config *config);

#endif
