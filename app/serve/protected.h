/* serve/protected.h - the paths that only clients with a certificate get (--client-auth-path).
 *
 * A path protects itself and all that lies below it. Paths are compared as files are looked up:
 * decoded, segment by segment. What no file answers whatever is asked (a malformed path, "..") is
 * not protected. Immutable, shared by threads.
 */
#ifndef CL_SERVE_PROTECTED_H
#define CL_SERVE_PROTECTED_H

#include "base/result.h"
#include "cleat/http.h"

struct cl_protected;

/* cl_protected_new reads paths as they stand in URLs, "/admin" or "/admin/". BAD_CONFIG (err names
 * the path), NOMEM. */
CL_MUST cl_result cl_protected_new(const char *const *paths, size_t num, struct cl_protected **out,
                                   struct cleat_error *err);
void cl_protected_free(struct cl_protected *p);

/* cl_protected_holds tells whether a request is for one of them; p NULL: no. */
bool cl_protected_holds(const struct cl_protected *p, const struct cleat_http_head *request);

#endif
