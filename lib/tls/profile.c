/* tls/profile.c - the profiles as a table, and how one becomes part of a configuration. */
#include "tls/profile.h"

#include <string.h>

/* 3,072: 128 bits of strength (NIST SP 800-57 5.6.1) */
#define RSA_BITS_STRONG 3072
/* a day: a browser's next visit; an hour: machines talk all the time, and keys change often */
#define DAY             86400
#define HOUR            3600

static const struct cl_profile profiles[] = {
    {
        .name = "public",
        .about = "The default: what browsers, servers and programs of today have.",
        .version_min = CLEAT_TLS_1_2,
        .version_max = CLEAT_TLS_1_3,
        .min_rsa_bits = CL_PROFILE_RSA_BITS,
        .num_tickets = CL_CONFIG_DEFAULT_TICKETS,
        .ticket_lifetime = DAY,
    },
    {
        .name = "internal",
        .about = "Between machines of one house, all of them up to date: TLS 1.3 alone.",
        .version_min = CLEAT_TLS_1_3,
        .version_max = CLEAT_TLS_1_3,
        .suites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256",
        .groups = "X25519MLKEM768:X25519:P-256:P-384",
        .min_rsa_bits = CL_PROFILE_RSA_BITS,
        .num_tickets = CL_CONFIG_DEFAULT_TICKETS,
        .ticket_lifetime = HOUR,
    },
    {
        .name = "high-security",
        .about = "TLS 1.3 with 192 bits of strength where ECDSA is used, 128 with RSA.",
        .version_min = CLEAT_TLS_1_3,
        .version_max = CLEAT_TLS_1_3,
        .suites = "TLS_AES_256_GCM_SHA384",
        .groups = "SecP384r1MLKEM1024:P-384:P-521",
        .schemes = "ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:rsa_pss_rsae_sha384:"
                   "rsa_pss_rsae_sha512:rsa_pss_pss_sha384:rsa_pss_pss_sha512:rsa_pkcs1_sha384:"
                   "rsa_pkcs1_sha512",
        .min_rsa_bits = RSA_BITS_STRONG,
        .num_tickets = 1,
        .ticket_lifetime = HOUR,
    },
    {
        .name = "iot",
        .about = "Small devices without AES instructions: TLS 1.3, ChaCha20 first.",
        .version_min = CLEAT_TLS_1_3,
        .version_max = CLEAT_TLS_1_3,
        .suites = "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_CCM_SHA256:TLS_AES_128_GCM_SHA256",
        .groups = "X25519:P-256",
        .schemes = "ecdsa_secp256r1_sha256:ed25519:rsa_pss_rsae_sha256:rsa_pss_pss_sha256:"
                   "rsa_pkcs1_sha256",
        .min_rsa_bits = CL_PROFILE_RSA_BITS,
        .num_tickets = 1,
        .ticket_lifetime = CL_TICKET_MAX_LIFETIME,
    },
    {
        .name = "legacy",
        .about =
            "Peers that have not been updated since 2016: TLS 1.2 with AES-CCM too, and "
            "without the extended master secret (such connections are not resumed). Under this "
            "profile --ciphers may also name suites with RSA key exchange, DHE, AES-CBC or PSK "
            "without ECDHE, which are off otherwise; versions before 1.2 are not built.",
        .version_min = CLEAT_TLS_1_2,
        .version_max = CLEAT_TLS_1_3,
        .suites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:"
                  "TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256:"
                  "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                  "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                  "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
                  "ECDHE-ECDSA-AES128-CCM:ECDHE-ECDSA-AES128-CCM8",
        .min_rsa_bits = CL_PROFILE_RSA_BITS,
        .num_tickets = CL_CONFIG_DEFAULT_TICKETS,
        .ticket_lifetime = DAY,
        .without_master_secret = true,
        .legacy = true,
    },
};

const struct cl_profile *cl_profile_at(size_t i)
{
    return i < sizeof(profiles) / sizeof(profiles[0]) ? &profiles[i] : NULL;
}

