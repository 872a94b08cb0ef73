/* fuzz/fuzz_cert.c - one certificate: parsed, and everything said about it that can be said. */
#include <stdlib.h>

#include "lint_count.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Texts fit their room, whatever its size, and report the same length. */
static void check_text(size_t (*text)(const struct cleat_cert *, char *, size_t),
                       const struct cleat_cert *cert)
{
    char room[4096];
    char small[8];
    size_t len = text(cert, room, sizeof(room));
    if (len != text(cert, small, sizeof(small)) || len != text(cert, NULL, 0) ||
        (len < sizeof(room) && strlen(room) != len)) {
        abort();
    }
}

static void show(const struct cleat_cert *cert)
{
    char text[128];
    uint8_t digest[32];
    enum cleat_san_kind kind;
    struct cleat_ext_info ext;
    const struct cl_pubkey *key;
    check_text(cleat_cert_subject, cert);
    check_text(cleat_cert_issuer, cert);
    check_text(cleat_cert_common_name, cert);
    check_text(cleat_cert_serial, cert);
    check_text(cleat_cert_key_kind, cert);
    check_text(cleat_cert_signature_kind, cert);
    check_text(cleat_cert_key_usage, cert);
    check_text(cleat_cert_ext_key_usage, cert);
    check_text(cleat_cert_spki_pin, cert);
    cleat_cert_fingerprint(cert, digest);
    for (size_t i = 0; cleat_cert_san(cert, i, &kind, text, sizeof(text)); i++) {
    }
    for (size_t i = 0; cleat_cert_ext(cert, i, &ext); i++) {
    }
    for (size_t i = 0; i < 4; i++) {
        (void)cleat_cert_ca_issuers_url(cert, i, text, sizeof(text));
        (void)cleat_cert_ocsp_url(cert, i, text, sizeof(text));
        (void)cleat_cert_crl_url(cert, i, text, sizeof(text));
    }
    (void)cleat_cert_matches_host(cert, "www.example.com");
    (void)cleat_cert_matches_host(cert, "192.0.2.1");
    if ((cl_cert_pubkey(cert, &key) == CL_OK) != (key != NULL)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cleat_cert *cert = NULL;
    struct cleat_error err = {0};
    const cl_result r = cl_cert_parse(&cert, cl_rd_of(data, size), &err);
    if ((r == CL_OK) != (cert != NULL) || (r != CL_OK && err.text[0] == '\0')) {
        abort();
    }
    if (cert != NULL) {
        if (!cl_rd_equal(cl_cert_der(cert), cl_rd_of(data, size))) {
            abort();
        }
        show(cert);
        size_t num_found = 0;
        const struct cl_linting ask = {
            .web = true, .now = 1780272000, .sink = lint_count, .ctx = &num_found};
        cl_lint_cert(&ask, cert);
    }
    cleat_cert_free(cert);
    return 0;
}
