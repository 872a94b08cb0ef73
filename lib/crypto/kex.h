/* crypto/kex.h - the key-exchange groups. The operations themselves are jobs (crypto/job.h). */
#ifndef CL_CRYPTO_KEX_H
#define CL_CRYPTO_KEX_H

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/rand.h"

/* IANA TLS Supported Groups */
#define CL_GROUP_SECP256R1           0x0017
#define CL_GROUP_SECP384R1           0x0018
#define CL_GROUP_SECP521R1           0x0019
#define CL_GROUP_X25519              0x001d
#define CL_GROUP_FFDHE2048           0x0100
#define CL_GROUP_FFDHE3072           0x0101
#define CL_GROUP_FFDHE4096           0x0102
#define CL_GROUP_FFDHE6144           0x0103
#define CL_GROUP_FFDHE8192           0x0104
#define CL_GROUP_MLKEM512            0x0200
#define CL_GROUP_MLKEM768            0x0201
#define CL_GROUP_MLKEM1024           0x0202
#define CL_GROUP_SECP256R1_MLKEM768  0x11eb
#define CL_GROUP_X25519_MLKEM768     0x11ec
#define CL_GROUP_SECP384R1_MLKEM1024 0x11ed

/* 1665: SecP384r1MLKEM1024, 1568 bytes of ML-KEM and 97 of ECDH, is the longest share known */
#define CL_GROUP_MAX_SHARE  1665
/* 80: SecP384r1MLKEM1024, 48 bytes of ECDH and 32 of ML-KEM */
#define CL_GROUP_MAX_SECRET 80
/* 1024: ffdhe8192; public values and secrets of a finite field are as long as its prime */
#define CL_GROUP_MAX_PRIME  1024

struct cl_group {
    uint16_t id;
    const char *name;          /* as curl and nginx write it: "X25519", "P-256" */
    const char *iana_name;     /* "x25519", "secp256r1", "SecP256r1MLKEM768" */
    const char *openssl_alias; /* "prime256v1", or NULL */
    uint16_t client_share_len; /* bytes of key_exchange in the ClientHello */
    uint16_t server_share_len; /* and in the ServerHello */
    uint16_t secret_len;
    uint16_t bits;     /* security strength, for display */
    bool post_quantum; /* ML-KEM alone or beside a curve: not in TLS 1.2 */
    bool by_name_only; /* in no list but one that names it */
    bool finite_field; /* DHE of TLS 1.2 (RFC 7919); in no list of curves */
};

/* cl_group_by_id and cl_group_by_name (either name or the alias, ASCII case ignored) return NULL
 * for a group that is not built. cl_group_at returns the i-th group in order of preference, then
 * NULL. */
const struct cl_group *cl_group_by_id(uint16_t id);
const struct cl_group *cl_group_by_name(const char *name, size_t len);
const struct cl_group *cl_group_at(size_t i);

/* cl_group_prime returns the prime of a finite field, big-endian and as long as its shares; empty
 * for other groups, or when memory is short. cl_group_by_prime returns the group of RFC 7919 with
 * this prime and this generator, both without leading zeros, or NULL. */
struct cl_rd cl_group_prime(const struct cl_group *group);
const struct cl_group *cl_group_by_prime(struct cl_rd prime, struct cl_rd generator);

struct cl_kex_key; /* an ephemeral private key, made by a key-generation job, used once */
void cl_kex_key_free(struct cl_kex_key *key); /* wipes; NULL is fine */

#endif
