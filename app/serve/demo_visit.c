/* serve/demo_visit.c - see demo_visit.h. Runs inside the engine's steps: it looks, and copies. */
#include "serve/demo_visit.h"

#include <string.h>

#include "base/mem.h"
#include "conn/json_text.h"
#include "net/clock.h"

cl_result cl_demo_visit_new(const struct cleat_tls *tls, const char *peer,
                            struct cl_demo_visit **out)
{
    struct cl_demo_visit *visit = cl_calloc(1, sizeof(*visit));
    json_t *events = json_array();
    if (visit == NULL || events == NULL) {
        cl_free(visit);
        json_decref(events);
        return CLEAT_ERR_NOMEM;
    }
    visit->tls = tls;
    visit->peer = peer;
    visit->events = events;
    visit->began = cl_clock_mono_us();
    *out = visit;
    return CL_OK;
}

void cl_demo_visit_free(struct cl_demo_visit *visit)
{
    if (visit != NULL) {
        json_decref(visit->events);
        cl_free(visit);
    }
}

json_t *cl_demo_text(const char *text)
{
    return text != NULL ? cl_json_text(text, strlen(text)) : json_null();
}

static void set(json_t *o, const char *key, const char *text)
{
    (void)json_object_set_new(o, key, cl_demo_text(text));
}

/* What cannot be had stays empty: JA3 without MD5. */
static void take_fingerprints(struct cl_demo_visit *visit, const struct cleat_event *e)
{
    size_t ja3_len = sizeof(visit->ja3);
    size_t ja4_len = sizeof(visit->ja4);
    if (cleat_fingerprint(CLEAT_JA3, CLEAT_HELLO_TCP, e->message.bytes, e->message.len, visit->ja3,
                          &ja3_len, NULL) != CLEAT_OK) {
        visit->ja3[0] = '\0';
    }
    if (cleat_fingerprint(CLEAT_JA4, CLEAT_HELLO_TCP, e->message.bytes, e->message.len, visit->ja4,
                          &ja4_len, NULL) != CLEAT_OK) {
        visit->ja4[0] = '\0';
    }
}

static void tell_message(struct cl_demo_visit *visit, json_t *o, const struct cleat_event *e)
{
    char text[CL_DEMO_MAX_TEXT];
    if (e->message.type == 1 && visit->ja4[0] == '\0') {
        take_fingerprints(visit, e);
    }
    (void)cleat_tls_describe(e->message.bytes, e->message.len, text, sizeof(text));
    set(o, "kind", "message");
    (void)json_object_set_new(o, "type", json_integer(e->message.type));
    set(o, "name", e->message.name);
    (void)json_object_set_new(o, "bytes", json_integer((json_int_t)e->message.len));
    set(o, "text", text);
}

static void tell_alert(struct cl_demo_visit *visit, json_t *o, const struct cleat_event *e)
{
    set(o, "kind", "alert");
    (void)json_object_set_new(o, "type", json_integer(e->alert.alert));
    set(o, "name", e->alert.name);
}

static void tell_choice(struct cl_demo_visit *visit, json_t *o, const struct cleat_event *e)
{
    set(o, "kind", "choice");
    set(o, "name", e->choice.what);
    set(o, "value", e->choice.value);
    set(o, "text", e->choice.why);
}

static void tell_key(struct cl_demo_visit *visit, json_t *o, const struct cleat_event *e)
{
    set(o, "kind", "key");
    set(o, "name", e->key.epoch);
    set(o, "value", e->key.cipher);
}

static void tell_ticket(struct cl_demo_visit *visit, json_t *o, const struct cleat_event *e)
{
    set(o, "kind", "ticket");
    set(o, "name", e->ticket.what);
    (void)json_object_set_new(o, "lifetime", json_integer(e->ticket.lifetime));
}

static void tell_warning(struct cl_demo_visit *visit, json_t *o, const struct cleat_event *e)
{
    set(o, "kind", "warning");
    set(o, "name", e->warning.what);
    set(o, "text", e->warning.text);
}

void cl_demo_visit_event(struct cl_demo_visit *visit, const struct cleat_event *event)
{
    static void (*const tellers[])(struct cl_demo_visit *, json_t *, const struct cleat_event *) = {
        [CLEAT_EVENT_MESSAGE] = tell_message, [CLEAT_EVENT_ALERT] = tell_alert,
        [CLEAT_EVENT_CHOICE] = tell_choice,   [CLEAT_EVENT_KEY] = tell_key,
        [CLEAT_EVENT_SECRET] = NULL,                                      /* never */
        [CLEAT_EVENT_TICKET] = tell_ticket,   [CLEAT_EVENT_STATE] = NULL, /* the engine's inside */
        [CLEAT_EVENT_WARNING] = tell_warning, [CLEAT_EVENT_FINGERPRINT] = NULL,
    };
    const size_t kind = (size_t)event->kind;
    if (visit == NULL || kind >= sizeof(tellers) / sizeof(tellers[0]) || tellers[kind] == NULL) {
        return;
    }
    if (json_array_size(visit->events) >= CL_DEMO_MAX_EVENTS) {
        visit->full = true;
        return;
    }
    const uint64_t us = cl_clock_mono_us() - visit->began;
    json_t *o = json_object();
    (void)json_object_set_new(o, "us", json_integer((json_int_t)us));
    (void)json_object_set_new(o, "sent", json_boolean(event->sent));
    tellers[kind](visit, o, event);
    (void)json_array_append_new(visit->events, o);
}
