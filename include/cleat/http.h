/* cleat/http.h - URLs and the HTTP/1.1 codec (RFC 3986, 9110, 9112), without I/O.
 *
 * Everything is incremental and allocates nothing: the caller owns the structs (plain data, any
 * storage, nothing to free) and the buffers; results are views into the caller's buffer. One struct
 * is used by one thread at a time.
 *
 * The codec is strict. What two HTTP parsers could read in two ways (both lengths, bare CR or LF,
 * folded lines, spaces before a colon, chunk extensions, ...) is refused, never repaired.
 */
#ifndef CLEAT_HTTP_H
#define CLEAT_HTTP_H

#include "cleat/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* struct cleat_http_view is len bytes at p that somebody else owns; not NUL-terminated. An absent
 * text has p == NULL; an empty one has len == 0 only. */
struct cleat_http_view {
    const char *p;
    size_t len;
};

/* What the incremental functions return beside the negative codes of cleat/error.h. */
enum cleat_http_progress {
    CLEAT_HTTP_COMPLETE = 0, /* the head, or the body, is complete */
    CLEAT_HTTP_MORE = 1,     /* more bytes are needed */
    CLEAT_HTTP_DATA = 2,     /* body only: here is some of it; call again with what follows */
    CLEAT_HTTP_TRAILER = 3   /* body only, with tell_trailers: likewise of the trailer section */
};

/* ---- Limits ---------------------------------------------------------------------------------- */

/* 100: browsers send at most ~40 fields; twice that and some */
#define CLEAT_HTTP_MAX_FIELDS         100
/* 16 KiB: what browsers with many cookies stay below; what the common servers grant */
#define CLEAT_HTTP_MAX_REQUEST_HEAD   16384
/* 32 KiB: responses carry long policies (CSP) and several cookies */
#define CLEAT_HTTP_MAX_RESPONSE_HEAD  32768
/* 8 KiB: RFC 9110 4.1 asks for at least 8000 bytes */
#define CLEAT_HTTP_MAX_TARGET         8192
/* 64: the longest registered method has 17 letters */
#define CLEAT_HTTP_MAX_METHOD         64
/* 4 KiB, 20 fields: trailers carry a checksum or a signature */
#define CLEAT_HTTP_MAX_TRAILERS       4096
#define CLEAT_HTTP_MAX_TRAILER_FIELDS 20
/* 8 KiB: as the target */
#define CLEAT_HTTP_MAX_URL            8192

/* ---- URLs (RFC 3986) --------------------------------------------------------------------------*/

/* struct cleat_http_url is a URL taken apart; views into the text that was parsed. */
struct cleat_http_url {
    struct cleat_http_view scheme;   /* as written; compare secure and websocket instead */
    struct cleat_http_view userinfo; /* without '@', still percent-encoded; absent: p == NULL */
    struct cleat_http_view host;     /* as written, an IPv6 literal without its brackets */
    struct cleat_http_view path;     /* begins with '/'; "/" when the URL has none */
    struct cleat_http_view query;    /* without '?'; absent: p == NULL */
    uint16_t port;                   /* 80 or 443 when not written */
    bool has_port;                   /* the port was written */
    bool secure;                     /* https, wss */
    bool websocket;                  /* ws, wss */
    bool is_ipv4;                    /* host is a dotted quad */
    bool is_ipv6;                    /* host is an IPv6 literal */
    bool is_idn;                     /* host has bytes above 0x7f: convert it (IDNA) before use */
};

/* cleat_http_url_parse takes apart an absolute http, https, ws or wss URL of len bytes (RFC 3986 3,
 * RFC 9110 4.2, RFC 6455 3). A fragment is dropped. Nothing is normalised. Bytes above 0x7f are
 * accepted in host (is_idn), path and query; control bytes, spaces and <>"\^`{|} in the path are
 * not. Numeric hosts that are no dotted quad ("127.1", "0x7f000001") are refused. The views of *out
 * live as long as text. Returns CLEAT_OK or CLEAT_ERR_BAD_URL; err (may be NULL) gets the detail.
 */
int cleat_http_url_parse(struct cleat_http_url *out, const char *text, size_t len,
                         struct cleat_error *err);

