/* tls/pins.c - see pins.h. Pins and keys are public: nothing here needs constant time. */
#include "tls/pins.h"

#include <stdio.h>

#include "base/text.h"
#include "cleat/tls_auth.h"
#include "tls/msg.h"
#include "tls/raw_key.h"

/* ---- sets ---- */

static int add(struct cleat_tls_builder *b, struct cl_pins *pins, const uint8_t digest[CL_PIN_LEN])
{
    if (pins->num == CL_PIN_MAX) {
        return (int)cl_error_set(&b->error, CL_WHY(LIMIT, NULL), "more than %d pins of public keys",
                                 CL_PIN_MAX);
    }
    uint8_t(*items)[CL_PIN_LEN] = cl_realloc(pins->items, (pins->num + 1) * sizeof(items[0]));
    if (items == NULL) {
        return cl_builder_fail(b, CLEAT_ERR_NOMEM);
    }
    memcpy(items[pins->num++], digest, CL_PIN_LEN);
    pins->items = items;
    return CLEAT_OK;
}

int cl_pins_add(struct cleat_tls_builder *b, struct cl_pins *pins, const char *text)
{
    static const char prefix[] = "sha256//";
    const size_t prefix_len = sizeof(prefix) - 1;
    uint8_t digest[CL_PIN_LEN];
    size_t len = strlen(text);
    size_t got = 0;
    if (len != CLEAT_RAW_PIN_LEN || memcmp(text, prefix, prefix_len) != 0 ||
        !cl_base64_decode(text + prefix_len, len - prefix_len, false, digest, sizeof(digest),
                          &got) ||
        got != sizeof(digest)) {
        return (int)cl_error_set(&b->error,
                                 CL_WHY_HINT(BAD_CONFIG, "RFC 7469 2.4",
                                             "`cleat cert show` prints the pin of a certificate's "
                                             "key"),
                                 "\"%.60s\" is not \"sha256//\" and the base64 of 32 bytes", text);
    }
    return add(b, pins, digest);
}

int cl_pins_add_key(struct cleat_tls_builder *b, struct cl_pins *pins, struct cl_rd spki)
{
    uint8_t digest[CL_PIN_LEN];
    struct cl_pubkey *key = NULL;
    cl_result r = cl_pubkey_parse(&key, spki);
    cl_pubkey_free(key);
    if (r == CLEAT_ERR_NOMEM) {
        return cl_builder_fail(b, r);
    }
    if (r != CL_OK) {
        return (int)cl_error_set(&b->error, CL_WHY(BAD_CONFIG, "RFC 7250 3"),
                                 "these %zu bytes are not a SubjectPublicKeyInfo: %s", spki.len,
                                 cleat_error_sentence((int)r));
    }
    cl_hash_once(CL_HASH_SHA256, spki.p, spki.len, digest);
    return add(b, pins, digest);
}

void cl_pins_deinit(struct cl_pins *pins)
{
    cl_free(pins->items);
    *pins = (struct cl_pins){0};
}

void cl_pins_digest(const struct cl_pins *pins, struct cl_hash *h)
{
    cl_hash_update(h, pins->items, pins->num * sizeof(pins->items[0]));
}

bool cl_pins_find(const struct cl_pins *pins, struct cl_rd spki, size_t *at)
{
    uint8_t digest[CL_PIN_LEN];
    cl_hash_once(CL_HASH_SHA256, spki.p, spki.len, digest);
    for (*at = 0; *at < pins->num; (*at)++) {
        if (memcmp(pins->items[*at], digest, sizeof(digest)) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- the builder's ---- */

int cleat_tls_builder_pin(struct cleat_tls_builder *b, const char *pin)
{
    return cl_pins_add(b, &b->config->pins, pin);
}

int cleat_tls_builder_pin_key(struct cleat_tls_builder *b, const uint8_t *spki, size_t len)
{
    return cl_pins_add_key(b, &b->config->pins, cl_rd_of(spki, len));
}

/* Fail closed: no pins that a peer could get around. */
cl_result cl_builder_check_pins(struct cleat_tls_builder *b)
{
    const struct cleat_tls_config *c = b->config;
    if (c->pins.num != 0 && c->role == CLEAT_SERVER) {
        return cl_error_set(&b->error,
                            CL_WHY_HINT(BAD_CONFIG, NULL,
                                        "judge clients' keys in CLEAT_DECIDE_IDENTITY, or pin raw "
                                        "public keys with cleat_tls_builder_raw_pin()"),
                            "a server has pins of its peer's key, which are for clients");
    }
    if (c->pins.num != 0 && c->num_psks != 0) {
        return cl_error_set(&b->error, CL_WHY(BAD_CONFIG, NULL),
                            "the server's key is pinned, but with a pre-shared key the server "
                            "would show none");
    }
    return CL_OK;
}

/* ---- the server's key ---- */

/* 2: of the pins, for the message; more are counted */
#define NUM_TOLD 2

static void tell_pins(const struct cl_pins *pins, char *out, size_t cap)
{
    size_t len = 0;
    for (size_t i = 0; i < pins->num && i < NUM_TOLD; i++) {
        char base64[CLEAT_RAW_PIN_LEN];
        cl_base64_encode(pins->items[i], CL_PIN_LEN, base64);
        len += (size_t)snprintf(out + len, cap - len, "%ssha256//%s", i != 0 ? ", " : "", base64);
    }
    if (pins->num > NUM_TOLD) {
        (void)snprintf(out + len, cap - len, " and %zu more", pins->num - NUM_TOLD);
    }
}

cl_result cl_pins_check(struct cleat_tls *tls)
{
    const struct cl_pins *pins = &tls->config->pins;
    const struct cl_rd spki =
        tls->peer_is_raw ? cl_raw_key_spki(tls) : cl_cert_spki(tls->peer_leaf);
    char seen[CLEAT_RAW_PIN_LEN + 1], pinned[200];
    size_t at;
    if (pins->num == 0) {
        return CL_OK;
    }
    cleat_raw_key_pin(spki.p, spki.len, seen);
    if (cl_pins_find(pins, spki, &at)) {
        (void)snprintf(pinned, sizeof(pinned), "it is pin %zu of %zu", at + 1, pins->num);
        cl_event_choice(tls, "peer's key", seen, pinned);
        return CL_OK;
    }
    tell_pins(pins, pinned, sizeof(pinned));
    return cl_tls_fail(tls,
                       CL_WHY_HINT(PIN_MISMATCH, "RFC 7469 2.6",
                                   "somebody may stand in between. If the server's operator says, "
                                   "in a way that can be trusted, that this is the new key, pin "
                                   "it beside the old one"),
                       "the server's key is %s; pinned: %s", seen, pinned);
}
