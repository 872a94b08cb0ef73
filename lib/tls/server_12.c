/* tls/server_12.c - the server's handshake of TLS 1.2 (RFC 5246 7.3, RFC 8422): full, or resumed
 * by ticket or ID. Its table, and what only it needs.
 */
#include "tls/ext.h"
#include "tls/keys_12.h"
#include "tls/msg.h"
#include "tls/raw_key.h"
#include "tls/version.h"

/* ---- choices ---- */

/* RFC 7627 5.3, RFC 5746 3.6, RFC 5246 7.4.1.2: what a ClientHello must have. */
static cl_result check_hello(struct cleat_tls *tls)
{
    struct cl_client_hello *ch = &tls->hs->parsed;
    if (memchr(ch->compression.p, 0, ch->compression.len) == NULL) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 5246 7.4.1.2"),
                           "the client does not offer null compression");
    }
    if (!ch->extended_master_secret && !tls->config->without_master_secret) {
        return cl_tls_fail(tls,
                           CL_WHY_HINT(NO_EXTENDED_MASTER_SECRET, "RFC 7627 5.3",
                                       "the client is from before 2016 and needs an update"),
                           "the client %s the extended master secret",
                           ch->session_ticket.len != 0 ? "offers a session without"
                                                       : "does not offer");
    }
    if (cl_list16_has(ch->suites, CL_SCSV_RENEGOTIATION)) {
        ch->renegotiation_info = true;
    }
    return cl_check_point_formats(tls);
}

static void start_keygen(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    hs->job = (struct cl_job){.kind = CL_JOB_KEYGEN, .status = CL_JOB_PENDING};
    hs->job.kex.group = tls->group;
    hs->job.kex.rng = &tls->config->rng;
    hs->job.kex.share = hs->share;
    hs->waiting = &hs->job;
}

static cl_result make_random(struct cleat_tls *tls)
{
    uint8_t *random = tls->hs->server_random;
    CL_TRY(cl_rand(&tls->config->rng, random, CL_RANDOM_LEN));
    /* RFC 9846 4.2.3: "TLS 1.3 servers which negotiate TLS 1.2 … MUST set the last 8 bytes" */
    if (tls->config->version_max >= CLEAT_TLS_1_3) {
        memcpy(random + CL_RANDOM_LEN - 8, "DOWNGRD\x01", 8);
    }
    return CL_OK;
}

/* Is a PSK suite chosen: the first of ours that the client offers, or none with a certificate? */
static bool select_psk(struct cleat_tls *tls)
{
    const struct cl_suite *psk = cl_psk_suite_for(tls);
    const struct cl_suite *other = psk != NULL ? cl_try_certificate(tls) : NULL;
    const struct cl_suite *first = psk;
    for (size_t i = tls->config->num_suites; other != NULL && i-- > 0;) {
        const struct cl_suite *suite = tls->config->suites[i];
        first = suite == psk || suite == other ? suite : first;
    }
    tls->hs->credential = NULL;
    tls->hs->scheme = NULL;
    if (psk == NULL || first != psk) {
        return false;
    }
    tls->suite = psk;
    return true;
}

/* What a full handshake needs beside the suite. */
static cl_result start_full(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    if (!select_psk(tls)) {
        CL_TRY(cl_select_certificate(tls));
        CL_TRY(cl_client_type_select(tls));
        tls->suite = cl_suite_for(tls, hs->credential, hs->scheme);
    }
    if (tls->suite == NULL) {
        return CLEAT_ERR_INTERNAL; /* the certificate was chosen so that there is one */
    }
    if (cl_suite_has_share(tls->suite)) {
        tls->group = cl_group_for(tls, tls->suite);
        hs->share_group = tls->group;
        cl_event_choice(tls, "group", tls->group->name,
                        cl_suite_is_dhe(tls->suite) && !cl_lists_fields(tls)
                            ? "the smallest of ours: the client names none for DHE (RFC 7919 4)"
                            : "first of ours that the client supports");
        start_keygen(tls);
    }
    CL_TRY(cl_session_12_name(tls));
    hs->keep_messages = tls->config->client_auth != CLEAT_CLIENT_AUTH_NONE;
    return CL_OK;
}

