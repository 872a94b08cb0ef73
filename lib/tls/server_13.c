/* tls/server_13.c - the server's handshake of TLS 1.3 (RFC 9846 A.2): its table, and the steps
 * between messages where keys are made and put to use. */
#include "tls/early.h"
#include "tls/msg.h"

/* Our share and the shared secret are there. */
static cl_result agreed(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_hs *hs = tls->hs;
    cl_result r = hs->job.result;
    hs->waiting = NULL;
    if (r == CL_OK) {
        hs->share_len = hs->job.kex.share_len;
        if (!hs->psk_selected) { /* else the binder's check has begun it (server_psk.c) */
            cl_schedule_early(&hs->schedule, tls->suite->hash, cl_rd_of(NULL, 0));
        }
        cl_schedule_next(&hs->schedule, cl_rd_of(hs->job.kex.secret, hs->job.kex.secret_len));
    }
    cl_job_reset(&hs->job);
    if (r == CLEAT_ERR_BAD_KEY_SHARE) {
        return cl_tls_fail(tls, CL_WHY(BAD_KEY_SHARE, "RFC 9846 4.3.8"),
                           "the client's key share for %s is not valid", tls->group->name);
    }
    CL_TRY(r);
    return cl_server_hello_send(tls, msg);
}

/* ServerHello is on its way in clear; everything after it is encrypted. */
static cl_result handshake_keys(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_hs *hs = tls->hs;
    uint8_t digest[CL_HASH_MAX_LEN];
    cl_transcript_peek(tls, digest);
    cl_schedule_derive(&hs->schedule, "c hs traffic", digest, &hs->client_hs);
    cl_schedule_derive(&hs->schedule, "s hs traffic", digest, &hs->server_hs);
    cl_event_secret(tls, "CLIENT_HANDSHAKE_TRAFFIC_SECRET", &hs->client_hs);
    cl_event_secret(tls, "SERVER_HANDSHAKE_TRAFFIC_SECRET", &hs->server_hs);
    if (tls->early_data == CLEAT_EARLY_DATA_ACCEPTED) {
        CL_TRY(cl_hs_read_key(tls, &hs->early_traffic, "early data"));
    } else {
        CL_TRY(cl_hs_read_key(tls, &hs->client_hs, "handshake"));
    }
    CL_TRY(cl_hs_write_key(tls, &hs->server_hs, "handshake"));
    /* RFC 9846 E.4: after the first handshake message, if the client sent a session ID */
    hs->ccs_pending = !hs->ccs_sent && hs->session_id_len != 0;
    cl_hs_goto(tls, CL_HS_S13_SEND_PARAMETERS);
    return CL_OK;
}

static cl_result send_parameters(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(cl_encrypted_extensions_build(tls));
    if (tls->hs->psk_selected) {
        cl_hs_goto(tls, CL_HS_S13_SEND_FINISHED);
        return CL_OK;
    }
    if (tls->config->client_auth != CLEAT_CLIENT_AUTH_NONE) {
        CL_TRY(cl_certificate_request_build(tls));
        tls->hs->cert_requested = true;
    }
    CL_TRY(cl_certificate_build(tls));
    CL_TRY(cl_certificate_verify_start(tls));
    cl_hs_goto(tls, CL_HS_S13_SIGN);
    return CL_OK;
}

static cl_result signed_(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(cl_certificate_verify_build(tls));
    cl_hs_goto(tls, CL_HS_S13_SEND_FINISHED);
    return CL_OK;
}

static cl_result send_finished(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(cl_finished_build(tls, &tls->hs->server_hs));
    cl_hs_goto(tls, CL_HS_S13_APP_WRITE_KEYS);
    return CL_OK;
}

/* The transcript ends with our Finished. */
static cl_result app_write_keys(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_hs *hs = tls->hs;
    uint8_t digest[CL_HASH_MAX_LEN];
    cl_schedule_next(&hs->schedule, cl_rd_of(NULL, 0));
    cl_transcript_peek(tls, digest);
    cl_schedule_derive(&hs->schedule, "c ap traffic", digest, &tls->client_app);
    cl_schedule_derive(&hs->schedule, "s ap traffic", digest, &tls->server_app);
    cl_schedule_derive(&hs->schedule, "exp master", digest, &tls->exporter);
    cl_event_secret(tls, "CLIENT_TRAFFIC_SECRET_0", &tls->client_app);
    cl_event_secret(tls, "SERVER_TRAFFIC_SECRET_0", &tls->server_app);
    cl_event_secret(tls, "EXPORTER_SECRET", &tls->exporter);
    CL_TRY(cl_hs_write_key(tls, &tls->server_app, "application"));
    if (tls->early_data == CLEAT_EARLY_DATA_ACCEPTED) {
        cl_hs_goto(tls, CL_HS_S13_WAIT_END_OF_EARLY_DATA);
        return CL_OK;
    }
    cl_hs_goto(tls, hs->cert_requested ? CL_HS_S13_WAIT_CERTIFICATE : CL_HS_S13_WAIT_FINISHED);
    return CL_OK;
}

