/* bench/x509/x509.h - what certificates cost: ours side by side with libcrypto's and GnuTLS's code,
 * on the same bytes in the same run. A contender is a table of functions; the time of a row is the
 * thread's CPU time between the meter's start and stop in them. */
#ifndef BENCH_X509_X509_H
#define BENCH_X509_X509_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "bench/meter.h"

/* A root, an intermediate and a leaf for `host`, all with keys of one kind. */
#define BENCH_X509_HOST "www.example.com"
struct bench_x509_chain {
    struct cl_rd root, intermediate, leaf; /* DER */
};

struct bench_x509_world {
    struct bench_x509_chain ecdsa;
    struct bench_x509_chain rsa;
    char *bundle; /* the system's roots, PEM; NULL: there are none */
    size_t bundle_len;
    int64_t now;
};

bool bench_x509_world_make(struct bench_x509_world *world);
void bench_x509_world_drop(struct bench_x509_world *world);

/* Each function does its thing `num` times inside the meter. anchors are what trust_new made, for
 * one chain's root. NULL: the contender is not there. */
struct bench_x509_ops {
    const char *name;
    const char *(*version)(void); /* or NULL */
    bool (*parse)(struct cl_rd der, unsigned num, struct bench_meter *m);
    /* *num_roots says how many were taken. */
    bool (*load)(const char *pem, size_t len, unsigned num, size_t *num_roots,
                 struct bench_meter *m);
    void *(*trust_new)(struct cl_rd root);
    void (*trust_free)(void *anchors);
    /* From the bytes of leaf and intermediate, as they come in a handshake, to the verdict, host
     * name and purpose included. */
    bool (*verify)(void *anchors, const struct bench_x509_chain *chain, int64_t now, unsigned num,
                   struct bench_meter *m);
    /* The same, with the meter stopped while a signature is checked; or NULL. */
    bool (*rest)(void *anchors, const struct bench_x509_chain *chain, int64_t now, unsigned num,
                 struct bench_meter *m);
};

extern const struct bench_x509_ops bench_x509_cleat;
extern const struct bench_x509_ops bench_x509_libcrypto;
extern const struct bench_x509_ops bench_x509_gnutls;

#endif
