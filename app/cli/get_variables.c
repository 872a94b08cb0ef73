/* cli/get_variables.c - the variables of --write-out, as a table. */
#include "cli/get_variables.h"

#include <inttypes.h>
#include <jansson.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/get_slo.h"
#include "http/chars.h"
#include "http/url.h"

enum kind { TEXT, SECONDS, BYTES, NUMBER, BOOLEAN, CODE, BUFFER, SLO };

struct variable {
    const char *name;
    enum kind kind;
    size_t offset;
};

#define AT(field) offsetof(struct get_facts, field)
static const struct variable variables[] = {
    {"certs", BUFFER, AT(certs)},
    {"conn_id", NUMBER, AT(conn_id)},
    {"content_type", TEXT, AT(content_type)},
    {"errormsg", TEXT, AT(errormsg)},
    {"exitcode", NUMBER, AT(exit_code)},
    {"filename_effective", TEXT, AT(filename_effective)},
    {"http_code", CODE, AT(http_code)},
    {"http_connect", CODE, AT(http_connect)},
    {"http_version", TEXT, AT(http_version)},
    {"local_ip", TEXT, AT(local_ip)},
    {"local_port", NUMBER, AT(local_port)},
    {"method", TEXT, AT(method)},
    {"num_certs", NUMBER, AT(num_certs)},
    {"num_connects", NUMBER, AT(num_connects)},
    {"num_headers", NUMBER, AT(num_headers)},
    {"num_redirects", NUMBER, AT(num_redirects)},
    {"num_retries", NUMBER, AT(num_retries)},
    {"proxy_used", BOOLEAN, AT(proxy_used)},
    {"redirect_url", TEXT, AT(redirect_url)},
    {"referer", TEXT, AT(referer)},
    {"remote_ip", TEXT, AT(remote_ip)},
    {"remote_port", NUMBER, AT(remote_port)},
    {"response_code", CODE, AT(http_code)},
    {"scheme", TEXT, AT(scheme)},
    {"size_download", BYTES, AT(size_download)},
    {"size_header", BYTES, AT(size_header)},
    {"size_request", BYTES, AT(size_request)},
    {"size_upload", BYTES, AT(size_upload)},
    {"slo", SLO, 0},
    {"speed_download", BYTES, AT(speed_download)},
    {"speed_upload", BYTES, AT(speed_upload)},
    {"ssl_verify_result", NUMBER, AT(ssl_verify_result)},
    {"time_appconnect", SECONDS, AT(time_appconnect)},
    {"time_connect", SECONDS, AT(time_connect)},
    {"time_namelookup", SECONDS, AT(time_namelookup)},
    {"time_posttransfer", SECONDS, AT(time_posttransfer)},
    {"time_pretransfer", SECONDS, AT(time_pretransfer)},
    {"time_redirect", SECONDS, AT(time_redirect)},
    {"time_starttransfer", SECONDS, AT(time_starttransfer)},
    {"time_total", SECONDS, AT(time_total)},
    {"tls_alpn", TEXT, AT(tls_alpn)},
    {"tls_cipher", TEXT, AT(tls_cipher)},
    {"tls_early_data", TEXT, AT(tls_early_data)},
    {"tls_earlydata", NUMBER, AT(tls_early_bytes)},
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
    {"xfer_id", NUMBER, AT(xfer_id)},
};
#define NUM_VARIABLES (sizeof(variables) / sizeof(variables[0]))

void get_facts_deinit(struct get_facts *f)
{
    cl_buf_deinit(&f->head);
    cl_buf_deinit(&f->certs);
    cl_buf_deinit(&f->page);
}

/* ---- as text ---- */

