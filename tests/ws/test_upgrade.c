/* tests/ws/test_upgrade.c - the opening handshake of both sides: what is agreed, what is refused
 * and with which words, extensions, subprotocols, origins; smuggling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support_ws.h"

#include <stdio.h>

#define LINE    "GET /chat HTTP/1.1\r\n"
#define HOST    "Host: example.com\r\n"
#define UPGRADE "Upgrade: websocket\r\n"
#define CONN    "Connection: Upgrade\r\n"
#define KEY     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define BASE    LINE HOST UPGRADE CONN KEY VERSION
#define ACCEPT  "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static void parse(struct cleat_http_head *head, const char *text, bool is_response)
{
    static const struct cleat_http_view get = {"GET", 3};
    struct cleat_error err = {0};
    if (is_response) {
        cleat_http_response_init(head, get);
    } else {
        cleat_http_request_init(head);
    }
    if (cleat_http_head_feed(head, text, strlen(text), &err) != CLEAT_HTTP_COMPLETE) {
        fail_msg("not a head: %s", err.text);
    }
}

static int check(struct cleat_ws_upgrade *out, const char *text,
                 const struct cleat_ws_accept *policy, struct cleat_error *err)
{
    static struct cleat_http_head head;
    static const struct cleat_ws_accept none = {0};
    parse(&head, text, false);
    *err = (struct cleat_error){0};
    return cleat_ws_upgrade_check(out, &head, policy != NULL ? policy : &none, err);
}

static void test_the_example_of_the_rfc_is_accepted(void **state)
{
    static const char *const protocols[] = {"superchat", "chat"};
    const struct cleat_ws_accept policy = {.subprotocols = protocols,
                                           .num_subprotocols = 2,
                                           .origins = (const char *const[]){"http://example.com"},
                                           .num_origins = 1};
    struct cleat_ws_upgrade u;
    struct cleat_error err;
    char out[1024];
    size_t len;
    const char *text =
        LINE "Host: server.example.com\r\n" UPGRADE CONN KEY "Origin: http://example.com\r\n"
             "Sec-WebSocket-Protocol: chat, superchat\r\n" VERSION "\r\n";
    assert_int_equal(check(&u, text, &policy, &err), CLEAT_OK);
    assert_int_equal(u.status, 101);
    assert_string_equal(u.accept, ACCEPT);
    assert_string_equal(u.subprotocol, "superchat");
    assert_true(cleat_http_is(u.origin, "http://example.com"));
    assert_false(u.deflate.on);
    assert_int_equal(cleat_ws_upgrade_write(&u, NULL, out, sizeof(out), &len), CLEAT_OK);
    out[len] = '\0';
    assert_string_equal(out, "HTTP/1.1 101 Switching Protocols\r\n" UPGRADE CONN
                             "Sec-WebSocket-Accept: " ACCEPT "\r\n"
                             "Sec-WebSocket-Protocol: superchat\r\n\r\n");
    assert_int_equal(cleat_ws_upgrade_write(&u, NULL, out, 50, &len), CLEAT_ERR_LIMIT);
}

static const struct {
    const char *name;
    const char *text;
    int status;
    const char *says; /* what the error begins with */
} refused_rows[] = {
    {"POST", "POST / HTTP/1.1\r\n" HOST UPGRADE CONN KEY VERSION, 405, "the method is POST"},
    {"HTTP/1.0", "GET / HTTP/1.0\r\n" HOST UPGRADE CONN KEY VERSION, 400, "HTTP/1.0"},
    {"no Upgrade", LINE HOST CONN KEY VERSION, 400, "Upgrade: the header is missing"},
    {"another Upgrade", LINE HOST "Upgrade: h2c\r\n" CONN KEY VERSION, 400,
     "Upgrade: it does not list \"websocket\""},
    {"no Connection", LINE HOST UPGRADE KEY VERSION, 400, "Connection: the header is missing"},
    {"another Connection", LINE HOST UPGRADE "Connection: keep-alive\r\n" KEY VERSION, 400,
     "Connection: it does not list \"Upgrade\""},
    {"no key", LINE HOST UPGRADE CONN VERSION, 400, "Sec-WebSocket-Key: the header is missing"},
    {"two keys", BASE KEY, 400, "Sec-WebSocket-Key: more than one"},
    {"a short key", LINE HOST UPGRADE CONN VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n", 400,
     "Sec-WebSocket-Key: \"dGhlIHNhbXBsZQ==\" is not"},
    {"a key of 17 bytes",
     LINE HOST UPGRADE CONN VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZTE=\r\n", 400,
     "Sec-WebSocket-Key: "},
    {"a key that is no base64",
     LINE HOST UPGRADE CONN VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=!\r\n", 400,
     "Sec-WebSocket-Key: "},
    {"an empty key", LINE HOST UPGRADE CONN VERSION "Sec-WebSocket-Key:\r\n", 400,
     "Sec-WebSocket-Key: "},
    {"no version", LINE HOST UPGRADE CONN KEY, 400, "Sec-WebSocket-Version: the header is missing"},
    {"version 8", LINE HOST UPGRADE CONN KEY "Sec-WebSocket-Version: 8\r\n", 426,
     "Sec-WebSocket-Version: \"8\"; only 13"},
    {"versions 13, 8", LINE HOST UPGRADE CONN KEY "Sec-WebSocket-Version: 13, 8\r\n", 426,
     "Sec-WebSocket-Version: "},
    {"two versions", BASE VERSION, 400, "Sec-WebSocket-Version: more than one"},
    {"a body", BASE "Content-Length: 5\r\n", 400, "Content-Length: a request for an upgrade"},
    {"a chunked body", BASE "Transfer-Encoding: chunked\r\n", 400, "Transfer-Encoding: "},
    {"another origin", BASE "Origin: http://evil.example\r\n", 403,
     "Origin: \"http://evil.example\" may not connect to \"example.com\""},
    {"an origin that ends like ours", BASE "Origin: http://notexample.com\r\n", 403, "Origin: "},
    {"an origin that begins like ours", BASE "Origin: http://example.com.evil.example\r\n", 403,
     "Origin: "},
    {"our host over https", BASE "Origin: https://example.com\r\n", 403, "Origin: "},
    {"our host at another port", BASE "Origin: http://example.com:81\r\n", 403, "Origin: "},
    {"our host as user", BASE "Origin: http://example.com@evil.example\r\n", 403, "Origin: "},
    {"an origin with a path", BASE "Origin: http://example.com/\r\n", 403, "Origin: "},
    {"the null origin", BASE "Origin: null\r\n", 403, "Origin: "},
    {"an empty origin", BASE "Origin:\r\n", 403, "Origin: "},
    {"two origins", BASE "Origin: http://example.com\r\nOrigin: http://evil.example\r\n", 400,
     "Origin: more than one"},
    {"subprotocols twice", BASE "Sec-WebSocket-Protocol: a, b, a\r\n", 400,
     "Sec-WebSocket-Protocol: a name stands twice"},
    {"subprotocols twice in two lines",
     BASE "Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Protocol: a\r\n", 400,
     "Sec-WebSocket-Protocol: a name stands twice"},
    {"a subprotocol with a space", BASE "Sec-WebSocket-Protocol: a b\r\n", 400,
     "Sec-WebSocket-Protocol: not a list"},
    {"no subprotocol", BASE "Sec-WebSocket-Protocol: ,\r\n", 400,
     "Sec-WebSocket-Protocol: not a list"},
    {"extensions that are no list", BASE "Sec-WebSocket-Extensions: permessage-deflate; =1\r\n",
     400, "Sec-WebSocket-Extensions: not a list"},
    {"a quoted value with a space", BASE "Sec-WebSocket-Extensions: x; a=\"b c\"\r\n", 400,
     "Sec-WebSocket-Extensions: not a list"},
};

