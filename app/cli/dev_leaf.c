/* cli/dev_leaf.c - a leaf of the development CA: build, sign, write. */
#include "cli/cert_names.h"
#include "cli/dev_ca.h"
#include "crypto/pkcs12.h"
#include "x509/build.h"
#include "base/pem.h"

#define DAY 86400

static cl_result build(const struct dev_ca *ca, const struct dev_leaf *leaf,
                       const struct cert_names *n, int64_t now, const struct cleat_key *key,
                       struct cl_buf *der, int64_t *out_not_after, struct cleat_error *err)
{
    uint8_t serial[16];
    int64_t ca_end = cleat_cert_not_after(ca->cert);
    int64_t begin = now - DEV_BACKDATE > cleat_cert_not_before(ca->cert)
                        ? now - DEV_BACKDATE
                        : cleat_cert_not_before(ca->cert);
    /* Both ends belong to the validity (RFC 5280 4.1.2.5): a second less, or it is a day too long.
     */
    int64_t end = begin + (int64_t)leaf->days * DAY - 1;
    bool is_rsa = leaf->key_type == CL_KEY_RSA;
    *out_not_after = end < ca_end ? end : ca_end;
    CL_TRY(cl_rand(&cl_rng_system, serial, sizeof(serial)));
    struct cl_cert_template tpl = {
        .organization = "Cleat development certificate",
        .issuer = ca->cert,
        .spki = cl_key_spki(key),
        .serial = serial,
        .serial_len = sizeof(serial),
        .not_before = begin,
        .not_after = *out_not_after,
        .path_len = -1,
        .key_usage = CL_KU_DIGITAL_SIGNATURE | (is_rsa ? CL_KU_KEY_ENCIPHERMENT : 0u),
        .ext_key_usage = leaf->client ? CL_EKU_CLIENT_AUTH : CL_EKU_SERVER_AUTH,
    };
    cert_names_fill(n, leaf->names[0], &tpl);
    return cl_cert_build(der, &tpl, ca->key, err);
}

cl_result dev_leaf_make(const struct dev_ca *ca, const struct dev_leaf *leaf, int64_t now,
                        struct dev_made *out, struct cleat_error *err)
{
    struct cert_names n = {0};
    *out = (struct dev_made){0};
    if (leaf->num_names == 0 || leaf->num_names > CERT_MAX_NAMES) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG},
                            "a certificate needs 1 to %d names", CERT_MAX_NAMES);
    }
    cl_result r = cert_names_sort(&n, leaf->names, leaf->num_names, err);
    if (r == CL_OK) {
        r = cl_key_generate(&out->key, leaf->key_type, leaf->rsa_bits);
    }
    if (r == CL_OK) {
        r = build(ca, leaf, &n, now, out->key, &out->der, &out->not_after, err);
    }
    if (r != CL_OK) {
        (void)cl_error_set(err, (struct cl_why){.code = r}, "the certificate cannot be made: %s",
                           cleat_error_sentence((int)r));
        dev_made_deinit(out);
    }
    cert_names_deinit(&n);
    return r;
}

void dev_made_deinit(struct dev_made *made)
{
    cleat_key_free(made->key);
    cl_buf_deinit(&made->der);
    *made = (struct dev_made){0};
}

cl_result dev_made_files(const struct dev_made *made, const char *cert_path, const char *key_path,
                         struct cleat_error *err)
{
    struct cl_buf cert_pem = {0};
    struct cl_buf key_pem = {0};
    cl_result r = cl_pem_encode("CERTIFICATE", cl_buf_view(&made->der), &cert_pem);
    if (r == CL_OK) {
        r = cl_key_to_pem(made->key, &key_pem);
    }
    if (r == CL_OK) {
        r = dev_file_write(key_path, cl_buf_view(&key_pem), 0600, err);
    }
    if (r == CL_OK) {
        r = dev_file_write(cert_path, cl_buf_view(&cert_pem), 0644, err);
    }
    cl_buf_deinit(&cert_pem);
    cl_buf_deinit(&key_pem);
    return r;
}

cl_result dev_made_p12(const struct dev_made *made, const struct dev_ca *ca, const char *name,
                       const char *path, struct cleat_error *err)
{
    const struct cl_rd certs[] = {cl_buf_view(&made->der), cl_cert_der(ca->cert)};
    const struct cl_pkcs12_content content = {.key = made->key,
                                              .certs = certs,
                                              .num_certs = 2,
                                              .name =
                                                  strlen(name) <= CL_PKCS12_NAME_MAX ? name : NULL,
                                              .passphrase = cl_rd_str(DEV_P12_PASSWORD)};
    struct cl_buf p12 = {0};
    cl_result r = cl_pkcs12_build(&p12, &content, err);
    if (r == CL_OK) {
        r = dev_file_write(path, cl_buf_view(&p12), 0600, err);
    }
    cl_buf_deinit(&p12);
    return r;
}