/* Successors: a full handshake with a share of ours; a resumed one; a full one without. */
static cl_result select_(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_hs *hs = tls->hs;
    CL_TRY(check_hello(tls));
    CL_TRY(make_random(tls));
    CL_TRY(cl_select_session_12(tls));
    hs->ticket_expected = tls->config->ticket_keys != NULL && hs->parsed.has_session_ticket &&
                          hs->parsed.extended_master_secret;
    if (tls->resumed) {
        cl_select_certificate_type(tls);
    } else {
        CL_TRY(start_full(tls));
    }
    CL_TRY(cl_select_alpn(tls)); /* with the suite known */
    /* RFC 7366 2: answered with a CBC suite alone */
    hs->encrypt_then_mac = hs->parsed.encrypt_then_mac && tls->suite->mac != CL_HASH_NONE;
    cl_event_choice(tls, "cipher suite", tls->suite->name,
                    tls->resumed ? "the session's" : "first of ours that the client offers");
    cl_event_weaknesses(tls);
    cl_transcript_start(tls, tls->suite->hash);
    cl_transcript_add(tls, cl_buf_view(&hs->hello));
    cl_hs_next(tls, tls->resumed ? 1 : cl_suite_has_share(tls->suite) ? 0 : 2);
    return CL_OK;
}

/* ---- flights ---- */

/* Successors: no certificate asked for; one asked for. RFC 4279 2: a PSK is all there is to ask
 * for.
 */
static cl_result end_flight(struct cleat_tls *tls)
{
    struct cl_wr w;
    tls->hs->cert_requested =
        tls->config->client_auth != CLEAT_CLIENT_AUTH_NONE && tls->suite->auth != CL_AUTH_PSK;
    if (tls->hs->cert_requested) {
        CL_TRY(cl_certificate_request_12_build(tls));
    }
    CL_TRY(cl_flight_begin(tls, CL_HT_SERVER_HELLO_DONE, 0, &w));
    CL_TRY(cl_flight_end(tls, &w));
    cl_hs_next(tls, tls->hs->cert_requested ? 1 : 0);
    return CL_OK;
}

/* A flight's beginning, however the keys are agreed on: with a PSK there is no certificate, and
 * nothing to sign. */
static cl_result begin_flight(struct cleat_tls *tls)
{
    CL_TRY(cl_server_hello_12_build(tls));
    if (tls->suite->auth == CL_AUTH_PSK) {
        return cl_server_key_exchange_psk_build(tls);
    }
    CL_TRY(cl_certificate_12_build(tls));
    return cl_certificate_status_build(tls);
}

/* Successors: no signature is due, no certificate asked for; (one asked for;) the signature. */
static cl_result share_made(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_hs *hs = tls->hs;
    cl_result r = hs->job.result;
    hs->kex_key = hs->job.kex.key;
    hs->share_len = hs->job.kex.share_len;
    hs->job.kex.key = NULL;
    hs->waiting = NULL;
    cl_job_reset(&hs->job);
    CL_TRY(r);
    CL_TRY(begin_flight(tls));
    if (tls->suite->auth == CL_AUTH_PSK) {
        return end_flight(tls);
    }
    CL_TRY(cl_server_key_exchange_start(tls));
    cl_hs_next(tls, 2);
    return CL_OK;
}

static cl_result signed_(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(cl_server_key_exchange_build(tls));
    return end_flight(tls);
}

/* RSA key exchange: the certificate's key does it all, without a ServerKeyExchange; PSK alone:
 * what there may be to say in one is a hint. */
static cl_result send_unsigned(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(begin_flight(tls));
    return end_flight(tls);
}

