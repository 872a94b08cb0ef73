/* fetch/sources.c - see sources.h. */
#include "fetch/sources.h"

#include <string.h>

#include "base/text.h"
#include "cleat/revocation.h"

static cl_result start(const struct cl_fetch_how *how, struct cl_fetch_spec spec,
                       struct cl_fetch **out, struct cleat_error *err)
{
    spec.hub = how->hub;
    spec.dns = how->dns;
    spec.tls = how->tls;
    spec.connect_ms = how->connect_ms;
    spec.timeout_ms = how->timeout_ms;
    spec.public_only = how->public_only;
    spec.done = how->done;
    spec.ctx = how->ctx;
    return cl_fetch_start(&spec, out, err);
}

/* RFC 6960 A.1: {url}/{url-encoding of base-64 encoding of the DER encoding of the OCSPRequest}.
 * false: too long for that, or the URL has a query, behind which no path can stand. */
static bool get_url(const char *url, struct cl_rd request, char out[CL_FETCH_MAX_OCSP_GET + 1])
{
    char base64[CL_BASE64_LEN(CLEAT_OCSP_MAX_REQUEST) + 1];
    struct cl_wr w = cl_wr_of((uint8_t *)out, CL_FETCH_MAX_OCSP_GET);
    const size_t len = strlen(url);
    if (len == 0 || strpbrk(url, "?#") != NULL) {
        return false;
    }
    cl_base64_encode(request.p, request.len, base64);
    cl_wr_bytes(&w, url, len);
    if (url[len - 1] != '/') {
        cl_wr_bytes(&w, "/", 1);
    }
    for (const char *c = base64; *c != '\0'; c++) {
        const char *escape = *c == '+' ? "%2B" : *c == '/' ? "%2F" : *c == '=' ? "%3D" : NULL;
        cl_wr_bytes(&w, escape != NULL ? escape : c, escape != NULL ? 3 : 1);
    }
    if (!cl_wr_ok(&w)) {
        return false;
    }
    out[w.len] = '\0';
    return true;
}

cl_result cl_fetch_ocsp(const struct cl_fetch_how *how, const char *url,
                        const struct cleat_cert *cert, const struct cleat_cert *issuer,
                        struct cl_fetch **out, struct cleat_error *err)
{
    uint8_t request[CLEAT_OCSP_MAX_REQUEST];
    char longer[CL_FETCH_MAX_OCSP_GET + 1];
    size_t len;
    int r = cleat_ocsp_request(cert, issuer, NULL, 0, request, sizeof(request), &len);
    if (r != CLEAT_OK) {
        return cl_error_set(err, (struct cl_why){.code = (cl_result)r}, "%s: no request: %s", url,
                            cleat_error_sentence(r));
    }
    struct cl_fetch_spec spec = {
        .url = url, .accept = "application/ocsp-response", .max = CL_FETCH_MAX_OCSP};
    if (get_url(url, cl_rd_of(request, len), longer)) {
        spec.url = longer;
    } else {
        spec.content_type = "application/ocsp-request";
        spec.post = cl_rd_of(request, len);
    }
    return start(how, spec, out, err);
}

cl_result cl_fetch_crl(const struct cl_fetch_how *how, const char *url, struct cl_fetch **out,
                       struct cleat_error *err)
{
    const struct cl_fetch_spec spec = {
        .url = url, .accept = "application/pkix-crl, */*;q=0.5", .max = CL_FETCH_MAX_CRL};
    return start(how, spec, out, err);
}

cl_result cl_fetch_aia(const struct cl_fetch_how *how, const char *url, struct cl_fetch **out,
                       struct cleat_error *err)
{
    const struct cl_fetch_spec spec = {.url = url,
                                       .accept = "application/pkix-cert, "
                                                 "application/pkcs7-mime;q=0.8, */*;q=0.5",
                                       .max = CL_FETCH_MAX_AIA};
    return start(how, spec, out, err);
}
