/* cli/get_sessions.h - the TLS sessions of one `cleat get`: in memory, and in the file of
 * --ssl-sessions between runs. */
#ifndef CL_CLI_GET_SESSIONS_H
#define CL_CLI_GET_SESSIONS_H

#include "cleat/session.h"
#include "cli/client_target.h"

/* 256: servers of one run, and those of the runs before */
#define GET_MAX_SESSIONS 256

struct get_sessions {
    const char *path; /* NULL: nothing is kept */
    struct cleat_session_store *all;
    struct cleat_session_store *made; /* in this run */
    struct cleat_tls_session **used;  /* in this run, and good for once only */
    size_t num_used;
};

/* get_sessions_open reads the file, if there is one. A file that cannot be read, is not ours or is
 * for others to read is told on stderr, no more: a full handshake follows. False: out of memory. */
bool get_sessions_open(struct get_sessions *s, const char *path);

/* get_sessions_close writes the file: what it holds by now, without what was used, with what was
 * made; frees everything. */
void get_sessions_close(struct get_sessions *s);

/* get_sessions_take gives a session for a server under a configuration, to be freed, or NULL;
 * get_sessions_keep takes all that a connection has received, at any time, and for nothing when
 * that is none. */
struct cleat_tls_session *get_sessions_take(struct get_sessions *s, const char *host, uint16_t port,
                                            const struct cleat_tls_config *config);
void get_sessions_keep(struct get_sessions *s, const char *host, uint16_t port,
                       const struct cleat_tls_config *config, struct cleat_tls *tls);

#endif
