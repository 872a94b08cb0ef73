/* x509/checks.c - one certificate in its role: the leaf, or the issuer of the certificate below it.
 * What concerns the path as a whole is in constraints.c and policy.c, signatures in verify.c. */
#include <stdio.h>

#include "x509/name.h"
#include "x509/verify_impl.h"

/* 2,048: CABF BR 6.1.5, NIST SP 800-131A; every RSA key of a path, the anchor's too */
#define MIN_RSA_BITS 2048

static bool check_algorithm(const struct cleat_cert *cert, size_t depth, struct cl_fail *fail)
{
    char name[96] = "";
    if (cert->sig_alg != NULL) {
        return true;
    }
    if (cl_fail_wanted(fail)) {
        cleat_cert_signature_kind(cert, name, sizeof(name));
    }
    fail->openssl = "CA_MD_TOO_WEAK";
    return cl_fail_set(fail, CLEAT_ERR_WEAK_KEY, CL_CHECK_ALGORITHM, depth, NULL,
                       "it must be issued anew, signed with SHA-256 or better",
                       "it is signed with %s, which is too weak or not known", name);
}

bool cl_check_key(const struct cleat_cert *cert, size_t depth, struct cl_fail *fail)
{
    const struct cl_pubkey *key;
    char kind[96] = "";
    cl_result r =
        cert->key_type != CL_KEY_NONE ? cl_cert_pubkey(cert, &key) : CLEAT_ERR_UNSUPPORTED;
    if (r == CLEAT_ERR_NOMEM) {
        return cl_fail_set(fail, r, CL_CHECK_KEY, depth, NULL, NULL, "out of memory");
    }
    if (r != CL_OK) {
        if (cl_fail_wanted(fail)) {
            cleat_cert_key_kind(cert, kind, sizeof(kind));
        }
        fail->openssl = "UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY";
        return cl_fail_set(fail, CLEAT_ERR_UNSUPPORTED_CERTIFICATE, CL_CHECK_KEY, depth, NULL,
                           "keys are ECDSA on P-256, P-384 or P-521, RSA of 2048 bits and more, "
                           "Ed25519, Ed448; ML-DSA where libcrypto has it (3.5)",
                           "its public key (%s) is %s", kind,
                           r == CLEAT_ERR_BAD_KEY ? "malformed" : "of a kind not supported");
    }
    bool rsa = cert->key_type == CL_KEY_RSA || cert->key_type == CL_KEY_RSA_PSS;
    if (rsa && cl_pubkey_bits(key) < MIN_RSA_BITS) {
        fail->openssl = depth == 0 ? "EE_KEY_TOO_SMALL" : "CA_KEY_TOO_SMALL";
        return cl_fail_set(fail, CLEAT_ERR_WEAK_KEY, CL_CHECK_KEY, depth, "CABF BR 6.1.5",
                           "a new key of at least 2048 bits, or ECDSA P-256, is needed",
                           "its RSA key has %u bits, fewer than %d", cl_pubkey_bits(key),
                           MIN_RSA_BITS);
    }
    return true;
}

/* "3 days", "2 hours", … */
static void span_text(int64_t seconds, char *out, size_t cap)
{
    static const struct {
        int64_t seconds;
        const char *one;
        const char *many;
    } units[] = {{86400, "day", "days"},
                 {3600, "hour", "hours"},
                 {60, "minute", "minutes"},
                 {1, "second", "seconds"}};
    size_t i = 0;
    while (i < 3 && seconds < units[i].seconds) {
        i++;
    }
    int64_t n = seconds / units[i].seconds;
    (void)snprintf(out, cap, "%lld %s", (long long)n, n == 1 ? units[i].one : units[i].many);
}

