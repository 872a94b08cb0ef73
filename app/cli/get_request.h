/* cli/get_request.h - the request of one hop, and what a redirect makes of it. Pure functions. */
#ifndef CL_CLI_GET_REQUEST_H
#define CL_CLI_GET_REQUEST_H

#include "cli/get_options.h"
#include "cli/get_source.h"
#include "cli/client_target.h"

/* What to ask for. method is static storage or argv's. */
struct get_hop {
    const struct client_target *target;
    const char *method;
    bool with_body;
    const char *content_type;  /* of the body; NULL: not said */
    const char *content_range; /* "" or NULL: none */
    const char *cookies;       /* the value of the Cookie field; "" or NULL: none */
    uint64_t resume;           /* ask for what begins here; 0: for everything */
    bool expect;               /* ask whether the body is wanted, before it is sent */
    uint64_t body_len;         /* GET_LENGTH_UNKNOWN: it is sent in chunks */
    bool first_origin;         /* host and port are those of the URL that the user gave */
};

/* get_hop_first sets the method of the first request, from -X, -I, and what the body is; for -d and
 * --json, that there is a body and of which type; the rest is the caller's. */
void get_hop_first(struct get_hop *hop, const struct get_options *o);

/* get_hop_redirect changes method and body as RFC 9110 15.4 says for a status: 303 asks for the
 * other resource with GET, 301 and 302 turn POST into GET as browsers do, 307 and 308 change
 * nothing. */
void get_hop_redirect(struct get_hop *hop, unsigned status);

/* get_hop_is_redirect: the status is one that -L follows, given a Location. */
bool get_hop_is_redirect(unsigned status);

/* get_request_build appends the request's head. Credentials (-u, the URL's
 * own, Authorization and Cookie given with -H) and a Host given with -H go to the first origin
 * only. CLEAT_ERR_USAGE when a header or the method is not valid: err says which. */
CL_MUST cl_result get_request_build(struct cl_buf *out, const struct get_hop *hop,
                                    const struct get_options *o, struct cleat_error *err);

#endif
