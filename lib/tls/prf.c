/* tls/prf.c - see prf.h. Constant time as HMAC is; intermediate values are wiped. */
#include "tls/prf.h"

#include <string.h>

void cl_prf(const struct cl_hmac_key *secret, const char *label, struct cl_rd seed_a,
            struct cl_rd seed_b, uint8_t *out, size_t out_len)
{
    size_t len = cl_hash_len((enum cl_hash_id)secret->id);
    uint8_t a[CL_HASH_MAX_LEN];
    uint8_t block[CL_HASH_MAX_LEN];
    /* RFC 5246 5: A(0) = label + seed, A(i) = HMAC(secret, A(i-1)); output HMAC(secret, A(i) +
     * A(0)) */
    const struct cl_rd parts[] = {cl_rd_of(a, len), cl_rd_str(label), seed_a, seed_b};
    cl_hmac_run(secret, parts + 1, 3, a);
    while (out_len > 0) {
        size_t take = out_len < len ? out_len : len;
        cl_hmac_run(secret, parts, 4, block);
        memcpy(out, block, take);
        out += take;
        out_len -= take;
        if (out_len != 0) {
            cl_hmac_run(secret, parts, 1, a);
        }
    }
    cl_wipe(a, sizeof(a));
    cl_wipe(block, sizeof(block));
}

void cl_prf_once(enum cl_hash_id hash, struct cl_rd secret, const char *label, struct cl_rd seed_a,
                 struct cl_rd seed_b, uint8_t *out, size_t out_len)
{
    struct cl_hmac_key key;
    cl_hmac_key_init(&key, hash, secret);
    cl_prf(&key, label, seed_a, seed_b, out, out_len);
    cl_wipe(&key, sizeof(key));
}
