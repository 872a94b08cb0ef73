/* agent/cookie_jar_impl.h - between cookie_jar.c and cookie_file.c. */
#ifndef CL_AGENT_COOKIE_JAR_IMPL_H
#define CL_AGENT_COOKIE_JAR_IMPL_H

#include <libpsl.h>

#include "agent/cookie_jar.h"

struct cl_cookie {
    char *name, *value;
    char *domain; /* in lower case, without a dot in front */
    char *path;
    int64_t expires; /* 0: with the session */
    uint64_t created, used;
    bool host_only, secure, http_only;
};

struct cl_jar {
    struct cl_cookie *cookies;
    size_t num;
    uint64_t clock; /* goes up with every use */
    psl_ctx_t *suffixes;
};

/* What a cookie is to be, before it is one: views. */
struct cl_cookie_wish {
    struct cl_rd name, value, domain, path;
    int64_t expires;
    bool host_only, secure, http_only;
};

/* cl_jar_put stores it in place of its like, or deletes that when it has expired; prefixes and
 * limits are looked at, domains are not. */
enum cl_cookie_verdict cl_jar_put(struct cl_jar *jar, const struct cl_cookie_wish *wish,
                                  int64_t now);

/* cl_jar_is_suffix: a cookie for this domain would be for everybody's below it. */
bool cl_jar_is_suffix(const struct cl_jar *jar, struct cl_rd domain);

#endif
