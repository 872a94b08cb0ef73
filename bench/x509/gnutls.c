/* bench/x509/gnutls.c - the contender GnuTLS: gnutls_x509_crt_import and a trust list. Empty when
 * the library was not there at build time. */
#include "bench/x509/x509.h"

#ifdef BENCH_HAS_GNUTLS

#include <gnutls/x509.h>

static gnutls_x509_crt_t from_der(struct cl_rd der)
{
    gnutls_x509_crt_t cert = NULL;
    gnutls_datum_t datum = {(unsigned char *)(uintptr_t)der.p, (unsigned)der.len};
    if (gnutls_x509_crt_init(&cert) == 0 &&
        gnutls_x509_crt_import(cert, &datum, GNUTLS_X509_FMT_DER) != 0) {
        gnutls_x509_crt_deinit(cert);
        cert = NULL;
    }
    return cert;
}

static bool parse(struct cl_rd der, unsigned num, struct bench_meter *m)
{
    bool ok = true;
    bench_meter_start(m);
    for (unsigned i = 0; i < num && ok; i++) {
        gnutls_x509_crt_t cert = from_der(der);
        ok = cert != NULL;
        if (ok) {
            gnutls_x509_crt_deinit(cert);
        }
    }
    bench_meter_stop(m);
    return ok;
}

static bool load(const char *pem, size_t len, unsigned num, size_t *num_roots,
                 struct bench_meter *m)
{
    for (unsigned i = 0; i < num; i++) {
        gnutls_x509_trust_list_t list = NULL;
        gnutls_datum_t datum = {(unsigned char *)(uintptr_t)pem, (unsigned)len};
        bench_meter_start(m);
        int n = gnutls_x509_trust_list_init(&list, 0) == 0
                    ? gnutls_x509_trust_list_add_trust_mem(list, &datum, NULL, GNUTLS_X509_FMT_PEM,
                                                           0, 0)
                    : 0;
        bench_meter_stop(m);
        *num_roots = n > 0 ? (size_t)n : 0;
        gnutls_x509_trust_list_deinit(list, 1);
    }
    return *num_roots != 0;
}

static void *trust_new(struct cl_rd root)
{
    gnutls_x509_trust_list_t list = NULL;
    gnutls_x509_crt_t cert = from_der(root);
    if (cert == NULL || gnutls_x509_trust_list_init(&list, 0) != 0 ||
        gnutls_x509_trust_list_add_cas(list, &cert, 1, 0) != 1) {
        return NULL;
    }
    return list;
}

static void trust_free(void *anchors)
{
    gnutls_x509_trust_list_deinit(anchors, 1);
}

/* Its time is the clock's: what the chains here are valid at. */
static bool verify_once(void *anchors, const struct bench_x509_chain *chain)
{
    gnutls_x509_crt_t certs[] = {from_der(chain->leaf), from_der(chain->intermediate)};
    gnutls_typed_vdata_st data[] = {
        {GNUTLS_DT_DNS_HOSTNAME, (unsigned char *)(uintptr_t)BENCH_X509_HOST, 0},
        {GNUTLS_DT_KEY_PURPOSE_OID, (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_SERVER, 0}};
    unsigned status = 1;
    bool ok =
        certs[0] != NULL && certs[1] != NULL &&
        gnutls_x509_trust_list_verify_crt2(anchors, certs, 2, data, 2, 0, &status, NULL) == 0 &&
        status == 0;
    for (size_t i = 0; i < 2; i++) {
        if (certs[i] != NULL) {
            gnutls_x509_crt_deinit(certs[i]);
        }
    }
    return ok;
}

static bool verify(void *anchors, const struct bench_x509_chain *chain, int64_t now, unsigned num,
                   struct bench_meter *m)
{
    bool ok = true;
    (void)now;
    bench_meter_start(m);
    for (unsigned i = 0; i < num; i++) {
        ok = verify_once(anchors, chain) && ok;
    }
    bench_meter_stop(m);
    return ok;
}

static const char *version(void)
{
    return gnutls_check_version(NULL);
}

const struct bench_x509_ops bench_x509_gnutls = {
    .name = "GnuTLS",
    .version = version,
    .parse = parse,
    .load = load,
    .trust_new = trust_new,
    .trust_free = trust_free,
    .verify = verify,
};

#else

const struct bench_x509_ops bench_x509_gnutls = {.name = "GnuTLS"};

#endif