/* "met", or "missed: total, tls"; nothing without --slo. */
static void print_slo(const struct get_facts *facts, FILE *out)
{
    struct get_phase phases[GET_NUM_PHASES];
    bool missed = false;
    if (facts->slo == NULL || !facts->slo->is_set) {
        return;
    }
    get_phases(facts, phases);
    for (int i = 0; i < GET_NUM_PHASES; i++) {
        if (get_slo_missed(facts->slo, phases, (enum get_phase_id)i)) {
            (void)fprintf(out, "%s%s",
                          missed ? ", " : "missed: ", get_phase_name((enum get_phase_id)i));
            missed = true;
        }
    }
    (void)fputs(missed ? "" : "met", out);
}

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
    case BUFFER: {
        const struct cl_buf *b = field;
        (void)fwrite(b->p != NULL ? b->p : (const uint8_t *)"", 1, b->len, out);
        return;
    }
    case SLO:
        print_slo(facts, out);
        return;
    }
}

/* ---- a part of a URL: "url.host", "urle.query" ---- */

static void print_view(struct cleat_http_view v, FILE *out)
{
    (void)fwrite(v.p != NULL ? v.p : "", 1, v.len, out);
}

/* User and password are on the two sides of the first colon. */
static struct cleat_http_view user_part(struct cleat_http_view info, bool password)
{
    const char *colon = info.p != NULL ? memchr(info.p, ':', info.len) : NULL;
    size_t at = colon != NULL ? (size_t)(colon - info.p) : info.len;
    if (!password) {
        return (struct cleat_http_view){info.p, at};
    }
    return colon != NULL ? (struct cleat_http_view){colon + 1, info.len - at - 1}
                         : (struct cleat_http_view){NULL, 0};
}

/* As on the command line: without a scheme it is https. */
static bool parse_url(const char *text, char *copy, size_t cap, struct cleat_http_url *url)
{
    int n = snprintf(copy, cap, "%s%s", strstr(text, "://") == NULL ? "https://" : "", text);
    return n > 0 && (size_t)n < cap && cleat_http_url_parse(url, copy, (size_t)n, NULL) == CLEAT_OK;
}

/* False: there is no such part. What the URL does not have is nothing. */
static bool print_url_part(const char *part, size_t len, const char *text, FILE *out)
{
    char copy[2 * CLEAT_HTTP_MAX_URL + 16];
    struct cleat_http_url u;
    memset(&u, 0, sizeof(u));
    bool ok = parse_url(text, copy, sizeof(copy), &u);
    const char *hash = strchr(text, '#');
    const struct {
        const char *name;
        struct cleat_http_view value;
    } rows[] = {
        {"scheme", u.scheme},
        {"user", user_part(u.userinfo, false)},
        {"password", user_part(u.userinfo, true)},
        {"host", u.host},
        {"path", u.path},
        {"query", u.query},
        {"fragment", {hash != NULL ? hash + 1 : NULL, hash != NULL ? strlen(hash + 1) : 0}},
        {"options", {NULL, 0}}, /* of mail's URLs */
        {"zoneid", {NULL, 0}},  /* zones are refused */
    };
    struct cl_rd wanted = cl_rd_of(part, len);
    if (cl_rd_equal_str(wanted, "port")) {
        if (ok) {
            (void)fprintf(out, "%u", (unsigned)u.port);
        }
        return true;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (cl_rd_equal_str(wanted, rows[i].name)) {
            if (ok) {
                print_view(rows[i].value, out);
            }
            return true;
        }
    }
    return false;
}

bool get_variable_print(const char *name, size_t len, const struct get_facts *facts, FILE *out)
{
    if (len > 4 && memcmp(name, "url.", 4) == 0) {
        return print_url_part(name + 4, len - 4, facts->url, out);
    }
    if (len > 5 && memcmp(name, "urle.", 5) == 0) {
        return print_url_part(name + 5, len - 5, facts->url_effective, out);
    }
    for (size_t i = 0; i < NUM_VARIABLES; i++) {
        if (strlen(variables[i].name) == len && memcmp(variables[i].name, name, len) == 0) {
            print_variable(&variables[i], facts, out);
            return true;
        }
    }
    return false;
}

/* ---- as JSON ---- */

static json_t *bytes_json(const void *p, size_t len)
{
    json_t *value = json_stringn(p != NULL ? p : "", len);
    return value != NULL ? value : json_string("(not UTF-8)");
}

