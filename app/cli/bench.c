/* cli/bench.c - the command `cleat bench`: finds its sub-command. */
#include "cli/bench.h"

#include <string.h>

#include "cli/cli.h"

static const struct cl_command commands[] = {
    {"crypto", "what this machine computes, primitive by primitive", bench_crypto_run},
    {"handshake", "whole handshakes in memory, server and client", bench_handshake_run},
    {"connect", "new TLS connections to a server, and how long they take", bench_connect_run},
    {"rtt", "what each kind of handshake costs in round trips", bench_rtt_run},
};
#define NUM_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *out)
{
    (void)fprintf(out, "Usage: cleat bench COMMAND [OPTION]... [ARGUMENT]...\n\nCommands:\n");
    for (size_t i = 0; i < NUM_COMMANDS; i++) {
        (void)fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    }
    (void)fprintf(out, "\n'cleat bench COMMAND --help' tells more about each.\n");
}

int cl_cmd_bench(int argc, char **argv)
{
    const char *names[NUM_COMMANDS];
    if (argc < 2) {
        print_help(stderr);
        return CL_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return CL_EXIT_OK;
    }
    for (size_t i = 0; i < NUM_COMMANDS; i++) {
        names[i] = commands[i].name;
        if (strcmp(argv[1], names[i]) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    const char *near = cl_nearest(argv[1], names, NUM_COMMANDS);
    (void)fprintf(
        stderr, "cleat bench: there is no command '%s'%s%s%s\nTry 'cleat bench --help'.\n", argv[1],
        near != NULL ? "; did you mean '" : "", near != NULL ? near : "", near != NULL ? "'?" : "");
    return CL_EXIT_USAGE;
}
