#include "support_x509.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUM_KEYS 12

static struct cleat_key *keys[NUM_KEYS];
static uint8_t next_serial[16] = {0x41};

static void free_keys(void)
{
    for (size_t i = 0; i < NUM_KEYS; i++) {
        cleat_key_free(keys[i]);
    }
}

const struct cleat_key *t_key(size_t i)
{
    assert_true(i < NUM_KEYS);
    if (keys[i] == NULL) {
        static bool registered;
        if (!registered) {
            registered = true;
            (void)atexit(free_keys);
        }
        assert_int_equal(cl_key_generate(&keys[i], CL_KEY_EC_P256, 0), CL_OK);
    }
    return keys[i];
}

struct cl_cert_template t_template(const char *cn, const struct entity *issuer,
                                   const struct cleat_key *key, bool is_ca)
{
    static const char *const names[] = {"leaf.example.com"};
    next_serial[15]++;
    next_serial[14] = (uint8_t)(next_serial[14] + (next_serial[15] == 0));
    struct cl_cert_template tpl = {
        .common_name = cn,
        .issuer = issuer != NULL ? issuer->cert : NULL,
        .spki = cl_key_spki(key),
        .serial = next_serial,
        .serial_len = sizeof(next_serial),
        .not_before = T_NOW - T_YEAR / 2,
        .not_after = T_NOW + T_YEAR / 2,
        .is_ca = is_ca,
        .path_len = -1,
        .key_usage = is_ca ? CL_KU_KEY_CERT_SIGN | CL_KU_CRL_SIGN : CL_KU_DIGITAL_SIGNATURE,
        .ext_key_usage = is_ca ? 0 : CL_EKU_SERVER_AUTH,
    };
    if (!is_ca) {
        tpl.dns_names = names;
        tpl.num_dns_names = 1;
    }
    return tpl;
}

struct entity t_make(const struct cl_cert_template *tpl, const struct entity *issuer,
                     const struct cleat_key *key)
{
    struct cl_buf der = {0};
    struct cleat_error err = {0};
    struct entity e = {.key = key};
    cl_result r = cl_cert_build(&der, tpl, issuer != NULL ? issuer->key : key, &err);
    if (r == CL_OK) {
        r = cl_cert_parse(&e.cert, cl_buf_view(&der), &err);
    }
    if (r != CL_OK) {
        fail_msg("cannot make %s: %s", tpl->common_name, err.text);
    }
    cl_buf_deinit(&der);
    return e;
}

struct entity t_ca(const char *cn, const struct entity *issuer, size_t key)
{
    struct cl_cert_template tpl = t_template(cn, issuer, t_key(key), true);
    return t_make(&tpl, issuer, t_key(key));
}

struct entity t_leaf(const char *host, const struct entity *issuer, size_t key)
{
    struct cl_cert_template tpl = t_template(host, issuer, t_key(key), false);
    tpl.dns_names = &host;
    return t_make(&tpl, issuer, t_key(key));
}

void t_free(struct entity *e)
{
    cleat_cert_free(e->cert);
    e->cert = NULL;
}

size_t t_sign(struct cl_rd tbs, struct cl_rd algorithm, const struct cleat_key *key, uint8_t *out)
{
    uint8_t signature[160];
    const struct cl_sig_alg *alg = cl_sig_scheme(0x0403);
    struct cl_job job = {.kind = CL_JOB_SIGN, .status = CL_JOB_PENDING};
    job.sign = (struct cl_job_sign){.key = key,
                                    .alg = alg,
                                    .message = tbs,
                                    .signature = signature,
                                    .signature_cap = sizeof(signature)};
    cl_job_run(&job);
    assert_int_equal(job.result, CL_OK);
    struct cl_wr w = cl_wr_of(out, T_MAX_DER);
    struct cl_der_mark cert = cl_der_open(&w, CL_DER_SEQUENCE);
    cl_wr_view(&w, tbs);
    if (algorithm.len != 0) {
        cl_wr_view(&w, algorithm);
    } else {
        assert_true(cl_alg_put(&w, alg));
    }
    cl_der_put_bits(&w, cl_rd_of(signature, job.sign.signature_len), 0);
    cl_der_close(&w, cert);
    assert_true(cl_wr_ok(&w));
    return w.len;
}

