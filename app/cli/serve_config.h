/* cli/serve_config.h - the configuration file of `cleat serve`, read with libConfuse: each long
 * option is a key of the same name, and a block `certificate { … }` holds what belongs to one
 * certificate. What a key means, and which values it takes, is the option's affair
 * (serve_options.h).
 *
 * One reading at a time: libConfuse's callbacks have no context of their own.
 */
#ifndef CL_CLI_SERVE_CONFIG_H
#define CL_CLI_SERVE_CONFIG_H

#include "cli/options.h"

/* 1 MiB: a list of a few thousand names */
#define CL_SERVE_CONFIG_MAX_FILE (1 << 20)
/* 4,096: the longest path that a system takes */
#define CL_SERVE_CONFIG_MAX_PATH 4096
/* 4,096: values in all; more than every option may be repeated together */
#define CL_SERVE_CONFIG_MAX_KEYS 4096

/* A value of a key; texts are the configuration's. */
struct cl_serve_key {
    int id; /* of the option */
    const char *name;
    const char *value; /* NULL: the option takes none */
    int line;
};

struct cl_serve_config;

/* cl_serve_config_read reads a file. Returns CL_EXIT_OK, or the exit code with a message on stderr
 * that names file and line. */
int cl_serve_config_read(const char *path, const struct cl_usage *usage,
                         struct cl_serve_config **out);

/* cl_serve_config_parse reads a text that was the file `path`; likewise. With usage NULL nothing is
 * printed. */
int cl_serve_config_parse(const char *path, const char *text, size_t len,
                          const struct cl_usage *usage, struct cl_serve_config **out);
void cl_serve_config_free(struct cl_serve_config *config);

/* cl_serve_config_at returns the i-th value, then NULL: in the file's order, blocks last. */
const struct cl_serve_key *cl_serve_config_at(const struct cl_serve_config *config, size_t i);
const char *cl_serve_config_path(const struct cl_serve_config *config);

#endif
