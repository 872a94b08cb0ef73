/* cli/get_transfer.c - the hops of a transfer: dial, exchange, and on to where a redirect leads. */
#include "cli/get_transfer.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "cleat/ech.h"
#include "cli/get_codes.h"
#include "cli/client_explain.h"
#include "cli/client_revocation.h"
#include "conn/staple.h"
#include "net/clock.h"

/* 100 ms: how long our close_notify waits for the peer's after a complete response; more would be
 * felt, and nothing of value can come */
#define CLOSE_MS 100

void get_hop_end(struct get_transfer *t, int exit_code, const char *stage)
{
    if (!t->hop_over) {
        t->hop_over = true;
        t->exit_code = exit_code;
        t->stage = stage;
        if (exit_code != 0) {
            cl_trace_error(t->s->client.trace, stage, &t->err);
        }
    }
}

void get_hop_fail(struct get_transfer *t, int exit_code, const char *stage, struct cl_why why,
                  const char *fmt, ...)
{
    if (t->hop_over) {
        return;
    }
    if (t->err.code == 0) {
        char text[sizeof(t->err.text)];
        va_list ap;
        va_start(ap, fmt);
        (void)vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        (void)cl_error_set(&t->err, why, "%s", text);
    }
    get_hop_end(t, exit_code, stage);
}

/* ---- dialling ---- */

static void on_decide(void *ctx, struct cleat_tls *tls)
{
    struct get_transfer *t = ctx;
    t->facts.ssl_verify_result =
        get_verify_result(client_accept_any(&t->s->client, t->target.host, tls));
}

static void on_evidence(void *ctx, struct cleat_tls *tls)
{
    struct get_transfer *t = ctx;
    client_evidence_ask(&t->s->client.evidence, t->target.host, t->dial, tls);
}

static void note_tls(struct get_transfer *t, const struct cleat_tls *tls)
{
    struct cleat_tls_info info;
    struct get_facts *f = &t->facts;
    if (tls == NULL || cleat_tls_info(tls, &info) != CLEAT_OK) {
        return;
    }
    const struct {
        char *out;
        size_t cap;
        const char *text;
    } rows[] = {
        {f->tls_version, sizeof(f->tls_version),
         info.version == CLEAT_TLS_1_2 ? "TLSv1.2" : "TLSv1.3"},
        {f->tls_cipher, sizeof(f->tls_cipher), info.cipher_name},
        {f->tls_group, sizeof(f->tls_group), info.group_name},
        {f->tls_signature, sizeof(f->tls_signature), info.signature_name},
        {f->tls_alpn, sizeof(f->tls_alpn), info.alpn},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void)snprintf(rows[i].out, rows[i].cap, "%s", rows[i].text != NULL ? rows[i].text : "");
    }
    struct cl_staple staple;
    cl_staple_of(tls, &staple);
    f->tls_ocsp_bytes = (long)staple.ocsp_len;
    f->tls_scts = (long)staple.num_scts;
    (void)snprintf(f->tls_ocsp_status, sizeof(f->tls_ocsp_status), "%s", staple.ocsp_status);
    (void)snprintf(f->tls_ech, sizeof(f->tls_ech), "%s",
                   cleat_ech_status_name(cleat_tls_ech_status(tls)));
    f->resumed = info.resumed;
    f->hello_retry = info.hello_retry;
}

static void note_early(struct get_transfer *t, const struct cl_dial_result *r)
{
    struct get_facts *f = &t->facts;
    t->early_taken = r->early_taken;
    (void)snprintf(f->tls_early_data, sizeof(f->tls_early_data), "%s",
                   r->early_taken  ? "accepted"
                   : r->early_sent ? "rejected"
                                   : "not-sent");
    if (r->early_sent) {
        cl_trace_note(t->s->client.trace, "tls",
                      "the request of %zu bytes went out with the ClientHello%s", t->request.len,
                      r->early_taken ? "" : "; the server did not take it: it is sent again");
    }
}

static void note_dial(struct get_transfer *t, const struct cl_dial_result *r)
{
    struct get_facts *f = &t->facts;
    const struct {
        uint64_t *out;
        uint64_t at;
    } rows[] = {{&f->time_namelookup, r->times.dns},
                {&f->time_connect, r->times.tcp},
                {&f->time_appconnect, r->times.tls}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        *rows[i].out = rows[i].at != 0 ? rows[i].at - t->start_us : 0;
    }
    if (r->times.tcp != 0) {
        f->num_connects++;
        cl_addr_format(&r->peer, f->remote_ip);
        cl_addr_format(&r->local, f->local_ip);
        f->remote_port = cl_addr_port(&r->peer);
        f->local_port = cl_addr_port(&r->local);
    }
    note_tls(t, r->tls);
}

