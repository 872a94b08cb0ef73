/* serve/staple_plan.c - see staple_plan.h. */
#include "serve/staple_plan.h"

#include "x509/ocsp.h"

/* 9999-12-31T23:59:59Z: the last moment that a certificate can name, in seconds */
#define LAST_S INT64_C(253402300799)

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Shifts a time span by up to a tenth to either side. */
static int64_t jitter(int64_t span, uint32_t random)
{
    const int64_t most_ms = span / 10;
    return span - most_ms + (int64_t)((uint64_t)(2 * most_ms) * random / UINT32_MAX);
}

struct cl_staple_life cl_staple_life_of(int64_t this_update_s, int64_t next_update_s)
{
    const bool endless = next_update_s == INT64_MIN;
    const int64_t from_s = most(0, least(this_update_s, LAST_S));
    const int64_t until_s =
        endless ? from_s + CL_OCSP_DEFAULT_AGE : most(from_s, least(next_update_s, LAST_S));
    return (struct cl_staple_life){
        .from = from_s * 1000, .until = until_s * 1000 - CL_STAPLE_MARGIN_MS, .endless = endless};
}

int64_t cl_staple_first(const struct cl_staple_life *life, int64_t now, uint32_t random)
{
    const bool young =
        life != NULL && !life->endless && now < life->from + (life->until - life->from) / 2;
    return young ? cl_staple_refresh(life, now, random) : now;
}

int64_t cl_staple_refresh(const struct cl_staple_life *life, int64_t now, uint32_t random)
{
    if (life->endless) {
        return now + jitter(CL_STAPLE_ENDLESS_MS, random);
    }
    const int64_t half = least((life->until - life->from) / 2, CL_STAPLE_MAX_MS);
    int64_t due = least(life->from, now) + jitter(most(half, 0), random);
    if (due < now + CL_STAPLE_MIN_MS) {
        const int64_t rest = least((life->until - now) / 2, CL_STAPLE_MAX_RETRY_MS);
        due = now + jitter(most(rest, CL_STAPLE_MIN_MS), random);
    }
    return most(due, now + CL_STAPLE_MIN_MS);
}

int64_t cl_staple_retry(unsigned num_failures, const struct cl_staple_life *life, int64_t now,
                        uint32_t random)
{
    /* 6: 1, 2, 4 … 64 minutes, which is above the most */
    const unsigned doubled = num_failures == 0 ? 0 : num_failures > 7 ? 6 : num_failures - 1;
    int64_t wait = jitter((int64_t)CL_STAPLE_RETRY_MS << doubled, random);
    if (life != NULL && life->until > now) {
        wait = least(wait, (life->until - now) / 2);
    }
    return now + most(least(wait, CL_STAPLE_MAX_RETRY_MS), CL_STAPLE_MIN_MS);
}

bool cl_staple_clock_jumped(int64_t wall_ms, int64_t mono_ms)
{
    const int64_t apart = wall_ms - mono_ms;
    return apart > CL_STAPLE_JUMP_MS || apart < -CL_STAPLE_JUMP_MS;
}
