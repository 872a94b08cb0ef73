/* x509/trust.c - trust stores: a builder collects certificates, finish sorts them by the hash of
 * their subject, so that a look-up is a binary search. The same certificate twice counts once. */
#include "x509/trust.h"

#include <stdlib.h>

#include "base/mem.h"
#include "x509/fields.h"
#include "base/pem.h"

struct anchor {
    struct cleat_cert *cert;
    uint64_t name_hash;
    uint8_t digest[32];
};

struct cleat_trust_store {
    _Atomic unsigned num_refs;
    size_t num;
    size_t num_skipped;
    struct anchor *anchors;
    uint8_t digest[32];
};

struct cleat_trust_builder {
    size_t num;
    size_t cap;
    size_t num_skipped;
    struct anchor *anchors;
    struct cl_buf der;          /* scratch */
    struct cleat_error skipped; /* why the first one was */
};

int cleat_trust_builder_new(struct cleat_trust_builder **out)
{
    *out = cl_calloc(1, sizeof(**out));
    return *out != NULL ? CLEAT_OK : CLEAT_ERR_NOMEM;
}

static void drop_anchors(struct anchor *anchors, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        cleat_cert_free(anchors[i].cert);
    }
    cl_free(anchors);
}

void cleat_trust_builder_free(struct cleat_trust_builder *builder)
{
    if (builder != NULL) {
        drop_anchors(builder->anchors, builder->num);
        cl_buf_deinit(&builder->der);
        cl_free(builder);
    }
}

/* Takes over the reference, also when it fails. */
static cl_result add(struct cleat_trust_builder *builder, struct cleat_cert *cert)
{
    if (builder->num == CL_TRUST_MAX_ANCHORS) {
        cleat_cert_free(cert);
        return CLEAT_ERR_LIMIT;
    }
    if (builder->num == builder->cap) {
        size_t cap = builder->cap != 0 ? 2 * builder->cap : 64;
        struct anchor *more = cl_realloc(builder->anchors, cap * sizeof(*more));
        if (more == NULL) {
            cleat_cert_free(cert);
            return CLEAT_ERR_NOMEM;
        }
        builder->anchors = more;
        builder->cap = cap;
    }
    struct anchor *anchor = &builder->anchors[builder->num++];
    anchor->cert = cert;
    anchor->name_hash = cert->subject.hash;
    cl_hash_once(CL_HASH_SHA256, cert->der.p, cert->der.len, anchor->digest);
    return CL_OK;
}

int cleat_trust_builder_add_cert(struct cleat_trust_builder *builder, const struct cleat_cert *cert)
{
    return (int)add(builder, cleat_cert_ref(cert));
}

static cl_result add_block(struct cleat_trust_builder *builder, const struct cl_pem *pem,
                           const struct cl_pem_block *block)
{
    struct cleat_cert *cert;
    struct cl_pem quiet = {.line = pem->line};
    builder->der.len = 0;
    quiet.err = builder->num_skipped == 0 ? &builder->skipped : NULL;
    cl_result r = cl_pem_decode(&quiet, block, &builder->der, CL_CERT_MAX_LEN);
    if (r == CL_OK) {
        r = cl_cert_parse(&cert, cl_buf_view(&builder->der), quiet.err);
    }
    if (r == CLEAT_ERR_NOMEM) {
        return r;
    }
    if (r != CL_OK) {
        builder->num_skipped++;
        return CL_OK;
    }
    return add(builder, cert);
}

int cleat_trust_builder_add_pem(struct cleat_trust_builder *builder, const char *pem, size_t len,
                                size_t *num_skipped, struct cleat_error *err)
{
    struct cl_pem walk;
    size_t before = builder->num_skipped;
    cl_pem_init(&walk, pem, len, err);
    for (;;) {
        struct cl_pem_block block;
        bool found;
        cl_result r = cl_pem_next(&walk, &block, &found);
        if (r != CL_OK) {
            return (int)r;
        }
        if (!found) {
            break;
        }
        if (!cl_rd_equal_str(block.label, "CERTIFICATE") &&
            !cl_rd_equal_str(block.label, "X509 CERTIFICATE")) {
            continue;
        }
        r = add_block(builder, &walk, &block);
        if (r != CL_OK) {
            return (int)cl_error_set(err, (struct cl_why){.code = r},
                                     "line %zu: this trust anchor could not be added: %s",
                                     block.line, cleat_error_sentence((int)r));
        }
    }
    if (num_skipped != NULL) {
        *num_skipped = builder->num_skipped - before;
    }
    return CLEAT_OK;
}

static int by_digest(const void *a, const void *b)
{
    return memcmp(((const struct anchor *)a)->digest, ((const struct anchor *)b)->digest, 32);
}

static int by_name(const void *a, const void *b)
{
    uint64_t x = ((const struct anchor *)a)->name_hash;
    uint64_t y = ((const struct anchor *)b)->name_hash;
    if (x != y) {
        return x < y ? -1 : 1;
    }
    return by_digest(a, b);
}

