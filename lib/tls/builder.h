/* tls/builder.h - what the files with a builder's setters share (config.c, config_options.c). */
#ifndef CL_TLS_BUILDER_H
#define CL_TLS_BUILDER_H

#include "tls/config.h"

struct cleat_tls_builder {
    struct cleat_tls_config *config;
    struct cleat_error error; /* the first failure */
};

/* cl_builder_credential adds a credential: a chain with its key, or, with chain NULL, a raw public
 * key. */
int cl_builder_credential(struct cleat_tls_builder *b, struct cleat_chain *chain,
                          struct cleat_key *key);

/* cl_builder_check_raw_keys: what finish demands where raw public keys are taken. */
CL_MUST cl_result cl_builder_check_raw_keys(struct cleat_tls_builder *b);

/* cl_builder_check_pins: what finish demands where keys are pinned. */
CL_MUST cl_result cl_builder_check_pins(struct cleat_tls_builder *b);

/* cl_builder_check_dane: that somebody looks at the TLSA records. */
CL_MUST cl_result cl_builder_check_dane(struct cleat_tls_builder *b);

/* cl_builder_fail records a failure that its code alone explains, and returns the code. */
static inline int cl_builder_fail(struct cleat_tls_builder *b, cl_result code)
{
    return (int)cl_error_set(&b->error, (struct cl_why){.code = code}, "%s",
                             cleat_error_sentence((int)code));
}

#endif
