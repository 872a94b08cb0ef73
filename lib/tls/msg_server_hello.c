/* tls/msg_server_hello.c - ServerHello (RFC 9846 4.2.3) and HelloRetryRequest (4.2.4), which is a
 * ServerHello with a random of its own. Both roles. */
#include "cleat/tls_psk.h"
#include "tls/early.h"
#include "tls/ech.h"
#include "tls/ext.h"
#include "tls/msg.h"
#include "tls/psk.h"
#include "tls/shares.h"
#include "tls/version.h"

/* RFC 9846 4.2.3: SHA-256 of "HelloRetryRequest" */
static const uint8_t retry_random[CL_RANDOM_LEN] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

/* RFC 9846 4.2.3: the last eight bytes of a ServerHello's random when a server that could do better
 * negotiates TLS 1.2, or something older */
static const uint8_t downgrade_12[8] = {'D', 'O', 'W', 'N', 'G', 'R', 'D', 1};
static const uint8_t downgrade_11[8] = {'D', 'O', 'W', 'N', 'G', 'R', 'D', 0};

#define COOKIE_LEN 32

/* ---- server ---- */

static cl_result build_hello(struct cleat_tls *tls, unsigned message, const uint8_t *random)
{
    struct cl_hs *hs = tls->hs;
    struct cl_wr w;
    CL_TRY(cl_flight_begin(tls, CL_HT_SERVER_HELLO, 256 + CL_GROUP_MAX_SHARE, &w));
    cl_wr_u16(&w, CLEAT_TLS_1_2); /* legacy_version */
    cl_wr_bytes(&w, random, CL_RANDOM_LEN);
    struct cl_wr_mark m = cl_wr_open8(&w);
    cl_wr_bytes(&w, hs->session_id, hs->session_id_len);
    cl_wr_close(&w, m);
    cl_wr_u16(&w, tls->suite->id);
    cl_wr_u8(&w, 0);
    cl_ext_build(tls, message, &w);
    if (tls->ech_status == CLEAT_ECH_ACCEPTED && message != CL_EXT_SH12) {
        cl_ech_confirm(tls, message == CL_EXT_HRR, &w);
    }
    return cl_flight_end(tls, &w);
}

/* What the cookie is for, finding the state again, is not needed here. Not beside ECH: clients of
 * Go's crypto/tls (1.27) let the inner ClientHello refer to the outer one's, which has none. */
static cl_result draw_cookie(struct cleat_tls *tls)
{
    struct cl_buf *cookie = &tls->hs->cookie;
    if (tls->ech_status == CLEAT_ECH_ACCEPTED) {
        return CL_OK;
    }
    CL_TRY(cl_buf_reserve(cookie, COOKIE_LEN, COOKIE_LEN));
    CL_TRY(cl_rand(&tls->config->rng, cookie->p, COOKIE_LEN));
    cookie->len = COOKIE_LEN;
    return CL_OK;
}

cl_result cl_retry_send(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_hs *hs = tls->hs;
    cl_transcript_start(tls, tls->suite->hash);
    cl_transcript_add(tls, cl_buf_view(&hs->hello));
    cl_transcript_retry(tls);
    CL_TRY(draw_cookie(tls));
    hs->retried = true;
    tls->hello_retry = true;
    cl_event_choice(tls, "retry", hs->hrr_group->name,
                    "the client supports the group but sent no key share for it");
    CL_TRY(build_hello(tls, CL_EXT_HRR, retry_random));
    cl_hs_goto(tls, CL_HS_S13_RETRY_SENT);
    return CL_OK;
}

/* RFC 9846 E.4: the server's change_cipher_spec follows its first handshake message. */
cl_result cl_retry_sent(struct cleat_tls *tls, const struct cl_msg *msg)
{
    tls->hs->ccs_pending = tls->hs->session_id_len != 0;
    cl_hs_goto(tls, CL_HS_S13_WAIT_SECOND_HELLO);
    return CL_OK;
}

/* The peer's share has become ours and the secret: the answer can go out. */
cl_result cl_server_hello_send(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_hs *hs = tls->hs;
    uint8_t random[CL_RANDOM_LEN];
    CL_TRY(cl_rand(&tls->config->rng, random, sizeof(random)));
    if (!hs->transcript_started) {
        cl_transcript_start(tls, tls->suite->hash);
    }
    cl_transcript_add(tls, cl_buf_view(&hs->hello));
    CL_TRY(build_hello(tls, CL_EXT_SH, random));
    cl_hs_goto(tls, CL_HS_S13_HANDSHAKE_KEYS);
    return CL_OK;
}

