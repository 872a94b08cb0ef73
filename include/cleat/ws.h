/* cleat/ws.h - WebSocket (RFC 6455, 7692): connections that are fed with bytes, and the upgrade.
 *
 * No I/O and no clock: the application feeds what the transport brought to cleat_ws_step(), sends
 * what cleat_ws_output() shows, and passes the time along. Messages are handed out as views.
 *
 *     upgrade      the opening handshake, over the heads of cleat/http.h; keeps no state
 *     connection   one thread at a time
 *     pool         memory shared by the connections of one thread; a server of several threads has
 *                  one in each, every one with its share of the server's budget
 *
 * Functions returning int: CLEAT_OK (0), a positive value where one is named, or a negative code of
 * cleat/error.h.
 */
#ifndef CLEAT_WS_H
#define CLEAT_WS_H

#include "cleat/error.h"
#include "cleat/http.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cleat_ws;
struct cleat_ws_pool;

/* ---- close codes (RFC 6455 7.4) ---------------------------------------------------------------*/

enum cleat_ws_code {
    CLEAT_WS_NORMAL = 1000,
    CLEAT_WS_GOING_AWAY = 1001,
    CLEAT_WS_PROTOCOL_ERROR = 1002,
    CLEAT_WS_UNSUPPORTED_DATA = 1003,
    CLEAT_WS_NO_STATUS = 1005, /* never on the wire: a close frame without a code */
    CLEAT_WS_ABNORMAL = 1006,  /* never on the wire: the transport ended without a close frame */
    CLEAT_WS_INVALID_DATA = 1007,
    CLEAT_WS_POLICY_VIOLATION = 1008,
    CLEAT_WS_TOO_BIG = 1009,
    CLEAT_WS_MANDATORY_EXTENSION = 1010,
    CLEAT_WS_INTERNAL_ERROR = 1011,
    CLEAT_WS_SERVICE_RESTART = 1012,
    CLEAT_WS_TRY_AGAIN_LATER = 1013,
    CLEAT_WS_BAD_GATEWAY = 1014
};

/* cleat_ws_code_sentence says in words what a close code means; for the ranges 3000-3999 and
 * 4000-4999 whose they are. Static storage. */
const char *cleat_ws_code_sentence(uint16_t code);

/* cleat_ws_code_may_be_sent tells whether a close frame may carry the code: 1000-1003, 1007-1014,
 * 3000-4999. */
bool cleat_ws_code_may_be_sent(uint16_t code);

/* ---- permessage-deflate (RFC 7692) ------------------------------------------------------------*/

/* The four parameters: what a side wants before the upgrade, what was agreed after it. Window sizes
 * are 8 to 15, the power of two of a size in bytes. */
struct cleat_ws_deflate {
    bool on;
    bool server_no_context_takeover;
    bool client_no_context_takeover;
    uint8_t server_max_window_bits;
    uint8_t client_max_window_bits;
};

/* cleat_ws_deflate_init sets what a server should want (on, no context takeover in either direction
 * so that an idle connection keeps no memory, windows of 2^15), or a client (on, no demands). */
void cleat_ws_deflate_init(struct cleat_ws_deflate *d, bool is_server);

/* cleat_ws_pool_new makes a pool: the connections that are given it take compression states and
 * buffers from it, give them back when they need them no more, and together hold at most budget
 * bytes. One thread at a time, the one of its connections. It has one reference; each connection
 * holds another. CLEAT_ERR_NOMEM. */
int cleat_ws_pool_new(size_t budget, struct cleat_ws_pool **out);
struct cleat_ws_pool *cleat_ws_pool_ref(struct cleat_ws_pool *pool);
void cleat_ws_pool_free(struct cleat_ws_pool *pool);

/* cleat_ws_pool_used returns the bytes that are held now: by connections, and spare ones that wait
 * for the next (which are given up before the budget refuses anything). */
size_t cleat_ws_pool_used(const struct cleat_ws_pool *pool);

/* ---- connections ------------------------------------------------------------------------------*/

/* What happens to a message when cleat_ws_options.queue_limit is reached. */
enum cleat_ws_full {
    CLEAT_WS_FULL_BLOCK,       /* it is refused with CLEAT_ERR_WS_QUEUE_FULL: try again later */
    CLEAT_WS_FULL_DROP_OLDEST, /* messages not yet begun make room, counted in the statistics */
    CLEAT_WS_FULL_CLOSE        /* the connection fails with 1013 */
};

