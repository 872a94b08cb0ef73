/* x509/kind.c - see kind.h. The tags of two levels tell all kinds apart. */
#include "x509/kind.h"

#include "x509/der.h"

/* RFC 6962 3.2: a log is known by a SHA-256 */
#define SCT_ID_LEN 32

static const struct {
    const char *label;
    const char *name;
} rows[CL_KIND_COUNT] = {
    [CL_KIND_CERT] = {"CERTIFICATE", "certificate"},
    [CL_KIND_CSR] = {"CERTIFICATE REQUEST", "certificate request"},
    [CL_KIND_CRL] = {"X509 CRL", "revocation list"},
    [CL_KIND_PKCS8] = {"PRIVATE KEY", "private key"},
    [CL_KIND_PKCS8_SEALED] = {"ENCRYPTED PRIVATE KEY", "encrypted private key"},
    [CL_KIND_SEC1] = {"EC PRIVATE KEY", "private key"},
    [CL_KIND_PKCS1] = {"RSA PRIVATE KEY", "private key"},
    [CL_KIND_PUBLIC] = {"PUBLIC KEY", "public key"},
    [CL_KIND_OCSP] = {"OCSP RESPONSE", "OCSP response"},
    [CL_KIND_SCTS] = {"SCT LIST", "list of certificate timestamps"},
    [CL_KIND_PKCS12] = {"PKCS12", "PKCS#12 file"},
};

/* RFC 7468 5.1, 6 and 7: labels that parsers may meet */
static const struct {
    const char *label;
    enum cl_kind kind;
} old_labels[] = {
    {"X509 CERTIFICATE", CL_KIND_CERT},
    {"X.509 CERTIFICATE", CL_KIND_CERT},
    {"NEW CERTIFICATE REQUEST", CL_KIND_CSR},
    {"CRL", CL_KIND_CRL},
};

/* The tag in front, and on to the next element; 0 at the end or when it is malformed. */
static uint8_t next_tag(struct cl_rd *r)
{
    struct cl_rd body;
    uint8_t tag;
    return cl_der_any(r, &tag, &body, NULL) ? tag : 0;
}

static bool is_time(uint8_t tag)
{
    return tag == CL_DER_UTC_TIME || tag == CL_DER_GENERALIZED_TIME;
}

/* What is signed, from its first fields:
 *     certificate   [0] version, … or (v1) serial, algorithm, issuer, validity, …
 *     request       version, subject, public key, [0] attributes
 *     list          (v2) version, algorithm, issuer, time, … */
static enum cl_kind of_signed(struct cl_rd body)
{
    uint8_t tag = next_tag(&body);
    if (tag == CL_DER_CTXC(0)) {
        return CL_KIND_CERT;
    }
    const bool numbered = tag == CL_DER_INTEGER;
    tag = numbered ? next_tag(&body) : tag;
    if (tag != CL_DER_SEQUENCE || next_tag(&body) != CL_DER_SEQUENCE) {
        return CL_KIND_NONE;
    }
    tag = next_tag(&body);
    if (is_time(tag)) {
        return CL_KIND_CRL;
    }
    if (numbered && tag == CL_DER_CTXC(0)) {
        return CL_KIND_CSR;
    }
    return numbered && tag == CL_DER_SEQUENCE ? CL_KIND_CERT : CL_KIND_NONE;
}

/* A structure that begins with a version. */
static enum cl_kind of_numbered(struct cl_rd body)
{
    uint32_t version;
    if (!cl_der_u32(&body, &version) || version > 1) {
        return CL_KIND_NONE;
    }
    const uint8_t second = next_tag(&body);
    const uint8_t third = next_tag(&body);
    if (second == CL_DER_SEQUENCE && third == CL_DER_OCTET_STRING) {
        return CL_KIND_PKCS8;
    }
    if (second == CL_DER_OCTET_STRING && version == 1) {
        return CL_KIND_SEC1;
    }
    return second == CL_DER_INTEGER && third == CL_DER_INTEGER ? CL_KIND_PKCS1 : CL_KIND_NONE;
}

/* responseStatus, and [0] responseBytes when it is successful */
static bool is_ocsp(struct cl_rd body)
{
    struct cl_rd status;
    return cl_der_get(&body, CL_DER_ENUMERATED, &status) && status.len == 1 &&
           (cl_rd_done(&body) || (next_tag(&body) == CL_DER_CTXC(0) && cl_rd_done(&body)));
}

