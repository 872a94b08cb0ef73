/* tests/bogo/shim_conn.h - one connection of the shim: a blocking socket and the engine between. */
#ifndef BOGO_SHIM_CONN_H
#define BOGO_SHIM_CONN_H

#include "bogo/shim_config.h"

struct shim_conn {
    const struct shim_options *options;
    const struct shim_options *retry; /* client: what holds once early data was refused */
    struct cleat_tls *tls;
    struct cleat_tls_config *config;
    int fd;
    bool eof;
    bool stop_early; /* client: the pump stops where early data can be written */
    bool held;       /* a write is not finished: output stays here */
    bool ready;      /* READY has been seen */
    bool started;    /* client: False Start has been seen */
    const struct shim_state *state;
    struct cleat_tls_io io;
    uint8_t in[CLEAT_TLS_MAX_RECORD];
    size_t in_len;
    uint8_t out[2 * CLEAT_TLS_MAX_RECORD];
};

/* shim_conn_open connects to the runner, says who we are, and makes the engine's connection. */
void shim_conn_open(struct shim_conn *c, const struct shim_options *o, struct shim_state *state);
void shim_conn_close(struct shim_conn *c);

/* What shim_conn_pump stopped at. */
enum shim_event {
    SHIM_READY,
    SHIM_EARLY,       /* early data can be written */
    SHIM_FALSE_START, /* data can be written behind our Finished */
    SHIM_DATA,        /* c->io.data */
    SHIM_CLOSED,
    SHIM_EOF, /* the transport ended without close_notify */
    SHIM_FAILED,
};

/* shim_conn_pump steps until something happens that the exchange must know. With wait it blocks for
 * input when established; else READY comes back. */
enum shim_event shim_conn_pump(struct shim_conn *c, bool wait);

/* All of it, or false. */
bool shim_conn_write(struct shim_conn *c, const void *data, size_t len);

/* shim_conn_flush sends what is in the output buffer, unless it is held. */
void shim_conn_flush(struct shim_conn *c);

/* shim_conn_hold_write seals data but sends nothing, and leaves the engine no room for more, until
 * shim_conn_release. */
bool shim_conn_hold_write(struct shim_conn *c, const void *data, size_t len);
void shim_conn_release(struct shim_conn *c);

#endif
