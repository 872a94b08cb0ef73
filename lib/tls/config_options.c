/* tls/config_options.c - a builder's setters for what is optional (cleat/tls_options.h). */
#include "cleat/tls_options.h"

#include "cleat/fingerprint.h"
#include "cleat/tls_auth.h"

#include "tls/builder.h"
#include "tls/ext.h"
#include "tls/hook.h"

/* ---- records ---- */

int cleat_tls_builder_record_size_limit(struct cleat_tls_builder *b, unsigned limit)
{
    if (limit < CL_RECORD_SIZE_LIMIT_MIN || limit > CL_RECORD_MAX_PLAIN + 1) {
        return (int)cl_error_set(&b->error, CL_WHY(BAD_CONFIG, "RFC 8449 4"),
                                 "a record size limit is %d to %d, not %u",
                                 CL_RECORD_SIZE_LIMIT_MIN, CL_RECORD_MAX_PLAIN + 1, limit);
    }
    b->config->record_size_limit = (uint16_t)limit;
    return CLEAT_OK;
}

int cleat_tls_builder_padding(struct cleat_tls_builder *b, unsigned multiple)
{
    if (multiple > CL_RECORD_MAX_PLAIN) {
        return (int)cl_error_set(&b->error, CL_WHY(BAD_CONFIG, "RFC 9846 5.4"),
                                 "records can be padded to a multiple of at most %d, not %u",
                                 CL_RECORD_MAX_PLAIN, multiple);
    }
    b->config->pad_to = (uint16_t)multiple;
    return CLEAT_OK;
}

int cleat_tls_builder_max_fragment(struct cleat_tls_builder *b, unsigned max)
{
    if (max != 0 && (max < CL_RECORD_SIZE_LIMIT_MIN || max > CL_RECORD_MAX_PLAIN)) {
        return (int)cl_error_set(&b->error, CL_WHY(BAD_CONFIG, "RFC 9846 5.1"),
                                 "a record can be limited to %d to %d bytes, not to %u",
                                 CL_RECORD_SIZE_LIMIT_MIN, CL_RECORD_MAX_PLAIN, max);
    }
    b->config->max_fragment = (uint16_t)max;
    return CLEAT_OK;
}

void cleat_tls_builder_small_first_records(struct cleat_tls_builder *b, bool on)
{
    b->config->small_first_records = on;
}

/* ---- TLS 1.2 ---- */

void cleat_tls_builder_renegotiation_ends(struct cleat_tls_builder *b, bool on)
{
    b->config->renegotiation_ends = on;
}

/* ---- what a client says ---- */

void cleat_tls_builder_late_auth(struct cleat_tls_builder *b, bool on)
{
    b->config->late_auth = on;
}

void cleat_tls_builder_grease(struct cleat_tls_builder *b, bool on)
{
    b->config->grease = on;
}

void cleat_tls_builder_permute(struct cleat_tls_builder *b, bool on)
{
    b->config->permute = on;
}

void cleat_tls_builder_resumption(struct cleat_tls_builder *b, bool on)
{
    b->config->no_resumption = !on;
}

int cleat_tls_builder_ask_tickets(struct cleat_tls_builder *b, unsigned full, unsigned resumed)
{
    if (full > CL_MAX_WAITING_SESSIONS || resumed > CL_MAX_WAITING_SESSIONS) {
        return (int)cl_error_set(&b->error, CL_WHY(BAD_CONFIG, "RFC 9149 3"),
                                 "%u and %u tickets asked for; at most %d can wait to be taken",
                                 full, resumed, CL_MAX_WAITING_SESSIONS);
    }
    b->config->ask_tickets = true;
    b->config->ask_tickets_new = (uint8_t)full;
    b->config->ask_tickets_resumed = (uint8_t)resumed;
    return CLEAT_OK;
}

void cleat_tls_builder_fingerprints(struct cleat_tls_builder *b, bool on)
{
    b->config->fingerprints = on;
}

/* ---- what a server chooses, and asks for ---- */

void cleat_tls_builder_prefer_chacha20(struct cleat_tls_builder *b, bool on)
{
    b->config->prefer_chacha20 = on;
}

int cleat_tls_builder_authorities(struct cleat_tls_builder *b, const struct cleat_name *names,
                                  size_t num)
{
    struct cl_buf *list = &b->config->authorities;
    list->len = 0;
    b->config->authorities_set = true;
    for (size_t i = 0; i < num; i++) {
        uint8_t prefix[2] = {(uint8_t)(names[i].len >> 8), (uint8_t)names[i].len};
        bool is_name = names[i].len >= 2 && names[i].der[0] == 0x30;
        if (!is_name || list->len + 2 + names[i].len > CL_EXT_MAX_AUTHORITIES) {
            return (int)cl_error_set(&b->error, CL_WHY(BAD_CONFIG, "RFC 9846 4.3.4"),
                                     "authority %zu of %zu is not a DER Name, or they take more "
                                     "than %d bytes",
                                     i + 1, num, CL_EXT_MAX_AUTHORITIES);
        }
        cl_result r = cl_buf_append(list, prefix, sizeof(prefix), CL_EXT_MAX_AUTHORITIES);
        if (r == CL_OK) {
            r = cl_buf_append(list, names[i].der, names[i].len, CL_EXT_MAX_AUTHORITIES);
        }
        if (r != CL_OK) {
            return cl_builder_fail(b, r);
        }
    }
    return CLEAT_OK;
}

