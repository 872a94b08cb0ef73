/* cli/get_retry.c - see get_retry.h. */
#include "cli/get_retry.h"

#include "cli/get_codes.h"
#include "http/chars.h"
#include "http/date.h"

/* 6 hours: who says more does not mean this run; curl's limit for dates */
#define MAX_RETRY_AFTER (6 * 3600)

enum transience { FOR_GOOD, PASSES, PASSES_AS_HTTP };

/* curl's list: 408, 429, 500, 502, 503, 504, and 522, 524 of proxies in front of servers */
static bool status_passes(long status)
{
    static const long rows[] = {408, 429, 500, 502, 503, 504, 522, 524};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i] == status) {
            return true;
        }
    }
    return false;
}

static enum transience judge(const struct get_options *o, const struct get_attempt *a)
{
    bool answered = a->exit_code == 0 || a->exit_code == GET_EXIT_HTTP_ERROR;
    if (answered && status_passes(a->status)) {
        return PASSES_AS_HTTP;
    }
    if (a->exit_code == GET_EXIT_TIMEOUT || a->exit_code == GET_EXIT_DNS ||
        (a->exit_code == GET_EXIT_CONNECT && a->refused && o->retry_connrefused) ||
        (a->exit_code != 0 && o->retry_all_errors)) {
        return PASSES;
    }
    return FOR_GOOD;
}

bool get_retry_next(struct get_retries *r, const struct get_options *o,
                    const struct get_attempt *attempt, uint64_t now_us, uint64_t *wait_ms)
{
    const enum transience passes = judge(o, attempt);
    if (passes == FOR_GOOD || r->num >= o->retry) {
        return false;
    }
    if (r->next_ms == 0) {
        r->next_ms = o->retry_delay_ms != 0 ? o->retry_delay_ms : GET_RETRY_FIRST_MS;
    }
    *wait_ms = r->next_ms;
    if (passes == PASSES_AS_HTTP && attempt->retry_after_s > 0) {
        *wait_ms = (uint64_t)attempt->retry_after_s * 1000;
    }
    const uint64_t elapsed_ms = (now_us - r->began_us) / 1000;
    if (o->retry_max_ms != 0 && elapsed_ms + *wait_ms >= o->retry_max_ms) {
        return false;
    }
    if (o->retry_delay_ms == 0) {
        r->next_ms = 2 * r->next_ms < GET_RETRY_MAX_MS ? 2 * r->next_ms : GET_RETRY_MAX_MS;
    }
    r->num++;
    return true;
}

int64_t get_retry_after(struct cl_rd value, int64_t now)
{
    uint64_t seconds = 0;
    int64_t date = 0;
    int64_t wait = 0;
    enum cl_http_u64_verdict v = cl_http_u64(value, &seconds);
    if (v != CL_HTTP_U64_BAD) {
        wait =
            v == CL_HTTP_U64_OK && seconds < MAX_RETRY_AFTER ? (int64_t)seconds : MAX_RETRY_AFTER;
    } else if (cl_http_date_parse(value, now, &date)) {
        wait = date > now ? date - now : 0;
    }
    return wait < MAX_RETRY_AFTER ? wait : MAX_RETRY_AFTER;
}
