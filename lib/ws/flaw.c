/* ws/flaw.c - see flaw.h. A table, and what reads it. */
#include "ws/flaw.h"

#include <stdio.h>

#include "cleat/ws.h"

struct row {
    cl_result code;
    uint16_t close;
    const char *section;
    const char *format; /* of two unsigned long long, or fewer */
    const char *hint;
};

#define PROXY \
    "an end that changes or injects bytes (a proxy, a library's bug) often shows like this"

static const struct row rows[] = {
    [CL_WS_FLAW_RSV] =
        {CLEAT_ERR_WS_PROTOCOL, 1002, "RFC 6455 5.2",
         "reserved bits %llu (RSV1 = 4, RSV2 = 2, RSV3 = 1) that no agreed extension "
         "explains",
         "RSV1 means compression: was permessage-deflate agreed?"},
    [CL_WS_FLAW_RSV1_CONTINUED] = {CLEAT_ERR_WS_PROTOCOL, 1002, "RFC 7692 6.1",
                                   "RSV1 on a continuation frame; it belongs on the first frame of "
                                   "a compressed message only",
                                   NULL},
    [CL_WS_FLAW_RSV1_CONTROL] = {CLEAT_ERR_WS_PROTOCOL, 1002, "RFC 7692 6.1",
                                 "RSV1 on a control frame (opcode %llu), which is never compressed",
                                 NULL},
    [CL_WS_FLAW_OPCODE] = {CLEAT_ERR_WS_PROTOCOL, 1002, "RFC 6455 5.2",
                           "opcode %llu is reserved; known are 0, 1, 2, 8, 9 and 10", PROXY},
    [CL_WS_FLAW_CONTROL_FRAGMENT] = {CLEAT_ERR_WS_PROTOCOL, 1002, "RFC 6455 5.5",
                                     "a control frame (opcode %llu) without FIN: control frames "
                                     "are never fragmented",
                                     NULL},
    [CL_WS_FLAW_CONTROL_LONG] = {CLEAT_ERR_WS_PROTOCOL, 1002, "RFC 6455 5.5",
                                 "a control frame (opcode %llu) with a payload of more than 125 "
                                 "bytes",
                                 "a close reason has at most 123 bytes, a ping's payload 125"},
    [CL_WS_FLAW_NOTHING_TO_CONTINUE] = {CLEAT_ERR_WS_PROTOCOL, 1002, "RFC 6455 5.4",
                                        "a continuation frame, but no message has begun", NULL},
    [CL_WS_FLAW_NOT_CONTINUED] = {CLEAT_ERR_WS_PROTOCOL, 1002, "RFC 6455 5.4",
                                  "a new message (opcode %llu) inside a fragmented one; its "
                                  "fragments have opcode 0",
                                  "two threads that send on one connection do this"},
    [CL_WS_FLAW_UNMASKED] = {CLEAT_ERR_WS_PROTOCOL, 1002, "RFC 6455 5.1",
                             "a frame of a client without mask", NULL},
    [CL_WS_FLAW_MASKED] = {CLEAT_ERR_WS_PROTOCOL, 1002, "RFC 6455 5.1",
                           "a masked frame of a server", NULL},
    [CL_WS_FLAW_NOT_MINIMAL] = {CLEAT_ERR_WS_PROTOCOL, 1002, "RFC 6455 5.2",
                                "a payload of %llu bytes, its length written in %llu bytes: the "
                                "shortest form is required",
                                NULL},
    [CL_WS_FLAW_LENGTH_SIGN] = {CLEAT_ERR_WS_PROTOCOL, 1002, "RFC 6455 5.2",
                                "a 64-bit payload length whose first bit is set", PROXY},
    [CL_WS_FLAW_CLOSE_SHORT] = {CLEAT_ERR_WS_PROTOCOL, 1002, "RFC 6455 5.5.1",
                                "a close frame with a payload of one byte; a code has two", NULL},
    [CL_WS_FLAW_CLOSE_CODE] = {CLEAT_ERR_WS_PROTOCOL, 1002, "RFC 6455 7.4",
                               "close code %llu, which must not be on the wire",
                               "codes on the wire: 1000-1003, 1007-1014, 3000-4999"},
    [CL_WS_FLAW_CLOSE_UTF8] = {CLEAT_ERR_WS_UTF8, 1007, "RFC 6455 5.5.1",
                               "a close reason that is not UTF-8", NULL},
    [CL_WS_FLAW_UTF8] = {CLEAT_ERR_WS_UTF8, 1007, "RFC 6455 8.1",
                         "text that is not UTF-8: byte 0x%02llx at position %llu of the message",
                         "data that is not text belongs into binary messages"},
    [CL_WS_FLAW_UTF8_END] = {CLEAT_ERR_WS_UTF8, 1007, "RFC 6455 8.1",
                             "a text message that ends inside a character: %llu bytes are missing "
                             "behind its %llu",
                             "data that is not text belongs into binary messages"},
    [CL_WS_FLAW_FRAME_SIZE] = {CLEAT_ERR_WS_TOO_LARGE, 1009, "RFC 6455 10.4",
                               "a frame of %llu bytes, limit %llu", NULL},
    [CL_WS_FLAW_MESSAGE_SIZE] = {CLEAT_ERR_WS_TOO_LARGE, 1009, "RFC 6455 10.4",
                                 "a message of at least %llu bytes, limit %llu",
                                 "raise the limit, or take messages in pieces"},
    [CL_WS_FLAW_FRAGMENTS] = {CLEAT_ERR_WS_POLICY, 1008, "RFC 6455 10.4",
                              "a message of more than %llu fragments", NULL},
    [CL_WS_FLAW_EMPTY_FRAGMENTS] = {CLEAT_ERR_WS_POLICY, 1008, "RFC 6455 10.4",
                                    "more than %llu fragments in a row without a byte", NULL},
    [CL_WS_FLAW_CONTROL_FLOOD] = {CLEAT_ERR_WS_POLICY, 1008, "RFC 6455 5.5",
                                  "more than %llu control frames within a second", NULL},
    [CL_WS_FLAW_DEFLATE_DATA] =
        {CLEAT_ERR_WS_DEFLATE, 1007, "RFC 7692 7.2.2",
         "compressed data that are no DEFLATE stream, or reach behind the "
         "agreed window (2^%llu bytes)",
         "does the peer keep its compression context where none was agreed?"},
    [CL_WS_FLAW_DEFLATE_END] = {CLEAT_ERR_WS_DEFLATE, 1007, "RFC 7692 7.2.2",
                                "a compressed message that ends inside a DEFLATE block", NULL},
    [CL_WS_FLAW_DEFLATE_RATIO] =
        {CLEAT_ERR_WS_TOO_LARGE, 1009, "RFC 7692 8",
         "%llu compressed bytes grew to more than %llu: a compression bomb",
         "raise the limit of the ratio if the data are really so"},
    [CL_WS_FLAW_NO_TEXT] = {CLEAT_ERR_WS_POLICY, 1003, "RFC 6455 7.4.1",
                            "a text message, where only binary ones are accepted", NULL},
    [CL_WS_FLAW_NO_BINARY] = {CLEAT_ERR_WS_POLICY, 1003, "RFC 6455 7.4.1",
                              "a binary message, where only text is accepted", NULL},
    [CL_WS_FLAW_BUDGET] = {CLEAT_ERR_LIMIT, 1013, "RFC 6455 10.4",
                           "the memory budget of all connections, %llu bytes, is used up", NULL},
    [CL_WS_FLAW_NOMEM] = {CLEAT_ERR_NOMEM, 1011, NULL, "out of memory", NULL},
    [CL_WS_FLAW_RANDOM] = {CLEAT_ERR_RANDOM, 1011, "RFC 6455 10.3",
                           "no randomness for a masking key", NULL},
    [CL_WS_FLAW_ZLIB] = {CLEAT_ERR_CRYPTO, 1011, "RFC 7692 7.2", "zlib failed (%llu)", NULL},
    [CL_WS_FLAW_QUEUE] = {CLEAT_ERR_WS_QUEUE_FULL, 1013, NULL,
                          "the peer takes its messages too slowly: %llu bytes wait, limit %llu",
                          NULL},
    [CL_WS_FLAW_PONG_LATE] = {CLEAT_ERR_WS_TIMEOUT, 1011, "RFC 6455 5.5.2",
                              "no pong within %llu milliseconds: the peer or the path is gone",
                              NULL},
    [CL_WS_FLAW_CLOSE_LATE] = {CLEAT_ERR_WS_TIMEOUT, 0, "RFC 6455 7.1.1",
                               "no close frame within %llu milliseconds of ours", NULL},
    [CL_WS_FLAW_UNCLEAN] = {CLEAT_ERR_WS_UNCLEAN, 0, "RFC 6455 7.1.5",
                            "the connection ended without a close frame (1006)",
                            "the peer crashed, or something between the two has a time-out"},
    [CL_WS_FLAW_UNCLEAN_CLOSING] = {CLEAT_ERR_WS_UNCLEAN, 0, "RFC 6455 7.1.5",
                                    "the connection ended before the peer answered our close frame "
                                    "(1006)",
                                    NULL},
    [CL_WS_FLAW_INTERNAL] = {CLEAT_ERR_INTERNAL, 1011, NULL,
                             "an invariant of the library does not hold", NULL},
};

