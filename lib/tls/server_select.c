/* tls/server_select.c - what a server makes of a ClientHello: version, PSK (server_psk.c), cipher
 * suite, group, application protocol, certificate and signature scheme (server_certificate.c); in
 * this order, each choice told with its reason. Preference is the configuration's, not the
 * client's. */
#include <stdio.h>

#include "tls/early.h"
#include "tls/ext.h"
#include "tls/msg.h"
#include "tls/raw_key.h"
#include "tls/version.h"

cl_result cl_server_asked_config(struct cleat_tls *tls, const struct cl_msg *msg)
{
    tls->hs->decision = CLEAT_DECIDE_NOTHING;
    cl_hs_goto(tls, CL_HS_S_NEGOTIATE);
    return CL_OK;
}

/* ---- version ---- */

static cl_result no_version(struct cleat_tls *tls, uint16_t highest)
{
    return cl_tls_fail(
        tls,
        CL_WHY_HINT(PROTOCOL_VERSION, "RFC 9846 4.3.1",
                    "the client is old or configured to an older maximum; or a lower "
                    "--tls-min is wanted"),
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

static bool offers(const struct cl_client_hello *ch, uint16_t version)
{
    /* RFC 9846 4.3.1: with supported_versions, legacy_version does not count */
    if (ch->versions.p != NULL) {
        return cl_list16_has(ch->versions, version);
    }
    return version <= CLEAT_TLS_1_2 && ch->legacy_version >= version;
}

static cl_result negotiate_12(struct cleat_tls *tls)
{
    const struct cl_client_hello *ch = &tls->hs->parsed;
    /* RFC 7507 3: "If TLS_FALLBACK_SCSV appears … and the highest protocol version supported by the
     * server is higher than the version indicated …, the server MUST respond with a fatal
     * inappropriate_fallback alert" */
    if (tls->config->version_max > CLEAT_TLS_1_2 && cl_list16_has(ch->suites, CL_SCSV_FALLBACK)) {
        return cl_tls_fail(tls, CL_WHY(INAPPROPRIATE_FALLBACK, "RFC 7507 3"),
                           "the client fell back to TLS 1.2 although both can speak TLS 1.3");
    }
    cl_event_choice(tls, "version", "TLS 1.2", "the highest that both speak");
    cl_hs_switch(tls, &cl_version_12, CL_HS_S12_SELECT);
    return CL_OK;
}

cl_result cl_server_negotiate(struct cleat_tls *tls, const struct cl_msg *msg)
{
    const struct cl_client_hello *ch = &tls->hs->parsed;
    if (!offers(ch, CLEAT_TLS_1_3) || tls->config->version_max < CLEAT_TLS_1_3) {
        if (offers(ch, CLEAT_TLS_1_2) && tls->config->version_min <= CLEAT_TLS_1_2) {
            return negotiate_12(tls);
        }
        return no_version(tls, ch->versions.p != NULL        ? highest_known(ch->versions)
                               : ch->legacy_version < 0x0303 ? ch->legacy_version
                                                             : 0x0303);
    }
    /* RFC 9846 4.2.2: "A server which receives a legacy_version value not equal to 0x0303 MUST
     * abort the handshake"; a higher one is version intolerance that clients probe for, and
     * harmless */
    if (ch->legacy_version < CLEAT_TLS_1_2) {
        return cl_tls_fail(tls, CL_WHY(PROTOCOL_VERSION, "RFC 9846 4.2.2"),
                           "legacy_version is 0x%04x beside TLS 1.3, not 0x0303",
                           ch->legacy_version);
    }
    /* RFC 9846 4.2.2: "this vector MUST contain exactly one byte, set to zero" */
    if (ch->compression.len != 1 || ch->compression.p[0] != 0) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.2.2"),
                           "compression methods other than null");
    }
    cl_event_choice(tls, "version", "TLS 1.3", "the highest that both speak");
    cl_hs_switch(tls, &cl_version_13, CL_HS_S13_SELECT);
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

/* The first of the client's suites of this version that we know. */
static bool client_prefers_chacha20(const struct cleat_tls *tls)
{
    struct cl_rd list = tls->hs->parsed.suites;
    uint16_t id;
    while (tls->config->prefer_chacha20 && cl_rd_u16(&list, &id)) {
        const struct cl_suite *suite = cl_suite_by_id(id);
        if (suite != NULL && suite->version == tls->protocol->number) {
            return cl_suite_is_chacha20(suite);
        }
    }
    return false;
}

const struct cl_suite *cl_first_shared_suite(const struct cleat_tls *tls,
                                             bool (*fits)(const struct cl_suite *suite,
                                                          const void *ctx),
                                             const void *ctx)
{
    const struct cleat_tls_config *config = tls->config;
    const struct cl_suite *first = NULL;
    bool chacha20 = client_prefers_chacha20(tls);
    for (size_t i = 0; i < config->num_suites; i++) {
        const struct cl_suite *suite = config->suites[i];
        if (suite->version != tls->protocol->number || (fits != NULL && !fits(suite, ctx)) ||
            !cl_list16_has(tls->hs->parsed.suites, suite->id)) {
            continue;
        }
        if (!chacha20 || cl_suite_is_chacha20(suite)) {
            return suite;
        }
        first = first != NULL ? first : suite;
    }
    return first;
}

static cl_result select_suite(struct cleat_tls *tls)
{
    if (tls->hs->retried) {
        return CL_OK; /* chosen for the HelloRetryRequest; the lists were compared */
    }
    const struct cl_suite *found = cl_first_shared_suite(tls, NULL, NULL);
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

/* Who offers nothing better gets another protocol than HTTP/2. */
static bool may_carry(const struct cl_suite *suite, struct cl_rd protocol)
{
    return !cl_alpn_is_h2(protocol) || cl_suite_fits_h2(suite);
}

cl_result cl_select_alpn(struct cleat_tls *tls)
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
            if (cl_rd_equal(candidate, name) && may_carry(tls->suite, name)) {
                tls->alpn = name;
                return CL_OK;
            }
        }
    }
    return cl_tls_fail(tls, CL_WHY(NO_SHARED_ALPN, "RFC 7301 3.2"),
                       "the client offers none of the application protocols spoken here");
}

