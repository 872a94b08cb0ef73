/* tls/ext_groups.c - supported_groups (RFC 9846 4.3.7) and key_share (4.3.8). */
#include "tls/ext.h"
#include "tls/set16.h"

/* 16: more shares than there are groups worth sending; the set is for who sends more */
#define FEW_SHARES 16

cl_result cl_ext_supported_groups_parse(struct cleat_tls *tls, unsigned message, struct cl_rd body)
{
    struct cl_rd list;
    if (!cl_rd_vec16(&body, &list) || !cl_rd_done(&body) || list.len == 0 || list.len % 2 != 0) {
        return cl_tls_decode_error(tls, "supported_groups", "RFC 9846 4.3.7");
    }
    if (message == CL_EXT_CH) {
        tls->hs->parsed.groups = list;
    }
    /* RFC 9846 4.3.7: what a server says here is for later connections; we keep no such memory. In
     * TLS 1.2 it has no business here (RFC 8422 5.2), but servers in use send it */
    return CL_OK;
}

bool cl_ext_supported_groups_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w)
{
    if (message != CL_EXT_CH) {
        return false;
    }
    struct cl_wr_mark list = cl_wr_open16(w);
    cl_grease_number(tls, CL_GREASE_GROUP, w);
    for (size_t i = 0; i < tls->config->num_groups; i++) {
        const struct cl_group *group = tls->config->groups[i];
        /* RFC 10024: not "for any protocol version prior to TLS 1.3" */
        if (!group->post_quantum || tls->config->version_max >= CLEAT_TLS_1_3) {
            cl_wr_u16(w, group->id);
        }
    }
    /* RFC 7919 3: for DHE in TLS 1.2; a server of TLS 1.3 that wants one of them is refused */
    for (size_t i = 0; i < tls->config->num_fields; i++) {
        cl_wr_u16(w, tls->config->fields[i]->id);
    }
    cl_wr_close(w, list);
    return true;
}

struct seen_groups {
    size_t num;
    uint16_t few[FEW_SHARES];
    struct cl_set16 many;
};

/* Says whether the group was there already. */
static bool see_group(struct seen_groups *seen, uint16_t group)
{
    if (seen->num < FEW_SHARES) {
        for (size_t i = 0; i < seen->num; i++) {
            if (seen->few[i] == group) {
                return true;
            }
        }
        seen->few[seen->num++] = group;
        return false;
    }
    if (!seen->many.any) {
        for (size_t i = 0; i < FEW_SHARES; i++) {
            (void)cl_set16_add(&seen->many, seen->few[i]);
        }
    }
    return cl_set16_add(&seen->many, group);
}

/* RFC 9846 4.3.8: each share is for a group of supported_groups, and no group has two; servers may
 * check, and do here: a client that breaks it is broken. */
static cl_result parse_client_shares(struct cleat_tls *tls, struct cl_rd body)
{
    struct seen_groups seen;
    struct cl_rd list;
    seen.num = 0;
    seen.many.any = false;
    if (!cl_rd_vec16(&body, &list) || !cl_rd_done(&body)) {
        return cl_tls_decode_error(tls, "key_share", "RFC 9846 4.3.8");
    }
    tls->hs->parsed.key_shares = list;
    while (!cl_rd_done(&list)) {
        uint16_t group;
        struct cl_rd share;
        if (!cl_rd_u16(&list, &group) || !cl_rd_vec16(&list, &share) || share.len == 0) {
            return cl_tls_decode_error(tls, "key_share", "RFC 9846 4.3.8");
        }
        if (see_group(&seen, group)) {
            return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.3.8"),
                               "two key shares for group 0x%04x", group);
        }
    }
    return CL_OK;
}

cl_result cl_ext_key_share_parse(struct cleat_tls *tls, unsigned message, struct cl_rd body)
{
    struct cl_server_hello *sh = &tls->hs->server_hello;
    if (message == CL_EXT_CH) {
        return parse_client_shares(tls, body);
    }
    bool ok = cl_rd_u16(&body, &sh->group);
    if (message == CL_EXT_SH) {
        ok = ok && cl_rd_vec16(&body, &sh->share) && sh->share.len != 0;
    }
    return ok && cl_rd_done(&body) ? CL_OK
                                   : cl_tls_decode_error(tls, "key_share", "RFC 9846 4.3.8");
}

static void put_share(const struct cl_group *group, const uint8_t *share, size_t len,
                      struct cl_wr *w)
{
    cl_wr_u16(w, group->id);
    struct cl_wr_mark m = cl_wr_open16(w);
    cl_wr_bytes(w, share, len);
    cl_wr_close(w, m);
}

bool cl_ext_key_share_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w)
{
    const struct cl_hs *hs = tls->hs;
    if (message == CL_EXT_HRR) {
        cl_wr_u16(w, hs->hrr_group->id);
        return true;
    }
    if (message == CL_EXT_SH) {
        if (tls->group != NULL) {
            put_share(hs->share_group, hs->share, hs->share_len, w);
        }
        return tls->group != NULL; /* psk_ke has none */
    }
    if (tls->config->version_max < CLEAT_TLS_1_3) {
        return false;
    }
    struct cl_wr_mark list = cl_wr_open16(w);
    /* RFC 9846 4.3.8: after a HelloRetryRequest for a group there is one share alone */
    if (hs->hrr_group == NULL) {
        cl_grease_extension(tls, CL_GREASE_GROUP, 1, w); /* a KeyShareEntry has the same form */
    }
    put_share(hs->share_group, hs->share, hs->share_len, w);
    if (hs->second_group != NULL) {
        put_share(hs->second_group, hs->second_share.p, hs->second_share.len, w);
    }
    cl_wr_close(w, list);
    return true;
}
