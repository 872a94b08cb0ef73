/* cli/show_items.h - what `cleat cert show` says of things that are no certificates. */
#ifndef CL_CLI_SHOW_ITEMS_H
#define CL_CLI_SHOW_ITEMS_H

#include "cli/cert_items.h"
#include "cli/facts.h"
#include "x509/ct.h"

struct show_wish {
    const char *path;
    size_t max_entries;  /* of lists and responses */
    struct cl_rd serial; /* only entries about this certificate; empty: all */
    struct cert_opening *how;
    const struct cleat_ct_logs *logs; /* those with names; or NULL */
};

/* Each says what it is and fails, with err naming the reason and no path, when it is malformed.
 * show_item finds the right one; for a certificate it does nothing. */
CL_MUST cl_result show_item(struct facts *f, const struct cert_item *item,
                            const struct show_wish *w, struct cleat_error *err);
CL_MUST cl_result show_crl(struct facts *f, const struct cert_item *item, const struct show_wish *w,
                           struct cleat_error *err);
CL_MUST cl_result show_ocsp(struct facts *f, const struct cert_item *item,
                            const struct show_wish *w, struct cleat_error *err);
CL_MUST cl_result show_scts(struct facts *f, const struct cert_item *item,
                            const struct show_wish *w, struct cleat_error *err);

/* show_sct_list says the contents of a SignedCertificateTimestampList; logs may be NULL. DECODE. */
CL_MUST cl_result show_sct_list(struct facts *f, struct cl_rd list,
                                const struct cleat_ct_logs *logs, struct cleat_error *err);

/* show_cert_line says a certificate inside something else on one line. */
void show_cert_line(struct facts *f, const char *key, struct cl_rd der);

#endif
