/* serve/session_log.c - what a session tells: a line per request in the access log, a line per
 * failure on stderr. Connections that ended without a word having been said make none, unless -v.
 */
#include "cleat/ech.h"
#include "cleat/profile.h"
#include "cleat/tls_rawkey.h"
#include "net/clock.h"
#include "serve/demo_visit.h"
#include "serve/session.h"

static const char *version_name(uint16_t version)
{
    return version == CLEAT_TLS_1_3 ? "TLSv1.3" : version == CLEAT_TLS_1_2 ? "TLSv1.2" : "-";
}

/* Whether the access log has columns for them. */
static bool asks_clients(const struct cl_serve_options *o)
{
    return o->client_ca != NULL || o->num_client_pins > 0;
}

void cl_session_access(const struct cl_session *s, struct cl_access *out)
{
    const struct cleat_tls *tls = cl_stream_tls(s->stream);
    struct cleat_tls_info info = {0};
    if (tls != NULL) {
        /* Before ready there is no request; should it fail, the columns stay empty. */
        (void)cleat_tls_info(tls, &info);
    }
    *out = (struct cl_access){
        .address = s->peer,
        .version = version_name(info.version),
        .cipher = info.cipher_name,
        .group = info.group_name,
        .resumed = info.resumed,
        .alpn = info.alpn,
        .sni = info.server_name,
        .ja4 = s->ja4,
        .ja3 = s->ja3,
        .client = asks_clients(s->worker->site->options) ? &s->client : NULL,
    };
}

void cl_session_log_request(const struct cl_session *s, const struct cl_exchange *x)
{
    struct cl_log *log = s->worker->site->access;
    struct cl_access access;
    char line[CL_LOG_LINE];
    if (log == NULL || x->answer.quiet) {
        return;
    }
    cl_session_access(s, &access);
    access.time = x->answer.now;
    access.note = &x->answer.note;
    access.status = x->answer.reply.status;
    access.bytes = cleat_http_exchange_sent(x->wire);
    access.us = cl_clock_mono_us() - x->answer.began;
    access.early = x->answer.early;
    cl_log_bytes(log, line, cl_access_format(&access, line, sizeof(line)));
}

/* With -v everybody gets a line: it was asked for. */
void cl_session_log_failure(const struct cl_session *s, const char *what,
                            const struct cleat_error *e)
{
    const struct cl_site *site = s->worker->site;
    if (site->options->verbose == 0 && !cl_failures_count(site->failures, what, e->code)) {
        return;
    }
    bool section = e->section[0] != '\0';
    bool hint = e->hint[0] != '\0';
    cl_log_line(site->errors, "cleat: %s: %s: %s: %s%s%s%s%s%s", s->peer, what,
                cleat_error_name(e->code), e->text[0] != '\0' ? e->text : "no detail",
                section ? " (" : "", e->section, section ? ")" : "", hint ? "; hint: " : "",
                e->hint);
}

void cl_session_log_http(struct cl_session *s)
{
    struct cleat_error err = {0};
    if (s->told || cleat_http_server_error(s->http, &err) == CLEAT_OK) {
        return;
    }
    s->told = true;
    bool h2 = cleat_http_server_protocol(s->http) == CLEAT_HTTP_2;
    cl_session_log_failure(s, h2 ? "HTTP/2 failed" : "HTTP failed", &err);
}

void cl_session_log_shrunk(const struct cl_session *s)
{
    struct cleat_error err = {0};
    const struct cl_why why = {.code = CLEAT_ERR_TRUNCATED};
    (void)cl_error_set(&err, why, "the file cannot be read to its end");
    cl_session_log_failure(s, "answer given up", &err);
}

void cl_session_log_end(const struct cl_session *s, const struct cl_stream_end *end)
{
    bool verbose = s->worker->site->options->verbose > 0;
    if (s->told) {
        return;
    }
    const char *what = end->was_ready ? "connection failed" : "handshake failed";
    switch (end->cause) {
    case CL_STREAM_TLS:
        cl_session_log_failure(s, what, &end->error);
        return;
    case CL_STREAM_TRUNCATED:
    case CL_STREAM_NETWORK:
        /* Port scanners and health checks connect and go; clients drop idle connections. */
        if (verbose || (!end->was_ready && end->bytes_in > 0)) {
            cl_session_log_failure(s, what, &end->error);
        }
        return;
    case CL_STREAM_TIMED_OUT:
        if (verbose || end->bytes_in > 0) {
            cl_session_log_failure(s, what, &end->error);
        }
        return;
    case CL_STREAM_ABORTED:
        if (verbose || end->was_ready) {
            cl_session_log_failure(s, "connection given up", &end->error);
        }
        return;
    default:
        break;
    }
    if (verbose) {
        cl_log_line(s->worker->site->errors,
                    "cleat: %s: closed after %llu requests, %llu bytes in, "
                    "%llu out",
                    s->peer, (unsigned long long)s->num_requests, (unsigned long long)end->bytes_in,
                    (unsigned long long)end->bytes_out);
    }
}

