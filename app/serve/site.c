/* serve/site.c - see site.h. Runs once, at start; may block. */
#include "serve/site.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "cleat/tls_auth.h"
#include "cleat/tls_early.h"
#include "cleat/tls_options.h"
#include "cleat/tls_rawkey.h"
#include "conn/psk_file.h"
#include "net/clock.h"
#include "serve/clients.h"
#include "serve/credentials.h"
#include "serve/own_chain.h"
#include "serve/protected.h"
#include "serve/ticket_files.h"

/* 32: protocols in --alpn */
#define MAX_ALPN    32
/* 65,536: each is kept for 20 s at most, so 3,000 a second find room; 2.7 MB */
#define NUM_STRIKES 65536

static cl_result config_error(struct cleat_error *err, const char *what, const char *path)
{
    return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG}, "%s %s: %s", what, path,
                        strerror(errno));
}

static cl_result open_root(struct cl_site *site, struct cleat_error *err)
{
    const char *root = site->options->root;
    site->files.root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (site->files.root_fd < 0) {
        return config_error(err, "the folder to serve cannot be opened:", root);
    }
    return CL_OK;
}

static cl_result open_access_log(struct cl_site *site, struct cleat_error *err)
{
    const char *path = site->options->access_log;
    if (strcmp(path, "off") == 0) {
        return CL_OK;
    }
    if (strcmp(path, "-") == 0) {
        return cl_log_new(STDOUT_FILENO, false, &site->access);
    }
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) {
        return config_error(err, "the access log cannot be opened:", path);
    }
    cl_result result = cl_log_new(fd, true, &site->access);
    if (result != CL_OK) {
        close(fd);
    }
    return result;
}

static cl_result set_alpn(struct cleat_tls_builder *b, const char *list)
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
        names[num++] = name;
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

static cl_result set_client_auth(struct cl_site *site, struct cleat_tls_builder *b,
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
    if (code == CLEAT_OK && o->num_client_auth_paths > 0) {
        CL_TRY(cl_protected_new(o->client_auth_paths, o->num_client_auth_paths, &site->protected,
                                err));
        cleat_tls_builder_late_auth(b, true);
    }
    if (code == CLEAT_OK && o->num_client_allow > 0) {
        CL_TRY(cl_clients_new(o->client_allow, o->num_client_allow, &site->clients, err));
        cleat_tls_builder_decide(b, o->deny_in_handshake ? CLEAT_DECIDE_IDENTITY
                                                         : CLEAT_DECIDE_NOTHING);
    }
    return (cl_result)code;
}

static cl_result set_pairs(struct cleat_tls_builder *b, const struct cl_serve_options *o,
                           struct cleat_error *err)
{
    struct cleat_trust_store *roots = cl_own_chain_roots();
    cl_result result = CL_OK;
    for (size_t i = 0; i < o->num_pairs && result == CL_OK; i++) {
        result = cl_credentials_add(b, &o->pairs[i], roots, o->quiet, err);
    }
    cleat_trust_store_free(roots);
    for (size_t i = 0; i < o->num_raw_keys && result == CL_OK; i++) {
        result = cl_credentials_add_raw(b, o->raw_keys[i], o->quiet, err);
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
    };
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        if (lists[i].list != NULL) {
            CL_TRY((cl_result)lists[i].set(b, lists[i].list));
        }
    }
    if (o->tls_min != 0 || o->tls_max != 0) {
        CL_TRY((cl_result)cleat_tls_builder_version_bounds(b, o->tls_min, o->tls_max));
    }
    return set_alpn(b, o->alpn);
}

static const char *profile_of(const struct cl_serve_options *o)
{
    return o->profile != NULL ? o->profile : cleat_profile_name(0);
}

/* A ticket is worth nothing to a server with other rules about who may come in. */
static cl_result set_tickets(const struct cl_site *site, struct cleat_tls_builder *b,
                             struct cleat_error *err)
{
    const struct cl_serve_options *o = site->options;
    char binding[128];
    struct cleat_ticket_keys *keys = NULL;
    CL_TRY((cl_result)cleat_ticket_keys_new(cleat_profile_ticket_lifetime(profile_of(o)), &keys));
    cl_result result = cl_ticket_files_load(keys, o->ticket_keys, o->num_ticket_keys, err);
    if (result == CL_OK) {
        result = (cl_result)cleat_tls_builder_ticket_keys(b, keys);
    }
    cleat_ticket_keys_free(keys);
    CL_TRY(result);
    cl_clients_binding(site->clients, binding, sizeof(binding));
    return (cl_result)cleat_tls_builder_binding(b, binding);
}

