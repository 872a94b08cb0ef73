/* fetch/gather.h - what is missing to verify one chain, fetched from where its certificates say:
 * intermediates (AIA), OCSP responses, lists. Asynchronous, on the hub's loop; nothing blocks but a
 * look into the cache.
 *
 * The chain is verified again and again with what there is so far, until nothing is missing or
 * nothing more can be asked for. Whether what came is any good only the verifier says, here and, in
 * the end, where the answer is used; only what made it say something new is kept in the cache.
 *
 * URLs are other people's. Those of revocation are asked for only when the certificates that name
 * them form a path to an anchor: a CA that is trusted wrote them. Those of intermediates come from
 * certificates that nobody has vouched for, so that is off unless it is asked for, and can be kept
 * to public addresses.
 */
#ifndef CL_FETCH_GATHER_H
#define CL_FETCH_GATHER_H

#include "cleat/revocation.h"
#include "fetch/cache.h"
#include "fetch/sources.h"

/* 2 and 3: responders and lists that one certificate names; CAs name one each, a few a second list
 * or one that is not of http. The rest is not asked. */
#define CL_GATHER_MAX_OCSP    2
#define CL_GATHER_MAX_CRL     3
#define CL_GATHER_MAX_AIA     2
/* 4: intermediates that are looked for, one above the other; the web's chains lack one */
#define CL_GATHER_MAX_DEPTH   4
/* 24: requests of one chain, whatever it says */
#define CL_GATHER_MAX_FETCHES 24
/* 64: what is told; more than can happen */
#define CL_GATHER_MAX_NOTES   64

enum cl_gather_kind {
    CL_GATHER_OCSP,
    CL_GATHER_CRL,
    CL_GATHER_AIA,
};

/* One look-up, in the order in which they ended. */
struct cl_gather_note {
    enum cl_gather_kind kind;
    bool cached; /* found in the cache; else asked for over the network */
    bool failed; /* text says why; also when what came could not be read */
    char *url;
    char about[160]; /* subject of the certificate in question */
    char text[320];  /* what came, or what went wrong */
    size_t len;      /* bytes that came */
    uint64_t us;
    uint8_t fingerprint[32]; /* AIA: SHA-256 of the certificate that was taken */
};

/* What came of it; everything is the gathering's, and is gone after `done`. */
struct cl_gathered {
    struct cleat_evidence evidence; /* certs: NULL when none was found */
    const struct cl_gather_note *notes;
    size_t num_notes;
};

struct cl_gather_spec {
    struct cl_fetch_how how;      /* without done, ctx and public_only */
    struct cl_fetch_cache *cache; /* or NULL */
    /* How the chain is verified: trust, host, purpose and the like; crls and ocsp are what there is
     * already. Copied, what it points to lives until done. With revocation off, none is fetched;
     * from_crls and from_ocsp say what may be. */
    struct cleat_verify_options verify;
    struct cleat_chain *chain; /* a reference is kept */
    bool aia;
    bool aia_public_only; /* the chain is a stranger's: intermediates from public addresses alone */
    /* Called once, from the loop, never from inside cl_gather_start. */
    void (*done)(void *ctx, const struct cl_gathered *result);
    void *ctx;
};

struct cl_gather;

/* cl_gather_start begins. *out is valid until done is called. NOMEM. */
CL_MUST cl_result cl_gather_start(const struct cl_gather_spec *spec, struct cl_gather **out);

/* cl_gather_cancel ends it: done is not called. NULL is fine. */
void cl_gather_cancel(struct cl_gather *g);

/* cl_gather_kind_name: "OCSP response", "CRL", "issuer's certificate". */
const char *cl_gather_kind_name(enum cl_gather_kind kind);

#endif
