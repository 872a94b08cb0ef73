/* cli/client.c - see client.h. */
#include "cli/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cleat/tls_options.h"
#include "cli/client_tls.h"
#include "cli/get_codes.h"
#include "net/clock.h"
#include "x509/chain.h"

/* Every event goes to all; each takes what it is for. */
static void on_event(void *ctx, void *user, const struct cleat_event *event)
{
    struct client *c = ctx;
    cl_keylog_event(&c->keylog, event);
    cl_capture_event(c->pcap.capture, event);
    cl_recorder_event(c->recorder, event);
    cl_trace_tls_event(c->trace, event);
}

FILE *client_open_file(const char *path, struct cleat_error *err)
{
    FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    if (f == NULL) {
        (void)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_SYSTEM}, "cannot open %s: %s",
                           path, strerror(errno));
    }
    return f;
}

static int open_trace(struct client *c, struct cleat_error *err)
{
    const struct client_options *o = c->options;
    if (o->trace_json != NULL && (c->trace_file = client_open_file(o->trace_json, err)) == NULL) {
        return GET_EXIT_WRITE;
    }
    struct cl_trace_setup setup = {.human = o->verbose ? stderr : NULL,
                                   .colour = cl_trace_want_colour(stderr),
                                   .json = c->trace_file};
    if ((o->verbose || c->trace_file != NULL) && cl_trace_new(&setup, &c->trace) != CL_OK) {
        return GET_EXIT_NO_MEMORY;
    }
    return cl_keylog_open(&c->keylog, getenv("SSLKEYLOGFILE"), err) == CL_OK ? 0 : GET_EXIT_WRITE;
}

int client_dns_new(struct client *c, struct cl_dns **out, struct cleat_error *err)
{
    if (cl_dns_new(&c->loop, out, err) != CL_OK) {
        return GET_EXIT_NO_MEMORY;
    }
    for (size_t i = 0; i < c->options->resolves.num; i++) {
        struct cl_override entry;
        if (cl_override_parse(c->options->resolves.items[i], &entry, err) != CL_OK) {
            return GET_EXIT_USAGE;
        }
        if (cl_dns_override(*out, &entry) != CL_OK) {
            return GET_EXIT_NO_MEMORY;
        }
    }
    return 0;
}

static int open_net(struct client *c, struct cleat_error *err)
{
    if (uv_loop_init(&c->loop) != 0) {
        return GET_EXIT_NO_MEMORY;
    }
    c->has_loop = true;
    if (cl_hub_new(&c->loop, &c->hub) != CL_OK) {
        return GET_EXIT_NO_MEMORY;
    }
    const int code = client_dns_new(c, &c->dns, err);
    return code == 0 ? client_doh_open(c, err) : code;
}

static int open_recorder(struct client *c, struct cleat_error *err)
{
    const struct cl_recorder_setup setup = {
        .path = c->options->record, .secrets = c->options->record_secrets, .now = cl_clock_for_tls};
    if (setup.path == NULL) {
        return 0;
    }
    if (setup.secrets) {
        (void)fprintf(stderr,
                      "cleat: whoever reads %s can read all that is sent and received, and "
                      "resume the session\n",
                      setup.path);
    }
    return cl_recorder_new(&setup, &c->recorder, err) == CL_OK ? 0 : GET_EXIT_WRITE;
}

static int open_evidence(struct client *c, struct cleat_error *err)
{
    c->evidence = (struct client_evidence){.options = c->options,
                                           .revocation = &c->revocation,
                                           .trust = c->trust,
                                           .trace = c->trace,
                                           .hub = c->hub,
                                           .dns = c->dns};
    return client_evidence_wanted(c->options, &c->revocation)
               ? client_evidence_open(&c->evidence, err)
               : 0;
}

static int make_config(struct client *c, const struct client_options *o,
                       const struct cleat_dane *dane, struct cleat_tls_config **out,
                       struct cleat_error *err)
{
    const bool secrets = cl_keylog_is_on(&c->keylog) || c->options->pcap != NULL;
    const bool listening = c->trace != NULL || secrets || c->recorder != NULL;
    const struct client_tls_watch watch = {
        .sink = listening ? on_event : NULL, .ctx = c, .secrets = secrets, .recorder = c->recorder};
    const struct client_tls_peer peer = {.trust = c->trust,
                                         .revocation = &c->revocation.options,
                                         .ct = &c->ct,
                                         .dane = dane,
                                         .evidence =
                                             client_evidence_wanted(c->options, &c->revocation),
                                         .afresh = c->revocation.fetch && !c->options->insecure};
    return client_tls_config(o, &peer, &watch, &c->word, out, err);
}

/* That --tlsa is well-formed is said before anybody is asked. */
static int check_records(const struct client_options *o, struct cleat_error *err)
{
    struct cleat_dane *all = NULL;
    const int code = client_dane_open(o, NULL, 0, &all, err);
    cleat_dane_free(all);
    return code;
}

