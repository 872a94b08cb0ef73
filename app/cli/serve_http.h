/* cli/serve_http.h - the options of `cleat serve` that are about answers: content codings, and the
 * fields that keep browsers on HTTPS. */
#ifndef CL_CLI_SERVE_HTTP_H
#define CL_CLI_SERVE_HTTP_H

#include "cli/options.h"
#include "serve/site.h"

enum {
    CL_SERVE_HTTP_FIRST = 180, /* between the other options of the command and WebSocket's */
    CL_OPT_COMPRESS = CL_SERVE_HTTP_FIRST,
    CL_OPT_NO_PRECOMPRESSED,
    CL_OPT_HSTS,
    CL_OPT_UPGRADE_INSECURE,
};

/* Rows of the table of options. */
#define CL_SERVE_HTTP_OPTIONS                                                            \
    {0, 0, "Answers", NULL, NULL},                                                       \
        {CL_OPT_COMPRESS, 0, "compress", "LIST",                                         \
         "compress text files for clients that take it: br, zstd, gzip, the preferred\n" \
         "one first; on is all three (default: off)"},                                   \
        {CL_OPT_NO_PRECOMPRESSED, 0, "no-precompressed", NULL,                           \
         "do not look for FILE.br, FILE.zst and FILE.gz beside FILE"},                   \
        {CL_OPT_HSTS, 0, "hsts", "VALUE",                                                \
         "tell browsers to come over HTTPS alone (Strict-Transport-Security): for so\n"  \
         "many SECONDS, or preload, or directives: 'max-age=N; includeSubDomains;\n"     \
         "preload'"},                                                                    \
    {                                                                                    \
        CL_OPT_UPGRADE_INSECURE, 0, "upgrade-insecure", NULL,                            \
            "have browsers load what HTML files name as http:// over HTTPS\n"            \
            "(Content-Security-Policy: upgrade-insecure-requests)"                       \
    }

/* cl_serve_http_take takes one of these options; the exit code when it is wrong. */
int cl_serve_http_take(struct cl_serve_web *web, int id, const struct cl_options *words);

#endif
