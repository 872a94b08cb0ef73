/* tls/raw_key.c - see raw_key.h. The peer's key is kept as its SubjectPublicKeyInfo where else its
 * chain is (tls->peer_chain, one entry, tls->peer_is_raw), and parsed for the handshake alone. */
#include "tls/raw_key.h"

#include "base/text.h"
#include "tls/msg.h"
#include "tls/pins.h"
#include "x509/dane.h"

const char *cl_cert_type_name(uint8_t type)
{
    return type == CLEAT_CERT_TYPE_RAW_PUBLIC_KEY ? "raw public key" : "X.509";
}

uint8_t cl_cert_type_of(const struct cl_credential *credential)
{
    return credential->chain == NULL ? CLEAT_CERT_TYPE_RAW_PUBLIC_KEY : CLEAT_CERT_TYPE_X509;
}

size_t cl_own_types(const struct cleat_tls_config *config, uint8_t out[CL_CERT_TYPE_COUNT])
{
    size_t num = config->num_own_types;
    memcpy(out, config->own_types, num);
    for (size_t i = 0; config->num_own_types == 0 && i < config->num_credentials; i++) {
        uint8_t type = cl_cert_type_of(&config->credentials[i]);
        if (memchr(out, type, num) == NULL) {
            out[num++] = type;
        }
    }
    return num;
}

bool cl_takes_cert_type(const struct cleat_tls_config *config, uint8_t type)
{
    return memchr(config->peer_types, type, config->num_peer_types) != NULL;
}

cl_result cl_client_type_select(struct cleat_tls *tls)
{
    static const uint8_t by_default[] = {CLEAT_CERT_TYPE_X509};
    const struct cleat_tls_config *config = tls->config;
    struct cl_rd offered = tls->hs->parsed.client_types;
    bool now = config->client_auth != CLEAT_CLIENT_AUTH_NONE;
    bool later = config->late_auth && tls->hs->parsed.post_handshake_auth;
    if (!now && !later) {
        return CL_OK;
    }
    if (offered.p == NULL) {
        offered = cl_rd_of(by_default, sizeof(by_default));
    }
    for (size_t i = 0; i < config->num_peer_types; i++) {
        if (memchr(offered.p, config->peer_types[i], offered.len) != NULL) {
            tls->peer_type = config->peer_types[i];
            tls->hs->client_type_agreed = tls->hs->parsed.client_types.p != NULL;
            return CL_OK;
        }
    }
    if (!now) {
        return CL_OK; /* a request that comes later is answered with an empty list */
    }
    /* RFC 7250 4.2: without a type in common the handshake ends with unsupported_certificate */
    return cl_tls_fail(tls,
                       CL_WHY_HINT(UNSUPPORTED_CERTIFICATE, "RFC 7250 4.2",
                                   "let the client show what is taken here, or take what it has"),
                       "no certificate type in common: the client can show %s, taken here is %s",
                       tls->hs->parsed.client_types.p == NULL ? "X.509" : "others",
                       cl_cert_type_name(config->peer_types[0]));
}

/* ---- the peer's key ---- */

struct cl_rd cl_raw_key_spki(const struct cleat_tls *tls)
{
    struct cl_rd chain = cl_buf_view(&tls->peer_chain);
    struct cl_rd spki = cl_rd_of(NULL, 0);
    return cl_rd_vec24(&chain, &spki) ? spki : cl_rd_of(NULL, 0);
}

cl_result cl_raw_key_take(struct cleat_tls *tls)
{
    struct cl_hs *hs = tls->hs;
    cl_pubkey_free(hs->peer_key);
    hs->peer_key = NULL;
    cl_result r = cl_pubkey_parse(&hs->peer_key, cl_raw_key_spki(tls));
    if (r == CLEAT_ERR_NOMEM) {
        return r;
    }
    if (r == CLEAT_ERR_UNSUPPORTED) {
        return cl_tls_fail(tls, CL_WHY(UNSUPPORTED_CERTIFICATE, "RFC 7250 3"),
                           "the peer's public key: of a kind that is not known here");
    }
    if (r != CL_OK) {
        return cl_tls_fail(tls,
                           CL_WHY_HINT(DECODE, "RFC 7250 3",
                                       "a raw public key was agreed on; see that the peer does not "
                                       "send a certificate"),
                           "the peer's raw public key is not a valid SubjectPublicKeyInfo");
    }
    tls->peer_is_raw = true;
    return CL_OK;
}

cl_result cl_peer_pubkey(const struct cleat_tls *tls, const struct cl_pubkey **out)
{
    if (!tls->peer_is_raw) {
        return cl_cert_pubkey(tls->peer_leaf, out);
    }
    *out = tls->hs->peer_key;
    return *out != NULL ? CL_OK : CLEAT_ERR_INTERNAL;
}

enum cl_key_type cl_peer_key_type(const struct cleat_tls *tls)
{
    return tls->peer_is_raw ? cl_pubkey_type(tls->hs->peer_key) : cl_cert_key_type(tls->peer_leaf);
}

cl_result cl_raw_key_judge(struct cleat_tls *tls)
{
    struct cl_rd spki = cl_raw_key_spki(tls);
    char pin[CLEAT_RAW_PIN_LEN + 1];
    size_t at;
    if (cl_pins_find(&tls->config->raw_pins, spki, &at)) {
        cl_event_choice(tls, "peer's raw public key", "pinned",
                        "its SHA-256 is one of the configuration's");
        return CL_OK;
    }
    const struct cl_tlsa *record = cl_dane_match_key(tls->config->dane, spki);
    if (record != NULL) {
        char label[CL_TLSA_LABEL_MAX];
        cl_tlsa_label(record, label);
        cl_event_choice(tls, "peer's raw public key", label, "a TLSA record names it");
        return CL_OK;
    }
    if (cl_dane_takes_keys(tls->config->dane)) {
        return cl_tls_fail(tls,
                           CL_WHY_HINT(DANE_NO_MATCH, "RFC 7671 5.1",
                                       "is this the right server? A new key must be in DNS before "
                                       "it is used"),
                           "no TLSA record (of %zu) names the peer's raw public key",
                           cleat_dane_num(tls->config->dane));
    }
    cleat_raw_key_pin(spki.p, spki.len, pin);
    return cl_tls_fail(tls,
                       CL_WHY_HINT(UNKNOWN_KEY, "RFC 7250 6",
                                   "if this key is the peer's, learned in a way that can be "
                                   "trusted, pin it"),
                       "the peer's raw public key, %s, is not one of the %zu pinned ones", pin,
                       tls->config->raw_pins.num);
}

const uint8_t *cleat_tls_peer_raw_key(const struct cleat_tls *tls, size_t *len)
{
    struct cl_rd spki = tls->peer_is_raw ? cl_raw_key_spki(tls) : cl_rd_of(NULL, 0);
    *len = spki.len;
    return spki.len != 0 ? spki.p : NULL;
}

/* ---- pins ---- */

void cleat_raw_key_pin(const uint8_t *spki, size_t len, char out[CLEAT_RAW_PIN_LEN + 1])
{
    static const char prefix[] = "sha256//";
    uint8_t digest[CL_PIN_LEN];
    cl_hash_once(CL_HASH_SHA256, spki, len, digest);
    memcpy(out, prefix, sizeof(prefix));
    cl_base64_encode(digest, sizeof(digest), out + sizeof(prefix) - 1);
}

void cleat_key_pin(const struct cleat_key *key, char out[CLEAT_RAW_PIN_LEN + 1])
{
    struct cl_rd spki = cl_key_spki(key);
    cleat_raw_key_pin(spki.p, spki.len, out);
}
