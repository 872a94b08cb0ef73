/* cli/client_tls.h - a client's TLS configuration, from its options and the system's files. */
#ifndef CL_CLI_CLIENT_TLS_H
#define CL_CLI_CLIENT_TLS_H

#include "cleat/revocation.h"
#include "cleat/tls.h"
#include "cli/client_ct.h"
#include "cli/client_dane.h"
#include "record/recorder.h"

/* client_tls_trust loads the CA certificates: --cacert and --capath, or else SSL_CERT_FILE and
 * SSL_CERT_DIR, or else the system's bundle. Returns 0 or GET_EXIT_CA_FILE (err says which file).
 */
int client_tls_trust(const struct client_options *o, struct cleat_trust_store **out,
                     struct cleat_error *err);

/* Who looks on. */
struct client_tls_watch {
    cleat_event_sink sink; /* or NULL */
    void *ctx;
    bool secrets;                 /* the sink gets them, too */
    struct cl_recorder *recorder; /* or NULL */
};

/* What the server's certificate is judged by. */
struct client_tls_peer {
    struct cleat_trust_store *trust; /* NULL with -k */
    const struct cleat_revocation_options *revocation;
    const struct client_ct *ct; /* NULL: timestamps are not looked at */
    bool evidence;              /* the application is asked for more (CLEAT_DECIDE_EVIDENCE) */
    bool afresh; /* each time: no session is resumed, as nobody would ask again then */
    const struct cleat_dane *dane; /* or NULL */
};

/* client_tls_config makes the configuration. With -k the application decides on the peer's chain.
 * word: the passphrase of our key, should it be encrypted; NULL: nobody is asked for it.
 * Returns 0, GET_EXIT_OUR_CERT, GET_EXIT_CIPHERS, GET_EXIT_PIN
 * or GET_EXIT_USAGE. */
int client_tls_config(const struct client_options *o, const struct client_tls_peer *peer,
                      const struct client_tls_watch *watch, struct cl_passphrase *word,
                      struct cleat_tls_config **out, struct cleat_error *err);

#endif
