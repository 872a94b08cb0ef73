/* serve/staple_item.h - one certificate whose OCSP response is looked after; for staples.c and the
 * words in staple_log.c. */
#ifndef CL_SERVE_STAPLE_ITEM_H
#define CL_SERVE_STAPLE_ITEM_H

#include "fetch/sources.h"
#include "serve/log.h"
#include "serve/staple_check.h"
#include "serve/staple_plan.h"
#include "serve/staple_store.h"

struct cl_staple_item {
    struct cl_staples *all;
    size_t credential; /* its number in the configuration */
    const char *file;  /* for messages; the options' */
    struct cleat_chain *chain;
    struct cleat_trust_store *issuer; /* it alone */
    bool demanded;                    /* must-staple (RFC 7633) */
    size_t num_urls;

    /* What is served: response is empty when there is none. */
    struct cl_buf response;
    struct cl_staple_finding held;
    struct cl_staple_life life;
    int64_t mono_until; /* its end on the clock that nobody sets */
    bool changed;       /* not in the site's configuration yet */

    int64_t due;
    unsigned num_failures; /* in a row */
    size_t url;            /* which one is asked next */
    struct cl_fetch *fetch;
    char asked[CL_FETCH_MAX_URL + 1]; /* the responder, of the newest question */
};

/* Whom to tell, and what. */
struct cl_staple_log {
    struct cl_log *to;
    bool quiet;   /* warnings only */
    bool verbose; /* what goes as it should, too */
};

/* staple_log.c: a line each; times as in staple_plan.h. */
void cl_staple_log_held(const struct cl_staple_log *log, const struct cl_staple_item *it,
                        const char *whence, bool is_first, int64_t now);
void cl_staple_log_failed(const struct cl_staple_log *log, const struct cl_staple_item *it,
                          const struct cleat_error *why, int64_t now);
void cl_staple_log_expired(const struct cl_staple_log *log, const struct cl_staple_item *it);
void cl_staple_log_ignored(const struct cl_staple_log *log, const struct cl_staple_item *it,
                           const struct cleat_error *why);
void cl_staple_log_store(const struct cl_staple_log *log, const struct cleat_error *why);
void cl_staple_log_no_store(const struct cl_staple_log *log);
void cl_staple_log_no_issuer(const struct cl_staple_log *log, const char *file);
/* It demands a staple, and will get none: why, and what to do. */
void cl_staple_log_demanded(const struct cl_staple_log *log, const char *file, const char *why,
                            const char *hint);

#endif
