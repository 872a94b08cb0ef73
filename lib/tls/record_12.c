/* tls/record_12.c - how records of TLS 1.2 are protected by AEAD ciphers (RFC 5246 6.2.3.3),
 * with the explicit nonce of GCM and CCM (RFC 5288 3, RFC 6655 3), or the implicit one of ChaCha20
 * (RFC 7905 2). The explicit nonce is the sequence number, so it never repeats under a key. */
#include "tls/record.h"

#include "tls/suite.h"

#define EXPLICIT_LEN 8
#define AAD_LEN      13

static void make_aad(const struct cl_record_keys *keys, uint8_t type, size_t len,
                     uint8_t aad[AAD_LEN])
{
    struct cl_wr w = cl_wr_of(aad, AAD_LEN);
    cl_wr_u64(&w, keys->seq);
    cl_wr_u8(&w, type);
    cl_wr_u16(&w, CLEAT_TLS_1_2);
    cl_wr_u16(&w, (uint16_t)len);
}

static void make_nonce(const struct cl_record_keys *keys, const uint8_t *explicit_nonce,
                       uint8_t nonce[CL_AEAD_NONCE_LEN])
{
    if (keys->explicit_len != 0) {
        memcpy(nonce, keys->iv, CL_AEAD_NONCE_LEN - EXPLICIT_LEN);
        memcpy(nonce + CL_AEAD_NONCE_LEN - EXPLICIT_LEN, explicit_nonce, EXPLICIT_LEN);
        return;
    }
    cl_record_nonce(keys, nonce);
}

static size_t overhead_12(const struct cl_record_keys *keys)
{
    return (size_t)keys->explicit_len + keys->tag_len;
}

static cl_result seal_12(struct cl_record_keys *keys, uint8_t type, struct cl_rd fragment,
                         size_t padding, uint8_t *out)
{
    uint8_t aad[AAD_LEN];
    uint8_t nonce[CL_AEAD_NONCE_LEN];
    struct cl_wr w = cl_wr_of(out, CL_RECORD_HEADER_LEN + EXPLICIT_LEN);
    cl_wr_u8(&w, type);
    cl_wr_u16(&w, CLEAT_TLS_1_2);
    cl_wr_u16(&w, (uint16_t)(fragment.len + overhead_12(keys)));
    if (keys->explicit_len != 0) {
        cl_wr_u64(&w, keys->seq);
    }
    make_aad(keys, type, fragment.len, aad);
    make_nonce(keys, out + CL_RECORD_HEADER_LEN, nonce);
    return cl_aead_seal(&keys->aead, nonce, cl_rd_of(aad, AAD_LEN), &fragment, 1, out + w.len);
}

static cl_result open_12(struct cl_record_keys *keys, const uint8_t *header, struct cl_record *rec)
{
    uint8_t aad[AAD_LEN];
    uint8_t nonce[CL_AEAD_NONCE_LEN];
    size_t len;
    if (rec->len < overhead_12(keys)) {
        return CLEAT_ERR_BAD_RECORD_MAC;
    }
    make_aad(keys, rec->type, rec->len - overhead_12(keys), aad);
    make_nonce(keys, rec->p, nonce);
    rec->p += keys->explicit_len;
    CL_TRY(cl_aead_open(&keys->aead, nonce, cl_rd_of(aad, AAD_LEN), rec->p,
                        rec->len - keys->explicit_len, &len));
    /* RFC 5246 6.2.1: the length MUST NOT exceed 2^14 */
    if (len > CL_RECORD_MAX_PLAIN || (keys->limit != 0 && len > keys->limit)) {
        return CLEAT_ERR_RECORD_OVERFLOW;
    }
    rec->len = len;
    return CL_OK;
}

const struct cl_protection cl_protection_12 = {
    .overhead = overhead_12,
    .open = open_12,
    .seal = seal_12,
    .max_expansion = CL_RECORD_MAX_EXPANSION,
};

struct cl_lens_12 cl_record_lens_12(const struct cl_suite *suite)
{
    struct cl_lens_12 lens = {.key = suite->cbc_key_len, .mac_key = cl_hash_len(suite->mac)};
    if (suite->mac == CL_HASH_NONE) {
        bool implicit = suite->aead == CL_AEAD_CHACHA20_POLY1305;
        lens.key = cl_aead_info(suite->aead)->key_len;
        lens.iv = implicit ? CL_AEAD_NONCE_LEN : CL_AEAD_NONCE_LEN - EXPLICIT_LEN;
    }
    return lens;
}

cl_result cl_record_keys_12(struct cl_record_keys *keys, const struct cl_suite *suite,
                            const struct cl_keys_12 *parts, bool seal)
{
    struct cl_aead_key aead;
    size_t iv_len = cl_record_lens_12(suite).iv;
    if (suite->mac != CL_HASH_NONE) {
        return cl_record_keys_cbc(keys, suite, parts, seal);
    }
    CL_TRY(cl_aead_key_init(&aead, suite->aead, parts->key, seal));
    cl_record_keys_replace(keys);
    keys->protection = &cl_protection_12;
    keys->aead = aead;
    keys->tag_len = cl_aead_info(suite->aead)->tag_len;
    keys->explicit_len = (uint8_t)(CL_AEAD_NONCE_LEN - iv_len);
    memcpy(keys->iv, parts->iv, iv_len);
    cl_wipe(&aead, sizeof(aead));
    return CL_OK;
}
