/* cli/get_transfer.h - one URL of the command line: its hops, each an exchange on a connection that
 * the pool finds.
 *
 * get_transfer.c has the hops, get_response.c what is done with a response. Callbacks only note
 * what has happened: what follows from it is done by get_transfer_step(), outside of them.
 */
#ifndef CL_CLI_GET_TRANSFER_H
#define CL_CLI_GET_TRANSFER_H

#include "cli/get_decode.h"
#include "cli/get_exchange.h"
#include "cli/get_facts.h"
#include "cli/get_output.h"
#include "cli/get_request.h"
#include "cli/get_retry.h"
#include "cli/get_session.h"
#include "cli/get_upload.h"
#include "net/timer.h"

/* 5 times the same request, where connections die or servers refuse it: as often as curl */
#define GET_MAX_AGAIN 5

enum get_transfer_state {
    GET_TRANSFER_PLACING, /* it needs a connection */
    GET_TRANSFER_RUNNING, /* an exchange is under way, or over (hop_over) */
    GET_TRANSFER_WAITING, /* for another attempt (--retry) */
    GET_TRANSFER_DONE,
};

struct get_transfer {
    TAILQ_ENTRY(get_transfer) link; /* whoever runs it */
    struct get_session *s;
    struct get_facts facts;
    struct get_output out;
    struct get_decode decode; /* of the hop under way */
    struct cleat_error err;   /* why exit_code is not 0 */
    const char *stage;        /* for the trace: where it failed */
    int exit_code;
    uint64_t start_us;
    struct cl_timer *max_timer;
    enum get_transfer_state state;

    struct client_target first; /* as the user gave it */
    struct client_target target;
    struct get_hop hop;
    struct get_source *body; /* what the first request sends, or NULL */
    struct get_upload upload;
    struct cl_timer *expect_timer; /* body that is held back is not held for longer */
    uint64_t resume_at;            /* -C, of a download: how much is there already */

    struct get_retries retries;
    struct cl_timer *retry_timer;
    bool retry_due;
    int64_t retry_after_s; /* what the server has said */

    /* of the hop under way */
    struct get_exchange x;
    struct cl_buf request;
    struct cl_buf cookies; /* that it sends */
    bool hop_over;         /* nothing more is expected: the outcome stands */
    bool early_taken;      /* the request was sent and taken as early data */
    bool too_early;        /* the server wants it again, later (425) */
    bool no_expect;        /* a server does not know "Expect" */
    bool expect_refused;   /* it has just said so (417) */
    enum get_again again;  /* the same request once more */
    unsigned num_again;    /* how often it was */
    bool drop_body;        /* of a redirect that is followed, or of an error with -f */
    bool follow;
    char next[2 * CLEAT_HTTP_MAX_URL + 1]; /* where the response redirects to, or "" */
};

/* get_transfer_begin prepares the transfer of one URL. t is zeroed by the caller, and big: keep it
 * on the heap. output: file name, or NULL (standard output); with remote it is the URL's last part
 * instead. */
void get_transfer_begin(struct get_transfer *t, struct get_session *s, const char *url,
                        const char *output, bool remote);

/* get_transfer_step goes on as far as it can. True: something was done; t->state tells whether it
 * is over: then t->exit_code and t->facts are final. */
bool get_transfer_step(struct get_transfer *t);

/* get_transfer_is_due: a step would do something, though it waits for no event. */
static inline bool get_transfer_is_due(const struct get_transfer *t)
{
    return (t->state == GET_TRANSFER_RUNNING && t->hop_over) ||
           (t->state == GET_TRANSFER_WAITING && t->retry_due);
}

void get_transfer_deinit(struct get_transfer *t);

/* ---- between get_transfer.c and get_response.c ---- */

extern const struct get_exchange_handler get_response_handler;

/* get_hop_end records how the hop ended (0: well); the first outcome stands. */
void get_hop_end(struct get_transfer *t, int exit_code, const char *stage);

/* get_hop_fail is the same with the detail: t->err is filled unless it has been. */
void get_hop_fail(struct get_transfer *t, int exit_code, const char *stage, struct cl_why why,
                  const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
