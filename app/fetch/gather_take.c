/* fetch/gather_take.c - what a look-up gave: into the sets, into the cache, and what is told of it.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "fetch/gather_impl.h"
#include "fetch/issuers.h"
#include "net/clock.h"
#include "x509/crl.h"
#include "x509/ocsp.h"

/* 7 days: how long an intermediate is kept, which does not change and has no date of its own */
#define AIA_KEPT (7 * 86400)

const char *cl_gather_kind_name(enum cl_gather_kind kind)
{
    static const char *const names[] = {"OCSP response", "CRL", "issuer's certificate"};
    return names[kind];
}

/* ---- what is told ---- */

static struct cl_gather_note *add_note(struct cl_gather *g, const struct cl_slot *s, bool cached,
                                       size_t len)
{
    const bool room = g->num_notes < CL_GATHER_MAX_NOTES;
    struct cl_gather_note *n = &g->notes[room ? g->num_notes++ : CL_GATHER_MAX_NOTES];
    *n = (struct cl_gather_note){.kind = s->kind,
                                 .cached = cached,
                                 .len = len,
                                 .us = cached ? 0 : cl_clock_mono_us() - s->started};
    n->url = room ? cl_strndup(s->url, strlen(s->url)) : NULL;
    (void)cleat_cert_subject(s->cert, n->about, sizeof(n->about));
    return n;
}

void cl_slot_note_failure(struct cl_slot *s, const char *why)
{
    struct cl_gather_note *n = add_note(s->gather, s, false, 0);
    n->failed = true;
    (void)snprintf(n->text, sizeof(n->text), "%s", why);
}

/* ---- what came ---- */

/* A list in bytes that are released when the set goes; PEM is decoded first. */
static cl_result add_list(struct cl_gather *g, struct cl_rd der, void (*release)(void *), void *ctx,
                          struct cleat_error *err)
{
    const struct cleat_crl_set *before = g->crls != NULL ? g->crls : g->spec.verify.crls;
    struct cleat_crl_set *set = NULL;
    int r = cleat_crl_set_new(&set);
    if (r == CLEAT_OK && before != NULL) {
        r = cleat_crl_set_add_set(set, before);
    }
    if (r != CLEAT_OK) {
        release(ctx);
    } else if (der.len != 0 && der.p[0] == '-') {
        r = cleat_crl_set_add_pem(set, (const char *)der.p, der.len, err);
        release(ctx);
    } else {
        r = cleat_crl_set_add_mapped(set, der.p, der.len, release, ctx, err);
    }
    if (r != CLEAT_OK) {
        cleat_crl_set_free(set);
        return (cl_result)r;
    }
    cleat_crl_set_free(g->crls);
    g->crls = set;
    return CL_OK;
}

static cl_result add_response(struct cl_gather *g, struct cl_rd der, struct cleat_error *err)
{
    const struct cleat_ocsp_set *before = g->ocsp != NULL ? g->ocsp : g->spec.verify.ocsp;
    struct cleat_ocsp_set *set = NULL;
    int r = cleat_ocsp_set_new(&set);
    if (r == CLEAT_OK && before != NULL) {
        r = cleat_ocsp_set_add_set(set, before);
    }
    r = r == CLEAT_OK ? cleat_ocsp_set_add(set, der.p, der.len, err) : r;
    if (r != CLEAT_OK) {
        cleat_ocsp_set_free(set);
        return (cl_result)r;
    }
    cleat_ocsp_set_free(g->ocsp);
    g->ocsp = set;
    return CL_OK;
}

static bool have_cert(const struct cl_gather *g, const struct cleat_cert *cert)
{
    const struct cl_rd der = cl_cert_der(cert);
    for (size_t i = 0; i < g->num_found; i++) {
        if (cl_rd_equal(cl_cert_der(g->found[i]), der)) {
            return true;
        }
    }
    for (size_t i = 0; i < cl_chain_num(g->spec.chain); i++) {
        if (cl_rd_equal(cl_cert_der(cl_chain_at(g->spec.chain, i)), der)) {
            return true;
        }
    }
    return false;
}

/* Takes from an answer what bears the issuer's name; *first: of these, the first. */
static cl_result add_issuers(struct cl_gather *g, const struct cl_slot *s, struct cl_rd answer,
                             struct cleat_cert **first, struct cleat_error *err)
{
    struct cleat_cert *certs[CL_FETCH_MAX_ISSUERS];
    const struct cl_rd wanted = cl_cert_issuer_der(s->cert);
    size_t num = 0;
    *first = NULL;
    CL_TRY(cl_fetch_issuers(answer, certs, &num, err));
    for (size_t i = 0; i < num; i++) {
        if (cl_rd_equal(cl_cert_subject_der(certs[i]), wanted) && !have_cert(g, certs[i]) &&
            g->num_found < CL_CHAIN_MAX) {
            *first = *first != NULL ? *first : certs[i];
            g->found[g->num_found++] = certs[i];
        } else {
            cleat_cert_free(certs[i]);
        }
    }
    if (*first == NULL) {
        char name[160] = "";
        (void)cleat_cert_issuer(s->cert, name, sizeof(name));
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_UNKNOWN_ISSUER},
                            "no certificate of %s is among the %zu that came", name, num);
    }
    return CL_OK;
}

