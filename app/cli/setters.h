/* cli/setters.h - from an option that was read to the field of a struct that it sets.
 *
 * Most options only set a field: a row says which, and how. The others have a function.
 */
#ifndef CL_CLI_SETTERS_H
#define CL_CLI_SETTERS_H

#include <stdint.h>

#include "cli/options.h"

/* Words of the command line, in their order; the words are argv's own. */
struct cl_words {
    const char **items;
    size_t num;
};

/* cl_words_add appends; 0, or CL_EXIT_USAGE with a message on stderr (out of memory). */
int cl_words_add(struct cl_words *w, const struct cl_options *from, const char *word);
void cl_words_deinit(struct cl_words *w);

enum cl_set {
    CL_SET_TRUE,    /* bool */
    CL_SET_TEXT,    /* const char * */
    CL_SET_WORD,    /* struct cl_words: append */
    CL_SET_SECONDS, /* uint64_t, in milliseconds */
    CL_SET_VERSION, /* uint16_t: of TLS */
    CL_SET_NOTHING, /* accepted because others have it; it is so anyway */
    CL_SET_BY_FUNCTION,
};

struct cl_setter {
    int id;
    enum cl_set how;
    size_t offset; /* of the field */
    /* Returns 0, or the exit code with a message on stderr. */
    int (*function)(void *options, const struct cl_options *from);
};

/* cl_setters_apply does what the table says about option id to the struct. Returns 0, the exit code
 * with a message on stderr, or CL_SETTERS_UNKNOWN: no row is about it. */
#define CL_SETTERS_UNKNOWN (-1)
int cl_setters_apply(const struct cl_setter *rows, size_t num, int id, void *options,
                     const struct cl_options *from);

#endif
