/* fuzz/fuzz_session_store.c - a client's store from bytes, as --ssl-sessions reads them: what comes
 * in is bounded, comes out again, and comes in again. */
#include <stdlib.h>
#include <string.h>

#include "cleat/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_MS UINT64_C(1795262400000)
#define MAX    8

static void require(bool true_)
{
    if (!true_) {
        abort();
    }
}

static struct cleat_session_store *store_new(void)
{
    struct cleat_session_store *store = NULL;
    require(cleat_session_store_new(MAX, &store) == CLEAT_OK);
    return store;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cleat_session_store *store = store_new();
    struct cleat_session_store *again = store_new();
    int r = cleat_session_store_import(store, data, size, NOW_MS);
    size_t num = cleat_session_store_num(store);
    require(num <= MAX && (r == CLEAT_OK || num == 0));
    size_t len = 0;
    require(cleat_session_store_export(store, NOW_MS, NULL, &len) == CLEAT_ERR_LIMIT);
    uint8_t *out = malloc(len);
    require(out != NULL && cleat_session_store_export(store, NOW_MS, out, &len) == CLEAT_OK);
    require(cleat_session_store_import(again, out, len, NOW_MS) == CLEAT_OK);
    require(cleat_session_store_num(again) == num);
    cleat_tls_session_free(cleat_session_store_take(again, "localhost:443", NOW_MS));
    free(out);
    cleat_session_store_free(store);
    cleat_session_store_free(again);
    return 0;
}
