/* tls/msg_certificate_verify.c - CertificateVerify (RFC 9846 4.5.2), both roles, both directions:
 * the signature over the transcript, made and checked by a job. */
#include "tls/msg.h"
#include "tls/raw_key.h"
#include "tls/version.h"

#define PAD_LEN 64
static const char context_server[] = "TLS 1.3, server CertificateVerify";
static const char context_client[] = "TLS 1.3, client CertificateVerify";

/* RFC 9846 4.5.2: 64 spaces, the context string, a zero byte, the transcript hash. The context
 * tells the roles apart, so that one side's signature cannot be played back by the other. */
static cl_result make_content(struct cleat_tls *tls, bool server_signs)
{
    struct cl_buf *content = &tls->hs->signed_content;
    const char *context = server_signs ? context_server : context_client;
    uint8_t digest[CL_HASH_MAX_LEN];
    size_t need = PAD_LEN + sizeof(context_server) + CL_HASH_MAX_LEN;
    content->len = 0;
    CL_TRY(cl_buf_reserve(content, need, need));
    struct cl_wr w = cl_buf_writer(content);
    uint8_t *pad = cl_wr_reserve(&w, PAD_LEN);
    if (pad == NULL) {
        return CLEAT_ERR_INTERNAL;
    }
    memset(pad, ' ', PAD_LEN);
    cl_wr_bytes(&w, context, sizeof(context_server)); /* with its NUL: the separator */
    cl_transcript_peek(tls, digest);
    cl_wr_bytes(&w, digest, cl_hash_len(tls->suite->hash));
    cl_buf_commit(content, &w);
    return cl_wr_ok(&w) ? CL_OK : CLEAT_ERR_INTERNAL;
}

_Static_assert(sizeof(context_server) == sizeof(context_client), "one length serves both");

/* The algorithm that a job computes: of TLS 1.2's ECDSA schemes the hash counts, not the curve. */
static const struct cl_sig_alg *bare_scheme(struct cleat_tls *tls, const struct cl_sig_alg *alg)
{
    if (!tls->protocol->any_curve || alg->padding != CL_PAD_NONE || alg->hash == CL_HASH_NONE) {
        return alg;
    }
    tls->hs->scheme_12 = *alg;
    tls->hs->scheme_12.key_type = CL_KEY_NONE;
    return &tls->hs->scheme_12;
}

/* ---- ours ---- */

cl_result cl_sign_start(struct cleat_tls *tls, struct cl_rd content)
{
    struct cl_hs *hs = tls->hs;
    size_t most = cl_key_max_signature(hs->credential->key);
    hs->signature.len = 0;
    CL_TRY(cl_buf_reserve(&hs->signature, most, most));
    hs->job = (struct cl_job){.kind = CL_JOB_SIGN, .status = CL_JOB_PENDING};
    hs->job.sign.key = hs->credential->key;
    hs->job.sign.alg = bare_scheme(tls, hs->scheme);
    hs->job.sign.message = content;
    hs->job.sign.signature = hs->signature.p;
    hs->job.sign.signature_cap = hs->signature.cap;
    hs->waiting = &hs->job;
    return CL_OK;
}

cl_result cl_sign_result(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    cl_result r = hs->job.result;
    hs->signature.len = hs->job.sign.signature_len;
    hs->waiting = NULL;
    cl_job_reset(&hs->job);
    if (r != CL_OK) {
        return cl_tls_fail(
            tls, CL_WHY(JOB_FAILED, "RFC 9846 4.5.2"), "our own signature could not be made: %s",
            r == CLEAT_ERR_BAD_SIGNATURE ? "the one that came back is not of the certificate's key"
                                         : cleat_error_sentence((int)r));
    }
    if (cl_is_server(tls)) {
        tls->peer_scheme = hs->scheme;
    }
    return CL_OK;
}

cl_result cl_certificate_verify_start(struct cleat_tls *tls)
{
    CL_TRY(make_content(tls, cl_is_server(tls)));
    return cl_sign_start(tls, cl_buf_view(&tls->hs->signed_content));
}

cl_result cl_certificate_verify_12_start(struct cleat_tls *tls)
{
    /* RFC 5246 7.4.8: over all messages as they were, not over their hash */
    return tls->hs->messages_lost ? CLEAT_ERR_NOMEM
                                  : cl_sign_start(tls, cl_buf_view(&tls->hs->messages));
}

cl_result cl_certificate_verify_build(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    struct cl_wr w;
    CL_TRY(cl_sign_result(tls));
    CL_TRY(cl_flight_begin(tls, CL_HT_CERTIFICATE_VERIFY, 4 + hs->signature.len, &w));
    cl_wr_u16(&w, hs->scheme->scheme);
    struct cl_wr_mark m = cl_wr_open16(&w);
    cl_wr_view(&w, cl_buf_view(&hs->signature));
    cl_wr_close(&w, m);
    return cl_flight_end(tls, &w);
}

/* ---- the peer's ---- */

/* RFC 9846 4.5.2: the scheme is one that we offered, for a key of this kind, and not one of those
 * that are for certificates only. */
