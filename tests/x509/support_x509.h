/* support_x509.h - certificates made on the spot, and one call to have a chain judged. */
#ifndef TEST_SUPPORT_X509_H
#define TEST_SUPPORT_X509_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "x509/build.h"
#include "x509/chain.h"
#include "x509/fields.h"
#include "x509/verify.h"

/* 2026-06-01T00:00:00Z; certificates made here are valid a year around it. */
#define T_NOW  1780272000LL
#define T_YEAR 31536000LL

/* A certificate with its key. */
struct entity {
    struct cleat_cert *cert;
    const struct cleat_key *key;
};

/* t_key gives one of some P-256 keys, made once a process and never freed before its end. */
const struct cleat_key *t_key(size_t i);

/* t_template: a CA or a leaf for leaf.example.com as the strictest policy wants it; fields are
 * changed by the test before t_make. */
struct cl_cert_template t_template(const char *cn, const struct entity *issuer,
                                   const struct cleat_key *key, bool is_ca);

/* t_make signs it with the issuer's key (its own when there is none); t_parse fails the test when
 * the result cannot be parsed. */
struct entity t_make(const struct cl_cert_template *tpl, const struct entity *issuer,
                     const struct cleat_key *key);
struct entity t_ca(const char *cn, const struct entity *issuer, size_t key);
struct entity t_leaf(const char *host, const struct entity *issuer, size_t key);
struct entity t_leaf_with(const char *cn, const struct entity *issuer, size_t key,
                          struct cl_cert_raw_ext ext);
void t_free(struct entity *e);

/* t_weak_key: the SubjectPublicKeyInfo of an RSA key of 1,024 bits. It is all ones, which is odd,
 * and nobody checks that it is a product. */
struct cl_rd t_weak_key(void);

/* t_sign makes a certificate of a TBSCertificate, signed with ECDSA and SHA-256; algorithm is the
 * outer AlgorithmIdentifier, header and all, empty: the right one. Returns its length; out has room
 * for T_MAX_DER bytes. */
#define T_MAX_DER 4096
size_t t_sign(struct cl_rd tbs, struct cl_rd algorithm, const struct cleat_key *key, uint8_t *out);

/* t_put_ext writes an Extension; value is what its OCTET STRING holds. */
void t_put_ext(struct cl_wr *w, const char *oid, bool critical, struct cl_rd value);

struct cleat_trust_store *t_trust(const struct entity *const *anchors, size_t num);

/* t_params: server, leaf.example.com, policy DEFAULT. */
struct cl_verify_params t_params(const struct cleat_trust_store *trust);

/* t_verify runs the verifier to its end. The verdict is the caller's. */
struct cleat_verdict *t_verify(const struct cl_verify_params *params,
                               const struct cleat_cert *const *chain, size_t num);

/* t_code: the verdict's code alone; anchors[0..num_anchors), chain leaf first. */
int t_code(const struct cl_verify_params *params, const struct cleat_cert *const *chain,
           size_t num);

/* t_told judges a chain (leaf first) below one anchor, with params of which anchor, host, time and
 * purpose are filled in. The verdict's code; text: its error, or what is said of the leaf's
 * revocation. */
#define T_TEXT 500
int t_told(const struct entity *anchor, const struct cleat_cert *const *chain, size_t num,
           struct cl_verify_params params, char text[T_TEXT]);

/* t_read_file: the caller's to free; NULL when it cannot be read. */
char *t_read_file(const char *name, size_t *len);

#endif