/* cleat_http_url_target writes the request target of a URL (origin-form, RFC 9112 3.2.1) to out,
 * without a NUL: path and query, bytes above 0x7f percent-encoded (RFC 3987 3.1). *out_len gets its
 * length. Returns CLEAT_OK, or CLEAT_ERR_LIMIT when cap is too small (3 * CLEAT_HTTP_MAX_URL always
 * suffices). */
int cleat_http_url_target(const struct cleat_http_url *url, char *out, size_t cap, size_t *out_len);

/* cleat_http_url_authority writes the value of the Host field (RFC 9110 7.2): host, in brackets
 * when it is an IPv6 literal, and the port unless it is the scheme's own. Returns as
 * cleat_http_url_target. */
int cleat_http_url_authority(const struct cleat_http_url *url, char *out, size_t cap,
                             size_t *out_len);

/* cleat_http_url_resolve resolves a reference (the Location of a redirect) against base (RFC 3986
 * 5.2 and 5.3, strict) and writes the absolute URL, without fragment and without a NUL, to out; it
 * still has to be parsed. Returns CLEAT_OK, CLEAT_ERR_BAD_URL, or CLEAT_ERR_LIMIT when cap is too
 * small (2 * CLEAT_HTTP_MAX_URL always suffices). */
int cleat_http_url_resolve(const struct cleat_http_url *base, const char *ref, size_t ref_len,
                           char *out, size_t cap, size_t *out_len, struct cleat_error *err);

/* cleat_http_path_decode percent-decodes a path (RFC 3986 2.1) into out, without a NUL; out may be
 * the path's own memory. '+' stays '+'; "." and ".." segments stay. Refuses bad escapes, %00, and
 * %2F (an encoded slash changes which segments there are). Returns CLEAT_OK, CLEAT_ERR_BAD_URL,
 * CLEAT_ERR_LIMIT when cap is too small (path.len suffices). */
int cleat_http_path_decode(struct cleat_http_view path, char *out, size_t cap, size_t *out_len);

/* ---- Heads: request line or status line, and fields (RFC 9112 2-6) ----------------------------*/

/* A piece of the head: offset and length in the buffer. */
struct cleat_http_span {
    uint16_t at;
    uint16_t len;
};

enum cleat_http_framing {
    CLEAT_HTTP_NO_BODY,     /* nothing follows the head */
    CLEAT_HTTP_LENGTH,      /* content_length bytes follow (may be 0) */
    CLEAT_HTTP_CHUNKED,     /* Transfer-Encoding: chunked */
    CLEAT_HTTP_UNTIL_CLOSE, /* responses only: the body ends with the connection */
    CLEAT_HTTP_SWITCHED     /* what follows is another protocol: 101, or 2xx to CONNECT */
};

enum cleat_http_target_form {
    CLEAT_HTTP_ORIGIN_FORM,    /* "/path?query" */
    CLEAT_HTTP_ABSOLUTE_FORM,  /* "http://host/path" */
    CLEAT_HTTP_AUTHORITY_FORM, /* "host:port", CONNECT only */
    CLEAT_HTTP_ASTERISK_FORM   /* "*", OPTIONS only */
};

enum cleat_http_expect {
    CLEAT_HTTP_EXPECT_NOTHING,
    CLEAT_HTTP_EXPECT_CONTINUE, /* send "100 Continue" before reading the body */
    CLEAT_HTTP_EXPECT_UNKNOWN   /* answer 417 */
};

/* struct cleat_http_head is a head being parsed, and the result. About 900 bytes; caller's storage.
 * The members up to "result" may be changed between init and the first feed; those below are valid
 * after cleat_http_head_feed returned CLEAT_HTTP_COMPLETE, reply_status after a failure too. */
struct cleat_http_head {
    uint16_t max_head;  /* limit in bytes */
    uint8_t max_fields; /* limit, at most CLEAT_HTTP_MAX_FIELDS */
    bool is_response;
    bool to_head;    /* response: to a HEAD request, so without a body */
    bool to_connect; /* response: to a CONNECT request */

