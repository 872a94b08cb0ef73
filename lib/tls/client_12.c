/* tls/client_12.c - the client's handshake of TLS 1.2 (RFC 5246 7.3, RFC 8422): full, or resumed.
 * Its table, and what only it needs. The ServerHello that leads here is in msg_server_hello.c. */
#include "tls/ech.h"
#include "tls/ext.h"
#include "tls/keys_12.h"
#include "tls/msg.h"
#include "tls/psk.h"
#include "tls/raw_key.h"
#include "tls/version.h"

static cl_result done_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    if (msg->body.len != 0) {
        return cl_tls_decode_error(tls, "ServerHelloDone", "RFC 5246 7.4.5");
    }
    CL_TRY(cl_hs_no_partial_message(tls));
    /* fail closed: nothing secret is sent to a server that has not been authenticated */
    if (!tls->peer_authenticated) {
        return cl_tls_fail(tls, CL_WHY(INTERNAL, "RFC 5246 7.4.7"),
                           "the server is not authenticated");
    }
    cl_hs_next(tls, 0);
    return CL_OK;
}

/* RSA key exchange: there was no signature; the server is authenticated by being able to decrypt,
 * which its Finished proves. */
static cl_result rsa_done_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    enum cl_key_type type = cl_peer_key_type(tls);
    if (msg->body.len != 0) {
        return cl_tls_decode_error(tls, "ServerHelloDone", "RFC 5246 7.4.5");
    }
    if (type != CL_KEY_RSA) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 5246 7.4.2"),
                           "the suite %s does not go with a key of type %s", tls->suite->name,
                           cl_key_type_name(type));
    }
    /* RFC 5246 7.4.2: "the keyEncipherment bit MUST be set if the key usage extension is present"
     */
    if (tls->peer_leaf != NULL && !cl_cert_allows_key_encipherment(tls->peer_leaf)) {
        return cl_tls_fail(tls, CL_WHY(BAD_KEY_USAGE, "RFC 5246 7.4.2"),
                           "the server's certificate does not allow key encipherment");
    }
    CL_TRY(cl_hs_no_partial_message(tls));
    cl_hs_next(tls, 0);
    return CL_OK;
}

static cl_result psk_done_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    if (msg->body.len != 0) {
        return cl_tls_decode_error(tls, "ServerHelloDone", "RFC 5246 7.4.5");
    }
    CL_TRY(cl_hs_no_partial_message(tls));
    tls->psk = cl_psk_of_12(tls->config);
    tls->peer_not_after = INT64_MAX; /* unlike a certificate */
    cl_event_choice(tls, "PSK", "external", "the server chose a PSK suite");
    cl_hs_next(tls, 0);
    return CL_OK;
}

static cl_result send_certificate(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_hs *hs = tls->hs;
    /* fail closed: nothing secret is sent to a server whose certificate has not been accepted; with
     * a PSK there is none, and the Finished proves that the server has the key */
    if (!tls->peer_authenticated && tls->suite->auth != CL_AUTH_PSK) {
        return cl_tls_fail(tls, CL_WHY(INTERNAL, "RFC 5246 7.4.7"),
                           "the server is not authenticated");
    }
    hs->scheme = NULL;
    if (hs->cert_requested) {
        CL_TRY(cl_choose_client_certificate(tls));
        CL_TRY(cl_certificate_12_build(tls));
    }
    CL_TRY(cl_client_key_exchange_start(tls));
    cl_hs_next(tls, 0);
    return CL_OK;
}

/* Successors: no certificate to prove; one to prove. */
static cl_result agreed(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_hs *hs = tls->hs;
    cl_result r = hs->job.result;
    hs->waiting = NULL;
    if (r == CL_OK) {
        r = cl_client_key_exchange_build(tls);
    }
    if (r == CL_OK) {
        cl_client_key_exchange_finish(tls);
        cl_event_secret(tls, "CLIENT_RANDOM", &hs->master);
    }
    cl_job_reset(&hs->job);
    if (r == CLEAT_ERR_BAD_KEY_SHARE) {
        return cl_peer_share_bad(tls, "server");
    }
    CL_TRY(r);
    if (hs->credential != NULL) {
        CL_TRY(cl_certificate_verify_12_start(tls));
        cl_hs_next(tls, 1);
        return CL_OK;
    }
    cl_hs_next(tls, 0);
    return CL_OK;
}

static cl_result signed_(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(cl_certificate_verify_build(tls));
    cl_hs_next(tls, 0);
    return CL_OK;
}

static cl_result send_ccs(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(cl_keys_12_write(tls));
    tls->hs->ccs_pending = true;
    cl_hs_next(tls, 0);
    return CL_OK;
}

/* Successors: a ticket is due; change_cipher_spec is due; the handshake is done. */
static cl_result send_finished(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(cl_finished_12_build(tls));
    cl_false_start(tls);
    cl_hs_next(tls, tls->resumed ? 2 : tls->hs->ticket_expected ? 0 : 1);
    return CL_OK;
}

static cl_result ccs_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(cl_keys_12_read(tls));
    cl_hs_next(tls, 0);
    return CL_OK;
}

