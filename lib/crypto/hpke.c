/* crypto/hpke.c - HPKE's key schedule and contexts (RFC 9180 5, 7.2, 7.3). */
#include "crypto/hpke_impl.h"

#include "base/mem.h"

#define MODE_BASE 0
#define MODE_AUTH 2

static const struct {
    uint16_t id;
    const char *name;
    enum cl_hash_id hash;
} kdfs[] = {
    {CL_HPKE_HKDF_SHA256, "HKDF-SHA256", CL_HASH_SHA256},
    {CL_HPKE_HKDF_SHA384, "HKDF-SHA384", CL_HASH_SHA384},
    {CL_HPKE_HKDF_SHA512, "HKDF-SHA512", CL_HASH_SHA512},
};

static const struct aead_row {
    uint16_t id;
    const char *name;
    enum cl_aead_id aead; /* CL_AEAD_COUNT: contexts that only export */
} aeads[] = {
    {CL_HPKE_AES_128_GCM, "AES-128-GCM", CL_AEAD_AES_128_GCM},
    {CL_HPKE_AES_256_GCM, "AES-256-GCM", CL_AEAD_AES_256_GCM},
    {CL_HPKE_CHACHA20_POLY1305, "ChaCha20-Poly1305", CL_AEAD_CHACHA20_POLY1305},
    {CL_HPKE_EXPORT_ONLY, "export-only", CL_AEAD_COUNT},
};

#define NUM_KDFS  (sizeof(kdfs) / sizeof(kdfs[0]))
#define NUM_AEADS (sizeof(aeads) / sizeof(aeads[0]))

struct cl_hpke {
    struct cl_hpke_kdf kdf;
    struct cl_aead_key aead; /* none: only exports */
    uint8_t base_nonce[CL_AEAD_NONCE_LEN];
    uint64_t sequence;
    struct cl_secret exporter;
    struct cl_secret shared;
};

static enum cl_hash_id kdf_hash(uint16_t id)
{
    for (size_t i = 0; i < NUM_KDFS; i++) {
        if (kdfs[i].id == id) {
            return kdfs[i].hash;
        }
    }
    return CL_HASH_NONE;
}

static const struct aead_row *aead_by_id(uint16_t id)
{
    for (size_t i = 0; i < NUM_AEADS; i++) {
        if (aeads[i].id == id) {
            return &aeads[i];
        }
    }
    return NULL;
}

const char *cl_hpke_kdf_name(uint16_t id)
{
    for (size_t i = 0; i < NUM_KDFS; i++) {
        if (kdfs[i].id == id) {
            return kdfs[i].name;
        }
    }
    return NULL;
}

const char *cl_hpke_aead_name(uint16_t id)
{
    const struct aead_row *row = aead_by_id(id);
    return row != NULL ? row->name : NULL;
}

void cl_hpke_free(struct cl_hpke *h)
{
    if (h != NULL) {
        cl_aead_key_wipe(&h->aead);
        cl_free_secret(h, sizeof(*h));
    }
}

/* schedule_context is what each of the key schedule's values depends on (RFC 9180 5.1). Without a
 * PSK both psk and psk_id are empty. */
static size_t schedule_context(const struct cl_hpke_kdf *kdf, const struct cl_hpke_setup *setup,
                               uint8_t out[1 + 2 * CL_HASH_MAX_LEN])
{
    struct cl_secret psk_id_hash, info_hash;
    cl_hpke_extract(kdf, cl_rd_of(NULL, 0), "psk_id_hash", cl_rd_of(NULL, 0), &psk_id_hash);
    cl_hpke_extract(kdf, cl_rd_of(NULL, 0), "info_hash", setup->info, &info_hash);
    struct cl_wr w = cl_wr_of(out, 1 + 2 * CL_HASH_MAX_LEN);
    cl_wr_u8(&w, setup->sender != NULL ? MODE_AUTH : MODE_BASE);
    cl_wr_bytes(&w, psk_id_hash.bytes, psk_id_hash.len);
    cl_wr_bytes(&w, info_hash.bytes, info_hash.len);
    return w.len;
}

