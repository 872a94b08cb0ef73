/* tls/early.h - early data (RFC 9846 4.3.10): who may send, who takes it, how much, and how a
 * server finds its way past what it did not take. */
#ifndef CL_TLS_EARLY_H
#define CL_TLS_EARLY_H

#include "tls/conn.h"

/* 2^24: cleat_tls_builder_early_data; far below any cipher's limit for one key */
#define CL_EARLY_MAX_SIZE   16777216
/* 60,000: a longer window only makes the register larger */
#define CL_EARLY_MAX_WINDOW 60000

/* cl_early_secrets makes the early secrets from a PSK's schedule and the ClientHello in hs->hello.
 */
void cl_early_secrets(struct cleat_tls *tls, const struct cl_schedule *early);

/* ---- server ---- */

/* cl_early_select answers the ClientHello's early_data, once everything else is selected: moves on
 * to S13_AGREE, or to S13_ASK_EARLY_DATA. */
void cl_early_select(struct cleat_tls *tls);
cl_result cl_early_answered(struct cleat_tls *tls, const struct cl_msg *msg);
/* cl_early_reject: what the client sends as early data is skipped from now on. */
void cl_early_reject(struct cleat_tls *tls, const char *why);
/* cl_early_taken counts early data that was received. */
CL_MUST cl_result cl_early_taken(struct cleat_tls *tls, size_t len);
/* cl_early_skips says whether a record that does not decrypt, or is encrypted where none should be,
 * is early data to be skipped; cl_early_skip counts it. */
bool cl_early_skips(const struct cleat_tls *tls);
CL_MUST cl_result cl_early_skip(struct cleat_tls *tls, size_t size);

/* ---- client ---- */

/* cl_early_answer takes the server's answer (EncryptedExtensions). */
CL_MUST cl_result cl_early_answer(struct cleat_tls *tls, bool accepted);
/* cl_early_retried: a HelloRetryRequest refuses early data. */
void cl_early_retried(struct cleat_tls *tls);

/* ---- writing ---- */

/* cl_early_may_write: application data may be sent although the handshake is not complete: early
 * data by a client, an answer to it by a server, a False Start (false_start.c). */
bool cl_early_may_write(const struct cleat_tls *tls);
/* cl_early_room: how much of it at most. */
size_t cl_early_room(const struct cleat_tls *tls);
void cl_early_written(struct cleat_tls *tls, size_t len);

#endif
