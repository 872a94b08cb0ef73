/* measure/primitives_sign.c - signatures, made and checked. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "measure/primitives_jobs.h"

/* 146 bytes: 64 spaces, context, separator and a SHA-384 digest are what CertificateVerify signs
 * (RFC 9846 4.5.2) */
#define MESSAGE_LEN 146

static const struct sign_row {
    const char *id;
    const char *name;
    enum cl_key_type type;
    unsigned bits;
    const char *scheme;
} sign_rows[] = {
    {"ecdsa-p256", "ECDSA P-256", CL_KEY_EC_P256, 0, "ecdsa_secp256r1_sha256"},
    {"ecdsa-p384", "ECDSA P-384", CL_KEY_EC_P384, 0, "ecdsa_secp384r1_sha384"},
    {"rsa-2048", "RSA-2048", CL_KEY_RSA, 2048, "rsa_pss_rsae_sha256"},
    {"rsa-3072", "RSA-3072", CL_KEY_RSA, 3072, "rsa_pss_rsae_sha256"},
    {"rsa-4096", "RSA-4096", CL_KEY_RSA, 4096, "rsa_pss_rsae_sha256"},
    {"ed25519", "Ed25519", CL_KEY_ED25519, 0, "ed25519"},
    {"ml-dsa-44", "ML-DSA-44", CL_KEY_ML_DSA_44, 0, "mldsa44"},
    {"ml-dsa-65", "ML-DSA-65", CL_KEY_ML_DSA_65, 0, "mldsa65"},
};

struct sign_state {
    const struct cl_sig_alg *alg;
    struct cleat_key *key; /* the kit's */
    struct cl_pubkey *pub;
    struct cl_job jobs[CL_PRIMITIVE_TURN];
    uint8_t *signatures; /* CL_PRIMITIVE_TURN, cap bytes each */
    size_t cap;
    size_t len; /* of the first, which is what is verified */
    uint8_t message[MESSAGE_LEN];
};

static struct cl_job sign_job(struct sign_state *s, size_t i)
{
    return (struct cl_job){
        .kind = CL_JOB_SIGN,
        .status = CL_JOB_PENDING,
        .sign = {.key = s->key,
                 .alg = s->alg,
                 .message = cl_rd_of(s->message, sizeof(s->message)),
                 .signature = s->signatures + i * s->cap,
                 .signature_cap = s->cap},
    };
}

static struct cl_job verify_job(struct sign_state *s)
{
    return (struct cl_job){
        .kind = CL_JOB_VERIFY,
        .status = CL_JOB_PENDING,
        .verify = {.key = s->pub,
                   .alg = s->alg,
                   .message = cl_rd_of(s->message, sizeof(s->message)),
                   .signature = cl_rd_of(s->signatures, s->len)},
    };
}

static cl_result sign_open(struct cl_primitive_run *r)
{
    const struct sign_row *row = r->p->what;
    struct sign_state *s = cl_calloc(1, sizeof(*s));
    r->state = s;
    if (s == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    s->alg = cl_sig_scheme_by_name(row->scheme, strlen(row->scheme));
    memset(s->message, 0x20, sizeof(s->message));
    CL_TRY(cl_kit_key(r->kit, row->type, row->bits, &s->key));
    CL_TRY(cl_pubkey_parse(&s->pub, cl_key_spki(s->key)));
    s->cap = cl_key_max_signature(s->key);
    s->signatures = cl_calloc(CL_PRIMITIVE_TURN, s->cap);
    if (s->signatures == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    struct cl_job job = sign_job(s, 0);
    cl_job_run(&job);
    s->len = job.sign.signature_len;
    return job.result;
}

static cl_result sign_ready(struct cl_primitive_run *r, size_t num)
{
    struct sign_state *s = r->state;
    for (size_t i = 0; i < num; i++) {
        s->jobs[i] = r->p->kind == CL_JOB_SIGN ? sign_job(s, i) : verify_job(s);
    }
    return CL_OK;
}

static cl_result sign_run(struct cl_primitive_run *r, size_t num, size_t batch)
{
    return cl_jobs_run(r->kit, ((struct sign_state *)r->state)->jobs, num, batch);
}

static void sign_close(struct cl_primitive_run *r)
{
    struct sign_state *s = r->state;
    if (s != NULL) {
        cl_pubkey_free(s->pub);
        cl_free(s->signatures);
        cl_free(s);
    }
}

static const struct cl_primitive_ops sign_ops = {sign_open, sign_ready, sign_run, sign_close};

static void add(struct cl_primitive_list *list, const struct sign_row *from, enum cl_job_kind kind)
{
    const char *what = kind == CL_JOB_SIGN ? "sign" : "verify";
    struct cl_primitive *row = cl_primitive_add(list, CL_FAMILY_SIGNATURE, &sign_ops);
    if (row != NULL) {
        row->jobs = true;
        row->kind = (int)kind;
        row->what = from;
        (void)snprintf(row->id, sizeof(row->id), "%s-%s", from->id, what);
        (void)snprintf(row->name, sizeof(row->name), "%s %s", from->name, what);
    }
}

void cl_primitives_add_signatures(struct cl_primitive_list *list)
{
    for (size_t i = 0; i < sizeof(sign_rows) / sizeof(sign_rows[0]); i++) {
        const struct sign_row *row = &sign_rows[i];
        if (cl_sig_scheme_by_name(row->scheme, strlen(row->scheme)) != NULL) {
            add(list, row, CL_JOB_SIGN);
            add(list, row, CL_JOB_VERIFY);
        }
    }
}
