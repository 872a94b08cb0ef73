#include "support_ocsp.h"

#include "crypto/hash.h"

struct entity t_responder(const char *cn, const struct entity *issuer, size_t key, bool appointed,
                          bool nocheck, int64_t not_after)
{
    static const uint8_t eku_ocsp[] = {0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 9};
    static const uint8_t null[] = {5, 0};
    const struct cl_cert_raw_ext exts[] = {
        {"2.5.29.37", false, cl_rd_of(eku_ocsp, sizeof(eku_ocsp))},
        {"1.3.6.1.5.5.7.48.1.5", false, cl_rd_of(null, sizeof(null))},
    };
    struct cl_cert_template tpl = t_template(cn, issuer, t_key(key), false);
    if (appointed) {
        tpl.ext_key_usage = 0;
        tpl.raw_exts = exts;
        tpl.num_raw_exts = nocheck ? 2 : 1;
    }
    tpl.not_after = not_after != 0 ? not_after : tpl.not_after;
    return t_make(&tpl, issuer, t_key(key));
}

static const char unknown_oid[] = "1.3.6.1.4.1.99999.1";

static void put_exts(struct cl_wr *w, bool unknown_critical, struct cl_rd nonce)
{
    static const uint8_t null[] = {0x05, 0x00};
    uint8_t room[200];
    struct cl_wr inner = cl_wr_of(room, sizeof(room));
    if (!unknown_critical && nonce.len == 0) {
        return;
    }
    struct cl_der_mark field = cl_der_open(w, CL_DER_CTXC(1));
    struct cl_der_mark list = cl_der_open(w, CL_DER_SEQUENCE);
    if (unknown_critical) {
        t_put_ext(w, unknown_oid, true, cl_rd_of(null, sizeof(null)));
    }
    if (nonce.len != 0) {
        cl_der_put(&inner, CL_DER_OCTET_STRING, nonce);
        t_put_ext(w, "1.3.6.1.5.5.7.48.1.2", false, cl_rd_of(room, inner.len));
    }
    cl_der_close(w, list);
    cl_der_close(w, field);
}

static struct cl_rd key_of(const struct cleat_cert *cert)
{
    struct cl_rd key;
    assert_true(cl_alg_key_bytes(cert->spki, &key));
    return key;
}

static void put_digest(struct cl_wr *w, enum cl_hash_id id, struct cl_rd what)
{
    uint8_t digest[CL_HASH_MAX_LEN];
    cl_hash_once(id, what.p, what.len, digest);
    cl_der_put(w, CL_DER_OCTET_STRING, cl_rd_of(digest, cl_hash_len(id)));
}

static void put_cert_id(struct cl_wr *w, const struct t_answer *a)
{
    enum cl_hash_id hash = a->sha256 ? CL_HASH_SHA256 : CL_HASH_SHA1;
    struct cl_der_mark id = cl_der_open(w, CL_DER_SEQUENCE);
    struct cl_der_mark algorithm = cl_der_open(w, CL_DER_SEQUENCE);
    cl_der_put_oid_text(w, a->hash_oid != NULL ? a->hash_oid
                           : a->sha256         ? "2.16.840.1.101.3.4.2.1"
                                               : "1.3.14.3.2.26");
    cl_der_close(w, algorithm);
    put_digest(w, hash, a->cert->issuer.der);
    put_digest(w, hash, key_of(a->issuer));
    cl_der_put(w, CL_DER_INTEGER, a->cert->serial);
    cl_der_close(w, id);
}

static void put_generalized(struct cl_wr *w, int64_t t)
{
    char text[CL_TIME_TEXT];
    char digits[16];
    size_t n = 0;
    cl_time_text(t, text);
    for (const char *p = text; *p != '\0' && n < 15; p++) {
        if ((*p >= '0' && *p <= '9') || *p == 'Z') {
            digits[n++] = *p;
        }
    }
    cl_der_put(w, CL_DER_GENERALIZED_TIME, cl_rd_of(digits, n));
}

static void put_answer(struct cl_wr *w, const struct t_answer *a)
{
    struct cl_der_mark answer = cl_der_open(w, CL_DER_SEQUENCE);
    put_cert_id(w, a);
    if (a->status == CL_OCSP_REVOKED) {
        struct cl_der_mark revoked = cl_der_open(w, CL_DER_CTXC(1));
        put_generalized(w, T_NOW - 86400);
        struct cl_der_mark reason = cl_der_open(w, CL_DER_CTXC(0));
        cl_der_put(w, CL_DER_ENUMERATED, cl_rd_of("\x01", 1));
        cl_der_close(w, reason);
        cl_der_close(w, revoked);
    } else {
        cl_der_put(w, CL_DER_CTX(a->status == CL_OCSP_GOOD ? 0 : 2), (struct cl_rd){0});
    }
    put_generalized(w, a->this_update != 0 ? a->this_update : T_NOW - 3600);
    if (a->next_update >= 0) {
        struct cl_der_mark next = cl_der_open(w, CL_DER_CTXC(0));
        put_generalized(w, a->next_update != 0 ? a->next_update : T_NOW + 86400);
        cl_der_close(w, next);
    }
    put_exts(w, a->unknown_critical, (struct cl_rd){0});
    cl_der_close(w, answer);
}

