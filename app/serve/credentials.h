/* serve/credentials.h - certificates, keys and trust anchors from files, with errors that name
 * them. */
#ifndef CL_SERVE_CREDENTIALS_H
#define CL_SERVE_CREDENTIALS_H

#include "cleat/tls.h"
#include "serve/site.h"

/* 1 MiB: a bundle of all the world's roots has some 250 KiB */
#define CL_CREDENTIALS_MAX_FILE 1048576

/* What is said on stderr about a certificate or key that was read. */
enum cl_credentials_say {
    CL_CREDENTIALS_SAY_ALL,
    CL_CREDENTIALS_SAY_WARNINGS,
    CL_CREDENTIALS_SAY_NOTHING, /* the permissions of key files are small_file.h's affair */
};

/* cl_credentials_add reads a chain and its key, and adds them to a configuration. Says on stderr
 * what it has found, and warns of what clients will find wrong (serve/own_chain.h; roots or NULL:
 * what they are likely to trust) and of keys that others can read. word: for keys that are
 * encrypted, and PKCS#12 files; NULL: nobody is asked. err names the file. */
CL_MUST cl_result cl_credentials_add(struct cleat_tls_builder *b, const struct cl_serve_pair *pair,
                                     struct cl_passphrase *word,
                                     const struct cleat_trust_store *roots,
                                     enum cl_credentials_say say, struct cleat_error *err);

/* cl_credentials_add_raw reads a key that is shown by itself (RFC 7250), and says its pin on
 * stderr. */
CL_MUST cl_result cl_credentials_add_raw(struct cleat_tls_builder *b, const char *path,
                                         struct cl_passphrase *word, enum cl_credentials_say say,
                                         struct cleat_error *err);

/* cl_credentials_trust reads a bundle of anchors. */
CL_MUST cl_result cl_credentials_trust(const char *path, struct cleat_trust_store **out,
                                       struct cleat_error *err);

#endif
