/* tls/resume.h - what a session is bound to, for tickets of every version: what a ticket says about
 * the connection that it comes from, and whether it is good for another. */
#ifndef CL_TLS_RESUME_H
#define CL_TLS_RESUME_H

#include "tls/conn.h"

/* Server. cl_ticket_fill describes the connection (all but the secret); *lifetime in seconds is
 * what the keys or the cache allow, and becomes what the session is worth. False when no ticket can
 * be given: the client's certificate is too large or has ended. */
bool cl_ticket_fill(struct cleat_tls *tls, struct cl_ticket *ticket, uint32_t *lifetime);

/* cl_ticket_objection tells why a ticket is not good here, or NULL: design: a ticket is bound to
 * the virtual host, client-CA set, policy and ALPN list that made it. */
const char *cl_ticket_objection(struct cleat_tls *tls, const struct cl_ticket *ticket);

/* cl_ticket_restore_peer: a resumed connection knows its client as the first one did. */
CL_MUST cl_result cl_ticket_restore_peer(struct cleat_tls *tls);

/* Client. cl_session_keep makes a session of a ticket for the application to take. */
CL_MUST cl_result cl_session_keep(struct cleat_tls *tls, const struct cl_secret *secret,
                                  struct cl_rd ticket, uint32_t lifetime, uint32_t age_add);

#endif
