/* cli/ws_session.h - one connection of `cleat ws`: dial and upgrade (ws_connect.c), then messages
 * from where the options say, and events to where they say (ws_session.c, ws_source.c).
 */
#ifndef CL_CLI_WS_SESSION_H
#define CL_CLI_WS_SESSION_H

#include "cli/client_route.h"
#include "cli/ws_events.h"
#include "cli/ws_input.h"
#include "cli/ws_options.h"
#include "cli/ws_output.h"
#include "cli/ws_replay.h"
#include "conn/h2_carried.h"
#include "conn/ws_stream.h"

enum ws_exit {
    WS_EXIT_OK = 0,
    WS_EXIT_CLOSED = 1, /* closed for another reason than 1000, or not at all */
    WS_EXIT_USAGE = 2,
    WS_EXIT_CONNECT = 3,
    WS_EXIT_PROTOCOL = 4,
};

/* 123 bytes and a NUL: what a close frame carries (RFC 6455 5.5.1) */
#define WS_REASON_SIZE 124

struct ws_session {
    const struct ws_options *options;
    struct client client;
    struct client_target target;
    bool interactive; /* somebody types at a terminal, and reads there */

    /* before it is open */
    struct client_route route;
    struct cl_dial *dial;
    bool older; /* the server has HTTP/2, but no WebSocket over it: HTTP/1.1 alone is offered */
    struct cl_stream *stream; /* while the upgrade is under way */
    struct cl_h2_carried *h2; /* likewise, over HTTP/2 */
    struct cl_timer *h2_timer;
    struct cleat_ws_field *fields;
    size_t num_fields;
    struct cleat_ws_offer offer;
    char key[CLEAT_WS_KEY_SIZE];
    struct cl_buf request;
    size_t request_sent;
    struct cl_buf response;
    struct cleat_http_head head;
    unsigned num_interim;
    struct cleat_ws_upgrade upgrade;

    /* from then on */
    bool open; /* ws is */
    struct cl_ws_stream ws;
    struct ws_input input;
    struct ws_output output;
    struct ws_events events;
    struct ws_replay replay;
    struct cl_timer *timer; /* of the source: --wait, --replay */
    size_t next_message;    /* of -x */
    uint64_t num_sent, num_received;
    struct cl_buf echo; /* --echo: the message that the queue had no room for */
    bool has_echo, echo_binary;
    bool waits_for_silence; /* the input has ended: --wait runs */
    bool source_ended, closing_by_us;
    char reason[WS_REASON_SIZE]; /* of the server's close frame */
    uv_signal_t signals[2];
    bool has_signals;
    unsigned num_interrupts;

    /* the end */
    bool over;
    int exit_code;
    const char *stage; /* "connect", "upgrade", "messages" */
    struct cleat_error err;
    uint16_t close_code;
    bool clean;
};

/* ws_session_run does everything; returns the exit code. s->err has the detail of a failure. */
int ws_session_run(struct ws_session *s, const struct ws_options *o);
void ws_session_deinit(struct ws_session *s);

/* ---- among the three files ---- */

/* ws_session_fail ends it before it was open, or remembers why it has to end; the first failure
 * wins. s->err may hold the detail already (code is not 0): then why and text are not needed. */
void ws_session_fail(struct ws_session *s, int exit_code, const char *stage, struct cl_why why,
                     const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* ws_connect_h2 upgrades over HTTP/2 on a stream where that was agreed (ws_h2.c); ws_connect_again
 * dials once more. ws_connect_request writes the request. */
void ws_connect_h2(struct ws_session *s, struct cl_stream *stream);
void ws_connect_h2_cancel(struct ws_session *s);
bool ws_connect_request(struct ws_session *s, bool http2);

/* ws_connect_start dials; ws_session_opened is called when the upgrade is done, or ws_session_fail.
 * ws_connect_cancel gives it up. */
void ws_connect_start(struct ws_session *s);
void ws_connect_again(struct ws_session *s);
void ws_connect_cancel(struct ws_session *s);
int ws_session_opened(struct ws_session *s);

/* ws_session_send sends a message of ours. */
enum ws_sent {
    WS_SENT,
    WS_SENT_LATER, /* there is no room: ws_source_go is called when there is */
    WS_SENT_NEVER, /* the connection is closing, or this is not to be sent */
};
enum ws_sent ws_session_send(struct ws_session *s, bool binary, const uint8_t *p, size_t len);

/* ws_session_close begins the closing handshake with 1000, unless it has begun. */
void ws_session_close(struct ws_session *s);

/* The source of messages: standard input, -x, --replay or --echo. ws_source_go sends what there is;
 * ws_source_received is told of each message; ws_source_stop ends it: the two do nothing then. */
void ws_source_start(struct ws_session *s);
void ws_source_go(struct ws_session *s);
void ws_source_received(struct ws_session *s, bool binary, const uint8_t *p, size_t len);
void ws_source_stop(struct ws_session *s);

#endif
