/* agent/cookie_jar.h - the cookies of one run: which are taken, which are sent where (RFC 6265 5.3
 * and 5.4, with the rules of its revision), and files of them.
 *
 * What the jar holds logs in: it is wiped when freed, and a file of it is for its owner alone.
 * Public suffixes come from libpsl: from the system's list, else from the one that is built in.
 */
#ifndef CL_AGENT_COOKIE_JAR_H
#define CL_AGENT_COOKIE_JAR_H

#include "agent/cookie.h"
#include "base/buf.h"

/* 180 a domain and 3,000 in all: what browsers have; RFC 6265bis 6.1 asks for 50 and 3,000 */
#define CL_JAR_MAX_PER_DOMAIN 180
#define CL_JAR_MAX            3000
/* 8,190 bytes and 150 cookies of a Cookie field: as curl; servers refuse more */
#define CL_JAR_MAX_HEADER     8190
#define CL_JAR_MAX_SENT       150
/* 16 MiB: 3,000 cookies of 5,000 bytes */
#define CL_JAR_MAX_FILE       (16u << 20)

struct cl_jar;

/* Where a request goes to, or a response comes from. */
struct cl_cookie_origin {
    const char *host; /* A-labels in lower case without a final dot, or an IP literal */
    bool is_ip;
    bool secure;       /* https */
    struct cl_rd path; /* of the URL */
};

CL_MUST cl_result cl_jar_new(struct cl_jar **out);
void cl_jar_free(struct cl_jar *jar);
size_t cl_jar_num(const struct cl_jar *jar);

/* cl_jar_take does what a Set-Cookie field says. now in Unix seconds. */
enum cl_cookie_verdict cl_jar_take(struct cl_jar *jar, const struct cl_cookie_origin *origin,
                                   struct cl_rd field, int64_t now);

/* cl_jar_header appends what a Cookie field should say, "a=1; b=2", longest path first, oldest
 * first; nothing when no cookie is for there. NOMEM. */
CL_MUST cl_result cl_jar_header(struct cl_jar *jar, const struct cl_cookie_origin *origin,
                                int64_t now, struct cl_buf *out);

/* cl_jar_read adds the cookies of a file: Netscape's format, as curl and browsers' exporters write
 * it, and lines "Set-Cookie: ..." that have a Domain. Lines that are neither are skipped, as are
 * cookies that have expired, and, with `junk`, those of a session. *num: how many were taken. */
CL_MUST cl_result cl_jar_read(struct cl_jar *jar, struct cl_rd text, int64_t now, bool junk,
                              size_t *num);

/* cl_jar_write appends all of them as such a file. */
CL_MUST cl_result cl_jar_write(const struct cl_jar *jar, int64_t now, struct cl_buf *out);

#endif
