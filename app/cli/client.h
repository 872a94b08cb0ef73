/* cli/client.h - what a command that connects to servers needs once: loop, resolver, TLS
 * configuration, trace, key log, capture.
 */
#ifndef CL_CLI_CLIENT_H
#define CL_CLI_CLIENT_H

#include "cli/client_capture.h"
#include "cli/client_ct.h"
#include "cli/client_doh.h"
#include "cli/client_ech.h"
#include "cli/client_evidence.h"
#include "cli/client_options.h"
#include "cli/client_proxy.h"
#include "cli/client_revocation.h"
#include "cli/client_target.h"
#include "conn/dial.h"
#include "conn/keylog.h"
#include "record/recorder.h"

struct client {
    const struct client_options *options;
    uv_loop_t loop;
    bool has_loop;
    struct cl_hub *hub;
    struct cl_dns *dns;
    struct cl_trace *trace;
    struct cl_keylog keylog;
    struct client_capture pcap;
    struct cl_recorder *recorder;    /* --record, or NULL */
    struct cleat_trust_store *trust; /* NULL: -k, and the system has none */
    struct client_revocation revocation;
    struct client_evidence evidence;
    struct client_ct ct;
    struct cl_passphrase word;       /* of our key; asked for once */
    struct cleat_tls_config *config; /* for servers without TLSA records */
    struct client_judged *judged;    /* configurations for others, and for older protocols */
    struct client_ech ech;
    struct client_doh doh;
    struct cl_proxy *proxies[2]; /* for targets in clear, and with TLS; NULL: not looked for yet */
    FILE *trace_file;
};

/* client_init opens everything. Returns 0 or an exit code (cli/get_codes.h) with the detail in err.
 * *c is to be deinited whatever comes back, and stays where it is until then. */
int client_init(struct client *c, const struct client_options *o, struct cleat_error *err);
void client_deinit(struct client *c);

/* client_dns_new makes a resolver that knows --resolve. 0, or an exit code. */
int client_dns_new(struct client *c, struct cl_dns **out, struct cleat_error *err);

/* client_config gives the configuration for a server: its TLSA records, where --tlsa has some, are
 * its own; older: it has asked for HTTP/1.1, and nothing else is offered. NULL with an exit code
 * and the reason when it cannot be made. The client's. */
struct cleat_tls_config *client_config(struct client *c, const char *host, uint16_t port,
                                       bool older, int *exit_code, struct cleat_error *err);

/* client_open_file opens a file for writing ("-": standard output); NULL, with the reason in err.
 */
FILE *client_open_file(const char *path, struct cleat_error *err);
/* client_close_file closes it, unless it is standard output or NULL. */
void client_close_file(FILE *f);

/* client_accept_any is the answer of -k to CLEAT_DECIDE_PEER: the chain is verified all the same,
 * for the story; then it is accepted. Returns the verdict's code, CLEAT_ERR_UNKNOWN_ISSUER when
 * there is none. */
int client_accept_any(struct client *c, const char *host, struct cleat_tls *tls);

/* client_connect_to applies --connect-to: which host and port to connect to for these. Returns
 * false, with a message in err, when an option is malformed. */
bool client_connect_to(const struct cl_words *options, const char *host, uint16_t port,
                       char out_host[CLIENT_HOST_SIZE], uint16_t *out_port,
                       struct cleat_error *err);

#endif
