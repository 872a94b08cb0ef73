/* x509/dane_verify.c - TLSA records in a verification (RFC 7671): which of them match what was
 * presented, what paths are held to because of them, and how that is told.
 *
 * DANE-EE is decided at once. DANE-TA gives the search anchors of its own: certificates of the peer
 * that a record names, certificates that records hold whole (2 0 0), and bare keys (2 1 0). A bare
 * key has no name: for the search it becomes a certificate without dates and limits, named like the
 * issuer that it may be. PKIX-TA and PKIX-EE are a check more on ordinary paths.
 *
 * An authority's record never names the leaf: it is what issues, or an issuer's issuer.
 */
#include <stdio.h>

#include "base/buf.h"
#include "base/text.h"
#include "x509/verify_impl.h"

/* 64: bare keys times the issuers that the chain names; one and two are usual */
#define MAX_BARE_ANCHORS 64
/* 600: what the made-up certificate holds beside its two names and its key */
#define BARE_OVERHEAD    600
/* 9999-12-31T23:59:59Z: RFC 5280 4.1.2.5's "no end" */
#define NO_END           253402300799LL

static const struct cl_tlsa *record_at(const struct cl_verify *v, size_t i)
{
    return &v->verdict->dane->records[i];
}

static bool has_usage(const struct cl_verify *v, uint8_t first, uint8_t second)
{
    for (size_t i = 0; i < v->verdict->dane->num; i++) {
        const struct cl_tlsa *record = record_at(v, i);
        if (cl_tlsa_counts(v->verdict->dane, record) &&
            (record->usage == first || record->usage == second)) {
            return true;
        }
    }
    return false;
}

static bool is_for_authority(const struct cl_tlsa *record)
{
    return record->usage == CLEAT_TLSA_PKIX_TA || record->usage == CLEAT_TLSA_DANE_TA;
}

/* ---- what matches ---- */

static void note_matches(struct cl_verify *v, const struct cleat_cert *cert, size_t position,
                         bool is_leaf)
{
    struct cl_tlsa_subject subject = cl_tlsa_subject_of(cert);
    struct cl_tlsa_note *notes = v->verdict->tlsa;
    for (size_t i = 0; i < v->verdict->dane->num; i++) {
        const struct cl_tlsa *record = record_at(v, i);
        if (notes[i].result == CLEAT_TLSA_NO_MATCH && is_for_authority(record) != is_leaf &&
            cl_tlsa_matches(record, &subject)) {
            notes[i] = (struct cl_tlsa_note){CLEAT_TLSA_MATCHED, (uint8_t)position};
        }
    }
}

static void note_all(struct cl_verify *v)
{
    const struct cleat_verdict *verdict = v->verdict;
    for (size_t i = 0; i < verdict->dane->num; i++) {
        const struct cl_tlsa *record = record_at(v, i);
        const bool weaker = cl_tlsa_is_weaker(verdict->dane, record);
        v->verdict->tlsa[i].result = !record->usable ? CLEAT_TLSA_UNUSABLE
                                     : weaker        ? CLEAT_TLSA_WEAKER
                                                     : CLEAT_TLSA_NO_MATCH;
    }
    for (size_t i = 0; i < verdict->num_pool; i++) {
        note_matches(v, verdict->pool[i].cert, verdict->pool[i].position + 1u, i == 0);
    }
}

/* The first record of a usage that matches what was presented; NULL. */
static const struct cl_tlsa *matched(const struct cl_verify *v, uint8_t usage)
{
    for (size_t i = 0; i < v->verdict->dane->num; i++) {
        if (record_at(v, i)->usage == usage && v->verdict->tlsa[i].result == CLEAT_TLSA_MATCHED) {
            return record_at(v, i);
        }
    }
    return NULL;
}

/* ---- anchors of DANE-TA ---- */

