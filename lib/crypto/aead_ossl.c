/* crypto/aead_ossl.c - AEAD ciphers of libcrypto.
 *
 * The algorithms are fetched once for the process; a context is keyed when its slot is filled and
 * gets only a nonce for each record. GCM and ChaCha20-Poly1305 are streams: inputs go in one after
 * another. CCM must know the length first and takes one piece: inputs are collected where the
 * ciphertext goes and encrypted in place.
 */
#include <pthread.h>

#include <openssl/err.h>

#include "crypto/aead_kernel.h"
#include "crypto/ossl.h"

static const char *const evp_names[CL_AEAD_COUNT] = {
    [CL_AEAD_AES_128_GCM] = "AES-128-GCM",
    [CL_AEAD_AES_256_GCM] = "AES-256-GCM",
    [CL_AEAD_CHACHA20_POLY1305] = "ChaCha20-Poly1305",
    [CL_AEAD_AES_128_CCM] = "AES-128-CCM",
    [CL_AEAD_AES_128_CCM_8] = "AES-128-CCM",
    [CL_AEAD_AES_256_CCM] = "AES-256-CCM",
    [CL_AEAD_AES_256_CCM_8] = "AES-256-CCM",
};

/* Kept until the process ends. */
static EVP_CIPHER *ciphers[CL_AEAD_COUNT];
static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;

static void fetch_ciphers(void)
{
    for (size_t i = 0; i < CL_AEAD_COUNT; i++) {
        ciphers[i] = EVP_CIPHER_fetch(NULL, evp_names[i], NULL);
    }
    ERR_clear_error();
}

static bool is_ccm(const struct cl_aead_slot *slot)
{
    return slot->id >= CL_AEAD_AES_128_CCM && slot->id <= CL_AEAD_AES_256_CCM_8;
}

static int tag_len_of(const struct cl_aead_slot *slot)
{
    return cl_aead_info((enum cl_aead_id)slot->id)->tag_len;
}

/* The others' nonce has CL_AEAD_NONCE_LEN bytes unless told otherwise: one call does. */
static bool set_key(struct cl_aead_slot *slot, const uint8_t *key, int enc)
{
    EVP_CIPHER_CTX *ctx = *slot->ctx;
    const EVP_CIPHER *cipher = ciphers[slot->id];
    if (!is_ccm(slot)) {
        /* a context that had this cipher keeps its memory */
        const bool same = EVP_CIPHER_CTX_get0_cipher(ctx) == cipher;
        return EVP_CipherInit_ex(ctx, same ? NULL : cipher, NULL, key, NULL, enc) == 1;
    }
    return EVP_CipherInit_ex(ctx, cipher, NULL, NULL, NULL, enc) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, CL_AEAD_NONCE_LEN, NULL) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, tag_len_of(slot), NULL) == 1 &&
           EVP_CipherInit_ex(ctx, NULL, NULL, key, NULL, enc) == 1;
}

static cl_result expand(struct cl_aead_slot *slot, const struct cl_aead_key *key)
{
    if (*slot->ctx == NULL) {
        *slot->ctx = EVP_CIPHER_CTX_new();
    }
    if (*slot->ctx == NULL) {
        return cl_ossl_failed(CLEAT_ERR_NOMEM);
    }
    return set_key(slot, key->bytes, key->seals ? 1 : 0) ? CL_OK : cl_ossl_failed(CLEAT_ERR_CRYPTO);
}

/* A key of zeros over what was there: the next key then needs no new memory. */
static void drop(struct cl_aead_slot *slot)
{
    static const uint8_t zeros[CL_AEAD_MAX_KEY_LEN];
    if (*slot->ctx != NULL && EVP_CipherInit_ex(*slot->ctx, NULL, NULL, zeros, NULL, -1) != 1) {
        (void)EVP_CIPHER_CTX_reset(*slot->ctx);
        ERR_clear_error();
    }
}

static bool start(struct cl_aead_slot *slot, const uint8_t *nonce, struct cl_rd aad, size_t len)
{
    EVP_CIPHER_CTX *ctx = *slot->ctx;
    int n = 0;
    if (EVP_CipherInit_ex(ctx, NULL, NULL, NULL, nonce, -1) != 1) {
        return false;
    }
    if (is_ccm(slot) && EVP_CipherUpdate(ctx, NULL, &n, NULL, (int)len) != 1) {
        return false;
    }
    return aad.len == 0 || EVP_CipherUpdate(ctx, NULL, &n, aad.p, (int)aad.len) == 1;
}

/* crypt turns len bytes at in into as many at out. An empty piece must still be seen by CCM. */
static bool crypt(struct cl_aead_slot *slot, const uint8_t *in, size_t len, uint8_t *out)
{
    int n = 0;
    return EVP_CipherUpdate(*slot->ctx, out, &n, in, (int)len) == 1 && n == (int)len;
}

static bool encrypt_pieces(struct cl_aead_slot *slot, const struct cl_rd *in, size_t num,
                           uint8_t *out)
{
    for (size_t i = 0; i < num; i++) {
        if (in[i].len != 0 && !crypt(slot, in[i].p, in[i].len, out)) {
            return false;
        }
        out += in[i].len;
    }
    return true;
}

static bool seal_slot(struct cl_aead_slot *slot, const uint8_t *nonce, struct cl_rd aad,
                      const struct cl_rd *in, size_t num, uint8_t *out)
{
    uint8_t none[EVP_MAX_BLOCK_LENGTH];
    size_t total = 0;
    int n = 0;
    for (size_t i = 0; i < num; i++) {
        total += in[i].len;
    }
    bool ok = start(slot, nonce, aad, total);
    if (ok && is_ccm(slot)) {
        cl_aead_gather(out, in, num);
        ok = crypt(slot, out, total, out);
    } else if (ok) {
        ok = encrypt_pieces(slot, in, num, out);
    }
    ok = ok && EVP_CipherFinal_ex(*slot->ctx, none, &n) == 1 &&
         EVP_CIPHER_CTX_ctrl(*slot->ctx, EVP_CTRL_AEAD_GET_TAG, tag_len_of(slot), out + total) == 1;
    if (!ok) {
        ERR_clear_error();
    }
    return ok;
}

static bool open_slot(struct cl_aead_slot *slot, const uint8_t *nonce, struct cl_rd aad,
                      uint8_t *inout, size_t len)
{
    uint8_t none[EVP_MAX_BLOCK_LENGTH];
    int n = 0;
    /* CCM wants the tag before the text, and checks it as it decrypts; the others do not mind. */
    const bool ok = EVP_CIPHER_CTX_ctrl(*slot->ctx, EVP_CTRL_AEAD_SET_TAG, tag_len_of(slot),
                                        inout + len) == 1 &&
                    start(slot, nonce, aad, len) &&
                    ((len == 0 && !is_ccm(slot)) || crypt(slot, inout, len, inout)) &&
                    (is_ccm(slot) || EVP_CipherFinal_ex(*slot->ctx, none, &n) == 1);
    if (!ok) {
        ERR_clear_error();
    }
    return ok;
}

static const struct cl_aead_kernel kernel = {expand, drop, seal_slot, open_slot};

const struct cl_aead_kernel *cl_aead_ossl(enum cl_aead_id id)
{
    if (pthread_once(&fetch_once, fetch_ciphers) != 0 || ciphers[id] == NULL) {
        return NULL;
    }
    return &kernel;
}
