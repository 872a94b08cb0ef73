/* x509/build.c - see build.h. The TBSCertificate is written into one buffer; signing is a job. */
#include "x509/build_impl.h"

#include "base/mem.h"
#include "x509/fields.h"
#include "x509/gname.h"
#include "x509/name.h"

#define MAX_NAME_LEN 64 /* RFC 5280 A.1: ub-common-name, ub-organization-name */
#define KEY_ID_LEN   20 /* RFC 7093 2 (1): 160 bits of SHA-256 */

static cl_result bad(struct cleat_error *err, const char *section, const char *what,
                     const char *value)
{
    return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG, .section = section},
                        "cannot make it: %s%s%s", what, value != NULL ? ": " : "",
                        value != NULL ? value : "");
}

static void put_ext_head(struct cl_wr *w, enum cl_oid id, bool critical)
{
    cl_der_put(w, CL_DER_OID, cl_oid_bytes(id));
    if (critical) {
        cl_der_put_bool(w, true);
    }
}

struct cl_build_ext cl_build_open_ext(struct cl_wr *w, enum cl_oid id, bool critical)
{
    struct cl_build_ext ext = {.outer = cl_der_open(w, CL_DER_SEQUENCE)};
    put_ext_head(w, id, critical);
    ext.octets = cl_der_open(w, CL_DER_OCTET_STRING);
    return ext;
}

void cl_build_close_ext(struct cl_wr *w, struct cl_build_ext ext)
{
    cl_der_close(w, ext.octets);
    cl_der_close(w, ext.outer);
}

static void put_attr(struct cl_wr *w, enum cl_oid type, const char *value)
{
    if (value == NULL) {
        return;
    }
    struct cl_der_mark set = cl_der_open(w, CL_DER_SET);
    struct cl_der_mark pair = cl_der_open(w, CL_DER_SEQUENCE);
    cl_der_put(w, CL_DER_OID, cl_oid_bytes(type));
    cl_der_put(w, CL_DER_UTF8_STRING, cl_rd_str(value));
    cl_der_close(w, pair);
    cl_der_close(w, set);
}

void cl_build_put_subject(struct cl_wr *w, const struct cl_cert_template *tpl)
{
    if (tpl->subject_der.len != 0) {
        cl_wr_view(w, tpl->subject_der);
        return;
    }
    struct cl_der_mark name = cl_der_open(w, CL_DER_SEQUENCE);
    put_attr(w, CL_OID_AT_O, tpl->organization);
    put_attr(w, CL_OID_AT_CN, tpl->common_name);
    cl_der_close(w, name);
}

static void put_basic(struct cl_wr *w, const struct cl_cert_template *tpl)
{
    if (!tpl->is_ca) {
        return;
    }
    struct cl_build_ext ext = cl_build_open_ext(w, CL_OID_EXT_BASIC, true);
    struct cl_der_mark seq = cl_der_open(w, CL_DER_SEQUENCE);
    cl_der_put_bool(w, true);
    if (tpl->path_len >= 0) {
        cl_der_put_u32(w, (uint32_t)tpl->path_len);
    }
    cl_der_close(w, seq);
    cl_build_close_ext(w, ext);
}

static void put_key_usage(struct cl_wr *w, unsigned usage)
{
    uint8_t bytes[2] = {0};
    unsigned highest = 0;
    if (usage == 0) {
        return;
    }
    for (unsigned i = 0; i < 9; i++) {
        if ((usage & 1u << i) != 0) {
            bytes[i / 8] = (uint8_t)(bytes[i / 8] | 0x80u >> i % 8);
            highest = i;
        }
    }
    struct cl_build_ext ext = cl_build_open_ext(w, CL_OID_EXT_KEY_USAGE, true);
    cl_der_put_bits(w, cl_rd_of(bytes, highest / 8 + 1), (uint8_t)(7 - highest % 8));
    cl_build_close_ext(w, ext);
}