/* Past the tag and the length of a SEQUENCE, be that in its shortest form or not, or indefinite. */
static bool enter_ber(struct cl_rd *r)
{
    uint8_t tag;
    uint8_t length;
    return cl_rd_u8(r, &tag) && tag == CL_DER_SEQUENCE && cl_rd_u8(r, &length) &&
           (length <= 0x80 || cl_rd_skip(r, length & 0x7fu));
}

/* PFX ::= SEQUENCE { version 3, authSafe ContentInfo { data or signedData, … } … } */
static bool is_pkcs12(struct cl_rd r)
{
    static const uint8_t version[] = {CL_DER_INTEGER, 1, 3};
    static const uint8_t pkcs7[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07};
    struct cl_rd bytes;
    return enter_ber(&r) && cl_rd_take(&r, sizeof(version), &bytes) &&
           cl_rd_equal(bytes, cl_rd_of(version, sizeof(version))) && enter_ber(&r) &&
           cl_rd_take(&r, sizeof(pkcs7), &bytes) &&
           cl_rd_equal(bytes, cl_rd_of(pkcs7, sizeof(pkcs7)));
}

/* RFC 6962 3.3: a list with its length in front, whole or in an OCTET STRING as extensions have it;
 * or one timestamp of version 1, as servers keep each in a file. */
static bool is_scts(struct cl_rd r)
{
    struct cl_rd list = cl_kind_sct_list(r);
    struct cl_rd one = r;
    struct cl_rd body;
    uint64_t milliseconds;
    uint16_t algorithm;
    uint8_t version;
    if (list.p != NULL && !cl_rd_vec16(&list, &one)) {
        return false;
    }
    return cl_rd_u8(&one, &version) && version == 0 && cl_rd_skip(&one, SCT_ID_LEN) &&
           cl_rd_u64(&one, &milliseconds) && cl_rd_vec16(&one, &body) &&
           cl_rd_u16(&one, &algorithm) && cl_rd_vec16(&one, &body) && cl_rd_done(&one);
}

struct cl_rd cl_kind_sct_list(struct cl_rd r)
{
    struct cl_rd body = r;
    struct cl_rd list;
    if (cl_der_get(&r, CL_DER_OCTET_STRING, &body) && !cl_rd_done(&r)) {
        return (struct cl_rd){0};
    }
    return cl_rd_vec16(&body, &list) && cl_rd_done(&body) ? list : (struct cl_rd){0};
}

enum cl_kind cl_kind_of(struct cl_rd der)
{
    struct cl_rd body;
    struct cl_rd first;
    if (is_pkcs12(der)) {
        return CL_KIND_PKCS12;
    }
    if (is_scts(der)) {
        return CL_KIND_SCTS;
    }
    if (!cl_der_get(&der, CL_DER_SEQUENCE, &body) || !cl_rd_done(&der)) {
        return CL_KIND_NONE;
    }
    if (cl_der_peek(&body, CL_DER_INTEGER)) {
        return of_numbered(body);
    }
    if (cl_der_peek(&body, CL_DER_ENUMERATED)) {
        return is_ocsp(body) ? CL_KIND_OCSP : CL_KIND_NONE;
    }
    if (!cl_der_get(&body, CL_DER_SEQUENCE, &first)) {
        return CL_KIND_NONE;
    }
    const uint8_t second = next_tag(&body);
    if (cl_rd_done(&body)) {
        return second == CL_DER_OCTET_STRING ? CL_KIND_PKCS8_SEALED
               : second == CL_DER_BIT_STRING ? CL_KIND_PUBLIC
                                             : CL_KIND_NONE;
    }
    if (second != CL_DER_SEQUENCE || next_tag(&body) != CL_DER_BIT_STRING || !cl_rd_done(&body)) {
        return CL_KIND_NONE;
    }
    return of_signed(first);
}

enum cl_kind cl_kind_of_label(struct cl_rd label)
{
    for (int i = 1; i < CL_KIND_COUNT; i++) {
        if (cl_rd_equal_str(label, rows[i].label)) {
            return (enum cl_kind)i;
        }
    }
    for (size_t i = 0; i < sizeof(old_labels) / sizeof(old_labels[0]); i++) {
        if (cl_rd_equal_str(label, old_labels[i].label)) {
            return old_labels[i].kind;
        }
    }
    return CL_KIND_NONE;
}

const char *cl_kind_label(enum cl_kind kind)
{
    return rows[kind].label;
}

const char *cl_kind_name(enum cl_kind kind)
{
    return rows[kind].name;
}
