/* cli/get_options.h - the command line of `cleat get`, as a struct. Flags mean what curl's mean. */
#ifndef CL_CLI_GET_OPTIONS_H
#define CL_CLI_GET_OPTIONS_H

#include "base/buf.h"
#include "cli/client_options.h"
#include "cli/get_form.h"
#include "cli/get_slo.h"

/* 50 at a time, and at most 300: as curl */
#define GET_DEFAULT_PARALLEL  50
#define GET_MAX_PARALLEL      300
/* 50: curl's default for --max-redirs */
#define GET_DEFAULT_REDIRECTS 50
/* 1 MiB: a file of header lines or of a --write-out format */
#define GET_MAX_TEXT_FILE     (1u << 20)

struct get_options {
    struct client_options client;
    struct cl_words urls;
    struct cl_words outputs; /* for each URL in turn; NULL: -O */
    struct cl_words headers;

    const char *method; /* -X */
    const char *user_agent;
    const char *referer;
    const char *user;
    const char *range;
    const char *write_out;
    const char *dump_header;
    const char *ssl_sessions;
    const char *cookie_jar;  /* -c */
    const char *resume;      /* -C: a number, or "-" */
    struct cl_words cookies; /* -b */

    bool silent, show_error, include, head, location;
    bool fail, fail_with_body, no_progress, no_alpn, early_data, help;
    bool timing, print_curl, compressed, junk_session, retry_all_errors, retry_connrefused;
    bool mixed_content, mixed_content_json;
    long retry;              /* times; 0: never */
    uint64_t retry_delay_ms; /* 0: growing */
    uint64_t retry_max_ms;   /* 0: no limit */
    bool parallel;
    long parallel_max;
    long max_redirects;   /* -1: no limit */
    uint64_t max_time_ms; /* 0: none */

    struct get_slo slo;

    struct get_parts body;   /* -d and its like */
    struct get_form form;    /* -F */
    struct cl_words uploads; /* -T, for each URL in turn */
    bool has_body, json;
};

extern const struct cl_usage get_usage;

/* get_options_parse reads the command line. 0; -1: --help has been asked for; else the exit code, a
 * message being on stderr. *out is to be deinited whatever comes back. */
int get_options_parse(struct get_options *out, int argc, char **argv);
void get_options_deinit(struct get_options *o);

#endif
