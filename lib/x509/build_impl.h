/* x509/build_impl.h - what certificates, requests and revocation lists have in common when they are
 * made (build.c). */
#ifndef CL_X509_BUILD_IMPL_H
#define CL_X509_BUILD_IMPL_H

#include "x509/build.h"
#include "x509/der.h"
#include "x509/oid.h"

/* Writes what is to be signed: one SEQUENCE. The writer's own failures need not be told. */
typedef cl_result cl_build_put(struct cl_wr *w, const void *ctx, const struct cl_sig_alg *alg,
                               struct cleat_error *err);

/* cl_build_signed appends SEQUENCE { what put writes, algorithm, signature } to out; max bounds the
 * first. */
CL_MUST cl_result cl_build_signed(struct cl_buf *out, const struct cleat_key *key,
                                  cl_build_put *put, const void *ctx, size_t max,
                                  struct cleat_error *err);

struct cl_build_request {
    const struct cl_cert_template *tpl;
    const struct cleat_key *key;
};

/* cl_build_check_subject checks the template's names, cl_build_put_subject writes them as a Name.
 */
CL_MUST cl_result cl_build_check_subject(const struct cl_cert_template *tpl,
                                         struct cleat_error *err);
void cl_build_put_subject(struct cl_wr *w, const struct cl_cert_template *tpl);

/* cl_build_put_exts writes each Extension that the template asks for, perhaps none. */
CL_MUST cl_result cl_build_put_exts(struct cl_wr *w, const struct cl_cert_template *tpl,
                                    struct cleat_error *err);

/* cl_build_put_aki writes the Extension authorityKeyIdentifier with the identifier of issuer's key.
 */
void cl_build_put_aki(struct cl_wr *w, const struct cleat_cert *issuer);

/* An extension, opened down to the inside of its OCTET STRING. */
struct cl_build_ext {
    struct cl_der_mark outer;
    struct cl_der_mark octets;
};
struct cl_build_ext cl_build_open_ext(struct cl_wr *w, enum cl_oid id, bool critical);
void cl_build_close_ext(struct cl_wr *w, struct cl_build_ext ext);

/* cl_build_put_raw writes an Extension whose inside is there already. */
void cl_build_put_raw(struct cl_wr *w, const struct cl_cert_raw_ext *raw);

#endif
