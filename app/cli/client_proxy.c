/* cli/client_proxy.c - see client_proxy.h. */
#include "cli/client_proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/client.h"
#include "cli/client_tls.h"
#include "cli/get_codes.h"
#include "cli/read_file.h"
#include "http/write.h"

/* 64 KiB: of a file of fields for the proxy */
#define MAX_FIELDS 65536

/* ---- which ---- */

/* An empty variable is one that is not set. */
static const char *first_of(const char *const *names, const char **which)
{
    for (; *names != NULL; names++) {
        const char *value = getenv(*names);
        if (value != NULL && value[0] != '\0') {
            *which = *names;
            return value;
        }
    }
    return NULL;
}

static const char *url_for(const struct client_options *o, bool secure, const char **which)
{
    static const char *const for_secure[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                                             NULL};
    static const char *const for_clear[] = {"http_proxy", "all_proxy", "ALL_PROXY", NULL};
    *which = "--proxy";
    return o->proxy != NULL ? o->proxy : first_of(secure ? for_secure : for_clear, which);
}

static bool is_exempt(const struct client_options *o, const char *host, const char **which)
{
    static const char *const names[] = {"no_proxy", "NO_PROXY", NULL};
    *which = "--noproxy";
    const char *list = o->noproxy != NULL ? o->noproxy : first_of(names, which);
    return list != NULL && cl_proxy_is_exempt(list, host);
}

/* ---- what goes with it ---- */

static cl_result add_field(struct cl_proxy *p, struct cl_rd line)
{
    const uint8_t *colon = memchr(line.p, ':', line.len);
    struct cl_rd name, value = line;
    if (colon == NULL || !cl_rd_take(&value, (size_t)(colon - line.p), &name) ||
        !cl_rd_skip(&value, 1)) {
        return CLEAT_ERR_USAGE;
    }
    while (value.len != 0 && (value.p[0] == ' ' || value.p[0] == '\t') && cl_rd_skip(&value, 1)) {
    }
    while (value.len != 0 && strchr(" \t\r", value.p[value.len - 1]) != NULL) {
        value.len--;
    }
    return cl_http_write_field(&p->fields, name, value);
}

/* "@FILE": a line each. */
static cl_result add_fields_of(struct cl_proxy *p, const char *path)
{
    struct cl_buf text = {0};
    const char *why;
    cl_result r = cl_read_file(path, &text, MAX_FIELDS, &why) ? CL_OK : CLEAT_ERR_USAGE;
    struct cl_rd rest = cl_buf_view(&text), line;
    while (r == CL_OK && rest.len != 0) {
        const uint8_t *end = memchr(rest.p, '\n', rest.len);
        const bool all = end == NULL;
        r = cl_rd_take(&rest, all ? rest.len : (size_t)(end - rest.p), &line) &&
                    (all || cl_rd_skip(&rest, 1))
                ? CL_OK
                : CLEAT_ERR_USAGE;
        r = r == CL_OK && line.len > 1 ? add_field(p, line) : r;
    }
    cl_buf_deinit(&text);
    return r;
}

static int add_fields(struct cl_proxy *p, const struct cl_words *words, struct cleat_error *err)
{
    for (size_t i = 0; i < words->num; i++) {
        const char *word = words->items[i];
        if ((word[0] == '@' ? add_fields_of(p, word + 1) : add_field(p, cl_rd_str(word))) !=
            CL_OK) {
            const struct cl_why why = {.code = CLEAT_ERR_USAGE, .hint = "write \"Name: value\""};
            (void)cl_error_set(err, why, "--proxy-header \"%s\" is not a header field", word);
            return GET_EXIT_USAGE;
        }
    }
    return 0;
}

/* ---- TLS with it ---- */

/* The trace is about the connection to the server; of the proxy's only the secrets are kept. */
static void on_event(void *ctx, void *user, const struct cleat_event *event)
{
    struct client *c = ctx;
    cl_keylog_event(&c->keylog, event);
    cl_capture_event(c->pcap.capture, event);
}

/* As with curl, what --cacert and -k say is about the server. */
static int make_tls(struct client *c, struct cl_proxy *p, struct cleat_error *err)
{
    static const struct cleat_revocation_options off = {0};
    const struct client_options plain = {.cacert = c->options->proxy_cacert,
                                         .insecure = c->options->proxy_insecure,
                                         .alpn = "http/1.1"};
    const bool secrets = cl_keylog_is_on(&c->keylog) || c->options->pcap != NULL;
    const struct client_tls_watch watch = {
        .sink = secrets ? on_event : NULL, .ctx = c, .secrets = secrets};
    struct client_tls_peer peer = {.revocation = &off};
    int code = plain.insecure ? 0 : client_tls_trust(&plain, &peer.trust, err);
    p->insecure = plain.insecure;
    code = code == 0 ? client_tls_config(&plain, &peer, &watch, NULL, &p->tls, err) : code;
    cleat_trust_store_free(peer.trust);
    return code;
}

/* ---- the whole ---- */

static int make(struct client *c, struct cl_proxy *p, const char *url, struct cleat_error *err)
{
    const struct client_options *o = c->options;
    if (cl_proxy_parse(url, p, err) != CL_OK) {
        return GET_EXIT_PROXY;
    }
    if (o->proxy_user != NULL && cl_proxy_set_user(p, o->proxy_user, err) != CL_OK) {
        return GET_EXIT_USAGE;
    }
    const int code = add_fields(p, &o->proxy_headers, err);
    return code == 0 && p->kind == CL_PROXY_HTTPS ? make_tls(c, p, err) : code;
}

int client_proxy_for(struct client *c, const char *host, uint16_t port, bool secure,
                     const struct cl_proxy **out, struct cleat_error *err)
{
    const char *which, *not_which;
    const char *url = url_for(c->options, secure, &which);
    struct cl_proxy **slot = &c->proxies[secure ? 1 : 0];
    *out = NULL;
    if (url == NULL || url[0] == '\0') { /* --proxy "" is none, whatever the environment says */
        return 0;
    }
    if (is_exempt(c->options, host, &not_which)) {
        cl_trace_note(c->trace, "prxy", "no proxy for %s (%s)", host, not_which);
        return 0;
    }
    if (*slot == NULL) {
        struct cl_proxy *p = cl_calloc(1, sizeof(*p));
        const int code = p != NULL ? make(c, p, url, err) : GET_EXIT_NO_MEMORY;
        if (code != 0) {
            if (p != NULL) {
                cl_proxy_deinit(p);
            }
            cl_free(p);
            return code;
        }
        *slot = p;
    }
    *out = *slot;
    cl_trace_note(c->trace, "prxy", "to %s port %u through %s://%s:%u (%s)", host, (unsigned)port,
                  cl_proxy_scheme(*out), (*out)->host, (unsigned)(*out)->port, which);
    return 0;
}

void client_proxy_close(struct client *c)
{
    for (size_t i = 0; i < sizeof(c->proxies) / sizeof(c->proxies[0]); i++) {
        if (c->proxies[i] != NULL) {
            cl_proxy_deinit(c->proxies[i]);
            cl_free(c->proxies[i]);
            c->proxies[i] = NULL;
        }
    }
}
