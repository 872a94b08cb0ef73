/* cli/client_target.h - a URL of the command line, taken apart, with its host in the form that DNS
 * and certificates use.
 */
#ifndef CL_CLI_CLIENT_TARGET_H
#define CL_CLI_CLIENT_TARGET_H

#include "cleat/http.h"

/* 256: a DNS name has at most 253 bytes */
#define CLIENT_HOST_SIZE 256

struct client_target {
    struct cleat_http_url url;   /* views into text */
    char host[CLIENT_HOST_SIZE]; /* A-labels in lower case without a final dot, or an IP literal */
    char authority[CLIENT_HOST_SIZE + 16]; /* for the Host field */
    uint16_t port;
    char text[2 * CLEAT_HTTP_MAX_URL + 1];
};

/* client_target_parse takes a URL apart ("example.com" means https://example.com/). Returns 0,
 * GET_EXIT_BAD_URL or, for a scheme other than https, GET_EXIT_PROTOCOL; err has the detail. */
int client_target_parse(struct client_target *out, const char *text, size_t len,
                        struct cleat_error *err);

/* client_target_parse_websocket is the same for wss:// and ws:// ("example.com" means
 * wss://example.com/); url.host is host then. */
int client_target_parse_websocket(struct client_target *out, const char *text, size_t len,
                                  struct cleat_error *err);

/* client_target_resolve sets *out to a reference (Location) seen from base, which may be out. */
int client_target_resolve(struct client_target *out, const struct client_target *base,
                          struct cleat_http_view ref, struct cleat_error *err);

/* client_target_same_origin: host and port are the same. */
bool client_target_same_origin(const struct client_target *a, const struct client_target *b);

/* client_target_file_name gives the last part of the path (what -O writes to); len 0: there is
 * none.
 */
struct cleat_http_view client_target_file_name(const struct client_target *t);

#endif
