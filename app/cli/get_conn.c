/* cli/get_conn.c - see get_conn.h. */
#include "cli/get_conn.h"

#include "base/mem.h"
#include "cli/client_explain.h"
#include "cli/client_revocation.h"
#include "cleat/tls_early.h"
#include "cli/get_codes.h"
#include "cli/get_h2.h"
#include "cli/get_pool.h"

#define GAVE_UP_HINT "the server, or something between, gave up: try again, and look at its log"

static struct client *client_of(const struct get_conn *c)
{
    return c->pool->client;
}

struct cl_trace *get_conn_trace(const struct get_conn *c)
{
    return client_of(c)->trace;
}

const char *get_conn_doing(const struct get_conn *c)
{
    return c->dial != NULL ? cl_dial_doing(c->dial) : "waiting for the connection";
}

void get_conn_free(struct get_conn *c)
{
    TAILQ_REMOVE(&c->pool->conns, c, link);
    if (c->protocol != NULL && c->protocol->deinit != NULL) {
        c->protocol->deinit(c);
    }
    client_route_deinit(&c->route);
    cl_buf_deinit(&c->early);
    cl_buf_deinit(&c->in);
    cl_free(c);
}

/* ---- ending ---- */

void get_conn_close(struct get_conn *c)
{
    c->is_last = true;
    if (c->stream != NULL && !c->is_closing) {
        c->is_closing = true;
        if (c->protocol->shutdown != NULL) {
            c->protocol->shutdown(c);
        }
        cl_stream_close(c->stream);
    }
}

void get_conn_abort(struct get_conn *c)
{
    c->is_last = c->is_closing = true;
    if (c->stream != NULL) {
        cl_stream_abort(c->stream, NULL);
    }
}

void get_conn_settle(struct get_conn *c)
{
    if (!TAILQ_EMPTY(&c->exchanges)) {
        return;
    }
    if (c->stream != NULL) {
        if (c->is_last) {
            get_conn_close(c);
        }
        return;
    }
    client_evidence_stop(&client_of(c)->evidence);
    cl_dial_cancel(c->dial);
    get_conn_free(c);
}

void get_conn_forget(struct get_conn *c, struct get_exchange *x)
{
    c->maker = c->maker == x ? NULL : c->maker;
    if (x->begun) {
        c->protocol->forget(c, x);
    } else if (c->h2 != NULL && x->stream != 0) { /* it was to go as early data */
        cleat_h2_stream_set(c->h2, x->stream, NULL);
    }
}

/* ---- the stream ---- */

static void keep_sessions(struct get_conn *c)
{
    get_sessions_keep(c->pool->sessions, c->origin->host, c->origin->port, c->config,
                      cl_stream_tls(c->stream));
}

static size_t on_data(void *ctx, uint8_t *p, size_t len)
{
    struct get_conn *c = ctx;
    const size_t taken = c->is_closing ? len : c->protocol->data(c, p, len);
    keep_sessions(c); /* for connections that are made while this one lasts */
    return taken;
}

static void on_drained(void *ctx)
{
    struct get_conn *c = ctx;
    if (!c->is_closing) {
        c->protocol->drained(c);
    }
}

static void on_eof(void *ctx)
{
    struct get_conn *c = ctx;
    if (!c->is_closing) {
        c->protocol->ended(c, true, NULL);
        get_conn_close(c);
    }
}

static void on_deadline(void *ctx)
{
    struct get_conn *c = ctx;
    if (c->protocol->deadline != NULL && !c->is_closing) {
        c->protocol->deadline(c);
    }
}

static void on_closed(void *ctx, const struct cl_stream_end *end)
{
    struct get_conn *c = ctx;
    struct get_exchange *x;
    keep_sessions(c);
    c->protocol->ended(c, false, end);
    while ((x = TAILQ_FIRST(&c->exchanges)) != NULL) { /* not begun */
        get_conn_broke(c, x, end);
    }
    c->stream = NULL;
    get_conn_free(c);
}

static const struct cl_stream_handler handler = {
    .data = on_data,
    .drained = on_drained,
    .eof = on_eof,
    .deadline = on_deadline,
    .closed = on_closed,
};

void get_conn_broke(struct get_conn *c, struct get_exchange *x, const struct cl_stream_end *end)
{
    struct get_failure f = {
        .exit_code = get_exchange_all_sent(x) ? GET_EXIT_RECEIVE : GET_EXIT_SEND,
        .stage = "tls",
        .again = x->on_kept && !x->answered ? GET_STALE : GET_FINAL,
    };
    struct cleat_error err = end->error;
    if (end->cause == CL_STREAM_NETWORK) {
        char where[GET_WHERE_SIZE];
        get_exchange_where(x, where);
        err = (struct cleat_error){0};
        (void)cl_error_set(&err, (struct cl_why){.code = CLEAT_ERR_SYSTEM, .hint = GAVE_UP_HINT},
                           "the connection failed: %s, %s", end->error.text, where);
        f.stage = "tcp";
    } else {
        client_explain(&err, client_of(c)->options, true);
    }
    f.err = &err;
    get_exchange_fail_with(x, &f);
}

