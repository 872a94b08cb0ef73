/* agent/mixed_content.h - what a page of https would load over plain HTTP (W3C Mixed Content).
 *
 * Markup and style sheets are looked at, not what scripts do. Hosts of the same computer
 * (localhost, 127.0.0.1, [::1]) count as secure, as the standard says.
 */
#ifndef CL_AGENT_MIXED_CONTENT_H
#define CL_AGENT_MIXED_CONTENT_H

#include "base/buf.h"
#include "cleat/http.h"

enum cl_mixed_kind {
    CL_MIXED_ACTIVE,     /* blockable: browsers do not load it */
    CL_MIXED_PASSIVE,    /* upgradeable: an image, sound or video; browsers ask for it by https */
    CL_MIXED_FORM,       /* what is typed in goes out in clear; browsers warn */
    CL_MIXED_NAVIGATION, /* <meta http-equiv="refresh">: leads away from https */
};
#define CL_MIXED_NUM_KINDS 4

/* cl_mixed_kind_name is "active", "passive", "form", "navigation". */
const char *cl_mixed_kind_name(enum cl_mixed_kind kind);

/* One finding; views, good for the call. */
struct cl_mixed {
    enum cl_mixed_kind kind;
    unsigned long line;
    struct cl_rd element;  /* in the page's own case; "css" in a style sheet of its own */
    const char *attribute; /* "src", "style", "@import", "url()" */
    struct cl_rd url;      /* absolute */
    bool upgraded;         /* Content-Security-Policy: upgrade-insecure-requests makes it https */
};

struct cl_mixed_page {
    struct cl_rd text;
    bool is_css;               /* a style sheet, not HTML */
    bool upgrades;             /* by its head */
    struct cleat_http_url url; /* of the page: https */
};

/* cl_mixed_scan calls found for each, in their order, until it returns false. NOMEM. */
CL_MUST cl_result cl_mixed_scan(const struct cl_mixed_page *page,
                                bool (*found)(void *ctx, const struct cl_mixed *m), void *ctx);

/* cl_mixed_policy_upgrades tells whether the value of a Content-Security-Policy field has
 * upgrade-insecure-requests among its directives. */
bool cl_mixed_policy_upgrades(struct cl_rd policy);

#endif
