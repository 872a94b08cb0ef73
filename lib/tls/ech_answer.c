/* tls/ech_answer.c - which ClientHello the server answers (RFC 9849 6.1.4 to 6.1.7), and what an
 * application is told; the confirmation, which both sides compute. */
#include "tls/ech.h"

#include "tls/hs.h"

/* 30: header, legacy_version, and all of ServerHello.random but its last eight bytes */
#define SERVER_HELLO_AT (4 + 2 + CL_RANDOM_LEN - CL_ECH_CONFIRMATION_LEN)

void cl_ech_confirmation(const struct cleat_tls *tls, const struct cl_hash *transcript, bool retry,
                         struct cl_rd message, size_t at, uint8_t out[CL_ECH_CONFIRMATION_LEN])
{
    static const uint8_t zeros[CL_ECH_CONFIRMATION_LEN];
    const enum cl_hash_id id = tls->suite->hash;
    const size_t rest = at + CL_ECH_CONFIRMATION_LEN;
    struct cl_hash h = *transcript;
    uint8_t digest[CL_HASH_MAX_LEN];
    struct cl_secret secret;
    cl_hash_update(&h, message.p, at);
    cl_hash_update(&h, zeros, sizeof(zeros));
    cl_hash_update(&h, message.p + rest, message.len - rest);
    cl_hash_peek(&h, digest);
    /* RFC 9849 7.2: HKDF-Expand-Label(HKDF-Extract(0, ClientHelloInner.random), "ech accept
     * confirmation", transcript_ech_conf, 8); 7.2.1: "hrr ech accept confirmation" */
    cl_hkdf_extract(id, cl_rd_of(NULL, 0), cl_rd_of(tls->hs->client_random, CL_RANDOM_LEN),
                    &secret);
    cl_hkdf_expand_label(id, cl_rd_of(secret.bytes, secret.len),
                         retry ? "hrr ech accept confirmation" : "ech accept confirmation",
                         cl_rd_of(digest, cl_hash_len(id)), out, CL_ECH_CONFIRMATION_LEN);
}

/* ---- the client's decision ---- */

void cl_ech_reject(struct cleat_tls *tls, const char *why)
{
    struct cl_hs *hs = tls->hs;
    struct cl_ech *ech = hs->ech;
    if (!cl_ech_wanted(tls)) {
        return;
    }
    tls->ech_status = CLEAT_ECH_REJECTED;
    cl_event_choice(tls, "Encrypted Client Hello", "rejected", why);
    cl_buf_deinit(&hs->hello);
    hs->hello = ech->outer;
    ech->outer = (struct cl_buf){0};
    hs->ext_offered = ech->outer_offered;
    memcpy(hs->client_random, ech->outer_random, CL_RANDOM_LEN);
    /* RFC 9849 6.1.7: "The client MUST verify that the certificate is valid for
     * ECHConfig.contents.public_name" */
    cl_free(tls->server_name);
    tls->server_name = ech->public_name;
    ech->public_name = NULL;
    /* RFC 9849 6.1.2: "the server is not permitted to resume a connection in the outer handshake"
     */
    cleat_tls_session_free(hs->session);
    hs->session = NULL;
}

static bool confirmed(const struct cleat_tls *tls, const struct cl_msg *msg, bool retry, size_t at)
{
    uint8_t wanted[CL_ECH_CONFIRMATION_LEN];
    struct cl_hash transcript = tls->hs->transcript;
    if (!tls->hs->transcript_started) {
        cl_hash_init(&transcript, tls->suite->hash);
        cl_hash_update(&transcript, tls->hs->hello.p, tls->hs->hello.len);
    }
    if (retry) { /* message_hash (RFC 9846 4.1) instead of the first ClientHello */
        uint8_t head[4 + CL_HASH_MAX_LEN] = {CL_HT_MESSAGE_HASH, 0, 0,
                                             (uint8_t)cl_hash_len(tls->suite->hash)};
        cl_hash_peek(&transcript, head + 4);
        cl_hash_init(&transcript, tls->suite->hash);
        cl_hash_update(&transcript, head, 4 + cl_hash_len(tls->suite->hash));
    }
    cl_ech_confirmation(tls, &transcript, retry, msg->whole, at, wanted);
    return cl_ct_equal(wanted, msg->whole.p + at, sizeof(wanted));
}

