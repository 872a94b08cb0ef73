/* record/replay_compare.c - what comes out of a replayed connection beside what came out then, and
 * in which message a difference lies.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "record/json.h"
#include "record/names.h"
#include "record/replay_impl.h"
#include "tls/msg.h"

/* 131,072: as the room for one call's output (replay.c) */
#define MAX_OUT    (1u << 17)
/* 1,024 records in one call's output */
#define MAX_OPAQUE 1024
/* 8 bytes of each side are shown */
#define SHOWN      8

void cl_replay_compare_event(struct cl_replay *r, const struct cleat_event *e)
{
    char text[CL_REC_EVENT_SIZE];
    if (r->op == NULL || cl_rec_event(e, text, sizeof(text)) == NULL) {
        return;
    }
    const json_t *events = json_object_get(r->op, "events");
    const char *then = json_string_value(json_array_get(events, r->at_event++));
    if (r->event_why[0] == '\0' && (then == NULL || strcmp(then, text) != 0)) {
        (void)snprintf(r->event_why, sizeof(r->event_why), "now %s; recorded %s", text,
                       then != NULL ? then : "nothing more");
    }
}

/* ---- where in the output ---- */

struct place {
    size_t record; /* from 1 */
    uint8_t type;
    size_t in_message; /* a handshake message in clear: the byte in it */
    uint8_t message;
    bool in_clear;
};

/* Walks the messages of a flight that starts in this output. */
static void in_flight(struct place *out, struct cl_rd flight, size_t at)
{
    struct cl_rd r = flight, body;
    uint8_t type;
    while (cl_rd_u8(&r, &type)) {
        const size_t start = flight.len - r.len - 1;
        const bool whole = cl_rd_vec24(&r, &body);
        const size_t end = flight.len - r.len;
        if (at < end || !whole) {
            out->in_clear = true;
            out->message = type;
            out->in_message = at - start;
            return;
        }
    }
}

static struct place find_place(struct cl_rd wire, size_t at)
{
    struct place place = {0};
    struct cl_buf flight = {0};
    struct cl_rd r = wire, fragment;
    uint8_t type;
    uint16_t version;
    while (cl_rd_u8(&r, &type) && cl_rd_u16(&r, &version) && cl_rd_vec16(&r, &fragment)) {
        const size_t end = wire.len - r.len, start = end - fragment.len;
        place.record++;
        place.type = type;
        const size_t before = flight.len;
        if (type == CL_CT_HANDSHAKE &&
            cl_buf_append(&flight, fragment.p, fragment.len, MAX_OUT) != CL_OK) {
            break;
        }
        if (at < end) {
            if (type == CL_CT_HANDSHAKE && at >= start) {
                in_flight(&place, cl_buf_view(&flight), before + (at - start));
            }
            break;
        }
    }
    cl_buf_deinit(&flight);
    return place;
}

static const char *record_name(uint8_t type)
{
    return type == CL_CT_CHANGE_CIPHER_SPEC ? "change_cipher_spec"
           : type == CL_CT_ALERT            ? "alert"
           : type == CL_CT_HANDSHAKE        ? "handshake"
           : type == CL_CT_APPLICATION_DATA ? "encrypted"
                                            : "unknown";
}

static void describe_place(struct cl_rd wire, size_t at, char *out, size_t cap)
{
    const struct place p = find_place(wire, at);
    if (p.in_clear) {
        (void)snprintf(out, cap, "byte %zu of %s (record %zu)", p.in_message,
                       cl_handshake_name(p.message), p.record);
    } else {
        (void)snprintf(out, cap, "record %zu, of type %s", p.record, record_name(p.type));
    }
}

static void show(struct cl_rd bytes, size_t at, char out[2 * SHOWN + 1])
{
    const size_t left = bytes.len - at;
    cl_hex_encode(bytes.p + at, left < SHOWN ? left : SHOWN, out);
}

