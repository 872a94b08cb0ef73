/* serve/own_chain.c - see own_chain.h. */
#include "serve/own_chain.h"

#include <stdio.h>
#include <string.h>

#include "conn/roots.h"
#include "crypto/key.h"
#include "net/clock.h"
#include "serve/credentials.h"
#include "serve/staple_check.h"
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

static bool is_among(const struct cleat_cert *cert, const struct cleat_trust_store *roots)
{
    const size_t num = roots != NULL ? cleat_trust_store_num(roots) : 0;
    for (size_t i = 0; i < num; i++) {
        if (cl_rd_equal(cl_cert_der(cleat_trust_store_at(roots, i)), cl_cert_der(cert))) {
            return true;
        }
    }
    return false;
}

/* Whether the responder is asked with the help of the chain's root: it issued the first certificate
 * itself, and there is no other copy of it. */
static bool is_for_stapling(const struct cleat_chain *chain, const struct cleat_trust_store *roots)
{
    return cleat_chain_num(chain) == 2 &&
           cleat_cert_ocsp_url(cleat_chain_at(chain, 0), 0, NULL, 0) != 0 &&
           !is_among(cleat_chain_at(chain, 1), roots);
}

static const char *hint_of(const struct cleat_chain_note *note, const struct cleat_chain *chain,
                           const struct cleat_trust_store *roots)
{
    const bool is_about_root = strcmp(note->rule, "root") == 0 && note->position != 0;
    return is_about_root && is_for_stapling(chain, roots)
               ? "stapling needs it, to ask the responder: put it among the system's roots, then "
                 "remove it from the file; with --no-stapling remove it"
               : note->what.hint;
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
                      hint_of(&notes[i], chain, roots));
    }
}

void cl_own_chain_warn_staple(const char *path, struct cl_rd response,
                              const struct cleat_chain *chain,
                              const struct cleat_trust_store *roots)
{
    const struct cleat_cert *leaf = cleat_chain_at(chain, 0);
    const int64_t now = (int64_t)(cl_clock_unix_ms() / 1000);
    struct cleat_trust_store *issuer = NULL;
    struct cl_staple_finding found;
    if (now < cleat_cert_not_before(leaf) || now > cleat_cert_not_after(leaf) ||
        cl_staple_issuer(chain, roots, &issuer) != CL_OK || issuer == NULL) {
        return; /* what is over has been told; the rest cannot be judged */
    }
    cl_staple_check(chain, issuer, response, now, &found);
    if (found.word != CL_STAPLE_GOOD) {
        (void)fprintf(stderr, "cleat: warning: %s: %s%s; it is sent all the same\n  hint: %s\n",
                      path,
                      found.word == CL_STAPLE_REVOKED ? "the certificate HAS BEEN REVOKED: "
                                                      : "clients will not take it: ",
                      found.what.text,
                      found.word == CL_STAPLE_REVOKED
                          ? "have a new certificate issued, for a new key"
                          : "put a new response there, or leave --staple away: then one is fetched "
                            "and kept fresh, if the certificate names a responder");
    }
    cleat_trust_store_free(issuer);
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
