/* tls/server_select.c - what a server makes of a ClientHello: version, PSK, cipher suite, group,
 * application protocol, certificate and signature scheme; in this order, each choice told with its
 * reason. Preference is the configuration's, not the client's. */
#include <stdio.h>

#include "tls/ext.h"
#include "tls/msg.h"
#include "x509/name.h"

/* 4: tickets looked at in one ClientHello; clients send one, and each costs a decryption */
#define MAX_PSKS_TRIED 4

cl_result cl_server_asked_config(struct cleat_tls *tls, const struct cl_msg *msg)
{
    tls->hs->decision = CLEAT_DECIDE_NOTHING;
    cl_hs_goto(tls, CL_HS_S_NEGOTIATE);
    return CL_OK;
}

/* ---- version ---- */

static cl_result no_version(struct cleat_tls *tls, uint16_t highest)
{
    return cl_tls_fail(tls,
                       CL_WHY_HINT(PROTOCOL_VERSION, "RFC 9846 4.3.1",
                                   "the client needs TLS 1.3; it may be old, or configured to an "
                                   "older maximum"),
                       "the client offers at most version 0x%04x (%s); spoken here is 0x%04x to "
                       "0x%04x",
                       highest,
                       highest == 0x0303   ? "TLS 1.2"
                       : highest == 0x0302 ? "TLS 1.1"
                       : highest == 0x0301 ? "TLS 1.0"
                       : highest == 0x0300 ? "SSL 3.0"
                                           : "unknown",
                       tls->config->version_min, tls->config->version_max);
}

static uint16_t highest_known(struct cl_rd versions)
{
    uint16_t v;
    uint16_t highest = 0;
    while (cl_rd_u16(&versions, &v)) {
        if (v >= 0x0300 && v <= 0x0304 && v > highest) {
            highest = v;
        }
    }
    return highest;
}

cl_result cl_server_negotiate(struct cleat_tls *tls, const struct cl_msg *msg)
{
    const struct cl_client_hello *ch = &tls->hs->parsed;
    /* RFC 9846 4.3.1: with supported_versions, legacy_version does not count */
    if (ch->versions.p == NULL) {
        return no_version(tls, ch->legacy_version < 0x0303 ? ch->legacy_version : 0x0303);
    }
    if (!cl_list16_has(ch->versions, CLEAT_TLS_1_3) || tls->config->version_max < CLEAT_TLS_1_3) {
        return no_version(tls, highest_known(ch->versions));
    }
    /* RFC 9846 4.2.2: "this vector MUST contain exactly one byte, set to zero" */
    if (ch->compression.len != 1 || ch->compression.p[0] != 0) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.2.2"),
                           "compression methods other than null");
    }
    tls->version = CLEAT_TLS_1_3;
    cl_event_choice(tls, "version", "TLS 1.3", "the highest that both speak");
    cl_hs_goto(tls, CL_HS_S13_SELECT);
    return CL_OK;
}

/* ---- PSK ---- */

static bool suite_usable(struct cleat_tls *tls, const struct cl_suite *suite)
{
    bool ours = false;
    for (size_t i = 0; i < tls->config->num_suites; i++) {
        ours = ours || tls->config->suites[i] == suite;
    }
    return ours && suite != NULL && cl_list16_has(tls->hs->parsed.suites, suite->id);
}

/* Why a ticket is not good here, or NULL. design: a ticket is bound to what made it. */
static const char *ticket_objection(struct cleat_tls *tls, const struct cl_ticket *t)
{
    const struct cleat_tls_config *config = tls->config;
    struct cl_rd name = cl_rd_str(tls->server_name != NULL ? tls->server_name : "");
    const struct cl_suite *suite = cl_suite_by_id(t->suite);
    if (t->version != CLEAT_TLS_1_3) {
        return "refused: made by another version";
    }
    if (cl_config_now(config) >= t->expires_ms) {
        return "refused: expired";
    }
    if (!cl_rd_equal(t->digest, cl_rd_of(config->digest, sizeof(config->digest)))) {
        return "refused: made under another configuration";
    }
    if (!cl_rd_equal(t->server_name, name)) {
        return "refused: made for another server name";
    }
    if (config->client_auth == CLEAT_CLIENT_AUTH_REQUIRED && !t->peer_authenticated) {
        return "refused: made without the client certificate that is required";
    }
    if (!suite_usable(tls, suite) || cl_hash_len(suite->hash) != t->psk.len ||
        (tls->hs->retried && suite != tls->suite)) {
        return "refused: its cipher suite is not on offer";
    }
    return NULL;
}

