/* cli/client_pins.c - see client_pins.h. What a pin looks like is the library's to say: a builder
 * that is thrown away is asked. */
#include "cli/client_pins.h"

#include <string.h>

#include "base/pem.h"
#include "base/result.h"
#include "cleat/tls_auth.h"
#include "cli/get_codes.h"
#include "cli/read_file.h"
#include "x509/cert.h"

static const char prefix[] = "sha256//";

/* 1 MiB: curl's limit for a file with a public key */
#define MAX_FILE     (1u << 20)
/* SEQUENCE: what begins with it is DER, not PEM */
#define DER_SEQUENCE 0x30

static bool is_list(const char *value)
{
    return strncmp(value, prefix, sizeof(prefix) - 1) == 0;
}

static int refuse(struct cleat_error *err, const struct cleat_tls_builder *b, int code)
{
    if (cleat_tls_builder_error(b)->code != 0) {
        *err = *cleat_tls_builder_error(b);
    }
    return code;
}

/* A list of hashes, with semicolons between. */
static int read_list(const char *value, struct cleat_tls_builder *b, struct client_pins *out,
                     struct cleat_error *err)
{
    for (const char *p = value;; p++) {
        const size_t len = strcspn(p, ";");
        char *pin = out->items[out->num];
        if (len > CLEAT_RAW_PIN_LEN) { /* the library quotes it */
            (void)cleat_tls_builder_pin(b, p);
            return refuse(err, b, GET_EXIT_USAGE);
        }
        memcpy(pin, p, len);
        pin[len] = '\0';
        if (cleat_tls_builder_pin(b, pin) != CLEAT_OK) {
            return refuse(err, b, GET_EXIT_USAGE);
        }
        out->num++;
        p += len;
        if (*p == '\0') {
            return 0;
        }
        if (out->num == CLIENT_PINS_MAX) {
            (void)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_LIMIT},
                               "more than %d pins are given", CLIENT_PINS_MAX);
            return GET_EXIT_USAGE;
        }
    }
}

/* ---- files ---- */

/* The first public key of PEM. */
static cl_result decode_pem(struct cl_rd text, struct cl_buf *der, struct cleat_error *err)
{
    struct cl_pem pem;
    struct cl_pem_block block;
    bool found = true;
    cl_pem_init(&pem, (const char *)text.p, text.len, err);
    while (found) {
        CL_TRY(cl_pem_next(&pem, &block, &found));
        if (found && cl_rd_equal_str(block.label, "PUBLIC KEY")) {
            return cl_pem_decode(&pem, &block, der, MAX_FILE);
        }
    }
    return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_KEY},
                        "it holds no public key (PEM with PUBLIC KEY, or DER)");
}

static int bad_file(const char *path, const char *why, struct cleat_error *err)
{
    char reason[sizeof(err->text)];
    (void)snprintf(reason, sizeof(reason), "%s", why); /* it may be a part of err */
    (void)cl_error_set(err,
                       (struct cl_why){.code = CLEAT_ERR_BAD_KEY,
                                       .hint = "give sha256//BASE64, which `cleat cert show` "
                                               "prints for a certificate's key, or a file with a "
                                               "public key, as `openssl x509 -pubkey` writes it"},
                       "--pinnedpubkey: %.100s: %.200s", path, reason);
    return GET_EXIT_PIN;
}

static int read_key(const char *path, struct cleat_tls_builder *b, struct client_pins *out,
                    struct cleat_error *err)
{
    struct cl_buf text = {0}, decoded = {0};
    struct cleat_error detail = {0};
    const char *why = "";
    int code = 0;
    if (!cl_read_file(path, &text, MAX_FILE, &why)) {
        code = bad_file(path, why, err);
        cl_buf_deinit(&text);
        return code;
    }
    struct cl_rd der = cl_buf_view(&text);
    if (der.len == 0 || der.p[0] != DER_SEQUENCE) {
        cl_result r = decode_pem(der, &decoded, &detail);
        code = r == CL_OK ? 0 : bad_file(path, detail.text, err);
        der = cl_buf_view(&decoded);
    }
    if (code == 0 && cleat_tls_builder_pin_key(b, der.p, der.len) != CLEAT_OK) {
        code = bad_file(path, cleat_tls_builder_error(b)->text, err);
    }
    if (code == 0) {
        cleat_raw_key_pin(der.p, der.len, out->items[out->num++]);
    }
    cl_buf_deinit(&text);
    cl_buf_deinit(&decoded);
    return code;
}

/* ---- the option ---- */

int client_pins_read(const char *value, struct client_pins *out, struct cleat_error *err)
{
    struct cleat_tls_builder *b;
    out->num = 0;
    if (cleat_tls_builder_new(CLEAT_CLIENT, &b) != CLEAT_OK) {
        return GET_EXIT_NO_MEMORY;
    }
    const int code = is_list(value) ? read_list(value, b, out, err) : read_key(value, b, out, err);
    cleat_tls_builder_free(b);
    return code;
}

int client_pins_check(const struct client_options *o, const struct cl_usage *usage)
{
    struct client_pins pins;
    struct cleat_error err = {0};
    if (o->pinned == NULL) {
        return 0;
    }
    if (o->psk != NULL) {
        return cl_options_complain(usage, "--pinnedpubkey wants the server to show a key, with "
                                          "--psk it shows none: give one of the two");
    }
    if (is_list(o->pinned) && client_pins_read(o->pinned, &pins, &err) != 0) {
        return cl_options_complain(usage, "--pinnedpubkey: %s", err.text);
    }
    return 0;
}

int client_pins_add(const struct client_options *o, struct cleat_tls_builder *b,
                    struct cleat_error *err)
{
    struct client_pins pins = {.num = 0};
    int code = o->pinned != NULL ? client_pins_read(o->pinned, &pins, err) : 0;
    for (size_t i = 0; code == 0 && i < pins.num; i++) {
        if (cleat_tls_builder_pin(b, pins.items[i]) != CLEAT_OK) {
            code = refuse(err, b, GET_EXIT_NO_MEMORY);
        }
    }
    return code;
}

int client_pins_judge(const struct client_pins *pins, const struct cleat_cert *cert,
                      char out[CLEAT_RAW_PIN_LEN + 1], struct cleat_error *err)
{
    const struct cl_rd spki = cl_cert_spki(cert);
    cleat_raw_key_pin(spki.p, spki.len, out);
    for (size_t i = 0; i < pins->num; i++) {
        if (strcmp(pins->items[i], out) == 0) {
            return CLEAT_OK;
        }
    }
    return (int)cl_error_set(err,
                             (struct cl_why){CLEAT_ERR_PIN_MISMATCH, 0, "RFC 7469 2.6",
                                             "if this is the key that is meant to be there, pin "
                                             "it beside the old one"},
                             "the certificate's key is %s, which is none of the %zu that %s pinned",
                             out, pins->num, pins->num == 1 ? "is" : "are");
}
