/* cli/cert_watch_options.c - the command line of `cleat cert watch`. */
#include <string.h>

#include "cli/cert_watch.h"
#include "cli/client_revocation.h"

enum {
    ACT = 1,
    ALL_ADDRESSES,
    EXPECT_STAPLE,
    HOOK_ON,
    HOOK_RETRY,
    HOOK_TIMEOUT,
    INTERVAL,
    JSON,
    LISTEN,
    PARALLEL,
    QUIET,
    SERVER_NAME,
    TEXTFILE,
    WARN,
    HELP,
};

static const struct cl_option options[] = {
    {0, 0, "What is looked at", NULL, NULL},
    {SERVER_NAME, 0, "servername", "NAME", "ask every host for this name, and look for it"},
    {ALL_ADDRESSES, 0, "all-addresses", NULL,
     "connect to every address of a host, not to the first that answers"},
    {EXPECT_STAPLE, 0, "expect-staple", NULL,
     "an OCSP response has to be stapled, demanded by the certificate or not"},
    CLIENT_REVOCATION_ROWS,
    {CLIENT_CACERT, 0, "cacert", "FILE", "trust these CA certificates instead of the system's"},
    {CLIENT_CAPATH, 0, "capath", "DIR", "trust the CA certificates in the files of DIR"},
    {CLIENT_CERT, 'E', "cert", "FILE", "our certificate chain (PEM), should a server ask"},
    {CLIENT_KEY, 0, "key", "FILE", "its private key, if it is not in the same file"},
    {0, 0, "How soon is too soon", NULL, NULL},
    {WARN, 0, "warn", "WHEN",
     "warn when so much is left: a share of the certificate's lifetime (1/3, the\n"
     "default; 25%) or a time (30d, 12h)"},
    {ACT, 0, "act", "WHEN", "act when so much is left (1/6)"},
    {0, 0, "What is done about it", NULL, NULL},
    {HOOK_ON, 0, "hook-on", "FINDINGS",
     "run COMMAND because of these (expires-now,expired), or 'all'"},
    {HOOK_TIMEOUT, 0, "hook-timeout", "TIME", "how long COMMAND may take (5m)"},
    {HOOK_RETRY, 0, "hook-retry", NULL, "run it again in the next round when it has failed"},
    {0, 0, "What is told", NULL, NULL},
    {JSON, 0, "json", NULL, "all of it as JSON, one line for each round"},
    {QUIET, 'q', "quiet", NULL, "leave out targets that are fine"},
    {TEXTFILE, 0, "textfile", "FILE",
     "write series for Prometheus to FILE, for node_exporter's textfile collector"},
    {LISTEN, 0, "listen", "[ADDR:]PORT",
     "answer http://ADDR:PORT/metrics (127.0.0.1 unless said otherwise), and go on"},
    {INTERVAL, 0, "interval", "TIME", "look again after this time (with --listen: 5m), and go on"},
    {0, 0, "How it is done", NULL, NULL},
    {PARALLEL, 0, "parallel", "NUMBER", "connections at once (32)"},
    CLIENT_CONNECTION_ROWS,
    {HELP, 'h', "help", NULL, "print this text"},
};

static const struct cl_usage usage = {
    .command = "cert watch",
    .synopsis = "[OPTION]... TARGET... [-- COMMAND [ARGUMENT]...]",
    .about =
        "Looks at certificates in files and on servers, says how much of their lifetime is left "
        "and\n"
        "what is wrong, and runs COMMAND when it is time to act. A TARGET is one of\n"
        "  HOST[:PORT], https://HOST   what a server sends (port 443)\n"
        "  FILE                        a chain (PEM, the leaf first; or DER); with its key in it,\n"
        "                              or as FILE,KEY, whether the two belong together\n"
        "  FILE=HOST[:PORT]            whether the server serves what is in the file\n"
        "Exit code: 0 all is fine, 1 something was found, 2 usage, 3 nothing was found but not\n"
        "everything could be looked at.",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .examples = "  cleat cert watch example.com mail.example.com:465\n"
                "  cleat cert watch /etc/ssl/web.pem=www.example.com -- systemctl reload nginx\n"
                "  cleat cert watch --hook-on reload-needed web.pem=localhost:8443 -- reload-web\n"
                "  cleat cert watch --listen 9793 --interval 10m a.example.com b.example.com",
};

static int set_share(struct cl_watch_share *out, const struct cl_options *o)
{
    return cl_watch_share_parse(o->value, out)
               ? 0
               : cl_options_complain(&usage,
                                     "%s takes a share of the lifetime as 1/3 or 25%%, or a time "
                                     "as 30d or 12h, not '%s'",
                                     o->spelled, o->value);
}

static int set_time(int64_t *out, const struct cl_options *o)
{
    return cl_watch_duration_parse(o->value, out) && *out > 0
               ? 0
               : cl_options_complain(&usage, "%s takes a time as 90s, 15m, 12h or 30d, not '%s'",
                                     o->spelled, o->value);
}

