/* tests/tls/support_walk.h - handshakes of many kinds, walked message by message: what one end
 * received, in which states it waited, and how to stop it in any of them. */
#ifndef TEST_SUPPORT_WALK_H
#define TEST_SUPPORT_WALK_H

#include "tls/support_tls.h"

/* What a handshake is like. */
#define WALK_12      1u  /* TLS 1.2, else 1.3 */
#define WALK_RETRY   2u  /* the server asks for another key share */
#define WALK_ASKS    4u  /* the server asks for a client certificate */
#define WALK_CERT    8u  /* the client has one */
#define WALK_TICKET  16u /* the server issues a ticket */
#define WALK_PSK     32u /* a session is resumed */
/* With WALK_PSK: early data is sent, and accepted or refused. */
#define WALK_EARLY   64u
#define WALK_REFUSED 128u

/* Inputs beside the handshake types 0 to 255. */
#define WALK_CCS           256 /* TLS 1.2: change_cipher_spec */
#define WALK_RETRY_REQUEST 257
#define WALK_NOTHING       1000 /* walk to the end */

struct walk {
    unsigned flags;
    bool server; /* which end is looked at */
    /* The input that the end must not get; it and all that follows is held back. */
    size_t hold;
    size_t num_sent; /* messages that the other end made so far */
    bool silent;     /* nothing gets to the end any more */
    bool held_ccs;
    size_t ccs_at; /* which input the change_cipher_spec is; WALK_NOTHING: none */
    bool wrote_early;
    struct test_pair pair;
};

int walk_setup(void **state); /* test_world_setup, and sessions: TLS 1.3, 1.2, with early data */
int walk_teardown(void **state);

struct test_end *walk_end(struct walk *w);   /* the one that is looked at */
struct test_end *walk_other(struct walk *w); /* its peer */

/* Runs a handshake of this kind, then what may come after it, and fails the test unless both ends
 * are ready. */
void walk_whole(struct walk *w, unsigned flags, bool server);
/* Runs one until the end would get its input number hold (WALK_NOTHING: until both are ready);
 * ccs_at as in struct walk. */
void walk_until(struct walk *w, unsigned flags, bool server, size_t hold, size_t ccs_at);
void walk_drop(struct walk *w);

/* What the end received, in order. */
size_t walk_inputs(struct walk *w, unsigned *inputs, size_t max);
/* The states in which the end waited, in order: names as in CLEAT_EVENT_STATE. */
#define WALK_NAME 48
size_t walk_states(struct walk *w, char (*names)[WALK_NAME], size_t max);

/* A record with the keys that the end reads with now; it is stepped. */
void walk_inject(struct walk *w, uint8_t type, const void *p, size_t len);
/* The same in clear, whatever the keys are. */
void walk_inject_clear(struct walk *w, uint8_t type, const void *p, size_t len);

#endif
