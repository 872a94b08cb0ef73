/* cli/get_write_out.c - the variables of --write-out, as a table. */
#include "cli/get_write_out.h"

#include <inttypes.h>
#include <jansson.h>
#include <stddef.h>
#include <string.h>

#include "cli/get_options.h"
#include "cli/read_file.h"

enum kind { TEXT, SECONDS, BYTES, NUMBER, BOOLEAN, CODE };

struct variable {
    const char *name;
    enum kind kind;
    size_t offset;
};

#define AT(field) offsetof(struct get_facts, field)
static const struct variable variables[] = {
    {"content_type", TEXT, AT(content_type)},
    {"errormsg", TEXT, AT(errormsg)},
    {"exitcode", NUMBER, AT(exit_code)},
    {"filename_effective", TEXT, AT(filename_effective)},
    {"http_code", CODE, AT(http_code)},
    {"http_version", TEXT, AT(http_version)},
    {"local_ip", TEXT, AT(local_ip)},
    {"local_port", NUMBER, AT(local_port)},
    {"method", TEXT, AT(method)},
    {"num_connects", NUMBER, AT(num_connects)},
    {"num_headers", NUMBER, AT(num_headers)},
    {"num_redirects", NUMBER, AT(num_redirects)},
    {"redirect_url", TEXT, AT(redirect_url)},
    {"remote_ip", TEXT, AT(remote_ip)},
    {"remote_port", NUMBER, AT(remote_port)},
    {"response_code", CODE, AT(http_code)},
    {"scheme", TEXT, AT(scheme)},
    {"size_download", BYTES, AT(size_download)},
    {"size_header", BYTES, AT(size_header)},
    {"size_request", BYTES, AT(size_request)},
    {"size_upload", BYTES, AT(size_upload)},
    {"speed_download", BYTES, AT(speed_download)},
    {"speed_upload", BYTES, AT(speed_upload)},
    {"ssl_verify_result", NUMBER, AT(ssl_verify_result)},
    {"time_appconnect", SECONDS, AT(time_appconnect)},
    {"time_connect", SECONDS, AT(time_connect)},
    {"time_namelookup", SECONDS, AT(time_namelookup)},
    {"time_pretransfer", SECONDS, AT(time_pretransfer)},
    {"time_redirect", SECONDS, AT(time_redirect)},
    {"time_starttransfer", SECONDS, AT(time_starttransfer)},
    {"time_total", SECONDS, AT(time_total)},
    {"tls_alpn", TEXT, AT(tls_alpn)},
    {"tls_cipher", TEXT, AT(tls_cipher)},
    {"tls_early_data", TEXT, AT(tls_early_data)},
    {"tls_ech", TEXT, AT(tls_ech)},
    {"tls_group", TEXT, AT(tls_group)},
    {"tls_hello_retry", BOOLEAN, AT(hello_retry)},
    {"tls_ocsp_bytes", NUMBER, AT(tls_ocsp_bytes)},
    {"tls_ocsp_status", TEXT, AT(tls_ocsp_status)},
    {"tls_resumed", BOOLEAN, AT(resumed)},
    {"tls_scts", NUMBER, AT(tls_scts)},
    {"tls_signature", TEXT, AT(tls_signature)},
    {"tls_version", TEXT, AT(tls_version)},
    {"url", TEXT, AT(url)},
    {"url_effective", TEXT, AT(url_effective)},
    {"urlnum", NUMBER, AT(url_num)},
};
#define NUM_VARIABLES (sizeof(variables) / sizeof(variables[0]))

