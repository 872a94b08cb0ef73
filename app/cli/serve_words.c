/* cli/serve_words.c - the words of a command line that takes the options of `cleat serve`, after
 * those of the configuration file that it names. Either end in cl_serve_words_take. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/serve_config.h"
#include "cli/serve_options.h"

/* What the command line says, before any of it is taken. */
struct outlook {
    bool given[CL_SERVE_OPT_END]; /* by group */
    const char *config;           /* the file's path, or NULL */
    bool help;
};

void cl_serve_words_init(struct cl_serve_words *w)
{
    *w = (struct cl_serve_words){
        .o = {.alpn = CL_SERVE_ALPN,
              .client_auth = CLEAT_CLIENT_AUTH_REQUIRED,
              .client_cache = CL_SERVE_CLIENT_CACHE,
              .profile = "public",
              .session_cache_kib = CL_SERVE_SESSION_CACHE,
              .grace_s = CL_SERVE_GRACE_S,
              .max_connections = CL_SERVE_MAX_CONNECTIONS,
              .access_log = "-",
              .key_log = getenv("SSLKEYLOGFILE")},
    };
    w->key_word = (struct cl_passphrase){.option = "--key-passphrase", .may_ask = true};
    w->o.key_word = &w->key_word;
    cl_ws_config_init(&w->o.ws);
}

void cl_serve_words_deinit(struct cl_serve_words *w)
{
    cl_passphrase_deinit(&w->key_word);
    cl_serve_config_free(w->config);
    *w = (struct cl_serve_words){0};
}

static int look_ahead(struct outlook *out, const struct cl_usage *usage, int argc, char **argv)
{
    struct cl_options words;
    int id;
    cl_options_init(&words, usage, argc, argv);
    while ((id = cl_options_next(&words)) != CL_OPTIONS_END) {
        if (id == CL_OPTIONS_ERROR) {
            return CL_EXIT_USAGE;
        }
        out->help = out->help || id == CL_SERVE_OPT_HELP;
        if (id == CL_SERVE_OPT_CONFIG) {
            if (out->config != NULL) {
                return cl_options_complain(usage, "there can be only one --config");
            }
            out->config = words.value;
        } else if (id > 0 && id < CL_SERVE_OPT_END) {
            out->given[cl_serve_option_group(id)] = true;
        }
    }
    return CL_EXIT_OK;
}

/* A key that the table of this command has, written as an option would be. */
static int take_key(struct cl_serve_words *w, const struct cl_usage *usage,
                    const struct cl_serve_key *key)
{
    char where[CL_SERVE_CONFIG_MAX_PATH + 16];
    struct cl_usage told = *usage;
    (void)snprintf(where, sizeof(where), "%s:%d", cl_serve_config_path(w->config), key->line);
    told.where = where;
    const struct cl_options words = {.usage = &told, .value = key->value, .spelled = key->name};
    return cl_serve_words_take(w, key->id, &words);
}

static int take_file(struct cl_serve_words *w, const struct cl_usage *usage,
                     const struct outlook *line)
{
    const struct cl_serve_key *key;
    int code = cl_serve_config_read(line->config, usage, &w->config);
    for (size_t i = 0; code == CL_EXIT_OK && (key = cl_serve_config_at(w->config, i)) != NULL;
         i++) {
        if (!line->given[cl_serve_option_group(key->id)]) {
            code = take_key(w, usage, key);
        }
    }
    return code;
}

static int take_line(struct cl_serve_words *w, const struct cl_usage *usage, int argc, char **argv,
                     cl_serve_other other, void *ctx)
{
    struct cl_options words;
    int id;
    cl_options_init(&words, usage, argc, argv);
    while ((id = cl_options_next(&words)) != CL_OPTIONS_END) {
        int code = -1;
        if (id == CL_OPTIONS_OPERAND || id == CL_SERVE_OPT_HELP || id >= CL_SERVE_OPT_END) {
            code = other(ctx, id, &words);
        } else if (id != CL_SERVE_OPT_CONFIG) {
            code = cl_serve_words_take(w, id, &words);
            code = code == CL_EXIT_OK ? -1 : code;
        }
        if (code >= 0) {
            return code;
        }
    }
    return -1;
}

int cl_serve_words_read(struct cl_serve_words *w, const struct cl_usage *usage, int argc,
                        char **argv, cl_serve_other other, void *ctx)
{
    struct outlook line = {0};
    int code = look_ahead(&line, usage, argc, argv);
    if (code == CL_EXIT_OK && line.config != NULL && !line.help) {
        code = take_file(w, usage, &line);
    }
    if (code != CL_EXIT_OK) {
        return code;
    }
    code = take_line(w, usage, argc, argv, other, ctx);
    if (code < 0) {
        code = cl_serve_words_check(w, usage);
        code = code == CL_EXIT_OK ? -1 : code;
    }
    return code;
}
