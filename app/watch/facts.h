/* watch/facts.h - what was found out about one target of `cleat cert watch`: the chain in its file,
 * the chains that its addresses serve, and what the verifier thinks of each.
 *
 * Facts are gathered here and in disk.c and probe.c; what is wrong with them, findings.c decides
 * from facts and time alone.
 */
#ifndef CL_WATCH_FACTS_H
#define CL_WATCH_FACTS_H

#include "base/buf.h"
#include "cleat/revocation.h"
#include "dns/addr.h"
#include "x509/chain.h"

/* 16: addresses of one host that are looked at, as many as are tried elsewhere */
#define CL_WATCH_MAX_SIDES 16

enum cl_watch_reach {
    CL_WATCH_NOT_ASKED = 0,
    CL_WATCH_SEEN, /* there is a chain */
    CL_WATCH_UNREADABLE,
    CL_WATCH_NO_ADDRESS,
    CL_WATCH_NO_CONNECTION,
    CL_WATCH_NO_HANDSHAKE, /* it failed before the chain had come */
};

/* One place where a chain was looked for: the file, or an address. */
struct cl_watch_side {
    enum cl_watch_reach reach;
    bool on_disk;
    char address[CL_ADDR_TEXT_SIZE]; /* with the port; "": not connected */
    struct cleat_error error;        /* why there is no chain, or why the handshake failed after */
    struct cleat_chain *chain;
    /* Without regard to revocation, the name, and the leaf's own validity: verified at a moment at
     * which the leaf is valid, now if it is. */
    struct cleat_verdict *path;
    /* The same with staple, lists and responses. */
    struct cleat_verdict *status;
    struct cleat_chain_note *notes; /* of cleat_chain_lint */
    size_t num_notes;
    bool completed_chain;  /* path needed certificates that were fetched */
    char not_fetched[400]; /* what was asked for over the network and did not come, or "" */
    struct cl_buf staple;  /* OCSPResponse as it came; empty: none */
    bool completed;        /* the handshake */
    uint16_t version;      /* of TLS, when completed */
    uint64_t duration_us;  /* from the look-up to the end of the handshake, or to the failure */
};

enum cl_watch_key {
    CL_WATCH_KEY_NONE = 0, /* there is none in the file, or next to it */
    CL_WATCH_KEY_SAME,
    CL_WATCH_KEY_DIFFERS,
    CL_WATCH_KEY_UNREADABLE,
};

struct cl_watch_facts {
    const char *name; /* of the target, as the user gave it */
    const char *file; /* or NULL */
    const char *host; /* that the certificate must be for; NULL: there is only a file */
    int64_t at;       /* when it was looked at, Unix seconds */
    enum cl_watch_key key;
    struct cleat_error key_error;
    struct cl_watch_side disk;
    struct cl_watch_side *served; /* room for max_served */
    size_t num_served;
    size_t max_served;
    bool expect_staple;  /* whether the certificate demands one or not */
    bool many_addresses; /* each was asked for: addresses tell the sides apart */
};

/* What chains are judged by; all borrowed. */
struct cl_watch_judges {
    const struct cleat_trust_store *trust;
    const struct cleat_revocation_options *revocation;
};

/* cl_watch_facts_reset gives back what was found and leaves who it is about. cl_watch_facts_room
 * makes room for sides; NOMEM. */
void cl_watch_facts_reset(struct cl_watch_facts *f);
CL_MUST cl_result cl_watch_facts_room(struct cl_watch_facts *f, size_t max_served);

/* cl_watch_look_over fills path, status and notes of a side of f that has a chain, anew; more: what
 * was fetched for it, or NULL. NOMEM. */
CL_MUST cl_result cl_watch_look_over(const struct cl_watch_facts *f, struct cl_watch_side *side,
                                     const struct cl_watch_judges *judges,
                                     const struct cleat_evidence *more);

/* cl_watch_options are those by which the status of a side is verified. */
struct cleat_verify_options cl_watch_options(const struct cl_watch_facts *f,
                                             const struct cl_watch_side *side,
                                             const struct cl_watch_judges *judges);

/* cl_watch_read_disk reads the file of f, and a key that is in it or in key_file (or NULL). What
 * cannot be read is a fact like others. NOMEM. */
CL_MUST cl_result cl_watch_read_disk(struct cl_watch_facts *f, const char *key_file,
                                     const struct cl_watch_judges *judges);

/* cl_watch_leaf: the first certificate of a side; NULL: there is none. */
const struct cleat_cert *cl_watch_leaf(const struct cl_watch_side *side);

/* cl_watch_same_cert compares two certificates byte by byte. */
bool cl_watch_same_cert(const struct cleat_cert *a, const struct cleat_cert *b);

/* cl_watch_must_staple: the certificate demands a staple (RFC 7633). */
bool cl_watch_must_staple(const struct cleat_cert *cert);

/* cl_watch_shown: the side that tells about the target: the first that is served and seen, else the
 * file; NULL: nothing was seen. */
const struct cl_watch_side *cl_watch_shown(const struct cl_watch_facts *f);

#endif