static void on_dialled(void *ctx, const struct cl_dial_result *r)
{
    static const char *const stages[] = {"dns", "tcp", "tls"};
    struct get_transfer *t = ctx;
    t->dial = NULL;
    t->dialled = true;
    client_evidence_stop(&t->s->client.evidence);
    note_dial(t, r);
    if (r->stage == CL_DIAL_DONE) {
        t->stream = r->stream;
        t->stream_gone = false;
        note_early(t, r);
        if (!t->s->options->client.insecure) {
            t->facts.ssl_verify_result = 0;
        }
        get_exchange_start(t);
        return;
    }
    t->again = client_route_renew(&t->s->client, &t->route, r->tls);
    t->exit_code = get_exit_of_dial(r->stage, r->timed_out, &r->error);
    if (t->exit_code == GET_EXIT_VERIFY) {
        t->facts.ssl_verify_result = get_verify_result(r->error.code);
    }
    t->exit_code = client_revocation_exit(&t->s->options->client, t->exit_code, &r->error);
    t->err = r->error;
    client_evidence_explain(&t->s->client.evidence, &t->err);
    if (r->stage == CL_DIAL_TLS) {
        client_explain(&t->err, &t->s->options->client, false);
    }
    /* cl_dial has told the trace already. */
    t->hop_over = true;
    t->stage = stages[r->stage];
}

/* RFC 8470 3: early data may be a replay, so only what changes nothing goes there; nor what a
 * server has called too early. */
static struct cl_rd early_request(const struct get_transfer *t)
{
    bool safe = !t->hop.with_body &&
                (strcmp(t->hop.method, "GET") == 0 || strcmp(t->hop.method, "HEAD") == 0);
    return t->s->options->early_data && safe && !t->too_early ? cl_buf_view(&t->request)
                                                              : cl_rd_of(NULL, 0);
}

static int start_dial(struct get_transfer *t)
{
    const struct get_options *o = t->s->options;
    const struct client_way *way = client_route_way(&t->route);
    int code;
    t->config = client_config(&t->s->client, t->target.host, t->target.port, &code, &t->err);
    if (t->config == NULL) {
        return code;
    }
    struct cleat_tls_session *session = get_sessions_take(&t->s->sessions, &t->target, t->config);
    struct cl_dial_spec spec = {
        .hub = t->s->client.hub,
        .dns = t->s->client.dns,
        .trace = t->s->client.trace,
        .capture = t->s->client.pcap.capture,
        .host = way->host,
        .port = way->port,
        .family = o->client.family,
        .timeout_ms = (uint32_t)o->client.connect_timeout_ms,
        .tls = t->config,
        .server_name = t->target.host,
        .session = session,
        .early = early_request(t),
        .ech = cl_buf_view(&way->ech),
        .recorder = t->s->client.recorder,
        .handler = &get_exchange_handler,
        .ctx = t,
        .done = on_dialled,
        .decide = on_decide,
        .evidence = on_evidence,
    };
    cl_result r = cl_dial(&spec, &t->dial);
    cleat_tls_session_free(session);
    if (r == CL_OK) {
        return 0;
    }
    (void)cl_error_set(&t->err, (struct cl_why){.code = r}, "cannot start: %s",
                       cleat_error_sentence((int)r));
    return GET_EXIT_CONNECT;
}

/* ---- a hop ---- */

static void on_max_time(void *ctx)
{
    struct get_transfer *t = ctx;
    uint64_t ms = (cl_clock_mono_us() - t->start_us) / 1000;
    char where[GET_WHERE_SIZE];
    get_exchange_where(t, where);
    get_hop_fail(t, GET_EXIT_TIMEOUT, "http", (struct cl_why){.code = CLEAT_ERR_LIMIT},
                 "timed out after %llu ms, %s (--max-time)", (unsigned long long)ms,
                 t->dial != NULL ? cl_dial_doing(t->dial) : where);
}

static void on_close_time(void *ctx)
{
    struct get_transfer *t = ctx;
    if (t->stream != NULL) {
        cl_stream_abort(t->stream, NULL);
    }
}

