/* tls/msg_client_key_exchange.c - ClientKeyExchange of TLS 1.2, both roles: a share, of a curve
 * (RFC 8422 5.7) or a finite field (RFC 5246 7.4.7.2), a premaster secret under the server's RSA
 * key (RFC 5246 7.4.7.1), the identity of a PSK (RFC 4279 2, RFC 5489 2). A row for each key
 * exchange.
 */
#include "tls/keys_12.h"
#include "tls/msg.h"
#include "tls/psk.h"
#include "tls/raw_key.h"

/* ---- ECDHE and DHE ---- */

/* Where the secret goes when it is too long for the job. */
static cl_result make_field_room(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    const size_t len = tls->group->secret_len;
    if (tls->group->finite_field) {
        CL_TRY(cl_buf_reserve(&hs->field_secret, len, CL_GROUP_MAX_PRIME));
        hs->field_secret.len = len;
        hs->job.kex.field_secret = hs->field_secret.p;
    }
    return CL_OK;
}

/* RFC 7919 5.1 has no rule about leading zeros of public values: there are peers that leave them
 * out, and some that put one too many. */
static cl_result set_field_share(struct cleat_tls *tls, struct cl_rd share)
{
    static const uint8_t zeros[CL_GROUP_MAX_PRIME];
    struct cl_buf *out = &tls->hs->peer_share;
    share = cl_rd_without_zeros(share);
    if (share.len > tls->group->secret_len) {
        return cl_tls_fail(tls, CL_WHY(BAD_KEY_SHARE, "RFC 7919 5.1"),
                           "the peer's public value has %zu bytes, longer than the prime of %s",
                           share.len, tls->group->name);
    }
    CL_TRY(cl_buf_append(out, zeros, tls->group->secret_len - share.len, CL_GROUP_MAX_PRIME));
    return share.len != 0 ? cl_buf_append(out, share.p, share.len, CL_GROUP_MAX_PRIME) : CL_OK;
}

cl_result cl_peer_share_set(struct cleat_tls *tls, struct cl_rd share)
{
    tls->hs->peer_share.len = 0;
    if (tls->group->finite_field) {
        return set_field_share(tls, share);
    }
    return cl_buf_append(&tls->hs->peer_share, share.p, share.len, CL_GROUP_MAX_SHARE);
}

cl_result cl_peer_share_bad(struct cleat_tls *tls, const char *whose)
{
    const char *section = tls->group->finite_field ? "RFC 7919 5.1" : "RFC 8422 5.11";
    return cl_tls_fail(tls, CL_WHY(BAD_KEY_SHARE, section),
                       "the %s's key share for %s is not valid", whose, tls->group->name);
}

static cl_result share_start(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    hs->job = (struct cl_job){.kind = CL_JOB_ENCAP, .status = CL_JOB_PENDING};
    hs->job.kex.group = tls->group;
    hs->job.kex.rng = &tls->config->rng;
    hs->job.kex.peer_share = cl_buf_view(&hs->peer_share);
    hs->job.kex.share = hs->share;
    return make_field_room(tls);
}

static void share_put(const struct cleat_tls *tls, struct cl_wr *w)
{
    const bool dhe = cl_suite_is_dhe(tls->suite);
    struct cl_wr_mark m = dhe ? cl_wr_open16(w) : cl_wr_open8(w);
    cl_wr_bytes(w, tls->hs->share, tls->hs->job.kex.share_len);
    cl_wr_close(w, m);
}

static cl_result share_take(struct cleat_tls *tls, struct cl_rd body)
{
    struct cl_hs *hs = tls->hs;
    const bool dhe = cl_suite_is_dhe(tls->suite);
    struct cl_rd share;
    const bool ok = dhe ? cl_rd_vec16(&body, &share) : cl_rd_vec8(&body, &share);
    if (!ok || share.len == 0 || !cl_rd_done(&body)) {
        return cl_tls_decode_error(tls, "ClientKeyExchange",
                                   dhe ? "RFC 5246 7.4.7.2" : "RFC 8422 5.7");
    }
    CL_TRY(cl_peer_share_set(tls, share));
    hs->job = (struct cl_job){.kind = CL_JOB_DECAP, .status = CL_JOB_PENDING};
    hs->job.kex.group = tls->group;
    hs->job.kex.key = hs->kex_key;
    hs->job.kex.peer_share = cl_buf_view(&hs->peer_share);
    return make_field_room(tls);
}