/* A certificate that says nothing but: whoever signs under this name has this key. */
static void put_bare(struct cl_wr *w, const struct cl_name *name, struct cl_rd spki)
{
    static const uint8_t is_ca[] = {0x30, 0x03, 0x01, 0x01, 0xff};
    static const uint8_t unsigned_byte[1] = {0};
    const struct cl_sig_alg *alg = cl_sig_scheme(0x0403); /* any: nobody looks at it */
    struct cl_der_mark cert = cl_der_open(w, CL_DER_SEQUENCE);
    struct cl_der_mark tbs = cl_der_open(w, CL_DER_SEQUENCE);
    struct cl_der_mark m = cl_der_open(w, CL_DER_CTXC(0));
    cl_der_put_u32(w, 2);
    cl_der_close(w, m);
    cl_der_put_u32(w, 1);
    (void)!cl_alg_put(w, alg);
    cl_wr_view(w, name->der);
    m = cl_der_open(w, CL_DER_SEQUENCE);
    cl_der_put_time(w, 0);
    cl_der_put_time(w, NO_END);
    cl_der_close(w, m);
    cl_wr_view(w, name->der);
    cl_wr_view(w, spki);
    m = cl_der_open(w, CL_DER_CTXC(3));
    struct cl_der_mark exts = cl_der_open(w, CL_DER_SEQUENCE);
    struct cl_der_mark ext = cl_der_open(w, CL_DER_SEQUENCE);
    cl_der_put(w, CL_DER_OID, cl_oid_bytes(CL_OID_EXT_BASIC));
    cl_der_put_bool(w, true);
    cl_der_put(w, CL_DER_OCTET_STRING, cl_rd_of(is_ca, sizeof(is_ca)));
    cl_der_close(w, ext);
    cl_der_close(w, exts);
    cl_der_close(w, m);
    cl_der_close(w, tbs);
    (void)!cl_alg_put(w, alg);
    cl_der_put_bits(w, cl_rd_of(unsigned_byte, 1), 0);
    cl_der_close(w, cert);
}

static cl_result add_bare(struct cleat_trust_builder *anchors, const struct cl_name *name,
                          const struct cl_tlsa *record)
{
    struct cl_buf der = {0};
    struct cleat_cert *cert = NULL;
    cl_result r =
        cl_buf_reserve(&der, 2 * name->der.len + record->len + BARE_OVERHEAD, CL_CERT_MAX_LEN);
    if (r == CL_OK) {
        struct cl_wr w = cl_buf_writer(&der);
        put_bare(&w, name, cl_rd_of(record->data, record->len));
        cl_buf_commit(&der, &w);
        r = cl_wr_ok(&w) ? cl_cert_parse(&cert, cl_buf_view(&der), NULL) : CLEAT_ERR_LIMIT;
    }
    if (r == CL_OK) {
        r = (cl_result)cleat_trust_builder_add_cert(anchors, cert);
    }
    cleat_cert_free(cert);
    cl_buf_deinit(&der);
    return r == CLEAT_ERR_NOMEM ? r : CL_OK; /* else it is no anchor */
}

/* RFC 7671 5.2.3: a bare key need not be in the chain; every issuer that the chain names may be its
 * holder. */
static cl_result add_bare_key(struct cl_verify *v, struct cleat_trust_builder *anchors,
                              const struct cl_tlsa *record, size_t *num)
{
    const struct cleat_verdict *verdict = v->verdict;
    for (size_t i = 0; i < verdict->num_pool && *num < MAX_BARE_ANCHORS; i++) {
        CL_TRY(add_bare(anchors, &verdict->pool[i].cert->issuer, record));
        (*num)++;
    }
    return CL_OK;
}

static cl_result collect(struct cl_verify *v, struct cleat_trust_builder *anchors)
{
    const struct cleat_verdict *verdict = v->verdict;
    size_t num_bare = 0;
    for (size_t i = 0; i < verdict->dane->num; i++) {
        const struct cl_tlsa *record = record_at(v, i);
        if (record->usage != CLEAT_TLSA_DANE_TA || !cl_tlsa_counts(verdict->dane, record)) {
            continue;
        }
        struct cl_tlsa_subject subject;
        bool presented = false;
        for (size_t k = 1; k < verdict->num_pool; k++) {
            subject = cl_tlsa_subject_of(verdict->pool[k].cert);
            if (cl_tlsa_matches(record, &subject)) {
                CL_TRY((cl_result)cleat_trust_builder_add_cert(anchors, verdict->pool[k].cert));
                presented = true;
            }
        }
        if (!presented && record->cert != NULL &&
            !cl_rd_equal(record->cert->der, verdict->pool[0].cert->der)) {
            CL_TRY((cl_result)cleat_trust_builder_add_cert(anchors, record->cert));
        } else if (!presented && record->selector == CLEAT_TLSA_SPKI &&
                   record->matching == CLEAT_TLSA_FULL) {
            CL_TRY(add_bare_key(v, anchors, record, &num_bare));
        }
    }
    return CL_OK;
}

