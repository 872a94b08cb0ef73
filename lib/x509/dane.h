/* x509/dane.h - sets of TLSA records, and whether one matches a certificate or key; for lib/x509
 * and the handshake. How a verification uses them is dane_verify.c's business. */
#ifndef CL_X509_DANE_H
#define CL_X509_DANE_H

#include <stdatomic.h>

#include "cleat/dane.h"
#include "crypto/hash.h"
#include "x509/cert.h"

/* A record of a set; sorted as RFC 4034 6.3 sorts. */
struct cl_tlsa {
    uint8_t usage;
    uint8_t selector;
    uint8_t matching;
    bool usable;
    uint8_t *data;
    size_t len;
    struct cleat_cert *cert; /* of a whole certificate (x 0 0); else NULL */
};

struct cleat_dane {
    _Atomic unsigned num_refs;
    bool check_names;
    size_t num;
    size_t num_usable;
    struct cl_tlsa records[CLEAT_DANE_MAX_RECORDS];
};

/* What records are compared with: a certificate and its key, or a key alone (certificate empty).
 * Digests are made when the first record asks for one. */
struct cl_tlsa_subject {
    struct cl_rd content[2]; /* by selector */
    bool have[2][2];         /* by selector and digest */
    uint8_t digest[2][2][CL_HASH_MAX_LEN];
};
struct cl_tlsa_subject cl_tlsa_subject_of(const struct cleat_cert *cert);
struct cl_tlsa_subject cl_tlsa_subject_of_key(struct cl_rd spki);

/* cl_tlsa_matches compares; a record that is not usable matches nothing. */
CL_RD_MUST bool cl_tlsa_matches(const struct cl_tlsa *record, struct cl_tlsa_subject *subject);

/* cl_tlsa_is_weaker: the set has a usable record of the same usage and selector with a stronger
 * digest, so that this one does not count (RFC 7671 9). */
bool cl_tlsa_is_weaker(const struct cleat_dane *set, const struct cl_tlsa *record);

/* cl_dane_counts: usable, and not weaker than another. */
static inline bool cl_tlsa_counts(const struct cleat_dane *set, const struct cl_tlsa *record)
{
    return record->usable && !cl_tlsa_is_weaker(set, record);
}

/* cl_dane_needs_trust: no usable record could vouch for anybody without a trust store. set may be
 * NULL. cl_dane_takes_keys: one vouches for bare keys (3 1 x). */
bool cl_dane_needs_trust(const struct cleat_dane *set);
bool cl_dane_takes_keys(const struct cleat_dane *set);

/* cl_dane_match_key: the record (3 1 x) that vouches for a bare key; NULL: none does. set may be
 * NULL. */
const struct cl_tlsa *cl_dane_match_key(const struct cleat_dane *set, struct cl_rd spki);

/* cl_dane_digest: SHA-256 of what the set means, whatever the order in which it was filled. */
void cl_dane_digest(const struct cleat_dane *set, uint8_t out[32]);

/* cl_tlsa_label writes a record for messages, its data cut: "3 1 1 8cb0fc6c527506a0...". */
#define CL_TLSA_LABEL_MAX 40
void cl_tlsa_label(const struct cl_tlsa *record, char out[CL_TLSA_LABEL_MAX]);

#endif
