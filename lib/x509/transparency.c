/* x509/transparency.c - are there enough timestamps of the leaf, from enough operators? (RFC 6962
 * 3.3; the numbers are those of browsers.)
 *
 * All are collected first, then checked one job at a time; a path of another issuer begins anew,
 * for precertificates name the issuer's key.
 */
#include <stdio.h>

#include "x509/verify_impl.h"

/* As Chrome has it: a log that has retired since counts for what is in a certificate, which cannot
 * be changed, not for what a server can replace; and one at least must be from a log at work.
 *
 * Two timestamps for a certificate of at most 180 days, three for a longer one; from two operators:
 * what Chrome and Apple ask. */
#define SHORT_LIFE    (180 * 86400)
#define NUM_FOR_SHORT 2
#define NUM_FOR_LONG  3
#define NUM_OPERATORS 2

static enum cleat_sct_result judge_log(const struct cl_verify *v, const struct cl_ct_log *log,
                                       const struct cl_sct *sct, enum cleat_sct_source source)
{
    const struct cleat_cert *leaf = v->path.certs[0];
    const bool sharded = log->not_after_until != 0;
    const int64_t seconds = (int64_t)(sct->timestamp / 1000);
    if (sct->timestamp > INT64_MAX || seconds > v->verdict->now) {
        return CLEAT_SCT_FUTURE;
    }
    if (log->state == CLEAT_CT_PENDING || log->state == CLEAT_CT_REJECTED ||
        (log->state == CLEAT_CT_RETIRED &&
         (seconds >= log->state_since || source != CLEAT_SCT_EMBEDDED))) {
        return CLEAT_SCT_LOG_STATE;
    }
    return sharded && (leaf->not_after < log->not_after_from ||
                       leaf->not_after >= log->not_after_until)
               ? CLEAT_SCT_LOG_INTERVAL
               : CLEAT_SCT_VALID;
}

static void add_sct(struct cl_verify *v, const struct cl_sct *sct, bool ok,
                    enum cleat_sct_source source)
{
    struct cleat_verdict *verdict = v->verdict;
    if (verdict->num_scts == CL_SCT_MAX) {
        return;
    }
    struct cleat_sct *told = &verdict->scts[verdict->num_scts];
    struct cl_sct_work *work = &v->sct_work[verdict->num_scts++];
    *told = (struct cleat_sct){.result = CLEAT_SCT_MALFORMED, .source = source};
    *work = (struct cl_sct_work){.sct = *sct};
    if (!ok) {
        return;
    }
    memcpy(told->log_id, sct->log_id.p, CL_CT_ID_LEN);
    told->timestamp = sct->timestamp <= INT64_MAX ? (int64_t)sct->timestamp : INT64_MAX;
    told->result = CLEAT_SCT_UNKNOWN_LOG;
    work->log = cl_ct_find(v->ct_logs, sct->log_id);
    if (work->log == NULL) {
        return;
    }
    (void)snprintf(told->description, sizeof(told->description), "%s", work->log->description);
    (void)snprintf(told->operated_by, sizeof(told->operated_by), "%s", work->log->operated_by);
    told->state = work->log->state;
    told->state_since = work->log->state_since;
    told->result = judge_log(v, work->log, sct, source);
    if (told->result == CLEAT_SCT_VALID && sct->algorithm != work->log->alg->scheme) {
        told->result = CLEAT_SCT_BAD_SIGNATURE;
    }
    work->to_check = told->result == CLEAT_SCT_VALID;
}

static void add_list(struct cl_verify *v, struct cl_rd list, enum cleat_sct_source source)
{
    struct cl_sct sct;
    bool ok;
    while (cl_sct_next(&list, &sct, &ok)) {
        add_sct(v, &sct, ok, source);
    }
}

/* A list with its outer length, as extensions carry it. */
static void add_whole(struct cl_verify *v, struct cl_rd whole, enum cleat_sct_source source)
{
    struct cl_rd list;
    if (cl_rd_vec16(&whole, &list) && cl_rd_done(&whole)) {
        add_list(v, list, source);
    }
}

/* Only answers about the leaf; a timestamp proves itself, whoever hands it over. */
static void add_ocsp(struct cl_verify *v, const struct cl_ocsp *response)
{
    struct cl_rd rest = response->answers;
    struct cl_ocsp_answer answer;
    while (v->path.num > 1 && cl_ocsp_next(&rest, &answer)) {
        if (answer.scts.len != 0 && cl_ocsp_is_about(&answer, v->path.certs[0], v->path.certs[1])) {
            add_whole(v, answer.scts, CLEAT_SCT_OCSP);
        }
    }
}

static void collect(struct cl_verify *v)
{
    struct cl_rd list;
    v->verdict->num_scts = 0;
    v->sct_at = 0;
    if (cl_sct_embedded(v->path.certs[0], &list)) {
        add_list(v, list, CLEAT_SCT_EMBEDDED);
    }
    add_whole(v, v->scts, CLEAT_SCT_TLS);
    if (v->staple != NULL) {
        add_ocsp(v, v->staple);
    }
    for (size_t i = 0; v->ocsp != NULL && i < v->ocsp->num; i++) {
        add_ocsp(v, v->ocsp->responses[i]);
    }
    v->scts_collected = true;
}

/* ---- counting ---- */

static bool same_operator_before(const struct cleat_verdict *verdict, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (verdict->scts[k].result == CLEAT_SCT_VALID &&
            strcmp(verdict->scts[k].operated_by, verdict->scts[i].operated_by) == 0) {
            return true;
        }
    }
    return false;
}