static cl_result check_binder(struct cleat_tls *tls, const struct cl_ticket *t, struct cl_rd binder)
{
    const struct cl_hs *hs = tls->hs;
    enum cl_hash_id hash = cl_suite_by_id(t->suite)->hash;
    struct cl_hash transcript;
    struct cl_schedule early;
    struct cl_secret key;
    uint8_t digest[CL_HASH_MAX_LEN];
    uint8_t mac[CL_HASH_MAX_LEN];
    if (hs->transcript_started) {
        transcript = hs->transcript;
    } else {
        cl_hash_init(&transcript, hash);
    }
    cl_hash_update(&transcript, hs->hello.p, hs->parsed.binders_at);
    cl_hash_peek(&transcript, digest);
    cl_schedule_early(&early, hash, cl_rd_of(t->psk.bytes, t->psk.len));
    cl_binder_key(&early, &key);
    cl_finished_mac(hash, &key, digest, mac);
    cl_secret_wipe(&key);
    cl_secret_wipe(&early.secret);
    /* RFC 9846 4.3.11: "If this value is not present or does not validate, the server MUST abort
     * the handshake" */
    if (binder.len != cl_hash_len(hash) || !cl_ct_equal(binder.p, mac, binder.len)) {
        return cl_tls_fail(tls, CL_WHY(DECRYPT_ERROR, "RFC 9846 4.3.11"),
                           "the PSK binder does not validate: the client does not hold the "
                           "ticket's secret");
    }
    return CL_OK;
}

static void take_ticket(struct cleat_tls *tls, uint16_t index)
{
    struct cl_hs *hs = tls->hs;
    hs->psk = hs->ticket.psk;
    hs->psk_selected = true;
    hs->psk_index = index;
    tls->suite = cl_suite_by_id(hs->ticket.suite);
    tls->resumed = true;
    tls->peer_authenticated = hs->ticket.peer_authenticated;
}

/* A resumed connection knows its client as the first one did. */
static cl_result restore_peer(struct cleat_tls *tls)
{
    struct cl_rd cert = tls->hs->ticket.peer_cert;
    if (cert.len == 0) {
        return CL_OK;
    }
    uint8_t header[3];
    struct cl_wr w = cl_wr_of(header, sizeof(header));
    cl_wr_u24(&w, (uint32_t)cert.len);
    CL_TRY(cl_buf_append(&tls->peer_chain, header, sizeof(header), CL_HS_MAX_MESSAGE));
    CL_TRY(cl_buf_append(&tls->peer_chain, cert.p, cert.len, CL_HS_MAX_MESSAGE));
    return cl_cert_parse(&tls->peer_leaf, cert, NULL);
}

static cl_result select_psk(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    struct cl_rd identities = hs->parsed.psk_identities;
    struct cl_rd binders = hs->parsed.psk_binders;
    const char *objection = "refused: not a ticket of ours, or its key has expired";
    if (identities.p == NULL) {
        return CL_OK;
    }
    /* RFC 9846 4.3.9: "If clients offer pre_shared_key without a psk_key_exchange_modes extension,
     * servers MUST abort the handshake" */
    if (!hs->parsed.has_psk_modes) {
        return cl_tls_fail(tls, CL_WHY(MISSING_EXTENSION, "RFC 9846 4.3.9"),
                           "pre_shared_key without psk_key_exchange_modes");
    }
    if (tls->config->ticket_keys == NULL || !hs->parsed.psk_dhe_ke) {
        return CL_OK;
    }
    for (uint16_t i = 0; i < MAX_PSKS_TRIED && !cl_rd_done(&identities); i++) {
        struct cl_rd identity;
        struct cl_rd binder;
        uint32_t age;
        if (!cl_rd_vec16(&identities, &identity) || !cl_rd_u32(&identities, &age) ||
            !cl_rd_vec8(&binders, &binder)) {
            return CLEAT_ERR_INTERNAL;
        }
        if (!cl_ticket_open(tls->config->ticket_keys, cl_config_now(tls->config), identity,
                            &hs->ticket_plain, &hs->ticket)) {
            continue;
        }
        objection = ticket_objection(tls, &hs->ticket);
        if (objection == NULL) {
            CL_TRY(check_binder(tls, &hs->ticket, binder));
            take_ticket(tls, i);
            cl_event_ticket(tls, false, 0, "accepted");
            return restore_peer(tls);
        }
    }
    cl_event_ticket(tls, false, 0, objection);
    return CL_OK;
}

