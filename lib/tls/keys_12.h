/* tls/keys_12.h - master secret, key block and Finished of TLS 1.2 (RFC 5246 8.1, 6.3, 7.4.9). */
#ifndef CL_TLS_KEYS_12_H
#define CL_TLS_KEYS_12_H

#include "tls/hs.h"

/* cl_master_secret derives it from the (EC)DHE secret and the session hash (RFC 7627 4), which is
 * the transcript so far. */
void cl_master_secret(struct cleat_tls *tls, struct cl_rd premaster);

/* cl_keys_12_read and _write put one direction's keys to use. */
CL_MUST cl_result cl_keys_12_read(struct cleat_tls *tls);
CL_MUST cl_result cl_keys_12_write(struct cleat_tls *tls);

/* cl_finished_12_build adds our Finished; cl_finished_12_check compares the peer's. The first of a
 * handshake is kept for tls-unique. */
CL_MUST cl_result cl_finished_12_build(struct cleat_tls *tls);
CL_MUST cl_result cl_finished_12_check(struct cleat_tls *tls, const struct cl_msg *msg);

/* cl_false_start lets a client write behind its Finished (RFC 7918) where configuration, suite and
 * server allow it (false_start.c). */
void cl_false_start(struct cleat_tls *tls);

/* cl_keep_exporter_12 keeps what exporters of TLS 1.2 need. */
void cl_keep_exporter_12(struct cleat_tls *tls);

/* cl_established_12 keeps what outlives the handshake and frees the rest. */
void cl_established_12(struct cleat_tls *tls, enum cl_hs_state open);

#endif
