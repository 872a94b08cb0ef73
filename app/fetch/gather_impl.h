/* fetch/gather_impl.h - between gather.c (what to ask for next) and gather_take.c (what came). */
#ifndef CL_FETCH_GATHER_IMPL_H
#define CL_FETCH_GATHER_IMPL_H

#include "fetch/gather.h"
#include "x509/chain.h"
#include "x509/verify.h"

/* One certificate of which something is missing. */
struct cl_slot {
    struct cl_gather *gather;
    struct cleat_cert *cert;   /* NULL: free */
    struct cleat_cert *issuer; /* NULL for an intermediate that is looked for */
    size_t depth;
    size_t step; /* of its URLs, two each: the cache, then the network */
    struct cl_fetch *fetch;
    uint64_t started;
    enum cl_gather_kind kind; /* of the step that is being taken */
    char url[CL_FETCH_MAX_URL + 1];
    /* What the network gave, to be kept if it turns out to be good for something. */
    struct cl_rd fresh;
    int64_t fresh_until;
};

struct cl_gather {
    struct cl_gather_spec spec;
    struct cl_timer *turn;
    struct cleat_crl_set *crls; /* NULL: as the spec says */
    struct cleat_ocsp_set *ocsp;
    struct cleat_cert *found[CL_CHAIN_MAX]; /* intermediates */
    size_t num_found, num_sought;
    struct cl_slot slots[CL_VERIFY_MAX_DEPTH];
    struct cl_slot sought;
    size_t num_running, num_fetches;
    struct cl_gather_note notes[CL_GATHER_MAX_NOTES + 1]; /* the last is for what is not told */
    size_t num_notes;
};

/* One answer: bytes that are a view (of a mapping or a buffer), and who releases them. */
struct cl_answer {
    struct cl_rd bytes;
    void (*release)(void *ctx);
    void *ctx;
    bool cached;
};

/* cl_slot_take adds what an answer holds to what the gathering has, and notes it; takes the answer
 * over. */
void cl_slot_take(struct cl_slot *s, const struct cl_answer *a);

/* cl_slot_note_failure notes why a step led to nothing. */
void cl_slot_note_failure(struct cl_slot *s, const char *why);

/* cl_slot_key tells by what the answer to a slot's step is found in the cache; request is its room.
 */
struct cl_fetch_key cl_slot_key(const struct cl_slot *s, uint8_t request[CLEAT_OCSP_MAX_REQUEST]);

/* cl_slot_keep puts what the network gave into the cache, for it was good for something. */
void cl_slot_keep(struct cl_slot *s);

#endif