/* ---- all together ---- */

/* The second ClientHello offers its PSKs anew. */
static void forget_psk(struct cleat_tls *tls)
{
    tls->hs->psk_before_retry = tls->hs->psk_selected;
    tls->hs->psk_selected = false;
    tls->hs->psk_alone = false;
    tls->psk = NULL;
    tls->resumed = false;
    tls->peer_authenticated = false;
    cl_conn_drop_peer(tls);
}

/* RFC 9846 4.2.2: the second ClientHello may leave out PSKs that do not go with the suite of the
 * HelloRetryRequest; the one that was good before does. */
static cl_result check_psk_kept(struct cleat_tls *tls)
{
    if (tls->hs->psk_before_retry && tls->hs->parsed.psk_identities.p == NULL) {
        return cl_tls_fail(tls, CL_WHY(MISSING_EXTENSION, "RFC 9846 4.2.2"),
                           "the second ClientHello has lost its pre_shared_key");
    }
    return CL_OK;
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
    CL_TRY(check_psk_kept(tls));
    CL_TRY(cl_select_psk(tls));
    if (!tls->hs->psk_alone) {
        CL_TRY(check_mandatory(tls));
        CL_TRY(check_shares(tls));
    }
    if (!tls->hs->psk_selected) {
        CL_TRY(select_suite(tls));
    }
    cl_event_choice(tls, "cipher suite", tls->suite->name,
                    tls->hs->psk_selected ? "the PSK's" : "first of ours that the client offers");
    if (tls->hs->psk_alone) {
        CL_TRY(cl_select_alpn(tls));
        cl_early_select(tls); /* on to a state that waits for a job, of which there is none */
        return CL_OK;
    }
    CL_TRY(select_group(tls, &share));
    if (tls->group == NULL) {
        forget_psk(tls);
        cl_early_reject(tls, "a HelloRetryRequest is needed");
        cl_hs_goto(tls, CL_HS_S13_SEND_RETRY);
        return CL_OK;
    }
    CL_TRY(cl_select_alpn(tls));
    if (!tls->hs->psk_selected) {
        CL_TRY(cl_select_certificate(tls));
        CL_TRY(cl_client_type_select(tls));
    } else if (tls->resumed) {
        cl_select_certificate_type(tls);
    }
    start_agreement(tls, share);
    cl_early_select(tls);
    return CL_OK;
}
