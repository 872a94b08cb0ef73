/* serve/session_hello.c - which program says hello, and may it? See session.h.
 *
 * Asked about the ClientHello as it came, before anything is computed for it; the fingerprints stay
 * for the log and for --ws-exec.
 */
#include <stdio.h>

#include "cleat/fingerprint.h"
#include "serve/session.h"

/* RFC 9846 6.2: "… when access control was applied, the sender decided not to proceed with
 * negotiation." */
#define ALERT_ACCESS_DENIED 49
/* 200: a fingerprint, an entry, and a path that is cut when it is longer */
#define MAX_WHY             200

/* Empty when it cannot be had: JA3 without MD5. */
static void fill(enum cleat_fingerprint form, const struct cleat_client_hello *hello, char *out,
                 size_t cap)
{
    if (cleat_fingerprint(form, CLEAT_HELLO_TCP, hello->bytes, hello->len, out, &cap, NULL) !=
        CLEAT_OK) {
        out[0] = '\0';
    }
}

void cl_session_decide_hello(struct cl_session *s)
{
    struct cleat_tls *tls = cl_stream_tls(s->stream);
    struct cleat_client_hello hello;
    char why[MAX_WHY] = "there is no ClientHello";
    bool allowed = cleat_tls_client_hello(tls, &hello) == CLEAT_OK;
    if (allowed) {
        fill(CLEAT_JA4, &hello, s->ja4, sizeof(s->ja4));
        fill(CLEAT_JA3, &hello, s->ja3, sizeof(s->ja3));
        allowed = cl_site_lets_in(s->worker->site, s->ja4, why, sizeof(why));
    }
    if (allowed) {
        (void)cleat_tls_accept_hello(tls);
    } else {
        (void)cleat_tls_refuse(tls, ALERT_ACCESS_DENIED, why);
    }
    cl_stream_decided(s->stream);
}
