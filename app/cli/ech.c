/* cli/ech.c - the command `cleat ech`: finds its sub-command. */
#include "cli/ech.h"

#include "cli/cli.h"

static const struct cl_command commands[] = {
    {"keygen", "make a key and its configuration", ech_keygen_run},
    {"show", "print the configurations of a list", ech_show_run},
};

static const struct cl_family family = {"ech", commands, sizeof(commands) / sizeof(commands[0])};

int cl_cmd_ech(int argc, char **argv)
{
    return cl_run_family(&family, argc, argv);
}
