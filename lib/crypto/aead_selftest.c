/* crypto/aead_selftest.c - what a kernel must compute before it is used: published values, and for
 * texts of many lengths what libcrypto computes, in one piece and in several; and it must refuse a
 * tag of which a bit is wrong.
 *
 * GCM: test cases 4 and 16 of its specification (McGrew, Viega). ChaCha20-Poly1305: RFC 8439 2.8.2.
 */
#include "base/mem.h"
#include "base/text.h"
#include "crypto/aead_kernel.h"

/* 4,160: beyond every length at which kernels change their way, and no multiple of a block group */
#define MAX_TEXT 4160
#define MAX_AAD  20

struct answer {
    enum cl_aead_id id;
    const char *key;
    const char *nonce;
    const char *aad;
    const char *text;
    const char *sealed;
};

static const struct answer answers[] = {
    {CL_AEAD_AES_128_GCM, "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
     "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
     "5bc94fbc3221a5db94fae95ae7121a47"},
    {CL_AEAD_AES_256_GCM, "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
     "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
     "76fc6ece0f4e1768cddf8853bb2d551b"},
    {CL_AEAD_CHACHA20_POLY1305, "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
     "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
     "4c616469657320616e642047656e746c656d656e206f662074686520636c6173"
     "73206f66202739393a204966204920636f756c64206f6666657220796f75206f"
     "6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73"
     "637265656e20776f756c642062652069742e",
     "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
     "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
     "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
     "3ff4def08e4b7a9de576d26586cec64b6116"
     "1ae10b594f09e26a7e902ecbd0600691"},
};

/* A key in the slots of both; 16 KiB. */
struct trial {
    struct cl_aead_slot slot;      /* the kernel's */
    struct cl_aead_slot reference; /* libcrypto's */
    EVP_CIPHER_CTX *ctx;
    EVP_CIPHER_CTX *reference_ctx;
    uint8_t nonce[CL_AEAD_NONCE_LEN];
    uint8_t aad[MAX_AAD];
    uint8_t text[MAX_TEXT];
    uint8_t sealed[MAX_TEXT + CL_AEAD_MAX_TAG_LEN];
    uint8_t expected[MAX_TEXT + CL_AEAD_MAX_TAG_LEN];
};

static size_t digits(uint8_t *out, size_t room, const char *hex)
{
    size_t len = 0;
    (void)!cl_hex_decode(hex, strlen(hex), out, room, &len);
    return len;
}

static bool set_key(struct trial *t, const struct cl_aead_kernel *kernel, enum cl_aead_id id,
                    bool seals, const uint8_t *bytes)
{
    struct cl_aead_key key = {.id = (uint8_t)id, .seals = seals};
    memcpy(key.bytes, bytes, sizeof(key.bytes));
    t->slot.kernel = kernel;
    t->slot.ctx = &t->ctx;
    t->slot.id = (uint8_t)id;
    return kernel->expand(&t->slot, &key) == CL_OK;
}

/* Sealed with a kernel's slot, opened again, and refused with a wrong bit. */
static bool opens(struct trial *t, struct cl_rd aad, size_t len)
{
    const struct cl_aead_kernel *k = t->slot.kernel;
    memcpy(t->sealed, t->expected, len + CL_AEAD_MAX_TAG_LEN);
    const bool opened =
        k->open(&t->slot, t->nonce, aad, t->sealed, len) && memcmp(t->sealed, t->text, len) == 0;
    memcpy(t->sealed, t->expected, len + CL_AEAD_MAX_TAG_LEN);
    t->sealed[len + len % CL_AEAD_MAX_TAG_LEN] ^= 0x10;
    return opened && !k->open(&t->slot, t->nonce, aad, t->sealed, len);
}

static bool seals(struct trial *t, struct cl_rd aad, size_t len, size_t split)
{
    const struct cl_rd parts[] = {cl_rd_of(t->text, split), cl_rd_of(t->text + split, len - split)};
    const struct cl_rd whole = cl_rd_of(t->text, len);
    memset(t->sealed, 0, sizeof(t->sealed));
    const bool ok = split == 0 ? t->slot.kernel->seal(&t->slot, t->nonce, aad, &whole, 1, t->sealed)
                               : t->slot.kernel->seal(&t->slot, t->nonce, aad, parts, 2, t->sealed);
    return ok && memcmp(t->sealed, t->expected, len + CL_AEAD_MAX_TAG_LEN) == 0;
}

static bool gives_published(struct trial *t, const struct cl_aead_kernel *kernel,
                            const struct answer *a)
{
    uint8_t key[CL_AEAD_MAX_KEY_LEN] = {0};
    (void)digits(key, sizeof(key), a->key);
    (void)digits(t->nonce, sizeof(t->nonce), a->nonce);
    const struct cl_rd aad = cl_rd_of(t->aad, digits(t->aad, sizeof(t->aad), a->aad));
    const size_t len = digits(t->text, sizeof(t->text), a->text);
    (void)digits(t->expected, sizeof(t->expected), a->sealed);
    return set_key(t, kernel, a->id, true, key) && seals(t, aad, len, 0) && seals(t, aad, len, 1) &&
           set_key(t, kernel, a->id, false, key) && opens(t, aad, len);
}

/* As libcrypto computes it, for lengths around those at which code changes its way. */
static bool agrees(struct trial *t, const struct cl_aead_kernel *kernel, enum cl_aead_id id)
{
    static const size_t lengths[] = {0,    1,    15,   16,   17,   63,   64,
                                     65,   127,  128,  129,  255,  256,  257,
                                     1024, 1025, 1400, 2047, 2048, 2049, MAX_TEXT};
    const struct cl_aead_kernel *libcrypto = cl_aead_ossl(id);
    struct cl_aead_key key = {.id = (uint8_t)id, .seals = true};
    for (size_t i = 0; i < sizeof(t->text); i++) {
        t->text[i] = (uint8_t)(i * i + (i >> 8));
    }
    memcpy(key.bytes, t->text + 77, sizeof(key.bytes));
    t->reference.ctx = &t->reference_ctx;
    t->reference.id = (uint8_t)id;
    bool ok = libcrypto != NULL && libcrypto->expand(&t->reference, &key) == CL_OK;
    for (size_t i = 0; ok && i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        const struct cl_rd whole = cl_rd_of(t->text, lengths[i]);
        const struct cl_rd aad = cl_rd_of(t->aad, i % 3 == 0 ? 5 : i % 3 == 1 ? 13 : 0);
        t->nonce[3] = (uint8_t)i;
        ok = libcrypto->seal(&t->reference, t->nonce, aad, &whole, 1, t->expected) &&
             set_key(t, kernel, id, true, key.bytes) && seals(t, aad, whole.len, 0) &&
             seals(t, aad, whole.len, whole.len / 2) &&
             (whole.len == 0 || seals(t, aad, whole.len, whole.len - 1)) &&
             set_key(t, kernel, id, false, key.bytes) && opens(t, aad, whole.len);
    }
    return ok;
}

bool cl_aead_kernel_well(const struct cl_aead_kernel *kernel, enum cl_aead_id id)
{
    struct trial t;
    bool known = false;
    bool ok = true;
    memset(&t, 0, sizeof(t));
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]) && ok; i++) {
        if (answers[i].id == id) {
            known = true;
            ok = gives_published(&t, kernel, &answers[i]);
        }
    }
    ok = ok && known && agrees(&t, kernel, id);
    EVP_CIPHER_CTX_free(t.ctx);
    EVP_CIPHER_CTX_free(t.reference_ctx);
    return ok;
}
