/* x509/verify_cache.h - chains that were verified, remembered (see cleat/x509.h); for lib/x509
 * alone.
 *
 * A question is asked again when its key is the same: SHA-256 over everything that the verdict
 * depends on but the time. Of the time, a verdict keeps the span in which nothing that it rests on
 * begins or ends. Only acceptance is remembered.
 */
#ifndef CL_X509_VERIFY_CACHE_H
#define CL_X509_VERIFY_CACHE_H

#include "x509/crl.h"
#include "x509/verify.h"

#define CL_VERIFY_KEY_LEN 32

/* cl_verify_cache_key hashes a question: parameters and chain. */
void cl_verify_cache_key(const struct cl_verify_params *p, const struct cl_rd *chain_der,
                         size_t num, uint8_t out[CL_VERIFY_KEY_LEN]);

/* cl_verify_cache_find gives a reference to the verdict that is remembered for key and holds at
 * now, or NULL. */
struct cleat_verdict *cl_verify_cache_find(struct cleat_verify_cache *cache,
                                           const uint8_t key[CL_VERIFY_KEY_LEN], int64_t now);

/* cl_verify_cache_add remembers a copy of an accepting verdict that v has come to; one that is too
 * large, or for which memory is short, is not remembered. */
void cl_verify_cache_add(struct cleat_verify_cache *cache, const uint8_t key[CL_VERIFY_KEY_LEN],
                         const struct cleat_verdict *verdict, const struct cl_verify *v);

/* cl_verify_number gives a number that no list of this process had before: a list's own, by which a
 * key tells lists apart without reading them. */
uint64_t cl_verify_number(void);
uint64_t cl_suffix_list_number(const struct cleat_suffix_list *list);

#endif
