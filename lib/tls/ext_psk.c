/* tls/ext_psk.c - psk_key_exchange_modes (RFC 9846 4.3.9), early_data (4.3.10), pre_shared_key
 * (4.3.11). Which PSK is good enough is decided in server_select.c. */
#include "cleat/tls_psk.h"
#include "tls/ech.h"
#include "tls/ext.h"
#include "tls/psk.h"

cl_result cl_ext_psk_modes_parse(struct cleat_tls *tls, unsigned message, struct cl_rd body)
{
    struct cl_rd list;
    uint8_t mode;
    if (!cl_rd_vec8(&body, &list) || !cl_rd_done(&body) || cl_rd_done(&list)) {
        return cl_tls_decode_error(tls, "psk_key_exchange_modes", "RFC 9846 4.3.9");
    }
    tls->hs->parsed.has_psk_modes = true;
    while (cl_rd_u8(&list, &mode)) {
        tls->hs->parsed.psk_dhe_ke = tls->hs->parsed.psk_dhe_ke || mode == CL_PSK_MODE_DHE_KE;
        tls->hs->parsed.psk_ke = tls->hs->parsed.psk_ke || mode == CL_PSK_MODE_KE;
    }
    return CL_OK;
}

bool cl_ext_psk_modes_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w)
{
    if (tls->config->version_max < CLEAT_TLS_1_3 ||
        (tls->config->no_resumption && tls->config->num_psks == 0)) {
        return false;
    }
    /* sent even without a PSK: it tells the server that tickets are of use (RFC 9846 4.7.1) */
    struct cl_wr_mark list = cl_wr_open8(w);
    if ((tls->config->psk_modes & CLEAT_PSK_DHE_KE) != 0) {
        cl_wr_u8(w, CL_PSK_MODE_DHE_KE);
    }
    if ((tls->config->psk_modes & CLEAT_PSK_KE) != 0) {
        cl_wr_u8(w, CL_PSK_MODE_KE);
    }
    cl_wr_close(w, list);
    return true;
}

cl_result cl_ext_early_data_parse(struct cleat_tls *tls, unsigned message, struct cl_rd body)
{
    uint32_t max_size;
    bool ok = message == CL_EXT_NST ? cl_rd_u32(&body, &max_size) && cl_rd_done(&body)
                                    : cl_rd_done(&body);
    if (!ok) {
        return cl_tls_decode_error(tls, "early_data", "RFC 9846 4.3.10");
    }
    if (message == CL_EXT_CH) {
        tls->hs->parsed.early_data = true;
    }
    return CL_OK;
}

bool cl_ext_early_data_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w)
{
    switch (message) {
    case CL_EXT_NST:
        cl_wr_u32(w, tls->config->early_max);
        return tls->config->early_max != 0;
    case CL_EXT_CH:
        return tls->early_data == CLEAT_EARLY_DATA_OFFERED;
    default:
        return tls->early_data == CLEAT_EARLY_DATA_ACCEPTED;
    }
}

static cl_result parse_offered(struct cleat_tls *tls, struct cl_rd body)
{
    struct cl_client_hello *ch = &tls->hs->parsed;
    size_t num_identities = 0;
    size_t num_binders = 0;
    if (!cl_rd_vec16(&body, &ch->psk_identities)) {
        return cl_tls_decode_error(tls, "pre_shared_key", "RFC 9846 4.3.11");
    }
    ch->binders_at = (size_t)(body.p - tls->hs->hello.p);
    if (!cl_rd_vec16(&body, &ch->psk_binders) || !cl_rd_done(&body)) {
        return cl_tls_decode_error(tls, "pre_shared_key", "RFC 9846 4.3.11");
    }
    struct cl_rd identities = ch->psk_identities;
    struct cl_rd binders = ch->psk_binders;
    while (!cl_rd_done(&identities)) {
        struct cl_rd identity;
        uint32_t age;
        if (!cl_rd_vec16(&identities, &identity) || identity.len == 0 ||
            !cl_rd_u32(&identities, &age)) {
            return cl_tls_decode_error(tls, "pre_shared_key", "RFC 9846 4.3.11");
        }
        num_identities++;
    }
    while (!cl_rd_done(&binders)) {
        struct cl_rd binder;
        if (!cl_rd_vec8(&binders, &binder) || binder.len < 32) {
            return cl_tls_decode_error(tls, "pre_shared_key", "RFC 9846 4.3.11");
        }
        num_binders++;
    }
    if (num_identities == 0 || num_binders == 0) {
        return cl_tls_decode_error(tls, "pre_shared_key", "RFC 9846 4.3.11");
    }
    if (num_identities != num_binders) {
        return cl_tls_fail(tls, CL_WHY(ILLEGAL_PARAMETER, "RFC 9846 4.3.11"),
                           "%zu PSK identities but %zu binders", num_identities, num_binders);
    }
    return CL_OK;
}

cl_result cl_ext_pre_shared_key_parse(struct cleat_tls *tls, unsigned message, struct cl_rd body)
{
    if (message == CL_EXT_CH) {
        return parse_offered(tls, body);
    }
    tls->hs->server_hello.has_psk = true;
    if (!cl_rd_u16(&body, &tls->hs->server_hello.psk_index) || !cl_rd_done(&body)) {
        return cl_tls_decode_error(tls, "pre_shared_key", "RFC 9846 4.3.11");
    }
    return CL_OK;
}

/* The binders are written as zeros here and computed over the finished message
 * (msg_client_hello.c). */
static bool build_offered(struct cleat_tls *tls, struct cl_wr *w)
{
    struct cl_psk_offer offers[CL_PSK_MAX_OFFERED + 1];
    size_t num = cl_psk_offers(tls, offers);
    if (cl_ech_form(tls) == CL_ECH_OUTER) {
        return cl_ech_put_dummy_psks(tls, offers, num, w);
    }
    struct cl_wr_mark list = cl_wr_open16(w);
    for (size_t i = 0; i < num; i++) {
        struct cl_wr_mark identity = cl_wr_open16(w);
        cl_wr_view(w, offers[i].identity);
        cl_wr_close(w, identity);
        cl_wr_u32(w, offers[i].age);
    }
    cl_wr_close(w, list);
    list = cl_wr_open16(w);
    for (size_t i = 0; i < num; i++) {
        struct cl_wr_mark binder = cl_wr_open8(w);
        cl_wr_zeros(w, cl_hash_len(offers[i].hash));
        cl_wr_close(w, binder);
    }
    cl_wr_close(w, list);
    return num != 0;
}

bool cl_ext_pre_shared_key_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w)
{
    if (message == CL_EXT_CH) {
        return build_offered(tls, w);
    }
    if (!tls->hs->psk_selected) {
        return false;
    }
    cl_wr_u16(w, tls->hs->psk_index);
    return true;
}
