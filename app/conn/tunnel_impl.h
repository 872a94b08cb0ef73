/* conn/tunnel_impl.h - what tunnel.c and its protocols know of each other. */
#ifndef CL_CONN_TUNNEL_IMPL_H
#define CL_CONN_TUNNEL_IMPL_H

#include "base/buf.h"
#include "cleat/http.h"
#include "conn/tunnel.h"

/* 16 KiB: the request with the longest credentials and some fields of the user's */
#define CL_TUNNEL_MAX_OUT 16384

struct cl_tunnel {
    struct cl_tunnel_spec spec;
    struct cl_tunnel_result result;
    struct cl_stream *stream;
    struct cl_dns_query *query; /* socks5 */
    struct cl_addr address;     /* and its answer */
    bool has_address, no_address;
    struct cl_buf in;  /* what has come and is not understood yet */
    struct cl_buf out; /* what is to be sent, from sent on */
    size_t sent;
    bool ready;                  /* TLS with the proxy is agreed on, or not wanted */
    bool over;                   /* done has been called, or never will be */
    struct cleat_http_head head; /* CONNECT */
    unsigned num_interim;
    unsigned step; /* SOCKS */
};

enum cl_tunnel_next {
    CL_TUNNEL_MORE,   /* more has to come; out may have got something */
    CL_TUNNEL_OPEN,   /* the way is free; what is left in `in` came behind the answer */
    CL_TUNNEL_FAILED, /* result.error says why */
};

/* A protocol: begin puts the first words into out, take looks at `in` and drops what it has used.
 */
struct cl_tunnel_protocol {
    cl_result (*begin)(struct cl_tunnel *t);
    enum cl_tunnel_next (*take)(struct cl_tunnel *t);
};

extern const struct cl_tunnel_protocol cl_tunnel_http, cl_tunnel_socks;

/* tunnel.c: the address of the host has come, or that there is none, where begin has asked for it:
 * goes on with take. */
void cl_tunnel_go_on(struct cl_tunnel *t);

#endif
