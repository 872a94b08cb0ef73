/* config.c - see config.h. */
#include "config.h"

#include "host.h"

#include <stdlib.h>

struct cleat_tls_config *server_config(const char *cert_file, const char *key_file,
                                       const char *const *alpn, size_t num)
{
    struct cleat_error error = {0};
    struct cleat_chain *chain;
    struct cleat_key *key;
    struct cleat_tls_builder *builder;
    struct cleat_tls_config *config;
    size_t cert_len, key_len;
    char *cert_pem = read_file(cert_file, &cert_len), *key_pem = read_file(key_file, &key_len);
    must(cleat_chain_from_pem(cert_pem, cert_len, &chain, &error), &error);
    must(cleat_key_from_pem(key_pem, key_len, &key, &error), &error);
    must(cleat_tls_builder_new(CLEAT_SERVER, &builder), NULL);
    cleat_tls_builder_clock(builder, now_ms, NULL);
    must(cleat_tls_builder_credential(builder, chain, key), cleat_tls_builder_error(builder));
    if (num > 0) {
        must(cleat_tls_builder_alpn(builder, alpn, num), cleat_tls_builder_error(builder));
    }
    must(cleat_tls_builder_finish(builder, &config, &error), &error);
    cleat_key_free(key);
    cleat_chain_free(chain);
    free(key_pem);
    free(cert_pem);
    return config;
}

struct cleat_tls_config *client_config(const char *ca_file)
{
    struct cleat_error error = {0};
    struct cleat_trust_store *trust;
    struct cleat_tls_builder *builder;
    struct cleat_tls_config *config;
    size_t len;
    char *pem = read_file(ca_file, &len);
    must(cleat_trust_store_from_pem(pem, len, &trust, &error), &error);
    must(cleat_tls_builder_new(CLEAT_CLIENT, &builder), NULL);
    cleat_tls_builder_clock(builder, now_ms, NULL);
    must(cleat_tls_builder_trust(builder, trust), cleat_tls_builder_error(builder));
    must(cleat_tls_builder_finish(builder, &config, &error), &error);
    cleat_trust_store_free(trust);
    free(pem);
    return config;
}
