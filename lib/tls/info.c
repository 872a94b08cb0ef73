/* tls/info.c - what was agreed: for the application, after READY. */
#include "cleat/profile.h"
#include "cleat/tls_options.h"
#include "tls/conn.h"
#include "tls/version.h"

/* The configuration keeps its list a second time with NULs for the lengths, at the same offsets. */
static const char *alpn_text(const struct cleat_tls *tls)
{
    const struct cleat_tls_config *c = tls->config;
    return tls->alpn.len != 0 ? (const char *)c->alpn_text.p + (tls->alpn.p - c->alpn.p) : NULL;
}

int cleat_tls_info(const struct cleat_tls *tls, struct cleat_tls_info *out)
{
    bool early =
        tls->false_start || (cl_is_server(tls) && tls->early_data == CLEAT_EARLY_DATA_ACCEPTED);
    if (!tls->established && !early) {
        return CLEAT_ERR_USAGE;
    }
    *out = (struct cleat_tls_info){
        .version = tls->version,
        .cipher = tls->suite->id,
        .cipher_name = tls->suite->name,
        .group = tls->group != NULL ? tls->group->id : 0,
        .group_name = tls->group != NULL ? tls->group->name : NULL,
        .signature_name = tls->peer_scheme != NULL ? tls->peer_scheme->name : NULL,
        .alpn = alpn_text(tls),
        .server_name = tls->server_name,
        .resumed = tls->resumed,
        .hello_retry = tls->hello_retry,
        .peer_authenticated = tls->peer_authenticated,
        .early_data = cleat_tls_early_data_status(tls),
        .cert_compression = tls->cert_compression != NULL ? tls->cert_compression->name : NULL,
    };
    return CLEAT_OK;
}

const char *cleat_tls_weakness(const struct cleat_tls *tls, size_t i, const char **text)
{
    const struct cl_weakness *w = tls->established ? cl_suite_weakness(tls->suite, i) : NULL;
    *text = w != NULL ? w->text : NULL;
    return w != NULL ? w->what : NULL;
}

int cleat_tls_peer_cert(const struct cleat_tls *tls, size_t i, const uint8_t **der, size_t *len)
{
    struct cl_rd chain = cl_buf_view(&tls->peer_chain);
    struct cl_rd cert;
    if (tls->peer_is_raw) {
        return CLEAT_ERR_NO_CERTIFICATE;
    }
    do {
        if (!cl_rd_vec24(&chain, &cert)) {
            return CLEAT_ERR_NO_CERTIFICATE;
        }
    } while (i-- > 0);
    *der = cert.p;
    *len = cert.len;
    return CLEAT_OK;
}

int cleat_tls_own_cert(const struct cleat_tls *tls, size_t i, const uint8_t **der, size_t *len)
{
    const struct cleat_chain *chain = tls->own != NULL ? tls->own->chain : NULL;
    if (chain == NULL || i >= cleat_chain_num(chain)) {
        return CLEAT_ERR_NO_CERTIFICATE;
    }
    *der = cleat_cert_der(cleat_chain_at(chain, i), len);
    return CLEAT_OK;
}

const uint8_t *cleat_tls_peer_staple(const struct cleat_tls *tls, size_t *len)
{
    *len = tls->peer_staple.len;
    return *len != 0 ? tls->peer_staple.p : NULL;
}

const uint8_t *cleat_tls_peer_scts(const struct cleat_tls *tls, size_t *len)
{
    *len = tls->peer_scts.len;
    return *len != 0 ? tls->peer_scts.p : NULL;
}

const struct cleat_cert *cleat_tls_peer_leaf(const struct cleat_tls *tls)
{
    bool asked = cleat_tls_decision(tls) == CLEAT_DECIDE_IDENTITY;
    return tls->peer_authenticated || asked ? tls->peer_leaf : NULL;
}

const struct cleat_verdict *cleat_tls_verdict(const struct cleat_tls *tls)
{
    return tls->verdict;
}

void cleat_tls_forget(struct cleat_tls *tls)
{
    if (tls->established) {
        cl_conn_drop_peer(tls);
        cleat_verdict_free(tls->verdict);
        tls->verdict = NULL;
    }
}

int cleat_tls_export(const struct cleat_tls *tls, const char *label, const uint8_t *context,
                     size_t context_len, uint8_t *out, size_t out_len)
{
    /* 8,160 = 255 * 32: HKDF-Expand's own limit with the shortest hash; 249: HkdfLabel's label */
    if ((!tls->established && !tls->false_start) || tls->failed || out_len == 0 || out_len > 8160 ||
        strlen(label) > 249) {
        return CLEAT_ERR_USAGE;
    }
    /* RFC 7627 5.4: without it "an attacker can … create two connections with the same exported
     * keying material" */
    if (tls->unbound_12) {
        return CLEAT_ERR_UNSUPPORTED;
    }
    tls->protocol->export_(tls, label, cl_rd_of(context, context_len), context != NULL, out,
                           out_len);
    return CLEAT_OK;
}

struct cleat_tls_session *cleat_tls_take_session(struct cleat_tls *tls)
{
    struct cleat_tls_session *newest = tls->sessions;
    if (newest != NULL) {
        tls->sessions = newest->next;
        newest->next = NULL;
    }
    return newest;
}
