/* watch/series.c - see series.h. A family of series is a row: name, help, and what writes its lines
 * for one target; the format wants a family's lines together.
 */
#include "watch/series.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cleat/tls.h"
#include "watch/labels.h"
#include "x509/ocsp.h"

/* 8 KiB: a certificate with a hundred names has four */
#define LABEL_SIZE 8192

/* A text under way; the first failure stays. */
struct text {
    struct cl_buf *out;
    cl_result r;
    const char *family;
    const struct cl_watch_facts *facts;
    const struct cl_watch_findings *findings;
    bool labelled; /* the brace of the current line is open */
    /* the family's values; one of them, or none */
    int64_t (*of_cert)(const struct text *t, const struct cleat_cert *cert);
    int64_t (*of_answer)(const struct cl_ocsp_answer *answer);
};

static void put(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct text *t, const char *fmt, ...)
{
    char piece[512];
    va_list args;
    va_start(args, fmt);
    const int len = vsnprintf(piece, sizeof(piece), fmt, args);
    va_end(args);
    if (t->r == CL_OK) {
        t->r = cl_buf_append(t->out, piece, (size_t)len < sizeof(piece) ? (size_t)len : 0,
                             CL_WATCH_MAX_SERIES);
    }
}

static void label(struct text *t, const char *name, const char *value)
{
    put(t, "%c%s=\"", t->labelled ? ',' : '{', name);
    t->labelled = true;
    if (t->r == CL_OK) {
        t->r = cl_watch_label(t->out, value);
    }
    put(t, "\"");
}

/* A line begins with the labels that all have; side: NULL, of the target as a whole. */
static void begin(struct text *t, const struct cl_watch_side *side)
{
    put(t, "%s", t->family);
    t->labelled = false;
    label(t, "target", t->facts->name);
    if (side != NULL && t->facts->many_addresses && !side->on_disk) {
        label(t, "address", side->address);
    }
}

static void end(struct text *t, int64_t value)
{
    put(t, "} %" PRId64 "\n", value);
}

static void line(struct text *t, const struct cl_watch_side *side, int64_t value)
{
    begin(t, side);
    end(t, value);
}

/* ---- walking ---- */

typedef void side_fn(struct text *t, const struct cl_watch_side *side);
typedef void cert_fn(struct text *t, const struct cl_watch_side *side,
                     const struct cleat_cert *cert);

static void each_served(struct text *t, side_fn *fn)
{
    for (size_t i = 0; i < t->facts->num_served; i++) {
        fn(t, &t->facts->served[i]);
    }
}

static void each_seen(struct text *t, side_fn *fn)
{
    for (size_t i = 0; i < t->facts->num_served; i++) {
        if (t->facts->served[i].reach == CL_WATCH_SEEN) {
            fn(t, &t->facts->served[i]);
        }
    }
}

/* A certificate that a chain has twice would be a series twice. */
static bool seen_before(const struct cleat_chain *chain, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (cl_watch_same_cert(cl_chain_at(chain, i), cl_chain_at(chain, at))) {
            return true;
        }
    }
    return false;
}

static void each_cert_of(struct text *t, const struct cl_watch_side *side, cert_fn *fn)
{
    for (size_t i = 0; side->chain != NULL && i < cl_chain_num(side->chain); i++) {
        if (!seen_before(side->chain, i)) {
            fn(t, side, cl_chain_at(side->chain, i));
        }
    }
}

static void each_served_cert(struct text *t, cert_fn *fn)
{
    for (size_t i = 0; i < t->facts->num_served; i++) {
        each_cert_of(t, &t->facts->served[i], fn);
    }
}

/* ---- blackbox_exporter ---- */

/* As there: it could be reached, and its certificate is accepted. */
static int64_t is_success(const struct text *t, const struct cl_watch_side *side)
{
    for (size_t i = 0; i < t->findings->num; i++) {
        const struct cl_watch_finding *f = &t->findings->items[i];
        if (f->side == side && f->kind != CL_WATCH_EXPIRES_NOW_FOUND &&
            cl_watch_kind(f->kind)->severity == CL_WATCH_CRITICAL) {
            return 0;
        }
    }
    return side->completed && side->reach == CL_WATCH_SEEN;
}

static void success_of(struct text *t, const struct cl_watch_side *side)
{
    line(t, side, is_success(t, side));
}

static void probe_success(struct text *t)
{
    each_served(t, success_of);
}

static void duration_of(struct text *t, const struct cl_watch_side *side)
{
    begin(t, side);
    put(t, "} %.6f\n", (double)side->duration_us / 1e6);
}

static void probe_duration(struct text *t)
{
    each_served(t, duration_of);
}

static int64_t sooner(int64_t end, const struct cleat_cert *cert)
{
    return cl_cert_not_after(cert) < end ? cl_cert_not_after(cert) : end;
}

