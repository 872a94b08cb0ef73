#include "support_ct.h"

#include <string.h>

#include "base/mem.h"
#include "crypto/hash.h"

static struct cl_rd sign(const struct cleat_key *key, struct cl_rd message, uint8_t out[100])
{
    struct cl_job job = {.kind = CL_JOB_SIGN,
                         .status = CL_JOB_PENDING,
                         .sign = {.key = key,
                                  .alg = cl_sig_scheme(0x0403),
                                  .message = message,
                                  .signature = out,
                                  .signature_cap = 100}};
    cl_job_run(&job);
    assert_int_equal(job.result, CL_OK);
    return cl_rd_of(out, job.sign.signature_len);
}

static void put_sct(struct cl_wr *w, const struct t_sct *s, const struct cleat_cert *cert,
                    const struct cleat_cert *issuer)
{
    uint8_t id[32];
    uint8_t signature[100];
    struct cl_buf message = {0};
    struct entity log = t_ca("log", NULL, s->key);
    cl_hash_once(CL_HASH_SHA256, log.cert->spki.p, log.cert->spki.len, id);
    const struct cl_sct sct = {
        .timestamp = (uint64_t)(s->timestamp != 0 ? s->timestamp : (T_NOW - 3600) * 1000)};
    assert_int_equal(cl_sct_message(&message, &sct, cert, issuer), CL_OK);
    struct cl_rd made = sign(log.key, cl_buf_view(&message), signature);
    signature[made.len - 1] ^= s->bad_signature;
    struct cl_wr_mark one = cl_wr_open16(w);
    cl_wr_u8(w, s->version);
    cl_wr_bytes(w, id, sizeof(id));
    cl_wr_u64(w, sct.timestamp);
    cl_wr_u16(w, 0);
    cl_wr_u16(w, 0x0403);
    struct cl_wr_mark mark = cl_wr_open16(w);
    cl_wr_view(w, made);
    cl_wr_close(w, mark);
    cl_wr_close(w, one);
    cl_buf_deinit(&message);
    t_free(&log);
}

size_t t_scts(const struct t_sct *scts, size_t num, const struct cleat_cert *cert,
              const struct cleat_cert *issuer, uint8_t *out, size_t cap)
{
    struct cl_wr w = cl_wr_of(out, cap);
    struct cl_wr_mark list = cl_wr_open16(&w);
    for (size_t i = 0; i < num; i++) {
        put_sct(&w, &scts[i], cert, issuer);
    }
    cl_wr_close(&w, list);
    assert_true(cl_wr_ok(&w));
    return w.len;
}

struct entity t_logged(const struct t_sct *scts, size_t num, const struct entity *issuer,
                       int64_t life)
{
    uint8_t list[2048];
    uint8_t value[2100];
    struct cl_cert_raw_ext ext = {"1.3.6.1.4.1.11129.2.4.2", false, {0}};
    struct cl_cert_template tpl = t_template("logged", issuer, t_key(4), false);
    tpl.not_before = T_NOW - 86400;
    tpl.not_after = tpl.not_before + life;
    uint8_t serial[16]; /* of the template: other certificates are made meanwhile */
    memcpy(serial, tpl.serial, sizeof(serial));
    tpl.serial = serial;
    struct entity without = t_make(&tpl, issuer, t_key(4));
    const size_t len = t_scts(scts, num, without.cert, issuer->cert, list, sizeof(list));
    struct cl_wr w = cl_wr_of(value, sizeof(value));
    cl_der_put(&w, CL_DER_OCTET_STRING, cl_rd_of(list, len));
    ext.value = cl_rd_of(value, w.len);
    tpl.raw_exts = &ext;
    tpl.num_raw_exts = 1;
    struct entity with = t_make(&tpl, issuer, t_key(4));
    t_free(&without);
    return with;
}