static int64_t expiry_of(const struct cl_ocsp *response)
{
    struct cl_rd answers = response->answers;
    struct cl_ocsp_answer answer;
    int64_t until = INT64_MAX;
    while (cl_ocsp_next(&answers, &answer)) {
        until = answer.next_update < until ? answer.next_update : until;
    }
    return until != INT64_MAX ? until : INT64_MIN;
}

static cl_result take_list(struct cl_slot *s, const struct cl_answer *a, struct cl_gather_note *n,
                           struct cleat_error *err)
{
    struct cl_gather *g = s->gather;
    CL_TRY(add_list(g, a->bytes, a->release, a->ctx, err));
    const struct cl_crl *last = g->crls->crls[g->crls->num - 1];
    s->fresh = last->der;
    s->fresh_until = last->next_update;
    (void)snprintf(n->text, sizeof(n->text), "%zu bytes, %zu entries", last->der.len,
                   last->num_entries);
    return CL_OK;
}

static cl_result take_response(struct cl_slot *s, const struct cl_answer *a,
                               struct cl_gather_note *n, struct cleat_error *err)
{
    struct cl_gather *g = s->gather;
    cl_result r = add_response(g, a->bytes, err);
    a->release(a->ctx);
    CL_TRY(r);
    const struct cl_ocsp *last = g->ocsp->responses[g->ocsp->num - 1];
    s->fresh = last->der;
    s->fresh_until = last->response_status == 0 ? expiry_of(last) : INT64_MIN;
    if (last->response_status != 0) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_REVOCATION_UNKNOWN},
                            "the responder answers %s", cl_ocsp_status_name(last->response_status));
    }
    (void)snprintf(n->text, sizeof(n->text), "%zu bytes", last->der.len);
    return CL_OK;
}

static cl_result take_issuer(struct cl_slot *s, const struct cl_answer *a, struct cl_gather_note *n,
                             struct cleat_error *err)
{
    struct cleat_cert *first;
    char name[160] = "";
    cl_result r = add_issuers(s->gather, s, a->bytes, &first, err);
    a->release(a->ctx);
    CL_TRY(r);
    s->fresh = cl_cert_der(first);
    s->fresh_until = s->gather->spec.verify.now + AIA_KEPT;
    cleat_cert_fingerprint(first, n->fingerprint);
    (void)cleat_cert_subject(first, name, sizeof(name));
    (void)snprintf(n->text, sizeof(n->text), "%zu bytes: %s", a->bytes.len, name);
    return CL_OK;
}

void cl_slot_take(struct cl_slot *s, const struct cl_answer *a)
{
    static cl_result (*const takers[])(struct cl_slot *, const struct cl_answer *,
                                       struct cl_gather_note *, struct cleat_error *) = {
        [CL_GATHER_OCSP] = take_response,
        [CL_GATHER_CRL] = take_list,
        [CL_GATHER_AIA] = take_issuer,
    };
    struct cl_gather_note *n = add_note(s->gather, s, a->cached, a->bytes.len);
    struct cleat_error err = {0};
    cl_result r = takers[s->kind](s, a, n, &err);
    if (r != CL_OK) {
        n->failed = true;
        (void)snprintf(n->text, sizeof(n->text), "%.300s",
                       err.code != 0 ? err.text : cleat_error_sentence((int)r));
    }
    if (r != CL_OK || a->cached) {
        s->fresh = cl_rd_of(NULL, 0);
    }
}

/* ---- the cache ---- */

static const char *key_name(enum cl_gather_kind kind)
{
    static const char *const names[] = {"ocsp", "crl", "aia"};
    return names[kind];
}

/* The request is part of what a response is found by: one responder answers for many. */
struct cl_fetch_key cl_slot_key(const struct cl_slot *s, uint8_t request[CLEAT_OCSP_MAX_REQUEST])
{
    struct cl_fetch_key key = {.kind = key_name(s->kind), .url = s->url};
    size_t len;
    if (s->kind == CL_GATHER_OCSP && cleat_ocsp_request(s->cert, s->issuer, NULL, 0, request,
                                                        CLEAT_OCSP_MAX_REQUEST, &len) == CLEAT_OK) {
        key.request = cl_rd_of(request, len);
    }
    return key;
}

/* What the network gave for a slot was good for something. */
void cl_slot_keep(struct cl_slot *s)
{
    uint8_t request[CLEAT_OCSP_MAX_REQUEST];
    if (s->fresh.len != 0 && s->gather->spec.cache != NULL &&
        s->fresh_until > s->gather->spec.verify.now) {
        const struct cl_fetch_key key = cl_slot_key(s, request);
        cl_fetch_cache_keep(s->gather->spec.cache, &key, s->fresh, s->fresh_until);
    }
    s->fresh = cl_rd_of(NULL, 0);
}
