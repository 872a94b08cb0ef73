/* cli/ws_options.h - the command line of `cleat ws`, as a struct. Short flags mean what they mean
 * to websocat and wscat; those about TLS and addresses what they mean to get.
 */
#ifndef CL_CLI_WS_OPTIONS_H
#define CL_CLI_WS_OPTIONS_H

#include "cli/client_options.h"

/* 64 MiB: what somebody who asks for a message may get of it; servers grant less */
#define WS_DEFAULT_MAX_MESSAGE (64u << 20)
/* 30 s: below the idle time-outs of common proxies */
#define WS_DEFAULT_PING_MS     30000
/* 1 s of silence at the end of the input, unless it was typed: answers get that long to come */
#define WS_DEFAULT_WAIT_MS     1000
/* 30 s for the server's close frame: it comes behind everything that we have sent before */
#define WS_CLOSE_MS            30000
/* 30 s for the answer to the upgrade: a server that needs longer does not know the path */
#define WS_UPGRADE_MS          30000

struct ws_options {
    struct client_options client;
    const char *url;
    struct cl_words headers;
    struct cl_words subprotocols;
    struct cl_words messages; /* -x */
    const char *origin;
    const char *record;
    const char *replay;
    bool binary, no_close, one_message, no_deflate, json, echo, timestamps, compare, http2, help;
    bool has_wait;
    uint64_t wait_ms;
    uint64_t ping_ms; /* 0: none */
    uint64_t max_message;
};

/* ws_options_parse reads the command line. 0; -1: --help has been asked for; else the exit code, a
 * message being on stderr. *out is to be deinited whatever comes back. */
int ws_options_parse(struct ws_options *out, int argc, char **argv);
void ws_options_deinit(struct ws_options *o);

#endif
