/* fuzz/fuzz_chain.c - a whole verification: a byte of options, a byte for how many certificates are
 * anchors, certificates each with a length of 16 bits in front, one list of revocations last.
 *
 * With a bit of the options every signature counts as good, so that mutated certificates get as far
 * as the rest of the path lets them.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "base/pem.h"
#include "cleat/revocation.h"
#include "x509/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_CERTS 24

struct input {
    uint8_t options;
    uint8_t num_anchors;
    struct cl_rd certs[MAX_CERTS];
    size_t num;
    struct cl_rd list;
};

static bool split(struct cl_rd r, struct input *in)
{
    if (!cl_rd_u8(&r, &in->options) || !cl_rd_u8(&r, &in->num_anchors)) {
        return false;
    }
    while (in->num < MAX_CERTS && cl_rd_vec16(&r, &in->certs[in->num])) {
        in->num++;
    }
    in->list = r;
    return in->num > in->num_anchors;
}

static struct cleat_trust_store *anchors(const struct input *in)
{
    struct cleat_trust_builder *builder;
    struct cleat_trust_store *store = NULL;
    if (cleat_trust_builder_new(&builder) != CLEAT_OK) {
        abort();
    }
    for (size_t i = 0; i < in->num_anchors; i++) {
        struct cleat_cert *cert;
        if (cl_cert_parse(&cert, in->certs[in->num - 1 - i], NULL) == CL_OK) {
            (void)cleat_trust_builder_add_cert(builder, cert);
            cleat_cert_free(cert);
        }
    }
    (void)cleat_trust_builder_finish(builder, &store, NULL);
    cleat_trust_builder_free(builder);
    return store;
}

static struct cleat_crl_set *lists(const struct input *in)
{
    struct cleat_crl_set *set = NULL;
    struct cl_buf pem = {0};
    if (cl_pem_encode("X509 CRL", in->list, &pem) == CL_OK) {
        (void)cleat_crl_set_from_pem((const char *)pem.p, pem.len, &set, NULL);
    }
    cl_buf_deinit(&pem);
    return set;
}

static void read_proof(const struct cleat_verdict *verdict)
{
    struct cleat_try t;
    struct cleat_check check;
    bool accepted = false;
    for (size_t i = 0; cleat_verdict_try(verdict, i, &t); i++) {
        accepted = accepted || t.accepted;
        for (size_t k = 0; cleat_verdict_check(verdict, i, k, &check); k++) {
            if (check.depth >= t.num_certs) {
                abort();
            }
        }
    }
    /* An accepted path is in the proof, unless that was full; and only then is the verdict OK. */
    if (cleat_verdict_code(verdict) == CLEAT_OK) {
        if (cleat_verdict_path_num(verdict) == 0) {
            abort();
        }
    } else if (accepted || cleat_verdict_error(verdict)->text[0] == '\0') {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {0};
    struct cl_verify *v;
    if (!split(cl_rd_of(data, size), &in)) {
        return 0;
    }
    struct cleat_trust_store *trust = anchors(&in);
    if (trust == NULL) {
        return 0;
    }
    struct cleat_crl_set *crls = lists(&in);
    bool all_good = (in.options & 0x80) != 0;
    struct cl_verify_params params = {.trust = trust,
                                      .host = (in.options & 0x40) != 0 ? "leaf.example.com" : NULL,
                                      .now = 1780272000,
                                      .purpose = (enum cleat_purpose)((in.options & 3) % 3),
                                      .policy = (enum cleat_policy)(in.options >> 2 & 3),
                                      .revocation =
                                          (enum cleat_revocation)((in.options >> 4 & 3) % 3),
                                      .crls = crls,
                                      .require_explicit_policy = (in.options & 0x30) == 0x30};
    if (cl_verify_new(&v, &params, in.certs, in.num - in.num_anchors) == CL_OK) {
        while (cl_verify_step(v) == CL_VERIFY_NEEDS_JOB) {
            if (all_good) {
                cl_job_complete(cl_verify_job(v), CL_OK);
            } else {
                cl_job_run(cl_verify_job(v));
            }
        }
        struct cleat_verdict *verdict = cl_verify_take_verdict(v);
        read_proof(verdict);
        cleat_verdict_free(verdict);
        cl_verify_free(v);
    }
    cleat_crl_set_free(crls);
    cleat_trust_store_free(trust);
    return 0;
}
