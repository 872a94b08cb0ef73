/* x509/crl.h - certificate revocation lists (RFC 5280 5), parsed strictly; for lib/x509 alone.
 *
 * A list that may not be used - because of an unknown critical extension - says so in `unusable`:
 * it proves nothing, neither good nor bad. */
#ifndef CL_X509_CRL_H
#define CL_X509_CRL_H

#include "x509/fields.h"

/* 16 MiB: the largest lists of the web's CAs have ten */
#define CL_CRL_MAX_LEN (16u << 20)
/* 256: lists of one set */
#define CL_CRL_MAX     256

/* ReasonFlags, bit n of RFC 5280 4.2.1.13 as 1 << n; bit 0 is unused. */
#define CL_REASONS_ALL 0x1feu

struct cl_crl {
    struct cl_rd der;
    struct cl_rd tbs;
    struct cl_rd signature;
    const struct cl_sig_alg *sig_alg; /* NULL: not accepted */
    struct cl_name issuer;
    int64_t this_update;
    int64_t next_update; /* INT64_MIN when absent */
    struct cl_rd entries;
    const char *unusable; /* why, or NULL */
    struct cl_rd number;  /* contents of cRLNumber, empty when absent */
    bool number_critical;
    bool is_delta;
    struct cl_rd base_number;
    bool has_idp;
    bool only_user;
    bool only_ca;
    bool only_attribute;
    bool indirect;      /* its entries may be other issuers' certificates */
    uint16_t reasons;   /* CL_REASONS_ALL when not restricted */
    struct cl_rd point; /* DistributionPointName, empty when absent */
    struct cl_rd aki_key_id;
};

struct cleat_crl_set {
    _Atomic unsigned num_refs;
    uint64_t number; /* cl_verify_number() */
    size_t num;
    struct cl_crl *crls[CL_CRL_MAX];
};

/* cl_crl_parse copies der and parses it. BAD_CERTIFICATE, NOMEM. cl_crl_free takes NULL. */
CL_MUST cl_result cl_crl_parse(struct cl_crl **out, struct cl_rd der, struct cleat_error *err);
void cl_crl_free(struct cl_crl *crl);

/* cl_crl_find looks a certificate up by its issuer and serial number: false when it is not listed;
 * *reason is its reasonCode (0 when there is none, 8 removeFromCRL). */
CL_RD_MUST bool cl_crl_find(const struct cl_crl *crl, const struct cl_name *issuer,
                            struct cl_rd serial, uint32_t *reason, int64_t *when);

/* cl_crl_number_compare compares two non-negative INTEGER contents: < 0, 0, > 0. */
int cl_crl_number_compare(struct cl_rd a, struct cl_rd b);

#endif
