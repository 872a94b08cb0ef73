/* tls/peer.c - is the peer's chain good, or its raw public key pinned? The built-in verification,
 * by jobs, or the application's decision. Nothing goes on before one of them says yes. Pins come
 * before either. */
#include "base/mem.h"
#include "tls/ech.h"
#include "tls/msg.h"
#include "tls/pins.h"
#include "tls/profile.h"
#include "tls/raw_key.h"
#include "x509/chain.h"
#include "x509/dane.h"

/* The profile may demand more of the peer's own key than the verifier does of every key of a path.
 */
static cl_result check_strength(struct cleat_tls *tls)
{
    const struct cl_pubkey *key;
    CL_TRY(cl_peer_pubkey(tls, &key));
    if (cl_key_is_rsa(cl_pubkey_type(key)) && cl_pubkey_bits(key) < tls->config->min_rsa_bits) {
        return cl_tls_fail(
            tls,
            CL_WHY_HINT(WEAK_KEY, "NIST SP 800-57 5.6.1",
                        "the peer needs a longer key, or another --profile is wanted"),
            "the peer's RSA key has %u bits; the profile demands %u", cl_pubkey_bits(key),
            tls->config->min_rsa_bits);
    }
    return CL_OK;
}

/* What an application supplied (cleat_tls_supply_evidence); references. */
struct cl_evidence {
    struct cleat_chain *certs;
    struct cleat_crl_set *crls;
    struct cleat_ocsp_set *ocsp;
};

void cl_peer_evidence_free(struct cl_evidence *evidence)
{
    if (evidence != NULL) {
        cleat_chain_free(evidence->certs);
        cleat_crl_set_free(evidence->crls);
        cleat_ocsp_set_free(evidence->ocsp);
        cl_free(evidence);
    }
}

