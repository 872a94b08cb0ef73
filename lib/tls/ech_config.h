/* tls/ech_config.h - ECHConfig structures (RFC 9849 4): parsing, judging, building; and a server's
 * set of them with their keys. */
#ifndef CL_TLS_ECH_CONFIG_H
#define CL_TLS_ECH_CONFIG_H

#include "base/buf.h"
#include "base/bytes.h"
#include "cleat/ech.h"
#include "crypto/hpke.h"

#define CL_ECH_VERSION  0xfe0d
/* 65,537: the longest ECHConfigList with its length */
#define CL_ECH_MAX_LIST 65537

/* Views; beyond version there is nothing for a version that is not known. */
struct cl_ech_config {
    struct cl_rd whole;
    uint16_t version;
    uint8_t id;
    uint16_t kem;
    struct cl_rd public_key;
    struct cl_rd suites;
    uint8_t max_name_len;
    struct cl_rd public_name;
    struct cl_rd extensions;
};

/* cl_ech_list_open checks a whole ECHConfigList and gives what is in it: at least one ECHConfig,
 * those of our version well-formed. cl_ech_config_next takes one; false: malformed. */
CL_RD_MUST bool cl_ech_list_open(struct cl_rd bytes, struct cl_rd *configs);
CL_RD_MUST bool cl_ech_config_next(struct cl_rd *configs, struct cl_ech_config *out);

/* cl_ech_config_objection returns why a client must pass over a configuration, or NULL.
 * cl_ech_config_suite: the first of its suites that is built here. */
const char *cl_ech_config_objection(const struct cl_ech_config *c);
CL_RD_MUST bool cl_ech_config_suite(const struct cl_ech_config *c, struct cl_hpke_suite *out);
CL_RD_MUST bool cl_ech_config_has_suite(const struct cl_ech_config *c, struct cl_hpke_suite suite);

/* cl_ech_config_build appends an ECHConfigList of one configuration. */
CL_MUST cl_result cl_ech_config_build(const struct cleat_ech_params *params, uint8_t id,
                                      const struct cl_hpke_key *key, struct cl_buf *out);

/* cl_ech_info is the info of HPKE's setup (RFC 9849 6.1): "tls ech", a zero, the ECHConfig. */
CL_MUST cl_result cl_ech_info(struct cl_rd config, struct cl_buf *out);

/* ---- keys ---- */

struct cl_ech_key {
    struct cl_buf bytes;         /* of the ECHConfig */
    struct cl_ech_config config; /* views into them */
    struct cl_hpke_key key;
    struct cl_kex_key *job_key; /* the same, as jobs take it */
    bool retry;
};

/* cl_ech_keys_at returns the i-th key, NULL past the end. */
const struct cl_ech_key *cl_ech_keys_at(const struct cleat_ech_keys *keys, size_t i);
/* cl_ech_keys_retry writes the ECHConfigList for clients that were rejected; false: it has none. */
bool cl_ech_keys_retry(const struct cleat_ech_keys *keys, struct cl_wr *w);
size_t cl_ech_keys_retry_len(const struct cleat_ech_keys *keys);

#endif
