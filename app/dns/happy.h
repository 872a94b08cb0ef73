/* dns/happy.h - Happy Eyeballs version 2 (RFC 8305): in which order, and when, to try addresses.
 *
 * A pure machine: it is told what the resolver answered and which attempts failed, with the time in
 * milliseconds of any steady clock, and says what to do next. It opens nothing and waits for
 * nothing; conn/dial.c does.
 */
#ifndef CL_DNS_HAPPY_H
#define CL_DNS_HAPPY_H

#include "dns/addr.h"

/* 250 ms: RFC 8305 5 recommends it as the delay between two attempts */
#define CL_HAPPY_ATTEMPT_DELAY    250
/* 50 ms: RFC 8305 3, how long an A answer waits for the AAAA answer */
#define CL_HAPPY_RESOLUTION_DELAY 50
/* 16 addresses of a family: more would take longer than anybody waits */
#define CL_HAPPY_MAX_ADDRS        16

struct cl_happy {
    struct cl_addr queue[2][CL_HAPPY_MAX_ADDRS]; /* [0] the preferred family, IPv6; [1] IPv4 */
    size_t num[2];
    size_t at[2];
    bool answered[2];
    bool started;
    int last;           /* family that was tried last */
    uint64_t second_at; /* when the answer for IPv4 came */
    uint64_t next_not_before;
};

enum cl_happy_next {
    CL_HAPPY_START,     /* connect to *out now, then ask again */
    CL_HAPPY_WAIT,      /* ask again at *until, or when something happens */
    CL_HAPPY_WAIT_DNS,  /* nothing to do until the resolver answers */
    CL_HAPPY_EXHAUSTED, /* every address has been given out */
};

/* cl_happy_init begins; family is AF_UNSPEC, AF_INET or AF_INET6: which answers will come. */
void cl_happy_init(struct cl_happy *h, int family);

/* cl_happy_answer adds what the resolver found for a family (num may be 0). */
void cl_happy_answer(struct cl_happy *h, int family, const struct cl_addr *addrs, size_t num,
                     uint64_t now);

/* cl_happy_failed tells that an attempt failed: the next one need not wait (RFC 8305 5). */
void cl_happy_failed(struct cl_happy *h);

/* cl_happy_next says what to do now. */
enum cl_happy_next cl_happy_next(struct cl_happy *h, uint64_t now, struct cl_addr *out,
                                 uint64_t *until);

#endif