static bool check_validity(const struct cl_verify *v, const struct cleat_cert *cert, size_t depth,
                           struct cl_fail *fail)
{
    char when[CL_TIME_TEXT] = "";
    char now[CL_TIME_TEXT] = "";
    char span[32] = "";
    int64_t t = v->verdict->now;
    /* RFC 5280 4.1.2.5: "notBefore through notAfter, inclusive" */
    bool early = t < cert->not_before;
    if (!early && t <= cert->not_after) {
        return true;
    }
    if (cl_fail_wanted(fail)) {
        cl_time_text(early ? cert->not_before : cert->not_after, when);
        cl_time_text(t, now);
        span_text(early ? cert->not_before - t : t - cert->not_after, span, sizeof(span));
    }
    if (early) {
        return cl_fail_set(fail, CLEAT_ERR_CERT_NOT_YET_VALID, CL_CHECK_VALIDITY, depth, NULL,
                           "check this machine's clock",
                           "not valid for another %s (notBefore %s, "
                           "now %s)",
                           span, when, now);
    }
    const char *renew = v->verdict->purpose == CLEAT_PURPOSE_CLIENT
                            ? "the client must renew its certificate; or check this machine's clock"
                            : "the server must renew its certificate; or check this machine's "
                              "clock";
    return cl_fail_set(fail, CLEAT_ERR_CERT_EXPIRED, CL_CHECK_VALIDITY, depth, NULL,
                       depth == 0 ? renew : "a newer certificate of this issuer is needed",
                       "expired %s ago (notAfter %s, now %s)", span, when, now);
}

static bool check_critical(const struct cleat_cert *cert, size_t depth, struct cl_fail *fail)
{
    char oid[96] = "";
    if (cl_rd_done(&cert->unknown_critical)) {
        return true;
    }
    if (cl_fail_wanted(fail)) {
        cl_oid_describe(cert->unknown_critical, oid, sizeof(oid));
    }
    /* RFC 5280 4.2: "A certificate-using system MUST reject the certificate if it encounters a
     * critical extension it does not recognize" */
    return cl_fail_set(fail, CLEAT_ERR_UNKNOWN_CRITICAL, CL_CHECK_CRITICAL, depth, NULL,
                       "its issuer says that nobody may use it who does not know what that means",
                       "its critical extension %s is not understood", oid);
}

static bool check_eku(const struct cl_verify *v, const struct cleat_cert *cert, size_t depth,
                      struct cl_fail *fail)
{
    static const uint8_t wanted[] = {
        [CLEAT_PURPOSE_ANY] = 0xff,
        [CLEAT_PURPOSE_SERVER] = CL_EKU_BIT_SERVER | CL_EKU_BIT_ANY,
        [CLEAT_PURPOSE_CLIENT] = CL_EKU_BIT_CLIENT | CL_EKU_BIT_ANY,
    };
    char usages[160] = "";
    if (!cl_cert_has(cert, CL_OID_EXT_EKU) ||
        (cert->ext_key_usages & wanted[v->verdict->purpose]) != 0) {
        return true;
    }
    if (cl_fail_wanted(fail)) {
        cleat_cert_ext_key_usage(cert, usages, sizeof(usages));
    }
    fail->openssl = "INVALID_PURPOSE";
    const bool client = v->verdict->purpose == CLEAT_PURPOSE_CLIENT;
    const char *fix = depth != 0 ? "this CA is for other purposes: another CA must issue it"
                      : client   ? "the client needs a certificate issued for clientAuth"
                                 : "the server needs a certificate issued for serverAuth";
    return cl_fail_set(fail, CLEAT_ERR_BAD_KEY_USAGE, CL_CHECK_EKU, depth, NULL, fix,
                       "its extended key usage is %s, not %s", usages,
                       client ? "clientAuth" : "serverAuth");
}

/* What TLS does with the leaf's key: signatures, and in TLS 1.2 also key transport and agreement.
 * RFC 5280 leaves to each protocol which bits it needs, so the policy of that name does not ask;
 * the TLS engine asks for the exact bit in any case (RFC 9846 4.5.2). */