const struct cl_profile *cl_profile_by_name(const char *name)
{
    const struct cl_profile *p;
    size_t i = 0;
    while ((p = cl_profile_at(i)) != NULL && strcmp(p->name, name) != 0) {
        i++;
    }
    return p;
}

const char *cleat_profile_name(size_t i)
{
    const struct cl_profile *p = cl_profile_at(i);
    return p != NULL ? p->name : NULL;
}

uint32_t cleat_profile_ticket_lifetime(const char *name)
{
    const struct cl_profile *p = cl_profile_by_name(name);
    return p != NULL ? p->ticket_lifetime : 0;
}

/* ---- into a configuration ---- */

/* Takes the next name off a list; false at its end. */
static bool next_name(const char **list, struct cl_rd *name)
{
    size_t len = strcspn(*list, ":");
    *name = cl_rd_of(*list, len);
    *list += len + ((*list)[len] != '\0' ? 1 : 0);
    return len != 0;
}

static bool fill_suites(const char *list, struct cleat_tls_config *c)
{
    const struct cl_suite *suite;
    struct cl_rd name;
    bool ok = true;
    c->num_suites = 0;
    for (size_t i = 0; list == NULL && (suite = cl_suite_at(i)) != NULL; i++) {
        if (suite->by_default) {
            c->suites[c->num_suites++] = suite;
        }
    }
    while (ok && list != NULL && next_name(&list, &name)) {
        suite = cl_suite_by_name((const char *)name.p, name.len);
        ok = suite != NULL && c->num_suites < CL_CONFIG_MAX_SUITES;
        if (ok) {
            c->suites[c->num_suites++] = suite;
        }
    }
    return ok;
}

static bool fill_groups(const char *list, struct cleat_tls_config *c)
{
    const struct cl_group *group;
    struct cl_rd name;
    bool ok = true;
    c->num_groups = 0;
    c->num_fields = 0;
    for (size_t i = 0; list == NULL && (group = cl_group_at(i)) != NULL; i++) {
        if (!group->by_name_only && c->num_groups < CL_CONFIG_MAX_GROUPS) {
            c->groups[c->num_groups++] = group;
        }
    }
    while (ok && list != NULL && next_name(&list, &name)) {
        group = cl_group_by_name((const char *)name.p, name.len);
        ok = group != NULL && c->num_groups < CL_CONFIG_MAX_GROUPS;
        if (ok) {
            c->groups[c->num_groups++] = group;
        }
    }
    return ok;
}

/* PKCS#1 v1.5 too: in TLS 1.3 not for handshakes, but for signatures in certificates (RFC 9846
 * 4.3.3). */
static bool fill_schemes(const char *list, struct cleat_tls_config *c)
{
    const struct cl_sig_alg *alg;
    struct cl_rd name;
    bool ok = true;
    c->num_schemes = 0;
    for (size_t i = 0; list == NULL && (alg = cl_sig_scheme_at(i)) != NULL; i++) {
        if (!alg->by_name_only && c->num_schemes < CL_CONFIG_MAX_SCHEMES) {
            c->schemes[c->num_schemes++] = alg;
        }
    }
    while (ok && list != NULL && next_name(&list, &name)) {
        alg = cl_sig_scheme_by_name((const char *)name.p, name.len);
        ok = alg != NULL && c->num_schemes < CL_CONFIG_MAX_SCHEMES;
        if (ok) {
            c->schemes[c->num_schemes++] = alg;
        }
    }
    return ok;
}

bool cl_profile_fill(const struct cl_profile *profile, struct cleat_tls_config *config)
{
    config->version_min = profile->version_min;
    config->version_max = profile->version_max;
    config->min_rsa_bits = profile->min_rsa_bits;
    config->num_tickets = profile->num_tickets;
    config->without_master_secret = profile->without_master_secret;
    config->legacy = profile->legacy;
    return fill_suites(profile->suites, config) && fill_groups(profile->groups, config) &&
           fill_schemes(profile->schemes, config);
}
