/* cli/cli.h - the sub-commands of `cleat`. One file per command, one row per command in main.c. */
#ifndef CL_CLI_CLI_H
#define CL_CLI_CLI_H

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

int cl_cmd_serve(int argc, char **argv);
int cl_cmd_get(int argc, char **argv);
int cl_cmd_ws(int argc, char **argv);
int cl_cmd_cert(int argc, char **argv);
int cl_cmd_ech(int argc, char **argv);
int cl_cmd_profile(int argc, char **argv);
int cl_cmd_bench(int argc, char **argv);

#endif
