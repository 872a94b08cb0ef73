/* cleat/tls_early.h - early data, also called 0-RTT (RFC 9846 2.3, 4.3.10, 8): off by default.
 *
 * A client that resumes a session sends its first bytes with its ClientHello. Whoever recorded them
 * can send them again, so a server takes them once only, within a short time, and its application
 * must still treat them as possibly repeated (RFC 8470): nothing that changes anything.
 *
 * Server: cleat_tls_builder_early_data(). Early bytes come as CLEAT_TLS_HAS_DATA with io->early
 * set, before CLEAT_TLS_READY; from then on cleat_tls_write() is allowed: the answer travels ahead
 * of the client's Finished. Client: cleat_tls_offer_early_data(), one cleat_tls_step(),
 * cleat_tls_write() of at most cleat_tls_early_data_room() bytes; after READY
 * cleat_tls_early_data_status() says whether they were taken. Nothing is ever sent again by itself.
 */
#ifndef CLEAT_TLS_EARLY_H
#define CLEAT_TLS_EARLY_H

#include "cleat/tls.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- single use -------------------------------------------------------------------------------
 */

/* 32: the first bytes of the PSK binder, which is checked before it is used as a key (RFC 9846 8.2)
 */
#define CLEAT_STRIKE_KEY_LEN 32

enum cleat_strike_answer {
    CLEAT_STRIKE_FIRST,   /* never seen, and recorded now */
    CLEAT_STRIKE_SEEN,    /* a replay */
    CLEAT_STRIKE_REFUSED, /* the register cannot tell: full, just started, out of reach */
    CLEAT_STRIKE_LATER,   /* asked elsewhere: cleat_tls_answer_strike() will be called */
};

/* One use of early data. The same ClientHello has the same key, and no server that checks the age
 * of tickets takes it before opens_ms or after expires_ms: Unix milliseconds of the configuration's
 * clock. */
struct cleat_strike_query {
    uint8_t key[CLEAT_STRIKE_KEY_LEN];
    uint64_t now_ms;
    uint64_t opens_ms;
    uint64_t expires_ms;
    void *user; /* the connection's (cleat_tls_user) */
};

/* A register of what was used. `use` checks and records in one step: of any number of calls with
 * one key, in any threads (or machines, where the register is shared by them), exactly one gets
 * FIRST. It must not block; one that has to ask over a network answers LATER. `release` (may be
 * NULL) is called once when the last configuration that has it is freed. */
struct cleat_strike {
    enum cleat_strike_answer (*use)(void *ctx, const struct cleat_strike_query *query);
    void (*release)(void *ctx);
    void *ctx;
};

/* cleat_strike_register_new makes a register in memory for the threads of one process, with room
 * for about capacity uses (rounded up to a multiple of 16; 40 bytes each). A use keeps its place
 * until expires_ms, at most twice the window. It never forgets one before that: where there is no
 * room it refuses. It refuses too whatever could have been used before started_ms (the clock's
 * present), that is, everything during the first window. CLEAT_ERR_NOMEM, CLEAT_ERR_USAGE (capacity
 * 0 or above 2^28). References are counted; any thread. */
struct cleat_strike_register;
int cleat_strike_register_new(size_t capacity, uint64_t started_ms,
                              struct cleat_strike_register **out);
struct cleat_strike_register *cleat_strike_register_ref(struct cleat_strike_register *r);
void cleat_strike_register_free(struct cleat_strike_register *r);

/* cleat_strike_register_use is its `use`; cleat_strike_of_register gives the register, with a
 * reference of its own, in the form that a configuration takes. */
enum cleat_strike_answer cleat_strike_register_use(struct cleat_strike_register *r,
                                                   const struct cleat_strike_query *query);
struct cleat_strike cleat_strike_of_register(struct cleat_strike_register *r);

/* ---- servers ----------------------------------------------------------------------------------
 */

/* 16,384 bytes: one record, enough for a request's head; what a client may make us decrypt before
 * it has shown that it is there at all */
#define CLEAT_EARLY_DATA_SIZE   16384
/* 10,000 ms: how far a ticket's age may be off, on the Internet (RFC 9846 8.3) */
#define CLEAT_EARLY_DATA_WINDOW 10000

/* cleat_tls_builder_early_data lets tickets promise early data of at most max_size bytes (0:
 * CLEAT_EARLY_DATA_SIZE; at most 2^24), and takes it from clients whose idea of the ticket's age is
 * right within window_ms (0: CLEAT_EARLY_DATA_WINDOW; at most 60,000) and whose use `strike` has
 * not seen. Takes the strike over (its release), on failure too. Without cleat_tls_builder_tickets
 * it has no effect. CLEAT_ERR_BAD_CONFIG. */
int cleat_tls_builder_early_data(struct cleat_tls_builder *b, const struct cleat_strike *strike,
                                 uint32_t max_size, uint32_t window_ms);

/* cleat_tls_answer_strike answers CLEAT_DECIDE_EARLY_DATA, the decision that a step needs after the
 * register said LATER: FIRST takes the early data, SEEN and REFUSED go on without. CLEAT_ERR_USAGE
 * when it was not asked, or for LATER. */
int cleat_tls_answer_strike(struct cleat_tls *tls, enum cleat_strike_answer answer);

/* ---- clients ----------------------------------------------------------------------------------
 */

/* cleat_tls_session_early_data returns how many bytes of early data the session's ticket allows; 0:
 * none. */
size_t cleat_tls_session_early_data(const struct cleat_tls_session *session);

/* cleat_tls_session_alpn: the protocol that was agreed then, *len bytes without a NUL; it is the
 * one that early data is written in (RFC 9846 4.2.10). NULL: none was. The session's. */
const uint8_t *cleat_tls_session_alpn(const struct cleat_tls_session *session, size_t *len);

/* cleat_tls_offer_early_data makes a new client connection offer early data; call it before the
 * first step. CLEAT_ERR_USAGE, and nothing changes, when the session does not allow it: none was
 * given or fits, its ticket promises none, it is of TLS 1.2, or its ALPN protocol is not configured
 * any more. */
int cleat_tls_offer_early_data(struct cleat_tls *tls);

/* cleat_tls_early_data_room returns how many bytes cleat_tls_write() takes as early data now: after
 * the first step, until the server refuses or has sent its Finished; 0 at any other time. */
size_t cleat_tls_early_data_room(const struct cleat_tls *tls);

/* cleat_tls_early_data_may_resend: early data was rejected and what was agreed fits it still (the
 * same ALPN protocol, RFC 9846 4.3.10): sending the same bytes again after READY makes sense. Only
 * the application knows whether it is safe. */
bool cleat_tls_early_data_may_resend(const struct cleat_tls *tls);

/* ---- both -------------------------------------------------------------------------------------
 */

/* cleat_tls_early_data_status: at any time; final for a client at READY, for a server before
 * its first CLEAT_TLS_HAS_DATA. */
enum cleat_early_data cleat_tls_early_data_status(const struct cleat_tls *tls);

/* cleat_tls_export_early: keying material of the early exporter (RFC 9846 7.5), which a replay
 * shares. Before READY only. CLEAT_ERR_USAGE when there is no early data, for a label above 249
 * bytes, and when out_len is 0 or above 8,160. */
int cleat_tls_export_early(const struct cleat_tls *tls, const char *label, const uint8_t *context,
                           size_t context_len, uint8_t *out, size_t out_len);

#ifdef __cplusplus
}
#endif
#endif
