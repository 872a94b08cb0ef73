/* tls/config_psk.c - a builder's setters for external pre-shared keys (cleat/tls_psk.h). */
#include "cleat/tls_psk.h"

#include "tls/builder.h"
#include "tls/conn.h"
#include "tls/hook.h"
#include "tls/psk.h"

static int check(struct cleat_tls_builder *b, const struct cleat_psk *psk)
{
    if (psk->identity_len == 0 || psk->identity_len > CL_PSK_MAX_IDENTITY) {
        return (int)cl_error_set(&b->error, CL_WHY(BAD_CONFIG, "RFC 9846 4.3.11"),
                                 "a PSK's identity has 1 to %d bytes, not %zu", CL_PSK_MAX_IDENTITY,
                                 psk->identity_len);
    }
    if (psk->key_len < CL_PSK_MIN_KEY || psk->key_len > CL_SECRET_MAX) {
        return (int)cl_error_set(
            &b->error,
            CL_WHY_HINT(BAD_CONFIG, "RFC 9257 4.2",
                        "make one with: openssl rand -hex 32; a password is no key"),
            "a PSK has %d to %d bytes, not %zu", CL_PSK_MIN_KEY, CL_SECRET_MAX, psk->key_len);
    }
    if (psk->context_len > CL_PSK_MAX_IDENTITY || (unsigned)psk->hash > CLEAT_PSK_SHA384) {
        return (int)cl_error_set(&b->error, CL_WHY(BAD_CONFIG, "RFC 9258 4.1"),
                                 "a PSK's context has at most %d bytes, and its hash is SHA-256 or "
                                 "SHA-384",
                                 CL_PSK_MAX_IDENTITY);
    }
    return CLEAT_OK;
}

static cl_result fill(struct cl_psk *out, const struct cleat_psk *psk, bool imported)
{
    enum cl_hash_id hash = psk->hash == CLEAT_PSK_SHA384 ? CL_HASH_SHA384 : CL_HASH_SHA256;
    struct cl_rd identity = cl_rd_of(psk->identity, psk->identity_len);
    CL_TRY(cl_buf_append(&out->name, identity.p, identity.len, UINT16_MAX));
    if (imported) {
        out->binder_label = CL_BINDER_IMPORTED;
        out->imported = true;
        return cl_psk_import(out, identity, cl_rd_of(psk->context, psk->context_len),
                             cl_rd_of(psk->key, psk->key_len), hash);
    }
    out->binder_label = CL_BINDER_EXTERNAL;
    out->hash = hash;
    out->key.len = (uint8_t)psk->key_len;
    memcpy(out->key.bytes, psk->key, psk->key_len);
    return cl_buf_append(&out->identity, identity.p, identity.len, UINT16_MAX);
}

/* The list is copied, so that no key stays behind in memory that was given back. */
static struct cl_psk *make_room(struct cleat_tls_config *c)
{
    struct cl_psk *list = cl_calloc(c->num_psks + 1, sizeof(*list));
    if (list != NULL) {
        for (size_t i = 0; i < c->num_psks; i++) {
            list[i] = c->psks[i];
        }
        cl_free_secret(c->psks, c->num_psks * sizeof(*c->psks));
        c->psks = list;
    }
    return list;
}

static int add(struct cleat_tls_builder *b, const struct cleat_psk *psk, bool imported,
               enum cl_hash_id target)
{
    struct cleat_tls_config *c = b->config;
    struct cl_psk *list = c->num_psks < CL_PSK_MAX_NUM ? make_room(c) : NULL;
    if (list == NULL) {
        return cl_builder_fail(b, c->num_psks < CL_PSK_MAX_NUM ? CLEAT_ERR_NOMEM : CLEAT_ERR_LIMIT);
    }
    struct cl_psk *out = &list[c->num_psks++];
    out->hash = target;
    cl_result r = fill(out, psk, imported);
    if (r != CL_OK) {
        return cl_builder_fail(b, r);
    }
    for (size_t i = 0; i + 1 < c->num_psks; i++) {
        if (cl_rd_equal(cl_buf_view(&list[i].identity), cl_buf_view(&out->identity))) {
            return (int)cl_error_set(&b->error, CL_WHY(BAD_CONFIG, "RFC 9846 4.3.11"),
                                     "two PSKs have the same identity");
        }
    }
    return CLEAT_OK;
}

int cleat_tls_builder_psk(struct cleat_tls_builder *b, const struct cleat_psk *psk)
{
    int r = check(b, psk);
    return r == CLEAT_OK ? add(b, psk, false, CL_HASH_NONE) : r;
}

int cl_tls_builder_psk_unchecked(struct cleat_tls_builder *b, const struct cleat_psk *psk)
{
    return add(b, psk, false, CL_HASH_NONE);
}

int cleat_tls_builder_psk_imported(struct cleat_tls_builder *b, const struct cleat_psk *psk)
{
    int r = check(b, psk);
    r = r == CLEAT_OK ? add(b, psk, true, CL_HASH_SHA256) : r;
    return r == CLEAT_OK ? add(b, psk, true, CL_HASH_SHA384) : r;
}

int cleat_tls_builder_psk_hint(struct cleat_tls_builder *b, const uint8_t *hint, size_t len)
{
    struct cl_buf *out = &b->config->psk_hint;
    if (len > CL_PSK_MAX_HINT) {
        return (int)cl_error_set(&b->error, CL_WHY(BAD_CONFIG, "RFC 4279 5.3"),
                                 "a hint for PSK identities has at most %d bytes, not %zu",
                                 CL_PSK_MAX_HINT, len);
    }
    out->len = 0;
    cl_result r = cl_buf_append(out, hint, len, CL_PSK_MAX_HINT);
    return r == CL_OK ? CLEAT_OK : cl_builder_fail(b, r);
}

int cleat_tls_builder_psk_modes(struct cleat_tls_builder *b, unsigned modes)
{
    if (modes == 0 || (modes & ~(unsigned)(CLEAT_PSK_DHE_KE | CLEAT_PSK_KE)) != 0) {
        return cl_builder_fail(b, CLEAT_ERR_BAD_CONFIG);
    }
    b->config->psk_modes = (uint8_t)modes;
    return CLEAT_OK;
}

const uint8_t *cleat_tls_psk_identity(const struct cleat_tls *tls, size_t *len)
{
    bool known = tls->established && tls->psk != NULL;
    *len = known ? tls->psk->name.len : 0;
    return known ? tls->psk->name.p : NULL;
}
