/* cli/key_type.c - see key_type.h. */
#include "cli/key_type.h"

#include <string.h>

#include "cli/cli.h"

/* 2,048 bits for RSA without a number: what browsers still take, and the quickest of those. The
 * first name of each kind is the one that complaints list. */
static const struct key_type rows[] = {
    {"p256", CL_KEY_EC_P256, 0},        {"p384", CL_KEY_EC_P384, 0},
    {"p521", CL_KEY_EC_P521, 0},        {"ed25519", CL_KEY_ED25519, 0},
    {"ed448", CL_KEY_ED448, 0},         {"rsa2048", CL_KEY_RSA, 2048},
    {"rsa3072", CL_KEY_RSA, 3072},      {"rsa4096", CL_KEY_RSA, 4096},
    {"ml-dsa-44", CL_KEY_ML_DSA_44, 0}, {"ml-dsa-65", CL_KEY_ML_DSA_65, 0},
    {"ml-dsa-87", CL_KEY_ML_DSA_87, 0}, {"ecdsa", CL_KEY_EC_P256, 0},
    {"ecdsa-p256", CL_KEY_EC_P256, 0},  {"ecdsa-p384", CL_KEY_EC_P384, 0},
    {"ecdsa-p521", CL_KEY_EC_P521, 0},  {"rsa", CL_KEY_RSA, 2048},
};
#define NUM_ROWS (sizeof(rows) / sizeof(rows[0]))

const struct key_type *key_type_default(void)
{
    return &rows[0];
}

int key_type_set(const struct key_type **out, const struct cl_options *o)
{
    for (size_t i = 0; i < NUM_ROWS; i++) {
        if (strcmp(o->value, rows[i].name) != 0) {
            continue;
        }
        if (cl_key_is_ml_dsa(rows[i].type) && !cl_ml_dsa_available()) {
            return cl_options_complain(
                o->usage, "--key-type: %s needs a system with OpenSSL 3.5 or later", o->value);
        }
        *out = &rows[i];
        return 0;
    }
    return cl_options_complain(o->usage,
                               "--key-type: '%s' is none of p256, p384, p521, ed25519, ed448, "
                               "rsa2048, rsa3072, rsa4096, ml-dsa-44, ml-dsa-65, ml-dsa-87",
                               o->value);
}
