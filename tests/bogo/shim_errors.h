/* tests/bogo/shim_errors.h - our failures in the words that BoringSSL's runner looks for. */
#ifndef BOGO_SHIM_ERRORS_H
#define BOGO_SHIM_ERRORS_H

#include "cleat/error.h"

/* shim_print_error writes ":NAME:" and the failure in our own words to stderr. */
void shim_print_error(const struct cleat_error *error);

#endif