/* One of the command line is taken off it at once, whether it is needed or not. */
static int open_passphrase(struct client *c, struct cleat_error *err)
{
    const struct client_options *o = c->options;
    struct cl_rd text;
    c->word = (struct cl_passphrase){
        .from = o->passin, .plain = o->pass, .option = "--passin", .may_ask = true};
    return o->pass == NULL ||
                   cl_passphrase_get(&c->word, o->cert != NULL ? o->cert : o->raw_public_key, &text,
                                     err) == CL_OK
               ? 0
               : GET_EXIT_OUR_CERT;
}

int client_init(struct client *c, const struct client_options *o, struct cleat_error *err)
{
    memset(c, 0, sizeof(*c));
    c->options = o;
    c->keylog.fd = -1;
    c->pcap.fd = -1;
    int code = open_passphrase(c, err);
    if (code == 0) {
        code = client_ech_parse(o->ech, &c->ech, err) ? open_trace(c, err) : GET_EXIT_USAGE;
    }
    if (code == 0) {
        struct cleat_error trust_error = {0};
        code = client_tls_trust(o, &c->trust, &trust_error);
        if (code != 0 && o->insecure) {
            code = 0; /* nobody will be asked for */
        } else if (code != 0) {
            *err = trust_error;
        }
    }
    if (code == 0) {
        code = client_revocation_open(o, &c->revocation, err);
        code = code == 0 ? client_ct_open(o, &c->ct, err) : code;
    }
    if (code == 0) {
        code = open_recorder(c, err);
    }
    if (code == 0) {
        code = check_records(o, err);
    }
    if (code == 0) {
        code = make_config(c, c->options, NULL, &c->config, err);
    }
    if (code == 0 && client_capture_open(&c->pcap, o->pcap, err) != CL_OK) {
        code = GET_EXIT_WRITE;
    }
    code = code != 0 ? code : open_net(c, err);
    return code != 0 ? code : open_evidence(c, err);
}

void client_close_file(FILE *f)
{
    if (f != NULL && f != stdout) {
        (void)fclose(f);
    }
}

/* ---- --tlsa, and servers that want HTTP/1.1 ---- */

/* A server that was asked for, and its configuration. */
struct client_judged {
    struct client_judged *next;
    char host[CLIENT_HOST_SIZE];
    uint16_t port;
    bool older;              /* HTTP/1.1 alone is offered */
    struct cleat_dane *dane; /* or NULL */
    struct cleat_tls_config *config;
};

static int judge_server(struct client *c, struct client_judged *j, struct cleat_error *err)
{
    struct client_options o = *c->options;
    const bool by_dane = o.tlsa.num != 0;
    int code = by_dane ? client_dane_open(&o, j->host, j->port, &j->dane, err) : 0;
    if (j->older) {
        o.alpn = "http/1.1";
    }
    if (code == 0 && by_dane && j->dane == NULL && !j->older) {
        (void)fprintf(
            stderr,
            "cleat: warning: no TLSA record is for _%u._tcp.%s, which is verified without "
            "any\n",
            j->port, j->host);
        j->config = cleat_tls_config_ref(c->config);
    } else if (code == 0) {
        code = make_config(c, &o, j->dane, &j->config, err);
    }
    return code;
}

struct cleat_tls_config *client_config(struct client *c, const char *host, uint16_t port,
                                       bool older, int *exit_code, struct cleat_error *err)
{
    struct client_judged *j = c->judged;
    *exit_code = 0;
    if (c->options->tlsa.num == 0 && !older) {
        return c->config;
    }
    while (j != NULL && (j->port != port || j->older != older || strcmp(j->host, host) != 0)) {
        j = j->next;
    }
    if (j != NULL) {
        c->evidence.dane = j->dane;
        return j->config;
    }
    j = cl_calloc(1, sizeof(*j));
    if (j == NULL) {
        *exit_code = GET_EXIT_NO_MEMORY;
        return NULL;
    }
    (void)snprintf(j->host, sizeof(j->host), "%s", host);
    j->port = port;
    j->older = older;
    *exit_code = judge_server(c, j, err);
    if (*exit_code != 0) {
        cleat_dane_free(j->dane);
        cl_free(j);
        return NULL;
    }
    j->next = c->judged;
    c->judged = j;
    c->evidence.dane = j->dane;
    return j->config;
}

static void drop_judged(struct client *c)
{
    while (c->judged != NULL) {
        struct client_judged *j = c->judged;
        c->judged = j->next;
        cleat_tls_config_free(j->config);
        cleat_dane_free(j->dane);
        cl_free(j);
    }
}

