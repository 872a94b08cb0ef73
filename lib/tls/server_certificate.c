/* tls/server_certificate.c - which certificate and signature scheme a server answers with: by
 * server name, then by what the client can check, then by the configuration's preference (RFC
 * 9846 4.5.1.2). */
#include "tls/msg.h"
#include "tls/version.h"
#include "x509/name.h"

/* A suite of the negotiated version that both have and that goes with the key. */
static bool suite_fits(struct cleat_tls *tls, enum cl_key_type type)
{
    for (size_t i = 0; i < tls->config->num_suites; i++) {
        const struct cl_suite *suite = tls->config->suites[i];
        if (suite->version == tls->protocol->number && cl_auth_fits(suite->auth, type) &&
            cl_list16_has(tls->hs->parsed.suites, suite->id)) {
            return true;
        }
    }
    return false;
}

/* How early the configuration prefers a scheme: with two certificates for a name, ECDSA goes before
 * RSA where the client takes both. */
static size_t scheme_rank(const struct cleat_tls_config *config, const struct cl_sig_alg *alg)
{
    size_t i = 0;
    while (i < config->num_schemes && config->schemes[i] != alg) {
        i++;
    }
    return i;
}

static bool same_signature(const struct cl_sig_alg *scheme, const struct cl_sig_alg *used)
{
    bool eddsa = used->hash == CL_HASH_NONE;
    return scheme != NULL && scheme->hash == used->hash && scheme->padding == used->padding &&
           (!eddsa || scheme->key_type == used->key_type);
}

/* RFC 9846 4.5.1.2: "All certificates provided by the server MUST be signed by a signature
 * algorithm advertised by the client if it is able to provide such a chain"; self-signed ones do
 * not count. */
static bool chain_fits(struct cleat_tls *tls, const struct cl_credential *c)
{
    const struct cl_client_hello *ch = &tls->hs->parsed;
    for (size_t i = 0; i < cl_chain_num(c->chain); i++) {
        const struct cleat_cert *cert = cl_chain_at(c->chain, i);
        const struct cl_sig_alg *used = cl_cert_sig_alg(cert);
        struct cl_rd list = ch->schemes_cert.p != NULL ? ch->schemes_cert : ch->schemes;
        uint16_t scheme;
        bool fits = used != NULL && cleat_cert_is_self_issued(cert);
        while (used != NULL && !fits && cl_rd_u16(&list, &scheme)) {
            fits = same_signature(cl_sig_scheme(scheme), used);
        }
        if (!fits) {
            return false;
        }
    }
    return true;
}

/* Why no certificate can be used: the last one's reason is told. */
static const struct refusal {
    cl_result code;
    const char *section;
    const char *text;
    const char *hint;
} refusals[] = {
    [CL_CREDENTIAL_NO_SUITE] = {CLEAT_ERR_NO_SHARED_CIPHER, "RFC 5246 7.4.1.3",
                                "no cipher suite of both goes with the key of the certificate",
                                "allow one of the client's suites, or add a certificate with a key "
                                "of another kind"},
    [CL_CREDENTIAL_NO_CURVE] = {CLEAT_ERR_NO_SHARED_GROUP, "RFC 8422 5.1",
                                "the client does not support the curve of the certificate's key",
                                "add a certificate with a key of another kind"},
    [CL_CREDENTIAL_NO_SCHEME] = {CLEAT_ERR_NO_SHARED_SIGNATURE, "RFC 9846 4.5.1.2",
                                 "the client's signature algorithms allow none that its key can "
                                 "make",
                                 "add a certificate with a key of another kind"},
    [CL_CREDENTIAL_NO_ISSUER] = {CLEAT_ERR_NO_SHARED_SIGNATURE, "RFC 9846 4.3.4",
                                 "the client names none of its issuers in certificate_authorities",
                                 "add a certificate that needs no issuer to be named"},
};

static enum cl_credential_fit fit(struct cleat_tls *tls, const struct cl_credential *c,
                                  const struct cl_sig_alg **out)
{
    const struct cl_client_hello *ch = &tls->hs->parsed;
    struct cl_credential_wish wish = {
        .schemes = ch->schemes,
        .groups = ch->groups,
        .authorities = ch->authorities,
    };
    return suite_fits(tls, cl_key_type(c->key)) ? cl_credential_fits(tls, c, &wish, out)
                                                : CL_CREDENTIAL_NO_SUITE;
}

/* Two rounds: chains that the client can check, then any (RFC 9846 4.5.1.2 lets it try). */
static bool select_among(struct cleat_tls *tls, bool by_name, bool by_chain,
                         enum cl_credential_fit *reason)
{
    struct cl_hs *hs = tls->hs;
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < tls->config->num_credentials; i++) {
        const struct cl_credential *c = &tls->config->credentials[i];
        if (by_name && !cl_cert_matches_host(cl_chain_at(c->chain, 0), tls->server_name)) {
            continue;
        }
        if (by_chain && !chain_fits(tls, c)) {
            continue;
        }
        const struct cl_sig_alg *alg;
        enum cl_credential_fit found = fit(tls, c, &alg);
        if (found != CL_CREDENTIAL_FITS) {
            *reason = found;
            continue;
        }
        size_t rank = tls->config->credentials_in_order ? i : scheme_rank(tls->config, alg);
        if (rank < best) {
            best = rank;
            hs->credential = c;
            hs->scheme = alg;
        }
    }
    return hs->credential != NULL;
}

cl_result cl_select_certificate(struct cleat_tls *tls)
{
    if (tls->config->num_credentials == 0) {
        return cl_tls_fail(tls,
                           CL_WHY_HINT(UNKNOWN_PSK, "RFC 9846 4.3.11",
                                       "see that both ends have the same identity, hash and mode"),
                           "no PSK of the client's is known here, and there is no certificate");
    }
    const char *why = "the name and the client's signature algorithms fit";
    enum cl_credential_fit reason = CL_CREDENTIAL_NO_SCHEME;
    bool named = tls->server_name != NULL && (select_among(tls, true, true, &reason) ||
                                              select_among(tls, true, false, &reason));
    if (!named) {
        why = tls->server_name == NULL ? "the client named no server"
                                       : "no certificate is for this name: the default";
        if (!select_among(tls, false, true, &reason) && !select_among(tls, false, false, &reason)) {
            const struct refusal *r = &refusals[reason];
            return cl_tls_fail(tls, (struct cl_why){r->code, 0, r->section, r->hint},
                               "none of the %zu certificates can be used: %s",
                               tls->config->num_credentials, r->text);
        }
    }
    cl_event_choice(tls, "certificate", cleat_key_kind(tls->hs->credential->key), why);
    cl_event_choice(tls, "signature scheme", tls->hs->scheme->name,
                    "first of ours that the client takes and the key can make");
    return CL_OK;
}
