/* tls/config_raw_key.c - a builder's setters for raw public keys (cleat/tls_rawkey.h). */
#include "tls/builder.h"
#include "tls/msg.h"
#include "tls/pins.h"
#include "tls/raw_key.h"
#include "x509/dane.h"

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

int cleat_tls_builder_raw_pin(struct cleat_tls_builder *b, const char *pin)
{
    return cl_pins_add(b, &b->config->raw_pins, pin);
}

int cleat_tls_builder_raw_pin_key(struct cleat_tls_builder *b, const uint8_t *spki, size_t len)
{
    return cl_pins_add_key(b, &b->config->raw_pins, cl_rd_of(spki, len));
}

/* ---- finish ---- */

cl_result cl_builder_check_raw_keys(struct cleat_tls_builder *b)
{
    const struct cleat_tls_config *c = b->config;
    bool decides = (c->decisions & CLEAT_DECIDE_PEER) != 0;
    bool takes = cl_takes_cert_type(c, CLEAT_CERT_TYPE_RAW_PUBLIC_KEY);
    /* fail closed: a bare key vouches for nobody */
    if (takes && c->raw_pins.num == 0 && !decides && !cl_dane_takes_keys(c->dane)) {
        return cl_error_set(&b->error,
                            CL_WHY_HINT(BAD_CONFIG, "RFC 7250 6",
                                        "pin keys, or take the decision over with "
                                        "CLEAT_DECIDE_PEER"),
                            "raw public keys are taken, but none is pinned");
    }
    if (c->raw_pins.num != 0 && (decides || !takes)) {
        return cl_error_set(&b->error, CL_WHY(BAD_CONFIG, "RFC 7250 6"),
                            "nobody would look at the pins of raw public keys: %s",
                            decides ? "the application decides about the peer"
                                    : "raw public keys are not taken");
    }
    return CL_OK;
}