static void test_each_refusal_names_the_header(void **state)
{
    for (size_t i = 0; i < sizeof(refused_rows) / sizeof(refused_rows[0]); i++) {
        struct cleat_ws_upgrade u;
        struct cleat_error err;
        char text[1024];
        char out[2048];
        size_t len;
        (void)snprintf(text, sizeof(text), "%s\r\n", refused_rows[i].text);
        int rc = check(&u, text, NULL, &err);
        if (rc >= 0 || u.status != refused_rows[i].status ||
            strncmp(err.text, refused_rows[i].says, strlen(refused_rows[i].says)) != 0) {
            fail_msg("%s: %d, %u, %s", refused_rows[i].name, rc, u.status, err.text);
        }
        assert_int_equal(err.code, rc);
        assert_true(err.section[0] != '\0');
        assert_int_equal(cleat_ws_upgrade_write(&u, &err, out, sizeof(out), &len), CLEAT_OK);
        struct cleat_http_head head;
        out[len] = '\0';
        parse(&head, out, true);
        assert_int_equal(head.status, refused_rows[i].status);
        assert_false(head.keep_alive);
        assert_int_equal(head.len + head.content_length, len);
        assert_int_equal(strncmp(out + head.len, err.text, strlen(err.text)), 0);
        assert_int_equal(cleat_http_has_token(&head, "Sec-WebSocket-Version", "13"),
                         refused_rows[i].status == 426);
    }
}

