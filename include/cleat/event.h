/* cleat/event.h - what the engine tells about a connection, as it happens.
 *
 * One sink per configuration receives typed events; narration, JSON traces, key logs, metrics and
 * tests all read this one stream. Without a sink nothing is built and nothing costs. The sink runs
 * inside cleat_tls_step() or another call on the connection: it may look, it must not call back
 * into the connection. All pointers in an event are valid only during the call.
 */
#ifndef CLEAT_EVENT_H
#define CLEAT_EVENT_H

#include "cleat/error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cleat_tls;

enum cleat_event_kind {
    CLEAT_EVENT_MESSAGE,     /* a handshake message was sent or received */
    CLEAT_EVENT_ALERT,       /* an alert was sent or received */
    CLEAT_EVENT_CHOICE,      /* something was negotiated, and why so */
    CLEAT_EVENT_KEY,         /* a traffic key was put to use */
    CLEAT_EVENT_SECRET,      /* for a key log (RFC 9850); only with CLEAT_EVENTS_SECRETS */
    CLEAT_EVENT_TICKET,      /* a session ticket was issued, received, accepted or refused */
    CLEAT_EVENT_STATE,       /* the handshake moved to another state */
    CLEAT_EVENT_WARNING,     /* something was agreed that has a known weakness */
    CLEAT_EVENT_FINGERPRINT, /* of a ClientHello on the wire; where wanted (cleat/fingerprint.h) */
};

struct cleat_event {
    enum cleat_event_kind kind;
    bool sent; /* MESSAGE, ALERT, TICKET, FINGERPRINT: by us; KEY: for sending */
    union {
        struct {
            uint8_t type;         /* HandshakeType (RFC 9846 4) */
            const char *name;     /* "ClientHello" */
            const uint8_t *bytes; /* the whole message with its 4-byte header */
            size_t len;
        } message;
        struct {
            uint8_t level;
            uint8_t alert;
            const char *name;
        } alert;
        struct {
            const char *what;  /* "cipher suite", "group", "signature scheme", "certificate", … */
            const char *value; /* "TLS_AES_128_GCM_SHA256" */
            const char *why;   /* "first of ours that the client offers" */
        } choice;
        struct {
            const char *epoch; /* "early data", "handshake", "application" */
            const char *cipher;
        } key;
        struct {
            const char *label;            /* "CLIENT_HANDSHAKE_TRAFFIC_SECRET" */
            const uint8_t *client_random; /* 32 bytes */
            const uint8_t *secret;
            size_t secret_len;
        } secret;
        struct {
            uint32_t lifetime; /* seconds */
            const char *what;  /* "issued", "received", "accepted", "refused: …" */
        } ticket;
        struct {
            const char *name; /* "CL_HS_S13_WAIT_FINISHED" */
        } state;
        struct {
            const char *what; /* "RSA key exchange" */
            const char *text; /* "no forward secrecy: …" */
        } warning;
        struct {
            const char *ja3; /* NULL: this libcrypto has no MD5 */
            const char *ja4;
            const uint8_t *hello; /* the message, for other forms: cleat_fingerprint() */
            size_t hello_len;
        } fingerprint;
    };
};

/* A sink. ctx is the configuration's, user the connection's (cleat_tls_user). */
typedef void (*cleat_event_sink)(void *ctx, void *user, const struct cleat_event *event);

#ifdef __cplusplus
}
#endif
#endif
