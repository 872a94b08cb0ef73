/* tls/server_psk.c - whether one of the tickets that a client offers resumes a session (RFC
 * 9846 4.3.11): bound to everything that made it, or the handshake is a full one. */
#include "tls/ext.h"
#include "tls/msg.h"

/* 4: tickets looked at in one ClientHello; clients send one, and each costs a decryption */
#define MAX_PSKS_TRIED 4

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
