/* tests/bogo/shim_compress.h - the runner's own ways to compress a certificate: simple enough to be
 * made on both sides, and each odd in its own way. */
#ifndef BOGO_SHIM_COMPRESS_H
#define BOGO_SHIM_COMPRESS_H

#include "bogo/shim_config.h"

/* shim_set_compressions: those that the options name, in place of the library's. */
void shim_set_compressions(struct cleat_tls_builder *b, const struct shim_options *o);

#endif