/* ---- exchanges ---- */

static void begin(struct get_conn *c, struct get_exchange *x)
{
    const bool own = c->maker == x;
    c->maker = own ? NULL : c->maker;
    x->on_kept = c->num_served > 0;
    x->early = own && c->facts.early_taken;
    x->begun = true;
    c->num_served++;
    x->handler->placed(x->ctx, c, cl_stream_tls(c->stream), own);
    x->handler->begun(x->ctx, x->early);
    c->protocol->start(c, x);
}

static void on_more_body(void *ctx)
{
    struct get_exchange *x = ctx;
    if (x->conn != NULL && x->begun && !x->conn->is_closing) {
        x->conn->protocol->go_on(x->conn, x);
    }
}

void get_conn_attach(struct get_conn *c, struct get_exchange *x)
{
    get_exchange_reset(x);
    x->conn = c;
    TAILQ_INSERT_TAIL(&c->exchanges, x, link);
    if (x->body != NULL) {
        x->body->wake = on_more_body;
        x->body->wake_ctx = x;
    }
    if (c->stream != NULL) {
        begin(c, x);
    }
}

/* Those that have waited begin, as many as there is room for, the one that it was made for first;
 * the others look for another connection. */
static void begin_all(struct get_conn *c)
{
    struct get_exchange *x, *next;
    for (x = TAILQ_FIRST(&c->exchanges); x != NULL; x = next) {
        next = TAILQ_NEXT(x, link);
        if (c->protocol->has_room(c) && !c->is_last) {
            begin(c, x);
        }
    }
    for (x = TAILQ_FIRST(&c->exchanges); x != NULL; x = next) {
        next = TAILQ_NEXT(x, link);
        if (!x->begun) {
            static const struct cleat_error none = {0};
            get_exchange_fail_with(x, &(struct get_failure){.again = GET_UNPLACED, .err = &none});
        }
    }
}

/* ---- dialling ---- */

static void on_decide(void *ctx, struct cleat_tls *tls)
{
    struct get_conn *c = ctx;
    c->facts.verify_result =
        get_verify_result(client_accept_any(client_of(c), c->origin->host, tls));
}

static void on_evidence(void *ctx, struct cleat_tls *tls)
{
    struct get_conn *c = ctx;
    client_evidence_ask(&client_of(c)->evidence, c->origin->host, c->dial, tls);
}

static void note_dial(struct get_conn *c, const struct cl_dial_result *r)
{
    c->facts.times = r->times;
    c->facts.early_sent = r->early_sent;
    c->facts.early_taken = r->early_taken;
    c->facts.proxied = r->proxy != NULL;
    c->facts.proxy_status = r->proxy_status;
    if (r->times.tcp != 0) {
        c->facts.has_peer = true;
        c->facts.num_connects++;
        c->facts.peer = r->peer;
        c->facts.local = r->local;
    }
    if (r->early_sent) {
        cl_trace_note(get_conn_trace(c), "tls",
                      "the request of %zu bytes went out with the ClientHello%s", c->early.len,
                      r->early_taken ? "" : "; the server did not take it: it is sent again");
    }
}

/* Everybody who waits for the connection is told, and it goes. */
static void fail_dial(struct get_conn *c, const struct get_failure *f, const struct cleat_tls *tls)
{
    struct get_exchange *x;
    while ((x = TAILQ_FIRST(&c->exchanges)) != NULL) {
        x->handler->placed(x->ctx, c, tls, c->maker == x);
        get_exchange_fail_with(x, f);
    }
    get_conn_free(c);
}

static int start_dial(struct get_conn *c, struct cleat_error *err);

static void on_failed(struct get_conn *c, const struct cl_dial_result *r)
{
    const struct client_options *o = client_of(c)->options;
    const bool unmade = r->stage == CL_DIAL_DNS || r->stage == CL_DIAL_TCP;
    struct cleat_error err = r->error;
    struct get_failure f = {.stage = cl_dial_stage_name(r->stage), .told = true, .err = &err};
    f.exit_code = get_exit_of_dial(r);
    if (client_route_renew(client_of(c), &c->route, r->tls) ||
        (unmade && !r->timed_out && client_route_next(client_of(c), &c->route))) {
        struct cleat_error problem = {0};
        const int code = start_dial(c, &problem);
        if (code == 0) {
            return;
        }
        err = problem;
        f.exit_code = code;
        f.told = false;
    } else {
        if (f.exit_code == GET_EXIT_VERIFY && r->stage == CL_DIAL_TLS) {
            c->facts.verify_result = get_verify_result(r->error.code);
        }
        f.exit_code = client_revocation_exit(o, f.exit_code, &r->error);
        client_evidence_explain(&client_of(c)->evidence, &err);
        if (r->stage == CL_DIAL_TLS) {
            client_explain(&err, o, false);
        }
    }
    fail_dial(c, &f, r->tls);
}

