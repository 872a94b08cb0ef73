/* tls/ticket.c - see ticket.h: sealing and opening. The ring of keys is in ticket_keys.c. */
#include <string.h>

#include "crypto/aead.h"
#include "tls/ticket_keys.h"

static cl_result seal_with(const struct cl_ticket_key *key, const struct cl_rng *rng,
                           struct cl_rd state, struct cl_buf *out)
{
    const struct cl_aead_info *info = cl_aead_info(CL_AEAD_AES_256_GCM);
    size_t need = CL_TICKET_NAME_LEN + CL_AEAD_NONCE_LEN + state.len + info->tag_len;
    struct cl_aead_key aead;
    CL_TRY(cl_buf_reserve(out, need, out->len + need));
    uint8_t *at = out->p + out->len;
    memcpy(at, key->name, CL_TICKET_NAME_LEN);
    CL_TRY(cl_rand(rng, at + CL_TICKET_NAME_LEN, CL_AEAD_NONCE_LEN));
    CL_TRY(cl_aead_key_init(&aead, CL_AEAD_AES_256_GCM, key->key, true));
    cl_result r = cl_aead_seal(&aead, at + CL_TICKET_NAME_LEN, cl_rd_of(at, CL_TICKET_NAME_LEN),
                               &state, 1, at + CL_TICKET_NAME_LEN + CL_AEAD_NONCE_LEN);
    cl_aead_key_wipe(&aead);
    if (r == CL_OK) {
        out->len += need;
    }
    return r;
}

cl_result cl_ticket_seal(struct cleat_ticket_keys *keys, const struct cl_rng *rng, uint64_t now_ms,
                         const struct cl_ticket *ticket, struct cl_buf *out)
{
    struct cl_ticket_key key = {0};
    uint8_t state[CL_TICKET_MAX_LEN];
    cl_result r = cl_ticket_key_current(keys, rng, now_ms, &key);
    if (r == CL_OK) {
        struct cl_wr w = cl_wr_of(state, sizeof(state));
        cl_ticket_build_state(&w, ticket);
        r = cl_wr_ok(&w) ? seal_with(&key, rng, cl_rd_of(state, w.len), out) : CLEAT_ERR_LIMIT;
        cl_wipe(state, w.len);
    }
    cl_wipe(&key, sizeof(key));
    return r;
}

bool cl_ticket_open(struct cleat_ticket_keys *keys, uint64_t now_ms, struct cl_rd sealed,
                    struct cl_buf *plain, struct cl_ticket *ticket)
{
    struct cl_rd name;
    struct cl_rd nonce;
    struct cl_ticket_key key = {0};
    struct cl_aead_key aead = {0};
    bool ok = false;
    size_t len;
    if (sealed.len > CL_TICKET_MAX_LEN || !cl_rd_take(&sealed, CL_TICKET_NAME_LEN, &name) ||
        !cl_rd_take(&sealed, CL_AEAD_NONCE_LEN, &nonce) ||
        !cl_ticket_key_find(keys, name, now_ms, &key)) {
        goto out;
    }
    plain->len = 0;
    if (cl_buf_append(plain, sealed.p, sealed.len, CL_TICKET_MAX_LEN) != CL_OK ||
        cl_aead_key_init(&aead, CL_AEAD_AES_256_GCM, key.key, false) != CL_OK ||
        cl_aead_open(&aead, nonce.p, name, plain->p, plain->len, &len) != CL_OK) {
        goto out;
    }
    plain->len = len;
    ok = cl_ticket_parse_state(cl_buf_view(plain), ticket);
out:
    cl_aead_key_wipe(&aead);
    cl_wipe(&key, sizeof(key));
    return ok;
}