/* ---- RSA ---- */

/* 16,384 bits: the longest modulus there is */
#define MAX_ENCRYPTED 2048

static cl_result rsa_start(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    const struct cl_pubkey *key;
    CL_TRY(cl_peer_pubkey(tls, &key));
    CL_TRY(cl_buf_reserve(&hs->encrypted, MAX_ENCRYPTED, MAX_ENCRYPTED));
    hs->job = (struct cl_job){.kind = CL_JOB_ENCRYPT, .status = CL_JOB_PENDING};
    hs->job.premaster.peer = key;
    hs->job.premaster.rng = &tls->config->rng;
    hs->job.premaster.version = CLEAT_TLS_1_2; /* our legacy_version */
    hs->job.premaster.encrypted = hs->encrypted.p;
    hs->job.premaster.encrypted_cap = MAX_ENCRYPTED;
    return CL_OK;
}

static void rsa_put(const struct cleat_tls *tls, struct cl_wr *w)
{
    struct cl_wr_mark m = cl_wr_open16(w);
    cl_wr_bytes(w, tls->hs->encrypted.p, tls->hs->job.premaster.encrypted_len);
    cl_wr_close(w, m);
}

static cl_result rsa_take(struct cleat_tls *tls, struct cl_rd body)
{
    struct cl_hs *hs = tls->hs;
    struct cl_rd encrypted;
    if (!cl_rd_vec16(&body, &encrypted) || !cl_rd_done(&body)) {
        return cl_tls_decode_error(tls, "ClientKeyExchange", "RFC 5246 7.4.7.1");
    }
    hs->encrypted.len = 0;
    CL_TRY(cl_buf_append(&hs->encrypted, encrypted.p, encrypted.len, UINT16_MAX));
    hs->job = (struct cl_job){.kind = CL_JOB_DECRYPT, .status = CL_JOB_PENDING};
    hs->job.premaster.key = hs->credential->key;
    hs->job.premaster.rng = &tls->config->rng;
    hs->job.premaster.version = hs->parsed.legacy_version;
    hs->job.premaster.ciphertext = cl_buf_view(&hs->encrypted);
    return CL_OK;
}

/* ---- PSK ---- */

static void psk_put(const struct cleat_tls *tls, struct cl_wr *w)
{
    struct cl_wr_mark m = cl_wr_open16(w);
    cl_wr_view(w, cl_buf_view(&tls->psk->identity));
    cl_wr_close(w, m);
    if (cl_suite_has_share(tls->suite)) {
        share_put(tls, w);
    }
}

static cl_result psk_start(struct cleat_tls *tls)
{
    if (cl_suite_has_share(tls->suite)) {
        return share_start(tls);
    }
    cl_job_reset(&tls->hs->job); /* there is nothing to compute */
    return CL_OK;
}

static cl_result psk_take(struct cleat_tls *tls, struct cl_rd body)
{
    struct cl_rd identity;
    if (!cl_rd_vec16(&body, &identity)) {
        return cl_tls_decode_error(tls, "ClientKeyExchange", "RFC 4279 2");
    }
    tls->psk = cl_psk_find_12(tls->config, identity);
    if (tls->psk == NULL) {
        return cl_tls_fail(tls,
                           CL_WHY_HINT(UNKNOWN_PSK, "RFC 4279 2",
                                       "see that both ends have the same identity and key"),
                           "the client's PSK identity (%zu bytes) is not known here", identity.len);
    }
    cl_event_choice(tls, "PSK", "external", "the client named it");
    if (cl_suite_has_share(tls->suite)) {
        return share_take(tls, body);
    }
    cl_job_reset(&tls->hs->job);
    return cl_rd_done(&body) ? CL_OK : cl_tls_decode_error(tls, "ClientKeyExchange", "RFC 4279 2");
}

/* ---- all ---- */

