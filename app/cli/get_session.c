/* cli/get_session.c - open and close what transfers share. */
#include "cli/get_session.h"

#include <errno.h>
#include <stdlib.h>

#include "base/text.h"
#include "cli/get_codes.h"
#include "cli/get_tls.h"

/* Every event goes to both; each takes what it is for. */
static void on_event(void *ctx, void *user, const struct cleat_event *event)
{
    struct get_session *s = ctx;
    cl_keylog_event(&s->keylog, event);
    cl_trace_tls_event(s->trace, event);
}

static FILE *open_file(const char *path, struct cleat_error *err)
{
    FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    if (f == NULL) {
        (void)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_SYSTEM}, "cannot open %s: %s",
                           path, strerror(errno));
    }
    return f;
}

static int open_trace(struct get_session *s, struct cleat_error *err)
{
    const struct get_options *o = s->options;
    if (o->trace_json != NULL && (s->trace_file = open_file(o->trace_json, err)) == NULL) {
        return GET_EXIT_WRITE;
    }
    if (o->dump_header != NULL && (s->dump_file = open_file(o->dump_header, err)) == NULL) {
        return GET_EXIT_WRITE;
    }
    struct cl_trace_setup setup = {.human = o->verbose ? stderr : NULL,
                                   .colour = cl_trace_want_colour(stderr),
                                   .json = s->trace_file};
    if ((o->verbose || s->trace_file != NULL) && cl_trace_new(&setup, &s->trace) != CL_OK) {
        return GET_EXIT_NO_MEMORY;
    }
    return cl_keylog_open(&s->keylog, getenv("SSLKEYLOGFILE"), err) == CL_OK ? 0 : GET_EXIT_WRITE;
}

static int open_net(struct get_session *s, struct cleat_error *err)
{
    if (uv_loop_init(&s->loop) != 0) {
        return GET_EXIT_NO_MEMORY;
    }
    s->has_loop = true;
    if (cl_hub_new(&s->loop, &s->hub) != CL_OK || cl_dns_new(&s->loop, &s->dns, err) != CL_OK) {
        return GET_EXIT_NO_MEMORY;
    }
    for (size_t i = 0; i < s->options->resolves.num; i++) {
        struct cl_override entry;
        if (cl_override_parse(s->options->resolves.items[i], &entry, err) != CL_OK) {
            return GET_EXIT_USAGE;
        }
        if (cl_dns_override(s->dns, &entry) != CL_OK) {
            return GET_EXIT_NO_MEMORY;
        }
    }
    return 0;
}

int get_session_init(struct get_session *s, const struct get_options *o, struct cleat_error *err)
{
    memset(s, 0, sizeof(*s));
    s->options = o;
    s->keylog.fd = -1;
    int code = get_sessions_open(&s->sessions, o->ssl_sessions) ? 0 : GET_EXIT_NO_MEMORY;
    code = code == 0 ? open_trace(s, err) : code;
    if (code == 0) {
        struct cleat_error trust_error = {0};
        code = get_tls_trust(o, &s->trust, &trust_error);
        if (code != 0 && o->insecure) {
            code = 0; /* nobody will be asked for */
        } else if (code != 0) {
            *err = trust_error;
        }
    }
    if (code == 0) {
        bool listening = s->trace != NULL || cl_keylog_is_on(&s->keylog);
        code = get_tls_config(o, s->trust, listening ? on_event : NULL, s,
                              cl_keylog_is_on(&s->keylog), &s->config, err);
    }
    return code != 0 ? code : open_net(s, err);
}

static void close_file(FILE *f)
{
    if (f != NULL && f != stdout) {
        (void)fclose(f);
    }
}

void get_session_deinit(struct get_session *s)
{
    get_sessions_close(&s->sessions);
    cl_dns_free(s->dns);
    if (s->has_loop) {
        (void)uv_run(&s->loop, UV_RUN_DEFAULT);
        cl_hub_free(s->hub);
        (void)uv_run(&s->loop, UV_RUN_DEFAULT);
        (void)uv_loop_close(&s->loop);
    }
    cleat_tls_config_free(s->config);
    cleat_trust_store_free(s->trust);
    cl_trace_free(s->trace);
    cl_keylog_close(&s->keylog);
    close_file(s->trace_file);
    close_file(s->dump_file);
    memset(s, 0, sizeof(*s));
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

bool get_connect_to(const struct get_words *options, const char *host, uint16_t port,
                    char out_host[GET_HOST_SIZE], uint16_t *out_port, struct cleat_error *err)
{
    (void)snprintf(out_host, GET_HOST_SIZE, "%s", host);
    *out_port = port;
    for (size_t i = 0; i < options->num; i++) {
        const char *p = options->items[i];
        char host1[GET_HOST_SIZE], port1[8], host2[GET_HOST_SIZE], port2[8];
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
            (void)snprintf(out_host, GET_HOST_SIZE, "%s", host2[0] != '\0' ? host2 : host);
            *out_port = to;
            return true;
        }
    }
    return true;
}
