/* serve/ws_env.h - what a process of `--ws-exec` is started with: the words of a command, and an
 * environment like CGI's (RFC 3875). */
#ifndef CL_SERVE_WS_ENV_H
#define CL_SERVE_WS_ENV_H

#include "base/buf.h"
#include "serve/ws_conn.h"

/* 64 words of a command, 128 variables: fields of a request and some thirty more */
#define CL_WS_MAX_WORDS 64
#define CL_WS_MAX_VARS  160

/* Strings that follow each other, and pointers to them, the last NULL. {0} is empty. */
struct cl_ws_strings {
    struct cl_buf text;
    size_t num;
    uint32_t at[CL_WS_MAX_VARS];
    char *list[CL_WS_MAX_VARS + 1]; /* after cl_ws_strings_finish */
};
void cl_ws_strings_finish(struct cl_ws_strings *s);
void cl_ws_strings_deinit(struct cl_ws_strings *s);

/* cl_ws_split splits a command into words as a shell would, without being one: white space
 * separates; '...', "..." and \ quote. BAD_CONFIG (no word, a quote that does not end, too many),
 * NOMEM. */
CL_MUST cl_result cl_ws_split(struct cl_ws_strings *out, const char *command);

/* cl_ws_env builds the environment for a request. NOMEM, LIMIT. */
CL_MUST cl_result cl_ws_env(struct cl_ws_strings *out, const struct cl_websocket *w,
                            const struct cleat_http_head *head);

#endif
