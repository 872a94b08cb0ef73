/* serve/ws_env.c - see ws_env.h. Nothing of our own environment is passed on but what programs need
 * to be found and to speak the right language. Fields become HTTP_NAME when their names are
 * letters, digits and '-' alone, so that two fields cannot become one variable. */
#include "serve/ws_env.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cleat/version.h"

/* 64 KiB: twice the longest head */
#define MAX_TEXT 65536

static const char *const passed_on[] = {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH"};

/* Not for programs: passwords (RFC 3875 4.1.18), what a library would take for its proxy, and what
 * CGI has without HTTP_. */
static const char *const left_out[] = {"authorization", "proxy-authorization", "proxy",
                                       "content-length", "content-type"};

/* ---- strings ---- */

static cl_result begin(struct cl_ws_strings *s)
{
    if (s->num == CL_WS_MAX_VARS) {
        return CLEAT_ERR_LIMIT;
    }
    s->at[s->num++] = (uint32_t)s->text.len;
    return CL_OK;
}

static cl_result put(struct cl_ws_strings *s, const void *p, size_t len)
{
    return cl_buf_append(&s->text, p, len, MAX_TEXT);
}

static cl_result end(struct cl_ws_strings *s)
{
    return put(s, "", 1);
}

void cl_ws_strings_finish(struct cl_ws_strings *s)
{
    for (size_t i = 0; i < s->num; i++) {
        s->list[i] = (char *)s->text.p + s->at[i];
    }
    s->list[s->num] = NULL;
}

void cl_ws_strings_deinit(struct cl_ws_strings *s)
{
    cl_buf_deinit(&s->text);
    s->num = 0;
}

/* ---- words ---- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

/* One word; *p is behind it afterwards. */
static cl_result take_word(struct cl_ws_strings *out, const char **p)
{
    char quote = 0;
    CL_TRY(begin(out));
    for (; **p != '\0' && (quote != 0 || !is_space(**p)); (*p)++) {
        char c = **p;
        if (quote == 0 && (c == '\'' || c == '"')) {
            quote = c;
            continue;
        }
        if (quote != 0 && c == quote) {
            quote = 0;
            continue;
        }
        if (c == '\\' && quote != '\'' && (*p)[1] != '\0') {
            (*p)++;
        }
        CL_TRY(put(out, *p, 1));
    }
    CL_TRY(end(out));
    return quote == 0 ? CL_OK : CLEAT_ERR_BAD_CONFIG;
}

cl_result cl_ws_split(struct cl_ws_strings *out, const char *command)
{
    *out = (struct cl_ws_strings){0};
    const char *p = command;
    cl_result result = CL_OK;
    while (result == CL_OK) {
        while (is_space(*p)) {
            p++;
        }
        if (*p == '\0') {
            break;
        }
        result = out->num < CL_WS_MAX_WORDS ? take_word(out, &p) : CLEAT_ERR_BAD_CONFIG;
    }
    if (result == CL_OK && (out->num == 0 || out->text.p[0] == '\0')) {
        result = CLEAT_ERR_BAD_CONFIG;
    }
    cl_ws_strings_finish(out);
    return result;
}

/* ---- the environment ---- */

static cl_result set(struct cl_ws_strings *s, const char *name, const void *value, size_t len)
{
    CL_TRY(begin(s));
    CL_TRY(put(s, name, strlen(name)));
    CL_TRY(put(s, "=", 1));
    CL_TRY(put(s, value, len));
    return end(s);
}

static cl_result set_str(struct cl_ws_strings *s, const char *name, const char *value)
{
    return value != NULL ? set(s, name, value, strlen(value)) : CL_OK;
}

static cl_result set_view(struct cl_ws_strings *s, const char *name, struct cleat_http_view v)
{
    return set(s, name, v.len > 0 ? v.p : "", v.len);
}

static cl_result set_fixed(struct cl_ws_strings *s, bool secure)
{
    for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++) {
        CL_TRY(set_str(s, passed_on[i], getenv(passed_on[i])));
    }
    CL_TRY(set_str(s, "GATEWAY_INTERFACE", "CGI/1.1"));
    CL_TRY(set_str(s, "SERVER_SOFTWARE", "cleat/" CLEAT_VERSION_STRING));
    CL_TRY(set_str(s, "SERVER_PROTOCOL", "HTTP/1.1"));
    CL_TRY(set_str(s, "REQUEST_METHOD", "GET"));
    return set_str(s, "HTTPS", secure ? "on" : NULL);
}

static cl_result set_address(struct cl_ws_strings *s, const char *addr_name, const char *port_name,
                             const struct sockaddr_storage *address)
{
    struct cl_addr addr;
    char text[CL_ADDR_TEXT_SIZE];
    memcpy(&addr, address, sizeof(addr));
    cl_addr_format(&addr, text);
    CL_TRY(set_str(s, addr_name, text));
    (void)snprintf(text, sizeof(text), "%u", (unsigned)cl_addr_port(&addr));
    return set_str(s, port_name, text);
}

static cl_result set_addresses(struct cl_ws_strings *s, const struct cl_tcp *tcp)
{
    struct sockaddr_storage address;
    if (cl_tcp_peer(tcp, &address)) {
        CL_TRY(set_address(s, "REMOTE_ADDR", "REMOTE_PORT", &address));
    }
    return cl_tcp_local(tcp, &address) ? set_address(s, "SERVER_ADDR", "SERVER_PORT", &address)
                                       : CL_OK;
}

