/* crypto/hash.c - see hash.h and hash_impl.h; FIPS 180-4.
 *
 * The SHA functions are called directly, with contexts in the caller's storage: through EVP a
 * digest of 32 bytes costs six times as much and can fail. They are deprecated by name only
 * (docs/decisions/0051-hashes-called-directly.md). Copies of a state are wiped, as secrets are
 * hashed too.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/hash_impl.h"

#include <endian.h>
#include <stddef.h>

#include <openssl/sha.h>

_Static_assert(sizeof(SHA_CTX) <= sizeof(((struct cl_hash *)0)->state), "SHA-1 state fits");
_Static_assert(sizeof(SHA256_CTX) <= sizeof(((struct cl_hash *)0)->state), "SHA-256 state fits");
_Static_assert(sizeof(SHA512_CTX) <= sizeof(((struct cl_hash *)0)->state), "SHA-512 state fits");
_Static_assert(offsetof(SHA_CTX, h0) == 0 && offsetof(SHA256_CTX, h) == 0 &&
                   offsetof(SHA512_CTX, h) == 0,
               "a state begins with its chaining value");

/* ---- block by block ---- */

static void compress_sha1(struct cl_hash *h, const uint8_t *block)
{
    SHA1_Transform((SHA_CTX *)(void *)h->state, block);
}

static void compress_sha256(struct cl_hash *h, const uint8_t *block)
{
    SHA256_Transform((SHA256_CTX *)(void *)h->state, block);
}

static void compress_sha512(struct cl_hash *h, const uint8_t *block)
{
    SHA512_Transform((SHA512_CTX *)(void *)h->state, block);
}

static const struct cl_hash_alg hashes[] = {
    [CL_HASH_NONE] = {.name = "none", .block = 1, .word = 4},
    [CL_HASH_SHA1] = {"SHA-1", 20, 64, sizeof(SHA_CTX), 4, compress_sha1, {0x80, [42] = 2, 0xa0}},
    [CL_HASH_SHA256] =
        {"SHA-256", 32, 64, sizeof(SHA256_CTX), 4, compress_sha256, {0x80, [30] = 3, 0}},
    [CL_HASH_SHA384] =
        {"SHA-384", 48, 128, sizeof(SHA512_CTX), 8, compress_sha512, {0x80, [78] = 5, 0x80}},
    [CL_HASH_SHA512] =
        {"SHA-512", 64, 128, sizeof(SHA512_CTX), 8, compress_sha512, {0x80, [62] = 6, 0}},
};

const struct cl_hash_alg *cl_hash_alg(unsigned id)
{
    return &hashes[id];
}

void cl_hash_resume(struct cl_hash *h, enum cl_hash_id id, const uint8_t *chain)
{
    cl_hash_init(h, id);
    memcpy(h->state, chain, id == CL_HASH_SHA1 ? 20 : 8U * hashes[id].word);
    /* what libcrypto counts in bits, to be put behind the message */
    const unsigned bits = 8U * hashes[id].block;
    switch (id) {
    case CL_HASH_SHA1:
        ((SHA_CTX *)(void *)h->state)->Nl = bits;
        break;
    case CL_HASH_SHA256:
        ((SHA256_CTX *)(void *)h->state)->Nl = bits;
        break;
    case CL_HASH_SHA384:
    case CL_HASH_SHA512:
        ((SHA512_CTX *)(void *)h->state)->Nl = bits;
        break;
    case CL_HASH_NONE:
        break;
    }
}

/* Sixteen bytes at once, which is how the next compression reads them: it would wait for narrower
 * stores. */
typedef uint32_t words4 __attribute__((vector_size(16)));

static void put_words4(const uint8_t *in, uint8_t *out)
{
    words4 v;
    memcpy(&v, in, sizeof(v));
    if (BYTE_ORDER == LITTLE_ENDIAN) {
        v = v << 24 | (v & 0xff00) << 8 | (v >> 8 & 0xff00) | v >> 24;
    }
    memcpy(out, &v, sizeof(v));
}

void cl_hash_put_chain(const struct cl_hash *h, uint8_t out[CL_HASH_MAX_LEN])
{
    if (hashes[h->id].word == 4) {
        put_words4(h->state, out);
        put_words4(h->state + 16, out + 16);
        return;
    }
    for (size_t i = 0; i < CL_HASH_MAX_LEN; i += 8) {
        uint64_t v;
        memcpy(&v, h->state + i, sizeof(v));
        v = htobe64(v);
        memcpy(out + i, &v, sizeof(v));
    }
}

/* ---- running ---- */

size_t cl_hash_len(enum cl_hash_id id)
{
    return hashes[id].len;
}

const char *cl_hash_name(enum cl_hash_id id)
{
    return hashes[id].name;
}

void cl_hash_init(struct cl_hash *h, enum cl_hash_id id)
{
    h->id = (uint8_t)id;
    switch (id) {
    case CL_HASH_SHA1:
        (void)SHA1_Init((SHA_CTX *)(void *)h->state);
        break;
    case CL_HASH_SHA256:
        (void)SHA256_Init((SHA256_CTX *)(void *)h->state);
        break;
    case CL_HASH_SHA384:
        (void)SHA384_Init((SHA512_CTX *)(void *)h->state);
        break;
    case CL_HASH_SHA512:
        (void)SHA512_Init((SHA512_CTX *)(void *)h->state);
        break;
    case CL_HASH_NONE:
        break;
    }
}

void cl_hash_update(struct cl_hash *h, const void *p, size_t len)
{
    if (len == 0) {
        return;
    }
    switch ((enum cl_hash_id)h->id) {
    case CL_HASH_SHA1:
        (void)SHA1_Update((SHA_CTX *)(void *)h->state, p, len);
        break;
    case CL_HASH_SHA256:
        (void)SHA256_Update((SHA256_CTX *)(void *)h->state, p, len);
        break;
    case CL_HASH_SHA384:
        (void)SHA384_Update((SHA512_CTX *)(void *)h->state, p, len);
        break;
    case CL_HASH_SHA512:
        (void)SHA512_Update((SHA512_CTX *)(void *)h->state, p, len);
        break;
    case CL_HASH_NONE:
        break;
    }
}

/* finish writes the digest and wipes the state. */
static void finish(struct cl_hash *h, uint8_t *out)
{
    switch ((enum cl_hash_id)h->id) {
    case CL_HASH_SHA1:
        (void)SHA1_Final(out, (SHA_CTX *)(void *)h->state);
        break;
    case CL_HASH_SHA256:
        (void)SHA256_Final(out, (SHA256_CTX *)(void *)h->state);
        break;
    case CL_HASH_SHA384:
        (void)SHA384_Final(out, (SHA512_CTX *)(void *)h->state);
        break;
    case CL_HASH_SHA512:
        (void)SHA512_Final(out, (SHA512_CTX *)(void *)h->state);
        break;
    case CL_HASH_NONE:
        break;
    }
    cl_wipe(h->state, hashes[h->id].state_len);
}

void cl_hash_peek(const struct cl_hash *h, uint8_t *out)
{
    struct cl_hash copy;
    copy.id = h->id;
    memcpy(copy.state, h->state, hashes[h->id].state_len);
    finish(&copy, out);
}

void cl_hash_once(enum cl_hash_id id, const void *p, size_t len, uint8_t *out)
{
    struct cl_hash h;
    cl_hash_init(&h, id);
    cl_hash_update(&h, p, len);
    finish(&h, out);
}