/* struct cleat_ws_frame is a frame header, told to cleat_ws_options.frame: of a received frame once
 * the header is complete (before it is judged, when it is wrong), of a sent one when it is queued.
 */
struct cleat_ws_frame {
    bool received;
    bool fin;
    bool masked;
    uint8_t rsv;     /* RSV1 = 4, RSV2 = 2, RSV3 = 1; RSV1: the message is compressed */
    uint8_t opcode;  /* 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong */
    uint64_t len;    /* of the payload, in bytes */
    uint64_t number; /* frames of that direction are counted from 1 */
};

/* How a connection behaves; copied by cleat_ws_*_new. cleat_ws_options_init sets what is in
 * brackets. Sizes in bytes, times in milliseconds; 0 means none for times and fragment_size. */
struct cleat_ws_options {
    uint64_t max_message;   /* [1 MiB] after decompression; UINT64_MAX: no limit (1009) */
    uint64_t max_frame;     /* [UINT64_MAX] payload of one frame (1009) */
    uint32_t max_fragments; /* [262,144] frames of one message (1008); 0: no limit */
    uint32_t max_control;   /* [1,000] control frames within a second without a message (1008) */
    uint32_t max_ratio;     /* [200] decompressed to compressed, for messages beyond 256 KiB (1009);
                               0: no limit */
    bool stream;            /* [false] hand out pieces as they come instead of whole messages */
    bool refuse_text;       /* [false] answer such a message with 1003 */
    bool refuse_binary;     /* [false] likewise */
    uint8_t deflate_level;  /* [1] of zlib, 1 to 9: what is compressed for one message only gains
                               little from more */
    uint32_t deflate_min;   /* [256] messages below this size are sent uncompressed */
    enum cleat_ws_full full;         /* [CLEAT_WS_FULL_BLOCK] */
    size_t queue_limit;              /* [64 KiB] of data frames that wait to be sent */
    size_t fragment_size;            /* [0] send longer messages in fragments of this size */
    uint32_t ping_interval;          /* [30,000] ping when nothing was received for so long */
    uint32_t pong_timeout;           /* [20,000] fail when nothing came for so long after a ping */
    uint32_t close_timeout;          /* [5,000] wait so long for the peer's close frame */
    struct cleat_ws_deflate deflate; /* [off] as agreed: cleat_ws_upgrade.deflate */
    struct cleat_ws_pool *pool;      /* [NULL] NULL: memory of its own, without a budget */
    int (*random)(void *ctx, uint8_t *out, size_t len); /* [libcrypto's] of masking keys; 0: done */
    void *random_ctx;
    void (*frame)(void *ctx, const struct cleat_ws_frame *frame); /* [NULL] told of each frame */
    void *frame_ctx;
};
void cleat_ws_options_init(struct cleat_ws_options *o);

/* cleat_ws_server_new and cleat_ws_client_new make one side of a connection whose upgrade is done.
 * One allocation, of some 600 bytes; an idle connection holds nothing else (unless compression with
 * context takeover was agreed). CLEAT_ERR_NOMEM, CLEAT_ERR_USAGE (window sizes outside 8 to 15).
 * cleat_ws_free also gives back what is queued; NULL is fine. */
int cleat_ws_server_new(const struct cleat_ws_options *o, struct cleat_ws **out);
int cleat_ws_client_new(const struct cleat_ws_options *o, struct cleat_ws **out);
void cleat_ws_free(struct cleat_ws *ws);

/* What a step works on. in/in_len: received bytes, which are unmasked in place. in_used: how many
 * of them are done with; the caller sets it to 0 for new bytes, and steps until all are consumed
 * without touching them in between. now: any clock that does not go back, in microseconds. data:
 * what the event carries; valid until the next step, and until in is touched. */
struct cleat_ws_io {
    uint8_t *in;
    size_t in_len;
    size_t in_used;
    uint64_t now;
    const uint8_t *data;
    size_t data_len;
    bool binary;   /* message: binary, else UTF-8 (a piece may end inside a character) */
    bool first;    /* message: this is its first piece */
    bool last;     /* message: this is its last piece; whole messages have both */
    uint16_t code; /* close: the peer's code, CLEAT_WS_NO_STATUS without one */
    uint64_t rtt;  /* pong: microseconds since the ping it answers, UINT64_MAX if it is not the
                      answer to the newest ping with a payload of its own */
};

