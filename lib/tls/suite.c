/* tls/suite.c - the table of cipher suites, in order of preference: TLS 1.3 (RFC 9846 B.4),
 * then 1.2. The CCM suites are off by default: slower, and CCM_8's tag is short (RFC 9846 B.4
 * advises against it). */
#include "tls/suite.h"

#include "base/text.h"
#include "cleat/tls.h"

#define V13(id, name, short_name, aead, hash, on)                              \
    {                                                                          \
        id, CLEAT_TLS_1_3, CL_AUTH_ANY, name, short_name, aead, hash, on, NULL \
    }
#define V12(id, auth, name, openssl_name, short_name, aead, hash, on)           \
    {                                                                           \
        id, CLEAT_TLS_1_2, auth, name, short_name, aead, hash, on, openssl_name \
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
};

const struct cl_suite *cl_suite_at(size_t i)
{
    return i < sizeof(suites) / sizeof(suites[0]) ? &suites[i] : NULL;
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
    return auth == CL_AUTH_ANY || (auth == CL_AUTH_RSA) == cl_key_is_rsa(type);
}
