/* tls/server_certificate.c - which certificate and signature scheme a server answers with: by
 * server name, then by what the client can check, then by the configuration's preference (RFC
 * 9846 4.5.1.2). */
#include "tls/msg.h"
#include "tls/psk.h"
#include "tls/raw_key.h"
#include "tls/version.h"
#include "x509/name.h"

/* RFC 7919 4: "any codepoint between 256 and 511, inclusive, even if unknown to the server" */
bool cl_lists_fields(const struct cleat_tls *tls)
{
    struct cl_rd list = tls->hs->parsed.groups;
    uint16_t id;
    bool found = false;
    while (!found && cl_rd_u16(&list, &id)) {
        found = id >= 0x0100 && id <= 0x01ff;
    }
    return found;
}

/* RFC 7919 4: a client that names fields gets one of them, or no DHE; to one from before that the
 * server shows what it likes: the smallest, since many of them cannot do more than 2,048 bits. */
static const struct cl_group *field_for(const struct cleat_tls *tls)
{
    const struct cleat_tls_config *config = tls->config;
    const struct cl_group *smallest = NULL;
    const bool named = cl_lists_fields(tls);
    for (size_t i = 0; i < config->num_fields; i++) {
        const struct cl_group *field = config->fields[i];
        if (named && cl_list16_has(tls->hs->parsed.groups, field->id)) {
            return field;
        }
        if (smallest == NULL || field->secret_len < smallest->secret_len) {
            smallest = field;
        }
    }
    return named ? NULL : smallest;
}

static const struct cl_group *curve_for(const struct cleat_tls *tls)
{
    const struct cl_client_hello *ch = &tls->hs->parsed;
    for (size_t i = 0; i < tls->config->num_groups; i++) {
        const struct cl_group *group = tls->config->groups[i];
        /* RFC 8422 4: a client without supported_groups leaves the choice to the server; P-256 is
         * what such clients have */
        bool fits = ch->groups.p != NULL ? cl_list16_has(ch->groups, group->id)
                                         : group->id == CL_GROUP_SECP256R1;
        if (fits && !group->post_quantum) {
            return group;
        }
    }
    return NULL;
}

const struct cl_group *cl_group_for(const struct cleat_tls *tls, const struct cl_suite *suite)
{
    return cl_suite_is_dhe(suite) ? field_for(tls) : curve_for(tls);
}

/* Which kinds of groups there are for this client. */
struct groups_there {
    bool curve;
    bool field;
};

static struct groups_there groups_there(const struct cleat_tls *tls)
{
    return (struct groups_there){curve_for(tls) != NULL, field_for(tls) != NULL};
}

static bool has_group(const struct cl_suite *suite, const struct groups_there *there)
{
    return !cl_suite_has_share(suite) || (cl_suite_is_dhe(suite) ? there->field : there->curve);
}

/* Can the certificate's key do what the suite's key exchange asks of it? */
static bool key_serves(const struct cl_suite *suite, const struct cl_credential *c,
                       const struct cl_sig_alg *scheme)
{
    enum cl_key_type type = cl_key_type(c->key);
    if (!cl_auth_fits(suite->auth, type)) {
        return false;
    }
    if (suite->kx == CL_KX_RSA) {
        return type == CL_KEY_RSA && /* a raw public key says nothing about its use */
               (c->chain == NULL || cl_cert_allows_key_encipherment(cl_chain_at(c->chain, 0)));
    }
    return scheme != NULL;
}

struct suite_wish {
    const struct cl_credential *credential;
    const struct cl_sig_alg *scheme;
    struct groups_there there;
};

static bool suite_serves(const struct cl_suite *suite, const void *ctx)
{
    const struct suite_wish *wish = ctx;
    return key_serves(suite, wish->credential, wish->scheme) && has_group(suite, &wish->there);
}

static const struct cl_suite *suite_for(const struct cleat_tls *tls, const struct cl_credential *c,
                                        const struct cl_sig_alg *scheme, struct groups_there there)
{
    struct suite_wish wish = {c, scheme, there};
    return cl_first_shared_suite(tls, suite_serves, &wish);
}

const struct cl_suite *cl_suite_for(const struct cleat_tls *tls, const struct cl_credential *c,
                                    const struct cl_sig_alg *scheme)
{
    return suite_for(tls, c, scheme, groups_there(tls));
}

static bool goes_with_key(const struct cl_suite *suite, const void *type)
{
    return cl_auth_fits(suite->auth, *(const enum cl_key_type *)type);
}

