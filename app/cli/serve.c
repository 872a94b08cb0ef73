/* cli/serve.c - `cleat serve`: options in, cl_serve(), exit code out. */
#include "cli/cli.h"
#include "cli/serve_options.h"
#include "serve/server.h"

static int other(void *ctx, int id, const struct cl_options *words)
{
    if (id == CL_SERVE_OPT_HELP) {
        cl_options_help(words->usage, stdout);
        return CL_EXIT_OK;
    }
    return cl_options_complain(words->usage, "unexpected '%s'; to serve a folder: --root %s",
                               words->value, words->value);
}

static int run(const struct cl_serve_options *o)
{
    struct cleat_error err = {0};
    if (cl_serve(o, &err) == CL_OK) {
        return CL_EXIT_OK;
    }
    fprintf(stderr, "cleat serve: %s\n", err.text);
    if (err.hint[0] != '\0') {
        fprintf(stderr, "  hint: %s\n", err.hint);
    }
    return CL_EXIT_FAILURE;
}

int cl_cmd_serve(int argc, char **argv)
{
    static struct cl_usage usage = {
        .command = "serve",
        .synopsis = "[--listen ADDR:PORT]... [--cert FILE --key FILE]... [--root DIR | --demo] "
                    "[OPTION]...\n--config FILE [OPTION]...",
        .about = "Serves the files below a folder over HTTPS (TLS 1.2 and 1.3, HTTP/1.1), and "
                 "WebSockets, "
                 "until\n"
                 "SIGINT or SIGTERM; SIGHUP reads certificates and keys again. Requests are "
                 "logged to "
                 "standard\n"
                 "output, everything else to standard error. With SSLKEYLOGFILE set, traffic "
                 "secrets are\n"
                 "appended to that file.",
        .examples = "  cleat cert dev localhost\n"
                    "  cleat serve --cert localhost.pem --key localhost-key.pem --root web",
    };
    struct cl_serve_words w;
    usage.options = cl_serve_option_rows(&usage.num_options);
    cl_serve_words_init(&w);
    int code = cl_serve_words_read(&w, &usage, argc, argv, other, NULL);
    if (code < 0) {
        code = run(&w.o);
    }
    cl_serve_words_deinit(&w);
    return code;
}
