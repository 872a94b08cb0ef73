/* bench/load/https.h - HTTPS clients in one thread: new connections, requests, downloads.
 *
 * All that is ready is stepped, then the jobs of all connections run as one batch (cleat/batch.h),
 * so that one core of clients can keep one core of any server busy. The peer's chain is not
 * verified (CLEAT_DECIDE_PEER accepts it), its signature is: nobody measures the client.
 */
#ifndef BENCH_LOAD_HTTPS_H
#define BENCH_LOAD_HTTPS_H

#include <jansson.h>

#include "load.h"

/* What is counted. */
enum https_mode {
    HTTPS_FULL,     /* connections: full handshake, one request, close */
    HTTPS_RESUMED,  /* the same with the newest ticket of the connection before */
    HTTPS_REQUESTS, /* requests on connections that are kept */
    HTTPS_DOWNLOAD, /* bytes of bodies */
    HTTPS_NUM_MODES,
};

/* https_mode_of: the mode called name ("full", "resumed", "requests", "download"), or
 * HTTPS_NUM_MODES. */
enum https_mode https_mode_of(const char *name);

/* https_run keeps options->num_conns connections busy for options->seconds (after a warm-up that
 * does not count), or until options->max_count operations are done. The result is a JSON object;
 * NULL after a message on stderr when a connection fails, or does not what the mode asks. */
json_t *https_run(const struct load_options *options);

#endif
