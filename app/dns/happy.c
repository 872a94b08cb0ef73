/* dns/happy.c - the order of connection attempts (RFC 8305 3 to 5). */
#include "dns/happy.h"

enum { V6, V4 };

void cl_happy_init(struct cl_happy *h, int family)
{
    memset(h, 0, sizeof(*h));
    h->answered[V6] = family == AF_INET;
    h->answered[V4] = family == AF_INET6;
    h->last = V4;
}

void cl_happy_answer(struct cl_happy *h, int family, const struct cl_addr *addrs, size_t num,
                     uint64_t now)
{
    int f = family == AF_INET6 ? V6 : V4;
    for (size_t i = 0; i < num && h->num[f] < CL_HAPPY_MAX_ADDRS; i++) {
        h->queue[f][h->num[f]++] = addrs[i];
    }
    h->answered[f] = true;
    if (f == V4) {
        h->second_at = now;
    }
}

void cl_happy_failed(struct cl_happy *h)
{
    h->next_not_before = 0;
}

static bool has_more(const struct cl_happy *h, int f)
{
    return h->at[f] < h->num[f];
}

enum cl_happy_next cl_happy_next(struct cl_happy *h, uint64_t now, struct cl_addr *out,
                                 uint64_t *until)
{
    if (!has_more(h, V6) && !has_more(h, V4)) {
        return h->answered[V6] && h->answered[V4] ? CL_HAPPY_EXHAUSTED : CL_HAPPY_WAIT_DNS;
    }
    /* RFC 8305 3: "If the A response is received first, the client SHOULD wait a short time for
     * the AAAA response to ensure that preference is given to IPv6" */
    if (!h->started && !h->answered[V6] && now < h->second_at + CL_HAPPY_RESOLUTION_DELAY) {
        *until = h->second_at + CL_HAPPY_RESOLUTION_DELAY;
        return CL_HAPPY_WAIT;
    }
    if (now < h->next_not_before) {
        *until = h->next_not_before;
        return CL_HAPPY_WAIT;
    }
    /* RFC 8305 4: the families are interleaved, the preferred one first */
    int f = h->last == V6 ? V4 : V6;
    if (!has_more(h, f)) {
        f = f == V6 ? V4 : V6;
    }
    *out = h->queue[f][h->at[f]++];
    h->last = f;
    h->started = true;
    h->next_not_before = now + CL_HAPPY_ATTEMPT_DELAY;
    return CL_HAPPY_START;
}
