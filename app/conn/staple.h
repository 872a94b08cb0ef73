/* conn/staple.h - what came with the server's certificate, as it is: nothing of it is verified
 * here. */
#ifndef CL_CONN_STAPLE_H
#define CL_CONN_STAPLE_H

#include "cleat/tls.h"

struct cl_staple {
    size_t ocsp_len;         /* bytes of the OCSP response; 0: there was none */
    const char *ocsp_status; /* its responseStatus (RFC 6960 4.2.1): "successful"; "" when none */
    size_t num_scts;         /* certificate timestamps in the list (RFC 6962 3.3) */
};

/* cl_staple_of fills *out; all zero after a resumption. */
void cl_staple_of(const struct cleat_tls *tls, struct cl_staple *out);

#endif
