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

/* Texts of certificates come from files that somebody else may have written. */
static void print(const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        (void)fputc(c < 0x20 || c == 0x7f ? '?' : c, stderr);
    }
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
        (void)fprintf(stderr, "cleat: warning: %s: %s", path,
                      notes[i].serious ? "clients will refuse it: " : "");
        print(what->text);
        (void)fprintf(stderr, " (%s)\n  hint: ", what->section);
        print(what->hint);
        (void)fputc('\n', stderr);
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
