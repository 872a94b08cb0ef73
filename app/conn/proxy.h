/* conn/proxy.h - a proxy that a client connects through: what its URL says, and for which hosts a
 * list says that there is none. Pure functions over text; conn/tunnel.h connects.
 *
 * Texts mean what they mean to curl, so that one environment serves all programs. The credentials
 * are for the proxy alone: never for the origin, never for a trace.
 */
#ifndef CL_CONN_PROXY_H
#define CL_CONN_PROXY_H

#include "base/buf.h"
#include "base/result.h"
#include "cleat/tls.h"

/* 1,024 bytes: user names and passwords are short; tokens in their place are not that long */
#define CL_PROXY_MAX_CREDENTIAL 1024
/* 1080 and 443: what curl takes where the URL names no port */
#define CL_PROXY_DEFAULT_PORT   1080
#define CL_PROXY_HTTPS_PORT     443

enum cl_proxy_kind {
    CL_PROXY_HTTP,    /* CONNECT, in clear up to the proxy */
    CL_PROXY_HTTPS,   /* CONNECT, inside TLS with the proxy */
    CL_PROXY_SOCKS5,  /* RFC 1928; names are looked up here */
    CL_PROXY_SOCKS5H, /* RFC 1928; names are looked up by the proxy */
};

struct cl_proxy {
    enum cl_proxy_kind kind;
    char host[256]; /* lower case, without a final dot; or an IP literal */
    uint16_t port;
    bool has_user;
    char user[CL_PROXY_MAX_CREDENTIAL + 1];
    char password[CL_PROXY_MAX_CREDENTIAL + 1];

    /* What the caller adds after parsing. */
    struct cleat_tls_config *tls; /* CL_PROXY_HTTPS: how to verify it; owned by the struct */
    bool insecure;                /* tls asks about the peer (CLEAT_DECIDE_PEER): any will do */
    struct cl_buf fields; /* lines "Name: value\r\n" that go with CONNECT; owned by the struct */
};

/* cl_proxy_parse reads "[SCHEME://][USER[:PASSWORD]@]HOST[:PORT]"; a path is ignored, the scheme is
 * http where none is given. CLEAT_ERR_UNSUPPORTED (a scheme of another protocol) or
 * CLEAT_ERR_BAD_URL; the detail in err has no credentials. *out is to be deinited whatever comes
 * back. */
CL_MUST cl_result cl_proxy_parse(const char *text, struct cl_proxy *out, struct cleat_error *err);

/* cl_proxy_set_user takes "USER[:PASSWORD]" as it is written, in place of what the URL has.
 * CLEAT_ERR_USAGE: too long, or with a byte that cannot be sent. */
CL_MUST cl_result cl_proxy_set_user(struct cl_proxy *p, const char *text, struct cleat_error *err);

/* cl_proxy_deinit wipes the credentials. */
void cl_proxy_deinit(struct cl_proxy *p);

/* cl_proxy_scheme: "http", "https", "socks5", "socks5h". */
const char *cl_proxy_scheme(const struct cl_proxy *p);

/* cl_proxy_is_exempt: the list (no_proxy, --noproxy) has this host, which is a name or an IP
 * literal without brackets. Commas or spaces separate; an entry is a name, for itself and all names
 * below it, with or without a dot in front; an address, or a range of them ("192.0.2.0/24"); or "*"
 * as the whole list, for every host. */
CL_RD_MUST bool cl_proxy_is_exempt(const char *list, const char *host);

#endif
