/* tls/server_psk.c - whether one of the PSKs that a client offers is used (RFC 9846 4.3.11): a
 * ticket, bound to everything that made it, or an external key of the configuration; else the
 * handshake is a full one. */
#include "cleat/tls_psk.h"
#include "tls/ext.h"
#include "tls/msg.h"
#include "tls/psk.h"
#include "tls/resume.h"

/* 9: PSKs looked at in one ClientHello: as many as our clients send. Each costs a decryption, or a
 * look into the table */
#define MAX_PSKS_TRIED (CL_PSK_MAX_OFFERED + 1)

static cl_result check_binder(struct cleat_tls *tls, enum cl_hash_id hash,
                              const struct cl_secret *psk, const char *label, struct cl_rd binder)
{
    struct cl_hs *hs = tls->hs;
    uint8_t mac[CL_HASH_MAX_LEN];
    /* the schedule goes on from here when this PSK is the one */
    cl_schedule_early(&hs->schedule, hash, cl_rd_of(psk->bytes, psk->len));
    cl_psk_binder(tls, &hs->schedule, label, cl_rd_of(hs->hello.p, hs->parsed.binders_at), mac);
    /* RFC 9846 4.3.11: "If this value is not present or does not validate, the server MUST abort
     * the handshake" */
    if (binder.len != cl_hash_len(hash) || !cl_ct_equal(binder.p, mac, binder.len)) {
        return cl_tls_fail(tls, CL_WHY(DECRYPT_ERROR, "RFC 9846 4.3.11"),
                           "the PSK binder does not validate: the client does not hold the "
                           "secret that belongs to its %s",
                           tls->psk != NULL ? "PSK's identity" : "ticket");
    }
    memcpy(hs->psk_binder, mac, sizeof(hs->psk_binder)); /* the shortest hash has as many bytes */
    return CL_OK;
}

/* After a HelloRetryRequest the suite is settled. */
static bool hash_fits(const struct cleat_tls *tls, const struct cl_ticket *t)
{
    const struct cl_suite *suite = cl_suite_by_id(t->suite);
    return cl_hash_len(suite->hash) == t->psk.len && (!tls->hs->retried || suite == tls->suite);
}

static void take_ticket(struct cleat_tls *tls, uint16_t index, uint32_t age)
{
    struct cl_hs *hs = tls->hs;
    hs->psk_selected = true;
    hs->psk_index = index;
    hs->psk_age = age;
    tls->suite = cl_suite_by_id(hs->ticket.suite);
    tls->resumed = true;
    tls->peer_authenticated = hs->ticket.peer_authenticated;
}

/* What is looked at in turn: identity and binder of one PSK of the client's. */
struct offer {
    uint16_t index;
    struct cl_rd identity;
    struct cl_rd binder;
    uint32_t age;
};

/* ---- external ---- */

/* The first suite of ours with the PSK's hash that the client offers; after a HelloRetryRequest,
 * the one that is settled. */
static const struct cl_suite *suite_for(const struct cleat_tls *tls, enum cl_hash_id hash)
{
    for (size_t i = 0; i < tls->config->num_suites; i++) {
        const struct cl_suite *suite = tls->config->suites[i];
        if (suite->version == CLEAT_TLS_1_3 && suite->hash == hash &&
            (!tls->hs->retried || suite == tls->suite) &&
            cl_list16_has(tls->hs->parsed.suites, suite->id)) {
            return suite;
        }
    }
    return NULL;
}

static bool common_mode(const struct cleat_tls *tls, bool *without_dhe)
{
    const struct cl_client_hello *ch = &tls->hs->parsed;
    unsigned modes = tls->config->psk_modes;
    bool dhe = ch->psk_dhe_ke && (modes & CLEAT_PSK_DHE_KE) != 0;
    bool alone = ch->psk_ke && (modes & CLEAT_PSK_KE) != 0;
    *without_dhe = !dhe && alone;
    return dhe || alone;
}

/* *objection NULL: taken. */
static cl_result try_external(struct cleat_tls *tls, const struct cl_psk *psk,
                              const struct offer *offer, const char **objection)
{
    struct cl_hs *hs = tls->hs;
    const struct cl_suite *suite = suite_for(tls, psk->hash);
    bool without_dhe;
    /* fail closed: who must show a certificate does not get in with less */
    *objection = tls->config->client_auth == CLEAT_CLIENT_AUTH_REQUIRED
                     ? "refused: a client certificate is required here"
                 : suite == NULL                   ? "refused: no cipher suite has its hash"
                 : !common_mode(tls, &without_dhe) ? "refused: no PSK mode in common"
                                                   : NULL;
    if (*objection != NULL) {
        return CL_OK;
    }
    tls->psk = psk;
    CL_TRY(check_binder(tls, psk->hash, &psk->key, psk->binder_label, offer->binder));
    hs->psk_selected = true;
    hs->psk_alone = without_dhe;
    hs->psk_index = offer->index;
    tls->suite = suite;
    cl_event_choice(tls, "PSK", "external",
                    without_dhe ? "first of the client's that is known here; without (EC)DHE"
                                : "first of the client's that is known here");
    return CL_OK;
}

/* ---- tickets ---- */

static cl_result try_ticket(struct cleat_tls *tls, const struct offer *offer,
                            const char **objection)
{
    struct cl_hs *hs = tls->hs;
    struct cleat_ticket_keys *keys = hs->parsed.psk_dhe_ke ? tls->config->ticket_keys : NULL;
    if (keys == NULL || !cl_ticket_open(keys, cl_config_now(tls->config), offer->identity,
                                        &hs->ticket_plain, &hs->ticket)) {
        return CL_OK; /* what the last one was refused for is still the better reason */
    }
    *objection = cl_ticket_objection(tls, &hs->ticket);
    if (*objection == NULL && !hash_fits(tls, &hs->ticket)) {
        *objection = "refused: its cipher suite is not on offer";
    }
    if (*objection != NULL) {
        return CL_OK;
    }
    CL_TRY(check_binder(tls, cl_suite_by_id(hs->ticket.suite)->hash, &hs->ticket.psk,
                        CL_BINDER_RESUMPTION, offer->binder));
    take_ticket(tls, offer->index, offer->age);
    cl_event_ticket(tls, false, 0, "accepted");
    return cl_ticket_restore_peer(tls);
}

cl_result cl_select_psk(struct cleat_tls *tls)
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
    if (tls->config->num_psks == 0 &&
        (tls->config->ticket_keys == NULL || !hs->parsed.psk_dhe_ke)) {
        return CL_OK;
    }
    struct offer offer = {0};
    for (; offer.index < MAX_PSKS_TRIED && !cl_rd_done(&identities); offer.index++) {
        if (!cl_rd_vec16(&identities, &offer.identity) || !cl_rd_u32(&identities, &offer.age) ||
            !cl_rd_vec8(&binders, &offer.binder)) {
            return CLEAT_ERR_INTERNAL;
        }
        const struct cl_psk *external = cl_psk_find(tls->config, offer.identity);
        CL_TRY(external != NULL ? try_external(tls, external, &offer, &objection)
                                : try_ticket(tls, &offer, &objection));
        if (hs->psk_selected) {
            return CL_OK;
        }
    }
    cl_event_ticket(tls, false, 0, objection);
    return CL_OK;
}