static cl_result finished_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(cl_finished_check(tls, msg, &tls->hs->client_hs));
    cl_hs_goto(tls, CL_HS_S13_SEND_TICKETS);
    return CL_OK;
}

/* The transcript ends with the client's Finished. */
static cl_result send_tickets(struct cleat_tls *tls, const struct cl_msg *msg)
{
    uint8_t digest[CL_HASH_MAX_LEN];
    /* fail closed: a client that must prove itself has done so, here or in the resumed session */
    if (tls->config->client_auth == CLEAT_CLIENT_AUTH_REQUIRED && !tls->peer_authenticated) {
        return cl_tls_fail(tls, CL_WHY(INTERNAL, "RFC 9846 A.2"),
                           "the client is not authenticated");
    }
    if (cl_tickets_num(tls) != 0) {
        cl_transcript_peek(tls, digest);
        cl_schedule_derive(&tls->hs->schedule, "res master", digest, &tls->resumption);
    }
    CL_TRY(cl_hs_read_key(tls, &tls->client_app, "application"));
    CL_TRY(cl_late_auth_keep(tls));
    CL_TRY(cl_tickets_build(tls));
    cl_hs_goto(tls, CL_HS_S13_DONE);
    return CL_OK;
}

static cl_result done(struct cleat_tls *tls, const struct cl_msg *msg)
{
    /* tickets that a server may still issue need it; ours are all out */
    cl_secret_wipe(&tls->resumption);
    tls->established = true;
    cl_hs_goto(tls, CL_HS_S13_OPEN);
    cl_hs_free(tls);
    return CL_OK;
}

#define NO_TRANSCRIPT CL_HS_NO_TRANSCRIPT

