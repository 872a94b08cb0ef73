/* tls/schedule.c - see schedule.h. Runs in constant time as far as the secrets go: HMAC and copies
 * only. Temporaries that held a secret are wiped. */
#include "tls/schedule.h"

#include <string.h>

static const uint8_t zeros[CL_HASH_MAX_LEN];

static struct cl_rd secret_view(const struct cl_secret *s)
{
    return cl_rd_of(s->bytes, s->len);
}

void cl_schedule_early(struct cl_schedule *ks, enum cl_hash_id hash, struct cl_rd psk)
{
    size_t len = cl_hash_len(hash);
    ks->hash = hash;
    struct cl_rd ikm = psk.len != 0 ? psk : cl_rd_of(zeros, len);
    cl_hkdf_extract(hash, cl_rd_of(zeros, len), ikm, &ks->secret);
    cl_hmac_key_init(&ks->prk, hash, secret_view(&ks->secret));
}

void cl_schedule_derive(const struct cl_schedule *ks, const char *label, const uint8_t *transcript,
                        struct cl_secret *out)
{
    size_t len = cl_hash_len(ks->hash);
    out->len = (uint8_t)len;
    cl_hkdf_expand_label_key(&ks->prk, label, cl_rd_of(transcript, len), out->bytes, len);
}

void cl_schedule_next(struct cl_schedule *ks, struct cl_rd ikm)
{
    size_t len = cl_hash_len(ks->hash);
    uint8_t empty_hash[CL_HASH_MAX_LEN];
    struct cl_secret derived;
    cl_hash_once(ks->hash, "", 0, empty_hash);
    cl_schedule_derive(ks, "derived", empty_hash, &derived);
    if (ikm.len == 0) {
        ikm = cl_rd_of(zeros, len);
    }
    cl_hkdf_extract(ks->hash, secret_view(&derived), ikm, &ks->secret);
    cl_hmac_key_init(&ks->prk, ks->hash, secret_view(&ks->secret));
    cl_secret_wipe(&derived);
}

void cl_finished_mac(enum cl_hash_id hash, const struct cl_secret *base_key,
                     const uint8_t *transcript, uint8_t *out)
{
    size_t len = cl_hash_len(hash);
    uint8_t key[CL_HASH_MAX_LEN];
    cl_hkdf_expand_label(hash, secret_view(base_key), "finished", cl_rd_of(NULL, 0), key, len);
    struct cl_rd part = cl_rd_of(transcript, len);
    cl_hmac(hash, cl_rd_of(key, len), &part, 1, out);
    cl_wipe(key, sizeof(key));
}

void cl_binder_key(const struct cl_schedule *early, const char *label, struct cl_secret *out)
{
    uint8_t empty_hash[CL_HASH_MAX_LEN];
    cl_hash_once(early->hash, "", 0, empty_hash);
    cl_schedule_derive(early, label, empty_hash, out);
}

void cl_traffic_update(enum cl_hash_id hash, struct cl_secret *secret)
{
    struct cl_secret next = {.len = secret->len};
    cl_hkdf_expand_label(hash, secret_view(secret), "traffic upd", cl_rd_of(NULL, 0), next.bytes,
                         secret->len);
    *secret = next;
    cl_secret_wipe(&next);
}

void cl_resumption_psk(enum cl_hash_id hash, const struct cl_secret *resumption, struct cl_rd nonce,
                       struct cl_secret *out)
{
    out->len = (uint8_t)cl_hash_len(hash);
    cl_hkdf_expand_label(hash, secret_view(resumption), "resumption", nonce, out->bytes, out->len);
}

void cl_exporter(enum cl_hash_id hash, const struct cl_secret *exporter, const char *label,
                 struct cl_rd context, uint8_t *out, size_t out_len)
{
    size_t len = cl_hash_len(hash);
    uint8_t digest[CL_HASH_MAX_LEN];
    struct cl_secret derived;
    derived.len = (uint8_t)len;
    cl_hash_once(hash, "", 0, digest);
    cl_hkdf_expand_label(hash, secret_view(exporter), label, cl_rd_of(digest, len), derived.bytes,
                         len);
    cl_hash_once(hash, context.p, context.len, digest);
    cl_hkdf_expand_label(hash, secret_view(&derived), "exporter", cl_rd_of(digest, len), out,
                         out_len);
    cl_secret_wipe(&derived);
}
