/* measure/world.c - see world.h. */
#include "measure/world.h"

#include "net/clock.h"
#include "x509/build.h"
#include "x509/chain.h"

/* A day: nothing is measured that long; an hour back, for clocks that are being set. */
#define HOUR 3600
#define DAY  86400

static cl_result build(struct cleat_chain **out, const struct cl_cert_template *t,
                       const struct cleat_key *signer, struct cleat_error *err)
{
    struct cl_buf der = {0};
    cl_result r = cl_cert_build(&der, t, signer, err);
    if (r == CL_OK) {
        struct cl_rd view = cl_buf_view(&der);
        r = cl_chain_from_der(out, &view, 1, err);
    }
    cl_buf_deinit(&der);
    return r;
}

/* serial tells the certificates of a world apart. */
static struct cl_cert_template template_for(const char *name, const struct cleat_key *key,
                                            const uint8_t *serial)
{
    int64_t now = (int64_t)(cl_clock_unix_ms() / 1000);
    return (struct cl_cert_template){
        .common_name = name,
        .spki = cl_key_spki(key),
        .serial = serial,
        .serial_len = 1,
        .not_before = now - HOUR,
        .not_after = now + DAY,
        .path_len = -1,
    };
}

static cl_result make_ca(struct cl_bench_world *world, struct cleat_error *err)
{
    static const uint8_t serial = 1;
    CL_TRY(cl_key_generate(&world->ca_key, CL_KEY_EC_P256, 0));
    struct cl_cert_template t = template_for("Bench CA", world->ca_key, &serial);
    t.is_ca = true;
    t.key_usage = CL_KU_KEY_CERT_SIGN | CL_KU_CRL_SIGN;
    return build(&world->ca, &t, world->ca_key, err);
}

static cl_result make_trust(struct cl_bench_world *world, struct cleat_error *err)
{
    struct cleat_trust_builder *b = NULL;
    int r = cleat_trust_builder_new(&b);
    if (r == CLEAT_OK) {
        r = cleat_trust_builder_add_cert(b, cl_chain_at(world->ca, 0));
    }
    if (r == CLEAT_OK) {
        r = cleat_trust_builder_finish(b, &world->trust, err);
    }
    cleat_trust_builder_free(b);
    return (cl_result)r;
}

struct leaf {
    enum cl_key_type type;
    unsigned bits;
    unsigned usage;
    uint8_t serial;
};

static cl_result make_leaf(struct cl_identity *id, const struct cl_bench_world *world,
                           const struct leaf *leaf, struct cleat_error *err)
{
    static const char *const names[] = {CL_WORLD_NAME};
    CL_TRY(cl_key_generate(&id->key, leaf->type, leaf->bits));
    struct cl_cert_template t = template_for(names[0], id->key, &leaf->serial);
    t.issuer = cl_chain_at(world->ca, 0);
    t.dns_names = names;
    t.num_dns_names = 1;
    t.key_usage = CL_KU_DIGITAL_SIGNATURE;
    t.ext_key_usage = leaf->usage;
    return build(&id->chain, &t, world->ca_key, err);
}

cl_result cl_bench_world_init(struct cl_bench_world *world, struct cleat_error *err)
{
    static const struct leaf ecdsa = {CL_KEY_EC_P256, 0, CL_EKU_SERVER_AUTH, 2};
    static const struct leaf rsa = {CL_KEY_RSA, 2048, CL_EKU_SERVER_AUTH, 3};
    static const struct leaf client = {CL_KEY_EC_P256, 0, CL_EKU_CLIENT_AUTH, 4};
    *world = (struct cl_bench_world){0};
    CL_TRY(make_ca(world, err));
    CL_TRY(make_trust(world, err));
    CL_TRY(make_leaf(&world->ecdsa, world, &ecdsa, err));
    CL_TRY(make_leaf(&world->rsa, world, &rsa, err));
    return make_leaf(&world->client, world, &client, err);
}

static void deinit_identity(struct cl_identity *id)
{
    cleat_chain_free(id->chain);
    cleat_key_free(id->key);
}

void cl_bench_world_deinit(struct cl_bench_world *world)
{
    deinit_identity(&world->ecdsa);
    deinit_identity(&world->rsa);
    deinit_identity(&world->client);
    cleat_trust_store_free(world->trust);
    cleat_chain_free(world->ca);
    cleat_key_free(world->ca_key);
    *world = (struct cl_bench_world){0};
}