cl_result cl_server_hello_12_build(struct cleat_tls *tls)
{
    return build_hello(tls, CL_EXT_SH12, tls->hs->server_random);
}

/* ---- client ---- */

struct hello_fields {
    uint16_t legacy_version;
    struct cl_rd random;
    struct cl_rd session_id;
    uint16_t suite;
    uint8_t compression;
    struct cl_rd extensions;
};

/* Read whole before anything is decided on a part of it. */
static bool is_block(struct cl_rd block)
{
    uint16_t type;
    struct cl_rd body;
    while (!cl_rd_done(&block)) {
        if (!cl_rd_u16(&block, &type) || !cl_rd_vec16(&block, &body)) {
            return false;
        }
    }
    return true;
}

/* RFC 9846 6: "Peers which receive a message which cannot be parsed according to the syntax …
 * MUST terminate the connection with a "decode_error" alert", whatever its version may be. */
static cl_result parse_fields(struct cleat_tls *tls, struct cl_rd body, struct hello_fields *f)
{
    bool ok = cl_rd_u16(&body, &f->legacy_version) &&
              cl_rd_take(&body, CL_RANDOM_LEN, &f->random) && cl_rd_vec8(&body, &f->session_id) &&
              cl_rd_u16(&body, &f->suite) && cl_rd_u8(&body, &f->compression) &&
              f->session_id.len <= 32;
    f->extensions = cl_rd_of(NULL, 0);
    if (ok && !cl_rd_done(&body)) { /* TLS 1.2 servers may send none */
        ok = cl_rd_vec16(&body, &f->extensions) && cl_rd_done(&body) && is_block(f->extensions);
    }
    return ok ? CL_OK : cl_tls_decode_error(tls, "ServerHello", "RFC 9846 4.2.3");
}

/* ---- TLS 1.2 ---- */

static bool echoes_session(const struct cleat_tls *tls, const struct hello_fields *f)
{
    return f->session_id.len != 0 &&
           cl_rd_equal(f->session_id, cl_rd_of(tls->hs->session_id, tls->hs->session_id_len));
}

/* RFC 7627 5.3, RFC 5746 3.4: without them a handshake can be spliced into another. */
static cl_result check_extensions_12(struct cleat_tls *tls, uint32_t received, bool resumes)
{
    static const struct {
        uint16_t type;
        const char *section;
    } needed[] = {
        {CL_ET_EXTENDED_MASTER_SECRET, "RFC 7627 5.3"},
        {CL_ET_RENEGOTIATION_INFO, "RFC 5746 3.4"},
    };
    bool unbound = (received & cl_ext_bit(CL_ET_EXTENDED_MASTER_SECRET)) == 0;
    size_t first = unbound && tls->config->without_master_secret ? 1 : 0;
    for (size_t i = first; i < sizeof(needed) / sizeof(needed[0]); i++) {
        if ((received & cl_ext_bit(needed[i].type)) == 0) {
            return cl_tls_fail(tls,
                               CL_WHY_HINT(NO_EXTENDED_MASTER_SECRET, needed[i].section,
                                           "the server is from before 2016 and needs an update"),
                               "the server %s %s",
                               resumes ? "resumes a session without" : "does not support",
                               cl_ext_name(needed[i].type));
        }
    }
    return CL_OK;
}

static cl_result take_suite_12(struct cleat_tls *tls, const struct hello_fields *f)
{
    const struct cl_suite *suite = cl_suite_by_id(f->suite);
    bool offered = false;
    for (size_t i = 0; i < tls->config->num_suites; i++) {
        offered = offered || tls->config->suites[i] == suite;
    }
    if (suite == NULL || !offered || suite->version != CLEAT_TLS_1_2 ||
        (suite->auth == CL_AUTH_PSK && cl_psk_of_12(tls->config) == NULL)) {
        return cl_tls_fail(
            tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 5246 7.4.1.3"),
            "the server chose cipher suite 0x%04x, which was not offered for TLS 1.2", f->suite);
    }
    if (f->compression != 0) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 5246 7.4.1.3"),
                           "compression method %u", f->compression);
    }
    tls->suite = suite;
    return CL_OK;
}

