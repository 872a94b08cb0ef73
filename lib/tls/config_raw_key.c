/* tls/config_raw_key.c - a builder's setters for raw public keys (cleat/tls_rawkey.h). */
#include "base/text.h"
#include "tls/builder.h"
#include "tls/msg.h"
#include "tls/raw_key.h"

int cleat_tls_builder_raw_key(struct cleat_tls_builder *b, struct cleat_key *key)
{
    return cl_builder_credential(b, NULL, key);
}

/* ---- types ---- */

static int set_types(struct cleat_tls_builder *b, const enum cleat_cert_type *types, size_t num,
                     uint8_t out[CL_CERT_TYPE_COUNT], size_t *out_num)
{
    bool ok = num == 1 || (num == 2 && types[0] != types[1]);
    for (size_t i = 0; ok && i < num; i++) {
        ok = types[i] == CLEAT_CERT_TYPE_X509 || types[i] == CLEAT_CERT_TYPE_RAW_PUBLIC_KEY;
        out[i] = (uint8_t)types[i];
    }
    *out_num = ok ? num : *out_num;
    return ok ? CLEAT_OK
              : (int)cl_error_set(&b->error, CL_WHY(BAD_CONFIG, "RFC 7250 3"),
                                  "certificate types are X.509 (0) and raw public keys (2), none "
                                  "of them twice");
}

int cleat_tls_builder_own_types(struct cleat_tls_builder *b, const enum cleat_cert_type *types,
                                size_t num)
{
    return set_types(b, types, num, b->config->own_types, &b->config->num_own_types);
}

int cleat_tls_builder_peer_types(struct cleat_tls_builder *b, const enum cleat_cert_type *types,
                                 size_t num)
{
    return set_types(b, types, num, b->config->peer_types, &b->config->num_peer_types);
}

/* ---- pins ---- */

static int add_pin(struct cleat_tls_builder *b, const uint8_t digest[CL_RAW_PIN_LEN])
{
    struct cleat_tls_config *c = b->config;
    if (c->num_raw_pins == CL_RAW_PIN_MAX) {
        return (int)cl_error_set(&b->error, CL_WHY(LIMIT, NULL),
                                 "more than %d pins of raw public keys", CL_RAW_PIN_MAX);
    }
    uint8_t(*list)[CL_RAW_PIN_LEN] =
        cl_realloc(c->raw_pins, (c->num_raw_pins + 1) * sizeof(c->raw_pins[0]));
    if (list == NULL) {
        return cl_builder_fail(b, CLEAT_ERR_NOMEM);
    }
    memcpy(list[c->num_raw_pins++], digest, CL_RAW_PIN_LEN);
    c->raw_pins = list;
    return CLEAT_OK;
}

int cleat_tls_builder_raw_pin(struct cleat_tls_builder *b, const char *pin)
{
    static const char prefix[] = "sha256//";
    const size_t prefix_len = sizeof(prefix) - 1;
    uint8_t digest[CL_RAW_PIN_LEN];
    size_t len = strlen(pin);
    size_t got = 0;
    if (len != CLEAT_RAW_PIN_LEN || memcmp(pin, prefix, prefix_len) != 0 ||
        !cl_base64_decode(pin + prefix_len, len - prefix_len, false, digest, sizeof(digest),
                          &got) ||
        got != sizeof(digest)) {
        return (int)cl_error_set(&b->error,
                                 CL_WHY_HINT(BAD_CONFIG, "RFC 7469 2.4",
                                             "`cleat cert show` prints the pin of a certificate's "
                                             "key"),
                                 "\"%.60s\" is not \"sha256//\" and the base64 of 32 bytes", pin);
    }
    return add_pin(b, digest);
}

int cleat_tls_builder_raw_pin_key(struct cleat_tls_builder *b, const uint8_t *spki, size_t len)
{
    uint8_t digest[CL_RAW_PIN_LEN];
    struct cl_pubkey *key = NULL;
    cl_result r = cl_pubkey_parse(&key, cl_rd_of(spki, len));
    cl_pubkey_free(key);
    if (r == CLEAT_ERR_NOMEM) {
        return cl_builder_fail(b, r);
    }
    if (r != CL_OK) {
        return (int)cl_error_set(&b->error, CL_WHY(BAD_CONFIG, "RFC 7250 3"),
                                 "these %zu bytes are not a SubjectPublicKeyInfo: %s", len,
                                 cleat_error_sentence((int)r));
    }
    cl_hash_once(CL_HASH_SHA256, spki, len, digest);
    return add_pin(b, digest);
}

/* ---- finish ---- */

cl_result cl_builder_check_raw_keys(struct cleat_tls_builder *b)
{
    const struct cleat_tls_config *c = b->config;
    bool decides = (c->decisions & CLEAT_DECIDE_PEER) != 0;
    bool takes = cl_takes_cert_type(c, CLEAT_CERT_TYPE_RAW_PUBLIC_KEY);
    /* fail closed: a bare key vouches for nobody */
    if (takes && c->num_raw_pins == 0 && !decides) {
        return cl_error_set(&b->error,
                            CL_WHY_HINT(BAD_CONFIG, "RFC 7250 6",
                                        "pin keys, or take the decision over with "
                                        "CLEAT_DECIDE_PEER"),
                            "raw public keys are taken, but none is pinned");
    }
    if (c->num_raw_pins != 0 && (decides || !takes)) {
        return cl_error_set(&b->error, CL_WHY(BAD_CONFIG, "RFC 7250 6"),
                            "nobody would look at the pins of raw public keys: %s",
                            decides ? "the application decides about the peer"
                                    : "raw public keys are not taken");
    }
    return CL_OK;
}
