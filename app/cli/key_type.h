/* cli/key_type.h - the kinds of keys by the names that --key-type takes. */
#ifndef CL_CLI_KEY_TYPE_H
#define CL_CLI_KEY_TYPE_H

#include "cli/options.h"
#include "crypto/key.h"

struct key_type {
    const char *name;
    enum cl_key_type type;
    unsigned bits; /* of RSA; else 0 */
};

/* key_type_set finds o->value among the names, or complains and returns CL_EXIT_USAGE. */
int key_type_set(const struct key_type **out, const struct cl_options *o);

/* key_type_default: P-256, which every client takes and which signs quickest. */
const struct key_type *key_type_default(void);

#endif
