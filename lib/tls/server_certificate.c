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

static const struct cl_sig_alg *fit_scheme(struct cleat_tls *tls, const struct cl_credential *c)
{
    for (size_t i = 0; i < tls->config->num_schemes; i++) {
        const struct cl_sig_alg *alg = tls->config->schemes[i];
        if (tls->protocol->scheme_fits(alg, cl_key_type(c->key)) &&
            cl_list16_has(tls->hs->parsed.schemes, alg->scheme)) {
            return alg;
        }
    }
    return NULL;
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

/* Two rounds: chains that the client can check, then any (RFC 9846 4.5.1.2 lets it try). */
static bool select_among(struct cleat_tls *tls, bool by_name, bool by_chain)
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
        const struct cl_sig_alg *alg =
            suite_fits(tls, cl_key_type(c->key)) ? fit_scheme(tls, c) : NULL;
        if (alg != NULL && scheme_rank(tls->config, alg) < best) {
            best = scheme_rank(tls->config, alg);
            hs->credential = c;
            hs->scheme = alg;
        }
    }
    return hs->credential != NULL;
}

cl_result cl_select_certificate(struct cleat_tls *tls)
{
    const char *why = "the name and the client's signature algorithms fit";
    bool named = tls->server_name != NULL &&
                 (select_among(tls, true, true) || select_among(tls, true, false));
    if (!named) {
        why = tls->server_name == NULL ? "the client named no server"
                                       : "no certificate is for this name: the default";
        if (!select_among(tls, false, true) && !select_among(tls, false, false)) {
            return cl_tls_fail(tls,
                               CL_WHY_HINT(NO_SHARED_SIGNATURE, "RFC 9846 4.5.1.2",
                                           "add a certificate with a key of another kind"),
                               "none of the %zu certificates has a key that the client's "
                               "signature algorithms allow",
                               tls->config->num_credentials);
        }
    }
    cl_event_choice(tls, "certificate", cleat_key_kind(tls->hs->credential->key), why);
    cl_event_choice(tls, "signature scheme", tls->hs->scheme->name,
                    "first of ours that the client takes and the key can make");
    return CL_OK;
}
