/* serve/ws_config.c - see ws_config.h. */
#include "serve/ws_config.h"

#include <string.h>

void cl_ws_config_init(struct cl_ws_config *config)
{
    *config = (struct cl_ws_config){
        .max_message = CL_WS_MAX_MESSAGE,
        .queue = CL_WS_QUEUE,
        .slow = CLEAT_WS_FULL_BLOCK,
        .ping_s = CL_WS_PING_S,
        .max_processes = CL_WS_MAX_PROCESSES,
        .memory = CL_WS_MEMORY,
    };
}

static bool is_path(const char *path)
{
    for (const char *p = path; *p != '\0'; p++) {
        if (*p <= ' ' || *p == 0x7f || *p == '?' || *p == '#') {
            return false;
        }
    }
    return path[0] == '/';
}

const char *cl_ws_config_add(struct cl_ws_config *config, const struct cl_ws_endpoint *endpoint)
{
    struct cleat_http_view path = {endpoint->path, strlen(endpoint->path)};
    if (!is_path(endpoint->path)) {
        return "a path begins with '/' and is written as in a URL: no spaces, '?' or '#'";
    }
    if (cl_ws_config_find(config, path) != NULL) {
        return "the path has a WebSocket already";
    }
    if (config->num_endpoints == CL_WS_MAX_ENDPOINTS) {
        return "there are too many WebSockets";
    }
    config->endpoints[config->num_endpoints++] = *endpoint;
    return NULL;
}

const struct cl_ws_endpoint *cl_ws_config_find(const struct cl_ws_config *config,
                                               struct cleat_http_view path)
{
    for (size_t i = 0; i < config->num_endpoints; i++) {
        if (cleat_http_is(path, config->endpoints[i].path)) {
            return &config->endpoints[i];
        }
    }
    return NULL;
}

/* "/a" is above "/a/b", and so is "/a/". */
static bool is_above(const char *path, struct cleat_http_view below)
{
    size_t len = strlen(path);
    return below.len > len && memcmp(below.p, path, len) == 0 &&
           (below.p[len] == '/' || path[len - 1] == '/');
}

const struct cl_ws_endpoint *cl_ws_config_match(const struct cl_ws_config *config,
                                                struct cleat_http_view path)
{
    const struct cl_ws_endpoint *best = cl_ws_config_find(config, path);
    if (best != NULL) {
        return best;
    }
    for (size_t i = 0; i < config->num_endpoints; i++) {
        const struct cl_ws_endpoint *e = &config->endpoints[i];
        if (e->kind == CL_WS_EXEC && is_above(e->path, path) &&
            (best == NULL || strlen(e->path) > strlen(best->path))) {
            best = e;
        }
    }
    return best;
}
