/* tls/credential.c - which of our certificates a peer can be shown: by the signature schemes it
 * takes, the curves it knows, the issuers it names. Both roles; what only a server looks at is in
 * server_certificate.c. */
#include "tls/msg.h"
#include "tls/raw_key.h"
#include "tls/version.h"

uint16_t cl_key_curve(enum cl_key_type type)
{
    switch (type) {
    case CL_KEY_EC_P256:
        return CL_GROUP_SECP256R1;
    case CL_KEY_EC_P384:
        return CL_GROUP_SECP384R1;
    case CL_KEY_EC_P521:
        return CL_GROUP_SECP521R1;
    default:
        return 0;
    }
}

static const struct cl_sig_alg *fit_scheme(const struct cleat_tls *tls,
                                           const struct cl_credential *c, struct cl_rd wanted)
{
    const struct cleat_tls_config *config = tls->config;
    size_t num = c->num_schemes != 0 ? c->num_schemes : config->num_schemes;
    for (size_t i = 0; i < num; i++) {
        const struct cl_sig_alg *alg = c->num_schemes != 0 ? c->schemes[i] : config->schemes[i];
        if (tls->protocol->scheme_fits(alg, cl_key_type(c->key)) &&
            cl_list16_has(wanted, alg->scheme)) {
            return alg;
        }
    }
    return NULL;
}

/* RFC 9846 4.3.4: the issuer of any certificate of the chain, which the anchor is. */
static bool has_issuer(const struct cl_credential *c, struct cl_rd authorities)
{
    struct cl_rd name;
    while (c->chain != NULL && cl_rd_vec16(&authorities, &name)) {
        for (size_t i = 0; i < cl_chain_num(c->chain); i++) {
            if (cl_rd_equal(cl_cert_issuer_der(cl_chain_at(c->chain, i)), name)) {
                return true;
            }
        }
    }
    return false;
}

enum cl_credential_fit cl_credential_fits(const struct cleat_tls *tls,
                                          const struct cl_credential *c,
                                          const struct cl_credential_wish *wish,
                                          const struct cl_sig_alg **out)
{
    uint16_t curve = cl_key_curve(cl_key_type(c->key));
    *out = fit_scheme(tls, c, wish->schemes);
    /* RFC 8422 5.3: "the public key in the server's certificate MUST respect the client's choice of
     * elliptic curves" */
    if (tls->protocol->any_curve && curve != 0 && wish->groups.p != NULL &&
        !cl_list16_has(wish->groups, curve)) {
        return CL_CREDENTIAL_NO_CURVE;
    }
    if (c->match_issuer && !has_issuer(c, wish->authorities)) {
        return CL_CREDENTIAL_NO_ISSUER;
    }
    return *out == NULL ? CL_CREDENTIAL_NO_SCHEME : CL_CREDENTIAL_FITS;
}

/* RFC 5246 7.4.4: the kinds of keys that a CertificateRequest of TLS 1.2 takes; RFC 8422 5.5: EdDSA
 * goes with ecdsa_sign. */
static bool type_fits(const struct cl_hs *hs, enum cl_key_type type)
{
    bool rsa = type == CL_KEY_RSA || type == CL_KEY_RSA_PSS;
    return rsa ? hs->takes_rsa : hs->takes_ecdsa;
}

void cl_choose_client_certificate(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    struct cl_credential_wish wish = {
        .schemes = cl_buf_view(&hs->peer_schemes),
        .authorities = cl_buf_view(&hs->peer_authorities),
    };
    for (size_t i = 0; i < tls->config->num_credentials && hs->credential == NULL; i++) {
        const struct cl_credential *c = &tls->config->credentials[i];
        if (cl_cert_type_of(c) == tls->own_type && type_fits(hs, cl_key_type(c->key)) &&
            cl_credential_fits(tls, c, &wish, &hs->scheme) == CL_CREDENTIAL_FITS) {
            hs->credential = c;
        }
    }
    cl_event_choice(tls, "client certificate",
                    hs->credential != NULL ? cleat_key_kind(hs->credential->key) : "none",
                    hs->credential != NULL
                        ? "asked for by the server"
                        : "none is configured that fits what the server asks for");
}
