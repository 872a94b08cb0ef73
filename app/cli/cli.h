/* cli/cli.h - the sub-commands of `cleat`. One file per command, one row per command in main.c. */
#ifndef CL_CLI_CLI_H
#define CL_CLI_CLI_H

#include <stddef.h>

struct cl_command {
    const char *name;
    const char *summary; /* one line for `cleat --help` */
    /* argv[0] is the command's name. Returns the exit code of the program. */
    int (*run)(int argc, char **argv);
};

/* Exit codes that every command shares; `get` has curl's beside them. */
#define CL_EXIT_OK      0
#define CL_EXIT_FAILURE 1
#define CL_EXIT_USAGE   2

/* Commands below a command: `cleat cert show`. */
struct cl_family {
    const char *name;
    const struct cl_command *commands;
    size_t num_commands;
};

/* cl_run_family runs the sub-command that argv[1] names, with argv[0] its name; or prints help, or
 * what is wrong. Returns the exit code. */
int cl_run_family(const struct cl_family *family, int argc, char **argv);

int cl_cmd_serve(int argc, char **argv);
int cl_cmd_get(int argc, char **argv);
int cl_cmd_ws(int argc, char **argv);
int cl_cmd_cert(int argc, char **argv);
int cl_cmd_ech(int argc, char **argv);
int cl_cmd_explain_hello(int argc, char **argv);
int cl_cmd_fingerprint(int argc, char **argv);
int cl_cmd_profile(int argc, char **argv);
int cl_cmd_replay(int argc, char **argv);
int cl_cmd_bench(int argc, char **argv);

#endif
