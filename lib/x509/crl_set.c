/* x509/crl_set.c - sets of revocation lists: from PEM, from DER, from bytes that are mapped. */
#include "base/mem.h"
#include "base/pem.h"
#include "cleat/revocation.h"
#include "crypto/hash.h"
#include "x509/crl.h"
#include "x509/verify_cache.h"

static cl_result room_for_one(const struct cleat_crl_set *set, struct cleat_error *err)
{
    return set->num < CL_CRL_MAX ? CL_OK
                                 : cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_LIMIT},
                                                "more than %d revocation lists", CL_CRL_MAX);
}

static cl_result too_long(struct cleat_error *err, size_t len, size_t max)
{
    return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_LIMIT},
                        "a revocation list of %zu bytes is longer than the limit of %zu", len, max);
}

static cl_result add_copy(struct cleat_crl_set *set, struct cl_rd der, struct cleat_error *err)
{
    CL_TRY(room_for_one(set, err));
    if (der.len > CL_CRL_MAX_LEN) {
        return too_long(err, der.len, CL_CRL_MAX_LEN);
    }
    CL_TRY(cl_crl_parse(&set->crls[set->num], der, err));
    set->num++;
    return CL_OK;
}

static cl_result add_block(struct cleat_crl_set *set, struct cl_pem *pem,
                           const struct cl_pem_block *block)
{
    struct cl_buf der = {0};
    cl_result r = cl_pem_decode(pem, block, &der, CL_CRL_MAX_LEN);
    if (r == CL_OK) {
        r = add_copy(set, cl_buf_view(&der), pem->err);
    }
    cl_buf_deinit(&der);
    return r;
}

int cleat_crl_set_new(struct cleat_crl_set **out)
{
    struct cleat_crl_set *set = cl_calloc(1, sizeof(*set));
    *out = set;
    if (set == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    set->num_refs = 1;
    set->number = cl_verify_number();
    return CLEAT_OK;
}

int cleat_crl_set_add_pem(struct cleat_crl_set *set, const char *text, size_t len,
                          struct cleat_error *err)
{
    struct cl_pem pem;
    struct cl_pem_block block;
    bool found = true;
    size_t before = set->num;
    cl_pem_init(&pem, text, len, err);
    for (;;) {
        cl_result r = cl_pem_next(&pem, &block, &found);
        if (r == CL_OK && found && cl_rd_equal_str(block.label, "X509 CRL")) {
            r = add_block(set, &pem, &block);
        }
        if (r != CL_OK) {
            return (int)r;
        }
        if (!found) {
            break;
        }
    }
    return set->num != before
               ? CLEAT_OK
               : (int)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NO_CERTIFICATE},
                                   "there is no X509 CRL block in this text");
}

int cleat_crl_set_add_der(struct cleat_crl_set *set, const uint8_t *der, size_t len,
                          struct cleat_error *err)
{
    return (int)add_copy(set, cl_rd_of(der, len), err);
}

static cl_result add_view(struct cleat_crl_set *set, struct cl_rd der, struct cleat_error *err)
{
    CL_TRY(room_for_one(set, err));
    if (der.len > CL_CRL_MAX_MAPPED) {
        return too_long(err, der.len, CL_CRL_MAX_MAPPED);
    }
    return cl_crl_parse_view(&set->crls[set->num], der, err);
}

int cleat_crl_set_add_mapped(struct cleat_crl_set *set, const uint8_t *der, size_t len,
                             void (*release)(void *ctx), void *ctx, struct cleat_error *err)
{
    cl_result r = add_view(set, cl_rd_of(der, len), err);
    if (r != CL_OK) {
        release(ctx);
        return (int)r;
    }
    set->crls[set->num]->release = release;
    set->crls[set->num]->release_ctx = ctx;
    set->num++;
    return CLEAT_OK;
}

int cleat_crl_set_add_set(struct cleat_crl_set *set, const struct cleat_crl_set *from)
{
    if (from->num > CL_CRL_MAX - set->num) {
        return CLEAT_ERR_LIMIT;
    }
    for (size_t i = 0; i < from->num; i++) {
        set->crls[set->num++] = cl_crl_ref(from->crls[i]);
    }
    return CLEAT_OK;
}

int cleat_crl_set_from_pem(const char *pem, size_t len, struct cleat_crl_set **out,
                           struct cleat_error *err)
{
    if (cleat_crl_set_new(out) != CLEAT_OK) {
        return (int)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
    }
    int r = cleat_crl_set_add_pem(*out, pem, len, err);
    if (r != CLEAT_OK) {
        cleat_crl_set_free(*out);
        *out = NULL;
    }
    return r;
}

struct cleat_crl_set *cleat_crl_set_ref(const struct cleat_crl_set *set)
{
    /* The count is not part of what is immutable. */
    struct cleat_crl_set *own = (struct cleat_crl_set *)(uintptr_t)set;
    atomic_fetch_add_explicit(&own->num_refs, 1, memory_order_relaxed);
    return own;
}

void cleat_crl_set_free(struct cleat_crl_set *set)
{
    if (set != NULL && atomic_fetch_sub_explicit(&set->num_refs, 1, memory_order_acq_rel) == 1) {
        for (size_t i = 0; i < set->num; i++) {
            cl_crl_free(set->crls[i]);
        }
        cl_free(set);
    }
}

size_t cleat_crl_set_num(const struct cleat_crl_set *set)
{
    return set->num;
}

void cl_crl_set_digest(const struct cleat_crl_set *set, uint8_t out[32])
{
    struct cl_hash h;
    cl_hash_init(&h, CL_HASH_SHA256);
    for (size_t i = 0; i < set->num; i++) {
        cl_hash_update(&h, set->crls[i]->signature.p, set->crls[i]->signature.len);
    }
    cl_hash_peek(&h, out);
}