static cl_result set_session_cache(struct cleat_tls_builder *b, const struct cl_serve_options *o)
{
    struct cleat_session_cache *cache = NULL;
    if (o->session_cache_kib == 0) {
        return CL_OK;
    }
    CL_TRY((cl_result)cleat_session_cache_new(
        (size_t)o->session_cache_kib * 1024, cleat_profile_ticket_lifetime(profile_of(o)), &cache));
    int code = cleat_tls_builder_session_cache(b, cache);
    cleat_session_cache_free(cache);
    return (cl_result)code;
}

static cl_result set_early_data(struct cleat_tls_builder *b, const struct cl_serve_options *o)
{
    struct cleat_strike_register *uses = NULL;
    if (!o->early_data) {
        return CL_OK;
    }
    CL_TRY((cl_result)cleat_strike_register_new(NUM_STRIKES, cl_clock_unix_ms(), &uses));
    struct cleat_strike strike = cleat_strike_of_register(uses);
    cleat_strike_register_free(uses);
    return (cl_result)cleat_tls_builder_early_data(b, &strike, 0, 0);
}

static void on_event(void *ctx, void *user, const struct cleat_event *event)
{
    const struct cl_site *site = ctx;
    cl_keylog_event(&site->keylog, event);
}

static cl_result build_tls(struct cl_site *site, struct cleat_error *err)
{
    const struct cl_serve_options *o = site->options;
    struct cleat_tls_builder *b = NULL;
    CL_TRY((cl_result)cleat_tls_builder_new(CLEAT_SERVER, &b));
    cleat_tls_builder_clock(b, cl_clock_for_tls, NULL);
    cleat_tls_builder_small_first_records(b, true);
    cl_result result = (cl_result)cleat_tls_builder_profile(b, profile_of(o));
    if (result == CL_OK) {
        result = set_pairs(b, o, err);
    }
    if (result == CL_OK && o->psk != NULL) {
        result = cl_psk_file_add(b, o->psk, err);
    }
    if (result == CL_OK) {
        result = set_client_auth(site, b, err);
    }
    if (result == CL_OK) {
        result = set_lists(b, o);
    }
    if (result == CL_OK) {
        result = set_tickets(site, b, err);
    }
    if (result == CL_OK) {
        result = set_session_cache(b, o);
    }
    if (result == CL_OK) {
        result = set_early_data(b, o);
    }
    if (result != CL_OK) {
        if (err->code == CLEAT_OK) {
            *err = *cleat_tls_builder_error(b);
        }
        cleat_tls_builder_free(b);
        return result;
    }
    if (cl_keylog_is_on(&site->keylog)) {
        cleat_tls_builder_events(b, on_event, site, CLEAT_EVENTS_SECRETS);
    }
    return (cl_result)cleat_tls_builder_finish(b, &site->tls, err);
}

static bool needs_tls(const struct cl_serve_options *o)
{
    for (size_t i = 0; i < o->num_listen; i++) {
        if (!o->listen[i].clear) {
            return true;
        }
    }
    return false;
}

static cl_result make_websockets(struct cl_site *site)
{
    site->ws = cl_calloc(1, sizeof(*site->ws));
    if (site->ws == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    site->ws->config = &site->options->ws;
    return CL_OK;
}

cl_result cl_site_load(struct cl_site *site, const struct cl_serve_options *options,
                       struct cleat_error *err)
{
    *site = (struct cl_site){.options = options, .files.root_fd = -1, .keylog.fd = -1};
    cl_result result = cl_keylog_open(&site->keylog, options->key_log, err);
    if (result == CL_OK) {
        result = open_root(site, err);
    }
    if (result == CL_OK && needs_tls(options)) {
        result = build_tls(site, err);
    }
    if (result == CL_OK) {
        result = open_access_log(site, err);
    }
    if (result == CL_OK) {
        result = cl_log_new(STDERR_FILENO, false, &site->errors);
    }
    if (result == CL_OK && options->ws.num_endpoints > 0) {
        result = make_websockets(site);
    }
    if (result == CL_OK) {
        result = cl_failures_new(site->errors, &site->failures);
    }
    if (result != CL_OK) {
        cl_error_set(err, (struct cl_why){.code = result}, "%s", cleat_error_sentence(result));
        cl_site_deinit(site);
    }
    return result;
}

void cl_site_deinit(struct cl_site *site)
{
    cleat_tls_config_free(site->tls);
    cl_clients_free(site->clients);
    cl_protected_free(site->protected);
    if (site->files.root_fd >= 0) {
        close(site->files.root_fd);
    }
    cl_failures_free(site->failures);
    cl_free(site->ws);
    cl_log_free(site->access);
    cl_log_free(site->errors);
    cl_keylog_close(&site->keylog);
    *site = (struct cl_site){.files.root_fd = -1, .keylog.fd = -1};
}
