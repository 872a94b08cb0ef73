/* cli/get_session.h - what all transfers of one `cleat get` share: loop, resolver, TLS
 * configuration, trace, files, and the tickets that servers gave.
 */
#ifndef CL_CLI_GET_SESSION_H
#define CL_CLI_GET_SESSION_H

#include "cli/get_options.h"
#include "cli/get_sessions.h"
#include "cli/get_target.h"
#include "conn/dial.h"
#include "conn/keylog.h"

struct get_session {
    const struct get_options *options;
    uv_loop_t loop;
    bool has_loop;
    struct cl_hub *hub;
    struct cl_dns *dns;
    struct cl_trace *trace;
    struct cl_keylog keylog;
    struct cleat_trust_store *trust; /* NULL: -k, and the system has none */
    struct cleat_tls_config *config;
    FILE *trace_file;
    FILE *dump_file; /* -D */
    struct get_sessions sessions;
};

/* get_session_init opens everything. Returns 0 or an exit code with the detail in err. *s is to be
 * deinited whatever comes back. */
int get_session_init(struct get_session *s, const struct get_options *o, struct cleat_error *err);
void get_session_deinit(struct get_session *s);

/* get_connect_to applies --connect-to: which host and port to connect to for these. Returns false,
 * with a message in err, when an option is malformed. */
bool get_connect_to(const struct get_words *options, const char *host, uint16_t port,
                    char out_host[GET_HOST_SIZE], uint16_t *out_port, struct cleat_error *err);

#endif
