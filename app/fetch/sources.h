/* fetch/sources.h - OCSP responses, revocation lists and issuers' certificates, asked for where
 * certificates say they are. One request a call, over fetch/http.h; what comes back is bytes that
 * nobody has judged: the verifier does.
 *
 * It keeps nothing: fetch/cache.h does, fetch/gather.h asks for all that one chain needs.
 */
#ifndef CL_FETCH_SOURCES_H
#define CL_FETCH_SOURCES_H

#include "cleat/x509.h"
#include "fetch/http.h"

/* 64 KiB: responses have 500 bytes to 3 KB; room for a responder that sends its whole chain */
#define CL_FETCH_MAX_OCSP     (64u << 10)
/* 32 MiB: the largest lists of the web's CAs have ten; what is longer is read from a file */
#define CL_FETCH_MAX_CRL      (32u << 20)
/* 256 KiB: a certificate has 1 to 3 KB, a PKCS#7 file of a CA some dozen of them */
#define CL_FETCH_MAX_AIA      (256u << 10)
/* 255 bytes: what a GET may have in all, so that caches on the way take it (RFC 5019 5) */
#define CL_FETCH_MAX_OCSP_GET 255

/* Where and how; as in struct cl_fetch_spec. */
struct cl_fetch_how {
    struct cl_hub *hub;
    struct cl_dns *dns;
    struct cleat_tls_config *tls;
    uint32_t connect_ms;
    uint32_t timeout_ms;
    bool public_only;
    void (*done)(void *ctx, const struct cl_fetch_result *result);
    void *ctx;
};

/* cl_fetch_ocsp asks the responder at url (cleat_cert_ocsp_url) about cert, issued by the holder of
 * issuer: with GET when it is short enough, else with POST (RFC 6960 A.1), without a nonce, so that
 * the responder may answer with what it has signed in advance. Returns as cl_fetch_start, and
 * CLEAT_ERR_BAD_CERTIFICATE. */
CL_MUST cl_result cl_fetch_ocsp(const struct cl_fetch_how *how, const char *url,
                                const struct cleat_cert *cert, const struct cleat_cert *issuer,
                                struct cl_fetch **out, struct cleat_error *err);

/* cl_fetch_crl asks for the list at url (cleat_cert_crl_url; RFC 5280 4.2.1.13), cl_fetch_aia for
 * the issuer's certificate (cleat_cert_ca_issuers_url; RFC 5280 4.2.2.1). Return as cl_fetch_start.
 */
CL_MUST cl_result cl_fetch_crl(const struct cl_fetch_how *how, const char *url,
                               struct cl_fetch **out, struct cleat_error *err);
CL_MUST cl_result cl_fetch_aia(const struct cl_fetch_how *how, const char *url,
                               struct cl_fetch **out, struct cleat_error *err);

#endif