static const struct {
    const char *name;
    const char *host, *origin;
    bool secure, required, allowed;
    const char *listed;
} origin_rows[] = {
    {"none", "example.com", NULL, false, false, true, NULL},
    {"none, but required", "example.com", NULL, false, true, false, NULL},
    {"the same", "example.com", "http://example.com", false, true, true, NULL},
    {"the same in capitals", "example.com", "HTTP://EXAMPLE.com", false, false, true, NULL},
    {"the same with its port", "example.com", "http://example.com:80", false, false, true, NULL},
    {"the same over TLS", "example.com", "https://example.com", true, false, true, NULL},
    {"the same over TLS with its port", "example.com:443", "https://example.com", true, false, true,
     NULL},
    {"the same at a port", "localhost:8443", "https://localhost:8443", true, false, true, NULL},
    {"another port", "localhost:8443", "https://localhost:8444", true, false, false, NULL},
    {"http to https", "example.com", "http://example.com", true, false, false, NULL},
    {"IPv6", "[::1]:8080", "http://[::1]:8080", false, false, true, NULL},
    {"listed", "api.example", "https://app.example", true, false, true, "https://app.example"},
    {"listed with its port", "api.example", "https://app.example", true, false, true,
     "https://app.example:443"},
    {"listed as http", "api.example", "https://app.example", true, false, false,
     "http://app.example"},
    {"any", "api.example", "https://app.example", true, false, true, "*"},
    {"null, listed", "api.example", "null", true, false, true, "null"},
    {"an extension of a browser, listed", "api.example", "chrome-extension://abcdef", true, false,
     true, "chrome-extension://abcdef"},
    {"an extension of a browser", "api.example", "chrome-extension://abcdef", true, false, false,
     "https://app.example"},
};

static void test_origins_are_those_of_the_host_and_those_listed(void **state)
{
    for (size_t i = 0; i < sizeof(origin_rows) / sizeof(origin_rows[0]); i++) {
        const char *listed[1] = {origin_rows[i].listed};
        const struct cleat_ws_accept policy = {.origins = listed,
                                               .num_origins = listed[0] != NULL,
                                               .secure = origin_rows[i].secure,
                                               .require_origin = origin_rows[i].required};
        struct cleat_ws_upgrade u;
        struct cleat_error err;
        char text[1024];
        bool has = origin_rows[i].origin != NULL;
        (void)snprintf(text, sizeof(text),
                       LINE "Host: %s\r\n" UPGRADE CONN KEY VERSION "%s%s%s\r\n",
                       origin_rows[i].host, has ? "Origin: " : "", has ? origin_rows[i].origin : "",
                       has ? "\r\n" : "");
        int rc = check(&u, text, &policy, &err);
        if (rc != (origin_rows[i].allowed ? CLEAT_OK : CLEAT_ERR_WS_ORIGIN)) {
            fail_msg("%s: %d %s", origin_rows[i].name, rc, err.text);
        }
    }
}

