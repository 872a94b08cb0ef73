/* support_watch.h - facts made on the spot: a target, its chains, what is found. */
#ifndef TEST_SUPPORT_WATCH_H
#define TEST_SUPPORT_WATCH_H

#include "watch/series.h"
#include "x509/support_ocsp.h"

#define W_DAY 86400LL

/* A target for leaf.example.com, served by a CA that is trusted. */
struct world {
    struct entity ca;
    struct cleat_trust_store *trust;
    struct cleat_revocation_options revocation;
    struct cl_watch_facts facts;
    struct cl_watch_limits limits;
    struct cl_watch_findings findings;
};

void w_begin(struct world *w);
void w_end(struct world *w);

/* w_leaf: a leaf of that lifetime, which began so long before T_NOW (seconds). */
struct entity w_leaf(const struct world *w, int64_t lifetime, int64_t age);

/* w_serve adds a side that serves these certificates (NULL: none second), w_disk puts them into the
 * file; staple: the caller's bytes, or empty. */
struct cl_watch_side *w_serve(struct world *w, const struct entity *leaf,
                              const struct entity *second, struct cl_rd staple);
void w_disk(struct world *w, const struct entity *leaf, const struct entity *second);

/* w_found judges at T_NOW and writes the ids that were found, in their order: "expired unstapled".
 * Notes are left out. */
const char *w_found(struct world *w);

#endif
