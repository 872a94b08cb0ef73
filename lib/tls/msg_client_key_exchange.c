/* tls/msg_client_key_exchange.c - ClientKeyExchange of TLS 1.2, both roles: an ECDHE share (RFC
 * 8422 5.7), or a premaster secret under the server's RSA key (RFC 5246 7.4.7.1). A row for each
 * key exchange. */
#include "tls/msg.h"
#include "tls/raw_key.h"

/* ---- ECDHE ---- */

static cl_result ecdhe_start(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    hs->job = (struct cl_job){.kind = CL_JOB_ENCAP, .status = CL_JOB_PENDING};
    hs->job.kex.group = tls->group;
    hs->job.kex.rng = &tls->config->rng;
    hs->job.kex.peer_share = cl_buf_view(&hs->peer_share);
    hs->job.kex.share = hs->share;
    return CL_OK;
}

static void ecdhe_put(const struct cleat_tls *tls, struct cl_wr *w)
{
    struct cl_wr_mark m = cl_wr_open8(w);
    cl_wr_bytes(w, tls->hs->share, tls->hs->job.kex.share_len);
    cl_wr_close(w, m);
}

static cl_result ecdhe_take(struct cleat_tls *tls, struct cl_rd body)
{
    struct cl_hs *hs = tls->hs;
    struct cl_rd share;
    if (!cl_rd_vec8(&body, &share) || share.len == 0 || !cl_rd_done(&body)) {
        return cl_tls_decode_error(tls, "ClientKeyExchange", "RFC 8422 5.7");
    }
    hs->peer_share.len = 0;
    CL_TRY(cl_buf_append(&hs->peer_share, share.p, share.len, CL_GROUP_MAX_SHARE));
    hs->job = (struct cl_job){.kind = CL_JOB_DECAP, .status = CL_JOB_PENDING};
    hs->job.kex.group = tls->group;
    hs->job.kex.key = hs->kex_key;
    hs->job.kex.peer_share = cl_buf_view(&hs->peer_share);
    return CL_OK;
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

/* ---- all ---- */

static const struct exchange {
    cl_result (*start)(struct cleat_tls *tls); /* client: the job that makes it */
    void (*put)(const struct cleat_tls *tls, struct cl_wr *w);
    size_t max_len;
    cl_result (*take)(struct cleat_tls *tls, struct cl_rd body); /* server: the job that uses it */
} exchanges[CL_KX_NUM] = {
    [CL_KX_ECDHE] = {ecdhe_start, ecdhe_put, 1 + UINT8_MAX, ecdhe_take},
    [CL_KX_RSA] = {rsa_start, rsa_put, 2 + MAX_ENCRYPTED, rsa_take},
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

struct cl_rd cl_client_key_exchange_secret(const struct cl_job *job)
{
    if (job->kind == CL_JOB_ENCRYPT || job->kind == CL_JOB_DECRYPT) {
        return cl_rd_of(job->premaster.secret, CL_PREMASTER_LEN);
    }
    return cl_rd_of(job->kex.secret, job->kex.secret_len);
}
