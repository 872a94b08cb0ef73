/* cli/serve_options.h - the options of `cleat serve`: one table for the command line, --help and
 * the configuration file (serve_config.h), and from there to what a site is made of. `cleat
 * explain-hello` takes them as well.
 */
#ifndef CL_CLI_SERVE_OPTIONS_H
#define CL_CLI_SERVE_OPTIONS_H

#include "cli/options.h"
#include "serve/site.h"

enum {
    CL_SERVE_OPT_HELP = 1,
    CL_SERVE_OPT_CONFIG,
    CL_SERVE_OPT_END = 256, /* above all ids of the table */
};

struct cl_serve_config;

/* What the words said so far. Texts are those of the command line and of the file. */
struct cl_serve_words {
    struct cl_serve_options o;
    size_t num_keys;
    bool has_client_auth;
    struct cl_passphrase key_word;  /* what o points to */
    struct cl_serve_config *config; /* or NULL */
};

/* cl_serve_option_rows returns the table. */
const struct cl_option *cl_serve_option_rows(size_t *out_num);

/* What an option is beside its row in the table. */
#define CL_SERVE_REPEATS  1u  /* may be given several times: a list in a file */
#define CL_SERVE_PATH     2u  /* names a file or folder: relative to where it is written */
#define CL_SERVE_NO_KEY   4u  /* of the command line alone */
#define CL_SERVE_SOURCE   16u /* of a passphrase: a path behind "file:" */
#define CL_SERVE_OR_WORDS 8u  /* beside PATH: only what has a '/' or '.' in it names a file */
unsigned cl_serve_option_traits(int id);

/* cl_serve_option_group: options of one group go together; an option of the command line replaces
 * all that a file says of its group. Returns an option's id. */
int cl_serve_option_group(int id);

/* cl_serve_words_init: what holds without any option. *w stays where it is. */
void cl_serve_words_init(struct cl_serve_words *w);
void cl_serve_words_deinit(struct cl_serve_words *w);

/* cl_serve_words_take takes one option. Returns CL_EXIT_OK, or the exit code with a message on
 * stderr. */
int cl_serve_words_take(struct cl_serve_words *w, int id, const struct cl_options *words);

/* cl_serve_words_check looks at all of them together, at the end; returns likewise. */
int cl_serve_words_check(struct cl_serve_words *w, const struct cl_usage *usage);

/* What is not an option of the table: --help, operands, options of the command's own. Returns -1 to
 * go on, else the exit code. */
typedef int (*cl_serve_other)(void *ctx, int id, const struct cl_options *words);

/* cl_serve_words_read reads the configuration file that the command line names, and the command
 * line, which wins, group by group. Then it checks.
 * Returns -1 when the command is to be run, else the exit code. */
int cl_serve_words_read(struct cl_serve_words *w, const struct cl_usage *usage, int argc,
                        char **argv, cl_serve_other other, void *ctx);

#endif
