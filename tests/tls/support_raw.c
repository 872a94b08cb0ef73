/* tests/tls/support_raw.c - see support_raw.h. */
#include "tls/support_raw.h"

struct raw_keys raw;

int raw_setup(void **state)
{
    if (test_world_setup(state) != 0 || cl_key_generate(&raw.server, CL_KEY_EC_P256, 0) != CL_OK ||
        cl_key_generate(&raw.client, CL_KEY_EC_P256, 0) != CL_OK) {
        return -1;
    }
    return 0;
}

int raw_teardown(void **state)
{
    cleat_key_free(raw.server);
    cleat_key_free(raw.client);
    return test_world_teardown(state);
}

void raw_pin(struct cleat_tls_builder *b, const struct cleat_key *key)
{
    char pin[CLEAT_RAW_PIN_LEN + 1];
    cleat_key_pin(key, pin);
    assert_int_equal(cleat_tls_builder_raw_pin(b, pin), CLEAT_OK);
}

void raw_show(struct cleat_tls_builder *b, struct cleat_key *key)
{
    assert_int_equal(cleat_tls_builder_raw_key(b, key), CLEAT_OK);
}

static void take_raw_alone(struct cleat_tls_builder *b)
{
    static const enum cleat_cert_type only[] = {CLEAT_CERT_TYPE_RAW_PUBLIC_KEY};
    assert_int_equal(cleat_tls_builder_peer_types(b, only, 1), CLEAT_OK);
}

void raw_ask(struct cleat_tls_builder *s, const struct cleat_key *pinned)
{
    take_raw_alone(s);
    raw_pin(s, pinned);
    cleat_tls_builder_client_auth(s, CLEAT_CLIENT_AUTH_REQUIRED);
}

struct cleat_tls_builder *raw_client(uint16_t version, const struct cleat_key *pinned)
{
    struct cleat_tls_builder *c = test_client_builder();
    assert_int_equal(cleat_tls_builder_versions(c, version, version), CLEAT_OK);
    take_raw_alone(c);
    if (pinned != NULL) {
        raw_pin(c, pinned);
    }
    return c;
}

struct cleat_tls_builder *raw_server(uint16_t version, const struct test_identity *id,
                                     struct cleat_key *key)
{
    struct cleat_tls_builder *s = test_server_builder_with(id);
    assert_int_equal(cleat_tls_builder_versions(s, version, version), CLEAT_OK);
    raw_show(s, key);
    return s;
}