/* Ends the connection of a hop that is over: politely after a good one, at once otherwise. */
static void close_hop(struct get_transfer *t)
{
    struct cl_timer *timer = NULL;
    client_evidence_stop(&t->s->client.evidence);
    cl_dial_cancel(t->dial);
    t->dial = NULL;
    if (t->stream == NULL) {
        return;
    }
    if (t->exit_code != 0 || cl_timer_new(&t->s->client.loop, on_close_time, t, &timer) != CL_OK) {
        cl_stream_abort(t->stream, NULL);
    } else {
        cl_stream_close(t->stream);
        uv_update_time(&t->s->client.loop);
        cl_timer_set(timer, CLOSE_MS);
    }
    while (!t->stream_gone && uv_run(&t->s->client.loop, UV_RUN_ONCE) != 0) {
    }
    cl_timer_free(timer);
}

static void reset_hop(struct get_transfer *t)
{
    t->early_taken = false;
    t->hop_over = t->head_done = t->drop_body = t->follow = t->dialled = false;
    t->stream_gone = true;
    t->sent = 0;
    t->num_interim = 0;
    t->request.len = 0;
    t->in.len = 0;
    t->facts.time_namelookup = t->facts.time_connect = t->facts.time_appconnect = 0;
    t->facts.time_pretransfer = t->facts.time_starttransfer = 0;
}

/* What is offered is for the host that the command line names; other hosts get a dummy. */
static int find_route(struct get_transfer *t)
{
    const struct client_wish wish = {
        .target = &t->target, .ech_offered = t->hop.first_origin, .stop = &t->hop_over};
    if (t->again) { /* by the one that is there */
        t->again = false;
        return 0;
    }
    const int code = client_route_find(&t->s->client, &t->route, &wish, &t->err);
    return t->hop_over ? t->exit_code : code;
}

static void run_hop(struct get_transfer *t)
{
    reset_hop(t);
    t->hop.target = &t->target;
    t->hop.first_origin = client_target_same_origin(&t->first, &t->target);
    (void)snprintf(t->facts.method, sizeof(t->facts.method), "%s", t->hop.method);
    (void)snprintf(t->facts.url_effective, sizeof(t->facts.url_effective), "%s", t->target.text);
    cl_trace_note(t->s->client.trace, "url", "%s %s", t->hop.method, t->target.text);
    int code = GET_EXIT_USAGE;
    if (get_request_build(&t->request, &t->hop, t->s->options, &t->err) == CL_OK) {
        code = find_route(t);
    }
    if (code == 0) {
        code = start_dial(t);
    }
    if (code != 0) {
        get_hop_end(t, code, "http");
        return;
    }
    while (!t->hop_over && uv_run(&t->s->client.loop, UV_RUN_ONCE) != 0) {
    }
    get_hop_fail(t, GET_EXIT_RECEIVE, "http", (struct cl_why){.code = CLEAT_ERR_INTERNAL},
                 "nothing is left to wait for");
    close_hop(t);
}

/* One more connection for the same request: with what a server that rejected ECH has sent, or to
 * the next place of the route, where none was made. */
static bool by_another_way(struct get_transfer *t)
{
    const bool unmade = t->exit_code == GET_EXIT_DNS || t->exit_code == GET_EXIT_CONNECT;
    t->again = t->again || (unmade && client_route_next(&t->s->client, &t->route));
    if (t->again) {
        t->err = (struct cleat_error){0};
        t->exit_code = 0;
    }
    return t->again;
}

/* RFC 8470 5.2: a request that came too early is sent again once, when the handshake is done. */
static bool once_more(struct get_transfer *t)
{
    bool again = t->too_early && t->early_taken;
    if (again) {
        cl_trace_note(t->s->client.trace, "http",
                      "sent again, after the handshake (425 Too Early)");
    }
    return again;
}

