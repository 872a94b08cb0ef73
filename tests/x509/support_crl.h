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
};

/* A list to be made; {.issuer, .entries} is a good one. */
struct t_crl {
    const struct entity *issuer;
    struct t_entry entries[4];
    int64_t this_update; /* 0: an hour before T_NOW */
    int64_t next_update; /* 0: a day after it; -1: none */
    struct cl_rd idp;    /* the extension's value, empty: none */
    uint32_t number;
    uint32_t delta_base; /* 0: a complete list */
    bool unknown_critical;
    bool bad_signature;
};

/* t_crl_text appends the list as PEM. */
void t_crl_text(struct cl_buf *out, const struct t_crl *crl);

/* t_crl_set makes a set of lists; the caller's to free. */
struct cleat_crl_set *t_crl_set(const struct t_crl *crls, size_t num);

#endif
