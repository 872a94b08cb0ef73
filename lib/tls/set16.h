/* tls/set16.h - a set of 16-bit numbers that a peer lists: whether one comes twice is known in
 * constant time, however many there are. Cleared when the first comes: honest lists are short and
 * mostly do not need it. */
#ifndef CL_TLS_SET16_H
#define CL_TLS_SET16_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct cl_set16 {
    bool any; /* false: nothing is in it, bits are not set */
    uint8_t bits[65536 / 8];
};

/* cl_set16_add says whether the number was there already. */
static inline bool cl_set16_add(struct cl_set16 *set, uint16_t number)
{
    if (!set->any) {
        memset(set->bits, 0, sizeof(set->bits));
        set->any = true;
    }
    uint8_t bit = (uint8_t)(1u << (number % 8));
    bool again = (set->bits[number / 8] & bit) != 0;
    set->bits[number / 8] |= bit;
    return again;
}

#endif
