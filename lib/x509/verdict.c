/* x509/verdict.c - the verdict and its proof.
 *
 * The proof is not recorded while checks run, which would cost more than the checks: their order is
 * fixed (order_of below), so a try that failed at a known check has passed all those before it.
 * Texts are written when they are asked for.
 */
#include <stdarg.h>
#include <stdio.h>

#include "cleat/revocation.h"
#include "base/mem.h"
#include "x509/name.h"
#include "x509/verify_impl.h"

/* How telling a failure is: when no path works, the failure of the highest rank is the verdict. A
 * wrong intermediate found on the way tells more than "no issuer found" elsewhere. */
static const struct {
    cl_result code;
    int rank;
    const char *openssl;
} codes[] = {
    {CLEAT_ERR_NOMEM, 1000, "OUT_OF_MEM"},
    {CLEAT_ERR_TOO_COMPLEX, 900, "CERT_CHAIN_TOO_LONG"},
    {CLEAT_ERR_REVOKED, 90, "CERT_REVOKED"},
    {CLEAT_ERR_NOT_TRANSPARENT, 85, "NO_VALID_SCTS"},
    {CLEAT_ERR_DANE_NO_MATCH, 83, "DANE_NO_MATCH"},
    {CLEAT_ERR_NAME_CONSTRAINT, 80, "PERMITTED_VIOLATION"},
    {CLEAT_ERR_POLICY_VIOLATION, 78, "NO_EXPLICIT_POLICY"},
    {CLEAT_ERR_REVOCATION_UNKNOWN, 76, "UNABLE_TO_GET_CRL"},
    {CLEAT_ERR_WEAK_KEY, 74, "CA_KEY_TOO_SMALL"},
    {CLEAT_ERR_UNSUPPORTED_CERTIFICATE, 72, "UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY"},
    {CLEAT_ERR_CERT_EXPIRED, 70, "CERT_HAS_EXPIRED"},
    {CLEAT_ERR_CERT_NOT_YET_VALID, 68, "CERT_NOT_YET_VALID"},
    {CLEAT_ERR_UNKNOWN_CRITICAL, 66, "UNHANDLED_CRITICAL_EXTENSION"},
    {CLEAT_ERR_BAD_KEY_USAGE, 64, "INVALID_PURPOSE"},
    {CLEAT_ERR_NAME_MISMATCH, 62, "HOSTNAME_MISMATCH"},
    {CLEAT_ERR_NOT_A_CA, 60, "INVALID_CA"},
    {CLEAT_ERR_BAD_CERTIFICATE, 58, "INVALID_EXTENSION"},
    {CLEAT_ERR_PATH_TOO_LONG, 56, "PATH_LENGTH_EXCEEDED"},
    {CLEAT_ERR_BAD_SIGNATURE, 30, "CERT_SIGNATURE_FAILURE"},
    {CLEAT_ERR_SELF_SIGNED, 20, "DEPTH_ZERO_SELF_SIGNED_CERT"},
    {CLEAT_ERR_UNKNOWN_ISSUER, 10, "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"},
};
#define NUM_CODES (sizeof(codes) / sizeof(codes[0]))

static size_t code_row(cl_result code)
{
    size_t i = 0;
    while (i < NUM_CODES && codes[i].code != code) {
        i++;
    }
    return i;
}

static int rank_of(cl_result code, bool complete)
{
    size_t i = code_row(code);
    return (i < NUM_CODES ? codes[i].rank : 50) + (complete ? 100 : 0);
}

static const char *openssl_name(cl_result code)
{
    size_t i = code_row(code);
    return i < NUM_CODES ? codes[i].openssl : "UNSPECIFIED";
}

/* ---- being made ---- */
struct cl_fail cl_fail_begin(struct cl_verify *v, struct cleat_error *storage)
{
    struct cl_fail fail = {.path = &v->path, .verdict = v->verdict};
    if (v->verdict->work.num_tried < CLEAT_VERDICT_MAX_TRIES) {
        storage->code = CLEAT_OK;
        fail.err = storage;
    }
    return fail;
}

/* Room for one more try, or NULL: memory is short (the proof is then shorter, the verdict the
 * same). */