/* The store stays NULL when no record names an authority that could be in a path. */
static cl_result make_anchors(struct cl_verify *v)
{
    struct cleat_trust_builder *anchors;
    CL_TRY((cl_result)cleat_trust_builder_new(&anchors));
    cl_result r = collect(v, anchors);
    if (r == CL_OK) {
        r = (cl_result)cleat_trust_builder_finish(anchors, &v->verdict->dane_trust, NULL);
        r = r == CLEAT_ERR_NO_CERTIFICATE ? CL_OK : r;
    }
    cleat_trust_builder_free(anchors);
    return r;
}

/* ---- why none matches ---- */

/* "SHA2-256 of its key" */
static void subject_text(const struct cl_tlsa *record, char out[48])
{
    static const char *const matchings[] = {"", "SHA2-256 of ", "SHA2-512 of "};
    (void)snprintf(out, 48, "%s%s", matchings[record->matching],
                   record->selector == CLEAT_TLSA_CERT ? "it" : "its key");
}

static bool no_match(struct cl_verify *v, struct cl_fail *fail)
{
    static const char hint[] =
        "is this the right server? `cleat cert tlsa` makes the record of a certificate; a new one "
        "must be in DNS before its certificate is used (RFC 7671 8.1)";
    const struct cleat_dane *set = v->verdict->dane;
    char says[CL_TLSA_LABEL_MAX] = "", is[CL_TLSA_LABEL_MAX] = "", what[48] = "";
    struct cleat_tlsa own = {0};
    uint8_t digest[CL_HASH_MAX_LEN];
    fail->openssl = "DANE_NO_MATCH";
    for (size_t i = 0; i < set->num && what[0] == '\0' && cl_fail_wanted(fail); i++) {
        const struct cl_tlsa *record = &set->records[i];
        if (cl_tlsa_counts(set, record) && !is_for_authority(record) &&
            record->matching != CLEAT_TLSA_FULL &&
            cleat_tlsa_data(v->path.certs[0], record->selector, record->matching, digest,
                            sizeof(digest), &own.len) == CLEAT_OK) {
            const struct cl_tlsa mine = {
                record->usage, record->selector, record->matching, true, digest, own.len, NULL};
            cl_tlsa_label(record, says);
            cl_tlsa_label(&mine, is);
            subject_text(record, what);
        }
    }
    if (what[0] != '\0') {
        return cl_fail_set(fail, CLEAT_ERR_DANE_NO_MATCH, CL_CHECK_DANE, 0, NULL, hint,
                           "no TLSA record (of %zu) matches: %s is %s, one says %s", set->num, what,
                           is + 6, says);
    }
    return cl_fail_set(fail, CLEAT_ERR_DANE_NO_MATCH, CL_CHECK_DANE, 0, NULL, hint,
                       "no TLSA record (of %zu) matches it or an issuer of it", set->num);
}

void cl_dane_no_issuer(struct cl_verify *v, struct cl_fail *fail)
{
    fail->openssl = "DANE_NO_MATCH";
    (void)cl_fail_set(fail, CLEAT_ERR_DANE_NO_MATCH, CL_CHECK_DANE, v->path.num - 1, NULL,
                      "the server should send its chain up to the authority that a TLSA record "
                      "names (RFC 7671 5.2.2)",
                      "no TLSA record (of %zu) names an issuer of it", v->verdict->dane->num);
}

/* ---- the rules ---- */

/* RFC 7671 5.1: neither names nor dates nor issuers matter; that the key is strong does. */
static void judge_key(struct cl_verify *v)
{
    struct cleat_error text;
    struct cl_fail fail = cl_fail_begin(v, &text);
    v->path.complete = true;
    if (!cl_check_key(v->path.certs[0], 0, &fail) ||
        (v->verdict->dane->check_names && !cl_check_host(v, v->path.certs[0], &fail))) {
        cl_verdict_reject(v, &fail);
    } else {
        cl_verdict_accept(v);
    }
}

