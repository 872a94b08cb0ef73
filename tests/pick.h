/* tests/pick.h - choices that look random and are the same in every run (xorshift64). A test that
 * wants other ones sets pick_state, to anything but 0. */
#ifndef TESTS_PICK_H
#define TESTS_PICK_H

#include <stdint.h>

static uint64_t pick_state = 0x9e3779b97f4a7c15ULL;

/* pick gives a number below n. */
static inline unsigned pick(unsigned n)
{
    pick_state ^= pick_state << 13;
    pick_state ^= pick_state >> 7;
    pick_state ^= pick_state << 17;
    return (unsigned)(pick_state >> 33) % n;
}

#endif
