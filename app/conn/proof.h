/* conn/proof.h - a verdict on a chain as JSON: for traces and for `cleat cert`. */
#ifndef CL_CONN_PROOF_H
#define CL_CONN_PROOF_H

#include <jansson.h>

#include "cleat/x509.h"

/* cl_proof_tries gives an array with every path that was tried: its certificates, every check with
 * depth, name, result, section and values, and why it was refused. NULL when memory is short. */
json_t *cl_proof_tries(const struct cleat_verdict *verdict);

/* cl_proof_cert gives the names, times and fingerprint of a certificate. */
json_t *cl_proof_cert(const struct cleat_cert *cert);

/* cl_proof_result names a check's result: "passed", "failed", "skipped". */
const char *cl_proof_result(enum cleat_check_result result);

/* cl_proof_num_passed counts the checks that the accepted path has passed. */
size_t cl_proof_num_passed(const struct cleat_verdict *verdict);

#endif
