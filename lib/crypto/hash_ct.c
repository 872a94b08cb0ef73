/* crypto/hash_ct.c - HMAC over a text whose length is secret (RFC 5246 6.2.3.2; the attack is
 * Lucky Thirteen).
 *
 * The blocks that are the same for every possible length are hashed as always. From the first one
 * that may differ to the last one of the longest text, each block is put together by masks (text,
 * the 0x80 behind it, the length in bits where it ends), each is compressed, and the state after
 * the right one is picked by a mask. What runs depends on min_len and max_len alone. The
 * compression is libcrypto's.
 */
#include "base/ct.h"
#include "crypto/hash_impl.h"

static uint8_t byte_at(const struct cl_ct_text *t, size_t at)
{
    if (at < t->head.len) {
        return t->head.p[at];
    }
    return at - t->head.len < t->max_len ? t->data[at - t->head.len] : 0;
}

/* The number-th block of the padded text; is_last says whether it is the last one. */
static void fill_block(const struct cl_ct_text *t, size_t size, size_t number, cl_ct_mask is_last,
                       uint8_t *block)
{
    size_t end = t->head.len + t->len;
    uint32_t bits = (uint32_t)(size + end) * 8; /* the padded key's block counts too */
    for (size_t i = 0; i < size; i++) {
        size_t at = number * size + i;
        block[i] =
            (uint8_t)(ct_byte(ct_lt(at, end), byte_at(t, at)) | ct_byte(ct_eq(at, end), 0x80));
    }
    for (size_t i = 0; i < 4; i++) {
        block[size - 1 - i] |= ct_byte(is_last, (uint8_t)(bits >> (8 * i)));
    }
}

void cl_hmac_run_ct(const struct cl_hmac_key *k, const struct cl_ct_text *text, uint8_t *out)
{
    const struct cl_hash_alg *alg = cl_hash_alg(k->id);
    const unsigned bits = (unsigned)__builtin_ctz(alg->block); /* its length is a power of 2 */
    const size_t length_len = 2U * alg->word;
    size_t size = alg->block;
    size_t len = alg->len;
    size_t first = (text->head.len + text->min_len) >> bits;
    size_t final = (text->head.len + text->max_len + length_len) >> bits;
    size_t last = (text->head.len + text->len + length_len) >> bits; /* secret */
    uint8_t block[CL_HASH_MAX_BLOCK];
    uint8_t state[CL_HASH_MAX_LEN];
    uint8_t inner[CL_HASH_MAX_LEN] = {0};
    struct cl_hash h;
    cl_hash_resume(&h, (enum cl_hash_id)k->id, k->inner);
    if (first != 0) {
        cl_hash_update(&h, text->head.p, text->head.len);
        cl_hash_update(&h, text->data, first * size - text->head.len);
    }
    for (size_t i = first; i <= final; i++) {
        cl_ct_mask is_last = ct_eq(i, last);
        fill_block(text, size, i, is_last, block);
        alg->compress(&h, block);
        cl_hash_put_chain(&h, state);
        for (size_t j = 0; j < len; j++) {
            inner[j] |= ct_byte(is_last, state[j]);
        }
    }
    cl_hash_resume(&h, (enum cl_hash_id)k->id, k->outer);
    cl_hash_update(&h, inner, len);
    cl_hash_peek(&h, out);
    cl_wipe(&h, sizeof(h));
    cl_wipe(block, sizeof(block));
    cl_wipe(state, sizeof(state));
    cl_wipe(inner, sizeof(inner));
}
