/* bench/load/load.h - many clients in one thread, and what they cost the server: WebSocket here,
 * HTTPS in https.h.
 *
 * The clients are libcleat's own, over TLS or in clear, on loopback. What is measured is the
 * server: another process, known by its id.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "cleat/h2.h"
#include "cleat/tls.h"
#include "cleat/ws.h"

struct load_options {
    struct cleat_http_url url;
    const char *ca_file; /* wss: what to trust */
    unsigned num_conns;
    unsigned window; /* messages that are on their way at once, of each connection */
    size_t size;     /* bytes of a message */
    bool binary;
    bool deflate;
    double seconds;
    pid_t pid;    /* of the server; 0: measure nothing of it */
    unsigned hup; /* idle: send SIGHUP so many times and check that every connection lives on */
    bool idle;
    int https;          /* enum https_mode; HTTPS_NUM_MODES: WebSocket */
    uint64_t max_count; /* https: end after so many operations, even if it is not yet time */
    bool h2;            /* idle, https://: HTTP/2 */
    bool hold;          /* idle: measure when a line, or the end, has come on stdin */
};

/* One client. Memory that it keeps while idle: the connection's, and nothing of its own. */
struct load_conn {
    int fd;
    bool want_write; /* to be told when the socket takes more, or is connected */
    bool connected;
    bool established;
    bool upgraded; /* or, in HTTP, answered for the first time */
    bool failed;
    struct cleat_tls *tls; /* NULL: in clear */
    struct cleat_ws *ws;   /* NULL before the upgrade */
    struct cleat_h2 *h2;   /* NULL: HTTP/1.1 */
    char key[CLEAT_WS_KEY_SIZE];
    struct cl_buf in;       /* part of a record */
    struct cl_buf response; /* part of the response's head */
    struct cl_buf out;      /* not taken by the socket yet */
    uint64_t num_received;
};

struct load {
    const struct load_options *options;
    struct cleat_tls_config *config; /* NULL: ws:// */
    struct cleat_ws_pool *pool;
    char *message;
    uint64_t num_messages; /* echoes received, by all */
    bool echoing;          /* answer an echo with the next message */
    char why[512];         /* of the first failure */
};

/* load_conn_open starts connecting client number i; load_conn_event does what its socket is ready
 * for; load_conn_send queues a message and sends what it can. All return false when the connection
 * has failed, which l->why tells. */
bool load_conn_open(struct load *l, struct load_conn *c, unsigned i);
bool load_conn_event(struct load *l, struct load_conn *c);
bool load_conn_send(struct load *l, struct load_conn *c);
void load_conn_close(struct load_conn *c);

/* load_conn_fail notes the first failure, and returns false. */
bool load_conn_fail(struct load *l, struct load_conn *c, const char *what, const char *why);

/* load_conn_put sends bytes, through TLS where there is any. */
bool load_conn_put(struct load *l, struct load_conn *c, const uint8_t *p, size_t len);

/* bench/load/h2.c: load_h2_ask sends a GET; load_h2_data takes what came. Likewise. */
bool load_h2_ask(struct load *l, struct load_conn *c);
bool load_h2_data(struct load *l, struct load_conn *c, const uint8_t *p, size_t len);

/* What a process has used and holds. */
struct load_process {
    double cpu_seconds;   /* of all its threads that live */
    uint64_t resident;    /* bytes */
    uint64_t private_set; /* bytes that only it holds and has written to */
};

/* load_process_read reads /proc; false when there is no such process. */
bool load_process_read(pid_t pid, struct load_process *out);

#endif
