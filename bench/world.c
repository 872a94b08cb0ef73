/* bench/world.c - a CA and what it signs, made anew for each run; how servers are set up. */
#include "bench/scenario.h"

#include <stdio.h>
#include <time.h>

#include "x509/build.h"
#include "x509/chain.h"

#define HOUR 3600

static bool build(struct cleat_chain **out, const struct cl_cert_template *t,
                  const struct cleat_key *signer)
{
    struct cl_buf der = {0};
    struct cleat_error err = {0};
    bool ok = cl_cert_build(&der, t, signer, &err) == CL_OK;
    struct cl_rd view = cl_buf_view(&der);
    ok = ok && cl_chain_from_der(out, &view, 1, &err) == CL_OK;
    if (!ok) {
        fprintf(stderr, "bench: certificate: %s\n", err.text);
    }
    cl_buf_deinit(&der);
    return ok;
}

static struct cl_cert_template template_for(const char *name, const struct cleat_key *key)
{
    static uint8_t serial[16] = {1};
    serial[15]++;
    int64_t now = (int64_t)time(NULL);
    return (struct cl_cert_template){
        .common_name = name,
        .spki = cl_key_spki(key),
        .serial = serial,
        .serial_len = sizeof(serial),
        .not_before = now - HOUR,
        .not_after = now + 24 * HOUR,
        .path_len = -1,
    };
}

static bool make_ca(struct bench_world *world)
{
    if (cl_key_generate(&world->ca_key, CL_KEY_EC_P256, 0) != CL_OK) {
        return false;
    }
    struct cl_cert_template t = template_for("Bench CA", world->ca_key);
    t.is_ca = true;
    t.key_usage = CL_KU_KEY_CERT_SIGN | CL_KU_CRL_SIGN;
    return build(&world->ca, &t, world->ca_key);
}

const struct bench_setup bench_setups[BENCH_NUM_SETUPS] = {
    [BENCH_13_ECDSA] = {.name = "TLS 1.3, ECDSA"},
    [BENCH_13_RSA] = {.name = "TLS 1.3, RSA", .rsa = true},
    [BENCH_13_MUTUAL] = {.name = "TLS 1.3, client certificates", .mutual = true},
    [BENCH_13_EARLY] = {.name = "TLS 1.3, early data", .early = true},
    [BENCH_13_LEAN] = {.name = "TLS 1.3, buffers released", .release_buffers = true},
    [BENCH_12_ECDSA] = {.name = "TLS 1.2, ECDSA", .tls12 = true},
    [BENCH_12_RSA] = {.name = "TLS 1.2, RSA", .tls12 = true, .rsa = true},
};

const struct bench_identity *bench_identity_of(const struct bench_world *world,
                                               const struct bench_setup *setup)
{
    return setup->rsa ? &world->rsa : &world->ecdsa;
}

static bool make_trust(struct bench_world *world)
{
    struct cleat_trust_builder *b = NULL;
    struct cleat_error err = {0};
    bool ok = cleat_trust_builder_new(&b) == CLEAT_OK &&
              cleat_trust_builder_add_cert(b, cl_chain_at(world->ca, 0)) == CLEAT_OK &&
              cleat_trust_builder_finish(b, &world->trust, &err) == CLEAT_OK;
    cleat_trust_builder_free(b);
    return ok;
}

static bool make_identity(struct bench_identity *id, const struct bench_world *world,
                          enum cl_key_type type, unsigned bits, unsigned usage)
{
    static const char *const names[] = {"localhost"};
    if (cl_key_generate(&id->key, type, bits) != CL_OK) {
        return false;
    }
    struct cl_cert_template t = template_for(names[0], id->key);
    t.issuer = cl_chain_at(world->ca, 0);
    t.dns_names = names;
    t.num_dns_names = 1;
    t.key_usage = CL_KU_DIGITAL_SIGNATURE;
    t.ext_key_usage = usage;
    return build(&id->chain, &t, world->ca_key);
}

bool bench_world_make(struct bench_world *world)
{
    *world = (struct bench_world){0};
    return make_ca(world) && make_trust(world) &&
           make_identity(&world->ecdsa, world, CL_KEY_EC_P256, 0, CL_EKU_SERVER_AUTH) &&
           make_identity(&world->rsa, world, CL_KEY_RSA, 2048, CL_EKU_SERVER_AUTH) &&
           make_identity(&world->client, world, CL_KEY_EC_P256, 0, CL_EKU_CLIENT_AUTH);
}

static void drop_identity(struct bench_identity *id)
{
    cleat_chain_free(id->chain);
    cleat_key_free(id->key);
}

void bench_world_drop(struct bench_world *world)
{
    drop_identity(&world->ecdsa);
    drop_identity(&world->rsa);
    drop_identity(&world->client);
    cleat_trust_store_free(world->trust);
    cleat_chain_free(world->ca);
    cleat_key_free(world->ca_key);
    *world = (struct bench_world){0};
}
