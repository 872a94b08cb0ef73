/* cli/cert_print.c - certificates for people, and as JSON. */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "cli/cert.h"
#include "cli/show_items.h"

/* Goes up when a member changes its meaning or goes away. */
#define JSON_SCHEMA 1
/* 8,192: a text of a certificate that is longer is cut for people; nobody reads that far */
#define TEXT_SIZE   8192
#define DAY         86400

/* ---- texts ---- */

/* Names come from strangers: control bytes do not reach the terminal. */
static const char *get(size_t (*getter)(const struct cleat_cert *, char *, size_t),
                       const struct cleat_cert *cert, char text[TEXT_SIZE])
{
    text[0] = '\0';
    (void)getter(cert, text, TEXT_SIZE);
    cl_text_make_printable(text);
    return text;
}

static const char *format_time(int64_t t, char out[32])
{
    struct tm tm;
    time_t seconds = (time_t)t;
    if (gmtime_r(&seconds, &tm) == NULL || strftime(out, 32, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0) {
        (void)snprintf(out, 32, "%" PRId64, t);
    }
    return out;
}

static const char *format_iso(int64_t t, char out[32])
{
    struct tm tm;
    time_t seconds = (time_t)t;
    if (gmtime_r(&seconds, &tm) == NULL || strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
        (void)snprintf(out, 32, "%" PRId64, t);
    }
    return out;
}

static void format_validity(const struct cleat_cert *cert, int64_t now, char *out, size_t cap)
{
    int64_t begin = cleat_cert_not_before(cert), end = cleat_cert_not_after(cert);
    int64_t seconds = now < begin ? begin - now : now > end ? now - end : end - now;
    const char *what = now < begin ? "not yet valid: in" : now > end ? "EXPIRED" : "";
    const char *then = now < begin ? "" : now > end ? " ago" : " left";
    if (seconds < 2 * DAY) {
        (void)snprintf(out, cap, "%s%s%" PRId64 " hours%s", what, what[0] != '\0' ? " " : "",
                       seconds / 3600, then);
    } else {
        (void)snprintf(out, cap, "%s%s%" PRId64 " days%s", what, what[0] != '\0' ? " " : "",
                       seconds / DAY, then);
    }
}

static void format_fingerprint(const struct cleat_cert *cert, char out[96])
{
    uint8_t digest[32];
    cleat_cert_fingerprint(cert, digest);
    for (size_t i = 0; i < sizeof(digest); i++) {
        (void)snprintf(out + 3 * i, 4, "%02X%s", digest[i], i + 1 < sizeof(digest) ? ":" : "");
    }
}

/* ---- for people ---- */

/* 96: long lists are broken before they pass this column */
#define WRAP_COLUMN 96

static void row(FILE *out, const char *name, const char *value)
{
    (void)fprintf(out, "  %-12s %s\n", name, value);
}

static void print_names(const struct cleat_cert *cert, FILE *out)
{
    char text[TEXT_SIZE];
    enum cleat_san_kind kind;
    size_t column = 0;
    for (size_t i = 0; cleat_cert_san(cert, i, &kind, text, sizeof(text)); i++) {
        cl_text_make_printable(text);
        const char *name = cleat_san_kind_name(kind);
        size_t len = strlen(name) + strlen(text) + 3;
        if (i == 0) {
            column = (size_t)fprintf(out, "  %-12s ", "Names");
        } else if (column + len > WRAP_COLUMN) {
            (void)fprintf(out, ",\n%15s", "");
            column = 15;
        } else {
            (void)fprintf(out, ", ");
        }
        (void)fprintf(out, "%s:%s", name, text);
        column += len;
    }
    if (column > 0) {
        (void)fputc('\n', out);
    }
}

static void print_key(const struct cleat_cert *cert, FILE *out)
{
    char text[TEXT_SIZE];
    unsigned bits = cleat_cert_key_bits(cert);
    (void)fprintf(out, "  %-12s %s", "Key", get(cleat_cert_key_kind, cert, text));
    if (bits != 0) {
        (void)fprintf(out, ", %u bits", bits);
    }
    (void)fputc('\n', out);
}

static void print_urls(const struct cleat_cert *cert, FILE *out)
{
    static const struct {
        const char *name;
        size_t (*getter)(const struct cleat_cert *, size_t, char *, size_t);
    } rows[] = {{"Issuer at", cleat_cert_ca_issuers_url},
                {"OCSP", cleat_cert_ocsp_url},
                {"CRL", cleat_cert_crl_url}};
    char text[TEXT_SIZE];
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        for (size_t i = 0; rows[n].getter(cert, i, text, sizeof(text)) > 0; i++) {
            cl_text_make_printable(text);
            row(out, rows[n].name, text);
        }
    }
}

