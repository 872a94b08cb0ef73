/* serve/access.h - the line that a request leaves in the access log.
 *
 *     ADDRESS - - [TIME] "REQUEST LINE" STATUS BYTES "REFERER" "USER-AGENT" SECONDS VERSION CIPHER
 *     GROUP RESUMED ALPN SNI JA4 JA3 [CLIENT] [WEBSOCKET]
 *
 * RESUMED is full, resumed, or early: the request came as early data (0-RTT).
 *
 * The first nine columns are the "combined" format that log readers know; "-" stands for what there
 * is not. The third is the client's name, and CLIENT its "SUBJECT" "NAMES" SHA256 "ISSUER"
 * (serve/clients.h), where client certificates are asked for. A WebSocket leaves its line when it
 * ends: status 101, BYTES of messages sent, SECONDS that it was open, and at the end
 *
 *     ws CODE WHO "CODE IN WORDS" MESSAGES-IN BYTES-IN MESSAGES-OUT BYTES-OUT DROPPED
 *
 * where WHO has begun to close: client, server, or nobody (1006). Whatever comes from the peer is
 * quoted: '"', '\' and all bytes outside 0x20-0x7e become \xHH, so that a line stays a line and a
 * terminal obeys nobody. Pure: no clock, no I/O.
 */
#ifndef CL_SERVE_ACCESS_H
#define CL_SERVE_ACCESS_H

#include "base/buf.h"
#include "cleat/http.h"

/* 2 KiB, 512 bytes: what is kept of a request line, and of other fields, once escaped */
#define CL_ACCESS_MAX_REQUEST 2048
#define CL_ACCESS_MAX_FIELD   512

/* What is known when the request has come: kept until the response has gone, when the request's own
 * bytes are no more. {0} is empty; cl_access_deinit frees. */
struct cl_access_note {
    struct cl_buf request; /* escaped, without quotes */
    struct cl_buf agent;   /* "referer" "user-agent", quoted */
};

/* cl_access_note_head takes its parts from a complete head, which came by HTTP/1 or 2: major, and
 * whose request line is told as the one of HTTP/1.1; cl_access_note_text a request line that
 * could not be parsed. NOMEM leaves the note as it is: a log line is not worth a failure. */
void cl_access_note_head(struct cl_access_note *note, const struct cleat_http_head *head,
                         unsigned major);
void cl_access_note_text(struct cl_access_note *note, const void *p, size_t len);
void cl_access_deinit(struct cl_access_note *note);

struct cl_client_id;

/* How a WebSocket was used, and how it ended. */
struct cl_access_ws {
    uint16_t code;
    const char *who;      /* "client", "server", "nobody" */
    const char *sentence; /* what the code means */
    uint64_t messages_in, bytes_in;
    uint64_t messages_out, bytes_out;
    uint64_t messages_dropped;
};

struct cl_access {
    const char *address;
    int64_t time; /* Unix seconds */
    const struct cl_access_note *note;
    int status;
    uint64_t bytes; /* of the body */
    uint64_t us;    /* from the head's last byte to the response's last */
    const char *version;
    const char *cipher;
    const char *group;
    bool resumed;
    bool early;                        /* the request came as early data */
    const char *alpn;                  /* or NULL */
    const char *sni;                   /* or NULL */
    const char *ja4;                   /* or empty, or NULL */
    const char *ja3;                   /* or empty, or NULL */
    const struct cl_client_id *client; /* NULL: clients are not asked who they are */
    const struct cl_access_ws *ws;     /* NULL: a request */
};

/* cl_access_format writes the line with its newline and returns the length; cut when it is longer
 * than cap. */
size_t cl_access_format(const struct cl_access *a, char *out, size_t cap);

/* cl_access_escape appends text, escaped, at most max bytes of it afterwards. */
void cl_access_escape(struct cl_buf *out, const void *p, size_t len, size_t max);

#endif