static void put_ext_key_usage(struct cl_wr *w, unsigned usage)
{
    if (usage == 0) {
        return;
    }
    struct cl_build_ext ext = cl_build_open_ext(w, CL_OID_EXT_EKU, false);
    struct cl_der_mark seq = cl_der_open(w, CL_DER_SEQUENCE);
    if ((usage & CL_EKU_SERVER_AUTH) != 0) {
        cl_der_put(w, CL_DER_OID, cl_oid_bytes(CL_OID_EKU_SERVER));
    }
    if ((usage & CL_EKU_CLIENT_AUTH) != 0) {
        cl_der_put(w, CL_DER_OID, cl_oid_bytes(CL_OID_EKU_CLIENT));
    }
    cl_der_close(w, seq);
    cl_build_close_ext(w, ext);
}

/* RFC 7093 2 (1): the left-most 160 bits of SHA-256 of the BIT STRING's value. */
static bool key_id(struct cl_rd spki, uint8_t out[32])
{
    struct cl_rd key;
    if (!cl_alg_key_bytes(spki, &key)) {
        return false;
    }
    cl_hash_once(CL_HASH_SHA256, key.p, key.len, out);
    return true;
}

void cl_build_put_aki(struct cl_wr *w, const struct cleat_cert *issuer)
{
    uint8_t hashed[32];
    struct cl_rd issuer_id = cl_rd_of(hashed, KEY_ID_LEN);
    if (cl_cert_has(issuer, CL_OID_EXT_SKI)) {
        issuer_id = issuer->ski;
    } else {
        w->failed = w->failed || !key_id(issuer->spki, hashed);
    }
    struct cl_build_ext ext = cl_build_open_ext(w, CL_OID_EXT_AKI, false);
    struct cl_der_mark seq = cl_der_open(w, CL_DER_SEQUENCE);
    cl_der_put(w, CL_DER_CTX(0), issuer_id);
    cl_der_close(w, seq);
    cl_build_close_ext(w, ext);
}

static void put_key_ids(struct cl_wr *w, const struct cl_cert_template *tpl)
{
    uint8_t own[32];
    if (tpl->no_key_ids) {
        return;
    }
    w->failed = w->failed || !key_id(tpl->spki, own);
    struct cl_build_ext ext = cl_build_open_ext(w, CL_OID_EXT_SKI, false);
    cl_der_put(w, CL_DER_OCTET_STRING, cl_rd_of(own, KEY_ID_LEN));
    cl_build_close_ext(w, ext);
    /* RFC 5280 4.2.1.1: it "MAY be omitted" from a self-signed certificate */
    if (tpl->issuer != NULL) {
        cl_build_put_aki(w, tpl->issuer);
    }
}

static cl_result put_names(struct cl_wr *w, const struct cl_cert_template *tpl,
                           struct cleat_error *err)
{
    struct cl_rd local;
    struct cl_rd domain;
    for (size_t i = 0; i < tpl->num_dns_names; i++) {
        if (!cl_dns_valid(cl_rd_str(tpl->dns_names[i]), true)) {
            return bad(err, "RFC 5280 4.2.1.6", "not a DNS name (IDNs are given as A-labels)",
                       tpl->dns_names[i]);
        }
        cl_der_put(w, CL_DER_CTX(CLEAT_SAN_DNS), cl_rd_str(tpl->dns_names[i]));
    }
    for (size_t i = 0; i < tpl->num_ip_addresses; i++) {
        uint8_t ip[16];
        size_t len;
        if (!cl_ip_parse(tpl->ip_addresses[i], strlen(tpl->ip_addresses[i]), ip, &len)) {
            return bad(err, "RFC 5280 4.2.1.6", "not an IP address", tpl->ip_addresses[i]);
        }
        cl_der_put(w, CL_DER_CTX(CLEAT_SAN_IP), cl_rd_of(ip, len));
    }
    for (size_t i = 0; i < tpl->num_emails; i++) {
        if (!cl_email_split(cl_rd_str(tpl->emails[i]), &local, &domain) ||
            !cl_der_string_valid(CL_DER_IA5_STRING, cl_rd_str(tpl->emails[i]))) {
            return bad(err, "RFC 5280 4.2.1.6", "not a mailbox", tpl->emails[i]);
        }
        cl_der_put(w, CL_DER_CTX(CLEAT_SAN_EMAIL), cl_rd_str(tpl->emails[i]));
    }
    return CL_OK;
}

