/* serve/ws_config.h - which WebSockets a server has, and within which limits: as the command line
 * says it. Texts are the caller's and outlive the server. */
#ifndef CL_SERVE_WS_CONFIG_H
#define CL_SERVE_WS_CONFIG_H

#include "cleat/http.h"
#include "cleat/ws.h"

/* 32: endpoints; more belong into a configuration file, as do 64 origins and subprotocols */
#define CL_WS_MAX_ENDPOINTS    32
#define CL_WS_MAX_ORIGINS      64
#define CL_WS_MAX_SUBPROTOCOLS 64
/* 1 MiB, 64 KiB: what other servers grant a message, and a client that reads slowly */
#define CL_WS_MAX_MESSAGE      1048576
#define CL_WS_QUEUE            65536
/* 64 MiB: 200 messages that are compressed or decompressed at the same moment, or 1,000 full
 * queues; what an idle connection needs is not counted */
#define CL_WS_MEMORY           67108864
/* 30 s: below what common proxies and gateways let a connection be silent */
#define CL_WS_PING_S           30
/* 100: processes of --ws-exec at the same time; each is as large as what it runs */
#define CL_WS_MAX_PROCESSES    100

enum cl_ws_kind_id {
    CL_WS_ECHO,
    CL_WS_EXEC,
    CL_WS_TCP,
    CL_WS_BROADCAST,
};

/* 255: a path of an endpoint, in bytes */
#define CL_WS_MAX_PATH 255
/* 253: a name in the DNS */
#define CL_WS_MAX_HOST 253

struct cl_ws_endpoint {
    char path[CL_WS_MAX_PATH + 1]; /* as in the request: what is percent-encoded there is so here */
    enum cl_ws_kind_id kind;
    const char *command;           /* EXEC */
    char host[CL_WS_MAX_HOST + 1]; /* TCP: an address or a name, and the port */
    uint16_t port;
};

struct cl_ws_config {
    struct cl_ws_endpoint endpoints[CL_WS_MAX_ENDPOINTS];
    size_t num_endpoints;
    const char *origins[CL_WS_MAX_ORIGINS];
    size_t num_origins;
    const char *subprotocols[CL_WS_MAX_SUBPROTOCOLS];
    size_t num_subprotocols;
    uint64_t max_message;     /* UINT64_MAX: no limit */
    unsigned queue;           /* bytes for each connection */
    enum cleat_ws_full slow;  /* BROADCAST: what becomes of members that read slowly */
    unsigned ping_s;          /* 0: none */
    unsigned max_processes;   /* of all workers together */
    bool binary;              /* EXEC: messages are not lines */
    unsigned max_connections; /* of all workers together; 0: as many as there may be */
    bool no_deflate;
    size_t memory; /* for compression and queues of all connections together */
};

/* cl_ws_config_init sets the defaults above, and no endpoint. */
void cl_ws_config_init(struct cl_ws_config *config);

/* cl_ws_config_add adds an endpoint. NULL, or what is wrong with it (static storage). */
const char *cl_ws_config_add(struct cl_ws_config *config, const struct cl_ws_endpoint *endpoint);

/* cl_ws_config_find gives the endpoint of a request's path, or NULL; cl_ws_config_match also one of
 * a command that has the path below it (the rest is PATH_INFO). */
const struct cl_ws_endpoint *cl_ws_config_find(const struct cl_ws_config *config,
                                               struct cleat_http_view path);
const struct cl_ws_endpoint *cl_ws_config_match(const struct cl_ws_config *config,
                                                struct cleat_http_view path);

#endif
