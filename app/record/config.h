/* record/config.h - what a recording keeps of a client's configuration, and of the session that it
 * offers.
 *
 * Private keys are never kept: their signatures are recorded as the results of jobs. Secrets (the
 * keys of PSKs, a session's) only when wanted; without them the replay has zeros in their place.
 */
#ifndef CL_RECORD_CONFIG_H
#define CL_RECORD_CONFIG_H

#include <jansson.h>

#include "tls/builder.h"
#include "tls/session.h"

/* cl_rec_config_write returns a new object, or NULL when memory is short. */
json_t *cl_rec_config_write(const struct cleat_tls_config *c, bool secrets);

/* cl_rec_config_read sets everything but clock, randomness, events and tape. err says what is wrong
 * (BAD_CONFIG), or what this build lacks (UNSUPPORTED). */
CL_MUST cl_result cl_rec_config_read(const json_t *o, struct cleat_tls_builder *b,
                                     struct cleat_error *err);

/* cl_rec_anchors writes the anchors that a chain (as in struct cleat_tls) could lead to: those
 * whose subject is a certificate's issuer, or its own. */
json_t *cl_rec_anchors_write(const struct cleat_trust_store *store, struct cl_rd chain);

/* cl_rec_anchors_read adds those of a list to a trust store that is being built. */
CL_MUST cl_result cl_rec_anchors_read(const json_t *list, struct cleat_trust_builder *b,
                                      struct cleat_error *err);

json_t *cl_rec_session_write(const struct cleat_tls_session *session, bool secrets);

/* cl_rec_session_read gives a new session, bound to what is about to offer it. */
CL_MUST cl_result cl_rec_session_read(const json_t *value, const struct cleat_tls_config *config,
                                      const char *server_name, struct cleat_tls_session **out);

#endif
