/* crypto/ec_key.c - libcrypto's EC_KEYs, lent for one operation each.
 *
 * A new EC_KEY copies its curve with all that belongs to it, which costs more time than all other
 * checks of a certificate. So a few are kept for each curve, and each borrower puts its own point
 * in. They hold public points alone, and stay until the process ends; so do the scratch numbers
 * (BN_CTX) with which points are checked.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/key_impl.h"

#include <stdatomic.h>

#include "crypto/ossl.h"

/* 8: as many threads as verify at the same moment; one more makes an object for itself */
#define NUM_KEPT 8

struct shelf {
    _Atomic(void *) kept[NUM_KEPT];
};

static struct shelf ec_keys[CL_KEY_EC_P521 + 1];
static struct shelf scratches;

/* NULL when the shelf is empty. */
static void *take(struct shelf *shelf)
{
    void *found = NULL;
    for (size_t i = 0; i < NUM_KEPT && found == NULL; i++) {
        if (atomic_load_explicit(&shelf->kept[i], memory_order_relaxed) != NULL) {
            found = atomic_exchange_explicit(&shelf->kept[i], NULL, memory_order_acquire);
        }
    }
    return found;
}

/* False when the shelf is full. */
static bool put(struct shelf *shelf, void *what)
{
    for (size_t i = 0; i < NUM_KEPT; i++) {
        void *none = NULL;
        if (atomic_compare_exchange_strong_explicit(&shelf->kept[i], &none, what,
                                                    memory_order_release, memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

cl_result cl_ec_take(EC_KEY **out, enum cl_key_type curve, const uint8_t *point, size_t len)
{
    EC_KEY *ec = take(&ec_keys[curve]);
    BN_CTX *scratch = take(&scratches);
    *out = NULL;
    ec = ec != NULL ? ec : EC_KEY_new_by_curve_name(cl_key_type_nid(curve));
    scratch = scratch != NULL ? scratch : BN_CTX_new();
    /* checks that the point is on the curve */
    const bool good = ec != NULL && scratch != NULL && EC_KEY_oct2key(ec, point, len, scratch) == 1;
    if (scratch != NULL && !put(&scratches, scratch)) {
        BN_CTX_free(scratch);
    }
    if (good) {
        *out = ec;
        return CL_OK;
    }
    const cl_result r =
        cl_ossl_failed(ec != NULL && scratch != NULL ? CLEAT_ERR_BAD_KEY : CLEAT_ERR_NOMEM);
    if (ec != NULL) {
        cl_ec_put(curve, ec);
    }
    return r;
}

void cl_ec_put(enum cl_key_type curve, EC_KEY *ec)
{
    if (!put(&ec_keys[curve], ec)) {
        EC_KEY_free(ec);
    }
}