enum cleat_ws_next {
    CLEAT_WS_NEEDS_INPUT, /* everything was consumed */
    CLEAT_WS_MESSAGE,     /* a message, or a piece of one */
    CLEAT_WS_PING,        /* data: its payload; the pong is already queued */
    CLEAT_WS_PONG,        /* data: its payload; rtt */
    CLEAT_WS_CLOSE,       /* told once: code, data is the reason; the answer is already queued.
                             Whatever comes behind it is consumed and ignored */
    CLEAT_WS_FAILED       /* cleat_ws_error says why; the close frame is queued */
};

/* cleat_ws_step goes on until there is something to tell. After every return look at
 * cleat_ws_output. Each rule is checked as early as the bytes allow: a bad header before its
 * payload, text at the first byte that cannot be UTF-8 (RFC 6455 5, 8.1). */
enum cleat_ws_next cleat_ws_step(struct cleat_ws *ws, struct cleat_ws_io *io);

/* cleat_ws_eof tells that the transport has ended. CLEAT_OK when the closing handshake was done,
 * else CLEAT_ERR_WS_UNCLEAN (1006): messages may be missing in either direction. After a failure,
 * that failure's code. */
int cleat_ws_eof(struct cleat_ws *ws);

/* cleat_ws_tick does what is due: queues a ping, fails the connection with CLEAT_ERR_WS_TIMEOUT
 * (returned once) for a missing pong or close frame. *out_next (may be NULL) gets when to call
 * again at the latest, on the same clock; UINT64_MAX: not before something else happens. */
int cleat_ws_tick(struct cleat_ws *ws, uint64_t now, uint64_t *out_next);

enum cleat_ws_state {
    CLEAT_WS_OPEN,
    CLEAT_WS_CLOSING, /* a close frame was sent or received, the other one is to come */
    CLEAT_WS_CLOSED,  /* both: once the output is empty the transport is to be closed, by the server
                         first (RFC 6455 7.1.1) */
    CLEAT_WS_BROKEN   /* failed, or ended unclean: send what there is and close the transport */
};
enum cleat_ws_state cleat_ws_state(const struct cleat_ws *ws);

/* cleat_ws_error fills *out with why the connection failed: which frame, which rule, values,
 * section, what to do; returns its code, CLEAT_OK when it has not. */
int cleat_ws_error(const struct cleat_ws *ws, struct cleat_error *out);

/* cleat_ws_failure_code returns the close code that stands for a failure: what the peer is told,
 * CLEAT_WS_ABNORMAL when it cannot be told anything; 0 when the connection has not failed. */
uint16_t cleat_ws_failure_code(const struct cleat_ws *ws);

/* ---- sending ----------------------------------------------------------------------------------*/

/* cleat_ws_send queues a message (copied; text must be UTF-8, which is checked). An empty queue
 * takes a message of any size. Returns
 *   CLEAT_OK
 *   CLEAT_WS_DROPPED         queued, and older ones were dropped (CLEAT_WS_FULL_DROP_OLDEST)
 *   CLEAT_ERR_WS_QUEUE_FULL  not queued (BLOCK, or the pool's budget is used up); or, with
 *                            CLOSE, the connection has failed
 *   CLEAT_ERR_CLOSED         after cleat_ws_close, a close frame or a failure
 *   CLEAT_ERR_WS_UTF8, CLEAT_ERR_NOMEM, CLEAT_ERR_RANDOM, CLEAT_ERR_CRYPTO (zlib)
 *   CLEAT_ERR_USAGE          a message begun with cleat_ws_send_piece has not ended */
#define CLEAT_WS_DROPPED 1
int cleat_ws_send(struct cleat_ws *ws, bool binary, const void *data, size_t len);

/* cleat_ws_send_piece queues a piece of a message as a fragment, as much of it as the queue takes:
 * *taken says how much. The message ends with the piece that is the last and wholly taken. Returns
 * as cleat_ws_send; a queue without room is CLEAT_ERR_WS_QUEUE_FULL with *taken 0, whatever
 * cleat_ws_options.full says, and nothing is ever dropped. */
