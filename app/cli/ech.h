/* cli/ech.h - the sub-commands of `cleat ech`. */
#ifndef CL_CLI_ECH_H
#define CL_CLI_ECH_H

/* As the run of struct cl_command. */
int ech_keygen_run(int argc, char **argv);
int ech_show_run(int argc, char **argv);

#endif