static cl_result put_san(struct cl_wr *w, const struct cl_cert_template *tpl,
                         struct cleat_error *err)
{
    bool has_subject = tpl->common_name != NULL || tpl->organization != NULL ||
                       tpl->subject_der.len > 2; /* not an empty SEQUENCE */
    if (tpl->num_dns_names + tpl->num_ip_addresses + tpl->num_emails == 0) {
        return CL_OK;
    }
    /* RFC 5280 4.2.1.6: with an empty subject "the subjectAltName extension MUST be critical" */
    struct cl_build_ext ext = cl_build_open_ext(w, CL_OID_EXT_SAN, !has_subject);
    struct cl_der_mark seq = cl_der_open(w, CL_DER_SEQUENCE);
    CL_TRY(put_names(w, tpl, err));
    cl_der_close(w, seq);
    cl_build_close_ext(w, ext);
    return CL_OK;
}

void cl_build_put_raw(struct cl_wr *w, const struct cl_cert_raw_ext *raw)
{
    struct cl_der_mark outer = cl_der_open(w, CL_DER_SEQUENCE);
    cl_der_put_oid_text(w, raw->oid);
    if (raw->critical) {
        cl_der_put_bool(w, true);
    }
    cl_der_put(w, CL_DER_OCTET_STRING, raw->value);
    cl_der_close(w, outer);
}

/* RFC 5280 4.2.1.13: one DistributionPoint with one fullName */
static void put_crl_point(struct cl_wr *w, const char *url)
{
    if (url == NULL) {
        return;
    }
    struct cl_build_ext ext = cl_build_open_ext(w, CL_OID_EXT_CRL_POINTS, false);
    struct cl_der_mark list = cl_der_open(w, CL_DER_SEQUENCE);
    struct cl_der_mark point = cl_der_open(w, CL_DER_SEQUENCE);
    struct cl_der_mark name = cl_der_open(w, CL_DER_CTXC(0));
    struct cl_der_mark full = cl_der_open(w, CL_DER_CTXC(0));
    cl_der_put(w, CL_DER_CTX(CLEAT_SAN_URI), cl_rd_str(url));
    cl_der_close(w, full);
    cl_der_close(w, name);
    cl_der_close(w, point);
    cl_der_close(w, list);
    cl_build_close_ext(w, ext);
}

/* RFC 5280 4.2.2.1 */
static void put_info_access(struct cl_wr *w, const struct cl_cert_template *tpl)
{
    const struct {
        enum cl_oid method;
        const char *url;
    } rows[] = {{CL_OID_AIA_OCSP, tpl->ocsp_url}, {CL_OID_AIA_CA_ISSUERS, tpl->issuer_url}};
    if (tpl->ocsp_url == NULL && tpl->issuer_url == NULL) {
        return;
    }
    struct cl_build_ext ext = cl_build_open_ext(w, CL_OID_EXT_AIA, false);
    struct cl_der_mark list = cl_der_open(w, CL_DER_SEQUENCE);
    for (size_t i = 0; i < 2; i++) {
        if (rows[i].url != NULL) {
            struct cl_der_mark access = cl_der_open(w, CL_DER_SEQUENCE);
            cl_der_put(w, CL_DER_OID, cl_oid_bytes(rows[i].method));
            cl_der_put(w, CL_DER_CTX(CLEAT_SAN_URI), cl_rd_str(rows[i].url));
            cl_der_close(w, access);
        }
    }
    cl_der_close(w, list);
    cl_build_close_ext(w, ext);
}

cl_result cl_build_put_exts(struct cl_wr *w, const struct cl_cert_template *tpl,
                            struct cleat_error *err)
{
    put_basic(w, tpl);
    put_key_usage(w, tpl->key_usage);
    put_ext_key_usage(w, tpl->ext_key_usage);
    put_key_ids(w, tpl);
    CL_TRY(put_san(w, tpl, err));
    put_crl_point(w, tpl->crl_url);
    put_info_access(w, tpl);
    for (size_t i = 0; i < tpl->num_raw_exts; i++) {
        cl_build_put_raw(w, &tpl->raw_exts[i]);
    }
    return CL_OK;
}

