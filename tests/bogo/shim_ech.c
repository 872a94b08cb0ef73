/* tests/bogo/shim_ech.c - see shim_ech.h. */
#include "bogo/shim_ech.h"

#include <stdio.h>
#include <string.h>

#include "cleat/ech.h"

void shim_set_ech(struct cleat_tls_builder *b, const struct shim_options *o)
{
    struct cleat_ech_keys *keys;
    struct cleat_error err = {0};
    if (!o->server) {
        cleat_tls_builder_ech_grease(b, o->enable_ech_grease);
        return;
    }
    /* BoringSSL's server takes inner ClientHellos as they come */
    cleat_tls_builder_ech_backend(b, true);
    if (o->ech_server_configs.num == 0) {
        return;
    }
    if (cleat_ech_keys_new(&keys) != CLEAT_OK) {
        shim_fail("no memory");
    }
    for (size_t i = 0; i < o->ech_server_configs.num; i++) {
        const struct shim_bytes *config = &o->ech_server_configs.items[i];
        const struct shim_bytes *key = &o->ech_server_keys.items[i];
        if (cleat_ech_keys_add(keys, config->p, config->len, key->p, key->len,
                               o->ech_is_retry_config.items[i] != 0, &err) != CLEAT_OK) {
            shim_fail("%s", err.text);
        }
    }
    if (cleat_tls_builder_ech_keys(b, keys) != CLEAT_OK) {
        shim_fail("%s", cleat_tls_builder_error(b)->text);
    }
    cleat_ech_keys_free(keys);
}

void shim_offer_ech(const struct shim_conn *c)
{
    const struct shim_options *o = c->options;
    const struct shim_bytes *list = &o->ech_config_list;
    int r = list->len != 0 ? cleat_tls_offer_ech(c->tls, list->p, list->len) : CLEAT_OK;
    if (r == CLEAT_ERR_BAD_ECH_CONFIG) {
        shim_fail(":INVALID_ECH_CONFIG_LIST:");
    }
    if (o->reject_unusable_ech_config && (r != CLEAT_OK || list->len == 0)) {
        shim_fail(":UNUSABLE_ECH_CONFIG_LIST:");
    }
}

void shim_check_ech_name(const struct shim_conn *c, const struct shim_options *o)
{
    const char *name = cleat_tls_ech_public_name(c->tls);
    if (o->expect_no_ech_name_override && name != NULL) {
        shim_fail("Unexpected ECH name override.");
    }
    if (o->expect_ech_name_override != NULL &&
        (name == NULL || strcmp(name, o->expect_ech_name_override) != 0)) {
        shim_fail("ECH name did not match expected value.");
    }
}

void shim_check_ech(const struct shim_conn *c, const struct shim_options *o)
{
    if (o->expect_ech_accept && cleat_tls_ech_status(c->tls) != CLEAT_ECH_ACCEPTED) {
        shim_fail("ECH was not accepted");
    }
}

void shim_check_ech_retry(const struct shim_conn *c, const struct shim_options *o)
{
    size_t len;
    const uint8_t *list = cleat_tls_ech_retry_configs(c->tls, &len);
    const struct shim_bytes *want = &o->expect_ech_retry_configs;
    if (o->expect_no_ech_retry_configs && list != NULL) {
        shim_fail("Unexpected ECH retry configs.");
    }
    if (want->len != 0 && (list == NULL || len != want->len || memcmp(list, want->p, len) != 0)) {
        shim_fail("ECH retry configs did not match expected value.");
    }
}