const struct cl_hs_row cl_hs_server_13[] = {
    {CL_HS_S_WAIT_CLIENT_HELLO,
     CL_HS_MESSAGE,
     CL_HT_CLIENT_HELLO,
     NO_TRANSCRIPT,
     cl_client_hello_received,
     {CL_HS_S_ASK_HELLO, CL_HS_S_ECH_AGREE, CL_HS_S_ASK_CONFIG, CL_HS_S_NEGOTIATE}},
    {CL_HS_S_ASK_HELLO,
     CL_HS_DECIDE,
     0,
     0,
     cl_client_hello_accepted,
     {CL_HS_S_ECH_AGREE, CL_HS_S_ASK_CONFIG, CL_HS_S_NEGOTIATE}},
    {CL_HS_S_ECH_AGREE,
     CL_HS_JOB,
     0,
     0,
     cl_client_hello_ech_agreed,
     {CL_HS_S_ECH_AGREE, CL_HS_S_ASK_CONFIG, CL_HS_S_NEGOTIATE}},
    {CL_HS_S_ASK_CONFIG, CL_HS_DECIDE, 0, 0, cl_server_asked_config, {CL_HS_S_NEGOTIATE}},
    {CL_HS_S_NEGOTIATE,
     CL_HS_ACTION,
     0,
     0,
     cl_server_negotiate,
     {CL_HS_S13_SELECT, CL_HS_S12_SELECT}},
    {CL_HS_S13_SELECT,
     CL_HS_ACTION,
     0,
     0,
     cl_server_select,
     {CL_HS_S13_SEND_RETRY, CL_HS_S13_AGREE, CL_HS_S13_ASK_EARLY_DATA}},
    {CL_HS_S13_ASK_EARLY_DATA, CL_HS_DECIDE, 0, 0, cl_early_answered, {CL_HS_S13_AGREE}},
    {CL_HS_S13_SEND_RETRY, CL_HS_ACTION, 0, 0, cl_retry_send, {CL_HS_S13_RETRY_SENT}},
    {CL_HS_S13_RETRY_SENT,
     CL_HS_ACTION,
     0,
     CL_HS_FLUSH,
     cl_retry_sent,
     {CL_HS_S13_WAIT_SECOND_HELLO}},
    {CL_HS_S13_WAIT_SECOND_HELLO,
     CL_HS_MESSAGE,
     CL_HT_CLIENT_HELLO,
     NO_TRANSCRIPT,
     cl_second_hello_received,
     {CL_HS_S13_SELECT}},
    {CL_HS_S13_AGREE, CL_HS_JOB, 0, 0, agreed, {CL_HS_S13_HANDSHAKE_KEYS}},
    {CL_HS_S13_HANDSHAKE_KEYS,
     CL_HS_ACTION,
     0,
     CL_HS_FLUSH,
     handshake_keys,
     {CL_HS_S13_SEND_PARAMETERS}},
    {CL_HS_S13_SEND_PARAMETERS,
     CL_HS_ACTION,
     0,
     0,
     send_parameters,
     {CL_HS_S13_SIGN, CL_HS_S13_SEND_FINISHED}},
    {CL_HS_S13_SIGN, CL_HS_JOB, 0, 0, signed_, {CL_HS_S13_SEND_FINISHED}},
    {CL_HS_S13_SEND_FINISHED, CL_HS_ACTION, 0, 0, send_finished, {CL_HS_S13_APP_WRITE_KEYS}},
    {CL_HS_S13_APP_WRITE_KEYS,
     CL_HS_ACTION,
     0,
     CL_HS_FLUSH,
     app_write_keys,
     {CL_HS_S13_WAIT_CERTIFICATE, CL_HS_S13_WAIT_FINISHED, CL_HS_S13_WAIT_END_OF_EARLY_DATA}},
    {CL_HS_S13_WAIT_END_OF_EARLY_DATA,
     CL_HS_MESSAGE,
     CL_HT_END_OF_EARLY_DATA,
     CL_HS_EARLY_DATA,
     cl_end_of_early_data_received,
     {CL_HS_S13_WAIT_FINISHED}},
    {CL_HS_S13_WAIT_CERTIFICATE,
     CL_HS_MESSAGE,
     CL_HT_CERTIFICATE,
     0,
     cl_client_certificate_received,
     {CL_HS_S13_WAIT_CERTIFICATE_VERIFY, CL_HS_S13_WAIT_FINISHED}},
    {CL_HS_S13_WAIT_CERTIFICATE,
     CL_HS_MESSAGE,
     CL_HT_COMPRESSED_CERTIFICATE,
     0,
     cl_client_compressed_received,
     {CL_HS_S13_WAIT_CERTIFICATE_VERIFY, CL_HS_S13_WAIT_FINISHED}},
    {CL_HS_S13_WAIT_CERTIFICATE_VERIFY,
     CL_HS_MESSAGE,
     CL_HT_CERTIFICATE_VERIFY,
     0,
     cl_certificate_verify_received,
     {CL_HS_S13_CHECK_SIGNATURE}},
    {CL_HS_S13_CHECK_SIGNATURE, CL_HS_JOB, 0, 0, cl_signature_checked, {CL_HS_S13_CHECK_PEER}},
    {CL_HS_S13_CHECK_PEER,
     CL_HS_ACTION,
     0,
     0,
     cl_peer_check,
     {CL_HS_S13_VERIFY_CHAIN, CL_HS_S13_ASK_PEER}},
    {CL_HS_S13_VERIFY_CHAIN,
     CL_HS_JOB,
     0,
     0,
     cl_peer_chain_step,
     {CL_HS_S13_WAIT_FINISHED, CL_HS_S13_ASK_PEER}},
    {CL_HS_S13_ASK_PEER,
     CL_HS_DECIDE,
     0,
     0,
     cl_peer_asked,
     {CL_HS_S13_WAIT_FINISHED, CL_HS_S13_VERIFY_CHAIN}},
    {CL_HS_S13_WAIT_FINISHED,
     CL_HS_MESSAGE,
     CL_HT_FINISHED,
     0,
     finished_received,
     {CL_HS_S13_SEND_TICKETS}},
    {CL_HS_S13_SEND_TICKETS, CL_HS_ACTION, 0, 0, send_tickets, {CL_HS_S13_DONE}},
    {CL_HS_S13_DONE, CL_HS_ACTION, 0, CL_HS_FLUSH, done, {CL_HS_S13_OPEN}},
    {CL_HS_S13_OPEN, CL_HS_MESSAGE, CL_HT_KEY_UPDATE, NO_TRANSCRIPT, cl_key_update_received, {0}},
    {CL_HS_S13_OPEN,
     CL_HS_MESSAGE,
     CL_HT_CERTIFICATE,
     0,
     cl_late_certificate_received,
     {CL_HS_S13_LATE_WAIT_VERIFY, CL_HS_S13_LATE_WAIT_FINISHED}},
    {CL_HS_S13_LATE_WAIT_VERIFY,
     CL_HS_MESSAGE,
     CL_HT_CERTIFICATE_VERIFY,
     0,
     cl_certificate_verify_received,
     {CL_HS_S13_LATE_CHECK_SIGNATURE}},
    {CL_HS_S13_LATE_CHECK_SIGNATURE,
     CL_HS_JOB,
     0,
     0,
     cl_signature_checked,
     {CL_HS_S13_LATE_CHECK_PEER}},
    {CL_HS_S13_LATE_CHECK_PEER,
     CL_HS_ACTION,
     0,
     0,
     cl_peer_check,
     {CL_HS_S13_LATE_VERIFY_CHAIN, CL_HS_S13_LATE_ASK_PEER}},
    {CL_HS_S13_LATE_VERIFY_CHAIN,
     CL_HS_JOB,
     0,
     0,
     cl_peer_chain_step,
     {CL_HS_S13_LATE_WAIT_FINISHED, CL_HS_S13_LATE_ASK_PEER}},
    {CL_HS_S13_LATE_ASK_PEER,
     CL_HS_DECIDE,
     0,
     0,
     cl_peer_asked,
     {CL_HS_S13_LATE_WAIT_FINISHED, CL_HS_S13_LATE_VERIFY_CHAIN}},
    {CL_HS_S13_LATE_WAIT_FINISHED,
     CL_HS_MESSAGE,
     CL_HT_FINISHED,
     NO_TRANSCRIPT,
     cl_late_finished_received,
     {CL_HS_S13_OPEN}},
    {CL_HS_NONE, CL_HS_END, 0, 0, NULL, {0}},
};
