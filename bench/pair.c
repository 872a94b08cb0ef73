/* bench/pair.c - see pair.h. */
#include "bench/pair.h"

#include <stdio.h>
#include <string.h>

/* 8: a handshake is over after two turns of each end */
#define MAX_TURNS 8

static bool fail(const struct bench_pair *pair, const char *what)
{
    fprintf(stderr, "bench: %s with %s: %s\n", pair->stand->own.ops->name,
            pair->stand->peer.ops->name, what);
    return false;
}

static bool own_is_client(const struct bench_pair *pair)
{
    return pair->stand->role == CLEAT_CLIENT;
}

/* One turn of one side of all pairs that are not done; *ready says whether all are now. */
static bool side_turn(struct bench_pair *pairs, size_t num, bool own, struct bench_meter *meter,
                      bool *ready)
{
    const struct bench_side *side = own ? &pairs->stand->own : &pairs->stand->peer;
    struct bench_turn turns[BENCH_MAX_IN_FLIGHT];
    struct bench_pair *of[BENCH_MAX_IN_FLIGHT];
    size_t left = 0;
    for (size_t i = 0; i < num; i++) {
        struct bench_pair *p = &pairs[i];
        if (own ? p->own_done : p->peer_done) {
            continue;
        }
        of[left] = p;
        turns[left++] = (struct bench_turn){
            .conn = own ? p->own : p->peer,
            .in = own ? &p->to_own : &p->to_peer,
            .out = own ? &p->to_peer : &p->to_own,
        };
    }
    if (own) {
        bench_meter_start(meter);
    }
    side->ops->step(side->ctx, turns, left);
    if (own) {
        bench_meter_stop(meter);
    }
    *ready = true;
    for (size_t i = 0; i < left; i++) {
        bool done = turns[i].progress == BENCH_READY;
        if (turns[i].progress == BENCH_FAILED) {
            return fail(of[i],
                        own ? "it fails in the handshake" : "the peer fails in the handshake");
        }
        *(own ? &of[i]->own_done : &of[i]->peer_done) = done;
        *ready = *ready && done;
    }
    return true;
}

/* The client's turn, then the server's, until both are done; then the tickets. */
static bool handshakes(struct bench_pair *pairs, size_t num, struct bench_meter *meter)
{
    bool client_is_own = own_is_client(pairs);
    bool client_ready = false;
    bool server_ready = false;
    for (int i = 0; i < MAX_TURNS && !(client_ready && server_ready); i++) {
        if (!side_turn(pairs, num, client_is_own, meter, &client_ready) ||
            !side_turn(pairs, num, !client_is_own, meter, &server_ready)) {
            return false;
        }
    }
    if (!client_ready || !server_ready) {
        return fail(pairs, "the handshake does not end");
    }
    if (client_is_own) {
        bench_meter_start(meter);
    }
    bool ok = true;
    for (size_t i = 0; i < num && ok; i++) {
        struct bench_pair *p = &pairs[i];
        ok = client_is_own ? p->stand->own.ops->drain(p->own, &p->to_own, &p->to_peer)
                           : p->stand->peer.ops->drain(p->peer, &p->to_peer, &p->to_own);
    }
    if (client_is_own) {
        bench_meter_stop(meter);
    }
    return ok || fail(pairs, "the tickets cannot be read");
}

static bool make_ends(struct bench_pair *pair, struct bench_meter *meter)
{
    const struct bench_stand *stand = pair->stand;
    pair->own_done = false;
    pair->peer_done = false;
    bench_wire_reset(&pair->to_own);
    bench_wire_reset(&pair->to_peer);
    pair->peer = stand->peer.ops->conn_new(stand->peer.ctx);
    bench_meter_start(meter);
    pair->own = stand->own.ops->conn_new(stand->own.ctx);
    bench_meter_stop(meter);
    return (pair->own != NULL && pair->peer != NULL) || fail(pair, "no connection");
}

static bool is_as_asked(const struct bench_pair *pair, bool resumed)
{
    const struct bench_stand *stand = pair->stand;
    if (stand->own.ops->is_resumed(pair->own) != resumed ||
        stand->peer.ops->is_resumed(pair->peer) != resumed) {
        return fail(pair, resumed ? "the session is not resumed" : "a session is resumed");
    }
    if (resumed && stand->early && !stand->own.ops->took_early(pair->own)) {
        return fail(pair, "early data is not accepted");
    }
    return true;
}

bool bench_pairs_connect(const struct bench_stand *stand, struct bench_pair *pairs, size_t num,
                         bool resumed, struct bench_meter *meter)
{
    const struct bench_side *client = stand->role == CLEAT_CLIENT ? &stand->own : &stand->peer;
    client->ops->offer(client->ctx, resumed);
    for (size_t i = 0; i < num; i++) {
        pairs[i].stand = stand;
        pairs[i].own = NULL;
        pairs[i].peer = NULL;
    }
    for (size_t i = 0; i < num; i++) {
        if (!make_ends(&pairs[i], meter)) {
            return false;
        }
    }
    if (!handshakes(pairs, num, meter)) {
        return false;
    }
    for (size_t i = 0; i < num; i++) {
        if (!is_as_asked(&pairs[i], resumed)) {
            return false;
        }
    }
    return true;
}

bool bench_pair_keep(struct bench_pair *pair)
{
    const struct bench_stand *stand = pair->stand;
    return own_is_client(pair) ? stand->own.ops->keep(stand->own.ctx, pair->own)
                               : stand->peer.ops->keep(stand->peer.ctx, pair->peer);
}

bool bench_pair_echo(struct bench_pair *pair, size_t len, struct bench_meter *meter)
{
    static uint8_t data[16384];
    const struct bench_stand *stand = pair->stand;
    memset(data, 'c', len);
    bench_wire_reset(&pair->to_own);
    bench_wire_reset(&pair->to_peer);
    if (!stand->peer.ops->seal(pair->peer, data, len, 1, &pair->to_own)) {
        return fail(pair, "the peer cannot write");
    }
    bench_meter_start(meter);
    bool ok = stand->own.ops->open(pair->own, &pair->to_own, len, 1) &&
              stand->own.ops->seal(pair->own, data, len, 1, &pair->to_peer);
    bench_meter_stop(meter);
    ok = ok && stand->peer.ops->open(pair->peer, &pair->to_peer, len, 1);
    return ok || fail(pair, "the echo is not what the peer sent");
}

void bench_pair_drop_peer(struct bench_pair *pair)
{
    if (pair->peer != NULL) {
        pair->stand->peer.ops->conn_free(pair->peer);
        pair->peer = NULL;
    }
}

void bench_pair_close(struct bench_pair *pair, struct bench_meter *meter)
{
    if (pair->own != NULL) {
        bench_meter_start(meter);
        pair->stand->own.ops->conn_free(pair->own);
        bench_meter_stop(meter);
        pair->own = NULL;
    }
    bench_pair_drop_peer(pair);
}
