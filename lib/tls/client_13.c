/* tls/client_13.c - the client's handshake of TLS 1.3 (RFC 9846 A.1): its table, and the steps
 * between messages where keys are made and put to use. */
#include "tls/early.h"
#include "tls/ech.h"
#include "tls/msg.h"
#include "tls/tape.h"
#include "tls/version.h"

/* The ClientHello is on its way; early data may follow it, in the ticket's suite (RFC 9846 4.3.10).
 */
static cl_result early_keys(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_hs *hs = tls->hs;
    const struct cl_secret *psk = &hs->session->psk;
    struct cl_schedule early;
    tls->suite = cl_suite_by_id(hs->session->suite);
    cl_event_choice(tls, "early data", "offered", "the session's ticket allows it");
    cl_schedule_early(&early, tls->suite->hash, cl_rd_of(psk->bytes, psk->len));
    cl_early_secrets(tls, &early);
    cl_wipe(&early, sizeof(early));
    CL_TRY(cl_hs_write_key(tls, &hs->early_traffic, "early data"));
    /* RFC 9846 E.4: "If offering early data, the record is placed immediately after the first
     * ClientHello" */
    hs->ccs_pending = !hs->ccs_sent;
    cl_hs_goto(tls, CL_HS_C_WAIT_SERVER_HELLO);
    return CL_OK;
}

/* The shared secret is there: the handshake is encrypted from now on. */
static cl_result agreed(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_hs *hs = tls->hs;
    uint8_t digest[CL_HASH_MAX_LEN];
    cl_result r = hs->job.result;
    hs->waiting = NULL;
    if (r == CLEAT_ERR_BAD_KEY_SHARE) {
        cl_job_reset(&hs->job);
        return cl_tls_fail(tls, CL_WHY(BAD_KEY_SHARE, "RFC 9846 4.3.8"),
                           "the server's key share for %s is not valid", tls->group->name);
    }
    if (r == CL_OK) {
        cl_schedule_early(&hs->schedule, tls->suite->hash, cl_rd_of(hs->psk.bytes, hs->psk.len));
        cl_schedule_next(&hs->schedule, cl_rd_of(hs->job.kex.secret, hs->job.kex.secret_len));
    }
    cl_job_reset(&hs->job);
    cl_kex_key_free(hs->kex_key);
    hs->kex_key = NULL;
    CL_TRY(r);
    cl_transcript_peek(tls, digest);
    cl_schedule_derive(&hs->schedule, "c hs traffic", digest, &hs->client_hs);
    cl_schedule_derive(&hs->schedule, "s hs traffic", digest, &hs->server_hs);
    cl_tape_pass(tls, CL_TAPE_CLIENT_HANDSHAKE_SECRET, hs->client_hs.bytes, hs->client_hs.len);
    cl_tape_pass(tls, CL_TAPE_SERVER_HANDSHAKE_SECRET, hs->server_hs.bytes, hs->server_hs.len);
    cl_event_secret(tls, "CLIENT_HANDSHAKE_TRAFFIC_SECRET", &hs->client_hs);
    cl_event_secret(tls, "SERVER_HANDSHAKE_TRAFFIC_SECRET", &hs->server_hs);
    CL_TRY(cl_hs_read_key(tls, &hs->server_hs, "handshake"));
    /* while early data may still be accepted, its key stays */
    if (tls->early_data != CLEAT_EARLY_DATA_OFFERED) {
        CL_TRY(cl_hs_write_key(tls, &hs->client_hs, "handshake"));
    }
    cl_hs_goto(tls, CL_HS_C13_WAIT_ENCRYPTED_EXTENSIONS);
    return CL_OK;
}

static cl_result finished_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(cl_finished_check(tls, msg, &tls->hs->server_hs));
    cl_hs_goto(tls, CL_HS_C13_DERIVE_APP);
    return CL_OK;
}

