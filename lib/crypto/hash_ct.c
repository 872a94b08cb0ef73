/* crypto/hash_ct.c - HMAC over a text whose length is secret (RFC 5246 6.2.3.2; the attack is
 * Lucky Thirteen).
 *
 * The blocks that are the same for every possible length are hashed as always. From the first one
 * that may differ to the last one of the longest text, each block is put together by masks (text,
 * the 0x80 behind it, the length in bits where it ends), each is compressed, and the state after
 * the right one is picked by a mask. What runs depends on min_len and max_len alone. The
 * compression is libcrypto's.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "base/ct.h"
#include "crypto/hash.h"

static void put32(uint8_t *out, uint32_t v)
{
    for (size_t i = 0; i < 4; i++) {
        out[i] = (uint8_t)(v >> (24 - 8 * i));
    }
}

static void put64(uint8_t *out, uint64_t v)
{
    put32(out, (uint32_t)(v >> 32));
    put32(out + 4, (uint32_t)v);
}

static void compress_sha1(struct cl_hash *h, const uint8_t *block, uint8_t *out)
{
    SHA_CTX *c = (SHA_CTX *)(void *)h->state;
    SHA1_Transform(c, block);
    put32(out, c->h0);
    put32(out + 4, c->h1);
    put32(out + 8, c->h2);
    put32(out + 12, c->h3);
    put32(out + 16, c->h4);
}

static void compress_sha256(struct cl_hash *h, const uint8_t *block, uint8_t *out)
{
    SHA256_CTX *c = (SHA256_CTX *)(void *)h->state;
    SHA256_Transform(c, block);
    for (size_t i = 0; i < 8; i++) {
        put32(out + 4 * i, c->h[i]);
    }
}

static void compress_sha512(struct cl_hash *h, const uint8_t *block, uint8_t *out)
{
    SHA512_CTX *c = (SHA512_CTX *)(void *)h->state;
    SHA512_Transform(c, block);
    for (size_t i = 0; i < 8; i++) {
        put64(out + 8 * i, c->h[i]);
    }
}

struct compressor {
    void (*compress)(struct cl_hash *h, const uint8_t *block, uint8_t *out);
    uint8_t block_bits; /* log2 of the block's length */
    uint8_t length_len; /* bytes of the length at the end */
};

static const struct compressor compressors[] = {
    [CL_HASH_SHA1] = {compress_sha1, 6, 8},
    [CL_HASH_SHA256] = {compress_sha256, 6, 8},
    [CL_HASH_SHA384] = {compress_sha512, 7, 16},
    [CL_HASH_SHA512] = {compress_sha512, 7, 16},
};

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
    const struct compressor *c = &compressors[k->inner.id];
    size_t size = (size_t)1 << c->block_bits;
    size_t len = cl_hash_len((enum cl_hash_id)k->inner.id);
    size_t first = (text->head.len + text->min_len) >> c->block_bits;
    size_t final = (text->head.len + text->max_len + c->length_len) >> c->block_bits;
    size_t last = (text->head.len + text->len + c->length_len) >> c->block_bits; /* secret */
    uint8_t block[CL_HASH_MAX_BLOCK];
    uint8_t state[CL_HASH_MAX_LEN];
    uint8_t inner[CL_HASH_MAX_LEN] = {0};
    struct cl_hash h = k->inner;
    if (first != 0) {
        cl_hash_update(&h, text->head.p, text->head.len);
        cl_hash_update(&h, text->data, first * size - text->head.len);
    }
    for (size_t i = first; i <= final; i++) {
        cl_ct_mask is_last = ct_eq(i, last);
        fill_block(text, size, i, is_last, block);
        c->compress(&h, block, state);
        for (size_t j = 0; j < len; j++) {
            inner[j] |= ct_byte(is_last, state[j]);
        }
    }
    h = k->outer;
    cl_hash_update(&h, inner, len);
    cl_hash_peek(&h, out);
    cl_wipe(&h, sizeof(h));
    cl_wipe(block, sizeof(block));
    cl_wipe(state, sizeof(state));
    cl_wipe(inner, sizeof(inner));
}
