/* cli/get_cookies.h - the cookies of one `cleat get`: -b, -c and -j. */
#ifndef CL_CLI_GET_COOKIES_H
#define CL_CLI_GET_COOKIES_H

#include "agent/cookie_jar.h"
#include "cli/client_target.h"
#include "cli/get_options.h"
#include "conn/trace.h"

struct get_cookies {
    struct cl_jar *jar;  /* NULL: none are kept (neither -b FILE nor -c) */
    struct cl_buf given; /* -b DATA, for the first origin */
    const char *path;    /* -c */
    struct cl_trace *trace;
};

/* get_cookies_open reads what -b names. Returns 0, or an exit code with the detail in err. A file
 * that cannot be read is warned about, no more, as with curl. */
int get_cookies_open(struct get_cookies *c, const struct get_options *o, struct cl_trace *trace,
                     struct cleat_error *err);

/* get_cookies_header appends the value of the Cookie field for a request; nothing: none. NOMEM. */
CL_MUST cl_result get_cookies_header(struct get_cookies *c, const struct client_target *target,
                                     bool first_origin, struct cl_buf *out);

/* get_cookies_take takes what the head of a response sets. */
void get_cookies_take(struct get_cookies *c, const struct client_target *target,
                      const struct cleat_http_head *head);

/* get_cookies_close writes the file of -c, and frees everything. A file that cannot be written is
 * warned about, no more, as with curl. */
void get_cookies_close(struct get_cookies *c);

#endif
