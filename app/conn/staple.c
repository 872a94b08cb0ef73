/* conn/staple.c - see staple.h. */
#include "conn/staple.h"

#include "cleat/tls_options.h"
#include "x509/ocsp.h"

/* RFC 6960 4.2.1: OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED, ... } */
static const char *ocsp_status(struct cl_rd response)
{
    struct cl_rd body, status;
    uint8_t number;
    if (!cl_der_get(&response, CL_DER_SEQUENCE, &body) ||
        !cl_der_get(&body, CL_DER_ENUMERATED, &status) || !cl_rd_u8(&status, &number) ||
        !cl_rd_done(&status)) {
        return "malformed";
    }
    return cl_ocsp_status_name(number);
}

static size_t count_scts(struct cl_rd bytes)
{
    struct cl_rd list, sct;
    size_t num = 0;
    if (!cl_rd_vec16(&bytes, &list)) {
        return 0;
    }
    while (cl_rd_vec16(&list, &sct)) {
        num++;
    }
    return num;
}

void cl_staple_of(const struct cleat_tls *tls, struct cl_staple *out)
{
    size_t len = 0;
    const uint8_t *p = cleat_tls_peer_staple(tls, &len);
    *out = (struct cl_staple){.ocsp_len = len, .ocsp_status = ""};
    if (p != NULL) {
        out->ocsp_status = ocsp_status(cl_rd_of(p, len));
    }
    p = cleat_tls_peer_scts(tls, &len);
    if (p != NULL) {
        out->num_scts = count_scts(cl_rd_of(p, len));
    }
}