static bool check_leaf_key_usage(const struct cl_verify *v, const struct cleat_cert *cert,
                                 struct cl_fail *fail)
{
    unsigned good = CL_KU_DIGITAL_SIGNATURE | CL_KU_KEY_AGREEMENT;
    char usages[160] = "";
    if (v->verdict->purpose == CLEAT_PURPOSE_ANY || v->verdict->policy == CLEAT_POLICY_RFC5280 ||
        !cl_cert_has(cert, CL_OID_EXT_KEY_USAGE)) {
        return true;
    }
    if (v->verdict->purpose == CLEAT_PURPOSE_SERVER) {
        good |= CL_KU_KEY_ENCIPHERMENT;
    }
    if ((cert->key_usage & good) != 0) {
        return true;
    }
    if (cl_fail_wanted(fail)) {
        cleat_cert_key_usage(cert, usages, sizeof(usages));
    }
    fail->openssl = "INVALID_PURPOSE";
    return cl_fail_set(fail, CLEAT_ERR_BAD_KEY_USAGE, CL_CHECK_KEY_USAGE, 0, "RFC 5280 4.2.1.3",
                       "a certificate with digitalSignature is needed",
                       "its key usage is %s, without digitalSignature", usages);
}

/* The first SANs, for the message. */
static void sans_text(const struct cleat_cert *cert, char *out, size_t cap)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < cert->num_sans && i < 4 && len < cap; i++) {
        char san[80];
        enum cleat_san_kind kind;
        if (!cleat_cert_san(cert, i, &kind, san, sizeof(san))) {
            break;
        }
        len += (size_t)snprintf(out + len, cap - len, "%s%s", i != 0 ? ", " : "", san);
    }
    if (cert->num_sans > 4 && len < cap) {
        (void)snprintf(out + len, cap - len, ", ...");
    }
}

bool cl_check_host(const struct cl_verify *v, const struct cleat_cert *cert, struct cl_fail *fail)
{
    const char *host = v->verdict->host;
    char names[200] = "";
    uint8_t ip[16];
    size_t ip_len;
    if (host == NULL || cl_cert_matches_host(cert, host)) {
        return true;
    }
    if (cl_fail_wanted(fail)) {
        sans_text(cert, names, sizeof(names));
    }
    bool is_ip = cl_ip_parse(host, strlen(host), ip, &ip_len);
    fail->openssl = is_ip ? "IP_ADDRESS_MISMATCH" : "HOSTNAME_MISMATCH";
    if (cert->num_sans == 0) {
        return cl_fail_set(fail, CLEAT_ERR_NAME_MISMATCH, CL_CHECK_HOST, 0, NULL,
                           "the common name does not count (RFC 9525); the certificate must be "
                           "issued with subject alternative names",
                           "it is not for %s: it has no subject alternative names", host);
    }
    return cl_fail_set(fail, CLEAT_ERR_NAME_MISMATCH, CL_CHECK_HOST, 0, NULL,
                       "is this the right server? Else its certificate must also name this host",
                       "it is not for %s but for %s", host, names);
}

static bool check_email(const struct cl_verify *v, const struct cleat_cert *cert,
                        struct cl_fail *fail)
{
    if (v->verdict->email == NULL || cl_cert_matches_email(cert, v->verdict->email)) {
        return true;
    }
    fail->openssl = "EMAIL_MISMATCH";
    return cl_fail_set(fail, CLEAT_ERR_NAME_MISMATCH, CL_CHECK_EMAIL, 0, NULL,
                       "its subject alternative names must have this mailbox",
                       "it is not for the mailbox %s", v->verdict->email);
}

bool cl_check_leaf(struct cl_verify *v, struct cl_fail *fail)
{
    const struct cleat_cert *leaf = v->path.certs[0];
    return cl_check_key(leaf, 0, fail) && check_validity(v, leaf, 0, fail) &&
           check_critical(leaf, 0, fail) && check_leaf_key_usage(v, leaf, fail) &&
           check_eku(v, leaf, 0, fail) && cl_check_host(v, leaf, fail) &&
           check_email(v, leaf, fail) &&
           cl_lint(leaf, CL_ROLE_LEAF, v->verdict->policy, v->suffixes, 0, fail);
}

