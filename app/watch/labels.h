/* watch/labels.h - what certificates say, as the values of labels; for this floor alone. */
#ifndef CL_WATCH_LABELS_H
#define CL_WATCH_LABELS_H

#include "watch/series.h"
#include "x509/fields.h"

/* cl_watch_attr_text writes the last attribute of that kind of the subject or issuer; as a list all
 * of them, ",A,B,"; cut at whole values. */
void cl_watch_attr_text(const struct cleat_cert *cert, bool issuer, enum cl_oid id, bool list,
                        char *out, size_t cap);

/* cl_watch_sans_text lists the alternative names of the kinds (1 << CLEAT_SAN_DNS, ...): "a,b", or
 * fenced ",a,b,"; cut at whole names. */
void cl_watch_sans_text(const struct cleat_cert *cert, unsigned kinds, bool fenced, char *out,
                        size_t cap);

#endif