static struct cl_try *new_try(struct cleat_verdict *verdict)
{
    verdict->work.num_tried++;
    if (verdict->num_tries == CLEAT_VERDICT_MAX_TRIES) {
        return NULL;
    }
    if (verdict->num_tries == verdict->cap_tries) {
        size_t cap = verdict->cap_tries != 0 ? 4 * verdict->cap_tries : 2;
        struct cl_try *more = cl_realloc(verdict->tries, cap * sizeof(*more));
        if (more == NULL) {
            return NULL;
        }
        verdict->tries = more;
        verdict->cap_tries = cap;
    }
    return &verdict->tries[verdict->num_tries++];
}

static void fill_path(const struct cl_verify *v, struct cl_try *t)
{
    t->num = (uint8_t)v->path.num;
    t->complete = v->path.complete;
    t->policies_skipped = v->policies_skipped;
    t->rule = (uint8_t)v->rule;
    memcpy(t->certs, v->path.certs, v->path.num * sizeof(t->certs[0]));
}

static void fill_times(struct cl_verify *v, struct cl_try *t)
{
    uint64_t now = cl_verify_now(v);
    t->ns = now - v->try_began;
    v->try_began = now;
    for (size_t i = 0; i + 1 < t->num; i++) {
        for (size_t k = 0; k < v->num_memos; k++) {
            const struct cl_memo *memo = &v->memos[k];
            if (memo->what == t->certs[i] && memo->signer == t->certs[i + 1]) {
                t->signature_ns[i] = memo->ns < UINT32_MAX ? (uint32_t)memo->ns : UINT32_MAX;
            }
        }
    }
}

/* Certificates that were sent and could not be parsed explain a missing issuer. */
static void mention_unparsable(const struct cl_verify *v, struct cleat_error *error)
{
    if (v->unparsable.code == CLEAT_OK || error->code != CLEAT_ERR_UNKNOWN_ISSUER) {
        return;
    }
    size_t len = strlen(error->text);
    (void)snprintf(error->text + len, sizeof(error->text) - len,
                   "; certificate %zu of %zu could not be read: %s", v->unparsable_position + 1,
                   v->verdict->num_presented, v->unparsable.text);
}

void cl_verdict_reject(struct cl_verify *v, const struct cl_fail *fail)
{
    struct cleat_verdict *verdict = v->verdict;
    const char *openssl = fail->openssl != NULL ? fail->openssl : openssl_name(fail->code);
    int rank = rank_of(fail->code, v->path.complete);
    struct cleat_error error = {0};
    struct cl_try *t = new_try(verdict);
    if (fail->err != NULL) {
        error = *fail->err;
    } else if (t != NULL || rank > v->best_rank) {
        (void)cl_error_set(&error, (struct cl_why){.code = fail->code}, "%s",
                           cleat_error_sentence((int)fail->code));
    }
    if (t != NULL) {
        *t = (struct cl_try){.error = error,
                             .openssl = openssl,
                             .fail_check = (uint8_t)fail->check,
                             .fail_depth = fail->depth};
        fill_path(v, t);
        fill_times(v, t);
    }
    if (rank > v->best_rank) {
        v->best_rank = rank;
        verdict->error = error;
        verdict->openssl = openssl;
        mention_unparsable(v, &verdict->error);
    }
}

void cl_verdict_final(struct cl_verify *v, cl_result code, const char *openssl, const char *hint,
                      const char *fmt, ...)
{
    char text[300];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    v->best_rank = INT32_MAX;
    v->verdict->error = (struct cleat_error){0};
    v->verdict->openssl = openssl;
    (void)cl_error_set(&v->verdict->error, (struct cl_why){.code = code, .hint = hint}, "%s", text);
}

void cl_verdict_accept(struct cl_verify *v)
{
    struct cleat_verdict *verdict = v->verdict;
    struct cl_try *t = new_try(verdict);
    verdict->path = v->path;
    verdict->error = (struct cleat_error){0};
    verdict->openssl = "OK";
    cl_dane_accepted(v);
    if (t != NULL) {
        *t = (struct cl_try){.accepted = true, .openssl = "OK", .fail_check = CL_CHECK_COUNT};
        fill_path(v, t);
        fill_times(v, t);
    }
}

