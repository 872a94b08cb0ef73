/* tls/late_auth.c - post-handshake client authentication (RFC 9846 4.7.2), both roles.
 *
 * A request makes a handshake state of its own, whose transcript goes on where the main handshake's
 * ended (4.5: "Handshake Context"); everything else is what the main handshake uses. The client's
 * three messages are built together, and sent with nothing in between; what the server receives
 * counts only once its Finished is right.
 */
#include "cleat/tls_auth.h"
#include "tls/ext.h"
#include "tls/hs.h"
#include "tls/msg.h"
#include "tls/version.h"

/* 16: unique in the connection, and not to be foreseen by the client (RFC 9846 4.4.2) */
#define CONTEXT_LEN 16

cl_result cl_ext_post_handshake_auth_parse(struct cleat_tls *tls, unsigned message,
                                           struct cl_rd body)
{
    tls->hs->parsed.post_handshake_auth = true;
    return cl_rd_done(&body) ? CL_OK
                             : cl_tls_decode_error(tls, "post_handshake_auth", "RFC 9846 4.3.6");
}

bool cl_ext_post_handshake_auth_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w)
{
    return tls->config->late_auth && tls->config->version_max >= CLEAT_TLS_1_3;
}

cl_result cl_late_auth_keep(struct cleat_tls *tls)
{
    bool offered = !cl_is_server(tls) || tls->hs->parsed.post_handshake_auth;
    if (!tls->config->late_auth || !offered) {
        return CL_OK;
    }
    tls->main_transcript = cl_calloc(1, sizeof(*tls->main_transcript));
    if (tls->main_transcript == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    *tls->main_transcript = tls->hs->transcript;
    return CL_OK;
}

static cl_result begin(struct cleat_tls *tls)
{
    CL_TRY(cl_hs_new(tls));
    tls->hs->late = true;
    tls->hs->ccs_sent = true; /* none belongs here */
    tls->hs->transcript = *tls->main_transcript;
    tls->hs->transcript_started = true;
    return CL_OK;
}

/* ---- server ---- */

static cl_result ask(struct cleat_tls *tls, bool required)
{
    uint8_t context[CONTEXT_LEN];
    CL_TRY(begin(tls));
    tls->hs->late_required = required;
    tls->hs->cert_requested = true;
    CL_TRY(cl_rand(&tls->config->rng, context, sizeof(context)));
    CL_TRY(cl_buf_append(&tls->hs->request_context, context, sizeof(context), UINT8_MAX));
    return cl_certificate_request_build(tls);
}

int cleat_tls_request_certificate(struct cleat_tls *tls, bool required)
{
    if (!cl_is_server(tls) || !tls->established || tls->hs != NULL) {
        return CLEAT_ERR_USAGE;
    }
    if (tls->failed || tls->write_closed || tls->read_closed) {
        return CLEAT_ERR_CLOSED;
    }
    if (tls->main_transcript == NULL || cl_alpn_is_h2(tls->alpn)) {
        return CLEAT_ERR_UNSUPPORTED;
    }
    cl_result r = ask(tls, required);
    if (r != CL_OK) {
        cl_hs_free(tls);
        return (int)r;
    }
    cl_event_choice(tls, "client certificate", required ? "required" : "asked for",
                    "the application wants to know the client now");
    return CLEAT_OK;
}

bool cleat_tls_certificate_pending(const struct cleat_tls *tls)
{
    return cl_is_server(tls) && tls->hs != NULL && tls->hs->late;
}

cl_result cl_late_certificate_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    if (tls->hs == NULL || !tls->hs->late) {
        return cl_tls_fail(tls, CL_WHY(UNEXPECTED_MESSAGE, "RFC 9846 4.7.2"),
                           "the client sends a Certificate that was not asked for");
    }
    /* the answer takes the place of what was known of the client before */
    tls->peer_authenticated = false;
    tls->hs->late_busy = true;
    cl_conn_drop_peer(tls);
    return cl_client_certificate_received(tls, msg);
}

cl_result cl_late_finished_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    /* RFC 9846 4.5: the Base Key is client_application_traffic_secret_N */
    CL_TRY(cl_finished_check(tls, msg, &tls->client_app));
    tls->peer_authenticated = tls->hs->late_accepted;
    cl_hs_goto(tls, CL_HS_S13_OPEN);
    cl_hs_free(tls);
    return CL_OK;
}

/* ---- client ---- */

cl_result cl_late_request_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    /* RFC 9846 4.7.2: "A client that receives a CertificateRequest message without having sent the
     * "post_handshake_auth" extension MUST send an "unexpected_message" fatal alert" */
    if (tls->main_transcript == NULL || tls->hs != NULL) {
        return cl_tls_fail(tls, CL_WHY(UNEXPECTED_MESSAGE, "RFC 9846 4.7.2"),
                           "the server asks for a certificate after the handshake, which was not "
                           "offered");
    }
    /* HTTP/2 has no way to say which of its streams the certificate is wanted for */
    if (cl_alpn_is_h2(tls->alpn)) {
        return cl_tls_fail(tls, CL_WHY(UNEXPECTED_MESSAGE, "RFC 9113 9.2.3"),
                           "the server asks for a certificate after the handshake, over HTTP/2");
    }
    /* each costs a signature */
    if (++tls->idle_key_updates > CL_MAX_IDLE_RECORDS) {
        return cl_tls_fail(tls, CL_WHY(TOO_MANY_RECORDS, "RFC 9846 4.7.2"),
                           "more than %d CertificateRequest messages without data",
                           CL_MAX_IDLE_RECORDS);
    }
    CL_TRY(begin(tls));
    tls->hs->late_busy = true;
    CL_TRY(cl_certificate_request_parse(tls, msg));
    cl_transcript_add(tls, msg->whole);
    cl_hs_goto(tls, CL_HS_C13_LATE_SEND_CERTIFICATE);
    return CL_OK;
}

cl_result cl_late_send_certificate(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_hs *hs = tls->hs;
    CL_TRY(cl_choose_client_certificate(tls));
    CL_TRY(cl_certificate_build(tls));
    if (hs->credential == NULL) {
        cl_hs_goto(tls, CL_HS_C13_LATE_SEND_FINISHED);
        return CL_OK;
    }
    CL_TRY(cl_certificate_verify_start(tls));
    cl_hs_goto(tls, CL_HS_C13_LATE_SIGN);
    return CL_OK;
}

cl_result cl_late_signed(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(cl_certificate_verify_build(tls));
    cl_hs_goto(tls, CL_HS_C13_LATE_SEND_FINISHED);
    return CL_OK;
}

cl_result cl_late_send_finished(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(cl_finished_build(tls, &tls->client_app));
    tls->hs->late_busy = false;
    tls->hs->late_spent = true; /* freed once the flight is out */
    cl_hs_goto(tls, CL_HS_C13_OPEN);
    return CL_OK;
}

/* ---- beside application data ---- */

cl_result cl_late_flush(struct cleat_tls *tls, struct cleat_tls_io *io, bool *done)
{
    *done = true;
    if (!tls->established || tls->hs == NULL || tls->hs->late_busy) {
        return CL_OK;
    }
    CL_TRY(cl_flight_flush(tls, io, done));
    if (*done && tls->hs->late_spent) {
        cl_hs_free(tls);
    }
    return CL_OK;
}
