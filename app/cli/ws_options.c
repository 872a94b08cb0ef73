/* cli/ws_options.c - what `cleat ws --help` prints, and what each option does. */
#include "cli/ws_options.h"

#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

enum ws_option_id {
    WS_HEADING = 0,
    WS_BINARY,
    WS_COMPARE,
    WS_ECHO,
    WS_EXECUTE,
    WS_HEADER,
    WS_HELP,
    WS_HTTP2,
    WS_JSON,
    WS_MAX_MESSAGE,
    WS_NO_CLOSE,
    WS_NO_DEFLATE,
    WS_ONE_MESSAGE,
    WS_ORIGIN,
    WS_PING_INTERVAL,
    WS_RECORD,
    WS_REPLAY,
    WS_SUBPROTOCOL,
    WS_TEXT,
    WS_TIMESTAMPS,
    WS_WAIT,
};

static const struct cl_option rows[] = {
    {WS_HEADING, 0, "Messages", NULL, NULL},
    {WS_TEXT, 't', "text", NULL, "each line of standard input is a text message (default)"},
    {WS_BINARY, 'b', "binary", NULL,
     "what standard input brings, up to 64 KiB at a time, is a\nbinary message; received text gets "
     "no line end"},
    {WS_EXECUTE, 'x', "execute", "MESSAGE",
     "send this message instead of standard input; may be repeated"},
    {WS_ONE_MESSAGE, '1', "one-message", NULL, "send at most one message, receive one, then close"},
    {WS_NO_CLOSE, 'n', "no-close", NULL,
     "do not close at the end of the input: receive until the server closes"},
    {WS_WAIT, 'w', "wait", "SECONDS",
     "at the end of the input close once nothing has come for so long\n(1; after typing 0; after "
     "-x "
     "never, unless given)"},
    {WS_ECHO, 0, "echo", NULL, "send every message back; standard input is not read"},
    {WS_MAX_MESSAGE, 0, "max-message", "BYTES",
     "refuse longer messages, with 1009 (67108864; K, M, G may follow)"},

    {WS_HEADING, 0, "Output", NULL, NULL},
    {WS_TIMESTAMPS, 0, "timestamps", NULL, "write the time before each message"},
    {WS_JSON, 0, "json", NULL, "write every event as a JSON object, one a line"},
    {WS_RECORD, 0, "record", "FILE", "write all messages to FILE, with times and directions"},
    {WS_REPLAY, 0, "replay", "FILE",
     "send the messages that were sent when FILE was recorded,\nat the same times"},
    {WS_COMPARE, 0, "compare", NULL,
     "with --replay: exit with 1 unless the same messages are received"},
    CLIENT_TRACE_ROWS,
    CLIENT_PCAP_ROW,

    {WS_HEADING, 0, "Upgrade", NULL, NULL},
    {WS_HEADER, 'H', "header", "LINE", "add \"Name: value\" to the request"},
    {WS_ORIGIN, 'o', "origin", "ORIGIN",
     "say that a page of this origin asks: https://example.com"},
    {WS_SUBPROTOCOL, 's', "subprotocol", "NAME", "offer a subprotocol; may be repeated"},
    {WS_SUBPROTOCOL, 0, "protocol", "NAME", NULL},
    {WS_NO_DEFLATE, 0, "no-deflate", NULL, "do not offer compression"},
    {WS_HTTP2, 0, "http2", NULL,
     "over HTTP/2 (RFC 8441) where the server takes that, else over HTTP/1.1"},
    {WS_PING_INTERVAL, 0, "ping-interval", "SECONDS",
     "ping when nothing came for so long (30; 0: never); no pong within\n20 seconds ends the "
     "connection"},

    {WS_HEADING, 0, "Connection", NULL, NULL},
    CLIENT_CONNECTION_ROWS,
    CLIENT_DOH_ROWS,
    CLIENT_PROXY_ROWS(0), /* -x sends a message */

    {WS_HEADING, 0, "TLS", NULL, NULL},
    CLIENT_TLS_ROWS,
    CLIENT_DANE_ROW,
    CLIENT_REVOCATION_ROWS,
    CLIENT_CERT_STATUS_ROW,
    CLIENT_CT_ROWS,
    CLIENT_ECH_ROWS,

    {WS_HEADING, 0, "Other", NULL, NULL},
    {WS_HELP, 'h', "help", NULL, "print this text"},
};

static const struct cl_usage usage = {
    .command = "ws",
    .synopsis = "[OPTION]... URL",
    .about =
        "Connects to a WebSocket server: lines typed are messages sent, messages received are\n"
        "lines. URL is wss://... or, without TLS, ws://...; ends when the server closes.\n"
        "Exit codes: 0 normal close, 1 closed for another reason, 2 usage, 3 could not connect,\n"
        "4 the server broke the protocol.",
    .options = rows,
    .num_options = sizeof(rows) / sizeof(rows[0]),
    .examples = "  cleat ws wss://chat.example.com/room\n"
                "  echo hello | cleat ws -1 wss://echo.example.com/\n"
                "  cleat ws -x '{\"op\":\"ping\"}' -1 --json wss://api.example.com/ | jq .text\n"
                "  cleat ws -v -k wss://localhost:8443/ws",
};

static int set_wait(void *options, const struct cl_options *from)
{
    static const struct cl_setter row = {WS_WAIT, CL_SET_SECONDS,
                                         offsetof(struct ws_options, wait_ms), NULL};
    ((struct ws_options *)options)->has_wait = true;
    return cl_setters_apply(&row, 1, WS_WAIT, options, from);
}