static void test_bytes_behind_the_request_are_refused(void **state)
{
    const struct cleat_ws_accept policy = {.behind = 7};
    struct cleat_ws_upgrade u;
    struct cleat_error err;
    assert_int_equal(check(&u, BASE "\r\n", &policy, &err), CLEAT_ERR_WS_HANDSHAKE);
    assert_int_equal(u.status, 400);
    assert_string_equal(u.accept, "");
}

static void test_an_extended_connect_needs_no_key(void **state)
{
    const struct cleat_ws_accept policy = {.http2 = true, .secure = true};
    struct cleat_ws_upgrade u;
    struct cleat_error err;
    char out[100];
    size_t len;
    assert_int_equal(
        check(&u, LINE HOST VERSION "Origin: https://example.com\r\n\r\n", &policy, &err),
        CLEAT_OK);
    assert_int_equal(u.status, 200);
    assert_string_equal(u.accept, "");
    assert_int_equal(cleat_ws_upgrade_write(&u, NULL, out, sizeof(out), &len), CLEAT_ERR_USAGE);
    assert_int_equal(
        check(&u, LINE HOST VERSION "Origin: https://evil.example\r\n\r\n", &policy, &err),
        CLEAT_ERR_WS_ORIGIN);
}

static void test_a_subprotocol_may_be_required(void **state)
{
    const char *const protocols[] = {"mqtt"};
    const struct cleat_ws_accept policy = {
        .subprotocols = protocols, .num_subprotocols = 1, .require_subprotocol = true};
    struct cleat_ws_upgrade u;
    struct cleat_error err;
    assert_int_equal(check(&u, BASE "\r\n", &policy, &err), CLEAT_ERR_WS_HANDSHAKE);
    assert_int_equal(check(&u, BASE "Sec-WebSocket-Protocol: MQTT\r\n\r\n", &policy, &err),
                     CLEAT_ERR_WS_HANDSHAKE);
    assert_int_equal(check(&u, BASE "Sec-WebSocket-Protocol: a, mqtt\r\n\r\n", &policy, &err),
                     CLEAT_OK);
    assert_string_equal(u.subprotocol, "mqtt");
}

/* ---- extensions -------------------------------------------------------------------------------
 */

static const struct {
    const char *offer;
    const char *answer; /* to a server that wants its defaults */
    const char *kept;   /* to one that keeps contexts and windows of 2^12 at most */
} offer_rows[] = {
    {"permessage-deflate",
     "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
     "permessage-deflate; server_max_window_bits=12"},
    {"permessage-deflate; client_max_window_bits",
     "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
     "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12"},
    {"permessage-deflate; client_max_window_bits=10; server_max_window_bits=\"9\"",
     "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
     "server_max_window_bits=9; client_max_window_bits=10",
     "permessage-deflate; server_max_window_bits=9; client_max_window_bits=10"},
    {"permessage-deflate; server_max_window_bits=8",
     "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
     "server_max_window_bits=8",
     "permessage-deflate; server_max_window_bits=8"},
    {"PerMessage-Deflate ; Server_No_Context_Takeover;client_no_context_takeover",
     "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
     "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
     "server_max_window_bits=12"},
    {"x-webkit-deflate-frame, permessage-deflate; server_max_window_bits=15",
     "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
     "server_max_window_bits=15",
     "permessage-deflate; server_max_window_bits=12"},
    {"permessage-deflate; server_max_window_bits=16, permessage-deflate",
     "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
     "permessage-deflate; server_max_window_bits=12"},
    {"permessage-deflate; server_max_window_bits", "", ""},
    {"permessage-deflate; server_max_window_bits=7", "", ""},
    {"permessage-deflate; server_max_window_bits=09", "", ""},
    {"permessage-deflate; server_max_window_bits=10; server_max_window_bits=10", "", ""},
    {"permessage-deflate; server_no_context_takeover=1", "", ""},
    {"permessage-deflate; client_no_context_takeover; client_no_context_takeover", "", ""},
    {"permessage-deflate; unknown", "", ""},
    {"permessage-bzip2", "", ""},
};

