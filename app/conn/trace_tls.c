/* conn/trace_tls.c - the trace's lines about the handshake and the peer's chain. */
#include <inttypes.h>

#include "cleat/ech.h"
#include "conn/proof.h"
#include "conn/staple.h"
#include "conn/trace_line.h"

/* 16 KiB: a whole handshake message of the longest kind described; human lines are cut earlier */
#define DESCRIPTION_SIZE 16384

/* ---- the engine's events ---- */

static void on_message(struct cl_trace *t, const struct cleat_event *e)
{
    static char text[DESCRIPTION_SIZE];
    (void)cleat_tls_describe(e->message.bytes, e->message.len, text, sizeof(text));
    cl_trace_say(t, e->sent ? CL_TRACE_SENT : CL_TRACE_RECEIVED, "tls", "%s, %zu bytes%s%s",
                 e->message.name, e->message.len, text[0] != '\0' ? ": " : "", text);
    json_t *line = cl_trace_begin(t, "tls.message");
    if (line != NULL) {
        (void)json_object_set_new(line, "sent", json_boolean(e->sent));
        (void)json_object_set_new(line, "type", json_integer(e->message.type));
        cl_trace_set_text(line, "name", e->message.name);
        (void)json_object_set_new(line, "bytes", json_integer((json_int_t)e->message.len));
        cl_trace_set_text(line, "text", text);
        cl_trace_end(t, line);
    }
}

static void on_alert(struct cl_trace *t, const struct cleat_event *e)
{
    bool closing = e->alert.alert == 0;
    enum cl_trace_mark mark = !closing ? CL_TRACE_BAD : e->sent ? CL_TRACE_SENT : CL_TRACE_RECEIVED;
    cl_trace_say(t, mark, "tls", "alert %s: %s (%u)", e->sent ? "sent" : "received", e->alert.name,
                 (unsigned)e->alert.alert);
    json_t *line = cl_trace_begin(t, "tls.alert");
    (void)json_object_set_new(line, "sent", json_boolean(e->sent));
    (void)json_object_set_new(line, "alert", json_integer(e->alert.alert));
    cl_trace_set_text(line, "name", e->alert.name);
    cl_trace_end(t, line);
}

static void on_choice(struct cl_trace *t, const struct cleat_event *e)
{
    cl_trace_say(t, CL_TRACE_INFO, "tls", "%s: %s (%s)", e->choice.what, e->choice.value,
                 e->choice.why);
    json_t *line = cl_trace_begin(t, "tls.choice");
    cl_trace_set_text(line, "what", e->choice.what);
    cl_trace_set_text(line, "value", e->choice.value);
    cl_trace_set_text(line, "why", e->choice.why);
    cl_trace_end(t, line);
}

static void on_key(struct cl_trace *t, const struct cleat_event *e)
{
    cl_trace_say(t, CL_TRACE_INFO, "tls", "%s keys for %s in use (%s)", e->key.epoch,
                 e->sent ? "sending" : "receiving", e->key.cipher);
    json_t *line = cl_trace_begin(t, "tls.key");
    (void)json_object_set_new(line, "sent", json_boolean(e->sent));
    cl_trace_set_text(line, "epoch", e->key.epoch);
    cl_trace_set_text(line, "cipher", e->key.cipher);
    cl_trace_end(t, line);
}

static void on_ticket(struct cl_trace *t, const struct cleat_event *e)
{
    cl_trace_say(t, CL_TRACE_INFO, "tls", "session ticket %s (lifetime %" PRIu32 " s)",
                 e->ticket.what, e->ticket.lifetime);
    json_t *line = cl_trace_begin(t, "tls.ticket");
    cl_trace_set_text(line, "what", e->ticket.what);
    (void)json_object_set_new(line, "lifetime", json_integer(e->ticket.lifetime));
    cl_trace_end(t, line);
}

/* States are the engine's inside: for programs (tests, bug reports), not for people. */
static void on_state(struct cl_trace *t, const struct cleat_event *e)
{
    json_t *line = cl_trace_begin(t, "tls.state");
    cl_trace_set_text(line, "name", e->state.name);
    cl_trace_end(t, line);
}

static void on_warning(struct cl_trace *t, const struct cleat_event *e)
{
    cl_trace_say(t, CL_TRACE_BAD, "tls", "warning: %s: %s", e->warning.what, e->warning.text);
    json_t *line = cl_trace_begin(t, "tls.warning");
    cl_trace_set_text(line, "what", e->warning.what);
    cl_trace_set_text(line, "text", e->warning.text);
    cl_trace_end(t, line);
}

