/* crypto/aead.c - see aead.h; over libcrypto's EVP ciphers.
 *
 * The algorithms are fetched once for the process; a context is keyed when it is made and gets only
 * a nonce for each record. GCM and ChaCha20-Poly1305 are streams: inputs go in one after another.
 * CCM must know the length first and takes one piece: inputs are collected where the ciphertext
 * goes and encrypted in place.
 */
#include "crypto/aead.h"

#include <limits.h>
#include <pthread.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/mem.h"

/* RFC 9846 5.5: AES-GCM keeps its margin for 2^24.5 full-size records. 2^24.5, rounded down. */
#define MAX_RECORDS_GCM      UINT64_C(23726566)
/* RFC 9846 5.5: "the record sequence number would wrap before the safety limit is reached" */
#define MAX_RECORDS_CHACHA20 UINT64_MAX
/* RFC 9846 names no limit for CCM; RFC 9147 4.5.3 and RFC 9001 6.6 both arrive at 2^23 (and at
 * 2^21.5 forgeries, fewer with the short tag) from the same analysis. */
#define MAX_RECORDS_CCM      (UINT64_C(1) << 23)

static const struct cl_aead_info infos[CL_AEAD_COUNT] = {
    [CL_AEAD_AES_128_GCM] = {"AES-128-GCM", 16, 16, MAX_RECORDS_GCM},
    [CL_AEAD_AES_256_GCM] = {"AES-256-GCM", 32, 16, MAX_RECORDS_GCM},
    [CL_AEAD_CHACHA20_POLY1305] = {"ChaCha20-Poly1305", 32, 16, MAX_RECORDS_CHACHA20},
    [CL_AEAD_AES_128_CCM] = {"AES-128-CCM", 16, 16, MAX_RECORDS_CCM},
    [CL_AEAD_AES_128_CCM_8] = {"AES-128-CCM-8", 16, 8, MAX_RECORDS_CCM},
    [CL_AEAD_AES_256_CCM] = {"AES-256-CCM", 32, 16, MAX_RECORDS_CCM},
    [CL_AEAD_AES_256_CCM_8] = {"AES-256-CCM-8", 32, 8, MAX_RECORDS_CCM},
};

static const char *const evp_names[CL_AEAD_COUNT] = {
    [CL_AEAD_AES_128_GCM] = "AES-128-GCM",
    [CL_AEAD_AES_256_GCM] = "AES-256-GCM",
    [CL_AEAD_CHACHA20_POLY1305] = "ChaCha20-Poly1305",
    [CL_AEAD_AES_128_CCM] = "AES-128-CCM",
    [CL_AEAD_AES_128_CCM_8] = "AES-128-CCM",
    [CL_AEAD_AES_256_CCM] = "AES-256-CCM",
    [CL_AEAD_AES_256_CCM_8] = "AES-256-CCM",
};

struct cl_aead {
    EVP_CIPHER_CTX *ctx;
    enum cl_aead_id id;
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

const struct cl_aead_info *cl_aead_info(enum cl_aead_id id)
{
    return &infos[id];
}

static bool is_ccm(enum cl_aead_id id)
{
    return id >= CL_AEAD_AES_128_CCM && id <= CL_AEAD_AES_256_CCM_8;
}

static bool key_context(struct cl_aead *a, const uint8_t *key, bool seal)
{
    const int enc = seal ? 1 : 0;
    /* The others' nonce has CL_AEAD_NONCE_LEN bytes unless told otherwise: one call does. */
    if (!is_ccm(a->id)) {
        return EVP_CipherInit_ex(a->ctx, ciphers[a->id], NULL, key, NULL, enc) == 1;
    }
    return EVP_CipherInit_ex(a->ctx, ciphers[a->id], NULL, NULL, NULL, enc) == 1 &&
           EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_SET_IVLEN, CL_AEAD_NONCE_LEN, NULL) == 1 &&
           EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_SET_TAG, infos[a->id].tag_len, NULL) == 1 &&
           EVP_CipherInit_ex(a->ctx, NULL, NULL, key, NULL, enc) == 1;
}