static void earliest_of(struct text *t, const struct cl_watch_side *side)
{
    int64_t earliest = INT64_MAX;
    for (size_t i = 0; i < cl_chain_num(side->chain); i++) {
        earliest = sooner(earliest, cl_chain_at(side->chain, i));
    }
    line(t, side, earliest);
}

static void earliest_expiry(struct text *t)
{
    each_seen(t, earliest_of);
}

static void path_end_of(struct text *t, const struct cl_watch_side *side)
{
    int64_t earliest = INT64_MAX;
    for (size_t i = 0; i < cleat_verdict_path_num(side->path); i++) {
        earliest = sooner(earliest, cleat_verdict_path_at(side->path, i));
    }
    if (earliest != INT64_MAX) { /* else there is no path */
        line(t, side, earliest);
    }
}

static void chain_expiry(struct text *t)
{
    each_seen(t, path_end_of);
}

static void chain_info_of(struct text *t, const struct cl_watch_side *side)
{
    const struct cleat_cert *leaf = cl_watch_leaf(side);
    char text[LABEL_SIZE];
    uint8_t digest[32];
    begin(t, side);
    cleat_cert_fingerprint(leaf, digest);
    cl_hex_encode(digest, sizeof(digest), text);
    label(t, "fingerprint_sha256", text);
    (void)cleat_cert_issuer(leaf, text, sizeof(text));
    label(t, "issuer", text);
    (void)cleat_cert_serial(leaf, text, sizeof(text));
    label(t, "serialnumber", strncmp(text, "00", 2) == 0 && text[2] != '\0' ? text + 2 : text);
    text[0] = '\0';
    (void)cleat_cert_subject(leaf, text, sizeof(text));
    label(t, "subject", text);
    cl_watch_sans_text(leaf, 1u << CLEAT_SAN_DNS, false, text, sizeof(text));
    label(t, "subjectalternative", text);
    end(t, 1);
}

static void chain_info(struct text *t)
{
    each_seen(t, chain_info_of);
}

static void version_of(struct text *t, const struct cl_watch_side *side)
{
    if (side->completed) {
        begin(t, side);
        label(t, "version", side->version == CLEAT_TLS_1_3 ? "TLS 1.3" : "TLS 1.2");
        end(t, 1);
    }
}

static void tls_version(struct text *t)
{
    each_seen(t, version_of);
}

/* ---- ssl_exporter ---- */

static void ssl_labels(struct text *t, const struct cleat_cert *cert)
{
    static const struct {
        const char *name;
        unsigned kind;
    } sans[] = {{"dnsnames", CLEAT_SAN_DNS}, {"ips", CLEAT_SAN_IP}, {"emails", CLEAT_SAN_EMAIL}};
    char text[LABEL_SIZE];
    cl_watch_serial_text(cert->serial, text);
    label(t, "serial_no", text);
    cl_watch_attr_text(cert, true, CL_OID_AT_CN, false, text, sizeof(text));
    label(t, "issuer_cn", text);
    cl_watch_attr_text(cert, false, CL_OID_AT_CN, false, text, sizeof(text));
    label(t, "cn", text);
    for (size_t i = 0; i < sizeof(sans) / sizeof(sans[0]); i++) {
        cl_watch_sans_text(cert, 1u << sans[i].kind, true, text, sizeof(text));
        label(t, sans[i].name, text);
    }
    cl_watch_attr_text(cert, false, CL_OID_AT_OU, true, text, sizeof(text));
    label(t, "ou", text);
}

static void ssl_cert(struct text *t, const struct cl_watch_side *side,
                     const struct cleat_cert *cert)
{
    begin(t, side);
    if (side->on_disk) {
        label(t, "file", t->facts->file);
    }
    ssl_labels(t, cert);
    end(t, t->of_cert(t, cert));
}

static void ssl_certs(struct text *t)
{
    each_served_cert(t, ssl_cert);
}

static void ssl_file_certs(struct text *t)
{
    each_cert_of(t, &t->facts->disk, ssl_cert);
}

static void verified_of(struct text *t, const struct cl_watch_side *side)
{
    for (size_t i = 0; i < cleat_verdict_path_num(side->path); i++) {
        const struct cleat_cert *cert = cleat_verdict_path_at(side->path, i);
        begin(t, side);
        label(t, "chain_no", "0");
        ssl_labels(t, cert);
        end(t, t->of_cert(t, cert));
    }
}

static void ssl_verified(struct text *t)
{
    each_seen(t, verified_of);
}

static void stapled_of(struct text *t, const struct cl_watch_side *side)
{
    line(t, side, side->staple.len != 0);
}

static void ocsp_stapled(struct text *t)
{
    each_seen(t, stapled_of);
}

