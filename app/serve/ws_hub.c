/* serve/ws_hub.c - see ws_hub.h. */
#include "serve/ws_hub.h"

#include "base/mem.h"
#include "dns/resolve.h"
#include "serve/ws_conn.h"

void cl_ws_server_init(struct cl_ws_server *server, const struct cl_ws_config *config)
{
    server->config = config;
    pthread_mutex_init(&server->post.mutex, NULL);
    LIST_INIT(&server->post.boxes);
}

static bool has_kind(const struct cl_ws_config *config, enum cl_ws_kind_id kind)
{
    size_t i = 0;
    while (i < config->num_endpoints && config->endpoints[i].kind != kind) {
        i++;
    }
    return i < config->num_endpoints;
}

cl_result cl_ws_hub_new(struct cl_ws_server *server, size_t num_threads, uv_loop_t *loop,
                        struct cl_ws_hub **out)
{
    struct cl_ws_hub *hub = cl_calloc(1, sizeof(*hub));
    if (hub == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    hub->server = server;
    hub->loop = loop;
    LIST_INIT(&hub->children);
    LIST_INIT(&hub->bridges);
    cl_result result = cl_wheel_new(loop, cl_websocket_tick, &hub->wheel);
    if (result == CL_OK) {
        result = (cl_result)cleat_ws_pool_new(server->config->memory / num_threads, &hub->pool);
    }
    if (result == CL_OK && has_kind(server->config, CL_WS_TCP)) {
        result = cl_dns_new(loop, &hub->dns, NULL);
    }
    if (result == CL_OK && has_kind(server->config, CL_WS_BROADCAST)) {
        result = cl_ws_rooms_new(hub);
    }
    if (result != CL_OK) {
        cl_ws_hub_free(hub);
        return result;
    }
    *out = hub;
    return CL_OK;
}

void cl_ws_hub_free(struct cl_ws_hub *hub)
{
    if (hub == NULL) {
        return;
    }
    cl_ws_rooms_free(hub->rooms);
    cl_dns_free(hub->dns);
    cl_wheel_free(hub->wheel);
    cleat_ws_pool_free(hub->pool);
    cl_free(hub);
}

bool cl_ws_hub_is_empty(const struct cl_ws_hub *hub)
{
    return LIST_EMPTY(&hub->children) && LIST_EMPTY(&hub->bridges);
}

void cl_ws_hub_abort(struct cl_ws_hub *hub)
{
    cl_ws_children_kill(hub);
    cl_ws_bridges_abort(hub);
}

bool cl_ws_take_one(atomic_uint *num, unsigned max)
{
    unsigned now = atomic_load(num);
    do {
        if (max != 0 && now >= max) {
            return false;
        }
    } while (!atomic_compare_exchange_weak(num, &now, now + 1));
    return true;
}
