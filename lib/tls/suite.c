/* tls/suite.c - the table of cipher suites, in order of preference: TLS 1.3 (RFC 9846 B.4),
 * then 1.2. The CCM suites are off by default: slower, and CCM_8's tag is short (RFC 9846 B.4
 * advises against it). What stands behind them is for peers that have nothing better. */
#include "tls/suite.h"

#include "base/text.h"
#include "cleat/tls.h"

#define V13(id, name, short_name, aead, hash, on)                                               \
    {                                                                                           \
        id, CLEAT_TLS_1_3, CL_AUTH_ANY, name, short_name, aead, hash, on, NULL, .kx = CL_KX_ANY \
    }
#define V12(id, auth, name, openssl_name, short_name, aead, hash, on)                              \
    {                                                                                              \
        id, CLEAT_TLS_1_2, auth, name, short_name, aead, hash, on, openssl_name, .kx = CL_KX_ECDHE \
    }
/* off by default, for the profile "legacy" */
#define RSA(id, name, openssl_name, short_name, aead, hash)                                \
    {                                                                                      \
        id, CLEAT_TLS_1_2, CL_AUTH_RSA, name, short_name, aead, hash, false, openssl_name, \
            .kx = CL_KX_RSA                                                                \
    }
#define DHE(id, name, openssl_name, short_name, aead, hash)                                \
    {                                                                                      \
        id, CLEAT_TLS_1_2, CL_AUTH_RSA, name, short_name, aead, hash, false, openssl_name, \
            .kx = CL_KX_DHE                                                                \
    }
#define PSK(id, kx_, name, openssl_name, short_name, aead, hash)                           \
    {                                                                                      \
        id, CLEAT_TLS_1_2, CL_AUTH_PSK, name, short_name, aead, hash, false, openssl_name, \
            .kx = kx_                                                                      \
    }
#define CBC(id, kx_, auth, name, openssl_name, short_name, key_len, mac_, hash)              \
    {                                                                                        \
        id, CLEAT_TLS_1_2, auth, name, short_name, CL_AEAD_COUNT, hash, false, openssl_name, \
            .kx = kx_, .mac = mac_, .cbc_key_len = key_len                                   \
    }

