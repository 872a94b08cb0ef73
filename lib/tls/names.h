/* tls/names.h - IANA's names for numbers that ClientHellos offer, whether we speak them or not. */
#ifndef CL_TLS_NAMES_H
#define CL_TLS_NAMES_H

#include <stdint.h>

/* Each returns a static text, NULL for what is not in its table. */
const char *cl_name_of_version(uint16_t version); /* "TLS 1.3" */
const char *cl_name_of_suite(uint16_t id);
const char *cl_name_of_extension(uint16_t type);
const char *cl_name_of_group(uint16_t id);
const char *cl_name_of_scheme(uint16_t id);

#endif
