/* serve/site_tls.c - the TLS configuration of a site: from the options, and the files that they
 * name, to an object that connections share. Made at start, and once more for each reload; what
 * lets clients resume goes on from one to the next. May block. */
#include <string.h>

#include "base/mem.h"
#include "cleat/fingerprint.h"
#include "cleat/tls_auth.h"
#include "cleat/tls_early.h"
#include "cleat/tls_options.h"
#include "cleat/tls_psk.h"
#include "cleat/tls_rawkey.h"
#include "conn/psk_file.h"
#include "net/clock.h"
#include "serve/captures.h"
#include "serve/clients.h"
#include "serve/credentials.h"
#include "serve/demo_visit.h"
#include "serve/ech_files.h"
#include "serve/own_chain.h"
#include "serve/session.h"
#include "serve/site.h"

/* 32: protocols in --alpn */
#define MAX_ALPN 32

static cl_result set_alpn(struct cleat_tls_builder *b, const char *list, bool no_http2)
{
    const char *names[MAX_ALPN];
    size_t num = 0;
    char *copy = cl_strndup(list, strlen(list));
    if (copy == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    char *rest = NULL;
    for (char *name = strtok_r(copy, ", ", &rest); name != NULL && num < MAX_ALPN;
         name = strtok_r(NULL, ", ", &rest)) {
        if (!no_http2 || strcmp(name, "h2") != 0) {
            names[num++] = name;
        }
    }
    int code = num > 0 ? cleat_tls_builder_alpn(b, names, num) : CLEAT_OK;
    cl_free(copy);
    return (cl_result)code;
}

/* A pinned key goes first: a client that has both was given it for this server. */
static cl_result set_client_pins(struct cleat_tls_builder *b, const struct cl_serve_options *o)
{
    static const enum cleat_cert_type types[] = {CLEAT_CERT_TYPE_RAW_PUBLIC_KEY,
                                                 CLEAT_CERT_TYPE_X509};
    for (size_t i = 0; i < o->num_client_pins; i++) {
        CL_TRY((cl_result)cleat_tls_builder_raw_pin(b, o->client_pins[i]));
    }
    return (cl_result)cleat_tls_builder_peer_types(b, types, o->client_ca != NULL ? 2 : 1);
}

static cl_result set_psks(struct cleat_tls_builder *b, const struct cl_serve_options *o,
                          struct cleat_error *err)
{
    if (o->psk == NULL) {
        return CL_OK;
    }
    CL_TRY(cl_psk_file_add(b, o->psk, err));
    return (cl_result)cleat_tls_builder_psk_modes(b, CLEAT_PSK_DHE_KE |
                                                         (o->psk_ke ? CLEAT_PSK_KE : 0));
}

/* Each configuration has its own: after a reload every client is verified again. */
static int set_client_cache(struct cleat_tls_builder *b, unsigned num)
{
    struct cleat_verify_cache *cache;
    int code = cleat_verify_cache_new(num, 0, &cache);
    if (code == CLEAT_OK) {
        cleat_tls_builder_verify_cache(b, cache);
        cleat_verify_cache_free(cache);
    }
    return code;
}

static cl_result set_client_auth(const struct cl_site *site, struct cleat_tls_builder *b,
                                 struct cleat_error *err)
{
    const struct cl_serve_options *o = site->options;
    if (o->num_client_pins > 0) {
        CL_TRY(set_client_pins(b, o));
        cleat_tls_builder_client_auth(b, o->client_auth);
    }
    if (o->client_ca == NULL) {
        return CL_OK;
    }
    struct cleat_trust_store *store = NULL;
    CL_TRY(cl_credentials_trust(o->client_ca, &store, err));
    int code = cleat_tls_builder_trust(b, store);
    cleat_trust_store_free(store);
    cleat_tls_builder_client_auth(b, o->client_auth);
    if (code == CLEAT_OK && o->client_cache != 0) {
        code = set_client_cache(b, o->client_cache);
    }
    if (code == CLEAT_OK && site->protected != NULL) {
        cleat_tls_builder_late_auth(b, true);
    }
    return (cl_result)code;
}

static cl_result set_pairs(struct cleat_tls_builder *b, const struct cl_serve_options *o,
                           struct cleat_error *err)
{
    const enum cl_credentials_say say = o->trial   ? CL_CREDENTIALS_SAY_NOTHING
                                        : o->quiet ? CL_CREDENTIALS_SAY_WARNINGS
                                                   : CL_CREDENTIALS_SAY_ALL;
    struct cleat_trust_store *roots = o->trial ? NULL : cl_own_chain_roots();
    cl_result result = CL_OK;
    for (size_t i = 0; i < o->num_pairs && result == CL_OK; i++) {
        result = cl_credentials_add(b, &o->pairs[i], o->key_word, roots, say, err);
    }
    cleat_trust_store_free(roots);
    for (size_t i = 0; i < o->num_raw_keys && result == CL_OK; i++) {
        result = cl_credentials_add_raw(b, o->raw_keys[i], o->key_word, say, err);
    }
    return result;
}

static cl_result set_lists(struct cleat_tls_builder *b, const struct cl_serve_options *o)
{
    const struct {
        const char *list;
        int (*set)(struct cleat_tls_builder *b, const char *list);
    } lists[] = {
        {o->ciphers, cleat_tls_builder_ciphers},
        {o->tls13_ciphers, cleat_tls_builder_ciphers},
        {o->groups, cleat_tls_builder_groups},
        {o->signatures, cleat_tls_builder_signatures},
        {o->cert_compression, cleat_tls_builder_cert_compression},
    };
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        if (lists[i].list != NULL) {
            CL_TRY((cl_result)lists[i].set(b, lists[i].list));
        }
    }
    if (o->tls_min != 0 || o->tls_max != 0) {
        CL_TRY((cl_result)cleat_tls_builder_version_bounds(b, o->tls_min, o->tls_max));
    }
    return set_alpn(b, o->alpn, o->no_http2);
}