static cl_result put_exts(struct cl_wr *w, const struct cl_cert_template *tpl,
                          struct cleat_error *err)
{
    struct cl_der_mark field = cl_der_open(w, CL_DER_CTXC(3));
    struct cl_der_mark list = cl_der_open(w, CL_DER_SEQUENCE);
    size_t start = w->len;
    CL_TRY(cl_build_put_exts(w, tpl, err));
    if (w->len == start) {
        return bad(err, "RFC 5280 4.1.2.9", "it would have no extension", NULL);
    }
    cl_der_close(w, list);
    cl_der_close(w, field);
    return CL_OK;
}

/* Positive and without a leading zero: RFC 5280 4.1.2.2. */
static void put_serial(struct cl_wr *w, const struct cl_cert_template *tpl)
{
    uint8_t serial[20];
    memcpy(serial, tpl->serial, tpl->serial_len);
    serial[0] &= 0x7f;
    if (serial[0] == 0) {
        serial[0] = 0x40;
    }
    cl_der_put_unsigned(w, serial, tpl->serial_len);
}

cl_result cl_build_check_subject(const struct cl_cert_template *tpl, struct cleat_error *err)
{
    const char *names[] = {tpl->common_name, tpl->organization};
    for (size_t i = 0; i < 2; i++) {
        if (names[i] != NULL && (names[i][0] == '\0' || strlen(names[i]) > MAX_NAME_LEN ||
                                 !cl_der_string_valid(CL_DER_UTF8_STRING, cl_rd_str(names[i])))) {
            return bad(err, "RFC 5280 A.1", "a name of 1 to 64 bytes of UTF-8 is needed", names[i]);
        }
    }
    return CL_OK;
}

static cl_result check(const struct cl_cert_template *tpl, struct cleat_error *err)
{
    CL_TRY(cl_build_check_subject(tpl, err));
    if (tpl->serial_len == 0 || tpl->serial_len > 20) {
        return bad(err, "RFC 5280 4.1.2.2", "a serial number has 1 to 20 bytes", NULL);
    }
    if (tpl->not_after < tpl->not_before) {
        return bad(err, "RFC 5280 4.1.2.5", "it would end before it begins", NULL);
    }
    return CL_OK;
}

static cl_result put_tbs(struct cl_wr *w, const void *ctx, const struct cl_sig_alg *alg,
                         struct cleat_error *err)
{
    const struct cl_cert_template *tpl = ctx;
    struct cl_der_mark tbs = cl_der_open(w, CL_DER_SEQUENCE);
    struct cl_der_mark version = cl_der_open(w, CL_DER_CTXC(0));
    cl_der_put_u32(w, 2);
    cl_der_close(w, version);
    put_serial(w, tpl);
    if (!cl_alg_put(w, alg)) {
        return CLEAT_ERR_UNSUPPORTED;
    }
    if (tpl->issuer != NULL) {
        cl_wr_view(w, tpl->issuer->subject.der);
    } else {
        cl_build_put_subject(w, tpl);
    }
    struct cl_der_mark validity = cl_der_open(w, CL_DER_SEQUENCE);
    cl_der_put_time(w, tpl->not_before);
    cl_der_put_time(w, tpl->not_after);
    cl_der_close(w, validity);
    cl_build_put_subject(w, tpl);
    cl_wr_view(w, tpl->spki);
    CL_TRY(put_exts(w, tpl, err));
    cl_der_close(w, tbs);
    return CL_OK;
}

static const struct cl_sig_alg *natural_alg(enum cl_key_type type)
{
    static const uint16_t schemes[] = {
        [CL_KEY_NONE] = 0,           [CL_KEY_RSA] = 0x0401,       [CL_KEY_RSA_PSS] = 0x0809,
        [CL_KEY_EC_P256] = 0x0403,   [CL_KEY_EC_P384] = 0x0503,   [CL_KEY_EC_P521] = 0x0603,
        [CL_KEY_ED25519] = 0x0807,   [CL_KEY_ED448] = 0x0808,     [CL_KEY_ML_DSA_44] = 0x0904,
        [CL_KEY_ML_DSA_65] = 0x0905, [CL_KEY_ML_DSA_87] = 0x0906,
    };
    return (size_t)type < sizeof(schemes) / sizeof(schemes[0]) ? cl_sig_scheme(schemes[type])
                                                               : NULL;
}

