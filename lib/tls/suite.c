/* tls/suite.c - the table of cipher suites (RFC 9846 B.4), in order of preference. The CCM suites
 * are off by default: slower, and CCM_8's tag is short (RFC 9846 B.4 advises against it). */
#include "tls/suite.h"

#include "base/text.h"

static const struct cl_suite suites[] = {
    {0x1301, "TLS_AES_128_GCM_SHA256", "AES-128-GCM", CL_AEAD_AES_128_GCM, CL_HASH_SHA256, true},
    {0x1302, "TLS_AES_256_GCM_SHA384", "AES-256-GCM", CL_AEAD_AES_256_GCM, CL_HASH_SHA384, true},
    {0x1303, "TLS_CHACHA20_POLY1305_SHA256", "CHACHA20-POLY1305", CL_AEAD_CHACHA20_POLY1305,
     CL_HASH_SHA256, true},
    {0x1304, "TLS_AES_128_CCM_SHA256", "AES-128-CCM", CL_AEAD_AES_128_CCM, CL_HASH_SHA256, false},
    {0x1305, "TLS_AES_128_CCM_8_SHA256", "AES-128-CCM-8", CL_AEAD_AES_128_CCM_8, CL_HASH_SHA256,
     false},
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
            cl_ascii_equal_fold(wanted, cl_rd_str(s->short_name))) {
            return s;
        }
    }
    return NULL;
}
