/* measure/connects.h - many new TLS connections to one server, and how long each took. A connection
 * is closed in good order as soon as it is established; nothing is sent on it.
 */
#ifndef CL_MEASURE_CONNECTS_H
#define CL_MEASURE_CONNECTS_H

#include "conn/dial.h"
#include "measure/meter.h"

/* 16 kinds of failures are told apart; more are counted with the last */
#define CL_CONNECTS_MAX_FAILURES 16
/* 20 failures in a row, and no further connection is begun: the server is gone, or does not want us
 */
#define CL_CONNECTS_GIVE_UP      20

struct cl_connects_setup {
    struct cl_hub *hub;
    struct cl_dns *dns;
    struct cleat_tls_config *config;
    const char *server_name; /* whom to verify */
    const char *host;        /* where the first connection goes: a name, or an IP literal */
    uint16_t port;
    int family;
    uint32_t timeout_ms; /* of a connection */
    bool resume;         /* each connection resumes the newest session of those before it */
    const volatile sig_atomic_t *stop;
    /* Answers CLEAT_DECIDE_PEER at once; first: of all connections. NULL: it is refused. */
    void (*decide)(void *ctx, struct cleat_tls *tls, bool first);
    void *ctx;
};

/* What the first connection told. */
struct cl_connects_first {
    enum cl_dial_stage stage; /* DONE, or where it failed */
    bool timed_out;
    struct cleat_error error;
    struct cl_addr peer; /* where all others go */
    uint16_t version;
    char cipher[64];
    char group[32];
    char signature[48];
};

struct cl_connects_limits {
    size_t num;         /* connections */
    size_t concurrency; /* at a time */
    double rate;        /* begun in a second; 0: no limit */
    double seconds;     /* none is begun after that; what is under way is given up */
};

struct cl_connects_sample {
    uint32_t tcp_us;
    uint32_t tls_us;
};

struct cl_connects_failure {
    size_t num;
    enum cl_dial_stage stage;
    bool timed_out;
    struct cleat_error error; /* of the first */
};

struct cl_connects_report {
    struct cl_connects_sample *samples; /* num_ok */
    size_t num_ok;
    size_t num_failed;
    size_t num_resumed;
    size_t num_unfinished; /* given up at the end of the time, or at SIGINT */
    double seconds;
    double cpu_seconds; /* of this thread */
    bool gave_up;       /* CL_CONNECTS_GIVE_UP */
    struct cl_connects_failure failures[CL_CONNECTS_MAX_FAILURES];
    size_t num_failures;
};

struct cl_connects;

/* cl_connects_new copies the setup; what it points to outlives it. NOMEM, SYSTEM. cl_connects_free:
 * before the loop is closed; NULL is fine. */
CL_MUST cl_result cl_connects_new(const struct cl_connects_setup *setup, struct cl_connects **out);
void cl_connects_free(struct cl_connects *c);

/* cl_connects_first makes one connection, narrated to the trace (may be NULL): it resolves the
 * host, fetches a session where that is wanted, and counts for nothing. NOMEM, USAGE (not a host
 * that could be dialled), REFUSED (stopped). A failure of the connection itself is told in *out. */
CL_MUST cl_result cl_connects_first(struct cl_connects *c, struct cl_trace *trace,
                                    struct cl_connects_first *out);

/* cl_connects_run makes the others, to the address that the first one found. NOMEM. The caller
 * deinits the report in either case. */
CL_MUST cl_result cl_connects_run(struct cl_connects *c, const struct cl_connects_limits *limits,
                                  struct cl_connects_report *out);
void cl_connects_report_deinit(struct cl_connects_report *report);

#endif