/* RFC 9113 9.2.2: what a client would end with INADEQUATE_SECURITY as soon as HTTP/2 began. */
static cl_result check_protocol_12(struct cleat_tls *tls)
{
    if (cl_alpn_is_h2(tls->alpn) && !cl_suite_fits_h2(tls->suite)) {
        return cl_tls_fail(
            tls,
            CL_WHY_HINT(ILLEGAL_PARAMETER, "RFC 9113 9.2.2",
                        "--http1.1 offers no HTTP/2; or leave the suite out of --ciphers"),
            "the server chose HTTP/2 with %s, whose security is inadequate for it",
            tls->suite->name);
    }
    return CL_OK;
}

/* Said before the suite is looked at, which is of another version then. */
static cl_result check_session_version(struct cleat_tls *tls, const struct hello_fields *f)
{
    const struct cleat_tls_session *session = tls->hs->session;
    if (session != NULL && session->version != CLEAT_TLS_1_2 && echoes_session(tls, f)) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.2.3"),
                           "the server resumes a session of TLS 1.3 in TLS 1.2");
    }
    return CL_OK;
}

/* RFC 5246 7.4.1.3, RFC 5077 3.4: our session ID back means that the session is resumed. */
static cl_result take_session_12(struct cleat_tls *tls, const struct hello_fields *f)
{
    struct cl_hs *hs = tls->hs;
    if (!echoes_session(tls, f)) {
        return CL_OK;
    }
    if (hs->session == NULL) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 5246 7.4.1.3"),
                           "the server resumes a session that was not offered");
    }
    if (hs->session->suite != tls->suite->id) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 5246 7.4.1.3"),
                           "the server resumes under another cipher suite than the session's: %s",
                           tls->suite->name);
    }
    /* RFC 7627 5.3: "If the original session used the extension but the new ServerHello does not
     * contain the extension, the client MUST abort the handshake"; others are never kept */
    if (!hs->parsed.extended_master_secret) {
        return cl_tls_fail(tls, CL_WHY(NO_EXTENDED_MASTER_SECRET, "RFC 7627 5.3"),
                           "the server resumes a session without its extended master secret");
    }
    tls->resumed = true;
    tls->peer_authenticated = true;
    hs->master = hs->session->psk;
    tls->peer_is_raw = hs->session->peer_is_raw;
    /* RFC 6962 3.3 has no word on resumptions: servers repeat the list, but no certificate is
     * shown that it could be about */
    cl_buf_deinit(&tls->peer_scts);
    cl_event_choice(tls, "resumption", "accepted", "the server returned our session ID");
    return cl_buf_append(&tls->peer_chain, hs->session->peer_leaf.p, hs->session->peer_leaf.len,
                         CL_HS_MAX_MESSAGE);
}

/* RFC 7366 3: "If a server receives an encrypt-then-MAC request extension from a client and then
 * selects a stream or [AEAD] ciphersuite, it MUST NOT send an encrypt-then-MAC response" */
static cl_result take_mac_order(struct cleat_tls *tls)
{
    bool agreed = tls->hs->parsed.encrypt_then_mac;
    if (agreed && tls->suite->mac == CL_HASH_NONE) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 7366 3"),
                           "the server answers encrypt_then_mac, but chose %s, which has no MAC",
                           tls->suite->name);
    }
    tls->hs->encrypt_then_mac = agreed;
    return CL_OK;
}

static enum cl_hs_state after_hello_12(struct cleat_tls *tls)
{
    if (tls->resumed) {
        return cl_peer_resumed_decide(tls) ? CL_HS_C12_ASK_RESUMED
               : tls->hs->ticket_expected  ? CL_HS_C12_WAIT_TICKET
                                           : CL_HS_C12_WAIT_CCS;
    }
    switch (tls->suite->kx) {
    case CL_KX_RSA:
        return CL_HS_C12_RSA_WAIT_CERTIFICATE;
    case CL_KX_ECDHE_PSK:
    case CL_KX_DHE_PSK:
        return CL_HS_C12_PSK_WAIT_KEY_EXCHANGE;
    case CL_KX_PSK:
        return CL_HS_C12_PSK_WAIT_HINT;
    default:
        return CL_HS_C12_WAIT_CERTIFICATE;
    }
}

