/* x509/ocsp_set.c - sets of OCSP responses, as the application gives them (cleat/revocation.h). */
#include "base/mem.h"
#include "cleat/revocation.h"
#include "crypto/hash.h"
#include "x509/ocsp.h"

int cleat_ocsp_set_new(struct cleat_ocsp_set **out)
{
    *out = cl_calloc(1, sizeof(**out));
    if (*out == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    (*out)->num_refs = 1;
    return CLEAT_OK;
}

int cleat_ocsp_set_add(struct cleat_ocsp_set *set, const uint8_t *der, size_t len,
                       struct cleat_error *err)
{
    if (set->num == CL_OCSP_MAX) {
        return (int)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_LIMIT},
                                 "more than %d OCSP responses", CL_OCSP_MAX);
    }
    cl_result r = cl_ocsp_parse(&set->responses[set->num], cl_rd_of(der, len), err);
    set->num += r == CL_OK;
    return (int)r;
}

int cleat_ocsp_set_add_answer(struct cleat_ocsp_set *set, const uint8_t *der, size_t len,
                              const uint8_t *nonce, size_t nonce_len, bool required,
                              struct cleat_error *err)
{
    static const struct cl_why why = {
        .code = CLEAT_ERR_OCSP_NONCE,
        .section = "RFC 9654 2.1",
        .hint = "it may be an older response that somebody sends again; ask once more",
    };
    const int code = cleat_ocsp_set_add(set, der, len, err);
    if (code != CLEAT_OK) {
        return code;
    }
    struct cl_ocsp *response = set->responses[set->num - 1];
    const bool has_nonce = response->nonce.len != 0;
    if (response->response_status != 0 ||
        (has_nonce && cl_rd_equal(response->nonce, cl_rd_of(nonce, nonce_len))) ||
        (!has_nonce && !required)) {
        return CLEAT_OK;
    }
    set->num--;
    cl_ocsp_free(response);
    return (int)cl_error_set(err, why, "the response has %s nonce; the request's has %zu bytes",
                             has_nonce ? "another" : "no", nonce_len);
}

int cleat_ocsp_set_add_set(struct cleat_ocsp_set *set, const struct cleat_ocsp_set *from)
{
    if (from->num > CL_OCSP_MAX - set->num) {
        return CLEAT_ERR_LIMIT;
    }
    for (size_t i = 0; i < from->num; i++) {
        set->responses[set->num++] = cl_ocsp_ref(from->responses[i]);
    }
    return CLEAT_OK;
}

struct cleat_ocsp_set *cleat_ocsp_set_ref(const struct cleat_ocsp_set *set)
{
    /* The count is not part of what is immutable. */
    struct cleat_ocsp_set *own = (struct cleat_ocsp_set *)(uintptr_t)set;
    atomic_fetch_add_explicit(&own->num_refs, 1, memory_order_relaxed);
    return own;
}

void cleat_ocsp_set_free(struct cleat_ocsp_set *set)
{
    if (set != NULL && atomic_fetch_sub_explicit(&set->num_refs, 1, memory_order_acq_rel) == 1) {
        for (size_t i = 0; i < set->num; i++) {
            cl_ocsp_free(set->responses[i]);
        }
        cl_free(set);
    }
}

size_t cleat_ocsp_set_num(const struct cleat_ocsp_set *set)
{
    return set->num;
}

void cl_ocsp_set_digest(const struct cleat_ocsp_set *set, uint8_t out[32])
{
    struct cl_hash h;
    cl_hash_init(&h, CL_HASH_SHA256);
    for (size_t i = 0; i < set->num; i++) {
        cl_hash_update(&h, set->responses[i]->der.p, set->responses[i]->der.len);
    }
    cl_hash_peek(&h, out);
}

int cleat_ocsp_request(const struct cleat_cert *cert, const struct cleat_cert *issuer,
                       const uint8_t *nonce, size_t nonce_len, uint8_t *out, size_t cap,
                       size_t *out_len)
{
    struct cl_buf request = {0};
    *out_len = 0;
    if (nonce_len > CLEAT_OCSP_MAX_NONCE) {
        return CLEAT_ERR_USAGE;
    }
    cl_result r = cl_ocsp_request(&request, cert, issuer, cl_rd_of(nonce, nonce_len));
    if (r == CL_OK && request.len > cap) {
        r = CLEAT_ERR_LIMIT;
    }
    if (r == CL_OK) {
        memcpy(out, request.p, request.len);
        *out_len = request.len;
    }
    cl_buf_deinit(&request);
    return (int)r;
}