int cleat_tls_supply_evidence(struct cleat_tls *tls, const struct cleat_evidence *evidence)
{
    if (cleat_tls_decision(tls) != CLEAT_DECIDE_EVIDENCE) {
        return CLEAT_ERR_USAGE;
    }
    struct cl_evidence *own = evidence != NULL ? cl_calloc(1, sizeof(*own)) : NULL;
    if (evidence != NULL && own == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    if (own != NULL) {
        own->certs = evidence->certs != NULL ? cleat_chain_ref(evidence->certs) : NULL;
        own->crls = evidence->crls != NULL ? cleat_crl_set_ref(evidence->crls) : NULL;
        own->ocsp = evidence->ocsp != NULL ? cleat_ocsp_set_ref(evidence->ocsp) : NULL;
    }
    cl_peer_evidence_free(tls->hs->evidence);
    tls->hs->evidence = own;
    tls->hs->decided = true;
    return CLEAT_OK;
}

/* Puts what was supplied in its place; returns how many certificates there are then. */
static size_t add_evidence(const struct cl_evidence *evidence, struct cl_verify_params *params,
                           struct cl_rd *certs, size_t num)
{
    params->crls = evidence->crls != NULL ? evidence->crls : params->crls;
    params->ocsp = evidence->ocsp != NULL ? evidence->ocsp : params->ocsp;
    const size_t more = evidence->certs != NULL ? cl_chain_num(evidence->certs) : 0;
    for (size_t i = 0; i < more && i < CL_CHAIN_MAX; i++) {
        certs[num++] = cl_cert_der(cl_chain_at(evidence->certs, i));
    }
    return num;
}

/* RFC 9849 6.1.7: a server that rejects ECH is verified as its outer name's, of which there are no
 * records here. */
static const struct cleat_dane *dane_of(struct cleat_tls *tls)
{
    return cl_ech_refused(tls) ? NULL : tls->config->dane;
}

static cl_result start_verifier(struct cleat_tls *tls)
{
    struct cl_rd chain = cl_buf_view(&tls->peer_chain);
    struct cl_rd certs[2 * CL_CHAIN_MAX]; /* the peer's, and as many supplied */
    size_t num = 0;
    struct cl_verify_params params = {
        .trust = tls->config->trust,
        .dane = dane_of(tls),
        .host = cl_is_server(tls) ? NULL : tls->server_name,
        .now = (int64_t)(cl_config_now(tls->config) / 1000),
        .purpose = cl_is_server(tls) ? CLEAT_PURPOSE_CLIENT : CLEAT_PURPOSE_SERVER,
        .clock = tls->config->stopwatch,
        .clock_ctx = tls->config->stopwatch_ctx,
        .cache = tls->config->verify_cache,
        .revocation = tls->config->revocation.mode,
        .from_crls = tls->config->revocation.from_crls,
        .from_ocsp = tls->config->revocation.from_ocsp,
        .max_revocation_age = tls->config->revocation.max_age,
        .crls = tls->config->revocation.crls,
        .ocsp = tls->config->revocation.ocsp,
        .staple = cl_buf_view(&tls->peer_staple),
        .staple_asked = tls->config->ask_status,
        .ct = tls->config->ct,
        .ct_logs = tls->config->ct_logs,
        .scts = cl_buf_view(&tls->peer_scts),
        .staple_required = tls->config->revocation.staple_required,
    };
    while (num < CL_CHAIN_MAX && cl_rd_vec24(&chain, &certs[num])) {
        num++;
    }
    if (tls->hs->evidence != NULL) {
        num = add_evidence(tls->hs->evidence, &params, certs, num);
    }
    return cl_verify_new(&tls->hs->verify, &params, certs, num);
}

/* The second successor is the state that waits for the application. */
static void ask(struct cleat_tls *tls, enum cleat_decision which)
{
    tls->hs->decision = which;
    tls->hs->decided = false;
    cl_hs_next(tls, 1);
}

/* Successors: verify here, or ask the application. */
cl_result cl_peer_check(struct cleat_tls *tls, const struct cl_msg *msg)
{
    /* a client that was configured for PSKs alone */
    bool decides = (tls->config->decisions & CLEAT_DECIDE_PEER) != 0;
    if (!decides && !tls->peer_is_raw && tls->config->trust == NULL &&
        cl_dane_needs_trust(dane_of(tls))) {
        return cl_tls_fail(tls,
                           CL_WHY_HINT(UNKNOWN_ISSUER, "RFC 9846 4.3.11",
                                       "see that both ends have the same identity and the same "
                                       "key, or trust the peer's authority"),
                           "the peer shows a certificate instead of using a PSK, and there are no "
                           "anchors to verify it against");
    }
    /* RFC 9849 6.1.7: the certificate has to be valid for the public name; pins are the host's */
    if (tls->peer_is_raw && cl_ech_refused(tls)) {
        return cl_tls_fail(tls, CL_WHY(UNKNOWN_KEY, "RFC 9849 6.1.7"),
                           "the server rejects ECH and shows a raw public key, which says nothing "
                           "about %s",
                           tls->server_name);
    }
    /* RFC 9849 6.1.7: this certificate is for the public name, and the connection ends */
    if (!cl_ech_refused(tls)) {
        CL_TRY(cl_pins_check(tls));
    }
    /* no verifier looks at a raw key */
    if (tls->peer_is_raw) {
        CL_TRY(check_strength(tls));
    }
    if (decides) {
        ask(tls, CLEAT_DECIDE_PEER);
        return CL_OK;
    }
    if (!tls->peer_is_raw) {
        if (tls->config->min_rsa_bits > CL_PROFILE_RSA_BITS) {
            CL_TRY(check_strength(tls));
        }
        if ((tls->config->decisions & CLEAT_DECIDE_EVIDENCE) != 0) {
            ask(tls, CLEAT_DECIDE_EVIDENCE);
            return CL_OK;
        }
        CL_TRY(start_verifier(tls));
    }
    cl_hs_next(tls, 0);
    return CL_OK;
}

/* The session that this handshake makes is worth no longer than the leaf. */
static void accepted(struct cleat_tls *tls)
{
    /* after the handshake, once the client's Finished is right */
    tls->peer_authenticated = !tls->hs->late;
    tls->hs->late_accepted = true;
    /* a bare key ends when it is no longer pinned, or no TLSA record names it, which the
     * configuration's digest tells */
    const bool by_key =
        tls->peer_is_raw || (tls->verdict != NULL && cl_verdict_is_by_key(tls->verdict));
    tls->peer_not_after = by_key ? INT64_MAX : cl_cert_not_after(tls->peer_leaf);
    cl_hs_next(tls, 0);
}

static cl_result take_verdict(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    cleat_verdict_free(tls->verdict);
    tls->verdict = cl_verify_take_verdict(hs->verify);
    cl_verify_free(hs->verify);
    hs->verify = NULL;
    if (tls->verdict == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    int code = cleat_verdict_code(tls->verdict);
    if (code != CLEAT_OK) {
        const struct cleat_error *e = cleat_verdict_error(tls->verdict);
        return cl_tls_fail(tls, (struct cl_why){code, e->alert, e->section, e->hint}, "%s",
                           e->text);
    }
    cl_event_choice(tls, "peer's certificate", "verified",
                    cleat_verdict_remembered(tls->verdict, NULL)
                        ? "the same chain was verified before, and what was found still holds"
                    : cl_verdict_is_by_key(tls->verdict)
                        ? "a TLSA record names it"
                        : "a path to a trust anchor passes every check");
    return CL_OK;
}

/* Successors: accepted, or ask the application who may come in. */
cl_result cl_peer_chain_step(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_hs *hs = tls->hs;
    if (tls->peer_is_raw) {
        CL_TRY(cl_raw_key_judge(tls));
    } else {
        if (cl_verify_step(hs->verify) == CL_VERIFY_NEEDS_JOB) {
            hs->waiting = cl_verify_job(hs->verify);
            return CL_OK; /* the same state waits for it */
        }
        hs->waiting = NULL;
        CL_TRY(take_verdict(tls));
    }
    if ((tls->config->decisions & CLEAT_DECIDE_IDENTITY) != 0) {
        ask(tls, CLEAT_DECIDE_IDENTITY);
        return CL_OK;
    }
    accepted(tls);
    return CL_OK;
}

/* Successors: accepted, or verify now, with what was supplied. */
cl_result cl_peer_asked(struct cleat_tls *tls, const struct cl_msg *msg)
{
    const enum cleat_decision asked = tls->hs->decision;
    tls->hs->decision = CLEAT_DECIDE_NOTHING;
    if (asked == CLEAT_DECIDE_EVIDENCE) {
        CL_TRY(start_verifier(tls));
        cl_hs_next(tls, 1);
        return CL_OK;
    }
    cl_event_choice(tls, tls->peer_is_raw ? "peer's raw public key" : "peer's certificate",
                    "accepted", "by the application");
    accepted(tls);
    return CL_OK;
}

bool cl_peer_resumed_decide(struct cleat_tls *tls)
{
    if ((tls->config->decisions & CLEAT_DECIDE_RESUMED) == 0) {
        return false;
    }
    tls->hs->decision = CLEAT_DECIDE_RESUMED;
    tls->hs->decided = false;
    return true;
}

/* Successors: what follows; in TLS 1.2, a ticket before it. */
cl_result cl_peer_resumed_asked(struct cleat_tls *tls, const struct cl_msg *msg)
{
    tls->hs->decision = CLEAT_DECIDE_NOTHING;
    cl_event_choice(tls, "resumed peer", "accepted", "by the application");
    cl_hs_next(tls, tls->hs->ticket_expected ? 1 : 0);
    return CL_OK;
}