static bool check_basic(const struct cleat_cert *cert, size_t depth, bool anchor,
                        struct cl_fail *fail)
{
    /* RFC 5280 6.1.4 (k): a version 3 certificate says so itself; of older ones it must be known
     * "through out-of-band means": being an anchor is such a means. */
    if (cert->is_ca || (anchor && cert->version < 3)) {
        return true;
    }
    return cl_fail_set(fail, CLEAT_ERR_NOT_A_CA, CL_CHECK_BASIC, depth, NULL,
                       "a certificate that is not a CA's was used to issue others",
                       "it issued another certificate, but %s",
                       cl_cert_has(cert, CL_OID_EXT_BASIC) ? "is not a CA (cA false)"
                                                           : "has no basic constraints");
}

/* Intermediates below depth that are not self-issued; the leaf does not count. */
static int num_below(const struct cl_path *path, size_t depth)
{
    int num = 0;
    for (size_t i = 1; i < depth; i++) {
        num += !path->certs[i]->self_issued;
    }
    return num;
}

static bool check_path_len(const struct cl_verify *v, const struct cleat_cert *cert, size_t depth,
                           struct cl_fail *fail)
{
    int num = num_below(&v->path, depth);
    if (cert->path_len < 0 || num <= cert->path_len) {
        return true;
    }
    return cl_fail_set(fail, CLEAT_ERR_PATH_TOO_LONG, CL_CHECK_PATH_LEN, depth, NULL,
                       "a certificate from a CA nearer to it is needed, or it is issued anew",
                       "it allows %d intermediates below it, and there %s %d", cert->path_len,
                       num == 1 ? "is" : "are", num);
}

static bool check_ca_key_usage(const struct cleat_cert *cert, size_t depth, struct cl_fail *fail)
{
    if (!cl_cert_has(cert, CL_OID_EXT_KEY_USAGE) || (cert->key_usage & CL_KU_KEY_CERT_SIGN) != 0) {
        return true;
    }
    fail->openssl = "KEYUSAGE_NO_CERTSIGN";
    return cl_fail_set(fail, CLEAT_ERR_BAD_KEY_USAGE, CL_CHECK_KEY_USAGE, depth, NULL,
                       "it may not issue certificates: another CA must, or this one is issued anew",
                       "its key usage does not allow it to sign certificates (no keyCertSign)");
}

static bool check_as_issuer(const struct cl_verify *v, size_t depth, bool anchor,
                            struct cl_fail *fail)
{
    const struct cleat_cert *cert = v->path.certs[depth];
    return check_validity(v, cert, depth, fail) && check_critical(cert, depth, fail) &&
           check_basic(cert, depth, anchor, fail) && check_ca_key_usage(cert, depth, fail) &&
           check_eku(v, cert, depth, fail) &&
           cl_lint(cert, anchor ? CL_ROLE_ANCHOR : CL_ROLE_CA, v->verdict->policy, v->suffixes,
                   depth, fail);
}

bool cl_check_issuer(struct cl_verify *v, bool anchor, bool known, struct cl_fail *fail)
{
    size_t depth = v->path.num - 1;
    /* What depends on the path below comes last, so that the rest can be remembered. */
    return (known || check_as_issuer(v, depth, anchor, fail)) &&
           check_path_len(v, v->path.certs[depth], depth, fail);
}

bool cl_check_keys(struct cl_verify *v, struct cl_fail *fail)
{
    for (size_t i = 0; i < v->path.num; i++) {
        const struct cleat_cert *cert = v->path.certs[i];
        bool anchor = i + 1 == v->path.num;
        /* How the anchor itself is signed does not matter: it is trusted for other reasons. */
        if ((!anchor && !check_algorithm(cert, i, fail)) ||
            (i != 0 && !cl_check_key(cert, i, fail))) {
            return false;
        }
    }
    return true;
}
