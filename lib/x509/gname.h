/* x509/gname.h - GeneralName and GeneralNames (RFC 5280 4.2.1.6). */
#ifndef CL_X509_GNAME_H
#define CL_X509_GNAME_H

#include "x509/dn.h"

struct cl_gname {
    enum cleat_san_kind kind;
    struct cl_rd value; /* contents; for a directory name the RDNs */
};

/* cl_gname_next takes the next GeneralName: tag and string type are checked, and the form of a
 * directory name; not what a DNS name, mailbox or address looks like. False when malformed. */
CL_RD_MUST bool cl_gname_next(struct cl_rd *r, struct cl_gname *out);

/* cl_gnames_valid checks the contents of GeneralNames: at least one, all well formed, addresses of
 * 4 or 16 bytes; counts them in *num. */
CL_RD_MUST bool cl_gnames_valid(struct cl_rd names, uint32_t *num);

/* cl_email_valid: one "@", something on both sides, the right one a host name. */
CL_RD_MUST bool cl_email_split(struct cl_rd email, struct cl_rd *local, struct cl_rd *domain);

/* cl_gname_text writes the value for people, as snprintf does. */
size_t cl_gname_text(const struct cl_gname *name, char *out, size_t cap);

#endif
