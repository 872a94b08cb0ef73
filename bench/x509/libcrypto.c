/* bench/x509/libcrypto.c - the contender libcrypto: d2i_X509 and X509_verify_cert. */
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "bench/x509/x509.h"

static X509 *from_der(struct cl_rd der)
{
    const unsigned char *p = der.p;
    return d2i_X509(NULL, &p, (long)der.len);
}

static bool parse(struct cl_rd der, unsigned num, struct bench_meter *m)
{
    bool ok = true;
    bench_meter_start(m);
    for (unsigned i = 0; i < num; i++) {
        X509 *cert = from_der(der);
        ok = cert != NULL && ok;
        X509_free(cert);
    }
    bench_meter_stop(m);
    return ok;
}

static X509_STORE *store_of(const char *pem, size_t len, size_t *num)
{
    BIO *bio = BIO_new_mem_buf(pem, (int)len);
    X509_STORE *store = X509_STORE_new();
    X509 *cert;
    *num = 0;
    while (bio != NULL && store != NULL &&
           (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        *num += X509_STORE_add_cert(store, cert) == 1 ? 1 : 0;
        X509_free(cert);
    }
    BIO_free(bio);
    return store;
}

static bool load(const char *pem, size_t len, unsigned num, size_t *num_roots,
                 struct bench_meter *m)
{
    for (unsigned i = 0; i < num; i++) {
        bench_meter_start(m);
        X509_STORE *store = store_of(pem, len, num_roots);
        bench_meter_stop(m);
        X509_STORE_free(store);
    }
    return *num_roots != 0;
}

static void *trust_new(struct cl_rd root)
{
    X509_STORE *store = X509_STORE_new();
    X509 *cert = from_der(root);
    bool ok = store != NULL && cert != NULL && X509_STORE_add_cert(store, cert) == 1;
    X509_free(cert);
    if (!ok) {
        X509_STORE_free(store);
    }
    return ok ? store : NULL;
}

static void trust_free(void *anchors)
{
    X509_STORE_free(anchors);
}

static bool verify_once(void *anchors, const struct bench_x509_chain *chain, int64_t now)
{
    X509 *leaf = from_der(chain->leaf);
    STACK_OF(X509) *others = sk_X509_new_null();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    bool ok = sk_X509_push(others, from_der(chain->intermediate)) > 0 &&
              X509_STORE_CTX_init(ctx, anchors, leaf, others) == 1;
    if (ok) {
        X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
        X509_VERIFY_PARAM_set_time(param, now);
        ok = X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER) == 1 &&
             X509_VERIFY_PARAM_set1_host(param, BENCH_X509_HOST, 0) == 1 &&
             X509_verify_cert(ctx) == 1;
    }
    X509_STORE_CTX_free(ctx);
    sk_X509_pop_free(others, X509_free);
    X509_free(leaf);
    return ok;
}

static bool verify(void *anchors, const struct bench_x509_chain *chain, int64_t now, unsigned num,
                   struct bench_meter *m)
{
    bool ok = true;
    bench_meter_start(m);
    for (unsigned i = 0; i < num; i++) {
        ok = verify_once(anchors, chain, now) && ok;
    }
    bench_meter_stop(m);
    return ok;
}

const struct bench_x509_ops bench_x509_libcrypto = {
    .name = "libcrypto",
    .parse = parse,
    .load = load,
    .trust_new = trust_new,
    .trust_free = trust_free,
    .verify = verify,
};
