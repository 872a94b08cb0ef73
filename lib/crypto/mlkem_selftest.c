/* crypto/mlkem_selftest.c - what a way of computing ML-KEM must give before it is used: of each
 * parameter set the keys, the ciphertext and the secrets that libcrypto 3.5 gives for the same
 * randomness, as a digest of all of them.
 */
#include <string.h>

#include "base/ct.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/mlkem_impl.h"

static const struct answer {
    const struct cl_mlkem_set *set;
    const char *digest; /* SHA-256 */
} answers[] = {
    {&cl_mlkem_512, "9b058483322192d2be2aefde9223939a7e37a84b15470da83d7e3532ccd39b5c"},
    {&cl_mlkem_768, "44032c5a246ca9908544d5499a241c747af8ac4b7a4528c6c90467cd988f152b"},
    {&cl_mlkem_1024, "29463c3c23541d906d560490e3a7bd84e1890980620b826c050169853279127c"},
};

/* What comes out, one behind the other without padding: all but the first two as long as the set's.
 */
struct outcome {
    uint8_t agreed[CL_MLKEM_SECRET_LEN];   /* encapsulated */
    uint8_t opened[CL_MLKEM_SECRET_LEN];   /* decapsulated */
    uint8_t rejected[CL_MLKEM_SECRET_LEN]; /* decapsulated of a ciphertext with a wrong bit */
    uint8_t ek[CL_MLKEM_MAX_EK];
    uint8_t ct[CL_MLKEM_MAX_CT];
};

static bool gives(const struct cl_mlkem_way *way, const struct answer *a)
{
    uint8_t seed[CL_MLKEM_SEED_LEN];
    uint8_t dk[CL_MLKEM_MAX_DK];
    uint8_t digest[CL_HASH_MAX_LEN];
    uint8_t expected[CL_HASH_MAX_LEN];
    size_t len = 0;
    struct outcome o;
    memset(&o, 0, sizeof(o));
    for (size_t i = 0; i < sizeof(seed); i++) {
        seed[i] = (uint8_t)(7 * i + a->set->k);
    }
    cl_mlkem_own_keygen(way, a->set, seed, o.ek, dk);
    const bool ok = cl_mlkem_own_encap(way, a->set, o.ek, seed + 16, o.ct, o.agreed) == CL_OK;
    cl_mlkem_own_decap(way, a->set, dk, o.ct, o.opened);
    o.ct[a->set->ct_len - 1] ^= 0x40;
    cl_mlkem_own_decap(way, a->set, dk, o.ct, o.rejected);
    cl_ct_public(dk, sizeof(dk));
    cl_hash_once(CL_HASH_SHA256, &o, sizeof(o), digest);
    return ok && cl_hex_decode(a->digest, strlen(a->digest), expected, sizeof(expected), &len) &&
           memcmp(digest, expected, len) == 0;
}

bool cl_mlkem_way_well(const struct cl_mlkem_way *way)
{
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        if (!gives(way, &answers[i])) {
            return false;
        }
    }
    return true;
}