void cleat_tls_builder_insist_on_credential(struct cleat_tls_builder *b, bool on)
{
    b->config->insist_on_credential = on;
}

void cleat_tls_builder_verify_cache(struct cleat_tls_builder *b, struct cleat_verify_cache *cache)
{
    cleat_verify_cache_free(b->config->verify_cache);
    b->config->verify_cache = cache != NULL ? cleat_verify_cache_ref(cache) : NULL;
}

/* ---- proofs that travel with a certificate ---- */

static struct cl_credential *newest_credential(struct cleat_tls_builder *b, const char *what)
{
    struct cleat_tls_config *c = b->config;
    if (c->num_credentials == 0) {
        (void)cl_error_set(&b->error, CL_WHY(BAD_CONFIG, NULL),
                           "%s was given before the certificate that it belongs to", what);
        return NULL;
    }
    if (c->credentials[c->num_credentials - 1].chain == NULL) {
        (void)cl_error_set(&b->error, CL_WHY(BAD_CONFIG, "RFC 7250 3"),
                           "%s was given for a raw public key, which has no certificate", what);
        return NULL;
    }
    return &c->credentials[c->num_credentials - 1];
}

static int replace(struct cleat_tls_builder *b, struct cl_buf *buf, const uint8_t *p, size_t len)
{
    buf->len = 0;
    cl_result r = cl_buf_append(buf, p, len, UINT16_MAX);
    return r == CL_OK ? CLEAT_OK : cl_builder_fail(b, r);
}

int cleat_tls_builder_staple(struct cleat_tls_builder *b, const uint8_t *response, size_t len)
{
    struct cl_credential *credential = newest_credential(b, "an OCSP response");
    /* 4: the status type and the response's length go into the same 16-bit length */
    if (credential != NULL && (len == 0 || len > UINT16_MAX - 4)) {
        return (int)cl_error_set(&b->error, CL_WHY(BAD_CONFIG, "RFC 9846 4.5.1.1"),
                                 "an OCSP response to be sent has 1 to %d bytes, not %zu",
                                 UINT16_MAX - 4, len);
    }
    return credential == NULL ? b->error.code : replace(b, &credential->staple, response, len);
}

int cleat_tls_builder_scts(struct cleat_tls_builder *b, const uint8_t *list, size_t len)
{
    struct cl_credential *credential = newest_credential(b, "a list of SCTs");
    if (credential != NULL && !cl_ext_scts_valid(cl_rd_of(list, len))) {
        return (int)cl_error_set(&b->error, CL_WHY(BAD_CONFIG, "RFC 6962 3.3"),
                                 "these %zu bytes are not a SignedCertificateTimestampList", len);
    }
    return credential == NULL ? b->error.code : replace(b, &credential->scts, list, len);
}

/* ---- compression of certificates ---- */

int cleat_tls_builder_cert_compression(struct cleat_tls_builder *b, const char *list)
{
    struct cleat_tls_config *c = b->config;
    c->num_compressions = 0;
    if (strcmp(list, "none") == 0) {
        return CLEAT_OK;
    }
    while (*list != '\0') {
        size_t len = strcspn(list, ":,");
        const struct cl_compression *alg = cl_compression_by_name(list, len);
        if (alg == NULL) {
            return (int)cl_error_set(&b->error,
                                     CL_WHY_HINT(BAD_CONFIG, "RFC 8879 7.3",
                                                 "there are brotli, zstd and zlib, as far as they "
                                                 "were built in, and none"),
                                     "unknown compression \"%.*s\"", (int)(len < 40 ? len : 40),
                                     list);
        }
        bool twice = false;
        for (size_t i = 0; i < c->num_compressions; i++) {
            twice = twice || c->compressions[i] == alg;
        }
        if (!twice) {
            c->compressions[c->num_compressions++] = alg;
        }
        list += len + (list[len] != '\0' ? 1 : 0);
    }
    return CLEAT_OK;
}

void cl_tls_builder_compressions(struct cleat_tls_builder *b,
                                 const struct cl_compression *const *list, size_t num)
{
    memcpy(b->config->compressions, list, num * sizeof(list[0]));
    b->config->num_compressions = num;
}

void cleat_tls_builder_ask_status(struct cleat_tls_builder *b, bool ask)
{
    b->config->ask_status = ask;
}