static void print_extensions(const struct cleat_cert *cert, FILE *out)
{
    struct cleat_ext_info ext;
    if (cleat_cert_num_exts(cert) > 0) {
        (void)fprintf(out, "  Extensions\n");
    }
    for (size_t i = 0; cleat_cert_ext(cert, i, &ext); i++) {
        cl_text_make_printable(ext.text);
        cl_text_make_printable(ext.name);
        (void)fprintf(out, "    %s%s: %s\n", ext.name, ext.critical ? " (critical)" : "", ext.text);
    }
}

/* What logs have signed of the certificate (RFC 6962 3.3), where it says that itself. */
static void say_scts(const struct cleat_cert *cert, const struct cert_report *report,
                     struct facts *f)
{
    struct cl_rd list;
    struct cleat_error err = {0};
    if (cl_sct_embedded(cert, &list) && show_sct_list(f, list, report->logs, &err) != CL_OK) {
        facts_text(f, "Timestamps", NULL, err.text);
    }
}

static void print_cert(const struct cleat_cert *cert, const struct cert_report *report, FILE *out)
{
    const int64_t now = report->now;
    struct facts f = {.out = out, .now = now};
    char text[TEXT_SIZE], when[32], left[64], digest[96];
    get(cleat_cert_subject, cert, text);
    row(out, "Subject", text[0] != '\0' ? text : "(empty)");
    row(out, "Issuer", get(cleat_cert_issuer, cert, text));
    print_names(cert, out);
    format_validity(cert, now, left, sizeof(left));
    row(out, "Valid from", format_time(cleat_cert_not_before(cert), when));
    (void)fprintf(out, "  %-12s %s (%s)\n", "Valid until",
                  format_time(cleat_cert_not_after(cert), when), left);
    row(out, "Serial", get(cleat_cert_serial, cert, text));
    print_key(cert, out);
    row(out, "Signature", get(cleat_cert_signature_kind, cert, text));
    if (cleat_cert_is_ca(cert)) {
        int path_len = cleat_cert_path_len(cert);
        (void)snprintf(text, sizeof(text), path_len < 0 ? "yes" : "yes, path length %d", path_len);
        row(out, "CA", text);
    }
    print_urls(cert, out);
    format_fingerprint(cert, digest);
    row(out, "SHA-256", digest);
    (void)fprintf(out, "  %-12s sha256//%s\n", "SPKI pin", get(cleat_cert_spki_pin, cert, text));
    print_extensions(cert, out);
    say_scts(cert, report, &f);
}

static void print_verdict(const struct cleat_verdict *verdict, FILE *out)
{
    char text[TEXT_SIZE];
    if (cleat_verdict_code(verdict) == CLEAT_OK) {
        size_t num = cleat_verdict_path_num(verdict);
        const struct cleat_cert *anchor = cleat_verdict_path_at(verdict, num - 1);
        (void)fprintf(out, "Verified: yes, up to %s\n", get(cleat_cert_subject, anchor, text));
        return;
    }
    const struct cleat_error *error = cleat_verdict_error(verdict);
    (void)fprintf(out, "Verified: NO: %s (%s%s%s)\n", error->text, cleat_error_name(error->code),
                  error->section[0] != '\0' ? ", " : "", error->section);
    if (error->hint[0] != '\0') {
        (void)fprintf(out, "  hint: %s\n", error->hint);
    }
}

void cert_print_text(const struct cert_report *report, FILE *out)
{
    size_t num = report->num;
    for (size_t i = 0; i < num; i++) {
        char text[TEXT_SIZE];
        const struct cleat_cert *cert = report->certs[i];
        get(cleat_cert_common_name, cert, text);
        (void)fprintf(out, "Certificate %zu of %zu%s%s\n", i + 1, num, text[0] != '\0' ? ": " : "",
                      text);
        print_cert(cert, report, out);
        (void)fputs(i + 1 < num || report->verdict != NULL ? "\n" : "", out);
    }
    if (report->verdict != NULL) {
        print_verdict(report->verdict, out);
    }
}

/* ---- for programs ---- */

static json_t *text_json(const char *text)
{
    json_t *value = text[0] != '\0' ? json_string(text) : json_null();
    return value != NULL ? value : json_string("(not UTF-8)");
}

static void set(json_t *o, const char *name, const char *text)
{
    (void)json_object_set_new(o, name, text_json(text));
}

