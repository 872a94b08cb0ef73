/* cli/options.h - options of a sub-command, from one table that is also its --help.
 *
 * Short options may be bundled (-sS) and carry their argument (-oFILE, -o FILE); long ones take it
 * as --name=VALUE or --name VALUE. Options and operands may be mixed; "--" ends the options.
 * Nothing is abbreviated. -h and --help, and --no-NAME, are as the table says: rows like any other.
 */
#ifndef CL_CLI_OPTIONS_H
#define CL_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct cl_option {
    int id;           /* the command's own, > 0; a row with id 0 is a heading in --help */
    char letter;      /* 0: none */
    const char *name; /* long name without "--"; NULL: none (or the heading's text) */
    const char *arg;  /* what stands for the argument in --help, "FILE"; NULL: takes none */
    const char *help; /* lines separated by '\n'; NULL: not listed */
};

/* What --help prints besides the options. */
struct cl_usage {
    const char *command;  /* "serve" */
    const char *synopsis; /* lines without "cleat serve", separated by '\n' */
    const char *about;    /* a paragraph */
    const struct cl_option *options;
    size_t num_options;
    const char *examples; /* lines, or NULL */
    const char *where;    /* in front of complaints: "FILE:LINE"; NULL: the command line */
};

enum {
    CL_OPTIONS_END = -1,    /* nothing is left */
    CL_OPTIONS_ERROR = -2,  /* a message is on stderr; exit with CL_EXIT_USAGE */
    CL_OPTIONS_OPERAND = 0, /* value is an operand */
};

struct cl_options {
    const struct cl_usage *usage;
    int argc;
    char **argv;
    int at;              /* next word */
    const char *bundle;  /* rest of a word of short options, or NULL */
    bool only_operands;  /* after "--" */
    const char *value;   /* of the option or operand just returned, or NULL */
    const char *spelled; /* the option as it was written, for messages: "-o", "--output" */
    char spelled_letter[3];
};

/* cl_options_init begins with argv[1]. */
void cl_options_init(struct cl_options *o, const struct cl_usage *usage, int argc, char **argv);

/* cl_options_next returns an option's id, or one of the enum above. */
int cl_options_next(struct cl_options *o);

/* cl_options_each gives each option and operand to take, until one of them asks for help, or take
 * returns something else than 0. True: all were taken. False: help was printed, or a complaint;
 * exit with *code. take may leave ids that it does not know, CL_OPTIONS_ERROR among them, to
 * CL_EXIT_USAGE. */
typedef int cl_options_take(void *ctx, int id, const struct cl_options *o);
bool cl_options_each(const struct cl_usage *usage, int argc, char **argv, int help_id,
                     cl_options_take *take, void *ctx, int *code);

/* cl_options_help prints the help text. */
void cl_options_help(const struct cl_usage *usage, FILE *out);

/* cl_options_complain prints "cleat COMMAND: …" and where to read more, and returns CL_EXIT_USAGE.
 */
int cl_options_complain(const struct cl_usage *usage, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* cl_options_number reads a decimal number within bounds from o->value; else it complains and
 * returns false. */
bool cl_options_number(const struct cl_options *o, long low, long high, long *out);

/* cl_nearest returns which of num names is the likeliest meant by `word` (edit distance), or NULL
 * when none is near. Names may be NULL. */
const char *cl_nearest(const char *word, const char *const *names, size_t num);

#endif
