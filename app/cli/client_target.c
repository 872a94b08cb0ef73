/* cli/client_target.c - URLs: default scheme, which schemes are taken, international host names
 * (IDNA 2008). */
#include "cli/client_target.h"

#include <idn2.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/get_codes.h"
#include "http/url.h"

static int bad_url(struct cleat_error *err, const char *what, struct cleat_http_view host)
{
    const struct cl_why why = {.code = CLEAT_ERR_BAD_URL};
    (void)cl_error_set(err, why, "host \"%.*s\": %s", (int)host.len, host.p, what);
    return GET_EXIT_BAD_URL;
}

static int set_idn_host(struct client_target *t, struct cleat_error *err)
{
    char *utf8 = cl_strndup(t->url.host.p, t->url.host.len);
    uint8_t *ascii = NULL;
    if (utf8 == NULL) {
        return GET_EXIT_NO_MEMORY;
    }
    int r = idn2_lookup_u8((const uint8_t *)utf8, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    int code = 0;
    if (r != IDN2_OK) {
        code = bad_url(err, idn2_strerror(r), t->url.host);
    } else if (strlen((const char *)ascii) >= sizeof(t->host)) {
        code = bad_url(err, "the name is too long", t->url.host);
    } else {
        (void)snprintf(t->host, sizeof(t->host), "%s", (const char *)ascii);
    }
    idn2_free(ascii);
    cl_free(utf8);
    return code;
}

static int set_host(struct client_target *t, struct cleat_error *err)
{
    if (t->url.is_idn) {
        return set_idn_host(t, err);
    }
    if (!cl_http_url_host(&t->url, t->host, sizeof(t->host))) {
        return bad_url(err, "the name is empty or too long", t->url.host);
    }
    return 0;
}

static void set_authority(struct client_target *t)
{
    char port[8] = "";
    t->port = t->url.port;
    if (t->port != (t->url.secure ? 443 : 80)) {
        (void)snprintf(port, sizeof(port), ":%u", (unsigned)t->port);
    }
    (void)snprintf(t->authority, sizeof(t->authority), t->url.is_ipv6 ? "[%s]%s" : "%s%s", t->host,
                   port);
}

static int parse_own_text(struct client_target *t, size_t len, struct cleat_error *err)
{
    if (cleat_http_url_parse(&t->url, t->text, len, err) != CLEAT_OK) {
        /* A URL of another protocol is curl's error 1, not 3. */
        bool has_scheme = strstr(t->text, "://") != NULL;
        bool is_web = strncasecmp(t->text, "http", 4) == 0 || strncasecmp(t->text, "ws", 2) == 0;
        return has_scheme && !is_web ? GET_EXIT_PROTOCOL : GET_EXIT_BAD_URL;
    }
    int code = set_host(t, err);
    if (code == 0) {
        set_authority(t);
    }
    return code;
}

static int refuse_scheme(const struct client_target *t, struct cleat_error *err, const char *text,
                         const char *hint)
{
    const struct cl_why why = {.code = CLEAT_ERR_UNSUPPORTED, .hint = hint};
    (void)cl_error_set(err, why, "%.*s:// %s", (int)t->url.scheme.len, t->url.scheme.p, text);
    return GET_EXIT_PROTOCOL;
}

static int check_https(const struct client_target *t, struct cleat_error *err)
{
    if (t->url.websocket) {
        return refuse_scheme(t, err, "is not fetched: only https:// is",
                             "cleat ws connects to WebSocket servers");
    }
    return t->url.secure ? 0
                         : refuse_scheme(t, err, "is not fetched: only https:// is",
                                         "write https:// instead");
}

/* Parses text, behind the prefix when it has no scheme. */
static int parse(struct client_target *out, const char *prefix, const char *text, size_t len,
                 struct cleat_error *err)
{
    bool bare = memmem(text, len, "://", 3) == NULL;
    size_t at = bare ? strlen(prefix) : 0;
    if (len > CLEAT_HTTP_MAX_URL) {
        (void)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_URL},
                           "the URL is longer than %d bytes", CLEAT_HTTP_MAX_URL);
        return GET_EXIT_BAD_URL;
    }
    memcpy(out->text, prefix, at);
    memcpy(out->text + at, text, len);
    out->text[at + len] = '\0';
    return parse_own_text(out, at + len, err);
}

int client_target_parse(struct client_target *out, const char *text, size_t len,
                        struct cleat_error *err)
{
    int code = parse(out, "https://", text, len, err);
    return code != 0 ? code : check_https(out, err);
}

int client_target_parse_websocket(struct client_target *out, const char *text, size_t len,
                                  struct cleat_error *err)
{
    int code = parse(out, "wss://", text, len, err);
    if (code == 0 && !out->url.websocket) {
        return refuse_scheme(out, err, "is no WebSocket URL", "write wss:// (or ws://) instead");
    }
    if (code == 0) {
        out->url.host = (struct cleat_http_view){out->host, strlen(out->host)};
        out->url.is_idn = false;
    }
    return code;
}

int client_target_resolve(struct client_target *out, const struct client_target *base,
                          struct cleat_http_view ref, struct cleat_error *err)
{
    char text[2 * CLEAT_HTTP_MAX_URL];
    size_t len;
    if (cleat_http_url_resolve(&base->url, ref.p, ref.len, text, sizeof(text), &len, err) !=
        CLEAT_OK) {
        return GET_EXIT_BAD_URL;
    }
    memcpy(out->text, text, len);
    out->text[len] = '\0';
    int code = parse_own_text(out, len, err);
    return code != 0 ? code : check_https(out, err);
}

bool client_target_same_origin(const struct client_target *a, const struct client_target *b)
{
    return a->port == b->port && strcmp(a->host, b->host) == 0;
}

struct cleat_http_view client_target_file_name(const struct client_target *t)
{
    const char *slash = memrchr(t->url.path.p, '/', t->url.path.len);
    struct cleat_http_view name = t->url.path;
    if (slash != NULL) {
        size_t skip = (size_t)(slash + 1 - name.p);
        name.p += skip;
        name.len -= skip;
    }
    return name;
}
