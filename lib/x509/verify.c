/* x509/verify.c - the verifier's life and its state machine: search for a path, check its
 * signatures one job at a time, then revocation; whatever fails sends it back to the search. */
#include "x509/verify.h"

#include <stdio.h>

#include "base/mem.h"
#include "cleat/revocation.h"
#include "x509/chain.h"
#include "x509/name.h"
#include "x509/verify_impl.h"

/* ---- set-up ---- */
static bool options_valid(const struct cl_verify_params *p)
{
    return (p->trust != NULL || !cl_dane_needs_trust(p->dane)) &&
           (unsigned)p->purpose <= CLEAT_PURPOSE_CLIENT &&
           (unsigned)p->policy <= CLEAT_POLICY_WEBPKI_STRICT &&
           (unsigned)p->revocation <= CLEAT_REVOCATION_REQUIRED &&
           (unsigned)p->from_crls <= CLEAT_SOURCE_REQUIRED &&
           (unsigned)p->from_ocsp <= CLEAT_SOURCE_REQUIRED &&
           (unsigned)p->ct <= CLEAT_CT_REQUIRED && p->max_revocation_age >= 0 &&
           !(p->staple_required && p->from_ocsp == CLEAT_SOURCE_OFF) &&
           p->num_initial_policies <= CL_VERIFY_MAX_POLICIES;
}

/* 64: contents of the longest OID that makes sense as a policy */
#define MAX_OID 64

