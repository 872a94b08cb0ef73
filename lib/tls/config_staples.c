/* tls/config_staples.c - a configuration like another one, with other OCSP responses.
 *
 * It borrows everything from its base but the credentials, which are its own, so that connections
 * read a response, and the messages it stands in, without a lock. The base is always a
 * configuration that a builder made: old generations do not pile up behind the newest.
 */
#include "base/mem.h"
#include "tls/config.h"
#include "tls/msg.h"

/* 4: the status type and the response's length go into the same 16-bit length */
#define MAX_STAPLE (UINT16_MAX - 4)

bool cl_staple_is_current(const struct cleat_tls_config *config, const struct cl_credential *c)
{
    return c->staple.len != 0 &&
           (c->staple_until_ms == 0 || cl_config_now(config) < c->staple_until_ms);
}

static bool valid(const struct cleat_tls_config *config, const struct cleat_staple *s)
{
    return s->credential < config->num_credentials &&
           config->credentials[s->credential].chain != NULL && s->len <= MAX_STAPLE &&
           (s->len == 0 || s->response != NULL);
}

/* What a builder was told about it; the messages are made later. */
static cl_result copy(struct cl_credential *to, const struct cl_credential *from)
{
    *to = (struct cl_credential){
        .chain = from->chain != NULL ? cleat_chain_ref(from->chain) : NULL,
        .key = cleat_key_ref(from->key),
        .staple_until_ms = from->staple_until_ms,
        .num_schemes = from->num_schemes,
        .match_issuer = from->match_issuer,
    };
    memcpy(to->schemes, from->schemes, sizeof(to->schemes));
    CL_TRY(cl_buf_append(&to->staple, from->staple.p, from->staple.len, MAX_STAPLE));
    return cl_buf_append(&to->scts, from->scts.p, from->scts.len, UINT16_MAX);
}

static cl_result set_staple(struct cl_credential *c, const struct cleat_staple *s)
{
    c->staple.len = 0;
    c->staple_until_ms = s->until_ms;
    return cl_buf_append(&c->staple, s->response, s->len, MAX_STAPLE);
}

static cl_result fill(struct cleat_tls_config *config, const struct cleat_tls_config *from,
                      const struct cleat_staple *staples, size_t num)
{
    config->credentials = cl_calloc(from->num_credentials, sizeof(*config->credentials));
    if (config->credentials == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    for (size_t i = 0; i < from->num_credentials; i++) {
        struct cl_credential *c = &config->credentials[config->num_credentials++];
        CL_TRY(copy(c, &from->credentials[i]));
        for (size_t k = 0; k < num; k++) {
            if (staples[k].credential == i) {
                CL_TRY(set_staple(c, &staples[k]));
            }
        }
        CL_TRY(cl_credential_prepare(c));
        CL_TRY(cl_config_prepare_credential(config, c));
    }
    return CL_OK;
}

int cleat_tls_config_with_staples(struct cleat_tls_config *config,
                                  const struct cleat_staple *staples, size_t num,
                                  struct cleat_tls_config **out)
{
    for (size_t i = 0; i < num; i++) {
        if (!valid(config, &staples[i])) {
            return CLEAT_ERR_USAGE;
        }
    }
    struct cleat_tls_config *made = cl_alloc(sizeof(*made));
    if (made == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    *made = *config;
    made->refs = 1;
    made->base = cleat_tls_config_ref(config->base != NULL ? config->base : config);
    made->credentials = NULL;
    made->num_credentials = 0;
    cl_result r = fill(made, config, staples, num);
    if (r != CL_OK) {
        cleat_tls_config_free(made);
        return (int)r;
    }
    *out = made;
    return CLEAT_OK;
}

const struct cleat_chain *cleat_tls_config_chain(const struct cleat_tls_config *config,
                                                 size_t credential)
{
    return credential < config->num_credentials ? config->credentials[credential].chain : NULL;
}