/* Sorts by digest, drops doubles, hashes the digests, sorts by name. */
static void arrange(struct cleat_trust_store *store)
{
    struct cl_hash hash;
    size_t num = 0;
    qsort(store->anchors, store->num, sizeof(store->anchors[0]), by_digest);
    cl_hash_init(&hash, CL_HASH_SHA256);
    for (size_t i = 0; i < store->num; i++) {
        if (num != 0 && by_digest(&store->anchors[num - 1], &store->anchors[i]) == 0) {
            cleat_cert_free(store->anchors[i].cert);
            continue;
        }
        store->anchors[num] = store->anchors[i];
        cl_hash_update(&hash, store->anchors[num].digest, 32);
        num++;
    }
    store->num = num;
    cl_hash_peek(&hash, store->digest);
    qsort(store->anchors, store->num, sizeof(store->anchors[0]), by_name);
}

int cleat_trust_builder_finish(struct cleat_trust_builder *builder, struct cleat_trust_store **out,
                               struct cleat_error *err)
{
    *out = NULL;
    if (builder->num == 0) {
        return (int)cl_error_set(
            err,
            (struct cl_why){.code = CLEAT_ERR_NO_CERTIFICATE,
                            .hint = "a trust store is PEM: blocks of BEGIN CERTIFICATE"},
            "there is no usable trust anchor (%zu could not be parsed%s%s)", builder->num_skipped,
            builder->num_skipped != 0 ? ": " : "", builder->skipped.text);
    }
    struct cleat_trust_store *store = cl_calloc(1, sizeof(*store));
    if (store == NULL) {
        return (int)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
    }
    store->num_refs = 1;
    store->num = builder->num;
    store->num_skipped = builder->num_skipped;
    store->anchors = builder->anchors;
    builder->anchors = NULL;
    builder->num = 0;
    builder->cap = 0;
    builder->num_skipped = 0;
    arrange(store);
    *out = store;
    return CLEAT_OK;
}

int cleat_trust_store_from_pem(const char *pem, size_t len, struct cleat_trust_store **out,
                               struct cleat_error *err)
{
    struct cleat_trust_builder *builder;
    *out = NULL;
    int r = cleat_trust_builder_new(&builder);
    if (r != CLEAT_OK) {
        return (int)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
    }
    r = cleat_trust_builder_add_pem(builder, pem, len, NULL, err);
    if (r == CLEAT_OK) {
        r = cleat_trust_builder_finish(builder, out, err);
    }
    cleat_trust_builder_free(builder);
    return r;
}

struct cleat_trust_store *cleat_trust_store_ref(const struct cleat_trust_store *store)
{
    /* The count is not part of what is immutable. */
    struct cleat_trust_store *own = (struct cleat_trust_store *)(uintptr_t)store;
    atomic_fetch_add_explicit(&own->num_refs, 1, memory_order_relaxed);
    return own;
}

void cleat_trust_store_free(struct cleat_trust_store *store)
{
    if (store != NULL &&
        atomic_fetch_sub_explicit(&store->num_refs, 1, memory_order_acq_rel) == 1) {
        drop_anchors(store->anchors, store->num);
        cl_free(store);
    }
}

size_t cleat_trust_store_num(const struct cleat_trust_store *store)
{
    return store->num;
}

size_t cleat_trust_store_num_skipped(const struct cleat_trust_store *store)
{
    return store->num_skipped;
}

const struct cleat_cert *cleat_trust_store_at(const struct cleat_trust_store *store, size_t i)
{
    return i < store->num ? store->anchors[i].cert : NULL;
}

void cl_trust_digest(const struct cleat_trust_store *store, uint8_t out[32])
{
    memcpy(out, store->digest, sizeof(store->digest));
}

size_t cl_trust_find(const struct cleat_trust_store *store, uint64_t name_hash, size_t *num)
{
    size_t low = 0;
    size_t high = store->num;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (store->anchors[middle].name_hash < name_hash) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *num = 0;
    while (low + *num < store->num && store->anchors[low + *num].name_hash == name_hash) {
        (*num)++;
    }
    return low;
}

const struct cleat_cert *cl_trust_indexed(const struct cleat_trust_store *store, size_t i)
{
    return cleat_trust_store_at(store, i);
}

struct cl_rd cl_trust_subject_at(const struct cleat_trust_store *store, size_t i)
{
    return i < store->num ? store->anchors[i].cert->subject.der : (struct cl_rd){0};
}

const struct cleat_cert *cl_trust_related(const struct cleat_trust_store *store,
                                          const struct cleat_cert *cert, size_t *at)
{
    while (*at < store->num) {
        const struct anchor *anchor = &store->anchors[(*at)++];
        if (anchor->name_hash == cert->issuer.hash || anchor->name_hash == cert->subject.hash) {
            return anchor->cert;
        }
    }
    return NULL;
}
