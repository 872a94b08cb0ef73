/* crypto/mlkem.h - ML-KEM (FIPS 203): key generation, encapsulation, decapsulation.
 *
 * On x86-64 by code of our own, in vectors where the processor has them; elsewhere by libcrypto
 * where that has the algorithm (3.5 and later), and by ours where not (docs/decisions/0049, 0052).
 * All give the same bytes for the same randomness, which the caller draws: nothing here is random
 * by itself.
 */
#ifndef CL_CRYPTO_MLKEM_H
#define CL_CRYPTO_MLKEM_H

#include "base/bytes.h"
#include "base/result.h"

/* FIPS 203 7.1: d and z, of 32 bytes each */
#define CL_MLKEM_SEED_LEN   64
/* FIPS 203 7.2: m, and the shared secret */
#define CL_MLKEM_RANDOM_LEN 32
#define CL_MLKEM_SECRET_LEN 32
/* FIPS 203 table 3: of ML-KEM-1024 */
#define CL_MLKEM_MAX_EK     1568
#define CL_MLKEM_MAX_DK     3168
#define CL_MLKEM_MAX_CT     1568

/* A parameter set (FIPS 203 tables 2 and 3). */
struct cl_mlkem_set {
    const char *name; /* "ML-KEM-768", libcrypto's name too */
    uint8_t k;
    uint8_t eta1;
    uint8_t du;
    uint8_t dv;
    uint16_t ek_len;
    uint16_t dk_len;
    uint16_t ct_len;
};

extern const struct cl_mlkem_set cl_mlkem_512;
extern const struct cl_mlkem_set cl_mlkem_768;
extern const struct cl_mlkem_set cl_mlkem_1024;

/* A decapsulation key. Of one thread at a time; used for any number of decapsulations. */
struct cl_mlkem_key;

/* cl_mlkem_keygen writes ek_len bytes to ek and gives the caller *out. The seed is the caller's to
 * wipe. NOMEM, CRYPTO; *out is NULL then. */
CL_MUST cl_result cl_mlkem_keygen(const struct cl_mlkem_set *set,
                                  const uint8_t seed[CL_MLKEM_SEED_LEN], uint8_t *ek,
                                  struct cl_mlkem_key **out);
void cl_mlkem_key_free(struct cl_mlkem_key *key); /* wipes; NULL is fine */

/* cl_mlkem_encap writes ct_len bytes to ct and the shared secret. BAD_KEY_SHARE when the peer's key
 * has the wrong length or is not reduced (FIPS 203 7.2); NOMEM, CRYPTO. */
CL_MUST cl_result cl_mlkem_encap(const struct cl_mlkem_set *set, struct cl_rd ek,
                                 const uint8_t random[CL_MLKEM_RANDOM_LEN], uint8_t *ct,
                                 uint8_t secret[CL_MLKEM_SECRET_LEN]);

/* cl_mlkem_decap never says that a ciphertext of the right length is wrong: the secret is then
 * another one (FIPS 203 6.3, implicit rejection). BAD_KEY_SHARE for a wrong length; NOMEM, CRYPTO.
 */
CL_MUST cl_result cl_mlkem_decap(const struct cl_mlkem_key *key, struct cl_rd ct,
                                 uint8_t secret[CL_MLKEM_SECRET_LEN]);

/* Who computes: libcrypto, or our own code in one of its ways. */
enum cl_mlkem_who {
    CL_MLKEM_FASTEST, /* whoever is the fastest of those that are here */
    CL_MLKEM_LIBCRYPTO,
    CL_MLKEM_PORTABLE,
    CL_MLKEM_AVX2,
    CL_MLKEM_AVX512,
};

/* cl_mlkem_is_libcrypto says whether libcrypto computes; cl_mlkem_describe who does, in a few words
 * in static storage. Any thread. */
bool cl_mlkem_is_libcrypto(void);
const char *cl_mlkem_describe(void);

/* cl_mlkem_use makes it the one named, for keys made from then on. False, and nothing is changed:
 * it is not here. For tests and measurements, not thread-safe. */
CL_MUST bool cl_mlkem_use(enum cl_mlkem_who who);

#endif