static cl_result key_aead(struct cl_hpke *h, const struct aead_row *row,
                          const struct cl_secret *secret, struct cl_rd context, bool seal)
{
    uint8_t key[CL_AEAD_MAX_KEY_LEN];
    const size_t key_len = cl_aead_info(row->aead)->key_len;
    CL_TRY(cl_hpke_expand(&h->kdf, secret, "base_nonce", context, h->base_nonce,
                          sizeof(h->base_nonce)));
    CL_TRY(cl_hpke_expand(&h->kdf, secret, "key", context, key, key_len));
    const cl_result r = cl_aead_key_init(&h->aead, row->aead, key, seal);
    cl_wipe(key, sizeof(key));
    return r;
}

/* schedule is KeySchedule of RFC 9180 5.1, h->shared and h->kdf being set. */
static cl_result schedule(struct cl_hpke *h, const struct cl_hpke_setup *setup,
                          const struct aead_row *row, bool seal)
{
    uint8_t context[1 + 2 * CL_HASH_MAX_LEN];
    const struct cl_rd ctx = cl_rd_of(context, schedule_context(&h->kdf, setup, context));
    struct cl_secret secret = {0};
    cl_hpke_extract(&h->kdf, cl_rd_of(h->shared.bytes, h->shared.len), "secret", cl_rd_of(NULL, 0),
                    &secret);
    h->exporter.len = (uint8_t)cl_hash_len(h->kdf.hash);
    cl_result r = cl_hpke_expand(&h->kdf, &secret, "exp", ctx, h->exporter.bytes, h->exporter.len);
    if (r == CL_OK && row->aead != CL_AEAD_COUNT) {
        r = key_aead(h, row, &secret, ctx, seal);
    }
    cl_secret_wipe(&secret);
    return r;
}

