/* bench/pair.c - see pair.h. */
#include "bench/pair.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

/* 8: a handshake is over after two turns of each end */
#define MAX_TURNS 8

SSL_CTX *bench_client_ctx_new(const struct bench_setup *setup, const struct cl_bench_world *world)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (ctx == NULL) {
        return NULL;
    }
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    if (!bench_version(ctx, setup) || (setup->mutual && !bench_use_identity(ctx, &world->client))) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

static bool fail(const struct bench_pair *pair, const char *what)
{
    fprintf(stderr, "bench: %s: %s\n", pair->ops->name, what);
    ERR_print_errors_fp(stderr);
    return false;
}

static bool client_new(struct bench_pair *pair, SSL_CTX *ctx, SSL_SESSION *session)
{
    BIO *bio = bench_bio_new(&pair->client_ends);
    pair->client_ends = (struct bench_ends){.in = &pair->to_client, .out = &pair->to_server};
    pair->client = SSL_new(ctx);
    if (pair->client == NULL || bio == NULL) {
        BIO_free(bio);
        return false;
    }
    SSL_set_bio(pair->client, bio, bio);
    SSL_set_connect_state(pair->client);
    return SSL_set_tlsext_host_name(pair->client, "localhost") == 1 &&
           (session == NULL || SSL_set_session(pair->client, session) == 1);
}

static bool client_turn(struct bench_pair *pair, bool *done)
{
    int r = SSL_do_handshake(pair->client);
    *done = r == 1;
    return r == 1 || SSL_get_error(pair->client, r) == SSL_ERROR_WANT_READ;
}

/* The client reads the tickets; there is no data yet. */
static bool read_tickets(struct bench_pair *pair)
{
    char byte;
    int r = SSL_read(pair->client, &byte, 1);
    return r <= 0 && SSL_get_error(pair->client, r) == SSL_ERROR_WANT_READ;
}

/* With the ClientHello. */
static bool write_early(struct bench_pair *pair)
{
    static const uint8_t data[BENCH_EARLY_LEN];
    size_t written;
    return SSL_write_early_data(pair->client, data, sizeof(data), &written) == 1;
}

/* The clients that are not done have their turn; false when one fails. */
static bool clients_turn(struct bench_pair *pairs, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        if (!pairs[i].client_done && !client_turn(&pairs[i], &pairs[i].client_done)) {
            return fail(&pairs[i], "the client fails in the handshake");
        }
    }
    return true;
}

/* Then the servers that are not, all at once; *ready says whether nobody is left. */
static bool servers_turn(struct bench_pair *pairs, size_t num, void *ctx, struct bench_meter *meter,
                         bool *ready)
{
    struct bench_turn turns[BENCH_MAX_IN_FLIGHT];
    struct bench_pair *of[BENCH_MAX_IN_FLIGHT];
    size_t left = 0;
    for (size_t i = 0; i < num; i++) {
        struct bench_pair *p = &pairs[i];
        if (!p->server_done) {
            of[left] = p;
            turns[left++] =
                (struct bench_turn){.conn = p->server, .in = &p->to_server, .out = &p->to_client};
        }
    }
    bench_meter_start(meter);
    pairs->ops->step(ctx, turns, left);
    bench_meter_stop(meter);
    *ready = true;
    for (size_t i = 0; i < left; i++) {
        if (turns[i].progress == BENCH_FAILED) {
            return fail(of[i], "the server fails in the handshake");
        }
        of[i]->server_done = turns[i].progress == BENCH_READY;
        *ready = *ready && of[i]->server_done && of[i]->client_done;
    }
    return true;
}

static bool handshakes(struct bench_pair *pairs, size_t num, void *ctx, struct bench_meter *meter)
{
    bool ready = false;
    for (size_t i = 0; i < num; i++) {
        if (pairs[i].early && !write_early(&pairs[i])) {
            return fail(&pairs[i], "the client cannot write early data");
        }
    }
    for (int i = 0; i < MAX_TURNS && !ready; i++) {
        if (!clients_turn(pairs, num) || !servers_turn(pairs, num, ctx, meter, &ready)) {
            return false;
        }
    }
    /* In TLS 1.2 the server can be done before the client. */
    if (!clients_turn(pairs, num)) {
        return false;
    }
    for (size_t i = 0; i < num; i++) {
        if (!pairs[i].client_done || !pairs[i].server_done || !read_tickets(&pairs[i])) {
            return fail(&pairs[i], "the handshake does not end");
        }
    }
    return true;
}

static bool make_ends(struct bench_pair *pair, const struct bench_ends_of *of,
                      struct bench_meter *meter)
{
    pair->client_done = false;
    pair->server_done = false;
    bench_wire_reset(&pair->to_server);
    bench_wire_reset(&pair->to_client);
    if (!client_new(pair, of->client_ctx, of->session)) {
        return fail(pair, "no client");
    }
    bench_meter_start(meter);
    pair->server = pair->ops->conn_new(of->server_ctx);
    bench_meter_stop(meter);
    return pair->server != NULL || fail(pair, "no connection");
}

static bool is_as_asked(const struct bench_pair *pair, bool resumed)
{
    if (pair->ops->is_resumed(pair->server) != resumed ||
        (SSL_session_reused(pair->client) == 1) != resumed) {
        return fail(pair, resumed ? "the session is not resumed" : "a session is resumed");
    }
    if (pair->early && !pair->ops->took_early(pair->server)) {
        return fail(pair, "early data is not accepted");
    }
    return true;
}

bool bench_pairs_connect(struct bench_pair *pairs, size_t num, const struct bench_ends_of *of,
                         struct bench_meter *meter)
{
    for (size_t i = 0; i < num; i++) {
        pairs[i].server = NULL;
        pairs[i].client = NULL;
    }
    for (size_t i = 0; i < num; i++) {
        if (!make_ends(&pairs[i], of, meter)) {
            return false;
        }
    }
    if (!handshakes(pairs, num, of->server_ctx, meter)) {
        return false;
    }
    for (size_t i = 0; i < num; i++) {
        if (!is_as_asked(&pairs[i], of->session != NULL)) {
            return false;
        }
    }
    return true;
}

bool bench_pair_echo(struct bench_pair *pair, size_t len, struct bench_meter *meter)
{
    static uint8_t data[16384];
    static uint8_t back[16384];
    memset(data, 'c', len);
    bench_wire_reset(&pair->to_server);
    bench_wire_reset(&pair->to_client);
    if (SSL_write(pair->client, data, (int)len) != (int)len) {
        return fail(pair, "the client cannot write");
    }
    bench_meter_start(meter);
    bool ok = pair->ops->open(pair->server, &pair->to_server, len, 1) &&
              pair->ops->seal(pair->server, data, len, 1, &pair->to_client);
    bench_meter_stop(meter);
    if (!ok || SSL_read(pair->client, back, (int)len) != (int)len || memcmp(data, back, len) != 0) {
        return fail(pair, "the echo is not what the client sent");
    }
    return true;
}

void bench_pair_drop_client(struct bench_pair *pair)
{
    /* without an alert: nobody reads it */
    if (pair->client != NULL) {
        SSL_set_quiet_shutdown(pair->client, 1);
        (void)SSL_shutdown(pair->client);
        SSL_free(pair->client);
        pair->client = NULL;
    }
}

void bench_pair_close(struct bench_pair *pair, struct bench_meter *meter)
{
    if (pair->server != NULL) {
        bench_meter_start(meter);
        pair->ops->conn_free(pair->server);
        bench_meter_stop(meter);
        pair->server = NULL;
    }
    bench_pair_drop_client(pair);
}
