/* cli/dev_leaf.c - a leaf of the development CA: sort the names, build, sign. */
#include <idn2.h>
#include <string.h>

#include "base/mem.h"
#include "cli/dev_ca.h"
#include "dns/addr.h"
#include "x509/build.h"
#include "x509/name.h"
#include "base/pem.h"

#define DAY 86400

struct names {
    const char *dns[DEV_MAX_NAMES], *ip[DEV_MAX_NAMES], *email[DEV_MAX_NAMES];
    size_t num_dns, num_ip, num_email;
    uint8_t *converted[DEV_MAX_NAMES]; /* A-labels, from libidn2 */
    size_t num_converted;
};

static bool is_ascii(const char *s)
{
    for (; *s != '\0'; s++) {
        if ((unsigned char)*s >= 0x80) {
            return false;
        }
    }
    return true;
}

static cl_result bad_name(struct cleat_error *err, const char *name, const char *why)
{
    const struct cl_why reason = {
        .code = CLEAT_ERR_BAD_CONFIG,
        .hint = "give a DNS name, \"*.\" and a DNS name, an IP address or a mailbox"};
    return cl_error_set(err, reason, "\"%s\" cannot be in a certificate: %s", name, why);
}

static cl_result sort_dns(struct names *n, const char *name, struct cleat_error *err)
{
    const char *dns = name;
    if (!is_ascii(name)) {
        uint8_t *ascii = NULL;
        int r =
            idn2_lookup_u8((const uint8_t *)name, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
        if (r != IDN2_OK) {
            return bad_name(err, name, idn2_strerror(r));
        }
        n->converted[n->num_converted++] = ascii;
        dns = (const char *)ascii;
    }
    if (!cl_dns_valid(cl_rd_str(dns), true)) {
        return bad_name(err, name, "it is not a valid name");
    }
    n->dns[n->num_dns++] = dns;
    return CL_OK;
}

static cl_result sort_names(struct names *n, const struct dev_leaf *leaf, struct cleat_error *err)
{
    for (size_t i = 0; i < leaf->num_names; i++) {
        struct cl_addr addr;
        const char *name = leaf->names[i];
        if (cl_addr_parse(name, 0, &addr)) {
            n->ip[n->num_ip++] = name;
        } else if (strchr(name, '@') != NULL) {
            n->email[n->num_email++] = name;
        } else {
            CL_TRY(sort_dns(n, name, err));
        }
    }
    return CL_OK;
}

static cl_result build(const struct dev_ca *ca, const struct dev_leaf *leaf, const struct names *n,
                       int64_t now, const struct cleat_key *key, struct cl_buf *der,
                       int64_t *out_not_after, struct cleat_error *err)
{
    uint8_t serial[16];
    int64_t ca_end = cleat_cert_not_after(ca->cert);
    int64_t begin = now - DEV_BACKDATE > cleat_cert_not_before(ca->cert)
                        ? now - DEV_BACKDATE
                        : cleat_cert_not_before(ca->cert);
    /* Both ends belong to the validity (RFC 5280 4.1.2.5): a second less, or it is a day too long.
     */
    int64_t end = begin + (int64_t)leaf->days * DAY - 1;
    bool is_rsa = leaf->key_type == CL_KEY_RSA;
    *out_not_after = end < ca_end ? end : ca_end;
    CL_TRY(cl_rand(&cl_rng_system, serial, sizeof(serial)));
    struct cl_cert_template tpl = {
        .common_name = strlen(leaf->names[0]) <= 64 ? leaf->names[0] : NULL,
        .organization = "Cleat development certificate",
        .issuer = ca->cert,
        .spki = cl_key_spki(key),
        .serial = serial,
        .serial_len = sizeof(serial),
        .not_before = begin,
        .not_after = *out_not_after,
        .path_len = -1,
        .dns_names = n->dns,
        .num_dns_names = n->num_dns,
        .ip_addresses = n->ip,
        .num_ip_addresses = n->num_ip,
        .emails = n->email,
        .num_emails = n->num_email,
        .key_usage = CL_KU_DIGITAL_SIGNATURE | (is_rsa ? CL_KU_KEY_ENCIPHERMENT : 0u),
        .ext_key_usage = leaf->client ? CL_EKU_CLIENT_AUTH : CL_EKU_SERVER_AUTH,
    };
    return cl_cert_build(der, &tpl, ca->key, err);
}

cl_result dev_leaf_make(const struct dev_ca *ca, const struct dev_leaf *leaf, int64_t now,
                        struct cl_buf *cert_pem, struct cl_buf *key_pem, int64_t *out_not_after,
                        struct cleat_error *err)
{
    struct names n = {0};
    struct cl_buf der = {0};
    struct cleat_key *key = NULL;
    if (leaf->num_names == 0 || leaf->num_names > DEV_MAX_NAMES) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG},
                            "a certificate needs 1 to %d names", DEV_MAX_NAMES);
    }
    cl_result r = sort_names(&n, leaf, err);
    if (r == CL_OK) {
        r = cl_key_generate(&key, leaf->key_type, leaf->rsa_bits);
    }
    if (r == CL_OK) {
        r = build(ca, leaf, &n, now, key, &der, out_not_after, err);
    }
    if (r == CL_OK) {
        r = cl_pem_encode("CERTIFICATE", cl_buf_view(&der), cert_pem);
    }
    if (r == CL_OK) {
        r = cl_key_to_pem(key, key_pem);
    }
    if (r != CL_OK) {
        (void)cl_error_set(err, (struct cl_why){.code = r}, "the certificate cannot be made: %s",
                           cleat_error_sentence((int)r));
    }
    for (size_t i = 0; i < n.num_converted; i++) {
        idn2_free(n.converted[i]);
    }
    cleat_key_free(key);
    cl_buf_deinit(&der);
    return r;
}
