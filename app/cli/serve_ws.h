/* cli/serve_ws.h - the options of `cleat serve` that are about WebSockets. */
#ifndef CL_CLI_SERVE_WS_H
#define CL_CLI_SERVE_WS_H

#include "cli/options.h"
#include "serve/ws_config.h"

enum {
    CL_SERVE_WS_FIRST = 200, /* behind all the other options of the command */
    CL_OPT_WS_ECHO = CL_SERVE_WS_FIRST,
    CL_OPT_WS_EXEC,
    CL_OPT_WS_BINARY,
    CL_OPT_WS_TCP,
    CL_OPT_WS_BROADCAST,
    CL_OPT_WS_SLOW,
    CL_OPT_WS_MAX_PROCESSES,
    CL_OPT_WS_ORIGIN,
    CL_OPT_WS_SUBPROTOCOL,
    CL_OPT_WS_MAX_MESSAGE,
    CL_OPT_WS_QUEUE,
    CL_OPT_WS_PING_INTERVAL,
    CL_OPT_WS_NO_DEFLATE,
    CL_OPT_WS_DEFLATE_MEMORY,
    CL_OPT_WS_MAX_CONNECTIONS,
};

/* Rows of the table of options. */
#define CL_SERVE_WS_OPTIONS                                                             \
    {0, 0, "WebSocket", NULL, NULL},                                                    \
        {CL_OPT_WS_ECHO, 0, "ws-echo", "PATH", "send each message back; for tests"},    \
        {CL_OPT_WS_EXEC, 0, "ws-exec", "PATH=COMMAND",                                  \
         "run COMMAND for each WebSocket, without a shell: its lines are messages,\n"   \
         "and messages are lines for it"},                                              \
        {CL_OPT_WS_BINARY, 0, "ws-binary", NULL,                                        \
         "what commands write and read is not lines: binary messages"},                 \
        {CL_OPT_WS_MAX_PROCESSES, 0, "ws-max-processes", "N",                           \
         "commands at the same time; more get a 503 (default: 100)"},                   \
        {CL_OPT_WS_TCP, 0, "ws-tcp", "PATH=HOST:PORT",                                  \
         "pass bytes on to a TCP server, as binary messages"},                          \
        {CL_OPT_WS_BROADCAST, 0, "ws-broadcast", "PATH",                                \
         "a room: each message goes to all others in it"},                              \
        {CL_OPT_WS_SLOW, 0, "ws-slow", "HOW",                                           \
         "for members of a room that read slowly: block the room (default), drop the\n" \
         "oldest messages, or close them with 1013"},                                   \
        {CL_OPT_WS_ORIGIN, 0, "ws-origin", "ORIGIN",                                    \
         "let pages of this origin connect (https://example.com, '*': all), beside\n"   \
         "those of the server itself; may be repeated"},                                \
        {CL_OPT_WS_SUBPROTOCOL, 0, "ws-subprotocol", "NAME",                            \
         "subprotocol to agree on, the preferred one first; may be repeated"},          \
        {CL_OPT_WS_MAX_MESSAGE, 0, "ws-max-message", "BYTES",                           \
         "close with 1009 for longer messages (default: 1048576; 0: no limit)"},        \
        {CL_OPT_WS_QUEUE, 0, "ws-queue", "BYTES",                                       \
         "what may wait for a client that reads slowly (default: 65536)"},              \
        {CL_OPT_WS_PING_INTERVAL, 0, "ws-ping-interval", "SECONDS",                     \
         "ping clients that were silent so long (default: 30; 0: never)"},              \
        {CL_OPT_WS_NO_DEFLATE, 0, "ws-no-deflate", NULL, "no compression"},             \
        {CL_OPT_WS_DEFLATE_MEMORY, 0, "ws-deflate-memory", "KIB",                       \
         "memory for compression and queues of all WebSockets (default: 65536)"},       \
    {                                                                                   \
        CL_OPT_WS_MAX_CONNECTIONS, 0, "ws-max-connections", "N",                        \
            "WebSockets at the same time; more get a 503 (default: no limit but\n"      \
            "--max-connections)"                                                        \
    }

/* cl_serve_ws_take takes one of these options; the exit code when it is wrong. */
int cl_serve_ws_take(struct cl_ws_config *config, int id, const struct cl_options *words);

#endif