/* ---- cipher suite ---- */

static void join_suites(struct cl_rd list, char *out, size_t cap)
{
    uint16_t id;
    size_t at = 0;
    out[0] = '\0';
    while (cl_rd_u16(&list, &id) && at + 8 < cap) {
        at += (size_t)snprintf(out + at, cap - at, "%s%04x", at != 0 ? "," : "", id);
    }
}

static cl_result select_suite(struct cleat_tls *tls)
{
    const struct cleat_tls_config *config = tls->config;
    const struct cl_suite *found = NULL;
    if (tls->hs->retried) {
        return CL_OK; /* chosen for the HelloRetryRequest; the lists were compared */
    }
    for (size_t i = 0; i < config->num_suites && found == NULL; i++) {
        if (cl_list16_has(tls->hs->parsed.suites, config->suites[i]->id)) {
            found = config->suites[i];
        }
    }
    if (found == NULL) {
        char offered[160];
        join_suites(tls->hs->parsed.suites, offered, sizeof(offered));
        return cl_tls_fail(tls,
                           CL_WHY_HINT(NO_SHARED_CIPHER, "RFC 9846 4.2.1",
                                       "allow one of the client's suites with --ciphers, or update "
                                       "the client"),
                           "the client offers the suites %s; none is enabled here", offered);
    }
    tls->suite = found;
    return CL_OK;
}

/* ---- group ---- */

static bool find_share(struct cl_rd shares, uint16_t group, struct cl_rd *out)
{
    uint16_t id;
    struct cl_rd share;
    while (cl_rd_u16(&shares, &id) && cl_rd_vec16(&shares, &share)) {
        if (id == group) {
            *out = share;
            return true;
        }
    }
    return false;
}

/* RFC 9846 9.2: what a ClientHello of TLS 1.3 must have. */
static cl_result check_mandatory(struct cleat_tls *tls)
{
    const struct cl_client_hello *ch = &tls->hs->parsed;
    const char *missing = NULL;
    if (ch->groups.p == NULL) {
        missing = "supported_groups";
    } else if (ch->key_shares.p == NULL) {
        missing = "key_share";
    } else if (ch->schemes.p == NULL && !tls->hs->psk_selected) {
        missing = "signature_algorithms";
    }
    if (missing != NULL) {
        return cl_tls_fail(tls, CL_WHY(MISSING_EXTENSION, "RFC 9846 9.2"), "ClientHello has no %s",
                           missing);
    }
    return CL_OK;
}

static cl_result check_shares(struct cleat_tls *tls)
{
    struct cl_rd shares = tls->hs->parsed.key_shares;
    uint16_t id;
    struct cl_rd share;
    while (cl_rd_u16(&shares, &id) && cl_rd_vec16(&shares, &share)) {
        /* RFC 9846 4.3.8: "Clients MUST NOT offer any KeyShareEntry values for groups not listed in
         * the client's "supported_groups" extension" */
        if (!cl_list16_has(tls->hs->parsed.groups, id)) {
            return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.3.8"),
                               "a key share for group 0x%04x, which supported_groups does not list",
                               id);
        }
    }
    return CL_OK;
}