static cl_result copy_policies(struct cl_verify *v, const struct cl_verify_params *p)
{
    if (p->num_initial_policies == 0) {
        return CL_OK;
    }
    v->policy_bytes = cl_calloc(p->num_initial_policies, MAX_OID);
    if (v->policy_bytes == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    for (size_t i = 0; i < p->num_initial_policies; i++) {
        size_t len;
        uint8_t *at = v->policy_bytes + i * MAX_OID;
        if (!cl_oid_from_text(p->initial_policies[i], at, MAX_OID, &len)) {
            return CLEAT_ERR_USAGE;
        }
        v->policy_oids[i] = cl_rd_of(at, len);
    }
    v->policies.oids = v->policy_oids;
    v->policies.num_oids = p->num_initial_policies;
    return CL_OK;
}

/* Where revocation is looked up. A staple that is malformed proves nothing; it is no failure of
 * ours. */
static cl_result copy_sources(struct cl_verify *v, const struct cl_verify_params *p)
{
    v->crls = p->crls != NULL ? cleat_crl_set_ref(p->crls) : NULL;
    v->ocsp = p->ocsp != NULL ? cleat_ocsp_set_ref(p->ocsp) : NULL;
    v->from_crls = p->from_crls;
    v->from_ocsp = p->from_ocsp;
    v->max_age = p->max_revocation_age;
    v->staple_asked = p->staple_asked;
    v->staple_required = p->staple_required;
    v->verdict->ct = v->ct = p->ct;
    v->ct_logs = p->ct_logs != NULL ? cleat_ct_logs_ref(p->ct_logs) : NULL;
    v->scts = p->scts;
    if (p->ct != CLEAT_CT_OFF) {
        v->verdict->scts = cl_calloc(CL_SCT_MAX, sizeof(*v->verdict->scts));
        v->sct_work = cl_calloc(CL_SCT_MAX, sizeof(*v->sct_work));
        if (v->verdict->scts == NULL || v->sct_work == NULL) {
            return CLEAT_ERR_NOMEM;
        }
    }
    if (p->staple.len != 0) {
        const cl_result r = cl_ocsp_parse(&v->staple, p->staple, NULL);
        v->staple_problem = r != CL_OK;
        return r == CLEAT_ERR_NOMEM ? r : CL_OK;
    }
    return CL_OK;
}

static cl_result copy_params(struct cl_verify *v, const struct cl_verify_params *p)
{
    struct cleat_verdict *verdict = v->verdict;
    verdict->refs = 1;
    CL_TRY(cl_verdict_copy_text(&verdict->host, p->host));
    CL_TRY(cl_verdict_copy_text(&verdict->email, p->email));
    CL_TRY(copy_policies(v, p));
    verdict->trust = p->trust != NULL ? cleat_trust_store_ref(p->trust) : NULL;
    verdict->dane = p->dane != NULL ? cleat_dane_ref(p->dane) : NULL;
    v->anchors = verdict->trust;
    verdict->now = p->now;
    verdict->purpose = p->purpose;
    verdict->policy = p->policy;
    verdict->revocation = p->revocation;
    CL_TRY(copy_sources(v, p));
    v->suffixes = p->suffixes != NULL ? cleat_suffix_list_ref(p->suffixes) : NULL;
    v->policies.require_explicit = p->require_explicit_policy;
    v->policies.inhibit_mapping = p->inhibit_policy_mapping;
    v->policies.inhibit_any = p->inhibit_any_policy;
    v->max_intermediates = CL_VERIFY_MAX_DEPTH - 2;
    if (p->max_intermediates != 0 && p->max_intermediates < v->max_intermediates) {
        v->max_intermediates = p->max_intermediates < 0 ? 0 : p->max_intermediates;
    }
    return CL_OK;
}

/* Is the chain remembered? Then its verdict is v's, and there is nothing left to do. */
static bool ask_cache(struct cl_verify *v, const struct cl_verify_params *p,
                      const struct cl_rd *chain_der, size_t num)
{
    if (p->cache == NULL || num > CL_VERIFY_MAX_CERTS) {
        return false;
    }
    cl_verify_cache_key(p, chain_der, num, v->cache_key);
    v->verdict = cl_verify_cache_find(p->cache, v->cache_key, p->now);
    v->phase = v->verdict != NULL ? CL_PHASE_DONE : v->phase;
    v->cache = cleat_verify_cache_ref(p->cache);
    return v->verdict != NULL;
}

static cl_result new_verify(struct cl_verify **out, const struct cl_verify_params *p,
                            const struct cl_rd *chain_der, size_t num)
{
    *out = NULL;
    if (num == 0) {
        return CLEAT_ERR_NO_CERTIFICATE;
    }
    if (!options_valid(p)) {
        return CLEAT_ERR_USAGE;
    }
    struct cl_verify *v = cl_calloc(1, sizeof(*v));
    if (v == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    if (ask_cache(v, p, chain_der, num)) {
        *out = v;
        return CL_OK;
    }
    v->verdict = cl_calloc(1, sizeof(*v->verdict));
    v->best_rank = -1;
    cl_result r = v->verdict != NULL ? copy_params(v, p) : CLEAT_ERR_NOMEM;
    if (r != CL_OK) {
        cl_verify_free(v);
        return r;
    }
    v->verdict->num_presented = num;
    v->clock = p->clock;
    v->clock_ctx = p->clock_ctx;
    v->began = cl_verify_now(v);
    v->try_began = v->began;
    *out = v;
    return CL_OK;
}

static bool trusts(const struct cleat_trust_store *trust, const struct cleat_cert *cert)
{
    size_t num = 0;
    size_t first = trust != NULL ? cl_trust_find(trust, cert->subject.hash, &num) : 0;
    for (size_t i = 0; i < num; i++) {
        if (cl_rd_equal(cl_trust_indexed(trust, first + i)->der, cert->der)) {
            return true;
        }
    }
    return false;
}

/* Takes over the reference. A certificate that is there already is dropped. */
static void add_cert(struct cl_verify *v, struct cleat_cert *cert, size_t position)
{
    struct cleat_verdict *verdict = v->verdict;
    for (size_t i = 0; i < verdict->num_pool; i++) {
        if (cl_rd_equal(verdict->pool[i].cert->der, cert->der)) {
            cleat_cert_free(cert);
            return;
        }
    }
    verdict->pool[verdict->num_pool++] = (struct cl_pooled){
        .cert = cert, .position = (uint8_t)position, .is_anchor = trusts(v->anchors, cert)};
    verdict->has_leaf = true;
}

void cl_verify_set_anchors(struct cl_verify *v, const struct cleat_trust_store *anchors)
{
    struct cleat_verdict *verdict = v->verdict;
    v->anchors = anchors;
    for (size_t i = 0; i < verdict->num_pool; i++) {
        verdict->pool[i].is_anchor = trusts(anchors, verdict->pool[i].cert);
        verdict->pool[i].ca_state = CL_CA_UNKNOWN; /* in another role it may be another */
    }
}

/* A CA's certificate where the leaf should be, and another that looks like it: tells so. */
static void blame_order(const struct cl_verify *v, struct cleat_error *text)
{
    const struct cleat_verdict *verdict = v->verdict;
    char label[CL_LABEL_MAX];
    for (size_t i = 1; i < verdict->num_pool && verdict->pool[0].cert->is_ca; i++) {
        const struct cleat_cert *cert = verdict->pool[i].cert;
        if (!cert->is_ca && (verdict->host == NULL || cl_cert_matches_host(cert, verdict->host))) {
            cl_cert_label(cert, label);
            (void)snprintf(text->hint, sizeof(text->hint),
                           "the chain is in the wrong order: certificate %u, %s, must come first",
                           verdict->pool[i].position + 1u, label);
            return;
        }
    }
}

/* The leaf alone, then the search. */
static void start(struct cl_verify *v)
{
    struct cleat_error text;
    v->path.certs[0] = v->verdict->pool[0].cert;
    v->path.num = 1;
    if (v->verdict->dane != NULL && cl_dane_begin(v)) {
        v->phase = CL_PHASE_DONE;
        return;
    }
    struct cl_fail fail = cl_fail_begin(v, &text);
    if (!cl_check_leaf(v, &fail)) {
        blame_order(v, &text);
        cl_verdict_reject(v, &fail);
        v->phase = CL_PHASE_DONE;
        return;
    }
    v->phase = CL_PHASE_SEARCH;
    cl_search_start(v);
}

static bool too_many(struct cl_verify *v, size_t num)
{
    if (num <= CL_VERIFY_MAX_CERTS) {
        return false;
    }
    cl_verdict_final(
        v, CLEAT_ERR_TOO_COMPLEX, "CERT_CHAIN_TOO_LONG", "a chain has two to five certificates",
        "too complex: a chain of %zu certificates, more than %d", num, CL_VERIFY_MAX_CERTS);
    v->phase = CL_PHASE_DONE;
    return true;
}

static void unparsable_leaf(struct cl_verify *v, cl_result code)
{
    cl_verdict_final(v, code, "UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY",
                     "the peer's certificate must be issued anew", "certificate 1 of %zu: %s",
                     v->verdict->num_presented, v->unparsable.text);
    memcpy(v->verdict->error.section, v->unparsable.section, sizeof(v->unparsable.section));
    v->phase = CL_PHASE_DONE;
}

cl_result cl_verify_new(struct cl_verify **out, const struct cl_verify_params *params,
                        const struct cl_rd *chain_der, size_t num)
{
    struct cl_verify *v;
    CL_TRY(new_verify(&v, params, chain_der, num));
    *out = v;
    if (v->phase == CL_PHASE_DONE || too_many(v, num)) {
        return CL_OK;
    }
    for (size_t i = 0; i < num; i++) {
        struct cleat_cert *cert;
        bool first = v->unparsable.code == CLEAT_OK;
        cl_result r = cl_cert_parse(&cert, chain_der[i], first ? &v->unparsable : NULL);
        if (r == CLEAT_ERR_NOMEM) {
            cl_verify_free(v);
            *out = NULL;
            return r;
        }
        if (r == CL_OK) {
            add_cert(v, cert, i);
            continue;
        }
        v->unparsable_position = first ? i : v->unparsable_position;
        if (i == 0) {
            unparsable_leaf(v, r);
            return CL_OK;
        }
    }
    start(v);
    return CL_OK;
}

cl_result cl_verify_new_certs(struct cl_verify **out, const struct cl_verify_params *params,
                              const struct cleat_cert *const *certs, size_t num)
{
    struct cl_verify *v;
    struct cl_rd chain_der[CL_VERIFY_MAX_CERTS];
    for (size_t i = 0; params->cache != NULL && i < num && i < CL_VERIFY_MAX_CERTS; i++) {
        chain_der[i] = certs[i]->der;
    }
    CL_TRY(new_verify(&v, params, chain_der, num));
    *out = v;
    if (v->phase == CL_PHASE_DONE || too_many(v, num)) {
        return CL_OK;
    }
    for (size_t i = 0; i < num; i++) {
        add_cert(v, cleat_cert_ref(certs[i]), i);
    }
    start(v);
    return CL_OK;
}

/* ---- signatures ---- */
enum cl_sig_state cl_sig_state(struct cl_verify *v, const void *what, enum cl_signed kind,
                               const struct cleat_cert *signer)
{
    if (kind == CL_SIGNED_CRL && cl_crl_known_good(what, signer)) {
        return CL_SIG_GOOD;
    }
    for (size_t i = 0; i < v->num_memos; i++) {
        if (v->memos[i].what == what && v->memos[i].signer == signer) {
            return v->memos[i].good ? CL_SIG_GOOD : CL_SIG_BAD;
        }
    }
    if (v->num_memos == CL_VERIFY_MAX_SIGNATURES) {
        return CL_SIG_LIMIT;
    }
    v->wanted = (struct cl_memo){.what = what, .signer = signer, .kind = kind};
    return CL_SIG_NEEDED;
}

static void remember(struct cl_verify *v, bool good)
{
    v->wanted.good = good;
    if (good && v->wanted.kind == CL_SIGNED_CRL) {
        cl_crl_note_good(v->wanted.what, v->wanted.signer);
    }
    v->memos[v->num_memos++] = v->wanted;
    v->wanted = (struct cl_memo){0};
}

/* An RSA-PSS signature fits keys of both kinds; which one decides the algorithm's row. */
static const struct cl_sig_alg *alg_for(const struct cl_sig_alg *alg, enum cl_key_type type)
{
    if (alg != NULL && alg->padding == CL_PAD_PSS && type == CL_KEY_RSA_PSS) {
        return cl_sig_scheme((uint16_t)(alg->scheme + 5)); /* rsa_pss_rsae_* to rsa_pss_pss_* */
    }
    return alg;
}

/* What is signed in v->wanted, how and with what result. */
static const struct cl_sig_alg *signed_parts(const struct cl_memo *wanted, struct cl_rd *tbs,
                                             struct cl_rd *signature)
{
    const struct cleat_cert *cert = wanted->what;
    const struct cl_crl *crl = wanted->what;
    const struct cl_ocsp *response = wanted->what;
    switch (wanted->kind) {
    case CL_SIGNED_CRL:
        *tbs = crl->tbs;
        *signature = crl->signature;
        return crl->sig_alg;
    case CL_SIGNED_OCSP:
        *tbs = response->tbs;
        *signature = response->signature;
        return response->sig_alg;
    default:
        *tbs = cert->tbs;
        *signature = cert->signature;
        return cert->sig_alg;
    }
}

/* Makes the job for v->wanted; false when there is none to be run: the answer is known. */
static bool make_job(struct cl_verify *v)
{
    struct cl_rd message;
    struct cl_rd signature;
    const struct cl_sig_alg *alg = signed_parts(&v->wanted, &message, &signature);
    const struct cl_pubkey *key = NULL;
    cl_result r = cl_cert_pubkey(v->wanted.signer, &key);
    if (r == CLEAT_ERR_NOMEM) {
        cl_verdict_final(v, r, "OUT_OF_MEM", NULL, "out of memory");
        v->phase = CL_PHASE_DONE;
        return false;
    }
    alg = alg_for(alg, v->wanted.signer->key_type);
    if (r != CL_OK || alg == NULL || !cl_sig_alg_fits(alg, v->wanted.signer->key_type)) {
        remember(v, false);
        return false;
    }
    v->verdict->work.num_signatures++;
    v->job_began = cl_verify_now(v);
    v->job = (struct cl_job){
        .kind = CL_JOB_VERIFY,
        .status = CL_JOB_PENDING,
        .verify = {.key = key, .alg = alg, .message = message, .signature = signature}};
    return true;
}

/* Takes the result of a job that was run; false while it has not been. */
static bool take_result(struct cl_verify *v)
{
    if (v->job.kind == CL_JOB_NONE) {
        return true;
    }
    if (v->job.status != CL_JOB_DONE) {
        return false;
    }
    cl_result r = v->job.result;
    cl_job_reset(&v->job);
    v->wanted.ns = cl_verify_now(v) - v->job_began;
    v->verdict->work.signatures_ns += v->wanted.ns;
    if (v->phase == CL_PHASE_TRANSPARENCY && (r == CL_OK || r == CLEAT_ERR_BAD_SIGNATURE)) {
        cl_ct_take(v, r == CL_OK);
    } else if (r == CL_OK || r == CLEAT_ERR_BAD_SIGNATURE) {
        remember(v, r == CL_OK);
    } else {
        cl_verdict_final(v, r, "UNSPECIFIED", NULL, "a signature could not be checked: %s",
                         cleat_error_sentence((int)r));
        v->phase = CL_PHASE_DONE;
    }
    return true;
}

static void reject_signature(struct cl_verify *v, size_t depth)
{
    struct cleat_error text;
    struct cl_fail fail = cl_fail_begin(v, &text);
    char issuer[CL_LABEL_MAX] = "";
    if (cl_fail_wanted(&fail)) {
        cl_cert_label(v->path.certs[depth + 1], issuer);
    }
    fail.openssl = "CERT_SIGNATURE_FAILURE";
    (void)cl_fail_set(&fail, CLEAT_ERR_BAD_SIGNATURE, CL_CHECK_SIGNATURE, depth, NULL,
                      "another certificate of the same name issued it, or it was tampered with",
                      "its signature was not made with the key of %s", issuer);
    cl_verdict_reject(v, &fail);
    cl_search_reject(v, depth + 1);
    v->phase = CL_PHASE_SEARCH;
}

static void out_of_signatures(struct cl_verify *v)
{
    cl_verdict_final(v, CLEAT_ERR_TOO_COMPLEX, "CERT_CHAIN_TOO_LONG", NULL,
                     "too complex: more than %d signature checks", CL_VERIFY_MAX_SIGNATURES);
    v->phase = CL_PHASE_DONE;
}

/* From the leaf up, so that a wrong one drops as much of the search as possible. True: a job waits.
 */
static bool step_signatures(struct cl_verify *v)
{
    for (size_t i = 0; i + 1 < v->path.num; i++) {
        switch (cl_sig_state(v, v->path.certs[i], CL_SIGNED_CERT, v->path.certs[i + 1])) {
        case CL_SIG_GOOD:
            break;
        case CL_SIG_BAD:
            reject_signature(v, i);
            return false;
        case CL_SIG_NEEDED:
            return make_job(v);
        case CL_SIG_LIMIT:
            out_of_signatures(v);
            return false;
        }
    }
    v->phase = CL_PHASE_REVOCATION;
    return false;
}

static bool step_revocation(struct cl_verify *v)
{
    struct cleat_error text;
    struct cl_fail fail = cl_fail_begin(v, &text);
    enum cl_revoke r = cl_revoke_wanted(v) ? cl_revoke_check(v, &fail) : CL_REVOKE_PASSED;
    if (r == CL_REVOKE_NEEDS_JOB) {
        return make_job(v);
    }
    if (r == CL_REVOKE_FAILED) {
        cl_verdict_reject(v, &fail);
        cl_search_reject(v, v->path.num - 1);
        v->phase = CL_PHASE_SEARCH;
        return false;
    }
    v->phase = CL_PHASE_TRANSPARENCY;
    return false;
}

/* RFC 6962 is about CAs that everybody trusts; an authority that a TLSA record names may have no
 * log at all. */
static bool wants_timestamps(const struct cl_verify *v)
{
    return v->ct != CLEAT_CT_OFF && v->rule != CL_RULE_DANE_TA;
}

static bool step_transparency(struct cl_verify *v)
{
    struct cleat_error text;
    struct cl_fail fail = cl_fail_begin(v, &text);
    switch (wants_timestamps(v) ? cl_ct_check(v, &fail) : CL_CT_PASSED) {
    case CL_CT_NEEDS_JOB:
        v->verdict->work.num_signatures++;
        v->job_began = cl_verify_now(v);
        return true;
    case CL_CT_FAILED:
        cl_verdict_reject(v, &fail);
        cl_search_reject(v, v->path.num - 1);
        v->phase = CL_PHASE_SEARCH;
        break;
    case CL_CT_PASSED:
        cl_verdict_accept(v);
        v->phase = CL_PHASE_DONE;
        break;
    default:
        cl_verdict_final(v, CLEAT_ERR_NOMEM, "OUT_OF_MEM", NULL, "out of memory");
        v->phase = CL_PHASE_DONE;
        break;
    }
    return false;
}

static enum cl_phase step_search(struct cl_verify *v)
{
    while (cl_search_next(v) != CL_SEARCH_PATH) {
        /* what has gone beyond the limits of work is over */
        if (v->best_rank == INT32_MAX || !cl_dane_next_rule(v)) {
            return CL_PHASE_DONE;
        }
    }
    return CL_PHASE_SIGNATURES;
}

enum cl_verify_next cl_verify_step(struct cl_verify *v)
{
    if (!take_result(v)) {
        return CL_VERIFY_NEEDS_JOB;
    }
    while (v->phase != CL_PHASE_DONE) {
        bool waits = false;
        if (v->phase == CL_PHASE_SEARCH) {
            v->phase = step_search(v);
        } else if (v->phase == CL_PHASE_SIGNATURES) {
            waits = step_signatures(v);
        } else if (v->phase == CL_PHASE_REVOCATION) {
            waits = step_revocation(v);
        } else {
            waits = step_transparency(v);
        }
        if (waits) {
            return CL_VERIFY_NEEDS_JOB;
        }
    }
    return CL_VERIFY_DONE;
}

struct cl_job *cl_verify_job(struct cl_verify *v)
{
    return v->job.kind != CL_JOB_NONE ? &v->job : NULL;
}

struct cleat_verdict *cl_verify_take_verdict(struct cl_verify *v)
{
    if (v->phase != CL_PHASE_DONE) {
        return NULL;
    }
    struct cleat_verdict *verdict = v->verdict;
    if (verdict != NULL && !verdict->remembered) {
        verdict->work.total_ns = cl_verify_now(v) - v->began;
        if (v->cache != NULL && cleat_verdict_code(verdict) == CLEAT_OK) {
            cl_verify_cache_add(v->cache, v->cache_key, verdict, v);
        }
    }
    v->verdict = NULL;
    return verdict;
}

void cl_verify_free(struct cl_verify *v)
{
    if (v != NULL) {
        cl_job_reset(&v->job);
        cleat_verdict_free(v->verdict);
        cleat_crl_set_free(v->crls);
        cleat_ocsp_set_free(v->ocsp);
        cl_ocsp_free(v->staple);
        cleat_ct_logs_free(v->ct_logs);
        cl_buf_deinit(&v->sct_message);
        cl_free(v->sct_work);
        cleat_suffix_list_free(v->suffixes);
        cleat_verify_cache_free(v->cache);
        cl_free(v->policy_bytes);
        cl_free(v);
    }
}

/* ---- the blocking form ---- */
static struct cl_verify_params params_of(const struct cleat_verify_options *o)
{
    return (struct cl_verify_params){
        .trust = o->trust,
        .dane = o->dane,
        .host = o->host,
        .now = o->now,
        .purpose = o->purpose,
        .policy = o->policy,
        .revocation = o->revocation,
        .from_crls = o->from_crls,
        .from_ocsp = o->from_ocsp,
        .max_revocation_age = o->max_revocation_age,
        .crls = o->crls,
        .ocsp = o->ocsp,
        .staple = cl_rd_of(o->staple, o->staple_len),
        .staple_asked = o->staple_asked,
        .ct = o->ct,
        .ct_logs = o->ct_logs,
        .scts = cl_rd_of(o->scts, o->scts_len),
        .staple_required = o->staple_required,
        .suffixes = o->suffixes,
        .email = o->email,
        .max_intermediates = o->max_intermediates,
        .initial_policies = o->initial_policies,
        .num_initial_policies = o->num_initial_policies,
        .require_explicit_policy = o->require_explicit_policy,
        .inhibit_policy_mapping = o->inhibit_policy_mapping,
        .inhibit_any_policy = o->inhibit_any_policy,
        .clock = o->clock,
        .clock_ctx = o->clock_ctx,
        .cache = o->cache,
    };
}

int cleat_verify(const struct cleat_verify_options *options, const struct cleat_chain *chain,
                 struct cleat_verdict **out)
{
    const struct cleat_cert *certs[CL_CHAIN_MAX];
    struct cl_verify_params params = params_of(options);
    struct cl_verify *v;
    *out = NULL;
    for (size_t i = 0; i < cl_chain_num(chain); i++) {
        certs[i] = cl_chain_at(chain, i);
    }
    cl_result r = cl_verify_new_certs(&v, &params, certs, cl_chain_num(chain));
    if (r != CL_OK) {
        return (int)r;
    }
    while (cl_verify_step(v) == CL_VERIFY_NEEDS_JOB) {
        cl_job_run(cl_verify_job(v));
    }
    *out = cl_verify_take_verdict(v);
    cl_verify_free(v);
    return CLEAT_OK;
}