    /* result */
    const char *base; /* the caller's buffer; set it anew when the buffer has moved */
    size_t len;       /* bytes of the head with its empty line; the body follows */
    uint16_t status;  /* response: 100-999 */
    uint16_t
        reply_status; /* request refused: what a server should answer, 400, 414, 431, 501, 505 */
    uint8_t minor;    /* HTTP/1.minor: 0 or 1 */
    uint8_t form;     /* request: enum cleat_http_target_form */
    uint8_t framing;  /* enum cleat_http_framing */
    uint8_t expect;   /* request: enum cleat_http_expect */
    bool keep_alive;  /* the connection may carry another message after this one (RFC 9112 9.3) */
    bool early;       /* request: set by whoever received it, when it came as TLS early data: it may
                         be a replay, and is passed on with "Early-Data: 1" (RFC 8470 5.1) */
    bool upgrade;     /* Connection: upgrade with an Upgrade field, HTTP/1.1 (RFC 9110 7.8) */
    uint64_t content_length; /* with CLEAT_HTTP_LENGTH; with CLEAT_HTTP_NO_BODY what the field says,
                                0 without it; else 0 */
    struct cleat_http_span method, target, reason;
    struct cleat_http_span authority; /* request: of the absolute-form target, else of Host; len 0:
                                         HTTP/1.0 without Host */
    struct cleat_http_span path;      /* request: path of the target; len 0: there is none */
    struct cleat_http_span query;     /* request: query without '?'; at 0: there is none */
    uint8_t num_fields;
    struct {
        struct cleat_http_span name, value;
    } fields[CLEAT_HTTP_MAX_FIELDS]; /* in their order; values without surrounding white space */

    /* the parser's own */
    uint16_t scanned, line_at;
    uint8_t state;
};

/* cleat_http_request_init and cleat_http_response_init prepare for the next head. request_method is
 * the method of the request that is answered (it decides whether a body follows). Cheap: the array
 * of fields is not touched. */
void cleat_http_request_init(struct cleat_http_head *h);
void cleat_http_response_init(struct cleat_http_head *h, struct cleat_http_view request_method);

/* cleat_http_head_feed looks at the len bytes that have arrived so far; buf is the first byte of
 * the message in every call, and may be elsewhere from call to call. Bytes looked at before are not
 * looked at again. Returns
 *   CLEAT_HTTP_COMPLETE       the head is complete, h->len bytes long; what follows is the body or
 *                             the next message
 *   CLEAT_HTTP_MORE           call again with more
 *   CLEAT_ERR_HTTP_SYNTAX     not HTTP (400)
 *   CLEAT_ERR_HTTP_AMBIGUOUS  two parsers could disagree where the message ends (400)
 *   CLEAT_ERR_HTTP_TOO_LARGE  target (414), head or number of fields (431) beyond the limits
 *   CLEAT_ERR_HTTP_VERSION    neither HTTP/1.1 nor HTTP/1.0 (505)
 *   CLEAT_ERR_UNSUPPORTED     a transfer coding other than chunked (501)
 * After a failure only init may follow, and the connection must be closed. err may be NULL. */
int cleat_http_head_feed(struct cleat_http_head *h, const void *buf, size_t len,
                         struct cleat_error *err);

/* cleat_http_head_eof tells that the connection ended after len bytes of an incomplete head, all of
 * them fed. Returns CLEAT_OK when nothing but empty lines had arrived, else
 * CLEAT_ERR_HTTP_TRUNCATED. */
int cleat_http_head_eof(const struct cleat_http_head *h, size_t len, struct cleat_error *err);

/* cleat_http_text gives a span of a complete head as a view. */
static inline struct cleat_http_view cleat_http_text(const struct cleat_http_head *h,
                                                     struct cleat_http_span s)
{
    struct cleat_http_view v = {h->base + s.at, s.len};
    return v;
}

/* cleat_http_is tells whether a view is exactly this text (bytes, case matters). */
bool cleat_http_is(struct cleat_http_view v, const char *text);

/* cleat_http_find returns the value of the first field of that name (any case), from field number
 * *from on when from is not NULL; *from is then the number behind it. p == NULL: there is none. */
struct cleat_http_view cleat_http_find(const struct cleat_http_head *h, const char *name,
                                       size_t *from);

/* cleat_http_count returns how many field lines have that name. */
size_t cleat_http_count(const struct cleat_http_head *h, const char *name);

/* cleat_http_list_next takes the next element of a comma-separated list (RFC 9110 5.6.1): *rest
 * shrinks, *out is the element without white space; empty elements are skipped, commas in quoted
 * strings do not separate. false: no element is left. */
