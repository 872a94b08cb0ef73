/* cli/cert_names.c - see cert_names.h. */
#include "cli/cert_names.h"

#include <idn2.h>
#include <string.h>

#include "dns/addr.h"
#include "x509/name.h"

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

static cl_result sort_dns(struct cert_names *n, const char *name, struct cleat_error *err)
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

cl_result cert_names_sort(struct cert_names *n, const char *const *names, size_t num,
                          struct cleat_error *err)
{
    if (num > CERT_MAX_NAMES) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG},
                            "%zu names: %d are the limit", num, CERT_MAX_NAMES);
    }
    for (size_t i = 0; i < num; i++) {
        struct cl_addr addr;
        const char *name = names[i];
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

void cert_names_deinit(struct cert_names *n)
{
    for (size_t i = 0; i < n->num_converted; i++) {
        idn2_free(n->converted[i]);
    }
    *n = (struct cert_names){0};
}

void cert_names_fill(const struct cert_names *n, const char *first, struct cl_cert_template *tpl)
{
    /* 64 bytes: RFC 5280 A.1, ub-common-name */
    tpl->common_name = strlen(first) <= 64 ? first : NULL;
    tpl->dns_names = n->dns;
    tpl->num_dns_names = n->num_dns;
    tpl->ip_addresses = n->ip;
    tpl->num_ip_addresses = n->num_ip;
    tpl->emails = n->email;
    tpl->num_emails = n->num_email;
}