cl_result cl_ech_judge(struct cleat_tls *tls, const struct cl_msg *msg, bool retry)
{
    struct cl_rd answer = tls->hs->server_hello.ech;
    if (!cl_ech_wanted(tls)) {
        return CL_OK;
    }
    if (retry && answer.p == NULL) {
        cl_ech_reject(tls, "the HelloRetryRequest does not confirm it");
        return CL_OK;
    }
    const size_t at = retry ? (size_t)(answer.p - msg->whole.p) : SERVER_HELLO_AT;
    if (confirmed(tls, msg, retry, at)) {
        if (tls->ech_status != CLEAT_ECH_ACCEPTED) {
            cl_event_choice(tls, "Encrypted Client Hello", "accepted", "the server confirms it");
        }
        tls->ech_status = CLEAT_ECH_ACCEPTED;
        return CL_OK;
    }
    /* RFC 9849 6.1.5: "If the ServerHello does not also indicate ECH acceptance, the client MUST
     * terminate the connection with an "illegal_parameter" alert" */
    if (tls->ech_status == CLEAT_ECH_ACCEPTED) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9849 6.1.5"),
                           "the server confirmed ECH in its HelloRetryRequest, but does not in "
                           "its ServerHello");
    }
    cl_ech_reject(tls, retry ? "the HelloRetryRequest's confirmation is not for our ClientHello"
                             : "the ServerHello does not confirm it");
    return CL_OK;
}

cl_result cl_ech_finish(struct cleat_tls *tls)
{
    if (!cl_ech_refused(tls)) {
        return CL_OK;
    }
    /* RFC 9849 6.1.6: "If both authentication and the handshake complete successfully, the client
     * MUST … abort the connection with an "ech_required" alert before sending any application
     * data" */
    return cl_tls_fail(
        tls,
        CL_WHY_HINT(ECH_REJECTED, "RFC 9849 6.1.6",
                    "connect again with the configurations that the server sent, "
                    "or, if it sent none, without ECH"),
        "the server, %s, could not use our Encrypted Client Hello; it sent %s", tls->server_name,
        tls->ech_retry != NULL ? "new configurations" : "no new configurations: ECH is off there");
}

/* ---- what the application is told ---- */

enum cleat_ech_status cleat_tls_ech_status(const struct cleat_tls *tls)
{
    return (enum cleat_ech_status)tls->ech_status;
}

const char *cleat_ech_status_name(enum cleat_ech_status status)
{
    static const char *const names[] = {
        [CLEAT_ECH_NONE] = "none",         [CLEAT_ECH_GREASE] = "grease",
        [CLEAT_ECH_OFFERED] = "offered",   [CLEAT_ECH_ACCEPTED] = "accepted",
        [CLEAT_ECH_REJECTED] = "rejected",
    };
    return (size_t)status < sizeof(names) / sizeof(names[0]) ? names[status] : "unknown";
}

const char *cleat_tls_ech_public_name(const struct cleat_tls *tls)
{
    return cl_ech_refused(tls) ? tls->server_name : NULL;
}

const uint8_t *cleat_tls_ech_retry_configs(const struct cleat_tls *tls, size_t *len)
{
    /* RFC 9849 6.1.6: "If authentication or the handshake fails, the client … MUST NOT use the
     * retry configurations" */
    const bool there =
        tls->ech_retry != NULL && cleat_tls_error(tls)->code == CLEAT_ERR_ECH_REJECTED;
    *len = there ? tls->ech_retry->len : 0;
    return there ? tls->ech_retry->p : NULL;
}

void cl_ech_event_keys(struct cleat_tls *tls, struct cl_rd config)
{
    const struct cl_ech *ech = tls->hs->ech;
    const struct cl_rd secret = cl_hpke_shared_secret(ech->hpke);
    cl_event_logged(tls, "ECH_SECRET", ech->outer_random, secret);
    cl_event_logged(tls, "ECH_CONFIG", ech->outer_random, config);
}
