/* x509/dn.h - distinguished names: form, comparison (RFC 5280 7.1), text (RFC 4514). */
#ifndef CL_X509_DN_H
#define CL_X509_DN_H

#include "x509/fields.h"

/* 4,096: RDNs of one name; limbo's hostile ones have 2,048 */
#define CL_DN_MAX_RDNS  4096
/* 16: attributes of one RDN; nearly always one */
#define CL_DN_MAX_ATTRS 16

/* cl_name_parse takes a Name from r and hashes it. */
CL_RD_MUST bool cl_name_parse(struct cl_rd *r, struct cl_name *out);

/* cl_name_of makes a cl_name of the contents of a Name (as inside a GeneralName); false if
 * malformed. */
CL_RD_MUST bool cl_name_of(struct cl_rd rdns, struct cl_name *out);

static inline bool cl_name_empty(const struct cl_name *name)
{
    return name->rdns.len == 0;
}

/* cl_name_equal compares: case and superfluous white space do not count, nor the string type. */
CL_RD_MUST bool cl_name_equal(const struct cl_name *a, const struct cl_name *b);

/* cl_name_within says whether name begins with all RDNs of base (RFC 5280 7.1); *work counts the
 * RDNs compared. base may be empty. */
CL_RD_MUST bool cl_name_within(struct cl_rd rdns, struct cl_rd base, uint32_t *work);

/* One attribute of a name, as the walk gives it: *rest is advanced; set is the walk's own state,
 * empty at first. False at the end. */
struct cl_attr {
    enum cl_oid id;
    struct cl_rd oid;
    uint8_t tag;
    struct cl_rd value;
};
CL_RD_MUST bool cl_name_attr(struct cl_rd *rest, struct cl_rd *set, struct cl_attr *out);

/* cl_name_text writes RFC 4514 text (last RDN first), cl_attr_text one attribute's value as UTF-8
 * without escapes; both as snprintf does. */
size_t cl_name_text(const struct cl_name *name, char *out, size_t cap);
size_t cl_attr_text(const struct cl_attr *attr, char *out, size_t cap);

/* cl_name_common_name finds the last CN. */
CL_RD_MUST bool cl_name_common_name(const struct cl_name *name, struct cl_attr *out);

#endif