/* Without timings: no time is spent when it is remembered. */
static cl_result copy_tries(struct cleat_verdict *copy, const struct cleat_verdict *verdict)
{
    copy->tries = cl_calloc(verdict->num_tries, sizeof(copy->tries[0]));
    if (copy->tries == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    copy->num_tries = verdict->num_tries;
    copy->cap_tries = verdict->num_tries;
    for (size_t i = 0; i < verdict->num_tries; i++) {
        copy->tries[i] = verdict->tries[i];
        copy->tries[i].ns = 0;
        memset(copy->tries[i].signature_ns, 0, sizeof(copy->tries[i].signature_ns));
    }
    return CL_OK;
}

static cl_result copy_scts(struct cleat_verdict *copy, const struct cleat_verdict *verdict)
{
    if (verdict->num_scts == 0) {
        return CL_OK;
    }
    copy->scts = cl_memdup(verdict->scts, verdict->num_scts * sizeof(*verdict->scts));
    return copy->scts != NULL ? CL_OK : CLEAT_ERR_NOMEM;
}

cl_result cl_verdict_copy_text(char **out, const char *text)
{
    *out = text != NULL ? cl_strndup(text, strlen(text)) : NULL;
    return text == NULL || *out != NULL ? CL_OK : CLEAT_ERR_NOMEM;
}

struct cleat_verdict *cl_verdict_remember(const struct cleat_verdict *verdict)
{
    struct cleat_verdict *copy = verdict->num_tries != 0 ? cl_alloc(sizeof(*copy)) : NULL;
    if (copy == NULL) {
        return NULL;
    }
    *copy = *verdict;
    copy->refs = 1;
    copy->remembered = true;
    copy->work = (struct cleat_verify_work){.num_tried = verdict->work.num_tried};
    copy->trust = verdict->trust != NULL ? cleat_trust_store_ref(verdict->trust) : NULL;
    copy->dane = verdict->dane != NULL ? cleat_dane_ref(verdict->dane) : NULL;
    copy->dane_trust =
        verdict->dane_trust != NULL ? cleat_trust_store_ref(verdict->dane_trust) : NULL;
    for (size_t i = 0; i < copy->num_pool; i++) {
        copy->pool[i].cert = cleat_cert_ref(verdict->pool[i].cert);
    }
    copy->host = copy->email = NULL;
    copy->tries = NULL;
    copy->scts = NULL;
    if (cl_verdict_copy_text(&copy->host, verdict->host) != CL_OK ||
        cl_verdict_copy_text(&copy->email, verdict->email) != CL_OK ||
        copy_tries(copy, verdict) != CL_OK || copy_scts(copy, verdict) != CL_OK) {
        cleat_verdict_free(copy);
        return NULL;
    }
    return copy;
}

struct cleat_verdict *cl_verdict_ref(struct cleat_verdict *verdict)
{
    __atomic_add_fetch(&verdict->refs, 1, __ATOMIC_RELAXED);
    return verdict;
}

void cleat_verdict_free(struct cleat_verdict *verdict)
{
    if (verdict == NULL || __atomic_sub_fetch(&verdict->refs, 1, __ATOMIC_ACQ_REL) != 0) {
        return;
    }
    for (size_t i = 0; i < verdict->num_pool; i++) {
        cleat_cert_free(verdict->pool[i].cert);
    }
    cleat_trust_store_free(verdict->trust);
    cleat_trust_store_free(verdict->dane_trust);
    cleat_dane_free(verdict->dane);
    cl_free(verdict->host);
    cl_free(verdict->email);
    cl_free(verdict->tries);
    cl_free(verdict->scts);
    cl_free(verdict);
}

/* ---- being read ---- */
/* Only an accepted path makes a verdict OK. */
int cleat_verdict_code(const struct cleat_verdict *verdict)
{
    if (verdict->path.num != 0) {
        return CLEAT_OK;
    }
    return verdict->error.code != CLEAT_OK ? verdict->error.code : CLEAT_ERR_INTERNAL;
}

const struct cleat_error *cleat_verdict_error(const struct cleat_verdict *verdict)
{
    return &verdict->error;
}

const char *cleat_verdict_openssl_name(const struct cleat_verdict *verdict)
{
    return verdict->openssl != NULL ? verdict->openssl : "UNSPECIFIED";
}

size_t cleat_verdict_path_num(const struct cleat_verdict *verdict)
{
    return verdict->path.num;
}

const struct cleat_cert *cleat_verdict_path_at(const struct cleat_verdict *verdict, size_t i)
{
    return i < verdict->path.num ? verdict->path.certs[i] : NULL;
}

const struct cleat_cert *cleat_verdict_leaf(const struct cleat_verdict *verdict)
{
    return verdict->has_leaf ? verdict->pool[0].cert : NULL;
}

struct cleat_cert *cl_verdict_leaf_ref(const struct cleat_verdict *verdict)
{
    return verdict->has_leaf ? cleat_cert_ref(verdict->pool[0].cert) : NULL;
}

bool cleat_verdict_remembered(const struct cleat_verdict *verdict, int64_t *since)
{
    if (verdict->remembered && since != NULL) {
        *since = verdict->now;
    }
    return verdict->remembered;
}

void cleat_verdict_work(const struct cleat_verdict *verdict, struct cleat_verify_work *out)
{
    *out = verdict->work;
}

/* ---- the order of the checks ---- */
struct step {
    uint8_t check;
    uint8_t depth;
};

/* 32: checks of a leaf and of a whole path; 10: of each certificate between */
#define MAX_STEPS (32 + 10 * CL_VERIFY_MAX_DEPTH)

struct steps {
    struct step at[MAX_STEPS];
    size_t num;
};

static void put(struct steps *s, enum cl_check_id check, size_t depth)
{
    s->at[s->num++] = (struct step){(uint8_t)check, (uint8_t)depth};
}

static void put_leaf(struct steps *s)
{
    static const uint8_t order[] = {CL_CHECK_KEY,       CL_CHECK_VALIDITY, CL_CHECK_CRITICAL,
                                    CL_CHECK_KEY_USAGE, CL_CHECK_EKU,      CL_CHECK_HOST,
                                    CL_CHECK_EMAIL,     CL_CHECK_PROFILE};
    for (size_t i = 0; i < sizeof(order); i++) {
        put(s, order[i], 0);
    }
}

static void put_issuer(struct steps *s, size_t depth)
{
    static const uint8_t order[] = {CL_CHECK_LIMITS,  CL_CHECK_VALIDITY,  CL_CHECK_CRITICAL,
                                    CL_CHECK_BASIC,   CL_CHECK_KEY_USAGE, CL_CHECK_EKU,
                                    CL_CHECK_PROFILE, CL_CHECK_PATH_LEN};
    put(s, CL_CHECK_ISSUER, depth - 1);
    for (size_t i = 0; i < sizeof(order); i++) {
        put(s, order[i], depth);
    }
}

/* The leaf alone, which a TLSA record names. */
static void put_by_key(struct steps *s)
{
    static const uint8_t order[] = {CL_CHECK_DANE, CL_CHECK_KEY, CL_CHECK_HOST, CL_CHECK_VALIDITY,
                                    CL_CHECK_REVOCATION};
    for (size_t i = 0; i < sizeof(order); i++) {
        put(s, order[i], 0);
    }
}

static void put_complete(struct steps *s, size_t num, bool dane)
{
    put(s, CL_CHECK_ANCHOR, num - 1);
    for (size_t i = 0; i < num; i++) {
        if (i + 1 != num) {
            put(s, CL_CHECK_ALGORITHM, i);
        }
        if (i != 0) {
            put(s, CL_CHECK_KEY, i);
        }
    }
    put(s, CL_CHECK_NAME_CONSTRAINTS, 0);
    put(s, CL_CHECK_POLICIES, 0);
    if (dane) {
        put(s, CL_CHECK_DANE, 0);
    }
    for (size_t i = 0; i + 1 < num; i++) {
        put(s, CL_CHECK_SIGNATURE, i);
    }
    for (size_t i = 0; i + 1 < num; i++) {
        put(s, CL_CHECK_REVOCATION, i);
    }
    put(s, CL_CHECK_TRANSPARENCY, 0);
}

static bool of_path(uint8_t check)
{
    return check == CL_CHECK_NAME_CONSTRAINTS || check == CL_CHECK_POLICIES ||
           check == CL_CHECK_DANE;
}

/* Every check made on this path, the failed one last. */
static void order_of(const struct cleat_verdict *verdict, const struct cl_try *t, struct steps *s)
{
    s->num = 0;
    if (t->rule == CL_RULE_DANE_EE) {
        put_by_key(s);
    } else {
        put_leaf(s);
    }
    for (size_t i = 1; i < t->num; i++) {
        put_issuer(s, i);
    }
    if (t->complete && t->rule != CL_RULE_DANE_EE) {
        put_complete(s, t->num, verdict->dane != NULL);
    }
    for (size_t i = 0; i < s->num && !t->accepted; i++) {
        if (s->at[i].check == t->fail_check &&
            (of_path(t->fail_check) || s->at[i].depth == t->fail_depth)) {
            s->at[i].depth = t->fail_depth;
            s->num = i + 1;
            return;
        }
    }
    if (!t->accepted) {
        put(s, t->fail_check, t->fail_depth);
    }
}

size_t cleat_verdict_num_tries(const struct cleat_verdict *verdict)
{
    return verdict->num_tries;
}

bool cleat_verdict_try(const struct cleat_verdict *verdict, size_t i, struct cleat_try *out)
{
    struct steps steps;
    if (i >= verdict->num_tries) {
        return false;
    }
    const struct cl_try *t = &verdict->tries[i];
    order_of(verdict, t, &steps);
    *out = (struct cleat_try){.accepted = t->accepted,
                              .complete = t->complete,
                              .error = &t->error,
                              .num_certs = t->num,
                              .num_checks = steps.num,
                              .ns = t->ns};
    return true;
}

const struct cleat_cert *cleat_verdict_try_cert(const struct cleat_verdict *verdict, size_t i,
                                                size_t depth)
{
    if (i >= verdict->num_tries || depth >= verdict->tries[i].num) {
        return NULL;
    }
    return verdict->tries[i].certs[depth];
}

static const struct {
    const char *name;
    const char *section;
} check_rows[CL_CHECK_COUNT] = {
#define CL_X(id, name, section) [CL_CHECK_##id] = {(name), (section)},
    CL_CHECK_LIST(CL_X)
#undef CL_X
};

/* Somebody said something about its revocation, be it asked for or not. */
static bool was_told(const struct cleat_verdict *verdict, size_t depth)
{
    return verdict->notes[depth].source > CL_NOTE_UNKNOWN;
}

bool cleat_verdict_revocation_known(const struct cleat_verdict *verdict, size_t depth)
{
    return depth + 1 < cleat_verdict_path_num(verdict) && was_told(verdict, depth);
}

static bool is_skipped(const struct cleat_verdict *verdict, const struct cl_try *t, uint8_t check,
                       size_t depth)
{
    const bool by_key = t->rule == CL_RULE_DANE_EE;
    switch (check) {
    case CL_CHECK_HOST:
        return verdict->host == NULL || (by_key && !verdict->dane->check_names);
    case CL_CHECK_VALIDITY:
        return by_key;
    case CL_CHECK_DANE:
        return t->rule == CL_RULE_ORDINARY;
    case CL_CHECK_EMAIL:
        return verdict->email == NULL;
    case CL_CHECK_EKU:
        return verdict->purpose == CLEAT_PURPOSE_ANY;
    case CL_CHECK_POLICIES:
        return t->policies_skipped;
    case CL_CHECK_REVOCATION:
        return by_key || (verdict->revocation == CLEAT_REVOCATION_OFF &&
                          !(t->accepted && was_told(verdict, depth)));
    case CL_CHECK_TRANSPARENCY:
        return verdict->ct == CLEAT_CT_OFF || t->rule == CL_RULE_DANE_TA;
    case CL_CHECK_PROFILE:
        return verdict->policy == CLEAT_POLICY_DEFAULT;
    default:
        return false;
    }
}

static const char *skip_text(const struct cleat_verdict *verdict, const struct cl_try *t,
                             uint8_t check)
{
    if (t->rule == CL_RULE_DANE_EE && !(check == CL_CHECK_HOST && verdict->host == NULL)) {
        return check == CL_CHECK_REVOCATION ? "its TLSA record is taken out of DNS instead"
                                            : "it does not matter with DANE-EE (RFC 7671 5.1)";
    }
    switch (check) {
    case CL_CHECK_DANE:
        return verdict->dane->num == 0 ? "there is none"
                                       : "none is usable, so they mean nothing (RFC 6698 4.1)";
    case CL_CHECK_POLICIES:
        return "no explicit policy is required";
    case CL_CHECK_TRANSPARENCY:
        return verdict->ct == CLEAT_CT_OFF ? "switched off" : "not asked of what DANE-TA names";
    case CL_CHECK_REVOCATION:
        return "switched off";
    case CL_CHECK_PROFILE:
        return "no profile was chosen";
    case CL_CHECK_EKU:
        return "any purpose will do";
    default:
        return "not asked for";
    }
}

struct text {
    char *out;
    size_t cap;
};

static void say_validity(const struct cleat_verdict *verdict, const struct cleat_cert *cert,
                         struct text t)
{
    char from[CL_TIME_TEXT];
    char to[CL_TIME_TEXT];
    char now[CL_TIME_TEXT];
    cl_time_text(cert->not_before, from);
    cl_time_text(cert->not_after, to);
    cl_time_text(verdict->now, now);
    (void)snprintf(t.out, t.cap, "from %s to %s, now %s", from, to, now);
}

static void say_path_len(const struct cleat_cert *cert, struct text t)
{
    if (cert->path_len < 0) {
        (void)snprintf(t.out, t.cap, "no limit");
    } else {
        (void)snprintf(t.out, t.cap, "at most %d intermediates below it", cert->path_len);
    }
}

static void say_usage(const struct cleat_cert *cert, bool extended, struct text t)
{
    size_t len = extended ? cleat_cert_ext_key_usage(cert, t.out, t.cap)
                          : cleat_cert_key_usage(cert, t.out, t.cap);
    if (len == 0) {
        (void)snprintf(t.out, t.cap, "absent: any use is allowed");
    }
}

static void say_key(const struct cleat_cert *cert, struct text t)
{
    char kind[96];
    cleat_cert_key_kind(cert, kind, sizeof(kind));
    (void)snprintf(t.out, t.cap, "%s, %u bits", kind, cleat_cert_key_bits(cert));
}

static void say_next(const struct cl_try *t, size_t depth, const char *what, struct text text)
{
    char label[CL_LABEL_MAX] = "?";
    if (depth + 1 < t->num) {
        cl_cert_label(t->certs[depth + 1], label);
    }
    (void)snprintf(text.out, text.cap, "%s %s", what, label);
}

static void say_transparency(const struct cleat_verdict *verdict, struct text t)
{
    size_t num = 0;
    for (size_t i = 0; i < verdict->num_scts; i++) {
        num += verdict->scts[i].result == CLEAT_SCT_VALID;
    }
    (void)snprintf(t.out, t.cap, "%zu of %zu certificate timestamps are valid", num,
                   verdict->num_scts);
}

static void say_revocation(const struct cl_note *note, struct text t)
{
    static const char *const sources[] = {
        [CL_NOTE_CRL] = "it is not on the CRL",
        [CL_NOTE_OCSP] = "good, says the OCSP response",
        [CL_NOTE_STAPLE] = "good, says the OCSP response that the peer stapled",
    };
    char from[CL_TIME_TEXT];
    char until[CL_TIME_TEXT] = "no nextUpdate";
    if (note->source == CL_NOTE_UNKNOWN) {
        (void)snprintf(t.out, t.cap, "not known, which is accepted: %s%s",
                       note->problem != NULL ? "of what there is: " : "no CRL, no OCSP response",
                       note->problem != NULL ? note->problem : "");
        return;
    }
    if (note->source == CL_NOTE_NONE) {
        (void)snprintf(t.out, t.cap, "nothing to object to");
        return;
    }
    cl_time_text(note->this_update, from);
    if (note->next_update != INT64_MIN) {
        cl_time_text(note->next_update, until);
    }
    (void)snprintf(t.out, t.cap, "%s of %s (next: %s)", sources[note->source], from, until);
}

static void say_passed(const struct cleat_verdict *verdict, const struct cl_try *t, uint8_t check,
                       size_t depth, struct text text)
{
    const struct cleat_cert *cert = t->certs[depth];
    char label[CL_LABEL_MAX];
    switch (check) {
    case CL_CHECK_VALIDITY:
        say_validity(verdict, cert, text);
        break;
    case CL_CHECK_KEY:
        say_key(cert, text);
        break;
    case CL_CHECK_ALGORITHM:
        cleat_cert_signature_kind(cert, text.out, text.cap);
        break;
    case CL_CHECK_KEY_USAGE:
    case CL_CHECK_EKU:
        say_usage(cert, check == CL_CHECK_EKU, text);
        break;
    case CL_CHECK_PATH_LEN:
        say_path_len(cert, text);
        break;
    case CL_CHECK_ISSUER:
        say_next(t, depth, "found", text);
        break;
    case CL_CHECK_SIGNATURE:
        say_next(t, depth, "made with the key of", text);
        break;
    case CL_CHECK_ANCHOR:
        if (t->rule == CL_RULE_DANE_TA) {
            cl_dane_say_anchor(verdict, cert, text.out, text.cap);
            break;
        }
        cl_cert_label(cert, label);
        (void)snprintf(text.out, text.cap, "%s is in the trust store", label);
        break;
    case CL_CHECK_DANE:
        cl_dane_say(verdict, text.out, text.cap);
        break;
    case CL_CHECK_HOST:
        (void)snprintf(text.out, text.cap, "it is for %s", verdict->host);
        break;
    case CL_CHECK_EMAIL:
        (void)snprintf(text.out, text.cap, "it is for %s", verdict->email);
        break;
    case CL_CHECK_BASIC:
        (void)snprintf(text.out, text.cap, cert->is_ca ? "it is a CA" : "an anchor of version %d",
                       cert->version);
        break;
    case CL_CHECK_TRANSPARENCY:
        say_transparency(verdict, text);
        break;
    case CL_CHECK_REVOCATION:
        say_revocation(t->accepted ? &verdict->notes[depth] : &(struct cl_note){0}, text);
        break;
    default:
        (void)snprintf(text.out, text.cap, "nothing to object to");
        break;
    }
}

bool cleat_verdict_check(const struct cleat_verdict *verdict, size_t try_index, size_t i,
                         struct cleat_check *out)
{
    struct steps steps;
    if (try_index >= verdict->num_tries) {
        return false;
    }
    const struct cl_try *t = &verdict->tries[try_index];
    order_of(verdict, t, &steps);
    if (i >= steps.num) {
        return false;
    }
    struct step step = steps.at[i];
    bool failed = !t->accepted && i + 1 == steps.num;
    out->depth = step.depth;
    out->ns = step.check == CL_CHECK_SIGNATURE ? t->signature_ns[step.depth] : 0;
    out->name = check_rows[step.check].name;
    out->section =
        failed && t->error.section[0] != '\0' ? t->error.section : check_rows[step.check].section;
    if (failed) {
        out->result = CLEAT_CHECK_FAILED;
        (void)snprintf(out->text, sizeof(out->text), "%.255s", t->error.text);
    } else if (is_skipped(verdict, t, step.check, step.depth)) {
        out->result = CLEAT_CHECK_SKIPPED;
        (void)snprintf(out->text, sizeof(out->text), "%s", skip_text(verdict, t, step.check));
    } else {
        out->result = CLEAT_CHECK_PASSED;
        say_passed(verdict, t, step.check, step.depth, (struct text){out->text, sizeof(out->text)});
    }
    return true;
}
