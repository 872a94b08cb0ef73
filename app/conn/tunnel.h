/* conn/tunnel.h - a way through a proxy: over a connection to it, CONNECT (RFC 9110 9.3.6) or SOCKS
 * 5 (RFC 1928) leads to another host, and what comes out is a transport like a socket.
 *
 * With an https proxy the transport runs inside TLS with the proxy. tunnel.c moves the bytes;
 * tunnel_http.c and tunnel_socks.c are the two protocols.
 */
#ifndef CL_CONN_TUNNEL_H
#define CL_CONN_TUNNEL_H

#include "conn/proxy.h"
#include "conn/stream.h"
#include "conn/trace.h"
#include "dns/resolve.h"

struct cl_tunnel;

struct cl_tunnel_result {
    struct cl_tcp *tcp;          /* the callee's from now on; NULL: it failed */
    bool in_tls;                 /* it failed in TLS with the proxy */
    unsigned status;             /* what the proxy answered to CONNECT; 0: nothing yet, or SOCKS */
    struct cleat_error error;    /* code 0 with tcp */
    const struct cleat_tls *tls; /* with the proxy; NULL: none. Valid during the callback */
};

struct cl_tunnel_spec {
    struct cl_hub *hub;
    struct cl_dns *dns; /* for socks5, which wants an address */
    struct cl_trace *trace;
    struct cl_capture *capture;
    struct cl_tcp *tcp;           /* connected to the proxy; taken over */
    uint64_t connect_us;          /* when that was begun */
    const struct cl_proxy *proxy; /* outlives it */
    const char *host;             /* where to: name or IP literal; the caller's until the end */
    uint16_t port;
    int family; /* of the address, for socks5 */
    /* Called once, from the loop, never from inside cl_tunnel_open. */
    void (*done)(void *ctx, const struct cl_tunnel_result *result);
    void *ctx;
};

/* cl_tunnel_open begins. *out is valid until done is called. tcp is taken over also when it fails:
 * NOMEM, or what cleat_tls_client_new returns. There is no deadline: cl_tunnel_cancel is one. */
CL_MUST cl_result cl_tunnel_open(const struct cl_tunnel_spec *spec, struct cl_tunnel **out);

/* cl_tunnel_in_tls: TLS with the proxy is not agreed on yet. */
bool cl_tunnel_in_tls(const struct cl_tunnel *t);

/* cl_tunnel_cancel ends it: done is not called. NULL is fine. */
void cl_tunnel_cancel(struct cl_tunnel *t);

#endif
