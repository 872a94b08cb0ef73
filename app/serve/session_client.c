/* serve/session_client.c - who is at the other end of a session, and may it come in? See session.h.
 *
 * A client is looked at once, when the handshake is done (or early data comes). With
 * --client-auth-path a request for a protected path has a client of TLS 1.3 asked for its
 * certificate then (RFC 9846 4.7.2); the response is held until the answer is there.
 */
#include "cleat/tls_auth.h"
#include "cleat/tls_rawkey.h"
#include "serve/session.h"

/* RFC 9846 6.2: "A valid certificate or PSK was received, but when access control was applied, the
 * sender decided not to proceed with negotiation." */
#define ALERT_ACCESS_DENIED 49

/* What can be done about a client that cannot be asked. */
#define ASK_IN_HANDSHAKE "(--client-auth optional asks in the handshake already)"

static const char *what_is_done(const struct cl_session *s, bool abort)
{
    return abort                                ? "the connection is closed"
           : s->worker->site->protected != NULL ? "protected paths are answered with 403"
                                                : "requests are answered with 403";
}

/* What a client has proved to hold: a certificate, a raw public key, or nothing. */
struct shown {
    const struct cleat_cert *leaf;
    const uint8_t *spki;
    size_t spki_len;
};

static struct shown shown_by(const struct cl_session *s)
{
    const struct cleat_tls *tls = cl_stream_tls(s->stream);
    struct shown shown = {0};
    if (tls != NULL) {
        shown.leaf = cleat_tls_peer_leaf(tls);
        shown.spki = cleat_tls_peer_raw_key(tls, &shown.spki_len);
    }
    return shown;
}

static cl_result identify(struct cl_session *s, const struct shown *shown)
{
    s->client_known = shown->leaf != NULL || shown->spki != NULL;
    return shown->leaf != NULL   ? cl_client_id_fill(&s->client, shown->leaf)
           : shown->spki != NULL ? cl_client_id_fill_raw(&s->client, shown->spki, shown->spki_len)
                                 : CL_OK;
}

/* A raw public key has no names for --client-allow to look at: it was pinned one by one. */
static bool is_allowed(const struct cl_session *s, const struct shown *shown, char *why, size_t cap)
{
    return shown->spki != NULL || cl_clients_allow(s->worker->site->clients, shown->leaf, why, cap);
}

bool cl_session_check_client(struct cl_session *s)
{
    if (s->client_checked) {
        return true;
    }
    s->client_checked = true;
    const struct cl_site *site = s->worker->site;
    const struct shown shown = shown_by(s);
    char why[CL_CLIENT_WHY];
    if (identify(s, &shown) != CL_OK) {
        cl_stream_abort(s->stream, "out of memory");
        return false;
    }
    /* who has not been asked yet is not denied yet */
    bool judged = site->protected == NULL || s->client_known;
    s->denied = judged && !is_allowed(s, &shown, why, sizeof(why));
    if (s->denied) {
        bool abort = site->options->deny_in_handshake;
        cl_session_log_denied(s, shown.leaf, why, what_is_done(s, abort));
        if (abort) {
            cl_stream_abort(s->stream, "the client may not come in");
        }
        return !abort;
    }
    return true;
}

void cl_session_decide_client(struct cl_session *s, enum cleat_decision which)
{
    struct cleat_tls *tls = cl_stream_tls(s->stream);
    const struct shown shown = shown_by(s);
    char why[CL_CLIENT_WHY] = "a question that nobody expects";
    if (which == CLEAT_DECIDE_IDENTITY && is_allowed(s, &shown, why, sizeof(why))) {
        (void)cleat_tls_accept_peer(tls);
    } else {
        cl_session_log_denied(s, shown.leaf, why, "the handshake is refused");
        (void)cleat_tls_refuse(tls, ALERT_ACCESS_DENIED, "the client may not come in");
    }
    cl_stream_decided(s->stream);
}

bool cl_session_deny_client(struct cl_session *s, struct cl_answer *a)
{
    bool concerned = s->worker->site->protected == NULL || a->is_protected;
    if (s->denied && concerned) {
        cl_answer_refuse(a, 403, "Your certificate does not let you in here.");
        return true;
    }
    return false;
}

static void forbid(struct cl_session *s, struct cl_answer *a, const char *why, const char *text)
{
    cl_session_log_denied(s, NULL, why, "the request is answered with 403");
    cl_answer_refuse(a, 403, text);
}

enum cl_session_ask cl_session_ask_client(struct cl_session *s, struct cl_exchange *x)
{
    if (!x->answer.is_protected || s->client_known) {
        return CL_SESSION_GO_ON;
    }
    if (cleat_http_exchange_protocol(x->wire) == CLEAT_HTTP_2) {
        return CL_SESSION_ELSEWHERE;
    }
    int code = cl_stream_request_certificate(s->stream);
    if (code == CLEAT_OK) {
        s->ask_until = s->now + (uint64_t)CL_SERVE_CERTIFICATE_MS * 1000;
        return CL_SESSION_WAIT;
    }
    struct cleat_tls_info info = {0};
    (void)cleat_tls_info(cl_stream_tls(s->stream), &info);
    const char *why =
        code != CLEAT_ERR_UNSUPPORTED ? cleat_error_sentence(code)
        : info.version < CLEAT_TLS_1_3
            ? "it speaks TLS 1.2, which does not ask after the handshake " ASK_IN_HANDSHAKE
            : "it did not offer post_handshake_auth, so that it cannot be asked " ASK_IN_HANDSHAKE;
    forbid(s, &x->answer, why,
           "A client certificate is needed here, and this connection cannot be asked for one.");
    return CL_SESSION_GO_ON;
}

/* Those that wait for the answer are refused where it does not suffice. */
static void judge_answer(struct cl_session *s, struct cl_answer *a)
{
    if (!s->client_known) {
        forbid(s, a, "it was asked for a certificate and has none",
               "A client certificate is needed here.");
    } else {
        (void)cl_session_deny_client(s, a);
    }
}

bool cl_session_client_answered(struct cl_session *s)
{
    struct cl_exchange *x;
    s->client_checked = false;
    if (!cl_session_check_client(s)) {
        return false;
    }
    cleat_tls_forget(cl_stream_tls(s->stream));
    TAILQ_FOREACH(x, &s->exchanges, link)
    {
        if (x->state == CL_EXCHANGE_ASKED) {
            judge_answer(s, &x->answer);
        }
    }
    return true;
}

void cl_session_client_silent(struct cl_session *s, struct cl_answer *a)
{
    forbid(s, a, "it was asked for a certificate and did not answer in time",
           "A client certificate is needed here, and none came in time.");
}
