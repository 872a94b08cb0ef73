/* conn/proof.h - a verdict on a chain as JSON: for traces and for `cleat cert`. */
#ifndef CL_CONN_PROOF_H
#define CL_CONN_PROOF_H

#include <jansson.h>

#include "cleat/ct.h"
#include "cleat/x509.h"

/* cl_proof_tries gives an array with every path that was tried: its certificates, every check with
 * depth, name, result, section and values, and why it was refused. NULL when memory is short. */
json_t *cl_proof_tries(const struct cleat_verdict *verdict);

/* cl_proof_cert gives the names, times and fingerprint of a certificate. */
json_t *cl_proof_cert(const struct cleat_cert *cert);

/* cl_proof_scts gives an array with every certificate timestamp that was looked at: its log, where
 * it was found, and what it is worth. */
json_t *cl_proof_scts(const struct cleat_verdict *verdict);

/* cl_proof_sct_text says the same of one in words, printable: "valid: LOG (operated by X, usable),
 * embedded, of 2026-01-01 12:00:00". */
#define CL_PROOF_SCT_SIZE 400
const char *cl_proof_sct_text(const struct cleat_sct *sct, char out[CL_PROOF_SCT_SIZE]);

/* cl_proof_result names a check's result: "passed", "failed", "skipped". */
const char *cl_proof_result(enum cleat_check_result result);

/* cl_proof_num_passed counts the checks that the accepted path has passed. */
size_t cl_proof_num_passed(const struct cleat_verdict *verdict);

#endif
