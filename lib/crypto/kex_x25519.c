/* crypto/kex_x25519.c - X25519 (RFC 7748) over libcrypto's EVP, the only door to it.
 *
 * The private key is 32 bytes of the given source of randomness. What libcrypto looks up by name is
 * kept per thread: the context that imports keys, and one object for the peer's key that takes a
 * new value each time.
 */
#include "crypto/kex_impl.h"

#include <pthread.h>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "base/mem.h"
#include "crypto/ossl.h"

#define KEY_LEN CL_KEX_X25519_LEN

struct kept {
    EVP_PKEY_CTX *import;
    EVP_PKEY *peer;
};

static pthread_key_t kept_key;
static pthread_once_t kept_once = PTHREAD_ONCE_INIT;
static int kept_failed;

static void free_kept(void *p)
{
    struct kept *k = p;
    EVP_PKEY_free(k->peer);
    EVP_PKEY_CTX_free(k->import);
    cl_free(k);
}

static void make_kept_key(void)
{
    kept_failed = pthread_key_create(&kept_key, free_kept);
}

/* kept_here returns this thread's objects, or NULL when memory is short. */
static struct kept *kept_here(void)
{
    if (pthread_once(&kept_once, make_kept_key) != 0 || kept_failed != 0) {
        return NULL;
    }
    struct kept *k = pthread_getspecific(kept_key);
    if (k != NULL) {
        return k;
    }
    static const uint8_t any_point[KEY_LEN] = {9};
    k = cl_calloc(1, sizeof(*k));
    if (k == NULL) {
        return NULL;
    }
    k->import = EVP_PKEY_CTX_new_from_name(NULL, "X25519", NULL);
    k->peer = EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL, any_point, KEY_LEN);
    if (k->import == NULL || k->peer == NULL || EVP_PKEY_fromdata_init(k->import) != 1 ||
        pthread_setspecific(kept_key, k) != 0) {
        free_kept(k);
        return NULL;
    }
    return k;
}

/* import_key makes libcrypto's object of a private key. Without its public half (len 0) libcrypto
 * computes that, which costs as much as an agreement. */
static EVP_PKEY *import_key(struct kept *k, uint8_t *scalar, uint8_t *share, size_t len)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, scalar, KEY_LEN),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, share, len),
        OSSL_PARAM_construct_end(),
    };
    if (len == 0) {
        params[1] = OSSL_PARAM_construct_end();
    }
    return EVP_PKEY_fromdata(k->import, &pkey, EVP_PKEY_KEYPAIR, params) == 1 ? pkey : NULL;
}

static cl_result keygen(struct cl_kex_key *key, const struct cl_rng *rng, uint8_t *share)
{
    struct kept *k = kept_here();
    if (k == NULL) {
        return cl_ossl_failed(CLEAT_ERR_NOMEM);
    }
    CL_TRY(cl_rand(rng, key->scalar, KEY_LEN));
    /* libcrypto clamps (RFC 7748 5) and computes the public key as it imports. */
    size_t len = KEY_LEN;
    key->pkey = import_key(k, key->scalar, NULL, 0);
    if (key->pkey == NULL || EVP_PKEY_get_raw_public_key(key->pkey, share, &len) != 1 ||
        len != KEY_LEN) {
        return cl_ossl_failed(CLEAT_ERR_CRYPTO);
    }
    memcpy(key->share, share, KEY_LEN);
    return CL_OK;
}

/* context_for makes a context for an agreement with this key. */
static EVP_PKEY_CTX *context_for(struct kept *k, const struct cl_kex_key *key)
{
    if (key->pkey != NULL) {
        return EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    }
    struct cl_kex_key copy = *key; /* OSSL_PARAM has no const */
    EVP_PKEY *pkey = import_key(k, copy.scalar, copy.share, KEY_LEN);
    EVP_PKEY_CTX *ctx = pkey != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL) : NULL;
    EVP_PKEY_free(pkey); /* the context has its own reference */
    cl_wipe(&copy, sizeof(copy));
    return ctx;
}

static cl_result agree(const struct cl_kex_key *key, struct cl_rd peer, uint8_t *secret)
{
    static const uint8_t zero[KEY_LEN];
    size_t len = KEY_LEN;
    struct kept *k = kept_here();
    if (k == NULL) {
        return cl_ossl_failed(CLEAT_ERR_NOMEM);
    }
    EVP_PKEY_CTX *ctx = context_for(k, key);
    /* The peer's share is any 32 bytes: there is nothing to validate but the outcome. */
    if (ctx == NULL || EVP_PKEY_set1_encoded_public_key(k->peer, peer.p, peer.len) != 1 ||
        EVP_PKEY_derive_init(ctx) != 1 || EVP_PKEY_derive_set_peer_ex(ctx, k->peer, 0) != 1) {
        EVP_PKEY_CTX_free(ctx);
        return cl_ossl_failed(CLEAT_ERR_CRYPTO);
    }
    const bool ok = EVP_PKEY_derive(ctx, secret, &len) == 1 && len == KEY_LEN;
    EVP_PKEY_CTX_free(ctx);
    /* RFC 9846 7.4.2: "implementations MUST check whether the computed Diffie-Hellman shared secret
     * is the all-zero value and abort if so". libcrypto's derivation fails then; the check here
     * does not lean on it. */
    if (!ok || cl_ct_equal(secret, zero, KEY_LEN)) {
        return cl_ossl_failed(CLEAT_ERR_BAD_KEY_SHARE);
    }
    return CL_OK;
}

const struct cl_kex_ops cl_kex_x25519 = {.keygen = keygen, .agree = agree};
