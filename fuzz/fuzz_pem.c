/* fuzz/fuzz_pem.c - PEM texts as chain, as trust store, as revocation lists. */
#include <stdlib.h>

#include "cleat/revocation.h"
#include "x509/cert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cleat_chain *chain = NULL;
    struct cleat_trust_store *store = NULL;
    struct cleat_crl_set *crls = NULL;
    struct cleat_error err = {0};
    const char *text = (const char *)data;
    if ((cleat_chain_from_pem(text, size, &chain, &err) == CLEAT_OK) != (chain != NULL) ||
        (chain == NULL && err.text[0] == '\0')) {
        abort();
    }
    if ((cleat_trust_store_from_pem(text, size, &store, NULL) == CLEAT_OK) != (store != NULL)) {
        abort();
    }
    /* what makes a chain makes a store */
    if (chain != NULL && store == NULL) {
        abort();
    }
    if ((cleat_crl_set_from_pem(text, size, &crls, NULL) == CLEAT_OK) != (crls != NULL)) {
        abort();
    }
    cleat_chain_free(chain);
    cleat_trust_store_free(store);
    cleat_crl_set_free(crls);
    return 0;
}
