/* cli/client_evidence.c - see client_evidence.h. */
#include "cli/client_evidence.h"

#include <stdio.h>
#include <string.h>

#include "cli/client_tls.h"
#include "cli/get_codes.h"
#include "cleat/ech.h"
#include "cleat/tls_options.h"
#include "net/clock.h"
#include "x509/chain.h"

bool client_evidence_wanted(const struct client_options *o, const struct client_revocation *r)
{
    return !o->insecure && (r->fetch || o->aia);
}

/* What is fetched is signed, and https protects no more than who asks for what. Its servers are
 * verified, but nothing is fetched for that: it would have no end. */
static int open_https(struct client_evidence *e, struct cleat_error *err)
{
    static const struct cleat_revocation_options off = {0};
    const struct client_options plain = {.alpn = "http/1.1"};
    const struct client_tls_peer peer = {.trust = (struct cleat_trust_store *)(uintptr_t)e->trust,
                                         .revocation = &off};
    const struct client_tls_watch nobody = {0};
    return client_tls_config(&plain, &peer, &nobody, NULL, &e->https, err);
}

int client_evidence_open(struct client_evidence *e, struct cleat_error *err)
{
    const char *folder = e->options->revocation_cache;
    /* "off" is what --revocation takes; ./off is a folder of that name */
    if (folder == NULL || (strcmp(folder, "none") != 0 && strcmp(folder, "off") != 0)) {
        e->cache = cl_fetch_cache_new(folder);
        if (e->cache == NULL) {
            return GET_EXIT_NO_MEMORY;
        }
    }
    return open_https(e, err);
}

void client_evidence_close(struct client_evidence *e)
{
    client_evidence_stop(e);
    cl_fetch_cache_free(e->cache);
    cleat_tls_config_free(e->https);
    e->cache = NULL;
    e->https = NULL;
}

/* ---- what came ---- */

static void tell(struct client_evidence *e, const struct cl_gathered *result)
{
    for (size_t i = 0; i < result->num_notes; i++) {
        const struct cl_gather_note *n = &result->notes[i];
        const char *kind = cl_gather_kind_name(n->kind);
        if (n->failed) {
            cl_trace_note(e->trace, "look", "%s for %s: %s", kind, n->about, n->text);
            if (e->failure[0] == '\0') {
                (void)snprintf(e->failure, sizeof(e->failure), "%s for %.60s: %.300s", kind,
                               n->about, n->text);
            }
        } else if (n->cached) {
            cl_trace_note(e->trace, "look", "%s for %s: %s, kept from %s", kind, n->about, n->text,
                          n->url);
        } else {
            cl_trace_note(e->trace, "look", "%s for %s: %s, from %s (%.1f ms)", kind, n->about,
                          n->text, n->url, (double)n->us / 1e3);
        }
    }
    const char *problem = e->cache != NULL ? cl_fetch_cache_problem(e->cache) : NULL;
    if (problem != NULL) {
        cl_trace_note(e->trace, "look", "nothing is kept: %s", problem);
    }
}

static void on_gathered(void *ctx, const struct cl_gathered *result)
{
    struct client_evidence *e = ctx;
    e->gather = NULL;
    tell(e, result);
    (void)cleat_tls_supply_evidence(e->tls, &result->evidence);
    cl_dial_decided(e->dial);
}

cl_result client_evidence_gather(struct client_evidence *e, struct cl_gather_spec *spec)
{
    const uint64_t ms = e->options->revocation_timeout_ms;
    spec->how = (struct cl_fetch_how){
        .hub = e->hub,
        .dns = e->dns,
        .tls = e->https,
        .timeout_ms = ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms,
    };
    spec->cache = e->cache;
    spec->aia = e->options->aia;
    if (!e->revocation->fetch) {
        spec->verify.revocation = CLEAT_REVOCATION_OFF;
    }
    return cl_gather_start(spec, &e->gather);
}

/* ---- a handshake waits ---- */

static cl_result start(struct client_evidence *e, const char *host, struct cleat_chain *chain)
{
    const struct cleat_revocation_options *r = &e->revocation->options;
    const char *public_name = cleat_tls_ech_public_name(e->tls);
    struct cl_gather_spec spec = {
        .verify = {.trust = e->trust,
                   .dane = public_name != NULL ? NULL : e->dane,
                   .host = public_name != NULL ? public_name : host,
                   .now = (int64_t)(cl_clock_unix_ms() / 1000),
                   .purpose = CLEAT_PURPOSE_SERVER,
                   .revocation = r->mode,
                   .from_crls = r->from_crls,
                   .from_ocsp = r->from_ocsp,
                   .max_revocation_age = r->max_age,
                   .crls = r->crls,
                   .ocsp = r->ocsp},
        .chain = chain,
        /* Nobody on the internet makes us look around in our own network. */
        .aia_public_only = cl_dial_peer_is_public(e->dial),
        .done = on_gathered,
        .ctx = e,
    };
    spec.verify.staple = cleat_tls_peer_staple(e->tls, &spec.verify.staple_len);
    return client_evidence_gather(e, &spec);
}

void client_evidence_ask(struct client_evidence *e, const char *host, struct cl_dial *dial,
                         struct cleat_tls *tls)
{
    struct cl_rd der[CL_CHAIN_MAX];
    struct cleat_chain *chain = NULL;
    size_t num = 0;
    client_evidence_stop(e);
    e->failure[0] = '\0';
    e->tls = tls;
    e->dial = dial;
    while (num < CL_CHAIN_MAX &&
           cleat_tls_peer_cert(tls, num, &der[num].p, &der[num].len) == CLEAT_OK) {
        num++;
    }
    if (cl_chain_from_der(&chain, der, num, NULL) != CL_OK || start(e, host, chain) != CL_OK) {
        (void)cleat_tls_supply_evidence(tls, NULL);
        cl_dial_decided(dial);
    }
    cleat_chain_free(chain);
}

void client_evidence_stop(struct client_evidence *e)
{
    cl_gather_cancel(e->gather);
    e->gather = NULL;
    e->tls = NULL;
    e->dial = NULL;
}

void client_evidence_explain(const struct client_evidence *e, struct cleat_error *err)
{
    if (err->code == CLEAT_ERR_REVOCATION_UNKNOWN && e->failure[0] != '\0') {
        (void)snprintf(err->hint, sizeof(err->hint), "%.*s", (int)sizeof(err->hint) - 1,
                       e->failure);
    }
}
