/* cli/cert_looks.h - what a file looks like that is none of the kinds that are read, and what to do
 * with it. */
#ifndef CL_CLI_CERT_LOOKS_H
#define CL_CLI_CERT_LOOKS_H

#include "base/bytes.h"
#include "base/result.h"

/* cert_looks_explain always fails, with NO_CERTIFICATE; err names path. */
CL_MUST cl_result cert_looks_explain(struct cl_rd bytes, const char *path, struct cleat_error *err);

#endif
