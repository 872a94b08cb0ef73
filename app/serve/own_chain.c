/* serve/own_chain.c - see own_chain.h. */
#include "serve/own_chain.h"

#include <stdio.h>

#include "conn/roots.h"
#include "crypto/key.h"
#include "net/clock.h"
#include "serve/credentials.h"
#include "x509/cert.h"

struct cleat_trust_store *cl_own_chain_roots(void)
{
    const char *path = cl_roots_bundle();
    struct cleat_trust_store *roots = NULL;
    struct cleat_error err;
    if (path != NULL && cl_credentials_trust(path, &roots, &err) != CL_OK) {
        return NULL; /* only a warning is lost */
    }
    return roots;
}

void cl_own_chain_warn(const char *path, const struct cleat_chain *chain,
                       const struct cleat_trust_store *roots)
{
    static struct cleat_chain_note notes[CLEAT_CHAIN_MAX_NOTES];
    int64_t now = (int64_t)(cl_clock_unix_ms() / 1000);
    size_t num =
        cleat_chain_lint(chain, roots, now, CLEAT_PURPOSE_SERVER, notes, CLEAT_CHAIN_MAX_NOTES);
    for (size_t i = 0; i < num; i++) {
        const struct cleat_error *what = &notes[i].what;
        (void)fprintf(stderr, "cleat: warning: %s: %s%s (%s)\n  hint: %s\n", path,
                      notes[i].serious ? "clients will refuse it: " : "", what->text, what->section,
                      what->hint);
    }
}

size_t cl_own_chain_owner(const struct cleat_chain *chain, const struct cleat_key *key)
{
    for (size_t i = 0; i < cleat_chain_num(chain); i++) {
        if (cl_rd_equal(cl_cert_spki(cleat_chain_at(chain, i)), cl_key_spki(key))) {
            return i + 1;
        }
    }
    return 0;
}