int cleat_ws_send_piece(struct cleat_ws *ws, bool binary, const void *data, size_t len, bool last,
                        size_t *taken);

/* A message that is encoded once, for any number of a server's connections: their queues refer to
 * it. Immutable; any thread. */
struct cleat_ws_prepared;

/* cleat_ws_prepare encodes a message: as connections with these options would, compressed as well
 * when their deflate is on without server context takeover. It has one reference; each queue holds
 * another until it was sent. CLEAT_ERR_WS_UTF8, CLEAT_ERR_NOMEM, CLEAT_ERR_CRYPTO. */
int cleat_ws_prepare(const struct cleat_ws_options *o, bool binary, const void *data, size_t len,
                     struct cleat_ws_prepared **out);
struct cleat_ws_prepared *cleat_ws_prepared_ref(struct cleat_ws_prepared *m);
void cleat_ws_prepared_free(struct cleat_ws_prepared *m);

/* cleat_ws_prepared_size returns the size of its frame, uncompressed. */
size_t cleat_ws_prepared_size(const struct cleat_ws_prepared *m);

/* cleat_ws_send_prepared queues it. Returns as cleat_ws_send; CLEAT_ERR_USAGE also for a client,
 * whose frames have to be masked each on its own. */
int cleat_ws_send_prepared(struct cleat_ws *ws, struct cleat_ws_prepared *m);

/* cleat_ws_ping queues a ping; now: as cleat_ws_io.now. data: at most 125 bytes, or NULL for a
 * payload of its own that no other ping has. CLEAT_ERR_CLOSED, CLEAT_ERR_USAGE, CLEAT_ERR_NOMEM,
 * CLEAT_ERR_WS_QUEUE_FULL. */
int cleat_ws_ping(struct cleat_ws *ws, uint64_t now, const void *data, size_t len);

/* cleat_ws_close begins the closing handshake: what is queued is sent first, then a close frame.
 * code: cleat_ws_code_may_be_sent, or CLEAT_WS_NO_STATUS for none; reason: UTF-8, at most 123
 * bytes. CLEAT_ERR_CLOSED when closing already, CLEAT_ERR_USAGE (code, reason, inside a message of
 * cleat_ws_send_piece), CLEAT_ERR_NOMEM. */
int cleat_ws_close(struct cleat_ws *ws, uint64_t now, uint16_t code, const char *reason,
                   size_t reason_len);

/* cleat_ws_output shows bytes for the wire at *p and returns how many; 0: none. cleat_ws_sent tells
 * that the first n of them were taken; what is not taken may be shown differently next time,
 * because control frames overtake data between frames. The view is valid until any other call. */
size_t cleat_ws_output(struct cleat_ws *ws, const uint8_t **p);
void cleat_ws_sent(struct cleat_ws *ws, size_t n);

/* cleat_ws_queued returns the bytes of data frames that wait to be sent. */
size_t cleat_ws_queued(const struct cleat_ws *ws);

struct cleat_ws_stats {
    uint64_t frames_received, frames_sent; /* sent: queued */
    uint64_t messages_received, messages_sent;
    uint64_t messages_dropped; /* from the queue: by its policy, or by a failure */
    uint64_t pongs_skipped;    /* pings answered by a later pong only (RFC 6455 5.5.3) */
};
void cleat_ws_stats(const struct cleat_ws *ws, struct cleat_ws_stats *out);

/* ---- the upgrade, server (RFC 6455 4.2; RFC 8441) ---------------------------------------------*/

/* What a server accepts. {0} accepts no subprotocol, the same origin only, no compression. */
struct cleat_ws_accept {
    const char *const *subprotocols; /* by preference; the first that the client offers is chosen */
    size_t num_subprotocols;
    bool require_subprotocol;
    const char *const *origins; /* "https://example.com[:port]", "null"; "*": any. Beside the same
                                   origin: scheme, host and port of the request itself */
    size_t num_origins;
    bool require_origin; /* refuse clients that send none: those that are no browsers */
    bool secure;         /* the request came over TLS: its own origin is https */
    bool http2;          /* the head holds the fields of an extended CONNECT (RFC 8441 5) whose
                            pseudo-fields are checked already, :authority as Host */
    size_t behind;       /* bytes received behind the head: there must be none (RFC 6455 4.1) */
    struct cleat_ws_deflate deflate;
};

