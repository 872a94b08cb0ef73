/* cli/sign_ca.c - see sign_ca.h: the CA itself, and what it signed on its way out. */
#include "cli/sign_ca.h"

#include <stdio.h>

#include "base/pem.h"
#include "cli/cert_items.h"
#include "x509/fields.h"

cl_result sign_refuse(struct cleat_error *err, const char *section, const char *path,
                      const char *why, const char *hint)
{
    const struct cl_why reason = {.code = CLEAT_ERR_BAD_CONFIG, .section = section, .hint = hint};
    return cl_error_set(err, reason, "%s: %s", path, why);
}

static cl_result check(const struct sign_ca *ca, unsigned usage, const char *usage_name,
                       int64_t now, struct cleat_error *err)
{
    const char *path = ca->cert_path;
    char why[80];
    if (!cl_rd_equal(cl_cert_spki(ca->cert), cl_key_spki(ca->key))) {
        return sign_refuse(err, NULL, ca->key_path, "it is not the key of the CA's certificate",
                           "cleat cert match tells which belong together");
    }
    if (!cleat_cert_is_ca(ca->cert)) {
        return sign_refuse(err, "RFC 5280 4.2.1.9", path, "it is not the certificate of a CA",
                           NULL);
    }
    if (cl_cert_has(ca->cert, CL_OID_EXT_KEY_USAGE) && (ca->cert->key_usage & usage) == 0) {
        (void)snprintf(why, sizeof(why), "its key usage has no %s", usage_name);
        return sign_refuse(err, "RFC 5280 4.2.1.3", path, why, NULL);
    }
    if (now > cleat_cert_not_after(ca->cert) || now < cleat_cert_not_before(ca->cert)) {
        return sign_refuse(err, "RFC 5280 4.1.2.5", path, "it has expired, or is not valid yet",
                           NULL);
    }
    return CL_OK;
}

cl_result sign_ca_open(struct sign_ca *ca, unsigned usage, const char *usage_name, int64_t now,
                       struct cleat_error *err)
{
    CL_TRY(cert_key_read(ca->key_path, &ca->how, &ca->key, err));
    CL_TRY(cert_read(ca->cert_path, &ca->how, &ca->cert, err));
    return check(ca, usage, usage_name, now, err);
}

void sign_ca_deinit(struct sign_ca *ca)
{
    cleat_cert_free(ca->cert);
    cleat_key_free(ca->key);
    cl_passphrase_deinit(&ca->how.passphrase);
    *ca = (struct sign_ca){0};
}

cl_result sign_output(const char *label, struct cl_rd der, const char *path, bool as_der,
                      bool force, struct cleat_error *err)
{
    struct cl_buf pem = {0};
    if (as_der) {
        return cert_output(path, der, 0644, force, err);
    }
    cl_result r = cl_pem_encode(label, der, &pem);
    if (r == CLEAT_ERR_LIMIT) {
        r = sign_refuse(err, NULL, path != NULL ? path : "standard output",
                        "it is too long for PEM", "say --der");
    }
    if (r == CL_OK) {
        r = cert_output(path, cl_buf_view(&pem), 0644, force, err);
    }
    cl_buf_deinit(&pem);
    return r;
}