static cl_result take_hello_12(struct cleat_tls *tls, const struct hello_fields *f)
{
    struct cl_hs *hs = tls->hs;
    uint32_t received;
    CL_TRY(cl_ext_parse(tls, CL_EXT_SH12, f->extensions, &received));
    CL_TRY(check_extensions_12(tls, received, echoes_session(tls, f)));
    CL_TRY(check_session_version(tls, f));
    CL_TRY(take_suite_12(tls, f));
    CL_TRY(check_protocol_12(tls));
    CL_TRY(take_mac_order(tls));
    CL_TRY(take_session_12(tls, f));
    memcpy(hs->server_random, f->random.p, CL_RANDOM_LEN);
    hs->session_id_len = (uint8_t)f->session_id.len; /* the new session's name, if it gets one */
    if (f->session_id.len != 0) {
        memcpy(hs->session_id, f->session_id.p, f->session_id.len);
    }
    cl_event_choice(tls, "version", "TLS 1.2", "the server's choice");
    cl_event_choice(tls, "cipher suite", tls->suite->name, "the server's choice");
    cl_event_weaknesses(tls);
    hs->keep_messages = !tls->resumed; /* the server may ask for a certificate */
    cl_transcript_start(tls, tls->suite->hash);
    cl_transcript_add(tls, cl_buf_view(&hs->hello));
    if (tls->resumed) {
        cl_event_secret(tls, "CLIENT_RANDOM", &hs->master);
    }
    cl_hs_switch(tls, &cl_version_12, after_hello_12(tls));
    return CL_OK;
}

static cl_result old_version(struct cleat_tls *tls, const struct hello_fields *f)
{
    const uint8_t *tail = f->random.p + CL_RANDOM_LEN - 8;
    /* RFC 9846 4.2.3: "TLS 1.3 clients receiving a ServerHello indicating TLS 1.2 or below MUST
     * check that the last 8 bytes are not equal to either of these values" */
    if (tls->config->version_max >= CLEAT_TLS_1_3 &&
        (memcmp(tail, downgrade_12, 8) == 0 || memcmp(tail, downgrade_11, 8) == 0)) {
        return cl_tls_fail(tls, CL_WHY(DOWNGRADE, "RFC 9846 4.2.3"),
                           "the server can speak TLS 1.3, but somebody on the way made it answer "
                           "with version 0x%04x",
                           f->legacy_version);
    }
    /* RFC 9846 E.3: "A client that attempts to send 0-RTT data MUST fail a connection if it
     * receives a ServerHello with TLS 1.2 or older" */
    if (tls->early_data != CLEAT_EARLY_DATA_NONE) {
        return cl_tls_fail(tls,
                           CL_WHY_HINT(PROTOCOL_VERSION, "RFC 9846 E.3",
                                       "connect again without early data and without the session"),
                           "the server answers early data with version 0x%04x", f->legacy_version);
    }
    /* after a HelloRetryRequest there is no way back */
    if (f->legacy_version == CLEAT_TLS_1_2 && tls->config->version_min <= CLEAT_TLS_1_2 &&
        !tls->hs->retried) {
        cl_ech_reject(tls, "the server answers with TLS 1.2");
        return take_hello_12(tls, f);
    }
    return cl_tls_fail(tls,
                       CL_WHY_HINT(PROTOCOL_VERSION, "RFC 9846 4.3.1",
                                   "the server needs an update, or a lower --tls-min is wanted"),
                       "the server chose version 0x%04x%s; offered was 0x%04x to 0x%04x",
                       f->legacy_version, tls->hs->retried ? " after a HelloRetryRequest" : "",
                       tls->config->version_min, tls->config->version_max);
}

/* RFC 9846 4.2.3: checks that a ServerHello and a HelloRetryRequest have in common. */
static cl_result check_common(struct cleat_tls *tls, const struct hello_fields *f)
{
    struct cl_hs *hs = tls->hs;
    const struct cl_suite *suite = cl_suite_by_id(f->suite);
    bool offered = false;
    if (hs->server_hello.version != CLEAT_TLS_1_3) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.3.1"),
                           "supported_versions selects 0x%04x%s", hs->server_hello.version,
                           hs->retried ? " after a HelloRetryRequest" : "");
    }
    if (f->legacy_version != CLEAT_TLS_1_2) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.2.3"),
                           "%s has legacy_version 0x%04x, not 0x0303",
                           hs->retried ? "the second ServerHello" : "ServerHello",
                           f->legacy_version);
    }
    if (!cl_rd_equal(f->session_id, cl_rd_of(hs->session_id, hs->session_id_len))) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.2.3"),
                           "the session ID is not the one that was sent");
    }
    if (f->compression != 0) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.2.3"),
                           "compression method %u", f->compression);
    }
    for (size_t i = 0; i < tls->config->num_suites; i++) {
        offered = offered || tls->config->suites[i] == suite;
    }
    /* RFC 9846 4.2.4: the suite of a HelloRetryRequest is the suite of the ServerHello */
    if (suite == NULL || !offered || suite->version != CLEAT_TLS_1_3 ||
        (hs->retried && suite != tls->suite)) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.2.3"),
                           "the server chose cipher suite 0x%04x, %s", f->suite,
                           offered ? "but another one in its HelloRetryRequest"
                                   : "which was not offered");
    }
    tls->suite = suite;
    return CL_OK;
}

