/* tests/h2/support_h2.h - two ends of a connection without a network, and frames written by hand.
 */
#ifndef SUPPORT_H2_H
#define SUPPORT_H2_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those before it */
#include <cmocka.h>

#include "base/buf.h"
#include "cleat/h2.h"

#define NUM_EVENTS 512

/* What one end was told. */
struct told {
    enum cleat_h2_next next;
    uint32_t stream;
    uint32_t code;
    uint16_t status; /* of a response's head, or to answer */
    bool end, unprocessed;
    char head[2048]; /* the text of the head, or of the trailers */
    char protocol[32];
};

struct end {
    struct cleat_h2 *h2;
    uint64_t now;
    size_t piece;       /* bytes that arrive at a time */
    bool keep;          /* data is not consumed */
    struct cl_buf data; /* all that came, of all streams */
    size_t num;
    struct told told[NUM_EVENTS];
};

/* start makes an end; the options may be NULL. finish frees it. */
void start(struct end *e, bool is_server, const struct cleat_h2_options *o);
void finish(struct end *e);

/* feed gives bytes to an end and takes what it tells. deliver moves what `from` has to say to `to`,
 * and returns how much that was. settle goes on until both are silent. */
void feed(struct end *e, const void *p, size_t len);
size_t deliver(struct end *from, struct end *to);
void settle(struct end *a, struct end *b);

/* find returns the n-th event of a kind (from 0) of a stream (0: any), NULL. */
const struct told *find(const struct end *e, enum cleat_h2_next next, uint32_t stream, unsigned n);

/* request and response parse a head from text. */
const struct cleat_http_head *request(struct cleat_http_head *h, const char *text);
const struct cleat_http_head *response(struct cleat_http_head *h, const char *text);

/* get opens a stream with a GET of a path; respond answers with a text. */
uint32_t get(struct end *client, const char *path);
void respond(struct end *server, uint32_t stream, const char *body);

/* frame writes a frame by hand. greet: preface and empty SETTINGS, with the acknowledgement. */
void frame(struct cl_buf *out, uint8_t type, uint8_t flags, uint32_t stream, const void *p,
           size_t len);
void greet(struct end *server);

/* literal appends a field without indexing, names and values as they are (RFC 7541 6.2.2). */
void literal(struct cl_buf *out, const char *name, const char *value);
/* block writes the four pseudo-fields of a GET. */
void block(struct cl_buf *out, const char *path);

/* answers_of drains an end's output and looks for the (last) code of a GOAWAY, and of a stream's
 * RST_STREAM; UINT32_MAX: there was none. */
struct answers {
    uint32_t goaway, reset;
    uint32_t given; /* by WINDOW_UPDATE, for the connection */
};
struct answers answers_of(struct end *e, uint32_t stream);

/* code_of_goaway drains an end's output and returns the code of its (last) GOAWAY; UINT32_MAX. */
uint32_t code_of_goaway(struct end *e);

#endif