static const struct exchange {
    cl_result (*start)(struct cleat_tls *tls); /* client: the job that makes it */
    void (*put)(const struct cleat_tls *tls, struct cl_wr *w);
    size_t max_len;
    cl_result (*take)(struct cleat_tls *tls, struct cl_rd body); /* server: the job that uses it */
} exchanges[CL_KX_NUM] = {
    [CL_KX_ECDHE] = {share_start, share_put, 1 + UINT8_MAX, share_take},
    [CL_KX_DHE] = {share_start, share_put, 2 + CL_GROUP_MAX_PRIME, share_take},
    [CL_KX_RSA] = {rsa_start, rsa_put, 2 + MAX_ENCRYPTED, rsa_take},
    [CL_KX_ECDHE_PSK] = {psk_start, psk_put, 2 + CL_PSK_MAX_IDENTITY + 1 + UINT8_MAX, psk_take},
    [CL_KX_DHE_PSK] = {psk_start, psk_put, 2 + CL_PSK_MAX_IDENTITY + 2 + CL_GROUP_MAX_PRIME,
                       psk_take},
    [CL_KX_PSK] = {psk_start, psk_put, 2 + CL_PSK_MAX_IDENTITY, psk_take},
};

cl_result cl_client_key_exchange_start(struct cleat_tls *tls)
{
    CL_TRY(exchanges[tls->suite->kx].start(tls));
    tls->hs->waiting = &tls->hs->job;
    return CL_OK;
}

cl_result cl_client_key_exchange_build(struct cleat_tls *tls)
{
    const struct exchange *x = &exchanges[tls->suite->kx];
    struct cl_wr w;
    CL_TRY(cl_flight_begin(tls, CL_HT_CLIENT_KEY_EXCHANGE, x->max_len, &w));
    x->put(tls, &w);
    return cl_flight_end(tls, &w);
}

cl_result cl_client_key_exchange_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(exchanges[tls->suite->kx].take(tls, msg->body));
    tls->hs->waiting = &tls->hs->job;
    cl_hs_next(tls, 0);
    return CL_OK;
}

/* RFC 4279 2: other_secret and PSK, each behind its length; without (EC)DHE as many zeros as the
 * PSK has bytes take the other's place. RFC 5489 2 likewise. */
static void psk_master_secret(struct cleat_tls *tls, struct cl_rd other)
{
    static const uint8_t zeros[CL_SECRET_MAX];
    const struct cl_secret *psk = &tls->psk->key;
    uint8_t premaster[2 + CL_GROUP_MAX_PRIME + 2 + CL_SECRET_MAX];
    struct cl_wr w = cl_wr_of(premaster, sizeof(premaster));
    struct cl_wr_mark m = cl_wr_open16(&w);
    cl_wr_view(&w, tls->suite->kx == CL_KX_PSK ? cl_rd_of(zeros, psk->len) : other);
    cl_wr_close(&w, m);
    m = cl_wr_open16(&w);
    cl_wr_bytes(&w, psk->bytes, psk->len);
    cl_wr_close(&w, m);
    cl_master_secret(tls, cl_rd_of(premaster, w.len));
    cl_wipe(premaster, sizeof(premaster));
}

void cl_client_key_exchange_finish(struct cleat_tls *tls)
{
    const struct cl_job *job = &tls->hs->job;
    struct cl_rd secret = cl_rd_of(job->kex.secret, job->kex.secret_len);
    if (cl_suite_is_dhe(tls->suite)) {
        /* RFC 5246 8.1.2: "Leading bytes of Z that contain all zero bits are stripped before it is
         * used as the pre_master_secret." That takes a time of its own, and so does hashing what is
         * left, which the Raccoon attack makes use of: against keys that are used twice. */
        secret = cl_rd_without_zeros(cl_buf_view(&tls->hs->field_secret));
    }
    if (tls->suite->auth == CL_AUTH_PSK) {
        psk_master_secret(tls, secret);
        cl_buf_deinit(&tls->hs->field_secret);
        return;
    }
    if (tls->suite->kx == CL_KX_RSA) {
        secret = cl_rd_of(job->premaster.secret, CL_PREMASTER_LEN);
    }
    cl_master_secret(tls, secret);
    cl_buf_deinit(&tls->hs->field_secret);
}