/* What the first answer of a staple says, whether it is authentic or not; findings tell that. */
static void answer_of(struct text *t, const struct cl_watch_side *side)
{
    struct cl_ocsp *response = NULL;
    struct cl_ocsp_answer answer;
    if (side->staple.len == 0 ||
        cl_ocsp_parse(&response, cl_buf_view(&side->staple), NULL) != CL_OK) {
        return;
    }
    struct cl_rd answers = response->answers;
    if (response->response_status == 0 && cl_ocsp_next(&answers, &answer)) {
        const int64_t value = t->of_answer(&answer);
        if (value != INT64_MIN) {
            line(t, side, value);
        }
    }
    cl_ocsp_free(response);
}

static void ocsp_answers(struct text *t)
{
    each_seen(t, answer_of);
}

static int64_t status(const struct cl_ocsp_answer *answer)
{
    return (int64_t)answer->status;
}

static int64_t this_update(const struct cl_ocsp_answer *answer)
{
    return answer->this_update;
}

static int64_t next_update(const struct cl_ocsp_answer *answer)
{
    return answer->next_update;
}

static int64_t revoked_at(const struct cl_ocsp_answer *answer)
{
    return answer->status == CL_OCSP_REVOKED ? answer->revoked_at : INT64_MIN;
}

static void seen_of(struct text *t, const struct cl_watch_side *side)
{
    line(t, side, side->reach == CL_WATCH_SEEN);
}

static void ssl_success(struct text *t)
{
    each_served(t, seen_of);
    if (t->facts->host == NULL) {
        seen_of(t, &t->facts->disk);
    }
}

static void ssl_prober(struct text *t)
{
    begin(t, NULL);
    label(t, "prober", t->facts->host != NULL ? "tcp" : "file");
    end(t, 1);
}

/* ---- x509-certificate-exporter ---- */

static void x509_names(struct text *t, const struct cleat_cert *cert, bool issuer)
{
    static const struct {
        enum cl_oid id;
        const char *name;
    } rows[] = {{CL_OID_AT_C, "C"}, {CL_OID_AT_ST, "ST"}, {CL_OID_AT_L, "L"},
                {CL_OID_AT_O, "O"}, {CL_OID_AT_OU, "OU"}, {CL_OID_AT_CN, "CN"}};
    char text[512], name[16];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cl_watch_attr_text(cert, issuer, rows[i].id, false, text, sizeof(text));
        if (text[0] != '\0') {
            (void)snprintf(name, sizeof(name), "%s_%s", issuer ? "issuer" : "subject",
                           rows[i].name);
            label(t, name, text);
        }
    }
}

static void x509_cert(struct text *t, const struct cl_watch_side *side,
                      const struct cleat_cert *cert)
{
    const char *slash = strrchr(t->facts->file, '/');
    char serial[CL_WATCH_SERIAL_SIZE];
    begin(t, side);
    label(t, "filename", slash != NULL ? slash + 1 : t->facts->file);
    label(t, "filepath", t->facts->file);
    cl_watch_serial_text(cert->serial, serial);
    label(t, "serial_number", serial);
    x509_names(t, cert, true);
    x509_names(t, cert, false);
    end(t, t->of_cert(t, cert));
}

static void x509_certs(struct text *t)
{
    each_cert_of(t, &t->facts->disk, x509_cert);
}

static int64_t not_after(const struct text *t, const struct cleat_cert *cert)
{
    return cl_cert_not_after(cert);
}

static int64_t not_before(const struct text *t, const struct cleat_cert *cert)
{
    return cl_cert_not_before(cert);
}

static int64_t has_expired(const struct text *t, const struct cleat_cert *cert)
{
    return t->facts->at > cl_cert_not_after(cert);
}

/* ---- our own ---- */

static void findings(struct text *t)
{
    static const char *const severities[] = {"note", "unchecked", "warning", "critical"};
    uint64_t told = 0;
    for (size_t i = 0; i < t->findings->num; i++) {
        const enum cl_watch_kind_id kind = t->findings->items[i].kind;
        if ((told >> kind & 1) == 0) {
            told |= (uint64_t)1 << kind;
            begin(t, NULL);
            label(t, "finding", cl_watch_kind(kind)->id);
            label(t, "severity", severities[cl_watch_kind(kind)->severity]);
            end(t, 1);
        }
    }
}

static void last_check(struct text *t)
{
    line(t, NULL, t->facts->at);
}

static void matches_of(struct text *t, const struct cl_watch_side *side)
{
    line(t, side, cl_watch_same_cert(cl_watch_leaf(side), cl_watch_leaf(&t->facts->disk)));
}

static void matches_disk(struct text *t)
{
    if (t->facts->disk.reach == CL_WATCH_SEEN) {
        each_seen(t, matches_of);
    }
}

