/* cli/cert_fetch.c - dial a server for its chain alone. */
#include "cli/cert_fetch.h"

#include "base/mem.h"
#include "cleat/tls_options.h"
#include "cli/get_codes.h"
#include "cli/client.h"
#include "cli/client_tls.h"
#include "net/clock.h"
#include "x509/chain.h"

/* 15 s: somebody is waiting at the keyboard */
#define TIMEOUT_MS 15000

struct fetch {
    struct client client;
    struct cl_dial *dial;
    struct cert_fetched *out;
    struct client_target target;
    int code;
    bool over;
};

/* The peer is never trusted here: its chain is all that is wanted, and no byte is sent to it. */
static void on_decide(void *ctx, struct cleat_tls *tls)
{
    struct fetch *f = ctx;
    struct cl_rd der[CL_CHAIN_MAX];
    size_t num = 0;
    while (num < CL_CHAIN_MAX &&
           cleat_tls_peer_cert(tls, num, &der[num].p, &der[num].len) == CLEAT_OK) {
        num++;
    }
    struct cleat_verify_options options = {.trust = f->client.trust,
                                           .host = f->target.host,
                                           .now = (int64_t)(cl_clock_unix_ms() / 1000),
                                           .purpose = CLEAT_PURPOSE_SERVER};
    if (cl_chain_from_der(&f->out->chain, der, num, &f->out->err) == CL_OK &&
        f->client.trust != NULL) {
        (void)cleat_verify(&options, f->out->chain, &f->out->verdict);
    }
    size_t len;
    const uint8_t *staple = cleat_tls_peer_staple(tls, &len);
    if (staple != NULL && cl_buf_append(&f->out->staple, staple, len, len) != CL_OK) {
        f->out->staple.len = 0; /* as if there were none */
    }
    const uint8_t *scts = cleat_tls_peer_scts(tls, &len);
    if (scts != NULL && cl_buf_append(&f->out->scts, scts, len, len) != CL_OK) {
        f->out->scts.len = 0;
    }
    (void)cleat_tls_accept_peer(tls);
}

static void on_closed(void *ctx, const struct cl_stream_end *end)
{
}

static const struct cl_stream_handler handler = {.closed = on_closed};

static void on_dialled(void *ctx, const struct cl_dial_result *r)
{
    struct fetch *f = ctx;
    f->dial = NULL;
    f->over = true;
    f->out->from_public = r->times.tcp != 0 && (r->proxy != NULL || cl_addr_is_public(&r->peer));
    if (r->stage == CL_DIAL_DONE) {
        cl_stream_abort(r->stream, NULL);
    }
    /* A handshake that fails after the chain has come (a client certificate is wanted, say) is good
     * enough. */
    if (f->out->chain == NULL) {
        f->code = r->stage == CL_DIAL_DONE                   ? 0
                  : r->stage == CL_DIAL_TLS && !r->timed_out ? GET_EXIT_HANDSHAKE
                                                             : get_exit_of_dial(r);
        if (f->out->err.code == 0) {
            f->out->err = r->error;
        }
        f->code = f->code != 0 ? f->code : GET_EXIT_HANDSHAKE;
    }
}

static int run(struct fetch *f)
{
    struct cl_dial_spec spec = {
        .hub = f->client.hub,
        .dns = f->client.dns,
        .host = f->target.host,
        .port = f->target.port,
        .timeout_ms = TIMEOUT_MS,
        .tls = f->client.config,
        .server_name = f->target.host,
        .handler = &handler,
        .ctx = f,
        .done = on_dialled,
        .decide = on_decide,
    };
    const int code = client_proxy_for(&f->client, f->target.host, f->target.port, true, &spec.proxy,
                                      &f->out->err);
    if (code != 0) {
        return code;
    }
    if (cl_dial(&spec, &f->dial) != CL_OK) {
        (void)cl_error_set(&f->out->err, (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
        return GET_EXIT_NO_MEMORY;
    }
    while (!f->over && uv_run(&f->client.loop, UV_RUN_ONCE) != 0) {
    }
    return f->code;
}

int cert_fetch(const char *url, const struct client_options *trust, struct cert_fetched *out)
{
    struct fetch *f = cl_calloc(1, sizeof(*f));
    if (f == NULL) {
        return GET_EXIT_NO_MEMORY;
    }
    struct client_options o = {.cacert = trust->cacert, .capath = trust->capath, .insecure = true};
    f->out = out;
    int code = client_target_parse(&f->target, url, strlen(url), &out->err);
    if (code == 0) {
        code = client_init(&f->client, &o, &out->err);
        if (code == 0 && f->client.trust == NULL && (o.cacert != NULL || o.capath != NULL)) {
            code = client_tls_trust(&o, &f->client.trust, &out->err); /* says why there is none */
        }
        code = code != 0 ? code : run(f);
        client_deinit(&f->client);
    }
    cl_free(f);
    return code;
}

void cert_fetched_deinit(struct cert_fetched *f)
{
    cleat_chain_free(f->chain);
    cleat_verdict_free(f->verdict);
    cl_buf_deinit(&f->staple);
    cl_buf_deinit(&f->scts);
    memset(f, 0, sizeof(*f));
}