/* begin makes a context that has agreed on nothing yet. */
static cl_result begin(struct cl_hpke **out, const struct cl_hpke_setup *setup,
                       const struct cl_hpke_kem *kem)
{
    *out = NULL;
    if (kdf_hash(setup->suite.kdf) == CL_HASH_NONE || aead_by_id(setup->suite.aead) == NULL) {
        return CLEAT_ERR_UNSUPPORTED;
    }
    struct cl_hpke *h = cl_calloc(1, sizeof(*h));
    if (h == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    /* RFC 9180 5.1: suite_id = concat("HPKE", kem_id, kdf_id, aead_id) */
    struct cl_wr w = cl_wr_of(h->kdf.suite_id, sizeof(h->kdf.suite_id));
    cl_wr_view(&w, cl_rd_str("HPKE"));
    cl_wr_u16(&w, kem->id);
    cl_wr_u16(&w, setup->suite.kdf);
    cl_wr_u16(&w, setup->suite.aead);
    h->kdf.suite_id_len = (uint8_t)w.len;
    h->kdf.hash = kdf_hash(setup->suite.kdf);
    *out = h;
    return CL_OK;
}

cl_result cl_hpke_setup_s(struct cl_hpke **out, const struct cl_hpke_setup *setup,
                          const struct cl_hpke_kem *kem, struct cl_rd public_key,
                          const struct cl_rng *rng, const struct cl_hpke_key *ephemeral,
                          uint8_t *enc)
{
    struct cl_hpke *h = NULL;
    struct cl_hpke_key made = {0};
    *out = NULL;
    CL_TRY(begin(&h, setup, kem));
    cl_result r = CL_OK;
    if (ephemeral == NULL) {
        r = cl_hpke_key_generate(&made, kem, rng);
        ephemeral = &made;
    }
    if (r == CL_OK) {
        r = cl_hpke_encap(ephemeral, setup->sender, public_key, &h->shared);
    }
    if (r == CL_OK) {
        r = schedule(h, setup, aead_by_id(setup->suite.aead), true);
    }
    if (r == CL_OK) {
        memcpy(enc, ephemeral->public_key, kem->public_len);
        *out = h;
    } else {
        cl_hpke_free(h);
    }
    cl_wipe(&made, sizeof(made));
    return r;
}

cl_result cl_hpke_setup_r(struct cl_hpke **out, const struct cl_hpke_setup *setup,
                          const struct cl_hpke_key *key, struct cl_rd enc)
{
    struct cl_hpke *h = NULL;
    *out = NULL;
    CL_TRY(begin(&h, setup, key->kem));
    cl_result r = cl_hpke_decap(key, setup->sender, enc, &h->shared);
    if (r == CL_OK) {
        r = schedule(h, setup, aead_by_id(setup->suite.aead), false);
    }
    if (r != CL_OK) {
        cl_hpke_free(h);
        return r;
    }
    *out = h;
    return CL_OK;
}

cl_result cl_hpke_setup_agreed(struct cl_hpke **out, const struct cl_hpke_setup *setup,
                               const struct cl_hpke_agreement *agreement)
{
    const struct cl_rd keys[] = {agreement->enc, agreement->public_key};
    struct cl_hpke *h = NULL;
    *out = NULL;
    if (setup->sender != NULL) {
        return CLEAT_ERR_USAGE;
    }
    CL_TRY(begin(&h, setup, agreement->kem));
    cl_result r = cl_hpke_kem_secret(agreement->kem, agreement->secret, keys, 2, &h->shared);
    if (r == CL_OK) {
        r = schedule(h, setup, aead_by_id(setup->suite.aead), agreement->seal);
    }
    if (r != CL_OK) {
        cl_hpke_free(h);
        return r;
    }
    *out = h;
    return CL_OK;
}

struct cl_rd cl_hpke_shared_secret(const struct cl_hpke *h)
{
    return cl_rd_of(h->shared.bytes, h->shared.len);
}

/* next_nonce: RFC 9180 5.2, ComputeNonce: base_nonce XOR the sequence number. */
static cl_result next_nonce(const struct cl_hpke *h, uint8_t nonce[CL_AEAD_NONCE_LEN])
{
    if (h->aead.serial == 0) {
        return CLEAT_ERR_UNSUPPORTED;
    }
    /* RFC 9180 5.2: "if self.seq >= (1 << (8*Nn)) - 1: raise MessageLimitReachedError"; a counter
     * of 64 bits ends earlier */
    if (h->sequence == UINT64_MAX) {
        return CLEAT_ERR_LIMIT;
    }
    struct cl_wr w = cl_wr_of(nonce, CL_AEAD_NONCE_LEN);
    cl_wr_zeros(&w, CL_AEAD_NONCE_LEN - 8);
    cl_wr_u64(&w, h->sequence);
    for (size_t i = 0; i < CL_AEAD_NONCE_LEN; i++) {
        nonce[i] ^= h->base_nonce[i];
    }
    return CL_OK;
}

cl_result cl_hpke_seal(struct cl_hpke *h, struct cl_rd aad, struct cl_rd in, uint8_t *out)
{
    uint8_t nonce[CL_AEAD_NONCE_LEN];
    CL_TRY(next_nonce(h, nonce));
    CL_TRY(cl_aead_seal(&h->aead, nonce, aad, &in, 1, out));
    h->sequence++;
    return CL_OK;
}

cl_result cl_hpke_open(struct cl_hpke *h, struct cl_rd aad, uint8_t *inout, size_t len,
                       size_t *out_len)
{
    uint8_t nonce[CL_AEAD_NONCE_LEN];
    *out_len = 0;
    CL_TRY(next_nonce(h, nonce));
    CL_TRY(cl_aead_open(&h->aead, nonce, aad, inout, len, out_len));
    h->sequence++;
    return CL_OK;
}

cl_result cl_hpke_export(const struct cl_hpke *h, struct cl_rd context, uint8_t *out,
                         size_t out_len)
{
    if (out_len > 255 * cl_hash_len(h->kdf.hash)) {
        return CLEAT_ERR_USAGE;
    }
    if (context.len > CL_HPKE_MAX_EXPORT_CONTEXT) {
        return CLEAT_ERR_LIMIT;
    }
    return cl_hpke_expand(&h->kdf, &h->exporter, "sec", context, out, out_len);
}
