/* tls/schedule.c - see schedule.h. Runs in constant time as far as the secrets go: HMAC and copies
 * only. Temporaries that held a secret are wiped. */
#include "tls/schedule.h"

#include <pthread.h>
#include <string.h>

static const uint8_t zeros[CL_HASH_MAX_LEN];

static struct cl_rd secret_view(const struct cl_secret *s)
{
    return cl_rd_of(s->bytes, s->len);
}

/* ---- what is the same in every handshake ---- */

struct known {
    uint8_t empty_hash[CL_HASH_MAX_LEN]; /* Transcript-Hash("") */
    struct cl_hmac_key zero_salt;        /* of the Early Secret */
    struct cl_hmac_key early;            /* the Early Secret without a PSK */
    struct cl_hmac_key handshake_salt;   /* the salt of the Handshake Secret that follows it */
};

/* By hash; there are suites of these two (RFC 9846 B.4). */
static struct known known[CL_HASH_SHA384 + 1];
static pthread_once_t known_once = PTHREAD_ONCE_INIT;

static void derive(const struct cl_hmac_key *prk, const char *label, const uint8_t *transcript,
                   uint8_t *out)
{
    const size_t len = cl_hash_len((enum cl_hash_id)prk->id);
    cl_hkdf_expand_label_key(prk, label, cl_rd_of(transcript, len), out, len);
}

static void salt_from(struct cl_hmac_key *out, const struct cl_hmac_key *prk,
                      const uint8_t *empty_hash)
{
    const enum cl_hash_id hash = (enum cl_hash_id)prk->id;
    uint8_t derived[CL_HASH_MAX_LEN];
    derive(prk, "derived", empty_hash, derived);
    cl_hmac_key_init(out, hash, cl_rd_of(derived, cl_hash_len(hash)));
    cl_wipe(derived, sizeof(derived));
}

static void learn(void)
{
    for (int i = CL_HASH_SHA256; i <= CL_HASH_SHA384; i++) {
        const enum cl_hash_id hash = (enum cl_hash_id)i;
        struct known *k = &known[i];
        const struct cl_rd zero = cl_rd_of(zeros, cl_hash_len(hash));
        cl_hash_once(hash, "", 0, k->empty_hash);
        cl_hmac_key_init(&k->zero_salt, hash, zero);
        cl_hkdf_extract_key(&k->zero_salt, zero, &k->early);
        salt_from(&k->handshake_salt, &k->early, k->empty_hash);
    }
}

static const struct known *known_of(enum cl_hash_id hash)
{
    (void)pthread_once(&known_once, learn); /* it fails for a control that is none */
    return &known[hash];
}

/* ---- */

void cl_schedule_early(struct cl_schedule *ks, enum cl_hash_id hash, struct cl_rd psk)
{
    const struct known *k = known_of(hash);
    ks->hash = hash;
    ks->without_psk = psk.len == 0;
    if (ks->without_psk) {
        ks->prk = k->early;
    } else {
        cl_hkdf_extract_key(&k->zero_salt, psk, &ks->prk);
    }
}

void cl_schedule_derive(const struct cl_schedule *ks, const char *label, const uint8_t *transcript,
                        struct cl_secret *out)
{
    out->len = (uint8_t)cl_hash_len(ks->hash);
    derive(&ks->prk, label, transcript, out->bytes);
}

void cl_schedule_next(struct cl_schedule *ks, struct cl_rd ikm)
{
    const struct known *k = known_of(ks->hash);
    if (ikm.len == 0) {
        ikm = cl_rd_of(zeros, cl_hash_len(ks->hash));
    }
    if (ks->without_psk) {
        cl_hkdf_extract_key(&k->handshake_salt, ikm, &ks->prk);
        ks->without_psk = false;
        return;
    }
    struct cl_hmac_key salt;
    salt_from(&salt, &ks->prk, k->empty_hash);
    cl_hkdf_extract_key(&salt, ikm, &ks->prk);
    cl_wipe(&salt, sizeof(salt));
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
    cl_schedule_derive(early, label, known_of(early->hash)->empty_hash, out);
}

void cl_traffic_update(enum cl_hash_id hash, struct cl_secret *secret)
{
    struct cl_secret next = {.len = secret->len};
    cl_hkdf_expand_label(hash, secret_view(secret), "traffic upd", cl_rd_of(NULL, 0), next.bytes,
                         secret->len);
    *secret = next;
    cl_secret_wipe(&next);
}

void cl_resumption_psk(const struct cl_hmac_key *resumption, struct cl_rd nonce,
                       struct cl_secret *out)
{
    out->len = (uint8_t)cl_hash_len((enum cl_hash_id)resumption->id);
    cl_hkdf_expand_label_key(resumption, "resumption", nonce, out->bytes, out->len);
}

void cl_exporter(enum cl_hash_id hash, const struct cl_secret *exporter, const char *label,
                 struct cl_rd context, uint8_t *out, size_t out_len)
{
    size_t len = cl_hash_len(hash);
    uint8_t digest[CL_HASH_MAX_LEN];
    struct cl_secret derived;
    derived.len = (uint8_t)len;
    cl_hkdf_expand_label(hash, secret_view(exporter), label,
                         cl_rd_of(known_of(hash)->empty_hash, len), derived.bytes, len);
    cl_hash_once(hash, context.p, context.len, digest);
    cl_hkdf_expand_label(hash, secret_view(&derived), "exporter", cl_rd_of(digest, len), out,
                         out_len);
    cl_secret_wipe(&derived);
}
