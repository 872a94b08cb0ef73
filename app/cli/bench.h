/* cli/bench.h - the sub-commands of `cleat bench`, and what they share: the end by SIGINT, the head
 * of their output, numbers for people.
 */
#ifndef CL_CLI_BENCH_H
#define CL_CLI_BENCH_H

#include <jansson.h>
#include <signal.h>
#include <stdio.h>

#include "cli/options.h"

/* The version of the JSON's form: it changes when a member changes its meaning. */
#define BENCH_SCHEMA 1

/* 130: what a shell tells of a program that SIGINT ended; what was measured is printed first */
#define BENCH_EXIT_INTERRUPTED 130

/* argv[0] is "crypto", "handshake", "connect" or "rtt". */
int bench_crypto_run(int argc, char **argv);
int bench_handshake_run(int argc, char **argv);
int bench_connect_run(int argc, char **argv);
int bench_rtt_run(int argc, char **argv);

/* bench_catch_interrupt makes SIGINT set *bench_stop instead of ending the program; a second one
 * ends it. */
extern volatile sig_atomic_t bench_stop;
void bench_catch_interrupt(void);

/* bench_seconds reads a duration from an option, from `low` to `high` seconds; else it complains
 * and returns false. */
bool bench_seconds(const struct cl_options *o, double low, double high, double *out);

/* bench_wanted: `only` (--only; NULL: everything) is in the id or the name, ASCII case ignored. */
bool bench_wanted(const char *only, const char *id, const char *name);

/* bench_head prints what is measured on: the program's version, the processor, the kernels. */
void bench_head(FILE *out);

/* bench_json makes the same head as a JSON object, with the sub-command's name; NULL: no memory. */
json_t *bench_json(const char *command);

/* bench_finish prints json (may be NULL: nothing, or no memory when json_wanted) and returns the
 * exit code: `code`, or 130 after an interrupt. */
int bench_finish(json_t *json, bool json_wanted, int code);

/* bench_grouped writes a whole number with a comma between thousands. */
#define BENCH_GROUPED_SIZE 32
const char *bench_grouped(double n, char out[BENCH_GROUPED_SIZE]);

#endif
