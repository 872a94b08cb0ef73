/* serve/staple_check.c - see staple_check.h. */
#include "serve/staple_check.h"

#include "serve/staple_store.h"
#include "x509/cert.h"
#include "x509/dn.h"
#include "x509/ocsp.h"

static int64_t within(int64_t t, int64_t low, int64_t high)
{
    return t < low ? low : t > high ? high : t;
}

/* The certificate alone in a store. */
static cl_result store_of(const struct cleat_cert *cert, struct cleat_trust_store **out)
{
    struct cleat_trust_builder *b = NULL;
    CL_TRY((cl_result)cleat_trust_builder_new(&b));
    int code = cleat_trust_builder_add_cert(b, cert);
    if (code == CLEAT_OK) {
        code = cleat_trust_builder_finish(b, out, NULL);
    }
    cleat_trust_builder_free(b);
    return (cl_result)code;
}

/* Whether it is over does not matter here: that is told at start. */
static bool issued(const struct cleat_chain *chain, const struct cleat_trust_store *store)
{
    const struct cleat_cert *leaf = cleat_chain_at(chain, 0);
    struct cleat_verdict *verdict = NULL;
    const int64_t begun = cleat_cert_not_before(cleat_trust_store_at(store, 0));
    const struct cleat_verify_options options = {
        .trust = store,
        .now = within(begun, cleat_cert_not_before(leaf), cleat_cert_not_after(leaf))};
    const bool yes = cleat_verify(&options, chain, &verdict) == CLEAT_OK &&
                     cleat_verdict_code(verdict) == CLEAT_OK &&
                     cleat_verdict_path_num(verdict) == 2;
    cleat_verdict_free(verdict);
    return yes;
}

static cl_result try(const struct cleat_chain *chain, const struct cleat_cert *cert,
                     struct cleat_trust_store **out)
{
    const struct cleat_cert *leaf = cleat_chain_at(chain, 0);
    if (*out != NULL || !cl_name_equal(&leaf->issuer, &cert->subject)) {
        return CL_OK;
    }
    struct cleat_trust_store *store = NULL;
    CL_TRY(store_of(cert, &store));
    if (issued(chain, store)) {
        *out = store;
    } else {
        cleat_trust_store_free(store);
    }
    return CL_OK;
}

cl_result cl_staple_issuer(const struct cleat_chain *chain, const struct cleat_trust_store *roots,
                           struct cleat_trust_store **out)
{
    cl_result r = CL_OK;
    *out = NULL;
    for (size_t i = 1; i < cleat_chain_num(chain) && r == CL_OK; i++) {
        r = try(chain, cleat_chain_at(chain, i), out);
    }
    const size_t num = roots != NULL ? cleat_trust_store_num(roots) : 0;
    for (size_t i = 0; i < num && r == CL_OK; i++) {
        r = try(chain, cleat_trust_store_at(roots, i), out);
    }
    return r;
}

static void useless(struct cl_staple_finding *out, const char *hint, const char *why)
{
    out->word = CL_STAPLE_USELESS;
    (void)cl_error_set(
        &out->what, (struct cl_why){.code = CLEAT_ERR_REVOCATION_UNKNOWN, .hint = hint}, "%s", why);
}

/* When the answers about this certificate speak: all of them at once. */
static bool find_times(const struct cl_ocsp *response, const struct cleat_cert *leaf,
                       const struct cleat_cert *issuer, struct cl_staple_finding *out)
{
    struct cl_rd rest = response->answers;
    struct cl_ocsp_answer answer;
    bool found = false;
    while (cl_ocsp_next(&rest, &answer)) {
        if (!cl_ocsp_is_about(&answer, leaf, issuer)) {
            continue;
        }
        const bool sooner =
            !found || out->next_update == INT64_MIN ||
            (answer.next_update != INT64_MIN && answer.next_update < out->next_update);
        out->next_update = sooner ? answer.next_update : out->next_update;
        out->this_update =
            !found || answer.this_update > out->this_update ? answer.this_update : out->this_update;
        found = true;
    }
    return found;
}

static bool look(struct cl_rd bytes, const struct cleat_cert *leaf, const struct cleat_cert *issuer,
                 struct cl_staple_finding *out)
{
    static const char names_us[] = "look at the --staple-responder, or at the responder itself";
    struct cl_ocsp *response = NULL;
    struct cleat_error err = {0};
    if (bytes.len > CL_STAPLE_MAX_LEN) {
        useless(out, NULL, "it is too long to be sent in every handshake: more than 32 KiB");
        return false;
    }
    if (cl_ocsp_parse(&response, bytes, &err) != CL_OK) {
        useless(out, names_us, err.text[0] != '\0' ? err.text : "it is no OCSP response");
        return false;
    }
    bool usable = false;
    if (response->response_status != 0) {
        (void)cl_error_set(&out->what, (struct cl_why){.code = CLEAT_ERR_REVOCATION_UNKNOWN},
                           "the responder refuses to answer: %s (%u)",
                           cl_ocsp_status_name(response->response_status),
                           response->response_status);
    } else if (!find_times(response, leaf, issuer, out)) {
        useless(out, names_us, "it is about another certificate");
    } else {
        usable = true;
    }
    cl_ocsp_free(response);
    return usable;
}

void cl_staple_check(const struct cleat_chain *chain, const struct cleat_trust_store *issuer,
                     struct cl_rd response, int64_t now, struct cl_staple_finding *out)
{
    struct cleat_verdict *verdict = NULL;
    *out = (struct cl_staple_finding){.next_update = INT64_MIN};
    if (!look(response, cleat_chain_at(chain, 0), cleat_trust_store_at(issuer, 0), out)) {
        return;
    }
    const struct cleat_verify_options options = {.trust = issuer,
                                                 .now = now,
                                                 .revocation = CLEAT_REVOCATION_REQUIRED,
                                                 .from_crls = CLEAT_SOURCE_OFF,
                                                 .staple = response.p,
                                                 .staple_len = response.len};
    if (cleat_verify(&options, chain, &verdict) != CLEAT_OK) {
        useless(out, NULL, "there is no memory to verify it");
        return;
    }
    const int code = cleat_verdict_code(verdict);
    out->word = code == CLEAT_OK            ? CL_STAPLE_GOOD
                : code == CLEAT_ERR_REVOKED ? CL_STAPLE_REVOKED
                                            : CL_STAPLE_USELESS;
    out->what = *cleat_verdict_error(verdict);
    out->what.hint[0] = '\0'; /* it is for who verifies, not for who serves */
    cleat_verdict_free(verdict);
}