static void out_of_memory(struct cl_verify *v)
{
    cl_verdict_final(v, CLEAT_ERR_NOMEM, "OUT_OF_MEM", NULL, "out of memory");
}

bool cl_dane_begin(struct cl_verify *v)
{
    struct cleat_error text;
    struct cleat_verdict *verdict = v->verdict;
    note_all(v);
    if (verdict->dane->num_usable == 0) {
        return false;
    }
    v->rule = CL_RULE_DANE_EE;
    if (matched(v, CLEAT_TLSA_DANE_EE) != NULL) {
        judge_key(v);
        return true;
    }
    if (has_usage(v, CLEAT_TLSA_DANE_TA, CLEAT_TLSA_DANE_TA) && make_anchors(v) != CL_OK) {
        out_of_memory(v);
        return true;
    }
    if (verdict->dane_trust != NULL) {
        v->rule = CL_RULE_DANE_TA;
        cl_verify_set_anchors(v, verdict->dane_trust);
        return false;
    }
    if (has_usage(v, CLEAT_TLSA_PKIX_TA, CLEAT_TLSA_PKIX_EE)) {
        v->rule = CL_RULE_PKIX;
        return false;
    }
    struct cl_fail fail = cl_fail_begin(v, &text);
    (void)no_match(v, &fail);
    cl_verdict_reject(v, &fail);
    return true;
}

bool cl_dane_next_rule(struct cl_verify *v)
{
    if (v->rule != CL_RULE_DANE_TA || !has_usage(v, CLEAT_TLSA_PKIX_TA, CLEAT_TLSA_PKIX_EE)) {
        return false;
    }
    v->rule = CL_RULE_PKIX;
    cl_verify_set_anchors(v, v->verdict->trust);
    cl_search_reject(v, 1);
    v->num_frames = 0;
    cl_search_start(v);
    return true;
}

/* RFC 6698 2.1.1: usage 0 names a certificate "found in any of the PKIX certification paths",
 * usage 1 the leaf; both "MUST pass PKIX certification path validation". */
bool cl_dane_check_path(struct cl_verify *v, struct cl_fail *fail)
{
    if (v->rule != CL_RULE_PKIX || matched(v, CLEAT_TLSA_PKIX_EE) != NULL) {
        return true;
    }
    for (size_t i = 1; i < v->path.num; i++) {
        struct cl_tlsa_subject subject = cl_tlsa_subject_of(v->path.certs[i]);
        for (size_t k = 0; k < v->verdict->dane->num; k++) {
            const struct cl_tlsa *record = record_at(v, k);
            if (record->usage == CLEAT_TLSA_PKIX_TA && cl_tlsa_counts(v->verdict->dane, record) &&
                cl_tlsa_matches(record, &subject)) {
                return true;
            }
        }
    }
    return no_match(v, fail);
}

/* ---- which one counted ---- */

/* Does the record vouch for the accepted path, by the rule that it was accepted by? */
static bool vouches(const struct cl_verify *v, const struct cl_tlsa *record)
{
    const struct cl_path *path = &v->path;
    const size_t first = v->rule == CL_RULE_DANE_TA ? path->num - 1 : 1;
    struct cl_tlsa_subject subject;
    if (record->usage == CLEAT_TLSA_PKIX_EE || record->usage == CLEAT_TLSA_DANE_EE) {
        subject = cl_tlsa_subject_of(path->certs[0]);
        return cl_tlsa_matches(record, &subject);
    }
    for (size_t i = first; i < path->num; i++) {
        subject = cl_tlsa_subject_of(path->certs[i]);
        if (cl_tlsa_matches(record, &subject)) {
            return true;
        }
    }
    return false;
}