/* Sets t->target and t->hop to where the response leads. false: it cannot be followed. */
static bool redirect(struct get_transfer *t)
{
    const struct get_options *o = t->s->options;
    if (o->max_redirects >= 0 && t->facts.num_redirects >= o->max_redirects) {
        (void)cl_error_set(&t->err, (struct cl_why){.code = CLEAT_ERR_LIMIT},
                           "more than %ld redirects", o->max_redirects);
        t->exit_code = GET_EXIT_REDIRECTS;
        return false;
    }
    if (t->next[0] == '\0') { /* t->err says why */
        t->exit_code = GET_EXIT_BAD_URL;
        return false;
    }
    t->exit_code = client_target_parse(&t->target, t->next, strlen(t->next), &t->err);
    if (t->exit_code != 0) {
        return false;
    }
    t->facts.num_redirects++;
    t->facts.time_redirect = cl_clock_mono_us() - t->start_us;
    get_hop_redirect(&t->hop, (unsigned)t->facts.http_code);
    cl_trace_note(t->s->client.trace, "http", "following the redirect to %s", t->target.text);
    return true;
}

/* ---- the transfer ---- */

/* 200: what a file system takes as a name, with room to spare */
#define MAX_FILE_NAME 200

/* -O: the URL's last part; never one that leaves the folder. */
static bool remote_name(struct get_transfer *t)
{
    struct cleat_http_view name = client_target_file_name(&t->first);
    bool bad = name.len == 0 || name.len > MAX_FILE_NAME || cleat_http_is(name, ".") ||
               cleat_http_is(name, "..");
    if (bad) {
        const struct cl_why why = {.code = CLEAT_ERR_BAD_URL, .hint = "use -o FILE"};
        (void)cl_error_set(&t->err, why, "the URL has no file name for -O");
        return false;
    }
    (void)snprintf(t->facts.filename_effective, sizeof(t->facts.filename_effective), "%.*s",
                   (int)name.len, name.p);
    return true;
}

static int prepare(struct get_transfer *t, const char *url, const char *output, bool remote)
{
    const struct get_options *o = t->s->options;
    (void)snprintf(t->facts.url, sizeof(t->facts.url), "%s", url);
    (void)snprintf(t->facts.scheme, sizeof(t->facts.scheme), "https");
    int code = client_target_parse(&t->first, url, strlen(url), &t->err);
    if (code != 0) {
        return code;
    }
    code = client_target_parse(&t->target, url, strlen(url), &t->err);
    if (code != 0) {
        return code;
    }
    if (remote && !remote_name(t)) {
        return GET_EXIT_WRITE;
    }
    if (!remote && output != NULL && strcmp(output, "-") != 0) {
        (void)snprintf(t->facts.filename_effective, sizeof(t->facts.filename_effective), "%s",
                       output);
    }
    get_output_init(&t->out, remote ? t->facts.filename_effective : output,
                    !o->silent && !o->no_progress && !o->client.verbose, &t->err);
    if (o->max_time_ms != 0) {
        if (cl_timer_new(&t->s->client.loop, on_max_time, t, &t->max_timer) != CL_OK) {
            return GET_EXIT_NO_MEMORY;
        }
        uv_update_time(&t->s->client.loop);
        cl_timer_set(t->max_timer, o->max_time_ms);
    }
    return 0;
}

static void finish_facts(struct get_transfer *t)
{
    struct get_facts *f = &t->facts;
    f->time_total = cl_clock_mono_us() - t->start_us;
    f->exit_code = t->exit_code;
    if (f->time_total > 0) {
        f->speed_download = f->size_download * 1000000 / f->time_total;
        f->speed_upload = f->size_upload * 1000000 / f->time_total;
    }
    (void)snprintf(f->errormsg, sizeof(f->errormsg), "%s", t->exit_code != 0 ? t->err.text : "");
}

int get_transfer_run(struct get_transfer *t, struct get_session *s, const char *url,
                     const char *output, bool remote)
{
    t->s = s;
    t->out.fd = -1;
    t->start_us = cl_clock_mono_us();
    t->exit_code = prepare(t, url, output, remote);
    if (t->exit_code == 0) {
        get_hop_first(&t->hop, s->options);
        do {
            run_hop(t);
        } while (by_another_way(t) ||
                 (t->exit_code == 0 && (once_more(t) || (t->follow && redirect(t)))));
        bool wrote = get_output_end(&t->out, t->exit_code == 0);
        t->exit_code = wrote || t->exit_code != 0 ? t->exit_code : GET_EXIT_WRITE;
    }
    cl_timer_free(t->max_timer);
    t->max_timer = NULL;
    finish_facts(t);
    return t->exit_code;
}

void get_transfer_deinit(struct get_transfer *t)
{
    client_route_deinit(&t->route);
    cl_buf_deinit(&t->request);
    cl_buf_deinit(&t->in);
}