/* What was written for early data goes as it is, unless another protocol was agreed on, or nobody
 * wants it any more. */
static void choose_protocol(struct get_conn *c, const struct cleat_tls *tls)
{
    struct cleat_tls_info info;
    const bool is_h2 =
        cleat_tls_info(tls, &info) == CLEAT_OK && info.alpn != NULL && strcmp(info.alpn, "h2") == 0;
    if (c->h2 != NULL && (!is_h2 || (c->maker == NULL && !c->facts.early_taken))) {
        if (c->maker != NULL) {
            c->maker->stream = 0;
        }
        get_h2_drop(c);
    }
    c->protocol = is_h2 ? &get_h2 : &get_h1;
}

static void on_dialled(void *ctx, const struct cl_dial_result *r)
{
    struct get_conn *c = ctx;
    c->dial = NULL;
    client_evidence_stop(&client_of(c)->evidence);
    note_dial(c, r);
    if (r->stage != CL_DIAL_DONE) {
        on_failed(c, r);
        return;
    }
    c->stream = r->stream;
    if (!client_of(c)->options->insecure) {
        c->facts.verify_result = 0;
    }
    choose_protocol(c, r->tls);
    if (!c->protocol->open(c) || (c->facts.early_taken && c->maker == NULL)) {
        get_conn_abort(c); /* or what was sent early was for somebody who has given up */
    }
    begin_all(c);
    get_conn_settle(c);
}

/* The request, in the words of the protocol that a session is for. */
static void prepare_early(struct get_conn *c, const struct cleat_tls_session *session)
{
    size_t len = 0;
    const uint8_t *alpn = session != NULL ? cleat_tls_session_alpn(session, &len) : NULL;
    struct get_exchange *x = c->maker;
    bool fine = true;
    c->early.len = 0;
    get_h2_drop(c);
    if (session == NULL || x == NULL || !x->early_allowed) {
        return;
    }
    x->stream = 0;
    if (alpn != NULL && cl_rd_equal_str(cl_rd_of(alpn, len), "h2")) {
        fine = get_h2_early(c, x);
    } else {
        fine = cl_buf_append(&c->early, x->head.p, x->head.len, SIZE_MAX) == CL_OK;
    }
    if (!fine) { /* then it is sent later */
        c->early.len = 0;
        get_h2_drop(c);
        x->stream = 0;
    }
}

static int start_dial(struct get_conn *c, struct cleat_error *err)
{
    struct client *client = client_of(c);
    const struct client_way *way = client_route_way(&c->route);
    struct cleat_tls_session *session =
        get_sessions_take(c->pool->sessions, c->origin->host, c->origin->port, c->config);
    prepare_early(c, session);
    struct cl_dial_spec spec = {
        .hub = client->hub,
        .dns = client->dns,
        .trace = client->trace,
        .capture = client->pcap.capture,
        .proxy = c->proxy,
        .host = way->host,
        .port = way->port,
        .family = client->options->family,
        .timeout_ms = (uint32_t)client->options->connect_timeout_ms,
        .tls = c->config,
        .server_name = c->origin->host,
        .session = session,
        .early = cl_buf_view(&c->early),
        .ech = cl_buf_view(&way->ech),
        .recorder = client->recorder,
        .handler = &handler,
        .ctx = c,
        .done = on_dialled,
        .decide = on_decide,
        .evidence = on_evidence,
    };
    const cl_result r = cl_dial(&spec, &c->dial);
    cleat_tls_session_free(session);
    if (r == CL_OK) {
        return 0;
    }
    (void)cl_error_set(err, (struct cl_why){.code = r}, "cannot start: %s",
                       cleat_error_sentence((int)r));
    return GET_EXIT_CONNECT;
}

int get_conn_dial(struct get_conn *c, const struct client_wish *wish, struct cleat_error *err)
{
    int code = client_route_find(client_of(c), &c->route, wish, err);
    if (code == 0) {
        c->config = client_config(client_of(c), c->origin->host, c->origin->port,
                                  c->origin->wants_older, &code, err);
    }
    if (code == 0) {
        code =
            client_proxy_for(client_of(c), c->origin->host, c->origin->port, true, &c->proxy, err);
    }
    return code == 0 ? start_dial(c, err) : code;
}
