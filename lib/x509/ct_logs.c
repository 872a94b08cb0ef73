/* x509/ct_logs.c - the set of known logs (cleat/ct.h). */
#include <stdio.h>

#include "base/mem.h"
#include "crypto/hash.h"
#include "x509/ct.h"
#include "x509/verify_cache.h"

int cleat_ct_logs_new(struct cleat_ct_logs **out)
{
    *out = cl_calloc(1, sizeof(**out));
    if (*out == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    (*out)->num_refs = 1;
    (*out)->number = cl_verify_number();
    return CLEAT_OK;
}

const struct cl_ct_log *cl_ct_find(const struct cleat_ct_logs *logs, struct cl_rd id)
{
    for (size_t i = 0; logs != NULL && i < logs->num; i++) {
        if (cl_rd_equal(id, cl_rd_of(logs->logs[i]->id, CL_CT_ID_LEN))) {
            return logs->logs[i];
        }
    }
    return NULL;
}

/* RFC 6962 2.1.4: "either elliptic curve cryptography (P-256 with SHA-256) or RSA with a key of at
 * least 2,048 bits" */
static const struct cl_sig_alg *alg_of(const struct cl_pubkey *key)
{
    switch (cl_pubkey_type(key)) {
    case CL_KEY_EC_P256:
        return cl_sig_scheme(0x0403);
    case CL_KEY_RSA:
        return cl_pubkey_bits(key) >= 2048 ? cl_sig_scheme(0x0401) : NULL;
    default:
        return NULL;
    }
}

static void free_log(struct cl_ct_log *log)
{
    if (log != NULL) {
        cl_pubkey_free(log->key);
        cl_free(log);
    }
}

static cl_result bad_log(struct cleat_error *err, cl_result code, const char *why)
{
    return cl_error_set(err, (struct cl_why){.code = code, .section = "RFC 6962 2.1.4"},
                        "not a log of certificates: %s", why);
}

static cl_result make_log(struct cl_ct_log **out, const struct cleat_ct_log *from,
                          struct cleat_error *err)
{
    *out = cl_calloc(1, sizeof(**out));
    if (*out == NULL) {
        return bad_log(err, CLEAT_ERR_NOMEM, "out of memory");
    }
    struct cl_ct_log *log = *out;
    cl_hash_once(CL_HASH_SHA256, from->key, from->key_len, log->id);
    (void)snprintf(log->description, sizeof(log->description), "%s",
                   from->description != NULL ? from->description : "");
    (void)snprintf(log->operated_by, sizeof(log->operated_by), "%s", from->operated_by);
    log->state = from->state;
    log->state_since = from->state_since;
    log->not_after_from = from->not_after_from;
    log->not_after_until = from->not_after_until;
    const cl_result r = cl_pubkey_parse(&log->key, cl_rd_of(from->key, from->key_len));
    if (r != CL_OK) {
        return r == CLEAT_ERR_NOMEM ? bad_log(err, r, "out of memory")
                                    : bad_log(err, CLEAT_ERR_BAD_KEY, "its key cannot be read");
    }
    log->alg = alg_of(log->key);
    return log->alg != NULL ? CL_OK
                            : bad_log(err, CLEAT_ERR_BAD_KEY,
                                      "its key is neither P-256 nor RSA of 2,048 bits or more");
}

int cleat_ct_logs_add(struct cleat_ct_logs *logs, const struct cleat_ct_log *log,
                      struct cleat_error *err)
{
    struct cl_ct_log *own = NULL;
    if (logs->num == CL_CT_MAX_LOGS) {
        return (int)bad_log(err, CLEAT_ERR_LIMIT, "there are too many");
    }
    if (log->operated_by == NULL || log->operated_by[0] == '\0' ||
        (unsigned)log->state > CLEAT_CT_REJECTED) {
        return (int)bad_log(err, CLEAT_ERR_USAGE, "it has no operator, or a state not defined");
    }
    cl_result r = make_log(&own, log, err);
    if (r == CL_OK && cl_ct_find(logs, cl_rd_of(own->id, CL_CT_ID_LEN)) != NULL) {
        r = bad_log(err, CLEAT_ERR_USAGE, "it is there already");
    }
    if (r != CL_OK) {
        free_log(own);
        return (int)r;
    }
    logs->logs[logs->num++] = own;
    return CLEAT_OK;
}

struct cleat_ct_logs *cleat_ct_logs_ref(const struct cleat_ct_logs *logs)
{
    /* The count is not part of what is immutable. */
    struct cleat_ct_logs *own = (struct cleat_ct_logs *)(uintptr_t)logs;
    atomic_fetch_add_explicit(&own->num_refs, 1, memory_order_relaxed);
    return own;
}

void cleat_ct_logs_free(struct cleat_ct_logs *logs)
{
    if (logs != NULL && atomic_fetch_sub_explicit(&logs->num_refs, 1, memory_order_acq_rel) == 1) {
        for (size_t i = 0; i < logs->num; i++) {
            free_log(logs->logs[i]);
        }
        cl_free(logs);
    }
}

size_t cleat_ct_logs_num(const struct cleat_ct_logs *logs)
{
    return logs->num;
}