static void tell_bytes(struct cl_replay *r, struct cl_rd then, struct cl_rd now, size_t at)
{
    char place[128], hex_then[2 * SHOWN + 1] = "nothing", hex_now[2 * SHOWN + 1] = "nothing";
    describe_place(at < now.len ? now : then, at, place, sizeof(place));
    if (at < then.len) {
        show(then, at, hex_then);
    }
    if (at < now.len) {
        show(now, at, hex_now);
    }
    cl_replay_differ(r,
                     "byte %zu of what is written, in %s, is another one: recorded %s, now %s (%zu "
                     "bytes recorded, %zu now)%s%s",
                     at, place, hex_then, hex_now, then.len, now.len,
                     r->event_why[0] != '\0' ? "; " : "", r->event_why);
}

/* ---- output ---- */

/* Makes both alike where the recording lacks the keys; false: not a valid list. */
static bool mask(const json_t *op, struct cl_buf *then, struct cl_buf *now, size_t *masked)
{
    const json_t *list;
    if (!cl_rec_get_list(op, "opaque", MAX_OPAQUE, &list)) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *pair = json_array_get(list, i);
        const json_int_t at = json_integer_value(json_array_get(pair, 0));
        const json_int_t len = json_integer_value(json_array_get(pair, 1));
        if (at < 0 || len <= 0 || (size_t)at > then->len || (size_t)len > then->len - (size_t)at) {
            return false;
        }
        *masked += (size_t)len;
        for (size_t k = (size_t)at; k < (size_t)at + (size_t)len && k < now->len; k++) {
            now->p[k] = then->p[k];
        }
    }
    return true;
}

cl_result cl_replay_compare_output(struct cl_replay *r, const json_t *op)
{
    struct cl_buf then = {0};
    size_t at = 0, masked = 0;
    if (!cl_rec_get_hex(op, "out", MAX_OUT, &then)) {
        cl_buf_deinit(&then);
        return cl_replay_bad(r, "out");
    }
    if (!mask(op, &then, &r->out, &masked)) {
        cl_buf_deinit(&then);
        return cl_replay_bad(r, "opaque");
    }
    const size_t both = then.len < r->out.len ? then.len : r->out.len;
    while (at < both && then.p[at] == r->out.p[at]) {
        at++;
    }
    if (at < then.len || at < r->out.len) {
        tell_bytes(r, cl_buf_view(&then), cl_buf_view(&r->out), at);
    } else {
        r->result->num_bytes += then.len - masked;
        r->result->num_lengths += masked;
    }
    if (r->event_why[0] != '\0') {
        cl_replay_differ(r, "another event: %s", r->event_why);
    }
    if (r->random_used < r->random.len) {
        cl_replay_differ(r, "%zu random bytes are drawn; recorded: %zu", r->random_used,
                         r->random.len);
    }
    cl_buf_deinit(&then);
    return CL_OK;
}

/* ---- how it failed ---- */

cl_result cl_replay_compare_error(struct cl_replay *r, const json_t *op)
{
    const json_t *then = json_object_get(op, "error");
    const struct cleat_error *now = cleat_tls_error(r->tls);
    const char *code, *text;
    uint64_t alert;
    bool from_peer;
    if (then == NULL) {
        return CL_OK;
    }
    if (!cl_rec_get_text(then, "code", &code) || code == NULL ||
        !cl_rec_get_text(then, "text", &text) || text == NULL ||
        !cl_rec_get_number(then, "alert", UINT8_MAX, &alert) ||
        !cl_rec_get_bool(then, "from_peer", &from_peer)) {
        return cl_replay_bad(r, "error");
    }
    const char *name = now->code != CLEAT_OK ? cleat_error_name(now->code) : "no failure";
    if (strcmp(name, code) != 0 || now->alert != alert || now->from_peer != from_peer) {
        cl_replay_differ(r, "now %s, alert %u (%s); recorded %s, alert %u (%s)", name, now->alert,
                         now->text, code, (unsigned)alert, text);
        return CL_OK;
    }
    json_t *now_text = cl_rec_text(now->text); /* as it is written */
    if (now_text != NULL && strcmp(json_string_value(now_text), text) != 0) {
        (void)snprintf(r->result->remark, sizeof(r->result->remark),
                       "the failure is told in other words: \"%.280s\"; recorded: \"%.280s\"",
                       now->text, text);
    }
    json_decref(now_text);
    return CL_OK;
}
