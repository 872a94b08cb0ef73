/* tls/msg_client_key_exchange.c - ClientKeyExchange of TLS 1.2 (RFC 8422 5.7), both roles. */
#include "tls/msg.h"

cl_result cl_client_key_exchange_build(struct cleat_tls *tls)
{
    struct cl_wr w;
    CL_TRY(cl_flight_begin(tls, CL_HT_CLIENT_KEY_EXCHANGE, 1 + 255, &w));
    struct cl_wr_mark m = cl_wr_open8(&w);
    cl_wr_bytes(&w, tls->hs->share, tls->hs->share_len);
    cl_wr_close(&w, m);
    return cl_flight_end(tls, &w);
}

cl_result cl_client_key_exchange_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_hs *hs = tls->hs;
    struct cl_rd body = msg->body;
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
    hs->waiting = &hs->job;
    cl_hs_next(tls, 0);
    return CL_OK;
}