static const struct cl_suite suites[] = {
    V13(0x1301, "TLS_AES_128_GCM_SHA256", "AES-128-GCM", CL_AEAD_AES_128_GCM, CL_HASH_SHA256, true),
    V13(0x1302, "TLS_AES_256_GCM_SHA384", "AES-256-GCM", CL_AEAD_AES_256_GCM, CL_HASH_SHA384, true),
    V13(0x1303, "TLS_CHACHA20_POLY1305_SHA256", "CHACHA20-POLY1305", CL_AEAD_CHACHA20_POLY1305,
        CL_HASH_SHA256, true),
    V13(0x1304, "TLS_AES_128_CCM_SHA256", "AES-128-CCM", CL_AEAD_AES_128_CCM, CL_HASH_SHA256,
        false),
    V13(0x1305, "TLS_AES_128_CCM_8_SHA256", "AES-128-CCM-8", CL_AEAD_AES_128_CCM_8, CL_HASH_SHA256,
        false),
    /* RFC 5289 3.2, RFC 7905 2, RFC 7251 2 */
    V12(0xc02b, CL_AUTH_ECDSA, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES-128-GCM", CL_AEAD_AES_128_GCM,
        CL_HASH_SHA256, true),
    V12(0xc02f, CL_AUTH_RSA, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES-128-GCM", CL_AEAD_AES_128_GCM, CL_HASH_SHA256, true),
    V12(0xc02c, CL_AUTH_ECDSA, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES-256-GCM", CL_AEAD_AES_256_GCM,
        CL_HASH_SHA384, true),
    V12(0xc030, CL_AUTH_RSA, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES-256-GCM", CL_AEAD_AES_256_GCM, CL_HASH_SHA384, true),
    V12(0xcca9, CL_AUTH_ECDSA, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-CHACHA20-POLY1305", CL_AEAD_CHACHA20_POLY1305,
        CL_HASH_SHA256, true),
    V12(0xcca8, CL_AUTH_RSA, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        "ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305", CL_AEAD_CHACHA20_POLY1305,
        CL_HASH_SHA256, true),
    V12(0xc0ac, CL_AUTH_ECDSA, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM", "ECDHE-ECDSA-AES128-CCM",
        "ECDHE-ECDSA-AES-128-CCM", CL_AEAD_AES_128_CCM, CL_HASH_SHA256, false),
    V12(0xc0ae, CL_AUTH_ECDSA, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", "ECDHE-ECDSA-AES128-CCM8",
        "ECDHE-ECDSA-AES-128-CCM-8", CL_AEAD_AES_128_CCM_8, CL_HASH_SHA256, false),
    V12(0xc0ad, CL_AUTH_ECDSA, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM", "ECDHE-ECDSA-AES256-CCM",
        "ECDHE-ECDSA-AES-256-CCM", CL_AEAD_AES_256_CCM, CL_HASH_SHA256, false),
    V12(0xc0af, CL_AUTH_ECDSA, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8", "ECDHE-ECDSA-AES256-CCM8",
        "ECDHE-ECDSA-AES-256-CCM-8", CL_AEAD_AES_256_CCM_8, CL_HASH_SHA256, false),
    /* RFC 8422 6, RFC 5289 3.1 */
    CBC(0xc009, CL_KX_ECDHE, CL_AUTH_ECDSA, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
        "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES-128-CBC-SHA", 16, CL_HASH_SHA1, CL_HASH_SHA256),
    CBC(0xc00a, CL_KX_ECDHE, CL_AUTH_ECDSA, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
        "ECDHE-ECDSA-AES256-SHA", "ECDHE-ECDSA-AES-256-CBC-SHA", 32, CL_HASH_SHA1, CL_HASH_SHA256),
    CBC(0xc023, CL_KX_ECDHE, CL_AUTH_ECDSA, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
        "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES-128-CBC-SHA256", 16, CL_HASH_SHA256,
        CL_HASH_SHA256),
    CBC(0xc024, CL_KX_ECDHE, CL_AUTH_ECDSA, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
        "ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-AES-256-CBC-SHA384", 32, CL_HASH_SHA384,
        CL_HASH_SHA384),
    /* RFC 8422 6, RFC 5289 3.1 */
    CBC(0xc013, CL_KX_ECDHE, CL_AUTH_RSA, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
        "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES-128-CBC-SHA", 16, CL_HASH_SHA1, CL_HASH_SHA256),
    CBC(0xc014, CL_KX_ECDHE, CL_AUTH_RSA, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
        "ECDHE-RSA-AES256-SHA", "ECDHE-RSA-AES-256-CBC-SHA", 32, CL_HASH_SHA1, CL_HASH_SHA256),
    CBC(0xc027, CL_KX_ECDHE, CL_AUTH_RSA, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
        "ECDHE-RSA-AES128-SHA256", "ECDHE-RSA-AES-128-CBC-SHA256", 16, CL_HASH_SHA256,
        CL_HASH_SHA256),
    CBC(0xc028, CL_KX_ECDHE, CL_AUTH_RSA, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
        "ECDHE-RSA-AES256-SHA384", "ECDHE-RSA-AES-256-CBC-SHA384", 32, CL_HASH_SHA384,
        CL_HASH_SHA384),
    /* RFC 5288 3, RFC 5246 A.5 */
    RSA(0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256", "RSA-AES-128-GCM",
        CL_AEAD_AES_128_GCM, CL_HASH_SHA256),
    RSA(0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384", "RSA-AES-256-GCM",
        CL_AEAD_AES_256_GCM, CL_HASH_SHA384),
    CBC(0x002f, CL_KX_RSA, CL_AUTH_RSA, "TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA",
        "RSA-AES-128-CBC-SHA", 16, CL_HASH_SHA1, CL_HASH_SHA256),
    CBC(0x0035, CL_KX_RSA, CL_AUTH_RSA, "TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA",
        "RSA-AES-256-CBC-SHA", 32, CL_HASH_SHA1, CL_HASH_SHA256),
    CBC(0x003c, CL_KX_RSA, CL_AUTH_RSA, "TLS_RSA_WITH_AES_128_CBC_SHA256", "AES128-SHA256",
        "RSA-AES-128-CBC-SHA256", 16, CL_HASH_SHA256, CL_HASH_SHA256),
    CBC(0x003d, CL_KX_RSA, CL_AUTH_RSA, "TLS_RSA_WITH_AES_256_CBC_SHA256", "AES256-SHA256",
        "RSA-AES-256-CBC-SHA256", 32, CL_HASH_SHA256, CL_HASH_SHA256),
    /* RFC 5288 3, RFC 7905 2, RFC 6655 3, RFC 5246 A.5 */
    DHE(0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "DHE-RSA-AES128-GCM-SHA256",
        "DHE-RSA-AES-128-GCM", CL_AEAD_AES_128_GCM, CL_HASH_SHA256),
    DHE(0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", "DHE-RSA-AES256-GCM-SHA384",
        "DHE-RSA-AES-256-GCM", CL_AEAD_AES_256_GCM, CL_HASH_SHA384),
    DHE(0xccaa, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "DHE-RSA-CHACHA20-POLY1305",
        "DHE-RSA-CHACHA20-POLY1305", CL_AEAD_CHACHA20_POLY1305, CL_HASH_SHA256),
    DHE(0xc09e, "TLS_DHE_RSA_WITH_AES_128_CCM", "DHE-RSA-AES128-CCM", "DHE-RSA-AES-128-CCM",
        CL_AEAD_AES_128_CCM, CL_HASH_SHA256),
    DHE(0xc09f, "TLS_DHE_RSA_WITH_AES_256_CCM", "DHE-RSA-AES256-CCM", "DHE-RSA-AES-256-CCM",
        CL_AEAD_AES_256_CCM, CL_HASH_SHA256),
    DHE(0xc0a2, "TLS_DHE_RSA_WITH_AES_128_CCM_8", "DHE-RSA-AES128-CCM8", "DHE-RSA-AES-128-CCM-8",
        CL_AEAD_AES_128_CCM_8, CL_HASH_SHA256),
    DHE(0xc0a3, "TLS_DHE_RSA_WITH_AES_256_CCM_8", "DHE-RSA-AES256-CCM8", "DHE-RSA-AES-256-CCM-8",
        CL_AEAD_AES_256_CCM_8, CL_HASH_SHA256),
    CBC(0x0033, CL_KX_DHE, CL_AUTH_RSA, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", "DHE-RSA-AES128-SHA",
        "DHE-RSA-AES-128-CBC-SHA", 16, CL_HASH_SHA1, CL_HASH_SHA256),
    CBC(0x0039, CL_KX_DHE, CL_AUTH_RSA, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", "DHE-RSA-AES256-SHA",
        "DHE-RSA-AES-256-CBC-SHA", 32, CL_HASH_SHA1, CL_HASH_SHA256),
    CBC(0x0067, CL_KX_DHE, CL_AUTH_RSA, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256",
        "DHE-RSA-AES128-SHA256", "DHE-RSA-AES-128-CBC-SHA256", 16, CL_HASH_SHA256, CL_HASH_SHA256),
    CBC(0x006b, CL_KX_DHE, CL_AUTH_RSA, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",
        "DHE-RSA-AES256-SHA256", "DHE-RSA-AES-256-CBC-SHA256", 32, CL_HASH_SHA256, CL_HASH_SHA256),
    /* RFC 8442 3, RFC 7905 2, RFC 5489 3; they go with a PSK, without one they are not offered */
    PSK(0xd001, CL_KX_ECDHE_PSK, "TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256",
        "ECDHE-PSK-AES128-GCM-SHA256", "ECDHE-PSK-AES-128-GCM", CL_AEAD_AES_128_GCM,
        CL_HASH_SHA256),
    PSK(0xd002, CL_KX_ECDHE_PSK, "TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384",
        "ECDHE-PSK-AES256-GCM-SHA384", "ECDHE-PSK-AES-256-GCM", CL_AEAD_AES_256_GCM,
        CL_HASH_SHA384),
    PSK(0xccac, CL_KX_ECDHE_PSK, "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256",
        "ECDHE-PSK-CHACHA20-POLY1305", "ECDHE-PSK-CHACHA20-POLY1305", CL_AEAD_CHACHA20_POLY1305,
        CL_HASH_SHA256),
    CBC(0xc035, CL_KX_ECDHE_PSK, CL_AUTH_PSK, "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA",
        "ECDHE-PSK-AES128-CBC-SHA", "ECDHE-PSK-AES-128-CBC-SHA", 16, CL_HASH_SHA1, CL_HASH_SHA256),
    CBC(0xc036, CL_KX_ECDHE_PSK, CL_AUTH_PSK, "TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA",
        "ECDHE-PSK-AES256-CBC-SHA", "ECDHE-PSK-AES-256-CBC-SHA", 32, CL_HASH_SHA1, CL_HASH_SHA256),
    CBC(0xc037, CL_KX_ECDHE_PSK, CL_AUTH_PSK, "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256",
        "ECDHE-PSK-AES128-CBC-SHA256", "ECDHE-PSK-AES-128-CBC-SHA256", 16, CL_HASH_SHA256,
        CL_HASH_SHA256),
    CBC(0xc038, CL_KX_ECDHE_PSK, CL_AUTH_PSK, "TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA384",
        "ECDHE-PSK-AES256-CBC-SHA384", "ECDHE-PSK-AES-256-CBC-SHA384", 32, CL_HASH_SHA384,
        CL_HASH_SHA384),
    /* RFC 5487 2, RFC 7905 2, RFC 4279 3 */
    PSK(0x00aa, CL_KX_DHE_PSK, "TLS_DHE_PSK_WITH_AES_128_GCM_SHA256", "DHE-PSK-AES128-GCM-SHA256",
        "DHE-PSK-AES-128-GCM", CL_AEAD_AES_128_GCM, CL_HASH_SHA256),
    PSK(0x00ab, CL_KX_DHE_PSK, "TLS_DHE_PSK_WITH_AES_256_GCM_SHA384", "DHE-PSK-AES256-GCM-SHA384",
        "DHE-PSK-AES-256-GCM", CL_AEAD_AES_256_GCM, CL_HASH_SHA384),
    PSK(0xccad, CL_KX_DHE_PSK, "TLS_DHE_PSK_WITH_CHACHA20_POLY1305_SHA256",
        "DHE-PSK-CHACHA20-POLY1305", "DHE-PSK-CHACHA20-POLY1305", CL_AEAD_CHACHA20_POLY1305,
        CL_HASH_SHA256),
    CBC(0x0090, CL_KX_DHE_PSK, CL_AUTH_PSK, "TLS_DHE_PSK_WITH_AES_128_CBC_SHA",
        "DHE-PSK-AES128-CBC-SHA", "DHE-PSK-AES-128-CBC-SHA", 16, CL_HASH_SHA1, CL_HASH_SHA256),
    CBC(0x0091, CL_KX_DHE_PSK, CL_AUTH_PSK, "TLS_DHE_PSK_WITH_AES_256_CBC_SHA",
        "DHE-PSK-AES256-CBC-SHA", "DHE-PSK-AES-256-CBC-SHA", 32, CL_HASH_SHA1, CL_HASH_SHA256),
    CBC(0x00b2, CL_KX_DHE_PSK, CL_AUTH_PSK, "TLS_DHE_PSK_WITH_AES_128_CBC_SHA256",
        "DHE-PSK-AES128-CBC-SHA256", "DHE-PSK-AES-128-CBC-SHA256", 16, CL_HASH_SHA256,
        CL_HASH_SHA256),
    CBC(0x00b3, CL_KX_DHE_PSK, CL_AUTH_PSK, "TLS_DHE_PSK_WITH_AES_256_CBC_SHA384",
        "DHE-PSK-AES256-CBC-SHA384", "DHE-PSK-AES-256-CBC-SHA384", 32, CL_HASH_SHA384,
        CL_HASH_SHA384),
    /* RFC 5487 2, RFC 7905 2, RFC 4279 2 */
    PSK(0x00a8, CL_KX_PSK, "TLS_PSK_WITH_AES_128_GCM_SHA256", "PSK-AES128-GCM-SHA256",
        "PSK-AES-128-GCM", CL_AEAD_AES_128_GCM, CL_HASH_SHA256),
    PSK(0x00a9, CL_KX_PSK, "TLS_PSK_WITH_AES_256_GCM_SHA384", "PSK-AES256-GCM-SHA384",
        "PSK-AES-256-GCM", CL_AEAD_AES_256_GCM, CL_HASH_SHA384),
    PSK(0xccab, CL_KX_PSK, "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256", "PSK-CHACHA20-POLY1305",
        "PSK-CHACHA20-POLY1305", CL_AEAD_CHACHA20_POLY1305, CL_HASH_SHA256),
    CBC(0x008c, CL_KX_PSK, CL_AUTH_PSK, "TLS_PSK_WITH_AES_128_CBC_SHA", "PSK-AES128-CBC-SHA",
        "PSK-AES-128-CBC-SHA", 16, CL_HASH_SHA1, CL_HASH_SHA256),
    CBC(0x008d, CL_KX_PSK, CL_AUTH_PSK, "TLS_PSK_WITH_AES_256_CBC_SHA", "PSK-AES256-CBC-SHA",
        "PSK-AES-256-CBC-SHA", 32, CL_HASH_SHA1, CL_HASH_SHA256),
    CBC(0x00ae, CL_KX_PSK, CL_AUTH_PSK, "TLS_PSK_WITH_AES_128_CBC_SHA256", "PSK-AES128-CBC-SHA256",
        "PSK-AES-128-CBC-SHA256", 16, CL_HASH_SHA256, CL_HASH_SHA256),
    CBC(0x00af, CL_KX_PSK, CL_AUTH_PSK, "TLS_PSK_WITH_AES_256_CBC_SHA384", "PSK-AES256-CBC-SHA384",
        "PSK-AES-256-CBC-SHA384", 32, CL_HASH_SHA384, CL_HASH_SHA384),
};

const struct cl_suite *cl_suite_at(size_t i)
{
    return i < sizeof(suites) / sizeof(suites[0]) ? &suites[i] : NULL;
}

bool cl_suite_is_chacha20(const struct cl_suite *suite)
{
    return suite != NULL && suite->aead == CL_AEAD_CHACHA20_POLY1305;
}

const struct cl_suite *cl_suite_by_id(uint16_t id)
{
    const struct cl_suite *s;
    for (size_t i = 0; (s = cl_suite_at(i)) != NULL; i++) {
        if (s->id == id) {
            return s;
        }
    }
    return NULL;
}

const struct cl_suite *cl_suite_by_name(const char *name, size_t len)
{
    struct cl_rd wanted = cl_rd_of(name, len);
    const struct cl_suite *s;
    for (size_t i = 0; (s = cl_suite_at(i)) != NULL; i++) {
        if (cl_ascii_equal_fold(wanted, cl_rd_str(s->name)) ||
            cl_ascii_equal_fold(wanted, cl_rd_str(s->short_name)) ||
            (s->openssl_name != NULL && cl_ascii_equal_fold(wanted, cl_rd_str(s->openssl_name)))) {
            return s;
        }
    }
    return NULL;
}

bool cl_auth_fits(enum cl_suite_auth auth, enum cl_key_type type)
{
    switch (auth) {
    case CL_AUTH_RSA:
        return cl_key_is_rsa(type);
    case CL_AUTH_ECDSA:
        return !cl_key_is_rsa(type) && !cl_key_is_ml_dsa(type);
    default:
        return auth == CL_AUTH_ANY;
    }
}

static const struct cl_weakness kx_weakness[CL_KX_NUM] = {
    [CL_KX_RSA] = {"RSA key exchange",
                   "no forward secrecy: whoever gets the server's key reads what was recorded "
                   "(RFC 10015)"},
    [CL_KX_DHE] = {"DHE key exchange",
                   "deprecated: dear for servers, and a peer that uses its key twice gives secrets "
                   "away (RFC 10015)"},
    [CL_KX_DHE_PSK] = {"PSK with DHE",
                       "deprecated: dear for servers, and a peer that uses its key twice gives "
                       "secrets away (RFC 10015)"},
    [CL_KX_PSK] = {"PSK without ECDHE",
                   "no forward secrecy: whoever gets the key later reads what was recorded "
                   "(RFC 9257 6)"},
};

static const struct cl_weakness cbc_weakness = {
    "AES-CBC with HMAC",
    "not an authenticated cipher: such records have been decrypted by attacks on their padding "
    "(RFC 9325 4.2)"};

const struct cl_weakness *cl_suite_weakness(const struct cl_suite *suite, size_t i)
{
    const struct cl_weakness *kx = &kx_weakness[suite->kx];
    bool kx_is_weak = kx->what != NULL;
    if (i == 0 && kx_is_weak) {
        return kx;
    }
    return i == (kx_is_weak ? 1 : 0) && suite->mac != CL_HASH_NONE ? &cbc_weakness : NULL;
}

/* 2^24: for 16 KiB each, AES-CBC stays 2^-60 away from a repeated block (2^34 blocks of 2^128) */
#define CBC_MAX_RECORDS (UINT64_C(1) << 24)

uint64_t cl_suite_max_records(const struct cl_suite *suite)
{
    return suite->mac != CL_HASH_NONE ? CBC_MAX_RECORDS : cl_aead_info(suite->aead)->max_records;
}
