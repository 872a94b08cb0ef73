/* tls/server_psk.c - whether one of the tickets that a client offers resumes a session (RFC
 * 9846 4.3.11): bound to everything that made it, or the handshake is a full one. */
#include "tls/ext.h"
#include "tls/msg.h"
#include "tls/resume.h"

/* 4: tickets looked at in one ClientHello; clients send one, and each costs a decryption */
#define MAX_PSKS_TRIED 4

static cl_result check_binder(struct cleat_tls *tls, const struct cl_ticket *t, struct cl_rd binder)
{
    struct cl_hs *hs = tls->hs;
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
    hs->psk = hs->ticket.psk;
    hs->psk_selected = true;
    hs->psk_index = index;
    hs->psk_age = age;
    tls->suite = cl_suite_by_id(hs->ticket.suite);
    tls->resumed = true;
    tls->peer_authenticated = hs->ticket.peer_authenticated;
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
        objection = cl_ticket_objection(tls, &hs->ticket);
        if (objection == NULL && !hash_fits(tls, &hs->ticket)) {
            objection = "refused: its cipher suite is not on offer";
        }
        if (objection == NULL) {
            CL_TRY(check_binder(tls, &hs->ticket, binder));
            take_ticket(tls, i, age);
            cl_event_ticket(tls, false, 0, "accepted");
            return cl_ticket_restore_peer(tls);
        }
    }
    cl_event_ticket(tls, false, 0, objection);
    return CL_OK;
}