/* A ticket is worth nothing to a server with other rules about who may come in. */
static cl_result set_resumption(const struct cl_site *site, struct cleat_tls_builder *b)
{
    const struct cl_site_resumption *r = &site->resumption;
    char binding[128];
    CL_TRY((cl_result)cleat_tls_builder_ticket_keys(b, r->keys));
    cl_clients_binding(site->clients, binding, sizeof(binding));
    CL_TRY((cl_result)cleat_tls_builder_binding(b, binding));
    if (r->cache != NULL) {
        CL_TRY((cl_result)cleat_tls_builder_session_cache(b, r->cache));
    }
    if (r->uses == NULL) {
        return CL_OK;
    }
    struct cleat_strike strike = cleat_strike_of_register(r->uses);
    return (cl_result)cleat_tls_builder_early_data(b, &strike, 0, 0);
}

/* Nobody pays for fingerprints that nobody reads. */
static unsigned decisions(const struct cl_site *site)
{
    const struct cl_serve_options *o = site->options;
    const bool hello = o->num_deny_ja4 > 0 || o->num_allow_ja4 > 0 || o->verbose > 0 ||
                       o->ws.num_endpoints > 0 || strcmp(o->access_log, "off") != 0;
    const bool identity = o->client_ca != NULL && site->clients != NULL && o->deny_in_handshake;
    return (hello ? CLEAT_DECIDE_HELLO : 0U) | (identity ? CLEAT_DECIDE_IDENTITY : 0U);
}

static void on_event(void *ctx, void *user, const struct cleat_event *event)
{
    const struct cl_site *site = ctx;
    cl_keylog_event(&site->keylog, event);
    if (site->captures != NULL) {
        const struct cl_session *session = user;
        cl_capture_event(cl_capture_file_capture(session->capture), event);
    }
    if (site->demo != NULL) {
        const struct cl_session *session = user;
        cl_demo_visit_event(session->visit, event);
    }
    if (site->watch != NULL) {
        site->watch(ctx, user, event);
    }
}

cl_result cl_site_build_tls(struct cl_site *site, struct cleat_tls_config **out,
                            struct cleat_error *err)
{
    const struct cl_serve_options *o = site->options;
    struct cleat_tls_builder *b = NULL;
    CL_TRY((cl_result)cleat_tls_builder_new(CLEAT_SERVER, &b));
    cleat_tls_builder_clock(b, cl_clock_for_tls, NULL);
    cleat_tls_builder_small_first_records(b, true);
    cleat_tls_builder_decide(b, decisions(site));
    cl_result result = (cl_result)cleat_tls_builder_profile(b, cl_site_profile(o));
    if (result == CL_OK) {
        result = set_pairs(b, o, err);
    }
    if (result == CL_OK) {
        result = set_psks(b, o, err);
    }
    if (result == CL_OK) {
        result = set_client_auth(site, b, err);
    }
    if (result == CL_OK) {
        result = set_lists(b, o);
    }
    if (result == CL_OK && o->num_ech_keys != 0) {
        result = cl_ech_files_add(b, o->ech_keys, o->num_ech_keys, err);
    }
    if (result == CL_OK) {
        result = set_resumption(site, b);
    }
    if (result != CL_OK) {
        if (err->code == CLEAT_OK) {
            *err = *cleat_tls_builder_error(b);
        }
        cleat_tls_builder_free(b);
        return result;
    }
    const bool secrets = cl_keylog_is_on(&site->keylog) || o->pcap != NULL;
    if (secrets || site->watch != NULL || o->demo) {
        cleat_tls_builder_events(b, on_event, site, secrets);
    }
    return (cl_result)cleat_tls_builder_finish(b, out, err);
}
