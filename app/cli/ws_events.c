/* cli/ws_events.c - see ws_events.h. */
#include "cli/ws_events.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/clock.h"

static json_t *begin(struct ws_events *e, const char *event)
{
    if (e->out == NULL && e->record == NULL) {
        return NULL;
    }
    double ms = e->start_us != 0 ? (double)(cl_clock_mono_us() - e->start_us) / 1000 : 0;
    json_t *line = json_object();
    (void)json_object_set_new(line, "schema", json_integer(WS_EVENTS_SCHEMA));
    (void)json_object_set_new(line, "t", json_real(ms));
    (void)json_object_set_new(line, "event", json_string(event));
    return line;
}

static void end(struct ws_events *e, json_t *line)
{
    char *text = line != NULL ? json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(line);
    if (text == NULL) {
        return;
    }
    if (e->out != NULL) {
        ws_output_line(e->out, text, strlen(text));
    }
    if (e->record != NULL) {
        (void)fprintf(e->record, "%s\n", text);
    }
    free(text);
}

static void set_text(json_t *line, const char *key, const char *text)
{
    (void)json_object_set_new(line, key, text != NULL ? json_string(text) : json_null());
}

/* "text", or "base64" for what is not text. */
static void set_payload(json_t *line, bool binary, const uint8_t *p, size_t len)
{
    json_t *text = binary ? NULL : json_stringn((const char *)p, len);
    if (text != NULL) {
        (void)json_object_set_new(line, "text", text);
        return;
    }
    char *encoded = cl_alloc(CL_BASE64_LEN(len) + 1);
    if (encoded != NULL) {
        cl_base64_encode(p, len, encoded);
        set_text(line, "base64", encoded);
    }
    cl_free(encoded);
}

void ws_events_open(struct ws_events *e, const char *url, const struct cleat_ws_upgrade *upgrade)
{
    e->start_us = cl_clock_mono_us();
    json_t *line = begin(e, "open");
    if (line == NULL) {
        return;
    }
    (void)json_object_set_new(line, "unix_ms", json_integer((json_int_t)cl_clock_unix_ms()));
    set_text(line, "url", url);
    set_text(line, "subprotocol", upgrade->subprotocol);
    (void)json_object_set_new(line, "deflate", json_boolean(upgrade->deflate.on));
    end(e, line);
}

void ws_events_message(struct ws_events *e, bool sent, bool binary, const uint8_t *p, size_t len)
{
    json_t *line = begin(e, "message");
    if (line == NULL) {
        return;
    }
    set_text(line, "direction", sent ? "sent" : "received");
    set_text(line, "type", binary ? "binary" : "text");
    (void)json_object_set_new(line, "bytes", json_integer((json_int_t)len));
    set_payload(line, binary, p, len);
    end(e, line);
}

void ws_events_control(struct ws_events *e, bool pong, const uint8_t *p, size_t len, uint64_t rtt)
{
    json_t *line = begin(e, pong ? "pong" : "ping");
    if (line == NULL) {
        return;
    }
    set_payload(line, true, p, len);
    if (pong) {
        (void)json_object_set_new(line, "rtt_ms",
                                  rtt == UINT64_MAX ? json_null() : json_real((double)rtt / 1000));
    }
    end(e, line);
}

void ws_events_close(struct ws_events *e, uint16_t code, const char *reason, bool clean, bool by_us)
{
    json_t *line = begin(e, "close");
    if (line == NULL) {
        return;
    }
    (void)json_object_set_new(line, "code", json_integer(code));
    set_text(line, "meaning", cleat_ws_code_sentence(code));
    set_text(line, "reason", reason);
    (void)json_object_set_new(line, "clean", json_boolean(clean));
    set_text(line, "by", by_us ? "client" : "server");
    end(e, line);
}

void ws_events_error(struct ws_events *e, const char *stage, const struct cleat_error *error)
{
    json_t *line = begin(e, "error");
    if (line == NULL) {
        return;
    }
    set_text(line, "stage", stage);
    set_text(line, "code", cleat_error_name(error->code));
    set_text(line, "text", error->text);
    set_text(line, "section", error->section[0] != '\0' ? error->section : NULL);
    set_text(line, "hint", error->hint[0] != '\0' ? error->hint : NULL);
    end(e, line);
}
