/* serve/site.c - see site.h. Runs at start, and for a reload; may block. */
#include "serve/site.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "cleat/version.h"
#include "cleat/tls_early.h"
#include "net/clock.h"
#include "serve/captures.h"
#include "serve/clients.h"
#include "serve/demo.h"
#include "serve/ja4_list.h"
#include "serve/protected.h"
#include "serve/staples.h"
#include "serve/ticket_files.h"

#define SERVER_FIELD "Server: cleat/" CLEAT_VERSION_STRING "\r\n"

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

/* RFC 6797 7.2: "An HSTS Host MUST NOT include the STS header field in HTTP responses conveyed over
 * non-secure transport." For hosts that are IP addresses browsers pass over it (8.1.1). */
static void write_fields(struct cl_site *site)
{
    const char *hsts = site->options->web.hsts;
    for (int secure = 0; secure < 2; secure++) {
        const bool said = secure && hsts[0] != '\0';
        (void)snprintf(site->fields[secure], sizeof(site->fields[secure]), "%s%s%s%s", SERVER_FIELD,
                       said ? "Strict-Transport-Security: " : "", said ? hsts : "",
                       said ? "\r\n" : "");
    }
}

const char *cl_site_fields(const struct cl_site *site, bool secure)
{
    return site->fields[secure][0] != '\0' ? site->fields[secure] : SERVER_FIELD;
}

static cl_result make_codings(struct cl_site *site)
{
    const struct cl_serve_web *web = &site->options->web;
    struct cl_static_codings *codings = &site->files.codings;
    write_fields(site);
    codings->precompressed = !web->no_precompressed;
    codings->num_compress = web->num_compress;
    memcpy(codings->compress, web->compress, sizeof(codings->compress));
    return web->num_compress == 0 ? CL_OK
                                  : cl_encoded_cache_new(CL_ENCODED_BUDGET, &codings->cache);
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
    cl_ws_server_init(site->ws, &site->options->ws);
    return CL_OK;
}

/* ---- TLS ---- */

const char *cl_site_profile(const struct cl_serve_options *o)
{
    return o->profile != NULL ? o->profile : cleat_profile_name(0);
}

/* What stays as it is when certificates are read again. */
static cl_result make_resumption(struct cl_site *site)
{
    const struct cl_serve_options *o = site->options;
    struct cl_site_resumption *r = &site->resumption;
    uint32_t lifetime = cleat_profile_ticket_lifetime(cl_site_profile(o));
    CL_TRY((cl_result)cleat_ticket_keys_new(lifetime, &r->keys));
    if (o->session_cache_kib != 0) {
        CL_TRY((cl_result)cleat_session_cache_new((size_t)o->session_cache_kib * 1024, lifetime,
                                                  &r->cache));
    }
    if (!o->early_data) {
        return CL_OK;
    }
    return (cl_result)cleat_strike_register_new(NUM_STRIKES, cl_clock_unix_ms(), &r->uses);
}

static cl_result make_client_rules(struct cl_site *site, struct cleat_error *err)
{
    const struct cl_serve_options *o = site->options;
    if (o->num_client_auth_paths > 0) {
        CL_TRY(cl_protected_new(o->client_auth_paths, o->num_client_auth_paths, &site->protected,
                                err));
    }
    return o->num_client_allow > 0
               ? cl_clients_new(o->client_allow, o->num_client_allow, &site->clients, err)
               : CL_OK;
}

static void free_hellos(struct cl_site_hellos *h)
{
    cl_ja4_list_free(h->deny);
    cl_ja4_list_free(h->allow);
    *h = (struct cl_site_hellos){0};
}

static cl_result load_hellos(const struct cl_serve_options *o, struct cl_site_hellos *out,
                             struct cleat_error *err)
{
    if (o->num_deny_ja4 > 0) {
        CL_TRY(cl_ja4_list_load(o->deny_ja4, o->num_deny_ja4, &out->deny, err));
    }
    return o->num_allow_ja4 > 0 ? cl_ja4_list_load(o->allow_ja4, o->num_allow_ja4, &out->allow, err)
                                : CL_OK;
}

/* The files of ticket keys come last: they are taken as soon as they have been read. */
static cl_result build(struct cl_site *site, struct cleat_tls_config **out,
                       struct cl_site_hellos *hellos, struct cleat_error *err)
{
    const struct cl_serve_options *o = site->options;
    struct cleat_tls_config *config = NULL;
    cl_result result = load_hellos(o, hellos, err);
    if (result == CL_OK) {
        result = cl_site_build_tls(site, &config, err);
    }
    if (result == CL_OK) {
        result =
            cl_ticket_files_load(site->resumption.keys, o->ticket_keys, o->num_ticket_keys, err);
    }
    if (result != CL_OK) {
        cleat_tls_config_free(config);
        free_hellos(hellos);
        return result;
    }
    *out = config;
    return CL_OK;
}

/* Where one is said it is read at once: what is wrong with it is told at start, and a descriptor
 * is not read at a reload. */
static cl_result read_passphrase(const struct cl_serve_options *o, struct cleat_error *err)
{
    struct cl_rd text;
    return o->key_word != NULL && o->key_word->from != NULL
               ? cl_passphrase_get(o->key_word, "the private keys", &text, err)
               : CL_OK;
}

/* A reload reads the file again, keeps what came from elsewhere, and asks nobody: who started the
 * server has left the terminal. */
static void renew_passphrase(struct cl_passphrase *word)
{
    if (word == NULL) {
        return;
    }
    word->may_ask = false;
    if (word->from != NULL && strncmp(word->from, "file:", 5) == 0) {
        cl_passphrase_deinit(word);
    }
}