static cl_result drop_unfit_session(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    if (hs->session != NULL && cl_suite_by_id(hs->session->suite)->hash != tls->suite->hash) {
        cleat_tls_session_free(hs->session);
        hs->session = NULL;
    }
    return CL_OK;
}

static cl_result take_retry(struct cleat_tls *tls, const struct hello_fields *f)
{
    struct cl_hs *hs = tls->hs;
    const struct cl_server_hello *sh = &hs->server_hello;
    /* RFC 9846 4.2.4: "If a client receives a second HelloRetryRequest in the same connection … it
     * MUST abort the handshake with an "unexpected_message" alert" */
    if (hs->retried) {
        return cl_tls_fail(tls, CL_WHY(UNEXPECTED_MESSAGE, "RFC 9846 4.2.4"),
                           "a second HelloRetryRequest");
    }
    const struct cl_group *group = NULL;
    for (size_t i = 0; i < tls->config->num_groups && sh->group != 0; i++) {
        if (tls->config->groups[i]->id == sh->group) {
            group = tls->config->groups[i];
        }
    }
    /* RFC 9846 4.3.8: the group was offered, and no share was sent for it */
    if (sh->group != 0 && (group == NULL || cl_shares_has(hs, group->id))) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.3.8"),
                           "HelloRetryRequest asks for group 0x%04x, %s", sh->group,
                           group == NULL ? "which was not offered" : "whose share was sent");
    }
    /* RFC 9846 4.2.4: it must lead to a change in the ClientHello */
    if (group == NULL && sh->cookie.len == 0) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.2.4"),
                           "HelloRetryRequest asks for no change");
    }
    CL_TRY(cl_hs_no_partial_message(tls));
    if (sh->cookie.len != 0) {
        CL_TRY(cl_buf_append(&hs->cookie, sh->cookie.p, sh->cookie.len, CL_HS_MAX_HELLO));
    }
    hs->retried = true;
    tls->hello_retry = true;
    hs->hrr_group = group;
    cl_transcript_start(tls, tls->suite->hash);
    cl_transcript_add(tls, cl_buf_view(&hs->hello));
    cl_transcript_retry(tls);
    CL_TRY(drop_unfit_session(tls));
    cl_early_retried(tls);
    cl_event_choice(tls, "retry", group != NULL ? group->name : "cookie",
                    "asked for by a HelloRetryRequest");
    hs->ccs_pending = !hs->ccs_sent;
    cl_hs_goto(tls, CL_HS_C_MAKE_SHARE);
    return CL_OK;
}

static cl_result use_ticket(struct cleat_tls *tls)
{
    const struct cleat_tls_session *session = tls->hs->session;
    tls->resumed = true;
    tls->peer_is_raw = session->peer_is_raw;
    cl_event_choice(tls, "resumption", "accepted", "the server selected our ticket");
    return cl_buf_append(&tls->peer_chain, session->peer_leaf.p, session->peer_leaf.len,
                         CL_HS_MAX_MESSAGE);
}

static cl_result take_psk(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    struct cl_psk_offer offers[CL_PSK_MAX_OFFERED + 1];
    size_t num = cl_psk_offers(tls, offers);
    size_t index = hs->server_hello.psk_index;
    if (!hs->server_hello.has_psk) {
        return CL_OK;
    }
    /* RFC 9849 6.1.2: "If ECH is rejected and the client-facing server replies with a
     * "pre_shared_key" extension in its ServerHello, then the client MUST abort the handshake with
     * an "illegal_parameter" alert" */
    if (cl_ech_refused(tls)) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9849 6.1.2"),
                           "the server selected a PSK of the outer ClientHello, which has none");
    }
    /* RFC 9846 4.3.11: "Clients MUST verify that the server's selected_identity is within the range
     * supplied by the client, that the server selected a cipher suite indicating a Hash associated
     * with the PSK" */
    if (index >= num || offers[index].hash != tls->suite->hash) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.3.11"),
                           "the server selected PSK %zu, which %s", index,
                           index >= num ? "was not offered" : "belongs to another hash");
    }
    hs->psk = *offers[index].key;
    hs->psk_selected = true;
    tls->peer_authenticated = true;
    tls->psk = offers[index].external;
    if (tls->psk == NULL) {
        return use_ticket(tls);
    }
    cl_event_choice(tls, "PSK", "external", "the server selected it");
    return CL_OK;
}

