/* explain/rehearsal.h - what a server would answer to a recorded ClientHello: its connection, fed
 * with the bytes, up to where it waits for the client or gives up. No network, no files.
 *
 * Everything told is the engine's: its events, its error, and the connection where it stopped.
 * After a HelloRetryRequest the second ClientHello is made here (second_hello.h), unless only the
 * client itself can make it: with a ticket that was good, or behind Encrypted Client Hello.
 */
#ifndef CL_EXPLAIN_REHEARSAL_H
#define CL_EXPLAIN_REHEARSAL_H

#include "base/buf.h"
#include "cleat/error.h"
#include "crypto/key.h"
#include "serve/site.h"
#include "tls/client_hello.h"
#include "tls/suite.h"

/* 48: choices, tickets and warnings of one handshake; a dozen are usual */
#define CL_REHEARSAL_MAX_TOLD 48

enum cl_outcome {
    CL_OUTCOME_AGREED,
    CL_OUTCOME_RETRY,   /* all is well up to a HelloRetryRequest; what follows is the client's */
    CL_OUTCOME_REFUSED, /* error says why */
};

enum cl_told_kind {
    CL_TOLD_CHOICE,
    CL_TOLD_TICKET, /* what is "session ticket", value what became of it */
    CL_TOLD_WARNING,
};

struct cl_told {
    enum cl_told_kind kind;
    char what[48];
    char value[128];
    char why[256];
};

struct cl_rehearsal {
    enum cl_outcome outcome;
    struct cleat_error error; /* REFUSED */
    char alert_name[40];
    struct cl_told told[CL_REHEARSAL_MAX_TOLD];
    size_t num_told;

    /* The ClientHello that counts: the inner one where ECH was opened, the first one otherwise. */
    struct cl_buf message;
    struct cl_client_hello offer; /* views into message; as far as it could be parsed */
    size_t first_len;             /* bytes of the message that was recorded */

    struct cleat_tls_config *config; /* what was asked, a reference */
    uint16_t version;                /* 0: not agreed on; the same for what follows */
    const struct cl_suite *suite;
    const struct cl_group *group;
    const struct cl_group *retry; /* asked for in a HelloRetryRequest */
    const struct cl_sig_alg *scheme;
    const struct cl_credential *credential;
    size_t credential_at; /* its place in the configuration: certificates, then raw keys */
    char alpn[256];       /* empty: none */
    const char *compression;
    bool resumed;
    bool external_psk;
    bool certificate_wanted; /* of the client */
    uint16_t record_limit;   /* RFC 8449: what is sent at most; 0: not agreed on */
};

/* cl_rehearsal_watch is the sink that the site is loaded with (cl_site_load_tls). */
void cl_rehearsal_watch(void *ctx, void *user, const struct cleat_event *event);

/* cl_rehearse runs a ClientHello (with its 4-byte header) against a site. Returns CL_OK whatever
 * the answer is, also for a message that is malformed; NOMEM; INTERNAL when the engine neither
 * answers nor fails. *out is to be deinited in any case. */
CL_MUST cl_result cl_rehearse(const struct cl_site *site, struct cl_rd hello,
                              struct cl_rehearsal *out);
void cl_rehearsal_deinit(struct cl_rehearsal *r);

/* cl_rehearsal_find returns the last thing told under this name, or NULL. */
const struct cl_told *cl_rehearsal_find(const struct cl_rehearsal *r, const char *what);

#endif