static void print_variable(const struct variable *v, const struct get_facts *facts, FILE *out)
{
    const void *field = (const char *)facts + v->offset;
    switch (v->kind) {
    case TEXT:
        (void)fputs(field, out);
        return;
    case SECONDS: {
        uint64_t us = *(const uint64_t *)field;
        (void)fprintf(out, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
        return;
    }
    case BYTES:
        (void)fprintf(out, "%" PRIu64, *(const uint64_t *)field);
        return;
    case NUMBER:
        (void)fprintf(out, "%ld", *(const long *)field);
        return;
    case BOOLEAN:
        (void)fprintf(out, "%d", *(const bool *)field ? 1 : 0);
        return;
    case CODE:
        (void)fprintf(out, "%03ld", *(const long *)field);
        return;
    }
}

static json_t *text_json(const char *text)
{
    if (text[0] == '\0') {
        return json_null();
    }
    json_t *value = json_string(text);
    return value != NULL ? value : json_string("(not UTF-8)");
}

static json_t *variable_json(const struct variable *v, const struct get_facts *facts)
{
    const void *field = (const char *)facts + v->offset;
    switch (v->kind) {
    case TEXT:
        return text_json(field);
    case SECONDS:
        return json_real((double)*(const uint64_t *)field / 1e6);
    case BYTES:
        return json_integer((json_int_t) * (const uint64_t *)field);
    case NUMBER:
    case CODE:
        return json_integer(*(const long *)field);
    case BOOLEAN:
        return json_boolean(*(const bool *)field);
    }
    return json_null();
}

/* 1: goes up when a variable changes its meaning or goes away */
#define JSON_SCHEMA 1

static void print_json(const struct get_facts *facts, FILE *out)
{
    json_t *all = json_object();
    (void)json_object_set_new(all, "schema", json_integer(JSON_SCHEMA));
    for (size_t i = 0; i < NUM_VARIABLES; i++) {
        (void)json_object_set_new(all, variables[i].name, variable_json(&variables[i], facts));
    }
    (void)json_dumpf(all, out, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(all);
}

static void print_named(const char *name, size_t len, const struct get_facts *facts, FILE **out)
{
    if (len == 4 && memcmp(name, "json", 4) == 0) {
        print_json(facts, *out);
        return;
    }
    if (len == 6 && memcmp(name, "stderr", 6) == 0) {
        *out = stderr;
        return;
    }
    if (len == 6 && memcmp(name, "stdout", 6) == 0) {
        *out = stdout;
        return;
    }
    for (size_t i = 0; i < NUM_VARIABLES; i++) {
        if (strlen(variables[i].name) == len && memcmp(variables[i].name, name, len) == 0) {
            print_variable(&variables[i], facts, *out);
            return;
        }
    }
    (void)fprintf(stderr, "cleat get: --write-out: there is no variable \"%.*s\"\n", (int)len,
                  name);
}

/* Prints what stands behind a '\' and returns how many characters that was. */
static size_t print_escape(const char *p, FILE *out)
{
    static const char from[] = "nrt", to[] = "\n\r\t";
    const char *at = p[0] != '\0' ? strchr(from, p[0]) : NULL;
    if (at == NULL) {
        (void)fputc('\\', out);
        return 0;
    }
    (void)fputc(to[at - from], out);
    return 1;
}

/* Prints what stands behind a '%' and returns how many characters that was. */
static size_t print_percent(const char *p, const struct get_facts *facts, FILE **out)
{
    const char *end = p[0] == '{' ? strchr(p, '}') : NULL;
    if (end != NULL) {
        print_named(p + 1, (size_t)(end - p - 1), facts, out);
        return (size_t)(end - p) + 1;
    }
    (void)fputc('%', *out);
    return p[0] == '%' ? 1 : 0;
}

static void expand(const char *p, const struct get_facts *facts, FILE *out)
{
    while (*p != '\0') {
        char c = *p++;
        if (c == '\\') {
            p += print_escape(p, out);
        } else if (c == '%') {
            p += print_percent(p, facts, &out);
        } else {
            (void)fputc(c, out);
        }
    }
    (void)fflush(out);
}

bool get_write_out(const char *format, const struct get_facts *facts, FILE *out)
{
    if (format[0] != '@') {
        expand(format, facts, out);
        return true;
    }
    struct cl_buf text = {0};
    const char *why = "";
    bool ok = cl_read_file(format + 1, &text, GET_MAX_TEXT_FILE, &why) &&
              cl_buf_append(&text, "", 1, GET_MAX_TEXT_FILE + 1) == CL_OK;
    if (ok) {
        expand((const char *)text.p, facts, out);
    } else {
        (void)fprintf(stderr, "cleat get: --write-out: cannot read %s: %s\n", format + 1, why);
    }
    cl_buf_deinit(&text);
    return ok;
}
