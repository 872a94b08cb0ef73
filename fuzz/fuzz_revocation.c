/* fuzz/fuzz_revocation.c - a list or a response, judged about one certificate, as if whoever it
 * says had signed it: which distribution point is meant, which entry, which answer.
 *
 * The certificate is number 0x1234 of "CN=CA", whose key is the curve's base point, so that what
 * openssl makes with the private key 1 is about it. */
#include <stdlib.h>

#include "base/mem.h"
#include "cleat/revocation.h"
#include "x509/build.h"
#include "x509/ocsp.h"
#include "x509/verify_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* SubjectPublicKeyInfo of P-256's base point */
static const uint8_t spki[] = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1,
    0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d,
    0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe,
    0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b,
    0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};

/* cRLDistributionPoints: URIs http://a/ and http://b/; relative CN=x; URI http://c/ with cRLIssuer
 * CN=CA */
static const uint8_t points[] = {
    0x30, 0x50, 0x30, 0x1a, 0xa0, 0x18, 0xa0, 0x16, 0x86, 0x09, 0x68, 0x74, 0x74, 0x70,
    0x3a, 0x2f, 0x2f, 0x61, 0x2f, 0x86, 0x09, 0x68, 0x74, 0x74, 0x70, 0x3a, 0x2f, 0x2f,
    0x62, 0x2f, 0x30, 0x0e, 0xa0, 0x0c, 0xa1, 0x0a, 0x30, 0x08, 0x06, 0x03, 0x55, 0x04,
    0x03, 0x0c, 0x01, 0x78, 0x30, 0x22, 0xa0, 0x0d, 0xa0, 0x0b, 0x86, 0x09, 0x68, 0x74,
    0x74, 0x70, 0x3a, 0x2f, 0x2f, 0x63, 0x2f, 0xa2, 0x11, 0xa4, 0x0f, 0x30, 0x0d, 0x31,
    0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x02, 0x43, 0x41};

#define DAY 86400
/* 2027-01-01, within everything in the corpus */
#define NOW 1798761600

static struct cleat_cert *certs[2]; /* leaf, CA; made once and never freed */

static void make(struct cleat_cert **out, const struct cl_cert_template *t,
                 const struct cleat_key *key)
{
    struct cl_buf der = {0};
    if (cl_cert_build(&der, t, key, NULL) != CL_OK ||
        cl_cert_parse(out, cl_buf_view(&der), NULL) != CL_OK) {
        abort();
    }
    cl_buf_deinit(&der);
}

static void make_certs(void)
{
    static const uint8_t serial[] = {0x12, 0x34};
    static const struct cl_cert_raw_ext ext = {"2.5.29.31", false, {points, sizeof(points)}};
    struct cleat_key *key = NULL;
    struct cl_cert_template t = {.common_name = "CA",
                                 .spki = cl_rd_of(spki, sizeof(spki)),
                                 .serial = serial,
                                 .serial_len = 1,
                                 .not_before = NOW - 4000LL * DAY,
                                 .not_after = NOW + 4000LL * DAY,
                                 .is_ca = true,
                                 .path_len = -1,
                                 .no_key_ids = true};
    if (cl_key_generate(&key, CL_KEY_EC_P256, 0) != CL_OK) {
        abort();
    }
    make(&certs[1], &t, key);
    t.common_name = "leaf";
    t.is_ca = false;
    t.issuer = certs[1];
    t.serial_len = 2;
    t.raw_exts = &ext;
    t.num_raw_exts = 1;
    make(&certs[0], &t, key);
    cleat_key_free(key);
}

static bool says_revoked(const struct cl_ocsp *response)
{
    struct cl_rd rest = response->answers;
    struct cl_ocsp_answer answer;
    while (cl_ocsp_next(&rest, &answer)) {
        if (answer.status == CL_OCSP_REVOKED && cl_ocsp_is_about(&answer, certs[0], certs[1])) {
            return true;
        }
    }
    return false;
}

/* "revoked" must stand in what was given, and what is on the only list cannot be good. */
static void check(const struct cl_verify *v)
{
    const int code = cleat_verdict_code(v->verdict);
    const enum cl_note_source source = v->verdict->notes[0].source;
    const struct cl_crl *list = v->crls->num != 0 ? v->crls->crls[0] : NULL;
    uint32_t reason;
    int64_t when;
    const bool listed =
        list != NULL && cl_crl_find(list, &certs[0]->issuer, certs[0]->serial, &reason, &when);
    const bool answered = v->ocsp->num != 0 && says_revoked(v->ocsp->responses[0]);
    if ((code == CLEAT_ERR_REVOKED && !listed && !answered) ||
        (code != CLEAT_ERR_REVOKED && source == CL_NOTE_CRL && listed)) {
        abort();
    }
}

static void judge(struct cleat_crl_set *crls, struct cleat_ocsp_set *ocsp)
{
    struct cl_verify *v = cl_calloc(1, sizeof(*v));
    if (v == NULL || (v->verdict = cl_calloc(1, sizeof(*v->verdict))) == NULL) {
        abort();
    }
    v->verdict->refs = 1;
    v->verdict->now = NOW;
    v->verdict->revocation = CLEAT_REVOCATION_IF_KNOWN;
    v->max_age = 4000LL * DAY;
    v->crls = cleat_crl_set_ref(crls);
    v->ocsp = cleat_ocsp_set_ref(ocsp);
    v->path.certs[0] = certs[0];
    v->path.certs[1] = certs[1];
    v->path.num = 2;
    v->phase = CL_PHASE_REVOCATION;
    while (cl_verify_step(v) == CL_VERIFY_NEEDS_JOB) {
        struct cl_job *job = cl_verify_job(v);
        job->result = CL_OK; /* nothing is signed here */
        job->status = CL_JOB_DONE;
    }
    check(v);
    cl_verify_free(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cleat_crl_set *crls = NULL;
    struct cleat_ocsp_set *ocsp = NULL;
    if (certs[0] == NULL) {
        make_certs();
    }
    if (cleat_crl_set_new(&crls) != CLEAT_OK || cleat_ocsp_set_new(&ocsp) != CLEAT_OK) {
        abort();
    }
    const bool list = cleat_crl_set_add_der(crls, data, size, NULL) == CLEAT_OK;
    if (list || cleat_ocsp_set_add(ocsp, data, size, NULL) == CLEAT_OK) {
        judge(crls, ocsp);
    }
    cleat_crl_set_free(crls);
    cleat_ocsp_set_free(ocsp);
    return 0;
}