/* {"met": false, "phases": {"total": {"limit_ms": 500, "ms": 612.3, "met": false}}} */
static json_t *slo_json(const struct get_facts *facts)
{
    struct get_phase phases[GET_NUM_PHASES];
    if (facts->slo == NULL || !facts->slo->is_set) {
        return json_null();
    }
    json_t *list = json_object();
    bool met = true;
    get_phases(facts, phases);
    for (int i = 0; i < GET_NUM_PHASES; i++) {
        const bool missed = get_slo_missed(facts->slo, phases, (enum get_phase_id)i);
        if (facts->slo->limit_us[i] != 0) {
            (void)json_object_set_new(list, get_phase_name((enum get_phase_id)i),
                                      json_pack("{s:f, s:f, s:b}", "limit_ms",
                                                (double)facts->slo->limit_us[i] / 1000, "ms",
                                                (double)phases[i].us / 1000, "met", !missed));
        }
        met = met && !missed;
    }
    return json_pack("{s:b, s:o}", "met", met, "phases", list);
}

static json_t *variable_json(const struct variable *v, const struct get_facts *facts)
{
    const void *field = (const char *)facts + v->offset;
    switch (v->kind) {
    case TEXT:
        return *(const char *)field == '\0' ? json_null() : bytes_json(field, strlen(field));
    case SECONDS:
        return json_real((double)*(const uint64_t *)field / 1e6);
    case BYTES:
        return json_integer((json_int_t) * (const uint64_t *)field);
    case NUMBER:
    case CODE:
        return json_integer(*(const long *)field);
    case BOOLEAN:
        return json_boolean(*(const bool *)field);
    case BUFFER: {
        const struct cl_buf *b = field;
        return bytes_json(b->p, b->len);
    }
    case SLO:
        return slo_json(facts);
    }
    return json_null();
}

/* 1: goes up when a variable changes its meaning or goes away */
#define JSON_SCHEMA 1

void get_variables_json(const struct get_facts *facts, FILE *out)
{
    json_t *all = json_object();
    (void)json_object_set_new(all, "schema", json_integer(JSON_SCHEMA));
    for (size_t i = 0; i < NUM_VARIABLES; i++) {
        (void)json_object_set_new(all, variables[i].name, variable_json(&variables[i], facts));
    }
    (void)json_dumpf(all, out, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(all);
}

/* ---- the fields of the last response ---- */

/* The next "Name: value" of a head that has been checked before; the status line has no name. */
static bool next_field(struct cl_rd *rest, struct cl_rd *name, struct cl_rd *value)
{
    struct cl_rd line;
    while (cl_http_until(rest, '\n', &line)) {
        if (cl_http_until(&line, ':', name) && cl_http_all(*name, CL_CH_TOKEN)) {
            line.len -= line.len > 0 && line.p[line.len - 1] == '\r' ? 1 : 0;
            *value = cl_http_trim(line);
            return true;
        }
    }
    return false;
}

void get_header_print(const char *name, size_t len, const struct get_facts *facts, FILE *out)
{
    struct cl_rd rest = cl_buf_view(&facts->head), field, value;
    while (next_field(&rest, &field, &value)) {
        if (cl_ascii_equal_fold(field, cl_rd_of(name, len))) {
            (void)fwrite(value.p, 1, value.len, out);
            return;
        }
    }
}

void get_headers_json(const struct get_facts *facts, FILE *out)
{
    struct cl_rd rest = cl_buf_view(&facts->head), field, value;
    json_t *all = json_object();
    while (next_field(&rest, &field, &value)) {
        char *key = cl_strndup((const char *)field.p, field.len);
        if (key == NULL) {
            break;
        }
        for (char *p = key; *p != '\0'; p++) {
            *p = (char)cl_ascii_lower((uint8_t)*p);
        }
        json_t *list = json_object_get(all, key);
        if (list == NULL) {
            list = json_array();
            (void)json_object_set_new(all, key, list);
        }
        (void)json_array_append_new(list, bytes_json(value.p, value.len));
        cl_free(key);
    }
    (void)json_dumpf(all, out, JSON_COMPACT);
    json_decref(all);
}