struct cleat_trust_store *t_trust(const struct entity *const *anchors, size_t num)
{
    struct cleat_trust_builder *builder;
    struct cleat_trust_store *store;
    assert_int_equal(cleat_trust_builder_new(&builder), CLEAT_OK);
    for (size_t i = 0; i < num; i++) {
        assert_int_equal(cleat_trust_builder_add_cert(builder, anchors[i]->cert), CLEAT_OK);
    }
    assert_int_equal(cleat_trust_builder_finish(builder, &store, NULL), CLEAT_OK);
    cleat_trust_builder_free(builder);
    return store;
}

struct cl_verify_params t_params(const struct cleat_trust_store *trust)
{
    return (struct cl_verify_params){
        .trust = trust, .host = "leaf.example.com", .now = T_NOW, .purpose = CLEAT_PURPOSE_SERVER};
}

struct cleat_verdict *t_verify(const struct cl_verify_params *params,
                               const struct cleat_cert *const *chain, size_t num)
{
    struct cl_verify *v;
    assert_int_equal(cl_verify_new_certs(&v, params, chain, num), CL_OK);
    while (cl_verify_step(v) == CL_VERIFY_NEEDS_JOB) {
        assert_non_null(cl_verify_job(v));
        cl_job_run(cl_verify_job(v));
    }
    struct cleat_verdict *verdict = cl_verify_take_verdict(v);
    assert_non_null(verdict);
    cl_verify_free(v);
    return verdict;
}

int t_code(const struct cl_verify_params *params, const struct cleat_cert *const *chain, size_t num)
{
    struct cleat_verdict *verdict = t_verify(params, chain, num);
    int code = cleat_verdict_code(verdict);
    cleat_verdict_free(verdict);
    return code;
}

static void tell_revocation(const struct cleat_verdict *verdict, char text[T_TEXT])
{
    struct cleat_try try;
    struct cleat_check check;
    for (size_t i = 0; cleat_verdict_try(verdict, i, &try); i++) {
        for (size_t n = 0; cleat_verdict_check(verdict, i, n, &check); n++) {
            if (try.accepted && check.depth == 0 && strcmp(check.name, "revocation") == 0) {
                (void)snprintf(text, T_TEXT, "%s", check.text);
            }
        }
    }
}

int t_told(const struct entity *anchor, const struct cleat_cert *const *chain, size_t num,
           struct cl_verify_params params, char text[T_TEXT])
{
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    const struct cl_verify_params whole = t_params(trust);
    params.trust = trust;
    params.host = whole.host;
    params.now = whole.now;
    params.purpose = whole.purpose;
    struct cleat_verdict *verdict = t_verify(&params, chain, num);
    const int code = cleat_verdict_code(verdict);
    (void)snprintf(text, T_TEXT, "%s", cleat_verdict_error(verdict)->text);
    if (code == CLEAT_OK) {
        tell_revocation(verdict, text);
    }
    cleat_verdict_free(verdict);
    cleat_trust_store_free(trust);
    return code;
}

char *t_read_file(const char *name, size_t *len)
{
    FILE *f = fopen(name, "rb");
    char *text = NULL;
    if (f == NULL) {
        return NULL;
    }
    if (fseek(f, 0, SEEK_END) == 0 && ftell(f) > 0) {
        *len = (size_t)ftell(f);
        rewind(f);
        text = malloc(*len + 1);
        if (text != NULL && fread(text, 1, *len, f) != *len) {
            free(text);
            text = NULL;
        }
    }
    (void)fclose(f);
    if (text != NULL) {
        text[*len] = '\0';
    }
    return text;
}

void t_put_ext(struct cl_wr *w, const char *oid, bool critical, struct cl_rd value)
{
    struct cl_der_mark ext = cl_der_open(w, CL_DER_SEQUENCE);
    cl_der_put_oid_text(w, oid);
    if (critical) {
        cl_der_put_bool(w, true);
    }
    cl_der_put(w, CL_DER_OCTET_STRING, value);
    cl_der_close(w, ext);
}

struct entity t_leaf_with(const char *cn, const struct entity *issuer, size_t key,
                          struct cl_cert_raw_ext ext)
{
    struct cl_cert_template tpl = t_template(cn, issuer, t_key(key), false);
    tpl.raw_exts = &ext;
    tpl.num_raw_exts = 1;
    return t_make(&tpl, issuer, t_key(key));
}

struct cl_rd t_weak_key(void)
{
    static uint8_t spki[162] = {0x30, 0x81, 0x9f, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48,
                                0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x81,
                                0x8d, 0x00, 0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00};
    memset(spki + 29, 0xff, 128);
    memcpy(spki + 157, "\x02\x03\x01\x00\x01", 5);
    return cl_rd_of(spki, sizeof(spki));
}