/* A suite of the negotiated version that both have and that goes with the key. */
static bool suite_fits(struct cleat_tls *tls, enum cl_key_type type)
{
    return cl_first_shared_suite(tls, goes_with_key, &type) != NULL;
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
    for (size_t i = 0; c->chain != NULL && i < cl_chain_num(c->chain); i++) {
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
    uint8_t alert; /* 0: the code's own */
    const char *section;
    const char *text;
    const char *hint;
} refusals[] = {
    /* RFC 7250 4.2 speaks of unsupported_certificate here, RFC 9846 4.2.1 of handshake_failure for
     * whatever is not in common, which is what clients are used to */
    [CL_CREDENTIAL_NO_TYPE] = {CLEAT_ERR_UNSUPPORTED_CERTIFICATE, 40, "RFC 7250 4.2",
                               "the client takes no type of certificate that is here",
                               "give the server a certificate, or a raw public key, as the client "
                               "wants it"},
    [CL_CREDENTIAL_NO_SUITE] = {CLEAT_ERR_NO_SHARED_CIPHER, 0, "RFC 5246 7.4.1.3",
                                "no cipher suite of both goes with the key of the certificate",
                                "allow one of the client's suites, or add a certificate with a key "
                                "of another kind"},
    [CL_CREDENTIAL_NO_CURVE] = {CLEAT_ERR_NO_SHARED_GROUP, 0, "RFC 8422 5.1",
                                "the client does not support the curve of the certificate's key",
                                "add a certificate with a key of another kind"},
    [CL_CREDENTIAL_NO_SCHEME] = {CLEAT_ERR_NO_SHARED_SIGNATURE, 0, "RFC 9846 4.5.1.2",
                                 "the client's signature algorithms allow none that its key can "
                                 "make",
                                 "add a certificate with a key of another kind"},
    [CL_CREDENTIAL_NO_SCHEME_12] = {CLEAT_ERR_NO_SHARED_SIGNATURE, 0, "RFC 5246 7.4.3",
                                    "the client's signature algorithms allow none that its key can "
                                    "make, and no cipher suite of both does without a signature",
                                    "add a certificate with a key of another kind"},
    [CL_CREDENTIAL_NO_GROUP] = {CLEAT_ERR_NO_SHARED_GROUP, 0, "RFC 8422 5.1",
                                "the client supports none of the groups enabled here",
                                "allow one of the client's groups with --curves"},
    /* RFC 7919 4: "the server MUST end the connection with a fatal TLS alert of type
     * insufficient_security(71)" */
    [CL_CREDENTIAL_NO_FIELD] = {CLEAT_ERR_NO_SHARED_GROUP, CL_ALERT_INSUFFICIENT_SECURITY,
                                "RFC 7919 4",
                                "the client has named groups for DHE, of which none is enabled "
                                "here",
                                "allow one of the client's groups with --curves, or a suite "
                                "without DHE"},
    [CL_CREDENTIAL_NO_ISSUER] = {CLEAT_ERR_NO_SHARED_SIGNATURE, 0, "RFC 9846 4.3.4",
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
    if (!suite_fits(tls, cl_key_type(c->key))) {
        return CL_CREDENTIAL_NO_SUITE;
    }
    enum cl_credential_fit found = cl_credential_fits(tls, c, &wish, out);
    if (found != CL_CREDENTIAL_FITS && found != CL_CREDENTIAL_NO_SCHEME) {
        return found;
    }
    /* RSA key exchange needs no signature, and no group */
    if (cl_suite_for(tls, c, *out) != NULL) {
        return CL_CREDENTIAL_FITS;
    }
    if (found == CL_CREDENTIAL_FITS) {
        return suite_for(tls, c, *out, (struct groups_there){.field = true}) != NULL
                   ? CL_CREDENTIAL_NO_FIELD
               : suite_for(tls, c, *out, (struct groups_there){.curve = true}) != NULL
                   ? CL_CREDENTIAL_NO_GROUP
                   : CL_CREDENTIAL_NO_SUITE;
    }
    return tls->protocol->number == CLEAT_TLS_1_2 ? CL_CREDENTIAL_NO_SCHEME_12 : found;
}

/* What a look through the credentials is limited to. */
struct search {
    struct cl_rd types; /* CertificateType[] */
    bool by_name;       /* certificates for the server name; raw public keys have no names */
    bool by_chain;      /* chains that the client can check */
};

static bool is_candidate(struct cleat_tls *tls, const struct cl_credential *c,
                         const struct search *s)
{
    bool named = !s->by_name || c->chain == NULL ||
                 cl_cert_matches_host(cl_chain_at(c->chain, 0), tls->server_name);
    return named && memchr(s->types.p, cl_cert_type_of(c), s->types.len) != NULL &&
           (!s->by_chain || chain_fits(tls, c));
}

static bool select_among(struct cleat_tls *tls, const struct search *s,
                         enum cl_credential_fit *reason)
{
    struct cl_hs *hs = tls->hs;
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < tls->config->num_credentials; i++) {
        const struct cl_credential *c = &tls->config->credentials[i];
        const struct cl_sig_alg *alg;
        if (!is_candidate(tls, c, s)) {
            continue;
        }
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

/* Two rounds: chains that the client can check, then any (RFC 9846 4.5.1.2 lets it try). */
static bool select_round(struct cleat_tls *tls, struct cl_rd types, bool by_name,
                         enum cl_credential_fit *reason)
{
    return select_among(tls, &(struct search){types, by_name, true}, reason) ||
           select_among(tls, &(struct search){types, by_name, false}, reason);
}

/* *why tells how the name was looked at. */
static bool select_of(struct cleat_tls *tls, struct cl_rd types, enum cl_credential_fit *reason,
                      const char **why)
{
    *why = "the name and the client's signature algorithms fit";
    if (tls->server_name != NULL && select_round(tls, types, true, reason)) {
        return true;
    }
    *why = tls->server_name == NULL ? "the client named no server"
                                    : "no certificate is for this name: the default";
    return select_round(tls, types, false, reason);
}

/* RFC 7250 4.2: the type is the server's choice among the client's, which is in the client's order
 * of preference; without the extension it is X.509. */
static bool select_any(struct cleat_tls *tls, enum cl_credential_fit *reason, const char **why)
{
    static const uint8_t by_default[] = {CLEAT_CERT_TYPE_X509};
    struct cl_rd types = tls->hs->parsed.server_types;
    struct cl_rd type;
    if (types.p == NULL) {
        types = cl_rd_of(by_default, sizeof(by_default));
    }
    *reason = CL_CREDENTIAL_NO_TYPE;
    if (tls->config->credentials_in_order) {
        return select_of(tls, types, reason, why);
    }
    while (cl_rd_take(&types, 1, &type)) {
        if (select_of(tls, type, reason, why)) {
            return true;
        }
    }
    return false;
}

void cl_select_certificate_type(struct cleat_tls *tls)
{
    enum cl_credential_fit reason;
    const char *why;
    if (tls->hs->parsed.server_types.p != NULL) {
        (void)select_any(tls, &reason, &why);
    }
}

static void tell_choice(struct cleat_tls *tls, const char *why)
{
    const struct cl_hs *hs = tls->hs;
    if (hs->parsed.server_types.p != NULL) {
        cl_event_choice(tls, "certificate type", cl_cert_type_name(cl_cert_type_of(hs->credential)),
                        tls->config->credentials_in_order ? "our first that the client takes"
                                                          : "the client's first that is here");
    }
    cl_event_choice(tls, hs->credential->chain != NULL ? "certificate" : "raw public key",
                    cleat_key_kind(hs->credential->key), why);
    if (cl_suite_for(tls, hs->credential, hs->scheme)->kx != CL_KX_RSA) {
        cl_event_choice(tls, "signature scheme", hs->scheme->name,
                        "first of ours that the client takes and the key can make");
    }
}

const struct cl_suite *cl_try_certificate(struct cleat_tls *tls)
{
    const char *why;
    enum cl_credential_fit reason;
    struct cl_hs *hs = tls->hs;
    bool found = tls->config->num_credentials != 0 && select_any(tls, &reason, &why);
    return found ? cl_suite_for(tls, hs->credential, hs->scheme) : NULL;
}

static bool is_psk_suite(const struct cl_suite *suite, const void *there)
{
    return suite->auth == CL_AUTH_PSK && has_group(suite, there);
}

const struct cl_suite *cl_psk_suite_for(const struct cleat_tls *tls)
{
    /* a required client certificate is not replaced by a PSK */
    if (cl_psk_of_12(tls->config) == NULL ||
        tls->config->client_auth == CLEAT_CLIENT_AUTH_REQUIRED) {
        return NULL;
    }
    const struct groups_there there = groups_there(tls);
    return cl_first_shared_suite(tls, is_psk_suite, &there);
}

cl_result cl_select_certificate(struct cleat_tls *tls)
{
    const char *why;
    enum cl_credential_fit reason;
    if (tls->config->num_credentials == 0) {
        return cl_tls_fail(tls,
                           CL_WHY_HINT(UNKNOWN_PSK, "RFC 9846 4.3.11",
                                       "see that both ends have the same identity, hash and mode"),
                           "no PSK of the client's is known here, and there is no certificate");
    }
    if (!select_any(tls, &reason, &why)) {
        const struct refusal *r = &refusals[reason];
        return cl_tls_fail(tls, (struct cl_why){r->code, r->alert, r->section, r->hint},
                           "no certificate can be used (of %zu): %s", tls->config->num_credentials,
                           r->text);
    }
    tell_choice(tls, why);
    return CL_OK;
}
