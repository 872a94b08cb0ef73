/* bench/scenario.h - what the benchmark is made of.
 *
 * A contender is a TLS library behind a dozen functions. Each scenario runs every contender against
 * the same peer (libssl; Cleat where libssl lacks the group) over wires in memory, and a meter runs
 * only while the contender works: the peer's time, and the allocations that it makes, count for
 * nobody.
 */
#ifndef BENCH_SCENARIO_H
#define BENCH_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/meter.h"
#include "bench/wire.h"
#include "cleat/tls.h"
#include "measure/world.h"

/* 2: everybody's default after a full handshake; after a resumption it is one */
#define BENCH_NUM_TICKETS 2

/* 64: connections in flight at most */
#define BENCH_MAX_IN_FLIGHT 64

/* 400: bytes of early data, a request's head */
#define BENCH_EARLY_LEN 400

/* How a contender is configured: AES-128-GCM whatever the version. */
struct bench_setup {
    const char *name;
    enum cleat_role role; /* of the contender; a client verifies the server up to the CA */
    const char *group;    /* NULL: X25519 */
    bool tls12;           /* TLS 1.2 alone, else 1.3 alone */
    bool rsa;             /* the RSA identity, else the ECDSA one */
    bool mutual;          /* a client certificate is required, and verified up to the CA */
    bool early;           /* early data is accepted once */
    bool release_buffers; /* libssl's SSL_MODE_RELEASE_BUFFERS */
};

/* In TLS 1.2 the curve of an ECDSA key has to be in the list as well (RFC 8422 5.1.1). */
static inline const char *bench_groups(const struct bench_setup *setup)
{
    return setup->group != NULL ? setup->group : setup->tls12 ? "X25519:P-256" : "X25519";
}

enum bench_setup_id {
    BENCH_13_ECDSA,
    BENCH_13_RSA,
    BENCH_13_MUTUAL,
    BENCH_13_EARLY,
    BENCH_13_LEAN,
    BENCH_12_ECDSA,
    BENCH_12_RSA,
    BENCH_13_MLKEM,
    BENCH_13_CLIENT,
    BENCH_13_CLIENT_RSA,
    BENCH_12_CLIENT,
    BENCH_NUM_SETUPS,
};

extern const struct bench_setup bench_setups[BENCH_NUM_SETUPS];

const struct cl_identity *bench_identity_of(const struct cl_bench_world *world,
                                            const struct bench_setup *setup);

enum bench_progress {
    BENCH_FAILED,
    BENCH_WAITS, /* for more input */
    BENCH_READY,
};

/* A connection's turn: it takes what is on `in` and appends to `out`. */
struct bench_turn {
    void *conn;
    struct bench_wire *in;
    struct bench_wire *out;
    enum bench_progress progress; /* how it ended */
};

/* A contender, or its peer. What a function needs for itself it does inside the meter; so ctx_new,
 * which is not measured, prepares all that a long-running program would have prepared. */
struct bench_ops {
    const char *name;
    const char *(*version)(void);
    /* Whether it can do this, in that role. */
    bool (*supports)(const struct bench_setup *setup, enum cleat_role role);
    void *(*ctx_new)(const struct bench_setup *setup, enum cleat_role role,
                     const struct cl_bench_world *world);
    void (*ctx_free)(void *ctx);
    void *(*conn_new)(void *ctx);
    void (*conn_free)(void *conn);
    /* One turn of the handshakes of num connections of a context, as an event loop would do it. */
    void (*step)(void *ctx, struct bench_turn *turns, size_t num);
    bool (*is_resumed)(void *conn);
    bool (*took_early)(void *conn); /* servers: early data was accepted */
    /* Seals num records of len bytes each. When out->discard, none need stay there. */
    bool (*seal)(void *conn, const uint8_t *data, size_t len, size_t num, struct bench_wire *out);
    /* Opens num records of len bytes each from `in`. */
    bool (*open)(void *conn, struct bench_wire *in, size_t len, size_t num);
    /* Clients. offer: whether connections made from now on offer the session that was kept last.
     * drain: reads the tickets behind the handshake. keep: keeps the newest for the next. */
    void (*offer)(void *ctx, bool on);
    bool (*drain)(void *conn, struct bench_wire *in, struct bench_wire *out);
    bool (*keep)(void *ctx, void *conn);
};

enum bench_contender {
    BENCH_CLEAT,
    BENCH_LIBSSL,
    BENCH_GNUTLS,
    BENCH_WOLFSSL,
    BENCH_NUM_CONTENDERS,
};

extern const struct bench_ops bench_cleat;
extern const struct bench_ops bench_libssl;
extern const struct bench_ops bench_gnutls;
extern const struct bench_ops bench_wolfssl;
/* NULL: it was not there when this was built. */
extern const struct bench_ops *const bench_contenders[BENCH_NUM_CONTENDERS];

/* bench_peer_for is who contenders in this setup are measured against; NULL: nobody can. */
const struct bench_ops *bench_peer_for(const struct bench_setup *setup);

/* bench_cleat_jobs measures, from now on, the time that batches of Cleat in that role run, or ends
 * that; returns the nanoseconds so far. It costs time itself. */
int64_t bench_cleat_jobs(bool on, enum cleat_role role);

/* How much is measured. */
struct bench_plan {
    unsigned num_passes;
    unsigned num_handshakes;  /* a pass, scenario and contender */
    unsigned num_connections; /* idle at once */
    size_t record_bytes;      /* a pass, row and contender */
    const char *only;         /* rows whose id contains this; NULL: all */
};

/* What was measured of one contender in one row: each sample is the mean of a pass. */
#define BENCH_MAX_PASSES 200
struct bench_samples {
    double ns[BENCH_MAX_PASSES];
    unsigned num;
    double num_allocs; /* per operation */
    double jobs_ns;    /* Cleat: the least of the passes that its asymmetric operations took */
    double bytes;      /* idle rows: heap per connection */
};

enum bench_kind {
    BENCH_HANDSHAKE,
    BENCH_SEAL,
    BENCH_OPEN,
    BENCH_IDLE,
};

/* A row of the tables, and its result. */
struct bench_row {
    enum bench_kind kind;
    const char *id;
    const char *title;
    enum bench_setup_id setup; /* SEAL, OPEN: BENCH_13_ECDSA */
    bool resumed;              /* HANDSHAKE */
    unsigned in_flight;        /* HANDSHAKE: connections at a time */
    size_t len;                /* SEAL, OPEN: of a record's plaintext */
    struct bench_samples of[BENCH_NUM_CONTENDERS];
};

/* bench_best and bench_median of the samples, in nanoseconds for one operation. */
double bench_best(const struct bench_samples *s);
double bench_median(const struct bench_samples *s);

/* bench_run fills in the rows; false after a message on stderr when one does not complete. */
bool bench_run(struct bench_row *rows, size_t num, const struct bench_plan *plan,
               const struct cl_bench_world *world);

/* bench_wanted says whether the plan asks for this row. */
bool bench_wanted(const struct bench_plan *plan, const struct bench_row *row);

/* bench_takes says whether a contender can do the row at all. */
bool bench_takes(enum bench_contender which, const struct bench_row *row);

/* bench_print_table writes Markdown tables to stdout; bench_write_json returns false when the file
 * cannot be written. */
void bench_print_table(const struct bench_row *rows, size_t num, const struct bench_plan *plan);
bool bench_write_json(const char *path, const struct bench_row *rows, size_t num,
                      const struct bench_plan *plan);

#endif
