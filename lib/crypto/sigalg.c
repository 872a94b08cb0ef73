/* crypto/sigalg.c - the TLS signature schemes (RFC 9846 4.3.3) in order of preference. */
#include "crypto/key.h"

#include "base/text.h"

#define ECDSA(curve, hash_id) .key_type = (curve), .hash = (hash_id), .tls13 = true, .tls12 = true
#define EDDSA(kind)           .key_type = (kind), .tls13 = true, .tls12 = true
/* FIPS 204 with an empty context string; TLS 1.3 alone (draft-ietf-tls-mldsa 3) */
#define ML_DSA(kind)          .key_type = (kind), .tls13 = true, .by_name_only = true
#define PSS(kind, hash_id) \
    .key_type = (kind), .padding = CL_PAD_PSS, .hash = (hash_id), .tls13 = true, .tls12 = true
/* RFC 9846 4.3.3: the PKCS#1 v1.5 schemes "are not defined for use in signed TLS handshake
 * messages", that is, in TLS 1.3; certificates and TLS 1.2 use them. */
#define PKCS1(hash_id) \
    .key_type = CL_KEY_RSA, .padding = CL_PAD_PKCS1, .hash = (hash_id), .tls12 = true

static const struct row {
    struct cl_sig_alg alg;
    const char *openssl_name; /* as libssl's configuration writes it, or NULL */
} rows[] = {
    {{.name = "ecdsa_secp256r1_sha256", .scheme = 0x0403, ECDSA(CL_KEY_EC_P256, CL_HASH_SHA256)},
     "ECDSA+SHA256"},
    {{.name = "ed25519", .scheme = 0x0807, EDDSA(CL_KEY_ED25519)}, NULL},
    {{.name = "ecdsa_secp384r1_sha384", .scheme = 0x0503, ECDSA(CL_KEY_EC_P384, CL_HASH_SHA384)},
     "ECDSA+SHA384"},
    {{.name = "ecdsa_secp521r1_sha512", .scheme = 0x0603, ECDSA(CL_KEY_EC_P521, CL_HASH_SHA512)},
     "ECDSA+SHA512"},
    {{.name = "rsa_pss_rsae_sha256", .scheme = 0x0804, PSS(CL_KEY_RSA, CL_HASH_SHA256)},
     "RSA-PSS+SHA256"},
    {{.name = "rsa_pss_rsae_sha384", .scheme = 0x0805, PSS(CL_KEY_RSA, CL_HASH_SHA384)},
     "RSA-PSS+SHA384"},
    {{.name = "rsa_pss_rsae_sha512", .scheme = 0x0806, PSS(CL_KEY_RSA, CL_HASH_SHA512)},
     "RSA-PSS+SHA512"},
    {{.name = "rsa_pss_pss_sha256", .scheme = 0x0809, PSS(CL_KEY_RSA_PSS, CL_HASH_SHA256)}, NULL},
    {{.name = "rsa_pss_pss_sha384", .scheme = 0x080a, PSS(CL_KEY_RSA_PSS, CL_HASH_SHA384)}, NULL},
    {{.name = "rsa_pss_pss_sha512", .scheme = 0x080b, PSS(CL_KEY_RSA_PSS, CL_HASH_SHA512)}, NULL},
    {{.name = "rsa_pkcs1_sha256", .scheme = 0x0401, PKCS1(CL_HASH_SHA256)}, "RSA+SHA256"},
    {{.name = "rsa_pkcs1_sha384", .scheme = 0x0501, PKCS1(CL_HASH_SHA384)}, "RSA+SHA384"},
    {{.name = "rsa_pkcs1_sha512", .scheme = 0x0601, PKCS1(CL_HASH_SHA512)}, "RSA+SHA512"},
    {{.name = "ed448", .scheme = 0x0808, EDDSA(CL_KEY_ED448)}, NULL},
    /* the last ones: see num_rows */
    {{.name = "mldsa44", .scheme = 0x0904, ML_DSA(CL_KEY_ML_DSA_44)}, "ML-DSA-44"},
    {{.name = "mldsa65", .scheme = 0x0905, ML_DSA(CL_KEY_ML_DSA_65)}, "ML-DSA-65"},
    {{.name = "mldsa87", .scheme = 0x0906, ML_DSA(CL_KEY_ML_DSA_87)}, "ML-DSA-87"},
};
#define NUM_ML_DSA 3

static size_t num_rows(void)
{
    return sizeof(rows) / sizeof(rows[0]) - (cl_ml_dsa_available() ? 0 : NUM_ML_DSA);
}

const struct cl_sig_alg *cl_sig_scheme(uint16_t scheme)
{
    for (size_t i = 0, num = num_rows(); i < num; i++) {
        if (rows[i].alg.scheme == scheme) {
            return &rows[i].alg;
        }
    }
    return NULL;
}

const struct cl_sig_alg *cl_sig_scheme_at(size_t i)
{
    return i < num_rows() ? &rows[i].alg : NULL;
}

const struct cl_sig_alg *cl_sig_scheme_by_name(const char *name, size_t len)
{
    const struct cl_rd wanted = cl_rd_of(name, len);
    for (size_t i = 0, num = num_rows(); i < num; i++) {
        if (cl_ascii_equal_fold(wanted, cl_rd_str(rows[i].alg.name)) ||
            (rows[i].openssl_name != NULL &&
             cl_ascii_equal_fold(wanted, cl_rd_str(rows[i].openssl_name)))) {
            return &rows[i].alg;
        }
    }
    return NULL;
}

static bool is_ec(enum cl_key_type type)
{
    return type == CL_KEY_EC_P256 || type == CL_KEY_EC_P384 || type == CL_KEY_EC_P521;
}

bool cl_sig_alg_fits(const struct cl_sig_alg *alg, enum cl_key_type type)
{
    return alg->key_type == CL_KEY_NONE ? is_ec(type) : alg->key_type == type;
}