void cl_dane_accepted(struct cl_verify *v)
{
    static const uint8_t by_rule[][2] = {
        [CL_RULE_DANE_EE] = {CLEAT_TLSA_DANE_EE, CLEAT_TLSA_DANE_EE},
        [CL_RULE_DANE_TA] = {CLEAT_TLSA_DANE_TA, CLEAT_TLSA_DANE_TA},
        [CL_RULE_PKIX] = {CLEAT_TLSA_PKIX_TA, CLEAT_TLSA_PKIX_EE},
    };
    for (size_t i = 0; v->rule != CL_RULE_ORDINARY && i < v->verdict->dane->num; i++) {
        const struct cl_tlsa *record = record_at(v, i);
        if (cl_tlsa_counts(v->verdict->dane, record) &&
            (record->usage == by_rule[v->rule][0] || record->usage == by_rule[v->rule][1]) &&
            vouches(v, record)) {
            v->verdict->tlsa[i].result = CLEAT_TLSA_COUNTED;
        }
    }
}

/* ---- being told ---- */

static const struct cl_tlsa *counted(const struct cleat_verdict *verdict, size_t *i)
{
    for (*i = 0; verdict->dane != NULL && *i < verdict->dane->num; (*i)++) {
        if (verdict->tlsa[*i].result == CLEAT_TLSA_COUNTED) {
            return &verdict->dane->records[*i];
        }
    }
    return NULL;
}

void cl_dane_say(const struct cleat_verdict *verdict, char *out, size_t cap)
{
    char label[CL_TLSA_LABEL_MAX];
    size_t i;
    const struct cl_tlsa *record = counted(verdict, &i);
    if (record == NULL) { /* on a path that was given up for another reason */
        (void)snprintf(out, cap, "one of %zu matches", verdict->dane->num);
        return;
    }
    cl_tlsa_label(record, label);
    const uint8_t position = verdict->tlsa[i].position;
    if (position != 0) {
        (void)snprintf(out, cap, "%s matches certificate %u of %zu", label, position,
                       verdict->num_presented);
    } else {
        (void)snprintf(out, cap, "%s matches the anchor", label);
    }
}

void cl_dane_say_anchor(const struct cleat_verdict *verdict, const struct cleat_cert *anchor,
                        char *out, size_t cap)
{
    char name[CL_LABEL_MAX];
    char label[CL_TLSA_LABEL_MAX] = "";
    struct cl_tlsa_subject subject = cl_tlsa_subject_of(anchor);
    for (size_t i = 0; i < verdict->dane->num && label[0] == '\0'; i++) {
        const struct cl_tlsa *record = &verdict->dane->records[i];
        if (record->usage == CLEAT_TLSA_DANE_TA && cl_tlsa_counts(verdict->dane, record) &&
            cl_tlsa_matches(record, &subject)) {
            cl_tlsa_label(record, label);
        }
    }
    cl_cert_label(anchor, name);
    (void)snprintf(out, cap, "%s is what TLSA record %s names", name, label);
}

bool cl_verdict_is_by_key(const struct cleat_verdict *verdict)
{
    return verdict->path.num != 0 && verdict->num_tries != 0 &&
           verdict->tries[verdict->num_tries - 1].rule == CL_RULE_DANE_EE;
}

bool cl_verdict_is_dane_anchor(const struct cleat_verdict *verdict, const struct cleat_cert *cert)
{
    size_t num = verdict->dane_trust != NULL ? cleat_trust_store_num(verdict->dane_trust) : 0;
    for (size_t i = 0; i < num; i++) {
        if (cleat_trust_store_at(verdict->dane_trust, i) == cert) {
            return true;
        }
    }
    return false;
}

size_t cleat_verdict_num_tlsa(const struct cleat_verdict *verdict)
{
    return verdict->dane != NULL ? verdict->dane->num : 0;
}

bool cleat_verdict_tlsa(const struct cleat_verdict *verdict, size_t i, struct cleat_tlsa_told *out)
{
    *out = (struct cleat_tlsa_told){0};
    if (verdict->dane == NULL || !cleat_dane_at(verdict->dane, i, &out->record)) {
        return false;
    }
    out->result = (enum cleat_tlsa_result)verdict->tlsa[i].result;
    out->certificate = verdict->tlsa[i].position;
    return true;
}

const char *cleat_tlsa_result_name(enum cleat_tlsa_result result)
{
    static const char *const names[] = {"counted", "matched", "no match", "weaker digest",
                                        "unusable"};
    return (unsigned)result < sizeof(names) / sizeof(names[0]) ? names[result] : "unknown";
}