static void on_fingerprint(struct cl_trace *t, const struct cleat_event *e)
{
    const char *ja3 = e->fingerprint.ja3;
    const char *ja4 = e->fingerprint.ja4 != NULL ? e->fingerprint.ja4 : "-";
    cl_trace_say(t, CL_TRACE_INFO, "tls", "fingerprint JA4 %s%s%s", ja4,
                 ja3 != NULL ? ", JA3 " : "", ja3 != NULL ? ja3 : "");
    json_t *line = cl_trace_begin(t, "tls.fingerprint");
    (void)json_object_set_new(line, "sent", json_boolean(e->sent));
    cl_trace_set_text(line, "ja3", ja3);
    cl_trace_set_text(line, "ja4", e->fingerprint.ja4);
    cl_trace_end(t, line);
}

void cl_trace_tls_event(struct cl_trace *t, const struct cleat_event *event)
{
    static void (*const tellers[])(struct cl_trace *, const struct cleat_event *) = {
        [CLEAT_EVENT_MESSAGE] = on_message,
        [CLEAT_EVENT_ALERT] = on_alert,
        [CLEAT_EVENT_CHOICE] = on_choice,
        [CLEAT_EVENT_KEY] = on_key,
        [CLEAT_EVENT_SECRET] = NULL,
        [CLEAT_EVENT_TICKET] = on_ticket,
        [CLEAT_EVENT_STATE] = on_state,
        [CLEAT_EVENT_WARNING] = on_warning,
        [CLEAT_EVENT_FINGERPRINT] = on_fingerprint,
    };
    size_t kind = (size_t)event->kind;
    if (t != NULL && kind < sizeof(tellers) / sizeof(tellers[0]) && tellers[kind] != NULL) {
        tellers[kind](t, event);
    }
}

/* ---- what was agreed ---- */

static void on_staple(struct cl_trace *t, const struct cleat_tls *tls)
{
    struct cl_staple s;
    cl_staple_of(tls, &s);
    if (s.ocsp_len == 0 && s.num_scts == 0) {
        return;
    }
    if (s.ocsp_len != 0) {
        cl_trace_say(t, CL_TRACE_INFO, "cert",
                     "OCSP response of %zu bytes, responseStatus %s (not verified)", s.ocsp_len,
                     s.ocsp_status);
    }
    if (s.num_scts != 0) {
        cl_trace_say(t, CL_TRACE_INFO, "cert", "%zu certificate timestamp%s (not verified)",
                     s.num_scts, s.num_scts == 1 ? "" : "s");
    }
    json_t *line = cl_trace_begin(t, "tls.staple");
    (void)json_object_set_new(line, "ocsp_bytes", json_integer((json_int_t)s.ocsp_len));
    cl_trace_set_text(line, "ocsp_status", s.ocsp_len != 0 ? s.ocsp_status : NULL);
    (void)json_object_set_new(line, "scts", json_integer((json_int_t)s.num_scts));
    cl_trace_end(t, line);
}

void cl_trace_tls_ready(struct cl_trace *t, const struct cleat_tls *tls, uint64_t us)
{
    struct cleat_tls_info info;
    if (t == NULL || cleat_tls_info(tls, &info) != CLEAT_OK) {
        return;
    }
    const char *version = info.version == CLEAT_TLS_1_2 ? "TLS 1.2" : "TLS 1.3";
    const enum cleat_ech_status ech = cleat_tls_ech_status(tls);
    cl_trace_say(t, CL_TRACE_GOOD, "tls", "%s, %s, %s, %s%s%s%s%s%s (%.1f ms)", version,
                 info.cipher_name, info.group_name != NULL ? info.group_name : "no key exchange",
                 info.signature_name != NULL ? info.signature_name : "no signature",
                 info.alpn != NULL ? ", ALPN " : "", info.alpn != NULL ? info.alpn : "",
                 info.resumed ? ", resumed" : "", info.hello_retry ? ", after a retry" : "",
                 ech == CLEAT_ECH_ACCEPTED ? ", by Encrypted Client Hello" : "", (double)us / 1000);
    json_t *line = cl_trace_begin(t, "tls.ready");
    cl_trace_set_text(line, "version", version);
    cl_trace_set_text(line, "cipher", info.cipher_name);
    cl_trace_set_text(line, "group", info.group_name);
    cl_trace_set_text(line, "signature", info.signature_name);
    cl_trace_set_text(line, "alpn", info.alpn);
    cl_trace_set_text(line, "ech", cleat_ech_status_name(ech));
    cl_trace_set_text(line, "server_name", info.server_name);
    (void)json_object_set_new(line, "resumed", json_boolean(info.resumed));
    (void)json_object_set_new(line, "hello_retry", json_boolean(info.hello_retry));
    cl_trace_set_ms(line, "ms", us);
    cl_trace_end(t, line);
    on_staple(t, tls);
}

/* ---- the peer's chain ---- */

