/* serve/staple_plan.h - when an OCSP response is fetched again, and how long one is served. Times
 * come in, times go out: nothing here reads a clock.
 *
 * All times are milliseconds since 1970 unless their name says seconds; random is any 32 bits, so
 * that servers started together do not ask together.
 */
#ifndef CL_SERVE_STAPLE_PLAN_H
#define CL_SERVE_STAPLE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

/* 2 s: a response is on its way for a moment, and must be current where it arrives */
#define CL_STAPLE_MARGIN_MS    2000
/* 5 s: never sooner again, however short-lived a response is */
#define CL_STAPLE_MIN_MS       5000
/* 1 min, doubled with every failure in a row, up to 1 h */
#define CL_STAPLE_RETRY_MS     60000
#define CL_STAPLE_MAX_RETRY_MS 3600000
/* 5 days: half of the ten that CAs of the web may make a response good for; a revocation is noticed
 * in that time even where responses are good for years */
#define CL_STAPLE_MAX_MS       INT64_C(432000000)
/* 1 h: without nextUpdate "newer revocation information is available all the time" (RFC 6960
 * 4.2.2.1) */
#define CL_STAPLE_ENDLESS_MS   3600000
/* 1 min: between the two clocks; more is a clock that was set, or a machine that slept */
#define CL_STAPLE_JUMP_MS      60000

/* When a response speaks, by its thisUpdate and nextUpdate. */
struct cl_staple_life {
    int64_t from;
    int64_t until; /* served before that moment only */
    bool endless;  /* there is no nextUpdate */
};

/* cl_staple_life_of: next_update_s INT64_MIN: none; then it is served for as long as verifiers take
 * it (CL_OCSP_DEFAULT_AGE). */
struct cl_staple_life cl_staple_life_of(int64_t this_update_s, int64_t next_update_s);

/* cl_staple_first: when to ask for the first time, with a response of this life from an earlier
 * run, or none (NULL): now, unless it is younger than half of its life. */
int64_t cl_staple_first(const struct cl_staple_life *life, int64_t now, uint32_t random);

/* cl_staple_refresh: when to ask again, after the responder has answered with a response of this
 * life: at half of it; where that has passed (it sends the same one again), at half of what
 * remains. */
int64_t cl_staple_refresh(const struct cl_staple_life *life, int64_t now, uint32_t random);

/* cl_staple_retry: when to ask again after so many failures in a row, the last one now. life: of
 * the response that is served meanwhile, or NULL; then it is asked again before its end. */
int64_t cl_staple_retry(unsigned num_failures, const struct cl_staple_life *life, int64_t now,
                        uint32_t random);

/* cl_staple_clock_jumped: one clock that can be set, one that cannot, each before and after. */
bool cl_staple_clock_jumped(int64_t wall_ms, int64_t mono_ms);

#endif
