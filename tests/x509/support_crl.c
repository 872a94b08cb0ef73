#include "support_crl.h"

#include <string.h>

#include "base/mem.h"
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

/* DistributionPointName, when there is a name. */
static void put_point_name(struct cl_wr *w, const struct t_point *point)
{
    if (point->uris[0] == NULL && point->named.len == 0 && point->relative == NULL) {
        return;
    }
    struct cl_der_mark name = cl_der_open(w, CL_DER_CTXC(0));
    struct cl_der_mark choice = cl_der_open(w, CL_DER_CTXC(point->relative != NULL ? 1 : 0));
    if (point->relative != NULL) {
        struct cl_der_mark attribute = cl_der_open(w, CL_DER_SEQUENCE);
        cl_der_put_oid_text(w, "2.5.4.3");
        cl_der_put(w, CL_DER_UTF8_STRING, cl_rd_str(point->relative));
        cl_der_close(w, attribute);
    }
    for (size_t i = 0; i < 2 && point->uris[i] != NULL; i++) {
        cl_der_put(w, CL_DER_CTX(6), cl_rd_str(point->uris[i]));
    }
    if (point->named.len != 0) {
        cl_der_put(w, CL_DER_CTXC(4), point->named);
    }
    cl_der_close(w, choice);
    cl_der_close(w, name);
}

static void put_reasons(struct cl_wr *w, uint8_t tag, uint16_t reasons)
{
    uint8_t bits[3] = {0, (uint8_t)(reasons >> 8), (uint8_t)reasons};
    const size_t len = (reasons & 0xff) != 0 ? 2 : 1;
    while ((bits[len] >> bits[0] & 1) == 0 && bits[len] != 0) {
        bits[0]++; /* unused bits, which DER wants counted */
    }
    if (reasons != 0) {
        cl_der_put(w, tag, cl_rd_of(bits, 1 + len));
    }
}

size_t t_points(const struct t_point *points, size_t num, uint8_t *out, size_t cap)
{
    struct cl_wr w = cl_wr_of(out, cap);
    struct cl_der_mark list = cl_der_open(&w, CL_DER_SEQUENCE);
    for (size_t i = 0; i < num; i++) {
        struct cl_der_mark point = cl_der_open(&w, CL_DER_SEQUENCE);
        put_point_name(&w, &points[i]);
        put_reasons(&w, CL_DER_CTX(1), points[i].reasons);
        if (points[i].issuer != NULL) {
            struct cl_der_mark names = cl_der_open(&w, CL_DER_CTXC(2));
            cl_der_put(&w, CL_DER_CTXC(4), points[i].issuer->subject.der);
            cl_der_close(&w, names);
        }
        cl_der_close(&w, point);
    }
    cl_der_close(&w, list);
    assert_true(cl_wr_ok(&w));
    return w.len;
}

size_t t_idp(const struct t_point *point, bool indirect, uint8_t *out, size_t cap)
{
    struct cl_wr w = cl_wr_of(out, cap);
    struct cl_der_mark idp = cl_der_open(&w, CL_DER_SEQUENCE);
    put_point_name(&w, point);
    put_reasons(&w, CL_DER_CTX(3), point->reasons);
    if (indirect) {
        cl_der_put(&w, CL_DER_CTX(4), cl_rd_of("\xff", 1));
    }
    cl_der_close(&w, idp);
    assert_true(cl_wr_ok(&w));
    return w.len;
}

