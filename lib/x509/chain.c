/* x509/chain.c - see chain.h and cleat/x509.h. */
#include "x509/chain.h"

#include <stdio.h>

#include "base/mem.h"
#include "x509/fields.h"
#include "base/pem.h"

struct cleat_chain {
    _Atomic unsigned num_refs;
    size_t num;
    struct cleat_cert *certs[CL_CHAIN_MAX];
};

static struct cleat_chain *new_chain(struct cleat_error *err)
{
    struct cleat_chain *chain = cl_calloc(1, sizeof(*chain));
    if (chain == NULL) {
        (void)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
        return NULL;
    }
    chain->num_refs = 1;
    return chain;
}

static cl_result too_many(struct cleat_error *err)
{
    return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_LIMIT},
                        "a chain of more than %d certificates", CL_CHAIN_MAX);
}

/* Parses one certificate behind the others. where names it in the error. */
static cl_result add(struct cleat_chain *chain, struct cl_rd der, size_t line,
                     struct cleat_error *err)
{
    struct cleat_error detail = {0};
    if (chain->num == CL_CHAIN_MAX) {
        return too_many(err);
    }
    cl_result r = cl_cert_parse(&chain->certs[chain->num], der, &detail);
    if (r != CL_OK) {
        char where[48] = "";
        if (line != 0) {
            (void)snprintf(where, sizeof(where), " (line %zu)", line);
        }
        return cl_error_set(err, (struct cl_why){.code = r, .section = detail.section},
                            "certificate %zu%s: %s", chain->num + 1, where, detail.text);
    }
    chain->num++;
    return CL_OK;
}

static cl_result read_blocks(struct cleat_chain *chain, struct cl_pem *pem)
{
    for (;;) {
        struct cl_pem_block block;
        struct cl_buf der = {0};
        bool found;
        CL_TRY(cl_pem_next(pem, &block, &found));
        if (!found) {
            return CL_OK;
        }
        if (!cl_rd_equal_str(block.label, "CERTIFICATE")) {
            continue;
        }
        cl_result r = cl_pem_decode(pem, &block, &der, CL_CERT_MAX_LEN);
        if (r == CL_OK) {
            r = add(chain, cl_buf_view(&der), block.line, pem->err);
        }
        cl_buf_deinit(&der);
        CL_TRY(r);
    }
}

static cl_result no_certificate(struct cleat_error *err)
{
    return cl_error_set(err,
                        (struct cl_why){.code = CLEAT_ERR_NO_CERTIFICATE,
                                        .hint = "a chain is PEM: blocks of BEGIN CERTIFICATE, the "
                                                "leaf first"},
                        "there is no certificate in this text");
}

int cleat_chain_from_pem(const char *pem, size_t len, struct cleat_chain **out,
                         struct cleat_error *err)
{
    struct cl_pem walk;
    *out = NULL;
    struct cleat_chain *chain = new_chain(err);
    if (chain == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    cl_pem_init(&walk, pem, len, err);
    cl_result r = read_blocks(chain, &walk);
    if (r == CL_OK && chain->num == 0) {
        r = no_certificate(err);
    }
    if (r != CL_OK) {
        cleat_chain_free(chain);
        return (int)r;
    }
    *out = chain;
    return CLEAT_OK;
}

cl_result cl_chain_from_der(struct cleat_chain **out, const struct cl_rd *der, size_t num,
                            struct cleat_error *err)
{
    *out = NULL;
    if (num == 0) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NO_CERTIFICATE},
                            "an empty chain");
    }
    struct cleat_chain *chain = new_chain(err);
    if (chain == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    for (size_t i = 0; i < num; i++) {
        cl_result r = add(chain, der[i], 0, err);
        if (r != CL_OK) {
            cleat_chain_free(chain);
            return r;
        }
    }
    *out = chain;
    return CL_OK;
}

cl_result cl_chain_from_certs(struct cleat_chain **out, const struct cleat_cert *const *certs,
                              size_t num)
{
    *out = NULL;
    if (num == 0) {
        return CLEAT_ERR_NO_CERTIFICATE;
    }
    if (num > CL_CHAIN_MAX) {
        return CLEAT_ERR_LIMIT;
    }
    struct cleat_chain *chain = new_chain(NULL);
    if (chain == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    for (size_t i = 0; i < num; i++) {
        chain->certs[chain->num++] = cleat_cert_ref(certs[i]);
    }
    *out = chain;
    return CL_OK;
}

struct cleat_chain *cleat_chain_ref(const struct cleat_chain *chain)
{
    /* The count is not part of what is immutable. */
    struct cleat_chain *own = (struct cleat_chain *)(uintptr_t)chain;
    atomic_fetch_add_explicit(&own->num_refs, 1, memory_order_relaxed);
    return own;
}

void cleat_chain_free(struct cleat_chain *chain)
{
    if (chain == NULL ||
        atomic_fetch_sub_explicit(&chain->num_refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < chain->num; i++) {
        cleat_cert_free(chain->certs[i]);
    }
    cl_free(chain);
}

size_t cl_chain_num(const struct cleat_chain *chain)
{
    return chain->num;
}

const struct cleat_cert *cl_chain_at(const struct cleat_chain *chain, size_t i)
{
    return i < chain->num ? chain->certs[i] : NULL;
}

size_t cleat_chain_num(const struct cleat_chain *chain)
{
    return chain->num;
}

const struct cleat_cert *cleat_chain_at(const struct cleat_chain *chain, size_t i)
{
    return cl_chain_at(chain, i);
}