static void test_offers_of_compression_are_answered(void **state)
{
    struct cleat_ws_accept defaults = {0};
    struct cleat_ws_accept kept = {
        .deflate = {.on = true, .server_max_window_bits = 12, .client_max_window_bits = 12}};
    cleat_ws_deflate_init(&defaults.deflate, true);
    for (size_t i = 0; i < sizeof(offer_rows) / sizeof(offer_rows[0]); i++) {
        struct cleat_ws_upgrade u;
        struct cleat_error err;
        char text[1024];
        (void)snprintf(text, sizeof(text), BASE "Sec-WebSocket-Extensions: %s\r\n\r\n",
                       offer_rows[i].offer);
        assert_int_equal(check(&u, text, &defaults, &err), CLEAT_OK);
        assert_string_equal(u.extensions, offer_rows[i].answer);
        assert_int_equal(u.deflate.on, offer_rows[i].answer[0] != '\0');
        assert_int_equal(check(&u, text, &kept, &err), CLEAT_OK);
        assert_string_equal(u.extensions, offer_rows[i].kept);
        assert_int_equal(check(&u, text, NULL, &err), CLEAT_OK);
        assert_string_equal(u.extensions, "");
        assert_false(u.deflate.on);
    }
}

/* ---- the client -------------------------------------------------------------------------------
 */

static int sample_nonce(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    assert_int_equal(len, 16);
    memcpy(out, "the sample nonce", 16);
    return 0;
}

static int write_request(const struct cleat_ws_offer *offer, char *out, size_t cap,
                         struct cleat_error *err)
{
    static const char url_text[] = "wss://example.com:8443/chat?room=1";
    struct cleat_http_url url;
    char key[CLEAT_WS_KEY_SIZE];
    size_t len;
    *err = (struct cleat_error){0};
    assert_int_equal(cleat_http_url_parse(&url, url_text, strlen(url_text), NULL), CLEAT_OK);
    int rc = cleat_ws_request_write(offer, &url, key, out, cap - 1, &len, err);
    out[len] = '\0';
    if (rc == CLEAT_OK) {
        assert_string_equal(key, "dGhlIHNhbXBsZSBub25jZQ==");
    }
    return rc;
}

static void test_a_request_says_what_is_asked_for(void **state)
{
    static const char *const protocols[] = {"chat", "superchat"};
    static const struct cleat_ws_field fields[] = {{"Authorization", "Basic eA=="}};
    struct cleat_ws_offer offer = {.origin = "https://example.com",
                                   .subprotocols = protocols,
                                   .num_subprotocols = 2,
                                   .fields = fields,
                                   .num_fields = 1,
                                   .random = sample_nonce};
    struct cleat_error err;
    struct cleat_ws_upgrade u;
    char out[1024];
    cleat_ws_deflate_init(&offer.deflate, false);
    assert_int_equal(write_request(&offer, out, sizeof(out), &err), CLEAT_OK);
    assert_string_equal(out,
                        "GET /chat?room=1 HTTP/1.1\r\n"
                        "Host: example.com:8443\r\n" UPGRADE CONN KEY VERSION
                        "Sec-WebSocket-Protocol: chat, superchat\r\n"
                        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
                        "Origin: https://example.com\r\n"
                        "Authorization: Basic eA==\r\n\r\n");
    /* and our own server takes it */
    const struct cleat_ws_accept policy = {.origins = (const char *const[]){"https://example.com"},
                                           .num_origins = 1};
    assert_int_equal(check(&u, out, &policy, &err), CLEAT_OK);
    assert_string_equal(u.accept, ACCEPT);
    assert_int_equal(write_request(&offer, out, 100, &err), CLEAT_ERR_LIMIT);
}

