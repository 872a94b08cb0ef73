/* tls/event.c - typed events to the configuration's sink; nothing is built when there is none. */
#include "cleat/fingerprint.h"
#include "tls/conn.h"

static void emit(struct cleat_tls *tls, const struct cleat_event *event)
{
    tls->config->sink(tls->config->sink_ctx, tls->user, event);
}

void cl_event_choice(struct cleat_tls *tls, const char *what, const char *value, const char *why)
{
    if (tls->config->sink != NULL) {
        struct cleat_event e = {.kind = CLEAT_EVENT_CHOICE};
        e.choice.what = what;
        e.choice.value = value;
        e.choice.why = why;
        emit(tls, &e);
    }
}

void cl_event_message(struct cleat_tls *tls, bool sent, struct cl_rd whole)
{
    if (tls->config->sink != NULL && whole.len != 0) {
        struct cleat_event e = {.kind = CLEAT_EVENT_MESSAGE, .sent = sent};
        e.message.type = whole.p[0];
        e.message.name = cl_handshake_name(whole.p[0]);
        e.message.bytes = whole.p;
        e.message.len = whole.len;
        emit(tls, &e);
    }
}

/* A form that cannot be had (no MD5, no memory) is NULL. */
void cl_event_fingerprint(struct cleat_tls *tls, bool sent, struct cl_rd whole)
{
    char ja3[CLEAT_JA3_LEN + 1];
    char ja4[CLEAT_JA4_LEN + 1];
    size_t ja3_len = sizeof(ja3);
    size_t ja4_len = sizeof(ja4);
    if (tls->config->sink == NULL || !tls->config->fingerprints) {
        return;
    }
    struct cleat_event e = {.kind = CLEAT_EVENT_FINGERPRINT, .sent = sent};
    if (cleat_fingerprint(CLEAT_JA3, CLEAT_HELLO_TCP, whole.p, whole.len, ja3, &ja3_len, NULL) ==
        CLEAT_OK) {
        e.fingerprint.ja3 = ja3;
    }
    if (cleat_fingerprint(CLEAT_JA4, CLEAT_HELLO_TCP, whole.p, whole.len, ja4, &ja4_len, NULL) ==
        CLEAT_OK) {
        e.fingerprint.ja4 = ja4;
    }
    e.fingerprint.hello = whole.p;
    e.fingerprint.hello_len = whole.len;
    emit(tls, &e);
}

void cl_event_alert(struct cleat_tls *tls, bool sent, uint8_t level, uint8_t alert)
{
    if (tls->config->sink != NULL) {
        struct cleat_event e = {.kind = CLEAT_EVENT_ALERT, .sent = sent};
        e.alert.level = level;
        e.alert.alert = alert;
        e.alert.name = cleat_alert_name(alert);
        emit(tls, &e);
    }
}

void cl_event_key(struct cleat_tls *tls, bool sending, const char *epoch)
{
    if (tls->config->sink != NULL) {
        struct cleat_event e = {.kind = CLEAT_EVENT_KEY, .sent = sending};
        e.key.epoch = epoch;
        e.key.cipher = tls->suite->short_name;
        emit(tls, &e);
    }
}

void cl_event_logged(struct cleat_tls *tls, const char *label,
                     const uint8_t client_random[CL_RANDOM_LEN], struct cl_rd value)
{
    if (tls->config->sink != NULL && tls->config->sink_secrets) {
        struct cleat_event e = {.kind = CLEAT_EVENT_SECRET};
        e.secret.label = label;
        e.secret.client_random = client_random;
        e.secret.secret = value.p;
        e.secret.secret_len = value.len;
        emit(tls, &e);
    }
}

void cl_event_secret(struct cleat_tls *tls, const char *label, const struct cl_secret *secret)
{
    cl_event_logged(tls, label, tls->hs->client_random, cl_rd_of(secret->bytes, secret->len));
}

void cl_event_ticket(struct cleat_tls *tls, bool sent, uint32_t lifetime, const char *what)
{
    if (tls->config->sink != NULL) {
        struct cleat_event e = {.kind = CLEAT_EVENT_TICKET, .sent = sent};
        e.ticket.lifetime = lifetime;
        e.ticket.what = what;
        emit(tls, &e);
    }
}

void cl_event_state(struct cleat_tls *tls, const char *name)
{
    if (tls->config->sink != NULL) {
        struct cleat_event e = {.kind = CLEAT_EVENT_STATE};
        e.state.name = name;
        emit(tls, &e);
    }
}

void cl_event_weaknesses(struct cleat_tls *tls)
{
    const struct cl_weakness *w;
    for (size_t i = 0; tls->config->sink != NULL && (w = cl_suite_weakness(tls->suite, i)) != NULL;
         i++) {
        struct cleat_event e = {.kind = CLEAT_EVENT_WARNING};
        e.warning.what = w->what;
        e.warning.text = w->text;
        emit(tls, &e);
    }
}
