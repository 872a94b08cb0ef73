/* cli/ech.c - the command `cleat ech`: finds its sub-command. */
#include "cli/ech.h"

#include <string.h>

#include "cli/cli.h"
#include "cli/options.h"

static const struct cl_command commands[] = {
    {"keygen", "make a key and its configuration", ech_keygen_run},
    {"show", "print the configurations of a list", ech_show_run},
};
#define NUM_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *out)
{
    (void)fprintf(out, "Usage: cleat ech COMMAND [OPTION]... [ARGUMENT]...\n\nCommands:\n");
    for (size_t i = 0; i < NUM_COMMANDS; i++) {
        (void)fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    }
    (void)fprintf(out, "\n'cleat ech COMMAND --help' tells more about each.\n");
}

int cl_cmd_ech(int argc, char **argv)
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
    (void)fprintf(stderr, "cleat ech: there is no command '%s'%s%s%s\nTry 'cleat ech --help'.\n",
                  argv[1], near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                  near != NULL ? "'?" : "");
    return CL_EXIT_USAGE;
}
