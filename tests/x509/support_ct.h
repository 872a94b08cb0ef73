/* support_ct.h - logs and certificate timestamps made on the spot. */
#ifndef TEST_SUPPORT_CT_H
#define TEST_SUPPORT_CT_H

#include "support_x509.h"
#include "x509/ct.h"

/* A timestamp to be made; {.key} is a good one, an hour old. */
struct t_sct {
    size_t key;        /* t_key(): the log's */
    int64_t timestamp; /* milliseconds; 0: an hour before T_NOW */
    bool bad_signature;
    uint8_t version;
};

/* t_scts writes a SignedCertificateTimestampList, with its outer length, about a certificate as it
 * is, or about its precertificate when issuer is given. Its length. */
size_t t_scts(const struct t_sct *scts, size_t num, const struct cleat_cert *cert,
              const struct cleat_cert *issuer, uint8_t *out, size_t cap);

/* t_logged makes a leaf with embedded timestamps: signed once without, and once with them. */
struct entity t_logged(const struct t_sct *scts, size_t num, const struct entity *issuer,
                       int64_t life);

#endif
