/* conn/trace_ws.c - the trace's lines about WebSocket frames. */
#include <inttypes.h>
#include <string.h>

#include "conn/trace_line.h"

/* The names of RFC 6455 11.8. */
static const char *opcode_name(uint8_t opcode)
{
    static const char *const names[16] = {[0] = "continuation", [1] = "text", [2] = "binary",
                                          [8] = "close",        [9] = "ping", [10] = "pong"};
    const char *name = names[opcode & 0x0f];
    return name != NULL ? name : "reserved opcode";
}

void cl_trace_ws_frame(struct cl_trace *t, const struct cleat_ws_frame *frame)
{
    const char *name = opcode_name(frame->opcode);
    cl_trace_say(t, frame->received ? CL_TRACE_RECEIVED : CL_TRACE_SENT, "ws",
                 "frame %" PRIu64 ": %s (%u)%s%s%s%s, %" PRIu64 " byte%s%s", frame->number, name,
                 (unsigned)frame->opcode, frame->fin ? ", FIN" : "",
                 (frame->rsv & 4) != 0 ? ", RSV1 (compressed)" : "",
                 (frame->rsv & 2) != 0 ? ", RSV2" : "", (frame->rsv & 1) != 0 ? ", RSV3" : "",
                 frame->len, frame->len == 1 ? "" : "s", frame->masked ? ", masked" : "");
    json_t *line = cl_trace_begin(t, "ws.frame");
    if (line == NULL) {
        return;
    }
    (void)json_object_set_new(line, "sent", json_boolean(!frame->received));
    (void)json_object_set_new(line, "number", json_integer((json_int_t)frame->number));
    (void)json_object_set_new(line, "opcode", json_integer(frame->opcode));
    cl_trace_set_text(line, "type", name);
    (void)json_object_set_new(line, "fin", json_boolean(frame->fin));
    (void)json_object_set_new(line, "rsv", json_integer(frame->rsv));
    (void)json_object_set_new(line, "masked", json_boolean(frame->masked));
    (void)json_object_set_new(line, "bytes", json_integer((json_int_t)frame->len));
    cl_trace_end(t, line);
}
