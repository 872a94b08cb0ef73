/* explain/notes.c - see notes.h. Each function looks at one thing; the table is their order. */
#include "explain/notes.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "crypto/kex.h"
#include "explain/lists.h"
#include "tls/config.h"
#include "x509/name.h"

/* 1,400: what fits a TCP segment on nearly every path, with options */
#define ONE_SEGMENT 1400

struct look {
    const struct cl_rehearsal *r;
    const struct cl_serve_options *o;
    int64_t now;
    struct cl_notes *out;
};

static void note(const struct look *l, const char *what, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void note(const struct look *l, const char *what, const char *fmt, ...)
{
    va_list ap;
    if (l->out->num < CL_NOTES_MAX) {
        struct cl_note *n = &l->out->items[l->out->num++];
        (void)snprintf(n->what, sizeof(n->what), "%s", what);
        va_start(ap, fmt);
        (void)vsnprintf(n->text, sizeof(n->text), fmt, ap);
        va_end(ap);
    }
}

const char *cl_credential_file(const struct cl_rehearsal *r, const struct cl_serve_options *o)
{
    if (r->credential == NULL) {
        return NULL;
    }
    return r->credential_at < o->num_pairs ? o->pairs[r->credential_at].cert
                                           : o->raw_keys[r->credential_at - o->num_pairs];
}

static bool agreed(const struct look *l)
{
    return l->r->outcome == CL_OUTCOME_AGREED;
}

/* ---- certificate ---- */

static void server_name(const struct look *l)
{
    const struct cl_rehearsal *r = l->r;
    const char *file = cl_credential_file(r, l->o);
    if (file == NULL || r->credential->chain == NULL) {
        return;
    }
    if (r->offer.server_name[0] == '\0') {
        note(l, "no_server_name",
             "the client names no server (no SNI): it gets the default certificate, %s", file);
    } else if (!cl_cert_matches_host(cleat_chain_at(r->credential->chain, 0),
                                     r->offer.server_name)) {
        note(l, "unknown_server_name",
             "no certificate is for %s: it gets the default one, %s, and refuses it if it checks "
             "names",
             r->offer.server_name, file);
    }
}

static void validity(const struct look *l)
{
    const struct cl_rehearsal *r = l->r;
    if (r->credential == NULL || r->credential->chain == NULL) {
        return;
    }
    const struct cleat_cert *leaf = cleat_chain_at(r->credential->chain, 0);
    const int64_t end = cleat_cert_not_after(leaf);
    if (end < l->now) {
        note(l, "expired", "the certificate %s expired %" PRId64 " days ago: clients refuse it",
             cl_credential_file(r, l->o), (l->now - end) / 86400);
    } else if (cleat_cert_not_before(leaf) > l->now) {
        note(l, "not_yet_valid", "the certificate %s is not valid yet: clients refuse it",
             cl_credential_file(r, l->o));
    }
}

static void client_certificate(const struct look *l)
{
    const struct cleat_tls_config *c = l->r->config;
    if (agreed(l) && l->r->certificate_wanted && c->client_auth == CLEAT_CLIENT_AUTH_REQUIRED) {
        note(l, "client_certificate",
             "the client is asked for a certificate and does not get in without: whether it has "
             "one, its ClientHello does not say");
    }
}

/* ---- version, round trips ---- */

static void retry(const struct look *l)
{
    struct cl_names shares;
    char text[160];
    if (l->r->retry == NULL) {
        return;
    }
    cl_names_offered(l->r, CL_LIST_SHARES, &shares);
    cl_names_join(&shares, ", ", text, sizeof(text));
    note(l, "retry",
         "a HelloRetryRequest costs a round trip: the client supports %s, but sent a key share for "
         "%s%s",
         l->r->retry->name, text[0] != '\0' ? text : "no group at all",
         l->r->outcome == CL_OUTCOME_RETRY
             ? "; what follows depends on a second ClientHello that only the client can make"
             : "");
}

static void second(const struct look *l)
{
    if (l->r->offer.cookie.p != NULL) {
        note(l, "second_hello",
             "this is a second ClientHello, after a HelloRetryRequest of the server that it was "
             "sent to: here it is looked at as a first one");
    }
}

static void version(const struct look *l)
{
    const struct cl_rehearsal *r = l->r;
    if (!agreed(l) || r->version != CLEAT_TLS_1_2) {
        return;
    }
    if (cl_offers_version(r, CLEAT_TLS_1_3)) {
        note(l, "version", "the client speaks TLS 1.3: with --tls-max 1.3 it would be used");
    }
    if (!r->offer.extended_master_secret) {
        note(l, "no_extended_master_secret",
             "the client has no extended master secret (RFC 7627): it is never resumed, and "
             "exports nothing");
    }
}

static void post_quantum(const struct look *l)
{
    struct cl_rd theirs = l->r->offer.groups;
    uint16_t id;
    const struct cl_group *hybrid = NULL;
    if (!agreed(l) || l->r->group == NULL || l->r->group->post_quantum) {
        return;
    }
    while (cl_rd_u16(&theirs, &id) && hybrid == NULL) {
        const struct cl_group *g = cl_group_by_id(id);
        hybrid = g != NULL && g->post_quantum ? g : NULL;
    }
    if (hybrid == NULL) {
        note(l, "not_post_quantum",
             "the client offers no post-quantum group: who records this connection can read it "
             "once there are quantum computers");
    } else if (l->r->version == CLEAT_TLS_1_3) {
        note(l, "not_post_quantum", "the client offers %s, which --curves leaves out",
             hybrid->name);
    }
}

static void length(const struct look *l)
{
    if (l->r->first_len > ONE_SEGMENT) {
        note(l, "long_hello",
             "the ClientHello of %zu bytes comes in more than one TCP segment: old middleboxes in "
             "between may not put it together",
             l->r->first_len);
    }
}

/* ---- how narrow it was ---- */

static void only_one(const struct look *l, enum cl_list list)
{
    struct cl_names theirs;
    struct cl_names ours;
    cl_names_offered(l->r, list, &theirs);
    cl_names_allowed(l->r, list, &ours);
    if (theirs.num > 1 && ours.num > 1 && cl_names_common(&theirs, &ours) == 1) {
        note(l, "narrow", "it was close: of the %s, just one is common", cl_list_name(list));
    }
}

static void narrow(const struct look *l)
{
    if (!agreed(l) || l->r->resumed) {
        return;
    }
    only_one(l, CL_LIST_SUITES);
    if (l->r->group != NULL) {
        only_one(l, CL_LIST_GROUPS);
    }
    if (l->r->alpn[0] != '\0') {
        only_one(l, CL_LIST_ALPN);
    }
}

static void no_alpn(const struct look *l)
{
    if (agreed(l) && l->r->config->alpn.len != 0 && l->r->offer.alpn.p == NULL) {
        note(l, "no_alpn", "the client names no application protocol (no ALPN)");
    }
}

/* ---- what the past decides ---- */

static bool has_ticket(const struct cl_client_hello *ch)
{
    return ch->psk_identities.p != NULL || ch->session_ticket.len != 0;
}

static void resumption(const struct look *l)
{
    const struct cl_rehearsal *r = l->r;
    if (r->resumed || r->external_psk) {
        return;
    }
    if (has_ticket(&r->offer) && l->o->num_ticket_keys == 0) {
        note(
            l, "ticket",
            "the client comes with a ticket or PSK; a running server without --ticket-key has keys "
            "of its own, which are not known here, and might resume it");
    } else if (has_ticket(&r->offer)) {
        note(l, "ticket",
             "the client comes with a ticket or PSK, which costs it a full handshake: %s",
             cl_rehearsal_find(r, "session ticket") != NULL
                 ? cl_rehearsal_find(r, "session ticket")->value
                 : "no PSK mode in common");
    } else if (r->version == CLEAT_TLS_1_2 && r->offer.session_id.len != 0 &&
               l->o->session_cache_kib != 0) {
        note(l, "session_id",
             "the client names a session: a running server that has it in memory resumes it");
    }
}

static void ech(const struct look *l)
{
    if (l->r->offer.ech.p != NULL && l->o->num_ech_keys == 0) {
        note(l, "ech",
             "there is an Encrypted Client Hello, or a dummy; without --ech-key the outer one "
             "counts");
    }
}

static void early_data(const struct look *l)
{
    const struct cl_told *t = cl_rehearsal_find(l->r, "early data");
    if (t != NULL && strcmp(t->value, "accepted") != 0) {
        note(l, "early_data", "the client sends early data, which is not taken: %s", t->why);
    }
}

static void weaknesses(const struct look *l)
{
    for (size_t i = 0; i < l->r->num_told; i++) {
        const struct cl_told *t = &l->r->told[i];
        if (t->kind == CL_TOLD_WARNING) {
            note(l, "weakness", "%s: %s", t->what, t->why);
        }
    }
}

void cl_notes_make(const struct cl_rehearsal *r, const struct cl_serve_options *o, int64_t now,
                   struct cl_notes *out)
{
    static void (*const looks[])(const struct look *l) = {
        second, server_name, validity,   client_certificate, weaknesses, retry,        version,
        narrow, no_alpn,     resumption, early_data,         ech,        post_quantum, length,
    };
    const struct look l = {r, o, now, out};
    out->num = 0;
    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
        looks[i](&l);
    }
}