/* The transcript now ends with the server's Finished. */
static cl_result derive_app(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_hs *hs = tls->hs;
    uint8_t digest[CL_HASH_MAX_LEN];
    /* fail closed: whatever the tables say, nobody passes here unauthenticated (RFC 9846 A.1) */
    if (!tls->peer_authenticated) {
        return cl_tls_fail(tls, CL_WHY(INTERNAL, "RFC 9846 A.1"),
                           "the server is not authenticated");
    }
    cl_schedule_next(&hs->schedule, cl_rd_of(NULL, 0));
    cl_transcript_peek(tls, digest);
    cl_schedule_derive(&hs->schedule, "c ap traffic", digest, &tls->client_app);
    cl_schedule_derive(&hs->schedule, "s ap traffic", digest, &tls->server_app);
    cl_schedule_derive(&hs->schedule, "exp master", digest, &tls->exporter);
    cl_event_secret(tls, "CLIENT_TRAFFIC_SECRET_0", &tls->client_app);
    cl_event_secret(tls, "SERVER_TRAFFIC_SECRET_0", &tls->server_app);
    cl_event_secret(tls, "EXPORTER_SECRET", &tls->exporter);
    CL_TRY(cl_hs_read_key(tls, &tls->server_app, "application"));
    hs->ccs_pending = !hs->ccs_sent;
    if (tls->early_data == CLEAT_EARLY_DATA_ACCEPTED) {
        cl_hs_goto(tls, CL_HS_C13_SEND_END_OF_EARLY_DATA);
        return CL_OK;
    }
    cl_hs_goto(tls, hs->cert_requested ? CL_HS_C13_SEND_CERTIFICATE : CL_HS_C13_SEND_FINISHED);
    return CL_OK;
}

static cl_result end_early_data(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(cl_end_of_early_data_build(tls));
    cl_hs_goto(tls, CL_HS_C13_HANDSHAKE_WRITE_KEYS);
    return CL_OK;
}

/* EndOfEarlyData has gone out under the early key. */
static cl_result handshake_write_keys(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(cl_hs_write_key(tls, &tls->hs->client_hs, "handshake"));
    cl_hs_goto(tls, CL_HS_C13_SEND_FINISHED);
    return CL_OK;
}

static cl_result send_certificate(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_hs *hs = tls->hs;
    hs->scheme = NULL;
    CL_TRY(cl_choose_client_certificate(tls));
    CL_TRY(cl_certificate_build(tls));
    if (hs->credential == NULL) {
        cl_hs_goto(tls, CL_HS_C13_SEND_FINISHED);
        return CL_OK;
    }
    CL_TRY(cl_certificate_verify_start(tls));
    cl_hs_goto(tls, CL_HS_C13_SIGN);
    return CL_OK;
}

static cl_result signed_(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(cl_certificate_verify_build(tls));
    cl_hs_goto(tls, CL_HS_C13_SEND_FINISHED);
    return CL_OK;
}

static cl_result send_finished(struct cleat_tls *tls, const struct cl_msg *msg)
{
    uint8_t digest[CL_HASH_MAX_LEN];
    CL_TRY(cl_finished_build(tls, &tls->hs->client_hs));
    cl_transcript_peek(tls, digest);
    cl_schedule_derive(&tls->hs->schedule, "res master", digest, &tls->resumption);
    CL_TRY(cl_late_auth_keep(tls));
    cl_hs_goto(tls, CL_HS_C13_APP_KEYS);
    return CL_OK;
}

static cl_result app_keys(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(cl_hs_write_key(tls, &tls->client_app, "application"));
    CL_TRY(cl_ech_finish(tls));
    tls->established = true;
    cl_hs_goto(tls, CL_HS_C13_OPEN);
    cl_hs_free(tls);
    return CL_OK;
}

