/* tls/version.h - what differs between protocol versions outside their tables, as data and
 * functions. */
#ifndef CL_TLS_VERSION_H
#define CL_TLS_VERSION_H

#include "tls/hs.h"

struct cl_version {
    uint16_t number;
    const char *name;                /* "TLS 1.3" */
    const struct cl_hs_row *rows[2]; /* by enum cleat_role */
    bool ccs_is_message;             /* change_cipher_spec is a step, not noise */
    bool has_warnings;               /* alerts of level warning do not end the connection */
    bool any_curve;                  /* an ECDSA scheme does not name the curve (RFC 8422 5.10) */
    bool has_unique;                 /* tls-unique is defined (RFC 5929 3; RFC 9846 D.5: not) */
    uint8_t alert_no_certificate;    /* RFC 9846 6.2; RFC 5246 7.4.6: handshake_failure */
    /* May a signature by this scheme and a key of this type authenticate a handshake? */
    bool (*scheme_fits)(const struct cl_sig_alg *alg, enum cl_key_type type);
    void (*export_)(const struct cleat_tls *tls, const char *label, struct cl_rd context,
                    bool has_context, uint8_t *out, size_t out_len);
    /* Changes the sending key before the cipher's limit; LIMIT: no room in io, or not possible. */
    cl_result (*rekey)(struct cleat_tls *tls, struct cleat_tls_io *io, bool request_peer);
};

extern const struct cl_version cl_version_13;
extern const struct cl_version cl_version_12;

#endif
