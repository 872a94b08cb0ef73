/* tls/psk.c - see psk.h. Keys are compared with nothing and branched on nowhere: they only go
 * through HKDF. Identities are public. */
#include "tls/psk.h"

#include "cleat/tls_psk.h"
#include "tls/conn.h"
#include "tls/ech.h"
#include "tls/tape.h"
#include "tls/wire.h"

/* RFC 9258 4.1: KDF identifiers; the target protocol is TLS 1.3 */
#define KDF_HKDF_SHA256 1
#define KDF_HKDF_SHA384 2

cl_result cl_psk_import(struct cl_psk *psk, struct cl_rd external_identity, struct cl_rd context,
                        struct cl_rd key, enum cl_hash_id key_hash)
{
    struct cl_buf *out = &psk->identity;
    uint8_t digest[CL_HASH_MAX_LEN];
    struct cl_secret extracted;
    size_t need = 2 + external_identity.len + 2 + context.len + 2 + 2;
    CL_TRY(cl_buf_reserve(out, need, UINT16_MAX));
    struct cl_wr w = cl_buf_writer(out);
    struct cl_wr_mark m = cl_wr_open16(&w);
    cl_wr_view(&w, external_identity);
    cl_wr_close(&w, m);
    m = cl_wr_open16(&w);
    cl_wr_view(&w, context);
    cl_wr_close(&w, m);
    cl_wr_u16(&w, CLEAT_TLS_1_3);
    cl_wr_u16(&w, psk->hash == CL_HASH_SHA384 ? KDF_HKDF_SHA384 : KDF_HKDF_SHA256);
    cl_buf_commit(out, &w);
    if (!cl_wr_ok(&w)) {
        return CLEAT_ERR_INTERNAL;
    }
    /* RFC 9258 4.1: "epskx = HKDF-Extract(0, epsk); ipskx = HKDF-Expand-Label(epskx, "derived psk",
     * Hash(ImportedIdentity), L)", L being the length of the target KDF's output */
    cl_hash_once(key_hash, out->p, out->len, digest);
    cl_hkdf_extract(key_hash, cl_rd_of(NULL, 0), key, &extracted);
    psk->key.len = (uint8_t)cl_hash_len(psk->hash);
    cl_hkdf_expand_label(key_hash, cl_rd_of(extracted.bytes, extracted.len), "derived psk",
                         cl_rd_of(digest, cl_hash_len(key_hash)), psk->key.bytes, psk->key.len);
    cl_secret_wipe(&extracted);
    return CL_OK;
}

void cl_psk_free_all(struct cl_psk *psks, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        cl_buf_deinit(&psks[i].identity);
        cl_buf_deinit(&psks[i].name);
    }
    cl_free_secret(psks, num * sizeof(*psks));
}

const struct cl_psk *cl_psk_find(const struct cleat_tls_config *config, struct cl_rd identity)
{
    for (size_t i = 0; i < config->num_psks; i++) {
        if (cl_rd_equal(cl_buf_view(&config->psks[i].identity), identity)) {
            return &config->psks[i];
        }
    }
    return NULL;
}

const struct cl_psk *cl_psk_of_12(const struct cleat_tls_config *config)
{
    size_t i = 0;
    while (i < config->num_psks && config->psks[i].imported) {
        i++;
    }
    return i < config->num_psks ? &config->psks[i] : NULL;
}

const struct cl_psk *cl_psk_find_12(const struct cleat_tls_config *config, struct cl_rd identity)
{
    const struct cl_psk *psk = cl_psk_find(config, identity);
    return psk != NULL && !psk->imported ? psk : NULL;
}

/* Is there a suite of TLS 1.3 with this hash that the ServerHello may choose? */
static bool hash_usable(const struct cleat_tls *tls, enum cl_hash_id hash)
{
    if (tls->hs->retried) {
        return tls->suite->hash == hash;
    }
    for (size_t i = 0; i < tls->config->num_suites; i++) {
        const struct cl_suite *suite = tls->config->suites[i];
        if (suite->version == CLEAT_TLS_1_3 && suite->hash == hash) {
            return true;
        }
    }
    return false;
}

static struct cl_psk_offer offer_ticket(const struct cleat_tls *tls)
{
    const struct cleat_tls_session *s = tls->hs->session;
    uint64_t age_ms = cl_config_now(tls->config) - s->received_ms;
    return (struct cl_psk_offer){
        .identity = cl_buf_view(&s->ticket),
        /* RFC 9846 4.3.11.1: the age in milliseconds plus ticket_age_add, modulo 2^32 */
        .age = (uint32_t)age_ms + s->age_add,
        .key = &s->psk,
        .hash = cl_suite_by_id(s->suite)->hash,
        .binder_label = CL_BINDER_RESUMPTION,
    };
}

size_t cl_psk_offers(const struct cleat_tls *tls, struct cl_psk_offer out[CL_PSK_MAX_OFFERED + 1])
{
    const struct cleat_tls_session *s = tls->hs->session;
    size_t num = 0;
    /* none stands in the outer ClientHello (RFC 9849 6.1) */
    if (tls->config->version_max < CLEAT_TLS_1_3 || cl_ech_refused(tls)) {
        return 0;
    }
    if (s != NULL && s->version == CLEAT_TLS_1_3 &&
        (tls->config->psk_modes & CLEAT_PSK_DHE_KE) != 0) {
        out[num++] = offer_ticket(tls);
    }
    for (size_t i = 0; i < tls->config->num_psks && i < CL_PSK_MAX_OFFERED; i++) {
        const struct cl_psk *psk = &tls->config->psks[i];
        if (hash_usable(tls, psk->hash)) {
            out[num++] = (struct cl_psk_offer){
                .identity = cl_buf_view(&psk->identity),
                .key = &psk->key,
                .hash = psk->hash,
                .binder_label = psk->binder_label,
                .external = psk,
            };
        }
    }
    return num;
}

void cl_psk_binder(const struct cleat_tls *tls, const struct cl_schedule *early, const char *label,
                   struct cl_rd hello, uint8_t mac[CL_HASH_MAX_LEN])
{
    struct cl_hash transcript;
    struct cl_secret binder_key;
    uint8_t digest[CL_HASH_MAX_LEN];
    if (tls->hs->transcript_started) {
        transcript = tls->hs->transcript;
    } else {
        cl_hash_init(&transcript, early->hash);
    }
    cl_hash_update(&transcript, hello.p, hello.len);
    cl_hash_peek(&transcript, digest);
    cl_binder_key(early, label, &binder_key);
    cl_finished_mac(early->hash, &binder_key, digest, mac);
    cl_tape_pass(tls, CL_TAPE_BINDER, mac, cl_hash_len(early->hash));
    cl_secret_wipe(&binder_key);
}
