/* cli/client_explain.c - see client_explain.h. The library speaks of peers and states, for either
 * role; here it is known that the peer is a server, and which options could help. */
#include "cli/client_explain.h"

#include <stdio.h>
#include <string.h>

#include "cleat/tls.h"

#define NOT_ACCEPTED "the server does not accept our certificate (-E): its log says why"

/* RFC 9846 6.2 has what the alerts mean. */
static const struct {
    uint8_t alert;
    const char *hint;
} alert_hints[] = {
    {40, /* handshake_failure */
     "nothing that we offered suits the server, or it wants a certificate of ours: see --ciphers, "
     "--curves, --sigalgs, -E; -v shows the offer"},
    {42, NOT_ACCEPTED}, /* bad_certificate */
    {43, NOT_ACCEPTED}, /* unsupported_certificate */
    {44, NOT_ACCEPTED}, /* certificate_revoked */
    {45, NOT_ACCEPTED}, /* certificate_expired */
    {46, NOT_ACCEPTED}, /* certificate_unknown */
    {48, NOT_ACCEPTED}, /* unknown_ca */
    {49, NOT_ACCEPTED}, /* access_denied */
    {71,                /* insufficient_security */
     "the server wants stronger cipher suites or groups: see --ciphers and --curves"},
    {80, "the server itself is in trouble: its log may say why"},   /* internal_error */
    {112, "the server knows no site of that name: check the host"}, /* unrecognized_name */
    {116,                                                           /* certificate_required */
     "the server wants a certificate of ours: give it with -E FILE and --key FILE"},
    {120, /* no_application_protocol */
     "the server speaks none of the protocols that we offered: see --alpn and --no-alpn"},
};

/* protocol_version */
#define ALERT_VERSION 70

static const char *hint_of_version(const struct client_options *o)
{
    if (o->tls_max == CLEAT_TLS_1_2) {
        return "the server may know only newer versions: leave out --tls-max";
    }
    if (o->tls_min == CLEAT_TLS_1_3) {
        return "the server knows only older versions: --tls-min 1.2 offers TLS 1.2 too";
    }
    if (o->tls_min == 0 && o->profile != NULL) {
        return "the server may know only older versions than the profile allows: see 'cleat "
               "profile show', and --tls-min 1.2";
    }
    return "the server knows only versions older than TLS 1.2, which are not safe any more";
}

static const char *hint_of_alert(uint8_t alert, const struct client_options *o)
{
    if (alert == ALERT_VERSION) {
        return hint_of_version(o);
    }
    for (size_t i = 0; i < sizeof(alert_hints) / sizeof(alert_hints[0]); i++) {
        if (alert_hints[i].alert == alert) {
            return alert_hints[i].hint;
        }
    }
    return NULL;
}

static void set_hint(struct cleat_error *err, const char *hint)
{
    if (hint != NULL) {
        (void)snprintf(err->hint, sizeof(err->hint), "%s", hint);
    }
}

/* The connection ended; a text without a section is the system's ("connection reset by peer"). */
static void explain_early_end(struct cleat_error *err)
{
    static const char hint[] = "perhaps TLS is not spoken on that port, or the server, or a "
                               "firewall, refuses this client or that host name";
    char text[sizeof(err->text)];
    if (err->section[0] != '\0') {
        (void)snprintf(text, sizeof(text), "the server closed the connection in the TLS handshake");
    } else {
        (void)snprintf(text, sizeof(text), "the TLS handshake was cut off: %.300s", err->text);
    }
    memcpy(err->text, text, sizeof(err->text));
    set_hint(err, hint);
}

void client_explain(struct cleat_error *err, const struct client_options *o, bool ready)
{
    bool by_alert = err->code == CLEAT_ERR_PEER_ALERT;
    if (!ready && (err->code == CLEAT_ERR_TRUNCATED || (by_alert && err->alert == 0))) {
        explain_early_end(err);
    } else if (by_alert) {
        (void)snprintf(err->text, sizeof(err->text), "the server ended the %s with the alert %s",
                       ready ? "connection" : "TLS handshake", cleat_alert_name(err->alert));
        set_hint(err, hint_of_alert(err->alert, o));
    } else if (err->code == CLEAT_ERR_NOT_TLS) {
        set_hint(err, "something else than TLS is spoken on that port: check host and port");
    }
}

void client_tell_detail(const struct cleat_error *err, bool of_verification)
{
    bool tls_or_more = err->code <= CLEAT_ERR_DECODE && err->code != CLEAT_ERR_HTTP_STATUS;
    if (tls_or_more) {
        (void)fprintf(stderr, "  %s%s%s%s%s%s\n", cleat_error_name(err->code),
                      err->section[0] != '\0' ? ", " : "", err->section,
                      err->alert != 0 ? ", alert " : "",
                      err->alert != 0 ? cleat_alert_name(err->alert) : "",
                      err->alert == 0  ? ""
                      : err->from_peer ? " received"
                                       : " sent");
    }
    if (err->hint[0] != '\0') {
        (void)fprintf(stderr, "  hint: %s\n", err->hint);
    }
    /* Where no CA would help, and where it was the proxy's certificate. */
    if (of_verification && err->code != CLEAT_ERR_DANE_NO_MATCH &&
        strstr(err->hint, "--proxy-cacert") == NULL) {
        (void)fprintf(stderr, "  --cacert FILE trusts another CA; -k accepts any certificate, and "
                              "with it any impostor\n");
    }
}
