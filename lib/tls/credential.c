/* tls/credential.c - which of our certificates a peer can be shown: by the signature schemes it
 * takes, the curves it knows, the issuers it names. Both roles; what only a server looks at is in
 * server_certificate.c. */
#include <stdio.h>

#include "tls/ech.h"
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

static enum cl_credential_fit client_fit(struct cleat_tls *tls, const struct cl_credential *c)
{
    struct cl_hs *hs = tls->hs;
    struct cl_credential_wish wish = {
        .schemes = cl_buf_view(&hs->peer_schemes),
        .authorities = cl_buf_view(&hs->peer_authorities),
    };
    if (cl_cert_type_of(c) != tls->own_type) {
        return CL_CREDENTIAL_NO_TYPE;
    }
    bool is_13_only = cl_key_is_ml_dsa(cl_key_type(c->key));
    if (is_13_only && tls->protocol->number == CLEAT_TLS_1_2) {
        return CL_CREDENTIAL_NO_KIND;
    }
    return type_fits(hs, cl_key_type(c->key)) ? cl_credential_fits(tls, c, &wish, &hs->scheme)
                                              : CL_CREDENTIAL_NO_KIND;
}

/* Names separated by commas, as many as there is room for; those that we do not know as numbers. */
static void join_schemes(struct cl_rd schemes, char *out, size_t cap)
{
    uint16_t id;
    size_t at = 0;
    out[0] = '\0';
    while (cl_rd_u16(&schemes, &id)) {
        const struct cl_sig_alg *alg = cl_sig_scheme(id);
        char number[8];
        (void)snprintf(number, sizeof(number), "0x%04x", id);
        const char *name = alg != NULL ? alg->name : number;
        if (at + strlen(name) + 6 > cap) {
            (void)snprintf(out + at, cap - at, ", …");
            return;
        }
        at += (size_t)snprintf(out + at, cap - at, "%s%s", at != 0 ? ", " : "", name);
    }
}

/* What stands between the server's request and the credential that was looked at last. */
static const char *const client_obstacles[] = {
    [CL_CREDENTIAL_NO_TYPE] = "the server agreed on another certificate type (RFC 7250)",
    [CL_CREDENTIAL_NO_KIND] = "the server does not take keys of this kind",
    [CL_CREDENTIAL_NO_CURVE] = "the server does not support the curve of its key",
    [CL_CREDENTIAL_NO_SCHEME] = "no signature scheme of the server's goes with its key",
    [CL_CREDENTIAL_NO_ISSUER] = "the server names none of its issuers",
};

/* 200: a dozen names of schemes */
#define SCHEMES_TEXT 200

static cl_result none_fits(struct cleat_tls *tls, enum cl_credential_fit fit)
{
    const struct cl_hs *hs = tls->hs;
    const struct cleat_tls_config *config = tls->config;
    char why[SCHEMES_TEXT + 160];
    char schemes[SCHEMES_TEXT];
    if (config->num_credentials == 0) {
        cl_event_choice(tls, "client certificate", "none", "none is configured");
        return CL_OK;
    }
    const struct cl_credential *last = &config->credentials[config->num_credentials - 1];
    join_schemes(cl_buf_view(&hs->peer_schemes), schemes, sizeof(schemes));
    /* TLS 1.3 has no list of kinds, so that all are taken there */
    const char *kinds = hs->takes_rsa && hs->takes_ecdsa ? ""
                        : hs->takes_rsa                  ? "RSA keys and "
                                                         : "ECDSA keys and ";
    (void)snprintf(why, sizeof(why), "%s (%s); it takes %sthe schemes %s", client_obstacles[fit],
                   cleat_key_kind(last->key), kinds, schemes);
    if (!config->insist_on_credential) {
        cl_event_choice(tls, "client certificate", "none", why);
        return CL_OK;
    }
    return cl_tls_fail(tls,
                       CL_WHY_HINT(NO_SHARED_SIGNATURE, "RFC 9846 4.4.2",
                                   "use a certificate that the server takes"),
                       "the server asks for a certificate, and none of the %zu that are configured "
                       "fits: %s",
                       config->num_credentials, why);
}

cl_result cl_choose_client_certificate(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    enum cl_credential_fit fit = CL_CREDENTIAL_NO_SCHEME;
    /* RFC 9849 6.1.7: "the client MUST respond with an empty Certificate message" */
    if (cl_ech_refused(tls)) {
        return CL_OK;
    }
    for (size_t i = 0; i < tls->config->num_credentials && hs->credential == NULL; i++) {
        fit = client_fit(tls, &tls->config->credentials[i]);
        if (fit == CL_CREDENTIAL_FITS) {
            hs->credential = &tls->config->credentials[i];
        }
    }
    if (hs->credential == NULL) {
        return none_fits(tls, fit);
    }
    cl_event_choice(tls, "client certificate", cleat_key_kind(hs->credential->key),
                    "asked for by the server");
    return CL_OK;
}