void client_deinit(struct client *c)
{
    client_evidence_close(&c->evidence);
    client_doh_close(c);
    cl_dns_free(c->dns);
    if (c->has_loop) {
        (void)uv_run(&c->loop, UV_RUN_DEFAULT);
        cl_hub_free(c->hub);
        (void)uv_run(&c->loop, UV_RUN_DEFAULT);
        (void)uv_loop_close(&c->loop);
    }
    client_proxy_close(c);
    cleat_tls_config_free(c->config);
    drop_judged(c);
    if (cl_recorder_problem(c->recorder) != NULL) {
        (void)fprintf(stderr, "cleat: %s\n", cl_recorder_problem(c->recorder));
    }
    cl_recorder_free(c->recorder);
    cleat_trust_store_free(c->trust);
    cl_passphrase_deinit(&c->word);
    client_revocation_close(&c->revocation);
    client_ct_close(&c->ct);
    client_ech_deinit(&c->ech);
    cl_trace_free(c->trace);
    cl_keylog_close(&c->keylog);
    client_capture_close(&c->pcap);
    client_close_file(c->trace_file);
    memset(c, 0, sizeof(*c));
}

/* ---- -k ---- */

int client_accept_any(struct client *c, const char *host, struct cleat_tls *tls)
{
    struct cl_rd der[CL_CHAIN_MAX];
    struct cleat_chain *chain = NULL;
    struct cleat_verdict *verdict = NULL;
    int64_t now = (int64_t)(cl_clock_unix_ms() / 1000);
    const struct cleat_revocation_options *revocation = &c->revocation.options;
    struct cleat_verify_options options = {.trust = c->trust,
                                           .host = host,
                                           .now = now,
                                           .purpose = CLEAT_PURPOSE_SERVER,
                                           .revocation = revocation->mode,
                                           .from_crls = revocation->from_crls,
                                           .from_ocsp = revocation->from_ocsp,
                                           .crls = revocation->crls,
                                           .ocsp = revocation->ocsp,
                                           .staple_asked = true,
                                           .ct = c->ct.mode,
                                           .ct_logs = c->ct.logs,
                                           .clock = cl_clock_ns};
    size_t num = 0;
    options.staple = cleat_tls_peer_staple(tls, &options.staple_len);
    options.scts = cleat_tls_peer_scts(tls, &options.scts_len);
    int code = CLEAT_ERR_UNKNOWN_ISSUER;
    while (num < CL_CHAIN_MAX &&
           cleat_tls_peer_cert(tls, num, &der[num].p, &der[num].len) == CLEAT_OK) {
        num++;
    }
    if (c->trust != NULL && cl_chain_from_der(&chain, der, num, NULL) == CL_OK &&
        cleat_verify(&options, chain, &verdict) == CLEAT_OK) {
        code = cleat_verdict_code(verdict);
        cl_trace_verdict(c->trace, verdict, now, true);
    }
    cleat_verdict_free(verdict);
    cleat_chain_free(chain);
    (void)cleat_tls_accept_peer(tls);
    return code;
}

/* ---- --connect-to ---- */

/* Takes "PART" up to the next colon (an IPv6 literal may be in brackets) and moves behind it. */
static bool take_part(const char **text, char *out, size_t cap)
{
    const char *p = *text;
    const char *end = p[0] == '[' ? strchr(p, ']') : p;
    end = end != NULL ? strchrnul(end, ':') : NULL;
    if (end == NULL || (size_t)(end - p) >= cap) {
        return false;
    }
    size_t len = (size_t)(end - p);
    if (p[0] == '[') {
        p++;
        len -= 2;
    }
    memcpy(out, p, len);
    out[len] = '\0';
    *text = *end == ':' ? end + 1 : end;
    return true;
}

static bool parse_port(const char *text, uint16_t otherwise, uint16_t *out)
{
    char *end;
    long n = strtol(text, &end, 10);
    if (text[0] == '\0') {
        *out = otherwise;
        return true;
    }
    *out = (uint16_t)n;
    return *end == '\0' && text[0] >= '0' && text[0] <= '9' && n >= 1 && n <= 65535;
}

bool client_connect_to(const struct cl_words *options, const char *host, uint16_t port,
                       char out_host[CLIENT_HOST_SIZE], uint16_t *out_port, struct cleat_error *err)
{
    (void)snprintf(out_host, CLIENT_HOST_SIZE, "%s", host);
    *out_port = port;
    for (size_t i = 0; i < options->num; i++) {
        const char *p = options->items[i];
        char host1[CLIENT_HOST_SIZE], port1[8], host2[CLIENT_HOST_SIZE], port2[8];
        uint16_t from, to;
        if (!take_part(&p, host1, sizeof(host1)) || !take_part(&p, port1, sizeof(port1)) ||
            !take_part(&p, host2, sizeof(host2)) || !take_part(&p, port2, sizeof(port2)) ||
            *p != '\0' || !parse_port(port1, port, &from) || !parse_port(port2, port, &to)) {
            const struct cl_why why = {.code = CLEAT_ERR_USAGE,
                                       .hint = "write HOST1:PORT1:HOST2:PORT2"};
            (void)cl_error_set(err, why, "--connect-to: \"%s\" is not understood",
                               options->items[i]);
            return false;
        }
        if (from == port &&
            (host1[0] == '\0' || cl_ascii_equal_fold(cl_rd_str(host1), cl_rd_str(host)))) {
            (void)snprintf(out_host, CLIENT_HOST_SIZE, "%s", host2[0] != '\0' ? host2 : host);
            *out_port = to;
            return true;
        }
    }
    return true;
}