static void put_data(struct cl_wr *w, const struct t_ocsp *r)
{
    struct cl_der_mark data = cl_der_open(w, CL_DER_SEQUENCE);
    struct cl_der_mark id = cl_der_open(w, CL_DER_CTXC(r->by_key ? 2 : 1));
    if (r->by_key) {
        put_digest(w, CL_HASH_SHA1, key_of(r->signer->cert));
    } else {
        cl_wr_view(w, (r->named != NULL ? r->named : r->signer)->cert->subject.der);
    }
    cl_der_close(w, id);
    put_generalized(w, r->produced_at != 0 ? r->produced_at : T_NOW - 3600);
    struct cl_der_mark answers = cl_der_open(w, CL_DER_SEQUENCE);
    for (size_t i = 0; i < 4 && r->answers[i].cert != NULL; i++) {
        put_answer(w, &r->answers[i]);
    }
    cl_der_close(w, answers);
    put_exts(w, r->unknown_critical, r->nonce);
    cl_der_close(w, data);
}

/* BasicOCSPResponse: t_sign's SEQUENCE of three fields, with the certificates behind them. */
static size_t put_basic(const struct t_ocsp *r, uint8_t *out)
{
    uint8_t room[T_MAX_DER];
    uint8_t whole[T_MAX_DER];
    struct cl_wr w = cl_wr_of(room, sizeof(room));
    struct cl_rd all;
    struct cl_rd body;
    put_data(&w, r);
    assert_true(cl_wr_ok(&w));
    const size_t len = t_sign(cl_rd_of(room, w.len), r->algorithm, r->signer->key, whole);
    whole[len - 1] ^= r->bad_signature;
    all = cl_rd_of(whole, len);
    assert_true(cl_der_get(&all, CL_DER_SEQUENCE, &body));
    w = cl_wr_of(out, T_MAX_DER);
    struct cl_der_mark basic = cl_der_open(&w, CL_DER_SEQUENCE);
    cl_wr_view(&w, body);
    if (r->certs[0] != NULL) {
        struct cl_der_mark field = cl_der_open(&w, CL_DER_CTXC(0));
        struct cl_der_mark certs = cl_der_open(&w, CL_DER_SEQUENCE);
        for (size_t i = 0; i < 2 && r->certs[i] != NULL; i++) {
            cl_wr_view(&w, r->certs[i]->cert->der);
        }
        cl_der_close(&w, certs);
        cl_der_close(&w, field);
    }
    cl_der_close(&w, basic);
    assert_true(cl_wr_ok(&w));
    return w.len;
}

size_t t_ocsp_der(const struct t_ocsp *r, uint8_t *out)
{
    uint8_t basic[T_MAX_DER];
    struct cl_wr w = cl_wr_of(out, T_MAX_DER);
    struct cl_der_mark response = cl_der_open(&w, CL_DER_SEQUENCE);
    cl_der_put(&w, CL_DER_ENUMERATED, cl_rd_of(&r->response_status, 1));
    if (r->response_status == 0) {
        const size_t len = put_basic(r, basic);
        struct cl_der_mark field = cl_der_open(&w, CL_DER_CTXC(0));
        struct cl_der_mark bytes = cl_der_open(&w, CL_DER_SEQUENCE);
        cl_der_put_oid_text(&w, "1.3.6.1.5.5.7.48.1.1");
        cl_der_put(&w, CL_DER_OCTET_STRING, cl_rd_of(basic, len));
        cl_der_close(&w, bytes);
        cl_der_close(&w, field);
    }
    cl_der_close(&w, response);
    assert_true(cl_wr_ok(&w));
    return w.len;
}

struct cleat_ocsp_set *t_ocsp_set(const struct t_ocsp *responses, size_t num)
{
    struct cleat_ocsp_set *set = NULL;
    struct cleat_error err = {0};
    uint8_t der[T_MAX_DER];
    assert_int_equal(cleat_ocsp_set_new(&set), CLEAT_OK);
    for (size_t i = 0; i < num; i++) {
        const size_t len = t_ocsp_der(&responses[i], der);
        if (cleat_ocsp_set_add(set, der, len, &err) != CLEAT_OK) {
            fail_msg("%s", err.text);
        }
    }
    return set;
}