/* RFC 9846 4.3.9, 4.2.3: a key share is due, unless a PSK is used by itself as we allowed; it must
 * not be there when we allowed nothing else. */
static cl_result check_key_exchange(struct cleat_tls *tls)
{
    const struct cl_server_hello *sh = &tls->hs->server_hello;
    unsigned modes = tls->config->psk_modes;
    bool external = tls->psk != NULL;
    if (sh->group == 0 && !(external && (modes & CLEAT_PSK_KE) != 0)) {
        return cl_tls_fail(tls, CL_WHY(MISSING_EXTENSION, "RFC 9846 4.2.3"),
                           "ServerHello has no key_share");
    }
    if (sh->group != 0 && external && (modes & CLEAT_PSK_DHE_KE) == 0) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.3.9"),
                           "the server sends a key share with a PSK; psk_ke alone was offered");
    }
    if (sh->group != 0 && !cl_shares_has(tls->hs, sh->group)) {
        const struct cl_group *second = tls->hs->second_group;
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.3.8"),
                           "the server answers with group 0x%04x; shares were sent for %s%s%s",
                           sh->group, tls->hs->share_group->name, second != NULL ? " and " : "",
                           second != NULL ? second->name : "");
    }
    return CL_OK;
}

static cl_result start_agreement(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    struct cl_rd share = hs->server_hello.share;
    const bool first = hs->share_group->id == hs->server_hello.group;
    cl_shares_take(hs, hs->server_hello.group);
    tls->group = hs->share_group;
    cl_event_choice(tls, "group", tls->group->name,
                    hs->hrr_group != NULL ? "asked for by the server"
                    : first               ? "our first share was accepted"
                                          : "our second share was accepted");
    CL_TRY(cl_buf_append(&hs->peer_share, share.p, share.len, CL_HS_MAX_HELLO));
    hs->job = (struct cl_job){.kind = CL_JOB_DECAP, .status = CL_JOB_PENDING};
    hs->job.kex.group = tls->group;
    hs->job.kex.key = hs->kex_key;
    hs->job.kex.peer_share = cl_buf_view(&hs->peer_share);
    hs->waiting = &hs->job;
    return CL_OK;
}

static cl_result take_hello(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    CL_TRY(take_psk(tls));
    CL_TRY(check_key_exchange(tls));
    if (!hs->transcript_started) {
        cl_transcript_start(tls, tls->suite->hash);
        cl_transcript_add(tls, cl_buf_view(&hs->hello));
    }
    tls->version = CLEAT_TLS_1_3;
    tls->protocol = &cl_version_13;
    cl_event_choice(tls, "version", "TLS 1.3", "the server's choice");
    cl_event_choice(tls, "cipher suite", tls->suite->name, "the server's choice");
    if (hs->server_hello.group != 0) {
        CL_TRY(start_agreement(tls));
    }
    cl_hs_goto(tls, CL_HS_C13_AGREE); /* without a job when the PSK is all there is */
    return CL_OK;
}

cl_result cl_server_hello_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct hello_fields f;
    uint32_t received;
    tls->wr.initial = false;
    CL_TRY(parse_fields(tls, msg->body, &f));
    bool retry = cl_rd_equal(f.random, cl_rd_of(retry_random, sizeof(retry_random)));
    /* the version first: which extensions are allowed depends on it */
    if (!cl_ext_contains(f.extensions, CL_ET_SUPPORTED_VERSIONS)) {
        return retry ? cl_tls_fail(tls, CL_WHY(MISSING_EXTENSION, "RFC 9846 4.2.4"),
                                   "HelloRetryRequest has no supported_versions")
                     : old_version(tls, &f);
    }
    tls->hs->server_hello = (struct cl_server_hello){0};
    CL_TRY(cl_ext_parse(tls, retry ? CL_EXT_HRR : CL_EXT_SH, f.extensions, &received));
    CL_TRY(check_common(tls, &f));
    CL_TRY(cl_ech_judge(tls, msg, retry));
    return retry ? take_retry(tls, &f) : take_hello(tls);
}
