/* tls/keys_12.c - see keys_12.h. */
#include "tls/keys_12.h"

#include "tls/prf.h"
#include "tls/tape.h"

/* The master secret, prepared for what is derived from it; in the schedule, of which TLS 1.2 has no
 * other use. */
static const struct cl_hmac_key *master_key(struct cleat_tls *tls)
{
    const struct cl_secret *master = &tls->hs->master;
    struct cl_schedule *ks = &tls->hs->schedule;
    if (ks->hash == CL_HASH_NONE) {
        ks->hash = tls->suite->hash;
        cl_hmac_key_init(&ks->prk, ks->hash, cl_rd_of(master->bytes, master->len));
    }
    return &ks->prk;
}

/* RFC 5246 8.1: bound to the randoms alone; only where the configuration allows such peers. */
static void old_master_secret(struct cleat_tls *tls, struct cl_rd premaster)
{
    struct cl_hs *hs = tls->hs;
    cl_prf_once(tls->suite->hash, premaster, "master secret",
                cl_rd_of(hs->client_random, CL_RANDOM_LEN),
                cl_rd_of(hs->server_random, CL_RANDOM_LEN), hs->master.bytes, CL_MASTER_SECRET_LEN);
}

void cl_master_secret(struct cleat_tls *tls, struct cl_rd premaster)
{
    uint8_t session_hash[CL_HASH_MAX_LEN];
    struct cl_secret *master = &tls->hs->master;
    master->len = CL_MASTER_SECRET_LEN;
    tls->hs->schedule.hash = CL_HASH_NONE;
    if (!tls->hs->parsed.extended_master_secret) {
        old_master_secret(tls, premaster);
        return;
    }
    cl_transcript_peek(tls, session_hash);
    cl_prf_once(tls->suite->hash, premaster, "extended master secret",
                cl_rd_of(session_hash, cl_hash_len(tls->suite->hash)), cl_rd_of(NULL, 0),
                master->bytes, CL_MASTER_SECRET_LEN);
}

/* The key block: MAC keys (of CBC suites), keys, IVs; the client's before the server's. Made for
 * the first direction, kept for the other. */
static const uint8_t *key_block(struct cleat_tls *tls, size_t len)
{
    struct cl_hs *hs = tls->hs;
    if (!hs->key_block_made) {
        cl_prf(master_key(tls), "key expansion", cl_rd_of(hs->server_random, CL_RANDOM_LEN),
               cl_rd_of(hs->client_random, CL_RANDOM_LEN), hs->key_block, len);
        hs->key_block_made = true;
    }
    return hs->key_block;
}

static cl_result set_keys(struct cleat_tls *tls, struct cl_record_keys *keys, unsigned sender,
                          bool seal)
{
    const struct cl_lens_12 lens = cl_record_lens_12(tls->suite);
    size_t index = sender == CLEAT_CLIENT ? 0 : 1;
    const uint8_t *block = key_block(tls, 2 * (lens.mac_key + lens.key + lens.iv));
    const uint8_t *key_at = block + 2 * lens.mac_key;
    const struct cl_keys_12 parts = {
        .mac_key = block + index * lens.mac_key,
        .key = key_at + index * lens.key,
        .iv = key_at + 2 * lens.key + index * lens.iv,
        .encrypt_then_mac = tls->hs->encrypt_then_mac,
        .rng = &tls->config->rng,
    };
    CL_TRY(cl_record_keys_12(keys, tls->suite, &parts, seal));
    cl_event_key(tls, seal, "application");
    return CL_OK;
}

cl_result cl_keys_12_read(struct cleat_tls *tls)
{
    CL_TRY(cl_hs_no_partial_message(tls));
    return set_keys(tls, &tls->rd, cl_is_server(tls) ? CLEAT_CLIENT : CLEAT_SERVER, false);
}

cl_result cl_keys_12_write(struct cleat_tls *tls)
{
    return set_keys(tls, &tls->wr, tls->role, true);
}

static void verify_data(struct cleat_tls *tls, bool by_server, uint8_t out[CL_VERIFY_DATA_LEN])
{
    uint8_t digest[CL_HASH_MAX_LEN];
    cl_transcript_peek(tls, digest);
    cl_prf(master_key(tls), by_server ? "server finished" : "client finished",
           cl_rd_of(digest, cl_hash_len(tls->suite->hash)), cl_rd_of(NULL, 0), out,
           CL_VERIFY_DATA_LEN);
    cl_tape_pass(tls, by_server ? CL_TAPE_SERVER_FINISHED_12 : CL_TAPE_CLIENT_FINISHED_12, out,
                 CL_VERIFY_DATA_LEN);
    /* RFC 5929 3.1: the first Finished message of the handshake */
    if (!tls->hs->finished_seen) {
        tls->hs->finished_seen = true;
        memcpy(tls->first_finished, out, CL_VERIFY_DATA_LEN);
    }
}

cl_result cl_finished_12_build(struct cleat_tls *tls)
{
    uint8_t mac[CL_VERIFY_DATA_LEN];
    struct cl_wr w;
    verify_data(tls, cl_is_server(tls), mac);
    CL_TRY(cl_flight_begin(tls, CL_HT_FINISHED, sizeof(mac), &w));
    cl_wr_bytes(&w, mac, sizeof(mac));
    return cl_flight_end(tls, &w);
}

cl_result cl_finished_12_check(struct cleat_tls *tls, const struct cl_msg *msg)
{
    uint8_t mac[CL_VERIFY_DATA_LEN];
    if (msg->body.len != sizeof(mac)) {
        return cl_tls_decode_error(tls, "Finished", "RFC 5246 7.4.9");
    }
    verify_data(tls, !cl_is_server(tls), mac);
    if (!cl_ct_equal(mac, msg->body.p, sizeof(mac))) {
        return cl_tls_fail(tls, CL_WHY(DECRYPT_ERROR, "RFC 5246 7.4.9"),
                           "the peer's Finished does not match what was said: the handshake was "
                           "changed on the way, or a side computes wrongly");
    }
    return cl_hs_no_partial_message(tls);
}

void cl_keep_exporter_12(struct cleat_tls *tls)
{
    tls->exporter = tls->hs->master;
    tls->unbound_12 = !tls->hs->parsed.extended_master_secret;
    memcpy(tls->randoms_12, tls->hs->client_random, CL_RANDOM_LEN);
    memcpy(tls->randoms_12 + CL_RANDOM_LEN, tls->hs->server_random, CL_RANDOM_LEN);
}

void cl_established_12(struct cleat_tls *tls, enum cl_hs_state open)
{
    cl_keep_exporter_12(tls);
    tls->false_start = false;
    tls->established = true;
    cl_hs_goto(tls, open);
    cl_hs_free(tls);
}
