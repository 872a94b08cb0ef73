/* tests/ws/support_ws.h - a peer that writes any frames, right or wrong; an echo over a connection
 * of ours; and what came back, as text.
 *
 * The trace has a word for each frame of ours, in their order; fragments are put together:
 *     T(Hello)  text        B(\xfe)  binary      O(ping)  pong      I(..)  ping
 *     C(1000)   close with its code, C() without; long payloads as T(65536 bytes, sum)
 */
#ifndef SUPPORT_WS_H
#define SUPPORT_WS_H

#include "base/buf.h"
#include "cleat/ws.h"

enum { CONT = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };
#define NO_FIN 0
#define FIN    1

/* support_frame appends a frame as the peer of a server (masked) or of a client sends it. */
void support_frame(struct cl_buf *out, bool masked, bool fin, uint8_t rsv, uint8_t opcode,
                   const void *payload, size_t len);

struct echo {
    struct cleat_ws *ws;
    bool is_client;
    bool keep_views;      /* count, do not echo */
    struct cl_buf sent;   /* what the connection put on the wire */
    struct cl_buf unsent; /* messages whose echo has to wait for the queue */
    size_t num_messages;
    size_t num_pieces;
    uint64_t num_bytes;
    size_t num_pings, num_pongs;
    uint64_t now;
    uint64_t rtt;
    uint16_t close_code; /* 0: no close frame was received */
    char close_reason[128];
    struct cleat_error err; /* of a failure */
};

void support_echo_init(struct echo *e, bool is_client, const struct cleat_ws_options *o);
void support_echo_deinit(struct echo *e);

/* support_feed gives the connection bytes (from an allocation of exactly that size), echoes what
 * comes, and collects the output. support_feed_cut does so in steps of at most `step` bytes. */
void support_feed(struct echo *e, const void *p, size_t len);
void support_feed_cut(struct echo *e, const void *p, size_t len, size_t step);

/* support_drain moves the connection's output to e->sent. */
void support_drain(struct echo *e);

/* support_trace describes frames on the wire; masked: they have to be, or must not be. Fails the
 * test when they are not well-formed. */
void support_trace(const struct cl_buf *wire, bool masked, struct cl_buf *text);

/* support_word is one word of a trace, for what is expected. */
void support_word(struct cl_buf *text, char kind, const void *payload, size_t len);

/* support_random: xorshift, the same everywhere. */
uint32_t support_random(uint32_t *state);

/* support_view gives text to compare with, NUL-terminated. */
const char *support_text(struct cl_buf *text);

#endif