static int set_listen(struct cert_watch_ask *ask, const struct cl_options *o)
{
    const char *colon = strrchr(o->value, ':');
    const char *port_text = colon != NULL ? colon + 1 : o->value;
    const struct cl_options number = {.usage = o->usage, .value = port_text, .spelled = o->spelled};
    const size_t len = colon != NULL ? (size_t)(colon - o->value) : 0;
    char host[64] = "127.0.0.1";
    long port;
    if (len >= sizeof(host)) {
        return cl_options_complain(&usage, "%s takes [ADDR:]PORT, not '%s'", o->spelled, o->value);
    }
    if (!cl_options_number(&number, 0, 65535, &port)) {
        return CERT_WATCH_USAGE;
    }
    if (len > 0 && strncmp(o->value, "localhost:", len + 1) != 0) {
        memcpy(host, o->value, len);
        host[len] = '\0';
    }
    ask->has_listen = cl_addr_parse(host, (uint16_t)port, &ask->listen);
    return ask->has_listen ? 0
                           : cl_options_complain(&usage,
                                                 "%s takes [ADDR:]PORT with an IP address, as "
                                                 "9793 or 0.0.0.0:9793, not '%s'",
                                                 o->spelled, o->value);
}

static int set_hook_on(struct cert_watch_ask *ask, const struct cl_options *o)
{
    const char *p = o->value;
    ask->hook_on = 0;
    while (*p != '\0') {
        const size_t len = strcspn(p, ",");
        const int kind = cl_watch_kind_named(p, len);
        if (len == 3 && memcmp(p, "all", 3) == 0) {
            ask->hook_on = UINT64_MAX;
        } else if (kind >= 0) {
            ask->hook_on |= (uint64_t)1 << kind;
        } else {
            return cl_options_complain(&usage, "%s: there is no finding '%.*s'; see cleat-cert(1)",
                                       o->spelled, (int)len, p);
        }
        p += len + (p[len] == ',');
    }
    return ask->hook_on != 0 ? 0 : cl_options_complain(&usage, "%s: no finding", o->spelled);
}

static int take_text(struct cert_watch_ask *ask, int id, const struct cl_options *o)
{
    switch (id) {
    case CL_OPTIONS_OPERAND:
        return cl_words_add(o->only_operands ? &ask->hook : &ask->words, o, o->value);
    case SERVER_NAME:
        ask->server_name = o->value;
        return 0;
    case TEXTFILE:
        ask->textfile = o->value;
        return 0;
    case WARN:
        return set_share(&ask->limits.warn, o);
    case ACT:
        return set_share(&ask->limits.act, o);
    case INTERVAL:
        return set_time(&ask->interval, o);
    case HOOK_TIMEOUT:
        return set_time(&ask->hook_seconds, o);
    case HOOK_ON:
        return set_hook_on(ask, o);
    case LISTEN:
        return set_listen(ask, o);
    case PARALLEL:
        return cl_options_number(o, 1, 1000, &ask->parallel) ? 0 : CERT_WATCH_USAGE;
    default:
        return CERT_WATCH_USAGE;
    }
}

static int take(struct cert_watch_ask *ask, int id, const struct cl_options *o)
{
    bool *flags[] = {[ALL_ADDRESSES] = &ask->all_addresses,
                     [EXPECT_STAPLE] = &ask->expect_staple,
                     [HOOK_RETRY] = &ask->hook_retry,
                     [JSON] = &ask->json,
                     [QUIET] = &ask->quiet,
                     [HELP] = &ask->help};
    if (id > 0 && id <= HELP && flags[id] != NULL) {
        *flags[id] = true;
        return 0;
    }
    const int code = id < 0 ? CERT_WATCH_USAGE : client_options_set(&ask->client, id, o);
    return code == CL_SETTERS_UNKNOWN ? take_text(ask, id, o) : code;
}

static int check(struct cert_watch_ask *ask)
{
    if (ask->words.num == 0) {
        return cl_options_complain(&usage, "nothing to look at: give a file or a host");
    }
    if (ask->words.num > CERT_WATCH_MAX_TARGETS) {
        return cl_options_complain(&usage, "more than %d targets", CERT_WATCH_MAX_TARGETS);
    }
    for (size_t i = 0; i < ask->words.num; i++) {
        for (size_t n = 0; n < i; n++) {
            if (strcmp(ask->words.items[i], ask->words.items[n]) == 0) {
                return cl_options_complain(&usage, "%s is given twice", ask->words.items[i]);
            }
        }
    }
    if (ask->has_listen && ask->interval == 0) {
        ask->interval = CERT_WATCH_INTERVAL;
    }
    return client_options_check(&ask->client, &usage);
}

int cert_watch_parse(struct cert_watch_ask *ask, int argc, char **argv)
{
    struct cl_options o;
    int id, code = 0;
    *ask = (struct cert_watch_ask){
        .limits = {.warn = {1, 3}, .act = {1, 6}},
        .hook_seconds = CERT_WATCH_HOOK_SECONDS,
        .hook_on = (uint64_t)1 << CL_WATCH_EXPIRES_NOW_FOUND | (uint64_t)1
                                                                   << CL_WATCH_EXPIRED_FOUND,
        .parallel = CERT_WATCH_PARALLEL,
    };
    cl_options_init(&o, &usage, argc, argv);
    while (code == 0 && !ask->help && (id = cl_options_next(&o)) != CL_OPTIONS_END) {
        code = take(ask, id, &o);
    }
    return code != 0 || ask->help ? code : check(ask);
}

void cert_watch_ask_deinit(struct cert_watch_ask *ask)
{
    client_options_deinit(&ask->client);
    cl_words_deinit(&ask->words);
    cl_words_deinit(&ask->hook);
}

void cert_watch_help(FILE *out)
{
    cl_options_help(&usage, out);
}