static bool same_log_before(const struct cleat_verdict *verdict, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (verdict->scts[k].result == CLEAT_SCT_VALID &&
            memcmp(verdict->scts[k].log_id, verdict->scts[i].log_id, CL_CT_ID_LEN) == 0) {
            return true;
        }
    }
    return false;
}

static bool enough(const struct cl_verify *v, struct cl_fail *fail)
{
    const struct cleat_verdict *verdict = v->verdict;
    const struct cleat_cert *leaf = v->path.certs[0];
    const unsigned wanted =
        leaf->not_after - leaf->not_before > SHORT_LIFE ? NUM_FOR_LONG : NUM_FOR_SHORT;
    unsigned num = 0;
    unsigned num_operators = 0;
    bool at_work = false;
    for (size_t i = 0; i < verdict->num_scts; i++) {
        if (verdict->scts[i].result == CLEAT_SCT_VALID) {
            num += !same_log_before(verdict, i);
            num_operators += !same_operator_before(verdict, i);
            at_work = at_work || verdict->scts[i].state != CLEAT_CT_RETIRED;
        }
    }
    if (num >= wanted && num_operators >= NUM_OPERATORS && at_work) {
        return true;
    }
    if (num >= wanted && num_operators >= NUM_OPERATORS) {
        return cl_fail_set(fail, CLEAT_ERR_NOT_TRANSPARENT, CL_CHECK_TRANSPARENCY, 0, NULL,
                           "the certificate must be issued anew",
                           "its %u certificate timestamps that count are all from logs that have "
                           "retired; one of a log at work is needed",
                           num);
    }
    return cl_fail_set(
        fail, CLEAT_ERR_NOT_TRANSPARENT, CL_CHECK_TRANSPARENCY, 0, NULL,
        v->verdict->num_scts == 0
            ? "its CA must have it logged, or Certificate Transparency must not be required"
            : "the list of logs may be too old, or the certificate must be issued anew",
        "%u of its %zu certificate timestamps count, from %u operator%s; %u from %u are needed",
        num, verdict->num_scts, num_operators, num_operators == 1 ? "" : "s", wanted,
        NUM_OPERATORS);
}

/* ---- step by step ---- */

static enum cl_ct_step start_job(struct cl_verify *v, size_t i)
{
    const struct cl_sct_work *work = &v->sct_work[i];
    const bool embedded = v->verdict->scts[i].source == CLEAT_SCT_EMBEDDED;
    v->sct_message.len = 0;
    cl_result r = embedded && v->path.num < 2
                      ? CLEAT_ERR_BAD_CERTIFICATE
                      : cl_sct_message(&v->sct_message, &work->sct, v->path.certs[0],
                                       embedded ? v->path.certs[1] : NULL);
    if (r == CLEAT_ERR_NOMEM) {
        return CL_CT_NOMEM;
    }
    if (r != CL_OK) {
        cl_ct_take(v, false);
        return CL_CT_AGAIN;
    }
    v->job = (struct cl_job){.kind = CL_JOB_VERIFY,
                             .status = CL_JOB_PENDING,
                             .verify = {.key = work->log->key,
                                        .alg = work->log->alg,
                                        .message = cl_buf_view(&v->sct_message),
                                        .signature = work->sct.signature}};
    return CL_CT_NEEDS_JOB;
}

void cl_ct_take(struct cl_verify *v, bool good)
{
    v->verdict->scts[v->sct_at].result = good ? CLEAT_SCT_VALID : CLEAT_SCT_BAD_SIGNATURE;
    v->sct_work[v->sct_at].to_check = false;
    v->sct_at++;
}

enum cl_ct_step cl_ct_check(struct cl_verify *v, struct cl_fail *fail)
{
    if (!v->scts_collected) {
        collect(v);
    }
    while (v->sct_at < v->verdict->num_scts) {
        if (!v->sct_work[v->sct_at].to_check) {
            v->sct_at++;
            continue;
        }
        enum cl_ct_step s = start_job(v, v->sct_at);
        if (s != CL_CT_AGAIN) {
            return s;
        }
    }
    v->scts_collected = false; /* another path begins anew */
    if (v->ct == CLEAT_CT_REQUIRED && !enough(v, fail)) {
        return CL_CT_FAILED;
    }
    return CL_CT_PASSED;
}

/* ---- being told ---- */

size_t cleat_verdict_num_scts(const struct cleat_verdict *verdict)
{
    return verdict->path.num != 0 || cleat_verdict_code(verdict) == CLEAT_ERR_NOT_TRANSPARENT
               ? verdict->num_scts
               : 0;
}

bool cleat_verdict_sct(const struct cleat_verdict *verdict, size_t i, struct cleat_sct *out)
{
    if (i >= cleat_verdict_num_scts(verdict)) {
        return false;
    }
    *out = verdict->scts[i];
    return true;
}

static const char *name_of(const char *const *names, size_t num, unsigned i)
{
    return i < num ? names[i] : "unknown";
}

const char *cleat_sct_result_name(enum cleat_sct_result result)
{
    static const char *const names[] = {
        "valid",           "unknown log",      "bad signature",
        "from the future", "log not accepted", "another interval of the log",
        "malformed",
    };
    return name_of(names, sizeof(names) / sizeof(names[0]), (unsigned)result);
}

const char *cleat_sct_source_name(enum cleat_sct_source source)
{
    static const char *const names[] = {"embedded", "TLS", "OCSP"};
    return name_of(names, sizeof(names) / sizeof(names[0]), (unsigned)source);
}

const char *cleat_ct_state_name(enum cleat_ct_state state)
{
    static const char *const names[] = {"usable", "read-only", "retired", "pending", "rejected"};
    return name_of(names, sizeof(names) / sizeof(names[0]), (unsigned)state);
}
