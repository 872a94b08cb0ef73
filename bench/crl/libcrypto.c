/* bench/crl/libcrypto.c - the contender libcrypto: d2i_X509_CRL of the mapped file, which copies
 * it, and X509_CRL_get0_by_serial, which sorts at the first look-up. */
#include <sys/mman.h>

#include <openssl/x509.h>

#include "bench/crl/crl.h"

static void *load(const struct bench_crl_world *world, struct bench_meter *m)
{
    bench_meter_start(m);
    void *p = mmap(NULL, world->len, PROT_READ, MAP_PRIVATE, world->fd, 0);
    const unsigned char *at = p;
    X509_CRL *crl = p != MAP_FAILED ? d2i_X509_CRL(NULL, &at, (long)world->len) : NULL;
    if (p != MAP_FAILED) {
        (void)munmap(p, world->len);
    }
    bench_meter_stop(m);
    return crl;
}

static void drop(void *list)
{
    X509_CRL_free(list);
}

static bool check(void *list, const struct bench_crl_world *world, struct bench_meter *m)
{
    const unsigned char *at = world->ca_der.p;
    X509 *ca = d2i_X509(NULL, &at, (long)world->ca_der.len);
    bench_meter_start(m);
    const bool ok = ca != NULL && X509_CRL_verify(list, X509_get0_pubkey(ca)) == 1;
    bench_meter_stop(m);
    X509_free(ca);
    return ok;
}

static bool find(void *list, uint32_t num_entries, uint32_t first, uint32_t num, bool listed,
                 struct bench_meter *m)
{
    uint8_t serial[BENCH_CRL_SERIAL];
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    bool ok = number != NULL;
    bench_meter_start(m);
    for (uint32_t i = first; ok && i < first + num; i++) {
        X509_REVOKED *entry = NULL;
        bench_crl_serial(bench_crl_at(i, num_entries), listed, serial);
        ok = ASN1_STRING_set(number, serial, sizeof(serial)) == 1 &&
             (X509_CRL_get0_by_serial(list, &entry, number) != 0) == listed;
    }
    bench_meter_stop(m);
    ASN1_INTEGER_free(number);
    return ok;
}

const struct bench_crl_ops bench_crl_libcrypto = {
    .name = "libcrypto", .load = load, .drop = drop, .check = check, .find = find};
