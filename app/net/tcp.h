/* net/tcp.h - a TCP socket in a libuv loop, with the caller's buffers; or what stands in for one: a
 * stream of bytes that another connection carries, as through a proxy (struct cl_tcp_carrier).
 *
 * Receiving: the handler says where the next bytes go (room), just when they are there, so that a
 * socket that waits holds no buffer. Sending: what the kernel does not take at once must stay where
 * it is until `sent` comes; there is never more than one such send under way. All functions and
 * callbacks belong to the thread that runs the loop.
 */
#ifndef CL_NET_TCP_H
#define CL_NET_TCP_H

#include <sys/socket.h>
#include <uv.h>

#include "base/result.h"

struct cl_tcp;

struct cl_tcp_handler {
    /* Where to put what has arrived, and how much fits; NULL: nowhere now, and reading is off until
     * cl_tcp_read(tcp, true). Each room is followed by one received, or by ended. */
    uint8_t *(*room)(void *ctx, size_t *len);
    /* len bytes are in the room last given; len may be 0 (a false alarm). */
    void (*received)(void *ctx, size_t len);
    /* Nothing more will come: 0 after the peer's FIN, else a negative libuv code (UV_ECONNRESET,
     * …). The room that was given is unused. */
    void (*ended)(void *ctx, int status);
    /* What cl_tcp_send left over has gone to the kernel (0), or never will (negative code). */
    void (*sent)(void *ctx, int status);
};

/* cl_tcp_new makes a socket that is not connected yet. NOMEM. */
CL_MUST cl_result cl_tcp_new(uv_loop_t *loop, struct cl_tcp **out);

/* cl_tcp_free closes the socket and frees it in a later turn; no callback comes after the call.
 * NULL is fine. Bytes of a send under way may be given up: their memory is free to go. */
void cl_tcp_free(struct cl_tcp *tcp);

/* cl_tcp_connect starts to connect. done gets 0 or a negative libuv code, once, from the loop; not
 * at all when cl_tcp_free comes first. Returns 0, or a negative code (then done does not come). */
int cl_tcp_connect(struct cl_tcp *tcp, const struct sockaddr *addr,
                   void (*done)(void *ctx, int status), void *ctx);

/* cl_tcp_accept takes the connection that a listener has ready (net/listener.h). 0 or a negative
 * code. */
int cl_tcp_accept(struct cl_tcp *tcp, uv_stream_t *listener);

/* cl_tcp_attach sets who is told, and replaces who was told before. Nagle's algorithm is switched
 * off: whoever writes gathers. */
void cl_tcp_attach(struct cl_tcp *tcp, const struct cl_tcp_handler *handler, void *ctx);

/* cl_tcp_read switches receiving on or off; either is cheap to repeat. */
void cl_tcp_read(struct cl_tcp *tcp, bool on);

/* cl_tcp_send sends len bytes. Returns how many went at once (up to len), or a negative libuv code.
 * The others are under way: they stay the caller's, unchanged, until `sent`. Not to be called while
 * a send is under way (UV_EBUSY). */
ssize_t cl_tcp_send(struct cl_tcp *tcp, const uint8_t *p, size_t len);

/* cl_tcp_finish sends FIN after everything sent before; receiving goes on. Repeating it is fine. */
void cl_tcp_finish(struct cl_tcp *tcp);

/* cl_tcp_unsent returns how many bytes the kernel holds that the peer has not acknowledged. */
size_t cl_tcp_unsent(const struct cl_tcp *tcp);

/* cl_tcp_unread returns how many bytes have arrived that nobody has read: closing the socket then
 * resets the connection. cl_tcp_mss returns how many bytes of data a segment carries; 0: not known.
 */
size_t cl_tcp_unread(const struct cl_tcp *tcp);
size_t cl_tcp_mss(const struct cl_tcp *tcp);

/* cl_tcp_is_at_end looks, without waiting, whether the next thing to be received is the peer's FIN.
 */
bool cl_tcp_is_at_end(const struct cl_tcp *tcp);

/* The two ends' addresses. false: not connected. */
bool cl_tcp_peer(const struct cl_tcp *tcp, struct sockaddr_storage *out);
bool cl_tcp_local(const struct cl_tcp *tcp, struct sockaddr_storage *out);

uv_loop_t *cl_tcp_loop(const struct cl_tcp *tcp);

/* ---- without a socket of its own ---- */

/* What a carrier does, each as the function of that name above says; it is told by its own address.
 */
struct cl_tcp_carrier {
    void (*read)(struct cl_tcp_carrier *c, bool on);
    ssize_t (*send)(struct cl_tcp_carrier *c, const uint8_t *p, size_t len);
    void (*finish)(struct cl_tcp_carrier *c);
    /* cl_tcp_free: what it has taken goes out, no call comes any more. Later, not inside this call,
     * it calls cl_tcp_drop. */
    void (*close)(struct cl_tcp_carrier *c);
    bool (*is_at_end)(const struct cl_tcp_carrier *c);
    /* The socket below, for its addresses; NULL when it is closed. */
    const struct cl_tcp *(*below)(const struct cl_tcp_carrier *c);
    size_t (*unsent)(const struct cl_tcp_carrier *c);
};

/* cl_tcp_new_carried makes one whose bytes go through the carrier, which outlives it. NOMEM. */
CL_MUST cl_result cl_tcp_new_carried(uv_loop_t *loop, struct cl_tcp_carrier *carrier,
                                     struct cl_tcp **out);

/* cl_tcp_drop frees the memory of one that was freed; only its carrier calls it. */
void cl_tcp_drop(struct cl_tcp *tcp);

/* What the carrier tells; from the loop only. cl_tcp_arrived hands over bytes that have come, and
 * returns how many were taken: fewer than len when nobody reads, until the carrier's `read`.
 * cl_tcp_arrived_end and cl_tcp_sent_rest are `ended` and `sent`. */
size_t cl_tcp_arrived(struct cl_tcp *tcp, const uint8_t *p, size_t len);
void cl_tcp_arrived_end(struct cl_tcp *tcp, int status);
void cl_tcp_sent_rest(struct cl_tcp *tcp, int status);

#endif