cl_result cl_aead_new(struct cl_aead **out, enum cl_aead_id id, const uint8_t *key, bool seal)
{
    *out = NULL;
    if (pthread_once(&fetch_once, fetch_ciphers) != 0 || ciphers[id] == NULL) {
        return CLEAT_ERR_CRYPTO;
    }
    struct cl_aead *a = cl_calloc(1, sizeof(*a));
    if (a == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    a->id = id;
    a->ctx = EVP_CIPHER_CTX_new();
    if (a->ctx == NULL || !key_context(a, key, seal)) {
        const cl_result r = a->ctx == NULL ? CLEAT_ERR_NOMEM : CLEAT_ERR_CRYPTO;
        ERR_clear_error();
        cl_aead_free(a);
        return r;
    }
    *out = a;
    return CL_OK;
}

void cl_aead_free(struct cl_aead *a)
{
    if (a != NULL) {
        EVP_CIPHER_CTX_free(a->ctx); /* wipes the key schedule */
        cl_free(a);
    }
}

static bool total_len(const struct cl_rd *in, size_t num, size_t *out)
{
    size_t total = 0;
    for (size_t i = 0; i < num; i++) {
        if (in[i].len > INT_MAX - CL_AEAD_MAX_TAG_LEN - total) {
            return false;
        }
        total += in[i].len;
    }
    *out = total;
    return true;
}

static bool start(struct cl_aead *a, const uint8_t *nonce, struct cl_rd aad, size_t len)
{
    int n = 0;
    if (aad.len > INT_MAX || EVP_CipherInit_ex(a->ctx, NULL, NULL, NULL, nonce, -1) != 1) {
        return false;
    }
    if (is_ccm(a->id) && EVP_CipherUpdate(a->ctx, NULL, &n, NULL, (int)len) != 1) {
        return false;
    }
    return aad.len == 0 || EVP_CipherUpdate(a->ctx, NULL, &n, aad.p, (int)aad.len) == 1;
}

/* crypt turns len bytes at in into as many at out. An empty piece must still be seen by CCM. */
static bool crypt(struct cl_aead *a, const uint8_t *in, size_t len, uint8_t *out)
{
    int n = 0;
    return EVP_CipherUpdate(a->ctx, out, &n, in, (int)len) == 1 && n == (int)len;
}

static bool encrypt_pieces(struct cl_aead *a, const struct cl_rd *in, size_t num, uint8_t *out)
{
    for (size_t i = 0; i < num; i++) {
        if (in[i].len != 0 && !crypt(a, in[i].p, in[i].len, out)) {
            return false;
        }
        out += in[i].len;
    }
    return true;
}

static bool encrypt_collected(struct cl_aead *a, const struct cl_rd *in, size_t num, size_t total,
                              uint8_t *out)
{
    uint8_t *at = out;
    for (size_t i = 0; i < num; i++) {
        if (in[i].len != 0 && in[i].p != at) {
            memcpy(at, in[i].p, in[i].len);
        }
        at += in[i].len;
    }
    return crypt(a, out, total, out);
}

cl_result cl_aead_seal(struct cl_aead *a, const uint8_t nonce[CL_AEAD_NONCE_LEN], struct cl_rd aad,
                       const struct cl_rd *in, size_t num, uint8_t *out)
{
    size_t total = 0;
    int n = 0;
    uint8_t none[EVP_MAX_BLOCK_LENGTH];
    const bool ok =
        total_len(in, num, &total) && start(a, nonce, aad, total) &&
        (is_ccm(a->id) ? encrypt_collected(a, in, num, total, out)
                       : encrypt_pieces(a, in, num, out)) &&
        EVP_CipherFinal_ex(a->ctx, none, &n) == 1 &&
        EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_GET_TAG, infos[a->id].tag_len, out + total) == 1;
    if (!ok) {
        ERR_clear_error();
        return CLEAT_ERR_CRYPTO;
    }
    return CL_OK;
}

cl_result cl_aead_open(struct cl_aead *a, const uint8_t nonce[CL_AEAD_NONCE_LEN], struct cl_rd aad,
                       uint8_t *inout, size_t len, size_t *out_len)
{
    const size_t tag_len = infos[a->id].tag_len;
    uint8_t none[EVP_MAX_BLOCK_LENGTH];
    int n = 0;
    *out_len = 0;
    if (len < tag_len || len > INT_MAX) {
        return CLEAT_ERR_BAD_RECORD_MAC;
    }
    const size_t text_len = len - tag_len;
    /* CCM wants the tag before the text, and checks it as it decrypts; the others do not mind. */
    const bool ok =
        EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_SET_TAG, (int)tag_len, inout + text_len) == 1 &&
        start(a, nonce, aad, text_len) &&
        ((text_len == 0 && !is_ccm(a->id)) || crypt(a, inout, text_len, inout)) &&
        (is_ccm(a->id) || EVP_CipherFinal_ex(a->ctx, none, &n) == 1);
    if (!ok) {
        ERR_clear_error();
        return CLEAT_ERR_BAD_RECORD_MAC;
    }
    *out_len = text_len;
    return CL_OK;
}
