/* tls/prf.c - see prf.h. Constant time as HMAC is; intermediate values are wiped. */
#include "tls/prf.h"

#include <string.h>

void cl_prf(enum cl_hash_id hash, struct cl_rd secret, const char *label, struct cl_rd seed_a,
            struct cl_rd seed_b, uint8_t *out, size_t out_len)
{
    size_t len = cl_hash_len(hash);
    uint8_t a[CL_HASH_MAX_LEN];
    uint8_t block[CL_HASH_MAX_LEN];
    /* RFC 5246 5: A(0) = label + seed, A(i) = HMAC(secret, A(i-1)); output HMAC(secret, A(i) +
     * A(0)) */
    const struct cl_rd first[] = {cl_rd_str(label), seed_a, seed_b};
    const struct cl_rd rest[] = {cl_rd_of(a, len), cl_rd_str(label), seed_a, seed_b};
    cl_hmac(hash, secret, first, 3, a);
    while (out_len > 0) {
        size_t take = out_len < len ? out_len : len;
        cl_hmac(hash, secret, rest, 4, block);
        memcpy(out, block, take);
        out += take;
        out_len -= take;
        if (out_len == 0) {
            break;
        }
        struct cl_rd again = cl_rd_of(a, len);
        uint8_t next[CL_HASH_MAX_LEN];
        cl_hmac(hash, secret, &again, 1, next);
        memcpy(a, next, len);
        cl_wipe(next, sizeof(next));
    }
    cl_wipe(a, sizeof(a));
    cl_wipe(block, sizeof(block));
}