/* ---- all ---- */

static const struct {
    const char *name;
    const char *help;
    void (*write)(struct text *t);
    int64_t (*of_cert)(const struct text *t, const struct cleat_cert *cert);
    int64_t (*of_answer)(const struct cl_ocsp_answer *answer);
} families[] = {
    {"probe_success", "Whether the host was reached and its certificate is accepted", probe_success,
     NULL, NULL},
    {"probe_duration_seconds", "How long it took to get the certificate", probe_duration, NULL,
     NULL},
    {"probe_ssl_earliest_cert_expiry", "Earliest end of a certificate that is served, Unix time",
     earliest_expiry, NULL, NULL},
    {"probe_ssl_last_chain_expiry_timestamp_seconds",
     "Earliest end of a certificate of the verified path, Unix time", chain_expiry, NULL, NULL},
    {"probe_ssl_last_chain_info", "The leaf that is served", chain_info, NULL, NULL},
    {"probe_tls_version_info", "The version of TLS that was agreed", tls_version, NULL, NULL},
    {"ssl_cert_not_after", "End of a certificate that is served, Unix time", ssl_certs, not_after,
     NULL},
    {"ssl_cert_not_before", "Beginning of a certificate that is served, Unix time", ssl_certs,
     not_before, NULL},
    {"ssl_file_cert_not_after", "End of a certificate in a file, Unix time", ssl_file_certs,
     not_after, NULL},
    {"ssl_file_cert_not_before", "Beginning of a certificate in a file, Unix time", ssl_file_certs,
     not_before, NULL},
    {"ssl_verified_cert_not_after", "End of a certificate of the verified path, Unix time",
     ssl_verified, not_after, NULL},
    {"ssl_verified_cert_not_before", "Beginning of a certificate of the verified path, Unix time",
     ssl_verified, not_before, NULL},
    {"ssl_ocsp_response_stapled", "Whether an OCSP response is stapled", ocsp_stapled, NULL, NULL},
    {"ssl_ocsp_response_status", "What it says: 0 good, 1 revoked, 2 unknown", ocsp_answers, NULL,
     status},
    {"ssl_ocsp_response_this_update", "Its thisUpdate, Unix time", ocsp_answers, NULL, this_update},
    {"ssl_ocsp_response_next_update", "Its nextUpdate, Unix time", ocsp_answers, NULL, next_update},
    {"ssl_ocsp_response_revoked_at", "When the certificate was revoked, Unix time", ocsp_answers,
     NULL, revoked_at},
    {"ssl_probe_success", "Whether there is a certificate to look at", ssl_success, NULL, NULL},
    {"ssl_prober", "How it is looked at", ssl_prober, NULL, NULL},
    {"ssl_tls_version_info", "The version of TLS that was agreed", tls_version, NULL, NULL},
    {"x509_cert_not_after", "End of a certificate in a file, Unix time", x509_certs, not_after,
     NULL},
    {"x509_cert_not_before", "Beginning of a certificate in a file, Unix time", x509_certs,
     not_before, NULL},
    {"x509_cert_expired", "Whether a certificate in a file has expired", x509_certs, has_expired,
     NULL},
    {"cleat_watch_finding", "What is wrong with a target; absent when nothing is", findings, NULL,
     NULL},
    {"cleat_watch_last_check_timestamp_seconds", "When the target was looked at, Unix time",
     last_check, NULL, NULL},
    {"cleat_watch_served_is_on_disk", "Whether the leaf that is served is the one in the file",
     matches_disk, NULL, NULL},
};

static void read_errors(struct text *t, const struct cl_watch_report *reports, size_t num)
{
    int64_t errors = 0;
    for (size_t i = 0; i < num; i++) {
        errors += reports[i].facts->disk.reach == CL_WATCH_UNREADABLE;
    }
    put(t,
        "# HELP x509_read_errors Files that cannot be read\n# TYPE x509_read_errors gauge\n"
        "x509_read_errors %" PRId64 "\n",
        errors);
}

cl_result cl_watch_series(struct cl_buf *out, const struct cl_watch_report *reports, size_t num)
{
    struct text t = {.out = out};
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        const size_t before = out->len;
        put(&t, "# HELP %s %s\n# TYPE %s gauge\n", families[i].name, families[i].help,
            families[i].name);
        const size_t head = out->len;
        t.family = families[i].name;
        t.of_cert = families[i].of_cert;
        t.of_answer = families[i].of_answer;
        for (size_t n = 0; n < num; n++) {
            t.facts = reports[n].facts;
            t.findings = reports[n].findings;
            families[i].write(&t);
        }
        if (out->len == head) {
            out->len = before; /* nothing of it: no head either */
        }
    }
    read_errors(&t, reports, num);
    return t.r;
}
