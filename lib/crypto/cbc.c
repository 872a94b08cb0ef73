/* crypto/cbc.c - see cbc.h; AES is libcrypto's.
 *
 * Constant time: everything behind the decryption of a MAC-then-encrypt record. Secret are the
 * plaintext, the length of its padding and whether it is right; public are the length of the
 * record and, at the end, the one answer good or bad. A wrong padding counts as none, so that the
 * MAC is computed over something all the same (RFC 5246 6.2.3.2).
 */
#include "crypto/cbc.h"

#include <pthread.h>

#include <openssl/evp.h>

#include "base/ct.h"
#include "base/mem.h"
#include "crypto/ossl.h"

struct cl_cbc {
    EVP_CIPHER_CTX *ctx;
    struct cl_hmac_key mac;
    size_t mac_len;
    bool encrypt_then_mac;
};

/* Kept until the process ends. */
static EVP_CIPHER *aes_128;
static EVP_CIPHER *aes_256;
static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;

static void fetch_ciphers(void)
{
    aes_128 = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL);
    aes_256 = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
}

cl_result cl_cbc_new(struct cl_cbc **out, const struct cl_cbc_params *params)
{
    *out = NULL;
    if (pthread_once(&fetch_once, fetch_ciphers) != 0 || aes_128 == NULL || aes_256 == NULL) {
        return cl_ossl_failed(CLEAT_ERR_CRYPTO);
    }
    struct cl_cbc *c = cl_calloc(1, sizeof(*c));
    if (c == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    c->ctx = EVP_CIPHER_CTX_new();
    if (c->ctx == NULL ||
        EVP_CipherInit_ex(c->ctx, params->key_len == 16 ? aes_128 : aes_256, NULL, params->key,
                          NULL, params->seal ? 1 : 0) != 1 ||
        EVP_CIPHER_CTX_set_padding(c->ctx, 0) != 1) {
        const cl_result r = c->ctx == NULL ? CLEAT_ERR_NOMEM : CLEAT_ERR_CRYPTO;
        cl_cbc_free(c);
        return cl_ossl_failed(r);
    }
    c->mac_len = cl_hash_len(params->hash);
    c->encrypt_then_mac = params->encrypt_then_mac;
    cl_hmac_key_init(&c->mac, params->hash, cl_rd_of(params->mac_key, c->mac_len));
    *out = c;
    return CL_OK;
}

void cl_cbc_free(struct cl_cbc *c)
{
    if (c != NULL) {
        EVP_CIPHER_CTX_free(c->ctx); /* wipes the key schedule */
        cl_free_secret(c, sizeof(*c));
    }
}

size_t cl_cbc_overhead(const struct cl_cbc *c)
{
    return CL_CBC_BLOCK + c->mac_len + CL_CBC_BLOCK;
}

/* What is encrypted beside the text: the MAC, or nothing. */
static size_t inner_mac_len(const struct cl_cbc *c)
{
    return c->encrypt_then_mac ? 0 : c->mac_len;
}

/* The padding has one byte at least, which says how many more there are. */
static size_t padding_of(const struct cl_cbc *c, size_t len)
{
    return CL_CBC_BLOCK - (len + inner_mac_len(c)) % CL_CBC_BLOCK;
}

size_t cl_cbc_sealed_len(const struct cl_cbc *c, size_t len)
{
    return CL_CBC_BLOCK + len + padding_of(c, len) + c->mac_len;
}

static bool crypt(struct cl_cbc *c, const uint8_t *iv, uint8_t *inout, size_t len)
{
    int n = 0;
    return EVP_CipherInit_ex(c->ctx, NULL, NULL, NULL, iv, -1) == 1 &&
           EVP_CipherUpdate(c->ctx, inout, &n, inout, (int)len) == 1 && n == (int)len;
}

/* HMAC over head, the length and a text whose length is known. */
static void mac_of(const struct cl_cbc *c, const uint8_t *head, struct cl_rd text, uint8_t *out)
{
    uint8_t len[2] = {(uint8_t)(text.len >> 8), (uint8_t)text.len};
    const struct cl_rd parts[] = {cl_rd_of(head, CL_CBC_HEAD), cl_rd_of(len, 2), text};
    cl_hmac_run(&c->mac, parts, 3, out);
}

cl_result cl_cbc_seal(struct cl_cbc *c, const uint8_t head[CL_CBC_HEAD],
                      const uint8_t iv[CL_CBC_BLOCK], struct cl_rd text, uint8_t *out)
{
    uint8_t *inner = out + CL_CBC_BLOCK;
    size_t padding = padding_of(c, text.len);
    size_t len = text.len + inner_mac_len(c) + padding;
    memcpy(out, iv, CL_CBC_BLOCK);
    if (text.len != 0) {
        memcpy(inner, text.p, text.len);
    }
    if (!c->encrypt_then_mac) {
        mac_of(c, head, text, inner + text.len);
    }
    memset(inner + len - padding, (int)(padding - 1), padding);
    if (!crypt(c, iv, inner, len)) {
        return cl_ossl_failed(CLEAT_ERR_CRYPTO);
    }
    if (c->encrypt_then_mac) {
        mac_of(c, head, cl_rd_of(out, CL_CBC_BLOCK + len), inner + len);
    }
    return CL_OK;
}

/* ---- opening ---- */

/* RFC 5246 6.2.3.2: "Each uint8 in the padding data vector MUST be filled with the padding length
 * value." Looks at as many bytes as a padding may have, whatever its length. *padding is 0 when it
 * is wrong. reserved: bytes in front of it that cannot be padding. */
static cl_ct_mask check_padding(const uint8_t *text, size_t len, size_t reserved, size_t *padding)
{
    uint8_t last = text[len - 1];
    cl_ct_mask good = ct_lt((size_t)last + reserved, len);
    for (size_t i = 1; i <= 255 && i < len; i++) {
        good &= ~ct_lt(i, (size_t)last + 1) | ct_eq(text[len - 1 - i], last);
    }
    *padding = good & last;
    return good;
}

/* Copies the MAC that stands behind the text, wherever that ends: the window in which it may lie is
 * folded into mac_len bytes, which are then turned to where they belong. */
static void extract_mac(const uint8_t *data, const struct cl_ct_text *text, size_t mac_len,
                        uint8_t *out)
{
    uint8_t folded[CL_HASH_MAX_LEN] = {0};
    size_t turn = 0; /* secret: where in folded the MAC begins */
    size_t j = 0;
    for (size_t i = text->min_len; i < text->max_len + mac_len; i++) {
        cl_ct_mask inside = ~ct_lt(i, text->len) & ct_lt(i, text->len + mac_len);
        folded[j] |= ct_byte(inside, data[i]);
        turn |= ct_eq(i, text->len) & j;
        j = j + 1 == mac_len ? 0 : j + 1;
    }
    memset(out, 0, mac_len);
    for (size_t i = 0; i < mac_len; i++) {
        size_t from = i + turn;
        from -= ~ct_lt(from, mac_len) & mac_len;
        for (j = 0; j < mac_len; j++) {
            out[i] |= ct_byte(ct_eq(j, from), folded[j]);
        }
    }
}

static cl_result open_mac_then_encrypt(struct cl_cbc *c, const uint8_t *head, const uint8_t *data,
                                       size_t len, size_t *out_len)
{
    uint8_t head_and_len[CL_CBC_HEAD + 2];
    uint8_t computed[CL_HASH_MAX_LEN];
    uint8_t received[CL_HASH_MAX_LEN];
    size_t padding;
    cl_ct_secret(data, len);
    cl_ct_mask good = check_padding(data, len, c->mac_len, &padding);
    const size_t most = len - c->mac_len - 1;
    const struct cl_ct_text text = {
        .head = cl_rd_of(head_and_len, sizeof(head_and_len)),
        .data = data,
        .min_len = most > 255 ? most - 255 : 0,
        .len = most - padding,
        .max_len = most,
    };
    memcpy(head_and_len, head, CL_CBC_HEAD);
    head_and_len[CL_CBC_HEAD] = (uint8_t)(text.len >> 8);
    head_and_len[CL_CBC_HEAD + 1] = (uint8_t)text.len;
    cl_hmac_run_ct(&c->mac, &text, computed);
    extract_mac(data, &text, c->mac_len, received);
    uint32_t differ = 0;
    for (size_t i = 0; i < c->mac_len; i++) {
        differ |= (uint32_t)(computed[i] ^ received[i]);
    }
    good &= ct_eq(differ, 0);
    cl_ct_public(&good, sizeof(good));
    if (good == 0) {
        return CLEAT_ERR_BAD_RECORD_MAC;
    }
    *out_len = text.len;
    cl_ct_public(out_len, sizeof(*out_len));
    cl_ct_public(data, len); /* the application's from here on */
    return CL_OK;
}

/* RFC 7366 3: the MAC is over IV and ciphertext, and is checked before anything is decrypted. */
static cl_result open_encrypt_then_mac(struct cl_cbc *c, const uint8_t *head, uint8_t *inout,
                                       size_t len, size_t *out_len)
{
    uint8_t computed[CL_HASH_MAX_LEN];
    size_t padding;
    size_t inner = len - CL_CBC_BLOCK - c->mac_len;
    uint8_t *data = inout + CL_CBC_BLOCK;
    mac_of(c, head, cl_rd_of(inout, CL_CBC_BLOCK + inner), computed);
    if (!cl_ct_equal(computed, data + inner, c->mac_len) || !crypt(c, inout, data, inner) ||
        check_padding(data, inner, 0, &padding) == 0) {
        return CLEAT_ERR_BAD_RECORD_MAC;
    }
    *out_len = inner - 1 - padding;
    return CL_OK;
}

cl_result cl_cbc_open(struct cl_cbc *c, const uint8_t head[CL_CBC_HEAD], uint8_t *inout, size_t len,
                      size_t *out_len)
{
    const size_t outer_mac = c->encrypt_then_mac ? c->mac_len : 0;
    *out_len = 0;
    /* what anybody can see: whole blocks, and room for IV, MAC and a byte of padding */
    if (len < CL_CBC_BLOCK + c->mac_len + 1 || (len - outer_mac) % CL_CBC_BLOCK != 0) {
        return CLEAT_ERR_BAD_RECORD_MAC;
    }
    if (c->encrypt_then_mac) {
        return open_encrypt_then_mac(c, head, inout, len, out_len);
    }
    if (!crypt(c, inout, inout + CL_CBC_BLOCK, len - CL_CBC_BLOCK)) {
        return cl_ossl_failed(CLEAT_ERR_BAD_RECORD_MAC);
    }
    return open_mac_then_encrypt(c, head, inout + CL_CBC_BLOCK, len - CL_CBC_BLOCK, out_len);
}