/* put writes what is to be signed; a job for its signature is made. */
static cl_result start(struct cl_cert_build *build, const struct cleat_key *key, cl_build_put *put,
                       const void *ctx, size_t max, struct cleat_error *err)
{
    if (build->alg == NULL) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_UNSUPPORTED},
                            "no signature algorithm for a key of type %s",
                            cl_key_type_name(cl_key_type(key)));
    }
    CL_TRY(cl_buf_reserve(&build->tbs, max, max));
    struct cl_wr w = cl_buf_writer(&build->tbs);
    cl_result r = put(&w, ctx, build->alg, err);
    if (r == CL_OK && !cl_wr_ok(&w)) {
        r = bad(err, "", "it is too long, or a time is out of range", NULL);
    }
    if (r == CL_OK) {
        cl_buf_commit(&build->tbs, &w);
        build->signature_cap = cl_key_max_signature(key);
        build->signature = cl_alloc(build->signature_cap);
        r = build->signature != NULL ? CL_OK : CLEAT_ERR_NOMEM;
    }
    if (r != CL_OK) {
        cl_cert_build_deinit(build);
        return r;
    }
    build->job = (struct cl_job){.kind = CL_JOB_SIGN,
                                 .status = CL_JOB_PENDING,
                                 .sign = {.key = key,
                                          .alg = build->alg,
                                          .message = cl_buf_view(&build->tbs),
                                          .signature = build->signature,
                                          .signature_cap = build->signature_cap}};
    return CL_OK;
}

cl_result cl_cert_build_start(struct cl_cert_build *build, const struct cl_cert_template *tpl,
                              const struct cleat_key *key, const struct cl_sig_alg *alg,
                              struct cleat_error *err)
{
    *build = (struct cl_cert_build){.alg = alg != NULL ? alg : natural_alg(cl_key_type(key))};
    CL_TRY(check(tpl, err));
    return start(build, key, put_tbs, tpl, CL_CERT_MAX_LEN, err);
}

cl_result cl_cert_build_finish(struct cl_cert_build *build, struct cl_buf *out)
{
    if (build->job.status != CL_JOB_DONE) {
        return CLEAT_ERR_USAGE;
    }
    CL_TRY(build->job.result);
    /* 256: headers, the algorithm with PSS parameters */
    size_t room = build->tbs.len + build->job.sign.signature_len + 256;
    CL_TRY(cl_buf_reserve(out, room, out->len + room));
    struct cl_wr w = cl_buf_writer(out);
    struct cl_der_mark cert = cl_der_open(&w, CL_DER_SEQUENCE);
    cl_wr_view(&w, cl_buf_view(&build->tbs));
    if (!cl_alg_put(&w, build->alg)) {
        return CLEAT_ERR_INTERNAL;
    }
    cl_der_put_bits(&w, cl_rd_of(build->signature, build->job.sign.signature_len), 0);
    cl_der_close(&w, cert);
    if (!cl_wr_ok(&w)) {
        return CLEAT_ERR_LIMIT;
    }
    cl_buf_commit(out, &w);
    return CL_OK;
}

void cl_cert_build_deinit(struct cl_cert_build *build)
{
    cl_job_reset(&build->job);
    cl_buf_deinit(&build->tbs);
    cl_free(build->signature);
    *build = (struct cl_cert_build){0};
}

/* The job of a build that was started is run here; the build ends. */
static cl_result sign_now(struct cl_cert_build *build, struct cl_buf *out)
{
    cl_job_run(&build->job);
    cl_result r = cl_cert_build_finish(build, out);
    cl_cert_build_deinit(build);
    return r;
}

cl_result cl_cert_build(struct cl_buf *out, const struct cl_cert_template *tpl,
                        const struct cleat_key *key, struct cleat_error *err)
{
    struct cl_cert_build build;
    CL_TRY(cl_cert_build_start(&build, tpl, key, NULL, err));
    return sign_now(&build, out);
}

cl_result cl_build_signed(struct cl_buf *out, const struct cleat_key *key, cl_build_put *put,
                          const void *ctx, size_t max, struct cleat_error *err)
{
    struct cl_cert_build build = {.alg = natural_alg(cl_key_type(key))};
    CL_TRY(start(&build, key, put, ctx, max, err));
    return sign_now(&build, out);
}