/* Whoever switched something weak on wants to know who still needs it. */
static void log_weaknesses(const struct cl_session *s)
{
    const struct cl_site *site = s->worker->site;
    const struct cleat_tls *tls = cl_stream_tls(s->stream);
    const char *what;
    const char *text;
    for (size_t i = 0; tls != NULL && (what = cleat_tls_weakness(tls, i, &text)) != NULL; i++) {
        if (site->options->verbose != 0 || cl_failures_count(site->failures, what, 0)) {
            cl_log_line(site->errors, "cleat: %s: warning: %s: %s", s->peer, what, text);
        }
    }
}

void cl_session_count_ready(const struct cl_session *s)
{
    struct cleat_tls_info info = {0};
    struct cl_counters *counters = s->worker->counters;
    if (cl_stream_tls(s->stream) == NULL) {
        return;
    }
    (void)cleat_tls_info(cl_stream_tls(s->stream), &info);
    cl_count_add(&counters->handshakes, 1);
    cl_count_add(&counters->resumed, info.resumed ? 1 : 0);
}

void cl_session_count_websocket(const struct cl_session *s)
{
    cl_count_add(&s->worker->counters->websockets, 1);
    if (s->visit != NULL) {
        s->visit->num_websockets++;
    }
}

void cl_session_count_end(const struct cl_session *s, const struct cl_stream_end *end)
{
    /* who connects and goes without a word has not failed at anything */
    if (!end->was_ready && end->bytes_in > 0) {
        cl_count_add(&s->worker->counters->failed, 1);
    }
}

void cl_session_log_ready(const struct cl_session *s)
{
    struct cleat_tls_info info = {0};
    size_t len;
    log_weaknesses(s);
    if (s->worker->site->options->verbose == 0 || cl_stream_tls(s->stream) == NULL ||
        cleat_tls_info(cl_stream_tls(s->stream), &info) != CLEAT_OK) {
        return;
    }
    bool packed = info.cert_compression != NULL;
    bool raw = cleat_tls_peer_raw_key(cl_stream_tls(s->stream), &len) != NULL;
    const bool hidden = cleat_tls_ech_status(cl_stream_tls(s->stream)) == CLEAT_ECH_ACCEPTED;
    cl_log_line(
        s->worker->site->errors, "cleat: %s: %s, %s, %s, %s%s%s%s%s%s%s, ALPN %s, SNI %s, JA4 %s",
        s->peer, version_name(info.version), info.cipher_name,
        info.group_name != NULL ? info.group_name : "no (EC)DHE",
        info.resumed                  ? "resumed"
        : info.signature_name != NULL ? info.signature_name
                                      : "full",
        info.early_data == CLEAT_EARLY_DATA_ACCEPTED   ? ", early data accepted"
        : info.early_data == CLEAT_EARLY_DATA_REJECTED ? ", early data refused"
                                                       : "",
        info.hello_retry ? ", after a HelloRetryRequest" : "",
        hidden ? ", by Encrypted Client Hello" : "", packed ? ", certificate in " : "",
        packed ? info.cert_compression : "",
        !info.peer_authenticated ? ""
        : raw                    ? ", client's raw public key is pinned"
                                 : ", client certificate verified",
        info.alpn != NULL ? info.alpn : "-", info.server_name != NULL ? info.server_name : "-",
        s->ja4[0] != '\0' ? s->ja4 : "-");
}

void cl_session_log_denied(const struct cl_session *s, const struct cleat_cert *leaf,
                           const char *why, const char *done)
{
    struct cl_client_id id = {0};
    /* Without memory the line is shorter. */
    bool known = leaf != NULL && cl_client_id_fill(&id, leaf) == CL_OK;
    cl_log_line(s->worker->site->errors, "cleat: %s: client may not come in: %s; %s%s%.*s", s->peer,
                why, done, known ? ": " : "", known ? (int)id.columns.len : 0,
                known ? (const char *)id.columns.p : "");
    cl_client_id_deinit(&id);
}
