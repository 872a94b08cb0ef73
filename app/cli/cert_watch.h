/* cli/cert_watch.h - between the files of `cleat cert watch`: the command line, its targets, what
 * is printed.
 */
#ifndef CL_CLI_CERT_WATCH_H
#define CL_CLI_CERT_WATCH_H

#include <stdio.h>

#include "cli/client_options.h"
#include "cli/client_target.h"
#include "watch/round.h"
#include "watch/series.h"

/* 4,096: each is some kilobytes; who has more runs several */
#define CERT_WATCH_MAX_TARGETS  4096
/* 32: connections at once; a handshake is some kilobytes and a millisecond */
#define CERT_WATCH_PARALLEL     32
/* 15 s: for DNS, TCP and TLS of one target */
#define CERT_WATCH_TIMEOUT_MS   15000
/* 5 minutes, when --listen says that it is to go on, and nothing says how often */
#define CERT_WATCH_INTERVAL     300
/* 5 minutes: for a hook; renewing takes a minute where DNS has to spread */
#define CERT_WATCH_HOOK_SECONDS 300

enum {
    CERT_WATCH_FINE = 0,
    CERT_WATCH_FOUND = 1,
    CERT_WATCH_USAGE = 2,
    CERT_WATCH_UNCHECKED = 3,
};

/* What the command line asks for. */
struct cert_watch_ask {
    struct client_options client;
    struct cl_words words; /* the targets */
    struct cl_words hook;  /* argv of it; empty: none */
    const char *server_name;
    const char *textfile;
    struct cl_addr listen;
    bool has_listen;
    struct cl_watch_limits limits;
    int64_t interval; /* seconds; 0: once */
    int64_t hook_seconds;
    uint64_t hook_on; /* 1 << kind */
    long parallel;
    bool all_addresses, expect_staple, hook_retry, json, quiet, help;
};

/* cert_watch_parse reads the command line. 0, or CERT_WATCH_USAGE with a message on stderr. */
int cert_watch_parse(struct cert_watch_ask *ask, int argc, char **argv);
void cert_watch_ask_deinit(struct cert_watch_ask *ask);
void cert_watch_help(FILE *out);

/* The targets, with the texts that they point to. */
struct cert_watch_targets {
    struct cl_watch_target *items;
    struct cert_watch_texts *texts;
    size_t num;
};

/* cert_watch_targets_new makes them of the words. CERT_WATCH_USAGE, with a message on stderr. */
int cert_watch_targets_new(struct cert_watch_targets *out, const struct cert_watch_ask *ask);
void cert_watch_targets_deinit(struct cert_watch_targets *targets);

/* How a hook that was run has ended. */
struct cert_watch_hook_note {
    const char *target;
    const char *finding; /* its id */
    int exit_code;       /* -1: it was not started, or a signal ended it */
    char text[160];
};

/* One round, to be printed. */
struct cert_watch_news {
    const struct cl_watch_report *reports;
    size_t num;
    int64_t at;
    int exit_code;
    bool quiet; /* only targets with findings */
    const struct cert_watch_hook_note *hooks;
    size_t num_hooks;
};

/* cert_watch_print writes a line for each target, with its findings below, and a summary; in
 * colours when `out` is a terminal. cert_watch_json writes one object on one line. */
void cert_watch_print(const struct cert_watch_news *news, FILE *out);
void cert_watch_json(const struct cert_watch_news *news, FILE *out);

/* cert_watch_state names a target's worst finding: "fine", "unchecked", "warning", "critical". */
const char *cert_watch_state(const struct cl_watch_report *report);

#endif
