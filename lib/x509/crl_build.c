/* x509/crl_build.c - see crl_build.h. */
#include "x509/crl_build.h"

#include "base/text.h"
#include "x509/build_impl.h"

/* 4,096 bytes: everything of a list but its entries, a long issuer's name and a long URL included
 */
#define MAX_HEAD 4096

/* ---- reasons ---- */

static const char *const reasons[] = {
    "unspecified",   "keyCompromise",        "cACompromise",    "affiliationChanged",
    "superseded",    "cessationOfOperation", "certificateHold", "",
    "removeFromCRL", "privilegeWithdrawn",   "aACompromise",
};

#define NUM_REASONS (sizeof(reasons) / sizeof(reasons[0]))

const char *cl_crl_reason_name(uint32_t reason)
{
    return reason < NUM_REASONS ? reasons[reason] : "unknown";
}

bool cl_crl_reason_find(const char *name, size_t len, uint32_t *reason)
{
    for (uint32_t i = 0; i < NUM_REASONS; i++) {
        if (len != 0 && cl_ascii_equal_fold(cl_rd_str(reasons[i]), cl_rd_of(name, len))) {
            *reason = i;
            return true;
        }
    }
    return false;
}

/* ---- entries ---- */

static struct cl_der_mark open_seq(struct cl_wr *w)
{
    return cl_der_open(w, CL_DER_SEQUENCE);
}

static void put_entry_exts(struct cl_wr *w, const struct cl_crl_entry *entry)
{
    const uint8_t reason = (uint8_t)entry->reason;
    struct cl_der_mark exts = open_seq(w);
    if (reason != 0) {
        struct cl_build_ext ext = cl_build_open_ext(w, CL_OID_CRL_REASON, false);
        cl_der_put(w, CL_DER_ENUMERATED, cl_rd_of(&reason, 1));
        cl_build_close_ext(w, ext);
    }
    if (entry->invalid_since != INT64_MIN) {
        struct cl_build_ext ext = cl_build_open_ext(w, CL_OID_CRL_INVALIDITY, false);
        /* RFC 5280 5.3.2: a GeneralizedTime, in any year */
        cl_der_put_generalized_time(w, entry->invalid_since);
        cl_build_close_ext(w, ext);
    }
    cl_der_close(w, exts);
}

cl_result cl_crl_entry_put(struct cl_buf *entries, const struct cl_crl_entry *entry)
{
    /* 128: a serial number of 20 bytes, a time, two extensions */
    CL_TRY(cl_buf_reserve(entries, entry->serial.len + 128, CL_CRL_MAX_LEN));
    struct cl_wr w = cl_buf_writer(entries);
    struct cl_der_mark mark = open_seq(&w);
    cl_der_put(&w, CL_DER_INTEGER, entry->serial);
    cl_der_put_time(&w, entry->when);
    if (entry->reason != 0 || entry->invalid_since != INT64_MIN) {
        put_entry_exts(&w, entry);
    }
    cl_der_close(&w, mark);
    if (!cl_wr_ok(&w)) {
        return CLEAT_ERR_BAD_CONFIG;
    }
    cl_buf_commit(entries, &w);
    return CL_OK;
}

/* ---- the list ---- */

cl_result cl_crl_point_put(struct cl_buf *out, const char *url)
{
    const size_t len = strlen(url);
    CL_TRY(cl_buf_reserve(out, len + 16, MAX_HEAD));
    struct cl_wr w = cl_buf_writer(out);
    struct cl_der_mark full = cl_der_open(&w, CL_DER_CTXC(0));
    cl_der_put(&w, CL_DER_CTX(CLEAT_SAN_URI), cl_rd_str(url));
    cl_der_close(&w, full);
    if (!cl_wr_ok(&w)) {
        return CLEAT_ERR_LIMIT;
    }
    cl_buf_commit(out, &w);
    return CL_OK;
}

static void put_flag(struct cl_wr *w, unsigned number, bool value)
{
    static const uint8_t yes = 0xff;
    if (value) {
        cl_der_put(w, CL_DER_CTX(number), cl_rd_of(&yes, 1));
    }
}

/* RFC 5280 5.2.5: "the issuing distribution point is a critical CRL extension", and never empty */
static void put_idp(struct cl_wr *w, const struct cl_crl_template *tpl)
{
    if (tpl->point.len == 0 && !tpl->only_user && !tpl->only_ca) {
        return;
    }
    struct cl_build_ext ext = cl_build_open_ext(w, CL_OID_CRL_IDP, true);
    struct cl_der_mark seq = open_seq(w);
    if (tpl->point.len != 0) {
        cl_der_put(w, CL_DER_CTXC(0), tpl->point);
    }
    put_flag(w, 1, tpl->only_user);
    put_flag(w, 2, tpl->only_ca);
    cl_der_close(w, seq);
    cl_build_close_ext(w, ext);
}

static cl_result put_tbs(struct cl_wr *w, const void *ctx, const struct cl_sig_alg *alg,
                         struct cleat_error *err)
{
    const struct cl_crl_template *tpl = ctx;
    (void)err;
    struct cl_der_mark tbs = open_seq(w);
    cl_der_put_u32(w, 1); /* version 2 */
    if (!cl_alg_put(w, alg)) {
        return CLEAT_ERR_UNSUPPORTED;
    }
    cl_wr_view(w, tpl->issuer->subject.der);
    cl_der_put_time(w, tpl->this_update);
    cl_der_put_time(w, tpl->next_update);
    if (tpl->entries.len != 0) { /* RFC 5280 5.1.2.6: else it "MUST be absent" */
        cl_der_put(w, CL_DER_SEQUENCE, tpl->entries);
    }
    struct cl_der_mark field = cl_der_open(w, CL_DER_CTXC(0));
    struct cl_der_mark list = open_seq(w);
    cl_build_put_aki(w, tpl->issuer);
    struct cl_build_ext ext = cl_build_open_ext(w, CL_OID_CRL_NUMBER, false);
    cl_der_put(w, CL_DER_INTEGER, tpl->number);
    cl_build_close_ext(w, ext);
    put_idp(w, tpl);
    cl_der_close(w, list);
    cl_der_close(w, field);
    cl_der_close(w, tbs);
    return CL_OK;
}

cl_result cl_crl_build(struct cl_buf *out, const struct cl_crl_template *tpl,
                       const struct cleat_key *key, struct cleat_error *err)
{
    const struct cl_why why = {.code = CLEAT_ERR_BAD_CONFIG, .section = "RFC 5280 5"};
    if (tpl->number.len == 0 || tpl->number.len > CL_CRL_NUMBER_MAX ||
        (tpl->number.p[0] & 0x80) != 0) {
        return cl_error_set(err, why, "its number must have 1 to %d bytes, and no sign",
                            CL_CRL_NUMBER_MAX);
    }
    if (tpl->next_update <= tpl->this_update) {
        return cl_error_set(err, why, "its next update would not be after this one");
    }
    if (tpl->only_user && tpl->only_ca) {
        return cl_error_set(err, why, "it would be for end entities alone and for CAs alone");
    }
    return cl_build_signed(out, key, put_tbs, tpl,
                           MAX_HEAD + tpl->issuer->subject.der.len + tpl->entries.len, err);
}
