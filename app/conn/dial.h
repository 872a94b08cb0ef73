/* conn/dial.h - from a host name to a secure stream: look up, race TCP connections (RFC 8305), TLS;
 * or to a proxy, through it to the host, and TLS.
 *
 * One call, one result. TLS is spoken with the first address that accepts; when TLS fails the
 * others are not tried, as the reason would be lost. Everything runs on the hub's loop and thread.
 */
#ifndef CL_CONN_DIAL_H
#define CL_CONN_DIAL_H

#include "conn/proxy.h"
#include "conn/stream.h"
#include "conn/trace.h"
#include "dns/resolve.h"

/* 300 s: what curl grants DNS, TCP and TLS together unless told otherwise */
#define CL_DIAL_DEFAULT_MS 300000

enum cl_dial_stage {
    CL_DIAL_DNS,
    CL_DIAL_TCP,
    CL_DIAL_PROXY_TLS, /* TLS with an https proxy */
    CL_DIAL_PROXY,     /* CONNECT, or SOCKS */
    CL_DIAL_TLS,
    CL_DIAL_DONE,
};

/* cl_dial_stage_name: "dns", "tcp", "proxy", "tls", "done"; for traces. */
const char *cl_dial_stage_name(enum cl_dial_stage stage);

/* cl_clock_mono_us() at the end of each stage; 0: not reached. */
struct cl_dial_times {
    uint64_t start, dns, tcp, proxy, tls; /* tls: 0 in clear, too; proxy: 0 without one */
};

struct cl_dial_result {
    enum cl_dial_stage stage; /* DONE, or where it failed */
    bool timed_out;
    struct cleat_error error; /* code 0 when DONE */
    struct cl_stream *stream; /* DONE: established, the callee's from now on */
    struct cl_dial_times times;
    struct cl_addr peer; /* when tcp was reached; the proxy's, with one */
    struct cl_addr local;
    unsigned num_attempts;        /* TCP connections begun */
    const struct cl_proxy *proxy; /* the spec's */
    unsigned proxy_status;        /* its answer to CONNECT; 0: none */
    bool early_sent;              /* DONE: the spec's early bytes went out as early data */
    bool early_taken;             /* and the server took them: they must not be sent again */
    /* The TLS connection, when it was begun; valid during the callback even on failure. */
    const struct cleat_tls *tls;
};

struct cl_dial_spec {
    struct cl_hub *hub;
    struct cl_dns *dns;
    struct cl_trace *trace;     /* or NULL */
    struct cl_capture *capture; /* or NULL */
    /* Through whom, or NULL; outlives the dial. It is looked up then, and not the host. */
    const struct cl_proxy *proxy;
    const char *host; /* where to connect: IP literal, or name in A-labels; copied */
    uint16_t port;
    int family;          /* AF_UNSPEC, AF_INET, AF_INET6 */
    uint32_t timeout_ms; /* for everything together; 0: CL_DIAL_DEFAULT_MS */
    bool public_only;    /* addresses that are not (cl_addr_is_public) are as if not there; the
                          * proxy's own may be any */

    struct cleat_tls_config *tls;      /* a reference is kept while it is needed; NULL: in clear */
    const char *server_name;           /* whom to verify; copied */
    struct cleat_tls_session *session; /* or NULL */
    struct cl_recorder *recorder;      /* or NULL: nothing is recorded; outlives the connection */
    struct cl_rd ech; /* ECHConfigList to be offered, or empty; the caller's until `done` */
    /* What to send as early data when the session allows that much; the caller's until `done`. */
    struct cl_rd early;

    /* Who gets the stream's callbacks once it is established. */
    const struct cl_stream_handler *handler;
    void *ctx;
    /* Called once, from the loop, never from inside cl_dial. */
    void (*done)(void *ctx, const struct cl_dial_result *result);
    /* Answers CLEAT_DECIDE_PEER at once, on tls; NULL: such questions are refused. */
    void (*decide)(void *ctx, struct cleat_tls *tls);
    /* Answers CLEAT_DECIDE_EVIDENCE on tls, at once or later, and then calls cl_dial_decided. When
     * done is called before that, tls is gone. NULL: nothing is supplied. */
    void (*evidence)(void *ctx, struct cleat_tls *tls);
};

struct cl_dial;

/* cl_dial starts. *out is valid until done is called. NOMEM, CLEAT_ERR_USAGE (names that are not
 * valid). */
CL_MUST cl_result cl_dial(const struct cl_dial_spec *spec, struct cl_dial **out);

/* cl_dial_doing says what it is at: "connecting", for instance. Static storage. */
const char *cl_dial_doing(const struct cl_dial *d);

/* cl_dial_decided tells that `evidence` has answered. */
void cl_dial_decided(struct cl_dial *d);

/* cl_dial_peer_is_public: the server may be anywhere on the internet, as far as its address tells;
 * behind a proxy it may. Valid once TLS has begun. */
bool cl_dial_peer_is_public(const struct cl_dial *d);

/* cl_dial_cancel ends it without a result: done is not called. NULL is fine. */
void cl_dial_cancel(struct cl_dial *d);

#endif