/* Successors: nothing more to prove; the client's certificate is to be proved. */
static cl_result agreed(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_hs *hs = tls->hs;
    cl_result r = hs->job.result;
    hs->waiting = NULL;
    if (r == CL_OK) {
        cl_client_key_exchange_finish(tls);
    }
    cl_job_reset(&hs->job);
    cl_kex_key_free(hs->kex_key);
    hs->kex_key = NULL;
    if (r == CLEAT_ERR_BAD_KEY_SHARE) {
        return cl_peer_share_bad(tls, "client");
    }
    CL_TRY(r);
    cl_event_secret(tls, "CLIENT_RANDOM", &hs->master);
    hs->keep_messages = hs->keep_messages && tls->peer_chain.len != 0;
    cl_hs_next(tls, tls->peer_chain.len != 0 ? 1 : 0);
    return CL_OK;
}

static cl_result send_resumed(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_hs *hs = tls->hs;
    hs->master = hs->ticket.psk;
    cl_event_secret(tls, "CLIENT_RANDOM", &hs->master);
    CL_TRY(cl_server_hello_12_build(tls));
    CL_TRY(cl_ticket_12_build(tls));
    cl_hs_next(tls, 0);
    return CL_OK;
}

static cl_result ccs_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(cl_keys_12_read(tls));
    cl_hs_next(tls, 0);
    return CL_OK;
}

/* Successors: our Finished is due; it is out already. */
static cl_result finished_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(cl_finished_12_check(tls, msg));
    cl_hs_next(tls, tls->resumed ? 1 : 0);
    return CL_OK;
}

static cl_result send_ticket(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(cl_ticket_12_build(tls));
    cl_hs_next(tls, 0);
    return CL_OK;
}

/* What was in clear is on its way: change_cipher_spec goes in front of the next flight. */
static cl_result send_ccs(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(cl_keys_12_write(tls));
    tls->hs->ccs_pending = true;
    cl_hs_next(tls, 0);
    return CL_OK;
}

/* Successors: the handshake is done; the client's Finished is due. */
static cl_result send_finished(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(cl_finished_12_build(tls));
    cl_hs_next(tls, tls->resumed ? 1 : 0);
    return CL_OK;
}

static cl_result done(struct cleat_tls *tls, const struct cl_msg *msg)
{
    /* fail closed: a client that must prove itself has done so, here or in the resumed session */
    if (tls->config->client_auth == CLEAT_CLIENT_AUTH_REQUIRED && !tls->peer_authenticated) {
        return cl_tls_fail(tls, CL_WHY(INTERNAL, "RFC 5246 7.4.6"),
                           "the client is not authenticated");
    }
    cl_session_12_store(tls);
    cl_established_12(tls, CL_HS_S12_OPEN);
    return CL_OK;
}

/* RFC 5746 is satisfied by not renegotiating at all. The ClientHello is not even looked at. */
static cl_result renegotiation(struct cleat_tls *tls, const struct cl_msg *msg)
{
    bool often = ++tls->idle_key_updates > CL_MAX_IDLE_RECORDS;
    if (often || tls->config->renegotiation_ends) {
        return cl_tls_fail(tls, CL_WHY_ALERT(REFUSED, CL_ALERT_NO_RENEGOTIATION, "RFC 5246 7.2.2"),
                           "the client asks for renegotiation%s, which is not done",
                           often ? " time and again" : "");
    }
    /* RFC 5246 7.2.2: "When that is not appropriate, the recipient should respond with this alert.
     * At that point, the original requester can decide whether to proceed with the connection." */
    tls->no_renegotiation_pending = true;
    return CL_OK;
}

