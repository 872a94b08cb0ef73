/* cli/bench.c - the command `cleat bench`: finds its sub-command. */
#include "cli/bench.h"

#include "cli/cli.h"

static const struct cl_command commands[] = {
    {"crypto", "what this machine computes, primitive by primitive", bench_crypto_run},
    {"handshake", "whole handshakes in memory, server and client", bench_handshake_run},
    {"connect", "new TLS connections to a server, and how long they take", bench_connect_run},
    {"rtt", "what each kind of handshake costs in round trips", bench_rtt_run},
};

static const struct cl_family family = {"bench", commands, sizeof(commands) / sizeof(commands[0])};

int cl_cmd_bench(int argc, char **argv)
{
    return cl_run_family(&family, argc, argv);
}