static void test_offers_that_no_header_can_carry_are_refused(void **state)
{
    static const struct cleat_ws_field bad[] = {
        {"Host", "x"}, {"sec-websocket-key", "x"}, {"Content-Length", "0"}, {"X", "a\r\nb"},
        {"a b", "x"},
    };
    char out[2048];
    struct cleat_error err;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct cleat_ws_offer offer = {
            .fields = &bad[i], .num_fields = 1, .random = sample_nonce};
        assert_int_equal(write_request(&offer, out, sizeof(out), &err), CLEAT_ERR_BAD_CONFIG);
        assert_non_null(strstr(err.text, bad[i].name));
    }
    static const char *const lists[][2] = {{"a", "a"}, {"a b", "c"}, {"", "c"}, {"a,b", "c"}};
    for (size_t i = 0; i < 4; i++) {
        const struct cleat_ws_offer offer = {
            .subprotocols = lists[i], .num_subprotocols = 2, .random = sample_nonce};
        assert_int_equal(write_request(&offer, out, sizeof(out), &err), CLEAT_ERR_BAD_CONFIG);
    }
}

#define R101  "HTTP/1.1 101 Switching Protocols\r\n"
#define RKEY  "Sec-WebSocket-Accept: " ACCEPT "\r\n"
#define RBASE R101 UPGRADE CONN RKEY
#define EXT   "Sec-WebSocket-Extensions: "