static const struct row *find(enum cl_ws_flaw flaw)
{
    size_t num = sizeof(rows) / sizeof(rows[0]);
    return (size_t)flaw < num && rows[flaw].format != NULL ? &rows[flaw]
                                                           : &rows[CL_WS_FLAW_INTERNAL];
}

cl_result cl_ws_flaw_code(enum cl_ws_flaw flaw)
{
    return find(flaw)->code;
}

uint16_t cl_ws_flaw_close(enum cl_ws_flaw flaw)
{
    return find(flaw)->close;
}

void cl_ws_flaw_tell(enum cl_ws_flaw flaw, uint64_t frame, const uint64_t values[2],
                     struct cleat_error *e)
{
    const struct row *row = find(flaw);
    char text[sizeof(e->text) - 32];
    (void)snprintf(text, sizeof(text), row->format, (unsigned long long)values[0],
                   (unsigned long long)values[1]);
    struct cl_why why = {.code = row->code, .section = row->section, .hint = row->hint};
    *e = (struct cleat_error){0};
    if (frame != 0) {
        (void)cl_error_set(e, why, "frame %llu: %s", (unsigned long long)frame, text);
    } else {
        (void)cl_error_set(e, why, "%s", text);
    }
}

/* RFC 6455 7.4.1, and what has been registered since. */
static const struct {
    uint16_t code;
    const char *sentence;
} codes[] = {
    {1000, "normal closure: the purpose is fulfilled"},
    {1001, "going away: a server stops, or a browser left the page"},
    {1002, "protocol error"},
    {1003, "a kind of data that is not accepted"},
    {1004, "reserved, without meaning"},
    {1005, "no code was given"},
    {1006, "the connection ended without a closing handshake"},
    {1007, "data that do not fit the kind of message, such as text that is not UTF-8"},
    {1008, "a policy was violated"},
    {1009, "a message too big to process"},
    {1010, "the server did not agree to an extension that the client needs"},
    {1011, "an internal error of the server"},
    {1012, "the service restarts"},
    {1013, "try again later"},
    {1014, "bad gateway: the server behind gave an invalid answer"},
    {1015, "the TLS handshake failed"},
};

const char *cleat_ws_code_sentence(uint16_t code)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i].code == code) {
            return codes[i].sentence;
        }
    }
    if (code >= 3000 && code <= 3999) {
        return "a code of a library or framework";
    }
    if (code >= 4000 && code <= 4999) {
        return "a code of the application's own";
    }
    return code < 3000 && code >= 1000 ? "an unassigned code" : "not a valid close code";
}

bool cleat_ws_code_may_be_sent(uint16_t code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}