cl_result cl_peer_scheme_check(struct cleat_tls *tls, uint16_t number, const char *message,
                               const struct cl_sig_alg **out)
{
    const struct cl_sig_alg *alg = cl_sig_scheme(number);
    enum cl_key_type type = cl_peer_key_type(tls);
    bool offered = false;
    for (size_t i = 0; i < tls->config->num_schemes; i++) {
        offered = offered || tls->config->schemes[i] == alg;
    }
    if (alg == NULL || !offered) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.5.2"),
                           "%s uses signature scheme 0x%04x, which was not offered", message,
                           number);
    }
    if (!tls->protocol->scheme_fits(alg, type)) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.5.2"),
                           "%s uses %s with a key of type %s, which %s does not allow", message,
                           alg->name, cl_key_type_name(type), tls->protocol->name);
    }
    /* RFC 9846 4.5.1.2: "digitalSignature bit MUST be set if the Key Usage extension is present";
     * a raw public key has none */
    if (!tls->peer_is_raw && !cl_cert_allows_digital_signature(tls->peer_leaf)) {
        return cl_tls_fail(tls, CL_WHY(BAD_KEY_USAGE, "RFC 9846 4.5.1.2"),
                           "the peer's certificate does not allow digital signatures");
    }
    *out = alg;
    return CL_OK;
}

cl_result cl_peer_verify_start(struct cleat_tls *tls, const struct cl_sig_alg *alg,
                               struct cl_rd content, struct cl_rd signature)
{
    struct cl_hs *hs = tls->hs;
    const struct cl_pubkey *key;
    cl_result r = cl_peer_pubkey(tls, &key);
    if (r == CLEAT_ERR_NOMEM) {
        return r; /* not the certificate's fault: RFC 9846 6.2, internal_error */
    }
    if (r != CL_OK) {
        return cl_tls_fail(tls, CL_WHY(UNSUPPORTED_CERTIFICATE, "RFC 9846 4.5.2"),
                           "the peer's public key: %s", cleat_error_sentence((int)r));
    }
    hs->signature.len = 0;
    CL_TRY(cl_buf_append(&hs->signature, signature.p, signature.len, CL_HS_MAX_MESSAGE));
    hs->scheme = alg;
    hs->job = (struct cl_job){.kind = CL_JOB_VERIFY, .status = CL_JOB_PENDING};
    hs->job.verify.key = key;
    hs->job.verify.alg = bare_scheme(tls, alg);
    hs->job.verify.message = content;
    hs->job.verify.signature = cl_buf_view(&hs->signature);
    hs->waiting = &hs->job;
    return CL_OK;
}

/* RFC 9846 4.5.2: "If verification fails, the receiver MUST terminate the handshake with a
 * "decrypt_error" alert" */
cl_result cl_peer_verify_result(struct cleat_tls *tls, const char *message)
{
    struct cl_hs *hs = tls->hs;
    cl_result r = hs->job.result;
    hs->waiting = NULL;
    cl_job_reset(&hs->job);
    if (r != CL_OK) {
        return cl_tls_fail(tls, CL_WHY(DECRYPT_ERROR, "RFC 9846 4.5.2"),
                           "the signature in %s (%s) is wrong: the peer does not hold the "
                           "certificate's key, or the handshake was changed",
                           message, hs->scheme->name);
    }
    if (!cl_is_server(tls)) {
        tls->peer_scheme = hs->scheme;
    }
    cl_event_choice(tls, "peer's signature", hs->scheme->name,
                    tls->peer_is_raw ? "it matches the peer's raw public key"
                                     : "it matches the peer's certificate");
    return CL_OK;
}

static cl_result parse(struct cleat_tls *tls, const struct cl_msg *msg, uint16_t *number,
                       struct cl_rd *signature)
{
    struct cl_rd body = msg->body;
    if (!cl_rd_u16(&body, number) || !cl_rd_vec16(&body, signature) || !cl_rd_done(&body)) {
        return cl_tls_decode_error(tls, "CertificateVerify", "RFC 9846 4.5.2");
    }
    return CL_OK;
}

cl_result cl_certificate_verify_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    uint16_t number;
    struct cl_rd signature;
    const struct cl_sig_alg *alg;
    CL_TRY(parse(tls, msg, &number, &signature));
    CL_TRY(cl_peer_scheme_check(tls, number, "CertificateVerify", &alg));
    CL_TRY(make_content(tls, !cl_is_server(tls)));
    CL_TRY(cl_peer_verify_start(tls, alg, cl_buf_view(&tls->hs->signed_content), signature));
    cl_hs_next(tls, 0);
    return CL_OK;
}

cl_result cl_certificate_verify_12_received(struct cleat_tls *tls, const struct cl_msg *msg)
{
    uint16_t number;
    struct cl_rd signature;
    const struct cl_sig_alg *alg;
    CL_TRY(parse(tls, msg, &number, &signature));
    CL_TRY(cl_peer_scheme_check(tls, number, "CertificateVerify", &alg));
    if (tls->hs->messages_lost) {
        return CLEAT_ERR_NOMEM;
    }
    /* what is signed ends in front of this message, which the driver adds later */
    tls->hs->keep_messages = false;
    CL_TRY(cl_peer_verify_start(tls, alg, cl_buf_view(&tls->hs->messages), signature));
    cl_hs_next(tls, 0);
    return CL_OK;
}

cl_result cl_signature_checked(struct cleat_tls *tls, const struct cl_msg *msg)
{
    CL_TRY(cl_peer_verify_result(tls, "CertificateVerify"));
    cl_hs_next(tls, 0);
    return CL_OK;
}
