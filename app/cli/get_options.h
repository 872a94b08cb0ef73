/* cli/get_options.h - the command line of `cleat get`, as a struct. Flags mean what curl's mean. */
#ifndef CL_CLI_GET_OPTIONS_H
#define CL_CLI_GET_OPTIONS_H

#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "cli/options.h"

/* 50: curl's default for --max-redirs */
#define GET_DEFAULT_REDIRECTS 50
/* 64 MiB: a body is kept in memory, to be sent again when a redirect asks for it */
#define GET_MAX_BODY          (64u << 20)
/* 1 MiB: a file of header lines or of a --write-out format */
#define GET_MAX_TEXT_FILE     (1u << 20)

/* Words of the command line, in their order; the words are argv's own. */
struct get_words {
    const char **items;
    size_t num;
};

struct get_options {
    struct get_words urls;
    struct get_words outputs; /* for each URL in turn; NULL: -O */
    struct get_words headers;
    struct get_words resolves;
    struct get_words connect_tos;

    const char *method; /* -X */
    const char *user_agent;
    const char *referer;
    const char *user;
    const char *range;
    const char *write_out;
    const char *dump_header;
    const char *trace_json;
    const char *cacert;
    const char *capath;
    const char *cert;
    const char *key;
    const char *profile;
    const char *ssl_sessions;
    const char *ciphers;
    const char *tls13_ciphers;
    const char *curves;
    const char *sigalgs;
    const char *psk;
    const char *alpn;

    bool verbose, silent, show_error, include, head, location, insecure;
    bool fail, fail_with_body, no_progress, no_alpn, early_data, help;
    int family; /* AF_UNSPEC, AF_INET, AF_INET6 */
    uint16_t tls_min, tls_max;
    long max_redirects;                       /* -1: no limit */
    uint64_t connect_timeout_ms, max_time_ms; /* 0: none */

    struct cl_buf body;
    bool has_body, json;
};

extern const struct cl_usage get_usage;

/* get_options_parse reads the command line. 0; -1: --help has been asked for; else the exit code, a
 * message being on stderr. *out is to be deinited whatever comes back. */
int get_options_parse(struct get_options *out, int argc, char **argv);
void get_options_deinit(struct get_options *o);

/* get_read_file appends a file ("-": standard input) to out, at most max bytes in all. On failure a
 * message is in *why (static storage). */
bool get_read_file(const char *path, struct cl_buf *out, size_t max, const char **why);

#endif