static json_t *names_json(const struct cleat_cert *cert)
{
    char text[TEXT_SIZE];
    enum cleat_san_kind kind;
    json_t *list = json_array();
    for (size_t i = 0; cleat_cert_san(cert, i, &kind, text, sizeof(text)); i++) {
        json_t *o = json_object();
        set(o, "kind", cleat_san_kind_name(kind));
        set(o, "value", text);
        (void)json_array_append_new(list, o);
    }
    return list;
}

static json_t *extensions_json(const struct cleat_cert *cert)
{
    struct cleat_ext_info ext;
    json_t *list = json_array();
    for (size_t i = 0; cleat_cert_ext(cert, i, &ext); i++) {
        json_t *o = json_object();
        set(o, "oid", ext.oid);
        set(o, "name", ext.known ? ext.name : "");
        (void)json_object_set_new(o, "critical", json_boolean(ext.critical));
        set(o, "text", ext.text);
        (void)json_array_append_new(list, o);
    }
    return list;
}

static json_t *cert_json(const struct cleat_cert *cert, const struct cert_report *report)
{
    static const struct {
        const char *name;
        size_t (*getter)(const struct cleat_cert *, char *, size_t);
    } texts[] = {
        {"subject", cleat_cert_subject},
        {"issuer", cleat_cert_issuer},
        {"common_name", cleat_cert_common_name},
        {"serial", cleat_cert_serial},
        {"key", cleat_cert_key_kind},
        {"signature", cleat_cert_signature_kind},
        {"key_usage", cleat_cert_key_usage},
        {"ext_key_usage", cleat_cert_ext_key_usage},
        {"spki_pin_sha256", cleat_cert_spki_pin},
    };
    char text[TEXT_SIZE], when[32];
    uint8_t digest[32];
    json_t *o = json_object();
    struct facts f = {.object = o, .now = report->now};
    const int64_t now = report->now;
    int64_t begin = cleat_cert_not_before(cert), end = cleat_cert_not_after(cert);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        text[0] = '\0';
        (void)texts[i].getter(cert, text, sizeof(text));
        set(o, texts[i].name, text);
    }
    (void)json_object_set_new(o, "version", json_integer(cleat_cert_version(cert)));
    (void)json_object_set_new(o, "names", names_json(cert));
    set(o, "not_before", format_iso(begin, when));
    set(o, "not_after", format_iso(end, when));
    (void)json_object_set_new(o, "days_left", json_integer((end - now) / DAY));
    (void)json_object_set_new(o, "in_validity", json_boolean(now >= begin && now <= end));
    (void)json_object_set_new(o, "key_bits", json_integer(cleat_cert_key_bits(cert)));
    (void)json_object_set_new(o, "is_ca", json_boolean(cleat_cert_is_ca(cert)));
    (void)json_object_set_new(
        o, "path_len",
        cleat_cert_path_len(cert) >= 0 ? json_integer(cleat_cert_path_len(cert)) : json_null());
    cleat_cert_fingerprint(cert, digest);
    cl_hex_encode(digest, sizeof(digest), text);
    set(o, "sha256", text);
    (void)json_object_set_new(o, "extensions", extensions_json(cert));
    (void)json_object_set_new(o, "timestamps", json_array());
    say_scts(cert, report, &f);
    return o;
}

static json_t *verdict_json(const struct cleat_verdict *verdict)
{
    if (verdict == NULL) {
        return json_null();
    }
    json_t *o = json_object();
    int code = cleat_verdict_code(verdict);
    (void)json_object_set_new(o, "accepted", json_boolean(code == CLEAT_OK));
    set(o, "code", cleat_error_name(code));
    set(o, "text", code != CLEAT_OK ? cleat_verdict_error(verdict)->text : "");
    set(o, "section", code != CLEAT_OK ? cleat_verdict_error(verdict)->section : "");
    return o;
}

void cert_print_json(const struct cert_report *report, FILE *out)
{
    json_t *all = json_object(), *list = json_array();
    for (size_t i = 0; i < report->num; i++) {
        (void)json_array_append_new(list, cert_json(report->certs[i], report));
    }
    (void)json_object_set_new(all, "schema", json_integer(JSON_SCHEMA));
    set(all, "source", report->source);
    (void)json_object_set_new(all, "certificates", list);
    (void)json_object_set_new(all, "items",
                              report->items != NULL ? json_incref(report->items) : json_array());
    (void)json_object_set_new(all, "verified", verdict_json(report->verdict));
    (void)json_dumpf(all, out, JSON_INDENT(2));
    (void)fputc('\n', out);
    json_decref(all);
}
