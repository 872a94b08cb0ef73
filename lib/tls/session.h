/* tls/session.h - a client's session: what a ticket is worth, and under which conditions. */
#ifndef CL_TLS_SESSION_H
#define CL_TLS_SESSION_H

#include "base/buf.h"
#include "base/mem.h"
#include "cleat/tls.h"

/* 32: a digest over host, anchors, policy and ALPN list that a later connection must share */
#define CL_SESSION_BINDING_LEN 32

struct cleat_tls_session {
    int refs;                       /* atomic */
    struct cleat_tls_session *next; /* while it waits in its connection's list */
    uint16_t version;
    uint16_t suite;
    uint64_t received_ms;
    uint32_t lifetime; /* seconds */
    uint32_t age_add;
    uint32_t early_max;   /* bytes of early data that the ticket allows */
    struct cl_buf alpn;   /* the protocol that was agreed, or empty */
    struct cl_secret psk; /* TLS 1.2: the master secret */
    struct cl_buf ticket; /* or, in TLS 1.2, the ID of a session that the server keeps */
    uint8_t session_id[32];
    uint8_t session_id_len;
    struct cl_buf peer_leaf; /* the server's certificate, DER, or its raw public key */
    bool peer_is_raw;
    int64_t not_after; /* of that certificate, Unix seconds */
    uint8_t binding[CL_SESSION_BINDING_LEN];
};

/* cl_session_binding gives what a client connection to server_name under config binds to. */
struct cleat_tls_config;
void cl_session_binding(const struct cleat_tls_config *config, const char *server_name,
                        uint8_t out[CL_SESSION_BINDING_LEN]);

/* cl_session_alive says whether a session is within its lifetime, and its certificate's.
 * cl_session_once: it is for one connection (RFC 9846 C.4), as TLS 1.3's are. */
bool cl_session_alive(const struct cleat_tls_session *session, uint64_t now_ms);
bool cl_session_once(const struct cleat_tls_session *session);

/* cl_session_usable says whether a session may be offered now, under this binding. */
bool cl_session_usable(const struct cleat_tls_session *session, const uint8_t *binding,
                       uint64_t now_ms);

#endif