static void put_entry(struct cl_wr *w, const struct t_entry *e)
{
    static const uint8_t null[] = {0x05, 0x00};
    struct cl_der_mark entry = cl_der_open(w, CL_DER_SEQUENCE);
    cl_der_put(w, CL_DER_INTEGER, e->serial.len != 0 ? e->serial : e->cert->serial);
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

static bool has_entry(const struct t_entry *e)
{
    return e->cert != NULL || e->serial.len != 0;
}

static void put_tbs(struct cl_wr *w, const struct t_crl *crl, const struct cl_sig_alg *alg)
{
    struct cl_der_mark tbs = cl_der_open(w, CL_DER_SEQUENCE);
    cl_der_put_u32(w, 1);
    if (crl->algorithm.len != 0) {
        cl_wr_view(w, crl->algorithm);
    } else {
        assert_true(cl_alg_put(w, alg));
    }
    cl_wr_view(w, crl->issuer->cert->subject.der);
    cl_der_put_time(w, crl->this_update != 0 ? crl->this_update : T_NOW - 3600);
    if (crl->next_update >= 0) {
        cl_der_put_time(w, crl->next_update != 0 ? crl->next_update : T_NOW + 86400);
    }
    if (crl->num_others != 0 || has_entry(&crl->entries[0])) {
        struct cl_der_mark entries = cl_der_open(w, CL_DER_SEQUENCE);
        for (uint32_t i = 0; i < crl->num_others; i++) {
            const uint8_t serial[] = {0x55, (uint8_t)(i * 7919 >> 8), (uint8_t)(i * 7919)};
            put_entry(w, &(struct t_entry){.serial = cl_rd_of(serial, sizeof(serial))});
        }
        for (size_t i = 0; i < 4 && has_entry(&crl->entries[i]); i++) {
            put_entry(w, &crl->entries[i]);
        }
        cl_der_close(w, entries);
    }
    put_exts(w, crl);
    cl_der_close(w, tbs);
}

size_t t_crl_der(const struct t_crl *crl, uint8_t *out)
{
    uint8_t room[3800];
    struct cl_wr w = cl_wr_of(room, sizeof(room));
    put_tbs(&w, crl, cl_sig_scheme(0x0403));
    assert_true(cl_wr_ok(&w));
    const size_t len = t_sign(cl_rd_of(room, w.len), crl->algorithm, crl->issuer->key, out);
    out[len - 1] ^= crl->bad_signature; /* the last byte of s: DER all the same */
    return len;
}

void t_crl_text(struct cl_buf *out, const struct t_crl *crl)
{
    uint8_t whole[T_MAX_DER];
    const size_t len = t_crl_der(crl, whole);
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

/* ---- long lists ---- */

static uint32_t draw(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed;
}

struct cl_rd t_serial(enum t_serials kind, uint32_t n, uint8_t out[20])
{
    uint32_t seed = n + 1;
    memset(out, 0x11, 20);
    switch (kind) {
    case T_RANDOM:
        for (size_t i = 0; i < 16; i += 4) {
            const uint32_t word = draw(&seed) & 0x7fffffff;
            memcpy(out + i, &word, 4);
        }
        out[0] = (uint8_t)((out[0] & 0x7f) | 1);
        return cl_rd_of(out, 16);
    case T_COUNTED:
        out[0] = 1;
        out[1] = (uint8_t)(n >> 16);
        out[2] = (uint8_t)(n >> 8);
        out[3] = (uint8_t)n;
        return cl_rd_of(out, 4);
    case T_LAST_BYTES:
        out[18] = (uint8_t)(n >> 8);
        out[19] = (uint8_t)n;
        return cl_rd_of(out, 20);
    default:
        out[0] = (uint8_t)(1 + n / 20 % 127);
        return cl_rd_of(out, 1 + n % 20);
    }
}

struct cl_rd t_long_list(const struct entity *issuer, enum t_serials kind, uint32_t num)
{
    const size_t cap = 300 + (size_t)num * 48;
    uint8_t *tbs = cl_alloc(cap);
    uint8_t *out = cl_alloc(cap + 300);
    uint8_t serial[20];
    assert_non_null(tbs);
    assert_non_null(out);
    struct cl_wr w = cl_wr_of(tbs, cap);
    struct cl_der_mark list = cl_der_open(&w, CL_DER_SEQUENCE);
    cl_der_put_u32(&w, 1);
    assert_true(cl_alg_put(&w, cl_sig_scheme(0x0403)));
    cl_wr_view(&w, issuer->cert->subject.der);
    cl_der_put_time(&w, T_NOW - 3600);
    cl_der_put_time(&w, T_NOW + 86400);
    struct cl_der_mark entries = cl_der_open(&w, CL_DER_SEQUENCE);
    for (uint32_t i = 0; i < num; i++) {
        struct cl_der_mark entry = cl_der_open(&w, CL_DER_SEQUENCE);
        cl_der_put(&w, CL_DER_INTEGER, t_serial(kind, (uint32_t)(i * 7919ull % num), serial));
        cl_der_put_time(&w, T_NOW - 86400);
        cl_der_close(&w, entry);
    }
    cl_der_close(&w, entries);
    cl_der_close(&w, list);
    assert_true(cl_wr_ok(&w));
    struct cl_wr whole = cl_wr_of(out, cap + 300);
    struct cl_der_mark crl = cl_der_open(&whole, CL_DER_SEQUENCE);
    cl_wr_view(&whole, cl_rd_of(tbs, w.len));
    assert_true(cl_alg_put(&whole, cl_sig_scheme(0x0403)));
    cl_der_put_bits(&whole, cl_rd_of("signature", 9), 0);
    cl_der_close(&whole, crl);
    assert_true(cl_wr_ok(&whole));
    cl_free(tbs);
    return cl_rd_of(out, whole.len);
}