/* 192: permessage-deflate with all four parameters has 128 characters */
#define CLEAT_WS_MAX_EXTENSIONS 192

/* What was agreed. */
struct cleat_ws_upgrade {
    uint16_t status;               /* to answer: 101 (200 with http2), 400, 403, 405, 426 */
    char accept[29];               /* value of Sec-WebSocket-Accept; empty with http2 */
    const char *subprotocol;       /* one of the caller's strings, or NULL */
    struct cleat_http_view origin; /* as the client sent it, a view into the head; or absent */
    struct cleat_ws_deflate deflate;
    char extensions[CLEAT_WS_MAX_EXTENSIONS]; /* value of Sec-WebSocket-Extensions, or empty */
};

/* cleat_ws_wants_upgrade tells whether a request asks for WebSocket at all. */
bool cleat_ws_wants_upgrade(const struct cleat_http_head *request);

/* cleat_ws_upgrade_check judges a complete request. CLEAT_OK, or CLEAT_ERR_WS_HANDSHAKE,
 * CLEAT_ERR_WS_VERSION, CLEAT_ERR_WS_ORIGIN; err (may be NULL) names the header and what is wrong
 * with it, out->status is what to answer. The head's buffer must live as long as out->origin. */
int cleat_ws_upgrade_check(struct cleat_ws_upgrade *out, const struct cleat_http_head *request,
                           const struct cleat_ws_accept *policy, struct cleat_error *err);

/* cleat_ws_upgrade_write writes the answer, without a NUL: the head of a 101, or a refusal with
 * why's text as its body and "Connection: close". CLEAT_OK; CLEAT_ERR_LIMIT when cap is too small
 * (2,048 suffices); CLEAT_ERR_NOMEM; CLEAT_ERR_USAGE with http2, where out's fields are sent. */
int cleat_ws_upgrade_write(const struct cleat_ws_upgrade *u, const struct cleat_error *why,
                           char *out, size_t cap, size_t *out_len);

/* ---- the upgrade, client (RFC 6455 4.1) -------------------------------------------------------*/

struct cleat_ws_field {
    const char *name, *value;
};

/* What a client asks for. {0}: nothing beside the URL. */
struct cleat_ws_offer {
    const char *origin; /* or NULL */
    const char *const *subprotocols;
    size_t num_subprotocols;
    struct cleat_ws_deflate deflate;
    bool require_deflate; /* fail (RFC 6455 7.4.1: 1010) when the server declines it */
    const struct cleat_ws_field *fields; /* further ones; those of the handshake are refused */
    size_t num_fields;
    bool http2; /* for an extended CONNECT (RFC 8441): the request, still written as a GET of
                   HTTP/1.1, has no key and asks for no upgrade, and 200 is the answer */
    int (*random)(void *ctx, uint8_t *out, size_t len); /* NULL: libcrypto's */
    void *random_ctx;
};

/* 24 characters (16 bytes in base64) and a NUL */
#define CLEAT_WS_KEY_SIZE 25

/* cleat_ws_request_write writes the request for a URL, without a NUL, and its key, which the check
 * of the response needs. CLEAT_OK; CLEAT_ERR_LIMIT when cap is too small; CLEAT_ERR_NOMEM;
 * CLEAT_ERR_RANDOM; CLEAT_ERR_BAD_CONFIG (err names the field or subprotocol that is not valid). */
int cleat_ws_request_write(const struct cleat_ws_offer *offer, const struct cleat_http_url *url,
                           char key[CLEAT_WS_KEY_SIZE], char *out, size_t cap, size_t *out_len,
                           struct cleat_error *err);

/* cleat_ws_response_check judges a complete response. CLEAT_OK; CLEAT_ERR_HTTP_STATUS when it is no
 * 101; CLEAT_ERR_WS_VERSION for a 426 that names other versions; CLEAT_ERR_WS_HANDSHAKE: a header
 * is missing or wrong, or says what was not offered. */
int cleat_ws_response_check(struct cleat_ws_upgrade *out, const struct cleat_http_head *response,
                            const struct cleat_ws_offer *offer, const char *key,
                            struct cleat_error *err);

#ifdef __cplusplus
}
#endif
#endif