static void say_cert(struct cl_trace *t, size_t depth, const struct cleat_cert *cert, int64_t now)
{
    char name[256], kind[64];
    (void)cleat_cert_subject(cert, name, sizeof(name));
    (void)cleat_cert_key_kind(cert, kind, sizeof(kind));
    int64_t days = (cleat_cert_not_after(cert) - now) / 86400;
    cl_trace_say(t, CL_TRACE_INFO, "cert", "  %zu %s (%s, %" PRId64 " days left)", depth,
                 name[0] != '\0' ? name : "(no subject)", kind, days);
}

static void verdict_json(struct cl_trace *t, const struct cleat_verdict *verdict, bool ignored)
{
    json_t *line = cl_trace_begin(t, "tls.verdict");
    if (line == NULL) {
        return;
    }
    int code = cleat_verdict_code(verdict);
    (void)json_object_set_new(line, "accepted", json_boolean(code == CLEAT_OK));
    (void)json_object_set_new(line, "ignored", json_boolean(ignored));
    cl_trace_set_text(line, "code", cleat_error_name(code));
    cl_trace_set_text(line, "openssl", cleat_verdict_openssl_name(verdict));
    cl_trace_set_text(line, "text", code != CLEAT_OK ? cleat_verdict_error(verdict)->text : NULL);
    struct cleat_verify_work work;
    cleat_verdict_work(verdict, &work);
    (void)json_object_set_new(line, "us", json_real((double)work.total_ns / 1e3));
    (void)json_object_set_new(line, "signatures_us", json_real((double)work.signatures_ns / 1e3));
    int64_t since;
    if (cleat_verdict_remembered(verdict, &since)) {
        (void)json_object_set_new(line, "remembered_since", json_integer(since));
    }
    (void)json_object_set_new(line, "tries", cl_proof_tries(verdict));
    (void)json_object_set_new(line, "scts", cl_proof_scts(verdict));
    cl_trace_end(t, line);
}

static void say_tries(struct cl_trace *t, const struct cleat_verdict *verdict)
{
    struct cleat_try try;
    size_t num = cleat_verdict_num_tries(verdict);
    /* With a single path its reason is the verdict's, which has been told. */
    for (size_t i = 0; i < num && num > 1; i++) {
        if (cleat_verdict_try(verdict, i, &try) && !try.accepted && try.error != NULL) {
            cl_trace_say(t, CL_TRACE_INFO, "cert", "  path %zu of %zu: %s", i + 1, num,
                         try.error->text);
        }
    }
}

static void say_verified(struct cl_trace *t, const struct cleat_verdict *verdict, size_t num,
                         int64_t now)
{
    struct cleat_verify_work work;
    int64_t since;
    char end[96];
    cleat_verdict_work(verdict, &work);
    if (cleat_verdict_remembered(verdict, &since)) {
        (void)snprintf(end, sizeof(end), "remembered: made %" PRId64 " s ago for the same chain",
                       now - since);
    } else {
        (void)snprintf(end, sizeof(end), "%.0f us (signatures %.0f)", (double)work.total_ns / 1e3,
                       (double)work.signatures_ns / 1e3);
    }
    cl_trace_say(t, CL_TRACE_GOOD, "cert", "verified: a path of %zu certificate%s, %zu checks, %s",
                 num, num == 1 ? "" : "s", cl_proof_num_passed(verdict), end);
}

static void say_scts(struct cl_trace *t, const struct cleat_verdict *verdict)
{
    struct cleat_sct sct;
    char text[CL_PROOF_SCT_SIZE];
    for (size_t i = 0; cleat_verdict_sct(verdict, i, &sct); i++) {
        const bool good = sct.result == CLEAT_SCT_VALID;
        cl_trace_say(t, good ? CL_TRACE_INFO : CL_TRACE_BAD, "cert", "  timestamp %s",
                     cl_proof_sct_text(&sct, text));
    }
}

void cl_trace_verdict(struct cl_trace *t, const struct cleat_verdict *verdict, int64_t now,
                      bool ignored)
{
    if (t == NULL || verdict == NULL) {
        return;
    }
    verdict_json(t, verdict, ignored);
    if (cleat_verdict_code(verdict) == CLEAT_OK) {
        size_t num = cleat_verdict_path_num(verdict);
        say_verified(t, verdict, num, now);
        for (size_t i = 0; i < num; i++) {
            say_cert(t, i, cleat_verdict_path_at(verdict, i), now);
        }
        say_scts(t, verdict);
        return;
    }
    const struct cleat_error *error = cleat_verdict_error(verdict);
    cl_trace_say(t, CL_TRACE_BAD, "cert", "%s: %s (%s, OpenSSL: %s)%s",
                 ignored ? "NOT verified" : "refused", error->text, cleat_error_name(error->code),
                 cleat_verdict_openssl_name(verdict),
                 ignored ? "; going on because of --insecure" : "");
    const struct cleat_cert *leaf = cleat_verdict_leaf(verdict);
    if (leaf != NULL) {
        say_cert(t, 0, leaf, now);
    }
    say_scts(t, verdict);
    say_tries(t, verdict);
}
