/* serve/credentials.h - certificates, keys and trust anchors from files, with errors that name
 * them. */
#ifndef CL_SERVE_CREDENTIALS_H
#define CL_SERVE_CREDENTIALS_H

#include "cleat/tls.h"
#include "serve/site.h"

/* 1 MiB: a bundle of all the world's roots has some 250 KiB */
#define CL_CREDENTIALS_MAX_FILE 1048576

/* cl_credentials_add reads a chain and its key, and adds them to a configuration. Says on stderr
 * what it has found (unless quiet), and warns of what clients will find wrong (serve/own_chain.h;
 * roots or NULL: what they are likely to trust) and of keys that others can read. err names the
 * file. */
CL_MUST cl_result cl_credentials_add(struct cleat_tls_builder *b, const struct cl_serve_pair *pair,
                                     const struct cleat_trust_store *roots, bool quiet,
                                     struct cleat_error *err);

/* cl_credentials_add_raw reads a key that is shown by itself (RFC 7250), and says its pin on stderr
 * (unless quiet). */
CL_MUST cl_result cl_credentials_add_raw(struct cleat_tls_builder *b, const char *path, bool quiet,
                                         struct cleat_error *err);

/* cl_credentials_trust reads a bundle of anchors. */
CL_MUST cl_result cl_credentials_trust(const char *path, struct cleat_trust_store **out,
                                       struct cleat_error *err);

#endif
