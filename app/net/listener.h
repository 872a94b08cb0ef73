/* net/listener.h - a listening TCP socket that shares its address with those of other threads
 * (SO_REUSEPORT): the kernel spreads the connections.
 */
#ifndef CL_NET_LISTENER_H
#define CL_NET_LISTENER_H

#include <sys/socket.h>
#include <uv.h>

#include "base/result.h"
#include "net/tcp.h"

/* 4,096: what the kernel grants by default (net.core.somaxconn), for bursts of new clients */
#define CL_LISTENER_BACKLOG 4096

/* cl_listener_bind makes a socket bound to addr, which gets the port that was chosen when it had
 * port 0. `first`: fails with EADDRINUSE also when a socket of the same user that would share
 * listens there - another server, that is; the further sockets of this one are not `first`. Returns
 * the descriptor, or a negative errno. IPv6 sockets take no IPv4. */
int cl_listener_bind(struct sockaddr_storage *addr, bool first);

struct cl_listener;

/* cl_listener_new listens on a bound descriptor, which it takes over (closed on failure too).
 * incoming is called for every connection with a socket that is the callee's; it may call
 * cl_listener_hold; waiting, when the first of those waits that are held back. error gets negative
 * libuv codes of accept (UV_EMFILE, …); listening goes on. Returns 0 or a negative libuv code. */
struct cl_listener_handler {
    void (*incoming)(void *ctx, struct cl_tcp *tcp);
    void (*waiting)(void *ctx); /* or NULL */
    void (*error)(void *ctx, int status);
};
int cl_listener_new(uv_loop_t *loop, int fd, const struct cl_listener_handler *handler, void *ctx,
                    struct cl_listener **out);

/* cl_listener_hold leaves new connections in the kernel's queue until it is called with false. */
void cl_listener_hold(struct cl_listener *l, bool hold);

/* cl_listener_is_waited_for tells whether somebody is held back now. */
bool cl_listener_is_waited_for(const struct cl_listener *l);

/* cl_listener_free stops listening; its memory goes in a later turn. NULL is fine. */
void cl_listener_free(struct cl_listener *l);

#endif
