/* cli/dev_stores.h - the trust stores of this machine: the local CA goes in, and out again.
 *
 * What is ours in a store is known by its contents: nothing else is ever taken out. Nothing is run
 * as another user; for what this one may not do, the command is told that would. */
#ifndef CL_CLI_DEV_STORES_H
#define CL_CLI_DEV_STORES_H

#include "cli/dev_ca.h"

/* Which stores, as mkcert's TRUST_STORES names them. */
#define DEV_STORE_SYSTEM 0x01u
#define DEV_STORE_JAVA   0x02u
#define DEV_STORE_NSS    0x04u
#define DEV_STORE_ALL    0x07u

/* dev_stores_which reads a list like "system,nss"; NULL or empty: all. false: a word in it is
 * unknown. */
bool dev_stores_which(const char *list, unsigned *out);

struct dev_stores {
    const struct dev_ca *ca;
    unsigned which;
    bool remove;
    struct cl_buf pem; /* the CA's certificate */
    char nick[64];     /* "Cleat dev CA 1f2e…", its name in NSS and Java */
    char stem[64];     /* "cleat-dev-ca-1f2e…", its file's name */
    unsigned num_done; /* stores that trust it now, or that no longer do */
    unsigned num_failed;
};

/* dev_stores_change puts the CA into all stores that there are, or takes it out, and tells of each
 * on standard output. CL_OK also when some could not be changed: num_failed counts them. */
CL_MUST cl_result dev_stores_change(struct dev_stores *s, struct cleat_error *err);

/* For the stores themselves: what was done ("trusts it", "already trusts it", "does not have it",
 * …) to which store, and how what was not done can be. */
void dev_stores_done(struct dev_stores *s, const char *store, const char *path, const char *note);
void dev_stores_failed(struct dev_stores *s, const char *store, const char *path, const char *why,
                       const char *fix);

void dev_store_system(struct dev_stores *s);
void dev_store_nss(struct dev_stores *s);
void dev_store_java(struct dev_stores *s);

/* dev_stores_same says whether a text of PEM holds the CA's certificate, and nothing else: what a
 * store has under one name may be several. */
bool dev_stores_same(const struct dev_stores *s, const struct cl_buf *pem);

#endif
