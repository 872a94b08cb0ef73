/* tls/suite.h - the cipher suites, and reading a user's list of names. */
#ifndef CL_TLS_SUITE_H
#define CL_TLS_SUITE_H

#include "base/result.h"
#include "crypto/aead.h"
#include "crypto/hash.h"

struct cl_suite {
    uint16_t id;
    const char *name;       /* IANA */
    const char *short_name; /* as people abbreviate it: "AES-128-GCM" */
    enum cl_aead_id aead;
    enum cl_hash_id hash;
    bool by_default;
};

/* cl_suite_by_id returns NULL for a suite that is not built; cl_suite_by_name accepts IANA names
 * and the short ones, ignoring ASCII case; cl_suite_at gives the table row by row, then NULL. */
const struct cl_suite *cl_suite_by_id(uint16_t id);
const struct cl_suite *cl_suite_by_name(const char *name, size_t len);
const struct cl_suite *cl_suite_at(size_t i);

#endif
