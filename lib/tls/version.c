/* tls/version.c - the versions (version.h). */
#include "tls/version.h"

#include "tls/msg.h"
#include "tls/prf.h"

static bool scheme_fits_13(const struct cl_sig_alg *alg, enum cl_key_type type)
{
    return alg->tls13 && cl_sig_alg_fits(alg, type);
}

/* RFC 8422 5.10, 5.4: ECDSA schemes of TLS 1.2 do not name the curve */
static bool scheme_fits_12(const struct cl_sig_alg *alg, enum cl_key_type type)
{
    bool curve = type == CL_KEY_EC_P256 || type == CL_KEY_EC_P384 || type == CL_KEY_EC_P521;
    bool ecdsa = alg->padding == CL_PAD_NONE && alg->hash != CL_HASH_NONE;
    return alg->tls12 && (cl_sig_alg_fits(alg, type) || (ecdsa && curve));
}

static void export_13(const struct cleat_tls *tls, const char *label, struct cl_rd context,
                      bool has_context, uint8_t *out, size_t out_len)
{
    cl_exporter(tls->suite->hash, &tls->exporter, label, context, out, out_len);
}

/* RFC 5705 4: client random, server random, and the context with its length if there is one. */
static void export_12(const struct cleat_tls *tls, const char *label, struct cl_rd context,
                      bool has_context, uint8_t *out, size_t out_len)
{
    uint8_t head[2 * CL_RANDOM_LEN + 2];
    size_t head_len = 2 * CL_RANDOM_LEN;
    memcpy(head, tls->randoms_12, 2 * CL_RANDOM_LEN);
    if (has_context) {
        head[head_len++] = (uint8_t)(context.len >> 8);
        head[head_len++] = (uint8_t)context.len;
    }
    cl_prf_once(tls->suite->hash, cl_rd_of(tls->exporter.bytes, tls->exporter.len), label,
                cl_rd_of(head, head_len), context, out, out_len);
}

static cl_result rekey_12(struct cleat_tls *tls, struct cleat_tls_io *io, bool request_peer)
{
    return cl_tls_fail(
        tls, CL_WHY(LIMIT, "RFC 9325 4.4"),
        "as many records as %s allows were sent under one key; TLS 1.2 cannot change "
        "it",
        tls->suite->name);
}

const struct cl_version cl_version_13 = {
    .number = CLEAT_TLS_1_3,
    .name = "TLS 1.3",
    .rows = {cl_hs_client_13, cl_hs_server_13},
    .alert_no_certificate = 116,
    .scheme_fits = scheme_fits_13,
    .export_ = export_13,
    .rekey = cl_key_update_send,
};

const struct cl_version cl_version_12 = {
    .number = CLEAT_TLS_1_2,
    .name = "TLS 1.2",
    .rows = {cl_hs_client_12, cl_hs_server_12},
    .ccs_is_message = true,
    .has_warnings = true,
    .any_curve = true,
    .has_unique = true,
    .alert_no_certificate = 40,
    .scheme_fits = scheme_fits_12,
    .export_ = export_12,
    .rekey = rekey_12,
};
