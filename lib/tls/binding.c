/* tls/binding.c - channel bindings: what ties a login of the application to this very connection
 * (RFC 9266, RFC 5929). */
#include "cleat/tls_auth.h"
#include "tls/conn.h"
#include "tls/version.h"

/* RFC 9266 2 */
#define EXPORTER_LABEL "EXPORTER-Channel-Binding"
#define EXPORTER_LEN   32

static int from_exporter(const struct cleat_tls *tls, uint8_t *out, size_t *len)
{
    static const uint8_t no_context[1]; /* there, and of length 0: RFC 5705 4 tells the two apart */
    *len = EXPORTER_LEN;
    return cleat_tls_export(tls, EXPORTER_LABEL, no_context, 0, out, EXPORTER_LEN);
}

/* RFC 5929 3.1; RFC 9266 4.2: not defined for TLS 1.3. Without the extended master secret it can be
 * the same in two connections (RFC 7627 1). */
static int from_finished(const struct cleat_tls *tls, uint8_t *out, size_t *len)
{
    if (!tls->protocol->has_unique || tls->unbound_12) {
        return CLEAT_ERR_UNSUPPORTED;
    }
    *len = CL_VERIFY_DATA_LEN;
    memcpy(out, tls->first_finished, CL_VERIFY_DATA_LEN);
    return CLEAT_OK;
}

/* RFC 5929 4.1: the hash is that of the certificate's own signature; in place of MD5 and SHA-1 it
 * is SHA-256; a signature without one hash (EdDSA) has no such binding. */
static int hash_certificate(struct cl_rd der, uint8_t *out, size_t *len)
{
    struct cleat_cert *cert = NULL;
    cl_result r = cl_cert_parse(&cert, der, NULL);
    if (r != CL_OK) {
        return (int)r;
    }
    const struct cl_sig_alg *alg = cl_cert_sig_alg(cert);
    if (alg == NULL || alg->hash == CL_HASH_NONE) {
        r = CLEAT_ERR_UNSUPPORTED;
    } else {
        cl_hash_once(alg->hash, der.p, der.len, out);
        *len = cl_hash_len(alg->hash);
    }
    cleat_cert_free(cert);
    return (int)r;
}

static int from_server_certificate(const struct cleat_tls *tls, uint8_t *out, size_t *len)
{
    struct cl_rd chain = cl_buf_view(&tls->peer_chain);
    struct cl_rd leaf;
    if (cl_is_server(tls)) {
        if (tls->own == NULL) {
            return CLEAT_ERR_NO_CERTIFICATE;
        }
        if (tls->own->chain == NULL) {
            return CLEAT_ERR_UNSUPPORTED;
        }
        leaf = cl_cert_der(cl_chain_at(tls->own->chain, 0));
    } else if (tls->peer_is_raw) { /* RFC 5929 4.1 is about certificates */
        return CLEAT_ERR_UNSUPPORTED;
    } else if (!cl_rd_vec24(&chain, &leaf)) {
        return CLEAT_ERR_NO_CERTIFICATE;
    }
    return hash_certificate(leaf, out, len);
}

int cleat_tls_channel_binding(const struct cleat_tls *tls, enum cleat_channel_binding type,
                              uint8_t out[CLEAT_CHANNEL_BINDING_MAX], size_t *len)
{
    *len = 0;
    if (!tls->established || tls->failed) {
        return CLEAT_ERR_USAGE;
    }
    int r = type == CLEAT_BINDING_TLS_EXPORTER ? from_exporter(tls, out, len)
            : type == CLEAT_BINDING_TLS_UNIQUE ? from_finished(tls, out, len)
                                               : from_server_certificate(tls, out, len);
    *len = r == CLEAT_OK ? *len : 0;
    return r;
}
