/* cli/subcommands.c - commands that are families: `cleat cert`, `cleat ech`, `cleat bench`. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/options.h"

/* 16: no family is as large */
#define MAX_COMMANDS 16

static void print_help(FILE *out, const struct cl_family *family)
{
    (void)fprintf(out, "Usage: cleat %s COMMAND [OPTION]... [ARGUMENT]...\n\nCommands:\n",
                  family->name);
    for (size_t i = 0; i < family->num_commands; i++) {
        (void)fprintf(out, "  %-10s %s\n", family->commands[i].name, family->commands[i].summary);
    }
    (void)fprintf(out, "\n'cleat %s COMMAND --help' tells more about each.\n", family->name);
}

int cl_run_family(const struct cl_family *family, int argc, char **argv)
{
    const char *names[MAX_COMMANDS];
    size_t num = 0;
    if (argc < 2) {
        print_help(stderr, family);
        return CL_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout, family);
        return CL_EXIT_OK;
    }
    for (; num < family->num_commands && num < MAX_COMMANDS; num++) {
        names[num] = family->commands[num].name;
        if (strcmp(argv[1], names[num]) == 0) {
            return family->commands[num].run(argc - 1, argv + 1);
        }
    }
    const char *near = cl_nearest(argv[1], names, num);
    (void)fprintf(stderr, "cleat %s: there is no command '%s'%s%s%s\nTry 'cleat %s --help'.\n",
                  family->name, argv[1], near != NULL ? "; did you mean '" : "",
                  near != NULL ? near : "", near != NULL ? "'?" : "", family->name);
    return CL_EXIT_USAGE;
}
