/* bench/pair.h - a contender's connection and its peer's, joined by two wires. */
#ifndef BENCH_PAIR_H
#define BENCH_PAIR_H

#include "bench/scenario.h"

/* One end of a handshake: whose connections, and in which context. */
struct bench_side {
    const struct bench_ops *ops;
    void *ctx;
};

/* Both ends: the contender, which the meter measures, and its peer. */
struct bench_stand {
    struct bench_side own;
    struct bench_side peer;
    enum cleat_role role; /* of the contender */
    bool early;           /* resumptions carry early data, which must be accepted */
};

/* {0} is safe to close. */
struct bench_pair {
    const struct bench_stand *stand;
    void *own;
    void *peer;
    bool own_done;
    bool peer_done;
    struct bench_wire to_own;
    struct bench_wire to_peer;
};

/* bench_pairs_connect makes both ends of num pairs (at most BENCH_MAX_IN_FLIGHT) and runs their
 * handshakes, all of them a turn at a time, until all are ready and the clients have read the
 * tickets. resumed: the client's session is offered, and must be accepted. The meter runs while the
 * contender works. False after a message on stderr; close the pairs in either case. */
bool bench_pairs_connect(const struct bench_stand *stand, struct bench_pair *pairs, size_t num,
                         bool resumed, struct bench_meter *meter);

/* bench_pair_keep keeps the client's newest session for the next connections. */
bool bench_pair_keep(struct bench_pair *pair);

/* bench_pair_echo carries a record of len bytes each way; the meter as above. */
bool bench_pair_echo(struct bench_pair *pair, size_t len, struct bench_meter *meter);

/* bench_pair_close frees the contender's end, with the meter running, and the peer's. */
void bench_pair_close(struct bench_pair *pair, struct bench_meter *meter);
void bench_pair_drop_peer(struct bench_pair *pair);

#endif