/* "host" of "host:port" and "[v6]:port". */
static struct cleat_http_view host_of(struct cleat_http_view authority)
{
    const char *colon = memrchr(authority.p, ':', authority.len);
    const char *bracket = memrchr(authority.p, ']', authority.len);
    if (colon != NULL && (bracket == NULL || bracket < colon)) {
        authority.len = (size_t)(colon - authority.p);
    }
    return authority;
}

static cl_result set_path_info(struct cl_ws_strings *s, struct cleat_http_view rest)
{
    char decoded[CLEAT_HTTP_MAX_TARGET];
    size_t len = 0;
    if (rest.len == 0 || cleat_http_path_decode(rest, decoded, sizeof(decoded), &len) != CLEAT_OK) {
        return set_view(s, "PATH_INFO", rest);
    }
    return set(s, "PATH_INFO", decoded, len);
}

static cl_result set_request(struct cl_ws_strings *s, const struct cl_websocket *w,
                             const struct cleat_http_head *head)
{
    struct cleat_http_view path = cleat_http_text(head, head->path);
    size_t name = strlen(w->endpoint->path);
    struct cleat_http_view query = {"", 0};
    if (head->query.at != 0) {
        query = cleat_http_text(head, head->query);
    }
    CL_TRY(set_view(s, "REQUEST_URI", cleat_http_text(head, head->target)));
    CL_TRY(set_view(s, "QUERY_STRING", query));
    CL_TRY(set_str(s, "SCRIPT_NAME", w->endpoint->path));
    CL_TRY(set_path_info(s, (struct cleat_http_view){path.p + name, path.len - name}));
    CL_TRY(set_view(s, "SERVER_NAME", host_of(cleat_http_text(head, head->authority))));
    const struct cl_buf *user = &w->session->client.user;
    return user->len > 0 ? set(s, "REMOTE_USER", user->p, user->len) : CL_OK;
}

/* "HTTP_NAME", or false when the name cannot be told from another one then. */
static bool variable_of(struct cleat_http_view name, char out[64])
{
    size_t len = (size_t)snprintf(out, 64, "HTTP_");
    if (name.len >= 64 - len) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = (char)cl_ascii_lower((uint8_t)name.p[i]);
        bool letter = c >= 'a' && c <= 'z';
        if (!letter && c != '-' && (c < '0' || c > '9')) {
            return false;
        }
        out[len++] = letter ? (char)(c - 32) : c == '-' ? '_' : c;
    }
    out[len] = '\0';
    return true;
}

static bool is_left_out(struct cleat_http_view name)
{
    for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++) {
        if (cl_ascii_equal_fold(cl_rd_of(name.p, name.len), cl_rd_str(left_out[i]))) {
            return true;
        }
    }
    return false;
}

/* The values of all fields with the name of field i (RFC 9110 5.3); nothing when an earlier one has
 * it too. */
static cl_result set_field(struct cl_ws_strings *s, const struct cleat_http_head *head, size_t i,
                           const char *variable)
{
    struct cleat_http_view name = cleat_http_text(head, head->fields[i].name);
    struct cl_rd wanted = cl_rd_of(name.p, name.len);
    bool cookie = cl_ascii_equal_fold(wanted, cl_rd_str("cookie"));
    size_t before = s->num;
    for (size_t k = 0; k < head->num_fields; k++) {
        struct cleat_http_view other = cleat_http_text(head, head->fields[k].name);
        struct cleat_http_view value = cleat_http_text(head, head->fields[k].value);
        if (!cl_ascii_equal_fold(cl_rd_of(other.p, other.len), wanted)) {
            continue;
        }
        if (k < i) {
            return CL_OK;
        }
        if (s->num == before) {
            CL_TRY(begin(s));
            CL_TRY(put(s, variable, strlen(variable)));
            CL_TRY(put(s, "=", 1));
        } else {
            CL_TRY(put(s, cookie ? "; " : ", ", 2));
        }
        CL_TRY(put(s, value.p, value.len));
    }
    return end(s);
}

static cl_result set_fingerprints(struct cl_ws_strings *s, const struct cl_session *session)
{
    CL_TRY(set_str(s, "TLS_JA4", session->ja4[0] != '\0' ? session->ja4 : NULL));
    return set_str(s, "TLS_JA3", session->ja3[0] != '\0' ? session->ja3 : NULL);
}

cl_result cl_ws_env(struct cl_ws_strings *out, const struct cl_websocket *w,
                    const struct cleat_http_head *head)
{
    const struct cl_stream *stream = w->session->stream;
    *out = (struct cl_ws_strings){0};
    CL_TRY(set_fixed(out, cl_stream_tls(stream) != NULL));
    CL_TRY(set_addresses(out, cl_stream_tcp(stream)));
    CL_TRY(set_request(out, w, head));
    CL_TRY(set_fingerprints(out, w->session));
    for (size_t i = 0; i < head->num_fields; i++) {
        char variable[64];
        struct cleat_http_view name = cleat_http_text(head, head->fields[i].name);
        if (!is_left_out(name) && variable_of(name, variable)) {
            CL_TRY(set_field(out, head, i, variable));
        }
    }
    cl_ws_strings_finish(out);
    return CL_OK;
}