/* Bytes, with K, M or G for powers of 1,024. */
static int set_max_message(void *options, const struct cl_options *from)
{
    static const char units[] = "KMG";
    char *end;
    unsigned long long v = strtoull(from->value, &end, 10);
    const char *unit = *end != '\0' ? strchr(units, *end & ~0x20) : NULL;
    unsigned shift = unit != NULL ? 10 * (unsigned)(unit - units + 1) : 0;
    bool bad = end == from->value || from->value[0] == '-' || (*end != '\0' && unit == NULL) ||
               (unit != NULL && end[1] != '\0');
    if (bad || v == 0 || v > (UINT64_MAX >> 1) >> shift) {
        return cl_options_complain(from->usage, "%s: \"%s\" is not a number of bytes",
                                   from->spelled, from->value);
    }
    ((struct ws_options *)options)->max_message = (uint64_t)v << shift;
    return 0;
}

static int set_http2(void *options, const struct cl_options *from)
{
    (void)from;
    ((struct ws_options *)options)->http2 = true;
    ((struct ws_options *)options)->client.alpn = "h2,http/1.1";
    return 0;
}

#define AT(field) offsetof(struct ws_options, field)
static const struct cl_setter setters[] = {
    {WS_BINARY, CL_SET_TRUE, AT(binary), NULL},
    {WS_TEXT, CL_SET_NOTHING, 0, NULL},
    {WS_HTTP2, CL_SET_BY_FUNCTION, 0, set_http2},
    {WS_NO_CLOSE, CL_SET_TRUE, AT(no_close), NULL},
    {WS_ONE_MESSAGE, CL_SET_TRUE, AT(one_message), NULL},
    {WS_NO_DEFLATE, CL_SET_TRUE, AT(no_deflate), NULL},
    {WS_JSON, CL_SET_TRUE, AT(json), NULL},
    {WS_ECHO, CL_SET_TRUE, AT(echo), NULL},
    {WS_TIMESTAMPS, CL_SET_TRUE, AT(timestamps), NULL},
    {WS_COMPARE, CL_SET_TRUE, AT(compare), NULL},
    {WS_HELP, CL_SET_TRUE, AT(help), NULL},
    {WS_ORIGIN, CL_SET_TEXT, AT(origin), NULL},
    {WS_RECORD, CL_SET_TEXT, AT(record), NULL},
    {WS_REPLAY, CL_SET_TEXT, AT(replay), NULL},
    {WS_HEADER, CL_SET_WORD, AT(headers), NULL},
    {WS_SUBPROTOCOL, CL_SET_WORD, AT(subprotocols), NULL},
    {WS_EXECUTE, CL_SET_WORD, AT(messages), NULL},
    {WS_PING_INTERVAL, CL_SET_SECONDS, AT(ping_ms), NULL},
    {WS_WAIT, CL_SET_BY_FUNCTION, 0, set_wait},
    {WS_MAX_MESSAGE, CL_SET_BY_FUNCTION, 0, set_max_message},
};

static int check(const struct ws_options *o)
{
    if (o->url == NULL) {
        return cl_options_complain(&usage, "no URL given");
    }
    if (o->compare && o->replay == NULL) {
        return cl_options_complain(&usage, "--compare is of no use without --replay");
    }
    if ((o->echo || o->messages.num > 0) && o->replay != NULL) {
        return cl_options_complain(&usage, "--replay sends what is in its file, nothing else");
    }
    if (o->echo && o->messages.num > 0) {
        return cl_options_complain(&usage, "--echo sends back what comes: -x cannot be added");
    }
    if (o->client.pcap != NULL && strcmp(o->client.pcap, "-") == 0) {
        return cl_options_complain(&usage, "--pcap -: messages go to standard output; name a file");
    }
    if (o->ping_ms > UINT32_MAX) {
        return cl_options_complain(&usage, "--ping-interval: that is more than 49 days");
    }
    return client_options_check(&o->client, &usage);
}

static int take_url(struct ws_options *o, const struct cl_options *from)
{
    if (o->url != NULL) {
        return cl_options_complain(&usage, "one URL only: '%s' and '%s' were given", o->url,
                                   from->value);
    }
    o->url = from->value;
    return 0;
}

int ws_options_parse(struct ws_options *out, int argc, char **argv)
{
    struct cl_options options;
    int id, code = 0;
    *out =
        (struct ws_options){.max_message = WS_DEFAULT_MAX_MESSAGE, .ping_ms = WS_DEFAULT_PING_MS};
    out->client.alpn = "http/1.1";
    cl_options_init(&options, &usage, argc, argv);
    while (code == 0 && (id = cl_options_next(&options)) != CL_OPTIONS_END) {
        if (id == CL_OPTIONS_ERROR) {
            return CL_EXIT_USAGE;
        }
        if (id == CL_OPTIONS_OPERAND) {
            code = take_url(out, &options);
            continue;
        }
        code = client_options_set(&out->client, id, &options);
        if (code == CL_SETTERS_UNKNOWN) {
            code =
                cl_setters_apply(setters, sizeof(setters) / sizeof(setters[0]), id, out, &options);
        }
    }
    if (code == 0 && out->help) {
        cl_options_help(&usage, stdout);
        return -1;
    }
    return code != 0 ? code : check(out);
}

void ws_options_deinit(struct ws_options *o)
{
    cl_words_deinit(&o->headers);
    cl_words_deinit(&o->subprotocols);
    cl_words_deinit(&o->messages);
    client_options_deinit(&o->client);
    *o = (struct ws_options){0};
}
