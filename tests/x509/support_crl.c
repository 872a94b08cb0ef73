#include "support_crl.h"

#include "base/pem.h"

/* GeneralNames with the certificate's subject as a directoryName. */
static void put_certificate_issuer(struct cl_wr *w, const struct cleat_cert *issuer)
{
    uint8_t room[300];
    struct cl_wr inner = cl_wr_of(room, sizeof(room));
    struct cl_der_mark names = cl_der_open(&inner, CL_DER_SEQUENCE);
    cl_der_put(&inner, CL_DER_CTXC(4), issuer->subject.der);
    cl_der_close(&inner, names);
    t_put_ext(w, "2.5.29.29", true, cl_rd_of(room, inner.len));
}

static void put_entry(struct cl_wr *w, const struct t_entry *e)
{
    static const uint8_t null[] = {0x05, 0x00};
    struct cl_der_mark entry = cl_der_open(w, CL_DER_SEQUENCE);
    cl_der_put(w, CL_DER_INTEGER, e->cert->serial);
    cl_der_put_time(w, T_NOW - 86400);
    if (e->issuer != NULL || e->reason != 0 || e->unknown_critical) {
        struct cl_der_mark exts = cl_der_open(w, CL_DER_SEQUENCE);
        if (e->reason != 0) {
            const uint8_t value[] = {0x0a, 1, e->reason};
            t_put_ext(w, "2.5.29.21", false, cl_rd_of(value, sizeof(value)));
        }
        if (e->issuer != NULL) {
            put_certificate_issuer(w, e->issuer);
        }
        if (e->unknown_critical) {
            t_put_ext(w, "1.3.6.1.4.1.99999.1", true, cl_rd_of(null, sizeof(null)));
        }
        cl_der_close(w, exts);
    }
    cl_der_close(w, entry);
}

static void put_number(struct cl_wr *w, const char *oid, bool critical, uint32_t number)
{
    uint8_t room[8];
    struct cl_wr inner = cl_wr_of(room, sizeof(room));
    cl_der_put_u32(&inner, number);
    t_put_ext(w, oid, critical, cl_rd_of(room, inner.len));
}

static void put_exts(struct cl_wr *w, const struct t_crl *crl)
{
    static const uint8_t null[] = {0x05, 0x00};
    struct cl_der_mark field = cl_der_open(w, CL_DER_CTXC(0));
    struct cl_der_mark list = cl_der_open(w, CL_DER_SEQUENCE);
    put_number(w, "2.5.29.20", false, crl->number != 0 ? crl->number : 1);
    if (crl->delta_base != 0) {
        put_number(w, "2.5.29.27", true, crl->delta_base);
    }
    if (crl->idp.len != 0) {
        t_put_ext(w, "2.5.29.28", true, crl->idp);
    }
    if (crl->unknown_critical) {
        t_put_ext(w, "1.3.6.1.4.1.99999.1", true, cl_rd_of(null, sizeof(null)));
    }
    cl_der_close(w, list);
    cl_der_close(w, field);
}

static void put_tbs(struct cl_wr *w, const struct t_crl *crl, const struct cl_sig_alg *alg)
{
    struct cl_der_mark tbs = cl_der_open(w, CL_DER_SEQUENCE);
    cl_der_put_u32(w, 1);
    assert_true(cl_alg_put(w, alg));
    cl_wr_view(w, crl->issuer->cert->subject.der);
    cl_der_put_time(w, crl->this_update != 0 ? crl->this_update : T_NOW - 3600);
    if (crl->next_update >= 0) {
        cl_der_put_time(w, crl->next_update != 0 ? crl->next_update : T_NOW + 86400);
    }
    if (crl->entries[0].cert != NULL) {
        struct cl_der_mark entries = cl_der_open(w, CL_DER_SEQUENCE);
        for (size_t i = 0; i < 4 && crl->entries[i].cert != NULL; i++) {
            put_entry(w, &crl->entries[i]);
        }
        cl_der_close(w, entries);
    }
    put_exts(w, crl);
    cl_der_close(w, tbs);
}

void t_crl_text(struct cl_buf *out, const struct t_crl *crl)
{
    uint8_t room[3800];
    uint8_t whole[T_MAX_DER];
    struct cl_wr w = cl_wr_of(room, sizeof(room));
    put_tbs(&w, crl, cl_sig_scheme(0x0403));
    assert_true(cl_wr_ok(&w));
    const size_t len = t_sign(cl_rd_of(room, w.len), (struct cl_rd){0}, crl->issuer->key, whole);
    whole[len - 1] ^= crl->bad_signature; /* the last byte of s: DER all the same */
    assert_int_equal(cl_pem_encode("X509 CRL", cl_rd_of(whole, len), out), CL_OK);
}

struct cleat_crl_set *t_crl_set(const struct t_crl *crls, size_t num)
{
    struct cl_buf text = {0};
    struct cleat_crl_set *set = NULL;
    struct cleat_error err = {0};
    for (size_t i = 0; i < num; i++) {
        t_crl_text(&text, &crls[i]);
    }
    if (cleat_crl_set_from_pem((const char *)text.p, text.len, &set, &err) != CLEAT_OK) {
        fail_msg("%s", err.text);
    }
    cl_buf_deinit(&text);
    return set;
}