const struct cl_hs_row cl_hs_server_12[] = {
    {CL_HS_S12_SELECT,
     CL_HS_ACTION,
     0,
     0,
     select_,
     {CL_HS_S12_KEYGEN, CL_HS_S12_SEND_RESUMED, CL_HS_S12_SEND_UNSIGNED}},
    {CL_HS_S12_KEYGEN,
     CL_HS_JOB,
     0,
     0,
     share_made,
     {CL_HS_S12_WAIT_KEY_EXCHANGE, CL_HS_S12_WAIT_CERTIFICATE, CL_HS_S12_SIGN}},
    {CL_HS_S12_SIGN,
     CL_HS_JOB,
     0,
     0,
     signed_,
     {CL_HS_S12_WAIT_KEY_EXCHANGE, CL_HS_S12_WAIT_CERTIFICATE}},
    {CL_HS_S12_SEND_UNSIGNED,
     CL_HS_ACTION,
     0,
     0,
     send_unsigned,
     {CL_HS_S12_WAIT_KEY_EXCHANGE, CL_HS_S12_WAIT_CERTIFICATE}},
    {CL_HS_S12_WAIT_CERTIFICATE,
     CL_HS_MESSAGE,
     CL_HT_CERTIFICATE,
     0,
     cl_client_certificate_12_received,
     {CL_HS_S12_WAIT_KEY_EXCHANGE, CL_HS_S12_WAIT_KEY_EXCHANGE}},
    {CL_HS_S12_WAIT_KEY_EXCHANGE,
     CL_HS_MESSAGE,
     CL_HT_CLIENT_KEY_EXCHANGE,
     0,
     cl_client_key_exchange_received,
     {CL_HS_S12_AGREE}},
    {CL_HS_S12_AGREE,
     CL_HS_JOB,
     0,
     0,
     agreed,
     {CL_HS_S12_WAIT_CCS, CL_HS_S12_WAIT_CERTIFICATE_VERIFY}},
    {CL_HS_S12_WAIT_CERTIFICATE_VERIFY,
     CL_HS_MESSAGE,
     CL_HT_CERTIFICATE_VERIFY,
     0,
     cl_certificate_verify_12_received,
     {CL_HS_S12_CHECK_SIGNATURE}},
    {CL_HS_S12_CHECK_SIGNATURE, CL_HS_JOB, 0, 0, cl_signature_checked, {CL_HS_S12_CHECK_PEER}},
    {CL_HS_S12_CHECK_PEER,
     CL_HS_ACTION,
     0,
     0,
     cl_peer_check,
     {CL_HS_S12_VERIFY_CHAIN, CL_HS_S12_ASK_PEER}},
    {CL_HS_S12_VERIFY_CHAIN,
     CL_HS_JOB,
     0,
     0,
     cl_peer_chain_step,
     {CL_HS_S12_WAIT_CCS, CL_HS_S12_ASK_PEER}},
    {CL_HS_S12_ASK_PEER,
     CL_HS_DECIDE,
     0,
     0,
     cl_peer_asked,
     {CL_HS_S12_WAIT_CCS, CL_HS_S12_VERIFY_CHAIN}},
    {CL_HS_S12_WAIT_CCS, CL_HS_CCS, 0, 0, ccs_received, {CL_HS_S12_WAIT_FINISHED}},
    {CL_HS_S12_WAIT_FINISHED,
     CL_HS_MESSAGE,
     CL_HT_FINISHED,
     0,
     finished_received,
     {CL_HS_S12_SEND_TICKET, CL_HS_S12_DONE}},
    {CL_HS_S12_SEND_TICKET, CL_HS_ACTION, 0, 0, send_ticket, {CL_HS_S12_SEND_CCS}},
    {CL_HS_S12_SEND_RESUMED, CL_HS_ACTION, 0, 0, send_resumed, {CL_HS_S12_SEND_CCS}},
    {CL_HS_S12_SEND_CCS, CL_HS_ACTION, 0, CL_HS_FLUSH, send_ccs, {CL_HS_S12_SEND_FINISHED}},
    {CL_HS_S12_SEND_FINISHED,
     CL_HS_ACTION,
     0,
     0,
     send_finished,
     {CL_HS_S12_DONE, CL_HS_S12_WAIT_CCS}},
    {CL_HS_S12_DONE, CL_HS_ACTION, 0, CL_HS_FLUSH, done, {CL_HS_S12_OPEN}},
    {CL_HS_S12_OPEN, CL_HS_MESSAGE, CL_HT_CLIENT_HELLO, 0, renegotiation, {0}},
    {CL_HS_NONE, CL_HS_END, 0, 0, NULL, {0}},
};
