/* support_crl.h - revocation lists made on the spot. */
#ifndef TEST_SUPPORT_CRL_H
#define TEST_SUPPORT_CRL_H

#include "support_x509.h"
#include "cleat/revocation.h"
#include "x509/crl.h"

/* One revoked certificate; issuer: the subject of that certificate makes certificateIssuer. */
struct t_entry {
    const struct cleat_cert *cert;
    const struct cleat_cert *issuer;
    uint8_t reason; /* 0: none */
    bool unknown_critical;
    struct cl_rd serial; /* instead of cert's */
};

/* A list to be made; {.issuer, .entries} is a good one. */
struct t_crl {
    const struct entity *issuer;
    struct t_entry entries[4];
    int64_t this_update; /* 0: an hour before T_NOW */
    int64_t next_update; /* 0: a day after it; -1: none */
    struct cl_rd idp;    /* the extension's value, empty: none */
    uint32_t num_others; /* entries of other certificates before these: a long list is indexed */
    uint32_t number;
    uint32_t delta_base; /* 0: a complete list */
    bool unknown_critical;
    bool bad_signature;
    struct cl_rd algorithm; /* what it says of its signature, as t_sign's, inside too */
};

/* A distribution point, of a certificate or of a list; all fields are optional. */
struct t_point {
    const char *uris[2];             /* fullName */
    struct cl_rd named;              /* fullName: this Name as directoryName */
    const char *relative;            /* nameRelativeToCRLIssuer: a common name */
    const struct cleat_cert *issuer; /* cRLIssuer: its subject */
    uint16_t reasons;                /* ReasonFlags, bit 0 first: 0x4000 is keyCompromise */
};

/* t_points writes the value of cRLDistributionPoints, t_idp of issuingDistributionPoint (where
 * issuer is not used); their length. */
size_t t_points(const struct t_point *points, size_t num, uint8_t *out, size_t cap);
size_t t_idp(const struct t_point *point, bool indirect, uint8_t *out, size_t cap);

/* t_crl_der writes the list; its length. out has room for T_MAX_DER bytes. */
size_t t_crl_der(const struct t_crl *crl, uint8_t *out);

/* t_crl_text appends the list as PEM. */
void t_crl_text(struct cl_buf *out, const struct t_crl *crl);

/* The n-th serial number of a kind: random ones, counted ones, ones that differ in the last bytes
 * of twenty alone, ones of every length. t_long_list makes a list of num of them, in an order that
 * is not theirs, with a signature that is none; the bytes are the caller's to cl_free. */
enum t_serials { T_RANDOM, T_COUNTED, T_LAST_BYTES, T_LENGTHS };
struct cl_rd t_serial(enum t_serials kind, uint32_t n, uint8_t out[20]);
struct cl_rd t_long_list(const struct entity *issuer, enum t_serials kind, uint32_t num);

/* t_crl_set makes a set of lists; the caller's to free. */
struct cleat_crl_set *t_crl_set(const struct t_crl *crls, size_t num);

#endif
