/* serve/staples.h - OCSP responses for the server's own certificates, fetched and kept fresh in the
 * background: for each one that names a responder (RFC 5280 4.2.2.1, id-ad-ocsp).
 *
 * All of it runs on the main thread's loop, and once for all workers: a handshake takes what the
 * configuration of its moment has, and never waits. A response is verified before it is served
 * (serve/staple_check.h); when it is asked for again serve/staple_plan.h says; across restarts
 * serve/staple_store.h keeps it. A fresh one makes a configuration that takes the place of the old
 * one (cleat_tls_config_with_staples), which also knows when it ends: an expired response is not
 * sent, whatever happens to this thread.
 */
#ifndef CL_SERVE_STAPLES_H
#define CL_SERVE_STAPLES_H

#include <uv.h>

#include "serve/site.h"

struct cl_staples;

/* cl_staples_new takes the certificates of the site's configuration, and gives it what was kept of
 * earlier runs. *out is NULL when nothing is to be fetched at all (--no-stapling, no TLS). NOMEM.
 * The site outlives it. Main thread, as everything here. */
CL_MUST cl_result cl_staples_new(struct cl_site *site, uv_loop_t *loop, struct cl_staples **out);

/* cl_staples_start begins to ask responders. All of these take NULL for st, and do nothing. */
void cl_staples_start(struct cl_staples *st);

/* cl_staples_dress prepares for a configuration that will replace the site's: puts one with the
 * responses for its certificates into *config (the reference is replaced), and looks after those
 * certificates from now on. NOMEM: nothing has changed. */
CL_MUST cl_result cl_staples_dress(struct cl_staples *st, struct cleat_tls_config **config);

/* cl_staples_stop ends what is under way, so that the loop can end; cl_staples_free after it has,
 * and another turn of the loop after that. */
void cl_staples_stop(struct cl_staples *st);
void cl_staples_free(struct cl_staples *st);

#endif
