/* cli/ws_replay.c - see ws_replay.h. */
#include "cli/ws_replay.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/read_file.h"
#include "cli/ws_events.h"

static cl_result bad_line(struct cleat_error *err, const char *path, size_t number, const char *why)
{
    const struct cl_why reason = {.code = CLEAT_ERR_BAD_CONFIG,
                                  .hint = "a recording is what cleat ws --record FILE writes"};
    return cl_error_set(err, reason, "%s, line %zu: %s", path, number, why);
}

/* The payload of a message: "text" or "base64". */
static const char *take_payload(const json_t *line, struct ws_recorded *item)
{
    const json_t *text = json_object_get(line, "text");
    const json_t *encoded = json_object_get(line, "base64");
    const json_t *payload = json_is_string(text) ? text : encoded;
    if (!json_is_string(payload)) {
        return "a message has neither \"text\" nor \"base64\"";
    }
    size_t len = json_string_length(payload);
    item->p = cl_alloc(len + 1);
    if (item->p == NULL) {
        return "out of memory";
    }
    if (payload == text) {
        memcpy(item->p, json_string_value(text), len);
        item->len = len;
        return NULL;
    }
    bool fine =
        cl_base64_decode(json_string_value(encoded), len, false, item->p, len + 1, &item->len);
    return fine ? NULL : "\"base64\" is not base64";
}

static const char *take_line(struct ws_replay *r, const json_t *line)
{
    const char *event = json_string_value(json_object_get(line, "event"));
    const json_t *schema = json_object_get(line, "schema");
    double ms = json_number_value(json_object_get(line, "t"));
    if (!json_is_integer(schema) || json_integer_value(schema) != WS_EVENTS_SCHEMA) {
        return "\"schema\" is not 1";
    }
    /* A year: such times are a mistake. */
    if (event == NULL || !(ms >= 0) || ms > 366.0 * 86400e3) {
        return "\"event\" or \"t\" is missing or wrong";
    }
    uint64_t at_us = (uint64_t)(ms * 1000);
    r->end_us = at_us > r->end_us ? at_us : r->end_us;
    if (strcmp(event, "message") != 0) {
        return NULL;
    }
    const char *direction = json_string_value(json_object_get(line, "direction"));
    const char *type = json_string_value(json_object_get(line, "type"));
    if (direction == NULL || type == NULL) {
        return "a message has no \"direction\" or no \"type\"";
    }
    struct ws_recorded *grown = cl_realloc(r->items, (r->num + 1) * sizeof(*grown));
    if (grown == NULL) {
        return "out of memory";
    }
    r->items = grown;
    struct ws_recorded *item = &r->items[r->num++];
    *item = (struct ws_recorded){.at_us = at_us,
                                 .sent = strcmp(direction, "sent") == 0,
                                 .binary = strcmp(type, "binary") == 0};
    return take_payload(line, item);
}

static cl_result parse(struct ws_replay *r, const char *path, const char *p, size_t len,
                       struct cleat_error *err)
{
    for (size_t number = 1; len > 0; number++) {
        const char *end = memchr(p, '\n', len);
        size_t line_len = end != NULL ? (size_t)(end - p) : len;
        size_t step = end != NULL ? line_len + 1 : line_len;
        json_error_t json_error;
        json_t *line =
            json_loadb(p, line_len, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &json_error);
        const char *why = line == NULL ? json_error.text : take_line(r, line);
        if (why != NULL) {
            cl_result rc = bad_line(err, path, number, why);
            json_decref(line);
            return rc;
        }
        json_decref(line);
        p += step;
        len -= step;
    }
    return CL_OK;
}

cl_result ws_replay_load(struct ws_replay *r, const char *path, struct cleat_error *err)
{
    struct cl_buf text = {0};
    const char *why = "";
    cl_result rc;
    *r = (struct ws_replay){0};
    if (!cl_read_file(path, &text, WS_MAX_RECORDING, &why)) {
        rc = cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG}, "cannot read %s: %s",
                          path, why);
    } else {
        rc = parse(r, path, (const char *)text.p, text.len, err);
    }
    cl_buf_deinit(&text);
    return rc;
}

void ws_replay_deinit(struct ws_replay *r)
{
    for (size_t i = 0; i < r->num; i++) {
        cl_free(r->items[i].p);
    }
    cl_free(r->items);
    *r = (struct ws_replay){0};
}

/* The first item from *at on of that direction; *at moves there. */
static const struct ws_recorded *seek(const struct ws_replay *r, size_t *at, bool sent)
{
    while (*at < r->num && r->items[*at].sent != sent) {
        (*at)++;
    }
    return *at < r->num ? &r->items[*at] : NULL;
}

const struct ws_recorded *ws_replay_to_send(struct ws_replay *r)
{
    return seek(r, &r->next_sent, true);
}

void ws_replay_sent(struct ws_replay *r)
{
    r->next_sent++;
}

bool ws_replay_compare(struct ws_replay *r, bool binary, const uint8_t *p, size_t len,
                       char why[WS_REPLAY_WHY])
{
    const struct ws_recorded *item = seek(r, &r->next_received, false);
    if (item == NULL) {
        (void)snprintf(why, WS_REPLAY_WHY, "a message of %zu bytes that the recording has not",
                       len);
        return false;
    }
    size_t number = ++r->num_compared;
    r->next_received++;
    if (item->binary != binary) {
        (void)snprintf(why, WS_REPLAY_WHY, "message %zu is %s, the recording's is %s", number,
                       binary ? "binary" : "text", item->binary ? "binary" : "text");
        return false;
    }
    size_t at = 0;
    while (at < len && at < item->len && p[at] == item->p[at]) {
        at++;
    }
    if (at == len && at == item->len) {
        return true;
    }
    (void)snprintf(why, WS_REPLAY_WHY,
                   "message %zu (%zu bytes; %zu in the recording) differs from byte %zu on", number,
                   len, item->len, at);
    return false;
}

size_t ws_replay_missing(const struct ws_replay *r)
{
    size_t num = 0;
    for (size_t i = r->next_received; i < r->num; i++) {
        num += !r->items[i].sent;
    }
    return num;
}
