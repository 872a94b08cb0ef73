/* tls/session.c - client sessions: binding, use, and the form in which they are stored. */
#include "tls/session.h"

#include <string.h>

#include "crypto/hash.h"
#include "tls/config.h"
#include "tls/wire.h"

#define SESSION_FORMAT 4

struct cleat_tls_session *cleat_tls_session_ref(struct cleat_tls_session *session)
{
    __atomic_add_fetch(&session->refs, 1, __ATOMIC_RELAXED);
    return session;
}

void cleat_tls_session_free(struct cleat_tls_session *session)
{
    if (session != NULL && __atomic_sub_fetch(&session->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        cl_buf_deinit(&session->ticket);
        cl_buf_deinit(&session->peer_leaf);
        cl_buf_deinit(&session->alpn);
        cl_free_secret(session, sizeof(*session));
    }
}

void cl_session_binding(const struct cleat_tls_config *config, const char *server_name,
                        uint8_t out[CL_SESSION_BINDING_LEN])
{
    struct cl_hash h;
    cl_hash_init(&h, CL_HASH_SHA256);
    cl_hash_update(&h, config->digest, sizeof(config->digest));
    cl_hash_update(&h, server_name, strlen(server_name));
    cl_hash_peek(&h, out);
}

bool cl_session_alive(const struct cleat_tls_session *session, uint64_t now_ms)
{
    uint64_t lifetime_ms = (uint64_t)session->lifetime * 1000;
    return now_ms >= session->received_ms && now_ms - session->received_ms < lifetime_ms &&
           session->not_after > 0 && now_ms / 1000 < (uint64_t)session->not_after;
}

bool cl_session_once(const struct cleat_tls_session *session)
{
    return session->version >= CLEAT_TLS_1_3;
}

bool cl_session_usable(const struct cleat_tls_session *session, const uint8_t *binding,
                       uint64_t now_ms)
{
    return memcmp(session->binding, binding, CL_SESSION_BINDING_LEN) == 0 &&
           cl_suite_by_id(session->suite) != NULL && cl_session_alive(session, now_ms);
}

static void build(struct cl_wr *w, const struct cleat_tls_session *s)
{
    cl_wr_u8(w, SESSION_FORMAT);
    cl_wr_u16(w, s->version);
    cl_wr_u16(w, s->suite);
    cl_wr_u64(w, s->received_ms);
    cl_wr_u32(w, s->lifetime);
    cl_wr_u32(w, s->age_add);
    cl_wr_u32(w, s->early_max);
    cl_wr_u64(w, (uint64_t)s->not_after);
    cl_wr_u8(w, s->peer_is_raw ? 1 : 0);
    cl_wr_bytes(w, s->binding, sizeof(s->binding));
    struct cl_wr_mark m = cl_wr_open8(w);
    cl_wr_bytes(w, s->psk.bytes, s->psk.len);
    cl_wr_close(w, m);
    m = cl_wr_open8(w);
    cl_wr_view(w, cl_buf_view(&s->alpn));
    cl_wr_close(w, m);
    m = cl_wr_open8(w);
    cl_wr_bytes(w, s->session_id, s->session_id_len);
    cl_wr_close(w, m);
    m = cl_wr_open24(w);
    cl_wr_view(w, cl_buf_view(&s->ticket));
    cl_wr_close(w, m);
    m = cl_wr_open24(w);
    cl_wr_view(w, cl_buf_view(&s->peer_leaf));
    cl_wr_close(w, m);
}

int cleat_tls_session_export(const struct cleat_tls_session *session, uint8_t *out, size_t *len)
{
    size_t need = 1 + 2 + 2 + 8 + 4 + 4 + 4 + 8 + 1 + CL_SESSION_BINDING_LEN + 1U +
                  session->psk.len + 1 + session->alpn.len + 1U + session->session_id_len + 3 +
                  session->ticket.len + 3 + session->peer_leaf.len;
    if (*len < need) {
        *len = need;
        return CLEAT_ERR_LIMIT;
    }
    struct cl_wr w = cl_wr_of(out, *len);
    build(&w, session);
    *len = w.len;
    return cl_wr_ok(&w) ? CLEAT_OK : CLEAT_ERR_INTERNAL;
}

struct fields {
    struct cl_rd psk;
    struct cl_rd alpn;
    struct cl_rd id;
    struct cl_rd ticket;
    struct cl_rd leaf;
};

static bool parse(struct cl_rd r, struct cleat_tls_session *s, struct fields *f)
{
    uint8_t format;
    uint64_t not_after;
    uint8_t raw;
    struct cl_rd leaf;
    bool ok = cl_rd_u8(&r, &format) && format == SESSION_FORMAT && cl_rd_u16(&r, &s->version) &&
              cl_rd_u16(&r, &s->suite) && cl_rd_u64(&r, &s->received_ms) &&
              cl_rd_u32(&r, &s->lifetime) && cl_rd_u32(&r, &s->age_add) &&
              cl_rd_u32(&r, &s->early_max) && cl_rd_u64(&r, &not_after) && not_after <= INT64_MAX &&
              cl_rd_u8(&r, &raw) && raw <= 1 && cl_rd_copy(&r, s->binding, sizeof(s->binding)) &&
              cl_rd_vec8(&r, &f->psk) && cl_rd_vec8(&r, &f->alpn) && cl_rd_vec8(&r, &f->id) &&
              f->id.len <= sizeof(s->session_id) && cl_rd_vec24(&r, &f->ticket) &&
              cl_rd_vec24(&r, &f->leaf) && cl_rd_done(&r);
    const struct cl_suite *suite = ok ? cl_suite_by_id(s->suite) : NULL;
    size_t secret_len = suite == NULL                     ? 0
                        : suite->version == CLEAT_TLS_1_3 ? cl_hash_len(suite->hash)
                                                          : CL_MASTER_SECRET_LEN;
    if (suite == NULL || suite->version != s->version || f->psk.len != secret_len ||
        (f->ticket.len == 0) == (f->id.len == 0) || f->ticket.len > UINT16_MAX ||
        s->lifetime > CL_TICKET_MAX_LIFETIME) {
        return false;
    }
    s->not_after = (int64_t)not_after;
    s->peer_is_raw = raw != 0;
    /* empty, or one certificate or raw public key with its length */
    r = f->leaf;
    return f->leaf.len == 0 || (cl_rd_vec24(&r, &leaf) && cl_rd_done(&r));
}

int cleat_tls_session_import(const uint8_t *bytes, size_t len, struct cleat_tls_session **out)
{
    struct fields f;
    struct cleat_tls_session *s = cl_calloc(1, sizeof(*s));
    if (s == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    s->refs = 1;
    if (!parse(cl_rd_of(bytes, len), s, &f)) {
        cleat_tls_session_free(s);
        return CLEAT_ERR_DECODE;
    }
    s->psk.len = (uint8_t)f.psk.len;
    memcpy(s->psk.bytes, f.psk.p, f.psk.len);
    s->session_id_len = (uint8_t)f.id.len;
    if (f.id.len != 0) {
        memcpy(s->session_id, f.id.p, f.id.len);
    }
    cl_result r = cl_buf_append(&s->ticket, f.ticket.p, f.ticket.len, UINT16_MAX);
    if (r == CL_OK) {
        r = cl_buf_append(&s->peer_leaf, f.leaf.p, f.leaf.len, len);
    }
    if (r == CL_OK) {
        r = cl_buf_append(&s->alpn, f.alpn.p, f.alpn.len, UINT8_MAX);
    }
    if (r != CL_OK) {
        cleat_tls_session_free(s);
        return (int)r;
    }
    *out = s;
    return CLEAT_OK;
}