static cl_result select_group(struct cleat_tls *tls, struct cl_rd *share)
{
    const struct cleat_tls_config *config = tls->config;
    const struct cl_client_hello *ch = &tls->hs->parsed;
    const struct cl_group *common = NULL;
    for (size_t i = 0; i < config->num_groups; i++) {
        const struct cl_group *group = config->groups[i];
        if (!cl_list16_has(ch->groups, group->id)) {
            continue;
        }
        if (find_share(ch->key_shares, group->id, share)) {
            tls->group = group;
            cl_event_choice(tls, "group", group->name,
                            "first of ours that the client sent a share for");
            return CL_OK;
        }
        common = common != NULL ? common : group;
    }
    if (common == NULL || tls->hs->retried) {
        return cl_tls_fail(tls, CL_WHY(NO_SHARED_GROUP, "RFC 9846 4.2.1"),
                           "the client supports none of the groups enabled here");
    }
    tls->hs->hrr_group = common;
    return CL_OK;
}

/* ---- application protocol ---- */

static cl_result select_alpn(struct cleat_tls *tls)
{
    struct cl_rd ours = cl_buf_view(&tls->config->alpn);
    struct cl_rd theirs = tls->hs->parsed.alpn;
    struct cl_rd name;
    if (ours.len == 0 || theirs.p == NULL) {
        return CL_OK;
    }
    while (cl_rd_vec8(&ours, &name)) {
        struct cl_rd rest = theirs;
        struct cl_rd candidate;
        while (cl_rd_vec8(&rest, &candidate)) {
            if (cl_rd_equal(candidate, name)) {
                tls->alpn = name;
                return CL_OK;
            }
        }
    }
    return cl_tls_fail(tls, CL_WHY(NO_SHARED_ALPN, "RFC 7301 3.2"),
                       "the client offers none of the application protocols spoken here");
}

/* ---- certificate ---- */

static const struct cl_sig_alg *fit_scheme(struct cleat_tls *tls, const struct cl_credential *c)
{
    for (size_t i = 0; i < tls->config->num_schemes; i++) {
        const struct cl_sig_alg *alg = tls->config->schemes[i];
        if (alg->tls13 && cl_sig_alg_fits(alg, cl_key_type(c->key)) &&
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
        const struct cl_sig_alg *alg = fit_scheme(tls, c);
        if (alg != NULL && scheme_rank(tls->config, alg) < best) {
            best = scheme_rank(tls->config, alg);
            hs->credential = c;
            hs->scheme = alg;
        }
    }
    return hs->credential != NULL;
}

static cl_result select_certificate(struct cleat_tls *tls)
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

/* ---- all together ---- */

/* The second ClientHello offers its PSKs anew. */
static void forget_psk(struct cleat_tls *tls)
{
    tls->hs->psk_selected = false;
    tls->resumed = false;
    tls->peer_authenticated = false;
    cl_conn_drop_peer(tls);
}

static void start_agreement(struct cleat_tls *tls, struct cl_rd share)
{
    struct cl_hs *hs = tls->hs;
    hs->share_group = tls->group;
    hs->job = (struct cl_job){.kind = CL_JOB_ENCAP, .status = CL_JOB_PENDING};
    hs->job.kex.group = tls->group;
    hs->job.kex.rng = &tls->config->rng;
    hs->job.kex.peer_share = share; /* a view into hs->hello, which stays */
    hs->job.kex.share = hs->share;
    hs->waiting = &hs->job;
}

cl_result cl_server_select(struct cleat_tls *tls, const struct cl_msg *msg)
{
    struct cl_rd share = cl_rd_of(NULL, 0);
    CL_TRY(select_psk(tls));
    CL_TRY(check_mandatory(tls));
    CL_TRY(check_shares(tls));
    if (!tls->hs->psk_selected) {
        CL_TRY(select_suite(tls));
    }
    cl_event_choice(tls, "cipher suite", tls->suite->name,
                    tls->resumed ? "the ticket's" : "first of ours that the client offers");
    CL_TRY(select_group(tls, &share));
    if (tls->group == NULL) {
        forget_psk(tls);
        cl_hs_goto(tls, CL_HS_S13_SEND_RETRY);
        return CL_OK;
    }
    CL_TRY(select_alpn(tls));
    if (!tls->hs->psk_selected) {
        CL_TRY(select_certificate(tls));
    }
    start_agreement(tls, share);
    cl_hs_goto(tls, CL_HS_S13_AGREE);
    return CL_OK;
}
