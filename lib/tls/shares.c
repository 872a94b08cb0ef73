/* tls/shares.c - see shares.h: for which groups there are key shares (RFC 9846 4.3.8), their
 * making.
 *
 * The first ClientHello has two: for the preferred group, and for the first group of the other
 * kind, with or without ML-KEM. So a server that has never heard of ML-KEM needs no second round
 * trip, and neither does one that insists on it. After a HelloRetryRequest that names a group there
 * is one, for that.
 */
#include "tls/ech.h"
#include "tls/msg.h"
#include "tls/shares.h"

void cl_shares_choose(struct cleat_tls *tls)
{
    const struct cleat_tls_config *config = tls->config;
    struct cl_hs *hs = tls->hs;
    hs->share_group = config->groups[0];
    for (size_t i = 1; i < config->num_groups && hs->second_group == NULL; i++) {
        if (config->groups[i]->post_quantum != hs->share_group->post_quantum) {
            hs->second_group = config->groups[i];
        }
    }
}

void cl_shares_drop_second(struct cl_hs *hs)
{
    cl_kex_key_free(hs->second_key);
    hs->second_key = NULL;
    hs->second_group = NULL;
    cl_buf_deinit(&hs->second_share);
}

bool cl_shares_has(const struct cl_hs *hs, uint16_t group)
{
    return hs->share_group->id == group ||
           (hs->second_group != NULL && hs->second_group->id == group);
}

void cl_shares_take(struct cl_hs *hs, uint16_t group)
{
    if (hs->share_group->id != group) {
        cl_kex_key_free(hs->kex_key);
        hs->kex_key = hs->second_key;
        hs->share_group = hs->second_group;
        hs->second_key = NULL;
    }
    cl_shares_drop_second(hs);
}

static void start_keygen(struct cleat_tls *tls, const struct cl_group *group, uint8_t *share)
{
    struct cl_hs *hs = tls->hs;
    cl_job_reset(&hs->job);
    hs->job.kind = CL_JOB_KEYGEN;
    hs->job.status = CL_JOB_PENDING;
    hs->job.kex.group = group;
    hs->job.kex.rng = &tls->config->rng;
    hs->job.kex.share = share;
    hs->waiting = &hs->job;
    cl_hs_goto(tls, CL_HS_C_KEYGEN);
}

/* What is still to be made for the ClientHello that comes next. */
cl_result cl_client_make_share(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_hs *hs = tls->hs;
    bool ech_job = false;
    if (hs->retried && hs->hrr_group != NULL && hs->share_group != hs->hrr_group) {
        cl_kex_key_free(hs->kex_key);
        hs->kex_key = NULL;
        hs->share_group = hs->hrr_group;
        cl_shares_drop_second(hs);
    }
    if (tls->config->version_max < CLEAT_TLS_1_3) {
        cl_hs_goto(tls, CL_HS_C_SEND_HELLO);
    } else if (hs->kex_key == NULL) {
        start_keygen(tls, hs->share_group, hs->share);
    } else if (hs->second_group != NULL && hs->second_key == NULL) {
        const size_t len = hs->second_group->client_share_len;
        CL_TRY(cl_buf_reserve(&hs->second_share, len, len));
        hs->second_share.len = len;
        start_keygen(tls, hs->second_group, hs->second_share.p);
    } else {
        CL_TRY(cl_ech_start_job(tls, &ech_job));
        cl_hs_goto(tls, ech_job ? CL_HS_C_ECH_KEY : CL_HS_C_SEND_HELLO);
    }
    return CL_OK;
}

cl_result cl_client_ech_key_done(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(cl_ech_job_done(tls));
    cl_hs_goto(tls, CL_HS_C_MAKE_SHARE);
    return CL_OK;
}

cl_result cl_client_keygen_done(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_hs *hs = tls->hs;
    const cl_result r = hs->job.result;
    if (hs->job.kex.group == hs->share_group) {
        hs->kex_key = hs->job.kex.key;
        hs->share_len = hs->job.kex.share_len;
    } else {
        hs->second_key = hs->job.kex.key;
    }
    cl_job_reset(&hs->job);
    hs->waiting = NULL;
    CL_TRY(r);
    cl_hs_goto(tls, CL_HS_C_MAKE_SHARE);
    return CL_OK;
}
