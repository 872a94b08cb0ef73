/* serve/demo.h - `cleat serve --demo`: a page that shows its visitor his own connection.
 *
 * The files of web/ are in the program (demo_files.h). Beside them there are two answers in JSON,
 * for the page's own use: /connection.json tells a connection about itself, and about nobody else;
 * /counters.json has sums over all of them. /echo is a WebSocket.
 *
 * What happens on a connection is written down by its visit (demo_visit.h), which exists only
 * where there is a page. An answer is made of a request's head and a visit, without I/O: status,
 * fields, and a body in memory; who sends it is not this module's business.
 */
#ifndef CL_SERVE_DEMO_H
#define CL_SERVE_DEMO_H

#include "cleat/http.h"
#include "serve/counters.h"
#include "serve/demo_visit.h"

/* Paths; the first two are also what the page asks for. */
#define CL_DEMO_CONNECTION "/connection.json"
#define CL_DEMO_COUNTERS   "/counters.json"
#define CL_DEMO_ECHO       "/echo"
/* The query with which the page asks for an answer that is its connection's last: the next one is
 * then new, and resumed. */
#define CL_DEMO_LAST       "last"

struct cl_demo;
struct cleat_trust_store;

/* cl_demo_new makes what the visitors of one site share; counters (num sets, or NULL) outlive it.
 * NOMEM. cl_demo_free: NULL is fine. */
CL_MUST cl_result cl_demo_new(const struct cl_counters *counters, size_t num, struct cl_demo **out);
void cl_demo_free(struct cl_demo *demo);

struct cl_demo_field {
    const char *name;
    const char *value;
};

/* cl_demo_fields gives the fields that every answer of the page carries: what it may load, and
 * what others may do with it. */
const struct cl_demo_field *cl_demo_fields(size_t *out_num);

/* 256 KiB: of a body; the page's files have a tenth of it */
#define CL_DEMO_MAX_BODY 262144

struct cl_demo_answer {
    int status;          /* 200, 304, 404, 405, 425 */
    const char *type;    /* Content-Type; NULL: no body of ours (a page with the status will do) */
    const char *etag;    /* quoted, or NULL */
    const char *caching; /* Cache-Control, or NULL */
    const uint8_t *body; /* static, or `made` */
    size_t body_len;
    char *made;
    bool last;  /* the connection is to end after it */
    bool quiet; /* asked for by the page's clock: no line in the access log */
};

/* cl_demo_ask answers a complete head; what else the request may have is not looked at. It counts
 * as one more answer of the visit. Any thread, one visit at a time. NOMEM leaves an answer that is
 * safe to deinit. */
CL_MUST cl_result cl_demo_ask(const struct cl_demo *demo, struct cl_demo_visit *visit,
                              const struct cleat_http_head *request, struct cl_demo_answer *out);
void cl_demo_answer_deinit(struct cl_demo_answer *answer);

#endif
