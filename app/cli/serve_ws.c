/* cli/serve_ws.c - see serve_ws.h. */
#include "cli/serve_ws.h"

#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "serve/ws_env.h"

static bool is_command(const char *text)
{
    struct cl_ws_strings words;
    cl_result result = cl_ws_split(&words, text);
    cl_ws_strings_deinit(&words);
    return result == CL_OK;
}

/* "host:port", "192.0.2.1:80", "[::1]:80" */
static bool read_host(struct cl_ws_endpoint *e, const char *text)
{
    const char *colon = strrchr(text, ':');
    char *end = NULL;
    unsigned long port = colon != NULL ? strtoul(colon + 1, &end, 10) : 0;
    if (colon == NULL || colon[1] < '0' || colon[1] > '9' || *end != '\0' || port == 0 ||
        port > 65535) {
        return false;
    }
    size_t len = (size_t)(colon - text);
    if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    } else if (memchr(text, ':', len) != NULL) {
        return false;
    }
    if (len == 0 || len > CL_WS_MAX_HOST) {
        return false;
    }
    memcpy(e->host, text, len);
    e->port = (uint16_t)port;
    return true;
}

/* PATH, or PATH=... for kinds that have something behind it. */
static const char *read_endpoint(struct cl_ws_endpoint *e, const char *text)
{
    size_t len = strlen(text);
    const char *target = "";
    if (e->kind == CL_WS_EXEC || e->kind == CL_WS_TCP) {
        const char *equals = strchr(text, '=');
        if (equals == NULL) {
            return "it takes PATH=... with what is behind the path";
        }
        len = (size_t)(equals - text);
        target = equals + 1;
    }
    if (len > CL_WS_MAX_PATH) {
        return "the path is too long";
    }
    memcpy(e->path, text, len);
    e->command = target;
    if (e->kind == CL_WS_TCP && !read_host(e, target)) {
        return "behind the '=' there has to be HOST:PORT, as localhost:5900 or [::1]:5900";
    }
    if (e->kind == CL_WS_EXEC && !is_command(target)) {
        return "the command is empty, too long, or a quote in it does not end";
    }
    return NULL;
}

static int add_endpoint(struct cl_ws_config *config, const struct cl_options *words,
                        enum cl_ws_kind_id kind)
{
    struct cl_ws_endpoint endpoint = {.kind = kind};
    const char *wrong = read_endpoint(&endpoint, words->value);
    wrong = wrong == NULL ? cl_ws_config_add(config, &endpoint) : wrong;
    return wrong == NULL ? CL_EXIT_OK
                         : cl_options_complain(words->usage, "%s %s: %s", words->spelled,
                                               words->value, wrong);
}

static int add_text(const struct cl_options *words, const char **list, size_t *num, size_t max)
{
    if (*num == max) {
        return cl_options_complain(words->usage, "more than %zu %s", max, words->spelled);
    }
    list[(*num)++] = words->value;
    return CL_EXIT_OK;
}

static int take_number(const struct cl_options *words, long low, long high, unsigned *out)
{
    long n = 0;
    if (!cl_options_number(words, low, high, &n)) {
        return CL_EXIT_USAGE;
    }
    *out = (unsigned)n;
    return CL_EXIT_OK;
}

/* 1 TiB: a slip of the unit */
static int take_max_message(const struct cl_options *words, uint64_t *out)
{
    long n = 0;
    if (!cl_options_number(words, 0, 1L << 40, &n)) {
        return CL_EXIT_USAGE;
    }
    *out = n != 0 ? (uint64_t)n : UINT64_MAX;
    return CL_EXIT_OK;
}

/* 1 MiB: below it one worker could not compress; 1 TiB: a slip of the unit */
static int take_memory(const struct cl_options *words, size_t *out)
{
    long kib = 0;
    if (!cl_options_number(words, 1024, 1L << 30, &kib)) {
        return CL_EXIT_USAGE;
    }
    *out = (size_t)kib * 1024;
    return CL_EXIT_OK;
}

static int take_slow(const struct cl_options *words, enum cleat_ws_full *out)
{
    static const struct {
        const char *name;
        enum cleat_ws_full full;
    } rows[] = {{"close", CLEAT_WS_FULL_CLOSE},
                {"drop", CLEAT_WS_FULL_DROP_OLDEST},
                {"block", CLEAT_WS_FULL_BLOCK}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(words->value, rows[i].name) == 0) {
            *out = rows[i].full;
            return CL_EXIT_OK;
        }
    }
    return cl_options_complain(words->usage, "--ws-slow takes block, drop or close, not '%s'",
                               words->value);
}

int cl_serve_ws_take(struct cl_ws_config *config, int id, const struct cl_options *words)
{
    switch (id) {
    case CL_OPT_WS_ECHO:
        return add_endpoint(config, words, CL_WS_ECHO);
    case CL_OPT_WS_EXEC:
        return add_endpoint(config, words, CL_WS_EXEC);
    case CL_OPT_WS_TCP:
        return add_endpoint(config, words, CL_WS_TCP);
    case CL_OPT_WS_BROADCAST:
        return add_endpoint(config, words, CL_WS_BROADCAST);
    case CL_OPT_WS_SLOW:
        return take_slow(words, &config->slow);
    case CL_OPT_WS_BINARY:
        config->binary = true;
        return CL_EXIT_OK;
    case CL_OPT_WS_MAX_PROCESSES:
        return take_number(words, 1, 100000, &config->max_processes);
    case CL_OPT_WS_ORIGIN:
        return add_text(words, config->origins, &config->num_origins, CL_WS_MAX_ORIGINS);
    case CL_OPT_WS_SUBPROTOCOL:
        return add_text(words, config->subprotocols, &config->num_subprotocols,
                        CL_WS_MAX_SUBPROTOCOLS);
    case CL_OPT_WS_MAX_MESSAGE:
        return take_max_message(words, &config->max_message);
    case CL_OPT_WS_QUEUE:
        return take_number(words, 1024, 1 << 30, &config->queue);
    case CL_OPT_WS_PING_INTERVAL:
        return take_number(words, 0, 86400, &config->ping_s);
    case CL_OPT_WS_DEFLATE_MEMORY:
        return take_memory(words, &config->memory);
    case CL_OPT_WS_MAX_CONNECTIONS:
        return take_number(words, 1, 1000000000, &config->max_connections);
    default:
        config->no_deflate = true;
        return CL_EXIT_OK;
    }
}
