/* ws/mask.c - see mask.h. Vectors of 32 bytes in the compiler's own notation, which becomes
 * whatever the processor has; words for what is left, then bytes. Nothing needs to be aligned. */
#include "ws/mask.h"

#include <string.h>

typedef uint64_t vector __attribute__((vector_size(32)));

void cl_ws_mask_plain(uint8_t *dst, const uint8_t *src, size_t len, const uint8_t key[4],
                      uint64_t at)
{
    for (size_t i = 0; i < len; i++) {
        dst[i] = src[i] ^ key[(at + i) & 3];
    }
}

void cl_ws_mask(uint8_t *dst, const uint8_t *src, size_t len, const uint8_t key[4], uint64_t at)
{
    uint8_t turned[8];
    for (size_t i = 0; i < sizeof(turned); i++) {
        turned[i] = key[(at + i) & 3];
    }
    uint64_t word;
    memcpy(&word, turned, sizeof(word));
    const vector wide = {word, word, word, word};
    size_t i = 0;
    for (; len - i >= 2 * sizeof(vector); i += 2 * sizeof(vector)) {
        vector a;
        vector b;
        memcpy(&a, src + i, sizeof(a));
        memcpy(&b, src + i + sizeof(a), sizeof(b));
        a ^= wide;
        b ^= wide;
        memcpy(dst + i, &a, sizeof(a));
        memcpy(dst + i + sizeof(a), &b, sizeof(b));
    }
    for (; len - i >= sizeof(word); i += sizeof(word)) {
        uint64_t some;
        memcpy(&some, src + i, sizeof(some));
        some ^= word;
        memcpy(dst + i, &some, sizeof(some));
    }
    for (size_t k = 0; i + k < len; k++) {
        dst[i + k] = src[i + k] ^ turned[k];
    }
}