/* Successors: the handshake is done; our Finished is due. */
static cl_result finished_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(cl_finished_12_check(tls, msg));
    cl_hs_next(tls, tls->resumed ? 1 : 0);
    return CL_OK;
}

static cl_result done(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(cl_ech_finish(tls));
    CL_TRY(cl_session_12_keep(tls));
    cl_established_12(tls, CL_HS_C12_OPEN);
    return CL_OK;
}

/* RFC 5246 7.4.1.1: a HelloRequest may be ignored, and is: renegotiation is not done. */
static cl_result hello_request(struct cleat_tls *tls, const struct cl_msg *msg)
{
    if (msg->body.len != 0) {
        return cl_tls_decode_error(tls, "HelloRequest", "RFC 5246 7.4.1.1");
    }
    if (++tls->idle_key_updates > CL_MAX_IDLE_RECORDS) {
        return cl_tls_fail(tls, CL_WHY(TOO_MANY_RECORDS, "RFC 5246 7.4.1.1"),
                           "more than %d HelloRequest messages without data", CL_MAX_IDLE_RECORDS);
    }
    return CL_OK;
}

const struct cl_hs_row cl_hs_client_12[] = {
    {CL_HS_C12_ASK_RESUMED,
     CL_HS_DECIDE,
     0,
     0,
     cl_peer_resumed_asked,
     {CL_HS_C12_WAIT_CCS, CL_HS_C12_WAIT_TICKET}},
    {CL_HS_C12_WAIT_CERTIFICATE,
     CL_HS_MESSAGE,
     CL_HT_CERTIFICATE,
     0,
     cl_server_certificate_12_received,
     {CL_HS_C12_WAIT_KEY_EXCHANGE, CL_HS_C12_WAIT_STATUS}},
    {CL_HS_C12_WAIT_STATUS,
     CL_HS_MESSAGE,
     CL_HT_CERTIFICATE_STATUS,
     0,
     cl_certificate_status_received,
     {CL_HS_C12_WAIT_KEY_EXCHANGE}},
    {CL_HS_C12_WAIT_STATUS,
     CL_HS_MESSAGE,
     CL_HT_SERVER_KEY_EXCHANGE,
     0,
     cl_server_key_exchange_received,
     {CL_HS_C12_CHECK_SIGNATURE}},
    {CL_HS_C12_WAIT_KEY_EXCHANGE,
     CL_HS_MESSAGE,
     CL_HT_SERVER_KEY_EXCHANGE,
     0,
     cl_server_key_exchange_received,
     {CL_HS_C12_CHECK_SIGNATURE}},
    {CL_HS_C12_CHECK_SIGNATURE, CL_HS_JOB, 0, 0, cl_key_exchange_checked, {CL_HS_C12_CHECK_PEER}},
    {CL_HS_C12_CHECK_PEER,
     CL_HS_ACTION,
     0,
     0,
     cl_peer_check,
     {CL_HS_C12_VERIFY_CHAIN, CL_HS_C12_ASK_PEER}},
    {CL_HS_C12_VERIFY_CHAIN,
     CL_HS_JOB,
     0,
     0,
     cl_peer_chain_step,
     {CL_HS_C12_WAIT_REQUEST_OR_DONE, CL_HS_C12_ASK_PEER}},
    {CL_HS_C12_ASK_PEER,
     CL_HS_DECIDE,
     0,
     0,
     cl_peer_asked,
     {CL_HS_C12_WAIT_REQUEST_OR_DONE, CL_HS_C12_VERIFY_CHAIN}},
    {CL_HS_C12_WAIT_REQUEST_OR_DONE,
     CL_HS_MESSAGE,
     CL_HT_CERTIFICATE_REQUEST,
     0,
     cl_certificate_request_12_received,
     {CL_HS_C12_WAIT_DONE}},
    {CL_HS_C12_WAIT_REQUEST_OR_DONE,
     CL_HS_MESSAGE,
     CL_HT_SERVER_HELLO_DONE,
     0,
     done_received,
     {CL_HS_C12_SEND_CERTIFICATE}},
    {CL_HS_C12_WAIT_DONE,
     CL_HS_MESSAGE,
     CL_HT_SERVER_HELLO_DONE,
     0,
     done_received,
     {CL_HS_C12_SEND_CERTIFICATE}},
    {CL_HS_C12_RSA_WAIT_CERTIFICATE,
     CL_HS_MESSAGE,
     CL_HT_CERTIFICATE,
     0,
     cl_server_certificate_12_received,
     {CL_HS_C12_RSA_WAIT_REQUEST, CL_HS_C12_RSA_WAIT_STATUS}},
    {CL_HS_C12_RSA_WAIT_STATUS,
     CL_HS_MESSAGE,
     CL_HT_CERTIFICATE_STATUS,
     0,
     cl_certificate_status_received,
     {CL_HS_C12_RSA_WAIT_REQUEST}},
    {CL_HS_C12_RSA_WAIT_STATUS,
     CL_HS_MESSAGE,
     CL_HT_CERTIFICATE_REQUEST,
     0,
     cl_certificate_request_12_received,
     {CL_HS_C12_RSA_WAIT_DONE}},
    {CL_HS_C12_RSA_WAIT_STATUS,
     CL_HS_MESSAGE,
     CL_HT_SERVER_HELLO_DONE,
     0,
     rsa_done_received,
     {CL_HS_C12_RSA_CHECK_PEER}},
    {CL_HS_C12_RSA_WAIT_REQUEST,
     CL_HS_MESSAGE,
     CL_HT_CERTIFICATE_REQUEST,
     0,
     cl_certificate_request_12_received,
     {CL_HS_C12_RSA_WAIT_DONE}},
    {CL_HS_C12_RSA_WAIT_REQUEST,
     CL_HS_MESSAGE,
     CL_HT_SERVER_HELLO_DONE,
     0,
     rsa_done_received,
     {CL_HS_C12_RSA_CHECK_PEER}},
    {CL_HS_C12_RSA_WAIT_DONE,
     CL_HS_MESSAGE,
     CL_HT_SERVER_HELLO_DONE,
     0,
     rsa_done_received,
     {CL_HS_C12_RSA_CHECK_PEER}},
    {CL_HS_C12_RSA_CHECK_PEER,
     CL_HS_ACTION,
     0,
     0,
     cl_peer_check,
     {CL_HS_C12_RSA_VERIFY_CHAIN, CL_HS_C12_RSA_ASK_PEER}},
    {CL_HS_C12_RSA_VERIFY_CHAIN,
     CL_HS_JOB,
     0,
     0,
     cl_peer_chain_step,
     {CL_HS_C12_SEND_CERTIFICATE, CL_HS_C12_RSA_ASK_PEER}},
    {CL_HS_C12_RSA_ASK_PEER,
     CL_HS_DECIDE,
     0,
     0,
     cl_peer_asked,
     {CL_HS_C12_SEND_CERTIFICATE, CL_HS_C12_RSA_VERIFY_CHAIN}},
    {CL_HS_C12_PSK_WAIT_KEY_EXCHANGE,
     CL_HS_MESSAGE,
     CL_HT_SERVER_KEY_EXCHANGE,
     0,
     cl_server_key_exchange_psk_received,
     {CL_HS_C12_PSK_WAIT_DONE}},
    {CL_HS_C12_PSK_WAIT_HINT,
     CL_HS_MESSAGE,
     CL_HT_SERVER_KEY_EXCHANGE,
     0,
     cl_server_key_exchange_psk_received,
     {CL_HS_C12_PSK_WAIT_DONE}},
    {CL_HS_C12_PSK_WAIT_HINT,
     CL_HS_MESSAGE,
     CL_HT_SERVER_HELLO_DONE,
     0,
     psk_done_received,
     {CL_HS_C12_SEND_CERTIFICATE}},
    {CL_HS_C12_PSK_WAIT_DONE,
     CL_HS_MESSAGE,
     CL_HT_SERVER_HELLO_DONE,
     0,
     psk_done_received,
     {CL_HS_C12_SEND_CERTIFICATE}},
    {CL_HS_C12_SEND_CERTIFICATE, CL_HS_ACTION, 0, 0, send_certificate, {CL_HS_C12_AGREE}},
    {CL_HS_C12_AGREE, CL_HS_JOB, 0, 0, agreed, {CL_HS_C12_SEND_CCS, CL_HS_C12_SIGN}},
    {CL_HS_C12_SIGN, CL_HS_JOB, 0, 0, signed_, {CL_HS_C12_SEND_CCS}},
    {CL_HS_C12_SEND_CCS, CL_HS_ACTION, 0, CL_HS_FLUSH, send_ccs, {CL_HS_C12_SEND_FINISHED}},
    {CL_HS_C12_SEND_FINISHED,
     CL_HS_ACTION,
     0,
     0,
     send_finished,
     {CL_HS_C12_WAIT_TICKET, CL_HS_C12_WAIT_CCS, CL_HS_C12_DONE}},
    {CL_HS_C12_WAIT_TICKET,
     CL_HS_MESSAGE,
     CL_HT_NEW_SESSION_TICKET,
     0,
     cl_ticket_12_received,
     {CL_HS_C12_WAIT_CCS}},
    {CL_HS_C12_WAIT_CCS, CL_HS_CCS, 0, 0, ccs_received, {CL_HS_C12_WAIT_FINISHED}},
    {CL_HS_C12_WAIT_FINISHED,
     CL_HS_MESSAGE,
     CL_HT_FINISHED,
     0,
     finished_received,
     {CL_HS_C12_DONE, CL_HS_C12_SEND_CCS}},
    {CL_HS_C12_DONE, CL_HS_ACTION, 0, CL_HS_FLUSH, done, {CL_HS_C12_OPEN}},
    {CL_HS_C12_OPEN, CL_HS_MESSAGE, CL_HT_HELLO_REQUEST, 0, hello_request, {0}},
    {CL_HS_NONE, CL_HS_END, 0, 0, NULL, {0}},
};
