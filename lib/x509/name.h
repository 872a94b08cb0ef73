/* x509/name.h - names: is a certificate for this host, are two distinguished names the same. */
#ifndef CL_X509_NAME_H
#define CL_X509_NAME_H

#include "x509/cert.h"

/* cl_cert_matches_host: see cleat_cert_matches_host. host NULL or empty matches nothing. */
bool cl_cert_matches_host(const struct cleat_cert *cert, const char *host);

/* cl_cert_matches_email: a mailbox of the SANs is the same: local part by case, domain without. */
bool cl_cert_matches_email(const struct cleat_cert *cert, const char *email);

/* cl_ip_parse reads an IP literal, v4 or v6, with or without brackets; *len is 4 or 16. */
CL_RD_MUST bool cl_ip_parse(const char *text, size_t text_len, uint8_t out[16], size_t *len);

/* cl_dns_matches compares a presented DNS-ID (may begin with "*.") with a reference name. */
CL_RD_MUST bool cl_dns_matches(struct cl_rd presented, struct cl_rd reference);

/* cl_dns_valid: LDH labels of 1 to 63 bytes, at most 253 in all, the last not all digits; a leading
 * "*." if wildcard. RFC 5280 4.2.1.6, RFC 1034 3.5, RFC 1123 2.1. */
CL_RD_MUST bool cl_dns_valid(struct cl_rd name, bool wildcard);

#endif