static cl_result make_tls(struct cl_site *site, struct cleat_error *err)
{
    if (!needs_tls(site->options)) {
        return CL_OK;
    }
    CL_TRY(make_client_rules(site, err));
    CL_TRY(make_resumption(site));
    site->tls = cl_calloc(1, sizeof(*site->tls));
    if (site->tls == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    pthread_mutex_init(&site->tls->mutex, NULL);
    CL_TRY(read_passphrase(site->options, err));
    return build(site, &site->tls->config, &site->tls->hellos, err);
}

struct cleat_tls_config *cl_site_tls(const struct cl_site *site)
{
    pthread_mutex_lock(&site->tls->mutex);
    struct cleat_tls_config *config = cleat_tls_config_ref(site->tls->config);
    pthread_mutex_unlock(&site->tls->mutex);
    return config;
}

void cl_site_swap_tls(struct cl_site *site, struct cleat_tls_config *config)
{
    pthread_mutex_lock(&site->tls->mutex);
    struct cleat_tls_config *old = site->tls->config;
    site->tls->config = config;
    pthread_mutex_unlock(&site->tls->mutex);
    cleat_tls_config_free(old);
}

bool cl_site_lets_in(const struct cl_site *site, const char *ja4, char *why, size_t cap)
{
    const struct cl_site_hellos *h = &site->tls->hellos;
    const char *where = NULL;
    const char *entry = NULL;
    bool allowed = true;
    pthread_mutex_lock(&site->tls->mutex);
    if (h->deny != NULL && (entry = cl_ja4_list_find(h->deny, ja4, &where)) != NULL) {
        (void)snprintf(why, cap, "the client's JA4 %s is denied by %s of %s", ja4, entry, where);
        allowed = false;
    } else if (h->allow != NULL && cl_ja4_list_find(h->allow, ja4, &where) == NULL) {
        (void)snprintf(why, cap, "the client's JA4 %s is none of the %zu of --allow-ja4", ja4,
                       cl_ja4_list_num(h->allow));
        allowed = false;
    } else if (ja4[0] == '\0' && (h->deny != NULL || h->allow != NULL)) {
        (void)snprintf(why, cap, "the client's JA4 cannot be computed, and lists ask for it");
        allowed = false;
    }
    pthread_mutex_unlock(&site->tls->mutex);
    return allowed;
}

cl_result cl_site_reload(struct cl_site *site, struct cleat_error *err)
{
    struct cleat_tls_config *config = NULL;
    struct cl_site_hellos hellos = {0};
    if (site->tls == NULL) {
        return CL_OK;
    }
    renew_passphrase(site->options->key_word);
    CL_TRY(build(site, &config, &hellos, err));
    cl_result result = cl_staples_dress(site->staples, &config);
    if (result != CL_OK) {
        cleat_tls_config_free(config);
        free_hellos(&hellos);
        return result;
    }
    pthread_mutex_lock(&site->tls->mutex);
    struct cleat_tls_config *old = site->tls->config;
    struct cl_site_hellos old_hellos = site->tls->hellos;
    site->tls->config = config;
    site->tls->hellos = hellos;
    pthread_mutex_unlock(&site->tls->mutex);
    cleat_tls_config_free(old);
    free_hellos(&old_hellos);
    return CL_OK;
}

static void free_tls(struct cl_site *site)
{
    struct cl_site_resumption *r = &site->resumption;
    if (site->tls != NULL) {
        cleat_tls_config_free(site->tls->config);
        free_hellos(&site->tls->hellos);
        pthread_mutex_destroy(&site->tls->mutex);
        cl_free(site->tls);
    }
    cleat_ticket_keys_free(r->keys);
    cleat_session_cache_free(r->cache);
    cleat_strike_register_free(r->uses);
    cl_clients_free(site->clients);
    cl_protected_free(site->protected);
}

/* ---- all of it ---- */

cl_result cl_site_load(struct cl_site *site, const struct cl_serve_options *options,
                       struct cleat_error *err)
{
    *site = (struct cl_site){.options = options, .files.root_fd = -1, .keylog.fd = -1};
    cl_result result = cl_keylog_open(&site->keylog, options->key_log, err);
    if (result == CL_OK && !options->demo) {
        result = open_root(site, err);
    }
    if (result == CL_OK) {
        result = make_codings(site);
    }
    if (result == CL_OK) {
        result = make_tls(site, err);
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

cl_result cl_site_load_tls(struct cl_site *site, const struct cl_serve_options *options,
                           cleat_event_sink watch, struct cleat_error *err)
{
    *site =
        (struct cl_site){.options = options, .files.root_fd = -1, .keylog.fd = -1, .watch = watch};
    cl_result result = make_tls(site, err);
    if (result != CL_OK) {
        cl_error_set(err, (struct cl_why){.code = result}, "%s", cleat_error_sentence(result));
        cl_site_deinit(site);
    }
    return result;
}

void cl_site_deinit(struct cl_site *site)
{
    free_tls(site);
    if (site->files.root_fd >= 0) {
        close(site->files.root_fd);
    }
    cl_encoded_cache_free(site->files.codings.cache);
    cl_failures_free(site->failures);
    cl_free(site->ws);
    cl_captures_free(site->captures);
    cl_demo_free(site->demo);
    cl_log_free(site->access);
    cl_log_free(site->errors);
    cl_keylog_close(&site->keylog);
    *site = (struct cl_site){.files.root_fd = -1, .keylog.fd = -1};
}