static const struct {
    const char *name;
    const char *text;
    int code;
    const char *says; /* in the error; for a success: the subprotocol */
} response_rows[] = {
    {"plain", RBASE, CLEAT_OK, NULL},
    {"other cases", R101 "upgrade: WebSocket\r\nconnection: keep-alive, UPGRADE\r\n" RKEY, CLEAT_OK,
     NULL},
    {"a subprotocol", RBASE "Sec-WebSocket-Protocol: chat\r\n", CLEAT_OK, "chat"},
    {"403", "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n", CLEAT_ERR_HTTP_STATUS,
     "the server answered 403 Forbidden instead of 101"},
    {"200", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", CLEAT_ERR_HTTP_STATUS, "200 OK"},
    {"426", "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 8, 7\r\n",
     CLEAT_ERR_WS_VERSION, "versions 8, 7, not 13"},
    {"no Upgrade", R101 CONN RKEY, CLEAT_ERR_WS_HANDSHAKE, "Upgrade: missing"},
    {"two Upgrade", RBASE UPGRADE, CLEAT_ERR_WS_HANDSHAKE, "Upgrade: "},
    {"Upgrade to more", R101 "Upgrade: websocket, h2c\r\n" CONN RKEY, CLEAT_ERR_WS_HANDSHAKE,
     "Upgrade: "},
    {"no Connection", R101 UPGRADE RKEY, CLEAT_ERR_WS_HANDSHAKE, "Connection: missing"},
    {"no Accept", R101 UPGRADE CONN, CLEAT_ERR_WS_HANDSHAKE, "Sec-WebSocket-Accept: missing"},
    {"another Accept", R101 UPGRADE CONN "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo\r\n",
     CLEAT_ERR_WS_HANDSHAKE, "Sec-WebSocket-Accept: not the answer to our key"},
    {"Accept in another case",
     R101 UPGRADE CONN "Sec-WebSocket-Accept: S3PPLMBITXAQ9KYGZZHZRBK+XOO=\r\n",
     CLEAT_ERR_WS_HANDSHAKE, "Sec-WebSocket-Accept: "},
    {"two Accept", RBASE RKEY, CLEAT_ERR_WS_HANDSHAKE, "Sec-WebSocket-Accept: "},
    {"a subprotocol that was not asked for", RBASE "Sec-WebSocket-Protocol: mqtt\r\n",
     CLEAT_ERR_WS_HANDSHAKE, "Sec-WebSocket-Protocol: "},
    {"a subprotocol in another case", RBASE "Sec-WebSocket-Protocol: CHAT\r\n",
     CLEAT_ERR_WS_HANDSHAKE, "Sec-WebSocket-Protocol: "},
    {"two subprotocols", RBASE "Sec-WebSocket-Protocol: chat, superchat\r\n",
     CLEAT_ERR_WS_HANDSHAKE, "Sec-WebSocket-Protocol: "},
    {"compression", RBASE EXT "permessage-deflate\r\n", CLEAT_OK, NULL},
    {"compression with everything",
     RBASE EXT "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
               "server_max_window_bits=10; client_max_window_bits=9\r\n",
     CLEAT_OK, NULL},
    {"compression twice", RBASE EXT "permessage-deflate, permessage-deflate\r\n",
     CLEAT_ERR_WS_HANDSHAKE, "Sec-WebSocket-Extensions: an extension"},
    {"another extension", RBASE EXT "x-snappy\r\n", CLEAT_ERR_WS_HANDSHAKE,
     "Sec-WebSocket-Extensions: an extension that was not offered"},
    {"a window without size", RBASE EXT "permessage-deflate; client_max_window_bits\r\n",
     CLEAT_ERR_WS_HANDSHAKE, "client_max_window_bits has no value"},
    {"a window of 16", RBASE EXT "permessage-deflate; server_max_window_bits=16\r\n",
     CLEAT_ERR_WS_HANDSHAKE, "invalid parameter"},
    {"an unknown parameter", RBASE EXT "permessage-deflate; x\r\n", CLEAT_ERR_WS_HANDSHAKE,
     "unknown"},
};

static int answer(const char *text, const struct cleat_ws_offer *offer, struct cleat_ws_upgrade *u,
                  struct cleat_error *err)
{
    struct cleat_http_head head;
    char whole[1024];
    (void)snprintf(whole, sizeof(whole), "%s\r\n", text);
    parse(&head, whole, true);
    *err = (struct cleat_error){0};
    return cleat_ws_response_check(u, &head, offer, "dGhlIHNhbXBsZSBub25jZQ==", err);
}

/* RFC 8441 5: no key, no upgrade; 200 is the answer, and the rest is judged as ever. */
static void test_over_http_2_there_is_no_key(void **state)
{
    static const char *const protocols[] = {"chat"};
    const struct cleat_ws_offer offer = {
        .subprotocols = protocols, .num_subprotocols = 1, .http2 = true, .random = sample_nonce};
    struct cleat_ws_upgrade u;
    struct cleat_error err;
    char out[1024];
    (void)state;
    assert_int_equal(write_request(&offer, out, sizeof(out), &err), CLEAT_OK);
    assert_string_equal(out, "GET /chat?room=1 HTTP/1.1\r\nHost: example.com:8443\r\n"
                             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat\r\n\r\n");
    assert_int_equal(answer("HTTP/1.1 200 \r\nSec-WebSocket-Protocol: chat\r\n", &offer, &u, &err),
                     CLEAT_OK);
    assert_string_equal(u.subprotocol, "chat");
    assert_int_equal(answer("HTTP/1.1 200 \r\nSec-WebSocket-Protocol: x\r\n", &offer, &u, &err),
                     CLEAT_ERR_WS_HANDSHAKE);
    assert_int_equal(answer("HTTP/1.1 404 \r\n", &offer, &u, &err), CLEAT_ERR_HTTP_STATUS);
    assert_non_null(strstr(err.text, "instead of 200"));
}

static void test_each_response_is_judged(void **state)
{
    static const char *const protocols[] = {"superchat", "chat"};
    struct cleat_ws_offer offer = {.subprotocols = protocols, .num_subprotocols = 2};
    cleat_ws_deflate_init(&offer.deflate, false);
    for (size_t i = 0; i < sizeof(response_rows) / sizeof(response_rows[0]); i++) {
        struct cleat_ws_upgrade u;
        struct cleat_error err;
        int rc = answer(response_rows[i].text, &offer, &u, &err);
        if (rc != response_rows[i].code) {
            fail_msg("%s: %d %s", response_rows[i].name, rc, err.text);
        }
        if (rc != CLEAT_OK && strstr(err.text, response_rows[i].says) == NULL) {
            fail_msg("%s: %s", response_rows[i].name, err.text);
        }
        if (rc == CLEAT_OK && response_rows[i].says != NULL) {
            assert_string_equal(u.subprotocol, response_rows[i].says);
        }
    }
}

static void test_answers_to_our_demands_must_meet_them(void **state)
{
    struct cleat_ws_upgrade u;
    struct cleat_error err;
    const struct cleat_ws_offer offer = {.deflate = {.on = true,
                                                     .server_no_context_takeover = true,
                                                     .server_max_window_bits = 10,
                                                     .client_max_window_bits = 11},
                                         .require_deflate = true};
    static const struct {
        const char *text;
        const char *says; /* NULL: fine */
    } rows[] = {
        {RBASE EXT "permessage-deflate; server_no_context_takeover; server_max_window_bits=9\r\n",
         NULL},
        {RBASE EXT "permessage-deflate; server_max_window_bits=9\r\n",
         "server_no_context_takeover was asked for"},
        {RBASE EXT "permessage-deflate; server_no_context_takeover\r\n", "server_max_window_bits"},
        {RBASE EXT "permessage-deflate; server_no_context_takeover; server_max_window_bits=11\r\n",
         "server_max_window_bits"},
        {RBASE EXT "permessage-deflate; server_no_context_takeover; server_max_window_bits=9; "
                   "client_max_window_bits=12\r\n",
         "client_max_window_bits is more"},
        {RBASE, "permessage-deflate is required"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int rc = answer(rows[i].text, &offer, &u, &err);
        assert_int_equal(rc, rows[i].says == NULL ? CLEAT_OK : CLEAT_ERR_WS_HANDSHAKE);
        if (rows[i].says != NULL) {
            assert_non_null(strstr(err.text, rows[i].says));
        } else {
            assert_int_equal(u.deflate.server_max_window_bits, 9);
            assert_int_equal(u.deflate.client_max_window_bits, 11);
        }
    }
    const struct cleat_ws_offer without = {0};
    assert_int_equal(answer(RBASE EXT "permessage-deflate\r\n", &without, &u, &err),
                     CLEAT_ERR_WS_HANDSHAKE);
}

static void test_a_request_for_an_upgrade_is_recognised(void **state)
{
    struct cleat_http_head head;
    parse(&head, LINE HOST "Upgrade: h2c, WebSocket\r\n\r\n", false);
    assert_true(cleat_ws_wants_upgrade(&head));
    parse(&head, LINE HOST "Upgrade: websockets\r\n\r\n", false);
    assert_false(cleat_ws_wants_upgrade(&head));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_example_of_the_rfc_is_accepted),
        cmocka_unit_test(test_each_refusal_names_the_header),
        cmocka_unit_test(test_origins_are_those_of_the_host_and_those_listed),
        cmocka_unit_test(test_bytes_behind_the_request_are_refused),
        cmocka_unit_test(test_an_extended_connect_needs_no_key),
        cmocka_unit_test(test_a_subprotocol_may_be_required),
        cmocka_unit_test(test_offers_of_compression_are_answered),
        cmocka_unit_test(test_a_request_says_what_is_asked_for),
        cmocka_unit_test(test_offers_that_no_header_can_carry_are_refused),
        cmocka_unit_test(test_over_http_2_there_is_no_key),
        cmocka_unit_test(test_each_response_is_judged),
        cmocka_unit_test(test_answers_to_our_demands_must_meet_them),
        cmocka_unit_test(test_a_request_for_an_upgrade_is_recognised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
