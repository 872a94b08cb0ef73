/* cli/get_transfer.h - one URL of the command line: its hops, each a connection with one request.
 *
 * get_transfer.c has the hops, get_exchange.c the request and response on a connection.
 */
#ifndef CL_CLI_GET_TRANSFER_H
#define CL_CLI_GET_TRANSFER_H

#include "cli/client_route.h"
#include "cli/get_facts.h"
#include "cli/get_output.h"
#include "cli/get_request.h"
#include "cli/get_session.h"
#include "net/timer.h"

/* 32 interim (1xx) responses before the final one: a server sends one or two */
#define GET_MAX_INTERIM 32

struct get_transfer {
    struct get_session *s;
    struct get_facts facts;
    struct get_output out;
    struct cleat_error err; /* why exit_code is not 0 */
    const char *stage;      /* for the trace: where it failed */
    int exit_code;
    uint64_t start_us;
    struct cl_timer *max_timer;

    struct client_target first; /* as the user gave it */
    struct client_target target;
    struct get_hop hop;

    /* of the hop under way */
    struct cl_dial *dial;
    struct cl_stream *stream;
    bool hop_over; /* nothing more is expected: the outcome stands */
    bool stream_gone;
    bool dialled;
    bool early_taken; /* the request was sent and taken as early data */
    bool too_early;   /* the server wants it again, later (425) */
    struct client_route route;
    struct cleat_tls_config *config; /* the client's */
    bool again; /* one more connection for the same request, by the same route */
    struct cl_buf request;
    size_t sent;      /* of request and body together */
    struct cl_buf in; /* head being received */
    struct cleat_http_head head;
    struct cleat_http_body body;
    unsigned num_interim;
    bool head_done;
    bool drop_body; /* of a redirect that is followed, or of an error with -f */
    bool follow;
    char next[2 * CLEAT_HTTP_MAX_URL + 1]; /* where the response redirects to, or "" */
};

/* get_transfer_run fetches one URL and returns the exit code; t->facts has the rest. t is zeroed by
 * the caller, and big: keep it on the heap. output: file name, or NULL (standard output); with
 * remote it is the URL's last part instead. */
int get_transfer_run(struct get_transfer *t, struct get_session *s, const char *url,
                     const char *output, bool remote);
void get_transfer_deinit(struct get_transfer *t);

/* ---- between get_transfer.c and get_exchange.c ---- */

extern const struct cl_stream_handler get_exchange_handler;

/* get_exchange_start sends the request on t->stream, which is ready. */
void get_exchange_start(struct get_transfer *t);

/* get_exchange_where says how far the exchange got: "after 5 of 50 bytes of the body". */
#define GET_WHERE_SIZE 80
void get_exchange_where(const struct get_transfer *t, char out[GET_WHERE_SIZE]);

/* get_hop_end records how the hop ended (0: well); the first outcome stands. */
void get_hop_end(struct get_transfer *t, int exit_code, const char *stage);

/* get_hop_fail is the same with the detail: t->err is filled unless it has been. */
void get_hop_fail(struct get_transfer *t, int exit_code, const char *stage, struct cl_why why,
                  const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