const struct cl_hs_row cl_hs_client_13[] = {
    {CL_HS_C_START, CL_HS_ACTION, 0, 0, cl_client_start, {CL_HS_C_MAKE_SHARE}},
    {CL_HS_C_MAKE_SHARE,
     CL_HS_ACTION,
     0,
     0,
     cl_client_make_share,
     {CL_HS_C_KEYGEN, CL_HS_C_ECH_KEY, CL_HS_C_SEND_HELLO}},
    {CL_HS_C_KEYGEN, CL_HS_JOB, 0, 0, cl_client_keygen_done, {CL_HS_C_MAKE_SHARE}},
    {CL_HS_C_ECH_KEY, CL_HS_JOB, 0, 0, cl_client_ech_key_done, {CL_HS_C_MAKE_SHARE}},
    {CL_HS_C_SEND_HELLO,
     CL_HS_ACTION,
     0,
     0,
     cl_client_hello_send,
     {CL_HS_C_WAIT_SERVER_HELLO, CL_HS_C13_EARLY_KEYS}},
    {CL_HS_C13_EARLY_KEYS, CL_HS_ACTION, 0, CL_HS_FLUSH, early_keys, {CL_HS_C_WAIT_SERVER_HELLO}},
    {CL_HS_C_WAIT_SERVER_HELLO,
     CL_HS_MESSAGE,
     CL_HT_SERVER_HELLO,
     CL_HS_EARLY_DATA,
     cl_server_hello_received,
     {CL_HS_C_MAKE_SHARE, CL_HS_C13_AGREE, CL_HS_C12_WAIT_CERTIFICATE, CL_HS_C12_WAIT_TICKET,
      CL_HS_C12_WAIT_CCS, CL_HS_C12_ASK_RESUMED, CL_HS_C12_RSA_WAIT_CERTIFICATE,
      CL_HS_C12_PSK_WAIT_KEY_EXCHANGE, CL_HS_C12_PSK_WAIT_HINT}},
    {CL_HS_C13_AGREE,
     CL_HS_JOB,
     0,
     CL_HS_EARLY_DATA,
     agreed,
     {CL_HS_C13_WAIT_ENCRYPTED_EXTENSIONS}},
    {CL_HS_C13_WAIT_ENCRYPTED_EXTENSIONS,
     CL_HS_MESSAGE,
     CL_HT_ENCRYPTED_EXTENSIONS,
     CL_HS_EARLY_DATA,
     cl_encrypted_extensions_received,
     {CL_HS_C13_WAIT_CERT_OR_REQUEST, CL_HS_C13_WAIT_FINISHED, CL_HS_C13_ASK_RESUMED}},
    {CL_HS_C13_ASK_RESUMED, CL_HS_DECIDE, 0, 0, cl_peer_resumed_asked, {CL_HS_C13_WAIT_FINISHED}},
    {CL_HS_C13_WAIT_CERT_OR_REQUEST,
     CL_HS_MESSAGE,
     CL_HT_CERTIFICATE_REQUEST,
     0,
     cl_certificate_request_received,
     {CL_HS_C13_WAIT_CERTIFICATE}},
    {CL_HS_C13_WAIT_CERT_OR_REQUEST,
     CL_HS_MESSAGE,
     CL_HT_CERTIFICATE,
     0,
     cl_server_certificate_received,
     {CL_HS_C13_WAIT_CERTIFICATE_VERIFY}},
    {CL_HS_C13_WAIT_CERTIFICATE,
     CL_HS_MESSAGE,
     CL_HT_CERTIFICATE,
     0,
     cl_server_certificate_received,
     {CL_HS_C13_WAIT_CERTIFICATE_VERIFY}},
    {CL_HS_C13_WAIT_CERT_OR_REQUEST,
     CL_HS_MESSAGE,
     CL_HT_COMPRESSED_CERTIFICATE,
     0,
     cl_server_compressed_received,
     {CL_HS_C13_WAIT_CERTIFICATE_VERIFY}},
    {CL_HS_C13_WAIT_CERTIFICATE,
     CL_HS_MESSAGE,
     CL_HT_COMPRESSED_CERTIFICATE,
     0,
     cl_server_compressed_received,
     {CL_HS_C13_WAIT_CERTIFICATE_VERIFY}},
    {CL_HS_C13_WAIT_CERTIFICATE_VERIFY,
     CL_HS_MESSAGE,
     CL_HT_CERTIFICATE_VERIFY,
     0,
     cl_certificate_verify_received,
     {CL_HS_C13_CHECK_SIGNATURE}},
    {CL_HS_C13_CHECK_SIGNATURE, CL_HS_JOB, 0, 0, cl_signature_checked, {CL_HS_C13_CHECK_PEER}},
    {CL_HS_C13_CHECK_PEER,
     CL_HS_ACTION,
     0,
     0,
     cl_peer_check,
     {CL_HS_C13_VERIFY_CHAIN, CL_HS_C13_ASK_PEER}},
    {CL_HS_C13_VERIFY_CHAIN,
     CL_HS_JOB,
     0,
     0,
     cl_peer_chain_step,
     {CL_HS_C13_WAIT_FINISHED, CL_HS_C13_ASK_PEER}},
    {CL_HS_C13_ASK_PEER,
     CL_HS_DECIDE,
     0,
     0,
     cl_peer_asked,
     {CL_HS_C13_WAIT_FINISHED, CL_HS_C13_VERIFY_CHAIN}},
    {CL_HS_C13_WAIT_FINISHED,
     CL_HS_MESSAGE,
     CL_HT_FINISHED,
     CL_HS_EARLY_DATA,
     finished_received,
     {CL_HS_C13_DERIVE_APP}},
    {CL_HS_C13_DERIVE_APP,
     CL_HS_ACTION,
     0,
     0,
     derive_app,
     {CL_HS_C13_SEND_CERTIFICATE, CL_HS_C13_SEND_FINISHED, CL_HS_C13_SEND_END_OF_EARLY_DATA}},
    {CL_HS_C13_SEND_END_OF_EARLY_DATA,
     CL_HS_ACTION,
     0,
     0,
     end_early_data,
     {CL_HS_C13_HANDSHAKE_WRITE_KEYS}},
    {CL_HS_C13_HANDSHAKE_WRITE_KEYS,
     CL_HS_ACTION,
     0,
     CL_HS_FLUSH,
     handshake_write_keys,
     {CL_HS_C13_SEND_FINISHED}},
    {CL_HS_C13_SEND_CERTIFICATE,
     CL_HS_ACTION,
     0,
     0,
     send_certificate,
     {CL_HS_C13_SIGN, CL_HS_C13_SEND_FINISHED}},
    {CL_HS_C13_SIGN, CL_HS_JOB, 0, 0, signed_, {CL_HS_C13_SEND_FINISHED}},
    {CL_HS_C13_SEND_FINISHED, CL_HS_ACTION, 0, 0, send_finished, {CL_HS_C13_APP_KEYS}},
    {CL_HS_C13_APP_KEYS, CL_HS_ACTION, 0, CL_HS_FLUSH, app_keys, {CL_HS_C13_OPEN}},
    {CL_HS_C13_OPEN,
     CL_HS_MESSAGE,
     CL_HT_NEW_SESSION_TICKET,
     0,
     cl_new_session_ticket_received,
     {0}},
    {CL_HS_C13_OPEN, CL_HS_MESSAGE, CL_HT_KEY_UPDATE, 0, cl_key_update_received, {0}},
    {CL_HS_C13_OPEN,
     CL_HS_MESSAGE,
     CL_HT_CERTIFICATE_REQUEST,
     CL_HS_NO_TRANSCRIPT,
     cl_late_request_received,
     {CL_HS_C13_LATE_SEND_CERTIFICATE}},
    {CL_HS_C13_LATE_SEND_CERTIFICATE,
     CL_HS_ACTION,
     0,
     0,
     cl_late_send_certificate,
     {CL_HS_C13_LATE_SIGN, CL_HS_C13_LATE_SEND_FINISHED}},
    {CL_HS_C13_LATE_SIGN, CL_HS_JOB, 0, 0, cl_late_signed, {CL_HS_C13_LATE_SEND_FINISHED}},
    {CL_HS_C13_LATE_SEND_FINISHED, CL_HS_ACTION, 0, 0, cl_late_send_finished, {CL_HS_C13_OPEN}},
    {CL_HS_NONE, CL_HS_END, 0, 0, NULL, {0}},
};