bool cleat_http_list_next(struct cleat_http_view *rest, struct cleat_http_view *out);

/* cleat_http_has_token tells whether one of the (possibly several) fields of that name lists the
 * token, ignoring case and parameters behind ';'. */
bool cleat_http_has_token(const struct cleat_http_head *h, const char *name, const char *token);

/* ---- Bodies (RFC 9112 6, 7) -------------------------------------------------------------------*/

/* struct cleat_http_body decodes one message's body. 40 bytes or so; caller's storage. */
struct cleat_http_body {
    uint64_t left;        /* of the body or of the chunk */
    uint64_t total;       /* content bytes given out so far */
    uint64_t max;         /* limit for total */
    uint16_t trailer_len; /* the rest is the decoder's own */
    uint8_t num_trailers;
    uint8_t num_digits;
    uint8_t framing;
    uint8_t state;
    uint8_t candidates, name_len;
    bool tell_trailers; /* [false] set it behind init to be given trailers */
};

/* cleat_http_body_init prepares for the body that follows a complete head. max: content bytes that
 * are accepted, UINT64_MAX for no limit. Returns CLEAT_OK, or CLEAT_ERR_HTTP_TOO_LARGE when the
 * announced length is beyond max (a server answers 413). */
int cleat_http_body_init(struct cleat_http_body *b, const struct cleat_http_head *h, uint64_t max,
                         struct cleat_error *err);

/* cleat_http_body_feed decodes from the len bytes at buf. *out_used gets how many of them it
 * consumed: drop those, keep the others for the next call. Returns
 *   CLEAT_HTTP_DATA           *out is content (at least one byte, a view into buf); call again,
 *                             also when no bytes are left: the body may be complete
 *   CLEAT_HTTP_TRAILER        *out is a piece of the trailer section as it came, when there is any
 *                             trailer and tell_trailers is set: put the pieces together for
 *                             cleat_http_trailers_parse, and call again likewise
 *   CLEAT_HTTP_MORE           everything was consumed; more is needed
 *   CLEAT_HTTP_COMPLETE       the body has ended; bytes that are not consumed belong to the next
 *                             message
 *   CLEAT_ERR_HTTP_SYNTAX     a bad chunk or trailer (400)
 *   CLEAT_ERR_HTTP_AMBIGUOUS  a chunk extension, a bare CR or LF, a trailer with a name that frames
 *                             or routes a message (Content-Length, Host, ...) (400)
 *   CLEAT_ERR_HTTP_TOO_LARGE  content beyond max (413), or trailers beyond their limit (431)
 * After a failure the connection must be closed. Trailers are checked, and dropped unless they are
 * asked for. */
int cleat_http_body_feed(struct cleat_http_body *b, const void *buf, size_t len, size_t *out_used,
                         struct cleat_http_view *out, struct cleat_error *err);

/* cleat_http_trailers_parse makes a head (status 0) of a complete trailer section: its fields are
 * the trailers, views into text. Returns CLEAT_OK, or CLEAT_ERR_HTTP_SYNTAX, _AMBIGUOUS, _TOO_LARGE
 * (400, 431): malformed, too many, or one that must be no trailer, because it would frame, route or
 * authenticate the message, or say how to read its content (RFC 9110 6.5.1). */
int cleat_http_trailers_parse(struct cleat_http_head *h, const void *text, size_t len,
                              struct cleat_error *err);

/* cleat_http_body_eof tells that the connection has ended; clean: in an orderly way (TLS
 * close_notify; for plain TCP a FIN). Returns CLEAT_OK when the body is complete, or ends with the
 * connection and it was clean; else CLEAT_ERR_HTTP_TRUNCATED. */
int cleat_http_body_eof(struct cleat_http_body *b, bool clean, struct cleat_error *err);

/* cleat_http_reply_status maps a code that one of the functions above returned to the status that a
 * server should answer when there is no head to ask (reply_status): 400, 413, 501, 505; 500 for a
 * code that is not the client's fault. */
int cleat_http_reply_status(int code);

/* cleat_http_reason returns the reason phrase of a status (RFC 9110 15), "Not Found"; "" when it is
 * not registered. Static storage. */
const char *cleat_http_reason(int status);

#ifdef __cplusplus
}
#endif
#endif
