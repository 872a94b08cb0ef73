/* bench/x509/world.c - the chains, made anew for each run, and the system's bundle. */
#include "bench/x509/x509.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "x509/build.h"

#define HOUR       3600
/* 4 MiB: the system's bundle has 220 KB */
#define MAX_BUNDLE (4u << 20)

static struct cl_cert_template template_for(const char *name, const struct cleat_key *key,
                                            int64_t now)
{
    static uint8_t serial[16] = {1};
    serial[15]++;
    return (struct cl_cert_template){
        .common_name = name,
        .organization = "Example",
        .spki = cl_key_spki(key),
        .serial = serial,
        .serial_len = sizeof(serial),
        .not_before = now - HOUR,
        .not_after = now + 24 * HOUR,
        .path_len = -1,
    };
}

static bool build(struct cl_rd *out, struct cleat_cert **cert, const struct cl_cert_template *t,
                  const struct cleat_key *signer)
{
    struct cl_buf der = {0};
    struct cleat_error err = {0};
    bool ok = cl_cert_build(&der, t, signer, &err) == CL_OK;
    if (ok && cert != NULL) {
        ok = cl_cert_parse(cert, cl_buf_view(&der), &err) == CL_OK;
    }
    if (!ok) {
        fprintf(stderr, "bench: certificate: %s\n", err.text);
    }
    *out = cl_buf_view(&der); /* kept: freed by drop_chain */
    return ok;
}

static bool make_chain(struct bench_x509_chain *c, enum cl_key_type type, unsigned bits,
                       int64_t now)
{
    static const char *const names[] = {BENCH_X509_HOST, "example.com"};
    struct cleat_key *keys[3] = {0};
    struct cleat_cert *root = NULL;
    struct cleat_cert *middle = NULL;
    bool ok = true;
    for (size_t i = 0; i < 3 && ok; i++) {
        ok = cl_key_generate(&keys[i], type, bits) == CL_OK;
    }
    if (ok) {
        struct cl_cert_template t = template_for("Bench Root", keys[0], now);
        t.is_ca = true;
        t.key_usage = CL_KU_KEY_CERT_SIGN | CL_KU_CRL_SIGN;
        ok = build(&c->root, &root, &t, keys[0]);
        t = template_for("Bench Issuing CA", keys[1], now);
        t.is_ca = true;
        t.key_usage = CL_KU_KEY_CERT_SIGN | CL_KU_CRL_SIGN;
        t.issuer = root;
        ok = ok && build(&c->intermediate, &middle, &t, keys[0]);
        t = template_for(BENCH_X509_HOST, keys[2], now);
        t.issuer = middle;
        t.dns_names = names;
        t.num_dns_names = 2;
        t.key_usage = CL_KU_DIGITAL_SIGNATURE;
        t.ext_key_usage = CL_EKU_SERVER_AUTH | CL_EKU_CLIENT_AUTH;
        ok = ok && build(&c->leaf, NULL, &t, keys[1]);
    }
    cleat_cert_free(root);
    cleat_cert_free(middle);
    for (size_t i = 0; i < 3; i++) {
        cleat_key_free(keys[i]);
    }
    return ok;
}

static void read_bundle(struct bench_x509_world *world)
{
    FILE *f = fopen("/etc/ssl/certs/ca-certificates.crt", "rb");
    world->bundle = f != NULL ? malloc(MAX_BUNDLE) : NULL;
    if (world->bundle != NULL) {
        world->bundle_len = fread(world->bundle, 1, MAX_BUNDLE - 1, f);
        world->bundle[world->bundle_len] = '\0';
    }
    if (f != NULL) {
        (void)fclose(f);
    }
}

bool bench_x509_world_make(struct bench_x509_world *world)
{
    *world = (struct bench_x509_world){.now = (int64_t)time(NULL)};
    read_bundle(world);
    return make_chain(&world->ecdsa, CL_KEY_EC_P256, 0, world->now) &&
           make_chain(&world->rsa, CL_KEY_RSA, 2048, world->now);
}

static void drop_chain(struct bench_x509_chain *c)
{
    const struct cl_rd ders[] = {c->root, c->intermediate, c->leaf};
    for (size_t i = 0; i < 3; i++) {
        struct cl_buf buf = {.p = (uint8_t *)(uintptr_t)ders[i].p};
        cl_buf_deinit(&buf);
    }
}

void bench_x509_world_drop(struct bench_x509_world *world)
{
    drop_chain(&world->ecdsa);
    drop_chain(&world->rsa);
    free(world->bundle);
}
